//! Virtual servos in simulated time: what a program on the bus sees, and what the joints are told.

mod allocations;
mod behaviour;
#[path = "../../../../tests/shared/counting.rs"]
mod counting;
mod host;
mod memory;
mod protection;
#[cfg(unix)]
mod pty;
mod talk;
mod wire;
