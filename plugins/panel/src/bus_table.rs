//! How a servo bus does, on an arm's card: rate and times, what went wrong, each motor.

use egui::{Align, Color32, Rect, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use forearm_protocol::servo::{BusState, Connection, MotorState, Role, Spread};

use crate::figures;
use crate::theme::{self, Palette};
use crate::units::number;
use crate::widgets;
use crate::worker_row::right_aligned;

const LINE: f32 = 18.0;
/// Width of the columns of times, points.
const TIMES: f32 = 60.0;
/// In a narrower card a motor's numbers stand below its name, points.
const NARROW: f32 = 232.0;
/// A motor this warm should rest, and one this hot is about to switch itself off (at 70 °C), °C.
const WARM: u8 = 55;
const HOT: u8 = 65;
/// A motor under more of its greatest load than this is strained.
const STRAINED: f64 = 0.8;

/// The columns of a motor's numbers: name, width, meaning.
const COLUMNS: [(&str, f32, &str); 5] = [
    ("ticks", 34.0, "Position, 4096 ticks a turn"),
    (
        "°C",
        24.0,
        "Temperature; motors switch themselves off at 70 °C",
    ),
    ("V", 34.0, "Supply voltage at the motor"),
    ("A", 34.0, "Current"),
    ("%", 28.0, "Load, percent of the most that it can"),
];

/// Draws the line that folds the numbers, and unfolded the numbers.
pub(crate) fn show(ui: &mut Ui, bus: &BusState, role: Role, open: &mut bool) {
    let palette = theme::palette(ui);
    let size = vec2(ui.available_width(), theme::CONTROL_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let unfolded = *open;
    let name = match role {
        Role::Follower => "Bus and motors",
        Role::Leader => "Bus and motors of the leader",
    };
    response
        .widget_info(|| WidgetInfo::selected(WidgetType::CollapsingHeader, true, unfolded, name));
    if response.hovered() || response.has_focus() {
        let fill = palette.control;
        ui.painter()
            .rect_filled(rect.expand2(vec2(6.0, 0.0)), theme::RADIUS, fill);
    }
    widgets::fold(ui, pos2(rect.min.x + 5.0, rect.center().y), *open);
    let name = rect.with_min_x(rect.min.x + 16.0);
    let text = palette.text;
    widgets::text_in(ui, name, "Bus and motors", theme::body(), text, Align::Min);
    let (word, color) = summary(bus, palette);
    let right = rect.with_min_x(rect.min.x + 112.0);
    widgets::text_in(ui, right, &word, theme::mono_small(), color, Align::Max);
    if response.clicked() {
        *open = !*open;
    }
    troubles(ui, bus, palette);
    if *open {
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            times(ui, bus, palette);
            ui.add_space(4.0);
            errors(ui, bus, palette);
            ui.add_space(4.0);
            motors(ui, bus, palette);
            ui.add_space(4.0);
        });
    }
}

/// The one thing to know about a bus in a few characters.
fn summary(bus: &BusState, palette: &Palette) -> (String, Color32) {
    let hottest = bus.motors.iter().map(|motor| motor.temperature).max();
    if bus.connection != Connection::Connected {
        return (figures::UNKNOWN.to_owned(), palette.weak);
    }
    match hottest {
        Some(hottest) if hottest >= WARM => (format!("{hottest} °C"), heat(hottest, palette)),
        _ => (format!("{} Hz", figures::rate(bus.rate_hz)), palette.weak),
    }
}

/// Says in words what motors complain of, also while the numbers are folded.
fn troubles(ui: &mut Ui, bus: &BusState, palette: &Palette) {
    for motor in &bus.motors {
        for fault in &motor.faults {
            widgets::note(ui, &format!("{}: {fault}", motor.name), palette.danger);
        }
    }
}

fn row(ui: &mut Ui, height: f32) -> Rect {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    response.widget_info(|| WidgetInfo::new(WidgetType::Label));
    rect
}

/// Draws how long reads, writes and rounds take.
fn times(ui: &mut Ui, bus: &BusState, palette: &Palette) {
    let columns = |rect| right_aligned(rect, [TIMES; 3]);
    let header = row(ui, LINE);
    let rate = format!("{} rounds/s", figures::rate(bus.rate_hz));
    let small = theme::small();
    let first = header.with_max_x(columns(header)[0].min.x + 8.0);
    widgets::text_in(ui, first, &rate, small.clone(), palette.weak, Align::Min);
    for (place, name) in columns(header).into_iter().zip(["mean", "p99", "max"]) {
        widgets::text_in(ui, place, name, small.clone(), palette.weak, Align::Max);
    }
    let lines: [(&str, &Spread, &str); 3] = [
        (
            "Read",
            &bus.read,
            "All positions read, over the last second",
        ),
        (
            "Write",
            &bus.write,
            "All goals written, over the last second",
        ),
        (
            "Round",
            &bus.cycle,
            "A whole round of both, over the last second",
        ),
    ];
    for (name, spread, about) in lines {
        let line = row(ui, LINE);
        widgets::text_in(ui, line, name, theme::small(), palette.text, Align::Min);
        let values = [spread.mean_secs, spread.p99_secs, spread.max_secs];
        for (place, value) in columns(line).into_iter().zip(values) {
            let text = figures::duration(value);
            let font = theme::mono_small();
            widgets::text_in(ui, place, &text, font, palette.text, Align::Max);
        }
        ui.interact(line, ui.id().with(("time", name)), Sense::hover())
            .on_hover_text(about);
    }
}

/// Draws what went wrong, two numbers a line.
fn errors(ui: &mut Ui, bus: &BusState, palette: &Palette) {
    let errors = &bus.errors;
    let numbers: [(&str, u64, bool, &str); 8] = [
        (
            "retries",
            errors.retries,
            false,
            "Questions asked again in the same round",
        ),
        (
            "timeouts",
            errors.timeouts,
            false,
            "Replies that did not come in time",
        ),
        (
            "checksum",
            errors.checksum,
            false,
            "Replies whose checksum was wrong",
        ),
        (
            "wrong id",
            errors.wrong_id,
            false,
            "Replies of a motor that was not asked",
        ),
        (
            "stray bytes",
            errors.skipped_bytes,
            false,
            "Bytes that belonged to no packet",
        ),
        (
            "lost samples",
            errors.lost_samples,
            true,
            "Positions missing after all retries; the joint's last one was kept. \
             Many of them: check plugs and cables",
        ),
        (
            "reconnects",
            errors.reconnects,
            true,
            "Times that the port went away and came back",
        ),
        ("", 0, false, ""),
    ];
    for pair in numbers.chunks_exact(2) {
        let line = row(ui, LINE);
        let middle = line.center().x;
        let halves = [line.with_max_x(middle - 8.0), line.with_min_x(middle + 8.0)];
        for (half, (name, count, serious, about)) in halves.into_iter().zip(pair) {
            if name.is_empty() {
                continue;
            }
            let color = match (*count > 0, serious) {
                (true, true) => palette.warning,
                (true, false) => palette.text,
                (false, _) => palette.weak,
            };
            widgets::text_in(ui, half, name, theme::small(), palette.weak, Align::Min);
            let text = figures::count(*count);
            widgets::text_in(ui, half, &text, theme::mono_small(), color, Align::Max);
            ui.interact(half, ui.id().with(("errors", *name)), Sense::hover())
                .on_hover_text(format!("{about}, since it was connected"));
        }
    }
}

/// Draws the table of motors.
fn motors(ui: &mut Ui, bus: &BusState, palette: &Palette) {
    if bus.motors.is_empty() {
        widgets::hint(ui, "No motor has answered yet.");
        return;
    }
    let narrow = ui.available_width() < NARROW;
    let columns = |rect| right_aligned(rect, COLUMNS.map(|(_, width, _)| width));
    let header = row(ui, LINE);
    for (place, (name, _, about)) in columns(header).into_iter().zip(COLUMNS) {
        widgets::text_in(ui, place, name, theme::small(), palette.weak, Align::Max);
        ui.interact(place, ui.id().with(("column", name)), Sense::hover())
            .on_hover_text(about);
    }
    if !narrow {
        let first = header.with_max_x(columns(header)[0].min.x);
        widgets::text_in(ui, first, "motor", theme::small(), palette.weak, Align::Min);
    }
    widgets::hairline(ui);
    for motor in &bus.motors {
        let upper = row(ui, LINE);
        let lower = if narrow { row(ui, LINE) } else { upper };
        let places = columns(lower);
        let light = pos2(upper.min.x + 3.0, upper.center().y);
        let color = light_of(motor, palette);
        ui.painter().circle_filled(light, 3.0, color);
        let mut name = upper.with_min_x(upper.min.x + 11.0);
        if !narrow {
            name.max.x = places[0].min.x;
        }
        let strong = if motor.stale {
            palette.weak
        } else {
            palette.text
        };
        let called = format!("{}  {}", motor.id, motor.name);
        widgets::text_in(ui, name, &called, theme::small(), strong, Align::Min);
        for (place, (text, color)) in places.into_iter().zip(figures_of(motor, palette)) {
            widgets::text_in(ui, place, &text, theme::mono_small(), color, Align::Max);
        }
        let whole = upper.union(lower);
        let response = ui.interact(whole, ui.id().with(("motor", motor.id)), Sense::hover());
        let about = about(motor);
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, about.as_str()));
        response.on_hover_text(&about);
    }
}

fn light_of(motor: &MotorState, palette: &Palette) -> Color32 {
    match (motor.faults.is_empty(), motor.stale) {
        (false, _) => palette.danger,
        (true, true) => palette.warning,
        (true, false) => palette.good,
    }
}

fn heat(temperature: u8, palette: &Palette) -> Color32 {
    match temperature {
        HOT.. => palette.danger,
        WARM..HOT => palette.warning,
        _ => palette.text,
    }
}

/// A motor's numbers, in the order of [`COLUMNS`].
fn figures_of(motor: &MotorState, palette: &Palette) -> [(String, Color32); COLUMNS.len()] {
    let quiet = if motor.stale {
        palette.weak
    } else {
        palette.text
    };
    let warm = match (motor.stale, heat(motor.temperature, palette)) {
        (true, color) if color == palette.text => quiet,
        (_, color) => color,
    };
    let load = if motor.load.abs() > STRAINED {
        palette.warning
    } else {
        quiet
    };
    [
        (motor.ticks.to_string(), quiet),
        (motor.temperature.to_string(), warm),
        (number(motor.voltage, 1), quiet),
        (number(motor.current, 2), quiet),
        (number(motor.load * 100.0, 0), load),
    ]
}

/// What there is to say of a motor, and what to do about it.
fn about(motor: &MotorState) -> String {
    let mut lines = vec![format!("{}, id {}", motor.name, motor.id)];
    lines.extend(motor.faults.iter().cloned());
    if motor.stale {
        lines.push(
            "The last round brought no position of it: the one before is kept. If that lasts, \
             check the cable to it"
                .to_owned(),
        );
    }
    match motor.temperature {
        HOT.. => lines.push(
            "It is hot and about to switch itself off: bring the arm to rest and switch its \
             torque off"
                .to_owned(),
        ),
        WARM..HOT => lines.push("It is warm: let it rest soon".to_owned()),
        _ => {}
    }
    if motor.load.abs() > STRAINED {
        lines.push("It strains: take weight off, or move it away from what blocks it".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn motor() -> MotorState {
        MotorState {
            name: "elbow_flex".to_owned(),
            id: 3,
            ticks: 2047,
            temperature: 31,
            voltage: 12.14,
            current: 0.123,
            load: -0.124,
            ..MotorState::default()
        }
    }

    #[test]
    fn a_motor_says_what_to_do_about_it() {
        let mut motor = motor();
        assert_eq!(about(&motor), "elbow_flex, id 3");
        assert_eq!(light_of(&motor, &theme::DARK), theme::DARK.good);
        motor.stale = true;
        assert!(about(&motor).contains("check the cable"));
        assert_eq!(light_of(&motor, &theme::DARK), theme::DARK.warning);
        motor.faults.push("overload: take weight off".to_owned());
        assert!(about(&motor).contains("overload"));
        assert_eq!(light_of(&motor, &theme::DARK), theme::DARK.danger);
        motor.temperature = 66;
        assert!(about(&motor).contains("about to switch itself off"));
    }

    #[test]
    fn numbers_are_short_and_coloured_where_they_matter() {
        let palette = &theme::LIGHT;
        let texts = |motor: &MotorState| figures_of(motor, palette).map(|(text, _)| text);
        assert_eq!(texts(&motor()), ["2047", "31", "12.1", "0.12", "−12"]);
        let strained = MotorState {
            temperature: 58,
            load: 0.93,
            ..motor()
        };
        let colors = figures_of(&strained, palette).map(|(_, color)| color);
        assert_eq!((colors[1], colors[4]), (palette.warning, palette.warning));
        assert_eq!(colors[0], palette.text);
    }

    #[test]
    fn the_folded_line_tells_the_rate_or_the_heat() {
        let mut bus = BusState {
            connection: Connection::Connected,
            rate_hz: 529.3,
            motors: vec![motor()],
            ..BusState::default()
        };
        let palette = &theme::DARK;
        assert_eq!(summary(&bus, palette).0, "529 Hz");
        bus.motors[0].temperature = 57;
        assert_eq!(
            summary(&bus, palette),
            ("57 °C".to_owned(), palette.warning)
        );
        bus.connection = Connection::Lost("unplugged".to_owned());
        assert_eq!(summary(&bus, palette).0, "–");
    }
}
