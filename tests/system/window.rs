//! The window: it opens, draws all its parts, reports, and says what is missing where it can't.

use std::sync::OnceLock;

use image::RgbImage;

use crate::app::{App, has_display, scratch};
use crate::pictures::{colors, crop, read};

/// Frames until everything has been drawn: scene, cameras' pictures, panels.
const FRAMES: &str = "20";

/// The window at its default size, photographed once for all tests that look at it.
pub(crate) fn at_720() -> Option<&'static RgbImage> {
    static PICTURE: OnceLock<Option<RgbImage>> = OnceLock::new();
    PICTURE.get_or_init(|| photograph([1280, 720])).as_ref()
}

/// A picture of the window after it has settled; nothing if there is no display here.
fn photograph([width, height]: [u32; 2]) -> Option<RgbImage> {
    if !has_display() {
        return None;
    }
    let path = scratch("window").join(format!("{width}x{height}.png"));
    let size = format!("{width}x{height}");
    let arguments = [
        "--scene",
        "pick_and_place",
        "--size",
        &size,
        "--frames",
        FRAMES,
    ];
    let finished = App::new(arguments.map(std::ffi::OsStr::new))
        .on_display()
        .arg("--screenshot")
        .arg(&path)
        .run();
    finished.assert_success();
    assert!(!finished.stderr.contains("panicked"), "{finished}");
    let picture = read(&path);
    assert_eq!(picture.dimensions(), (width, height));
    Some(picture)
}

fn draws_everything(picture: &RgbImage) {
    let (width, height) = picture.dimensions();
    let quarter = [width / 4, height / 4];
    let parts = [
        ("the arms' panel", [0, height / 4]),
        ("the scene", [width * 3 / 8, height * 3 / 8]),
        ("the cameras", [width * 3 / 4, height / 8]),
        ("the plot", [width * 3 / 8, height * 3 / 4]),
    ];
    for (what, at) in parts {
        let count = colors(&crop(picture, at, quarter));
        assert!(count > 16, "{what} at {at:?} has only {count} colours");
    }
}

#[test]
fn the_window_draws_all_its_parts_at_720() {
    if let Some(picture) = at_720() {
        draws_everything(picture);
    }
}

#[test]
fn the_window_draws_all_its_parts_at_1080() {
    if let Some(picture) = photograph([1920, 1080]) {
        draws_everything(&picture);
    }
}

#[test]
fn the_window_reports_how_the_control_loop_keeps_time() {
    if !has_display() {
        return;
    }
    let path = scratch("window").join("report.json");
    let finished = App::new(["--rate", "120", "--duration", "3", "--size", "640x480"])
        .arg("--report")
        .arg(&path)
        .on_display()
        .run();
    finished.assert_success();
    let text = std::fs::read_to_string(&path).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&text).expect("a report in JSON");
    for name in [
        "rate_hz",
        "jitter_p50_secs",
        "jitter_p99_secs",
        "jitter_max_secs",
        "fps",
    ] {
        assert!(
            report[name].as_f64().is_some_and(f64::is_finite),
            "{name}: {report}"
        );
    }
    let target = report["target_hz"].as_f64().expect("a number");
    assert!((target - 120.0).abs() < 1e-6, "{report}");
    assert!(report["rate_hz"].as_f64() > Some(0.0), "{report}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_it_says_what_is_missing_and_how_to_go_on() {
    let finished = App::new(["--frames", "1"]).run();
    assert_ne!(finished.code, Some(0), "{finished}");
    for expected in ["display", "DISPLAY", "teleoperate --headless"] {
        assert!(
            finished.stderr.contains(expected),
            "no `{expected}`: {finished}"
        );
    }
    assert!(!finished.stderr.contains("panicked"), "{finished}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_graphics_driver_it_says_what_is_missing_and_how_to_go_on() {
    if !has_display() {
        return;
    }
    let finished = App::new(["--frames", "1"])
        .on_display()
        .env("VK_DRIVER_FILES", "/nonexistent.json")
        .env("VK_ICD_FILENAMES", "/nonexistent.json")
        .run();
    assert_ne!(finished.code, Some(0), "{finished}");
    for expected in ["Vulkan", "teleoperate --headless"] {
        assert!(
            finished.stderr.contains(expected),
            "no `{expected}`: {finished}"
        );
    }
    assert!(!finished.stderr.contains("panicked"), "{finished}");
}
