//! Serial ports: a seam that carries bytes, names that find a port again, and what is there.
//!
//! A port is named by its path (`/dev/ttyACM0`, `COM5`, a link) or by the serial number of its USB
//! device (`usb:58FA0812`), which stays when the path changes. Errors say what to do about them.
//!
//! Not here: what the bytes mean (`codec`), when they are sent (`bus`), threads (`line`).

use std::fmt;
use std::io;
use std::time::Duration;

#[cfg(any(test, target_family = "wasm"))]
mod batch;
#[cfg(any(test, target_family = "wasm"))]
mod book;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
pub mod web;

#[cfg(not(target_family = "wasm"))]
pub use native::{NativePort, identify, list, locate, open, recognize};

/// Bytes to a bus and back.
pub trait SerialIo: Send {
    /// Sends all bytes, or hands them to the system.
    ///
    /// # Errors
    /// When the port is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits at most `timeout` for bytes and answers how many came: what is there at once, without
    /// waiting for more. 0 when the time is over.
    ///
    /// # Errors
    /// When the port is gone.
    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize>;
}

impl<T: SerialIo + ?Sized> SerialIo for Box<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        (**self).write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], timeout: Duration) -> io::Result<usize> {
        (**self).read(buffer, timeout)
    }
}

/// What names a port: a path, or `usb:` and the serial number of the USB device.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PortName(String);

impl PortName {
    /// What was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The serial number, where the name is one.
    #[must_use]
    pub fn usb_serial(&self) -> Option<&str> {
        self.0.strip_prefix("usb:")
    }
}

impl From<&str> for PortName {
    fn from(name: &str) -> Self {
        Self(name.trim().to_owned())
    }
}

impl From<String> for PortName {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl fmt::Display for PortName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A USB device that can be told from others of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UsbIdentity {
    /// Vendor id.
    pub vendor: u16,
    /// Product id.
    pub product: u16,
    /// The device's own number.
    pub serial: String,
}

/// Makers of the chips in servo adapters, by their USB vendor id.
const ADAPTER_VENDORS: [(u16, &str); 3] = [
    // CH340, CH343, CH9102: the boards of Waveshare, Seeed and Feetech.
    (0x1A86, "WCH"),
    // CP210x.
    (0x10C4, "Silicon Labs"),
    // FT232.
    (0x0403, "FTDI"),
];

/// Who made the chip of what may be a servo adapter; `None` if nobody is known to make such with
/// this USB vendor id.
#[must_use]
pub fn adapter_maker(vendor: u16) -> Option<&'static str> {
    ADAPTER_VENDORS
        .iter()
        .find(|(known, _)| *known == vendor)
        .map(|(_, maker)| *maker)
}

/// Why a port can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// There is no such port.
    #[error("there is no port {port}: plug the arm's USB cable in; {}", there(.available))]
    NotFound {
        /// What was asked for.
        port: String,
        /// Names of the ports that are there.
        available: Vec<String>,
    },
    /// The user may not open it.
    #[error("no permission to open {port}: {}", permission_advice(.group.as_deref()))]
    Permission {
        /// What was asked for.
        port: String,
        /// The group that may, where the system has such.
        group: Option<String>,
    },
    /// Another program has it.
    #[error(
        "{port} is in use by {}: end it, then try again",
        .holder.as_deref().unwrap_or("another program (LeRobot, a serial monitor, another Forearm)")
    )]
    Busy {
        /// What was asked for.
        port: String,
        /// Who has it, where that can be found out.
        holder: Option<String>,
    },
    /// It is something else.
    #[error("{port} is not a serial port ({why}); {}", there(.available))]
    NotSerial {
        /// What was asked for.
        port: String,
        /// The system's words.
        why: String,
        /// Names of the ports that are there.
        available: Vec<String>,
    },
    /// Anything else.
    #[error("{port} can't be opened at {baud} baud: {why}; unplug it and plug it in again")]
    Other {
        /// What was asked for.
        port: String,
        /// Bits a second that were asked for.
        baud: u32,
        /// The system's words.
        why: String,
    },
}

fn there(available: &[String]) -> String {
    if available.is_empty() {
        "no serial port is there at all".to_owned()
    } else {
        format!("there: {}", available.join(", "))
    }
}

fn permission_advice(group: Option<&str>) -> String {
    match group {
        Some("root") | None => {
            "allow it with a udev rule (SUBSYSTEM==\"tty\", MODE=\"0666\") or, for now, with \
             `sudo chmod 666` and the port's name"
                .to_owned()
        }
        Some(group) => format!(
            "the group {group} may; join it with `sudo usermod -aG {group} $USER`, then log out and \
             in again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are() {
        assert_eq!(PortName::from(" /dev/ttyACM0 ").as_str(), "/dev/ttyACM0");
        assert_eq!(PortName::from("/dev/ttyACM0").usb_serial(), None);
        assert_eq!(PortName::from("usb:58FA").usb_serial(), Some("58FA"));
    }

    #[test]
    fn errors_say_what_to_do() {
        let port = || "/dev/ttyACM0".to_owned();
        let dialout = PortError::Permission {
            port: port(),
            group: Some("dialout".to_owned()),
        };
        assert!(dialout.to_string().contains("usermod -aG dialout"));
        let root = PortError::Permission {
            port: port(),
            group: None,
        };
        assert!(root.to_string().contains("udev"));
        let missing = PortError::NotFound {
            port: port(),
            available: vec!["/dev/ttyUSB0".to_owned()],
        };
        assert!(missing.to_string().ends_with("there: /dev/ttyUSB0"));
        let busy = PortError::Busy {
            port: port(),
            holder: Some("python3 (process 12)".to_owned()),
        };
        assert!(busy.to_string().contains("python3"));
    }

    #[test]
    fn adapters_are_known_by_their_vendor() {
        assert_eq!(adapter_maker(0x1A86), Some("WCH"));
        assert_eq!(adapter_maker(0x046D), None);
    }
}
