//! An episode on an arm: what control is asked, and how far the arm was from the recording.

use anyhow::Context;
use bevy::prelude::*;
use forearm_control::{Control, ControlService};
use forearm_panel::{PanelState, SceneView};
use forearm_protocol::control::{
    Event as ControlEvent, Inspection, Reply, Request as ControlAsk, TrackError,
};
use forearm_protocol::record::{DatasetSummary, EpisodeSeries};
use forearm_workers::Pending;

use super::{RecordingDesk, info};
use crate::motions;

/// The replay under way.
#[derive(Default)]
pub(super) struct Replay {
    /// The arm, the names of its joints, and the episode.
    playing: Option<(usize, Vec<String>, u32)>,
    /// How it went, on its way.
    inspection: Option<Pending<ControlService>>,
}

/// What control is asked, in order: the motion, and to drive.
pub(super) fn begin(
    replay: &mut Replay,
    arm: usize,
    scene: Option<&SceneView>,
    dataset: &DatasetSummary,
    series: &EpisodeSeries,
) -> anyhow::Result<[ControlAsk; 2]> {
    let scene = scene.context("no scene is loaded; open one first")?;
    let view = scene.arms.get(arm);
    let view = view.context("the scene has no such arm; select another")?;
    let prefix = match scene.arms.len() {
        1 => String::new(),
        _ => format!("{}_", view.name),
    };
    let names = &dataset.action_names;
    let text = motions::of_episode(&view.model, &prefix, names, series, dataset.fps)?;
    let joints = view.model.joints.iter().map(|it| it.name.clone()).collect();
    replay.playing = Some((arm, joints, series.index));
    Ok([ControlAsk::PlayScript { arm, text }, ControlAsk::Start])
}

/// The same, after the scene was put back if that is wanted.
pub(super) fn asks(play: [ControlAsk; 2], put_back: bool) -> impl Iterator<Item = ControlAsk> {
    let first = put_back.then_some(ControlAsk::ResetScene);
    first.into_iter().chain(play)
}

/// Says, when a replay has ended, how far the arm was from the recording.
pub(super) fn go_on(
    mut events: MessageReader<ControlEvent>,
    control: Res<Control>,
    mut desk: ResMut<RecordingDesk>,
    mut panel: ResMut<PanelState>,
) {
    let replay = &mut desk.replay;
    for event in events.read() {
        match (event, &replay.playing) {
            (ControlEvent::ScriptDone { arm }, Some((its, ..))) if arm == its => {
                replay.inspection = Some(control.ask(ControlAsk::Inspect));
            }
            (ControlEvent::SceneLoaded { .. }, _) => *replay = Replay::default(),
            _ => {}
        }
    }
    let Some(pending) = &mut replay.inspection else {
        return;
    };
    let Some(answer) = pending.try_take() else {
        return;
    };
    replay.inspection = None;
    if let (Ok(Reply::Inspection(inspection)), Some(playing)) = (answer, replay.playing.take())
        && let Some(text) = outcome(&inspection, &playing)
    {
        panel.notify(info(text));
    }
}

/// How far the arm was from the recording, in words.
fn outcome(inspection: &Inspection, playing: &(usize, Vec<String>, u32)) -> Option<String> {
    let (arm, joints, episode) = playing;
    let errors = inspection.tracks.get(*arm)?;
    let worst = errors
        .iter()
        .max_by(|one, other| one.max.total_cmp(&other.max))?;
    let square = |error: &TrackError| error.rms * error.rms;
    let mean = errors.iter().map(square).sum::<f64>() / errors.len() as f64;
    let joint = joints.get(worst.joint).map_or("a joint", String::as_str);
    Some(format!(
        "Episode {episode} was replayed: {:.2}° from the recording (root mean square), {:.2}° at \
         most ({joint}).",
        mean.sqrt().to_degrees(),
        worst.max.to_degrees()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_joint_is_named() {
        let errors = [0.01_f64, 0.02].into_iter().enumerate();
        let errors = errors.map(|(joint, max)| TrackError {
            joint,
            rms: max / 2.0,
            max,
        });
        let names = ["shoulder_pan", "elbow_flex"].map(str::to_owned).to_vec();
        let text = worded(errors.collect(), names).expect("there are errors");
        assert!(
            text.contains("Episode 3") && text.contains("1.15° at most (elbow_flex)"),
            "{text}"
        );
        assert_eq!(worded(Vec::new(), Vec::new()), None);
    }

    fn worded(errors: Vec<TrackError>, names: Vec<String>) -> Option<String> {
        let inspection = Inspection {
            scene_generation: 1,
            ticks: 0,
            steps: 0,
            simulated_secs: 0.0,
            state_hash: String::new(),
            timing: Default::default(),
            physics_step_secs: 0.0,
            in_tray: Vec::new(),
            scripts: Vec::new(),
            tracks: vec![errors],
            served: Vec::new(),
        };
        outcome(&inspection, &(0, names, 3))
    }
}
