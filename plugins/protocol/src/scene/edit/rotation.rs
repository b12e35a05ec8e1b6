//! Rotations of things in a scene: matrices, from and to roll, pitch and yaw in degrees.

/// Rows of a rotation matrix.
pub(super) type Rows = [[f64; 3]; 3];

/// Roll, pitch, yaw in degrees about the fixed X, Y, Z axes in this order.
pub(super) fn from_degrees([roll, pitch, yaw]: [f64; 3]) -> Rows {
    let [x, y, z] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    times(&about(z, yaw), &times(&about(y, pitch), &about(x, roll)))
}

/// The inverse of [`from_degrees`]: each from −180 to 180.
pub(super) fn to_degrees(rows: &Rows) -> [f64; 3] {
    let sin_pitch = (-rows[2][0]).clamp(-1.0, 1.0);
    let pitch = sin_pitch.asin();
    let (roll, yaw) = if sin_pitch.abs() > 1.0 - 1e-9 {
        // Straight up or down, roll and yaw are one; it counts as yaw.
        (0.0, (-rows[0][1]).atan2(rows[1][1]))
    } else {
        (rows[2][1].atan2(rows[2][2]), rows[1][0].atan2(rows[0][0]))
    };
    [roll, pitch, yaw].map(f64::to_degrees)
}

/// A turn about an axis; none if the axis has no direction.
pub(super) fn about(axis: [f64; 3], degrees: f64) -> Rows {
    let length = axis.iter().map(|part| part * part).sum::<f64>().sqrt();
    if !(length > 1e-12) {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let [x, y, z] = axis.map(|part| part / length);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let rest = 1.0 - cos;
    [
        [
            cos + x * x * rest,
            x * y * rest - z * sin,
            x * z * rest + y * sin,
        ],
        [
            y * x * rest + z * sin,
            cos + y * y * rest,
            y * z * rest - x * sin,
        ],
        [
            z * x * rest - y * sin,
            z * y * rest + x * sin,
            cos + z * z * rest,
        ],
    ]
}

pub(super) fn times(left: &Rows, right: &Rows) -> Rows {
    let column = |index: usize| right.map(|row| row[index]);
    left.map(|row| [0, 1, 2].map(|index| dot(row, column(index))))
}

pub(super) fn turn(rows: &Rows, vector: [f64; 3]) -> [f64; 3] {
    rows.map(|row| dot(row, vector))
}

fn dot(left: [f64; 3], right: [f64; 3]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn roll_comes_first_about_fixed_axes() {
        // Roll takes Y to Z, and yaw leaves Z where it is.
        let turned = turn(&from_degrees([90.0, 0.0, 90.0]), [0.0, 1.0, 0.0]);
        assert!((turned[2] - 1.0).abs() < 1e-12, "{turned:?}");
    }

    proptest! {
        #[test]
        fn angles_come_back_as_the_same_rotation(
            angles in prop::array::uniform3(-360.0..360.0_f64),
            straight in prop::bool::ANY,
        ) {
            let angles = if straight { [angles[0], 90.0, angles[2]] } else { angles };
            let rows = from_degrees(angles);
            let again = from_degrees(to_degrees(&rows));
            for (one, other) in rows.iter().flatten().zip(again.iter().flatten()) {
                prop_assert!((one - other).abs() < 1e-7, "{rows:?} {again:?}");
            }
        }
    }
}
