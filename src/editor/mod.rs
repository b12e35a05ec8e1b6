//! The scene editor: which scene is edited, its steps, its file.
//!
//! While a scene is edited the arms hold where they are (driving is stopped) and the picture shows the
//! edited scene, standing still; the control service hears of nothing. When the editor is left it loads
//! the scene, once. A real arm is never touched: while one is connected no scene is loaded, for loading
//! lets it go limp.
//!
//! In: [`PanelAction::Editor`], [`EditorHand`], the control service's events. Out: [`EditedScene`] for the
//! picture, [`PanelInputs::editor`] for the panels, [`ControlRequest`]s.

mod session;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

use std::sync::Arc;

use bevy::prelude::*;
use bevy::window::WindowCloseRequested;
use forearm_control::ControlRequest;
use forearm_panel::{
    Answer, EditorAction, EditorTool, PanelAction, PanelInputs, PanelState, Question,
};
use forearm_protocol::control::{Event as ControlEvent, Notice, NoticeLevel, Request, StateUpdate};
use forearm_protocol::scene::edit::add::empty_scene;
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_view::ViewSystems;
use forearm_view::editor::{EditTool, Edited, EditedScene, EditorHand};

use crate::desk::Desk;
use crate::files::LoadedScene;

#[cfg(not(target_family = "wasm"))]
use native as place;
#[cfg(target_family = "wasm")]
use web as place;

use session::Session;

/// Why nothing is loaded while a real arm is connected.
const REAL_ARM: &str = "A real arm is connected: loading another scene would let it go limp. The scene \
                        stays here and can be saved; choose Simulated on the arm's card to try it.";

/// Edits scenes.
#[derive(Debug)]
pub struct EditorPlugin;

impl Plugin for EditorPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<SceneEditor>()
            .add_message::<EditorHand>()
            .add_message::<WindowCloseRequested>()
            .add_systems(Startup, |mut inputs: ResMut<PanelInputs>| {
                inputs.can_edit = true;
            })
            .add_systems(
                Update,
                (
                    hear_control,
                    take_actions,
                    take_hands,
                    take_files,
                    guard_window,
                    show,
                )
                    .chain()
                    .before(ViewSystems::Receive),
            );
    }
}

/// The scene that is edited, or was: its steps stay until another scene is chosen.
#[derive(Resource, Default)]
pub struct SceneEditor {
    session: Option<Session>,
    /// Whether the editor is open.
    open: bool,
    /// The control service's scene.
    live: Option<Arc<SceneBundle>>,
    /// Whether it is loading the edited scene.
    loading: bool,
    /// Whether arms were driven when the editor was opened.
    was_active: bool,
    /// What goes on when a question is answered.
    pending: Option<(Question, Pending)>,
    /// Whether panels and picture have to be told.
    stale: bool,
    /// What is to be sent, and said.
    requests: Vec<Request>,
    notices: Vec<Notice>,
}

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq)]
enum Pending {
    New,
    Open(String),
    Upload,
    Select(String),
    SaveAs(String),
    Quit,
}

impl SceneEditor {
    /// Whether there are changes that no file has.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.editor.is_changed())
    }

    /// Whether a scene is being edited.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The scene as it is shown, while there is one.
    #[must_use]
    pub fn scene(&self) -> Option<&Arc<Scene>> {
        self.session.as_ref().map(|session| session.editor.scene())
    }

    /// Whether another scene may be loaded now; else a person is asked, and it is loaded then.
    pub(crate) fn may_select(&mut self, id: &str) -> bool {
        if self.is_changed() {
            self.ask(Question::Unsaved, Pending::Select(id.to_owned()));
            return false;
        }
        self.close();
        self.session = None;
        true
    }

    fn ask(&mut self, question: Question, pending: Pending) {
        self.pending = Some((question, pending));
        self.open = true;
        self.stale = true;
    }

    fn close(&mut self) {
        self.open = false;
        self.stale = true;
    }

    fn say(&mut self, level: NoticeLevel, text: String) {
        self.notices.push(Notice { level, text });
    }

    fn enter(&mut self, scene_id: &str, active: bool) {
        let Some(live) = self.live.clone() else {
            return;
        };
        let same = self
            .session
            .as_ref()
            .is_some_and(|session| session.loaded == live.scene);
        if !same {
            match Session::new(live, place::origin(scene_id)) {
                Ok(session) => self.session = Some(session),
                Err(error) => {
                    self.say(
                        NoticeLevel::Error,
                        format!("The scene can't be edited: {error:#}"),
                    );
                    return;
                }
            }
        }
        // Nobody should drive what is not in sight.
        self.was_active = active;
        if active {
            self.requests.push(Request::Stop);
        }
        self.open = true;
        self.stale = true;
    }

    /// Goes back to driving; with the edited scene unless a real arm is `connected`.
    fn leave(&mut self, connected: bool) {
        let Some(session) = &mut self.session else {
            return;
        };
        session.editor.release();
        let scene = session.editor.settled();
        let start = self.was_active && !connected;
        if session.loaded == **scene || connected {
            if start {
                self.requests.push(Request::Start);
            }
            self.close();
            return;
        }
        match session.whole() {
            Ok(loaded) => {
                session.loaded.clone_from(&loaded.bundle.scene);
                let real = uses_real_arms(&loaded.bundle.scene);
                self.requests.push(Request::LoadScene(loaded.bundle));
                // Real arms begin only when a person says so.
                if start && !real {
                    self.requests.push(Request::Start);
                }
                self.loading = true;
                self.close();
            }
            Err(problem) => {
                session.problem = Some(problem);
                self.stale = true;
            }
        }
    }

    fn begin(&mut self, loaded: LoadedScene, origin: place::Origin) {
        match Session::new(loaded.bundle, origin) {
            Ok(mut session) => {
                // Whatever control has, it is not this one.
                session.loaded.name.clear();
                self.session = Some(session);
                self.open = true;
                for note in loaded.notes {
                    self.say(NoticeLevel::Warning, note);
                }
            }
            Err(error) => self.say(NoticeLevel::Error, format!("{error:#}")),
        }
        self.stale = true;
    }

    fn begin_new(&mut self) {
        let bundle = Arc::new(SceneBundle::from(empty_scene()));
        let loaded = LoadedScene {
            bundle,
            notes: Vec::new(),
        };
        self.begin(loaded, place::Origin::default());
    }

    /// Saves under this name; asks before another file is replaced.
    fn save_as(&mut self, path: &str, replace: bool) -> bool {
        let Some(session) = &mut self.session else {
            return false;
        };
        session.editor.release();
        match session.save(path, replace) {
            Ok(()) => {
                let text = format!("Saved as {}.", session.origin.shown().unwrap_or_default());
                self.say(NoticeLevel::Info, text);
                self.stale = true;
                true
            }
            Err(place::SaveError::Exists(file)) => {
                self.ask(Question::Replace(file), Pending::SaveAs(path.to_owned()));
                false
            }
            Err(place::SaveError::Failed(error)) => {
                self.say(
                    NoticeLevel::Error,
                    format!("The scene is not saved: {error:#}"),
                );
                false
            }
        }
    }

    /// Does `pending` at once, or asks if it would lose changes.
    fn unless_changed(&mut self, pending: Pending, actions: &mut Vec<PanelAction>) {
        if self.is_changed() {
            self.ask(Question::Unsaved, pending);
        } else {
            self.go_on(pending, actions);
        }
    }

    fn go_on(&mut self, pending: Pending, actions: &mut Vec<PanelAction>) {
        match pending {
            Pending::New => self.begin_new(),
            Pending::Open(path) => place::open(&path),
            Pending::Upload => place::upload(),
            Pending::Select(id) => {
                self.session = None;
                self.close();
                actions.push(PanelAction::SelectScene(id));
            }
            Pending::SaveAs(path) => {
                self.save_as(&path, true);
            }
            Pending::Quit => {
                self.session = None;
                self.close();
            }
        }
    }

    fn answer(&mut self, answer: Answer, actions: &mut Vec<PanelAction>) -> Option<Pending> {
        let (_, pending) = self.pending.take()?;
        self.stale = true;
        match answer {
            Answer::Cancel => return None,
            Answer::GoOn => {}
            Answer::Save => {
                let file = self
                    .session
                    .as_ref()
                    .and_then(|session| session.origin.path());
                let Some(file) = file else {
                    let text = "The scene has no file yet: choose Save as first.".to_owned();
                    self.say(NoticeLevel::Warning, text);
                    return None;
                };
                if !self.save_as(&file, true) {
                    return None;
                }
            }
        }
        self.go_on(pending.clone(), actions);
        Some(pending)
    }
}

/// What the control service tells.
fn hear_control(mut events: MessageReader<ControlEvent>, mut editor: ResMut<SceneEditor>) {
    for event in events.read() {
        match event {
            ControlEvent::SceneLoaded { bundle, .. } => {
                editor.live = Some(Arc::clone(bundle));
                editor.loading = false;
            }
            // What could not be loaded goes out of sight again.
            ControlEvent::Notice(notice)
                if editor.loading && notice.level == NoticeLevel::Error =>
            {
                editor.loading = false;
                editor.open = editor.session.is_some();
                editor.stale = true;
            }
            _ => {}
        }
    }
}

/// What the panels ask for.
fn take_actions(
    mut reader: MessageReader<PanelAction>,
    mut editor: ResMut<SceneEditor>,
    mut desk: ResMut<Desk>,
    mut inputs: ResMut<PanelInputs>,
    mut panel: ResMut<PanelState>,
    mut requests: MessageWriter<ControlRequest>,
    mut commands: Commands,
) {
    let mut further = Vec::new();
    let editor = &mut *editor;
    for action in reader.read() {
        let PanelAction::Editor(action) = action else {
            continue;
        };
        editor.stale = true;
        let connected = desk.state.as_deref().is_some_and(is_real);
        match action {
            EditorAction::Enter => {
                let active = desk.state.as_ref().is_some_and(|state| state.active);
                editor.enter(desk.scene_id(), active);
            }
            EditorAction::Leave => {
                editor.leave(connected);
                if let (true, Some(session)) = (editor.loading, &mut editor.session) {
                    let id = session.origin.reference();
                    desk.adopt(id.clone(), session.bundle(), &mut inputs);
                    panel.settings.last_scene = id.or(panel.settings.last_scene.take());
                }
            }
            EditorAction::New => editor.unless_changed(Pending::New, &mut further),
            EditorAction::Open(path) => {
                editor.unless_changed(Pending::Open(path.clone()), &mut further);
            }
            EditorAction::Upload => editor.unless_changed(Pending::Upload, &mut further),
            EditorAction::Save => {
                let file = editor
                    .session
                    .as_ref()
                    .and_then(|session| session.origin.path());
                if let Some(file) = file {
                    editor.save_as(&file, true);
                }
            }
            EditorAction::SaveAs(path) => {
                editor.save_as(path, false);
            }
            EditorAction::Answer(answer) => {
                if editor.answer(*answer, &mut further) == Some(Pending::Quit) {
                    commands.write_message(AppExit::Success);
                }
            }
            other => {
                if let Some(session) = &mut editor.session
                    && let Err(error) = session.act(other)
                {
                    editor.say(NoticeLevel::Error, format!("{error:#}"));
                }
            }
        }
    }
    for action in further {
        commands.write_message(action);
    }
    for request in editor.requests.drain(..) {
        requests.write(ControlRequest(request));
    }
    for notice in editor.notices.drain(..) {
        panel.notify(notice);
    }
}

/// What hands do in the picture.
fn take_hands(mut hands: MessageReader<EditorHand>, mut editor: ResMut<SceneEditor>) {
    let editor = &mut *editor;
    let Some(session) = editor.session.as_mut().filter(|_| editor.open) else {
        hands.clear();
        return;
    };
    for hand in hands.read() {
        editor.stale = true;
        match hand {
            EditorHand::Pick(item) => session.select(*item),
            EditorHand::Hold(edit) => session.hold(edit),
            EditorHand::Release => session.release(),
            EditorHand::Cancel => {
                session.editor.cancel();
                session.problem = None;
            }
        }
    }
}

/// Files that were asked for and have come.
fn take_files(mut editor: ResMut<SceneEditor>) {
    while let Some(opened) = place::opened() {
        match opened {
            Ok((loaded, origin)) => editor.begin(loaded, origin),
            Err(error) => {
                let text = format!("The scene can't be opened: {error:#}");
                editor.say(NoticeLevel::Error, text);
            }
        }
    }
}

/// Asks before the window closes on changes that no file has.
fn guard_window(
    mut requests: MessageReader<WindowCloseRequested>,
    mut editor: ResMut<SceneEditor>,
    mut commands: Commands,
) {
    for request in requests.read() {
        let asked = matches!(editor.pending, Some((_, Pending::Quit)));
        if editor.is_changed() && !asked {
            editor.ask(Question::Unsaved, Pending::Quit);
        } else {
            // Who closes it twice means it.
            commands.entity(request.window).try_despawn();
        }
    }
}

/// Tells panels and picture.
fn show(
    mut editor: ResMut<SceneEditor>,
    desk: Res<Desk>,
    mut edited: ResMut<EditedScene>,
    mut inputs: ResMut<PanelInputs>,
    mut panel: ResMut<PanelState>,
) {
    for notice in editor.notices.drain(..) {
        panel.notify(notice);
    }
    if !std::mem::take(&mut editor.stale) {
        return;
    }
    place::guard(editor.is_changed());
    let question = editor
        .pending
        .as_ref()
        .map(|(question, _)| question.clone());
    let stays = desk
        .state
        .as_deref()
        .is_some_and(is_real)
        .then(|| REAL_ARM.to_owned());
    let loading = editor.loading;
    let open = editor.open;
    let Some(session) = editor.session.as_mut().filter(|_| open) else {
        inputs.editor = None;
        *edited = EditedScene {
            shown: None,
            keep: loading,
        };
        return;
    };
    let mut view = session.view();
    view.question = question;
    view.stays = stays;
    *edited = EditedScene {
        shown: Some(Edited {
            bundle: session.bundle(),
            models: view.models.clone(),
            selected: view.selected,
            tool: match view.tool {
                EditorTool::Move => EditTool::Move,
                EditorTool::Turn => EditTool::Turn,
                EditorTool::Scale => EditTool::Scale,
            },
            snap: view.snap,
        }),
        keep: false,
    };
    inputs.editor = Some(view);
}

/// Whether a real arm is connected, or a leader.
fn is_real(state: &StateUpdate) -> bool {
    state.arms.iter().any(|arm| {
        let pretended = arm.backend == "sim" || arm.backend.starts_with("replay");
        !pretended || arm.leader.is_some()
    })
}

fn uses_real_arms(scene: &Scene) -> bool {
    scene
        .arms
        .iter()
        .any(|arm| arm.backend.serial().is_some() || arm.leader.is_some())
}
