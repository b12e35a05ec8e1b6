//! Writing a journal.

use std::borrow::Cow;

use super::{Freshness, Head, MAGIC, MAX_RECORD, Packet, Record};
use crate::resample::Tally;
use crate::store::{Append, StoreError};

/// Kinds of records, as they stand in the file.
pub(super) mod kind {
    pub(in crate::journal) const HEAD: u8 = 1;
    pub(in crate::journal) const TICKS: u8 = 2;
    pub(in crate::journal) const DESCRIPTION: u8 = 3;
    pub(in crate::journal) const PACKET: u8 = 4;
    pub(in crate::journal) const PAUSE: u8 = 5;
    pub(in crate::journal) const RESUME: u8 = 6;
    pub(in crate::journal) const TALLY: u8 = 7;
    pub(in crate::journal) const END: u8 = 8;
}

/// Writes a journal, record by record.
pub struct Writer {
    file: Box<dyn Append>,
    /// The record in hand: kept, so that writing allocates nothing.
    buffer: Vec<u8>,
    chain: u32,
    /// What went wrong first. A part of a record may be in the file since: nothing behind it would be
    /// found.
    broken: Option<StoreError>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("bytes", &self.file.len())
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Begins a journal in an empty file. It is on the disk when this returns.
    ///
    /// # Errors
    /// What writing fails with; [`StoreError::Damaged`] when the file is not empty.
    pub fn create(mut file: Box<dyn Append>, head: &Head) -> Result<Self, StoreError> {
        let path = super::path(&head.id);
        if !file.is_empty() {
            return Err(StoreError::Damaged {
                path,
                why: "a journal of this name is there already".to_owned(),
            });
        }
        file.append(MAGIC)?;
        let mut writer = Self {
            file,
            buffer: Vec::with_capacity(1 << 16),
            chain: 0,
            broken: None,
        };
        let json = serde_json::to_vec(head).map_err(|error| StoreError::Io {
            path,
            why: error.to_string(),
        })?;
        writer.begin(kind::HEAD);
        writer.buffer.extend_from_slice(&json);
        writer.end()?;
        writer.sync()?;
        Ok(writer)
    }

    /// Writes control ticks: `values` has whole ticks one after another, of which the first has the
    /// number `first`.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn ticks(&mut self, generation: u64, first: u64, values: &[f64]) -> Result<(), StoreError> {
        self.begin(kind::TICKS);
        self.buffer.extend_from_slice(&generation.to_le_bytes());
        self.buffer.extend_from_slice(&first.to_le_bytes());
        for value in values {
            self.buffer.extend_from_slice(&value.to_le_bytes());
        }
        self.end()
    }

    /// Writes what a decoder has to know of a camera's packets; before the first of them.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn description(&mut self, camera: u16, config: &[u8]) -> Result<(), StoreError> {
        self.begin(kind::DESCRIPTION);
        self.buffer.extend_from_slice(&camera.to_le_bytes());
        self.buffer.extend_from_slice(config);
        self.end()
    }

    /// Writes a picture.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn packet(&mut self, packet: &Packet<'_>) -> Result<(), StoreError> {
        self.begin(kind::PACKET);
        self.buffer.extend_from_slice(&packet.camera.to_le_bytes());
        self.buffer.extend_from_slice(&packet.row.to_le_bytes());
        let freshness = match packet.freshness {
            Freshness::New => 0,
            Freshness::Repeated => 1,
            Freshness::Stale => 2,
        };
        self.buffer.push(u8::from(packet.key) | freshness << 1);
        self.buffer
            .extend_from_slice(&packet.captured_secs.to_le_bytes());
        self.buffer.extend_from_slice(packet.bytes);
        self.end()
    }

    /// Writes that the episode's clock stands from `secs` on.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn pause(&mut self, secs: f64) -> Result<(), StoreError> {
        self.begin(kind::PAUSE);
        self.buffer.extend_from_slice(&secs.to_le_bytes());
        self.end()
    }

    /// Writes that the episode's clock goes on at `secs`.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn resume(&mut self, secs: f64) -> Result<(), StoreError> {
        self.begin(kind::RESUME);
        self.buffer.extend_from_slice(&secs.to_le_bytes());
        self.end()
    }

    /// Writes what was counted of a camera so far. `pixels` are packed
    /// [`PixelStats`](crate::stats::PixelStats), or nothing.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn tally(&mut self, camera: u16, tally: &Tally, pixels: &[u8]) -> Result<(), StoreError> {
        self.begin(kind::TALLY);
        self.buffer.extend_from_slice(&camera.to_le_bytes());
        for count in [tally.offered, tally.unused, tally.dropped] {
            self.buffer.extend_from_slice(&count.to_le_bytes());
        }
        for secs in [tally.first_secs, tally.last_secs] {
            self.buffer.extend_from_slice(&secs.to_le_bytes());
        }
        self.buffer.extend_from_slice(pixels);
        self.end()
    }

    /// Writes that the episode ended with so many rows, and makes sure that all is on the disk.
    ///
    /// # Errors
    /// What writing fails with; from then on always.
    pub fn finish(&mut self, rows: u32) -> Result<(), StoreError> {
        self.begin(kind::END);
        self.buffer.extend_from_slice(&rows.to_le_bytes());
        self.end()?;
        self.sync()
    }

    /// Writes any record but the [`Head`].
    ///
    /// # Errors
    /// What writing fails with; from then on always. [`StoreError::Damaged`] for a second head.
    pub fn record(&mut self, record: &Record<'_>) -> Result<(), StoreError> {
        match record {
            Record::Head(head) => Err(StoreError::Damaged {
                path: super::path(&head.id),
                why: "a journal has one head".to_owned(),
            }),
            Record::Ticks {
                generation,
                first,
                values,
            } => self.ticks(*generation, *first, values),
            Record::Description { camera, config } => self.description(*camera, config),
            Record::Packet(packet) => self.packet(packet),
            Record::Pause { secs } => self.pause(*secs),
            Record::Resume { secs } => self.resume(*secs),
            Record::Tally {
                camera,
                tally,
                pixels,
            } => self.tally(*camera, tally, pixels),
            Record::End { rows } => self.finish(*rows),
        }
    }

    /// Makes sure that all so far survives a loss of power.
    ///
    /// # Errors
    /// What writing fails with.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => self.file.sync(),
        }
    }

    /// Sees to it that all so far survives a loss of power before long; see [`Append::sync_soon`].
    pub fn sync_soon(&mut self) {
        if self.broken.is_none() {
            self.file.sync_soon();
        }
    }

    /// How many bytes the journal has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.file.len()
    }

    fn begin(&mut self, kind: u8) {
        self.buffer.clear();
        // Room for the length and the checksum.
        self.buffer.extend_from_slice(&[0; 8]);
        self.buffer.push(kind);
    }

    fn end(&mut self) -> Result<(), StoreError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let length = self.buffer.len() - 8;
        if length > MAX_RECORD {
            return Err(StoreError::Io {
                path: super::FOLDER.to_owned(),
                why: format!(
                    "a record of {length} bytes is too long, {MAX_RECORD} are the most; record smaller pictures"
                ),
            });
        }
        let length = (length as u32).to_le_bytes();
        let chain = checksum(self.chain, length, &self.buffer[8..]);
        self.buffer[..4].copy_from_slice(&length);
        self.buffer[4..8].copy_from_slice(&chain.to_le_bytes());
        match self.file.append(&self.buffer) {
            Ok(()) => {
                self.chain = chain;
                Ok(())
            }
            Err(error) => {
                self.broken = Some(error.clone());
                Err(error)
            }
        }
    }
}

/// The checksum of a record whose predecessor has the checksum `before`.
pub(super) fn checksum(before: u32, length: [u8; 4], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&before.to_le_bytes());
    hasher.update(&length);
    hasher.update(body);
    hasher.finalize()
}

/// Numbers as they are in the file. They have no alignment there, so they are copied.
pub(super) fn numbers(bytes: &[u8]) -> Cow<'_, [f64]> {
    let (numbers, _) = bytes.as_chunks::<8>();
    numbers
        .iter()
        .map(|eight| f64::from_le_bytes(*eight))
        .collect()
}
