//! The safety chain: whatever is asked, the limits hold.

use forearm_arm::safety::{Limit, SafetyChain, SafetyConfig};
use forearm_arm::so101::so101;
use proptest::prelude::*;

use crate::{assert_within_limits, within_limits};

const DT: f64 = 1.0 / 120.0;

/// Any number that a broken caller can come up with.
fn anything() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -4.0..4.0,
        1 => any::<f64>(),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
    ]
}

/// A chain that is past its soft start, holding `present`.
fn warm_chain(present: &[f64]) -> SafetyChain {
    let config = SafetyConfig {
        soft_start_secs: 0.0,
        ..SafetyConfig::default()
    };
    let mut chain = SafetyChain::new(&so101(), config);
    chain.reset(present);
    chain
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn limits_hold_whatever_is_asked(
        present in within_limits(&so101()),
        requests in prop::collection::vec(
            (prop::collection::vec(anything(), 0..8), anything()),
            1..40,
        ),
    ) {
        let model = so101();
        let config = SafetyConfig::default();
        let mut chain = SafetyChain::new(&model, config);
        chain.reset(&present);
        let mut last = present.clone();
        let mut out = present.clone();
        for (request, dt) in requests {
            chain.apply(&request, &present, dt, &mut out);
            assert_within_limits(&model, &out);
            let secs = if dt > 0.0 { dt.min(0.1) } else { 0.0 };
            for (joint, (new, old)) in model.joints.iter().zip(out.iter().zip(&last)) {
                let speed = config.max_velocity_radians.min(joint.limits.velocity);
                let reach = (speed * secs).min(config.max_step_radians);
                prop_assert!((new - old).abs() <= reach + 1e-12);
            }
            prop_assert_eq!(chain.command(), &out[..]);
            last.copy_from_slice(&out);
        }
    }

    #[test]
    fn a_command_from_outside_the_range_comes_back_without_a_jump(
        outside in prop::collection::vec(-6.0..6.0, 6),
        request in prop::collection::vec(anything(), 6),
    ) {
        let model = so101();
        let mut chain = warm_chain(&outside);
        let mut out = outside.clone();
        chain.apply(&request, &outside, DT, &mut out);
        for (new, old) in out.iter().zip(&outside) {
            prop_assert!((new - old).abs() <= 3.0 * DT + 1e-12);
        }
        // Asked for zero for long enough, it gets there.
        for _ in 0..400 {
            chain.apply(&[0.0; 6], &outside, DT, &mut out);
        }
        prop_assert_eq!(&out, &vec![0.0; 6]);
        assert_within_limits(&model, &out);
    }
}

#[test]
fn a_modest_request_passes_untouched() {
    let mut chain = warm_chain(&[0.0; 6]);
    let mut out = [9.0; 6];
    let request = [0.01, -0.01, 0.02, 0.0, 0.005, 0.02];
    assert_eq!(chain.apply(&request, &[0.0; 6], DT, &mut out), None);
    assert_eq!(out, request);
}

#[test]
fn an_intervention_names_joint_request_and_limit() {
    let home = so101().home;
    let upper = so101().joints[1].limits.upper;
    let mut near = home.clone();
    near[1] = upper - 0.001;
    let mut chain = warm_chain(&near);
    let mut out = near.clone();
    let mut request = near.clone();
    request[1] = 2.5;
    let intervention = chain.apply(&request, &near, DT, &mut out).unwrap();
    assert_eq!(
        (intervention.joint, &*intervention.name),
        (1, "shoulder_lift")
    );
    assert_eq!(intervention.limit, Limit::Position);
    assert_eq!((intervention.requested, intervention.allowed), (2.5, upper));
    assert_eq!(
        intervention.to_string(),
        "joint `shoulder_lift`: asked for 2.500 rad, the nearest allowed is 1.745 rad"
    );

    let mut chain = warm_chain(&[0.0; 6]);
    let intervention = chain
        .apply(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0], &[], DT, &mut out)
        .unwrap();
    assert_eq!(
        (intervention.joint, intervention.limit),
        (2, Limit::Velocity)
    );
    assert_eq!(
        intervention.to_string(),
        "joint `elbow_flex`: asked for 1.000 rad, slowed to 0.025 rad: at most 3.00 rad/s"
    );

    // A long tick: the speed would allow 0.3 rad, the step does not.
    let mut chain = warm_chain(&[0.0; 6]);
    let intervention = chain.apply(&[0.2; 6], &[], 1.0, &mut out).unwrap();
    assert_eq!(intervention.limit, Limit::Step);
    assert_eq!(out, [0.1; 6]);
}

#[test]
fn what_is_no_number_is_refused_and_outranks_the_rest() {
    let mut chain = warm_chain(&[0.1; 6]);
    let mut out = [0.0; 6];
    let request = [9.0, 9.0, 9.0, f64::NAN, 9.0, 0.1];
    let intervention = chain.apply(&request, &[0.1; 6], DT, &mut out).unwrap();
    assert_eq!(
        (intervention.joint, intervention.limit),
        (3, Limit::NotANumber)
    );
    assert_eq!(out[3], 0.1);
    assert_eq!(
        intervention.to_string(),
        "joint `wrist_flex`: asked for NaN rad, which is no position; holding 0.100 rad"
    );
    assert_eq!(
        chain
            .apply(&[0.1; 6], &[0.1; 6], f64::NAN, &mut out)
            .map(|i| i.joint),
        Some(0)
    );
    assert_eq!(chain.command()[3], 0.1);
}

#[test]
fn a_soft_start_rises_to_full_speed() {
    let mut chain = SafetyChain::new(&so101(), SafetyConfig::default());
    // Without a reset, the first measured position is where it starts.
    let present = [-1.0; 6];
    let request = [1.0; 6];
    let mut last = present;
    let mut out = present;
    let mut speeds = Vec::new();
    let limit = chain.apply(&request, &present, DT, &mut out).unwrap().limit;
    assert_eq!(limit, Limit::Velocity);
    for _ in 0..130 {
        speeds.push((out[0] - last[0]) / DT);
        last = out;
        chain.apply(&request, &present, DT, &mut out);
    }
    assert!(speeds[0] < 0.35, "{}", speeds[0]);
    assert!(speeds.windows(2).take(118).all(|pair| pair[1] > pair[0]));
    // 1.65 rad in the first second, then 3 rad/s.
    assert!((speeds[125] - 3.0).abs() < 1e-9, "{}", speeds[125]);
    // Reset: slow again, from where the arm is.
    chain.reset(&[0.5, f64::NAN]);
    assert_eq!(chain.command()[0], 0.5);
    let held = chain.command()[1];
    assert!(held.is_finite());
    chain.apply(&[0.5, -1.0], &[], DT, &mut out);
    assert!((held - out[1]) / DT < 0.35);

    // A request that only the soft start slows down says so.
    chain.reset(&[0.0; 6]);
    let intervention = chain.apply(&[0.02; 6], &[], DT, &mut out).unwrap();
    assert_eq!(intervention.limit, Limit::SoftStart);
}
