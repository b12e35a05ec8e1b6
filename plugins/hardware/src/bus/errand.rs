//! A job under way: which question comes next, and what its answers make of it.

use super::error::BusError;
use super::job::{Block, Job, JobReply, MAX_BLOCK, places};
use super::names::Names;
use super::{MAX_SERVOS, PerServo};
use crate::codec::registers::{self, GOAL_POSITION, PRESENT_POSITION, TORQUE_ENABLE};
use crate::codec::{BROADCAST_ID, MAX_ID, PacketBuf, PacketError, Register, StatusBits};

/// Names a job that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct JobId(pub(super) u64);

/// A job and how far it is.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    /// `None`: the torque-off before closing, which nobody waits for.
    pub(super) id: Option<JobId>,
    job: Job,
    step: Step,
    /// Motors still to be done, of jobs for several: bit a motor of the bus.
    left: u16,
    values: PerServo<i32>,
    status: StatusBits,
    /// How often the present question was asked.
    times: u8,
    /// Whether broken answers came to it.
    broken: bool,
    failure: Option<BusError>,
    /// A write was not acknowledged: its register tells whether it arrived.
    unacknowledged: bool,
}

/// Which question of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The only one of most jobs.
    Main,
    /// Ping: what it is.
    Model,
    /// Write: unlock, before.
    Unlock,
    /// Write: what was kept, after.
    Check,
    /// Write: lock, last.
    Lock,
    /// Write: whether it is locked, if that was not acknowledged.
    Locked,
    /// Torque on: where the motor is.
    Where,
    /// Torque on: its goal there.
    Stay,
    /// Torque off of all, unacknowledged.
    AllOff,
}

/// Who answers a question, and with how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// Nobody.
    Nobody,
    /// One motor.
    One { id: u8, len: usize },
    /// Motors of the bus.
    Several { mask: u16, len: usize },
    /// Whoever is there.
    Everybody,
}

/// What a job does beside its answer: bit a motor of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Effect {
    /// Goals of cycles don't hold any more.
    pub(super) ends_goals: u16,
    /// Torque goes off.
    pub(super) off: u16,
    /// Torque goes on.
    pub(super) on: u16,
}

/// Where a job is after a question.
pub(super) enum Progress {
    /// There is another question.
    Goes,
    /// This is what it brought.
    Ended(Result<JobReply, BusError>),
}

impl Errand {
    /// # Errors
    /// A job that can't be done whatever the motors say.
    pub(super) fn new(id: Option<JobId>, job: Job, names: &Names) -> Result<Self, BusError> {
        check(&job, names)?;
        let (step, left) = match job {
            Job::Write { register, .. } if register.eeprom => (Step::Unlock, 0),
            Job::Torque { mask, on: true } => (Step::Where, mask & names.all()),
            Job::Torque { mask, on: false } if id.is_none() => (Step::AllOff, mask & names.all()),
            Job::Torque { mask, on: false } => (Step::Main, mask & names.all()),
            Job::ReadAll { .. } => (Step::Main, names.all()),
            _ => (Step::Main, 0),
        };
        Ok(Self {
            id,
            job,
            step,
            left,
            values: [0; MAX_SERVOS],
            status: StatusBits::OK,
            times: 0,
            broken: false,
            failure: None,
            unacknowledged: false,
        })
    }

    /// The place of the motor whose turn it is.
    fn place(&self) -> usize {
        (self.left.trailing_zeros() as usize).min(MAX_SERVOS - 1)
    }

    /// Whether there is nothing to ask: a job for no motors.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.job, Job::Torque { .. }) && self.left == 0
    }

    /// Whether the next question has no answer.
    pub(super) fn asks_nobody(&self) -> bool {
        self.step == Step::AllOff
    }

    /// Whether it is a ping, which an echo looks like.
    pub(super) fn pings(&self) -> bool {
        self.step == Step::Main && matches!(self.job, Job::Ping { .. } | Job::BroadcastPing)
    }

    /// What the job does to the motors' goals and torque.
    pub(super) fn effect(&self, names: &Names) -> Effect {
        let by_id = |id| names.place(id).map_or(0, |place| 1 << place);
        let (address, mask, value): (u8, u16, &dyn Fn(usize) -> i32) = match &self.job {
            Job::Torque { mask, on } => (TORQUE_ENABLE.address, *mask, &|_| i32::from(*on)),
            Job::Write {
                id,
                register,
                value,
            } => (register.address, by_id(*id), &|_| *value),
            Job::WriteAll {
                register,
                values,
                mask,
            } => (register.address, *mask, &|place| values[place]),
            Job::Action { id: BROADCAST_ID } => (GOAL_POSITION.address, u16::MAX, &|_| 0),
            Job::Action { id } => (GOAL_POSITION.address, by_id(*id), &|_| 0),
            _ => return Effect::default(),
        };
        let mask = mask & names.all();
        if address == GOAL_POSITION.address {
            return Effect {
                ends_goals: mask,
                ..Effect::default()
            };
        }
        if address != TORQUE_ENABLE.address {
            return Effect::default();
        }
        let of_value = |wanted| {
            let those = places(mask).filter(|place| value(*place) == wanted);
            those.fold(0, |mask, place| mask | 1 << place)
        };
        Effect {
            ends_goals: mask,
            off: of_value(0),
            on: of_value(1),
        }
    }

    /// Where a servo that is written to is found afterwards.
    fn new_id(&self) -> u8 {
        match self.job {
            Job::Write {
                id,
                register,
                value,
            } if register.address == registers::ID.address => u8::try_from(value).unwrap_or(id),
            Job::Write { id, .. } => id,
            _ => BROADCAST_ID,
        }
    }

    /// Builds the next question.
    pub(super) fn ask(
        &mut self,
        packet: &mut PacketBuf,
        names: &Names,
    ) -> Result<Expect, BusError> {
        self.times += 1;
        let place = self.place();
        let of_bus = names.id(place);
        let expect = match (self.job, self.step) {
            (Job::Ping { id }, Step::Model) => read(packet, id, &registers::MODEL_NUMBER),
            (Job::Ping { id }, _) => {
                packet.ping(id);
                Expect::One { id, len: 0 }
            }
            (Job::BroadcastPing, _) => {
                packet.ping(BROADCAST_ID);
                Expect::Everybody
            }
            (Job::Read { id, register }, _) => read(packet, id, register),
            (Job::ReadBlock { id, address, len }, _) => {
                packet.read(id, address, len);
                Expect::One {
                    id,
                    len: len.into(),
                }
            }
            (Job::ReadAll { register }, _) => {
                let mut ids = [0; MAX_SERVOS];
                let mut count = 0;
                for place in places(self.left) {
                    ids[count] = names.id(place);
                    count += 1;
                }
                if count == 1 {
                    read(packet, ids[0], register)
                } else {
                    packet.sync_read(register.address, register.size, &ids[..count])?;
                    Expect::Several {
                        mask: self.left,
                        len: register.size.into(),
                    }
                }
            }
            (Job::Write { id, .. }, Step::Unlock) => write(packet, id, &registers::LOCK, 0)?,
            (Job::Write { .. }, Step::Lock) => write(packet, self.new_id(), &registers::LOCK, 1)?,
            (Job::Write { .. }, Step::Locked) => read(packet, self.new_id(), &registers::LOCK),
            (Job::Write { register, .. }, Step::Check) => read(packet, self.new_id(), register),
            (
                Job::Write {
                    id,
                    register,
                    value,
                },
                _,
            ) => write(packet, id, register, value)?,
            (
                Job::RegWrite {
                    id,
                    register,
                    value,
                },
                _,
            ) => {
                packet.reg_write(id, register.address, &register.encode(value)?)?;
                Expect::One { id, len: 0 }
            }
            (Job::Action { id }, _) => {
                packet.action(id);
                if id == BROADCAST_ID {
                    Expect::Nobody
                } else {
                    Expect::One { id, len: 0 }
                }
            }
            (
                Job::WriteAll {
                    register,
                    values,
                    mask,
                },
                _,
            ) => {
                write_all(packet, names, register, &values, mask & names.all())?;
                Expect::Nobody
            }
            (Job::Torque { mask, .. }, Step::AllOff) => {
                let off = [0; MAX_SERVOS];
                write_all(packet, names, &TORQUE_ENABLE, &off, mask & names.all())?;
                Expect::Nobody
            }
            (Job::Torque { .. }, Step::Where) => read(packet, of_bus, &PRESENT_POSITION),
            (Job::Torque { .. }, Step::Stay) => {
                let (least, most) = GOAL_POSITION.range();
                let goal = self.values[place].clamp(least, most);
                write(packet, of_bus, &GOAL_POSITION, goal)?
            }
            (Job::Torque { on, .. }, _) => write(packet, of_bus, &TORQUE_ENABLE, on.into())?,
        };
        Ok(expect)
    }

    /// The question was answered as expected: by one motor with `data`, or by nobody.
    pub(super) fn answered(&mut self, data: &[u8], status: StatusBits) -> Progress {
        (self.times, self.broken) = (0, false);
        self.status = status;
        let done = Progress::Ended(Ok(JobReply::Done { status }));
        match (self.job, self.step) {
            (Job::Ping { .. }, Step::Main) => self.go(Step::Model),
            (Job::Ping { .. }, _) => Progress::Ended(Ok(JobReply::Pong {
                // Two bytes without a sign.
                model: registers::MODEL_NUMBER.decode(data) as u16,
                status,
            })),
            (Job::Read { register, .. }, _) => Progress::Ended(Ok(JobReply::Value {
                value: register.decode(data),
                status,
            })),
            (Job::ReadBlock { .. }, _) => {
                Progress::Ended(Ok(JobReply::Block(Block::new(data, status))))
            }
            (Job::Write { .. }, Step::Unlock) => self.go(Step::Main),
            (Job::Write { register, .. }, Step::Main) if register.eeprom => {
                if register.address == registers::BAUD_RATE.address {
                    // It listens at its new rate from here on.
                    done
                } else {
                    self.go(Step::Check)
                }
            }
            (
                Job::Write {
                    register, value, ..
                },
                Step::Check,
            ) => {
                let read = register.decode(data);
                if self.unacknowledged && read == value {
                    self.failure = None;
                } else if read != value && self.failure.is_none() {
                    self.failure = Some(not_kept(register, value, read));
                }
                if register.eeprom {
                    self.go(Step::Lock)
                } else {
                    self.end()
                }
            }
            (Job::Write { .. }, Step::Locked) => {
                let read = registers::LOCK.decode(data);
                if read != 1 && self.failure.is_none() {
                    self.failure = Some(not_kept(&registers::LOCK, 1, read));
                }
                self.end()
            }
            (Job::Write { .. }, _) => self.end(),
            (Job::Torque { .. }, Step::Where) => {
                self.values[self.place()] = PRESENT_POSITION.decode(data);
                self.go(Step::Stay)
            }
            (Job::Torque { .. }, Step::Stay | Step::AllOff) => self.go(Step::Main),
            (Job::Torque { on, .. }, _) => {
                self.next_motor(if on { Step::Where } else { Step::Main })
            }
            _ => done,
        }
    }

    /// Some or all of the motors of the bus that were asked have answered.
    pub(super) fn several(&mut self, place: usize, data: &[u8]) {
        if let Job::ReadAll { register } = self.job {
            self.values[place] = register.decode(data);
            self.left &= !(1 << place);
        }
    }

    /// Whether all motors have answered that were to.
    pub(super) fn several_end(&self) -> Option<Progress> {
        let values = self.values;
        (self.left == 0).then_some(Progress::Ended(Ok(JobReply::Values(values))))
    }

    /// Who answered a broadcast ping.
    pub(super) fn found(&self, ids: super::IdSet) -> Progress {
        Progress::Ended(Ok(JobReply::Found(ids)))
    }

    /// The question was not answered. `doubtful`: to a ping came what may be an echo.
    pub(super) fn unanswered(
        &mut self,
        broken: bool,
        retries: u8,
        doubtful: bool,
        names: &Names,
    ) -> Progress {
        self.broken |= broken;
        if self.times <= retries {
            return Progress::Goes;
        }
        if doubtful && matches!((self.job, self.step), (Job::Ping { .. }, Step::Main)) {
            self.times = 0;
            return self.go(Step::Model);
        }
        let failure = self.describe(names);
        (self.times, self.broken) = (0, false);
        match (self.job, self.step) {
            // Set not to acknowledge writes, a motor still tells its registers.
            (Job::Write { register, .. }, Step::Main)
                if register.address != registers::BAUD_RATE.address =>
            {
                self.unacknowledged = true;
                self.failure = Some(failure);
                self.go(Step::Check)
            }
            (Job::Write { .. }, Step::Unlock) => {
                self.unacknowledged = true;
                self.go(Step::Main)
            }
            (Job::Write { .. }, Step::Lock) => self.go(Step::Locked),
            (Job::Torque { on: false, .. }, _) => {
                self.failure.get_or_insert(failure);
                self.next_motor(Step::Main)
            }
            _ => {
                self.failure.get_or_insert(failure);
                self.end()
            }
        }
    }

    const fn go(&mut self, step: Step) -> Progress {
        self.step = step;
        Progress::Goes
    }

    fn next_motor(&mut self, first: Step) -> Progress {
        self.left &= self.left.wrapping_sub(1);
        if self.left == 0 {
            return self.end();
        }
        self.go(first)
    }

    fn end(&mut self) -> Progress {
        let status = self.status;
        Progress::Ended(match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(JobReply::Done { status }),
        })
    }

    /// Puts names into a failure that was found without them.
    pub(super) fn named(&self, error: BusError, names: &Names) -> BusError {
        match error {
            BusError::NotKept {
                register,
                written,
                read,
                ..
            } => BusError::NotKept {
                motor: names.describe(self.asked_id(names)),
                port: names.port().to_owned(),
                register,
                written,
                read,
            },
            other => other,
        }
    }

    /// Who is being asked.
    fn asked_id(&self, names: &Names) -> u8 {
        match self.job {
            Job::Ping { id }
            | Job::Read { id, .. }
            | Job::ReadBlock { id, .. }
            | Job::Write { id, .. }
            | Job::RegWrite { id, .. }
            | Job::Action { id } => id,
            Job::BroadcastPing => BROADCAST_ID,
            Job::ReadAll { .. } | Job::WriteAll { .. } | Job::Torque { .. } => {
                names.id(self.place())
            }
        }
    }

    fn describe(&self, names: &Names) -> BusError {
        let tell = |register: &Register| format!("tell {}", register.name);
        let set = |register: &Register, value: i32| format!("set {} to {value}", register.name);
        let asked = match (self.job, self.step) {
            (Job::Ping { .. } | Job::BroadcastPing, Step::Main) => {
                "say that it is there".to_owned()
            }
            (Job::Ping { .. } | Job::BroadcastPing, _) => tell(&registers::MODEL_NUMBER),
            (Job::Write { register, .. }, Step::Check)
            | (Job::Read { register, .. } | Job::ReadAll { register }, _) => tell(register),
            (Job::ReadBlock { address, len, .. }, _) => {
                format!("tell {len} bytes from address {address} on")
            }
            (Job::Write { .. }, Step::Unlock) => set(&registers::LOCK, 0),
            (Job::Write { .. }, Step::Lock | Step::Locked) => set(&registers::LOCK, 1),
            (
                Job::Write {
                    register, value, ..
                }
                | Job::RegWrite {
                    register, value, ..
                },
                _,
            ) => set(register, value),
            (Job::Action { .. }, _) => "carry out what it was told".to_owned(),
            (Job::WriteAll { register, .. }, _) => format!("set {}", register.name),
            (Job::Torque { .. }, Step::Where) => tell(&PRESENT_POSITION),
            (Job::Torque { .. }, Step::Stay) => set(&GOAL_POSITION, self.values[self.place()]),
            (Job::Torque { on, .. }, _) => set(&TORQUE_ENABLE, on.into()),
        };
        let motor = names.describe(self.asked_id(names));
        let (port, times) = (names.port().to_owned(), self.times);
        if self.broken {
            BusError::Garbled {
                motor,
                port,
                asked,
                times,
            }
        } else {
            BusError::NoAnswer {
                motor,
                port,
                asked,
                times,
            }
        }
    }
}

/// Without names; [`Errand::named`] puts them in.
fn not_kept(register: &Register, written: i32, read: i32) -> BusError {
    BusError::NotKept {
        motor: String::new(),
        port: String::new(),
        register: register.name,
        written,
        read,
    }
}

fn read(packet: &mut PacketBuf, id: u8, register: &Register) -> Expect {
    packet.read(id, register.address, register.size);
    Expect::One {
        id,
        len: register.size.into(),
    }
}

fn write(
    packet: &mut PacketBuf,
    id: u8,
    register: &Register,
    value: i32,
) -> Result<Expect, BusError> {
    packet.write(id, register.address, &register.encode(value)?)?;
    Ok(Expect::One { id, len: 0 })
}

/// A sync write of these motors of the bus.
pub(super) fn write_all(
    packet: &mut PacketBuf,
    names: &Names,
    register: &Register,
    values: &PerServo<i32>,
    mask: u16,
) -> Result<(), BusError> {
    let mut bytes = [[0; 2]; MAX_SERVOS];
    let size = usize::from(register.size);
    for place in places(mask) {
        bytes[place][..size].copy_from_slice(&register.encode(values[place])?);
    }
    let each = places(mask).map(|place| (names.id(place), &bytes[place][..size]));
    packet.sync_write(register.address, register.size, each)?;
    Ok(())
}

fn check(job: &Job, names: &Names) -> Result<(), BusError> {
    let (id, written) = match *job {
        Job::Ping { id } | Job::Read { id, .. } => (Some(id), None),
        Job::ReadBlock { id, len, .. } => {
            if usize::from(len) > MAX_BLOCK {
                return Err(PacketError::TooLong { got: len.into() }.into());
            }
            (Some(id), None)
        }
        Job::Write {
            id,
            register,
            value,
        }
        | Job::RegWrite {
            id,
            register,
            value,
        } => (Some(id), Some((register, value))),
        Job::Action { id } if id != BROADCAST_ID => (Some(id), None),
        Job::WriteAll {
            register,
            values,
            mask,
        } => {
            for place in places(mask & names.all()) {
                register.encode(values[place])?;
            }
            (None, Some((register, 0)))
        }
        _ => (None, None),
    };
    if let Some(id) = id.filter(|id| *id > MAX_ID) {
        return Err(BusError::NotAnId { id });
    }
    if let Some((register, value)) = written {
        if !register.writable {
            return Err(BusError::ReadOnly {
                register: register.name,
            });
        }
        register.encode(value)?;
        let is_id = register.address == registers::ID.address;
        if let Some(id) = u8::try_from(value).ok().filter(|id| is_id && *id > MAX_ID) {
            return Err(BusError::NotAnId { id });
        }
    }
    Ok(())
}
