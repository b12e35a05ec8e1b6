//! `forearm bench`: how long a physics step takes on this machine, how fast a follower follows, what
//! recording costs.
#![expect(
    clippy::let_underscore_must_use,
    reason = "writing into a `String` never fails"
)]

#[cfg(unix)]
mod bus;
mod record;

use std::fmt::Write as _;
use std::io::Write;
use std::time::Instant;

use clap::Subcommand;
use forearm_sim::bench::{self, Case};
use serde_json::json;

use super::{Failure, OrFail, print_json};

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Time a step of the simulated arm, alone and with table and cube.
    Sim {
        /// Steps in a round; the fastest of five rounds counts.
        #[arg(long, default_value_t = 20_000, value_name = "NUMBER",
              value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
        steps: u64,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// How often a second a follower is told where its leader is, on two virtual buses with the time
    /// of real ones, beside what their wires allow.
    #[cfg(unix)]
    Bus(bus::BusArgs),
    /// What recording costs the control loop, how much work a row is, and how long saving takes.
    Record(record::RecordBenchArgs),
}

pub(crate) fn run(command: &BenchCommand) -> Result<(), Failure> {
    let (steps, json) = match command {
        BenchCommand::Sim { steps, json } => (steps, json),
        #[cfg(unix)]
        BenchCommand::Bus(args) => return bus::run(args),
        BenchCommand::Record(args) => return record::run(args),
    };
    let start = Instant::now();
    let mut cases = Vec::new();
    let mut text = String::new();
    for case in Case::ALL {
        let result = bench::measure(case, *steps, || start.elapsed().as_secs_f64()).or_failed()?;
        let parts: Vec<_> = result
            .breakdown
            .iter()
            .map(|(name, micros)| format!("{name} {micros:.2}"))
            .collect();
        let _ = writeln!(
            text,
            "{:<16} {:>7.2} µs a step ({})",
            case.name(),
            result.us_per_step,
            parts.join(", ")
        );
        let breakdown: serde_json::Map<_, _> = result
            .breakdown
            .iter()
            .map(|(name, micros)| ((*name).to_owned(), json!(micros)))
            .collect();
        cases.push(json!({
            "name": case.name(),
            "us_per_step": result.us_per_step,
            "breakdown_us": breakdown,
        }));
    }
    if *json {
        return print_json(&json!({"steps": steps, "cases": cases}));
    }
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .or_failed()
}
