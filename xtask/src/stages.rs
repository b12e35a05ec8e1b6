//! Stages of a command: each is announced, timed and listed again in the summary.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// How cargo tests the whole workspace. Parts of it with other features would compile Bevy again.
pub(crate) const TEST_ALL: [&str; 4] = ["test", "--workspace", "--release", "--locked"];

/// The stages of one run.
#[derive(Debug)]
pub(crate) struct Stages {
    total: usize,
    started: Instant,
    done: Vec<Done>,
}

#[derive(Debug)]
struct Done {
    name: String,
    secs: f64,
    outcome: Outcome,
}

/// How a stage ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Well; the text says what was found, and may be empty.
    Passed(String),
    /// It could not run here, and why.
    Skipped(String),
    /// Badly, and why.
    Failed(String),
}

impl Stages {
    /// A run of `total` stages that starts now.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            started: Instant::now(),
            done: Vec::new(),
        }
    }

    /// Runs one stage; answers whether others that build on it can run. An error counts as failure.
    pub(crate) fn stage(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome>) -> bool {
        println!("\n[{}/{}] {name}", self.done.len() + 1, self.total);
        let started = Instant::now();
        let outcome = work().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let secs = started.elapsed().as_secs_f64();
        println!(
            "[{}/{}] {name}: {outcome} ({secs:.1} s)",
            self.done.len() + 1,
            self.total
        );
        let good = !matches!(outcome, Outcome::Failed(_));
        self.done.push(Done {
            name: name.to_owned(),
            secs,
            outcome,
        });
        good
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// Names the stages that failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!(
            "\nSummary ({:.1} s in all)",
            self.started.elapsed().as_secs_f64()
        );
        for done in &self.done {
            println!("  {:<16} {:>7.1} s  {}", done.name, done.secs, done.outcome);
        }
        let failed: Vec<_> = self
            .done
            .iter()
            .filter(|done| matches!(done.outcome, Outcome::Failed(_)))
            .map(|done| done.name.as_str())
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        bail!("failed: {}", failed.join(", "))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed(note) if note.is_empty() => write!(out, "ok"),
            Self::Passed(note) => write!(out, "ok, {note}"),
            Self::Skipped(why) => write!(out, "did not run: {why}"),
            Self::Failed(why) => write!(out, "FAILED: {why}"),
        }
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where results of builds lie.
pub(crate) fn build_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || root().join("target"),
        |folder| std::path::absolute(&folder).unwrap_or_else(|_| folder.into()),
    )
}

/// A `cargo` command in the repository's root, of the toolchain that built this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Builds the app and tells where its program is.
///
/// # Errors
/// If it does not build.
pub(crate) fn build_app() -> Result<PathBuf> {
    run(cargo().args(["build", "--workspace", "--release", "--locked"]))?;
    // This program lies beside the app: both are built by the same profile.
    let folder = std::env::current_exe().context("where is this program?")?;
    let app = folder.with_file_name(format!("forearm{}", std::env::consts::EXE_SUFFIX));
    if !app.is_file() {
        bail!(
            "the build did not leave `forearm` beside {}",
            folder.display()
        );
    }
    Ok(app)
}

/// Runs a command, its output passed through.
///
/// # Errors
/// If it can't be started or ends with another exit code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("can't start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command, its standard output passed through line by line and also given to `each_line`.
/// Answers whether it ended with exit code 0.
///
/// # Errors
/// If it can't be started or read.
pub(crate) fn run_and_read(command: &mut Command, mut each_line: impl FnMut(&str)) -> Result<bool> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", shown(command)))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.with_context(|| format!("can't read from {}", shown(command)))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            each_line(&line);
        }
    }
    Ok(child.wait()?.success())
}

/// Runs a command silently and answers its standard output.
///
/// # Errors
/// If it can't be started or ends with another exit code than 0; with its standard error.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start {}", shown(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{} ended with {}: {}",
            shown(command),
            output.status,
            stderr.trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words: Vec<_> = std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    format!("`{}`", words.join(" "))
}
