//! `meta/episodes`: a row an episode, with where its rows and videos are and its statistics.

use crate::error::DatasetError;
use crate::info::Info;
use crate::layout::{self, EPISODES, EPISODES_PATTERN, FileIndex};
use crate::schema::{DataType, Schema};
use crate::stats::{FeatureStats, to_count};
use crate::store::Store;
use crate::table::{self, Column, File, Form, Table, Values};

/// An episode of a dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Episode {
    /// Its index, from 0.
    pub index: u32,
    /// Its tasks.
    pub tasks: Vec<String>,
    /// How many rows it has.
    pub length: u32,
    /// Which file its rows are in.
    pub data: FileIndex,
    /// Its first row, counted over the whole dataset.
    pub from_row: u64,
    /// Behind its last row.
    pub to_row: u64,
    /// Where its videos are.
    pub videos: Vec<EpisodeVideo>,
    /// Statistics of its rows by feature; empty in datasets that have none.
    pub stats: Vec<(String, FeatureStats)>,
    /// Which file this is written in.
    pub meta: FileIndex,
}

/// Where a camera's video of an episode is.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeVideo {
    /// The feature.
    pub key: String,
    /// Which file.
    pub file: FileIndex,
    /// Where it begins in the file, seconds.
    pub from_secs: f64,
    /// Where it ends in the file, seconds.
    pub to_secs: f64,
}

impl Episode {
    /// Where a camera's video is.
    #[must_use]
    pub fn video(&self, key: &str) -> Option<&EpisodeVideo> {
        self.videos.iter().find(|video| video.key == key)
    }

    /// Statistics of a feature.
    #[must_use]
    pub fn feature_stats(&self, key: &str) -> Option<&FeatureStats> {
        let (_, stats) = self.stats.iter().find(|(name, _)| name == key)?;
        Some(stats)
    }
}

/// What the tables say.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    /// The episodes that count.
    pub(crate) finished: Vec<Episode>,
    /// Files and rows that are beyond the episodes that count.
    pub(crate) leftovers: Vec<String>,
}

/// The tables' files with their indices, sorted as LeRobot sorts them.
pub(crate) fn files(store: &dyn Store) -> Result<Vec<(String, FileIndex)>, DatasetError> {
    let number = |part: &str, before: &str, after: &str| -> Option<u32> {
        part.strip_prefix(before)?.strip_suffix(after)?.parse().ok()
    };
    let entries = store.list(EPISODES)?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| {
            let mut parts = entry.path.rsplit('/');
            let file = number(parts.next()?, "file-", ".parquet")?;
            let chunk = number(parts.next()?, "chunk-", "")?;
            let at = FileIndex { chunk, file };
            Some((entry.path.clone(), at))
        })
        .collect())
}

/// Reads the tables as far as `info` counts episodes.
pub(crate) fn read(store: &dyn Store, info: &Info) -> Result<Episodes, DatasetError> {
    let mut all = Episodes::default();
    let total = info.total_episodes as usize;
    for (path, at) in files(store)? {
        if all.finished.len() >= total {
            all.leftovers.push(path);
            continue;
        }
        let file = File::open(store, &path)?;
        let table = file.read_all(store, &|_| true)?;
        for row in rows(&path, &table, &info.schema, at)? {
            if all.finished.len() >= total {
                all.leftovers.push(format!("{path}, episode {}", row.index));
                continue;
            }
            let expected = all.finished.len();
            let from = all.finished.last().map_or(0, |episode| episode.to_row);
            if row.index as usize != expected || row.from_row != from {
                return Err(DatasetError::format(
                    &path,
                    format!(
                        "episode {} from row {} where episode {expected} from row {from} is expected",
                        row.index, row.from_row
                    ),
                ));
            }
            all.finished.push(row);
        }
    }
    if all.finished.len() < total {
        return Err(DatasetError::format(
            EPISODES,
            format!(
                "{} episodes; expected the {total} of meta/info.json",
                all.finished.len()
            ),
        ));
    }
    Ok(all)
}

/// The episodes of a table.
pub(crate) fn rows(
    path: &str,
    table: &Table,
    schema: &Schema,
    meta: FileIndex,
) -> Result<Vec<Episode>, DatasetError> {
    let wrong = |why: String| DatasetError::format(path, why);
    let unsigned = |name: &str| -> Result<Vec<u64>, DatasetError> {
        let values: Option<Vec<u64>> = table
            .ints(path, name)?
            .iter()
            .map(|value| u64::try_from(*value).ok())
            .collect();
        values.ok_or_else(|| wrong(format!("column {name:?} has negative numbers")))
    };
    let small = |name: &str| -> Result<Vec<u32>, DatasetError> {
        let values: Option<Vec<u32>> = unsigned(name)?
            .iter()
            .map(|value| u32::try_from(*value).ok())
            .collect();
        values.ok_or_else(|| wrong(format!("column {name:?} has numbers that are too large")))
    };
    let (indices, lengths) = (small("episode_index")?, small("length")?);
    let (chunks, files) = (small("data/chunk_index")?, small("data/file_index")?);
    let (from, to) = (
        unsigned("dataset_from_index")?,
        unsigned("dataset_to_index")?,
    );
    let mut episodes = Vec::with_capacity(table.rows);
    for row in 0..table.rows {
        if to[row].checked_sub(from[row]) != Some(u64::from(lengths[row])) {
            return Err(wrong(format!(
                "episode {} has rows {} to {} and the length {}; expected as many rows",
                indices[row], from[row], to[row], lengths[row]
            )));
        }
        episodes.push(Episode {
            index: indices[row],
            length: lengths[row],
            data: FileIndex {
                chunk: chunks[row],
                file: files[row],
            },
            from_row: from[row],
            to_row: to[row],
            meta,
            ..Episode::default()
        });
    }
    if let Some(column) = table.column("tasks") {
        let Values::Text(texts) = &column.values else {
            return Err(wrong("column \"tasks\" is no text".to_owned()));
        };
        for (episode, range) in episodes.iter_mut().zip(column.row_ranges(table.rows)) {
            episode.tasks = texts[range].to_vec();
        }
    }
    for feature in schema.videos() {
        let key = &feature.key;
        let chunks = small(&format!("videos/{key}/chunk_index"))?;
        let files = small(&format!("videos/{key}/file_index"))?;
        let from = seconds(path, table, &format!("videos/{key}/from_timestamp"))?;
        let to = seconds(path, table, &format!("videos/{key}/to_timestamp"))?;
        for (row, episode) in episodes.iter_mut().enumerate() {
            episode.videos.push(EpisodeVideo {
                key: key.clone(),
                file: FileIndex {
                    chunk: chunks[row],
                    file: files[row],
                },
                from_secs: from[row],
                to_secs: to[row],
            });
        }
    }
    for feature in &schema.features {
        read_stats(table, &feature.key, &mut episodes);
    }
    Ok(episodes)
}

fn seconds(path: &str, table: &Table, name: &str) -> Result<Vec<f64>, DatasetError> {
    table
        .column(name)
        .filter(|column| column.form == Form::One)
        .and_then(|column| column.values.to_f64())
        .ok_or_else(|| {
            DatasetError::format(path, format!("column {name:?} is missing or no numbers"))
        })
}

/// Puts the statistics of a feature into the episodes; what is not there stays empty.
fn read_stats(table: &Table, key: &str, episodes: &mut [Episode]) {
    let mut all: Vec<FeatureStats> = vec![FeatureStats::default(); episodes.len()];
    let prefix = format!("stats/{key}/");
    for column in &table.columns {
        let Some(name) = column.name.strip_prefix(&prefix) else {
            continue;
        };
        let Some(values) = column.values.to_f64() else {
            continue;
        };
        for (stats, range) in all.iter_mut().zip(column.row_ranges(table.rows)) {
            let values = &values[range];
            if name == "count" {
                stats.count = values.first().map_or(0, |count| to_count(*count));
            } else if let Some(into) = stats.by_name(name) {
                *into = values.to_vec();
            }
        }
    }
    for (episode, stats) in episodes.iter_mut().zip(all) {
        if stats.width().is_some() {
            episode.stats.push((key.to_owned(), stats));
        }
    }
}

/// The path of a table of episodes.
pub(crate) fn path(at: FileIndex) -> Result<String, DatasetError> {
    layout::file(EPISODES_PATTERN, "", at)
}

/// A table of episodes as a file.
pub(crate) fn write(schema: &Schema, episodes: &[&Episode]) -> Result<Vec<u8>, DatasetError> {
    let at = episodes.first().map(|episode| episode.meta);
    let path = path(at.unwrap_or_default())?;
    let ints = |name: &str, value: &dyn Fn(&Episode) -> u64| {
        let values = episodes
            .iter()
            .map(|e| i64::try_from(value(e)).unwrap_or(i64::MAX));
        Column::ints(name, values)
    };
    let tasks = |episode: &&Episode| u32::try_from(episode.tasks.len()).unwrap_or(u32::MAX);
    let mut columns = vec![
        ints("episode_index", &|episode| episode.index.into()),
        Column {
            name: "tasks".to_owned(),
            values: Values::Text(episodes.iter().flat_map(|e| e.tasks.clone()).collect()),
            form: Form::Lists(episodes.iter().map(tasks).collect()),
        },
        ints("length", &|episode| episode.length.into()),
        ints("data/chunk_index", &|episode| episode.data.chunk.into()),
        ints("data/file_index", &|episode| episode.data.file.into()),
        ints("dataset_from_index", &|episode| episode.from_row),
        ints("dataset_to_index", &|episode| episode.to_row),
    ];
    for feature in schema.videos() {
        let key = &feature.key;
        let videos: Option<Vec<&EpisodeVideo>> = episodes.iter().map(|e| e.video(key)).collect();
        let videos = videos.ok_or_else(|| {
            DatasetError::format(&path, format!("an episode without a video of {key:?}"))
        })?;
        let name = |field: &str| format!("videos/{key}/{field}");
        let number = |field: &str, value: &dyn Fn(&EpisodeVideo) -> u32| {
            Column::ints(name(field), videos.iter().map(|v| i64::from(value(v))))
        };
        let secs = |field: &str, value: &dyn Fn(&EpisodeVideo) -> f64| {
            let values = videos.iter().map(|v| value(v)).collect();
            Column::one(name(field), Values::F64(values))
        };
        columns.push(number("chunk_index", &|video| video.file.chunk));
        columns.push(number("file_index", &|video| video.file.file));
        columns.push(secs("from_timestamp", &|video| video.from_secs));
        columns.push(secs("to_timestamp", &|video| video.to_secs));
    }
    for feature in &schema.features {
        // All or nothing: a column has a place for each episode.
        let stats: Option<Vec<&FeatureStats>> = episodes
            .iter()
            .map(|episode| episode.feature_stats(&feature.key))
            .collect();
        if let Some(stats) = stats {
            write_stats(&feature.key, &feature.data_type, &stats, &mut columns);
        }
    }
    columns.push(ints("meta/episodes/chunk_index", &|e| e.meta.chunk.into()));
    columns.push(ints("meta/episodes/file_index", &|e| e.meta.file.into()));
    table::write(&path, columns, &[], &[episodes.len()])
}

fn write_stats(
    key: &str,
    data_type: &DataType,
    stats: &[&FeatureStats],
    columns: &mut Vec<Column>,
) {
    let name = |field: &str| format!("stats/{key}/{field}");
    for (place, (field, _)) in FeatureStats::default().named().iter().enumerate() {
        if *field == "q01" {
            let counts = stats
                .iter()
                .map(|s| i64::try_from(s.count).unwrap_or(i64::MAX));
            columns.push(Column {
                form: Form::Lists(vec![1; stats.len()]),
                ..Column::ints(name("count"), counts)
            });
        }
        let all = || stats.iter().map(|stats| stats.named()[place].1);
        let Some(width) = all().next().map(Vec::len) else {
            continue;
        };
        if width == 0 || all().any(|values| values.len() != width) {
            continue;
        }
        let flat = all().flatten().copied();
        let whole = data_type.is_integer() && matches!(*field, "min" | "max");
        let values = if whole {
            Values::I64(flat.map(|value| value as i64).collect())
        } else {
            Values::F64(flat.collect())
        };
        let form = if data_type.is_picture() {
            Form::Nested(vec![width, 1, 1])
        } else {
            Form::Lists(vec![u32::try_from(width).unwrap_or(u32::MAX); stats.len()])
        };
        columns.push(Column {
            name: name(field),
            values,
            form,
        });
    }
}
