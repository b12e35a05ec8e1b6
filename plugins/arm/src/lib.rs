//! Arm models, kinematics and safety limits: plain mathematics.
//!
//! What is here: [`ArmModel`] (built in: [`so101`](so101::so101); imported from URDF and MJCF in
//! [`import`]), forward kinematics and Jacobian ([`kinematics`]), inverse kinematics ([`ik`]), the
//! safety chain that every command passes ([`safety`]), units at the edges ([`units`]), what real
//! servos' ticks mean ([`calibration`]), and triangles for every shape ([`mesh`]).
//!
//! What is not: files, clocks, threads, Bevy, Rapier. An importer asks its caller for the bytes of
//! a mesh; time is always an argument.
//!
//! Units are metres, radians, seconds, kilograms, newtons; frames are right-handed, Z up.

pub mod calibration;
pub mod ik;
pub mod import;
pub mod kinematics;
pub mod mesh;
pub mod model;
pub mod safety;
pub mod shape;
pub mod so101;
pub mod units;
mod validate;

pub use model::{
    ArmModel, Attachment, Inertial, Joint, JointKind, JointLimits, Link, LinkCollider, Material,
    Servo, ToolFrame, Visual,
};
pub use shape::{Shape, TriMesh};

/// What is wrong with a model: where, what was found, what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ModelError {
    /// The link, joint or element at fault, for instance ``joint `elbow_flex` limit``.
    pub place: String,
    /// What was found and what is allowed.
    pub problem: String,
}
