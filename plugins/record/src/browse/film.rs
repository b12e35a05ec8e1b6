//! An open video, ready to be seen at any time.

use forearm_dataset::mp4::{self, Codec, Track};
use forearm_dataset::store::Store;
use forearm_vision::codec::{Decoder, Picture, Stream};

use super::picture::from_rgb;
use super::{BrowseError, Shown};

/// The most bytes of one packet: beyond any picture's.
const MOST_BYTES: u32 = 64 << 20;
/// The most frames between key frames that are decoded for one picture.
const MOST_FRAMES: usize = 3000;

/// An open video.
pub(super) struct Film {
    key: String,
    path: String,
    track: Track,
    /// Each sample's place in the order of display.
    places: Vec<u32>,
    decoder: Decoder,
    /// The sample that the decoder takes next, unless it has to begin at a key frame.
    next: Option<usize>,
    /// What is being decoded.
    target: Option<Target>,
    /// The picture that was shown last, by its place: a person looks at it more than once.
    last: Option<Picture>,
    sample: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Target {
    place: u32,
    /// Whether the decoder was told to give what it holds back.
    flushed: bool,
}

impl Film {
    /// Opens a camera's video.
    pub(super) fn open(store: &dyn Store, key: &str, path: &str) -> Result<Self, BrowseError> {
        let track = mp4::open(store, path)?;
        let mut order: Vec<usize> = (0..track.samples.len()).collect();
        order.sort_by_key(|index| track.samples[*index].shown);
        let mut places = vec![0; order.len()];
        for (place, index) in order.into_iter().enumerate() {
            places[index] = place as u32;
        }
        let decoder = decoder_of(&track)?;
        Ok(Self {
            key: key.to_owned(),
            path: path.to_owned(),
            track,
            places,
            decoder,
            next: None,
            target: None,
            last: None,
            sample: Vec::new(),
        })
    }

    /// Whether it is this camera's, of this file.
    pub(super) fn is(&self, key: &str, path: &str) -> bool {
        self.key == key && self.path == path
    }

    /// Whether it is this camera's.
    pub(super) fn is_of(&self, key: &str) -> bool {
        self.key == key
    }

    /// The picture that is shown at `secs`, at most `near_secs` away; nothing while it is being
    /// decoded.
    pub(super) fn picture(
        &mut self,
        store: &dyn Store,
        secs: f64,
        near_secs: f64,
    ) -> Result<Option<Shown>, BrowseError> {
        let found = self.track.nearest(secs);
        let Some((index, _)) = found.filter(|(_, miss)| miss.abs() <= near_secs) else {
            return Err(BrowseError::Content(format!(
                "{}: no frame at {secs:.4} s; repair the dataset",
                self.path
            )));
        };
        let place = self.places[index];
        if let Some(last) = self.last.as_ref().filter(|last| last.row == place) {
            return Ok(Some(from_rgb(last.size, &last.rgb)));
        }
        if self.target.is_none_or(|target| target.place != place) {
            self.aim(store, index)?;
        }
        loop {
            while let Some(picture) = self.decoder.poll() {
                let picture = picture?;
                if picture.row == place {
                    self.target = None;
                    let shown = from_rgb(picture.size, &picture.rgb);
                    if let Some(older) = self.last.replace(picture) {
                        self.decoder.recycle(older);
                    }
                    return Ok(Some(shown));
                }
                self.decoder.recycle(picture);
            }
            match &mut self.target {
                // A browser's decoder holds pictures back for longer than there is need.
                Some(target) if !target.flushed => {
                    target.flushed = true;
                    self.next = None;
                    self.decoder.finish()?;
                }
                _ if self.decoder.working() => return Ok(None),
                _ => {
                    self.target = None;
                    return Err(BrowseError::Content(format!(
                        "{}: the frame at {secs:.4} s can't be decoded; repair the dataset",
                        self.path
                    )));
                }
            }
        }
    }

    /// Hands the decoder what it needs to get to sample `index`.
    fn aim(&mut self, store: &dyn Store, index: usize) -> Result<(), BrowseError> {
        let key = self.track.key_before(index);
        let from = match self.next {
            Some(next) if (key..=index).contains(&next) => next,
            _ => {
                // What was under way is not wanted any more.
                self.decoder = decoder_of(&self.track)?;
                key
            }
        };
        if index - from > MOST_FRAMES {
            return Err(BrowseError::Content(format!(
                "{}: {} frames from key frame to key frame are too many to look at single ones",
                self.path,
                index - from
            )));
        }
        self.next = None;
        for number in from..=index {
            let sample = self.track.samples[number];
            if sample.size > MOST_BYTES {
                let why = format!("{}: a frame of {} bytes", self.path, sample.size);
                return Err(BrowseError::Content(why));
            }
            self.sample.resize(sample.size as usize, 0);
            let read = store
                .read_at(&self.path, sample.offset, &mut self.sample)
                .map_err(forearm_dataset::DatasetError::from)?;
            if read < self.sample.len() {
                let why = format!("{}: it ends within a frame; repair the dataset", self.path);
                return Err(BrowseError::Content(why));
            }
            self.decoder.push(self.places[number], &self.sample)?;
        }
        self.next = Some(index + 1);
        self.target = Some(Target {
            place: self.places[index],
            flushed: false,
        });
        Ok(())
    }
}

fn decoder_of(track: &Track) -> Result<Decoder, BrowseError> {
    let config = track.description.config.clone();
    let stream = match track.description.codec {
        Codec::H264 => Stream::H264(config),
        Codec::Av1 => Stream::Av1(config),
    };
    Ok(Decoder::new(&stream)?)
}
