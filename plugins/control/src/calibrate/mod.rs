//! Guided calibration, step for step as LeRobot does it.
//!
//! Torque off, position mode; the person moves the arm to the middle and goes on; what the motors
//! store is taken out and each one's homing offset written, so that it reads 2047 there; the person
//! moves every joint (but `wrist_roll`, which has the whole turn) through its range and goes on;
//! ranges are written and read back. Whoever leaves it early gets back what the motors stored before.
//!
//! [`Guided`] is attended once a tick; the motors are lent to it by [`crate::motors`] meanwhile.

mod desk;

use std::sync::Arc;

use forearm_arm::calibration::{
    Calibration, HALF_TURN, LAST_TICK, MAX_HOMING_OFFSET, MotorCalibration,
};
use forearm_hardware::bus::{BusError, MAX_SERVOS, Sample};
use forearm_hardware::codec::registers as reg;
use forearm_protocol::servo::{CalibrationStage, CalibrationStep, CalibrationUpdate, Device};

use crate::motors::{Motor, stored_in};
use crate::procedure::{Jobs, Procedure};
use desk::Desk;

/// The joint that turns round and round: its range is not measured.
const FULL_TURN: &str = "wrist_roll";

/// A calibration under way.
pub(crate) struct Guided {
    device: Device,
    id: String,
    desk: Desk,
    procedure: Procedure<Result<Calibration, String>>,
}

impl Guided {
    /// Begins with these motors.
    pub(crate) fn begin(device: Device, id: String, jobs: Jobs, motors: &Arc<[Motor]>) -> Self {
        let desk = Desk::new(motors);
        let work = guide(jobs, Arc::clone(motors), desk.clone());
        Self {
            device,
            id,
            desk,
            procedure: Procedure::new(work),
        }
    }

    /// Which arm.
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// The name of its calibration file.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Goes on; answers what it came to, once.
    pub(crate) fn attend(
        &mut self,
        sample: Option<&Sample>,
        lost: Option<&str>,
    ) -> Option<Result<Calibration, String>> {
        self.desk.show(sample, lost);
        self.procedure.poll()
    }

    /// The person goes on, or leaves it.
    ///
    /// # Errors
    /// It is too early to go on: what is to be done first.
    pub(crate) fn step(&self, step: CalibrationStep) -> Result<(), String> {
        self.desk.step(step)
    }

    /// How it stands.
    pub(crate) fn update(&self) -> CalibrationUpdate {
        self.desk.update(self.device)
    }
}

/// Writes a calibration into motors; reads it back.
pub(crate) async fn store(
    jobs: Jobs,
    motors: Arc<[Motor]>,
    calibration: Calibration,
) -> Result<(), String> {
    let told = |error: BusError| error.to_string();
    jobs.torque(mask(&motors), false).await.map_err(told)?;
    write(&jobs, &motors, &calibration).await
}

fn mask(motors: &[Motor]) -> u16 {
    let count = motors.len().min(MAX_SERVOS);
    ((1_u32 << count) - 1) as u16
}

async fn guide(jobs: Jobs, motors: Arc<[Motor]>, desk: Desk) -> Result<Calibration, String> {
    let told = |error: BusError| error.to_string();
    let before = stored_in(&jobs, &motors).await.map_err(told)?;
    let why = match measure(&jobs, &motors, &desk).await {
        Ok(calibration) => return Ok(calibration),
        Err(why) => why,
    };
    match write(&jobs, &motors, &before).await {
        Ok(()) => Err(format!("{why}; the motors store what they stored before")),
        Err(problem) => Err(format!(
            "{why}; what the motors stored before could not be put back ({problem}): calibrate the \
             arm before it is used"
        )),
    }
}

async fn measure(jobs: &Jobs, motors: &[Motor], desk: &Desk) -> Result<Calibration, String> {
    let told = |error: BusError| error.to_string();
    jobs.torque(mask(motors), false).await.map_err(told)?;
    for motor in motors {
        jobs.ensure(motor.id, &reg::OPERATING_MODE, 0)
            .await
            .map_err(told)?;
    }
    desk.enter(CalibrationStage::Middle);
    desk.next().await?;
    desk.enter(CalibrationStage::Homing);
    let mut homing = Vec::with_capacity(motors.len());
    for motor in motors {
        for (register, value) in [
            (&reg::HOMING_OFFSET, 0),
            (&reg::MIN_POSITION_LIMIT, 0),
            (&reg::MAX_POSITION_LIMIT, LAST_TICK),
        ] {
            jobs.ensure(motor.id, register, value).await.map_err(told)?;
        }
    }
    for motor in motors {
        let position = jobs
            .read(motor.id, &reg::PRESENT_POSITION)
            .await
            .map_err(told)?;
        let offset = (position - HALF_TURN).clamp(-MAX_HOMING_OFFSET, MAX_HOMING_OFFSET);
        homing.push(offset);
    }
    for (motor, offset) in motors.iter().zip(&homing) {
        jobs.ensure(motor.id, &reg::HOMING_OFFSET, *offset)
            .await
            .map_err(told)?;
    }
    desk.enter(CalibrationStage::Ranges);
    desk.next().await?;
    let ranges = desk.ranges();
    desk.enter(CalibrationStage::Storing);
    let all = motors.iter().zip(homing).zip(ranges);
    let calibration = Calibration {
        motors: all
            .map(|((motor, homing_offset), (range_min, range_max))| {
                let calibration = MotorCalibration {
                    id: motor.id,
                    drive_mode: 0,
                    homing_offset,
                    range_min,
                    range_max,
                };
                (motor.name.clone(), calibration)
            })
            .collect(),
    };
    write(jobs, motors, &calibration).await?;
    Ok(calibration)
}

/// Writes a calibration into motors without torque; reads it back.
async fn write(jobs: &Jobs, motors: &[Motor], calibration: &Calibration) -> Result<(), String> {
    let told = |error: BusError| error.to_string();
    for motor in motors {
        let wanted = calibration
            .motor(&motor.name)
            .map_err(|error| error.to_string())?;
        for (register, value) in [
            (&reg::HOMING_OFFSET, wanted.homing_offset),
            (&reg::MIN_POSITION_LIMIT, wanted.range_min),
            (&reg::MAX_POSITION_LIMIT, wanted.range_max),
        ] {
            jobs.ensure(motor.id, register, value).await.map_err(told)?;
        }
    }
    let stored = stored_in(jobs, motors).await.map_err(told)?;
    let differences = calibration.differences(&stored);
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the motors do not keep it ({}); check their power and try again",
        differences.join("; ")
    ))
}
