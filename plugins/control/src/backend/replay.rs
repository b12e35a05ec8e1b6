//! A motion file's joint positions, over and over, as if they were measured. Nothing can be told to
//! it, and nothing moves but the picture.

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::control::NoticeLevel;
use nalgebra::Isometry3;

use super::{ArmBackend, BackendError, Footing, Moment, Observation, Plant};
use crate::motion::Motion;
use crate::teleop::{Outcome, Script, Situation, Teleoperator};

/// An arm that plays a motion.
pub struct ReplayArm {
    name: String,
    model: Arc<ArmModel>,
    world_from_base: Isometry3<f64>,
    motion: Arc<Motion>,
    script: Script,
    positions: Vec<f64>,
    velocities: Vec<f64>,
    last: Vec<f64>,
    failed: bool,
}

impl ReplayArm {
    /// Plays a motion that fits the model, from the model's home.
    #[must_use]
    pub fn new(
        name: String,
        model: Arc<ArmModel>,
        world_from_base: Isometry3<f64>,
        motion: Arc<Motion>,
    ) -> Self {
        let mut script = Script::new(&model);
        script.play(Arc::clone(&motion));
        Self {
            name,
            world_from_base,
            motion,
            script,
            positions: model.home.clone(),
            last: model.home.clone(),
            velocities: vec![0.0; model.dof()],
            failed: false,
            model,
        }
    }
}

impl ArmBackend for ReplayArm {
    fn identify(&self) -> &str {
        &self.name
    }

    fn attend(&mut self, moment: &mut Moment<'_>) -> Footing {
        if self.failed {
            return Footing::None;
        }
        self.last.copy_from_slice(&self.positions);
        let situation = Situation {
            model: &self.model,
            world_from_base: &self.world_from_base,
            now_secs: moment.now_secs,
            dt_secs: moment.dt_secs,
            positions: &self.last,
            command: &self.last,
            plant: moment.plant,
        };
        match self.script.intent(&situation, &mut self.positions) {
            Outcome::Driving => {}
            Outcome::Done => self.script.play(Arc::clone(&self.motion)),
            Outcome::Failed(why) => {
                self.failed = true;
                let text = format!("{}: the replay ended early: {why}.", self.name);
                moment.news.push((NoticeLevel::Error, text));
            }
        }
        let pairs = self.positions.iter().zip(&self.last);
        for (velocity, (now, before)) in self.velocities.iter_mut().zip(pairs) {
            *velocity = (now - before) / moment.dt_secs;
        }
        Footing::None
    }

    fn observe(&mut self, _: &mut Plant, out: &mut Observation) -> Result<(), BackendError> {
        out.positions.copy_from_slice(&self.positions);
        out.velocities.copy_from_slice(&self.velocities);
        Ok(())
    }

    fn command(
        &mut self,
        _: &mut Plant,
        _: &[f64],
        applied: &mut [f64],
    ) -> Result<(), BackendError> {
        applied.copy_from_slice(&self.positions);
        Ok(())
    }

    fn set_torque(&mut self, _: &mut Plant, on: bool) -> Result<(), BackendError> {
        if on {
            return Ok(());
        }
        Err(BackendError {
            arm: self.name.clone(),
            problem: "a replay has no motors; choose the simulated arm or a port".to_owned(),
        })
    }

    fn torque(&self, _: &Plant) -> bool {
        true
    }
}
