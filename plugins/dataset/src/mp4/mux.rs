//! Packets into a file.

use std::num::NonZeroU32;

use shiguredo_mp4::boxes::{
    Av01Box, Av1cBox, Avc1Box, AvccBox, SampleEntry, VisualSampleEntryFields,
};
use shiguredo_mp4::mux::{
    Mp4FileMuxer, Mp4FileMuxerOptions, Sample, estimate_maximum_moov_box_size,
};
use shiguredo_mp4::{Decode, TrackKind, Uint};

use super::{Codec, Description, Mp4Error};

/// Units of time a frame: the timescale is this times the rate, as in files that `LeRobot` writes.
const TICKS_PER_FRAME: u32 = 512;

/// One encoded picture, in the order of showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Whether it can be decoded alone.
    pub key: bool,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Puts packets together to an MP4 file: frame `k` is shown at exactly `k / fps`.
///
/// # Errors
/// Without packets, when the first one is no key frame, for a description that is none, and for sizes
/// and rates that don't fit the format.
pub fn mux(
    description: &Description,
    fps: u32,
    packets: &[Packet<'_>],
) -> Result<Vec<u8>, Mp4Error> {
    match packets.first() {
        None => return Err(Mp4Error::Empty),
        Some(first) if !first.key => {
            return Err(Mp4Error::unwritable("the first frame is no key frame"));
        }
        Some(_) => {}
    }
    let timescale = fps
        .checked_mul(TICKS_PER_FRAME)
        .and_then(NonZeroU32::new)
        .ok_or_else(|| Mp4Error::unwritable(format!("{fps} frames a second is no rate")))?;
    let mut entry = Some(sample_entry(description)?);
    let mut muxer = Mp4FileMuxer::with_options(Mp4FileMuxerOptions {
        reserved_moov_box_size: estimate_maximum_moov_box_size(&[packets.len()])
            + description.config.len(),
        ..Mp4FileMuxerOptions::default()
    })
    .map_err(Mp4Error::unwritable)?;
    let head = muxer.initial_boxes_bytes();
    let payload: usize = packets.iter().map(|packet| packet.bytes.len()).sum();
    let mut file = Vec::with_capacity(head.len() + payload);
    file.extend_from_slice(head);
    for packet in packets {
        let sample = Sample {
            track_kind: TrackKind::Video,
            sample_entry: entry.take(),
            keyframe: packet.key,
            timescale,
            duration: TICKS_PER_FRAME,
            composition_time_offset: None,
            data_offset: file.len() as u64,
            data_size: packet.bytes.len(),
        };
        muxer.append_sample(&sample).map_err(Mp4Error::unwritable)?;
        file.extend_from_slice(packet.bytes);
    }
    let boxes = muxer.finalize().map_err(Mp4Error::unwritable)?;
    for (offset, bytes) in boxes.offset_and_bytes_pairs() {
        let from = usize::try_from(offset).map_err(Mp4Error::unwritable)?;
        let to = from + bytes.len();
        if file.len() < to {
            file.resize(to, 0);
        }
        file[from..to].copy_from_slice(bytes);
    }
    Ok(file)
}

/// The box that describes the packets.
fn sample_entry(description: &Description) -> Result<SampleEntry, Mp4Error> {
    let side = |pixels: u32| {
        u16::try_from(pixels)
            .ok()
            .filter(|pixels| *pixels > 0)
            .ok_or_else(|| {
                Mp4Error::unwritable(format!(
                    "a picture of {} x {} pixels",
                    description.width, description.height
                ))
            })
    };
    let visual = VisualSampleEntryFields {
        data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
        width: side(description.width)?,
        height: side(description.height)?,
        horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
        vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
        frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
        compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
        depth: VisualSampleEntryFields::DEFAULT_DEPTH,
    };
    let unknown_boxes = Vec::new();
    Ok(match description.codec {
        Codec::H264 => {
            let (mut avcc_box, _) = AvccBox::decode(&boxed(*b"avcC", &description.config)?)
                .map_err(Mp4Error::unwritable)?;
            complete(&mut avcc_box);
            SampleEntry::Avc1(Avc1Box {
                visual,
                avcc_box,
                unknown_boxes,
            })
        }
        Codec::Av1 => {
            let (av1c_box, _) = Av1cBox::decode(&boxed(*b"av1C", &description.config)?)
                .map_err(Mp4Error::unwritable)?;
            SampleEntry::Av01(Av01Box {
                visual,
                av1c_box,
                unknown_boxes,
            })
        }
    })
}

/// Some encoders leave out what `avcC` has to say of high profiles: here it is always 4:2:0, 8 bits.
pub(super) fn complete(avcc: &mut AvccBox) {
    if !matches!(avcc.avc_profile_indication, 66 | 77 | 88) {
        avcc.chroma_format.get_or_insert(Uint::new(1));
        avcc.bit_depth_luma_minus8.get_or_insert(Uint::new(0));
        avcc.bit_depth_chroma_minus8.get_or_insert(Uint::new(0));
    }
}

/// Content with a box's header before it.
fn boxed(kind: [u8; 4], content: &[u8]) -> Result<Vec<u8>, Mp4Error> {
    let length = u32::try_from(content.len() + 8).map_err(Mp4Error::unwritable)?;
    Ok([&length.to_be_bytes(), &kind, content].concat())
}
