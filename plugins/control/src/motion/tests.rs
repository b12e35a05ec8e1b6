//! Good and bad motion files.

use forearm_arm::so101::so101;
use proptest::prelude::*;

use super::*;

struct Objects(&'static [&'static str]);

impl Surroundings for Objects {
    fn object_names(&self) -> Vec<&str> {
        self.0.to_vec()
    }
}

const BUILT_IN: [&str; 2] = [
    include_str!("../../../../scenes/motions/pick_and_place.ron"),
    include_str!("../../../../scenes/motions/wave.ron"),
];

fn error_of(text: &str) -> String {
    Motion::from_ron("m.ron", text)
        .expect_err("this motion is wrong")
        .to_string()
}

fn misfit_of(steps: &str) -> String {
    let text = format!("Motion(name: \"m\", steps: [Wait(secs: 1), {steps}])");
    let motion = Motion::from_ron("m.ron", &text).expect("well written");
    motion
        .check_for(&so101(), &Objects(&["cube"]))
        .expect_err("it does not fit")
        .to_string()
}

#[test]
fn the_built_in_motions_are_read() {
    for text in BUILT_IN {
        let motion = Motion::from_ron("m.ron", text).expect("a good motion");
        assert!(
            (1.0..60.0).contains(&motion.duration_secs()),
            "{}",
            motion.name
        );
        assert_eq!(
            motion.check_for(&so101(), &Objects(&["cube", "tray"])),
            Ok(())
        );
    }
}

#[test]
fn the_readme_s_example_is_read() {
    let readme = include_str!("../../../../scenes/motions/README.md");
    let example = readme
        .split("```ron")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let motion = Motion::from_ron("README", example.expect("there is an example"));
    assert_eq!(motion.expect("a good motion").steps.len(), 6);
}

#[test]
fn defaults_are_filled_in() {
    let text = r#"(name: "m", approach: (pitch_degrees: 60), steps: [At(object: "o", secs: 1)])"#;
    let motion = Motion::from_ron("m.ron", text).expect("a good motion");
    assert_eq!(
        motion.approach,
        Approach {
            pitch_degrees: 60.0,
            ..Approach::default()
        }
    );
    let at = Step::At {
        object: "o".to_owned(),
        offset: [0.0; 3],
        approach: None,
        path: None,
        secs: 1.0,
    };
    assert_eq!(motion.steps, [at]);
}

#[test]
fn errors_name_line_field_and_what_was_expected() {
    let two_steps = |second: &str| {
        format!(
            "Motion(\n    name: \"m\",\n    steps: [\n        Wait(secs: 1),\n        {second},\n    ],\n)"
        )
    };
    for (step, field, expected) in [
        (
            "Wait(secs: -1)",
            "steps[1].Wait.secs",
            "-1 s; expected a time from 0 to 600 s",
        ),
        (
            "Wait(secs: inf)",
            "steps[1].Wait.secs",
            "expected a time from 0 to 600 s",
        ),
        (
            "Wait(secs: NaN)",
            "steps[1].Wait.secs",
            "expected a time from 0 to 600 s",
        ),
        (
            "Gripper(percent: 101, secs: 1)",
            "percent",
            "expected an opening from 0 to 100 %",
        ),
        (
            "Tool(position: (0, 0, 11), secs: 1)",
            "position",
            "expected a coordinate from -10 to 10",
        ),
        (
            "Joints(degrees: {}, secs: 1)",
            "degrees",
            "expected at least one joint",
        ),
        (
            "Joints(degrees: {\"a\": \"b\"}, secs: 1)",
            "degrees.a",
            "float",
        ),
        (
            "Jump(secs: 1)",
            "steps[1]",
            "expected one of `Joints`, `Home`",
        ),
        ("Wait(second: 1)", "steps[1].Wait", "second"),
        ("At(secs: 1)", "steps[1].At", "object"),
    ] {
        let error = error_of(&two_steps(step));
        assert!(error.starts_with("m.ron:5:"), "{step}: {error}");
        assert!(
            error.to_lowercase().contains(&expected.to_lowercase()),
            "{step}: {error}"
        );
        assert!(error.contains(field), "{step}: {error}");
    }
    assert!(error_of("Motion(name: \"m\", steps: [])").contains("0 steps; expected 1 to 1000"));
    assert!(error_of("Motion(name: \"m\", steps: [Wait(secs: 1)").starts_with("m.ron:1:"));
}

#[test]
fn misfits_name_the_step_and_what_there_is() {
    let error = misfit_of("At(object: \"brick\", secs: 1)");
    assert_eq!(
        error,
        "step 2 of the motion `m`: there is no object `brick`; there is `cube`"
    );
    let error = misfit_of("Joints(degrees: {\"knee\": 1}, secs: 1)");
    assert!(
        error.contains("`so101` has no joint `knee`; it has `shoulder_pan`"),
        "{error}"
    );
    let error = misfit_of("Joints(degrees: {\"shoulder_pan\": 111}, secs: 1)");
    assert!(
        error.contains("can't go to 111") && error.contains("from -110.0 to 110.0"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn garbage_never_panics(text in "\\PC{0,200}") {
        drop(Motion::from_ron("garbage", &text));
    }

    #[test]
    fn damaged_files_never_panic(
        which in 0..2_usize, cut in 0.0_f64..1.0, at in 0.0_f64..1.0, insert in "[\\PC]{0,6}",
    ) {
        let text = BUILT_IN[which];
        let place = |part: f64| {
            let mut place = (part * text.len() as f64) as usize;
            while !text.is_char_boundary(place) {
                place -= 1;
            }
            place
        };
        drop(Motion::from_ron("cut", &text[..place(cut)]));
        let damaged = format!("{}{insert}{}", &text[..place(at)], &text[place(at)..]);
        if let Ok(motion) = Motion::from_ron("damaged", &damaged) {
            prop_assert!(motion.steps.iter().all(|step| (0.0..=600.0).contains(&step.secs())));
        }
    }
}
