//! Several servos on one bus: who is asked, who answers, and when.

use super::faults::{Faults, Injected, Injector, ReplyFault};
use super::reply::Outbox;
use super::servo::{Servo, ServoConfig};
use super::wire::Wire;
use super::{MAX_SERVOS, PlantCommand, PlantSample};
use crate::codec::model::DEFAULT_BAUD;
use crate::codec::{
    BROADCAST_ID, Direction, Frame, Instruction, MAX_ID, MAX_PACKET, PacketBuf, Parser, StatusBits,
};

/// A request that is not finished after this long is forgotten, in seconds.
const REQUEST_GAP_SECS: f64 = 0.02;

/// The most register bytes of a reply.
const MAX_DATA: usize = MAX_PACKET - 6;

/// A chain of servos and what is between them and a program.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainConfig {
    /// The servos; those after [`MAX_SERVOS`] are left out.
    pub servos: Vec<ServoConfig>,
    /// What saying something takes.
    pub wire: Wire,
    /// What goes wrong.
    pub faults: Faults,
    /// Decides what goes wrong when.
    pub seed: u64,
    /// The supply, in volts.
    pub volts: f64,
}

impl Default for ChainConfig {
    /// The six servos of an SO-100 or SO-101 after `setup-motors`, at 7.4 V, not calibrated.
    fn default() -> Self {
        Self {
            servos: (1..=6)
                .map(|id| ServoConfig {
                    id,
                    ..ServoConfig::default()
                })
                .collect(),
            wire: Wire::default(),
            faults: Faults::default(),
            seed: 1,
            volts: 7.4,
        }
    }
}

/// Something to change while a chain is in use. Servos are counted from 0, by their place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Knob {
    /// Other chances for faults.
    Faults(Faults),
    /// Another wire.
    Wire(Wire),
    /// Another supply, in volts. Servos complain outside of their limits and go on.
    Volts(f64),
    /// The supply goes off (nobody answers, torque is gone) and on (registers start over, torque
    /// stays off): what a brown-out does.
    Power(bool),
    /// This servo has been blocked for too long, now.
    Overload(usize),
    /// This servo is this hot, in degrees Celsius; `None` for as hot as it is.
    Temperature(usize, Option<f64>),
    /// This servo's cable is pulled (it has no power and hears nothing) or put back in: new servos
    /// get their ids one by one.
    Attached(usize, bool),
}

/// Virtual servos behind one bus. Hand it the bytes that a program writes, take the bytes that the
/// program can read, and tell it where the joints are.
///
/// `now` is in seconds and never goes back.
#[derive(Debug, Clone)]
pub struct ServoChain {
    parser: Parser,
    heard_secs: f64,
    bus: Bus,
}

#[derive(Debug, Clone)]
struct Bus {
    servos: Vec<Servo>,
    powered: bool,
    wire: Wire,
    injector: Injector,
    outbox: Outbox,
    /// When the program's last request is over on the wire.
    request_end: f64,
    packet: PacketBuf,
}

/// Time on the wire while one request is answered.
#[derive(Debug, Clone, Copy)]
struct Clock {
    baud: u32,
    /// When the last word was over.
    silent_since: f64,
}

impl ServoChain {
    /// A chain whose power is on and whose joints are at 0 rad.
    #[must_use]
    pub fn new(config: &ChainConfig) -> Self {
        Self {
            parser: Parser::new(Direction::Requests),
            heard_secs: f64::NEG_INFINITY,
            bus: Bus {
                servos: config
                    .servos
                    .iter()
                    .take(MAX_SERVOS)
                    .map(|servo| Servo::new(servo, config.volts))
                    .collect(),
                powered: true,
                wire: config.wire,
                injector: Injector::new(config.faults, config.seed),
                outbox: Outbox::new(),
                request_end: f64::NEG_INFINITY,
                packet: PacketBuf::new(),
            },
        }
    }

    /// Takes in what a program wrote at `now`. `baud` is the program's; `None` where it can't be
    /// known, then it is 1 Mbaud. Servos of another rate understand nothing.
    pub fn receive(&mut self, now: f64, baud: Option<u32>, bytes: &[u8]) {
        if now - self.heard_secs > REQUEST_GAP_SECS {
            self.parser.clear();
        }
        self.heard_secs = now;
        let baud = baud.unwrap_or(DEFAULT_BAUD);
        let Self { parser, bus, .. } = self;
        bus.step(now);
        if bus.injector.faults.echo {
            bus.echo(now, baud, bytes);
        }
        parser.feed(bytes, |frame| bus.request(now, baud, frame));
    }

    /// The next bytes that the program can read at `now`, packet by packet; ask until there are
    /// none.
    pub fn transmit(&mut self, now: f64) -> Option<&[u8]> {
        self.bus.outbox.take(now)
    }

    /// When there will be bytes to read; `None` if none are on their way.
    #[must_use]
    pub fn wait_until(&self) -> Option<f64> {
        self.bus.outbox.due()
    }

    /// Tells where the joints are, lets time pass, and answers where they are driven.
    pub fn advance(&mut self, now: f64, sample: &PlantSample) -> PlantCommand {
        for (index, servo) in self.bus.servos.iter_mut().enumerate() {
            servo.observe(
                now,
                sample.positions[index],
                sample.velocities[index],
                sample.efforts[index],
            );
        }
        self.bus.step(now);
        self.command()
    }

    /// Lets time pass without news of the joints, and answers where they are driven.
    pub fn pass(&mut self, now: f64) -> PlantCommand {
        self.bus.step(now);
        self.command()
    }

    /// Changes something.
    pub fn turn(&mut self, knob: Knob) {
        let servos = &mut self.bus.servos;
        match knob {
            Knob::Faults(faults) => self.bus.injector.faults = faults,
            Knob::Wire(wire) => self.bus.wire = wire,
            Knob::Volts(volts) => {
                for servo in servos {
                    servo.protection.volts = volts;
                }
            }
            Knob::Power(on) => {
                if on && !self.bus.powered {
                    servos.iter_mut().for_each(Servo::power_up);
                }
                self.bus.powered = on;
                self.parser.clear();
                self.bus.outbox.clear();
            }
            Knob::Overload(servo) => {
                if let Some(servo) = servos.get_mut(servo) {
                    servo.force_overload();
                }
            }
            Knob::Attached(servo, attached) => {
                if let Some(servo) = servos.get_mut(servo) {
                    servo.attach(attached);
                }
            }
            Knob::Temperature(servo, celsius) => {
                if let Some(servo) = servos.get_mut(servo) {
                    servo.protection.forced_temperature = celsius;
                }
            }
        }
    }

    /// Forgets what is on its way: the plug was pulled. The servos don't notice.
    pub fn unplug(&mut self) {
        self.parser.clear();
        self.bus.outbox.clear();
    }

    /// What went wrong so far.
    #[must_use]
    pub fn injected(&self) -> Injected {
        self.bus.injector.injected
    }

    /// How many servos there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bus.servos.len()
    }

    /// Whether there is no servo.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bus.servos.is_empty()
    }

    /// The status that this servo (counted from 0) reports; nothing for one that isn't there.
    #[must_use]
    pub fn status(&self, servo: usize) -> StatusBits {
        self.bus
            .servos
            .get(servo)
            .map_or(StatusBits::OK, Servo::status)
    }

    fn command(&self) -> PlantCommand {
        let mut command = PlantCommand::default();
        for (index, servo) in self.bus.servos.iter().enumerate() {
            match servo.drive().filter(|_| self.bus.powered) {
                Some((target, fraction)) => {
                    command.torque |= 1 << index;
                    command.targets[index] = target;
                    command.fractions[index] = fraction;
                }
                None => command.targets[index] = servo.angle(),
            }
        }
        command
    }
}

impl Bus {
    fn step(&mut self, now: f64) {
        for servo in &mut self.servos {
            servo.step(now);
        }
    }

    fn echo(&mut self, now: f64, baud: u32, bytes: &[u8]) {
        for piece in bytes.chunks(MAX_PACKET) {
            let end = now + self.wire.to_bus_secs + self.wire.seconds(piece.len(), baud);
            self.outbox.bytes(end + self.wire.from_bus_secs, end, piece);
        }
    }

    /// One good request, written at `now`.
    fn request(&mut self, now: f64, baud: u32, frame: Frame<'_>) {
        let start = self.request_end.max(now + self.wire.to_bus_secs);
        let end = start + self.wire.seconds(frame.params.len() + 6, baud);
        self.request_end = end;
        let lost = self.injector.request_is_lost();
        // An echo is on the wire with its request, not against it.
        if !self.injector.faults.echo && self.outbox.collide(start) {
            self.injector.injected.collisions += 1;
            return;
        }
        if lost || !self.powered {
            return;
        }
        let mut clock = Clock {
            baud,
            silent_since: end,
        };
        let Some(instruction) = Instruction::from_code(frame.code) else {
            return;
        };
        match (instruction, frame.params) {
            (Instruction::Ping, []) => self.ping(&mut clock, frame.id),
            (Instruction::Read, [address, len]) => {
                self.read(&mut clock, frame.id, *address, *len);
            }
            (Instruction::Write, [address, data @ ..]) => {
                self.change(&mut clock, frame.id, |servo| servo.write(*address, data));
            }
            (Instruction::RegWrite, [address, data @ ..]) => {
                self.change(&mut clock, frame.id, |servo| {
                    servo.register_write(*address, data);
                });
            }
            (Instruction::Action, []) => self.change(&mut clock, frame.id, Servo::action),
            (Instruction::SyncRead, [address, len, ids @ ..]) => {
                for id in ids {
                    self.read(&mut clock, *id, *address, *len);
                }
            }
            (Instruction::SyncWrite, [address, len, values @ ..]) => {
                for value in values.chunks_exact(usize::from(*len) + 1) {
                    for servo in heard(&mut self.servos, baud, value[0]) {
                        servo.write(*address, &value[1..]);
                    }
                }
            }
            // No servo understands a request with too few or too many parameters.
            _ => {}
        }
    }

    fn ping(&mut self, clock: &mut Clock, id: u8) {
        if id != BROADCAST_ID {
            self.reply(clock, id, None);
            return;
        }
        for each in 0..BROADCAST_ID {
            if heard(&mut self.servos, clock.baud, each).next().is_some() {
                self.reply(clock, each, None);
            }
        }
    }

    /// One servo's registers; the time of the reply passes also if it is not there.
    fn read(&mut self, clock: &mut Clock, id: u8, address: u8, len: u8) {
        if usize::from(len) > MAX_DATA || id == BROADCAST_ID {
            return;
        }
        if heard(&mut self.servos, clock.baud, id).next().is_some() {
            self.reply(clock, id, Some((address, len)));
        } else {
            clock.silent_since +=
                self.wire.turnaround_secs + self.wire.seconds(usize::from(len) + 6, clock.baud);
        }
    }

    fn change(&mut self, clock: &mut Clock, id: u8, mut change: impl FnMut(&mut Servo)) {
        let baud = clock.baud;
        if id == BROADCAST_ID {
            heard(&mut self.servos, baud, id).for_each(change);
            return;
        }
        // A reply tells what was before: a new id, baud rate or response level counts from the
        // next request on.
        if heard(&mut self.servos, baud, id).any(|servo| servo.answers_everything()) {
            self.reply(clock, id, None);
        }
        heard(&mut self.servos, baud, id).for_each(&mut change);
    }

    /// What the servos of this id answer. Several at once pull the line down wherever one of them
    /// does: equal replies look like one, others come out wrong.
    fn reply(&mut self, clock: &mut Clock, id: u8, registers: Option<(u8, u8)>) {
        let mut data = [0; MAX_DATA];
        let mut line = [0xFF; MAX_PACKET];
        let mut len = 0;
        let mut delay: f64 = 0.0;
        for servo in heard(&mut self.servos, clock.baud, id) {
            let data = match registers {
                Some((address, len)) => {
                    let data = &mut data[..usize::from(len)];
                    servo.read(clock.silent_since, address, data);
                    &*data
                }
                None => &[],
            };
            let Ok(bytes) = self.packet.status(id, servo.status(), data) else {
                return;
            };
            for (shared, byte) in line.iter_mut().zip(bytes) {
                *shared &= byte;
            }
            len = len.max(bytes.len());
            delay = delay.max(servo.return_delay());
        }
        if len == 0 {
            return;
        }
        let start = clock.silent_since + self.wire.turnaround_secs + delay;
        let end = start + self.wire.seconds(len, clock.baud);
        clock.silent_since = end;
        self.send(end, &mut line[..len]);
    }

    /// Sends a reply whose last bit is on the wire at `end`, with what goes wrong with it.
    fn send(&mut self, end: f64, line: &mut [u8]) {
        let mut due = end + self.wire.from_bus_secs;
        match self.injector.reply() {
            ReplyFault::None => {}
            ReplyFault::Drop => return,
            ReplyFault::Corrupt(place, bits) => {
                let place = (place % line.len().max(1) as u64) as usize;
                if let Some(byte) = line.get_mut(place) {
                    *byte ^= bits;
                }
            }
            ReplyFault::Delay(secs) => due += secs,
            ReplyFault::WrongId(shift) => {
                if let [_, _, id, .., sum] = line {
                    let other = (*id).wrapping_add(shift) % (MAX_ID + 1);
                    *sum = sum.wrapping_add(*id).wrapping_sub(other);
                    *id = other;
                }
            }
        }
        self.outbox.bytes(due, end, line);
    }
}

/// The servos that understand this rate and are meant by this id.
fn heard(servos: &mut [Servo], baud: u32, id: u8) -> impl Iterator<Item = &mut Servo> {
    servos.iter_mut().filter(move |servo| {
        servo.attached() && servo.baud() == baud && (id == BROADCAST_ID || servo.id() == id)
    })
}
