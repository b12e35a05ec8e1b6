//! What is wrong with a model is said, with its place.

use forearm_arm::so101::so101;
use forearm_arm::{ArmModel, Shape};

/// Breaks a good model and compares the message.
#[track_caller]
fn check(expected: &str, break_it: impl FnOnce(&mut ArmModel)) {
    let mut model = so101();
    break_it(&mut model);
    match model.validate() {
        Ok(()) => panic!("valid, expected: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn the_built_in_arm_is_valid() {
    so101().validate().unwrap();
}

#[test]
fn broken_models_are_refused() {
    check("links: there are none; expected at least two", |m| {
        m.links.clear();
    });
    check("joints: there are none; an arm needs at least one", |m| {
        m.joints.clear();
    });
    check(
        "link `shoulder_link`: hangs from nothing, as `base_link` does; expected one base",
        |m| m.links[1].attachment = None,
    );
    check(
        "link `wrist_link`: is link 4 and hangs from link 6; a parent must come before its child",
        |m| m.links[4].attachment.as_mut().unwrap().parent = 6,
    );
    check(
        "joint `elbow_flex`: moves `lower_arm_link` and `wrist_link`; expected one link",
        |m| m.links[4].attachment.as_mut().unwrap().joint = Some(2),
    );
    check("joint `gripper`: moves no link; expected one", |m| {
        m.links[6].attachment.as_mut().unwrap().joint = None;
    });
    check(
        "joint `gripper`: there are two of this name; expected each joint's to be unique",
        |m| m.joints[0].name = "gripper".into(),
    );
    check("a link: has no name; expected one", |m| {
        m.links[3].name.clear();
    });
    check(
        "joint `shoulder_pan` limit: lower is NaN and upper is 1.91986; expected numbers with \
         lower below upper",
        |m| m.joints[0].limits.lower = f64::NAN,
    );
    check(
        "joint `shoulder_lift` limit velocity: is 0; expected a number above 0",
        |m| m.joints[1].limits.velocity = 0.0,
    );
    check("joint `gripper` kp: is -1; expected 0 or more", |m| {
        m.joints[5].servo.kp = -1.0;
    });
    check(
        "link `wrist_link` inertial: mass is -0.5; expected 0 or more",
        |m| m.links[4].inertial.mass = -0.5,
    );
    check(
        "link `wrist_link`: has no mass, but joint `wrist_flex` moves it; expected kilograms \
         above 0",
        |m| {
            m.links[4].inertial.mass = 0.0;
            m.links[4].inertial.inertia = [0.0; 6];
        },
    );
    check("home: has 5 positions; expected 6", |m| m.home.truncate(5));
    check("tool: is on link 9 of 7", |m| m.tool.link = 9);
    check("gripper: is joint 6 of 6", |m| m.gripper = Some(6));
    check(
        "link `gripper_link` collider: a ball's radius is [0.0]; expected metres above 0",
        |m| m.links[5].colliders[0].shape = Shape::Sphere { radius: 0.0 },
    );
}

#[test]
fn impossible_inertia_is_refused() {
    let mut model = so101();
    model.links[2].inertial.inertia = [1.0, 1.0, 3.0, 0.0, 0.0, 0.0];
    let message = model.validate().unwrap_err().to_string();
    assert!(
        message.contains("the greatest to be at most the sum"),
        "{message}"
    );
    model.links[2].inertial.inertia = [-1.0, 1.0, 1.0, 0.0, 0.0, 0.0];
    assert!(model.validate().is_err());
}
