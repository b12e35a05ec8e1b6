//! Joint targets that a person holds by the sliders of one arm.
//!
//! The targets that the control service reports lag behind (20 updates a second) and pass through
//! its limits. While a person drags, what counts is where the sliders are; so each arm keeps its
//! own targets here from the first drag until something else takes over.

use forearm_protocol::control::{ArmIndex, ArmState, Command, Request, TeleopMode};

use crate::actions::Outbox;

/// How long the control service may take to switch to sliders, seconds.
const SWITCH_SECS: f64 = 1.0;

/// The targets of one arm's sliders; empty while nobody has dragged one.
#[derive(Debug, Default)]
pub(crate) struct SliderTargets {
    held: Option<Vec<f64>>,
    /// Until when a switch to sliders is waited for, seconds.
    switching_until: Option<f64>,
}

impl SliderTargets {
    /// Lets go: the sliders show what the control service reports.
    pub(crate) fn release(&mut self) {
        *self = Self::default();
    }

    /// Compares with the arm's latest state: lets go when the arm is no longer driven by sliders,
    /// and repeats the targets when it begins to be.
    pub(crate) fn update(
        &mut self,
        arm: ArmIndex,
        state: &ArmState,
        movable: bool,
        now_secs: f64,
        out: &mut Outbox,
    ) {
        let Some(held) = &self.held else { return };
        if !movable || held.len() != state.joints.len() {
            self.release();
        } else if state.mode == TeleopMode::Sliders {
            if self.switching_until.take().is_some() {
                out.commands.push(Command::JointTargets {
                    arm,
                    positions: held.clone(),
                });
            }
        } else if self.switching_until.is_none_or(|until| now_secs > until) {
            self.release();
        }
    }

    /// Where a joint's slider is, radians or metres.
    pub(crate) fn shown(&self, state: &ArmState, joint: usize) -> f64 {
        let held = self.held.as_ref().and_then(|held| held.get(joint).copied());
        held.unwrap_or_else(|| state.joints.get(joint).map_or(0.0, |joint| joint.target))
    }

    /// A person moved a joint's slider to `position` (radians or metres). An arm that is driven in
    /// another way is switched to sliders first.
    pub(crate) fn drag(
        &mut self,
        arm: ArmIndex,
        state: &ArmState,
        joint: usize,
        position: f64,
        now_secs: f64,
        out: &mut Outbox,
    ) {
        let held = self
            .held
            .get_or_insert_with(|| state.joints.iter().map(|joint| joint.target).collect());
        let Some(target) = held.get_mut(joint) else {
            return;
        };
        *target = position;
        if state.mode != TeleopMode::Sliders && self.switching_until.is_none() {
            self.switching_until = Some(now_secs + SWITCH_SECS);
            out.request(Request::SetMode {
                arm,
                mode: TeleopMode::Sliders,
            });
        }
        out.commands.push(Command::JointTargets {
            arm,
            positions: held.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use forearm_protocol::control::JointState;

    use super::*;
    use crate::actions::PanelAction;

    fn state(mode: TeleopMode, targets: &[f64]) -> ArmState {
        ArmState {
            backend: "sim".to_owned(),
            connected: true,
            torque: true,
            mode,
            joints: targets
                .iter()
                .map(|&target| JointState {
                    target,
                    ..JointState::default()
                })
                .collect(),
            ..ArmState::default()
        }
    }

    fn targets(out: &Outbox) -> Vec<Vec<f64>> {
        out.commands
            .iter()
            .map(|command| match command {
                Command::JointTargets { positions, .. } => positions.clone(),
                other => panic!("unexpected {other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_drag_switches_to_sliders_once_and_sends_every_joint() {
        let mut sliders = SliderTargets::default();
        let mut out = Outbox::default();
        let keyboard = state(TeleopMode::Keyboard, &[0.1, 0.2]);
        sliders.drag(0, &keyboard, 1, 0.5, 0.0, &mut out);
        sliders.drag(0, &keyboard, 0, -0.5, 0.02, &mut out);
        let switch = Request::SetMode {
            arm: 0,
            mode: TeleopMode::Sliders,
        };
        assert_eq!(out.actions, [PanelAction::Request(switch)]);
        assert_eq!(targets(&out), [vec![0.1, 0.5], vec![-0.5, 0.5]]);
    }

    #[test]
    fn targets_are_repeated_when_the_switch_is_done() {
        let mut sliders = SliderTargets::default();
        let mut out = Outbox::default();
        sliders.drag(
            0,
            &state(TeleopMode::Keyboard, &[0.0]),
            0,
            0.7,
            0.0,
            &mut out,
        );
        out.commands.clear();
        let mut switched = state(TeleopMode::Sliders, &[0.1]);
        sliders.update(0, &switched, true, 0.05, &mut out);
        sliders.update(0, &switched, true, 0.10, &mut out);
        assert_eq!(targets(&out), [vec![0.7]], "once, not again and again");
        switched.joints[0].target = 0.3;
        assert_eq!(
            sliders.shown(&switched, 0),
            0.7,
            "limits on the way don't move the slider"
        );
    }

    #[test]
    fn lets_go_when_something_else_takes_over() {
        let sliding = state(TeleopMode::Sliders, &[0.1]);
        let keyboard = state(TeleopMode::Keyboard, &[0.2]);
        let mut out = Outbox::default();
        let mut sliders = SliderTargets::default();
        sliders.drag(0, &sliding, 0, 0.7, 0.0, &mut out);
        sliders.update(0, &keyboard, true, 0.1, &mut out);
        assert_eq!(sliders.shown(&keyboard, 0), 0.2, "another mode");
        sliders.drag(0, &sliding, 0, 0.7, 1.0, &mut out);
        sliders.update(0, &sliding, false, 1.1, &mut out);
        assert_eq!(sliders.shown(&sliding, 0), 0.1, "stopped");
        sliders.drag(0, &keyboard, 0, 0.7, 2.0, &mut out);
        sliders.update(0, &keyboard, true, 2.5, &mut out);
        assert_eq!(sliders.shown(&keyboard, 0), 0.7, "still switching");
        sliders.update(0, &keyboard, true, 3.5, &mut out);
        assert_eq!(sliders.shown(&keyboard, 0), 0.2, "the switch never came");
    }
}
