//! Cameras: frames of whatever source, and how the source does.
//!
//! A [`Camera`] is polled. Simulated cameras, test patterns and pictures from files are drawn on a thread
//! of their own under [`Pace::Live`] and within the calls under [`Pace::Stepped`]; real cameras always have
//! a thread, and a browser's come by themselves. Frames are stamped when they are taken: a real
//! camera's by the driver, a simulated one's with the time of the tick that it shows.
//!
//! A camera that dies is opened again and again until it lives; one whose pictures stay the same to
//! the last bit is [`Frozen`](CameraHealth::Frozen), which noise in real cameras rules out. A
//! simulated camera and a pattern may stand still.

mod drawn;
#[cfg(not(target_family = "wasm"))]
mod files;
mod monitor;
#[cfg(not(target_family = "wasm"))]
mod native;
mod pattern;
mod sim;
#[cfg(target_os = "linux")]
mod v4l2;
#[cfg(target_family = "wasm")]
pub(crate) mod web;

use std::sync::Arc;

use forearm_protocol::record::{
    CameraConfig, CameraHealth, CameraInfo, CameraSource, CameraState, TickLayout,
};
use forearm_protocol::scene::{MAX_CAMERA_PIXELS, ModelProblem, SceneBundle};

use crate::Pace;
use crate::frame::Frame;
use monitor::Monitor;
#[cfg(not(target_family = "wasm"))]
use native as platform;
pub use pattern::read_number;
#[cfg(target_family = "wasm")]
use web as platform;

/// The time now, seconds on the shared clock.
pub type Now = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Frames that wait to be taken before a source drops its new ones.
const QUEUE_FRAMES: usize = 8;

/// Why a camera can't be opened. A real camera that is not there is no error: it counts as lost and
/// is tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// A simulated camera without a scene.
    #[error("the simulated camera `{0}` has no scene yet; load a scene first")]
    NoScene(String),
    /// The scene has no such camera.
    #[error("the scene has no camera `{name}`; it has {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The scene's arms can't be drawn.
    #[error(transparent)]
    Model(#[from] ModelProblem),
    /// A resolution that can't be had.
    #[error("the resolution {}×{} can't be had; expected at least 16×16 and at most {MAX_CAMERA_PIXELS} \
             pixels in all", .0[0], .0[1])]
    Resolution([u32; 2]),
    /// A source that this build or platform doesn't have.
    #[error("{what}; {instead}")]
    Unsupported {
        /// What was asked for, and that it is not built in.
        what: String,
        /// What to do instead.
        instead: String,
    },
    /// A folder or its pictures can't be used.
    #[error("{0}")]
    File(String),
    /// No thread to be had.
    #[error("no thread for a camera could be started: {0}; close other programs")]
    Thread(String),
}

/// A camera, open until it is dropped.
pub struct Camera {
    config: CameraConfig,
    source: Box<dyn Source>,
    monitor: Monitor,
    now: Now,
}

impl std::fmt::Debug for Camera {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Camera")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// What a source has to tell.
#[derive(Debug)]
pub(crate) enum Report {
    /// A frame, with a fingerprint of its pixels if equal pixels mean that the camera hangs.
    Frame(Frame, Option<u64>),
    /// Frames that could not be taken, since the last report of them.
    Dropped(u64),
    /// No frames come; why, and what to do. The source goes on trying.
    Lost(String),
}

/// Where frames come from.
pub(crate) trait Source: Send {
    /// The next report, if there is one; never waits.
    fn poll(&mut self, now_secs: f64) -> Option<Report>;

    /// Shows a simulated camera the world.
    fn show(&mut self, _tick: &[f64], _layout: TickLayout) {}

    /// Takes a frame's buffer back.
    fn recycle(&mut self, _frame: Frame) {}
}

impl Camera {
    /// Opens a camera. A simulated one needs the scene.
    ///
    /// # Errors
    /// [`CameraError`]: what can't be had, and what to do instead.
    pub fn open(
        config: &CameraConfig,
        bundle: Option<&Arc<SceneBundle>>,
        now: Now,
        pace: Pace,
    ) -> Result<Self, CameraError> {
        if let Some(size) = config.resolution {
            check_resolution(size)?;
        }
        let source: Box<dyn Source> = match &config.source {
            CameraSource::Pattern => Box::new(pattern::open(config.resolution, pace)?),
            CameraSource::Sim(name) => {
                let bundle = bundle.ok_or_else(|| CameraError::NoScene(name.clone()))?;
                Box::new(sim::open(bundle, name, config.resolution, pace)?)
            }
            CameraSource::File(path) => platform::open_file(path, pace)?,
            CameraSource::Device(device) => platform::open_device(device, config.resolution, &now)?,
        };
        Ok(Self {
            config: config.clone(),
            source,
            monitor: Monitor::new(now()),
            now,
        })
    }

    /// The next frame in the order of taking, if there is one. To be asked often: what waits too
    /// long is dropped, and the camera's health is only as fresh as the last call.
    pub fn try_frame(&mut self) -> Option<Frame> {
        loop {
            let now_secs = (self.now)();
            match self.source.poll(now_secs)? {
                Report::Frame(frame, fingerprint) => {
                    self.monitor.frame(&frame, fingerprint);
                    return Some(frame);
                }
                Report::Dropped(count) => self.monitor.dropped(count),
                Report::Lost(why) => self.monitor.lost(why),
            }
        }
    }

    /// How it does. [`CameraState::queued`] is left 0: it is about encoding.
    #[must_use]
    pub fn state(&self) -> CameraState {
        let simulated = matches!(self.config.source, CameraSource::Sim(_));
        let mut state = CameraState {
            name: self.config.name.clone(),
            source: self.config.source.clone(),
            health: CameraHealth::Opening,
            resolution: [0; 2],
            rate_hz: 0.0,
            age_secs: 0.0,
            dropped: 0,
            queued: 0,
        };
        self.monitor.fill(&mut state, (self.now)(), simulated);
        state
    }

    /// Shows a simulated camera the world: one tick of a `TickBatch`. To be called with every tick,
    /// in order; the camera takes those that are due at its rate. Others look away.
    pub fn show(&mut self, tick: &[f64], layout: TickLayout) {
        self.source.show(tick, layout);
    }

    /// Gives a frame's buffer back, so that the next one needs none.
    pub fn recycle(&mut self, frame: Frame) {
        self.source.recycle(frame);
    }

    /// What it was opened with.
    #[must_use]
    pub fn config(&self) -> &CameraConfig {
        &self.config
    }
}

/// The cameras that could be opened: the scene's, the system's, and the test pattern. In a browser the
/// system's are known to the page only.
#[must_use]
pub fn list(bundle: Option<&SceneBundle>) -> Vec<CameraInfo> {
    let cameras = bundle.map_or(&[][..], |bundle| &bundle.scene.cameras);
    let mut all: Vec<CameraInfo> = cameras
        .iter()
        .map(|camera| CameraInfo {
            source: CameraSource::Sim(camera.name.clone()),
            label: format!("{} (simulated)", camera.name),
            modes: vec![(camera.resolution[0], camera.resolution[1], camera.fps)],
        })
        .collect();
    all.extend(platform::list_devices());
    all.push(CameraInfo {
        source: CameraSource::Pattern,
        label: "Test pattern".to_owned(),
        modes: vec![(pattern::SIZE[0], pattern::SIZE[1], pattern::FPS)],
    });
    all
}

pub(crate) fn check_resolution(size: [u32; 2]) -> Result<(), CameraError> {
    let pixels = u64::from(size[0]) * u64::from(size[1]);
    if size.iter().all(|side| *side >= 16) && pixels <= u64::from(MAX_CAMERA_PIXELS) {
        return Ok(());
    }
    Err(CameraError::Resolution(size))
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
