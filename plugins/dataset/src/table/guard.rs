//! Looks at a Parquet file's headers before they are believed: how deep the schema is nested, how much
//! a page claims to unpack to, how many values it claims to have.
//!
//! The parquet crate checks most of what it reads, but reserves memory by what a page's header says and
//! builds the schema by recursion. A few damaged bytes must not ask for gigabytes or end the program.
//! Headers are Thrift's compact protocol: fields of numbered types, read here only as far as needed.

/// How deep a schema may be nested. LeRobot's are 8 at most.
const MAX_SCHEMA_DEPTH: usize = 32;
/// How deep Thrift values may be nested; Parquet's own are 7 at most.
const MAX_THRIFT_DEPTH: u32 = 16;
/// Snappy's densest element: 3 bytes that stand for 64. Its header takes some more.
const SNAPPY_RATIO: u64 = 22;
/// How many values one byte of the file may stand for: runs of equal values take next to nothing.
const VALUES_PER_BYTE: u64 = 64;
/// How many values any column may have, however small the file is.
const FREE_VALUES: u64 = 1 << 16;
/// How many values a column may have in a row group, however large the file is: days of recording.
const MAX_VALUES: u64 = 1 << 28;

/// What is wrong.
type Problem = String;

/// Checks the footer: well-formed, its schema not deeper and not larger than its bytes allow.
pub(super) fn check_footer(bytes: &[u8]) -> Result<(), Problem> {
    let damaged = || "its footer is damaged".to_owned();
    let mut thrift = Thrift { bytes, at: 0 };
    let mut children = Vec::new();
    let mut last = 0;
    while let Some((id, kind)) = thrift.field(&mut last).ok_or_else(damaged)? {
        if (id, kind) == (2, LIST) {
            children = thrift.schema().ok_or_else(damaged)?;
        } else {
            thrift.skip(kind, 0).ok_or_else(damaged)?;
        }
    }
    // The tree comes flattened, parents first, each with its number of children.
    let mut open: Vec<u64> = Vec::new();
    for count in children {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if count > 0 {
            open.push(count);
        }
        if open.len() > MAX_SCHEMA_DEPTH {
            return Err(format!(
                "its schema is nested deeper than {MAX_SCHEMA_DEPTH} levels"
            ));
        }
    }
    Ok(())
}

/// Checks the pages of a column, which `bytes` are all of: that sizes are possible for what is there.
///
/// `file_bytes` is the size of the file.
pub(super) fn check_pages(bytes: &[u8], snappy: bool, file_bytes: u64) -> Result<(), Problem> {
    let damaged = || "the header of a page is damaged".to_owned();
    let limit = FREE_VALUES
        .saturating_add(file_bytes.saturating_mul(VALUES_PER_BYTE))
        .min(MAX_VALUES);
    let (mut at, mut values) = (0, 0_u64);
    while at < bytes.len() {
        let mut thrift = Thrift { bytes, at };
        let page = thrift.page().ok_or_else(damaged)?;
        let (packed, unpacked) = (page.packed, page.unpacked);
        let possible = if snappy {
            unpacked <= packed.saturating_mul(SNAPPY_RATIO)
        } else {
            unpacked == packed
        };
        values = values.saturating_add(page.values);
        if !possible || values > limit {
            return Err(format!(
                "a page of {packed} bytes claims {unpacked} bytes and {} values",
                page.values
            ));
        }
        at = usize::try_from(packed)
            .ok()
            .and_then(|packed| thrift.at.checked_add(packed))
            .filter(|end| *end <= bytes.len())
            .ok_or_else(damaged)?;
    }
    Ok(())
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// What a page's header says.
#[derive(Default)]
struct Page {
    packed: u64,
    unpacked: u64,
    values: u64,
}

/// Reads from `at` on; `None` when it makes no sense.
struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn jump(&mut self, bytes: u64) -> Option<()> {
        let end = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        (end <= self.bytes.len()).then(|| self.at = end)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number that has to be 0 at least.
    fn count(&mut self) -> Option<u64> {
        let value = self.unsigned()?;
        (value & 1 == 0).then_some(value >> 1)
    }

    /// The next field of a struct: its number and kind; `Some(None)` at its end.
    fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *last = match byte >> 4 {
            0 => {
                let value = i64::try_from(self.unsigned()?).ok()?;
                (value >> 1) ^ -(value & 1)
            }
            step => *last + i64::from(step),
        };
        Some(Some((*last, byte & 0x0f)))
    }

    /// The head of a list: how many elements of what kind. Each takes a byte at least.
    fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.unsigned()?,
            count => u64::from(count),
        };
        (count <= (self.bytes.len() - self.at) as u64).then_some((count, byte & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > MAX_THRIFT_DEPTH {
            return None;
        }
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.jump(1),
            I16 | I32 | I64 => self.unsigned().map(|_| ()),
            DOUBLE => self.jump(8),
            BINARY => {
                let length = self.unsigned()?;
                self.jump(length)
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                for _ in 0..count {
                    // A truth value takes a byte in a list, and none in a struct.
                    self.skip(if kind <= FALSE { BYTE } else { kind }, depth + 1)?;
                }
                Some(())
            }
            MAP => {
                let count = self.unsigned()?;
                if count > (self.bytes.len() - self.at) as u64 {
                    return None;
                }
                let kinds = if count > 0 { self.byte()? } else { 0 };
                for _ in 0..count {
                    self.skip(kinds >> 4, depth + 1)?;
                    self.skip(kinds & 0x0f, depth + 1)?;
                }
                Some(())
            }
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// The elements of a schema: how many children each has.
    fn schema(&mut self) -> Option<Vec<u64>> {
        let (count, kind) = self.list()?;
        if kind != STRUCT {
            return None;
        }
        let mut all = Vec::new();
        for _ in 0..count {
            let (mut last, mut children) = (0, 0);
            while let Some((id, kind)) = self.field(&mut last)? {
                if (id, kind) == (5, I32) {
                    children = self.count()?;
                } else {
                    self.skip(kind, 1)?;
                }
            }
            all.push(children);
        }
        Some(all)
    }

    /// The header of a page. Field numbers are those of Parquet's format: 2 and 3 are the sizes, 5, 7
    /// and 8 the headers of the kinds of pages, which all begin with the number of values.
    fn page(&mut self) -> Option<Page> {
        let mut page = Page::default();
        let mut last = 0;
        while let Some((id, kind)) = self.field(&mut last)? {
            match (id, kind) {
                (2, I32) => page.unpacked = self.count()?,
                (3, I32) => page.packed = self.count()?,
                (5 | 7 | 8, STRUCT) => {
                    let mut last = 0;
                    while let Some((id, kind)) = self.field(&mut last)? {
                        if (id, kind) == (1, I32) {
                            page.values = page.values.max(self.count()?);
                        } else {
                            self.skip(kind, 1)?;
                        }
                    }
                }
                (_, kind) => self.skip(kind, 0)?,
            }
        }
        Some(page)
    }
}
