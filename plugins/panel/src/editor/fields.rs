//! The rows of the form: a name, and numbers, a colour or a text. What is wrong with a field stands
//! below it.

use egui::{
    Align, DragValue, Rect, Response, Sense, Ui, UiBuilder, WidgetInfo, WidgetType, pos2, vec2,
};
use forearm_protocol::scene::edit::Item;

use super::{EditorPanel, EditorView};
use crate::record::field::{self, Look};
use crate::theme::{self, CONTROL_HEIGHT};
use crate::units;
use crate::widgets;

const LABEL: f32 = 84.0;

/// How a number is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// What a number of the scene is multiplied with.
    scale: f64,
    suffix: &'static str,
    /// The unit that scenes have, where that is another one.
    inside: &'static str,
    /// How much a drag by one point changes what is shown.
    speed: f64,
    decimals: usize,
}

/// Lengths.
pub(super) const MM: Unit = Unit {
    scale: 1000.0,
    suffix: " mm",
    inside: "metres",
    speed: 0.5,
    decimals: 2,
};
/// Angles.
pub(super) const DEGREES: Unit = Unit {
    scale: 1.0,
    suffix: "°",
    inside: "",
    speed: 0.5,
    decimals: 2,
};
/// Masses.
pub(super) const GRAMS: Unit = Unit {
    scale: 1000.0,
    suffix: " g",
    inside: "kilograms",
    speed: 0.2,
    decimals: 2,
};
/// Numbers without a unit.
pub(super) const PLAIN: Unit = Unit {
    scale: 1.0,
    suffix: "",
    inside: "",
    speed: 0.01,
    decimals: 3,
};
/// Whole numbers, such as pixels.
pub(super) const WHOLE: Unit = Unit {
    scale: 1.0,
    suffix: "",
    inside: "",
    speed: 2.0,
    decimals: 0,
};
/// Times a second.
pub(super) const HERTZ: Unit = Unit {
    scale: 1.0,
    suffix: " Hz",
    inside: "",
    speed: 0.5,
    decimals: 1,
};
/// Light.
pub(super) const LUX: Unit = Unit {
    scale: 1.0,
    suffix: " lx",
    inside: "",
    speed: 20.0,
    decimals: 0,
};
/// Power of lamps.
pub(super) const LUMENS: Unit = Unit {
    scale: 1.0,
    suffix: " lm",
    inside: "",
    speed: 200.0,
    decimals: 0,
};
/// Acceleration.
pub(super) const GRAVITY: Unit = Unit {
    scale: 1.0,
    suffix: "",
    inside: "",
    speed: 0.05,
    decimals: 2,
};

/// The form of one thing.
pub(super) struct Form<'a> {
    pub(super) ui: &'a mut Ui,
    pub(super) view: &'a EditorView,
    pub(super) panel: &'a mut EditorPanel,
    pub(super) item: Item,
    /// Whether a field was changed.
    pub(super) changed: bool,
    /// Whether the problem was shown at its field.
    pub(super) told: bool,
}

impl Form<'_> {
    /// A row of numbers.
    pub(super) fn numbers(&mut self, name: &str, key: &str, values: &mut [f64], unit: Unit) {
        let count = values.len().max(1);
        let mut changed = false;
        let labels = ["X", "Y", "Z"];
        self.row(name, |ui, rect| {
            let gap = 4.0;
            let width = ((rect.width() - gap * (count as f32 - 1.0)) / count as f32).floor();
            for (index, value) in values.iter_mut().enumerate() {
                let left = rect.min.x + (width + gap) * index as f32;
                let place = Rect::from_min_size(pos2(left, rect.min.y), vec2(width, rect.height()));
                let spoken = if count > 1 {
                    format!("{name} {}", labels[index % 3])
                } else {
                    name.to_owned()
                };
                // Three in a row have no room for units; the name says it.
                let unit = if count > 2 {
                    Unit { suffix: "", ..unit }
                } else {
                    unit
                };
                changed |= number(ui, place, value, unit, &spoken);
            }
        });
        self.changed |= changed;
        self.tell_in(key, unit.inside);
    }

    /// A row with one number.
    pub(super) fn number(&mut self, name: &str, key: &str, value: &mut f64, unit: Unit) {
        self.numbers(name, key, std::slice::from_mut(value), unit);
    }

    /// A colour.
    pub(super) fn color(&mut self, key: &str, color: &mut [f32; 3]) {
        let mut changed = false;
        self.row("Colour", |ui, rect| {
            let builder = UiBuilder::new()
                .max_rect(rect)
                .layout(egui::Layout::left_to_right(Align::Center));
            let mut inner = ui.new_child(builder);
            inner.spacing_mut().interact_size = vec2(48.0, CONTROL_HEIGHT - 4.0);
            // Colours of scenes are sRGB; steps of a 255th don't touch what a person has not changed.
            let before = color.map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8);
            let mut bytes = before;
            let response = inner.color_edit_button_srgb(&mut bytes);
            response.widget_info(|| WidgetInfo::labeled(WidgetType::ColorButton, true, "Colour"));
            if bytes != before {
                *color = bytes.map(|part| (f32::from(part) / 255.0 * 1000.0).round() / 1000.0);
                changed = true;
            }
            let weak = theme::palette(&inner).weak;
            let [red, green, blue] = bytes;
            let text = egui::RichText::new(format!("#{red:02x}{green:02x}{blue:02x}"));
            inner.label(text.font(theme::mono_small()).color(weak));
        });
        self.changed |= changed;
        self.tell(key);
    }

    /// A text that is taken when a person has left it; answers with it.
    pub(super) fn text(
        &mut self,
        name: &'static str,
        key: &'static str,
        value: &str,
        about: &str,
    ) -> Option<String> {
        let item = self.item;
        let at_fault = self.is_at_fault(key);
        let drafted =
            matches!(&self.panel.draft, Some((of, field, _)) if *of == item && *field == key);
        let mut text = match &self.panel.draft {
            Some((.., text)) if drafted => text.clone(),
            _ => value.to_owned(),
        };
        let mut left = false;
        let mut focused = false;
        self.row(name, |ui, rect| {
            let mut inner = ui.new_child(UiBuilder::new().max_rect(rect).id_salt((item, key)));
            let look = Look {
                name,
                hint: "",
                rows: 1,
                about,
            };
            left = field::text(&mut inner, &mut text, &look);
            focused = inner.ctx().egui_wants_keyboard_input();
        });
        let mut taken = None;
        if left && text != value {
            taken = Some(text.clone());
        }
        if text != value {
            self.panel.draft = Some((item, key, text));
        }
        if drafted && !left && !focused && !at_fault {
            self.panel.draft = None;
        }
        self.tell(key);
        taken
    }

    /// A choice of several; answers with the one that was clicked.
    pub(super) fn choice<T: Copy + PartialEq>(
        &mut self,
        name: &str,
        chosen: T,
        choices: &[(T, &str)],
    ) -> Option<T> {
        let shown = choices
            .iter()
            .find(|(value, _)| *value == chosen)
            .map_or("", |(_, text)| *text);
        let mut picked = None;
        self.row(name, |ui, rect| {
            let mut inner = ui.new_child(UiBuilder::new().max_rect(rect).id_salt(name));
            let (_, answer) = widgets::menu(&mut inner, shown, rect.width(), |ui| {
                let mut picked = None;
                for (value, text) in choices {
                    if widgets::menu_entry(ui, *value == chosen, text).clicked() {
                        picked = Some(*value);
                    }
                }
                picked
            });
            picked = answer.flatten();
        });
        picked.filter(|picked| *picked != chosen)
    }

    /// Something that is on or off.
    pub(super) fn switch(&mut self, on: &mut bool, name: &str) {
        let response = field::check(self.ui, on, name);
        self.changed |= response.changed();
    }

    /// A row of the form: its name, and a place for the rest.
    fn row(&mut self, name: &str, contents: impl FnOnce(&mut Ui, Rect)) {
        let width = self.ui.available_width();
        let (rect, _) = self
            .ui
            .allocate_exact_size(vec2(width, CONTROL_HEIGHT + 2.0), Sense::hover());
        let palette = theme::palette(self.ui);
        let label = rect.with_max_x(rect.min.x + LABEL);
        widgets::text_in(
            self.ui,
            label,
            name,
            theme::body(),
            palette.weak,
            Align::Min,
        );
        contents(self.ui, rect.with_min_x(rect.min.x + LABEL));
    }

    fn is_at_fault(&self, key: &str) -> bool {
        let Some(problem) = &self.view.problem else {
            return false;
        };
        let own = problem.field.strip_prefix(&self.item.field());
        own.is_some_and(|field| field == key)
    }

    /// Says what is wrong with a field, if it is this one.
    pub(super) fn tell(&mut self, key: &str) {
        self.tell_in(key, "");
    }

    /// The same; numbers in it are in this unit.
    fn tell_in(&mut self, key: &str, unit: &str) {
        if self.is_at_fault(key) && !self.told {
            self.told = true;
            if let Some(problem) = &self.view.problem {
                let space = if unit.is_empty() { "" } else { " " };
                trouble(self.ui, &format!("{}{space}{unit}", problem.problem));
            }
        }
    }
}

/// What is wrong, in the colour of errors.
pub(super) fn trouble(ui: &mut Ui, problem: &str) {
    let palette = theme::palette(ui);
    egui::Frame::new()
        .fill(palette.danger_soft)
        .stroke(egui::Stroke::new(1.0, palette.danger))
        .corner_radius(theme::RADIUS)
        .inner_margin(egui::Margin::symmetric(8, 4))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let mut letters = problem.chars();
            let text: String = letters
                .next()
                .map(char::to_uppercase)
                .into_iter()
                .flatten()
                .chain(letters)
                .collect();
            widgets::note(ui, &format!("{text}. Not taken."), palette.strong);
        });
}

fn number(ui: &mut Ui, rect: Rect, value: &mut f64, unit: Unit, name: &str) -> bool {
    let before = *value * unit.scale;
    let mut shown = before;
    let field = DragValue::new(&mut shown)
        .speed(unit.speed)
        .max_decimals(unit.decimals)
        .suffix(unit.suffix)
        .update_while_editing(false)
        .custom_parser(units::parse);
    let response: Response = {
        ui.spacing_mut().button_padding.x = 4.0;
        ui.put(rect.shrink2(vec2(0.0, 1.0)), field)
    };
    response.widget_info(|| WidgetInfo::labeled(WidgetType::DragValue, true, name));
    let changed = response.changed() && (shown - before).abs() > 1e-9;
    if changed {
        // What is shown is what is taken: no digits that nobody sees.
        let per = 10_f64.powi(unit.decimals as i32);
        *value = (shown * per).round() / (per * unit.scale);
    }
    response.on_hover_text("Drag, or click and type");
    changed
}
