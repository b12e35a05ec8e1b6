//! A scene as the renderer wants it: meshes, what hangs where, surfaces, lights, the camera.

use std::sync::Arc;

use forearm_arm::{ArmModel, Shape, TriMesh, kinematics, mesh};
use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::{
    ArmSpec, CameraMount, CameraSpec, LightSpec, ObjectShape, SceneBundle, TableSpec,
};
use nalgebra::{Isometry3, Point3, Quaternion, Translation3, UnitQuaternion, Vector3};

use super::look::{self, Surface};
use crate::camera::CameraError;

/// The floor's height, metres: the table is a desk's height above it.
pub(super) const FLOOR_Z: f64 = -0.72;
/// The table top's thickness, metres.
const TABLE_THICKNESS: f64 = 0.026;
/// A point lamp reaches so far, metres.
pub(super) const LAMP_RANGE: f32 = 5.0;

/// A solid, in its own frame, metres.
#[derive(Debug, Default)]
pub(super) struct Solid {
    pub(super) positions: Vec<[f32; 3]>,
    pub(super) normals: Vec<[f32; 3]>,
    pub(super) triangles: Vec<[u32; 3]>,
    /// A ball around it all.
    pub(super) center: [f32; 3],
    pub(super) radius: f32,
}

/// Where something hangs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mount {
    /// Fixed in the world.
    World(Isometry3<f64>),
    /// On a link of an arm.
    Link { arm: usize, link: usize },
    /// It is an object.
    Object(usize),
}

/// A solid somewhere.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) solid: Arc<Solid>,
    pub(super) surface: usize,
    pub(super) mount: Mount,
    pub(super) casts_shadow: bool,
}

/// Parallel light.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sun {
    /// Towards the light.
    pub(super) direction: Vector3<f64>,
    /// Its colour times illuminance, exposed.
    pub(super) light: [f32; 3],
    pub(super) casts_shadows: bool,
}

/// A lamp.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lamp {
    pub(super) position: Point3<f64>,
    /// Luminous intensity, exposed.
    pub(super) light: f32,
}

/// The camera.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) mount: Mount,
    /// The camera's frame in that of what it hangs from. It looks along −Z, +Y is up.
    pub(super) place: Isometry3<f64>,
    /// Vertical field of view, radians.
    pub(super) fov_y: f64,
}

/// All that is constant.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) models: Vec<Arc<ArmModel>>,
    pub(super) bases: Vec<Isometry3<f64>>,
    pub(super) things: Vec<Thing>,
    pub(super) surfaces: Vec<Surface>,
    pub(super) suns: Vec<Sun>,
    pub(super) lamps: Vec<Lamp>,
    /// The light from all around, exposed.
    pub(super) ambient: f32,
    pub(super) table: TableSpec,
    pub(super) view: View,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Poses {
    /// By arm, by link, in the world's frame.
    links: Vec<Vec<Isometry3<f64>>>,
    objects: Vec<Isometry3<f64>>,
    scratch: Vec<Isometry3<f64>>,
}

impl Scene {
    pub(super) fn new(bundle: &SceneBundle, camera: &CameraSpec) -> Result<Self, CameraError> {
        let models = bundle.arm_models()?;
        let scene = &bundle.scene;
        let mut built = Self {
            bases: scene.arms.iter().map(base).collect(),
            things: Vec::new(),
            surfaces: Vec::new(),
            suns: Vec::new(),
            lamps: Vec::new(),
            ambient: 0.0,
            table: scene.table,
            view: view(camera, &scene.arms, &models),
            models,
        };
        built.add_arms(&scene.arms);
        for (index, object) in scene.objects.iter().enumerate() {
            let surface = built.surface(Surface::new(object.color, 0.55, 0.0, 0.4));
            let solid = Arc::new(object_solid(&object.shape));
            built.things.push(Thing {
                solid,
                surface,
                mount: Mount::Object(index),
                casts_shadow: true,
            });
        }
        built.add_table();
        built.set_lights(&scene.lights);
        Ok(built)
    }

    fn surface(&mut self, surface: Surface) -> usize {
        let known = self.surfaces.iter().position(|known| *known == surface);
        known.unwrap_or_else(|| {
            self.surfaces.push(surface);
            self.surfaces.len() - 1
        })
    }

    fn add_arms(&mut self, specs: &[ArmSpec]) {
        let mut meshes: Vec<(usize, Vec<LinkSolids>)> = Vec::new();
        for (arm, spec) in specs.iter().enumerate() {
            let model = Arc::clone(&self.models[arm]);
            let twin = meshes
                .iter()
                .position(|(of, _)| Arc::ptr_eq(&self.models[*of], &model));
            let twin = twin.unwrap_or_else(|| {
                meshes.push((arm, link_solids(&model)));
                meshes.len() - 1
            });
            for (link, solids) in meshes[twin].1.iter().enumerate() {
                for (material, solid) in solids {
                    let surface = self.surface(Surface::of(*material, spec.color));
                    self.things.push(Thing {
                        solid: Arc::clone(solid),
                        surface,
                        mount: Mount::Link { arm, link },
                        casts_shadow: true,
                    });
                }
            }
        }
    }

    fn add_table(&mut self) {
        let table = self.table;
        let center = Isometry3::translation(table.center[0], table.center[1], 0.0);
        let top = mesh::triangulate(&Shape::RoundedBox {
            half_extents: [
                0.5 * table.size[0],
                0.5 * table.size[1],
                0.5 * TABLE_THICKNESS,
            ],
            radius: 0.004,
        });
        let mut board = Solid::default();
        board.add(
            &top,
            &Isometry3::translation(0.0, 0.0, -0.5 * TABLE_THICKNESS),
        );
        let length = -FLOOR_Z - TABLE_THICKNESS;
        let leg = mesh::triangulate(&Shape::RoundedBox {
            half_extents: [0.02, 0.02, 0.5 * length],
            radius: 0.003,
        });
        let (x, y) = (
            (0.5 * table.size[0] - 0.05).max(0.0),
            (0.5 * table.size[1] - 0.05).max(0.0),
        );
        let mut legs = Solid::default();
        for (x, y) in [(x, y), (-x, y), (-x, -y), (x, -y)] {
            let z = -TABLE_THICKNESS - 0.5 * length;
            legs.add(&leg, &Isometry3::translation(x, y, z));
        }
        let wood = self.surface(Surface::new(table.color, 0.72, 0.0, 0.25));
        let steel = self.surface(Surface::new([0.2, 0.21, 0.23], 0.5, 0.0, 0.5));
        for (solid, surface) in [(board, wood), (legs, steel)] {
            self.things.push(Thing {
                solid: Arc::new(solid.finish()),
                surface,
                mount: Mount::World(center),
                // What it would shade is the floor, which knows about it.
                casts_shadow: false,
            });
        }
    }

    /// Replaces the lights.
    pub(super) fn set_lights(&mut self, lights: &[LightSpec]) {
        self.suns.clear();
        self.lamps.clear();
        self.ambient = look::AMBIENT * look::EXPOSURE;
        let mut sun = |from: [f64; 3], lux: f64, color: [f32; 3], casts_shadows| {
            let direction = Vector3::from(from).try_normalize(1e-12);
            self.suns.push(Sun {
                direction: direction.unwrap_or_else(Vector3::z),
                light: color.map(|value| look::linear(value) * lux as f32 * look::EXPOSURE),
                casts_shadows,
            });
        };
        if lights.is_empty() {
            sun([0.55, -0.75, 1.25], 2500.0, look::WARM, true);
            sun([-0.6, 0.9, 0.7], 420.0, look::COOL, false);
        }
        for light in lights {
            match *light {
                LightSpec::Sun { from, lux } => sun(from, lux, look::WARM, true),
                LightSpec::Point { position, lumens } => self.lamps.push(Lamp {
                    position: Point3::from(position),
                    light: lumens as f32 / (4.0 * core::f32::consts::PI) * look::EXPOSURE,
                }),
                LightSpec::Ambient { brightness } => {
                    self.ambient = brightness as f32 * look::EXPOSURE;
                }
            }
        }
    }
}

impl Poses {
    /// Everything where the scene begins.
    pub(super) fn new(bundle: &SceneBundle, scene: &Scene) -> Self {
        let mut poses = Self {
            links: Vec::new(),
            objects: Vec::new(),
            scratch: Vec::new(),
        };
        for (model, base) in scene.models.iter().zip(&scene.bases) {
            kinematics::link_poses(model, &model.home, &mut poses.scratch);
            let links = poses.scratch.iter().map(|pose| base * pose).collect();
            poses.links.push(links);
        }
        for object in &bundle.scene.objects {
            let [roll, pitch, yaw] = object.rotation_degrees.map(f64::to_radians);
            poses.objects.push(Isometry3::from_parts(
                Translation3::from(Vector3::from(object.position)),
                turned(roll, pitch, yaw),
            ));
        }
        poses
    }

    /// Moves everything to where a tick says. A pose with a number that is none leaves its arm or
    /// object where it was; so does a tick of another layout.
    pub(super) fn take(&mut self, scene: &Scene, tick: &[f64], layout: TickLayout) {
        if tick.len() != layout.width() {
            return;
        }
        let mut joints = &tick[layout.positions()];
        for ((model, base), links) in scene.models.iter().zip(&scene.bases).zip(&mut self.links) {
            let Some((own, rest)) = joints.split_at_checked(model.dof()) else {
                break;
            };
            joints = rest;
            if own.iter().all(|value| value.is_finite()) {
                kinematics::link_poses(model, own, &mut self.scratch);
                links.clear();
                links.extend(self.scratch.iter().map(|pose| base * pose));
            }
        }
        for (index, pose) in self.objects.iter_mut().enumerate().take(layout.objects) {
            let &[x, y, z, i, j, k, w] = &tick[layout.object(index)] else {
                break;
            };
            let turn = Quaternion::new(w, i, j, k);
            if [x, y, z].iter().all(|value| value.is_finite())
                && turn.norm_squared().is_finite()
                && let Some(turn) = UnitQuaternion::try_new(turn, 1e-9)
            {
                *pose = Isometry3::from_parts(Translation3::new(x, y, z), turn);
            }
        }
    }

    /// Where something is that hangs so.
    pub(super) fn of(&self, mount: &Mount) -> Isometry3<f64> {
        let pose = match *mount {
            Mount::World(pose) => Some(pose),
            Mount::Link { arm, link } => self.links.get(arm).and_then(|arm| arm.get(link)).copied(),
            Mount::Object(index) => self.objects.get(index).copied(),
        };
        pose.unwrap_or_else(Isometry3::identity)
    }
}

impl Solid {
    fn add(&mut self, mesh: &TriMesh, place: &Isometry3<f64>) {
        let first = self.positions.len() as u32;
        let place = place.cast::<f32>();
        let known = mesh.positions.len().min(mesh.normals.len());
        for (position, normal) in mesh.positions.iter().zip(&mesh.normals) {
            let position = place * Point3::from(*position);
            let normal = place * Vector3::from(*normal);
            self.positions.push(position.into());
            self.normals.push(normal.into());
        }
        self.triangles.extend(
            mesh.triangles
                .iter()
                .filter(|corners| corners.iter().all(|corner| (*corner as usize) < known))
                .map(|corners| corners.map(|corner| corner + first)),
        );
    }

    /// Measures the ball around it.
    fn finish(mut self) -> Self {
        let mut low = [f32::MAX; 3];
        let mut high = [f32::MIN; 3];
        for position in &self.positions {
            for axis in 0..3 {
                low[axis] = low[axis].min(position[axis]);
                high[axis] = high[axis].max(position[axis]);
            }
        }
        if !self.positions.is_empty() {
            self.center = std::array::from_fn(|axis| 0.5 * (low[axis] + high[axis]));
        }
        let center = Vector3::from(self.center);
        let distances = self
            .positions
            .iter()
            .map(|position| (Vector3::from(*position) - center).norm_squared());
        self.radius = distances.fold(0.0, f32::max).sqrt() * 1.0001;
        self
    }
}

/// One solid for each material of a link.
type LinkSolids = Vec<(forearm_arm::Material, Arc<Solid>)>;

fn link_solids(model: &ArmModel) -> Vec<LinkSolids> {
    let of_link = |link: &forearm_arm::Link| {
        let mut groups: Vec<(forearm_arm::Material, Solid)> = Vec::new();
        for visual in &link.visuals {
            // What can't be seen through is drawn whole, what can hardly be seen is left out.
            if matches!(visual.material, forearm_arm::Material::Color([_, _, _, alpha]) if alpha < 0.1)
            {
                continue;
            }
            let known = groups
                .iter()
                .position(|(material, _)| *material == visual.material);
            let group = known.unwrap_or_else(|| {
                groups.push((visual.material, Solid::default()));
                groups.len() - 1
            });
            groups[group]
                .1
                .add(&mesh::triangulate(&visual.shape), &visual.link_from_shape);
        }
        groups
            .into_iter()
            .map(|(material, solid)| (material, Arc::new(solid.finish())))
            .collect()
    };
    model.links.iter().map(of_link).collect()
}

fn base(spec: &ArmSpec) -> Isometry3<f64> {
    Isometry3::from_parts(
        Translation3::from(Vector3::from(spec.position)),
        turned(0.0, 0.0, spec.yaw_degrees.to_radians()),
    )
}

/// Roll, pitch, yaw about the fixed X, Y, Z axes in this order, radians.
fn turned(roll: f64, pitch: f64, yaw: f64) -> UnitQuaternion<f64> {
    let about = |axis, angle| UnitQuaternion::from_axis_angle(&axis, angle);
    about(Vector3::z_axis(), yaw) * about(Vector3::y_axis(), pitch) * about(Vector3::x_axis(), roll)
}

/// A camera in a scene of these arms.
pub(super) fn view(camera: &CameraSpec, arms: &[ArmSpec], models: &[Arc<ArmModel>]) -> View {
    let fov_y = camera.fov_y_degrees.clamp(1.0, 170.0).to_radians();
    let (mount, place) = match &camera.mount {
        CameraMount::World { position, look_at } => {
            let eye = Vector3::from(*position);
            let ahead = (Vector3::from(*look_at) - eye)
                .try_normalize(1e-9)
                .unwrap_or_else(|| -Vector3::z());
            // A camera that looks straight down has +X up: away from the arm's base.
            let up = if ahead.cross(&Vector3::z()).norm() < 1e-3 {
                Vector3::x()
            } else {
                Vector3::z()
            };
            let right = ahead.cross(&up).normalize();
            let axes = nalgebra::Matrix3::from_columns(&[right, right.cross(&ahead), -ahead]);
            let turn = nalgebra::Rotation3::from_matrix_unchecked(axes);
            let place = Isometry3::from_parts(
                Translation3::from(eye),
                UnitQuaternion::from_rotation_matrix(&turn),
            );
            (Mount::World(Isometry3::identity()), place)
        }
        CameraMount::Link {
            arm,
            link,
            position,
            rotation_degrees,
        } => {
            let [roll, pitch, yaw] = rotation_degrees.map(f64::to_radians);
            let place = Isometry3::from_parts(
                Translation3::from(Vector3::from(*position)),
                turned(roll, pitch, yaw),
            );
            let arm = arms.iter().position(|spec| spec.name == *arm);
            let link = arm.and_then(|arm| Some((arm, models.get(arm)?.link_index(link)?)));
            // One on a link that the arm lacks, which the scene's check refuses, stands in the
            // world's origin.
            link.map_or(
                (Mount::World(Isometry3::identity()), Isometry3::identity()),
                |(arm, link)| (Mount::Link { arm, link }, place),
            )
        }
    };
    View {
        mount,
        place,
        fov_y,
    }
}

/// The solid of an object in its own frame.
fn object_solid(shape: &ObjectShape) -> Solid {
    let mut solid = Solid::default();
    for (part, up) in shape.solids() {
        solid.add(&part, &Isometry3::translation(0.0, 0.0, up));
    }
    solid.finish()
}
