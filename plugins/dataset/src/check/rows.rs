//! The files of rows.

use super::{Report, by_file};
use crate::dataset::{Dataset, EpisodeRows, belongs};
use crate::episodes::Episode;
use crate::error::DatasetError;
use crate::schema::{DEFAULT_FEATURES, DataType};
use crate::store::Store;
use crate::table::{File, Values};

/// How far a row's time may be from its number over the rate: LeRobot's tolerance, seconds.
const TOLERANCE_SECS: f64 = 1e-4;

pub(super) fn check(store: &dyn Store, dataset: &Dataset, report: &mut Report) {
    let mut used = Vec::new();
    for episodes in by_file(&dataset.episodes, |episode| episode.data).values() {
        let path = match dataset.data_path(episodes[0]) {
            Ok(path) => path,
            Err(error) => {
                report.failed(crate::layout::INFO, &error);
                return;
            }
        };
        report.files += 1;
        if let Err(error) = check_file(store, dataset, &path, episodes, report) {
            report.failed(&path, &error);
        }
        used.push(path);
    }
    match store.list("data") {
        Ok(entries) => {
            for entry in entries {
                if entry.path.ends_with(".parquet") && !used.contains(&entry.path) {
                    report.warning(
                        &entry.path,
                        "of an episode that was not finished; repair the dataset",
                    );
                }
            }
        }
        Err(error) => report.failed("data", &error.into()),
    }
}

fn check_file(
    store: &dyn Store,
    dataset: &Dataset,
    path: &str,
    episodes: &[&Episode],
    report: &mut Report,
) -> Result<(), DatasetError> {
    let file = File::open(store, path)?;
    let columns: Vec<_> = dataset.schema().columns().collect();
    let names = file.names();
    for name in &names {
        if !columns.iter().any(|feature| belongs(name, &feature.key)) {
            report.error(
                path,
                format!("column {name:?} is no feature of meta/info.json: LeRobot refuses it; take it out, or add the feature"),
            );
        }
    }
    for feature in &columns {
        if !names.iter().any(|name| belongs(name, &feature.key)) {
            report.error(
                path,
                format!("no column {:?}, which meta/info.json has", feature.key),
            );
        }
    }
    let expected: u64 = episodes
        .iter()
        .map(|episode| u64::from(episode.length))
        .sum();
    if file.rows() != expected {
        report.warning(
            path,
            format!(
                "{} rows; its episodes have {expected}: the others are of an episode that was not finished; repair the dataset",
                file.rows()
            ),
        );
    }
    if episodes
        .windows(2)
        .any(|pair| pair[0].to_row != pair[1].from_row)
    {
        report.error(
            path,
            "its episodes do not follow each other; LeRobot reads rows in their order",
        );
    }
    for episode in episodes {
        match dataset.rows(store, episode.index) {
            Ok(rows) => check_rows(dataset, path, episode, &rows, report),
            Err(error) => report.failed(path, &error),
        }
    }
    Ok(())
}

fn check_rows(
    dataset: &Dataset,
    path: &str,
    episode: &Episode,
    rows: &EpisodeRows,
    report: &mut Report,
) {
    let index = episode.index;
    let counted = |key: &str, first: u64, report: &mut Report| {
        let Some(Values::I64(values)) = rows.column(key).map(|column| &column.values) else {
            report.error(path, format!("column {key:?} is no whole numbers"));
            return;
        };
        let first = i64::try_from(first).unwrap_or(i64::MAX);
        if let Some((found, expected)) = values.iter().zip(first..).find(|(a, b)| *a != b) {
            report.error(
                path,
                format!(
                    "episode {index}: {key} is {found}; expected {expected}; repair the dataset"
                ),
            );
        }
    };
    counted("frame_index", 0, report);
    counted("index", episode.from_row, report);
    if let Some(Values::I64(tasks)) = rows.column("task_index").map(|column| &column.values) {
        let count = dataset.tasks.len();
        let wrong = |task: &&i64| {
            usize::try_from(**task)
                .ok()
                .is_none_or(|task| task >= count)
        };
        if let Some(task) = tasks.iter().find(wrong) {
            report.error(
                path,
                format!("episode {index}: task_index is {task}, but there are {count} tasks"),
            );
        }
    }
    let fps = f64::from(dataset.schema().fps);
    let times = rows
        .column("timestamp")
        .and_then(|column| column.values.to_f64());
    for (row, time) in times.unwrap_or_default().iter().enumerate() {
        let expected = row as f64 / fps;
        // A float32 is this coarse itself after some minutes.
        let tolerance = TOLERANCE_SECS.max(expected * f64::from(f32::EPSILON));
        if !((time - expected).abs() <= tolerance) {
            report.error(
                path,
                format!(
                    "episode {index}: row {row} is at {time} s; expected {expected} at {fps} rows a second"
                ),
            );
            break;
        }
    }
    for feature in dataset.schema().columns() {
        let key = &feature.key;
        if feature.data_type == DataType::Image {
            let broken = (0..rows.rows).find(|row| {
                rows.picture(key, *row)
                    .is_none_or(|png| !png.starts_with(b"\x89PNG") && !png.starts_with(b"\xff\xd8"))
            });
            if let Some(row) = broken {
                report.error(
                    path,
                    format!("episode {index}: {key:?} has no picture in row {row}"),
                );
            }
        } else if !DEFAULT_FEATURES.iter().any(|(default, _)| default == key)
            && let Some(values) = rows.column(key).and_then(|column| column.values.to_f64())
            && let Some(place) = values.iter().position(|value| !value.is_finite())
        {
            report.error(
                path,
                format!(
                    "episode {index}: {key:?} is {} in row {}; delete the episode, or correct it",
                    values[place],
                    place / feature.width().max(1)
                ),
            );
        }
    }
}
