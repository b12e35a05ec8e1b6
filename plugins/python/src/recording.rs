//! A dataset that rows are added to, one by one: the journal first, episodes of it after.
//!
//! A row is in the journal when [`Recording::add`] returns: a crash, at any moment, loses none that was
//! accepted. [`Recording::save`] makes an episode of the journal with the same code as Forearm's own
//! recorder, and a dataset that is opened again first saves the journals that a crash left.
//!
//! Numbers come and go in LeRobot's units; in the journal they are radians and metres.

use std::path::Path;
use std::time::SystemTime;

use forearm_dataset::journal::{self, Channel, Freshness, Head, HeadCamera, Layout, Writer};
use forearm_dataset::mp4::Codec;
use forearm_dataset::repair::{self, Saved};
use forearm_dataset::resample::{Tally, Timeline};
use forearm_dataset::stats::PixelStats;
use forearm_dataset::store::Store;
use forearm_dataset::{Dataset, DatasetError, ops};
use forearm_record::store::{Access, Directory};
use forearm_vision::codec::{self, Encoder};
use forearm_vision::{Frame, Pace, Pixels};

use crate::problem::Problem;

/// A camera: its name in the dataset, and width and height of its pictures, pixels.
pub(crate) type Camera = (String, [u32; 2]);

/// What every row of a dataset has.
pub(crate) struct Plan {
    /// LeRobot's name of the robot's kind.
    pub(crate) robot_type: String,
    /// Rows a second.
    pub(crate) fps: u32,
    /// The numbers of `observation.state`.
    pub(crate) state: Vec<Channel>,
    /// The numbers of `action`.
    pub(crate) action: Vec<Channel>,
    /// Objects whose poses are kept beside.
    pub(crate) objects: usize,
    /// The cameras.
    pub(crate) cameras: Vec<Camera>,
    /// H.264's quantiser.
    pub(crate) quality: u8,
}

/// One row, in LeRobot's units.
pub(crate) struct Row<'a> {
    /// As many as the plan's channels.
    pub(crate) state: &'a [f64],
    /// As many as the plan's channels.
    pub(crate) action: &'a [f64],
    /// Position (metres) and quaternion `[x, y, z, w]` of each object.
    pub(crate) objects: &'a [f64],
    /// RGB, 8 bits each, rows from the top without gaps; one a camera.
    pub(crate) images: Vec<&'a [u8]>,
}

/// A dataset that is recorded into.
pub(crate) struct Recording {
    store: Directory,
    dataset: Dataset,
    plan: Plan,
    episode: Option<Episode>,
    /// What a crash had left, and was saved when the dataset was opened.
    pub(crate) recovered: Vec<Saved>,
}

struct Episode {
    path: String,
    journal: Writer,
    timeline: Timeline,
    rows: u32,
    eyes: Vec<Eye>,
    tick: Vec<f64>,
    /// What went wrong while a row was written: no row can follow half a one.
    broken: bool,
}

/// A camera's way into an episode.
struct Eye {
    encoder: Encoder,
    pixels: PixelStats,
    tally: Tally,
    described: bool,
    spare: Vec<u8>,
}

impl Recording {
    /// Opens a folder to record into: a new dataset, or one that is gone on with if `resume` says so.
    pub(crate) fn open(root: &Path, plan: Plan, resume: bool) -> Result<Self, Problem> {
        plan.check()?;
        let mut store = Directory::open(root, Access::Write)?;
        let shown = root.display();
        let found = match Dataset::open(&store) {
            Err(DatasetError::Unfinished) => {
                ops::finish(&mut store)?;
                Some(Dataset::open(&store)?)
            }
            Err(DatasetError::NoDataset) => None,
            found => Some(found?),
        };
        let schema = plan.head(String::new(), 0, String::new()).schema();
        let mut recovered = Vec::new();
        let dataset = match found {
            Some(mut dataset) => {
                let unsaved = repair::leftover(&store, &dataset)?;
                let empty = dataset.episodes().is_empty() && unsaved.is_empty();
                if !(resume || empty) {
                    return Err(Problem::Exists(format!(
                        "{shown} has a dataset already; go on with it (resume=True), or choose another folder"
                    )));
                }
                dataset.check_resume(&schema)?;
                for left in unsaved {
                    // One that can't be read may be read by a later version: it stays, aside.
                    if left.unreadable.is_some() {
                        let aside = format!("{}/{}", repair::BROKEN, left.path);
                        store.rename(&left.path, &aside)?;
                    } else if left.rows == 0 || left.saved.is_some() {
                        store.remove(&left.path)?;
                    } else {
                        recovered.push(repair::save(&mut store, &mut dataset, &left.path)?);
                    }
                }
                dataset
            }
            None => {
                let foreign = store.list("")?.into_iter().next();
                if let Some(entry) = foreign.filter(|entry| !entry.path.starts_with(".forearm/")) {
                    return Err(Problem::Exists(format!(
                        "{shown} has other files in it ({:?}); choose an empty or a new folder",
                        entry.path
                    )));
                }
                Dataset::create(&mut store, schema)?
            }
        };
        Ok(Self {
            store,
            dataset,
            plan,
            episode: None,
            recovered,
        })
    }

    /// How many episodes are saved.
    pub(crate) fn episodes(&self) -> usize {
        self.dataset.episodes().len()
    }

    /// How many rows all of them have.
    pub(crate) fn frames(&self) -> u64 {
        self.dataset.info().total_frames
    }

    /// How many rows the episode in hand has.
    pub(crate) fn rows(&self) -> u32 {
        self.episode.as_ref().map_or(0, |episode| episode.rows)
    }

    /// What every row has.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Begins an episode.
    pub(crate) fn begin(&mut self, task: &str) -> Result<(), Problem> {
        if self.episode.is_some() {
            return Err(Problem::State(
                "an episode is under way; save it or discard it first".to_owned(),
            ));
        }
        let index = self.dataset.info().total_episodes;
        let stamp = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos() as u64);
        let id = format!("{index:06}-{stamp:x}");
        let head = self.plan.head(id, index, task.to_owned());
        let mut eyes = Vec::with_capacity(self.plan.cameras.len());
        for (name, size) in &self.plan.cameras {
            // Within the call: a row that was accepted is in the journal with all its pictures.
            let (fps, quality) = (self.plan.fps, self.plan.quality);
            let encoder = Encoder::new(*size, fps, quality, Pace::Stepped).map_err(|error| {
                Problem::Codec {
                    camera: name.clone(),
                    error,
                }
            })?;
            eyes.push(Eye {
                encoder,
                pixels: PixelStats::new(),
                tally: Tally::default(),
                described: false,
                spare: Vec::new(),
            });
        }
        let path = journal::path(&head.id);
        let file = self.store.append(&path)?;
        self.episode = Some(Episode {
            path,
            journal: Writer::create(file, &head)?,
            timeline: Timeline::new(self.plan.fps, 0.0),
            rows: 0,
            eyes,
            tick: Vec::with_capacity(self.plan.layout().width()),
            broken: false,
        });
        Ok(())
    }

    /// Adds a row to the episode in hand; it is in the journal when this returns.
    pub(crate) fn add(&mut self, row: &Row<'_>) -> Result<(), Problem> {
        let Some(episode) = &mut self.episode else {
            return Err(Problem::State("no episode was begun".to_owned()));
        };
        if episode.broken {
            return Err(Problem::State(
                "a row could not be written; save what the episode has, or discard it".to_owned(),
            ));
        }
        let numbers = [row.state, row.action, row.objects];
        if numbers
            .iter()
            .any(|part| part.iter().any(|value| !value.is_finite()))
        {
            return Err(Problem::argument(
                "a row has a value that is no number (NaN or infinite); no dataset takes it",
            ));
        }
        // What fails from here on has left half a row.
        episode.broken = true;
        episode.write(&self.plan, row)?;
        episode.broken = false;
        Ok(())
    }

    /// Makes an episode of the rows.
    pub(crate) fn save(&mut self) -> Result<Saved, Problem> {
        let Some(mut episode) = self.episode.take() else {
            return Err(Problem::State("no episode was begun".to_owned()));
        };
        if episode.rows == 0 {
            drop(episode.journal);
            self.store.remove(&episode.path)?;
            return Err(Problem::State(
                "the episode has no row; add frames before it is saved".to_owned(),
            ));
        }
        episode.journal.finish(episode.rows)?;
        drop(episode.journal);
        Ok(repair::save(
            &mut self.store,
            &mut self.dataset,
            &episode.path,
        )?)
    }

    /// Throws the episode in hand away.
    pub(crate) fn discard(&mut self) -> Result<(), Problem> {
        if let Some(episode) = self.episode.take() {
            drop(episode.journal);
            self.store.remove(&episode.path)?;
        }
        Ok(())
    }
}

impl Episode {
    fn write(&mut self, plan: &Plan, row: &Row<'_>) -> Result<(), Problem> {
        let at_secs = self.timeline.row_secs(self.rows).unwrap_or_default();
        self.tick.clear();
        self.tick.push(at_secs);
        for (values, channels) in [(row.state, &plan.state), (row.action, &plan.action)] {
            let joints = values.iter().zip(channels);
            let end = self.tick.len() + plan.joints();
            self.tick
                .extend(joints.map(|(value, channel)| value / channel.scale + channel.zero));
            self.tick.resize(end, 0.0);
        }
        self.tick.extend_from_slice(row.objects);
        for (index, eye) in self.eyes.iter_mut().enumerate() {
            let (name, size) = &plan.cameras[index];
            eye.take(
                index,
                *size,
                row.images[index],
                self.rows,
                at_secs,
                &mut self.journal,
            )
            .map_err(|problem| match problem {
                Failure::Codec(error) => Problem::Codec {
                    camera: name.clone(),
                    error,
                },
                Failure::Other(problem) => problem,
            })?;
        }
        // Last: rows are counted by the ticks.
        self.journal.ticks(0, u64::from(self.rows), &self.tick)?;
        self.rows += 1;
        if self.rows.is_multiple_of(plan.fps.max(1)) {
            self.journal.sync_soon();
        }
        Ok(())
    }
}

/// What went wrong with one camera.
enum Failure {
    Codec(codec::CodecError),
    Other(Problem),
}

impl From<codec::CodecError> for Failure {
    fn from(error: codec::CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<forearm_dataset::store::StoreError> for Failure {
    fn from(error: forearm_dataset::store::StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl Eye {
    fn take(
        &mut self,
        index: usize,
        size: [u32; 2],
        rgb: &[u8],
        row: u32,
        at_secs: f64,
        journal: &mut Writer,
    ) -> Result<(), Failure> {
        self.pixels.add(size, rgb);
        if row == 0 {
            self.tally.first_secs = at_secs;
        }
        self.tally.last_secs = at_secs;
        self.tally.offered += 1;
        let mut pixels = std::mem::take(&mut self.spare);
        pixels.clear();
        pixels.extend_from_slice(rgb);
        let frame = Frame {
            size,
            pixels: Pixels::Rgb(pixels),
            captured_secs: at_secs,
            number: u64::from(row),
        };
        let late = |_busy| Failure::Other(Problem::State("the encoder is behind".to_owned()));
        self.encoder.push(row, frame).map_err(late)?;
        while let Some(packet) = self.encoder.poll() {
            let packet = packet?;
            if !self.described
                && let Some(description) = self.encoder.description()
            {
                journal.description(index as u16, description)?;
                self.described = true;
            }
            // Six kilobytes, for as long as the journal is: after a crash statistics are those of the
            // rows that are there.
            self.write_tally(index, journal)?;
            journal.packet(&journal::Packet {
                camera: index as u16,
                row: packet.row,
                key: packet.key,
                captured_secs: at_secs,
                freshness: Freshness::New,
                bytes: &packet.bytes,
            })?;
        }
        if let Some(Frame {
            pixels: Pixels::Rgb(pixels),
            ..
        }) = self.encoder.reclaim()
        {
            self.spare = pixels;
        }
        Ok(())
    }

    fn write_tally(
        &self,
        index: usize,
        journal: &mut Writer,
    ) -> Result<(), forearm_dataset::store::StoreError> {
        journal.tally(index as u16, &self.tally, &self.pixels.to_bytes())
    }
}

impl Plan {
    /// Joints of a tick: as many as the longer of state and action.
    fn joints(&self) -> usize {
        self.state.len().max(self.action.len())
    }

    fn layout(&self) -> Layout {
        Layout {
            joints: self.joints(),
            objects: self.objects,
        }
    }

    fn check(&self) -> Result<(), Problem> {
        for (name, size) in &self.cameras {
            codec::check_size(*size).map_err(|error| Problem::Codec {
                camera: name.clone(),
                error,
            })?;
        }
        let lines = self.state.iter().chain(&self.action);
        for channel in lines {
            if !(channel.scale.is_finite() && channel.scale != 0.0 && channel.zero.is_finite()) {
                return Err(Problem::argument(format!(
                    "{:?} has the scale {} and the zero {}; expected finite numbers, the scale not 0",
                    channel.name, channel.scale, channel.zero
                )));
            }
        }
        Ok(())
    }

    fn head(&self, id: String, episode: u32, task: String) -> Head {
        let cameras = self
            .cameras
            .iter()
            .map(|(name, [width, height])| HeadCamera {
                name: name.clone(),
                width: *width,
                height: *height,
                codec: Codec::H264,
            });
        Head {
            id,
            episode,
            task,
            robot_type: self.robot_type.clone(),
            fps: self.fps,
            start_secs: 0.0,
            tick_secs: 1.0 / f64::from(self.fps.max(1)),
            layout: self.layout(),
            action: self.action.clone(),
            state: self.state.clone(),
            cameras: cameras.collect(),
            // No scene: control's ticks are not in it from which Forearm could simulate it again.
            extras: Vec::new(),
        }
    }
}
