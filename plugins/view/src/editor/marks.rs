//! Lines around what is selected, and marks for what has no looks of its own: cameras and lights.

use bevy::camera::primitives::Aabb;
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use forearm_protocol::scene::edit::Item;
use forearm_protocol::scene::{CameraMount, LightSpec, ObjectShape};

use super::EditedScene;
use super::handle::{Place, place_of};
use crate::arms::{ArmLink, HELPER_LAYER, LinkPoses};
use crate::cameras::CameraFeeds;
use crate::frames::{bevy_from_world, vec3};
use crate::gizmos::{CAMERA_COLOR, HelperLines, bevy_from_base, frustum};
use crate::orbit::MainCamera;
use crate::scene::LoadedScene;

/// The lines of handles: wider than other helpers.
#[derive(Default, Reflect, GizmoConfigGroup)]
pub(crate) struct EditLines;

const SELECTED: Color = Color::srgb(1.0, 0.62, 0.1);
const LIGHT: Color = Color::srgb(1.0, 0.9, 0.55);
/// Between a thing and the lines around it, metres.
const GAP: f32 = 1e-3;
/// Size of the marks of lights and aims, metres.
const MARK: f32 = 0.014;

pub(crate) fn setup(mut store: ResMut<GizmoConfigStore>) {
    let (config, _) = store.config_mut::<EditLines>();
    config.depth_bias = -1.0;
    config.line.width = 3.5;
    config.render_layers = RenderLayers::layer(HELPER_LAYER);
}

/// While a scene is edited only the selected camera draws: its image is the one in sight.
pub(crate) fn choose_feeds(
    edited: Res<EditedScene>,
    mut feeds: ResMut<CameraFeeds>,
    mut chosen: Local<bool>,
) {
    let Some(shown) = &edited.shown else {
        if std::mem::take(&mut *chosen) {
            for feed in &mut feeds.feeds {
                feed.enabled = true;
            }
        }
        return;
    };
    *chosen = true;
    for (index, feed) in feeds.feeds.iter_mut().enumerate() {
        feed.enabled = matches!(
            shown.selected,
            Some(Item::Camera(at) | Item::LookAt(at)) if at == index
        );
    }
}

pub(crate) fn outline(
    edited: Res<EditedScene>,
    scene: Res<LoadedScene>,
    poses: Res<LinkPoses>,
    links: Query<(&ArmLink, &Children)>,
    solids: Query<(&Aabb, &GlobalTransform)>,
    eye: Single<&GlobalTransform, With<MainCamera>>,
    mut lines: Gizmos<HelperLines>,
) {
    let Some(shown) = &edited.shown else { return };
    let spec = &scene.bundle.scene;
    let facing = |at: Vec3| Isometry3d::new(at, eye.rotation());
    for (index, camera) in spec.cameras.iter().enumerate() {
        let Some(place) = place_of(&scene, &poses, Item::Camera(index)) else {
            continue;
        };
        let chosen =
            matches!(shown.selected, Some(Item::Camera(at) | Item::LookAt(at)) if at == index);
        let color = if chosen {
            SELECTED
        } else {
            CAMERA_COLOR.with_alpha(0.45)
        };
        let at = GlobalTransform::from(
            Transform::from_translation(place.middle).with_rotation(place.own),
        );
        frustum(&mut lines, &at, camera, color);
        if let CameraMount::World { look_at, .. } = camera.mount
            && chosen
        {
            let aim = bevy_from_world() * vec3(look_at);
            lines.line(place.middle, aim, color.with_alpha(0.5));
            lines.circle(facing(aim), MARK, color).resolution(24);
            lines.circle(facing(aim), 0.3 * MARK, color).resolution(12);
        }
    }
    for (index, light) in spec.lights.iter().enumerate() {
        let Some(place) = place_of(&scene, &poses, Item::Light(index)) else {
            continue;
        };
        let color = if shown.selected == Some(Item::Light(index)) {
            SELECTED
        } else {
            LIGHT
        };
        lines
            .circle(facing(place.middle), MARK, color)
            .resolution(24);
        let turned = eye.rotation();
        for ray in 0..8 {
            let (sin, cos) = (core::f32::consts::FRAC_PI_4 * ray as f32).sin_cos();
            let out = turned * Vec3::new(cos, sin, 0.0) * MARK;
            lines.line(place.middle + 1.35 * out, place.middle + 1.9 * out, color);
        }
        if let LightSpec::Sun { from, .. } = light
            && let Some(toward) = vec3(*from).try_normalize()
        {
            let to = place.middle - bevy_from_world() * toward * 0.12;
            lines.arrow(place.middle, to, color).with_tip_length(0.02);
        }
    }
    match shown.selected {
        Some(item @ Item::Object(index)) => {
            let place = place_of(&scene, &poses, item);
            if let Some((object, place)) = spec.objects.get(index).zip(place) {
                around(&mut lines, &object.shape, &place);
            }
        }
        Some(Item::Arm(index)) => {
            let Some(base) = bevy_from_base(&scene, index) else {
                return;
            };
            let back = base.to_matrix().inverse();
            let (mut low, mut high) = (Vec3::splat(f32::INFINITY), Vec3::splat(f32::NEG_INFINITY));
            for (_, children) in links.iter().filter(|(link, _)| link.arm == index) {
                for (bounds, place) in children.iter().filter_map(|child| solids.get(child).ok()) {
                    for corner in corners(bounds.half_extents.into()) {
                        let corner = place.transform_point(Vec3::from(bounds.center) + corner);
                        let corner = back.transform_point3(corner);
                        (low, high) = (low.min(corner), high.max(corner));
                    }
                }
            }
            if low.is_finite() && high.is_finite() {
                let half = 0.5 * (high - low) + GAP;
                brackets(
                    &mut lines,
                    base * Transform::from_translation(0.5 * (low + high)),
                    half,
                );
            }
        }
        Some(item @ Item::Table) => {
            if let Some(place) = place_of(&scene, &poses, item) {
                let half = Vec3::new(
                    0.5 * spec.table.size[0] as f32,
                    0.5 * spec.table.size[1] as f32,
                    0.0,
                );
                let at = Transform::from_translation(place.middle).with_rotation(place.own);
                boxed(&mut lines, at, half + GAP);
            }
        }
        _ => {}
    }
}

/// Lines around an object.
fn around(lines: &mut Gizmos<HelperLines>, shape: &ObjectShape, place: &Place) {
    let at = Transform::from_translation(place.middle).with_rotation(place.own);
    let half = |size: [f64; 3]| 0.5 * vec3(size) + GAP;
    match *shape {
        ObjectShape::Cube { size } => boxed(lines, at, half([size; 3])),
        ObjectShape::Box { size } => boxed(lines, at, half(size)),
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => {
            let up = Transform::from_xyz(0.0, 0.0, 0.5 * height as f32);
            boxed(
                lines,
                at * up,
                half([inner[0] + 2.0 * wall, inner[1] + 2.0 * wall, height]),
            );
        }
        ObjectShape::Cylinder { radius, height } => {
            let (radius, half) = (radius as f32 + GAP, 0.5 * height as f32 + GAP);
            for z in [-half, half] {
                let middle = at.transform_point(Vec3::Z * z);
                lines
                    .circle(Isometry3d::new(middle, at.rotation), radius, SELECTED)
                    .resolution(48);
            }
            for side in [Vec3::X, Vec3::Y, -Vec3::X, -Vec3::Y] {
                let out = side * radius;
                lines.line(
                    at.transform_point(out - Vec3::Z * half),
                    at.transform_point(out + Vec3::Z * half),
                    SELECTED,
                );
            }
        }
        ObjectShape::Ball { radius } => {
            lines
                .sphere(at.to_isometry(), radius as f32 + GAP, SELECTED)
                .resolution(48);
        }
    }
}

fn corners(half: Vec3) -> [Vec3; 8] {
    core::array::from_fn(|corner| {
        let sign = |bit: usize| if corner >> bit & 1 == 1 { 1.0 } else { -1.0 };
        half * Vec3::new(sign(0), sign(1), sign(2))
    })
}

/// The pairs of corners that share an edge.
fn edges() -> impl Iterator<Item = (usize, usize)> {
    (0..8_usize).flat_map(|corner| {
        (0..3)
            .filter(move |bit| corner >> bit & 1 == 0)
            .map(move |bit| (corner, corner | 1 << bit))
    })
}

fn boxed(lines: &mut Gizmos<HelperLines>, at: Transform, half: Vec3) {
    let corners = corners(half).map(|corner| at.transform_point(corner));
    for (from, to) in edges() {
        lines.line(corners[from], corners[to], SELECTED);
    }
}

/// Only the corners of a box: what is inside stays in sight.
fn brackets(lines: &mut Gizmos<HelperLines>, at: Transform, half: Vec3) {
    let corners = corners(half).map(|corner| at.transform_point(corner));
    for (from, to) in edges() {
        let (from, to) = (corners[from], corners[to]);
        let part = (to - from).clamp_length_max(0.03);
        lines.line(from, from + part, SELECTED);
        lines.line(to, to - part, SELECTED);
    }
}
