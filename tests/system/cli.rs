//! Bad input of every kind, in every flag and file: one clear error, exit code 2, no panic, no
//! window.

use std::path::PathBuf;

use crate::app::{App, root, scratch};

/// A file for one test.
fn file(name: &str, content: impl AsRef<[u8]>) -> String {
    let path = scratch("cli").join(name);
    std::fs::write(&path, content).expect("the build folder can be written");
    path.to_str().expect("a readable path").to_owned()
}

fn scene_text() -> String {
    let path = root().join("scenes/pick_and_place.ron");
    std::fs::read_to_string(path).expect("the scene is there")
}

fn urdf_text() -> String {
    let path = root().join("tests/fixtures/so101.urdf");
    std::fs::read_to_string(path).expect("the fixture is there")
}

/// `forearm` with these arguments must refuse, and its error must speak of `about`.
fn refused(arguments: &[&str], about: &[&str]) {
    let finished = App::new(arguments).run();
    assert_eq!(finished.code, Some(2), "{finished}");
    assert_eq!(finished.stdout, "", "{finished}");
    assert!(!finished.stderr.contains("panicked"), "{finished}");
    // The error itself comes from clap (`error: …`) or from us; nothing but it is said.
    let errors = finished
        .stderr
        .lines()
        .filter(|line| {
            line.starts_with("error:") || line.starts_with("forearm:") || line.contains("ERROR")
        })
        .count();
    assert_eq!(errors, 1, "one error, not {errors}: {finished}");
    assert!(finished.stderr.lines().count() < 10, "too long: {finished}");
    for word in about {
        assert!(finished.stderr.contains(word), "no `{word}`: {finished}");
    }
}

#[test]
fn wrong_flags_are_refused() {
    refused(&["--rate", "0"], &["--rate", "0"]);
    refused(&["--rate", "-5"], &["-5"]);
    refused(&["--rate", "NaN"], &["--rate", "NaN"]);
    refused(&["--rate", "1e9"], &["--rate"]);
    refused(&["--rate", "fast"], &["--rate", "fast"]);
    refused(&["--arm", "toaster"], &["toaster", "sim"]);
    refused(&["--size", "0x0"], &["--size", "0x0"]);
    refused(&["--size", "wide"], &["--size", "wide"]);
    refused(&["--duration", "NaN"], &["--duration"]);
    refused(&["--frames", "-1"], &["-1"]);
    refused(&["--log", "warn,=="], &["--log"]);
    refused(&["--speed", "7"], &["--speed"]);
    refused(
        &["--screenshot", "nowhere/at/all.png"],
        &["--screenshot", "nowhere/at"],
    );
    refused(
        &["--duration", "1", "--report", "scenes"],
        &["--report", "scenes"],
    );
    refused(&["dance"], &["dance"]);
}

#[test]
fn unknown_scenes_and_models_are_refused() {
    refused(&["--scene", "nowhere"], &["nowhere", "pick_and_place"]);
    refused(&["--scene", "nowhere.ron"], &["nowhere.ron"]);
    refused(&["--scene", "scenes"], &["scenes"]);
    refused(&["--model", "nothing.urdf"], &["nothing.urdf"]);
    refused(&["--model", "scenes"], &["scenes"]);
    refused(&["scene", "check", "nowhere.ron"], &["nowhere.ron"]);
    refused(&["arm", "info", "--model", "nothing.xml"], &["nothing.xml"]);
}

#[test]
fn a_scene_file_cut_short_anywhere_is_refused_with_the_line() {
    let text = scene_text();
    let end = text.trim_end().len();
    for part in 0..12 {
        let cut = (0..=end * part / 12)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let path = file("cut.ron", &text[..cut]);
        refused(&["scene", "check", &path], &["cut.ron:"]);
    }
}

#[test]
fn wrong_scene_files_are_refused_with_line_field_and_expectation() {
    let good = r#"Scene(
    name: "test",
    arms: [(name: "left")],
    objects: [(name: "cube", shape: Cube(size: 0.03), position: (0.2, 0, 0.015))],
)"#;
    let wrong = |name: &str, from: &str, to: &str, about: &[&str]| {
        assert!(good.contains(from), "`{from}`");
        let path = file(name, good.replace(from, to));
        refused(&["scene", "check", &path], about);
        refused(&["--scene", &path], about);
    };
    wrong(
        "type.ron",
        "size: 0.03",
        "size: \"big\"",
        &["type.ron:4:", "objects[0].shape"],
    );
    wrong(
        "typo.ron",
        "position",
        "positoin",
        &["typo.ron:4:", "positoin", "position"],
    );
    wrong(
        "nan.ron",
        "size: 0.03",
        "size: NaN",
        &["nan.ron:4:", "objects[0].shape"],
    );
    wrong(
        "negative.ron",
        "size: 0.03",
        "size: -1",
        &["negative.ron:4:", "objects[0].shape"],
    );
    wrong("no-arm.ron", "(name: \"left\")", "", &["arms"]);
    wrong(
        "no-model.ron",
        "(name: \"left\")",
        "(name: \"left\", model: File(\"gone.urdf\"))",
        &["gone.urdf"],
    );
    wrong(
        "joint.ron",
        "(name: \"left\")",
        "(name: \"left\", home_degrees: {\"tail\": 3})",
        &["tail", "elbow_flex"],
    );
    for (name, content) in [
        ("empty.ron", &b""[..]),
        ("binary.ron", b"\xff\xfe\x00\x01"),
        ("deep.ron", "[".repeat(100_000).as_bytes()),
        ("other.ron", b"{\"name\": [1, 2, 3]}"),
    ] {
        let path = file(name, content);
        refused(&["scene", "check", &path], &[name]);
    }
}

#[test]
fn wrong_models_are_refused() {
    let joint = |name: &str, parent: &str, child: &str, limit: &str| {
        format!(
            "<joint name='{name}' type='revolute'><parent link='{parent}'/><child link='{child}'/>\
             <axis xyz='0 0 1'/><limit {limit}/></joint>"
        )
    };
    let good_limit = "lower='-1' upper='1' velocity='1' effort='1'";
    let robot = |inside: String| {
        format!("<robot name='r'><link name='a'/><link name='b'/><link name='c'/>{inside}</robot>")
    };
    let ab = joint("ab", "a", "b", good_limit);
    let bc = joint("bc", "b", "c", good_limit);
    let nan = good_limit.replace("'1' v", "'NaN' v");
    let mesh = "<link name='m'><visual><geometry><mesh filename='package://x/gone.stl'/>\
                </geometry></visual></link>";
    let half = urdf_text();
    let cases: [(&str, String, &[&str]); 12] = [
        ("empty.urdf", String::new(), &[]),
        ("text.urdf", "an arm, please".to_owned(), &[]),
        ("cut.urdf", half[..half.len() / 2].to_owned(), &[]),
        ("html.urdf", "<html><body/></html>".to_owned(), &["html"]),
        (
            "loop.urdf",
            robot(format!("{ab}{bc}{}", joint("ca", "c", "a", good_limit))),
            &[],
        ),
        (
            "self.urdf",
            robot(format!("{ab}{}", joint("cc", "c", "c", good_limit))),
            &["c"],
        ),
        (
            "nan.urdf",
            robot(format!("{ab}{}", joint("bc", "b", "c", &nan))),
            &["NaN", "upper"],
        ),
        (
            "dangling.urdf",
            robot(format!("{ab}{}", joint("bc", "b", "zz", good_limit))),
            &["zz"],
        ),
        (
            "twins.urdf",
            robot(format!("{ab}{}", joint("ab", "b", "c", good_limit))),
            &["ab"],
        ),
        (
            "mesh.urdf",
            format!("<robot name='r'>{mesh}</robot>"),
            &["gone.stl"],
        ),
        ("empty.xml", "<mujoco/>".to_owned(), &[]),
        (
            "nan.xml",
            "<mujoco><worldbody><body name='a'><joint name='j' axis='0 0 nan'/>\
             <geom type='sphere' size='0.1'/></body></worldbody></mujoco>"
                .to_owned(),
            &["j"],
        ),
    ];
    for (name, content, about) in cases {
        let path = file(name, content);
        let about: Vec<_> = about.iter().copied().chain([name]).collect();
        refused(&["arm", "info", "--model", &path], &about);
        refused(&["--model", &path], &about);
    }
    let path = file("binary.urdf", [0xff, 0xfe, 0, 1, 2]);
    refused(&["arm", "fk", "--model", &path], &["binary.urdf"]);
    let broken_mesh = file("broken.stl", b"solid nothing\nfacet normal");
    let name = PathBuf::from(broken_mesh);
    let name = name.file_name().expect("a name").to_string_lossy();
    let path = file(
        "broken-mesh.urdf",
        format!(
            "<robot name='r'>{}</robot>",
            mesh.replace("package://x/gone.stl", &name)
        ),
    );
    refused(&["arm", "info", "--model", &path], &["broken.stl"]);
}

#[test]
fn wrong_joints_and_poses_are_refused() {
    let fk = |joints: &str, about: &[&str]| refused(&["arm", "fk", "--joints", joints], about);
    fk("{", &["--joints"]);
    fk("", &["--joints"]);
    fk("[1, 2]", &["--joints"]);
    fk(r#"{"tail": 1}"#, &["tail", "elbow_flex"]);
    fk(r#"{"elbow_flex": "up"}"#, &["--joints"]);
    fk(r#"{"elbow_flex": 1e999}"#, &["--joints"]);
    fk(r#"{"elbow_flex": NaN}"#, &["--joints"]);
    let ik = |tool: &str, about: &[&str]| refused(&["arm", "ik", "--tool", tool], about);
    ik("{", &["--tool"]);
    ik(r#"{"position_m": [0.2, 0]}"#, &["--tool"]);
    ik(
        r#"{"position_m": [0.2, 0, 1e300]}"#,
        &["--tool", "position_m"],
    );
    let flat = r#"{"position_m": [0.2, 0, 0.1], "rotation": [[0,0,0],[0,0,0],[0,0,0]]}"#;
    ik(flat, &["--tool", "rotation"]);
    refused(&["arm", "ik"], &["--tool"]);
}

#[test]
fn wrong_motions_and_expectations_are_refused() {
    let unfit = file(
        "unfit.ron",
        r#"Motion(name: "unfit", steps: [Joints(degrees: {"elbow": 5}, secs: 1)])"#,
    );
    refused(
        &["teleoperate", "--headless", "--script", &unfit],
        &["unfit.ron", "elbow", "elbow_flex"],
    );
    refused(
        &[
            "teleoperate",
            "--headless",
            "--script",
            "pick_and_place",
            "--scene",
            "sorting",
        ],
        &["pick_and_place", "cube", "red cube"],
    );
    let drive = |script: &str, more: &[&str], about: &[&str]| {
        let arguments = ["teleoperate", "--headless", "--script", script];
        let all: Vec<_> = arguments.into_iter().chain(more.iter().copied()).collect();
        refused(&all, about);
    };
    let second = ["--duration", "1"];
    drive("gone.ron", &second, &["gone.ron"]);
    for (name, content) in [
        ("empty-motion.ron", &b""[..]),
        ("garbage-motion.ron", b"Motion(steps: [Fly])"),
        ("binary-motion.ron", b"\xff\xfe\x00\x01"),
    ] {
        drive(&file(name, content), &second, &[name]);
    }
    let motion = "scenes/motions/pick_and_place.ron";
    let text = std::fs::read_to_string(root().join(motion)).expect("the motion is there");
    drive(
        &file("cut-motion.ron", &text[..text.len() / 2]),
        &second,
        &["cut-motion.ron"],
    );
    drive(motion, &["--duration", "0"], &["--duration"]);
    drive(motion, &["--duration", "-1"], &["-1"]);
    drive(motion, &["--duration", "NaN"], &["--duration"]);
    drive(motion, &["--duration", "1", "--rate", "0"], &["--rate"]);
    drive(
        motion,
        &["--duration", "1", "--scene", "nowhere"],
        &["nowhere"],
    );
    drive(
        motion,
        &["--duration", "1", "--expect", "world-peace"],
        &["world-peace"],
    );
    drive(
        motion,
        &["--duration", "1", "--jitter-objects", "-1"],
        &["-1"],
    );
    drive(
        motion,
        &["--duration", "1", "--jitter-objects", "NaN"],
        &["--jitter-objects"],
    );
    drive(
        motion,
        &["--duration", "1", "--seed", "luck"],
        &["--seed", "luck"],
    );
}

#[test]
fn wrong_snapshots_and_benches_are_refused() {
    let out = scratch("cli").join("never.png");
    let out = out.to_str().expect("a readable path");
    let snapshot = |arguments: &[&str], about: &[&str]| {
        let all: Vec<_> = ["snapshot", "--out", out]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        refused(&all, about);
    };
    snapshot(&["--scene", "nowhere"], &["nowhere"]);
    snapshot(&["--camera", "hindsight"], &["hindsight", "front"]);
    snapshot(&["--size", "1x1"], &["--size"]);
    snapshot(&["--size", "99999x99999"], &["--size"]);
    assert!(!PathBuf::from(out).exists());
    refused(&["snapshot", "--out", "nowhere/at/all.png"], &["nowhere"]);
    refused(&["bench", "sim", "--steps", "0"], &["--steps"]);
    refused(&["bench", "sim", "--steps", "many"], &["--steps"]);
}

#[test]
fn good_input_is_not_refused() {
    let list = App::new(["scene", "list"]).run();
    assert!(
        list.assert_success().stdout.contains("pick_and_place"),
        "{list}"
    );
    for scene in std::fs::read_dir(root().join("scenes")).expect("the folder is there") {
        let path = scene.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "ron") {
            let path = path.to_str().expect("a readable path");
            App::new(["scene", "check", path]).run().assert_success();
        }
    }
    for model in ["tests/fixtures/so101.urdf", "tests/fixtures/so101.xml"] {
        App::new(["arm", "info", "--model", model])
            .run()
            .assert_success();
    }
    App::new(["--help"]).run().assert_success();
}

#[test]
fn the_examples_in_the_scene_documentation_are_good() {
    let path = root().join("scenes/README.md");
    let text = std::fs::read_to_string(path).expect("the documentation is there");
    let examples: Vec<_> = text.split("```ron\n").skip(1).collect();
    assert!(examples.len() >= 2, "{} examples", examples.len());
    for (index, example) in examples.into_iter().enumerate() {
        let example = example.split("```").next().unwrap_or_default();
        let path = file(&format!("example-{index}.ron"), example);
        App::new(["scene", "check", &path]).run().assert_success();
    }
}
