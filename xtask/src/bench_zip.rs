//! `cargo xtask bench zip`: how fast a dataset is packed, natively and in a browser tab's worker, beside
//! `JSZip` on the same page's main thread, and how long that page stands still meanwhile.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::browser::{Driver, install_package};
use crate::stages;
use crate::web::build_examples;

/// The version of the npm package.
const JSZIP: &str = "3.10.1";

/// Options of `cargo xtask bench zip`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How much is packed, megabytes.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(4..=2000))]
    megabytes: u32,
    /// Rounds; all are shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// Measures and prints.
///
/// # Errors
/// Says what is missing, or what went wrong.
pub(crate) fn run(options: &Options) -> Result<()> {
    println!("natively, from a folder to a file");
    stages::run(
        Command::new("cargo")
            .args(["run", "--quiet", "--release", "--package", "forearm_record"])
            .args(["--no-default-features", "--example", "zip_bench", "--"])
            .args([options.megabytes.to_string(), options.rounds.to_string()]),
    )?;
    let driver = Driver::find_or_install()?;
    println!("\n{}", driver.versions()?);
    let jszip = install_package("jszip", JSZIP).map(|package| package.join("dist/jszip.min.js"));
    if let Err(error) = &jszip {
        println!("JSZip takes no part: {error:#}");
    }
    let examples = build_examples(&["record_web"])?;
    let things = json!({
        "record_web": examples.join("record_web"),
        "jszip": jszip.ok(),
        "megabytes": options.megabytes,
        "rounds": options.rounds,
    });
    stages::run(&mut driver.script("zip.js", things)).context("can't measure")
}
