//! Races of what native threads share: a service's end against everything that goes on meanwhile.
//! Each is run many times from a common start, so that both orders happen, and what is promised has
//! to hold in either.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use forearm_protocol::ServiceError;

use crate::answer::ReplySink;
use crate::requests::Requests;
use crate::status::{Shared, State};
use crate::telemetry::Telemetry;

const ROUNDS: usize = 2000;

fn end(name: &str) -> ServiceError {
    ServiceError::Gone {
        service: name.to_owned(),
        why: "a race".to_owned(),
    }
}

/// Runs both at the same time and answers what they say.
fn race<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            start.wait();
            one()
        });
        start.wait();
        let other = other();
        (one.join().expect("no panic"), other)
    })
}

#[test]
fn one_that_has_ended_is_never_ready_again() {
    for _ in 0..ROUNDS {
        let shared = Shared::new("racer");
        race(
            || shared.end(State::Failed, end("a")),
            || shared.set_ready(),
        );
        assert_eq!(shared.state(), State::Failed);
        assert_eq!(shared.ended(), Some(end("a")));
    }
}

#[test]
fn one_end_counts_and_all_see_the_same() {
    for _ in 0..ROUNDS {
        let shared = Shared::new("racer");
        let (one, other) = race(
            || shared.end(State::Failed, end("a")),
            || shared.end(State::Stopped, end("b")),
        );
        assert!(one != other, "one of them is first");
        let (state, error) = if one {
            (State::Failed, "a")
        } else {
            (State::Stopped, "b")
        };
        assert_eq!((shared.state(), shared.ended()), (state, Some(end(error))));
    }
}

#[test]
fn what_is_asked_while_it_ends_is_refused_or_failed() {
    for _ in 0..ROUNDS {
        let requests = Arc::new(Requests::<u32>::new(Arc::new(Telemetry::default())));
        let early = requests.open("racer/early", Duration::ZERO).expect("alive");
        let (opened, ()) = race(
            || requests.open("racer/late", Duration::ZERO),
            || requests.end(&end("a")),
        );
        let late = opened.map_or_else(Err, |(_, mut late)| {
            late.try_recv().expect("kept").expect("told")
        });
        assert_eq!(late, Err(end("a")));
        let mut early = early.1;
        assert_eq!(early.try_recv(), Ok(Some(Err(end("a")))));
        assert_eq!(requests.in_flight(), 0);
    }
}

#[test]
fn an_answer_an_end_and_a_cancellation_make_one_outcome() {
    for round in 0..ROUNDS {
        let requests = Arc::new(Requests::<u32>::new(Arc::new(Telemetry::default())));
        let (id, mut receiver) = requests.open("racer/ask", Duration::ZERO).expect("alive");
        let cancels = round % 2 == 0;
        race(
            || requests.answer(id, Ok(7)),
            || match cancels {
                true => requests.give_up(id),
                false => requests.end(&end("a")),
            },
        );
        match receiver.try_recv() {
            Ok(Some(Ok(7))) => assert_eq!(requests.answered(), 1),
            Ok(Some(Err(error))) => {
                assert_eq!((error, cancels), (end("a"), false));
                assert_eq!(requests.failed_at_the_end(), 1);
            }
            Err(_) => assert!(cancels, "the answer is lost"),
            other => panic!("{other:?}"),
        }
        assert_eq!(requests.in_flight(), 0);
        requests.answer(id, Ok(8));
        assert!(
            requests.answered() <= 1,
            "a second answer counts for nothing"
        );
    }
}
