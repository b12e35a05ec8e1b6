//! The state machines of both ends of a wire in drawn orders: [`Remote`] and [`Station`], joined by
//! two queues, in one thread and in stepped time, so that whatever fails fails again.
//!
//! A scheduler of real threads (loom, shuttle) would see nothing here: an owner and its worker share
//! no memory, only the order of packets matters, and that is what is drawn. What native threads do
//! share is raced in `races`: a handful of atomics and locks held for some lines, partly inside
//! channels that such a scheduler can't look into.

mod races;
mod tape;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use forearm_protocol::lifecycle::{FromWorker, ToWorker};
use forearm_protocol::{Packet, RequestId, ServiceError};
use proptest::prelude::*;

use crate::answer::ReplySink;
use crate::clock::Clock;
use crate::core::Inbound;
use crate::inline::Inline;
use crate::outlet::{self, Inlet};
use crate::remote::{Remote, RemoteParts};
use crate::requests::{Receiver, Requests};
use crate::service::{Service, Wake};
use crate::station::{self, Station};
use crate::status::{Shared, State};
use crate::telemetry::Telemetry;
use tape::{Act, Ask, Entry, Fed, Noted, Said, Tape, Tell};

/// What may happen next.
#[derive(Debug, Clone)]
enum Step {
    Ask,
    AskForLater,
    AskForSlow,
    Tell,
    Feed,
    /// These three name one of the requests, counted round.
    Release(usize),
    Forget(usize),
    Progress(usize),
    Cancel(usize),
    Panic,
    ToWorker,
    ToOwner,
    Tick,
    Beat,
    Check,
    /// The worker does nothing any more.
    GoSilent,
    Teardown,
    /// The worker's owner hears of an exception.
    Break,
    /// Something happens to a packet on its way to the worker, or to the owner.
    Garble(bool, Garble),
}

#[derive(Debug, Clone)]
enum Garble {
    Lose,
    Repeat,
    Overtake,
    Truncate,
    Lengthen,
    Age,
    Rename(usize),
    Renumber(Option<u64>),
    Invent(usize, Option<u64>, Vec<u8>),
}

/// Names of packets; one that fails on purpose is not among them: it might hang the test.
const NAMES: [&str; 12] = [
    "tape/ask",
    "tape/later",
    "tape/tell",
    "tape/fed",
    "tape/said",
    "worker/cancel",
    "worker/teardown",
    "worker/ready",
    "worker/progress",
    "worker/heartbeat",
    "worker/error",
    "worker/nonsense",
];

fn orderly() -> impl Strategy<Value = Step> {
    let number = 0..8_usize;
    prop_oneof![
        4 => Just(Step::Ask),
        4 => Just(Step::AskForLater),
        1 => Just(Step::AskForSlow),
        3 => Just(Step::Tell),
        2 => Just(Step::Feed),
        4 => number.clone().prop_map(Step::Release),
        1 => number.clone().prop_map(Step::Forget),
        2 => number.clone().prop_map(Step::Progress),
        3 => number.prop_map(Step::Cancel),
        20 => Just(Step::ToWorker),
        20 => Just(Step::ToOwner),
        3 => Just(Step::Tick),
        3 => Just(Step::Beat),
        6 => Just(Step::Check),
    ]
}

fn fatal() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Panic),
        Just(Step::GoSilent),
        Just(Step::Teardown),
        Just(Step::Break),
    ]
}

fn garbled() -> impl Strategy<Value = Step> {
    let id = prop::option::of(0..12_u64);
    let bytes = prop::collection::vec(any::<u8>(), 0..12);
    let garble = prop_oneof![
        Just(Garble::Lose),
        Just(Garble::Repeat),
        Just(Garble::Overtake),
        Just(Garble::Truncate),
        Just(Garble::Lengthen),
        Just(Garble::Age),
        (0..NAMES.len()).prop_map(Garble::Rename),
        id.clone().prop_map(Garble::Renumber),
        (0..NAMES.len(), id, bytes).prop_map(|(name, id, bytes)| Garble::Invent(name, id, bytes)),
    ];
    (any::<bool>(), garble).prop_map(|(there, garble)| Step::Garble(there, garble))
}

type Wire = Arc<Mutex<VecDeque<Packet>>>;

/// One request and what became of it.
struct Asked {
    number: u32,
    id: u64,
    receiver: Receiver<Said>,
    outcome: Option<Result<Said, ServiceError>>,
    cancelled: bool,
    slow: bool,
}

struct World {
    remote: Remote<Tape>,
    requests: Arc<Requests<Said>>,
    shared: Arc<Shared>,
    inlet: Inlet<Noted>,
    station: Option<Station<Tape>>,
    to_worker: Wire,
    to_owner: Wire,
    clock: Clock,
    now_secs: f64,
    next: u32,
    asked: Vec<Asked>,
    /// The numbers of all that was sent.
    sent: Vec<u32>,
    silent: bool,
    /// Whether packets were tampered with: then less is promised.
    garbled: bool,
    /// How the service ended, since it was first seen.
    ended: Option<ServiceError>,
    /// The model of who is silent: whether anything was heard since the last check, and for how
    /// many checks nothing.
    heard: bool,
    silent_checks: u32,
}

impl World {
    fn new() -> Self {
        tape::clear();
        let telemetry = Arc::new(Telemetry::default());
        let requests = Arc::new(Requests::new(Arc::clone(&telemetry)));
        let shared = Arc::new(Shared::new(Tape::NAME));
        let (outlet, inlet) = outlet::channel(Arc::clone(&shared));
        let to_worker = Wire::default();
        let out = Arc::clone(&to_worker);
        let parts = RemoteParts {
            requests: Arc::clone(&requests),
            shared: Arc::clone(&shared),
            telemetry,
            outlet,
        };
        let remote = Remote::new(
            parts,
            Box::new(move |packet| {
                out.lock().expect("one thread").push_back(packet);
                Ok(())
            }),
        );
        remote.start(&7, "warn").expect("packs");
        Self {
            remote,
            requests,
            shared,
            inlet,
            station: None,
            to_worker,
            to_owner: Wire::default(),
            clock: Clock::stepped(),
            now_secs: 0.0,
            next: 0,
            asked: Vec::new(),
            sent: Vec::new(),
            silent: false,
            garbled: false,
            ended: None,
            heard: true,
            silent_checks: 0,
        }
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Sends as the office does: not to what has ended.
    fn send(&mut self, number: u32, message: Inbound<Tape>) {
        if self.shared.ended().is_none() {
            self.remote.send(message).expect("there is room");
            self.sent.push(number);
        }
    }

    fn ask(&mut self, make: fn(u32) -> Ask) {
        let number = self.number();
        let ask = make(number);
        let slow = matches!(ask, Ask::Slow(_));
        match self.requests.open("tape/ask", Tape::patience(&ask)) {
            Ok((id, receiver)) => {
                self.asked.push(Asked {
                    number,
                    id,
                    receiver,
                    outcome: None,
                    cancelled: false,
                    slow,
                });
                self.send(number, Inbound::Request(id, ask));
            }
            Err(error) => assert_eq!(Some(error), self.shared.ended(), "only an end refuses"),
        }
    }

    fn tell(&mut self, act: Act) {
        let number = self.number();
        self.send(number, Inbound::Command(Tell { number, act }));
    }

    /// The number of one of the requests.
    fn one(&self, index: usize) -> u32 {
        let index = index.checked_rem(self.asked.len());
        index.map_or(0, |index| self.asked[index].number)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask => self.ask(Ask::Now),
            Step::AskForLater => self.ask(Ask::Later),
            Step::AskForSlow => self.ask(Ask::Slow),
            Step::Tell => self.tell(Act::Nothing),
            Step::Feed => {
                let number = self.number();
                self.send(number, Inbound::Input(Fed(number)));
            }
            Step::Release(index) => self.tell(Act::Release(self.one(index))),
            Step::Forget(index) => self.tell(Act::Forget(self.one(index))),
            Step::Progress(index) => self.tell(Act::Progress(self.one(index))),
            Step::Cancel(index) => self.cancel(index),
            Step::Panic => self.tell(Act::Panic),
            Step::ToWorker => self.deliver_to_worker(),
            Step::ToOwner => self.deliver_to_owner(),
            Step::Tick => self.tick(),
            Step::Beat => {
                if let (false, Some(station)) = (self.silent, &self.station) {
                    station.beat();
                }
            }
            Step::Check => self.check(),
            Step::GoSilent => self.silent = true,
            Step::Teardown => {
                let packet = Packet::new(ToWorker::Teardown, None, 0).expect("packs");
                self.to_worker.lock().expect("one thread").push_back(packet);
            }
            Step::Break => self.break_it(),
            Step::Garble(there, garble) => self.garble(there, garble),
        }
        self.look();
    }

    fn cancel(&mut self, index: usize) {
        let Some(index) = index.checked_rem(self.asked.len()) else {
            return;
        };
        let asked = &mut self.asked[index];
        if asked.outcome.is_none() && !asked.cancelled {
            asked.cancelled = true;
            self.requests.give_up(asked.id);
            self.remote.cancel(asked.id);
        }
    }

    fn deliver_to_worker(&mut self) {
        if self.silent {
            return;
        }
        let Some(packet) = self.to_worker.lock().expect("one thread").pop_front() else {
            return;
        };
        if let Some(station) = &mut self.station {
            if !station.has_ended() {
                station.receive(packet);
            }
            return;
        }
        // As a worker's first script does.
        let out = Arc::clone(&self.to_owner);
        let post: station::Post = Arc::new(move |packet| {
            out.lock().expect("one thread").push_back(packet);
        });
        match packet.open::<ToWorker>() {
            Ok(ToWorker::Init { setup, .. }) => {
                let setup = station::setup(Tape::NAME, &setup).expect("as it was sent");
                self.station = Some(Station::start(setup, self.clock.clone(), post));
            }
            other => assert!(self.garbled, "{other:?} comes first"),
        }
    }

    fn deliver_to_owner(&mut self) {
        let packet = self.to_owner.lock().expect("one thread").pop_front();
        if let Some(packet) = packet {
            self.heard = true;
            self.remote.receive(packet);
        }
    }

    fn tick(&mut self) {
        self.now_secs += 0.5;
        self.clock.set_secs(self.now_secs);
        if let (false, Some(station)) = (self.silent, &mut self.station) {
            station.tick_if_due();
            let due =
                matches!(station.wake(), Wake::At(secs) if secs <= station.clock().now_secs());
            assert!(station.has_ended() || !due, "a tick is overdue");
        }
    }

    /// A silent worker is found at exactly the check at which it should be, and no other is.
    fn check(&mut self) {
        let was_ready = self.shared.state() == State::Ready;
        let patient = self.asked.iter().any(|a| a.slow && self.is_open(a));
        self.remote.check();
        if !was_ready {
            return;
        }
        if std::mem::take(&mut self.heard) {
            self.silent_checks = 0;
        } else {
            self.silent_checks += 1;
        }
        let limit = if patient { 8 } else { 4 };
        let found = matches!(self.shared.ended(), Some(ServiceError::Crashed { why, .. })
            if why.contains("no sign of life"));
        assert_eq!(found, self.silent_checks >= limit, "{}", self.silent_checks);
    }

    fn is_open(&self, asked: &Asked) -> bool {
        ReplySink::<Said>::is_wanted(&*self.requests, asked.id)
    }

    fn break_it(&mut self) {
        let unborn = self.remote.broke("a test".to_owned(), None);
        if unborn.is_some() {
            // Nothing was ever heard: the office would take everything back.
            assert_ne!(self.shared.state(), State::Ready);
            self.remote.fail(crate::core::stopped_error::<Tape>());
        }
        assert!(self.shared.ended().is_some(), "a broken worker has ended");
        self.silent = true;
    }

    fn garble(&mut self, there: bool, garble: Garble) {
        self.garbled = true;
        let wire = if there {
            &self.to_worker
        } else {
            &self.to_owner
        };
        let mut wire = wire.lock().expect("one thread");
        if let Garble::Invent(name, id, payload) = garble {
            wire.push_front(Packet {
                v: forearm_protocol::PROTOCOL_VERSION,
                kind: NAMES[name].into(),
                id: id.map(RequestId),
                trace_id: 0,
                payload,
                buffers: Vec::new(),
            });
            return;
        }
        let Some(mut packet) = wire.pop_front() else {
            return;
        };
        match garble {
            Garble::Lose => return,
            Garble::Repeat => wire.push_back(packet.clone()),
            Garble::Overtake => return wire.push_back(packet),
            Garble::Truncate => drop(packet.payload.pop()),
            Garble::Lengthen => packet.payload.push(0),
            Garble::Age => packet.v = 1,
            Garble::Rename(name) => packet.kind = NAMES[name].into(),
            Garble::Renumber(id) => packet.id = id.map(RequestId),
            Garble::Invent(..) => {}
        }
        wire.push_front(packet);
    }

    /// Whatever has happened: these hold.
    fn look(&mut self) {
        for asked in &mut self.asked {
            match asked.receiver.try_recv() {
                Ok(Some(outcome)) => {
                    assert!(asked.outcome.is_none(), "a second answer");
                    assert!(!asked.cancelled, "an answer after it was given up");
                    if let (Ok(said), false) = (&outcome, self.garbled) {
                        assert_eq!(said.0, asked.number, "another one's answer");
                    }
                    asked.outcome = Some(outcome);
                }
                // Its sender is gone: only after its answer, or when it was given up.
                Err(_) => assert!(asked.outcome.is_some() || asked.cancelled, "it is lost"),
                Ok(None) => {}
            }
        }
        let ended = self.shared.ended();
        if let Some(first) = &self.ended {
            assert_eq!(ended.as_ref(), Some(first), "the first end counts");
        }
        self.ended = ended;
        if let Some(error) = &self.ended {
            assert_eq!(self.requests.in_flight(), 0, "something waits for ever");
            assert!(
                self.asked
                    .iter()
                    .all(|a| a.outcome.is_some() || a.cancelled),
                "something has no answer"
            );
            assert_eq!(
                self.requests
                    .open("tape/ask", Tape::HANG_AFTER)
                    .err()
                    .as_ref(),
                Some(error)
            );
        }
        tape::with(|log| {
            let early = log.iter().position(|entry| *entry == Entry::Ready);
            assert!(log.is_empty() || early == Some(0), "{log:?} before ready");
            if !self.garbled {
                let numbers: Vec<u32> = log.iter().filter_map(Entry::number).collect();
                assert!(
                    numbers.is_sorted_by(|a, b| a < b),
                    "{numbers:?} is no order"
                );
                assert!(numbers.iter().all(|n| self.sent.contains(n)), "{log:?}");
            }
            let last = log.iter().position(|entry| *entry == Entry::Stopping);
            assert!(last.is_none_or(|at| at + 1 == log.len()), "{log:?}");
        });
    }

    /// Delivers everything, and looks once more.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let waits = |wire: &Wire| !wire.lock().expect("one thread").is_empty();
            let worker_waits = !self.silent && waits(&self.to_worker);
            if !worker_waits && !waits(&self.to_owner) {
                return;
            }
            self.step(Step::ToWorker);
            self.step(Step::ToOwner);
        }
        panic!("they never stop talking");
    }

    /// Nothing was lost: what was sent arrived, and was answered where it was to be.
    fn nothing_is_lost(&mut self) {
        self.settle();
        if self.ended.is_some() || self.silent {
            return;
        }
        // Its next tick, and what comes of it.
        for _ in 0..3 {
            self.step(Step::Tick);
        }
        self.settle();
        let known: Vec<u32> = tape::with(|log| log.iter().filter_map(Entry::number).collect());
        let given_up = |n: &u32| self.asked.iter().any(|a| a.number == *n && a.cancelled);
        for number in self.sent.iter().filter(|n| !given_up(n)) {
            assert!(known.contains(number), "{number} never arrived: {known:?}");
        }
        let kept = tape::with_kept(|kept| kept.clone());
        let unwanted = self
            .asked
            .iter()
            .find(|a| a.cancelled && kept.contains(&a.number));
        assert_eq!(unwanted.map(|a| a.number), None, "nobody told the worker");
        for asked in self.asked.iter().filter(|a| !a.cancelled) {
            let open = kept.contains(&asked.number);
            assert_eq!(asked.outcome.is_none(), open, "request {}", asked.number);
        }
        assert_eq!(
            self.requests.in_flight(),
            self.asked
                .iter()
                .filter(|a| !a.cancelled && a.outcome.is_none())
                .count()
        );
        // Events came in the order in which they were told.
        let events: Vec<u32> = std::iter::from_fn(|| self.inlet.next())
            .map(|e| e.0)
            .collect();
        assert!(events.is_sorted_by(|a, b| a < b), "{events:?}");
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn nothing_is_lost_in_any_order(steps in prop::collection::vec(orderly(), 0..120)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.nothing_is_lost();
    }

    #[test]
    fn every_end_fails_what_is_open(
        before in prop::collection::vec(orderly(), 0..60),
        end in fatal(),
        after in prop::collection::vec(prop_oneof![8 => orderly(), 1 => fatal()], 0..60),
    ) {
        let mut world = World::new();
        for step in before.into_iter().chain([end]).chain(after) {
            world.step(step);
        }
        world.nothing_is_lost();
        // One that is silent is found: it was heard once more at most.
        for _ in 0..9 {
            world.step(Step::Check);
        }
        let found = world.ended.is_some() || world.shared.state() == State::Starting;
        prop_assert!(found || !world.silent);
    }

    #[test]
    fn no_packet_can_hurt_either_end(
        steps in prop::collection::vec(prop_oneof![3 => orderly(), 1 => garbled()], 0..150),
    ) {
        let mut world = World::new();
        for step in steps {
            // What a garbled packet says need not be what was sent: the model of silence is off.
            if !matches!(step, Step::Check) {
                world.step(step);
            }
        }
        world.settle();
        world.remote.fail(crate::core::stopped_error::<Tape>());
        world.look();
    }
}

#[test]
fn a_worker_that_beats_is_never_hung_and_one_that_stops_is_found_after_four_checks() {
    let mut world = World::new();
    world.settle();
    for _ in 0..1000 {
        world.step(Step::Beat);
        world.step(Step::ToOwner);
        world.step(Step::Check);
    }
    assert_eq!(world.shared.state(), State::Ready);
    world.step(Step::GoSilent);
    for _ in 0..3 {
        world.step(Step::Check);
        assert_eq!(world.shared.state(), State::Ready);
    }
    world.step(Step::Check);
    assert_eq!(world.shared.state(), State::Failed);
}

#[test]
fn another_version_is_told_to_either_side() {
    let mut world = World::new();
    world.settle();
    world.step(Step::Ask);
    world.step(Step::Garble(true, Garble::Age));
    world.settle();
    let refused = world.asked[0].outcome.clone().expect("answered");
    let version = ServiceError::Version {
        got: 1,
        expected: forearm_protocol::PROTOCOL_VERSION,
    };
    assert_eq!(refused, Err(version.clone()), "the worker goes on");
    assert_eq!(world.shared.state(), State::Ready);
    world.step(Step::Beat);
    world.step(Step::Garble(false, Garble::Age));
    world.settle();
    assert_eq!(
        world.shared.ended(),
        Some(version),
        "a worker of another build is of no use"
    );
}

#[test]
fn what_waits_for_a_worker_that_never_comes_up_is_served_elsewhere() {
    let mut world = World::new();
    world.step(Step::Ask);
    world.step(Step::Tell);
    world.step(Step::Ask);
    world.step(Step::Cancel(0));
    assert_eq!(
        world.remote.broke("no such file".to_owned(), None),
        Some("no such file".to_owned())
    );
    let (parts, queue) = world.remote.dissolve(7);
    let (outbox, inbox) = crossbeam_channel::bounded(8);
    for message in queue {
        outbox.try_send(message).expect("there is room");
    }
    Inline::new(parts, inbox, world.clock).serve();
    tape::with(|log| assert_eq!(log, &[Entry::Ready, Entry::Took(2), Entry::Took(3)]));
    let answer = world.asked[1].receiver.try_recv();
    assert_eq!(answer, Ok(Some(Ok(Said(3)))));
}

#[test]
fn feeds_go_past_the_owner() {
    let mut world = World::new();
    world.settle();
    let station = world.station.as_mut().expect("it was started");
    let (sender, fed) = crossbeam_channel::unbounded();
    for link in [1, 2, 1] {
        let sender = sender.clone();
        let feed = move |Fed(number)| {
            sender.send((link, number)).expect("it is read below");
            Ok(())
        };
        station.link(link, Arc::new(feed));
    }
    world.tell(Act::Feed(5));
    world.settle();
    assert_eq!(fed.try_iter().collect::<Vec<_>>(), [(1, 5), (2, 5)]);
    let station = world.station.as_mut().expect("it was started");
    station.receive_input(Packet::new(Fed(6), None, 0).expect("packs"));
    world.sent.push(6);
    let strange = Packet::new(Said(6), None, 0).expect("packs");
    station.receive_input(strange);
    tape::with(|log| assert_eq!(log.last(), Some(&Entry::Took(6))));
    world.settle();
    assert_eq!(world.shared.state(), State::Ready);
}

#[test]
fn words_of_the_runtime_are_not_taken_from_the_wrong_side() {
    let mut world = World::new();
    world.settle();
    let ready = Packet::new(FromWorker::Ready, None, 0).expect("packs");
    world.to_worker.lock().expect("one thread").push_back(ready);
    world.settle();
    assert_eq!(world.shared.state(), State::Ready);
    let cancel = Packet::new(ToWorker::Cancel, Some(RequestId(1)), 0).expect("packs");
    world.to_owner.lock().expect("one thread").push_back(cancel);
    world.settle();
    assert!(matches!(
        world.shared.ended(),
        Some(ServiceError::Refused { .. })
    ));
}
