//! `forearm bench record`: what recording costs the control loop, and what a person waits for.
//!
//! A simulated arm moves under control; cameras give a test pattern, so that what is measured is
//! recording. First control runs alone, then an episode is recorded as always, with every service on a
//! thread of its own. Last the record service runs on this program's own thread, where its work can be
//! timed: all of it that falls to one row, with cameras and without.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use forearm::files::{self, FirstArm};
use forearm::motions::BuiltinMotion;
use forearm_control::ControlConfig;
use forearm_dataset::{Dataset, mp4};
use forearm_protocol::Message;
use forearm_protocol::control::{Event as ControlEvent, LoopTiming, Request as ControlRequest};
use forearm_protocol::record::{
    CameraConfig, CameraSource, DatasetSummary, Event, Place, RecordConfig, Reply, Request,
};
use forearm_protocol::scene::SceneBundle;
use forearm_record::store::{Access, Directory};
use forearm_record::{RecordService, RecordSetup};
use forearm_workers::{Handle, Host, RestartPolicy, supervise};
use serde_json::{Value, json};

use crate::cli::live::Live;
use crate::cli::{Failure, OrFail, parse_duration, parse_rate, print_json, tell};

/// The camera's key in the dataset begins so.
const IMAGES: &str = "observation.images.";
/// What is recorded.
const MOTION: &str = "wave";
/// How long things settle before anything is measured.
const SETTLE: Duration = Duration::from_secs(2);
/// How long control is measured alone, at most.
const ALONE_SECS: f64 = 20.0;
/// How long the work of rows is measured, at most.
const ROWS_SECS: f64 = 10.0;
/// How long cameras may take to give pictures, and an episode to be saved.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the record service works: as often as it does by itself on its own thread.
const ROUND: Duration = Duration::from_millis(5);
/// How much of a slice the record service may take: more than it ever wants.
const SLICE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RecordBenchArgs {
    /// How long the episode is, seconds.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS", value_parser = parse_duration)]
    secs: f64,
    /// How many cameras.
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=8))]
    cameras: u32,
    /// Rows and frames a second.
    #[arg(long, default_value_t = 30, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// Control ticks a second.
    #[arg(long, default_value_t = 120.0, value_name = "HZ", value_parser = parse_rate)]
    rate: f64,
    /// Where to put the dataset, and leave it.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RecordBenchArgs) -> Result<(), Failure> {
    let scratch = std::env::temp_dir().join(format!("forearm-bench-{}", std::process::id()));
    let root = args.root.clone().unwrap_or_else(|| scratch.join("episode"));
    let measured = Bench::start(args).and_then(|mut bench| bench.measure(args, &root, &scratch));
    // It may never have been made.
    drop(std::fs::remove_dir_all(&scratch));
    let measured = measured?;
    if args.json {
        return print_json(&measured);
    }
    let number = |place: &str| {
        measured
            .pointer(place)
            .and_then(Value::as_f64)
            .unwrap_or(f64::NAN)
    };
    tell(&format!(
        "control alone:     p99 {:.3} ms off its time, greatest {:.3} ms\n\
         control recording: p99 {:.3} ms, greatest {:.3} ms\n\
         rows {:.0}, frames written {:.0}, dropped {:.0}, ticks lost {:.0}\n\
         work for a row:    p99 {:.3} ms without cameras, {:.3} ms with (median {:.3} ms)\n\
         saved {:.3} s after the episode's end\n",
        number("/alone/p99_ms"),
        number("/alone/max_ms"),
        number("/recording/p99_ms"),
        number("/recording/max_ms"),
        number("/rows"),
        number("/written"),
        number("/dropped"),
        number("/ticks_lost"),
        number("/row_state/p99_ms"),
        number("/row/p99_ms"),
        number("/row/p50_ms"),
        number("/saved_secs"),
    ))
}

/// An arm that moves under control.
struct Bench {
    live: Live,
    /// What control has loaded, and its number.
    scene: (u64, Arc<SceneBundle>),
}

impl Bench {
    fn start(args: &RecordBenchArgs) -> Result<Self, Failure> {
        let loaded = files::load_scene(Some("empty"), FirstArm::default()).or_failed()?;
        let config = ControlConfig::at_rate(args.rate).or_bad_input()?;
        let mut live = Live::start(loaded.bundle, config);
        let mut scene = None;
        let until = Instant::now() + PATIENCE;
        let scene = loop {
            live.listen(&mut |event| {
                if let ControlEvent::SceneLoaded { generation, bundle } = event {
                    scene = Some((*generation, Arc::clone(bundle)));
                }
            })?;
            if let Some(scene) = scene.take() {
                break scene;
            }
            if Instant::now() > until {
                return Err(anyhow!("control loads no scene")).or_failed();
            }
        };
        live.ask(ControlRequest::Start, &mut |_| {})?;
        let mut bench = Self { live, scene };
        bench.play()?;
        bench.listen_for(SETTLE, &mut |_| {})?;
        Ok(bench)
    }

    fn play(&mut self) -> Result<(), Failure> {
        let motion = BuiltinMotion::find(MOTION);
        let text = motion
            .map(|motion| motion.text.to_owned())
            .unwrap_or_default();
        let request = ControlRequest::PlayScript { arm: 0, text };
        self.live.ask(request, &mut |_| {}).map(|_| ())
    }

    /// Lets time pass; the motion is played again and again.
    fn listen(&mut self, timing: &mut dyn FnMut(&LoopTiming)) -> Result<(), Failure> {
        let mut over = false;
        self.live.listen(&mut |event| match event {
            ControlEvent::State(state) => timing(&state.timing),
            ControlEvent::ScriptDone { .. } => over = true,
            _ => {}
        })?;
        match over {
            true => self.play(),
            false => Ok(()),
        }
    }

    fn listen_for(
        &mut self,
        time: Duration,
        timing: &mut dyn FnMut(&LoopTiming),
    ) -> Result<(), Failure> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.listen(timing)?;
        }
        Ok(())
    }

    fn measure(
        &mut self,
        args: &RecordBenchArgs,
        root: &Path,
        scratch: &Path,
    ) -> Result<Value, Failure> {
        let alone = Duration::from_secs_f64(args.secs.min(ALONE_SECS));
        let mut timings = Timings::default();
        self.listen_for(alone, &mut |timing| timings.note(timing))?;
        let alone = timings.told();
        let mut told = self.record(args, root)?;
        told["alone"] = alone;
        told["row_state"] = self.rows(args, 0, &scratch.join("state"))?;
        told["row"] = self.rows(args, args.cameras, &scratch.join("rows"))?;
        Ok(told)
    }

    /// An episode, as always.
    fn record(&mut self, args: &RecordBenchArgs, root: &Path) -> Result<Value, Failure> {
        let mut recorder = self.open(args, args.cameras, root, Host::Thread)?;
        let mut timings = Timings::default();
        let episode = Duration::from_secs_f64(args.secs);
        self.listen_for(episode, &mut |timing| timings.note(timing))?;
        let end = Instant::now();
        self.ask(&recorder, Request::NextEpisode)?;
        let mut dataset = None;
        while dataset.is_none() {
            self.listen(&mut |_| {})?;
            dataset = recorder.events().find_map(|event| match event {
                Event::Dataset(dataset) if !dataset.episodes.is_empty() => Some(dataset),
                _ => None,
            });
            if end.elapsed() > PATIENCE {
                return Err(anyhow!("the episode is not saved")).or_failed();
            }
        }
        let saved_secs = end.elapsed().as_secs_f64();
        self.ask(&recorder, Request::Finish)?;
        self.ask(&recorder, Request::Close)?;
        recorder.stop();
        let dataset = dataset.map(|dataset| *dataset).unwrap_or_default();
        let mut told = written(&dataset, root).or_failed()?;
        told["recording"] = timings.told();
        told["saved_secs"] = json!(saved_secs);
        Ok(told)
    }

    /// How much work falls to each row.
    fn rows(
        &mut self,
        args: &RecordBenchArgs,
        cameras: u32,
        root: &Path,
    ) -> Result<Value, Failure> {
        let mut recorder = self.open(args, cameras, root, Host::Inline)?;
        let rows = (args.secs.min(ROWS_SECS) * f64::from(args.fps)) as u32;
        let begin = Instant::now();
        let mut work = Vec::new();
        for row in 1..=rows {
            let end = begin + Duration::from_secs(row.into()) / args.fps;
            let mut busy = Duration::ZERO;
            while Instant::now() < end {
                let round = Instant::now() + ROUND;
                while Instant::now() < round {
                    self.listen(&mut |_| {})?;
                }
                let slice = Instant::now();
                recorder.pump(SLICE);
                busy += slice.elapsed();
            }
            recorder.events().for_each(drop);
            work.push(busy.as_secs_f64() * 1e3);
        }
        self.ask(&recorder, Request::Finish)?;
        recorder.stop();
        work.sort_by(f64::total_cmp);
        Ok(json!({
            "p50_ms": part(&work, 0.5), "p99_ms": part(&work, 0.99), "max_ms": part(&work, 1.0),
        }))
    }

    /// Opens a new dataset and begins an episode.
    fn open(
        &mut self,
        args: &RecordBenchArgs,
        cameras: u32,
        root: &Path,
        host: Host,
    ) -> Result<Handle<RecordService>, Failure> {
        let setup = RecordSetup {
            scene: Some(self.scene.clone()),
            ..RecordSetup::default()
        };
        let recorder = supervise::<RecordService>(setup, host, RestartPolicy::default());
        self.live.control.feed_into(&recorder);
        let folder = root
            .to_str()
            .ok_or_else(|| anyhow!("the folder's name is not Unicode"));
        let cameras = (0..cameras).map(|camera| CameraConfig {
            name: format!("camera{camera}"),
            source: CameraSource::Pattern,
            resolution: Some([640, 480]),
        });
        let config = RecordConfig {
            task: "Measure".to_owned(),
            fps: args.fps,
            episodes: 1,
            episode_secs: args.secs + PATIENCE.as_secs_f64(),
            cameras: cameras.collect(),
            ..RecordConfig::new(Place::Folder(folder.or_bad_input()?.to_owned()))
        };
        self.ask(&recorder, Request::Open(Box::new(config)))?;
        // Cameras give their first pictures after a while.
        let until = Instant::now() + PATIENCE;
        while let Err(failure) = self.ask(&recorder, Request::Start) {
            if Instant::now() > until {
                return Err(failure);
            }
        }
        Ok(recorder)
    }

    fn ask(
        &mut self,
        recorder: &Handle<RecordService>,
        request: Request,
    ) -> Result<Reply, Failure> {
        let name = request.name();
        let mut asked = recorder.request_within(request, PATIENCE);
        loop {
            self.listen(&mut |_| {})?;
            recorder.pump(SLICE);
            if let Some(answer) = asked.try_take() {
                return answer.with_context(|| name.to_owned()).or_failed();
            }
        }
    }
}

/// What of an episode is in its files.
fn written(dataset: &DatasetSummary, root: &Path) -> anyhow::Result<Value> {
    let store = Directory::open(root, Access::Read)?;
    let opened = Dataset::open(&store)?;
    let episode = dataset.episodes.first().context("no episode")?;
    let quality = episode.quality.clone().unwrap_or_default();
    let mut frames = 0;
    for camera in &dataset.cameras {
        let span = opened.video(&store, 0, &format!("{IMAGES}{camera}"))?;
        frames += mp4::open(&store, &span.path)?.samples.len();
    }
    let sum = |of: fn(&forearm_protocol::record::CameraQuality) -> u32| {
        quality.cameras.iter().map(of).sum::<u32>()
    };
    Ok(json!({
        "rows": episode.frames,
        "accepted": episode.frames * dataset.cameras.len() as u32,
        "written": frames,
        "dropped": sum(|camera| camera.dropped),
        "repeated": sum(|camera| camera.repeated),
        "ticks_lost": quality.ticks_lost,
        "tick_hz": quality.tick_hz,
        "bytes": dataset.bytes,
    }))
}

/// What control said of its timing.
#[derive(Default)]
struct Timings {
    p99_ms: Vec<f64>,
    max_ms: f64,
    rate_hz: f64,
}

impl Timings {
    fn note(&mut self, timing: &LoopTiming) {
        self.p99_ms.push(timing.jitter_p99_secs * 1e3);
        self.max_ms = self.max_ms.max(timing.jitter_max_secs * 1e3);
        self.rate_hz = timing.rate_hz;
    }

    /// The median of what it said was the 99th percentile, and the greatest of all.
    fn told(mut self) -> Value {
        self.p99_ms.sort_by(f64::total_cmp);
        json!({
            "p99_ms": part(&self.p99_ms, 0.5), "worst_p99_ms": part(&self.p99_ms, 1.0),
            "max_ms": self.max_ms, "rate_hz": self.rate_hz,
        })
    }
}

/// The value below which this share of sorted values is.
fn part(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    let place = place.min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_what_is_there() {
        let values: Vec<_> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (part(&values, 0.5), part(&values, 0.99), part(&values, 1.0)),
            (51.0, 100.0, 100.0)
        );
        assert_eq!(part(&[], 0.5), 0.0);
    }
}
