//! `cargo xtask validate-sim`: the simulation beside MuJoCo's, on the same models and targets.
//!
//! An example program of `forearm_sim` simulates every scenario and prints what came of it; a Python
//! script lets MuJoCo do the same, compares, and ends badly when an aim is missed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::stages::{build_folder, cargo, output_of, root, run as run_command};

/// Names a Python that has MuJoCo.
const VARIABLE: &str = "FOREARM_MUJOCO_PYTHON";

/// Options of `cargo xtask validate-sim`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A Python that can import `mujoco`. Without this option: what `FOREARM_MUJOCO_PYTHON` names,
    /// else `python3`.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Only scenarios whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// Builds, simulates, compares.
///
/// # Errors
/// Names what is missing, or says that an aim was missed; the table above it says which.
pub(crate) fn run(options: &Options) -> Result<()> {
    let python = python_with_mujoco(options.python.clone())?;
    run_command(cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "forearm_sim",
        "--no-default-features",
        "--example",
        "validate",
    ]))?;
    let name = format!("validate{}", std::env::consts::EXE_SUFFIX);
    let example = build_folder().join("release/examples").join(name);
    let mut simulation = Command::new(&example)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", example.display()))?;
    let lines = simulation
        .stdout
        .take()
        .context("the simulation has no output")?;
    let mut comparison = Command::new(&python);
    comparison
        .arg(root().join("xtask/mujoco_validate.py"))
        .stdin(lines);
    if let Some(only) = &options.only {
        comparison.args(["--only", only]);
    }
    let compared = comparison
        .status()
        .with_context(|| format!("can't start {}", python.display()))?;
    let simulated = simulation.wait()?;
    if !compared.success() {
        bail!("an aim was missed, or the comparison broke off; see above");
    }
    if !simulated.success() {
        bail!("the simulation ended with {simulated}");
    }
    Ok(())
}

/// The Python that was asked for, or the first that is there, if it has MuJoCo.
pub(crate) fn python_with_mujoco(asked: Option<PathBuf>) -> Result<PathBuf> {
    let named = asked.or_else(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let import = ["-c", "import mujoco; print(mujoco.__version__)"];
    output_of(Command::new(&python).args(import)).with_context(|| {
        format!(
            "{} can't import mujoco; try `python3 -m venv mujoco && mujoco/bin/pip install mujoco` \
             and `--python mujoco/bin/python` (or name it in {VARIABLE})",
            python.display()
        )
    })?;
    Ok(python)
}
