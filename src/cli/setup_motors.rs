//! `forearm setup-motors`: gives new motors their ids, one after the other, as LeRobot does.

use anyhow::{anyhow, bail};
use forearm_hardware::bus::{BusError, Job, Motor};
use forearm_hardware::codec::model::{BAUD_RATES, DEFAULT_BAUD, STS3215, code_of_baud};
use forearm_hardware::codec::registers;
use forearm_hardware::line::{Answering, scan_bauds};
use forearm_hardware::port::PortName;

use super::{Failure, OrFail, bus, tell};

#[derive(Debug, clap::Args)]
pub(crate) struct SetupMotorsArgs {
    /// The serial port, such as /dev/ttyACM0, COM5 or usb:SERIALNUMBER.
    #[arg(value_parser = super::parse_port)]
    port: String,
    /// Only these motors; all six, from the gripper to the base, if left out.
    #[arg(value_name = "MOTOR")]
    motors: Vec<String>,
}

pub(crate) fn run(args: &SetupMotorsArgs) -> Result<(), Failure> {
    let motors = if args.motors.is_empty() {
        let mut all = bus::motors();
        all.reverse();
        all
    } else {
        let named = args.motors.iter().map(|text| bus::motor(text));
        named.collect::<Result<Vec<_>, _>>().or_bad_input()?
    };
    for motor in motors {
        let text = format!(
            "Connect the controller board to the '{}' motor only and press Enter. ",
            motor.name
        );
        bus::wait_for_enter(&text).or_failed()?;
        loop {
            match set_up(&args.port, &motor) {
                Ok(before) => {
                    tell(&format!(
                        "'{}' has id {} now (it had {} at {} baud).\n",
                        motor.name, motor.id, before.id, before.baud
                    ))?;
                    break;
                }
                // What is wrong can be mended on the table; whoever has enough presses Ctrl-C.
                Err(error) => {
                    tell(&format!("{error:#}\n"))?;
                    bus::wait_for_enter("Press Enter to try again. ").or_failed()?;
                }
            }
        }
    }
    tell("Done. Connect all motors again; `forearm motors` shows them.\n")
}

/// Gives the only motor on the bus its id and the usual baud rate; answers what it had.
fn set_up(port: &str, motor: &Motor) -> anyhow::Result<Answering> {
    let name = PortName::from(port);
    let mut found = Vec::new();
    for (_, baud) in BAUD_RATES {
        found = scan_bauds(&name, [baud])?;
        if !found.is_empty() {
            break;
        }
    }
    let before = match found.as_slice() {
        [] => bail!(
            "no motor answers on {port} at any baud rate: check the power supply and the cable to \
             the motor"
        ),
        [only] => *only,
        several => {
            let ids: Vec<_> = several.iter().map(|it| it.id.to_string()).collect();
            bail!(
                "{} motors answer (ids {}): disconnect all but '{}'",
                several.len(),
                ids.join(", "),
                motor.name
            )
        }
    };
    let several = || {
        anyhow!(
            "more than one motor answers with id {}: disconnect all but '{}'",
            before.id,
            motor.name
        )
    };
    match before.model {
        Some(STS3215) => {}
        Some(model) => {
            bail!("the motor is of model {model}; an SO-100/SO-101 has STS3215 motors ({STS3215})")
        }
        None => return Err(several()),
    }
    let line = bus::open(port, before.baud)?;
    // Motors that are alike give the same answer at once, and it is understood; what they measure
    // differs.
    let measured = Job::ReadBlock {
        id: before.id,
        address: registers::PRESENT_POSITION.address,
        len: registers::PRESENT_CURRENT.end() - registers::PRESENT_POSITION.address,
    };
    match line.run(measured) {
        Err(BusError::Garbled { .. }) => return Err(several()),
        other => other?,
    };
    line.write(before.id, &registers::TORQUE_ENABLE, 0)?;
    line.write(before.id, &registers::ID, motor.id.into())?;
    let code = code_of_baud(DEFAULT_BAUD).ok_or_else(|| anyhow!("no code for {DEFAULT_BAUD}"))?;
    line.write(motor.id, &registers::BAUD_RATE, code.into())?;
    drop(line);
    // From now on it speaks at the usual rate.
    let line = bus::open_default(port)?;
    line.write(motor.id, &registers::LOCK, 1)?;
    line.ping(motor.id)?;
    Ok(before)
}
