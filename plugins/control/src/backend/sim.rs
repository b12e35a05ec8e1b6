//! The simulated arm: a window onto one arm of the plant's world.

use super::{ArmBackend, BackendError, Observation, Plant};

/// An arm of the simulated world.
#[derive(Debug, Clone, Copy)]
pub struct SimArm {
    arm: usize,
}

impl SimArm {
    /// The scene's arm number `arm`.
    #[must_use]
    pub fn new(arm: usize) -> Self {
        Self { arm }
    }
}

impl ArmBackend for SimArm {
    fn identify(&self) -> &str {
        "sim"
    }

    fn observe(&mut self, plant: &mut Plant, out: &mut Observation) -> Result<(), BackendError> {
        let world = plant.world();
        world.joint_positions(self.arm, &mut out.positions);
        world.joint_velocities(self.arm, &mut out.velocities);
        world.joint_efforts(self.arm, &mut out.efforts);
        Ok(())
    }

    fn command(
        &mut self,
        plant: &mut Plant,
        targets: &[f64],
        applied: &mut [f64],
    ) -> Result<(), BackendError> {
        plant.world_mut().set_targets(self.arm, targets);
        for (applied, target) in applied.iter_mut().zip(targets) {
            *applied = *target;
        }
        Ok(())
    }

    fn set_torque(&mut self, plant: &mut Plant, on: bool) -> Result<(), BackendError> {
        plant.world_mut().set_torque(self.arm, on);
        Ok(())
    }

    fn torque(&self, plant: &Plant) -> bool {
        plant.world().torque(self.arm)
    }
}
