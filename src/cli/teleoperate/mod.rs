//! `forearm teleoperate`: drives arms without a window, by a leader or a motion.

mod replay;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use forearm::files;
use forearm::motions::{BUILTIN_MOTIONS, BuiltinMotion};
use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;
use forearm_control::headless::{self, HeadlessOptions, HeadlessReport, TrackReport};
use forearm_control::motion::Motion;
use forearm_control::{ControlConfig, Expectation, jitter_objects};
use forearm_protocol::control::{
    ArmState, Event, LoopTiming, Reply, Request, ScriptState, StateUpdate, TeleopMode, TrackError,
};
use forearm_protocol::scene::{Scene, SceneBundle};
use serde_json::json;

use super::live::{self, Live};
use super::{Failure, OrFail, SetupArgs, interrupt, parse_duration, print_json};
pub(crate) use replay::{ReplayArgs, run as replay};

/// Width of LeRobot's joint column: its longest motor name with `.pos`.
const NAME_WIDTH: usize = "shoulder_lift.pos".len();

#[derive(Debug, clap::Args)]
pub(crate) struct TeleoperateArgs {
    #[command(flatten)]
    setup: SetupArgs,
    /// Run without a window; otherwise it opens, and keys, sliders, gamepad and mouse drive as well.
    #[arg(long)]
    headless: bool,
    /// A motion file, or a built-in motion: `pick_and_place`, `wave`. Without one the arm holds.
    #[arg(long, requires = "headless", value_name = "FILE|NAME")]
    script: Option<String>,
    /// How long to run, seconds; if left out, until the motion has ended, and without a motion until
    /// Ctrl-C.
    #[arg(long, requires = "headless", value_name = "SECONDS", value_parser = parse_duration)]
    duration: Option<f64>,
    /// Succeed (exit code 0) only if this holds at the end, for instance `cube-in-tray`.
    #[arg(long, requires = "headless", value_name = "OBJECT-in-TRAY")]
    expect: Option<Expectation>,
    /// First move every loose object by up to this far each way, metres.
    #[arg(long, requires = "headless", default_value_t = 0.0, value_name = "METRES", value_parser = parse_jitter)]
    jitter_objects: f64,
    /// Seed for `--jitter-objects`.
    #[arg(
        long,
        requires = "headless",
        default_value_t = 0,
        value_name = "NUMBER"
    )]
    seed: u64,
    /// Run as fast as the machine can instead of in real time; the result is the same.
    #[arg(long, requires = "headless")]
    fast: bool,
    /// Print one JSON object at the end instead of LeRobot's loop line and table.
    #[arg(long, requires = "headless")]
    json: bool,
}

impl TeleoperateArgs {
    /// What the window is opened with, where there should be one.
    pub(crate) fn window(&self) -> Option<&SetupArgs> {
        (!self.headless).then_some(&self.setup)
    }
}

pub(crate) fn run(args: &TeleoperateArgs) -> Result<(), Failure> {
    let loaded = load(&args.setup)?;
    let script = args.script.as_deref().map(read_script).transpose();
    let name = args.script.as_deref().map(|script| format!("`{script}`"));
    play(args, loaded, name, script.or_bad_input()?)
}

/// Loads the scene that is asked for; notes are logged.
fn load(setup: &SetupArgs) -> Result<Arc<SceneBundle>, Failure> {
    let loaded = setup.load().or_bad_input()?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    Ok(loaded.bundle)
}

/// Drives the arms of a scene, by a motion's text if there is one; `name` is what to call it.
fn play(
    args: &TeleoperateArgs,
    bundle: Arc<SceneBundle>,
    name: Option<String>,
    script: Option<String>,
) -> Result<(), Failure> {
    let setup = &args.setup;
    if live::is_real(&bundle.scene) {
        return drive(args, bundle, script);
    }
    if script.is_none() && args.duration.is_none() {
        let error = anyhow!(
            "a simulated arm without a window needs something to do: --script, --duration, \
             or --leader with a leader's port"
        );
        return Err(error).or_bad_input();
    }
    let mut bundle = SceneBundle::clone(&bundle);
    if args.jitter_objects > 0.0 {
        jitter_objects(&mut bundle.scene, args.jitter_objects, args.seed);
    }
    let models = bundle.arm_models().or_bad_input()?;
    let options = HeadlessOptions {
        bundle: Arc::new(bundle),
        config: ControlConfig::at_rate(setup.rate).or_bad_input()?,
        script,
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
        let error = match &name {
            Some(name) => anyhow::Error::from(error).context(format!("with motion {name}")),
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

/// Drives real arms: by their leaders, and by a motion if there is one.
fn drive(
    args: &TeleoperateArgs,
    bundle: Arc<SceneBundle>,
    script: Option<String>,
) -> Result<(), Failure> {
    if args.fast || args.expect.is_some() {
        let error = anyhow!("--fast and --expect are for simulated arms; leave them out");
        return Err(error).or_bad_input();
    }
    let scripted = script.is_some();
    let models = bundle.arm_models().or_bad_input()?;
    let scene = bundle.scene.clone();
    let mut config = ControlConfig::at_rate(args.setup.rate).or_bad_input()?;
    config.on_exit = args.setup.on_exit();
    let mut live = Live::start(bundle, config);
    live.connect(true)?;
    live.ask(Request::Start, &mut |_| {})?;
    for (arm, spec) in scene.arms.iter().enumerate() {
        if spec.leader.is_some() {
            let mode = TeleopMode::Leader;
            live.ask(Request::SetMode { arm, mode }, &mut |_| {})?;
        }
    }
    if let Some(text) = script {
        live.ask(Request::PlayScript { arm: 0, text }, &mut |_| {})?;
    }
    let mut table = Table {
        models: models.clone(),
        live: !args.json && std::io::stdout().is_terminal(),
    };
    let until = args
        .duration
        .map(|secs| Instant::now() + Duration::from_secs_f64(secs));
    let mut played = false;
    while !interrupt::is_told()
        && until.is_none_or(|until| Instant::now() < until)
        && !(played && until.is_none())
    {
        live.listen(&mut |event| match event {
            Event::State(state) => table.show(state),
            Event::ScriptDone { .. } => played = true,
            _ => {}
        })?;
    }
    drop(table);
    let Reply::Inspection(end) = live.ask(Request::Inspect, &mut |_| {})? else {
        return Ok(());
    };
    let state = live.state.take();
    // Before anything is written: arms come first.
    drop(live);
    let Some(state) = state else { return Ok(()) };
    if args.json {
        let arms = scene.arms.iter().zip(&models).zip(&state.arms);
        let arms: Vec<_> = arms
            .zip(&end.tracks)
            .map(|(((spec, model), arm), track)| arm_json(&spec.name, model, arm, track))
            .collect();
        print_json(&json!({ "timing": end.timing, "arms": arms }))?;
    } else {
        write_end(&scene, &models, &state, &end.timing).or_failed()?;
        for (model, track) in models.iter().zip(&end.tracks) {
            write_track(&TrackReport::of(model, track)).or_failed()?;
        }
    }
    if interrupt::is_told() && scripted {
        return Err(anyhow!("interrupted before the motion had ended")).or_failed();
    }
    match end.scripts.into_iter().next() {
        Some(ScriptState::Failed(why)) => {
            Err(anyhow!("the motion was given up: {why}")).or_failed()
        }
        _ => Ok(()),
    }
}

fn arm_json(
    name: &str,
    model: &ArmModel,
    arm: &ArmState,
    track: &[TrackError],
) -> serde_json::Value {
    let joints: Vec<_> = model
        .joints
        .iter()
        .zip(&arm.joints)
        .enumerate()
        .map(|(index, (joint, state))| {
            let lerobot = JointUnit::Lerobot.to_unit(model, index, state.position);
            json!({ "name": joint.name, "state": state, "lerobot": lerobot })
        })
        .collect();
    json!({
        "name": name, "backend": arm.backend, "connected": arm.connected, "torque": arm.torque,
        "joints": joints, "bus": arm.bus, "leader": arm.leader,
        "track": TrackReport::of(model, track),
    })
}

fn write_end(
    scene: &Scene,
    models: &[Arc<ArmModel>],
    state: &StateUpdate,
    timing: &LoopTiming,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", loop_line(timing.rate_hz))?;
    for ((spec, model), arm) in scene.arms.iter().zip(models).zip(&state.arms) {
        let rows = model.joints.iter().zip(&arm.joints).enumerate();
        let rows = rows.map(|(index, (joint, now))| {
            let value = JointUnit::Lerobot.to_unit(model, index, now.position);
            (joint.name.as_str(), value)
        });
        writeln!(out, "{} on {}:\n{}", spec.name, arm.backend, table(rows))?;
    }
    for live::ArmBus { bus, .. } in live::buses(state) {
        let ms = |secs: f64| secs * 1e3;
        writeln!(
            out,
            "{}: {:.0} rounds a second, read {:.2} ms (p99 {:.2}), {} retries, {} timeouts, \
             {} damaged replies, {} readings lost, {} reconnects",
            bus.port,
            bus.rate_hz,
            ms(bus.read.mean_secs),
            ms(bus.read.p99_secs),
            bus.errors.retries,
            bus.errors.timeouts,
            bus.errors.corrupt,
            bus.errors.lost_samples,
            bus.errors.reconnects,
        )?;
    }
    writeln!(
        out,
        "{:.2} Hz (asked: {:.0}), jitter p99 {:.0} µs, {} deadlines missed",
        timing.rate_hz,
        timing.target_hz,
        timing.jitter_p99_secs * 1e6,
        timing.missed
    )
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
        drop(out);
        write_track(&arm.track)?;
        out = std::io::stdout().lock();
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

/// How far joints were from the recording they followed.
fn write_track(track: &[TrackReport]) -> std::io::Result<()> {
    if track.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<NAME_WIDTH$} | {:>7} | {:>7}",
        "FROM RECORDING", "RMS", "MAX"
    )?;
    for TrackReport { joint, rms, max } in track {
        writeln!(
            out,
            "{:<NAME_WIDTH$} | {rms:>7.2} | {max:>7.2}",
            format!("{joint}.pos")
        )?;
    }
    writeln!(out)
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
