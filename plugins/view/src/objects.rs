//! The things on the table: solids with slightly broken edges, in the scene's colours.

use bevy::prelude::*;
use forearm_protocol::scene::ObjectShape;
use nalgebra::Isometry3;

use crate::interpolate::Picture;
use crate::meshes::MeshBuilder;
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
pub(crate) fn object_mesh(shape: &ObjectShape) -> Mesh {
    let mut builder = MeshBuilder::default();
    for (part, up) in shape.solids() {
        builder.add(&part, &Isometry3::translation(0.0, 0.0, up));
    }
    builder.build()
}
