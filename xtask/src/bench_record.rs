//! `cargo xtask bench record`: what recording costs, and what a person waits for, beside LeRobot on the
//! same pictures in the same run.
//!
//! Two cameras of 640×480 at 30 frames a second, control at 120 Hz. LeRobot takes part where
//! `FOREARM_LEROBOT_PYTHON` names a Python that has it: as it is set up by default, and encoding while
//! it records where it can.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::python;
use crate::stages::{build_app, build_folder, output_of, root};

/// Options of `cargo xtask bench record`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long the episode is, seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=3600))]
    secs: u32,
    /// How many cameras.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8))]
    cameras: u32,
    /// Let LeRobot encode with this encoder, not its own choice: `h264` is what Forearm uses.
    #[arg(long)]
    codec: Option<String>,
}

/// Measures and prints.
///
/// # Errors
/// If a program fails, or frames are lost.
pub(crate) fn run(options: &Options) -> Result<()> {
    let app = build_app()?;
    let folder = build_folder().join("bench-record");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("an old measurement can't be removed")?;
    }
    let secs = options.secs.to_string();
    println!(
        "Forearm: an episode of {secs} s, {} cameras",
        options.cameras
    );
    let mut command = Command::new(&app);
    command
        .args(["bench", "record", "--json", "--secs", &secs])
        .args(["--cameras", &options.cameras.to_string(), "--root"])
        .arg(&folder);
    let ours = whole_json(&output_of(&mut command)?)?;
    let mut rivals = Vec::new();
    for mode in ["default", "streaming", "state"] {
        match rival(options, &folder, mode)? {
            None => {
                println!("LeRobot did not run: FOREARM_LEROBOT_PYTHON names no Python with it");
                break;
            }
            Some(Ok(told)) => rivals.push(told),
            Some(Err(why)) => println!("LeRobot, {mode}, did not run: {why:#}"),
        }
    }
    let state = rivals.iter().find(|told| told["mode"] == "state");
    report(options, &ours, &rivals, state)?;
    std::fs::remove_dir_all(&folder).context("the measurement can't be removed")?;
    ensure!(
        ours["accepted"] == ours["written"] && ours["dropped"] == 0,
        "frames were lost: {ours}"
    );
    Ok(())
}

/// LeRobot with the pictures that were just recorded; nothing where there is none.
fn rival(options: &Options, frames: &Path, mode: &str) -> Result<Option<Result<Value>>> {
    let Some(mut command) = python::lerobot() else {
        return Ok(None);
    };
    println!("LeRobot, {mode}");
    command
        .arg(root().join("tests/python/record_bench.py"))
        .arg("--frames")
        .arg(frames)
        .args(["--secs", &options.secs.to_string(), "--mode", mode])
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(codec) = &options.codec {
        command.args(["--codec", codec]);
    }
    let told = output_of(&mut command).and_then(|said| {
        let line = said.lines().last().context("it said nothing")?;
        serde_json::from_str(line).with_context(|| format!("it said: {said}"))
    });
    Ok(Some(told))
}

fn report(options: &Options, ours: &Value, rivals: &[Value], state: Option<&Value>) -> Result<()> {
    let ours_at = |place: &str| {
        let number = ours.pointer(place).and_then(Value::as_f64);
        number.with_context(|| format!("no number at {place} in {ours}"))
    };
    println!(
        "\n{} s, {} cameras of 640×480 at 30 frames a second",
        options.secs, options.cameras
    );
    let (alone, recording) = (ours_at("/alone/p99_ms")?, ours_at("/recording/p99_ms")?);
    println!(
        "Forearm, control at {:.0} Hz",
        ours_at("/recording/rate_hz")?
    );
    println!("  off its time, p99         {alone:9.3} ms alone, {recording:.3} ms recording");
    println!(
        "  frames                    {:9.0} accepted, {:.0} written, {:.0} dropped; {:.0} ticks lost",
        ours_at("/accepted")?,
        ours_at("/written")?,
        ours_at("/dropped")?,
        ours_at("/ticks_lost")?,
    );
    let (add_state, add) = (ours_at("/row_state/p99_ms")?, ours_at("/row/p99_ms")?);
    println!("  work for a row, p99       {add_state:9.3} ms without cameras, {add:.3} ms with");
    let saved = ours_at("/saved_secs")?;
    println!("  saved after the end in    {saved:9.3} s");
    for rival in rivals.iter().filter(|told| told["mode"] != "state") {
        let number = |name: &str| {
            let number = rival[name].as_f64();
            number.with_context(|| format!("no number `{name}` in {rival}"))
        };
        let who = rival["who"].as_str().unwrap_or("LeRobot");
        let mode = rival["mode"].as_str().unwrap_or_default();
        println!("{who}, {mode}, encoder: {}", rival["codec"]);
        println!(
            "  off its time, p99         {:9.3} ms alone, {:.3} ms recording ({:.0} times Forearm's)",
            number("jitter_alone_p99_ms")?,
            number("jitter_p99_ms")?,
            number("jitter_p99_ms")? / recording,
        );
        println!(
            "  frames                    {:9.0} accepted, {:.0} written",
            number("accepted")?,
            number("written")?
        );
        println!(
            "  add_frame, p99            {:9.3} ms ({:.1} times Forearm's row), longest {:.1} ms",
            number("add_p99_ms")?,
            number("add_p99_ms")? / add,
            number("add_max_ms")?,
        );
        println!(
            "  saved after the end in    {:9.3} s ({:.0} times Forearm's)",
            number("saved_secs")?,
            number("saved_secs")? / saved,
        );
    }
    if let Some(told) = state {
        let add = told["add_p99_ms"].as_f64().context("no `add_p99_ms`")?;
        println!(
            "LeRobot without cameras: add_frame, p99 {add:.3} ms ({:.1} times Forearm's row)",
            add / add_state
        );
    }
    Ok(())
}

/// What a program printed, as JSON.
fn whole_json(said: &str) -> Result<Value> {
    serde_json::from_str(said).with_context(|| format!("it said: {said}"))
}
