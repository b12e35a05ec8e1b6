//! Taking a dataset to a hub: its name there, the owner's token.
//!
//! The token is kept only until it is sent.

use egui::{RichText, TextEdit, Ui, WidgetInfo, WidgetType, vec2};
use forearm_protocol::record::{Request, UploadConfig};

use crate::actions::{Outbox, PanelAction};
use crate::record::{export, field};
use crate::recording::RecordView;
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

/// Draws the form, while it is open.
pub(crate) fn show(ui: &mut Ui, state: &mut PanelState, view: &RecordView, out: &mut Outbox) {
    let Some(token) = &mut state.record.token else {
        return;
    };
    let palette = theme::palette(ui);
    let settings = &mut state.settings.record;
    widgets::hint(ui, "Name at the hub");
    let look = field::Look {
        name: "Name at the hub",
        hint: "user/dataset",
        rows: 1,
        about: "The account and the dataset's name; it is made if it is not there",
    };
    field::text(ui, &mut settings.hub_name, &look);
    widgets::hint(ui, "Access token");
    let hint = if view.token_known {
        "as HF_TOKEN says"
    } else {
        "may write; it is not kept"
    };
    let width = ui.available_width();
    let typed = TextEdit::singleline(token)
        .password(true)
        .hint_text(RichText::new(hint).color(palette.weak))
        .margin(field::MARGIN)
        .desired_width(width);
    let typed = ui.add(typed);
    typed.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Token"));
    field::check(ui, &mut settings.hub_private, "Only for me");
    let obstacle = export::obstacle(view)
        .or_else(|| named(&settings.hub_name).err())
        .or((token.trim().is_empty() && !view.token_known).then_some("A token is needed"));
    let (go, leave) = widgets::ends(ui, |ui| {
        let go = ui
            .add_enabled_ui(obstacle.is_none(), |ui| {
                widgets::filled_button(ui, "Upload", 72.0, palette.accent)
            })
            .inner;
        let go = match obstacle {
            Some(why) => go.on_disabled_hover_text(why),
            None => go.on_hover_text(format!("To {}", settings.hub)),
        };
        let size = vec2(64.0, theme::CONTROL_HEIGHT);
        let leave = ui.add(egui::Button::new("Cancel").min_size(size));
        (go.clicked(), leave.clicked())
    });
    if go {
        let config = UploadConfig {
            endpoint: settings.hub.clone(),
            repo_id: settings.hub_name.trim().to_owned(),
            private: settings.hub_private,
            token: token.trim().to_owned(),
        };
        let request = Request::Upload(Box::new(config));
        out.actions.push(PanelAction::Record(request));
    }
    if go || leave {
        state.record.token = None;
    }
}

/// Whether this can be a dataset's name at a hub.
fn named(name: &str) -> Result<(), &'static str> {
    let wrong = "The name is an account and a dataset: user/dataset";
    let (user, dataset) = name.trim().split_once('/').ok_or(wrong)?;
    let good = |part: &str| {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        !part.is_empty() && part.chars().all(letter)
    };
    if good(user) && good(dataset) {
        Ok(())
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_the_hub_have_two_parts() {
        assert!(named(" me/red_cube ").is_ok());
        for wrong in ["", "me", "me/", "/x", "me/a/b", "me/a b"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }
}
