//! From a scene to the parts of a world: checks, bodies, colliders.

use std::sync::Arc;

use forearm_arm::{ArmModel, JointKind, Shape};
use forearm_protocol::scene::{ArmSpec, ObjectShape, ObjectSpec, Scene, ServoModel};
use nalgebra::{UnitQuaternion, Vector3};

use crate::SimError;
use crate::arm::Arm;
use crate::collide::Collisions;
use crate::collider::{Collider, Owner};
use crate::math::{Frame, M3, V3};
use crate::object::{self, Object};

/// Thickness of the table's top, metres.
pub(crate) const TABLE_THICKNESS: f64 = 0.05;
/// Height of the room's floor, metres; the table's surface is at zero.
pub(crate) const FLOOR: f64 = -0.75;
/// Friction of the room's floor.
pub(crate) const FLOOR_FRICTION: f64 = 0.8;

/// The inside of a tray, in the tray's frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tray {
    /// Inner length and width, metres.
    pub(crate) inner: [f64; 2],
    /// Height of the floor's upper side, metres.
    pub(crate) floor: f64,
}

/// What a world is made of.
pub(crate) struct Parts {
    pub(crate) arms: Vec<Arm>,
    pub(crate) objects: Vec<Object>,
    /// One a scene's object: what it can hold, if it is a tray.
    pub(crate) trays: Vec<Option<Tray>>,
    pub(crate) collisions: Collisions,
}

/// Checks a scene and builds its parts.
pub(crate) fn build(scene: &Scene, models: &[Arc<ArmModel>]) -> Result<Parts, SimError> {
    if scene.arms.len() != models.len() {
        return Err(SimError::ModelCount {
            arms: scene.arms.len(),
            models: models.len(),
        });
    }
    check_physics(scene)?;
    let mut parts = Parts {
        arms: Vec::with_capacity(models.len()),
        objects: Vec::with_capacity(scene.objects.len()),
        trays: Vec::with_capacity(scene.objects.len()),
        collisions: Collisions::default(),
    };
    add_ground(scene, &mut parts.collisions);
    for (spec, model) in scene.arms.iter().zip(models) {
        add_arm(spec, model, &scene.physics.servo, &mut parts)?;
    }
    for spec in &scene.objects {
        add_object(spec, &mut parts)?;
    }
    let objects = &parts.objects;
    parts.collisions.pair_up(|object| objects[object].fixed);
    Ok(parts)
}

fn check_physics(scene: &Scene) -> Result<(), SimError> {
    let place = || "physics".to_owned();
    check(place, "hz", scene.physics.hz, "from 100 to 10000", |hz| {
        (100.0..=1e4).contains(&hz)
    })?;
    for value in scene.physics.gravity {
        check(place, "gravity", value, "from -100 to 100 m/s²", |g| {
            g.abs() <= 100.0
        })?;
    }
    if let ServoModel::Sts3215(spec) = &scene.physics.servo {
        check(
            place,
            "servo.voltage",
            spec.voltage,
            "from 4 to 14 V",
            |v| (4.0..=14.0).contains(&v),
        )?;
        let play = spec.backlash_degrees;
        check(place, "servo.backlash_degrees", play, "from 0 to 10", |p| {
            (0.0..=10.0).contains(&p)
        })?;
    }
    let place = || "table".to_owned();
    for value in scene.table.size {
        check(place, "size", value, "above 0, at most 100 m", |size| {
            size > 0.0 && size <= 100.0
        })?;
    }
    for value in scene.table.center {
        check(place, "center", value, "from -100 to 100 m", |x| {
            x.abs() <= 100.0
        })?;
    }
    check(
        place,
        "friction",
        scene.table.friction,
        "from 0 to 10",
        |f| (0.0..=10.0).contains(&f),
    )
}

fn add_ground(scene: &Scene, collisions: &mut Collisions) {
    let slab = |center: [f64; 2], top: f64, size: [f64; 2], thickness: f64, friction: f64| {
        let shape = Shape::Box {
            half_extents: [size[0] / 2.0, size[1] / 2.0, thickness / 2.0],
        };
        let origin = V3::new(center[0], center[1], top - thickness / 2.0);
        let frame = Frame {
            rotation: M3::identity(),
            origin,
        };
        Collider::new(Owner::World, frame, &shape, friction)
    };
    let table = &scene.table;
    collisions.colliders.extend(slab(
        table.center,
        0.0,
        table.size,
        TABLE_THICKNESS,
        table.friction,
    ));
    collisions
        .colliders
        .extend(slab(table.center, FLOOR, [100.0; 2], 1.0, FLOOR_FRICTION));
}

fn add_arm(
    spec: &ArmSpec,
    model: &Arc<ArmModel>,
    servo: &ServoModel,
    parts: &mut Parts,
) -> Result<(), SimError> {
    model.validate().map_err(|error| SimError::Model {
        arm: spec.name.clone(),
        model: model.name.clone(),
        problem: error.to_string(),
    })?;
    let place = || format!("arm `{}`", spec.name);
    for value in spec.position {
        check(place, "position", value, "from -100 to 100 m", |x| {
            x.abs() <= 100.0
        })?;
    }
    check(
        place,
        "yaw_degrees",
        spec.yaw_degrees,
        "a finite number",
        f64::is_finite,
    )?;
    let yaw = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), spec.yaw_degrees.to_radians());
    let base = Frame {
        rotation: yaw.to_rotation_matrix().into_inner(),
        origin: V3::from(spec.position),
    };
    let index = parts.arms.len();
    let arm = Arm::new(Arc::clone(model), base, home(spec, model)?, servo);
    for (number, link) in model.links.iter().enumerate() {
        let (body, carrier_from_link) = arm.carrier(number);
        for (shape, collider) in link.colliders.iter().enumerate() {
            let frame = carrier_from_link.then(&Frame::from_isometry(&collider.link_from_shape));
            let owner = Owner::Arm { arm: index, body };
            let solid = Collider::new(owner, frame, &collider.shape, collider.friction);
            parts
                .collisions
                .colliders
                .push(solid.ok_or_else(|| SimError::Shape {
                    arm: spec.name.clone(),
                    link: link.name.clone(),
                    index: shape,
                })?);
        }
    }
    parts.arms.push(arm);
    Ok(())
}

/// The pose to start from, in model order: the model's home, changed by the scene's.
fn home(spec: &ArmSpec, model: &ArmModel) -> Result<Vec<f64>, SimError> {
    let mut home = model.home.clone();
    home.resize(model.dof(), 0.0);
    for (name, &value) in &spec.home_degrees {
        let Some(index) = model.joint_index(name) else {
            let known: Vec<_> = model
                .joints
                .iter()
                .map(|joint| joint.name.as_str())
                .collect();
            return Err(SimError::UnknownJoint {
                arm: spec.name.clone(),
                joint: name.clone(),
                known: known.join(", "),
            });
        };
        home[index] = match model.joints[index].kind {
            JointKind::Revolute => value.to_radians(),
            JointKind::Prismatic => value,
        };
    }
    for (position, joint) in home.iter().zip(&model.joints) {
        let limits = &joint.limits;
        // A pose typed in degrees may miss the limit by rounding.
        let slack = 1e-6;
        if !(*position >= limits.lower - slack && *position <= limits.upper + slack) {
            let (scale, unit) = match joint.kind {
                JointKind::Revolute => (1.0_f64.to_degrees(), "degrees"),
                JointKind::Prismatic => (1.0, "metres"),
            };
            let shown = |value: f64| (value * scale * 1e6).round() / 1e6;
            return Err(SimError::HomeOutside {
                arm: spec.name.clone(),
                joint: joint.name.clone(),
                value: shown(*position),
                lower: shown(limits.lower),
                upper: shown(limits.upper),
                unit,
            });
        }
    }
    Ok(home)
}

fn add_object(spec: &ObjectSpec, parts: &mut Parts) -> Result<(), SimError> {
    let place = || format!("object `{}`", spec.name);
    check(place, "mass", spec.mass, "above 0, at most 100 kg", |m| {
        m > 0.0 && m <= 100.0
    })?;
    check(place, "friction", spec.friction, "from 0 to 10", |f| {
        (0.0..=10.0).contains(&f)
    })?;
    for value in spec.position {
        check(place, "position", value, "from -100 to 100 m", |x| {
            x.abs() <= 100.0
        })?;
    }
    for value in spec.rotation_degrees {
        check(
            place,
            "rotation_degrees",
            value,
            "a finite number",
            f64::is_finite,
        )?;
    }
    let sizes: &[f64] = match &spec.shape {
        ObjectShape::Cube { size } => &[*size],
        ObjectShape::Box { size } => size,
        ObjectShape::Cylinder { radius, height } => &[*radius, *height],
        ObjectShape::Ball { radius } => &[*radius],
        ObjectShape::Tray {
            inner: [length, width],
            height,
            wall,
        } => {
            check(place, "wall", *wall, "below the tray's height", |wall| {
                wall < *height
            })?;
            &[*length, *width, *height, *wall]
        }
    };
    for &size in sizes {
        check(place, "shape", size, "above 0.0001, at most 10 m", |s| {
            s > 1e-4 && s <= 10.0
        })?;
    }
    let [roll, pitch, yaw] = spec.rotation_degrees.map(f64::to_radians);
    let rotation = UnitQuaternion::from_euler_angles(roll, pitch, yaw);
    let frame = Frame {
        rotation: rotation.to_rotation_matrix().into_inner(),
        origin: V3::from(spec.position),
    };
    let owner = Owner::Object(parts.objects.len());
    for part in object::parts(&spec.shape) {
        parts.collisions.colliders.extend(Collider::new(
            owner,
            part.frame,
            &part.shape,
            spec.friction,
        ));
    }
    parts.objects.push(Object::new(spec, frame));
    parts.trays.push(match spec.shape {
        ObjectShape::Tray { inner, wall, .. } => Some(Tray { inner, floor: wall }),
        _ => None,
    });
    Ok(())
}

/// Refuses a number that is not allowed; NaN never is.
fn check(
    place: impl Fn() -> String,
    field: &'static str,
    value: f64,
    allowed: &'static str,
    test: impl Fn(f64) -> bool,
) -> Result<(), SimError> {
    if test(value) {
        Ok(())
    } else {
        Err(SimError::Value {
            place: place(),
            field,
            value,
            allowed,
        })
    }
}
