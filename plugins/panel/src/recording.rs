//! What the panels show of recording and of datasets, and what a person chose to record.
//!
//! [`RecordView`] is plain data that the app fills in, from what the record service tells and
//! answers. [`RecordSettings`] outlive the run.

use std::collections::BTreeMap;

use egui::TextureId;
use forearm_protocol::record::{
    CameraConfig, CameraInfo, CameraSource, DatasetSummary, EpisodeSeries, Phase, Place,
    RecordConfig, RecordState,
};
use serde::{Deserialize, Serialize};

/// Everything about recording.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordView {
    /// Whether datasets are kept in the browser's storage, by names; otherwise in folders.
    pub in_browser: bool,
    /// Where a dataset is offered to be kept while a person has not chosen.
    pub default_place: String,
    /// How the recording stands.
    pub state: RecordState,
    /// The cameras that could be recorded: those of the scene, and real ones.
    pub sources: Vec<CameraInfo>,
    /// The newest picture of each open camera, by its name.
    pub previews: BTreeMap<String, Shown>,
    /// The datasets in the browser's storage.
    pub stored: Vec<String>,
    /// The dataset that is open, for recording or to look at.
    pub dataset: Option<DatasetSummary>,
    /// The first picture of episodes, of the first camera, by their indices.
    pub thumbnails: BTreeMap<u32, Shown>,
    /// The numbers of the episode that was asked for last.
    pub series: Option<EpisodeSeries>,
    /// The row that was asked for last, as soon as its pictures are there.
    pub frame: Option<ShownFrame>,
    /// What was asked and is being done, in words; until then nothing else should be asked.
    pub busy: Option<String>,
    /// What is being done and how much of it is done, 0 to 1; it can be cancelled.
    pub progress: Option<(String, f32)>,
    /// What went wrong last; a sentence for people.
    pub error: Option<String>,
    /// What came of the last export; a sentence for people.
    pub exported: Option<String>,
    /// Whether the app knows a token for the hub: an upload may then leave it empty.
    pub token_known: bool,
    /// Whether every arm of the scene is simulated: the scene can then be put back by itself.
    pub simulated: bool,
}

/// A picture on show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The picture.
    pub texture: TextureId,
    /// Its width and height, pixels.
    pub size: [u32; 2],
}

/// A row of an episode on show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownFrame {
    /// The episode.
    pub episode: u32,
    /// The row, from 0.
    pub frame: u32,
    /// One picture a camera, in the order of [`DatasetSummary::cameras`].
    pub pictures: Vec<Shown>,
}

/// What the panel at the right shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum RightTab {
    /// Camera images and telemetry.
    #[default]
    Cameras,
    /// The recorder.
    Record,
    /// The episodes of the dataset that is open.
    Episodes,
}

/// What a person chose to record. Fields missing in a stored file take their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordSettings {
    /// What the panel at the right shows.
    pub tab: RightTab,
    /// The folder, or the name in the browser's storage; empty while nobody has chosen.
    pub place: String,
    /// Whether to go on with a dataset that is there.
    pub resume: bool,
    /// What the arm is to do.
    pub task: String,
    /// Rows a second.
    pub fps: u32,
    /// How many episodes are wanted.
    pub episodes: u32,
    /// How long an episode lasts at most, seconds.
    pub episode_secs: f64,
    /// How much time there is between episodes, seconds.
    pub reset_secs: f64,
    /// The cameras that are recorded; `None` for all of the scene's.
    pub cameras: Option<Vec<CameraConfig>>,
    /// The motion that plays in each episode, a [`ScriptEntry::id`](crate::ScriptEntry::id); `None`
    /// to drive by hand.
    pub motion: Option<String>,
    /// Whether the scene is put back before each episode, if all of its arms are simulated.
    pub reset_scene: bool,
    /// The address of the hub that datasets are uploaded to.
    pub hub: String,
    /// The dataset's name there: `user/name`.
    pub hub_name: String,
    /// Whether only the owner may see it there.
    pub hub_private: bool,
}

impl Default for RecordSettings {
    fn default() -> Self {
        let lerobot = RecordConfig::new(Place::Folder(String::new()));
        Self {
            tab: RightTab::default(),
            place: String::new(),
            resume: true,
            task: String::new(),
            fps: lerobot.fps,
            episodes: lerobot.episodes,
            episode_secs: lerobot.episode_secs,
            reset_secs: lerobot.reset_secs,
            cameras: None,
            motion: None,
            reset_scene: true,
            hub: "https://huggingface.co".to_owned(),
            hub_name: String::new(),
            hub_private: false,
        }
    }
}

/// How many rows a second can be asked for.
pub(crate) const FPS: std::ops::RangeInclusive<u32> = 1..=120;
/// How many episodes can be asked for.
pub(crate) const EPISODES: std::ops::RangeInclusive<u32> = 1..=10_000;
/// How long an episode may be, seconds.
pub(crate) const EPISODE_SECS: std::ops::RangeInclusive<f64> = 1.0..=3600.0;
/// How long the time between episodes may be, seconds.
pub(crate) const RESET_SECS: std::ops::RangeInclusive<f64> = 0.0..=3600.0;

impl RecordSettings {
    /// The same settings with numbers brought back to what can be used; files can hold anything.
    #[must_use]
    pub(crate) fn sanitized(mut self) -> Self {
        let defaults = Self::default();
        let secs = |value: f64, range: std::ops::RangeInclusive<f64>, default: f64| {
            if value.is_finite() {
                value.clamp(*range.start(), *range.end())
            } else {
                default
            }
        };
        self.fps = self.fps.clamp(*FPS.start(), *FPS.end());
        self.episodes = self.episodes.clamp(*EPISODES.start(), *EPISODES.end());
        self.episode_secs = secs(self.episode_secs, EPISODE_SECS, defaults.episode_secs);
        self.reset_secs = secs(self.reset_secs, RESET_SECS, defaults.reset_secs);
        self
    }

    /// Where the dataset is, or will be.
    #[must_use]
    pub fn place(&self, view: &RecordView) -> Place {
        let text = match self.place.trim() {
            "" => view.default_place.clone(),
            text => text.to_owned(),
        };
        view.place(text)
    }

    /// The cameras that are recorded: those that were chosen, or all of the scene's. Cameras of
    /// other scenes are left out.
    #[must_use]
    pub fn cameras(&self, view: &RecordView) -> Vec<CameraConfig> {
        let of_scene = |source: &CameraSource| matches!(source, CameraSource::Sim(_));
        let there = |source: &CameraSource| view.sources.iter().any(|it| it.source == *source);
        match &self.cameras {
            Some(chosen) => chosen
                .iter()
                .filter(|camera| !of_scene(&camera.source) || there(&camera.source))
                .cloned()
                .collect(),
            None => view
                .sources
                .iter()
                .filter(|info| of_scene(&info.source))
                .map(|info| camera(&info.source, &[]))
                .collect(),
        }
    }

    /// What to record, and into what.
    #[must_use]
    pub fn config(&self, view: &RecordView) -> RecordConfig {
        RecordConfig {
            resume: self.resume,
            task: self.task.trim().to_owned(),
            fps: self.fps,
            episodes: self.episodes,
            episode_secs: self.episode_secs,
            reset_secs: self.reset_secs,
            cameras: self.cameras(view),
            ..RecordConfig::new(self.place(view))
        }
    }
}

impl RecordView {
    /// A place as this app keeps datasets.
    #[must_use]
    pub fn place(&self, text: String) -> Place {
        if self.in_browser {
            Place::Storage(text)
        } else {
            Place::Folder(text)
        }
    }

    /// Whether a recording is open, ready or under way.
    #[must_use]
    pub fn in_session(&self) -> bool {
        self.state.phase != Phase::Closed
    }

    /// Whether an episode is in hand.
    #[must_use]
    pub fn in_episode(&self) -> bool {
        matches!(
            self.state.phase,
            Phase::Recording | Phase::Paused | Phase::Saving
        )
    }
}

/// A source as a camera of the dataset, with a name that none of `others` has.
pub(crate) fn camera(source: &CameraSource, others: &[CameraConfig]) -> CameraConfig {
    let plain = match source {
        CameraSource::Sim(name) => name.clone(),
        CameraSource::Device(device) => {
            let last = device.rsplit(['/', '\\']).next().unwrap_or_default();
            match last.len() {
                // What browsers call cameras says nothing to people.
                1..=16 => last.to_owned(),
                _ => "camera".to_owned(),
            }
        }
        CameraSource::Pattern => "pattern".to_owned(),
        CameraSource::File(_) => "file".to_owned(),
    };
    let plain: String = plain
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
            _ => '_',
        })
        .collect();
    let taken = |name: &str| others.iter().any(|other| other.name == name);
    let name = std::iter::once(plain.clone())
        .chain((2..).map(|number| format!("{plain}_{number}")))
        .find(|name| !taken(name))
        .unwrap_or(plain);
    CameraConfig {
        name,
        source: source.clone(),
        resolution: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(source: CameraSource) -> CameraInfo {
        CameraInfo {
            label: String::new(),
            modes: Vec::new(),
            source,
        }
    }

    fn sim(name: &str) -> CameraSource {
        CameraSource::Sim(name.to_owned())
    }

    #[test]
    fn the_scenes_cameras_are_recorded_until_others_are_chosen() {
        let device = CameraSource::Device("/dev/video0".to_owned());
        let view = RecordView {
            sources: [sim("wrist"), sim("front"), device.clone()]
                .map(info)
                .into(),
            ..RecordView::default()
        };
        let names = |settings: &RecordSettings| {
            let cameras = settings.cameras(&view);
            cameras.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        let mut settings = RecordSettings::default();
        assert_eq!(names(&settings), ["wrist", "front"]);
        let other = camera(&sim("top of another scene"), &[]);
        settings.cameras = Some(vec![other, camera(&device, &[])]);
        assert_eq!(names(&settings), ["video0"]);
        settings.cameras = Some(Vec::new());
        assert!(names(&settings).is_empty());
    }

    #[test]
    fn cameras_have_names_of_their_own_that_files_can_have() {
        let first = camera(&CameraSource::Device("/dev/Video 0".to_owned()), &[]);
        assert_eq!(first.name, "video_0");
        let again = camera(&sim("video_0"), std::slice::from_ref(&first));
        assert_eq!(again.name, "video_0_2");
        let long = CameraSource::Device("9f86d081884c7d659a2feaa0c55ad015".to_owned());
        assert_eq!(camera(&long, &[]).name, "camera");
        assert_eq!(
            camera(&CameraSource::Device(String::new()), &[]).name,
            "camera"
        );
    }

    #[test]
    fn places_are_folders_or_names() {
        let mut view = RecordView {
            default_place: "first".to_owned(),
            ..RecordView::default()
        };
        let mut settings = RecordSettings::default();
        assert_eq!(settings.place(&view), Place::Folder("first".to_owned()));
        settings.place = " second ".to_owned();
        view.in_browser = true;
        assert_eq!(settings.place(&view), Place::Storage("second".to_owned()));
    }

    #[test]
    fn useless_numbers_are_mended() {
        let settings = RecordSettings {
            fps: 0,
            episodes: u32::MAX,
            episode_secs: f64::NAN,
            reset_secs: -1.0,
            ..RecordSettings::default()
        }
        .sanitized();
        assert_eq!((settings.fps, settings.episodes), (1, 10_000));
        assert_eq!((settings.episode_secs, settings.reset_secs), (60.0, 0.0));
    }
}
