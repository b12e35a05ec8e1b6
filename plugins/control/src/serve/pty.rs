//! Serving on a pseudo-terminal: a thread of its own moves the bytes.

use std::path::PathBuf;

use forearm_hardware::emulator::pty::{PlantLink, PtyConfig, PtyError, PtyPlant, VirtualPort};
use forearm_hardware::emulator::{Injected, Knob, PlantCommand, PlantSample, ServoChain};

/// A chain on a pseudo-terminal, whose joints are the world's.
pub(super) struct Outlet {
    port: VirtualPort,
    plant: PlantLink,
    place: String,
    /// What the servos wanted last.
    command: PlantCommand,
}

impl Outlet {
    pub(super) fn open(name: &str, link: Option<&str>, chain: ServoChain) -> Result<Self, String> {
        let plant = PlantLink::default();
        let config = PtyConfig {
            name: name.to_owned(),
            link: link.map(PathBuf::from),
            plant: PtyPlant::World(plant.clone()),
        };
        let port = VirtualPort::open(chain, config)
            .map_err(|error| format!("arm `{name}` can't be served: {error}"))?;
        let path = port.handle().path();
        let place = path.map_or_else(|| name.to_owned(), |path| path.display().to_string());
        tracing::info!("arm `{name}` is served at {place}");
        Ok(Self {
            port,
            plant,
            place,
            command: PlantCommand::default(),
        })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn exchange(&mut self, sample: &PlantSample) -> PlantCommand {
        self.plant.observe(sample);
        if let Some(command) = self.plant.command() {
            self.command = command;
        }
        self.command
    }

    pub(super) fn injected(&self) -> Injected {
        self.port.handle().report().injected
    }

    pub(super) fn plug(&self, into: bool) {
        let handle = self.port.handle();
        told(if into {
            handle.replug()
        } else {
            handle.unplug()
        });
    }

    pub(super) fn turn(&self, knob: Knob) {
        told(self.port.handle().turn(knob));
    }
}

fn told(result: Result<(), PtyError>) {
    if let Err(error) = result {
        tracing::warn!("an incident did not happen: {error}");
    }
}
