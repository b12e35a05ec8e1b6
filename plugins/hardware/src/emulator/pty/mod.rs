//! Serves virtual servos on a pseudo-terminal, where programs open them like a serial port.
//!
//! Bytes of a reply become readable when the wire and the adapter would have delivered them. The
//! plug can be pulled: programs see what they see on real hardware, an error or the end of the
//! port, and a new terminal (with another name) comes when it is put back; a link keeps one name
//! for them all.
//!
//! On systems without pseudo-terminals everything is there and opening fails.

#[cfg(not(unix))]
mod elsewhere;
#[cfg(unix)]
mod link;
#[cfg(unix)]
mod served;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub use elsewhere::VirtualPort;
#[cfg(unix)]
pub use unix::VirtualPort;

use super::{Injected, Knob, MAX_SERVOS, PlantCommand, PlantSample, SimplePlant};
use crate::codec::StatusBits;
use crossbeam_channel::{Sender, bounded};
use crossbeam_queue::ArrayQueue;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an order may wait for the port's thread.
const ORDER_WAIT: Duration = Duration::from_secs(2);

/// How to serve a chain.
#[derive(Debug, Clone)]
pub struct PtyConfig {
    /// Names the thread, and the port in messages.
    pub name: String,
    /// A symbolic link to the terminal, made with it and removed with it. An old link to a terminal
    /// is replaced; anything else that is there is an error.
    pub link: Option<PathBuf>,
    /// What moves the joints.
    pub plant: PtyPlant,
}

impl Default for PtyConfig {
    /// No link, joints without a world.
    fn default() -> Self {
        Self {
            name: "virtual bus".to_owned(),
            link: None,
            plant: PtyPlant::Simple(Box::default()),
        }
    }
}

/// What moves the joints of a served chain.
#[derive(Debug, Clone)]
pub enum PtyPlant {
    /// The port's own thread.
    Simple(Box<SimplePlant>),
    /// A world that is stepped elsewhere.
    World(PlantLink),
}

/// Carries the newest news between a world and a port's thread, both ways, without waiting. Clones
/// are ends of the same link.
#[derive(Debug, Clone)]
pub struct PlantLink {
    samples: Arc<ArrayQueue<PlantSample>>,
    commands: Arc<ArrayQueue<PlantCommand>>,
}

impl Default for PlantLink {
    fn default() -> Self {
        Self {
            samples: Arc::new(ArrayQueue::new(1)),
            commands: Arc::new(ArrayQueue::new(1)),
        }
    }
}

impl PlantLink {
    /// The world's side: where the joints are now.
    pub fn observe(&self, sample: &PlantSample) {
        self.samples.force_push(*sample);
    }

    /// The world's side: where the servos drive the joints; `None` if there is nothing newer than
    /// what was taken last.
    #[must_use]
    pub fn command(&self) -> Option<PlantCommand> {
        self.commands.pop()
    }
}

/// Why a port can't be served or told something.
#[derive(Debug, thiserror::Error)]
pub enum PtyError {
    /// The system has no pseudo-terminal to give.
    #[error("can't make a pseudo-terminal: {0}; look how many are in use (`ls /dev/pts`)")]
    Terminal(#[source] std::io::Error),
    /// Something else than an old link is where the link should be.
    #[error(
        "{} exists and is no link to a terminal; remove it or choose another place for the link",
        path.display()
    )]
    Occupied {
        /// Where the link should be.
        path: PathBuf,
    },
    /// The link can't be made or removed.
    #[error("can't make the link {}: {source}; choose a folder that may be written", path.display())]
    Link {
        /// Where the link should be.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("can't start the thread of `{name}`: {source}")]
    Thread {
        /// The port's name.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The port is closed, or its thread hangs.
    #[error("the virtual port does not react; it is closed, or this machine is very busy")]
    Gone,
    /// This system has no pseudo-terminals.
    #[error("this system has no pseudo-terminals: virtual servos can be served on Linux and macOS")]
    Unsupported,
}

/// How a served chain does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PtyReport {
    /// The plug is in.
    pub plugged: bool,
    /// A program has the port open.
    pub connected: bool,
    /// What went wrong so far, on purpose.
    pub injected: Injected,
    /// What each servo says of itself.
    pub status: [StatusBits; MAX_SERVOS],
    /// Where the servos drive the joints.
    pub command: PlantCommand,
}

impl Default for PtyReport {
    fn default() -> Self {
        Self {
            plugged: false,
            connected: false,
            injected: Injected::default(),
            status: [StatusBits::OK; MAX_SERVOS],
            command: PlantCommand::default(),
        }
    }
}

/// What a port's thread is told.
#[derive(Debug)]
#[cfg_attr(not(unix), expect(dead_code, reason = "nobody serves here"))]
enum Order {
    Turn(Knob),
    Place(usize, f64),
    Plug(bool, Sender<Result<(), PtyError>>),
    Stop,
}

/// What a port's thread tells.
#[derive(Debug, Default)]
struct Told {
    report: Mutex<PtyReport>,
    device: Mutex<Option<PathBuf>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Both are plain data: what a panic left behind is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes a served chain from anywhere, while it is in use. Clones are handles of the same port.
#[derive(Debug, Clone)]
pub struct PtyHandle {
    orders: Sender<Order>,
    told: Arc<Told>,
    link: Option<PathBuf>,
}

impl PtyHandle {
    /// Changes something of the chain.
    ///
    /// # Errors
    /// [`PtyError::Gone`].
    pub fn turn(&self, knob: Knob) -> Result<(), PtyError> {
        self.order(Order::Turn(knob))
    }

    /// Moves a joint (counted from 0) by hand, to an angle in radians. Joints of a world don't
    /// listen.
    ///
    /// # Errors
    /// [`PtyError::Gone`].
    pub fn place(&self, joint: usize, radians: f64) -> Result<(), PtyError> {
        self.order(Order::Place(joint, radians))
    }

    /// Pulls the plug; when this returns it is out. Does nothing where it is out.
    ///
    /// # Errors
    /// [`PtyError::Gone`].
    pub fn unplug(&self) -> Result<(), PtyError> {
        self.plug(false)
    }

    /// Puts the plug back in; when this returns the terminal and its link are there. Does nothing
    /// where it is in.
    ///
    /// # Errors
    /// [`PtyError::Gone`], and those of opening.
    pub fn replug(&self) -> Result<(), PtyError> {
        self.plug(true)
    }

    /// How the chain does, a few milliseconds ago at most.
    #[must_use]
    pub fn report(&self) -> PtyReport {
        *locked(&self.told.report)
    }

    /// What programs open: the link, or else the terminal; `None` while the plug is out.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        let device = self.device()?;
        Some(self.link.clone().unwrap_or(device))
    }

    /// The terminal itself; `None` while the plug is out.
    #[must_use]
    pub fn device(&self) -> Option<PathBuf> {
        locked(&self.told.device).clone()
    }

    fn plug(&self, into: bool) -> Result<(), PtyError> {
        let (done, is_done) = bounded(1);
        self.order(Order::Plug(into, done))?;
        is_done
            .recv_timeout(ORDER_WAIT)
            .unwrap_or(Err(PtyError::Gone))
    }

    fn order(&self, order: Order) -> Result<(), PtyError> {
        self.orders
            .send_timeout(order, ORDER_WAIT)
            .map_err(|_late| PtyError::Gone)
    }
}
