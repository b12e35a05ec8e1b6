//! Who steps a batch's worlds: threads natively, the caller alone in a browser.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub(super) use native::Crew;
#[cfg(target_family = "wasm")]
pub(super) use web::Crew;
