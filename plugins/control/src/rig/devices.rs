//! What a rig is connected to: from the scene, and switched while it runs.

use std::sync::Arc;

use forearm_arm::calibration::Calibration;
use forearm_protocol::control::TeleopMode;
use forearm_protocol::scene::{ArmSpec, Backend, SceneBundle};
use forearm_protocol::servo::{ArmDevices, LeaderState, Role, SerialArm};

use super::Rig;
use crate::backend::{self, Footing, Plant, Wanted};
use crate::line;
use crate::motors::{Motors, MotorsSpec, News};

impl Rig {
    /// Connects to what the scene names.
    pub(super) fn connect_as_in(
        &mut self,
        bundle: &SceneBundle,
        spec: &ArmSpec,
        plant: &Plant,
    ) -> Result<(), String> {
        let calibrations = bundle.calibrations.get(&spec.name);
        let of = |role| calibrations.and_then(|it| it.get(role)).cloned();
        let motion = match &spec.backend {
            Backend::Replay(file) => bundle.motions.get(file).map(String::as_str),
            Backend::Sim | Backend::Serial(_) => None,
        };
        self.backend = backend::connect(
            Wanted {
                arm: self.arm,
                name: &self.name,
                model: &self.model,
                world_from_base: self.world_from_base,
                backend: &spec.backend,
                calibration: of(Role::Follower),
                motion,
                on_exit: self.on_exit,
                silence_secs: self.silence_secs,
            },
            plant,
        )?;
        if let Some(leader) = &spec.leader {
            self.leader = Some(self.leader_on(leader, of(Role::Leader), plant)?);
        }
        self.devices = ArmDevices {
            backend: spec.backend.clone(),
            leader: spec.leader.clone(),
            calibrations: calibrations.cloned().unwrap_or_default(),
            motion: motion.map(ToOwned::to_owned),
        };
        Ok(())
    }

    fn leader_on(
        &self,
        serial: &SerialArm,
        calibration: Option<Calibration>,
        plant: &Plant,
    ) -> Result<Motors, String> {
        let spec = MotorsSpec {
            serial: serial.clone(),
            role: Role::Leader,
            arm: self.name.clone(),
            model: Arc::clone(&self.model),
            calibration,
            on_exit: self.on_exit,
            silence_secs: self.silence_secs,
        };
        Motors::connect(spec, plant.all_served())
    }

    /// Has something else move the arm from now on. What moves it now holds and is left; the new one
    /// begins where it is when it is there.
    ///
    /// # Errors
    /// There can be no such backend; nothing changes then.
    pub(crate) fn switch(
        &mut self,
        wanted: &Backend,
        calibration: Option<Calibration>,
        motion: Option<&str>,
        plant: &mut Plant,
        now_secs: f64,
    ) -> Result<(), String> {
        if self.begin_anew(Role::Follower, wanted.serial(), calibration.as_ref())? {
            self.hold(plant);
        } else {
            let next = backend::connect(
                Wanted {
                    arm: self.arm,
                    name: &self.name,
                    model: &self.model,
                    world_from_base: self.world_from_base,
                    backend: wanted,
                    calibration: calibration.clone(),
                    motion,
                    on_exit: self.on_exit,
                    silence_secs: self.silence_secs,
                },
                plant,
            )?;
            self.hold(plant);
            // What was left stays where it is in the picture, and the simulated arm goes on from
            // there.
            plant
                .world_mut()
                .place_arm(self.arm, &self.observation.positions);
            let mut left = std::mem::replace(&mut self.backend, next);
            if let Some(motors) = left.motors() {
                motors.close();
                line::retire(left);
            }
        }
        if self.teleoperators.script.is_playing() {
            let why = "something else moves the arm now";
            self.teleoperators.script.give_up(why);
        }
        self.devices.backend = wanted.clone();
        self.devices.calibrations.follower = calibration;
        self.devices.motion = motion.map(ToOwned::to_owned);
        self.trouble = None;
        self.ready = *wanted == Backend::Sim;
        self.switched = !self.ready;
        if self.ready {
            self.begin(plant);
        }
        self.rebase(plant, now_secs);
        Ok(())
    }

    /// A port that is open already is not opened again: its motors are set up anew. Answers whether
    /// that was so.
    fn begin_anew(
        &mut self,
        role: Role,
        serial: Option<&SerialArm>,
        calibration: Option<&Calibration>,
    ) -> Result<bool, String> {
        match (self.motors(role), serial) {
            (Some(motors), Some(serial)) if motors.port() == serial.port => {
                motors.begin_anew(serial.clone(), calibration.cloned())?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Follows this leader from now on, or none.
    ///
    /// # Errors
    /// There can be no such leader; nothing changes then.
    pub(crate) fn set_leader(
        &mut self,
        leader: Option<&SerialArm>,
        calibration: Option<Calibration>,
        plant: &Plant,
    ) -> Result<(), String> {
        if !self.begin_anew(Role::Leader, leader, calibration.as_ref())? {
            let next = match leader {
                Some(serial) => Some(self.leader_on(serial, calibration.clone(), plant)?),
                None => None,
            };
            if let Some(left) = std::mem::replace(&mut self.leader, next) {
                left.close();
                line::retire(left);
            }
        }
        self.devices.leader = leader.cloned();
        self.devices.calibrations.leader = calibration;
        self.leader_there = false;
        self.teleoperators.leader.set(None);
        Ok(())
    }

    /// Looks where the leader is.
    pub(super) fn attend_leader(&mut self, now_secs: f64, news: &mut News) {
        let Some(leader) = &mut self.leader else {
            return;
        };
        let footing = leader.attend(now_secs, news);
        let there = footing != Footing::None
            && leader.is_fresh()
            && leader.positions(&mut self.leader_positions);
        let follows = there.then_some(&self.leader_positions[..]);
        self.teleoperators.leader.set(follows);
        let is_new = there && (!self.leader_there || footing == Footing::New);
        self.leader_there = there;
        if is_new && self.mode == TeleopMode::Leader {
            self.soften();
        }
    }

    /// What is commanded next begins slowly, from the present command.
    pub(super) fn soften(&mut self) {
        self.request.copy_from_slice(&self.command);
        self.safety.reset(&self.command);
    }

    /// What it is connected to.
    pub(crate) fn devices(&self) -> &ArmDevices {
        &self.devices
    }

    /// Motors that were lent come back, with this calibration from now on if there is a new one.
    ///
    /// # Errors
    /// The calibration does not fit them.
    pub(crate) fn take_back(
        &mut self,
        role: Role,
        calibration: Option<Calibration>,
    ) -> Result<(), String> {
        if let Some(motors) = self.motors(role) {
            motors.take_back(calibration.clone())?;
        }
        if calibration.is_some() {
            *self.devices.calibrations.get_mut(role) = calibration;
        }
        Ok(())
    }

    /// Leaves real arms; waits for nothing.
    pub(crate) fn close(&mut self) {
        for role in [Role::Follower, Role::Leader] {
            if let Some(motors) = self.motors(role) {
                motors.close();
            }
        }
    }

    /// The motors of this role, if there are any.
    pub(crate) fn motors(&mut self, role: Role) -> Option<&mut Motors> {
        match role {
            Role::Follower => self.backend.motors(),
            Role::Leader => self.leader.as_mut(),
        }
    }

    /// Whether something real moves.
    pub(crate) fn is_real(&self) -> bool {
        self.backend.is_real()
    }

    /// Whether it can't be switched, since other programs drive it.
    pub(crate) fn is_served(&self, plant: &Plant) -> bool {
        plant.served(self.arm).is_some()
    }

    /// Puts the simulated arm where the real one is.
    pub(crate) fn replace_twin(&self, plant: &mut Plant) {
        if self.is_real() {
            plant
                .world_mut()
                .place_arm(self.arm, &self.observation.positions);
        }
    }

    /// Where the simulated arm is that is told the same.
    pub(super) fn twin(&self, plant: &Plant) -> Option<Vec<f64>> {
        self.is_real().then(|| {
            let mut positions = vec![0.0; self.model.dof()];
            plant.world().joint_positions(self.arm, &mut positions);
            positions
        })
    }

    pub(super) fn leader_state(&self) -> Option<Box<LeaderState>> {
        self.leader.as_ref().map(|leader| {
            Box::new(LeaderState {
                bus: leader.bus_state(),
                positions: self.leader_positions.clone(),
            })
        })
    }
}
