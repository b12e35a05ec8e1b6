//! Against numbers that LeRobot computed, and against the definition.

use super::*;

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{found:?} {expected:?}");
    }
}

/// The second episode of `tests/golden`: row r is r, r + 1, …; LeRobot 0.4.4 computed in float32.
#[test]
fn numbers_are_lerobots() {
    let rows: Vec<f32> = (0..31_u8)
        .flat_map(|r| [f32::from(r), f32::from(r) + 1.0])
        .collect();
    let stats = of_rows(&rows, 2);
    assert_eq!(stats.count, 31);
    assert_eq!(stats.min, [0.0, 1.0]);
    assert_eq!(stats.max, [30.0, 31.0]);
    near(&stats.mean, &[15.0, 16.0], 1e-12);
    near(&stats.std, &[8.944_272_041_320_8; 2], 1e-6);
    near(&stats.q01, &[-1e-10, 1.0], 1e-9);
    near(
        &stats.q10,
        &[3.000_600_004_196_167, 4.000_600_004_196_167],
        1e-6,
    );
    near(
        &stats.q50,
        &[15.003_000_259_399_414, 16.003_000_259_399_414],
        1e-6,
    );
    near(
        &stats.q90,
        &[27.005_400_466_918_946, 28.005_400_466_918_946],
        7e-3,
    );
    near(
        &stats.q99,
        &[29.998_139_839_172_364, 30.998_139_839_172_364],
        1e-5,
    );
}

/// The column `index` of that episode, which LeRobot computed in float64.
#[test]
fn doubles_are_lerobots_to_the_last_digits() {
    let rows: Vec<f64> = (20..51).map(f64::from).collect();
    let stats = of_rows_f64(&rows, 1);
    near(&stats.std, &[8.944_271_909_999_16], 1e-12);
    near(&stats.q01, &[19.999_999_999_9], 1e-12);
    near(&stats.q10, &[23.000_599_999_920_006], 1e-9);
    near(&stats.q50, &[35.003_000_000_000_02], 1e-9);
    near(&stats.q90, &[46.999_400_000_08], 1e-9);
    near(&stats.q99, &[49.998_140_000_099_99], 1e-9);
    let one = of_rows_f64(&[3.0], 1);
    assert_eq!(
        (one.q01.clone(), one.std.clone(), one.count),
        (vec![3.0], vec![0.0], 1)
    );
}

#[test]
fn together_they_are_as_if_computed_at_once() {
    let wave = |from: u16, rows: u16| -> Vec<f32> {
        (from..from + rows)
            .map(|i| f32::from(i * 37 % 101) - f32::from(i))
            .collect()
    };
    let parts = [
        of_rows(&wave(0, 40), 1),
        of_rows(&wave(40, 3), 1),
        of_rows(&wave(43, 200), 1),
    ];
    let (together, at_once) = (aggregate(&parts), of_rows(&wave(0, 243), 1));
    assert_eq!(together.count, 243);
    assert_eq!((&together.min, &together.max), (&at_once.min, &at_once.max));
    near(&together.mean, &at_once.mean, 1e-9);
    near(&together.std, &at_once.std, 1e-9);
    let q90 = (parts[0].q90[0] * 40.0 + parts[1].q90[0] * 3.0 + parts[2].q90[0] * 200.0) / 243.0;
    near(&together.q90, &[q90], 1e-12);
    let mut without = parts[1].clone();
    without.q50.clear();
    assert!(aggregate(&[parts[0].clone(), without]).q50.is_empty());
    assert_eq!(aggregate(&[]), FeatureStats::default());
}

#[test]
fn pixels_are_counted_exactly() {
    let mut stats = PixelStats::new();
    let picture: Vec<u8> = (0..=255).flat_map(|i| [i, 255 - i, 51]).collect();
    assert!(stats.add([16, 16], &picture));
    assert!(!stats.add([16, 17], &picture));
    assert!(!stats.add([0, 16], &picture));
    assert!(!stats.add([u32::MAX, u32::MAX], &picture));
    stats.again();
    assert_eq!(stats.rows(), 2);
    let found = stats.finish();
    assert_eq!(found.count, 2);
    assert_eq!(
        (&found.min, &found.max),
        (&vec![0.0, 0.0, 0.2], &vec![1.0, 1.0, 0.2])
    );
    near(&found.mean, &[0.5, 0.5, 0.2], 1e-12);
    let deviation = ((256.0_f64 * 256.0 - 1.0) / 12.0).sqrt() / 255.0;
    near(&found.std, &[deviation, deviation, 0.0], 1e-12);
    near(&found.q50, &[0.5, 0.5, 0.2], 3e-3);
    near(&found.q99, &[0.99, 0.99, 0.2], 3e-3);
    // What was counted survives; anything else is refused.
    let bytes = stats.to_bytes();
    assert_eq!(
        PixelStats::from_bytes(&bytes).map(|s| s.finish()),
        Some(found)
    );
    assert_eq!(PixelStats::from_bytes(&bytes[1..]), None);
    let mut huge = bytes.clone();
    huge[16..24].fill(255);
    assert_eq!(PixelStats::from_bytes(&huge), None);
    huge = bytes;
    huge[16] ^= 1;
    assert_eq!(PixelStats::from_bytes(&huge), None);
}

/// Of a large picture every fourth pixel of every fourth row is looked at, as LeRobot does.
#[test]
fn large_pictures_are_thinned() {
    let (width, height) = (640_u32, 480_u32);
    let mut picture = vec![200; (width * height * 3) as usize];
    for row in (0..height).step_by(4) {
        for column in (0..width).step_by(4) {
            let at = ((row * width + column) * 3) as usize;
            picture[at..at + 3].fill(100);
        }
    }
    let mut stats = PixelStats::new();
    for _ in 0..1000 {
        assert!(stats.add([width, height], &picture));
    }
    let found = stats.finish();
    near(&found.max, &[100.0 / 255.0; 3], 1e-12);
    near(&found.std, &[0.0; 3], 1e-12);
    // 1000 to the power of 3/4.
    assert_eq!(found.count, 177);
}
