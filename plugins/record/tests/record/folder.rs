//! Datasets in folders, and the service on a thread of its own.

use std::path::PathBuf;
use std::time::Duration;

use forearm_dataset::Dataset;
use forearm_protocol::lifecycle::Fault;
use forearm_protocol::record::{
    CameraSource, Command, Event, Phase, Place, RecordConfig, Reply, Request, TickBatch,
};
use forearm_record::store::{Access, Directory};
use forearm_record::{RecordService, RecordSetup};
use forearm_workers::{Handle, Host, RestartPolicy, spawn, supervise};

use crate::rig::{Feeder, Rig, bundle, camera, config, until};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("forearm-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        Self(folder)
    }

    fn place(&self) -> Place {
        Place::Folder(self.0.display().to_string())
    }

    fn dataset(&self) -> Dataset {
        let store = Directory::open(&self.0, Access::Read).expect("there");
        Dataset::open(&store).expect("sound")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn two_programs_do_not_write_one_dataset() {
    let scratch = Scratch::new("two-programs");
    let mut first = Rig::new();
    first.run(0.5);
    first.open(&config(scratch.place()));
    first.run(0.2);
    first.done(Request::Start);
    first.run(2.3);
    let mut second = Rig::new();
    second.run(0.5);
    let resumed = RecordConfig {
        resume: true,
        ..config(scratch.place())
    };
    let text = second.refusal(Request::Open(Box::new(resumed.clone())));
    let holder = format!("process {}", std::process::id());
    assert!(
        text.contains(&holder) && text.contains("open to record"),
        "{text}"
    );
    // It may look.
    second.done(Request::Browse(scratch.place()));
    assert!(
        second
            .notices()
            .iter()
            .any(|text| text.contains("only be looked at"))
    );
    assert_eq!(second.dataset().episodes.len(), 1);
    let text = second.refusal(Request::DeleteEpisodes(vec![0]));
    assert!(text.contains("only be looked at"), "{text}");
    first.done(Request::Close);
    second.open(&resumed);
    drop(second);
    assert_eq!(scratch.dataset().episodes().len(), 1);
    assert!(
        !scratch.0.join(".forearm").exists(),
        "nothing is left behind"
    );
}

/// A service in real time, and what feeds it.
struct Live {
    handle: Handle<RecordService>,
    feeder: Handle<Feeder>,
    tick: u64,
    events: Vec<Event>,
}

impl Live {
    fn new() -> Self {
        let handle = supervise(
            RecordSetup::default(),
            Host::Thread,
            RestartPolicy::default(),
        );
        let feeder = spawn((), Host::Thread);
        let feeder: Handle<Feeder> = feeder;
        feeder.feed_into(&handle);
        let scene = Command::Scene {
            generation: 1,
            bundle: bundle(),
        };
        handle.send(scene).expect("it runs");
        Self {
            handle,
            feeder,
            tick: 0,
            events: Vec::new(),
        }
    }

    /// A tick now, and what was told since.
    fn turn(&mut self) {
        let batch = TickBatch {
            generation: 1,
            first_tick: self.tick,
            width: 20,
            values: Vec::new(),
        };
        self.tick += 1;
        self.feeder.send(batch).ok();
        self.handle.pump(Duration::ZERO);
        self.events.extend(self.handle.events());
    }

    fn ask(&mut self, request: Request) -> Reply {
        let mut pending = self.handle.request(request);
        let mut answer = None;
        until(|| {
            self.turn();
            answer = pending.try_take();
            answer.is_some()
        });
        answer.expect("it came").expect("not refused")
    }

    fn phase(&self) -> Option<Phase> {
        let states = self.events.iter().rev();
        let mut states = states.filter_map(|event| match event {
            Event::State(state) => Some(state.phase),
            _ => None,
        });
        states.next()
    }

    fn reach(&mut self, phase: Phase) {
        until(|| {
            self.turn();
            self.phase() == Some(phase)
        });
    }

    /// Starts as soon as the cameras see something.
    fn start(&mut self) {
        until(|| {
            self.turn();
            self.turn();
            self.handle.request_blocking(Request::Start).is_ok()
        });
    }
}

#[test]
fn on_threads_of_its_own_and_after_a_crash() {
    let scratch = Scratch::new("live");
    let mut live = Live::new();
    live.turn();
    live.ask(Request::Open(Box::new(RecordConfig {
        episodes: 3,
        episode_secs: 0.6,
        reset_secs: 0.3,
        cameras: vec![
            camera("pattern", CameraSource::Pattern),
            camera("front", CameraSource::Sim("front".to_owned())),
        ],
        ..config(scratch.place())
    })));
    live.start();
    live.reach(Phase::Resetting);
    live.reach(Phase::Recording);
    for _ in 0..20 {
        live.turn();
        std::thread::park_timeout(Duration::from_millis(8));
    }
    // What is in hand is kept, and the rest is recorded by itself.
    live.handle
        .inject(Fault::Throw)
        .expect("it can be made to fail");
    live.reach(Phase::Finished);
    live.ask(Request::Close);
    let dataset = scratch.dataset();
    assert_eq!(dataset.episodes().len(), 3);
    assert_eq!(dataset.episodes()[0].length, 18);
    assert!(
        !scratch.0.join(".forearm").exists(),
        "nothing is left behind"
    );
}
