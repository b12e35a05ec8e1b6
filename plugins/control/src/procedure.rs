//! What takes more than a tick, written down in order: sequences of jobs on a servo bus.
//!
//! A [`Procedure`] is an `async` block that the loop polls once a tick; it waits for a bus' answers
//! (or a person) without keeping the loop. There is no executor and nothing wakes it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use forearm_hardware::bus::{BusError, Job, JobReply};
use forearm_hardware::codec::Register;

use crate::line::BusLine;

/// Something under way that comes to a `T`.
pub(crate) struct Procedure<T>(Pin<Box<dyn Future<Output = T> + Send>>);

impl<T> Procedure<T> {
    /// Begins at the first [`Procedure::poll`].
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Box::pin(work))
    }

    /// Goes as far as it can without waiting; answers what it came to, once. It must not be polled
    /// again after that.
    pub(crate) fn poll(&mut self) -> Option<T> {
        match self
            .0
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }
}

/// Jobs on one bus, for procedures.
#[derive(Clone)]
pub(crate) struct Jobs {
    line: Arc<dyn BusLine>,
}

impl Jobs {
    pub(crate) fn new(line: &Arc<dyn BusLine>) -> Self {
        Self {
            line: Arc::clone(line),
        }
    }

    /// Does a job.
    pub(crate) async fn run(&self, job: Job) -> Result<JobReply, BusError> {
        let mut ticket = self.line.submit(job)?;
        poll_fn(|_| match ticket.try_take() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        })
        .await
    }

    /// Reads a register of one motor.
    pub(crate) async fn read(&self, id: u8, register: &'static Register) -> Result<i32, BusError> {
        match self.run(Job::Read { id, register }).await? {
            JobReply::Value { value, .. } => Ok(value),
            _ => Ok(0),
        }
    }

    /// Writes a register of one motor.
    pub(crate) async fn write(
        &self,
        id: u8,
        register: &'static Register,
        value: i32,
    ) -> Result<(), BusError> {
        let job = Job::Write {
            id,
            register,
            value,
        };
        self.run(job).await.map(drop)
    }

    /// Writes a register that may hold the value already: what is kept without power wears out.
    pub(crate) async fn ensure(
        &self,
        id: u8,
        register: &'static Register,
        value: i32,
    ) -> Result<(), BusError> {
        if self.read(id, register).await? == value {
            return Ok(());
        }
        self.write(id, register, value).await
    }

    /// Switches torque of the motors of `mask`; on begins where each of them is.
    pub(crate) async fn torque(&self, mask: u16, on: bool) -> Result<(), BusError> {
        self.run(Job::Torque { mask, on }).await.map(drop)
    }
}
