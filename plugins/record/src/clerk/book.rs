//! An open dataset and what is known about it.

use forearm_dataset::store::Store;
use forearm_dataset::{Dataset, DatasetError, check, sidecar};
use forearm_protocol::record::{CameraQuality, DatasetSummary, EpisodeInfo, EpisodeQuality};

use super::undo::{KEPT, Step};
use crate::store::Shelf;

/// An open dataset and what is known about it.
pub struct Book {
    /// The dataset.
    pub dataset: Dataset,
    /// How well each episode was recorded, as far as that is known.
    qualities: Vec<Option<EpisodeQuality>>,
    bytes: u64,
    /// What is wrong with it, as far as a glance tells.
    problems: Vec<String>,
    /// How the last deletion is undone.
    pub(super) undo: Option<Vec<Step>>,
}

impl Book {
    /// Opens the dataset in a store.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn open(store: &Shelf) -> Result<Self, DatasetError> {
        let dataset = Dataset::open(store)?;
        Ok(Self::of(dataset, store))
    }

    /// Of a dataset that is open, or was just made.
    #[must_use]
    pub fn of(dataset: Dataset, store: &Shelf) -> Self {
        let mut book = Self {
            dataset,
            qualities: Vec::new(),
            bytes: 0,
            problems: Vec::new(),
            undo: None,
        };
        book.refresh(store);
        book
    }

    /// Whether a deletion can be undone.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.undo.is_some()
    }

    /// The dataset in short.
    #[must_use]
    pub fn summary(&self, name: &str) -> DatasetSummary {
        let schema = self.dataset.schema();
        let names = |key: &str| -> Vec<String> {
            let feature = schema.feature(key);
            let names = feature.map(|feature| feature.value_names());
            names.into_iter().flatten().map(str::to_owned).collect()
        };
        let episodes = self.dataset.episodes().iter().enumerate();
        DatasetSummary {
            name: name.to_owned(),
            robot_type: schema.robot_type.clone(),
            fps: schema.fps,
            action_names: names("action"),
            state_names: names("observation.state"),
            cameras: self.cameras(),
            episodes: episodes
                .map(|(index, episode)| EpisodeInfo {
                    index: index as u32,
                    frames: episode.length,
                    task: episode.tasks.join("; "),
                    quality: self.qualities.get(index).cloned().flatten(),
                })
                .collect(),
            bytes: self.bytes,
            problems: self.problems.clone(),
        }
    }

    /// Names of the cameras: of the features that are pictures, without what comes before.
    #[must_use]
    pub fn cameras(&self) -> Vec<String> {
        let features = self.dataset.schema().features.iter();
        features
            .filter(|feature| feature.data_type.is_picture())
            .map(|feature| camera_name(&feature.key).to_owned())
            .collect()
    }

    /// Looks again at what has changed on the disk.
    pub(super) fn refresh(&mut self, store: &Shelf) {
        let count = self.dataset.episodes().len();
        self.qualities.truncate(count);
        for episode in self.qualities.len()..count {
            self.qualities.push(quality(store, episode as u32));
        }
        let Ok(entries) = store.list("") else {
            return;
        };
        let theirs = entries
            .iter()
            .filter(|entry| !entry.path.starts_with(".forearm/"));
        self.bytes = theirs.map(|entry| entry.bytes).sum();
        let errors = check::glance(&self.dataset, &entries).findings;
        let errors = errors
            .into_iter()
            .filter(|finding| finding.severity == check::Severity::Error);
        self.problems = errors
            .map(|finding| format!("{}: {}", finding.path, finding.what))
            .collect();
    }

    /// Deletes episodes.
    pub(super) fn delete(
        &mut self,
        store: &mut dyn Store,
        episodes: &[u32],
    ) -> Result<(), DatasetError> {
        self.dataset.delete(store, episodes)?;
        let mut index = 0;
        self.qualities.retain(|_| {
            index += 1;
            !episodes.contains(&(index - 1))
        });
        Ok(())
    }

    /// What was deleted is gone for good.
    pub(crate) fn forget_undo(&mut self, store: &mut Shelf) {
        if self.undo.take().is_some()
            && let Err(error) = store.remove(KEPT)
        {
            tracing::warn!("what was deleted still takes room: {error}");
        }
    }

    /// Reads everything again, as after a change that was taken back.
    pub(super) fn reopen(&mut self, store: &Shelf) {
        match Self::open(store) {
            Ok(book) => *self = book,
            Err(error) => tracing::error!("the dataset can't be opened again: {error}"),
        }
    }
}

/// A camera's name: its feature's without what comes before.
pub(crate) fn camera_name(key: &str) -> &str {
    key.strip_prefix("observation.images.").unwrap_or(key)
}

/// How well an episode was recorded: what stands beside it, if it was recorded here.
fn quality(store: &Shelf, episode: u32) -> Option<EpisodeQuality> {
    let facts = sidecar::facts(store, episode).ok().flatten()?;
    let quality = facts.quality;
    let cameras = quality.cameras.into_iter().map(|camera| CameraQuality {
        name: camera.name,
        rate_hz: camera.rate_hz,
        repeated: camera.repeated,
        unused: camera.unused,
        dropped: camera.dropped,
        stale: camera.stale,
        offset_max_secs: camera.offset_max_secs,
    });
    Some(EpisodeQuality {
        tick_hz: quality.tick_hz,
        tick_jitter_p99_secs: quality.tick_jitter_p99_secs,
        ticks_lost: quality.ticks_lost,
        tick_gap_max_secs: quality.tick_gap_max_secs,
        cameras: cameras.collect(),
    })
}
