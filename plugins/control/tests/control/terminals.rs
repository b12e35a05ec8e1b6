//! The same over pseudo-terminals, in real time: lines and virtual servos on threads of their own.
#![cfg(unix)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use forearm_control::{
    ControlConfig, ControlService, ControlSetup, OnExit, ServedArm, ServedAt, Startup,
};
use forearm_protocol::control::{ArmState, Command, Event, Reply, Request, TeleopMode};
use forearm_protocol::scene::{Backend, SceneBundle};
use forearm_protocol::servo::{ArmCalibrations, Connection, Incident, SerialArm};
use forearm_workers::{Handle, Host, spawn};

use crate::servos::{FOLLOWER, LEADER, VIRTUAL, furthest, positions, scene, served};

struct Terminals {
    handle: Handle<ControlService>,
    arms: Vec<ArmState>,
    notices: Vec<String>,
    _folder: Folder,
}

/// A folder of one test, removed at its end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("forearm-control-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for links");
        Self(path)
    }

    fn link(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

impl Terminals {
    fn new(name: &str, on_exit: OnExit) -> Self {
        let folder = Folder::new(name);
        let on = |arm: usize, link: &str| ServedArm {
            at: ServedAt::Pty(Some(folder.link(link))),
            ..served(arm, true)
        };
        let config = ControlConfig {
            on_exit,
            served: vec![on(VIRTUAL, "follower"), on(LEADER, "leader")],
            ..ControlConfig::default()
        };
        let calibration = config.served[0].calibration.clone();
        let at = |link: &str| SerialArm {
            port: folder.link(link),
            id: None,
        };
        let mut scene = scene();
        scene.arms[FOLLOWER].backend = Backend::Serial(at("follower"));
        scene.arms[FOLLOWER].leader = Some(at("leader"));
        let mut bundle = SceneBundle::from(scene);
        let both = ArmCalibrations {
            follower: calibration.clone(),
            leader: calibration,
        };
        bundle.calibrations.insert("follower".to_owned(), both);
        let startup = Startup {
            bundle: Some(Arc::new(bundle)),
            start: true,
            ..Startup::default()
        };
        Self {
            handle: spawn(ControlSetup { config, startup }, Host::Thread),
            arms: Vec::new(),
            notices: Vec::new(),
            _folder: folder,
        }
    }

    /// Waits until the arms are as they should be.
    fn until(&mut self, what: &str, is_it: impl Fn(&[ArmState]) -> bool) {
        let start = Instant::now();
        loop {
            for event in self.handle.events() {
                match event {
                    Event::State(state) => self.arms = state.arms,
                    Event::Notice(notice) => self.notices.push(notice.text),
                    _ => {}
                }
            }
            if !self.arms.is_empty() && is_it(&self.arms) {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "it never came that {what}: {:?} {:?}",
                self.notices,
                self.arms
            );
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

fn is_connected(arm: &ArmState) -> bool {
    let bus = arm.bus.as_ref();
    bus.is_some_and(|bus| bus.connection == Connection::Connected)
}

#[test]
fn a_leader_leads_a_follower_over_two_terminals() {
    let mut it = Terminals::new("lead", OnExit::Hold);
    it.until("the arm holds", |arms| arms[FOLLOWER].torque);
    it.until("the leader is there", |arms| {
        let leader = arms[FOLLOWER].leader.as_ref();
        leader.is_some_and(|leader| leader.bus.connection == Connection::Connected)
    });
    let follow = Request::SetMode {
        arm: FOLLOWER,
        mode: TeleopMode::Leader,
    };
    assert_eq!(it.handle.request_blocking(follow), Ok(Reply::Done));
    let mut pose = positions(&it.arms[LEADER]);
    pose[0] = 0.8;
    let told = it.handle.send(Command::JointTargets {
        arm: LEADER,
        positions: pose.clone(),
    });
    told.expect("the service runs");
    it.until("the follower is where the leader is", |arms| {
        furthest(&positions(&arms[VIRTUAL]), &pose) < 0.03
    });
    let incident = |incident| Request::Incident {
        arm: VIRTUAL,
        incident,
    };
    let unplug = it.handle.request_blocking(incident(Incident::Unplug));
    assert_eq!(unplug, Ok(Reply::Done));
    it.until("the port is gone", |arms| !is_connected(&arms[FOLLOWER]));
    let held = positions(&it.arms[VIRTUAL]);
    let replug = it.handle.request_blocking(incident(Incident::Replug));
    assert_eq!(replug, Ok(Reply::Done));
    it.until("it is back", |arms| {
        is_connected(&arms[FOLLOWER]) && arms[FOLLOWER].torque
    });
    assert!(furthest(&positions(&it.arms[VIRTUAL]), &held) < 0.05);
    let leave = Request::SetBackend {
        arm: FOLLOWER,
        backend: Backend::Sim,
        calibration: None,
        motion: None,
    };
    assert_eq!(it.handle.request_blocking(leave), Ok(Reply::Done));
    it.until("it is simulated", |arms| arms[FOLLOWER].backend == "sim");
}
