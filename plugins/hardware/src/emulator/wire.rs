//! How long it takes to say something on the bus.

/// Bits on the wire for a byte: a start bit, eight of data, a stop bit.
const BITS_PER_BYTE: f64 = 10.0;

/// What stands between a program and the servos.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wire {
    /// From the program's write to the first bit on the wire, in seconds.
    pub to_bus_secs: f64,
    /// From a reply's last bit on the wire to the program that reads it, in seconds: the USB
    /// adapter and the operating system. About a millisecond on real ones.
    pub from_bus_secs: f64,
    /// From a servo's understanding a request to its reply, in seconds, beside its register
    /// `Return_Delay_Time`.
    pub turnaround_secs: f64,
    /// Bytes take the time that the baud rate says. Without it the wire takes no time.
    pub takes_time: bool,
}

impl Default for Wire {
    /// A USB adapter as it is.
    fn default() -> Self {
        Self {
            to_bus_secs: 0.0,
            from_bus_secs: 1e-3,
            turnaround_secs: 20e-6,
            takes_time: true,
        }
    }
}

impl Wire {
    /// Nothing takes any time.
    pub const INSTANT: Self = Self {
        to_bus_secs: 0.0,
        from_bus_secs: 0.0,
        turnaround_secs: 0.0,
        takes_time: false,
    };

    /// Seconds that this many bytes are on the wire.
    #[must_use]
    pub fn seconds(&self, bytes: usize, baud: u32) -> f64 {
        if self.takes_time {
            bytes as f64 * BITS_PER_BYTE / f64::from(baud.max(1))
        } else {
            0.0
        }
    }
}
