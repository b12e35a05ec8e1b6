//! Every solid is closed, outward, finite, and about as large as geometry says.

use core::f64::consts::PI;
use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// Panics unless the mesh is a closed surface with outward triangles and fitting unit normals;
/// otherwise its volume.
fn check(mesh: &TriMesh) -> f64 {
    assert_eq!(mesh.positions.len(), mesh.normals.len());
    assert!(!mesh.triangles.is_empty(), "no triangles");
    let key = |index: u32| {
        mesh.positions[index as usize].map(|value| {
            assert!(value.is_finite());
            (value + 0.0).to_bits()
        })
    };
    let mut edges: HashMap<_, i32> = HashMap::new();
    let mut volume = 0.0;
    for face in &mesh.triangles {
        let [a, b, c] =
            face.map(|index| nalgebra::Vector3::from(mesh.positions[index as usize]).cast::<f64>());
        volume += a.dot(&b.cross(&c)) / 6.0;
        let flat = (b - a).cross(&(c - a));
        for (i, index) in face.iter().enumerate() {
            let normal = nalgebra::Vector3::from(mesh.normals[*index as usize]).cast::<f64>();
            assert!((normal.norm() - 1.0).abs() < 1e-4, "normal {normal:?}");
            assert!(normal.dot(&flat) > 0.0, "a normal points into its triangle");
            let (from, to) = (key(*index), key(face[(i + 1) % 3]));
            *edges.entry((from, to)).or_default() += 1;
            *edges.entry((to, from)).or_default() -= 1;
        }
    }
    assert!(
        edges.values().all(|balance| *balance == 0),
        "the surface has a gap"
    );
    assert!(volume > 0.0, "inside out: {volume}");
    volume
}

fn close(mesh: &TriMesh, expected: f64, tolerance: f64) {
    let volume = check(mesh);
    assert!(
        (volume / expected - 1.0).abs() < tolerance,
        "volume {volume}, expected {expected}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn boxes(x in 0.001..0.2, y in 0.001..0.2, z in 0.001..0.2, rounding in 0.0..1.2) {
        let half_extents = [x, y, z];
        let volume = 8.0 * x * y * z;
        close(&triangulate(&Shape::Box { half_extents }), volume, 1e-4);
        let radius = rounding * x.min(y).min(z);
        let rounded = check(&triangulate(&Shape::RoundedBox { half_extents, radius }));
        prop_assert!(rounded < volume * 1.0001 && rounded > 0.45 * volume);
    }

    #[test]
    fn round_ones(radius in 0.0005..0.2, half_length in 0.0005..0.2, hole in 0.05..0.95) {
        let disc = PI * radius * radius;
        let ball = disc * radius * 4.0 / 3.0;
        close(&triangulate(&Shape::Sphere { radius }), ball, 0.12);
        close(&triangulate(&Shape::Capsule { radius, half_length }),
            ball + disc * 2.0 * half_length, 0.12);
        close(&triangulate(&Shape::Cylinder { radius, half_length }),
            disc * 2.0 * half_length, 0.12);
        let inner_radius = radius * hole;
        close(&triangulate(&Shape::Tube { outer_radius: radius, inner_radius, half_length }),
            disc * (1.0 - hole * hole) * 2.0 * half_length, 0.25);
    }

    #[test]
    fn stars(spokes in prop::collection::vec(0.01f64..0.05, 3..24), half_depth in 0.001..0.05,
        bevel in 0.0..0.01, backwards: bool)
    {
        let count = spokes.len() as f64;
        let mut outline: Vec<[f64; 2]> = spokes.iter().enumerate().map(|(i, length)| {
            let (sin, cos) = libm::sincos(2.0 * PI * i as f64 / count);
            [length * cos, length * sin]
        }).collect();
        let area = polygon::area(&outline);
        if backwards {
            outline.reverse();
        }
        let sharp = Shape::Extrusion { outline: outline.clone(), half_depth, bevel: 0.0 };
        close(&triangulate(&sharp), area * 2.0 * half_depth, 1e-3);
        let bevelled = check(&triangulate(&Shape::Extrusion { outline, half_depth, bevel }));
        prop_assert!(bevelled < area * 2.0 * half_depth * 1.001);
    }

    #[test]
    fn perforated_plates(columns in 1usize..5, rows in 1usize..4, bevel in 0.0..0.0012) {
        let outline = rounded(&[
            [0.0, 0.0, 0.003], [0.1, 0.0, 0.01], [0.1, 0.08, 0.004], [0.0, 0.08, 0.0],
        ]);
        let holes: Vec<_> = (0..columns).flat_map(|i| (0..rows).map(move |j| {
            circle([0.015 + 0.02 * i as f64, 0.015 + 0.022 * j as f64], 0.006)
        })).collect();
        let area = polygon::area(&outline) - holes.iter().map(|h| polygon::area(h)).sum::<f64>();
        let plate = Plate { outline, holes, half_depth: 0.005, bevel, hole_bevel: bevel };
        close(&extrude(&plate), area * 0.01, 0.06);
    }

    #[test]
    fn hostile_outlines_do_no_harm(
        outline in prop::collection::vec(prop::array::uniform2(-0.1f64..0.1), 0..12),
        lengths in prop::array::uniform2(prop::num::f64::ANY),
    ) {
        let [half_depth, bevel] = lengths;
        for half_depth in [0.01, half_depth] {
            let shape = Shape::Extrusion { outline: outline.clone(), half_depth, bevel };
            let mesh = triangulate(&shape);
            prop_assert!(mesh.positions.iter().flatten().all(|value| !value.is_nan()));
        }
    }
}

#[test]
fn impossible_lengths_make_empty_meshes() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for shape in [
            Shape::Box {
                half_extents: [bad, 1.0, 1.0],
            },
            Shape::RoundedBox {
                half_extents: [1.0, bad, 1.0],
                radius: 0.1,
            },
            Shape::Cylinder {
                radius: bad,
                half_length: 1.0,
            },
            Shape::Sphere { radius: bad },
            Shape::Tube {
                outer_radius: bad,
                inner_radius: 0.1,
                half_length: 1.0,
            },
            Shape::Extrusion {
                outline: vec![[0.0, 0.0], [1.0, 0.0], [1.0, bad]],
                half_depth: bad,
                bevel: 0.0,
            },
        ] {
            assert_eq!(triangulate(&shape), TriMesh::default(), "{shape:?}");
        }
    }
}

#[test]
fn a_loft_is_a_solid_whichever_way_it_runs() {
    let section = |z: f64, size: f64| -> Vec<[f64; 3]> {
        circle([0.0, 0.0], 0.02)
            .iter()
            .map(|[x, y]| [x * size, y * size, z])
            .collect()
    };
    let mut sections = vec![section(0.0, 1.0), section(0.02, 1.3), section(0.05, 0.5)];
    let up = check(&loft(&sections));
    sections.reverse();
    assert!((up / check(&loft(&sections)) - 1.0).abs() < 1e-5);
    assert_eq!(loft(&sections[..1]), TriMesh::default());
}

#[test]
fn a_bevelled_plate_stays_flat_in_the_middle_of_its_faces() {
    let mesh = triangulate(&Shape::RoundedBox {
        half_extents: [0.05, 0.04, 0.01],
        radius: 0.002,
    });
    let tops = mesh
        .positions
        .iter()
        .zip(&mesh.normals)
        .filter(|(p, _)| p[2] > 0.01 - 1e-6);
    for (_, normal) in tops {
        assert!(normal[2] > 0.99, "{normal:?}");
    }
}

#[test]
fn normals_for_a_mesh_from_a_file() {
    let cube = triangulate(&Shape::Box {
        half_extents: [0.5; 3],
    });
    let mut triangles = cube.triangles.clone();
    triangles.push([0, 1, 9999]);
    triangles.push([0, 0, 1]);
    let again = with_normals(&cube.positions, &triangles);
    assert_eq!(again.triangles.len(), 12);
    assert_eq!(
        again.positions.len(),
        24,
        "hard edges have a normal for each face"
    );
    check(&triangulate(&Shape::Mesh(Arc::new(again))));
}
