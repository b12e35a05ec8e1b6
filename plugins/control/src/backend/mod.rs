//! Arm backends: what moves an arm, behind one contract.
//!
//! A backend is chosen once, in [`connect`], from the scene. All times and limits are the control
//! loop's business: a backend reads, writes and switches torque.

mod plant;
mod sim;

use forearm_protocol::scene::Backend;

pub use plant::Plant;
pub use sim::SimArm;

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

/// An arm that can be driven. Nothing here waits longer than its bus needs, or allocates.
pub trait ArmBackend: Send {
    /// What moves the arm, for people: `sim`, or a serial port.
    fn identify(&self) -> &str;

    /// Reads all joints into `out`, which has one place a joint.
    ///
    /// # Errors
    /// What was not answered; `out` may then be partly new.
    fn observe(&mut self, plant: &mut Plant, out: &mut Observation) -> Result<(), BackendError>;

    /// Commands all joints; `applied` receives what was really commanded, after the backend's own
    /// clipping and rounding. Without torque nothing moves.
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
    /// What could not be written.
    fn set_torque(&mut self, plant: &mut Plant, on: bool) -> Result<(), BackendError>;

    /// Whether the motors hold.
    fn torque(&self, plant: &Plant) -> bool;
}

/// The backend that a scene asks for, for the scene's arm number `arm`.
#[must_use]
pub fn connect(backend: &Backend, arm: usize) -> Box<dyn ArmBackend> {
    match backend {
        // What is not simulated is connected to by the loop, in its own time.
        Backend::Sim | Backend::Serial(_) | Backend::Replay(_) => Box::new(SimArm::new(arm)),
    }
}
