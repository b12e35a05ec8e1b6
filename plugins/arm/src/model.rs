//! The constant description of an arm: links, joints, servos, limits and looks.
//!
//! An [`ArmModel`] never changes after it is built; what moves lives in joint vectors. Lengths are
//! metres, angles radians, masses kilograms, forces newtons, torques newton metres. Frames are
//! right-handed with Z up; `parent_from_child` maps a point of the child frame to the parent's.

use nalgebra::{Isometry3, Unit, Vector3};

use crate::ModelError;
use crate::shape::Shape;

/// An arm: a tree of links rooted in `links[0]`, moved by its actuated joints.
///
/// Joint vectors (`&[f64]`) everywhere in Forearm are in the order of [`ArmModel::joints`], from
/// the base to the tip, the gripper last.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmModel {
    /// The model's name, for instance `so101`.
    pub name: String,
    /// All links; the first is the base, and a link's parent always comes before it.
    pub links: Vec<Link>,
    /// The actuated joints, from base to tip, the gripper (if any) last.
    pub joints: Vec<Joint>,
    /// Where the tool is: the frame that inverse kinematics moves.
    pub tool: ToolFrame,
    /// The index in [`ArmModel::joints`] of the joint that opens the gripper, if there is one.
    /// Inverse kinematics leaves it alone.
    pub gripper: Option<usize>,
    /// A comfortable pose to start from, one position a joint (radians or metres).
    pub home: Vec<f64>,
}

/// A rigid body of the arm, and how it hangs from its parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The link's name, unique in the model.
    pub name: String,
    /// What it hangs from; `None` for the base only.
    pub attachment: Option<Attachment>,
    /// Mass and inertia.
    pub inertial: Inertial,
    /// What is drawn.
    pub visuals: Vec<Visual>,
    /// What collides.
    pub colliders: Vec<LinkCollider>,
}

/// How a link hangs from its parent link.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Index of the parent link; smaller than the link's own.
    pub parent: usize,
    /// The joint's frame in the parent's, at joint position zero.
    pub parent_from_joint: Isometry3<f64>,
    /// The actuated joint (index in [`ArmModel::joints`]) between the two; `None` if fixed.
    pub joint: Option<usize>,
}

/// An actuated joint. Its frame is its child link's frame at position zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// The joint's name, unique in the model; LeRobot's motor name for the built-in arms.
    pub name: String,
    /// Whether it turns or slides.
    pub kind: JointKind,
    /// The axis it turns about or slides along, in its own frame.
    pub axis: Unit<Vector3<f64>>,
    /// Position, velocity and effort limits.
    pub limits: JointLimits,
    /// The servo that drives it.
    pub servo: Servo,
}

/// Whether a joint turns or slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JointKind {
    /// Turns about its axis; positions are radians.
    Revolute,
    /// Slides along its axis; positions are metres.
    Prismatic,
}

/// Limits of one joint. `lower < upper`, all finite, velocity and effort positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointLimits {
    /// Lowest position, radians or metres.
    pub lower: f64,
    /// Highest position, radians or metres.
    pub upper: f64,
    /// Highest speed, radians or metres a second.
    pub velocity: f64,
    /// Highest torque or force, newton metres or newtons.
    pub effort: f64,
}

/// A position servo: `effort = kp (target − q) − kv q̇`, clipped, minus friction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Servo {
    /// Position gain, N·m/rad (or N/m).
    pub kp: f64,
    /// Velocity gain, N·m·s/rad (or N·s/m).
    pub kv: f64,
    /// Viscous damping of the joint, N·m·s/rad (or N·s/m).
    pub damping: f64,
    /// Dry (Coulomb) friction, N·m (or N).
    pub friction_loss: f64,
    /// Inertia of rotor and gears reflected to the joint, kg·m² (or kg).
    pub armature: f64,
    /// Full width of the gears' play, radians (or metres); zero for none.
    pub backlash: f64,
}

/// Mass properties of a link, in the link's frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inertial {
    /// Mass, kg.
    pub mass: f64,
    /// The inertial frame (centre of mass; axes of [`Inertial::inertia`]) in the link's frame.
    pub link_from_inertial: Isometry3<f64>,
    /// Moments and products of inertia about the centre of mass in the inertial frame, kg·m²:
    /// `[ixx, iyy, izz, ixy, ixz, iyz]`.
    pub inertia: [f64; 6],
}

/// Something drawn on a link.
#[derive(Debug, Clone, PartialEq)]
pub struct Visual {
    /// Where it is in the link's frame.
    pub link_from_shape: Isometry3<f64>,
    /// Its geometry.
    pub shape: Shape,
    /// What it is made of.
    pub material: Material,
}

/// What a visual is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Material {
    /// A 3D-printed part, drawn in the colour that the scene gives the arm.
    Printed,
    /// A servo's black plastic case.
    Servo,
    /// Bright metal: horns, screws, bearings.
    Metal,
    /// Dark rubber or silicone: pads, cables.
    Rubber,
    /// A colour of its own: linear-light-agnostic sRGB and alpha, each 0 to 1.
    Color([f32; 4]),
}

/// Something that collides on a link.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkCollider {
    /// Where it is in the link's frame.
    pub link_from_shape: Isometry3<f64>,
    /// Its geometry; meshes collide as their convex hulls.
    pub shape: Shape,
    /// Coulomb friction coefficient.
    pub friction: f64,
}

/// The frame that tool poses speak of: a link and an offset in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToolFrame {
    /// Index of the link that carries the tool.
    pub link: usize,
    /// The tool's frame in that link's.
    pub link_from_tool: Isometry3<f64>,
}

impl ArmModel {
    /// The index of the joint with this name.
    #[must_use]
    pub fn joint_index(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|joint| joint.name == name)
    }

    /// The index of the link with this name.
    #[must_use]
    pub fn link_index(&self, name: &str) -> Option<usize> {
        self.links.iter().position(|link| link.name == name)
    }

    /// The number of actuated joints; the length of every joint vector.
    #[must_use]
    pub fn dof(&self) -> usize {
        self.joints.len()
    }

    /// Checks what every other part relies on: parents come first, every joint moves exactly one
    /// link, names are unique, numbers are finite, limits are ordered, inertia is physical.
    ///
    /// # Errors
    /// Names the link or joint, the field, what was found and what is allowed.
    pub fn validate(&self) -> Result<(), ModelError> {
        crate::validate::validate(self)
    }
}
