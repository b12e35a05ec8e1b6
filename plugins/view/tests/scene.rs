//! Scenes and states become entities in the right places, without a window and without a GPU.

use std::sync::Arc;

use bevy::asset::AssetPlugin;
use bevy::prelude::*;
use bevy::window::{ExitCondition, WindowPlugin};
use forearm_arm::{ArmModel, kinematics, so101::so101};
use forearm_protocol::Pose;
use forearm_protocol::control::{ArmState, Event, JointState, LoopTiming, StateUpdate, TeleopMode};
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_view::frames::bevy_from_world;
use forearm_view::{CameraFeeds, GhostMode, LoadedScene, ViewPlugin, ViewSettings};

const SCENE: &str = r#"(
    name: "two arms",
    arms: [
        (name: "left", position: (0.0, 0.2, 0.0), yaw_degrees: 90.0),
        (name: "right", position: (0.1, -0.2, 0.0)),
    ],
    objects: [(name: "cube", shape: Cube(size: 0.03), position: (0.3, 0.0, 0.015))],
    cameras: [
        (name: "wrist", mount: Link(arm: "right", link: "gripper_link",
            position: (0.0, 0.05, -0.04), rotation_degrees: (-30.0, 0.0, 0.0))),
        (name: "front", mount: World(position: (0.8, 0.0, 0.4), look_at: (0.0, 0.0, 0.1))),
    ],
)"#;

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((
        MinimalPlugins,
        bevy::transform::TransformPlugin,
        bevy::input::InputPlugin,
        WindowPlugin {
            primary_window: None,
            exit_condition: ExitCondition::DontExit,
            ..default()
        },
        AssetPlugin::default(),
        bevy::image::ImagePlugin::default(),
        bevy::mesh::MeshPlugin,
        bevy::camera::CameraPlugin,
        bevy::light::LightPlugin,
        bevy::gizmos::GizmoPlugin,
    ))
    .init_asset::<StandardMaterial>()
    .add_plugins(ViewPlugin);
    app
}

fn bundle() -> Arc<SceneBundle> {
    let scene = Scene::from_ron("test", SCENE).expect("the scene is good");
    Arc::new(SceneBundle::from(scene))
}

fn load(app: &mut App, generation: u64) {
    app.world_mut().write_message(Event::SceneLoaded {
        generation,
        bundle: bundle(),
    });
    app.update();
}

fn state(generation: u64, right: &[f64], target: &[f64], cube: [f64; 3]) -> Event {
    let arm = |positions: &[f64], targets: &[f64]| ArmState {
        backend: "sim".into(),
        connected: true,
        torque: true,
        mode: TeleopMode::Keyboard,
        joints: positions
            .iter()
            .zip(targets)
            .map(|(&position, &target)| JointState {
                position,
                target,
                ..default()
            })
            .collect(),
        ..default()
    };
    let home = so101().home;
    Event::State(Box::new(StateUpdate {
        scene_generation: generation,
        tick: 1,
        time_secs: 1.0,
        active: true,
        e_stopped: false,
        arms: vec![arm(&home, &home), arm(right, target)],
        objects: vec![Pose {
            position: cube,
            ..Pose::IDENTITY
        }],
        timing: LoopTiming::default(),
        physics_step_secs: 0.0,
        simulated_secs: 0.0,
    }))
}

/// Where the entities with this name are.
fn places(app: &mut App, name: &str) -> Vec<GlobalTransform> {
    let mut query = app.world_mut().query::<(&Name, &GlobalTransform)>();
    query
        .iter(app.world())
        .filter(|(candidate, _)| candidate.as_str() == name)
        .map(|(_, place)| *place)
        .collect()
}

/// Where the right arm's gripper is in Bevy's world.
fn expected_gripper(model: &ArmModel, joints: &[f64]) -> Vec3 {
    let mut poses = Vec::new();
    kinematics::link_poses(model, joints, &mut poses);
    let gripper = poses[model.link_index("gripper_link").expect("there is one")];
    let position = gripper.translation.vector.cast::<f32>();
    bevy_from_world() * (Vec3::new(0.1, -0.2, 0.0) + Vec3::new(position.x, position.y, position.z))
}

fn has(places: &[GlobalTransform], expected: Vec3) -> bool {
    places
        .iter()
        .any(|place| place.translation().abs_diff_eq(expected, 1e-5))
}

#[test]
fn arms_and_objects_are_where_the_state_says() {
    let mut app = app();
    load(&mut app, 1);
    let joints = [0.3, -0.5, 0.6, 0.4, -1.0, 0.8];
    app.world_mut()
        .write_message(state(1, &joints, &joints, [0.25, 0.05, 0.1]));
    app.update();
    let expected = expected_gripper(&so101(), &joints);
    let grippers = places(&mut app, "gripper_link");
    assert_eq!(grippers.len(), 2);
    assert!(has(&grippers, expected), "{grippers:?} lacks {expected}");
    let cube = bevy_from_world() * Vec3::new(0.25, 0.05, 0.1);
    assert!(has(&places(&mut app, "Object cube"), cube));
    // The wrist camera rides along.
    let camera = places(&mut app, "Camera wrist")[0].translation();
    assert!((camera.distance(expected) - 0.05_f32.hypot(0.04)).abs() < 1e-4);
}

#[test]
fn before_the_first_state_everything_is_at_home() {
    let mut app = app();
    load(&mut app, 1);
    let model = so101();
    let expected = expected_gripper(&model, &model.home);
    assert!(has(&places(&mut app, "gripper_link"), expected));
}

#[test]
fn states_of_another_scene_move_nothing() {
    let mut app = app();
    load(&mut app, 2);
    let joints = [0.3, -0.5, 0.6, 0.4, -1.0, 0.8];
    app.world_mut()
        .write_message(state(1, &joints, &joints, [0.25, 0.05, 0.1]));
    app.update();
    assert!(!has(
        &places(&mut app, "gripper_link"),
        expected_gripper(&so101(), &joints)
    ));
}

#[test]
fn a_second_scene_leaves_nothing_of_the_first() {
    let mut app = app();
    load(&mut app, 1);
    let count = |app: &mut App| {
        let mut query = app.world_mut().query::<&Name>();
        query.iter(app.world()).count()
    };
    let before = count(&mut app);
    load(&mut app, 2);
    assert_eq!(count(&mut app), before);
    assert_eq!(app.world().resource::<LoadedScene>().generation, 2);
    assert_eq!(app.world().resource::<CameraFeeds>().feeds.len(), 2);
}

#[test]
fn the_ghost_shows_only_what_is_not_where_it_should_be() {
    let mut app = app();
    load(&mut app, 1);
    let home = so101().home;
    let mut target = home.clone();
    target[4] += 0.2;
    app.world_mut()
        .write_message(state(1, &home, &target, [0.3, 0.0, 0.015]));
    app.update();
    let shown = |app: &mut App, name: &str| {
        let mut query = app.world_mut().query::<(&Name, &Visibility)>();
        query
            .iter(app.world())
            .filter(|(candidate, visibility)| {
                candidate.as_str() == name && **visibility != Visibility::Hidden
            })
            .count()
    };
    // The wrist's roll is behind the forearm and before the gripper; only one arm has a ghost.
    assert_eq!(shown(&mut app, "gripper_link ghost"), 1);
    assert_eq!(shown(&mut app, "lower_arm_link ghost"), 0);
    app.world_mut().resource_mut::<ViewSettings>().ghost = GhostMode::Off;
    app.update();
    assert_eq!(shown(&mut app, "gripper_link ghost"), 0);
}

#[test]
fn a_real_arm_that_is_not_where_its_twin_is_has_a_twin_on_show() {
    let mut app = app();
    load(&mut app, 1);
    let home = so101().home;
    let mut twin = home.clone();
    twin[0] += 0.3;
    let Event::State(mut update) = state(1, &home, &home, [0.3, 0.0, 0.015]) else {
        panic!("a state is no other event");
    };
    update.arms[1].twin = Some(twin.clone());
    app.world_mut().write_message(Event::State(update));
    app.update();
    let mut query = app
        .world_mut()
        .query::<(&Name, &Visibility, &GlobalTransform)>();
    let shown: Vec<_> = query
        .iter(app.world())
        .filter(|(name, visibility, _)| {
            name.as_str() == "gripper_link twin" && **visibility != Visibility::Hidden
        })
        .map(|(.., place)| *place)
        .collect();
    assert_eq!(shown.len(), 1, "only one arm is real");
    assert!(has(&shown, expected_gripper(&so101(), &twin)), "{shown:?}");
    app.world_mut().resource_mut::<ViewSettings>().twin = false;
    app.update();
    let visible = query.iter(app.world()).any(|(name, visibility, _)| {
        name.as_str().ends_with(" twin") && *visibility != Visibility::Hidden
    });
    assert!(!visible);
}

#[test]
fn one_camera_draws_in_a_frame() {
    let mut app = app();
    load(&mut app, 1);
    for _ in 0..5 {
        app.update();
        let mut query = app.world_mut().query::<(&Name, &Camera)>();
        let active = query
            .iter(app.world())
            .filter(|(name, camera)| name.as_str().starts_with("Camera ") && camera.is_active)
            .count();
        assert!(active <= 1);
    }
    let feeds = &app.world().resource::<CameraFeeds>().feeds;
    assert!(feeds.iter().all(|feed| feed.last_render_secs.is_some()));
}
