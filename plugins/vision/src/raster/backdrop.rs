//! What is behind everything: a sky that is darker above, and the floor, which fades into it.

use nalgebra::{Isometry3, Vector3};
use wide::f32x4;

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
        let mut backdrop = Self {
            sky: sky.collect(),
            lit: [0.0; 3],
            shaded: [0.0; 3],
            shadow: [[0.0; 2]; 2],
            turn: [[0.0; 3]; 3],
            eye: [0.0; 2],
            height: 0.0,
        };
        backdrop.light(scene);
        backdrop
    }

    /// Takes the scene's lights as they are now.
    pub(super) fn light(&mut self, scene: &Scene) {
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
        let color = |light: [f32; 3]| {
            let color = std::array::from_fn(|c| f32x4::splat(floor[c] * light[c]));
            look::tone(color).map(|value| value.to_array()[0])
        };
        self.lit = color(lit);
        self.shaded = color(shaded);
        self.shadow = [
            [table.center[0] + shift.x, table.center[1] + shift.y],
            table.size.map(|side| 0.5 * side),
        ]
        .map(|pair| pair.map(|value| value as f32));
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

    /// The colours along rays of a row, linear as they are shown: the first ray in camera space, and
    /// how far it is to the next along X.
    pub(super) fn span(&self, first: [f32; 3], step: f32, colors: &mut [[f32; 3]]) {
        let number = f32x4::splat;
        let slopes = self.turn.map(|row| number(row[0] * step));
        let starts = self
            .turn
            .map(|row| number(row[0] * first[0] + row[1] * first[1] + row[2] * first[2]));
        for (group, colors) in colors.chunks_mut(4).enumerate() {
            let column = number(4.0 * group as f32) + f32x4::new([0.0, 1.0, 2.0, 3.0]);
            let [x, y, up]: [f32x4; 3] =
                std::array::from_fn(|axis| starts[axis] + slopes[axis] * column);
            let below = up.simd_lt(number(-1e-4));
            let mut sky = self.sky[0].map(number);
            if !below.all() {
                let height = up / (x * x + y * y + up * up).sqrt();
                let height = height.fast_max(f32x4::ZERO).fast_min(f32x4::ONE);
                let steps = height * number(STEPS as f32) + number(0.5);
                let steps = steps.fast_trunc_int().to_array();
                let found = steps.map(|step| self.sky[(step as usize).min(STEPS)]);
                sky = std::array::from_fn(|c| f32x4::new(found.map(|color| color[c])));
            }
            let mut color = sky;
            if below.any() && self.height > 0.0 {
                let reach = number(-self.height) / below.bitselect(up, number(-1.0));
                let at = [
                    number(self.eye[0]) + reach * x,
                    number(self.eye[1]) + reach * y,
                ];
                let share = fade((at[0] * at[0] + at[1] * at[1]).sqrt());
                let share = below.bitselect(share, f32x4::ZERO);
                let [center, half] = self.shadow;
                let covered = |axis: usize| {
                    let inside = number(half[axis]) - (at[axis] - number(center[axis])).abs();
                    clamp(number(0.5) + inside * number(0.5 / SOFT))
                };
                let shade = covered(0) * covered(1);
                for (c, color) in color.iter_mut().enumerate() {
                    let floor = number(self.lit[c]) + shade * number(self.shaded[c] - self.lit[c]);
                    *color += share * (floor - *color);
                }
            }
            let color = color.map(f32x4::to_array);
            for (index, out) in colors.iter_mut().enumerate() {
                *out = [color[0][index], color[1][index], color[2][index]];
            }
        }
    }
}

/// How much of the floor is seen at a distance from the origin.
fn fade(distance: f32x4) -> f32x4 {
    let mut share = f32x4::splat(FADE[0].1);
    for pair in FADE.windows(2) {
        let ((near, first), (far, second)) = (pair[0], pair[1]);
        let passed = clamp((distance - f32x4::splat(near)) * f32x4::splat(1.0 / (far - near)));
        share += passed * f32x4::splat(second - first);
    }
    share
}

fn clamp(value: f32x4) -> f32x4 {
    value.fast_max(f32x4::ZERO).fast_min(f32x4::ONE)
}
