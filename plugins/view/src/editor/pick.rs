//! What was clicked.

use bevy::camera::primitives::Aabb;
use bevy::input::touch::Touches;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use forearm_protocol::scene::edit::Item;

use super::handle::{EditHandle, place_of};
use super::math::{ray_ball, ray_box, ray_triangle};
use super::{EditedScene, EditorHand};
use crate::arms::{ArmLink, LinkPoses};
use crate::orbit::MainCamera;
use crate::scene::LoadedScene;
use crate::settings::{PointerCaptured, ViewportRect};

/// A press that moves no further than this is a click, logical pixels.
const STILL_PIXELS: f32 = 5.0;
/// A camera or lamp is hit within this distance, metres.
const MARK_RADIUS: f32 = 0.022;

/// Where the button went down, if it may become a click.
#[derive(Debug, Default)]
pub(crate) struct Press(Option<Vec2>);

pub(crate) fn pick(
    scene: Res<LoadedScene>,
    edited: Res<EditedScene>,
    poses: Res<LinkPoses>,
    captured: Res<PointerCaptured>,
    area: Res<ViewportRect>,
    handle: Res<EditHandle>,
    mouse: Res<ButtonInput<MouseButton>>,
    touches: Res<Touches>,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    camera: Single<(&Camera, &GlobalTransform), With<MainCamera>>,
    links: Query<(&ArmLink, &Children)>,
    solids: Query<(&Aabb, &GlobalTransform)>,
    mut press: Local<Press>,
    mut hands: MessageWriter<EditorHand>,
) {
    if edited.shown.is_none() {
        return;
    }
    let Some(window) = window else { return };
    let cursor = window.cursor_position();
    let inside = |point: Vec2| !captured.0 && area.0.is_none_or(|rect| rect.contains(point));
    if mouse.just_pressed(MouseButton::Left) {
        press.0 = cursor.filter(|point| inside(*point) && !handle.busy());
    }
    let clicked = mouse
        .just_released(MouseButton::Left)
        .then(|| press.0.take().zip(cursor))
        .flatten()
        .and_then(|(down, up)| (down.distance(up) < STILL_PIXELS).then_some(up));
    let tapped = touches
        .iter_just_released()
        .find(|touch| touch.distance().length() < 2.0 * STILL_PIXELS && inside(touch.position()))
        .filter(|_| !handle.busy())
        .map(|touch| touch.position());
    let Some(point) = clicked.or(tapped) else {
        return;
    };
    let (camera, eye) = camera.into_inner();
    let Ok(ray) = camera.viewport_to_world(eye, point) else {
        return;
    };
    let (origin, direction) = (ray.origin, *ray.direction);

    let mut best: Option<(f32, Item)> = None;
    let mut offer = |distance: Option<f32>, item: Item| {
        if let Some(distance) = distance
            && best.is_none_or(|(nearest, _)| distance < nearest)
        {
            best = Some((distance, item));
        }
    };
    let spec = &scene.bundle.scene;
    for (index, object) in spec.objects.iter().enumerate() {
        let item = Item::Object(index);
        let Some(place) = place_of(&scene, &poses, item) else {
            continue;
        };
        let back = place.own.inverse();
        let (origin, direction) = (back * (origin - place.middle), back * direction);
        for (solid, up) in object.shape.solids() {
            let up = Vec3::Z * up as f32;
            let corner = |index: u32| Vec3::from_array(solid.positions[index as usize]) + up;
            for triangle in &solid.triangles {
                offer(ray_triangle(origin, direction, triangle.map(corner)), item);
            }
        }
    }
    for (link, children) in &links {
        for (bounds, place) in children.iter().filter_map(|child| solids.get(child).ok()) {
            let back = place.affine().inverse();
            let (origin, direction) = (
                back.transform_point3(origin),
                back.transform_vector3(direction),
            );
            let hit = ray_box(
                origin,
                direction,
                bounds.center.into(),
                bounds.half_extents.into(),
            );
            offer(hit, Item::Arm(link.arm));
        }
    }
    let cameras =
        (0..spec.cameras.len()).flat_map(|index| [Item::Camera(index), Item::LookAt(index)]);
    let lights = (0..spec.lights.len()).map(Item::Light);
    let selected = edited.shown.as_ref().and_then(|shown| shown.selected);
    for item in cameras.chain(lights) {
        // Where a camera looks is in sight only while the camera is selected.
        if let Item::LookAt(index) = item
            && selected != Some(item)
            && selected != Some(Item::Camera(index))
        {
            continue;
        }
        if let Some(place) = place_of(&scene, &poses, item) {
            offer(ray_ball(origin, direction, place.middle, MARK_RADIUS), item);
        }
    }
    hands.write(EditorHand::Pick(best.map(|(_, item)| item)));
}
