//! `cargo xtask test`: what has to pass before a change is good.
//!
//! Format, lints, build, every test, with a display of its own and what third parties talk to servos and
//! read datasets with, the Python package, then the browser: see [`e2e`]. With `CI=true` whatever can't run here is a failure; elsewhere it is said
//! plainly and the rest still runs.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::display::Display;
use crate::e2e;
use crate::python::{Kit, Python};
use crate::python_package;
use crate::stages::{self, Outcome, Stages, TEST_ALL, cargo, output_of, run_and_read};

/// How the program that makes the browser's files is tested: it is no part of the workspace's build.
const TEST_WEB_TOOL: [&str; 7] = [
    "test",
    "--package",
    "xtask",
    "--features",
    "web",
    "--release",
    "--locked",
];

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only run tests whose name contains this; no checks of format and lints, no browser.
    filter: Option<String>,
}

/// Runs everything.
///
/// # Errors
/// Names the stages that failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let filtered = options.filter.is_some();
    let mut stages = Stages::new(if filtered { 5 } else { 9 + e2e::STAGES });
    let mut display = None;
    stages.stage("display", || match Display::open() {
        Ok(opened) => {
            let note = opened.to_string();
            display = Some(opened);
            Ok(Outcome::Passed(note))
        }
        Err(error) if in_ci() => Err(error),
        Err(error) => Ok(Outcome::Skipped(format!(
            "{error:#}; tests of the window will not run"
        ))),
    });
    let mut pythons = Vec::new();
    for (name, kit, missed) in [
        (
            "servo SDK",
            Kit::Servos,
            "no third party will talk to the virtual servos",
        ),
        (
            "dataset reader",
            Kit::Datasets,
            "no third party will read the datasets",
        ),
    ] {
        stages.stage(name, || match Python::find_or_install(kit) {
            Ok(found) => {
                let note = found.to_string();
                pythons.push(found);
                Ok(Outcome::Passed(note))
            }
            Err(error) if in_ci() => Err(error),
            Err(error) => Ok(Outcome::Skipped(format!("{error:#}; {missed}"))),
        });
    }
    if !filtered {
        stages.stage("format", || {
            component("fmt", "rustfmt", || {
                stages::run(cargo().args(["fmt", "--all", "--check"]))
            })
        });
    }
    let built = stages.stage("build", || {
        let mut build = cargo();
        build.args(TEST_ALL).arg("--no-run");
        stages::run(&mut build)?;
        Ok(Outcome::Passed(String::new()))
    });
    if built && !filtered {
        stages.stage("lints", || {
            component("clippy", "clippy", || {
                run_lints(&TEST_ALL)?;
                run_lints(&TEST_WEB_TOOL)?;
                python_package::lints(lints())
            })
        });
    }
    if built {
        stages.stage("tests", || {
            let mut command = cargo();
            command.args(TEST_ALL).args(options.filter.as_deref());
            for python in &pythons {
                python.apply(&mut command);
            }
            tests(&mut command, display.as_ref())
        });
    }
    if !filtered {
        let reader = pythons.iter().find(|python| python.kit() == Kit::Datasets);
        python_package::add_stage(&mut stages, reader);
        stages.stage("web tool", || tests(cargo().args(TEST_WEB_TOOL), None));
        e2e::add_stages(&mut stages, &e2e::Options::default());
    }
    drop(display);
    stages.finish()
}

/// Whether this is an automatic run, where nothing may be left out.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Runs a stage that needs a component of the toolchain; adds the component where rustup can.
fn component(command: &str, name: &str, work: impl FnOnce() -> Result<()>) -> Result<Outcome> {
    if output_of(cargo().args([command, "--version"])).is_err() {
        let added =
            output_of(std::process::Command::new("rustup").args(["component", "add", name]));
        if let Err(error) = added {
            let what = format!("`cargo {command}` is missing and can't be added: {error:#}");
            return Ok(if in_ci() {
                Outcome::Failed(what)
            } else {
                Outcome::Skipped(what)
            });
        }
    }
    work()?;
    Ok(Outcome::Passed(String::new()))
}

/// Compiles the workspace's own crates with clippy in the compiler's place, warnings denied.
///
/// `cargo clippy` would first check all of Bevy, which shares nothing with a build: several minutes
/// when cold. This way dependencies are those of the build, and our crates are not optimised.
fn lints() -> Command {
    let mut command = cargo();
    let clippy = Path::new(command.get_program()).with_file_name("clippy-driver");
    command
        .env("RUSTC_WORKSPACE_WRAPPER", clippy)
        .env(
            "CLIPPY_ARGS",
            ["--deny", "warnings"].join("__CLIPPY_HACKERY__"),
        )
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    command
}

/// Lints what these tests are made of.
fn run_lints(tests: &[&str]) -> Result<()> {
    stages::run(lints().args(tests).arg("--no-run"))
}

/// Runs the tests and adds up what every test program reports.
fn tests(command: &mut Command, display: Option<&Display>) -> Result<Outcome> {
    command.arg("--no-fail-fast");
    match display {
        Some(display) => display.apply(command),
        // The person's own screen is not for tests.
        None => {
            for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
                command.env_remove(name);
            }
        }
    }
    let mut total = Totals::default();
    let passed = run_and_read(command, |line| total.add(line))?;
    let note = format!(
        "{} passed, {} failed, {} ignored",
        total.passed, total.failed, total.ignored
    );
    Ok(match passed {
        false => Outcome::Failed(note),
        true if total.passed == 0 => Outcome::Failed(format!("no test ran ({note})")),
        true => Outcome::Passed(note),
    })
}

/// Sums over the `test result:` lines of all test programs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Totals {
    fn add(&mut self, line: &str) {
        let Some(counts) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        for part in counts.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u32>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn results_are_added_up() {
        let mut totals = Totals::default();
        totals.add("running 4 tests");
        totals.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
             finished in 0.02s",
        );
        totals.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured");
        assert_eq!(
            totals,
            Totals {
                passed: 5,
                failed: 1,
                ignored: 1
            }
        );
    }
}
