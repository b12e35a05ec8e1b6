//! Adding episodes: each gets files of its own, written in an order in which the dataset is whole after
//! every write.
//!
//! Extras, `tasks.parquet`, videos, the table of the episode, its rows, `stats.json`, and last
//! `info.json`, which says how many episodes count. Until then nothing of the episode does, and the
//! next try writes the same files again.

use crate::dataset::Dataset;
use crate::episodes::{self, Episode, EpisodeVideo};
use crate::error::DatasetError;
use crate::json::{Json, object};
use crate::layout::{FOREARM, FileIndex, INFO, STATS, TASKS};
use crate::schema::{DataType, Feature, Schema};
use crate::stats::{self, FeatureStats};
use crate::store::{Store, check_path};
use crate::table::{self, Column, Form, Values};
use crate::{ops, tasks};

/// An episode to be added.
#[derive(Debug, Clone)]
pub struct NewEpisode<'a> {
    /// What was to be done.
    pub task: &'a str,
    /// How many rows.
    pub rows: u32,
    /// Each feature that is neither a camera nor one of [`crate::schema::DEFAULT_FEATURES`]: its
    /// numbers, row after row.
    pub columns: Vec<(&'a str, Vec<f32>)>,
    /// Each camera.
    pub videos: Vec<NewVideo<'a>>,
    /// Files to keep beside: path below `meta/forearm/`, bytes. Files `episode-000012.*` follow their
    /// episode when others are deleted.
    pub extras: Vec<(String, Vec<u8>)>,
}

/// A camera's video of an episode.
#[derive(Debug, Clone)]
pub struct NewVideo<'a> {
    /// The feature: `observation.images.<name>`.
    pub key: &'a str,
    /// The MP4 file: a frame for each row at a constant rate, the first at 0.
    pub mp4: &'a [u8],
    /// Statistics of its pictures.
    pub stats: FeatureStats,
}

/// An episode as it is added from anywhere.
pub(crate) struct Addition<'a> {
    /// Its tasks, and for each row which of them.
    pub(crate) tasks: Vec<String>,
    pub(crate) task_of_row: Vec<usize>,
    /// Its columns but the default ones, in the order of the schema; a picture's are two.
    pub(crate) columns: Vec<Column>,
    /// Statistics of the features that are not computed here.
    pub(crate) stats: Vec<(String, FeatureStats)>,
    pub(crate) videos: Vec<VideoAddition<'a>>,
    pub(crate) extras: Vec<(String, Vec<u8>)>,
}

/// A video as it is added.
pub(crate) struct VideoAddition<'a> {
    pub(crate) key: String,
    /// The file, unless it is there already.
    pub(crate) mp4: Option<std::borrow::Cow<'a, [u8]>>,
    /// Where it is or is to be; the next file when left out.
    pub(crate) file: Option<FileIndex>,
    pub(crate) from_secs: f64,
}

impl Dataset {
    /// Adds an episode and says its index.
    ///
    /// Whatever fails, the dataset on the store has the earlier episodes, and adding can be tried again.
    ///
    /// # Errors
    /// [`DatasetError::Episode`] when it does not fit the schema, has no rows, or numbers that are none;
    /// [`DatasetError::OldVersion`]; what writing fails with.
    pub fn append(
        &mut self,
        store: &mut dyn Store,
        episode: NewEpisode<'_>,
    ) -> Result<u32, DatasetError> {
        let mut columns = Vec::new();
        check_names(self.schema(), &episode)?;
        for feature in own_columns(self.schema()) {
            columns.push(column(feature, &episode)?);
        }
        let mut stats = Vec::new();
        let mut videos = Vec::new();
        for feature in self.schema().videos() {
            let found = episode.videos.iter().find(|video| video.key == feature.key);
            let video = found.ok_or_else(|| {
                wrong(format!(
                    "no video for {:?}; expected one for each camera",
                    feature.key
                ))
            })?;
            if video.stats.width() != Some(3) || video.stats.count == 0 {
                return Err(wrong(format!(
                    "no statistics of the pictures of {:?}; expected three channels",
                    feature.key
                )));
            }
            stats.push((feature.key.clone(), video.stats.clone()));
            videos.push(VideoAddition {
                key: feature.key.clone(),
                mp4: Some(video.mp4.into()),
                file: None,
                from_secs: 0.0,
            });
        }
        let addition = Addition {
            tasks: vec![episode.task.to_owned()],
            task_of_row: vec![0; episode.rows as usize],
            columns,
            stats,
            videos,
            extras: episode.extras,
        };
        self.add(store, addition)
    }

    /// Adds an episode, wherever it comes from.
    pub(crate) fn add(
        &mut self,
        store: &mut dyn Store,
        addition: Addition<'_>,
    ) -> Result<u32, DatasetError> {
        self.writable()?;
        self.schema().check()?;
        let rows = addition.task_of_row.len();
        let length = u32::try_from(rows).ok().filter(|rows| *rows > 0);
        let length = length.ok_or_else(|| wrong("it has no rows; record it again".to_owned()))?;
        let mut all_tasks = self.tasks.clone();
        let numbers: Vec<usize> = addition
            .tasks
            .iter()
            .map(|task| Self::task_index(&mut all_tasks, task))
            .collect();
        let task_of_row: Option<Vec<usize>> = addition
            .task_of_row
            .iter()
            .map(|task| numbers.get(*task).copied())
            .collect();
        let task_of_row =
            task_of_row.ok_or_else(|| wrong("a row with a task that it has not".to_owned()))?;

        let mut episode = self.next_episode(length);
        episode.tasks = addition.tasks;
        for video in &addition.videos {
            episode.videos.push(EpisodeVideo {
                key: video.key.clone(),
                file: video.file.unwrap_or_else(|| self.next_video(&video.key)),
                from_secs: video.from_secs,
                to_secs: video.from_secs + f64::from(length) / f64::from(self.schema().fps),
            });
        }
        let columns = self.table(&episode, addition.columns, &task_of_row, addition.stats)?;
        episode.stats = columns.1;
        let data_path = self.data_path(&episode)?;
        let notes = [("huggingface", huggingface(self.schema()))];
        let data = table::write(&data_path, columns.0, &notes, &[rows])?;
        let meta = episodes::write(self.schema(), &[&episode])?;
        let meta_path = episodes::path(episode.meta)?;

        let mut info = self.info.clone();
        info.total_episodes = episode.index + 1;
        info.total_frames = episode.to_row;
        info.total_tasks = u32::try_from(all_tasks.len()).unwrap_or(u32::MAX);
        let info = info.settled()?;
        let together: Vec<&Episode> = self.episodes.iter().chain([&episode]).collect();
        let all_stats = self.stats_of(&together);
        let stats_text = self.stats_text(&all_stats);

        // What was deleted before can't come back beside what is added now.
        if ops::can_undo(store)? {
            ops::forget(store)?;
        }
        for (path, bytes) in &addition.extras {
            let path = format!("{FOREARM}/{path}");
            check_path(&path)?;
            store.write(&path, bytes)?;
        }
        if all_tasks.len() != self.tasks.len() || !Self::has_tasks(store)? {
            store.write(TASKS, &tasks::write(&all_tasks)?)?;
        }
        for video in &addition.videos {
            if let Some(mp4) = &video.mp4 {
                store.write(&self.video_path(&episode, &video.key)?, mp4)?;
            }
        }
        store.write(&meta_path, &meta)?;
        store.write(&data_path, &data)?;
        store.write(STATS, stats_text.as_bytes())?;
        store.write(INFO, info.text().as_bytes())?;

        let index = episode.index;
        self.info = info;
        self.tasks = all_tasks;
        self.stats = all_stats;
        self.episodes.push(episode);
        Ok(index)
    }

    /// The file after all of these.
    fn after(&self, files: impl Iterator<Item = FileIndex>) -> FileIndex {
        let last = files.max();
        last.map_or(FileIndex::default(), |last| {
            last.next(self.info.chunks_size)
        })
    }

    /// The file for a camera's next video.
    pub(crate) fn next_video(&self, key: &str) -> FileIndex {
        let videos = self
            .episodes
            .iter()
            .filter_map(|episode| episode.video(key));
        self.after(videos.map(|video| video.file))
    }

    /// The next episode, without videos and statistics.
    fn next_episode(&self, length: u32) -> Episode {
        let from = self.episodes.last().map_or(0, |last| last.to_row);
        Episode {
            index: self.info.total_episodes,
            length,
            data: self.after(self.episodes.iter().map(|episode| episode.data)),
            meta: self.after(self.episodes.iter().map(|episode| episode.meta)),
            from_row: from,
            to_row: from + u64::from(length),
            ..Episode::default()
        }
    }

    /// All columns of an episode in the order of the schema, and the statistics of all features.
    fn table(
        &self,
        episode: &Episode,
        own: Vec<Column>,
        task_of_row: &[usize],
        known: Vec<(String, FeatureStats)>,
    ) -> Result<(Vec<Column>, Vec<(String, FeatureStats)>), DatasetError> {
        let mut columns = Vec::new();
        let mut all_stats = Vec::new();
        let mut own = own.into_iter().peekable();
        for feature in &self.schema().features {
            let key = &feature.key;
            if let Some((_, stats)) = known.iter().find(|(known, _)| known == key) {
                all_stats.push((key.clone(), stats.clone()));
            }
            let mine = match feature.data_type {
                DataType::Video => continue,
                _ => default_column(key, episode, self.schema().fps, task_of_row),
            };
            if let Some((column, exact)) = mine {
                all_stats.push((key.clone(), stats::of_rows_f64(&exact, 1)));
                columns.push(column);
                continue;
            }
            let before = columns.len();
            while let Some(column) = own.next_if(|c| crate::dataset::belongs(&c.name, key)) {
                if !known.iter().any(|(known, _)| known == key)
                    && let Some(numbers) = column.values.to_f64()
                {
                    let stats = stats::of_rows_f64(&numbers, feature.width());
                    all_stats.push((key.clone(), stats));
                }
                columns.push(column);
            }
            if columns.len() == before {
                return Err(wrong(format!("no values for {key:?}")));
            }
        }
        Ok((columns, all_stats))
    }
}

/// A column that follows from where the episode is, with its values before they are rounded.
fn default_column(
    key: &str,
    episode: &Episode,
    fps: u32,
    task_of_row: &[usize],
) -> Option<(Column, Vec<f64>)> {
    let rows = 0..i64::from(episode.length);
    let values: Vec<i64> = match key {
        "timestamp" => {
            let times: Vec<f64> = (0..episode.length)
                .map(|row| f64::from(row) / f64::from(fps))
                .collect();
            let rounded = times.iter().map(|time| *time as f32).collect();
            return Some((Column::one(key, Values::F32(rounded)), times));
        }
        "frame_index" => rows.collect(),
        "episode_index" => rows.map(|_| i64::from(episode.index)).collect(),
        "index" => {
            let first = i64::try_from(episode.from_row).ok()?;
            rows.map(|row| first + row).collect()
        }
        "task_index" => task_of_row
            .iter()
            .map(|task| i64::try_from(*task).unwrap_or(i64::MAX))
            .collect(),
        _ => return None,
    };
    let exact = values.iter().map(|value| *value as f64).collect();
    Some((Column::one(key, Values::I64(values)), exact))
}

fn wrong(why: String) -> DatasetError {
    DatasetError::Episode { why }
}

/// The features that an episode brings columns for.
fn own_columns(schema: &Schema) -> impl Iterator<Item = &Feature> {
    schema.columns().filter(|feature| {
        !crate::schema::DEFAULT_FEATURES
            .iter()
            .any(|(key, _)| *key == feature.key)
    })
}

/// Refuses what the schema has not.
fn check_names(schema: &Schema, episode: &NewEpisode<'_>) -> Result<(), DatasetError> {
    for (key, _) in &episode.columns {
        if !own_columns(schema).any(|known| known.key == *key) {
            return Err(wrong(format!(
                "it has numbers for {key:?}, which is no feature of the dataset"
            )));
        }
    }
    for video in &episode.videos {
        if !schema.videos().any(|known| known.key == video.key) {
            return Err(wrong(format!(
                "it has a video for {:?}, which is no camera of the dataset",
                video.key
            )));
        }
    }
    Ok(())
}

/// The column of a feature, checked.
fn column(feature: &Feature, episode: &NewEpisode<'_>) -> Result<Column, DatasetError> {
    let key = &feature.key;
    let found = episode.columns.iter().find(|(name, _)| name == key);
    let (_, numbers) = found.ok_or_else(|| wrong(format!("no values for {key:?}")))?;
    let width = feature.width();
    if numbers.len() != width * episode.rows as usize {
        return Err(wrong(format!(
            "{} values for {key:?}; expected {width} for each of {} rows",
            numbers.len(),
            episode.rows
        )));
    }
    if let Some(place) = numbers.iter().position(|number| !number.is_finite()) {
        return Err(wrong(format!(
            "{key:?} is {} in row {}; expected a number",
            numbers[place],
            place / width
        )));
    }
    let values = match feature.data_type {
        DataType::Float32 => Values::F32(numbers.clone()),
        DataType::Float64 => Values::F64(numbers.iter().map(|n| f64::from(*n)).collect()),
        ref other => {
            return Err(wrong(format!(
                "{key:?} is of type {}; only float32 and float64 can be recorded",
                other.name()
            )));
        }
    };
    Ok(Column {
        name: key.clone(),
        values,
        form: form_of(feature),
    })
}

/// How the values of a feature stand in its column.
pub(crate) fn form_of(feature: &Feature) -> Form {
    match feature.shape[..] {
        [1] => Form::One,
        [width] => Form::Fixed(usize::try_from(width).unwrap_or(usize::MAX)),
        _ => Form::Nested(
            feature
                .shape
                .iter()
                .map(|side| usize::try_from(*side).unwrap_or(usize::MAX))
                .collect(),
        ),
    }
}

/// The note from which the `datasets` library knows the columns' types.
pub(crate) fn huggingface(schema: &Schema) -> String {
    let value = |data_type: &str| object([("dtype", data_type.into()), ("_type", "Value".into())]);
    let features = schema.columns().map(|feature| {
        let name = feature.data_type.name();
        let json = match (&feature.data_type, feature.shape.as_slice()) {
            (DataType::Image, _) => object([("_type", "Image".into())]),
            (_, [1] | []) => value(name),
            (_, [width]) => object([
                ("feature", value(name)),
                ("length", (*width).into()),
                ("_type", "List".into()),
            ]),
            (_, sides) => object([
                ("shape", sides.to_vec().into()),
                ("dtype", name.into()),
                ("_type", Json::Text(format!("Array{}D", sides.len()))),
            ]),
        };
        (feature.key.clone(), json)
    });
    let features = Json::Map(features.collect());
    object([("info", object([("features", features)]))]).compact()
}
