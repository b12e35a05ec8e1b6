//! What the arms stand on and in: table, floor, grid, lamps.

use core::f32::consts::PI;

use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::RenderLayers;
use bevy::light::{
    CascadeShadowConfig, CascadeShadowConfigBuilder, DirectionalLightShadowMap, GlobalAmbientLight,
    NotShadowCaster, NotShadowReceiver,
};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use forearm_arm::Shape;
use forearm_protocol::scene::{LightSpec, TableSpec};

use crate::arms::HELPER_LAYER;
use crate::frames::{WorldRoot, vec3};
use crate::meshes::MeshBuilder;
use crate::scene::{LoadedScene, SceneRoot};
use crate::settings::{Detail, Theme, ViewSettings};
use crate::surroundings::{AMBIENT, Surroundings, palette, surroundings};

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

/// A light of the scene, by its index.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct SceneLight(pub(crate) usize);

/// A light that is left out when drawing must be cheap.
#[derive(Component, Debug)]
pub(crate) struct FillLight;

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
                let light = sun(&mut commands, root.0, &name, vec3(from), lux as f32, true);
                commands.entity(light).insert(SceneLight(index));
            }
            LightSpec::Point { position, lumens } => {
                commands.spawn((
                    Name::new(name),
                    SceneLight(index),
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
fn sun(
    commands: &mut Commands,
    root: Entity,
    name: &str,
    from: Vec3,
    lux: f32,
    shadows: bool,
) -> Entity {
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
        sun_place(from),
        ChildOf(root),
    ));
    if shadows {
        light.insert((ShadowLight, cascade(2.0)));
    } else {
        light.insert(FillLight);
    }
    light.id()
}

/// How light that comes from there is turned.
pub(crate) fn sun_place(from: Vec3) -> Transform {
    let direction = (-from).try_normalize().unwrap_or(Vec3::NEG_Z);
    Transform::default().looking_to(direction, direction.any_orthonormal_vector())
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
