//! All of a world that its future depends on, as a row of words: to go back to, bit for bit.
//!
//! Each type with state lists its fields once, in [`state!`]: those that are kept, and those that
//! are constant, parameters or computed anew in each step. A field in neither list does not
//! compile. Saving and loading allocate nothing once the row has grown.

use crate::math::{Frame, M3, V3};

/// A world's state at one moment, for [`World::save`](crate::World::save) and
/// [`World::restore`](crate::World::restore). Parameters (masses, friction, gains) are not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorldState {
    pub(crate) words: Vec<u64>,
}

/// Takes words.
pub(crate) trait Sink {
    fn word(&mut self, word: u64);
}

impl Sink for Vec<u64> {
    fn word(&mut self, word: u64) {
        self.push(word);
    }
}

impl Sink for blake3::Hasher {
    fn word(&mut self, word: u64) {
        self.update(&word.to_le_bytes());
    }
}

/// Gives words back. Past the end it gives zeros, and says so.
pub(crate) struct Source<'a> {
    words: &'a [u64],
    short: bool,
}

impl<'a> Source<'a> {
    pub(crate) fn new(words: &'a [u64]) -> Self {
        let short = false;
        Self { words, short }
    }

    pub(crate) fn word(&mut self) -> u64 {
        let Some((first, rest)) = self.words.split_first() else {
            self.short = true;
            return 0;
        };
        self.words = rest;
        *first
    }

    /// Whether every word was taken, and none was missing.
    pub(crate) fn is_done(&self) -> bool {
        self.words.is_empty() && !self.short
    }
}

/// Something that changes from step to step.
pub(crate) trait State {
    fn save(&self, to: &mut impl Sink);
    fn load(&mut self, from: &mut Source<'_>);
}

/// `state!(Type { kept, fields } but { other, fields })`: every field is in one of the lists.
macro_rules! state {
    ($type:ty { $($kept:ident),* $(,)? } but { $($other:ident),* $(,)? }) => {
        impl $crate::snapshot::State for $type {
            fn save(&self, to: &mut impl $crate::snapshot::Sink) {
                let Self { $($kept,)* $($other: _,)* } = self;
                $($crate::snapshot::State::save($kept, to);)*
            }

            fn load(&mut self, from: &mut $crate::snapshot::Source<'_>) {
                let Self { $($kept,)* $($other: _,)* } = self;
                $($crate::snapshot::State::load($kept, from);)*
            }
        }
    };
}
pub(crate) use state;

/// A number that is a word.
macro_rules! word {
    ($($type:ty: $to:expr, $from:expr;)*) => { $(
        impl State for $type {
            fn save(&self, to: &mut impl Sink) {
                to.word($to(*self));
            }

            fn load(&mut self, from: &mut Source<'_>) {
                *self = $from(from.word());
            }
        }
    )* };
}

word! {
    u64: |value| value, |word| word;
    u32: u64::from, |word| word as u32;
    usize: |value| value as u64, |word| word as usize;
    bool: u64::from, |word| word != 0;
    f64: f64::to_bits, f64::from_bits;
    f32: |value: f32| u64::from(value.to_bits()), |word| f32::from_bits(word as u32);
}

/// Things one after another, always as many.
macro_rules! many {
    ($([$($generics:tt)*] $type:ty;)*) => { $(
        impl<$($generics)*> State for $type {
            fn save(&self, to: &mut impl Sink) {
                self.iter().for_each(|value| value.save(to));
            }

            fn load(&mut self, from: &mut Source<'_>) {
                self.iter_mut().for_each(|value| value.load(from));
            }
        }
    )* };
}

many! {
    [T: State] Vec<T>;
    [T: State, const N: usize] [T; N];
    [] V3;
    [] M3;
}

state!(Frame { rotation, origin } but {});

impl<T: State + Default> State for Option<T> {
    fn save(&self, to: &mut impl Sink) {
        self.is_some().save(to);
        if let Some(value) = self {
            value.save(to);
        }
    }

    fn load(&mut self, from: &mut Source<'_>) {
        let mut there = false;
        there.load(from);
        if there {
            self.get_or_insert_default().load(from);
        } else {
            *self = None;
        }
    }
}
