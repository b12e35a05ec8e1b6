//! `cargo xtask bench env`: environment steps a second, beside a Gymnasium environment on MuJoCo that
//! does the same task on the same model; from Rust and from the Python package.
//!
//! Both programs run in turn, several rounds, so that a machine that slows down slows down both;
//! medians are compared. MuJoCo takes part with the Python that `FOREARM_MUJOCO_PYTHON` names, else
//! with `python3`, if that has the packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::browser::Driver;
use crate::python::{Kit, Python};
use crate::python_package::{self, Installed};
use crate::stages::{self, build_folder, cargo, output_of, root};
use crate::web::build_examples;

/// Names a Python that has MuJoCo and Gymnasium.
const PYTHON: &str = "FOREARM_MUJOCO_PYTHON";
/// The tasks that the rival has, too.
const RIVALS: [&str; 2] = ["reach", "pick-place"];
/// What is measured of each of Forearm's tasks, and what it is called.
const KINDS: [(&str, &str); 3] = [
    ("single", "one environment"),
    ("batch", "a batch, one core"),
    ("batch_all", "a batch, all cores"),
];

/// The same of the Python package, by its own bench.
const FROM_PYTHON: [(&str, &str); 3] = [
    ("single", "Python, one environment"),
    ("batched_one_thread", "Python, batch, one core"),
    ("batched", "Python, batch, all cores"),
];
/// How long the package's bench measures each, seconds.
const PYTHON_SECS: &str = "0.5";

/// Options of `cargo xtask bench env`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to compare with. Without this option: MuJoCo if it can be imported.
    #[arg(long, value_enum)]
    vs: Option<Versus>,
    /// Rounds; the median of all is reported.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Steps a round and kind.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Leave the Python package out.
    #[arg(long)]
    no_python: bool,
    /// Also in a browser tab, where the environment service has a worker.
    #[arg(long)]
    web: bool,
}

/// What Forearm is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Versus {
    /// MuJoCo with Gymnasium, which must be importable.
    Mujoco,
    /// Nothing.
    None,
}

/// Numbers of all rounds by task and what they are.
type Rounds = BTreeMap<(String, String), Vec<f64>>;

/// Measures and prints.
///
/// # Errors
/// If a program fails, or MuJoCo was asked for and can't be imported.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = build()?;
    let python = rival(options.vs)?;
    let package = package(options.no_python);
    let models = models(&program)?;
    let mut rounds = Rounds::new();
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        // Who goes first changes every round.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                let mut forearm = Command::new(&program);
                forearm.arg(options.steps.to_string());
                take_ours(&mut rounds, &json(&mut forearm)?)?;
                if let Some((kit, installed)) = &package {
                    let mut bench = installed.python(kit)?;
                    bench.args(["-m", "forearm.bench", "--json", "--rounds", "1"]);
                    bench.args(["--secs", PYTHON_SECS]);
                    take_packages(&mut rounds, &json(&mut bench)?)?;
                }
            } else if let Some(python) = &python {
                for (task, model) in RIVALS.into_iter().zip(&models) {
                    let answer = json(&mut mujoco(python, task, model, options.steps))?;
                    for name in ["steps_per_sec", "reset_us"] {
                        take(&mut rounds, task, &format!("mujoco {name}"), &answer[name])?;
                    }
                }
            }
        }
    }
    for model in models {
        std::fs::remove_file(&model)
            .with_context(|| format!("can't remove {}", model.display()))?;
    }
    print!("{}", table(&mut rounds));
    if options.web {
        in_a_browser(options)?;
    }
    Ok(())
}

/// Builds the example that measures.
fn build() -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--package", "forearm_sim"]);
    build.args(["--no-default-features", "--example", "env_bench"]);
    stages::run(&mut build)?;
    let name = format!("env_bench{}", std::env::consts::EXE_SUFFIX);
    Ok(build_folder().join("release").join("examples").join(name))
}

/// The Python that takes part, if any. Says so plainly if none does.
fn rival(wanted: Option<Versus>) -> Result<Option<PathBuf>> {
    if wanted == Some(Versus::None) {
        return Ok(None);
    }
    let python = std::env::var_os(PYTHON).map_or_else(|| "python3".into(), PathBuf::from);
    let import = "import mujoco, gymnasium; print(mujoco.__version__, gymnasium.__version__)";
    match output_of(Command::new(&python).args(["-c", import])) {
        Ok(versions) => {
            println!("beside MuJoCo and Gymnasium {}", versions.trim());
            Ok(Some(python))
        }
        Err(error) if wanted.is_some() => Err(error.context(format!(
            "MuJoCo and Gymnasium can't be imported; try `pip install mujoco gymnasium`, or name a \
             Python that has them in {PYTHON}"
        ))),
        Err(_) => {
            println!(
                "MuJoCo and Gymnasium can't be imported by {}: Forearm is measured alone",
                python.display()
            );
            Ok(None)
        }
    }
}

/// A Python with Forearm's package, if it can be built. Says so plainly if not.
fn package(left_out: bool) -> Option<(Python, Installed)> {
    if left_out {
        return None;
    }
    let kit = Python::find_or_install(Kit::Package);
    let installed = kit.and_then(|kit| {
        let installed = python_package::install(&kit)?;
        Ok((kit, installed))
    });
    match installed {
        Ok(installed) => Some(installed),
        Err(error) => {
            println!("the Python package can't be measured: {error:#}");
            None
        }
    }
}

/// Writes the rival's scenes; their files.
fn models(program: &Path) -> Result<Vec<PathBuf>> {
    let write = |task: &&str| {
        let text = output_of(Command::new(program).args(["mjcf", task]))?;
        let name = format!("forearm-bench-{}-{task}.xml", std::process::id());
        let file = std::env::temp_dir().join(name);
        std::fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
        Ok(file)
    };
    RIVALS.iter().map(write).collect()
}

fn mujoco(python: &Path, task: &str, model: &Path, steps: u32) -> Command {
    let mut command = Command::new(python);
    // A quarter of the steps: it takes its time.
    let steps = (steps / 4).max(1).to_string();
    command.arg(root().join("xtask/mujoco_env.py"));
    command.args(["--task", task, "--steps", &steps, "--model"]);
    command.arg(model);
    command
}

/// Measures in a browser tab's worker, and prints: a request a step, many steps a request, many worlds.
fn in_a_browser(options: &Options) -> Result<()> {
    let driver = Driver::find_or_install()?;
    println!("\n{}", driver.versions()?);
    let page = build_examples(&["env_web"])?.join("env_web");
    let things = serde_json::json!({ "env_web": page, "rounds": options.rounds });
    stages::run(&mut driver.script("env.js", things)).context("can't measure in a browser")
}

/// What a program prints, as JSON.
fn json(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&output_of(command)?).context("the answer is not JSON")
}

/// Takes the numbers of `{"tasks": [{"name": …, "single": …, …}, …]}`.
fn take_ours(rounds: &mut Rounds, answer: &Value) -> Result<()> {
    let Some(tasks) = answer["tasks"].as_array() else {
        bail!("the answer has no `tasks`: {answer}");
    };
    for task in tasks {
        let name = task["name"].as_str().context("a task has no `name`")?;
        let kinds = KINDS.map(|(kind, _)| kind);
        for kind in kinds.into_iter().chain(["reset_us", "restore_us"]) {
            take(rounds, name, kind, &task[kind])?;
        }
    }
    Ok(())
}

/// Takes the numbers of `{"steps_per_sec": {"reach": {"single": …, …}, …}}`.
fn take_packages(rounds: &mut Rounds, answer: &Value) -> Result<()> {
    let Some(tasks) = answer["steps_per_sec"].as_object() else {
        bail!("the answer has no `steps_per_sec`: {answer}");
    };
    for (task, rates) in tasks {
        for (kind, called) in FROM_PYTHON {
            take(rounds, task, called, &rates[kind])?;
        }
    }
    Ok(())
}

fn take(rounds: &mut Rounds, task: &str, what: &str, value: &Value) -> Result<()> {
    let number = value.as_f64();
    let number = number.with_context(|| format!("no number `{what}` of `{task}`: {value}"))?;
    let key = (task.to_owned(), what.to_owned());
    rounds.entry(key).or_default().push(number);
    Ok(())
}

/// The table, a row a task and kind.
fn table(rounds: &mut Rounds) -> String {
    let mut text =
        "\nsteps a second (17 physics steps each), median (lowest to highest)\n".to_owned();
    let mut tasks: Vec<String> = rounds.keys().map(|(task, _)| task.clone()).collect();
    tasks.dedup();
    for task in &tasks {
        let mut of = |what: &str| {
            rounds
                .get_mut(&(task.clone(), what.to_owned()))
                .map(|rounds| spread(rounds))
        };
        let rival = of("mujoco steps_per_sec");
        let from_python = FROM_PYTHON.map(|(_, called)| (called, called));
        for (kind, called) in KINDS.into_iter().chain(from_python) {
            let Some((middle, low, high)) = of(kind) else {
                continue;
            };
            text += &format!("  {task:<18} {called:<24} {middle:>9.0} ({low:.0} to {high:.0})");
            if let Some((theirs, ..)) = rival {
                text += &format!("   {:>6.1} times Gymnasium's", middle / theirs);
            }
            text.push('\n');
        }
        if let Some((middle, low, high)) = rival {
            let called = "Gymnasium, MuJoCo";
            text += &format!("  {task:<18} {called:<24} {middle:>9.0} ({low:.0} to {high:.0})\n");
        }
    }
    text += "\nµs, median\n";
    for task in &tasks {
        let mut of = |what: &str| {
            rounds
                .get_mut(&(task.clone(), what.to_owned()))
                .map(|rounds| spread(rounds))
        };
        let shown = |number: Option<(f64, f64, f64)>| {
            number.map_or_else(|| "-".to_owned(), |(middle, ..)| format!("{middle:.1}"))
        };
        text += &format!(
            "  {task:<18} reset {:>6}   restore {:>6}   MuJoCo's reset {:>6}\n",
            shown(of("reset_us")),
            shown(of("restore_us")),
            shown(of("mujoco reset_us"))
        );
    }
    text
}

/// Median, lowest and highest; there is at least one.
fn spread(rounds: &mut [f64]) -> (f64, f64, f64) {
    rounds.sort_by(f64::total_cmp);
    let last = rounds.len() - 1;
    let middle = f64::midpoint(rounds[last / 2], rounds[last.div_ceil(2)]);
    (middle, rounds[0], rounds[last])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Rounds, table, take, take_ours, take_packages};

    #[test]
    fn medians_and_ratios_are_shown() {
        let mut rounds = Rounds::new();
        for single in [9000.0, 11_000.0, 10_000.0] {
            let answer = json!({"tasks": [{
                "name": "reach", "single": single, "batch": 12e3, "batch_all": 24e3,
                "reset_us": 2.0, "restore_us": 3.0,
            }]});
            take_ours(&mut rounds, &answer).expect("all there");
        }
        take(&mut rounds, "reach", "mujoco steps_per_sec", &json!(2000.0)).expect("a number");
        let rates = json!({"single": 8000.0, "batched_one_thread": 9e3, "batched": 17e3});
        let package = json!({"steps_per_sec": {"reach": rates}});
        take_packages(&mut rounds, &package).expect("all there");
        let table = table(&mut rounds);
        let row = |name: &str| {
            let row = table.lines().find(|line| line.contains(name));
            row.expect("a row").to_owned()
        };
        assert!(
            row("one environment").contains("10000 (9000 to 11000)"),
            "{table}"
        );
        assert!(row("one environment").contains("5.0 times"), "{table}");
        assert!(row(" a batch, all cores").contains("12.0 times"), "{table}");
        assert!(row("Python, one").contains("4.0 times"), "{table}");
        assert!(row("MuJoCo's reset").contains("reset    2.0"), "{table}");
    }

    #[test]
    fn an_answer_without_numbers_is_refused() {
        let mut rounds = Rounds::new();
        for bad in [json!({}), json!({"tasks": [{"name": "reach"}]})] {
            assert!(take_ours(&mut rounds, &bad).is_err(), "{bad}");
            assert!(take_packages(&mut rounds, &bad).is_err(), "{bad}");
        }
    }
}
