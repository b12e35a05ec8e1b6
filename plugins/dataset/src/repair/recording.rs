//! A journal as an episode: the one way from what was recorded to what a dataset holds, at the normal
//! end of an episode and after a crash.

use crate::append::{NewEpisode, NewVideo};
use crate::journal::{Freshness, Head, Packet, Record, scan};
use crate::mp4::{self, Description};
use crate::repair::RepairError;
use crate::resample::{CameraQuality, EpisodeQuality, Rows, Series, Tally, Timeline};
use crate::schema::{Schema, VideoFeature};
use crate::sidecar::{self, CameraFacts, EpisodeFacts};
use crate::stats::{FeatureStats, PixelStats};

/// The greatest rate, rows a second.
const MAX_FPS: u32 = 1000;
/// The latest start, seconds: thousands of years.
const MAX_SECS: f64 = 1e12;

/// An episode as it was recorded, ready to be added to a dataset.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What was recorded.
    pub head: Head,
    /// How many rows.
    pub rows: u32,
    /// How it was recorded, and how well.
    pub facts: EpisodeFacts,
    numbers: Rows,
    videos: Vec<(String, Vec<u8>, FeatureStats)>,
    ticks: Vec<u8>,
}

impl Head {
    /// The schema of a dataset that such a recording fits.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let names = |channels: &[crate::journal::Channel]| -> Vec<String> {
            channels
                .iter()
                .map(|channel| channel.name.clone())
                .collect()
        };
        let cameras: Vec<VideoFeature<'_>> = self
            .cameras
            .iter()
            .map(|camera| VideoFeature {
                name: &camera.name,
                width: camera.width,
                height: camera.height,
                codec: camera.codec.name(),
            })
            .collect();
        Schema::recording(
            &self.robot_type,
            self.fps,
            &names(&self.action),
            &names(&self.state),
            &cameras,
        )
    }
}

impl Recording {
    /// Reads a journal: as many rows as all cameras and the control ticks have; of one that ended by
    /// intent as many as it says.
    ///
    /// # Errors
    /// [`RepairError::NoHead`] and [`RepairError::Empty`] when there is nothing to be had;
    /// [`RepairError::Resample`] and [`RepairError::Video`] when its parts don't go together.
    pub fn read(journal: &[u8]) -> Result<Self, RepairError> {
        Parts::read(journal)?.assemble()
    }

    /// What a dataset adds, as its episode `index`.
    #[must_use]
    pub fn episode(&self, index: u32) -> NewEpisode<'_> {
        let facts = serde_json::to_vec(&self.facts).unwrap_or_default();
        let mut extras = vec![
            (sidecar::name(index, "json"), facts),
            (sidecar::name(index, "parquet"), self.ticks.clone()),
        ];
        for (ending, text) in &self.head.extras {
            extras.push((sidecar::name(index, ending), text.clone().into_bytes()));
        }
        NewEpisode {
            task: &self.head.task,
            rows: self.rows,
            columns: vec![
                ("action", self.numbers.action.clone()),
                ("observation.state", self.numbers.state.clone()),
            ],
            videos: self
                .videos
                .iter()
                .map(|(key, mp4, stats)| NewVideo {
                    key,
                    mp4,
                    stats: stats.clone(),
                })
                .collect(),
            extras,
        }
    }
}

/// How many rows a journal gives, without making anything of them, and its head.
pub(super) fn count(journal: &[u8]) -> Result<(Head, u32), RepairError> {
    let parts = Parts::read(journal)?;
    let rows = parts.rows()?;
    Ok((parts.head, rows))
}

/// What a journal has, sorted.
struct Parts<'a> {
    head: Head,
    timeline: Timeline,
    series: Series,
    cameras: Vec<Camera<'a>>,
    end: Option<u32>,
    problems: Vec<String>,
}

#[derive(Default)]
struct Camera<'a> {
    config: Option<&'a [u8]>,
    /// One a row, without a gap.
    packets: Vec<Packet<'a>>,
    tally: Tally,
    pixels: Option<PixelStats>,
    /// Nothing behind this can be used.
    broken: Option<String>,
}

impl<'a> Camera<'a> {
    fn take(&mut self, packet: Packet<'a>) {
        let next = self.packets.len();
        if self.broken.is_some() || (packet.row as usize) < next {
            return;
        }
        if packet.row as usize > next {
            self.broken = Some(format!("row {next} is missing"));
        } else if next == 0 && !packet.key {
            self.broken = Some("its first picture needs one before it".to_owned());
        } else {
            self.packets.push(packet);
        }
    }

    fn describe(&mut self, config: &'a [u8]) {
        match self.config {
            None => self.config = Some(config),
            Some(known) if known == config => {}
            Some(_) => {
                let row = self.packets.len();
                self.broken
                    .get_or_insert(format!("its encoding changed before row {row}"));
            }
        }
    }

    fn quality(&self, name: &str, timeline: &Timeline, rows: usize) -> CameraQuality {
        let packets = &self.packets[..rows];
        let again = |pair: &[Packet<'_>]| pair[0].captured_secs == pair[1].captured_secs;
        let offset = |packet: &Packet<'_>| {
            let at = timeline.row_secs(packet.row)?;
            Some((packet.captured_secs - at).abs())
        };
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let Tally {
            offered,
            unused,
            dropped,
            first_secs,
            last_secs,
        } = self.tally;
        let span_secs = timeline.elapsed_secs(last_secs) - timeline.elapsed_secs(first_secs);
        CameraQuality {
            name: name.to_owned(),
            rate_hz: if offered > 1 && span_secs > 0.0 {
                f64::from(offered - 1) / span_secs
            } else {
                0.0
            },
            repeated: count(packets.windows(2).filter(|pair| again(pair)).count()),
            unused,
            dropped,
            stale: count(
                packets
                    .iter()
                    .filter(|packet| packet.freshness == Freshness::Stale)
                    .count(),
            ),
            offset_max_secs: packets.iter().filter_map(offset).fold(0.0, f64::max),
        }
    }
}

impl<'a> Parts<'a> {
    fn read(journal: &'a [u8]) -> Result<Self, RepairError> {
        let mut scan = scan(journal);
        let Some(Record::Head(head)) = scan.next() else {
            let why = scan
                .stopped()
                .map_or_else(|| "it is empty".to_owned(), ToString::to_string);
            return Err(RepairError::NoHead { why });
        };
        // Nothing here is trusted: a rate or a time that is none would ask for any number of rows.
        if !(1..=MAX_FPS).contains(&head.fps) || !(head.start_secs.abs() <= MAX_SECS) {
            return Err(RepairError::NoHead {
                why: format!(
                    "it says {} rows a second from {} s on",
                    head.fps, head.start_secs
                ),
            });
        }
        let mut parts = Self {
            timeline: Timeline::new(head.fps, head.start_secs),
            series: Series::new(head.layout),
            cameras: head.cameras.iter().map(|_| Camera::default()).collect(),
            head: *head,
            end: None,
            problems: Vec::new(),
        };
        for record in scan.by_ref() {
            parts.take(record);
        }
        if let Some(stop) = scan.stopped() {
            parts.problems.push(stop.to_string());
        }
        Ok(parts)
    }

    fn take(&mut self, record: Record<'a>) {
        match record {
            Record::Head(_) => {}
            Record::Ticks {
                generation,
                first,
                values,
            } => self.series.push(generation, first, &values),
            Record::Description { camera, config } => {
                if let Some(camera) = self.cameras.get_mut(usize::from(camera)) {
                    camera.describe(config);
                }
            }
            Record::Packet(packet) => {
                if let Some(camera) = self.cameras.get_mut(usize::from(packet.camera)) {
                    camera.take(packet);
                }
            }
            Record::Pause { secs } => self.timeline.pause(secs),
            Record::Resume { secs } => self.timeline.resume(secs),
            Record::Tally {
                camera,
                tally,
                pixels,
            } => {
                if let Some(camera) = self.cameras.get_mut(usize::from(camera)) {
                    camera.tally = tally;
                    camera.pixels = PixelStats::from_bytes(&pixels).or(camera.pixels.take());
                }
            }
            Record::End { rows } => self.end = Some(rows),
        }
    }

    /// How many rows are whole.
    fn rows(&self) -> Result<u32, RepairError> {
        let empty = |why: &str| RepairError::Empty {
            why: why.to_owned(),
        };
        let last = self
            .series
            .last_secs()
            .ok_or_else(|| empty("no control tick was recorded"))?;
        let mut rows = self.end.unwrap_or_else(|| self.timeline.rows_by(last));
        // As many as ticks can be for: without a camera nothing else says how many there may be.
        let most = self.series.len().saturating_mul(MAX_FPS as usize);
        rows = rows.min(u32::try_from(most).unwrap_or(u32::MAX));
        for (camera, named) in self.cameras.iter().zip(&self.head.cameras) {
            let pictures = u32::try_from(camera.packets.len()).unwrap_or(u32::MAX);
            if pictures == 0 || camera.config.is_none() {
                return Err(empty(&format!(
                    "no picture of camera {:?} was recorded",
                    named.name
                )));
            }
            rows = rows.min(pictures);
        }
        // A pause that was never ended may stand before the last rows.
        while rows > 0 && self.timeline.row_secs(rows - 1).is_none() {
            rows -= 1;
        }
        match rows {
            0 => Err(empty("it ended before its first row")),
            rows => Ok(rows),
        }
    }

    fn assemble(mut self) -> Result<Recording, RepairError> {
        let rows = self.rows()?;
        let count = rows as usize;
        if let Some(end) = self.end.filter(|end| *end > rows) {
            self.problems.push(format!(
                "{} of {end} rows are left out: not every camera has a picture of them",
                end - rows
            ));
        }
        let mut quality = EpisodeQuality::default();
        let numbers = self.series.rows(
            &self.timeline,
            rows,
            &self.head.action,
            &self.head.state,
            &mut quality,
        )?;
        let mut videos = Vec::new();
        let mut cameras = Vec::new();
        for (camera, named) in self.cameras.iter().zip(&self.head.cameras) {
            let name = &named.name;
            if let Some(why) = &camera.broken {
                self.problems.push(format!("camera {name:?}: {why}"));
            }
            let packets: Vec<mp4::Packet<'_>> = camera.packets[..count]
                .iter()
                .map(|packet| mp4::Packet {
                    key: packet.key,
                    bytes: packet.bytes,
                })
                .collect();
            let description = Description {
                codec: named.codec,
                width: named.width,
                height: named.height,
                config: camera.config.unwrap_or_default().to_vec(),
            };
            let file = mp4::mux(&description, self.head.fps, &packets).map_err(|error| {
                RepairError::Video {
                    camera: name.clone(),
                    error,
                }
            })?;
            let pixels = camera.pixels.as_ref().filter(|pixels| pixels.rows() > 0);
            let stats = pixels.map(PixelStats::finish).unwrap_or_else(|| {
                self.problems.push(format!(
                    "camera {name:?}: the statistics of its pictures were lost; they are those of a picture with all levels"
                ));
                unknown_pixels()
            });
            videos.push((format!("observation.images.{name}"), file, stats));
            quality
                .cameras
                .push(camera.quality(name, &self.timeline, count));
            let packets = &camera.packets[..count];
            cameras.push(CameraFacts {
                name: name.clone(),
                captured_secs: packets.iter().map(|packet| packet.captured_secs).collect(),
                freshness: packets
                    .iter()
                    .map(|packet| sidecar::letter(packet.freshness))
                    .collect(),
            });
        }
        let head = self.head;
        Ok(Recording {
            rows,
            facts: EpisodeFacts {
                id: head.id.clone(),
                robot_type: head.robot_type.clone(),
                fps: head.fps,
                rows,
                start_secs: head.start_secs,
                tick_secs: head.tick_secs,
                pauses: self.timeline.pauses().to_vec(),
                layout: head.layout,
                action: head.action.clone(),
                state: head.state.clone(),
                quality,
                cameras,
                problems: self.problems,
            },
            numbers,
            videos,
            ticks: sidecar::write_ticks(&self.series)?,
            head,
        })
    }
}

/// Statistics of a camera of which nothing is known: of one picture that has every level once, so that
/// it weighs little among others and nothing is divided by zero.
pub(super) fn unknown_pixels() -> FeatureStats {
    let ramp: Vec<u8> = (0..=255u8).flat_map(|level| [level; 3]).collect();
    let mut pixels = PixelStats::new();
    pixels.add([256, 1], &ramp);
    pixels.finish()
}
