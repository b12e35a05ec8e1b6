//! What differs from episode to episode beside where things are: masses, friction, gains, delays,
//! lights, cameras. All of it follows from the seed.

use forearm_protocol::env::{EnvConfig, Randomization};
use forearm_protocol::scene::{CameraMount, LightSpec, Scene};
use nalgebra::{Rotation3, Vector3};

use super::plan::Plan;
use super::random::Random;
use crate::World;

/// Whether lights or cameras differ.
pub(super) fn changes_look(random: &Randomization) -> bool {
    random.light > 0.0 || random.camera_m > 0.0 || random.camera_degrees > 0.0
}

/// By how many physics steps commands are late.
pub(super) fn delay(config: &EnvConfig, seed: u64) -> u32 {
    match config.randomize.latency_steps {
        0 => 0,
        steps => Random::new(seed, "latency").up_to(steps * config.substeps),
    }
}

/// Sets the world's parameters.
pub(super) fn parameters(plan: &Plan, seed: u64, world: &mut World) {
    let vary = &plan.spec.config.randomize;
    if vary.mass > 0.0 {
        let mut random = Random::new(seed, "mass");
        for object in 0..plan.solid_objects {
            world.scale_mass(object, random.factor(vary.mass));
        }
    }
    if vary.friction > 0.0 {
        let mut random = Random::new(seed, "friction");
        world.scale_friction(random.factor(vary.friction));
    }
    if vary.gains > 0.0 {
        let mut random = Random::new(seed, "gains");
        for (arm, model) in plan.models.iter().enumerate() {
            for joint in 0..model.dof() {
                world.scale_gain(arm, joint, random.factor(vary.gains));
            }
        }
    }
}

/// Sets `look`'s lights and cameras, from those of `nominal`.
pub(super) fn look(vary: &Randomization, seed: u64, nominal: &Scene, look: &mut Scene) {
    if vary.light > 0.0 {
        let mut random = Random::new(seed, "light");
        for (light, nominal) in look.lights.iter_mut().zip(&nominal.lights) {
            *light = lit(nominal, vary.light, &mut random);
        }
    }
    if vary.camera_m > 0.0 || vary.camera_degrees > 0.0 {
        let mut random = Random::new(seed, "camera");
        for (camera, nominal) in look.cameras.iter_mut().zip(&nominal.cameras) {
            let shift = [0; 3].map(|_: u8| random.about_zero(vary.camera_m));
            let turn = [0; 3].map(|_: u8| random.about_zero(vary.camera_degrees));
            aim(&mut camera.mount, &nominal.mount, shift, turn);
        }
    }
}

fn lit(light: &LightSpec, most: f64, random: &mut Random) -> LightSpec {
    let bright = random.factor(most);
    let turn = turned([0; 3].map(|_: u8| random.about_zero(most)));
    match *light {
        LightSpec::Sun { from, lux } => LightSpec::Sun {
            from: (turn * Vector3::from(from)).into(),
            lux: lux * bright,
        },
        LightSpec::Point { position, lumens } => LightSpec::Point {
            position: (turn * Vector3::from(position)).into(),
            lumens: lumens * bright,
        },
        LightSpec::Ambient { brightness } => LightSpec::Ambient {
            brightness: brightness * bright,
        },
    }
}

/// Moves a camera by `shift` metres and turns it by roll, pitch and yaw of `turn` degrees. One in
/// the room turns in the world's axes about itself; its horizon stays level.
fn aim(mount: &mut CameraMount, nominal: &CameraMount, shift: [f64; 3], turn: [f64; 3]) {
    match (mount, nominal) {
        (
            CameraMount::World { position, look_at },
            CameraMount::World {
                position: from,
                look_at: to,
            },
        ) => {
            let (from, to) = (Vector3::from(*from), Vector3::from(*to));
            let eye = from + Vector3::from(shift);
            *position = eye.into();
            *look_at = (eye + turned(turn.map(f64::to_radians)) * (to - from)).into();
        }
        (
            CameraMount::Link {
                position,
                rotation_degrees,
                ..
            },
            CameraMount::Link {
                position: from,
                rotation_degrees: angles,
                ..
            },
        ) => {
            for axis in 0..3 {
                position[axis] = from[axis] + shift[axis];
                rotation_degrees[axis] = angles[axis] + turn[axis];
            }
        }
        _ => {}
    }
}

/// Roll, pitch, yaw about the fixed X, Y, Z axes, radians.
fn turned(angles: [f64; 3]) -> Rotation3<f64> {
    let [roll, pitch, yaw] = angles.map(libm::sincos);
    let x = nalgebra::Matrix3::new(1.0, 0.0, 0.0, 0.0, roll.1, -roll.0, 0.0, roll.0, roll.1);
    let y = nalgebra::Matrix3::new(pitch.1, 0.0, pitch.0, 0.0, 1.0, 0.0, -pitch.0, 0.0, pitch.1);
    let z = nalgebra::Matrix3::new(yaw.1, -yaw.0, 0.0, yaw.0, yaw.1, 0.0, 0.0, 0.0, 1.0);
    Rotation3::from_matrix_unchecked(z * y * x)
}
