//! The driver of a bus: against packets that are written down, and against virtual servos, in
//! simulated time.

mod allocations;
#[path = "../../../../tests/shared/counting.rs"]
mod counting;
mod faults;
mod golden;
mod jobs;
mod rig;
mod speed;
