//! Dropping garbage: the files are written anew behind the log, then once more at its old place.
//!
//! Each step writes only where nothing that counts is, flushes, and then changes the slot that says where
//! the log is. So the log that counts is whole at every moment.

use super::Shared;
use super::format::{BEGIN, HEADER, Header, Kind, SLOTS, Slot};
use super::index::Index;
use crate::store::{RandomAccess, StoreError};

/// How much is copied at once, bytes.
const BLOCK: usize = 1 << 18;

pub(super) fn compact<F: RandomAccess>(shared: &mut Shared<F>) -> Result<(), StoreError> {
    let live = shared.index.live_bytes();
    if shared.slot.start - BEGIN < live.max(1) {
        move_log(shared, shared.end)?;
    }
    // All of the old log lies before the new one now: there is room.
    move_log(shared, BEGIN)?;
    shared.file.truncate(shared.end)?;
    // Both slots say the same again: one may be hurt.
    let slot = Slot {
        number: shared.slot.number + 1,
        ..shared.slot
    };
    write_slot(shared, slot)
}

/// Writes all files as a new log at `start`, where there is room, and makes it the one that counts.
fn move_log<F: RandomAccess>(shared: &mut Shared<F>, start: u64) -> Result<(), StoreError> {
    let slot = Slot {
        number: shared.slot.number + 1,
        generation: shared.slot.generation.wrapping_add(1),
        start,
        flushed: start,
    };
    let mut index = Index::default();
    let mut end = start;
    let mut block = vec![0; BLOCK];
    for (path, file) in &shared.index.files {
        let header = Header {
            kind: Kind::Write,
            generation: slot.generation,
            offset: end,
            flushed: start,
            path_length: path.len() as u16,
            length: file.length,
            // Not computed from the bytes: what was hurt stays known as such.
            sum: file.sum(),
        };
        shared.file.write_at(end, &header.encode(path))?;
        shared.file.write_at(end + HEADER as u64, path.as_bytes())?;
        end += (HEADER + path.len()) as u64;
        for piece in &file.pieces {
            let mut copied = 0;
            while copied < piece.length {
                let part =
                    usize::try_from(piece.length - copied).map_or(BLOCK, |left| left.min(BLOCK));
                let read = shared
                    .file
                    .read_at(piece.offset + copied, &mut block[..part])?;
                // Where the file is shorter than it was, zeros keep the rest in its place.
                block[read..part].fill(0);
                shared.file.write_at(end, &block[..part])?;
                end += part as u64;
                copied += part as u64;
            }
        }
        index.apply(&header, path, "");
    }
    shared.file.flush()?;
    let flushed = end;
    write_slot(shared, Slot { flushed, ..slot })?;
    shared.index = index;
    shared.end = end;
    shared.flushed = end;
    Ok(())
}

/// Writes a slot, in the place of the older one, and makes it the one that counts.
fn write_slot<F: RandomAccess>(shared: &mut Shared<F>, slot: Slot) -> Result<(), StoreError> {
    let place = SLOTS[(slot.number % 2) as usize];
    shared.file.write_at(place, &slot.encode())?;
    shared.file.flush()?;
    shared.slot = slot;
    Ok(())
}
