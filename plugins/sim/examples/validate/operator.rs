//! Plans motions ahead, as a script would: targets by time, without a look at what comes of them.

use std::error::Error;

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::so101;
use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

use crate::Tick;

/// Control ticks a second.
pub(crate) const TICKS_PER_SEC: f64 = 125.0;
/// Gripper positions, radians.
pub(crate) const OPEN: f64 = 0.8;
pub(crate) const CLOSED: f64 = -0.1;
/// How far the fixed jaw stays from the thing while the gripper goes down, metres.
const CLEARANCE: f64 = 0.007;
/// Where the pan joint's axis meets the table, metres along X.
pub(crate) const SHOULDER: f64 = 0.0388;

/// A plan in the making.
pub(crate) struct Operator {
    ik: IkSolver,
    joints: [f64; 6],
    pub(crate) ticks: Vec<Tick>,
}

impl Operator {
    /// Starts at the arm's home.
    pub(crate) fn new() -> Self {
        let model = so101::so101();
        let mut joints = [0.0; 6];
        joints.copy_from_slice(&model.home);
        Self {
            ik: IkSolver::new(&model, IkConfig::thorough()),
            joints,
            ticks: Vec::new(),
        }
    }

    /// Moves smoothly to joint positions.
    pub(crate) fn play(&mut self, goal: [f64; 6], secs: f64) {
        let count = (secs * TICKS_PER_SEC).round() as usize;
        let start = self.joints;
        for tick in 1..=count {
            let u = tick as f64 / count as f64;
            let s = u * u * u * (10.0 - 15.0 * u + 6.0 * u * u);
            let mut targets = start;
            for (target, goal) in targets.iter_mut().zip(goal) {
                *target += (goal - *target) * s;
            }
            self.tick(targets);
        }
        self.joints = goal;
    }

    /// One tick with these targets.
    pub(crate) fn tick(&mut self, targets: [f64; 6]) {
        self.joints = targets;
        self.ticks.push(Tick {
            targets,
            torque: true,
        });
    }

    /// Where it is told to be.
    pub(crate) fn joints(&self) -> [f64; 6] {
        self.joints
    }

    /// Holds still.
    pub(crate) fn wait(&mut self, secs: f64) {
        self.play(self.joints, secs);
    }

    /// Moves only the gripper.
    pub(crate) fn grip(&mut self, gripper: f64, secs: f64) {
        let mut goal = self.joints;
        goal[5] = gripper;
        self.play(goal, secs);
    }

    /// Moves the fixed jaw's tip to `tip`, pointing down, jaws opening along `opening`.
    pub(crate) fn go(
        &mut self,
        tip: Vector3<f64>,
        opening: Vector3<f64>,
        gripper: f64,
        secs: f64,
    ) -> Result<(), Box<dyn Error>> {
        self.go_leaning(tip, opening, 0.0, gripper, secs)
    }

    /// The same, the gripper leaning away from where it opens by an angle (radians).
    pub(crate) fn go_leaning(
        &mut self,
        tip: Vector3<f64>,
        opening: Vector3<f64>,
        lean: f64,
        gripper: f64,
        secs: f64,
    ) -> Result<(), Box<dyn Error>> {
        let goal = self.reach(tip, opening, lean, gripper)?;
        self.play(goal, secs);
        Ok(())
    }

    /// The same at constant speed: a piece of a longer way.
    pub(crate) fn go_straight(
        &mut self,
        tip: Vector3<f64>,
        opening: Vector3<f64>,
        lean: f64,
        gripper: f64,
        secs: f64,
    ) -> Result<(), Box<dyn Error>> {
        let goal = self.reach(tip, opening, lean, gripper)?;
        let start = self.joints;
        let count = ((secs * TICKS_PER_SEC).round() as usize).max(1);
        for tick in 1..=count {
            let mut targets = start;
            for (target, goal) in targets.iter_mut().zip(goal) {
                *target += (goal - *target) * tick as f64 / count as f64;
            }
            self.tick(targets);
        }
        Ok(())
    }

    /// The joint positions for a place of the tip.
    fn reach(
        &mut self,
        tip: Vector3<f64>,
        opening: Vector3<f64>,
        lean: f64,
        gripper: f64,
    ) -> Result<[f64; 6], Box<dyn Error>> {
        let (sine, cosine) = libm::sincos(lean);
        let x = Vector3::z() * sine - opening * cosine;
        let z = -opening * sine - Vector3::z() * cosine;
        let axes = Matrix3::from_columns(&[x, z.cross(&x), z]);
        let rotation = Rotation3::from_matrix_unchecked(axes);
        let target = Isometry3::from_parts(
            Translation3::from(tip),
            UnitQuaternion::from_rotation_matrix(&rotation),
        );
        let solution = self.ik.solve(&self.joints, &target);
        if solution.position_error_m > 2e-3 {
            let off = solution.position_error_m;
            return Err(format!("the tool can't reach {tip}: {off} m are missing").into());
        }
        let mut goal = [0.0; 6];
        goal.copy_from_slice(solution.joints);
        goal[5] = gripper;
        Ok(goal)
    }

    /// Grasps what is thought to stand at `center`, `half` thick, and lifts it by 8 cm.
    pub(crate) fn pick(&mut self, center: Vector3<f64>, half: f64) -> Result<(), Box<dyn Error>> {
        let opening = Vector3::new(center.x - SHOULDER, center.y, 0.0).normalize();
        let tip = center - opening * (half + CLEARANCE);
        let at = |z: f64| Vector3::new(tip.x, tip.y, z);
        self.go(at(center.z + 0.07), opening, OPEN, 1.0)?;
        self.go(at(0.008), opening, OPEN, 0.8)?;
        self.grip(CLOSED, 0.8);
        self.go(at(0.09), opening, CLOSED, 0.8)
    }
}
