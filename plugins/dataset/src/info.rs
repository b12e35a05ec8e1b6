//! `meta/info.json`: the description of a dataset. What is not understood in it is kept.

use crate::error::DatasetError;
use crate::json::{Json, object};
use crate::layout::{DATA_PATTERN, INFO, VIDEO_PATTERN};
use crate::schema::Schema;

/// Versions of the format that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// v2.1: a file an episode, JSON lines. Only read.
    V21,
    /// v3.0.
    V30,
}

impl Version {
    /// As it stands in `info.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V21 => "v2.1",
            Self::V30 => "v3.0",
        }
    }
}

/// `meta/info.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// Version of the format.
    pub version: Version,
    /// Robot, rate and features.
    pub schema: Schema,
    /// How many episodes count; what is beyond was never finished.
    pub total_episodes: u32,
    /// How many rows they have.
    pub total_frames: u64,
    /// How many tasks there are.
    pub total_tasks: u32,
    /// How many files a folder takes.
    pub chunks_size: u32,
    /// Pattern of the files of rows.
    pub data_path: String,
    /// Pattern of the files of videos; `None` without videos.
    pub video_path: Option<String>,
    /// The whole file, to be written again with what is not understood.
    raw: Json,
}

impl Info {
    /// Of a dataset without episodes, with LeRobot's defaults (0.4.4).
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let video_path = schema
            .videos()
            .next()
            .is_some()
            .then(|| VIDEO_PATTERN.to_owned());
        let raw = object([
            ("codebase_version", Version::V30.name().into()),
            ("robot_type", Json::Null),
            ("total_episodes", Json::Int(0)),
            ("total_frames", Json::Int(0)),
            ("total_tasks", Json::Int(0)),
            ("chunks_size", Json::Int(1000)),
            ("data_files_size_in_mb", Json::Int(100)),
            ("video_files_size_in_mb", Json::Int(200)),
            ("fps", Json::Null),
            ("splits", Json::Map(Vec::new())),
            ("data_path", Json::Null),
            ("video_path", Json::Null),
            ("features", Json::Null),
        ]);
        Self {
            version: Version::V30,
            schema,
            total_episodes: 0,
            total_frames: 0,
            total_tasks: 0,
            chunks_size: 1000,
            data_path: DATA_PATTERN.to_owned(),
            video_path,
            raw,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`DatasetError::Version`], [`DatasetError::Format`] with what is missing or wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, DatasetError> {
        let raw = Json::parse(bytes).map_err(|error| DatasetError::json(INFO, &error))?;
        let version = raw
            .get("codebase_version")
            .and_then(Json::text)
            .unwrap_or_default();
        let version = match version
            .trim_start_matches('v')
            .split('.')
            .collect::<Vec<_>>()[..]
        {
            ["2", "1"] => Version::V21,
            ["3", ..] => Version::V30,
            _ => {
                return Err(DatasetError::Version {
                    got: version.to_owned(),
                });
            }
        };
        let number = |key: &str| {
            raw.get(key)
                .and_then(Json::unsigned)
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| {
                    DatasetError::format(
                        INFO,
                        format!(
                            "{key} is {}; expected a whole number from 0 on",
                            raw.get(key).map_or("missing".to_owned(), Json::compact)
                        ),
                    )
                })
        };
        let pattern = |key: &str| raw.get(key).and_then(Json::text).map(str::to_owned);
        let features = raw
            .get("features")
            .ok_or_else(|| "features is missing".to_owned())
            .and_then(Schema::features_from_json)
            .map_err(|why| DatasetError::format(INFO, why))?;
        let fps = number("fps")?;
        if fps == 0 {
            return Err(DatasetError::format(INFO, "fps is 0; expected 1 at least"));
        }
        Ok(Self {
            version,
            schema: Schema {
                robot_type: pattern("robot_type").unwrap_or_default(),
                fps,
                features,
            },
            total_episodes: number("total_episodes")?,
            total_frames: raw
                .get("total_frames")
                .and_then(Json::unsigned)
                .ok_or_else(|| {
                    DatasetError::format(INFO, "total_frames is missing; expected a whole number")
                })?,
            total_tasks: number("total_tasks").unwrap_or(0),
            chunks_size: number("chunks_size").unwrap_or(1000).max(1),
            data_path: pattern("data_path").ok_or_else(|| {
                DatasetError::format(
                    INFO,
                    format!("data_path is missing; expected {DATA_PATTERN:?}"),
                )
            })?,
            video_path: pattern("video_path"),
            raw,
        })
    }

    /// The file's text: what was read, with the counts and the schema as they are now.
    #[must_use]
    pub fn text(&self) -> String {
        let mut raw = self.raw.clone();
        let robot = match self.schema.robot_type.as_str() {
            "" => Json::Null,
            name => name.into(),
        };
        raw.set("robot_type", robot);
        raw.set("total_episodes", self.total_episodes.into());
        raw.set("total_frames", self.total_frames.into());
        raw.set("total_tasks", self.total_tasks.into());
        raw.set("chunks_size", self.chunks_size.into());
        raw.set("fps", self.schema.fps.into());
        if self.total_episodes > 0 {
            let train = Json::Text(format!("0:{}", self.total_episodes));
            raw.set("splits", object([("train", train)]));
        }
        raw.set("data_path", self.data_path.as_str().into());
        let video_path = self.video_path.as_deref().map_or(Json::Null, Json::from);
        raw.set("video_path", video_path);
        raw.set("features", self.schema.features_to_json());
        raw.pretty()
    }

    /// The same as it will be read again.
    ///
    /// # Errors
    /// As [`Info::parse`]: what could not be read again is not written.
    pub(crate) fn settled(self) -> Result<Self, DatasetError> {
        Self::parse(self.text().as_bytes())
    }

    /// A key of the file that has no field here.
    #[must_use]
    pub fn other(&self, key: &str) -> Option<&Json> {
        self.raw.get(key)
    }
}
