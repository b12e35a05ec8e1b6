//! New things for a scene, with names that are free and places where nothing stands.

use std::collections::BTreeMap;

use super::{Item, Thing, on_table};
use crate::scene::{
    ArmSpec, Backend, CameraMount, CameraSpec, LightSpec, ModelRef, ObjectShape, ObjectSpec, Scene,
};

/// How far from an arm's base new things are put, metres: where it reaches well.
const AHEAD_M: f64 = 0.22;
/// Room that an arm's base and another arm beside it need, metres.
const BASE_RADIUS_M: f64 = 0.09;
const ARM_RADIUS_M: f64 = 0.14;
/// Between things, metres.
const GAP_M: f64 = 0.01;
/// Places are tried on a grid of this pitch, metres, and so many of it to each side.
const PITCH_M: f64 = 0.02;
const RINGS: i32 = 40;

/// What can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A cube.
    Cube,
    /// A box.
    Box,
    /// A cylinder.
    Cylinder,
    /// A ball.
    Ball,
    /// A tray.
    Tray,
    /// A camera in the room.
    Camera,
    /// A camera at an arm's gripper.
    WristCamera,
    /// Parallel light.
    Sun,
    /// A lamp.
    Lamp,
    /// Light from everywhere.
    Ambient,
    /// A simulated SO-101.
    Arm,
}

impl Kind {
    /// All of them, in the order of a menu, with their names.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Cube, "Cube"),
        (Self::Box, "Box"),
        (Self::Cylinder, "Cylinder"),
        (Self::Ball, "Ball"),
        (Self::Tray, "Tray"),
        (Self::Camera, "Camera"),
        (Self::WristCamera, "Camera on the gripper"),
        (Self::Lamp, "Lamp"),
        (Self::Sun, "Sun"),
        (Self::Ambient, "Ambient light"),
        (Self::Arm, "Arm"),
    ];

    /// A new thing of this kind for `scene`, with a free name at a free place.
    #[must_use]
    pub fn make(self, scene: &Scene) -> Thing {
        let object = |name: &str, shape: ObjectShape, color: [f32; 3], fixed: bool| {
            let mut object = ObjectSpec {
                name: free_name(
                    scene.objects.iter().map(|object| object.name.as_str()),
                    name,
                ),
                shape,
                position: [0.0; 3],
                rotation_degrees: [0.0; 3],
                mass: super::super::default_mass(),
                friction: super::super::default_friction(),
                color,
                fixed,
            };
            let [x, y] = free_place(scene, reach(scene), footprint(&shape));
            object.position = [x, y, 0.0];
            Thing::Object(on_table(&object))
        };
        let camera = |name: &str, mount: CameraMount| {
            Thing::Camera(CameraSpec {
                name: free_name(
                    scene.cameras.iter().map(|camera| camera.name.as_str()),
                    name,
                ),
                mount,
                fov_y_degrees: super::super::default_fov(),
                resolution: super::super::default_resolution(),
                fps: super::super::default_camera_fps(),
            })
        };
        match self {
            Self::Cube => object(
                "cube",
                ObjectShape::Cube { size: 0.03 },
                [0.85, 0.25, 0.22],
                false,
            ),
            Self::Box => object(
                "box",
                ObjectShape::Box {
                    size: [0.04, 0.02, 0.03],
                },
                [0.24, 0.45, 0.8],
                false,
            ),
            Self::Cylinder => {
                let shape = ObjectShape::Cylinder {
                    radius: 0.015,
                    height: 0.04,
                };
                object("cylinder", shape, [0.22, 0.62, 0.36], false)
            }
            Self::Ball => object(
                "ball",
                ObjectShape::Ball { radius: 0.016 },
                [0.92, 0.91, 0.88],
                false,
            ),
            Self::Tray => {
                let shape = ObjectShape::Tray {
                    inner: [0.12, 0.12],
                    height: 0.025,
                    wall: 0.004,
                };
                object("tray", shape, [0.33, 0.36, 0.4], true)
            }
            Self::Camera => {
                let [x, y] = reach(scene);
                let step = 0.08 * scene.cameras.len() as f64;
                camera(
                    "camera",
                    CameraMount::World {
                        position: [x + 0.3, y + 0.12 + step, 0.25],
                        look_at: [x, y, 0.03],
                    },
                )
            }
            Self::WristCamera => camera(
                "wrist",
                CameraMount::Link {
                    arm: scene
                        .arms
                        .first()
                        .map(|arm| arm.name.clone())
                        .unwrap_or_default(),
                    link: "gripper_link".to_owned(),
                    position: [0.0, 0.055, -0.045],
                    rotation_degrees: [-32.66, 0.0, 0.0],
                },
            ),
            Self::Lamp => {
                let [x, y] = reach(scene);
                Thing::Light(LightSpec::Point {
                    position: [x, y + 0.25, 0.5],
                    lumens: 40_000.0,
                })
            }
            Self::Sun => Thing::Light(LightSpec::Sun {
                from: [0.55, -0.75, 1.25],
                lux: 2500.0,
            }),
            Self::Ambient => Thing::Light(LightSpec::Ambient { brightness: 400.0 }),
            Self::Arm => {
                let beside = scene
                    .arms
                    .first()
                    .map_or([0.0; 2], |arm| [arm.position[0], arm.position[1]]);
                let [x, y] = free_place(scene, beside, ARM_RADIUS_M);
                Thing::Arm(ArmSpec {
                    name: free_name(scene.arms.iter().map(|arm| arm.name.as_str()), "arm"),
                    model: ModelRef::So101,
                    backend: Backend::Sim,
                    leader: None,
                    position: [x, y, 0.0],
                    yaw_degrees: 0.0,
                    home_degrees: BTreeMap::new(),
                    color: super::super::default_arm_color(),
                })
            }
        }
    }
}

/// A scene with nothing but an arm on its table.
#[must_use]
pub fn empty_scene() -> Scene {
    let mut scene = Scene {
        name: "New scene".to_owned(),
        description: String::new(),
        arms: Vec::new(),
        objects: Vec::new(),
        cameras: Vec::new(),
        lights: Vec::new(),
        table: super::super::TableSpec::default(),
        physics: super::super::PhysicsSpec::default(),
    };
    if let Thing::Arm(mut arm) = Kind::Arm.make(&scene) {
        "follower".clone_into(&mut arm.name);
        arm.position = [0.0; 3];
        scene.arms.push(arm);
    }
    scene
}

/// A copy of a thing with a name and a place of its own; real arms are copied as simulated ones,
/// for a port is one arm's alone. `None` for what there is only once.
pub(super) fn copy(scene: &Scene, item: Item) -> Option<Thing> {
    match item {
        Item::Object(index) => {
            let mut object = scene.objects.get(index)?.clone();
            object.name = free_name(
                scene.objects.iter().map(|other| other.name.as_str()),
                &object.name,
            );
            let beside = [object.position[0], object.position[1]];
            let [x, y] = free_place(scene, beside, footprint(&object.shape));
            object.position = [x, y, object.position[2]];
            Some(Thing::Object(object))
        }
        Item::Arm(index) => {
            let mut arm = scene.arms.get(index)?.clone();
            arm.name = free_name(
                scene.arms.iter().map(|other| other.name.as_str()),
                &arm.name,
            );
            if arm.backend.serial().is_some() {
                arm.backend = Backend::Sim;
            }
            arm.leader = None;
            let [x, y] = free_place(scene, [arm.position[0], arm.position[1]], ARM_RADIUS_M);
            arm.position = [x, y, arm.position[2]];
            Some(Thing::Arm(arm))
        }
        Item::Camera(index) => {
            let mut camera = scene.cameras.get(index)?.clone();
            camera.name = free_name(
                scene.cameras.iter().map(|other| other.name.as_str()),
                &camera.name,
            );
            if let CameraMount::World { position, .. } = &mut camera.mount {
                position[1] = ((position[1] + 0.08) * 1e5).round() / 1e5;
            }
            Some(Thing::Camera(camera))
        }
        Item::Light(index) => {
            let mut light = *scene.lights.get(index)?;
            if let LightSpec::Point { position, .. } = &mut light {
                position[1] = ((position[1] + 0.1) * 1e5).round() / 1e5;
            }
            Some(Thing::Light(light))
        }
        Item::Scene | Item::Table | Item::LookAt(_) => None,
    }
}

/// `wanted`, or it with the next free number: `cube`, `cube_2`, `cube_3`.
fn free_name<'a>(taken: impl Iterator<Item = &'a str>, wanted: &str) -> String {
    let taken: Vec<&str> = taken.collect();
    if !taken.contains(&wanted) {
        return wanted.to_owned();
    }
    let stem = match wanted.rsplit_once('_') {
        Some((stem, number)) if !stem.is_empty() && number.parse::<u32>().is_ok() => stem,
        _ => wanted,
    };
    // Names have at most 64 bytes.
    let stem = (0..=stem.len().min(56))
        .rev()
        .find_map(|end| stem.get(..end))
        .unwrap_or_default();
    let numbers = 2..taken.len() + 3;
    let free = numbers
        .map(|number| format!("{stem}_{number}"))
        .find(|name| !taken.contains(&name.as_str()));
    free.unwrap_or_else(|| wanted.to_owned())
}

/// The middle of where the first arm reaches.
fn reach(scene: &Scene) -> [f64; 2] {
    let Some(arm) = scene.arms.first() else {
        return scene.table.center;
    };
    let (sin, cos) = arm.yaw_degrees.to_radians().sin_cos();
    [(arm.position[0], cos), (arm.position[1], sin)].map(|(base, part)| grid(base + AHEAD_M * part))
}

/// The free place for a thing of this radius that is nearest to `wanted`, on the table if there is
/// one; else `wanted` itself.
fn free_place(scene: &Scene, wanted: [f64; 2], radius: f64) -> [f64; 2] {
    let mut steps: Vec<(i32, i32)> = (-RINGS..=RINGS)
        .flat_map(|x| (-RINGS..=RINGS).map(move |y| (x, y)))
        .collect();
    // Nearest first; among equals first to the left, as people read.
    steps.sort_by_key(|(x, y)| (x * x + y * y, -y, *x));
    let places = steps.into_iter().map(|(x, y)| {
        [
            wanted[0] + PITCH_M * f64::from(x),
            wanted[1] + PITCH_M * f64::from(y),
        ]
        .map(|value| (value * 1e5).round() / 1e5)
    });
    let free = |[x, y]: [f64; 2]| {
        let on_table = [x, y]
            .iter()
            .zip(scene.table.center)
            .zip(scene.table.size)
            .all(|((at, middle), side)| (at - middle).abs() + radius.min(0.4 * side) <= 0.5 * side);
        let apart = |[other_x, other_y, _]: [f64; 3], other: f64| {
            (x - other_x).hypot(y - other_y) >= radius + other + GAP_M
        };
        on_table
            && scene.arms.iter().all(|arm| {
                let base = if radius == ARM_RADIUS_M {
                    ARM_RADIUS_M
                } else {
                    BASE_RADIUS_M
                };
                apart(arm.position, base)
            })
            && scene
                .objects
                .iter()
                .all(|object| apart(object.position, footprint(&object.shape)))
    };
    let mut places = places;
    places.find(|place| free(*place)).unwrap_or(wanted)
}

/// The radius of the circle around a thing, seen from above, metres.
fn footprint(shape: &ObjectShape) -> f64 {
    match *shape {
        ObjectShape::Cube { size } => size * core::f64::consts::FRAC_1_SQRT_2,
        ObjectShape::Box { size } => 0.5 * size[0].hypot(size[1]),
        ObjectShape::Cylinder { radius, .. } | ObjectShape::Ball { radius } => radius,
        ObjectShape::Tray { inner, wall, .. } => {
            0.5 * (inner[0] + 2.0 * wall).hypot(inner[1] + 2.0 * wall)
        }
    }
}

fn grid(value: f64) -> f64 {
    (value * 200.0).round() / 200.0
}
