//! The episodes of the dataset that is open: what each shows, how good it is; delete, bring back,
//! record again, export.

use egui::{Align, Rect, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, WidgetType, pos2, vec2};
use forearm_protocol::record::{DatasetSummary, EpisodeInfo, Phase, Request};

use crate::actions::{Outbox, PanelAction};
use crate::browser::Browser;
use crate::figures;
use crate::inputs::PanelInputs;
use crate::record::quality::{self, Grade};
use crate::record::strip::clock;
use crate::record::{BAR, beside_bar, export, paint, recover, setup, trouble, upload};
use crate::recording::RecordView;
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

const ROW: f32 = 62.0;
const GAP: f32 = 4.0;
const PICTURE: egui::Vec2 = vec2(72.0, 54.0);
/// More problems than these are counted only.
const PROBLEMS: usize = 3;

/// Draws the dataset, or what to open.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    ui.spacing_mut().item_spacing.y = 6.0;
    let Some(dataset) = &view.dataset else {
        trouble(ui, view);
        open(ui, state, view, out);
        return;
    };
    head(ui, state, view, dataset, out);
    trouble(ui, view);
    recover(ui, view, out);
    export::show(ui, state, view, out);
    if view.progress.is_none() {
        upload::show(ui, state, view, out);
    }
    if dataset.episodes.is_empty() {
        widgets::empty(
            ui,
            "No episodes yet",
            "They appear here as they are recorded.",
        );
        return;
    }
    widgets::hairline(ui);
    // The newest is at the top.
    let count = dataset.episodes.len();
    ui.spacing_mut().item_spacing.y = GAP;
    beside_bar(ui, |ui| {
        let list = ScrollArea::vertical().auto_shrink(false);
        list.show_rows(ui, ROW, count, |ui, rows| {
            let width = ui.available_width() - BAR;
            ui.set_max_width(width);
            for row in rows {
                if let Some(episode) = dataset.episodes.get(count - 1 - row) {
                    let last = row == 0;
                    entry(ui, state, view, dataset, episode, last, out);
                }
            }
        });
    });
}

/// Draws what to look at: a folder, or a dataset in the browser's storage.
fn open(ui: &mut Ui, state: &mut PanelState, view: &RecordView, out: &mut Outbox) {
    widgets::title(ui, "Open a dataset");
    let palette = theme::palette(ui);
    let mut place = None;
    for name in &view.stored {
        let width = ui.available_width();
        let entry = egui::Button::new(name.as_str()).min_size(vec2(width, 30.0));
        if ui.add_enabled(view.busy.is_none(), entry).clicked() {
            place = Some(view.place(name.clone()));
        }
    }
    if view.in_browser && view.stored.is_empty() {
        widgets::empty(ui, "Nothing is stored yet", "Record some episodes first.");
    }
    if !view.in_browser {
        let settings = &mut state.settings.record;
        setup::place(ui, settings, view);
        let nowhere = settings.place.trim().is_empty() && view.default_place.is_empty();
        let obstacle = match &view.busy {
            Some(what) => Some(format!("{what}…")),
            None => nowhere.then(|| "Say first where it is".to_owned()),
        };
        let width = ui.available_width();
        let button = ui
            .add_enabled_ui(obstacle.is_none(), |ui| {
                widgets::filled_button(ui, "Open to look at", width, palette.accent)
            })
            .inner;
        let button = match obstacle {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text("Opens the dataset without cameras"),
        };
        if button.clicked() {
            place = Some(settings.place(view));
        }
        widgets::hint(ui, "Any LeRobot dataset: version 3.0, or 2.1 to look at.");
    }
    if let Some(place) = place {
        out.actions
            .push(PanelAction::Record(Request::Browse(place)));
    }
}

/// Draws the dataset's name and figures, and what can be done with all of it.
fn head(
    ui: &mut Ui,
    state: &mut PanelState,
    view: &RecordView,
    dataset: &DatasetSummary,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let short = dataset.name.trim_end_matches(['/', '\\']);
    let short = short.rsplit(['/', '\\']).next().unwrap_or(short);
    let closable = !view.in_session();
    let closed = widgets::sides(
        ui,
        |ui| {
            let place = ui.available_rect_before_wrap();
            widgets::text_in(ui, place, short, theme::title(), palette.strong, Align::Min);
            ui.interact(place, ui.id().with("name"), Sense::hover())
                .on_hover_text(&dataset.name);
        },
        |ui| closable && widgets::icon_button(ui, widgets::CLOSE, "Close the dataset").clicked(),
    );
    if closed {
        out.actions.push(PanelAction::Record(Request::Close));
    }
    let frames: u64 = dataset.episodes.iter().map(|it| u64::from(it.frames)).sum();
    let secs = frames as f64 / f64::from(dataset.fps.max(1));
    let count = match dataset.episodes.len() {
        1 => "1 episode".to_owned(),
        count => format!("{count} episodes"),
    };
    let line = format!(
        "{count} · {} · {} fps · {}",
        clock(secs),
        dataset.fps,
        figures::bytes(dataset.bytes as f64)
    );
    widgets::hint(ui, &line).on_hover_text(format!("Recorded with: {}", dataset.robot_type));
    for problem in dataset.problems.iter().take(PROBLEMS) {
        widgets::note(ui, problem, palette.warning);
    }
    if let Some(more) = dataset.problems.get(PROBLEMS..).filter(|it| !it.is_empty()) {
        let text = format!("and {} more problems", more.len());
        widgets::note(ui, &text, palette.warning).on_hover_text(more.join("\n"));
    }
    ui.horizontal(|ui| {
        let gap = ui.spacing().item_spacing.x;
        let third = ((ui.available_width() - 2.0 * gap) / 3.0).floor();
        let size = vec2(third, theme::CONTROL_HEIGHT);
        ui.spacing_mut().button_padding.x = 4.0;
        let obstacle = export::obstacle(view);
        let button = egui::Button::new("Export ZIP…").min_size(size);
        let button = ui.add_enabled(obstacle.is_none(), button);
        let button = match obstacle {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text("Pack the dataset into one file"),
        };
        if button.clicked() {
            export::begin(state, view, out);
        }
        let button = egui::Button::new("Upload…").min_size(size);
        let button = ui.add_enabled(obstacle.is_none(), button);
        let button = match obstacle {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text("Take the dataset to a hub"),
        };
        if button.clicked() {
            state.record.export = None;
            state.record.token.get_or_insert_default();
        }
        let undo = egui::Button::new("Undo delete").min_size(size);
        let can = view.state.can_undo && change_obstacle(view).is_none();
        let undo = ui
            .add_enabled(can, undo)
            .on_hover_text("Bring back what was deleted last")
            .on_disabled_hover_text(match change_obstacle(view) {
                Some(why) if view.state.can_undo => why,
                _ => "Nothing was deleted since the dataset was opened",
            });
        if undo.clicked() {
            out.actions.push(PanelAction::Record(Request::UndoDelete));
        }
    });
}

/// Why episodes can't be changed now; `None` if they can.
fn change_obstacle(view: &RecordView) -> Option<&'static str> {
    if view.in_episode() {
        return Some("End the episode in hand first");
    }
    (view.busy.is_some() || view.progress.is_some()).then_some("Something else is being done")
}

/// Draws an episode. A click on it opens it in the browser.
fn entry(
    ui: &mut Ui,
    state: &mut PanelState,
    view: &RecordView,
    dataset: &DatasetSummary,
    episode: &EpisodeInfo,
    last: bool,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let index = episode.index;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let open = state.browser.as_ref().is_some_and(|it| it.episode == index);
    let name = format!("Open episode {index}");
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, open, name.as_str()));
    let fill = match (open, response.hovered() || response.has_focus()) {
        (true, _) => palette.accent_soft,
        (false, true) => palette.control,
        (false, false) => palette.card,
    };
    ui.painter().rect_filled(rect, theme::RADIUS, fill);
    let frame = Rect::from_min_size(
        pos2(rect.min.x + 4.0, rect.center().y - PICTURE.y / 2.0),
        PICTURE,
    );
    let picture = view.thumbnails.get(&index).copied();
    paint(ui, frame, picture, true);
    if picture.is_none() && !dataset.cameras.is_empty() && !view.in_episode() {
        out.actions.push(PanelAction::ShowThumbnail(index));
    }
    let text = rect
        .with_min_x(frame.max.x + 10.0)
        .with_max_x(rect.max.x - 8.0);
    let line = |number: f32| {
        let top = rect.min.y + 4.0 + number * 18.0;
        Rect::from_min_max(pos2(text.min.x, top), pos2(text.max.x, top + 18.0))
    };
    let again = last && view.state.phase == Phase::Resetting;
    let buttons = if again { 2.0 } else { 1.0 } * 26.0;
    let title = format!("Episode {index}");
    let secs = f64::from(episode.frames) / f64::from(dataset.fps.max(1));
    let length = format!("{secs:.1} s");
    let upper = line(0.0).with_max_x(text.max.x - buttons - 4.0);
    let width = widgets::width_of(ui, &title, theme::body());
    widgets::text_in(ui, upper, &title, theme::body(), palette.strong, Align::Min);
    let rest = upper.with_min_x(upper.min.x + width + 6.0);
    if rest.width() >= widgets::width_of(ui, &length, theme::mono_small()) {
        widgets::text_in(
            ui,
            rest,
            &length,
            theme::mono_small(),
            palette.weak,
            Align::Max,
        );
    }
    widgets::text_in(
        ui,
        line(1.0),
        &episode.task,
        theme::small(),
        palette.text,
        Align::Min,
    );
    let (words, grade) = quality::line(episode);
    let color = match grade {
        Grade::Good => palette.weak,
        Grade::Fair => palette.warning,
        Grade::Poor => palette.danger,
    };
    widgets::text_in(ui, line(2.0), &words, theme::small(), color, Align::Min);
    let place = Rect::from_min_max(
        pos2(text.max.x - buttons, rect.min.y + 2.0),
        pos2(text.max.x + 4.0, rect.min.y + 26.0),
    );
    row_buttons(ui, place, view, index, again, out);
    let clicked = response.clicked();
    response.on_hover_ui(|ui| {
        widgets::hint(ui, &episode.task);
        if let Some(quality) = &episode.quality {
            widgets::hint(ui, &quality::about(quality));
        }
    });
    if clicked {
        state.browser = Some(Browser::at(index));
    }
}

/// Draws what can be done with an episode, from right to left.
fn row_buttons(
    ui: &mut Ui,
    place: Rect,
    view: &RecordView,
    index: u32,
    again: bool,
    out: &mut Outbox,
) {
    let builder = UiBuilder::new()
        .max_rect(place)
        .id_salt(("episode", index))
        .layout(egui::Layout::right_to_left(Align::Center));
    // It takes no place of its own in the list.
    let ui = &mut ui.new_child(builder);
    // A click on a button that rests is none on the episode.
    ui.interact(place, ui.id().with("buttons"), Sense::click());
    ui.spacing_mut().item_spacing.x = 2.0;
    let obstacle = change_obstacle(view);
    let deleted = ui
        .add_enabled_ui(obstacle.is_none(), |ui| {
            let name = format!("Delete episode {index}");
            widgets::icon_button(ui, widgets::CLOSE, &name)
        })
        .inner;
    let deleted = match obstacle {
        Some(why) => deleted.on_disabled_hover_text(why),
        None => deleted,
    };
    if deleted.clicked() {
        let request = Request::DeleteEpisodes(vec![index]);
        out.actions.push(PanelAction::Record(request));
    }
    if again {
        let name = format!("Record episode {index} again");
        if widgets::icon_button(ui, "↺", &name).clicked() {
            out.actions.push(PanelAction::Record(Request::Rerecord));
        }
    }
}
