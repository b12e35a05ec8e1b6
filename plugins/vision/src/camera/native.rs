//! Cameras natively: a thread that draws beside, files, and the system's cameras.

use crossbeam_channel::{Receiver, Sender, bounded};
use forearm_protocol::record::CameraInfo;

use super::drawn::{Artist, Drawn, Inline, Job, Studio};
use super::{CameraError, Now, QUEUE_FRAMES, Source, files};
use crate::Pace;

/// A place for an artist to draw: a thread, or the caller's.
pub(super) fn studio(
    name: &str,
    mut artist: Box<dyn Artist>,
    pace: Pace,
) -> Result<Box<dyn Studio>, CameraError> {
    if pace == Pace::Stepped {
        return Ok(Box::new(Inline::new(artist)));
    }
    let (jobs, work) = bounded::<Job>(QUEUE_FRAMES);
    let (out, done) = bounded(QUEUE_FRAMES);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            for job in work {
                if out.send(Drawn::new(artist.as_mut(), job)).is_err() {
                    return;
                }
            }
        })
        .map_err(|error| CameraError::Thread(error.to_string()))?;
    Ok(Box::new(Beside { jobs, done }))
}

/// Does jobs on a thread, which ends when this is dropped.
struct Beside {
    jobs: Sender<Job>,
    done: Receiver<Drawn>,
}

impl Studio for Beside {
    fn start(&mut self, job: Job) -> Result<(), Job> {
        self.jobs
            .try_send(job)
            .map_err(crossbeam_channel::TrySendError::into_inner)
    }

    fn finished(&mut self) -> Option<Drawn> {
        self.done.try_recv().ok()
    }
}

/// Opens a folder of pictures.
pub(super) fn open_file(path: &str, pace: Pace) -> Result<Box<dyn Source>, CameraError> {
    Ok(Box::new(files::open(path, pace)?))
}

/// Opens one of the system's cameras.
#[cfg(target_os = "linux")]
pub(super) fn open_device(
    device: &str,
    resolution: Option<[u32; 2]>,
    now: &Now,
) -> Result<Box<dyn Source>, CameraError> {
    super::v4l2::open(device, resolution, now)
}

/// Opens one of the system's cameras.
#[cfg(not(target_os = "linux"))]
pub(super) fn open_device(
    device: &str,
    _resolution: Option<[u32; 2]>,
    _now: &Now,
) -> Result<Box<dyn Source>, CameraError> {
    Err(CameraError::Unsupported {
        what: format!("cameras of this system (`{device}`) are not built in yet"),
        instead: "use a simulated camera (`sim:NAME`), or Forearm in the browser".to_owned(),
    })
}

/// The system's cameras.
#[cfg(target_os = "linux")]
pub(super) fn list_devices() -> Vec<CameraInfo> {
    super::v4l2::list()
}

/// The system's cameras: none is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn list_devices() -> Vec<CameraInfo> {
    Vec::new()
}
