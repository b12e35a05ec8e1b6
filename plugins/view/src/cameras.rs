//! The scene's cameras: each draws into an image that panels show.
//!
//! They share one slot a frame, in turn, so that a scene of many cameras costs no more than one,
//! and none draws more often than its rate. While frames are slow, most of them have no slot.

use bevy::camera::RenderTarget;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::light::ShadowFilteringMethod;
use bevy::prelude::*;
use bevy::render::render_resource::TextureFormat;
use forearm_protocol::scene::{CameraMount, CameraSpec};

use crate::arms::ArmLink;
use crate::frames::{rotation_degrees, vec3};
use crate::scene::{LoadedScene, SceneRoot};
use crate::settings::{Detail, ViewSettings};

/// Frames that take longer than this are slow, seconds: a camera's image would make them slower.
const SLOW_FRAME_SECS: f64 = 0.04;
/// While frames are slow, one in so many has a slot,
const SLOW_FRAMES_A_SLOT: u32 = 4;
/// and the next one after so many seconds.
const LONGEST_WAIT_SECS: f64 = 1.0;

/// The scene's cameras, in its order.
#[derive(Resource, Debug, Default)]
pub struct CameraFeeds {
    /// One a camera of the scene.
    pub feeds: Vec<CameraFeed>,
    /// Where in the turn the next frame begins to look.
    next: usize,
    /// Frames since the last one with a slot that was used, and when that was, seconds.
    frames_without: u32,
    last_slot_secs: f64,
}

/// One of the scene's cameras.
#[derive(Debug, Clone)]
pub struct CameraFeed {
    /// The camera's name in the scene.
    pub name: String,
    /// What it sees; sRGB, for egui or materials.
    pub image: Handle<Image>,
    /// Width and height of [`CameraFeed::image`], pixels. Smaller than the scene's resolution
    /// while [`Quality`](crate::Quality) is low.
    pub size: UVec2,
    /// When it drew last, seconds of the app's clock; `None` before the first time.
    pub last_render_secs: Option<f64>,
    /// Whether it draws. Panels switch it off for feeds that nobody sees.
    pub enabled: bool,
    /// Images a second that the scene asks for.
    pub fps: f64,
    /// The entity with its Bevy camera.
    pub entity: Entity,
}

/// One of the scene's cameras, by its index.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct SceneCamera(pub(crate) usize);

pub(crate) fn spawn(
    mut commands: Commands,
    scene: Res<LoadedScene>,
    root: Res<SceneRoot>,
    detail: Res<Detail>,
    links: Query<(Entity, &ArmLink)>,
    mut images: ResMut<Assets<Image>>,
    mut feeds: ResMut<CameraFeeds>,
) {
    feeds.feeds.clear();
    feeds.next = 0;
    for (index, spec) in scene.bundle.scene.cameras.iter().enumerate() {
        let (parent, place) = mount(spec, &scene, root.0, &links);
        let size = feed_size(spec.resolution, detail.feed_scale);
        let image = images.add(target(size));
        let entity = commands
            .spawn((
                Name::new(format!("Camera {}", spec.name)),
                SceneCamera(index),
                Camera3d::default(),
                Camera {
                    is_active: false,
                    order: -1 - index as isize,
                    ..default()
                },
                RenderTarget::from(image.clone()),
                lens(spec),
                Tonemapping::KhronosPbrNeutral,
                ShadowFilteringMethod::default(),
                detail.msaa,
                place,
                ChildOf(parent),
            ))
            .id();
        feeds.feeds.push(CameraFeed {
            name: spec.name.clone(),
            image,
            size,
            last_render_secs: None,
            enabled: true,
            fps: spec.fps,
            entity,
        });
    }
}

/// Gives this frame's slot to the camera that is due and has waited longest in turn.
pub(crate) fn take_turns(
    time: Res<Time<Real>>,
    settings: Res<ViewSettings>,
    detail: Res<Detail>,
    mut feeds: ResMut<CameraFeeds>,
    mut cameras: Query<(&SceneCamera, &mut Camera)>,
) {
    let now_secs = time.elapsed_secs_f64();
    let share = detail.all_feeds_fps / feeds.feeds.len().max(1) as f64;
    let feed_fps = settings.feed_fps.min(share);
    let chosen = feeds.choose(now_secs, time.delta_secs_f64(), feed_fps);
    for (camera, mut view) in &mut cameras {
        let active = chosen == Some(camera.0);
        if view.is_active != active {
            view.is_active = active;
        }
    }
}

/// New images when the quality changes.
pub(crate) fn follow_detail(
    detail: Res<Detail>,
    scene: Option<Res<LoadedScene>>,
    mut images: ResMut<Assets<Image>>,
    mut feeds: ResMut<CameraFeeds>,
    mut cameras: Query<(&SceneCamera, &mut RenderTarget, &mut Msaa)>,
) {
    let Some(scene) = scene else { return };
    for (camera, mut render_target, mut msaa) in &mut cameras {
        let spec = scene.bundle.scene.cameras.get(camera.0);
        let Some((feed, spec)) = feeds.feeds.get_mut(camera.0).zip(spec) else {
            continue;
        };
        msaa.set_if_neq(detail.msaa);
        let size = feed_size(spec.resolution, detail.feed_scale);
        if feed.size != size {
            feed.size = size;
            feed.image = images.add(target(size));
            feed.last_render_secs = None;
            *render_target = RenderTarget::from(feed.image.clone());
        }
    }
}

impl CameraFeeds {
    /// The feed with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&CameraFeed> {
        self.feeds.iter().find(|feed| feed.name == name)
    }

    fn choose(&mut self, now_secs: f64, frame_secs: f64, feed_fps: f64) -> Option<usize> {
        self.frames_without = self.frames_without.saturating_add(1);
        let slow = frame_secs > SLOW_FRAME_SECS
            && self.frames_without < SLOW_FRAMES_A_SLOT
            && now_secs - self.last_slot_secs < LONGEST_WAIT_SECS;
        if slow {
            return None;
        }
        let count = self.feeds.len();
        let due = |feed: &CameraFeed| {
            let fps = feed.fps.min(feed_fps).max(0.1);
            // Half a millisecond of grace: frames don't come at exact multiples.
            feed.enabled
                && feed
                    .last_render_secs
                    .is_none_or(|last| now_secs - last >= 1.0 / fps - 5e-4)
        };
        let chosen = (0..count)
            .map(|offset| (self.next + offset) % count)
            .find(|&index| due(&self.feeds[index]))?;
        self.next = (chosen + 1) % count;
        self.frames_without = 0;
        self.last_slot_secs = now_secs;
        self.feeds[chosen].last_render_secs = Some(now_secs);
        Some(chosen)
    }
}

/// What a camera hangs under, and where it is there. One on a link that the arm lacks, which the
/// scene's check refuses, stands in the world's origin.
fn mount(
    spec: &CameraSpec,
    scene: &LoadedScene,
    root: Entity,
    links: &Query<(Entity, &ArmLink)>,
) -> (Entity, Transform) {
    let place = camera_place(&spec.mount);
    let CameraMount::Link { arm, link, .. } = &spec.mount else {
        return (root, place);
    };
    let arms = &scene.bundle.scene.arms;
    let entity = arms
        .iter()
        .position(|spec| spec.name == *arm)
        .and_then(|arm| {
            let link = scene.models.get(arm)?.link_index(link)?;
            links
                .iter()
                .find(|(_, at)| at.arm == arm && at.link == link)
        });
    entity.map_or((root, Transform::default()), |(entity, _)| (entity, place))
}

/// Where a camera is, in the room or on its link.
pub(crate) fn camera_place(mount: &CameraMount) -> Transform {
    match mount {
        CameraMount::World { position, look_at } => {
            let (position, look_at) = (vec3(*position), vec3(*look_at));
            let ahead = (look_at - position).try_normalize().unwrap_or(Vec3::NEG_Z);
            // A camera that looks straight down has +X up: away from the arm's base.
            let up = if ahead.cross(Vec3::Z).length() < 1e-3 {
                Vec3::X
            } else {
                Vec3::Z
            };
            Transform::from_translation(position).looking_to(ahead, up)
        }
        CameraMount::Link {
            position,
            rotation_degrees: angles,
            ..
        } => Transform::from_translation(vec3(*position)).with_rotation(rotation_degrees(*angles)),
    }
}

/// What a camera's lens does.
pub(crate) fn lens(spec: &CameraSpec) -> Projection {
    Projection::from(PerspectiveProjection {
        fov: spec.fov_y_degrees.to_radians() as f32,
        near: 0.01,
        far: 40.0,
        ..default()
    })
}

fn feed_size([width, height]: [u32; 2], scale: f32) -> UVec2 {
    let scaled = |length: u32| ((length as f32 * scale).round() as u32).max(16);
    UVec2::new(scaled(width), scaled(height))
}

/// An image that a camera can draw into.
pub(crate) fn target(size: UVec2) -> Image {
    Image::new_target_texture(size.x, size.y, TextureFormat::Rgba8UnormSrgb, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feeds(fps: &[f64]) -> CameraFeeds {
        let feed = |(index, fps): (usize, &f64)| CameraFeed {
            name: format!("camera {index}"),
            image: Handle::default(),
            size: UVec2::ONE,
            last_render_secs: None,
            enabled: true,
            fps: *fps,
            entity: Entity::PLACEHOLDER,
        };
        CameraFeeds {
            feeds: fps.iter().enumerate().map(feed).collect(),
            ..CameraFeeds::default()
        }
    }

    #[test]
    fn cameras_take_turns_and_keep_their_rates() {
        let mut feeds = feeds(&[30.0, 30.0, 5.0]);
        let mut drawn = [0; 3];
        for frame in 0..600 {
            if let Some(index) = feeds.choose(f64::from(frame) / 60.0, 1.0 / 60.0, 15.0) {
                drawn[index] += 1;
            }
        }
        // Ten seconds: fifteen a second at most, and five.
        assert_eq!(drawn, [150, 150, 50]);
    }

    #[test]
    fn when_frames_are_rare_all_get_their_share() {
        let mut feeds = feeds(&[30.0, 30.0]);
        let mut drawn = [0; 2];
        for frame in 0..40 {
            if let Some(index) = feeds.choose(f64::from(frame) / 5.0, 0.2, 15.0) {
                drawn[index] += 1;
            }
        }
        // One frame in four has an image to draw, so that the others are not slower still.
        assert_eq!(drawn, [5, 5]);
        // But no image is left to age for long.
        for frame in 0..10 {
            if let Some(index) = feeds.choose(100.0 + f64::from(frame), 1.0, 15.0) {
                drawn[index] += 1;
            }
        }
        assert_eq!(drawn, [10, 10]);
    }

    #[test]
    fn a_feed_that_is_off_does_not_draw() {
        let mut feeds = feeds(&[30.0]);
        feeds.feeds[0].enabled = false;
        assert_eq!(feeds.choose(1.0, 0.02, 15.0), None);
        assert_eq!(CameraFeeds::default().choose(1.0, 0.02, 15.0), None);
    }
}
