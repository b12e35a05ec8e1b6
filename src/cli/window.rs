//! `forearm` without a command: the window.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use bevy::app::{AppExit, Update};
use bevy::ecs::message::MessageWriter;
use forearm::capture::CapturePlugin;
use forearm::files::LoadedScene;
use forearm::{AppSetup, files, logging, settings};
use forearm_control::ControlConfig;
use forearm_panel::PanelSettings;
use forearm_protocol::scene::SceneBundle;

use super::record::RecordArgs;
use super::{Failure, OrFail, SetupArgs, interrupt, parse_output, parse_picture, parse_size};

/// What to try when no window can be opened.
const HEADLESS_HINT: &str = "to run without a window: forearm teleoperate --headless --script \
                             pick_and_place --duration 20";

#[derive(Debug, clap::Args)]
pub(crate) struct WindowArgs {
    /// Size of the window, pixels.
    #[arg(long, default_value = "1280x720", value_name = "WxH", value_parser = parse_size)]
    size: [u32; 2],
    /// Save a picture of the window in this PNG file and end.
    #[arg(long, value_name = "FILE", value_parser = parse_picture)]
    screenshot: Option<PathBuf>,
    /// Frames to draw before the picture is taken.
    #[arg(long, default_value_t = 60, value_name = "NUMBER")]
    frames: u32,
    /// Save how well the control loop kept time in this JSON file when the window ends.
    #[arg(long, value_name = "FILE", requires = "duration", value_parser = parse_output)]
    report: Option<PathBuf>,
    /// End after this many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = super::parse_duration)]
    duration: Option<f64>,
}

impl WindowArgs {
    /// When to end, seconds.
    pub(crate) fn duration(&self) -> Option<f64> {
        self.duration
    }
}

pub(crate) fn run(setup: &SetupArgs, args: &WindowArgs, log: &str) -> Result<(), Failure> {
    run_with(setup, args, log, |_, _| Ok(()))
}

/// Opens the window with the record panel filled in.
pub(crate) fn record(
    setup: &SetupArgs,
    record: &RecordArgs,
    args: &WindowArgs,
    log: &str,
) -> Result<(), Failure> {
    run_with(setup, args, log, |settings, bundle| {
        settings.record = record.settings(bundle, &settings.record)?;
        Ok(())
    })
}

fn run_with(
    setup: &SetupArgs,
    args: &WindowArgs,
    log: &str,
    adapt: impl FnOnce(&mut PanelSettings, &SceneBundle) -> Result<(), Failure>,
) -> Result<(), Failure> {
    logging::parse_filter(log).or_bad_input()?;
    let mut notes = Vec::new();
    let mut settings = settings::load().unwrap_or_else(|error| {
        notes.push(format!("{error:#}; starting with defaults"));
        PanelSettings::default()
    });
    let (scene_id, loaded) = open_scene(setup, settings.last_scene.as_deref(), &mut notes)?;
    notes.extend(loaded.notes);
    adapt(&mut settings, &loaded.bundle)?;
    let control = ControlConfig {
        on_exit: setup.on_exit(),
        ..ControlConfig::at_rate(setup.rate).or_bad_input()?
    };
    let app = AppSetup {
        bundle: loaded.bundle,
        scene_id,
        settings,
        control,
        log: log.to_owned(),
        size: args.size,
        complete_pictures: args.screenshot.is_some(),
        notices: Vec::new(),
    };
    open(app, args, &notes)
}

/// Opens the window on arms that `control` serves to other programs.
pub(crate) fn emulate(
    bundle: Arc<SceneBundle>,
    scene_id: &str,
    control: ControlConfig,
    args: &WindowArgs,
    log: &str,
) -> Result<(), Failure> {
    logging::parse_filter(log).or_bad_input()?;
    let app = AppSetup {
        bundle,
        scene_id: scene_id.to_owned(),
        settings: settings::load().unwrap_or_default(),
        control,
        log: log.to_owned(),
        size: args.size,
        complete_pictures: args.screenshot.is_some(),
        notices: Vec::new(),
    };
    open(app, args, &[])
}

fn open(setup: AppSetup, args: &WindowArgs, notes: &[String]) -> Result<(), Failure> {
    check_display().or_failed()?;
    explain_panics_before_the_window();
    let mut app = forearm::app(setup);
    // Pictures and reports for documentation and tests.
    app.add_plugins(CapturePlugin {
        screenshot: args.screenshot.clone(),
        frames: args.frames,
        report: args.report.clone(),
        duration_secs: args.duration,
    });
    for note in notes {
        tracing::warn!("{note}");
    }
    // Arms are left as they should be, however the program is told to end.
    interrupt::listen();
    app.add_systems(Update, end_when_told);
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(anyhow!("the window ended with code {code}")).or_failed(),
    }
}

fn end_when_told(mut exit: MessageWriter<AppExit>) {
    if interrupt::is_told() {
        exit.write(AppExit::Success);
    }
}

/// The scene that was asked for and what it is called; else the one that was open last, if it
/// still loads; else the default.
fn open_scene(
    setup: &SetupArgs,
    last: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<(String, LoadedScene), Failure> {
    let load = |scene| setup.load_scene(Some(scene));
    if let (None, None, Some(last)) = (&setup.scene, &setup.model, last) {
        match load(last) {
            Ok(loaded) => return Ok((last.to_owned(), loaded)),
            Err(error) => notes.push(format!("the scene that was open last: {error:#}")),
        }
    }
    let scene = setup.scene.as_deref().unwrap_or(files::default_scene());
    Ok((scene.to_owned(), load(scene).or_bad_input()?))
}

/// Finds out whether a window can be opened, before anything is started.
fn check_display() -> anyhow::Result<()> {
    if cfg!(all(unix, not(target_os = "macos"))) {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !set("DISPLAY") && !set("WAYLAND_DISPLAY") && !set("WAYLAND_SOCKET") {
            return Err(anyhow!(
                "there is no display to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is \
                 set; start it from a desktop session; {HEADLESS_HINT}"
            ));
        }
    }
    forearm_view::snapshot::adapter()
        .map(|_name| ())
        .map_err(|error| anyhow!("{error}; {HEADLESS_HINT}"))
}

/// Opening the window is the windowing library's work, and it panics where it can't. Until the
/// first frame, such a panic is told as the error that it is.
fn explain_panics_before_the_window() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or("unknown reason");
        let about_the_window = ["Failed to build event loop", "could not be loaded"];
        if about_the_window.iter().any(|text| message.contains(text)) {
            #[expect(clippy::print_stderr, reason = "the process ends here")]
            {
                eprintln!("forearm: the window can't be opened: {message}; {HEADLESS_HINT}");
            }
            std::process::exit(1);
        }
        default(info);
    }));
}
