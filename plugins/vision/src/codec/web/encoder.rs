//! H.264 by the browser's encoder.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use js_sys::{Object, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{failed, need};
use crate::Pace;
use crate::codec::yuv::Planes;
use crate::codec::{Busy, CodecError, KEY_INTERVAL, Packet, QUEUE_FRAMES, check_size};
use crate::frame::{Frame, Pixels};
use crate::web::binding::{EncodedVideoChunk, VideoEncoder, VideoFrame, get, set};
use crate::web::video::Held;

const WHAT: &str = "encoder";
/// So many frames may be under way, those that the encoder holds back among them.
const MAX_PENDING: usize = 4 * QUEUE_FRAMES;
/// Bits a pixel at the quantiser 23, with every second frame a key frame; six steps double them.
const BITS_PER_PIXEL: f64 = 0.5;
/// The least and greatest rate, bits a second.
const RATES: (f64, f64) = (2e5, 8e7);
/// H.264's levels (table A-1): macroblocks a second, macroblocks a frame, and the number in hex.
const LEVELS: [(u64, u64, &str); 6] = [
    (108_000, 3_600, "1f"),
    (216_000, 5_120, "20"),
    (245_760, 8_192, "28"),
    (522_240, 8_704, "2a"),
    (589_824, 22_080, "32"),
    (2_073_600, 36_864, "34"),
];

/// Makes H.264 from frames, in their order. Calls never wait.
pub struct Encoder {
    size: [u32; 2],
    fps: u32,
    works: SendWrapper<Works>,
    description: Option<Vec<u8>>,
    /// Frames of the video in hand so far.
    frames: u32,
    spare: Vec<Frame>,
}

struct Works {
    encoder: Option<VideoEncoder>,
    desk: Rc<RefCell<Desk>>,
    /// Counts all frames: their times.
    count: u32,
    /// What was encoded last.
    last: Option<Held>,
    planes: Planes,
    bytes: Option<Uint8Array>,
    _on_packet: Closure<dyn FnMut(JsValue, JsValue)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

/// What the browser's calls leave for the next poll.
#[derive(Default)]
struct Desk {
    /// Times and rows of frames whose packets have not come.
    under_way: VecDeque<(f64, u32)>,
    ready: VecDeque<Result<Packet, CodecError>>,
    description: Option<Vec<u8>>,
}

impl Encoder {
    /// An encoder for frames of `size` pixels, `fps` a second. `quality` is H.264's quantiser, 0 (best)
    /// to 51, about which the rate is chosen. The pace makes no difference here.
    ///
    /// # Errors
    /// A size that can't be encoded; a browser without WebCodecs.
    pub fn new(size: [u32; 2], fps: u32, quality: u8, _pace: Pace) -> Result<Self, CodecError> {
        check_size(size)?;
        need("VideoEncoder", WHAT)?;
        let desk: Rc<RefCell<Desk>> = Rc::default();
        let hearing = Rc::clone(&desk);
        let on_packet = Closure::<dyn FnMut(JsValue, JsValue)>::new(move |chunk, about| {
            hearing.borrow_mut().take(chunk, &about);
        });
        let failing = Rc::clone(&desk);
        let on_error = Closure::<dyn FnMut(JsValue)>::new(move |error| {
            failing.borrow_mut().fail(failed(WHAT, &error));
        });
        let init = Object::new();
        set(&init, "output", on_packet.as_ref().clone());
        set(&init, "error", on_error.as_ref().clone());
        let encoder = VideoEncoder::new(&init).map_err(|error| failed(WHAT, &error))?;
        let configured = encoder.configure(&config(size, fps, quality));
        configured.map_err(|error| failed(WHAT, &error))?;
        Ok(Self {
            size,
            fps: fps.max(1),
            works: SendWrapper::new(Works {
                encoder: Some(encoder),
                desk,
                count: 0,
                last: None,
                planes: Planes::default(),
                bytes: None,
                _on_packet: on_packet,
                _on_error: on_error,
            }),
            description: None,
            frames: 0,
            spare: Vec::new(),
        })
    }

    /// Hands a frame in; `row` comes back with its packet.
    ///
    /// # Errors
    /// [`Busy`]: too many are under way.
    pub fn push(&mut self, row: u32, frame: Frame) -> Result<(), Busy> {
        if self.works.is_busy() {
            return Err(Busy(frame));
        }
        let stamp = self.next_stamp();
        match self.works.picture(&frame, self.size, stamp) {
            Ok(picture) => self.encode(row, stamp, picture),
            Err(error) => self.works.desk.borrow_mut().ready.push_back(Err(error)),
        }
        if self.spare.len() < QUEUE_FRAMES {
            self.spare.push(frame);
        }
        Ok(())
    }

    /// The frame that was handed in last stands for this row, too. Answers whether it could be taken;
    /// not when too many are under way.
    pub fn again(&mut self, row: u32) -> bool {
        if self.works.is_busy() {
            return false;
        }
        let stamp = self.next_stamp();
        let picture = match &self.works.last {
            Some(last) => stamped(&last.0, stamp),
            None => Err(CodecError::Failed {
                what: WHAT,
                why: "there is no frame yet that could be shown again".to_owned(),
            }),
        };
        match picture {
            Ok(picture) => self.encode(row, stamp, picture),
            Err(error) => self.works.desk.borrow_mut().ready.push_back(Err(error)),
        }
        true
    }

    /// The next packet, in the order of pushing, if one is ready. After an error the frame it is
    /// about has no packet; others may follow.
    pub fn poll(&mut self) -> Option<Result<Packet, CodecError>> {
        let mut desk = self.works.desk.borrow_mut();
        if let Some(description) = desk.description.take() {
            self.description = Some(description);
        }
        desk.ready.pop_front()
    }

    /// How many frames were pushed whose packets were not polled.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.works.desk.borrow().pending()
    }

    /// The content of MP4's `avcC` box. There before the first packet is polled, and the same for
    /// all videos of this encoder.
    #[must_use]
    pub fn description(&self) -> Option<&[u8]> {
        self.description.as_deref()
    }

    /// Ends a video: the next frame begins another one, with a key frame. What is
    /// [`pending`](Self::pending) still comes.
    pub fn finish(&mut self) {
        self.frames = 0;
        let Some(encoder) = &self.works.encoder else {
            return;
        };
        // What the browser holds back comes out.
        if let Ok(flushed) = encoder.flush() {
            spawn_local(async move {
                // What fails is told to the encoder's own error.
                JsFuture::from(flushed).await.ok();
            });
        }
    }

    /// A frame that is encoded, for its buffer to be used again.
    pub fn reclaim(&mut self) -> Option<Frame> {
        self.spare.pop()
    }

    /// Width and height of its frames, pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// The time of the next frame, microseconds: they only have to grow.
    fn next_stamp(&mut self) -> f64 {
        let stamp = f64::from(self.works.count) * 1e6 / f64::from(self.fps);
        self.works.count = self.works.count.wrapping_add(1);
        stamp.round()
    }

    fn encode(&mut self, row: u32, stamp: f64, picture: Held) {
        let works = &mut *self.works;
        let options = Object::new();
        set(
            &options,
            "keyFrame",
            self.frames.is_multiple_of(KEY_INTERVAL),
        );
        let encoded = match &works.encoder {
            Some(encoder) => encoder.encode(&picture.0, &options),
            None => Ok(()),
        };
        let mut desk = works.desk.borrow_mut();
        match encoded {
            Ok(()) => desk.under_way.push_back((stamp, row)),
            // It has failed before, and said so.
            Err(error) => desk.ready.push_back(Err(failed(WHAT, &error))),
        }
        drop(desk);
        self.frames += 1;
        works.last = Some(picture);
    }
}

impl Works {
    fn is_busy(&self) -> bool {
        let queued = self.encoder.as_ref().map_or(0, VideoEncoder::queue_size) as usize;
        queued >= QUEUE_FRAMES || self.desk.borrow().pending() >= MAX_PENDING
    }

    /// A frame as the browser takes it.
    fn picture(&mut self, frame: &Frame, size: [u32; 2], stamp: f64) -> Result<Held, CodecError> {
        match &frame.pixels {
            // The encoder brings it to its own size, if it has to.
            Pixels::Video(video) => stamped(video.frame(), stamp),
            Pixels::Rgb(rgb) => self.of_rgb(rgb, frame.size, size, stamp),
        }
    }

    fn of_rgb(
        &mut self,
        rgb: &[u8],
        got: [u32; 2],
        expected: [u32; 2],
        stamp: f64,
    ) -> Result<Held, CodecError> {
        let [width, height] = expected.map(|side| side as usize);
        if got != expected || rgb.len() != 3 * width * height {
            return Err(CodecError::FrameSize { got, expected });
        }
        self.planes.read_rgb([width, height], rgb);
        let length = (width * height * 3 / 2) as u32;
        let bytes = match self.bytes.take() {
            Some(bytes) if bytes.length() == length => bytes,
            _ => Uint8Array::new_with_length(length),
        };
        let mut start = 0;
        for plane in &self.planes.planes {
            let end = start + plane.len() as u32;
            bytes.subarray(start, end).copy_from(plane);
            start = end;
        }
        let init = Object::new();
        set(&init, "format", "I420");
        set(&init, "codedWidth", expected[0]);
        set(&init, "codedHeight", expected[1]);
        set(&init, "timestamp", stamp);
        let color = Object::new();
        for part in ["primaries", "transfer", "matrix"] {
            set(&color, part, "smpte170m");
        }
        set(&color, "fullRange", false);
        set(&init, "colorSpace", color);
        let made = VideoFrame::new(&bytes, &init);
        self.bytes = Some(bytes);
        made.map(Held).map_err(|error| failed(WHAT, &error))
    }
}

/// The same picture at another time; its pixels are shared.
fn stamped(frame: &VideoFrame, stamp: f64) -> Result<Held, CodecError> {
    let init = Object::new();
    set(&init, "timestamp", stamp);
    let made = VideoFrame::new(frame, &init);
    made.map(Held).map_err(|error| failed(WHAT, &error))
}

impl Desk {
    fn pending(&self) -> usize {
        self.under_way.len() + self.ready.len()
    }

    fn take(&mut self, chunk: JsValue, about: &JsValue) {
        let chunk: EncodedVideoChunk = chunk.unchecked_into();
        let stamp = chunk.timestamp();
        let mut row = None;
        while let Some((at, of)) = self.under_way.pop_front() {
            if at >= stamp {
                row = Some(of);
                break;
            }
            self.ready.push_back(Err(CodecError::Failed {
                what: WHAT,
                why: format!("the browser left row {of} out; choose a lower resolution or rate"),
            }));
        }
        let Some(row) = row else { return };
        let description = get(&get(about, "decoderConfig"), "description");
        if description.is_object() {
            self.description = Some(Uint8Array::new(&description).to_vec());
        }
        let bytes = Uint8Array::new_with_length(chunk.byte_length());
        self.ready.push_back(match chunk.copy_to(&bytes) {
            Ok(()) => Ok(Packet {
                row,
                key: chunk.kind() == "key",
                bytes: bytes.to_vec(),
            }),
            Err(error) => Err(failed(WHAT, &error)),
        });
    }

    /// Nothing comes any more: each frame under way has this error.
    fn fail(&mut self, error: CodecError) {
        let lost = self.under_way.len().max(1);
        self.under_way.clear();
        for _ in 0..lost {
            self.ready.push_back(Err(error.clone()));
        }
    }
}

fn config(size: [u32; 2], fps: u32, quality: u8) -> Object {
    let [width, height] = size.map(u64::from);
    let blocks = width.div_ceil(16) * height.div_ceil(16);
    let a_second = blocks * u64::from(fps.max(1));
    let level = LEVELS
        .iter()
        .find(|(most_a_second, most, _)| a_second <= *most_a_second && blocks <= *most)
        .or(LEVELS.last())
        .map_or("34", |(_, _, level)| level);
    let pixels = (width * height * u64::from(fps.max(1))) as f64;
    let finer = (23.0 - f64::from(quality.min(51))) / 6.0;
    let rate = (pixels * BITS_PER_PIXEL * finer.exp2()).clamp(RATES.0, RATES.1);
    let avc = Object::new();
    set(&avc, "format", "avc");
    let config = Object::new();
    set(&config, "codec", format!("avc1.4200{level}"));
    set(&config, "width", size[0]);
    set(&config, "height", size[1]);
    set(&config, "framerate", fps.max(1));
    set(&config, "bitrate", rate.round());
    set(&config, "bitrateMode", "variable");
    set(&config, "latencyMode", "quality");
    set(&config, "avc", avc);
    config
}

impl Drop for Works {
    fn drop(&mut self) {
        if let Some(encoder) = self.encoder.take() {
            // One that has failed is closed already.
            encoder.close().ok();
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Encoder")
            .field("size", &self.size)
            .field("pending", &self.pending())
            .finish_non_exhaustive()
    }
}
