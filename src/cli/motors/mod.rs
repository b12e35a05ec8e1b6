//! `forearm motors`: looks at motors, and reads and writes their registers.

mod table;

use std::time::Duration;

use forearm_hardware::codec::model::BAUD_RATES;
use forearm_hardware::codec::registers;
use forearm_hardware::line::scan_bauds;
use forearm_hardware::port::PortName;
use serde_json::json;

use super::bus;
use super::{Failure, OrFail, print_json};
use table::{Row, Table};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = false)]
pub(crate) struct MotorsArgs {
    /// The serial port, such as /dev/ttyACM0, COM5 or usb:SERIALNUMBER.
    #[arg(value_parser = super::parse_port)]
    port: String,
    #[command(subcommand)]
    what: Option<What>,
    /// Print JSON instead of text, a line each time.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Show the table again and again, until Ctrl-C.
    Watch {
        /// Seconds between two looks.
        #[arg(long, default_value_t = 0.2, value_name = "SECONDS", value_parser = super::parse_duration)]
        every: f64,
        /// End after this many looks.
        #[arg(long, value_name = "NUMBER")]
        times: Option<u64>,
    },
    /// Read a register.
    Read {
        /// A name or an id: gripper, 6.
        motor: String,
        /// A name or an address: `Present_Position`, 56.
        register: String,
    },
    /// Write a register. What is kept when the power goes off is unlocked, written, read back and
    /// locked.
    #[command(allow_negative_numbers = true)]
    Write {
        /// A name or an id: gripper, 6.
        motor: String,
        /// A name or an address: `Goal_Position`, 42.
        register: String,
        /// The value, with its sign.
        value: i32,
    },
    /// List the registers: address, size, what they hold, whether they outlive the power.
    Registers,
    /// Look for motors at every baud rate.
    Scan,
}

pub(crate) fn run(args: &MotorsArgs) -> Result<(), Failure> {
    let port = &args.port;
    match &args.what {
        None => Table::new(port)?.show(args.json),
        Some(What::Watch { every, times }) => {
            Table::new(port)?.watch(args.json, Duration::from_secs_f64(*every), *times)
        }
        Some(What::Read { motor, register }) => {
            let motor = bus::motor(motor).or_bad_input()?;
            let register = bus::register(register).or_bad_input()?;
            let line = bus::open_default(port).or_failed()?;
            let value = line.read(motor.id, register).or_failed()?;
            tell_value(args.json, &motor.name, register.name, value)
        }
        Some(What::Write {
            motor,
            register,
            value,
        }) => {
            let motor = bus::motor(motor).or_bad_input()?;
            let register = bus::register(register).or_bad_input()?;
            register.encode(*value).or_bad_input()?;
            let line = bus::open_default(port).or_failed()?;
            let status = line.write(motor.id, register, *value).or_failed()?;
            if !status.is_ok() {
                tracing::warn!("{}: {status}", motor.name);
            }
            // A motor that was given another id answers under that.
            let id = match (register.name, u8::try_from(*value)) {
                ("ID", Ok(id)) => id,
                _ => motor.id,
            };
            let now = line.read(id, register).or_failed()?;
            tell_value(args.json, &motor.name, register.name, now)
        }
        Some(What::Registers) => list_registers(args.json),
        Some(What::Scan) => scan(port, args.json),
    }
}

fn tell_value(json: bool, motor: &str, register: &str, value: i32) -> Result<(), Failure> {
    if json {
        return print_json(&json!({ "motor": motor, "register": register, "value": value }));
    }
    super::tell(&format!("{motor} {register} = {value}\n"))
}

fn list_registers(json: bool) -> Result<(), Failure> {
    if json {
        let all: Vec<_> = registers::ALL
            .iter()
            .map(|it| {
                let (min, max) = it.range();
                json!({
                    "name": it.name, "address": it.address, "size": it.size, "min": min,
                    "max": max, "unit": it.unit, "eeprom": it.eeprom, "writable": it.writable,
                    "factory": it.decode_raw(it.factory),
                })
            })
            .collect();
        return print_json(&json!(all));
    }
    let mut text = format!(
        "{:>4} {:<26} {:>5} {:>13}  {:<12} {}\n",
        "ADDR", "NAME", "BYTES", "RANGE", "UNIT", ""
    );
    for it in registers::ALL {
        let (min, max) = it.range();
        let range = format!("{min}..{max}");
        let kept = if it.eeprom { "kept" } else { "" };
        let access = if it.writable { "" } else { "read only" };
        let line = format!(
            "{:>4} {:<26} {:>5} {range:>13}  {:<12} {kept} {access}",
            it.address, it.name, it.size, it.unit
        );
        text += line.trim_end();
        text += "\n";
    }
    super::tell(&text)
}

fn scan(port: &str, json: bool) -> Result<(), Failure> {
    let mut found = Vec::new();
    for (_, baud) in BAUD_RATES {
        if !json {
            super::tell(&format!("{baud:>8} baud: "))?;
        }
        let there = scan_bauds(&PortName::from(port), [baud]).or_failed()?;
        if !json {
            let ids: Vec<_> = there.iter().map(|it| it.id.to_string()).collect();
            let ids = if ids.is_empty() {
                "nobody".to_owned()
            } else {
                format!("ids {}", ids.join(", "))
            };
            super::tell(&format!("{ids}\n"))?;
        }
        found.extend(there);
    }
    if json {
        let found: Vec<_> = found
            .iter()
            .map(|it| json!({ "baud": it.baud, "id": it.id, "model": it.model }))
            .collect();
        return print_json(&json!(found));
    }
    if found.is_empty() {
        let error = anyhow::anyhow!(
            "no motor answers on {port}: check that the arm's power supply is on, and the cable to \
             the first motor"
        );
        return Err(error).or_failed();
    }
    Ok(())
}

/// A table's row as JSON.
fn row_json(row: &Row) -> serde_json::Value {
    match &row.now {
        Ok(now) => json!({
            "motor": row.name, "id": row.id, "model": now.model, "position": now.position,
            "velocity": now.velocity, "load": now.load, "volts": now.volts,
            "celsius": now.celsius, "amperes": now.amperes, "torque": now.torque,
            "homing_offset": now.homing_offset, "min": now.min, "max": now.max,
            "faults": now.faults,
        }),
        Err(why) => json!({ "motor": row.name, "id": row.id, "error": why }),
    }
}
