//! The dataset browser: an episode's cameras side by side, a bar to find a row, what joints did.
//!
//! It stands where picture and plot are; the emergency stop and the panels at the sides stay.

mod chart;
mod scrub;

use std::collections::BTreeSet;

use egui::{
    Align, Area, Frame, Id, Margin, Order, Rect, RichText, Sense, Stroke, Ui, UiBuilder, pos2, vec2,
};
use forearm_protocol::record::{DatasetSummary, EpisodeInfo, EpisodeSeries};

use crate::actions::{Outbox, PanelAction};
use crate::inputs::PanelInputs;
use crate::record::export;
use crate::recording::RecordView;
use crate::state::PanelState;
use crate::theme::{self, CONTROL_HEIGHT};
use crate::widgets;

/// Room between it and the rim of its place, and around its contents, points.
const GAP: f32 = 8.0;
const MARGIN: f32 = 12.0;
const CAPTION: f32 = 18.0;
/// Share of the height that pictures take at most.
const PICTURES: f32 = 0.48;
/// Least height that a chart needs, points.
const CHART: f32 = 96.0;
/// In a narrower one buttons stand below the title, points.
const ONE_LINE: f32 = 560.0;

/// What the browser remembers while it is open.
#[derive(Debug, Default)]
pub(crate) struct Browser {
    /// The episode on show.
    pub(crate) episode: u32,
    /// The row on show.
    pub(crate) frame: u32,
    /// Since when it plays, seconds, and from which row.
    playing: Option<(f64, u32)>,
    /// The joints whose lines are drawn, by their places; `None` for the first ones.
    joints: Option<BTreeSet<usize>>,
    /// The lines of the chart, kept for their memory.
    lines: chart::Lines,
    /// What was asked for last: the episode's numbers, and a row.
    asked: (Option<u32>, Option<u32>),
}

impl Browser {
    /// An episode, at its beginning.
    pub(crate) fn at(episode: u32) -> Self {
        Self {
            episode,
            ..Self::default()
        }
    }

    /// Goes to another episode; the chosen joints stay.
    fn go_to(&mut self, episode: u32) {
        let joints = self.joints.take();
        *self = Self {
            joints,
            ..Self::at(episode)
        };
    }

    /// Goes to a row. What plays goes on from there.
    fn seek(&mut self, frame: u32, now_secs: f64) {
        self.frame = frame;
        if let Some(playing) = &mut self.playing {
            *playing = (now_secs, frame);
        }
    }

    /// Lets time go by: the row on show while it plays.
    fn advance(&mut self, now_secs: f64, fps: u32, frames: u32) {
        let last = frames.saturating_sub(1);
        if let Some((since_secs, from)) = self.playing {
            let gone = ((now_secs - since_secs).max(0.0) * f64::from(fps)) as u32;
            self.frame = from.saturating_add(gone);
            if self.frame >= last {
                self.playing = None;
            }
        }
        self.frame = self.frame.min(last);
    }

    /// Plays, or stops; from the beginning if the end was reached.
    fn toggle(&mut self, now_secs: f64, frames: u32) {
        self.playing = match self.playing {
            Some(_) => None,
            None => {
                let at_end = self.frame + 1 >= frames;
                Some((now_secs, if at_end { 0 } else { self.frame }))
            }
        };
    }

    /// Asks for what is to be shown and was not asked for yet.
    fn ask(&mut self, out: &mut Outbox) {
        let episode = self.episode;
        if self.asked.0 != Some(episode) {
            self.asked = (Some(episode), None);
            out.actions.push(PanelAction::ShowEpisode(episode));
        }
        if self.asked.1 != Some(self.frame) {
            self.asked.1 = Some(self.frame);
            let frame = self.frame;
            out.actions.push(PanelAction::ShowFrame { episode, frame });
        }
    }
}

/// Draws the browser into `within`, if it is open.
pub(crate) fn show(
    ui: &Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    within: Rect,
    out: &mut Outbox,
) {
    let Some(mut browser) = state.browser.take() else {
        return;
    };
    let found = inputs.record.as_ref().and_then(|view| {
        let dataset = view.dataset.as_ref()?;
        let episodes = &dataset.episodes;
        let episode = episodes.iter().find(|it| it.index == browser.episode)?;
        Some((view, dataset, episode))
    });
    let room = within.shrink(GAP);
    let Some((view, dataset, episode)) = found.filter(|_| room.is_positive()) else {
        return;
    };
    let now_secs = ui.input(|input| input.time);
    browser.advance(now_secs, dataset.fps, episode.frames);
    if browser.playing.is_some() {
        ui.ctx().request_repaint();
    }
    let palette = theme::palette(ui);
    let frame = Frame::new()
        .fill(palette.panel)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(10)
        .inner_margin(Margin::same(MARGIN as i8))
        .shadow(ui.visuals().window_shadow);
    let inner = room.size() - egui::Vec2::splat(2.0 * MARGIN + 2.0);
    let mut closed = false;
    Area::new(Id::new("browser"))
        .order(Order::Middle)
        .fixed_pos(room.min)
        .constrain_to(within)
        .default_size(room.size())
        .show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                ui.set_min_size(inner);
                ui.set_max_size(inner);
                ui.spacing_mut().item_spacing.y = 6.0;
                closed = head(
                    ui,
                    &mut browser,
                    state,
                    inputs,
                    (view, dataset, episode),
                    out,
                );
                contents(ui, &mut browser, (view, dataset, episode), now_secs);
            });
        });
    browser.ask(out);
    if !closed {
        state.browser = Some(browser);
    }
}

type Found<'a> = (&'a RecordView, &'a DatasetSummary, &'a EpisodeInfo);

/// Draws the title and what can be done with the episode; answers whether a person closed it.
fn head(
    ui: &mut Ui,
    browser: &mut Browser,
    state: &mut PanelState,
    inputs: &PanelInputs,
    found: Found<'_>,
    out: &mut Outbox,
) -> bool {
    let (_, dataset, episode) = found;
    let one_line = ui.available_width() >= ONE_LINE;
    let closed = widgets::sides(
        ui,
        |ui| title(ui, browser, dataset, episode),
        |ui| {
            let closed = widgets::icon_button(ui, widgets::CLOSE, "Close the browser").clicked();
            closed || (one_line && buttons(ui, state, inputs, found, out))
        },
    );
    closed || (!one_line && widgets::ends(ui, |ui| buttons(ui, state, inputs, found, out)))
}

fn title(ui: &mut Ui, browser: &mut Browser, dataset: &DatasetSummary, episode: &EpisodeInfo) {
    let palette = theme::palette(ui);
    let place = dataset
        .episodes
        .iter()
        .position(|it| it.index == browser.episode);
    let beside = |step: isize| {
        let place = place?.checked_add_signed(step)?;
        dataset.episodes.get(place).map(|it| it.index)
    };
    let mut target = None;
    for (step, name) in [(-1, "Previous episode"), (1, "Next episode")] {
        let there = beside(step);
        let button = ui.add_enabled_ui(there.is_some(), |ui| arrow(ui, step > 0, name));
        if button.inner.clicked() {
            target = there;
        }
    }
    let text = format!("Episode {}", episode.index);
    ui.label(
        RichText::new(text)
            .font(theme::title())
            .color(palette.strong),
    );
    let rest = ui.available_rect_before_wrap();
    widgets::text_in(
        ui,
        rest,
        &episode.task,
        theme::small(),
        palette.weak,
        Align::Min,
    );
    ui.interact(rest, ui.id().with("task"), Sense::hover())
        .on_hover_text(&episode.task);
    if let Some(target) = target {
        browser.go_to(target);
    }
}

/// A button with an arrow to the left or right.
fn arrow(ui: &mut Ui, right: bool, name: &str) -> egui::Response {
    let response = widgets::icon_button(ui, "", name);
    let color = ui.style().interact(&response).text_color();
    let side = if right { 1.0 } else { -1.0 };
    let tip = response.rect.center() + vec2(3.0 * side, 0.0);
    let back = vec2(-5.0 * side, 0.0);
    let line = vec![
        tip + back - vec2(0.0, 5.0),
        tip,
        tip + back + vec2(0.0, 5.0),
    ];
    ui.painter().line(line, Stroke::new(1.5, color));
    response
}

/// Draws what can be done with the episode, from right to left; answers whether it is replayed: then
/// a person wants to see the arm.
fn buttons(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    (view, _, episode): Found<'_>,
    out: &mut Outbox,
) -> bool {
    let obstacle = export::obstacle(view);
    let shown = ui.add_enabled(obstacle.is_none(), egui::Button::new("Export ZIP…"));
    let shown = match obstacle {
        Some(why) => shown.on_disabled_hover_text(why),
        None => shown.on_hover_text("Pack the dataset into one file"),
    };
    if shown.clicked() {
        export::begin(state, view, out);
        state.settings.record.tab = crate::recording::RightTab::Episodes;
        state.settings.right_open = true;
    }
    let obstacle = replay_obstacle(state, inputs, view);
    let shown = ui.add_enabled(obstacle.is_none(), egui::Button::new("Replay on the arm"));
    let shown = match obstacle {
        Some(why) => shown.on_disabled_hover_text(why),
        None => shown.on_hover_text(
            "The arm goes softly to the episode's first pose, then does what was recorded",
        ),
    };
    if shown.clicked() {
        out.actions.push(PanelAction::ReplayEpisode {
            arm: state.settings.selected_arm,
            episode: episode.index,
        });
    }
    shown.clicked()
}

/// Why the episode can't be replayed now; `None` if it can.
fn replay_obstacle(
    state: &PanelState,
    inputs: &PanelInputs,
    view: &RecordView,
) -> Option<&'static str> {
    let Some(update) = &inputs.state else {
        return Some("No scene is loaded");
    };
    if update.e_stopped {
        return Some("Clear the emergency stop first");
    }
    if view.in_episode() {
        return Some("End the episode in hand first");
    }
    match update.arms.get(state.settings.selected_arm) {
        None => Some("No arm is selected"),
        Some(arm) if !arm.connected => Some("The arm is not connected"),
        Some(_) => None,
    }
}

/// Draws pictures, bar and chart.
fn contents(
    ui: &mut Ui,
    browser: &mut Browser,
    (view, dataset, episode): Found<'_>,
    now_secs: f64,
) {
    let all = ui.available_rect_before_wrap();
    let mut top = all.min.y;
    if !dataset.cameras.is_empty() {
        let most = (PICTURES * all.height()).max(60.0);
        let height = pictures(ui, all, most, browser, view, dataset);
        top += height + 8.0;
    }
    let bar = Rect::from_min_max(pos2(all.min.x, top), pos2(all.max.x, top + CONTROL_HEIGHT));
    let builder = UiBuilder::new().max_rect(bar).id_salt("scrub");
    ui.scope_builder(builder, |ui| {
        let fps = dataset.fps;
        scrub::show(ui, browser, fps, episode.frames, now_secs);
    });
    let chart = all.with_min_y(bar.max.y + 8.0);
    if chart.height() < CHART {
        return;
    }
    let builder = UiBuilder::new().max_rect(chart).id_salt("chart");
    ui.scope_builder(builder, |ui| {
        let its = |series: &&EpisodeSeries| series.index == browser.episode;
        match view.series.as_ref().filter(its) {
            Some(series) => {
                if let Some(frame) = chart::show(ui, browser, dataset, series) {
                    browser.seek(frame, now_secs);
                }
            }
            None => {
                widgets::hint(ui, "Reading the episode…");
            }
        }
    });
}

/// Draws the pictures side by side; answers how high they are.
fn pictures(
    ui: &Ui,
    all: Rect,
    most: f32,
    browser: &Browser,
    view: &RecordView,
    dataset: &DatasetSummary,
) -> f32 {
    let palette = theme::palette(ui);
    let count = dataset.cameras.len() as f32;
    let width = ((all.width() - GAP * (count - 1.0)) / count).floor();
    let shown = view.frame.as_ref();
    let shown = shown.filter(|frame| frame.episode == browser.episode);
    let picture = |index: usize| Some(*shown?.pictures.get(index)?);
    // As high as the highest needs to be; three by four until they are known.
    let needs = (0..dataset.cameras.len()).map(|index| {
        let [w, h] = picture(index).map_or([4, 3], |it| it.size);
        width * h.max(1) as f32 / w.max(1) as f32
    });
    let height = needs.fold(0.0, f32::max).min(most - CAPTION).round();
    for (index, name) in dataset.cameras.iter().enumerate() {
        let left = all.min.x + (width + GAP) * index as f32;
        let caption = Rect::from_min_size(pos2(left, all.min.y), vec2(width, CAPTION));
        widgets::text_in(ui, caption, name, theme::small(), palette.weak, Align::Min);
        let frame = Rect::from_min_size(pos2(left, all.min.y + CAPTION), vec2(width, height));
        crate::record::paint(ui, frame, picture(index), true);
    }
    CAPTION + height
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playing_shows_each_row_at_its_time_and_stops_at_the_last() {
        let mut browser = Browser::at(3);
        browser.seek(10, 100.0);
        browser.toggle(100.0, 60);
        browser.advance(100.0, 30, 60);
        assert_eq!(browser.frame, 10);
        browser.advance(100.99, 30, 60);
        assert_eq!(browser.frame, 39);
        browser.seek(5, 101.0);
        browser.advance(101.11, 30, 60);
        assert_eq!(browser.frame, 8);
        browser.advance(900.0, 30, 60);
        assert_eq!((browser.frame, browser.playing), (59, None));
        browser.toggle(901.0, 60);
        browser.advance(901.0, 30, 60);
        assert_eq!(browser.frame, 0, "from the beginning");
    }

    #[test]
    fn nothing_is_asked_twice() {
        let mut browser = Browser::at(3);
        let mut out = Outbox::default();
        browser.ask(&mut out);
        browser.ask(&mut out);
        let (episode, frame) = (3, 0);
        let first = PanelAction::ShowFrame { episode, frame };
        assert_eq!(out.actions, [PanelAction::ShowEpisode(3), first]);
        out.actions.clear();
        browser.seek(7, 0.0);
        browser.ask(&mut out);
        let frame = 7;
        assert_eq!(out.actions, [PanelAction::ShowFrame { episode, frame }]);
    }
}
