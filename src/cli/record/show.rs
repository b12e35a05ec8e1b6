//! What a recording shows in the terminal: one line that changes, and one for each episode.

use std::io::{IsTerminal, Write};

use forearm_protocol::record::{
    CameraHealth, DatasetSummary, EpisodeInfo, Phase, RecordConfig, RecordState,
};
use serde_json::json;

use super::take::End;
use crate::cli::{Failure, OrFail, print_json};

/// The terminal, or a log.
pub(super) struct Screen {
    live: bool,
    silent: bool,
    /// Episodes that were told of, once the first state has come.
    told: Option<usize>,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        Self {
            live: !json && std::io::stdout().is_terminal(),
            silent: json,
            told: None,
        }
    }

    /// Says what is recorded, and which keys there are.
    pub(super) fn begin(&mut self, config: &RecordConfig, keys: bool) {
        let cameras: Vec<_> = config.cameras.iter().map(|it| it.name.as_str()).collect();
        let cameras = match cameras.as_slice() {
            [] => "no camera".to_owned(),
            names => names.join(", "),
        };
        self.say(&format!(
            "Recording {} episodes of \"{}\" at {} rows a second: {cameras}.",
            config.episodes, config.task, config.fps
        ));
        if keys {
            self.say("→ or n: end the episode or the pause between two. ← or r: record again. Space: pause. Esc or q: stop.");
        }
    }

    /// Prints a line.
    pub(super) fn say(&mut self, text: &str) {
        if !self.silent {
            let start = if self.live { "\r\x1b[K" } else { "" };
            // A closed terminal only ends the display.
            write!(std::io::stdout().lock(), "{start}{text}\r\n").ok();
        }
    }

    /// Shows how it goes.
    pub(super) fn show(&mut self, state: &RecordState, dataset: &DatasetSummary) {
        let count = dataset.episodes.len();
        let told = *self.told.get_or_insert(count);
        for episode in dataset.episodes.iter().skip(told) {
            self.say(&episode_line(episode, dataset.fps));
        }
        // Deleted ones are told of again when they are recorded again.
        self.told = Some(count);
        if self.live {
            let mut out = std::io::stdout().lock();
            write!(out, "\r\x1b[K{}", status_line(state)).ok();
            out.flush().ok();
        }
    }

    /// Says what it came to.
    pub(super) fn end(&mut self, end: &End, as_json: bool) -> Result<(), Failure> {
        if as_json {
            let json = json!({
                "made": end.made, "given_up": end.given_up, "trouble": end.trouble,
                "dataset": end.dataset,
            });
            return print_json(&json);
        }
        let told = self.told.unwrap_or(0);
        for episode in end.dataset.episodes.iter().skip(told) {
            self.say(&episode_line(episode, end.dataset.fps));
        }
        let DatasetSummary {
            name,
            episodes,
            bytes,
            ..
        } = &end.dataset;
        let rows: u64 = episodes.iter().map(|it| u64::from(it.frames)).sum();
        self.say(&format!(
            "{} recorded; {name} has {} episodes, {rows} rows, {:.1} MB.",
            count(end.made, "episode"),
            episodes.len(),
            *bytes as f64 / 1e6
        ));
        std::io::stdout().lock().flush().or_failed()
    }
}

fn count(number: u32, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

fn status_line(state: &RecordState) -> String {
    let clock = |secs: f64| {
        let secs = secs.max(0.0) as u64;
        format!("{:02}:{:02}", secs / 60, secs % 60)
    };
    let name = match state.phase {
        Phase::Closed => "opening",
        Phase::Ready => "ready",
        Phase::Recording => "\x1b[31m● REC\x1b[0m",
        Phase::Paused => "paused",
        Phase::Saving => "saving",
        Phase::Resetting => "reset",
        Phase::Finished => "finished",
    };
    let limit = state.phase_limit_secs.filter(|secs| *secs < 86_400.0);
    let limit = limit.map_or_else(String::new, |secs| format!(" / {}", clock(secs)));
    let episode = state.made + 1;
    let mut line = format!(
        "{name} {}{limit}  episode {} of {}  {} rows  {:.0} ticks/s",
        clock(state.phase_secs),
        episode.min(state.wanted),
        state.wanted,
        state.frames,
        state.tick_hz
    );
    for camera in &state.cameras {
        let how = match &camera.health {
            CameraHealth::Opening => "opening".to_owned(),
            CameraHealth::Live => format!("{:.1}/s", camera.rate_hz),
            CameraHealth::Frozen => "FROZEN".to_owned(),
            CameraHealth::Lost(_) => "LOST".to_owned(),
        };
        line.push_str(&format!("  {} {how}", camera.name));
        if camera.dropped > 0 {
            line.push_str(&format!(" ({} dropped)", camera.dropped));
        }
    }
    line
}

fn episode_line(episode: &EpisodeInfo, fps: u32) -> String {
    let EpisodeInfo {
        index,
        frames,
        quality,
        ..
    } = episode;
    let secs = f64::from(*frames) / f64::from(fps.max(1));
    let mut line = format!("episode {index}: {frames} rows, {secs:.1} s");
    if let Some(quality) = quality {
        line.push_str(&format!(
            ", {:.1} ticks/s (jitter p99 {:.2} ms, {} lost)",
            quality.tick_hz,
            quality.tick_jitter_p99_secs * 1e3,
            quality.ticks_lost
        ));
        for camera in &quality.cameras {
            line.push_str(&format!(", {} {:.1}/s", camera.name, camera.rate_hz));
            let lacks = [
                (camera.repeated, "repeated"),
                (camera.dropped, "dropped"),
                (camera.stale, "without the camera"),
            ];
            for (number, what) in lacks.into_iter().filter(|(number, _)| *number > 0) {
                line.push_str(&format!(", {number} {what}"));
            }
        }
    }
    line
}
