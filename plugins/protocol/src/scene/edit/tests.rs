//! Every edit can be undone to the bit, what is written is read as the same scene, and nothing that
//! a hand or a form does makes a bad scene.

use proptest::prelude::*;

use super::add::Kind;
use super::*;
use crate::scene::{Backend, ObjectShape};
use crate::servo::SerialArm;

fn scene() -> Scene {
    let mut scene = add::empty_scene();
    for (kind, _) in Kind::ALL {
        scene = Edit::Add(kind.make(&scene))
            .apply(&scene)
            .expect("a new thing is good")
            .scene;
    }
    scene
}

fn items(scene: &Scene) -> Vec<Item> {
    let mut items = vec![Item::Scene, Item::Table];
    items.extend((0..scene.arms.len()).map(Item::Arm));
    items.extend((0..scene.objects.len()).map(Item::Object));
    items.extend(
        (0..scene.cameras.len()).flat_map(|index| [Item::Camera(index), Item::LookAt(index)]),
    );
    items.extend((0..scene.lights.len()).map(Item::Light));
    items
}

/// One of many edits, by numbers; good or not.
fn edit(scene: &Scene, which: u8, at: usize, value: f64, text: &str) -> Option<Edit> {
    let items = items(scene);
    let item = items[at % items.len()];
    Some(match which % 9 {
        0 => Edit::Add(Kind::ALL[at % Kind::ALL.len()].0.make(scene)),
        1 => Edit::Duplicate(item),
        2 => Edit::Remove(item),
        3 => moved(
            scene,
            item,
            Motion::Move([value, -value, 0.5 * value]),
            at.is_multiple_of(2),
        )?,
        4 => moved(
            scene,
            item,
            Motion::Turn {
                axis: [value, 0.3, 1.0],
                degrees: 90.0 * value,
            },
            at.is_multiple_of(2),
        )?,
        5 => moved(
            scene,
            item,
            Motion::Scale([value.exp(), 1.0, 0.5 + value.abs()]),
            at.is_multiple_of(2),
        )?,
        6 => Edit::About {
            name: text.to_owned(),
            description: text.repeat(3),
        },
        7 => {
            let mut arm = scene.arms[at % scene.arms.len()].clone();
            text.clone_into(&mut arm.name);
            arm.home_degrees.insert(text.to_owned(), 100.0 * value);
            if at.is_multiple_of(3) {
                arm.backend = Backend::Serial(SerialArm {
                    port: text.to_owned(),
                    id: Some(text.to_owned()),
                });
            }
            Edit::Arm(at % scene.arms.len(), arm)
        }
        _ => {
            let index = at % scene.objects.len().max(1);
            let mut object = scene.objects.get(index)?.clone();
            object.mass = value;
            object.color = [0.3 + value as f32, 0.1, 1.0 / 3.0];
            object.fixed = at.is_multiple_of(2);
            Edit::Object(index, object)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_step_is_undone_and_done_again_and_every_scene_is_read_as_written(
        edits in prop::collection::vec((any::<u8>(), 0..400_usize, -1.5..1.5_f64, "\\PC{0,6}|[a-z_]{1,8}"), 1..24),
    ) {
        let mut editor = Editor::new(scene(), true);
        let mut seen = vec![(**editor.scene()).clone()];
        for (which, at, value, text) in &edits {
            let before = (**editor.scene()).clone();
            let Some(edit) = edit(&before, *which, *at, *value, text) else { continue };
            match editor.apply(&edit) {
                Ok(_) => {
                    if *editor.scene().as_ref() != before {
                        seen.push((**editor.scene()).clone());
                    }
                }
                Err(problem) => {
                    prop_assert!(!problem.problem.is_empty());
                    prop_assert_eq!(editor.scene().as_ref(), &before, "a refused edit changes nothing");
                }
            }
            prop_assert_eq!(editor.scene().check(), Ok(()));
            let text = editor.scene().to_ron("mine.ron").map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&Scene::from_ron("mine.ron", &text).unwrap(), editor.scene().as_ref());
        }
        for before in seen.iter().rev().skip(1) {
            prop_assert!(editor.undo().is_some());
            prop_assert_eq!(editor.scene().as_ref(), before);
        }
        prop_assert!(editor.undo().is_none() && !editor.is_changed());
        for after in &seen[1..] {
            prop_assert!(editor.redo().is_some());
            prop_assert_eq!(editor.scene().as_ref(), after);
        }
        prop_assert!(editor.redo().is_none());
    }

    #[test]
    fn a_hand_never_makes_a_size_that_is_refused(
        at in 0..5_usize,
        factors in prop::array::uniform3(1e-9..1e9_f64),
        snap in any::<bool>(),
    ) {
        let scene = scene();
        let edit = moved(&scene, Item::Object(at), Motion::Scale(factors), snap).unwrap();
        let applied = edit.apply(&scene);
        prop_assert!(applied.is_ok(), "{applied:?}");
        let object = &applied.unwrap().scene.objects[at];
        prop_assert!(lowest(object).abs() < 2e-4, "it still stands on the table: {object:?}");
    }

    #[test]
    fn whatever_is_turned_can_be_put_on_the_table(at in 0..5_usize, angles in prop::array::uniform3(-180.0..180.0_f64)) {
        let scene = scene();
        let object = crate::scene::ObjectSpec { rotation_degrees: angles, ..scene.objects[at].clone() };
        prop_assert!(lowest(&on_table(&object)).abs() < 1e-5);
    }
}

#[test]
fn a_drag_is_one_step() {
    let mut editor = Editor::new(scene(), true);
    let before = (**editor.scene()).clone();
    for step in 1..=20 {
        let by = Motion::Move([0.001 * f64::from(step), 0.0, 0.0]);
        let edit = moved(editor.settled(), Item::Object(0), by, false).unwrap();
        editor.hold(&edit).unwrap();
        assert_eq!(
            editor.undo_name(),
            None,
            "nothing is a step before it is let go of"
        );
    }
    let x = before.objects[0].position[0];
    assert_eq!(
        editor.scene().objects[0].position[0],
        ((x + 0.02) * 1e5).round() / 1e5
    );
    assert!(
        !editor.is_changed(),
        "what is held is no change of the file's scene yet"
    );
    assert!(editor.release());
    assert!(editor.is_changed());
    assert_eq!(editor.undo_name(), Some("Move cube"));
    assert_eq!(editor.undo().as_deref(), Some("Move cube"));
    assert_eq!(**editor.scene(), before);
    assert!(!editor.is_changed());

    let edit = moved(
        &before,
        Item::Object(0),
        Motion::Move([0.0, 0.1, 0.0]),
        false,
    )
    .unwrap();
    editor.hold(&edit).unwrap();
    assert!(editor.cancel());
    assert_eq!(**editor.scene(), before);
    assert_eq!(
        editor.redo_name(),
        Some("Move cube"),
        "what was let go of is no step"
    );
    editor
        .hold(&Edit::Object(0, before.objects[0].clone()))
        .unwrap();
    assert!(!editor.release(), "back where it was: no step");
    assert_eq!(editor.redo_name(), Some("Move cube"));
}

#[test]
fn saved_is_a_scene_not_a_moment() {
    let mut editor = Editor::new(scene(), false);
    assert!(!editor.is_changed(), "a new scene is not worth a question");
    editor.apply(&Edit::Duplicate(Item::Object(0))).unwrap();
    assert!(editor.is_changed());
    editor.mark_saved();
    assert!(!editor.is_changed());
    editor.undo();
    assert!(editor.is_changed());
    editor.redo();
    assert!(!editor.is_changed());
}

#[test]
fn snapping_lands_on_the_grid_of_the_world() {
    let scene = scene();
    let Some(Edit::Object(_, cube)) = moved(
        &scene,
        Item::Object(0),
        Motion::Move([0.0123, 0.0, 0.0]),
        true,
    ) else {
        panic!("a cube can be moved");
    };
    let steps = cube.position[0] / MOVE_SNAP_M;
    assert!((steps - steps.round()).abs() < 1e-9, "{:?}", cube.position);
    assert_eq!(
        cube.position[1..],
        scene.objects[0].position[1..],
        "other axes stay"
    );
    let turn = Motion::Turn {
        axis: [0.0, 0.0, -1.0],
        degrees: 52.0,
    };
    let Some(Edit::Arm(_, arm)) = moved(&scene, Item::Arm(0), turn, true) else {
        panic!("an arm can be turned");
    };
    assert_eq!(arm.yaw_degrees, -45.0);
}

#[test]
fn new_things_have_names_and_places_of_their_own() {
    let mut scene = add::empty_scene();
    for _ in 0..12 {
        scene = Edit::Add(Kind::Cube.make(&scene))
            .apply(&scene)
            .unwrap()
            .scene;
    }
    let names: Vec<_> = scene
        .objects
        .iter()
        .map(|object| object.name.as_str())
        .collect();
    assert_eq!(&names[..3], ["cube", "cube_2", "cube_3"]);
    for (index, one) in scene.objects.iter().enumerate() {
        assert!(
            (one.position[2] - 0.015).abs() < 1e-9,
            "it stands on the table"
        );
        for other in &scene.objects[..index] {
            let apart =
                (one.position[0] - other.position[0]).hypot(one.position[1] - other.position[1]);
            assert!(
                apart > 0.03 * core::f64::consts::SQRT_2,
                "{one:?} {other:?}"
            );
        }
    }
    let applied = Edit::Duplicate(Item::Arm(0)).apply(&scene).unwrap();
    assert_eq!(applied.select, Some(Some(Item::Arm(1))));
    assert_eq!(applied.scene.arms[1].name, "follower_2");
    let [one, other] = [0, 1].map(|arm| applied.scene.arms[arm].position);
    assert!(
        (one[0] - other[0]).hypot(one[1] - other[1]) > 0.2,
        "{one:?} {other:?}"
    );
}

#[test]
fn cameras_follow_their_arm_and_go_with_it() {
    let scene = scene();
    let mut arm = scene.arms[0].clone();
    "left".clone_into(&mut arm.name);
    let applied = Edit::Arm(0, arm).apply(&scene).unwrap();
    assert_eq!(applied.name, "Rename follower");
    assert!(
        applied
            .scene
            .cameras
            .iter()
            .any(|camera| rides_on(camera, "left"))
    );
    let applied = Edit::Remove(Item::Arm(0)).apply(&applied.scene).unwrap();
    assert_eq!(applied.name, "Delete left and its camera");
    assert_eq!(applied.scene.cameras.len(), 1);
    let refused = Edit::Remove(Item::Arm(0))
        .apply(&applied.scene)
        .unwrap_err();
    assert_eq!(refused.field, "arms", "{refused}");
    assert!(Edit::Remove(Item::Table).apply(&scene).is_err());
}

#[test]
fn a_copy_of_a_real_arm_is_simulated() {
    let mut scene = add::empty_scene();
    let serial = |port: &str| SerialArm {
        port: port.to_owned(),
        id: None,
    };
    scene.arms[0].backend = Backend::Serial(serial("/dev/a"));
    scene.arms[0].leader = Some(serial("/dev/b"));
    let applied = Edit::Duplicate(Item::Arm(0)).apply(&scene).unwrap();
    assert_eq!(
        (
            &applied.scene.arms[1].backend,
            &applied.scene.arms[1].leader
        ),
        (&Backend::Sim, &None)
    );
}

#[test]
fn a_refusal_names_the_field() {
    let scene = scene();
    let mut object = scene.objects[1].clone();
    object.shape = ObjectShape::Box {
        size: [0.02, 3.0, 0.02],
    };
    let problem = Edit::Object(1, object).apply(&scene).unwrap_err();
    assert_eq!(problem.field, "objects[1].shape.size");
    assert!(problem.field.starts_with(&Item::Object(1).field()));
}

#[test]
fn files_are_written_as_people_write_them() {
    let mut scene = add::empty_scene();
    "a \"quoted\" \\ name\n\u{7}".clone_into(&mut scene.description);
    let text = scene.to_ron("mine.ron").unwrap();
    assert_eq!(
        text,
        "Scene(\n    name: \"New scene\",\n    description: \"a \\\"quoted\\\" \\\\ name\\n\\u{7}\",\n    \
         arms: [\n        (name: \"follower\"),\n    ],\n)\n"
    );
}
