//! Real arms under control without a window: what `teleoperate`, `calibrate` and `replay` share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use forearm::calibrations;
use forearm_control::{ControlConfig, ControlService, ControlSetup, Startup};
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Event, Notice, NoticeLevel, Reply, Request, StateUpdate};
use forearm_protocol::scene::{ArmSpec, Backend, Scene, SceneBundle};
use forearm_protocol::servo::{BusState, CalibrationStatus, Connection, Role};
use forearm_workers::{Handle, Host, Pending, RestartPolicy, supervise};

use super::{Failure, OrFail, interrupt};

/// How often events are looked for; states come every 50 ms.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long connecting may take: opening, setting up twelve motors.
const CONNECTING: Duration = Duration::from_secs(15);

/// A control service, and what it told last.
pub(super) struct Live {
    pub(super) control: Handle<ControlService>,
    /// The last state.
    pub(super) state: Option<Box<StateUpdate>>,
    /// The scene's arms.
    arms: Vec<ArmSpec>,
}

/// A bus of a real arm.
pub(super) struct ArmBus<'a> {
    /// The arm of the scene.
    pub(super) arm: usize,
    /// Which of its two.
    pub(super) role: Role,
    pub(super) bus: &'a BusState,
}

impl Live {
    /// Starts the service on its own thread; nothing moves yet.
    pub(super) fn start(bundle: Arc<SceneBundle>, config: ControlConfig) -> Self {
        interrupt::listen();
        let arms = bundle.scene.arms.clone();
        let startup = Startup {
            bundle: Some(bundle),
            ..Startup::default()
        };
        let setup = ControlSetup { config, startup };
        Self {
            control: supervise(setup, Host::Thread, RestartPolicy::default()),
            state: None,
            arms,
        }
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
                Some(buses) => buses.iter().any(|it| !is_ready(it.bus, calibrated)),
            };
            if !waits {
                return Ok(());
            }
            let found = buses.iter().flatten();
            let mut obstacles = found.filter_map(|it| self.obstacle(it, calibrated));
            if let Some(problem) = obstacles.next() {
                return Err(anyhow!(problem)).or_failed();
            }
            if interrupt::is_told() {
                return Err(anyhow!("interrupted")).or_failed();
            }
            if Instant::now() > until {
                let why = buses.iter().flatten().find_map(|it| why(it.bus));
                let why = why.unwrap_or_else(|| "it does not get ready".to_owned());
                return Err(anyhow!("no connection: {why}")).or_failed();
            }
        }
    }

    /// What keeps an arm from being driven that waiting does not mend.
    fn obstacle(&self, it: &ArmBus<'_>, calibrated: bool) -> Option<String> {
        let ArmBus { arm, role, bus } = it;
        if bus.connection != Connection::Connected || !calibrated {
            return None;
        }
        let spec = self.arms.get(*arm)?;
        let serial = match role {
            Role::Follower => spec.backend.serial(),
            Role::Leader => spec.leader.as_ref(),
        };
        let id = calibrations::id_of(spec, serial?);
        let leader = match role {
            Role::Follower => "",
            Role::Leader => " --leader",
        };
        let name = &spec.name;
        let command = format!("forearm calibrate {} --id {id}{leader}", bus.port);
        match &bus.calibration {
            CalibrationStatus::Missing => Some(format!(
                "arm `{name}`: there is no calibration with the id `{id}`; name the one that there is \
                 (--id, --leader-id), or make one: {command}"
            )),
            CalibrationStatus::Differs(differences) => Some(format!(
                "arm `{name}`: the motors on {} are calibrated otherwise than the file of `{id}` says \
                 ({}); {command} --use-file writes the file's numbers into the motors, without \
                 --use-file it calibrates anew",
                bus.port,
                CalibrationStatus::few(differences)
            )),
            CalibrationStatus::Unknown | CalibrationStatus::Matches => None,
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

/// The buses of real arms.
pub(super) fn buses(state: &StateUpdate) -> Vec<ArmBus<'_>> {
    let arms = state.arms.iter().enumerate();
    arms.flat_map(|(arm, it)| {
        let follower = it.bus.as_deref().map(|bus| (Role::Follower, bus));
        let leader = it.leader.as_deref();
        let leader = leader.map(|leader| (Role::Leader, &leader.bus));
        let both = follower.into_iter().chain(leader);
        both.map(move |(role, bus)| ArmBus { arm, role, bus })
    })
    .collect()
}

fn is_ready(bus: &BusState, calibrated: bool) -> bool {
    bus.connection == Connection::Connected
        && (!calibrated || bus.calibration == CalibrationStatus::Matches)
}

fn why(bus: &BusState) -> Option<String> {
    match &bus.connection {
        Connection::Lost(why) => Some(why.clone()),
        Connection::Connecting => Some(format!("{} is still being opened", bus.port)),
        Connection::Connected => None,
    }
}
