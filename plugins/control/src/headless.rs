//! Runs the control service without a window, as `forearm teleoperate --headless` does.
//!
//! In real time the service has its own thread, exactly as beside a window. Otherwise its time is
//! stepped as fast as it goes; the world and its hash are the same, for the world moves in step
//! with ticks.

use std::sync::Arc;
use std::time::Duration;

use forearm_arm::units::JointUnit;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{
    Event, Inspection, JointState, LoopTiming, Reply, Request, ScriptState, StateUpdate,
};
use forearm_protocol::scene::{ModelProblem, SceneBundle};
use forearm_workers::{Handle, Host, Status, spawn};
use serde::Serialize;

use crate::config::{ConfigError, ControlConfig, ControlSetup, Startup, Until};
use crate::expectation::{Expectation, ExpectationError};
use crate::service::ControlService;

/// How often states are looked for in real time; they come every 50 ms.
const POLL: Duration = Duration::from_millis(10);
/// How far stepped time goes between two looks, seconds.
const STRIDE_SECS: f64 = 0.05;
/// How long things may come to rest after the last motion, seconds.
const REST_SECS: f64 = 1.0;

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

/// Runs until the end; `observer` sees the states, 20 a second of control time.
///
/// # Errors
/// What was asked for is wrong, or the service failed.
pub fn run(
    options: HeadlessOptions,
    observer: &mut dyn FnMut(&StateUpdate),
) -> Result<HeadlessReport, HeadlessError> {
    let HeadlessOptions {
        bundle,
        config,
        script,
        duration_secs,
        realtime,
        expect,
    } = options;
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
    };
    let host = if realtime {
        Host::Thread
    } else {
        Host::Stepped
    };
    let mut handle: Handle<ControlService> = spawn(ControlSetup { config, startup }, host);
    let last = follow(&handle, observer)?;
    let Reply::Inspection(inspection) = handle.request_blocking(Request::Inspect)? else {
        return Err(unexpected_reply().into());
    };
    let status = handle.status();
    handle.stop();

    let arms = bundle
        .scene
        .arms
        .iter()
        .zip(&models)
        .zip(&last.arms)
        .map(|((spec, model), arm)| {
            let joints = model.joints.iter().zip(&arm.joints).enumerate();
            let joints = joints
                .map(|(index, (joint, state))| JointReport {
                    name: joint.name.clone(),
                    state: *state,
                    lerobot: JointUnit::Lerobot.to_unit(model, index, state.position),
                })
                .collect();
            ArmReport {
                name: spec.name.clone(),
                joints,
            }
        });
    Ok(report(
        *inspection,
        arms.collect(),
        &status,
        expect.as_ref(),
    ))
}

fn report(
    inspection: Inspection,
    arms: Vec<ArmReport>,
    status: &Status,
    expect: Option<&Expectation>,
) -> HeadlessReport {
    HeadlessReport {
        own_thread: status.host == forearm_workers::HostKind::Thread,
        expectation_held: expect.map(|expect| expect.holds(&inspection)),
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

/// Follows a run to its end; answers its last state.
fn follow(
    handle: &Handle<ControlService>,
    observer: &mut dyn FnMut(&StateUpdate),
) -> Result<Box<StateUpdate>, ServiceError> {
    let mut now_secs = 0.0;
    loop {
        now_secs += STRIDE_SECS;
        handle.advance_to(now_secs);
        handle.pump(POLL);
        for event in handle.events() {
            match event {
                Event::State(state) => {
                    observer(&state);
                    // The service stops driving when the run ends, and says so.
                    if !state.active {
                        return Ok(state);
                    }
                }
                Event::Notice(notice) => tracing::info!("{}", notice.text),
                Event::SceneLoaded { .. } | Event::ScriptDone { .. } => {}
            }
        }
        let status = handle.status();
        if let Some(error) = status.failure {
            return Err(error);
        }
        if status.host != forearm_workers::HostKind::Stepped {
            std::thread::sleep(POLL);
        }
    }
}

fn unexpected_reply() -> ServiceError {
    ServiceError::Gone {
        service: "control".to_owned(),
        why: "it answered something else than was asked".to_owned(),
    }
}
