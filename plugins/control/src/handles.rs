//! What a program holds while it calibrates or teleoperates: the processes of LeRobot.js, over a
//! running control service.
//!
//! A process asks the service by a line of its own; what the service tells comes through its owner,
//! who passes each event by [`CalibrationProcess::note`] or [`TeleoperationProcess::note`]. Dropping a
//! process ends nothing.

use forearm_arm::calibration::Calibration;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{ArmIndex, ArmState, Command, Event, Request};
use forearm_protocol::keys::Key;
use forearm_protocol::scene::Backend;
use forearm_protocol::servo::{CalibrationStep, CalibrationUpdate, Device};
use forearm_workers::{Line, Pending};

use crate::service::ControlService;

/// Begins a guided calibration of a real arm.
#[must_use]
pub fn calibrate(line: Line<ControlService>, device: Device) -> CalibrationProcess {
    CalibrationProcess {
        begun: Some(line.request(Request::Calibrate(device))),
        line,
        device,
        update: None,
        result: None,
    }
}

/// A guided calibration under way.
pub struct CalibrationProcess {
    line: Line<ControlService>,
    device: Device,
    /// The answer to the question whether it may begin, until it has come.
    begun: Option<Pending<ControlService>>,
    update: Option<CalibrationUpdate>,
    result: Option<Result<Calibration, String>>,
}

impl CalibrationProcess {
    /// Takes note of what the service tells. To be called with each of its events, and often.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Calibration(update) if update.device == self.device => {
                self.update = Some((**update).clone());
            }
            Event::CalibrationDone { device, result, .. } if *device == self.device => {
                self.result = Some(result.clone());
            }
            _ => {}
        }
    }

    /// What was to be done is done: goes on.
    pub fn next(&self) -> Pending<ControlService> {
        let step = Request::CalibrationStep(CalibrationStep::Next);
        self.line.request(step)
    }

    /// Leaves it; the motors get back what they stored before.
    pub fn stop(&self) -> Pending<ControlService> {
        let step = Request::CalibrationStep(CalibrationStep::Cancel);
        self.line.request(step)
    }

    /// How it stands; nothing before it has begun.
    #[must_use]
    pub fn state(&self) -> Option<&CalibrationUpdate> {
        self.update.as_ref()
    }

    /// What it came to, once it has ended: the calibration that the motors store, or why not.
    pub fn result(&mut self) -> Option<&Result<Calibration, String>> {
        if let Some(answer) = self.begun.as_mut().and_then(Pending::try_take) {
            self.begun = None;
            if let Err(error) = answer {
                self.result = Some(Err(error.to_string()));
            }
        }
        self.result.as_ref()
    }
}

/// Drives an arm of the scene by keys, joint targets, a gamepad or a leader.
#[must_use]
pub fn teleoperate(line: Line<ControlService>, arm: ArmIndex) -> TeleoperationProcess {
    TeleoperationProcess {
        line,
        arm,
        state: TeleoperationState::default(),
    }
}

/// An arm being teleoperated.
pub struct TeleoperationProcess {
    line: Line<ControlService>,
    arm: ArmIndex,
    state: TeleoperationState,
}

/// How a teleoperation stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TeleoperationState {
    /// Whether the arm is driven.
    pub is_active: bool,
    /// The arm, once the service has told.
    pub arm: Option<ArmState>,
    /// When it told last, seconds since it started.
    pub last_update_secs: f64,
    /// Keys that are held.
    pub keys: Vec<Key>,
}

impl TeleoperationProcess {
    /// Takes note of what the service tells. To be called with each of its events.
    pub fn note(&mut self, event: &Event) {
        if let Event::State(update) = event {
            self.state.is_active = update.active && !update.e_stopped;
            self.state.arm = update.arms.get(self.arm).cloned();
            self.state.last_update_secs = update.time_secs;
        }
    }

    /// Drives from now on, softly, from where the arm is.
    pub fn start(&self) -> Pending<ControlService> {
        self.line.request(Request::Start)
    }

    /// Holds.
    pub fn stop(&mut self) -> Pending<ControlService> {
        self.state.keys.clear();
        self.line.request(Request::Stop)
    }

    /// A key went down or up.
    ///
    /// # Errors
    /// The service can't be told.
    pub fn update_key_state(&mut self, key: Key, pressed: bool) -> Result<(), ServiceError> {
        self.state.keys.retain(|held| *held != key);
        if pressed {
            self.state.keys.push(key);
        }
        self.line.send(Command::Key {
            arm: self.arm,
            key,
            pressed,
        })
    }

    /// Has joints go to positions, one a joint, radians (metres).
    ///
    /// # Errors
    /// The service can't be told.
    pub fn move_joints(&self, positions: Vec<f64>) -> Result<(), ServiceError> {
        self.line.send(Command::JointTargets {
            arm: self.arm,
            positions,
        })
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> &TeleoperationState {
        &self.state
    }

    /// Leaves the real arm, as the configuration says; the simulated one takes its place.
    pub fn disconnect(&mut self) -> Pending<ControlService> {
        self.state.keys.clear();
        self.line.request(Request::SetBackend {
            arm: self.arm,
            backend: Backend::Sim,
            calibration: None,
            motion: None,
        })
    }
}
