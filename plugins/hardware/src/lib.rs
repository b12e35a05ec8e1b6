//! The servo bus of an SO-100/SO-101: what is said on it, who drives it, and servos that aren't
//! there.
//!
//! Not here: what an arm's joints should do (`forearm_control`), how the world moves (`forearm_sim`),
//! calibration files (`forearm_arm::calibration`).
//!
//! Positions are encoder ticks (4096 a turn), times seconds. Everything but ports, threads and
//! pseudo-terminals is free of IO and clocks.

pub mod bus;
pub mod codec;
pub mod emulator;
pub mod line;
pub mod port;
