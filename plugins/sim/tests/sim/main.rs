//! Whole-crate tests of the simulated world: servos, contact, grasping, determinism, bad input.

mod allocations;
#[path = "../../../../tests/shared/counting.rs"]
mod counting;
mod determinism;
mod errors;
mod grasp;
mod mjcf;
mod models;
mod objects;
mod rapier;
mod servo;
mod support;
mod wild;
