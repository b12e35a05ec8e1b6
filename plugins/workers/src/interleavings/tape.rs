//! A service that writes down what happens to it where the test can read it: both are on one thread.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use forearm_protocol::{Message, ServiceError};
use serde::{Deserialize, Serialize};

use crate::{Answer, Context, Service, Wake};

/// Each message has a number of its own, counted up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Ask {
    Now(u32),
    Later(u32),
    /// For later, and it may take twice as long.
    Slow(u32),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Said(pub(super) u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tell {
    pub(super) number: u32,
    pub(super) act: Act,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Act {
    Nothing,
    /// To the answer of the request of this number, if it is kept.
    Release(u32),
    Forget(u32),
    Progress(u32),
    Feed(u32),
    Panic,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Fed(pub(super) u32);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Noted(pub(super) u32);

impl Message for Ask {
    fn name(&self) -> &'static str {
        match self {
            Self::Now(_) => "tape/ask",
            Self::Later(_) | Self::Slow(_) => "tape/later",
        }
    }
}

macro_rules! message {
    ($($kind:ident => $name:literal),*) => {
        $(impl Message for $kind { fn name(&self) -> &'static str { $name } })*
    };
}
message!(Said => "tape/said", Tell => "tape/tell", Fed => "tape/fed", Noted => "tape/noted");

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    Ready,
    Took(u32),
    Ticked,
    Stopping,
}

impl Entry {
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Self::Took(number) => Some(*number),
            _ => None,
        }
    }
}

thread_local! {
    static LOG: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static KEPT: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

pub(super) fn clear() {
    LOG.take();
    KEPT.take();
}

pub(super) fn with<T>(look: impl FnOnce(&Vec<Entry>) -> T) -> T {
    LOG.with_borrow(look)
}

/// The numbers of requests whose answers it keeps.
pub(super) fn with_kept<T>(look: impl FnOnce(&BTreeSet<u32>) -> T) -> T {
    KEPT.with_borrow(look)
}

fn note(entry: Entry) {
    LOG.with_borrow_mut(|log| log.push(entry));
}

pub(super) struct Tape {
    kept: BTreeMap<u32, Answer<Said>>,
}

impl Service for Tape {
    type Setup = u32;
    type Request = Ask;
    type Reply = Said;
    type Command = Tell;
    type Event = Noted;
    type Input = Fed;
    type Output = Fed;
    const NAME: &'static str = "tape";
    const HANG_AFTER: Duration = Duration::from_millis(400);

    fn new(setup: u32) -> Self {
        assert_eq!(setup, 7, "as it was sent");
        Self {
            kept: BTreeMap::new(),
        }
    }

    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        cx.progress("winding", 0.5);
        note(Entry::Ready);
        Ok(())
    }

    fn request(&mut self, ask: Ask, answer: Answer<Said>, _: &mut Context<'_, Self>) {
        assert!(!answer.is_cancelled(), "it is not begun if it was given up");
        match ask {
            Ask::Now(number) => {
                note(Entry::Took(number));
                answer.send(Ok(Said(number)));
            }
            Ask::Later(number) | Ask::Slow(number) => {
                note(Entry::Took(number));
                KEPT.with_borrow_mut(|kept| kept.insert(number));
                self.kept.insert(number, answer);
            }
        }
    }

    fn command(&mut self, tell: Tell, cx: &mut Context<'_, Self>) {
        note(Entry::Took(tell.number));
        cx.emit(Noted(tell.number));
        match tell.act {
            Act::Nothing => {}
            Act::Release(number) => {
                if let Some(answer) = self.take(number) {
                    answer.send(Ok(Said(number)));
                }
            }
            Act::Forget(number) => drop(self.take(number)),
            Act::Progress(number) => {
                if let Some(answer) = self.kept.get(&number) {
                    answer.progress("half", 0.5);
                }
            }
            Act::Feed(number) => cx.feed(&Fed(number)).expect("both take it"),
            Act::Panic => panic!("told to panic"),
        }
    }

    fn input(&mut self, fed: Fed, _: &mut Context<'_, Self>) {
        note(Entry::Took(fed.0));
    }

    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
        note(Entry::Ticked);
        // As long work does: what nobody wants any more is put down.
        let given_up = |(_, answer): &(&u32, &Answer<Said>)| answer.is_cancelled();
        let given_up: Vec<u32> = self.kept.iter().filter(given_up).map(|(n, _)| *n).collect();
        for number in given_up {
            drop(self.take(number));
        }
        Wake::At(cx.now_secs() + 1.0)
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {
        note(Entry::Stopping);
    }

    fn patience(request: &Ask) -> Duration {
        match request {
            Ask::Slow(_) => 2 * Self::HANG_AFTER,
            _ => Self::HANG_AFTER,
        }
    }
}

impl Tape {
    fn take(&mut self, number: u32) -> Option<Answer<Said>> {
        KEPT.with_borrow_mut(|kept| kept.remove(&number));
        self.kept.remove(&number)
    }
}
