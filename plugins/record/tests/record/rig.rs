//! What tests record with: a record service, ticks fed by hand, and whatever it tells.

use std::sync::Arc;
use std::time::Duration;

use forearm_dataset::store::Memory;
use forearm_protocol::ServiceError;
use forearm_protocol::record::{
    CameraConfig, CameraSource, Command, DatasetSummary, Event, Phase, Place, RecordConfig,
    RecordState, Reply, Request, TickBatch,
};
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_record::{RecordService, RecordSetup, store};
use forearm_workers::{Answer, Context, Handle, Host, Nothing, Pending, Service, Wake, spawn};

/// Ticks a second.
pub(crate) const HZ: f64 = 120.0;

/// Passes on the ticks that it is told; those without values get the values of now.
pub(crate) struct Feeder;

impl Service for Feeder {
    type Setup = ();
    type Request = Nothing;
    type Reply = Nothing;
    type Command = TickBatch;
    type Event = Nothing;
    type Input = Nothing;
    type Output = TickBatch;

    const NAME: &'static str = "feeder";

    fn new((): ()) -> Self {
        Self
    }

    fn ready(&mut self, _cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        Ok(())
    }

    fn request(&mut self, request: Nothing, _: Answer<Nothing>, _: &mut Context<'_, Self>) {
        match request {}
    }

    fn command(&mut self, mut batch: TickBatch, cx: &mut Context<'_, Self>) {
        if batch.values.is_empty() {
            // One of now.
            batch.values = Rig::tick_at(cx.clock().origin_secs() + cx.now_secs());
        }
        // A service that is gone takes none.
        cx.feed(&batch).ok();
    }

    fn tick(&mut self, _: &mut Context<'_, Self>) -> Wake {
        Wake::OnMessage
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {}
}

/// A scene with an arm, a cube and a camera.
pub(crate) const SCENE: &str = r#"(
    name: "test",
    arms: [(name: "arm")],
    objects: [(name: "cube", shape: Cube(size: 0.03), position: (0.2, 0.0, 0.015))],
    cameras: [(
        name: "front",
        mount: World(position: (0.5, 0.3, 0.4), look_at: (0.1, 0.0, 0.1)),
        resolution: (64, 48),
        fps: 30.0,
    )],
)"#;

pub(crate) fn bundle() -> Arc<SceneBundle> {
    let scene: Scene = ron::from_str(SCENE).expect("the scene is sound");
    Arc::new(SceneBundle::from(scene))
}

/// A service under test, in stepped time.
pub(crate) struct Rig {
    pub(crate) handle: Handle<RecordService>,
    feeder: Handle<Feeder>,
    pub(crate) now: f64,
    pub(crate) tick: u64,
    pub(crate) generation: u64,
    pub(crate) events: Vec<Event>,
}

impl Rig {
    /// A service that knows the scene.
    pub(crate) fn new() -> Self {
        Self::from_setup(RecordSetup::stepped())
    }

    pub(crate) fn from_setup(setup: RecordSetup) -> Self {
        let handle = spawn(setup, Host::Stepped);
        let feeder: Handle<Feeder> = spawn((), Host::Stepped);
        feeder.feed_into(&handle);
        let rig = Self {
            handle,
            feeder,
            now: 0.0,
            tick: 0,
            generation: 1,
            events: Vec::new(),
        };
        rig.scene();
        rig
    }

    pub(crate) fn scene(&self) {
        let scene = Command::Scene {
            generation: self.generation,
            bundle: bundle(),
        };
        self.handle.send(scene).expect("it runs");
    }

    /// What the joints do: each tick's 12 joint numbers and the cube.
    pub(crate) fn tick_at(secs: f64) -> Vec<f64> {
        let mut tick = vec![secs];
        tick.extend((0..6).map(|joint| (secs * (1.0 + f64::from(joint))).sin() * 0.3));
        tick.extend((0..6).map(|joint| (secs * (1.0 + f64::from(joint)) + 0.1).sin() * 0.3));
        tick.extend([0.2, 0.0, 0.015, 0.0, 0.0, 0.0, 1.0]);
        tick
    }

    pub(crate) fn feed(&mut self, values: Vec<f64>) {
        let batch = TickBatch {
            generation: self.generation,
            first_tick: self.tick,
            width: 20,
            values,
        };
        self.tick += 1;
        self.feeder.send(batch).expect("it runs");
        self.feeder.advance_to(self.now);
    }

    /// Lets time pass, with ticks.
    pub(crate) fn run(&mut self, secs: f64) {
        let ticks = (secs * HZ).round() as u64;
        for _ in 0..ticks {
            self.now += 1.0 / HZ;
            let tick = Self::tick_at(self.now);
            self.feed(tick);
            self.handle.advance_to(self.now);
            self.listen();
        }
    }

    /// Lets time pass without ticks.
    pub(crate) fn wait(&mut self, secs: f64) {
        self.now += secs;
        self.handle.advance_to(self.now);
        self.listen();
    }

    pub(crate) fn listen(&mut self) {
        self.events.extend(self.handle.events());
    }

    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply, ServiceError> {
        let pending = self.handle.request(request);
        self.answer(pending)
    }

    pub(crate) fn answer(
        &mut self,
        mut pending: Pending<RecordService>,
    ) -> Result<Reply, ServiceError> {
        for _ in 0..20_000 {
            self.handle.advance_to(self.now);
            self.listen();
            if let Some(answer) = pending.try_take() {
                return answer;
            }
            self.now += 0.001;
        }
        panic!("no answer");
    }

    pub(crate) fn done(&mut self, request: Request) {
        let name = format!("{request:?}");
        let reply = self.ask(request);
        assert!(reply.is_ok(), "{name}: {reply:?}");
    }

    pub(crate) fn refusal(&mut self, request: Request) -> String {
        match self.ask(request) {
            Err(error) => error.to_string(),
            Ok(reply) => panic!("not refused: {reply:?}"),
        }
    }

    pub(crate) fn open(&mut self, config: &RecordConfig) -> DatasetSummary {
        match self.ask(Request::Open(Box::new(config.clone()))) {
            Ok(Reply::Dataset(summary)) => *summary,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn state(&self) -> RecordState {
        let states = self.events.iter().rev();
        let mut states = states.filter_map(|event| match event {
            Event::State(state) => Some((**state).clone()),
            _ => None,
        });
        states.next().expect("it told")
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state().phase
    }

    pub(crate) fn notices(&self) -> Vec<String> {
        let events = self.events.iter();
        let notices = events.filter_map(|event| match event {
            Event::Notice(notice) => Some(notice.text.clone()),
            _ => None,
        });
        notices.collect()
    }

    /// The dataset as it was told last.
    pub(crate) fn dataset(&self) -> DatasetSummary {
        let events = self.events.iter().rev();
        let mut told = events.filter_map(|event| match event {
            Event::Dataset(summary) => Some((**summary).clone()),
            _ => None,
        });
        told.next().expect("it told")
    }

    /// As a process that is killed: nothing more is done.
    pub(crate) fn kill(self) {
        // The service's thread of time is ours, and it is never run again.
        std::mem::forget(self.handle);
    }
}

/// A dataset in memory that outlives its service.
pub(crate) fn memory(name: &str) -> (Memory, Place) {
    let memory = Memory::new();
    store::keep_in_memory(name, memory.clone());
    (memory, Place::Storage(name.to_owned()))
}

pub(crate) fn camera(name: &str, source: CameraSource) -> CameraConfig {
    CameraConfig {
        name: name.to_owned(),
        source,
        resolution: Some([64, 48]),
    }
}

/// Short episodes with a pattern and a simulated camera.
pub(crate) fn config(place: Place) -> RecordConfig {
    RecordConfig {
        task: "Put the cube into the tray".to_owned(),
        episodes: 2,
        episode_secs: 2.0,
        reset_secs: 1.0,
        cameras: vec![
            camera("pattern", CameraSource::Pattern),
            camera("front", CameraSource::Sim("front".to_owned())),
        ],
        ..RecordConfig::new(place)
    }
}

/// Waits, in real time, until something holds.
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("it never came to hold");
}
