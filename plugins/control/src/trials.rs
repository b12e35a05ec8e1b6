//! Trials: a motion played as fast as it goes, with the objects a little elsewhere each time, to see
//! how often it does what it should. The first job of the worker pool.
//!
//! A trial is a [headless run](crate::headless), stride by stride: the same scene, motion and seed
//! give the same hash here, on the command line and in a browser's worker.
//!
//! Lengths are metres, times seconds.

use std::sync::Arc;
use std::time::Duration;

use forearm_protocol::scene::SceneBundle;
use forearm_protocol::{Message, ServiceError};
use forearm_workers::pool::{JobContext, Jobs};
use serde::{Deserialize, Serialize};

use crate::config::ControlConfig;
use crate::expectation::Expectation;
use crate::headless::{HeadlessError, HeadlessOptions, HeadlessReport, HeadlessRun, REST_SECS};
use crate::jitter::jitter_objects;
use crate::motion::Motion;

/// One trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The scene, before anything is moved.
    pub bundle: Arc<SceneBundle>,
    /// How the arm is controlled; its `until` is replaced.
    pub config: ControlConfig,
    /// A motion for the first arm: a motion file's text. Without one the arm holds.
    pub script: Option<String>,
    /// How long to run, seconds; `None` until the motion has ended and things came to rest.
    pub duration_secs: Option<f64>,
    /// What should hold at the end.
    pub expect: Option<Expectation>,
    /// How far each loose object is moved at most, along X and along Y, metres.
    pub jitter_m: f64,
    /// What the places are drawn from.
    pub seed: u64,
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialOutcome {
    /// Whether the motion was played to its end and the expectation, if any, holds.
    pub success: bool,
    /// Why the motion was given up, if it was.
    pub given_up: Option<String>,
    /// Which object lies in which tray.
    pub in_tray: Vec<(String, String)>,
    /// A hash of the world at the end, hexadecimal: equal for equal trials.
    pub state_hash: String,
    /// Control ticks.
    pub ticks: u64,
    /// Simulation steps.
    pub steps: u64,
    /// Simulated time, seconds.
    pub simulated_secs: f64,
    /// How long the computer took, seconds.
    pub wall_secs: f64,
}

impl Message for Trial {
    fn name(&self) -> &'static str {
        "trial/run"
    }
}

impl Message for TrialOutcome {
    fn name(&self) -> &'static str {
        "trial/outcome"
    }
}

/// The family of jobs; see [`forearm_workers::pool`].
pub struct Trials;

impl Jobs for Trials {
    type Task = Trial;
    type Output = TrialOutcome;

    const NAME: &'static str = "trials";
    async fn run(trial: Trial, cx: JobContext) -> Result<TrialOutcome, ServiceError> {
        let whole_secs = trial.usual_secs();
        let mut run = trial.begin().map_err(refused)?;
        loop {
            cx.checkpoint().await?;
            if let Some(report) = run.advance(&mut |_| {}).map_err(refused)? {
                return Ok(TrialOutcome::new(report, cx.elapsed().as_secs_f64()));
            }
            // A motion may take longer than its steps say: it waits where the arm lags behind.
            let fraction = run.now_secs() / whole_secs;
            cx.progress("simulating", fraction.clamp(0.0, 0.99));
        }
    }

    /// Models of a CAD program take their time to read.
    fn patience(trial: &Trial) -> Duration {
        match trial.bundle.models.is_empty() {
            true => Self::PATIENCE,
            false => Duration::from_secs(30),
        }
    }
}

impl Trial {
    /// Moves the objects and starts the run.
    fn begin(self) -> Result<HeadlessRun, HeadlessError> {
        let mut bundle = self.bundle;
        if self.jitter_m > 0.0 {
            let moved = Arc::make_mut(&mut bundle);
            jitter_objects(&mut moved.scene, self.jitter_m, self.seed);
        }
        HeadlessRun::start(HeadlessOptions {
            bundle,
            config: self.config,
            script: self.script,
            duration_secs: self.duration_secs,
            realtime: false,
            expect: self.expect,
        })
    }

    /// How long it takes if nothing has to be waited for, seconds of control time.
    fn usual_secs(&self) -> f64 {
        let motion = || Motion::from_ron("motion", self.script.as_ref()?).ok();
        let whole = |motion: Motion| motion.duration_secs() + REST_SECS;
        let secs = self.duration_secs.or_else(|| motion().map(whole));
        secs.unwrap_or(REST_SECS)
    }

    /// Whether it can be run at all: makes the world and reads the motion, on this thread.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), HeadlessError> {
        self.clone().begin()?.advance(&mut |_| {}).map(drop)
    }
}

impl TrialOutcome {
    fn new(report: HeadlessReport, wall_secs: f64) -> Self {
        let success = report.is_success();
        let HeadlessReport {
            ticks,
            steps,
            simulated_secs,
            state_hash,
            in_tray,
            script,
            ..
        } = report;
        Self {
            success,
            given_up: script.and_then(Result::err),
            in_tray,
            state_hash,
            ticks,
            steps,
            simulated_secs,
            wall_secs,
        }
    }
}

fn refused(error: HeadlessError) -> ServiceError {
    match error {
        HeadlessError::Service(error) => error,
        error => ServiceError::Refused {
            what: "the trial".to_owned(),
            why: error.to_string(),
            next: "nothing was run".to_owned(),
        },
    }
}
