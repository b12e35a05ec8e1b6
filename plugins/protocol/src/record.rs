//! What the record service is asked ([`Request`] → [`Reply`]), told ([`Command`], no answer) and tells
//! ([`Event`]), and what control feeds it past the app ([`TickBatch`]).
//!
//! Times of ticks and frames are seconds on the clock that all services of a process (a page) share.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Buffer;
use crate::control::Notice;
use crate::envelope::Message;
use crate::scene::SceneBundle;

/// Where a dataset is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// A folder: LeRobot's `root`. Natively.
    Folder(String),
    /// A name in the browser's private storage; natively a dataset in memory, gone with the service.
    Storage(String),
}

/// What to record, and into what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordConfig {
    /// Where the dataset is, or will be.
    pub place: Place,
    /// Whether to go on with a dataset that is there. Otherwise one that is there is refused.
    pub resume: bool,
    /// What the arm is to do, in words: the task of the next episodes.
    pub task: String,
    /// Rows a second of the dataset.
    pub fps: u32,
    /// How many episodes are wanted.
    pub episodes: u32,
    /// How long an episode lasts at most, seconds.
    pub episode_secs: f64,
    /// How much time there is between episodes to put things back, seconds.
    pub reset_secs: f64,
    /// The cameras.
    pub cameras: Vec<CameraConfig>,
    /// How good the picture is: the quantiser of H.264, 0 (best) to 51.
    pub video_quality: u8,
}

impl RecordConfig {
    /// LeRobot's defaults, for a dataset at `place`.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self {
            place,
            resume: false,
            task: String::new(),
            fps: 30,
            episodes: 50,
            episode_secs: 60.0,
            reset_secs: 60.0,
            cameras: Vec::new(),
            video_quality: 23,
        }
    }
}

/// A camera that is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraConfig {
    /// Its name in the dataset: `observation.images.<name>`.
    pub name: String,
    /// Where its frames come from.
    pub source: CameraSource,
    /// Width and height, pixels; the source's own when left out.
    pub resolution: Option<[u32; 2]>,
}

/// Where a camera's frames come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CameraSource {
    /// A camera of the scene, by name.
    Sim(String),
    /// A real camera: natively a device (`/dev/video0`), in the browser a `deviceId`, empty for the
    /// browser's default.
    Device(String),
    /// A moving test pattern with the frame's number in it.
    Pattern,
    /// Pictures of a file, over and over: an MP4 with H.264, or a folder of PNG files. Natively.
    File(String),
}

/// A camera that could be recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraInfo {
    /// What to open.
    pub source: CameraSource,
    /// What to call it for people.
    pub label: String,
    /// Resolutions and rates that it offers: width, height, frames a second.
    pub modes: Vec<(u32, u32, f64)>,
}

/// Asked of the record service; each gets exactly one [`Reply`] or error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Which cameras there are: [`Reply::Cameras`].
    ListCameras,
    /// Open these cameras to look at, without a dataset; an empty list closes them.
    Preview(Vec<CameraConfig>),
    /// Open a dataset and its cameras; nothing is recorded yet: [`Reply::Dataset`].
    Open(Box<RecordConfig>),
    /// Open a dataset to look at or work on it, without cameras: [`Reply::Dataset`].
    Browse(Place),
    /// Datasets in the browser's storage: [`Reply::Names`]. Natively none.
    ListStored,
    /// Delete a dataset in the browser's storage, for good.
    DeleteStored(String),
    /// Begin the next episode.
    Start,
    /// End the episode in hand and keep it; or end the reset time.
    NextEpisode,
    /// Throw the episode in hand away and record it again; in reset time, the one just recorded.
    Rerecord,
    /// Stop the clock of the episode in hand, or let it go on. What happens meanwhile is left out.
    Pause(bool),
    /// End the recording: the episode in hand is kept. Answered when everything is written.
    Finish,
    /// Close the dataset and the cameras.
    Close,
    /// Change the task of the next episodes.
    SetTask(String),
    /// Delete episodes; [`Request::UndoDelete`] brings them back until the dataset is closed.
    DeleteEpisodes(Vec<u32>),
    /// Bring back what was deleted last.
    UndoDelete,
    /// Keep (true) or throw away the episode that a crash left behind ([`RecordState::recoverable`]).
    Recover(bool),
    /// An episode's numbers: [`Reply::Episode`].
    Episode(u32),
    /// One row of an episode with its pictures: [`Reply::Frame`].
    Frame {
        /// The episode.
        episode: u32,
        /// The row, from 0.
        frame: u32,
    },
    /// Pack the dataset. To a file natively; otherwise it comes as [`Event::Chunk`]s.
    /// Answered at its end: [`Reply::Exported`].
    Export {
        /// The ZIP file, natively; `None` to get it as [`Event::Chunk`]s.
        file: Option<String>,
        /// How many bytes of chunks may be under way before the owner says [`Command::ChunkTaken`].
        window_bytes: u32,
    },
    /// Upload the dataset to a hub: [`Reply::Exported`].
    Upload(Box<UploadConfig>),
}

/// Where to upload a dataset to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadConfig {
    /// The hub's address, for instance `https://huggingface.co`.
    pub endpoint: String,
    /// The dataset's name there: `user/name`.
    pub repo_id: String,
    /// Whether only the owner may see it.
    pub private: bool,
    /// The owner's access token.
    pub token: String,
}

impl std::fmt::Debug for UploadConfig {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadConfig")
            .field("endpoint", &self.endpoint)
            .field("repo_id", &self.repo_id)
            .field("private", &self.private)
            .finish_non_exhaustive()
    }
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Done.
    Done,
    /// To [`Request::ListCameras`].
    Cameras(Vec<CameraInfo>),
    /// To [`Request::Open`] and [`Request::Browse`].
    Dataset(Box<DatasetSummary>),
    /// To [`Request::ListStored`].
    Names(Vec<String>),
    /// To [`Request::Episode`].
    Episode(Box<EpisodeSeries>),
    /// To [`Request::Frame`].
    Frame(Box<DatasetFrame>),
    /// To [`Request::Export`] and [`Request::Upload`].
    Exported {
        /// How many files.
        files: u32,
        /// How many bytes they have together, packed.
        bytes: u64,
        /// Where it is now: a file, or an address.
        to: String,
    },
}

/// Told to the record service; no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::message::Message))]
pub enum Command {
    /// The scene that control has loaded, and its number: what [`TickBatch`]es speak of.
    Scene {
        /// [`crate::control::StateUpdate::scene_generation`].
        generation: u64,
        /// The scene.
        bundle: Arc<SceneBundle>,
    },
    /// Stop exporting, uploading or whatever else takes its time.
    Cancel,
    /// This many bytes of [`Event::Chunk`]s were taken.
    ChunkTaken(u32),
}

/// What the record service tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::message::Message))]
pub enum Event {
    /// The state of everything, 10 times a second and at every change of [`RecordState::phase`].
    State(Box<RecordState>),
    /// The dataset has other episodes now.
    Dataset(Box<DatasetSummary>),
    /// A camera's newest picture, small, up to 15 a second.
    Preview(Picture),
    /// The next part of an export.
    Chunk(Buffer),
    /// How far an export, an upload or a repair is.
    Progress {
        /// What is done.
        stage: String,
        /// 0 to 1.
        fraction: f64,
    },
    /// Something a person should read.
    Notice(Notice),
    /// What is open, at every change: what takes this service's place after a crash opens it again.
    Opened(Opened),
}

/// What the record service has open.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Opened {
    /// Nothing.
    #[default]
    Nothing,
    /// Cameras, to look at.
    Preview(Vec<CameraConfig>),
    /// A dataset, to look at and work on.
    Browsing(Place),
    /// A dataset and its cameras, to record.
    Recording(Box<RecordConfig>),
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// The camera's name.
    pub camera: String,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// RGBA, 8 bits each, sRGB, rows from the top.
    pub rgba: Buffer,
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Phase {
    /// No dataset is open for recording.
    #[default]
    Closed,
    /// Waits for [`Request::Start`].
    Ready,
    /// An episode is being recorded.
    Recording,
    /// An episode is being recorded and its clock stands.
    Paused,
    /// The last frames are being encoded and the episode written.
    Saving,
    /// Time to put things back; the next episode begins when it is over.
    Resetting,
    /// As many episodes as were wanted.
    Finished,
}

/// The state of a recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecordState {
    /// Where it stands.
    pub phase: Phase,
    /// The episode in hand, or the next one: its index in the dataset.
    pub episode: u32,
    /// How many episodes this recording has made, and how many are wanted.
    pub made: u32,
    /// See [`RecordState::made`].
    pub wanted: u32,
    /// How long this phase has lasted, pauses left out, seconds.
    pub phase_secs: f64,
    /// When it ends by itself, seconds from its start.
    pub phase_limit_secs: Option<f64>,
    /// Rows of the episode in hand.
    pub frames: u32,
    /// The task of the episode in hand, or of the next one.
    pub task: String,
    /// The cameras.
    pub cameras: Vec<CameraState>,
    /// Control ticks that came in, a second, over the last second.
    pub tick_hz: f64,
    /// Control ticks that were lost on their way, in the episode in hand.
    pub ticks_lost: u64,
    /// An episode that a crash left behind.
    pub recoverable: Option<Recoverable>,
    /// Whether something was deleted that [`Request::UndoDelete`] brings back.
    pub can_undo: bool,
    /// Free space where the dataset is, bytes, if it is known.
    pub free_bytes: Option<u64>,
}

/// An episode that a crash left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recoverable {
    /// Its index in the dataset.
    pub episode: u32,
    /// Rows that can be had back.
    pub frames: u32,
    /// Its task.
    pub task: String,
}

/// How a camera does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraState {
    /// Its name.
    pub name: String,
    /// Where its frames come from.
    pub source: CameraSource,
    /// Whether they come.
    pub health: CameraHealth,
    /// Width and height, pixels; 0 until the first frame.
    pub resolution: [u32; 2],
    /// Frames a second, over the last second.
    pub rate_hz: f64,
    /// How old the newest frame is, seconds.
    pub age_secs: f64,
    /// Frames of the episode in hand that could not be taken because encoding was behind; 0 without one.
    pub dropped: u64,
    /// Frames that wait to be encoded.
    pub queued: u32,
}

/// Whether a camera's frames come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CameraHealth {
    /// It is being opened.
    #[default]
    Opening,
    /// New frames come.
    Live,
    /// Frames come, and are all the same: the camera hangs.
    Frozen,
    /// None come; why, and what to do. It is tried again.
    Lost(String),
}

/// A dataset in short.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DatasetSummary {
    /// The folder, or the name in the browser's storage.
    pub name: String,
    /// What recorded it: LeRobot's robot type.
    pub robot_type: String,
    /// Rows a second.
    pub fps: u32,
    /// Names of the numbers of an action, of LeRobot (`shoulder_pan.pos`).
    pub action_names: Vec<String>,
    /// Names of the numbers of a state.
    pub state_names: Vec<String>,
    /// Names of the cameras.
    pub cameras: Vec<String>,
    /// The episodes.
    pub episodes: Vec<EpisodeInfo>,
    /// Size of its files, bytes.
    pub bytes: u64,
    /// What is wrong with it, one line each, as far as its tables and the names of its files tell; rows and
    /// videos are not looked at.
    pub problems: Vec<String>,
}

/// An episode in short.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EpisodeInfo {
    /// Its index.
    pub index: u32,
    /// Rows.
    pub frames: u32,
    /// Its task.
    pub task: String,
    /// How well it was recorded; `None` for one that others recorded.
    pub quality: Option<EpisodeQuality>,
}

/// How well an episode was recorded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EpisodeQuality {
    /// Control ticks a second.
    pub tick_hz: f64,
    /// 99th percentile of a tick interval's deviation from the median interval, seconds.
    pub tick_jitter_p99_secs: f64,
    /// Ticks that were lost.
    pub ticks_lost: u64,
    /// Greatest time between a row and the ticks around it, seconds.
    pub tick_gap_max_secs: f64,
    /// One a camera.
    pub cameras: Vec<CameraQuality>,
}

/// How well a camera was recorded in an episode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CameraQuality {
    /// Its name.
    pub name: String,
    /// Frames that it gave, a second.
    pub rate_hz: f64,
    /// Rows that show the same frame as the row before, for want of a newer one.
    pub repeated: u32,
    /// Frames that no row was near to: the camera is faster than the dataset.
    pub unused: u32,
    /// Frames that were lost because encoding was behind.
    pub dropped: u32,
    /// Rows during which the camera hung or was gone.
    pub stale: u32,
    /// Greatest time between a row and its frame, seconds.
    pub offset_max_secs: f64,
}

/// An episode's numbers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EpisodeSeries {
    /// Its index.
    pub index: u32,
    /// Rows.
    pub frames: u32,
    /// Its tasks.
    pub tasks: Vec<String>,
    /// Row after row, as many numbers as [`DatasetSummary::action_names`] each; LeRobot's units.
    pub actions: Vec<f32>,
    /// Row after row, as many numbers as [`DatasetSummary::state_names`] each; LeRobot's units.
    pub states: Vec<f32>,
}

/// One row of an episode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DatasetFrame {
    /// The episode.
    pub episode: u32,
    /// The row, from 0.
    pub frame: u32,
    /// Width and height of each camera's picture, pixels, in the order of [`DatasetSummary::cameras`].
    pub sizes: Vec<[u32; 2]>,
    /// The pictures one after another: RGBA, 8 bits each, sRGB, rows from the top.
    pub rgba: Buffer,
}

/// Some control ticks in a row, as control feeds them to the record service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TickBatch {
    /// The scene they are of.
    pub generation: u64,
    /// The number of the first one since the scene was loaded or reset; it counts on by one.
    pub first_tick: u64,
    /// How many numbers a tick has: [`TickLayout::width`].
    pub width: u32,
    /// Tick after tick: time (seconds, shared clock); measured joint positions of all arms (radians,
    /// metres), in the order of the scene; joint targets, as the backends took them; objects'
    /// positions (metres) and rotations (quaternion `[x, y, z, w]`), 7 numbers each.
    pub values: Vec<f64>,
}

/// Where what is in a tick of a [`TickBatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TickLayout {
    /// Joints of all arms together.
    pub joints: usize,
    /// Objects of the scene.
    pub objects: usize,
}

impl TickLayout {
    /// Numbers a tick.
    #[must_use]
    pub const fn width(self) -> usize {
        1 + 2 * self.joints + 7 * self.objects
    }

    /// The measured positions in a tick.
    #[must_use]
    pub const fn positions(self) -> std::ops::Range<usize> {
        1..1 + self.joints
    }

    /// The targets in a tick.
    #[must_use]
    pub const fn targets(self) -> std::ops::Range<usize> {
        1 + self.joints..1 + 2 * self.joints
    }

    /// An object's pose in a tick.
    #[must_use]
    pub const fn object(self, object: usize) -> std::ops::Range<usize> {
        let first = 1 + 2 * self.joints + 7 * object;
        first..first + 7
    }
}

impl TickBatch {
    /// The ticks, one after another; a last one that is cut off is left out.
    pub fn ticks(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width.max(1) as usize)
    }
}

impl Message for Request {
    fn name(&self) -> &'static str {
        match self {
            Self::ListCameras => "record/list_cameras",
            Self::Preview(_) => "record/preview",
            Self::Open(_) => "record/open",
            Self::Browse(_) => "record/browse",
            Self::ListStored => "record/list_stored",
            Self::DeleteStored(_) => "record/delete_stored",
            Self::Start => "record/start",
            Self::NextEpisode => "record/next_episode",
            Self::Rerecord => "record/rerecord",
            Self::Pause(_) => "record/pause",
            Self::Finish => "record/stop",
            Self::Close => "record/close",
            Self::SetTask(_) => "record/set_task",
            Self::DeleteEpisodes(_) => "record/delete_episodes",
            Self::UndoDelete => "record/undo_delete",
            Self::Recover(_) => "record/recover",
            Self::Episode(_) => "record/episode",
            Self::Frame { .. } => "record/frame",
            Self::Export { .. } => "record/export_zip",
            Self::Upload(_) => "record/upload",
        }
    }
}

impl Message for Reply {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "record/done",
            Self::Cameras(_) => "record/cameras",
            Self::Dataset(_) => "record/dataset",
            Self::Names(_) => "record/names",
            Self::Episode(_) => "record/episode_series",
            Self::Frame(_) => "record/dataset_frame",
            Self::Exported { .. } => "record/exported",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Frame(frame) => vec![&mut frame.rgba],
            _ => Vec::new(),
        }
    }
}

impl Message for Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Scene { .. } => "record/scene",
            Self::Cancel => "record/cancel",
            Self::ChunkTaken(_) => "record/chunk_taken",
        }
    }
}

impl Message for Event {
    fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "record/state_update",
            Self::Dataset(_) => "record/dataset_changed",
            Self::Preview(_) => "record/preview_frame",
            Self::Chunk(_) => "record/chunk",
            Self::Progress { .. } => "record/progress",
            Self::Notice(_) => "record/notice",
            Self::Opened(_) => "record/opened",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Preview(picture) => vec![&mut picture.rgba],
            Self::Chunk(bytes) => vec![bytes],
            _ => Vec::new(),
        }
    }
}

impl Message for TickBatch {
    fn name(&self) -> &'static str {
        "record/frame_append"
    }
}
