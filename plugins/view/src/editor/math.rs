//! Rays, lines, boxes and circles, as handles and clicks need them.

use bevy::prelude::*;

/// How far along the ray a box around the origin is hit.
pub(super) fn ray_box(origin: Vec3, direction: Vec3, center: Vec3, half: Vec3) -> Option<f32> {
    let (mut near, mut far) = (0.0_f32, f32::INFINITY);
    for axis in 0..3 {
        let (from, along) = (origin[axis] - center[axis], direction[axis]);
        if along.abs() < 1e-9 {
            if from.abs() > half[axis] {
                return None;
            }
            continue;
        }
        let (one, other) = ((-half[axis] - from) / along, (half[axis] - from) / along);
        near = near.max(one.min(other));
        far = far.min(one.max(other));
    }
    (near <= far).then_some(near)
}

/// How far along the ray a triangle is hit, from either side.
pub(super) fn ray_triangle(origin: Vec3, direction: Vec3, [a, b, c]: [Vec3; 3]) -> Option<f32> {
    let (ab, ac) = (b - a, c - a);
    let p = direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant.abs() < 1e-14 {
        return None;
    }
    let t = origin - a;
    let u = t.dot(p) / determinant;
    let q = t.cross(ab);
    let v = direction.dot(q) / determinant;
    let distance = ac.dot(q) / determinant;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && distance > 0.0).then_some(distance)
}

/// How far along the ray a ball is hit.
pub(super) fn ray_ball(origin: Vec3, direction: Vec3, center: Vec3, radius: f32) -> Option<f32> {
    let along = (center - origin).dot(direction);
    let apart = (origin + direction * along).distance(center);
    (along > 0.0 && apart < radius).then_some(along)
}

/// How far a point of the screen is from a line between two others.
pub(super) fn from_segment(point: Vec2, from: Vec2, to: Vec2) -> f32 {
    let way = to - from;
    let share = ((point - from).dot(way) / way.length_squared().max(1e-6)).clamp(0.0, 1.0);
    (from + way * share).distance(point)
}

/// The angle from one direction to another about an axis, radians.
pub(super) fn angle_about(axis: Vec3, from: Vec3, to: Vec3) -> f32 {
    axis.dot(from.cross(to)).atan2(from.dot(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rays_hit_what_is_in_their_way() {
        let (origin, down) = (Vec3::new(0.1, 0.2, 2.0), Vec3::NEG_Z);
        let half = Vec3::splat(0.5);
        assert_eq!(ray_box(origin, down, Vec3::ZERO, half), Some(1.5));
        assert_eq!(ray_box(origin, down, Vec3::X, half), None);
        assert_eq!(ray_ball(origin, down, Vec3::ZERO, 0.3), Some(2.0));
        assert_eq!(ray_ball(origin, -down, Vec3::ZERO, 0.3), None);
        let triangle = [Vec3::ZERO, Vec3::X, Vec3::Y];
        assert_eq!(ray_triangle(origin, down, triangle), Some(2.0));
        assert_eq!(ray_triangle(origin + Vec3::X, down, triangle), None);
    }

    #[test]
    fn angles_have_the_axis_direction() {
        let quarter = angle_about(Vec3::Z, Vec3::X, Vec3::Y);
        assert!((quarter - core::f32::consts::FRAC_PI_2).abs() < 1e-6);
        assert!((angle_about(-Vec3::Z, Vec3::X, Vec3::Y) + quarter).abs() < 1e-6);
    }
}
