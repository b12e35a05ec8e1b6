//! Draws the arms, objects and cameras of a scene.
//!
//! In: Bevy messages [`Event`] (a loaded scene makes everything anew; states move it), the
//! resources [`ViewSettings`], [`PointerCaptured`] and [`ViewportRect`] that the app sets, and
//! [`CameraPreset`] messages; while a scene is edited, [`editor::EditedScene`]. Out: [`Command::ToolTarget`] messages while the tool's handle is
//! dragged, and [`CameraFeeds`], the images of the scene's cameras.
//!
//! What it does not do: compute targets, wait for anything, know services. It only shows what it
//! was told last, between the two latest samples ([`interpolate`]).
//!
//! The simulation's frame (Z up, metres) hangs under one rotated entity, the [`WorldRoot`]; see
//! [`frames`]. The window belongs to the app; the view brings the camera ([`MainCamera`]), which
//! draws only in [`ViewportRect`]. [`snapshot()`] draws a picture with no window at all.
//!
//! Limits: translucent materials are not sorted within a mesh; with [`Quality::Low`] the ghost is
//! blended, and its inner faces show.

mod arms;
mod cameras;
pub mod editor;
pub mod frames;
mod ghost;
mod gizmos;
pub mod interpolate;
mod meshes;
mod objects;
mod orbit;
mod scene;
mod settings;
pub mod snapshot;
mod stage;
mod surroundings;
mod tool_gizmo;

use bevy::prelude::*;
use bevy::render::renderer::RenderAdapterInfo;
use forearm_protocol::control::{Command, Event};

pub use cameras::{CameraFeed, CameraFeeds};
pub use frames::WorldRoot;
pub use interpolate::{ArmPicture, Picture};
pub use orbit::{MainCamera, OrbitCamera};
pub use scene::LoadedScene;
pub use settings::{
    CameraPreset, GhostMode, PointerCaptured, Quality, Theme, ViewSettings, ViewportRect,
};
pub use snapshot::{Snapshot, SnapshotCamera, SnapshotError, snapshot};

use settings::Detail;

/// Everything that is drawn of a scene. See the crate's documentation.
#[derive(Debug, Default)]
pub struct ViewPlugin;

/// What the view does in [`Update`], in this order.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViewSystems {
    /// Takes a loaded scene from the events.
    Receive,
    /// Builds its entities anew.
    Build,
    /// Computes the frame's picture.
    Picture,
    /// Pointer, camera, settings.
    Steer,
    /// Places and draws what the picture says.
    Place,
}

impl Plugin for ViewPlugin {
    fn build(&self, app: &mut App) {
        app.add_message::<Event>()
            .add_message::<Command>()
            .add_message::<CameraPreset>()
            .init_resource::<ViewSettings>()
            .init_resource::<PointerCaptured>()
            .init_resource::<ViewportRect>()
            .init_resource::<Detail>()
            .init_resource::<CameraFeeds>()
            .init_resource::<Picture>()
            .init_resource::<interpolate::Interpolator>()
            .init_resource::<arms::LinkPoses>()
            .init_resource::<meshes::ModelMeshes>()
            .add_message::<editor::EditorHand>()
            .init_resource::<editor::EditedScene>()
            .init_resource::<editor::LiveScene>()
            .init_resource::<editor::EditHandle>()
            .init_gizmo_group::<editor::EditLines>()
            .init_resource::<tool_gizmo::ToolHandle>()
            .init_gizmo_group::<gizmos::HelperLines>();
        app.world_mut().spawn((Name::new("World"), WorldRoot));

        app.configure_sets(
            Update,
            (
                ViewSystems::Receive,
                ViewSystems::Build.run_if(resource_exists_and_changed::<LoadedScene>),
                ViewSystems::Picture,
                ViewSystems::Steer,
                ViewSystems::Place,
            )
                .chain(),
        );
        app.add_systems(
            Startup,
            (
                gizmos::setup,
                editor::setup,
                orbit::setup,
                stage::setup,
                choose_detail,
            ),
        );
        app.add_systems(
            Update,
            (
                (scene::receive, editor::follow)
                    .chain()
                    .in_set(ViewSystems::Receive),
                (
                    scene::begin,
                    (arms::spawn, objects::spawn, stage::spawn),
                    cameras::spawn,
                )
                    .chain()
                    .in_set(ViewSystems::Build),
                (interpolate::update, arms::solve)
                    .chain()
                    .in_set(ViewSystems::Picture),
                (
                    choose_detail.run_if(resource_changed::<ViewSettings>),
                    (cameras::follow_detail, ghost::follow_detail)
                        .run_if(resource_changed::<Detail>.or_else(scene_changed)),
                    stage::follow_settings,
                    stage::follow_theme,
                    orbit::take_presets,
                    tool_gizmo::interact,
                    editor::interact,
                    editor::pick.run_if(editor::editing),
                    orbit::steer,
                    orbit::glide,
                    orbit::fit_viewport,
                    stage::follow_distance,
                )
                    .chain()
                    .in_set(ViewSystems::Steer),
                (
                    arms::place,
                    ghost::place,
                    objects::place,
                    gizmos::joint_frames,
                    gizmos::target_frames,
                    gizmos::camera_frames,
                    tool_gizmo::draw,
                    (editor::outline, editor::draw_handle).run_if(editor::editing),
                    (editor::choose_feeds, cameras::take_turns)
                        .chain()
                        .run_if(not(resource_exists::<snapshot::Still>)),
                    surroundings::light_cameras.run_if(
                        resource_changed::<surroundings::Surroundings>
                            .or_else(resource_changed::<Detail>)
                            .or_else(scene_changed),
                    ),
                )
                    .in_set(ViewSystems::Place),
            ),
        );
    }
}

fn scene_changed(scene: Option<Res<LoadedScene>>) -> bool {
    scene.is_some_and(|scene| scene.is_changed())
}

/// What [`Quality`] comes to: without a GPU, little.
fn choose_detail(
    settings: Res<ViewSettings>,
    adapter: Option<Res<RenderAdapterInfo>>,
    mut detail: ResMut<Detail>,
) {
    let software = adapter.is_some_and(|info| info.device_type == wgpu::DeviceType::Cpu);
    detail.set_if_neq(match settings.quality {
        Quality::Low => Detail::LOW,
        Quality::Auto if software => Detail::LOW,
        Quality::Auto | Quality::High => Detail::HIGH,
    });
}
