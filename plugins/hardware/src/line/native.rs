//! A line on a thread.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{
    Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded, never,
};
use forearm_workers::prefer_this_thread;

use super::newest::Newest;
use super::{CloseAction, LineConfig, LineState, Ticket};
use crate::bus::{Bus, BusError, Counters, Goals, Job, JobId, JobReply, MAX_JOBS, Sample};
use crate::port::{self, PortError, PortName, SerialIo, UsbIdentity};

/// Time between two attempts to open a port.
const RETRY: Duration = Duration::from_millis(200);
/// How often an idle line looks whether its port is still there.
const IDLE: Duration = Duration::from_millis(250);
/// Nothing is waited for shorter than this beside the bus: whatever is wrong, a thread that goes
/// before others must not keep a processor to itself.
const LEAST_IDLE: Duration = Duration::from_micros(50);
/// Time between two publications of the counters, seconds.
const COUNTERS_SECS: f64 = 0.1;
/// How long a dropped line is waited for: longer than closing a bus takes.
const DROP_WAIT: Duration = Duration::from_millis(2500);
/// The most that is read at once.
const BUFFER: usize = 512;

/// Seconds on the clock of all lines' samples.
#[must_use]
pub fn now_secs() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// What opens a port, again and again.
type Connect = Box<dyn FnMut() -> Result<Box<dyn SerialIo>, PortError> + Send>;
type Answer = Result<JobReply, BusError>;

/// A bus on a port. Dropping it ends it as its configuration says.
#[derive(Debug)]
pub struct Line {
    port: String,
    on_drop: CloseAction,
    shared: Arc<Shared>,
    requests: Sender<Request>,
    /// Its other end is dropped when the thread ends.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<LineState>,
    state_changed: Condvar,
    sample: Newest<Sample>,
    goals: Newest<Goals>,
    counters: Newest<Counters>,
    /// When the owner showed its last sign of life: the bits of seconds.
    alive_at: AtomicU64,
    /// Whether and how to end.
    close: AtomicU8,
}

const CLOSE_HOLD: u8 = 1;
const CLOSE_OFF: u8 = 2;

#[derive(Debug)]
enum Request {
    Job(Job, Sender<Answer>),
    /// Something else has changed.
    Look,
}

impl Shared {
    fn set_state(&self, state: LineState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.state_changed.notify_all();
    }

    fn close_action(&self) -> Option<CloseAction> {
        match self.close.load(Ordering::Acquire) {
            CLOSE_HOLD => Some(CloseAction::Hold),
            CLOSE_OFF => Some(CloseAction::TorqueOff),
            _ => None,
        }
    }
}

impl Line {
    /// Opens a line; it connects by itself, and again after the port was away.
    ///
    /// # Errors
    /// [`BusError::Motors`], and [`BusError::Disconnected`] if the system has no thread for it.
    pub fn open(port: PortName, config: LineConfig) -> Result<Self, BusError> {
        let baud = config.bus.baud;
        let mut seen: Option<UsbIdentity> = None;
        let name = port.to_string();
        let connect = move || {
            let path = port::locate(&port, seen.as_ref())?;
            let io = port::open(&path, baud)?;
            // Another device may have got the path since it was looked for.
            port::recognize(&port, &path, &mut seen)?;
            Ok(Box::new(io) as Box<dyn SerialIo>)
        };
        Self::on(&name, config, connect)
    }

    /// A line on anything that carries bytes. `connect` is called until it succeeds, and again when
    /// reading or writing has failed.
    ///
    /// # Errors
    /// As [`Line::open`].
    pub fn on(
        name: &str,
        config: LineConfig,
        connect: impl FnMut() -> Result<Box<dyn SerialIo>, PortError> + Send + 'static,
    ) -> Result<Self, BusError> {
        let bus = Bus::new(name, config.bus.clone())?;
        let shared = Arc::new(Shared {
            state: Mutex::new(LineState::Connecting),
            state_changed: Condvar::new(),
            sample: Newest::new(),
            goals: Newest::new(),
            counters: Newest::new(),
            alive_at: AtomicU64::new(f64::NEG_INFINITY.to_bits()),
            close: AtomicU8::new(0),
        });
        let (requests, incoming) = bounded(MAX_JOBS);
        let (end, ended) = bounded(0);
        let worker = Worker {
            name: name.to_owned(),
            connect: Box::new(connect),
            io: None,
            bus,
            shared: Arc::clone(&shared),
            requests: incoming,
            owner_gone: false,
            waiting: Vec::with_capacity(2 * MAX_JOBS),
            counters_at: 0.0,
            config: config.clone(),
        };
        let spawned = thread::Builder::new()
            .name(format!("bus {name}"))
            .spawn(move || {
                worker.run();
                drop(end);
            });
        let thread = spawned.map_err(|error| BusError::Disconnected {
            port: name.to_owned(),
            why: format!("the system gives it no thread ({error}); end other programs"),
        })?;
        Ok(Self {
            port: name.to_owned(),
            on_drop: config.on_drop,
            shared,
            requests,
            ended,
            thread: Some(thread),
        })
    }

    /// What the port was called when it was opened.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.port
    }

    /// How the line stands.
    #[must_use]
    pub fn state(&self) -> LineState {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the line stands in a way that `is_it` accepts, and answers how it stands then or
    /// after the timeout. Not for services: this blocks.
    pub fn wait_state(&self, timeout: Duration, is_it: impl Fn(&LineState) -> bool) -> LineState {
        let state = self.shared.state.lock();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let changed = &self.shared.state_changed;
        let waited = changed.wait_timeout_while(state, timeout, |state| !is_it(state));
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    /// What the newest cycle brought. `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.shared.sample.get()
    }

    /// Goals for the next cycle. They replace those that were not written yet, so each call names
    /// all motors that shall move. Also a sign of life.
    pub fn command(&self, goals: &Goals) {
        self.shared.goals.put(*goals);
        self.alive();
    }

    /// Says that the goals that were commanded are still meant. Without it they are not repeated
    /// after `silence_secs`.
    pub fn alive(&self) {
        let now = now_secs().to_bits();
        self.shared.alive_at.store(now, Ordering::Release);
    }

    /// Asks for a job to be done. Before the port is open for the first time jobs wait; while it is
    /// away they fail.
    pub fn submit(&self, job: Job) -> Ticket {
        let (sender, answer) = bounded(1);
        let ticket = Ticket {
            port: self.port.clone(),
            answer,
            is_taken: Cell::default(),
        };
        if let Err(TrySendError::Full(Request::Job(_, sender))) =
            self.requests.try_send(Request::Job(job, sender))
        {
            let busy = BusError::Busy {
                port: self.port.clone(),
                waiting: MAX_JOBS,
            };
            reply(&sender, Err(busy));
        }
        ticket
    }

    /// Everything counted, a tenth of a second old at most.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.counters.get().unwrap_or_default()
    }

    /// Begins the end. Jobs that wait fail; [`Line::state`] tells when it is over. A second call
    /// changes nothing.
    pub fn close(&self, action: CloseAction) {
        let code = match action {
            CloseAction::TorqueOff => CLOSE_OFF,
            CloseAction::Hold => CLOSE_HOLD,
        };
        let before =
            self.shared
                .close
                .compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire);
        if before.is_ok() && self.requests.try_send(Request::Look).is_err() {
            tracing::trace!("the bus on {} looks by itself, or has ended", self.port);
        }
    }

    /// Waits until the line has ended. Whether it has.
    pub fn wait_closed(&self, timeout: Duration) -> bool {
        // Nothing is ever sent: the channel only ends.
        self.ended.recv_timeout(timeout) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.close(self.on_drop);
        if !self.wait_closed(DROP_WAIT) {
            tracing::warn!("the bus on {} does not end; it is left alone", self.port);
            return;
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the bus on {} had panicked", self.port);
        }
    }
}

impl Ticket {
    /// Waits for the answer. Not for services: this blocks.
    ///
    /// # Errors
    /// What the job failed with; [`BusError::TooLate`].
    pub fn wait(&self, timeout: Duration) -> Result<JobReply, BusError> {
        match self.answer.recv_timeout(timeout) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => Err(self.closed()),
            Err(RecvTimeoutError::Timeout) => Err(BusError::TooLate {
                port: self.port.clone(),
                secs: timeout.as_secs(),
            }),
        }
    }
}

fn reply(sender: &Sender<Answer>, answer: Answer) {
    if sender.try_send(answer).is_err() {
        tracing::trace!("nobody waits for a job's answer any more");
    }
}

/// Why serving a port ended.
enum End {
    Closed,
    Lost(io::Error),
}

/// What the thread works with.
struct Worker {
    name: String,
    config: LineConfig,
    connect: Connect,
    io: Option<Box<dyn SerialIo>>,
    bus: Bus,
    shared: Arc<Shared>,
    requests: Receiver<Request>,
    owner_gone: bool,
    waiting: Vec<(JobId, Sender<Answer>)>,
    counters_at: f64,
}

impl Worker {
    fn run(mut self) {
        prefer_this_thread("bus");
        if catch_unwind(AssertUnwindSafe(|| self.work())).is_err() {
            tracing::error!(
                "the bus on {} has failed; it switches torque off",
                self.name
            );
            self.emergency();
        }
        self.shared.counters.put(self.bus.counters());
        self.shared.set_state(LineState::Closed);
    }

    fn work(&mut self) {
        let mut was_connected = false;
        loop {
            let why = match (self.connect)() {
                Ok(io) => {
                    if was_connected {
                        self.bus.reconnected();
                    }
                    was_connected = true;
                    self.io = Some(io);
                    self.shared.set_state(LineState::Connected);
                    match self.serve() {
                        End::Closed => return,
                        End::Lost(error) => {
                            self.io = None;
                            format!(
                                "the port is gone ({error}); plug its USB cable in again, it is \
                                 taken up by itself"
                            )
                        }
                    }
                }
                Err(error) => error.to_string(),
            };
            self.bus.disconnected(&why);
            self.publish(now_secs());
            self.shared.set_state(LineState::Lost { why: why.clone() });
            if self.stay_away(&why) {
                return;
            }
        }
    }

    /// Answers requests until it is time to look for the port again. Whether to end.
    fn stay_away(&mut self, why: &str) -> bool {
        let until = Instant::now() + RETRY;
        loop {
            // Goals that come meanwhile are of no generation that there will be.
            while self.shared.goals.take().is_some() {}
            match self.close_action() {
                Some(CloseAction::TorqueOff) => {
                    tracing::warn!(
                        "{} is closed while it is away: its motors keep their torque",
                        self.name
                    );
                    return true;
                }
                Some(CloseAction::Hold) => return true,
                None => {}
            }
            match self.requests.recv_deadline(until) {
                Ok(Request::Job(_, sender)) => {
                    let error = BusError::Disconnected {
                        port: self.name.clone(),
                        why: why.to_owned(),
                    };
                    reply(&sender, Err(error));
                }
                Ok(Request::Look) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => self.owner_is_gone(),
            }
        }
    }

    fn owner_is_gone(&mut self) {
        self.owner_gone = true;
        self.requests = never();
    }

    fn close_action(&self) -> Option<CloseAction> {
        let asked = self.shared.close_action();
        asked.or_else(|| self.owner_gone.then_some(self.config.on_drop))
    }

    /// Drives the bus on the open port.
    fn serve(&mut self) -> End {
        loop {
            match self.turn() {
                Ok(()) if self.bus.is_closed() => return End::Closed,
                Ok(()) => {}
                Err(error) if self.close_action().is_some() => {
                    tracing::warn!("{} went away while it was closed: {error}", self.name);
                    return End::Closed;
                }
                Err(error) => return End::Lost(error),
            }
        }
    }

    /// Takes in what the owner wants, sends what is to be sent, and waits once.
    fn turn(&mut self) -> io::Result<()> {
        self.take_requests();
        let Some(io) = &mut self.io else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let mut now = now_secs();
        while let Some(bytes) = self.bus.transmit(now) {
            io.write(bytes)?;
            now = now_secs();
            self.bus.sent(now);
        }
        let wait = match self.bus.wait_until() {
            Some(until) => Duration::try_from_secs_f64(until - now).unwrap_or_default(),
            None => IDLE,
        };
        let mut buffer = [0; BUFFER];
        if self.bus.listens() {
            let count = io.read(&mut buffer, wait)?;
            now = now_secs();
            if count > 0 {
                self.bus.receive(now, &buffer[..count]);
            } else {
                self.bus.on_time(now);
            }
        } else if !self.bus.is_closed() {
            // What comes now is too late, and an end is seen only by looking.
            let count = io.read(&mut buffer, Duration::ZERO)?;
            now = now_secs();
            self.bus.receive(now, &buffer[..count]);
            self.idle(wait.clamp(LEAST_IDLE, IDLE));
        }
        self.publish(now);
        Ok(())
    }

    fn idle(&mut self, wait: Duration) {
        match self.requests.recv_timeout(wait) {
            Ok(request) => self.take(request),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.owner_is_gone(),
        }
    }

    fn take_requests(&mut self) {
        loop {
            match self.requests.try_recv() {
                Ok(request) => self.take(request),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.owner_is_gone();
                    break;
                }
            }
        }
        let now = now_secs();
        if let Some(goals) = self.shared.goals.take() {
            self.bus.command(now, &goals);
        }
        let alive_at = f64::from_bits(self.shared.alive_at.load(Ordering::Acquire));
        self.bus.alive(alive_at);
        if let Some(action) = self.close_action() {
            self.bus.close(now, action == CloseAction::TorqueOff);
            self.hand_out();
        }
    }

    fn take(&mut self, request: Request) {
        if let Request::Job(job, sender) = request {
            match self.bus.submit(job) {
                Ok(id) => self.waiting.push((id, sender)),
                Err(error) => reply(&sender, Err(error)),
            }
        }
    }

    fn publish(&mut self, now: f64) {
        if let Some(sample) = self.bus.take_sample() {
            self.shared.sample.put(*sample);
        }
        self.hand_out();
        if now >= self.counters_at {
            self.counters_at = now + COUNTERS_SECS;
            self.shared.counters.put(self.bus.counters());
        }
    }

    fn hand_out(&mut self) {
        while let Some((id, answer)) = self.bus.take_reply() {
            if let Some(place) = self.waiting.iter().position(|(known, _)| *known == id) {
                let (_, sender) = self.waiting.swap_remove(place);
                reply(&sender, answer);
            }
        }
    }

    /// Something in here is broken. A fresh bus ends what it began.
    fn emergency(&mut self) {
        let Ok(bus) = Bus::new(&self.name, self.config.bus.clone()) else {
            return;
        };
        self.bus = bus;
        if self.io.is_some() {
            self.owner_gone = true;
            self.requests = never();
            if let End::Lost(error) = self.serve() {
                tracing::error!("{} could not be closed: {error}", self.name);
            }
        }
    }
}
