//! The part of an arm's card about real arms: what moves the arm, its leader, how they are
//! connected and calibrated.

use egui::{Button, RichText, Ui};
use forearm_protocol::control::{ArmState, Request, TeleopMode};
use forearm_protocol::servo::{BusState, CalibrationStatus, Connection, Device, Role};

use crate::actions::{Outbox, PanelAction};
use crate::bus_table;
use crate::devices::{Mover, MoverKind, leader_obstacle};
use crate::inputs::PanelInputs;
use crate::port_form;
use crate::settings::PanelSettings;
use crate::state::DeviceCard;
use crate::theme::{self, Palette};
use crate::widgets;

/// How long the choice that a person made is shown before the arm has followed it, seconds.
const ASKED_SECS: f64 = 2.0;
/// More differences between motors and file are counted only.
const DIFFERENCES: usize = 4;

const KINDS: [(MoverKind, &str); 3] = [
    (MoverKind::Sim, "Simulated"),
    (MoverKind::Serial, "Real arm"),
    (MoverKind::Replay, "Replay"),
];

/// Draws the section.
pub(crate) fn show(
    ui: &mut Ui,
    card: &mut DeviceCard,
    settings: &mut PanelSettings,
    inputs: &PanelInputs,
    index: usize,
    arm: &ArmState,
    out: &mut Outbox,
) {
    ui.add_space(2.0);
    widgets::hairline(ui);
    ui.add_space(2.0);
    let now_secs = ui.input(|input| input.time);
    let present = MoverKind::of(arm);
    card.asked
        .take_if(|(kind, until)| *kind == present || *until < now_secs);
    card.tab.take_if(|tab| *tab == present);
    let shown = match (card.tab, card.asked) {
        (Some(tab), _) => tab,
        (None, Some((asked, _))) => asked,
        (None, None) => present,
    };
    if let Some(kind) = widgets::full_segments(ui, Some(shown), &KINDS, "movers") {
        match kind {
            MoverKind::Sim if present != MoverKind::Sim => {
                ask(card, index, Mover::Sim, MoverKind::Sim, now_secs, out);
            }
            _ => {
                card.tab = (kind != present).then_some(kind);
                if kind == MoverKind::Serial && present != MoverKind::Serial {
                    out.actions.push(PanelAction::ListPorts);
                }
            }
        }
    }
    let device = Device {
        arm: index,
        role: Role::Follower,
    };
    ui.add_space(2.0);
    match card.tab {
        Some(MoverKind::Serial) => {
            let form = &mut card.forms[0];
            if let Some(serial) = port_form::show(ui, form, settings, inputs, device, out) {
                let mover = Mover::Serial(serial);
                ask(card, index, mover, MoverKind::Serial, now_secs, out);
            }
        }
        Some(MoverKind::Replay) => replay(ui, card, inputs, index, now_secs, out),
        Some(MoverKind::Sim) | None => {}
    }
    if card.tab.is_some() && present == MoverKind::Serial {
        widgets::hint(ui, "The real arm stays connected until you press Replay.");
    }
    if let Some(bus) = &arm.bus {
        let open = &mut card.bus_open[0];
        if bus_part(ui, device, bus, open, inputs, out) {
            ask(card, index, Mover::Sim, MoverKind::Sim, now_secs, out);
        }
    }
    leader(ui, card, settings, inputs, index, arm, out);
}

/// Asks for something else to move the arm.
fn ask(
    card: &mut DeviceCard,
    arm: usize,
    mover: Mover,
    kind: MoverKind,
    now_secs: f64,
    out: &mut Outbox,
) {
    card.tab = None;
    card.asked = Some((kind, now_secs + ASKED_SECS));
    out.actions.push(PanelAction::SetMover { arm, mover });
}

/// Draws the choice of a motion to be shown as if it were measured.
fn replay(
    ui: &mut Ui,
    card: &mut DeviceCard,
    inputs: &PanelInputs,
    index: usize,
    now_secs: f64,
    out: &mut Outbox,
) {
    let chosen = inputs
        .scripts
        .iter()
        .find(|script| Some(&script.id) == card.replay.as_ref());
    let Some(chosen) = chosen.or(inputs.scripts.first()) else {
        widgets::hint(ui, "No motion files were found.");
        return;
    };
    widgets::hint(
        ui,
        "Shows a motion over and over as if it were measured; nothing is driven.",
    );
    let mut go = false;
    let mut picked = None;
    ui.horizontal(|ui| {
        let width = ui.available_width() - 88.0;
        let (_, entry) = widgets::menu(ui, &chosen.name, width, |ui| {
            let mut picked = None;
            for script in &inputs.scripts {
                if widgets::menu_entry(ui, script.id == chosen.id, &script.name).clicked() {
                    picked = Some(script.id.clone());
                }
            }
            picked
        });
        picked = entry.flatten();
        let accent = theme::palette(ui).accent;
        go = widgets::filled_button(ui, "Replay", 80.0, accent).clicked();
    });
    if go {
        let mover = Mover::Replay(chosen.id.clone());
        ask(card, index, mover, MoverKind::Replay, now_secs, out);
    }
    if picked.is_some() {
        card.replay = picked;
    }
}

/// Draws the leader: who it is and how it does, or how to get one.
fn leader(
    ui: &mut Ui,
    card: &mut DeviceCard,
    settings: &mut PanelSettings,
    inputs: &PanelInputs,
    index: usize,
    arm: &ArmState,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let device = Device {
        arm: index,
        role: Role::Leader,
    };
    if arm.leader.is_some() || card.leader_open || arm.bus.is_some() {
        ui.add_space(2.0);
        widgets::hairline(ui);
    }
    let toggled = widgets::sides(
        ui,
        |ui| {
            ui.label(RichText::new("Leader arm").color(palette.text));
        },
        |ui| {
            if arm.leader.is_some() {
                follow(ui, index, arm, out);
                return false;
            }
            let (text, about) = if card.leader_open {
                ("Cancel", "Connect to no leader arm")
            } else {
                (
                    "Connect…",
                    "Connect an arm that a person moves and this one follows",
                )
            };
            ui.button(text).on_hover_text(about).clicked()
        },
    );
    if toggled {
        card.leader_open = !card.leader_open;
        if card.leader_open {
            out.actions.push(PanelAction::ListPorts);
        }
    }
    if let Some(leader) = &arm.leader {
        card.leader_open = false;
        let open = &mut card.bus_open[1];
        if bus_part(ui, device, &leader.bus, open, inputs, out) {
            out.actions.push(PanelAction::SetLeader {
                arm: index,
                leader: None,
            });
        }
    } else if card.leader_open {
        let form = &mut card.forms[1];
        if let Some(serial) = port_form::show(ui, form, settings, inputs, device, out) {
            card.leader_open = false;
            out.actions.push(PanelAction::SetLeader {
                arm: index,
                leader: Some(serial),
            });
        }
    }
}

/// Draws the button that has the arm follow its leader.
fn follow(ui: &mut Ui, index: usize, arm: &ArmState, out: &mut Outbox) {
    let palette = theme::palette(ui);
    if arm.mode == TeleopMode::Leader {
        let text = RichText::new("followed").font(theme::small());
        ui.label(text.color(palette.good));
        return;
    }
    let obstacle = leader_obstacle(arm);
    let button = ui.add_enabled(obstacle.is_none(), Button::new("Follow it"));
    let button = match obstacle {
        Some(why) => button.on_disabled_hover_text(why),
        None => button.on_hover_text("Drive the arm by its leader (mode Leader)"),
    };
    if button.clicked() {
        out.request(Request::SetMode {
            arm: index,
            mode: TeleopMode::Leader,
        });
    }
}

/// Draws how a real arm is connected and calibrated, and how its bus does; answers whether a person
/// wants to disconnect it.
fn bus_part(
    ui: &mut Ui,
    device: Device,
    bus: &BusState,
    open: &mut bool,
    inputs: &PanelInputs,
    out: &mut Outbox,
) -> bool {
    let palette = theme::palette(ui);
    let (word, color) = match &bus.connection {
        Connection::Connecting => ("Connecting…", palette.accent),
        Connection::Connected => ("Connected", palette.good),
        Connection::Lost(_) => ("Connection lost", palette.danger),
    };
    let leave = widgets::sides(
        ui,
        |ui| {
            widgets::dot(ui, color, word);
            ui.label(RichText::new(word).color(palette.text));
        },
        |ui| {
            let (text, about) = match (&bus.connection, device.role) {
                (Connection::Connected, Role::Follower) => (
                    "Disconnect",
                    "Leave the real arm; the simulated one goes on",
                ),
                (Connection::Connected, Role::Leader) => ("Disconnect", "Leave the leader arm"),
                _ => ("Give up", "Stop looking for it"),
            };
            ui.button(text).on_hover_text(about).clicked()
        },
    );
    widgets::hint(ui, &bus.port);
    if let Connection::Lost(why) = &bus.connection {
        widgets::note(ui, why, palette.danger);
        let next = match device.role {
            Role::Follower => "It is looked for until it is back.",
            Role::Leader => "It is looked for until it is back; the arm holds meanwhile.",
        };
        widgets::hint(ui, next);
    }
    if bus.connection == Connection::Connected || !bus.motors.is_empty() {
        calibration(ui, device, bus, inputs, palette, out);
        bus_table::show(ui, bus, device.role, open);
    }
    leave
}

/// How much a button stands out.
enum Look {
    Small,
    Wide,
    Filled,
}

/// Draws whether an arm is calibrated, and what can be done about it.
fn calibration(
    ui: &mut Ui,
    device: Device,
    bus: &BusState,
    inputs: &PanelInputs,
    palette: &Palette,
    out: &mut Outbox,
) {
    let obstacle = calibration_obstacle(bus, inputs, device);
    let calibrate = |ui: &mut Ui, look: Look, out: &mut Outbox| {
        let button = ui
            .add_enabled_ui(obstacle.is_none(), |ui| match look {
                Look::Small => ui.button("Calibrate anew…"),
                Look::Wide => widgets::wide_button(ui, "Calibrate anew…"),
                Look::Filled => {
                    let width = ui.available_width();
                    widgets::filled_button(ui, "Calibrate…", width, palette.accent)
                }
            })
            .inner;
        let button = match obstacle {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text(
                "Guides you through it: the middle of the range, then each joint's ends",
            ),
        };
        if button.clicked() {
            out.request(Request::Calibrate(device));
        }
    };
    match &bus.calibration {
        CalibrationStatus::Unknown => {
            widgets::hint(ui, "Calibration not read yet");
        }
        CalibrationStatus::Matches => {
            widgets::sides(
                ui,
                |ui| {
                    let text = widgets::hint(ui, "Calibrated");
                    text.on_hover_text("The motors store what the calibration file says");
                },
                |ui| calibrate(ui, Look::Small, out),
            );
        }
        CalibrationStatus::Missing => {
            let text = match device.role {
                Role::Follower => "Not calibrated: it does not move before it is.",
                Role::Leader => "Not calibrated: it can't be followed before it is.",
            };
            widgets::note(ui, text, palette.warning);
            calibrate(ui, Look::Filled, out);
        }
        CalibrationStatus::Differs(differences) => {
            let text = "The motors store another calibration than the file:";
            widgets::note(ui, text, palette.warning);
            for difference in differences.iter().take(DIFFERENCES) {
                widgets::note(ui, &format!("•  {difference}"), palette.text);
            }
            if let Some(more) = differences
                .get(DIFFERENCES..)
                .filter(|more| !more.is_empty())
            {
                widgets::hint(ui, &format!("and {} more", more.len()))
                    .on_hover_text(more.join("\n"));
            }
            let about = "Writes the file's calibration into the motors: right if this is the arm \
                         that the file was made with";
            let enabled = obstacle.is_none();
            let write = ui.add_enabled_ui(enabled, |ui| widgets::wide_button(ui, "Use the file's"));
            let write = write.inner.on_hover_text(about);
            let write = match obstacle {
                Some(why) => write.on_disabled_hover_text(why),
                None => write,
            };
            if write.clicked() {
                out.actions.push(PanelAction::WriteCalibration(device));
            }
            calibrate(ui, Look::Wide, out);
        }
    }
}

/// Why an arm can't be calibrated now; `None` if it can.
fn calibration_obstacle(
    bus: &BusState,
    inputs: &PanelInputs,
    device: Device,
) -> Option<&'static str> {
    match (&bus.connection, &inputs.devices.calibration) {
        (Connection::Connected, None) => None,
        (Connection::Connected, Some(update)) if update.device == device => {
            Some("It is being calibrated")
        }
        (Connection::Connected, Some(_)) => Some("Another arm is being calibrated"),
        _ => Some("It is not connected"),
    }
}
