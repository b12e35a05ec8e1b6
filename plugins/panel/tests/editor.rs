//! The scene editor's panels: what a person presses becomes the right edit, what is wrong stands at its
//! field, and keys that drive an arm stay away from it.

mod common;

use std::sync::Arc;

use common::{Stage, inputs};
use forearm_arm::so101::so101;
use forearm_panel::egui::{Event, Key, Modifiers, pos2};
use forearm_panel::{
    Answer, EditorAction, EditorTool, EditorView, Outbox, PanelAction, Question, SceneFolder,
};
use forearm_protocol::control::Command;
use forearm_protocol::scene::edit::add::{Kind, empty_scene};
use forearm_protocol::scene::edit::{Edit, Item};
use forearm_protocol::scene::{Scene, SceneProblem};

fn scene() -> Scene {
    let mut scene = empty_scene();
    for (kind, _) in Kind::ALL {
        let edit = Edit::Add(kind.make(&scene));
        scene = edit.apply(&scene).expect("a new thing is good").scene;
    }
    scene
}

fn view(selected: Option<Item>) -> EditorView {
    let scene = Arc::new(scene());
    let model = Arc::new(so101());
    EditorView {
        models: scene.arms.iter().map(|_| Arc::clone(&model)).collect(),
        scene,
        selected,
        tool: EditorTool::Move,
        snap: false,
        undo: Some("Move cube".to_owned()),
        redo: None,
        file: None,
        changed: true,
        problem: None,
        stays: None,
        folder: SceneFolder::default(),
        question: None,
    }
}

fn stage(selected: Option<Item>) -> Stage {
    let mut inputs = inputs(&["follower"]);
    inputs.can_edit = true;
    inputs.editor = Some(view(selected));
    let mut stage = Stage::new(1280.0, 720.0, inputs);
    stage.settle();
    stage
}

fn edits(out: &Outbox) -> Vec<&EditorAction> {
    let editor = out.actions.iter().filter_map(|action| match action {
        PanelAction::Editor(action) => Some(action),
        _ => None,
    });
    editor.collect()
}

#[test]
fn the_editor_is_entered_and_left() {
    let mut stage = stage(None);
    stage.inputs.editor = None;
    stage.settle();
    let out = stage.click(stage.find("Edit"));
    assert_eq!(edits(&out), [&EditorAction::Enter]);
    let out = stage.press(Key::F3);
    assert_eq!(edits(&out), [&EditorAction::Enter]);
    stage.inputs.editor = Some(view(None));
    stage.settle();
    let out = stage.click(stage.find("Done"));
    assert_eq!(edits(&out), [&EditorAction::Leave]);
}

#[test]
fn nothing_drives_and_the_emergency_stop_stays() {
    let mut stage = stage(None);
    stage.frame(Vec::new());
    assert!(stage.output.keyboard_captured, "keys are the editor's");
    assert!(!stage.output.record_keys);
    let out = stage.press(Key::F5);
    assert!(out.actions.is_empty() && out.commands.is_empty(), "{out:?}");
    let out = stage.click(stage.find("E-STOP"));
    assert_eq!(out.commands, [Command::EStop]);
    stage.inputs.editor.as_mut().unwrap().question = Some(Question::Unsaved);
    stage.settle();
    let out = stage.click(stage.find("E-STOP"));
    assert!(
        out.commands.contains(&Command::EStop),
        "also behind a question: {out:?}"
    );
}

#[test]
fn things_are_added_and_selected_in_the_list() {
    let mut stage = stage(None);
    stage.click(stage.find("Add"));
    stage.settle();
    let out = stage.click(stage.find("Ball"));
    let added = Edit::Add(Kind::Ball.make(&scene()));
    assert_eq!(edits(&out), [&EditorAction::Apply(added)]);
    stage.settle();
    let out = stage.click(stage.find("cylinder"));
    assert_eq!(edits(&out), [&EditorAction::Select(Some(Item::Object(2)))]);
}

#[test]
fn keys_are_those_of_editors() {
    let mut stage = stage(Some(Item::Object(0)));
    let command = Modifiers::COMMAND;
    let shift = Modifiers {
        shift: true,
        ..command
    };
    let cube = Item::Object(0);
    for (key, modifiers, wanted) in [
        (Key::Z, command, EditorAction::Undo),
        (Key::Z, shift, EditorAction::Redo),
        (Key::D, command, EditorAction::Apply(Edit::Duplicate(cube))),
        (
            Key::Delete,
            Modifiers::NONE,
            EditorAction::Apply(Edit::Remove(cube)),
        ),
        (
            Key::E,
            Modifiers::NONE,
            EditorAction::Tool(EditorTool::Turn),
        ),
        (
            Key::R,
            Modifiers::NONE,
            EditorAction::Tool(EditorTool::Scale),
        ),
    ] {
        let out = stage.press_with(key, modifiers);
        assert_eq!(edits(&out), [&wanted], "{key:?} with {modifiers:?}");
    }
}

#[test]
fn a_typed_number_is_an_edit_and_what_is_wrong_stands_at_its_field() {
    let mut stage = stage(Some(Item::Object(0)));
    let side = stage.find("Edge");
    stage.click(side);
    stage.frame(Vec::new());
    stage.frame(vec![Event::Text("41,5 mm".to_owned())]);
    let mut out = stage.press(Key::Enter);
    out.actions.extend(stage.frame(Vec::new()).actions);
    let actions = edits(&out);
    let Some(EditorAction::Apply(Edit::Object(0, cube))) = actions.first() else {
        panic!("{actions:?}");
    };
    assert_eq!(
        cube.shape,
        forearm_protocol::scene::ObjectShape::Cube { size: 0.0415 }
    );
    assert!(
        (cube.position[2] - 0.02075).abs() < 1e-9,
        "it still stands on the table: {cube:?}"
    );

    let before = stage.find("Mass").y;
    let problem = SceneProblem {
        field: "objects[0].shape.size".to_owned(),
        problem: "is 3".to_owned(),
    };
    stage.inputs.editor.as_mut().unwrap().problem = Some(problem);
    stage.settle();
    assert!(
        stage.find("Mass").y > before + 10.0,
        "there is room for what is wrong"
    );
}

#[test]
fn a_drag_holds_and_letting_go_makes_a_step() {
    let mut stage = stage(Some(Item::Object(0)));
    let mass = stage.find("Mass");
    stage.frame(vec![Event::PointerMoved(mass)]);
    stage.frame(vec![common::button(mass, true)]);
    let mut held = Vec::new();
    for step in 1..=6 {
        let to = pos2(mass.x + 8.0 * step as f32, mass.y);
        held.extend(stage.frame(vec![Event::PointerMoved(to)]).actions);
    }
    let holds = held
        .iter()
        .filter(|action| matches!(action, PanelAction::Editor(EditorAction::Hold(_))));
    assert!(holds.count() > 1, "{held:?}");
    assert!(held.iter().all(|action| !matches!(
        action,
        PanelAction::Editor(EditorAction::Release | EditorAction::Apply(_))
    )));
    let to = pos2(mass.x + 48.0, mass.y);
    let mut out = stage.frame(vec![common::button(to, false)]);
    out.actions.extend(stage.frame(Vec::new()).actions);
    assert_eq!(edits(&out), [&EditorAction::Release]);
}

#[test]
fn questions_are_answered() {
    let mut stage = stage(None);
    let editor = stage.inputs.editor.as_mut().unwrap();
    editor.question = Some(Question::Unsaved);
    editor.file = Some("mine.ron".to_owned());
    stage.settle();
    for (button, answer) in [
        ("Save", Answer::Save),
        ("Don't save", Answer::GoOn),
        ("Cancel", Answer::Cancel),
    ] {
        let out = stage.click(stage.find(button));
        assert_eq!(edits(&out), [&EditorAction::Answer(answer)], "{button}");
    }
}

#[test]
fn every_form_fits_its_panel() {
    let scene = scene();
    let mut items = vec![Item::Scene, Item::Table, Item::LookAt(0)];
    items.extend((0..scene.arms.len()).map(Item::Arm));
    items.extend((0..scene.objects.len()).map(Item::Object));
    items.extend((0..scene.cameras.len()).map(Item::Camera));
    items.extend((0..scene.lights.len()).map(Item::Light));
    let mut stage = stage(None);
    for size in [(1280.0, 720.0), (1024.0, 700.0), (360.0, 740.0)] {
        stage.size = size.into();
        for item in &items {
            stage.inputs.editor.as_mut().unwrap().selected = Some(*item);
            let out = stage.frame(Vec::new());
            assert!(
                edits(&out).is_empty(),
                "a form that is shown changes nothing: {item:?} {out:?}"
            );
            stage.settle();
            let narrow = stage.output.free_rect;
            assert!(
                narrow.width() > 300.0 && narrow.height() > 200.0,
                "{narrow:?} for {item:?}"
            );
            for (rect, name) in stage.widgets() {
                assert!(
                    rect.max.x <= stage.size.x + 0.5 && rect.min.x >= -0.5,
                    "`{name}` at {rect:?}, {item:?}"
                );
            }
        }
    }
}
