//! The function keys that are not the same everywhere: a browser reloads with F5 and goes to its
//! address bar with F6.

use egui::Key;

/// Start or stop driving.
pub(crate) const DRIVE: (Key, &str) = if cfg!(target_family = "wasm") {
    (Key::F8, "F8")
} else {
    (Key::F5, "F5")
};

/// Edit the scene.
pub(crate) const EDIT: (Key, &str) = (Key::F3, "F3");

/// Show the recorder.
pub(crate) const RECORD: (Key, &str) = (Key::F4, "F4");

/// Reset the scene.
pub(crate) const RESET: (Key, &str) = if cfg!(target_family = "wasm") {
    (Key::F9, "F9")
} else {
    (Key::F6, "F6")
};
