//! The built-in SO-101 (follower, new calibration): numbers only.
//!
//! Kinematics, masses and servo constants are those of the SO-101's published robot description
//! (each joint's zero is the middle of its range, as LeRobot calibrates). Collision shapes are
//! boxes fitted to the printed parts; jaws end in flat pads so that a grasp has whole faces to
//! hold by. The base stands on its table and does not collide.

mod looks;

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use crate::model::{
    ArmModel, Attachment, Inertial, Joint, JointKind, JointLimits, Link, LinkCollider, Servo,
    ToolFrame,
};
use crate::shape::Shape;

/// A half and a quarter turn as the published description rounds them: the reference poses are made
/// with these, and with exact ones the tool would be 14 µrad off.
#[expect(
    clippy::approx_constant,
    reason = "the published description's rounding"
)]
const PI: f64 = 3.14159;
/// See [`PI`].
#[expect(
    clippy::approx_constant,
    reason = "the published description's rounding"
)]
const FRAC_PI_2: f64 = 1.5708;
/// Stall torque of an STS3215 at 12 V, N·m.
const STALL_TORQUE: f64 = 2.94;
/// Torque that LeRobot leaves the gripper's servo (`Max_Torque_Limit` 500 of 1000), N·m.
const GRIPPER_TORQUE: f64 = 1.47;
/// No-load speed of an STS3215 at 12 V (60° in 0.222 s), rad/s.
const NO_LOAD_SPEED: f64 = 4.717;
/// Friction of printed plastic.
const PLASTIC: f64 = 0.5;
/// Friction of the jaws' gripping faces.
const PAD: f64 = 0.6;

/// An STS3215 as LeRobot sets it up (`P_Coefficient` 16), seen from its joint.
const STS3215: Servo = Servo {
    kp: 998.22,
    kv: 2.731,
    damping: 0.60,
    friction_loss: 0.052,
    armature: 0.028,
    backlash: 0.0,
};

/// Mass (kg), centre of mass (m), `[ixx, iyy, izz, ixy, ixz, iyz]` (kg·m²) of one link.
type Mass = (f64, [f64; 3], [f64; 6]);
/// Name, lower and upper limit (rad), torque limit (N·m), origin (m) and roll, pitch, yaw (rad).
type JointRow = (&'static str, f64, f64, f64, [f64; 3], [f64; 3]);
/// Half extents, centre (m) and friction of a box along the link's axes.
type BoxRow = ([f64; 3], [f64; 3], f64);

/// One row a link: its name, its mass, the joint that moves it, its collision boxes.
struct Row {
    name: &'static str,
    mass: Mass,
    joint: Option<JointRow>,
    boxes: &'static [BoxRow],
}

const ROWS: [Row; 7] = [
    Row {
        name: "base_link",
        mass: (
            0.147,
            [0.0137179, -5.19711e-5, 0.0334843],
            [
                1.14686e-4,
                1.36117e-4,
                1.30364e-4,
                -4.59787e-7,
                4.97151e-6,
                9.75275e-8,
            ],
        ),
        joint: None,
        boxes: &[],
    },
    Row {
        name: "shoulder_link",
        mass: (
            0.100006,
            [-0.0307604, -1.66727e-5, -0.0252713],
            [
                8.3759e-5,
                8.10403e-5,
                2.39783e-5,
                7.55525e-8,
                -1.16342e-6,
                1.54663e-7,
            ],
        ),
        joint: Some((
            "shoulder_pan",
            -1.91986,
            1.91986,
            STALL_TORQUE,
            [0.0388353, -8.97657e-9, 0.0624],
            [PI, 0.0, -PI],
        )),
        boxes: &[
            (
                [0.015, 0.010, 0.023],
                [-0.030399, 0.000422, -0.0387],
                PLASTIC,
            ),
            ([0.025, 0.020, 0.038], [-0.025, 0.0, 0.0], PLASTIC),
        ],
    },
    Row {
        name: "upper_arm_link",
        mass: (
            0.103,
            [-0.0898471, -0.00838224, 0.0184089],
            [
                4.08002e-5,
                1.47318e-4,
                1.42487e-4,
                -1.97819e-5,
                -4.03016e-8,
                8.97326e-9,
            ],
        ),
        joint: Some((
            "shoulder_lift",
            -1.74533,
            1.74533,
            STALL_TORQUE,
            [-0.0303992, -0.0182778, -0.0542],
            [-FRAC_PI_2, -FRAC_PI_2, 0.0],
        )),
        boxes: &[
            ([0.070, 0.010, 0.030], [-0.06, 0.0, 0.02], PLASTIC),
            ([0.010, 0.020, 0.015], [-0.12, -0.014, 0.0182], PLASTIC),
        ],
    },
    Row {
        name: "lower_arm_link",
        mass: (
            0.104,
            [-0.0980701, 0.00324376, 0.0182831],
            [
                2.87438e-5,
                1.59844e-4,
                1.4529e-4,
                7.41152e-6,
                1.26409e-6,
                -4.90188e-8,
            ],
        ),
        joint: Some((
            "elbow_flex",
            -1.69,
            1.69,
            STALL_TORQUE,
            [-0.11257, -0.028, 1.73763e-16],
            [0.0, 0.0, FRAC_PI_2],
        )),
        boxes: &[
            ([0.070, 0.010, 0.030], [-0.05, 0.0, 0.0182], PLASTIC),
            ([0.023, 0.013, 0.018], [-0.125, 0.005, 0.018], PLASTIC),
        ],
    },
    Row {
        name: "wrist_link",
        mass: (
            0.079,
            [-0.000103312, -0.0386143, 0.0281156],
            [
                3.68263e-5,
                2.5391e-5,
                2.1e-5,
                1.7893e-8,
                -5.28128e-8,
                3.6412e-6,
            ],
        ),
        joint: Some((
            "wrist_flex",
            -1.65806,
            1.65806,
            STALL_TORQUE,
            [-0.1349, 0.0052, 3.62355e-17],
            [0.0, 0.0, -FRAC_PI_2],
        )),
        boxes: &[
            ([0.015, 0.018, 0.029], [0.0, -0.0424, 0.0256], PLASTIC),
            ([0.010, 0.030, 0.027], [0.0, -0.02, 0.0191], PLASTIC),
        ],
    },
    Row {
        name: "gripper_link",
        mass: (
            0.087,
            [0.000213627, 0.000245138, -0.025187],
            [
                2.75087e-5,
                4.33657e-5,
                3.45059e-5,
                -3.35241e-7,
                -5.7352e-6,
                -5.17847e-8,
            ],
        ),
        joint: Some((
            "wrist_roll",
            -2.74385,
            2.84121,
            STALL_TORQUE,
            [5.55112e-17, -0.0611, 0.0181],
            [FRAC_PI_2, 0.0486795, PI],
        )),
        boxes: &[
            ([0.010, 0.010, 0.018], [0.0, -0.000218, 0.00095], PLASTIC),
            ([0.0325, 0.015, 0.015], [-0.0025, 0.0, -0.022], PLASTIC),
            ([0.010, 0.015, 0.005], [-0.024, 0.0, -0.040], PLASTIC),
        ],
    },
    Row {
        name: "moving_jaw_so101_v1_link",
        mass: (
            0.012,
            [-0.00157495, -0.0300244, 0.0192755],
            [
                6.61427e-6,
                1.89032e-6,
                5.28738e-6,
                -3.19807e-7,
                -5.90717e-9,
                -1.09945e-7,
            ],
        ),
        joint: Some((
            "gripper",
            -0.174533,
            1.74533,
            GRIPPER_TORQUE,
            [0.0202, 0.0188, -0.0234],
            [FRAC_PI_2, -5.24284e-8, 0.0],
        )),
        boxes: &[([0.010, 0.010, 0.015], [0.0, -0.013, 0.019], PLASTIC)],
    },
];

/// A jaw's finger: a bar whose inner face runs from `root` to `tip`.
struct Finger {
    link: &'static str,
    /// Ends of the inner face's centre line in the link's frame, metres.
    root: [f64; 3],
    tip: [f64; 3],
    /// Which way the inner face looks, roughly.
    inward: [f64; 3],
    half_thickness: f64,
    half_width: f64,
}

const FINGERS: [Finger; 2] = [
    // Inner faces pass through the faces of the real jaws' pads at their tips and roots.
    Finger {
        link: "gripper_link",
        root: [-0.0135, 0.0, -0.048],
        tip: [-0.0080, 0.0, -0.1030],
        inward: [1.0, 0.0, 0.0],
        half_thickness: 0.003,
        half_width: 0.008,
    },
    Finger {
        link: "moving_jaw_so101_v1_link",
        root: [-0.0055, -0.024, 0.01875],
        tip: [-0.0128, -0.0796, 0.01875],
        inward: [-1.0, 0.0, 0.0],
        half_thickness: 0.003,
        half_width: 0.008,
    },
];

/// The SO-101 follower arm: six servos, the last one opens the jaw.
#[must_use]
pub fn so101() -> ArmModel {
    let mut links: Vec<Link> = Vec::with_capacity(ROWS.len());
    let mut joints = Vec::with_capacity(ROWS.len() - 1);
    for (index, row) in ROWS.iter().enumerate() {
        let attachment = row.joint.map(|(name, lower, upper, effort, xyz, rpy)| {
            joints.push(Joint {
                name: name.to_owned(),
                kind: JointKind::Revolute,
                axis: Vector3::z_axis(),
                limits: JointLimits {
                    lower,
                    upper,
                    velocity: NO_LOAD_SPEED,
                    effort,
                },
                servo: STS3215,
            });
            Attachment {
                parent: index - 1,
                parent_from_joint: pose(xyz, rpy),
                joint: Some(joints.len() - 1),
            }
        });
        let (mass, com, inertia) = row.mass;
        let mut colliders: Vec<LinkCollider> = row
            .boxes
            .iter()
            .map(|&(half_extents, center, friction)| LinkCollider {
                link_from_shape: pose(center, [0.0; 3]),
                shape: Shape::Box { half_extents },
                friction,
            })
            .collect();
        colliders.extend(FINGERS.iter().filter(|f| f.link == row.name).map(finger));
        links.push(Link {
            name: row.name.to_owned(),
            attachment,
            inertial: Inertial {
                mass,
                link_from_inertial: pose(com, [0.0; 3]),
                inertia,
            },
            visuals: looks::visuals(row.name),
            colliders,
        });
    }
    ArmModel {
        name: "so101".to_owned(),
        tool: ToolFrame {
            link: 5,
            link_from_tool: pose([-0.0079, -0.000218121, -0.0981274], [0.0, PI, 0.0]),
        },
        links,
        joints,
        gripper: Some(5),
        // Folded above the base, the gripper looking down and half open.
        home: vec![0.0, -1.2, 1.1, 1.2, 0.0, 0.4],
    }
}

/// A frame from its origin (m) and roll, pitch, yaw (rad) about the fixed axes.
fn pose(xyz: [f64; 3], rpy: [f64; 3]) -> Isometry3<f64> {
    Isometry3::from_parts(
        Translation3::from(Vector3::from(xyz)),
        UnitQuaternion::from_euler_angles(rpy[0], rpy[1], rpy[2]),
    )
}

/// The bar of a finger, as a box whose +X face is the inner face.
fn finger(finger: &Finger) -> LinkCollider {
    let (root, tip) = (Vector3::from(finger.root), Vector3::from(finger.tip));
    let along = (tip - root).normalize();
    let inward = Vector3::from(finger.inward);
    let normal = (inward - along * along.dot(&inward)).normalize();
    let center = (root + tip) / 2.0 - normal * finger.half_thickness;
    let rotation = UnitQuaternion::from_basis_unchecked(&[normal, along.cross(&normal), along]);
    LinkCollider {
        link_from_shape: Isometry3::from_parts(Translation3::from(center), rotation),
        shape: Shape::Box {
            half_extents: [
                finger.half_thickness,
                finger.half_width,
                (tip - root).norm() / 2.0,
            ],
        },
        friction: PAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_is_valid_and_weighs_what_the_arm_weighs() {
        let model = so101();
        model.validate().unwrap();
        let mass: f64 = model.links.iter().map(|link| link.inertial.mass).sum();
        assert!((mass - 0.632).abs() < 1e-3, "{mass}");
        assert_eq!(model.dof(), 6);
        assert_eq!(model.joints[model.gripper.unwrap()].name, "gripper");
    }

    #[test]
    fn fingers_close_on_each_other() {
        // At the gripper's lower limit the tips meet: inner faces less than 5 mm apart.
        let model = so101();
        let jaw = model.links[6].attachment.as_ref().unwrap();
        let turn =
            UnitQuaternion::from_axis_angle(&Vector3::z_axis(), model.joints[5].limits.lower);
        let gripper_from_jaw = jaw.parent_from_joint * turn;
        let tip = gripper_from_jaw * nalgebra::Point3::from(FINGERS[1].tip);
        assert!((tip.x - FINGERS[0].tip[0]).abs() < 0.005, "{tip}");
        assert!((tip.z - FINGERS[0].tip[2]).abs() < 0.005, "{tip}");
    }
}
