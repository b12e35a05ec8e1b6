//! `cargo xtask bench web`: how well services keep time in a browser tab.
//!
//! Chromium without a picture runs the control service in a worker: idle, with the main thread blocked
//! half of the time, in a hidden tab; and beside it the same service on the main thread, as a naive page
//! would run it. Then messages, buffers, sizes and the start of the real app.

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::browser::Driver;
use crate::display::Display;
use crate::e2e::EXAMPLES;
use crate::stages;
use crate::web::{self, Profile, build_examples};

/// Options of `cargo xtask bench web`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each measurement of the loop takes, seconds.
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Make the site as small as it can be first, as it would be published.
    #[arg(long)]
    release: bool,
    /// Only the loop, without the app.
    #[arg(long)]
    no_app: bool,
}

/// Measures and prints.
///
/// # Errors
/// Says what is missing, or what went wrong.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !(1.0..=600.0).contains(&options.seconds) {
        bail!(
            "--seconds {} can't be used; expected 1 to 600",
            options.seconds
        );
    }
    let driver = Driver::find_or_install()?;
    println!("{}", driver.versions()?);
    // A tab can only be hidden on a screen.
    let display = Display::open()?;
    let profile = if options.release {
        Profile::Smallest
    } else {
        Profile::Release
    };
    let site = (!options.no_app)
        .then(|| web::build(profile, None))
        .transpose()?;
    let examples = build_examples(&EXAMPLES)?;
    let things = json!({
        "site": site.map(|site| site.folder),
        "suite": examples.join("suite"),
        "web_bench": examples.join("web_bench"),
        "seconds": options.seconds,
    });
    let mut script = driver.script("bench.js", things);
    display.apply(&mut script);
    stages::run(&mut script).context("can't measure")
}
