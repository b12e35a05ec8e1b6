//! What a calibration and the person in front of the arm share: stage, steps, ranges.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use forearm_arm::calibration::LAST_TICK;
use forearm_hardware::bus::Sample;
use forearm_protocol::servo::{
    CalibrationJoint, CalibrationStage, CalibrationStep, CalibrationUpdate, Device,
};

use super::FULL_TURN;
use crate::motors::Motor;

/// Shared by the procedure and the loop, which are on the same thread.
#[derive(Clone)]
pub(super) struct Desk(Arc<Mutex<State>>);

struct State {
    stage: CalibrationStage,
    joints: Vec<CalibrationJoint>,
    step: Option<CalibrationStep>,
    cancelled: bool,
    lost: Option<String>,
    /// The last cycle that was looked at.
    cycle: u64,
    /// Cycles up to this one were read before the stage began.
    stale_cycle: u64,
    /// Whether ranges have begun.
    ranging: u16,
}

impl Desk {
    pub(super) fn new(motors: &[Motor]) -> Self {
        let joints = motors.iter().map(|motor| CalibrationJoint {
            name: motor.name.clone(),
            measured: motor.name != FULL_TURN,
            ..CalibrationJoint::default()
        });
        Self(Arc::new(Mutex::new(State {
            stage: CalibrationStage::Preparing,
            joints: joints.collect(),
            step: None,
            cancelled: false,
            lost: None,
            cycle: 0,
            stale_cycle: 0,
            ranging: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new stage begins.
    pub(super) fn enter(&self, stage: CalibrationStage) {
        let mut state = self.lock();
        state.stage = stage;
        state.step = None;
        // A cycle that was under way may have read before the last register was written.
        state.stale_cycle = state.cycle + 1;
    }

    /// Takes in where the arm is, and whether it is still there.
    pub(super) fn show(&self, sample: Option<&Sample>, lost: Option<&str>) {
        let mut state = self.lock();
        if let Some(why) = lost {
            state.lost.get_or_insert_with(|| why.to_owned());
        }
        let Some(sample) = sample.filter(|sample| sample.cycle != state.cycle) else {
            return;
        };
        let state = &mut *state;
        state.cycle = sample.cycle;
        for (index, joint) in state.joints.iter_mut().enumerate() {
            if sample.fresh & (1 << index) != 0 {
                joint.position = sample.positions[index];
            }
        }
        if state.stage == CalibrationStage::Ranges && sample.cycle > state.stale_cycle {
            for (index, joint) in state.joints.iter_mut().enumerate() {
                let bit = 1 << index;
                // A motor that was not heard in this cycle has a position from before its homing.
                if sample.fresh & bit == 0 {
                    continue;
                }
                if state.ranging & bit == 0 {
                    (joint.min, joint.max) = (joint.position, joint.position);
                    state.ranging |= bit;
                }
                joint.min = joint.min.min(joint.position);
                joint.max = joint.max.max(joint.position);
            }
        }
    }

    pub(super) fn step(&self, step: CalibrationStep) -> Result<(), String> {
        let mut state = self.lock();
        if step == CalibrationStep::Cancel {
            state.cancelled = true;
            return Ok(());
        }
        match state.stage {
            CalibrationStage::Middle => {}
            CalibrationStage::Ranges => {
                let still = state
                    .joints
                    .iter()
                    .filter(|it| it.measured && it.min == it.max);
                let still: Vec<_> = still.map(|it| format!("`{}`", it.name)).collect();
                if !still.is_empty() {
                    return Err(format!(
                        "{} did not move: least and greatest position are the same; move every \
                         joint through its whole range",
                        still.join(", ")
                    ));
                }
            }
            CalibrationStage::Preparing | CalibrationStage::Homing | CalibrationStage::Storing => {
                return Err("the motors are being written; wait a moment".to_owned());
            }
        }
        state.step = Some(step);
        Ok(())
    }

    /// Waits until the person goes on.
    pub(super) async fn next(&self) -> Result<(), String> {
        poll_fn(|_| {
            let mut state = self.lock();
            if let Some(why) = &state.lost {
                return Poll::Ready(Err(format!("the calibration ended: {why}")));
            }
            if state.cancelled {
                return Poll::Ready(Err("the calibration was left".to_owned()));
            }
            match state.step.take() {
                Some(_) => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// What was measured: least and greatest tick of each motor.
    pub(super) fn ranges(&self) -> Vec<(i32, i32)> {
        let state = self.lock();
        let ranges = state.joints.iter().map(|joint| {
            if joint.measured {
                let within = |tick: i32| tick.clamp(0, LAST_TICK);
                (within(joint.min), within(joint.max))
            } else {
                (0, LAST_TICK)
            }
        });
        ranges.collect()
    }

    pub(super) fn update(&self, device: Device) -> CalibrationUpdate {
        let state = self.lock();
        CalibrationUpdate {
            device,
            stage: state.stage,
            instruction: instruction(state.stage),
            joints: state.joints.clone(),
        }
    }
}

fn instruction(stage: CalibrationStage) -> String {
    match stage {
        CalibrationStage::Preparing => "The motors are being made ready.".to_owned(),
        CalibrationStage::Middle => {
            "Move the arm to the middle of its range of motion, then go on.".to_owned()
        }
        CalibrationStage::Homing => "The middle is being stored.".to_owned(),
        CalibrationStage::Ranges => format!(
            "Move all joints except `{FULL_TURN}`, one after another, through their entire ranges \
             of motion, then go on."
        ),
        CalibrationStage::Storing => "The ranges are being stored.".to_owned(),
    }
}
