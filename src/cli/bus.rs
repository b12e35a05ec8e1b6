//! What the commands share that talk to motors themselves: opening a bus, naming motors, asking the
//! person at the terminal.

use std::io::{BufRead, Write};
use std::time::Duration;

use anyhow::{Context, anyhow};
use forearm_arm::so101::so101;
use forearm_hardware::bus::{BusConfig, Motor};
use forearm_hardware::codec::model::DEFAULT_BAUD;
use forearm_hardware::codec::{MAX_ID, Register, registers};
use forearm_hardware::line::{CloseAction, Line, LineConfig};
use forearm_hardware::port::PortName;

/// How long opening a port may take.
const OPENING: Duration = Duration::from_secs(3);

/// The motors of an SO-100/SO-101: LeRobot's names, ids from 1 on.
pub(super) fn motors() -> Vec<Motor> {
    let model = so101();
    let names = model.joints.into_iter().map(|joint| joint.name);
    let motors = names.zip(1..).map(|(name, id)| Motor { id, name });
    motors.collect()
}

/// Opens a port on which only jobs are done. When it is closed, motors keep what they were told.
pub(super) fn open(port: &str, baud: u32) -> anyhow::Result<Line> {
    let config = LineConfig {
        bus: BusConfig {
            motors: motors(),
            baud,
            cycle: false,
            ..BusConfig::default()
        },
        on_drop: CloseAction::Hold,
    };
    let line = Line::open(PortName::from(port), config)?;
    line.wait_connected(OPENING)?;
    Ok(line)
}

/// Opens a port at the rate that motors usually have.
pub(super) fn open_default(port: &str) -> anyhow::Result<Line> {
    open(port, DEFAULT_BAUD)
}

/// The motor that a person means: a name, or an id.
pub(super) fn motor(text: &str) -> anyhow::Result<Motor> {
    let known = motors();
    if let Some(motor) = known.iter().find(|motor| motor.name == text) {
        return Ok(motor.clone());
    }
    match text.parse::<u8>() {
        Ok(id) if id <= MAX_ID => {
            let name = known.into_iter().find(|motor| motor.id == id);
            Ok(name.unwrap_or_else(|| Motor {
                id,
                name: format!("motor {id}"),
            }))
        }
        _ => {
            let names: Vec<_> = known.iter().map(|motor| motor.name.as_str()).collect();
            Err(anyhow!(
                "`{text}` is no motor; expected an id from 0 to {MAX_ID}, or one of {}",
                names.join(", ")
            ))
        }
    }
}

/// The register that a person means: LeRobot's name, in any case, or an address.
pub(super) fn register(text: &str) -> anyhow::Result<&'static Register> {
    let named = registers::ALL
        .iter()
        .find(|register| register.name.eq_ignore_ascii_case(text));
    let addressed = || registers::by_address(text.parse().ok()?);
    named.or_else(addressed).with_context(|| {
        format!(
            "`{text}` is no register; `forearm motors PORT registers` lists them \
             (for instance Present_Position)"
        )
    })
}

/// Asks the person for something, and waits for Enter.
///
/// # Errors
/// There is nobody to ask.
pub(super) fn wait_for_enter(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "{text}")?;
    out.flush()?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    if read == 0 {
        return Err(anyhow!(
            "the input ended before Enter was pressed; run this in a terminal"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motors_and_registers_are_named_or_numbered() {
        assert_eq!(motor("gripper").expect("a motor").id, 6);
        assert_eq!(motor("1").expect("a motor").name, "shoulder_pan");
        assert_eq!(motor("9").expect("a motor").name, "motor 9");
        for wrong in ["", "grip", "253", "-1"] {
            let error = motor(wrong).expect_err("no motor").to_string();
            assert!(error.contains("shoulder_pan"), "{error}");
        }
        assert_eq!(register("present_position").expect("one").address, 56);
        assert_eq!(register("56").expect("one").name, "Present_Position");
        for wrong in ["", "Position", "57"] {
            assert!(register(wrong).is_err(), "{wrong}");
        }
    }
}
