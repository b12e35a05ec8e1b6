//! Cameras in a browser: those of the page ([`crate::web`]), and artists that draw within the calls.

use std::cell::Cell;

use forearm_protocol::record::CameraInfo;

pub(crate) use crate::web::Video as Picture;

use super::drawn::{Artist, Drawn, Inline, Job, Studio};
use super::monitor::fingerprint;
use super::{CameraError, Now, Report, Source};
use crate::Pace;
use crate::frame::{Frame, Pixels};
use crate::web::binding::shared_secs;
use crate::web::load::Load;
use crate::web::source::{Device, Told};

/// A simulated camera shows what is no older than this, seconds: a service that is behind draws less, or it
/// would never catch up.
const LATE_SECS: f64 = 0.1;

/// A place for an artist to draw: here always the caller's thread.
pub(super) fn studio(
    _name: &str,
    artist: Box<dyn Artist>,
    pace: Pace,
) -> Result<Box<dyn Studio>, CameraError> {
    let inline = Inline::new(artist);
    Ok(match pace {
        Pace::Stepped => Box::new(inline),
        Pace::Live => Box::new(InTime(inline)),
    })
}

thread_local! {
    static LOAD: Cell<Load> = const { Cell::new(Load::new()) };
}

/// Draws at once, or not at all.
struct InTime(Inline);

impl Studio for InTime {
    fn start(&mut self, job: Job) -> Result<(), Job> {
        let mut load = LOAD.get();
        let from_secs = shared_secs();
        if from_secs - job.at_secs > LATE_SECS || !load.has_room(job.number) {
            return Err(job);
        }
        self.0.start(job)?;
        load.drew(from_secs, shared_secs());
        LOAD.set(load);
        Ok(())
    }

    fn finished(&mut self) -> Option<Drawn> {
        self.0.finished()
    }
}

/// Opens a folder of pictures: there are no folders here.
pub(super) fn open_file(path: &str, _pace: Pace) -> Result<Box<dyn Source>, CameraError> {
    Err(CameraError::Unsupported {
        what: format!("a browser can't read the pictures in `{path}`"),
        instead:
            "use a camera, a simulated one or the test pattern; or Forearm outside the browser"
                .to_owned(),
    })
}

/// Opens one of the browser's cameras, by its `deviceId`; the browser's default for an empty one.
pub(super) fn open_device(
    device: &str,
    resolution: Option<[u32; 2]>,
    _now: &Now,
) -> Result<Box<dyn Source>, CameraError> {
    let device = Device::open(device, resolution).map_err(|why| CameraError::Unsupported {
        what: format!("the page can't be asked for a camera ({why})"),
        instead: "use another browser".to_owned(),
    })?;
    Ok(Box::new(Live { device, number: 0 }))
}

/// The browser's cameras: only the page knows them ([`crate::web::Listing`]).
pub(super) fn list_devices() -> Vec<CameraInfo> {
    Vec::new()
}

/// A camera of the browser.
struct Live {
    device: Device,
    number: u64,
}

impl Source for Live {
    fn poll(&mut self, _now_secs: f64) -> Option<Report> {
        Some(match self.device.poll()? {
            Told::Frame(video, captured_secs) => {
                let print = fingerprint(video.small().1);
                let number = self.number;
                self.number += 1;
                let frame = Frame {
                    size: video.size(),
                    pixels: Pixels::Video(video),
                    captured_secs,
                    number,
                };
                Report::Frame(frame, Some(print))
            }
            Told::Dropped(count) => {
                self.number += count;
                Report::Dropped(count)
            }
            Told::Lost(why) => Report::Lost(why),
        })
    }
}
