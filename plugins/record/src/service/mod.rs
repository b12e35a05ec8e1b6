//! The record service: what it is asked, fed and told, and its round of work.
//!
//! - `opening`: datasets and cameras are opened and closed.
//! - `flow`: episodes begin, are fed and end; `saving`: they are saved behind the next one.
//! - `reading`: what is asked about a dataset that is open; `outgoing`: it is exported, uploaded.
//! - `publish`: what is told by itself.

mod checks;
mod desk;
mod flow;
mod opening;
mod outgoing;
mod publish;
mod reading;
mod saving;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use forearm_protocol::ServiceError;
use forearm_protocol::control::{Notice, NoticeLevel};
use forearm_protocol::record::{Command, Event, Opened, Reply, Request, TickBatch};
use forearm_protocol::scene::SceneBundle;
use forearm_vision::{Now, Pace};
use forearm_workers::{Answer, Context, Nothing, Service, Wake};

use crate::cameras::Eye;
use crate::config::RecordSetup;
use crate::export::Export;
use crate::listing::CameraListing;
use crate::robot::Robot;
use crate::store::{Deleting, Listing};
use crate::ticks::{Break, Ticks};
use desk::Desk;
use opening::Arrival;
use outgoing::Upload;
use publish::Publisher;

/// How often cameras are looked at and journals written, seconds.
const ROUND_SECS: f64 = 0.005;
/// Requests that may wait for a change of the dataset to end.
const MOST_WAITING: usize = 64;
/// How often a person is told that ticks are refused, seconds.
const REFUSAL_SECS: f64 = 5.0;

type Cx<'a> = Context<'a, RecordService>;

/// Records datasets; see the crate's documentation.
pub struct RecordService {
    setup: RecordSetup,
    pace: Pace,
    /// The shared time at which the service's clock showed zero.
    origin_secs: f64,
    now: Now,
    scene: Option<Scene>,
    ticks: Ticks,
    /// When a person was last told that ticks are refused.
    refusal_told_secs: f64,
    eyes: Vec<Eye>,
    desk: Option<Desk>,
    arrival: Option<Arrival>,
    export: Option<Export>,
    upload: Option<Upload>,
    errands: Errands,
    /// Requests that wait for a change of the dataset to end.
    later: VecDeque<(Request, Answer<Reply>)>,
    publisher: Publisher,
}

/// The scene that ticks are of.
struct Scene {
    generation: u64,
    bundle: Arc<SceneBundle>,
    /// Or why its arms can't be recorded.
    robot: Result<Robot, String>,
}

/// Questions under way that have nothing to do with the open dataset.
#[derive(Default)]
struct Errands {
    cameras: Vec<(CameraListing, Answer<Reply>)>,
    stored: Vec<(Listing, Answer<Reply>)>,
    deleting: Vec<(Deleting, Answer<Reply>)>,
}

impl Scene {
    fn new(generation: u64, bundle: Arc<SceneBundle>) -> Self {
        let robot = Robot::of(&bundle).map_err(|error| error.to_string());
        Self {
            generation,
            bundle,
            robot,
        }
    }
}

impl RecordService {
    /// The shared time of this call.
    fn shared_secs(&self, cx: &Cx<'_>) -> f64 {
        self.origin_secs + cx.now_secs()
    }

    fn set_scene(&mut self, generation: u64, bundle: Arc<SceneBundle>, cx: &mut Cx<'_>) {
        let other = self.scene.as_ref().is_some_and(|scene| {
            scene.generation != generation && Some(generation) != self.ticks.generation()
        });
        if other {
            self.world_changed(Break::Scene, cx);
        }
        let same = self
            .scene
            .as_ref()
            .is_some_and(|scene| Arc::ptr_eq(&scene.bundle, &bundle) || scene.bundle == bundle);
        self.scene = Some(Scene::new(generation, bundle));
        if !same {
            self.look_at_the_scene();
        }
    }

    fn take_ticks(&mut self, batch: &TickBatch, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let intake = self.ticks.take(batch);
        if intake.refused > 0 && now_secs - self.refusal_told_secs > REFUSAL_SECS {
            self.refusal_told_secs = now_secs;
            let text = format!(
                "Control's clock leapt: ticks left out: {}. If that goes on, start control again.",
                intake.refused
            );
            notify(cx, NoticeLevel::Warning, text);
        }
        if let Some(broken) = intake.broken {
            self.world_changed(broken, cx);
        }
        let from = self.ticks.count() - intake.taken;
        self.record_ticks(from, intake.lost, cx);
        self.show_ticks(from, cx);
    }

    /// Shows simulated cameras what is new.
    fn show_ticks(&mut self, from: usize, cx: &mut Cx<'_>) {
        let Some(Scene {
            generation,
            robot: Ok(robot),
            ..
        }) = &self.scene
        else {
            return;
        };
        let layout = robot.layout;
        let width = self.ticks.width();
        let shown = Some(*generation) == self.ticks.generation() && layout.width() == width;
        if !shown || !self.eyes.iter().any(Eye::is_simulated) {
            return;
        }
        for number in from..self.ticks.count() {
            let tick = self.ticks.since(number).get(..width).unwrap_or_default();
            for eye in &mut self.eyes {
                eye.show(tick, layout);
            }
            if self.pace == Pace::Stepped {
                // Pictures are drawn at once, and may be many in a batch.
                self.take_frames(cx);
                self.advance_episodes(cx);
            }
        }
    }

    /// One round of work.
    fn work(&mut self, cx: &mut Cx<'_>) {
        self.attend_opening(cx);
        self.take_frames(cx);
        self.advance_episodes(cx);
        self.advance_flow(cx);
        self.attend_clerk(cx);
        self.attend_errands(cx);
        self.attend_later(cx);
        self.attend_reading(cx);
        self.attend_export(cx);
        self.attend_upload(cx);
        self.publish(cx);
    }

    /// When the next round is.
    fn next_round(&self, cx: &Cx<'_>) -> Wake {
        if self.export.as_ref().is_some_and(Export::can_go_on) {
            // Messages get in between.
            return Wake::At(cx.now_secs());
        }
        let desk = self.desk.as_ref();
        let busy = self.arrival.is_some()
            || self.is_going_out()
            || !self.eyes.is_empty()
            || !self.errands.is_empty()
            || !self.later.is_empty()
            || desk.is_some_and(Desk::is_busy);
        if busy {
            Wake::At(cx.now_secs() + ROUND_SECS)
        } else {
            Wake::OnMessage
        }
    }
}

impl Errands {
    fn is_empty(&self) -> bool {
        self.cameras.is_empty() && self.stored.is_empty() && self.deleting.is_empty()
    }
}

impl Service for RecordService {
    type Setup = RecordSetup;
    type Request = Request;
    type Reply = Reply;
    type Command = Command;
    type Event = Event;
    type Input = TickBatch;
    type Output = Nothing;

    const NAME: &'static str = "record";

    /// An upload takes as long as it takes; whoever asks for one says so.
    const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

    /// A slow disk is no crash.
    const HANG_AFTER: Duration = Duration::from_secs(10);

    /// Frames are stamped where they are taken, and wait there: control comes first, but nothing else.
    const KEEPS_TIME: bool = false;
    const YIELDS: bool = false;

    fn new(setup: RecordSetup) -> Self {
        Self {
            pace: setup.pace(),
            setup,
            origin_secs: 0.0,
            now: Arc::new(|| 0.0),
            scene: None,
            ticks: Ticks::new(),
            refusal_told_secs: f64::NEG_INFINITY,
            eyes: Vec::new(),
            desk: None,
            arrival: None,
            export: None,
            upload: None,
            errands: Errands::default(),
            later: VecDeque::new(),
            publisher: Publisher::default(),
        }
    }

    fn ready(&mut self, cx: &mut Cx<'_>) -> Result<(), ServiceError> {
        let clock = cx.clock().clone();
        let origin_secs = clock.origin_secs();
        self.origin_secs = origin_secs;
        self.now = Arc::new(move || origin_secs + clock.now_secs());
        if let Some((generation, bundle)) = self.setup.scene.take() {
            self.set_scene(generation, bundle, cx);
        }
        match std::mem::take(&mut self.setup.opened) {
            Opened::Nothing => {}
            Opened::Preview(cameras) => self.open_cameras(&cameras),
            Opened::Browsing(place) => self.begin_browsing(place, None),
            Opened::Recording(config) => self.go_on_recording(*config),
        }
        Ok(())
    }

    fn request(&mut self, request: Request, answer: Answer<Reply>, cx: &mut Cx<'_>) {
        self.take_request(request, answer, cx);
        self.publish_phase(cx);
    }

    fn command(&mut self, command: Command, cx: &mut Cx<'_>) {
        match command {
            Command::Scene { generation, bundle } => self.set_scene(generation, bundle, cx),
            Command::Cancel => self.cancel(cx),
            Command::ChunkTaken(bytes) => {
                if let Some(export) = &mut self.export {
                    export.taken(bytes);
                }
            }
        }
    }

    fn input(&mut self, batch: TickBatch, cx: &mut Cx<'_>) {
        self.take_ticks(&batch, cx);
    }

    fn tick(&mut self, cx: &mut Cx<'_>) -> Wake {
        self.work(cx);
        self.next_round(cx)
    }

    fn stopping(&mut self, cx: &mut Cx<'_>) {
        self.leave(cx);
    }

    fn may_drop(event: &Event) -> bool {
        matches!(
            event,
            Event::State(_) | Event::Preview(_) | Event::Progress { .. }
        )
    }

    fn remember(setup: &mut RecordSetup, event: &Event) {
        setup.remember(event);
    }

    fn remember_command(setup: &mut RecordSetup, command: &Command) {
        setup.remember_command(command);
    }

    /// Large datasets take their time.
    fn patience(_request: &Request) -> Duration {
        Self::REQUEST_TIMEOUT
    }
}

fn refused(what: &str, why: impl std::fmt::Display, next: &str) -> ServiceError {
    ServiceError::Refused {
        what: what.to_owned(),
        why: why.to_string(),
        next: next.to_owned(),
    }
}

fn notify(cx: &mut Cx<'_>, level: NoticeLevel, text: String) {
    cx.emit(Event::Notice(Notice { level, text }));
}
