//! The driver of a bus: against packets that are written down, and against virtual servos, in
//! simulated time.

mod allocations;
mod faults;
mod golden;
mod jobs;
mod rig;
mod speed;
