//! What a scene's arms are in a dataset: LeRobot's robot type, the names of the numbers of a row, and
//! how they come from a tick.

use forearm_arm::units::JointUnit;
use forearm_dataset::journal::{Channel, Layout};
use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::{Backend, ModelProblem, ModelRef, SceneBundle};

/// The arms of a scene as one robot of LeRobot's.
#[derive(Debug, Clone, PartialEq)]
pub struct Robot {
    /// LeRobot's robot type: `so_follower` for an SO-101, `bi_so_follower` for two, else the first
    /// arm's model.
    pub robot_type: String,
    /// The numbers of an action and of a state: joints of all arms in the order of the scene, in
    /// LeRobot's units. With several arms the arm's name comes first (`left_shoulder_pan.pos`).
    pub channels: Vec<Channel>,
    /// What is where in a tick.
    pub layout: TickLayout,
    /// Whether all arms are simulated: the same ticks then make the same world.
    pub simulated: bool,
}

impl Robot {
    /// The robot that a scene's arms are.
    ///
    /// # Errors
    /// A model that can't be read.
    pub fn of(bundle: &SceneBundle) -> Result<Self, ModelProblem> {
        let arms = &bundle.scene.arms;
        let models = bundle.arm_models()?;
        let all_so101 = arms.iter().all(|arm| arm.model == ModelRef::So101);
        let robot_type = match (arms.len(), all_so101) {
            (1, true) => "so_follower".to_owned(),
            (2, true) => "bi_so_follower".to_owned(),
            _ => models
                .first()
                .map_or_else(String::new, |model| model.name.clone()),
        };
        let mut channels = Vec::new();
        for (arm, model) in arms.iter().zip(&models) {
            for (index, joint) in model.joints.iter().enumerate() {
                let (scale, zero) = JointUnit::Lerobot.scale_and_zero(model, index);
                let name = match arms.len() {
                    1 => format!("{}.pos", joint.name),
                    _ => format!("{}_{}.pos", arm.name, joint.name),
                };
                channels.push(Channel {
                    name,
                    joint: channels.len(),
                    zero,
                    scale,
                });
            }
        }
        let layout = TickLayout {
            joints: channels.len(),
            objects: bundle.scene.objects.len(),
        };
        let simulated = arms.iter().all(|arm| arm.backend == Backend::Sim);
        Ok(Self {
            robot_type,
            channels,
            layout,
            simulated,
        })
    }

    /// The names of the numbers, in their order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = self.channels.iter();
        names.map(|channel| channel.name.clone()).collect()
    }

    /// [`Robot::layout`] as journals have it.
    #[must_use]
    pub fn journal_layout(&self) -> Layout {
        Layout {
            joints: self.layout.joints,
            objects: self.layout.objects,
        }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use forearm_protocol::scene::{Scene, SceneBundle};

    use super::Robot;

    fn robot(text: &str) -> Robot {
        let scene: Scene = ron::from_str(text).expect("a scene");
        Robot::of(&SceneBundle::from(scene)).expect("models")
    }

    #[test]
    fn one_arm_is_what_lerobot_calls_it() {
        let robot = robot("(name: \"a\", arms: [(name: \"arm\")])");
        assert_eq!(robot.robot_type, "so_follower");
        assert_eq!(
            robot.names(),
            [
                "shoulder_pan.pos",
                "shoulder_lift.pos",
                "elbow_flex.pos",
                "wrist_flex.pos",
                "wrist_roll.pos",
                "gripper.pos"
            ]
        );
        assert_eq!((robot.layout.joints, robot.layout.width()), (6, 13));
        assert!(robot.simulated);
        let pan = &robot.channels[0];
        let degrees = (std::f64::consts::FRAC_PI_2 - pan.zero) * pan.scale;
        assert!((degrees - 90.0).abs() < 1e-12);
    }

    #[test]
    fn of_two_arms_each_has_its_name() {
        let text = "(name: \"a\", arms: [(name: \"left\"), (name: \"right\")])";
        let robot = robot(text);
        assert_eq!(robot.robot_type, "bi_so_follower");
        assert_eq!(robot.names()[0], "left_shoulder_pan.pos");
        assert_eq!(robot.names()[11], "right_gripper.pos");
        assert_eq!(robot.channels[11].joint, 11);
    }
}
