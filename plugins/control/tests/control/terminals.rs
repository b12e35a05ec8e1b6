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

/// A service in real time, and what it told last.
struct Running {
    handle: Handle<ControlService>,
    arms: Vec<ArmState>,
    time_secs: f64,
    notices: Vec<String>,
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

impl Running {
    fn new(setup: ControlSetup) -> Self {
        Self {
            handle: spawn(setup, Host::Thread),
            arms: Vec::new(),
            time_secs: 0.0,
            notices: Vec::new(),
        }
    }

    /// A follower and a leader, both served by the same service.
    fn pair(folder: &Folder) -> Self {
        let on = |arm: usize, link: &str| ServedArm {
            at: ServedAt::Pty(Some(folder.link(link))),
            ..served(arm, true)
        };
        let config = ControlConfig {
            on_exit: OnExit::Hold,
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
        Self::new(ControlSetup { config, startup })
    }

    /// Waits until the arms are as they should be.
    fn until(&mut self, what: &str, is_it: impl Fn(&[ArmState]) -> bool) {
        let start = Instant::now();
        loop {
            for event in self.handle.events() {
                match event {
                    Event::State(state) => {
                        self.time_secs = state.time_secs;
                        self.arms = state.arms;
                    }
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
    let folder = Folder::new("lead");
    let mut it = Running::pair(&folder);
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

/// Waits for more states, for this long by the service's own time.
fn after(it: &mut Running, secs: f64) {
    let end = it.time_secs + secs;
    while it.time_secs < end {
        it.arms.clear();
        it.until("time goes on", |_| true);
    }
}

#[test]
fn an_arm_that_is_left_goes_limp_or_holds() {
    for on_exit in [OnExit::TorqueOff, OnExit::Hold] {
        let folder = Folder::new(&format!("{on_exit:?}"));
        let mut scene = scene();
        scene.arms.truncate(1);
        let stretched = [("shoulder_lift", 0.0), ("elbow_flex", 0.0)];
        scene.arms[0].home_degrees = stretched.map(|(name, to)| (name.to_owned(), to)).into();
        let virtual_arm = ServedArm {
            at: ServedAt::Pty(Some(folder.link("arm"))),
            ..served(0, true)
        };
        let calibration = virtual_arm.calibration.clone();
        // Nobody starts it: no hand holds the arm.
        let mut emulator = Running::new(ControlSetup {
            config: ControlConfig {
                served: vec![virtual_arm],
                ..ControlConfig::default()
            },
            startup: Startup {
                bundle: Some(Arc::new(SceneBundle::from(scene.clone()))),
                ..Startup::default()
            },
        });
        emulator.until("it is served", |_| true);
        scene.arms[0].backend = Backend::Serial(SerialArm {
            port: folder.link("arm"),
            id: None,
        });
        let name = scene.arms[0].name.clone();
        let mut bundle = SceneBundle::from(scene);
        let calibrations = ArmCalibrations {
            follower: calibration,
            leader: None,
        };
        bundle.calibrations.insert(name, calibrations);
        let mut real = Running::new(ControlSetup {
            config: ControlConfig {
                on_exit,
                ..ControlConfig::default()
            },
            startup: Startup {
                bundle: Some(Arc::new(bundle)),
                start: true,
                ..Startup::default()
            },
        });
        real.until("the arm holds", |arms| arms[0].torque);
        // Lifted, so that it has somewhere to fall to.
        let mut lifted = positions(&real.arms[0]);
        (lifted[1], lifted[2]) = (-0.6, 0.0);
        let told = real.handle.send(Command::JointTargets {
            arm: 0,
            positions: lifted.clone(),
        });
        told.expect("the service runs");
        emulator.until("it is lifted", |arms| {
            furthest(&positions(&arms[0]), &lifted) < 0.05
        });
        real.handle.stop();
        match on_exit {
            OnExit::TorqueOff => emulator.until("it has gone limp", |arms| {
                furthest(&positions(&arms[0]), &lifted) > 0.15
            }),
            OnExit::Hold => {
                after(&mut emulator, 1.0);
                let off = furthest(&positions(&emulator.arms[0]), &lifted);
                assert!(off < 0.05, "it did not hold: {off}");
            }
        }
    }
}
