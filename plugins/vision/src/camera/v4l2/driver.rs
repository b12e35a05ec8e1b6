//! What a camera's driver is asked: the seam at which tests put a camera of their own.

use std::io;

/// Pixel formats by their four letters (`videodev2.h`): YUYV 4:2:2 and Motion JPEG.
pub(super) const YUYV: u32 = u32::from_le_bytes(*b"YUYV");
/// See [`YUYV`].
pub(super) const MJPG: u32 = u32::from_le_bytes(*b"MJPG");
/// JPEG pictures one after another, which some drivers call so.
pub(super) const JPEG: u32 = u32::from_le_bytes(*b"JPEG");

/// A camera's driver.
pub(super) trait Driver: Send {
    /// Its name, if it is a camera that streams.
    fn camera(&self) -> io::Result<Option<String>>;

    /// The pixel format of this index; `None` behind the last.
    fn format(&self, index: u32) -> io::Result<Option<u32>>;

    /// The sizes of this index; `None` behind the last.
    fn sizes(&self, pixel_format: u32, index: u32) -> io::Result<Option<Sizes>>;

    /// The rates of this index; `None` behind the last.
    fn rates(&self, pixel_format: u32, size: [u32; 2], index: u32) -> io::Result<Option<Rates>>;

    /// Asks for a format; the driver takes the nearest one that it has.
    fn set_format(&mut self, pixel_format: u32, size: [u32; 2]) -> io::Result<Format>;

    /// Asks for a rate.
    fn set_rate(&mut self, fps: f64) -> io::Result<()>;

    /// Begins to send, with so many buffers.
    fn start(&mut self, buffers: u32) -> io::Result<()>;

    /// Waits for a picture, at most so long; answers whether there is something to take.
    fn wait(&mut self, timeout_millis: u32) -> io::Result<bool>;

    /// Takes the next picture; its buffer has to be given back.
    fn take(&mut self) -> io::Result<Option<Taken>>;

    /// The whole buffer.
    fn data(&self, index: u32) -> &[u8];

    /// Gives a buffer back.
    fn requeue(&mut self, index: u32) -> io::Result<()>;
}

/// Sizes of a pixel format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    /// This one.
    One([u32; 2]),
    /// All between these two.
    Range([u32; 2], [u32; 2]),
}

/// Rates of a size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// The highest, frames a second.
    pub(super) fps: f64,
    /// Whether to ask for the next index too.
    pub(super) more: bool,
}

/// What a driver agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) pixel_format: u32,
    pub(super) size: [u32; 2],
    /// From one row to the next; 0 or too little for none between them.
    pub(super) bytes_per_line: u32,
}

/// A picture in a buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    pub(super) index: u32,
    pub(super) bytes: usize,
    /// How long ago it was taken, if the driver says.
    pub(super) age_secs: Option<f64>,
    /// Counts pictures, also those that were lost.
    pub(super) sequence: u32,
    /// The driver says that it is not whole.
    pub(super) damaged: bool,
}

/// A format that a camera offers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mode {
    pub(super) pixel_format: u32,
    pub(super) size: [u32; 2],
    pub(super) fps: f64,
}

/// Formats, sizes and rates that are asked for at most: drivers may loop.
const MOST: u32 = 64;
/// Of a range of sizes these are offered.
const USUAL: [[u32; 2]; 5] = [
    [320, 240],
    [640, 480],
    [800, 600],
    [1280, 720],
    [1920, 1080],
];

/// The modes of a camera that can be read here.
pub(super) fn modes(driver: &dyn Driver) -> io::Result<Vec<Mode>> {
    let mut modes = Vec::new();
    for pixel_format in list(|index| driver.format(index))? {
        if ![YUYV, MJPG, JPEG].contains(&pixel_format) {
            continue;
        }
        for sizes in list(|index| driver.sizes(pixel_format, index))? {
            let some;
            let sizes = match sizes {
                Sizes::One(size) => {
                    some = [size];
                    &some[..]
                }
                Sizes::Range(..) => &USUAL,
            }
            .iter()
            .filter(|size| match sizes {
                Sizes::One(_) => true,
                Sizes::Range(least, most) => {
                    (0..2).all(|axis| (least[axis]..=most[axis]).contains(&size[axis]))
                }
            });
            for &size in sizes {
                let mut fps = 0.0_f64;
                for index in 0..MOST {
                    let Some(rates) = driver.rates(pixel_format, size, index)? else {
                        break;
                    };
                    fps = fps.max(rates.fps);
                    if !rates.more {
                        break;
                    }
                }
                modes.push(Mode {
                    pixel_format,
                    size,
                    fps,
                });
            }
        }
    }
    Ok(modes)
}

fn list<T>(mut entry: impl FnMut(u32) -> io::Result<Option<T>>) -> io::Result<Vec<T>> {
    let mut all = Vec::new();
    for index in 0..MOST {
        match entry(index)? {
            Some(found) => all.push(found),
            None => break,
        }
    }
    Ok(all)
}

/// The mode that serves best: the size asked for (or the nearest one), then 30 frames a second, then
/// pictures that were not compressed.
pub(super) fn choose(modes: &[Mode], wanted: Option<[u32; 2]>) -> Option<Mode> {
    let [width, height] = wanted.unwrap_or([640, 480]);
    let key = |mode: &Mode| {
        let distance = mode.size[0].abs_diff(width) + mode.size[1].abs_diff(height);
        // A rate that is not told may be any.
        let missing = if mode.fps > 0.0 {
            (29.9 - mode.fps).max(0.0)
        } else {
            0.0
        };
        (distance, (missing * 10.0) as u32, mode.pixel_format != YUYV)
    };
    modes.iter().min_by_key(|mode| key(mode)).copied()
}
