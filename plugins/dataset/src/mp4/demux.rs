//! A file into samples: where each packet is, and when it is shown.

use std::num::NonZeroU32;

use shiguredo_mp4::aux::SampleTableAccessor;
use shiguredo_mp4::boxes::{HdlrBox, MoovBox, SampleEntry, StszBox, TrakBox};
use shiguredo_mp4::{BaseBox, Decode, Encode};

use super::mux::complete;
use super::{Codec, Description, Mp4Error};
use crate::store::Store;

/// The longest index that is read, bytes: hours of video are far below it.
const MAX_INDEX: u64 = 256 << 20;

/// A box's header without and with a long size, bytes.
const HEADER: usize = 8;
const LONG_HEADER: usize = 16;

/// The video track of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// What a decoder has to know.
    pub description: Description,
    /// Units of time a second.
    pub timescale: u32,
    /// The packets, in the order in which they have to be decoded. All lie within the file.
    pub samples: Vec<Sample>,
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub size: u32,
    /// When its picture is shown, in units of [`Track::timescale`] from the video's beginning.
    pub shown: i64,
    /// How long its picture is shown, in the same units.
    pub duration: u32,
    /// Whether it can be decoded alone.
    pub key: bool,
}

impl Track {
    /// When a sample's picture is shown, seconds from the video's beginning.
    #[must_use]
    pub fn shown_secs(&self, sample: &Sample) -> f64 {
        sample.shown as f64 / f64::from(self.timescale)
    }

    /// The sample that is shown nearest to `secs`, and by how many seconds it misses it.
    #[must_use]
    pub fn nearest(&self, secs: f64) -> Option<(usize, f64)> {
        self.samples
            .iter()
            .map(|sample| (self.shown_secs(sample) - secs).abs())
            .enumerate()
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// The sample from which decoding has to begin to get the picture of sample `index`.
    #[must_use]
    pub fn key_before(&self, index: usize) -> usize {
        let until = self.samples.len().min(index.saturating_add(1));
        self.samples[..until]
            .iter()
            .rposition(|sample| sample.key)
            .unwrap_or(0)
    }

    /// Frames a second, if all are shown equally long.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        let first = self.samples.first()?.duration;
        let even = first > 0 && self.samples.iter().all(|sample| sample.duration == first);
        even.then(|| f64::from(self.timescale) / f64::from(first))
    }
}

/// Reads the index of an MP4 file in memory.
///
/// # Errors
/// When it is none, is damaged, or has no video that is known here.
pub fn demux(bytes: &[u8]) -> Result<Track, Mp4Error> {
    let (from, to) = find_index(bytes.len() as u64, |offset, header| {
        let from = offset as usize;
        header.copy_from_slice(&bytes[from..from + header.len()]);
        Ok(())
    })?;
    read_index(&bytes[from as usize..to as usize], bytes.len() as u64)
}

/// Reads the index of an MP4 file in a store; the pictures stay there.
///
/// # Errors
/// When it can't be read, is no MP4 file, is damaged, or has no video that is known here.
pub fn open(store: &dyn Store, path: &str) -> Result<Track, Mp4Error> {
    let not_found = || crate::store::StoreError::NotFound {
        path: path.to_owned(),
    };
    let size = store.size(path)?.ok_or_else(not_found)?;
    let read = |offset: u64, buffer: &mut [u8]| {
        if store.read_at(path, offset, buffer)? < buffer.len() {
            return Err(Mp4Error::damaged("the file is shorter than it was"));
        }
        Ok(())
    };
    let (from, to) = find_index(size, read)?;
    let mut index = vec![0; (to - from) as usize];
    read(from, &mut index)?;
    read_index(&index, size)
}

/// From where to where the box with the index is. What is between them lies within the file.
fn find_index(
    size: u64,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), Mp4Error>,
) -> Result<(u64, u64), Mp4Error> {
    let mut at = 0;
    loop {
        let left = size - at;
        if left < HEADER as u64 {
            return Err(Mp4Error::damaged(
                "it has no index (moov); recording it was cut off",
            ));
        }
        let mut header = [0; LONG_HEADER];
        let header = &mut header[..(left as usize).min(LONG_HEADER)];
        read(at, header)?;
        let word = |from: usize| -> Option<[u8; 4]> { header.get(from..from + 4)?.try_into().ok() };
        let short = word(0).map_or(0, u32::from_be_bytes);
        let kind = word(4).unwrap_or_default();
        if at == 0 && &kind != b"ftyp" {
            return Err(Mp4Error::damaged("it does not begin as an MP4 file does"));
        }
        let long = match (short, word(8), word(12)) {
            (0, _, _) => left,
            (1, Some(high), Some(low)) => {
                u64::from(u32::from_be_bytes(high)) << 32 | u64::from(u32::from_be_bytes(low))
            }
            (short, _, _) => u64::from(short),
        };
        let least = if short == 1 { LONG_HEADER } else { HEADER };
        if long < least as u64 || long > left {
            return Err(Mp4Error::damaged(format!(
                "the box at byte {at} says {long} bytes, {left} are left"
            )));
        }
        if &kind == b"moov" {
            if long > MAX_INDEX {
                return Err(Mp4Error::damaged(format!(
                    "its index has {long} bytes, {MAX_INDEX} are the most"
                )));
            }
            return Ok((at, at + long));
        }
        at += long;
    }
}

fn read_index(index: &[u8], size: u64) -> Result<Track, Mp4Error> {
    let (moov, _) = MoovBox::decode(index).map_err(|error| Mp4Error::damaged(error.to_string()))?;
    let is_video =
        |track: &TrakBox| track.mdia_box.hdlr_box.handler_type == HdlrBox::HANDLER_TYPE_VIDE;
    let track = moov
        .trak_boxes
        .into_iter()
        .find(is_video)
        .ok_or_else(|| Mp4Error::damaged("it has no video track"))?;
    read_track(track, size)
}

fn read_track(track: TrakBox, size: u64) -> Result<Track, Mp4Error> {
    let shift = beginning(&track);
    let timescale = track.mdia_box.mdhd_box.timescale.get();
    let table = track.mdia_box.minf_box.stbl_box;
    // A few bytes can claim billions of samples of one size: more than the file holds are none.
    if let StszBox::Fixed {
        sample_size,
        sample_count,
    } = &table.stsz_box
        && u64::from(sample_size.get()) * u64::from(*sample_count) > size
    {
        return Err(Mp4Error::damaged(
            "its samples are longer than the file together",
        ));
    }
    let table =
        SampleTableAccessor::new(table).map_err(|error| Mp4Error::damaged(error.to_string()))?;
    let first = table
        .get_sample(NonZeroU32::MIN)
        .ok_or(Mp4Error::Empty)?
        .chunk();
    let description = describe(first.sample_entry())?;
    let mut samples = Vec::with_capacity(table.sample_count() as usize);
    for chunk in table.chunks() {
        if chunk.sample_entry() != first.sample_entry() {
            return Err(Mp4Error::damaged(
                "its encoding changes on the way; encode it anew as one",
            ));
        }
        for sample in chunk.samples() {
            let (offset, length) = (sample.data_offset(), sample.data_size());
            if offset
                .checked_add(u64::from(length))
                .is_none_or(|end| end > size)
            {
                return Err(Mp4Error::damaged(format!(
                    "sample {} lies behind the end of the file",
                    samples.len()
                )));
            }
            let decoded = i64::try_from(sample.timestamp()).unwrap_or(i64::MAX);
            samples.push(Sample {
                offset,
                size: length,
                shown: decoded
                    .saturating_add(sample.composition_time_offset().unwrap_or(0))
                    .saturating_sub(shift),
                duration: sample.duration(),
                key: sample.is_sync_sample(),
            });
        }
    }
    Ok(Track {
        description,
        timescale,
        samples,
    })
}

/// What an edit list cuts off the beginning of a track, in its own units.
fn beginning(track: &TrakBox) -> i64 {
    let edits = track
        .edts_box
        .as_ref()
        .and_then(|edits| edits.elst_box.as_ref());
    edits
        .and_then(|list| list.entries.iter().find(|edit| edit.media_time >= 0))
        .map_or(0, |edit| edit.media_time)
}

fn describe(entry: &SampleEntry) -> Result<Description, Mp4Error> {
    let damaged = |error: shiguredo_mp4::Error| Mp4Error::damaged(error.to_string());
    let (codec, config) = match entry {
        SampleEntry::Avc1(entry) => {
            let mut avcc = entry.avcc_box.clone();
            complete(&mut avcc);
            (Codec::H264, avcc.encode_to_vec().map_err(damaged)?)
        }
        SampleEntry::Av01(entry) => (Codec::Av1, entry.av1c_box.encode_to_vec().map_err(damaged)?),
        other => {
            return Err(Mp4Error::Codec {
                found: other.box_type().to_string(),
            });
        }
    };
    let (width, height) = entry.video_resolution().unwrap_or((0, 0));
    Ok(Description {
        codec,
        width: width.into(),
        height: height.into(),
        config: config.get(HEADER..).unwrap_or_default().to_vec(),
    })
}
