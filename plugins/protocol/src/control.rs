//! What the control service is asked ([`Request`] → [`Reply`]), told ([`Command`], no answer) and
//! tells ([`Event`]).

use std::sync::Arc;

use forearm_arm::calibration::Calibration;
use serde::{Deserialize, Serialize};

use crate::Pose;
use crate::envelope::Message;
use crate::keys::Key;
use crate::scene::{Backend, SceneBundle};
use crate::servo::{
    ArmDevices, BusState, CalibrationStep, CalibrationUpdate, Device, Incident, LeaderState,
    MotorRequest, PortInfo, SerialArm, ServedCounts,
};

/// Index of an arm in the scene, in the order of [`Scene::arms`](crate::scene::Scene::arms).
pub type ArmIndex = usize;

/// How a person (or a file) drives an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum TeleopMode {
    /// Keys step joints, as in LeRobot.js.
    #[default]
    Keyboard,
    /// Sliders set joint targets.
    Sliders,
    /// Sticks move the tool in Cartesian space.
    GamepadCartesian,
    /// Sticks turn joints.
    GamepadJoint,
    /// The tool follows a dragged frame through inverse kinematics.
    Gizmo,
    /// A motion file plays.
    Script,
    /// The leader arm is followed.
    Leader,
}

/// Asked of the control service; each gets exactly one [`Reply`] or error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Load this scene in place of the present one, objects at their places, arms at home.
    LoadScene(Arc<SceneBundle>),
    /// Put objects and simulated arms back where the scene has them.
    ResetScene,
    /// Start to drive arms (soft start: every target begins where its arm is).
    Start,
    /// Stop driving: hold the present position.
    Stop,
    /// Switch an arm's torque. Off lets it sag; on starts at its present position.
    SetTorque {
        /// Which arm.
        arm: ArmIndex,
        /// On or off.
        on: bool,
    },
    /// Choose how an arm is driven.
    SetMode {
        /// Which arm.
        arm: ArmIndex,
        /// How.
        mode: TeleopMode,
    },
    /// Play this motion from its beginning (the text of a motion file, RON).
    PlayScript {
        /// Which arm.
        arm: ArmIndex,
        /// The file's text.
        text: String,
    },
    /// Have something else move the arm, from now on: it holds, the new one is connected to, and goes
    /// on softly from where that one is. Answered when it is being connected to;
    /// [`ArmState::bus`] tells how that goes.
    SetBackend {
        /// Which arm.
        arm: ArmIndex,
        /// What moves it.
        backend: Backend,
        /// The calibration of servos, if there is one.
        calibration: Option<Calibration>,
        /// The text of the motion file of [`Backend::Replay`].
        motion: Option<String>,
    },
    /// Connect to a leader arm, or leave the present one.
    SetLeader {
        /// Which arm follows it.
        arm: ArmIndex,
        /// The leader.
        leader: Option<SerialArm>,
        /// Its calibration, if there is one.
        calibration: Option<Calibration>,
    },
    /// Use this calibration and write it into the motors.
    SetCalibration {
        /// Whose.
        device: Device,
        /// The calibration.
        calibration: Calibration,
    },
    /// Begin a guided calibration: [`Event::Calibration`] tells how it goes.
    Calibrate(Device),
    /// Go on with the guided calibration, or leave it.
    CalibrationStep(CalibrationStep),
    /// Read or write a motor's register: [`Reply::Register`].
    Motor {
        /// Whose motor.
        device: Device,
        /// What to do.
        request: MotorRequest,
    },
    /// Which serial ports there are: [`Reply::Ports`].
    ListPorts,
    /// Something happens to a simulated arm that is served to other programs.
    Incident {
        /// Which arm.
        arm: ArmIndex,
        /// What.
        incident: Incident,
    },
    /// After [`Command::EStop`]: allow motion again (torque stays as it is; soft start).
    ClearEStop,
    /// Tell what a run has come to: [`Reply::Inspection`].
    Inspect,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Done.
    Done,
    /// To [`Request::Inspect`].
    Inspection(Box<Inspection>),
    /// To [`Request::Motor`]: the register's value, after a write as it was read back.
    Register(i32),
    /// To [`Request::ListPorts`].
    Ports(Vec<PortInfo>),
}

/// What a run has come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// [`StateUpdate::scene_generation`] of what follows.
    pub scene_generation: u64,
    /// Control ticks since the scene was loaded.
    pub ticks: u64,
    /// Steps of the simulation since the scene was loaded.
    pub steps: u64,
    /// Simulated time, seconds.
    pub simulated_secs: f64,
    /// A hash of all positions and velocities of the simulation, 64 hexadecimal digits: equal for
    /// equal runs, on any machine.
    pub state_hash: String,
    /// How time was kept since the last [`Request::Start`].
    pub timing: LoopTiming,
    /// Simulated physics: mean time of a step since the scene was loaded, seconds.
    pub physics_step_secs: f64,
    /// Which object lies in which tray, by their names.
    pub in_tray: Vec<(String, String)>,
    /// One a scene's arm: how its motion stands.
    pub scripts: Vec<ScriptState>,
    /// One a scene's arm: how far it was, following a recording, from where it was in the recording;
    /// one a joint of the recording.
    pub tracks: Vec<Vec<TrackError>>,
    /// What was made to go wrong on arms that are served to other programs.
    pub served: Vec<ServedCounts>,
}

/// How far a joint that follows a recording was from where it was in the recording, radians (metres).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackError {
    /// Which joint of the model.
    pub joint: usize,
    /// Root mean square.
    pub rms: f64,
    /// Greatest.
    pub max: f64,
}

/// How a motion stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ScriptState {
    /// None was asked for.
    #[default]
    Idle,
    /// It plays, or waits for [`Request::Start`].
    Playing {
        /// The step that plays, from 0.
        step: usize,
        /// The number of steps.
        steps: usize,
    },
    /// It has ended.
    Done,
    /// It was given up: why, and what to do.
    Failed(String),
}

/// Told to the control service; no answer.
///
/// What a person does with the hands wins: keys, sliders, sticks or a dragged tool switch their
/// arm to the [`TeleopMode`] they belong to, also while a motion plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::message::Message))]
pub enum Command {
    /// A key went down or up.
    Key {
        /// Which arm it drives.
        arm: ArmIndex,
        /// The key.
        key: Key,
        /// Down or up.
        pressed: bool,
    },
    /// All keys count as released: the window lost the keyboard.
    ReleaseKeys,
    /// Sliders' targets.
    JointTargets {
        /// Which arm.
        arm: ArmIndex,
        /// One target a joint, in model order, radians (metres).
        positions: Vec<f64>,
    },
    /// The pose that the tool should take.
    ToolTarget {
        /// Which arm.
        arm: ArmIndex,
        /// In the arm's base frame.
        base_from_tool: Pose,
        /// Whether orientation matters; otherwise only position.
        orientation: bool,
    },
    /// The state of a gamepad, sent while any stick is off centre and once when all are back.
    Gamepad {
        /// Which arm it drives.
        arm: ArmIndex,
        /// Sticks and triggers.
        state: GamepadState,
    },
    /// Emergency stop: every arm holds where it is, at once, until [`Request::ClearEStop`].
    EStop,
    /// The app is alive. Once it was told, keys and sticks count as released when the app is
    /// silent for too long.
    Alive,
}

/// Sticks, −1 to 1 (right and up positive), triggers and pad buttons.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct GamepadState {
    /// Left stick `[x, y]`.
    pub left: [f32; 2],
    /// Right stick `[x, y]`.
    pub right: [f32; 2],
    /// Triggers `[left, right]`, 0 to 1: close and open the gripper.
    pub triggers: [f32; 2],
    /// Directional pad `[x, y]`, −1, 0 or 1: roll and pitch of the wrist.
    pub dpad: [f32; 2],
    /// Shoulder buttons `[left, right]`: wrist roll.
    pub shoulders: [bool; 2],
}

/// What the control service tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "bevy", derive(bevy_ecs::message::Message))]
pub enum Event {
    /// The state of everything, 20 times a second.
    State(Box<StateUpdate>),
    /// A scene was loaded: what follows speaks of its arms and objects.
    SceneLoaded {
        /// [`StateUpdate::scene_generation`] of what follows.
        generation: u64,
        /// The scene.
        bundle: Arc<SceneBundle>,
    },
    /// A motion has ended.
    ScriptDone {
        /// Which arm played it.
        arm: ArmIndex,
    },
    /// An arm is connected to something else from now on, or has another calibration.
    DevicesChanged {
        /// Which arm.
        arm: ArmIndex,
        /// To what.
        devices: Box<ArmDevices>,
    },
    /// A guided calibration is under way.
    Calibration(Box<CalibrationUpdate>),
    /// A guided calibration has ended: with this, which the motors store now, or with why not.
    CalibrationDone {
        /// Which arm.
        device: Device,
        /// The name of its calibration file: LeRobot's id.
        id: String,
        /// What it came to.
        result: Result<Calibration, String>,
    },
    /// Something a person should read.
    Notice(Notice),
}

/// A text for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How bad it is.
    pub level: NoticeLevel,
    /// What happened and what to do.
    pub text: String,
}

/// How bad a [`Notice`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something was limited or skipped.
    Warning,
    /// Something failed.
    Error,
}

/// The state of everything at one control tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateUpdate {
    /// Counts loaded scenes; a sample of another scene must not be mixed with this one's.
    pub scene_generation: u64,
    /// The control tick's number, from 0.
    pub tick: u64,
    /// Time of the tick, seconds since the service started.
    pub time_secs: f64,
    /// Whether arms are being driven.
    pub active: bool,
    /// Whether an emergency stop holds.
    pub e_stopped: bool,
    /// One a scene's arm.
    pub arms: Vec<ArmState>,
    /// One a scene's object, where it is in the world.
    pub objects: Vec<Pose>,
    /// How well time is kept.
    pub timing: LoopTiming,
    /// Simulated physics: mean time of a step, seconds; zero without simulation.
    pub physics_step_secs: f64,
    /// Simulated time, seconds.
    pub simulated_secs: f64,
}

/// The state of one arm.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ArmState {
    /// What moves: `sim`, or a serial port.
    pub backend: String,
    /// Whether it answers.
    pub connected: bool,
    /// Whether its motors hold.
    pub torque: bool,
    /// How it is driven.
    pub mode: TeleopMode,
    /// Joints in model order.
    pub joints: Vec<JointState>,
    /// Real servos: how their bus does.
    pub bus: Option<Box<BusState>>,
    /// The leader arm, if one is connected.
    pub leader: Option<Box<LeaderState>>,
    /// Real servos: where the simulated arm is that is told the same, radians (metres).
    pub twin: Option<Vec<f64>>,
    /// The safety chain's last intervention, if it intervened since the last update.
    pub limited: Option<String>,
}

/// The state of one joint; radians (metres) and N·m (N).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct JointState {
    /// Measured position.
    pub position: f64,
    /// Measured velocity, a second.
    pub velocity: f64,
    /// Commanded position, as it left the safety chain.
    pub target: f64,
    /// Measured or simulated effort of the servo.
    pub effort: f64,
}

/// How well the control loop keeps time, over the last seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LoopTiming {
    /// The rate asked for, Hz.
    pub target_hz: f64,
    /// The rate reached, Hz.
    pub rate_hz: f64,
    /// Mean deviation of an interval from the period, absolute value, seconds.
    pub jitter_mean_secs: f64,
    /// Median deviation, seconds.
    pub jitter_p50_secs: f64,
    /// 99th percentile of the deviation, seconds.
    pub jitter_p99_secs: f64,
    /// Greatest deviation, seconds.
    pub jitter_max_secs: f64,
    /// Mean time spent working in a tick, seconds.
    pub work_mean_secs: f64,
    /// Deadlines missed by more than a period since start.
    pub missed: u64,
}

impl Message for Request {
    fn name(&self) -> &'static str {
        match self {
            Self::LoadScene(_) => "teleop/load_scene",
            Self::ResetScene => "teleop/reset_scene",
            Self::Start => "teleop/start",
            Self::Stop => "teleop/stop",
            Self::SetTorque { .. } => "teleop/set_torque",
            Self::SetMode { .. } => "teleop/set_mode",
            Self::PlayScript { .. } => "teleop/play_script",
            Self::SetBackend { .. } => "teleop/set_backend",
            Self::SetLeader { .. } => "teleop/set_leader",
            Self::SetCalibration { .. } => "calibrate/set",
            Self::Calibrate(_) => "calibrate/start",
            Self::CalibrationStep(_) => "calibrate/step",
            Self::Motor { .. } => "serial/motor",
            Self::ListPorts => "serial/list_ports",
            Self::Incident { .. } => "emulate/incident",
            Self::ClearEStop => "teleop/clear_e_stop",
            Self::Inspect => "teleop/inspect",
        }
    }
}

impl Message for Reply {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "teleop/done",
            Self::Inspection(_) => "teleop/inspection",
            Self::Register(_) => "serial/register",
            Self::Ports(_) => "serial/ports",
        }
    }
}

impl Message for Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Key { .. } => "teleop/update_key_state",
            Self::ReleaseKeys => "teleop/release_keys",
            Self::JointTargets { .. } => "teleop/joint_targets",
            Self::ToolTarget { .. } => "teleop/tool_target",
            Self::Gamepad { .. } => "teleop/gamepad",
            Self::EStop => "teleop/e_stop",
            Self::Alive => "teleop/alive",
        }
    }
}

impl Message for Event {
    fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "teleop/state_update",
            Self::SceneLoaded { .. } => "teleop/scene_loaded",
            Self::ScriptDone { .. } => "teleop/script_done",
            Self::DevicesChanged { .. } => "teleop/devices_changed",
            Self::Calibration(_) => "calibrate/update",
            Self::CalibrationDone { .. } => "calibrate/done",
            Self::Notice(_) => "teleop/notice",
        }
    }
}
