//! Prints the scene of a case of `forearm_sim::bench` as MJCF, for `cargo xtask bench sim`.

#![expect(
    clippy::print_stdout,
    reason = "the program's result is what it prints"
)]

use std::error::Error;
use std::sync::Arc;

use forearm_arm::so101;
use forearm_sim::bench::{Case, scene};
use forearm_sim::mjcf::{self, Actuators, Contacts};

fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1).unwrap_or_default();
    let names = Case::ALL.map(Case::name);
    let case = Case::ALL.into_iter().find(|case| case.name() == asked);
    let case = case.ok_or_else(|| {
        let names = names.join(", ");
        format!("there is no case `{asked}`; expected one of: {names}")
    })?;
    let models = [Arc::new(so101::so101())];
    // Where nothing is touched, MuJoCo does not have to look.
    let contacts = match case {
        Case::ArmAlone => Contacts::Off,
        Case::ArmFloorCube => Contacts::Default,
    };
    let text = mjcf::write(&scene(case), &models, contacts, Actuators::Position)?;
    print!("{text}");
    Ok(())
}
