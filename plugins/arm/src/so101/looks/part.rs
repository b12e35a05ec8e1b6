//! A drawing board: plates, blocks, discs and bodies placed in a link's frame, in millimetres.

use std::sync::Arc;

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

use crate::mesh::{self, Plate};
use crate::{Material, Shape, TriMesh, Visual};

/// Millimetres to metres.
const MM: f64 = 1e-3;

/// The plane that a plate's outline is drawn in, as seen from the positive third axis.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plane {
    /// Outline in X and Y, thickness along Z.
    Top,
    /// Outline in X and Z, thickness along Y.
    Side,
    /// Outline in Y and Z, thickness along X.
    Front,
}

impl Plane {
    /// The rotation from (first, second, thickness) to the link's axes.
    fn rotation(self) -> UnitQuaternion<f64> {
        let (x, y, z) = (Vector3::x(), Vector3::y(), Vector3::z());
        let columns = match self {
            Self::Top => [x, y, z],
            Self::Side => [x, z, -y],
            Self::Front => [y, z, x],
        };
        let rotation = Rotation3::from_matrix_unchecked(Matrix3::from_columns(&columns));
        UnitQuaternion::from_rotation_matrix(&rotation)
    }

    /// The point at (first, second) of the outline and `depth` along the thickness.
    fn point(self, [a, b]: [f64; 2], depth: f64) -> Vector3<f64> {
        match self {
            Self::Top => Vector3::new(a, b, depth),
            Self::Side => Vector3::new(a, depth, b),
            Self::Front => Vector3::new(depth, a, b),
        }
    }
}

/// The visuals of one link as they are added, in a frame of the link's. Millimetres.
#[derive(Debug)]
pub(super) struct Parts {
    visuals: Vec<Visual>,
    frame: Isometry3<f64>,
    material: Material,
}

impl Parts {
    /// Parts in the link's own frame, printed.
    pub(super) fn new() -> Self {
        Self {
            visuals: Vec::new(),
            frame: Isometry3::identity(),
            material: Material::Printed,
        }
    }

    /// What follows is made of this.
    pub(super) fn of(&mut self, material: Material) -> &mut Self {
        self.material = material;
        self
    }

    /// Adds parts drawn in another frame: `origin` and roll, pitch, yaw (radians) in the link's.
    pub(super) fn within(
        &mut self,
        origin: [f64; 3],
        [roll, pitch, yaw]: [f64; 3],
        draw: impl FnOnce(&mut Self),
    ) -> &mut Self {
        let outer = (self.frame, self.material);
        self.frame *= Isometry3::from_parts(
            Translation3::from(Vector3::from(origin) * MM),
            UnitQuaternion::from_euler_angles(roll, pitch, yaw),
        );
        draw(self);
        (self.frame, self.material) = outer;
        self
    }

    /// A plate from `depth[0]` to `depth[1]`: corners and holes as `[first, second, radius]`, rims
    /// rounded by `bevel`.
    pub(super) fn plate(
        &mut self,
        plane: Plane,
        depth: [f64; 2],
        bevel: f64,
        corners: &[[f64; 3]],
        holes: &[&[[f64; 3]]],
    ) -> &mut Self {
        let metres = |corners: &[[f64; 3]]| {
            let corners: Vec<[f64; 3]> = corners.iter().map(|c| c.map(|v| v * MM)).collect();
            mesh::rounded(&corners)
        };
        let mesh = mesh::extrude(&Plate {
            outline: metres(corners),
            holes: holes.iter().map(|hole| metres(hole)).collect(),
            half_depth: 0.5 * (depth[1] - depth[0]) * MM,
            bevel: bevel * MM,
            hole_bevel: (0.8 * MM).min(bevel * MM),
        });
        let middle = plane.point([0.0, 0.0], 0.5 * (depth[0] + depth[1]));
        self.add(middle, plane.rotation(), Shape::Mesh(Arc::new(mesh)))
    }

    /// A block from corner `low` to corner `high`, edges rounded by `radius`.
    pub(super) fn block(&mut self, low: [f64; 3], high: [f64; 3], radius: f64) -> &mut Self {
        let (low, high) = (Vector3::from(low), Vector3::from(high));
        let half_extents = ((high - low) * 0.5 * MM).into();
        let shape = Shape::RoundedBox {
            half_extents,
            radius: radius * MM,
        };
        self.add((low + high) * 0.5, UnitQuaternion::identity(), shape)
    }

    /// A disc about an axis across `plane`, from `depth[0]` to `depth[1]`.
    pub(super) fn disc(
        &mut self,
        plane: Plane,
        center: [f64; 2],
        radius: f64,
        depth: [f64; 2],
    ) -> &mut Self {
        let half_length = 0.5 * (depth[1] - depth[0]).abs() * MM;
        let at = plane.point(center, 0.5 * (depth[0] + depth[1]));
        self.add(
            at,
            plane.rotation(),
            Shape::Cylinder {
                radius: radius * MM,
                half_length,
            },
        )
    }

    /// A hex screw whose rim stands out of the surface at `surface` along the plane's third axis,
    /// forwards or (`outward` −1) backwards.
    pub(super) fn screw(
        &mut self,
        plane: Plane,
        center: [f64; 2],
        surface: f64,
        outward: f64,
    ) -> &mut Self {
        let material = self.material;
        let prism = |corners: i32, radius: f64| -> Vec<[f64; 3]> {
            let corner = |i: i32| {
                let turn = core::f64::consts::TAU * f64::from(i) / f64::from(corners);
                let (sin, cos) = libm::sincos(turn);
                [center[0] + radius * cos, center[1] + radius * sin, 0.0]
            };
            (0..corners).map(corner).collect()
        };
        // From just below the surface to a little above it.
        let depth = |above: f64| {
            let ends = [surface - 0.2 * outward, surface + above * outward];
            [ends[0].min(ends[1]), ends[0].max(ends[1])]
        };
        self.of(Material::Metal)
            .plate(plane, depth(0.3), 0.0, &prism(10, 2.1), &[]);
        self.of(Material::Rubber)
            .plate(plane, depth(0.4), 0.0, &prism(6, 1.3), &[]);
        self.of(material)
    }

    /// The four screws that hold a part to a servo's horn: a square of 10 mm about `center`.
    pub(super) fn horn_screws(
        &mut self,
        plane: Plane,
        center: [f64; 2],
        surface: f64,
        outward: f64,
    ) -> &mut Self {
        for [a, b] in [[5.0, 5.0], [-5.0, 5.0], [-5.0, -5.0], [5.0, -5.0]] {
            self.screw(plane, [center[0] + a, center[1] + b], surface, outward);
        }
        self
    }

    /// A lattice of small rhombic windows, dark as what is behind them, on a face at `surface`.
    pub(super) fn lattice(
        &mut self,
        plane: Plane,
        first: [f64; 2],
        pitch: [f64; 2],
        count: [usize; 2],
        surface: f64,
    ) -> &mut Self {
        let material = self.material;
        self.of(Material::Servo);
        for i in 0..count[0] {
            for j in 0..count[1] {
                let center = [
                    first[0] + pitch[0] * i as f64,
                    first[1] + pitch[1] * j as f64,
                ];
                let corners = diamond(center, [2.2, 2.2]);
                self.plate(plane, [surface - 0.1, surface + 0.1], 0.0, &corners, &[]);
            }
        }
        self.of(material)
    }

    /// A body stretched over cross sections (millimetres).
    pub(super) fn body(&mut self, sections: &[Vec<[f64; 3]>]) -> &mut Self {
        let metres: Vec<Vec<[f64; 3]>> = sections
            .iter()
            .map(|section| section.iter().map(|point| point.map(|v| v * MM)).collect())
            .collect();
        let shape = Shape::Mesh(Arc::new(mesh::loft(&metres)));
        self.add(Vector3::zeros(), UnitQuaternion::identity(), shape)
    }

    /// The finished parts.
    pub(super) fn finish(&mut self) -> Vec<Visual> {
        std::mem::take(&mut self.visuals)
    }

    fn add(&mut self, at: Vector3<f64>, rotation: UnitQuaternion<f64>, shape: Shape) -> &mut Self {
        debug_assert!(
            !matches!(&shape, Shape::Mesh(mesh) if **mesh == TriMesh::default()),
            "a part of the built-in arm has no triangles"
        );
        let placed = Isometry3::from_parts(Translation3::from(at * MM), rotation);
        self.visuals.push(Visual {
            link_from_shape: self.frame * placed,
            shape,
            material: self.material,
        });
        self
    }
}

/// A rhombus with these half diagonals, for [`Parts::plate`].
pub(super) fn diamond([a, b]: [f64; 2], half: [f64; 2]) -> [[f64; 3]; 4] {
    [
        [a + half[0], b, 0.0],
        [a, b + half[1], 0.0],
        [a - half[0], b, 0.0],
        [a, b - half[1], 0.0],
    ]
}

/// A window from `low` to `high` with corners of this radius, for [`Parts::plate`].
pub(super) fn window(low: [f64; 2], high: [f64; 2], radius: f64) -> [[f64; 3]; 4] {
    [
        [low[0], low[1], radius],
        [high[0], low[1], radius],
        [high[0], high[1], radius],
        [low[0], high[1], radius],
    ]
}

/// The mirror image of an outline's points in the first axis, appended in reverse order: what is
/// drawn for one half becomes the whole, anticlockwise if the half runs from right to left above
/// the axis.
pub(super) fn mirrored(half: &[[f64; 3]]) -> Vec<[f64; 3]> {
    let mut whole = half.to_vec();
    whole.extend(half.iter().rev().map(|[a, b, radius]| [*a, -b, *radius]));
    whole
}
