//! The environment service in a page of its own: what the tests in the browser check, and
//! `cargo xtask bench env` measures there. Natively it prints the digest of short episodes, which the
//! worker in the browser has to come to as well.
//!
//! The page calls `configure`, makes an `Owner`, and pumps it as it likes; `start` is for the workers, and
//! `suite` runs the cases that the native tests run. Requests and replies travel as JSON, but for numbers
//! and pictures: those are `ArrayBuffer`s.

mod episode;
#[cfg(target_family = "wasm")]
#[path = "../../tests/env_service/suite/mod.rs"]
mod suite;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
fn main() -> Result<(), forearm_sim::env::EnvError> {
    #[expect(
        clippy::print_stdout,
        reason = "a digest to be read by another program"
    )]
    {
        println!("{}", episode::direct()?);
    }
    Ok(())
}

#[cfg(target_family = "wasm")]
fn main() {}
