//! `forearm snapshot`: a picture of a scene, rendered without a window.

use std::path::PathBuf;

use anyhow::Context;
use bevy::asset::RenderAssetUsages;
use bevy::image::Image;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use forearm::capture::save_picture;
use forearm::files::{self, FirstArm};
use forearm_view::{SnapshotCamera, SnapshotError, ViewSettings, snapshot};

use super::{Failure, OrFail, parse_picture, parse_size};

#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotArgs {
    /// A built-in scene's name (see `forearm scene list`) or a scene file.
    #[arg(long, value_name = "NAME|FILE")]
    scene: Option<String>,
    /// A URDF or MJCF file to use as the first arm, in place of the scene's.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// One of the scene's cameras, or `overview`.
    #[arg(long, default_value = "overview", value_name = "NAME")]
    camera: String,
    /// Size of the picture, pixels; the camera's own if left out.
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    size: Option<[u32; 2]>,
    /// The PNG file to write.
    #[arg(long, value_name = "FILE", value_parser = parse_picture)]
    out: PathBuf,
}

pub(crate) fn run(args: &SnapshotArgs) -> Result<(), Failure> {
    let loaded = files::load_scene(
        args.scene.as_deref(),
        FirstArm {
            model: args.model.as_deref(),
            ..FirstArm::default()
        },
    )
    .or_bad_input()?;
    let camera = match args.camera.as_str() {
        "overview" => SnapshotCamera::Overview,
        name => SnapshotCamera::Named(name.to_owned()),
    };
    let picture = snapshot(
        &loaded.bundle,
        &camera,
        args.size,
        None,
        ViewSettings::default(),
    )
    .map_err(|error| match error {
        SnapshotError::NoCamera { .. } => Failure::Input(error.into()),
        _ => Failure::Run(error.into()),
    })?;
    let size = Extent3d {
        width: picture.width,
        height: picture.height,
        depth_or_array_layers: 1,
    };
    let image = Image::new(
        size,
        TextureDimension::D2,
        picture.data,
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::default(),
    );
    save_picture(&image, &args.out)
        .with_context(|| format!("{} can't be written", args.out.display()))
        .or_bad_input()
}
