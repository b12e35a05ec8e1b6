//! What only Linux tells about a serial port: who has it, who may have it, and its latency flag.

use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The kernel's `struct serial_struct` (`linux/serial.h`).
#[repr(C)]
struct SerialStruct {
    kind: libc::c_int,
    line: libc::c_int,
    port: libc::c_uint,
    irq: libc::c_int,
    flags: libc::c_int,
    xmit_fifo_size: libc::c_int,
    custom_divisor: libc::c_int,
    baud_base: libc::c_int,
    close_delay: libc::c_ushort,
    io_type: libc::c_char,
    reserved_char: libc::c_char,
    hub6: libc::c_int,
    closing_wait: libc::c_ushort,
    closing_wait2: libc::c_ushort,
    iomem_base: usize,
    iomem_reg_shift: libc::c_ushort,
    port_high: libc::c_uint,
    iomap_base: libc::c_ulong,
}

/// `ASYNC_LOW_LATENCY`.
const LOW_LATENCY: libc::c_int = 1 << 13;

/// Asks the driver to hand bytes over as they come: FTDI's waits 16 ms otherwise. Drivers without
/// the flag refuse or ignore it.
pub(super) fn ask_for_low_latency(port: &impl AsRawFd, path: &str) {
    let fd = port.as_raw_fd();
    let mut settings = SerialStruct {
        kind: 0,
        line: 0,
        port: 0,
        irq: 0,
        flags: 0,
        xmit_fifo_size: 0,
        custom_divisor: 0,
        baud_base: 0,
        close_delay: 0,
        io_type: 0,
        reserved_char: 0,
        hub6: 0,
        closing_wait: 0,
        closing_wait2: 0,
        iomem_base: 0,
        iomem_reg_shift: 0,
        port_high: 0,
        iomap_base: 0,
    };
    // SAFETY: the kernel writes one `serial_struct` to the pointer, which points to one, and keeps
    // no reference to it; `fd` is open as long as `port` is borrowed.
    #[expect(unsafe_code, reason = "no crate offers the flag without libudev")]
    let read = unsafe { libc::ioctl(fd, libc::TIOCGSERIAL, std::ptr::from_mut(&mut settings)) };
    if read != 0 {
        tracing::debug!("{path} has no latency flag");
        return;
    }
    settings.flags |= LOW_LATENCY;
    // SAFETY: as above; the kernel reads what it wrote before, with one flag added.
    #[expect(unsafe_code, reason = "no crate offers the flag without libudev")]
    let written = unsafe { libc::ioctl(fd, libc::TIOCSSERIAL, std::ptr::from_ref(&settings)) };
    if written != 0 {
        tracing::debug!("{path} keeps its latency");
    }
}

/// The group that may use the device, by name.
pub(super) fn group_of(path: &str) -> Option<String> {
    let id = std::fs::metadata(path).ok()?.gid().to_string();
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        // name:password:id:members
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

/// The program that has the device open, as far as this user may see it.
pub(super) fn holder_of(path: &str) -> Option<String> {
    let device = std::fs::canonicalize(path).ok()?;
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let holder = processes.into_iter().find(|process| {
        // `self` is there too.
        if process
            .file_name()
            .to_string_lossy()
            .parse::<u32>()
            .is_err()
        {
            return false;
        }
        let files = std::fs::read_dir(process.path().join("fd"));
        files.is_ok_and(|files| {
            files
                .flatten()
                .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| to == device))
        })
    })?;
    let id = holder.file_name().to_string_lossy().into_owned();
    let name = std::fs::read_to_string(Path::new("/proc").join(&id).join("comm")).ok()?;
    Some(format!("{} (process {id})", name.trim()))
}
