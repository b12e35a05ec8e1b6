//! One joint on an arm's card: its name, where it is, where it should be, and a slider.

use egui::{
    Align, DragValue, Key, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};
use forearm_arm::ArmModel;
use forearm_protocol::control::ArmState;

use crate::state::ArmCard;
use crate::theme::{self, CONTROL_HEIGHT, Palette};
use crate::units::{self, Scale};
use crate::widgets;

/// Width of a number: `−2.790 rad` fits.
const VALUE_WIDTH: f32 = 84.0;

/// Room for half of the handle at the rail's ends.
const RAIL_END: f32 = 7.0;
/// In a narrower row the bar on the slider alone tells where the joint is.
const NARROW: f32 = 240.0;

/// One joint, and what is known of it.
pub(crate) struct JointRow<'a> {
    pub(crate) model: &'a ArmModel,
    pub(crate) joint: usize,
    pub(crate) scale: Scale<'a>,
    /// `None` until the control service tells.
    pub(crate) state: Option<&'a ArmState>,
    /// Why it can't be moved now.
    pub(crate) obstacle: Option<&'static str>,
}

impl JointRow<'_> {
    /// Draws the row; answers with the new target if a person set one.
    pub(crate) fn show(&self, ui: &mut Ui, card: &ArmCard) -> Option<f64> {
        let description = self.model.joints.get(self.joint)?;
        let (lower, upper) = (description.limits.lower, description.limits.upper);
        let palette = theme::palette(ui);
        let known = self
            .state
            .and_then(|arm| Some((arm, arm.joints.get(self.joint)?)));
        let target = known.map(|(arm, _)| card.sliders.shown(arm, self.joint));
        let actual = known.map(|(_, joint)| joint.position);

        let size = vec2(ui.available_width(), 40.0);
        let (rect, row) = ui.allocate_exact_size(size, Sense::hover());
        let line = Rect::from_min_size(rect.min, vec2(rect.width(), CONTROL_HEIGHT));
        let field = Rect::from_min_max(pos2(line.max.x - VALUE_WIDTH, line.min.y), line.max);
        let value = field.translate(vec2(-VALUE_WIDTH - 4.0, 0.0));
        let narrow = rect.width() < NARROW;
        let name = line.with_max_x(if narrow { field.min.x } else { value.min.x } - 4.0);
        widgets::text_in(
            ui,
            name,
            &description.name,
            theme::body(),
            palette.text,
            Align::Min,
        );
        if let (Some(actual), false) = (actual, narrow) {
            let text = self.scale.text(actual);
            // One point lower, in line with the number in the field.
            let value = value
                .with_max_x(value.max.x - 8.0)
                .translate(vec2(0.0, 1.0));
            widgets::text_in(ui, value, &text, theme::mono(), palette.strong, Align::Max);
        }
        row.on_hover_text(format!(
            "{}: {} to {}",
            description.name,
            self.scale.text(lower),
            self.scale.text(upper)
        ));

        let enabled = self.obstacle.is_none() && target.is_some();
        let mut moved = None;
        match (target, self.obstacle) {
            (Some(target), None) => {
                // Its own place: the rows must not move when the field comes or goes.
                let builder = UiBuilder::new().max_rect(field).id_salt(self.joint);
                moved = self.field(&mut ui.new_child(builder), field, target);
            }
            (Some(target), Some(why)) => self.resting_field(ui, field, target, why),
            (None, _) => {}
        }
        let rail = Rect::from_min_max(pos2(rect.min.x, line.max.y), rect.max);
        let dragged = self.rail(ui, rail, actual, target, enabled);
        moved = moved.or(dragged);
        moved.map(|position| position.clamp(lower, upper))
    }

    /// The target as a number that can be typed or dragged.
    fn field(&self, ui: &mut Ui, rect: Rect, target: f64) -> Option<f64> {
        let limits = self.model.joints[self.joint].limits;
        let (low, high) = (
            self.scale.to_shown(limits.lower),
            self.scale.to_shown(limits.upper),
        );
        let mut shown = self.scale.to_shown(target);
        let scale = self.scale;
        let value = DragValue::new(&mut shown)
            .range(low..=high)
            .clamp_existing_to_range(false)
            .speed((high - low) / 400.0)
            .update_while_editing(false)
            .custom_formatter(move |value, _| scale.with_suffix(value))
            .custom_parser(units::parse);
        ui.spacing_mut().button_padding.x = 4.0;
        let response = ui.put(rect.shrink2(vec2(0.0, 1.0)), value);
        let changed = response.changed();
        response.on_hover_text("Target: drag, or click and type");
        changed.then(|| self.scale.to_position(shown))
    }

    /// The target while it can't be changed.
    fn resting_field(&self, ui: &mut Ui, rect: Rect, target: f64, why: &str) {
        let palette = theme::palette(ui);
        let body = rect.shrink2(vec2(0.0, 1.0));
        let stroke = Stroke::new(1.0, palette.line);
        ui.painter()
            .rect_stroke(body, theme::RADIUS, stroke, StrokeKind::Inside);
        let text = self.scale.text(target);
        let line = rect.translate(vec2(0.0, 1.0));
        widgets::text_in(ui, line, &text, theme::mono(), palette.weak, Align::Center);
        let id = ui.id().with(("resting", self.joint));
        ui.interact(rect, id, Sense::hover()).on_hover_text(why);
    }

    /// The slider: a bar where the joint is, a handle where it should be.
    fn rail(
        &self,
        ui: &mut Ui,
        rect: Rect,
        actual: Option<f64>,
        target: Option<f64>,
        enabled: bool,
    ) -> Option<f64> {
        let palette = theme::palette(ui);
        let description = &self.model.joints[self.joint];
        let (lower, upper) = (description.limits.lower, description.limits.upper);
        let rail = Rect::from_center_size(rect.center(), vec2(rect.width() - 2.0 * RAIL_END, 4.0));
        let x_of = |position: f64| {
            let part = ((position - lower) / (upper - lower)).clamp(0.0, 1.0) as f32;
            egui::lerp(rail.min.x..=rail.max.x, part)
        };
        let sense = if enabled {
            Sense::click_and_drag()
        } else {
            Sense::hover()
        };
        let response = ui.interact(rect, ui.id().with(("rail", self.joint)), sense);
        let shown = target.map_or(0.0, |target| self.scale.to_shown(target));
        response.widget_info(|| WidgetInfo::slider(enabled, shown, &description.name));

        let mut moved = None;
        if let Some(pointer) = response.interact_pointer_pos()
            && (response.dragged() || response.clicked())
        {
            let part = ((pointer.x - rail.min.x) / rail.width()).clamp(0.0, 1.0);
            let position = lower + f64::from(part) * (upper - lower);
            moved = (target != Some(position)).then_some(position);
        } else if let Some(target) = target
            && response.has_focus()
        {
            moved = step_by_keys(ui, &response, target, (upper - lower) / 100.0);
        }
        let target = moved.or(target);

        let handle = Handle {
            actual: actual.map(x_of),
            target: target.map(x_of),
        };
        let hot = enabled && (response.hovered() || response.dragged() || response.has_focus());
        let zero = (lower < 0.0 && upper > 0.0 && self.model.gripper != Some(self.joint))
            .then(|| x_of(0.0));
        handle.paint(ui, rail, zero, palette, enabled, hot);
        if let Some(why) = self.obstacle {
            response.on_hover_text(why);
        } else {
            response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
        }
        moved
    }
}

/// Names the columns of numbers that the rows below have.
pub(crate) fn columns(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 14.0), Sense::hover());
    let color = theme::palette(ui).weak;
    let target = rect.with_min_x(rect.max.x - VALUE_WIDTH);
    widgets::text_in(ui, target, "target", theme::small(), color, Align::Center);
    if rect.width() >= NARROW {
        let actual = rect.with_max_x(target.min.x - 12.0);
        widgets::text_in(ui, actual, "actual", theme::small(), color, Align::Max);
    }
}

/// Steps a slider that has the keyboard with the arrow keys.
fn step_by_keys(ui: &Ui, response: &egui::Response, target: f64, step: f64) -> Option<f64> {
    let filter = egui::EventFilter {
        horizontal_arrows: true,
        ..egui::EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let steps = ui.input(|input| {
        input.num_presses(Key::ArrowRight) as f64 - input.num_presses(Key::ArrowLeft) as f64
    });
    (steps != 0.0).then_some(target + steps * step)
}

struct Handle {
    actual: Option<f32>,
    target: Option<f32>,
}

impl Handle {
    fn paint(
        &self,
        ui: &Ui,
        rail: Rect,
        zero: Option<f32>,
        palette: &Palette,
        enabled: bool,
        hot: bool,
    ) {
        let painter = ui.painter();
        let y = rail.center().y;
        painter.rect_filled(rail.expand2(vec2(RAIL_END, 0.0)), 2.0, palette.sunken);
        if let Some(x) = zero {
            let tick = Rect::from_center_size(pos2(x, y), vec2(1.0, 8.0));
            painter.rect_filled(tick, 0.0, palette.line);
        }
        let accent = if enabled {
            palette.accent
        } else {
            palette.weak
        };
        if let (Some(actual), Some(target)) = (self.actual, self.target) {
            let gap =
                Rect::from_two_pos(Pos2::new(actual, rail.min.y), Pos2::new(target, rail.max.y));
            painter.rect_filled(gap, 0.0, palette.sunken.lerp_to_gamma(accent, 0.5));
        }
        if let Some(x) = self.target {
            let fill = if hot { accent } else { palette.card };
            painter.circle(pos2(x, y), 6.0, fill, Stroke::new(2.0, accent));
        }
        if let Some(x) = self.actual {
            let bar = Rect::from_center_size(pos2(x, y), vec2(2.0, 14.0));
            painter.rect_filled(bar, 1.0, palette.strong);
        }
    }
}
