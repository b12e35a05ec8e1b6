//! `cargo xtask goldens`: the tests that compare pictures, on a display of their own.
//!
//! With `--update` they write what they see as the new goldens; look at the change before you
//! commit it.

use anyhow::Result;

use crate::display::Display;
use crate::stages::{self, TEST_ALL, cargo};

/// Options of `cargo xtask goldens`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Take new goldens instead of comparing.
    #[arg(long)]
    update: bool,
}

/// Compares or updates.
///
/// # Errors
/// If a picture differs, or nothing can be drawn here.
pub(crate) fn run(options: &Options) -> Result<()> {
    let display = Display::open()?;
    println!("drawing on {display}");
    let mut command = cargo();
    command
        .args(TEST_ALL)
        .args(["--test", "system", "goldens::"]);
    display.apply(&mut command);
    if options.update {
        command.env("UPDATE_SNAPSHOTS", "1");
    }
    stages::run(&mut command)
}
