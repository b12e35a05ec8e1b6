//! Cameras of a browser: the page opens them, a service in a worker reads them.
//!
//! Only a page may ask for a camera. It hands the worker the stream of frames itself
//! (`MediaStreamTrackProcessor`), which then comes past the page, without a copy; where the browser
//! has no such thing, the page takes frames out of a `<video>` and hands each of them over.
//!
//! What is said, through the page's offer [`OFFER`](said::OFFER); each camera has a channel of its own:
//!
//! | worker | page |
//! |---|---|
//! | `{ do: "look" }` | `{ is: "cameras", cameras: [[id, label, width, height, rate], …] }`, the greatest that it offers, 0 where it is not told; or `{ is: "failed", why }` |
//! | `{ do: "open", device, width, height }`, 0 for any size | `{ is: "opened", readable? }`, then without `readable` `{ is: "frame", frame, secs }`, each to be answered by `{ do: "taken" }`; or `{ is: "failed", again, why }` |
//! | | `{ is: "lost", why }` when it goes away |
//! | `{ do: "close" }` | |

#[cfg(target_family = "wasm")]
pub(crate) mod binding;
#[cfg(target_family = "wasm")]
mod host;
#[cfg(target_family = "wasm")]
mod listing;
pub(crate) mod load;
#[cfg(target_family = "wasm")]
mod said;
#[cfg(target_family = "wasm")]
pub(crate) mod source;
mod stamps;
#[cfg(target_family = "wasm")]
pub(crate) mod video;

#[cfg(target_family = "wasm")]
pub use host::offer;
#[cfg(target_family = "wasm")]
pub use listing::Listing;
#[cfg(target_family = "wasm")]
pub use video::Video;
