//! Pictures of worlds: one renderer a camera, lent to one world after another.

use forearm_protocol::record::TickLayout;
use forearm_vision::raster::Renderer;

use super::EnvError;
use super::core::Core;
use super::plan::Plan;
use super::vary;

/// Draws what the spec's cameras see.
pub(super) struct Painter {
    renderers: Vec<Renderer>,
    /// Index in the scene of each of the spec's cameras.
    cameras: Vec<usize>,
    layout: TickLayout,
    tick: Vec<f64>,
    /// Whether lights and cameras differ between episodes.
    varies: bool,
}

impl Painter {
    /// Renderers for the plan's cameras; none if it has none.
    pub(super) fn new(plan: &Plan) -> Result<Self, EnvError> {
        let layout = plan.layout();
        let mut painter = Self {
            renderers: Vec::new(),
            cameras: Vec::new(),
            tick: vec![0.0; layout.width()],
            layout,
            varies: vary::changes_look(&plan.spec.config.randomize),
        };
        for camera in &plan.spec.cameras {
            let renderer = Renderer::new(&plan.bundle, &camera.name, Some(camera.resolution))?;
            painter.renderers.push(renderer);
            let known = &plan.bundle.scene.cameras;
            let index = known.iter().position(|spec| spec.name == camera.name);
            painter.cameras.push(index.unwrap_or_default());
        }
        Ok(painter)
    }

    /// Draws what a camera sees of a world.
    pub(super) fn draw(&mut self, core: &Core, camera: usize, out: &mut [u8]) {
        let Some(renderer) = self.renderers.get_mut(camera) else {
            return;
        };
        if self.varies {
            let scene = &core.bundle().scene;
            renderer.set_lights(&scene.lights);
            if let Some(spec) = scene.cameras.get(self.cameras[camera]) {
                renderer.set_camera(&scene.arms, spec);
            }
        }
        core.tick(&mut self.tick);
        renderer.render(&self.tick, self.layout, out);
    }

    /// Draws what all cameras see, one after another.
    pub(super) fn draw_all(&mut self, core: &Core, mut out: &mut [u8]) {
        for camera in 0..self.renderers.len() {
            let len = core.spec().image_len(camera);
            let Some((picture, rest)) = std::mem::take(&mut out).split_at_mut_checked(len) else {
                return;
            };
            self.draw(core, camera, picture);
            out = rest;
        }
    }
}
