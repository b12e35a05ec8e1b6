//! Cameras on Linux: `Video4Linux`, each with a thread of its own.
//!
//! The thread opens the device, takes pictures as they come, makes RGB of them and hands them over;
//! when the camera fails or is silent it says why, closes it, and tries again a second later, for
//! as long as its owner keeps it.

mod driver;
mod pixels;
mod sys;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use forearm_protocol::record::{CameraInfo, CameraSource};

use super::monitor::fingerprint;
use super::{CameraError, Now, QUEUE_FRAMES, Report, Source};
use crate::frame::{Frame, Pixels};
use driver::{Driver, Format};
use sys::KernelDriver;

/// Buffers that the driver may fill meanwhile.
const BUFFERS: u32 = 4;
/// Frames a second that are asked for.
const FPS: f64 = 30.0;
/// How long one wait for a picture lasts, and how many in vain mean that the camera is gone.
const WAIT_MILLIS: u32 = 250;
const MOST_WAITS: u32 = 8;
/// Damaged pictures in a row that mean the same.
const MOST_DAMAGED: u32 = 30;
/// Until the next try to open a camera.
const PAUSE: Duration = Duration::from_secs(1);
/// A stamp that says longer ago than this is not believed, seconds.
const OLDEST_SECS: f64 = 1.0;

/// Opens a device, for instance `/dev/video0`; empty for the first camera there is.
pub(super) fn open(
    device: &str,
    resolution: Option<[u32; 2]>,
    now: &Now,
) -> Result<Box<dyn Source>, CameraError> {
    let name = device.to_owned();
    let opener = move || open_driver(&name);
    Ok(Box::new(start(opener, resolution, now.clone(), PAUSE)?))
}

fn open_driver(device: &str) -> Result<Box<dyn Driver>, String> {
    let path = match device {
        "" => devices()
            .into_iter()
            .next()
            .ok_or("no camera is connected; plug one in, or use a simulated camera (`sim:NAME`)")?,
        path => PathBuf::from(path),
    };
    let shown = path.display();
    let driver = KernelDriver::open(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("`{shown}` is not there; plug the camera in"),
        std::io::ErrorKind::PermissionDenied => format!(
            "`{shown}` may not be opened; add yourself to the group `video` and log in again"
        ),
        _ => format!("`{shown}` can't be opened: {error}"),
    })?;
    match driver.camera() {
        Ok(Some(_)) => Ok(Box::new(driver)),
        Ok(None) => Err(format!(
            "`{shown}` is no camera that streams; many cameras have several devices, try another"
        )),
        Err(error) => Err(format!("`{shown}` is no camera: {error}")),
    }
}

/// The video devices, by number.
fn devices() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/dev") else {
        return Vec::new();
    };
    let number = |path: &Path| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix("video")?.parse().ok()
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((number(&path)?, path))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// The cameras that are connected and can be read.
pub(super) fn list() -> Vec<CameraInfo> {
    let info = |path: PathBuf| {
        let driver = KernelDriver::open(&path).ok()?;
        let label = driver.camera().ok()??;
        let modes = driver::modes(&driver).ok()?;
        let mut modes: Vec<(u32, u32, f64)> = modes
            .iter()
            .map(|mode| (mode.size[0], mode.size[1], mode.fps))
            .collect();
        modes.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2)));
        modes.dedup_by_key(|mode| (mode.0, mode.1));
        (!modes.is_empty()).then(|| CameraInfo {
            source: CameraSource::Device(path.display().to_string()),
            label,
            modes,
        })
    };
    devices().into_iter().filter_map(info).collect()
}

/// Starts the thread. `opener` opens the camera, again after each failure.
fn start(
    opener: impl FnMut() -> Result<Box<dyn Driver>, String> + Send + 'static,
    resolution: Option<[u32; 2]>,
    now: Now,
    pause: Duration,
) -> Result<Device, CameraError> {
    let (reports, reported) = bounded(QUEUE_FRAMES);
    let (spare, spares) = bounded(QUEUE_FRAMES);
    let (alive, stop) = bounded(0);
    let mut camera = Camera {
        resolution,
        now,
        reports,
        spares,
        stop,
        number: 0,
        dropped: 0,
    };
    std::thread::Builder::new()
        .name("camera".to_owned())
        .spawn(move || camera.run(opener, pause))
        .map_err(|error| CameraError::Thread(error.to_string()))?;
    Ok(Device {
        reported,
        spare,
        ended: false,
        _alive: alive,
    })
}

/// The owner's end. The thread ends when it is dropped.
struct Device {
    reported: Receiver<Report>,
    spare: Sender<Vec<u8>>,
    /// Whether the thread's end was told.
    ended: bool,
    /// Hung up when this is dropped.
    _alive: Sender<()>,
}

impl Source for Device {
    fn poll(&mut self, _now_secs: f64) -> Option<Report> {
        match self.reported.try_recv() {
            Ok(report) => Some(report),
            Err(TryRecvError::Disconnected) if !self.ended => {
                self.ended = true;
                let why = "the camera's thread has failed; open the camera again";
                Some(Report::Lost(why.to_owned()))
            }
            Err(_) => None,
        }
    }

    fn recycle(&mut self, frame: Frame) {
        let Pixels::Rgb(rgb) = frame.pixels;
        // More than the queue holds are not needed.
        drop(self.spare.try_send(rgb));
    }
}

/// The thread's end.
struct Camera {
    resolution: Option<[u32; 2]>,
    now: Now,
    reports: Sender<Report>,
    spares: Receiver<Vec<u8>>,
    stop: Receiver<()>,
    /// The next frame's.
    number: u64,
    /// Frames that were lost and not told.
    dropped: u64,
}

/// Why a camera is closed.
enum End {
    /// Nobody wants it any more.
    Stopped,
    /// What went wrong.
    Failed(String),
}

impl Camera {
    fn run(
        &mut self,
        mut opener: impl FnMut() -> Result<Box<dyn Driver>, String>,
        pause: Duration,
    ) {
        loop {
            let end = match opener() {
                Ok(driver) => self.stream(driver),
                Err(why) => End::Failed(why),
            };
            match end {
                End::Stopped => return,
                // What finds no room is told at the next try.
                End::Failed(why) => drop(self.reports.try_send(Report::Lost(why))),
            }
            if self.stop.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Streams until it ends.
    fn stream(&mut self, mut driver: Box<dyn Driver>) -> End {
        let format = match begin(driver.as_mut(), self.resolution) {
            Ok(format) => format,
            Err(why) => return End::Failed(why),
        };
        let failed = |error: std::io::Error| {
            End::Failed(format!(
                "the camera stopped: {error}; check its cable, it is tried again"
            ))
        };
        let (mut waits, mut damaged, mut sequence) = (0, 0, None);
        while !self.stopped() {
            match driver.wait(WAIT_MILLIS) {
                Ok(true) => waits = 0,
                Ok(false) => {
                    waits += 1;
                    if waits >= MOST_WAITS {
                        return End::Failed(
                            "the camera sends no pictures; check its cable, or whether other \
                             cameras take all of the USB's room"
                                .to_owned(),
                        );
                    }
                    continue;
                }
                Err(error) => return failed(error),
            }
            let taken = match driver.take() {
                Ok(Some(taken)) => taken,
                Ok(None) => continue,
                Err(error) => return failed(error),
            };
            let at_secs = self.at_secs(taken.age_secs);
            // Numbers that the driver left out were lost before they came here.
            let lost = sequence.map_or(0, |last: u32| {
                taken.sequence.wrapping_sub(last).wrapping_sub(1)
            });
            sequence = Some(taken.sequence);
            if lost < u32::MAX / 2 {
                self.lose(u64::from(lost));
            }
            let mut rgb = self.spares.try_recv().unwrap_or_default();
            let bytes = driver.data(taken.index);
            let bytes = &bytes[..taken.bytes.min(bytes.len())];
            let result = if taken.damaged {
                Err("the driver says that a picture is damaged".to_owned())
            } else {
                pixels::convert(&format, bytes, &mut rgb)
            };
            if let Err(error) = driver.requeue(taken.index) {
                return failed(error);
            }
            match result {
                Ok(()) => {
                    damaged = 0;
                    self.send(format.size, rgb, at_secs);
                }
                Err(why) => {
                    damaged += 1;
                    self.lose(1);
                    if damaged >= MOST_DAMAGED {
                        return End::Failed(format!(
                            "the camera's pictures can't be read: {why}; try another resolution"
                        ));
                    }
                }
            }
        }
        End::Stopped
    }

    fn at_secs(&self, age_secs: Option<f64>) -> f64 {
        let now_secs = (self.now)();
        match age_secs {
            Some(age) if (0.0..OLDEST_SECS).contains(&age) => now_secs - age,
            _ => now_secs,
        }
    }

    fn lose(&mut self, count: u64) {
        self.number += count;
        self.dropped += count;
    }

    fn send(&mut self, size: [u32; 2], rgb: Vec<u8>, captured_secs: f64) {
        if self.dropped > 0 && self.reports.try_send(Report::Dropped(self.dropped)).is_ok() {
            self.dropped = 0;
        }
        let print = fingerprint(&rgb);
        let frame = Frame {
            size,
            pixels: Pixels::Rgb(rgb),
            captured_secs,
            number: self.number,
        };
        if self
            .reports
            .try_send(Report::Frame(frame, Some(print)))
            .is_ok()
        {
            self.number += 1;
        } else {
            self.lose(1);
        }
    }
}

/// Agrees on a format and starts.
fn begin(driver: &mut dyn Driver, resolution: Option<[u32; 2]>) -> Result<Format, String> {
    let failed = |what: &str, error: std::io::Error| match error.raw_os_error() {
        Some(libc::EBUSY) => {
            "the camera is used by another program; close it and wait a second".to_owned()
        }
        _ => format!("the camera can't be {what}: {error}"),
    };
    let modes = driver::modes(driver).map_err(|error| failed("asked for its modes", error))?;
    let mode = driver::choose(&modes, resolution).ok_or(
        "the camera offers neither YUYV nor MJPEG pictures, which are the ones that can be read",
    )?;
    let format = driver
        .set_format(mode.pixel_format, mode.size)
        .map_err(|error| failed("set up", error))?;
    if let Err(error) = driver.set_rate(FPS) {
        // Some have one rate only.
        tracing::debug!("a camera keeps its rate: {error}");
    }
    driver
        .start(BUFFERS)
        .map_err(|error| failed("started", error))?;
    Ok(format)
}
