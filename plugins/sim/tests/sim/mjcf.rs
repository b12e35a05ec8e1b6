//! Scenes as MJCF: what is written is what is simulated.

use std::sync::Arc;

use forearm_arm::{ArmModel, Shape, import, so101};
use forearm_protocol::scene::Scene;
use forearm_sim::mjcf::{Actuators, Contacts, write};

use crate::support::{CUBE, TRAY, arm, object, scene};

fn mjcf(scene: &Scene, contacts: Contacts, actuators: Actuators) -> String {
    let model = Arc::new(so101::so101());
    let models: Vec<_> = scene.arms.iter().map(|_| Arc::clone(&model)).collect();
    write(scene, &models, contacts, actuators).expect("the scene is good")
}

fn read(text: &str) -> ArmModel {
    let mut no_meshes = |name: &str| Err(format!("there is no {name}"));
    import::mjcf(text, &mut no_meshes)
        .expect("the text is a model")
        .model
}

#[test]
fn the_arm_that_is_written_is_read_back_the_same() {
    let text = mjcf(&scene(vec![]), Contacts::Grasping, Actuators::Position);
    let (model, expected) = (read(&text), so101::so101());
    assert_eq!(model.joints.len(), expected.joints.len());
    for (joint, expected) in model.joints.iter().zip(&expected.joints) {
        assert_eq!(joint.name, expected.name);
        assert_eq!(joint.kind, expected.kind);
        assert_eq!(joint.axis, expected.axis);
        assert_eq!(joint.servo, expected.servo);
        assert_eq!(joint.limits.lower, expected.limits.lower);
        assert_eq!(joint.limits.upper, expected.limits.upper);
        assert_eq!(joint.limits.effort, expected.limits.effort);
    }
    assert_eq!(model.home, expected.home);
    assert_eq!(model.links.len(), expected.links.len());
    for (link, expected) in model.links.iter().zip(&expected.links) {
        assert_eq!(link.name, expected.name);
        assert_eq!(link.inertial, expected.inertial);
        assert_eq!(link.colliders.len(), expected.colliders.len());
        for (collider, expected) in link.colliders.iter().zip(&expected.colliders) {
            assert_eq!(collider.shape, expected.shape);
            assert_eq!(collider.friction, expected.friction);
            let (found, expected) = (collider.link_from_shape, expected.link_from_shape);
            assert!((found.translation.vector - expected.translation.vector).norm() < 1e-12);
            assert!(found.rotation.angle_to(&expected.rotation) < 1e-7);
        }
        let (Some(at), Some(expected)) = (&link.attachment, &expected.attachment) else {
            assert_eq!(link.attachment, expected.attachment);
            continue;
        };
        assert_eq!((at.parent, at.joint), (expected.parent, expected.joint));
        let (found, expected) = (at.parent_from_joint, expected.parent_from_joint);
        assert!((found.translation.vector - expected.translation.vector).norm() < 1e-12);
        assert!(found.rotation.angle_to(&expected.rotation) < 1e-7);
    }
    assert_eq!(model.tool.link, expected.tool.link);
    let apart = model.tool.link_from_tool.inverse() * expected.tool.link_from_tool;
    assert!(apart.translation.vector.norm() < 1e-9 && apart.rotation.angle() < 1e-7);
}

/// The value of an attribute of the first element that has `mark`.
fn attribute<'a>(text: &'a str, mark: &str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.contains(mark));
    let line = line.unwrap_or_else(|| panic!("no {mark} in\n{text}"));
    let (_, rest) = line
        .split_once(&format!(" {name}=\""))
        .unwrap_or_else(|| panic!("no {name} in {line}"));
    rest.split('"').next().unwrap_or_default()
}

fn numbers(text: &str) -> Vec<f64> {
    let words = text.split_whitespace();
    words.map(|word| word.parse().expect("a number")).collect()
}

#[test]
fn objects_arms_and_the_slippery_have_their_places() {
    let mut tray = object("tray", TRAY, [0.2, -0.1, 0.0]);
    tray.fixed = true;
    let mut ice = object("ice \"<&\"", CUBE, [0.2, 0.1, 0.015]);
    ice.friction = 0.05;
    let mut two = scene(vec![ice, object("cube", CUBE, [0.3, 0.1, 0.015]), tray]);
    let mut second = arm();
    second.name = "second".to_owned();
    second.position = [0.0, 0.3, 0.0];
    second.yaw_degrees = 90.0;
    second.home_degrees.insert("elbow_flex".to_owned(), 30.0);
    two.arms.push(second);
    let text = mjcf(&two, Contacts::Grasping, Actuators::Effort);

    // Two arms of six joints, two free cubes of seven numbers, no free tray.
    let home = numbers(attribute(&text, "name=\"home\"", "qpos"));
    assert_eq!(home.len(), 2 * 6 + 2 * 7);
    assert_eq!(home[..6], so101::so101().home);
    assert!((home[8] - 30_f64.to_radians()).abs() < 1e-12);
    assert_eq!(home[12..15], [0.2, 0.1, 0.015]);
    assert!(!text.contains("ctrl="));
    assert!(text.contains("motor name=\"second/gripper\""));
    assert!(text.contains("object/ice &quot;&lt;&amp;&quot;"));
    assert_eq!(text.matches("<freejoint").count(), 2);
    // A quarter turn about Z.
    let base = numbers(attribute(&text, "body name=\"second/base_link\"", "quat"));
    assert!((base[0] - base[3]).abs() < 1e-12 && (base[0] - 0.5_f64.sqrt()).abs() < 1e-12);

    // The more slippery a surface, the higher its priority: its friction is the pair's.
    let priority = |mark: &str| numbers(attribute(&text, mark, "priority"))[0];
    let (ice, arm) = (priority("friction=\"0.05 "), priority("friction=\"0.5 "));
    let (table, cube) = (priority("name=\"table\""), priority("friction=\"1 "));
    assert!(ice > arm && arm > table && table > cube);
    // No arm collides with itself; the two do with each other, and both with the rest.
    let bits: Vec<(i64, i64)> = text
        .lines()
        .filter(|line| line.contains("<geom") && line.contains("contype"))
        .map(|line| {
            let bit = |name| attribute(line, "<geom", name).parse().expect("bits");
            (bit("contype"), bit("conaffinity"))
        })
        .collect();
    let meet = |a: (i64, i64), b: (i64, i64)| a.0 & b.1 != 0 || b.0 & a.1 != 0;
    let kinds: std::collections::BTreeSet<_> = bits.into_iter().collect();
    assert_eq!(kinds.len(), 3);
    for a in &kinds {
        for b in &kinds {
            assert_eq!(meet(*a, *b), a != b || a.0 == 1, "{a:?} {b:?}");
        }
    }
}

#[test]
fn hulls_become_assets_and_contact_can_be_left_out() {
    let mut model = so101::so101();
    model.links[1].colliders[0].shape = Shape::Extrusion {
        outline: vec![[0.0, 0.0], [0.02, 0.0], [0.0, 0.03]],
        half_depth: 0.01,
        bevel: 0.0,
    };
    let models = [Arc::new(model)];
    let scene = scene(vec![object("cube", CUBE, [0.2, 0.1, 0.015])]);
    let text = write(&scene, &models, Contacts::Default, Actuators::Position);
    let text = text.expect("the scene is good");
    let corners = numbers(attribute(&text, "<mesh", "vertex"));
    assert_eq!(corners.len(), 6 * 3);
    assert_eq!(corners[3..6], [0.02, 0.0, -0.01]);
    assert!(!text.contains("cone="));
    let bare = write(&scene, &models, Contacts::Off, Actuators::Position);
    let bare = bare.expect("the scene is good");
    assert!(!bare.contains("<geom") && bare.contains("<freejoint"));
}
