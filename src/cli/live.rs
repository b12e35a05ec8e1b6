//! Real arms under control without a window: what `teleoperate`, `calibrate` and `replay` share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use forearm_control::{ControlConfig, ControlService, ControlSetup, Startup};
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Event, Notice, NoticeLevel, Reply, Request, StateUpdate};
use forearm_protocol::scene::{Backend, Scene, SceneBundle};
use forearm_protocol::servo::{BusState, CalibrationStatus, Connection};
use forearm_workers::{Handle, Host, Pending, RestartPolicy, supervise};

use super::{Failure, OrFail};

/// How often events are looked for; states come every 50 ms.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long connecting may take: opening, setting up twelve motors.
const CONNECTING: Duration = Duration::from_secs(15);
/// Set by Ctrl-C: the run should end, safely.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A control service, and what it told last.
pub(super) struct Live {
    pub(super) control: Handle<ControlService>,
    /// The last state.
    pub(super) state: Option<Box<StateUpdate>>,
    names: Vec<String>,
}

impl Live {
    /// Starts the service on its own thread; nothing moves yet.
    pub(super) fn start(bundle: Arc<SceneBundle>, config: ControlConfig) -> Self {
        if let Err(error) = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)) {
            tracing::debug!("Ctrl-C ends the program at once: {error}");
        }
        let names = bundle.scene.arms.iter().map(|arm| arm.name.clone());
        let names = names.collect();
        let startup = Startup {
            bundle: Some(bundle),
            ..Startup::default()
        };
        let setup = ControlSetup { config, startup };
        Self {
            control: supervise(setup, Host::Thread, RestartPolicy::default()),
            state: None,
            names,
        }
    }

    /// Whether Ctrl-C was pressed.
    pub(super) fn interrupted() -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }

    /// Waits a little, then hands on what the service told.
    pub(super) fn listen(&mut self, told: &mut dyn FnMut(&Event)) -> Result<(), Failure> {
        std::thread::sleep(LOOK_EVERY);
        let events: Vec<_> = self.control.events().collect();
        for event in events {
            if let Event::Notice(Notice { level, text }) = &event {
                match level {
                    NoticeLevel::Info => tracing::info!("{text}"),
                    NoticeLevel::Warning => tracing::warn!("{text}"),
                    NoticeLevel::Error => tracing::error!("{text}"),
                }
            }
            told(&event);
            if let Event::State(state) = event {
                self.state = Some(state);
            }
        }
        match self.control.status().failure {
            Some(failure) => Err(failure).or_failed(),
            None => Ok(()),
        }
    }

    /// Waits until all real arms answer. With `calibrated` they must be calibrated as their files
    /// say, too.
    pub(super) fn connect(&mut self, calibrated: bool) -> Result<(), Failure> {
        let until = Instant::now() + CONNECTING;
        loop {
            self.listen(&mut |_| {})?;
            let buses = self.state.as_deref().map(buses);
            let waits = match &buses {
                None => true,
                Some(buses) => buses.iter().any(|(_, bus)| !is_ready(bus, calibrated)),
            };
            if !waits {
                return Ok(());
            }
            if let Some((arm, problem)) = buses
                .iter()
                .flatten()
                .find_map(|(arm, bus)| Some((*arm, obstacle(bus, calibrated)?)))
            {
                let error = anyhow!("arm `{}`: {problem}", self.names[arm]);
                return Err(error).or_failed();
            }
            if Self::interrupted() {
                return Err(anyhow!("interrupted")).or_failed();
            }
            if Instant::now() > until {
                let why = buses.iter().flatten().find_map(|(_, bus)| why(bus));
                let why = why.unwrap_or_else(|| "it does not get ready".to_owned());
                return Err(anyhow!("no connection: {why}")).or_failed();
            }
        }
    }

    /// Asks the service, and goes on listening until it has answered.
    pub(super) fn ask(
        &mut self,
        request: Request,
        told: &mut dyn FnMut(&Event),
    ) -> Result<Reply, Failure> {
        let mut asked = self.control.request(request);
        self.answer(&mut asked, told)?.or_failed()
    }

    /// Goes on listening until this was answered.
    pub(super) fn answer(
        &mut self,
        asked: &mut Pending<ControlService>,
        told: &mut dyn FnMut(&Event),
    ) -> Result<Result<Reply, ServiceError>, Failure> {
        loop {
            if let Some(answer) = asked.try_take() {
                return Ok(answer);
            }
            self.listen(told)?;
        }
    }
}

impl Drop for Live {
    /// Arms are left as the configuration says.
    fn drop(&mut self) {
        self.control.stop();
    }
}

/// Whether a scene has real arms.
pub(super) fn is_real(scene: &Scene) -> bool {
    scene
        .arms
        .iter()
        .any(|arm| matches!(arm.backend, Backend::Serial(_)) || arm.leader.is_some())
}

/// The buses of real arms, each with its arm's number.
pub(super) fn buses(state: &StateUpdate) -> Vec<(usize, &BusState)> {
    let arms = state.arms.iter().enumerate();
    arms.flat_map(|(arm, it)| {
        let leader = it.leader.as_deref().map(|leader| &leader.bus);
        let both = it.bus.as_deref().into_iter().chain(leader);
        both.map(move |bus| (arm, bus))
    })
    .collect()
}

fn is_ready(bus: &BusState, calibrated: bool) -> bool {
    bus.connection == Connection::Connected
        && (!calibrated || bus.calibration == CalibrationStatus::Matches)
}

/// What keeps an arm from being driven that waiting does not mend.
fn obstacle(bus: &BusState, calibrated: bool) -> Option<String> {
    if bus.connection != Connection::Connected || !calibrated {
        return None;
    }
    let port = &bus.port;
    match &bus.calibration {
        CalibrationStatus::Missing => Some(format!(
            "the arm on {port} has no calibration; make one with `forearm calibrate {port}` \
             (--leader for a leader), or name the one that there is with --id"
        )),
        CalibrationStatus::Differs(differences) => Some(format!(
            "the motors on {port} are calibrated otherwise than the file says ({}); \
             `forearm calibrate {port} --use-file` writes the file's numbers into the motors, \
             `forearm calibrate {port}` calibrates anew",
            CalibrationStatus::few(differences)
        )),
        CalibrationStatus::Unknown | CalibrationStatus::Matches => None,
    }
}

fn why(bus: &BusState) -> Option<String> {
    match &bus.connection {
        Connection::Lost(why) => Some(why.clone()),
        Connection::Connecting => Some(format!("{} is still being opened", bus.port)),
        Connection::Connected => None,
    }
}
