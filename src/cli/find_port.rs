//! `forearm find-port`: which serial port an arm is on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use forearm_hardware::port;
use forearm_protocol::servo::PortInfo;
use serde_json::json;

use super::{Failure, OrFail, print_json, tell};

/// How often the ports are looked at while a person unplugs one.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct FindPortArgs {
    /// List the serial ports that are there, likely arms first, and end.
    #[arg(long)]
    list: bool,
    /// Print JSON on one line instead of text.
    #[arg(long)]
    json: bool,
    /// Give up when nothing was unplugged for this long, seconds.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS", value_parser = super::parse_duration)]
    wait: f64,
}

pub(crate) fn run(args: &FindPortArgs) -> Result<(), Failure> {
    let there = port::list();
    if args.list {
        return if args.json {
            print_json(&serde_json::to_value(&there).or_failed()?)
        } else {
            write_list(&there)
        };
    }
    if there.is_empty() {
        let error = anyhow!(
            "there is no serial port: plug the arm's USB cable in and try again; \
             `forearm emulate` makes one without an arm"
        );
        return Err(error).or_failed();
    }
    if !args.json {
        tell("Unplug the USB cable of the arm that you look for.\n")?;
    }
    let until = Instant::now() + Duration::from_secs_f64(args.wait);
    let gone = wait_until_gone(&there, &mut || {
        std::thread::sleep(LOOK_EVERY);
        (Instant::now() < until).then(port::list)
    })
    .or_failed()?;
    if args.json {
        return print_json(&json!({ "port": gone.name, "serial_number": gone.serial_number }));
    }
    tell(&format!(
        "It was on {}. Plug it in again.\n",
        described(&gone)
    ))?;
    if let Some(number) = &gone.serial_number {
        tell(&format!(
            "usb:{number} finds it also when the system calls it something else.\n"
        ))?;
    }
    Ok(())
}

/// Looks until one of the ports is gone; answers it. `look` waits, then answers what is there, or
/// nothing when it is too late.
fn wait_until_gone(
    before: &[PortInfo],
    look: &mut dyn FnMut() -> Option<Vec<PortInfo>>,
) -> anyhow::Result<PortInfo> {
    while let Some(now) = look() {
        let names: BTreeSet<_> = now.iter().map(|port| &port.name).collect();
        let mut gone = before.iter().filter(|port| !names.contains(&port.name));
        match (gone.next(), gone.next()) {
            (Some(port), None) => return Ok(port.clone()),
            (Some(one), Some(other)) => {
                return Err(anyhow!(
                    "{} and {} went away together; plug them in again and unplug one cable only",
                    one.name,
                    other.name
                ));
            }
            (None, _) => {}
        }
    }
    let names: Vec<_> = before.iter().map(|port| port.name.as_str()).collect();
    Err(anyhow!(
        "none of {} went away; unplug the cable between arm and computer, not the power, \
         and try again",
        names.join(", ")
    ))
}

fn described(port: &PortInfo) -> String {
    match &port.product {
        Some(product) => format!("{} ({product})", port.name),
        None => port.name.clone(),
    }
}

fn write_list(ports: &[PortInfo]) -> Result<(), Failure> {
    if ports.is_empty() {
        return tell("There is no serial port; plug the arm's USB cable in.\n");
    }
    let width = ports.iter().map(|port| port.name.len()).max().unwrap_or(0);
    for port in ports {
        let mut line = format!("{:width$}", port.name);
        if let Some((vendor, product)) = port.usb {
            line += &format!("  {vendor:04x}:{product:04x}");
        }
        for text in [&port.product, &port.serial_number].into_iter().flatten() {
            line += &format!("  {text}");
        }
        if port.likely_arm {
            line += "  (likely an arm)";
        }
        tell(&format!("{line}\n"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(names: &[&str]) -> Vec<PortInfo> {
        let port = |name: &&str| PortInfo {
            name: (*name).to_owned(),
            ..PortInfo::default()
        };
        names.iter().map(port).collect()
    }

    fn found(looks: &[&[&str]]) -> anyhow::Result<String> {
        let mut looks = looks.iter();
        let before = ports(&["a", "b"]);
        wait_until_gone(&before, &mut || looks.next().map(|names| ports(names)))
            .map(|port| port.name)
    }

    #[test]
    fn the_port_that_goes_away_is_the_one() {
        assert_eq!(
            found(&[&["a", "b"], &["a", "b", "c"], &["b", "c"]]).ok(),
            Some("a".to_owned())
        );
        let both = found(&[&[]]).expect_err("which one?").to_string();
        assert!(both.contains("a and b went away"), "{both}");
        let none = found(&[&["a", "b"]]).expect_err("none").to_string();
        assert!(none.contains("none of a, b"), "{none}");
    }
}
