//! `cargo xtask bench bus`: how often a second a follower is told where its leader is, on virtual buses
//! with the time of real ones, beside what the wires allow and beside LeRobot's loop on the same.
//!
//! Both run in turn, several rounds. LeRobot itself takes part where `FOREARM_LEROBOT_PYTHON` names a
//! Python that has it; else the SDK that it is made on, with the same questions in the same order.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::python::{Kit, Python};
use crate::stages::{build_app, output_of, root};

/// Options of `cargo xtask bench bus`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Rounds; the median of all is reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each is measured, seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=600))]
    secs: u32,
    /// Latency of each USB adapter, milliseconds.
    #[arg(long, default_value_t = 1.0)]
    latency_ms: f64,
}

/// Measures and prints.
///
/// # Errors
/// If a program fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let app = build_app()?;
    let python = Python::find_or_install(Kit::Servos)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        let mut forearm = Command::new(&app);
        forearm
            .args(["bench", "bus", "--json"])
            .args(["--secs", &options.secs.to_string()])
            .args(["--latency-ms", &options.latency_ms.to_string()]);
        let mut rival = python.or_lerobot();
        rival
            .arg(root().join("tests/python/sequential_loop.py"))
            .arg("--forearm")
            .arg(&app)
            .args(["--secs", &options.secs.to_string()])
            .args(["--latency-ms", &options.latency_ms.to_string()]);
        // Who goes first changes every round.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                ours.push(last_json(&mut forearm)?);
            } else {
                theirs.push(last_json(&mut rival)?);
            }
        }
    }
    let limit = number(&ours[0], "limit_hz")?;
    let rate = median(&ours, "rounds_hz")?;
    let rival = median(&theirs, "hz")?;
    let who = theirs[0]["who"].as_str().unwrap_or("the other");
    println!(
        "\nleader and follower, median of {} rounds of {} s, {} ms of latency a USB adapter",
        options.rounds, options.secs, options.latency_ms
    );
    println!("  the wire allows       {limit:6.0} Hz (both buses at once)");
    println!(
        "  Forearm               {rate:6.0} Hz  {:5.1} %   p99 jitter {:.2} ms, lag {:.0} ms, {:.0} new goals a second",
        rate / limit * 100.0,
        median(&ours, "p99_jitter_ms")?,
        median(&ours, "lag_ms")?,
        median(&ours, "goals_hz")?,
    );
    println!(
        "  {who:<21} {rival:6.0} Hz  {:5.1} %   p99 of a round {:.2} ms, {:.0} rounds lost",
        rival / limit * 100.0,
        median(&theirs, "p99_ms")?,
        median(&theirs, "lost")?,
    );
    println!("  Forearm / {who}: {:.2}", rate / rival);
    Ok(())
}

/// The JSON in the last line that a program prints.
fn last_json(command: &mut Command) -> Result<Value> {
    let said = output_of(command)?;
    let line = said.lines().last().context("it said nothing")?;
    serde_json::from_str(line).with_context(|| format!("it said: {said}"))
}

fn number(value: &Value, name: &str) -> Result<f64> {
    value[name]
        .as_f64()
        .with_context(|| format!("no number `{name}` in {value}"))
}

fn median(values: &[Value], name: &str) -> Result<f64> {
    let numbers: Result<Vec<_>> = values.iter().map(|value| number(value, name)).collect();
    let mut numbers = numbers?;
    numbers.sort_by(f64::total_cmp);
    numbers
        .get(numbers.len() / 2)
        .copied()
        .context("nothing was measured")
}
