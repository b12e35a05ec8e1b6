//! Lines that help the person: joint frames, the tool's frame and its target, what cameras see.

use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use forearm_protocol::scene::CameraSpec;

use crate::arms::{HELPER_LAYER, LinkPoses, base_transform};
use crate::cameras::{CameraFeeds, SceneCamera};
use crate::frames::{bevy_from_world, transform};
use crate::scene::LoadedScene;
use crate::settings::ViewSettings;

/// The group of all lines drawn by the view; they are never hidden by solids.
#[derive(Default, Reflect, GizmoConfigGroup)]
pub(crate) struct HelperLines;

pub(crate) const AXIS_COLORS: [Color; 3] = [
    Color::srgb(0.95, 0.27, 0.25),
    Color::srgb(0.35, 0.78, 0.3),
    Color::srgb(0.26, 0.52, 0.96),
];
pub(crate) const CAMERA_COLOR: Color = Color::srgb(0.55, 0.75, 0.9);
pub(crate) const TARGET_COLOR: Color = Color::srgb(0.98, 0.65, 0.15);

pub(crate) fn setup(mut store: ResMut<GizmoConfigStore>) {
    let (config, _) = store.config_mut::<HelperLines>();
    config.depth_bias = -1.0;
    config.line.width = 2.0;
    config.render_layers = RenderLayers::layer(HELPER_LAYER);
}

/// Where a link of an arm is, in Bevy's frame.
pub(crate) fn bevy_from_base(scene: &LoadedScene, arm: usize) -> Option<Transform> {
    let spec = scene.bundle.scene.arms.get(arm)?;
    Some(Transform::from_rotation(bevy_from_world()) * base_transform(spec))
}

pub(crate) fn joint_frames(
    settings: Res<ViewSettings>,
    scene: Option<Res<LoadedScene>>,
    poses: Res<LinkPoses>,
    mut lines: Gizmos<HelperLines>,
) {
    let Some(scene) = scene.filter(|_| settings.joint_frames) else {
        return;
    };
    for (arm, model) in scene.models.iter().enumerate() {
        let Some(base) = bevy_from_base(&scene, arm) else {
            continue;
        };
        let Some(links) = poses.measured.get(arm) else {
            continue;
        };
        axes(&mut lines, base, 0.07);
        for (link, pose) in model.links.iter().zip(links) {
            // Fixed links have no joint of their own.
            if link
                .attachment
                .as_ref()
                .is_some_and(|attachment| attachment.joint.is_some())
            {
                axes(&mut lines, base * transform(pose), 0.045);
            }
        }
    }
}

pub(crate) fn target_frames(
    settings: Res<ViewSettings>,
    scene: Option<Res<LoadedScene>>,
    poses: Res<LinkPoses>,
    mut lines: Gizmos<HelperLines>,
) {
    let Some(scene) = scene.filter(|_| settings.target_frame) else {
        return;
    };
    for (arm, model) in scene.models.iter().enumerate() {
        let Some(base) = bevy_from_base(&scene, arm) else {
            continue;
        };
        let tool = |arms: &[Vec<nalgebra::Isometry3<f64>>]| {
            let link = arms.get(arm)?.get(model.tool.link)?;
            Some(base * transform(&(link * model.tool.link_from_tool)))
        };
        let Some((measured, commanded)) = tool(&poses.measured).zip(tool(&poses.commanded)) else {
            continue;
        };
        axes(&mut lines, measured, 0.04);
        axes(&mut lines, commanded, 0.055);
        lines
            .sphere(commanded.to_isometry(), 0.006, TARGET_COLOR)
            .resolution(16);
        lines.line(measured.translation, commanded.translation, TARGET_COLOR);
    }
}

pub(crate) fn camera_frames(
    settings: Res<ViewSettings>,
    scene: Option<Res<LoadedScene>>,
    feeds: Res<CameraFeeds>,
    cameras: Query<(&SceneCamera, &GlobalTransform)>,
    mut lines: Gizmos<HelperLines>,
) {
    let Some(scene) = scene.filter(|_| settings.camera_frames) else {
        return;
    };
    for (camera, place) in &cameras {
        let spec = scene.bundle.scene.cameras.get(camera.0);
        if let Some(spec) = spec
            && feeds.feeds.get(camera.0).is_some_and(|feed| feed.enabled)
        {
            frustum(&mut lines, place, spec, CAMERA_COLOR);
        }
    }
}

fn axes(lines: &mut Gizmos<HelperLines>, place: Transform, length: f32) {
    for (axis, color) in [Vec3::X, Vec3::Y, Vec3::Z].into_iter().zip(AXIS_COLORS) {
        lines.line(
            place.translation,
            place.transform_point(axis * length),
            color,
        );
    }
}

/// What a camera sees.
pub(crate) fn frustum(
    lines: &mut Gizmos<HelperLines>,
    place: &GlobalTransform,
    spec: &CameraSpec,
    color: Color,
) {
    const DEPTH: f32 = 0.09;
    let [width, height] = spec.resolution.map(|length| length.max(1) as f32);
    let y = DEPTH * (0.5 * spec.fov_y_degrees.to_radians() as f32).tan();
    let x = y * width / height;
    let corners = [[x, y], [-x, y], [-x, -y], [x, -y]]
        .map(|[x, y]| place.transform_point(Vec3::new(x, y, -DEPTH)));
    for corner in 0..4 {
        lines.line(place.translation(), corners[corner], color);
        lines.line(corners[corner], corners[(corner + 1) % 4], color);
    }
    // A roof over the upper edge shows which way is up.
    let roof = place.transform_point(Vec3::new(0.0, 1.35 * y, -DEPTH));
    lines.linestrip([corners[0], roof, corners[1]], color);
}
