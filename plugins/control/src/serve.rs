//! Served arms: simulated arms whose servos other programs (or another arm of the same scene) drive
//! over a servo bus, as if they were real.
//!
//! The bus belongs to virtual servos (`forearm_hardware::emulator`); this couples their shafts to an
//! arm of the simulated world, once a tick. While none of its torque registers is on, an arm is moved
//! by its teleoperator, as by a hand, or sags while the service does not drive: that is how a leader
//! is moved.
//!
//! In memory ([`ServedAt::Memory`]) the bytes travel in the loop's own time, so that whole runs are
//! the same every time.

#[cfg(not(target_family = "wasm"))]
mod pty;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forearm_arm::ArmModel;
use forearm_arm::calibration::{Calibration, HALF_TURN, LAST_TICK, MotorCalibration};
use forearm_arm::units::ticks_from_radians;
use forearm_hardware::emulator::{
    ChainConfig, Faults, Knob, MAX_SERVOS, PlantCommand, PlantSample, ServoChain, ServoConfig, Wire,
};
use forearm_protocol::control::ArmIndex;
use forearm_protocol::servo::{Incident, ServedCounts, ServedFaults};
use forearm_sim::World;
use serde::{Deserialize, Serialize};

/// An arm of the scene whose servos are served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServedArm {
    /// Which arm of the scene.
    pub arm: ArmIndex,
    /// Where.
    pub at: ServedAt,
    /// Encoder ticks at 0 rad (0 m), one a joint: how the horns happen to sit. Joints left out have
    /// the middle, 2048.
    pub mount_ticks: Vec<f64>,
    /// What the motors store; nothing if they are new.
    pub calibration: Option<Calibration>,
    /// The bus' time.
    pub wire: ServedWire,
    /// What goes wrong.
    pub faults: ServedFaults,
    /// Decides what goes wrong when.
    pub seed: u64,
    /// The supply, volts.
    pub volts: f64,
    /// What happens to it and when, seconds since the service started, in order of time.
    pub incidents: Vec<(f64, Incident)>,
}

/// Where an arm is served.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ServedAt {
    /// To arms of the same scene, by the port [`EMULATED`](crate::EMULATED) and its name.
    #[default]
    Memory,
    /// To programs, on a pseudo-terminal; with a link to it at this path, if one is given.
    Pty(Option<String>),
}

/// How long saying something takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServedWire {
    /// From a reply's last bit to the program that reads it, seconds: the USB adapter.
    pub latency_secs: f64,
    /// From a request's end to the reply, or from a motor's reply to the next one's, beside what the
    /// motors' `Return_Delay_Time` says, seconds.
    pub turnaround_secs: f64,
    /// Whether bytes take the time that the baud rate says.
    pub takes_time: bool,
}

impl Default for ServedWire {
    /// A USB adapter as it is.
    fn default() -> Self {
        let wire = Wire::default();
        Self {
            latency_secs: wire.from_bus_secs,
            turnaround_secs: wire.turnaround_secs,
            takes_time: wire.takes_time,
        }
    }
}

impl ServedArm {
    /// New motors of this arm, served without faults.
    #[must_use]
    pub fn new(arm: ArmIndex, at: ServedAt) -> Self {
        Self {
            arm,
            at,
            mount_ticks: Vec::new(),
            calibration: None,
            wire: ServedWire::default(),
            faults: ServedFaults::default(),
            seed: 1,
            volts: 7.4,
            incidents: Vec::new(),
        }
    }

    /// The calibration that these motors should have: by it, ticks are the model's own angles.
    #[must_use]
    pub fn right_calibration(&self, model: &ArmModel) -> Calibration {
        let joints = model.joints.iter().enumerate().zip(1_u8..);
        let motors = joints.map(|((index, joint), id)| {
            let homing_offset = libm::round(self.mount(index)) as i32 - HALF_TURN;
            let tick = |position: f64| {
                let ticks = ticks_from_radians(position, f64::from(HALF_TURN));
                (libm::round(ticks) as i32).clamp(0, LAST_TICK)
            };
            let limits = joint.limits;
            let (low, high) = if model.gripper == Some(index) {
                (limits.lower, limits.upper)
            } else {
                // A body joint's zero is the middle of its range.
                let reach = limits.lower.abs().max(limits.upper.abs());
                (-reach, reach)
            };
            let calibration = MotorCalibration {
                id,
                drive_mode: 0,
                homing_offset,
                range_min: tick(low),
                range_max: tick(high),
            };
            (joint.name.clone(), calibration)
        });
        Calibration {
            motors: motors.collect(),
        }
    }

    fn mount(&self, joint: usize) -> f64 {
        let middle = ServoConfig::default().mount_ticks;
        self.mount_ticks.get(joint).copied().unwrap_or(middle)
    }

    fn chain(&self, model: &ArmModel) -> ServoChain {
        let joints = model.joints.iter().enumerate().zip(1_u8..);
        let servos = joints.map(|((index, joint), id)| {
            let stored = self.calibration.as_ref();
            let stored = stored.and_then(|it| it.motor(&joint.name).ok());
            let new = ServoConfig::default();
            let limit = |tick: i32| u16::try_from(tick.clamp(0, LAST_TICK)).unwrap_or(0);
            ServoConfig {
                id: stored.map_or(id, |it| it.id),
                mount_ticks: self.mount(index),
                stall_torque: joint.limits.effort,
                homing_offset: stored.map_or(new.homing_offset, |it| it.homing_offset),
                position_limits: stored.map_or(new.position_limits, |it| {
                    (limit(it.range_min), limit(it.range_max))
                }),
                ..new
            }
        });
        ServoChain::new(&ChainConfig {
            servos: servos.collect(),
            wire: Wire {
                from_bus_secs: self.wire.latency_secs,
                turnaround_secs: self.wire.turnaround_secs,
                takes_time: self.wire.takes_time,
                ..Wire::default()
            },
            faults: faults(self.faults),
            seed: self.seed,
            volts: self.volts,
        })
    }
}

fn faults(it: ServedFaults) -> Faults {
    Faults {
        drop_replies: it.drop,
        corrupt_replies: it.corrupt,
        delay_replies: it.delay,
        delay_secs: it.delay_secs,
        wrong_ids: it.wrong_id,
        drop_requests: it.drop_requests,
        echo: it.echo,
    }
}

/// A chain in memory and whether its plug is in; shared by its server and its lines, which all run on
/// the loop's thread.
#[derive(Clone)]
pub(crate) struct MemoryWire(Arc<Mutex<Plugged>>);

/// What is at the end of a wire in memory.
pub(crate) struct Plugged {
    pub(crate) chain: ServoChain,
    pub(crate) plugged: bool,
}

impl MemoryWire {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Plugged> {
        // Whoever panicked left a chain that works.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An arm being served.
pub(crate) struct Served {
    name: String,
    arm: ArmIndex,
    joints: usize,
    outlet: Outlet,
    /// What the servos want, since the last [`Served::exchange`].
    command: PlantCommand,
    /// Whether a hand holds the arm while no servo does.
    hand: bool,
    incidents: Vec<(f64, Incident)>,
    /// Joint values on their way.
    values: Vec<f64>,
}

enum Outlet {
    Memory(MemoryWire),
    #[cfg(not(target_family = "wasm"))]
    Pty(Box<pty::Outlet>),
}

impl Served {
    /// Serves an arm of the world, which has this name and model.
    ///
    /// # Errors
    /// It can't be served: why, and what to do.
    pub(crate) fn open(spec: &ServedArm, name: &str, model: &ArmModel) -> Result<Self, String> {
        let joints = model.joints.len();
        if joints > MAX_SERVOS {
            return Err(format!(
                "arm `{name}` has {joints} joints; a servo bus takes at most {MAX_SERVOS}"
            ));
        }
        let chain = spec.chain(model);
        let outlet = match &spec.at {
            ServedAt::Memory => Outlet::Memory(MemoryWire(Arc::new(Mutex::new(Plugged {
                chain,
                plugged: true,
            })))),
            #[cfg(not(target_family = "wasm"))]
            ServedAt::Pty(link) => {
                Outlet::Pty(Box::new(pty::Outlet::open(name, link.as_deref(), chain)?))
            }
            #[cfg(target_family = "wasm")]
            ServedAt::Pty(_) => {
                return Err(format!(
                    "arm `{name}` can't be served here: a browser has no pseudo-terminals"
                ));
            }
        };
        let mut incidents = spec.incidents.clone();
        incidents.sort_by(|a, b| b.0.total_cmp(&a.0));
        Ok(Self {
            name: name.to_owned(),
            arm: spec.arm,
            joints,
            outlet,
            command: PlantCommand::default(),
            hand: true,
            incidents,
            values: vec![0.0; joints],
        })
    }

    /// The arm's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Which arm of the scene.
    pub(crate) fn arm(&self) -> ArmIndex {
        self.arm
    }

    /// Where it is served, for people.
    pub(crate) fn place(&self) -> String {
        match &self.outlet {
            Outlet::Memory(_) => format!("{}{}", crate::line::EMULATED, self.name),
            #[cfg(not(target_family = "wasm"))]
            Outlet::Pty(pty) => pty.place().to_owned(),
        }
    }

    /// The wire, if it is served in memory.
    pub(crate) fn wire(&self) -> Option<MemoryWire> {
        match &self.outlet {
            Outlet::Memory(wire) => Some(wire.clone()),
            #[cfg(not(target_family = "wasm"))]
            Outlet::Pty(_) => None,
        }
    }

    /// What the servos want.
    pub(crate) fn command(&self) -> &PlantCommand {
        &self.command
    }

    /// A hand holds the arm while no servo does, or lets it go.
    pub(crate) fn set_hand(&mut self, holds: bool) {
        self.hand = holds;
    }

    /// Tells the servos where the arm is, and the arm where its servos drive it. Times don't go back.
    pub(crate) fn exchange(&mut self, world: &mut World, now_secs: f64) {
        while let Some((_, incident)) = self.incidents.pop_if(|(at, _)| *at <= now_secs) {
            self.befall(incident);
        }
        let mut sample = PlantSample::default();
        let Self { arm, values, .. } = self;
        world.joint_positions(*arm, values);
        sample.positions[..values.len()].copy_from_slice(values);
        world.joint_velocities(*arm, values);
        sample.velocities[..values.len()].copy_from_slice(values);
        world.joint_efforts(*arm, values);
        sample.efforts[..values.len()].copy_from_slice(values);
        self.command = match &mut self.outlet {
            Outlet::Memory(wire) => wire.lock().chain.advance(now_secs, &sample),
            #[cfg(not(target_family = "wasm"))]
            Outlet::Pty(pty) => pty.exchange(&sample),
        };
        if self.command.torque == 0 {
            world.set_torque(self.arm, self.hand);
            return;
        }
        for joint in 0..self.joints {
            let fraction = self.command.fractions[joint];
            let share = if self.command.drives(joint) {
                fraction
            } else {
                0.0
            };
            world.set_joint_torque(self.arm, joint, share);
        }
        world.set_targets(self.arm, &self.command.targets[..self.joints]);
    }

    /// Something happens to it, now.
    pub(crate) fn befall(&mut self, incident: Incident) {
        let knob = match incident {
            Incident::Unplug | Incident::Replug => {
                let plugged = incident == Incident::Replug;
                match &mut self.outlet {
                    Outlet::Memory(wire) => {
                        let mut wire = wire.lock();
                        wire.plugged = plugged;
                        wire.chain.unplug();
                    }
                    #[cfg(not(target_family = "wasm"))]
                    Outlet::Pty(pty) => pty.plug(plugged),
                }
                return;
            }
            Incident::Power(on) => Knob::Power(on),
            Incident::Overload(joint) => Knob::Overload(joint),
            Incident::Temperature(joint, celsius) => Knob::Temperature(joint, celsius),
            Incident::Faults(faults) => Knob::Faults(self::faults(faults)),
            Incident::Attach(only) => {
                for joint in 0..self.joints {
                    let attached = only.is_none_or(|only| only == joint);
                    self.turn(Knob::Attached(joint, attached));
                }
                return;
            }
        };
        self.turn(knob);
    }

    /// What was made to go wrong so far.
    pub(crate) fn counts(&self) -> ServedCounts {
        let injected = match &self.outlet {
            Outlet::Memory(wire) => wire.lock().chain.injected(),
            #[cfg(not(target_family = "wasm"))]
            Outlet::Pty(pty) => pty.injected(),
        };
        ServedCounts {
            arm: self.arm,
            replies: injected.replies,
            dropped: injected.dropped_replies,
            corrupted: injected.corrupted_replies,
            delayed: injected.delayed_replies,
            wrong_ids: injected.wrong_ids,
        }
    }

    fn turn(&self, knob: Knob) {
        match &self.outlet {
            Outlet::Memory(wire) => wire.lock().chain.turn(knob),
            #[cfg(not(target_family = "wasm"))]
            Outlet::Pty(pty) => pty.turn(knob),
        }
    }
}
