//! The scene editor's panels: what is in the scene at the left, what is selected at the right, tools
//! in the picture, files in the bar at the top.
//!
//! They show an [`EditorView`] that the app fills in, and ask for [`EditorAction`]s; the scene itself,
//! its steps and its file are the app's.

mod bar;
mod dialogs;
mod fields;
mod inspector;
mod outline;
mod tools;

use std::sync::Arc;

use egui::{Frame, Key, Margin, Modifiers, Panel, Rect, ScrollArea, Ui};
use forearm_arm::ArmModel;
use forearm_protocol::scene::edit::{Edit, Item};
use forearm_protocol::scene::{Scene, SceneProblem};

use crate::actions::{Outbox, PanelAction};
use crate::function_keys;
use crate::inputs::PanelInputs;
use crate::narrow;
use crate::recording::RecordView;
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

pub(crate) use dialogs::show as dialogs;
pub(crate) use tools::show as tools;

/// Widths of the panels at the sides, points.
const LIST_WIDTH: f32 = 248.0;
const FORM_WIDTH: f32 = 320.0;

/// A scene that is being edited.
#[derive(Debug, Clone)]
pub struct EditorView {
    /// The scene as it is shown.
    pub scene: Arc<Scene>,
    /// One model for each of its arms.
    pub models: Vec<Arc<ArmModel>>,
    /// What is selected.
    pub selected: Option<Item>,
    /// What the handles in the picture do.
    pub tool: EditorTool,
    /// Whether they snap.
    pub snap: bool,
    /// What can be taken back, and what can be done again.
    pub undo: Option<String>,
    /// The step that can be done again.
    pub redo: Option<String>,
    /// Its file's name; `None` if it has none.
    pub file: Option<String>,
    /// Whether it differs from its file.
    pub changed: bool,
    /// What was wrong with what a person wanted last.
    pub problem: Option<SceneProblem>,
    /// Why the scene can't be loaded when the editor is left, if it can't.
    pub stays: Option<String>,
    /// Where files are looked for.
    pub folder: SceneFolder,
    /// What must be answered before something is lost or replaced.
    pub question: Option<Question>,
}

/// A place with scene files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SceneFolder {
    /// Its path; empty where files have no folders, as in a browser.
    pub path: String,
    /// The folder that it is in.
    pub parent: Option<String>,
    /// Folders in it: name and path.
    pub folders: Vec<(String, String)>,
    /// Scene files in it: name and path.
    pub files: Vec<(String, String)>,
    /// What was wrong with it.
    pub problem: Option<String>,
    /// Whether files are kept by the browser: scenes can be given to it and had from it.
    pub in_browser: bool,
}

/// Something to be answered with [`EditorAction::Answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// There are changes that no file has; what is asked for would lose them.
    Unsaved,
    /// There is such a file already.
    Replace(String),
}

/// An answer to a [`Question`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on, whatever is lost.
    GoOn,
    /// Save first, then go on.
    Save,
    /// Leave all as it is.
    Cancel,
}

/// What the handles in the picture do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EditorTool {
    /// Move.
    #[default]
    Move,
    /// Turn.
    Turn,
    /// Resize.
    Scale,
}

/// What a person asks of the editor.
#[derive(Debug, Clone, PartialEq)]
pub enum EditorAction {
    /// Edit the scene that is loaded.
    Enter,
    /// Go back to driving, with the scene as it is now.
    Leave,
    /// Select this.
    Select(Option<Item>),
    /// Have the handles do this.
    Tool(EditorTool),
    /// Have the handles snap, or not.
    Snap(bool),
    /// Show the scene with this edit, which is no step yet.
    Hold(Edit),
    /// Make what is held a step.
    Release,
    /// Make this a step.
    Apply(Edit),
    /// Take a step back.
    Undo,
    /// Do it again.
    Redo,
    /// Begin a new scene.
    New,
    /// Open this file.
    Open(String),
    /// Have the browser ask its person for a scene file, and open it.
    Upload,
    /// Save the scene in its file.
    Save,
    /// Save the scene in this file.
    SaveAs(String),
    /// Have the browser save the scene as a file.
    Download,
    /// List this folder's scene files.
    List(String),
    /// The answer to [`EditorView::question`].
    Answer(Answer),
}

/// What the editor's panels remember.
#[derive(Debug, Default)]
pub(crate) struct EditorPanel {
    /// The dialog that is open.
    dialog: Option<dialogs::Dialog>,
    /// What is being typed: of what, in which field.
    draft: Option<(Item, &'static str, String)>,
    /// Whether an edit is held.
    held: bool,
}

impl Outbox {
    pub(crate) fn edit(&mut self, action: EditorAction) {
        self.actions.push(PanelAction::Editor(action));
    }
}

/// Goes into the editor, or out of it.
pub(crate) fn toggle(inputs: &PanelInputs, out: &mut Outbox) {
    if inputs.editor.is_some() {
        out.edit(EditorAction::Leave);
    } else if inputs.can_edit && obstacle(inputs).is_none() {
        out.edit(EditorAction::Enter);
    }
}

/// Draws the panels around the picture; answers with what is left for it.
pub(crate) fn show(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    view: &EditorView,
    out: &mut Outbox,
) -> Rect {
    let palette = theme::palette(ui);
    let bare = Frame::new().fill(palette.panel);
    let is_narrow = ui.available_width() < narrow::WIDTH;
    let height = if is_narrow { narrow::BAR } else { 44.0 };
    Panel::top("editor_bar")
        .exact_size(height)
        .show_separator_line(false)
        .frame(bare.inner_margin(Margin::symmetric(12, 0)))
        .show(ui, |ui| bar::show(ui, state, inputs, view, out));
    if is_narrow {
        let tall = (0.45 * ui.available_height()).round();
        Panel::bottom("editor_sheet")
            .exact_size(tall)
            .show_separator_line(false)
            .frame(bare.inner_margin(Margin::same(12)))
            .show(ui, |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    outline::show(ui, view, out);
                    ui.add_space(8.0);
                    widgets::hairline(ui);
                    ui.add_space(8.0);
                    inspector::show(ui, state, inputs, view, out);
                });
            });
    } else {
        Panel::left("editor_list")
            .exact_size(LIST_WIDTH)
            .show_separator_line(false)
            .frame(bare.inner_margin(Margin::same(12)))
            .show(ui, |ui| {
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| outline::show(ui, view, out));
            });
        Panel::right("editor_form")
            .exact_size(FORM_WIDTH)
            .show_separator_line(false)
            .frame(bare.inner_margin(Margin::same(12)))
            .show(ui, |ui| {
                ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| inspector::show(ui, state, inputs, view, out));
            });
    }
    // A hand that has let go of a field or a colour has made a step.
    if state.editor.held && !ui.input(|input| input.pointer.any_down()) {
        state.editor.held = false;
        out.edit(EditorAction::Release);
    }
    ui.available_rect_before_wrap()
}

/// Keys of the editor, while no field has the keyboard.
pub(crate) fn keys(ui: &Ui, state: &mut PanelState, view: &EditorView, out: &mut Outbox) {
    if view.question.is_some() || state.editor.dialog.is_some() {
        return;
    }
    let (plain, command) = (Modifiers::NONE, Modifiers::COMMAND);
    let both = Modifiers {
        shift: true,
        ..command
    };
    let pressed =
        |modifiers: Modifiers, key: Key| ui.input_mut(|input| input.consume_key(modifiers, key));
    // The longer first: without Shift, the shorter would take them.
    if pressed(both, Key::Z) || pressed(command, Key::Y) {
        out.edit(EditorAction::Redo);
    }
    if pressed(command, Key::Z) {
        out.edit(EditorAction::Undo);
    }
    // A browser keeps these for itself.
    if !cfg!(target_family = "wasm") {
        if pressed(both, Key::S) {
            dialogs::save_as(state, view, out);
        } else if pressed(command, Key::S) {
            save(state, view, out);
        }
        if pressed(command, Key::O) {
            dialogs::open(state, view, out);
        }
    }
    if let Some(item) = view.selected {
        if pressed(command, Key::D) {
            out.edit(EditorAction::Apply(Edit::Duplicate(item)));
        }
        if pressed(plain, Key::Delete) {
            out.edit(EditorAction::Apply(Edit::Remove(item)));
        }
    }
    for (key, tool) in [
        (Key::W, EditorTool::Move),
        (Key::E, EditorTool::Turn),
        (Key::R, EditorTool::Scale),
    ] {
        if pressed(plain, key) {
            out.edit(EditorAction::Tool(tool));
        }
    }
}

/// Saves the scene in its file, or asks for one.
pub(crate) fn save(state: &mut PanelState, view: &EditorView, out: &mut Outbox) {
    if view.file.is_some() {
        out.edit(EditorAction::Save);
    } else {
        dialogs::save_as(state, view, out);
    }
}

/// Draws the button that begins to edit.
pub(crate) fn enter_button(ui: &mut Ui, inputs: &PanelInputs, out: &mut Outbox) {
    if !inputs.can_edit {
        return;
    }
    let why = obstacle(inputs);
    let button = ui.add_enabled(why.is_none(), egui::Button::new("Edit"));
    let about = format!(
        "Edit the scene: add, move and colour things ({})",
        function_keys::EDIT.1
    );
    let button = button.on_disabled_hover_text(why.unwrap_or_default());
    if button.on_hover_text(about).clicked() {
        toggle(inputs, out);
    }
}

/// Why the scene can't be edited now.
fn obstacle(inputs: &PanelInputs) -> Option<&'static str> {
    let recording = inputs.record.as_ref().is_some_and(RecordView::in_episode);
    match &inputs.scene {
        None => Some("No scene is loaded"),
        Some(_) if recording => Some("An episode is being recorded: finish it first"),
        Some(_) => None,
    }
}
