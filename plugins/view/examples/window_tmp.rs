use bevy::prelude::*;
use forearm_protocol::control::{
    self, ArmState, Command, Event, JointState, StateUpdate, TeleopMode,
};
use forearm_protocol::scene::*;
use forearm_view::*;
use std::sync::Arc;
#[derive(Resource)]
struct B(Arc<SceneBundle>);
fn main() {
    let text = std::fs::read_to_string(std::env::var("SC").unwrap_or("/tmp/look/scene.ron".into()))
        .unwrap();
    let scene = Scene::from_ron("x", &text).unwrap();
    let b = Arc::new(SceneBundle {
        scene,
        models: Default::default(),
    });
    let q = std::env::var("Q").unwrap_or_default();
    let mut s = ViewSettings::default();
    if q == "high" {
        s.quality = Quality::High
    }
    if q == "noshadow" {
        s.shadows = false
    }
    s.joint_frames = std::env::var("JF").is_ok();
    s.target_frame = s.joint_frames;
    s.camera_frames = s.joint_frames;
    s.tool_gizmo = s.joint_frames;
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins.set(WindowPlugin {
            primary_window: Some(Window {
                resolution: (
                    std::env::var("WW").map_or(1280, |v| v.parse::<u32>().unwrap()),
                    720u32,
                )
                    .into(),
                present_mode: bevy::window::PresentMode::AutoNoVsync,
                ..default()
            }),
            ..default()
        }),
    )
    .add_plugins(ViewPlugin)
    .insert_resource(s)
    .insert_resource(B(b));
    if std::env::var("VP").is_ok() {
        app.insert_resource(ViewportRect(Some(Rect::new(300., 40., 980., 520.))));
    }
    if std::env::var("DIAG").is_ok() {
        app.add_plugins((
            bevy::render::diagnostic::RenderDiagnosticsPlugin,
            bevy::diagnostic::LogDiagnosticsPlugin::default(),
        ));
    }
    app.add_systems(Update, drive).run();
}
fn drive(
    mut n: Local<u32>,
    mut t0: Local<f64>,
    b: Res<B>,
    mut ev: MessageWriter<Event>,
    time: Res<Time<Real>>,
    mut exit: MessageWriter<AppExit>,
    mut c_: Commands,
    mut n0: Local<u32>,
    mut end: Local<u32>,
    mut pc: MessageWriter<CameraPreset>,
    mut feeds: ResMut<CameraFeeds>,
    mut cmds: MessageReader<Command>,
) {
    for m in cmds.read() {
        println!("{m:?}");
    }
    if *n == 0 {
        ev.write(Event::SceneLoaded {
            generation: 1,
            bundle: b.0.clone(),
        });
    }
    if *n == 3
        && let Ok(p) = std::env::var("PRE")
    {
        pc.write(match p.as_str() {
            "front" => CameraPreset::Front,
            "side" => CameraPreset::Side,
            "top" => CameraPreset::Top,
            "wrist" => CameraPreset::Wrist,
            _ => CameraPreset::Overview,
        });
    }
    let t = time.elapsed_secs_f64();
    if *n % 1 == 0 && *n > 0 {
        let base = [0.2, -0.4, 0.6, 0.9, 0.1, 0.5];
        let j = |k: usize| {
            let p = base[k] + 0.15 * (t * 1.5 + k as f64).sin();
            JointState {
                position: p,
                target: p + 0.2,
                ..default()
            }
        };
        ev.write(Event::State(Box::new(StateUpdate {
            scene_generation: 1,
            tick: *n as u64,
            time_secs: t,
            active: true,
            e_stopped: false,
            arms: vec![ArmState {
                backend: "sim".into(),
                connected: true,
                torque: true,
                mode: TeleopMode::Keyboard,
                joints: (0..6).map(j).collect(),
                limited: None,
            }],
            objects: b
                .0
                .scene
                .objects
                .iter()
                .map(|o| forearm_protocol::Pose {
                    position: o.position,
                    rotation: [0., 0., 0., 1.],
                })
                .collect(),
            timing: Default::default(),
            physics_step_secs: 0.,
            simulated_secs: 0.,
        })));
    }
    let st = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = st.rsplit(')').next().unwrap().split_whitespace().collect();
    let c: f64 = (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) / 100.;
    if t > 10.0 && *t0 == 0.0 {
        *t0 = c;
        *n0 = *n;
    }
    if t > 22.0 && *n < 100000 {
        println!(
            "cpu/frame {:.3} frames {}",
            (c - *t0) / ((*n - *n0) as f64),
            *n - *n0
        );
        *n += 100000;
        *end = *n;
        c_.spawn(bevy::render::view::screenshot::Screenshot::primary_window())
            .observe(bevy::render::view::screenshot::save_to_disk(
                std::env::var("OUT").unwrap_or("/tmp/look/win.png".into()),
            ));
    }
    if *end > 0 && *n > *end + 4 {
        exit.write(AppExit::Success);
    }
    if std::env::var("NOFEEDS").is_ok() {
        for f in &mut feeds.feeds {
            f.enabled = false
        }
    }
    *n += 1;
}
