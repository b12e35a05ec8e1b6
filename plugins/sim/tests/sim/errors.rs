//! Scenes that can't be simulated are refused with a message that says why.

use std::sync::Arc;

use forearm_arm::{ArmModel, so101};
use forearm_protocol::scene::{ObjectShape, Scene};
use forearm_sim::World;

use crate::support::{CUBE, object, scene};

fn refusal(scene: &Scene, models: &[Arc<ArmModel>]) -> String {
    World::new(scene, models)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

/// Asserts that a change to a good scene is refused with all these words.
#[track_caller]
fn check(change: impl FnOnce(&mut Scene), words: &[&str]) {
    let mut scene = scene(vec![object("cube", CUBE, [0.2, 0.0, 0.015])]);
    change(&mut scene);
    let message = refusal(&scene, &[Arc::new(so101::so101())]);
    for word in words {
        assert!(message.contains(word), "`{message}` lacks `{word}`");
    }
}

#[test]
fn wrong_scenes_are_refused() {
    check(
        |s| s.objects[0].mass = f64::NAN,
        &["object `cube`", "mass is NaN", "above 0"],
    );
    check(|s| s.objects[0].mass = 0.0, &["mass is 0"]);
    check(
        |s| s.objects[0].friction = -1.0,
        &["friction is -1", "from 0 to 10"],
    );
    check(
        |s| s.objects[0].position[2] = f64::INFINITY,
        &["position is inf"],
    );
    check(
        |s| s.objects[0].shape = ObjectShape::Ball { radius: -0.1 },
        &["shape is -0.1"],
    );
    check(
        |s| {
            s.objects[0].shape = ObjectShape::Tray {
                inner: [0.1; 2],
                height: 0.01,
                wall: 0.02,
            }
        },
        &["wall is 0.02", "below the tray's height"],
    );
    check(
        |s| s.physics.hz = 0.0,
        &["physics", "hz is 0", "from 100 to 10000"],
    );
    check(|s| s.physics.gravity[1] = f64::NAN, &["gravity is NaN"]);
    check(|s| s.table.size[0] = -1.0, &["table", "size is -1"]);
    check(
        |s| s.arms[0].yaw_degrees = f64::NAN,
        &["arm `arm`", "yaw_degrees is NaN"],
    );
    check(
        |s| {
            s.arms[0].home_degrees.insert("elbow".to_owned(), 1.0);
        },
        &["`elbow`", "lacks", "elbow_flex"],
    );
    check(
        |s| {
            s.arms[0]
                .home_degrees
                .insert("elbow_flex".to_owned(), 120.0);
        },
        &["elbow_flex", "position 120 of", "degrees"],
    );
    check(
        |s| {
            s.arms[0]
                .home_degrees
                .insert("elbow_flex".to_owned(), f64::NAN);
        },
        &["elbow_flex", "NaN"],
    );
    check(|s| s.arms.push(s.arms[0].clone()), &["2 arms", "1 models"]);
}

#[test]
fn wrong_models_are_refused() {
    let mut model = so101::so101();
    model.links[2].inertial.mass = f64::NAN;
    let message = refusal(&scene(vec![]), &[Arc::new(model)]);
    assert!(
        message.contains("arm `arm`") && message.contains("upper_arm_link"),
        "{message}"
    );
}

#[test]
fn home_can_be_changed() {
    let mut scene = scene(vec![]);
    scene.arms[0]
        .home_degrees
        .insert("shoulder_pan".to_owned(), 45.0);
    let world = World::new(&scene, &[Arc::new(so101::so101())]).unwrap();
    let mut pan = [0.0];
    world.joint_positions(0, &mut pan);
    assert!((pan[0] - std::f64::consts::FRAC_PI_4).abs() < 1e-12);
}
