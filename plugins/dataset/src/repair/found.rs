//! What is whole in a dataset, found file by file: rows of episodes, their entries, their videos.

use std::collections::BTreeMap;

use crate::dataset::belongs;
use crate::episodes::{self, Episode, EpisodeVideo};
use crate::error::DatasetError;
use crate::info::Info;
use crate::layout::{self, FileIndex};
use crate::mp4;
use crate::schema::{DEFAULT_FEATURES, DataType, Schema};
use crate::stats::{self, FeatureStats};
use crate::store::{Store, StoreError};
use crate::table::{Column, File, Table};

/// How far a frame may be from its time: `LeRobot`'s tolerance, seconds.
const TOLERANCE_SECS: f64 = 1e-4;

/// Rows of one episode that stand together in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    /// The file.
    pub(super) file: FileIndex,
    pub(super) path: String,
    /// Its first row in the file.
    pub(super) first: u64,
    /// The episode that its rows name.
    pub(super) episode: i64,
    /// The number of its first row that the row itself names.
    pub(super) index: i64,
    pub(super) rows: u32,
    /// The tasks that its rows name, each once.
    pub(super) tasks: Vec<i64>,
    /// Statistics of its numbers.
    pub(super) stats: Vec<(String, FeatureStats)>,
}

/// A file that can't be used, and why.
pub(super) type Broken = (String, String);

/// The file's number in its folder, and the folder's.
pub(super) fn index_of(path: &str) -> Option<FileIndex> {
    let mut parts = path.rsplit('/');
    let (name, folder) = (parts.next()?, parts.next()?);
    let (stem, _) = name.split_once('.')?;
    Some(FileIndex {
        chunk: folder.strip_prefix("chunk-")?.parse().ok()?,
        file: stem.strip_prefix("file-")?.parse().ok()?,
    })
}

/// All rows that can be read, in the order of the files.
pub(super) fn runs(
    store: &dyn Store,
    schema: &Schema,
) -> Result<(Vec<Run>, Vec<Broken>), StoreError> {
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    for entry in store.list("data")? {
        let path = entry.path;
        let Some(file) = index_of(&path).filter(|_| path.ends_with(".parquet")) else {
            continue;
        };
        match runs_of(store, schema, &path, file) {
            Ok(runs) => found.extend(runs),
            Err(error) => broken.push((path, error.to_string())),
        }
    }
    found.sort_by_key(|run: &Run| run.file);
    Ok((found, broken))
}

fn runs_of(
    store: &dyn Store,
    schema: &Schema,
    path: &str,
    at: FileIndex,
) -> Result<Vec<Run>, DatasetError> {
    let file = File::open(store, path)?;
    let table = file.read_all(store, &|_| true)?;
    for column in &table.columns {
        let feature = schema
            .columns()
            .find(|feature| belongs(&column.name, &feature.key));
        let fits = feature.is_some_and(|feature| {
            feature.data_type == DataType::Image || column.has_width(feature.width())
        });
        if !fits {
            return Err(DatasetError::format(
                path,
                format!("column {:?} is no feature of the dataset", column.name),
            ));
        }
    }
    for feature in schema.columns() {
        let named = |column: &Column| belongs(&column.name, &feature.key);
        if !table.columns.iter().any(named) {
            return Err(DatasetError::format(
                path,
                format!("it has no column {:?}", feature.key),
            ));
        }
    }
    let numbers = table.ints(path, "episode_index")?;
    let indices = table.ints(path, "index")?;
    let tasks = table.ints(path, "task_index")?;
    let mut runs = Vec::new();
    let mut from = 0;
    for same in numbers.chunk_by(|one, other| one == other) {
        let rows = from..from + same.len();
        let mut named: Vec<i64> = tasks[rows.clone()].to_vec();
        named.sort_unstable();
        named.dedup();
        runs.push(Run {
            file: at,
            path: path.to_owned(),
            first: from as u64,
            episode: same[0],
            index: indices[from],
            rows: u32::try_from(same.len()).unwrap_or(u32::MAX),
            tasks: named,
            stats: stats_of(&table, schema, rows.clone()),
        });
        from = rows.end;
    }
    Ok(runs)
}

/// Statistics of some rows; of pictures there are none.
fn stats_of(
    table: &Table,
    schema: &Schema,
    rows: std::ops::Range<usize>,
) -> Vec<(String, FeatureStats)> {
    let mut found = Vec::new();
    for feature in schema.columns() {
        let Some(column) = table.column(&feature.key) else {
            continue;
        };
        let width = feature.width();
        let Some(all) = column.values.to_f64() else {
            continue;
        };
        if let Some(values) = all.get(rows.start * width..rows.end * width) {
            found.push((feature.key.clone(), stats::of_rows_f64(values, width)));
        }
    }
    found
}

impl Run {
    /// Its rows.
    pub(super) fn read(&self, store: &dyn Store) -> Result<Vec<Column>, DatasetError> {
        let rows = self.first..self.first + u64::from(self.rows);
        let file = File::open(store, &self.path)?;
        Ok(file.read(store, rows, &|_| true)?.columns)
    }
}

/// All entries of episodes that can be read, by the episodes' numbers.
pub(super) fn entries(
    store: &dyn Store,
    schema: &Schema,
) -> Result<(BTreeMap<u32, Episode>, usize, Vec<Broken>), DatasetError> {
    let (mut found, mut count, mut broken) = (BTreeMap::new(), 0, Vec::new());
    for (path, at) in episodes::files(store)? {
        let read = || -> Result<Vec<Episode>, DatasetError> {
            let table = File::open(store, &path)?.read_all(store, &|_| true)?;
            episodes::rows(&path, &table, schema, at)
        };
        match read() {
            Ok(rows) => {
                count += rows.len();
                for row in rows {
                    found.entry(row.index).or_insert(row);
                }
            }
            Err(error) => broken.push((path, error.to_string())),
        }
    }
    Ok((found, count, broken))
}

/// The videos of a dataset: when the frames of each file are shown.
#[derive(Debug, Default)]
pub(super) struct Videos {
    shown_secs: BTreeMap<String, Option<Vec<f64>>>,
}

impl Videos {
    /// Whether a video has a frame for each of so many rows, and no other between them.
    pub(super) fn has(
        &mut self,
        store: &dyn Store,
        info: &Info,
        video: &EpisodeVideo,
        rows: u32,
    ) -> bool {
        let Some(path) = path_of(info, &video.key, video.file) else {
            return false;
        };
        let shown = self.shown_secs.entry(path).or_insert_with_key(|path| {
            let track = mp4::open(store, path).ok()?;
            let mut shown: Vec<f64> = track
                .samples
                .iter()
                .map(|sample| track.shown_secs(sample))
                .collect();
            shown.sort_by(f64::total_cmp);
            Some(shown)
        });
        let Some(shown) = shown else {
            return false;
        };
        let at = |row: u32| video.from_secs + f64::from(row) / f64::from(info.schema.fps);
        let first = shown.partition_point(|secs| *secs < video.from_secs - TOLERANCE_SECS);
        let frames = &shown[first..];
        frames.len() >= rows as usize
            && (0..rows)
                .zip(frames)
                .all(|(row, secs)| (secs - at(row)).abs() <= TOLERANCE_SECS)
    }

    /// How many frames a file has.
    pub(super) fn frames(&self, info: &Info, key: &str, file: FileIndex) -> Option<usize> {
        let path = path_of(info, key, file)?;
        self.shown_secs.get(&path)?.as_ref().map(Vec::len)
    }
}

fn path_of(info: &Info, key: &str, file: FileIndex) -> Option<String> {
    layout::file(info.video_path.as_deref()?, key, file).ok()
}

/// Whether each episode has files of its own with the same number everywhere, as Forearm writes them:
/// then the videos of one whose entry is lost can be told.
pub(super) fn files_agree(
    store: &dyn Store,
    schema: &Schema,
    runs: &[Run],
    entries: &BTreeMap<u32, Episode>,
) -> Result<bool, StoreError> {
    let one_each = runs.windows(2).all(|pair| pair[0].file != pair[1].file);
    let known = entries
        .values()
        .all(|entry| entry.videos.iter().all(|video| video.file == entry.data));
    let data = store.list("data")?;
    let mut data: Vec<FileIndex> = data.iter().filter_map(|e| index_of(&e.path)).collect();
    data.sort_unstable();
    for feature in schema.videos() {
        let videos = store.list(&format!("videos/{}", feature.key))?;
        let mut videos: Vec<FileIndex> = videos.iter().filter_map(|e| index_of(&e.path)).collect();
        videos.sort_unstable();
        // A file that is missing is no reason to think that the others are numbered otherwise.
        let among = videos.iter().filter(|video| data.contains(video)).count();
        if among + 1 < videos.len().max(data.len()) {
            return Ok(false);
        }
    }
    Ok(one_each && known)
}

/// Whether a feature is one that every dataset has.
pub(super) fn is_default(key: &str) -> bool {
    DEFAULT_FEATURES.iter().any(|(known, _)| *known == key)
}
