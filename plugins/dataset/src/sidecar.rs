//! What is kept beside an episode, below `meta/forearm/`: how it was recorded (`episode-000000.json`) and
//! every control tick with its true time (`episode-000000.parquet`), without loss.
//!
//! Other programs ignore these files. Datasets that others recorded have none.

use serde::{Deserialize, Serialize};

use crate::error::DatasetError;
use crate::journal::{Channel, Freshness, Layout};
use crate::layout::FOREARM;
use crate::resample::{EpisodeQuality, Series};
use crate::store::{Store, StoreError};
use crate::table::{self, Column, File, Form, Values};

/// Under which key the file of ticks says what is where in a tick ([`Layout`] as JSON).
const NOTE: &str = "forearm";

/// How an episode was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeFacts {
    /// The recording's own name for it: [`crate::journal::Head::id`].
    pub id: String,
    /// `LeRobot`'s name for what was recorded.
    pub robot_type: String,
    /// Rows a second.
    pub fps: u32,
    /// How many rows.
    pub rows: u32,
    /// When row 0 is, seconds on the recording's clock.
    pub start_secs: f64,
    /// Time between two control ticks as it was meant, seconds.
    pub tick_secs: f64,
    /// From when to when its clock stood, seconds.
    pub pauses: Vec<[f64; 2]>,
    /// What is where in a tick.
    pub layout: Layout,
    /// The numbers of `action`.
    pub action: Vec<Channel>,
    /// The numbers of `observation.state`.
    pub state: Vec<Channel>,
    /// How well it was recorded.
    pub quality: EpisodeQuality,
    /// Each camera's frames.
    pub cameras: Vec<CameraFacts>,
    /// What a person should know of it, one line each.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// A camera's frames in an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraFacts {
    /// Its name.
    pub name: String,
    /// When each row's frame was taken, seconds on the recording's clock.
    pub captured_secs: Vec<f64>,
    /// A letter a row: `n` a new frame, `r` the one before again, `s` the camera hung or was gone.
    pub freshness: String,
}

/// The letter of a [`CameraFacts::freshness`].
pub(crate) const fn letter(freshness: Freshness) -> char {
    match freshness {
        Freshness::New => 'n',
        Freshness::Repeated => 'r',
        Freshness::Stale => 's',
    }
}

/// All control ticks of an episode, and those before it since the world was loaded or reset, as far as
/// they were kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedTicks {
    /// What is where in a tick.
    pub layout: Layout,
    /// Each tick's scene (another number: the world was changed or reset) and number.
    pub numbers: Vec<(u64, u64)>,
    /// Tick after tick, [`Layout::width`] numbers each: time (seconds on the recording's clock),
    /// positions, targets (radians, metres), objects.
    pub values: Vec<f64>,
}

/// Where a file beside an episode is.
#[must_use]
pub fn path(episode: u32, ending: &str) -> String {
    format!("{FOREARM}/{}", name(episode, ending))
}

/// The same below `meta/forearm/`.
pub(crate) fn name(episode: u32, ending: &str) -> String {
    format!("episode-{episode:06}.{ending}")
}

/// How an episode was recorded; `None` for one that others recorded.
///
/// # Errors
/// What reading fails with; [`DatasetError::Format`] for a damaged file.
pub fn facts(store: &dyn Store, episode: u32) -> Result<Option<EpisodeFacts>, DatasetError> {
    let path = path(episode, "json");
    let bytes = match store.read(&path) {
        Err(StoreError::NotFound { .. }) => return Ok(None),
        other => other?,
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| DatasetError::format(&path, error.to_string()))
}

/// A text that was kept beside an episode, by its ending (`scene.ron`); `None` where there is none.
///
/// # Errors
/// What reading fails with; [`DatasetError::Format`] for bytes that are no text.
pub fn text(store: &dyn Store, episode: u32, ending: &str) -> Result<Option<String>, DatasetError> {
    let path = path(episode, ending);
    match store.read(&path) {
        Err(StoreError::NotFound { .. }) => Ok(None),
        other => String::from_utf8(other?)
            .map(Some)
            .map_err(|error| DatasetError::format(&path, error.to_string())),
    }
}

/// The control ticks of an episode.
///
/// # Errors
/// [`StoreError::NotFound`] when none were kept; [`DatasetError::Format`] for a damaged file.
pub fn ticks(store: &dyn Store, episode: u32) -> Result<RecordedTicks, DatasetError> {
    let path = path(episode, "parquet");
    let file = File::open(store, &path)?;
    let table = file.read_all(store, &|_| true)?;
    let note = file.note(NOTE).unwrap_or_default();
    let layout: Layout = serde_json::from_str(note).map_err(|error| {
        DatasetError::format(
            &path,
            format!("it does not say what is in a tick ({error})"),
        )
    })?;
    let Layout { joints, objects } = layout;
    let mut parts = vec![numbers(&path, &table, "time", 1)?];
    for (name, width) in [
        ("positions", joints),
        ("targets", joints),
        ("objects", objects.saturating_mul(7)),
    ] {
        if width > 0 {
            parts.push(numbers(&path, &table, name, width)?);
        }
    }
    let mut values = Vec::with_capacity(parts.iter().map(|(_, values)| values.len()).sum());
    for row in 0..table.rows {
        for (width, part) in &parts {
            values.extend_from_slice(&part[row * width..(row + 1) * width]);
        }
    }
    let generations = table.ints(&path, "generation")?;
    let ticks = table.ints(&path, "tick")?;
    let numbers = generations
        .iter()
        .zip(ticks)
        .map(|(generation, tick)| (generation.cast_unsigned(), tick.cast_unsigned()))
        .collect();
    Ok(RecordedTicks {
        layout,
        numbers,
        values,
    })
}

impl RecordedTicks {
    /// The ticks from the start of the world in which the time `at_secs` lies (the time of row 0) to
    /// its end: what has to be played to see the same again.
    ///
    /// # Errors
    /// [`DatasetError::Operation`] when its first ticks were not kept, or some were lost.
    pub fn of_world(&self, at_secs: f64) -> Result<&[f64], DatasetError> {
        let lacks = |why: String| DatasetError::Operation { why };
        let width = self.layout.width();
        let secs = |tick: usize| self.values[tick * width];
        let ticks = self.numbers.len();
        let inside = (0..ticks)
            .find(|tick| secs(*tick) >= at_secs)
            .or(ticks.checked_sub(1))
            .ok_or_else(|| lacks("the recording has no control ticks".to_owned()))?;
        let world = self.numbers[inside].0;
        let first = self.numbers[..inside]
            .iter()
            .rposition(|(other, _)| *other != world)
            .map_or(0, |before| before + 1);
        let until = self.numbers[inside..]
            .iter()
            .position(|(other, _)| *other != world)
            .map_or(ticks, |after| inside + after);
        for (index, (_, number)) in self.numbers[first..until].iter().enumerate() {
            if *number != index as u64 {
                return Err(lacks(if index == 0 {
                    format!(
                        "the recording begins at control tick {number} of its world; to see the same again it has to begin at 0: reset the scene before recording"
                    )
                } else {
                    format!(
                        "the recording lost control tick {index}; it can't be seen again exactly"
                    )
                }));
            }
        }
        Ok(&self.values[first * width..until * width])
    }
}

/// The file of an episode's ticks.
pub(crate) fn write_ticks(series: &Series) -> Result<Vec<u8>, DatasetError> {
    let layout = series.layout();
    let rows = series.len();
    let mut columns = vec![
        Column::ints(
            "generation",
            series
                .numbers()
                .iter()
                .map(|(world, _)| world.cast_signed()),
        ),
        Column::ints(
            "tick",
            series.numbers().iter().map(|(_, tick)| tick.cast_signed()),
        ),
    ];
    let joints = layout.joints;
    let parts = [
        ("time", 0, 1),
        ("positions", 1, joints),
        ("targets", 1 + joints, joints),
        ("objects", 1 + 2 * joints, 7 * layout.objects),
    ];
    for (name, from, width) in parts {
        if width == 0 {
            continue;
        }
        let mut values = Vec::with_capacity(rows * width);
        for tick in series.values().chunks_exact(layout.width()) {
            values.extend_from_slice(&tick[from..from + width]);
        }
        let form = match width {
            1 => Form::One,
            _ => Form::Fixed(width),
        };
        columns.push(Column {
            name: name.to_owned(),
            values: Values::F64(values),
            form,
        });
    }
    let note = serde_json::to_string(&layout).unwrap_or_default();
    table::write("the control ticks", columns, &[(NOTE, note)], &[rows])
}

/// A column of so many numbers a row.
fn numbers<'a>(
    path: &str,
    table: &'a table::Table,
    name: &str,
    width: usize,
) -> Result<(usize, &'a [f64]), DatasetError> {
    match table.column(name) {
        Some(column) if column.has_width(width) => match &column.values {
            Values::F64(values) if values.len() == width * table.rows => Ok((width, values)),
            other => Err(DatasetError::format(
                path,
                format!("column {name:?} is {}; expected float64", other.kind()),
            )),
        },
        _ => Err(DatasetError::format(
            path,
            format!("it has no column {name:?} of {width} values in a row"),
        )),
    }
}
