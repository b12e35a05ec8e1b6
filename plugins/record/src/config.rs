//! What the record service is made from: how it runs, and what it goes on with after a crash.

use std::sync::Arc;

use forearm_protocol::record::{Command, Event, Opened, Phase};
use forearm_protocol::scene::SceneBundle;
use forearm_vision::Pace;
use serde::{Deserialize, Serialize};

/// A journal of this size is enough, bytes. Whoever saves an episode holds its journal in memory, and
/// the videos made of it beside: about twice this, of the 4 GiB that a browser's worker can have at
/// most. All cameras together fill it at 2.4 Mbit/s in an hour.
pub const MOST_JOURNAL_BYTES: u64 = 1 << 30;

/// What a record service is made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordSetup {
    /// Whether everything happens within its calls, so that the same inputs make the same files to the
    /// last byte: for stepped hosts. Otherwise cameras, encoders and saving have threads.
    pub stepped: bool,
    /// The scene that control has loaded, and its number.
    pub scene: Option<(u64, Arc<SceneBundle>)>,
    /// What an earlier start of the service had open.
    pub opened: Opened,
    /// Where its recording stood.
    pub stood: Stood,
    /// An episode whose journal reaches so many bytes is ended; [`MOST_JOURNAL_BYTES`] if it is not said.
    pub journal_bytes: Option<u64>,
}

/// Where a recording stood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// The phase.
    pub phase: Phase,
    /// How many episodes it had made.
    pub made: u32,
    /// How many were wanted.
    pub wanted: u32,
}

impl RecordSetup {
    /// For a stepped host.
    #[must_use]
    pub fn stepped() -> Self {
        Self {
            stepped: true,
            ..Self::default()
        }
    }

    /// Whether work runs beside the service.
    #[must_use]
    pub fn pace(&self) -> Pace {
        if self.stepped {
            Pace::Stepped
        } else {
            Pace::Live
        }
    }

    /// How many bytes the journal of an episode may have; a little more is written until it has ended.
    #[must_use]
    pub fn most_journal_bytes(&self) -> u64 {
        self.journal_bytes.unwrap_or(MOST_JOURNAL_BYTES)
    }

    /// Takes note of what the service tells.
    pub fn remember(&mut self, event: &Event) {
        match event {
            Event::Opened(opened) => {
                self.opened = opened.clone();
                self.stood = Stood::default();
            }
            Event::State(state) => {
                self.stood = Stood {
                    phase: state.phase,
                    made: state.made,
                    wanted: state.wanted,
                };
            }
            Event::Dataset(_)
            | Event::Preview(_)
            | Event::Chunk(_)
            | Event::Progress { .. }
            | Event::Notice(_) => {}
        }
    }

    /// Takes note of what the service is told.
    pub fn remember_command(&mut self, command: &Command) {
        if let Command::Scene { generation, bundle } = command {
            self.scene = Some((*generation, Arc::clone(bundle)));
        }
    }
}

impl Stood {
    /// Whether an episode was in hand.
    #[must_use]
    pub fn is_in_hand(self) -> bool {
        matches!(self.phase, Phase::Recording | Phase::Paused)
    }

    /// Whether it was under way: episodes were being made.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(
            self.phase,
            Phase::Recording | Phase::Paused | Phase::Saving | Phase::Resetting
        )
    }
}
