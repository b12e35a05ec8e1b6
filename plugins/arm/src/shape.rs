//! Geometry of visuals and colliders, as data. Metres, shape frame.

use std::sync::Arc;

/// A solid in its own frame, metres.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A box with its centre in the origin, sharp edges.
    Box {
        /// Half of each side, metres.
        half_extents: [f64; 3],
    },
    /// A box with its centre in the origin and rounded edges, as printed parts have.
    RoundedBox {
        /// Half of each side, rounding included, metres.
        half_extents: [f64; 3],
        /// The edges' radius, metres.
        radius: f64,
    },
    /// A cylinder along Z, centre in the origin.
    Cylinder {
        /// Radius, metres.
        radius: f64,
        /// Half of its length, metres.
        half_length: f64,
    },
    /// A capsule along Z, centre in the origin.
    Capsule {
        /// Radius, metres.
        radius: f64,
        /// Half of the cylindrical part's length, metres.
        half_length: f64,
    },
    /// A ball, centre in the origin.
    Sphere {
        /// Radius, metres.
        radius: f64,
    },
    /// A ring or tube along Z, centre in the origin: a cylinder with a round hole.
    Tube {
        /// Outer radius, metres.
        outer_radius: f64,
        /// The hole's radius, metres.
        inner_radius: f64,
        /// Half of its length, metres.
        half_length: f64,
    },
    /// A simple polygon in the XY plane (anticlockwise), extruded along Z about z = 0, with
    /// bevelled rims.
    Extrusion {
        /// Corners, metres.
        outline: Vec<[f64; 2]>,
        /// Half of the thickness, metres.
        half_depth: f64,
        /// Width of the bevel on both rims, metres; zero for none.
        bevel: f64,
    },
    /// Triangles, usually read from a file.
    Mesh(Arc<TriMesh>),
}

/// A triangle mesh.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TriMesh {
    /// Vertices, metres.
    pub positions: Vec<[f32; 3]>,
    /// One unit normal a vertex.
    pub normals: Vec<[f32; 3]>,
    /// Anticlockwise triangles seen from outside, indices of vertices.
    pub triangles: Vec<[u32; 3]>,
}
