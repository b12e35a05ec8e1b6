//! How well time is kept, at the right.

use egui::Ui;
use forearm_protocol::control::StateUpdate;

use crate::inputs::PanelInputs;
use crate::theme;
use crate::units::number;
use crate::widgets;

/// Height of the whole part, points.
pub(crate) const HEIGHT: f32 = 12.0 + 20.0 + 4.0 + 9.0 * 20.0 + 12.0;

/// Draws the numbers.
pub(crate) fn show(ui: &mut Ui, inputs: &PanelInputs) {
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    widgets::title(ui, "Telemetry");
    ui.add_space(4.0);
    for line in numbers(inputs) {
        let color = match line.good {
            None => palette.text,
            Some(true) => palette.strong,
            Some(false) => palette.warning,
        };
        widgets::value_row(ui, line.name, &line.value, theme::mono(), color)
            .on_hover_text(line.about);
    }
    let host = if inputs.control_host.is_empty() {
        "–"
    } else {
        &inputs.control_host
    };
    widgets::value_row(ui, "Service", host, theme::small(), palette.text).on_hover_text(format!(
        "Where the control service runs, and how it does: {host}"
    ));
}

struct Line {
    name: &'static str,
    value: String,
    about: &'static str,
    /// `Some(false)` for a value that should be better.
    good: Option<bool>,
}

fn numbers(inputs: &PanelInputs) -> [Line; 8] {
    let state = inputs.state.as_ref();
    let line = |name, about, good, value: Option<String>| Line {
        name,
        about,
        good,
        value: value.unwrap_or_else(|| "–".to_owned()),
    };
    let of = |value: fn(&StateUpdate) -> String| state.map(value);
    let on_time =
        state.map(|s| (s.timing.rate_hz - s.timing.target_hz).abs() <= 0.01 * s.timing.target_hz);
    [
        line(
            "Control rate",
            "Rate reached of the rate asked for",
            on_time,
            of(|s| {
                format!(
                    "{:.1} / {} Hz",
                    s.timing.rate_hz,
                    trimmed(s.timing.target_hz)
                )
            }),
        ),
        line(
            "Jitter mean, p50",
            "Deviation of an interval from the period: mean and median",
            None,
            of(|s| pair(s.timing.jitter_mean_secs, s.timing.jitter_p50_secs)),
        ),
        line(
            "Jitter p99, max",
            "Deviation of an interval from the period: 99th percentile and greatest",
            None,
            of(|s| pair(s.timing.jitter_p99_secs, s.timing.jitter_max_secs)),
        ),
        line(
            "Work a tick",
            "Mean time that the control loop works in a period",
            None,
            of(|s| duration(s.timing.work_mean_secs)),
        ),
        line(
            "Missed ticks",
            "Deadlines missed by more than a period since start",
            None,
            of(|s| s.timing.missed.to_string()),
        ),
        line(
            "Physics a step",
            "Mean time of a step of the simulation",
            None,
            of(|s| duration(s.physics_step_secs)),
        ),
        line(
            "Simulated",
            "Simulated time",
            None,
            of(|s| format!("{:.1} s", s.simulated_secs)),
        ),
        line(
            "Picture",
            "Pictures drawn a second",
            None,
            (inputs.frame_rate > 0.0).then(|| {
                let decimals = if inputs.frame_rate < 10.0 { 1 } else { 0 };
                format!("{:.decimals$} fps", inputs.frame_rate)
            }),
        ),
    ]
}

/// Two durations, in one unit if their sizes allow it.
fn pair(first: f64, second: f64) -> String {
    let (factor, decimals, name) = unit(first.max(second));
    if unit(first).2 != name || unit(second).2 != name {
        return format!("{}, {}", duration(first), duration(second));
    }
    format!(
        "{}, {} {name}",
        number(first * factor, decimals),
        number(second * factor, decimals)
    )
}

fn duration(secs: f64) -> String {
    if secs <= 0.0 {
        return "–".to_owned();
    }
    let (factor, decimals, unit) = unit(secs);
    format!("{} {unit}", number(secs * factor, decimals))
}

fn unit(secs: f64) -> (f64, usize, &'static str) {
    match secs {
        secs if secs < 1e-4 => (1e6, 1, "µs"),
        secs if secs < 1e-3 => (1e6, 0, "µs"),
        secs if secs < 1.0 => (1e3, 2, "ms"),
        _ => (1.0, 2, "s"),
    }
}

fn trimmed(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_choose_their_unit() {
        assert_eq!(duration(0.0), "–");
        assert_eq!(duration(18.24e-6), "18.2 µs");
        assert_eq!(duration(431e-6), "431 µs");
        assert_eq!(duration(8.333e-3), "8.33 ms");
        assert_eq!(pair(12e-6, 431e-6), "12, 431 µs");
        assert_eq!(pair(3.14e-6, 1.386e-3), "3.1 µs, 1.39 ms");
    }

    #[test]
    fn rates_drop_useless_digits() {
        assert_eq!(trimmed(120.0), "120");
        assert_eq!(trimmed(59.94), "59.9");
    }
}
