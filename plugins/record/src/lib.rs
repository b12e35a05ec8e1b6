//! The record service: control's ticks and cameras' frames in, LeRobot datasets out.

pub mod session;
pub mod store;
pub mod ticks;
