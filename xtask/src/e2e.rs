//! `cargo xtask e2e`: the app in a real browser that nobody looks at, drawn in software.
//!
//! Makes the site, links the runtime's own suite, starts Chromium and runs `web/e2e`. Where there is
//! no browser it says so and ends well; with `CI=true` that is a failure.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::browser::Driver;
use crate::stages::{self, Outcome, Stages, output_of, run_and_read};
use crate::test::in_ci;
use crate::web::{self, Profile, build_examples};

/// What is built for pages without the app: the runtime's suite, the control service alone, virtual
/// arms, cameras alone, recording, environments.
pub(crate) const EXAMPLES: [&str; 6] = [
    "suite",
    "web_bench",
    "virtual_bus_web",
    "vision_web",
    "record_web",
    "env_web",
];

/// Options of `cargo xtask e2e`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Only run tests whose name contains this.
    filter: Option<String>,
    /// Test this site, as `cargo xtask web` left it, instead of making one.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Only make the page of this example, neither the app nor its site. The filter has to leave out
    /// tests of anything else.
    #[arg(
        long,
        value_name = "EXAMPLE",
        requires = "filter",
        conflicts_with = "site"
    )]
    #[arg(value_parser = EXAMPLES)]
    page: Option<String>,
}

/// How many stages [`add_stages`] adds.
pub(crate) const STAGES: usize = 5;

/// Runs everything.
///
/// # Errors
/// Names the stages that failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut stages = Stages::new(STAGES);
    add_stages(&mut stages, options);
    stages.finish()
}

/// The stages that lead to the tests, and the tests.
pub(crate) fn add_stages(stages: &mut Stages, options: &Options) {
    let mut driver = None;
    stages.stage("browser", || match Driver::find_or_install() {
        Ok(found) => {
            let versions = found.versions()?;
            driver = Some(found);
            Ok(Outcome::Passed(versions))
        }
        Err(error) if in_ci() => Err(error),
        Err(error) => Ok(Outcome::Skipped(format!(
            "{error:#}; nothing was tested in a browser"
        ))),
    });
    let Some(driver) = driver else { return };
    let mut things = json!({ "filter": options.filter });
    let ready = stages.stage("native program", || {
        // The same runs have to end the same way there and here.
        things["env_digest"] = json!(env_digest()?);
        if options.page.is_some() {
            return Ok(Outcome::Passed(
                "only what a page is compared with".to_owned(),
            ));
        }
        things["app"] = json!(stages::build_app()?);
        Ok(Outcome::Passed(String::new()))
    }) && stages.stage("site", || {
        if options.page.is_some() {
            return Ok(Outcome::Skipped("one page is enough".to_owned()));
        }
        things["site"] = json!(site(options)?);
        Ok(Outcome::Passed(String::new()))
    }) && stages.stage("examples", || examples(options, &mut things));
    if ready {
        stages.stage("browser tests", || tests(&driver, things));
    }
}

/// What short episodes come to natively.
fn env_digest() -> Result<String> {
    let digest = output_of(
        Command::new("cargo")
            .args(["run", "--quiet", "--release", "--package", "forearm_sim"])
            .args(["--no-default-features", "--example", "env_web"]),
    )?;
    Ok(digest.trim().to_owned())
}

fn site(options: &Options) -> Result<PathBuf> {
    match &options.site {
        None => Ok(web::build(Profile::Release, None)?.folder),
        Some(folder) => {
            let folder = std::path::absolute(folder)?;
            if !folder.join("index.html").is_file() {
                bail!(
                    "{} holds no site; `cargo xtask web` makes one",
                    folder.display()
                );
            }
            Ok(folder)
        }
    }
}

fn examples(options: &Options, things: &mut Value) -> Result<Outcome> {
    let names = match &options.page {
        Some(page) => vec![page.as_str()],
        None => EXAMPLES.to_vec(),
    };
    let folder = build_examples(&names)?;
    for name in names {
        things[name] = json!(folder.join(name));
    }
    Ok(Outcome::Passed(String::new()))
}

fn tests(driver: &Driver, things: Value) -> Result<Outcome> {
    let mut totals = Totals::default();
    let passed = run_and_read(&mut driver.script("main.js", things), |line| {
        totals.read(line);
    })
    .context("can't run the tests")?;
    let note = format!(
        "{} passed, {} failed, {} left out",
        totals.passed, totals.failed, totals.skipped
    );
    Ok(match passed {
        false => Outcome::Failed(note),
        true if totals.skipped > 0 && in_ci() => Outcome::Failed(note),
        true if totals.passed == 0 => Outcome::Failed(format!("no test ran ({note})")),
        true => Outcome::Passed(note),
    })
}

/// What Node's summary says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u32,
    failed: u32,
    /// Left out: in an automatic run nothing may be.
    skipped: u32,
}

impl Totals {
    /// Takes note of `ℹ pass 12` and its kin; older versions write `# pass 12`.
    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if !matches!(words.next(), Some("ℹ" | "#")) {
            return;
        }
        let (Some(what), Some(count), None) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let Ok(count) = count.parse() else {
            return;
        };
        match what {
            "pass" => self.passed = count,
            "fail" | "cancelled" => self.failed += count,
            "skipped" | "todo" => self.skipped += count,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Totals;

    #[test]
    fn nodes_summary_is_understood() {
        let mut totals = Totals::default();
        for line in [
            "✔ start: a test that can pass 3 ways (12.5ms)",
            "ℹ tests 14",
            "ℹ pass 11",
            "ℹ fail 2",
            "ℹ cancelled 1",
            "ℹ skipped 2",
            "ℹ duration_ms 5231.2",
            "ℹ pass the salt",
        ] {
            totals.read(line);
        }
        let expected = Totals {
            passed: 11,
            failed: 3,
            skipped: 2,
        };
        assert_eq!(totals, expected);
    }
}
