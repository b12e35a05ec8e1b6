//! The native half of the Python package `forearm`: environments and recording, as the module
//! `forearm._native`.
//!
//! Classes here are what Python can't do fast or at all: [`env`] steps one world, [`batch`] many over
//! all cores, [`recorder`] writes LeRobot datasets. What a person meets is in `python/forearm/`; what
//! this module offers to it is written down in `python/forearm/_native.pyi`.
//!
//! Arrays are `NumPy`'s, made or written in place: nothing is copied on the way. While a world is stepped,
//! drawn or recorded the interpreter is free for other threads.
//!
//! Without the feature `extension` this crate is empty, so that the workspace builds, and tests run,
//! without Python: `pip` and `maturin` switch it on.

#[cfg(all(feature = "extension", not(target_family = "wasm")))]
mod arrays;
#[cfg(all(feature = "extension", not(target_family = "wasm")))]
mod batch;
#[cfg(all(feature = "extension", not(target_family = "wasm")))]
mod env;
#[cfg(all(feature = "extension", not(target_family = "wasm")))]
mod problem;
#[cfg(all(feature = "extension", not(target_family = "wasm")))]
mod recorder;
#[cfg(all(feature = "extension", not(target_family = "wasm")))]
mod recording;

/// `forearm._native`.
#[cfg(all(feature = "extension", not(target_family = "wasm")))]
#[pyo3::pymodule(name = "_native")]
mod native {
    #[pymodule_export]
    use crate::batch::Batch;
    #[pymodule_export]
    use crate::env::{Env, Snapshot, cameras, full_randomization};
    #[pymodule_export]
    use crate::recorder::{Recorder, lerobot_channels};

    /// The package's version.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
