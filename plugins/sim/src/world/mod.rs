//! The world: what is in it, and one step.

mod access;
mod constraints;

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::scene::Scene;

use crate::SimError;
use crate::arm::Arm;
use crate::build::{self, Parts, Tray};
use crate::collide::{Collisions, Riding};
use crate::collider::Owner;
use crate::math::V3;
use crate::object::Object;
use crate::rest::{self, Rest};
use crate::snapshot::{Source, State, WorldState, state};
use crate::solver::Solver;

pub(crate) use constraints::{HARD_LEVERS, PAD_LEVERS};

/// Sweeps of the solver, and the change of speed below which it stops early.
const ITERATIONS: usize = 20;
const TOLERANCE: f64 = 1e-5;

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
/// or [`Pose::IDENTITY`](forearm_protocol::Pose::IDENTITY), when there is no such thing.
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
}

fn twist(velocity: &[f64], start: usize) -> (V3, V3) {
    let v = &velocity[start..start + 6];
    (V3::new(v[0], v[1], v[2]), V3::new(v[3], v[4], v[5]))
}

fn set_twist(velocity: &mut [f64], start: usize, linear: &V3, angular: &V3) {
    velocity[start..start + 3].copy_from_slice(linear.as_slice());
    velocity[start + 3..start + 6].copy_from_slice(angular.as_slice());
}
