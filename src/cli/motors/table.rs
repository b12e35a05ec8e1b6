//! All motors of an arm and how they are.

use std::io::IsTerminal;
use std::time::Duration;

use forearm_hardware::bus::{BusError, Job, JobReply, Motor};
use forearm_hardware::codec::registers::{self, Register};
use forearm_hardware::codec::{ServoFault, StatusBits};
use forearm_hardware::line::Line;
use serde_json::json;

use super::{bus, row_json};
use crate::cli::{Failure, OrFail, print_json, tell};

/// A motor.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) id: u8,
    /// How it is, or why that is not known.
    pub(super) now: Result<Now, String>,
}

/// How a motor is.
pub(super) struct Now {
    pub(super) model: i32,
    /// Ticks.
    pub(super) position: i32,
    /// Ticks a second.
    pub(super) velocity: i32,
    /// −1 to 1.
    pub(super) load: f64,
    pub(super) volts: f64,
    pub(super) celsius: i32,
    pub(super) amperes: f64,
    pub(super) torque: bool,
    /// What is stored: ticks.
    pub(super) homing_offset: i32,
    pub(super) min: i32,
    pub(super) max: i32,
    pub(super) faults: Vec<&'static str>,
}

/// The motors of an arm on a port.
pub(super) struct Table {
    line: Line,
    motors: Vec<Motor>,
}

/// The bytes of a motor that are read at once.
struct Bytes<'a> {
    bytes: &'a [u8],
    from: u8,
}

impl Table {
    pub(super) fn new(port: &str) -> Result<Self, Failure> {
        let motors = bus::motors();
        let line = bus::open_default(port).or_failed()?;
        Ok(Self { line, motors })
    }

    /// Shows it once. Fails if no motor answers.
    pub(super) fn show(&self, json: bool) -> Result<(), Failure> {
        let rows = self.rows()?;
        if json {
            print_json(&json!(rows.iter().map(row_json).collect::<Vec<_>>()))?;
        } else {
            tell(&text(&rows))?;
        }
        if rows.iter().all(|row| row.now.is_err()) {
            let error = anyhow::anyhow!(
                "no motor answers on {}: check that the arm's power supply is on; \
                 `forearm motors {0} scan` looks at other baud rates",
                self.line.port()
            );
            return Err(error).or_failed();
        }
        Ok(())
    }

    /// Shows it again and again.
    pub(super) fn watch(
        &self,
        json: bool,
        every: Duration,
        times: Option<u64>,
    ) -> Result<(), Failure> {
        let live = !json && std::io::stdout().is_terminal();
        let mut looks = 0;
        while times.is_none_or(|times| looks < times) {
            if looks > 0 {
                std::thread::sleep(every);
            }
            looks += 1;
            let rows = self.rows()?;
            if json {
                print_json(&json!(rows.iter().map(row_json).collect::<Vec<_>>()))?;
                continue;
            }
            let text = text(&rows);
            // In place on a terminal.
            let up = text.lines().count();
            let back = if live && times != Some(looks) {
                format!("\x1b[{up}A\r")
            } else {
                String::new()
            };
            tell(&(text + &back))?;
        }
        Ok(())
    }

    fn rows(&self) -> Result<Vec<Row>, Failure> {
        let mut rows = Vec::new();
        for motor in &self.motors {
            let now = match self.now(motor.id) {
                Ok(now) => Ok(now),
                Err(error @ (BusError::Disconnected { .. } | BusError::Closed { .. })) => {
                    return Err(error).or_failed();
                }
                Err(error) => Err(error.to_string()),
            };
            rows.push(Row {
                name: motor.name.clone(),
                id: motor.id,
                now,
            });
        }
        Ok(rows)
    }

    fn now(&self, id: u8) -> Result<Now, BusError> {
        let read = |from: &Register, to: &Register| {
            let job = Job::ReadBlock {
                id,
                address: from.address,
                len: to.end() - from.address,
            };
            match self.line.run(job)? {
                JobReply::Block(block) => Ok(block),
                // A bus answers what it was asked.
                _ => Err(BusError::Closed {
                    port: self.line.port().to_owned(),
                }),
            }
        };
        let stored = read(&registers::MODEL_NUMBER, &registers::HOMING_OFFSET)?;
        let present = read(&registers::TORQUE_ENABLE, &registers::PRESENT_CURRENT)?;
        let stored = Bytes {
            bytes: stored.as_bytes(),
            from: registers::MODEL_NUMBER.address,
        };
        let status = present.status;
        let present = Bytes {
            bytes: present.as_bytes(),
            from: registers::TORQUE_ENABLE.address,
        };
        let faults = StatusBits(status.0 | present.get(&registers::STATUS) as u8);
        Ok(Now {
            model: stored.get(&registers::MODEL_NUMBER),
            homing_offset: stored.get(&registers::HOMING_OFFSET),
            min: stored.get(&registers::MIN_POSITION_LIMIT),
            max: stored.get(&registers::MAX_POSITION_LIMIT),
            torque: present.get(&registers::TORQUE_ENABLE) == 1,
            position: present.get(&registers::PRESENT_POSITION),
            velocity: present.get(&registers::PRESENT_VELOCITY),
            load: f64::from(present.get(&registers::PRESENT_LOAD)) / 1000.0,
            volts: f64::from(present.get(&registers::PRESENT_VOLTAGE)) / 10.0,
            celsius: present.get(&registers::PRESENT_TEMPERATURE),
            // 6.5 mA a step.
            amperes: f64::from(present.get(&registers::PRESENT_CURRENT)) * 6.5e-3,
            faults: faults.iter().map(ServoFault::name).collect(),
        })
    }
}

impl Bytes<'_> {
    fn get(&self, register: &Register) -> i32 {
        let start = usize::from(register.address - self.from);
        register.decode(self.bytes.get(start..).unwrap_or(&[]))
    }
}

fn text(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<14} {:>3} {:>6} {:>6} {:>5} {:>6} {:>5} {:>4} {:>7} {:>6} {:>11}  {}\n",
        "MOTOR",
        "ID",
        "POS",
        "SPEED",
        "LOAD",
        "VOLT",
        "TEMP",
        "AMP",
        "TORQUE",
        "OFFSET",
        "RANGE",
        "FAULTS"
    );
    for Row { name, id, now } in rows {
        text += &match now {
            Ok(now) => format!(
                "{name:<14} {id:>3} {:>6} {:>6} {:>4.0}% {:>5.1}V {:>3}°C {:>4.2} {:>7} {:>6} {:>11}  {}\n",
                now.position,
                now.velocity,
                now.load * 100.0,
                now.volts,
                now.celsius,
                now.amperes,
                if now.torque { "on" } else { "off" },
                now.homing_offset,
                format!("{}..{}", now.min, now.max),
                now.faults.join(", "),
            ),
            Err(why) => format!("{name:<14} {id:>3} {why}\n"),
        };
    }
    text
}
