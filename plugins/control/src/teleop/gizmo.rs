//! The tool follows a dragged frame through inverse kinematics.

use forearm_arm::ArmModel;
use forearm_arm::ik::{IkConfig, IkSolver};
use nalgebra::Isometry3;

use super::pose::isometry;
use super::{Input, Outcome, Situation, Teleoperator};

/// The gizmo teleoperator of one arm.
#[derive(Debug, Clone)]
pub struct Gizmo {
    solver: IkSolver,
    with_orientation: IkConfig,
    /// A target that was not solved for yet, in the base's frame.
    target: Option<Isometry3<f64>>,
}

impl Gizmo {
    /// A gizmo for this arm.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        let with_orientation = IkConfig::default();
        Self {
            solver: IkSolver::new(model, with_orientation),
            with_orientation,
            target: None,
        }
    }
}

impl Teleoperator for Gizmo {
    fn engage(&mut self, _: &Situation<'_>) {
        self.target = None;
    }

    fn input(&mut self, input: &Input<'_>, _: &Situation<'_>) {
        if let Input::ToolTarget {
            base_from_tool,
            orientation,
        } = input
            && let Some(target) = isometry(base_from_tool)
        {
            let weight = if *orientation {
                self.with_orientation.orientation_weight
            } else {
                0.0
            };
            let config = IkConfig {
                orientation_weight: weight,
                ..self.with_orientation
            };
            if *self.solver.config() != config {
                self.solver.set_config(config);
            }
            self.target = Some(target);
        }
    }

    fn intent(&mut self, _: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        // Beyond reach the solver answers the nearest pose: the arm stretches after the frame.
        if let Some(target) = self.target.take() {
            let solution = self.solver.solve(targets, &target);
            targets.copy_from_slice(solution.joints);
        }
        Outcome::Driving
    }
}
