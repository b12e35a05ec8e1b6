//! Tests of the whole system, in one program: each starts the real `forearm` or reads the whole
//! repository.
//!
//! - [`cli`]: whatever is wrong with a flag or a file, there is one clear error and exit code 2.
//! - [`arm`]: kinematics from the command line agree with the published arm.
//! - [`headless`]: a motion picks a cube up and puts it into the tray.
//! - [`trials`]: many runs side by side, each as on its own.
//! - [`window`]: the window opens, draws, reports, and says what is missing where it can't.
//! - [`datasets`]: what is recorded, others load; killed at any moment, nothing is lost.
//! - [`editor`]: scenes are changed, saved and opened; what control hears of it.
//! - [`goldens`]: pictures look as they did.
//! - [`tidy`]: rules for the sources that no compiler checks.
//!
//! [`app`] starts the program, [`pictures`] reads and compares images.

mod app;
mod arm;
mod cli;
mod datasets;
mod editor;
mod goldens;
mod headless;
mod pictures;
#[cfg(unix)]
mod servos;
mod tidy;
mod trials;
mod window;
