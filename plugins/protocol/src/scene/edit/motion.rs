//! What a hand does to a thing in the picture, as an [`Edit`]: move, turn, change its size.

use super::rotation::{Rows, about, from_degrees, times, to_degrees, turn};
use super::{Edit, Item};
use crate::scene::{CameraMount, LightSpec, ObjectShape, ObjectSpec, Scene};

/// While snapping, positions are multiples of this, metres.
pub const MOVE_SNAP_M: f64 = 0.005;
/// While snapping, turns are multiples of this, degrees.
pub const TURN_SNAP_DEGREES: f64 = 15.0;
/// While snapping, lengths of things are multiples of this, metres.
pub const SIZE_SNAP_M: f64 = 0.001;

/// Without snapping, lengths are whole hundredths of a millimetre, angles whole hundredths of a
/// degree: what a file says can be read by people.
const FINE_M: f64 = 1e-5;
const FINE_DEGREES: f64 = 0.01;
/// The smallest and greatest length of a thing, metres; as the scene's check has it.
const LENGTH_M: [f64; 2] = [1e-3, 2.0];
/// What is nearer to the table than this stands on it, metres.
const RESTING_M: f64 = 2e-4;

/// What a hand does, in the frame that the thing's place is given in: the world's, or that of the
/// link that a camera rides on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Motion {
    /// Moves it by so much, metres.
    Move([f64; 3]),
    /// Turns it about its middle.
    Turn {
        /// About this axis.
        axis: [f64; 3],
        /// By so much, degrees.
        degrees: f64,
    },
    /// Makes its lengths along its own axes so many times as large.
    Scale([f64; 3]),
}

/// The edit that moves `item` of `scene`; `None` if it can't be moved this way.
#[must_use]
pub fn moved(scene: &Scene, item: Item, motion: Motion, snap: bool) -> Option<Edit> {
    match item {
        Item::Object(index) => {
            let mut object = scene.objects.get(index)?.clone();
            match motion {
                Motion::Move(by) => object.position = shifted(object.position, by, snap),
                Motion::Turn { axis, degrees } => {
                    object.rotation_degrees = turned(object.rotation_degrees, axis, degrees, snap);
                }
                Motion::Scale(factors) => {
                    let shape = scaled(object.shape, factors, snap);
                    object = resized(&object, shape);
                }
            }
            Some(Edit::Object(index, object))
        }
        Item::Arm(index) => {
            let mut arm = scene.arms.get(index)?.clone();
            match motion {
                Motion::Move(by) => arm.position = shifted(arm.position, by, snap),
                Motion::Turn { axis, degrees } => {
                    let about_z = axis[2].signum() * stepped(degrees, snap);
                    let yaw = arm.yaw_degrees + about_z;
                    arm.yaw_degrees = rounded(yaw - 360.0 * (yaw / 360.0).round(), FINE_DEGREES);
                }
                Motion::Scale(_) => return None,
            }
            Some(Edit::Arm(index, arm))
        }
        Item::Camera(index) => {
            let mut camera = scene.cameras.get(index)?.clone();
            match (&mut camera.mount, motion) {
                (_, Motion::Scale(_)) => return None,
                (
                    CameraMount::World { position, .. } | CameraMount::Link { position, .. },
                    Motion::Move(by),
                ) => {
                    *position = shifted(*position, by, snap);
                }
                (CameraMount::World { position, look_at }, Motion::Turn { axis, degrees }) => {
                    let ahead = [0, 1, 2].map(|part| look_at[part] - position[part]);
                    let ahead = turn(&about(axis, stepped(degrees, snap)), ahead);
                    *look_at = [0, 1, 2].map(|part| rounded(position[part] + ahead[part], FINE_M));
                }
                (
                    CameraMount::Link {
                        rotation_degrees, ..
                    },
                    Motion::Turn { axis, degrees },
                ) => {
                    *rotation_degrees = turned(*rotation_degrees, axis, degrees, snap);
                }
            }
            Some(Edit::Camera(index, camera))
        }
        Item::LookAt(index) => {
            let mut camera = scene.cameras.get(index)?.clone();
            let (CameraMount::World { look_at, .. }, Motion::Move(by)) =
                (&mut camera.mount, motion)
            else {
                return None;
            };
            *look_at = shifted(*look_at, by, snap);
            Some(Edit::Camera(index, camera))
        }
        Item::Light(index) => match (scene.lights.get(index)?, motion) {
            (LightSpec::Point { position, lumens }, Motion::Move(by)) => {
                let position = shifted(*position, by, snap);
                Some(Edit::Light(
                    index,
                    LightSpec::Point {
                        position,
                        lumens: *lumens,
                    },
                ))
            }
            _ => None,
        },
        Item::Table => {
            let mut table = scene.table;
            match motion {
                Motion::Move(by) => {
                    let [x, y, _] = shifted([table.center[0], table.center[1], 0.0], by, snap);
                    table.center = [x, y];
                }
                Motion::Scale(factors) => {
                    for (side, factor) in table.size.iter_mut().zip(factors) {
                        if factor != 1.0 {
                            *side =
                                rounded(*side * factor, step(snap, 0.01, 1e-3)).clamp(0.05, 20.0);
                        }
                    }
                }
                Motion::Turn { .. } => return None,
            }
            Some(Edit::Table(table))
        }
        Item::Scene => None,
    }
}

/// The object with another shape; one that stood on the table still does.
#[must_use]
pub fn resized(object: &ObjectSpec, shape: ObjectShape) -> ObjectSpec {
    let mut new = ObjectSpec {
        shape,
        ..object.clone()
    };
    if lowest(object).abs() < RESTING_M {
        new = on_table(&new);
    }
    new
}

/// The object, moved up or down so that it stands on the table.
#[must_use]
pub fn on_table(object: &ObjectSpec) -> ObjectSpec {
    let mut new = object.clone();
    new.position[2] = rounded(new.position[2] - lowest(object), FINE_M);
    new
}

/// How high the lowest point of an object is above the table, metres.
#[must_use]
pub fn lowest(object: &ObjectSpec) -> f64 {
    let rows = from_degrees(object.rotation_degrees);
    let up = rows[2];
    let block = |size: [f64; 3]| {
        -0.5 * up
            .iter()
            .zip(size)
            .map(|(part, side)| part.abs() * side)
            .sum::<f64>()
    };
    let below = match object.shape {
        ObjectShape::Cube { size } => block([size; 3]),
        ObjectShape::Box { size } => block(size),
        ObjectShape::Cylinder { radius, height } => {
            -(0.5 * height * up[2].abs() + radius * (1.0 - up[2] * up[2]).max(0.0).sqrt())
        }
        ObjectShape::Ball { radius } => -radius,
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => {
            let outer = inner.map(|side| side + 2.0 * wall);
            0.5 * height * up[2] + block([outer[0], outer[1], height])
        }
    };
    object.position[2] + below
}

/// The shape with its lengths along X, Y, Z so many times as large. What has one length for several
/// axes takes the factor that is furthest from 1.
fn scaled(shape: ObjectShape, [x, y, z]: [f64; 3], snap: bool) -> ObjectShape {
    let strongest = |factors: &[f64]| {
        let strength = |factor: f64| factor.max(1e-6).ln().abs();
        factors.iter().copied().fold(1.0, |best, factor| {
            if strength(factor) > strength(best) {
                factor
            } else {
                best
            }
        })
    };
    let length = |before: f64, factor: f64| {
        if factor == 1.0 {
            return before;
        }
        rounded(before * factor, step(snap, SIZE_SNAP_M, FINE_M)).clamp(LENGTH_M[0], LENGTH_M[1])
    };
    match shape {
        ObjectShape::Cube { size } => ObjectShape::Cube {
            size: length(size, strongest(&[x, y, z])),
        },
        ObjectShape::Box { size } => ObjectShape::Box {
            size: [length(size[0], x), length(size[1], y), length(size[2], z)],
        },
        ObjectShape::Cylinder { radius, height } => ObjectShape::Cylinder {
            radius: length(radius, strongest(&[x, y])),
            height: length(height, z),
        },
        ObjectShape::Ball { radius } => ObjectShape::Ball {
            radius: length(radius, strongest(&[x, y, z])),
        },
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => ObjectShape::Tray {
            inner: [length(inner[0], x), length(inner[1], y)],
            // The walls stay higher than the floor is thick.
            height: length(height, z).max(rounded(wall + 1e-3, FINE_M)),
            wall,
        },
    }
}

fn shifted(position: [f64; 3], by: [f64; 3], snap: bool) -> [f64; 3] {
    [0, 1, 2].map(|part| {
        if by[part] == 0.0 {
            return position[part];
        }
        rounded(position[part] + by[part], step(snap, MOVE_SNAP_M, FINE_M))
    })
}

fn turned(angles: [f64; 3], axis: [f64; 3], degrees: f64, snap: bool) -> [f64; 3] {
    let rows: Rows = times(&about(axis, stepped(degrees, snap)), &from_degrees(angles));
    to_degrees(&rows).map(|angle| rounded(angle, FINE_DEGREES))
}

fn stepped(degrees: f64, snap: bool) -> f64 {
    if snap {
        rounded(degrees, TURN_SNAP_DEGREES)
    } else {
        degrees
    }
}

fn step(snap: bool, coarse: f64, fine: f64) -> f64 {
    if snap { coarse } else { fine }
}

/// The nearest multiple of `step`, without the noise of binary fractions.
fn rounded(value: f64, step: f64) -> f64 {
    let per = (1.0 / step).round();
    let value = if per >= 1.0 {
        (value * per).round() / per
    } else {
        (value / step).round() * step
    };
    // No −0 in files.
    value + 0.0
}
