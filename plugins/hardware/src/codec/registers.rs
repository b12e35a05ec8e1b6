//! The registers of an STS3215: names, places, sizes, signs and what they are from the factory.
//!
//! Names, addresses, sizes and sign bits are LeRobot's (`motors/feetech/tables.py`); units and
//! factory values are those of Feetech's memory table for the STS series.

use std::fmt;
use std::ops::Deref;

/// One register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// LeRobot's name: `Present_Position`.
    pub name: &'static str,
    /// Address of the (low) byte.
    pub address: u8,
    /// Bytes, 1 or 2.
    pub size: u8,
    /// Kept when the power goes off, if it was written while `Lock` was 0.
    pub eeprom: bool,
    /// Can be written.
    pub writable: bool,
    /// The bit that says that the value is negative; the bits below it are its magnitude.
    pub sign_bit: Option<u8>,
    /// Raw value of a new servo. 0 for what the servo measures.
    pub factory: u16,
    /// Unit of the value; empty where it has none.
    pub unit: &'static str,
}

/// Why a value is none of a register's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// The register has too few bits for it.
    #[error("{value} does not fit into the register {name}: it holds {min} to {max}")]
    OutOfRange {
        /// The register.
        name: &'static str,
        /// What was to be put into it.
        value: i32,
        /// The least that fits.
        min: i32,
        /// The most that fits.
        max: i32,
    },
}

/// A value as it travels: one or two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterBytes {
    bytes: [u8; 2],
    len: u8,
}

impl Deref for RegisterBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Register {
    const fn new(name: &'static str, address: u8, size: u8) -> Self {
        Self {
            name,
            address,
            size,
            eeprom: address < SRAM_START,
            writable: true,
            sign_bit: None,
            factory: 0,
            unit: "",
        }
    }

    const fn read_only(self) -> Self {
        Self {
            writable: false,
            ..self
        }
    }

    const fn signed(self, bit: u8) -> Self {
        Self {
            sign_bit: Some(bit),
            ..self
        }
    }

    const fn factory(self, factory: u16) -> Self {
        Self { factory, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The least and the most that the register's bits can say.
    #[must_use]
    pub const fn range(&self) -> (i32, i32) {
        match self.sign_bit {
            Some(bit) => {
                let most = (1 << bit) - 1;
                (-most, most)
            }
            None => (0, (1 << (8 * self.size as u32)) - 1),
        }
    }

    /// The value as it travels.
    ///
    /// # Errors
    /// [`RegisterError::OutOfRange`].
    pub fn encode(&self, value: i32) -> Result<RegisterBytes, RegisterError> {
        let (min, max) = self.range();
        if !(min..=max).contains(&value) {
            return Err(RegisterError::OutOfRange {
                name: self.name,
                value,
                min,
                max,
            });
        }
        let sign = match self.sign_bit {
            Some(bit) if value < 0 => 1_u16 << bit,
            _ => 0,
        };
        // At most 16 bits, by the range.
        let raw = value.unsigned_abs() as u16 | sign;
        Ok(RegisterBytes {
            bytes: raw.to_le_bytes(),
            len: self.size,
        })
    }

    /// The value of bytes from the wire. Bytes that are missing count as 0, further ones are not
    /// looked at.
    #[must_use]
    pub fn decode(&self, bytes: &[u8]) -> i32 {
        let byte = |index: usize| {
            let there = index < usize::from(self.size);
            bytes.get(index).copied().filter(|_| there).unwrap_or(0)
        };
        self.decode_raw(u16::from_le_bytes([byte(0), byte(1)]))
    }

    /// The value of a register's bits.
    #[must_use]
    pub const fn decode_raw(&self, raw: u16) -> i32 {
        match self.sign_bit {
            Some(bit) => {
                let magnitude = (raw & ((1 << bit) - 1)) as i32;
                if raw & (1 << bit) == 0 {
                    magnitude
                } else {
                    -magnitude
                }
            }
            None => raw as i32,
        }
    }

    /// Address after the register's last byte.
    #[must_use]
    pub const fn end(&self) -> u8 {
        self.address + self.size
    }
}

impl fmt::Display for Register {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.name, self.address)
    }
}

/// The first address that is not kept when the power goes off.
pub const SRAM_START: u8 = 40;

macro_rules! registers {
    ($($(#[$doc:meta])* $name:ident = $register:expr;)*) => {
        $($(#[$doc])* pub const $name: Register = $register;)*

        /// Every register, by rising address.
        pub const ALL: &[Register] = &[$($name),*];
    };
}

registers! {
    /// Major version of the firmware.
    FIRMWARE_MAJOR_VERSION = Register::new("Firmware_Major_Version", 0, 1).read_only().factory(3);
    /// Minor version of the firmware.
    FIRMWARE_MINOR_VERSION = Register::new("Firmware_Minor_Version", 1, 1).read_only().factory(10);
    /// 777 for an STS3215.
    MODEL_NUMBER = Register::new("Model_Number", 3, 2).read_only().factory(super::model::STS3215);
    /// The servo's id on the bus.
    ID = Register::new("ID", 5, 1).factory(1);
    /// Code of the baud rate ([`super::model::BAUD_RATES`]).
    BAUD_RATE = Register::new("Baud_Rate", 6, 1);
    /// Time between the end of a request and the start of its reply.
    RETURN_DELAY_TIME = Register::new("Return_Delay_Time", 7, 1).unit("2 µs");
    /// 0: only reads and pings are answered. 1: everything is.
    RESPONSE_STATUS_LEVEL = Register::new("Response_Status_Level", 8, 1).factory(1);
    /// Least position that a goal may have.
    MIN_POSITION_LIMIT = Register::new("Min_Position_Limit", 9, 2).unit("tick");
    /// Greatest position that a goal may have; 0 with a least of 0 means no limits.
    MAX_POSITION_LIMIT = Register::new("Max_Position_Limit", 11, 2).factory(4095).unit("tick");
    /// Hotter is a fault.
    MAX_TEMPERATURE_LIMIT = Register::new("Max_Temperature_Limit", 13, 1).factory(70).unit("°C");
    /// More is a fault.
    MAX_VOLTAGE_LIMIT = Register::new("Max_Voltage_Limit", 14, 1).factory(80).unit("0.1 V");
    /// Less is a fault.
    MIN_VOLTAGE_LIMIT = Register::new("Min_Voltage_Limit", 15, 1).factory(40).unit("0.1 V");
    /// `Torque_Limit` when the power comes on.
    MAX_TORQUE_LIMIT = Register::new("Max_Torque_Limit", 16, 2).factory(1000).unit("0.1 %");
    /// Special bits; 0x10 switches to positions beyond one turn.
    PHASE = Register::new("Phase", 18, 1).factory(12);
    /// Status bits for which the servo lets go.
    UNLOADING_CONDITION = Register::new("Unloading_Condition", 19, 1).factory(44);
    /// Status bits for which the light blinks.
    LED_ALARM_CONDITION = Register::new("LED_Alarm_Condition", 20, 1).factory(47);
    /// Proportional part of the position controller.
    P_COEFFICIENT = Register::new("P_Coefficient", 21, 1).factory(32);
    /// Differential part of the position controller.
    D_COEFFICIENT = Register::new("D_Coefficient", 22, 1).factory(32);
    /// Integral part of the position controller.
    I_COEFFICIENT = Register::new("I_Coefficient", 23, 1);
    /// Least torque that the motor is given.
    MINIMUM_STARTUP_FORCE = Register::new("Minimum_Startup_Force", 24, 2).factory(16).unit("0.1 %");
    /// Clockwise distance from the goal that is not corrected.
    CW_DEAD_ZONE = Register::new("CW_Dead_Zone", 26, 1).factory(1).unit("tick");
    /// Counterclockwise distance from the goal that is not corrected.
    CCW_DEAD_ZONE = Register::new("CCW_Dead_Zone", 27, 1).factory(1).unit("tick");
    /// More for `Over_Current_Protection_Time` is a fault.
    PROTECTION_CURRENT = Register::new("Protection_Current", 28, 2).factory(500).unit("6.5 mA");
    /// Ticks are made this much larger.
    ANGULAR_RESOLUTION = Register::new("Angular_Resolution", 30, 1).factory(1);
    /// What is taken off the encoder's position to get `Present_Position`.
    HOMING_OFFSET = Register::new("Homing_Offset", 31, 2).signed(11).unit("tick");
    /// 0 position, 1 velocity, 2 PWM, 3 steps.
    OPERATING_MODE = Register::new("Operating_Mode", 33, 1);
    /// Torque that is left after an overload.
    PROTECTIVE_TORQUE = Register::new("Protective_Torque", 34, 1).factory(20).unit("%");
    /// How long the load must be above `Overload_Torque`.
    PROTECTION_TIME = Register::new("Protection_Time", 35, 1).factory(200).unit("10 ms");
    /// Load that is a fault if it lasts.
    OVERLOAD_TORQUE = Register::new("Overload_Torque", 36, 1).factory(80).unit("%");
    /// Proportional part of the velocity controller.
    VELOCITY_P_COEFFICIENT =
        Register::new("Velocity_closed_loop_P_proportional_coefficient", 37, 1).factory(10);
    /// How long the current must be above `Protection_Current`.
    OVER_CURRENT_PROTECTION_TIME =
        Register::new("Over_Current_Protection_Time", 38, 1).factory(200).unit("10 ms");
    /// Integral part of the velocity controller.
    VELOCITY_I_COEFFICIENT =
        Register::new("Velocity_closed_loop_I_integral_coefficient", 39, 1).factory(10);
    /// 0 off, 1 on; writing 128 makes the present position 2048.
    TORQUE_ENABLE = Register::new("Torque_Enable", 40, 1);
    /// How fast the speed of a motion changes; 0 means at once.
    ACCELERATION = Register::new("Acceleration", 41, 1).unit("100 tick/s²");
    /// Where to go.
    GOAL_POSITION = Register::new("Goal_Position", 42, 2).signed(15).unit("tick");
    /// In the PWM mode the duty.
    GOAL_TIME = Register::new("Goal_Time", 44, 2);
    /// How fast to go; in the position mode 0 means as fast as possible.
    GOAL_VELOCITY = Register::new("Goal_Velocity", 46, 2).signed(15).unit("tick/s");
    /// Most torque that the motor is given.
    TORQUE_LIMIT = Register::new("Torque_Limit", 48, 2).factory(1000).unit("0.1 %");
    /// 0: registers below 40 are kept when the power goes off. 1: they are not.
    LOCK = Register::new("Lock", 55, 1);
    /// Where the joint is: the encoder's position less `Homing_Offset`.
    PRESENT_POSITION = Register::new("Present_Position", 56, 2).read_only().signed(15).unit("tick");
    /// How fast it moves.
    PRESENT_VELOCITY =
        Register::new("Present_Velocity", 58, 2).read_only().signed(15).unit("tick/s");
    /// The duty that drives the motor.
    PRESENT_LOAD = Register::new("Present_Load", 60, 2).read_only().signed(10).unit("0.1 %");
    /// The supply.
    PRESENT_VOLTAGE = Register::new("Present_Voltage", 62, 1).read_only().unit("0.1 V");
    /// How hot the servo is.
    PRESENT_TEMPERATURE = Register::new("Present_Temperature", 63, 1).read_only().unit("°C");
    /// The bits that every reply has too ([`super::StatusBits`]).
    STATUS = Register::new("Status", 65, 1).read_only();
    /// 1 while it is on its way to the goal.
    MOVING = Register::new("Moving", 66, 1).read_only();
    /// What the motor takes.
    PRESENT_CURRENT = Register::new("Present_Current", 69, 2).read_only().unit("6.5 mA");
    /// The goal that is being approached.
    GOAL_POSITION_2 = Register::new("Goal_Position_2", 71, 2).read_only().unit("tick");
    /// Slower than this counts as standing.
    MOVING_VELOCITY = Register::new("Moving_Velocity", 80, 1).factory(1).unit("50 tick/s");
    /// A time constant of the firmware.
    DTS = Register::new("DTs", 81, 1).factory(20).unit("ms");
    /// What velocities are multiples of.
    VELOCITY_UNIT_FACTOR = Register::new("Velocity_Unit_factor", 82, 1).factory(1);
    /// A time constant of the firmware.
    HTS = Register::new("Hts", 83, 1).unit("ns");
    /// The greatest velocity.
    MAXIMUM_VELOCITY_LIMIT =
        Register::new("Maximum_Velocity_Limit", 84, 1).factory(80).unit("50 tick/s");
    /// The greatest acceleration.
    MAXIMUM_ACCELERATION =
        Register::new("Maximum_Acceleration", 85, 1).factory(254).unit("100 tick/s²");
    /// Multiplies an acceleration of 0.
    ACCELERATION_MULTIPLIER = Register::new("Acceleration_Multiplier", 86, 1).factory(1);
}

/// The register of this name, upper or lower case; `None` if there is none. LeRobot's second name of
/// `Moving_Velocity` is known too.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Register> {
    let name = name.trim();
    if name.eq_ignore_ascii_case("Moving_Velocity_Threshold") {
        return by_address(MOVING_VELOCITY.address);
    }
    ALL.iter()
        .find(|register| register.name.eq_ignore_ascii_case(name))
}

/// The register that starts at this address; `None` if none does.
#[must_use]
pub fn by_address(address: u8) -> Option<&'static Register> {
    ALL.iter().find(|register| register.address == address)
}
