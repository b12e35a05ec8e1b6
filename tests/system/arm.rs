//! Kinematics from the command line, against poses of the published SO-101
//! (`tests/fixtures/fk_golden.json`, computed from its URDF with another library).

use serde_json::{Value, json};

use crate::app::App;

/// Agreement asked for, metres and radians.
const TOLERANCE: f64 = 1e-5;

fn golden() -> Vec<Value> {
    let text = include_str!("../fixtures/fk_golden.json");
    let poses: Vec<Value> = serde_json::from_str(text).expect("the fixture is a list");
    assert!(poses.len() >= 10, "only {} poses", poses.len());
    poses
}

fn fk(model: &[&str], joints: &Value) -> Value {
    let joints = joints.to_string();
    let arguments = ["arm", "fk", "--json", "--joints", &joints].into_iter();
    App::new(arguments.chain(model.iter().copied()))
        .run()
        .assert_success()
        .json()
}

fn numbers<const N: usize>(value: &Value) -> [f64; N] {
    let list = value
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {value}"));
    std::array::from_fn(|index| list[index].as_f64().expect("a number"))
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3)
        .map(|axis| (a[axis] - b[axis]).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// The angle between two orientations, given as rows of their matrices. From the matrices'
/// difference, which keeps small angles exact.
fn angle(a: [[f64; 3]; 3], b: [[f64; 3]; 3]) -> f64 {
    let squared: f64 = (0..9)
        .map(|index| (a[index / 3][index % 3] - b[index / 3][index % 3]).powi(2))
        .sum();
    2.0 * (squared / 8.0).sqrt().min(1.0).asin()
}

fn agrees_with_golden(model: &[&str]) {
    for pose in golden() {
        let answer = fk(model, &pose["q"]);
        let expected: [[f64; 4]; 4] = {
            let rows = pose["gripper_frame_link"].as_array().expect("a matrix");
            std::array::from_fn(|row| numbers(&rows[row]))
        };
        let position = numbers(&answer["tool"]["position_m"]);
        let rotation: [[f64; 3]; 3] =
            std::array::from_fn(|row| numbers(&answer["tool"]["rotation"][row]));
        let off = distance(position, std::array::from_fn(|axis| expected[axis][3]));
        assert!(off < TOLERANCE, "tool is {off} m off at {}", pose["q"]);
        let turned = angle(
            rotation,
            std::array::from_fn(|row| std::array::from_fn(|col| expected[row][col])),
        );
        assert!(
            turned < TOLERANCE,
            "tool is turned by {turned} rad at {}",
            pose["q"]
        );

        let links = answer["links"].as_object().expect("links by name");
        let (_, jaw) = links
            .iter()
            .find(|(name, _)| name.starts_with("moving_jaw"))
            .expect("a link called moving_jaw…");
        let off = distance(
            numbers(&jaw["position_m"]),
            numbers(&pose["moving_jaw_xyz"]),
        );
        assert!(
            off < TOLERANCE,
            "moving jaw is {off} m off at {}",
            pose["q"]
        );
    }
}

#[test]
fn the_builtin_arm_agrees_with_the_published_one() {
    agrees_with_golden(&[]);
}

#[test]
fn an_imported_urdf_of_the_same_arm_agrees() {
    agrees_with_golden(&["--model", "tests/fixtures/so101.urdf"]);
}

#[test]
fn inverse_kinematics_finds_a_pose_that_forward_kinematics_made() {
    let joints = json!({
        "shoulder_pan": 0.3, "shoulder_lift": -0.4, "elbow_flex": 0.5, "wrist_flex": 0.6,
        "wrist_roll": -0.2, "gripper": 0.0,
    });
    let tool = fk(&[], &joints)["tool"].clone();
    let target = tool.to_string();
    let answer = App::new(["arm", "ik", "--json", "--tool", &target])
        .run()
        .assert_success()
        .json();
    assert_eq!(answer["converged"], true, "{answer}");
    let found = fk(&[], &answer["joints"])["tool"].clone();
    let off = distance(numbers(&found["position_m"]), numbers(&tool["position_m"]));
    assert!(off < 1e-3, "{off} m off: {answer}");
}

#[test]
fn the_arm_is_described() {
    let info = App::new(["arm", "info", "--json"])
        .run()
        .assert_success()
        .json();
    let names: Vec<_> = info["joints"]
        .as_array()
        .expect("a list of joints")
        .iter()
        .map(|joint| joint["name"].as_str().expect("a name").to_owned())
        .collect();
    let lerobot = [
        "shoulder_pan",
        "shoulder_lift",
        "elbow_flex",
        "wrist_flex",
        "wrist_roll",
        "gripper",
    ];
    assert_eq!(names, lerobot);
    let text = App::new(["arm", "info"]).run();
    for name in lerobot {
        assert!(text.assert_success().stdout.contains(name), "{text}");
    }
}
