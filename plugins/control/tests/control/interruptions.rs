//! What stops, interrupts or limits a motion, and how it goes on.

use forearm_protocol::control::{Command, GamepadState, Request, ScriptState, StateUpdate};

use crate::{Bench, WAVE, targets};

#[test]
fn a_motion_asked_for_during_an_emergency_stop_is_refused() {
    let mut bench = Bench::driving();
    bench.tell(Command::EStop);
    bench.pass(0.1);
    let play = Request::PlayScript {
        arm: 0,
        text: WAVE.to_owned(),
    };
    let error = bench.ask(play).expect_err("stopped").to_string();
    assert!(error.contains("emergency stop"), "{error}");
    bench.ask(Request::ClearEStop).expect("cleared");
    let held = targets(&bench.state_after(0.1), 0);
    assert_eq!(targets(&bench.state_after(1.0), 0), held);
}

/// Where the tool is told to be, metres in the base's frame.
fn tool(state: &StateUpdate) -> nalgebra::Vector3<f64> {
    let model = forearm_arm::so101::so101();
    let pose = forearm_arm::kinematics::tool_pose(&model, &targets(state, 0), &mut Vec::new());
    pose.translation.vector
}

#[test]
fn a_relative_step_that_was_stopped_leads_where_it_led_before() {
    const LIFT: &str = r#"Motion(name: "lift", steps: [Move(by: (0, 0, 0.06), secs: 2.0)])"#;
    let mut bench = Bench::driving();
    let before = tool(&bench.state_after(0.1));
    bench.play(LIFT);
    bench.pass(1.2);
    bench.ask(Request::Stop).expect("stopped");
    let midway = tool(&bench.state_after(0.2));
    assert!(
        midway.z - before.z > 0.02,
        "it was on its way: {midway:?} from {before:?}"
    );
    bench.ask(Request::Start).expect("started");
    bench.pass(4.0);
    assert_eq!(bench.inspect().scripts[0], ScriptState::Done);
    let off =
        (tool(&bench.state_after(0.1)) - before - nalgebra::Vector3::new(0.0, 0.0, 0.06)).norm();
    assert!(off < 0.002, "{off} m off");
}

#[test]
fn a_line_that_leaves_what_the_tool_can_reach_ends_with_a_reason() {
    // Its ends can be reached, its middle is in the arm's base.
    const LINE: &str = r#"Motion(name: "line", steps: [
        Tool(position: (0.04, 0.25, 0.06), secs: 2.0),
        Tool(position: (0.04, -0.25, 0.06), path: Line, secs: 3.0),
    ])"#;
    let mut bench = Bench::driving();
    bench.play(LINE);
    bench.pass(12.0);
    let ScriptState::Failed(why) = &bench.inspect().scripts[0] else {
        panic!("it played: {:?}", bench.inspect().scripts[0]);
    };
    assert!(why.contains("step 2") && why.contains("short"), "{why}");
}

#[test]
fn rolling_beyond_the_wrists_limit_never_turns_the_other_way_round() {
    let mut bench = Bench::driving();
    let roll = forearm_arm::so101::so101()
        .joint_index("wrist_roll")
        .expect("the wrist rolls");
    for right in [false, true] {
        let mut last = targets(&bench.state_after(0.1), 0)[roll];
        let mut pad = GamepadState::default();
        pad.shoulders[usize::from(right)] = true;
        let mut towards = 0.0;
        for _ in 0..120 {
            bench.tell(Command::Gamepad { arm: 0, state: pad });
            bench.tell(Command::Alive);
            let now = targets(&bench.state_after(0.06), 0)[roll];
            if towards == 0.0 && (now - last).abs() > 0.01 {
                towards = (now - last).signum();
            }
            assert!(
                (now - last) * towards > -0.05,
                "it turned back from {last} to {now}"
            );
            last = now;
        }
        assert!(towards != 0.0, "it turned");
        bench.tell(Command::Gamepad {
            arm: 0,
            state: GamepadState::default(),
        });
    }
}
