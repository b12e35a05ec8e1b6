//! Units: one pair of conversions, there and back.

use forearm_arm::JointKind;
use forearm_arm::so101::so101;
use forearm_arm::units::{JointUnit, radians_from_ticks, ticks_from_radians};
use proptest::prelude::*;

const GRIPPER: usize = 5;

#[test]
fn known_values() {
    let model = so101();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    let quarter = std::f64::consts::FRAC_PI_2;
    close(JointUnit::Degrees.to_unit(&model, 0, quarter), 90.0);
    close(JointUnit::Radians.to_unit(&model, 0, quarter), quarter);
    close(JointUnit::Lerobot.to_unit(&model, 0, -quarter), -90.0);
    close(JointUnit::Lerobot.to_unit(&model, GRIPPER, -0.174533), 0.0);
    close(
        JointUnit::Lerobot.to_unit(&model, GRIPPER, -0.174533 + 1.919863),
        100.0,
    );
    close(
        JointUnit::Lerobot.from_unit(&model, GRIPPER, 50.0),
        -0.174533 + 0.9599315,
    );
    assert_eq!(JointUnit::Lerobot.suffix(&model, GRIPPER), "");
    assert_eq!(JointUnit::Lerobot.suffix(&model, 0), "°");
    assert_eq!(JointUnit::Radians.suffix(&model, GRIPPER), " rad");
    let mut model = model;
    model.joints[0].kind = JointKind::Prismatic;
    close(JointUnit::Degrees.to_unit(&model, 0, 0.12), 120.0);
    close(JointUnit::Radians.to_unit(&model, 0, 0.12), 0.12);
    assert_eq!(JointUnit::Degrees.suffix(&model, 0), " mm");
    assert_eq!(JointUnit::Radians.suffix(&model, 0), " m");
    close(radians_from_ticks(3072.0, 2048.0), quarter);
    close(ticks_from_radians(-quarter, 2048.0), 1024.0);
}

proptest! {
    #[test]
    fn there_and_back(joint in 0_usize..8, value in -10.0..10.0, unit in 0_usize..3) {
        let model = so101();
        let unit = JointUnit::ALL[unit];
        let back = unit.from_unit(&model, joint, unit.to_unit(&model, joint, value));
        prop_assert!((back - value).abs() < 1e-12);
        let ticks = ticks_from_radians(radians_from_ticks(value * 400.0, 2047.0), 2047.0);
        prop_assert!((ticks - value * 400.0).abs() < 1e-9);
    }
}
