//! A camera's picture where the browser keeps it, and a small one of it in WASM memory.

use std::fmt;
use std::rc::Rc;

use js_sys::{Array, Object, Uint8Array};
use send_wrapper::SendWrapper;
use wasm_bindgen_futures::JsFuture;

use super::binding::{VideoFrame, get, number, said, set};

/// Small pictures are no wider, pixels.
const SMALL_WIDTH: u32 = 320;
/// Larger frames are no camera's, pixels a side.
const LARGEST: f64 = 16384.0;

/// A frame whose pixels stay outside WASM memory. A clone shares the pixels; the browser has them back
/// when the last one is dropped. It is bound to its thread, as all of JavaScript is.
pub struct Video(SendWrapper<Inner>);

struct Inner {
    frame: Held,
    size: [u32; 2],
    small: Rc<Small>,
}

struct Small {
    size: [u32; 2],
    rgb: Vec<u8>,
}

/// What small pictures are read with: memory that is used again.
#[derive(Default)]
pub(super) struct Reading {
    rgba: Option<Uint8Array>,
    row: Vec<u8>,
}

impl Video {
    /// Takes a frame, and reads its small picture.
    ///
    /// # Errors
    /// The browser can't read it: its words.
    pub(super) async fn new(frame: VideoFrame, reading: &mut Reading) -> Result<Self, String> {
        let frame = Held(frame);
        let visible = get(&frame.0, "visibleRect");
        let side =
            |name| Some(number(&visible, name)).filter(|side| (1.0..=LARGEST).contains(side));
        let (Some(width), Some(height)) = (side("width"), side("height")) else {
            return Err("the frame has no size".to_owned());
        };
        let size = [width as u32, height as u32];
        let small = reading.read(&frame.0, size).await?;
        Ok(Self(SendWrapper::new(Inner {
            frame,
            size,
            small: Rc::new(small),
        })))
    }

    /// Width and height, pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.0.size
    }

    /// A small picture of it: its width and height, at most 320 pixels wide, and its pixels: RGB, 8 bits
    /// each, sRGB, rows from the top. It has every n-th pixel of every n-th row.
    #[must_use]
    pub fn small(&self) -> ([u32; 2], &[u8]) {
        (self.0.small.size, &self.0.small.rgb)
    }

    /// The browser's frame.
    pub(crate) fn frame(&self) -> &VideoFrame {
        &self.0.frame.0
    }
}

impl Reading {
    async fn read(&mut self, frame: &VideoFrame, size: [u32; 2]) -> Result<Small, String> {
        let [width, height] = size;
        let stride = width * 4;
        let bytes = stride * height;
        let rgba = match self.rgba.take() {
            Some(rgba) if rgba.length() == bytes => rgba,
            _ => Uint8Array::new_with_length(bytes),
        };
        let plane = Object::new();
        set(&plane, "offset", 0);
        set(&plane, "stride", stride);
        let options = Object::new();
        set(&options, "format", "RGBA");
        set(&options, "layout", Array::of1(&plane));
        let copied = match frame.copy_to(&rgba, &options) {
            Ok(promise) => JsFuture::from(promise).await,
            Err(error) => Err(error),
        };
        copied.map_err(|error| said(&error).1)?;
        let every = width.div_ceil(SMALL_WIDTH).max(1);
        let small = [width.div_ceil(every), height.div_ceil(every)];
        let mut rgb = Vec::with_capacity((small[0] * small[1] * 3) as usize);
        self.row.resize(stride as usize, 0);
        for y in (0..height).step_by(every as usize) {
            let row = rgba.subarray(y * stride, (y + 1) * stride);
            row.copy_to(&mut self.row);
            for pixel in self.row.chunks_exact(4).step_by(every as usize) {
                rgb.extend_from_slice(&pixel[..3]);
            }
        }
        self.rgba = Some(rgba);
        Ok(Small { size: small, rgb })
    }
}

/// A frame that is closed at its end.
pub(crate) struct Held(pub(crate) VideoFrame);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Clone for Video {
    /// The pixels are shared, not copied.
    fn clone(&self) -> Self {
        // Only a closed frame has no clone, and this one is open until it is dropped.
        let frame = self.frame();
        let twin = frame.duplicate().unwrap_or_else(|_closed| frame.clone());
        Self(SendWrapper::new(Inner {
            frame: Held(twin),
            size: self.0.size,
            small: Rc::clone(&self.0.small),
        }))
    }
}

impl fmt::Debug for Video {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Video({}×{})", self.0.size[0], self.0.size[1])
    }
}
