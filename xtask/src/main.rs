//! `cargo xtask …`: Forearm's own commands, one file or folder a command.
//!
//! A command prints what it does, stage by stage, and ends with a summary. Exit code 0 only if
//! everything it did went well.
#![expect(
    clippy::print_stdout,
    reason = "a command line tool talks to its person on stdout"
)]
#![expect(
    clippy::print_stderr,
    reason = "a command line tool reports failure on stderr"
)]

mod bench_bus;
mod bench_control;
mod bench_env;
mod bench_record;
mod bench_sim;
mod bench_web;
mod bench_zip;
mod browser;
mod display;
mod e2e;
mod goldens;
mod prerequisites;
mod python;
mod python_package;
mod stages;
mod test;
mod validate_sim;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Forearm's own build, test and bench commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check format and lints, then build and run every test.
    Test(test::Options),
    /// Make the app for the browser, and serve it.
    Web(web::Options),
    /// Build the Python package and test it, installed beside the build's results.
    Python(python_package::Options),
    /// Test the app in a real browser, without a screen.
    E2e(e2e::Options),
    /// Measure.
    #[command(subcommand)]
    Bench(Bench),
    /// Simulate the same scenarios here and in MuJoCo and compare.
    ValidateSim(validate_sim::Options),
    /// Compare the golden pictures, or take new ones.
    Goldens(goldens::Options),
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Time of a simulation step, beside MuJoCo's when it can be imported.
    Sim(bench_sim::Options),
    /// Environment steps a second, beside a Gymnasium environment on MuJoCo.
    Env(bench_env::Options),
    /// How well the control loop keeps time while the window renders in software.
    Control(bench_control::Options),
    /// How fast a follower follows its leader, beside the wires' limit and LeRobot's loop.
    Bus(bench_bus::Options),
    /// What recording costs, and what a person waits for, beside LeRobot on the same pictures.
    Record(bench_record::Options),
    /// How well services keep time in a browser tab; sizes, and how long the start takes.
    Web(bench_web::Options),
    /// How fast a dataset is packed, natively and in a browser tab, beside `JSZip`.
    Zip(bench_zip::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Test(options) => test::run(&options),
        Command::Web(options) => web::run(&options),
        Command::Python(options) => python_package::run_alone(&options),
        Command::E2e(options) => e2e::run(&options),
        Command::ValidateSim(options) => validate_sim::run(&options),
        Command::Bench(Bench::Sim(options)) => bench_sim::run(&options),
        Command::Bench(Bench::Env(options)) => bench_env::run(&options),
        Command::Bench(Bench::Control(options)) => bench_control::run(&options),
        Command::Bench(Bench::Bus(options)) => bench_bus::run(&options),
        Command::Bench(Bench::Record(options)) => bench_record::run(&options),
        Command::Bench(Bench::Web(options)) => bench_web::run(&options),
        Command::Bench(Bench::Zip(options)) => bench_zip::run(&options),
        Command::Goldens(options) => goldens::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
