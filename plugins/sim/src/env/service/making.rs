//! An environment in the making: what is told of it, and how long it may take.

use forearm_protocol::ServiceError;
use forearm_protocol::env::messages::{Event, Init, Phase, Reply, Stage};
use forearm_workers::{Answer, Context};

use super::EnvService;
use super::gym::{Built, Gym};

/// How long an initialisation may take, seconds.
pub const INIT_TIMEOUT_SECS: f64 = 30.0;
/// Progress is told again when it has come on by this part of all.
const TELL_EVERY: f64 = 0.05;

/// An environment in the making.
pub(super) struct Making<G: Gym> {
    pub(super) init: Box<Init>,
    /// Who waits for it; nobody when it is made again after a crash.
    pub(super) answer: Option<Answer<Reply>>,
    building: G::Building,
    begun_secs: f64,
    told: (Stage, f64),
}

/// What came of a bit of making.
pub(super) enum Made<G> {
    /// There is more to do, now.
    More,
    /// There is more to do, later.
    Later,
    /// It is there.
    Done(G),
    /// Nobody waits for it any more.
    GivenUp,
    /// There will be none.
    Failed(ServiceError),
}

impl<G: Gym> Making<G> {
    /// Begins.
    ///
    /// # Errors
    /// What is wrong with the configuration; with whoever waits.
    pub(super) fn begin(
        init: Box<Init>,
        answer: Option<Answer<Reply>>,
        cx: &mut Context<'_, EnvService<G>>,
    ) -> Result<Self, (String, Option<Answer<Reply>>)> {
        match G::begin(&init) {
            Ok(building) => {
                let mut making = Self {
                    init,
                    answer,
                    building,
                    begun_secs: cx.now_secs(),
                    told: (Stage::Ready, 0.0),
                };
                making.tell(Stage::LoadingModels, 0.0, cx);
                Ok(making)
            }
            Err(why) => Err((why, answer)),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        let (stage, fraction) = self.told;
        Phase::Initialising { stage, fraction }
    }

    /// Does a bit of it.
    pub(super) fn advance(&mut self, cx: &mut Context<'_, EnvService<G>>) -> Made<G> {
        if self.answer.as_ref().is_some_and(Answer::is_cancelled) {
            return Made::GivenUp;
        }
        if cx.now_secs() - self.begun_secs >= INIT_TIMEOUT_SECS {
            return Made::Failed(ServiceError::Timeout {
                service: G::NAME.to_owned(),
                request: "env/init".to_owned(),
                timeout_ms: (INIT_TIMEOUT_SECS * 1e3) as u64,
            });
        }
        match G::build(&mut self.building) {
            Ok(Built::More { stage, fraction }) => {
                self.tell(stage, fraction, cx);
                Made::More
            }
            Ok(Built::Waiting { stage, fraction }) => {
                self.tell(stage, fraction, cx);
                Made::Later
            }
            Ok(Built::Done(gym)) => {
                self.tell(Stage::Ready, 1.0, cx);
                Made::Done(gym)
            }
            Err(why) => Made::Failed(super::refusals::refused(
                "env/init",
                why,
                "change the configuration",
            )),
        }
    }

    fn tell(&mut self, stage: Stage, fraction: f64, cx: &mut Context<'_, EnvService<G>>) {
        let (told, before) = self.told;
        if stage == told && fraction - before < TELL_EVERY {
            return;
        }
        self.told = (stage, fraction);
        if let Some(answer) = &self.answer {
            answer.progress(stage.name(), fraction);
        }
        cx.emit(Event::Progress { stage, fraction });
    }
}
