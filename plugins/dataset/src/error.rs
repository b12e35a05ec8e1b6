//! What goes wrong with datasets. Each message says what, what was expected and what to do.

use crate::json::JsonError;
use crate::store::StoreError;

/// Why a dataset could not be read, written or changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DatasetError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is not what it should be.
    #[error("{path}: {why}; repair the dataset, or take the file from a copy")]
    Format {
        /// The file.
        path: String,
        /// What is wrong, and what was expected.
        why: String,
    },
    /// There is no dataset here.
    #[error("no dataset here: meta/info.json is missing; check the path, or record one first")]
    NoDataset,
    /// There is one already.
    #[error("a dataset is here already; resume it, or choose an empty place")]
    Exists,
    /// A version of the format that is not read.
    #[error(
        "meta/info.json: version {got:?} of the format is not known; v3.0 (read and written) and v2.1 (read) are"
    )]
    Version {
        /// What the file says.
        got: String,
    },
    /// A v2.1 dataset can't be changed.
    #[error(
        "a dataset of version {got} is only read; convert it to v3.0 first (LeRobot's convert_dataset_v21_to_v30), or merge it into a new one"
    )]
    OldVersion {
        /// Its version.
        got: String,
    },
    /// The schema of a dataset can't be written, or does not allow what was asked.
    #[error("the dataset's description is not usable: {why}")]
    Schema {
        /// What is wrong, and what was expected.
        why: String,
    },
    /// What is recorded does not fit the dataset that is to be resumed.
    #[error("the recording does not fit the dataset: {}; record into a new one, or set the recording up as the dataset", .differences.join("; "))]
    Mismatch {
        /// Each difference: what, what the recording has, what the dataset has.
        differences: Vec<String>,
    },
    /// An episode to be written is not usable.
    #[error("the episode can't be saved: {why}")]
    Episode {
        /// What is wrong, and what was expected.
        why: String,
    },
    /// An episode that is not there.
    #[error("there is no episode {episode}: the dataset has {total}, counted from 0")]
    NoEpisode {
        /// What was asked for.
        episode: u32,
        /// How many there are.
        total: u32,
    },
    /// A feature that is not there.
    #[error("the dataset has no {what} {key:?}; it has {}", .have.join(", "))]
    NoFeature {
        /// A column, or a camera.
        what: &'static str,
        /// What was asked for.
        key: String,
        /// What there is.
        have: Vec<String>,
    },
    /// A change of many files was cut off in the middle.
    #[error("a change of the dataset was cut off in the middle; repair it to finish the change")]
    Unfinished,
    /// Datasets that can't be merged, or fractions that don't add up.
    #[error("{why}")]
    Operation {
        /// What is wrong, and what was expected.
        why: String,
    },
}

impl DatasetError {
    /// A file that is not what it should be.
    pub(crate) fn format(path: &str, why: impl Into<String>) -> Self {
        Self::Format {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    /// A JSON file that does not parse.
    pub(crate) fn json(path: &str, error: &JsonError) -> Self {
        Self::format(path, format!("not readable as JSON ({error})"))
    }
}
