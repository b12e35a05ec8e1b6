//! One camera's way into an episode: which frame belongs to which row, encoded, into the journal.
//!
//! Nothing here waits. Frames that the encoder has no room for yet stay here; when too many do, a row
//! shows the picture of the row before instead of its own (which costs the encoder next to nothing),
//! and the frame counts as dropped.

use std::collections::VecDeque;

use forearm_dataset::journal::{self, Freshness};
use forearm_dataset::resample::{Slot, Slotter, Timeline};
use forearm_dataset::stats::PixelStats;
use forearm_dataset::store::StoreError;
use forearm_vision::codec::{Busy, CodecError, Encoder};
use forearm_vision::{Frame, Pace};

/// How many frames may wait for the encoder here, beside those that wait in it: 1.6 s at 30 a second.
const MOST_WAITING: usize = 48;

/// Why a lane can't go on.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The journal can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A frame could not be encoded.
    #[error("camera `{camera}`: {error}")]
    Codec {
        /// The camera.
        camera: String,
        /// What the encoder says.
        error: CodecError,
    },
    /// No frame came that a row could show.
    #[error("camera `{camera}` gave no picture for it; look at the camera")]
    Blind {
        /// The camera.
        camera: String,
    },
}

/// A camera in an episode.
pub struct Lane {
    /// Its index in the journal's head.
    camera: u16,
    name: String,
    size: [u32; 2],
    slotter: Slotter<Frame>,
    encoder: Encoder,
    waiting: VecDeque<Decided>,
    frames_waiting: usize,
    /// What is known of the rows that are in the encoder, in their order.
    encoding: VecDeque<Facts>,
    pixels: PixelStats,
    small: Vec<u8>,
    /// Whether the encoder was told that no more rows come.
    ended: bool,
    described: bool,
    written: u32,
    dropped: u64,
    /// Frames of another size than the episode's: the camera was changed.
    misfits: u64,
    /// Frames taken later show another world.
    last_secs: f64,
    /// Whether one came: none of this world does any more.
    over: bool,
}

/// A row whose picture is decided.
struct Decided {
    facts: Facts,
    /// Nothing: the picture of the row before.
    frame: Option<Frame>,
}

#[derive(Clone, Copy)]
struct Facts {
    row: u32,
    captured_secs: f64,
    freshness: Freshness,
}

impl Lane {
    /// A lane for camera number `camera` of the journal, whose frames have `size` pixels. `quality` is
    /// H.264's quantiser, 0 (best) to 51.
    ///
    /// # Errors
    /// No encoder for such frames.
    pub fn new(
        camera: u16,
        name: &str,
        size: [u32; 2],
        fps: u32,
        quality: u8,
        pace: Pace,
    ) -> Result<Self, LaneError> {
        let encoder = Encoder::new(size, fps, quality, pace).map_err(|error| LaneError::Codec {
            camera: name.to_owned(),
            error,
        })?;
        Ok(Self {
            camera,
            name: name.to_owned(),
            size,
            slotter: Slotter::default(),
            encoder,
            waiting: VecDeque::with_capacity(MOST_WAITING),
            frames_waiting: 0,
            encoding: VecDeque::with_capacity(MOST_WAITING),
            pixels: PixelStats::new(),
            small: Vec::new(),
            ended: false,
            described: false,
            written: 0,
            dropped: 0,
            misfits: 0,
            last_secs: f64::INFINITY,
            over: false,
        })
    }

    /// The camera's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes a frame; what comes back is to be recycled.
    #[must_use = "a frame that comes back can be used again"]
    pub fn offer(&mut self, frame: Frame) -> Option<Frame> {
        if frame.size != self.size {
            self.misfits += 1;
            return Some(frame);
        }
        if frame.captured_secs > self.last_secs {
            self.over = true;
            return Some(frame);
        }
        self.slotter.push(frame.captured_secs, frame)
    }

    /// Frames taken after `last_secs` are none of it: those that wait go to `recycle`, those that come are
    /// not taken.
    pub fn cut(&mut self, last_secs: f64, recycle: &mut dyn FnMut(Frame)) {
        self.last_secs = last_secs;
        for frame in self.slotter.cut(last_secs) {
            self.over = true;
            recycle(frame);
        }
    }

    /// Whether the camera hangs.
    pub fn set_hung(&mut self, hung: bool) {
        self.slotter.set_hung(hung);
    }

    /// Does what can be done now: decides rows up to `now_secs` (all rows for infinity, when the
    /// episode's end is known), encodes, writes. Frames that are done with go to `recycle`.
    ///
    /// # Errors
    /// The journal can't be written, or a frame can't be encoded: the episode has no more rows.
    pub fn advance(
        &mut self,
        timeline: &Timeline,
        now_secs: f64,
        journal: &mut journal::Writer,
        recycle: &mut dyn FnMut(Frame),
    ) -> Result<(), LaneError> {
        let now_secs = match timeline.rows() {
            // Nobody waits for what can't come.
            Some(_) if self.over => f64::INFINITY,
            _ => now_secs,
        };
        while let Some(slot) = self.slotter.next(timeline, now_secs) {
            self.take(slot, recycle);
        }
        loop {
            self.feed();
            let all = timeline.rows().is_some_and(|rows| self.decided() >= rows);
            if all && self.waiting.is_empty() && !std::mem::replace(&mut self.ended, true) {
                self.encoder.finish();
            }
            if !self.collect(journal)? {
                break;
            }
        }
        while let Some(frame) = self.encoder.reclaim() {
            recycle(frame);
        }
        Ok(())
    }

    /// Writes what was counted so far.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn write_tally(&self, journal: &mut journal::Writer) -> Result<(), StoreError> {
        journal.tally(self.camera, &self.slotter.tally(), &self.pixels.to_bytes())
    }

    /// How many rows are in the journal.
    #[must_use]
    pub fn written(&self) -> u32 {
        self.written
    }

    /// How many rows are decided.
    #[must_use]
    pub fn decided(&self) -> u32 {
        self.slotter.row()
    }

    /// How many frames wait to be encoded.
    #[must_use]
    pub fn queued(&self) -> u32 {
        (self.waiting.len() + self.encoder.pending()) as u32
    }

    /// How many frames were dropped because encoding was behind, or because their size was wrong.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped + self.misfits
    }

    /// Frames of another size than the episode's, so far.
    #[must_use]
    pub fn misfits(&self) -> u64 {
        self.misfits
    }

    fn take(&mut self, slot: Slot<Frame>, recycle: &mut dyn FnMut(Frame)) {
        let (facts, frame) = match slot {
            Slot::Spare(frame) => return recycle(frame),
            Slot::Show {
                row,
                frame,
                captured_secs,
                freshness,
            } => {
                let facts = Facts {
                    row,
                    captured_secs,
                    freshness,
                };
                (facts, Some(frame))
            }
            Slot::Again {
                row,
                captured_secs,
                freshness,
            } => {
                let facts = Facts {
                    row,
                    captured_secs,
                    freshness,
                };
                (facts, None)
            }
        };
        match frame {
            // The first one is needed: others refer to it.
            Some(frame) if self.frames_waiting >= MOST_WAITING && facts.row > 0 => {
                self.slotter.count_dropped();
                self.dropped += 1;
                recycle(frame);
                self.look_at(None);
                self.waiting.push_back(Decided {
                    facts: Facts {
                        freshness: Freshness::Repeated,
                        ..facts
                    },
                    frame: None,
                });
            }
            frame => {
                self.frames_waiting += usize::from(frame.is_some());
                self.look_at(frame.as_ref());
                self.waiting.push_back(Decided { facts, frame });
            }
        }
    }

    /// Counts a row's pixels; without a frame, those of the row before again.
    fn look_at(&mut self, frame: Option<&Frame>) {
        let Some(frame) = frame else {
            return self.pixels.again();
        };
        // A browser's frame has only its small picture at hand.
        let (size, rgb) = match frame.rgb() {
            Some(rgb) => (frame.size, rgb),
            None => (frame.small(&mut self.small), &self.small[..]),
        };
        self.pixels.add(size, rgb);
    }

    /// Hands decided rows to the encoder, as far as it has room.
    fn feed(&mut self) {
        while let Some(Decided { facts, frame }) = self.waiting.pop_front() {
            let taken = match frame {
                None => {
                    let taken = self.encoder.again(facts.row);
                    if !taken {
                        self.waiting.push_front(Decided { facts, frame: None });
                    }
                    taken
                }
                Some(frame) => match self.encoder.push(facts.row, frame) {
                    Ok(()) => {
                        self.frames_waiting -= 1;
                        true
                    }
                    Err(Busy(frame)) => {
                        let frame = Some(frame);
                        self.waiting.push_front(Decided { facts, frame });
                        false
                    }
                },
            };
            if !taken {
                return;
            }
            self.encoding.push_back(facts);
        }
    }

    /// Writes packets that are ready; whether there were any.
    fn collect(&mut self, journal: &mut journal::Writer) -> Result<bool, LaneError> {
        let mut any = false;
        while let Some(result) = self.encoder.poll() {
            any = true;
            let packet = result.map_err(|error| LaneError::Codec {
                camera: self.name.clone(),
                error,
            })?;
            if !self.described
                && let Some(description) = self.encoder.description()
            {
                journal.description(self.camera, description)?;
                self.described = true;
            }
            if self.written == 0 {
                // Before the first picture: none is ever there without its statistics.
                self.write_tally(journal)?;
            }
            let known = self.encoding.pop_front();
            let Some(facts) = known.filter(|facts| facts.row == packet.row) else {
                return Err(LaneError::Codec {
                    camera: self.name.clone(),
                    error: CodecError::Failed {
                        what: "encoder",
                        why: format!("row {} came out of turn", packet.row),
                    },
                });
            };
            journal.packet(&journal::Packet {
                camera: self.camera,
                row: packet.row,
                key: packet.key,
                captured_secs: facts.captured_secs,
                freshness: facts.freshness,
                bytes: &packet.bytes,
            })?;
            self.written += 1;
        }
        Ok(any)
    }
}
