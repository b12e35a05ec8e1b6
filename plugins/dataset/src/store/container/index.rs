//! Which files a container has, and where their bytes are.

use std::collections::BTreeMap;

use super::format::{HEADER, Header, Kind};
use crate::store::{Entry, is_below};

/// The files of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) files: BTreeMap<String, File>,
}

/// A file: pieces one after another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct File {
    pub(super) pieces: Vec<Piece>,
    pub(super) length: u64,
}

/// Bytes in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where they begin in their file.
    pub(super) at: u64,
    /// Where they are in the container's file.
    pub(super) offset: u64,
    /// How many they are.
    pub(super) length: u64,
    /// Their checksum.
    pub(super) sum: u32,
}

impl File {
    fn push(&mut self, offset: u64, length: u64, sum: u32) {
        self.pieces.push(Piece {
            at: self.length,
            offset,
            length,
            sum,
        });
        self.length = self.length.saturating_add(length);
    }

    /// The pieces from the one with byte `at` on.
    pub(super) fn pieces_from(&self, at: u64) -> &[Piece] {
        let first = self
            .pieces
            .partition_point(|piece| piece.at.saturating_add(piece.length) <= at);
        &self.pieces[first..]
    }

    /// The checksum of all its bytes, if its pieces' are right.
    pub(super) fn sum(&self) -> u32 {
        let mut all = crc32fast::Hasher::new();
        for piece in &self.pieces {
            all.combine(&crc32fast::Hasher::new_with_initial_len(
                piece.sum,
                piece.length,
            ));
        }
        all.finalize()
    }
}

impl Index {
    /// Does what a record says. `to` is the content of one that renames.
    pub(super) fn apply(&mut self, header: &Header, path: &str, to: &str) {
        let content = header.offset + (HEADER + path.len()) as u64;
        match header.kind {
            Kind::Write => {
                let mut file = File::default();
                file.push(content, header.length, header.sum);
                self.files.insert(path.to_owned(), file);
            }
            Kind::Append => match self.files.get_mut(path) {
                Some(file) => file.push(content, header.length, header.sum),
                None => {
                    let mut file = File::default();
                    file.push(content, header.length, header.sum);
                    self.files.insert(path.to_owned(), file);
                }
            },
            Kind::Rename => {
                if let Some(file) = self.files.remove(path) {
                    self.files.insert(to.to_owned(), file);
                }
            }
            Kind::Remove => {
                self.files
                    .retain(|file, _| file != path && !is_below(file, path));
            }
        }
    }

    pub(super) fn list(&self, folder: &str) -> Vec<Entry> {
        self.files
            .iter()
            .filter(|(path, _)| is_below(path, folder))
            .map(|(path, file)| Entry {
                path: path.clone(),
                bytes: file.length,
            })
            .collect()
    }

    /// How many bytes the log would have with these files alone.
    pub(super) fn live_bytes(&self) -> u64 {
        self.files
            .iter()
            .map(|(path, file)| (HEADER + path.len()) as u64 + file.length)
            .sum()
    }
}
