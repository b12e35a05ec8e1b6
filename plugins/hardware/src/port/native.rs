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
/// the name says.
///
/// # Errors
/// [`PortError::NotFound`] for a serial number that no port has. A path is not looked at.
pub fn locate(name: &PortName, seen: Option<&UsbIdentity>) -> Result<String, PortError> {
    if seen.is_none() && name.usb_serial().is_none() {
        return Ok(name.as_str().to_owned());
    }
    let ports = list();
    let real = real_path(name.as_str());
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
    let best = found.max_by_key(|port| port.name == real);
    match best {
        Some(port) => Ok(port.name.clone()),
        None if name.usb_serial().is_none() => Ok(name.as_str().to_owned()),
        None => Err(PortError::NotFound {
            port: name.as_str().to_owned(),
            available: ports.into_iter().map(|port| shown(&port)).collect(),
        }),
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
}
