//! Serial ports of this tab: a person allows them here, on the page. What opens them is the control
//! service's line, in its worker; where workers can't, this page does it for them.

use std::cell::RefCell;

use bevy::prelude::*;
use forearm_hardware::port::web::{self, WebSerialError};
use forearm_panel::plugin::PanelSystems;
use forearm_panel::{PanelAction, PanelInputs, PanelState};
use forearm_protocol::control::{Notice, NoticeLevel};
use wasm_bindgen_futures::spawn_local;

use super::page;

/// Lets a person allow ports.
#[derive(Debug)]
pub(crate) struct SerialPlugin;

impl Plugin for SerialPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Startup, tell_whether).add_systems(
            Update,
            (ask_a_person, take_answers).after(PanelSystems::Receive),
        );
    }
}

thread_local! {
    /// What the browser has answered since the last frame.
    static ANSWERS: RefCell<Vec<Result<(), WebSerialError>>> = const { RefCell::new(Vec::new()) };
}

/// Opens ports for workers that can't do it themselves; for all, where the address says
/// `?serial=bridge`. To be called before there are any.
pub(super) fn offer() {
    web::offer(page::asked("serial").as_deref() == Some("bridge"));
}

fn tell_whether(mut inputs: ResMut<PanelInputs>) {
    inputs.devices.can_add = web::obstacle().is_none();
}

/// A click a few frames ago still counts for the browser.
fn ask_a_person(mut actions: MessageReader<PanelAction>) {
    let asked = actions.read().any(|action| *action == PanelAction::AddPort);
    if asked {
        let answer = web::request();
        spawn_local(async {
            let answer = answer.await;
            ANSWERS.with_borrow_mut(|answers| answers.push(answer));
        });
    }
}

/// A port that was allowed is looked for; what went wrong is said.
fn take_answers(mut actions: MessageWriter<PanelAction>, mut panel: ResMut<PanelState>) {
    for answer in ANSWERS.take() {
        match answer {
            Ok(()) => {
                actions.write(PanelAction::ListPorts);
            }
            Err(error) => panel.notify(Notice {
                level: NoticeLevel::Warning,
                text: error.to_string(),
            }),
        }
    }
}
