//! Whatever is asked whenever: every request gets one answer, those that change worlds in order, and what
//! they say is what so many requests before them make of a world.

use std::time::Duration;

use forearm_protocol::env::messages::{Reply, Request, Show, Worlds};
use forearm_protocol::{Buffer, ServiceError};
use forearm_sim::env::service::EnvSetup;
use forearm_workers::{Handle, Host, Pending, spawn};
use proptest::prelude::*;

use crate::suite::toy::{FAILS, FINE, LATE, NEVER, ToyService};
use crate::suite::{init, reset, step};

/// What an owner does.
#[derive(Debug, Clone)]
enum Act {
    Init(u32),
    Reset(u64),
    Step,
    Rollout(u32),
    Snapshot,
    Restore,
    Render,
    Ping,
    Destroy,
    /// Gives up the request of this number, counted from the last.
    GiveUp(usize),
    /// Lets so many milliseconds pass.
    Wait(u32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => prop::sample::select(vec![FINE, LATE, LATE, NEVER, FAILS]).prop_map(Act::Init),
        3 => (0_u64..9).prop_map(Act::Reset),
        6 => Just(Act::Step),
        2 => (1_u32..5).prop_map(Act::Rollout),
        1 => Just(Act::Snapshot),
        1 => Just(Act::Restore),
        1 => Just(Act::Render),
        1 => Just(Act::Ping),
        1 => Just(Act::Destroy),
        2 => (0_usize..4).prop_map(Act::GiveUp),
        4 => (0_u32..8).prop_map(Act::Wait),
    ];
    prop::collection::vec(act, 1..40)
}

type Outcome = Result<Reply, ServiceError>;

/// A request, and its answer once it is there.
struct Asked {
    act: Act,
    pending: Pending<ToyService>,
    outcome: Option<Outcome>,
    given_up: bool,
}

impl Asked {
    /// Whether it is done in its turn.
    fn has_a_turn(&self) -> bool {
        !matches!(
            self.act,
            Act::Init(_) | Act::Destroy | Act::Ping | Act::Render
        )
    }
}

/// An owner and its service.
struct Owner {
    handle: Handle<ToyService>,
    asked: Vec<Asked>,
    millis: u32,
}

impl Owner {
    fn act(&mut self, act: Act) {
        let request = match act {
            Act::Init(wrong) => init(wrong, 2),
            Act::Reset(seed) => reset(seed),
            Act::Step => step(&[0.1, 0.0, 0.0, 0.1, 0.0, 0.0]),
            Act::Rollout(steps) => Request::Rollout {
                steps,
                agents: Vec::new(),
                actions: Buffer::from(
                    [0.1, 0.0, 0.0, 0.1, 0.0, 0.0_f32]
                        .repeat(steps as usize)
                        .as_slice(),
                ),
                show: None,
            },
            Act::Snapshot => Request::Snapshot { world: 0, slot: 0 },
            Act::Restore => Request::Restore {
                slot: 0,
                worlds: Worlds::One(0),
                show: None,
            },
            Act::Render => Request::Render(Show {
                worlds: Worlds::All,
                pictures: false,
            }),
            Act::Ping => Request::Ping,
            Act::Destroy => Request::Destroy,
            Act::GiveUp(back) => {
                let last = self.asked.len().checked_sub(1 + back);
                if let Some(asked) = last.and_then(|number| self.asked.get_mut(number)) {
                    asked.given_up |= asked.outcome.is_none();
                    asked.pending.cancel();
                }
                return;
            }
            Act::Wait(millis) => return self.wait(millis),
        };
        // In stepped time nothing is answered before time goes on.
        let pending = self
            .handle
            .request_within(request, Duration::from_secs(3600));
        self.asked.push(Asked {
            act,
            pending,
            outcome: None,
            given_up: false,
        });
    }

    /// Lets time pass, and looks at what is answered then.
    fn wait(&mut self, millis: u32) {
        self.millis += millis;
        self.handle.advance_to(f64::from(self.millis) / 1e3);
        for asked in &mut self.asked {
            if asked.outcome.is_none() {
                asked.outcome = asked.pending.try_take();
            }
        }
        // Nobody is served before those who came earlier.
        let turns = self.asked.iter();
        let turns = turns.filter(|asked| asked.has_a_turn() && !asked.given_up);
        let open: Vec<bool> = turns.map(|asked| asked.outcome.is_none()).collect();
        assert!(open.is_sorted(), "answered out of turn: {open:?}");
        // These never wait.
        for asked in &self.asked {
            if matches!(asked.act, Act::Ping | Act::Destroy) {
                assert!(asked.outcome.is_some(), "{:?} waits", asked.act);
            }
        }
    }

    /// What was answered is what a world would say to which exactly that was done.
    fn check_answers(&self) {
        let (mut world, mut kept) = (None, None);
        for asked in &self.asked {
            let outcome = asked.outcome.as_ref();
            let outcome = outcome.unwrap_or_else(|| panic!("{:?} has no answer", asked.act));
            match (&asked.act, outcome) {
                (_, Err(ServiceError::Cancelled { .. })) if asked.given_up => {}
                (_, Err(ServiceError::Cancelled { .. } | ServiceError::Refused { .. })) => {}
                (Act::Init(wrong), Ok(Reply::Init(_))) => {
                    assert!([FINE, LATE].contains(wrong));
                    (world, kept) = (None, None);
                }
                (Act::Reset(seed), Ok(Reply::Reset(came))) => {
                    world = Some((*seed, 0));
                    self.check(&came.infos.seeds, &came.infos.steps, world);
                }
                (Act::Step, Ok(Reply::Step(came))) => {
                    world = world.map(|(seed, steps)| (seed, steps + 1));
                    self.check(&came.infos.seeds, &came.infos.steps, world);
                    let (seed, steps) = world.expect("it was reset");
                    let count = seed as f32 + steps as f32;
                    assert_eq!(came.observations.to_f32()[..2], [count, seed as f32]);
                }
                (Act::Rollout(more), Ok(Reply::Rollout(came))) => {
                    world = world.map(|(seed, steps)| (seed, steps + more));
                    self.check(&came.infos.seeds, &came.infos.steps, world);
                }
                (Act::Snapshot, Ok(Reply::Snapshot)) => kept = world,
                (Act::Restore, Ok(Reply::Restore(came))) => {
                    world = kept;
                    self.check(&came.infos.seeds, &came.infos.steps, world);
                }
                (Act::Render, Ok(Reply::Render(_)))
                | (Act::Ping, Ok(Reply::Ping(_)))
                | (Act::Destroy, Ok(Reply::Destroy)) => {}
                (act, outcome) => panic!("{act:?} got {outcome:?}"),
            }
        }
    }

    fn check(&self, seeds: &[u64], steps: &[u32], expected: Option<(u64, u32)>) {
        let got = Some((seeds[0], steps[0]));
        assert_eq!(
            got,
            expected,
            "{:?}",
            self.asked.iter().map(|a| &a.act).collect::<Vec<_>>()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_request_gets_its_answer_in_its_turn(acts in acts()) {
        let mut owner = Owner {
            handle: spawn(EnvSetup::default(), Host::Stepped),
            asked: Vec::new(),
            millis: 0,
        };
        for act in acts {
            owner.act(act);
        }
        owner.act(Act::Wait(30));
        // What still waits, waits for an environment that is never there.
        owner.act(Act::Destroy);
        owner.act(Act::Wait(0));
        owner.check_answers();
    }
}
