//! Whole-crate tests of the simulated world: servos, contact, grasping, determinism, bad input.

mod allocations;
#[path = "../../../../tests/shared/counting.rs"]
mod counting;
mod determinism;
mod env;
mod errors;
mod grasp;
mod mjcf;
mod models;
mod objects;
mod rapier;
mod rest;
mod servo;
mod sts3215;
mod support;
mod wild;
