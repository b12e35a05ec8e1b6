//! The handle at the gripper: drag its ring to move the tool in the screen's plane, an arrow to
//! move it along an axis of the arm's base. Each move sends [`Command::ToolTarget`].

use bevy::input::touch::Touches;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use forearm_protocol::Pose;
use forearm_protocol::control::{ArmIndex, Command};

use crate::arms::LinkPoses;
use crate::editor::is_edited;
use crate::frames::transform;
use crate::gizmos::{AXIS_COLORS, HelperLines, TARGET_COLOR, bevy_from_base};
use crate::orbit::MainCamera;
use crate::scene::LoadedScene;
use crate::settings::{PointerCaptured, ViewSettings, ViewportRect};

/// How near the pointer must be to a part, logical pixels.
const REACH_PIXELS: f32 = 9.0;
const RING_PIXELS: f32 = 15.0;
/// A finger covers more than a mouse pointer does: how many times as near counts.
const FINGER: f32 = 1.8;
/// The arrows' length as a share of the distance to the camera.
const ARROW_SHARE: f32 = 0.11;
/// What is held, or would be.
pub(crate) const HELD_COLOR: Color = Color::srgb(1.0, 0.95, 0.6);
/// A target stays within this distance from the arm's base, metres.
const FARTHEST: f32 = 0.8;

/// The handle's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Moves in the plane that faces the camera.
    Ring,
    /// Moves along this axis of the arm's base: 0, 1, 2.
    Arrow(usize),
}

/// What the pointer does with the handle.
#[derive(Resource, Debug, Default)]
pub(crate) struct ToolHandle {
    hovered: Option<Part>,
    drag: Option<Drag>,
}

#[derive(Debug, Clone, Copy)]
struct Drag {
    part: Part,
    arm: ArmIndex,
    /// Where the tool is to be, in Bevy's frame.
    target: Vec3,
    /// From the pointer's ray to the handle's middle when the drag began.
    grip: Vec3,
    /// The tool's orientation in the arm's base frame when the drag began.
    rotation: [f64; 4],
}

impl ToolHandle {
    /// Whether the pointer is the handle's: the camera must not take it.
    pub(crate) fn busy(&self) -> bool {
        self.hovered.is_some() || self.drag.is_some()
    }
}

/// What points at the handle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pointer {
    /// Where, in the window's logical pixels.
    pub(crate) at: Vec2,
    pub(crate) pressed: bool,
    pub(crate) just_pressed: bool,
    /// How many times as near as usual counts as on a part.
    pub(crate) reach: f32,
}

impl Pointer {
    /// A finger that is down alone; without fingers, the mouse.
    pub(crate) fn find(
        mouse: &ButtonInput<MouseButton>,
        touches: &Touches,
        window: &Window,
    ) -> Option<Self> {
        let mut fingers = touches.iter();
        match (fingers.next(), fingers.next()) {
            (Some(finger), None) => Some(Self {
                at: finger.position(),
                pressed: true,
                just_pressed: touches.just_pressed(finger.id()),
                reach: FINGER,
            }),
            (Some(_), Some(_)) => None,
            (None, _) => Some(Self {
                at: window.cursor_position()?,
                pressed: mouse.pressed(MouseButton::Left),
                just_pressed: mouse.just_pressed(MouseButton::Left),
                reach: 1.0,
            }),
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a pointer has many parts, each a resource"
)]
pub(crate) fn interact(
    settings: Res<ViewSettings>,
    scene: Option<Res<LoadedScene>>,
    poses: Res<LinkPoses>,
    captured: Res<PointerCaptured>,
    area: Res<ViewportRect>,
    mouse: Res<ButtonInput<MouseButton>>,
    touches: Res<Touches>,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    camera: Single<(&Camera, &GlobalTransform), With<MainCamera>>,
    mut handle: ResMut<ToolHandle>,
    mut commands: MessageWriter<Command>,
) {
    let tool = scene
        .as_ref()
        .and_then(|scene| tool_pose(scene, &poses, settings.arm));
    let Some((base, tool)) = tool.filter(|_| settings.tool_gizmo) else {
        *handle = ToolHandle::default();
        return;
    };
    let (camera, eye) = camera.into_inner();
    let pointer = window.and_then(|window| Pointer::find(&mouse, &touches, &window));
    // A mouse that drags may leave the window and come back.
    if !mouse.pressed(MouseButton::Left) && pointer.is_none_or(|pointer| !pointer.pressed) {
        handle.drag = None;
    }
    let Some(pointer) = pointer else {
        handle.hovered = None;
        return;
    };
    let Ok(ray) = camera.viewport_to_world(eye, pointer.at) else {
        return;
    };

    if let Some(mut drag) = handle.drag {
        let hit = under_pointer(&drag, ray, eye, &base);
        if let Some(hit) = hit {
            let target = within_reach(hit + drag.grip, base.translation);
            if target.distance(drag.target) > 1e-4 {
                drag.target = target;
                handle.drag = Some(drag);
                commands.write(Command::ToolTarget {
                    arm: drag.arm,
                    base_from_tool: Pose {
                        position: in_base(&base, target),
                        rotation: drag.rotation,
                    },
                    orientation: false,
                });
            }
        }
        return;
    }

    let free = !captured.0 && area.0.is_none_or(|rect| rect.contains(pointer.at));
    let idle = !pointer.pressed || pointer.just_pressed;
    handle.hovered = (free && idle)
        .then(|| {
            let project = |point: Vec3| camera.world_to_viewport(eye, point).ok();
            let length = arrow_length(eye, tool.translation);
            part_at(&pointer, tool.translation, &base, length, project)
        })
        .flatten();
    if let Some(part) = handle.hovered
        && pointer.just_pressed
    {
        let mut drag = Drag {
            part,
            arm: settings.arm,
            target: tool.translation,
            grip: Vec3::ZERO,
            rotation: (base.rotation.inverse() * tool.rotation)
                .to_array()
                .map(f64::from),
        };
        if let Some(hit) = under_pointer(&drag, ray, eye, &base) {
            drag.grip = drag.target - hit;
            handle.drag = Some(drag);
        }
    }
}

pub(crate) fn draw(
    settings: Res<ViewSettings>,
    scene: Option<Res<LoadedScene>>,
    poses: Res<LinkPoses>,
    handle: Res<ToolHandle>,
    eye: Single<&GlobalTransform, With<MainCamera>>,
    mut lines: Gizmos<HelperLines>,
) {
    let tool = scene
        .as_ref()
        .and_then(|scene| tool_pose(scene, &poses, settings.arm));
    let Some((base, tool)) = tool.filter(|_| settings.tool_gizmo) else {
        return;
    };
    let middle = handle.drag.map_or(tool.translation, |drag| drag.target);
    let held = handle.drag.map(|drag| drag.part).or(handle.hovered);
    let length = arrow_length(*eye, middle);
    for (axis, color) in AXIS_COLORS.into_iter().enumerate() {
        let lit = held == Some(Part::Arrow(axis));
        let color = if lit { HELD_COLOR } else { color };
        let direction = base.rotation * Vec3::AXES[axis];
        lines
            .arrow(
                middle + direction * length * 0.25,
                middle + direction * length,
                color,
            )
            .with_tip_length(length * 0.2);
    }
    let ring = if held == Some(Part::Ring) {
        HELD_COLOR
    } else {
        TARGET_COLOR
    };
    let facing = Isometry3d::new(middle, eye.rotation());
    lines.circle(facing, length * 0.17, ring).resolution(32);
    lines.circle(facing, length * 0.05, ring).resolution(16);
    if handle.drag.is_some() {
        lines.line(tool.translation, middle, TARGET_COLOR);
    }
}

/// The arm's base, and its tool as commanded, in Bevy's frame.
fn tool_pose(
    scene: &LoadedScene,
    poses: &LinkPoses,
    arm: ArmIndex,
) -> Option<(Transform, Transform)> {
    if is_edited(scene) {
        return None;
    }
    let model = scene.models.get(arm)?;
    let link = poses.commanded.get(arm)?.get(model.tool.link)?;
    let base = bevy_from_base(scene, arm)?;
    Some((base, base * transform(&(link * model.tool.link_from_tool))))
}

/// The point that the pointer means: on the facing plane, or on the axis nearest to the ray.
fn under_pointer(drag: &Drag, ray: Ray3d, eye: &GlobalTransform, base: &Transform) -> Option<Vec3> {
    match drag.part {
        Part::Ring => {
            let plane = InfinitePlane3d::new(eye.forward());
            ray.plane_intersection_point(drag.target, plane)
        }
        Part::Arrow(axis) => {
            let direction = base.rotation * Vec3::AXES[axis];
            nearest_on_line(drag.target, direction, ray)
        }
    }
}

/// The point of the line that is nearest to the ray; `None` if they are almost parallel.
pub(crate) fn nearest_on_line(point: Vec3, direction: Vec3, ray: Ray3d) -> Option<Vec3> {
    let along = direction.dot(*ray.direction);
    let denominator = 1.0 - along * along;
    if denominator < 1e-3 {
        return None;
    }
    let apart = ray.origin - point;
    let share = (direction.dot(apart) - along * ray.direction.dot(apart)) / denominator;
    Some(point + direction * share)
}

/// The part under the pointer.
fn part_at(
    pointer: &Pointer,
    middle: Vec3,
    base: &Transform,
    length: f32,
    project: impl Fn(Vec3) -> Option<Vec2>,
) -> Option<Part> {
    let cursor = pointer.at;
    if project(middle)?.distance(cursor) < RING_PIXELS * pointer.reach {
        return Some(Part::Ring);
    }
    let mut best: Option<(f32, Part)> = None;
    for axis in 0..3 {
        let direction = base.rotation * Vec3::AXES[axis];
        let from = project(middle + direction * length * 0.25);
        let Some((from, to)) = from.zip(project(middle + direction * length)) else {
            continue;
        };
        let way = to - from;
        let share = ((cursor - from).dot(way) / way.length_squared().max(1.0)).clamp(0.0, 1.0);
        let distance = (from + way * share).distance(cursor);
        let near = distance < REACH_PIXELS * pointer.reach;
        if near && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, Part::Arrow(axis)));
        }
    }
    best.map(|(_, part)| part)
}

fn arrow_length(eye: &GlobalTransform, middle: Vec3) -> f32 {
    eye.translation().distance(middle) * ARROW_SHARE
}

fn within_reach(target: Vec3, base: Vec3) -> Vec3 {
    base + (target - base).clamp_length_max(FARTHEST)
}

/// A point of Bevy's world in the arm's base frame.
fn in_base(base: &Transform, point: Vec3) -> [f64; 3] {
    (base.rotation.inverse() * (point - base.translation))
        .to_array()
        .map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ray(origin: Vec3, towards: Vec3) -> Option<Ray3d> {
        Dir3::new(towards - origin)
            .ok()
            .map(|direction| Ray3d { origin, direction })
    }

    #[test]
    fn an_arrow_is_dragged_to_the_point_under_the_pointer() {
        let ray = ray(Vec3::new(0.3, 0.2, 2.0), Vec3::new(0.3, 0.2, 0.0));
        let hit = ray.and_then(|ray| nearest_on_line(Vec3::ZERO, Vec3::X, ray));
        assert!(
            hit.is_some_and(|hit| hit.abs_diff_eq(Vec3::new(0.3, 0.0, 0.0), 1e-6)),
            "{hit:?}"
        );
    }

    #[test]
    fn an_arrow_that_points_at_the_eye_cannot_be_dragged() {
        let ray = ray(Vec3::new(3.0, 0.0, 0.0), Vec3::ZERO);
        assert_eq!(
            ray.and_then(|ray| nearest_on_line(Vec3::ZERO, Vec3::X, ray)),
            None
        );
    }

    #[test]
    fn the_pointer_finds_parts() {
        let flat = |point: Vec3| Some(Vec2::new(point.x, -point.y) * 1000.0);
        let found = |x: f32, y: f32, reach: f32| {
            let pointer = Pointer {
                at: Vec2::new(x, y),
                pressed: false,
                just_pressed: false,
                reach,
            };
            part_at(&pointer, Vec3::ZERO, &Transform::IDENTITY, 0.1, flat)
        };
        assert_eq!(found(3.0, 4.0, 1.0), Some(Part::Ring));
        assert_eq!(found(70.0, 5.0, 1.0), Some(Part::Arrow(0)));
        assert_eq!(found(-2.0, -60.0, 1.0), Some(Part::Arrow(1)));
        assert_eq!(found(60.0, 60.0, 1.0), None);
        // A finger need not be as exact.
        assert_eq!(found(70.0, 14.0, 1.0), None);
        assert_eq!(found(70.0, 14.0, FINGER), Some(Part::Arrow(0)));
    }

    #[test]
    fn targets_are_sent_in_the_base_frame_and_stay_near() {
        let base = Transform::from_xyz(1.0, 0.0, 0.0)
            .with_rotation(Quat::from_rotation_y(core::f32::consts::FRAC_PI_2));
        let point = base.transform_point(Vec3::new(0.1, 0.2, 0.3));
        let back = in_base(&base, point);
        assert!(
            (back[0] - 0.1).abs() < 1e-6 && (back[2] - 0.3).abs() < 1e-6,
            "{back:?}"
        );
        let far = within_reach(Vec3::new(9.0, 0.0, 0.0), base.translation);
        assert!((far.distance(base.translation) - FARTHEST).abs() < 1e-6);
    }
}
