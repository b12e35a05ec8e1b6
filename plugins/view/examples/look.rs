//! Draws a scene from several sides into PNG files, to look at without a window:
//! `cargo run --release -p forearm_view --example look -- FOLDER`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_view::{Snapshot, SnapshotCamera, Theme, ViewSettings, snapshot};

/// An arm, things to grasp, and cameras from all sides.
const SCENE: &str = r#"(
    name: "look",
    arms: [(name: "arm", home_degrees: {
        "shoulder_pan": 15, "shoulder_lift": -20, "elbow_flex": 30, "wrist_flex": 60, "gripper": 40,
    })],
    objects: [
        (name: "cube", shape: Cube(size: 0.03), position: (0.28, 0.1, 0.015)),
        (name: "tray", shape: Tray(inner: (0.14, 0.1), height: 0.03, wall: 0.004),
            position: (0.2, -0.2, 0.0), color: (0.3, 0.45, 0.6)),
        (name: "ball", shape: Ball(radius: 0.018), position: (0.34, -0.06, 0.018),
            color: (0.25, 0.6, 0.35)),
        (name: "can", shape: Cylinder(radius: 0.02, height: 0.06), position: (0.12, 0.24, 0.03),
            color: (0.3, 0.4, 0.75)),
    ],
    cameras: [
        (name: "front", mount: World(position: (0.75, 0.0, 0.35), look_at: (0.15, 0.0, 0.1)),
            fov_y_degrees: 45),
        (name: "wrist", mount: Link(arm: "arm", link: "gripper_link",
            position: (0.0, 0.055, -0.045), rotation_degrees: (-32, 0, 0)), fov_y_degrees: 75),
        (name: "gripper", mount: World(position: (0.55, -0.22, 0.2), look_at: (0.27, 0.03, 0.1)),
            fov_y_degrees: 35, resolution: (1000, 750)),
        (name: "base", mount: World(position: (0.3, -0.35, 0.2), look_at: (0.03, 0.0, 0.08)),
            fov_y_degrees: 35, resolution: (1000, 750)),
        (name: "behind", mount: World(position: (-0.45, 0.4, 0.35), look_at: (0.1, 0.0, 0.1)),
            fov_y_degrees: 40, resolution: (1000, 750)),
    ],
)"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let scene = Scene::from_ron("look", SCENE)?;
    let bundle = Arc::new(SceneBundle {
        scene,
        models: BTreeMap::new(),
    });
    for theme in [Theme::Dark, Theme::Light] {
        let settings = ViewSettings {
            theme,
            ..ViewSettings::default()
        };
        let picture = snapshot(&bundle, &SnapshotCamera::Overview, None, None, settings)?;
        write(
            &folder.join(format!("overview-{theme:?}.png").to_lowercase()),
            &picture,
        )?;
    }
    for camera in &bundle.scene.cameras {
        let name = SnapshotCamera::Named(camera.name.clone());
        let picture = snapshot(&bundle, &name, None, None, ViewSettings::default())?;
        write(&folder.join(format!("{}.png", camera.name)), &picture)?;
    }
    Ok(())
}

fn write(path: &Path, picture: &Snapshot) -> Result<(), Box<dyn std::error::Error>> {
    let mut encoder = png::Encoder::new(File::create(path)?, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header()?.write_image_data(&picture.data)?;
    Ok(())
}
