//! Keys step joints, as in LeRobot.js.
//!
//! Sixty times a second every held key moves its joint's goal by eight servo ticks, clamped to the
//! joint's limits; a key counts as released ten seconds after its last press. Between those
//! updates the target glides to the goal at the same speed, so that motion is even at any control
//! rate and ends where LeRobot.js's would.

use forearm_arm::units::TICKS_PER_TURN;
use forearm_arm::{ArmModel, JointKind};
use forearm_protocol::keys::{KEY_BINDINGS, KEY_TIMEOUT_SECS, STEP_TICKS, UPDATE_HZ};

use super::{Input, Outcome, Situation, Teleoperator};

/// What an update moves a sliding joint by, metres.
const STEP_METRES: f64 = 0.001;

/// The keyboard teleoperator of one arm.
#[derive(Debug, Clone)]
pub struct Keyboard {
    keys: Vec<BoundKey>,
    goals: Vec<f64>,
    steps: Vec<f64>,
    /// Time since the last update, seconds.
    since_update_secs: f64,
}

/// A key that moves a joint of this arm.
#[derive(Debug, Clone, Copy)]
struct BoundKey {
    binding: usize,
    joint: usize,
    /// When it was pressed last, if it is held.
    pressed_at_secs: Option<f64>,
}

impl Keyboard {
    /// The key map for the joints that this arm has.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        let keys = KEY_BINDINGS
            .iter()
            .enumerate()
            .filter_map(|(binding, key)| {
                let joint = model.joint_index(key.joint)?;
                Some(BoundKey {
                    binding,
                    joint,
                    pressed_at_secs: None,
                })
            })
            .collect();
        let steps = model
            .joints
            .iter()
            .map(|joint| match joint.kind {
                JointKind::Revolute => STEP_TICKS * std::f64::consts::TAU / TICKS_PER_TURN,
                JointKind::Prismatic => STEP_METRES,
            })
            .collect();
        Self {
            keys,
            goals: model.home.clone(),
            steps,
            since_update_secs: 0.0,
        }
    }

    /// Moves the goals of held keys' joints by a step.
    fn update(&mut self, model: &ArmModel, now_secs: f64) {
        for key in &mut self.keys {
            match key.pressed_at_secs {
                None => {}
                Some(pressed) if now_secs - pressed > KEY_TIMEOUT_SECS => {
                    key.pressed_at_secs = None;
                }
                Some(_) => {
                    let direction = f64::from(KEY_BINDINGS[key.binding].direction);
                    let limits = model.joints[key.joint].limits;
                    let goal = self.goals[key.joint] + direction * self.steps[key.joint];
                    self.goals[key.joint] = goal.min(limits.upper).max(limits.lower);
                }
            }
        }
    }
}

impl Teleoperator for Keyboard {
    fn engage(&mut self, situation: &Situation<'_>) {
        self.release();
        self.goals.copy_from_slice(situation.command);
    }

    fn rebase(&mut self, situation: &Situation<'_>) {
        self.goals.copy_from_slice(situation.command);
    }

    fn input(&mut self, input: &Input<'_>, situation: &Situation<'_>) {
        let Input::Key(key, pressed) = *input else {
            return;
        };
        let all_up = self.keys.iter().all(|key| key.pressed_at_secs.is_none());
        for bound in &mut self.keys {
            if KEY_BINDINGS[bound.binding].key == key {
                bound.pressed_at_secs = pressed.then_some(situation.now_secs);
                if pressed && all_up {
                    // The first step comes with the next tick: a tap shorter than an update moves.
                    self.since_update_secs = 1.0 / UPDATE_HZ;
                }
            }
        }
    }

    fn release(&mut self) {
        for key in &mut self.keys {
            key.pressed_at_secs = None;
        }
    }

    fn intent(&mut self, situation: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        // A loop slower than the updates makes several at once, up to a tenth of a second's.
        self.since_update_secs = (self.since_update_secs + situation.dt_secs).min(0.1);
        // The margin absorbs rounding where ticks and updates coincide.
        while self.since_update_secs + 1e-9 >= 1.0 / UPDATE_HZ {
            self.since_update_secs -= 1.0 / UPDATE_HZ;
            self.update(situation.model, situation.now_secs);
        }
        for ((target, goal), step) in targets.iter_mut().zip(&self.goals).zip(&self.steps) {
            let reach = step * UPDATE_HZ * situation.dt_secs;
            *target = goal.min(*target + reach).max(*target - reach);
        }
        Outcome::Driving
    }
}
