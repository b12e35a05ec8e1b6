//! Which serial port, and which of LeRobot's arms is on it: what is filled in before connecting.

use egui::{Align, Color32, Rect, RichText, Sense, Stroke, TextEdit, Ui, WidgetInfo, WidgetType};
use egui::{pos2, vec2};
use forearm_protocol::servo::{Device, PortInfo, Role, SerialArm};

use crate::actions::{Outbox, PanelAction};
use crate::devices::{Ports, user_of};
use crate::inputs::PanelInputs;
use crate::settings::{KnownDevice, PanelSettings};
use crate::state::PortForm;
use crate::theme::{self, CONTROL_HEIGHT};
use crate::widgets;

/// While the form is open, ports are looked for so often: one that is plugged in comes up by itself.
const LOOK_SECS: f64 = 2.0;
/// Whether a person can name a port: a browser only hands them out.
const PORTS_HAVE_NAMES: bool = !cfg!(target_family = "wasm");
/// Names of ports and ids are not longer.
const MAX_LETTERS: usize = 100;
/// Height of a port in the list, points: a name, and what it calls itself below.
const ROW: f32 = 36.0;

const NO_PORTS: &str = if PORTS_HAVE_NAMES {
    "Plug in the arm's USB cable and switch its power supply on: its port comes up here. Without its \
     driver a USB adapter has no port."
} else {
    "Plug in the arm's USB cable and switch its power supply on; then allow its port with “Add a \
     port…”."
};

/// What the settings know a device by.
pub(crate) fn key(arm: &str, role: Role) -> String {
    match role {
        Role::Follower => format!("{arm}/Follower"),
        Role::Leader => format!("{arm}/Leader"),
    }
}

/// Draws the form; answers with what to connect to when a person wants to.
pub(crate) fn show(
    ui: &mut Ui,
    form: &mut PortForm,
    settings: &mut PanelSettings,
    inputs: &PanelInputs,
    device: Device,
    out: &mut Outbox,
) -> Option<SerialArm> {
    let arm = inputs.arm(device.arm)?.name.clone();
    look_again(ui, form, out);
    let known = settings.devices.get(&key(&arm, device.role)).cloned();
    let user = |port: &PortInfo| {
        let names = |index: usize| inputs.arm(index).map(|arm| arm.name.clone());
        user_of(inputs.state.as_ref(), names, port, device)
    };
    let listed = chosen(form, &inputs.devices.ports, known.as_ref(), &user);
    if PORTS_HAVE_NAMES && let (Ports::Known(ports), None) = (&inputs.devices.ports, &form.typed) {
        form.typed = Some(unlisted(ports, known.as_ref()));
    }
    let chosen = match form.typed.as_deref().unwrap_or_default().trim() {
        "" => listed,
        name => Some(PortInfo {
            name: name.to_owned(),
            ..PortInfo::default()
        }),
    };
    widgets::sides(
        ui,
        |ui| {
            widgets::hint(ui, "Serial port");
        },
        |ui| {
            let asked = inputs.devices.ports == Ports::Asked;
            let refresh = ui.add_enabled(!asked, egui::Button::new("Refresh").small());
            let about = "Look for serial ports again";
            if refresh.on_hover_text(about).clicked() {
                out.actions.push(PanelAction::ListPorts);
            }
        },
    );
    if let Some(port) = list(ui, form, &inputs.devices.ports, chosen.as_ref(), &user) {
        form.port = Some(port);
        form.typed = Some(String::new());
    }
    if inputs.devices.can_add {
        let about = "The browser asks which port this page may use";
        let add = ui.button("Add a port…").on_hover_text(about);
        if add.clicked() {
            out.actions.push(PanelAction::AddPort);
        }
    }
    let found = match &inputs.devices.ports {
        Ports::Known(ports) => ports.iter().any(|port| port.likely_arm),
        _ => false,
    };
    if PORTS_HAVE_NAMES && (!found || form.all_ports) {
        let typed = form.typed.get_or_insert_default();
        let about = "The name of a port that is not listed";
        text_field(ui, typed, "Another port", "/dev/…", about);
    }
    ui.add_space(4.0);
    let id = form.id.get_or_insert_with(|| {
        let own = known.as_ref().and_then(|known| known.id.clone());
        own.unwrap_or_default()
    });
    id_field(ui, id, &arm, device.role);
    ui.add_space(4.0);
    let width = ui.available_width();
    let connect = ui
        .add_enabled_ui(chosen.is_some(), |ui| {
            let accent = theme::palette(ui).accent;
            widgets::filled_button(ui, "Connect", width, accent)
        })
        .inner;
    let about = match device.role {
        Role::Follower => {
            "The arm holds where it is; after Start it is driven softly from there. \
             Keep clear of it"
        }
        Role::Leader => "The leader's motors stay off: a person moves it",
    };
    let clicked = connect
        .on_hover_text(about)
        .on_disabled_hover_text("Choose a port first")
        .clicked();
    let port = chosen.filter(|_| clicked)?;
    let id = Some(id.trim().to_owned()).filter(|id| !id.is_empty());
    let remembered = KnownDevice {
        port: port.name.clone(),
        serial_number: port.serial_number,
        id: id.clone(),
    };
    settings.devices.insert(key(&arm, device.role), remembered);
    *form = PortForm::default();
    Some(SerialArm {
        port: port.name,
        id,
    })
}

/// The port of last time, if it was typed: it is not on USB and not among those that are listed.
fn unlisted(ports: &[PortInfo], known: Option<&KnownDevice>) -> String {
    let named = known.filter(|known| known.serial_number.is_none());
    let missing = named.filter(|known| ports.iter().all(|port| port.name != known.port));
    missing.map(|known| known.port.clone()).unwrap_or_default()
}

/// Asks for the ports again when it is time.
fn look_again(ui: &Ui, form: &mut PortForm, out: &mut Outbox) {
    let now_secs = ui.input(|input| input.time);
    let look_at = *form.look_at.get_or_insert(now_secs + LOOK_SECS);
    if now_secs >= look_at {
        form.look_at = Some(now_secs + LOOK_SECS);
        out.actions.push(PanelAction::ListPorts);
    }
    ui.ctx().request_repaint_after_secs(LOOK_SECS as f32);
}

/// The port that is connected to if nothing else is chosen: the one of last time, else the only
/// one that looks like an arm.
fn chosen(
    form: &PortForm,
    ports: &Ports,
    known: Option<&KnownDevice>,
    user: &dyn Fn(&PortInfo) -> Option<String>,
) -> Option<PortInfo> {
    let Ports::Known(ports) = ports else {
        return None;
    };
    let mut free = ports.iter().filter(|port| user(port).is_none());
    if let Some(name) = &form.port {
        return free.find(|port| port.name == *name).cloned();
    }
    let free: Vec<_> = free.collect();
    let again = known.and_then(|known| {
        let same = |port: &&&PortInfo| match (&known.serial_number, &port.serial_number) {
            (Some(known), Some(its)) => known == its,
            _ => known.port == port.name,
        };
        free.iter().find(same).copied()
    });
    let mut likely = free.iter().filter(|port| port.likely_arm);
    let only = match (likely.next(), likely.next()) {
        (Some(port), None) => Some(*port),
        _ => None,
    };
    again.or(only).cloned()
}

/// Draws the ports; answers with the one that was clicked.
fn list(
    ui: &mut Ui,
    form: &mut PortForm,
    ports: &Ports,
    chosen: Option<&PortInfo>,
    user: &dyn Fn(&PortInfo) -> Option<String>,
) -> Option<String> {
    let palette = theme::palette(ui);
    let ports = match ports {
        Ports::Known(ports) => ports,
        Ports::Unknown | Ports::Asked => {
            widgets::hint(ui, "Looking for serial ports…");
            return None;
        }
        Ports::Failed(why) => {
            widgets::note(ui, why, palette.danger);
            return None;
        }
    };
    if ports.is_empty() {
        widgets::note(ui, "No serial port was found.", palette.text);
        widgets::hint(ui, NO_PORTS);
        return None;
    }
    let (likely, others): (Vec<_>, Vec<_>) = ports.iter().partition(|port| port.likely_arm);
    if likely.is_empty() {
        widgets::hint(ui, "None of these looks like a servo adapter:");
    }
    let mut clicked = None;
    let mut entry = |ui: &mut Ui, port: &PortInfo| {
        let on = chosen.is_some_and(|chosen| chosen.name == port.name);
        if row(ui, port, on, user(port)) {
            clicked = Some(port.name.clone());
        }
    };
    for port in &likely {
        entry(ui, port);
    }
    let fold = !likely.is_empty() && !others.is_empty();
    if !fold || form.all_ports {
        for port in &others {
            entry(ui, port);
        }
    }
    if fold {
        let text = match (form.all_ports, others.len()) {
            (true, _) => "Hide other ports".to_owned(),
            (false, 1) => "Show 1 other port".to_owned(),
            (false, count) => format!("Show {count} other ports"),
        };
        let link = RichText::new(text)
            .font(theme::small())
            .color(palette.accent);
        let link = egui::Label::new(link).sense(Sense::click());
        if ui.add(link).clicked() {
            form.all_ports = !form.all_ports;
        }
    }
    clicked
}

/// Draws a port; answers whether it was clicked. One that is used by another can't be.
fn row(ui: &mut Ui, port: &PortInfo, on: bool, user: Option<String>) -> bool {
    let palette = theme::palette(ui);
    let sense = match user {
        None => Sense::click(),
        Some(_) => Sense::hover(),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), sense);
    let name = format!("Port {}", port.name);
    let enabled = user.is_none();
    response
        .widget_info(|| WidgetInfo::selected(WidgetType::RadioButton, enabled, on, name.as_str()));
    let fill = match (on, enabled && (response.hovered() || response.has_focus())) {
        (true, _) => palette.accent_soft,
        (false, true) => palette.control_hover,
        (false, false) => palette.control,
    };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    let fade = |color: Color32| match enabled {
        true => color,
        false => color.lerp_to_gamma(palette.card, 0.4),
    };
    let circle = pos2(rect.min.x + 14.0, rect.center().y);
    let ring = Stroke::new(1.5, fade(if on { palette.accent } else { palette.weak }));
    ui.painter().circle_stroke(circle, 5.5, ring);
    if on {
        ui.painter().circle_filled(circle, 3.0, palette.accent);
    }
    let text = rect
        .with_min_x(rect.min.x + 28.0)
        .with_max_x(rect.max.x - 8.0);
    let upper = Rect::from_min_max(
        pos2(text.min.x, text.min.y + 3.0),
        pos2(text.max.x, text.center().y),
    );
    let lower = Rect::from_min_max(
        pos2(text.min.x, text.center().y),
        pos2(text.max.x, text.max.y - 3.0),
    );
    let strong = fade(palette.strong);
    widgets::text_in(ui, upper, &port.name, theme::mono(), strong, Align::Min);
    let kind = match &user {
        Some(user) => format!("in use: {user}"),
        None => what_it_is(port),
    };
    let weak = fade(palette.weak);
    widgets::text_in(ui, lower, &kind, theme::small(), weak, Align::Min);
    response.on_hover_text(about(port, user)).clicked()
}

/// What a port calls itself, and its serial number.
fn what_it_is(port: &PortInfo) -> String {
    let product = match (&port.product, port.likely_arm) {
        (Some(product), _) => product.as_str(),
        (None, true) => "servo adapter",
        (None, false) if port.usb.is_some() => "USB device",
        (None, false) => "not on USB",
    };
    match &port.serial_number {
        Some(number) => format!("{product} · {number}"),
        None => product.to_owned(),
    }
}

/// All that is known of a port, for the pointer that rests on it.
fn about(port: &PortInfo, user: Option<String>) -> String {
    let mut lines = vec![port.name.clone(), what_it_is(port)];
    if let Some((vendor, product)) = port.usb {
        lines.push(format!("USB {vendor:04x}:{product:04x}"));
    }
    lines.push(match (user, port.likely_arm) {
        (Some(user), _) => format!("{user} has it; disconnect that first"),
        (None, true) => "Looks like a servo adapter".to_owned(),
        (None, false) => "Does not look like a servo adapter".to_owned(),
    });
    lines.join("\n")
}

fn id_field(ui: &mut Ui, id: &mut String, arm: &str, role: Role) {
    let folder = match role {
        Role::Follower => "robots/so_follower",
        Role::Leader => "teleoperators/so_leader",
    };
    let about = format!(
        "LeRobot's id of this arm: it names the calibration, {folder}/ID.json. \
         Left empty: {arm}"
    );
    text_field(ui, id, "Calibration id", arm, &about);
}

/// Draws a field of text with its name at the left.
fn text_field(ui: &mut Ui, text: &mut String, name: &str, hint: &str, about: &str) {
    widgets::sides(
        ui,
        |ui| {
            widgets::hint(ui, name).on_hover_text(about);
        },
        |ui| {
            let width = (ui.available_width() - 88.0).max(64.0);
            let weak = theme::palette(ui).weak;
            let field = TextEdit::singleline(text)
                .hint_text(RichText::new(hint).color(weak))
                .font(theme::mono())
                .vertical_align(Align::Center)
                .char_limit(MAX_LETTERS)
                .desired_width(width);
            let size = vec2(width, CONTROL_HEIGHT);
            ui.add_sized(size, field).on_hover_text(about);
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, likely_arm: bool, serial_number: Option<&str>) -> PortInfo {
        PortInfo {
            name: name.to_owned(),
            serial_number: serial_number.map(str::to_owned),
            likely_arm,
            ..PortInfo::default()
        }
    }

    fn choice(form: &PortForm, ports: &[PortInfo], known: Option<&KnownDevice>) -> Option<String> {
        let user = |port: &PortInfo| (port.name == "used").then(|| "left".to_owned());
        chosen(form, &Ports::Known(ports.to_vec()), known, &user).map(|port| port.name)
    }

    #[test]
    fn the_port_of_last_time_or_the_only_arm_is_chosen() {
        let nothing = PortForm::default();
        let ports = [
            port("used", true, None),
            port("a", true, Some("1")),
            port("b", false, None),
        ];
        assert_eq!(choice(&nothing, &ports, None).as_deref(), Some("a"));
        let mut more = ports.to_vec();
        more.push(port("c", true, Some("3")));
        assert_eq!(choice(&nothing, &more, None), None, "two look like an arm");
        let known = |port: &str, serial_number: Option<&str>| KnownDevice {
            port: port.to_owned(),
            serial_number: serial_number.map(str::to_owned),
            id: None,
        };
        let moved = known("a", Some("3"));
        assert_eq!(choice(&nothing, &more, Some(&moved)).as_deref(), Some("c"));
        let plain = known("b", None);
        assert_eq!(choice(&nothing, &more, Some(&plain)).as_deref(), Some("b"));
        let taken = known("used", None);
        assert_eq!(choice(&nothing, &more, Some(&taken)), None);
        let form = PortForm {
            port: Some("b".to_owned()),
            ..PortForm::default()
        };
        assert_eq!(choice(&form, &more, Some(&moved)).as_deref(), Some("b"));
        assert_eq!(choice(&form, &[], Some(&moved)), None, "it was unplugged");
    }

    #[test]
    fn ports_say_what_they_are() {
        let mut it = port("/dev/ttyACM0", true, Some("5A46083222"));
        assert_eq!(what_it_is(&it), "servo adapter · 5A46083222");
        it.product = Some("USB Single Serial".to_owned());
        it.usb = Some((0x1a86, 0x55d3));
        assert_eq!(what_it_is(&it), "USB Single Serial · 5A46083222");
        let about = about(&it, Some("left".to_owned()));
        assert!(about.contains("USB 1a86:55d3"), "{about}");
        assert!(about.contains("left has it"), "{about}");
        assert_eq!(what_it_is(&port("/dev/ttyS0", false, None)), "not on USB");
    }
}
