//! A simulated arm whose servos are served to other programs: they drive it while their torque is on;
//! else it is moved as by a hand, or sags.

use super::{ArmBackend, BackendError, Footing, Moment, Observation, Plant, SimArm};

/// A served arm of the simulated world.
pub struct ServedSim {
    arm: SimArm,
    number: usize,
    place: String,
    /// Whether a hand would hold it.
    hand: bool,
    /// Whether it was there to be moved at the last tick.
    held: bool,
}

impl ServedSim {
    /// The scene's arm number `arm`, which the plant serves.
    #[must_use]
    pub fn new(arm: usize, plant: &Plant) -> Self {
        Self {
            arm: SimArm::new(arm),
            number: arm,
            place: plant
                .served(arm)
                .map_or_else(String::new, |served| served.place()),
            hand: true,
            held: false,
        }
    }
}

impl ArmBackend for ServedSim {
    fn identify(&self) -> &str {
        &self.place
    }

    fn attend(&mut self, moment: &mut Moment<'_>) -> Footing {
        let holds = self.hand && moment.active;
        let Some(served) = moment.plant.served_mut(self.number) else {
            return Footing::None;
        };
        served.set_hand(holds);
        let held = holds && served.command().torque == 0;
        match (held, std::mem::replace(&mut self.held, held)) {
            (false, _) => Footing::None,
            (true, false) => Footing::New,
            (true, true) => Footing::Firm,
        }
    }

    fn observe(&mut self, plant: &mut Plant, out: &mut Observation) -> Result<(), BackendError> {
        self.arm.observe(plant, out)
    }

    fn command(
        &mut self,
        plant: &mut Plant,
        targets: &[f64],
        applied: &mut [f64],
    ) -> Result<(), BackendError> {
        if self.held {
            return self.arm.command(plant, targets, applied);
        }
        Ok(())
    }

    fn set_torque(&mut self, _: &mut Plant, on: bool) -> Result<(), BackendError> {
        self.hand = on;
        Ok(())
    }

    fn torque(&self, plant: &Plant) -> bool {
        let driven = plant
            .served(self.number)
            .is_some_and(|served| served.command().torque != 0);
        driven || self.hand
    }

    fn led(&self, plant: &Plant, targets: &mut [f64]) {
        let Some(served) = plant.served(self.number) else {
            return;
        };
        let command = served.command();
        for (joint, target) in targets.iter_mut().enumerate() {
            if command.drives(joint) {
                *target = command.targets[joint];
            }
        }
    }
}
