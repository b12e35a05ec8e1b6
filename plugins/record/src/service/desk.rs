//! An open dataset, and the recording into it.

use std::collections::VecDeque;

use forearm_dataset::Schema;
use forearm_protocol::record::{DatasetSummary, Place, RecordConfig, Recoverable, Reply};
use forearm_workers::Answer;

use crate::browse::Reader;
use crate::clerk::{Clerk, Task};
use crate::episode::Episode;
use crate::session::Session;
use crate::store::Shelf;

/// An open dataset.
pub(super) struct Desk {
    pub(super) name: String,
    pub(super) store: Shelf,
    /// Nothing while the dataset is still to be made: at its first episode.
    pub(super) clerk: Option<Clerk>,
    /// Whoever waits for the clerk's next reports, one a task.
    pub(super) asked: VecDeque<Option<Answer<Reply>>>,
    /// Journals that a crash left behind.
    pub(super) leftovers: Vec<Leftover>,
    /// Whether there may be others now.
    pub(super) look_again: bool,
    /// Whether it may be changed.
    pub(super) writable: bool,
    pub(super) recording: Option<Box<Recording>>,
    pub(super) reader: Reader,
}

/// A journal that a crash left behind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leftover {
    pub(super) path: String,
    pub(super) episode: Recoverable,
}

/// A recording under way.
pub(super) struct Recording {
    pub(super) config: RecordConfig,
    pub(super) session: Session,
    /// The episode in hand.
    pub(super) episode: Option<Episode>,
    /// Episodes that have ended and whose journals are not whole yet, oldest first.
    pub(super) tails: VecDeque<Episode>,
    /// How many episodes the dataset has when all is done that was asked for.
    pub(super) expected: u32,
    /// How many it had when it was opened.
    pub(super) found: u32,
    /// What is recorded, once it is known to the last pixel.
    pub(super) schema: Option<Schema>,
    pub(super) deleted: Deleted,
}

/// What the last deletion took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deleted {
    /// Episodes of this recording.
    pub(super) own: u32,
    /// Episodes that were there before it.
    pub(super) others: u32,
}

impl Desk {
    /// Whether there is something to be done round by round.
    pub(super) fn is_busy(&self) -> bool {
        self.recording.is_some() || !self.is_settled() || self.reader.is_busy()
    }

    /// Whether no change is under way or waits.
    pub(super) fn is_settled(&self) -> bool {
        let written = self
            .recording
            .as_ref()
            .is_none_or(|recording| recording.tails.is_empty());
        written && self.clerk.as_ref().is_none_or(Clerk::is_idle)
    }

    /// Has the dataset changed.
    pub(super) fn submit(&mut self, task: Task, answer: Option<Answer<Reply>>) {
        if let Some(clerk) = &mut self.clerk {
            clerk.submit(task);
            self.asked.push_back(answer);
        }
    }

    /// The dataset in short; `None` while it is being changed.
    pub(super) fn summary(&self) -> Option<DatasetSummary> {
        match (&self.clerk, &self.recording) {
            (Some(clerk), _) => Some(clerk.book()?.summary(&self.name)),
            (None, Some(recording)) => {
                let config = &recording.config;
                Some(DatasetSummary {
                    name: self.name.clone(),
                    fps: config.fps,
                    cameras: config.cameras.iter().map(|c| c.name.clone()).collect(),
                    ..DatasetSummary::default()
                })
            }
            (None, None) => None,
        }
    }
}

/// What a place is called.
pub(super) fn name_of(place: &Place) -> String {
    match place {
        Place::Folder(name) | Place::Storage(name) => name.clone(),
    }
}
