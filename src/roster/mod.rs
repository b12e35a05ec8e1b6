//! The roster: which services run, where, and how they do, told to the panels a few times a second;
//! and what the panels ask of a service.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

use bevy::prelude::*;
use bevy::time::Real;
use forearm_control::Control;
use forearm_panel::plugin::PanelSystems;
use forearm_panel::{HostLabel, Meter, PanelAction, PanelInputs, ServiceRow, ServiceState};
use forearm_record::Recorder;
use forearm_workers::pool::PoolStatus;
use forearm_workers::{HostKind, State, Status};

use crate::trials::TrialsDesk;

#[cfg(not(target_family = "wasm"))]
use native as place;
#[cfg(target_family = "wasm")]
use web as place;

/// How often the panels are told, seconds: as often as numbers can be read.
const REFRESH_SECS: f64 = 0.25;

/// Tells the panels of the services, and services of what the panels ask.
#[derive(Debug, Default)]
pub struct RosterPlugin;

impl Plugin for RosterPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Startup, show_machine).add_systems(
            Update,
            (carry_out, show).chain().after(PanelSystems::Receive),
        );
    }
}

fn show_machine(mut inputs: ResMut<PanelInputs>) {
    place::describe(&mut inputs.workers);
}

/// Does what the panels ask of services.
fn carry_out(
    mut actions: MessageReader<PanelAction>,
    mut control: ResMut<Control>,
    mut recorder: Option<ResMut<Recorder>>,
    trials: Res<TrialsDesk>,
) {
    for action in actions.read() {
        match action {
            PanelAction::RestartService(name) if *name == control.status().service => {
                control.restart();
            }
            PanelAction::RestartService(name) if *name == trials.status().name => trials.restart(),
            PanelAction::RestartService(name) => {
                if let Some(recorder) = &mut recorder
                    && *name == recorder.status().service
                {
                    recorder.restart();
                }
            }
            PanelAction::SetDiagnostics(on) => forearm_workers::set_diagnostics(*on),
            _ => {}
        }
    }
}

/// Tells the panels how services do.
fn show(
    control: Res<Control>,
    recorder: Option<Res<Recorder>>,
    trials: Res<TrialsDesk>,
    time: Res<Time<Real>>,
    mut due_secs: Local<f64>,
    mut meter: Local<Meter>,
    mut inputs: ResMut<PanelInputs>,
) {
    let now_secs = time.elapsed_secs_f64();
    if now_secs < *due_secs {
        return;
    }
    *due_secs = now_secs + REFRESH_SECS;
    let mut services = vec![row(&control.status(), &mut meter, now_secs)];
    services.extend(recorder.map(|recorder| row(&recorder.status(), &mut meter, now_secs)));
    services.push(ServiceRow {
        progress: trials.progress(),
        ..pool_row(&trials.status(), &mut meter, now_secs)
    });
    inputs.workers.services = services;
    inputs.workers.diagnostics = forearm_workers::diagnostics();
}

/// A service as the panels show it.
fn row(status: &Status, meter: &mut Meter, now_secs: f64) -> ServiceRow {
    let (messages_per_sec, bytes_per_sec) =
        meter.rates(status.service, status.messages, status.bytes, now_secs);
    let ended = matches!(status.state, State::Failed | State::Stopped);
    let progress = status.progress.as_ref().filter(|_| !ended);
    ServiceRow {
        name: status.service.to_owned(),
        host: label(status.host),
        fallback: status.fallback.clone(),
        state: match status.state {
            State::Starting => ServiceState::Starting,
            State::Ready => ServiceState::Running,
            State::Restarting => ServiceState::Restarting,
            State::Failed => ServiceState::Failed,
            State::Stopped => ServiceState::Stopped,
        },
        failure: status.failure.as_ref().map(ToString::to_string),
        progress: progress
            .filter(|progress| progress.fraction < 1.0)
            .map(|progress| (progress.stage.clone(), progress.fraction as f32)),
        beat_age_secs: (!ended).then_some(status.silence.as_secs_f64()),
        restarts: status.restarts,
        queue: status.in_flight,
        messages_per_sec,
        bytes_per_sec,
        kinds: status.kinds.clone(),
    }
}

/// A pool as the panels show it: one row for all its workers.
fn pool_row(status: &PoolStatus, meter: &mut Meter, now_secs: f64) -> ServiceRow {
    let (messages_per_sec, bytes_per_sec) =
        meter.rates(status.name, status.messages, status.bytes, now_secs);
    ServiceRow {
        name: status.name.to_owned(),
        host: label(status.host.unwrap_or(place::WORKERS)),
        fallback: status.fallback.clone(),
        state: match (&status.failure, status.alive) {
            (Some(_), _) => ServiceState::Failed,
            (None, 0) => ServiceState::Idle,
            (None, _) => ServiceState::Running,
        },
        failure: status.failure.as_ref().map(ToString::to_string),
        progress: None,
        beat_age_secs: (status.busy > 0).then_some(status.silence.as_secs_f64()),
        restarts: u32::try_from(status.restarts).unwrap_or(u32::MAX),
        queue: status.queued,
        messages_per_sec,
        bytes_per_sec,
        kinds: status.kinds.clone(),
    }
}

fn label(host: HostKind) -> HostLabel {
    match host {
        HostKind::Thread => HostLabel::Thread,
        HostKind::Worker => HostLabel::Worker,
        HostKind::Inline | HostKind::Stepped => HostLabel::Main,
    }
}
