//! Simulated cameras: the scene, drawn in software as the ticks say.

use forearm_protocol::scene::SceneBundle;

use super::drawn::{Artist, DrawnSource, Job};
use super::{CameraError, platform};
use crate::Pace;
use crate::frame::rgb_bytes;
use crate::raster::Renderer;

/// Opens the scene's camera `name`, with its own resolution if none is given.
pub(super) fn open(
    bundle: &SceneBundle,
    name: &str,
    resolution: Option<[u32; 2]>,
    pace: Pace,
) -> Result<DrawnSource, CameraError> {
    let spec = bundle
        .scene
        .cameras
        .iter()
        .find(|camera| camera.name == name);
    let fps = spec.map_or(30.0, |camera| camera.fps);
    let renderer = Renderer::new(bundle, name, resolution)?;
    let studio = platform::studio("sim camera", Box::new(SimCamera { renderer }), pace)?;
    Ok(DrawnSource::by_ticks(studio, fps))
}

struct SimCamera {
    renderer: Renderer,
}

impl Artist for SimCamera {
    fn draw(&mut self, job: &Job, rgb: &mut Vec<u8>) -> Result<[u32; 2], String> {
        let size = self.renderer.size();
        rgb.resize(rgb_bytes(size).unwrap_or_default(), 0);
        self.renderer.render(&job.tick, job.layout, rgb);
        Ok(size)
    }
}
