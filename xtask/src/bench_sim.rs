//! `cargo xtask bench sim`: the time of a simulation step, beside MuJoCo's on the same model.
//!
//! Both programs run in turn, several rounds, so that a machine that slows down slows down both;
//! medians of what they report (each the fastest of five measurements) are compared. MuJoCo takes part when Python can import its package.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::stages::{build_app, build_folder, cargo, output_of, root};

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
const CASES: [&str; 2] = ["arm", "arm-floor-cube"];

/// Microseconds a step of each round, by case.
type Rounds = BTreeMap<String, Vec<f64>>;

/// Measures and prints.
///
/// # Errors
/// If a program fails, or MuJoCo was asked for and can't be imported.
pub(crate) fn run(options: &Options) -> Result<()> {
    let app = build_app()?;
    let rival = rival(options.vs)?;
    let mut scenes = BTreeMap::new();
    if rival {
        for case in CASES {
            scenes.insert(case, mjcf(case)?);
        }
    }
    let (mut ours, mut theirs) = (Rounds::new(), Rounds::new());
    let mut latest = Value::Null;
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        // Who goes first changes every round.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                latest = json(&mut forearm(&app, options.steps))?;
                for (case, micros) in cases(&latest)? {
                    ours.entry(case).or_default().push(micros);
                }
            } else {
                for (case, scene) in &scenes {
                    let micros = micros(&json(&mut mujoco(scene, options.steps)?)?)?;
                    theirs.entry((*case).to_owned()).or_default().push(micros);
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
            "  {:<16} {}",
            case["name"].as_str().unwrap_or_default(),
            breakdown(case)
        );
    }
    Ok(())
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

fn forearm(app: &Path, steps: u32) -> Command {
    let mut command = Command::new(app);
    command.args(["bench", "sim", "--json", "--steps", &steps.to_string()]);
    command
}

/// MuJoCo on the scene in this file.
fn mujoco(scene: &Path, steps: u32) -> Result<Command> {
    let text = File::open(scene).with_context(|| format!("can't read {}", scene.display()))?;
    let mut command = Command::new("python3");
    command
        .arg(root().join("xtask/mujoco_bench.py"))
        .args(["--steps", &steps.to_string()])
        .stdin(text);
    Ok(command)
}

/// Writes a case's scene as MJCF beside the build's results: MuJoCo gets the very same model.
fn mjcf(case: &str) -> Result<PathBuf> {
    let text = output_of(cargo().args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "forearm_sim",
        "--no-default-features",
        "--example",
        "bench_mjcf",
        case,
    ]))?;
    let file = build_folder().join(format!("bench-{case}.xml"));
    std::fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
    Ok(file)
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
    let mut line = format!("  {case:<16} Forearm {}", spread(ours));
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
