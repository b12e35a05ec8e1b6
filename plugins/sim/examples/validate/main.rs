//! Simulates the scenarios of `cargo xtask validate-sim` and prints one line of JSON for each.
//!
//! A line has the scenario's scene as MJCF (the reference runs the very same model), the targets of
//! every control tick and what this simulation made of them: joint positions and velocities after
//! each tick, poses of objects. Radians, metres, seconds; quaternions `[x, y, z, w]`.

#![expect(
    clippy::print_stdout,
    reason = "the program's result is what it prints"
)]

mod operator;
mod random;
mod scenarios;
mod trials;

use std::error::Error;
use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::Pose;
use forearm_protocol::scene::{Scene, ServoModel};
use forearm_sim::mjcf::{self, Actuators, Contacts};
use forearm_sim::{World, sts3215};
use serde_json::{Value, json};

/// Steps a control tick: 125 ticks a second.
const STEPS_PER_TICK: usize = 4;

/// What the arm is told in one control tick.
#[derive(Debug, Clone, Copy)]
struct Tick {
    targets: [f64; 6],
    torque: bool,
}

/// A scenario: a scene and what its first arm is told, tick by tick.
struct Scenario {
    name: String,
    /// What is compared: `free`, `contact`, `limp`, `energy`, `trial`, `servo`.
    group: &'static str,
    scene: Scene,
    model: ArmModel,
    ticks: Vec<Tick>,
}

fn main() -> Result<(), Box<dyn Error>> {
    for scenario in scenarios::all()? {
        println!("{}", scenario.run()?);
    }
    for trial in trials::all()? {
        println!("{}", trial.run()?);
    }
    Ok(())
}

impl Scenario {
    /// Simulates it.
    fn run(&self) -> Result<Value, Box<dyn Error>> {
        let models = [Arc::new(self.model.clone())];
        let actuators = match self.group {
            "servo" => Actuators::Effort,
            _ => Actuators::Position,
        };
        let text = mjcf::write(&self.scene, &models, Contacts::Grasping, actuators)?;
        let mut world = World::new(&self.scene, &models)?;
        let (mut positions, mut velocities) = (Vec::new(), Vec::new());
        let mut poses = Vec::new();
        let mut torque = true;
        for tick in &self.ticks {
            if tick.torque != torque {
                torque = tick.torque;
                world.set_torque(0, torque);
            }
            world.set_targets(0, &tick.targets);
            for _ in 0..STEPS_PER_TICK {
                world.step();
            }
            // A trial is judged by how it ends.
            if self.group != "trial" || positions.len() + 1 == self.ticks.len() {
                let (mut q, mut v) = ([0.0; 6], [0.0; 6]);
                world.joint_positions(0, &mut q);
                world.joint_velocities(0, &mut v);
                positions.push(q);
                velocities.push(v);
            }
            poses.push(object_poses(&world));
        }
        if self.group == "trial" {
            poses.drain(..poses.len().saturating_sub(1));
        }
        let names = |names: Vec<&str>| json!(names);
        Ok(json!({
            "name": self.name,
            "group": self.group,
            "mjcf": text,
            "dt": world.dt_secs(),
            "steps_per_tick": STEPS_PER_TICK,
            "joints": names(self.model.joints.iter().map(|joint| joint.name.as_str()).collect()),
            "objects": names(self.scene.objects.iter().map(|object| object.name.as_str()).collect()),
            "servo": servo(&self.scene.physics.servo),
            "targets": self.ticks.iter().map(|tick| tick.targets).collect::<Vec<_>>(),
            "torque": self.ticks.iter().map(|tick| tick.torque).collect::<Vec<_>>(),
            "positions": positions,
            "velocities": velocities,
            "poses": poses,
        }))
    }
}

/// All that the reference needs to know to simulate the real servo by itself.
fn servo(model: &ServoModel) -> Value {
    let ServoModel::Sts3215(spec) = model else {
        return Value::Null;
    };
    json!({
        "voltage": spec.voltage,
        "p": spec.p,
        "d": spec.d,
        "dead_band": spec.dead_band,
        "acceleration": f64::from(spec.acceleration) * sts3215::ACCELERATION_UNIT,
        "max_speed": sts3215::MAX_SPEED_STEPS,
        "half_play": spec.backlash_degrees.to_radians() / 2.0,
        "error_gain": sts3215::ERROR_GAIN,
        "max_duty": sts3215::MAX_DUTY,
        "torque_per_volt": sts3215::TORQUE_PER_VOLT,
        "stall_torque": sts3215::STALL_TORQUE * spec.voltage / sts3215::NOMINAL_VOLTAGE,
        "full_stall_torque": sts3215::STALL_TORQUE,
        "back_emf": sts3215::BACK_EMF,
        "viscous": sts3215::VISCOUS,
        "load_friction": sts3215::LOAD_FRICTION,
        "period": sts3215::PERIOD_SECS,
        "duty_steps": sts3215::DUTY_STEPS,
    })
}

/// Position and quaternion of every object.
fn object_poses(world: &World) -> Vec<[f64; 7]> {
    (0..world.object_count())
        .map(|object| {
            let Pose {
                position: [px, py, pz],
                rotation: [x, y, z, w],
            } = world.object_pose(object);
            [px, py, pz, x, y, z, w]
        })
        .collect()
}
