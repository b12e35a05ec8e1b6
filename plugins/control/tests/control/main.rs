//! The whole service, in stepped time: soft start, emergency stop, motions, determinism.

mod calibration;
mod interruptions;
mod leaders;
mod recordings;
mod servos;
mod terminals;

use std::sync::Arc;

use forearm_control::{
    ControlConfig, ControlService, ControlSetup, Expectation, HeadlessOptions, HeadlessReport,
    Startup, headless, jitter_objects,
};
use forearm_protocol::control::{
    Command, Event, GamepadState, Inspection, Reply, Request, ScriptState, StateUpdate, TeleopMode,
};
use forearm_protocol::keys::Key;
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_protocol::{Pose, ServiceError};
use forearm_workers::{Handle, Host, spawn};
use proptest::prelude::*;

const PICK_AND_PLACE: &str = include_str!("../../../../scenes/motions/pick_and_place.ron");
const WAVE: &str = include_str!("../../../../scenes/motions/wave.ron");

fn scene() -> Scene {
    Scene::from_ron(
        "scene",
        include_str!("../../../../scenes/pick_and_place.ron"),
    )
    .expect("the scene is valid")
}

fn bundle(scene: Scene) -> Arc<SceneBundle> {
    Arc::new(SceneBundle::from(scene))
}

/// A running service whose time the test moves.
struct Bench {
    handle: Handle<ControlService>,
    now_secs: f64,
    notices: Vec<String>,
}

impl Bench {
    fn new(startup: Startup) -> Self {
        let setup = ControlSetup {
            startup,
            ..ControlSetup::default()
        };
        Self {
            handle: spawn(setup, Host::Stepped),
            now_secs: 0.0,
            notices: Vec::new(),
        }
    }

    /// The pick-and-place scene, driving.
    fn driving() -> Self {
        Self::new(Startup {
            bundle: Some(bundle(scene())),
            script: None,
            start: true,
            resume: None,
            e_stop: false,
        })
    }

    fn ask(&self, request: Request) -> Result<Reply, ServiceError> {
        self.handle.request_blocking(request)
    }

    /// Plays a motion with the first arm.
    fn play(&self, motion: &str) {
        let text = motion.to_owned();
        self.ask(Request::PlayScript { arm: 0, text })
            .expect("it fits");
    }

    fn tell(&self, command: Command) {
        self.handle.send(command).expect("the service runs");
    }

    /// Lets time pass and answers the states that were published.
    fn pass(&mut self, secs: f64) -> Vec<StateUpdate> {
        let end = self.now_secs + secs;
        let mut states = Vec::new();
        while self.now_secs < end - 1e-9 {
            self.now_secs = (self.now_secs + 0.05).min(end);
            self.handle.advance_to(self.now_secs);
            for event in self.handle.events() {
                match event {
                    Event::State(state) => states.push(*state),
                    Event::Notice(notice) => self.notices.push(notice.text),
                    Event::SceneLoaded { .. }
                    | Event::ScriptDone { .. }
                    | Event::DevicesChanged { .. }
                    | Event::Calibration(_)
                    | Event::CalibrationDone { .. } => {}
                }
            }
        }
        states
    }

    /// Lets time pass and answers the last state.
    fn state_after(&mut self, secs: f64) -> StateUpdate {
        self.pass(secs).pop().expect("states are published")
    }

    fn inspect(&self) -> Inspection {
        match self.ask(Request::Inspect) {
            Ok(Reply::Inspection(inspection)) => *inspection,
            other => panic!("unexpected answer {other:?}"),
        }
    }
}

fn targets(state: &StateUpdate, arm: usize) -> Vec<f64> {
    state.arms[arm]
        .joints
        .iter()
        .map(|joint| joint.target)
        .collect()
}

fn run(scene: Scene, script: &str, realtime: bool) -> HeadlessReport {
    let options = HeadlessOptions {
        bundle: bundle(scene),
        config: ControlConfig::default(),
        script: Some(script.to_owned()),
        duration_secs: None,
        realtime,
        expect: Some("cube-in-tray".parse::<Expectation>().expect("well written")),
    };
    headless::run(options, &mut |_| {}).expect("the run is possible")
}

#[test]
fn pick_and_place_succeeds_ten_times_out_of_ten() {
    for seed in 0..10 {
        let mut scene = scene();
        jitter_objects(&mut scene, 0.03, seed);
        let cube = scene.objects[0].position;
        let report = run(scene, PICK_AND_PLACE, false);
        assert!(
            report.is_success(),
            "seed {seed}, cube at {cube:?}: {report:?}"
        );
    }
}

#[test]
fn the_same_script_gives_the_same_world_stepped_and_in_real_time() {
    let (first, second) = (
        run(scene(), PICK_AND_PLACE, false),
        run(scene(), PICK_AND_PLACE, false),
    );
    assert_eq!(first.state_hash, second.state_hash);
    assert_eq!(first.steps, second.steps);

    let short = |realtime| {
        let options = HeadlessOptions {
            bundle: bundle(scene()),
            config: ControlConfig::default(),
            script: Some(PICK_AND_PLACE.to_owned()),
            duration_secs: Some(0.5),
            realtime,
            expect: None,
        };
        headless::run(options, &mut |_| {}).expect("the run is possible")
    };
    let (stepped, real) = (short(false), short(true));
    assert_eq!((stepped.ticks, stepped.steps), (60, 250));
    assert!(real.own_thread && !stepped.own_thread);
    assert_eq!(real.state_hash, stepped.state_hash);
    assert_ne!(real.state_hash, first.state_hash);
}

#[test]
fn the_built_in_motions_fit_the_arm() {
    let report = run(scene(), WAVE, false);
    assert_eq!(report.script, Some(Ok(())));
    assert_eq!(report.expectation_held, Some(false), "waving moves no cube");
    assert!(!report.is_success());
}

#[test]
fn starting_does_not_move_the_arm() {
    let mut bench = Bench::new(Startup {
        bundle: Some(bundle(scene())),
        ..Startup::default()
    });
    bench
        .ask(Request::SetTorque { arm: 0, on: false })
        .expect("torque off");
    let sagged = bench.state_after(1.0);
    assert!(!sagged.active && !sagged.arms[0].torque);
    bench
        .ask(Request::SetTorque { arm: 0, on: true })
        .expect("torque on");
    bench.ask(Request::Start).expect("started");
    let started = bench.pass(0.05).remove(0);
    assert!(started.active && started.arms[0].torque);
    for (joint, before) in started.arms[0].joints.iter().zip(&sagged.arms[0].joints) {
        assert!(
            (joint.target - before.position).abs() < 0.05,
            "{joint:?} after {before:?}"
        );
        assert!((joint.target - joint.position).abs() < 0.05, "{joint:?}");
    }
    // The first motion is slow however far the slider was pulled: a tenth of 3 rad/s.
    let mut far = targets(&started, 0);
    far[0] = 1.5;
    bench.tell(Command::JointTargets {
        arm: 0,
        positions: far,
    });
    let moved = bench.pass(0.1);
    let last = moved.last().expect("published");
    assert!(last.arms[0].joints[0].target - started.arms[0].joints[0].target < 0.1);
    assert_eq!(last.arms[0].mode, TeleopMode::Sliders);
    assert!(
        last.arms[0].limited.is_some(),
        "the safety chain says that it intervened"
    );
}

#[test]
fn keys_step_joints_as_lerobot_js_does() {
    let mut bench = Bench::driving();
    bench.state_after(2.0);
    let before = targets(&bench.state_after(0.05), 0);
    bench.tell(Command::Key {
        arm: 0,
        key: Key::ArrowRight,
        pressed: true,
    });
    bench.pass(0.5);
    bench.tell(Command::Key {
        arm: 0,
        key: Key::ArrowRight,
        pressed: false,
    });
    let after = targets(&bench.state_after(0.2), 0);
    // Thirty or thirty-one updates of eight ticks in half a second.
    let ticks = (after[0] - before[0]) * 4096.0 / std::f64::consts::TAU;
    let updates = ticks / 8.0;
    assert!(
        (updates - updates.round()).abs() < 1e-6,
        "{updates} updates are whole ones"
    );
    assert!(
        (30.0..=31.0).contains(&updates.round()),
        "{updates} updates"
    );
    assert_eq!(after[1..], before[1..]);

    bench.tell(Command::Key {
        arm: 0,
        key: Key::ArrowRight,
        pressed: true,
    });
    let held = targets(&bench.state_after(11.0), 0);
    let limit = 1.91986;
    assert!(
        (held[0] - limit).abs() < 1e-9,
        "the joint stops at its limit"
    );
    bench.tell(Command::Key {
        arm: 0,
        key: Key::ArrowLeft,
        pressed: true,
    });
    let back = targets(&bench.state_after(0.5), 0);
    assert!(
        back[0] < limit - 0.2,
        "after ten seconds the first key counts as released"
    );
    bench.tell(Command::ReleaseKeys);
    bench.pass(0.1);
    let released = targets(&bench.state_after(0.1), 0);
    assert_eq!(targets(&bench.state_after(0.5), 0), released);
}

#[test]
fn a_tap_between_two_ticks_moves_one_step() {
    let mut bench = Bench::driving();
    let before = targets(&bench.state_after(2.0), 0);
    // Faster than a tick the press would be lost: it lasts for two.
    bench.tell(Command::Key {
        arm: 0,
        key: Key::W,
        pressed: true,
    });
    bench.pass(0.016);
    bench.tell(Command::Key {
        arm: 0,
        key: Key::W,
        pressed: false,
    });
    let after = targets(&bench.state_after(0.2), 0);
    let ticks = (after[2] - before[2]) * 4096.0 / std::f64::consts::TAU;
    assert!((ticks - 8.0).abs() < 1e-6, "{ticks} ticks");
}

#[test]
fn escape_holds_at_once_until_it_is_cleared() {
    let mut bench = Bench::driving();
    bench.state_after(2.0);
    let mut far = targets(&bench.state_after(0.05), 0);
    far[0] = -1.5;
    bench.tell(Command::JointTargets {
        arm: 0,
        positions: far.clone(),
    });
    let moving = bench.state_after(0.3);
    assert!(
        moving.arms[0].joints[0].velocity < -0.5,
        "the arm is on its way"
    );
    bench.tell(Command::Key {
        arm: 0,
        key: Key::Escape,
        pressed: true,
    });
    let stopped = bench.state_after(0.05);
    assert!(stopped.e_stopped && stopped.active);
    let held = targets(&stopped, 0);
    assert!(
        bench
            .notices
            .iter()
            .any(|notice| notice.contains("Emergency stop"))
    );

    bench.tell(Command::JointTargets {
        arm: 0,
        positions: far.clone(),
    });
    bench.tell(Command::Key {
        arm: 0,
        key: Key::ArrowLeft,
        pressed: true,
    });
    let later = bench.state_after(1.0);
    assert_eq!(targets(&later, 0), held, "nothing moves it");
    assert!((later.arms[0].joints[0].position - held[0]).abs() < 0.02);
    let refused = bench
        .ask(Request::Start)
        .expect_err("the stop holds")
        .to_string();
    assert!(
        refused.contains("clear the emergency stop first"),
        "{refused}"
    );

    bench.ask(Request::ClearEStop).expect("cleared");
    let cleared = targets(&bench.state_after(0.5), 0);
    assert!(
        (cleared[0] - held[0]).abs() < 1e-3,
        "it was told nothing since"
    );
    bench.tell(Command::JointTargets {
        arm: 0,
        positions: far,
    });
    assert!(targets(&bench.state_after(0.5), 0)[0] < held[0] - 0.1);
}

#[test]
fn an_emergency_stop_ends_a_motion_for_good() {
    let mut bench = Bench::driving();
    bench.play(WAVE);
    bench.pass(1.0);
    assert!(matches!(
        bench.inspect().scripts[0],
        ScriptState::Playing { step: 0, steps: 8 }
    ));
    bench.tell(Command::EStop);
    bench.pass(0.1);
    bench.ask(Request::ClearEStop).expect("cleared");
    let held = targets(&bench.state_after(0.1), 0);
    assert_eq!(targets(&bench.state_after(1.0), 0), held);
    assert_eq!(
        bench.inspect().scripts[0],
        ScriptState::Failed("emergency stop".to_owned())
    );
}

#[test]
fn a_hand_takes_over_from_a_motion() {
    let mut bench = Bench::driving();
    bench.play(WAVE);
    assert_eq!(bench.state_after(0.5).arms[0].mode, TeleopMode::Script);
    bench.tell(Command::Key {
        arm: 0,
        key: Key::O,
        pressed: true,
    });
    let state = bench.state_after(0.1);
    assert_eq!(state.arms[0].mode, TeleopMode::Keyboard);
    assert!(
        bench
            .notices
            .iter()
            .any(|notice| notice.contains("a person took over"))
    );
}

#[test]
fn a_silent_app_lets_go_of_the_keys() {
    let mut bench = Bench::driving();
    bench.state_after(2.0);
    bench.tell(Command::Alive);
    bench.tell(Command::Key {
        arm: 0,
        key: Key::ArrowRight,
        pressed: true,
    });
    bench.pass(1.5);
    let let_go = targets(&bench.state_after(0.1), 0);
    assert_eq!(targets(&bench.state_after(1.0), 0), let_go);
    // A gamepad's stick is let go of as well.
    let state = GamepadState {
        left: [0.0, 1.0],
        ..GamepadState::default()
    };
    bench.tell(Command::Alive);
    bench.tell(Command::Gamepad { arm: 0, state });
    bench.pass(1.5);
    let let_go = targets(&bench.state_after(0.1), 0);
    assert_eq!(targets(&bench.state_after(1.0), 0), let_go);
}

#[test]
fn sticks_move_the_tool_straight() {
    let mut bench = Bench::driving();
    let before = bench.state_after(2.0);
    let model = forearm_arm::so101::so101();
    let tool = |state: &StateUpdate| {
        let joints = targets(state, 0);
        forearm_arm::kinematics::tool_pose(&model, &joints, &mut Vec::new())
    };
    let state = GamepadState {
        right: [0.0, 1.0],
        ..GamepadState::default()
    };
    bench.tell(Command::Gamepad { arm: 0, state });
    let after = bench.state_after(0.25);
    assert_eq!(after.arms[0].mode, TeleopMode::GamepadCartesian);
    let (before, after) = (tool(&before), tool(&after));
    let moved = after.translation.vector - before.translation.vector;
    assert!(moved.z > 0.02 && moved.x.hypot(moved.y) < 0.002, "{moved}");
    assert!(after.rotation.angle_to(&before.rotation) < 0.05);
    bench
        .ask(Request::SetMode {
            arm: 0,
            mode: TeleopMode::GamepadJoint,
        })
        .expect("there");
    let before = targets(&bench.state_after(0.05), 0);
    bench.tell(Command::Gamepad { arm: 0, state });
    let after = bench.state_after(0.25);
    assert_eq!(
        after.arms[0].mode,
        TeleopMode::GamepadJoint,
        "the mode that was chosen stays"
    );
    assert!(targets(&after, 0)[2] > before[2] + 0.1);
}

#[test]
fn the_tool_follows_a_dragged_frame() {
    let mut bench = Bench::driving();
    let state = bench.state_after(2.0);
    let model = forearm_arm::so101::so101();
    let tool_of = |state: &StateUpdate| {
        let joints: Vec<f64> = state.arms[0]
            .joints
            .iter()
            .map(|joint| joint.position)
            .collect();
        forearm_arm::kinematics::tool_pose(&model, &joints, &mut Vec::new())
            .translation
            .vector
    };
    let start = tool_of(&state);
    let target = [start.x + 0.03, start.y - 0.05, start.z + 0.02];
    let base_from_tool = Pose {
        position: target,
        ..Pose::IDENTITY
    };
    bench.tell(Command::ToolTarget {
        arm: 0,
        base_from_tool,
        orientation: false,
    });
    let reached = tool_of(&bench.state_after(1.5));
    let miss = (reached - nalgebra::Vector3::from(target)).norm();
    assert!(miss < 0.005, "{miss} m off");
    let nonsense = Pose {
        position: [f64::NAN; 3],
        rotation: [0.0; 4],
    };
    let before = targets(&bench.state_after(0.5), 0);
    bench.tell(Command::ToolTarget {
        arm: 0,
        base_from_tool: nonsense,
        orientation: true,
    });
    assert_eq!(targets(&bench.state_after(0.5), 0), before);
}

#[test]
fn requests_that_make_no_sense_are_refused_with_a_reason() {
    let empty = Bench::new(Startup::default());
    let error = empty.ask(Request::Start).expect_err("no scene").to_string();
    assert_eq!(
        error,
        "starting was refused: no scene is loaded; load one first"
    );
    let bench = Bench::driving();
    let error = bench
        .ask(Request::SetTorque { arm: 7, on: true })
        .expect_err("no such arm");
    assert!(
        error
            .to_string()
            .contains("no arm number 7; the scene has 1"),
        "{error}"
    );
    let unknown_object = "Motion(name: \"m\", steps: [At(object: \"brick\", secs: 1)])";
    let text = unknown_object.to_owned();
    let error = bench
        .ask(Request::PlayScript { arm: 0, text })
        .expect_err("no brick");
    let error = error.to_string();
    assert!(
        error.contains("step 1") && error.contains("there is `cube`"),
        "{error}"
    );
    let mut broken = scene();
    broken.arms[0]
        .home_degrees
        .insert("no_such_joint".to_owned(), 1.0);
    let before = bench.inspect();
    if bench.ask(Request::LoadScene(bundle(broken))).is_err() {
        assert_eq!(bench.inspect(), before, "the present scene stays");
    }
}

#[test]
fn a_target_out_of_reach_ends_the_motion_with_a_reason() {
    let mut bench = Bench::driving();
    let text = "Motion(name: \"far\", steps: [Tool(position: (2, 0, 0), secs: 1)])".to_owned();
    bench
        .ask(Request::PlayScript { arm: 0, text })
        .expect("it is well written");
    bench.pass(0.1);
    let ScriptState::Failed(why) = &bench.inspect().scripts[0] else {
        panic!("it can't be done")
    };
    assert!(
        why.contains("step 1 of `far`: the tool can't reach (2.000"),
        "{why}"
    );
    assert!(
        bench
            .notices
            .iter()
            .any(|notice| notice.contains("ended early"))
    );
}

#[test]
fn loading_and_resetting_put_everything_in_its_place() {
    let mut bench = Bench::driving();
    let first = bench.state_after(0.05);
    bench.play(WAVE);
    bench.pass(1.0);
    bench.ask(Request::ResetScene).expect("reset");
    assert_eq!(bench.inspect().steps, 0);
    let reset = bench.state_after(0.05);
    for (now, before) in reset.objects.iter().zip(&first.objects) {
        let pairs = now.position.iter().zip(before.position);
        assert!(
            pairs
                .into_iter()
                .all(|(now, before)| (now - before).abs() < 1e-5)
        );
    }
    assert_eq!(reset.scene_generation, 1);
    let mut other = scene();
    other.objects.truncate(1);
    bench
        .ask(Request::LoadScene(bundle(other)))
        .expect("loaded");
    let loaded = bench.state_after(0.05);
    assert_eq!((loaded.scene_generation, loaded.objects.len()), (2, 1));
    assert!(loaded.active, "whoever drives goes on driving");
}

#[test]
fn states_are_published_twenty_times_a_second() {
    let mut bench = Bench::driving();
    let states = bench.pass(2.0);
    assert!((40..=41).contains(&states.len()), "{} states", states.len());
    let last = states.last().expect("some");
    assert_eq!(last.timing.target_hz, 120.0);
    assert!((last.timing.rate_hz - 120.0).abs() < 1e-6);
    assert!(last.timing.jitter_max_secs < 1e-9);
    assert!((last.simulated_secs - last.time_secs).abs() < 0.02);
}

#[test]
fn stopping_holds_and_starting_goes_on() {
    let mut bench = Bench::driving();
    bench.play(WAVE);
    bench.pass(0.8);
    bench.ask(Request::Stop).expect("stopped");
    let held = bench.state_after(0.05);
    assert!(!held.active);
    assert_eq!(targets(&bench.state_after(1.0), 0), targets(&held, 0));
    bench.ask(Request::Start).expect("started");
    bench.pass(12.0);
    assert_eq!(bench.inspect().scripts[0], ScriptState::Done);
}

/// What a test may do to the service.
#[derive(Debug, Clone)]
enum Act {
    Ask(Request),
    Tell(Command),
    Wait(f64),
}

fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -4.0..4.0, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(-1e300)]
}

fn act() -> impl Strategy<Value = Act> {
    let arm = 0..2_usize;
    let mode = prop::sample::select(vec![
        TeleopMode::Keyboard,
        TeleopMode::Sliders,
        TeleopMode::GamepadCartesian,
        TeleopMode::GamepadJoint,
        TeleopMode::Gizmo,
        TeleopMode::Script,
        TeleopMode::Leader,
    ]);
    let key = prop::sample::select(vec![
        Key::ArrowUp,
        Key::ArrowLeft,
        Key::W,
        Key::D,
        Key::E,
        Key::O,
        Key::C,
        Key::Escape,
    ]);
    let script = prop::sample::select(vec![WAVE, PICK_AND_PLACE, "Motion(", ""]);
    let axis = prop_oneof![3 => -1.5_f32..1.5, 1 => Just(f32::NAN)];
    prop_oneof![
        Just(Act::Ask(Request::Start)),
        Just(Act::Ask(Request::Stop)),
        Just(Act::Ask(Request::ResetScene)),
        Just(Act::Ask(Request::ClearEStop)),
        Just(Act::Ask(Request::Inspect)),
        Just(Act::Tell(Command::EStop)),
        Just(Act::Tell(Command::ReleaseKeys)),
        Just(Act::Tell(Command::Alive)),
        (arm.clone(), any::<bool>()).prop_map(|(arm, on)| Act::Ask(Request::SetTorque { arm, on })),
        (arm.clone(), mode).prop_map(|(arm, mode)| Act::Ask(Request::SetMode { arm, mode })),
        (arm.clone(), script).prop_map(|(arm, text)| {
            Act::Ask(Request::PlayScript {
                arm,
                text: text.to_owned(),
            })
        }),
        (arm.clone(), key, any::<bool>()).prop_map(|(arm, key, pressed)| Act::Tell(Command::Key {
            arm,
            key,
            pressed
        })),
        (arm.clone(), prop::collection::vec(wild(), 0..8))
            .prop_map(|(arm, positions)| Act::Tell(Command::JointTargets { arm, positions })),
        (
            arm.clone(),
            [wild(), wild(), wild()],
            [wild(), wild(), wild(), wild()],
            any::<bool>()
        )
            .prop_map(|(arm, position, rotation, orientation)| {
                let base_from_tool = Pose { position, rotation };
                Act::Tell(Command::ToolTarget {
                    arm,
                    base_from_tool,
                    orientation,
                })
            }),
        (
            arm,
            [axis.clone(), axis.clone()],
            [axis.clone(), axis.clone()],
            [axis.clone(), axis]
        )
            .prop_map(|(arm, left, right, triggers)| {
                let state = GamepadState {
                    left,
                    right,
                    triggers,
                    ..GamepadState::default()
                };
                Act::Tell(Command::Gamepad { arm, state })
            }),
        (0.0_f64..0.4).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is asked and told, in whatever order: no panic, and no command outside limits or
    /// faster than the safety chain allows.
    #[test]
    fn no_order_of_messages_breaks_a_limit(acts in prop::collection::vec(act(), 1..40)) {
        let model = forearm_arm::so101::so101();
        let mut bench = Bench::driving();
        let mut last: Option<StateUpdate> = None;
        for act in acts {
            match act {
                Act::Ask(request) => {
                    // Refusals are answers too; the service must live on.
                    let gone = bench.ask(request.clone()).is_err_and(|error| {
                        !matches!(error, ServiceError::Refused { .. })
                    });
                    prop_assert!(!gone, "{request:?} ended the service");
                    if matches!(request, Request::ResetScene | Request::SetTorque { .. }) {
                        last = None;
                    }
                }
                Act::Tell(command) => bench.tell(command),
                Act::Wait(secs) => {
                    for state in bench.pass(secs) {
                        for (joint, spec) in state.arms[0].joints.iter().zip(&model.joints) {
                            // Where an arm is pushed beyond a limit, it may be held there.
                            let slack = 0.05;
                            prop_assert!(joint.target >= spec.limits.lower - slack);
                            prop_assert!(joint.target <= spec.limits.upper + slack);
                            prop_assert!(joint.position.is_finite());
                        }
                        if let Some(last) = last.replace(state.clone()) {
                            let secs = state.time_secs - last.time_secs;
                            if state.arms[0].torque && last.arms[0].torque {
                                let pairs = targets(&state, 0).into_iter().zip(targets(&last, 0));
                                for (now, before) in pairs {
                                    // A stop may set a target back to where its joint really is.
                                    prop_assert!((now - before).abs() <= 3.0 * secs + 0.4);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
