//! From journals to episodes, and from what a crash left to a sound dataset.
//!
//! [`save`] is the end of every episode that is recorded: its journal becomes an episode, and goes. After
//! a crash [`leftover`] finds the journals that are still there, and the same [`save`] keeps them.

mod describe;
mod found;
mod recording;
#[cfg(test)]
mod tests;
mod whole;
#[cfg(test)]
mod whole_tests;

use recording::unknown_pixels;

pub use recording::Recording;
pub use whole::{BROKEN, Report, repair};

use crate::dataset::Dataset;
use crate::error::DatasetError;
use crate::journal;
use crate::mp4::Mp4Error;
use crate::resample::{EpisodeQuality, ResampleError};
use crate::sidecar;
use crate::store::{Store, StoreError};

/// Why something could not be had back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RepairError {
    /// A journal whose first record is not there: nothing can be made of the rest.
    #[error("the journal can't be read: {why}; it has nothing that could be kept")]
    NoHead {
        /// What is wrong with it.
        why: String,
    },
    /// A journal without a whole row.
    #[error("the episode has no row: {why}; record it again")]
    Empty {
        /// What is missing.
        why: String,
    },
    /// Its control ticks make no rows.
    #[error(transparent)]
    Resample(#[from] ResampleError),
    /// A camera's pictures make no video.
    #[error("camera {camera:?}: {error}")]
    Video {
        /// The camera.
        camera: String,
        /// What is wrong.
        error: Mp4Error,
    },
    /// The dataset does not take it.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An episode that was saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// Its index in the dataset.
    pub episode: u32,
    /// How many rows it has.
    pub rows: u32,
    /// How well it was recorded.
    pub quality: EpisodeQuality,
    /// What a person should know of it, one line each.
    pub problems: Vec<String>,
}

/// A journal that a crash left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The journal: for [`save`], or to be removed.
    pub path: String,
    /// The task.
    pub task: String,
    /// How many rows can be had back; 0: none, remove it.
    pub rows: u32,
    /// The episode that it was saved as already: only removing it was missed.
    pub saved: Option<u32>,
    /// Why it can't be read, if it can't.
    pub unreadable: Option<String>,
}

/// Makes an episode of a journal, adds it to the dataset and removes the journal.
///
/// Whatever fails, the journal stays, and saving can be tried again; a journal that was saved before is
/// not saved twice.
///
/// # Errors
/// When nothing can be had of it ([`RepairError::NoHead`], [`RepairError::Empty`]), when it does not fit
/// the dataset, and what reading and writing fails with.
pub fn save(
    store: &mut dyn Store,
    dataset: &mut Dataset,
    journal: &str,
) -> Result<Saved, RepairError> {
    let recording = Recording::read(&store.read(journal)?)?;
    dataset.check_resume(&recording.head.schema())?;
    let episode = match saved_as(store, dataset, &recording.head)? {
        Some(episode) => episode,
        None => {
            let index = dataset.info().total_episodes;
            dataset.append(store, recording.episode(index))?
        }
    };
    let mut problems = recording.facts.problems;
    if let Err(error) = store.remove(journal) {
        problems.push(format!(
            "saved, but its journal could not be removed: {error}"
        ));
    }
    Ok(Saved {
        episode,
        rows: recording.rows,
        quality: recording.facts.quality,
        problems,
    })
}

/// The journals that are there though nobody records.
///
/// # Errors
/// What reading fails with.
pub fn leftover(store: &dyn Store, dataset: &Dataset) -> Result<Vec<Leftover>, RepairError> {
    let mut found = Vec::new();
    for entry in store.list(journal::FOLDER)? {
        let path = entry.path;
        found.push(match recording::count(&store.read(&path)?) {
            Ok((head, rows)) => Leftover {
                path,
                saved: saved_as(store, dataset, &head)?,
                task: head.task,
                rows,
                unreadable: None,
            },
            Err(error) => Leftover {
                path,
                task: String::new(),
                rows: 0,
                saved: None,
                unreadable: Some(error.to_string()),
            },
        });
    }
    Ok(found)
}

/// The episode that a recording was saved as.
fn saved_as(
    store: &dyn Store,
    dataset: &Dataset,
    head: &journal::Head,
) -> Result<Option<u32>, RepairError> {
    let total = dataset.info().total_episodes;
    for episode in (0..total).rev() {
        // One that is damaged is not this one as it was just written.
        if let Ok(Some(facts)) = sidecar::facts(store, episode)
            && facts.id == head.id
        {
            return Ok(Some(episode));
        }
    }
    Ok(None)
}
