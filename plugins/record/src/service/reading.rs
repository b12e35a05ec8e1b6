//! What is asked of the service, and what waits to be answered.

use forearm_dataset::store::Store;
use forearm_protocol::ServiceError;
use forearm_protocol::control::NoticeLevel;
use forearm_protocol::record::{Event, Opened, Reply, Request};
use forearm_workers::Answer;

use super::desk::{Deleted, Desk, Leftover};
use super::{Cx, MOST_WAITING, RecordService, notify, refused};
use crate::browse;
use crate::clerk::{Clerk, Task};
use crate::listing::list_cameras;
use crate::store::{delete_stored, list_stored};

impl RecordService {
    pub(super) fn take_request(
        &mut self,
        request: Request,
        answer: Answer<Reply>,
        cx: &mut Cx<'_>,
    ) {
        match request {
            Request::ListCameras => {
                let bundle = self.scene.as_ref().map(|scene| &*scene.bundle);
                self.errands.cameras.push((list_cameras(bundle), answer));
                self.attend_errands(cx);
            }
            Request::ListStored => {
                self.errands.stored.push((list_stored(), answer));
                self.attend_errands(cx);
            }
            Request::DeleteStored(name) => {
                self.errands.deleting.push((delete_stored(&name), answer));
                self.attend_errands(cx);
            }
            Request::Preview(cameras) => answer.send(self.preview(&cameras, cx)),
            Request::Start => {
                answer.send(self.steer("starting", cx, |s, now| s.start(now).map(Some)));
            }
            Request::NextEpisode => {
                let what = "going on to the next episode";
                answer.send(self.steer(what, cx, |s, now| s.next(now).map(Some)));
            }
            Request::Rerecord => {
                let what = "recording an episode again";
                answer.send(self.steer(what, cx, |s, now| s.rerecord(now).map(Some)));
            }
            Request::Pause(on) => {
                answer.send(self.steer("pausing", cx, |s, now| s.pause(on, now)));
            }
            Request::SetTask(task) => answer.send(self.set_task(task, cx)),
            Request::Finish => {
                // At once, whatever else waits; the answer comes when all is written.
                match self.steer("ending the recording", cx, |s, now| Ok(s.finish(now))) {
                    Ok(_) => self.when_settled(Request::Finish, answer, cx),
                    Err(error) => answer.send(Err(error)),
                }
            }
            Request::Close => {
                if self.recording().is_some() {
                    let what = "closing the dataset";
                    if let Err(error) = self.steer(what, cx, |s, now| Ok(s.finish(now))) {
                        notify(cx, NoticeLevel::Error, error.to_string());
                    }
                }
                self.when_settled(Request::Close, answer, cx);
            }
            Request::Open(_) | Request::Browse(_) if self.is_recording() => {
                let why = "a recording is under way";
                let what = "opening another dataset";
                answer.send(Err(refused(what, why, "end and close it first")));
            }
            request => self.when_settled(request, answer, cx),
        }
    }

    /// Whether an episode is in hand, or begins by itself.
    pub(super) fn is_recording(&self) -> bool {
        self.recording().is_some_and(|recording| {
            let session = &recording.session;
            session.is_recording() || session.is_between()
        })
    }

    /// Answers what needs the dataset as it will be when all changes are made; later, if need be.
    fn when_settled(&mut self, request: Request, answer: Answer<Reply>, cx: &mut Cx<'_>) {
        self.advance_episodes(cx);
        self.attend_clerk(cx);
        if self.is_settled() && self.later.is_empty() {
            self.answer(request, answer, cx);
        } else if self.later.len() < MOST_WAITING {
            self.later.push_back((request, answer));
        } else {
            let why = "too many requests wait for the dataset";
            answer.send(Err(refused("that", why, "try again shortly")));
        }
    }

    fn is_settled(&self) -> bool {
        self.arrival.is_none() && self.desk.as_ref().is_none_or(Desk::is_settled)
    }

    /// Answers what waited.
    pub(super) fn attend_later(&mut self, cx: &mut Cx<'_>) {
        while self.is_settled()
            && let Some((request, answer)) = self.later.pop_front()
        {
            if !answer.is_cancelled() {
                self.answer(request, answer, cx);
            }
        }
    }

    /// Answers; nothing is under way.
    fn answer(&mut self, request: Request, answer: Answer<Reply>, cx: &mut Cx<'_>) {
        match request {
            Request::Open(config) => self.begin_opening(*config, answer),
            Request::Browse(place) => self.begin_browsing(place, Some(answer)),
            Request::Finish => answer.send(Ok(Reply::Done)),
            Request::Close => {
                self.cancel(cx);
                self.close_now();
                cx.emit(Event::Opened(Opened::Nothing));
                self.publish_phase(cx);
                answer.send(Ok(Reply::Done));
            }
            Request::DeleteEpisodes(episodes) => self.delete(&episodes, answer),
            Request::UndoDelete => self.undo(answer),
            Request::Recover(keep) => self.recover(keep, answer),
            Request::Episode(episode) => answer.send(self.series(episode)),
            Request::Frame { episode, frame } => match &mut self.desk {
                Some(desk) => {
                    desk.reader.want(episode, frame, answer);
                    self.attend_reading(cx);
                }
                None => answer.send(Err(nothing_open("looking at a row"))),
            },
            Request::Export { file, window_bytes } => {
                self.begin_export(file.as_deref(), window_bytes, answer);
            }
            Request::Upload(config) => self.begin_upload(&config, answer),
            // They were seen to before.
            Request::ListCameras
            | Request::ListStored
            | Request::DeleteStored(_)
            | Request::Preview(_)
            | Request::Start
            | Request::NextEpisode
            | Request::Rerecord
            | Request::Pause(_)
            | Request::SetTask(_) => {
                answer.send(Err(refused("that", "it came twice", "ask again")));
            }
        }
    }

    fn set_task(&mut self, task: String, cx: &mut Cx<'_>) -> Result<Reply, ServiceError> {
        let what = "changing the task";
        let recording = self.desk.as_mut().and_then(|desk| desk.recording.as_mut());
        let Some(recording) = recording else {
            let why = "no dataset is open to record";
            return Err(refused(what, why, "open one first"));
        };
        if task.trim().is_empty() {
            let next = "say in a few words what the arm is to do";
            return Err(refused(what, "the task is empty", next));
        }
        recording.config.task = task;
        let opened = Opened::Recording(Box::new(recording.config.clone()));
        cx.emit(Event::Opened(opened));
        self.tell_again();
        Ok(Reply::Done)
    }

    /// The desk, if its dataset may be changed now.
    pub(super) fn changeable(&mut self, what: &str) -> Result<&mut Desk, ServiceError> {
        let recording = self.is_recording();
        self.may_change(what)?;
        let Some(desk) = &mut self.desk else {
            return Err(nothing_open(what));
        };
        if recording {
            let why = "an episode is in hand, or begins by itself";
            return Err(refused(what, why, "end the recording first"));
        }
        if !desk.writable {
            let why = "the dataset can only be looked at";
            return Err(refused(
                what,
                why,
                "copy it, or close what else has it open",
            ));
        }
        Ok(desk)
    }

    fn delete(&mut self, episodes: &[u32], answer: Answer<Reply>) {
        let what = "deleting episodes";
        let desk = match self.changeable(what) {
            Ok(desk) => desk,
            Err(error) => return answer.send(Err(error)),
        };
        let count = desk
            .clerk
            .as_ref()
            .and_then(Clerk::book)
            .map_or(0, |book| book.dataset.episodes().len() as u32);
        let mut episodes = episodes.to_vec();
        episodes.sort_unstable();
        episodes.dedup();
        if let Some(missing) = episodes.iter().find(|episode| **episode >= count) {
            let why = format!("there is no episode {missing}");
            let next = format!("there are {count}, counted from 0");
            return answer.send(Err(refused(what, why, &next)));
        }
        if episodes.is_empty() {
            return answer.send(Ok(Reply::Done));
        }
        if let Some(recording) = &mut desk.recording {
            let others = episodes.iter().filter(|index| **index < recording.found);
            let others = others.count() as u32;
            let own = episodes.len() as u32 - others;
            recording.found = recording.found.saturating_sub(others);
            recording.session.deleted(own);
            recording.deleted = Deleted { own, others };
        }
        desk.submit(Task::Delete(episodes), Some(answer));
    }

    fn undo(&mut self, answer: Answer<Reply>) {
        let what = "bringing back what was deleted";
        // Also in the time between episodes: one was recorded again in a hurry.
        let desk = match self.recording() {
            Some(recording) if recording.session.is_between() && !self.is_going_out() => {
                self.desk.as_mut().ok_or_else(|| nothing_open(what))
            }
            _ => self.changeable(what),
        };
        match desk {
            Err(error) => answer.send(Err(error)),
            Ok(desk) => {
                let possible = desk
                    .clerk
                    .as_ref()
                    .and_then(Clerk::book)
                    .is_some_and(|book| book.can_undo());
                if possible {
                    desk.submit(Task::Undo, Some(answer));
                } else {
                    let why = "nothing was deleted, or the dataset was changed since";
                    answer.send(Err(refused(what, why, "record the episode again")));
                }
            }
        }
    }

    fn recover(&mut self, keep: bool, answer: Answer<Reply>) {
        let what = "seeing to the episode that was left behind";
        let desk = match self.changeable(what) {
            Ok(desk) => desk,
            Err(error) => return answer.send(Err(error)),
        };
        let Some(Leftover { path, .. }) = desk.leftovers.first().cloned() else {
            let why = "there is none";
            return answer.send(Err(refused(what, why, "go on recording")));
        };
        if keep {
            desk.submit(Task::Recover { path }, Some(answer));
            return;
        }
        let removed = desk.store.remove(&path);
        desk.leftovers.retain(|leftover| leftover.path != path);
        let removed = removed.map(|()| Reply::Done);
        answer.send(removed.map_err(|error| refused(what, error, "try again")));
        self.tell_again();
    }

    fn series(&self, episode: u32) -> Result<Reply, ServiceError> {
        let what = "looking at an episode";
        let desk = self.desk.as_ref().ok_or_else(|| nothing_open(what))?;
        let book = desk.clerk.as_ref().and_then(Clerk::book);
        let book = book.ok_or_else(|| refused(what, "there is none so far", "record one"))?;
        browse::series(&book.dataset, &desk.store, episode)
            .map(|series| Reply::Episode(Box::new(series)))
            .map_err(|error| refused(what, error, "look at another one"))
    }

    /// Goes on with rows that are wanted.
    pub(super) fn attend_reading(&mut self, _cx: &mut Cx<'_>) {
        let Some(desk) = &mut self.desk else {
            return;
        };
        let Desk {
            clerk,
            store,
            reader,
            ..
        } = desk;
        if !reader.is_busy() {
            return;
        }
        let Some(book) = clerk.as_ref().and_then(Clerk::book) else {
            return;
        };
        while let Some(failed) = reader.attend(&book.dataset, store) {
            let next = "look at another one";
            let error = refused("looking at a row", failed.error, next);
            failed.answer.send(Err(error));
        }
    }

    /// Goes on with questions that have nothing to do with the open dataset.
    pub(super) fn attend_errands(&mut self, cx: &mut Cx<'_>) {
        let errands = &mut self.errands;
        for (mut listing, answer) in std::mem::take(&mut errands.cameras) {
            match listing.poll() {
                None => errands.cameras.push((listing, answer)),
                Some((cameras, notice)) => {
                    answer.send(Ok(Reply::Cameras(cameras)));
                    if let Some(text) = notice {
                        notify(cx, NoticeLevel::Warning, text);
                    }
                }
            }
        }
        for (mut listing, answer) in std::mem::take(&mut errands.stored) {
            match listing.poll() {
                None => errands.stored.push((listing, answer)),
                Some(names) => {
                    let what = "listing stored datasets";
                    let names = names.map_err(|error| refused(what, error, "try again"));
                    answer.send(names.map(Reply::Names));
                }
            }
        }
        for (mut deleting, answer) in std::mem::take(&mut errands.deleting) {
            match deleting.poll() {
                None => errands.deleting.push((deleting, answer)),
                Some(done) => {
                    let what = "deleting a stored dataset";
                    let next = "close it where it is open, and try again";
                    let done = done.map_err(|error| refused(what, error, next));
                    answer.send(done.map(|()| Reply::Done));
                }
            }
        }
    }

    /// Tells the state at the next opportunity.
    pub(super) fn tell_again(&mut self) {
        self.publisher.hurry();
    }
}

pub(super) fn nothing_open(what: &str) -> ServiceError {
    refused(what, "no dataset is open", "open one first")
}
