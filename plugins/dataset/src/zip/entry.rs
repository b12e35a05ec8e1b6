//! The fixed parts of an archive: headers, directory, end. Little-endian. Numbers of sections are those
//! of PKWARE's APPNOTE.TXT.

/// Stands where a value needs 64 bits.
const LARGE: u32 = u32::MAX;
/// The same of a count.
const MANY: u16 = u16::MAX;
/// Readers have to know this version: 2.0; 4.5 where 64 bits are used.
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Made on Unix: the permissions are Unix's.
const UNIX: u16 = 3 << 8;
/// A plain file that its owner may write and all may read.
const PERMISSIONS: u32 = 0o100_644 << 16;
/// Names are UTF-8.
const UTF_8: u16 = 1 << 11;
/// 1980-01-01: the first day there is.
const DATE: u16 = 1 << 5 | 1;

/// A file as the archive lists it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: u64,
    pub(super) sum: u32,
    /// Where its header stands.
    pub(super) offset: u64,
}

impl Listed<'_> {
    fn is_large(&self) -> bool {
        self.bytes >= u64::from(LARGE)
    }

    /// Writes what stands before its content (4.3.7).
    pub(super) fn header(&self, out: &mut Vec<u8>) {
        put32(out, 0x0403_4b50);
        self.common(self.is_large(), if self.is_large() { 20 } else { 0 }, out);
        out.extend_from_slice(self.name.as_bytes());
        if self.is_large() {
            put16(out, 1);
            put16(out, 16);
            put64(out, self.bytes);
            put64(out, self.bytes);
        }
    }

    /// Writes its line of the directory (4.3.12).
    pub(super) fn entry(&self, out: &mut Vec<u8>) {
        let far = self.offset >= u64::from(LARGE);
        let mut extra = Vec::new();
        if self.is_large() {
            put64(&mut extra, self.bytes);
            put64(&mut extra, self.bytes);
        }
        if far {
            put64(&mut extra, self.offset);
        }
        put32(out, 0x0201_4b50);
        let large = !extra.is_empty();
        put16(out, UNIX | if large { VERSION_64 } else { VERSION });
        let extra_length = extra.len() as u16;
        let field = if large { extra_length + 4 } else { 0 };
        self.common(large, field, out);
        // No comment, first disk, no internal attributes.
        out.extend_from_slice(&[0; 6]);
        put32(out, PERMISSIONS);
        put32(out, if far { LARGE } else { self.offset as u32 });
        out.extend_from_slice(self.name.as_bytes());
        if large {
            put16(out, 1);
            put16(out, extra_length);
            out.extend_from_slice(&extra);
        }
    }

    /// What both have: version, flags, stored, time, checksum, sizes, lengths of name and extra field.
    fn common(&self, large: bool, extra: u16, out: &mut Vec<u8>) {
        put16(out, if large { VERSION_64 } else { VERSION });
        put16(out, UTF_8);
        put16(out, 0);
        put16(out, 0);
        put16(out, DATE);
        put32(out, self.sum);
        let size = if self.is_large() {
            LARGE
        } else {
            self.bytes as u32
        };
        put32(out, size);
        put32(out, size);
        // A store's paths are shorter than 64 kB by far.
        put16(out, self.name.len() as u16);
        put16(out, extra);
    }
}

/// Writes the end of an archive whose directory of `bytes` bytes, with so many files, stands at `offset`
/// (4.3.14 to 4.3.16).
pub(super) fn directory_end(files: u64, bytes: u64, offset: u64, out: &mut Vec<u8>) {
    let large = files >= u64::from(MANY) || bytes >= u64::from(LARGE) || offset >= u64::from(LARGE);
    if large {
        put32(out, 0x0606_4b50);
        // What follows of this record.
        put64(out, 44);
        put16(out, UNIX | VERSION_64);
        put16(out, VERSION_64);
        put32(out, 0);
        put32(out, 0);
        put64(out, files);
        put64(out, files);
        put64(out, bytes);
        put64(out, offset);
        put32(out, 0x0706_4b50);
        put32(out, 0);
        put64(out, offset + bytes);
        put32(out, 1);
    }
    put32(out, 0x0605_4b50);
    put32(out, 0);
    let count = u16::try_from(files).unwrap_or(MANY);
    put16(out, count);
    put16(out, count);
    put32(out, u32::try_from(bytes).unwrap_or(LARGE));
    put32(out, u32::try_from(offset).unwrap_or(LARGE));
    put16(out, 0);
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
