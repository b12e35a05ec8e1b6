//! The promises of the worker runtime as named cases, the same on every host and platform.
//!
//! `tests/hosts.rs` runs them natively, `examples/suite/main.rs` in a browser. A case says what went
//! wrong in its `Err`: in a browser a panic would end the page's module, and with it all cases. One
//! that a host can't have is excused there, with its reason.

mod buffers;
mod crashes;
mod ends;
mod events;
mod feeds;
pub(crate) mod platform;
pub(crate) mod probe;
mod requests;
mod restarts;
mod starts;
mod stats;
mod ticks;
mod wait;

use std::future::Future;
use std::pin::Pin;

use forearm_workers::Host;

/// How a case went; what went wrong.
pub(crate) type Outcome = Result<(), String>;

/// One promise.
pub(crate) struct Case {
    /// What is promised.
    pub(crate) name: &'static str,
    run: fn(Host) -> Pin<Box<dyn Future<Output = Outcome>>>,
    excuse: Excuse,
}

/// Why a case can't be on this host, if so.
type Excuse = fn(Host) -> Option<&'static str>;

impl Case {
    /// Runs it.
    pub(crate) async fn run(&self, host: Host) -> Outcome {
        (self.run)(host).await
    }

    /// Why it can't be on this host, if so.
    pub(crate) fn excuse(&self, host: Host) -> Option<&'static str> {
        (self.excuse)(host)
    }
}

/// Every host can have it.
fn nowhere(_: Host) -> Option<&'static str> {
    None
}

/// Natively panics are caught, and a worker's ends that worker.
fn where_a_crash_ends_all(host: Host) -> Option<&'static str> {
    (cfg!(target_family = "wasm") && host != Host::Thread)
        .then_some("a panic in the page's own module ends the page, not just the service")
}

/// One with a thread of its own takes nobody along.
fn with_a_thread(host: Host) -> Option<&'static str> {
    (host == Host::Thread).then_some("it has a thread of its own")
}

fn without_a_thread(host: Host) -> Option<&'static str> {
    (host != Host::Thread).then_some("a service that never returns keeps its owner's thread too")
}

fn without_a_native_thread(host: Host) -> Option<&'static str> {
    (cfg!(target_family = "wasm") || host != Host::Thread)
        .then_some("only a native thread has a name to ask for")
}

fn where_threads_can_be_had(host: Host) -> Option<&'static str> {
    (!cfg!(target_family = "wasm") || host != Host::Thread)
        .then_some("only a browser's workers can be taken away; slices need none")
}

fn in_stepped_time(host: Host) -> Option<&'static str> {
    (host == Host::Stepped).then_some("stepped time stands still until it is moved")
}

fn outside_stepped_time(host: Host) -> Option<&'static str> {
    (host != Host::Stepped).then_some("only stepped time can be moved")
}

macro_rules! cases {
    ($($excuse:ident: $($module:ident::$name:ident)*;)*) => {
        /// All of them.
        pub(crate) const CASES: &[Case] = &[$($(Case {
            name: stringify!($name),
            run: |host| Box::pin($module::$name(host)),
            excuse: $excuse,
        },)*)*];
    };
}

cases! {
    nowhere:
        requests::requests_are_answered_and_the_path_is_told
        requests::answers_may_come_out_of_order
        requests::each_request_tells_its_own_progress
        requests::one_cancelled_before_its_turn_is_not_begun
        requests::one_cancelled_at_work_ends_it
        requests::a_timeout_cancels
        requests::a_late_answer_is_nobodys
        requests::a_dropped_answer_fails_its_request
        requests::one_nobody_waits_for_is_carried_out
        requests::a_full_queue_is_an_error_not_a_wait
        starts::what_is_sent_before_ready_waits_in_order
        starts::a_failed_start_fails_every_request_with_its_reason
        starts::a_failed_start_is_not_tried_again
        starts::another_protocol_version_is_refused_with_what_to_do
        events::unread_samples_are_dropped_oldest_first_and_notices_are_kept
        events::events_of_both_kinds_keep_their_order
        ends::stopping_is_called_once_and_ends_everything
        ends::dropping_the_handle_stops_the_service
        ends::what_is_asked_when_it_stops_fails
        feeds::what_one_feeds_another_takes_in_order
        feeds::feeds_go_between_hosts_of_all_kinds
        feeds::feeding_a_service_that_is_gone_is_an_error_or_nothing
        buffers::buffers_arrive_with_their_bytes_both_ways
        buffers::a_sent_buffer_is_not_copied
        buffers::buffers_travel_in_events_and_feeds
        stats::messages_and_kinds_are_counted
        restarts::a_person_restarts_it
        ticks::a_slice_is_short;
    where_a_crash_ends_all:
        starts::a_panicking_start_is_a_failed_start
        crashes::a_panic_fails_everything_in_flight_and_goes_no_further
        crashes::a_panic_tells_its_place
        crashes::every_fault_that_returns_is_a_crash
        crashes::another_service_does_not_notice
        restarts::a_crash_is_told_and_the_service_comes_back
        restarts::it_starts_from_what_was_remembered
        restarts::what_is_sent_meanwhile_waits_in_order
        restarts::events_told_before_the_crash_are_kept
        restarts::one_that_crashes_too_often_is_given_up
        restarts::one_given_up_can_be_restarted
        feeds::feeds_outlive_restarts_of_either_side;
    without_a_thread:
        crashes::a_hang_is_found_and_the_service_replaced
        crashes::a_killed_thread_is_found_and_replaced
        starts::a_start_that_never_ends_fails
        ends::stopping_one_that_hangs_returns;
    with_a_thread:
        crashes::a_fault_that_would_take_its_owner_along_is_refused;
    without_a_native_thread:
        ticks::the_thread_is_named_after_the_service;
    where_threads_can_be_had:
        starts::without_workers_it_runs_here;
    in_stepped_time:
        ticks::threads_and_slices_tick_by_themselves
        ticks::an_overdue_service_still_takes_messages;
    outside_stepped_time:
        ticks::stepped_time_ticks_at_exactly_the_deadlines;
}

/// Fails the case unless this holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!("line {}: {}", line!(), format!($($text)+)));
        }
    };
}
/// Fails the case unless both are equal.
macro_rules! ensure_eq {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) => {
                if left != right {
                    return Err(format!("line {}: {left:?} is not {right:?}", line!()));
                }
            }
        }
    };
}
use {ensure, ensure_eq};
