//! `forearm bench bus`: a leader and a follower on two virtual buses, as fast as their wires allow.
//!
//! The virtual arms are another process, `forearm emulate`, reached through pseudo-terminals: 1 Mbaud,
//! a motor's least return delay, a USB adapter's latency. A hand moves the leader all the time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use forearm::files::{self, FirstArm};
use forearm_arm::calibration::Calibration;
use forearm_control::ControlConfig;
use forearm_protocol::control::{Event, Request, StateUpdate, TeleopMode};
use forearm_protocol::scene::{Backend, SceneBundle};
use forearm_protocol::servo::{ArmCalibrations, BusState, SerialArm};
use serde_json::{Value, json};

use crate::cli::emulate::parse_latency;
use crate::cli::interrupt;
use crate::cli::live::Live;
use crate::cli::{Failure, OrFail, parse_duration, print_json, tell};

/// A byte on a wire of 1 Mbaud: start, eight bits, stop.
const BYTE_SECS: f64 = 10e-6;
/// Motors of an arm.
const MOTORS: f64 = 6.0;
/// The least time that a motor takes to answer (`Return_Delay_Time` 0), seconds.
const RETURN_DELAY_SECS: f64 = 2e-6;
/// How long things settle before anything is measured.
const SETTLE: Duration = Duration::from_secs(3);
/// The greatest lag that is looked for, milliseconds.
const MAX_LAG_MS: u32 = 400;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BusArgs {
    /// How long to measure, seconds.
    #[arg(long, default_value_t = 20.0, value_name = "SECONDS", value_parser = parse_duration)]
    secs: f64,
    /// Latency of each USB adapter, milliseconds.
    #[arg(long, default_value_t = 1.0, value_name = "MS", value_parser = parse_latency)]
    latency_ms: f64,
    /// Control ticks a second: more than the buses allow, so that these are the limit.
    #[arg(long, default_value_t = 1000.0, value_name = "HZ", value_parser = crate::cli::parse_rate)]
    rate: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Rounds a second that a follower's bus allows: goals are written and positions read in each.
fn limit_hz(latency_secs: f64) -> f64 {
    // A sync read: 8 bytes and an id each; 8 bytes and a delay each come back. A sync write: 8 bytes
    // and three each.
    let read = (8.0 + MOTORS) * BYTE_SECS + MOTORS * (8.0 * BYTE_SECS + RETURN_DELAY_SECS);
    let write = (8.0 + 3.0 * MOTORS) * BYTE_SECS;
    1.0 / (read + write + latency_secs)
}

/// What is measured while the follower follows.
#[derive(Default)]
struct Measured {
    goals_hz: Vec<f64>,
    rounds_hz: Vec<f64>,
    leader_hz: Vec<f64>,
    /// Time, leader's and follower's joints.
    samples: Vec<(f64, Vec<f64>, Vec<f64>)>,
}

impl Measured {
    fn note(&mut self, state: &StateUpdate) {
        let Some(arm) = state.arms.first() else {
            return;
        };
        let (Some(bus), Some(leader)) = (&arm.bus, &arm.leader) else {
            return;
        };
        self.goals_hz.push(bus.goals_hz);
        self.rounds_hz.push(bus.rate_hz);
        self.leader_hz.push(leader.bus.rate_hz);
        let follower = arm.joints.iter().map(|joint| joint.position).collect();
        self.samples
            .push((state.time_secs, leader.positions.clone(), follower));
    }

    /// How far the follower's joints are behind the leader's, milliseconds: the shift in time at which
    /// they fit best.
    fn lag_ms(&self) -> Option<f64> {
        let misfit = |lag_ms: u32| {
            let lag_secs = f64::from(lag_ms) / 1e3;
            let errors = self.samples.iter().filter_map(|(at, _, follower)| {
                let leader = self.leader_at(at - lag_secs)?;
                let squares = leader.iter().zip(follower).map(|(a, b)| (a - b).powi(2));
                Some(squares.sum::<f64>())
            });
            let errors: Vec<_> = errors.collect();
            let count = errors.len();
            (count > 0).then(|| errors.iter().sum::<f64>() / count as f64)
        };
        let fits = (0..=MAX_LAG_MS).filter_map(|lag| Some((lag, misfit(lag)?)));
        let best = fits.min_by(|a, b| a.1.total_cmp(&b.1));
        best.map(|(lag, _)| f64::from(lag))
    }

    /// The leader's joints at a time between two samples.
    fn leader_at(&self, at: f64) -> Option<Vec<f64>> {
        let after = self.samples.partition_point(|(time, ..)| *time < at);
        let (t1, after_joints, _) = self.samples.get(after)?;
        let (t0, before_joints, _) = self.samples.get(after.checked_sub(1)?)?;
        let share = (at - t0) / (t1 - t0);
        let joints = before_joints.iter().zip(after_joints);
        Some(joints.map(|(a, b)| a + (b - a) * share).collect())
    }
}

pub(super) fn run(args: &BusArgs) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("forearm-bench-{}", std::process::id()));
    let arms = Arms::serve(&folder, args.latency_ms).or_failed()?;
    let bundle = arms.scene(&folder).or_failed()?;
    let config = ControlConfig::at_rate(args.rate).or_bad_input()?;
    let mut live = Live::start(bundle, config);
    live.connect(true)?;
    live.ask(Request::Start, &mut |_| {})?;
    let mode = TeleopMode::Leader;
    live.ask(Request::SetMode { arm: 0, mode }, &mut |_| {})?;
    let begin = Instant::now() + SETTLE;
    let end = begin + Duration::from_secs_f64(args.secs);
    let mut measured = Measured::default();
    while Instant::now() < end && !interrupt::is_told() {
        live.listen(&mut |event| {
            if let Event::State(state) = event
                && Instant::now() > begin
            {
                measured.note(state);
            }
        })?;
    }
    let state = live.state.take();
    drop(live);
    drop(arms);
    let arm = state.and_then(|state| state.arms.into_iter().next());
    let bus = arm.and_then(|arm| arm.bus);
    let bus = bus
        .ok_or_else(|| anyhow!("the follower was not there at the end"))
        .or_failed()?;
    report(args, measured, &bus)
}

fn report(args: &BusArgs, mut measured: Measured, bus: &BusState) -> Result<(), Failure> {
    let limit = limit_hz(args.latency_ms / 1e3);
    let lag_ms = measured.lag_ms();
    let goals = median(&mut measured.goals_hz);
    let rounds = median(&mut measured.rounds_hz);
    let leader = median(&mut measured.leader_hz);
    let jitter_ms = (bus.cycle.p99_secs - bus.cycle.mean_secs) * 1e3;
    if args.json {
        return print_json(&json!({
            "limit_hz": limit, "goals_hz": goals, "rounds_hz": rounds, "leader_hz": leader,
            "share": rounds / limit, "p99_jitter_ms": jitter_ms, "lag_ms": lag_ms,
            "errors": bus.errors,
        }));
    }
    let lag = lag_ms.map_or("not known".to_owned(), |lag| format!("{lag:.0} ms"));
    tell(&format!(
        "follower: {rounds:.0} rounds a second of read and write, {goals:.0} new goals \
         ({:.1} % of the {limit:.0} that the wire allows)\n\
         leader:   {leader:.0} readings a second\n\
         jitter of a round: p99 {jitter_ms:.2} ms over the mean; the follower lags by {lag}\n",
        rounds / limit * 100.0
    ))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Virtual arms of another process. They go away with it.
struct Arms {
    process: Child,
    ports: Vec<String>,
    folder: std::path::PathBuf,
}

impl Arms {
    fn serve(folder: &std::path::Path, latency_ms: f64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let ports = ["follower", "leader"];
        let ports: Vec<_> = ports
            .iter()
            .map(|port| folder.join(port).display().to_string())
            .collect();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["emulate", "--scene", "two_arms", "--json", "--calibrated"])
            .args(["--latency-ms", &latency_ms.to_string()])
            .args(["--turnaround-us", &(RETURN_DELAY_SECS * 1e6).to_string()])
            .args(["--port-link", &ports[0], "--port-link", &ports[1]])
            .env("HF_LEROBOT_CALIBRATION", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut arms = Self {
            process: command.spawn().context("the virtual arms don't start")?,
            ports,
            folder: folder.to_owned(),
        };
        let output = arms.process.stdout.take().context("no pipe")?;
        let mut lines = BufReader::new(output).lines();
        let told = lines
            .next()
            .context("the virtual arms have ended at once")??;
        let ready = serde_json::from_str::<Value>(&told)?["arms"].is_array();
        anyhow::ensure!(ready, "the virtual arms said: {told}");
        let input = arms.process.stdin.as_mut().context("no pipe")?;
        writeln!(input, "right hand {}", HAND)?;
        // Whatever else they say is not waited for.
        std::thread::Builder::new()
            .name("arms".to_owned())
            .spawn(move || lines.map_while(Result::ok).for_each(drop))?;
        Ok(arms)
    }

    /// A follower and its leader, calibrated as the virtual motors are.
    fn scene(&self, folder: &std::path::Path) -> anyhow::Result<Arc<SceneBundle>> {
        let serial = |arm: usize| SerialArm {
            port: self.ports[arm].clone(),
            id: None,
        };
        let calibration = |file: &str| {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path)?;
            let read = Calibration::from_json(&path.display().to_string(), &text)?;
            anyhow::Ok(Some(read))
        };
        let loaded = files::load_scene(Some("empty"), FirstArm::default())?;
        let mut bundle = SceneBundle::clone(&loaded.bundle);
        let arm = bundle
            .scene
            .arms
            .first_mut()
            .context("a scene has an arm")?;
        arm.backend = Backend::Serial(serial(0));
        arm.leader = Some(serial(1));
        let calibrations = ArmCalibrations {
            follower: calibration("robots/so_follower/emulated_left.json")?,
            leader: calibration("teleoperators/so_leader/emulated_right.json")?,
        };
        bundle.calibrations.insert(arm.name.clone(), calibrations);
        Ok(Arc::new(bundle))
    }
}

/// What the hand does with the leader.
const HAND: &str = "ranges";

impl Drop for Arms {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_that_of_the_wire() {
        // 0.62 ms of reading, 12 µs of delays, 0.26 ms of writing, 1 ms of latency.
        assert!((limit_hz(1e-3) - 528.5).abs() < 0.1);
        assert!((limit_hz(0.0) - 1121.1).abs() < 0.1);
    }

    #[test]
    fn the_lag_is_found_between_samples() {
        let joint = |at: f64| vec![(at * 2.0).sin(), (at * 3.0).cos()];
        let samples = (0..400).map(|sample| {
            let at = f64::from(sample) * 0.05;
            (at, joint(at), joint(at - 0.083))
        });
        let measured = Measured {
            samples: samples.collect(),
            ..Measured::default()
        };
        let lag = measured.lag_ms().expect("a lag");
        assert!((lag - 83.0).abs() < 3.0, "{lag}");
    }
}
