//! What is in the scene: a list to select from, and a menu to add things.

use egui::{
    Align, Color32, CornerRadius, Pos2, Rect, RichText, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    WidgetType, pos2, vec2,
};
use forearm_protocol::scene::edit::add::Kind;
use forearm_protocol::scene::edit::{Edit, Item};
use forearm_protocol::scene::{LightSpec, ObjectShape};

use super::{EditorAction, EditorView};
use crate::actions::Outbox;
use crate::theme;
use crate::widgets;

const ROW: f32 = 26.0;

/// What stands before a name.
enum Mark {
    Color([f32; 3], Form),
    Camera,
    Light,
    None,
}

#[derive(Clone, Copy)]
enum Form {
    Square,
    Round,
}

pub(super) fn show(ui: &mut Ui, view: &EditorView, out: &mut Outbox) {
    let scene = &view.scene;
    widgets::sides(
        ui,
        |ui| {
            widgets::title(ui, "In the scene");
        },
        |ui| add_menu(ui, view, out),
    );
    ui.add_space(4.0);
    ui.spacing_mut().item_spacing.y = 1.0;
    row(ui, view, Item::Scene, &scene.name, &Mark::None, "", out);
    row(
        ui,
        view,
        Item::Table,
        "Table",
        &Mark::Color(scene.table.color, Form::Square),
        "",
        out,
    );
    group(ui, "Arms", scene.arms.len());
    for (index, arm) in scene.arms.iter().enumerate() {
        let note = if arm.backend.serial().is_some() {
            "real"
        } else {
            ""
        };
        row(
            ui,
            view,
            Item::Arm(index),
            &arm.name,
            &Mark::Color(arm.color, Form::Square),
            note,
            out,
        );
    }
    group(ui, "Objects", scene.objects.len());
    for (index, object) in scene.objects.iter().enumerate() {
        let form = match object.shape {
            ObjectShape::Ball { .. } | ObjectShape::Cylinder { .. } => Form::Round,
            _ => Form::Square,
        };
        let note = if object.fixed { "fixed" } else { "" };
        row(
            ui,
            view,
            Item::Object(index),
            &object.name,
            &Mark::Color(object.color, form),
            note,
            out,
        );
    }
    group(ui, "Cameras", scene.cameras.len());
    for (index, camera) in scene.cameras.iter().enumerate() {
        row(
            ui,
            view,
            Item::Camera(index),
            &camera.name,
            &Mark::Camera,
            "",
            out,
        );
        let chosen =
            matches!(view.selected, Some(Item::Camera(at) | Item::LookAt(at)) if at == index);
        if chosen && scene.has(Item::LookAt(index)) {
            row(
                ui,
                view,
                Item::LookAt(index),
                "    looks at",
                &Mark::None,
                "",
                out,
            );
        }
    }
    group(ui, "Lights", scene.lights.len());
    for (index, light) in scene.lights.iter().enumerate() {
        let note = match light {
            LightSpec::Sun { .. } | LightSpec::Point { .. } => "",
            LightSpec::Ambient { .. } => "everywhere",
        };
        let name = format!("{} {}", light.kind(), index + 1);
        row(ui, view, Item::Light(index), &name, &Mark::Light, note, out);
    }
    if scene.lights.is_empty() {
        widgets::hint(ui, "A soft set, as long as there are none.");
    }
    ui.add_space(12.0);
}

fn add_menu(ui: &mut Ui, view: &EditorView, out: &mut Outbox) {
    let (button, picked) = widgets::menu(ui, "Add", 76.0, |ui| {
        ui.set_width(184.0);
        let mut picked = None;
        for (kind, name) in Kind::ALL {
            if matches!(kind, Kind::Camera | Kind::Lamp | Kind::Arm) {
                ui.separator();
            }
            if widgets::menu_entry(ui, false, name).clicked() {
                picked = Some(kind);
            }
        }
        picked
    });
    button.on_hover_text("Put something into the scene");
    if let Some(kind) = picked.flatten() {
        out.edit(EditorAction::Apply(Edit::Add(kind.make(&view.scene))));
    }
}

fn group(ui: &mut Ui, name: &str, count: usize) {
    ui.add_space(8.0);
    let color = theme::palette(ui).weak;
    let text = if count == 0 {
        format!("{name}: none")
    } else {
        name.to_owned()
    };
    ui.label(RichText::new(text).font(theme::small()).color(color));
    ui.add_space(2.0);
}

fn row(
    ui: &mut Ui,
    view: &EditorView,
    item: Item,
    name: &str,
    mark: &Mark,
    note: &str,
    out: &mut Outbox,
) {
    let palette = theme::palette(ui);
    let on = view.selected == Some(item);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(WidgetType::SelectableLabel, enabled, on, name));
    let radius = CornerRadius::same(theme::RADIUS);
    if on {
        ui.painter().rect_filled(rect, radius, palette.accent_soft);
    } else if response.hovered() || response.has_focus() {
        ui.painter()
            .rect_filled(rect, radius, palette.control_hover);
    }
    let wrong = view.problem.as_ref().is_some_and(|problem| {
        let field = item.field();
        !field.is_empty() && !matches!(item, Item::LookAt(_)) && problem.field.starts_with(&field)
    });
    let color = match (wrong, on) {
        (true, _) => palette.danger,
        (false, true) => palette.strong,
        (false, false) => palette.text,
    };
    let center = pos2(rect.min.x + 14.0, rect.center().y);
    paint(ui, center, mark);
    let start = if matches!(mark, Mark::None) {
        8.0
    } else {
        28.0
    };
    let note_width = if note.is_empty() {
        0.0
    } else {
        widgets::width_of(ui, note, theme::small()) + 12.0
    };
    let text = Rect::from_min_max(
        pos2(rect.min.x + start, rect.min.y),
        pos2(rect.max.x - 8.0 - note_width, rect.max.y),
    );
    widgets::text_in(ui, text, name, theme::body(), color, Align::Min);
    let notes = rect.with_max_x(rect.max.x - 8.0);
    widgets::text_in(ui, notes, note, theme::small(), palette.weak, Align::Max);
    if response.clicked() {
        out.edit(EditorAction::Select(Some(item)));
    }
}

fn paint(ui: &Ui, center: Pos2, mark: &Mark) {
    let palette = theme::palette(ui);
    let stroke = Stroke::new(1.5, palette.weak);
    match mark {
        Mark::Color([red, green, blue], form) => {
            let fill = Color32::from_rgb(
                (red * 255.0) as u8,
                (green * 255.0) as u8,
                (blue * 255.0) as u8,
            );
            let rim = Stroke::new(1.0, palette.line);
            match form {
                Form::Square => {
                    let rect = Rect::from_center_size(center, vec2(12.0, 12.0));
                    ui.painter().rect(rect, 3.0, fill, rim, StrokeKind::Inside);
                }
                Form::Round => {
                    ui.painter().circle(center, 6.0, fill, rim);
                }
            }
        }
        Mark::Camera => {
            let body = Rect::from_center_size(center - vec2(2.0, 0.0), vec2(9.0, 8.0));
            ui.painter()
                .rect_stroke(body, 1.5, stroke, StrokeKind::Middle);
            let lens = [
                vec2(2.5, 0.0),
                vec2(6.5, -3.0),
                vec2(6.5, 3.0),
                vec2(2.5, 0.0),
            ];
            ui.painter()
                .line(lens.map(|point| center + point).to_vec(), stroke);
        }
        Mark::Light => {
            ui.painter().circle_stroke(center, 2.5, stroke);
            for ray in 0..8 {
                let out = egui::Vec2::angled(core::f32::consts::FRAC_PI_4 * ray as f32);
                ui.painter().line_segment(
                    [center + 4.5 * out, center + 6.5 * out],
                    Stroke::new(1.2, palette.weak),
                );
            }
        }
        Mark::None => {}
    }
}
