//! Looks for everything in a dataset that LeRobot, or training with it, would stumble over.
//!
//! Nothing is changed. Every rule that a loader relies on is checked on every file and every row: the
//! description, tasks, tables of episodes, rows, statistics, videos (constant frame rate from 0, enough
//! frames, the right size). Pictures are not decoded.

mod rows;
mod videos;

use std::collections::BTreeMap;
use std::fmt;

use crate::dataset::Dataset;
use crate::episodes::{self, Episode};
use crate::error::DatasetError;
use crate::info::{Info, Version};
use crate::json::Json;
use crate::layout::{EPISODES, INFO, STATS, TASKS};
use crate::schema::DataType;
use crate::store::{Entry, Store, StoreError};
use crate::{ops, tasks};

/// The most findings of one kind that are told one by one.
const MAX_ALIKE: usize = 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It loads and trains; something is unusual or left over.
    Warning,
    /// LeRobot refuses it, or reads something wrong.
    Error,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file.
    pub path: String,
    /// What there is, what is expected, what to do.
    pub what: String,
}

impl fmt::Display for Finding {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: {}: {}", self.path, self.what)
    }
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// In the order of the files; empty when all is well.
    pub findings: Vec<Finding>,
    /// How many episodes were looked at.
    pub episodes: u32,
    /// How many files were.
    pub files: u32,
}

impl Report {
    /// Whether LeRobot loads the dataset and reads everything right.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        !self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    fn error(&mut self, path: &str, what: impl Into<String>) {
        self.add(Severity::Error, path, what.into());
    }

    fn warning(&mut self, path: &str, what: impl Into<String>) {
        self.add(Severity::Warning, path, what.into());
    }

    fn add(&mut self, severity: Severity, path: &str, what: String) {
        let alike = self.findings.iter().filter(|f| f.path == path).count();
        if alike < MAX_ALIKE {
            self.findings.push(Finding {
                severity,
                path: path.to_owned(),
                what,
            });
        }
    }

    /// An error of reading, about the file that it names.
    fn failed(&mut self, path: &str, error: &DatasetError) {
        let text = error.to_string();
        let what = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
        self.error(path, what);
    }
}

/// Checks a dataset. What can't be opened is a finding too.
#[must_use]
pub fn check(store: &dyn Store) -> Report {
    let mut report = Report::default();
    let info = match store.read(INFO) {
        Ok(bytes) => Info::parse(&bytes),
        Err(StoreError::NotFound { .. }) => Err(DatasetError::NoDataset),
        Err(error) => Err(error.into()),
    };
    let info = match info {
        Ok(info) => info,
        Err(error) => {
            report.failed(INFO, &error);
            return report;
        }
    };
    check_info(&info, &mut report);
    if let Ok(true) = ops::is_pending(store) {
        report.error(INFO, DatasetError::Unfinished.to_string());
        return report;
    }
    let dataset = match Dataset::open(store) {
        Ok(dataset) => dataset,
        Err(error) => {
            let path = match &error {
                DatasetError::Format { path, .. }
                | DatasetError::Store(StoreError::NotFound { path }) => path.clone(),
                _ => INFO.to_owned(),
            };
            report.failed(&path, &error);
            return report;
        }
    };
    report.episodes = dataset.info.total_episodes;
    check_counts(&dataset, &mut report);
    if dataset.info.version == Version::V30 {
        check_tasks(store, &dataset, &mut report);
        check_leftovers(store, &dataset, &mut report);
    } else {
        report.warning(
            INFO,
            "version v2.1, which LeRobot 0.4 and later refuse; convert it, or merge it into a new dataset",
        );
    }
    let stats = !matches!(store.size(STATS), Ok(None));
    check_stats(stats, &dataset, &mut report);
    rows::check(store, &dataset, &mut report);
    videos::check(store, &dataset, &mut report);
    report
}

/// What an open dataset and the names of its files tell: nothing is read, so it costs next to nothing.
/// `files` are all files of its store, sorted by path.
#[must_use]
pub fn glance(dataset: &Dataset, files: &[Entry]) -> Report {
    let mut report = Report {
        episodes: dataset.info.total_episodes,
        ..Report::default()
    };
    let is_there = |path: &str| {
        files
            .binary_search_by(|entry| entry.path.as_str().cmp(path))
            .is_ok()
    };
    check_info(&dataset.info, &mut report);
    check_counts(dataset, &mut report);
    check_stats(is_there(STATS), dataset, &mut report);
    check_files(is_there, dataset, &mut report);
    report
}

/// That the files of all episodes are there.
fn check_files(is_there: impl Fn(&str) -> bool, dataset: &Dataset, report: &mut Report) {
    let mut missing = BTreeMap::<String, Vec<u32>>::new();
    for episode in &dataset.episodes {
        let videos = dataset.schema().videos();
        let videos = videos.map(|feature| dataset.video_path(episode, &feature.key));
        for path in std::iter::once(dataset.data_path(episode)).chain(videos) {
            match path {
                Ok(path) if is_there(&path) => {}
                Ok(path) => missing.entry(path).or_default().push(episode.index),
                // The pattern itself is wrong: so it is for all.
                Err(error) => return report.failed(INFO, &error),
            }
        }
    }
    for (path, episodes) in missing {
        let of = match episodes.as_slice() {
            [first, .., last] => format!("episodes {first} to {last} are"),
            _ => format!(
                "episode {} is",
                episodes.first().copied().unwrap_or_default()
            ),
        };
        let what = format!("missing, and {of} in it; take it from a copy, or repair the dataset");
        report.error(&path, what);
    }
}

/// The description.
fn check_info(info: &Info, report: &mut Report) {
    if let Err(error) = info.schema.check() {
        report.error(INFO, error.to_string());
    }
    let videos = info.schema.videos().next().is_some();
    if videos && info.video_path.is_none() {
        report.error(
            INFO,
            "video_path is null, but there are videos; set it to LeRobot's pattern",
        );
    }
    let splits = info.other("splits").map(Json::entries).unwrap_or_default();
    for (name, range) in splits {
        let end = range.text().and_then(|range| range.split_once(':'));
        let end = end.and_then(|(_, end)| end.parse::<u32>().ok());
        if end.is_some_and(|end| end > info.total_episodes) {
            report.warning(
                INFO,
                format!(
                    "the split {name:?} is {range}, but there are {} episodes",
                    info.total_episodes
                ),
            );
        }
    }
}

/// That the description and the tables of episodes say the same.
fn check_counts(dataset: &Dataset, report: &mut Report) {
    let frames = dataset.episodes.last().map_or(0, |last| last.to_row);
    if frames != dataset.info.total_frames {
        report.error(
            INFO,
            format!(
                "total_frames is {}, the episodes have {frames} rows; correct it",
                dataset.info.total_frames
            ),
        );
    }
    if dataset.episodes.is_empty() {
        report.warning(
            INFO,
            "no episodes yet: LeRobot can't load an empty dataset; record one",
        );
    }
    for episode in &dataset.episodes {
        if episode.length == 0 {
            report.error(
                EPISODES,
                format!("episode {} has no rows; delete it", episode.index),
            );
        }
        if episode.tasks.is_empty() {
            report.warning(EPISODES, format!("episode {} has no task", episode.index));
        }
        for task in &episode.tasks {
            if !dataset.tasks.contains(task) {
                report.warning(
                    EPISODES,
                    format!(
                        "episode {} has the task {task:?}, which is none of the dataset's",
                        episode.index
                    ),
                );
            }
        }
    }
}

fn check_tasks(store: &dyn Store, dataset: &Dataset, report: &mut Report) {
    report.files += 1;
    match tasks::read(store) {
        Ok(tasks) => {
            for problem in tasks.problems {
                report.error(TASKS, problem);
            }
            let (found, told) = (tasks.texts.len(), dataset.info.total_tasks);
            if found != told as usize {
                // A crash between the two leaves a task that no row has: harmless.
                report.warning(
                    TASKS,
                    format!("{found} tasks; meta/info.json counts {told}"),
                );
            }
            let mut sorted = tasks.texts;
            sorted.sort();
            if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                report.error(
                    TASKS,
                    format!(
                        "the task {:?} is there twice; LeRobot expects each once",
                        twice[0]
                    ),
                );
            }
        }
        Err(DatasetError::Store(StoreError::NotFound { .. })) if dataset.episodes.is_empty() => {}
        Err(error) => report.failed(TASKS, &error),
    }
}

/// What an episode that was never finished left behind.
fn check_leftovers(store: &dyn Store, dataset: &Dataset, report: &mut Report) {
    match episodes::read(store, &dataset.info) {
        Ok(found) => {
            for leftover in found.leftovers {
                report.warning(
                    EPISODES,
                    format!(
                        "{leftover} is of an episode that was not finished; repair the dataset"
                    ),
                );
            }
        }
        Err(error) => report.failed(EPISODES, &error),
    }
}

/// That there are statistics of everything, of as many rows as there are.
fn check_stats(is_there: bool, dataset: &Dataset, report: &mut Report) {
    if dataset.episodes.is_empty() {
        return;
    }
    if !is_there && dataset.info.version == Version::V30 {
        report.error(
            STATS,
            "missing: it loads, but can't be trained with; repair the dataset",
        );
        return;
    }
    report.files += 1;
    for feature in &dataset.schema().features {
        let text = feature.data_type == DataType::Text;
        let found = dataset.stats.iter().find(|(key, _)| *key == feature.key);
        let Some((key, stats)) = found else {
            if !text {
                report.error(
                    STATS,
                    format!("nothing about {:?}; repair the dataset", feature.key),
                );
            }
            continue;
        };
        let width = if feature.data_type.is_picture() {
            3
        } else {
            feature.width()
        };
        if stats.width() != Some(width) {
            report.error(
                STATS,
                format!("{key:?} has {:?} values; expected {width}", stats.width()),
            );
        }
        if !feature.data_type.is_picture() && stats.count != dataset.info.total_frames {
            report.warning(
                STATS,
                format!(
                    "{key:?} counts {} rows of {}; repair the dataset",
                    stats.count, dataset.info.total_frames
                ),
            );
        }
        let all = stats.named();
        if all
            .iter()
            .flat_map(|(_, values)| *values)
            .any(|v| !v.is_finite())
        {
            report.error(STATS, format!("{key:?} has values that are no numbers"));
        }
        if stats.q01.is_empty() {
            report.warning(
                STATS,
                format!("{key:?} has no quantiles, which some policies need; repair the dataset"),
            );
        }
    }
}

/// Episodes that are in the same file, in the order of the files.
fn by_file<K: Ord>(
    episodes: &[Episode],
    key: impl Fn(&Episode) -> K,
) -> BTreeMap<K, Vec<&Episode>> {
    let mut files = BTreeMap::new();
    for episode in episodes {
        files
            .entry(key(episode))
            .or_insert_with(Vec::new)
            .push(episode);
    }
    files
}
