//! A leader and a follower on two virtual buses, in stepped time.

use forearm_control::ControlConfig;
use forearm_protocol::control::{Command, Request, TeleopMode};
use forearm_protocol::scene::Scene;
use forearm_protocol::servo::{
    CalibrationStatus, Connection, Device, Incident, Role, ServedFaults,
};

use crate::servos::{
    FOLLOWER, LEADER, Lab, VIRTUAL, backend, config, furthest, port, positions, served, targets,
    wired,
};

fn led() -> Scene {
    let mut scene = wired();
    scene.arms[FOLLOWER].leader = Some(port("leader"));
    scene
}

fn follow(lab: &mut Lab) {
    let request = Request::SetMode {
        arm: FOLLOWER,
        mode: TeleopMode::Leader,
    };
    lab.ask(request).expect("it follows");
}

#[test]
fn a_follower_goes_where_its_leader_is_moved() {
    let both = vec![served(VIRTUAL, true), served(LEADER, true)];
    let slow = ControlConfig {
        rate_hz: 20.0,
        ..config(both)
    };
    let mut lab = Lab::new(slow, led());
    // An arm with a leader follows it from the start on; not here.
    lab.ask(Request::SetMode {
        arm: FOLLOWER,
        mode: TeleopMode::Keyboard,
    })
    .expect("it is left");
    let start = lab.after(4.0);
    assert_eq!(start[FOLLOWER].mode, TeleopMode::Keyboard);
    let leader = start[FOLLOWER].leader.as_ref().expect("there is one");
    assert_eq!(leader.bus.connection, Connection::Connected);
    assert_eq!(leader.bus.calibration, CalibrationStatus::Matches);
    assert!(furthest(&leader.positions, &positions(&start[LEADER])) < 0.01);
    // The leader stands elsewhere when it is begun to be followed.
    let mut pose = positions(&start[LEADER]);
    pose[0] = 1.0;
    pose[5] = 1.2;
    lab.bench.tell(Command::JointTargets {
        arm: LEADER,
        positions: pose,
    });
    let there = lab.after(3.0);
    assert!(furthest(&positions(&there[VIRTUAL]), &positions(&start[VIRTUAL])) < 0.03);
    follow(&mut lab);
    let states = lab.pass(4.0);
    for (before, after) in states.iter().zip(&states[1..]) {
        let moved = furthest(&targets(&before[FOLLOWER]), &targets(&after[FOLLOWER]));
        assert!(moved < 0.1 + 0.004, "{moved} rad in a tick");
    }
    let first = furthest(
        &targets(&states[0][FOLLOWER]),
        &targets(&states[2][FOLLOWER]),
    );
    assert!(first < 0.1, "it begins softly: {first}");
    let last = &states[states.len() - 1];
    let off = furthest(&positions(&last[VIRTUAL]), &positions(&last[LEADER]));
    assert!(off < 0.04, "{off} rad between leader and follower");
    // Moved on, it is followed on.
    let mut pose = positions(&last[LEADER]);
    pose[0] = -0.5;
    lab.bench.tell(Command::JointTargets {
        arm: LEADER,
        positions: pose,
    });
    let last = lab.after(3.0);
    assert!((positions(&last[VIRTUAL])[0] + 0.5).abs() < 0.03);
    assert_eq!(last[FOLLOWER].mode, TeleopMode::Leader);
}

#[test]
fn a_follower_whose_leader_is_gone_holds_and_goes_on_softly() {
    let mut leader = served(LEADER, true);
    leader.incidents = vec![(8.0, Incident::Unplug), (12.0, Incident::Replug)];
    let slow = ControlConfig {
        rate_hz: 20.0,
        ..config(vec![served(VIRTUAL, true), leader])
    };
    let mut lab = Lab::new(slow, led());
    lab.pass(4.0);
    follow(&mut lab);
    let start = lab.after(3.5);
    // On its way when the plug is pulled.
    let mut pose = positions(&start[LEADER]);
    pose[0] = 1.8;
    lab.bench.tell(Command::JointTargets {
        arm: LEADER,
        positions: pose,
    });
    let mut states = lab.pass(1.0);
    let gone = lab.after(0.5);
    let held = lab.after(2.0);
    assert_eq!(targets(&gone[FOLLOWER]), targets(&held[FOLLOWER]));
    assert!(furthest(&positions(&held[VIRTUAL]), &positions(&held[LEADER])) > 0.3);
    assert!(
        lab.said("leader of arm `follower`"),
        "{:?}",
        lab.bench.notices
    );
    states.extend(lab.pass(6.0));
    for (before, after) in states.iter().zip(&states[1..]) {
        let moved = furthest(&targets(&before[FOLLOWER]), &targets(&after[FOLLOWER]));
        assert!(moved < 0.1 + 0.004, "{moved} rad in a tick");
    }
    let last = &states[states.len() - 1];
    assert!(furthest(&positions(&last[VIRTUAL]), &positions(&last[LEADER])) < 0.04);
}

#[test]
fn a_leader_that_is_let_go_is_not_followed() {
    let both = vec![served(VIRTUAL, true), served(LEADER, true)];
    let mut lab = Lab::new(config(both), led());
    lab.pass(3.0);
    follow(&mut lab);
    lab.pass(1.0);
    let leave = Request::SetLeader {
        arm: FOLLOWER,
        leader: None,
        calibration: None,
    };
    lab.ask(leave).expect("it can be left");
    let before = lab.after(0.2);
    assert!(before[FOLLOWER].leader.is_none());
    lab.bench.tell(Command::JointTargets {
        arm: LEADER,
        positions: vec![0.3; 6],
    });
    let after = lab.after(2.0);
    assert!(furthest(&targets(&before[FOLLOWER]), &targets(&after[FOLLOWER])) < 1e-9);
    // Without a calibration a leader is watched, and not followed.
    let again = Request::SetLeader {
        arm: FOLLOWER,
        leader: Some(port("leader")),
        calibration: None,
    };
    lab.ask(again).expect("it can be connected to");
    let watched = lab.after(2.0);
    let leader = watched[FOLLOWER].leader.as_ref().expect("there");
    assert_eq!(leader.bus.calibration, CalibrationStatus::Missing);
    assert!(furthest(&targets(&watched[FOLLOWER]), &targets(&after[FOLLOWER])) < 1e-9);
}

#[test]
fn a_leader_that_complains_gets_no_torque() {
    let mut leader = served(LEADER, true);
    leader.incidents = vec![(5.0, Incident::Overload(2))];
    let mut lab = Lab::new(config(vec![served(VIRTUAL, true), leader]), led());
    lab.pass(7.0);
    assert!(
        lab.said("`elbow_flex` protects itself"),
        "{:?}",
        lab.bench.notices
    );
    let device = Device {
        arm: FOLLOWER,
        role: Role::Leader,
    };
    assert_eq!(lab.register(device, "Torque_Enable"), 0);
}

#[test]
fn a_bad_cable_stops_nobody_and_every_fault_is_counted() {
    let faults = ServedFaults {
        drop: 0.01,
        corrupt: 0.01,
        ..ServedFaults::default()
    };
    let mut virtual_arm = served(VIRTUAL, true);
    virtual_arm.incidents = vec![
        (0.0, Incident::Faults(faults)),
        (65.0, Incident::Faults(ServedFaults::default())),
    ];
    let mut lab = Lab::new(config(vec![virtual_arm]), wired());
    lab.pass(4.0);
    let mut states = Vec::new();
    for turn in 0..60 {
        let mut pose = forearm_arm::so101::so101().home;
        pose[0] = if turn % 2 == 0 { 0.8 } else { -0.8 };
        lab.bench.tell(Command::JointTargets {
            arm: FOLLOWER,
            positions: pose,
        });
        states.extend(lab.pass(1.0));
    }
    // What is under way is counted when it has ended.
    states.extend(lab.pass(2.0));
    for (before, after) in states.iter().zip(&states[1..]) {
        let moved = furthest(&targets(&before[VIRTUAL]), &targets(&after[VIRTUAL]));
        // 3 rad/s between two states, and the ticks of a servo.
        assert!(moved < 3.0 * 0.05 * 1.2 + 0.004, "{moved} rad");
        assert!(after[FOLLOWER].torque && after[FOLLOWER].connected);
    }
    let last = &states[states.len() - 1];
    let errors = last[FOLLOWER].bus.as_ref().expect("there").errors;
    let made = lab.bench.inspect().served[0];
    assert!(made.replies > 60 * 120 * 6, "{made:?}");
    assert!(made.dropped > 100 && made.corrupted > 100, "{made:?}");
    assert_eq!(errors.timeouts, made.dropped, "{errors:?}");
    assert_eq!(errors.corrupt, made.corrupted, "{errors:?}");
    assert_eq!(errors.reconnects, 0);
}

#[test]
fn two_leaders_lead_two_followers() {
    let mut scene = wired();
    let arms: Vec<_> = scene
        .arms
        .iter()
        .cloned()
        .map(|mut arm| {
            arm.name.push('2');
            arm.position[0] = 2.0;
            arm
        })
        .collect();
    scene.arms.extend(arms);
    scene.arms[FOLLOWER].leader = Some(port("leader"));
    scene.arms[3 + FOLLOWER].leader = Some(port("leader2"));
    scene.arms[3 + FOLLOWER].backend = backend("virtual2");
    let virtual_arms = [VIRTUAL, LEADER, 3 + VIRTUAL, 3 + LEADER];
    let all: Vec<_> = virtual_arms.map(|arm| served(arm, true)).into();
    let calibration = all[0].calibration.clone();
    let mut lab = Lab::new(config(all), scene);
    lab.pass(2.0);
    // The second pair's calibrations are told while it runs.
    let second = 3 + FOLLOWER;
    for request in [
        Request::SetBackend {
            arm: second,
            backend: backend("virtual2"),
            calibration: calibration.clone(),
            motion: None,
        },
        Request::SetLeader {
            arm: second,
            leader: Some(port("leader2")),
            calibration,
        },
    ] {
        lab.ask(request).expect("it can be told");
    }
    lab.pass(2.0);
    for arm in [FOLLOWER, second] {
        let mode = TeleopMode::Leader;
        lab.ask(Request::SetMode { arm, mode }).expect("it follows");
    }
    let start = lab.after(1.5);
    for (leader, pan) in [(LEADER, 0.6), (3 + LEADER, -0.9)] {
        let mut pose = positions(&start[leader]);
        pose[0] = pan;
        lab.bench.tell(Command::JointTargets {
            arm: leader,
            positions: pose,
        });
    }
    let last = lab.after(3.0);
    for (follower, pan) in [(VIRTUAL, 0.6), (3 + VIRTUAL, -0.9)] {
        let at = positions(&last[follower])[0];
        assert!(
            (at - pan).abs() < 0.03,
            "arm {follower} is at {at}: {:?}",
            lab.bench.notices
        );
    }
}
