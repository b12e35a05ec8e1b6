//! Trials from the command line: many runs side by side, each the same as a run on its own; the exit
//! code tells whether enough of them did what they should.

use crate::app::{App, Finished};

fn trials(more: &[&str]) -> Finished {
    App::new(["trials"].iter().chain(more)).run()
}

#[test]
fn each_trial_is_a_run_without_a_window() {
    let moved = ["--jitter-objects", "0.02", "--json"];
    let many = [
        &["--runs", "4", "--seed", "3", "--workers", "2"],
        &moved[..],
    ]
    .concat();
    let many = trials(&many).assert_success().json();
    assert_eq!(many["succeeded"], 4, "{many}");
    assert_eq!(many["expect"], "cube-in-tray", "{many}");
    for run in many["trials"].as_array().expect("a list") {
        let seed = run["seed"].to_string();
        let script = ["--script", "pick_and_place", "--seed", &seed];
        let alone = ["teleoperate", "--headless", "--fast"];
        let alone = App::new(alone.iter().chain(&script).chain(&moved)).run();
        let alone = alone.assert_success().json();
        for part in ["state_hash", "steps", "ticks", "in_tray"] {
            assert!(!run[part].is_null(), "no {part}: {run}");
            assert_eq!(run[part], alone[part], "seed {seed}, {part}");
        }
    }
}

#[test]
fn too_few_good_runs_are_told_by_exit_code_1() {
    let unmet = ["--runs", "2", "--expect", "ball-in-tray"];
    let finished = trials(&unmet);
    assert_eq!(finished.code, Some(1), "{finished}");
    assert!(
        finished
            .stdout
            .contains("0 of 2 runs ended with ball-in-tray")
    );
    assert!(finished.stderr.contains("at least 2 have to"), "{finished}");
    trials(&[&unmet[..], &["--at-least", "0"]].concat()).assert_success();
}

#[test]
fn what_cannot_be_tried_is_told_by_exit_code_2_before_anything_runs() {
    for (wrong, about) in [
        (&["--scene", "empty"][..], "cube"),
        (&["--script", "gone.ron"], "gone.ron"),
        (&["--expect", "brick-in-tray"], "brick"),
        (&["--runs", "2", "--at-least", "3"], "--at-least 3"),
        (&["--runs", "0"], "--runs"),
        (&["--workers", "0"], "--workers"),
        (&["--jitter-objects", "0.9"], "--jitter-objects"),
    ] {
        let finished = trials(wrong);
        assert_eq!(finished.code, Some(2), "{wrong:?}: {finished}");
        assert!(finished.stderr.contains(about), "{wrong:?}: {finished}");
        assert!(finished.stdout.is_empty(), "{wrong:?}: {finished}");
    }
}
