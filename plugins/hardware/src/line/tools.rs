//! What command line tools ask of a line, waiting for the answer. Not for services.

use std::time::Duration;

use super::{CloseAction, Line, LineConfig, LineState};
use crate::bus::{BusConfig, BusError, IdSet, Job, JobReply};
use crate::codec::{MAX_ID, Register, StatusBits};
use crate::port::PortName;

/// No job takes longer, however often it is asked again.
const JOB: Duration = Duration::from_secs(10);
/// How long opening a port may take.
const OPENING: Duration = Duration::from_secs(3);

/// A motor that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answering {
    /// The rate at which it did.
    pub baud: u32,
    /// Its id.
    pub id: u8,
    /// Its model number; 777 for an STS3215. `None` if it did not tell.
    pub model: Option<u16>,
}

impl Line {
    /// Waits until the port is open.
    ///
    /// # Errors
    /// [`BusError::Disconnected`] as soon as it can't be opened; [`BusError::TooLate`].
    pub fn wait_connected(&self, timeout: Duration) -> Result<(), BusError> {
        let port = self.port().to_owned();
        match self.wait_state(timeout, |state| *state != LineState::Connecting) {
            LineState::Connected => Ok(()),
            LineState::Lost { why } => Err(BusError::Disconnected { port, why }),
            LineState::Closed => Err(BusError::Closed { port }),
            LineState::Connecting => Err(BusError::TooLate {
                port,
                secs: timeout.as_secs(),
            }),
        }
    }

    /// Does a job and waits for its answer.
    ///
    /// # Errors
    /// What the job failed with.
    pub fn run(&self, job: Job) -> Result<JobReply, BusError> {
        self.submit(job).wait(JOB)
    }

    /// Whether a motor is there; its model number (777 for an STS3215) and what it complains of.
    ///
    /// # Errors
    /// [`BusError::NoAnswer`] if it is not.
    pub fn ping(&self, id: u8) -> Result<(u16, StatusBits), BusError> {
        match self.run(Job::Ping { id })? {
            JobReply::Pong { model, status } => Ok((model, status)),
            _ => Ok((0, StatusBits::OK)),
        }
    }

    /// A register's value.
    ///
    /// # Errors
    /// What the job failed with.
    pub fn read(&self, id: u8, register: &'static Register) -> Result<i32, BusError> {
        match self.run(Job::Read { id, register })? {
            JobReply::Value { value, .. } => Ok(value),
            _ => Ok(0),
        }
    }

    /// Sets a register; answers what the motor complains of.
    ///
    /// # Errors
    /// What the job failed with.
    pub fn write(
        &self,
        id: u8,
        register: &'static Register,
        value: i32,
    ) -> Result<StatusBits, BusError> {
        let job = Job::Write {
            id,
            register,
            value,
        };
        match self.run(job)? {
            JobReply::Done { status } => Ok(status),
            _ => Ok(StatusBits::OK),
        }
    }

    /// Switches torque of motors of the bus (bit a motor); on only where they stand.
    ///
    /// # Errors
    /// What the job failed with.
    pub fn torque(&self, mask: u16, on: bool) -> Result<(), BusError> {
        self.run(Job::Torque { mask, on }).map(drop)
    }

    /// Who answers when all are asked at once. Two motors with one id spoil each other's answer.
    ///
    /// # Errors
    /// What the job failed with.
    pub fn broadcast_ping(&self) -> Result<IdSet, BusError> {
        match self.run(Job::BroadcastPing)? {
            JobReply::Found(ids) => Ok(ids),
            _ => Ok(IdSet::default()),
        }
    }

    /// Asks one id after the other: slower than [`Line::broadcast_ping`], and it also finds motors
    /// that don't answer that. Who does not answer is left out.
    ///
    /// # Errors
    /// When the port is gone.
    pub fn scan(
        &self,
        ids: impl IntoIterator<Item = u8>,
        baud: u32,
    ) -> Result<Vec<Answering>, BusError> {
        let mut found = Vec::new();
        for id in ids.into_iter().filter(|id| *id <= MAX_ID) {
            let model = match self.ping(id) {
                Ok((model, _)) => Some(model),
                // Something is there and can't be understood.
                Err(BusError::Garbled { .. }) => None,
                Err(BusError::NoAnswer { .. }) => continue,
                Err(error) => return Err(error),
            };
            found.push(Answering { baud, id, model });
        }
        Ok(found)
    }
}

/// Opens a port at one rate after the other and asks who is there.
///
/// # Errors
/// When the port can't be opened, or goes away.
pub fn scan_bauds(
    port: &PortName,
    bauds: impl IntoIterator<Item = u32>,
) -> Result<Vec<Answering>, BusError> {
    let mut found = Vec::new();
    for baud in bauds {
        let config = LineConfig {
            bus: BusConfig {
                baud,
                cycle: false,
                ..BusConfig::default()
            },
            on_drop: CloseAction::Hold,
        };
        let line = Line::open(port.clone(), config)?;
        line.wait_connected(OPENING)?;
        let ids = line.broadcast_ping()?;
        found.extend(line.scan(ids.iter(), baud)?);
    }
    Ok(found)
}
