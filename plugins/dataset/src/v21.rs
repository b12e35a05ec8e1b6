//! Datasets of version 2.1, to read: a file an episode, and JSON lines instead of tables.

use crate::dataset::{Dataset, stats_from_json};
use crate::episodes::{Episode, EpisodeVideo};
use crate::error::DatasetError;
use crate::info::Info;
use crate::json::Json;
use crate::layout::{self, FileIndex, STATS, Value};
use crate::stats::{FeatureStats, aggregate_of};
use crate::store::{Store, StoreError};

const TASKS: &str = "meta/tasks.jsonl";
const EPISODES: &str = "meta/episodes.jsonl";
const EPISODES_STATS: &str = "meta/episodes_stats.jsonl";

/// A file of an episode.
pub(crate) fn path(
    info: &Info,
    pattern: &str,
    episode: u32,
    key: &str,
) -> Result<String, DatasetError> {
    layout::path(
        pattern,
        &[
            ("episode_chunk", Value::Number(episode / info.chunks_size)),
            ("episode_index", Value::Number(episode)),
            ("video_key", Value::Text(key)),
        ],
    )
}

/// Opens a dataset whose `info.json` was read.
pub(crate) fn open(store: &dyn Store, info: Info) -> Result<Dataset, DatasetError> {
    let mut dataset = Dataset {
        tasks: tasks(store)?,
        episodes: Vec::new(),
        stats: Vec::new(),
        info,
    };
    episodes(store, &mut dataset)?;
    episode_stats(store, &mut dataset)?;
    match store.read(STATS) {
        Ok(bytes) => dataset.stats = stats_from_json(&bytes, STATS)?,
        Err(StoreError::NotFound { .. }) => {
            for feature in &dataset.info.schema.features {
                let parts = dataset
                    .episodes
                    .iter()
                    .filter_map(|episode| episode.feature_stats(&feature.key));
                if parts.clone().next().is_some() {
                    let together: FeatureStats = aggregate_of(parts);
                    dataset.stats.push((feature.key.clone(), together));
                }
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(dataset)
}

/// The values of a file with one on each line.
fn lines(store: &dyn Store, path: &str) -> Result<Vec<Json>, DatasetError> {
    let bytes = store.read(path)?;
    bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| Json::parse(line).map_err(|error| DatasetError::json(path, &error)))
        .collect()
}

/// A whole number of a line.
fn number(path: &str, line: &Json, key: &str) -> Result<u32, DatasetError> {
    line.get(key)
        .and_then(Json::unsigned)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| DatasetError::format(path, format!("a line without a number {key:?}")))
}

fn tasks(store: &dyn Store) -> Result<Vec<String>, DatasetError> {
    let mut tasks = Vec::new();
    for line in lines(store, TASKS)? {
        let index = number(TASKS, &line, "task_index")?;
        if index as usize != tasks.len() {
            return Err(DatasetError::format(
                TASKS,
                format!("task {index} where task {} is expected", tasks.len()),
            ));
        }
        let task = line.get("task").and_then(Json::text);
        tasks.push(task.unwrap_or_default().to_owned());
    }
    Ok(tasks)
}

fn episodes(store: &dyn Store, dataset: &mut Dataset) -> Result<(), DatasetError> {
    let fps = f64::from(dataset.schema().fps);
    let total = dataset.info.total_episodes as usize;
    let videos: Vec<String> = dataset.schema().videos().map(|f| f.key.clone()).collect();
    let mut from_row = 0;
    for line in lines(store, EPISODES)?.iter().take(total) {
        let index = number(EPISODES, line, "episode_index")?;
        let length = number(EPISODES, line, "length")?;
        if index as usize != dataset.episodes.len() {
            return Err(DatasetError::format(
                EPISODES,
                format!(
                    "episode {index} where episode {} is expected",
                    dataset.episodes.len()
                ),
            ));
        }
        let tasks = line.get("tasks").map(Json::values).unwrap_or_default();
        let file = FileIndex {
            chunk: index / dataset.info.chunks_size,
            file: index,
        };
        dataset.episodes.push(Episode {
            index,
            tasks: tasks
                .iter()
                .filter_map(|task| task.text().map(str::to_owned))
                .collect(),
            length,
            data: file,
            from_row,
            to_row: from_row + u64::from(length),
            videos: videos
                .iter()
                .map(|key| EpisodeVideo {
                    key: key.clone(),
                    file,
                    from_secs: 0.0,
                    to_secs: f64::from(length) / fps,
                })
                .collect(),
            stats: Vec::new(),
            meta: file,
        });
        from_row += u64::from(length);
    }
    if dataset.episodes.len() < total {
        return Err(DatasetError::format(
            EPISODES,
            format!(
                "{} episodes; expected the {total} of meta/info.json",
                dataset.episodes.len()
            ),
        ));
    }
    Ok(())
}

/// Statistics of the episodes, where they are there.
fn episode_stats(store: &dyn Store, dataset: &mut Dataset) -> Result<(), DatasetError> {
    let lines = match lines(store, EPISODES_STATS) {
        Err(DatasetError::Store(StoreError::NotFound { .. })) => return Ok(()),
        other => other?,
    };
    for line in lines {
        let index = number(EPISODES_STATS, &line, "episode_index")?;
        let Some(episode) = dataset.episodes.get_mut(index as usize) else {
            continue;
        };
        let stats = line.get("stats").map(Json::entries).unwrap_or_default();
        episode.stats = stats
            .iter()
            .map(|(key, stats)| (key.clone(), FeatureStats::from_json(stats)))
            .filter(|(_, stats)| stats.width().is_some())
            .collect();
    }
    Ok(())
}
