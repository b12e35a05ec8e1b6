//! The world: what is in it, one step, and what can be asked of it.

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::Pose;
use forearm_protocol::scene::Scene;

use crate::SimError;
use crate::arm::Arm;
use crate::build::{self, Parts, Tray};
use crate::collide::{Collisions, Riding};
use crate::collider::Owner;
use crate::math::{Frame, V3, any_tangent};
use crate::object::Object;
use crate::rest::{self, Rest};
use crate::snapshot::{Source, State, WorldState, state};
use crate::solver::{ContactRows, JointRow, Row, Side, Solver, SpinRows};
use crate::symmetric::multiply;

/// Stiffness of one contact point, N/m: a finger of printed plastic.
const STIFFNESS: f64 = 6.0e4;
/// How long a contact takes to push out what overlaps, seconds.
const RECOVERY: f64 = 0.010;
/// Overlap is pushed out at most this fast, m/s.
const MAX_RECOVERY_SPEED: f64 = 0.3;
/// Sticking surfaces that have slipped further than this, metres, stick anew where they are.
const MOST_SLIP: f64 = 0.001;
/// How far from its middle a contact patch holds against spinning and rolling, metres: where a
/// jaw presses, and elsewhere.
pub(crate) const PAD_LEVERS: (f64, f64) = (5e-3, 1e-3);
pub(crate) const HARD_LEVERS: (f64, f64) = (5e-4, 2e-4);
/// How much of a joint's excess beyond its limit is undone in a step.
const LIMIT_RECOVERY: f64 = 0.2;
/// Sweeps of the solver, and the change of speed below which it stops early.
const ITERATIONS: usize = 20;
const TOLERANCE: f64 = 1e-5;
/// An object counts as resting below this speed, m/s.
const RESTING_SPEED: f64 = 0.05;

/// The phases of a step, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Contacts are found.
    Collision,
    /// Inertia, bias forces and servos are known.
    Dynamics,
    /// The solver's rows are built.
    Constraints,
    /// The rows are solved.
    Solver,
    /// Everything has moved.
    Motion,
}

/// Arms, table and objects, moving in fixed steps.
///
/// Methods that take an index of an arm, joint, link or object do nothing, or answer with zeros
/// or [`Pose::IDENTITY`], when there is no such thing.
pub struct World {
    arms: Vec<Arm>,
    objects: Vec<Object>,
    trays: Vec<Option<Tray>>,
    collisions: Collisions,
    solver: Solver,
    /// Velocities: each arm's joints in body order, then six numbers an object.
    velocity: Vec<f64>,
    /// Where each arm's and each object's velocities begin.
    arm_start: Vec<usize>,
    object_start: Vec<usize>,
    /// Impulse of dry friction in the last step, one a joint, as `velocity`.
    dry_impulse: Vec<f64>,
    gravity: V3,
    dt: f64,
    steps: u64,
    /// Whether objects at rest fall asleep.
    sleep: bool,
}

// Parameters of parts are not state; the solver keeps nothing from step to step.
state!(World { arms, objects, collisions, velocity, dry_impulse, steps } but {
    trays, solver, arm_start, object_start, gravity, dt, sleep,
});

impl World {
    /// Builds a scene. `models` has one model for each arm of the scene, in order.
    ///
    /// # Errors
    /// [`SimError`] says which arm, joint or object is wrong and what is allowed.
    pub fn new(scene: &Scene, models: &[Arc<ArmModel>]) -> Result<Self, SimError> {
        let Parts {
            arms,
            objects,
            trays,
            collisions,
        } = build::build(scene, models)?;
        let mut size = 0;
        let mut take = |len: usize| {
            size += len;
            size - len
        };
        let arm_start: Vec<usize> = arms.iter().map(|arm| take(arm.dof())).collect();
        let object_start: Vec<usize> = objects.iter().map(|_| take(6)).collect();
        Ok(Self {
            arms,
            objects,
            trays,
            collisions,
            solver: Solver::default(),
            velocity: vec![0.0; size],
            dry_impulse: vec![0.0; size],
            arm_start,
            object_start,
            gravity: V3::from(scene.physics.gravity),
            dt: 1.0 / scene.physics.hz,
            steps: 0,
            sleep: true,
        })
    }

    /// The fixed step, seconds.
    #[must_use]
    pub fn dt_secs(&self) -> f64 {
        self.dt
    }

    /// Simulated time since the start or the last reset, seconds.
    #[must_use]
    pub fn time_secs(&self) -> f64 {
        self.steps as f64 * self.dt
    }

    /// Steps since the start or the last reset.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Everything back to where the scene puts it, at rest, motors on.
    pub fn reset(&mut self) {
        for arm in &mut self.arms {
            arm.reset();
        }
        for object in &mut self.objects {
            object.reset();
        }
        self.velocity.fill(0.0);
        self.dry_impulse.fill(0.0);
        self.collisions.forget();
        self.steps = 0;
    }

    /// Whether objects at rest fall asleep, as they do from the start. Without sleep every object
    /// is computed in every step: the same motion, for more time.
    pub fn set_sleep(&mut self, on: bool) {
        self.sleep = on;
        self.wake();
    }

    /// Whether an object is asleep: it rests, and steps leave it out.
    #[must_use]
    pub fn object_sleeps(&self, object: usize) -> bool {
        let object = self.objects.get(object);
        object.is_some_and(|object| object.rest.is_asleep())
    }

    fn wake(&mut self) {
        for object in &mut self.objects {
            object.rest = Rest::default();
        }
    }

    /// Forgets what was remembered of past contacts, and wakes everybody.
    fn forget(&mut self) {
        self.collisions.forget();
        self.wake();
    }

    /// Keeps all that the world's future depends on in `into`, in place of what is there.
    pub fn save(&self, into: &mut WorldState) {
        into.words.clear();
        State::save(self, &mut into.words);
    }

    /// Goes back to a moment that a world of the same scene kept: from here on everything happens
    /// as it did, bit for bit. Parameters (masses, friction, gains, whether objects sleep)
    /// stay as they are.
    ///
    /// # Errors
    /// [`SimError::State`] if it is another scene's; the world then starts anew.
    pub fn restore(&mut self, from: &WorldState) -> Result<(), SimError> {
        let mut source = Source::new(&from.words);
        self.load_from(&mut source);
        if source.is_done() {
            return Ok(());
        }
        self.reset();
        Err(SimError::State)
    }

    /// Takes its state from `source`.
    pub(crate) fn load_from(&mut self, source: &mut Source<'_>) {
        State::load(self, source);
        for arm in &mut self.arms {
            arm.update_frames();
        }
    }

    /// Goes one step of [`World::dt_secs`] on.
    pub fn step(&mut self) {
        self.step_with(|_| {});
    }

    /// A step that says when each of its phases is done.
    pub(crate) fn step_with(&mut self, mut done: impl FnMut(Phase)) {
        self.detect();
        done(Phase::Collision);
        for (arm, start) in self.arms.iter_mut().zip(&self.arm_start) {
            let velocity = &mut self.velocity[*start..*start + arm.dof()];
            arm.free_velocity(velocity, &self.gravity, self.dt);
        }
        for (object, start) in self.objects.iter_mut().zip(&self.object_start) {
            if object.moves() {
                object.turn_inertia();
                let (mut linear, mut angular) = twist(&self.velocity, *start);
                object.free_velocity(&mut linear, &mut angular, &self.gravity, self.dt);
                set_twist(&mut self.velocity, *start, &linear, &angular);
            }
        }
        done(Phase::Dynamics);
        self.solver.clear();
        self.joint_rows();
        self.contact_rows();
        done(Phase::Constraints);
        self.solver.solve(&mut self.velocity, ITERATIONS, TOLERANCE);
        done(Phase::Solver);
        self.keep_impulses();
        self.advance();
        if self.sleep {
            rest::settle(
                &mut self.objects,
                &mut self.velocity,
                &self.object_start,
                &self.collisions,
                self.dt,
            );
        }
        self.steps += 1;
        done(Phase::Motion);
    }

    /// Finds contacts at the present poses.
    fn detect(&mut self) {
        let Self {
            arms,
            objects,
            velocity,
            object_start,
            collisions,
            dt,
            ..
        } = self;
        collisions.detect(
            |owner| match owner {
                Owner::World => Riding::STILL,
                Owner::Arm { arm, body } => Riding {
                    world_from_owner: arms[arm].body_frame(body),
                    speed: arms[arm].speed(body),
                    asleep: false,
                },
                Owner::Object(object) => {
                    let (linear, angular) = twist(velocity, object_start[object]);
                    let object = &objects[object];
                    Riding {
                        world_from_owner: object.frame,
                        speed: linear.norm() + angular.norm() * object.reach,
                        asleep: object.rest.is_asleep(),
                    }
                }
            },
            *dt,
        );
        for owner in &collisions.woken {
            if let Owner::Object(object) = owner {
                objects[*object].rest = Rest::default();
            }
        }
    }

    /// Rows of dry friction and of joint limits that are near.
    fn joint_rows(&mut self) {
        let Self {
            arms,
            arm_start,
            velocity,
            dry_impulse,
            solver,
            dt,
            ..
        } = self;
        for (arm, &start) in arms.iter().zip(arm_start.iter()) {
            let len = arm.dof();
            let inverse = solver.push_inverse(arm.inverse());
            for body in 0..len {
                let (friction, lower, upper) = arm.friction_and_limits(body);
                let q = arm.positions()[body];
                let next = q + *dt * velocity[start + body];
                let limit = if next < lower {
                    Some((lower - q, 0.0, f64::INFINITY))
                } else if next > upper {
                    Some((upper - q, f64::NEG_INFINITY, 0.0))
                } else {
                    None
                };
                let row = JointRow {
                    velocity: start + body,
                    arm: start,
                    len,
                    column: inverse + body * len,
                    ..JointRow::default()
                };
                if friction > 0.0 {
                    let bound = friction * *dt;
                    solver.push_joint(JointRow {
                        lower: -bound,
                        upper: bound,
                        impulse: dry_impulse[start + body],
                        dry: true,
                        ..row
                    });
                }
                if let Some((gap, lower, upper)) = limit {
                    // Approaching the limit may use up the gap; beyond it, go back gently.
                    let inside = (gap < 0.0) == (lower == 0.0);
                    let rate = if inside { 1.0 } else { LIMIT_RECOVERY };
                    solver.push_joint(JointRow {
                        lower,
                        upper,
                        wanted: gap * rate / *dt,
                        ..row
                    });
                }
            }
        }
    }

    /// Three rows for every contact, and three more for every pair that touches in one or two
    /// points only.
    fn contact_rows(&mut self) {
        for index in 0..self.collisions.contacts.len() {
            let contact = self.collisions.contacts[index];
            let pair = &self.collisions.pairs[contact.pair];
            let (friction, count, spin) = (pair.friction, pair.count(), pair.warm_spin);
            let owners = [
                self.collisions.colliders[pair.first].owner,
                self.collisions.colliders[pair.second].owner,
            ];
            let first = self.solver.rows.len();
            let normal = contact.normal;
            let tangent = any_tangent(&normal);
            let tangents = [tangent, normal.cross(&tangent)];
            let wanted = if contact.distance < 0.0 {
                (-contact.distance / (self.dt + RECOVERY)).min(MAX_RECOVERY_SPEED)
            } else {
                -contact.distance / self.dt
            };
            let along = |direction| Motion::Along {
                point: contact.point,
                direction,
            };
            self.contact_row(
                owners,
                along(normal),
                Row {
                    wanted,
                    softness: 1.0 / (STIFFNESS * self.dt * (self.dt + RECOVERY)),
                    upper: f64::INFINITY,
                    impulse: contact.warm_normal,
                    ..Row::default()
                },
            );
            let unbounded = Row {
                lower: f64::NEG_INFINITY,
                upper: f64::INFINITY,
                ..Row::default()
            };
            for tangent in tangents {
                let impulse = contact.warm_tangent.dot(&tangent);
                let wanted = -contact.slip.dot(&tangent) / (self.dt + RECOVERY);
                self.contact_row(
                    owners,
                    along(tangent),
                    Row {
                        impulse,
                        wanted,
                        ..unbounded
                    },
                );
            }
            self.solver.contacts.push(ContactRows {
                first,
                friction,
                tangents,
            });

            let last_of_pair = contact.point_index + 1 == count;
            if last_of_pair && count <= 2 {
                let first = self.solver.rows.len();
                let axes = [normal, tangents[0], tangents[1]];
                for axis in axes {
                    let impulse = spin.dot(&axis);
                    self.contact_row(
                        owners,
                        Motion::About(axis),
                        Row {
                            impulse,
                            ..unbounded
                        },
                    );
                }
                let held = owners
                    .iter()
                    .any(|owner| matches!(owner, Owner::Arm { .. }));
                self.solver.spins.push(SpinRows {
                    first,
                    contacts: (index + 1 - count, count),
                    levers: if held { PAD_LEVERS } else { HARD_LEVERS },
                    pair: contact.pair,
                    axes,
                });
            }
        }
    }

    fn contact_row(&mut self, owners: [Owner; 2], motion: Motion, mut row: Row) {
        for (slot, (owner, sign)) in owners.into_iter().zip([-1.0, 1.0]).enumerate() {
            row.sides[slot] = self.side(owner, motion, sign);
        }
        self.solver.push(row);
    }

    /// The Jacobian of a motion of `owner`.
    fn side(&mut self, owner: Owner, motion: Motion, sign: f64) -> Side {
        match owner {
            Owner::Arm {
                arm: index,
                body: body @ Some(_),
            } => {
                let arm = &self.arms[index];
                let len = arm.dof();
                let jacobian = self.solver.reserve(len);
                let block = &mut self.solver.jacobians[jacobian..jacobian + 2 * len];
                let (j, w) = block.split_at_mut(len);
                match motion {
                    Motion::Along { point, direction } => {
                        arm.jacobian(body, &point, &(direction * sign), j);
                    }
                    Motion::About(axis) => arm.spin_jacobian(body, &(axis * sign), j),
                }
                multiply(arm.inverse(), j, w);
                Side {
                    velocity: self.arm_start[index],
                    jacobian,
                    len,
                }
            }
            Owner::Object(index) if !self.objects[index].fixed => {
                let object = &self.objects[index];
                let jacobian = self.solver.reserve(6);
                let (force, moment) = match motion {
                    Motion::Along { point, direction } => {
                        let force = direction * sign;
                        (force, (point - object.center()).cross(&force))
                    }
                    Motion::About(axis) => (V3::zeros(), axis * sign),
                };
                let (linear, angular) = object.yield_to(&force, &moment);
                let block = &mut self.solver.jacobians[jacobian..jacobian + 12];
                block[..3].copy_from_slice(force.as_slice());
                block[3..6].copy_from_slice(moment.as_slice());
                block[6..9].copy_from_slice(linear.as_slice());
                block[9..].copy_from_slice(angular.as_slice());
                Side {
                    velocity: self.object_start[index],
                    jacobian,
                    len: 6,
                }
            }
            _ => Side::default(),
        }
    }

    /// Remembers impulses for the next step, and who presses on which object.
    fn keep_impulses(&mut self) {
        for object in &mut self.objects {
            object.let_go();
        }
        for (contact, rows) in self.collisions.contacts.iter().zip(&self.solver.contacts) {
            let [normal, u, v] =
                [0, 1, 2].map(|offset| self.solver.rows[rows.first + offset].impulse);
            let pair = &mut self.collisions.pairs[contact.pair];
            let across = rows.tangents[0] * u + rows.tangents[1] * v;
            let held = 0.999 * pair.friction * normal;
            let sticks = normal > 0.0
                && across.norm_squared() < held * held
                && contact.slip.norm_squared() < MOST_SLIP * MOST_SLIP;
            pair.remember(contact.point_index, normal, across, sticks);
            if normal > 0.0 {
                let owners = [pair.first, pair.second].map(|c| self.collisions.colliders[c].owner);
                if let [Owner::Arm { arm, body }, Owner::Object(object)]
                | [Owner::Object(object), Owner::Arm { arm, body }] = owners
                {
                    self.objects[object].touch(arm, body);
                }
            }
        }
        for spin in &self.solver.spins {
            let impulse = |offset: usize| self.solver.rows[spin.first + offset].impulse;
            self.collisions.pairs[spin.pair].warm_spin =
                spin.axes[0] * impulse(0) + spin.axes[1] * impulse(1) + spin.axes[2] * impulse(2);
        }
        for (index, impulse) in self.solver.dry_impulses() {
            self.dry_impulse[index] = impulse;
        }
    }

    /// Moves everything by its new velocity.
    fn advance(&mut self) {
        if self.velocity.iter().any(|value| !value.is_finite()) {
            // Only numbers beyond all reason get here; standing still is the safe answer.
            self.velocity.fill(0.0);
            self.dry_impulse.fill(0.0);
            self.forget();
        }
        for (arm, &start) in self.arms.iter_mut().zip(&self.arm_start) {
            let velocity = &self.velocity[start..start + arm.dof()];
            arm.advance(velocity, self.dt);
        }
        for (object, &start) in self.objects.iter_mut().zip(&self.object_start) {
            if object.moves() {
                let (mut linear, mut angular) = twist(&self.velocity, start);
                object.advance(&mut linear, &mut angular, self.dt);
                set_twist(&mut self.velocity, start, &linear, &angular);
            }
        }
    }

    /// Puts an arm somewhere, at rest, and lets its motors hold it there: radians (metres), model
    /// order. Positions beyond a joint's limits stop at the limit; with too few of them, or one that
    /// is not finite, nothing changes.
    pub fn place_arm(&mut self, arm: usize, positions: &[f64]) {
        let Some((arm, &start)) = self.arms.get_mut(arm).zip(self.arm_start.get(arm)) else {
            return;
        };
        if positions.len() == arm.dof() && positions.iter().all(|position| position.is_finite()) {
            arm.place(positions);
            self.velocity[start..start + arm.dof()].fill(0.0);
            self.dry_impulse[start..start + arm.dof()].fill(0.0);
            self.forget();
        }
    }

    /// Sets an arm's targets: radians (metres), model order. Targets beyond a joint's limits stop
    /// at the limit; one that is not a number leaves its joint's target as it was.
    pub fn set_targets(&mut self, arm: usize, positions: &[f64]) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.set_targets(positions);
        }
    }

    /// Switches an arm's motors. Switched off, only friction and damping hold it; switched on,
    /// it holds where it is until new targets come.
    pub fn set_torque(&mut self, arm: usize, on: bool) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.set_torque(on);
        }
    }

    /// Lets one joint's motor exert this part of its effort, 0 (limp) to 1; a motor that was limp
    /// holds where it is until a new target comes. [`World::set_torque`] switches all alike again.
    pub fn set_joint_torque(&mut self, arm: usize, joint: usize, share: f64) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.set_joint_torque(joint, share);
        }
    }

    /// Whether an arm's motors hold.
    #[must_use]
    pub fn torque(&self, arm: usize) -> bool {
        self.arms.get(arm).is_some_and(|arm| arm.torque_on)
    }

    /// Writes an arm's joint positions: radians (metres), model order.
    pub fn joint_positions(&self, arm: usize, out: &mut [f64]) {
        self.per_joint(arm, out, |arm, _, body| arm.positions()[body]);
    }

    /// Writes an arm's joint velocities: radians (metres) a second, model order.
    pub fn joint_velocities(&self, arm: usize, out: &mut [f64]) {
        self.per_joint(arm, out, |_, start, body| self.velocity[start + body]);
    }

    /// Writes what an arm's servos exert: N·m (N), model order.
    pub fn joint_efforts(&self, arm: usize, out: &mut [f64]) {
        self.per_joint(arm, out, |arm, _, body| arm.effort(body));
    }

    fn per_joint(&self, arm: usize, out: &mut [f64], value: impl Fn(&Arm, usize, usize) -> f64) {
        let Some((arm, &start)) = self.arms.get(arm).zip(self.arm_start.get(arm)) else {
            return;
        };
        for (joint, out) in out.iter_mut().enumerate().take(arm.dof()) {
            *out = value(arm, start, arm.body_of_joint(joint));
        }
    }

    /// Gives each of an arm's joints' position and velocity, in model order.
    pub(crate) fn each_joint(&self, arm: usize, mut take: impl FnMut(f64, f64)) {
        let Some((arm, &start)) = self.arms.get(arm).zip(self.arm_start.get(arm)) else {
            return;
        };
        for joint in 0..arm.dof() {
            let body = arm.body_of_joint(joint);
            take(arm.positions()[body], self.velocity[start + body]);
        }
    }

    /// The number of objects: those of the scene, in order.
    #[must_use]
    pub fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// Where an object is in the world (its centre; for a tray, its floor's underside).
    #[must_use]
    pub fn object_pose(&self, object: usize) -> Pose {
        self.objects
            .get(object)
            .map_or(Pose::IDENTITY, |object| object.frame.to_pose())
    }

    /// How an object moves: the velocity of its centre of mass (m/s), and its spin (rad/s), both in
    /// the world's axes.
    #[must_use]
    pub fn object_velocity(&self, object: usize) -> ([f64; 3], [f64; 3]) {
        self.object_start.get(object).map_or_else(
            || ([0.0; 3], [0.0; 3]),
            |&start| {
                let (linear, angular) = twist(&self.velocity, start);
                (linear.into(), angular.into())
            },
        )
    }

    /// How many bodies of an arm pressed on an object in the last step: two or more hold it.
    #[must_use]
    pub fn bodies_touching(&self, object: usize, arm: usize) -> u32 {
        let object = self.objects.get(object);
        let bodies = object.and_then(|object| object.touched_by.get(arm));
        bodies.map_or(0, |bodies| bodies.count_ones())
    }

    /// Whether any arm pressed on an object in the last step.
    #[must_use]
    pub fn object_touched(&self, object: usize) -> bool {
        self.objects
            .get(object)
            .is_some_and(|object| object.touched)
    }

    /// Makes an object so many times as heavy as the scene has it. A parameter, not state: neither
    /// [`World::reset`] nor [`World::restore`] changes it back.
    pub fn scale_mass(&mut self, object: usize, factor: f64) {
        if let Some(object) = self.objects.get_mut(object)
            && factor > 0.0
            && factor.is_finite()
        {
            object.scale_mass(factor);
        }
    }

    /// Makes all surfaces so many times as rough as the scene has them; a parameter, as is
    /// [`World::scale_mass`]'s.
    pub fn scale_friction(&mut self, factor: f64) {
        if factor >= 0.0 && factor.is_finite() {
            self.collisions.scale_friction(factor);
        }
    }

    /// Makes the position gain of a joint's servo so many times its model's; a parameter, as is
    /// [`World::scale_mass`]'s.
    pub fn scale_gain(&mut self, arm: usize, joint: usize, factor: f64) {
        if let Some(arm) = self.arms.get_mut(arm)
            && factor > 0.0
            && factor.is_finite()
        {
            arm.scale_gain(joint, factor);
        }
    }

    /// Puts an object somewhere, at rest. A pose that is not finite changes nothing.
    pub fn set_object_pose(&mut self, object: usize, world_from_object: Pose) {
        let Some(frame) = Frame::from_pose(&world_from_object) else {
            return;
        };
        if let Some((object, &start)) = self
            .objects
            .get_mut(object)
            .zip(self.object_start.get(object))
        {
            object.frame = frame;
            self.velocity[start..start + 6].fill(0.0);
            self.forget();
        }
    }

    /// Where a link is in the world. Links are numbered as in the arm's model.
    #[must_use]
    pub fn link_pose(&self, arm: usize, link: usize) -> Pose {
        match self.arms.get(arm) {
            Some(arm) if link < arm.model.links.len() => arm.link_frame(link).to_pose(),
            _ => Pose::IDENTITY,
        }
    }

    /// Where an arm's tool is in the world.
    #[must_use]
    pub fn tool_pose(&self, arm: usize) -> Pose {
        self.tool_frame(arm).to_pose()
    }

    /// The same as a frame.
    pub(crate) fn tool_frame(&self, arm: usize) -> Frame {
        self.arms.get(arm).map_or_else(Frame::identity, |arm| {
            let tool = &arm.model.tool;
            let link_from_tool = Frame::from_isometry(&tool.link_from_tool);
            arm.link_frame(tool.link).then(&link_from_tool)
        })
    }

    /// Whether an object lies in a tray: its centre within the tray's walls and no higher above
    /// its floor than the object reaches, all but at rest, and touched by no arm.
    #[must_use]
    pub fn object_in_tray(&self, object: usize, tray: usize) -> bool {
        let (Some(thing), Some(place), Some(Some(walls))) = (
            self.objects.get(object),
            self.objects.get(tray),
            self.trays.get(tray),
        ) else {
            return false;
        };
        let center = place.frame.inverse_point(&thing.center());
        let (linear, _) = twist(&self.velocity, self.object_start[object]);
        object != tray
            && !thing.touched
            && linear.norm() < RESTING_SPEED
            && center.x.abs() <= walls.inner[0] / 2.0
            && center.y.abs() <= walls.inner[1] / 2.0
            && center.z > walls.floor
            && center.z < walls.floor + thing.reach + 0.002
    }

    /// A digest of all positions and velocities, and of who rests since when, bit by bit: equal runs
    /// have equal digests.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut add = |value: f64| {
            hasher.update(&value.to_bits().to_le_bytes());
        };
        for arm in &self.arms {
            arm.positions().iter().copied().for_each(&mut add);
        }
        for object in &self.objects {
            object.frame.origin.iter().copied().for_each(&mut add);
            object.frame.rotation.iter().copied().for_each(&mut add);
            add(f64::from(object.rest.steps()));
        }
        self.velocity.iter().copied().for_each(&mut add);
        *hasher.finalize().as_bytes()
    }
}

/// A motion that a row speaks of.
#[derive(Debug, Clone, Copy)]
enum Motion {
    /// Of a point along a direction.
    Along { point: V3, direction: V3 },
    /// A turn about an axis.
    About(V3),
}

fn twist(velocity: &[f64], start: usize) -> (V3, V3) {
    let v = &velocity[start..start + 6];
    (V3::new(v[0], v[1], v[2]), V3::new(v[3], v[4], v[5]))
}

fn set_twist(velocity: &mut [f64], start: usize, linear: &V3, angular: &V3) {
    velocity[start..start + 3].copy_from_slice(linear.as_slice());
    velocity[start + 3..start + 6].copy_from_slice(angular.as_slice());
}
