//! `forearm trials`: plays a motion many times in the worker pool, each time with the objects a
//! little elsewhere, and tells how often it did what it should.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use forearm_control::motion::Motion;
use forearm_control::trials::{Trial, TrialOutcome, Trials};
use forearm_control::{ControlConfig, Expectation};
use forearm_protocol::ServiceError;
use forearm_workers::pool::{Pool, PoolConfig, PoolEvent, Task, Ticket, default_size};
use serde_json::json;

use super::teleoperate::{parse_jitter, read_script};
use super::{Failure, OrFail, SetupArgs, interrupt, parse_duration, print_json};

/// How often results are looked for and progress is shown.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Tasks that wait in the pool beside those at work, so that no worker runs dry.
const AHEAD: usize = 4;

/// What is tried, and how often.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  forearm trials                                      20 times, cubes moved by up to 2 cm
  forearm trials --runs 200 --jitter-objects 0.05 --at-least 180
  forearm trials --scene mine.ron --script mine_motion.ron --expect cube-in-tray --json")]
pub(crate) struct TrialsArgs {
    #[command(flatten)]
    setup: SetupArgs,
    /// A motion file, or a built-in motion: `pick_and_place`, `wave`.
    #[arg(long, default_value = "pick_and_place", value_name = "FILE|NAME")]
    script: String,
    /// How many times the motion is played.
    #[arg(long, default_value_t = 20, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// First move every loose object by up to this far each way, metres.
    #[arg(long, default_value_t = 0.02, value_name = "METRES", value_parser = parse_jitter)]
    jitter_objects: f64,
    /// Seed of the first run; each one that follows has the next.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    seed: u64,
    /// How many runs are played side by side; if left out, what suits the machine.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
    /// What should hold at the end of a run, for instance `cube-in-tray`, commas between several; if
    /// left out, that what the motion picks up lies in the tray it goes to next.
    #[arg(long, value_name = "OBJECT-in-TRAY")]
    expect: Option<Expectation>,
    /// How many runs have to do what they should, for exit code 0; if left out, all.
    #[arg(long, value_name = "NUMBER")]
    at_least: Option<u32>,
    /// How long a run is, seconds of simulated time; if left out, until the motion has ended.
    #[arg(long, value_name = "SECONDS", value_parser = parse_duration)]
    duration: Option<f64>,
    /// Print one JSON object at the end instead of the table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &TrialsArgs) -> Result<(), Failure> {
    let needed = args.at_least.unwrap_or(args.runs);
    if needed > args.runs {
        let runs = args.runs;
        let error = anyhow!("--at-least {needed} can't be met by --runs {runs}; lower it");
        return Err(error).or_bad_input();
    }
    let trial = first_trial(args).or_bad_input()?;
    let size = args.workers.map_or_else(default_size, usize::from);
    // The first Ctrl-C ends the runs; where that can't be had, it ends the program.
    interrupt::listen();
    let mut batch = Batch::new(trial, args.runs, size);
    batch.play();
    let verdict = batch.verdict(needed);
    if args.json {
        print_json(&batch.json())?;
    } else {
        batch.write().or_failed()?;
    }
    verdict.or_failed()
}

/// The first run, when it can be played.
fn first_trial(args: &TrialsArgs) -> anyhow::Result<Trial> {
    let setup = &args.setup;
    let loaded = setup.load()?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let script = read_script(&args.script)?;
    let expect = match &args.expect {
        Some(expect) => Some(expect.clone()),
        None => {
            let motion = Motion::from_ron(&args.script, &script)?;
            Expectation::of(&motion, &loaded.bundle.scene)
        }
    };
    let trial = Trial {
        bundle: loaded.bundle,
        config: ControlConfig::at_rate(setup.rate)?,
        script: Some(script),
        duration_secs: args.duration,
        expect,
        jitter_m: args.jitter_objects,
        seed: args.seed,
    };
    let checked = trial.check();
    checked.with_context(|| format!("with motion `{}`", args.script))?;
    Ok(trial)
}

/// Runs, and what has come of them.
struct Batch {
    pool: Pool<Trials>,
    /// The first run; the others differ in their seeds.
    trial: Trial,
    runs: u32,
    /// How many runs were handed in.
    begun: u32,
    open: Vec<(u64, Ticket<Trials>)>,
    /// By seed.
    ended: Vec<(u64, Result<TrialOutcome, ServiceError>)>,
    size: usize,
    took: Duration,
}

impl Batch {
    fn new(trial: Trial, runs: u32, size: usize) -> Self {
        Self {
            pool: Pool::new(PoolConfig {
                size,
                ..PoolConfig::default()
            }),
            trial,
            runs,
            begun: 0,
            open: Vec::new(),
            ended: Vec::new(),
            size,
            took: Duration::ZERO,
        }
    }

    /// Plays all runs, or as many as there are before Ctrl-C.
    fn play(&mut self) {
        let live = std::io::stderr().is_terminal();
        let begun = Instant::now();
        while self.ended.len() < self.runs as usize && !interrupt::is_told() {
            while self.open.len() < self.size + AHEAD && self.begun < self.runs {
                let seed = self.trial.seed.wrapping_add(u64::from(self.begun));
                let trial = Trial {
                    seed,
                    ..self.trial.clone()
                };
                self.open.push((seed, self.pool.submit(Task::new(trial))));
                self.begun += 1;
            }
            self.pool.pump(LOOK_EVERY);
            for event in self.pool.events() {
                tell(&event);
            }
            self.take_results();
            if live {
                let text = format!(
                    "\r{} of {} runs, {} as expected\x1b[K",
                    self.ended.len(),
                    self.runs,
                    self.succeeded()
                );
                // A closed terminal only ends the display.
                std::io::stderr().write_all(text.as_bytes()).ok();
            }
            if !self.open.is_empty() {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        if live {
            std::io::stderr().write_all(b"\r\x1b[K").ok();
        }
        self.took = begun.elapsed();
        self.pool.stop();
        let first = self.trial.seed;
        self.ended.sort_by_key(|(seed, _)| seed.wrapping_sub(first));
    }

    fn take_results(&mut self) {
        let ended = &mut self.ended;
        self.open.retain_mut(|(seed, ticket)| {
            let result = ticket.try_take();
            let open = result.is_none();
            ended.extend(result.map(|result| (*seed, result)));
            open
        });
    }

    fn succeeded(&self) -> usize {
        let good = |result: &&(u64, Result<TrialOutcome, ServiceError>)| matches!(&result.1, Ok(outcome) if outcome.success);
        self.ended.iter().filter(good).count()
    }

    /// Whether it came to what was asked for.
    fn verdict(&self, needed: u32) -> anyhow::Result<()> {
        let (succeeded, ended, runs) = (self.succeeded(), self.ended.len(), self.runs);
        if ended < runs as usize {
            return Err(anyhow!("stopped after {ended} of {runs} runs"));
        }
        if succeeded < needed as usize {
            return Err(anyhow!(
                "{succeeded} of {runs} runs did what they should; at least {needed} have to"
            ));
        }
        Ok(())
    }

    /// The times that runs took, seconds, the shortest first.
    fn times(&self) -> Vec<f64> {
        let outcomes = self.ended.iter().filter_map(|(_, it)| it.as_ref().ok());
        let mut times: Vec<f64> = outcomes.map(|outcome| outcome.wall_secs).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    fn json(&self) -> serde_json::Value {
        let trials = self.ended.iter().map(|(seed, result)| match result {
            Ok(outcome) => {
                let mut value = json!(outcome);
                value["seed"] = json!(seed);
                value
            }
            Err(error) => json!({"seed": seed, "success": false, "error": error.to_string()}),
        });
        let times = self.times();
        json!({
            "runs": self.runs,
            "ended": self.ended.len(),
            "succeeded": self.succeeded(),
            "expect": self.trial.expect.as_ref().map(ToString::to_string),
            "jitter_m": self.trial.jitter_m,
            "workers": self.size,
            "wall_secs": self.took.as_secs_f64(),
            "run_secs_p50": quantile(&times, 0.5),
            "run_secs_p95": quantile(&times, 0.95),
            "trials": trials.collect::<Vec<_>>(),
        })
    }

    fn write(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{:>8} | result | simulated |     took | in trays",
            "seed"
        )?;
        for (seed, result) in &self.ended {
            match result {
                Ok(outcome) => {
                    let in_trays = outcome.in_tray.iter();
                    let in_trays: Vec<_> = in_trays
                        .map(|(it, tray)| format!("{it} in {tray}"))
                        .collect();
                    let verdict = if outcome.success { "ok" } else { "failed" };
                    write!(
                        out,
                        "{seed:>8} | {verdict:<6} | {:>7.2} s | {:>5.0} ms | {}",
                        outcome.simulated_secs,
                        outcome.wall_secs * 1e3,
                        in_trays.join(", ")
                    )?;
                    match &outcome.given_up {
                        Some(why) => writeln!(out, " (given up: {why})")?,
                        None => writeln!(out)?,
                    }
                }
                Err(error) => writeln!(out, "{seed:>8} | failed | {error}")?,
            }
        }
        let goal = match &self.trial.expect {
            Some(expect) => format!("ended with {expect}"),
            None => "played the motion to its end".to_owned(),
        };
        let (succeeded, ended) = (self.succeeded(), self.ended.len());
        writeln!(out, "\n{succeeded} of {ended} runs {goal}")?;
        let times = self.times();
        if !times.is_empty() {
            writeln!(
                out,
                "a run took {:.0} ms (p50), {:.0} ms (p95); all took {:.2} s, {} at a time",
                quantile(&times, 0.5) * 1e3,
                quantile(&times, 0.95) * 1e3,
                self.took.as_secs_f64(),
                self.size
            )?;
        }
        Ok(())
    }
}

/// A quantile of sorted values; zero of none.
fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let index = (last as f64 * quantile).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

/// Logs what happened to the workers.
fn tell(event: &PoolEvent) {
    match event {
        PoolEvent::Fallback { why } => tracing::warn!("runs are played one at a time: {why}"),
        PoolEvent::Crashed { error, .. } | PoolEvent::GivenUp { error } => {
            tracing::warn!("{error}");
        }
        PoolEvent::Recovered { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(quantile(&[], 0.5), 0.0);
        assert_eq!(quantile(&[1.0], 0.95), 1.0);
        let hundred: Vec<f64> = (0..=100).map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.5), 50.0);
        assert_eq!(quantile(&hundred, 0.95), 95.0);
    }
}
