//! The system's serial ports.
//!
//! A port is opened 8N1 for this program alone. Where the system has a flag that hands bytes over as
//! they come it is set, where it refuses it is done without. Pseudo-terminals work too.

#[cfg(target_os = "linux")]
mod linux;

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use forearm_protocol::servo::PortInfo;
use serialport::{ClearBuffer, DataBits, FlowControl, Parity, SerialPort as _, SerialPortType};
use serialport::{ErrorKind, StopBits};

use super::{PortError, PortName, SerialIo, UsbIdentity, adapter_maker};

#[cfg(unix)]
type Inner = serialport::TTYPort;
#[cfg(windows)]
type Inner = serialport::COMPort;

/// How long a port may refuse bytes before it counts as gone. At the slowest baud rate the longest
/// packet takes 0.13 s.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);

/// An open port; closed when dropped.
#[derive(Debug)]
pub struct NativePort {
    port: Inner,
}

impl SerialIo for NativePort {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(WRITE_TIMEOUT)?;
        self.port.write_all(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        use io::ErrorKind::{Interrupted, TimedOut, UnexpectedEof, WouldBlock};
        self.port.set_timeout(timeout)?;
        match self.port.read(buffer) {
            // Readable and empty: nobody is at the other end any more.
            Ok(0) if cfg!(unix) => Err(io::Error::new(UnexpectedEof, "the port is gone")),
            Err(error) if matches!(error.kind(), TimedOut | Interrupted | WouldBlock) => Ok(0),
            other => other,
        }
    }
}

/// Opens the port of this path.
///
/// # Errors
/// [`PortError`], which says what to do.
pub fn open(path: &str, baud: u32) -> Result<NativePort, PortError> {
    let builder = serialport::new(path, baud)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .timeout(WRITE_TIMEOUT);
    let port = builder
        .open_native()
        .map_err(|error| explained(path, baud, &error))?;
    #[cfg(target_os = "linux")]
    linux::ask_for_low_latency(&port, path);
    // What came before is nobody's answer.
    if let Err(error) = port.clear(ClearBuffer::All) {
        tracing::debug!("{path} keeps what came before it was opened: {error}");
    }
    Ok(NativePort { port })
}

fn explained(path: &str, baud: u32, error: &serialport::Error) -> PortError {
    let port = path.to_owned();
    let available = || list().into_iter().map(|port| port.name).collect();
    let why = || error.description.clone();
    match error.kind() {
        ErrorKind::Io(io::ErrorKind::NotFound) => PortError::NotFound {
            port,
            available: available(),
        },
        ErrorKind::Io(io::ErrorKind::PermissionDenied) if cfg!(unix) => PortError::Permission {
            group: group_of(path),
            port,
        },
        // Windows says that the access is denied.
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => PortError::Busy { port, holder: None },
        ErrorKind::NoDevice if cfg!(unix) && Path::new(path).exists() => PortError::Busy {
            holder: holder_of(path),
            port,
        },
        ErrorKind::NoDevice => PortError::NotFound {
            port,
            available: available(),
        },
        _ if not_a_terminal(error) => PortError::NotSerial {
            port,
            why: why(),
            available: available(),
        },
        _ => PortError::Other {
            port,
            baud,
            why: why(),
        },
    }
}

/// The library has no kind for it; these are the system's words for `ENOTTY`.
fn not_a_terminal(error: &serialport::Error) -> bool {
    cfg!(unix)
        && ["ioctl", "Not a typewriter"]
            .iter()
            .any(|words| error.description.contains(words))
}

#[cfg(target_os = "linux")]
use linux::{group_of, holder_of};

#[cfg(not(target_os = "linux"))]
fn group_of(_path: &str) -> Option<String> {
    None
}

#[cfg(not(target_os = "linux"))]
fn holder_of(_path: &str) -> Option<String> {
    None
}

/// The ports that are there, likely servo adapters first, then by name.
#[must_use]
pub fn list() -> Vec<PortInfo> {
    // Without this folder the library would panic.
    if cfg!(target_os = "linux") && !Path::new("/sys/class/tty").is_dir() {
        return Vec::new();
    }
    let found = serialport::available_ports().unwrap_or_else(|error| {
        tracing::warn!("the system does not list its serial ports: {error}");
        Vec::new()
    });
    let mut ports: Vec<_> = found
        .into_iter()
        .filter(|port| has_hardware(&port.port_name))
        .map(|port| match port.port_type {
            SerialPortType::UsbPort(usb) => PortInfo {
                name: port.port_name,
                product: usb.product.or(usb.manufacturer),
                usb: Some((usb.vid, usb.pid)),
                serial_number: usb.serial_number.filter(|number| !number.is_empty()),
                likely_arm: adapter_maker(usb.vid).is_some(),
            },
            _ => PortInfo {
                name: port.port_name,
                ..PortInfo::default()
            },
        })
        .collect();
    ports.sort_by(|a, b| (!a.likely_arm, &a.name).cmp(&(!b.likely_arm, &b.name)));
    ports
}

/// Linux has names for dozens of serial ports that no board has.
fn has_hardware(name: &str) -> bool {
    let Some(device) = name.strip_prefix("/dev/") else {
        return true;
    };
    let kind = std::fs::read_to_string(format!("/sys/class/tty/{device}/type"));
    kind.map_or(true, |kind| kind.trim() != "0")
}

/// What the USB device behind a path is, if it has a serial number.
#[must_use]
pub fn identify(path: &str) -> Option<UsbIdentity> {
    let path = real_path(path);
    let port = list().into_iter().find(|port| port.name == path)?;
    let (vendor, product) = port.usb?;
    Some(UsbIdentity {
        vendor,
        product,
        serial: port.serial_number?,
    })
}

/// The path that leads to the port now. A device that was seen before is looked for first, then what
/// the name says, unless another device is there.
///
/// # Errors
/// [`PortError::NotFound`] for a serial number that no port has, and for a path at which another
/// device is than the one that was seen. Any other path is not looked at.
pub fn locate(name: &PortName, seen: Option<&UsbIdentity>) -> Result<String, PortError> {
    if seen.is_none() && name.usb_serial().is_none() {
        return Ok(name.as_str().to_owned());
    }
    let ports = list();
    let real = real_path(name.as_str());
    chosen(name, &real, seen, &ports).ok_or_else(|| missing(name, seen, &ports))
}

/// Which of the ports it is, or the name's path. `real` is where that leads.
fn chosen(
    name: &PortName,
    real: &str,
    seen: Option<&UsbIdentity>,
    ports: &[PortInfo],
) -> Option<String> {
    let is_it = |port: &&PortInfo| {
        let serial = port.serial_number.as_deref();
        match seen {
            Some(usb) => {
                port.usb == Some((usb.vendor, usb.product)) && serial == Some(usb.serial.as_str())
            }
            None => serial.is_some() && serial == name.usb_serial(),
        }
    };
    // Cheap chips share one number: then the one at the old place is it.
    let found = ports.iter().filter(is_it);
    if let Some(port) = found.max_by_key(|port| port.name == real) {
        return Some(port.name.clone());
    }
    let there = ports.iter().find(|port| port.name == real);
    let there = there.and_then(|port| port.serial_number.as_deref());
    // The leader's adapter may have the path now that was the follower's.
    let is_other =
        |usb: &UsbIdentity| there.is_some_and(|serial| !serial.is_empty() && serial != usb.serial);
    let leads_there = name.usb_serial().is_none() && !seen.is_some_and(is_other);
    leads_there.then(|| name.as_str().to_owned())
}

/// Takes note of the device behind a path that was opened, unless one is known: that stays.
///
/// # Errors
/// [`PortError::NotFound`] if it is another device than the one that was seen.
pub fn recognize(
    name: &PortName,
    path: &str,
    seen: &mut Option<UsbIdentity>,
) -> Result<(), PortError> {
    if is_same(seen, identify(path)) {
        Ok(())
    } else {
        Err(missing(name, seen.as_ref(), &list()))
    }
}

/// Whether it may be the device that was seen. The first that can be told from others is kept.
fn is_same(seen: &mut Option<UsbIdentity>, there: Option<UsbIdentity>) -> bool {
    match (seen.as_ref(), there) {
        (Some(seen), Some(there)) => seen.serial == there.serial,
        (Some(_), None) => true,
        (None, there) => {
            *seen = there;
            true
        }
    }
}

fn missing(name: &PortName, seen: Option<&UsbIdentity>, ports: &[PortInfo]) -> PortError {
    let port = match seen {
        Some(usb) if name.usb_serial().is_none() => format!("{name} (usb:{})", usb.serial),
        _ => name.to_string(),
    };
    PortError::NotFound {
        port,
        available: ports.iter().map(shown).collect(),
    }
}

fn shown(port: &PortInfo) -> String {
    match &port.serial_number {
        Some(number) => format!("{} (usb:{number})", port.name),
        None => port.name.clone(),
    }
}

/// Where a link leads.
fn real_path(path: &str) -> String {
    std::fs::canonicalize(path).map_or_else(
        |_| path.to_owned(),
        |real| real.to_string_lossy().into_owned(),
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let error = open("/dev/ttyForearm", 1_000_000).unwrap_err();
        assert!(matches!(error, PortError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("/dev/ttyForearm"));
    }

    #[test]
    fn what_is_no_port_is_refused() {
        let error = open("/dev/null", 1_000_000).unwrap_err();
        assert!(matches!(error, PortError::NotSerial { .. }), "{error:?}");
    }

    #[test]
    fn a_port_in_use_is_busy_and_says_by_whom() {
        use std::os::fd::AsRawFd as _;
        let (master, slave) = Inner::pair().unwrap();
        assert!(master.as_raw_fd() >= 0);
        let path = slave.name().unwrap();
        drop(slave);
        let first = open(&path, 1_000_000).unwrap();
        let error = open(&path, 1_000_000).unwrap_err();
        assert!(matches!(error, PortError::Busy { .. }), "{error:?}");
        if cfg!(target_os = "linux") {
            let pid = std::process::id().to_string();
            assert!(error.to_string().contains(&pid), "{error}");
        }
        drop(first);
        assert!(open(&path, 1_000_000).is_ok(), "closed again");
    }

    #[test]
    fn bytes_travel_and_an_end_is_seen() {
        let (mut master, slave) = Inner::pair().unwrap();
        let path = slave.name().unwrap();
        drop(slave);
        let mut port = open(&path, 1_000_000).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(port.read(&mut buffer, Duration::ZERO).unwrap(), 0);
        port.write(&[0xFF, 0x0D, 0x11, 0x0A]).unwrap();
        master.set_timeout(Duration::from_secs(1)).unwrap();
        master.read_exact(&mut buffer[..4]).unwrap();
        assert_eq!(buffer[..4], [0xFF, 0x0D, 0x11, 0x0A], "raw, as sent");
        master.write_all(&[1, 2, 3]).unwrap();
        let got = port.read(&mut buffer, Duration::from_secs(1)).unwrap();
        assert_eq!(buffer[..got], [1, 2, 3]);
        drop(master);
        assert!(port.read(&mut buffer, Duration::from_secs(1)).is_err());
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_a_number_is_looked_for() {
        assert_eq!(locate(&"/dev/x".into(), None).unwrap(), "/dev/x");
        let error = locate(&"usb:no such".into(), None).unwrap_err();
        assert!(matches!(error, PortError::NotFound { .. }));
        let gone = UsbIdentity {
            vendor: 1,
            product: 2,
            serial: "x".to_owned(),
        };
        assert_eq!(locate(&"/dev/x".into(), Some(&gone)).unwrap(), "/dev/x");
    }

    fn usb(serial: &str) -> UsbIdentity {
        UsbIdentity {
            vendor: 0x1A86,
            product: 0x55D3,
            serial: serial.to_owned(),
        }
    }

    fn port(name: &str, serial: Option<&str>) -> PortInfo {
        PortInfo {
            name: name.to_owned(),
            usb: Some((0x1A86, 0x55D3)),
            serial_number: serial.map(str::to_owned),
            ..PortInfo::default()
        }
    }

    #[test]
    fn another_device_at_the_old_path_is_not_taken() {
        let name = PortName::from("/dev/arm");
        let follower = usb("follower");
        let choose = |ports: &[PortInfo]| chosen(&name, "/dev/ttyACM0", Some(&follower), ports);
        let leader = port("/dev/ttyACM0", Some("leader"));
        assert_eq!(choose(std::slice::from_ref(&leader)), None);
        let moved = port("/dev/ttyACM2", Some("follower"));
        let both = [leader.clone(), moved];
        assert_eq!(choose(&both).as_deref(), Some("/dev/ttyACM2"));
        let old_path = Some("/dev/arm");
        let numberless = [port("/dev/ttyACM0", None)];
        assert_eq!(choose(&numberless).as_deref(), old_path);
        let elsewhere = [port("/dev/ttyACM1", Some("leader"))];
        assert_eq!(choose(&elsewhere).as_deref(), old_path, "open tells");
        let other_make = PortInfo {
            usb: Some((0x0403, 0x6001)),
            ..port("/dev/ttyACM0", Some("follower"))
        };
        assert_eq!(choose(&[other_make]).as_deref(), old_path);
        let error = missing(&name, Some(&follower), &[leader]).to_string();
        assert!(error.contains("/dev/arm (usb:follower)"), "{error}");
        assert!(error.contains("/dev/ttyACM0 (usb:leader)"), "{error}");
    }

    #[test]
    fn a_serial_number_is_never_taken_for_a_path() {
        let name = PortName::from("usb:follower");
        let ports = [
            port("/dev/ttyACM0", Some("leader")),
            port("/dev/ttyACM1", None),
        ];
        assert_eq!(chosen(&name, "usb:follower", None, &ports), None);
        let follower = usb("follower");
        assert_eq!(chosen(&name, "usb:follower", Some(&follower), &ports), None);
    }

    #[test]
    fn what_was_seen_first_stays() {
        let mut seen = None;
        assert!(is_same(&mut seen, None));
        assert!(is_same(&mut seen, Some(usb("follower"))));
        assert!(!is_same(&mut seen, Some(usb("leader"))));
        assert!(is_same(&mut seen, None));
        assert!(is_same(&mut seen, Some(usb("follower"))));
        assert_eq!(seen, Some(usb("follower")));
    }
}
