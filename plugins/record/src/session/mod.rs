//! LeRobot's flow of a recording as a state machine: ready → an episode → time to put things back →
//! the next episode, until as many are made as were wanted.
//!
//! It knows no clock, no camera and no file: every call says what time it is (seconds, any clock that
//! never goes back), and answers what is to be done ([`Act`]). Saving goes on behind: whoever saves
//! says when an episode is saved ([`Session::saved`]) or could not be ([`Session::lost`]). Until then
//! the time between episodes shows as [`Phase::Saving`], and counts.

#[cfg(test)]
mod tests;

use forearm_protocol::record::Phase;

/// How many episodes, and how long they last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How many episodes are wanted.
    pub episodes: u32,
    /// How long one lasts at most, seconds.
    pub episode_secs: f64,
    /// How much time is between two, seconds.
    pub reset_secs: f64,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Begin an episode. If that fails, say so by [`Session::broke`].
    Begin,
    /// End the episode in hand and save it.
    Keep,
    /// End the episode in hand and throw it away.
    Discard,
    /// Delete the episode that was made last.
    DeleteLast,
    /// The clock of the episode in hand stands from now on.
    Pause,
    /// It goes on.
    Resume,
}

/// Why something can't be done now: a reason, and what to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: &'static str,
    /// What to try.
    pub next: &'static str,
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Ready {
        since_secs: f64,
    },
    Recording {
        since_secs: f64,
        paused_secs: f64,
        /// When its clock was stopped, while it stands.
        stands_since_secs: Option<f64>,
    },
    Between {
        since_secs: f64,
        /// Whether an episode was made just before, that can be made again.
        may_redo: bool,
    },
    Finished {
        since_secs: f64,
        may_redo: bool,
    },
}

/// A recording's flow; see the module's documentation.
#[derive(Debug, Clone)]
pub struct Session {
    plan: Plan,
    stage: Stage,
    made: u32,
    saving: u32,
}

impl Session {
    /// A recording that waits for its start; `made` episodes of it are there already.
    #[must_use]
    pub fn new(plan: Plan, made: u32, now_secs: f64) -> Self {
        Self {
            plan,
            stage: Stage::Ready {
                since_secs: now_secs,
            },
            made,
            saving: 0,
        }
    }

    /// Goes on in the time between two episodes, as after a crash in the middle of things; or at the
    /// end, if that was the last one.
    pub fn resume_between(&mut self, now_secs: f64) {
        self.stage = self.after_an_episode(now_secs, false);
    }

    /// Begins the first episode, or the next one at once.
    ///
    /// # Errors
    /// An episode is in hand.
    pub fn start(&mut self, now_secs: f64) -> Result<Act, Refusal> {
        match self.stage {
            Stage::Recording { .. } => Err(Refusal {
                why: "an episode is being recorded",
                next: "end it first",
            }),
            Stage::Ready { .. } | Stage::Between { .. } | Stage::Finished { .. } => {
                // One more than was wanted is wanted now.
                self.plan.episodes = self.plan.episodes.max(self.made.saturating_add(1));
                Ok(self.begin(now_secs))
            }
        }
    }

    /// Ends the episode in hand and keeps it; or ends the time between episodes.
    ///
    /// # Errors
    /// Neither is under way.
    pub fn next(&mut self, now_secs: f64) -> Result<Act, Refusal> {
        match self.stage {
            Stage::Recording { .. } => Ok(self.keep(now_secs)),
            Stage::Between { .. } => Ok(self.begin(now_secs)),
            Stage::Ready { .. } => Err(NOT_STARTED),
            Stage::Finished { .. } => Err(Refusal {
                why: "as many episodes are recorded as were wanted",
                next: "start another one, or close the dataset",
            }),
        }
    }

    /// Throws away the episode in hand, or the one just made, to make it again after the time to put
    /// things back.
    ///
    /// # Errors
    /// There is none.
    pub fn rerecord(&mut self, now_secs: f64) -> Result<Act, Refusal> {
        match &mut self.stage {
            Stage::Recording { .. } => {
                self.stage = Stage::Between {
                    since_secs: now_secs,
                    may_redo: false,
                };
                Ok(Act::Discard)
            }
            Stage::Between { may_redo, .. } if *may_redo => {
                *may_redo = false;
                self.made = self.made.saturating_sub(1);
                Ok(Act::DeleteLast)
            }
            Stage::Finished {
                since_secs,
                may_redo: true,
            } => {
                self.stage = Stage::Between {
                    since_secs: *since_secs,
                    may_redo: false,
                };
                self.made = self.made.saturating_sub(1);
                Ok(Act::DeleteLast)
            }
            Stage::Between { .. } | Stage::Ready { .. } | Stage::Finished { .. } => Err(Refusal {
                why: "no episode is in hand, and none was just recorded",
                next: "start one, or delete one in the list of episodes",
            }),
        }
    }

    /// Stops the clock of the episode in hand, or lets it go on. Nothing is to be done when it is so
    /// already.
    ///
    /// # Errors
    /// No episode is in hand.
    pub fn pause(&mut self, on: bool, now_secs: f64) -> Result<Option<Act>, Refusal> {
        let Stage::Recording {
            paused_secs,
            stands_since_secs,
            ..
        } = &mut self.stage
        else {
            return Err(Refusal {
                why: "no episode is being recorded",
                next: "start one first",
            });
        };
        match (on, *stands_since_secs) {
            (true, None) => {
                *stands_since_secs = Some(now_secs);
                Ok(Some(Act::Pause))
            }
            (false, Some(since_secs)) => {
                *paused_secs += now_secs - since_secs;
                *stands_since_secs = None;
                Ok(Some(Act::Resume))
            }
            _ => Ok(None),
        }
    }

    /// Ends the recording; an episode in hand is kept.
    pub fn finish(&mut self, now_secs: f64) -> Option<Act> {
        let act = matches!(self.stage, Stage::Recording { .. }).then(|| self.keep(now_secs));
        let may_redo = matches!(
            self.stage,
            Stage::Between { may_redo: true, .. } | Stage::Finished { may_redo: true, .. }
        );
        self.stage = Stage::Finished {
            since_secs: now_secs,
            may_redo,
        };
        act
    }

    /// What time has made due. Call it until it answers nothing.
    pub fn advance(&mut self, now_secs: f64) -> Option<Act> {
        let over = self
            .limit_secs()
            .is_some_and(|limit_secs| self.phase_secs(now_secs) >= limit_secs);
        match self.stage {
            Stage::Recording { .. } if over => Some(self.keep(now_secs)),
            Stage::Between { .. } if over => Some(self.begin(now_secs)),
            _ => None,
        }
    }

    /// The episode in hand did not begin after all, or broke off: it waits to be started again.
    pub fn broke(&mut self, now_secs: f64) {
        self.stage = Stage::Ready {
            since_secs: now_secs,
        };
    }

    /// The episode in hand has to end now, by something else than time or a person; it is kept.
    pub fn cut(&mut self, now_secs: f64) -> Option<Act> {
        if !matches!(self.stage, Stage::Recording { .. }) {
            return None;
        }
        let act = self.keep(now_secs);
        // Whoever is there should look first.
        if matches!(self.stage, Stage::Between { .. }) {
            self.stage = Stage::Ready {
                since_secs: now_secs,
            };
        }
        Some(act)
    }

    /// An episode that was kept is saved.
    pub fn saved(&mut self) {
        self.saving = self.saving.saturating_sub(1);
    }

    /// An episode that was kept could not be saved, or was thrown away before it was.
    pub fn lost(&mut self, now_secs: f64) {
        self.saving = self.saving.saturating_sub(1);
        self.made = self.made.saturating_sub(1);
        if !matches!(self.stage, Stage::Recording { .. }) {
            self.stage = Stage::Ready {
                since_secs: now_secs,
            };
        }
    }

    /// Episodes of this recording were deleted by hand.
    pub fn deleted(&mut self, count: u32) {
        self.made = self.made.saturating_sub(count);
        match &mut self.stage {
            Stage::Between { may_redo, .. } | Stage::Finished { may_redo, .. } => *may_redo = false,
            Stage::Ready { .. } | Stage::Recording { .. } => {}
        }
    }

    /// Episodes of this recording that were deleted are back.
    pub fn undeleted(&mut self, count: u32) {
        self.made = self.made.saturating_add(count);
        if let Stage::Between { since_secs, .. } = self.stage {
            self.stage = self.after_an_episode(since_secs, false);
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.stage {
            Stage::Ready { .. } | Stage::Between { .. } | Stage::Finished { .. }
                if self.saving > 0 =>
            {
                Phase::Saving
            }
            Stage::Ready { .. } => Phase::Ready,
            Stage::Recording {
                stands_since_secs: Some(_),
                ..
            } => Phase::Paused,
            Stage::Recording { .. } => Phase::Recording,
            Stage::Between { .. } => Phase::Resetting,
            Stage::Finished { .. } => Phase::Finished,
        }
    }

    /// Whether an episode is in hand.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        matches!(self.stage, Stage::Recording { .. })
    }

    /// Whether the next episode begins by itself.
    #[must_use]
    pub fn is_between(&self) -> bool {
        matches!(self.stage, Stage::Between { .. })
    }

    /// How long this phase has lasted, without pauses, seconds.
    #[must_use]
    pub fn phase_secs(&self, now_secs: f64) -> f64 {
        let secs = match self.stage {
            Stage::Recording {
                since_secs,
                paused_secs,
                stands_since_secs,
            } => stands_since_secs.unwrap_or(now_secs) - since_secs - paused_secs,
            Stage::Ready { since_secs }
            | Stage::Between { since_secs, .. }
            | Stage::Finished { since_secs, .. } => now_secs - since_secs,
        };
        secs.max(0.0)
    }

    /// When the phase ends by itself, seconds from its start.
    #[must_use]
    pub fn limit_secs(&self) -> Option<f64> {
        match self.stage {
            Stage::Recording { .. } => Some(self.plan.episode_secs),
            Stage::Between { .. } => Some(self.plan.reset_secs),
            Stage::Ready { .. } | Stage::Finished { .. } => None,
        }
    }

    /// How many episodes this recording has made, those being saved among them.
    #[must_use]
    pub fn made(&self) -> u32 {
        self.made
    }

    /// How many are wanted.
    #[must_use]
    pub fn wanted(&self) -> u32 {
        self.plan.episodes
    }

    /// How many are being saved.
    #[must_use]
    pub fn saving(&self) -> u32 {
        self.saving
    }

    fn begin(&mut self, now_secs: f64) -> Act {
        self.stage = Stage::Recording {
            since_secs: now_secs,
            paused_secs: 0.0,
            stands_since_secs: None,
        };
        Act::Begin
    }

    fn keep(&mut self, now_secs: f64) -> Act {
        self.made = self.made.saturating_add(1);
        self.saving += 1;
        self.stage = self.after_an_episode(now_secs, true);
        Act::Keep
    }

    fn after_an_episode(&self, since_secs: f64, may_redo: bool) -> Stage {
        if self.made >= self.plan.episodes {
            Stage::Finished {
                since_secs,
                may_redo,
            }
        } else {
            Stage::Between {
                since_secs,
                may_redo,
            }
        }
    }
}

const NOT_STARTED: Refusal = Refusal {
    why: "the recording has not been started",
    next: "start it",
};
