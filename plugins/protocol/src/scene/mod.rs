//! Scenes: arms and their backends, objects, cameras, lights. One RON file a scene.
//!
//! [`Scene::from_ron`] reads and checks a file, [`Scene::to_ron`] writes one, [`edit`] changes scenes; `scenes/README.md` documents the schema for
//! people. Lengths are metres, masses kilograms, angles in files degrees (they are for people),
//! frames right-handed, Z up, the table's surface at z = 0.

mod check;
pub mod edit;
mod models;
mod solids;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use check::{MAX_CAMERA_PIXELS, SceneProblem};
pub use models::ModelProblem;
pub use solids::ObjectPart;

pub use crate::ron_file::FileError;
use crate::servo::{ArmCalibrations, SerialArm};

/// Everything that is in a scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// A short name, shown in the app.
    pub name: String,
    /// One sentence for the list of scenes.
    #[serde(default)]
    pub description: String,
    /// The arms; at least one.
    pub arms: Vec<ArmSpec>,
    /// Things on the table.
    #[serde(default)]
    pub objects: Vec<ObjectSpec>,
    /// Simulated cameras.
    #[serde(default)]
    pub cameras: Vec<CameraSpec>,
    /// Lights; a soft default set when empty.
    #[serde(default)]
    pub lights: Vec<LightSpec>,
    /// The table.
    #[serde(default)]
    pub table: TableSpec,
    /// How the simulation runs.
    #[serde(default)]
    pub physics: PhysicsSpec,
}

/// An arm in a scene.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSpec {
    /// Unique among the scene's arms; LeRobot's robot id.
    pub name: String,
    /// Which arm it is.
    #[serde(default)]
    pub model: ModelRef,
    /// What moves it.
    #[serde(default)]
    pub backend: Backend,
    /// A leader arm that a person moves and this one follows.
    #[serde(default)]
    pub leader: Option<SerialArm>,
    /// Where its base stands, metres.
    #[serde(default)]
    pub position: [f64; 3],
    /// How its base is turned about Z, degrees; at 0 the arm reaches along +X.
    #[serde(default)]
    pub yaw_degrees: f64,
    /// Joint positions to start from, degrees (metres for sliding joints), by joint name; joints
    /// left out start at the model's home.
    #[serde(default)]
    pub home_degrees: BTreeMap<String, f64>,
    /// Colour of the printed parts, sRGB, each 0 to 1.
    #[serde(default = "default_arm_color")]
    pub color: [f32; 3],
}

/// Which arm model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ModelRef {
    /// The built-in SO-101.
    #[default]
    So101,
    /// A URDF or MJCF file, relative to the scene file.
    File(String),
}

/// What moves an arm.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Backend {
    /// The simulated arm.
    #[default]
    Sim,
    /// Servos on a serial port.
    Serial(SerialArm),
    /// A motion file's joint positions, played over and over as if they were measured: nothing
    /// moves but the picture. The file's name, relative to the scene file.
    Replay(String),
}

/// A thing on the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectSpec {
    /// Unique among the scene's objects.
    pub name: String,
    /// Its geometry.
    pub shape: ObjectShape,
    /// Where its centre is, metres (a tray's: the centre of its floor's underside).
    pub position: [f64; 3],
    /// Roll, pitch, yaw in degrees, about the fixed X, Y, Z axes in this order.
    #[serde(default)]
    pub rotation_degrees: [f64; 3],
    /// Mass, kilograms.
    #[serde(default = "default_mass")]
    pub mass: f64,
    /// Coulomb friction coefficient.
    #[serde(default = "default_friction")]
    pub friction: f64,
    /// Colour, sRGB, each 0 to 1.
    #[serde(default = "default_object_color")]
    pub color: [f32; 3],
    /// Whether it is fastened to the table.
    #[serde(default)]
    pub fixed: bool,
}

/// Geometry of an object, metres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ObjectShape {
    /// A cube.
    Cube {
        /// Length of a side.
        size: f64,
    },
    /// A box.
    Box {
        /// Lengths of its sides.
        size: [f64; 3],
    },
    /// A cylinder standing along Z.
    Cylinder {
        /// Radius.
        radius: f64,
        /// Height.
        height: f64,
    },
    /// A ball.
    Ball {
        /// Radius.
        radius: f64,
    },
    /// An open tray: a floor and four walls.
    Tray {
        /// Inner length and width.
        inner: [f64; 2],
        /// Height of the walls above the floor's underside.
        height: f64,
        /// Thickness of floor and walls.
        wall: f64,
    },
}

/// A simulated camera. It looks along its −Z, its +Y is up (as in Bevy and OpenGL).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraSpec {
    /// Unique among the scene's cameras; LeRobot's camera key.
    pub name: String,
    /// What it is fixed to.
    pub mount: CameraMount,
    /// Vertical field of view, degrees.
    #[serde(default = "default_fov")]
    pub fov_y_degrees: f64,
    /// Width and height of its image, pixels.
    #[serde(default = "default_resolution")]
    pub resolution: [u32; 2],
    /// Images a second.
    #[serde(default = "default_camera_fps")]
    pub fps: f64,
}

/// What a camera is fixed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum CameraMount {
    /// Stands in the room.
    World {
        /// Where it is, metres.
        position: [f64; 3],
        /// The point it looks at, metres.
        look_at: [f64; 3],
    },
    /// Rides on a link of an arm.
    Link {
        /// The arm's name.
        arm: String,
        /// The link's name.
        link: String,
        /// Where it is in the link's frame, metres.
        position: [f64; 3],
        /// Roll, pitch, yaw in the link's frame, degrees.
        rotation_degrees: [f64; 3],
    },
}

/// A light.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LightSpec {
    /// Parallel light that casts shadows.
    Sun {
        /// A point it comes from, metres; only the direction to the origin counts.
        from: [f64; 3],
        /// Illuminance, lux.
        lux: f64,
    },
    /// A lamp.
    Point {
        /// Where it hangs, metres.
        position: [f64; 3],
        /// Luminous power, lumens.
        lumens: f64,
    },
    /// Light from everywhere.
    Ambient {
        /// Brightness, candela a square metre.
        brightness: f64,
    },
}

/// The table: a box with its surface at z = 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableSpec {
    /// Length along X and Y, metres.
    pub size: [f64; 2],
    /// Centre of its surface, metres.
    pub center: [f64; 2],
    /// Coulomb friction coefficient.
    pub friction: f64,
    /// Colour, sRGB, each 0 to 1.
    pub color: [f32; 3],
}

impl Default for TableSpec {
    fn default() -> Self {
        Self {
            size: [1.2, 0.9],
            center: [0.25, 0.0],
            friction: 0.8,
            color: [0.74, 0.70, 0.64],
        }
    }
}

/// How the simulation runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhysicsSpec {
    /// Fixed steps a second.
    pub hz: f64,
    /// Gravity, m/s².
    pub gravity: [f64; 3],
    /// What drives the joints of simulated arms.
    pub servo: ServoModel,
}

/// What drives the joints of simulated arms.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum ServoModel {
    /// An ideal position actuator with the gains and limits of the arm's model.
    #[default]
    Ideal,
    /// A Feetech STS3215 with its firmware; sliding joints have the ideal actuator.
    Sts3215(Sts3215Spec),
}

/// The supply of an STS3215, what its registers say, and the play of its gears.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sts3215Spec {
    /// Supply, V.
    pub voltage: f64,
    /// Register 21, the proportional gain.
    pub p: u8,
    /// Register 22, the derivative gain.
    pub d: u8,
    /// Registers 26 and 27: the servo rests while it is off by no more than this, steps of 0.088°.
    pub dead_band: u8,
    /// Register 41, in 100 steps/s²; 0 for no limit.
    pub acceleration: u8,
    /// Register 46, steps a second; 0 for as fast as it can.
    pub goal_velocity: u16,
    /// Full width of the gears' play, degrees.
    pub backlash_degrees: f64,
}

impl Default for Sts3215Spec {
    /// As LeRobot sets it up, on 12 V.
    fn default() -> Self {
        Self {
            voltage: 12.0,
            p: 16,
            d: 32,
            dead_band: 1,
            acceleration: 254,
            goal_velocity: 0,
            backlash_degrees: 0.87,
        }
    }
}

impl Default for PhysicsSpec {
    fn default() -> Self {
        Self {
            hz: 500.0,
            gravity: [0.0, 0.0, -9.81],
            servo: ServoModel::Ideal,
        }
    }
}

/// A scene with the files its models need: all that a service in another thread wants, so that no
/// service reads files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneBundle {
    /// The scene.
    pub scene: Scene,
    /// One entry for every [`ModelRef::File`] of the scene, by the reference's text.
    pub models: BTreeMap<String, Arc<ModelFiles>>,
    /// The calibrations of real arms, by the arm's name.
    #[serde(default)]
    pub calibrations: BTreeMap<String, ArmCalibrations>,
    /// One entry for every [`Backend::Replay`] of the scene, by the reference's text: the motion
    /// file's.
    #[serde(default)]
    pub motions: BTreeMap<String, String>,
}

/// A model file and the mesh files it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFiles {
    /// The URDF's or MJCF's text.
    pub text: String,
    /// Mesh files by the name that the model uses.
    pub meshes: BTreeMap<String, Vec<u8>>,
}

impl From<Scene> for SceneBundle {
    /// A scene that needs no files.
    fn from(scene: Scene) -> Self {
        Self {
            scene,
            models: BTreeMap::new(),
            calibrations: BTreeMap::new(),
            motions: BTreeMap::new(),
        }
    }
}

impl Backend {
    /// The real arm, if it is one.
    #[must_use]
    pub fn serial(&self) -> Option<&SerialArm> {
        match self {
            Self::Serial(serial) => Some(serial),
            Self::Sim | Self::Replay(_) => None,
        }
    }
}

impl SceneBundle {
    /// The same with simulated arms in place of real and replayed ones, and without leaders.
    #[must_use]
    pub fn simulated(&self) -> Self {
        let mut bundle = self.clone();
        for arm in &mut bundle.scene.arms {
            arm.backend = Backend::Sim;
            arm.leader = None;
        }
        bundle
    }
}

impl fmt::Display for Backend {
    /// As `--arm` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim => f.write_str("sim"),
            Self::Serial(SerialArm { port, .. }) => f.write_str(port),
            Self::Replay(file) => write!(f, "replay:{file}"),
        }
    }
}

impl ObjectSpec {
    /// Whether a gripper can pick it up.
    #[must_use]
    pub fn graspable(&self) -> bool {
        !self.fixed && !matches!(self.shape, ObjectShape::Tray { .. })
    }
}

fn default_arm_color() -> [f32; 3] {
    [1.0, 0.82, 0.12]
}
fn default_object_color() -> [f32; 3] {
    [0.85, 0.25, 0.22]
}
fn default_mass() -> f64 {
    0.03
}
fn default_friction() -> f64 {
    1.0
}
fn default_fov() -> f64 {
    60.0
}
fn default_resolution() -> [u32; 2] {
    [640, 480]
}
fn default_camera_fps() -> f64 {
    30.0
}
