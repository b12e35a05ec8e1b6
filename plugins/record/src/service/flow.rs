//! Episodes begin, are fed and end.

use forearm_dataset::{Dataset, DatasetError};
use forearm_protocol::ServiceError;
use forearm_protocol::control::NoticeLevel;
use forearm_protocol::record::{Event, Reply};
use forearm_vision::Pace;

use super::desk::{Deleted, Leftover, Recording};
use super::opening::schema_of;
use super::outgoing::GOING_OUT;
use super::saving::throw_away;
use super::{Cx, RecordService, notify, refused};
use crate::cameras::Eye;
use crate::clerk::{Book, Clerk, Task};
use crate::episode::{Episode, EpisodeSpec};
use crate::session::{Act, Refusal, Session};
use crate::ticks::Break;

/// A tick older than this says that control stands still, seconds.
const FRESH_SECS: f64 = 1.0;

impl RecordService {
    pub(super) fn recording(&self) -> Option<&Recording> {
        self.desk.as_ref()?.recording.as_deref()
    }

    pub(super) fn recording_mut(&mut self) -> Option<&mut Recording> {
        self.desk.as_mut()?.recording.as_deref_mut()
    }

    /// Carries out what a person wants of the flow.
    pub(super) fn steer(
        &mut self,
        what: &str,
        cx: &mut Cx<'_>,
        step: impl FnOnce(&mut Session, f64) -> Result<Option<Act>, Refusal>,
    ) -> Result<Reply, ServiceError> {
        let now_secs = self.shared_secs(cx);
        let Some(recording) = self.recording_mut() else {
            let why = "no dataset is open to record";
            return Err(refused(what, why, "open one first"));
        };
        let mut session = recording.session.clone();
        let act = step(&mut session, now_secs)
            .map_err(|Refusal { why, next }| refused(what, why, next))?;
        match act {
            Some(Act::Begin) => self
                .may_begin(now_secs)
                .map_err(|(why, next)| refused(what, why, next))?,
            // Its files are being read.
            Some(Act::DeleteLast) => self.may_change(what)?,
            _ => {}
        }
        if let Some(recording) = self.recording_mut() {
            recording.session = session;
        }
        match act {
            Some(act) => self.carry_out(act, cx).map(|()| Reply::Done),
            None => Ok(Reply::Done),
        }
    }

    /// What time has made due.
    pub(super) fn advance_flow(&mut self, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        while let Some(act) = self
            .recording_mut()
            .and_then(|recording| recording.session.advance(now_secs))
        {
            let done = match act {
                Act::Begin => self
                    .may_begin(now_secs)
                    .map_err(|(why, next)| refused("beginning the next episode", why, next)),
                _ => Ok(()),
            };
            if let Err(error) = done.and_then(|()| self.carry_out(act, cx)) {
                if let Some(recording) = self.recording_mut() {
                    recording.session.broke(now_secs);
                }
                notify(cx, NoticeLevel::Error, error.to_string());
            }
            self.publish_phase(cx);
        }
    }

    pub(super) fn carry_out(&mut self, act: Act, cx: &mut Cx<'_>) -> Result<(), ServiceError> {
        let now_secs = self.shared_secs(cx);
        match act {
            Act::Begin => {
                let begun = self.begin(now_secs);
                if begun.is_err()
                    && let Some(recording) = self.recording_mut()
                {
                    recording.session.broke(now_secs);
                }
                begun
            }
            Act::Keep => {
                self.end(now_secs);
                self.advance_episodes(cx);
                Ok(())
            }
            Act::Discard => {
                self.discard();
                Ok(())
            }
            Act::DeleteLast => {
                if let Some(desk) = &mut self.desk {
                    delete_last(desk);
                }
                Ok(())
            }
            Act::Pause | Act::Resume => {
                let episode = self.recording_mut().and_then(|r| r.episode.as_mut());
                let result = match (episode, act) {
                    (Some(episode), Act::Pause) => episode.pause(now_secs),
                    (Some(episode), _) => episode.resume(now_secs),
                    (None, _) => Ok(()),
                };
                if let Err(error) = result {
                    self.break_off(&error.into(), cx);
                }
                Ok(())
            }
        }
    }

    /// Why an episode can't begin now, and what to do.
    fn may_begin(&self, now_secs: f64) -> Result<(), (String, &'static str)> {
        let Some(desk) = &self.desk else {
            return Err(("no dataset is open".to_owned(), "open one first"));
        };
        let Some(recording) = &desk.recording else {
            return Err(("no dataset is open to record".to_owned(), "open one first"));
        };
        if let Some(Leftover { episode, .. }) = desk.leftovers.first() {
            let why = format!(
                "an episode of {} rows is there that was not saved",
                episode.frames
            );
            return Err((why, "keep it or throw it away first"));
        }
        if self.is_going_out() {
            return Err((GOING_OUT.0.to_owned(), GOING_OUT.1));
        }
        if recording.config.task.trim().is_empty() {
            let why = "the task is empty".to_owned();
            return Err((why, "say in a few words what the arm is to do"));
        }
        let robot = self.robot().map_err(|why| (why, "load another scene"))?;
        let generation = self.scene.as_ref().map(|scene| scene.generation);
        let fresh = self
            .ticks
            .newest_secs()
            .is_some_and(|secs| now_secs - secs <= FRESH_SECS);
        if !fresh || self.ticks.generation() != generation {
            let why = "control gives no ticks of the scene".to_owned();
            return Err((why, "start control, and try again"));
        }
        if self.ticks.width() != robot.layout.width() {
            let why = format!(
                "a control tick has {} numbers, and {} are expected of the scene",
                self.ticks.width(),
                robot.layout.width()
            );
            return Err((why, "load the scene again"));
        }
        if let Some(why) = self.eyes.iter().find_map(|eye| eye.complaint(now_secs)) {
            return Err((why, "see to it, or record without it, and try again"));
        }
        Ok(())
    }

    /// Begins an episode; all that it needs is there.
    fn begin(&mut self, now_secs: f64) -> Result<(), ServiceError> {
        let what = "beginning an episode";
        let next = "see to it, and start again";
        let robot = self
            .robot()
            .map_err(|why| refused(what, why, next))?
            .clone();
        let scene = self.scene_text().map_err(|why| refused(what, why, next))?;
        let pace = self.pace;
        let Some(desk) = &mut self.desk else {
            return Err(refused(what, "no dataset is open", "open one first"));
        };
        let Some(recording) = &mut desk.recording else {
            return Err(refused(
                what,
                "no dataset is open to record",
                "open one first",
            ));
        };
        // The cameras are this one's from now on.
        let mut failed = Ok(());
        for tail in &mut recording.tails {
            failed = failed.and(tail.wait_no_more(&mut self.eyes));
        }
        if let Err(error) = failed {
            tracing::warn!("the end of an episode: {error}");
        }
        let sizes: Vec<[u32; 2]> = self
            .eyes
            .iter()
            .map(|eye| eye.size().unwrap_or_default())
            .collect();
        let schema = schema_of(&recording.config, &robot, &sizes);
        match (&desk.clerk, &recording.schema) {
            (None, _) => {
                let dataset = Dataset::create(&mut desk.store, schema.clone())
                    .map_err(|error| refused(what, error, next))?;
                let book = Box::new(Book::of(dataset, &desk.store));
                desk.clerk = Some(Clerk::new(desk.store.clone(), book, pace));
            }
            (Some(_), Some(known)) => {
                let differences = known.differences(&schema);
                if !differences.is_empty() {
                    let error = DatasetError::Mismatch { differences };
                    return Err(refused(what, error, next));
                }
            }
            // What is recorded is known as soon as the dataset is there.
            (Some(_), None) => {}
        }
        recording.schema = Some(schema);
        let spec = EpisodeSpec {
            index: recording.expected,
            id: name_of_journal(recording.expected, now_secs, pace),
            task: recording.config.task.trim().to_owned(),
            fps: recording.config.fps,
            quality: recording.config.video_quality,
            longest_secs: recording.config.episode_secs,
            start_secs: now_secs,
            robot: &robot,
            scene,
            pace,
        };
        let episode = Episode::begin(spec, &mut desk.store, &self.ticks, &mut self.eyes)
            .map_err(|error| refused(what, error, next))?;
        recording.episode = Some(episode);
        recording.deleted = Deleted::default();
        Ok(())
    }

    fn scene_text(&self) -> Result<String, String> {
        let Some(scene) = &self.scene else {
            return Err("no scene is known yet".to_owned());
        };
        let pretty = ron::ser::PrettyConfig::default();
        ron::ser::to_string_pretty(&scene.bundle.scene, pretty).map_err(|error| error.to_string())
    }

    /// The episode in hand ends and is kept.
    fn end(&mut self, now_secs: f64) {
        if let Some(recording) = self.recording_mut()
            && let Some(mut episode) = recording.episode.take()
        {
            episode.end(now_secs);
            recording.expected += 1;
            recording.tails.push_back(episode);
        }
    }

    /// The episode in hand is thrown away.
    fn discard(&mut self) {
        let Some(desk) = &mut self.desk else {
            return;
        };
        let episode = desk.recording.as_mut().and_then(|r| r.episode.take());
        if let Some(episode) = episode {
            let path = episode.path().to_owned();
            drop(episode);
            throw_away(desk, &path);
        }
    }

    /// New ticks: from number `from` on.
    pub(super) fn record_ticks(&mut self, from: usize, lost: u64, cx: &mut Cx<'_>) {
        let Self { desk, ticks, .. } = self;
        let Some(recording) = desk.as_mut().and_then(|desk| desk.recording.as_deref_mut()) else {
            return;
        };
        for tail in &mut recording.tails {
            // What can't be written shows at its end.
            if let Err(error) = tail.take_ticks(ticks, from, lost) {
                tracing::debug!("the end of an episode: {error}");
            }
        }
        let taken = recording
            .episode
            .as_mut()
            .map_or(Ok(()), |episode| episode.take_ticks(ticks, from, lost));
        if let Err(error) = taken {
            self.break_off(&error.into(), cx);
        }
    }

    /// Ticks don't go on: an episode in hand ends here, and is kept.
    pub(super) fn world_changed(&mut self, broken: Break, cx: &mut Cx<'_>) {
        let Self { eyes, desk, .. } = self;
        let Some(recording) = desk.as_mut().and_then(|desk| desk.recording.as_deref_mut()) else {
            return;
        };
        for episode in recording.tails.iter_mut().chain(&mut recording.episode) {
            episode.cut_ticks(eyes);
        }
        let why = match broken {
            Break::Scene => "another scene was loaded",
            Break::Reset => "the scene was reset",
            Break::Clock => "the clock of control was set",
        };
        self.cut_short(&format!("{why}. Start the next one."), cx);
    }

    /// An episode whose journal is large enough ends here, and is kept: whoever saves it holds all of it
    /// in memory.
    fn cut_large(&mut self, cx: &mut Cx<'_>) {
        let most = self.setup.most_journal_bytes();
        let episode = self.recording().and_then(|r| r.episode.as_ref());
        if episode.is_some_and(|episode| episode.journal_bytes() >= most) {
            let why = format!(
                "it has {} MB, which is as much as is saved at once. Start the next one; record \
                 shorter episodes, or smaller or fewer pictures",
                most >> 20
            );
            self.cut_short(&format!("{why}."), cx);
        }
    }

    /// The episode in hand, if there is one, ends by something else than time or a person, and is kept.
    fn cut_short(&mut self, why: &str, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let cut = |recording: &mut Recording| recording.session.cut(now_secs);
        let Some(act) = self.recording_mut().and_then(cut) else {
            return;
        };
        let text = format!("The episode ended, and is kept: {why}");
        notify(cx, NoticeLevel::Warning, text);
        if let Err(error) = self.carry_out(act, cx) {
            notify(cx, NoticeLevel::Error, error.to_string());
        }
        self.publish_phase(cx);
    }

    /// Takes frames from the cameras to whoever wants them.
    pub(super) fn take_frames(&mut self, cx: &mut Cx<'_>) {
        let Self { eyes, desk, .. } = self;
        let mut recording = desk.as_mut().and_then(|desk| desk.recording.as_deref_mut());
        for (index, eye) in eyes.iter_mut().enumerate() {
            while let Some(frame) = eye.next() {
                if let Some(picture) = eye.preview(&frame) {
                    cx.emit(Event::Preview(picture));
                }
                let wanting = recording.as_deref_mut().and_then(|recording| {
                    let mut tails = recording.tails.iter_mut();
                    match tails.find(|tail| tail.wants_frames(index)) {
                        Some(tail) => {
                            // The next episode may begin with it too.
                            eye.keep(frame.clone());
                            Some(tail)
                        }
                        None => recording.episode.as_mut(),
                    }
                });
                match wanting {
                    Some(episode) => {
                        if let Some(back) = episode.offer(index, frame) {
                            eye.recycle(back);
                        }
                    }
                    None => eye.keep(frame),
                }
            }
        }
    }

    /// Goes on with the episode in hand, and with those that have ended.
    pub(super) fn advance_episodes(&mut self, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let Self { eyes, desk, .. } = self;
        let Some(recording) = desk.as_mut().and_then(|desk| desk.recording.as_deref_mut()) else {
            return;
        };
        let mut failed = None;
        if let Some(episode) = &mut recording.episode {
            failed = episode.advance(now_secs, eyes).err();
        }
        let mut broken_tail = None;
        for (index, tail) in recording.tails.iter_mut().enumerate() {
            if let Err(error) = tail.advance(now_secs, eyes) {
                broken_tail = Some((index, error));
                break;
            }
        }
        if let Some(error) = failed {
            self.break_off(&error, cx);
        }
        if let Some((index, error)) = broken_tail {
            self.break_tail(index, &error, cx);
        }
        self.cut_large(cx);
        self.hand_over(now_secs, cx);
    }

    /// Tells about cameras that give nothing, and the episode about those that hang. Ten times a
    /// second.
    pub(super) fn watch_cameras(&mut self, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let Self { eyes, desk, .. } = self;
        let Some(episode) = desk
            .as_mut()
            .and_then(|desk| desk.recording.as_mut())
            .and_then(|recording| recording.episode.as_mut())
        else {
            return;
        };
        for (index, eye) in eyes.iter_mut().enumerate() {
            episode.set_hung(index, Eye::hangs(eye));
            let lane = episode.lanes().get(index);
            let misfits = lane.is_some_and(|lane| lane.misfits() > 0);
            if let Some(text) = eye.alarm(now_secs, misfits) {
                notify(cx, NoticeLevel::Warning, text);
            }
        }
    }
}

/// A name that no other episode of the dataset has. In stepped time it is the same for the same
/// recording.
fn name_of_journal(index: u32, now_secs: f64, pace: Pace) -> String {
    let stamp = match pace {
        Pace::Stepped => now_secs.to_bits(),
        Pace::Live => web_time::SystemTime::now()
            .duration_since(web_time::SystemTime::UNIX_EPOCH)
            .map_or(now_secs.to_bits(), |since| since.as_millis() as u64),
    };
    format!("{index:06}-{stamp:x}")
}

/// Deletes the episode that was made last: one that nobody saves yet is thrown away.
fn delete_last(desk: &mut super::desk::Desk) {
    let Some(recording) = &mut desk.recording else {
        return;
    };
    let of = recording.expected;
    recording.expected = of.saturating_sub(1);
    match recording.tails.pop_back() {
        Some(tail) => {
            recording.session.saved();
            let path = tail.path().to_owned();
            drop(tail);
            throw_away(desk, &path);
        }
        None => desk.submit(Task::DeleteLast { of }, None),
    }
}
