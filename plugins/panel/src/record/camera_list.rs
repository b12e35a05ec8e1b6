//! Cameras to record: a picture, a name, how it does; and, before a recording, whether it is to be
//! recorded.

use egui::{
    Align, Color32, Image, Rect, RichText, Sense, Stroke, StrokeKind, Ui, WidgetInfo, WidgetType,
    load::SizedTexture, pos2, vec2,
};
use forearm_protocol::record::{
    CameraConfig, CameraHealth, CameraInfo, CameraSource, CameraState, Phase, Request,
};

use crate::actions::{Outbox, PanelAction};
use crate::inputs::{CameraFeed, PanelInputs};
use crate::record::field;
use crate::recording::{self, RecordView, Shown};
use crate::state::PanelState;
use crate::theme::{self, Palette};
use crate::widgets;

/// A picture older than this is called out, seconds.
const OLD_SECS: f64 = 0.5;
const ROW: f32 = 60.0;
const PICTURE: egui::Vec2 = vec2(72.0, 54.0);

/// A camera as it is shown: one that could be recorded, or that is.
struct Row<'a> {
    name: String,
    source: &'a CameraSource,
    label: &'a str,
    state: Option<&'a CameraState>,
    picture: Option<Shown>,
    /// Whether it is to be recorded; `None` where that can't be chosen now.
    chosen: Option<bool>,
}

/// Draws all cameras, to be chosen from before a recording.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs, out: &mut Outbox) {
    let Some(view) = &inputs.record else { return };
    let choose = view.state.phase == Phase::Closed;
    widgets::sides(
        ui,
        |ui| {
            widgets::title(ui, "Cameras");
        },
        |ui| {
            if choose
                && ui
                    .button("Look again")
                    .on_hover_text("Look for cameras that were plugged in")
                    .clicked()
            {
                let request = Request::ListCameras;
                out.actions.push(PanelAction::Record(request));
            }
        },
    );
    if !choose {
        if view.state.cameras.is_empty() {
            widgets::hint(ui, "No camera is recorded: joints only.");
        }
        for camera in &view.state.cameras {
            let row = Row {
                name: camera.name.clone(),
                source: &camera.source,
                label: "",
                state: Some(camera),
                picture: picture(view, inputs, &camera.name, &camera.source),
                chosen: None,
            };
            draw(ui, &row);
        }
        return;
    }
    let chosen = state.settings.record.cameras(view);
    let missing = |camera: &&CameraConfig| view.sources.iter().all(|it| it.source != camera.source);
    if view.sources.is_empty() && chosen.is_empty() {
        widgets::hint(
            ui,
            "No camera was found. Joints are recorded without one, too.",
        );
    }
    let mut flipped = None;
    for info in &view.sources {
        if choice(ui, info, &chosen, view, inputs) {
            flipped = Some(info.source.clone());
        }
    }
    for camera in chosen.iter().filter(missing) {
        let info = CameraInfo {
            source: camera.source.clone(),
            label: "not found; plug it in and look again".to_owned(),
            modes: Vec::new(),
        };
        if choice(ui, &info, &chosen, view, inputs) {
            flipped = Some(camera.source.clone());
        }
    }
    if let Some(source) = flipped {
        state.settings.record.cameras = Some(flip(chosen, &source));
    }
}

/// The cameras that are recorded after this one was chosen, or left out.
fn flip(mut chosen: Vec<CameraConfig>, source: &CameraSource) -> Vec<CameraConfig> {
    let count = chosen.len();
    chosen.retain(|camera| camera.source != *source);
    if chosen.len() == count {
        let added = recording::camera(source, &chosen);
        chosen.push(added);
    }
    chosen
}

/// Draws a camera that can be chosen; answers whether that was flipped.
fn choice(
    ui: &mut Ui,
    info: &CameraInfo,
    chosen: &[CameraConfig],
    view: &RecordView,
    inputs: &PanelInputs,
) -> bool {
    let known = chosen.iter().find(|camera| camera.source == info.source);
    let name = match known {
        Some(camera) => camera.name.clone(),
        None => recording::camera(&info.source, chosen).name,
    };
    let mut cameras = view.state.cameras.iter();
    let row = Row {
        state: cameras.find(|camera| camera.source == info.source),
        picture: picture(view, inputs, &name, &info.source),
        source: &info.source,
        label: &info.label,
        chosen: Some(known.is_some()),
        name,
    };
    draw(ui, &row)
}

/// The newest picture of a camera: as it is recorded, or as the scene's camera shows it.
fn picture(
    view: &RecordView,
    inputs: &PanelInputs,
    name: &str,
    source: &CameraSource,
) -> Option<Shown> {
    if let Some(shown) = view.previews.get(name) {
        return Some(*shown);
    }
    let CameraSource::Sim(name) = source else {
        return None;
    };
    let feed: &CameraFeed = inputs.cameras.iter().find(|feed| feed.name == *name)?;
    Some(Shown {
        texture: feed.texture?,
        size: feed.size,
    })
}

/// What is said of a camera: its figures, what is wrong with it, and how serious that is.
fn words(row: &Row<'_>, palette: &Palette) -> (String, String, Color32) {
    let kind = match row.source {
        CameraSource::Sim(_) => "simulated",
        CameraSource::Device(device) if row.label.is_empty() => device,
        CameraSource::Device(_) => row.label,
        CameraSource::Pattern => "test pattern",
        CameraSource::File(file) => file,
    };
    let Some(state) = row.state else {
        return (kind.to_owned(), String::new(), palette.weak);
    };
    let [width, height] = state.resolution;
    let size = match width {
        0 => kind.to_owned(),
        _ => format!("{width}×{height}  {:.1} fps", state.rate_hz),
    };
    match &state.health {
        CameraHealth::Opening => (size, "opening…".to_owned(), palette.accent),
        CameraHealth::Frozen => (
            size,
            "FROZEN: always the same picture".to_owned(),
            palette.danger,
        ),
        CameraHealth::Lost(why) => (kind.to_owned(), format!("LOST: {why}"), palette.danger),
        CameraHealth::Live if state.dropped > 0 => (
            size,
            format!("{} dropped, {} waiting", state.dropped, state.queued),
            palette.danger,
        ),
        CameraHealth::Live if state.age_secs > OLD_SECS => (
            size,
            format!("no picture for {:.1} s", state.age_secs),
            palette.warning,
        ),
        CameraHealth::Live => (
            size,
            format!("{:.0} ms old, none dropped", state.age_secs * 1e3),
            palette.weak,
        ),
    }
}

/// Draws a camera; answers whether it was clicked, if it can be chosen.
fn draw(ui: &mut Ui, row: &Row<'_>) -> bool {
    let palette = theme::palette(ui);
    let sense = match row.chosen {
        Some(_) => Sense::click(),
        None => Sense::hover(),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), sense);
    let on = row.chosen != Some(false);
    let name = format!("Record {}", row.name);
    response.widget_info(|| match row.chosen {
        Some(on) => WidgetInfo::selected(WidgetType::Checkbox, true, on, name.as_str()),
        None => WidgetInfo::labeled(WidgetType::Label, true, row.name.as_str()),
    });
    if row.chosen.is_some() && (response.hovered() || response.has_focus()) {
        ui.painter()
            .rect_filled(rect, theme::RADIUS, palette.control);
    }
    let (figures, state, color) = words(row, palette);
    let trouble = color == palette.danger;
    let mut left = rect.min.x;
    if let Some(on) = row.chosen {
        field::check_box(ui, pos2(left + 8.0, rect.center().y), on);
        left += 26.0;
    }
    let frame = Rect::from_min_size(pos2(left, rect.center().y - PICTURE.y / 2.0), PICTURE);
    paint(ui, frame, row.picture, on && !trouble);
    if trouble {
        let stroke = Stroke::new(2.0, palette.danger);
        ui.painter()
            .rect_stroke(frame, 4.0, stroke, StrokeKind::Inside);
    }
    let text = rect.with_min_x(frame.max.x + 10.0);
    let line = |index: f32| {
        let top = rect.min.y + 3.0 + index * 18.0;
        Rect::from_min_max(pos2(text.min.x, top), pos2(text.max.x - 4.0, top + 18.0))
    };
    let strong = if on { palette.strong } else { palette.weak };
    widgets::text_in(ui, line(0.0), &row.name, theme::body(), strong, Align::Min);
    widgets::text_in(
        ui,
        line(1.0),
        &figures,
        theme::small(),
        palette.weak,
        Align::Min,
    );
    widgets::text_in(ui, line(2.0), &state, theme::small(), color, Align::Min);
    let clicked = response.clicked();
    response.on_hover_ui(|ui| {
        for part in [&row.name, &figures, &state] {
            if !part.is_empty() {
                ui.label(RichText::new(part.as_str()).font(theme::small()));
            }
        }
    });
    clicked
}

/// Draws a picture as large as it fits, or an empty frame.
pub(crate) fn paint(ui: &Ui, frame: Rect, picture: Option<Shown>, bright: bool) {
    let palette = theme::palette(ui);
    ui.painter().rect_filled(frame, 4.0, palette.sunken);
    let Some(Shown { texture, size }) = picture else {
        return;
    };
    let [width, height] = size.map(|side| side.max(1) as f32);
    let scale = (frame.width() / width).min(frame.height() / height);
    let size = vec2(width, height) * scale;
    let place = Rect::from_center_size(frame.center(), size);
    let tint = if bright {
        Color32::WHITE
    } else {
        Color32::from_gray(90)
    };
    Image::new(SizedTexture::new(texture, size))
        .corner_radius(4)
        .tint(tint)
        .paint_at(ui, place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_chosen_and_left_out() {
        let source = CameraSource::Device("/dev/video2".to_owned());
        let chosen = flip(Vec::new(), &source);
        assert_eq!(chosen[0].name, "video2");
        assert!(flip(chosen, &source).is_empty());
    }
}
