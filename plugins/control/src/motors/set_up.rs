//! What is done with motors that have come (back), in LeRobot's order.
//!
//! Every motor is there and an STS3215, all have the same firmware; torque goes off; return delay,
//! accelerations, phase, mode and gains are set (for the gripper also how much force and current it
//! may use for long); stored calibration is compared with the file; where both agree a follower's
//! goals are set to where it is, then its torque goes on.
//!
//! Registers that are kept without power are only written where they differ: they wear out. A
//! follower that held through a short loss of the port goes on holding, at its present position.

use std::sync::Arc;

use forearm_arm::calibration::{Calibration, MotorCalibration};
use forearm_hardware::bus::{BusError, Job, JobReply};
use forearm_hardware::codec::model;
use forearm_hardware::codec::registers::{self as reg, Register};
use forearm_protocol::servo::{CalibrationStatus, Role};

use super::Motor;
use crate::procedure::Jobs;

/// The bit of `Phase` that lets positions go beyond one turn.
const MULTI_TURN: i32 = 0x10;
/// How much of the registers is looked at: everything but what the servo measures.
const LOOKED_AT: u8 = 56;

/// What to set up.
pub(super) struct Plan {
    pub(super) role: Role,
    pub(super) motors: Arc<[Motor]>,
    pub(super) mask: u16,
    pub(super) gripper: Option<usize>,
    pub(super) calibration: Option<Calibration>,
    /// Whether a follower's torque shall go on.
    pub(super) torque: bool,
    /// Whether these motors were set up before, and only the port was away.
    pub(super) again: bool,
}

/// What was found.
pub(super) struct SetUp {
    pub(super) status: CalibrationStatus,
    pub(super) torque: bool,
    /// Why torque stayed off though it should go on, and what to do.
    pub(super) obstacle: Option<String>,
}

/// How far beyond its calibrated range a joint may stand and be switched on, ticks: less than two
/// degrees.
const BEYOND: i32 = 20;

/// A joint that stands outside of its calibrated range, and what to do. Its servo would take the
/// nearer end of the range for its goal, and go there at once.
pub(super) fn out_of_range(
    calibration: &Calibration,
    motors: &[Motor],
    positions: &[i32],
) -> Option<String> {
    motors.iter().zip(positions).find_map(|(motor, ticks)| {
        let range = calibration.motor(&motor.name).ok()?;
        let (min, max) = (range.range_min, range.range_max);
        (*ticks < min - BEYOND || *ticks > max + BEYOND).then(|| {
            format!(
                "`{}` stands at {ticks}, outside of its calibrated range from {min} to {max}: move \
                 it into its range by hand, then switch torque on",
                motor.name
            )
        })
    })
}

/// The registers of one motor.
struct Registers {
    bytes: [u8; LOOKED_AT as usize],
}

impl Registers {
    fn get(&self, register: &Register) -> i32 {
        register.decode(&self.bytes[usize::from(register.address)..])
    }
}

async fn look(jobs: &Jobs, id: u8) -> Result<Registers, BusError> {
    let block = Job::ReadBlock {
        id,
        address: 0,
        len: LOOKED_AT,
    };
    let mut bytes = [0; LOOKED_AT as usize];
    if let JobReply::Block(block) = jobs.run(block).await? {
        let found = block.as_bytes();
        let len = found.len().min(bytes.len());
        bytes[..len].copy_from_slice(&found[..len]);
    }
    Ok(Registers { bytes })
}

/// Sets up motors.
pub(super) async fn set_up(jobs: Jobs, plan: Plan) -> Result<SetUp, String> {
    let told = |error: BusError| error.to_string();
    let mut found = Vec::with_capacity(plan.motors.len());
    for motor in plan.motors.iter() {
        found.push(look(&jobs, motor.id).await.map_err(told)?);
    }
    check_kind(&plan.motors, &found)?;
    let status = match &plan.calibration {
        None => CalibrationStatus::Missing,
        Some(file) => {
            let stored = calibration_of(&plan.motors, &found);
            let differences = file.differences(&stored);
            if differences.is_empty() {
                CalibrationStatus::Matches
            } else {
                CalibrationStatus::Differs(differences)
            }
        }
    };
    if status != CalibrationStatus::Matches {
        // It is watched, and nothing of it is changed: not its torque either.
        let torque = found.iter().any(|it| it.get(&reg::TORQUE_ENABLE) == 1);
        return Ok(SetUp {
            status,
            torque,
            obstacle: None,
        });
    }
    let kept = plan.again
        && found.iter().all(|it| {
            it.get(&reg::TORQUE_ENABLE) == 1 && it.get(&reg::ACCELERATION) == ACCELERATION
        });
    if !kept {
        jobs.torque(plan.mask, false).await.map_err(told)?;
        for ((index, motor), found) in plan.motors.iter().enumerate().zip(&found) {
            let gripper = plan.role == Role::Follower && plan.gripper == Some(index);
            configure(&jobs, motor.id, found, gripper)
                .await
                .map_err(told)?;
        }
    }
    let wanted = plan.role == Role::Follower && plan.torque;
    let obstacle = match (&plan.calibration, wanted) {
        (Some(calibration), true) => {
            let register = &reg::PRESENT_POSITION;
            match jobs.run(Job::ReadAll { register }).await.map_err(told)? {
                JobReply::Values(positions) => out_of_range(calibration, &plan.motors, &positions),
                _ => None,
            }
        }
        _ => None,
    };
    let torque = wanted && obstacle.is_none();
    if torque {
        jobs.torque(plan.mask, true).await.map_err(told)?;
    } else if kept {
        jobs.torque(plan.mask, false).await.map_err(told)?;
    }
    Ok(SetUp {
        status,
        torque,
        obstacle,
    })
}

/// As fast as a servo can; LeRobot's value.
const ACCELERATION: i32 = 254;

/// What LeRobot sets in every motor.
const BASE: [(&Register, i32); 7] = [
    (&reg::RETURN_DELAY_TIME, 0),
    (&reg::MAXIMUM_ACCELERATION, ACCELERATION),
    (&reg::ACCELERATION, ACCELERATION),
    (&reg::OPERATING_MODE, 0),
    (&reg::P_COEFFICIENT, 16),
    (&reg::I_COEFFICIENT, 0),
    (&reg::D_COEFFICIENT, 32),
];

/// What LeRobot sets in a follower's gripper, so that it does not burn out while it grips.
const GRIPPER: [(&Register, i32); 3] = [
    (&reg::MAX_TORQUE_LIMIT, 500),
    (&reg::PROTECTION_CURRENT, 250),
    (&reg::OVERLOAD_TORQUE, 25),
];

async fn configure(jobs: &Jobs, id: u8, found: &Registers, gripper: bool) -> Result<(), BusError> {
    for (register, value) in BASE {
        if register.address >= LOOKED_AT {
            jobs.ensure(id, register, value).await?;
        } else if found.get(register) != value {
            jobs.write(id, register, value).await?;
        }
    }
    let phase = found.get(&reg::PHASE);
    if phase & MULTI_TURN != 0 {
        jobs.write(id, &reg::PHASE, phase & !MULTI_TURN).await?;
    }
    if gripper {
        for (register, value) in GRIPPER {
            if found.get(register) != value {
                jobs.write(id, register, value).await?;
            }
        }
        // The limit that counts now was taken from the stored one when the power came on.
        if found.get(&reg::TORQUE_LIMIT) > GRIPPER[0].1 {
            jobs.write(id, &reg::TORQUE_LIMIT, GRIPPER[0].1).await?;
        }
    }
    Ok(())
}

fn check_kind(motors: &[Motor], found: &[Registers]) -> Result<(), String> {
    for (motor, found) in motors.iter().zip(found) {
        let number = found.get(&reg::MODEL_NUMBER);
        if number != i32::from(model::STS3215) {
            return Err(format!(
                "motor `{}` (id {}) is of model {number}; expected {}, an STS3215: use such a \
                 motor, or check that this is the right arm",
                motor.name,
                motor.id,
                model::STS3215
            ));
        }
    }
    let firmware = |it: &Registers| {
        let major = it.get(&reg::FIRMWARE_MAJOR_VERSION);
        (major, it.get(&reg::FIRMWARE_MINOR_VERSION))
    };
    let first = found.first().map(firmware);
    if found.iter().any(|it| Some(firmware(it)) != first) {
        let versions: Vec<_> = motors
            .iter()
            .zip(found)
            .map(|(motor, found)| {
                let (major, minor) = firmware(found);
                format!("{} {major}.{minor}", motor.name)
            })
            .collect();
        return Err(format!(
            "the motors have different firmware ({}); give all the same with Feetech's program",
            versions.join(", ")
        ));
    }
    Ok(())
}

fn calibration_of(motors: &[Motor], found: &[Registers]) -> Calibration {
    let motors = motors.iter().zip(found);
    Calibration {
        motors: motors
            .map(|(motor, found)| {
                let calibration = MotorCalibration {
                    id: motor.id,
                    drive_mode: 0,
                    homing_offset: found.get(&reg::HOMING_OFFSET),
                    range_min: found.get(&reg::MIN_POSITION_LIMIT),
                    range_max: found.get(&reg::MAX_POSITION_LIMIT),
                };
                (motor.name.clone(), calibration)
            })
            .collect(),
    }
}

/// The calibration that motors store.
pub(crate) async fn stored_in(jobs: &Jobs, motors: &[Motor]) -> Result<Calibration, BusError> {
    let mut found = Vec::with_capacity(motors.len());
    for motor in motors {
        found.push(look(jobs, motor.id).await?);
    }
    Ok(calibration_of(motors, &found))
}
