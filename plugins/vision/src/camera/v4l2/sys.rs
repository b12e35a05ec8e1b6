//! The kernel's side of `Video4Linux`: its structures, requests and mapped buffers.
//!
//! Layouts and numbers are those of the kernel's `videodev2.h`. Single-planar capture with buffers
//! that the driver maps, which is what USB cameras offer.

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::driver::{Driver, Format, Rates, Sizes, Taken};

const CAPTURE: u32 = 1;
const MEMORY_MMAP: u32 = 1;
const FIELD_ANY: u32 = 0;
const CAP_VIDEO_CAPTURE: u32 = 0x1;
const CAP_STREAMING: u32 = 0x0400_0000;
const CAP_DEVICE_CAPS: u32 = 0x8000_0000;
const DISCRETE: u32 = 1;
const FLAG_ERROR: u32 = 0x40;
const FLAG_CLOCK: u32 = 0xe000;
const FLAG_MONOTONIC: u32 = 0x2000;

/// `struct v4l2_capability`.
#[repr(C)]
struct Capability {
    driver: [u8; 16],
    card: [u8; 32],
    bus_info: [u8; 32],
    version: u32,
    capabilities: u32,
    device_caps: u32,
    reserved: [u32; 3],
}

/// `struct v4l2_fmtdesc`.
#[repr(C)]
struct FormatDescription {
    index: u32,
    kind: u32,
    flags: u32,
    description: [u8; 32],
    pixel_format: u32,
    reserved: [u32; 4],
}

/// `struct v4l2_frmsizeenum`: one size, or a range of them.
#[repr(C)]
struct FrameSize {
    index: u32,
    pixel_format: u32,
    kind: u32,
    /// Discrete: width, height. Else least, greatest and step of the width, then of the height.
    values: [u32; 6],
    reserved: [u32; 2],
}

/// `struct v4l2_frmivalenum`: one interval, or a range of them.
#[repr(C)]
struct FrameInterval {
    index: u32,
    pixel_format: u32,
    width: u32,
    height: u32,
    kind: u32,
    /// Discrete: seconds as a fraction. Else least, greatest and step.
    values: [u32; 6],
    reserved: [u32; 2],
}

/// `struct v4l2_format` with `struct v4l2_pix_format` in its union of 200 bytes, which is aligned
/// for pointers.
#[repr(C)]
struct FormatRequest {
    kind: u32,
    pixels: FormatUnion,
}

#[repr(C)]
union FormatUnion {
    pixels: PixelFormat,
    raw: [u8; 200],
    pointer: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct PixelFormat {
    width: u32,
    height: u32,
    pixel_format: u32,
    field: u32,
    bytes_per_line: u32,
    size_image: u32,
    colorspace: u32,
    private: u32,
    flags: u32,
    encoding: u32,
    quantization: u32,
    transfer: u32,
}

/// `struct v4l2_streamparm` with `struct v4l2_captureparm` in its union of 200 bytes.
#[repr(C)]
struct StreamParameters {
    kind: u32,
    capability: u32,
    mode: u32,
    interval: [u32; 2],
    rest: [u32; 46],
}

/// `struct v4l2_requestbuffers`.
#[repr(C)]
struct RequestBuffers {
    count: u32,
    kind: u32,
    memory: u32,
    capabilities: u32,
    flags: [u8; 4],
}

/// `struct v4l2_buffer`.
#[repr(C)]
struct Buffer {
    index: u32,
    kind: u32,
    bytes_used: u32,
    flags: u32,
    field: u32,
    timestamp: libc::timeval,
    timecode: [u32; 4],
    sequence: u32,
    memory: u32,
    /// The offset to map it at, in a union with a pointer.
    offset: usize,
    length: u32,
    reserved: [u32; 2],
}

/// A request's number, as the kernel's macros make them: direction (1 to the kernel, 2 from it),
/// size, `V`, number.
const fn request<T>(direction: u64, number: u64) -> u64 {
    direction << 30 | (size_of::<T>() as u64) << 16 | (b'V' as u64) << 8 | number
}

const QUERYCAP: u64 = request::<Capability>(2, 0);
const ENUM_FMT: u64 = request::<FormatDescription>(3, 2);
const S_FMT: u64 = request::<FormatRequest>(3, 5);
const REQBUFS: u64 = request::<RequestBuffers>(3, 8);
const QUERYBUF: u64 = request::<Buffer>(3, 9);
const QBUF: u64 = request::<Buffer>(3, 15);
const DQBUF: u64 = request::<Buffer>(3, 17);
const STREAMON: u64 = request::<u32>(1, 18);
const STREAMOFF: u64 = request::<u32>(1, 19);
const S_PARM: u64 = request::<StreamParameters>(3, 22);
const ENUM_FRAMESIZES: u64 = request::<FrameSize>(3, 74);
const ENUM_FRAMEINTERVALS: u64 = request::<FrameInterval>(3, 75);

/// Structures of integers and byte arrays: any bits are valid, all zeros among them.
trait Plain {}
impl Plain for Capability {}
impl Plain for FormatDescription {}
impl Plain for FrameSize {}
impl Plain for FrameInterval {}
impl Plain for FormatRequest {}
impl Plain for StreamParameters {}
impl Plain for RequestBuffers {}
impl Plain for Buffer {}
impl Plain for u32 {}

fn zeroed<T: Plain>() -> T {
    #[expect(
        unsafe_code,
        reason = "the kernel's structures have no other constructor"
    )]
    // SAFETY: `Plain` types are valid with all bits zero.
    unsafe {
        std::mem::zeroed()
    }
}

/// A part of the driver's memory, mapped into ours.
struct Mapping {
    start: *mut c_void,
    length: usize,
}

#[expect(unsafe_code, reason = "a pointer is not sent by itself")]
// SAFETY: the mapping is memory of the process, which any thread may read; it has one owner.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(file: &File, offset: usize, length: usize) -> io::Result<Self> {
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        #[expect(
            unsafe_code,
            reason = "buffers are shared with the driver by mapping them"
        )]
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory of ours;
        // the kernel checks file, offset and length.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start, length })
    }

    /// The bytes. The driver writes them only while the buffer is queued.
    fn bytes(&self) -> &[u8] {
        #[expect(unsafe_code, reason = "the mapping has no safe view")]
        // SAFETY: the mapping is `length` bytes, readable, and lives as long as `self`. A driver
        // that misbehaves may change them meanwhile: they are only ever read as plain bytes.
        unsafe {
            std::slice::from_raw_parts(self.start.cast(), self.length)
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the mapping has no safe end")]
        // SAFETY: the mapping was made with this start and length, and nothing borrows from it.
        let result = unsafe { libc::munmap(self.start, self.length) };
        if result != 0 {
            tracing::warn!("a camera's buffer could not be unmapped");
        }
    }
}

/// A camera's device file.
pub(super) struct KernelDriver {
    file: File,
    /// Whether it sends.
    streaming: bool,
    mappings: Vec<Mapping>,
}

impl KernelDriver {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        Ok(Self {
            file,
            streaming: false,
            mappings: Vec::new(),
        })
    }

    fn call<T: Plain>(&self, number: u64, argument: &mut T) -> io::Result<()> {
        loop {
            #[expect(unsafe_code, reason = "requests have no safe form")]
            // SAFETY: every request is used with the structure that its number names the size of
            // (`request`), and the kernel reads and writes that many bytes of it.
            let result = unsafe {
                libc::ioctl(
                    self.file.as_raw_fd(),
                    number as _,
                    std::ptr::from_mut(argument),
                )
            };
            if result >= 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// Asks for an entry of a list; `None` behind its end.
    fn entry<T: Plain>(&self, number: u64, argument: &mut T) -> io::Result<Option<()>> {
        match self.call(number, argument) {
            Ok(()) => Ok(Some(())),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn buffer(&self, index: u32) -> Buffer {
        Buffer {
            index,
            kind: CAPTURE,
            memory: MEMORY_MMAP,
            ..zeroed()
        }
    }
}

impl Driver for KernelDriver {
    fn camera(&self) -> io::Result<Option<String>> {
        let mut capability: Capability = zeroed();
        self.call(QUERYCAP, &mut capability)?;
        let has = if capability.capabilities & CAP_DEVICE_CAPS == 0 {
            capability.capabilities
        } else {
            capability.device_caps
        };
        let name = capability.card.split(|byte| *byte == 0).next();
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        let wanted = CAP_VIDEO_CAPTURE | CAP_STREAMING;
        Ok((has & wanted == wanted).then_some(name))
    }

    fn format(&self, index: u32) -> io::Result<Option<u32>> {
        let mut description = FormatDescription {
            index,
            kind: CAPTURE,
            ..zeroed()
        };
        let found = self.entry(ENUM_FMT, &mut description)?;
        Ok(found.map(|()| description.pixel_format))
    }

    fn sizes(&self, pixel_format: u32, index: u32) -> io::Result<Option<Sizes>> {
        let mut size = FrameSize {
            index,
            pixel_format,
            ..zeroed()
        };
        let found = self.entry(ENUM_FRAMESIZES, &mut size)?;
        let [a, b, _, c, d, _] = size.values;
        Ok(found.map(|()| {
            if size.kind == DISCRETE {
                Sizes::One([a, b])
            } else {
                Sizes::Range([a, c], [b, d])
            }
        }))
    }

    fn rates(&self, pixel_format: u32, size: [u32; 2], index: u32) -> io::Result<Option<Rates>> {
        let mut interval = FrameInterval {
            index,
            pixel_format,
            width: size[0],
            height: size[1],
            ..zeroed()
        };
        let found = self.entry(ENUM_FRAMEINTERVALS, &mut interval)?;
        // The shortest interval is the highest rate; of a range it comes first.
        let [seconds, parts, ..] = interval.values;
        Ok(found.map(|()| Rates {
            fps: f64::from(parts) / f64::from(seconds.max(1)),
            more: interval.kind == DISCRETE,
        }))
    }

    fn set_format(&mut self, pixel_format: u32, [width, height]: [u32; 2]) -> io::Result<Format> {
        let mut request: FormatRequest = zeroed();
        request.kind = CAPTURE;
        request.pixels.pixels = PixelFormat {
            width,
            height,
            pixel_format,
            field: FIELD_ANY,
            bytes_per_line: 0,
            size_image: 0,
            colorspace: 0,
            private: 0,
            flags: 0,
            encoding: 0,
            quantization: 0,
            transfer: 0,
        };
        self.call(S_FMT, &mut request)?;
        #[expect(unsafe_code, reason = "the kernel's structure is a union")]
        // SAFETY: all fields of the union are plain integers, of which any bits are valid.
        let got = unsafe { request.pixels.pixels };
        Ok(Format {
            pixel_format: got.pixel_format,
            size: [got.width, got.height],
            bytes_per_line: got.bytes_per_line,
        })
    }

    fn set_rate(&mut self, fps: f64) -> io::Result<()> {
        let mut parameters: StreamParameters = zeroed();
        parameters.kind = CAPTURE;
        parameters.interval = [1000, (fps.clamp(1.0, 1000.0) * 1000.0) as u32];
        self.call(S_PARM, &mut parameters)
    }

    fn start(&mut self, buffers: u32) -> io::Result<()> {
        let mut wanted = RequestBuffers {
            count: buffers,
            kind: CAPTURE,
            memory: MEMORY_MMAP,
            ..zeroed()
        };
        self.call(REQBUFS, &mut wanted)?;
        if wanted.count == 0 || wanted.count > 64 {
            return Err(io::Error::other("the driver offers no buffers"));
        }
        for index in 0..wanted.count {
            let mut buffer = self.buffer(index);
            self.call(QUERYBUF, &mut buffer)?;
            // In a union with a pointer the offset is its first four bytes.
            let offset = buffer.offset.to_ne_bytes();
            let offset = offset.first_chunk().map_or(0, |o| u32::from_ne_bytes(*o)) as usize;
            let mapping = Mapping::new(&self.file, offset, buffer.length as usize)?;
            self.mappings.push(mapping);
            self.requeue(index)?;
        }
        self.call(STREAMON, &mut { CAPTURE })?;
        self.streaming = true;
        Ok(())
    }

    fn wait(&mut self, timeout_millis: u32) -> io::Result<bool> {
        let mut poll = libc::pollfd {
            fd: self.file.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let timeout = i32::try_from(timeout_millis).unwrap_or(i32::MAX);
        #[expect(unsafe_code, reason = "waiting for a device file has no safe form")]
        // SAFETY: the pointer is to one `pollfd`, as the count says.
        let result = unsafe { libc::poll(&raw mut poll, 1, timeout) };
        if result < 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                return Ok(false);
            }
            return Err(error);
        }
        // An error is told by the next request.
        Ok(result > 0)
    }

    fn take(&mut self) -> io::Result<Option<Taken>> {
        let mut buffer = self.buffer(0);
        match self.call(DQBUF, &mut buffer) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        let stamp = buffer.timestamp;
        let stamp_secs = stamp.tv_sec as f64 + stamp.tv_usec as f64 * 1e-6;
        let monotonic = buffer.flags & FLAG_CLOCK == FLAG_MONOTONIC;
        Ok(Some(Taken {
            index: buffer.index,
            bytes: buffer.bytes_used as usize,
            age_secs: monotonic.then(|| monotonic_secs() - stamp_secs),
            sequence: buffer.sequence,
            damaged: buffer.flags & FLAG_ERROR != 0,
        }))
    }

    fn data(&self, index: u32) -> &[u8] {
        let mapping = self.mappings.get(index as usize);
        mapping.map_or(&[], Mapping::bytes)
    }

    fn requeue(&mut self, index: u32) -> io::Result<()> {
        self.call(QBUF, &mut self.buffer(index))
    }
}

impl Drop for KernelDriver {
    fn drop(&mut self) {
        if self.streaming && self.call(STREAMOFF, &mut { CAPTURE }).is_err() {
            // One that was unplugged can't be stopped.
            tracing::debug!("a camera could not be stopped");
        }
    }
}

/// The clock of drivers' time stamps.
fn monotonic_secs() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    #[expect(unsafe_code, reason = "the standard library hides this clock's value")]
    // SAFETY: the pointer is to a `timespec`, which the call fills in.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    if result != 0 {
        return 0.0;
    }
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the kernel's header, for 64 bits.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn requests_have_the_kernels_numbers() {
        let got = [
            QUERYCAP,
            ENUM_FMT,
            S_FMT,
            REQBUFS,
            QUERYBUF,
            QBUF,
            DQBUF,
            STREAMON,
            STREAMOFF,
            S_PARM,
            ENUM_FRAMESIZES,
            ENUM_FRAMEINTERVALS,
        ];
        let expected = [
            0x8068_5600,
            0xc040_5602,
            0xc0d0_5605,
            0xc014_5608,
            0xc058_5609,
            0xc058_560f,
            0xc058_5611,
            0x4004_5612,
            0x4004_5613,
            0xc0cc_5616,
            0xc02c_564a,
            0xc034_564b,
        ];
        assert_eq!(
            got.map(|number| format!("{number:x}")),
            expected.map(|n: u64| format!("{n:x}"))
        );
    }

    #[test]
    fn a_file_that_is_no_camera_says_so() {
        let mut driver = KernelDriver::open(Path::new("/dev/null")).expect("it opens");
        for error in [
            driver.camera().map(|_| ()),
            driver.set_format(0, [640, 480]).map(|_| ()),
            driver.start(4),
            driver.take().map(|_| ()),
        ] {
            let error = error.expect_err("it has no such requests");
            assert_eq!(error.raw_os_error(), Some(libc::ENOTTY), "{error}");
        }
        assert!(driver.data(3).is_empty());
    }

    #[test]
    fn the_clock_of_stamps_goes_on() {
        let first = monotonic_secs();
        assert!(first > 0.0 && monotonic_secs() >= first);
    }
}
