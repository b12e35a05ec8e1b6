//! Scenes and small helpers that the tests share.

use std::collections::BTreeMap;
use std::sync::Arc;

use forearm_arm::{ArmModel, so101};
use forearm_protocol::scene::{
    ArmSpec, Backend, ModelRef, ObjectShape, ObjectSpec, PhysicsSpec, Scene, TableSpec,
};
use forearm_sim::World;

pub(crate) const CUBE: ObjectShape = ObjectShape::Cube { size: 0.03 };
pub(crate) const TRAY: ObjectShape = ObjectShape::Tray {
    inner: [0.1, 0.1],
    height: 0.025,
    wall: 0.004,
};

/// An object of 30 g.
pub(crate) fn object(name: &str, shape: ObjectShape, position: [f64; 3]) -> ObjectSpec {
    ObjectSpec {
        name: name.to_owned(),
        shape,
        position,
        rotation_degrees: [0.0; 3],
        mass: 0.03,
        friction: 1.0,
        color: [0.5; 3],
        fixed: false,
    }
}

/// An arm named `arm` at the origin.
pub(crate) fn arm() -> ArmSpec {
    ArmSpec {
        name: "arm".to_owned(),
        model: ModelRef::So101,
        backend: Backend::Sim,
        leader: None,
        position: [0.0; 3],
        yaw_degrees: 0.0,
        home_degrees: BTreeMap::new(),
        color: [1.0; 3],
    }
}

/// One arm and some objects.
pub(crate) fn scene(objects: Vec<ObjectSpec>) -> Scene {
    Scene {
        name: "test".to_owned(),
        description: String::new(),
        arms: vec![arm()],
        objects,
        cameras: Vec::new(),
        lights: Vec::new(),
        table: TableSpec::default(),
        physics: PhysicsSpec::default(),
    }
}

/// The scene's world, all arms SO-101.
pub(crate) fn world(scene: &Scene) -> World {
    world_of(scene, so101::so101())
}

/// The scene's world, all arms of this model.
pub(crate) fn world_of(scene: &Scene, model: ArmModel) -> World {
    let model = Arc::new(model);
    let models = vec![model; scene.arms.len()];
    World::new(scene, &models).expect("the scene is good")
}

pub(crate) fn run(world: &mut World, secs: f64) {
    for _ in 0..(secs / world.dt_secs()).round() as usize {
        world.step();
    }
}

pub(crate) fn positions(world: &World) -> [f64; 6] {
    let mut q = [0.0; 6];
    world.joint_positions(0, &mut q);
    q
}

pub(crate) fn velocities(world: &World) -> [f64; 6] {
    let mut v = [0.0; 6];
    world.joint_velocities(0, &mut v);
    v
}

pub(crate) fn efforts(world: &World) -> [f64; 6] {
    let mut e = [0.0; 6];
    world.joint_efforts(0, &mut e);
    e
}

pub(crate) fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        .sqrt()
}
