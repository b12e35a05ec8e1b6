//! A servo bus as the loop uses it: the newest sample, goals, jobs. Nothing here waits.
//!
//! [`open`] opens one by its port's name: a serial port, whose bytes another thread moves, or
//! [`EMULATED`] and the name of an arm of the scene that is [served](crate::serve) in memory, which
//! the loop moves itself, in its own time.

mod emulated;
#[cfg(not(target_family = "wasm"))]
mod native;
mod serial;
#[cfg(target_family = "wasm")]
mod web;

use std::sync::Arc;

use forearm_hardware::bus::{BusError, Counters, Goals, Job, JobReply, Sample};
use forearm_protocol::servo::PortInfo;

#[cfg(not(target_family = "wasm"))]
use native as platform;
#[cfg(target_family = "wasm")]
use web as platform;

use crate::config::OnExit;
use crate::serve::Served;

/// What the name of a port begins with that is an arm of the scene, served in memory.
pub const EMULATED: &str = "emulated:";

/// How a line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// It is being opened.
    Connecting,
    /// Bytes travel.
    Connected,
    /// The port is gone, and looked for again. Why, and what to do.
    Lost(String),
}

/// What a line is opened with.
#[derive(Debug, Clone)]
pub(crate) struct LineSpec {
    /// The port's name.
    pub(crate) port: String,
    /// The motors' ids, in the order of samples and goals, and their names.
    pub(crate) motors: Vec<(u8, String)>,
    /// How long nothing may be commanded, seconds, before goals are written no more.
    pub(crate) silence_secs: f64,
    /// What becomes of the motors when it is dropped.
    pub(crate) on_exit: OnExit,
}

/// A bus that runs by itself.
pub(crate) trait BusLine: Send + Sync {
    /// How it stands.
    fn link(&self) -> Link;

    /// The newest sample, if there ever was one.
    fn latest(&self) -> Option<Sample>;

    /// Goals from now on. Those for another generation than the present one are dropped.
    fn command(&self, goals: &Goals);

    /// Has something done between two cycles.
    fn submit(&self, job: Job) -> Result<JobTicket, BusError>;

    /// What is counted.
    fn counters(&self) -> Counters;

    /// Ends it; jobs fail from now on. Dropping it does the same.
    fn close(&self, action: OnExit);

    /// Moves on one that has no thread of its own to this time.
    fn pump(&self, _now_secs: f64) {}
}

/// A job's answer, to be looked for.
pub(crate) struct JobTicket(Box<dyn FnMut() -> Option<Result<JobReply, BusError>> + Send>);

impl JobTicket {
    pub(crate) fn new(
        take: impl FnMut() -> Option<Result<JobReply, BusError>> + Send + 'static,
    ) -> Self {
        Self(Box::new(take))
    }

    /// The answer, once, when it has come.
    pub(crate) fn try_take(&mut self) -> Option<Result<JobReply, BusError>> {
        (self.0)()
    }
}

/// Opens a line, at once: [`BusLine::link`] tells how it goes.
///
/// # Errors
/// There can be no such line: what to do.
pub(crate) fn open(spec: LineSpec, served: &[Served]) -> Result<Arc<dyn BusLine>, String> {
    match spec.port.strip_prefix(EMULATED) {
        Some(name) => {
            let found = served.iter().find(|served| served.name() == name);
            let wire = found.and_then(Served::wire).ok_or_else(|| {
                format!("no arm `{name}` is served in memory; serve it, or choose another port")
            })?;
            emulated::open(&spec, wire)
        }
        None => serial::open(&spec),
    }
}

/// Tells which serial ports there are, or why there can't be any and what to do, from wherever that
/// may take its time.
///
/// # Errors
/// They can't be looked for now.
pub(crate) fn list_ports(
    tell: impl FnOnce(Result<Vec<PortInfo>, String>) + Send + 'static,
) -> Result<(), String> {
    platform::list_ports(tell)
}

/// Drops what has lines that are not wanted any more, without keeping the loop.
pub(crate) fn retire(old: impl Send + 'static) {
    platform::retire(old);
}
