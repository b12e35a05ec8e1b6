//! Does the tasks as a person's script would: by inverse kinematics, through an environment's own
//! actions.

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::so101;
use forearm_sim::env::{Env, EnvConfig, Outcome, Task};
use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

/// The most that an action of 1 moves a joint, radians.
const DELTA: f64 = 0.08;
/// Joints this near to where they are sent are there, radians.
const THERE: f64 = 0.01;

pub(crate) const OPEN: f64 = 0.8;
pub(crate) const CLOSED: f64 = -0.1;

pub(crate) struct Operator {
    pub(crate) env: Env,
    ik: IkSolver,
    /// By arm: where its joints are sent, and were sent last.
    goals: Vec<[f64; 6]>,
    targets: Vec<[f64; 6]>,
    pub(crate) outcome: Outcome,
    observation: Vec<f32>,
}

impl Operator {
    pub(crate) fn new(config: &EnvConfig, seed: u64) -> Self {
        let mut env = Env::new(config).expect("a good configuration");
        env.reset(seed);
        let arms = env.spec().agents.len();
        let mut operator = Self {
            observation: vec![0.0; env.spec().observation_len()],
            env,
            ik: IkSolver::new(&so101::so101(), IkConfig::thorough()),
            goals: vec![[0.0; 6]; arms],
            targets: vec![[0.0; 6]; arms],
            outcome: Outcome::default(),
        };
        operator.look();
        for arm in 0..arms {
            operator.goals[arm] = operator.targets[arm];
        }
        operator
    }

    pub(crate) fn task(task: Task, seed: u64) -> Self {
        Self::new(&EnvConfig::new(task), seed)
    }

    fn look(&mut self) {
        self.env.observe(&mut self.observation);
        let len = self.env.spec().agents[0].observation_len as usize;
        for (arm, targets) in self.targets.iter_mut().enumerate() {
            let own = &self.observation[arm * len + 12..arm * len + 18];
            *targets = std::array::from_fn(|joint| f64::from(own[joint]));
        }
    }

    /// A part of an arm's observation.
    pub(crate) fn part(&self, arm: usize, name: &str) -> Vec<f64> {
        let len = self.env.spec().agents[0].observation_len as usize;
        let row = &self.observation[arm * len..(arm + 1) * len];
        let part = super::part(self.env.spec(), name);
        row[part].iter().map(|value| f64::from(*value)).collect()
    }

    pub(crate) fn vector(&self, arm: usize, name: &str) -> Vector3<f64> {
        Vector3::from_column_slice(&self.part(arm, name))
    }

    pub(crate) fn over(&self) -> bool {
        self.outcome.terminated || self.outcome.truncated
    }

    /// One step towards where the joints are sent, at most at this part of the greatest speed.
    pub(crate) fn step(&mut self, speed: f64) {
        if self.over() {
            return;
        }
        let toward =
            |(goal, target): (&f64, &f64)| ((goal - target) / DELTA).clamp(-speed, speed) as f32;
        let goals = self.goals.as_flattened().iter();
        let actions: Vec<f32> = goals.zip(self.targets.as_flattened()).map(toward).collect();
        self.outcome = self.env.step(&actions).expect("an action a joint");
        self.look();
    }

    pub(crate) fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step(1.0);
        }
    }

    /// Steps until the joints were told to be where they are sent, and a few more.
    pub(crate) fn arrive(&mut self, speed: f64) {
        while !self.over() {
            let far = |(goal, target): (&f64, &f64)| (goal - target).abs() > THERE;
            let mut rows = self.goals.as_flattened().iter();
            if !rows.by_ref().zip(self.targets.as_flattened()).any(far) {
                break;
            }
            self.step(speed);
        }
        self.steps(6);
    }

    /// Sends an arm's fixed jaw's tip to `tip` in the arm's own frame, pointing along `down`, jaws
    /// opening along `opening`.
    pub(crate) fn send(
        &mut self,
        arm: usize,
        tip: Vector3<f64>,
        down: Vector3<f64>,
        opening: Vector3<f64>,
        gripper: f64,
    ) {
        let z = down.normalize();
        let x = -(opening - z * opening.dot(&z)).normalize();
        let axes = Matrix3::from_columns(&[x, z.cross(&x), z]);
        let rotation = Rotation3::from_matrix_unchecked(axes);
        let target = Isometry3::from_parts(
            Translation3::from(tip),
            UnitQuaternion::from_rotation_matrix(&rotation),
        );
        let solution = self.ik.solve(&self.targets[arm], &target);
        self.goals[arm].copy_from_slice(solution.joints);
        self.goals[arm][5] = gripper;
    }

    /// Sends it there whatever way it points.
    pub(crate) fn reach(&mut self, arm: usize, tip: Vector3<f64>) {
        let config = IkConfig {
            orientation_weight: 0.0,
            ..IkConfig::thorough()
        };
        self.ik.set_config(config);
        let target = Isometry3::translation(tip.x, tip.y, tip.z);
        let solution = self.ik.solve(&self.targets[arm], &target);
        let gripper = self.goals[arm][5];
        self.goals[arm].copy_from_slice(solution.joints);
        self.goals[arm][5] = gripper;
        self.ik.set_config(IkConfig::thorough());
    }

    pub(crate) fn grip(&mut self, arm: usize, gripper: f64) {
        self.goals[arm][5] = gripper;
    }
}
