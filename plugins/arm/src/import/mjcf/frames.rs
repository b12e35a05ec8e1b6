//! Places and orientations, in the many ways in which MJCF gives them.

use nalgebra::{Isometry3, Quaternion, Rotation3, Translation3, Unit, UnitQuaternion, Vector3};

use super::classes::Resolved;
use crate::import::ImportError;
use crate::import::xml::{Element, Reader, quote};

/// Attributes that place something.
pub(super) const PLACE: [&str; 6] = ["pos", "quat", "axisangle", "euler", "xyaxes", "zaxis"];

/// How a file writes angles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Angles {
    /// Radians in the file's unit.
    pub(super) unit: f64,
    /// Axes of Euler angles: index, and whether they are fixed.
    pub(super) sequence: [(usize, bool); 3],
}

impl Angles {
    /// Reads `<compiler angle eulerseq>`.
    pub(super) fn read(
        reader: &Reader,
        compiler: Option<Element<'_>>,
    ) -> Result<Self, ImportError> {
        let mut angles = Self {
            unit: std::f64::consts::PI / 180.0,
            sequence: [(0, false), (1, false), (2, false)],
        };
        let Some(compiler) = compiler else {
            return Ok(angles);
        };
        match compiler.attribute("angle") {
            None | Some("degree") => {}
            Some("radian") => angles.unit = 1.0,
            Some(other) => {
                let problem = format!("angle is `{}`; expected degree or radian", quote(other));
                return Err(reader.error(compiler, problem));
            }
        }
        if let Some(text) = compiler.attribute("eulerseq") {
            let axes: Option<Vec<_>> = text
                .chars()
                .map(|c| {
                    let axis = "xyz".find(c.to_ascii_lowercase())?;
                    Some((axis, c.is_ascii_uppercase()))
                })
                .collect();
            angles.sequence = axes.and_then(|axes| axes.try_into().ok()).ok_or_else(|| {
                let problem = format!(
                    "eulerseq is `{}`; expected three of x, y, z, X, Y, Z",
                    quote(text)
                );
                reader.error(compiler, problem)
            })?;
        }
        Ok(angles)
    }

    /// The place that an element's attributes give.
    pub(super) fn place(
        &self,
        reader: &Reader,
        attributes: &Resolved<'_, '_>,
    ) -> Result<Isometry3<f64>, ImportError> {
        let position = attributes.numbers(reader, "pos")?.unwrap_or([0.0; 3]);
        Ok(Isometry3::from_parts(
            Translation3::from(Vector3::from(position)),
            self.orientation(reader, attributes)?,
        ))
    }

    /// The orientation that an element's attributes give.
    pub(super) fn orientation(
        &self,
        reader: &Reader,
        attributes: &Resolved<'_, '_>,
    ) -> Result<UnitQuaternion<f64>, ImportError> {
        let no_direction = |name: &str| {
            let problem = format!("{name} has no direction; expected numbers other than 0");
            reader.error(attributes.element, problem)
        };
        if let Some([w, x, y, z]) = attributes.numbers(reader, "quat")? {
            let unit = Unit::try_new(Quaternion::new(w, x, y, z), 1e-9);
            return unit.ok_or_else(|| no_direction("quat"));
        }
        if let Some([x, y, z, angle]) = attributes.numbers(reader, "axisangle")? {
            let axis = Unit::try_new(Vector3::new(x, y, z), 1e-9);
            let axis = axis.ok_or_else(|| no_direction("axisangle"))?;
            return Ok(UnitQuaternion::from_axis_angle(&axis, angle * self.unit));
        }
        if let Some(angles) = attributes.numbers::<3>(reader, "euler")? {
            let turns = self.sequence.iter().zip(angles);
            return Ok(turns.fold(
                UnitQuaternion::identity(),
                |turn, ((axis, fixed), angle)| {
                    let mut direction = Vector3::zeros();
                    direction[*axis] = 1.0;
                    let next = UnitQuaternion::from_scaled_axis(direction * (angle * self.unit));
                    if *fixed { next * turn } else { turn * next }
                },
            ));
        }
        if let Some([a, b, c, d, e, f]) = attributes.numbers(reader, "xyaxes")? {
            let x = Vector3::new(a, b, c).try_normalize(1e-9);
            let x = x.ok_or_else(|| no_direction("xyaxes"))?;
            let y = Vector3::new(d, e, f);
            let y = (y - x * x.dot(&y)).try_normalize(1e-9);
            let y = y.ok_or_else(|| no_direction("xyaxes"))?;
            let turn = Rotation3::from_basis_unchecked(&[x, y, x.cross(&y)]);
            return Ok(UnitQuaternion::from_rotation_matrix(&turn));
        }
        if let Some(direction) = attributes.numbers(reader, "zaxis")? {
            let direction = Vector3::from(direction);
            return z_towards(&direction).ok_or_else(|| no_direction("zaxis"));
        }
        Ok(UnitQuaternion::identity())
    }
}

/// The shortest turn that takes Z to this direction.
pub(super) fn z_towards(direction: &Vector3<f64>) -> Option<UnitQuaternion<f64>> {
    let direction = direction.try_normalize(1e-9)?;
    let opposite = || UnitQuaternion::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI);
    let turn = UnitQuaternion::rotation_between(&Vector3::z(), &direction);
    Some(turn.unwrap_or_else(opposite))
}
