//! Changes of whole datasets: deleting episodes and bringing them back, merging, splitting.
//!
//! A change of many files is prepared beside the dataset and then carried out from a list, so that one
//! that is cut off can be finished ([`finish`]). Merging and splitting write new datasets and change
//! nothing of the old. Videos are copied, never encoded again: an episode that shares its file with
//! others goes with the whole file and its place in it.

mod copy;
mod delete;
mod transaction;

pub use copy::{fractions, merge, split};
pub(crate) use delete::{append_columns, renumber};
pub(crate) use transaction::{Change, apply};
pub use transaction::{can_undo, finish, forget, is_pending};
