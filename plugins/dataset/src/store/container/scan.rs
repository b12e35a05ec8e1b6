//! Opening a container: which slot counts, which records are whole.

use super::format::{BEGIN, HEADER, Header, Kind, SLOT, SLOTS, Slot};
use super::index::Index;
use super::{Opening, Shared};
use crate::store::{MAX_PATH, RandomAccess, StoreError, check_path};

/// How much is read at once, bytes.
const BLOCK: usize = 1 << 16;

/// A record whose header is sound.
struct Record {
    header: Header,
    path: String,
    /// Where the next one begins.
    end: u64,
}

pub(super) fn open<F: RandomAccess>(
    mut file: F,
    name: &str,
) -> Result<(Shared<F>, Opening), StoreError> {
    let size = file.size()?;
    let slot = match read_slot(&file)? {
        Some(slot) if slot.start <= size => slot,
        // Making it was cut off between the slots.
        Some(slot) if slot.start == BEGIN => create(&mut file, size)?,
        Some(_) => {
            return Err(StoreError::Damaged {
                path: String::new(),
                why: "it is shorter than it was".to_owned(),
            });
        }
        None => create(&mut file, size)?,
    };
    let size = file.size()?;
    let mut opening = Opening::default();
    let (index, end) = read_log(&file, slot, size, &mut opening)?;
    if end < size {
        opening.cut_bytes = size - end;
        file.truncate(end)?;
    }
    file.flush()?;
    let shared = Shared {
        file,
        name: name.to_owned(),
        index,
        slot,
        end,
        flushed: end,
        buffer: Vec::new(),
    };
    Ok((shared, opening))
}

/// The slot that counts.
fn read_slot<F: RandomAccess>(file: &F) -> Result<Option<Slot>, StoreError> {
    let mut newest: Option<Slot> = None;
    for offset in SLOTS {
        let mut bytes = [0; SLOT];
        if file.read_at(offset, &mut bytes)? < SLOT {
            continue;
        }
        if let Some(slot) = Slot::decode(&bytes)
            && newest.is_none_or(|newest| newest.number < slot.number)
        {
            newest = Some(slot);
        }
    }
    Ok(newest)
}

/// Makes an empty container, in an empty file or in what a crash left of this.
fn create<F: RandomAccess>(file: &mut F, size: u64) -> Result<Slot, StoreError> {
    if size > BEGIN {
        return Err(not_ours());
    }
    let mut there = vec![0; size as usize];
    file.read_at(0, &mut there)?;
    if !Slot::is_torn(&there) {
        return Err(not_ours());
    }
    let slot = Slot {
        number: 1,
        generation: 1,
        start: BEGIN,
        flushed: BEGIN,
    };
    let mut bytes = vec![0; BEGIN as usize];
    for offset in SLOTS {
        let from = offset as usize;
        bytes[from..from + SLOT].copy_from_slice(&slot.encode());
    }
    file.write_at(0, &bytes)?;
    file.flush()?;
    Ok(slot)
}

fn not_ours() -> StoreError {
    StoreError::Damaged {
        path: String::new(),
        why: "it does not begin as a container of files does".to_owned(),
    }
}

/// Reads all headers of the log; which files that makes, and where the log ends.
fn read_log<F: RandomAccess>(
    file: &F,
    slot: Slot,
    size: u64,
    opening: &mut Opening,
) -> Result<(Index, u64), StoreError> {
    let mut records = Vec::new();
    let mut flushed = slot.flushed;
    let mut at = slot.start;
    while at < size {
        match read_header(file, slot, at, size)? {
            Some(record) => {
                flushed = flushed.max(record.header.flushed);
                at = record.end;
                records.push(record);
            }
            None => match resume(file, slot, at, size)? {
                Some(record) => {
                    opening.damaged_at.push(at);
                    at = record.header.offset;
                }
                None => break,
            },
        }
    }
    let mut index = Index::default();
    let mut end = slot.start;
    for record in records {
        let mut to = String::new();
        if record.end > flushed || record.header.kind == Kind::Rename {
            // A loss of power may have kept the header and lost the content.
            let content = sound_content(file, &record)?;
            let Some(content) = content else {
                if record.end > flushed {
                    break;
                }
                opening.damaged_at.push(record.header.offset);
                continue;
            };
            to = content;
        }
        index.apply(&record.header, &record.path, &to);
        end = record.end;
    }
    Ok((index, end))
}

fn read_header<F: RandomAccess>(
    file: &F,
    slot: Slot,
    at: u64,
    size: u64,
) -> Result<Option<Record>, StoreError> {
    /// Nearly every path is shorter than what is left for it here.
    const USUAL: usize = 256;
    let mut bytes = [0; HEADER + MAX_PATH];
    let mut read = file.read_at(at, &mut bytes[..USUAL])?;
    if read == USUAL && Header::decode(&bytes[..read], slot.generation, at).is_none() {
        read = file.read_at(at, &mut bytes)?;
    }
    let Some((header, path)) = Header::decode(&bytes[..read], slot.generation, at) else {
        return Ok(None);
    };
    let end = header.total().and_then(|total| at.checked_add(total));
    Ok(end
        .filter(|end| *end <= size && check_path(path).is_ok())
        .map(|end| Record {
            header,
            path: path.to_owned(),
            end,
        }))
}

/// The next sound record behind one that is not, if all before it was flushed when it was written: then
/// the disk has hurt the one, and no crash.
fn resume<F: RandomAccess>(
    file: &F,
    slot: Slot,
    at: u64,
    size: u64,
) -> Result<Option<Record>, StoreError> {
    let mut block = vec![0; BLOCK];
    let mut from = at + 1;
    while from < size {
        let read = file.read_at(from, &mut block)?;
        let bytes = &block[..read];
        let mut found = 0;
        while let Some(next) = Header::find(bytes, found) {
            if let Some(record) = read_header(file, slot, from + next as u64, size)? {
                let hurt = record.header.flushed.max(slot.flushed) > at;
                return Ok(hurt.then_some(record));
            }
            found = next + 1;
        }
        if read < BLOCK {
            break;
        }
        // A mark may lie across two blocks.
        from += (read - 3) as u64;
    }
    Ok(None)
}

/// Whether a record's content is what was written; that of one that renames as text.
fn sound_content<F: RandomAccess>(file: &F, record: &Record) -> Result<Option<String>, StoreError> {
    let header = &record.header;
    let rename = header.kind == Kind::Rename;
    if rename && header.length > MAX_PATH as u64 {
        return Ok(None);
    }
    let mut hasher = crc32fast::Hasher::new();
    let mut block = vec![0; BLOCK.min(header.length as usize)];
    let mut at = record.end - header.length;
    let mut text = String::new();
    while at < record.end {
        let part = usize::try_from(record.end - at).map_or(BLOCK, |left| left.min(BLOCK));
        if file.read_at(at, &mut block[..part])? < part {
            return Ok(None);
        }
        hasher.update(&block[..part]);
        if rename {
            text.push_str(std::str::from_utf8(&block[..part]).unwrap_or_default());
        }
        at += part as u64;
    }
    let sound = hasher.finalize() == header.sum && (!rename || check_path(&text).is_ok());
    Ok(sound.then_some(text))
}
