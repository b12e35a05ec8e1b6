//! The worker's end of a service behind a wire: a core that takes packets and posts packets. It
//! knows no browser: whatever carries packets will do.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use forearm_protocol::lifecycle::{FromWorker, ToWorker, Vitals};
use forearm_protocol::{Message, Packet, RequestId, ServiceError};
use serde::de::DeserializeOwned;

use crate::answer::ReplySink;
use crate::clock::Clock;
use crate::core::{Core, Inbound, Parts};
use crate::link::Feed;
use crate::outlet::{self, Inlet};
use crate::service::{Service, Wake};
use crate::status::{Progress, Shared};

/// Puts a packet on the wire to the owner.
pub(crate) type Post = Arc<dyn Fn(Packet) + Send + Sync>;

/// How long one call of a service should take at most.
const SLICE: Duration = Duration::from_millis(4);

/// What is fed to the service by way of its owner travels under this id, which no request has.
pub(crate) const INPUT: RequestId = RequestId(0);

/// A service at the far end of a wire.
pub(crate) struct Station<S: Service> {
    core: Core<S>,
    inlet: Inlet<S::Event>,
    sink: Arc<Sink>,
    ready_told: bool,
}

/// Posts answers, and knows which requests are still wanted.
struct Sink {
    post: Post,
    open: Mutex<BTreeSet<u64>>,
}

/// The setup inside the first message.
///
/// # Errors
/// It is no setup of this service.
pub(crate) fn setup<T: DeserializeOwned>(service: &str, bytes: &[u8]) -> Result<T, ServiceError> {
    postcard::from_bytes(bytes).map_err(|error| ServiceError::Start {
        service: service.to_owned(),
        why: format!(
            "its setup can't be read ({error}); reload, so that app and workers are of one build"
        ),
    })
}

impl<S: Service> Station<S> {
    /// Starts the service.
    pub(crate) fn start(setup: S::Setup, clock: Clock, post: Post) -> Self {
        let shared = Arc::new(Shared::new(S::NAME));
        let (outlet, inlet) = outlet::channel(Arc::clone(&shared));
        let sink = Arc::new(Sink {
            post,
            open: Mutex::default(),
        });
        let teller = Arc::clone(&sink);
        shared.on_progress(Box::new(move |progress| {
            teller.tell(None, said(progress.clone()));
        }));
        let parts = Parts {
            setup,
            shared,
            sink: Arc::clone(&sink) as Arc<dyn ReplySink<S::Reply>>,
            outlet,
        };
        let mut station = Self {
            core: Core::new(parts, clock, SLICE),
            inlet,
            sink,
            ready_told: false,
        };
        station.core.start();
        station.flush();
        station
    }

    /// When the service wants to be ticked.
    pub(crate) fn wake(&self) -> Wake {
        self.core.wake()
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.core.clock()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.core.has_ended()
    }

    /// Takes a packet from the owner.
    pub(crate) fn receive(&mut self, packet: Packet) {
        let id = packet.id;
        let taken = match (id, packet.kind.starts_with("worker/")) {
            (_, true) => self.receive_lifecycle(packet),
            (Some(INPUT), false) => packet
                .open()
                .map(|input| self.core.take(Inbound::Input(input))),
            (Some(id), false) => packet.open().map(|request| {
                self.sink.open().insert(id.0);
                self.core.take(Inbound::Request(id.0, request));
            }),
            (None, false) => packet
                .open()
                .map(|command| self.core.take(Inbound::Command(command))),
        };
        if let Err(error) = taken {
            match id {
                Some(_) => self.sink.tell(id, FromWorker::Error(error)),
                None => self.sink.log("error", &error.to_string()),
            }
        }
        self.flush();
    }

    fn receive_lifecycle(&mut self, packet: Packet) -> Result<(), ServiceError> {
        let id = packet.id;
        match packet.open::<ToWorker>()? {
            ToWorker::Cancel => {
                if let Some(RequestId(id)) = id {
                    self.sink.open().remove(&id);
                }
            }
            ToWorker::Fault(fault) => self.core.take(Inbound::Fault(fault)),
            ToWorker::Teardown => {
                self.core.stop();
                self.flush();
                self.sink.tell(None, FromWorker::Stopped);
            }
            // The host has seen to them: they carry more than a packet does.
            ToWorker::Init { .. } | ToWorker::LinkIn | ToWorker::LinkOut => {}
        }
        Ok(())
    }

    /// Takes a packet that another service feeds.
    pub(crate) fn receive_input(&mut self, packet: Packet) {
        match packet.open() {
            Ok(input) => self.core.take(Inbound::Input(input)),
            Err(error) => self.sink.log("error", &error.to_string()),
        }
        self.flush();
    }

    /// What the service feeds also goes there.
    pub(crate) fn link(&mut self, number: u64, feed: Feed<S::Output>) {
        self.core.take(Inbound::Link(number, feed));
    }

    /// Ticks the service if that is due.
    pub(crate) fn tick_if_due(&mut self) {
        if matches!(self.core.wake(), Wake::At(secs) if secs <= self.core.clock().now_secs()) {
            self.core.tick();
            self.flush();
        }
    }

    /// Gives a sign of life.
    pub(crate) fn beat(&self) {
        let load = std::sync::atomic::Ordering::Relaxed;
        self.sink.tell(
            None,
            FromWorker::Heartbeat(Vitals {
                ticks: self.core.shared().ticks.load(load),
                events_dropped: self.core.shared().events_dropped.load(load),
            }),
        );
    }

    /// Posts what the service has told.
    fn flush(&mut self) {
        if !self.ready_told && self.core.shared().state() == crate::State::Ready {
            self.ready_told = true;
            self.sink.tell(None, FromWorker::Ready);
        }
        while let Some(event) = self.inlet.next() {
            match Packet::new(event, None, 0) {
                Ok(packet) => (self.sink.post)(packet),
                Err(error) => self.sink.log("error", &error.to_string()),
            }
        }
    }
}

fn said(progress: Progress) -> FromWorker {
    FromWorker::Progress {
        stage: progress.stage,
        fraction: progress.fraction,
    }
}

impl Sink {
    fn tell(&self, id: Option<RequestId>, message: FromWorker) {
        if let Ok(packet) = Packet::new(message, id, id.map_or(0, |id| id.0)) {
            (self.post)(packet);
        }
    }

    fn log(&self, level: &str, text: &str) {
        let (level, text) = (level.to_owned(), text.to_owned());
        self.tell(None, FromWorker::Log { level, text });
    }

    fn open(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Message> ReplySink<R> for Sink {
    fn answer(&self, id: u64, result: Result<R, ServiceError>) {
        if !self.open().remove(&id) {
            return;
        }
        let packed = result.and_then(|reply| Packet::new(reply, Some(RequestId(id)), id));
        match packed {
            Ok(packet) => (self.post)(packet),
            Err(error) => self.tell(Some(RequestId(id)), FromWorker::Error(error)),
        }
    }

    fn progress(&self, id: u64, progress: Progress) {
        self.tell(Some(RequestId(id)), said(progress));
    }

    fn is_wanted(&self, id: u64) -> bool {
        self.open().contains(&id)
    }

    fn end(&self, error: &ServiceError) {
        self.open().clear();
        // A service that was stopped says so itself.
        if !matches!(error, ServiceError::Gone { .. }) {
            self.tell(None, FromWorker::Error(error.clone()));
        }
    }
}
