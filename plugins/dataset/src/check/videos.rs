//! The files of videos.

use super::{Report, by_file};
use crate::dataset::Dataset;
use crate::episodes::Episode;
use crate::info::Version;
use crate::mp4::{self, Track};
use crate::schema::Feature;
use crate::store::Store;

/// How far a frame may be from the time that is asked for: LeRobot's tolerance, seconds.
const TOLERANCE_SECS: f64 = 1e-4;

pub(super) fn check(store: &dyn Store, dataset: &Dataset, report: &mut Report) {
    let mut used = Vec::new();
    for feature in dataset.schema().videos() {
        let key = &feature.key;
        let file = |episode: &Episode| episode.video(key).map(|video| video.file);
        for episodes in by_file(&dataset.episodes, file).values() {
            let path = match dataset.video_path(episodes[0], key) {
                Ok(path) => path,
                Err(error) => {
                    report.failed(crate::layout::INFO, &error);
                    return;
                }
            };
            report.files += 1;
            match mp4::open(store, &path) {
                Ok(track) => {
                    check_track(dataset, feature, &path, &track, report);
                    let shown = track.samples.iter().map(|s| track.shown_secs(s));
                    let mut shown: Vec<f64> = shown.collect();
                    shown.sort_by(f64::total_cmp);
                    for episode in episodes {
                        check_span(dataset, key, &path, &shown, episode, report);
                    }
                }
                Err(error) => {
                    let text = error.to_string();
                    let what = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
                    report.error(&path, what);
                }
            }
            used.push(path);
        }
    }
    if dataset.info.version == Version::V21 {
        return;
    }
    match store.list("videos") {
        Ok(entries) => {
            for entry in entries.iter().filter(|entry| !used.contains(&entry.path)) {
                report.warning(
                    &entry.path,
                    "no episode has it; repair the dataset, or remove it",
                );
            }
        }
        Err(error) => report.failed("videos", &error.into()),
    }
}

/// What holds for a whole file.
fn check_track(
    dataset: &Dataset,
    feature: &Feature,
    path: &str,
    track: &Track,
    report: &mut Report,
) {
    let fps = dataset.schema().fps;
    let size = (track.description.width, track.description.height);
    if feature
        .picture_size()
        .is_some_and(|expected| expected != size)
    {
        report.error(
            path,
            format!(
                "pictures of {} × {}; expected {:?} (width, height) as in meta/info.json",
                size.0,
                size.1,
                feature.picture_size().unwrap_or_default()
            ),
        );
    }
    if !track.timescale.is_multiple_of(fps) {
        report.error(
            path,
            format!(
                "its clock has {} units a second, which is no multiple of {fps}: frames are not where LeRobot looks for them; repair the dataset",
                track.timescale
            ),
        );
    }
    match track.fps() {
        // The last frame may be shown longer or shorter; what counts is when frames begin.
        Some(found) if (found - f64::from(fps)).abs() > 1e-6 * f64::from(fps) => report.error(
            path,
            format!("{found} frames a second; expected {fps}; repair the dataset"),
        ),
        _ => {}
    }
    let first = track.samples.iter().map(|sample| sample.shown).min();
    if let Some(first) = first.filter(|first| *first != 0) {
        report.error(
            path,
            format!(
                "the first frame is shown at {first}/{} s; expected 0: LeRobot finds no frame; repair the dataset",
                track.timescale
            ),
        );
    }
    if track.samples.first().is_some_and(|sample| !sample.key) {
        report.error(path, "it does not begin with a key frame");
    }
}

/// That every row of an episode has its frame; `shown` is when frames are, sorted, seconds.
fn check_span(
    dataset: &Dataset,
    key: &str,
    path: &str,
    shown: &[f64],
    episode: &Episode,
    report: &mut Report,
) {
    let Some(video) = episode.video(key) else {
        return;
    };
    let index = episode.index;
    let fps = f64::from(dataset.schema().fps);
    for row in 0..episode.length {
        let wanted = video.from_secs + f64::from(row) / fps;
        let at = shown.partition_point(|time| *time < wanted);
        let nearest = [at.checked_sub(1), Some(at)]
            .into_iter()
            .flatten()
            .filter_map(|at| shown.get(at))
            .map(|time| (time - wanted).abs())
            .fold(f64::INFINITY, f64::min);
        if !(nearest <= TOLERANCE_SECS) {
            let off = if nearest.is_finite() {
                format!("the nearest is {nearest:.6} s off")
            } else {
                "it has none".to_owned()
            };
            report.error(
                path,
                format!(
                    "episode {index}: no frame at {wanted:.6} s for row {row} of {} ({off}, allowed is {TOLERANCE_SECS} s; the file has {} frames)",
                    episode.length,
                    shown.len()
                ),
            );
            return;
        }
    }
    let expected = video.from_secs + f64::from(episode.length) / fps;
    if !((video.to_secs - expected).abs() <= 0.5 / fps) {
        report.warning(
            path,
            format!(
                "episode {index} ends at {} s; expected {expected} s for its {} rows",
                video.to_secs, episode.length
            ),
        );
    }
}
