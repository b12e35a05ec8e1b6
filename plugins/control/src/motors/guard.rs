//! Watches motors for heat, overload and other faults, and says each once.

use forearm_hardware::bus::{MAX_SERVOS, PerServo, Sample};
use forearm_hardware::codec::{ServoFault, StatusBits};
use forearm_protocol::control::NoticeLevel;

use super::Motor;

/// A motor as warm as this, °C, is spoken of.
const WARM: u8 = 65;
/// A motor as hot as this is driven no more.
const HOT: u8 = 70;
/// One that was warm counts as such until it is cooler than this.
const COOL: u8 = 60;
/// The same overload is not told more often than this, seconds.
const TOLD_AGAIN_SECS: f64 = 5.0;

/// Something about a motor that somebody should know. Motors are places on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    /// It is warm.
    Warm { motor: usize, temperature: u8 },
    /// It is too hot to be driven.
    TooHot { motor: usize, temperature: u8 },
    /// It was blocked for too long and holds with little force, or none.
    Blocked { motor: usize, fault: ServoFault },
    /// It reports something else.
    Fault { motor: usize, fault: ServoFault },
}

/// What was told already.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    warm: u16,
    hot: u16,
    temperature: PerServo<u8>,
    status: PerServo<StatusBits>,
    blocked_at_secs: PerServo<Option<f64>>,
}

impl Guard {
    /// What is new in a sample.
    pub(super) fn look(
        &mut self,
        sample: &Sample,
        mask: u16,
        now_secs: f64,
    ) -> impl Iterator<Item = Alarm> + use<> {
        let mut alarms = [None; 2 * MAX_SERVOS];
        for motor in (0..MAX_SERVOS).filter(|motor| mask & (1 << motor) != 0) {
            alarms[2 * motor] = self.heat(motor, sample.slow.temperature[motor]);
            alarms[2 * motor + 1] = self.fault(motor, sample.status[motor], now_secs);
        }
        alarms.into_iter().flatten()
    }

    fn heat(&mut self, motor: usize, temperature: u8) -> Option<Alarm> {
        let bit = 1 << motor;
        self.temperature[motor] = temperature;
        if temperature < COOL {
            self.warm &= !bit;
        }
        if temperature < WARM {
            self.hot &= !bit;
        }
        if temperature >= HOT && self.hot & bit == 0 {
            self.hot |= bit;
            self.warm |= bit;
            return Some(Alarm::TooHot { motor, temperature });
        }
        if temperature >= WARM && self.warm & bit == 0 {
            self.warm |= bit;
            return Some(Alarm::Warm { motor, temperature });
        }
        None
    }

    /// One fault that is new: the others come with the next samples.
    fn fault(&mut self, motor: usize, status: StatusBits, now_secs: f64) -> Option<Alarm> {
        // What is over may come again.
        let told = StatusBits(self.status[motor].0 & status.0);
        self.status[motor] = told;
        let blocked_at = self.blocked_at_secs[motor];
        let just_now = blocked_at.is_some_and(|at| now_secs - at < TOLD_AGAIN_SECS);
        let blocks =
            |fault: &ServoFault| matches!(fault, ServoFault::Overload | ServoFault::Overcurrent);
        let news = status
            .iter()
            .filter(|fault| !told.contains(*fault))
            .filter(|fault| !just_now || !blocks(fault));
        // What something has to be done about goes first.
        let fault = news.min_by_key(|fault| match fault {
            ServoFault::Overheat => 0,
            ServoFault::Overload | ServoFault::Overcurrent => 1,
            ServoFault::Voltage | ServoFault::Angle => 2,
        })?;
        self.status[motor] = told.with(fault);
        Some(match fault {
            // It has let go by itself: the others must not go on without it.
            ServoFault::Overheat => Alarm::TooHot {
                motor,
                temperature: self.temperature[motor],
            },
            ServoFault::Overload | ServoFault::Overcurrent => {
                self.blocked_at_secs[motor] = Some(now_secs);
                Alarm::Blocked { motor, fault }
            }
            ServoFault::Voltage | ServoFault::Angle => Alarm::Fault { motor, fault },
        })
    }
}

impl Alarm {
    /// What a person should read.
    pub(super) fn told(self, motors: &[Motor]) -> (NoticeLevel, String) {
        let name = |motor: usize| motors.get(motor).map_or("?", |motor| &motor.name);
        match self {
            Self::Warm { motor, temperature } => (
                NoticeLevel::Warning,
                format!(
                    "`{}` is {temperature} °C warm; at {HOT} °C the arm is let go: give it a rest",
                    name(motor)
                ),
            ),
            Self::TooHot { motor, temperature } => (
                NoticeLevel::Error,
                format!(
                    "`{}` is {temperature} °C hot: the arm's torque is off; let it cool below \
                     {WARM} °C, then switch torque on again",
                    name(motor)
                ),
            ),
            Self::Blocked { motor, fault } => (
                NoticeLevel::Warning,
                format!(
                    "`{}` was blocked for too long and protects itself ({}); it now holds where it \
                     is: free it, then go on",
                    name(motor),
                    fault.name()
                ),
            ),
            Self::Fault { motor, fault } => {
                (NoticeLevel::Warning, format!("`{}`: {fault}", name(motor)))
            }
        }
    }
}

/// Why torque must stay off, if a motor is still too warm.
pub(super) fn too_warm(sample: &Sample, motors: &[Motor]) -> Option<String> {
    let temperatures = sample.slow.temperature.iter().zip(motors);
    let mut warm = temperatures.filter(|(temperature, _)| **temperature >= WARM);
    warm.next().map(|(temperature, motor)| {
        format!(
            "`{}` is {temperature} °C warm; let it cool below {WARM} °C first",
            motor.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(temperature: u8, status: u8) -> Sample {
        let mut sample = Sample::default();
        sample.slow.temperature[1] = temperature;
        sample.status[1] = StatusBits(status);
        sample
    }

    fn alarms(guard: &mut Guard, sample: &Sample, now_secs: f64) -> Vec<Alarm> {
        guard.look(sample, 0b10, now_secs).collect()
    }

    #[test]
    fn heat_is_told_once_on_the_way_up() {
        let mut guard = Guard::default();
        let mut told = |temperature| alarms(&mut guard, &sample(temperature, 0), 0.0);
        let warm = |temperature| Alarm::Warm {
            motor: 1,
            temperature,
        };
        let hot = |temperature| Alarm::TooHot {
            motor: 1,
            temperature,
        };
        assert_eq!(told(64), []);
        assert_eq!(told(65), [warm(65)]);
        assert_eq!(told(69), []);
        assert_eq!(told(70), [hot(70)]);
        assert_eq!(told(68), [], "it is still warm");
        assert_eq!(told(71), [], "and still hot");
        assert_eq!(told(61), []);
        assert_eq!(told(70), [hot(70)], "it had cooled down");
        assert_eq!(told(59), []);
        assert_eq!(told(66), [warm(66)]);
    }

    #[test]
    fn an_overload_is_told_again_only_after_a_while() {
        let mut guard = Guard::default();
        let overload = Alarm::Blocked {
            motor: 1,
            fault: ServoFault::Overload,
        };
        assert_eq!(alarms(&mut guard, &sample(0, 0x20), 0.0), [overload]);
        assert_eq!(alarms(&mut guard, &sample(0, 0x20), 0.1), []);
        assert_eq!(alarms(&mut guard, &sample(0, 0), 0.2), []);
        assert_eq!(alarms(&mut guard, &sample(0, 0x20), 0.3), []);
        assert_eq!(alarms(&mut guard, &sample(0, 0x20), 6.0), [overload]);
        let voltage = Alarm::Fault {
            motor: 1,
            fault: ServoFault::Voltage,
        };
        assert_eq!(alarms(&mut guard, &sample(0, 0x21), 7.0), [voltage]);
        // Several at once are told one after another, what matters most first.
        let mut guard = Guard::default();
        assert_eq!(alarms(&mut guard, &sample(0, 0x21), 0.0), [overload]);
        assert_eq!(alarms(&mut guard, &sample(0, 0x21), 0.0), [voltage]);
        assert_eq!(alarms(&mut guard, &sample(0, 0x21), 0.0), []);
    }
}
