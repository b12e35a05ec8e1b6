//! What the arms stand in: table, floor, backdrop, grid and light.

use core::f32::consts::PI;

use bevy::asset::RenderAssetUsages;
use bevy::camera::Exposure;
use bevy::camera::visibility::RenderLayers;
use bevy::light::{
    CascadeShadowConfig, CascadeShadowConfigBuilder, DirectionalLightShadowMap,
    EnvironmentMapLight, GlobalAmbientLight, NotShadowCaster, NotShadowReceiver,
    ShadowFilteringMethod, Skybox,
};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use bevy::render::render_resource::{
    Extent3d, TextureDimension, TextureFormat, TextureViewDescriptor, TextureViewDimension,
};
use forearm_arm::Shape;
use forearm_protocol::scene::{LightSpec, TableSpec};

use crate::arms::HELPER_LAYER;
use crate::frames::{WorldRoot, vec3};
use crate::meshes::MeshBuilder;
use crate::scene::{LoadedScene, SceneRoot};
use crate::settings::{Detail, Theme, ViewSettings};

/// The floor's height, metres: the table is a desk's height above it.
const FLOOR_Z: f32 = -0.72;
/// The table top's thickness, metres.
const TABLE_THICKNESS: f64 = 0.026;

/// The floor.
#[derive(Component, Debug)]
pub(crate) struct Floor;

/// The grid on the table.
#[derive(Component, Debug)]
pub(crate) struct Grid;

/// A light that casts shadows if shadows are on.
#[derive(Component, Debug)]
pub(crate) struct ShadowLight;

/// A light that is left out when drawing must be cheap.
#[derive(Component, Debug)]
pub(crate) struct FillLight;

/// The backdrop and the light from all around, for every camera.
#[derive(Resource, Clone)]
pub(crate) struct Surroundings {
    sky: Skybox,
    light: EnvironmentMapLight,
    theme: Theme,
}

/// Colours of a theme, sRGB.
struct Palette {
    /// Backdrop straight above and at the horizon; the floor.
    zenith: Color,
    horizon: Color,
    floor: Color,
    /// Light from above, from the sides, from below.
    sky: [f32; 3],
    wall: [f32; 3],
    ground: [f32; 3],
}

fn palette(theme: Theme) -> Palette {
    match theme {
        Theme::Dark => Palette {
            zenith: Color::srgb(0.14, 0.15, 0.17),
            horizon: Color::srgb(0.27, 0.285, 0.31),
            floor: Color::srgb(0.25, 0.26, 0.28),
            sky: [0.92, 0.97, 1.05],
            wall: [0.62, 0.63, 0.66],
            ground: [0.4, 0.38, 0.35],
        },
        Theme::Light => Palette {
            zenith: Color::srgb(0.71, 0.77, 0.84),
            horizon: Color::srgb(0.91, 0.925, 0.94),
            floor: Color::srgb(0.80, 0.81, 0.82),
            sky: [1.1, 1.13, 1.18],
            wall: [0.78, 0.79, 0.8],
            ground: [0.5, 0.48, 0.45],
        },
    }
}

/// Brightness of the light from all around, candela a square metre, if the scene names none.
const AMBIENT: f32 = 400.0;

pub(crate) fn setup(
    mut commands: Commands,
    world: Single<Entity, With<WorldRoot>>,
    settings: Res<ViewSettings>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut images: ResMut<Assets<Image>>,
    mut ambient: ResMut<GlobalAmbientLight>,
) {
    // The surroundings are the light from all around.
    ambient.brightness = 0.0;
    commands.insert_resource(surroundings(settings.theme, AMBIENT, &mut images));
    let floor = StandardMaterial {
        perceptual_roughness: 0.95,
        reflectance: 0.1,
        alpha_mode: AlphaMode::Blend,
        ..default()
    };
    commands.spawn((
        Name::new("Floor"),
        Floor,
        Mesh3d(meshes.add(disc(settings.theme))),
        MeshMaterial3d(materials.add(floor)),
        Transform::from_xyz(0.0, 0.0, FLOOR_Z),
        NotShadowCaster,
        ChildOf(*world),
    ));
}

/// The table and the lights of a scene.
pub(crate) fn spawn(
    mut commands: Commands,
    scene: Res<LoadedScene>,
    root: Res<SceneRoot>,
    settings: Res<ViewSettings>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut images: ResMut<Assets<Image>>,
) {
    let scene = &scene.bundle.scene;
    let table = &scene.table;
    let center = Vec3::new(table.center[0] as f32, table.center[1] as f32, 0.0);
    let [red, green, blue] = table.color;
    let surface = StandardMaterial {
        base_color: Color::srgb(red, green, blue),
        perceptual_roughness: 0.72,
        reflectance: 0.25,
        ..default()
    };
    commands.spawn((
        Name::new("Table"),
        Mesh3d(meshes.add(table_top(table))),
        MeshMaterial3d(materials.add(surface)),
        Transform::from_translation(center),
        ChildOf(root.0),
    ));
    let steel = StandardMaterial {
        base_color: Color::srgb(0.2, 0.21, 0.23),
        perceptual_roughness: 0.5,
        ..default()
    };
    commands.spawn((
        Name::new("Table legs"),
        Mesh3d(meshes.add(table_legs(table))),
        MeshMaterial3d(materials.add(steel)),
        Transform::from_translation(center),
        ChildOf(root.0),
    ));
    let ink = StandardMaterial {
        unlit: true,
        alpha_mode: AlphaMode::Blend,
        ..default()
    };
    commands.spawn((
        Name::new("Grid"),
        Grid,
        Mesh3d(meshes.add(grid(table))),
        MeshMaterial3d(materials.add(ink)),
        if settings.grid {
            Visibility::Inherited
        } else {
            Visibility::Hidden
        },
        // Just off the surface, so that the two don't flicker.
        Transform::from_xyz(0.0, 0.0, 3e-4),
        RenderLayers::layer(HELPER_LAYER),
        NotShadowCaster,
        NotShadowReceiver,
        ChildOf(root.0),
    ));

    let mut brightness = AMBIENT;
    if scene.lights.is_empty() {
        sun(
            &mut commands,
            root.0,
            "Key light",
            Vec3::new(0.55, -0.75, 1.25),
            2500.0,
            true,
        );
        sun(
            &mut commands,
            root.0,
            "Fill light",
            Vec3::new(-0.6, 0.9, 0.7),
            420.0,
            false,
        );
    }
    for (index, light) in scene.lights.iter().enumerate() {
        let name = format!("Light {}", index + 1);
        match *light {
            LightSpec::Sun { from, lux } => {
                sun(&mut commands, root.0, &name, vec3(from), lux as f32, true);
            }
            LightSpec::Point { position, lumens } => {
                commands.spawn((
                    Name::new(name),
                    PointLight {
                        intensity: lumens as f32,
                        radius: 0.03,
                        range: 5.0,
                        ..default()
                    },
                    Transform::from_translation(vec3(position)),
                    ChildOf(root.0),
                ));
            }
            LightSpec::Ambient { brightness: scene } => brightness = scene as f32,
        }
    }
    commands.insert_resource(surroundings(settings.theme, brightness, &mut images));
}

/// Parallel light; with shadows the main one, without a fill.
fn sun(commands: &mut Commands, root: Entity, name: &str, from: Vec3, lux: f32, shadows: bool) {
    let direction = (-from).try_normalize().unwrap_or(Vec3::NEG_Z);
    let warm = Color::srgb(1.0, 0.97, 0.93);
    let cool = Color::srgb(0.86, 0.92, 1.0);
    let mut light = commands.spawn((
        Name::new(name.to_owned()),
        DirectionalLight {
            illuminance: lux,
            color: if shadows { warm } else { cool },
            shadow_maps_enabled: false,
            // Texels are about a millimetre: small biases keep shadows attached to small things.
            shadow_depth_bias: 0.006,
            shadow_normal_bias: 1.6,
            ..default()
        },
        Transform::default().looking_to(direction, direction.any_orthonormal_vector()),
        ChildOf(root),
    ));
    if shadows {
        light.insert((ShadowLight, cascade(2.0)));
    } else {
        light.insert(FillLight);
    }
}

/// One cascade up to `far` metres from the camera.
fn cascade(far: f32) -> CascadeShadowConfig {
    CascadeShadowConfigBuilder {
        num_cascades: 1,
        minimum_distance: 0.05,
        maximum_distance: far,
        first_cascade_far_bound: far,
        ..default()
    }
    .build()
}

/// Follows [`ViewSettings`] and their [`Detail`]: shadows, grid, fill light, floor.
pub(crate) fn follow_settings(
    settings: Res<ViewSettings>,
    detail: Res<Detail>,
    mut shadow_map: ResMut<DirectionalLightShadowMap>,
    mut lights: Query<&mut DirectionalLight, With<ShadowLight>>,
    mut shown: ParamSet<(
        Query<&mut Visibility, With<Grid>>,
        Query<&mut Visibility, Or<(With<FillLight>, With<Floor>)>>,
    )>,
) {
    if shadow_map.size != detail.shadow_map {
        shadow_map.size = detail.shadow_map;
    }
    for mut light in &mut lights {
        if light.shadow_maps_enabled != settings.shadows {
            light.shadow_maps_enabled = settings.shadows;
        }
    }
    let visibility = |on: bool| {
        if on {
            Visibility::Inherited
        } else {
            Visibility::Hidden
        }
    };
    for mut grid in &mut shown.p0() {
        grid.set_if_neq(visibility(settings.grid));
    }
    for mut extra in &mut shown.p1() {
        extra.set_if_neq(visibility(detail.extras));
    }
}

/// Keeps the shadow map's texels on what the main camera sees: near things when it is near.
pub(crate) fn follow_distance(
    orbit: Single<&crate::orbit::OrbitCamera>,
    mut lights: Query<&mut CascadeShadowConfig, With<ShadowLight>>,
) {
    // In steps, so that shadows don't shimmer while the camera moves.
    let wanted = (orbit.distance() * 1.7 + 0.5).max(1.2);
    let step = (wanted * 2.0).ceil() / 2.0;
    for mut config in &mut lights {
        if config
            .bounds
            .last()
            .is_none_or(|bound| (bound - step).abs() > 1e-3)
        {
            *config = cascade(step);
        }
    }
}

/// Recolours backdrop, floor and the light around when the theme changes.
pub(crate) fn follow_theme(
    settings: Res<ViewSettings>,
    now: Res<Surroundings>,
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut images: ResMut<Assets<Image>>,
    mut floor: Single<&mut Mesh3d, With<Floor>>,
) {
    if now.theme != settings.theme {
        floor.0 = meshes.add(disc(settings.theme));
        let brightness = now.light.intensity;
        commands.insert_resource(surroundings(settings.theme, brightness, &mut images));
    }
}

/// Gives every camera backdrop and light of the surroundings.
pub(crate) fn light_cameras(
    surroundings: Res<Surroundings>,
    detail: Res<Detail>,
    mut cameras: Query<(Entity, &mut ShadowFilteringMethod), With<Camera3d>>,
    mut commands: Commands,
) {
    for (camera, mut filter) in &mut cameras {
        filter.set_if_neq(detail.shadow_filter);
        commands
            .entity(camera)
            .insert((surroundings.sky.clone(), surroundings.light.clone()));
    }
}

fn surroundings(theme: Theme, brightness: f32, images: &mut Assets<Image>) -> Surroundings {
    let palette = palette(theme);
    let color = |[red, green, blue]: [f32; 3]| Color::linear_rgb(red, green, blue);
    let mut light = EnvironmentMapLight::hemispherical_gradient(
        images,
        color(palette.sky),
        color(palette.wall),
        color(palette.ground),
    );
    light.intensity = brightness;
    let sky = Skybox {
        image: Some(images.add(sky(&palette))),
        // What makes a sample come out as it is, at the cameras' exposure.
        brightness: 1.0 / Exposure::default().exposure(),
        ..default()
    };
    Surroundings { sky, light, theme }
}

/// A cube of images: the horizon's colour below and at the horizon, towards the zenith's above.
fn sky(palette: &Palette) -> Image {
    const SIDE: u32 = 32;
    let mut pixels = Vec::with_capacity((SIDE * SIDE * 6 * 4) as usize);
    // Faces in the order +X, −X, +Y, −Y, +Z, −Z; Bevy's Y is up.
    for face in 0..6 {
        for row in 0..SIDE {
            for column in 0..SIDE {
                let at = |step: u32| (step as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0;
                let (across, down) = (at(column), at(row));
                let up = match face {
                    2 => 1.0,
                    3 => -1.0,
                    _ => -down,
                };
                let side = if matches!(face, 2 | 3) { down } else { 1.0 };
                let height = up / Vec3::new(across, up, side).length();
                let share = height.clamp(0.0, 1.0).powf(0.8);
                let color = palette.horizon.mix(&palette.zenith, share).to_srgba();
                pixels.extend(color.to_u8_array());
            }
        }
    }
    let mut image = Image::new(
        Extent3d {
            width: SIDE,
            height: SIDE,
            depth_or_array_layers: 6,
        },
        TextureDimension::D2,
        pixels,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.texture_view_descriptor = Some(TextureViewDescriptor {
        dimension: Some(TextureViewDimension::Cube),
        ..default()
    });
    image
}

/// The floor: a disc that fades out towards the backdrop.
fn disc(theme: Theme) -> Mesh {
    const RINGS: [(f32, f32); 5] = [(0.0, 1.0), (0.8, 1.0), (1.8, 0.75), (3.2, 0.3), (5.5, 0.0)];
    const SPOKES: u32 = 48;
    let floor = palette(theme).floor.to_linear();
    let mut positions = Vec::new();
    let mut colors = Vec::new();
    let mut indices = Vec::new();
    for (ring, (radius, alpha)) in RINGS.into_iter().enumerate() {
        for spoke in 0..SPOKES {
            let (sin, cos) = (2.0 * PI * spoke as f32 / SPOKES as f32).sin_cos();
            positions.push([radius * cos, radius * sin, 0.0]);
            colors.push(floor.with_alpha(alpha).to_f32_array());
            if ring > 0 {
                let (inner, outer) = ((ring as u32 - 1) * SPOKES, ring as u32 * SPOKES);
                let next = (spoke + 1) % SPOKES;
                indices.extend([inner + spoke, outer + spoke, outer + next]);
                indices.extend([inner + spoke, outer + next, inner + next]);
            }
        }
    }
    flat(positions, Some(colors), indices)
}

fn table_top(table: &TableSpec) -> Mesh {
    let mut builder = MeshBuilder::default();
    let half_extents = [
        0.5 * table.size[0],
        0.5 * table.size[1],
        0.5 * TABLE_THICKNESS,
    ];
    let top = forearm_arm::mesh::triangulate(&Shape::RoundedBox {
        half_extents,
        radius: 0.004,
    });
    builder.add(
        &top,
        &nalgebra::Isometry3::translation(0.0, 0.0, -0.5 * TABLE_THICKNESS),
    );
    builder.build()
}

fn table_legs(table: &TableSpec) -> Mesh {
    let mut builder = MeshBuilder::default();
    let length = -f64::from(FLOOR_Z) - TABLE_THICKNESS;
    let leg = forearm_arm::mesh::triangulate(&Shape::RoundedBox {
        half_extents: [0.02, 0.02, 0.5 * length],
        radius: 0.003,
    });
    let (x, y) = (
        (0.5 * table.size[0] - 0.05).max(0.0),
        (0.5 * table.size[1] - 0.05).max(0.0),
    );
    for (x, y) in [(x, y), (-x, y), (-x, -y), (x, -y)] {
        let z = -TABLE_THICKNESS - 0.5 * length;
        builder.add(&leg, &nalgebra::Isometry3::translation(x, y, z));
    }
    builder.build()
}

/// Lines every 5 cm, stronger every 10 cm, in the world's frame; X and Y through the origin in
/// their colours.
fn grid(table: &TableSpec) -> Mesh {
    const PITCH: f64 = 0.05;
    let (mut positions, mut colors, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    // Dark lines on a bright table, bright ones on a dark table.
    let bright = table.color.iter().sum::<f32>() > 0.9;
    let ink = if bright { 0.0 } else { 1.0 };
    let margin = 0.01;
    let low = [0, 1].map(|axis| table.center[axis] - 0.5 * table.size[axis] + margin);
    let high = [0, 1].map(|axis| table.center[axis] + 0.5 * table.size[axis] - margin);
    for axis in [0, 1] {
        let other = 1 - axis;
        let first = (low[axis] / PITCH).ceil() as i64;
        let last = (high[axis] / PITCH).floor() as i64;
        for line in first..=last {
            let at = (line as f64 * PITCH) as f32;
            let (half, color) = match line {
                // The line through the origin along the other axis.
                0 if other == 0 => (7e-4, [0.75, 0.12, 0.1, 0.55]),
                0 => (7e-4, [0.1, 0.5, 0.14, 0.55]),
                _ if line % 2 == 0 => (4.5e-4, [ink, ink, ink, 0.2]),
                _ => (3.5e-4, [ink, ink, ink, 0.09]),
            };
            let start = positions.len() as u32;
            for (across, along) in [
                (at - half, low[other]),
                (at + half, low[other]),
                (at + half, high[other]),
                (at - half, high[other]),
            ] {
                let along = along as f32;
                positions.push(if axis == 0 {
                    [across, along, 0.0]
                } else {
                    [along, across, 0.0]
                });
                colors.push(color);
            }
            let corners = if axis == 0 {
                [0, 1, 2, 0, 2, 3]
            } else {
                [0, 2, 1, 0, 3, 2]
            };
            indices.extend(corners.map(|corner| start + corner));
        }
    }
    flat(positions, Some(colors), indices)
}

/// A flat mesh that looks up.
fn flat(positions: Vec<[f32; 3]>, colors: Option<Vec<[f32; 4]>>, indices: Vec<u32>) -> Mesh {
    let normals = vec![[0.0, 0.0, 1.0]; positions.len()];
    let mut mesh = Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
    .with_inserted_indices(Indices::U32(indices));
    if let Some(colors) = colors {
        mesh.insert_attribute(Mesh::ATTRIBUTE_COLOR, colors);
    }
    mesh
}
