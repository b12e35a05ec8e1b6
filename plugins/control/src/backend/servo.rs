//! A real arm on a servo bus, and its twin in the simulated world.

use forearm_protocol::servo::BusState;

use super::{ArmBackend, BackendError, Footing, Moment, Observation, Plant};
use crate::motors::Motors;

/// An arm on a servo bus. The arm of the same number in the simulated world is told the same, and put
/// where the real one is whenever that is not driven.
pub struct ServoArm {
    arm: usize,
    motors: Motors,
    /// Where the twin is put.
    positions: Vec<f64>,
    /// The last cycle that the twin was put by.
    cycle: u64,
}

impl ServoArm {
    pub(crate) fn new(arm: usize, joints: usize, motors: Motors) -> Self {
        Self {
            arm,
            motors,
            positions: vec![0.0; joints],
            cycle: 0,
        }
    }

    /// Puts the twin where the real arm is.
    fn place_twin(&mut self, plant: &mut Plant) {
        let cycle = self.motors.sample().map_or(0, |sample| sample.cycle);
        if cycle != self.cycle && self.motors.positions(&mut self.positions) {
            self.cycle = cycle;
            plant.world_mut().place_arm(self.arm, &self.positions);
        }
    }
}

impl ArmBackend for ServoArm {
    fn identify(&self) -> &str {
        self.motors.port()
    }

    fn attend(&mut self, moment: &mut Moment<'_>) -> Footing {
        let footing = self.motors.attend(moment.now_secs, moment.news);
        if matches!(footing, Footing::None | Footing::New) {
            self.place_twin(moment.plant);
        }
        footing
    }

    fn observe(&mut self, _: &mut Plant, out: &mut Observation) -> Result<(), BackendError> {
        if self.motors.positions(&mut out.positions) {
            self.motors.slow(&mut out.velocities, &mut out.efforts);
        }
        if self.motors.is_there() && !self.motors.is_fresh() {
            return Err(BackendError {
                arm: self.identify().to_owned(),
                problem: "no motor has answered for a while; check the cable".to_owned(),
            });
        }
        Ok(())
    }

    fn command(
        &mut self,
        plant: &mut Plant,
        targets: &[f64],
        applied: &mut [f64],
    ) -> Result<(), BackendError> {
        applied.copy_from_slice(targets);
        self.motors.command(targets, applied);
        plant.world_mut().set_targets(self.arm, applied);
        Ok(())
    }

    fn set_torque(&mut self, _: &mut Plant, on: bool) -> Result<(), BackendError> {
        self.motors.set_torque(on).map_err(|problem| BackendError {
            arm: self.motors.port().to_owned(),
            problem,
        })
    }

    fn torque(&self, _: &Plant) -> bool {
        self.motors.torque()
    }

    fn is_connected(&self) -> bool {
        self.motors.is_fresh()
    }

    fn motors(&mut self) -> Option<&mut Motors> {
        Some(&mut self.motors)
    }

    fn bus_state(&self) -> Option<BusState> {
        Some(self.motors.bus_state())
    }

    fn is_real(&self) -> bool {
        true
    }
}
