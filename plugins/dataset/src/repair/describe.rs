//! A description of a dataset whose own is lost, from what else is there.

use super::found::is_default;
use crate::error::DatasetError;
use crate::journal::{self, Record};
use crate::json::Json;
use crate::layout::{FOREARM, INFO, episode_of};
use crate::mp4;
use crate::schema::{DataType, Feature, Schema, VideoFeature};
use crate::sidecar::{self, EpisodeFacts};
use crate::store::Store;
use crate::table::{Column, File, Form, Values};

/// What `info.json` said about robot, rate and features: from a journal, from what stands beside an
/// episode, or from a file of rows.
///
/// # Errors
/// [`DatasetError::NoDataset`] when there is nothing of all these; what reading fails with.
pub(super) fn schema(store: &dyn Store) -> Result<Schema, DatasetError> {
    for entry in store.list(journal::FOLDER)? {
        if let Some(Record::Head(head)) = journal::scan(&store.read(&entry.path)?).next() {
            return Ok(head.schema());
        }
    }
    let facts = any_facts(store)?;
    let mut files = store.list("data")?.into_iter();
    let table = files.find_map(|entry| {
        let file = File::open(store, &entry.path).ok()?;
        file.read(store, 0..file.rows().min(2), &|_| true).ok()
    });
    let table = table.ok_or(DatasetError::NoDataset)?;
    let mut columns = Vec::new();
    for column in table
        .columns
        .iter()
        .filter(|column| !is_default(&column.name))
    {
        columns.push(feature(column, table.rows, facts.as_ref())?);
    }
    let cameras = cameras(store)?;
    let fps = facts
        .as_ref()
        .map(|facts| f64::from(facts.fps))
        .or(cameras.first().and_then(|(_, track)| track.fps()))
        .or_else(|| {
            let times = table.column("timestamp")?.values.to_f64()?;
            Some(1.0 / (times.get(1)? - times.first()?))
        })
        .filter(|fps| *fps >= 1.0 && *fps <= 1000.0)
        .ok_or_else(|| DatasetError::format(INFO, "it is lost, and nothing says the rate"))?;
    let videos: Vec<VideoFeature<'_>> = cameras
        .iter()
        .map(|(name, track)| VideoFeature {
            name,
            width: track.description.width,
            height: track.description.height,
            codec: track.description.codec.name(),
        })
        .collect();
    let robot_type = facts.map_or_else(|| "unknown".to_owned(), |facts| facts.robot_type);
    let mut schema = Schema::recording(&robot_type, fps.round() as u32, &[], &[], &videos);
    let others = schema.features.split_off(2);
    schema.features = columns;
    schema.features.extend(others);
    Ok(schema)
}

fn any_facts(store: &dyn Store) -> Result<Option<EpisodeFacts>, DatasetError> {
    let entries = store.list(FOREARM)?;
    Ok(entries
        .iter()
        .filter(|entry| entry.path.ends_with(".json"))
        .filter_map(|entry| episode_of(&entry.path))
        .find_map(|episode| sidecar::facts(store, episode).ok()?))
}

/// A column as a feature.
fn feature(
    column: &Column,
    rows: usize,
    facts: Option<&EpisodeFacts>,
) -> Result<Feature, DatasetError> {
    let data_type = match &column.values {
        Values::F32(_) => "float32",
        Values::F64(_) => "float64",
        Values::I64(_) => "int64",
        Values::Bool(_) => "bool",
        other => {
            return Err(DatasetError::format(
                INFO,
                format!(
                    "it is lost, and column {:?} is {}, which can't be described anew",
                    column.name,
                    other.kind()
                ),
            ));
        }
    };
    let width = match &column.form {
        Form::One => 1,
        _ => column.values.len() / rows.max(1),
    };
    let channels = facts.and_then(|facts| match column.name.as_str() {
        "action" => Some(&facts.action),
        "observation.state" => Some(&facts.state),
        _ => None,
    });
    let names: Vec<Json> = match channels.filter(|channels| channels.len() == width) {
        Some(channels) => channels
            .iter()
            .map(|channel| Json::Text(channel.name.clone()))
            .collect(),
        None => (0..width)
            .map(|value| Json::Text(format!("value_{value}")))
            .collect(),
    };
    Ok(Feature {
        key: column.name.clone(),
        data_type: DataType::from_name(data_type),
        shape: vec![width as u64],
        names: Json::List(names),
        extra: Vec::new(),
    })
}

/// The cameras that have a video that can be read.
fn cameras(store: &dyn Store) -> Result<Vec<(String, mp4::Track)>, DatasetError> {
    let mut found: Vec<(String, mp4::Track)> = Vec::new();
    for entry in store.list("videos")? {
        let key = entry.path.split('/').nth(1).unwrap_or_default();
        let Some(name) = key.strip_prefix("observation.images.") else {
            continue;
        };
        if !found.iter().any(|(known, _)| known == name)
            && let Ok(track) = mp4::open(store, &entry.path)
        {
            found.push((name.to_owned(), track));
        }
    }
    Ok(found)
}
