//! What a service is made from: nothing at first; after a crash what it was when it crashed.

use forearm_protocol::env::messages::{Event, Init, Stage};
use serde::{Deserialize, Serialize};

/// What an environment service starts with. `default()` is a service without an environment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EnvSetup {
    /// What is made again after a crash.
    init: Option<Box<Init>>,
    /// The seed of the episodes that ran.
    seed: Option<u64>,
}

impl EnvSetup {
    pub(super) fn into_parts(self) -> (Option<Box<Init>>, Option<u64>) {
        (self.init, self.seed)
    }

    /// Takes note of what a later start should know. An environment counts from the moment it is there:
    /// one whose making crashes the service is not made again.
    pub(super) fn remember(&mut self, event: &Event) {
        match event {
            Event::Progress {
                stage: Stage::LoadingModels,
                ..
            }
            | Event::Destroyed => *self = Self::default(),
            Event::Initialised(init) => {
                *self = Self {
                    init: Some(init.clone()),
                    seed: None,
                };
            }
            Event::Episode { seed } => self.seed = Some(*seed),
            Event::Progress { .. } | Event::Lost { .. } => {}
        }
    }
}
