//! Whatever is asked, the state stays finite and within reason.

use forearm_protocol::Pose;
use proptest::prelude::*;

use crate::support::{CUBE, TRAY, object, scene, velocities, world};

fn wild_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -3.0..3.0,
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        1 => prop_oneof![Just(1e300), Just(-1e300), Just(f64::MIN_POSITIVE), Just(-0.0)],
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn wild_targets_never_break_the_world(
        commands in prop::collection::vec((prop::collection::vec(wild_number(), 0..8), any::<bool>()), 1..12),
        placed in prop::collection::vec(wild_number(), 7),
    ) {
        let mut world = world(&scene(vec![
            object("cube", CUBE, [0.22, 0.0, 0.015]),
            object("tray", TRAY, [0.2, 0.15, 0.0]),
        ]));
        for (targets, torque) in commands {
            world.set_targets(0, &targets);
            world.set_targets(9, &targets);
            world.set_torque(0, torque);
            let position = [placed[0], placed[1], placed[2]];
            let rotation = [placed[3], placed[4], placed[5], placed[6]];
            world.set_object_pose(0, Pose { position, rotation });
            for _ in 0..60 {
                world.step();
            }
            let mut numbers = velocities(&world).to_vec();
            let mut joints = [0.0; 6];
            world.joint_positions(0, &mut joints);
            prop_assert!(joints.iter().all(|q| q.abs() < 3.5), "{joints:?}");
            for index in 0..2 {
                let pose = world.object_pose(index);
                numbers.extend(pose.position);
                numbers.extend(pose.rotation);
            }
            prop_assert!(numbers.iter().all(|value| value.is_finite()), "{numbers:?}");
        }
    }
}

#[test]
fn targets_that_are_not_numbers_are_ignored() {
    let (mut world, mut other) = (world(&scene(vec![])), world(&scene(vec![])));
    world.set_targets(0, &[0.3, f64::NAN, 0.5]);
    let home = forearm_arm::so101::so101().home;
    other.set_targets(0, &[0.3, home[1], 0.5, home[3], home[4], home[5]]);
    for _ in 0..200 {
        world.step();
        other.step();
    }
    assert_eq!(world.state_hash(), other.state_hash());
}

#[test]
fn things_that_do_not_exist_are_answered_with_nothing() {
    let mut world = world(&scene(vec![]));
    world.set_torque(3, false);
    world.set_object_pose(3, Pose::IDENTITY);
    assert!(!world.torque(3));
    assert_eq!(world.object_pose(0), Pose::IDENTITY);
    assert_eq!(world.link_pose(0, 99), Pose::IDENTITY);
    assert_eq!(world.tool_pose(1), Pose::IDENTITY);
    let mut out = [7.0; 2];
    world.joint_positions(1, &mut out);
    assert_eq!(out, [7.0; 2]);
    world.joint_positions(0, &mut out);
    assert_eq!(out, [0.0, -1.2]);
}
