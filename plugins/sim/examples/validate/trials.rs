//! Two hundred attempts to grasp a cube: where it stands, how it is turned, its mass and friction,
//! and how well the operator knows where it is, are left to chance.

use std::error::Error;

use forearm_arm::so101;
use nalgebra::Vector3;

use crate::Scenario;
use crate::operator::Operator;
use crate::random::Random;
use crate::scenarios::{cube, scene};

/// Attempts.
const COUNT: u64 = 200;

/// All attempts, each with a seed of its own.
pub(crate) fn all() -> Result<Vec<Scenario>, Box<dyn Error>> {
    (0..COUNT).map(trial).collect()
}

fn trial(seed: u64) -> Result<Scenario, Box<dyn Error>> {
    let mut random = Random(1000 + seed);
    let distance = random.between(0.16, 0.22);
    let angle = random.between(-0.6, 0.6);
    let place = Vector3::new(
        0.0388 + distance * libm::cos(angle),
        distance * libm::sin(angle),
        0.015,
    );
    let mut cube = cube(place.into());
    cube.rotation_degrees[2] = angle.to_degrees() + random.between(-30.0, 30.0);
    // From a feather to more than the fingers can hold, from ice to rubber.
    cube.mass = 0.01 * libm::pow(40.0, random.unit());
    cube.friction = 0.03 * libm::pow(30.0, random.unit());
    let off = Vector3::new(
        random.between(-0.012, 0.012),
        random.between(-0.012, 0.012),
        0.0,
    );
    let mut operator = Operator::new();
    operator.pick(place + off, 0.015)?;
    operator.wait(1.0);
    Ok(Scenario {
        name: format!("grasp {seed}"),
        group: "trial",
        scene: scene(vec![cube]),
        model: so101::so101(),
        ticks: operator.ticks,
    })
}
