//! Driving without a window: a motion picks the cube up and puts it into the tray, wherever the
//! cube lies, and exit code 0 means that it did.

use crate::app::{App, Finished};

/// Plays a built-in motion's file for so many seconds.
fn drive(motion: &str, seconds: &str, more: &[&str]) -> Finished {
    let script = format!("scenes/motions/{motion}.ron");
    let arguments = [
        "teleoperate",
        "--headless",
        "--script",
        &script,
        "--duration",
        seconds,
    ];
    App::new(arguments.iter().chain(more)).run()
}

const IN_TRAY: [&str; 4] = ["--scene", "pick_and_place", "--expect", "cube-in-tray"];

#[test]
fn the_cube_ends_in_the_tray_wherever_it_lies() {
    let failed: Vec<_> = (0..10)
        .map(|seed: u32| {
            let seed = seed.to_string();
            let moved = ["--fast", "--jitter-objects", "0.03", "--seed", &seed];
            drive("pick_and_place", "30", &[&IN_TRAY[..], &moved].concat())
        })
        .filter(|run| run.code != Some(0))
        .map(|run| run.to_string())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of 10 failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn the_cube_ends_in_the_tray_in_real_time() {
    drive("pick_and_place", "30", &IN_TRAY).assert_success();
}

#[test]
fn the_same_run_gives_the_same_result() {
    let run = || {
        drive(
            "pick_and_place",
            "5",
            &["--fast", "--json", "--jitter-objects", "0.02"],
        )
    };
    let (first, second) = (run().assert_success().json(), run().assert_success().json());
    assert!(first["steps"].as_u64() > Some(0), "{first}");
    for part in ["steps", "state_hash", "arms", "in_tray"] {
        assert!(!first[part].is_null(), "no {part}: {first}");
        assert_eq!(first[part], second[part]);
    }
}

#[test]
fn a_cube_that_stays_on_the_table_is_told_by_exit_code_1() {
    let finished = drive("wave", "5", &[&IN_TRAY[..], &["--fast"]].concat());
    assert_eq!(finished.code, Some(1), "{finished}");
    assert!(finished.stderr.contains("cube"), "{finished}");
    assert!(!finished.stderr.contains("panicked"), "{finished}");
}

#[test]
fn loop_time_and_joints_are_printed_as_lerobot_does() {
    let finished = drive("wave", "2", &[]);
    let text = &finished.assert_success().stdout;
    assert!(text.contains("Hz"), "no loop time: {finished}");
    for joint in ["shoulder_pan", "elbow_flex", "gripper"] {
        assert!(text.contains(joint), "no {joint}: {finished}");
    }
}
