//! The panels in Bevy's primary window.
//!
//! Reads [`Event`]s, writes [`Command`]s and [`PanelAction`]s. The app fills [`PanelInputs`] with
//! what the control service does not tell (cameras, scenes, motions, the service's host), reads
//! [`PanelOutput`], carries [`PanelAction`]s out, and stores [`PanelState::settings`].

use bevy::app::{App, Plugin, PreUpdate, Update};
use bevy::ecs::change_detection::DetectChangesMut;
use bevy::ecs::message::{MessageReader, MessageWriter};
use bevy::ecs::query::Added;
use bevy::ecs::schedule::{IntoScheduleConfigs, SystemSet};
use bevy::ecs::system::{Local, Query, Res, ResMut};
use bevy::time::{Real, Time};
use bevy_egui::{EguiContext, EguiContexts, EguiPlugin, EguiPreUpdateSet, EguiPrimaryContextPass};
use egui::{Id, LayerId, Ui, UiBuilder};
use forearm_protocol::control::{Command, Event};

use crate::{Outbox, PanelAction, PanelInputs, PanelOutput, PanelState, layout, theme};

/// How fast the shown frame rate follows, a second.
const FRAME_RATE_PACE: f32 = 2.0;

/// Shows the panels in the primary window's first camera.
#[derive(Debug, Default, Clone, Copy)]
pub struct PanelPlugin;

/// When the panels work.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PanelSystems {
    /// [`PanelInputs`] take what the control service told, in `Update`.
    Receive,
    /// Panels are drawn and [`PanelOutput`] is set, in `EguiPrimaryContextPass`.
    Draw,
}

impl Plugin for PanelPlugin {
    fn build(&self, app: &mut App) {
        if !app.is_plugin_added::<EguiPlugin>() {
            app.add_plugins(EguiPlugin::default());
        }
        app.init_resource::<PanelState>()
            .init_resource::<PanelInputs>()
            .init_resource::<PanelOutput>()
            .add_message::<Event>()
            .add_message::<Command>()
            .add_message::<PanelAction>()
            .add_systems(
                PreUpdate,
                give_fonts
                    .after(EguiPreUpdateSet::InitContexts)
                    .before(EguiPreUpdateSet::BeginPass),
            )
            .add_systems(Update, (receive, measure).in_set(PanelSystems::Receive))
            .add_systems(EguiPrimaryContextPass, draw.in_set(PanelSystems::Draw));
    }
}

fn give_fonts(mut contexts: Query<&mut EguiContext, Added<EguiContext>>) {
    for mut context in &mut contexts {
        theme::install_fonts(context.get_mut());
    }
}

fn receive(
    mut events: MessageReader<Event>,
    mut inputs: ResMut<PanelInputs>,
    mut state: ResMut<PanelState>,
) {
    for event in events.read() {
        if let Some(notice) = inputs.receive(event) {
            state.notify(notice);
        }
    }
}

fn measure(time: Res<Time<Real>>, mut inputs: ResMut<PanelInputs>, mut smooth: Local<f32>) {
    let frame_secs = time.delta_secs();
    if frame_secs <= 0.0 {
        return;
    }
    let part = (frame_secs * FRAME_RATE_PACE).min(1.0);
    *smooth = if *smooth > 0.0 {
        *smooth + (frame_secs - *smooth) * part
    } else {
        frame_secs
    };
    inputs.frame_rate = 1.0 / *smooth;
}

fn draw(
    mut contexts: EguiContexts,
    mut state: ResMut<PanelState>,
    inputs: Res<PanelInputs>,
    mut output: ResMut<PanelOutput>,
    mut commands: MessageWriter<Command>,
    mut actions: MessageWriter<PanelAction>,
) {
    // There is no context before the first camera, and none after the window has gone.
    let Ok(ctx) = contexts.ctx_mut() else { return };
    let builder = UiBuilder::new()
        .layer_id(LayerId::background())
        .max_rect(ctx.viewport_rect());
    let mut root = Ui::new(ctx.clone(), Id::new("panels"), builder);
    let mut out = Outbox::default();
    let shown = layout::show(&mut root, &mut state, &inputs, &mut out);
    output.set_if_neq(shown);
    commands.write_batch(out.commands);
    actions.write_batch(out.actions);
}
