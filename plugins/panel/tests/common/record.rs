//! A recording as it is in its middle: a dataset with good and bad episodes, cameras that do well and
//! that don't.

use forearm_panel::egui::TextureId;
use forearm_panel::{RecordView, Shown, ShownFrame};
use forearm_protocol::record::{
    CameraHealth, CameraInfo, CameraQuality, CameraSource, CameraState, DatasetSummary,
    EpisodeInfo, EpisodeQuality, EpisodeSeries, Phase, RecordState,
};

use super::{Stage, inputs};

const JOINTS: [&str; 6] = [
    "shoulder_pan.pos",
    "shoulder_lift.pos",
    "elbow_flex.pos",
    "wrist_flex.pos",
    "wrist_roll.pos",
    "gripper.pos",
];
pub const TASK: &str = "Put the red cube into the tray";

fn sim(name: &str) -> CameraSource {
    CameraSource::Sim(name.to_owned())
}

fn shown(texture: u64) -> Shown {
    Shown {
        texture: TextureId::User(texture),
        size: [64, 48],
    }
}

/// A camera that does well.
pub fn camera(name: &str, source: CameraSource) -> CameraState {
    CameraState {
        name: name.to_owned(),
        source,
        health: CameraHealth::Live,
        resolution: [640, 480],
        rate_hz: 29.97,
        age_secs: 0.018,
        dropped: 0,
        queued: 1,
    }
}

fn quality() -> EpisodeQuality {
    let camera = |name: &str| CameraQuality {
        name: name.to_owned(),
        rate_hz: 29.97,
        repeated: 1,
        ..CameraQuality::default()
    };
    EpisodeQuality {
        tick_hz: 119.98,
        tick_jitter_p99_secs: 96e-6,
        ticks_lost: 0,
        tick_gap_max_secs: 0.0042,
        cameras: vec![camera("wrist"), camera("front")],
    }
}

/// A dataset of twelve episodes, of which some are not as they should be.
pub fn dataset() -> DatasetSummary {
    let episode = |index: u32| {
        let mut quality = quality();
        match index {
            9 => quality.cameras[1].dropped = 4,
            10 => quality.tick_gap_max_secs = 0.083,
            _ => {}
        }
        EpisodeInfo {
            index,
            frames: 300 + 7 * index,
            task: TASK.to_owned(),
            quality: Some(quality),
        }
    };
    DatasetSummary {
        name: "/data/datasets/red_cube".to_owned(),
        robot_type: "so_follower".to_owned(),
        fps: 30,
        action_names: JOINTS.map(str::to_owned).into(),
        state_names: JOINTS.map(str::to_owned).into(),
        cameras: vec!["wrist".to_owned(), "front".to_owned()],
        episodes: (0..12).map(episode).collect(),
        bytes: 96_400_000,
        problems: Vec::new(),
    }
}

/// The numbers of an episode: joints that wave, states a little behind actions.
pub fn series(index: u32, frames: u32) -> EpisodeSeries {
    let values = |lag: f64| {
        let row = move |row: u32| {
            (0..JOINTS.len()).map(move |joint| {
                let time = f64::from(row) / 30.0 - lag;
                (40.0 * (time * (0.5 + 0.13 * joint as f64) + joint as f64).sin()) as f32
            })
        };
        (0..frames).flat_map(row).collect()
    };
    EpisodeSeries {
        index,
        frames,
        tasks: vec![TASK.to_owned()],
        actions: values(0.0),
        states: values(0.15),
    }
}

/// What can be recorded before anything is open.
pub fn closed() -> RecordView {
    let info = |source: CameraSource, label: &str| CameraInfo {
        source,
        label: label.to_owned(),
        modes: vec![(640, 480, 30.0)],
    };
    RecordView {
        default_place: "/data/forearm/dataset".to_owned(),
        sources: vec![
            info(sim("wrist"), "wrist"),
            info(sim("front"), "front"),
            info(
                CameraSource::Device("/dev/video0".to_owned()),
                "UVC camera 046d:0825",
            ),
        ],
        state: RecordState {
            free_bytes: Some(41_200_000_000),
            ..RecordState::default()
        },
        simulated: true,
        ..RecordView::default()
    }
}

/// A recording in a phase, with its dataset.
pub fn recording(phase: Phase) -> RecordView {
    let limit = match phase {
        Phase::Recording | Phase::Paused => Some(60.0),
        Phase::Resetting => Some(10.0),
        _ => None,
    };
    let secs = match phase {
        Phase::Resetting => 4.2,
        _ => 12.3,
    };
    RecordView {
        state: RecordState {
            phase,
            episode: 12,
            made: 2,
            wanted: 50,
            phase_secs: secs,
            phase_limit_secs: limit,
            frames: 369,
            task: TASK.to_owned(),
            cameras: vec![camera("wrist", sim("wrist")), camera("front", sim("front"))],
            tick_hz: 120.0,
            free_bytes: Some(41_200_000_000),
            ..RecordState::default()
        },
        dataset: Some(dataset()),
        previews: [("wrist", 0), ("front", 1)]
            .map(|(name, texture)| (name.to_owned(), shown(texture)))
            .into(),
        thumbnails: (0..12)
            .map(|index| (index, shown(u64::from(index % 3))))
            .collect(),
        ..closed()
    }
}

/// A dataset that is looked at, with an episode of it.
pub fn browsing(episode: u32) -> RecordView {
    let dataset = dataset();
    let frames = dataset.episodes[episode as usize].frames;
    RecordView {
        series: Some(series(episode, frames)),
        frame: Some(ShownFrame {
            episode,
            frame: 0,
            pictures: vec![shown(0), shown(1)],
        }),
        state: closed().state,
        ..recording(Phase::Closed)
    }
}

/// A window with this to show of recording.
pub fn stage(width: f32, height: f32, view: RecordView) -> Stage {
    let mut stage = Stage::new(width, height, inputs(&["follower"]));
    stage.inputs.record = Some(view);
    stage.state.settings.record.tab = forearm_panel::RightTab::Record;
    stage.state.settings.sheet = Some(forearm_panel::Sheet::Record);
    stage.state.settings.record.task = TASK.to_owned();
    stage.settle();
    stage
}
