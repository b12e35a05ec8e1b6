//! What a bus brings in each cycle, and what it is told.

use super::{MAX_SERVOS, PerServo};
use crate::codec::{StatusBits, registers};

/// The state of all motors of a bus after a cycle. Arrays are in the order of the bus's motors;
/// places without a motor are 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// When: the middle of the read, seconds on the bus's clock.
    pub at_secs: f64,
    /// Number of the cycle, from 1.
    pub cycle: u64,
    /// Counts how often the port was opened; goals are for one of these.
    pub generation: u32,
    /// Present positions, ticks. Of a motor that did not answer, the last one that it told.
    pub positions: PerServo<i32>,
    /// Bit a motor: it answered in this cycle.
    pub fresh: u16,
    /// Bit a motor: it ever answered since the port was opened. Where it is 0 the position is
    /// meaningless.
    pub known: u16,
    /// Bit a motor: it has not answered for so long that cycles don't wait for it. It may have lost
    /// its power, and with it its torque and goal.
    pub absent: u16,
    /// Bit a motor: it gets no goals, since a job switched its torque off or it came back after it
    /// was absent. (An STS3215 switches its torque on when it is given a goal.) A job that switches
    /// its torque on ends this.
    pub limp: u16,
    /// What each motor complained of with its last answer.
    pub status: PerServo<StatusBits>,
    /// What is read ten times a second.
    pub slow: SlowSample,
}

/// What is read less often. Units are those of the registers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SlowSample {
    /// When; 0 if never.
    pub at_secs: f64,
    /// Ticks a second.
    pub velocity: PerServo<i32>,
    /// 0.1 % of the full duty, with its direction.
    pub load: PerServo<i32>,
    /// 0.1 V.
    pub voltage_decivolts: PerServo<u8>,
    /// °C.
    pub temperature: PerServo<u8>,
    /// Whether it is on its way to its goal.
    pub moving: u16,
    /// 6.5 mA.
    pub current: PerServo<i32>,
}

/// First address of both reads of a cycle.
pub(super) const READ_FROM: u8 = registers::PRESENT_POSITION.address;
/// Bytes of a read of positions.
pub(super) const SHORT: u8 = registers::PRESENT_POSITION.size;
/// Bytes of a read of everything up to the current.
pub(super) const LONG: u8 = registers::PRESENT_CURRENT.end() - READ_FROM;

impl Sample {
    /// Takes in what a motor told, short or long.
    pub(super) fn take(&mut self, place: usize, data: &[u8], status: StatusBits) {
        let part = |register: &registers::Register| {
            let start = usize::from(register.address - READ_FROM);
            register.decode(data.get(start..).unwrap_or(&[]))
        };
        let byte = |register| u8::try_from(part(register)).unwrap_or(u8::MAX);
        let bit = 1 << place;
        self.positions[place] = part(&registers::PRESENT_POSITION);
        self.status[place] = status;
        self.fresh |= bit;
        self.known |= bit;
        if data.len() < usize::from(LONG) {
            return;
        }
        let slow = &mut self.slow;
        slow.velocity[place] = part(&registers::PRESENT_VELOCITY);
        slow.load[place] = part(&registers::PRESENT_LOAD);
        slow.voltage_decivolts[place] = byte(&registers::PRESENT_VOLTAGE);
        slow.temperature[place] = byte(&registers::PRESENT_TEMPERATURE);
        slow.moving &= !bit;
        slow.moving |= u16::from(part(&registers::MOVING) != 0) << place;
        slow.current[place] = part(&registers::PRESENT_CURRENT);
        // The register has bits that a reply's status byte may lack.
        self.status[place].0 |= byte(&registers::STATUS);
    }
}

/// Where motors shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Goals {
    /// Goal positions in ticks, in the order of the bus's motors.
    pub ticks: PerServo<i32>,
    /// Bit a motor: it gets a goal. The others keep what they have.
    pub mask: u16,
    /// [`Sample::generation`] of what these goals were computed from. Goals of another one are
    /// dropped: the port was away, and the motors may stand elsewhere. 0 never is one.
    pub generation: u32,
}

impl Goals {
    /// Goals for motors of a bus, as a sample found it; none yet.
    #[must_use]
    pub const fn after(sample: &Sample) -> Self {
        Self {
            ticks: [0; MAX_SERVOS],
            mask: 0,
            generation: sample.generation,
        }
    }

    /// The same, and this motor goes there.
    #[must_use]
    pub const fn with(mut self, place: usize, ticks: i32) -> Self {
        if place < MAX_SERVOS {
            self.ticks[place] = ticks;
            self.mask |= 1 << place;
        }
        self
    }
}
