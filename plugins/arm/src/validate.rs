//! What makes an [`ArmModel`] one that everything else can rely on.

use nalgebra::{Isometry3, Matrix3};

use crate::ModelError;
use crate::model::{ArmModel, Inertial, Joint, Link};
use crate::shape::Shape;

/// How far a unit vector's or quaternion's length may be from one.
const UNIT_TOLERANCE: f64 = 1e-6;
/// Rounding that principal moments of inertia are allowed, as a part of the greatest.
pub(crate) const INERTIA_TOLERANCE: f64 = 0.01;

/// See [`ArmModel::validate`].
pub(crate) fn validate(model: &ArmModel) -> Result<(), ModelError> {
    check_tree(model)?;
    check_names(model)?;
    for joint in &model.joints {
        check_joint(joint)?;
    }
    for link in &model.links {
        check_link(link)?;
    }
    check_masses(model)?;
    check_tool_and_home(model)
}

fn error(place: impl Into<String>, problem: impl Into<String>) -> ModelError {
    ModelError {
        place: place.into(),
        problem: problem.into(),
    }
}

/// Parents first, one base, every joint moves exactly one link.
fn check_tree(model: &ArmModel) -> Result<(), ModelError> {
    let Some(base) = model.links.first() else {
        return Err(error("links", "there are none; expected at least two"));
    };
    if base.attachment.is_some() {
        return Err(error(
            format!("link `{}`", base.name),
            "is the first link and hangs from another; the first must be the base",
        ));
    }
    if model.joints.is_empty() {
        return Err(error("joints", "there are none; an arm needs at least one"));
    }
    let mut moved_by = vec![None; model.joints.len()];
    for (index, link) in model.links.iter().enumerate().skip(1) {
        let place = || format!("link `{}`", link.name);
        let Some(attachment) = &link.attachment else {
            return Err(error(
                place(),
                format!(
                    "hangs from nothing, as `{}` does; expected one base",
                    base.name
                ),
            ));
        };
        if attachment.parent >= index {
            return Err(error(
                place(),
                format!(
                    "is link {index} and hangs from link {}; a parent must come before its child",
                    attachment.parent
                ),
            ));
        }
        check_frame(&attachment.parent_from_joint, place)?;
        let Some(joint) = attachment.joint else {
            continue;
        };
        let Some(slot) = moved_by.get_mut(joint) else {
            return Err(error(
                place(),
                format!(
                    "is moved by joint {joint}, but there are {}",
                    model.joints.len()
                ),
            ));
        };
        if let Some(other) = slot.replace(index) {
            return Err(error(
                format!("joint `{}`", model.joints[joint].name),
                format!(
                    "moves `{}` and `{}`; expected one link",
                    model.links[other].name, link.name
                ),
            ));
        }
    }
    match moved_by.iter().position(Option::is_none) {
        Some(joint) => Err(error(
            format!("joint `{}`", model.joints[joint].name),
            "moves no link; expected one",
        )),
        None => Ok(()),
    }
}

fn check_names(model: &ArmModel) -> Result<(), ModelError> {
    let links: Vec<_> = model.links.iter().map(|link| link.name.as_str()).collect();
    let joints: Vec<_> = model
        .joints
        .iter()
        .map(|joint| joint.name.as_str())
        .collect();
    for (what, mut names) in [("link", links), ("joint", joints)] {
        names.sort_unstable();
        if names.first().is_some_and(|name| name.is_empty()) {
            return Err(error(format!("a {what}"), "has no name; expected one"));
        }
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(error(
                format!("{what} `{}`", pair[0]),
                format!("there are two of this name; expected each {what}'s to be unique"),
            ));
        }
    }
    Ok(())
}

fn check_joint(joint: &Joint) -> Result<(), ModelError> {
    let place = |part: &str| format!("joint `{}` {part}", joint.name);
    let length = joint.axis.norm();
    if !is_unit(length) {
        return Err(error(
            place("axis"),
            format!("has length {length}; expected 1"),
        ));
    }
    let limits = &joint.limits;
    if !(limits.lower.is_finite() && limits.upper.is_finite() && limits.lower < limits.upper) {
        return Err(error(
            place("limit"),
            format!(
                "lower is {} and upper is {}; expected numbers with lower below upper",
                limits.lower, limits.upper
            ),
        ));
    }
    for (part, value) in [("velocity", limits.velocity), ("effort", limits.effort)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(error(
                place(&format!("limit {part}")),
                format!("is {value}; expected a number above 0"),
            ));
        }
    }
    let servo = &joint.servo;
    for (part, value) in [
        ("kp", servo.kp),
        ("kv", servo.kv),
        ("damping", servo.damping),
        ("friction loss", servo.friction_loss),
        ("armature", servo.armature),
        ("backlash", servo.backlash),
    ] {
        check_not_negative(value, || place(part))?;
    }
    Ok(())
}

fn check_link(link: &Link) -> Result<(), ModelError> {
    let place = |part: &str| format!("link `{}` {part}", link.name);
    check_inertial(&link.inertial).map_err(|problem| error(place("inertial"), problem))?;
    check_frame(&link.inertial.link_from_inertial, || place("inertial"))?;
    for visual in &link.visuals {
        check_frame(&visual.link_from_shape, || place("visual"))?;
        check_shape(&visual.shape).map_err(|problem| error(place("visual"), problem))?;
    }
    for collider in &link.colliders {
        check_frame(&collider.link_from_shape, || place("collider"))?;
        check_shape(&collider.shape).map_err(|problem| error(place("collider"), problem))?;
        check_not_negative(collider.friction, || place("collider friction"))?;
    }
    Ok(())
}

/// Mass is not negative; inertia is that of some distribution of that mass.
pub(crate) fn check_inertial(inertial: &Inertial) -> Result<(), String> {
    if !(inertial.mass.is_finite() && inertial.mass >= 0.0) {
        return Err(format!("mass is {}; expected 0 or more", inertial.mass));
    }
    if inertial.inertia.iter().any(|value| !value.is_finite()) {
        return Err(format!(
            "inertia is {:?}; expected numbers",
            inertial.inertia
        ));
    }
    let moments = principal_moments(&inertial.inertia);
    let rounding = INERTIA_TOLERANCE * moments[2];
    if moments[0] < -rounding.abs() {
        return Err(format!(
            "principal moments of inertia are {moments:?}; expected 0 or more"
        ));
    }
    if moments[0] + moments[1] < moments[2] - rounding {
        return Err(format!(
            "principal moments of inertia are {moments:?}; expected the greatest to be at most \
             the sum of the others"
        ));
    }
    if inertial.mass > 0.0 && moments[0] <= 0.0 {
        return Err(format!(
            "a mass of {} kg has the principal moments of inertia {moments:?}; expected all above 0",
            inertial.mass
        ));
    }
    Ok(())
}

/// The principal moments of `[ixx, iyy, izz, ixy, ixz, iyz]`, rising.
pub(crate) fn principal_moments(inertia: &[f64; 6]) -> [f64; 3] {
    let [xx, yy, zz, xy, xz, yz] = *inertia;
    let mut moments: [f64; 3] = Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz)
        .symmetric_eigenvalues()
        .into();
    moments.sort_by(f64::total_cmp);
    moments
}

/// Dimensions are positive, outlines and meshes refer to what is there.
pub(crate) fn check_shape(shape: &Shape) -> Result<(), String> {
    let positive = |dimensions: &[f64], what: &str| {
        if dimensions.iter().all(|x| x.is_finite() && *x > 0.0) {
            Ok(())
        } else {
            Err(format!("{what} is {dimensions:?}; expected metres above 0"))
        }
    };
    match shape {
        Shape::Box { half_extents } => positive(half_extents, "a box's half size"),
        Shape::RoundedBox {
            half_extents,
            radius,
        } => {
            positive(half_extents, "a box's half size")?;
            positive(&[*radius], "a box's edge radius")
        }
        Shape::Cylinder {
            radius,
            half_length,
        } => positive(
            &[*radius, *half_length],
            "a cylinder's radius and half length",
        ),
        Shape::Capsule {
            radius,
            half_length,
        } => positive(
            &[*radius, *half_length],
            "a capsule's radius and half length",
        ),
        Shape::Sphere { radius } => positive(&[*radius], "a ball's radius"),
        Shape::Tube {
            outer_radius,
            inner_radius,
            half_length,
        } => {
            let dimensions = [*outer_radius, *inner_radius, *half_length];
            positive(&dimensions, "a tube's radii and half length")?;
            positive(&[outer_radius - inner_radius], "a tube's wall")
        }
        Shape::Extrusion {
            outline,
            half_depth,
            bevel,
        } => {
            positive(&[*half_depth], "an extrusion's half depth")?;
            let finite = outline.as_flattened().iter().all(|x| x.is_finite());
            if outline.len() < 3 || !finite {
                return Err("an extrusion's outline needs at least three finite corners".into());
            }
            if !(bevel.is_finite() && *bevel >= 0.0) {
                return Err(format!(
                    "an extrusion's bevel is {bevel}; expected 0 or more"
                ));
            }
            Ok(())
        }
        Shape::Mesh(mesh) => {
            if mesh.triangles.is_empty() {
                return Err("a mesh has no triangles; expected at least one".into());
            }
            if mesh.normals.len() != mesh.positions.len() {
                return Err(format!(
                    "a mesh has {} vertices and {} normals; expected as many",
                    mesh.positions.len(),
                    mesh.normals.len()
                ));
            }
            let numbers = mesh.positions.as_flattened().iter();
            if numbers
                .chain(mesh.normals.as_flattened())
                .any(|x| !x.is_finite())
            {
                return Err("a mesh has a coordinate that is no number".into());
            }
            let corners = mesh.triangles.as_flattened();
            match corners
                .iter()
                .find(|i| **i as usize >= mesh.positions.len())
            {
                Some(corner) => Err(format!(
                    "a mesh's triangle names vertex {corner} of {}",
                    mesh.positions.len()
                )),
                None => Ok(()),
            }
        }
    }
}

/// Every joint moves a mass: links fastened to each other count as one body.
fn check_masses(model: &ArmModel) -> Result<(), ModelError> {
    let mut body_of = vec![0; model.links.len()];
    let mut mass_of = vec![0.0; model.links.len()];
    for (index, link) in model.links.iter().enumerate() {
        body_of[index] = match &link.attachment {
            Some(attachment) if attachment.joint.is_none() => body_of[attachment.parent],
            _ => index,
        };
        mass_of[body_of[index]] += link.inertial.mass;
    }
    for (index, link) in model.links.iter().enumerate() {
        let moved = link.attachment.as_ref().and_then(|a| a.joint);
        if let Some(joint) = moved
            && mass_of[index] <= 0.0
        {
            return Err(error(
                format!("link `{}`", link.name),
                format!(
                    "has no mass, but joint `{}` moves it; expected kilograms above 0",
                    model.joints[joint].name
                ),
            ));
        }
    }
    Ok(())
}

fn check_tool_and_home(model: &ArmModel) -> Result<(), ModelError> {
    if model.tool.link >= model.links.len() {
        return Err(error(
            "tool",
            format!("is on link {} of {}", model.tool.link, model.links.len()),
        ));
    }
    check_frame(&model.tool.link_from_tool, || "tool".into())?;
    if let Some(gripper) = model.gripper.filter(|gripper| *gripper >= model.dof()) {
        return Err(error(
            "gripper",
            format!("is joint {gripper} of {}", model.dof()),
        ));
    }
    if model.home.len() != model.dof() {
        return Err(error(
            "home",
            format!(
                "has {} positions; expected {}",
                model.home.len(),
                model.dof()
            ),
        ));
    }
    for (joint, position) in model.joints.iter().zip(&model.home) {
        let (lower, upper) = (joint.limits.lower, joint.limits.upper);
        if !(lower..=upper).contains(position) {
            return Err(error(
                format!("home of joint `{}`", joint.name),
                format!("is {position}; expected {lower} to {upper}"),
            ));
        }
    }
    Ok(())
}

fn check_frame(frame: &Isometry3<f64>, place: impl FnOnce() -> String) -> Result<(), ModelError> {
    let position = frame.translation.vector;
    if position.iter().any(|x| !x.is_finite()) {
        return Err(error(
            place(),
            format!("origin is {:?}; expected metres", position.as_slice()),
        ));
    }
    let length = frame.rotation.coords.norm();
    if !is_unit(length) {
        return Err(error(
            place(),
            format!("rotation has length {length}; expected a unit quaternion"),
        ));
    }
    Ok(())
}

/// False for a NaN too.
fn is_unit(length: f64) -> bool {
    (length - 1.0).abs() < UNIT_TOLERANCE
}

fn check_not_negative(value: f64, place: impl FnOnce() -> String) -> Result<(), ModelError> {
    if value.is_finite() && value >= 0.0 {
        Ok(())
    } else {
        Err(error(place(), format!("is {value}; expected 0 or more")))
    }
}
