//! Which row a decoded picture is of: samples come in any order, pictures in that of display.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Rows whose samples went in and whose pictures have not come out.
#[derive(Debug, Default)]
pub(crate) struct Rows(BinaryHeap<Reverse<u32>>);

impl Rows {
    /// A row's sample went in.
    pub(crate) fn push(&mut self, row: u32) {
        self.0.push(Reverse(row));
    }

    /// A picture came out: the row it is of.
    pub(crate) fn pop(&mut self) -> Option<u32> {
        self.0.pop().map(|Reverse(row)| row)
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
