//! A dataset on its way out as a ZIP archive: into a file, or in chunks to the service's owner.
//!
//! It goes on in slices, between which messages get in. Chunks wait for their taker: no more bytes are
//! under way than the owner's window has room for.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod pieces;
#[cfg(target_family = "wasm")]
mod web;

use forearm_dataset::store::StoreError;
use forearm_dataset::zip::{ZipError, ZipExport};
use forearm_protocol::record::{Event, Reply};
use forearm_protocol::{Buffer, ServiceError};
use forearm_workers::Answer;

#[cfg(not(target_family = "wasm"))]
use native::FileSink;
#[cfg(target_family = "wasm")]
pub use pieces::{Blob, Pieces};
#[cfg(target_family = "wasm")]
use web::FileSink;

use crate::store::Shelf;

/// How long a chunk is, bytes: read and passed on in some 2 ms; a browser takes as long for each, however short.
const CHUNK_BYTES: usize = 512 << 10;
/// How much further it has to be before that is told, of 1.
const STEP: f64 = 0.01;

/// Why a dataset can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The dataset can't be packed.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// The file can't be written.
    #[error(transparent)]
    File(#[from] StoreError),
}

/// An export under way.
pub struct Export {
    store: Shelf,
    zip: ZipExport,
    sink: Sink,
    answer: Option<Answer<Reply>>,
    chunk: Vec<u8>,
    told: f64,
    result: Option<Result<(), ExportError>>,
}

enum Sink {
    File(FileSink),
    Chunks {
        window_bytes: u64,
        /// Bytes that nobody said were taken.
        under_way: u64,
    },
}

impl Export {
    /// Begins to export what is in a store: into a file, or in chunks.
    ///
    /// # Errors
    /// The dataset can't be read, or the file can't be made.
    pub fn begin(store: Shelf, file: Option<&str>, window_bytes: u32) -> Result<Self, ExportError> {
        let zip = ZipExport::new(&store, "", CHUNK_BYTES)?;
        let sink = match file {
            Some(file) => Sink::File(FileSink::create(file)?),
            None => Sink::Chunks {
                window_bytes: u64::from(window_bytes),
                under_way: 0,
            },
        };
        Ok(Self {
            store,
            zip,
            sink,
            answer: None,
            chunk: Vec::new(),
            told: 0.0,
            result: None,
        })
    }

    /// Who is answered at its end.
    #[must_use]
    pub fn for_whom(mut self, answer: Answer<Reply>) -> Self {
        self.answer = Some(answer);
        self
    }

    /// Whether there is something to be done now, rather than chunks to be waited for.
    #[must_use]
    pub fn can_go_on(&self) -> bool {
        match self.sink {
            Sink::File(_) => true,
            Sink::Chunks {
                window_bytes,
                under_way,
            } => under_way == 0 || under_way + CHUNK_BYTES as u64 <= window_bytes,
        }
    }

    /// So many bytes of chunks were taken.
    pub fn taken(&mut self, bytes: u32) {
        if let Sink::Chunks { under_way, .. } = &mut self.sink {
            *under_way = under_way.saturating_sub(u64::from(bytes));
        }
    }

    /// Goes on until `is_over`, or as far as it can; whether it has ended.
    pub fn go_on(
        &mut self,
        emit: &mut dyn FnMut(Event),
        is_over: &mut dyn FnMut() -> bool,
    ) -> bool {
        if self.answer.as_ref().is_some_and(Answer::is_cancelled) {
            return true;
        }
        while self.result.is_none() && self.can_go_on() {
            match self.step(emit) {
                Ok(true) => {}
                Ok(false) => self.result = Some(Ok(())),
                Err(error) => self.result = Some(Err(error)),
            }
            let fraction = self.zip.progress().fraction();
            if fraction >= self.told + STEP {
                self.told = fraction;
                let stage = "export".to_owned();
                emit(Event::Progress { stage, fraction });
            }
            if is_over() {
                break;
            }
        }
        self.result.is_some()
    }

    /// Passes on the next chunk; whether there was one.
    fn step(&mut self, emit: &mut dyn FnMut(Event)) -> Result<bool, ExportError> {
        self.zip.next_into(&self.store, &mut self.chunk)?;
        if self.chunk.is_empty() {
            return Ok(false);
        }
        match &mut self.sink {
            Sink::File(file) => file.write(&self.chunk)?,
            Sink::Chunks { under_way, .. } => {
                *under_way += self.chunk.len() as u64;
                emit(Event::Chunk(Buffer::from(std::mem::take(&mut self.chunk))));
            }
        }
        Ok(true)
    }

    /// Answers whoever wanted it.
    pub fn end(self) {
        let progress = self.zip.progress();
        let to = match self.sink {
            Sink::File(file) => match self.result {
                Some(Ok(())) => file.finish().map_err(ExportError::from),
                Some(Err(error)) => Err(error),
                None => return,
            },
            Sink::Chunks { .. } => match self.result {
                Some(result) => result.map(|()| String::new()),
                None => return,
            },
        };
        let reply = to.map(|to| Reply::Exported {
            files: progress.files,
            bytes: progress.written,
            to,
        });
        if let Some(answer) = self.answer {
            answer.send(reply.map_err(|error| ServiceError::Refused {
                what: "exporting the dataset".to_owned(),
                why: error.to_string(),
                next: "nothing was changed; try again".to_owned(),
            }));
        }
    }

    /// Ends it in the middle: nothing is left of it.
    pub fn cancel(self) {
        if let Some(answer) = self.answer {
            answer.send(Err(ServiceError::Cancelled {
                request: "record/export_zip".to_owned(),
                why: "a person stopped it".to_owned(),
            }));
        }
    }
}
