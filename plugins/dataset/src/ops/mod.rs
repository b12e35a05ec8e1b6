//! Changes of whole datasets: deleting episodes and bringing them back, merging, splitting.
//!
//! A change of many files is prepared beside the dataset and then carried out from a list, so that one
//! that is cut off can be finished ([`finish`]).

mod transaction;

pub use transaction::{finish, is_pending};
