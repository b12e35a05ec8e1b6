//! `forearm teleoperate --headless`: plays a motion through the control service, without a window.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use forearm::files;
use forearm::motions::{BUILTIN_MOTIONS, BuiltinMotion};
use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;
use forearm_control::headless::{self, HeadlessOptions, HeadlessReport};
use forearm_control::motion::Motion;
use forearm_control::{ControlConfig, Expectation, jitter_objects};
use forearm_protocol::control::StateUpdate;
use forearm_protocol::scene::SceneBundle;

use super::{Failure, OrFail, SetupArgs, parse_duration, print_json};

/// Width of LeRobot's joint column: its longest motor name with `.pos`.
const NAME_WIDTH: usize = "shoulder_lift.pos".len();

#[derive(Debug, clap::Args)]
pub(crate) struct TeleoperateArgs {
    #[command(flatten)]
    setup: SetupArgs,
    /// Run without a window. (With a window, start `forearm` without a command.)
    #[arg(long, required = true)]
    headless: bool,
    /// A motion file, or a built-in motion: `pick_and_place`, `wave`. Without one the arm holds.
    #[arg(long, value_name = "FILE|NAME")]
    script: Option<String>,
    /// How long to run, seconds; if left out, until the motion has ended.
    #[arg(long, value_name = "SECONDS", value_parser = parse_duration, required_unless_present = "script")]
    duration: Option<f64>,
    /// Succeed (exit code 0) only if this holds at the end, for instance `cube-in-tray`.
    #[arg(long, value_name = "OBJECT-in-TRAY")]
    expect: Option<Expectation>,
    /// First move every loose object by up to this far each way, metres.
    #[arg(long, default_value_t = 0.0, value_name = "METRES", value_parser = parse_jitter)]
    jitter_objects: f64,
    /// Seed for `--jitter-objects`.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    seed: u64,
    /// Run as fast as the machine can instead of in real time; the result is the same.
    #[arg(long)]
    fast: bool,
    /// Print one JSON object at the end instead of LeRobot's loop line and table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &TeleoperateArgs) -> Result<(), Failure> {
    let setup = &args.setup;
    let loaded = setup.load().or_bad_input()?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let mut bundle = SceneBundle::clone(&loaded.bundle);
    if args.jitter_objects > 0.0 {
        jitter_objects(&mut bundle.scene, args.jitter_objects, args.seed);
    }
    let models = bundle.arm_models().or_bad_input()?;
    let options = HeadlessOptions {
        bundle: Arc::new(bundle),
        config: ControlConfig::at_rate(setup.rate).or_bad_input()?,
        script: args
            .script
            .as_deref()
            .map(read_script)
            .transpose()
            .or_bad_input()?,
        duration_secs: args.duration,
        realtime: !args.fast,
        expect: args.expect.clone(),
    };
    let mut table = Table {
        models,
        live: !args.json && std::io::stdout().is_terminal(),
    };
    let report = headless::run(options, &mut |state| table.show(state)).map_err(|error| {
        let bad_input = error.is_bad_input();
        let error = match &args.script {
            Some(script) => anyhow::Error::from(error).context(format!("with motion `{script}`")),
            None => error.into(),
        };
        if bad_input {
            Failure::Input(error)
        } else {
            Failure::Run(error)
        }
    })?;
    drop(table);
    if args.json {
        print_json(&serde_json::to_value(&report).or_failed()?)?;
    } else {
        write_report(&report).or_failed()?;
    }
    if let Some(Err(why)) = &report.script {
        return Err(anyhow!("the motion was given up: {why}")).or_failed();
    }
    match (&args.expect, report.is_success()) {
        (Some(expect), false) => Err(anyhow!(
            "`{expect}` does not hold at the end; in trays: {}",
            in_trays(&report)
        ))
        .or_failed(),
        _ => Ok(()),
    }
}

/// The text of a built-in motion or a motion file. Whether it fits arm and scene, the service tells.
pub(crate) fn read_script(reference: &str) -> anyhow::Result<String> {
    if let Some(motion) = BuiltinMotion::find(reference) {
        return Ok(motion.text.to_owned());
    }
    let path = Path::new(reference);
    let known = || {
        let keys: Vec<_> = BUILTIN_MOTIONS.iter().map(|motion| motion.key).collect();
        format!(
            "motion `{reference}` can't be read; expected a motion file or one of {}",
            keys.join(", ")
        )
    };
    let text = files::read_text(path).with_context(known)?;
    // The service reads it again, but does not know the file's name.
    Motion::from_ron(reference, &text)?;
    Ok(text)
}

/// Parses how far objects are moved, metres.
pub(crate) fn parse_jitter(text: &str) -> Result<f64, String> {
    let metres: f64 = text
        .parse()
        .map_err(|_error| format!("`{text}` is not a number"))?;
    if (0.0..=0.5).contains(&metres) {
        Ok(metres)
    } else {
        Err(format!("{metres} m can't be used; expected 0 to 0.5"))
    }
}

/// LeRobot's table of joints, in place on a terminal.
struct Table {
    models: Vec<Arc<ArmModel>>,
    live: bool,
}

impl Table {
    fn show(&mut self, state: &StateUpdate) {
        if !self.live {
            return;
        }
        let arms = self.models.iter().zip(&state.arms);
        let rows = arms.flat_map(|(model, arm)| {
            let joints = model.joints.iter().zip(&arm.joints).enumerate();
            joints.map(|(index, (joint, now))| {
                (
                    joint.name.as_str(),
                    JointUnit::Lerobot.to_unit(model, index, now.position),
                )
            })
        });
        let mut text = format!("\n{}", table(rows));
        text.push_str(&loop_line(state.timing.rate_hz));
        let up = text.lines().count();
        // A closed terminal only ends the display; the run goes on.
        write!(std::io::stdout().lock(), "{text}\x1b[{up}A\r").ok();
    }
}

impl Drop for Table {
    /// Wipes the live table: the report takes its place.
    fn drop(&mut self) {
        if self.live {
            write!(std::io::stdout().lock(), "\x1b[J").ok();
        }
    }
}

/// LeRobot's table.
fn table<'a>(rows: impl Iterator<Item = (&'a str, f64)>) -> String {
    let head = format!(
        "{}\n{:<NAME_WIDTH$} | {:>7}\n",
        "-".repeat(NAME_WIDTH + 10),
        "NAME",
        "NORM"
    );
    rows.fold(head, |text, (name, value)| {
        text + &format!("{:<NAME_WIDTH$} | {value:>7.2}\n", format!("{name}.pos"))
    })
}

/// LeRobot's line: its loop time is what a whole turn takes, so that `ms` is one over `Hz`.
fn loop_line(rate_hz: f64) -> String {
    let period_ms = if rate_hz > 0.0 { 1e3 / rate_hz } else { 0.0 };
    format!("Teleop loop time: {period_ms:.2}ms ({rate_hz:.0} Hz)\n")
}

fn write_report(report: &HeadlessReport) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let timing = &report.timing;
    writeln!(out, "{}", loop_line(timing.rate_hz))?;
    for arm in &report.arms {
        if report.arms.len() > 1 {
            writeln!(out, "{}:", arm.name)?;
        }
        let rows = arm
            .joints
            .iter()
            .map(|joint| (joint.name.as_str(), joint.lerobot));
        writeln!(out, "{}", table(rows))?;
    }
    if report.own_thread {
        let micros = |secs: f64| secs * 1e6;
        writeln!(
            out,
            "{} ticks at {:.2} Hz (asked: {:.0}), jitter mean {:.0} µs, p50 {:.0} µs, \
             p99 {:.0} µs, max {:.0} µs, {} missed\nwork {:.0} µs a tick, \
             {} physics steps of {:.1} µs",
            report.ticks,
            timing.rate_hz,
            timing.target_hz,
            micros(timing.jitter_mean_secs),
            micros(timing.jitter_p50_secs),
            micros(timing.jitter_p99_secs),
            micros(timing.jitter_max_secs),
            timing.missed,
            micros(timing.work_mean_secs),
            report.steps,
            micros(report.physics_step_secs),
        )?;
    } else {
        writeln!(
            out,
            "{} ticks and {} physics steps, not in real time",
            report.ticks, report.steps
        )?;
    }
    writeln!(out, "in trays: {}", in_trays(report))
}

fn in_trays(report: &HeadlessReport) -> String {
    if report.in_tray.is_empty() {
        return "nothing".to_owned();
    }
    let pairs: Vec<_> = report
        .in_tray
        .iter()
        .map(|(object, tray)| format!("{object} in {tray}"))
        .collect();
    pairs.join(", ")
}
