//! A program that talks to a chain of servos in simulated time.

use forearm_hardware::codec::registers::{self as reg, Register};
use forearm_hardware::codec::{Direction, PacketBuf, Parser};
use forearm_hardware::emulator::{ChainConfig, PlantCommand, ServoChain, SimplePlant, Wire};

/// What one servo answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) id: u8,
    pub(crate) status: u8,
    pub(crate) data: Vec<u8>,
}

pub(crate) struct Host {
    pub(crate) chain: ServoChain,
    pub(crate) plant: SimplePlant,
    pub(crate) command: PlantCommand,
    pub(crate) now: f64,
    pub(crate) baud: u32,
    packet: PacketBuf,
}

impl Host {
    /// Six servos on a wire that takes no time.
    pub(crate) fn instant() -> Self {
        Self::new(&ChainConfig {
            wire: Wire::INSTANT,
            ..ChainConfig::default()
        })
    }

    pub(crate) fn new(config: &ChainConfig) -> Self {
        Self {
            chain: ServoChain::new(config),
            plant: SimplePlant::default(),
            command: PlantCommand::default(),
            now: 0.0,
            baud: 1_000_000,
            packet: PacketBuf::new(),
        }
    }

    /// Writes bytes, waits until all is said, and answers the raw bytes that came back.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.chain.receive(self.now, Some(self.baud), bytes);
        let mut got = Vec::new();
        while let Some(due) = self.chain.wait_until() {
            self.now = self.now.max(due);
            while let Some(bytes) = self.chain.transmit(self.now) {
                got.extend_from_slice(bytes);
            }
        }
        got
    }

    pub(crate) fn ask(&mut self, build: impl FnOnce(&mut PacketBuf)) -> Vec<Reply> {
        build(&mut self.packet);
        let bytes = self.packet.as_bytes().to_vec();
        let mut replies = Vec::new();
        let got = self.raw(&bytes);
        Parser::new(Direction::Replies).feed(&got, |frame| {
            replies.push(Reply {
                id: frame.id,
                status: frame.code,
                data: frame.params.to_vec(),
            });
        });
        replies
    }

    /// The value and the status of one servo's register.
    pub(crate) fn read(&mut self, id: u8, register: &Register) -> (i32, u8) {
        let replies = self.ask(|packet| {
            packet.read(id, register.address, register.size);
        });
        assert_eq!(replies.len(), 1, "{register} of servo {id}");
        assert_eq!(replies[0].data.len(), usize::from(register.size));
        (register.decode(&replies[0].data), replies[0].status)
    }

    pub(crate) fn get(&mut self, id: u8, register: &Register) -> i32 {
        self.read(id, register).0
    }

    /// Writes a register; answers the status.
    pub(crate) fn set(&mut self, id: u8, register: &Register, value: i32) -> u8 {
        let replies = self.ask(|packet| {
            let value = register.encode(value).expect("a value that fits");
            packet
                .write(id, register.address, &value)
                .expect("a short packet");
        });
        assert_eq!(replies.len(), 1, "{register} of servo {id}");
        assert!(replies[0].data.is_empty());
        replies[0].status
    }

    /// Lets time pass, with the joints following their servos.
    pub(crate) fn run(&mut self, secs: f64) {
        let end = self.now + secs;
        while self.now < end {
            self.now += 1e-3;
            self.command = self.chain.advance(self.now, self.plant.sample());
            self.plant.step(&self.command, 1e-3);
        }
    }

    /// Moves a joint by hand to where the encoder of its servo (not yet calibrated) is at `ticks`.
    pub(crate) fn place_ticks(&mut self, servo: usize, ticks: f64) {
        self.plant
            .place(servo, (ticks - 2048.0) / 4096.0 * std::f64::consts::TAU);
        self.run(0.002);
    }

    pub(crate) fn position(&mut self, id: u8) -> i32 {
        self.get(id, &reg::PRESENT_POSITION)
    }
}
