//! The scene editor, driven by messages as panels and picture send them: what the control service hears,
//! what is shown, and what is in files.

use std::path::Path;
use std::sync::Arc;

use bevy::prelude::*;
use forearm::desk::Desk;
use forearm::editor::{EditorPlugin, SceneEditor};
use forearm::files;
use forearm_control::ControlRequest;
use forearm_panel::{
    Answer, EditorAction, EditorView, PanelAction, PanelInputs, PanelState, Question,
};
use forearm_protocol::control::{
    ArmState, Event as ControlEvent, LoopTiming, Request, StateUpdate,
};
use forearm_protocol::scene::edit::{Edit, Item, Motion, moved};
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_view::editor::{EditedScene, EditorHand};

use crate::app::{App as Program, root, scratch};

/// The app without a window, as far as the editor needs it.
struct Bench(App);

impl Bench {
    /// With this scene loaded; its arms are driven, each by this.
    fn new(backend: &str) -> Self {
        let mut app = App::new();
        app.init_resource::<PanelInputs>()
            .init_resource::<PanelState>()
            .init_resource::<EditedScene>()
            .init_resource::<Desk>()
            .add_message::<ControlEvent>()
            .add_message::<ControlRequest>()
            .add_message::<PanelAction>()
            .init_resource::<Heard>()
            .add_plugins(EditorPlugin)
            .add_systems(Last, hear);
        let mut bench = Self(app);
        let loaded = files::load_scene_file(&root().join("scenes/pick_and_place.ron"));
        bench.loaded(loaded.expect("a good scene").bundle);
        bench.0.world_mut().resource_mut::<Desk>().state = Some(Box::new(state(backend)));
        bench
    }

    fn loaded(&mut self, bundle: Arc<SceneBundle>) {
        let loaded = ControlEvent::SceneLoaded {
            generation: 1,
            bundle,
        };
        self.0.world_mut().write_message(loaded);
        self.0.update();
    }

    fn act(&mut self, action: EditorAction) {
        self.0
            .world_mut()
            .write_message(PanelAction::Editor(action));
        self.0.update();
        self.0.update();
    }

    fn hand(&mut self, hand: EditorHand) {
        self.0.world_mut().write_message(hand);
        self.0.update();
    }

    /// What the control service was asked since the last call.
    fn requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.0.world_mut().resource_mut::<Heard>().0)
    }

    fn view(&self) -> &EditorView {
        let inputs = self.0.world().resource::<PanelInputs>();
        inputs.editor.as_ref().expect("the editor is open")
    }

    fn shown(&self) -> &EditedScene {
        self.0.world().resource::<EditedScene>()
    }

    fn said(&self) -> Vec<String> {
        let panel = self.0.world().resource::<PanelState>();
        panel.toasts.texts().map(str::to_owned).collect()
    }

    fn move_cube(&mut self) {
        let scene = Arc::clone(&self.view().scene);
        let by = Motion::Move([0.02, 0.0, 0.0]);
        let edit = moved(&scene, Item::Object(0), by, false).expect("a cube can be moved");
        self.act(EditorAction::Apply(edit));
    }
}

/// All that the control service was asked; messages themselves are forgotten after two frames.
#[derive(Resource, Default)]
struct Heard(Vec<Request>);

fn hear(mut requests: MessageReader<ControlRequest>, mut heard: ResMut<Heard>) {
    let requests = requests
        .read()
        .map(|ControlRequest(request)| request.clone());
    heard.0.extend(requests);
}

fn state(backend: &str) -> StateUpdate {
    StateUpdate {
        scene_generation: 1,
        tick: 1,
        time_secs: 1.0,
        active: true,
        e_stopped: false,
        arms: vec![ArmState {
            backend: backend.to_owned(),
            ..ArmState::default()
        }],
        objects: Vec::new(),
        timing: LoopTiming::default(),
        physics_step_secs: 0.0,
        simulated_secs: 0.0,
    }
}

fn read(path: &Path) -> Scene {
    let text = std::fs::read_to_string(path).expect("it was written");
    Scene::from_ron("saved", &text).expect("a saved scene is good")
}

#[test]
fn a_drag_is_shown_at_once_and_loaded_when_the_editor_is_left() {
    let mut bench = Bench::new("sim");
    bench.act(EditorAction::Enter);
    assert_eq!(
        bench.requests(),
        [Request::Stop],
        "nobody drives what is not in sight"
    );
    let before = Arc::clone(&bench.view().scene);
    for step in 1..=5 {
        let by = Motion::Move([0.004 * f64::from(step), 0.0, 0.0]);
        let edit = moved(&before, Item::Object(0), by, false).expect("a cube can be moved");
        bench.hand(EditorHand::Hold(Box::new(edit)));
        let shown = bench
            .shown()
            .shown
            .as_ref()
            .expect("it is shown")
            .bundle
            .scene
            .clone();
        let x = before.objects[0].position[0] + 0.004 * f64::from(step);
        assert!(
            (shown.objects[0].position[0] - x).abs() < 1e-9,
            "{:?}",
            shown.objects[0]
        );
    }
    assert_eq!(bench.view().undo, None);
    bench.hand(EditorHand::Release);
    assert_eq!(
        bench.view().undo.as_deref(),
        Some("Move cube"),
        "a drag is one step"
    );
    assert_eq!(
        bench.requests(),
        [],
        "the control service hears of nothing yet"
    );
    let after = Arc::clone(&bench.view().scene);

    bench.act(EditorAction::Leave);
    let requests = bench.requests();
    let [Request::LoadScene(bundle), Request::Start] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(bundle.scene, *after);
    assert!(
        bench.shown().shown.is_none() && bench.shown().keep,
        "no other scene flashes up"
    );
    bench.loaded(Arc::clone(bundle));

    bench.act(EditorAction::Enter);
    assert_eq!(
        bench.view().undo.as_deref(),
        Some("Move cube"),
        "its steps are still there"
    );
    bench.requests();
    bench.act(EditorAction::Undo);
    assert_eq!(bench.view().scene, before);
    bench.act(EditorAction::Redo);
    bench.act(EditorAction::Leave);
    assert_eq!(
        bench.requests(),
        [Request::Start],
        "what is loaded is not loaded again"
    );
}

#[test]
fn a_real_arm_is_left_alone() {
    let mut bench = Bench::new("/dev/ttyACM0");
    bench.act(EditorAction::Enter);
    assert!(
        bench
            .view()
            .stays
            .as_ref()
            .is_some_and(|why| why.contains("real arm"))
    );
    bench.move_cube();
    assert_eq!(bench.requests(), [Request::Stop], "it holds");
    bench.act(EditorAction::Leave);
    assert_eq!(
        bench.requests(),
        [],
        "loading would let it go limp, starting would let it move"
    );
    assert!(
        bench.shown().shown.is_none() && !bench.shown().keep,
        "its own scene is shown again"
    );
    bench.act(EditorAction::Enter);
    assert_eq!(
        bench.view().undo.as_deref(),
        Some("Move cube"),
        "nothing is lost"
    );
}

#[test]
fn what_is_wrong_is_told_at_its_field_and_not_taken() {
    let mut bench = Bench::new("sim");
    bench.act(EditorAction::Enter);
    bench.requests();
    let before = Arc::clone(&bench.view().scene);
    let mut heavy = before.objects[0].clone();
    heavy.mass = 1e6;
    bench.act(EditorAction::Apply(Edit::Object(0, heavy)));
    let problem = bench.view().problem.clone().expect("it is told");
    assert_eq!(problem.field, "objects[0].mass");
    assert_eq!(
        (&bench.view().scene, bench.view().undo.as_ref()),
        (&before, None)
    );
    // What only the whole scene's check finds: a joint that the arm lacks.
    let mut arm = before.arms[0].clone();
    arm.home_degrees.insert("tentacle".to_owned(), 1.0);
    bench.act(EditorAction::Apply(Edit::Arm(0, arm)));
    let problem = bench.view().problem.clone().expect("it is told");
    assert!(problem.problem.contains("tentacle"), "{problem}");
    assert_eq!(bench.view().scene, before);
    bench.act(EditorAction::Leave);
    assert_eq!(bench.requests(), [Request::Start]);
}

#[test]
fn a_saved_scene_opens_as_it_was_and_nothing_is_replaced_unasked() {
    let folder = scratch("editor");
    let file = folder.join("mine.ron");
    std::fs::remove_file(&file).ok();
    let path = file.to_string_lossy().into_owned();
    let mut bench = Bench::new("sim");
    bench.act(EditorAction::Enter);
    bench.move_cube();
    assert!(bench.view().changed);
    bench.act(EditorAction::SaveAs(path.clone()));
    assert!(!bench.view().changed, "{:?}", bench.said());
    assert_eq!(bench.view().file.as_deref(), Some("mine.ron"));
    assert_eq!(read(&file), *bench.view().scene);
    // The real program reads it too.
    Program::new(["scene", "check", &path])
        .run()
        .assert_success();

    // Its own file is saved without a question, another one is not.
    bench.act(EditorAction::Apply(Edit::Duplicate(Item::Object(0))));
    bench.act(EditorAction::Save);
    assert_eq!(read(&file).objects.len(), 5);
    let other = folder.join("other.ron");
    std::fs::write(&other, "mine, too").expect("the folder can be written");
    let elsewhere = other.to_string_lossy().into_owned();
    bench.act(EditorAction::SaveAs(elsewhere.clone()));
    assert!(matches!(bench.view().question, Some(Question::Replace(_))));
    bench.act(EditorAction::Answer(Answer::Cancel));
    assert_eq!(
        std::fs::read_to_string(&other).expect("it is there"),
        "mine, too"
    );
    bench.act(EditorAction::SaveAs(elsewhere));
    bench.act(EditorAction::Answer(Answer::GoOn));
    assert_eq!(read(&other), *bench.view().scene);

    // A scene that comes with the program stays what it is.
    let bundled = folder.join("bundled.ron");
    std::fs::copy(root().join("scenes/empty.ron"), &bundled).expect("it can be copied");
    let before = std::fs::read(&bundled).expect("it is there");
    bench.act(EditorAction::SaveAs(bundled.to_string_lossy().into_owned()));
    assert_eq!(std::fs::read(&bundled).expect("it is there"), before);
    assert!(
        bench
            .said()
            .iter()
            .any(|text| text.contains("comes with Forearm")),
        "{:?}",
        bench.said()
    );

    // Opened again, it is the same, and what replaces it is asked for.
    bench.act(EditorAction::Open(path));
    assert_eq!(*bench.view().scene, read(&file));
    assert_eq!(bench.view().scene.objects.len(), 5);
    bench.move_cube();
    bench.act(EditorAction::New);
    assert_eq!(bench.view().question, Some(Question::Unsaved));
    bench.act(EditorAction::Answer(Answer::Cancel));
    assert_eq!(bench.view().scene.objects.len(), 5);
    bench.act(EditorAction::New);
    bench.act(EditorAction::Answer(Answer::GoOn));
    assert_eq!(bench.view().scene.objects.len(), 0);
    assert!(!bench.0.world().resource::<SceneEditor>().is_changed());
    let missing = folder.join("missing.ron").to_string_lossy().into_owned();
    bench.act(EditorAction::Open(missing));
    assert!(
        bench.said().iter().any(|text| text.contains("missing.ron")),
        "{:?}",
        bench.said()
    );
}
