//! `cargo xtask bench sim`: the time of a simulation step, beside MuJoCo's on the same model, natively
//! and in a browser.
//!
//! Both programs run in turn, several rounds, so that a machine that slows down slows down both;
//! medians of what they report (each the fastest of five measurements) are compared. MuJoCo takes
//! part when Python can import its package, and in the browser with its npm package.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::browser::{Driver, install_package};
use crate::stages::{self, build_folder, cargo, output_of, root};
use crate::web::build_examples;

/// The version of MuJoCo's npm package.
const MUJOCO: &str = "3.14.0";

/// Options of `cargo xtask bench sim`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to compare with. Without this option: MuJoCo if it can be imported.
    #[arg(long, value_enum)]
    vs: Option<Versus>,
    /// Rounds; the median of all is reported.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Steps a round and case.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Leave the browser out.
    #[arg(long)]
    native: bool,
}

/// What Forearm is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Versus {
    /// MuJoCo, which must be importable.
    Mujoco,
    /// Nothing.
    None,
}

/// What both programs measure.
const CASES: [&str; 3] = ["arm", "arm-floor-cube", "arm-floor-cube-awake"];

/// Microseconds a step of each round, by case.
type Rounds = BTreeMap<String, Vec<f64>>;

/// Measures and prints.
///
/// # Errors
/// If a program fails, or MuJoCo was asked for and can't be imported.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = build()?;
    let rival = rival(options.vs)?;
    let models = models(&program)?;
    let (mut ours, mut theirs) = (Rounds::new(), Rounds::new());
    let mut latest = Value::Null;
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        // Who goes first changes every round.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                latest = json(&mut forearm(&program, &[options.steps]))?;
                for (case, micros) in cases(&latest)? {
                    ours.entry(case).or_default().push(micros);
                }
            } else if rival {
                for (case, model) in CASES.into_iter().zip(&models) {
                    let micros = micros(&json(&mut mujoco(model, options.steps))?)?;
                    theirs.entry(case.to_owned()).or_default().push(micros);
                }
            }
        }
    }
    println!(
        "\nµs per step, median of {} rounds (lowest to highest)",
        options.rounds
    );
    for (case, ours) in &mut ours {
        println!("{}", row(case, ours, theirs.get_mut(case)));
    }
    println!(
        "\nwhere Forearm's time goes, µs per step (last round, measured with more clock reads)"
    );
    for case in latest["cases"].as_array().into_iter().flatten() {
        println!(
            "  {:<22} {}",
            case["name"].as_str().unwrap_or_default(),
            breakdown(case)
        );
    }
    println!("\nworlds at once, a thread each, arm-floor-cube");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, u32::try_from(cores).unwrap_or(1)] {
        let answer = json(&mut forearm(&program, &[options.steps, threads]))?;
        let rate = answer["steps_per_sec"].as_f64().unwrap_or_default();
        println!("  {threads:>3} threads {rate:>12.0} steps a second");
    }
    if options.native {
        return Ok(());
    }
    in_browser(options)
}

/// The same in Chromium: both modules are called step by step by JavaScript, each in a worker.
fn in_browser(options: &Options) -> Result<()> {
    let driver = Driver::find_or_install()?;
    println!("\n{}", driver.versions()?);
    let mujoco = match options.vs {
        Some(Versus::None) => None,
        _ => match install_package("@mujoco/mujoco", MUJOCO) {
            Ok(folder) => Some(folder),
            Err(error) if options.vs.is_none() => {
                println!("MuJoCo takes no part: {error:#}");
                None
            }
            Err(error) => return Err(error),
        },
    };
    let things = json!({
        "sim_bench": build_examples(&["sim_bench"])?.join("sim_bench"),
        "mujoco": mujoco,
        "mujoco_version": MUJOCO,
        "steps": options.steps,
        "rounds": options.rounds,
    });
    stages::run(&mut driver.script("sim.js", things)).context("can't measure")
}

/// Builds the program that is measured: the simulation without the app.
fn build() -> Result<PathBuf> {
    stages::run(
        cargo()
            .args(["build", "--quiet", "--release", "--locked"])
            .args(["--package", "forearm_sim", "--no-default-features"])
            .args(["--example", "sim_bench"]),
    )?;
    let name = format!("sim_bench{}", std::env::consts::EXE_SUFFIX);
    Ok(build_folder().join("release/examples").join(name))
}

/// Files with the cases' scenes for MuJoCo.
fn models(program: &Path) -> Result<Vec<PathBuf>> {
    let folder = build_folder().join("bench-sim");
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let write = |case: &str| {
        let text = output_of(Command::new(program).args(["mjcf", case]))?;
        let file = folder.join(format!("{case}.xml"));
        fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
        Ok(file)
    };
    CASES.into_iter().map(write).collect()
}

/// Whether MuJoCo takes part. Says so plainly if it does not.
fn rival(wanted: Option<Versus>) -> Result<bool> {
    if wanted == Some(Versus::None) {
        return Ok(false);
    }
    match output_of(
        Command::new("python3").args(["-c", "import mujoco; print(mujoco.__version__)"]),
    ) {
        Ok(version) => println!("beside MuJoCo {}", version.trim()),
        Err(error) if wanted.is_some() => {
            return Err(error.context("MuJoCo can't be imported; try `pip install mujoco`"));
        }
        Err(_) => {
            println!("MuJoCo can't be imported by python3: Forearm is measured alone");
            return Ok(false);
        }
    }
    Ok(true)
}

fn forearm(program: &Path, numbers: &[u32]) -> Command {
    let mut command = Command::new(program);
    command.args(numbers.iter().map(u32::to_string));
    command
}

fn mujoco(model: &Path, steps: u32) -> Command {
    let mut command = Command::new("python3");
    command
        .arg(root().join("xtask/mujoco_bench.py"))
        .arg("--model")
        .arg(model)
        .args(["--steps", &steps.to_string()]);
    command
}

/// What a program prints, as JSON.
fn json(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&output_of(command)?).context("the answer is not JSON")
}

/// The cases in `{"cases": [{"name": …, "us_per_step": …}, …]}`.
fn cases(answer: &Value) -> Result<Vec<(String, f64)>> {
    let Some(cases) = answer.get("cases").and_then(Value::as_array) else {
        bail!("the answer has no `cases`: {answer}");
    };
    cases
        .iter()
        .map(|case| match case.get("name").and_then(Value::as_str) {
            Some(name) => Ok((name.to_owned(), micros(case)?)),
            None => bail!("a case has no `name`: {case}"),
        })
        .collect()
}

fn micros(case: &Value) -> Result<f64> {
    let number = case.get("us_per_step").and_then(Value::as_f64);
    number.with_context(|| format!("the answer has no number `us_per_step`: {case}"))
}

/// The phases of a step, for instance `collision 0.43, dynamics 0.70`.
fn breakdown(case: &Value) -> String {
    let phases = case["breakdown_us"].as_object().into_iter().flatten();
    let phases: Vec<_> = phases
        .filter_map(|(phase, micros)| Some(format!("{phase} {:.2}", micros.as_f64()?)))
        .collect();
    phases.join(", ")
}

/// One line of the table.
fn row(case: &str, ours: &mut [f64], theirs: Option<&mut Vec<f64>>) -> String {
    let mut line = format!("  {case:<22} Forearm {}", spread(ours));
    if let Some(theirs) = theirs {
        let ratio = median(ours) / median(theirs);
        line += &format!("   MuJoCo {}   ratio {ratio:.2}", spread(theirs));
    }
    line
}

fn spread(rounds: &mut [f64]) -> String {
    let middle = median(rounds);
    let (lowest, highest) = (rounds[0], rounds[rounds.len() - 1]);
    format!("{middle:>7.2} ({lowest:.2} to {highest:.2})")
}

/// The median; sorts the rounds. There is at least one.
fn median(rounds: &mut [f64]) -> f64 {
    rounds.sort_by(f64::total_cmp);
    let middle = rounds.len() / 2;
    match rounds.len() % 2 {
        1 => rounds[middle],
        _ => f64::midpoint(rounds[middle - 1], rounds[middle]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{breakdown, cases, row};

    #[test]
    fn medians_and_their_ratio_are_shown() {
        let line = row("arm", &mut [9.0, 3.0, 6.0], Some(&mut vec![3.0, 5.0]));
        assert_eq!(line.split_whitespace().last(), Some("1.50"), "{line}");
        assert!(line.contains("6.00 (3.00 to 9.00)"), "{line}");
        assert!(line.contains("4.00 (3.00 to 5.00)"), "{line}");
        assert!(!row("arm", &mut [1.0], None).contains("MuJoCo"));
        let case = json!({"breakdown_us": {"collision": 0.434, "dynamics": 0.7}});
        assert_eq!(breakdown(&case), "collision 0.43, dynamics 0.70");
    }

    #[test]
    fn an_answer_without_numbers_is_refused() {
        let good = json!({"cases": [{"name": "arm", "us_per_step": 6.5}]});
        assert_eq!(cases(&good).expect("good"), [("arm".to_owned(), 6.5)]);
        for bad in [json!({}), json!([]), json!({"cases": [{"name": "arm"}]})] {
            assert!(cases(&bad).is_err(), "{bad}");
        }
    }
}
