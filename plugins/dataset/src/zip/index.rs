//! Where the files of a ZIP archive lie, for readers that take parts of it only: a browser cuts an
//! archive into its files without copying any of them.
//!
//! Read the last [`TAIL`] bytes and find the directory with [`directory`]; read the directory and find
//! the files with [`files`]; the first [`HEADER`] bytes at a file's header say where its content begins
//! ([`content`]). (APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 to 4.3.16.)

/// So many bytes at an archive's end hold everything that tells where its directory is.
pub const TAIL: u64 = 65_535 + END + LOCATOR + END_64;
/// So many bytes of a file's header are of interest.
pub const HEADER: u64 = 30;

const END: u64 = 22;
const LOCATOR: u64 = 20;
const END_64: u64 = 56;
/// Bytes of an entry of the directory before its texts.
const ENTRY: usize = 46;
/// Stands where a value needs 64 bits.
const LARGE: u32 = u32::MAX;

/// Where an archive's directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Its first byte.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: String,
    /// Where its header begins.
    pub header: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Why an archive can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// It is no archive, or its end is missing.
    #[error("this is no ZIP archive, or its end is missing; export it again")]
    NoEnd,
    /// Its directory is damaged.
    #[error("the archive's list of files is damaged at byte {0} of it; export it again")]
    Directory(usize),
    /// A file in it was made smaller, which is not read here.
    #[error("{0} is compressed; only archives without compression are read here")]
    Compressed(String),
}

/// Finds the directory. `tail` is the archive's end: [`TAIL`] bytes, or all of a smaller one.
///
/// # Errors
/// [`IndexError::NoEnd`].
pub fn directory(tail: &[u8]) -> Result<Directory, IndexError> {
    let end = (0..tail.len().saturating_sub(END as usize - 1))
        .rev()
        .find(|at| tail[*at..].starts_with(b"PK\x05\x06"))
        .ok_or(IndexError::NoEnd)?;
    let (bytes, offset) = u32_at(tail, end + 12)
        .zip(u32_at(tail, end + 16))
        .ok_or(IndexError::NoEnd)?;
    if bytes != LARGE && offset != LARGE {
        return Ok(Directory {
            offset: u64::from(offset),
            bytes: u64::from(bytes),
        });
    }
    // The 64-bit end stands right before its locator, which stands right before the end.
    let end_64 = end
        .checked_sub((LOCATOR + END_64) as usize)
        .filter(|at| tail[*at..].starts_with(b"PK\x06\x06"))
        .ok_or(IndexError::NoEnd)?;
    let (bytes, offset) = u64_at(tail, end_64 + 40)
        .zip(u64_at(tail, end_64 + 48))
        .ok_or(IndexError::NoEnd)?;
    Ok(Directory { offset, bytes })
}

/// The files that a directory lists.
///
/// # Errors
/// [`IndexError::Directory`], [`IndexError::Compressed`].
pub fn files(directory: &[u8]) -> Result<Vec<File>, IndexError> {
    let mut files = Vec::new();
    let mut at = 0;
    while at < directory.len() {
        let (file, next) = entry(directory, at).ok_or(IndexError::Directory(at))?;
        if u16_at(directory, at + 10) != Some(0) {
            return Err(IndexError::Compressed(file.path));
        }
        files.push(file);
        at = next;
    }
    Ok(files)
}

/// Where a file's content begins, counted from its header.
#[must_use]
pub fn content(header: &[u8]) -> Option<u64> {
    if !header.starts_with(b"PK\x03\x04") {
        return None;
    }
    let (name, extra) = u16_at(header, 26).zip(u16_at(header, 28))?;
    Some(HEADER + u64::from(name) + u64::from(extra))
}

/// One entry of the directory, and where the next begins.
fn entry(directory: &[u8], at: usize) -> Option<(File, usize)> {
    let entry = directory.get(at..)?;
    if !entry.starts_with(b"PK\x01\x02") {
        return None;
    }
    let length = |place| u16_at(entry, place).map(usize::from);
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let path = entry.get(ENTRY..ENTRY + name)?;
    let mut fields = entry.get(ENTRY + name..ENTRY + name + extra)?;
    let (stored, bytes, header) = (u32_at(entry, 20)?, u32_at(entry, 24)?, u32_at(entry, 42)?);
    let (mut size, mut place) = (u64::from(bytes), u64::from(header));
    while let Some((kind, length)) = u16_at(fields, 0).zip(u16_at(fields, 2)) {
        let field = fields.get(4..4 + usize::from(length))?;
        if kind == 1 {
            // Only what did not fit is there, in this order.
            let mut values = field.as_chunks::<8>().0.iter();
            let mut large = |is| match is {
                true => values.next().map(|value| Some(u64::from_le_bytes(*value))),
                false => Some(None),
            };
            size = large(bytes == LARGE)?.unwrap_or(size);
            large(stored == LARGE)?;
            place = large(header == LARGE)?.unwrap_or(place);
        }
        fields = fields.get(4 + usize::from(length)..)?;
    }
    let file = File {
        path: String::from_utf8(path.to_vec()).ok()?,
        header: place,
        bytes: size,
    };
    Some((file, at + ENTRY + name + extra + comment))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Seek, Write};

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    fn archive(large: bool, streamed: bool) -> Vec<u8> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(large);
        if streamed {
            let mut bytes = Vec::new();
            fill(ZipWriter::new_stream(&mut bytes), options);
            return bytes;
        }
        let mut cursor = Cursor::new(Vec::new());
        fill(ZipWriter::new(&mut cursor), options);
        cursor.into_inner()
    }

    fn fill<W: Write + Seek>(mut writer: ZipWriter<W>, options: SimpleFileOptions) {
        for (path, content) in FILES {
            writer.start_file(path, options).expect("begun");
            writer.write_all(content).expect("room");
        }
        writer.finish().expect("ended");
    }

    const FILES: [(&str, &[u8]); 3] = [
        ("meta/info.json", b"{\"a\": 1}"),
        ("empty", b""),
        (
            "data/chunk-000/file-000.parquet",
            b"PAR1 and PK\x05\x06 inside PAR1",
        ),
    ];

    #[test]
    fn files_are_cut_out_of_archives() {
        for (large, streamed) in [(false, false), (true, false), (false, true), (true, true)] {
            let archive = archive(large, streamed);
            let tail = &archive[archive.len().saturating_sub(TAIL as usize)..];
            let Directory { offset, bytes } = directory(tail).expect("an end");
            let listed = &archive[offset as usize..(offset + bytes) as usize];
            let found = files(listed).expect("a directory");
            let cut: Vec<_> = found
                .iter()
                .map(|file| {
                    let header = &archive[file.header as usize..];
                    let start = (file.header + content(header).expect("a header")) as usize;
                    (
                        file.path.as_str(),
                        &archive[start..start + file.bytes as usize],
                    )
                })
                .collect();
            assert_eq!(cut, FILES, "large: {large}, streamed: {streamed}");
        }
    }

    #[test]
    fn large_values_are_read() {
        let mut entry = b"PK\x01\x02".to_vec();
        entry.resize(ENTRY, 0);
        entry[20..28].fill(0xff);
        entry[28] = 1;
        entry[30] = 28;
        entry[42..46].fill(0xff);
        entry.push(b'x');
        entry.extend_from_slice(&[1, 0, 24, 0]);
        for value in [5_000_000_001_u64, 5_000_000_002, 5_000_000_003] {
            entry.extend_from_slice(&value.to_le_bytes());
        }
        let expected = File {
            path: "x".to_owned(),
            header: 5_000_000_003,
            bytes: 5_000_000_001,
        };
        assert_eq!(files(&entry), Ok(vec![expected]));
        let mut tail = b"PK\x06\x06".to_vec();
        tail.resize(END_64 as usize, 0);
        tail[40..48].copy_from_slice(&77_u64.to_le_bytes());
        tail[48..56].copy_from_slice(&5_000_000_000_u64.to_le_bytes());
        tail.extend_from_slice(b"PK\x06\x07");
        tail.resize((END_64 + LOCATOR) as usize, 0);
        tail.extend_from_slice(b"PK\x05\x06");
        tail.resize((END_64 + LOCATOR + END) as usize, 0xff);
        let found = directory(&tail).expect("an end");
        assert_eq!((found.offset, found.bytes), (5_000_000_000, 77));
    }

    proptest::proptest! {
        #[test]
        fn damaged_archives_are_an_error_and_no_panic(cut in 0_usize..400, change in 0_usize..400, with: u8) {
            let mut archive = archive(true, true);
            if let Some(byte) = archive.get_mut(change) {
                *byte = with;
            }
            archive.truncate(archive.len().saturating_sub(cut));
            if let Ok(found) = directory(&archive) {
                let start = usize::try_from(found.offset).unwrap_or(usize::MAX);
                files(archive.get(start..).unwrap_or_default()).ok();
            }
            assert!(content(&archive).is_none_or(|at| at >= HEADER));
        }
    }
}
