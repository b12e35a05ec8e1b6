//! Draws what a simulated camera sees, in software: the same bits on every target, without a GPU or
//! a window, so that what learns from simulated pictures sees the same ones everywhere.
//!
//! It draws what the window draws, but for helpers: arms (built in or imported), objects, table,
//! floor and backdrop, with the scene's lights, the first suns' shadows, and the window's exposure
//! and tone curve. Surfaces that let light through are drawn whole.
//!
//! A picture goes through tiles of 32×32 pixels: `setup` puts triangles on the picture and into
//! tiles, `tile` finds what each of a pixel's four samples sees, `shade` gives it its colour, once
//! for each triangle in a pixel. Nothing is allocated once buffers have grown to the scene's size.

mod backdrop;
mod look;
mod scene;
mod setup;
mod shade;
mod shadow;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
mod tile;

use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::{ArmSpec, CameraSpec, LightSpec, SceneBundle};
use nalgebra::{Isometry3, Point3};

use crate::camera::CameraError;
use crate::frame::rgb_bytes;
use backdrop::Backdrop;
use look::Encoding;
use scene::{Poses, Scene};
use setup::{Geometry, Lens, TILE};
use shade::{Batch, FrameLamp, FrameSun, Lights, Shading};
use shadow::ShadowMap;
use tile::Tile;

/// Suns that have a shadow map; others shine through.
const SHADOW_MAPS: usize = 2;
/// Suns and lamps that are drawn at most: as many as a scene may have.
const MOST_LIGHTS: usize = 16;

/// Draws what one camera of a scene sees.
#[derive(Debug)]
pub struct Renderer {
    size: [u32; 2],
    scene: Scene,
    poses: Poses,
    geometry: Geometry,
    /// By sun.
    shadows: Vec<Option<ShadowMap>>,
    backdrop: Backdrop,
    tile: Tile,
    batch: Box<Batch>,
    encoding: Encoding,
    lens: Lens,
}

impl Renderer {
    /// A renderer for the scene's camera `camera`, with its own resolution if none is given.
    ///
    /// # Errors
    /// The scene has no such camera, a model can't be read, or a picture of that resolution can't be
    /// had.
    pub fn new(
        bundle: &SceneBundle,
        camera: &str,
        resolution: Option<[u32; 2]>,
    ) -> Result<Self, CameraError> {
        let cameras = &bundle.scene.cameras;
        let spec = cameras.iter().find(|spec| spec.name == camera);
        let spec = spec.ok_or_else(|| CameraError::Unknown {
            name: camera.to_owned(),
            known: match cameras.len() {
                0 => "none".to_owned(),
                _ => cameras
                    .iter()
                    .map(|spec| format!("`{}`", spec.name))
                    .collect::<Vec<_>>()
                    .join(", "),
            },
        })?;
        let size = resolution.unwrap_or(spec.resolution);
        crate::camera::check_resolution(size)?;
        let scene = Scene::new(bundle, spec)?;
        let poses = Poses::new(bundle, &scene);
        let lens = lens(size, &scene);
        let mut shadows = Vec::new();
        lay_shadows(&scene, &mut shadows);
        Ok(Self {
            size,
            shadows,
            geometry: Geometry::new(lens),
            backdrop: Backdrop::new(&scene),
            tile: Tile::new(),
            batch: Box::new(Batch::new()),
            encoding: Encoding::new(),
            lens,
            poses,
            scene,
        })
    }

    /// Width and height of the picture, pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Replaces the scene's lights; the first pictures after that are as if it had been built so.
    pub fn set_lights(&mut self, lights: &[LightSpec]) {
        self.scene.set_lights(lights);
        lay_shadows(&self.scene, &mut self.shadows);
        self.backdrop.light(&self.scene);
    }

    /// Moves the camera to where `camera`, in a scene of these `arms`, is; its field of view changes
    /// with it, its resolution does not.
    pub fn set_camera(&mut self, arms: &[ArmSpec], camera: &CameraSpec) {
        self.scene.view = scene::view(camera, arms, &self.scene.models);
        self.lens = lens(self.size, &self.scene);
        self.geometry.set_lens(self.lens);
    }

    /// Draws the world of a tick into `out`: RGB, 8 bits each, sRGB, rows from the top. A tick that is
    /// empty or of another layout leaves everything where it was; a buffer that is too short is left
    /// alone.
    pub fn render(&mut self, tick: &[f64], layout: TickLayout, out: &mut [u8]) {
        let Some(out) = rgb_bytes(self.size).and_then(|length| out.get_mut(..length)) else {
            return;
        };
        self.poses.take(&self.scene, tick, layout);
        let view = &self.scene.view;
        let world_from_camera = self.poses.of(&view.mount) * view.place;
        self.backdrop.look_from(&world_from_camera);
        self.draw_shadows();
        self.draw_geometry(&world_from_camera.inverse());
        self.shade(&world_from_camera, out);
    }

    fn draw_shadows(&mut self) {
        for map in self.shadows.iter_mut().flatten() {
            map.clear();
            for thing in self.scene.things.iter().filter(|thing| thing.casts_shadow) {
                map.add(&thing.solid, &self.poses.of(&thing.mount));
            }
            map.finish();
        }
    }

    fn draw_geometry(&mut self, camera_from_world: &Isometry3<f64>) {
        self.geometry.clear();
        for thing in &self.scene.things {
            let camera_from_thing = camera_from_world * self.poses.of(&thing.mount);
            self.geometry
                .add(&thing.solid, &camera_from_thing, thing.surface);
        }
    }

    fn shade(&mut self, world_from_camera: &Isometry3<f64>, out: &mut [u8]) {
        let turn = world_from_camera.rotation.inverse();
        let none = FrameSun {
            direction: [0.0; 3],
            light: [0.0; 3],
            shadows: None,
            glints: false,
        };
        let brightest = self.scene.suns.iter().map(|sun| sun.light[1]);
        let brightest = brightest.fold(0.0, f32::max);
        let mut suns = [none; MOST_LIGHTS];
        let mut sun_count = 0;
        for ((slot, sun), shadows) in suns.iter_mut().zip(&self.scene.suns).zip(&self.shadows) {
            *slot = FrameSun {
                direction: (turn * sun.direction).cast::<f32>().into(),
                light: sun.light,
                shadows: shadows.as_ref().map(|map| map.probe(world_from_camera)),
                glints: sun.light[1] > 0.25 * brightest,
            };
            sun_count += 1;
        }
        let mut lamps = [FrameLamp {
            at: [0.0; 3],
            light: 0.0,
        }; MOST_LIGHTS];
        let mut lamp_count = 0;
        for (slot, lamp) in lamps.iter_mut().zip(&self.scene.lamps) {
            let at = world_from_camera.inverse_transform_point(&lamp.position);
            *slot = FrameLamp {
                at: at.cast::<f32>().into(),
                light: lamp.light,
            };
            lamp_count += 1;
        }
        let shading = Shading {
            lens: self.lens,
            lights: Lights {
                suns: &suns[..sun_count],
                lamps: &lamps[..lamp_count],
                up: (turn * nalgebra::Vector3::z()).cast::<f32>().into(),
                ambient: self.scene.ambient,
            },
            surfaces: &self.scene.surfaces,
            triangles: &self.geometry.triangles,
            backdrop: &self.backdrop,
            encoding: &self.encoding,
        };
        self.batch.forget();
        let [columns, rows] = self.geometry.tiles;
        for row in 0..rows {
            for column in 0..columns {
                self.tile.look(&self.geometry, column, row);
                let first = [column * TILE, row * TILE];
                shading.tile(&self.tile, &mut self.batch, first, out);
            }
        }
    }
}

fn lens(size: [u32; 2], scene: &Scene) -> Lens {
    Lens {
        size: size.map(|side| side as usize),
        focal: (0.5 * f64::from(size[1]) / libm::tan(0.5 * scene.view.fov_y)) as f32,
    }
}

/// One entry a sun: its shadow map, if it has one. Maps that are there are turned, not made anew.
fn lay_shadows(scene: &Scene, shadows: &mut Vec<Option<ShadowMap>>) {
    let table = &scene.table;
    let center = Point3::new(table.center[0], table.center[1], 0.1);
    let radius = 0.5 * libm::hypot(table.size[0], table.size[1]) + 0.05;
    let mut left = SHADOW_MAPS;
    shadows.resize_with(scene.suns.len(), || None);
    for (sun, map) in scene.suns.iter().zip(shadows) {
        if sun.casts_shadows && left > 0 {
            left -= 1;
            match map {
                Some(map) => map.turn(&sun.direction, center),
                None => *map = Some(ShadowMap::new(&sun.direction, center, radius)),
            }
        } else {
            *map = None;
        }
    }
}
