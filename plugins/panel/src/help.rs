//! The help: every key and what the mouse does.

use std::collections::BTreeMap;

use egui::{Area, Id, Modal, Order, RichText, ScrollArea, Sense, Ui, Vec2, vec2};
use forearm_protocol::control::Command;
use forearm_protocol::keys::KEY_BINDINGS;

use crate::actions::Outbox;
use crate::function_keys;
use crate::inputs::PanelInputs;
use crate::narrow;
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

const APP_KEYS: [(&[&str], &str); 10] = [
    (&["Esc"], "Emergency stop, always"),
    (&["F1"], "This help"),
    (&["F2"], "Workers: what runs where, and how it does"),
    (&[function_keys::EDIT.1], "Edit the scene; drive again"),
    (&[function_keys::RECORD.1], "Recorder"),
    (&[function_keys::DRIVE.1], "Start or stop driving"),
    (&[function_keys::RESET.1], "Reset the scene"),
    (&["1", "…", "5"], "Overview, front, side, top, wrist"),
    (&["Tab"], "Next button or slider"),
    (&["←", "→"], "Move the slider that Tab has reached"),
];

const MOUSE: [(&[&str], &str); 5] = [
    (&["Left drag"], "Turn the view"),
    (&["Right drag"], "Move the view; middle drag too"),
    (&["Wheel"], "Nearer, farther"),
    (&["Handle drag"], "Move the tool"),
    (&["Click"], "A camera image: show it large"),
];

const GAMEPAD: [(&[&str], &str); 8] = [
    (&["Left stick"], "Tool ahead, sideways; joints: pan, lift"),
    (&["Right stick"], "Tool up, around; joints: roll, elbow"),
    (&["Pad ↑ ↓"], "Pitch of the wrist"),
    (&["Pad ← →"], "Roll of the wrist"),
    (&["L1", "R1"], "Roll of the wrist"),
    (&["L2", "R2"], "Close, open the gripper"),
    (&["Select"], "Sticks move the tool, or turn joints"),
    (&["B"], "Emergency stop"),
];

/// In a narrower window everything stands in one column, points.
const TWO_COLUMNS: f32 = 560.0;
const KEYBOARD_HINT: &str = "A held key turns its joint step by step, as in LeRobot.js. \
                             Keys don't drive while a field has the keyboard.";

/// Draws the help over everything, if it is open; in a narrow window below the bar, which has the
/// emergency stop. In a wide one it shines through, and a click on it stops as ever.
pub(crate) fn show(ui: &Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    if !state.help_open {
        return;
    }
    let screen = ui.ctx().content_rect();
    let id = Id::new("help");
    let frame = egui::Frame::window(ui.style()).inner_margin(20);
    let closed = if screen.width() < narrow::WIDTH {
        let below = screen.with_min_y(screen.min.y + narrow::BAR).shrink(8.0);
        Area::new(id)
            .order(Order::Foreground)
            .fixed_pos(below.min)
            .show(ui.ctx(), |ui| {
                ui.set_max_height(below.height());
                let size = below.size() - vec2(42.0, 80.0);
                frame.show(ui, |ui| contents(ui, size)).inner
            })
            .inner
    } else {
        let area = Modal::default_area(id).default_size(screen.size());
        let size = vec2((screen.width() - 64.0).min(780.0), screen.height() - 160.0);
        let modal = Modal::new(id).area(area).frame(frame);
        let shown = modal.show(ui.ctx(), |ui| contents(ui, size));
        let beside = &shown.backdrop_response;
        let at = beside.interact_pointer_pos().filter(|_| beside.clicked());
        let stopped = inputs.state.as_ref().is_some_and(|update| update.e_stopped);
        if at
            .zip(state.e_stop)
            .is_some_and(|(at, stop)| stop.contains(at))
            && !stopped
        {
            state.release_sliders();
            out.commands.push(Command::EStop);
        }
        shown.inner || beside.clicked()
    };
    if closed {
        state.help_open = false;
    }
}

/// Draws all of the help, the lists not larger than `size`; answers whether a person closed it.
fn contents(ui: &mut Ui, size: Vec2) -> bool {
    ui.set_width(size.x);
    let closed = widgets::sides(
        ui,
        |ui| {
            widgets::title(ui, "Keys and mouse");
        },
        |ui| widgets::icon_button(ui, widgets::CLOSE, "Close (F1)").clicked(),
    );
    ui.add_space(12.0);
    let two = size.x >= TWO_COLUMNS;
    ScrollArea::vertical()
        .auto_shrink([two, true])
        .max_height(size.y)
        .min_scrolled_height(size.y)
        .show(ui, |ui| {
            if two {
                two_columns(ui);
            } else {
                // The bar of the scroll area needs its place.
                ui.set_max_width(size.x - 14.0);
                one_column(ui);
            }
        });
    closed
}

fn two_columns(ui: &mut Ui) {
    ui.spacing_mut().item_spacing.x = 24.0;
    ui.columns(2, |columns| {
        let left = &mut columns[0];
        part(left, "Drive with the keyboard");
        joint_keys(left);
        left.add_space(4.0);
        // Columns justify their contents, which would stretch the words.
        left.with_layout(egui::Layout::top_down(egui::Align::Min), |left| {
            widgets::hint(left, KEYBOARD_HINT);
        });
        let right = &mut columns[1];
        part(right, "App");
        rows(right, &APP_KEYS);
        right.add_space(12.0);
        part(right, "Mouse");
        rows(right, &MOUSE);
        columns[0].add_space(12.0);
        part(&mut columns[0], "Gamepad");
        rows(&mut columns[0], &GAMEPAD);
    });
}

fn one_column(ui: &mut Ui) {
    part(ui, "Drive with the keyboard");
    joint_keys(ui);
    ui.add_space(4.0);
    widgets::hint(ui, KEYBOARD_HINT);
    for (title, all) in [
        ("App", &APP_KEYS[..]),
        ("Mouse", &MOUSE),
        ("Gamepad", &GAMEPAD),
    ] {
        ui.add_space(12.0);
        part(ui, title);
        rows(ui, all);
    }
}

fn part(ui: &mut Ui, title: &str) {
    let color = theme::palette(ui).weak;
    ui.label(RichText::new(title).font(theme::small()).color(color));
    ui.add_space(2.0);
}

/// The keys of each joint, in the order of the arm.
fn joint_keys(ui: &mut Ui) {
    let mut joints: Vec<&str> = Vec::new();
    let mut keys: BTreeMap<&str, [&str; 2]> = BTreeMap::new();
    for binding in KEY_BINDINGS {
        if !joints.contains(&binding.joint) {
            joints.push(binding.joint);
        }
        let pair = keys.entry(binding.joint).or_insert([""; 2]);
        pair[usize::from(binding.direction > 0)] = binding.label;
    }
    for joint in joints {
        let about = if joint == "gripper" {
            "gripper: close, open"
        } else {
            joint
        };
        if let Some(pair) = keys.get(joint) {
            row(ui, pair, about);
        }
    }
}

fn rows(ui: &mut Ui, rows: &[(&[&str], &str)]) {
    for (keys, about) in rows {
        row(ui, keys, about);
    }
}

fn row(ui: &mut Ui, keys: &[&str], about: &str) {
    let color = theme::palette(ui).text;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let start = ui.cursor().min.x;
        for key in keys {
            cap(ui, key);
        }
        let used = ui.cursor().min.x - start;
        ui.add_space((104.0 - used).max(4.0));
        ui.add(egui::Label::new(RichText::new(about).color(color)).wrap());
    });
}

/// A key as it looks on a keyboard.
fn cap(ui: &mut Ui, key: &str) {
    let palette = theme::palette(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(key.to_owned(), theme::mono_small(), palette.strong);
    if key == "…" {
        let (rect, _) = ui.allocate_exact_size(vec2(8.0, 22.0), Sense::hover());
        ui.painter()
            .galley(rect.center() - galley.size() / 2.0, galley, palette.weak);
        return;
    }
    let size = vec2((galley.size().x + 12.0).max(24.0), 22.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let body = rect.shrink2(vec2(0.0, 1.0));
    ui.painter().rect_filled(body, 4.0, palette.line);
    ui.painter().rect_filled(
        body.with_max_y(body.max.y - 2.0),
        4.0,
        palette.control_hover,
    );
    let text = body.center() - galley.size() / 2.0 - vec2(0.0, 1.0);
    ui.painter().galley(text, galley, palette.strong);
}
