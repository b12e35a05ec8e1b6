//! What can be wrong with a scene that is to be simulated.

/// Why a world could not be built. Each message says what is wrong and what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimError {
    /// The number of models differs from the number of arms.
    #[error(
        "the scene has {arms} arms but {models} models were given; give one model for each arm"
    )]
    ModelCount {
        /// Arms in the scene.
        arms: usize,
        /// Models given.
        models: usize,
    },
    /// A model that is not consistent.
    #[error("arm `{arm}`: its model `{model}` is wrong at {problem}")]
    Model {
        /// The arm's name in the scene.
        arm: String,
        /// The model's name.
        model: String,
        /// Where and what.
        problem: String,
    },
    /// A home position for a joint that the arm does not have.
    #[error(
        "arm `{arm}`: `home_degrees` names the joint `{joint}`, which the model lacks; it has: {known}"
    )]
    UnknownJoint {
        /// The arm's name.
        arm: String,
        /// The name found.
        joint: String,
        /// The joints there are.
        known: String,
    },
    /// A home position outside the joint's limits.
    #[error(
        "arm `{arm}`: home position {value} of joint `{joint}` is outside {lower} to {upper} ({unit})"
    )]
    HomeOutside {
        /// The arm's name.
        arm: String,
        /// The joint's name.
        joint: String,
        /// The position found.
        value: f64,
        /// The lowest allowed.
        lower: f64,
        /// The highest allowed.
        upper: f64,
        /// `degrees` or `metres`.
        unit: &'static str,
    },
    /// A number that is not allowed.
    #[error("{place}: {field} is {value}, but must be {allowed}")]
    Value {
        /// What the number belongs to, for instance ``object `cube` ``.
        place: String,
        /// Which number.
        field: &'static str,
        /// What was found.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A collision shape without volume, or a mesh without a convex hull.
    #[error(
        "arm `{arm}`: collision shape {index} of link `{link}` has no volume; give it at least four points that are not in one plane, and sizes above zero"
    )]
    Shape {
        /// The arm's name.
        arm: String,
        /// The link's name.
        link: String,
        /// Which of the link's shapes.
        index: usize,
    },
    /// A state of another scene's world.
    #[error(
        "this state was kept by a world of another scene; restore it in a world built from the same scene"
    )]
    State,
}
