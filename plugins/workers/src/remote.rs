//! The owner's end of a service behind a wire: packs what goes out, unpacks what comes in, and
//! watches for signs of life. It knows no browser: whatever carries packets will do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use forearm_protocol::lifecycle::{FromWorker, ToWorker};
use forearm_protocol::{Message, Packet, RequestId, ServiceError};

use web_time::Instant;

use crate::QUEUE_CAPACITY;
use crate::answer::ReplySink;
use crate::core::{Inbound, Parts, hung_error, late_error, start_error};
use crate::outlet::Outlet;
use crate::requests::Requests;
use crate::service::Service;
use crate::station::INPUT;
use crate::status::{Progress, Shared, State};
use crate::telemetry::Telemetry;

/// Puts a packet on the wire.
pub(crate) type Post = Box<dyn Fn(Packet) -> Result<(), ServiceError>>;

/// How many checks in a row without a sign of life make a worker hung. Checks, not seconds: while
/// the owner itself stood still, nothing could reach it.
const SILENT_CHECKS: u32 = 4;

/// The owner's end.
pub(crate) struct Remote<S: Service> {
    requests: Arc<Requests<S::Reply>>,
    shared: Arc<Shared>,
    telemetry: Arc<Telemetry>,
    outlet: Outlet<S::Event>,
    post: Post,
    /// What waits for the service to be ready.
    queue: VecDeque<Inbound<S>>,
    ready: bool,
    /// Whether anything was ever heard: failures are then the service's, not the wire's.
    spoken: bool,
    heard: bool,
    silent_checks: u32,
    /// How many events the other end said that it dropped.
    dropped_there: u64,
    /// Messages sent since anything came back: a worker that lives beats five times a second.
    unheard: usize,
    born: Instant,
}

impl<S: Service> Remote<S> {
    /// An end whose packets go out by `post`.
    pub(crate) fn new(parts: RemoteParts<S>, post: Post) -> Self {
        Self {
            requests: parts.requests,
            shared: parts.shared,
            telemetry: parts.telemetry,
            outlet: parts.outlet,
            post,
            queue: VecDeque::new(),
            ready: false,
            spoken: false,
            heard: true,
            silent_checks: 0,
            dropped_there: 0,
            unheard: 0,
            born: Instant::now(),
        }
    }

    /// Sends the service its setup.
    ///
    /// # Errors
    /// The setup can't be packed or posted.
    pub(crate) fn start(&self, setup: &S::Setup, log: &str) -> Result<(), ServiceError> {
        let setup = postcard::to_allocvec(setup).map_err(|error| ServiceError::Start {
            service: S::NAME.to_owned(),
            why: format!("its setup can't be packed: {error}"),
        })?;
        let init = ToWorker::Init {
            service: S::NAME.to_owned(),
            setup,
            log: log.to_owned(),
        };
        self.out(Packet::new(init, None, 0)?)
    }

    /// Sends a message, or keeps it until the service is ready.
    ///
    /// # Errors
    /// The message can't be packed or posted, or too many wait already.
    pub(crate) fn send(&mut self, message: Inbound<S>) -> Result<(), ServiceError> {
        if self.ready {
            return self.pack(message);
        }
        if self.queue.len() >= QUEUE_CAPACITY {
            return Err(busy::<S>(self.queue.len()));
        }
        self.queue.push_back(message);
        Ok(())
    }

    fn pack(&mut self, message: Inbound<S>) -> Result<(), ServiceError> {
        let packet = match message {
            Inbound::Request(id, request) => Packet::new(request, Some(RequestId(id)), id)?,
            Inbound::Command(command) => Packet::new(command, None, 0)?,
            Inbound::Input(input) => Packet::new(input, Some(INPUT), 0)?,
            Inbound::Fault(fault) => {
                return self.out(Packet::new(ToWorker::Fault(fault), None, 0)?);
            }
            // Links and the end go past here: they carry more than a packet does.
            Inbound::Link(..) => return Ok(()),
            #[cfg(not(target_family = "wasm"))]
            Inbound::Nudge => return Ok(()),
        };
        if self.unheard >= QUEUE_CAPACITY {
            return Err(busy::<S>(self.unheard));
        }
        self.unheard += 1;
        self.shared.received.fetch_add(1, Ordering::Relaxed);
        self.out(packet)
    }

    /// Sends what had to wait; nobody is there any more to be told that it can't be sent.
    fn send_waiting(&mut self, message: Inbound<S>) {
        let (name, id) = match &message {
            // It was given up while it waited, perhaps before there was a worker to tell.
            Inbound::Request(id, _) if !self.requests.is_wanted(*id) => return,
            Inbound::Request(id, request) => (request.name(), Some(*id)),
            other => (other.name(), None),
        };
        if let Err(error) = self.pack(message) {
            match id {
                Some(id) => self.requests.answer(id, Err(error)),
                None => tracing::error!("`{name}` can't be sent to {}: {error}", S::NAME),
            }
        }
    }

    /// Says that a request's answer is no longer wanted.
    pub(crate) fn cancel(&mut self, id: u64) {
        let of_it = |waiting: &Inbound<S>| matches!(waiting, Inbound::Request(of, _) if *of == id);
        if let Some(waiting) = self.queue.iter().position(of_it) {
            self.queue.remove(waiting);
        } else if let Ok(packet) = Packet::new(ToWorker::Cancel, Some(RequestId(id)), id) {
            self.out(packet).ok();
        }
    }

    /// Whether anything came from the other end.
    #[cfg(target_family = "wasm")]
    pub(crate) fn has_spoken(&self) -> bool {
        self.spoken
    }

    /// Takes note that the worker broke without a word of its own. Answers why when nothing was
    /// ever heard from it: then it is no failure of the service, which may run elsewhere.
    pub(crate) fn broke(&mut self, why: String, stack: Option<String>) -> Option<String> {
        if !self.spoken {
            return Some(why);
        }
        self.fail(match self.ready {
            true => ServiceError::Crashed {
                service: S::NAME.to_owned(),
                why,
                stack,
            },
            false => start_error::<S>(why),
        });
        None
    }

    /// Gives everything back, for another host to run: nothing has come up at the other end.
    pub(crate) fn dissolve(self, setup: S::Setup) -> (Parts<S>, VecDeque<Inbound<S>>) {
        let parts = Parts {
            setup,
            shared: self.shared,
            sink: self.requests,
            outlet: self.outlet,
        };
        (parts, self.queue)
    }

    /// Takes a packet from the worker.
    pub(crate) fn receive(&mut self, packet: Packet) {
        self.telemetry.count_bytes(packet.bytes());
        (self.spoken, self.heard) = (true, true);
        self.unheard = 0;
        self.shared.alive();
        trace("<-", S::NAME, &packet);
        let taken = match (packet.id, packet.kind.starts_with("worker/")) {
            (_, true) => self.receive_lifecycle(packet),
            (Some(id), false) => packet.open().map(|reply| {
                self.requests.answer(id.0, Ok(reply));
            }),
            (None, false) => packet.open::<S::Event>().map(|event| {
                let may_drop = S::may_drop(&event);
                self.outlet.emit(event, may_drop);
            }),
        };
        if let Err(error) = taken {
            // What it says can't be understood: it is of no use, and its requests would wait.
            self.fail(error);
        }
    }

    fn receive_lifecycle(&mut self, packet: Packet) -> Result<(), ServiceError> {
        let id = packet.id.map(|id| id.0);
        match packet.open::<FromWorker>()? {
            FromWorker::Ready => {
                self.ready = true;
                self.shared.set_ready();
                while let Some(message) = self.queue.pop_front() {
                    self.send_waiting(message);
                }
            }
            FromWorker::Progress { stage, fraction } => {
                let progress = Progress { stage, fraction };
                match id {
                    Some(id) => self.requests.progress(id, progress),
                    None => self.shared.set_progress(progress),
                }
            }
            FromWorker::Heartbeat(vitals) => {
                self.shared.ticks.store(vitals.ticks, Ordering::Relaxed);
                let dropped = vitals.events_dropped.saturating_sub(self.dropped_there);
                self.dropped_there += dropped;
                self.shared.events.fetch_add(dropped, Ordering::Relaxed);
                self.shared
                    .events_dropped
                    .fetch_add(dropped, Ordering::Relaxed);
            }
            FromWorker::Error(error) => match id {
                Some(id) => {
                    self.requests.answer(id, Err(error));
                }
                None => self.fail(match error {
                    ServiceError::Crashed { why, .. } if !self.ready => start_error::<S>(why),
                    // Whoever tells a panic does not know whose it is.
                    ServiceError::Crashed { why, stack, .. } => ServiceError::Crashed {
                        service: S::NAME.to_owned(),
                        why,
                        stack,
                    },
                    error => error,
                }),
            },
            FromWorker::Log { level, text } => log(S::NAME, &level, &text),
            FromWorker::Stopped => self.end(State::Stopped, crate::core::stopped_error::<S>()),
        }
        Ok(())
    }

    /// Looks for signs of life; to be called at a steady pace of a quarter of
    /// [`Service::HANG_AFTER`]. One that has been silent for too long counts as hung.
    pub(crate) fn check(&mut self) {
        if !self.ready {
            if self.born.elapsed() > S::START_TIMEOUT {
                self.fail(late_error::<S>());
            }
            return;
        }
        if std::mem::take(&mut self.heard) {
            self.silent_checks = 0;
            return;
        }
        self.silent_checks += 1;
        let patience = self.requests.patience().max(S::HANG_AFTER);
        let checks = patience.div_duration_f64(S::HANG_AFTER / SILENT_CHECKS);
        if f64::from(self.silent_checks) >= checks {
            self.fail(hung_error::<S>());
        }
    }

    /// The worker can do no more: everything in flight fails.
    pub(crate) fn fail(&mut self, error: ServiceError) {
        self.end(State::Failed, error);
    }

    fn end(&mut self, state: State, error: ServiceError) {
        if self.shared.end(state, error.clone()) {
            self.queue.clear();
            self.requests.end(&error);
        }
    }

    fn out(&self, packet: Packet) -> Result<(), ServiceError> {
        self.telemetry.count_bytes(packet.bytes());
        trace("->", S::NAME, &packet);
        (self.post)(packet)
    }
}

fn busy<S: Service>(queued: usize) -> ServiceError {
    ServiceError::Busy {
        service: S::NAME.to_owned(),
        queued,
    }
}

/// What the owner's end is made of.
pub(crate) struct RemoteParts<S: Service> {
    pub(crate) requests: Arc<Requests<S::Reply>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) outlet: Outlet<S::Event>,
}

/// Every message, for whoever switches diagnostics on.
fn trace(way: &str, service: &str, packet: &Packet) {
    if crate::diagnostics() {
        tracing::info!(
            "{service} {way} {} id {:?} trace {} {} bytes",
            packet.kind,
            packet.id.map(|id| id.0),
            packet.trace_id,
            packet.bytes()
        );
    }
}

fn log(service: &str, level: &str, text: &str) {
    match level {
        "error" => tracing::error!("{service}: {text}"),
        "warn" => tracing::warn!("{service}: {text}"),
        "info" => tracing::info!("{service}: {text}"),
        _ => tracing::debug!("{service}: {text}"),
    }
}
