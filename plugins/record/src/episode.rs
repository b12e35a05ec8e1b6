//! An episode from its start to its last packet: ticks and cameras into its journal.
//!
//! It begins with the ticks since the scene was reset, if the world is simulated and they are all
//! there: with them the world can be made again. When its end is known it waits for the frames and
//! ticks around its last row, then for its encoders; then its journal is whole, and what is left to do
//! is the clerk's ([`crate::clerk`]).

use forearm_dataset::journal::{self, Head, HeadCamera, Writer};
use forearm_dataset::mp4::Codec;
use forearm_dataset::resample::Timeline;
use forearm_dataset::store::{Store, StoreError};
use forearm_vision::{Frame, Pace};

use crate::cameras::Eye;
use crate::lane::{Lane, LaneError};
use crate::robot::Robot;
use crate::ticks::Ticks;

/// Ticks before the first row that are recorded if not all since the reset are, seconds.
const LEAD_IN_SECS: f64 = 0.1;
/// How long the end waits for a tick behind the last row, seconds.
const LAST_TICK_SECS: f64 = 0.5;
/// How long the end waits for a camera's first picture, seconds.
const BLIND_SECS: f64 = 3.0;
/// How often what is counted of cameras is written, seconds: so much may be missing of it after a crash.
const TALLY_SECS: f64 = 0.2;
/// How often what is in the journal is made to survive a loss of power, seconds: so much is lost then.
const SYNC_SECS: f64 = 1.0;
/// How many values of ticks are written in one record: 0.5 MB.
const RECORD_VALUES: usize = 1 << 16;
/// Part of a row within which an episode's end belongs to the row before.
const ROUNDING: f64 = 1e-6;

/// What an episode is to be.
pub struct EpisodeSpec<'a> {
    /// Its index in the dataset.
    pub index: u32,
    /// A name that no other episode has.
    pub id: String,
    /// The task.
    pub task: String,
    /// Rows a second.
    pub fps: u32,
    /// H.264's quantiser.
    pub quality: u8,
    /// How long it lasts at most, seconds.
    pub longest_secs: f64,
    /// When its first row is, seconds, shared clock.
    pub start_secs: f64,
    /// Whose joints.
    pub robot: &'a Robot,
    /// The scene's text.
    pub scene: String,
    /// Whether encoders have threads.
    pub pace: Pace,
}

/// An episode being recorded; see the module's documentation.
pub struct Episode {
    index: u32,
    task: String,
    path: String,
    journal: Writer,
    timeline: Timeline,
    lanes: Vec<Lane>,
    generation: u64,
    /// The newest tick in the journal.
    last_tick_secs: f64,
    ticks_lost: u64,
    /// Whether ticks that come are of another world.
    cut: bool,
    tally_secs: f64,
    /// When the journal was last handed to the disk; nothing in stepped time, which nobody waits for.
    sync_secs: Option<f64>,
    end: Option<End>,
}

#[derive(Clone, Copy)]
struct End {
    rows: u32,
    last_row_secs: f64,
    /// When it ended.
    at_secs: f64,
}

/// A whole journal, to be made an episode of.
pub struct Written {
    /// Where the journal is.
    pub path: String,
    /// The journal, to be ended and synced.
    pub journal: Writer,
    /// How many rows the episode has.
    pub rows: u32,
}

impl Episode {
    /// Begins an episode: its journal is on the disk when this returns. All `eyes` have given a frame.
    ///
    /// # Errors
    /// The journal can't be written, or frames can't be encoded.
    pub fn begin(
        spec: EpisodeSpec<'_>,
        store: &mut dyn Store,
        ticks: &Ticks,
        eyes: &mut [Eye],
    ) -> Result<Self, LaneError> {
        let mut lanes = Vec::with_capacity(eyes.len());
        let mut cameras = Vec::with_capacity(eyes.len());
        for (index, eye) in eyes.iter_mut().enumerate() {
            let name = eye.config().name.clone();
            let size = eye.size().unwrap_or_default();
            let (fps, quality) = (spec.fps, spec.quality);
            let mut lane = Lane::new(index as u16, &name, size, fps, quality, spec.pace)?;
            if let Some(frame) = eye.take_newest()
                && let Some(back) = lane.offer(frame)
            {
                eye.recycle(back);
            }
            eye.count_anew();
            lanes.push(lane);
            cameras.push(HeadCamera {
                name,
                width: size[0],
                height: size[1],
                codec: Codec::H264,
            });
        }
        let head = Head {
            id: spec.id,
            episode: spec.index,
            task: spec.task.clone(),
            robot_type: spec.robot.robot_type.clone(),
            fps: spec.fps,
            start_secs: spec.start_secs,
            tick_secs: ticks.period_secs().unwrap_or_default(),
            layout: spec.robot.journal_layout(),
            action: spec.robot.channels.clone(),
            state: spec.robot.channels.clone(),
            cameras,
            extras: vec![("scene.ron".to_owned(), spec.scene)],
        };
        let path = journal::path(&head.id);
        let mut journal = Writer::create(store.append(&path)?, &head)?;
        let generation = ticks.generation().unwrap_or_default();
        let from = if spec.robot.simulated && ticks.is_complete() {
            0
        } else {
            ticks.first_at(spec.start_secs - LEAD_IN_SECS)
        };
        write_ticks(&mut journal, generation, ticks, from)?;
        let mut timeline = Timeline::new(spec.fps, spec.start_secs);
        // A row at the very end would be the first of what comes after.
        let most = (spec.longest_secs * f64::from(spec.fps) - ROUNDING).ceil();
        timeline.end_after((most as u32).max(1));
        Ok(Self {
            index: spec.index,
            task: spec.task,
            path,
            journal,
            timeline,
            lanes,
            generation,
            last_tick_secs: ticks.newest_secs().unwrap_or(f64::NEG_INFINITY),
            ticks_lost: 0,
            cut: false,
            tally_secs: spec.start_secs,
            sync_secs: (spec.pace == Pace::Live).then_some(spec.start_secs),
            end: None,
        })
    }

    /// Its index in the dataset.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Its task.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Its journal.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self, now_secs: f64) -> u32 {
        let rows = self.timeline.rows_by(now_secs);
        self.end.map_or(rows, |end| end.rows)
    }

    /// How large its journal is, bytes.
    #[must_use]
    pub fn journal_bytes(&self) -> u64 {
        self.journal.bytes()
    }

    /// Control ticks that were lost on their way so far.
    #[must_use]
    pub fn ticks_lost(&self) -> u64 {
        self.ticks_lost
    }

    /// The scene that its ticks are of.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Its cameras, in the order in which it was given them.
    #[must_use]
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Takes ticks that came: those from number `from` on.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn take_ticks(&mut self, ticks: &Ticks, from: usize, lost: u64) -> Result<(), StoreError> {
        if self.cut {
            return Ok(());
        }
        self.ticks_lost += lost;
        self.last_tick_secs = ticks.newest_secs().unwrap_or(self.last_tick_secs);
        write_ticks(&mut self.journal, self.generation, ticks, from)
    }

    /// From here on ticks are of another world, and so are pictures taken after the last tick: those
    /// that came are given back to `eyes`, those that come are not taken.
    pub fn cut_ticks(&mut self, eyes: &mut [Eye]) {
        // What an earlier cut left out stays out.
        if std::mem::replace(&mut self.cut, true) {
            return;
        }
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let mut recycle = give_back(eyes.get_mut(index));
            lane.cut(self.last_tick_secs, &mut recycle);
        }
    }

    /// Whether camera number `camera` still needs frames.
    #[must_use]
    pub fn wants_frames(&self, camera: usize) -> bool {
        self.lanes.get(camera).is_some_and(|lane| {
            self.timeline
                .rows()
                .is_none_or(|rows| lane.decided() < rows)
        })
    }

    /// Takes a frame of camera number `camera`; what comes back is to be recycled.
    #[must_use = "a frame that comes back can be used again"]
    pub fn offer(&mut self, camera: usize, frame: Frame) -> Option<Frame> {
        match self.lanes.get_mut(camera) {
            Some(lane) => lane.offer(frame),
            None => Some(frame),
        }
    }

    /// Tells whether camera number `camera` hangs.
    pub fn set_hung(&mut self, camera: usize, hung: bool) {
        if let Some(lane) = self.lanes.get_mut(camera) {
            lane.set_hung(hung);
        }
    }

    /// Stops its clock.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn pause(&mut self, now_secs: f64) -> Result<(), StoreError> {
        self.timeline.pause(now_secs);
        self.journal.pause(now_secs)
    }

    /// Lets its clock go on.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn resume(&mut self, now_secs: f64) -> Result<(), StoreError> {
        self.timeline.resume(now_secs);
        self.journal.resume(now_secs)
    }

    /// Does what can be done now; see [`Lane::advance`]. Memory of frames goes back to `eyes`.
    ///
    /// # Errors
    /// The journal can't be written, or a frame can't be encoded.
    pub fn advance(&mut self, now_secs: f64, eyes: &mut [Eye]) -> Result<(), LaneError> {
        let tally = now_secs - self.tally_secs >= TALLY_SECS;
        if tally {
            self.tally_secs = now_secs;
        }
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let eye = eyes.get_mut(index);
            let mut recycle = give_back(eye);
            lane.advance(&self.timeline, now_secs, &mut self.journal, &mut recycle)?;
            if tally {
                lane.write_tally(&mut self.journal)?;
            }
        }
        if let Some(synced_secs) = &mut self.sync_secs
            && now_secs - *synced_secs >= SYNC_SECS
        {
            *synced_secs = now_secs;
            self.journal.sync_soon();
        }
        Ok(())
    }

    /// Ends it: rows up to `now_secs`, and no further than ticks of its world go; at least one.
    pub fn end(&mut self, now_secs: f64) {
        let last_secs = if self.cut {
            now_secs.min(self.last_tick_secs)
        } else {
            now_secs
        };
        let rows = self.timeline.rows_by(last_secs).max(1);
        self.end_after(rows, now_secs);
    }

    /// Ends it with the rows that all cameras have in the journal; whether there are any. For when it
    /// can't go on.
    pub fn end_with_what_is_there(&mut self, now_secs: f64) -> bool {
        let written = self.lanes.iter().map(Lane::written).min();
        match written {
            Some(0) => return false,
            Some(rows) => self.end_after(rows, now_secs),
            None => self.end(now_secs),
        }
        self.cut = true;
        true
    }

    /// Decides its last rows by the frames that are there: the cameras are needed for the next one.
    ///
    /// # Errors
    /// As [`Episode::advance`].
    pub fn wait_no_more(&mut self, eyes: &mut [Eye]) -> Result<(), LaneError> {
        self.cut = true;
        self.advance(f64::INFINITY, eyes)
    }

    /// Whether its journal is whole: every row of every camera is in it, and the ticks around them.
    #[must_use]
    pub fn is_whole(&self, now_secs: f64) -> bool {
        let Some(End {
            rows,
            last_row_secs,
            ..
        }) = self.end
        else {
            return false;
        };
        let ticks = self.cut
            || self.last_tick_secs >= last_row_secs
            || now_secs > last_row_secs + LAST_TICK_SECS;
        ticks && self.lanes.iter().all(|lane| lane.written() >= rows)
    }

    /// The camera that gave no picture for it, long after its end: it can't be whole any more.
    #[must_use]
    pub fn blind_camera(&self, now_secs: f64) -> Option<&str> {
        let end = self.end.filter(|end| now_secs > end.at_secs + BLIND_SECS)?;
        let blind = self.lanes.iter().find(|lane| lane.decided() < end.rows);
        blind.map(Lane::name)
    }

    /// The whole journal.
    ///
    /// # Errors
    /// It can't be written on, or it has not ended.
    pub fn into_written(mut self) -> Result<Written, StoreError> {
        for lane in &self.lanes {
            lane.write_tally(&mut self.journal)?;
        }
        Ok(Written {
            rows: self.end.map_or(0, |end| end.rows),
            path: self.path,
            journal: self.journal,
        })
    }

    fn end_after(&mut self, rows: u32, at_secs: f64) {
        self.timeline.end_after(rows);
        let last = self.timeline.row_secs(rows.saturating_sub(1));
        self.end = Some(End {
            rows,
            last_row_secs: last.unwrap_or(f64::NEG_INFINITY),
            at_secs,
        });
    }
}

/// What gives a frame's memory back to its camera, if that is still there.
fn give_back(mut eye: Option<&mut Eye>) -> impl FnMut(Frame) {
    move |frame| {
        if let Some(eye) = &mut eye {
            eye.recycle(frame);
        }
    }
}

fn write_ticks(
    journal: &mut Writer,
    generation: u64,
    ticks: &Ticks,
    from: usize,
) -> Result<(), StoreError> {
    let width = ticks.width().max(1);
    let at_once = (RECORD_VALUES / width).max(1);
    for (first, values) in ticks.runs(from) {
        let pieces = values.chunks(at_once * width);
        for (number, piece) in (first..).step_by(at_once).zip(pieces) {
            journal.ticks(generation, number, piece)?;
        }
    }
    Ok(())
}
