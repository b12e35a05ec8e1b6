//! Meshes: formats, names, scale, inertia, and files that are none.

use forearm_arm::import::{self, Imported};
use forearm_arm::{Shape, TriMesh};

/// Corners and triangles of a tetrahedron with three edges of one metre along the axes.
const CORNERS: [[f32; 3]; 4] = [
    [0.0, 0.0, 0.0],
    [1.0, 0.0, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.0, 1.0],
];
const FACES: [[usize; 3]; 4] = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];

pub(crate) fn binary_stl(header: &[u8]) -> Vec<u8> {
    let mut bytes = header.to_vec();
    bytes.resize(80, b' ');
    bytes.extend((FACES.len() as u32).to_le_bytes());
    for face in FACES {
        bytes.extend([0; 12]);
        for corner in face {
            bytes.extend(CORNERS[corner].iter().flat_map(|x| x.to_le_bytes()));
        }
        bytes.extend([0; 2]);
    }
    bytes
}

pub(crate) fn text_stl(name: &str) -> Vec<u8> {
    let mut text = format!("solid{name}\n");
    for face in FACES {
        text += " facet normal 0 0 1\n  outer loop\n";
        for corner in face {
            let [x, y, z] = CORNERS[corner];
            text += &format!("   vertex {x} {y} {z:e}\n");
        }
        text += "  endloop\n endfacet\n";
    }
    (text + "endsolid\n").into_bytes()
}

pub(crate) fn obj() -> Vec<u8> {
    let mut text = String::from("mtllib no.mtl\no thing\n");
    for [x, y, z] in CORNERS {
        text += &format!("v {x} {y} {z}\n");
    }
    for face in FACES {
        text += &format!("f {} {} {}\n", face[0] + 1, face[1] + 1, face[2] + 1);
    }
    text.into_bytes()
}

pub(crate) fn urdf_with(mesh: &str) -> String {
    format!(
        r#"<robot name="m"><link name="a"/><link name="b">
  <visual><geometry>{mesh}</geometry></visual></link>
<joint name="j" type="revolute"><parent link="a"/><child link="b"/>
<limit lower="0" upper="1" effort="1" velocity="1"/></joint></robot>"#
    )
}

fn load(file: &str, scale: &str, bytes: Vec<u8>) -> Result<Imported, String> {
    let text = urdf_with(&format!(r#"<mesh filename="{file}" scale="{scale}"/>"#));
    import::model(&text, &mut |_| Ok(bytes.clone())).map_err(|error| error.to_string())
}

fn mesh_of(imported: &Imported) -> &TriMesh {
    match &imported.model.links[1].visuals[0].shape {
        Shape::Mesh(mesh) => mesh,
        other => panic!("{other:?}"),
    }
}

/// The volume that a mesh encloses, positive if its triangles look outwards.
fn volume(mesh: &TriMesh) -> f64 {
    let point = |i: u32| nalgebra::Vector3::from(mesh.positions[i as usize]).cast::<f64>();
    let parts = mesh.triangles.iter().map(|t| t.map(point));
    parts.map(|[a, b, c]| a.dot(&b.cross(&c)) / 6.0).sum()
}

#[test]
fn every_format_gives_the_same_solid() {
    let files = [
        ("a.stl", binary_stl(b"made by a test")),
        ("a.STL", binary_stl(b"solid but binary")),
        ("a.stl", text_stl(" with a name")),
        ("a.stl", text_stl("")),
        ("a.obj", obj()),
    ];
    for (name, bytes) in files {
        let imported = load(name, "0.1 0.2 0.3", bytes.clone()).unwrap();
        let mesh = mesh_of(&imported);
        assert_eq!(mesh.triangles.len(), 4);
        assert!(
            (volume(mesh) - 0.006 / 6.0).abs() < 1e-9,
            "{name}: {}",
            volume(mesh)
        );
        // Sharp edges: every face has its own corners.
        assert_eq!(mesh.positions.len(), 12);
        let mirrored = load(name, "-0.1 0.2 0.3", bytes).unwrap();
        assert!((volume(mesh_of(&mirrored)) - 0.001).abs() < 1e-9);
        // Water of that volume, and the centre of mass a quarter along each edge.
        let inertial = imported.model.links[1].inertial;
        assert!((inertial.mass - 1.0).abs() < 1e-5, "{}", inertial.mass);
        let center = inertial.link_from_inertial.translation.vector;
        assert!((center - nalgebra::Vector3::new(0.025, 0.05, 0.075)).norm() < 1e-6);
        // Of a tetrahedron with edges a, b, c: ixx = 3/80 m (b² + c²), ixy = m a b / 80.
        assert!((inertial.inertia[0] - 3.0 / 80.0 * 0.13).abs() < 1e-6);
        assert!(
            (inertial.inertia[3] - 0.02 / 80.0).abs() < 1e-6,
            "{:?}",
            inertial.inertia
        );
    }
}

#[test]
fn an_objs_own_normals_are_kept() {
    let text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0.6 0.8\nf 1//1 2//1 3//1\n";
    let imported = load("a.obj", "1 1 1", text.into()).unwrap();
    assert_eq!(mesh_of(&imported).normals, [[0.0, 0.6, 0.8]; 3]);
}

#[test]
fn names_are_listed_and_asked_for_alike() {
    let urdf = urdf_with(r#"<mesh filename="package://arm_description/meshes/a.stl"/>"#).replace(
        "</robot>",
        r#"<link name="x"><visual><geometry><mesh filename="b.dae"/>
        </geometry></visual></link><joint name="f" type="fixed"><parent link="a"/>
        <child link="x"/></joint></robot>"#,
    );
    assert_eq!(import::mesh_names(&urdf), ["meshes/a.stl"]);
    let mut asked = Vec::new();
    let imported = import::urdf(&urdf, &mut |name| {
        asked.push(name.to_owned());
        Ok(obj_as_stl())
    })
    .unwrap();
    assert_eq!(asked, ["meshes/a.stl"]);
    let notes = crate::notes(&imported);
    assert!(
        notes
            .iter()
            .any(|note| note.contains("mesh `b.dae` is neither STL nor OBJ")),
        "{notes:?}"
    );

    let mjcf = r#"<mujoco><compiler meshdir="assets/"/>
      <asset><mesh file="part.stl" scale="0.1 0.1 0.1"/><mesh name="other" file="b.obj"/></asset>
      <worldbody><body><geom type="mesh" mesh="part"/><geom type="mesh" mesh="part"/>
        <body><joint range="0 1"/><geom type="mesh" mesh="part"/></body></body></worldbody>
    </mujoco>"#;
    assert_eq!(
        import::mesh_names(mjcf),
        ["assets/part.stl", "assets/b.obj"]
    );
    let mut asked = Vec::new();
    let imported = import::mjcf(mjcf, &mut |name| {
        asked.push(name.to_owned());
        Ok(obj_as_stl())
    })
    .unwrap();
    // Asked for once, though three geoms show it.
    assert_eq!(asked, ["assets/part.stl"]);
    assert!((imported.model.links[1].inertial.mass - 1.0 / 6.0).abs() < 1e-6);
    assert!(import::mesh_names("nonsense").is_empty());
}

fn obj_as_stl() -> Vec<u8> {
    binary_stl(b"")
}

#[test]
fn files_that_are_no_mesh_are_refused() {
    let check = |file: &str, bytes: &[u8], expected: &str| {
        let message = load(file, "1 1 1", bytes.to_vec()).unwrap_err();
        assert!(message.starts_with("line 2, <mesh filename="), "{message}");
        assert!(message.contains(expected), "{message}");
    };
    check("a.stl", b"", "has 0 bytes");
    check("a.stl", b"solid x\nfacet normal 0 0 nan\n", "is no STL");
    let mut stl = binary_stl(b"");
    check(
        "a.stl",
        &stl[..200],
        "is cut short: 200 bytes; expected 284",
    );
    stl[80..84].fill(0xff);
    check("a.stl", &stl, "has 4294967295 triangles");
    let mut far = binary_stl(b"");
    far[96..100].copy_from_slice(&1e30_f32.to_le_bytes());
    check("a.stl", &far, "has a point at");
    far[96..100].copy_from_slice(&f32::NAN.to_le_bytes());
    check("a.stl", &far, "has a point at");
    check("a.obj", b"v 0 0 0\nf 1 2 3\n", "is no OBJ");
    check("a.obj", b"v 0 0 0\n", "has no triangle with an area");
    check(
        "a.obj",
        b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n",
        "has no triangle with an area",
    );
    let mut fan = String::from("v 0 0 0\n");
    for i in 0..6000 {
        fan += &format!("v 1 {i} 0\n");
    }
    for i in 2..6000 {
        fan += &format!("f 1 {i} {}\n", i + 1);
    }
    check("a.obj", fan.as_bytes(), "more than 4096 triangles around");
    let message = load("a.stl", "1 0 1", binary_stl(b"")).unwrap_err();
    assert!(
        message.contains("expected numbers other than 0"),
        "{message}"
    );
}
