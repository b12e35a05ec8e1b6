//! Golden pictures: the scene, what a camera sees, the panels. Few and small.
//!
//! `cargo xtask goldens` compares them on a display of its own, `cargo xtask goldens --update`
//! takes new ones.

use crate::app::{App, has_display, scratch};
use crate::pictures::{Tolerance, assert_golden, crop, read};
use crate::window::at_720;

/// Drivers round differently along edges. The smallest thing in a picture covers more than the share.
const DRAWN: Tolerance = Tolerance {
    channel: 24,
    share: 0.001,
};
/// Text moves by parts of a pixel, and numbers show where the arm settled.
const WRITTEN: Tolerance = Tolerance {
    channel: 48,
    share: 0.005,
};

/// What a camera sees; nothing where no display was given: the driver that comes with it is
/// missing then as well.
fn snapshot(camera: &str, size: &str) -> Option<image::RgbImage> {
    if !has_display() {
        return None;
    }
    let path = scratch("goldens").join(format!("{camera}.png"));
    let out = path.to_str().expect("a readable path");
    let arguments = ["snapshot", "--scene", "pick_and_place", "--camera", camera];
    App::new(arguments.into_iter().chain(["--size", size, "--out", out]))
        .run()
        .assert_success();
    Some(read(&path))
}

#[test]
fn the_scene_looks_as_it_did() {
    if let Some(picture) = snapshot("overview", "640x480") {
        assert_golden("overview", &picture, DRAWN);
    }
}

#[test]
fn what_the_front_camera_sees_looks_as_it_did() {
    if let Some(picture) = snapshot("front", "320x240") {
        assert_golden("front", &picture, DRAWN);
    }
}

#[test]
fn the_arms_panel_looks_as_it_did() {
    if let Some(window) = at_720() {
        assert_golden("arms_panel", &crop(window, [0, 44], [302, 396]), WRITTEN);
    }
}
