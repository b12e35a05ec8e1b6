//! Brings the picture in line with the edited scene. What a hand changes while it drags (places,
//! sizes, colours, lenses, lamps) is changed in place; for anything else the scene is built anew.

use std::sync::Arc;

use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use forearm_protocol::scene::{CameraMount, LightSpec, Scene};

use super::{EDITED, EditedScene, is_edited};
use crate::arms::{ArmBase, base_transform};
use crate::cameras::{SceneCamera, camera_place, lens};
use crate::interpolate::{Picture, at_home};
use crate::objects::{SceneObject, object_mesh};
use crate::scene::LoadedScene;
use crate::stage::{SceneLight, sun_place};
use crate::surroundings::Surroundings;

/// The control service's scene, shown or not.
#[derive(Resource, Debug, Default)]
pub(crate) struct LiveScene(pub(crate) Option<LoadedScene>);

/// What is changed in place.
#[derive(SystemParam)]
pub(crate) struct Drawn<'w, 's> {
    objects: Query<
        'w,
        's,
        (
            &'static SceneObject,
            &'static mut Mesh3d,
            &'static MeshMaterial3d<StandardMaterial>,
        ),
    >,
    places: Query<
        'w,
        's,
        (
            &'static mut Transform,
            Option<&'static ArmBase>,
            Option<&'static SceneCamera>,
            Option<&'static SceneLight>,
        ),
        Or<(With<ArmBase>, With<SceneCamera>, With<SceneLight>)>,
    >,
    lenses: Query<'w, 's, (&'static SceneCamera, &'static mut Projection)>,
    lamps: Query<'w, 's, (&'static SceneLight, &'static mut PointLight)>,
    suns: Query<'w, 's, (&'static SceneLight, &'static mut DirectionalLight)>,
    meshes: ResMut<'w, Assets<Mesh>>,
    materials: ResMut<'w, Assets<StandardMaterial>>,
    surroundings: Option<ResMut<'w, Surroundings>>,
    picture: ResMut<'w, Picture>,
}

/// Shows the edited scene, or the control service's again.
pub(crate) fn follow(
    edited: Res<EditedScene>,
    live: Res<LiveScene>,
    loaded: Option<ResMut<LoadedScene>>,
    mut drawn: Drawn,
    mut commands: Commands,
) {
    if !edited.is_changed() {
        return;
    }
    let Some(new) = &edited.shown else {
        let stale = loaded.is_some_and(|loaded| is_edited(&loaded));
        if let Some(live) = live.0.as_ref().filter(|_| stale && !edited.keep) {
            commands.insert_resource(live.clone());
        }
        return;
    };
    let scene = LoadedScene {
        generation: EDITED,
        bundle: Arc::clone(&new.bundle),
        models: new.models.clone(),
    };
    match loaded {
        Some(mut loaded)
            if is_edited(&loaded) && built_alike(&loaded.bundle.scene, &new.bundle.scene) =>
        {
            if loaded.bundle.scene != new.bundle.scene {
                drawn.adjust(&loaded.bundle.scene, &scene);
                // No change that anything has to be built anew for.
                *loaded.bypass_change_detection() = scene;
            }
        }
        _ => commands.insert_resource(scene),
    }
}

/// Whether two scenes have the same entities, which may be elsewhere and look different.
fn built_alike(one: &Scene, other: &Scene) -> bool {
    fn all<T>(one: &[T], other: &[T], alike: impl Fn(&T, &T) -> bool) -> bool {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
    }
    one.table == other.table
        && all(&one.arms, &other.arms, |one, other| {
            one.name == other.name && one.model == other.model
        })
        && all(&one.objects, &other.objects, |one, other| {
            one.name == other.name
        })
        && all(&one.cameras, &other.cameras, |one, other| {
            let mount = match (&one.mount, &other.mount) {
                (CameraMount::World { .. }, CameraMount::World { .. }) => true,
                (
                    CameraMount::Link { arm, link, .. },
                    CameraMount::Link {
                        arm: other,
                        link: other_link,
                        ..
                    },
                ) => arm == other && link == other_link,
                _ => false,
            };
            mount
                && one.name == other.name
                && one.resolution == other.resolution
                && one.fps == other.fps
        })
        && all(&one.lights, &other.lights, |one, other| {
            core::mem::discriminant(one) == core::mem::discriminant(other)
        })
}

impl Drawn<'_, '_> {
    fn adjust(&mut self, old: &Scene, loaded: &LoadedScene) {
        let new = &loaded.bundle.scene;
        *self.picture = at_home(loaded);
        for (object, mut mesh, material) in &mut self.objects {
            let pair = old.objects.get(object.0).zip(new.objects.get(object.0));
            let Some((old, new)) = pair else { continue };
            if old.shape != new.shape {
                mesh.0 = self.meshes.add(object_mesh(&new.shape));
            }
            if old.color != new.color {
                paint(&mut self.materials, &material.0, new.color);
            }
        }
        for (mut place, base, camera, light) in &mut self.places {
            let at = if let Some(base) = base {
                let pair = old.arms.get(base.arm).zip(new.arms.get(base.arm));
                if let Some((old, new)) = pair
                    && old.color != new.color
                {
                    paint(&mut self.materials, &base.printed, new.color);
                }
                new.arms.get(base.arm).map(base_transform)
            } else if let Some(camera) = camera {
                new.cameras
                    .get(camera.0)
                    .map(|camera| camera_place(&camera.mount))
            } else {
                light.and_then(|light| match new.lights.get(light.0)? {
                    LightSpec::Sun { from, .. } => Some(sun_place(crate::frames::vec3(*from))),
                    LightSpec::Point { position, .. } => {
                        Some(Transform::from_translation(crate::frames::vec3(*position)))
                    }
                    LightSpec::Ambient { .. } => None,
                })
            };
            if let Some(at) = at {
                place.set_if_neq(at);
            }
        }
        for (camera, mut projection) in &mut self.lenses {
            let pair = old.cameras.get(camera.0).zip(new.cameras.get(camera.0));
            if let Some((old, new)) = pair
                && old.fov_y_degrees != new.fov_y_degrees
            {
                *projection = lens(new);
            }
        }
        if old.lights == new.lights {
            return;
        }
        for (light, mut lamp) in &mut self.lamps {
            if let Some(LightSpec::Point { lumens, .. }) = new.lights.get(light.0) {
                lamp.intensity = *lumens as f32;
            }
        }
        for (light, mut sun) in &mut self.suns {
            if let Some(LightSpec::Sun { lux, .. }) = new.lights.get(light.0) {
                sun.illuminance = *lux as f32;
            }
        }
        let ambient = new.lights.iter().rev().find_map(|light| match light {
            LightSpec::Ambient { brightness } => Some(*brightness as f32),
            _ => None,
        });
        if let (Some(brightness), Some(surroundings)) = (ambient, &mut self.surroundings) {
            surroundings.light.intensity = brightness;
        }
    }
}

fn paint(
    materials: &mut Assets<StandardMaterial>,
    handle: &Handle<StandardMaterial>,
    [red, green, blue]: [f32; 3],
) {
    if let Some(mut material) = materials.get_mut(handle) {
        material.base_color = Color::srgb(red, green, blue);
    }
}
