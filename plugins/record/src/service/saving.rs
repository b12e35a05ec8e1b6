//! Episodes that have ended are saved behind the next one; what goes wrong with one is told and ends
//! nothing else.

use forearm_dataset::store::Store;
use forearm_protocol::control::NoticeLevel;
use forearm_protocol::record::{Event, Reply};
use forearm_workers::Answer;

use super::desk::{Deleted, Desk};
use super::opening::leftovers;
use super::{Cx, RecordService, notify, refused};
use crate::clerk::{Clerk, ClerkError, Kind, Report, Task, breathe};
use crate::lane::LaneError;

/// How often encoders are looked at when the service ends, 2 ms apart.
const PATIENCE_AT_THE_END: u32 = 500;

impl RecordService {
    /// Gives up episodes for which a camera never gave a picture.
    fn give_up_the_blind(&mut self, now_secs: f64, cx: &mut Cx<'_>) {
        let found = self.recording().and_then(|recording| {
            let mut tails = recording.tails.iter().enumerate();
            tails.find_map(|(index, tail)| Some((index, tail.blind_camera(now_secs)?.to_owned())))
        });
        if let Some((index, camera)) = found {
            self.break_tail(index, &LaneError::Blind { camera }, cx);
        }
    }

    /// Hands journals that are whole to the clerk, in their order.
    pub(super) fn hand_over(&mut self, now_secs: f64, cx: &mut Cx<'_>) {
        self.give_up_the_blind(now_secs, cx);
        while let Some(desk) = &mut self.desk {
            let Some(recording) = &mut desk.recording else {
                return;
            };
            let whole = recording
                .tails
                .front()
                .is_some_and(|tail| tail.is_whole(now_secs));
            if !whole {
                return;
            }
            let Some(tail) = recording.tails.pop_front() else {
                return;
            };
            match tail.into_written() {
                Ok(written) => desk.submit(Task::Save(Box::new(written)), None),
                Err(error) => self.not_saved(&error, cx),
            }
        }
    }

    /// The episode in hand can't go on. What was accepted of it is kept, or can be had back.
    pub(super) fn break_off(&mut self, error: &LaneError, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let Some(desk) = &mut self.desk else {
            return;
        };
        let Some(recording) = &mut desk.recording else {
            return;
        };
        let Some(mut episode) = recording.episode.take() else {
            return;
        };
        match error {
            LaneError::Codec { .. } if episode.end_with_what_is_there(now_secs) => {
                // Its journal can still be written.
                recording.session.cut(now_secs);
                recording.expected += 1;
                recording.tails.push_back(episode);
                let text = format!("The episode ended early, and is kept: {error}.");
                notify(cx, NoticeLevel::Error, text);
            }
            LaneError::Codec { .. } | LaneError::Blind { .. } => {
                let path = episode.path().to_owned();
                drop(episode);
                recording.session.broke(now_secs);
                throw_away(desk, &path);
                let text = format!("The episode could not be recorded: {error}.");
                notify(cx, NoticeLevel::Error, text);
            }
            LaneError::Store(_) => {
                drop(episode);
                recording.session.broke(now_secs);
                self.look_for_leftovers();
                let text = format!(
                    "The episode broke off: {error}. What was recorded of it can be had back: \
                     keep it or throw it away."
                );
                notify(cx, NoticeLevel::Error, text);
            }
        }
        self.publish_phase(cx);
    }

    /// An episode that has ended can't be brought to its end.
    pub(super) fn break_tail(&mut self, index: usize, error: &LaneError, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let Some(recording) = self.recording_mut() else {
            return;
        };
        let Some(mut tail) = recording.tails.remove(index) else {
            return;
        };
        match error {
            LaneError::Codec { .. } if tail.end_with_what_is_there(now_secs) => {
                recording.tails.insert(index, tail);
                let text = format!("The episode has fewer rows than it lasted: {error}.");
                notify(cx, NoticeLevel::Error, text);
            }
            _ => {
                drop(tail);
                self.not_saved(error, cx);
            }
        }
    }

    /// An episode that was to be kept is not saved.
    fn not_saved(&mut self, error: &dyn std::fmt::Display, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        if let Some(recording) = self.recording_mut() {
            recording.expected = recording.expected.saturating_sub(1);
            recording.session.lost(now_secs);
        }
        self.look_for_leftovers();
        let text = format!(
            "The episode could not be saved: {error}. What was recorded of it can be had back: \
             keep it or throw it away."
        );
        notify(cx, NoticeLevel::Error, text);
        self.publish_phase(cx);
    }

    /// Looks for journals that wait for a decision, not those that are being written, as soon as the
    /// dataset is at hand.
    fn find_leftovers(&mut self) {
        let Some(desk) = &mut self.desk else {
            return;
        };
        let Some(clerk) = desk.clerk.as_ref().filter(|_| desk.look_again) else {
            return;
        };
        let Some(book) = clerk.book() else {
            return;
        };
        desk.look_again = false;
        let mut in_use = clerk.journals();
        if let Some(recording) = &desk.recording {
            let episodes = recording.tails.iter().chain(&recording.episode);
            in_use.extend(episodes.map(|episode| episode.path().to_owned()));
        }
        desk.leftovers = leftovers(&mut desk.store, book, &in_use);
    }

    /// There may be journals that wait for a decision.
    fn look_for_leftovers(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.look_again = true;
        }
        self.find_leftovers();
    }

    /// Takes the clerk's reports.
    pub(super) fn attend_clerk(&mut self, cx: &mut Cx<'_>) {
        while let Some(report) = self
            .desk
            .as_mut()
            .and_then(|desk| desk.clerk.as_mut())
            .and_then(Clerk::poll)
        {
            self.take_report(report, cx);
            self.publish_phase(cx);
        }
        self.find_leftovers();
    }

    fn take_report(&mut self, report: Report, cx: &mut Cx<'_>) {
        let Report {
            kind,
            journal,
            result,
        } = report;
        let answer = self.desk.as_mut().and_then(|desk| desk.asked.pop_front());
        let answer = answer.flatten();
        match (kind, &result) {
            (Kind::Save, Err(error)) => self.not_saved(error, cx),
            (_, Err(error)) => {
                self.look_for_leftovers();
                if answer.is_none() {
                    notify(cx, NoticeLevel::Error, format!("{error}."));
                }
            }
            (kind, Ok(problems)) => {
                for problem in problems {
                    notify(cx, NoticeLevel::Warning, format!("{problem}."));
                }
                if let Some(desk) = &mut self.desk {
                    note_success(desk, kind, journal.as_deref());
                }
            }
        }
        self.keep_count();
        self.tell_again();
        if let Some(summary) = self.desk.as_ref().and_then(Desk::summary) {
            cx.emit(Event::Dataset(Box::new(summary)));
        }
        if let Some(answer) = answer {
            answer_task(answer, kind, result);
        }
    }

    /// What is expected is what is there, once nothing is under way.
    fn keep_count(&mut self) {
        let Some(desk) = &mut self.desk else {
            return;
        };
        let settled = desk.is_settled();
        let count = desk
            .clerk
            .as_ref()
            .and_then(Clerk::book)
            .map(|book| book.dataset.episodes().len() as u32);
        if let (true, Some(count), Some(recording)) = (settled, count, &mut desk.recording) {
            recording.expected = count;
        }
    }

    /// Leaves everything safe: an episode in hand is kept.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        self.cancel(cx);
        let Some(mut desk) = self.desk.take() else {
            return;
        };
        if let Some(mut recording) = desk.recording.take() {
            if let Some(mut episode) = recording.episode.take() {
                episode.end(now_secs);
                recording.tails.push_back(episode);
            }
            for mut tail in recording.tails {
                // Encoders may be at work; what they don't get done stays in the journal, and can be
                // had back without.
                let mut advanced = tail.wait_no_more(&mut self.eyes);
                let mut left = PATIENCE_AT_THE_END;
                while advanced.is_ok() && !tail.is_whole(f64::INFINITY) && left > 0 {
                    left = if breathe() { left - 1 } else { 0 };
                    advanced = tail.wait_no_more(&mut self.eyes);
                }
                if advanced.is_err() || !tail.is_whole(f64::INFINITY) {
                    continue;
                }
                match (tail.into_written(), &mut desk.clerk) {
                    (Ok(written), Some(clerk)) => clerk.submit(Task::Save(Box::new(written))),
                    (Err(error), _) => tracing::warn!("an episode was not saved: {error}"),
                    (Ok(_), None) => {}
                }
            }
        }
        if let Some(clerk) = &mut desk.clerk {
            clerk.finish();
            clerk.forget_undo();
        }
        self.eyes.clear();
    }
}

fn note_success(desk: &mut Desk, kind: Kind, journal: Option<&str>) {
    desk.reader.forget();
    if let Some(path) = journal {
        desk.leftovers.retain(|leftover| leftover.path != path);
    }
    let Some(recording) = &mut desk.recording else {
        return;
    };
    match kind {
        Kind::Save => recording.session.saved(),
        Kind::DeleteLast => {
            let book = desk.clerk.as_ref().and_then(Clerk::book);
            if book.is_some_and(|book| book.can_undo()) {
                recording.deleted = Deleted { own: 1, others: 0 };
            }
        }
        Kind::Undo => {
            let Deleted { own, others } = std::mem::take(&mut recording.deleted);
            recording.session.undeleted(own);
            recording.found += others;
        }
        Kind::Recover | Kind::Delete(_) => {}
    }
}

fn answer_task(answer: Answer<Reply>, kind: Kind, result: Result<Vec<String>, ClerkError>) {
    let what = match kind {
        Kind::Save => "saving the episode",
        Kind::Recover => "keeping the episode that was left behind",
        Kind::DeleteLast | Kind::Delete(_) => "deleting episodes",
        Kind::Undo => "bringing back what was deleted",
    };
    let next = "see to it, and try again";
    let result = result.map_err(|error| refused(what, error, next));
    answer.send(result.map(|_| Reply::Done));
}

/// Removes a journal that nobody wants.
pub(super) fn throw_away(desk: &mut Desk, path: &str) {
    if let Err(error) = desk.store.remove(path) {
        tracing::warn!("a journal that is not wanted stays: {error}");
    }
}
