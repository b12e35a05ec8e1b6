//! `xtask-web`: what `cargo xtask web` needs big libraries for: linking, compressing, serving.
//!
//! A person runs `cargo xtask web`; this program is started by it. Exit code 0 only if all went well.
#![expect(
    clippy::print_stdout,
    reason = "a command line tool talks to its person on stdout"
)]
#![expect(
    clippy::print_stderr,
    reason = "a command line tool reports failure on stderr"
)]

mod compress;
mod link;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Parts of `cargo xtask web`.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a module and its JavaScript from what the compiler left.
    Link(link::Options),
    /// Put a `.br` and a `.gz` beside files.
    Compress(compress::Options),
    /// Serve a folder on this machine until standard input ends.
    Serve(serve::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Link(options) => link::run(&options),
        Command::Compress(options) => compress::run(&options),
        Command::Serve(options) => serve::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
