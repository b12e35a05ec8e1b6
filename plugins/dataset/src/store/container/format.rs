//! How a container's bytes stand in its file.
//!
//! Two slots at the beginning say where the log is; the one with the greater number counts. The log is
//! records one after another: a header of [`HEADER`] bytes, a path, content. All numbers are
//! little-endian.

use crate::store::MAX_PATH;

/// What a slot begins with.
const MAGIC: &[u8; 16] = b"forearm files 1\n";
/// What a record begins with.
const MARK: &[u8; 4] = b"FArc";

/// Where the slots are: in sectors of their own, so that no write can spoil both.
pub(super) const SLOTS: [u64; 2] = [0, 4096];
/// Length of a slot, bytes.
pub(super) const SLOT: usize = 48;
/// Where the first log begins.
pub(super) const BEGIN: u64 = 8192;
/// Length of a record's header, bytes.
pub(super) const HEADER: usize = 52;

/// Says where the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Grows with each change.
    pub(super) number: u64,
    /// Records of the log have it too: others are left over from before.
    pub(super) generation: u32,
    /// Where the log begins.
    pub(super) start: u64,
    /// All before here was flushed when the slot was written.
    pub(super) flushed: u64,
}

impl Slot {
    pub(super) fn encode(self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..16].copy_from_slice(MAGIC);
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.start.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.flushed.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.generation.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..SLOT - 4]);
        bytes[SLOT - 4..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; SLOT]) -> Option<Self> {
        let slot = Self {
            number: u64::from_le_bytes(part(bytes, 16)?),
            start: u64::from_le_bytes(part(bytes, 24)?),
            flushed: u64::from_le_bytes(part(bytes, 32)?),
            generation: u32::from_le_bytes(part(bytes, 40)?),
        };
        (slot.encode() == *bytes && slot.start >= BEGIN).then_some(slot)
    }

    /// Whether `bytes`, all there is of a file, may be what a crash left of a first slot.
    pub(super) fn is_torn(bytes: &[u8]) -> bool {
        let begun = bytes.len().min(MAGIC.len());
        bytes[..begun] == MAGIC[..begun] || bytes.iter().all(|byte| *byte == 0)
    }
}

/// What a record does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The content is the file at the path.
    Write,
    /// The content comes to the end of the file at the path.
    Append,
    /// The file at the path gets the path in the content.
    Rename,
    /// The file at the path, or all below it, is gone.
    Remove,
}

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) generation: u32,
    /// Where the record begins in the file.
    pub(super) offset: u64,
    /// All before here was flushed when the record was written: no loss of power can have changed it.
    pub(super) flushed: u64,
    pub(super) path_length: u16,
    pub(super) length: u64,
    /// Checksum of the content.
    pub(super) sum: u32,
}

impl Header {
    /// How many bytes the record has in all, if that is a number.
    pub(super) fn total(&self) -> Option<u64> {
        self.length
            .checked_add(HEADER as u64 + u64::from(self.path_length))
    }

    /// The header's bytes. Their checksum covers the path too.
    pub(super) fn encode(&self, path: &str) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(MARK);
        bytes[4] = match self.kind {
            Kind::Write => 1,
            Kind::Append => 2,
            Kind::Rename => 3,
            Kind::Remove => 4,
        };
        bytes[6..8].copy_from_slice(&self.path_length.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.generation.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.offset.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.flushed.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.length.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.sum.to_le_bytes());
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[..HEADER - 4]);
        hasher.update(path.as_bytes());
        bytes[HEADER - 4..].copy_from_slice(&hasher.finalize().to_le_bytes());
        bytes
    }

    /// Reads a header that should stand at `offset`, and its path, from all that is there. Says nothing
    /// about the content.
    pub(super) fn decode(bytes: &[u8], generation: u32, offset: u64) -> Option<(Self, &str)> {
        let (fixed, rest) = bytes.split_at_checked(HEADER)?;
        if !fixed.starts_with(MARK) {
            return None;
        }
        let header = Self {
            kind: match fixed[4] {
                1 => Kind::Write,
                2 => Kind::Append,
                3 => Kind::Rename,
                4 => Kind::Remove,
                _ => return None,
            },
            path_length: u16::from_le_bytes(part(fixed, 6)?),
            generation: u32::from_le_bytes(part(fixed, 8)?),
            offset: u64::from_le_bytes(part(fixed, 12)?),
            flushed: u64::from_le_bytes(part(fixed, 20)?),
            length: u64::from_le_bytes(part(fixed, 28)?),
            sum: u32::from_le_bytes(part(fixed, 36)?),
        };
        let path = rest.get(..usize::from(header.path_length))?;
        let path = std::str::from_utf8(path).ok()?;
        let sound = header.generation == generation
            && header.offset == offset
            && path.len() <= MAX_PATH
            && header.encode(path) == *fixed;
        sound.then_some((header, path))
    }

    /// Where in `bytes` a record may begin, from `from` on.
    pub(super) fn find(bytes: &[u8], from: usize) -> Option<usize> {
        let found = bytes
            .get(from..)?
            .windows(4)
            .position(|four| four == MARK)?;
        Some(from + found)
    }
}

fn part<const N: usize>(bytes: &[u8], from: usize) -> Option<[u8; N]> {
    bytes.get(from..from + N)?.try_into().ok()
}
