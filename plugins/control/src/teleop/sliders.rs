//! Sliders set joint targets; the safety chain makes the way there smooth.

use forearm_arm::ArmModel;

use super::{Input, Outcome, Situation, Teleoperator};

/// The slider teleoperator of one arm.
#[derive(Debug, Clone)]
pub struct Sliders {
    positions: Vec<f64>,
}

impl Sliders {
    /// Sliders for this arm, at its home.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        Self {
            positions: model.home.clone(),
        }
    }
}

impl Teleoperator for Sliders {
    fn engage(&mut self, situation: &Situation<'_>) {
        self.positions.copy_from_slice(situation.command);
    }

    fn input(&mut self, input: &Input<'_>, _: &Situation<'_>) {
        if let Input::JointTargets(positions) = input {
            // Sliders of another arm may be fewer; what is missing stays.
            for (position, slider) in self.positions.iter_mut().zip(*positions) {
                *position = *slider;
            }
        }
    }

    fn intent(&mut self, _: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        targets.copy_from_slice(&self.positions);
        Outcome::Driving
    }
}
