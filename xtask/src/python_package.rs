//! The Python package `forearm`: its wheel, as users build it, installed in a folder of its own, and its
//! tests.
//!
//! `maturin`, Gymnasium and what else the tests need are kept beside the build's results (see
//! [`crate::python`]). What would take gigabytes (`torch`, Stable-Baselines3, Ray) is not: those tests
//! run where a person's Python has it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::python::{Kit, Python};
use crate::stages::{self, Outcome, Stages, build_folder, root, run, run_and_read};
use crate::test::in_ci;

/// How cargo builds the native half by itself.
const BUILD: [&str; 7] = [
    "build",
    "--package",
    "forearm_python",
    "--features",
    "extension",
    "--release",
    "--locked",
];

/// Where the package's sources are, in the repository.
const SOURCES: &str = "plugins/python";

/// Options of `cargo xtask python`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

/// Builds and tests the package alone.
///
/// # Errors
/// Names what failed.
pub(crate) fn run_alone(_options: &Options) -> Result<()> {
    let mut stages = Stages::new(2);
    let mut reader = None;
    stages.stage("dataset reader", || {
        let found = Python::find_or_install(Kit::Datasets)?;
        let note = found.to_string();
        reader = Some(found);
        Ok(Outcome::Passed(note))
    });
    add_stage(&mut stages, reader.as_ref());
    stages.finish()
}

/// Builds, installs and tests the package. `reader` has what reads datasets.
pub(crate) fn add_stage(stages: &mut Stages, reader: Option<&Python>) {
    stages.stage("python package", || {
        match Python::find_or_install(Kit::Package) {
            Ok(kit) => test(&kit, reader),
            Err(error) if in_ci() => Err(error),
            Err(error) => Ok(Outcome::Skipped(format!("{error:#}"))),
        }
    });
}

/// A Python that has the package.
#[derive(Debug)]
pub(crate) struct Installed {
    site: PathBuf,
}

/// Builds the wheel and installs it; `kit` has what that takes.
///
/// # Errors
/// What `maturin`, cargo or pip says.
pub(crate) fn install(kit: &Python) -> Result<Installed> {
    let folder = build_folder().join("python-package");
    let wheels = folder.join("wheels");
    // Of a wheel that can't be built no older one takes the place.
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels)
            .with_context(|| format!("{} can't be removed", wheels.display()))?;
    }
    let manifest = root().join(SOURCES).join("Cargo.toml");
    run(Command::new(kit.packages().join("bin").join("maturin"))
        .args(["build", "--release", "--locked", "--quiet"])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--interpreter")
        .arg(kit.program())
        .arg("--out")
        .arg(&wheels)
        .env("CARGO_TARGET_DIR", build_folder()))?;
    let wheel = only_wheel(&wheels)?;
    let site = folder.join("site");
    if site.exists() {
        std::fs::remove_dir_all(&site)
            .with_context(|| format!("{} can't be removed", site.display()))?;
    }
    run(Command::new(kit.program())
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index"])
        .arg("--disable-pip-version-check")
        .arg("--target")
        .arg(&site)
        .arg(wheel))?;
    Ok(Installed { site })
}

impl Installed {
    /// A command of a Python that can import the package.
    ///
    /// # Errors
    /// A folder whose name Python can't be told.
    pub(crate) fn python(&self, kit: &Python) -> Result<Command> {
        let mut python = Command::new(kit.program());
        python
            .env("PYTHONPATH", self.path(&[kit])?)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(python)
    }

    /// Where the package is, and what these kits have.
    fn path(&self, kits: &[&Python]) -> Result<OsString> {
        let kits = kits.iter().map(|kit| kit.packages());
        std::env::join_paths(std::iter::once(self.site.as_path()).chain(kits))
            .context("a folder's name can't be in PYTHONPATH")
    }
}

fn test(kit: &Python, reader: Option<&Python>) -> Result<Outcome> {
    let installed = install(kit)?;
    let mut pytest = installed.python(kit)?;
    let cache = build_folder().join("python-package").join("cache");
    pytest
        .args(["-m", "pytest", "--quiet", "-rs"])
        .arg("-o")
        .arg(format!("cache_dir={}", cache.join("pytest").display()))
        .env("MYPY_CACHE_DIR", cache.join("mypy"))
        .current_dir(root().join(SOURCES));
    if let Some(reader) = reader {
        reader.apply(&mut pytest);
        pytest.env("PYTHONPATH", installed.path(&[kit, reader])?);
    }
    let mut summary = String::new();
    let passed = run_and_read(&mut pytest, |line| {
        if line.contains(" passed") || line.contains(" failed") || line.contains(" error") {
            summary = line.trim_matches(['=', ' ']).to_owned();
        }
    })?;
    Ok(match passed {
        true if summary.contains(" passed") => Outcome::Passed(summary),
        true => Outcome::Failed(format!("no test ran ({summary})")),
        false => Outcome::Failed(summary),
    })
}

/// The wheel that was just made.
fn only_wheel(folder: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder).context("maturin made no wheel")?;
    let mut wheels = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|is| is == "whl") {
            wheels.push(path);
        }
    }
    match wheels.as_slice() {
        [wheel] => Ok(wheel.clone()),
        _ => bail!(
            "{} has {} wheels; expected one",
            folder.display(),
            wheels.len()
        ),
    }
}

/// Compiles the native half with clippy, warnings denied; see [`crate::test`].
///
/// # Errors
/// What clippy finds.
pub(crate) fn lints(mut command: Command) -> Result<()> {
    stages::run(command.args(BUILD))
}
