//! Pictures and reports of a running window, for people who write documentation and for tests.

use std::path::{Path, PathBuf};

use bevy::prelude::*;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::time::Real;
use forearm_control::{Control, ControlService};
use forearm_protocol::control::{Event as ControlEvent, Inspection, Reply, Request};
use forearm_workers::{Pending, State};

/// Saves a picture of the window, or a report on the control loop, and ends.
#[derive(Debug, Clone, Default)]
pub struct CapturePlugin {
    /// Where to save a PNG of the window.
    pub screenshot: Option<PathBuf>,
    /// Frames to draw before the picture is taken.
    pub frames: u32,
    /// Where to save the control loop's timing as JSON.
    pub report: Option<PathBuf>,
    /// Seconds after which to end.
    pub duration_secs: Option<f64>,
}

#[derive(Resource)]
struct Capture {
    plan: CapturePlugin,
    /// Frames drawn since the program started.
    drawn: u32,
    /// Frames drawn since the scene is there.
    frames: u32,
    scene_is_there: bool,
    picture_asked: bool,
    inspection: Option<Pending<ControlService>>,
}

impl Plugin for CapturePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Capture {
            plan: self.clone(),
            drawn: 0,
            frames: 0,
            scene_is_there: false,
            picture_asked: false,
            inspection: None,
        })
        .add_systems(Last, (count_frames, take_picture, end_in_time).chain());
    }
}

/// Counts what is drawn; the first frames come before the scene is there.
fn count_frames(mut events: MessageReader<ControlEvent>, mut capture: ResMut<Capture>) {
    capture.drawn += 1;
    let loaded = events
        .read()
        .filter(|event| matches!(event, ControlEvent::State(_)))
        .count()
        > 0;
    capture.scene_is_there |= loaded;
    if capture.scene_is_there {
        capture.frames += 1;
    }
}

fn take_picture(mut capture: ResMut<Capture>, mut commands: Commands) {
    if capture.picture_asked || capture.frames < capture.plan.frames.max(1) {
        return;
    }
    let Some(path) = capture.plan.screenshot.clone() else {
        return;
    };
    capture.picture_asked = true;
    commands.spawn(Screenshot::primary_window()).observe(
        move |shot: On<ScreenshotCaptured>, mut exit: MessageWriter<AppExit>| {
            exit.write(match save_picture(&shot.image, &path) {
                Ok(()) => AppExit::Success,
                Err(error) => {
                    error!("the picture can't be saved in {}: {error}", path.display());
                    AppExit::error()
                }
            });
        },
    );
}

/// Writes an image as a file without its alpha.
///
/// # Errors
/// The image has no bytes or a format that PNG lacks, or the file can't be written.
pub fn save_picture(image: &Image, path: &Path) -> anyhow::Result<()> {
    let image = image
        .clone()
        .try_into_dynamic()
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    // A picture that fails midway must not take the old one's place.
    let fresh = path.with_extension("new.png");
    image.to_rgb8().save(&fresh)?;
    Ok(std::fs::rename(&fresh, path)?)
}

fn end_in_time(
    time: Res<Time<Real>>,
    mut capture: ResMut<Capture>,
    control: Res<Control>,
    mut exit: MessageWriter<AppExit>,
) {
    let wanted = capture.plan.screenshot.is_some() || capture.plan.report.is_some();
    let status = control.status();
    if let (true, State::Failed, Some(failure)) = (wanted, status.state, status.failure) {
        error!("there is nothing to save: {failure}");
        exit.write(AppExit::error());
        return;
    }
    let elapsed = time.elapsed_secs_f64();
    if capture
        .plan
        .duration_secs
        .is_none_or(|duration| elapsed < duration)
    {
        return;
    }
    if capture.plan.screenshot.is_some() && !capture.picture_asked {
        error!("the time was over before the picture was taken: fewer frames, or more seconds");
        exit.write(AppExit::error());
        return;
    }
    let Some(path) = capture.plan.report.clone() else {
        exit.write(AppExit::Success);
        return;
    };
    // The service is asked once; its answer comes some frames later.
    let answer = capture
        .inspection
        .get_or_insert_with(|| control.ask(Request::Inspect))
        .try_take();
    let result = match answer {
        None => return,
        Some(Ok(Reply::Inspection(inspection))) => {
            save_report(&path, &inspection, f64::from(capture.drawn) / elapsed)
        }
        Some(Ok(_)) => Err(anyhow::anyhow!(
            "the control service answered something else"
        )),
        Some(Err(error)) => Err(error.into()),
    };
    exit.write(match result {
        Ok(()) => AppExit::Success,
        Err(error) => {
            error!("the report can't be saved in {}: {error}", path.display());
            AppExit::error()
        }
    });
}

fn save_report(path: &Path, inspection: &Inspection, fps: f64) -> anyhow::Result<()> {
    let mut report = serde_json::to_value(inspection.timing)?;
    if let Some(fields) = report.as_object_mut() {
        fields.insert("ticks".to_owned(), inspection.ticks.into());
        fields.insert(
            "physics_step_secs".to_owned(),
            inspection.physics_step_secs.into(),
        );
        fields.insert("fps".to_owned(), fps.into());
    }
    Ok(std::fs::write(path, format!("{report}\n"))?)
}
