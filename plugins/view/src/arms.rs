//! Arms: one entity a link, placed by forward kinematics each frame.

use bevy::camera::visibility::RenderLayers;
use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::prelude::*;
use forearm_arm::{ArmModel, Material, kinematics};
use forearm_protocol::control::ArmIndex;
use forearm_protocol::scene::ArmSpec;
use nalgebra::Isometry3;

use crate::frames::{rotation_degrees, transform, vec3};
use crate::ghost::{Ghost, GhostKind, GhostMaterials};
use crate::interpolate::Picture;
use crate::meshes::ModelMeshes;
use crate::scene::{LoadedScene, SceneRoot};

/// Things that help the person but are no part of the scene: only the main camera sees this layer.
pub(crate) const HELPER_LAYER: usize = 1;

/// A link of an arm.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct ArmLink {
    pub(crate) arm: ArmIndex,
    pub(crate) link: usize,
}

/// The base of an arm, and the colour of its printed parts.
#[derive(Component, Debug, Clone)]
pub(crate) struct ArmBase {
    pub(crate) arm: ArmIndex,
    pub(crate) printed: Handle<StandardMaterial>,
}

/// Where every link is, in its arm's base frame.
#[derive(Resource, Debug, Default)]
pub(crate) struct LinkPoses {
    /// By arm, by link: where it is.
    pub(crate) measured: Vec<Vec<Isometry3<f64>>>,
    /// By arm, by link: where it would be with every joint at its target.
    pub(crate) commanded: Vec<Vec<Isometry3<f64>>>,
    /// By arm, by link: where the simulated twin of a real arm is; of others empty.
    pub(crate) twin: Vec<Vec<Isometry3<f64>>>,
}

/// Where an arm's base stands in the simulation's world.
pub(crate) fn base_transform(spec: &ArmSpec) -> Transform {
    Transform::from_translation(vec3(spec.position)).with_rotation(rotation_degrees([
        0.0,
        0.0,
        spec.yaw_degrees,
    ]))
}

pub(crate) fn spawn(
    mut commands: Commands,
    scene: Res<LoadedScene>,
    root: Res<SceneRoot>,
    mut cache: ResMut<ModelMeshes>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    cache.retain(&scene.models);
    let shared = [Material::Servo, Material::Metal, Material::Rubber].map(|material| {
        (
            material,
            materials.add(standard_material(material, [0.0; 3])),
        )
    });
    for (index, (spec, model)) in scene
        .bundle
        .scene
        .arms
        .iter()
        .zip(&scene.models)
        .enumerate()
    {
        let links = cache.of(model, &mut meshes);
        let printed = materials.add(standard_material(Material::Printed, spec.color));
        let ghosts = GhostKind::ALL.map(|kind| {
            (
                kind,
                materials.add(crate::ghost::material(kind, spec.color)),
            )
        });
        let base = commands
            .spawn((
                Name::new(format!("Arm {}", spec.name)),
                ArmBase {
                    arm: index,
                    printed: printed.clone(),
                },
                GhostMaterials(ghosts.each_ref().map(|(_, material)| material.clone())),
                base_transform(spec),
                Visibility::default(),
                ChildOf(root.0),
            ))
            .id();
        for (link, (meshes, description)) in links.iter().zip(&model.links).enumerate() {
            let entity = commands
                .spawn((
                    Name::new(description.name.clone()),
                    ArmLink { arm: index, link },
                    Transform::default(),
                    Visibility::default(),
                    ChildOf(base),
                ))
                .id();
            for (material, mesh) in &meshes.by_material {
                let handle = match shared.iter().find(|(known, _)| known == material) {
                    Some((_, handle)) => handle.clone(),
                    None if *material == Material::Printed => printed.clone(),
                    None => materials.add(standard_material(*material, spec.color)),
                };
                commands.spawn((
                    Name::new(format!("{} {}", description.name, label(*material))),
                    Mesh3d(mesh.clone()),
                    MeshMaterial3d(handle),
                    ChildOf(entity),
                ));
            }
            for (kind, material) in &ghosts {
                let Some(whole) = &meshes.whole else { break };
                commands.spawn((
                    Name::new(format!("{} {}", description.name, kind.label())),
                    Ghost {
                        arm: index,
                        link,
                        kind: *kind,
                    },
                    Mesh3d(whole.clone()),
                    MeshMaterial3d(material.clone()),
                    Transform::default(),
                    Visibility::Hidden,
                    RenderLayers::layer(HELPER_LAYER),
                    NotShadowCaster,
                    NotShadowReceiver,
                    ChildOf(base),
                ));
            }
        }
    }
}

/// Forward kinematics of the frame's picture.
pub(crate) fn solve(
    scene: Option<Res<LoadedScene>>,
    picture: Res<Picture>,
    mut poses: ResMut<LinkPoses>,
) {
    let Some(scene) = scene else { return };
    let LinkPoses {
        measured,
        commanded,
        twin,
    } = &mut *poses;
    for all in [&mut *measured, &mut *commanded, &mut *twin] {
        all.resize_with(scene.models.len(), Vec::new);
    }
    for (index, (model, arm)) in scene.models.iter().zip(&picture.arms).enumerate() {
        pose(model, &arm.positions, &mut measured[index]);
        pose(model, &arm.targets, &mut commanded[index]);
        if arm.twin.is_empty() {
            twin[index].clear();
        } else {
            pose(model, &arm.twin, &mut twin[index]);
        }
    }
}

pub(crate) fn place(poses: Res<LinkPoses>, mut links: Query<(&ArmLink, &mut Transform)>) {
    for (link, mut place) in &mut links {
        let pose = poses
            .measured
            .get(link.arm)
            .and_then(|arm| arm.get(link.link));
        if let Some(pose) = pose {
            place.set_if_neq(transform(pose));
        }
    }
}

/// A joint vector of another length (a state of another model) leaves the arm where it was.
fn pose(model: &ArmModel, joints: &[f64], out: &mut Vec<Isometry3<f64>>) {
    if joints.len() == model.dof() && joints.iter().all(|value| value.is_finite()) {
        kinematics::link_poses(model, joints, out);
    }
}

fn label(material: Material) -> &'static str {
    match material {
        Material::Printed => "printed",
        Material::Servo => "servo",
        Material::Metal => "metal",
        Material::Rubber => "rubber",
        Material::Color(_) => "coloured",
    }
}

fn standard_material(material: Material, [red, green, blue]: [f32; 3]) -> StandardMaterial {
    let (base_color, roughness, metallic, reflectance) = match material {
        Material::Printed => (Color::srgb(red, green, blue), 0.62, 0.0, 0.35),
        Material::Servo => (Color::srgb(0.2, 0.202, 0.21), 0.48, 0.0, 0.5),
        Material::Metal => (Color::srgb(0.86, 0.87, 0.88), 0.38, 0.6, 0.5),
        Material::Rubber => (Color::srgb(0.12, 0.12, 0.125), 0.9, 0.0, 0.3),
        Material::Color([red, green, blue, alpha]) => {
            (Color::srgba(red, green, blue, alpha), 0.6, 0.0, 0.4)
        }
    };
    StandardMaterial {
        base_color,
        perceptual_roughness: roughness,
        metallic,
        reflectance,
        alpha_mode: if base_color.alpha() < 0.999 {
            AlphaMode::Blend
        } else {
            AlphaMode::Opaque
        },
        ..default()
    }
}
