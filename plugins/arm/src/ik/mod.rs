//! Inverse kinematics: damped least squares with joint limits and weights for position and
//! orientation.
//!
//! The solver minimises `(w_p · position error)² + (w_o · orientation error)²` within the joints'
//! limits. A step is a damped (Levenberg-Marquardt) step; joints that it would carry over a limit
//! stop there and leave the problem (active set), so that the others take over what they can.
//! Steps are bounded and only taken when they improve, so an unreachable target ends at the
//! nearest pose instead of oscillating; as the error that remains there bends the problem, its
//! curvature is taken in once plain steps fail. Position comes first: where the weights would
//! trade some of it for orientation, a last descent takes it back. When the target is missed, a
//! few other starts are tried and taken only where they are clearly better: an arm that is dragged
//! stays on its branch.
//!
//! The gripper's joint is left alone. After construction nothing allocates. Frames and units:
//! `base_from_tool` in metres, joints in radians (metres).

mod chain;
mod cholesky;

use nalgebra::{Isometry3, UnitQuaternion, Vector3, Vector6};

use self::chain::{ChainJoint, chain_of};
use self::cholesky::solve_in_place;
use crate::kinematics::column_of;
use crate::model::{ArmModel, JointKind};

/// Longest move of one turning joint in one iteration, radians.
const MAX_STEP_RADIANS: f64 = 0.6;
/// Longest move of one sliding joint in one iteration, metres.
const MAX_STEP_METRES: f64 = 0.1;
/// Steps in a row that may fail to improve before a start is given up.
const MAX_REJECTED: u32 = 12;
/// Bounds of the squared damping.
const MIN_DAMPING_SQUARED: f64 = 1e-12;
const MAX_DAMPING_SQUARED: f64 = 1e6;
/// A step that improves the cost by less than this part of it is no progress; this many of them in
/// a row end a start.
const MIN_IMPROVEMENT: f64 = 1e-7;
const MAX_STALLED: u32 = 3;
/// A step that gains less than this part of what was predicted calls for the curvature.
const POOR_GAIN: f64 = 0.5;
/// Another branch must lower the cost to this part of the present one's to be taken.
const CLEARLY_BETTER: f64 = 0.5;
/// Square roots of these spread the last starts evenly over the joints' ranges.
const PRIMES: [f64; 8] = [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0];

/// What the solver weighs and when it stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IkConfig {
    /// Weight of the position error, per metre.
    pub position_weight: f64,
    /// Weight of the orientation error, per radian; zero where only position matters. Small
    /// against [`IkConfig::position_weight`]: an arm with too few joints for both keeps the
    /// position.
    pub orientation_weight: f64,
    /// Damping that a start begins with, in weighted units; it adapts.
    pub damping: f64,
    /// Most iterations of one start.
    pub max_iterations: u32,
    /// Position error that counts as reached, metres.
    pub position_tolerance_m: f64,
    /// Orientation error that counts as reached, radians.
    pub orientation_tolerance_rad: f64,
    /// Other starts to try when the target is missed from the given one.
    pub restarts: u32,
    /// Whether to stay on the start's branch: other starts are then tried only when the position
    /// is missed, not for the orientation's sake.
    pub keep_branch: bool,
}

impl Default for IkConfig {
    /// For following a moving target: stays on its branch, tens of microseconds.
    fn default() -> Self {
        Self {
            position_weight: 1.0,
            orientation_weight: 0.02,
            damping: 1e-3,
            max_iterations: 40,
            position_tolerance_m: 1e-5,
            orientation_tolerance_rad: 1e-3,
            restarts: 4,
            keep_branch: true,
        }
    }
}

impl IkConfig {
    /// For a single answer to a single question: looks for the best pose on any branch.
    #[must_use]
    pub fn thorough() -> Self {
        Self {
            max_iterations: 200,
            restarts: 48,
            keep_branch: false,
            ..Self::default()
        }
    }
}

/// What a solve found. `joints` lives in the solver until its next solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IkSolution<'a> {
    /// Joint positions in model order, within their limits.
    pub joints: &'a [f64],
    /// Distance of the tool from its target, metres.
    pub position_error_m: f64,
    /// Angle between the tool and its target, radians.
    pub orientation_error_rad: f64,
    /// Iterations spent, all starts together.
    pub iterations: u32,
    /// Whether every error that has a weight is within its tolerance.
    pub converged: bool,
}

/// How far a pose of the chain is from the target.
#[derive(Debug, Clone, Copy)]
struct Residual {
    position: Vector3<f64>,
    orientation: Vector3<f64>,
}

/// An inverse kinematics solver for one model.
#[derive(Debug, Clone)]
pub struct IkSolver {
    config: IkConfig,
    chain: Vec<ChainJoint>,
    /// The tool in the moved frame of the chain's last joint.
    last_from_tool: Isometry3<f64>,
    home: Vec<f64>,
    limits: Vec<(f64, f64)>,
    /// The answer, in model order.
    joints: Vec<f64>,
    /// Positions of the chain's joints: given, best so far, present, tried; and the step between
    /// the last two.
    start: Vec<f64>,
    best: Vec<f64>,
    here: Vec<f64>,
    tried: Vec<f64>,
    step: Vec<f64>,
    free: Vec<bool>,
    /// Weighted columns of the Jacobian at `here`.
    columns: Vec<Vector6<f64>>,
    /// Half the cost's derivatives at `here`, square matrices by rows: descent direction, first
    /// order second derivative, and what the remaining error adds to it.
    gradient: Vec<f64>,
    normal: Vec<f64>,
    curvature: Vec<f64>,
    /// Room for solving.
    factor: Vec<f64>,
    /// Weights of position and orientation of the descent in progress.
    weights: (f64, f64),
    /// Axis and origin of every joint of the chain in the base's frame, where last evaluated.
    axes: Vec<(Vector3<f64>, Vector3<f64>)>,
}

impl IkSolver {
    /// A solver for this model, which should be [valid](ArmModel::validate).
    #[must_use]
    pub fn new(model: &ArmModel, config: IkConfig) -> Self {
        let (chain, last_from_tool) = chain_of(model);
        let n = chain.len();
        Self {
            config,
            last_from_tool,
            home: model.home.clone(),
            limits: model
                .joints
                .iter()
                .map(|joint| (joint.limits.lower, joint.limits.upper))
                .collect(),
            joints: vec![0.0; model.dof()],
            start: vec![0.0; n],
            best: vec![0.0; n],
            here: vec![0.0; n],
            tried: vec![0.0; n],
            step: vec![0.0; n],
            free: vec![false; n],
            columns: vec![Vector6::zeros(); n],
            gradient: vec![0.0; n],
            normal: vec![0.0; n * n],
            curvature: vec![0.0; n * n],
            factor: vec![0.0; n * n],
            weights: (0.0, 0.0),
            axes: vec![(Vector3::zeros(), Vector3::zeros()); n],
            chain,
        }
    }

    /// The present configuration.
    #[must_use]
    pub fn config(&self) -> &IkConfig {
        &self.config
    }

    /// Replaces the configuration, for instance to weigh the orientation or not.
    pub fn set_config(&mut self, config: IkConfig) {
        self.config = config;
    }

    /// Moves the tool to `base_from_tool`, or as near as the joints' limits allow.
    ///
    /// `start` is where to begin (model order; usually the last command): it decides the branch.
    /// Joints that do not carry the tool, and the gripper, keep their place in `start`. What is
    /// missing or not finite in `start` is taken from the model's home. A target that is not
    /// finite is not followed: the answer is `start` with infinite errors.
    pub fn solve(&mut self, start: &[f64], base_from_tool: &Isometry3<f64>) -> IkSolution<'_> {
        for (index, joint) in self.joints.iter_mut().enumerate() {
            let (lower, upper) = self.limits[index];
            let home = self.home.get(index).copied().unwrap_or(0.0);
            let wanted = start.get(index).copied().filter(|q| q.is_finite());
            *joint = clamp(wanted.unwrap_or(home), lower, upper);
        }
        if !is_finite(base_from_tool) {
            return IkSolution {
                joints: &self.joints,
                position_error_m: f64::INFINITY,
                orientation_error_rad: f64::INFINITY,
                iterations: 0,
                converged: false,
            };
        }
        for (slot, joint) in self.start.iter_mut().zip(&self.chain) {
            *slot = self.joints[joint.index];
        }
        // `max` also turns a NaN into zero.
        self.weights = (
            self.config.position_weight.max(0.0),
            self.config.orientation_weight.max(0.0),
        );
        self.here.copy_from_slice(&self.start);
        let (mut residual, mut iterations) = self.descend(base_from_tool);
        self.best.copy_from_slice(&self.here);
        for attempt in 0..self.config.restarts {
            if !self.is_worth_another(&residual) {
                break;
            }
            self.restart(attempt, base_from_tool);
            let (other, spent) = self.descend(base_from_tool);
            iterations += spent;
            let bar = if self.config.keep_branch {
                CLEARLY_BETTER
            } else {
                1.0
            };
            if self.cost(&other) < bar * self.cost(&residual) {
                residual = other;
                self.best.copy_from_slice(&self.here);
            }
        }
        if self.weights.1 > 0.0 && !self.is_position_reached(&residual) {
            self.here.copy_from_slice(&self.best);
            let orientation_weight = std::mem::take(&mut self.weights.1);
            let (other, spent) = self.descend(base_from_tool);
            self.weights.1 = orientation_weight;
            iterations += spent;
            if self.is_position_reached(&other) {
                residual = other;
                self.best.copy_from_slice(&self.here);
            }
        }
        for (position, joint) in self.best.iter().zip(&self.chain) {
            self.joints[joint.index] = *position;
        }
        IkSolution {
            converged: self.is_reached(&residual),
            joints: &self.joints,
            position_error_m: residual.position.norm(),
            orientation_error_rad: residual.orientation.norm(),
            iterations,
        }
    }

    /// Descends from `here` to the nearest minimum; `here` ends there.
    fn descend(&mut self, target: &Isometry3<f64>) -> (Residual, u32) {
        let tool = self.tool_at(Place::Here);
        let mut residual = Residual::between(&tool, target);
        let mut cost = self.cost(&residual);
        self.linearize(&tool, &residual);
        let damping = self.config.damping;
        let mut damping_squared = clamp(damping * damping, MIN_DAMPING_SQUARED, 1.0);
        let mut curved = false;
        let (mut rejected, mut stalled, mut iterations) = (0, 0, 0);
        while iterations < self.config.max_iterations && !self.is_reached(&residual) {
            iterations += 1;
            let predicted = self.find_step(damping_squared, curved);
            let tool = self.tool_at(Place::Tried);
            let next = Residual::between(&tool, target);
            let gain = cost - self.cost(&next);
            if predicted.is_some() && gain > 0.0 {
                stalled = if gain > MIN_IMPROVEMENT * cost {
                    0
                } else {
                    stalled + 1
                };
                curved = gain < POOR_GAIN * predicted.unwrap_or(0.0);
                residual = next;
                cost -= gain;
                std::mem::swap(&mut self.here, &mut self.tried);
                self.linearize(&tool, &residual);
                damping_squared = (damping_squared * 0.2).max(MIN_DAMPING_SQUARED);
                rejected = 0;
            } else {
                // Curvature that makes a saddle of the problem has no step downhill.
                curved = predicted.is_some() && !curved;
                damping_squared *= 4.0;
                rejected += 1;
            }
            if stalled >= MAX_STALLED
                || rejected >= MAX_REJECTED
                || damping_squared > MAX_DAMPING_SQUARED
            {
                break;
            }
        }
        (residual, iterations)
    }

    /// Finds the damped step from `here` within the limits and puts its end into `tried`; tells by
    /// how much it should lower the cost, or nothing if there is no step.
    fn find_step(&mut self, damping_squared: f64, curved: bool) -> Option<f64> {
        let n = self.chain.len();
        self.tried.copy_from_slice(&self.here);
        for (free, joint) in self.free.iter_mut().zip(&self.chain) {
            *free = joint.movable;
        }
        self.step.fill(0.0);
        // Each round but the last stops at least one joint at its limit.
        for _ in 0..=n {
            for i in 0..n {
                // A stopped joint's step stays what it is; what it gains the others need not.
                let row = i * n;
                for j in 0..n {
                    let bent = if curved { self.curvature[row + j] } else { 0.0 };
                    self.factor[row + j] = self.normal[row + j] + bent;
                }
                self.tried[i] = self.gradient[i];
                for j in 0..n {
                    if !self.free[j] {
                        self.tried[i] -= self.factor[row + j] * self.step[j];
                    }
                    if i == j {
                        self.factor[row + j] += damping_squared;
                    } else if !(self.free[i] && self.free[j]) {
                        self.factor[row + j] = 0.0;
                    }
                }
                if !self.free[i] {
                    self.factor[row + i] = 1.0;
                    self.tried[i] = self.step[i];
                }
            }
            if !solve_in_place(&mut self.factor, &mut self.tried) {
                return None;
            }
            let mut stopped = false;
            for (j, joint) in self.chain.iter().enumerate() {
                if !self.free[j] {
                    continue;
                }
                let wanted = self.here[j] + self.tried[j];
                let allowed = clamp(wanted, joint.lower, joint.upper);
                self.step[j] = allowed - self.here[j];
                if allowed != wanted {
                    self.free[j] = false;
                    stopped = true;
                }
            }
            if !stopped {
                break;
            }
        }
        let scale = self
            .step
            .iter()
            .zip(&self.chain)
            .fold(1.0_f64, |scale, (step, joint)| {
                let longest = match joint.kind {
                    JointKind::Revolute => MAX_STEP_RADIANS,
                    JointKind::Prismatic => MAX_STEP_METRES,
                };
                scale.min(longest / step.abs().max(longest))
            });
        let (mut slope, mut bend) = (0.0, 0.0);
        for (i, joint) in self.chain.iter().enumerate() {
            let step = self.step[i] * scale;
            self.tried[i] = clamp(self.here[i] + step, joint.lower, joint.upper);
            slope += step * self.gradient[i];
            for j in 0..n {
                bend += step * self.normal[i * n + j] * self.step[j] * scale;
            }
        }
        Some(2.0 * slope - bend)
    }

    /// Puts `here` at the start number `attempt`, turned towards the target.
    fn restart(&mut self, attempt: u32, target: &Isometry3<f64>) {
        for (j, joint) in self.chain.iter().enumerate() {
            if !joint.movable {
                continue;
            }
            self.here[j] = match attempt {
                0 => self.start[j],
                1 => {
                    let home = self.home.get(joint.index).copied().unwrap_or(0.0);
                    clamp(home, joint.lower, joint.upper)
                }
                _ => {
                    let spread = f64::from(attempt) * libm::sqrt(PRIMES[j % PRIMES.len()]);
                    let part = spread - libm::floor(spread);
                    joint.lower + part * (joint.upper - joint.lower)
                }
            };
        }
        self.aim(target);
    }

    /// Turns the first joint so that the tool is on the target's side.
    fn aim(&mut self, target: &Isometry3<f64>) {
        let tool = self.tool_at(Place::Here);
        let (Some(joint), Some((axis, origin))) = (self.chain.first(), self.axes.first()) else {
            return;
        };
        if joint.kind != JointKind::Revolute || !joint.movable {
            return;
        }
        let flat = |point: Vector3<f64>| {
            let lever = point - origin;
            lever - axis * axis.dot(&lever)
        };
        let (from, to) = (
            flat(tool.translation.vector),
            flat(target.translation.vector),
        );
        let turn = libm::atan2(axis.dot(&from.cross(&to)), from.dot(&to));
        let whole = 2.0 * std::f64::consts::PI;
        let aimed = self.here[0] + turn;
        let within = [aimed, aimed - whole, aimed + whole]
            .into_iter()
            .find(|q| (joint.lower..=joint.upper).contains(q));
        self.here[0] = within.unwrap_or_else(|| clamp(aimed, joint.lower, joint.upper));
    }

    /// Computes the tool's pose, and `axes` on the way.
    fn tool_at(&mut self, place: Place) -> Isometry3<f64> {
        let positions = match place {
            Place::Here => &self.here,
            Place::Tried => &self.tried,
        };
        let mut pose = Isometry3::identity();
        for ((joint, position), slot) in self.chain.iter().zip(positions).zip(&mut self.axes) {
            pose *= joint.previous_from_joint;
            *slot = (
                pose.rotation * joint.axis.into_inner(),
                pose.translation.vector,
            );
            match joint.kind {
                JointKind::Revolute => {
                    pose.rotation *= UnitQuaternion::from_axis_angle(&joint.axis, *position);
                }
                JointKind::Prismatic => pose.translation.vector += slot.0 * *position,
            }
        }
        pose * self.last_from_tool
    }

    /// Computes the derivatives at `here`, whose `axes`, tool and residual are given.
    fn linearize(&mut self, tool: &Isometry3<f64>, residual: &Residual) {
        let n = self.chain.len();
        let (position_weight, orientation_weight) = self.weights;
        let error = self.weighted(residual);
        for (i, joint) in self.chain.iter().enumerate() {
            let (axis, origin) = &self.axes[i];
            let mut column = column_of(joint.kind, axis, &(tool.translation.vector - origin));
            for row in 0..3 {
                column[row] *= position_weight;
                column[row + 3] *= orientation_weight;
            }
            self.gradient[i] = column.dot(&error);
            self.columns[i] = column;
        }
        let missing: Vector3<f64> = error.fixed_rows::<3>(0).into();
        for (i, joint) in self.chain.iter().enumerate() {
            for j in i..n {
                let normal = self.columns[i].dot(&self.columns[j]);
                // A joint turns the directions in which the joints behind it move the tool.
                let curvature = match joint.kind {
                    JointKind::Revolute => {
                        let moved: Vector3<f64> = self.columns[j].fixed_rows::<3>(0).into();
                        -missing.dot(&self.axes[i].0.cross(&moved))
                    }
                    JointKind::Prismatic => 0.0,
                };
                for index in [i * n + j, j * n + i] {
                    self.normal[index] = normal;
                    self.curvature[index] = curvature;
                }
            }
        }
    }

    fn weighted(&self, residual: &Residual) -> Vector6<f64> {
        let (position_weight, orientation_weight) = self.weights;
        let (p, o) = (
            residual.position * position_weight,
            residual.orientation * orientation_weight,
        );
        Vector6::new(p.x, p.y, p.z, o.x, o.y, o.z)
    }

    fn cost(&self, residual: &Residual) -> f64 {
        self.weighted(residual).norm_squared()
    }

    fn is_position_reached(&self, residual: &Residual) -> bool {
        self.weights.0 == 0.0 || residual.position.norm() <= self.config.position_tolerance_m
    }

    fn is_reached(&self, residual: &Residual) -> bool {
        self.is_position_reached(residual)
            && (self.weights.1 == 0.0
                || residual.orientation.norm() <= self.config.orientation_tolerance_rad)
    }

    fn is_worth_another(&self, residual: &Residual) -> bool {
        if self.config.keep_branch {
            !self.is_position_reached(residual)
        } else {
            !self.is_reached(residual)
        }
    }
}

/// Which positions of the chain to look at.
#[derive(Debug, Clone, Copy)]
enum Place {
    Here,
    Tried,
}

impl Residual {
    /// What is missing from `tool` to `target`, in the base's frame.
    fn between(tool: &Isometry3<f64>, target: &Isometry3<f64>) -> Self {
        Self {
            position: target.translation.vector - tool.translation.vector,
            orientation: (target.rotation * tool.rotation.inverse()).scaled_axis(),
        }
    }
}

fn is_finite(pose: &Isometry3<f64>) -> bool {
    pose.translation.vector.iter().all(|x| x.is_finite())
        && pose.rotation.coords.iter().all(|x| x.is_finite())
}

/// As `f64::clamp`, but bounds in the wrong order (a model that was not validated) do not panic.
fn clamp(value: f64, lower: f64, upper: f64) -> f64 {
    value.min(upper).max(lower)
}
