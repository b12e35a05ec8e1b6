//! The control service beside an app without a window.
#![cfg(feature = "bevy")]

use std::sync::Arc;

use bevy_app::{App, AppExit};
use bevy_ecs::message::Messages;
use forearm_control::{Control, ControlPlugin, ControlRequest, Startup};
use forearm_protocol::control::{Command, Event, Request, StateUpdate};
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_workers::{HostKind, State};

fn app() -> App {
    let scene = Scene::from_ron("scene", include_str!("../../../scenes/pick_and_place.ron"))
        .expect("the scene is valid");
    let bundle = Arc::new(SceneBundle {
        scene,
        models: Default::default(),
    });
    let mut app = App::new();
    app.add_plugins(ControlPlugin {
        startup: Startup {
            bundle: Some(bundle),
            script: None,
            start: true,
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
