//! Where the files of a dataset are.

use crate::error::DatasetError;

/// The description of a dataset.
pub const INFO: &str = "meta/info.json";
/// Statistics of all rows.
pub const STATS: &str = "meta/stats.json";
/// The tasks.
pub const TASKS: &str = "meta/tasks.parquet";
/// The card that a dataset hub shows.
pub const CARD: &str = "README.md";
/// The folder of tables of episodes.
pub const EPISODES: &str = "meta/episodes";
/// The folder of what Forearm keeps beside LeRobot's files.
pub const FOREARM: &str = "meta/forearm";
/// Pattern of the files of rows.
pub const DATA_PATTERN: &str = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet";
/// Pattern of the files of videos.
pub const VIDEO_PATTERN: &str =
    "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4";
/// Pattern of the tables of episodes.
pub const EPISODES_PATTERN: &str =
    "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet";

/// Which file: the folder's number and the number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileIndex {
    /// Number of the folder.
    pub chunk: u32,
    /// Number of the file in it.
    pub file: u32,
}

impl FileIndex {
    /// The next file; a folder takes `chunks_size` of them.
    #[must_use]
    pub fn next(self, chunks_size: u32) -> Self {
        if self.file.saturating_add(1) >= chunks_size.max(1) {
            Self {
                chunk: self.chunk.saturating_add(1),
                file: 0,
            }
        } else {
            Self {
                chunk: self.chunk,
                file: self.file + 1,
            }
        }
    }
}

/// A file's path from its pattern in Python's format language: `{name}` and `{name:03d}` are replaced.
///
/// # Errors
/// [`DatasetError::Format`] of `info.json` when the pattern has a name that is not in `values`, or an
/// unknown format.
pub(crate) fn path(pattern: &str, values: &[(&str, Value<'_>)]) -> Result<String, DatasetError> {
    let wrong = || {
        DatasetError::format(
            INFO,
            format!("the pattern {pattern:?} of a file is not understood"),
        )
    };
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(start) = rest.find('{') {
        let end = rest[start..].find('}').ok_or_else(wrong)? + start;
        out.push_str(&rest[..start]);
        let (name, format) = rest[start + 1..end]
            .split_once(':')
            .unwrap_or((&rest[start + 1..end], ""));
        let (_, value) = values
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(wrong)?;
        match value {
            Value::Text(text) => out.push_str(text),
            Value::Number(number) => {
                let width: usize = match format.strip_suffix('d') {
                    Some(width) => width.trim_start_matches('0').parse().unwrap_or(0),
                    None if format.is_empty() => 0,
                    None => return Err(wrong()),
                };
                out.push_str(&format!("{number:0width$}", width = width.min(20)));
            }
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands in a pattern.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// A number.
    Number(u32),
    /// A name.
    Text(&'a str),
}

/// A file of a pattern that counts folders and files.
pub(crate) fn file(pattern: &str, key: &str, at: FileIndex) -> Result<String, DatasetError> {
    path(
        pattern,
        &[
            ("video_key", Value::Text(key)),
            ("chunk_index", Value::Number(at.chunk)),
            ("file_index", Value::Number(at.file)),
        ],
    )
}

/// The episode in a path's last part, when that is `episode-000012` and an ending: files that go with
/// an episode, and are renamed with it.
#[must_use]
pub fn episode_of(path: &str) -> Option<u32> {
    let name = path.rsplit('/').next()?;
    let digits = name.strip_prefix("episode-")?;
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// The same path for another episode.
#[must_use]
pub fn for_episode(path: &str, episode: u32) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let rest = name.strip_prefix("episode-").map_or("", |name| {
        name.trim_start_matches(|c: char| c.is_ascii_digit())
    });
    let divider = if folder.is_empty() { "" } else { "/" };
    format!("{folder}{divider}episode-{episode:06}{rest}")
}
