//! What the environment service promises, as named cases, the same on every host and platform.
//!
//! `tests/env_service/main.rs` runs them natively, `examples/env_web.rs` in a browser. A case says what
//! went wrong in its `Err`: in a browser a panic would end the page's module, and with it all cases.

mod crashes;
mod life;
mod order;
pub(crate) mod platform;
pub(crate) mod real;
mod refusals;
mod steps;
pub(crate) mod toy;
pub(crate) mod wait;

use std::future::Future;
use std::pin::Pin;

use forearm_protocol::Buffer;
use forearm_protocol::env::messages::{Init, Request, Worlds};
use forearm_protocol::env::{EnvConfig, Task};
use forearm_sim::env::service::EnvSetup;
use forearm_workers::{Host, RestartPolicy, supervise};

use toy::Toys;
use wait::Rig;

/// How a case went; what went wrong.
pub(crate) type Outcome = Result<(), String>;

/// One promise.
pub(crate) struct Case {
    /// What is promised.
    pub(crate) name: &'static str,
    run: fn(Host) -> Pin<Box<dyn Future<Output = Outcome>>>,
    excuse: fn(Host) -> Option<&'static str>,
}

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

/// What is sent together is taken together.
fn with_a_thread(host: Host) -> Option<&'static str> {
    (host == Host::Thread).then_some("a thread may be done before the next request is sent")
}

fn outside_stepped_time(host: Host) -> Option<&'static str> {
    (host != Host::Stepped).then_some("only stepped time can be moved by half a minute")
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
        life::an_initialisation_tells_its_stages_and_what_there_is
        life::one_service_hosts_one_environment_after_another
        life::a_new_initialisation_takes_the_place_of_one_at_work
        life::destroying_cancels_what_waits_and_keeps_the_service
        life::one_that_is_given_up_leaves_nothing_behind
        life::one_that_fails_fails_what_waits_for_it
        order::what_is_asked_early_is_answered_in_order
        order::a_ping_is_answered_while_an_environment_is_made
        order::too_many_requests_are_refused_not_forgotten
        order::a_rollout_that_is_given_up_ends_between_two_steps
        steps::what_is_asked_comes_back_by_agent_and_world
        steps::actions_may_name_their_agents
        steps::a_rollout_is_so_many_steps
        steps::episodes_end_and_begin_by_themselves
        steps::a_kept_state_goes_on_the_same
        steps::pictures_are_rgba_in_order
        real::one_service_gives_the_same_bits_again
        real::every_task_tells_its_stages
        refusals::without_an_environment_everything_says_what_to_do
        refusals::without_a_reset_nothing_steps
        refusals::wrong_requests_say_what_is_wrong;
    with_a_thread:
        order::a_rendering_goes_before_what_waits;
    outside_stepped_time:
        life::one_that_never_ends_is_given_up_after_its_time;
    where_a_crash_ends_all:
        crashes::a_crash_fails_what_is_asked_and_the_environment_comes_back
        crashes::an_environment_whose_making_crashes_is_not_made_again;
}

/// A service of toys that comes back soon after a crash.
pub(crate) fn rig(host: Host) -> Rig<Toys> {
    Rig::new(supervise(EnvSetup::default(), host, policy()))
}

pub(crate) fn policy() -> RestartPolicy {
    RestartPolicy {
        backoff: std::time::Duration::from_millis(10),
        ..RestartPolicy::default()
    }
}

/// A toy with so much wrong with it.
pub(crate) fn init(wrong: u32, worlds: u32) -> Request {
    Request::Init(Box::new(Init {
        config: EnvConfig {
            substeps: wrong,
            ..EnvConfig::new(Task::Reach)
        },
        worlds,
    }))
}

pub(crate) fn reset(seed: u64) -> Request {
    Request::Reset {
        seed,
        worlds: Worlds::All,
        show: None,
    }
}

pub(crate) fn step(actions: &[f32]) -> Request {
    Request::Step {
        agents: Vec::new(),
        actions: Buffer::from(actions),
        show: None,
    }
}

/// A rig with so many toys that were reset with seed 7.
pub(crate) async fn running(host: Host, wrong: u32, worlds: u32) -> Result<Rig<Toys>, String> {
    let mut rig = rig(host);
    rig.ask(init(wrong, worlds)).await?;
    rig.ask(reset(7)).await?;
    Ok(rig)
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
