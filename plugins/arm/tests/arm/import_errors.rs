//! Files that are no arm: one message each, with line, element, what was found and expected.

use forearm_arm::import;

use crate::{fixture, read};

/// Replaces the first occurrence in a fixture and compares the error.
#[track_caller]
fn check(file: &str, from: &str, to: &str, expected: &str) {
    let text = fixture(file);
    assert!(text.contains(from), "the fixture has no {from}");
    let message = match read(&text.replacen(from, to, 1)) {
        Ok(_) => panic!("imported, expected: {expected}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(message, expected);
}

#[test]
fn wrong_files() {
    let message = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(
        message("(arms: [])"),
        "line 1, file: is no XML: unknown token at 1:1; expected a URDF or MJCF model"
    );
    assert_eq!(
        message("<html/>"),
        "line 1, <html>: is the root element; expected <robot> (URDF) or <mujoco> (MJCF)"
    );
    let wrong = import::urdf("\n<mujoco/>", &mut |_| Err(String::new())).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "line 2, <mujoco>: is the root element; expected <robot> (URDF)"
    );
    assert_eq!(
        message("<robot name=\"x\"/>"),
        "line 1, <robot name=\"x\">: the model has no links; expected at least two"
    );
    assert_eq!(
        message("<robot><link name=\"x\"/></robot>"),
        "line 1, <robot>: the model has no joint that turns or slides; expected at least one"
    );
    let large = " ".repeat(import::MAX_TEXT_BYTES + 1);
    assert_eq!(
        message(&large),
        "line 1, file: has 16777217 bytes; expected at most 16 MiB"
    );
}

#[test]
fn wrong_urdf_trees() {
    let file = "so101.urdf";
    check(
        file,
        "<parent link=\"base_link\"/>",
        "<parent link=\"wrist_link\"/>",
        "line 161, <joint name=\"shoulder_pan\">: is part of a loop that link `shoulder_link` is \
         in; expected a tree that hangs from `base_link`",
    );
    check(
        file,
        "<child link=\"gripper_frame_link\"/>",
        "<child link=\"base_link\"/>",
        "line 203, <joint name=\"gripper_frame_joint\">: is part of a loop that link `base_link` is \
         in; expected a tree that hangs from `gripper_frame_link`",
    );
    check(
        file,
        "<link name=\"gripper_frame_link\"/>",
        "<link name=\"gripper_frame_link\"/><link name=\"lonely\"/>",
        "line 160, <link name=\"lonely\">: hangs from nothing, as `base_link` does; expected one \
         base link",
    );
    check(
        file,
        "<child link=\"gripper_frame_link\"/>",
        "<child link=\"wrist_link\"/>",
        "line 203, <joint name=\"gripper_frame_joint\">: hangs link `wrist_link` from \
         `gripper_link`, but <joint name=\"wrist_flex\"> hangs it from `lower_arm_link` already; \
         expected a tree without loops, where a link has one parent",
    );
    check(
        file,
        "<child link=\"wrist_link\"/>",
        "<child link=\"hand\"/>",
        "line 184, <child link=\"hand\">: names link `hand`, which does not exist",
    );
    check(
        file,
        "<link name=\"gripper_frame_link\"/>",
        "",
        "line 205, <child link=\"gripper_frame_link\">: names link `gripper_frame_link`, which \
         does not exist",
    );
    check(
        file,
        "<joint name=\"elbow_flex\"",
        "<joint name=\"shoulder_pan\"",
        "line 175, <joint name=\"shoulder_pan\">: is a second joint `shoulder_pan`; expected \
         unique names",
    );
    let all_in_a_circle = "<robot><link name=\"a\"/><link name=\"b\"/>
        <joint name=\"x\" type=\"fixed\"><parent link=\"a\"/><child link=\"b\"/></joint>
        <joint name=\"y\" type=\"fixed\"><parent link=\"b\"/><child link=\"a\"/></joint></robot>";
    assert_eq!(
        read(all_in_a_circle).unwrap_err().to_string(),
        "line 2, <joint name=\"x\">: is part of a loop: every link hangs from another; expected \
         one base link"
    );
}

#[test]
fn wrong_urdf_values() {
    let file = "so101.urdf";
    check(
        file,
        "lower=\"-1.91986\" upper=\"1.91986\"",
        "lower=\"1.91986\" upper=\"-1.91986\"",
        "line 166, <limit>: of <joint name=\"shoulder_pan\">: lower is 1.91986 and upper is \
         -1.91986; expected lower below upper",
    );
    check(
        file,
        "lower=\"-1.91986\"",
        "lower=\"NaN\"",
        "line 166, <limit>: lower=\"NaN\" is not finite; expected ordinary numbers",
    );
    check(
        file,
        "velocity=\"10\"",
        "velocity=\"-10\"",
        "line 166, <limit>: velocity is -10; expected a number above 0",
    );
    check(
        file,
        "xyz=\"0 0 1\"",
        "xyz=\"0 0 0\"",
        "line 161, <joint name=\"shoulder_pan\">: has an axis of length 0; expected a direction",
    );
    check(
        file,
        "xyz=\"0 0 1\"",
        "xyz=\"0 1\"",
        "line 165, <axis>: xyz=\"0 1\" has 2; expected 3 numbers",
    );
    check(
        file,
        "mass value=\"0.147\"",
        "mass value=\"heavy\"",
        "line 10, <mass>: value=\"heavy\" has `heavy`; expected numbers",
    );
    check(
        file,
        "mass value=\"0.147\"",
        "mass value=\"-1\"",
        "line 10, <mass>: is -1; expected 0 or more",
    );
    check(
        file,
        "type=\"revolute\"",
        "type=\"planar\"",
        "line 161, <joint name=\"shoulder_pan\">: is of type `planar`; expected revolute, \
         continuous, prismatic or fixed",
    );
    check(
        file,
        "<box size=\"0.08 0.06 0.06\"/>",
        "<box size=\"0.08 -0.06 0.06\"/>",
        "line 16, <box>: size=\"0.08 -0.06 0.06\"; expected metres above 0",
    );
    check(
        file,
        "<box size=\"0.08 0.06 0.06\"/>",
        "<mesh filename=\"gone.stl\"/>",
        "line 16, <mesh filename=\"gone.stl\">: mesh `gone.stl` cannot be read: `gone.stl` is not \
         there; expected an STL or OBJ file",
    );
}

#[test]
fn wrong_mjcf() {
    let file = "so101.xml";
    check(
        file,
        "range=\"-1.69 1.69\"",
        "range=\"1.69 -1.69\"",
        "line 38, <joint name=\"elbow_flex\">: range is 1.69 to -1.69; expected lower below upper",
    );
    check(
        file,
        "damping=\"0.60\"",
        "damping=\"inf\"",
        "line 6, <joint>: damping=\"inf\" is not finite; expected ordinary numbers",
    );
    check(
        file,
        "childclass=\"so101\"",
        "childclass=\"so102\"",
        "line 20, <body name=\"base_link\">: childclass `so102` is not defined; expected a class \
         from <default>",
    );
    check(
        file,
        "type=\"box\" group=\"2\"",
        "type=\"mesh\" mesh=\"part\"",
        "line 22, <geom class=\"visual\">: mesh `part` is not defined; expected one in <asset>",
    );
    check(
        file,
        "joint=\"gripper\"",
        "joint=\"claw\"",
        "line 71, <position name=\"gripper\">: drives joint `claw`, which does not exist",
    );
    check(
        file,
        "  </worldbody>",
        "  <body name=\"cube\"/></worldbody>",
        "line 64, <body name=\"cube\">: stands in the world, as <body name=\"base_link\"> does; \
         expected one base",
    );
    check(
        file,
        "angle=\"radian\"",
        "angle=\"gon\"",
        "line 3, <compiler>: angle is `gon`; expected degree or radian",
    );
    assert_eq!(
        read("<mujoco>\n<include file=\"arm.xml\"/></mujoco>")
            .unwrap_err()
            .to_string(),
        "line 1, <mujoco>: the model has no <body> in its <worldbody>, and an <include> is not \
         followed; expected the file that has the arm"
    );
    let joints: String = (0..9)
        .map(|i| format!("<joint name=\"j{i}\" type=\"ball\"/>"))
        .collect();
    let ball = format!("<mujoco><worldbody><body>{joints}</body></worldbody></mujoco>");
    assert_eq!(
        read(&ball).unwrap_err().to_string(),
        "line 1, <joint name=\"j0\">: is of type `ball`; expected hinge or slide"
    );
}

#[test]
fn sizes_are_bounded() {
    let deep = |open: &str, close: &str, count: usize| {
        format!("{}{}", open.repeat(count), close.repeat(count))
    };
    for count in [300, 100_000] {
        let bodies = deep("<body>", "</body>", count);
        let text = format!("<mujoco><worldbody>{bodies}</worldbody></mujoco>");
        let message = read(&text).unwrap_err().to_string();
        assert!(
            message.contains("one body too many; expected at most 256"),
            "{message}"
        );
        let frames = deep("<frame>", "</frame>", count);
        let text = format!("<mujoco><worldbody>{frames}</worldbody></mujoco>");
        let message = read(&text).unwrap_err().to_string();
        assert!(
            message.contains("expected at most 32 nested frames"),
            "{message}"
        );
        let message = read(&deep("<x>", "</x>", count)).unwrap_err().to_string();
        assert!(message.contains("is the root element"), "{message}");
        let defaults = deep("<default class=\"a\">", "</default>", count);
        let message = read(&format!("<mujoco>{defaults}</mujoco>"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("second class `a`"), "{message}");
    }
    let links: String = (0..300).map(|i| format!("<link name=\"l{i}\"/>")).collect();
    let message = read(&format!("<robot>{links}</robot>"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("is link 257; expected at most 256"),
        "{message}"
    );
    // Many unknown things become a bounded list of notes.
    let junk: String = (0..5000).map(|i| format!("<junk{i}/>")).collect();
    let text = fixture("so101.urdf").replace("</robot>", &format!("{junk}</robot>"));
    let notes = read(&text).unwrap().notes;
    assert_eq!(notes.len(), 201);
    assert_eq!(notes[200].count, 4800);
    let many: String = (0..200_000).map(|i| format!(" a{i}=\"\"")).collect();
    assert_eq!(
        read(&format!("<robot>\n<link{many}/></robot>"))
            .unwrap_err()
            .to_string(),
        "line 2, file: has an element with about 200000 attributes; expected at most 1000"
    );
    let long = "x".repeat(100_000);
    let message = read(&format!("<robot><link {long}=\"1\"/></robot>"))
        .unwrap_err()
        .to_string();
    assert!(message.len() < 300, "{}", message.len());
}
