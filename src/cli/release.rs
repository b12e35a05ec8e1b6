//! `forearm release`: switches the torque of all motors off.

use anyhow::anyhow;
use forearm_hardware::codec::registers;

use super::{Failure, OrFail, bus, tell};

#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// The serial port, such as /dev/ttyACM0, COM5 or usb:SERIALNUMBER.
    #[arg(value_parser = super::parse_port)]
    port: String,
    /// Only these motors, names or ids; all six if left out.
    #[arg(value_name = "MOTOR")]
    motors: Vec<String>,
}

pub(crate) fn run(args: &ReleaseArgs) -> Result<(), Failure> {
    let motors = if args.motors.is_empty() {
        bus::motors()
    } else {
        let named = args.motors.iter().map(|text| bus::motor(text));
        named.collect::<Result<_, _>>().or_bad_input()?
    };
    let line = bus::open_default(&args.port).or_failed()?;
    // One that fails must not keep the others from going limp.
    let failures: Vec<_> = motors
        .iter()
        .filter_map(|motor| line.write(motor.id, &registers::TORQUE_ENABLE, 0).err())
        .collect();
    let released = motors.len() - failures.len();
    tell(&format!("{released} of {} motors released\n", motors.len()))?;
    match failures.into_iter().next() {
        None => Ok(()),
        Some(first) => Err(anyhow!("{first}")).or_failed(),
    }
}
