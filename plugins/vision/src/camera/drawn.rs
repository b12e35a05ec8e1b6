//! Sources that draw their frames: when one is due, and the buffers' way round.
//!
//! What is due is decided on the caller's thread, so that it is the same at every pace; drawing may
//! run beside (`studio` of the platform).

use std::collections::VecDeque;

use forearm_protocol::record::TickLayout;

use super::{QUEUE_FRAMES, Report, Source};
use crate::frame::{Frame, Pixels};

/// Draws frames.
pub(crate) trait Artist: Send {
    /// Draws a frame into `rgb`, which it makes as long as it needs, and tells the size.
    ///
    /// # Errors
    /// What went wrong, and what to do: the camera counts as lost until a frame succeeds.
    fn draw(&mut self, job: &Job, rgb: &mut Vec<u8>) -> Result<[u32; 2], String>;
}

/// What to draw.
#[derive(Debug, Default)]
pub(crate) struct Job {
    /// The frame's number.
    pub(crate) number: u64,
    /// The time it shows, seconds.
    pub(crate) at_secs: f64,
    /// The world, if it is shown; empty otherwise.
    pub(crate) tick: Vec<f64>,
    /// Where what is in the tick.
    pub(crate) layout: TickLayout,
    /// A buffer for the picture.
    pub(crate) rgb: Vec<u8>,
}

/// What came of a job. Its buffers come back with it.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) job: Job,
    pub(crate) result: Result<[u32; 2], String>,
}

/// Where jobs are done. What comes back, comes in the order of starting.
pub(crate) trait Studio: Send {
    /// Takes a job.
    ///
    /// # Errors
    /// The job back: there is no room.
    fn start(&mut self, job: Job) -> Result<(), Job>;

    /// The next job that is done.
    fn finished(&mut self) -> Option<Drawn>;
}

/// Does jobs within [`Studio::start`].
pub(crate) struct Inline {
    artist: Box<dyn Artist>,
    done: VecDeque<Drawn>,
}

impl Inline {
    pub(crate) fn new(artist: Box<dyn Artist>) -> Self {
        Self {
            artist,
            done: VecDeque::with_capacity(QUEUE_FRAMES),
        }
    }
}

impl Studio for Inline {
    fn start(&mut self, job: Job) -> Result<(), Job> {
        self.done.push_back(Drawn::new(self.artist.as_mut(), job));
        Ok(())
    }

    fn finished(&mut self) -> Option<Drawn> {
        self.done.pop_front()
    }
}

impl Drawn {
    /// Does a job.
    pub(crate) fn new(artist: &mut dyn Artist, mut job: Job) -> Self {
        let mut rgb = std::mem::take(&mut job.rgb);
        let result = artist.draw(&job, &mut rgb);
        job.rgb = rgb;
        Self { job, result }
    }
}

/// When frames are due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    fps: f64,
    start_secs: Option<f64>,
    /// The next frame's number, of those since the start.
    next: u64,
}

impl Rate {
    pub(crate) fn new(fps: f64) -> Self {
        Self {
            fps: fps.clamp(0.01, 1000.0),
            start_secs: None,
            next: 0,
        }
    }

    /// Whether a frame is due at `at_secs`: how many were missed before it, and when exactly it was
    /// due. A clock that jumps starts anew.
    fn due(&mut self, at_secs: f64) -> Option<(u64, f64)> {
        if !at_secs.is_finite() {
            return None;
        }
        let start_secs = *self.start_secs.get_or_insert(at_secs);
        // An eighth of a frame early is in time: ticks don't fall on frames exactly.
        let index = libm::floor((at_secs - start_secs) * self.fps + 0.125);
        let next = self.next as f64;
        if index < next - 1.0 - self.fps || index > next + 60.0 * self.fps {
            self.start_secs = Some(at_secs);
            self.next = 1;
            return Some((0, at_secs));
        }
        if index < next {
            return None;
        }
        self.next = index as u64 + 1;
        Some(((index - next) as u64, start_secs + index / self.fps))
    }
}

/// A source that draws.
pub(crate) struct DrawnSource {
    studio: Box<dyn Studio>,
    rate: Rate,
    /// Whether ticks say when a frame is due, rather than the clock.
    by_ticks: bool,
    number: u64,
    dropped: u64,
    /// Jobs under way and frames not taken.
    busy: usize,
    /// Jobs with their buffers, to be used again.
    spare: Vec<Job>,
}

impl DrawnSource {
    /// Draws at `fps` frames a second of the clock.
    pub(crate) fn by_clock(studio: Box<dyn Studio>, fps: f64) -> Self {
        Self::new(studio, fps, false)
    }

    /// Draws at `fps` frames a second of the ticks it is shown.
    pub(crate) fn by_ticks(studio: Box<dyn Studio>, fps: f64) -> Self {
        Self::new(studio, fps, true)
    }

    fn new(studio: Box<dyn Studio>, fps: f64, by_ticks: bool) -> Self {
        Self {
            studio,
            rate: Rate::new(fps),
            by_ticks,
            number: 0,
            dropped: 0,
            busy: 0,
            spare: Vec::with_capacity(QUEUE_FRAMES),
        }
    }

    fn start(&mut self, at_secs: f64, tick: &[f64], layout: TickLayout) {
        let number = self.number;
        self.number += 1;
        if self.busy >= QUEUE_FRAMES {
            self.dropped += 1;
            return;
        }
        let mut job = self.spare.pop().unwrap_or_default();
        job.number = number;
        job.at_secs = at_secs;
        job.layout = layout;
        job.tick.clear();
        job.tick.extend_from_slice(tick);
        match self.studio.start(job) {
            Ok(()) => self.busy += 1,
            Err(job) => {
                self.dropped += 1;
                self.keep(job);
            }
        }
    }

    fn keep(&mut self, job: Job) {
        if self.spare.len() < QUEUE_FRAMES {
            self.spare.push(job);
        }
    }
}

impl Source for DrawnSource {
    fn poll(&mut self, now_secs: f64) -> Option<Report> {
        if !self.by_ticks
            && let Some((missed, at_secs)) = self.rate.due(now_secs)
        {
            self.number += missed;
            self.dropped += missed;
            self.start(at_secs, &[], TickLayout::default());
        }
        if self.dropped > 0 {
            return Some(Report::Dropped(std::mem::take(&mut self.dropped)));
        }
        let Drawn { mut job, result } = self.studio.finished()?;
        self.busy = self.busy.saturating_sub(1);
        let report = match result {
            Ok(size) => {
                let frame = Frame {
                    size,
                    pixels: Pixels::Rgb(std::mem::take(&mut job.rgb)),
                    captured_secs: job.at_secs,
                    number: job.number,
                };
                Report::Frame(frame, None)
            }
            Err(why) => Report::Lost(why),
        };
        self.keep(job);
        Some(report)
    }

    fn show(&mut self, tick: &[f64], layout: TickLayout) {
        // Frames that no tick was there for are not lost: there was nothing to see.
        if self.by_ticks
            && tick.len() == layout.width()
            && let Some(at_secs) = tick.first()
            && self.rate.due(*at_secs).is_some()
        {
            self.start(*at_secs, tick, layout);
        }
    }

    fn recycle(&mut self, frame: Frame) {
        #[cfg_attr(
            not(target_family = "wasm"),
            expect(
                irrefutable_let_patterns,
                reason = "browsers have another kind of pixels"
            )
        )]
        let Pixels::Rgb(rgb) = frame.pixels else {
            return;
        };
        match self.spare.iter_mut().find(|job| job.rgb.capacity() == 0) {
            Some(job) => job.rgb = rgb,
            None => self.keep(Job {
                rgb,
                ..Job::default()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames that are due at these times: missed, and when exactly.
    fn due(fps: f64, times: impl IntoIterator<Item = f64>) -> Vec<(u64, f64)> {
        let mut rate = Rate::new(fps);
        times.into_iter().filter_map(|at| rate.due(at)).collect()
    }

    #[test]
    fn every_fourth_tick_has_a_frame() {
        // A little jitter, as ticks have it.
        let ticks = (0..1200).map(|tick| {
            let jitter = if tick % 3 == 0 { 3e-4 } else { -2e-4 };
            100.0 + f64::from(tick) / 120.0 + jitter
        });
        let due = due(30.0, ticks);
        assert_eq!(due.len(), 300);
        assert!(due.iter().all(|(missed, _)| *missed == 0));
        assert!((due[299].1 - due[0].1 - 299.0 / 30.0).abs() < 1e-9);
    }

    #[test]
    fn what_comes_late_is_counted_and_a_clock_that_jumps_starts_anew() {
        assert_eq!(
            due(10.0, [0.0, 0.05, 0.1, 0.45, 0.46]),
            [(0, 0.0), (0, 0.1), (2, 0.4)]
        );
        assert_eq!(due(10.0, [50.0, 3.0, 3.1]), [(0, 50.0), (0, 3.0), (0, 3.1)]);
        assert_eq!(due(10.0, [5.0, 1e9, f64::NAN, 1e9 + 0.1]).len(), 3);
    }
}
