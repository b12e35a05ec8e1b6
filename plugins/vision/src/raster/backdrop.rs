//! What is behind everything: a sky that is darker above, and the floor, which fades into it.

use nalgebra::{Isometry3, Vector3};

use super::look;
use super::scene::{FLOOR_Z, Scene};

const STEPS: usize = 256;
/// How far from the origin the floor is seen how much, metres.
const FADE: [(f32, f32); 5] = [(0.0, 1.0), (0.8, 1.0), (1.8, 0.75), (3.2, 0.3), (5.5, 0.0)];
/// How soft the table's shadow on the floor is, metres.
const SOFT: f32 = 0.02;

/// The surroundings as a camera sees them.
#[derive(Debug)]
pub(super) struct Backdrop {
    /// The sky's colour by height above the horizon, the sine of the angle; linear.
    sky: Vec<[f32; 3]>,
    /// The floor's colour in full light, and in the table's shadow.
    lit: [f32; 3],
    shaded: [f32; 3],
    /// How the table's shadow lies on the floor: centre and half sizes, metres.
    shadow: [[f32; 2]; 2],
    /// From camera space to the world.
    turn: [[f32; 3]; 3],
    /// Where the camera is, and how high above the floor.
    eye: [f32; 2],
    height: f32,
}

impl Backdrop {
    pub(super) fn new(scene: &Scene) -> Self {
        let [zenith, horizon] = [look::ZENITH, look::HORIZON];
        let sky = (0..=STEPS).map(|step| {
            let share = libm::powf(step as f32 / STEPS as f32, 0.8);
            std::array::from_fn(|c| look::linear(horizon[c] + share * (zenith[c] - horizon[c])))
        });
        let around = look::SKY_LIGHT.map(|light| light * scene.ambient);
        let mut lit = around;
        let mut shaded = around;
        let mut shift = None;
        for sun in &scene.suns {
            let share = sun.direction.z.max(0.0) as f32 / core::f32::consts::PI;
            // The table keeps one sun off.
            let kept_off = sun.casts_shadows && shift.is_none() && sun.direction.z > 0.05;
            if kept_off {
                shift = Some(sun.direction.xy() * (FLOOR_Z / sun.direction.z));
            }
            for channel in 0..3 {
                lit[channel] += share * sun.light[channel];
                if !kept_off {
                    shaded[channel] += share * sun.light[channel];
                }
            }
        }
        let table = &scene.table;
        let shift = shift.unwrap_or_default();
        let floor = look::FLOOR.map(look::linear);
        let color =
            |light: [f32; 3]| look::tone(std::array::from_fn(|c| floor[c] * light[c]));
        Self {
            sky: sky.collect(),
            lit: color(lit),
            shaded: color(shaded),
            shadow: [
                [table.center[0] + shift.x, table.center[1] + shift.y],
                table.size.map(|side| 0.5 * side),
            ]
            .map(|pair| pair.map(|value| value as f32)),
            turn: [[0.0; 3]; 3],
            eye: [0.0; 2],
            height: 0.0,
        }
    }

    /// Moves the camera.
    pub(super) fn look_from(&mut self, world_from_camera: &Isometry3<f64>) {
        let turn = world_from_camera.rotation.to_rotation_matrix();
        self.turn =
            std::array::from_fn(|row| std::array::from_fn(|column| turn[(row, column)] as f32));
        let eye: Vector3<f64> = world_from_camera.translation.vector;
        self.eye = [eye.x as f32, eye.y as f32];
        self.height = (eye.z - FLOOR_Z) as f32;
    }

    /// The colour along a ray in camera space; linear, as it is shown.
    pub(super) fn color(&self, ray: [f32; 3]) -> [f32; 3] {
        let [x, y, up] = self
            .turn
            .map(|row| row[0] * ray[0] + row[1] * ray[1] + row[2] * ray[2]);
        let length = (x * x + y * y + up * up).sqrt();
        let step = (up / length).clamp(0.0, 1.0) * STEPS as f32;
        let sky = self.sky[(step + 0.5) as usize];
        if !(up < -1e-4 && self.height > 0.0) {
            return sky;
        }
        let reach = self.height / -up;
        let at = [self.eye[0] + reach * x, self.eye[1] + reach * y];
        let share = fade((at[0] * at[0] + at[1] * at[1]).sqrt());
        if share <= 0.0 {
            return sky;
        }
        let [center, half] = self.shadow;
        let covered = |axis: usize| {
            let inside = half[axis] - (at[axis] - center[axis]).abs();
            (0.5 + inside / (2.0 * SOFT)).clamp(0.0, 1.0)
        };
        let shade = covered(0) * covered(1);
        std::array::from_fn(|c| {
            let floor = self.lit[c] + shade * (self.shaded[c] - self.lit[c]);
            sky[c] + share * (floor - sky[c])
        })
    }
}

fn fade(distance: f32) -> f32 {
    FADE.windows(2)
        .find(|pair| distance < pair[1].0)
        .map_or(0.0, |pair| {
            let ((near, first), (far, second)) = (pair[0], pair[1]);
            first + (distance - near) / (far - near) * (second - first)
        })
}
