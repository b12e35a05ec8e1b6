//! Which cameras there are: natively known at once, in the browser asked of the page.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{CameraListing, list_cameras};
#[cfg(target_family = "wasm")]
pub(crate) use web::{CameraListing, list_cameras};
