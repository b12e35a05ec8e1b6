//! The form of a recording that is not open yet: where to, what of, how long.

use egui::{DragValue, RichText, Ui, vec2};
use forearm_protocol::record::Request;

use crate::actions::{Outbox, PanelAction};
use crate::inputs::PanelInputs;
use crate::record::{field, space};
use crate::recording::{EPISODE_SECS, EPISODES, FPS, RESET_SECS, RecordSettings, RecordView};
use crate::state::PanelState;
use crate::theme::{self, CONTROL_HEIGHT};
use crate::widgets;

/// Draws the form.
pub(crate) fn form(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs) {
    let Some(view) = &inputs.record else { return };
    widgets::title(ui, "New recording");
    let settings = &mut state.settings.record;
    label(ui, "Task");
    field::text(
        ui,
        &mut settings.task,
        &field::Look {
            name: "Task",
            hint: "What the arm is to do, in words",
            rows: 2,
            about: "LeRobot stores it with each episode, and policies read it",
        },
    );
    ui.add_space(4.0);
    place(ui, settings, view);
    field::check(ui, &mut settings.resume, "Go on with it if it is there")
        .on_hover_text("Otherwise a dataset that is there is refused; none is ever overwritten");
    ui.add_space(4.0);
    numbers(ui, settings);
    ui.add_space(4.0);
    how(ui, settings, view, inputs);
}

/// Draws what is said and done at the end of the form.
pub(crate) fn open(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    let settings = &state.settings.record;
    let palette = theme::palette(ui);
    if let Some(space) = space::left(settings, view, inputs) {
        let color = if space.little {
            palette.warning
        } else {
            palette.weak
        };
        widgets::note(ui, &space.text, color);
    }
    let obstacle = obstacle(settings, view);
    let width = ui.available_width();
    let button = ui
        .add_enabled_ui(obstacle.is_none(), |ui| {
            let text = match &view.busy {
                Some(what) => format!("{what}…"),
                None => "Open".to_owned(),
            };
            let color = match obstacle {
                None => palette.on_accent,
                Some(_) => palette.text,
            };
            let button = egui::Button::new(RichText::new(text).color(color));
            let button = match obstacle {
                None => button.fill(palette.accent),
                Some(_) => button,
            };
            ui.add_sized(vec2(width, 36.0), button)
        })
        .inner;
    let button = match obstacle {
        Some(why) => button.on_disabled_hover_text(why),
        None => button.on_hover_text("Opens dataset and cameras; nothing is recorded yet"),
    };
    if button.clicked() {
        let config = settings.config(view);
        let request = Request::Open(Box::new(config));
        out.actions.push(PanelAction::Record(request));
    }
}

/// Why nothing can be opened now; `None` if it can.
fn obstacle(settings: &RecordSettings, view: &RecordView) -> Option<&'static str> {
    if view.busy.is_some() {
        return Some("Something else is being done");
    }
    if settings.task.trim().is_empty() {
        return Some("Say first what the arm is to do: the task");
    }
    if settings.place.trim().is_empty() && view.default_place.is_empty() {
        return Some("Say first where to keep the dataset");
    }
    None
}

fn label(ui: &mut Ui, text: &str) {
    widgets::hint(ui, text);
}

/// Draws how many, how long, how often: two columns of a name and a number.
fn numbers(ui: &mut Ui, settings: &mut RecordSettings) {
    let gap = 12.0;
    let width = ((ui.available_width() - gap) / 2.0).floor();
    let pair = |ui: &mut Ui, parts: [&mut dyn FnMut(&mut Ui); 2]| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for part in parts {
                ui.allocate_ui(vec2(width, CONTROL_HEIGHT), |ui| part(ui));
            }
        });
    };
    let RecordSettings {
        episodes,
        fps,
        episode_secs,
        reset_secs,
        ..
    } = settings;
    pair(
        ui,
        [
            &mut |ui| {
                let value = DragValue::new(episodes).range(EPISODES).speed(0.2);
                number(ui, "Episodes", value, "How many episodes are wanted");
            },
            &mut |ui| {
                let value = DragValue::new(fps).range(FPS).speed(0.1).suffix(" fps");
                number(ui, "Rate", value, "Rows and pictures a second");
            },
        ],
    );
    pair(
        ui,
        [
            &mut |ui| {
                let value = secs(episode_secs, EPISODE_SECS);
                number(ui, "Length", value, "How long an episode lasts at most");
            },
            &mut |ui| {
                let value = secs(reset_secs, RESET_SECS);
                let about = "How much time there is between episodes to put things back";
                number(ui, "Reset", value, about);
            },
        ],
    );
}

fn secs(value: &mut f64, range: std::ops::RangeInclusive<f64>) -> DragValue<'_> {
    DragValue::new(value)
        .range(range)
        .speed(0.5)
        .max_decimals(1)
        .suffix(" s")
}

fn number(ui: &mut Ui, name: &str, value: DragValue<'_>, about: &str) {
    widgets::sides(
        ui,
        |ui| {
            widgets::hint(ui, name);
        },
        |ui| {
            let shown = ui.add_sized(vec2(68.0, CONTROL_HEIGHT), value);
            shown.on_hover_text(about);
        },
    );
}

/// Draws what moves the arm in an episode, and whether the scene is put back.
fn how(ui: &mut Ui, settings: &mut RecordSettings, view: &RecordView, inputs: &PanelInputs) {
    let mut picked = None;
    widgets::sides(
        ui,
        |ui| {
            widgets::hint(ui, "Driven");
        },
        |ui| {
            let chosen = inputs
                .scripts
                .iter()
                .find(|script| Some(&script.id) == settings.motion.as_ref());
            let name = chosen.map_or("by hand", |script| script.name.as_str());
            let width = (ui.available_width() - 60.0).max(96.0);
            let (button, entry) = widgets::menu(ui, name, width, |ui| {
                let mut picked = None;
                if widgets::menu_entry(ui, chosen.is_none(), "by hand").clicked() {
                    picked = Some(None);
                }
                for script in &inputs.scripts {
                    let on = chosen.is_some_and(|it| it.id == script.id);
                    if widgets::menu_entry(ui, on, &script.name).clicked() {
                        picked = Some(Some(script.id.clone()));
                    }
                }
                picked
            });
            button.on_hover_text("Keys, sliders, a leader; or a motion that plays in each episode");
            picked = entry.flatten();
        },
    );
    if let Some(motion) = picked {
        settings.motion = motion;
    }
    let put_back = ui.add_enabled_ui(view.simulated, |ui| {
        field::check(
            ui,
            &mut settings.reset_scene,
            "Put the scene back each time",
        )
    });
    put_back
        .inner
        .on_hover_text("Objects and arms go back to where the scene has them before each episode")
        .on_disabled_hover_text("Only where every arm is simulated");
}

/// The task of the next episodes while a recording is open.
pub(crate) fn task(ui: &mut Ui, state: &mut PanelState, view: &RecordView, out: &mut Outbox) {
    label(ui, "Task of the next episodes");
    let look = field::Look {
        name: "Task",
        hint: "What the arm is to do, in words",
        rows: 2,
        about: "An episode that is being recorded keeps the task that it began with",
    };
    let task = &mut state.settings.record.task;
    let left = field::text(ui, task, &look);
    let words = task.trim();
    if left && !words.is_empty() && words != view.state.task {
        let request = Request::SetTask(words.to_owned());
        out.actions.push(PanelAction::Record(request));
    }
}

/// Draws where the dataset is, or will be; answers whether a person has left the field.
pub(crate) fn place(ui: &mut Ui, settings: &mut RecordSettings, view: &RecordView) -> bool {
    let (name, about) = if view.in_browser {
        ("Dataset", "Its name in this browser's storage")
    } else {
        (
            "Folder of the dataset",
            "LeRobot's root: meta, data and videos are kept in it",
        )
    };
    label(ui, name);
    let look = field::Look {
        name: "Dataset",
        hint: &view.default_place,
        rows: 1,
        about,
    };
    field::text(ui, &mut settings.place, &look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_and_a_place_are_needed() {
        let mut settings = RecordSettings::default();
        let mut view = RecordView::default();
        assert!(obstacle(&settings, &view).unwrap().contains("task"));
        settings.task = "Pick the cube up".to_owned();
        assert!(obstacle(&settings, &view).unwrap().contains("where"));
        view.default_place = "/data/cubes".to_owned();
        assert_eq!(obstacle(&settings, &view), None);
        view.busy = Some("Opening".to_owned());
        assert!(obstacle(&settings, &view).is_some());
    }
}
