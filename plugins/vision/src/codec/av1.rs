//! Decoding AV1 natively: rav1d, which is dav1d in Rust, within [`Av1::push`].
//!
//! Pictures of more than 8 bits a channel lose what is beyond. Every sample of a file (a temporal
//! unit) shows one picture, in the order of display, so none is held back.
//!
//! Limitation: rav1d is called as C is, so a panic in it would end the program, and can't be caught.
//! It therefore gets only those parts of a sample (OBUs) that pictures are made of, whole: the one
//! known panic is in metadata.

use std::panic::AssertUnwindSafe;

use re_rav1d::pixel::{MatrixCoefficients, YUVRange};
use re_rav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Plane, Settings};

use super::native::decoder_failed;
use super::yuv::{Coding, PlaneSlices};
use super::{CodecError, MAX_PIXELS, SIDES};

/// The bytes of an `av1C` box before the OBUs in it.
const RECORD_HEAD: usize = 4;
/// What an `av1C` box begins with: a bit that is set, and version 1.
const MARKER_AND_VERSION: u8 = 0x81;
/// The types of OBUs that pictures are made of: sequence header, frame header, tile group, frame,
/// redundant frame header.
const NEEDED: [u8; 5] = [SEQUENCE_HEADER, 3, 4, 6, 7];
const SEQUENCE_HEADER: u8 = 1;

/// A decoder of one stream.
pub(super) struct Av1 {
    decoder: Decoder,
    /// The OBUs of the description: a sequence header that samples need not repeat.
    head: Vec<u8>,
    /// Whether the next sample is the first one, or the first one after an error.
    first: bool,
}

fn sample_error(error: Error) -> CodecError {
    CodecError::Sample(error.to_string())
}

impl Av1 {
    /// A decoder for the stream that an `av1C` box describes.
    pub(super) fn new(record: &[u8]) -> Result<Self, CodecError> {
        let Some((start, head)) = record.split_first_chunk::<RECORD_HEAD>() else {
            let why = format!("av1C has {} of at least {RECORD_HEAD} bytes", record.len());
            return Err(CodecError::Description(why));
        };
        if start[0] != MARKER_AND_VERSION {
            let why = format!("av1C begins with {:#04x} instead of 0x81", start[0]);
            return Err(CodecError::Description(why));
        }
        let mut settings = Settings::new();
        // Pictures come out of the call that brings their sample.
        settings.set_n_threads(1);
        settings.set_max_frame_delay(1);
        settings.set_all_layers(false);
        settings.set_frame_size_limit(MAX_PIXELS as u32);
        Ok(Self {
            decoder: Decoder::with_settings(&settings).map_err(decoder_failed)?,
            head: Obus::read(head).map_err(CodecError::Description)?.needed,
            first: true,
        })
    }

    /// Decodes a sample and shows its picture, with the sample's row.
    pub(super) fn push(
        &mut self,
        row: u32,
        sample: &[u8],
        show: &mut dyn FnMut(u32, PlaneSlices<'_>),
    ) -> Result<(), CodecError> {
        let result = self.decode(row, sample, show);
        if result.is_err() {
            self.finish();
        }
        result
    }

    /// Forgets all; a key frame comes next.
    pub(super) fn finish(&mut self) {
        self.decoder.flush();
        self.first = true;
    }

    fn decode(
        &mut self,
        row: u32,
        sample: &[u8],
        show: &mut dyn FnMut(u32, PlaneSlices<'_>),
    ) -> Result<(), CodecError> {
        let obus = Obus::read(sample).map_err(CodecError::Sample)?;
        if obus.needed.is_empty() {
            return Err(CodecError::Sample("it is empty".to_owned()));
        }
        let mut unit = Vec::new();
        if std::mem::take(&mut self.first) && !obus.sequence_header {
            unit.extend_from_slice(&self.head);
        }
        unit.extend_from_slice(&obus.needed);
        let mut shown = false;
        let mut sent = self.decoder.send_data(unit, None, Some(row.into()), None);
        loop {
            let more = match sent {
                Ok(()) => false,
                Err(Error::Again) => true,
                Err(error) => return Err(sample_error(error)),
            };
            match self.decoder.get_picture() {
                // More than one picture of a sample is against the standard.
                Ok(_) if shown => {}
                Ok(picture) => {
                    show_picture(&picture, row, show)?;
                    shown = true;
                }
                Err(Error::Again) if more => {}
                Err(Error::Again) => return Ok(()),
                Err(error) => return Err(sample_error(error)),
            }
            sent = self.decoder.send_pending_data();
        }
    }
}

/// What a sample or a description holds.
#[derive(Debug, PartialEq, Eq)]
struct Obus {
    /// Those that pictures are made of, as they stand there.
    needed: Vec<u8>,
    sequence_header: bool,
}

impl Obus {
    fn read(mut rest: &[u8]) -> Result<Self, String> {
        let mut obus = Self {
            needed: Vec::new(),
            sequence_header: false,
        };
        while let [head, ..] = *rest {
            if head & 0x80 != 0 {
                return Err(format!("an OBU begins with {head:#04x}"));
            }
            let kind = head >> 3 & 0xf;
            let mut length = if head & 4 == 0 { 1 } else { 2 };
            let content = if head & 2 == 0 {
                rest.len().checked_sub(length)
            } else {
                let (size, bytes) = leb128(rest.get(length..).unwrap_or_default());
                length += bytes;
                size
            };
            let end = content.and_then(|content| length.checked_add(content));
            let Some((obu, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
                return Err("it ends within an OBU".to_owned());
            };
            if NEEDED.contains(&kind) {
                if content == Some(0) {
                    return Err(format!("an OBU of type {kind} is empty"));
                }
                obus.needed.extend_from_slice(obu);
                obus.sequence_header |= kind == SEQUENCE_HEADER;
            }
            rest = after;
        }
        Ok(obus)
    }
}

/// A number of seven bits a byte, least first, and how many bytes it takes.
fn leb128(bytes: &[u8]) -> (Option<usize>, usize) {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (usize::try_from(value).ok(), at + 1);
        }
    }
    (None, 0)
}

fn show_picture(
    picture: &Picture,
    row: u32,
    show: &mut dyn FnMut(u32, PlaneSlices<'_>),
) -> Result<(), CodecError> {
    let size = [picture.width(), picture.height()];
    if size.iter().any(|side| side > SIDES.end()) {
        let [width, height] = size;
        let why = format!(
            "it is of {width}×{height} pixels, {} are allowed",
            SIDES.end()
        );
        return Err(CodecError::Sample(why));
    }
    let full = picture.color_range() == YUVRange::Full;
    // rav1d panics where a file has a reserved value.
    let matrix = std::panic::catch_unwind(AssertUnwindSafe(|| picture.matrix_coefficients()));
    let coding = match matrix.unwrap_or(MatrixCoefficients::Unspecified) {
        MatrixCoefficients::Identity => {
            return Err(CodecError::Unsupported(
                "AV1 with red, green and blue planes",
            ));
        }
        MatrixCoefficients::BT709 if full => Coding::BT709_FULL,
        MatrixCoefficients::BT709 => Coding::BT709,
        // Most say nothing; what else there is is near enough.
        _ if full => Coding::BT601_FULL,
        _ => Coding::BT601,
    };
    let [width, height] = size.map(|side| side as usize);
    let luma = Samples::of(picture, PlanarImageComponent::Y);
    let (shared, [blue, red]) = match picture.pixel_layout() {
        PixelLayout::I420 => ([2, 2], chroma_of(picture)),
        PixelLayout::I422 => ([2, 1], chroma_of(picture)),
        PixelLayout::I444 => ([1, 1], chroma_of(picture)),
        PixelLayout::I400 => ([1, 1], [(); 2].map(|()| Samples::neutral(width))),
    };
    show(
        row,
        PlaneSlices {
            size: [width, height],
            planes: [luma.bytes(), blue.bytes(), red.bytes()],
            strides: [luma.stride, blue.stride, red.stride],
            shared,
            coding,
        },
    );
    Ok(())
}

/// A plane in 8 bits.
struct Samples {
    bytes: Bytes,
    stride: usize,
}

enum Bytes {
    Picture(Plane),
    Made(Vec<u8>),
}

impl Samples {
    fn of(picture: &Picture, component: PlanarImageComponent) -> Self {
        let stride = picture.stride(component) as usize;
        let plane = picture.plane(component);
        let surplus = picture.bit_depth().saturating_sub(8);
        if surplus == 0 {
            let bytes = Bytes::Picture(plane);
            return Self { bytes, stride };
        }
        let values = plane.as_chunks::<2>().0.iter();
        let values = values.map(|pair| (u16::from_ne_bytes(*pair) >> surplus) as u8);
        Self {
            bytes: Bytes::Made(values.collect()),
            stride: stride / 2,
        }
    }

    /// The chroma of a picture without colour, one line for all.
    fn neutral(width: usize) -> Self {
        Self {
            bytes: Bytes::Made(vec![128; width]),
            stride: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Picture(plane) => plane,
            Bytes::Made(bytes) => bytes,
        }
    }
}

fn chroma_of(picture: &Picture) -> [Samples; 2] {
    [PlanarImageComponent::U, PlanarImageComponent::V]
        .map(|component| Samples::of(picture, component))
}
