//! Real arms, in messages: which serial port, what the motors say, how a calibration stands.
//!
//! Motors are in the order of the model's joints; names are LeRobot's.

use forearm_arm::calibration::Calibration;
use serde::{Deserialize, Serialize};

use crate::control::ArmIndex;
use crate::scene::Backend;

/// An arm's servo bus on a serial port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerialArm {
    /// The port: `/dev/ttyACM0`, `COM5`, or in a browser the number that the page gave it.
    pub port: String,
    /// LeRobot's id of the robot or teleoperator, which names its calibration file; the arm's name
    /// if left out.
    #[serde(default)]
    pub id: Option<String>,
}

/// Which of the two arms that may belong to one arm of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Role {
    /// The arm that moves: LeRobot's robot.
    #[default]
    Follower,
    /// The arm that a person moves: LeRobot's teleoperator.
    Leader,
}

/// A real arm that belongs to an arm of the scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Device {
    /// The arm of the scene.
    pub arm: ArmIndex,
    /// Follower or leader.
    pub role: Role,
}

/// The calibrations of a scene's arm, as they were found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArmCalibrations {
    /// The follower's.
    pub follower: Option<Calibration>,
    /// The leader's.
    pub leader: Option<Calibration>,
}

impl ArmCalibrations {
    /// The place of this role's calibration.
    pub fn get_mut(&mut self, role: Role) -> &mut Option<Calibration> {
        match role {
            Role::Follower => &mut self.follower,
            Role::Leader => &mut self.leader,
        }
    }

    /// The calibration of this role.
    #[must_use]
    pub fn get(&self, role: Role) -> Option<&Calibration> {
        match role {
            Role::Follower => self.follower.as_ref(),
            Role::Leader => self.leader.as_ref(),
        }
    }
}

/// What an arm of the scene is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArmDevices {
    /// What moves it.
    pub backend: Backend,
    /// The arm that it may follow.
    pub leader: Option<SerialArm>,
    /// Both calibrations, as far as there are any.
    pub calibrations: ArmCalibrations,
    /// The text of the motion file of [`Backend::Replay`].
    pub motion: Option<String>,
}

/// How a port stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Connection {
    /// It is being opened, its motors looked for and set up.
    #[default]
    Connecting,
    /// All motors answer.
    Connected,
    /// It is gone; it is looked for again and again. Why, and what to do.
    Lost(String),
}

/// Whether the motors are calibrated as their file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CalibrationStatus {
    /// The motors were not asked yet.
    #[default]
    Unknown,
    /// There is no calibration for this arm: it does not move before it is calibrated.
    Missing,
    /// The motors store something else than the file says, a sentence a difference.
    Differs(Vec<String>),
    /// As the file says.
    Matches,
}

impl CalibrationStatus {
    /// Differences in a sentence: the first few, and how many more there are.
    #[must_use]
    pub fn few(differences: &[String]) -> String {
        /// So many say what kind of difference it is.
        const SHOWN: usize = 3;
        let shown = differences.iter().take(SHOWN).cloned().collect::<Vec<_>>();
        match differences.len().checked_sub(SHOWN + 1) {
            None => shown.join("; "),
            Some(more) => format!("{}; and {} more", shown.join("; "), more + 1),
        }
    }
}

/// How a servo bus does, over the last second unless said otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BusState {
    /// The port.
    pub port: String,
    /// How it stands.
    pub connection: Connection,
    /// Whether it is calibrated.
    pub calibration: CalibrationStatus,
    /// Rounds of write and read a second.
    pub rate_hz: f64,
    /// Writes of goals a second: as many as rounds while the goals change.
    pub goals_hz: f64,
    /// Time of a read of all positions.
    pub read: Spread,
    /// Time of a write of all goals.
    pub write: Spread,
    /// Time of a whole round.
    pub cycle: Spread,
    /// What went wrong since it was opened.
    pub errors: BusErrors,
    /// One a motor, in the model's order.
    pub motors: Vec<MotorState>,
}

/// How long something takes, seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// Mean.
    pub mean_secs: f64,
    /// 99th percentile.
    pub p99_secs: f64,
    /// Greatest.
    pub max_secs: f64,
}

/// What went wrong on a bus, counted since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BusErrors {
    /// Replies that did not come in time.
    pub timeouts: u64,
    /// Replies that came damaged: in place of each, broken bytes or another motor's packet.
    pub corrupt: u64,
    /// Packets whose checksum was wrong.
    pub checksum: u64,
    /// Bytes that belonged to no packet.
    pub skipped_bytes: u64,
    /// Replies of a motor that was not asked.
    pub wrong_id: u64,
    /// Questions asked again.
    pub retries: u64,
    /// Motors' positions that were missing in a round after all retries.
    pub lost_samples: u64,
    /// Times that the port went away and came back.
    pub reconnects: u64,
}

/// How a motor does.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MotorState {
    /// Its name, which is its joint's.
    pub name: String,
    /// Its id on the bus.
    pub id: u8,
    /// Present position, ticks.
    pub ticks: i32,
    /// Temperature, °C.
    pub temperature: u8,
    /// Supply, volts.
    pub voltage: f64,
    /// Current, amperes.
    pub current: f64,
    /// Load, −1 to 1 of the most that it can.
    pub load: f64,
    /// What the motor complains of, for people; empty if of nothing.
    pub faults: Vec<String>,
    /// Whether the last round brought no position of it.
    pub stale: bool,
}

/// A leader arm: what it is and where it stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LeaderState {
    /// Its bus.
    pub bus: BusState,
    /// Its joints, as positions of the follower's model, radians (metres).
    pub positions: Vec<f64>,
}

/// Where a guided calibration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CalibrationStage {
    /// The motors are being made ready: torque off, old calibration taken out.
    Preparing,
    /// The person moves the arm to the middle of its range, then goes on.
    Middle,
    /// The middle is being stored.
    Homing,
    /// The person moves each joint through its range, then goes on.
    Ranges,
    /// Ranges are being stored.
    Storing,
}

/// A guided calibration under way, 20 times a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationUpdate {
    /// Which arm.
    pub device: Device,
    /// Where it stands.
    pub stage: CalibrationStage,
    /// What the person should do now.
    pub instruction: String,
    /// One a motor, in the model's order; in [`CalibrationStage::Ranges`] they widen.
    pub joints: Vec<CalibrationJoint>,
}

/// A motor during a calibration; ticks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CalibrationJoint {
    /// The motor's name.
    pub name: String,
    /// Where it is.
    pub position: i32,
    /// The lowest tick that was seen.
    pub min: i32,
    /// The highest tick that was seen.
    pub max: i32,
    /// Whether its range is measured: a joint that turns round and round has all ticks.
    pub measured: bool,
}

/// What a person does in a guided calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CalibrationStep {
    /// What was to be done is done.
    Next,
    /// Leave it: what the motors stored before is put back.
    Cancel,
}

/// What is asked of one motor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MotorRequest {
    /// Read a register, by LeRobot's name.
    Read {
        /// The motor's name.
        motor: String,
        /// The register's name, for instance `Present_Position`.
        register: String,
    },
    /// Write a register, by LeRobot's name.
    Write {
        /// The motor's name.
        motor: String,
        /// The register's name.
        register: String,
        /// The value, with its sign.
        value: i32,
    },
}

/// A serial port that could be opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PortInfo {
    /// What opens it.
    pub name: String,
    /// What it calls itself, if it is on USB.
    pub product: Option<String>,
    /// USB vendor and product id.
    pub usb: Option<(u16, u16)>,
    /// The USB device's serial number: it stays when the port's name changes.
    pub serial_number: Option<String>,
    /// Whether it looks like a servo adapter.
    pub likely_arm: bool,
}

/// How often what goes wrong: chances from 0 to 1 for each packet.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ServedFaults {
    /// Replies that don't arrive.
    pub drop: f64,
    /// Replies with a changed byte.
    pub corrupt: f64,
    /// Replies that come late.
    pub delay: f64,
    /// How late those come, seconds.
    pub delay_secs: f64,
    /// Replies that say another servo's id.
    pub wrong_id: f64,
    /// Requests that no servo understands.
    pub drop_requests: f64,
    /// Whether what is written is read again.
    pub echo: bool,
}

/// Something that happens to a served arm. Joints are counted as in its model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Incident {
    /// The plug is pulled.
    Unplug,
    /// The plug is put in again.
    Replug,
    /// The servos' supply goes off or on.
    Power(bool),
    /// Only this joint's servo is on the bus; all are for `None`.
    Attach(Option<usize>),
    /// A joint was blocked for too long.
    Overload(usize),
    /// A joint's servo is this hot, °C; `None` for as hot as it is.
    Temperature(usize, Option<f64>),
    /// Other faults from now on.
    Faults(ServedFaults),
}

/// How often what went wrong on the bus of a served arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServedCounts {
    /// Which arm.
    pub arm: ArmIndex,
    /// Replies, with and without a fault.
    pub replies: u64,
    /// Replies that did not arrive.
    pub dropped: u64,
    /// Replies with a changed byte.
    pub corrupted: u64,
    /// Replies that came late.
    pub delayed: u64,
    /// Replies that said another motor's id.
    pub wrong_ids: u64,
}
