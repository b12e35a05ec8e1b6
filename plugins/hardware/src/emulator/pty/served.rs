//! What the port's thread does: bytes in, bytes out when they are due, joints in between.

use super::link::Link;
use super::terminal::{Terminal, Waited, wait};
use super::{Order, PtyConfig, PtyError, PtyPlant, PtyReport, Told, locked};
use crate::emulator::{MAX_SERVOS, PlantCommand, ServoChain};
use crossbeam_channel::Receiver;
use std::array;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The joints move at least this often, in seconds.
const TICK_SECS: f64 = 1e-3;

/// The most bytes that are taken in at once.
const CHUNK: usize = 1024;

/// A chain, its terminal and its joints.
pub(super) struct Served {
    chain: ServoChain,
    config: PtyConfig,
    orders: Receiver<Order>,
    told: Arc<Told>,
    plugged: Option<(Terminal, Option<Link>)>,
    /// A program has the port open.
    connected: bool,
    command: PlantCommand,
    start: Instant,
    /// When the joints moved last, in seconds since the start.
    moved: f64,
}

impl Served {
    pub(super) fn new(
        chain: ServoChain,
        config: PtyConfig,
        orders: Receiver<Order>,
        told: Arc<Told>,
    ) -> Self {
        Self {
            chain,
            config,
            orders,
            told,
            plugged: None,
            connected: false,
            command: PlantCommand::default(),
            start: Instant::now(),
            moved: 0.0,
        }
    }

    pub(super) fn run(mut self) {
        forearm_workers::prefer_this_thread(&self.config.name);
        while self.obey() {
            let now = self.now();
            self.move_joints(now);
            self.exchange_bytes();
            self.tell();
            self.rest(now + TICK_SECS);
        }
        self.unplug();
    }

    /// Puts the plug in or pulls it.
    pub(super) fn plug(&mut self, into: bool) -> Result<(), PtyError> {
        if !into {
            self.unplug();
        } else if self.plugged.is_none() {
            let terminal = Terminal::open().map_err(PtyError::Terminal)?;
            let link = match &self.config.link {
                Some(path) => Some(Link::make(path, terminal.device())?),
                None => None,
            };
            *locked(&self.told.device) = Some(terminal.device().to_owned());
            self.plugged = Some((terminal, link));
        }
        self.tell();
        Ok(())
    }

    fn unplug(&mut self) {
        if let Some((terminal, link)) = self.plugged.take() {
            *locked(&self.told.device) = None;
            // The name goes first: who finds it can still open it.
            drop(link);
            drop(terminal);
        }
        self.chain.unplug();
        self.connected = false;
    }

    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Does what was ordered; answers whether to go on.
    fn obey(&mut self) -> bool {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Turn(knob) => self.chain.turn(knob),
                Order::Place(joint, radians) => {
                    if let PtyPlant::Simple(plant) = &mut self.config.plant {
                        plant.place(joint, radians);
                    }
                }
                Order::Plug(into, done) => {
                    let result = self.plug(into);
                    if done.try_send(result).is_err() {
                        tracing::debug!("nobody waits any more for the plug");
                    }
                }
                Order::Stop => return false,
            }
        }
        true
    }

    fn move_joints(&mut self, now: f64) {
        let passed = now - self.moved;
        self.moved = now;
        self.command = match &mut self.config.plant {
            PtyPlant::Simple(plant) => {
                plant.step(&self.command, passed);
                self.chain.advance(now, plant.sample())
            }
            PtyPlant::World(link) => match link.samples.pop() {
                Some(sample) => self.chain.advance(now, &sample),
                None => self.chain.pass(now),
            },
        };
        self.tell_world();
    }

    fn tell_world(&self) {
        if let PtyPlant::World(link) = &self.config.plant {
            link.commands.force_push(self.command);
        }
    }

    /// Takes in what was written and gives out what is due.
    fn exchange_bytes(&mut self) {
        let now = self.now();
        let Some((terminal, _)) = &mut self.plugged else {
            return;
        };
        let mut bytes = [0; CHUNK];
        let mut any = false;
        loop {
            let read = terminal.read(&mut bytes);
            if read == 0 {
                break;
            }
            any = true;
            self.chain.receive(now, terminal.baud(), &bytes[..read]);
        }
        while let Some(bytes) = self.chain.transmit(now) {
            terminal.write(bytes);
        }
        if any {
            // A new goal does not wait for the next tick.
            self.command = self.chain.pass(now);
            self.tell_world();
        }
    }

    /// Waits until there is something to do, at the latest until `until`.
    fn rest(&mut self, until: f64) {
        loop {
            let now = self.now();
            let due = self.chain.wait_until().unwrap_or(f64::INFINITY);
            let longest = Duration::from_secs_f64((until.min(due) - now).max(0.0));
            let Some((terminal, _)) = &self.plugged else {
                wait(longest);
                return;
            };
            match terminal.wait(if self.connected {
                longest
            } else {
                Duration::ZERO
            }) {
                Waited::Bytes => {
                    self.connected = true;
                    self.exchange_bytes();
                }
                Waited::Nothing if !self.connected => self.connected = true,
                Waited::Nothing => self.exchange_bytes(),
                Waited::Nobody => {
                    if self.connected {
                        // What is on its way to nobody is gone.
                        self.chain.unplug();
                        self.connected = false;
                    }
                    wait(Duration::from_secs_f64((until - now).max(0.0)));
                    return;
                }
            }
            if self.now() >= until {
                return;
            }
        }
    }

    fn tell(&self) {
        // A reader who holds the lock gets the next news.
        if let Ok(mut report) = self.told.report.try_lock() {
            *report = PtyReport {
                plugged: self.plugged.is_some(),
                connected: self.connected,
                injected: self.chain.injected(),
                status: array::from_fn::<_, MAX_SERVOS, _>(|servo| self.chain.status(servo)),
                command: self.command,
            };
        }
    }
}
