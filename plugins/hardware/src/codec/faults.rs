//! The status byte of a reply as typed faults.
//!
//! Bits after `feetech-servo-sdk` 1.0.0 (`ERRBIT_*`). The same bits stand in the registers `Status`,
//! `Unloading_Condition` and `LED_Alarm_Condition`.

use std::fmt;

/// One thing that a servo reports to be wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ServoFault {
    /// The supply is outside of the servo's voltage limits.
    Voltage = 0x01,
    /// The encoder can't be read.
    Angle = 0x02,
    /// The servo is hotter than its limit.
    Overheat = 0x04,
    /// The current was above its limit for too long.
    Overcurrent = 0x08,
    /// The load was above its limit for too long.
    Overload = 0x20,
}

impl ServoFault {
    /// Every fault, from the lowest bit.
    pub const ALL: [Self; 5] = [
        Self::Voltage,
        Self::Angle,
        Self::Overheat,
        Self::Overcurrent,
        Self::Overload,
    ];

    /// The fault's bit in a status byte.
    #[must_use]
    pub const fn bit(self) -> u8 {
        self as u8
    }

    /// The fault in one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voltage => "voltage",
            Self::Angle => "encoder",
            Self::Overheat => "overheat",
            Self::Overcurrent => "overcurrent",
            Self::Overload => "overload",
        }
    }
}

impl fmt::Display for ServoFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Voltage => {
                "voltage: the supply is outside of the servo's limits; check the power supply and \
                 its plug"
            }
            Self::Angle => {
                "encoder: the servo can't read its angle; switch the power off and on, and replace \
                 the servo if that does not help"
            }
            Self::Overheat => {
                "overheat: the servo is hotter than its limit and lets go; let it cool down, then \
                 switch torque on again"
            }
            Self::Overcurrent => {
                "overcurrent: the servo took too much current for too long; free the joint, then \
                 switch torque on again"
            }
            Self::Overload => {
                "overload: the joint was blocked for too long and the servo holds with little \
                 force; free the joint, then switch torque on again"
            }
        })
    }
}

/// The status byte of a reply: a set of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusBits(pub u8);

impl StatusBits {
    /// Nothing is wrong.
    pub const OK: Self = Self(0);

    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether this fault is reported.
    #[must_use]
    pub const fn contains(self, fault: ServoFault) -> bool {
        self.0 & fault.bit() != 0
    }

    /// The same status with this fault reported too.
    #[must_use]
    pub const fn with(self, fault: ServoFault) -> Self {
        Self(self.0 | fault.bit())
    }

    /// The reported faults, from the lowest bit. Bits without a meaning are left out.
    pub fn iter(self) -> impl Iterator<Item = ServoFault> {
        ServoFault::ALL
            .into_iter()
            .filter(move |fault| self.contains(*fault))
    }
}

impl fmt::Display for StatusBits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ok() {
            return out.write_str("ok");
        }
        let mut known = 0;
        for fault in self.iter() {
            if known != 0 {
                out.write_str("; ")?;
            }
            known |= fault.bit();
            fault.fmt(out)?;
        }
        let unknown = self.0 & !known;
        if unknown != 0 {
            let separator = if known == 0 { "" } else { "; " };
            write!(
                out,
                "{separator}status bits {unknown:#04x} without a known meaning"
            )?;
        }
        Ok(())
    }
}
