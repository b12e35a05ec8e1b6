//! A picture of a scene with no window: for the command line and for tests against kept images.
//!
//! [`snapshot`] builds an app of its own, lets it load the scene and draw until the picture is
//! complete, reads it back and takes the app down. It needs a graphics adapter; a software one
//! (Mesa's lavapipe) will do.

use std::sync::Arc;

use bevy::asset::AssetMetaCheck;
use bevy::camera::RenderTarget;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::gpu_readback::{Readback, ReadbackComplete};
use bevy::render::render_resource::TextureUsages;
use bevy::window::{ExitCondition, WindowPlugin};
use forearm_protocol::control::{Event, StateUpdate};
use forearm_protocol::scene::{ModelProblem, SceneBundle};

use crate::cameras::{SceneCamera, target};
use crate::orbit::MainCamera;
use crate::settings::{Quality, ViewSettings};
use crate::{ViewPlugin, ViewSystems};

/// Frames drawn before one is kept: shaders, meshes and lights take a few to arrive.
const WARM_UP_FRAMES: u32 = 6;
/// Frames after which drawing counts as failed.
const LAST_FRAME: u32 = 120;

/// Which camera draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotCamera {
    /// One of the scene's cameras, by name.
    Named(String),
    /// The window's camera where it starts: everything, with grid and ghost.
    Overview,
}

/// A picture: rows from the top, four bytes a pixel (red, green, blue, alpha), sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// `4 * width * height` bytes.
    pub data: Vec<u8>,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// No adapter, not even a software one.
    #[error(
        "no graphics adapter was found ({0}); install a Vulkan driver, or Mesa's software one \
         (package `mesa-vulkan-drivers`)"
    )]
    NoAdapter(String),
    /// The scene has no such camera.
    #[error("the scene has no camera `{name}`; it has {known}")]
    NoCamera {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// An arm's model can't be read.
    #[error(transparent)]
    Model(#[from] ModelProblem),
    /// A side is zero or too long.
    #[error("a picture of {width} × {height} pixels can't be drawn; each side may be 1 to 8192")]
    Size {
        /// Width asked for.
        width: u32,
        /// Height asked for.
        height: u32,
    },
    /// Nothing came back.
    #[error("the picture was not complete after {LAST_FRAME} frames; the graphics driver may hang")]
    Incomplete,
}

/// Present while an app draws a single picture: which camera draws, into what.
#[derive(Resource, Debug, Clone)]
pub(crate) struct Still {
    /// The scene's camera, by index; `None` for the main camera.
    camera: Option<usize>,
    image: Handle<Image>,
}

/// What came back last.
#[derive(Resource, Debug, Default)]
struct Developed(Option<Vec<u8>>);

/// The name of the graphics adapter that drawing would use.
///
/// # Errors
/// [`SnapshotError::NoAdapter`] if there is none. Bevy itself panics without one: ask first.
pub fn adapter() -> Result<String, SnapshotError> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let adapter = pollster::block_on(instance.request_adapter(&options))
        .map_err(|error| SnapshotError::NoAdapter(error.to_string()))?;
    let info = adapter.get_info();
    Ok(format!("{} ({:?})", info.name, info.backend))
}

/// Draws a scene once.
///
/// `size` is the picture's width and height in pixels; `None` takes the camera's resolution, or
/// 1280 × 720 for the overview. Without `state`, arms are at their homes and objects in their
/// places; a state is drawn whatever its generation. [`Quality::Auto`] is high here.
///
/// # Errors
/// See [`SnapshotError`].
pub fn snapshot(
    bundle: &Arc<SceneBundle>,
    camera: &SnapshotCamera,
    size: Option<[u32; 2]>,
    state: Option<StateUpdate>,
    mut settings: ViewSettings,
) -> Result<Snapshot, SnapshotError> {
    let cameras = &bundle.scene.cameras;
    let index = match camera {
        SnapshotCamera::Overview => None,
        SnapshotCamera::Named(name) => {
            let index = cameras.iter().position(|camera| camera.name == *name);
            Some(index.ok_or_else(|| no_camera(name, bundle))?)
        }
    };
    let [width, height] =
        size.unwrap_or_else(|| index.map_or([1280, 720], |index| cameras[index].resolution));
    if !(1..=8192).contains(&width) || !(1..=8192).contains(&height) {
        return Err(SnapshotError::Size { width, height });
    }
    bundle.arm_models()?;
    adapter()?;

    // One picture may take its time.
    if settings.quality == Quality::Auto {
        settings.quality = Quality::High;
    }
    let mut app = headless_app();
    app.insert_resource(settings)
        .add_plugins(ViewPlugin)
        .init_resource::<Developed>();
    app.add_systems(Update, aim.after(ViewSystems::Place));
    app.finish();
    app.cleanup();

    let mut picture = target(UVec2::new(width, height));
    picture.texture_descriptor.usage |= TextureUsages::COPY_SRC;
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(picture);
    app.insert_resource(Still {
        camera: index,
        image: image.clone(),
    });
    app.world_mut().write_message(Event::SceneLoaded {
        generation: 0,
        bundle: Arc::clone(bundle),
    });
    app.update();
    if let Some(state) = state {
        let state = StateUpdate {
            scene_generation: 0,
            ..state
        };
        app.world_mut().write_message(Event::State(Box::new(state)));
    }
    for _ in 0..WARM_UP_FRAMES {
        app.update();
    }
    app.world_mut()
        .spawn((Name::new("Readback"), Readback::texture(image)))
        .observe(
            |done: On<ReadbackComplete>, mut developed: ResMut<Developed>| {
                developed.0 = Some(done.data.clone());
            },
        );
    for _ in WARM_UP_FRAMES..LAST_FRAME {
        app.update();
        if let Some(data) = app.world_mut().resource_mut::<Developed>().0.take() {
            return Ok(Snapshot {
                width,
                height,
                data: unpadded(data, width, height),
            });
        }
    }
    Err(SnapshotError::Incomplete)
}

/// Bevy without window, log and threads of its own.
fn headless_app() -> App {
    let mut app = App::new();
    app.add_plugins((
        bevy::app::TaskPoolPlugin::default(),
        bevy::diagnostic::FrameCountPlugin,
        bevy::time::TimePlugin,
        bevy::transform::TransformPlugin,
        bevy::diagnostic::DiagnosticsPlugin,
        bevy::input::InputPlugin,
        WindowPlugin {
            primary_window: None,
            exit_condition: ExitCondition::DontExit,
            ..default()
        },
        AssetPlugin {
            meta_check: AssetMetaCheck::Never,
            ..default()
        },
    ));
    app.add_plugins((
        // A picture without its shaders would be an empty one.
        RenderPlugin {
            synchronous_pipeline_compilation: true,
            ..default()
        },
        ImagePlugin::default(),
        bevy::mesh::MeshPlugin,
        bevy::camera::CameraPlugin,
        bevy::light::LightPlugin,
        bevy::core_pipeline::CorePipelinePlugin,
        bevy::pbr::PbrPlugin::default(),
        bevy::gizmos::GizmoPlugin,
        bevy::gizmos_render::GizmoRenderPlugin,
    ));
    app
}

/// Points the one camera at the image and switches the others off.
fn aim(
    still: Res<Still>,
    main: Single<Entity, With<MainCamera>>,
    scene: Query<(Entity, &SceneCamera)>,
    mut cameras: Query<&mut Camera>,
    mut commands: Commands,
) {
    let chosen = match still.camera {
        None => Some(*main),
        Some(index) => scene
            .iter()
            .find(|(_, camera)| camera.0 == index)
            .map(|(entity, _)| entity),
    };
    for entity in scene.iter().map(|(entity, _)| entity).chain([*main]) {
        if let Ok(mut camera) = cameras.get_mut(entity) {
            camera.is_active = chosen == Some(entity);
        }
    }
    if let Some(chosen) = chosen {
        commands
            .entity(chosen)
            .insert(RenderTarget::from(still.image.clone()));
    }
}

/// Rows come back padded to multiples of 256 bytes.
fn unpadded(data: Vec<u8>, width: u32, height: u32) -> Vec<u8> {
    let row = width as usize * 4;
    let stride = data.len() / height as usize;
    if stride == row {
        return data;
    }
    data.chunks_exact(stride)
        .flat_map(|line| &line[..row])
        .copied()
        .collect()
}

fn no_camera(name: &str, bundle: &SceneBundle) -> SnapshotError {
    let names: Vec<&str> = bundle
        .scene
        .cameras
        .iter()
        .map(|camera| camera.name.as_str())
        .collect();
    let known = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    SnapshotError::NoCamera {
        name: name.to_owned(),
        known,
    }
}
