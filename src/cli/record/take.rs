//! A recording without a window: control and the record service side by side, and who begins and ends
//! episodes: the clock, keys, or a motion that is played in each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use forearm_control::{ControlConfig, ControlService, ControlSetup, Startup, jitter_objects};
use forearm_protocol::control::{self, Event as ControlEvent, Notice, NoticeLevel, TeleopMode};
use forearm_protocol::record::{
    Command, DatasetSummary, Event, Phase, Place, RecordConfig, RecordState, Recoverable, Reply,
    Request,
};
use forearm_protocol::scene::SceneBundle;
use forearm_protocol::servo::Connection;
use forearm_protocol::{Message, ServiceError};
use forearm_record::{RecordService, RecordSetup};
use forearm_workers::{Handle, Host, Pending, RestartPolicy, Service, State, supervise};

use super::keys::{KeyPress, Keys};
use super::show::Screen;
use crate::cli::live::{buses, is_real};
use crate::cli::{Failure, OrFail, interrupt};

/// How often services are looked at in real time.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How far stepped time goes between two looks, seconds: a control tick or two.
const STRIDE_SECS: f64 = 1.0 / 120.0;
/// How long things come to rest after a motion, seconds: it belongs to the episode.
const REST_SECS: f64 = 0.5;
/// The longest time between episodes that the service takes, seconds.
const MAX_RESET_SECS: f64 = 86_400.0;
/// How long connecting to arms and opening cameras may take.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long cameras may take to give their first pictures, seconds.
const FIRST_PICTURES_SECS: f64 = 10.0;
/// How long after its start a recording shows that it goes on, seconds.
const SETTLED_SECS: f64 = 2.0;
/// How long saving the last episode may take.
const FINISH_WITHIN: Duration = Duration::from_secs(600);

/// What to record.
pub(super) struct Take {
    pub(super) config: RecordConfig,
    pub(super) bundle: Arc<SceneBundle>,
    pub(super) control: ControlConfig,
    /// A motion for the first arm, played in every episode: its file's text.
    pub(super) script: Option<String>,
    /// How far loose objects are moved before each episode.
    pub(super) jitter_metres: f64,
    pub(super) seed: u64,
    /// Whether time goes as fast as the machine can.
    pub(super) stepped: bool,
}

/// What a recording came to.
pub(super) struct End {
    pub(super) dataset: DatasetSummary,
    /// The recording's own episodes.
    pub(super) made: u32,
    /// How many times a motion failed: the episode was recorded again.
    pub(super) given_up: u32,
    /// Why it ended early.
    pub(super) trouble: Option<String>,
}

/// A recording that goes on.
pub(super) struct Recording {
    take: Take,
    control: Handle<ControlService>,
    recorder: Handle<RecordService>,
    started: Instant,
    /// Stepped time.
    now_secs: f64,
    state: RecordState,
    dataset: DatasetSummary,
    /// How the motion of the episode in hand stands.
    motion: MotionState,
    /// Seeds used so far: an episode that is recorded again has its objects elsewhere.
    laid_out: u64,
    given_up: u32,
    /// How many states control has told.
    control_states: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum MotionState {
    /// The scene is to be put back, then the next episode begins.
    Waits,
    Plays,
    /// It ended, then.
    Ended(f64),
    /// It was given up: why.
    Failed(String),
}

impl Recording {
    /// Opens arms, cameras and dataset.
    pub(super) fn open(mut take: Take) -> Result<Self, Failure> {
        interrupt::listen();
        let (host, setup) = if take.stepped {
            (Host::Stepped, RecordSetup::stepped())
        } else {
            (Host::Thread, RecordSetup::default())
        };
        if take.script.is_some() {
            // Episodes are begun and ended here, by the motion.
            take.config.reset_secs = MAX_RESET_SECS;
        }
        let startup = Startup {
            bundle: Some(Arc::clone(&take.bundle)),
            ..Startup::default()
        };
        let control = ControlSetup {
            config: take.control.clone(),
            startup,
        };
        let control = supervise::<ControlService>(control, host, RestartPolicy::default());
        let recorder = supervise::<RecordService>(setup, host, RestartPolicy::default());
        control.feed_into(&recorder);
        let mut recording = Self {
            take,
            control,
            recorder,
            started: Instant::now(),
            now_secs: 0.0,
            state: RecordState::default(),
            dataset: DatasetSummary::default(),
            motion: MotionState::Waits,
            laid_out: 0,
            given_up: 0,
            control_states: 0,
        };
        recording.prepare()?;
        Ok(recording)
    }

    fn prepare(&mut self) -> Result<(), Failure> {
        // The scene comes with an event; the dataset's columns are its arms'.
        self.wait_until(|it| it.control.status().state == State::Ready)?;
        self.pass()?;
        if is_real(&self.take.bundle.scene) {
            self.connect()?;
        }
        let open = Request::Open(Box::new(self.take.config.clone()));
        let opened = self.recorder.request_within(open, READY_WITHIN);
        match self.answered(opened)? {
            Ok(Reply::Dataset(dataset)) => self.dataset = *dataset,
            Ok(other) => return Err(anyhow!("unexpected answer `{}`", other.name())).or_failed(),
            Err(error) => return Err(error).or_bad_input(),
        }
        self.ask_control(control::Request::Start)?;
        for (arm, spec) in self.take.bundle.clone().scene.arms.iter().enumerate() {
            if spec.leader.is_some() {
                let mode = TeleopMode::Leader;
                self.ask_control(control::Request::SetMode { arm, mode })?;
            }
        }
        Ok(())
    }

    /// Waits until all real arms answer.
    fn connect(&mut self) -> Result<(), Failure> {
        let mut connected = false;
        let until = Instant::now() + READY_WITHIN;
        while !connected {
            self.take_a_moment();
            for event in self.control.events().collect::<Vec<_>>() {
                if let ControlEvent::State(state) = &event {
                    let mut buses = buses(state).into_iter();
                    connected = buses.all(|it| it.bus.connection == Connection::Connected);
                }
                self.heard_from_control(event)?;
            }
            if interrupt::is_told() {
                return Err(anyhow!("interrupted")).or_failed();
            }
            if Instant::now() > until {
                let why = "an arm does not get ready; look at it with `forearm motors PORT`";
                return Err(anyhow!(why)).or_failed();
            }
        }
        Ok(())
    }

    /// Records until enough episodes are made, or a person stops it.
    pub(super) fn run(mut self, screen: &mut Screen) -> Result<End, Failure> {
        let keys = Keys::listen();
        screen.begin(&self.take.config, keys.heard());
        let trouble = match self.record(&keys, screen) {
            Ok(()) => None,
            Err(Failure::Input(error) | Failure::Run(error)) => Some(format!("{error:#}")),
        };
        drop(keys);
        // What is in hand is kept, whatever happened.
        let finished = self.recorder.request_within(Request::Finish, FINISH_WITHIN);
        let finished = self.answered(finished);
        let trouble = match (trouble, finished) {
            (Some(trouble), _) => Some(trouble),
            (None, Ok(Ok(_))) => None,
            (None, Ok(Err(error))) => Some(error.to_string()),
            (None, Err(failure)) => Some(failure.to_string()),
        };
        self.pass().ok();
        let trouble = trouble.or_else(|| {
            let left = self.state.recoverable.as_ref()?;
            Some(way_out(left, &self.take.config.place))
        });
        self.control.stop();
        self.recorder.stop();
        Ok(End {
            made: self.state.made,
            dataset: std::mem::take(&mut self.dataset),
            given_up: self.given_up,
            trouble,
        })
    }

    fn record(&mut self, keys: &Keys, screen: &mut Screen) -> Result<(), Failure> {
        if self.take.script.is_none() {
            self.start()?;
        }
        let ready_at_secs = self.time_secs();
        loop {
            self.pass()?;
            screen.show(&self.state, &self.dataset);
            if self.state.phase == Phase::Finished {
                return Ok(());
            }
            if interrupt::is_told() {
                return Ok(());
            }
            if let Some(press) = keys.next() {
                match press {
                    KeyPress::Stop => return Ok(()),
                    KeyPress::Next if self.state.phase == Phase::Ready => self.start()?,
                    KeyPress::Next => self.try_ask(Request::NextEpisode)?,
                    KeyPress::Rerecord => {
                        self.try_ask(Request::Rerecord)?;
                        self.motion = MotionState::Waits;
                    }
                    KeyPress::Pause if self.take.script.is_none() => {
                        let paused = self.state.phase == Phase::Paused;
                        self.try_ask(Request::Pause(!paused))?;
                    }
                    KeyPress::Pause => {
                        screen.say(
                            "a motion can't be paused; n ends the episode, r records it again",
                        );
                    }
                }
            }
            if self.take.script.is_some() {
                self.play(screen)?;
            } else if self.state.phase == Phase::Ready
                && !keys.heard()
                && self.time_secs() > ready_at_secs + SETTLED_SECS
            {
                // Nobody is there to begin the next one.
                let why = "the recording was broken off, the messages above say why";
                let next = match &self.state.recoverable {
                    Some(left) => way_out(left, &self.take.config.place),
                    None => "go on with --resume".to_owned(),
                };
                return Err(anyhow!("{why}; {next}")).or_failed();
            }
        }
    }

    /// Leads through an episode with a motion.
    fn play(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        match &self.motion {
            MotionState::Waits => {
                if matches!(self.state.phase, Phase::Ready | Phase::Resetting) {
                    self.lay_out()?;
                    self.start()?;
                    let text = self.take.script.clone().unwrap_or_default();
                    self.motion = MotionState::Plays;
                    self.ask_control(control::Request::PlayScript { arm: 0, text })?;
                }
            }
            MotionState::Plays => {
                if matches!(self.state.phase, Phase::Saving | Phase::Resetting) {
                    // The episode was ended early, or its time was over.
                    self.motion = MotionState::Waits;
                }
            }
            MotionState::Ended(at_secs) => {
                if self.time_secs() >= at_secs + REST_SECS {
                    self.motion = MotionState::Waits;
                    self.try_ask(Request::NextEpisode)?;
                }
            }
            MotionState::Failed(why) => {
                self.given_up += 1;
                screen.say(&format!(
                    "the motion was given up, the episode is recorded again: {why}"
                ));
                if self.given_up > 2 * self.take.config.episodes.max(5) {
                    let error = anyhow!("the motion is given up again and again: {why}");
                    return Err(error).or_failed();
                }
                self.motion = MotionState::Waits;
                self.try_ask(Request::Rerecord)?;
            }
        }
        Ok(())
    }

    /// Puts the scene as it should be at the start of an episode.
    fn lay_out(&mut self) -> Result<(), Failure> {
        if is_real(&self.take.bundle.scene) {
            return Ok(());
        }
        if self.take.jitter_metres > 0.0 {
            let mut bundle = SceneBundle::clone(&self.take.bundle);
            let seed = self.take.seed.wrapping_add(self.laid_out);
            jitter_objects(&mut bundle.scene, self.take.jitter_metres, seed);
            self.laid_out += 1;
            self.ask_control(control::Request::LoadScene(Arc::new(bundle)))?;
            self.ask_control(control::Request::Start)?;
        } else {
            self.ask_control(control::Request::ResetScene)?;
        }
        // The recorder has to have ticks of the scene as it is now, or it would see it change.
        let states = self.control_states;
        self.wait_until(|it| it.control_states >= states + 2)
    }

    /// Lets a moment pass and takes what both services told.
    fn pass(&mut self) -> Result<(), Failure> {
        self.take_a_moment();
        for event in self.control.events().collect::<Vec<_>>() {
            self.heard_from_control(event)?;
        }
        for event in self.recorder.events().collect::<Vec<_>>() {
            match event {
                Event::State(state) => self.state = *state,
                Event::Dataset(dataset) => self.dataset = *dataset,
                Event::Notice(notice) => log(&notice),
                _ => {}
            }
        }
        let failure = self.recorder.status().failure;
        match failure.or(self.control.status().failure) {
            Some(failure) => Err(failure).or_failed(),
            None => Ok(()),
        }
    }

    fn heard_from_control(&mut self, event: ControlEvent) -> Result<(), Failure> {
        match event {
            ControlEvent::SceneLoaded { generation, bundle } => {
                let scene = Command::Scene { generation, bundle };
                self.recorder.send(scene).or_failed()?;
            }
            ControlEvent::State(_) => self.control_states += 1,
            ControlEvent::ScriptDone { .. } if self.motion == MotionState::Plays => {
                self.motion = MotionState::Ended(self.time_secs());
            }
            ControlEvent::Notice(notice) => {
                log(&notice);
                if notice.level == NoticeLevel::Error && self.motion == MotionState::Plays {
                    self.motion = MotionState::Failed(notice.text);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_a_moment(&mut self) {
        if self.take.stepped {
            self.now_secs += STRIDE_SECS;
            self.control.advance_to(self.now_secs);
            self.recorder.advance_to(self.now_secs);
        } else {
            std::thread::sleep(LOOK_EVERY);
            self.control.pump(Duration::ZERO);
            self.recorder.pump(Duration::ZERO);
        }
    }

    /// The time that a motion's rest is measured by, seconds.
    fn time_secs(&self) -> f64 {
        if self.take.stepped {
            self.now_secs
        } else {
            self.started.elapsed().as_secs_f64()
        }
    }

    fn wait_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        while !done(self) {
            self.pass()?;
        }
        Ok(())
    }

    /// Begins an episode, as soon as the cameras have given their first pictures.
    fn start(&mut self) -> Result<(), Failure> {
        let until_secs = self.time_secs() + FIRST_PICTURES_SECS;
        loop {
            let asked = self.recorder.request(Request::Start);
            match self.answered(asked)? {
                Ok(_) => return Ok(()),
                // Where an episode is left behind waiting does not help.
                Err(ServiceError::Refused { .. })
                    if self.state.recoverable.is_none()
                        && self.time_secs() < until_secs
                        && !interrupt::is_told() =>
                {
                    self.pass()?;
                }
                Err(error) => {
                    let next = self.state.recoverable.as_ref();
                    let next = next.map(|left| way_out(left, &self.take.config.place));
                    return match next {
                        Some(next) => Err(anyhow!("{error}; {next}")).or_failed(),
                        None => Err(error).or_failed(),
                    };
                }
            }
        }
    }

    /// Asks the recorder for something that may come too late: then nothing happens.
    fn try_ask(&mut self, request: Request) -> Result<(), Failure> {
        let asked = self.recorder.request(request);
        if let Err(error) = self.answered(asked)? {
            tracing::info!("{error}");
        }
        Ok(())
    }

    fn ask_control(&mut self, request: control::Request) -> Result<control::Reply, Failure> {
        let asked = self.control.request(request);
        self.answered(asked)?.or_failed()
    }

    /// Goes on until this was answered.
    fn answered<S: Service>(
        &mut self,
        mut asked: Pending<S>,
    ) -> Result<Result<S::Reply, ServiceError>, Failure> {
        loop {
            if let Some(answer) = asked.try_take() {
                return Ok(answer);
            }
            self.pass()?;
        }
    }
}

/// What helps without a window where an episode was not saved: there nobody asks whether to keep it.
fn way_out(left: &Recoverable, place: &Place) -> String {
    let (Place::Folder(place) | Place::Storage(place)) = place;
    format!(
        "to keep the {} rows of the episode that was not saved: `forearm dataset repair {place}`, then \
         go on with --resume",
        left.frames
    )
}

fn log(Notice { level, text }: &Notice) {
    match level {
        NoticeLevel::Info => tracing::info!("{text}"),
        NoticeLevel::Warning => tracing::warn!("{text}"),
        NoticeLevel::Error => tracing::error!("{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_that_was_not_saved_is_kept_by_a_command_that_is_named() {
        let left = Recoverable {
            episode: 3,
            frames: 120,
            task: "Wave".to_owned(),
        };
        let text = way_out(&left, &Place::Folder("data/wave".to_owned()));
        assert!(text.contains("120 rows"), "{text}");
        assert!(
            text.contains("`forearm dataset repair data/wave`"),
            "{text}"
        );
    }
}
