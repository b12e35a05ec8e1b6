//! Reading a journal, whatever became of it.

use std::borrow::Cow;

use super::write::{checksum, kind, numbers};
use super::{Freshness, Head, MAGIC, MAX_RECORD, Packet, Record};
use crate::resample::Tally;

/// Reads a journal's records. Begins with the [`Head`], or has nothing.
#[must_use]
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    let mut scan = Scan {
        bytes,
        at: 0,
        chain: 0,
        width: None,
        stop: None,
    };
    if bytes.starts_with(MAGIC) {
        scan.at = MAGIC.len();
    } else {
        scan.stop(if MAGIC.starts_with(bytes) {
            "it ends before the first record"
        } else {
            "it does not begin as a journal does"
        });
    }
    scan
}

/// The records of a journal: an iterator that ends at the first record that is torn or damaged.
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    chain: u32,
    /// Numbers a tick, as soon as the head was there.
    width: Option<usize>,
    stop: Option<Stop>,
}

/// Where a journal could not be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The first byte that is not part of a sound record.
    pub offset: usize,
    /// How many bytes are lost from there on.
    pub lost: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { offset, lost, why } = self;
        write!(
            f,
            "the journal is sound up to byte {offset}: {why}; {lost} bytes behind it are left out"
        )
    }
}

impl<'a> Scan<'a> {
    /// Where and why it ended before the end of the file; `None` while it goes on, and when all was
    /// sound.
    #[must_use]
    pub fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    fn stop(&mut self, why: &'static str) {
        self.stop = Some(Stop {
            offset: self.at,
            lost: self.bytes.len() - self.at,
            why,
        });
    }

    /// The next record, and where the one after it begins; `None` at the end of the file.
    fn read(&mut self) -> Result<Option<(Record<'a>, usize)>, &'static str> {
        let mut rest = Reader(&self.bytes[self.at..]);
        if rest.0.is_empty() {
            return Ok(None);
        }
        const TORN: &str = "a record is cut off";
        let length = rest.array::<4>().ok_or(TORN)?;
        let sum = u32::from_le_bytes(rest.array().ok_or(TORN)?);
        let long = u32::from_le_bytes(length) as usize;
        if long == 0 || long > MAX_RECORD {
            return Err("a record has no sensible length");
        }
        let body = rest.take(long).ok_or(TORN)?;
        if checksum(self.chain, length, body) != sum {
            return Err("a record's checksum is wrong");
        }
        let record = self
            .parse(body)
            .ok_or("a record's content is none that this version knows")?;
        self.chain = sum;
        Ok(Some((record, self.at + 8 + long)))
    }

    fn parse(&mut self, body: &'a [u8]) -> Option<Record<'a>> {
        let mut rest = Reader(body);
        let [kind] = rest.array()?;
        if (kind == kind::HEAD) != self.width.is_none() {
            // The head comes first, and once.
            return None;
        }
        let record = match kind {
            kind::HEAD => {
                let head: Head = serde_json::from_slice(rest.all()).ok()?;
                self.width = Some(head.layout.width());
                Record::Head(Box::new(head))
            }
            kind::TICKS => {
                let generation = rest.u64()?;
                let first = rest.u64()?;
                let values = rest.all();
                let width = self.width?.checked_mul(8)?;
                if values.len() % width != 0 {
                    return None;
                }
                Record::Ticks {
                    generation,
                    first,
                    values: numbers(values),
                }
            }
            kind::DESCRIPTION => Record::Description {
                camera: rest.u16()?,
                config: rest.all(),
            },
            kind::PACKET => {
                let camera = rest.u16()?;
                let row = rest.u32()?;
                let [flags] = rest.array()?;
                Record::Packet(Packet {
                    camera,
                    row,
                    key: flags & 1 == 1,
                    captured_secs: rest.f64()?,
                    freshness: match flags >> 1 {
                        0 => Freshness::New,
                        1 => Freshness::Repeated,
                        2 => Freshness::Stale,
                        _ => return None,
                    },
                    bytes: rest.all(),
                })
            }
            kind::PAUSE => Record::Pause { secs: rest.f64()? },
            kind::RESUME => Record::Resume { secs: rest.f64()? },
            kind::TALLY => Record::Tally {
                camera: rest.u16()?,
                tally: Tally {
                    offered: rest.u32()?,
                    unused: rest.u32()?,
                    dropped: rest.u32()?,
                    first_secs: rest.f64()?,
                    last_secs: rest.f64()?,
                },
                pixels: Cow::Borrowed(rest.all()),
            },
            kind::END => Record::End { rows: rest.u32()? },
            _ => return None,
        };
        rest.0.is_empty().then_some(record)
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.stop.is_some() {
            return None;
        }
        match self.read() {
            Ok(Some((record, next))) => {
                self.at = next;
                Some(record)
            }
            Ok(None) => None,
            Err(why) => {
                self.stop(why);
                None
            }
        }
    }
}

/// Takes numbers off the front of bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_le_bytes)
    }
}
