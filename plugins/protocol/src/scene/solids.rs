//! What an object of a scene looks like: solids with slightly broken edges, for whoever draws it.

use forearm_arm::{Shape, TriMesh, mesh};

use super::ObjectShape;

/// A part of an object: its triangles, and how far they are moved up along Z, metres.
pub type ObjectPart = (TriMesh, f64);

impl ObjectShape {
    /// Its parts in its own frame, metres.
    #[must_use]
    pub fn solids(&self) -> Vec<ObjectPart> {
        let whole = |shape: &Shape| vec![(mesh::triangulate(shape), 0.0)];
        match *self {
            Self::Cube { size } => whole(&block([size; 3])),
            Self::Box { size } => whole(&block(size)),
            Self::Cylinder { radius, height } => whole(&Shape::Cylinder {
                radius,
                half_length: 0.5 * height,
            }),
            Self::Ball { radius } => whole(&Shape::Sphere { radius }),
            Self::Tray {
                inner,
                height,
                wall,
            } => tray(inner, height, wall),
        }
    }
}

/// A box with edges broken by a twentieth of its smallest side, at most 1.5 mm.
fn block(size: [f64; 3]) -> Shape {
    let smallest = size[0].min(size[1]).min(size[2]);
    Shape::RoundedBox {
        half_extents: size.map(|side| 0.5 * side),
        radius: (0.05 * smallest).min(1.5e-3),
    }
}

/// A floor with a rim around it: one plate with a hole, so that corners have no seams.
fn tray([length, width]: [f64; 2], height: f64, wall: f64) -> Vec<ObjectPart> {
    let rectangle = |x: f64, y: f64, radius: f64| {
        mesh::rounded(&[
            [x, y, radius],
            [-x, y, radius],
            [-x, -y, radius],
            [x, -y, radius],
        ])
    };
    let (x, y) = (0.5 * length, 0.5 * width);
    let bevel = 0.3 * wall;
    let rim = mesh::extrude(&mesh::Plate {
        outline: rectangle(x + wall, y + wall, 2.0 * wall),
        holes: vec![rectangle(x, y, wall)],
        half_depth: 0.5 * height,
        bevel,
        hole_bevel: bevel,
    });
    let floor = mesh::extrude(&mesh::Plate {
        outline: rectangle(x + 0.5 * wall, y + 0.5 * wall, wall),
        holes: Vec::new(),
        half_depth: 0.5 * wall,
        bevel: 0.0,
        hole_bevel: 0.0,
    });
    // The floor is just above the rim's underside, which would flicker through.
    vec![(rim, 0.5 * height), (floor, 0.5 * wall + 2e-5)]
}
