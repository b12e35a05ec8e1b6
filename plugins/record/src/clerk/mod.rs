//! The clerk: changes a dataset, one change after another, in the order in which they were asked for.
//!
//! Natively on a thread of its own, so that neither the next episode nor its ticks and frames wait for
//! a disk; in the browser, and in stepped time, within [`Clerk::submit`]. While a change is made the
//! dataset is the clerk's: [`Clerk::book`] has it at all other times.

mod book;
#[cfg(not(target_family = "wasm"))]
mod native;
pub(crate) mod undo;
#[cfg(target_family = "wasm")]
mod web;

use std::collections::VecDeque;

use forearm_dataset::DatasetError;
use forearm_dataset::repair::{self, RepairError};
use forearm_dataset::store::{Store, StoreError};
use forearm_vision::Pace;

pub use book::Book;
#[cfg(not(target_family = "wasm"))]
use native::Errand;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::breathe;
use undo::Undo;
#[cfg(target_family = "wasm")]
use web::Errand;
#[cfg(target_family = "wasm")]
pub(crate) use web::breathe;

use crate::episode::Written;
use crate::store::Shelf;

/// A change of a dataset.
pub enum Task {
    /// Make an episode of a whole journal.
    Save(Box<Written>),
    /// Make an episode of a journal that a crash left behind.
    Recover {
        /// Where it is.
        path: String,
    },
    /// Delete the episode that was made last, which is made again; so that it can be undone.
    DeleteLast {
        /// How many episodes there are then: with another number it is not there, and nothing is done.
        of: u32,
    },
    /// Delete these episodes, so that it can be undone.
    Delete(Vec<u32>),
    /// Undo the last deletion.
    Undo,
}

/// What became of a task.
#[derive(Debug)]
pub struct Report {
    /// Which it was.
    pub kind: Kind,
    /// The journal that was to be saved or recovered.
    pub journal: Option<String>,
    /// How it went: what a person should know of it, one line each.
    pub result: Result<Vec<String>, ClerkError>,
}

/// Why a dataset could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ClerkError {
    /// The dataset can't be changed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A journal can't be made an episode of.
    #[error(transparent)]
    Repair(#[from] RepairError),
    /// The place fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever was to do it is gone.
    #[error(
        "the thread that changes the dataset ended without a word; close the dataset and open it \
         again"
    )]
    Gone,
}

/// The kinds of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Task::Save`].
    Save,
    /// [`Task::Recover`].
    Recover,
    /// [`Task::DeleteLast`].
    DeleteLast,
    /// [`Task::Delete`]: so many.
    Delete(u32),
    /// [`Task::Undo`].
    Undo,
}

/// Changes a dataset; see the module's documentation.
pub struct Clerk {
    store: Shelf,
    pace: Pace,
    book: Option<Box<Book>>,
    queue: VecDeque<Task>,
    /// What is under way, and what it is.
    errand: Option<(Errand, Kind, Option<String>)>,
}

/// How an errand stands.
enum Progress {
    #[cfg_attr(
        target_family = "wasm",
        expect(dead_code, reason = "a browser's errands are done when they are begun")
    )]
    UnderWay,
    Done(Box<Done>),
    /// Its thread is gone, and what it had with it.
    Lost,
}

/// What an errand came to; the dataset comes back with it.
struct Done {
    book: Box<Book>,
    report: Report,
}

impl Clerk {
    /// A clerk for a dataset.
    #[must_use]
    pub fn new(store: Shelf, book: Box<Book>, pace: Pace) -> Self {
        Self {
            store,
            pace,
            book: Some(book),
            queue: VecDeque::new(),
            errand: None,
        }
    }

    /// The dataset, when no change is under way.
    #[must_use]
    pub fn book(&self) -> Option<&Book> {
        self.book.as_deref()
    }

    /// Whether nothing is under way and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.errand.is_none() && self.queue.is_empty()
    }

    /// The journals that are being saved, or wait to be.
    #[must_use]
    pub fn journals(&self) -> Vec<String> {
        let under_way = self.errand.iter().filter_map(|(_, _, path)| path.clone());
        under_way
            .chain(self.queue.iter().filter_map(Task::journal))
            .collect()
    }

    /// Waits for the end of all that was asked for. Not for a service's everyday: only at its end.
    pub fn finish(&mut self) {
        while !self.is_idle() {
            if let Some((errand, ..)) = &mut self.errand {
                errand.wait();
            }
            if let Some(Report {
                result: Err(error), ..
            }) = self.poll()
            {
                tracing::error!("{error}");
            }
        }
    }

    /// Throws away what undoing a deletion of its own needs.
    pub(crate) fn forget_undo(&mut self) {
        if let Some(book) = &mut self.book {
            book.forget_undo(&mut self.store);
        }
    }

    /// Has a change made, after those asked for before.
    pub fn submit(&mut self, task: Task) {
        self.queue.push_back(task);
        self.go_on();
    }

    /// The next report, if there is one.
    pub fn poll(&mut self) -> Option<Report> {
        let (errand, ..) = self.errand.as_mut()?;
        let progress = errand.poll();
        if matches!(progress, Progress::UnderWay) {
            return None;
        }
        let (_, kind, journal) = self.errand.take()?;
        let report = match progress {
            Progress::Done(done) => {
                let Done { book, report } = *done;
                self.book = Some(book);
                report
            }
            Progress::UnderWay | Progress::Lost => {
                // What is on the disk is whole.
                self.book = Book::open(&self.store).map(Box::new).ok();
                Report {
                    kind,
                    journal,
                    result: Err(ClerkError::Gone),
                }
            }
        };
        self.go_on();
        Some(report)
    }

    fn go_on(&mut self) {
        if self.errand.is_some() {
            return;
        }
        if let Some(book) = self.book.take() {
            match self.queue.pop_front() {
                Some(task) => {
                    let (kind, journal) = (task.kind(), task.journal());
                    let errand = Errand::run(self.store.clone(), book, task, self.pace);
                    self.errand = Some((errand, kind, journal));
                }
                None => self.book = Some(book),
            }
        }
    }
}

impl Task {
    fn kind(&self) -> Kind {
        match self {
            Self::Save(_) => Kind::Save,
            Self::Recover { .. } => Kind::Recover,
            Self::DeleteLast { .. } => Kind::DeleteLast,
            Self::Delete(episodes) => Kind::Delete(episodes.len() as u32),
            Self::Undo => Kind::Undo,
        }
    }

    fn journal(&self) -> Option<String> {
        match self {
            Self::Save(written) => Some(written.path.clone()),
            Self::Recover { path } => Some(path.clone()),
            Self::DeleteLast { .. } | Self::Delete(_) | Self::Undo => None,
        }
    }
}

/// What was deleted from a dataset is gone for good.
fn forget_deleted(store: &mut Shelf) {
    if let Err(error) = store.remove(undo::KEPT) {
        tracing::warn!("what was deleted still takes room: {error}");
    }
}

/// Makes a change.
fn carry_out(mut store: Shelf, mut book: Box<Book>, task: Task) -> Done {
    let (kind, journal) = (task.kind(), task.journal());
    let result = match task {
        Task::Save(written) => {
            let Written {
                path,
                mut journal,
                rows,
            } = *written;
            let ended = journal.finish(rows).map_err(ClerkError::from);
            // Whoever saves reads it by another way.
            drop(journal);
            ended.and_then(|()| save(&mut store, &mut book, &path))
        }
        Task::Recover { path } => save(&mut store, &mut book, &path),
        Task::DeleteLast { of } => match of.checked_sub(1) {
            Some(last) if book.dataset.episodes().len() == of as usize => {
                delete(&mut store, &mut book, &[last])
            }
            _ => Ok(Vec::new()),
        },
        Task::Delete(episodes) => delete(&mut store, &mut book, &episodes),
        Task::Undo => match book.undo.take() {
            None => Ok(Vec::new()),
            Some(steps) => {
                let back = undo::go_back(&mut store, steps);
                book.reopen(&store);
                back.map(|()| Vec::new()).map_err(ClerkError::from)
            }
        },
    };
    book.refresh(&store);
    Done {
        book,
        report: Report {
            kind,
            journal,
            result,
        },
    }
}

/// Deletes episodes so that it can be undone.
fn delete(store: &mut Shelf, book: &mut Book, episodes: &[u32]) -> Result<Vec<String>, ClerkError> {
    book.forget_undo(store);
    // Another program may have left some too.
    forget_deleted(store);
    let mut undo = Undo::new(store.clone());
    let result = book.delete(&mut undo, episodes);
    let steps = undo.into_steps();
    match &result {
        Ok(()) => book.undo = Some(steps),
        // Half a deletion is none.
        Err(_) => {
            if let Err(error) = undo::go_back(store, steps) {
                tracing::error!("a deletion that failed could not be taken back: {error}");
            }
            book.reopen(store);
        }
    }
    result.map(|()| Vec::new()).map_err(ClerkError::from)
}

fn save(store: &mut Shelf, book: &mut Book, path: &str) -> Result<Vec<String>, ClerkError> {
    book.forget_undo(store);
    let saved = repair::save(store, &mut book.dataset, path)?;
    Ok(saved.problems)
}
