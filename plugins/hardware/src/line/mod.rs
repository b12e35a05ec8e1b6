//! A bus at work on a port: cycles on a thread of its own, jobs in between, and a safe end.
//!
//! A [`Line`] is opened at once and connects by itself; [`Line::state`] tells. When the port goes
//! away the line looks for it, by its USB serial number if it has one, else by its name, until it is
//! back; then cycles go on with the next [`Sample::generation`]. Goals from before are dropped, so
//! that whoever commands starts anew from where the arm stands.
//!
//! # The end
//!
//! [`Line::close`], dropping the line (also while its owner panics) and a panic of the line's own
//! thread end with [`CloseAction`]: torque off, acknowledged by every motor and tried again where it
//! is not, before the port is closed.
//!
//! What happens when the program is killed (`kill -9`, power loss of the host, unplugged cable):
//! nobody switches anything off. A real STS3215 has no watchdog for its bus; it holds its last goal
//! with full torque, for as long as it has power. Only what it watches itself ends that: a load above
//! `Overload_Torque` for `Protection_Time` makes it fall back to `Protective_Torque`, a current above
//! `Protection_Current` or a temperature above its limit makes it let go
//! (`Unloading_Condition`). Setting these low (LeRobot does for the gripper) is what keeps an arm
//! without a host harmless, and the switch of the power supply.
//!
//! In a browser a line is ended in order when its service is stopped. A tab that is closed or crashes ends
//! its threads without waiting for motors: they then hold, as after `kill -9`. Disconnect first.

#[cfg(not(target_family = "wasm"))]
mod newest;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
mod tools;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(not(target_family = "wasm"))]
pub use native::{Line, now_secs};
#[cfg(not(target_family = "wasm"))]
pub use tools::{Answering, scan_bauds};
#[cfg(target_family = "wasm")]
pub use web::{Line, now_secs};

use std::cell::Cell;

use crossbeam_channel::{Receiver, TryRecvError};

use crate::bus::{BusConfig, BusError, JobReply};

#[cfg(doc)]
use crate::bus::Sample;

/// How a line is driven and how it ends.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineConfig {
    /// The bus.
    pub bus: BusConfig,
    /// What to do when the line is dropped.
    pub on_drop: CloseAction,
}

impl From<BusConfig> for LineConfig {
    fn from(bus: BusConfig) -> Self {
        Self {
            bus,
            on_drop: CloseAction::default(),
        }
    }
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CloseAction {
    /// Torque of all motors of the bus goes off: the arm sinks.
    #[default]
    TorqueOff,
    /// Motors keep their torque and their last goal.
    Hold,
}

/// How a line stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LineState {
    /// The port is being opened for the first time.
    #[default]
    Connecting,
    /// The port is open. Whether motors answer is in the samples.
    Connected,
    /// The port is gone, or can't be opened; it is tried again and again.
    Lost {
        /// What happened, and what to do.
        why: String,
    },
    /// Ended.
    Closed,
}

/// A job that was submitted: it gets one answer.
#[derive(Debug)]
pub struct Ticket {
    port: String,
    answer: Receiver<Result<JobReply, BusError>>,
    /// Whether the answer was taken.
    is_taken: Cell<bool>,
}

impl Ticket {
    /// The answer, if it is there. It can be taken once; afterwards, and when the line ended without
    /// an answer, this is [`BusError::Closed`].
    #[must_use = "an answer can be taken only once"]
    pub fn try_take(&self) -> Option<Result<JobReply, BusError>> {
        match self.answer.try_recv() {
            Ok(answer) => {
                self.is_taken.set(true);
                Some(answer)
            }
            // Whoever answered may not have let go of its end yet.
            Err(TryRecvError::Empty) if self.is_taken.get() => Some(Err(self.closed())),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(self.closed())),
        }
    }

    fn closed(&self) -> BusError {
        BusError::Closed {
            port: self.port.clone(),
        }
    }
}
