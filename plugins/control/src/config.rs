//! How the control service runs: rate, limits, what it starts with (or goes on from after a crash),
//! when it ends.

use std::sync::Arc;

use forearm_arm::safety::SafetyConfig;
use forearm_protocol::Pose;
use forearm_protocol::control::{Event, StateUpdate, TeleopMode};
use forearm_protocol::scene::{Backend, SceneBundle};
use forearm_protocol::servo::ArmDevices;
use serde::{Deserialize, Serialize};

use crate::serve::ServedArm;

/// The lowest rate, Hz.
pub const MIN_RATE_HZ: f64 = 1.0;
/// The highest rate, Hz: what six servos on a bus and a desktop's timers allow.
pub const MAX_RATE_HZ: f64 = 2000.0;
/// The rate unless told otherwise, Hz.
pub const DEFAULT_RATE_HZ: f64 = 120.0;

/// What is wrong with a [`ControlConfig`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The rate can't be kept.
    #[error(
        "a control rate of {0} Hz is not possible; \
         choose one from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz (the default is {DEFAULT_RATE_HZ})"
    )]
    Rate(f64),
    /// The watchdog's time is no time.
    #[error("a watchdog of {0} s is not possible; choose a positive number of seconds")]
    Watchdog(f64),
    /// The time to run is no time.
    #[error("a duration of {0} s is not possible; choose a positive number, at most 1e6 s")]
    Duration(f64),
}

/// What a control service is made from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ControlSetup {
    /// How it runs.
    pub config: ControlConfig,
    /// What it starts with.
    pub startup: Startup,
}

/// How the control service runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlConfig {
    /// Ticks a second, [`MIN_RATE_HZ`] to [`MAX_RATE_HZ`].
    pub rate_hz: f64,
    /// How long the app may be silent, seconds, before keys and sticks count as released.
    pub watchdog_secs: f64,
    /// The limits that every command passes.
    pub safety: SafetyConfig,
    /// When it ends by itself.
    pub until: Until,
    /// What becomes of real arms when they are left: at the end, and when something else moves the
    /// arm from then on.
    #[serde(default)]
    pub on_exit: OnExit,
    /// Arms of the scene whose servos are served to other programs.
    #[serde(default)]
    pub served: Vec<ServedArm>,
}

/// What becomes of a real arm that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OnExit {
    /// It goes limp, as LeRobot leaves it.
    #[default]
    TorqueOff,
    /// It holds where it is.
    Hold,
}

/// When the service stops ticking by itself. It then holds its state, to be inspected.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Until {
    /// Never: until it is stopped.
    #[default]
    Stopped,
    /// After this much control time, seconds.
    Elapsed(f64),
    /// When every motion that was started has ended, and things had this long to come to rest,
    /// seconds.
    ScriptsDone(f64),
}

/// What the service starts with, before its first tick.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Startup {
    /// The scene to load.
    pub bundle: Option<Arc<SceneBundle>>,
    /// A motion for the first arm: a motion file's text.
    pub script: Option<String>,
    /// Whether to start driving.
    pub start: bool,
    /// Where an earlier start of the service left things.
    pub resume: Option<Resume>,
    /// Whether it begins with an emergency stop: one was asked for, and nobody took it.
    pub e_stop: bool,
}

/// Where a crash left things: what takes the service's place goes on from here, and holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// [`StateUpdate::scene_generation`] at the crash.
    pub scene_generation: u64,
    /// Whether an emergency stop held.
    pub e_stopped: bool,
    /// One a scene's arm.
    pub arms: Vec<ArmResume>,
    /// One a scene's object, where it was in the world.
    pub objects: Vec<Pose>,
}

/// Where a crash left an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmResume {
    /// Measured positions, model order, radians (metres).
    pub positions: Vec<f64>,
    /// What the servos were told: a gripper that holds something is told more than it reaches.
    pub targets: Vec<f64>,
    /// Whether its motors held.
    pub torque: bool,
    /// How it was driven.
    pub mode: TeleopMode,
}

impl Startup {
    /// Takes note of what the service tells, so that one that takes its place goes on from there.
    pub fn remember(&mut self, event: &Event) {
        match event {
            Event::SceneLoaded { bundle, generation } => {
                // The scene that a restarted service loads is the one that it goes on with.
                let same = self
                    .resume
                    .as_ref()
                    .is_some_and(|resume| resume.scene_generation == *generation);
                if !same {
                    self.resume = None;
                }
                self.bundle = Some(Arc::clone(bundle));
            }
            Event::State(state) => {
                // A motion is not begun again in the middle of things.
                self.script = None;
                self.start = state.active;
                self.resume = Some(Resume::from(&**state));
                // It was taken.
                self.e_stop &= !state.e_stopped;
            }
            Event::DevicesChanged { arm, devices } => {
                if let Some(bundle) = &mut self.bundle {
                    connect(Arc::make_mut(bundle), *arm, devices);
                }
            }
            Event::ScriptDone { .. }
            | Event::Calibration(_)
            | Event::CalibrationDone { .. }
            | Event::Notice(_) => {}
        }
    }
}

/// Makes a scene the one whose arm is connected to these.
fn connect(bundle: &mut SceneBundle, arm: usize, devices: &ArmDevices) {
    let Some(spec) = bundle.scene.arms.get_mut(arm) else {
        return;
    };
    spec.backend = devices.backend.clone();
    spec.leader.clone_from(&devices.leader);
    bundle
        .calibrations
        .insert(spec.name.clone(), devices.calibrations.clone());
    if let (Backend::Replay(file), Some(text)) = (&devices.backend, &devices.motion) {
        bundle.motions.insert(file.clone(), text.clone());
    }
}

impl From<&StateUpdate> for Resume {
    fn from(state: &StateUpdate) -> Self {
        let arms = state.arms.iter().map(|arm| ArmResume {
            positions: arm.joints.iter().map(|joint| joint.position).collect(),
            targets: arm.joints.iter().map(|joint| joint.target).collect(),
            torque: arm.torque,
            mode: arm.mode,
        });
        Self {
            scene_generation: state.scene_generation,
            e_stopped: state.e_stopped,
            arms: arms.collect(),
            objects: state.objects.clone(),
        }
    }
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            rate_hz: DEFAULT_RATE_HZ,
            watchdog_secs: 1.0,
            safety: SafetyConfig::default(),
            until: Until::Stopped,
            on_exit: OnExit::default(),
            served: Vec::new(),
        }
    }
}

impl ControlConfig {
    /// The default at another rate.
    ///
    /// # Errors
    /// As [`ControlConfig::check`].
    pub fn at_rate(rate_hz: f64) -> Result<Self, ConfigError> {
        let config = Self {
            rate_hz,
            ..Self::default()
        };
        config.check()?;
        Ok(config)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the first that is out of range, and the range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&self.rate_hz) {
            return Err(ConfigError::Rate(self.rate_hz));
        }
        if self.watchdog_secs.is_nan() || self.watchdog_secs <= 0.0 {
            return Err(ConfigError::Watchdog(self.watchdog_secs));
        }
        match self.until {
            Until::Elapsed(secs) if !(secs > 0.0 && secs <= 1e6) => {
                Err(ConfigError::Duration(secs))
            }
            Until::ScriptsDone(secs) if !(0.0..=1e6).contains(&secs) => {
                Err(ConfigError::Duration(secs))
            }
            _ => Ok(()),
        }
    }

    /// The time between two ticks, seconds.
    #[must_use]
    pub fn period_secs(&self) -> f64 {
        1.0 / self.rate_hz
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_outside_the_range_are_refused_with_the_range() {
        for rate in [0.0, -1.0, 0.99, 2000.1, f64::NAN, f64::INFINITY] {
            let error = ControlConfig::at_rate(rate)
                .expect_err("out of range")
                .to_string();
            assert!(error.contains("from 1 to 2000 Hz"), "{error}");
        }
        for rate in [1.0, 60.0, 120.0, 500.0, 2000.0] {
            assert_eq!(
                ControlConfig::at_rate(rate).expect("in range").rate_hz,
                rate
            );
        }
    }

    #[test]
    fn times_must_be_times() {
        let bad = [
            ControlConfig {
                watchdog_secs: f64::NAN,
                ..ControlConfig::default()
            },
            ControlConfig {
                until: Until::Elapsed(0.0),
                ..ControlConfig::default()
            },
            ControlConfig {
                until: Until::Elapsed(f64::NAN),
                ..ControlConfig::default()
            },
            ControlConfig {
                until: Until::ScriptsDone(-1.0),
                ..ControlConfig::default()
            },
        ];
        for config in bad {
            assert!(config.check().is_err(), "{config:?}");
        }
    }
}
