//! A pseudo-terminal, seen from its inner end: what programs write and read at the outer one.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest name of a terminal.
const NAME: usize = 128;

/// The inner end. Programs that have the outer end open see a hang-up when this is dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    inner: File,
    device: PathBuf,
}

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// Time is over.
    Nothing,
    /// There are bytes to read.
    Bytes,
    /// No program has the port open.
    Nobody,
}

impl Terminal {
    pub(super) fn open() -> io::Result<Self> {
        // SAFETY: takes a number and touches no memory of ours.
        #[expect(unsafe_code, reason = "the standard library has no pseudo-terminals")]
        let fd = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY | OPEN_FLAGS) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made just now and belongs to nobody else.
        #[expect(unsafe_code, reason = "a raw descriptor gets its owner")]
        let inner = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: each takes the number of a descriptor that lives until the end of this function,
        // and touches no memory of ours.
        #[expect(unsafe_code, reason = "the standard library has no pseudo-terminals")]
        let allowed = unsafe {
            libc::grantpt(fd) == 0
                && libc::unlockpt(fd) == 0
                && libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) == 0
                && libc::fcntl(fd, libc::F_SETFL, libc::O_RDWR | libc::O_NONBLOCK) == 0
        };
        if !allowed {
            return Err(io::Error::last_os_error());
        }
        let device = name_of(fd)?;
        // Only after the outer end was open once does the system say that nobody has it open.
        drop(
            File::options()
                .read(true)
                .write(true)
                .custom_flags(libc::O_NOCTTY)
                .open(&device)?,
        );
        Ok(Self {
            device,
            inner: File::from(inner),
        })
    }

    /// What programs open.
    pub(super) fn device(&self) -> &Path {
        &self.device
    }

    /// Reads what programs wrote; 0 if there is nothing, or nobody.
    pub(super) fn read(&mut self, into: &mut [u8]) -> usize {
        loop {
            match self.inner.read(into) {
                Ok(read) => return read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nothing there, or nobody at the other end (an IO error).
                Err(_) => return 0,
            }
        }
    }

    /// Writes what programs read. What does not fit, because nobody reads, is lost, as in an
    /// adapter.
    pub(super) fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.inner.write(bytes) {
                Ok(0) => return,
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    /// Waits until a program writes, at most this long.
    pub(super) fn wait(&self, longest: Duration) -> Waited {
        let mut events = libc::pollfd {
            fd: self.inner.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        poll(std::slice::from_mut(&mut events), longest);
        if events.revents & libc::POLLIN != 0 {
            Waited::Bytes
        } else if events.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0 {
            Waited::Nobody
        } else {
            Waited::Nothing
        }
    }

    /// The baud rate that the program set; `None` where the system does not tell.
    #[cfg(target_os = "linux")]
    pub(super) fn baud(&self) -> Option<u32> {
        let mut settings = std::mem::MaybeUninit::<libc::termios2>::zeroed();
        // SAFETY: the kernel fills exactly this structure. Asked at the inner end, it tells the
        // settings of the outer one.
        #[expect(unsafe_code, reason = "the standard library knows no terminals")]
        let settings = unsafe {
            let result = libc::ioctl(self.inner.as_raw_fd(), libc::TCGETS2, settings.as_mut_ptr());
            if result != 0 {
                return None;
            }
            settings.assume_init()
        };
        Some(settings.c_ospeed).filter(|baud| *baud > 0)
    }

    /// The baud rate that the program set; `None` where the system does not tell.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn baud(&self) -> Option<u32> {
        None
    }
}

/// Waits without a terminal.
pub(super) fn wait(longest: Duration) {
    poll(&mut [], longest);
}

#[cfg(target_os = "linux")]
const OPEN_FLAGS: libc::c_int = libc::O_CLOEXEC | libc::O_NONBLOCK;
#[cfg(not(target_os = "linux"))]
const OPEN_FLAGS: libc::c_int = 0;

/// Waits for events, to the nanosecond.
#[cfg(target_os = "linux")]
fn poll(events: &mut [libc::pollfd], longest: Duration) {
    let time = libc::timespec {
        tv_sec: longest.as_secs().min(i32::MAX as u64) as libc::time_t,
        tv_nsec: longest.subsec_nanos().into(),
    };
    // SAFETY: the kernel reads the time and fills as many events as there are; no signal mask.
    #[expect(unsafe_code, reason = "the call has no safe form")]
    let _events = unsafe {
        libc::ppoll(
            events.as_mut_ptr(),
            events.len() as libc::nfds_t,
            &raw const time,
            std::ptr::null(),
        )
    };
}

/// Waits for events, to the millisecond.
#[cfg(not(target_os = "linux"))]
fn poll(events: &mut [libc::pollfd], longest: Duration) {
    let millis = longest.as_micros().div_ceil(1000).min(1000) as libc::c_int;
    // SAFETY: the kernel fills as many events as there are.
    #[expect(unsafe_code, reason = "the call has no safe form")]
    let _events = unsafe { libc::poll(events.as_mut_ptr(), events.len() as libc::nfds_t, millis) };
}

#[cfg(target_os = "linux")]
fn name_of(fd: libc::c_int) -> io::Result<PathBuf> {
    let mut name = [0; NAME];
    // SAFETY: the function writes at most as many bytes as the array has.
    #[expect(unsafe_code, reason = "the standard library has no pseudo-terminals")]
    let result = unsafe { libc::ptsname_r(fd, name.as_mut_ptr(), name.len()) };
    if result != 0 {
        return Err(io::Error::from_raw_os_error(result));
    }
    // SAFETY: the function succeeded, so a zero is in the array.
    #[expect(unsafe_code, reason = "a name from C")]
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    Ok(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

#[cfg(not(target_os = "linux"))]
fn name_of(fd: libc::c_int) -> io::Result<PathBuf> {
    /// The system has one buffer for all names.
    static BUFFER: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = BUFFER
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: the function takes a number; its buffer is ours while the lock is held.
    #[expect(unsafe_code, reason = "the standard library has no pseudo-terminals")]
    let name = unsafe { libc::ptsname(fd) };
    if name.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: not null, so a name that ends with a zero; copied before the lock is given back.
    #[expect(unsafe_code, reason = "a name from C")]
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    Ok(PathBuf::from(OsStr::from_bytes(
        &bytes[..bytes.len().min(NAME)],
    )))
}
