//! The handles at what is selected: arrows and a square that move it, rings that turn it, arrows with
//! knobs that resize it. Red is X, green Y, blue Z.

use core::f32::consts::TAU;
use std::sync::Arc;

use bevy::input::touch::Touches;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use forearm_protocol::scene::edit::{Item, Motion, moved};
use forearm_protocol::scene::{CameraMount, LightSpec, Scene, SceneBundle};

use super::marks::EditLines;
use super::math::{angle_about, from_segment};
use super::{EditTool, EditedScene, EditorHand, is_edited};
use crate::arms::LinkPoses;
use crate::cameras::camera_place;
use crate::frames::{bevy_from_world, rotation_degrees, transform, vec3};
use crate::gizmos::{AXIS_COLORS, bevy_from_base};
use crate::orbit::MainCamera;
use crate::scene::LoadedScene;
use crate::settings::{PointerCaptured, ViewportRect};
use crate::tool_gizmo::{HELD_COLOR, Pointer, nearest_on_line};

/// How near the pointer must be to a part, logical pixels.
const REACH_PIXELS: f32 = 9.0;
const MIDDLE_PIXELS: f32 = 13.0;
/// Length of arrows and radius of rings as a share of the distance to the camera.
const SHARE: f32 = 0.13;
/// Where an arrow begins, and how large the middle's square is, as a share of the length.
const GAP: f32 = 0.22;
const SQUARE: f32 = 0.16;
/// Corners of a drawn ring.
const CORNERS: usize = 64;
/// A drag up of so many pixels makes it e times as large.
const PIXELS_A_SCALE: f32 = 160.0;

/// A handle's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Moves on the plane of the table, or resizes all axes.
    Middle,
    /// Moves, turns or resizes along or about this axis: 0, 1, 2.
    Axis(usize),
}

/// What the pointer does with the handles.
#[derive(Resource, Debug, Default)]
pub(crate) struct EditHandle {
    hovered: Option<Part>,
    drag: Option<Drag>,
}

#[derive(Debug, Clone)]
struct Drag {
    part: Part,
    tool: EditTool,
    item: Item,
    /// The scene when the drag began, and where the thing was.
    base: Arc<SceneBundle>,
    place: Place,
    length: f32,
    /// The point under the pointer when the drag began, and the pointer itself.
    grip: Vec3,
    start: Vec2,
    /// What has been sent last.
    sent: Option<(Motion, bool)>,
}

/// Where a thing is, in Bevy's frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) middle: Vec3,
    /// The frame that its place is given in.
    pub(super) parent: Quat,
    /// Its own frame.
    pub(super) own: Quat,
}

impl EditHandle {
    /// Whether the pointer is the handles': the camera must not take it.
    pub(crate) fn busy(&self) -> bool {
        self.hovered.is_some() || self.drag.is_some()
    }
}

/// Where a thing of the scene is; `None` for what has no place.
pub(super) fn place_of(scene: &LoadedScene, poses: &LinkPoses, item: Item) -> Option<Place> {
    let spec = &scene.bundle.scene;
    let world = bevy_from_world();
    let at = |position: [f64; 3], own: Quat| Place {
        middle: world * vec3(position),
        parent: world,
        own: world * own,
    };
    match item {
        Item::Scene => None,
        Item::Table => {
            let [x, y] = spec.table.center;
            Some(at([x, y, 0.0], Quat::IDENTITY))
        }
        Item::Arm(index) => {
            let arm = spec.arms.get(index)?;
            Some(at(
                arm.position,
                rotation_degrees([0.0, 0.0, arm.yaw_degrees]),
            ))
        }
        Item::Object(index) => {
            let object = spec.objects.get(index)?;
            Some(at(
                object.position,
                rotation_degrees(object.rotation_degrees),
            ))
        }
        Item::Camera(index) => {
            let mount = &spec.cameras.get(index)?.mount;
            let own = camera_place(mount);
            let parent = match mount {
                CameraMount::World { .. } => Transform::from_rotation(world),
                CameraMount::Link { arm, link, .. } => {
                    let arm = spec.arms.iter().position(|known| known.name == *arm)?;
                    let link = scene.models.get(arm)?.link_index(link)?;
                    bevy_from_base(scene, arm)? * transform(poses.measured.get(arm)?.get(link)?)
                }
            };
            let place = parent * own;
            Some(Place {
                middle: place.translation,
                parent: parent.rotation,
                own: place.rotation,
            })
        }
        Item::LookAt(index) => match spec.cameras.get(index)?.mount {
            CameraMount::World { look_at, .. } => Some(at(look_at, Quat::IDENTITY)),
            CameraMount::Link { .. } => None,
        },
        Item::Light(index) => match *spec.lights.get(index)? {
            LightSpec::Point { position, .. } => Some(at(position, Quat::IDENTITY)),
            LightSpec::Sun { from, .. } => {
                // A sun is far away: its mark hangs where it comes from, in sight.
                let toward = vec3(from).try_normalize()?;
                let table = Vec3::new(
                    spec.table.center[0] as f32,
                    spec.table.center[1] as f32,
                    0.0,
                );
                let mark = table + 0.75 * toward;
                Some(at(mark.to_array().map(f64::from), Quat::IDENTITY))
            }
            LightSpec::Ambient { .. } => None,
        },
    }
}

/// The axes that a tool has handles for, of this thing; and whether there is one in the middle.
fn parts(scene: &Scene, item: Item, tool: EditTool) -> (&'static [usize], bool) {
    let lamp = |index: usize| matches!(scene.lights.get(index), Some(LightSpec::Point { .. }));
    match (tool, item) {
        (EditTool::Move, Item::Table) => (&[0, 1], true),
        (EditTool::Move, Item::Light(index)) if lamp(index) => (&[0, 1, 2], true),
        (EditTool::Move, Item::Arm(_) | Item::Object(_) | Item::Camera(_) | Item::LookAt(_)) => {
            (&[0, 1, 2], true)
        }
        (EditTool::Turn, Item::Object(_) | Item::Camera(_)) => (&[0, 1, 2], false),
        (EditTool::Turn, Item::Arm(_)) => (&[2], false),
        (EditTool::Scale, Item::Object(_)) => (&[0, 1, 2], true),
        (EditTool::Scale, Item::Table) => (&[0, 1], false),
        _ => (&[], false),
    }
}

/// The directions of a tool's axes.
fn axes(place: &Place, tool: EditTool) -> [Vec3; 3] {
    let frame = if tool == EditTool::Scale {
        place.own
    } else {
        place.parent
    };
    Vec3::AXES.map(|axis| frame * axis)
}

pub(crate) fn interact(
    edited: Res<EditedScene>,
    scene: Option<Res<LoadedScene>>,
    poses: Res<LinkPoses>,
    captured: Res<PointerCaptured>,
    area: Res<ViewportRect>,
    mouse: Res<ButtonInput<MouseButton>>,
    keys: Res<ButtonInput<KeyCode>>,
    touches: Res<Touches>,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    camera: Single<(&Camera, &GlobalTransform), With<MainCamera>>,
    mut handle: ResMut<EditHandle>,
    mut hands: MessageWriter<EditorHand>,
) {
    let scene = scene.filter(|scene| is_edited(scene));
    let Some((shown, scene)) = edited.shown.as_ref().zip(scene) else {
        *handle = EditHandle::default();
        return;
    };
    let (camera, eye) = camera.into_inner();
    let pointer = window.and_then(|window| Pointer::find(&mouse, &touches, &window));
    let down = mouse.pressed(MouseButton::Left) || pointer.is_some_and(|pointer| pointer.pressed);
    if handle.drag.is_some() && mouse.just_pressed(MouseButton::Right) {
        hands.write(EditorHand::Cancel);
        handle.drag = None;
    }
    if !down && handle.drag.take().is_some() {
        hands.write(EditorHand::Release);
    }
    let Some(pointer) = pointer else {
        handle.hovered = None;
        return;
    };
    let Ok(ray) = camera.viewport_to_world(eye, pointer.at) else {
        return;
    };

    if let Some(drag) = &mut handle.drag {
        let other = keys.any_pressed([KeyCode::ControlLeft, KeyCode::ControlRight]);
        let snap = shown.snap != other;
        if let Some(motion) = drag.motion(ray, pointer.at)
            && drag.sent != Some((motion, snap))
        {
            drag.sent = Some((motion, snap));
            if let Some(edit) = moved(&drag.base.scene, drag.item, motion, snap) {
                hands.write(EditorHand::Hold(Box::new(edit)));
            }
        }
        return;
    }

    handle.hovered = None;
    let free = !captured.0 && area.0.is_none_or(|rect| rect.contains(pointer.at));
    if !free || (pointer.pressed && !pointer.just_pressed) {
        return;
    }
    let Some((item, place)) = shown
        .selected
        .and_then(|item| Some((item, place_of(&scene, &poses, item)?)))
    else {
        return;
    };
    let length = length(eye, place.middle);
    let project = |point: Vec3| camera.world_to_viewport(eye, point).ok();
    let offered = parts(&scene.bundle.scene, item, shown.tool);
    handle.hovered = part_at(
        &pointer,
        &place,
        shown.tool,
        offered,
        length,
        eye.translation(),
        project,
    );
    if let Some(part) = handle.hovered
        && pointer.just_pressed
    {
        let mut drag = Drag {
            part,
            tool: shown.tool,
            item,
            base: Arc::clone(&scene.bundle),
            place,
            length,
            grip: Vec3::ZERO,
            start: pointer.at,
            sent: None,
        };
        if let Some(grip) = drag.under(ray) {
            drag.grip = grip;
            handle.drag = Some(drag);
        }
    }
}

impl Drag {
    /// The point that the pointer means: on the axis, on the ring's plane, on the table's plane.
    fn under(&self, ray: Ray3d) -> Option<Vec3> {
        let plane = |normal: Vec3| {
            let normal = Dir3::new(normal).ok()?;
            // A plane seen from its edge is no place to drag on.
            if normal.dot(*ray.direction).abs() < 0.02 {
                return None;
            }
            ray.plane_intersection_point(self.place.middle, InfinitePlane3d { normal })
        };
        let axes = axes(&self.place, self.tool);
        match (self.part, self.tool) {
            (Part::Middle, EditTool::Scale) => Some(self.place.middle),
            (Part::Middle, _) => plane(axes[2]),
            (Part::Axis(axis), EditTool::Turn) => plane(axes[axis]),
            (Part::Axis(axis), _) => nearest_on_line(self.place.middle, axes[axis], ray),
        }
    }

    /// What the hand has done since the drag began.
    fn motion(&self, ray: Ray3d, pointer: Vec2) -> Option<Motion> {
        let hit = self.under(ray)?;
        let axes = axes(&self.place, self.tool);
        match (self.tool, self.part) {
            (EditTool::Move, part) => {
                let mut by = (self.place.parent.inverse() * (hit - self.grip))
                    .to_array()
                    .map(f64::from);
                // Exactly along its axes, whatever rounding has left.
                for (axis, value) in by.iter_mut().enumerate() {
                    let along = match part {
                        Part::Axis(only) => axis == only,
                        Part::Middle => axis != 2,
                    };
                    if !along {
                        *value = 0.0;
                    }
                }
                Some(Motion::Move(by))
            }
            (EditTool::Turn, Part::Axis(axis)) => {
                let (from, to) = (self.grip - self.place.middle, hit - self.place.middle);
                let degrees = angle_about(axes[axis], from, to).to_degrees();
                let mut about = [0.0; 3];
                about[axis] = 1.0;
                Some(Motion::Turn {
                    axis: about,
                    degrees: f64::from(degrees),
                })
            }
            (EditTool::Turn, Part::Middle) => None,
            (EditTool::Scale, Part::Axis(axis)) => {
                let by = (hit - self.grip).dot(axes[axis]) / self.length;
                let mut factors = [1.0; 3];
                factors[axis] = f64::from((1.0 + by).max(0.02));
                Some(Motion::Scale(factors))
            }
            (EditTool::Scale, Part::Middle) => {
                let up = (self.start.y - pointer.y) / PIXELS_A_SCALE;
                Some(Motion::Scale([f64::from(up.exp()); 3]))
            }
        }
    }
}

/// The part under the pointer.
fn part_at(
    pointer: &Pointer,
    place: &Place,
    tool: EditTool,
    (offered, middle): (&[usize], bool),
    length: f32,
    eye: Vec3,
    project: impl Fn(Vec3) -> Option<Vec2>,
) -> Option<Part> {
    if middle && project(place.middle)?.distance(pointer.at) < MIDDLE_PIXELS * pointer.reach {
        return Some(Part::Middle);
    }
    let axes = axes(place, tool);
    let mut best: Option<(f32, Part)> = None;
    for axis in offered {
        let distance = if tool == EditTool::Turn {
            let ring = ring(place.middle, axes[*axis], length, eye, offered.len() > 1);
            ring.windows(2)
                .filter_map(|ends| Some((project(ends[0])?, project(ends[1])?)))
                .map(|(from, to)| from_segment(pointer.at, from, to))
                .fold(f32::INFINITY, f32::min)
        } else {
            let ends = project(place.middle + axes[*axis] * length * GAP)
                .zip(project(place.middle + axes[*axis] * length));
            ends.map_or(f32::INFINITY, |(from, to)| {
                from_segment(pointer.at, from, to)
            })
        };
        let near = distance < REACH_PIXELS * pointer.reach;
        if near && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, Part::Axis(*axis)));
        }
    }
    best.map(|(_, part)| part)
}

/// Points of a ring about an axis; of several only the half towards the eye, so that they can be told
/// apart.
fn ring(middle: Vec3, axis: Vec3, radius: f32, eye: Vec3, half: bool) -> Vec<Vec3> {
    let across = axis.any_orthonormal_vector();
    let other = axis.cross(across);
    let toward = (eye - middle).normalize_or_zero();
    let (share, begin) = if half {
        // The point of the ring that is nearest to the eye is the middle of its half.
        let nearest = (toward.dot(other)).atan2(toward.dot(across));
        (0.5, nearest - 0.25 * TAU)
    } else {
        (1.0, 0.0)
    };
    (0..=CORNERS)
        .map(|corner| {
            let angle = begin + share * TAU * corner as f32 / CORNERS as f32;
            let (sin, cos) = angle.sin_cos();
            middle + (across * cos + other * sin) * radius
        })
        .collect()
}

fn length(eye: &GlobalTransform, middle: Vec3) -> f32 {
    eye.translation().distance(middle) * SHARE
}

pub(crate) fn draw(
    edited: Res<EditedScene>,
    scene: Res<LoadedScene>,
    poses: Res<LinkPoses>,
    handle: Res<EditHandle>,
    eye: Single<&GlobalTransform, With<MainCamera>>,
    mut lines: Gizmos<EditLines>,
) {
    let Some(shown) = &edited.shown else { return };
    let Some((item, place)) = shown
        .selected
        .and_then(|item| Some((item, place_of(&scene, &poses, item)?)))
    else {
        return;
    };
    let held = handle
        .drag
        .as_ref()
        .map(|drag| drag.part)
        .or(handle.hovered);
    let (offered, middle) = parts(&scene.bundle.scene, item, shown.tool);
    let length = length(*eye, place.middle);
    let axes = axes(&place, shown.tool);
    let color = |part: Part, plain: Color| {
        if held == Some(part) {
            HELD_COLOR
        } else {
            plain
        }
    };
    for axis in offered {
        // While one is held, the others only get in the way.
        if handle
            .drag
            .as_ref()
            .is_some_and(|drag| drag.part != Part::Axis(*axis) && drag.part != Part::Middle)
        {
            continue;
        }
        let ink = color(Part::Axis(*axis), AXIS_COLORS[*axis]);
        let (from, to) = (
            place.middle + axes[*axis] * length * GAP,
            place.middle + axes[*axis] * length,
        );
        match shown.tool {
            EditTool::Move => {
                lines.arrow(from, to, ink).with_tip_length(length * 0.13);
            }
            EditTool::Turn => {
                lines.linestrip(
                    ring(
                        place.middle,
                        axes[*axis],
                        length,
                        eye.translation(),
                        offered.len() > 1,
                    ),
                    ink,
                );
            }
            EditTool::Scale => {
                lines.line(from, to, ink);
                let knob = Isometry3d::new(to, place.own);
                for size in [0.07, 0.05, 0.03] {
                    lines.primitive_3d(&Cuboid::from_length(length * size), knob, ink);
                }
            }
        }
    }
    if let Some(drag) = &handle.drag
        && drag.tool == EditTool::Turn
        && let Part::Axis(_) = drag.part
    {
        let spoke = (drag.grip - place.middle).normalize_or_zero() * length;
        lines.line(place.middle, place.middle + spoke, HELD_COLOR);
    }
    if middle {
        let ink = color(Part::Middle, Color::srgb(0.98, 0.85, 0.35));
        let half = 0.5 * length * SQUARE;
        let corner = |x: f32, y: f32| place.middle + (axes[0] * x + axes[1] * y) * half;
        let square = [
            (1.0, 1.0),
            (-1.0, 1.0),
            (-1.0, -1.0),
            (1.0, -1.0),
            (1.0, 1.0),
        ];
        lines.linestrip(square.map(|(x, y)| corner(x, y)), ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drag(part: Part, tool: EditTool) -> Drag {
        let scene = forearm_protocol::scene::edit::add::empty_scene();
        Drag {
            part,
            tool,
            item: Item::Arm(0),
            base: Arc::new(SceneBundle::from(scene)),
            place: Place {
                middle: Vec3::ZERO,
                parent: bevy_from_world(),
                own: bevy_from_world(),
            },
            length: 0.1,
            grip: Vec3::ZERO,
            start: Vec2::ZERO,
            sent: None,
        }
    }

    fn ray(origin: Vec3, towards: Vec3) -> Ray3d {
        Ray3d {
            origin,
            direction: Dir3::new(towards - origin).expect("two points"),
        }
    }

    #[test]
    fn an_arrow_moves_along_its_axis_of_the_scene_alone() {
        // Bevy's −Z is the scene's Y.
        let drag = drag(Part::Axis(1), EditTool::Move);
        let to = Vec3::new(0.01, 0.0, -0.05);
        let motion = drag.motion(ray(to + Vec3::Y, to), Vec2::ZERO);
        let Some(Motion::Move(by)) = motion else {
            panic!("{motion:?}")
        };
        assert!(
            (by[1] - 0.05).abs() < 1e-6 && by[0] == 0.0 && by[2] == 0.0,
            "{by:?}"
        );
    }

    #[test]
    fn the_middle_moves_on_the_plane_of_the_table() {
        let drag = drag(Part::Middle, EditTool::Move);
        let to = Vec3::new(0.03, 0.0, -0.05);
        let motion = drag.motion(ray(to + Vec3::new(1.0, 1.0, 1.0), to), Vec2::ZERO);
        let Some(Motion::Move(by)) = motion else {
            panic!("{motion:?}")
        };
        assert!(
            (by[0] - 0.03).abs() < 1e-6 && (by[1] - 0.05).abs() < 1e-6 && by[2] == 0.0,
            "{by:?}"
        );
        let flat = ray(Vec3::new(1.0, 0.001, 0.0), Vec3::ZERO);
        assert_eq!(
            drag.motion(flat, Vec2::ZERO),
            None,
            "nobody drags on a plane seen from its edge"
        );
    }

    #[test]
    fn a_ring_turns_about_its_axis_of_the_scene() {
        let mut drag = drag(Part::Axis(2), EditTool::Turn);
        drag.grip = Vec3::X * 0.1;
        // From the scene's X to its Y: a quarter to the left.
        let to = Vec3::new(0.0, 0.0, -0.1);
        let motion = drag.motion(ray(to + Vec3::Y, to), Vec2::ZERO);
        let Some(Motion::Turn { axis, degrees }) = motion else {
            panic!("{motion:?}")
        };
        assert_eq!(axis, [0.0, 0.0, 1.0]);
        assert!((degrees - 90.0).abs() < 1e-3, "{degrees}");
    }

    #[test]
    fn the_pointer_finds_only_what_the_thing_has() {
        let place = Place {
            middle: Vec3::ZERO,
            parent: Quat::IDENTITY,
            own: Quat::IDENTITY,
        };
        let flat = |point: Vec3| Some(Vec2::new(point.x, -point.y) * 1000.0);
        let pointer = Pointer {
            at: Vec2::new(70.0, 4.0),
            pressed: false,
            just_pressed: false,
            reach: 1.0,
        };
        let found = |tool, parts| part_at(&pointer, &place, tool, parts, 0.1, Vec3::Z * 3.0, flat);
        assert_eq!(
            found(EditTool::Move, (&[0, 1, 2], true)),
            Some(Part::Axis(0))
        );
        assert_eq!(found(EditTool::Move, (&[1, 2], true)), None);
        let scene = forearm_protocol::scene::edit::add::empty_scene();
        assert_eq!(
            parts(&scene, Item::Arm(0), EditTool::Turn),
            (&[2][..], false)
        );
        assert_eq!(
            parts(&scene, Item::Arm(0), EditTool::Scale),
            (&[][..], false)
        );
    }
}
