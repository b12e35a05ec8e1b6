//! Pictures by the browser's decoder.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use js_sys::{Array, Object, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{failed, need};
use crate::codec::avcc::Description;
use crate::codec::{CodecError, Picture, Stream};
use crate::web::binding::{
    EncodedVideoChunk, VideoDecoder, VideoFrame, get, number, said, set, text,
};
use crate::web::video::Held;

const WHAT: &str = "decoder";
/// Larger pictures are not taken, pixels.
const MAX_PIXELS: f64 = 8192.0 * 8192.0;

/// Makes pictures from a video's samples. They come between the calls.
pub struct Decoder {
    config: SendWrapper<Object>,
    /// H.264's, to find key frames with.
    description: Option<Description>,
    works: SendWrapper<Option<Works>>,
    desk: SendWrapper<Rc<RefCell<Desk>>>,
    /// Whether the next sample has to be a key frame.
    begins: bool,
    stream: Vec<u8>,
}

struct Works {
    decoder: VideoDecoder,
    _on_picture: Closure<dyn FnMut(JsValue)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

#[derive(Default)]
struct Desk {
    /// Rows whose samples went in and whose pictures have not come.
    under_way: usize,
    /// Pictures that are being read.
    reading: usize,
    /// What is being read comes in this order.
    order: VecDeque<u32>,
    done: Vec<(u32, Result<Picture, CodecError>)>,
    ready: VecDeque<Result<Picture, CodecError>>,
    flushing: usize,
    failed: bool,
}

impl Decoder {
    /// A decoder for a stream.
    ///
    /// # Errors
    /// The stream's description is damaged; a browser without WebCodecs.
    pub fn new(stream: &Stream) -> Result<Self, CodecError> {
        need("VideoDecoder", WHAT)?;
        let config = Object::new();
        let description = match stream {
            Stream::H264(record) => {
                let description = Description::read(record)?;
                set(&config, "codec", h264_name(record)?);
                set(&config, "description", Uint8Array::from(record.as_slice()));
                Some(description)
            }
            Stream::Av1(record) => {
                set(&config, "codec", av1_name(record)?);
                None
            }
        };
        set(&config, "optimizeForLatency", true);
        Ok(Self {
            config: SendWrapper::new(config),
            description,
            works: SendWrapper::new(None),
            desk: SendWrapper::new(Rc::default()),
            begins: true,
            stream: Vec::new(),
        })
    }

    /// Hands a sample in, in the file's order, from a key frame on; `row` comes back with its
    /// picture.
    ///
    /// # Errors
    /// The sample is damaged, or the browser can't decode it. Decoding can go on at the next key frame.
    pub fn push(&mut self, row: u32, sample: &[u8]) -> Result<(), CodecError> {
        let mut key = self.begins;
        if let Some(description) = &self.description {
            self.stream.clear();
            key = description.append(sample, &mut self.stream)?;
        }
        let chunk = Object::new();
        set(&chunk, "type", if key { "key" } else { "delta" });
        set(&chunk, "timestamp", row);
        set(&chunk, "data", Uint8Array::from(sample));
        let chunk =
            EncodedVideoChunk::new(&chunk).map_err(|error| CodecError::Sample(said(&error).1))?;
        let decoder = self.decoder()?;
        decoder.decode(&chunk).map_err(|error| match said(&error) {
            (name, why) if name == "DataError" => CodecError::Sample(why),
            _ => failed(WHAT, &error),
        })?;
        self.begins = false;
        self.desk.borrow_mut().under_way += 1;
        Ok(())
    }

    /// No more samples come for now: what is held back for its turn comes out. Go on from a key
    /// frame.
    ///
    /// # Errors
    /// The decoder failed.
    pub fn finish(&mut self) -> Result<(), CodecError> {
        self.begins = true;
        let Some(works) = &*self.works else {
            return Ok(());
        };
        if self.desk.borrow().failed {
            return Ok(());
        }
        let flushed = works
            .decoder
            .flush()
            .map_err(|error| failed(WHAT, &error))?;
        self.desk.borrow_mut().flushing += 1;
        let desk = Rc::clone(&self.desk);
        spawn_local(async move {
            // What fails is told to the decoder's own error.
            JsFuture::from(flushed).await.ok();
            let mut desk = desk.borrow_mut();
            desk.flushing -= 1;
            if desk.flushing == 0 {
                // What has no picture by now has none.
                desk.under_way = 0;
            }
        });
        Ok(())
    }

    /// The next picture, in the order of display.
    pub fn poll(&mut self) -> Option<Result<Picture, CodecError>> {
        self.desk.borrow_mut().ready.pop_front()
    }

    /// Whether samples are being decoded that [`Decoder::poll`] will tell of later.
    #[must_use]
    pub fn working(&self) -> bool {
        let desk = self.desk.borrow();
        desk.under_way > 0 || desk.reading > 0 || desk.flushing > 0
    }

    /// Takes a picture's buffer back. Here it is of no use.
    pub fn recycle(&mut self, _picture: Picture) {}

    /// The browser's decoder; one that failed is replaced.
    fn decoder(&mut self) -> Result<&VideoDecoder, CodecError> {
        if std::mem::take(&mut self.desk.borrow_mut().failed) {
            *self.works = None;
        }
        if self.works.is_none() {
            *self.works = Some(Works::begin(&self.config, &self.desk)?);
        }
        match &*self.works {
            Some(works) => Ok(&works.decoder),
            None => Err(failed(WHAT, &JsValue::UNDEFINED)),
        }
    }
}

impl Works {
    fn begin(config: &Object, desk: &Rc<RefCell<Desk>>) -> Result<Self, CodecError> {
        let hearing = Rc::clone(desk);
        let on_picture = Closure::<dyn FnMut(JsValue)>::new(move |frame: JsValue| {
            let frame = Held(frame.unchecked_into());
            let row = frame.0.timestamp() as u32;
            let mut desk = hearing.borrow_mut();
            desk.under_way = desk.under_way.saturating_sub(1);
            desk.reading += 1;
            desk.order.push_back(row);
            drop(desk);
            let desk = Rc::clone(&hearing);
            spawn_local(async move {
                let picture = read(&frame.0, row).await;
                desk.borrow_mut().finish(row, picture);
            });
        });
        let failing = Rc::clone(desk);
        let on_error = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
            let mut desk = failing.borrow_mut();
            desk.failed = true;
            desk.under_way = 0;
            desk.ready.push_back(Err(failed(WHAT, &error)));
        });
        let init = Object::new();
        set(&init, "output", on_picture.as_ref().clone());
        set(&init, "error", on_error.as_ref().clone());
        let decoder = VideoDecoder::new(&init).map_err(|error| failed(WHAT, &error))?;
        decoder
            .configure(config)
            .map_err(|error| failed(WHAT, &error))?;
        Ok(Self {
            decoder,
            _on_picture: on_picture,
            _on_error: on_error,
        })
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        // One that has failed is closed already.
        self.decoder.close().ok();
    }
}

impl Desk {
    /// A picture was read. They are handed out in the order in which they were decoded.
    fn finish(&mut self, row: u32, picture: Result<Picture, CodecError>) {
        self.reading -= 1;
        self.done.push((row, picture));
        while let Some(first) = self.order.front() {
            let Some(place) = self.done.iter().position(|(row, _)| row == first) else {
                return;
            };
            self.order.pop_front();
            let (_, picture) = self.done.swap_remove(place);
            self.ready.push_back(picture);
        }
    }
}

/// A frame's pixels.
async fn read(frame: &VideoFrame, row: u32) -> Result<Picture, CodecError> {
    let visible = get(frame, "visibleRect");
    let (width, height) = (number(&visible, "width"), number(&visible, "height"));
    if !(width >= 1.0 && height >= 1.0 && width * height <= MAX_PIXELS) {
        return Err(CodecError::Sample(format!(
            "it has {width}×{height} pixels"
        )));
    }
    let size = [width as u32, height as u32];
    let stride = size[0] * 4;
    let bytes = Uint8Array::new_with_length(stride * size[1]);
    let plane = Object::new();
    set(&plane, "offset", 0);
    set(&plane, "stride", stride);
    let options = Object::new();
    set(&options, "format", "RGBA");
    set(&options, "layout", Array::of1(&plane));
    let copied = match frame.copy_to(&bytes, &options) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    copied.map_err(|error| failed(WHAT, &error))?;
    let rgba = bytes.to_vec();
    let mut rgb = Vec::with_capacity(rgba.len() / 4 * 3);
    for pixel in rgba.as_chunks::<4>().0 {
        rgb.extend_from_slice(&pixel[..3]);
    }
    Ok(Picture { row, size, rgb })
}

/// What an `avcC` record is called (RFC 6381): profile, compatibility and level in hex.
fn h264_name(record: &[u8]) -> Result<String, CodecError> {
    match record {
        [_, profile, compatibility, level, ..] => {
            Ok(format!("avc1.{profile:02x}{compatibility:02x}{level:02x}"))
        }
        _ => Err(CodecError::Description("it is cut short".to_owned())),
    }
}

/// What an `av1C` record is called ("AV1 Codec ISO Media File Format Binding", section 5).
fn av1_name(record: &[u8]) -> Result<String, CodecError> {
    let [_, sequence, depth, ..] = record else {
        return Err(CodecError::Description("it is cut short".to_owned()));
    };
    let tier = if depth & 0x80 == 0 { 'M' } else { 'H' };
    let bits = match (depth & 0x40, depth & 0x20) {
        (0, _) => 8,
        (_, 0) => 10,
        _ => 12,
    };
    let (profile, level) = (sequence >> 5, sequence & 0x1f);
    Ok(format!("av01.{profile}.{level:02}{tier}.{bits:02}"))
}

impl fmt::Debug for Decoder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Decoder")
            .field("codec", &text(&self.config, "codec"))
            .finish_non_exhaustive()
    }
}
