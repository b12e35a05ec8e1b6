//! Calibration files are LeRobot's, byte for byte; ticks mean what LeRobot makes of them.

use forearm_arm::ArmModel;
use forearm_arm::calibration::{Calibration, JointTicks, MotorCalibration};
use forearm_arm::so101::so101;
use proptest::prelude::*;

/// What LeRobot 0.4.4 writes: `draccus.dump(calibration, file, indent=4)` with the JSON format.
const FILE: &str = r#"{
    "shoulder_pan": {
        "id": 1,
        "drive_mode": 0,
        "homing_offset": 14,
        "range_min": 1015,
        "range_max": 3128
    },
    "gripper": {
        "id": 6,
        "drive_mode": 0,
        "homing_offset": -879,
        "range_min": 2018,
        "range_max": 3476
    }
}"#;

fn motor(range_min: i32, range_max: i32, drive_mode: u8) -> MotorCalibration {
    MotorCalibration {
        id: 1,
        drive_mode,
        homing_offset: 0,
        range_min,
        range_max,
    }
}

fn body_and_gripper(model: &ArmModel) -> (usize, usize) {
    let gripper = model.gripper.unwrap();
    (model.joint_index("elbow_flex").unwrap(), gripper)
}

#[test]
fn a_file_is_read_and_written_byte_for_byte() {
    let read = Calibration::from_json("arm.json", FILE).unwrap();
    assert_eq!(read.motors[0].0, "shoulder_pan");
    assert_eq!(read.motor("gripper").unwrap().homing_offset, -879);
    assert_eq!(read.to_json(), FILE);
}

#[test]
fn files_that_are_none_are_refused_with_what_is_wrong() {
    let pan = r#""shoulder_pan": {"id": 1, "drive_mode": 0, "homing_offset": 0, "range_min": 0, "range_max": 4095}"#;
    for (text, said) in [
        ("", "EOF"),
        ("[]", "object"),
        ("{}", "no motor"),
        (r#"{"pan": {"id": 1}}"#, "missing field"),
        (&format!("{{{pan}, {pan}}}"), "twice"),
        (
            &format!("{{{pan}, {}}}", pan.replace("shoulder_pan", "other")),
            "also `shoulder_pan`'s",
        ),
        (
            &format!("{{{}}}", pan.replace("\"id\": 1", "\"id\": 300")),
            "300",
        ),
        (
            &format!("{{{}}}", pan.replace("\"id\": 1", "\"id\": 254")),
            "at most 252",
        ),
        (&format!("{{{}}}", pan.replace("4095", "4096")), "0 to 4095"),
        (&format!("{{{}}}", pan.replace("4095", "0")), "no range"),
        (
            &format!(
                "{{{}}}",
                pan.replace("\"homing_offset\": 0", "\"homing_offset\": -2048")
            ),
            "2047 either way",
        ),
    ] {
        let error = Calibration::from_json("arm.json", text)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("arm.json") && error.contains(said),
            "{text}: {error}"
        );
    }
    let error = Calibration::from_json("arm.json", FILE)
        .unwrap()
        .joints(&so101());
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("shoulder_lift") && error.contains("shoulder_pan, gripper"),
        "{error}"
    );
}

#[test]
fn ticks_are_lerobots_values() {
    let model = so101();
    let (elbow, gripper) = body_and_gripper(&model);
    // `(1700 − (1015 + 3128) / 2) · 360 / 4095`, and back with the fraction cut off.
    let body = JointTicks::new(&motor(1015, 3128, 0), &model, elbow);
    assert_eq!(body.lerobot(1700), -371.5 * 360.0 / 4095.0);
    assert_eq!(
        body.ticks_from_lerobot(10.0),
        2185,
        "2185.25 without its fraction"
    );
    assert_eq!(body.ticks_from_lerobot(f64::NAN), 0);
    assert!((body.position(1700) - (-371.5 * 360.0 / 4095.0_f64).to_radians()).abs() < 1e-12);
    let hand = JointTicks::new(&motor(2000, 3000, 0), &model, gripper);
    assert_eq!(hand.lerobot(2250), 25.0);
    assert_eq!(hand.lerobot(1900), 0.0, "clamped");
    assert_eq!(hand.ticks_from_lerobot(25.0), 2250);
    assert_eq!(hand.ticks_from_lerobot(250.0), 3000);
    let limits = model.joints[gripper].limits;
    assert!((hand.position(3000) - limits.upper).abs() < 1e-12);
    let reversed = JointTicks::new(&motor(2000, 3000, 1), &model, gripper);
    assert_eq!(reversed.lerobot(2250), 75.0);
    assert_eq!(reversed.ticks_from_lerobot(75.0), 2250);
}

#[test]
fn differences_are_told_by_motor_and_field() {
    let file = Calibration::from_json("arm.json", FILE).unwrap();
    assert!(file.differences(&file).is_empty());
    let mut stored = file.clone();
    stored.motors[1].1.homing_offset = 20;
    stored.motors.remove(0);
    assert_eq!(
        file.differences(&stored),
        [
            "shoulder_pan: no such motor on the bus",
            "gripper: homing offset -879 in the file, 20 in the motor"
        ]
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        offsets in prop::collection::vec((-2047..=2047, 0..4000, 1..95), 1..8)
    ) {
        let motors = offsets.into_iter().enumerate().map(|(index, (homing_offset, min, width))| {
            let calibration = MotorCalibration {
                id: index as u8 + 1,
                homing_offset,
                ..motor(min, min + width, 0)
            };
            (format!("motor \"{index}\""), calibration)
        });
        let calibration = Calibration { motors: motors.collect() };
        let read = Calibration::from_json("x", &calibration.to_json());
        prop_assert_eq!(read, Ok(calibration));
    }

    #[test]
    fn a_position_comes_back_within_a_tick(min in 0..4000_i32, width in 10..4095_i32, share in 0.0..1.0_f64) {
        let max = (min + width).min(4095);
        let model = so101();
        let ticks = min + (f64::from(max - min) * share) as i32;
        for (joint, _) in model.joints.iter().enumerate() {
            let it = JointTicks::new(&motor(min, max, 0), &model, joint);
            let back = it.ticks(it.position(ticks));
            prop_assert!((back - ticks).abs() <= 1, "{ticks} became {back}");
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        drop(Calibration::from_json("x", &text));
    }
}
