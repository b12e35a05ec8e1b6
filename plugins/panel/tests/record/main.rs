//! Recording and datasets: what the panels show of them, and what a person can press there.

#[path = "../common/mod.rs"]
mod common;

mod looks;
mod presses;
