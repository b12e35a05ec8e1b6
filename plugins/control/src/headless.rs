//! Runs the control service without a window, as `forearm teleoperate --headless` does.
//!
//! In real time the service has its own thread, exactly as beside a window. Otherwise its time is
//! stepped as fast as it goes; the world and its hash are the same, for the world moves in step
//! with ticks. [`run`] runs to the end; a [`HeadlessRun`] is moved on stride by stride, on any host,
//! which is how [trials](crate::trials) are run.

use std::sync::Arc;
use std::time::Duration;

use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{
    Event, Inspection, JointState, LoopTiming, Reply, Request, ScriptState, StateUpdate, TrackError,
};
use forearm_protocol::scene::{ArmSpec, Backend, ModelProblem, Scene, SceneBundle};
use forearm_workers::{Handle, Host, Pending, Status, spawn};
use serde::Serialize;

use crate::config::{ConfigError, ControlConfig, ControlSetup, Startup, Until};
use crate::expectation::{Expectation, ExpectationError};
use crate::service::ControlService;

/// How often states are looked for in real time; they come every 50 ms. Also how long a service
/// without a thread may work at a time.
const POLL: Duration = Duration::from_millis(10);
/// How far stepped time goes between two looks, seconds.
const STRIDE_SECS: f64 = 0.05;
/// How long things may come to rest after the last motion, seconds.
pub(crate) const REST_SECS: f64 = 1.0;

/// What to run.
#[derive(Debug, Clone)]
pub struct HeadlessOptions {
    /// The scene.
    pub bundle: Arc<SceneBundle>,
    /// How the service runs; its `until` is replaced.
    pub config: ControlConfig,
    /// A motion for the first arm: a motion file's text.
    pub script: Option<String>,
    /// How long to run, seconds; `None` until the motion has ended and things came to rest.
    pub duration_secs: Option<f64>,
    /// Whether to run in real time, or as fast as it goes.
    pub realtime: bool,
    /// What should hold at the end.
    pub expect: Option<Expectation>,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadlessReport {
    /// Whether the loop ran on its own thread: the path that is taken beside a window.
    pub own_thread: bool,
    /// How time was kept, over the whole run.
    pub timing: LoopTiming,
    /// Control ticks.
    pub ticks: u64,
    /// Simulation steps.
    pub steps: u64,
    /// Simulated time, seconds.
    pub simulated_secs: f64,
    /// Mean time of a simulation step, seconds; zero when not run in real time.
    pub physics_step_secs: f64,
    /// A hash of the world at the end, hexadecimal: equal for equal runs.
    pub state_hash: String,
    /// The arms at the end.
    pub arms: Vec<ArmReport>,
    /// Which object lies in which tray.
    pub in_tray: Vec<(String, String)>,
    /// How the motion ended: `None` without one or when it was cut off, else whether it was
    /// played to its end, or why not.
    pub script: Option<Result<(), String>>,
    /// Whether the expectation holds; `None` without one.
    pub expectation_held: Option<bool>,
}

/// An arm at the end of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmReport {
    /// Its name.
    pub name: String,
    /// Its joints, in model order.
    pub joints: Vec<JointReport>,
    /// How far it was, following a recording, from where it was in the recording.
    pub track: Vec<TrackReport>,
}

/// How far a joint that followed a recording was from where it was in the recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackReport {
    /// The joint's name.
    pub joint: String,
    /// Root mean square, in LeRobot's units: degrees, the gripper 0 to 100.
    pub rms: f64,
    /// Greatest, in LeRobot's units.
    pub max: f64,
}

impl TrackReport {
    /// What control tells of an arm, for people.
    #[must_use]
    pub fn of(model: &ArmModel, errors: &[TrackError]) -> Vec<Self> {
        let reports = errors.iter().filter_map(|error| {
            let joint = model.joints.get(error.joint)?;
            // A difference has no zero.
            let zero = JointUnit::Lerobot.to_unit(model, error.joint, 0.0);
            let lerobot = |it: f64| JointUnit::Lerobot.to_unit(model, error.joint, it) - zero;
            Some(Self {
                joint: joint.name.clone(),
                rms: lerobot(error.rms),
                max: lerobot(error.max),
            })
        });
        reports.collect()
    }
}

/// A joint at the end of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JointReport {
    /// Its name.
    pub name: String,
    /// Its state, radians (metres).
    pub state: JointState,
    /// Its position in LeRobot's units: degrees, the gripper 0 to 100.
    pub lerobot: f64,
}

/// Why a run could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HeadlessError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The expectation speaks of something that the scene lacks.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// An arm's model is wrong.
    #[error(transparent)]
    Model(#[from] ModelProblem),
    /// The service did not start, or ended.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl HeadlessError {
    /// Whether what was asked for is wrong, rather than that something failed on the way.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, Self::Service(error) if !matches!(error, ServiceError::Start { .. }))
    }
}

impl HeadlessReport {
    /// Whether everything went as it should: the motion was not given up, the expectation holds.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.expectation_held != Some(false) && !matches!(self.script, Some(Err(_)))
    }
}

/// Runs until the end; `observer` sees the states, 20 a second of control time. Not for a browser's
/// threads, which may not wait.
///
/// # Errors
/// What was asked for is wrong, or the service failed.
#[cfg(not(target_family = "wasm"))]
pub fn run(
    options: HeadlessOptions,
    observer: &mut dyn FnMut(&StateUpdate),
) -> Result<HeadlessReport, HeadlessError> {
    let mut run = HeadlessRun::start(options)?;
    loop {
        if let Some(report) = run.advance(observer)? {
            return Ok(report);
        }
        if run.realtime {
            std::thread::sleep(POLL);
        }
    }
}

/// A run that is moved on by whoever has it, stride by stride.
pub struct HeadlessRun {
    handle: Handle<ControlService>,
    bundle: Arc<SceneBundle>,
    models: Vec<Arc<ArmModel>>,
    expect: Option<Expectation>,
    realtime: bool,
    now_secs: f64,
    /// The last state, and what the service was asked about the end, once it has come.
    end: Option<(Box<StateUpdate>, Pending<ControlService>)>,
}

impl HeadlessRun {
    /// Checks what was asked for and starts the service. Whether the motion fits, the first
    /// [stride](HeadlessRun::advance) tells.
    ///
    /// # Errors
    /// What was asked for is wrong.
    pub fn start(options: HeadlessOptions) -> Result<Self, HeadlessError> {
        let HeadlessOptions {
            bundle,
            config,
            script,
            duration_secs,
            realtime,
            expect,
        } = options;
        // Stepped time is faster than any arm: limits on speed would not hold.
        let is_simulated = |arm: &ArmSpec| arm.backend == Backend::Sim && arm.leader.is_none();
        let bundle = if realtime || bundle.scene.arms.iter().all(is_simulated) {
            bundle
        } else {
            Arc::new(bundle.simulated())
        };
        let until = duration_secs.map_or(Until::ScriptsDone(REST_SECS), Until::Elapsed);
        let config = ControlConfig { until, ..config };
        config.check()?;
        if let Some(expect) = &expect {
            expect.check(&bundle.scene)?;
        }
        let models = bundle.arm_models()?;
        let startup = Startup {
            bundle: Some(Arc::clone(&bundle)),
            script,
            start: true,
            resume: None,
            e_stop: false,
        };
        let host = if realtime {
            Host::Thread
        } else {
            Host::Stepped
        };
        Ok(Self {
            handle: spawn(ControlSetup { config, startup }, host),
            bundle,
            models,
            expect,
            realtime,
            now_secs: 0.0,
            end: None,
        })
    }

    /// How much control time has passed, seconds; in real time, how much at least.
    #[must_use]
    pub fn now_secs(&self) -> f64 {
        self.now_secs
    }

    /// Goes one stride on (50 ms of control time; in real time, up to now). `observer` sees the
    /// states. Answers the report when the run has ended.
    ///
    /// # Errors
    /// The motion does not fit, or the service failed.
    pub fn advance(
        &mut self,
        observer: &mut dyn FnMut(&StateUpdate),
    ) -> Result<Option<HeadlessReport>, HeadlessError> {
        if self.end.is_none() {
            self.stride(observer)?;
        }
        let Some((last, asked)) = &mut self.end else {
            return Ok(None);
        };
        let Some(answer) = asked.try_take() else {
            return Ok(None);
        };
        let Reply::Inspection(inspection) = answer? else {
            return Err(unexpected_reply().into());
        };
        let scene = &self.bundle.scene;
        let arms = arm_reports(scene, &self.models, last, &inspection.tracks);
        let status = self.handle.status();
        self.handle.stop();
        let held = |expect: &Expectation| expect.holds(&inspection.in_tray);
        let held = self.expect.as_ref().map(held);
        Ok(Some(report(*inspection, arms, &status, held)))
    }

    fn stride(&mut self, observer: &mut dyn FnMut(&StateUpdate)) -> Result<(), ServiceError> {
        if !self.realtime {
            self.now_secs += STRIDE_SECS;
            self.handle.advance_to(self.now_secs);
        }
        self.handle.pump(POLL);
        for event in self.handle.events() {
            match event {
                Event::State(state) => {
                    observer(&state);
                    self.now_secs = self.now_secs.max(state.time_secs);
                    // The service stops driving when the run ends, and says so.
                    if !state.active {
                        self.end = Some((state, self.handle.request(Request::Inspect)));
                        return Ok(());
                    }
                }
                Event::Notice(notice) => tracing::info!("{}", notice.text),
                Event::SceneLoaded { .. }
                | Event::ScriptDone { .. }
                | Event::DevicesChanged { .. }
                | Event::Calibration(_)
                | Event::CalibrationDone { .. } => {}
            }
        }
        self.handle.status().failure.map_or(Ok(()), Err)
    }
}

fn arm_reports(
    scene: &Scene,
    models: &[Arc<ArmModel>],
    last: &StateUpdate,
    tracks: &[Vec<TrackError>],
) -> Vec<ArmReport> {
    let arms = scene.arms.iter().zip(models).zip(&last.arms).zip(tracks);
    let reports = arms.map(|(((spec, model), arm), track)| {
        let joints = model.joints.iter().zip(&arm.joints).enumerate();
        let joints = joints.map(|(index, (joint, state))| JointReport {
            name: joint.name.clone(),
            state: *state,
            lerobot: JointUnit::Lerobot.to_unit(model, index, state.position),
        });
        ArmReport {
            name: spec.name.clone(),
            joints: joints.collect(),
            track: TrackReport::of(model, track),
        }
    });
    reports.collect()
}

fn report(
    inspection: Inspection,
    arms: Vec<ArmReport>,
    status: &Status,
    expectation_held: Option<bool>,
) -> HeadlessReport {
    HeadlessReport {
        own_thread: status.host == forearm_workers::HostKind::Thread,
        expectation_held,
        script: match inspection.scripts.into_iter().next() {
            Some(ScriptState::Done) => Some(Ok(())),
            Some(ScriptState::Failed(why)) => Some(Err(why)),
            Some(ScriptState::Idle | ScriptState::Playing { .. }) | None => None,
        },
        timing: inspection.timing,
        ticks: inspection.ticks,
        steps: inspection.steps,
        simulated_secs: inspection.simulated_secs,
        physics_step_secs: inspection.physics_step_secs,
        state_hash: inspection.state_hash,
        in_tray: inspection.in_tray,
        arms,
    }
}

fn unexpected_reply() -> ServiceError {
    ServiceError::Gone {
        service: "control".to_owned(),
        why: "it answered something else than was asked".to_owned(),
    }
}
