//! What becomes of a pool that fell back to its owner's thread. The fallback is told by hand: natively
//! there is always a thread to be had.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::*;
use crate::handle::Host;
use crate::pool::JobContext;

/// How long a test waits before it says that something never comes.
const NEVER: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Word(u64);

impl Message for Word {
    fn name(&self) -> &'static str {
        "word"
    }
}

struct Echo;

impl Jobs for Echo {
    type Task = Word;
    type Output = Word;

    const NAME: &'static str = "echo";

    async fn run(word: Word, _: JobContext) -> Result<Word, ServiceError> {
        Ok(word)
    }
}

type Receiver = oneshot::Receiver<Result<Word, ServiceError>>;

/// A pool of up to three workers that believes in threads, after one that was started without: its
/// task is not begun.
fn fallen_back(idle_after: Duration) -> (State<Echo>, Receiver) {
    let mut state = State::new(PoolConfig {
        host: Host::Inline,
        size: 3,
        idle_after,
        ..PoolConfig::default()
    });
    let receiver = submit(&mut state);
    state.config.host = Host::Thread;
    fall_back(&mut state);
    assert_eq!((state.status().size, state.status().alive), (1, 1));
    assert_eq!(state.status().fallback.as_deref(), Some("there is none"));
    (state, receiver)
}

fn fall_back(state: &mut State<Echo>) {
    let why = "there is none".to_owned();
    let seat = state.crew.iter().position(Option::is_some);
    state.hear(seat.expect("one was started"), Lifecycle::Fallback { why });
}

fn submit(state: &mut State<Echo>) -> Receiver {
    let (_, receiver) = state.submit(Task::new(Word(1)));
    see_to(state);
    receiver
}

fn see_to(state: &mut State<Echo>) {
    state.see_to(Waker::noop());
    for (ticket, result) in std::mem::take(&mut state.letters) {
        ticket.send(result).ok();
    }
}

/// Gives time to workers that have no thread.
fn work_inline(state: &mut State<Echo>) {
    for worker in state.busy_inline() {
        worker.pump(Duration::ZERO);
    }
    see_to(state);
}

#[track_caller]
fn wait(state: &mut State<Echo>, mut receiver: Receiver) {
    let start = Instant::now();
    loop {
        see_to(state);
        if let Ok(Some(result)) = receiver.try_recv() {
            return assert_eq!(result, Ok(Word(1)));
        }
        assert!(start.elapsed() < NEVER, "{:?}", state.status());
        std::thread::yield_now();
    }
}

fn fallbacks(state: &mut State<Echo>) -> usize {
    let events = std::iter::from_fn(|| state.next_event());
    events
        .filter(|event| matches!(event, PoolEvent::Fallback { .. }))
        .count()
}

#[test]
fn mending_lets_a_pool_that_fell_back_have_workers_again() {
    let (mut state, first) = fallen_back(Duration::from_secs(600));
    state.mend();
    assert_eq!((state.status().size, state.status().fallback), (3, None));
    let second = submit(&mut state);
    assert_eq!(state.status().alive, 2, "a worker starts");
    wait(&mut state, second);
    work_inline(&mut state);
    wait(&mut state, first);
    // The worker without a thread has gone: it would do in frames what the other does beside them.
    let status = state.status();
    assert_eq!((status.alive, status.host), (1, Some(HostKind::Thread)));
    let third = submit(&mut state);
    wait(&mut state, third);
    assert_eq!(fallbacks(&mut state), 1);
    fall_back(&mut state);
    assert_eq!(fallbacks(&mut state), 1, "a person who asked is told again");
    assert_eq!(state.status().size, 1);
}

#[test]
fn when_the_worker_without_a_thread_has_idled_out_the_next_start_tries_again() {
    let (mut state, first) = fallen_back(Duration::ZERO);
    work_inline(&mut state);
    wait(&mut state, first);
    let status = state.status();
    assert_eq!((status.alive, status.size, status.fallback), (0, 3, None));
    let second = submit(&mut state);
    assert_eq!(state.status().host, Some(HostKind::Thread));
    fall_back(&mut state);
    assert_eq!(state.status().size, 1);
    assert_eq!(fallbacks(&mut state), 1, "the same is not told twice");
    wait(&mut state, second);
}
