//! Camera images, at the right.

use egui::{
    Align, Color32, Image, Rect, RichText, ScrollArea, Sense, Ui, load::SizedTexture, vec2,
};

use crate::inputs::{CameraFeed, PanelInputs};
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

/// An image older than this, and than some pictures of the window, is called out, seconds.
const STALE_SECS: f32 = 1.0;
const STALE_PICTURES: f32 = 6.0;
/// Height of the line above an image.
const CAPTION: f32 = 20.0;
const LEAST_HEIGHT: f32 = 108.0;

/// Draws the images so that all of them are seen at once if there is room.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, inputs: &PanelInputs) {
    if inputs.cameras.is_empty() {
        let next = match inputs.scene {
            Some(_) => "The scene's file lists them under `cameras`.",
            None => "They come with a scene.",
        };
        widgets::empty(ui, "No cameras", next);
        return;
    }
    let height = ui.available_height();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let count = inputs.cameras.len() as f32;
        let share = height / count - CAPTION - 4.0 - 12.0;
        for (index, feed) in inputs.cameras.iter().enumerate() {
            if index > 0 {
                ui.add_space(8.0);
            }
            let most = vec2(ui.available_width(), share.max(LEAST_HEIGHT));
            if feed_ui(ui, inputs, feed, most).clicked() {
                state.enlarged = Some(feed.name.clone());
            }
        }
    });
}

/// Draws the camera that was clicked, large, within `within`; another click puts it away.
pub(crate) fn show_enlarged(ui: &Ui, state: &mut PanelState, inputs: &PanelInputs, within: Rect) {
    let name = state.enlarged.as_deref();
    let Some(feed) = inputs
        .cameras
        .iter()
        .find(|feed| Some(feed.name.as_str()) == name)
    else {
        state.enlarged = None;
        return;
    };
    let room = within.shrink(24.0);
    if room.width() < 160.0 || room.height() < 120.0 {
        return;
    }
    let area = egui::Area::new(egui::Id::new("enlarged_camera"))
        .order(egui::Order::Middle)
        .pivot(egui::Align2::CENTER_CENTER)
        .fixed_pos(room.center())
        .constrain_to(within)
        .show(ui.ctx(), |ui| {
            widgets::card(ui)
                .shadow(ui.visuals().window_shadow)
                .show(ui, |ui| {
                    let most = room.size() - vec2(26.0, 26.0 + CAPTION + 4.0);
                    ui.set_width(fit(feed, most).x);
                    feed_ui(ui, inputs, feed, most)
                })
                .inner
        });
    if area.inner.clicked() {
        state.enlarged = None;
    }
}

/// The largest size within `most` that keeps the image's proportions.
fn fit(feed: &CameraFeed, most: egui::Vec2) -> egui::Vec2 {
    let [width, height] = feed.size.map(|side| side.max(1) as f32);
    let scale = (most.x / width).min(most.y / height);
    vec2((width * scale).round(), (height * scale).round())
}

/// Draws an image with its name and numbers.
pub(crate) fn feed_ui(
    ui: &mut Ui,
    inputs: &PanelInputs,
    feed: &CameraFeed,
    most: egui::Vec2,
) -> egui::Response {
    let palette = theme::palette(ui);
    let stale_secs = STALE_SECS.max(STALE_PICTURES / inputs.frame_rate.max(0.5));
    let stale = feed.texture.is_some() && feed.age_secs > stale_secs;
    let (caption, _) = ui.allocate_exact_size(vec2(ui.available_width(), CAPTION), Sense::hover());
    let (numbers, color) = match feed.texture {
        None => (String::new(), palette.weak),
        Some(_) if stale => (
            format!("no image for {:.1} s", feed.age_secs),
            palette.warning,
        ),
        Some(_) => {
            let [width, height] = feed.size;
            (
                format!("{width}×{height}  {:>4.1} fps", feed.fps),
                palette.weak,
            )
        }
    };
    let numbers_width = (caption.width() * 0.62).round();
    let names = caption.with_max_x(caption.max.x - numbers_width);
    widgets::text_in(
        ui,
        names,
        &feed.name,
        theme::body(),
        palette.strong,
        Align::Min,
    );
    let right = caption.with_min_x(caption.max.x - numbers_width);
    widgets::text_in(ui, right, &numbers, theme::mono_small(), color, Align::Max);

    let size = fit(feed, most);
    let slot = vec2(ui.available_width(), size.y);
    let (rect, response) = ui.allocate_exact_size(slot, Sense::click());
    let image = Rect::from_center_size(rect.center(), size);
    ui.painter().rect_filled(image, 6.0, palette.sunken);
    match feed.texture {
        Some(texture) => {
            let tint = if stale {
                Color32::from_gray(110)
            } else {
                Color32::WHITE
            };
            Image::new(SizedTexture::new(texture, size))
                .corner_radius(6)
                .tint(tint)
                .paint_at(ui, image);
        }
        None => {
            let text = RichText::new("Waiting for the first image").font(theme::small());
            ui.put(image, egui::Label::new(text.color(palette.weak)));
        }
    }
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}
