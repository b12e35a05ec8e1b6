//! What a row of a dataset has: features with their types, shapes and names, in the order of the
//! columns, as `features` in `meta/info.json`.

use crate::error::DatasetError;
use crate::json::{Json, object};

/// The columns that every dataset has and that are filled in here: type and name.
pub const DEFAULT_FEATURES: [(&str, DataType); 5] = [
    ("timestamp", DataType::Float32),
    ("frame_index", DataType::Int64),
    ("episode_index", DataType::Int64),
    ("index", DataType::Int64),
    ("task_index", DataType::Int64),
];

/// The most features of a dataset, and numbers of a feature: far beyond any robot, so that a damaged
/// file can't ask for all memory.
pub const MAX_FEATURES: usize = 4096;
/// See [`MAX_FEATURES`].
pub const MAX_WIDTH: u64 = 1 << 24;

/// What kind of robot, how many rows a second, and what is in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// LeRobot's name of the robot's kind (`so_follower`); empty when none is given.
    pub robot_type: String,
    /// Rows a second.
    pub fps: u32,
    /// What is in a row, in the order of the columns.
    pub features: Vec<Feature>,
}

/// Something that every row has.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name: `action`, `observation.state`, `observation.images.front`. Without `/`.
    pub key: String,
    /// What its values are.
    pub data_type: DataType,
    /// How many there are: `[6]`; height, width, channels of a picture; `[1]` for a single number.
    pub shape: Vec<u64>,
    /// Names of its values, as they stand in the file: a list, `null`, in old datasets an object.
    pub names: Json,
    /// What else the file says about it, first of all `info` of a camera.
    pub extra: Vec<(String, Json)>,
}

/// What the values of a feature are; the names are `NumPy`'s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataType {
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// `int64`, and the shorter integers by their names.
    Int64,
    /// `bool`.
    Bool,
    /// `string`.
    Text,
    /// Pictures as PNG in the table.
    Image,
    /// Pictures in an MP4 file.
    Video,
    /// Any other: kept, its column is read by what the file has.
    Other(String),
}

impl DataType {
    /// From `NumPy`'s name.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "float32" => Self::Float32,
            "float64" => Self::Float64,
            "int64" => Self::Int64,
            "bool" => Self::Bool,
            "string" => Self::Text,
            "image" => Self::Image,
            "video" => Self::Video,
            other => Self::Other(other.to_owned()),
        }
    }

    /// `NumPy`'s name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Int64 => "int64",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Image => "image",
            Self::Video => "video",
            Self::Other(name) => name,
        }
    }

    /// Whether its minimum and maximum are whole numbers in statistics.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        match self {
            Self::Int64 => true,
            Self::Other(name) => name.starts_with("int") || name.starts_with("uint"),
            _ => false,
        }
    }

    /// Whether it is a camera's.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        matches!(self, Self::Image | Self::Video)
    }
}

/// A camera of a new dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoFeature<'a> {
    /// Its name: the feature is `observation.images.<name>`.
    pub name: &'a str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `FFmpeg`'s name of the codec: `h264`, `av1`.
    pub codec: &'a str,
}

impl Feature {
    /// How many values a row has of it.
    #[must_use]
    pub fn width(&self) -> usize {
        usize::try_from(self.shape.iter().product::<u64>()).unwrap_or(usize::MAX)
    }

    /// The names of its values, when the file has a list of them (or an object with one list).
    #[must_use]
    pub fn value_names(&self) -> Vec<&str> {
        let list = match &self.names {
            Json::Map(entries) if entries.len() == 1 => &entries[0].1,
            other => other,
        };
        list.values().iter().filter_map(Json::text).collect()
    }

    /// Width and height of a picture.
    #[must_use]
    pub fn picture_size(&self) -> Option<(u32, u32)> {
        let &[first, second, third] = self.shape.as_slice() else {
            return None;
        };
        // Height, width, channels; datasets that were ported may have the channels first.
        let channels_first = self
            .value_names()
            .first()
            .is_some_and(|name| matches!(*name, "channel" | "channels"));
        let (height, width) = if channels_first {
            (second, third)
        } else {
            (first, second)
        };
        self.data_type
            .is_picture()
            .then_some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
    }

    fn numbers(key: &str, names: &[String]) -> Self {
        Self {
            key: key.to_owned(),
            data_type: DataType::Float32,
            shape: vec![names.len() as u64],
            names: Json::List(names.iter().map(|name| Json::Text(name.clone())).collect()),
            extra: Vec::new(),
        }
    }

    fn video(camera: &VideoFeature<'_>, fps: u32) -> Self {
        // As LeRobot 0.4.4 writes it.
        let info = object([
            ("video.height", camera.height.into()),
            ("video.width", camera.width.into()),
            ("video.codec", camera.codec.into()),
            ("video.pix_fmt", "yuv420p".into()),
            ("video.is_depth_map", Json::Bool(false)),
            ("video.fps", fps.into()),
            ("video.channels", Json::Int(3)),
            ("has_audio", Json::Bool(false)),
        ]);
        Self {
            key: format!("observation.images.{}", camera.name),
            data_type: DataType::Video,
            shape: vec![u64::from(camera.height), u64::from(camera.width), 3],
            names: Json::from(vec!["height", "width", "channels"]),
            extra: vec![("info".to_owned(), info)],
        }
    }

    fn from_json(key: &str, json: &Json) -> Result<Self, String> {
        let data_type = json
            .get("dtype")
            .and_then(Json::text)
            .map(DataType::from_name)
            .ok_or_else(|| format!("feature {key:?} has no dtype"))?;
        let shape: Option<Vec<u64>> = json
            .get("shape")
            .map(|shape| shape.values().iter().map(Json::unsigned).collect())
            .unwrap_or_default();
        let shape = shape.ok_or_else(|| {
            format!("feature {key:?} has no shape; expected a list of whole numbers")
        })?;
        let width = shape
            .iter()
            .try_fold(1_u64, |width, side| width.checked_mul(*side));
        if width.is_none_or(|width| width > MAX_WIDTH) || shape.len() > 5 {
            return Err(format!(
                "feature {key:?} has the shape {shape:?}; expected at most 5 sides and {MAX_WIDTH} values"
            ));
        }
        Ok(Self {
            key: key.to_owned(),
            data_type,
            shape,
            names: json.get("names").cloned().unwrap_or(Json::Null),
            extra: json
                .entries()
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "dtype" | "shape" | "names"))
                .cloned()
                .collect(),
        })
    }

    fn to_json(&self) -> Json {
        let mut json = object([
            ("dtype", self.data_type.name().into()),
            ("shape", self.shape.clone().into()),
            ("names", self.names.clone()),
        ]);
        for (key, value) in &self.extra {
            json.set(key, value.clone());
        }
        json
    }
}

impl Schema {
    /// What Forearm records: `action` and `observation.state` with these names, pictures of these
    /// cameras, and LeRobot's default columns.
    #[must_use]
    pub fn recording(
        robot_type: &str,
        fps: u32,
        action_names: &[String],
        state_names: &[String],
        cameras: &[VideoFeature<'_>],
    ) -> Self {
        let mut features = vec![
            Feature::numbers("action", action_names),
            Feature::numbers("observation.state", state_names),
        ];
        features.extend(cameras.iter().map(|camera| Feature::video(camera, fps)));
        features.extend(DEFAULT_FEATURES.map(|(key, data_type)| Feature {
            key: key.to_owned(),
            data_type,
            shape: vec![1],
            names: Json::Null,
            extra: Vec::new(),
        }));
        Self {
            robot_type: robot_type.to_owned(),
            fps,
            features,
        }
    }

    /// A feature by its name.
    #[must_use]
    pub fn feature(&self, key: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.key == key)
    }

    /// The features that are videos.
    pub fn videos(&self) -> impl Iterator<Item = &Feature> {
        self.features
            .iter()
            .filter(|feature| feature.data_type == DataType::Video)
    }

    /// The features that are columns of the table.
    pub fn columns(&self) -> impl Iterator<Item = &Feature> {
        self.features
            .iter()
            .filter(|feature| feature.data_type != DataType::Video)
    }

    /// Checks that a dataset with this schema is one that LeRobot loads.
    ///
    /// # Errors
    /// [`DatasetError::Schema`] with the first thing that is wrong.
    pub fn check(&self) -> Result<(), DatasetError> {
        self.problem()
            .map_or(Ok(()), |why| Err(DatasetError::Schema { why }))
    }

    fn problem(&self) -> Option<String> {
        if self.fps == 0 || self.fps > 1000 {
            return Some(format!("fps is {}; expected 1 to 1000", self.fps));
        }
        if self.features.len() > MAX_FEATURES {
            return Some(format!(
                "{} features; expected at most {MAX_FEATURES}",
                self.features.len()
            ));
        }
        for (i, feature) in self.features.iter().enumerate() {
            let key = &feature.key;
            if key.is_empty() || key.contains('/') || crate::store::check_path(key).is_err() {
                return Some(format!(
                    "feature {key:?} has a name that is no name of a file; expected one without / \\ : and control characters"
                ));
            }
            if self.features[..i].iter().any(|other| other.key == *key) {
                return Some(format!(
                    "feature {key:?} is there twice; give each its own name"
                ));
            }
            if feature.width() == 0 || feature.shape.is_empty() {
                return Some(format!("feature {key:?} has no values; leave it out"));
            }
            let names = feature.value_names().len();
            if !feature.data_type.is_picture() && names != 0 && names != feature.width() {
                return Some(format!(
                    "feature {key:?} has {names} names for {} values; expected as many",
                    feature.width()
                ));
            }
            if feature.data_type.is_picture() && feature.picture_size().is_none() {
                return Some(format!(
                    "feature {key:?} has the shape {:?}; expected height, width, channels",
                    feature.shape
                ));
            }
        }
        DEFAULT_FEATURES.iter().find_map(|(key, data_type)| {
            let found = self.feature(key);
            let sound =
                found.is_some_and(|found| found.data_type == *data_type && found.shape == [1]);
            (!sound).then(|| {
                format!(
                    "feature {key:?} is {}; expected one {}",
                    found.map_or("missing".to_owned(), |found| format!(
                        "{} {:?}",
                        found.data_type.name(),
                        found.shape
                    )),
                    data_type.name()
                )
            })
        })
    }

    /// How a recording differs from this dataset: robot, rate, features with their order, types, shapes and names.
    /// What is said about a camera's encoding does not count, as with LeRobot.
    #[must_use]
    pub fn differences(&self, recording: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        let mut differ = |what: &str, got: String, expected: String| {
            if got != expected {
                differences.push(format!(
                    "{what}: the recording has {got}, the dataset {expected}"
                ));
            }
        };
        differ(
            "robot",
            format!("{:?}", recording.robot_type),
            format!("{:?}", self.robot_type),
        );
        differ("fps", recording.fps.to_string(), self.fps.to_string());
        let keys = |schema: &Self| {
            let keys: Vec<&str> = schema.features.iter().map(|f| f.key.as_str()).collect();
            keys.join(", ")
        };
        let sorted = |schema: &Self| {
            let mut keys: Vec<String> = schema.features.iter().map(|f| f.key.clone()).collect();
            keys.sort();
            keys
        };
        if sorted(recording) != sorted(self) {
            differ("features", keys(recording), keys(self));
        }
        for feature in &recording.features {
            let Some(other) = self.feature(&feature.key) else {
                continue;
            };
            let (key, none) = (&feature.key, "none".to_owned());
            differ(
                &format!("type of {key}"),
                feature.data_type.name().to_owned(),
                other.data_type.name().to_owned(),
            );
            differ(
                &format!("shape of {key}"),
                format!("{:?}", feature.shape),
                format!("{:?}", other.shape),
            );
            let names = |names: &Json| match names {
                Json::Null => none.clone(),
                names => names.compact(),
            };
            differ(
                &format!("names of {key}"),
                names(&feature.names),
                names(&other.names),
            );
        }
        differences
    }

    /// From `features` of `info.json`.
    pub(crate) fn features_from_json(json: &Json) -> Result<Vec<Feature>, String> {
        let Json::Map(entries) = json else {
            return Err("features is no object".to_owned());
        };
        if entries.len() > MAX_FEATURES {
            return Err(format!(
                "{} features; expected at most {MAX_FEATURES}",
                entries.len()
            ));
        }
        entries
            .iter()
            .map(|(key, json)| Feature::from_json(key, json))
            .collect()
    }

    /// As `features` of `info.json`.
    pub(crate) fn features_to_json(&self) -> Json {
        Json::Map(
            self.features
                .iter()
                .map(|feature| (feature.key.clone(), feature.to_json()))
                .collect(),
        )
    }
}
