//! The promises of the runtime, checked with the same tests on every host.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use forearm_protocol::{Message, ServiceError};
use forearm_workers::{
    Context, Handle, Host, HostKind, QUEUE_CAPACITY, Service, State, Wake, spawn,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Ask {
    Echo(u32),
    Log,
    Refuse,
    Panic,
    ThreadName,
}
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Answer {
    Echo(u32),
    Log(Vec<String>),
    Name(Option<String>),
}
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tell {
    Note(u32),
    Emit { samples: u32, notices: u32 },
    Panic,
}
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Told {
    Sample(u32),
    Notice(u32),
}
macro_rules! message {
    ($($kind:ty => $name:literal),*) => {
        $(impl Message for $kind { fn name(&self) -> &'static str { $name } })*
    };
}
message!(Ask => "probe/ask", Answer => "probe/answer", Tell => "probe/tell", Told => "probe/told");

/// A service that notes everything that happens to it.
#[derive(Default)]
struct Probe {
    log: Vec<String>,
    /// `ready` waits for this before it returns.
    gate: Option<mpsc::Receiver<()>>,
    fail_start: bool,
    /// Ticks at this period; otherwise on messages only.
    period_secs: Option<f64>,
    stopped: Arc<AtomicUsize>,
}

impl Service for Probe {
    type Request = Ask;
    type Reply = Answer;
    type Command = Tell;
    type Event = Told;
    const NAME: &'static str = "probe";

    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        cx.progress("warming up", 0.5);
        if let Some(gate) = &self.gate {
            gate.recv().expect("the test opens the gate");
        }
        self.log.push("ready".to_owned());
        if self.fail_start {
            return Err(ServiceError::Start {
                service: "probe".into(),
                why: "no luck".into(),
            });
        }
        Ok(())
    }

    fn request(&mut self, ask: Ask, _: &mut Context<'_, Self>) -> Result<Answer, ServiceError> {
        match ask {
            Ask::Echo(number) => {
                self.log.push(format!("echo {number}"));
                Ok(Answer::Echo(number))
            }
            Ask::Log => Ok(Answer::Log(self.log.clone())),
            Ask::Refuse => Err(ServiceError::Refused {
                what: "this".into(),
                why: "it is a test".into(),
                next: "go on".into(),
            }),
            Ask::Panic => panic!("asked to panic"),
            Ask::ThreadName => Ok(Answer::Name(thread::current().name().map(str::to_owned))),
        }
    }

    fn command(&mut self, tell: Tell, cx: &mut Context<'_, Self>) {
        match tell {
            Tell::Note(number) => self.log.push(format!("note {number}")),
            Tell::Emit { samples, notices } => {
                for number in 0..samples.max(notices) {
                    if number < notices {
                        cx.emit(Told::Notice(number));
                    }
                    if number < samples {
                        cx.emit(Told::Sample(number));
                    }
                }
            }
            Tell::Panic => panic!("told to panic"),
        }
    }

    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
        let Some(period) = self.period_secs else {
            return Wake::OnMessage;
        };
        self.log.push(format!("tick {:.3}", cx.now_secs()));
        Wake::At(cx.now_secs() + period)
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {
        self.stopped.fetch_add(1, Ordering::SeqCst);
    }

    fn may_drop(event: &Told) -> bool {
        matches!(event, Told::Sample(_))
    }
}

fn on_every_host(test: impl Fn(Host)) {
    for host in [Host::Thread, Host::Inline, Host::Stepped] {
        test(host);
    }
}

/// Asks for something, so that all that was sent before has been taken.
fn settle(handle: &Handle<Probe>) {
    assert_eq!(handle.request_blocking(Ask::Echo(0)), Ok(Answer::Echo(0)));
}

fn log_of(handle: &Handle<Probe>) -> Vec<String> {
    match handle.request_blocking(Ask::Log) {
        Ok(Answer::Log(log)) => log,
        other => panic!("unexpected answer {other:?}"),
    }
}

#[test]
fn requests_are_answered_and_the_path_is_told() {
    on_every_host(|host| {
        let handle = spawn(Probe::default, host);
        assert_eq!(handle.request_blocking(Ask::Echo(7)), Ok(Answer::Echo(7)));
        let refused = handle.request_blocking(Ask::Refuse).expect_err("refused");
        assert!(
            refused
                .to_string()
                .contains("this was refused: it is a test; go on")
        );
        let status = handle.status();
        assert_eq!(
            (status.state, status.in_flight, status.fallback),
            (State::Ready, 0, None)
        );
        assert_eq!((status.received, status.answered), (2, 2));
        assert_eq!(status.progress.expect("reported").stage, "warming up");
        let kind = match host {
            Host::Thread => HostKind::Thread,
            Host::Inline => HostKind::Inline,
            Host::Stepped => HostKind::Stepped,
        };
        assert_eq!(status.host, kind);
    });
}

#[test]
fn the_thread_is_named_after_the_service() {
    let handle = spawn(Probe::default, Host::Thread);
    let name = handle.request_blocking(Ask::ThreadName);
    assert_eq!(name, Ok(Answer::Name(Some("probe".into()))));
}

#[test]
fn what_is_sent_before_ready_waits_in_order() {
    on_every_host(|host| {
        let (open, gate) = mpsc::channel();
        let handle = spawn(
            move || Probe {
                gate: Some(gate),
                ..Probe::default()
            },
            host,
        );
        let mut early = handle.request(Ask::Echo(1));
        handle.send(Tell::Note(2)).expect("queued");
        let _later = handle.request(Ask::Echo(3));
        assert_eq!(
            (handle.status().state, handle.status().in_flight),
            (State::Starting, 2)
        );
        if host == Host::Thread {
            assert_eq!(early.try_take(), None, "nothing runs half prepared");
        }
        open.send(()).expect("the service waits");
        assert_eq!(pollster::block_on(early), Ok(Answer::Echo(1)));
        assert_eq!(
            log_of(&handle)[..4],
            ["ready", "echo 1", "note 2", "echo 3"]
        );
    });
}

#[test]
fn a_failed_start_fails_every_request_with_its_reason() {
    on_every_host(|host| {
        let handle = spawn(
            || Probe {
                fail_start: true,
                ..Probe::default()
            },
            host,
        );
        let error = handle.request_blocking(Ask::Log).expect_err("not started");
        assert_eq!(
            error.to_string(),
            "the service `probe` did not start: no luck"
        );
        assert_eq!(handle.send(Tell::Note(1)), Err(error.clone()));
        assert_eq!(handle.status().state, State::Failed);
        assert_eq!(handle.status().failure, Some(error));
    });
}

#[test]
fn a_panic_fails_everything_in_flight_and_goes_no_further() {
    on_every_host(|host| {
        let stopped = Arc::new(AtomicUsize::new(0));
        let (open, gate) = mpsc::channel();
        let counter = Arc::clone(&stopped);
        let handle = spawn(
            move || Probe {
                gate: Some(gate),
                stopped: counter,
                ..Probe::default()
            },
            host,
        );
        let first = handle.request(Ask::Echo(1));
        handle.send(Tell::Panic).expect("queued");
        let waiting = [handle.request(Ask::Echo(2)), handle.request(Ask::Panic)];
        open.send(()).expect("the service waits");
        assert_eq!(pollster::block_on(first), Ok(Answer::Echo(1)));
        for pending in waiting {
            let error = pollster::block_on(pending).expect_err("gone");
            assert!(matches!(error, ServiceError::Gone { .. }));
            assert!(error.to_string().contains("told to panic"), "{error}");
        }
        assert!(matches!(
            handle.send(Tell::Note(1)),
            Err(ServiceError::Gone { .. })
        ));
        let status = handle.status();
        assert_eq!((status.state, status.in_flight), (State::Failed, 0));
        drop(handle);
        assert_eq!(
            stopped.load(Ordering::SeqCst),
            0,
            "a broken service is not asked for more"
        );
    });
}

#[test]
fn a_panicking_factory_is_a_failed_start() {
    on_every_host(|host| {
        let handle = spawn(|| -> Probe { panic!("no parts") }, host);
        let error = handle.request_blocking(Ask::Log).expect_err("not started");
        assert_eq!(
            error.to_string(),
            "the service `probe` did not start: no parts"
        );
    });
}

#[test]
fn stopping_is_called_once_and_ends_everything() {
    on_every_host(|host| {
        let stopped = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&stopped);
        let mut handle = spawn(
            move || Probe {
                stopped: counter,
                ..Probe::default()
            },
            host,
        );
        settle(&handle);
        handle.stop();
        assert_eq!(handle.status().state, State::Stopped);
        let error = handle.request_blocking(Ask::Log).expect_err("stopped");
        assert_eq!(
            error.to_string(),
            "the service `probe` is gone (it was stopped); start it again"
        );
        handle.stop();
        drop(handle);
        assert_eq!(stopped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn dropping_the_handle_stops_the_service() {
    on_every_host(|host| {
        let stopped = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&stopped);
        let handle = spawn(
            move || Probe {
                stopped: counter,
                ..Probe::default()
            },
            host,
        );
        settle(&handle);
        drop(handle);
        assert_eq!(stopped.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_full_queue_is_an_error_not_a_wait() {
    on_every_host(|host| {
        let (open, gate) = mpsc::channel();
        let handle = spawn(
            move || Probe {
                gate: Some(gate),
                ..Probe::default()
            },
            host,
        );
        let refused = (0..=QUEUE_CAPACITY as u32).find_map(|n| handle.send(Tell::Note(n)).err());
        let busy = ServiceError::Busy {
            service: "probe".into(),
            queued: QUEUE_CAPACITY,
        };
        assert_eq!(refused, Some(busy.clone()));
        let refused = handle.request(Ask::Log);
        open.send(()).expect("the service waits");
        assert_eq!(pollster::block_on(refused), Err(busy));
    });
}

#[test]
fn a_request_without_an_answer_times_out() {
    let (open, gate) = mpsc::channel();
    let handle = spawn(
        move || Probe {
            gate: Some(gate),
            ..Probe::default()
        },
        Host::Thread,
    );
    let pending = handle.request_within(Ask::Log, Duration::from_millis(5));
    let error = pollster::block_on(pending).expect_err("too late");
    assert_eq!(
        error,
        ServiceError::Timeout {
            service: "probe".into(),
            request: "probe/ask".into(),
            timeout_ms: 5
        }
    );
    open.send(()).expect("the service waits");
    settle(&handle);
    assert_eq!(
        handle.status().in_flight,
        0,
        "the late answer is not in flight any more"
    );
}

#[test]
fn unread_samples_are_dropped_oldest_first_and_notices_are_kept() {
    on_every_host(|host| {
        let handle = spawn(Probe::default, host);
        handle
            .send(Tell::Emit {
                samples: 500,
                notices: 20,
            })
            .expect("queued");
        settle(&handle);
        let events: Vec<Told> = handle.events().collect();
        let samples: Vec<u32> = events
            .iter()
            .filter_map(|event| match event {
                Told::Sample(number) => Some(*number),
                Told::Notice(_) => None,
            })
            .collect();
        assert_eq!(events.len() - samples.len(), 20, "every notice arrives");
        assert!(
            samples.is_sorted() && samples.last() == Some(&499),
            "the newest arrive in order"
        );
        let status = handle.status();
        assert_eq!(status.events, 520);
        assert_eq!(status.events_dropped as usize, 500 - samples.len());
    });
}

#[test]
fn events_of_both_kinds_keep_their_order() {
    on_every_host(|host| {
        let handle = spawn(Probe::default, host);
        handle
            .send(Tell::Emit {
                samples: 10,
                notices: 10,
            })
            .expect("queued");
        settle(&handle);
        let events: Vec<Told> = handle.events().collect();
        let told: Vec<Told> = (0..10)
            .flat_map(|n| [Told::Notice(n), Told::Sample(n)])
            .collect();
        assert_eq!(events, told);
    });
}

#[test]
fn stepped_time_ticks_at_exactly_the_deadlines() {
    let service = || Probe {
        period_secs: Some(0.25),
        ..Probe::default()
    };
    let handle = spawn(service, Host::Stepped);
    handle.advance_to(0.6);
    handle.send(Tell::Note(1)).expect("queued");
    handle.advance_to(0.8);
    handle.advance_to(0.1);
    let expected = [
        "ready",
        "tick 0.000",
        "tick 0.250",
        "tick 0.500",
        "note 1",
        "tick 0.750",
    ];
    assert_eq!(log_of(&handle), expected);
    assert_eq!(handle.status().ticks, 4);
}

#[test]
fn threads_and_slices_tick_by_themselves() {
    let service = || Probe {
        period_secs: Some(0.0005),
        ..Probe::default()
    };
    let threaded = spawn(service, Host::Thread);
    while threaded.status().ticks < 20 {
        thread::yield_now();
    }
    let inline = spawn(service, Host::Inline);
    while inline.status().ticks < 20 {
        inline.pump(Duration::from_millis(1));
    }
}

#[test]
fn an_overdue_service_still_takes_messages() {
    on_every_host(|host| {
        // Every tick is overdue at once; a stepped clock would tick for ever, so it gets no ticks.
        let period_secs = (host != Host::Stepped).then_some(-1.0);
        let handle = spawn(
            move || Probe {
                period_secs,
                ..Probe::default()
            },
            host,
        );
        for number in 0..200 {
            handle.send(Tell::Note(number)).expect("queued");
        }
        settle(&handle);
    });
}
