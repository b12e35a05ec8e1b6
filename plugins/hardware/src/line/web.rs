//! A line in a browser: it has no thread, the browser's events drive it.
//!
//! What comes in is answered at once, so the bus runs as fast as its motors answer, also between two
//! ticks of whoever owns the line; timeouts are timers. Everything happens on the thread that opened
//! the line.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::OnceLock;

use crossbeam_channel::{Sender, bounded};
use forearm_workers::web::{Alarm, Stay, after};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::spawn_local;
use web_time::Instant;

use super::{CloseAction, LineConfig, LineState, Ticket};
use crate::bus::{Bus, BusError, Counters, Goals, Job, JobId, JobReply, Sample};
use crate::port::PortName;
use crate::port::web::{PortEvent, Sink, WebPort};

/// Time between two attempts to open a port, milliseconds.
const RETRY_MILLIS: f64 = 200.0;
/// The same where the port is only being closed, milliseconds.
const SOON_MILLIS: f64 = 20.0;
/// Time between two looks at the counters, seconds: they sort some numbers.
const COUNTERS_SECS: f64 = 0.1;
/// A browser may do something else for so long before it hands over what has come, seconds: what is
/// missing earlier may only be late. The bus learns how long it takes, and waits for less.
const LEAST_PATIENCE_SECS: f64 = 0.1;
/// So many steps of the bus are made before the browser gets its turn.
const MAX_STEPS: usize = 16;

type Answer = Result<JobReply, BusError>;

/// Seconds on the clock of all lines' samples.
#[must_use]
pub fn now_secs() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// A bus on a port. Dropping it ends it as its configuration says, which goes on after that.
pub struct Line {
    port: String,
    on_drop: CloseAction,
    desk: SendWrapper<Rc<Desk>>,
}

impl fmt::Debug for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Line").field("port", &self.port).finish()
    }
}

/// What a line and the browser's events share.
struct Desk {
    name: String,
    baud: u32,
    state: RefCell<State>,
}

struct State {
    bus: Bus,
    /// None until it is known how ports are reached, and after the end.
    port: Option<WebPort>,
    line: LineState,
    was_connected: bool,
    sample: Option<Sample>,
    counters: Counters,
    counters_at: f64,
    waiting: Vec<(JobId, Sender<Answer>)>,
    close: Option<CloseAction>,
    /// Keeps a worker until the motors have let go.
    stay: Option<Stay>,
    alarm: Option<Alarm>,
    _on_alarm: Option<Closure<dyn FnMut()>>,
}

impl Line {
    /// Opens a line; it connects by itself, and again after the port was away.
    ///
    /// # Errors
    /// [`BusError::Motors`].
    pub fn open(port: PortName, mut config: LineConfig) -> Result<Self, BusError> {
        let name = port.to_string();
        let patience = &mut config.bus.reply_timeout_secs;
        *patience = patience.max(LEAST_PATIENCE_SECS);
        let desk = Rc::new(Desk {
            state: RefCell::new(State {
                bus: Bus::new(&name, config.bus.clone())?,
                port: None,
                line: LineState::Connecting,
                was_connected: false,
                sample: None,
                counters: Counters::default(),
                counters_at: 0.0,
                waiting: Vec::new(),
                close: None,
                stay: None,
                alarm: None,
                _on_alarm: None,
            }),
            name: name.clone(),
            baud: config.bus.baud,
        });
        let ringing = Rc::downgrade(&desk);
        let on_alarm = Closure::<dyn FnMut()>::new(move || {
            if let Some(desk) = ringing.upgrade() {
                desk.state.borrow_mut().turn();
            }
        });
        let mut state = desk.state.borrow_mut();
        state.alarm = Some(Alarm::new(on_alarm.as_ref()));
        state._on_alarm = Some(on_alarm);
        drop(state);
        desk.reach();
        Ok(Self {
            port: name,
            on_drop: config.on_drop,
            desk: SendWrapper::new(desk),
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
        self.desk.state.borrow().line.clone()
    }

    /// What the newest cycle brought. `None` before the first.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.desk.state.borrow().sample
    }

    /// Goals for the next cycle. They replace those that were not written yet, so each call names
    /// all motors that shall move. Also a sign of life.
    pub fn command(&self, goals: &Goals) {
        let mut state = self.desk.state.borrow_mut();
        if state.line == LineState::Connected {
            state.bus.command(now_secs(), goals);
            state.turn();
        }
    }

    /// Says that the goals that were commanded are still meant. Without it they are not repeated
    /// after `silence_secs`.
    pub fn alive(&self) {
        self.desk.state.borrow_mut().bus.alive(now_secs());
    }

    /// Asks for a job to be done. Before the port is open for the first time jobs wait; while it is
    /// away they fail.
    pub fn submit(&self, job: Job) -> Ticket {
        let (sender, answer) = bounded(1);
        let mut state = self.desk.state.borrow_mut();
        let submitted = match &state.line {
            LineState::Lost { why } => Err(BusError::Disconnected {
                port: self.port.clone(),
                why: why.clone(),
            }),
            _ => state.bus.submit(job),
        };
        match submitted {
            Ok(id) => {
                state.waiting.push((id, sender));
                state.turn();
            }
            Err(error) => reply(&sender, Err(error)),
        }
        Ticket {
            port: self.port.clone(),
            answer,
            is_taken: Cell::default(),
        }
    }

    /// Everything counted, a tenth of a second old at most.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut state = self.desk.state.borrow_mut();
        let now = now_secs();
        if now >= state.counters_at {
            state.counters_at = now + COUNTERS_SECS;
            state.counters = state.bus.counters();
        }
        state.counters
    }

    /// Begins the end. Jobs that wait fail; [`Line::state`] tells when it is over. A second call
    /// changes nothing.
    pub fn close(&self, action: CloseAction) {
        let mut state = self.desk.state.borrow_mut();
        if state.close.is_some() {
            return;
        }
        state.close = Some(action);
        let connected = state.line == LineState::Connected;
        state
            .bus
            .close(now_secs(), connected && action == CloseAction::TorqueOff);
        if connected {
            state.stay = Some(Stay::new());
            state.turn();
            return;
        }
        if state.was_connected && action == CloseAction::TorqueOff {
            let name = &self.port;
            tracing::warn!("{name} is closed while it is away: its motors keep their torque");
        }
        state.hand_out();
        state.end();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.close(self.on_drop);
    }
}

fn reply(sender: &Sender<Answer>, answer: Answer) {
    if sender.try_send(answer).is_err() {
        tracing::trace!("nobody waits for a job's answer any more");
    }
}

impl Desk {
    /// Finds out how ports are reached, and opens this one.
    fn reach(self: &Rc<Self>) {
        let desk = Rc::clone(self);
        spawn_local(async move {
            // The port keeps the desk until it is closed, also when the line was dropped.
            let hearing = Rc::clone(&desk);
            let sink: Sink = Rc::new(move |event| hear(&hearing, event));
            let reached = WebPort::reach(desk.name.clone(), sink).await;
            let mut state = desk.state.borrow_mut();
            match reached {
                _ if state.close.is_some() => state.line = LineState::Closed,
                Ok(port) => {
                    port.open(desk.baud);
                    state.port = Some(port);
                }
                // What the browser lacks it will lack in a minute, too.
                Err(error) => state.lose(&error.to_string()),
            }
        });
    }

    fn open_in(self: &Rc<Self>, millis: f64) {
        let desk = Rc::downgrade(self);
        after(millis, move || {
            let Some(desk) = desk.upgrade() else { return };
            let state = desk.state.borrow();
            if let (Some(port), None) = (&state.port, state.close) {
                port.open(desk.baud);
            }
        });
    }
}

fn hear(desk: &Rc<Desk>, event: PortEvent<'_>) {
    let mut state = desk.state.borrow_mut();
    match event {
        PortEvent::Bytes(bytes) => {
            state.bus.receive(now_secs(), bytes);
            state.turn();
        }
        PortEvent::Opened => {
            if std::mem::replace(&mut state.was_connected, true) {
                state.bus.reconnected();
            }
            state.line = LineState::Connected;
            state.turn();
        }
        PortEvent::Failed { soon: true, .. } if !state.was_connected => desk.open_in(SOON_MILLIS),
        PortEvent::Failed { why, .. } | PortEvent::Lost(why) if state.close.is_none() => {
            state.lose(&why);
            desk.open_in(RETRY_MILLIS);
        }
        PortEvent::Failed { why, .. } | PortEvent::Lost(why) => {
            tracing::warn!("{} went away while it was closed: {why}", desk.name);
            state.end();
        }
        PortEvent::Closed => {
            state.line = LineState::Closed;
            state.stay = None;
            let port = state.port.take();
            drop(state);
            drop(port);
        }
    }
}

impl State {
    fn lose(&mut self, why: &str) {
        self.bus.disconnected(why);
        self.line = LineState::Lost {
            why: why.to_owned(),
        };
        if let Some(alarm) = &mut self.alarm {
            alarm.clear();
        }
        self.hand_out();
    }

    /// Sends what is to be sent, and sets the alarm for what comes next.
    fn turn(&mut self) {
        if self.line != LineState::Connected {
            return;
        }
        let (Some(port), Some(alarm)) = (&self.port, &mut self.alarm) else {
            return;
        };
        let mut now = now_secs();
        let mut wait = Some(0.0);
        for _ in 0..MAX_STEPS {
            // Before the next cycle begins, which is another sample.
            if let Some(sample) = self.bus.take_sample() {
                self.sample = Some(*sample);
            }
            while let Some(bytes) = self.bus.transmit(now) {
                port.write(bytes);
                now = now_secs();
                self.bus.sent(now);
            }
            wait = self.bus.wait_until().map(|until| until - now);
            match wait {
                Some(wait) if wait <= 0.0 => self.bus.on_time(now),
                _ => break,
            }
        }
        match wait {
            Some(secs) => alarm.set((secs * 1e3).max(0.0).ceil()),
            None => alarm.clear(),
        }
        self.hand_out();
        if self.bus.is_closed() {
            self.end();
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

    /// Closes the port; nothing is sent any more.
    fn end(&mut self) {
        if let Some(alarm) = &mut self.alarm {
            alarm.clear();
        }
        match &self.port {
            Some(port) if self.line != LineState::Closed => port.close(),
            _ => self.stay = None,
        }
        self.line = LineState::Closed;
    }
}
