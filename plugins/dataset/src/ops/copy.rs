//! New datasets from episodes of others: merging and splitting.

use std::collections::BTreeMap;

use crate::append::{Addition, VideoAddition};
use crate::dataset::{Dataset, belongs};
use crate::error::DatasetError;
use crate::info::Version;
use crate::layout::{self, FOREARM, FileIndex};
use crate::schema::{DEFAULT_FEATURES, DataType};
use crate::store::Store;
use crate::table::Values;

/// Makes a dataset of all episodes of others, in their order. They may be of version 2.1.
///
/// # Errors
/// [`DatasetError::Operation`] without any, [`DatasetError::Mismatch`] when they differ in robot, rate
/// or features, [`DatasetError::Exists`], what reading and writing fail with.
pub fn merge(
    sources: &[(&Dataset, &dyn Store)],
    to: &mut dyn Store,
) -> Result<Dataset, DatasetError> {
    let Some(((first, _), others)) = sources.split_first() else {
        return Err(DatasetError::Operation {
            why: "nothing to merge; name one dataset at least".to_owned(),
        });
    };
    for (other, _) in others {
        let differences = first.schema().differences(other.schema());
        if !differences.is_empty() {
            return Err(DatasetError::Mismatch { differences });
        }
    }
    let mut merged = Dataset::create(to, first.schema().clone())?;
    for (source, store) in sources {
        let all: Vec<u32> = (0..source.info.total_episodes).collect();
        copy(source, *store, &mut merged, to, &all)?;
    }
    Ok(merged)
}

/// Makes a dataset of some episodes of another, in this order.
///
/// # Errors
/// [`DatasetError::Operation`] without any, [`DatasetError::NoEpisode`], [`DatasetError::Exists`], what
/// reading and writing fail with.
pub fn split(
    source: &Dataset,
    store: &dyn Store,
    episodes: &[u32],
    to: &mut dyn Store,
) -> Result<Dataset, DatasetError> {
    if episodes.is_empty() {
        return Err(DatasetError::Operation {
            why: "a part without episodes; give each part one at least".to_owned(),
        });
    }
    for episode in episodes {
        source.episode(*episode)?;
    }
    let mut part = Dataset::create(to, source.schema().clone())?;
    copy(source, store, &mut part, to, episodes)?;
    for entry in store.list(FOREARM)? {
        if layout::episode_of(&entry.path).is_none() {
            to.write(&entry.path, &store.read(&entry.path)?)?;
        }
    }
    Ok(part)
}

/// The episodes of each part when `total` episodes are split by fractions: 0.8 and 0.2 of 10 are 0 to 7
/// and 8 to 9.
///
/// # Errors
/// [`DatasetError::Operation`] when a fraction is not between 0 and 1, they are more than 1 together, or
/// a part gets no episode.
pub fn fractions(total: u32, parts: &[f64]) -> Result<Vec<Vec<u32>>, DatasetError> {
    let sum: f64 = parts.iter().sum();
    if parts.iter().any(|part| !(*part > 0.0 && *part <= 1.0)) || sum > 1.0 + 1e-9 {
        return Err(DatasetError::Operation {
            why: format!(
                "the fractions are {parts:?}; expected numbers above 0, 1 together at most"
            ),
        });
    }
    let mut all = Vec::new();
    let (mut share, mut first) = (0.0, 0);
    for part in parts {
        share += part;
        let end = ((share * f64::from(total)).round() as u32).min(total);
        if end <= first {
            return Err(DatasetError::Operation {
                why: format!(
                    "{total} episodes are too few for the fractions {parts:?}; a part would be empty"
                ),
            });
        }
        all.push((first..end).collect());
        first = end;
    }
    Ok(all)
}

/// Adds episodes of another dataset.
fn copy(
    source: &Dataset,
    from: &dyn Store,
    into: &mut Dataset,
    to: &mut dyn Store,
    episodes: &[u32],
) -> Result<(), DatasetError> {
    // Where files that several episodes share went.
    let mut copied: BTreeMap<String, FileIndex> = BTreeMap::new();
    let extras = match source.info.version {
        Version::V30 => from.list(FOREARM)?,
        Version::V21 => Vec::new(),
    };
    for index in episodes {
        let entry = source.episode(*index)?;
        let rows = source.rows(from, *index)?;
        let mut tasks: Vec<String> = Vec::new();
        let mut task_of_row = Vec::with_capacity(rows.rows as usize);
        let numbers = match rows.column("task_index").map(|column| &column.values) {
            Some(Values::I64(numbers)) => numbers.clone(),
            _ => vec![0; rows.rows as usize],
        };
        for number in numbers {
            let task = usize::try_from(number)
                .ok()
                .and_then(|n| source.tasks.get(n));
            let task = task.ok_or_else(|| DatasetError::Episode {
                why: format!(
                    "episode {index} has the task {number}; there are {}",
                    source.tasks.len()
                ),
            })?;
            task_of_row.push(Dataset::task_index(&mut tasks, task));
        }
        let own = |key: &str| !DEFAULT_FEATURES.iter().any(|(default, _)| *default == key);
        let columns = into
            .schema()
            .columns()
            .filter(|feature| own(&feature.key))
            .flat_map(|feature| {
                let mine = rows
                    .columns
                    .iter()
                    .filter(|c| belongs(&c.name, &feature.key));
                mine.map(|column| {
                    let mut column = column.clone();
                    if feature.data_type != DataType::Image {
                        column.form = crate::append::form_of(feature);
                    }
                    column
                })
            })
            .collect();
        let mut videos = Vec::new();
        for video in &entry.videos {
            let path = source.video_path(entry, &video.key)?;
            let known = copied.get(&path).copied();
            let file = known.unwrap_or_else(|| into.next_video(&video.key));
            videos.push(VideoAddition {
                key: video.key.clone(),
                mp4: match known {
                    Some(_) => None,
                    None => Some(from.read(&path)?.into()),
                },
                file: Some(file),
                from_secs: video.from_secs,
            });
            copied.insert(path, file);
        }
        let next = into.info.total_episodes;
        let mut kept = Vec::new();
        for extra in &extras {
            if layout::episode_of(&extra.path) == Some(*index) {
                let path = layout::for_episode(&extra.path, next);
                let path = path.strip_prefix(FOREARM).unwrap_or(&path);
                let path = path.trim_start_matches('/').to_owned();
                kept.push((path, from.read(&extra.path)?));
            }
        }
        let addition = Addition {
            tasks,
            task_of_row,
            columns,
            stats: entry
                .stats
                .iter()
                .filter(|(key, _)| own(key))
                .cloned()
                .collect(),
            videos,
            extras: kept,
        };
        into.add(to, addition)?;
    }
    Ok(())
}
