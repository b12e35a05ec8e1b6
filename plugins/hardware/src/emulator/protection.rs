//! How a servo protects itself: heat, current and load over time, and what it does about them.

use super::memory::Memory;
use crate::codec::registers as reg;
use crate::codec::{ServoFault, StatusBits};

/// What the motor takes when it is blocked at full duty, in milliamperes (STS3215 at 7.4 V).
const STALL_CURRENT_MA: f64 = 2500.0;

/// What the servo takes while its motor stands without force, in milliamperes.
const IDLE_CURRENT_MA: f64 = 6.5;

/// One unit of the current registers, in milliamperes.
const CURRENT_UNIT_MA: f64 = 6.5;

/// Surroundings, in degrees Celsius.
const AMBIENT: f64 = 28.0;

/// How much hotter a servo gets at full duty for ever, in kelvin, and how fast, in seconds.
const RISE: f64 = 90.0;
const WARMING_SECS: f64 = 180.0;

/// How far it has to cool down below its limit, in kelvin.
const COOLING: f64 = 5.0;

/// A unit of the registers for times.
const TIME_UNIT_SECS: f64 = 0.01;

/// What the firmware does with the motor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Output {
    /// As the registers say.
    Normal,
    /// This share of its strength at most.
    Limited(f64),
    /// None.
    Cut,
}

#[derive(Debug, Clone)]
pub(super) struct Protection {
    temperature: f64,
    /// A temperature that someone wants to see.
    pub(super) forced_temperature: Option<f64>,
    /// How long load and current have been too high, in seconds.
    overload_secs: f64,
    overcurrent_secs: f64,
    /// Faults that stay until torque is written.
    latched: StatusBits,
    /// Lets go until torque is written, though it is cool again.
    released: bool,
    /// Sign of the duty that ended in an overload.
    blocked: f64,
    /// Of the supply, in volts.
    pub(super) volts: f64,
}

impl Protection {
    pub(super) const fn new(volts: f64) -> Self {
        Self {
            temperature: AMBIENT,
            forced_temperature: None,
            overload_secs: 0.0,
            overcurrent_secs: 0.0,
            latched: StatusBits::OK,
            released: false,
            blocked: 0.0,
            volts,
        }
    }

    /// A servo does not cool down by switching it off and on.
    pub(super) fn power_up(&mut self) {
        self.reset();
    }

    /// What writing the torque register does.
    pub(super) fn reset(&mut self) {
        self.latched = StatusBits::OK;
        self.released = false;
        self.overload_secs = 0.0;
        self.overcurrent_secs = 0.0;
    }

    /// A goal on the other side of the joint than what blocked it ends an overload.
    pub(super) fn goal_towards(&mut self, direction: f64) {
        if direction * self.blocked < 0.0 && self.latched.contains(ServoFault::Overload) {
            self.latched = StatusBits(self.latched.0 & !ServoFault::Overload.bit());
            self.overload_secs = 0.0;
        }
    }

    pub(super) fn force_overload(&mut self, duty: f64) {
        self.latched = self.latched.with(ServoFault::Overload);
        self.blocked = duty;
    }

    /// In degrees Celsius.
    pub(super) fn temperature(&self) -> f64 {
        self.forced_temperature.unwrap_or(self.temperature)
    }

    /// In milliamperes, at this duty (of the torque alone, -1 to 1).
    pub(super) fn current_ma(duty: f64) -> f64 {
        IDLE_CURRENT_MA + duty.abs().min(1.0) * STALL_CURRENT_MA
    }

    /// In units of the current registers.
    pub(super) fn current_units(duty: f64) -> f64 {
        Self::current_ma(duty) / CURRENT_UNIT_MA
    }

    /// Lets `secs` pass at this duty (of the torque alone, -1 to 1).
    pub(super) fn step(&mut self, memory: &Memory, duty: f64, secs: f64) {
        let target = AMBIENT + RISE * duty * duty;
        // Implicit, so that a long gap can't overshoot.
        let share = secs / WARMING_SECS;
        self.temperature = (self.temperature + target * share) / (1.0 + share);

        let limit = f64::from(memory.raw(&reg::MAX_TEMPERATURE_LIMIT));
        if self.temperature() > limit {
            self.latched = self.latched.with(ServoFault::Overheat);
            self.released = true;
        } else if self.temperature() < limit - COOLING {
            self.latched = StatusBits(self.latched.0 & !ServoFault::Overheat.bit());
        }

        let too_much = f64::from(memory.raw(&reg::OVERLOAD_TORQUE)) / 100.0;
        let time = f64::from(memory.raw(&reg::PROTECTION_TIME)) * TIME_UNIT_SECS;
        self.overload_secs = longer(self.overload_secs, duty.abs() >= too_much, secs);
        if self.overload_secs >= time && self.overload_secs > 0.0 {
            self.force_overload(duty);
            self.overload_secs = 0.0;
        }

        let too_much = f64::from(memory.raw(&reg::PROTECTION_CURRENT));
        let time = f64::from(memory.raw(&reg::OVER_CURRENT_PROTECTION_TIME)) * TIME_UNIT_SECS;
        let over = Self::current_units(duty) > too_much;
        self.overcurrent_secs = longer(self.overcurrent_secs, over, secs);
        if self.overcurrent_secs >= time && self.overcurrent_secs > 0.0 {
            self.latched = self.latched.with(ServoFault::Overcurrent);
            self.overcurrent_secs = 0.0;
        }
    }

    /// The bits that every reply has.
    pub(super) fn status(&self, memory: &Memory) -> StatusBits {
        let decivolts = (self.volts * 10.0).round();
        let outside = decivolts < f64::from(memory.raw(&reg::MIN_VOLTAGE_LIMIT))
            || decivolts > f64::from(memory.raw(&reg::MAX_VOLTAGE_LIMIT));
        if outside {
            self.latched.with(ServoFault::Voltage)
        } else {
            self.latched
        }
    }

    /// What faults do to the motor: those that `Unloading_Condition` names.
    pub(super) fn output(&self, memory: &Memory) -> Output {
        let acts =
            |fault: ServoFault| memory.raw(&reg::UNLOADING_CONDITION) as u8 & fault.bit() != 0;
        let status = self.status(memory);
        let cut = (self.released && acts(ServoFault::Overheat))
            || [ServoFault::Overcurrent, ServoFault::Voltage]
                .into_iter()
                .any(|fault| status.contains(fault) && acts(fault));
        if cut {
            Output::Cut
        } else if status.contains(ServoFault::Overload) && acts(ServoFault::Overload) {
            Output::Limited(f64::from(memory.raw(&reg::PROTECTIVE_TORQUE)) / 100.0)
        } else {
            Output::Normal
        }
    }
}

/// How long something has been so, if it is so for `secs` more.
fn longer(so_far: f64, is_so: bool, secs: f64) -> f64 {
    if is_so { so_far + secs } else { 0.0 }
}
