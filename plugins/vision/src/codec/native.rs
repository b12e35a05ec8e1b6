//! Encoding and decoding natively: openh264, and `av1` for what it does not decode.

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use openh264::encoder::{
    BitRate, Complexity, EncoderConfig, FrameRate, IntraFramePeriod, QpRange, RateControlMode,
    UsageType, VuiConfig,
};
use openh264::formats::{YUVSlices, YUVSource};

use super::av1::Av1;
use super::avcc::{Description, ParameterSets};
use super::rows::Rows;
use super::yuv::{Coding, PlaneSlices, Planes};
use super::{Busy, CodecError, KEY_INTERVAL, Packet, Picture, QUEUE_FRAMES, Stream, check_size};
use crate::Pace;
use crate::frame::Frame;

/// The least quantiser that openh264 keeps to.
const LEAST_QUANTISER: u8 = 12;

fn encoder_failed(error: impl std::fmt::Display) -> CodecError {
    CodecError::Failed {
        what: "encoder",
        why: error.to_string(),
    }
}

pub(super) fn decoder_failed(error: impl std::fmt::Display) -> CodecError {
    CodecError::Failed {
        what: "decoder",
        why: error.to_string(),
    }
}

/// Makes H.264 from frames, in their order.
///
/// Under [`Pace::Live`] on a thread of its own: [`Encoder::push`] and [`Encoder::poll`] never
/// wait. Under [`Pace::Stepped`] within `push`.
#[derive(Debug)]
pub struct Encoder {
    size: [u32; 2],
    host: Host,
    description: Option<Vec<u8>>,
    /// Frames pushed whose packets were not polled.
    pending: usize,
    /// Whether the next frame begins a new video.
    first: bool,
    spare: Vec<Frame>,
}

#[derive(Debug)]
enum Host {
    Inline(Box<Core>, VecDeque<Done>),
    Thread(Sender<Job>, Receiver<Done>),
}

/// A frame to be encoded.
#[derive(Debug)]
struct Job {
    row: u32,
    /// Nothing: the frame before once more.
    frame: Option<Frame>,
    first: bool,
}

/// What came of a frame.
#[derive(Debug)]
struct Done {
    result: Result<Packet, CodecError>,
    frame: Option<Frame>,
    /// If it is new or other than before.
    description: Option<Vec<u8>>,
}

impl Encoder {
    /// An encoder for frames of `size` pixels, `fps` a second. `quality` is H.264's quantiser, 0
    /// (best) to 51, the same for every frame; openh264 takes 12 as the least.
    ///
    /// # Errors
    /// A size that can't be encoded; no encoder or thread to be had.
    pub fn new(size: [u32; 2], fps: u32, quality: u8, pace: Pace) -> Result<Self, CodecError> {
        check_size(size)?;
        let core = Core::new(size, fps, quality)?;
        let host = match pace {
            Pace::Stepped => Host::Inline(Box::new(core), VecDeque::new()),
            Pace::Live => {
                let (jobs, work) = bounded(QUEUE_FRAMES);
                // Room for all that may be under way: the thread never waits for its owner.
                let (out, done) = bounded(QUEUE_FRAMES);
                std::thread::Builder::new()
                    .name("video encoder".to_owned())
                    .spawn(move || core.run(&work, &out))
                    .map_err(encoder_failed)?;
                Host::Thread(jobs, done)
            }
        };
        Ok(Self {
            size,
            host,
            description: None,
            pending: 0,
            first: true,
            spare: Vec::new(),
        })
    }

    /// Hands a frame in; `row` comes back with its packet.
    ///
    /// # Errors
    /// [`Busy`]: too many are under way.
    pub fn push(&mut self, row: u32, frame: Frame) -> Result<(), Busy> {
        if self.pending >= QUEUE_FRAMES {
            return Err(Busy(frame));
        }
        let first = self.first;
        let frame = Some(frame);
        match self.hand_over(Job { row, frame, first }) {
            Ok(()) => Ok(()),
            Err(Job {
                frame: Some(frame), ..
            }) => Err(Busy(frame)),
            Err(_) => Ok(()),
        }
    }

    /// Encodes the picture of the last pushed frame once more, as that of `row`; whether there was room
    /// for it. The first frame of a video has to be pushed.
    #[must_use = "a row that was not taken has to be asked for again"]
    pub fn again(&mut self, row: u32) -> bool {
        let first = self.first;
        let frame = None;
        self.pending < QUEUE_FRAMES && self.hand_over(Job { row, frame, first }).is_ok()
    }

    fn hand_over(&mut self, job: Job) -> Result<(), Job> {
        match &mut self.host {
            Host::Inline(core, done) => done.push_back(core.take(job)),
            Host::Thread(jobs, _) => match jobs.try_send(job) {
                Ok(()) => {}
                // A thread that is gone shows in `poll`.
                Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => return Err(job),
            },
        }
        self.first = false;
        self.pending += 1;
        Ok(())
    }

    /// The next packet, in the order of pushing, if one is ready. After an error the frame it is
    /// about has no packet; others may follow.
    pub fn poll(&mut self) -> Option<Result<Packet, CodecError>> {
        let done = match &mut self.host {
            Host::Inline(_, done) => done.pop_front()?,
            Host::Thread(_, done) => match done.try_recv() {
                Ok(done) => done,
                Err(error) => {
                    if error.is_disconnected() && self.pending > 0 {
                        self.pending = 0;
                        return Some(Err(encoder_failed("its thread has ended")));
                    }
                    return None;
                }
            },
        };
        self.pending = self.pending.saturating_sub(1);
        if done.description.is_some() {
            self.description = done.description;
        }
        if self.spare.len() < QUEUE_FRAMES {
            self.spare.extend(done.frame);
        }
        Some(done.result)
    }

    /// How many frames were pushed whose packets were not polled.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
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
        self.first = true;
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
}

/// The encoder itself.
struct Core {
    encoder: openh264::encoder::Encoder,
    size: [u32; 2],
    planes: Planes,
    sets: ParameterSets,
    /// The parameter sets that were told.
    told: ParameterSets,
    frames_since_key: u32,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Core {
    fn new(size: [u32; 2], fps: u32, quality: u8) -> Result<Self, CodecError> {
        let quality = quality.clamp(LEAST_QUANTISER, 51);
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .max_frame_rate(FrameRate::from_hz(fps.max(1) as f32))
            // A range of one quantiser leaves the rate control nothing to choose.
            .rate_control_mode(RateControlMode::Quality)
            .qp(QpRange::new(quality, quality))
            .bitrate(BitRate::from_bps(20_000_000))
            .skip_frames(false)
            .scene_change_detect(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .complexity(Complexity::Low)
            // Key frames are asked for one by one.
            .intra_frame_period(IntraFramePeriod::auto())
            .num_threads(1)
            .vui(VuiConfig::bt601());
        let api = openh264::OpenH264API::from_source();
        let mut encoder =
            openh264::encoder::Encoder::with_api_config(api, config).map_err(encoder_failed)?;
        quiet(&mut encoder);
        Ok(Self {
            encoder,
            size,
            planes: Planes::default(),
            sets: ParameterSets::default(),
            told: ParameterSets::default(),
            frames_since_key: 0,
        })
    }

    fn run(mut self, work: &Receiver<Job>, out: &Sender<Done>) {
        for job in work {
            if out.send(self.take(job)).is_err() {
                return;
            }
        }
    }

    fn take(&mut self, job: Job) -> Done {
        let result = self.encode(&job);
        let description = (self.sets != self.told).then(|| {
            self.told.clone_from(&self.sets);
            self.sets.description()
        });
        Done {
            result,
            frame: job.frame,
            description: description.flatten(),
        }
    }

    fn encode(&mut self, job: &Job) -> Result<Packet, CodecError> {
        let [width, height] = self.size.map(|side| side as usize);
        if let Some(frame) = &job.frame {
            let rgb = frame
                .rgb()
                .filter(|rgb| frame.size == self.size && rgb.len() == 3 * width * height)
                .ok_or(CodecError::FrameSize {
                    got: frame.size,
                    expected: self.size,
                })?;
            self.planes.read_rgb([width, height], rgb);
        } else if self.planes.planes[0].is_empty() {
            return Err(encoder_failed(
                "there is no frame before to be encoded again",
            ));
        }
        let [luma, blue, red] = &self.planes.planes;
        let source = YUVSlices::new(
            (luma, blue, red),
            (width, height),
            (width, width / 2, width / 2),
        );
        if job.first || self.frames_since_key >= KEY_INTERVAL {
            self.encoder.force_intra_frame();
            self.frames_since_key = 0;
        }
        let stream = self.encoder.encode(&source).map_err(encoder_failed)?;
        let mut bytes = Vec::new();
        let mut key = false;
        for layer in (0..stream.num_layers()).filter_map(|layer| stream.layer(layer)) {
            for nal in (0..layer.nal_count()).filter_map(|nal| layer.nal_unit(nal)) {
                key |= self.sets.sort(nal, &mut bytes);
            }
        }
        if bytes.is_empty() {
            return Err(encoder_failed("it made nothing of a frame"));
        }
        self.frames_since_key = if key { 1 } else { self.frames_since_key + 1 };
        Ok(Packet {
            row: job.row,
            key,
            bytes,
        })
    }
}

/// Keeps openh264 from writing to the terminal while it starts.
fn quiet(encoder: &mut openh264::encoder::Encoder) {
    /// `ENCODER_OPTION_TRACE_LEVEL` of `codec_app_def.h`; level 0 is silence.
    const TRACE_LEVEL: std::ffi::c_int = 25;
    let mut level: std::ffi::c_int = 0;
    #[expect(
        unsafe_code,
        reason = "the safe way sets it after the encoder has spoken"
    )]
    // SAFETY: this option may be set at any time and reads one integer from the pointer.
    let result = unsafe {
        encoder
            .raw_api()
            .set_option(TRACE_LEVEL, (&raw mut level).cast())
    };
    if result != 0 {
        tracing::debug!("the video encoder can't be kept quiet");
    }
}

/// Makes pictures from a video's samples. Natively within [`Decoder::push`].
#[derive(Debug)]
pub struct Decoder {
    codec: Codec,
    rows: Rows,
    ready: VecDeque<Picture>,
    /// Buffers to be used again.
    spare: Vec<Vec<u8>>,
}

enum Codec {
    H264(Box<H264>),
    Av1(Box<Av1>),
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::H264(_) => "H264",
            Self::Av1(_) => "Av1",
        })
    }
}

struct H264 {
    decoder: openh264::decoder::Decoder,
    description: Description,
    stream: Vec<u8>,
}

impl Decoder {
    /// A decoder for a stream.
    ///
    /// # Errors
    /// The stream's description is damaged, or this build can't decode it.
    pub fn new(stream: &Stream) -> Result<Self, CodecError> {
        let codec = match stream {
            Stream::H264(record) => Codec::H264(Box::new(H264::new(record)?)),
            Stream::Av1(record) => Codec::Av1(Box::new(Av1::new(record)?)),
        };
        Ok(Self {
            codec,
            rows: Rows::default(),
            ready: VecDeque::new(),
            spare: Vec::new(),
        })
    }

    /// Hands a sample in, in the file's order, from a key frame on; `row` comes back with its
    /// picture.
    ///
    /// # Errors
    /// The sample is damaged. Decoding can go on at the next key frame.
    pub fn push(&mut self, row: u32, sample: &[u8]) -> Result<(), CodecError> {
        let Self {
            codec,
            rows,
            ready,
            spare,
        } = self;
        let mut show = |row: Option<u32>, planes: PlaneSlices<'_>| {
            let rgb = spare.pop().unwrap_or_default();
            ready.extend(row.map(|row| picture_of(row, &planes, rgb)));
        };
        match codec {
            Codec::H264(codec) => {
                rows.push(row);
                codec.push(sample, &mut |planes| show(rows.pop(), planes))
            }
            Codec::Av1(codec) => {
                codec.push(row, sample, &mut |row, planes| show(Some(row), planes))
            }
        }
    }

    /// No more samples come for now: what is held back for its turn comes out. Go on from a key
    /// frame.
    ///
    /// # Errors
    /// The decoder failed.
    pub fn finish(&mut self) -> Result<(), CodecError> {
        let Self {
            codec, rows, ready, ..
        } = self;
        match codec {
            Codec::H264(codec) => codec.finish(&mut |planes| {
                ready.extend(rows.pop().map(|row| picture_of(row, &planes, Vec::new())));
            })?,
            Codec::Av1(codec) => codec.finish(),
        }
        rows.clear();
        Ok(())
    }

    /// The next picture, in the order of display.
    pub fn poll(&mut self) -> Option<Result<Picture, CodecError>> {
        self.ready.pop_front().map(Ok)
    }

    /// Whether samples are being decoded that [`Decoder::poll`] will tell of later: natively never.
    #[must_use]
    pub fn working(&self) -> bool {
        false
    }

    /// Takes a picture's buffer back.
    pub fn recycle(&mut self, picture: Picture) {
        if self.spare.len() < QUEUE_FRAMES {
            self.spare.push(picture.rgb);
        }
    }
}

fn picture_of(row: u32, planes: &PlaneSlices<'_>, mut rgb: Vec<u8>) -> Picture {
    planes.write_rgb(&mut rgb);
    Picture {
        row,
        size: planes.size.map(|side| side as u32),
        rgb,
    }
}

impl H264 {
    fn new(record: &[u8]) -> Result<Self, CodecError> {
        use openh264::decoder::{DecoderConfig, Flush};

        let description = Description::read(record)?;
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let api = openh264::OpenH264API::from_source();
        let decoder = openh264::decoder::Decoder::with_api_config(api, config);
        Ok(Self {
            decoder: decoder.map_err(decoder_failed)?,
            description,
            stream: Vec::new(),
        })
    }

    fn push(
        &mut self,
        sample: &[u8],
        show: &mut dyn FnMut(PlaneSlices<'_>),
    ) -> Result<(), CodecError> {
        self.stream.clone_from(&self.description.parameter_sets);
        let sets = self.stream.len();
        let key = self.description.append(sample, &mut self.stream)?;
        let stream = &self.stream[if key { 0 } else { sets }..];
        if stream.is_empty() {
            return Err(CodecError::Sample("it is empty".to_owned()));
        }
        let decoded = self
            .decoder
            .decode(stream)
            .map_err(|error| CodecError::Sample(error.to_string()))?;
        if let Some(picture) = decoded {
            show(slices(&picture));
        }
        Ok(())
    }

    fn finish(&mut self, show: &mut dyn FnMut(PlaneSlices<'_>)) -> Result<(), CodecError> {
        for picture in self.decoder.flush_remaining().map_err(decoder_failed)? {
            show(slices(&picture));
        }
        Ok(())
    }
}

fn slices<'a>(picture: &'a openh264::decoder::DecodedYUV<'_>) -> PlaneSlices<'a> {
    let (width, height) = picture.dimensions();
    let (luma, blue, red) = picture.strides();
    PlaneSlices {
        size: [width, height],
        planes: [picture.y(), picture.u(), picture.v()],
        strides: [luma, blue, red],
        shared: [2, 2],
        coding: Coding::BT601,
    }
}
