//! How long a step takes: fixed scenes and motions, measured with the caller's clock.

use std::f64::consts::TAU;
use std::sync::Arc;

use forearm_arm::so101;
use forearm_protocol::scene::{
    ArmSpec, Backend, ModelRef, ObjectShape, ObjectSpec, PhysicsSpec, Scene, TableSpec,
};

use crate::mjcf::{self, Actuators, Contacts};
use crate::world::Phase;
use crate::{SimError, World};

/// Steps before measuring starts, so that buffers have grown and the cube has settled.
const WARM_UP: u64 = 2000;
/// The measurement is repeated this many times and the fastest counts: other work on the machine
/// can only make it slower.
const ROUNDS: u64 = 5;
/// The swing of each joint about its centre: amplitude (rad), frequency (Hz).
const SWINGS: [(f64, f64); 6] = [
    (0.5, 0.5),
    (0.3, 0.4),
    (0.3, 0.3),
    (0.4, 0.6),
    (0.5, 0.7),
    (0.3, 0.5),
];
/// The centre of each joint's swing, radians: the arm reaches out above the table.
const CENTER: [f64; 6] = [0.0, -0.6, 0.4, 0.6, 0.0, 0.5];

/// What is measured. The arm follows sinusoidal targets, at 500 steps a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// The arm above a table it never touches.
    ArmAlone,
    /// The same, and a 3 cm cube that rests on the table.
    ArmFloorCube,
    /// The same, and the cube is kept awake, as if something were about to happen to it.
    ArmFloorCubeAwake,
}

impl Case {
    /// All cases.
    pub const ALL: [Self; 3] = [Self::ArmAlone, Self::ArmFloorCube, Self::ArmFloorCubeAwake];

    /// The case's name, as the comparison with MuJoCo calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ArmAlone => "arm",
            Self::ArmFloorCube => "arm-floor-cube",
            Self::ArmFloorCubeAwake => "arm-floor-cube-awake",
        }
    }
}

/// How long a step takes.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchResult {
    /// Mean time of a step in the fastest of five rounds, microseconds.
    pub us_per_step: f64,
    /// Where the time goes, microseconds a step: phases in order. Measured in a round of its own,
    /// so that reading the clock slows nothing else; the sum is a little above the total.
    pub breakdown: [(&'static str, f64); 5],
}

/// A world that is measured, with the targets of its arm.
pub struct Course {
    world: World,
    /// The targets of the steps ahead, and which of them is next.
    targets: Vec<[f64; 6]>,
    next: usize,
}

impl Course {
    /// A case's world, after so many steps that buffers have grown and the cube has settled.
    ///
    /// # Errors
    /// None in practice: the scenes are fixed.
    pub fn new(case: Case) -> Result<Self, SimError> {
        let mut course = Self {
            world: World::new(&scene(case), &[Arc::new(so101::so101())])?,
            targets: Vec::new(),
            next: 0,
        };
        course.world.set_sleep(case != Case::ArmFloorCubeAwake);
        course.prepare(WARM_UP);
        course.run(WARM_UP);
        Ok(course)
    }

    /// Computes the targets of the next `steps` steps, so that sines are not part of a measurement.
    pub fn prepare(&mut self, steps: u64) {
        let first = self.world.steps();
        self.targets.clear();
        self.targets
            .extend((first..first + steps).map(|step| targets(step as f64 * self.world.dt_secs())));
        self.next = 0;
    }

    /// Goes `steps` prepared steps on.
    pub fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            self.aim();
            self.world.step();
        }
    }

    /// Sets the targets of the next step.
    fn aim(&mut self) {
        if let Some(targets) = self.targets.get(self.next) {
            self.world.set_targets(0, targets);
        }
        self.next += 1;
    }

    /// The world's digest: the same on every target.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        self.world.state_hash()
    }
}

/// Runs `steps` steps a round. `now_secs` reads a monotonic clock, seconds.
///
/// # Errors
/// None in practice: the scenes are fixed.
pub fn measure(
    case: Case,
    steps: u64,
    mut now_secs: impl FnMut() -> f64,
) -> Result<BenchResult, SimError> {
    let mut course = Course::new(case)?;
    let steps = steps.max(1);
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        course.prepare(steps);
        let start = now_secs();
        course.run(steps);
        fastest = fastest.min(now_secs() - start);
    }
    let mut spent = [0.0; 5];
    course.prepare(steps);
    for _ in 0..steps {
        course.aim();
        let mut last = now_secs();
        course.world.step_with(|phase| {
            let now = now_secs();
            spent[phase as usize] += now - last;
            last = now;
        });
    }
    let micros = 1e6 / steps as f64;
    let part = |phase: Phase, name| (name, spent[phase as usize] * micros);
    Ok(BenchResult {
        us_per_step: fastest * micros,
        breakdown: [
            part(Phase::Collision, "collision"),
            part(Phase::Dynamics, "dynamics"),
            part(Phase::Constraints, "constraints"),
            part(Phase::Solver, "solver"),
            part(Phase::Motion, "motion"),
        ],
    })
}

/// A case's scene as MJCF, for MuJoCo in its fastest settings. It may let the cube sleep where it
/// sleeps here, which it does not as it comes.
///
/// # Errors
/// None in practice: the scenes are fixed.
pub fn mjcf(case: Case) -> Result<String, SimError> {
    let models = [Arc::new(so101::so101())];
    let text = mjcf::write(
        &scene(case),
        &models,
        Contacts::Default,
        Actuators::Position,
    )?;
    let sleep = "implicitfast\"><flag sleep=\"enable\"/></option>";
    Ok(match case {
        Case::ArmFloorCube => text.replacen("implicitfast\"/>", sleep, 1),
        Case::ArmAlone | Case::ArmFloorCubeAwake => text,
    })
}

/// The targets of so many steps from the start on, six numbers a step, radians.
#[must_use]
pub fn controls(steps: u64) -> Vec<f64> {
    let dt = 1.0 / PhysicsSpec::default().hz;
    (0..steps)
        .flat_map(|step| targets(step as f64 * dt))
        .collect()
}

/// The arm's targets at a time, radians.
fn targets(time_secs: f64) -> [f64; 6] {
    let mut targets = CENTER;
    for (target, (amplitude, hz)) in targets.iter_mut().zip(SWINGS) {
        *target += amplitude * libm::sin(TAU * hz * time_secs);
    }
    targets
}

/// The scene of a case.
#[must_use]
pub fn scene(case: Case) -> Scene {
    let cube = ObjectSpec {
        name: "cube".to_owned(),
        shape: ObjectShape::Cube { size: 0.03 },
        position: [0.1, 0.2, 0.015],
        rotation_degrees: [0.0; 3],
        mass: 0.03,
        friction: 1.0,
        color: [0.85, 0.25, 0.22],
        fixed: false,
    };
    Scene {
        name: case.name().to_owned(),
        description: String::new(),
        arms: vec![ArmSpec {
            name: "arm".to_owned(),
            model: ModelRef::So101,
            backend: Backend::Sim,
            leader: None,
            position: [0.0; 3],
            yaw_degrees: 0.0,
            home_degrees: Default::default(),
            color: [1.0, 0.82, 0.12],
        }],
        objects: match case {
            Case::ArmAlone => Vec::new(),
            Case::ArmFloorCube | Case::ArmFloorCubeAwake => vec![cube],
        },
        cameras: Vec::new(),
        lights: Vec::new(),
        table: TableSpec::default(),
        physics: PhysicsSpec::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, Course, controls, mjcf};

    #[test]
    fn the_cube_sleeps_in_one_case_only() {
        for case in Case::ALL {
            let course = Course::new(case).expect("the scene is good");
            let sleeps = case == Case::ArmFloorCube;
            assert_eq!(course.world.object_sleeps(0), sleeps);
            let text = mjcf(case).expect("the scene is good");
            assert_eq!(text.contains("<flag sleep=\"enable\"/>"), sleeps);
        }
    }

    #[test]
    fn a_course_goes_by_the_controls_that_others_get() {
        let mut course = Course::new(Case::ArmAlone).expect("the scene is good");
        course.prepare(5);
        let controls = controls(course.world.steps() + 5);
        assert_eq!(
            course.targets.as_flattened(),
            &controls[controls.len() - 30..]
        );
    }
}
