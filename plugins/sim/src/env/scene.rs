//! The tasks' scenes, built of what scene files are built of.

use std::collections::BTreeMap;

use forearm_protocol::env::{EnvCamera, Task};
use forearm_protocol::scene::{
    ArmSpec, Backend, CameraMount, CameraSpec, LightSpec, ModelRef, ObjectShape, ObjectSpec,
    PhysicsSpec, Scene, TableSpec,
};

/// Sides of the cube and of what another cube is stacked on, metres.
pub(super) const CUBE: f64 = 0.03;
pub(super) const BASE: f64 = 0.04;
/// Sides of the bar that is handed over: long enough for two grippers.
pub(super) const BAR: [f64; 3] = [0.14, 0.024, 0.024];
/// How far apart the two arms stand: what one can pick up, the other can't.
pub(super) const APART: f64 = 0.68;
/// The size of the tray, metres.
pub(super) const TRAY: [f64; 2] = [0.12, 0.12];
/// How large goals are drawn, metres: radius of the ball in the air, of the disc on the table.
const GOAL_BALL: f64 = 0.012;
const GOAL_DISC: f64 = 0.025;
/// Thickness of the disc, metres.
pub(super) const DISC_HEIGHT: f64 = 0.001;

const RED: [f32; 3] = [0.85, 0.25, 0.22];
const BLUE: [f32; 3] = [0.20, 0.42, 0.82];
const GREEN: [f32; 3] = [0.22, 0.72, 0.36];
const GREY: [f32; 3] = [0.33, 0.36, 0.40];
const YELLOW: [f32; 3] = [1.0, 0.82, 0.12];
const WHITE: [f32; 3] = [0.90, 0.91, 0.93];

/// The scene that a task happens in. What is drawn but not there, the goal's mark, is its last
/// object; [`has_mark`] says whether there is one.
pub(super) fn scene(task: Task, cameras: &[EnvCamera]) -> Scene {
    let cube = |name, size: f64, color| object(name, ObjectShape::Cube { size }, size / 2.0, color);
    let bimanual = task == Task::BimanualHandover;
    let objects = match task {
        Task::Reach => vec![object(
            "goal",
            ObjectShape::Ball { radius: GOAL_BALL },
            0.2,
            GREEN,
        )],
        Task::Push => {
            let disc = ObjectShape::Cylinder {
                radius: GOAL_DISC,
                height: DISC_HEIGHT,
            };
            vec![
                cube("cube", CUBE, RED),
                object("goal", disc, DISC_HEIGHT / 2.0, GREEN),
            ]
        }
        Task::PickPlace => {
            let shape = ObjectShape::Tray {
                inner: TRAY,
                height: 0.025,
                wall: 0.004,
            };
            let mut tray = object("tray", shape, 0.0, GREY);
            tray.fixed = true;
            vec![cube("cube", CUBE, RED), tray]
        }
        Task::Stack => vec![cube("cube", CUBE, RED), cube("base", BASE, BLUE)],
        Task::BimanualHandover => {
            let mut bar = object("bar", ObjectShape::Box { size: BAR }, BAR[2] / 2.0, RED);
            bar.mass = 0.04;
            vec![bar]
        }
    };
    let arms = if bimanual {
        let mut right = arm("right", WHITE);
        right.position = [APART, 0.0, 0.0];
        right.yaw_degrees = 180.0;
        vec![arm("left", YELLOW), right]
    } else {
        vec![arm("arm", YELLOW)]
    };
    let mut all: Vec<CameraSpec> = arms
        .iter()
        .map(|arm| {
            let prefix = if bimanual {
                format!("{}_", arm.name)
            } else {
                String::new()
            };
            CameraSpec {
                name: format!("{prefix}wrist"),
                mount: CameraMount::Link {
                    arm: arm.name.clone(),
                    link: "gripper_link".to_owned(),
                    position: [0.0, 0.055, -0.045],
                    rotation_degrees: [-32.66, 0.0, 0.0],
                },
                fov_y_degrees: 70.0,
                ..camera()
            }
        })
        .collect();
    all.insert(0, camera());
    if bimanual {
        all[0].mount = CameraMount::World {
            position: [APART / 2.0, 0.75, 0.45],
            look_at: [APART / 2.0, 0.0, 0.05],
        };
    }
    for spec in &mut all {
        if let Some(camera) = cameras.iter().find(|camera| camera.name == spec.name) {
            spec.resolution = camera.resolution;
        }
    }
    Scene {
        name: task.name().to_owned(),
        description: String::new(),
        arms,
        objects,
        cameras: all,
        lights: vec![
            LightSpec::Sun {
                from: [0.55, -0.75, 1.25],
                lux: 2500.0,
            },
            LightSpec::Ambient { brightness: 480.0 },
        ],
        table: TableSpec {
            center: [if bimanual { APART / 2.0 } else { 0.25 }, 0.0],
            ..TableSpec::default()
        },
        physics: PhysicsSpec::default(),
    }
}

/// Whether the scene's last object is only the goal's mark.
pub(super) fn has_mark(task: Task) -> bool {
    matches!(task, Task::Reach | Task::Push)
}

fn object(name: &str, shape: ObjectShape, height: f64, color: [f32; 3]) -> ObjectSpec {
    ObjectSpec {
        name: name.to_owned(),
        shape,
        position: [0.22, 0.0, height],
        rotation_degrees: [0.0; 3],
        mass: 0.03,
        friction: 1.0,
        color,
        fixed: false,
    }
}

fn arm(name: &str, color: [f32; 3]) -> ArmSpec {
    ArmSpec {
        name: name.to_owned(),
        model: ModelRef::So101,
        backend: Backend::Sim,
        leader: None,
        position: [0.0; 3],
        yaw_degrees: 0.0,
        home_degrees: BTreeMap::new(),
        color,
    }
}

fn camera() -> CameraSpec {
    CameraSpec {
        name: "front".to_owned(),
        mount: CameraMount::World {
            position: [0.70, 0.0, 0.38],
            look_at: [0.2, 0.0, 0.03],
        },
        fov_y_degrees: 45.0,
        resolution: [64, 64],
        fps: 30.0,
    }
}
