//! LeRobot datasets: written, read, checked, repaired. Bytes go to a `Store`.

pub mod store;
