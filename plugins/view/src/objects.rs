//! The things on the table: solids with slightly broken edges, in the scene's colours.

use bevy::prelude::*;
use forearm_arm::{Shape, mesh};
use forearm_protocol::scene::ObjectShape;
use nalgebra::Isometry3;

use crate::interpolate::Picture;
use crate::meshes::{MeshBuilder, solid};
use crate::scene::{LoadedScene, SceneRoot};

/// A thing of the scene, by its index.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct SceneObject(pub(crate) usize);

pub(crate) fn spawn(
    mut commands: Commands,
    scene: Res<LoadedScene>,
    root: Res<SceneRoot>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    for (index, object) in scene.bundle.scene.objects.iter().enumerate() {
        let [red, green, blue] = object.color;
        let material = StandardMaterial {
            base_color: Color::srgb(red, green, blue),
            perceptual_roughness: 0.55,
            reflectance: 0.4,
            ..default()
        };
        commands.spawn((
            Name::new(format!("Object {}", object.name)),
            SceneObject(index),
            Mesh3d(meshes.add(object_mesh(&object.shape))),
            MeshMaterial3d(materials.add(material)),
            Transform::default(),
            ChildOf(root.0),
        ));
    }
}

pub(crate) fn place(picture: Res<Picture>, mut objects: Query<(&SceneObject, &mut Transform)>) {
    for (object, mut place) in &mut objects {
        if let Some(pose) = picture.objects.get(object.0) {
            place.set_if_neq(*pose);
        }
    }
}

/// The mesh of an object in its own frame.
fn object_mesh(shape: &ObjectShape) -> Mesh {
    match *shape {
        ObjectShape::Cube { size } => solid(&block([size; 3])),
        ObjectShape::Box { size } => solid(&block(size)),
        ObjectShape::Cylinder { radius, height } => solid(&Shape::Cylinder {
            radius,
            half_length: 0.5 * height,
        }),
        ObjectShape::Ball { radius } => solid(&Shape::Sphere { radius }),
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => tray(inner, height, wall),
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
fn tray([length, width]: [f64; 2], height: f64, wall: f64) -> Mesh {
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
    let mut builder = MeshBuilder::default();
    builder.add(&rim, &Isometry3::translation(0.0, 0.0, 0.5 * height));
    // Just above the rim's underside, which would flicker through.
    builder.add(&floor, &Isometry3::translation(0.0, 0.0, 0.5 * wall + 2e-5));
    builder.build()
}
