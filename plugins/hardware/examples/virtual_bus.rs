//! Serves six virtual servos on a pseudo-terminal until its input ends, with joints that have no
//! world: `cargo run --release -p forearm_hardware --example virtual_bus -- [link]`. Prints the path
//! to open; each line of input asks for a report.

use forearm_hardware::emulator::pty::{PtyConfig, VirtualPort};
use forearm_hardware::emulator::{ChainConfig, ServoChain};
use std::io::{BufRead as _, Write as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let chain = ServoChain::new(&ChainConfig::default());
    let port = VirtualPort::open(
        chain,
        PtyConfig {
            link: std::env::args_os().nth(1).map(Into::into),
            ..PtyConfig::default()
        },
    )?;
    let mut out = std::io::stdout();
    let path = port.handle().path().unwrap_or_default();
    writeln!(out, "{}", path.display())?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        line?;
        writeln!(out, "{:?}", port.handle().report())?;
    }
    Ok(())
}
