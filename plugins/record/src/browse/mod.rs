//! What is in a dataset: an episode's numbers, and single rows with their pictures.
//!
//! A row's picture is decoded from the nearest key frame before it; going forward row by row, each
//! frame is decoded once. Decoding may take its time in the browser, so rows are answered when they
//! are ready, one after another.

mod film;
mod picture;

use std::collections::VecDeque;

use forearm_dataset::store::Store;
use forearm_dataset::{DataType, Dataset, DatasetError};
use forearm_protocol::Buffer;
use forearm_protocol::record::{DatasetFrame, EpisodeSeries, Reply};
use forearm_workers::Answer;

use film::Film;

/// Rows that may wait to be shown.
const MOST_WAITING: usize = 32;
/// How many rows a wanted one may be found away from its time, in rows.
const NEAR_ROWS: f64 = 0.5;

/// Why a row can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// The dataset can't be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A video can't be read.
    #[error(transparent)]
    Mp4(#[from] forearm_dataset::mp4::Mp4Error),
    /// A video can't be decoded.
    #[error(transparent)]
    Codec(#[from] forearm_vision::codec::CodecError),
    /// What is there is not what was expected.
    #[error("{0}")]
    Content(String),
}

/// Shows rows of a dataset; see the module's documentation.
#[derive(Default)]
pub struct Reader {
    wanted: VecDeque<(u32, u32, Answer<Reply>)>,
    /// What is there of the first of them.
    done: Vec<Shown>,
    /// Open videos, one a camera at most.
    films: Vec<Film>,
}

/// A camera's picture of a row.
pub(crate) struct Shown {
    pub(crate) size: [u32; 2],
    pub(crate) rgba: Vec<u8>,
}

/// The numbers of an episode.
///
/// # Errors
/// There is no such episode, or its files can't be read.
pub fn series(
    dataset: &Dataset,
    store: &dyn Store,
    episode: u32,
) -> Result<EpisodeSeries, DatasetError> {
    let wanted = |key: &str| key == "action" || key == "observation.state";
    let rows = dataset.some_rows(store, episode, &wanted)?;
    let numbers = |key| rows.numbers(key).unwrap_or_default();
    Ok(EpisodeSeries {
        index: episode,
        frames: rows.rows,
        tasks: dataset.episode(episode)?.tasks.clone(),
        actions: numbers("action"),
        states: numbers("observation.state"),
    })
}

impl Reader {
    /// Whether rows wait to be shown.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Wants a row; it is answered by [`Reader::attend`]. Whoever wants too much at once gets nothing.
    pub fn want(&mut self, episode: u32, frame: u32, answer: Answer<Reply>) {
        if self.wanted.len() < MOST_WAITING {
            self.wanted.push_back((episode, frame, answer));
        }
    }

    /// The dataset has changed: nothing that is known of it holds.
    pub fn forget(&mut self) {
        self.films.clear();
        self.done.clear();
    }

    /// Goes on with what is wanted.
    pub fn attend(&mut self, dataset: &Dataset, store: &dyn Store) -> Option<Failed> {
        while let Some((episode, frame, answer)) = self.wanted.front() {
            let (episode, frame) = (*episode, *frame);
            if answer.is_cancelled() {
                self.wanted.pop_front();
                self.done.clear();
                continue;
            }
            let shown = self.show(dataset, store, episode, frame);
            if matches!(shown, Ok(false)) {
                return None;
            }
            let done = std::mem::take(&mut self.done);
            let (_, _, answer) = self.wanted.pop_front()?;
            match shown {
                Err(error) => {
                    self.films.clear();
                    return Some(Failed { error, answer });
                }
                Ok(_) => {
                    let sizes = done.iter().map(|shown| shown.size).collect();
                    let rgba: Vec<u8> = done.into_iter().flat_map(|shown| shown.rgba).collect();
                    answer.send(Ok(Reply::Frame(Box::new(DatasetFrame {
                        episode,
                        frame,
                        sizes,
                        rgba: Buffer::from(rgba),
                    }))));
                }
            }
        }
        None
    }

    /// Whether all pictures of a row are there now.
    fn show(
        &mut self,
        dataset: &Dataset,
        store: &dyn Store,
        episode: u32,
        frame: u32,
    ) -> Result<bool, BrowseError> {
        let length = dataset.episode(episode)?.length;
        if frame >= length {
            return Err(BrowseError::Content(format!(
                "episode {episode} has no row {frame}: it has {length}, counted from 0"
            )));
        }
        let schema = dataset.schema();
        let cameras = schema.features.iter().filter(|f| f.data_type.is_picture());
        for feature in cameras.skip(self.done.len()) {
            let key = &feature.key;
            if feature.data_type == DataType::Image {
                let rows = dataset.some_rows(store, episode, &|name| name == key)?;
                let png = rows.picture(key, frame).ok_or_else(|| {
                    BrowseError::Content(format!("row {frame} has no picture of {key:?}"))
                })?;
                self.done.push(picture::from_png(png)?);
                continue;
            }
            let span = dataset.video(store, episode, key)?;
            let at = self.films.iter().position(|film| film.is(key, &span.path));
            let index = match at {
                Some(index) => index,
                None => {
                    self.films.retain(|film| !film.is_of(key));
                    self.films.push(Film::open(store, key, &span.path)?);
                    self.films.len() - 1
                }
            };
            let fps = f64::from(schema.fps.max(1));
            let secs = span.from_secs + f64::from(frame) / fps;
            match self.films[index].picture(store, secs, NEAR_ROWS / fps)? {
                Some(shown) => self.done.push(shown),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// A row that can't be shown.
pub struct Failed {
    /// Why.
    pub error: BrowseError,
    /// Whoever wanted it.
    pub answer: Answer<Reply>,
}
