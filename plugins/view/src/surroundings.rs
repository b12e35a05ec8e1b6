//! Backdrop and light from all around, in the colours of the theme.

use bevy::asset::RenderAssetUsages;
use bevy::camera::Exposure;
use bevy::light::{EnvironmentMapLight, ShadowFilteringMethod, Skybox};
use bevy::prelude::*;
use bevy::render::render_resource::{
    Extent3d, TextureDimension, TextureFormat, TextureViewDescriptor, TextureViewDimension,
};

use crate::settings::{Detail, Theme};

/// The backdrop and the light from all around, for every camera.
#[derive(Resource, Clone)]
pub(crate) struct Surroundings {
    sky: Skybox,
    pub(crate) light: EnvironmentMapLight,
    pub(crate) theme: Theme,
}

/// Colours of a theme, sRGB.
pub(crate) struct Palette {
    /// Backdrop straight above and at the horizon; the floor.
    zenith: Color,
    horizon: Color,
    pub(crate) floor: Color,
    /// Light from above, from the sides, from below.
    sky: [f32; 3],
    wall: [f32; 3],
    ground: [f32; 3],
}

pub(crate) fn palette(theme: Theme) -> Palette {
    match theme {
        Theme::Dark => Palette {
            zenith: Color::srgb(0.115, 0.122, 0.138),
            horizon: Color::srgb(0.215, 0.225, 0.25),
            floor: Color::srgb(0.205, 0.213, 0.235),
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
pub(crate) const AMBIENT: f32 = 400.0;

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

pub(crate) fn surroundings(
    theme: Theme,
    brightness: f32,
    images: &mut Assets<Image>,
) -> Surroundings {
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
