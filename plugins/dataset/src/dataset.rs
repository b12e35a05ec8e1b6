//! A dataset as a whole: opening, looking, reading rows. All of its tables about episodes are in
//! memory, no rows and no pictures.

use crate::episodes::{self, Episode};
use crate::error::DatasetError;
use crate::info::{Info, Version};
use crate::json::Json;
use crate::layout::{self, INFO, STATS, TASKS};
use crate::schema::{DataType, Schema};
use crate::stats::{FeatureStats, aggregate_of};
use crate::store::{Store, StoreError};
use crate::table::{Column, File, Form, Values};
use crate::{card, ops, tasks, v21};

/// A LeRobot dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub(crate) info: Info,
    pub(crate) tasks: Vec<String>,
    pub(crate) episodes: Vec<Episode>,
    pub(crate) stats: Vec<(String, FeatureStats)>,
}

/// The numbers of one episode.
#[derive(Debug, Clone, PartialEq)]
pub struct EpisodeRows {
    /// The episode.
    pub episode: u32,
    /// How many rows.
    pub rows: u32,
    /// Its columns, in the order of the features. A picture is two: `<key>/bytes` and `<key>/path`.
    pub columns: Vec<Column>,
}

/// Where the video of an episode is.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoSpan {
    /// The file in the store.
    pub path: String,
    /// Where the episode begins in it, seconds.
    pub from_secs: f64,
    /// Where it ends in it, seconds.
    pub to_secs: f64,
}

impl EpisodeRows {
    /// A column by the name of its feature.
    #[must_use]
    pub fn column(&self, key: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == key)
    }

    /// The numbers of a feature, row after row; `None` when it is not there or no numbers.
    #[must_use]
    pub fn numbers(&self, key: &str) -> Option<Vec<f32>> {
        match &self.column(key)?.values {
            Values::F32(values) => Some(values.clone()),
            other => Some(other.to_f64()?.into_iter().map(|v| v as f32).collect()),
        }
    }

    /// The picture of a row, as PNG, of a camera that is kept in the table.
    #[must_use]
    pub fn picture(&self, key: &str, row: u32) -> Option<&[u8]> {
        match &self.column(&format!("{key}/bytes"))?.values {
            Values::Bytes(bytes) => bytes.get(row as usize).map(Vec::as_slice),
            _ => None,
        }
    }
}

impl Dataset {
    /// Makes an empty dataset: `meta/info.json` and a card.
    ///
    /// # Errors
    /// [`DatasetError::Exists`], [`DatasetError::Schema`] when LeRobot would not load it, and what
    /// writing fails with.
    pub fn create(store: &mut dyn Store, schema: Schema) -> Result<Self, DatasetError> {
        schema.check()?;
        if store.size(INFO)?.is_some() {
            return Err(DatasetError::Exists);
        }
        let dataset = Self {
            info: Info::new(schema).settled()?,
            tasks: Vec::new(),
            episodes: Vec::new(),
            stats: Vec::new(),
        };
        if store.size(layout::CARD)?.is_none() {
            store.write(layout::CARD, card::text(&dataset.info).as_bytes())?;
        }
        store.write(INFO, dataset.info.text().as_bytes())?;
        Ok(dataset)
    }

    /// Opens a dataset of version 3.0, or 2.1 to read. Episodes that were not finished do not count.
    ///
    /// # Errors
    /// [`DatasetError::NoDataset`]; [`DatasetError::Unfinished`] when a change was cut off
    /// ([`ops::finish`] ends it); [`DatasetError::Format`] and [`DatasetError::Version`] for what is
    /// damaged or not understood; what reading fails with.
    pub fn open(store: &dyn Store) -> Result<Self, DatasetError> {
        let info = match store.read(INFO) {
            Err(StoreError::NotFound { .. }) => return Err(DatasetError::NoDataset),
            other => Info::parse(&other?)?,
        };
        if info.version == Version::V21 {
            return v21::open(store, info);
        }
        if ops::is_pending(store)? {
            return Err(DatasetError::Unfinished);
        }
        let episodes = episodes::read(store, &info)?.finished;
        let tasks = match tasks::read(store) {
            Ok(tasks) => tasks.texts,
            Err(DatasetError::Store(StoreError::NotFound { .. })) if episodes.is_empty() => {
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let stats = match store.read(STATS) {
            Ok(bytes) => stats_from_json(&bytes, STATS)?,
            Err(StoreError::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            info,
            tasks,
            episodes,
            stats,
        })
    }

    /// What `meta/info.json` says.
    #[must_use]
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Robot, rate and features.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.info.schema
    }

    /// The episodes.
    #[must_use]
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    /// The tasks, by the numbers that rows have.
    #[must_use]
    pub fn tasks(&self) -> &[String] {
        &self.tasks
    }

    /// Statistics of all rows by feature.
    #[must_use]
    pub fn stats(&self) -> &[(String, FeatureStats)] {
        &self.stats
    }

    /// Whether episodes can be added and removed; datasets of version 2.1 are only read.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.info.version == Version::V30
    }

    /// Whether a recording with this schema can go on with the dataset.
    ///
    /// # Errors
    /// [`DatasetError::Mismatch`] with every difference; [`DatasetError::OldVersion`].
    pub fn check_resume(&self, schema: &Schema) -> Result<(), DatasetError> {
        self.writable()?;
        let differences = self.schema().differences(schema);
        if differences.is_empty() {
            Ok(())
        } else {
            Err(DatasetError::Mismatch { differences })
        }
    }

    /// An episode.
    ///
    /// # Errors
    /// [`DatasetError::NoEpisode`].
    pub fn episode(&self, episode: u32) -> Result<&Episode, DatasetError> {
        self.episodes
            .get(episode as usize)
            .ok_or(DatasetError::NoEpisode {
                episode,
                total: self.info.total_episodes,
            })
    }

    /// The numbers of an episode: all columns.
    ///
    /// # Errors
    /// [`DatasetError::NoEpisode`], [`DatasetError::Format`] when the file is damaged or has not what
    /// the schema says, what reading fails with.
    pub fn rows(&self, store: &dyn Store, episode: u32) -> Result<EpisodeRows, DatasetError> {
        self.some_rows(store, episode, &|_| true)
    }

    /// The numbers of an episode: the columns of the features that are wanted.
    ///
    /// # Errors
    /// As [`Dataset::rows`].
    pub fn some_rows(
        &self,
        store: &dyn Store,
        episode: u32,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Result<EpisodeRows, DatasetError> {
        let entry = self.episode(episode)?;
        let path = self.data_path(entry)?;
        let file = File::open(store, &path)?;
        let first = self.first_row(entry);
        let range = entry.from_row - first..entry.to_row - first;
        let columns: Vec<_> = self.schema().columns().collect();
        let table = file.read(store, range, &|name| {
            name == "episode_index"
                || columns
                    .iter()
                    .any(|feature| wanted(&feature.key) && belongs(name, &feature.key))
        })?;
        let indices = table.ints(&path, "episode_index")?;
        if let Some(other) = indices.iter().find(|index| **index != i64::from(episode)) {
            return Err(DatasetError::format(
                &path,
                format!("rows of episode {other} where episode {episode} is expected"),
            ));
        }
        let mut rows = EpisodeRows {
            episode,
            rows: entry.length,
            columns: Vec::new(),
        };
        for feature in columns.iter().filter(|feature| wanted(&feature.key)) {
            let found = table
                .columns
                .iter()
                .filter(|column| belongs(&column.name, &feature.key));
            for column in found {
                let picture = feature.data_type == DataType::Image;
                let width = if picture { 1 } else { feature.width() };
                if !column.has_width(width) {
                    return Err(DatasetError::format(
                        &path,
                        format!(
                            "column {:?} has another number of values in a row than the {width} of meta/info.json",
                            column.name
                        ),
                    ));
                }
                let form = match (width, &column.form) {
                    (1, Form::One) => Form::One,
                    _ => Form::Fixed(width),
                };
                rows.columns.push(Column {
                    form,
                    ..column.clone()
                });
            }
        }
        Ok(rows)
    }

    /// Where the video of an episode is.
    ///
    /// # Errors
    /// [`DatasetError::NoEpisode`]; [`DatasetError::NoFeature`] for a camera that is not there or not a
    /// video; [`StoreError::NotFound`] when the file is missing.
    pub fn video(
        &self,
        store: &dyn Store,
        episode: u32,
        key: &str,
    ) -> Result<VideoSpan, DatasetError> {
        let entry = self.episode(episode)?;
        let path = self.video_path(entry, key)?;
        let video = entry.video(key).ok_or_else(|| self.no_video(key))?;
        if store.size(&path)?.is_none() {
            return Err(StoreError::NotFound { path }.into());
        }
        Ok(VideoSpan {
            path,
            from_secs: video.from_secs,
            to_secs: video.to_secs,
        })
    }

    /// The file that an episode's rows are in.
    pub(crate) fn data_path(&self, episode: &Episode) -> Result<String, DatasetError> {
        match self.info.version {
            Version::V30 => layout::file(&self.info.data_path, "", episode.data),
            Version::V21 => v21::path(&self.info, &self.info.data_path, episode.index, ""),
        }
    }

    /// The file that an episode's video is in.
    pub(crate) fn video_path(&self, episode: &Episode, key: &str) -> Result<String, DatasetError> {
        let video = episode.video(key).ok_or_else(|| self.no_video(key))?;
        let pattern = self.info.video_path.as_deref().ok_or_else(|| {
            DatasetError::format(INFO, "video_path is missing though there are videos")
        })?;
        match self.info.version {
            Version::V30 => layout::file(pattern, key, video.file),
            Version::V21 => v21::path(&self.info, pattern, episode.index, key),
        }
    }

    /// The first row of the file that an episode's rows are in.
    fn first_row(&self, episode: &Episode) -> u64 {
        self.episodes[..episode.index as usize]
            .iter()
            .rev()
            .take_while(|other| other.data == episode.data)
            .last()
            .map_or(episode.from_row, |first| first.from_row)
    }

    fn no_video(&self, key: &str) -> DatasetError {
        DatasetError::NoFeature {
            what: "video",
            key: key.to_owned(),
            have: self.schema().videos().map(|f| f.key.clone()).collect(),
        }
    }

    /// Refuses to change what is only read.
    pub(crate) fn writable(&self) -> Result<(), DatasetError> {
        if self.is_writable() {
            Ok(())
        } else {
            Err(DatasetError::OldVersion {
                got: self.info.version.name().to_owned(),
            })
        }
    }

    /// The number of a task; a new one gets the next.
    pub(crate) fn task_index(tasks: &mut Vec<String>, task: &str) -> usize {
        tasks
            .iter()
            .position(|known| known == task)
            .unwrap_or_else(|| {
                tasks.push(task.to_owned());
                tasks.len() - 1
            })
    }

    /// Statistics of all rows, from those of the episodes; as they are where episodes have none.
    pub(crate) fn stats_of(&self, episodes: &[&Episode]) -> Vec<(String, FeatureStats)> {
        let mut all = Vec::new();
        for feature in &self.info.schema.features {
            let parts: Vec<&FeatureStats> = episodes
                .iter()
                .filter_map(|episode| episode.feature_stats(&feature.key))
                .collect();
            if parts.len() == episodes.len() && !parts.is_empty() {
                let together = aggregate_of(parts.iter().copied());
                all.push((feature.key.clone(), together));
            } else if let Some(old) = self.stats.iter().find(|(key, _)| *key == feature.key) {
                all.push(old.clone());
            }
        }
        all
    }

    /// `meta/stats.json` of these statistics.
    pub(crate) fn stats_text(&self, stats: &[(String, FeatureStats)]) -> String {
        let entries = stats.iter().map(|(key, stats)| {
            let feature = self.schema().feature(key);
            let data_type = feature.map_or(&DataType::Float32, |feature| &feature.data_type);
            (key.clone(), stats.to_json(data_type))
        });
        Json::Map(entries.collect()).pretty()
    }

    /// Whether the tasks' file is there; it is not before the first episode.
    pub(crate) fn has_tasks(store: &dyn Store) -> Result<bool, DatasetError> {
        Ok(store.size(TASKS)?.is_some())
    }
}

/// Whether a column is a feature's: its own, or a part of its struct.
pub(crate) fn belongs(column: &str, key: &str) -> bool {
    column
        .strip_prefix(key)
        .is_some_and(|rest| rest.is_empty() || matches!(rest, "/bytes" | "/path"))
}

/// Statistics by feature.
pub(crate) fn stats_from_json(
    bytes: &[u8],
    path: &str,
) -> Result<Vec<(String, FeatureStats)>, DatasetError> {
    let json = Json::parse(bytes).map_err(|error| DatasetError::json(path, &error))?;
    Ok(json
        .entries()
        .iter()
        .map(|(key, entry)| (key.clone(), FeatureStats::from_json(entry)))
        .collect())
}
