//! The cameras that are open: each one's newest frame, its little picture for people, its health.

use std::sync::Arc;

use forearm_protocol::Buffer;
use forearm_protocol::record::{
    CameraConfig, CameraHealth, CameraSource, CameraState, Picture, TickLayout,
};
use forearm_protocol::scene::SceneBundle;
use forearm_vision::{Camera, Frame, Now, Pace};

/// The least time between two little pictures, seconds; a bit less than a fifteenth, for frames don't
/// come to the dot.
const PREVIEW_SECS: f64 = 1.0 / 15.5;
/// A camera that gave its last frame longer ago than this gives none, seconds.
const FRESH_SECS: f64 = 1.0;

/// An open camera.
pub struct Eye {
    config: CameraConfig,
    /// Or why it can't be opened.
    camera: Result<Camera, String>,
    /// The newest frame that nobody took.
    newest: Option<Frame>,
    /// Width and height of its frames, pixels, once there was one.
    size: Option<[u32; 2]>,
    newest_secs: f64,
    preview_secs: f64,
    /// Whether a person was told that it gives nothing.
    told: bool,
    /// Frames that it had dropped when an episode began.
    dropped_before: u64,
}

impl Eye {
    /// Opens a camera. One that can't be opened says so in its state.
    #[must_use]
    pub fn open(
        config: &CameraConfig,
        bundle: Option<&Arc<SceneBundle>>,
        now: Now,
        pace: Pace,
    ) -> Self {
        Self {
            config: config.clone(),
            camera: Camera::open(config, bundle, now, pace).map_err(|error| error.to_string()),
            newest: None,
            size: None,
            newest_secs: f64::NEG_INFINITY,
            preview_secs: f64::NEG_INFINITY,
            told: false,
            dropped_before: 0,
        }
    }

    /// What it was opened with.
    #[must_use]
    pub fn config(&self) -> &CameraConfig {
        &self.config
    }

    /// Whether it shows the simulated world, which another scene changes.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        matches!(self.config.source, CameraSource::Sim(_))
    }

    /// Shows a simulated camera the world.
    pub fn show(&mut self, tick: &[f64], layout: TickLayout) {
        if let Ok(camera) = &mut self.camera {
            camera.show(tick, layout);
        }
    }

    /// The next frame.
    pub fn next(&mut self) -> Option<Frame> {
        let frame = self.camera.as_mut().ok()?.try_frame()?;
        self.size = Some(frame.size);
        self.newest_secs = frame.captured_secs;
        Some(frame)
    }

    /// Keeps a frame that nobody wants yet: an episode that begins begins with it.
    pub fn keep(&mut self, frame: Frame) {
        if let Some(older) = self.newest.replace(frame) {
            self.recycle(older);
        }
    }

    /// The frame that was kept.
    pub fn take_newest(&mut self) -> Option<Frame> {
        self.newest.take()
    }

    /// An episode begins: what was dropped before is none of it.
    pub fn count_anew(&mut self) {
        if let Ok(camera) = &self.camera {
            self.dropped_before = camera.state().dropped;
        }
    }

    /// Gives a frame's memory back.
    pub fn recycle(&mut self, frame: Frame) {
        if let Ok(camera) = &mut self.camera {
            camera.recycle(frame);
        }
    }

    /// The frame's little picture, if it is time for one.
    pub fn preview(&mut self, frame: &Frame) -> Option<Picture> {
        let since_secs = frame.captured_secs - self.preview_secs;
        if (0.0..PREVIEW_SECS).contains(&since_secs) {
            return None;
        }
        self.preview_secs = frame.captured_secs;
        let ([width, height], rgba) = frame.small_rgba();
        Some(Picture {
            camera: self.config.name.clone(),
            width,
            height,
            rgba: Buffer::from(rgba),
        })
    }

    /// Width and height of its frames, pixels, once there was one.
    #[must_use]
    pub fn size(&self) -> Option<[u32; 2]> {
        self.size
    }

    /// Whether all its pictures are the same.
    #[must_use]
    pub fn hangs(&self) -> bool {
        self.state().health == CameraHealth::Frozen
    }

    /// Why an episode can't begin with it, if so.
    #[must_use]
    pub fn complaint(&self, now_secs: f64) -> Option<String> {
        let name = &self.config.name;
        match (&self.camera, self.size) {
            (Err(why), _) => Some(format!("camera `{name}`: {why}")),
            (Ok(_), Some(_)) if now_secs - self.newest_secs <= FRESH_SECS => None,
            (Ok(_), _) => Some(match self.state().health {
                CameraHealth::Lost(why) => format!("camera `{name}`: {why}"),
                _ if self.is_simulated() => format!(
                    "camera `{name}` has given no picture so far: it needs the running simulation"
                ),
                _ => format!("camera `{name}` has given no picture so far: look at its cable"),
            }),
        }
    }

    /// What to tell a person about a camera that gives nothing in the middle of an episode: once, until
    /// it gives something again. `misfits`: its pictures have another size than the episode's.
    pub fn alarm(&mut self, now_secs: f64, misfits: bool) -> Option<String> {
        let health = self.state().health;
        let gone = now_secs - self.newest_secs > FRESH_SECS;
        if !gone && !misfits && health != CameraHealth::Frozen {
            self.told = false;
            return None;
        }
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let name = &self.config.name;
        if misfits {
            return Some(format!(
                "Camera `{name}` has another resolution now. The episode goes on with its last \
                 picture, counted as stale; record the episode again."
            ));
        }
        Some(match health {
            CameraHealth::Frozen => format!(
                "Camera `{name}` hangs: all its pictures are the same. The episode goes on with \
                 them, counted as stale; plug the camera in again, and record the episode again."
            ),
            CameraHealth::Lost(why) => format!(
                "Camera `{name}` is gone ({why}). The episode goes on with its last picture, \
                 counted as stale; plug the camera in again, and record the episode again."
            ),
            CameraHealth::Opening | CameraHealth::Live if self.is_simulated() => format!(
                "Camera `{name}` gives no pictures: drawing them takes this machine too long. The \
                 episode goes on with its last one, counted as stale; take smaller pictures or \
                 fewer cameras, and record the episode again."
            ),
            CameraHealth::Opening | CameraHealth::Live => format!(
                "Camera `{name}` gives no pictures. The episode goes on with its last one, counted \
                 as stale; look at the camera, and record the episode again."
            ),
        })
    }

    /// How it does, with what it dropped since an episode began; `queued` and what encoding dropped are
    /// added by whoever encodes.
    #[must_use]
    pub fn state(&self) -> CameraState {
        match &self.camera {
            Ok(camera) => {
                let mut state = camera.state();
                state.dropped = state.dropped.saturating_sub(self.dropped_before);
                state
            }
            Err(why) => CameraState {
                name: self.config.name.clone(),
                source: self.config.source.clone(),
                health: CameraHealth::Lost(why.clone()),
                resolution: [0; 2],
                rate_hz: 0.0,
                age_secs: 0.0,
                dropped: 0,
                queued: 0,
            },
        }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn an_episode_counts_its_own_dropped_frames() {
        let millis = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&millis);
        let now: Now = Arc::new(move || clock.load(Ordering::Relaxed) as f64 * 1e-3);
        let config = CameraConfig {
            name: "pattern".to_owned(),
            source: CameraSource::Pattern,
            resolution: Some([64, 48]),
        };
        let mut eye = Eye::open(&config, None, now, Pace::Stepped);
        // Nobody looks at it for a second each.
        let wait = |eye: &mut Eye| {
            millis.fetch_add(1000, Ordering::Relaxed);
            while let Some(frame) = eye.next() {
                eye.recycle(frame);
            }
            eye.state().dropped
        };
        wait(&mut eye);
        assert!(wait(&mut eye) > 20);
        eye.count_anew();
        assert_eq!(eye.state().dropped, 0);
        assert!((20..=30).contains(&wait(&mut eye)));
    }
}
