//! The safety chain: what every command passes before it reaches an arm, simulated or real.
//!
//! A request goes through four limiters, each decorating the one before it: position → velocity →
//! step → soft start. Each may only bring a target nearer to the last command or into the joint's
//! range, so the chain's answer is always between the last command and the (limited) request: it
//! can be slow but never wild. A request that is not a number is refused and the last command
//! holds. When something was limited, an [`Intervention`] says which joint, what was asked, what
//! is allowed and by which limit.
//!
//! Plain mathematics: time is an argument, nothing allocates after construction.

use std::fmt;
use std::sync::Arc;

use crate::model::{ArmModel, JointKind};

/// Differences smaller than this are rounding, not interventions (radians or metres).
const ROUNDING: f64 = 1e-9;
/// A tick counts as at most this long, seconds: after a pause an arm must not jump.
const MAX_TICK_SECS: f64 = 0.1;

/// How much the chain allows, on top of the model's own limits.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SafetyConfig {
    /// Highest speed of a turning joint, radians a second; the model's own limit where lower.
    pub max_velocity_radians: f64,
    /// Highest speed of a sliding joint, metres a second; the model's own limit where lower.
    pub max_velocity_metres: f64,
    /// Longest move of a turning joint in one tick, radians, however long the tick was.
    pub max_step_radians: f64,
    /// Longest move of a sliding joint in one tick, metres, however long the tick was.
    pub max_step_metres: f64,
    /// How long after a reset the speed limit rises to its full value, seconds; zero for at once.
    pub soft_start_secs: f64,
    /// The part of the full speed that is allowed right after a reset, 0 to 1.
    pub soft_start_fraction: f64,
}

impl Default for SafetyConfig {
    /// Brisk but not frightening: 3 rad/s, three fifths of what an SO-101's servos can do.
    fn default() -> Self {
        Self {
            max_velocity_radians: 3.0,
            max_velocity_metres: 0.5,
            max_step_radians: 0.1,
            max_step_metres: 0.02,
            soft_start_secs: 1.0,
            soft_start_fraction: 0.1,
        }
    }
}

/// Which limiter intervened, in the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// The request was not a number.
    NotANumber,
    /// The request was outside the joint's range.
    Position,
    /// The request was too fast.
    Velocity,
    /// The request was too far for one tick.
    Step,
    /// The arm has only just started.
    SoftStart,
}

/// What the chain changed in a request. Its `Display` is a sentence for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervention {
    /// The joint's index in the model.
    pub joint: usize,
    /// The joint's name.
    pub name: Arc<str>,
    /// Whether positions are radians or metres.
    pub kind: JointKind,
    /// What was asked, radians or metres.
    pub requested: f64,
    /// What the chain let through.
    pub allowed: f64,
    /// The first limiter that changed it.
    pub limit: Limit,
    /// The bound that was met: a position (radians, metres), a speed (a second) or a step.
    pub bound: f64,
}

/// The safety chain of one arm.
#[derive(Debug, Clone)]
pub struct SafetyChain {
    config: SafetyConfig,
    joints: Vec<JointBounds>,
    /// The last command; meaningless until `is_set`.
    last: Vec<f64>,
    is_set: bool,
    /// Time since the last reset, seconds.
    since_reset_secs: f64,
    intervention: Option<Intervention>,
}

/// What one joint may do.
#[derive(Debug, Clone)]
struct JointBounds {
    name: Arc<str>,
    kind: JointKind,
    lower: f64,
    upper: f64,
    velocity: f64,
    step: f64,
}

/// What a limiter sees.
struct Tick<'a> {
    joint: &'a JointBounds,
    /// The last command.
    last: f64,
    secs: f64,
    /// The part of the full speed that the soft start allows, 0 to 1.
    ramp: f64,
}

/// A limiter: takes a target, answers the target that it lets through and the bound it applied.
type Limiter = fn(&Tick<'_>, f64) -> (f64, f64);

/// The chain, first to last.
const CHAIN: [(Limit, Limiter); 4] = [
    (Limit::Position, limit_position),
    (Limit::Velocity, limit_velocity),
    (Limit::Step, limit_step),
    (Limit::SoftStart, limit_soft_start),
];

impl SafetyChain {
    /// A chain for this model. Until the first [`SafetyChain::reset`] it starts from the first
    /// measured position that it is given.
    #[must_use]
    pub fn new(model: &ArmModel, config: SafetyConfig) -> Self {
        let joints: Vec<_> = model
            .joints
            .iter()
            .map(|joint| {
                let (velocity, step) = match joint.kind {
                    JointKind::Revolute => (config.max_velocity_radians, config.max_step_radians),
                    JointKind::Prismatic => (config.max_velocity_metres, config.max_step_metres),
                };
                JointBounds {
                    name: joint.name.as_str().into(),
                    kind: joint.kind,
                    lower: joint.limits.lower,
                    upper: joint.limits.upper,
                    velocity: at_least_zero(velocity.min(joint.limits.velocity)),
                    step: at_least_zero(step),
                }
            })
            .collect();
        Self {
            config,
            last: model.home.clone(),
            joints,
            is_set: false,
            since_reset_secs: 0.0,
            intervention: None,
        }
    }

    /// Starts anew from where the arm is: the command becomes `present` and the soft start begins.
    ///
    /// A position that is missing or not finite leaves that joint's last command as it is.
    pub fn reset(&mut self, present: &[f64]) {
        self.last.resize(self.joints.len(), 0.0);
        for (last, present) in self.last.iter_mut().zip(present) {
            if present.is_finite() {
                *last = *present;
            }
        }
        self.is_set = true;
        self.since_reset_secs = 0.0;
        self.intervention = None;
    }

    /// The last command that left the chain, in model order.
    #[must_use]
    pub fn command(&self) -> &[f64] {
        &self.last
    }

    /// Passes a request through the chain into `out`, `dt_secs` after the last one.
    ///
    /// `requested`, `present` (measured) and `out` are in model order; a joint that is missing
    /// from `requested` holds. `present` only matters before the first reset. A time that is
    /// negative or not a number counts as zero: nothing moves. Answers the gravest intervention,
    /// if any joint was limited.
    pub fn apply(
        &mut self,
        requested: &[f64],
        present: &[f64],
        dt_secs: f64,
        out: &mut [f64],
    ) -> Option<&Intervention> {
        if !self.is_set {
            self.reset(present);
        }
        self.intervention = None;
        let secs = at_least_zero(dt_secs).min(MAX_TICK_SECS);
        self.since_reset_secs += secs;
        let ramp = self.ramp();
        let mut gravest = 0.0;
        for (index, joint) in self.joints.iter().enumerate() {
            let last = self.last[index];
            let request = requested.get(index).copied().unwrap_or(last);
            let tick = Tick {
                joint,
                last,
                secs,
                ramp,
            };
            let (allowed, limited) = tick.pass(request);
            self.last[index] = allowed;
            if let Some(out) = out.get_mut(index) {
                *out = allowed;
            }
            let Some((limit, bound)) = limited else {
                continue;
            };
            // A refusal outranks everything, then what leaves the range, then what is too fast.
            let gravity = match limit {
                Limit::NotANumber => f64::INFINITY,
                Limit::Position => 1e6 + (request - allowed).abs().min(1e6),
                _ => (request - allowed).abs(),
            };
            if gravity > gravest {
                gravest = gravity;
                self.intervention = Some(Intervention {
                    joint: index,
                    name: Arc::clone(&joint.name),
                    kind: joint.kind,
                    requested: request,
                    allowed,
                    limit,
                    bound,
                });
            }
        }
        self.intervention.as_ref()
    }

    /// The last [`SafetyChain::apply`]'s intervention.
    #[must_use]
    pub fn intervention(&self) -> Option<&Intervention> {
        self.intervention.as_ref()
    }

    /// The part of the full speed that the soft start allows now, 0 to 1.
    fn ramp(&self) -> f64 {
        let (secs, first) = (self.config.soft_start_secs, self.config.soft_start_fraction);
        if secs > 0.0 && self.since_reset_secs < secs {
            let first = at_least_zero(first).min(1.0);
            first + (1.0 - first) * (self.since_reset_secs / secs)
        } else {
            1.0
        }
    }
}

impl Tick<'_> {
    /// Passes one target through the chain: what came out, and the first limiter that changed it.
    fn pass(&self, request: f64) -> (f64, Option<(Limit, f64)>) {
        if !request.is_finite() {
            return (self.last, Some((Limit::NotANumber, f64::NAN)));
        }
        let mut target = request;
        let mut first = None;
        for (limit, limiter) in CHAIN {
            let (next, bound) = limiter(self, target);
            if first.is_none() && (next - target).abs() > ROUNDING {
                first = Some((limit, bound));
            }
            target = next;
        }
        (target, first)
    }

    /// The target, at most `reach` from the last command.
    fn within(&self, target: f64, reach: f64) -> f64 {
        target.min(self.last + reach).max(self.last - reach)
    }
}

fn limit_position(tick: &Tick<'_>, target: f64) -> (f64, f64) {
    let allowed = target.min(tick.joint.upper).max(tick.joint.lower);
    (allowed, allowed)
}

fn limit_velocity(tick: &Tick<'_>, target: f64) -> (f64, f64) {
    let velocity = tick.joint.velocity;
    (tick.within(target, velocity * tick.secs), velocity)
}

fn limit_step(tick: &Tick<'_>, target: f64) -> (f64, f64) {
    (tick.within(target, tick.joint.step), tick.joint.step)
}

fn limit_soft_start(tick: &Tick<'_>, target: f64) -> (f64, f64) {
    let velocity = tick.joint.velocity * tick.ramp;
    (tick.within(target, velocity * tick.secs), velocity)
}

/// NaN and negative numbers become zero: what makes no sense lets nothing through.
fn at_least_zero(value: f64) -> f64 {
    value.max(0.0)
}

impl fmt::Display for Intervention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.kind {
            JointKind::Revolute => "rad",
            JointKind::Prismatic => "m",
        };
        let (name, requested, allowed) = (&self.name, self.requested, self.allowed);
        write!(f, "joint `{name}`: asked for {requested:.3} {unit}, ")?;
        match self.limit {
            Limit::NotANumber => write!(f, "which is no position; holding {allowed:.3} {unit}"),
            Limit::Position => write!(f, "the nearest allowed is {:.3} {unit}", self.bound),
            Limit::Velocity => write!(
                f,
                "slowed to {allowed:.3} {unit}: at most {:.2} {unit}/s",
                self.bound
            ),
            Limit::Step => write!(
                f,
                "stopped at {allowed:.3} {unit}: at most {:.3} {unit} in one tick",
                self.bound
            ),
            Limit::SoftStart => write!(
                f,
                "slowed to {allowed:.3} {unit}: at most {:.2} {unit}/s just after the start",
                self.bound
            ),
        }
    }
}
