//! The main camera: it circles a point. Left drag turns, right or middle drag moves, the wheel
//! goes nearer; with fingers, one turns, two move and pinch.
//!
//! Hands move a goal and the picture follows within a few frames: smooth, but when the hand stops,
//! the camera does.

use core::f32::consts::{FRAC_PI_2, PI};

use bevy::camera::Viewport;
use bevy::camera::visibility::RenderLayers;
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::input::mouse::{AccumulatedMouseMotion, AccumulatedMouseScroll, MouseScrollUnit};
use bevy::input::touch::Touches;
use bevy::light::ShadowFilteringMethod;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;

use crate::arms::{HELPER_LAYER, LinkPoses, base_transform};
use crate::editor::EditHandle;
use crate::frames::{WorldRoot, transform};
use crate::scene::LoadedScene;
use crate::settings::{CameraPreset, Detail, PointerCaptured, ViewSettings, ViewportRect};
use crate::tool_gizmo::ToolHandle;

/// Vertical field of view of the main camera, radians.
const FOV_Y: f32 = 0.62;
/// How fast the picture follows the hand: the rest of the way shrinks by e in this time, seconds.
const FOLLOW_SECS: f32 = 0.045;
const NEAREST: f32 = 0.06;
const FARTHEST: f32 = 4.0;
const LOWEST_PITCH: f32 = -0.15;
const HIGHEST_PITCH: f32 = FRAC_PI_2;

/// The main camera of the window.
#[derive(Component, Debug, Default)]
pub struct MainCamera;

/// Where the main camera is and where it is going.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct OrbitCamera {
    goal: Orbit,
    shown: Orbit,
    drag: Option<Drag>,
}

/// A place on a ball around a point, in the simulation's frame.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Orbit {
    focus: Vec3,
    /// About Z; at 0 the camera is at +X of the focus.
    yaw: f32,
    /// Above the horizon.
    pitch: f32,
    distance: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drag {
    Turn,
    Move,
}

impl OrbitCamera {
    /// How far the camera is from what it circles, metres.
    #[must_use]
    pub fn distance(&self) -> f32 {
        self.shown.distance
    }

    fn at(orbit: Orbit) -> Self {
        Self {
            goal: orbit,
            shown: orbit,
            drag: None,
        }
    }
}

impl Default for OrbitCamera {
    fn default() -> Self {
        Self::at(Orbit::preset(CameraPreset::Overview, Vec3::ZERO))
    }
}

impl Orbit {
    fn preset(preset: CameraPreset, tool: Vec3) -> Self {
        let workspace = Vec3::new(0.17, 0.0, 0.12);
        let (focus, yaw, pitch, distance) = match preset {
            CameraPreset::Overview => (workspace, -0.95, 0.4, 0.88),
            CameraPreset::Front => (workspace, 0.0, 0.2, 0.95),
            CameraPreset::Side => (workspace, -FRAC_PI_2, 0.14, 0.88),
            CameraPreset::Top => (workspace, -FRAC_PI_2, HIGHEST_PITCH, 1.0),
            CameraPreset::Wrist => (tool, -0.9, 0.45, 0.34),
        };
        Self {
            focus,
            yaw,
            pitch,
            distance,
        }
    }

    /// The camera in the simulation's frame.
    fn transform(&self) -> Transform {
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        let out = Vec3::new(cos_pitch * cos_yaw, cos_pitch * sin_yaw, sin_pitch);
        let up = Vec3::new(-sin_pitch * cos_yaw, -sin_pitch * sin_yaw, cos_pitch);
        Transform::from_translation(self.focus + out * self.distance).looking_to(-out, up)
    }

    fn turn(&mut self, pixels: Vec2) {
        self.yaw -= pixels.x * 0.006;
        self.pitch = (self.pitch + pixels.y * 0.006).clamp(LOWEST_PITCH, HIGHEST_PITCH);
    }

    /// Moves the focus so that what is under the pointer stays under it.
    fn shift(&mut self, pixels: Vec2, height: f32) {
        let metres_per_pixel = 2.0 * self.distance * (0.5 * FOV_Y).tan() / height.max(1.0);
        let rotation = self.transform().rotation;
        self.focus += rotation * Vec3::new(-pixels.x, pixels.y, 0.0) * metres_per_pixel;
        self.focus = self
            .focus
            .clamp(Vec3::new(-1.5, -1.5, -0.5), Vec3::new(1.5, 1.5, 1.2));
    }

    fn nearer(&mut self, notches: f32) {
        self.distance = (self.distance * (-0.12 * notches).exp()).clamp(NEAREST, FARTHEST);
    }

    /// Nearer to what is `pixels` away from the picture's middle: it stays under the pointer.
    fn nearer_to(&mut self, notches: f32, pixels: Vec2, height: f32) {
        let before = self.distance;
        self.nearer(notches);
        self.shift(pixels * (1.0 - before / self.distance), height);
    }

    /// Goes the share `blend` of the way to `goal`.
    fn approach(&mut self, goal: &Self, blend: f32) {
        self.focus = self.focus.lerp(goal.focus, blend);
        self.yaw += (goal.yaw - self.yaw) * blend;
        self.pitch += (goal.pitch - self.pitch) * blend;
        self.distance *= (goal.distance / self.distance).powf(blend);
    }
}

pub(crate) fn setup(mut commands: Commands, world: Single<Entity, With<WorldRoot>>) {
    let orbit = OrbitCamera::default();
    commands.spawn((
        Name::new("Main camera"),
        MainCamera,
        Camera3d::default(),
        Projection::from(PerspectiveProjection {
            fov: FOV_Y,
            near: 0.02,
            far: 40.0,
            ..default()
        }),
        Tonemapping::KhronosPbrNeutral,
        ShadowFilteringMethod::default(),
        RenderLayers::from_layers(&[0, HELPER_LAYER]),
        orbit.goal.transform(),
        orbit,
        ChildOf(*world),
    ));
}

/// Mouse and fingers move the goal.
#[expect(
    clippy::too_many_arguments,
    reason = "a pointer has many parts, each a resource"
)]
pub(crate) fn steer(
    mouse: Res<ButtonInput<MouseButton>>,
    motion: Res<AccumulatedMouseMotion>,
    scroll: Res<AccumulatedMouseScroll>,
    touches: Res<Touches>,
    captured: Res<PointerCaptured>,
    area: Res<ViewportRect>,
    handles: (Res<ToolHandle>, Res<EditHandle>),
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    mut fingers: Local<Fingers>,
    mut camera: Single<&mut OrbitCamera>,
) {
    let Some(window) = window else { return };
    let cursor = window.cursor_position();
    let inside = |point: Vec2| area.0.is_none_or(|rect| rect.contains(point));
    let busy = handles.0.busy() || handles.1.busy();
    let free = !captured.0 && !busy;
    let height = area.0.map_or(window.height(), |rect| rect.height());
    let camera = &mut *camera;

    let any = [
        (MouseButton::Left, Drag::Turn),
        (MouseButton::Right, Drag::Move),
        (MouseButton::Middle, Drag::Move),
    ];
    for (button, drag) in any {
        if mouse.just_pressed(button) && free && cursor.is_some_and(inside) {
            camera.drag = Some(drag);
        }
    }
    if busy || !any.iter().any(|(button, _)| mouse.pressed(*button)) {
        camera.drag = None;
    }
    if motion.delta != Vec2::ZERO {
        match camera.drag {
            Some(Drag::Turn) => camera.goal.turn(motion.delta),
            Some(Drag::Move) => camera.goal.shift(motion.delta, height),
            None => {}
        }
    }
    if scroll.delta.y != 0.0 && !captured.0 && cursor.is_some_and(inside) {
        let notches = match scroll.unit {
            MouseScrollUnit::Line => scroll.delta.y,
            MouseScrollUnit::Pixel => scroll.delta.y / 40.0,
        };
        let middle = area.0.map_or(0.5 * window.size(), |rect| rect.center());
        let pixels = cursor.map_or(Vec2::ZERO, |cursor| cursor - middle);
        camera.goal.nearer_to(notches, pixels, height);
    }

    let moved = fingers.moved(&touches, inside);
    match moved[..] {
        [(before, now)] if free => camera.goal.turn(now - before),
        [(one_before, one), (two_before, two)] if free => {
            let shift = 0.5 * ((one - one_before) + (two - two_before));
            camera.goal.shift(shift, height);
            let (before, now) = (one_before.distance(two_before), one.distance(two));
            if now > 1.0 && before > 1.0 {
                camera.goal.nearer((now / before).ln() / 0.12);
            }
        }
        _ => {}
    }
}

/// Where the fingers were in the last frame: [`Touches`] knows it only of frames in which one moved.
#[derive(Debug, Default)]
pub(crate) struct Fingers(Vec<(u64, Vec2)>);

impl Fingers {
    /// The two fingers that came first, of those that came down `inside`: where each was and is.
    fn moved(&mut self, touches: &Touches, inside: impl Fn(Vec2) -> bool) -> Vec<(Vec2, Vec2)> {
        self.0.retain(|(id, _)| touches.get_pressed(*id).is_some());
        for touch in touches
            .iter()
            .filter(|touch| inside(touch.start_position()))
        {
            if self.0.iter().all(|(id, _)| *id != touch.id()) {
                self.0.push((touch.id(), touch.position()));
            }
        }
        let moves = self.0.iter_mut().take(2).filter_map(|(id, last)| {
            let now = touches.get_pressed(*id)?.position();
            Some((std::mem::replace(last, now), now))
        });
        moves.collect()
    }
}

/// Presets asked for by messages.
pub(crate) fn take_presets(
    mut presets: MessageReader<CameraPreset>,
    settings: Res<ViewSettings>,
    scene: Option<Res<LoadedScene>>,
    poses: Res<LinkPoses>,
    mut camera: Single<&mut OrbitCamera>,
) {
    for preset in presets.read() {
        let tool = scene
            .as_ref()
            .and_then(|scene| tool_position(scene, &poses, settings.arm));
        let mut goal = Orbit::preset(*preset, tool.unwrap_or(Vec3::new(0.25, 0.0, 0.15)));
        // The short way round.
        let turns = ((camera.shown.yaw - goal.yaw) / (2.0 * PI)).round();
        goal.yaw += turns * 2.0 * PI;
        camera.goal = goal;
    }
}

/// Where an arm's tool is in the simulation's world.
fn tool_position(scene: &LoadedScene, poses: &LinkPoses, arm: usize) -> Option<Vec3> {
    let model = scene.models.get(arm)?;
    let base_from_link = poses.measured.get(arm)?.get(model.tool.link)?;
    let base = base_transform(scene.bundle.scene.arms.get(arm)?);
    Some((base * transform(&(base_from_link * model.tool.link_from_tool))).translation)
}

/// The picture follows the goal.
pub(crate) fn glide(time: Res<Time<Real>>, camera: Single<(&mut OrbitCamera, &mut Transform)>) {
    let (mut orbit, mut place) = camera.into_inner();
    let goal = orbit.goal;
    if orbit.shown != goal {
        let blend = 1.0 - (-time.delta_secs() / FOLLOW_SECS).exp();
        orbit.shown.approach(&goal, blend);
        let left = orbit
            .shown
            .transform()
            .translation
            .distance(goal.transform().translation);
        if left < 1e-5 {
            orbit.shown = goal;
        }
    }
    place.set_if_neq(orbit.shown.transform());
}

/// The camera draws where no panel is.
pub(crate) fn fit_viewport(
    area: Res<ViewportRect>,
    detail: Res<Detail>,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    camera: Single<(&mut Camera, &mut Msaa), With<MainCamera>>,
) {
    let (mut camera, mut msaa) = camera.into_inner();
    msaa.set_if_neq(detail.msaa);
    let Some(window) = window else { return };
    let viewport = area.0.and_then(|rect| {
        let scale = window.scale_factor();
        let full = window.physical_size();
        let min = (rect.min * scale)
            .round()
            .max(Vec2::ZERO)
            .as_uvec2()
            .min(full);
        let max = (rect.max * scale)
            .round()
            .max(Vec2::ZERO)
            .as_uvec2()
            .min(full);
        let size = max.saturating_sub(min);
        (size.x > 0 && size.y > 0 && size != full).then(|| Viewport {
            physical_position: min,
            physical_size: size,
            ..default()
        })
    });
    let same = match (&camera.viewport, &viewport) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a.physical_position == b.physical_position && a.physical_size == b.physical_size
        }
        _ => false,
    };
    if !same {
        camera.viewport = viewport;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_look_where_their_names_say() {
        let direction = |preset| {
            let place = Orbit::preset(preset, Vec3::ZERO).transform();
            (place.forward().as_vec3(), place.up().as_vec3())
        };
        let (front, up) = direction(CameraPreset::Front);
        assert!(front.x < -0.9 && up.z > 0.9, "{front} {up}");
        let (side, _) = direction(CameraPreset::Side);
        assert!(side.y > 0.9, "{side}");
        let (top, up) = direction(CameraPreset::Top);
        assert!(top.z < -0.999 && up.y > 0.99, "{top} {up}");
    }

    #[test]
    fn the_focus_stays_in_the_middle_while_turning() {
        let mut orbit = Orbit::preset(CameraPreset::Overview, Vec3::ZERO);
        for pixels in [
            Vec2::new(300.0, 40.0),
            Vec2::new(-90.0, 900.0),
            Vec2::new(10.0, -2000.0),
        ] {
            orbit.turn(pixels);
            let place = orbit.transform();
            let ahead = place.translation + place.forward() * orbit.distance;
            assert!(ahead.abs_diff_eq(orbit.focus, 1e-4));
            assert!(orbit.pitch >= LOWEST_PITCH && orbit.pitch <= HIGHEST_PITCH);
        }
    }

    #[test]
    fn shifting_right_moves_the_focus_left() {
        let mut orbit = Orbit::preset(CameraPreset::Side, Vec3::ZERO);
        let before = orbit.focus;
        orbit.shift(Vec2::new(100.0, 0.0), 720.0);
        assert!(orbit.focus.x < before.x - 0.01, "{} {before}", orbit.focus);
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_while_zooming() {
        let mut orbit = Orbit::preset(CameraPreset::Side, Vec3::ZERO);
        let (height, pixels) = (600.0, Vec2::new(200.0, -90.0));
        // The point of the focus plane under the pointer, from the camera's angle.
        let under = |orbit: &Orbit| {
            let mut there = *orbit;
            there.shift(-pixels, height);
            there.focus
        };
        let before = under(&orbit);
        orbit.nearer_to(4.0, pixels, height);
        assert!(
            under(&orbit).abs_diff_eq(before, 1e-5),
            "{} {before}",
            under(&orbit)
        );
    }

    #[test]
    fn a_finger_that_rests_turns_nothing() {
        use bevy::input::touch::{TouchInput, TouchPhase, touch_screen_input_system};

        let mut app = App::new();
        app.add_message::<TouchInput>()
            .init_resource::<Touches>()
            .add_systems(Update, touch_screen_input_system);
        let touch = |phase, x| TouchInput {
            phase,
            position: Vec2::new(x, 5.0),
            window: Entity::PLACEHOLDER,
            force: None,
            id: 7,
        };
        let mut fingers = Fingers::default();
        let mut frame = |event: Option<TouchInput>| {
            if let Some(event) = event {
                app.world_mut().write_message(event);
            }
            app.update();
            let touches = app.world().resource::<Touches>();
            let moved = fingers.moved(touches, |_| true);
            moved.first().map(|(before, now)| now.x - before.x)
        };
        assert_eq!(frame(Some(touch(TouchPhase::Started, 10.0))), Some(0.0));
        assert_eq!(frame(Some(touch(TouchPhase::Moved, 14.0))), Some(4.0));
        assert_eq!(frame(None), Some(0.0));
        assert_eq!(frame(Some(touch(TouchPhase::Ended, 14.0))), None);
    }

    #[test]
    fn zoom_has_ends() {
        let mut orbit = Orbit::preset(CameraPreset::Overview, Vec3::ZERO);
        orbit.nearer(1000.0);
        assert_eq!(orbit.distance, NEAREST);
        orbit.nearer(-1000.0);
        assert_eq!(orbit.distance, FARTHEST);
    }
}
