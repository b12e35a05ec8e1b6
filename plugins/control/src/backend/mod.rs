//! Arm backends: what moves an arm, behind one contract.
//!
//! A backend is chosen in `connect`: from the scene, and again when somebody wants another one. All
//! times and limits are the control loop's business: a backend reads, writes and switches torque.
//!
//! What is not there at once (a port that has to be opened, motors that have to be set up) comes in
//! [`ArmBackend::attend`], which tells by its [`Footing`] whether the arm may be driven and when
//! whoever drives has to begin anew.

mod plant;
mod replay;
mod served;
mod servo;
mod sim;

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_arm::calibration::Calibration;
use forearm_protocol::scene::Backend;
use forearm_protocol::servo::{BusState, Role};
use nalgebra::Isometry3;

pub use plant::Plant;
pub use replay::ReplayArm;
pub use served::ServedSim;
pub use servo::ServoArm;
pub use sim::SimArm;

use crate::config::OnExit;
use crate::motion::Motion;
use crate::motors::{Motors, MotorsSpec, News};

/// What an arm measures: one value a joint, in model order; radians (metres), seconds, N·m (N).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// Positions.
    pub positions: Vec<f64>,
    /// Velocities.
    pub velocities: Vec<f64>,
    /// Efforts of the servos.
    pub efforts: Vec<f64>,
}

impl Observation {
    /// Zeros for this many joints.
    #[must_use]
    pub fn zeros(joints: usize) -> Self {
        let zeros = vec![0.0; joints];
        Self {
            positions: zeros.clone(),
            velocities: zeros.clone(),
            efforts: zeros,
        }
    }
}

/// Why an arm did not do what it was told. The loop holds and tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{arm}: {problem}")]
pub struct BackendError {
    /// What was spoken to: a port, or the simulation.
    pub arm: String,
    /// What happened and what to try.
    pub problem: String,
}

/// Whether an arm may be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    /// It does what it is told.
    Firm,
    /// From now on it does: begin at its present position, softly.
    New,
    /// It does, but these joints (bit a joint) were blocked: go on from their present positions.
    Settle(u16),
    /// It is not there, not ready, or somebody else drives it.
    None,
}

/// A tick, as a backend sees it.
pub struct Moment<'a> {
    /// The simulated world.
    pub plant: &'a mut Plant,
    /// The service's time, seconds.
    pub now_secs: f64,
    /// The time of a tick, seconds.
    pub dt_secs: f64,
    /// Whether the service drives.
    pub active: bool,
    /// What a person should read.
    pub(crate) news: &'a mut News,
}

/// An arm that can be driven. Nothing here waits, or allocates while all is well.
pub trait ArmBackend: Send {
    /// What moves the arm, for people: `sim`, or a serial port.
    fn identify(&self) -> &str;

    /// Goes on with what takes its time; called first in each tick.
    fn attend(&mut self, _moment: &mut Moment<'_>) -> Footing {
        Footing::Firm
    }

    /// Reads all joints into `out`, which has one place a joint. What is not known stays as it was.
    ///
    /// # Errors
    /// What was not answered; `out` may then be partly new.
    fn observe(&mut self, plant: &mut Plant, out: &mut Observation) -> Result<(), BackendError>;

    /// Commands all joints; `applied` receives what was really commanded, after the backend's own
    /// clipping and rounding. Without torque or [`Footing`] nothing moves.
    ///
    /// # Errors
    /// What could not be written.
    fn command(
        &mut self,
        plant: &mut Plant,
        targets: &[f64],
        applied: &mut [f64],
    ) -> Result<(), BackendError>;

    /// Switches torque. Before it goes on, the target must be where the arm is.
    ///
    /// # Errors
    /// Why it may not go on, or what could not be written.
    fn set_torque(&mut self, plant: &mut Plant, on: bool) -> Result<(), BackendError>;

    /// Whether the motors hold.
    fn torque(&self, plant: &Plant) -> bool;

    /// Whether it answers.
    fn is_connected(&self) -> bool {
        true
    }

    /// Without footing: the targets of whoever else drives it.
    fn led(&self, _plant: &Plant, _targets: &mut [f64]) {}

    /// Its motors, if they are real: its joints in the plant are a twin then.
    fn motors(&mut self) -> Option<&mut Motors> {
        None
    }

    /// How its bus does, if it has one.
    fn bus_state(&self) -> Option<BusState> {
        None
    }

    /// Whether something real moves.
    fn is_real(&self) -> bool {
        false
    }
}

/// What a backend is made from.
pub(crate) struct Wanted<'a> {
    /// The scene's arm.
    pub(crate) arm: usize,
    pub(crate) name: &'a str,
    pub(crate) model: &'a Arc<ArmModel>,
    pub(crate) world_from_base: Isometry3<f64>,
    pub(crate) backend: &'a Backend,
    /// The calibration of a real arm.
    pub(crate) calibration: Option<Calibration>,
    /// The motion file's text of a replay.
    pub(crate) motion: Option<&'a str>,
    pub(crate) on_exit: OnExit,
    /// How long the loop may be silent, seconds, before a real arm holds.
    pub(crate) silence_secs: f64,
}

/// Makes a backend; it connects in its own time.
///
/// # Errors
/// There can be no such backend: why, and what to do.
pub(crate) fn connect(wanted: Wanted<'_>, plant: &Plant) -> Result<Box<dyn ArmBackend>, String> {
    if plant.served(wanted.arm).is_some() {
        return match wanted.backend {
            Backend::Sim => Ok(Box::new(ServedSim::new(wanted.arm, plant))),
            Backend::Serial(_) | Backend::Replay(_) => Err(format!(
                "arm `{}` is served to other programs, and only a simulated arm can be",
                wanted.name
            )),
        };
    }
    Ok(match wanted.backend {
        Backend::Sim => Box::new(SimArm::new(wanted.arm)),
        Backend::Serial(serial) => {
            let spec = MotorsSpec {
                serial: serial.clone(),
                role: Role::Follower,
                arm: wanted.name.to_owned(),
                model: Arc::clone(wanted.model),
                calibration: wanted.calibration,
                on_exit: wanted.on_exit,
                silence_secs: wanted.silence_secs,
            };
            let motors = Motors::connect(spec, plant.all_served())?;
            Box::new(ServoArm::new(wanted.arm, wanted.model.dof(), motors))
        }
        Backend::Replay(file) => {
            let text = wanted
                .motion
                .ok_or_else(|| format!("the motion file `{file}` was not sent along"))?;
            let motion = Motion::from_ron(file, text).map_err(|error| error.to_string())?;
            motion
                .check_for(wanted.model, plant)
                .map_err(|error| error.to_string())?;
            Box::new(ReplayArm::new(
                wanted.backend.to_string(),
                Arc::clone(wanted.model),
                wanted.world_from_base,
                Arc::new(motion),
            ))
        }
    })
}
