//! Mass properties: of shapes, of several parts together, and what to do with impossible ones.

use nalgebra::{Isometry3, Matrix3, Point3, Translation3, UnitQuaternion, Vector3};

use crate::model::Inertial;
use crate::shape::{Shape, TriMesh};
use crate::validate::{INERTIA_TOLERANCE, principal_moments};

/// Density where a file gives none: water's, as MJCF has it, kg/m³.
pub(super) const DENSITY: f64 = 1000.0;
/// Volumes below this are taken for open surfaces, m³.
const MIN_VOLUME: f64 = 1e-12;

/// Mass properties of something: mass, centre of mass and inertia about it, in one frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    pub(super) mass: f64,
    pub(super) center: Vector3<f64>,
    /// About the centre of mass, axes parallel to the frame's.
    pub(super) inertia: Matrix3<f64>,
}

impl Body {
    /// A shape of density one, in its own frame.
    pub(super) fn of(shape: &Shape) -> Self {
        match shape {
            Shape::Box { half_extents } | Shape::RoundedBox { half_extents, .. } => {
                Self::cuboid(*half_extents)
            }
            Shape::Cylinder {
                radius,
                half_length,
            } => Self::cylinder(*radius, *half_length),
            Shape::Tube {
                outer_radius,
                half_length,
                ..
            } => Self::cylinder(*outer_radius, *half_length),
            Shape::Sphere { radius } => Self::capsule(*radius, 0.0),
            Shape::Capsule {
                radius,
                half_length,
            } => Self::capsule(*radius, *half_length),
            Shape::Extrusion { .. } => Self::mesh(&crate::mesh::triangulate(shape)),
            Shape::Mesh(mesh) => Self::mesh(mesh),
        }
    }

    fn cuboid(half: [f64; 3]) -> Self {
        let mass = 8.0 * half[0] * half[1] * half[2];
        let [x, y, z] = half.map(|half| half * half / 3.0);
        Self::centered(mass, [y + z, x + z, x + y])
    }

    fn cylinder(radius: f64, half_length: f64) -> Self {
        let mass = std::f64::consts::PI * radius * radius * 2.0 * half_length;
        let across = radius * radius / 4.0 + half_length * half_length / 3.0;
        Self::centered(mass, [across, across, radius * radius / 2.0])
    }

    fn capsule(radius: f64, half_length: f64) -> Self {
        let (r, h) = (radius, half_length);
        let bar = Self::cylinder(r, h);
        let balls = 4.0 / 3.0 * std::f64::consts::PI * r * r * r;
        let along = 0.4 * r * r;
        // Two half balls, each with its centre of mass 3/8 of the radius from its flat side.
        let across = along + h * h + 0.75 * r * h;
        let inertia =
            bar.inertia + Matrix3::from_diagonal(&Vector3::new(across, across, along)) * balls;
        Self {
            mass: bar.mass + balls,
            center: Vector3::zeros(),
            inertia,
        }
    }

    /// The volume that the surface encloses; its bounding box where it encloses none.
    fn mesh(mesh: &TriMesh) -> Self {
        let point = |index: u32| {
            let position = mesh.positions.get(index as usize).copied();
            Vector3::from(position.unwrap_or_default()).cast::<f64>()
        };
        let (mut volume, mut moment) = (0.0, Vector3::zeros());
        let mut covariance = Matrix3::zeros();
        for [a, b, c] in mesh.triangles.iter().map(|corners| corners.map(point)) {
            let part = a.dot(&b.cross(&c)) / 6.0;
            let sum = a + b + c;
            volume += part;
            moment += sum * (part / 4.0);
            let squares =
                a * a.transpose() + b * b.transpose() + c * c.transpose() + sum * sum.transpose();
            covariance += squares * (part / 20.0);
        }
        let (low, high) = bounds(mesh);
        let box_volume = (high - low).product();
        if volume > MIN_VOLUME && volume <= box_volume * 1.01 {
            let center = moment / volume;
            let about_center = covariance - center * center.transpose() * volume;
            let body = Self {
                mass: volume,
                center,
                inertia: Matrix3::from_diagonal_element(about_center.trace()) - about_center,
            };
            if body.is_physical() {
                return body;
            }
        }
        let half = ((high - low) / 2.0).map(|half| half.max(1e-4));
        Self {
            center: (low + high) / 2.0,
            ..Self::cuboid(half.into())
        }
    }

    fn centered(mass: f64, per_mass: [f64; 3]) -> Self {
        Self {
            mass,
            center: Vector3::zeros(),
            inertia: Matrix3::from_diagonal(&Vector3::from(per_mass)) * mass,
        }
    }

    fn is_physical(&self) -> bool {
        let moments = principal_moments(&self.components());
        moments[0] > 0.0 && moments[0] + moments[1] >= moments[2]
    }

    /// The same with another mass.
    pub(super) fn with_mass(self, mass: f64) -> Self {
        Self {
            mass,
            inertia: self.inertia * (mass / self.mass),
            ..self
        }
    }

    /// The same seen from a frame in which its own stands at `pose`.
    pub(super) fn placed(self, pose: &Isometry3<f64>) -> Self {
        let turn = pose.rotation.to_rotation_matrix();
        Self {
            mass: self.mass,
            center: pose * Point3::from(self.center) - Point3::origin(),
            inertia: turn * self.inertia * turn.transpose(),
        }
    }

    /// Several parts as one; `None` if they weigh nothing.
    pub(super) fn together(parts: &[Self]) -> Option<Self> {
        let mass: f64 = parts.iter().map(|part| part.mass).sum();
        if !(mass.is_finite() && mass > 0.0) {
            return None;
        }
        let moment: Vector3<f64> = parts.iter().map(|part| part.center * part.mass).sum();
        let center = moment / mass;
        let inertia = parts.iter().map(|part| {
            let arm = part.center - center;
            let offset = Matrix3::from_diagonal_element(arm.norm_squared()) - arm * arm.transpose();
            part.inertia + offset * part.mass
        });
        Some(Self {
            mass,
            center,
            inertia: inertia.sum(),
        })
    }

    fn components(&self) -> [f64; 6] {
        let i = &self.inertia;
        [
            i[(0, 0)],
            i[(1, 1)],
            i[(2, 2)],
            i[(0, 1)],
            i[(0, 2)],
            i[(1, 2)],
        ]
    }

    pub(super) fn to_inertial(self) -> Inertial {
        Inertial {
            mass: self.mass,
            link_from_inertial: Isometry3::from_parts(
                Translation3::from(self.center),
                UnitQuaternion::identity(),
            ),
            inertia: self.components(),
        }
    }
}

/// No mass at all.
pub(super) fn massless() -> Inertial {
    Inertial {
        mass: 0.0,
        link_from_inertial: Isometry3::identity(),
        inertia: [0.0; 6],
    }
}

/// What is wrong with moments of inertia that no body can have, and how to mend it.
pub(super) enum Flaw {
    /// A mass without inertia.
    Missing,
    /// The greatest principal moment exceeds the sum of the others.
    Unbalanced,
    /// A principal moment is negative.
    Negative,
}

/// Looks for a flaw; `None` for a body that can exist.
pub(super) fn flaw(inertial: &Inertial) -> Option<Flaw> {
    let moments = principal_moments(&inertial.inertia);
    let rounding = INERTIA_TOLERANCE * moments[2].abs();
    if inertial.mass <= 0.0 {
        None
    } else if inertial.inertia.iter().all(|value| *value == 0.0) {
        Some(Flaw::Missing)
    } else if moments[0] < -rounding || moments[2] <= 0.0 {
        Some(Flaw::Negative)
    } else if moments[0] <= 0.0 || moments[0] + moments[1] < moments[2] - rounding {
        Some(Flaw::Unbalanced)
    } else {
        None
    }
}

/// Replaces moments of inertia by their mean, the same about every axis.
pub(super) fn balance(inertial: &mut Inertial) {
    let mean = (inertial.inertia[0] + inertial.inertia[1] + inertial.inertia[2]) / 3.0;
    inertial.inertia = [mean, mean, mean, 0.0, 0.0, 0.0];
}

fn bounds(mesh: &TriMesh) -> (Vector3<f64>, Vector3<f64>) {
    let mut points = mesh
        .positions
        .iter()
        .map(|position| Vector3::from(*position).cast::<f64>());
    let first = points.next().unwrap_or_default();
    points.fold((first, first), |(low, high), point| {
        (low.inf(&point), high.sup(&point))
    })
}
