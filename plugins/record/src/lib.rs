//! The record service: control's ticks and cameras' frames in, LeRobot datasets out.
