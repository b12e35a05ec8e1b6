//! Servos: what drives a joint, and the force law it follows in a step.
//!
//! A servo sees its joint from the output side of the gears. Each step it chooses a law
//! `effort = constant − (damping + dt · stiffness) · velocity at the end of the step`, which the
//! arm folds into its inertia matrix ("implicit"), so that stiff gains stay stable at any step.
//! A [`Servo`] knows nothing of arms, frames or contact: it is given position and velocity.

use forearm_arm::{Joint, JointKind};
use forearm_protocol::scene::ServoModel;

use crate::math::between;
use crate::snapshot::state;
use crate::sts3215::{Firmware, LOAD_FRICTION, Load, Sts3215, VISCOUS};

/// A spring is well resolved by a step whose square times the stiffness is below this part of the
/// rotor's inertia (at 4 an undamped spring would explode).
const RESOLVED: f64 = 0.5;

/// What drives a joint: constants, what lasts from step to step, and this step's law.
#[derive(Debug, Clone)]
pub(crate) struct Servo {
    params: ServoParams,
    /// The real servo, if it is not the ideal one.
    sts3215: Option<Sts3215>,
    pub(crate) state: ServoState,
    law: ForceLaw,
    /// What it can exert in this step.
    limit: f64,
    /// How many times its model's position gain it has; a parameter.
    gain: f64,
}

state!(Servo { state } but { params, sts3215, law, limit, gain });

/// The constants of a servo and its joint; radians and N·m, or metres and N.
#[derive(Debug, Clone, Copy)]
struct ServoParams {
    kp: f64,
    kv: f64,
    damping: f64,
    friction: f64,
    armature: f64,
    half_play: f64,
    lower: f64,
    upper: f64,
    effort: f64,
    /// Effort that is lost for each unit of speed, beyond what the joint's damping takes.
    speed_slope: f64,
}

/// What a servo remembers from step to step: with the joint's position and velocity all that its
/// future depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ServoState {
    /// The part of its effort that it may use, 0 (limp) to 1.
    share: f64,
    target: f64,
    /// The target as the output side of the gears sees it, behind their play.
    played: f64,
    /// What it exerted in the last step.
    effort: f64,
    /// What a real servo's firmware remembers.
    firmware: Firmware,
}

state!(ServoState { share, target, played, effort, firmware } but {});

/// `effort = constant − (damping + dt · stiffness) · velocity`.
#[derive(Debug, Clone, Copy, Default)]
struct ForceLaw {
    stiffness: f64,
    damping: f64,
    constant: f64,
    /// Besides, an impulse at the step's beginning.
    impulse: f64,
}

impl Servo {
    /// The servo of a joint, at rest at position zero and holding.
    pub(crate) fn new(joint: &Joint, model: &ServoModel) -> Self {
        let (limits, servo) = (&joint.limits, &joint.servo);
        let sts3215 = match model {
            ServoModel::Sts3215(spec) if joint.kind == JointKind::Revolute => {
                Some(Sts3215::new(joint, spec))
            }
            ServoModel::Sts3215(_) | ServoModel::Ideal => None,
        };
        // A motor's effort falls in a straight line and is gone at its no-load speed. Much of that,
        // often all, is in the damping that was identified on the joint.
        let line = (limits.effort - servo.friction_loss) / limits.velocity;
        let missing = line - servo.damping;
        let speed_slope = if missing > 0.05 * line { missing } else { 0.0 };
        Self {
            params: ServoParams {
                kp: servo.kp,
                kv: servo.kv,
                damping: passive_damping(joint, model),
                friction: servo.friction_loss,
                armature: servo.armature,
                half_play: servo.backlash / 2.0,
                lower: limits.lower,
                upper: limits.upper,
                effort: limits.effort,
                speed_slope,
            },
            sts3215,
            state: ServoState {
                share: 1.0,
                target: 0.0,
                played: 0.0,
                effort: 0.0,
                firmware: Firmware::default(),
            },
            law: ForceLaw::default(),
            limit: 0.0,
            gain: 1.0,
        }
    }

    /// Makes the position gain so many times its model's.
    pub(crate) fn scale_gain(&mut self, factor: f64) {
        self.gain = factor;
        if let Some(servo) = &mut self.sts3215 {
            servo.scale_gain(factor);
        }
    }

    /// Inertia of rotor and gears, seen from the joint.
    pub(crate) fn armature(&self) -> f64 {
        if self.state.firmware.apart() {
            return 0.0;
        }
        self.params.armature
    }

    /// Dry friction, lower and upper limit of the joint.
    pub(crate) fn friction_and_limits(&self) -> (f64, f64, f64) {
        let friction = if self.state.firmware.apart() {
            0.0
        } else {
            self.friction()
        };
        (friction, self.params.lower, self.params.upper)
    }

    /// Dry friction of motor and gears.
    fn friction(&self) -> f64 {
        match self.sts3215 {
            Some(_) => self.params.friction + LOAD_FRICTION * self.state.effort.abs(),
            None => self.params.friction,
        }
    }

    /// A position within the joint's limits.
    pub(crate) fn within_limits(&self, position: f64) -> f64 {
        position.clamp(self.params.lower, self.params.upper)
    }

    /// Starts anew: holds this position with all its effort.
    pub(crate) fn place(&mut self, position: f64) {
        self.hold(position);
        self.state.effort = 0.0;
        self.state.share = 1.0;
    }

    /// Makes a position, within the limits, the target.
    pub(crate) fn hold(&mut self, position: f64) {
        self.state.target = self.within_limits(position);
        self.state.played = self.state.target;
        self.state.firmware = Sts3215::switched_on(position);
    }

    /// Sets the target, within the limits, as a servo's own limits keep it.
    pub(crate) fn set_target(&mut self, target: f64) {
        self.state.target = self.within_limits(target);
    }

    /// The part of its effort that it may use.
    pub(crate) fn share(&self) -> f64 {
        self.state.share
    }

    /// Lets it use this part of its effort, 0 (limp) to 1.
    pub(crate) fn set_share(&mut self, share: f64) {
        self.state.share = share;
    }

    /// What it exerted in the last step, N·m (N).
    pub(crate) fn effort(&self) -> f64 {
        self.state.effort
    }

    /// Chooses the law of a step that begins with this position and velocity: a spring and damper
    /// while the effort is within limits, else all the effort there is. Switched off, it exerts
    /// nothing.
    pub(crate) fn drive(&mut self, on: bool, position: f64, velocity: f64, dt: f64) {
        let friction = self.friction();
        let (params, state) = (&self.params, &mut self.state);
        self.law = ForceLaw::default();
        if !on || state.share == 0.0 {
            state.firmware.let_go();
            return;
        }
        let target = state.target;
        if let Some(servo) = &self.sts3215 {
            let load = Load {
                position,
                velocity,
                armature: params.armature,
                friction,
            };
            let motor = servo.step(&mut state.firmware, &load, target, state.share, dt);
            self.limit = motor.limit;
            self.law.impulse = motor.impulse;
            let torque = motor.constant - motor.damping * velocity;
            if torque.abs() > motor.limit {
                self.law.constant = motor.limit.copysign(torque);
            } else {
                self.law.constant = motor.constant;
                self.law.damping = motor.damping;
            }
            return;
        }
        let half = params.half_play;
        state.played = between(state.played, target - half, target + half);
        let kp = params.kp * self.gain;
        let spring = kp * (state.played - position);
        let wanted = spring - params.kv * velocity;
        let effort = params.effort * state.share;
        self.limit = if wanted * velocity > 0.0 {
            (effort - params.speed_slope * velocity.abs()).max(0.0)
        } else {
            effort
        };
        if wanted.abs() > self.limit {
            self.law.constant = self.limit.copysign(wanted);
        } else {
            // A spring that a step resolves well is best taken at the step's beginning: at its end
            // it would damp by `dt · kp`, which no servo does. A stiffer one must be.
            let resolved = dt * dt * kp < RESOLVED * params.armature;
            self.law = ForceLaw {
                stiffness: if resolved { 0.0 } else { kp },
                damping: params.kv,
                constant: spring,
                impulse: 0.0,
            };
        }
    }

    /// The impulse in this step that does not depend on the velocity, N·m·s (N·s).
    pub(crate) fn constant_impulse(&self, dt: f64) -> f64 {
        dt * self.law.constant + self.law.impulse
    }

    /// What the joint's damping and this step's law add to the inertia.
    pub(crate) fn implicit_inertia(&self, dt: f64) -> f64 {
        let passive = if self.state.firmware.apart() {
            0.0
        } else {
            self.params.damping
        };
        let damping = passive + self.law.damping;
        dt * (damping + dt * self.law.stiffness)
    }

    /// Limits the effort if the step would end with more than it can exert; returns whether it did.
    pub(crate) fn saturate(&mut self, velocity: f64, dt: f64) -> bool {
        let effort = self.effort_at(velocity, dt);
        let beyond = self.law.damping > 0.0 && effort.abs() > self.limit;
        if beyond {
            self.law = ForceLaw {
                stiffness: 0.0,
                damping: 0.0,
                constant: self.limit.copysign(effort),
                impulse: self.law.impulse,
            };
        }
        beyond
    }

    /// Ends the step with this velocity: notes what it exerted.
    pub(crate) fn end_step(&mut self, velocity: f64, dt: f64) {
        self.state.effort = self.effort_at(velocity, dt);
    }

    fn effort_at(&self, velocity: f64, dt: f64) -> f64 {
        self.law.constant - velocity * (self.law.damping + dt * self.law.stiffness)
    }
}

/// Viscous damping of a joint that its servo does not account for itself: what was identified on
/// arms has the motor's own brake in it.
pub(crate) fn passive_damping(joint: &Joint, model: &ServoModel) -> f64 {
    match model {
        ServoModel::Sts3215(_) if joint.kind == JointKind::Revolute => VISCOUS,
        ServoModel::Sts3215(_) | ServoModel::Ideal => joint.servo.damping,
    }
}
