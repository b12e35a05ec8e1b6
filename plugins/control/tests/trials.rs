//! Trials in the pool: the same as runs without a window, called off when nobody wants them.

use std::sync::Arc;
use std::time::Duration;

use forearm_control::trials::{Trial, TrialOutcome, Trials};
use forearm_control::{ControlConfig, HeadlessOptions, headless, jitter_objects};
use forearm_protocol::ServiceError;
use forearm_protocol::scene::{Backend, Scene, SceneBundle};
use forearm_protocol::servo::SerialArm;
use forearm_workers::Host;
use forearm_workers::pool::{Pool, PoolConfig, Task, Ticket};

const PICK_AND_PLACE: &str = include_str!("../../../scenes/motions/pick_and_place.ron");

fn bundle() -> Arc<SceneBundle> {
    let text = include_str!("../../../scenes/pick_and_place.ron");
    let scene = Scene::from_ron("scene", text).expect("the scene is valid");
    Arc::new(SceneBundle::from(scene))
}

fn trial(seed: u64) -> Trial {
    Trial {
        bundle: bundle(),
        config: ControlConfig::default(),
        script: Some(PICK_AND_PLACE.to_owned()),
        duration_secs: None,
        expect: Some("cube-in-tray".parse().expect("well written")),
        jitter_m: 0.03,
        seed,
    }
}

fn pool(host: Host) -> Pool<Trials> {
    Pool::new(PoolConfig {
        host,
        size: 2,
        ..PoolConfig::default()
    })
}

fn outcome(ticket: Ticket<Trials>) -> TrialOutcome {
    pollster::block_on(ticket).expect("it can be run")
}

#[test]
fn a_trial_drives_no_real_arm() {
    let mut real = SceneBundle::clone(&bundle());
    // Stepped time is faster than any arm; this port can't be opened, and is not looked at.
    let serial = SerialArm {
        port: "/dev/no-such-port".to_owned(),
        id: None,
    };
    real.scene.arms[0].leader = Some(serial.clone());
    real.scene.arms[0].backend = Backend::Serial(serial);
    let real = Trial {
        bundle: Arc::new(real),
        ..trial(7)
    };
    let real = outcome(pool(Host::Thread).submit(Task::new(real)));
    let simulated = outcome(pool(Host::Thread).submit(Task::new(trial(7))));
    assert_eq!(real.state_hash, simulated.state_hash);
}

#[test]
fn a_trial_is_a_headless_run() {
    let mut moved = SceneBundle::clone(&bundle());
    jitter_objects(&mut moved.scene, 0.03, 7);
    let options = HeadlessOptions {
        bundle: Arc::new(moved),
        config: ControlConfig::default(),
        script: Some(PICK_AND_PLACE.to_owned()),
        duration_secs: None,
        realtime: false,
        expect: None,
    };
    let report = headless::run(options, &mut |_| {}).expect("it can be run");
    let in_tray = [("cube".to_owned(), "tray".to_owned())];
    for host in [Host::Thread, Host::Inline] {
        let outcome = outcome(pool(host).submit(Task::new(trial(7))));
        assert_eq!(outcome.state_hash, report.state_hash, "{host:?}");
        assert_eq!((outcome.ticks, outcome.steps), (report.ticks, report.steps));
        assert_eq!(
            (&outcome.in_tray[..], outcome.success),
            (&in_tray[..], true)
        );
        assert!(outcome.wall_secs > 0.0);
    }
}

#[test]
fn a_number_of_steps_can_be_asked_for() {
    let pool = pool(Host::Thread);
    let fixed = |seed| Trial {
        duration_secs: Some(20.0),
        ..trial(seed)
    };
    let tickets = [1, 1, 2].map(|seed| pool.submit(Task::new(fixed(seed))));
    let [first, same, other] = tickets.map(outcome);
    assert_eq!(first.steps, 10_000);
    assert_eq!(first.state_hash, same.state_hash);
    assert_ne!(first.state_hash, other.state_hash);
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let pool = pool(Host::Thread);
    let motion = "Motion(name: \"up\", steps: [Above(object: \"moon\", height: 0.1, secs: 1)])";
    let unfit = Trial {
        script: Some(motion.to_owned()),
        ..trial(0)
    };
    let expected = unfit.check().expect_err("no moon").to_string();
    assert!(expected.contains("moon"), "{expected}");
    let error = pollster::block_on(pool.submit(Task::new(unfit))).expect_err("no moon");
    assert_eq!(error.to_string(), expected);

    let unmet = Trial {
        expect: Some("brick-in-tray".parse().expect("well written")),
        ..trial(0)
    };
    let error = pollster::block_on(pool.submit(Task::new(unmet))).expect_err("no brick");
    assert!(error.to_string().contains("no object `brick`"), "{error}");
    assert!(trial(0).check().is_ok());
}

#[test]
fn a_trial_is_called_off_for_a_newer_one_of_its_control() {
    for host in [Host::Thread, Host::Inline] {
        let pool = pool(host);
        let endless = Trial {
            duration_secs: Some(1e6),
            ..trial(0)
        };
        let mut old = pool.submit(Task::new(endless).for_control("try"));
        while old.progress().is_none() {
            pool.pump(Duration::from_millis(4));
        }
        let new = pool.submit(Task::new(trial(1)).for_control("try"));
        assert!(outcome(new).success);
        let ended = old.try_take().expect("it has ended");
        assert!(matches!(ended, Err(ServiceError::Cancelled { .. })));
    }
}
