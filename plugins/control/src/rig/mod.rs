//! One arm under control: its backend, its teleoperators, its safety chain, and what is between.

mod devices;

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_arm::safety::{Intervention, SafetyChain};
use forearm_protocol::control::{ArmState, JointState, TeleopMode};
use forearm_protocol::scene::{ArmSpec, SceneBundle};
use forearm_protocol::servo::ArmDevices;
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use crate::backend::{ArmBackend, BackendError, Footing, Moment, Observation, Plant, SimArm};
use crate::config::{ArmResume, ControlConfig, OnExit};
use crate::motion::Motion;
use crate::motors::{Motors, News};
use crate::teleop::{Input, Outcome, Situation, Teleoperator, Teleoperators};

/// An arm of the scene and all that drives it.
pub(crate) struct Rig {
    pub(crate) name: String,
    /// Which arm of the scene.
    arm: usize,
    pub(crate) model: Arc<ArmModel>,
    pub(crate) teleoperators: Teleoperators,
    mode: TeleopMode,
    world_from_base: Isometry3<f64>,
    backend: Box<dyn ArmBackend>,
    /// Whether the backend does what it is told.
    ready: bool,
    /// Whether it was switched while it runs: what a person holds goes on to count.
    switched: bool,
    /// What it is connected to.
    devices: ArmDevices,
    /// The arm that is followed, if there is one, where it is as this one's positions, and whether it
    /// is there.
    leader: Option<Motors>,
    leader_positions: Vec<f64>,
    leader_there: bool,
    /// What becomes of real arms that are left.
    on_exit: OnExit,
    /// How long the loop may be silent, seconds, before real arms hold.
    silence_secs: f64,
    safety: SafetyChain,
    observation: Observation,
    /// What the teleoperator wants, then what the safety chain let through, then what the backend
    /// applied; one a joint.
    request: Vec<f64>,
    command: Vec<f64>,
    applied: Vec<f64>,
    /// The chain's last intervention since the last [`Rig::take_state`].
    limited: Option<Intervention>,
    /// Why the backend does not answer, while it doesn't.
    trouble: Option<BackendError>,
}

impl Rig {
    /// An arm of the scene, in the plant that it is simulated in; not yet read.
    ///
    /// # Errors
    /// It can't be moved by what the scene says.
    pub(crate) fn new(
        bundle: &SceneBundle,
        spec: &ArmSpec,
        model: Arc<ArmModel>,
        arm: usize,
        config: &ControlConfig,
        plant: &Plant,
    ) -> Result<Self, String> {
        let yaw = spec.yaw_degrees.to_radians();
        let joints = model.dof();
        let mut observation = Observation::zeros(joints);
        // A real arm that is not there yet is drawn somewhere.
        observation.positions.copy_from_slice(&model.home);
        let mut rig = Self {
            name: spec.name.clone(),
            arm,
            teleoperators: Teleoperators::new(&model),
            // Whoever names a leader wants it to be followed.
            mode: match spec.leader {
                Some(_) => TeleopMode::Leader,
                None => TeleopMode::default(),
            },
            world_from_base: Isometry3::from_parts(
                Translation3::from(Vector3::from(spec.position)),
                UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw),
            ),
            backend: Box::new(SimArm::new(arm)),
            ready: false,
            switched: false,
            devices: ArmDevices::default(),
            leader: None,
            leader_positions: vec![0.0; joints],
            leader_there: false,
            on_exit: config.on_exit,
            silence_secs: config.watchdog_secs,
            safety: SafetyChain::new(&model, config.safety),
            observation,
            request: vec![0.0; joints],
            command: vec![0.0; joints],
            applied: vec![0.0; joints],
            limited: None,
            trouble: None,
            model,
        };
        rig.connect_as_in(bundle, spec, plant)?;
        Ok(rig)
    }

    /// Goes on with what takes its time: connections, set-ups. First in each tick.
    pub(crate) fn attend(
        &mut self,
        plant: &mut Plant,
        active: bool,
        now_secs: f64,
        dt_secs: f64,
        news: &mut News,
    ) {
        let footing = self.backend.attend(&mut Moment {
            plant,
            now_secs,
            dt_secs,
            active,
            news,
        });
        self.attend_leader(now_secs, news);
        self.ready = footing != Footing::None;
        match footing {
            Footing::Firm | Footing::None => {}
            Footing::New => {
                // Whatever was commanded before is forgotten.
                self.begin(plant);
                if std::mem::take(&mut self.switched) {
                    self.rebase(plant, now_secs);
                } else {
                    self.engage(plant, now_secs);
                }
            }
            Footing::Settle(joints) => {
                self.observe(plant);
                for joint in (0..self.model.dof()).filter(|joint| joints & (1 << joint) != 0) {
                    self.command[joint] = self.observation.positions[joint];
                }
                self.safety.reset(&self.command);
                self.engage(plant, now_secs);
            }
        }
    }

    /// Reads the arm. A reading that fails leaves the last one in place and is reported once.
    pub(crate) fn observe(&mut self, plant: &mut Plant) -> Option<String> {
        let result = self.backend.observe(plant, &mut self.observation);
        self.note(result)
    }

    /// Holds the arm where it is, at once: what it is told next begins there, softly.
    ///
    /// A gripper that holds something is farther closed than it can be; it keeps its target, or
    /// it would let go.
    pub(crate) fn hold(&mut self, plant: &mut Plant) -> Option<String> {
        let seen = self.observe(plant);
        let torque = self.backend.torque(plant);
        for (joint, hold) in self.request.iter_mut().enumerate() {
            let gripping = torque && self.model.gripper == Some(joint);
            *hold = if gripping {
                self.command[joint]
            } else {
                self.observation.positions[joint]
            };
        }
        self.safety.reset(&self.request);
        self.command.copy_from_slice(&self.request);
        let result = self
            .backend
            .command(plant, &self.command, &mut self.applied);
        self.note(result).or(seen)
    }

    /// Like [`Rig::hold`], for an arm of which nothing is known yet: the gripper too.
    pub(crate) fn begin(&mut self, plant: &mut Plant) -> Option<String> {
        let seen = self.observe(plant);
        self.command.copy_from_slice(&self.observation.positions);
        self.hold(plant).or(seen)
    }

    /// Goes on where an earlier start of the service left the arm: holds there, in its mode. A
    /// gripper that held something keeps its grip.
    pub(crate) fn resume(&mut self, left: &ArmResume, plant: &mut Plant) -> Option<String> {
        self.mode = match left.mode {
            // The motion ended with the service that played it.
            TeleopMode::Script => TeleopMode::Keyboard,
            mode => mode,
        };
        let seen = self.observe(plant);
        self.command.copy_from_slice(&self.observation.positions);
        if let Some(gripper) = self.model.gripper
            && let Some(target) = left.targets.get(gripper)
        {
            self.command[gripper] = *target;
        }
        let held = self.hold(plant).or(seen);
        match self.backend.set_torque(plant, left.torque) {
            Ok(()) => held,
            Err(error) => self.note(Err(error)).or(held),
        }
    }

    /// Switches torque; on begins where the arm is.
    pub(crate) fn set_torque(&mut self, plant: &mut Plant, on: bool) -> Result<(), BackendError> {
        if on && !self.backend.torque(plant) {
            self.begin(plant);
        }
        self.backend.set_torque(plant, on)
    }

    /// Chooses how it is driven.
    pub(crate) fn set_mode(&mut self, mode: TeleopMode, plant: &Plant, now_secs: f64) {
        if self.mode != mode {
            self.mode = mode;
            self.engage(plant, now_secs);
            if mode == TeleopMode::Leader {
                // The leader may stand anywhere.
                self.soften();
            }
        }
    }

    /// Plays a motion from its beginning.
    pub(crate) fn play(&mut self, motion: Arc<Motion>, plant: &Plant, now_secs: f64) {
        self.teleoperators.script.play(motion);
        self.mode = TeleopMode::Script;
        self.engage(plant, now_secs);
    }

    /// The teleoperator takes over where the arm's command is.
    pub(crate) fn engage(&mut self, plant: &Plant, now_secs: f64) {
        self.take_over(plant, now_secs, |teleoperator, situation| {
            teleoperator.engage(situation);
        });
    }

    /// The same, and what a person holds stays held.
    fn rebase(&mut self, plant: &Plant, now_secs: f64) {
        self.take_over(plant, now_secs, |teleoperator, situation| {
            teleoperator.rebase(situation);
        });
    }

    fn take_over(
        &mut self,
        plant: &Plant,
        now_secs: f64,
        begin: impl FnOnce(&mut dyn Teleoperator, &Situation<'_>),
    ) {
        self.request.copy_from_slice(&self.command);
        let situation = Situation {
            model: &self.model,
            world_from_base: &self.world_from_base,
            now_secs,
            dt_secs: 0.0,
            positions: &self.observation.positions,
            command: &self.command,
            plant,
        };
        begin(self.teleoperators.get(self.mode), &situation);
    }

    /// Takes what a person did; answers whether that ended a motion.
    pub(crate) fn input(&mut self, input: &Input<'_>, plant: &Plant, now_secs: f64) -> bool {
        let mut interrupted = false;
        if let Some(mode) = input.wanted_mode(self.mode) {
            interrupted = mode != TeleopMode::Script && self.teleoperators.script.is_playing();
            if interrupted {
                self.teleoperators.script.give_up("a person took over");
            }
            self.set_mode(mode, plant, now_secs);
        }
        let situation = Situation {
            model: &self.model,
            world_from_base: &self.world_from_base,
            now_secs,
            dt_secs: 0.0,
            positions: &self.observation.positions,
            command: &self.command,
            plant,
        };
        self.teleoperators.get(self.mode).input(input, &situation);
        interrupted
    }

    /// All keys and sticks count as released.
    pub(crate) fn release(&mut self) {
        self.teleoperators.get(self.mode).release();
    }

    /// One tick, after [`Rig::observe`]: intent, safety chain, write. Without `driving` it holds.
    pub(crate) fn drive(
        &mut self,
        plant: &mut Plant,
        driving: bool,
        now_secs: f64,
        dt_secs: f64,
    ) -> (Outcome, Option<String>) {
        if !self.ready || !self.backend.torque(plant) {
            // It sags, or goes its own way; whatever comes next begins where it is.
            self.request.copy_from_slice(&self.observation.positions);
            self.command.copy_from_slice(&self.observation.positions);
            self.applied.copy_from_slice(&self.observation.positions);
            self.backend.led(plant, &mut self.applied);
            self.safety.reset(&self.observation.positions);
            return (Outcome::Driving, None);
        }
        let mut outcome = Outcome::Driving;
        if driving {
            let situation = Situation {
                model: &self.model,
                world_from_base: &self.world_from_base,
                now_secs,
                dt_secs,
                positions: &self.observation.positions,
                command: &self.command,
                plant,
            };
            let teleoperator = self.teleoperators.get(self.mode);
            outcome = teleoperator.intent(&situation, &mut self.request);
        }
        let positions = &self.observation.positions;
        if let Some(intervention) =
            self.safety
                .apply(&self.request, positions, dt_secs, &mut self.command)
        {
            self.limited = Some(intervention.clone());
        }
        let result = self
            .backend
            .command(plant, &self.command, &mut self.applied);
        (outcome, self.note(result))
    }

    /// Measured positions, model order, radians (metres).
    pub(crate) fn positions(&self) -> &[f64] {
        &self.observation.positions
    }

    /// Targets as the backend took them, model order, radians (metres).
    pub(crate) fn targets(&self) -> &[f64] {
        &self.applied
    }

    /// The state for people and panels.
    pub(crate) fn take_state(&mut self, plant: &Plant) -> ArmState {
        let Observation {
            positions,
            velocities,
            efforts,
        } = &self.observation;
        let joints = (0..self.model.dof())
            .map(|joint| JointState {
                position: positions[joint],
                velocity: velocities[joint],
                target: self.applied[joint],
                effort: efforts[joint],
            })
            .collect();
        ArmState {
            backend: self.backend.identify().to_owned(),
            connected: self.trouble.is_none() && self.backend.is_connected(),
            torque: self.backend.torque(plant),
            mode: self.mode,
            joints,
            bus: self.backend.bus_state().map(Box::new),
            leader: self.leader_state(),
            twin: self.twin(plant),
            limited: self
                .limited
                .take()
                .map(|intervention| intervention.to_string()),
        }
    }

    /// Remembers whether the backend answers; tells a person when that changes for the worse.
    fn note(&mut self, result: Result<(), BackendError>) -> Option<String> {
        let error = result.err();
        let news = error
            .as_ref()
            .filter(|_| self.trouble.is_none())
            .map(ToString::to_string);
        self.trouble = error;
        news.map(|problem| format!("arm `{}`: {problem}", self.name))
    }
}
