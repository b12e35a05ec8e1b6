//! The whole service, in stepped time: soft start, emergency stop, motions, determinism.

use std::sync::Arc;

use forearm_control::{
    ControlConfig, ControlService, Expectation, HeadlessOptions, HeadlessReport, Startup,
    headless, jitter_objects,
};
use forearm_protocol::control::{
    Command, Event, GamepadState, Inspection, NoticeLevel, Reply, Request, ScriptState,
    StateUpdate, TeleopMode,
};
use forearm_protocol::keys::Key;
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_protocol::{Pose, ServiceError};
use forearm_workers::{Handle, Host, spawn};
use proptest::prelude::*;

const PICK_AND_PLACE: &str = include_str!("../../../scenes/motions/pick_and_place.ron");
const WAVE: &str = include_str!("../../../scenes/motions/wave.ron");

fn scene() -> Scene {
    Scene::from_ron("scene", include_str!("../../../scenes/pick_and_place.ron"))
        .expect("the scene is valid")
}

fn bundle(scene: Scene) -> Arc<SceneBundle> {
    Arc::new(SceneBundle { scene, models: Default::default() })
}

/// A running service whose time the test moves.
struct Bench {
    handle: Handle<ControlService>,
    now_secs: f64,
    notices: Vec<String>,
}

impl Bench {
    fn new(startup: Startup) -> Self {
        let service = move || ControlService::new(ControlConfig::default(), startup);
        Self { handle: spawn(service, Host::Stepped), now_secs: 0.0, notices: Vec::new() }
    }

    /// The pick-and-place scene, driving.
    fn driving() -> Self {
        Self::new(Startup { bundle: Some(bundle(scene())), script: None, start: true })
    }

    fn ask(&self, request: Request) -> Result<Reply, ServiceError> {
        self.handle.request_blocking(request)
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
                    Event::SceneLoaded { .. } | Event::ScriptDone { .. } => {}
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
    state.arms[arm].joints.iter().map(|joint| joint.target).collect()
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
        assert!(report.is_success(), "seed {seed}, cube at {cube:?}: {report:?}");
    }
}
