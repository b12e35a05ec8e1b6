//! The control service beside an app without a window.
#![cfg(feature = "bevy")]

use std::sync::Arc;

use bevy_app::{App, AppExit};
use bevy_ecs::message::Messages;
use forearm_control::{Control, ControlPlugin, ControlRequest, Startup};
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Command, Event, Request, StateUpdate};
use forearm_protocol::lifecycle::Fault;
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_workers::{HostKind, State};

fn app() -> App {
    let scene = Scene::from_ron("scene", include_str!("../../../scenes/pick_and_place.ron"))
        .expect("the scene is valid");
    let bundle = Arc::new(SceneBundle::from(scene));
    let mut app = App::new();
    app.add_plugins(ControlPlugin {
        startup: Startup {
            bundle: Some(bundle),
            script: None,
            start: true,
            resume: None,
            e_stop: false,
        },
        ..ControlPlugin::default()
    });
    app
}

/// Draws frames until an event answers.
fn until<T>(app: &mut App, mut answer: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        app.update();
        let mut events = app.world_mut().resource_mut::<Messages<Event>>();
        if let Some(found) = events.drain().find_map(&mut answer) {
            return found;
        }
        std::thread::yield_now();
    }
}

fn state(event: Event) -> Option<StateUpdate> {
    match event {
        Event::State(state) => Some(*state),
        _ => None,
    }
}

#[test]
fn states_come_and_commands_go() {
    let mut app = app();
    let generation = until(&mut app, |event| match event {
        Event::SceneLoaded { generation, .. } => Some(generation),
        _ => None,
    });
    assert_eq!(generation, 1);
    let first = until(&mut app, state);
    assert!(first.active && !first.e_stopped);
    assert_eq!(
        app.world().resource::<Control>().status().host,
        HostKind::Thread
    );
    app.world_mut().write_message(Command::EStop);
    until(&mut app, |event| {
        state(event).filter(|state| state.e_stopped)
    });
    app.world_mut()
        .write_message(ControlRequest(Request::ClearEStop));
    until(&mut app, |event| {
        state(event).filter(|state| !state.e_stopped)
    });
}

#[test]
fn a_refusal_becomes_a_notice() {
    let mut app = app();
    app.world_mut()
        .write_message(ControlRequest(Request::SetTorque { arm: 9, on: true }));
    let text = until(&mut app, |event| match event {
        Event::Notice(notice) => Some(notice.text),
        _ => None,
    });
    assert!(text.contains("there is no arm number 9"), "{text}");
}

#[test]
fn the_service_ends_with_the_app() {
    let mut app = app();
    until(&mut app, state);
    app.world_mut().write_message(AppExit::Success);
    app.update();
    assert_eq!(
        app.world().resource::<Control>().status().state,
        State::Stopped
    );
}

/// Makes the service fail. A quick one has ended before this call has: that is no failure of it.
fn fail(app: &App, fault: Fault) {
    app.world().resource::<Control>().line().inject(fault).ok();
}

/// Moves the first arm away from home, then makes the service fail. Answers the state before and
/// the first state after, and the notices between.
fn survive(app: &mut App, fault: Fault) -> (StateUpdate, StateUpdate, Vec<String>) {
    let target = [0.4, -0.3, 0.2, 0.5, 0.1, 0.6];
    until(app, state);
    app.world_mut().write_message(Command::JointTargets {
        arm: 0,
        positions: target.to_vec(),
    });
    let arrived = |event| {
        state(event).filter(|state| {
            let joints = state.arms[0].joints.iter().zip(target);
            joints
                .map(|(joint, target)| (joint.position - target).abs())
                .fold(0.0, f64::max)
                < 0.05
                && state.arms[0]
                    .joints
                    .iter()
                    .all(|joint| joint.velocity.abs() < 1e-3)
        })
    };
    let before = until(app, arrived);
    fail(app, fault);
    let mut lost = app.world().resource::<Control>().ask(Request::Inspect);
    let mut notices = Vec::new();
    until(app, |event| match event {
        Event::Notice(notice) => {
            let back = notice.text.contains("Control is back");
            notices.push(notice.text);
            back.then_some(())
        }
        _ => None,
    });
    let lost = loop {
        match lost.try_take() {
            Some(lost) => break lost,
            None => app.update(),
        }
    };
    match fault {
        // A service that hangs answers nothing; one that is quicker gone than asked is asked again.
        Fault::Hang => assert!(
            matches!(lost, Err(ServiceError::Crashed { .. })),
            "{lost:?}"
        ),
        _ => assert!(
            matches!(lost, Ok(_) | Err(ServiceError::Crashed { .. })),
            "{lost:?}"
        ),
    }
    let after = until(app, state);
    (before, after, notices)
}

#[test]
fn after_a_crash_or_a_hang_the_service_is_back_and_the_arm_holds() {
    for fault in [Fault::Throw, Fault::Hang, Fault::Kill] {
        let mut app = app();
        let (before, after, notices) = survive(&mut app, fault);
        assert!(
            notices
                .iter()
                .any(|text| text.starts_with("Control stopped: ")),
            "{notices:?}"
        );
        assert_eq!(before.scene_generation, after.scene_generation);
        assert!(after.active && !after.e_stopped);
        for (was, is) in before.arms[0].joints.iter().zip(&after.arms[0].joints) {
            let moved = (was.position - is.position).abs();
            assert!(moved < 1e-3, "{fault:?}: it moved by {moved} rad");
        }
        for (was, is) in before.objects.iter().zip(&after.objects) {
            let moved =
                nalgebra::Vector3::from(was.position) - nalgebra::Vector3::from(is.position);
            assert!(
                moved.norm() < 1e-3,
                "{fault:?}: an object moved by {moved} m"
            );
        }
        let status = app.world().resource::<Control>().status();
        assert_eq!((status.state, status.restarts), (State::Ready, 1));
    }
}

/// The service comes back, and the emergency stop holds.
fn comes_back_stopped(app: &mut App) {
    until(app, |event| match event {
        Event::Notice(notice) => notice.text.contains("Control is back").then_some(()),
        _ => None,
    });
    let after = until(app, state);
    assert!(after.e_stopped && !after.active);
}

#[test]
fn an_emergency_stop_outlives_a_crash() {
    let mut app = app();
    until(&mut app, state);
    app.world_mut().write_message(Command::EStop);
    until(&mut app, |event| {
        state(event).filter(|state| state.e_stopped)
    });
    fail(&app, Fault::Throw);
    comes_back_stopped(&mut app);
}

#[test]
fn an_emergency_stop_that_nobody_took_holds_after_the_hang() {
    let mut app = app();
    until(&mut app, state);
    fail(&app, Fault::Hang);
    app.world_mut().write_message(Command::EStop);
    comes_back_stopped(&mut app);
}

#[test]
fn what_nobody_took_is_not_done_after_a_restart_by_hand() {
    let mut app = app();
    let before = until(&mut app, state);
    while app.world().resource::<Control>().status().state != State::Failed {
        fail(&app, Fault::Throw);
        until(&mut app, |event| match event {
            Event::Notice(notice) => {
                let ended = ["Control is back", "Control does not run"];
                let of_it = |ended: &&str| notice.text.contains(ended);
                ended.iter().any(of_it).then_some(())
            }
            _ => None,
        });
    }
    app.world_mut().write_message(Command::JointTargets {
        arm: 0,
        positions: vec![0.5; 6],
    });
    app.update();
    app.world_mut().resource_mut::<Control>().restart();
    until(&mut app, state);
    for _ in 0..20 {
        let after = until(&mut app, state);
        let joints = after.arms[0].joints.iter().zip(&before.arms[0].joints);
        for (is, was) in joints {
            assert!((is.position - was.position).abs() < 1e-3, "it moved");
        }
    }
}
