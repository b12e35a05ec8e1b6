//! A stage for the panels without a window: demo inputs, frames, pointer and keys.

#![expect(dead_code, unreachable_pub, reason = "every test uses a part of it")]

pub mod devices;
pub mod raster;
pub mod record;
pub mod sight;
pub mod workers;

use std::sync::Arc;

use forearm_arm::so101::so101;
use forearm_panel::egui::{self, Color32, ColorImage, Context, Event, Rect, TextureId, pos2, vec2};
use forearm_panel::{
    ArmView, CameraFeed, Outbox, PanelInputs, PanelOutput, PanelState, SceneEntry, SceneView,
    ScriptEntry, layout,
};
use forearm_protocol::control::{self, ArmState, JointState, LoopTiming, StateUpdate, TeleopMode};
use raster::{Canvas, Textures};

/// A window without a window.
pub struct Stage {
    pub ctx: Context,
    pub size: egui::Vec2,
    pub time: f64,
    pub state: PanelState,
    pub inputs: PanelInputs,
    pub output: PanelOutput,
    pub full: Option<egui::FullOutput>,
    textures: Textures,
}

impl Stage {
    pub fn new(width: f32, height: f32, inputs: PanelInputs) -> Self {
        let ctx = Context::default();
        ctx.enable_accesskit();
        forearm_panel::theme::install_fonts(&ctx);
        let mut textures = Textures::default();
        textures.insert(TextureId::User(0), test_image([0.85, 0.35, 0.3]));
        textures.insert(TextureId::User(1), test_image([0.3, 0.5, 0.85]));
        textures.insert(TextureId::User(2), test_image([0.4, 0.75, 0.4]));
        Self {
            ctx,
            size: vec2(width, height),
            time: 0.0,
            state: PanelState::default(),
            inputs,
            output: PanelOutput::default(),
            full: None,
            textures,
        }
    }

    /// Draws a frame with these events, a sixtieth of a second after the last.
    pub fn frame(&mut self, events: Vec<Event>) -> Outbox {
        self.time += 1.0 / 60.0;
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), self.size)),
            time: Some(self.time),
            events,
            focused: true,
            ..egui::RawInput::default()
        };
        let mut out = Outbox::default();
        let Self {
            ctx,
            state,
            inputs,
            output,
            ..
        } = self;
        let full = ctx.run_ui(input, |ui| {
            *output = layout::show(ui, state, inputs, &mut out);
        });
        self.textures.update(&full.textures_delta);
        self.full = Some(full);
        out
    }

    /// Draws frames until animations have ended.
    pub fn settle(&mut self) {
        for _ in 0..30 {
            self.frame(Vec::new());
        }
    }

    pub fn click(&mut self, at: egui::Pos2) -> Outbox {
        self.frame(vec![Event::PointerMoved(at)]);
        let mut out = self.frame(vec![button(at, true)]);
        let released = self.frame(vec![button(at, false)]);
        out.commands.extend(released.commands);
        out.actions.extend(released.actions);
        out
    }

    pub fn press(&mut self, key: egui::Key) -> Outbox {
        self.press_with(key, egui::Modifiers::NONE)
    }

    pub fn press_with(&mut self, key: egui::Key, modifiers: egui::Modifiers) -> Outbox {
        let event = |pressed| Event::Key {
            key,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers,
        };
        let out = self.frame(vec![event(true)]);
        self.frame(vec![event(false)]);
        out
    }

    /// The middle of the widget that a screen reader calls so; the first of several.
    pub fn find(&self, name: &str) -> egui::Pos2 {
        self.try_find(name)
            .unwrap_or_else(|| panic!("no widget is called `{name}`"))
    }

    pub fn try_find(&self, name: &str) -> Option<egui::Pos2> {
        let update = self
            .full
            .as_ref()?
            .platform_output
            .accesskit_update
            .as_ref()?;
        update.nodes.iter().find_map(|(_, node)| {
            let bounds = node.bounds()?;
            let named = node.label() == Some(name) || node.value() == Some(name);
            let middle = pos2(
                ((bounds.x0 + bounds.x1) / 2.0) as f32,
                ((bounds.y0 + bounds.y1) / 2.0) as f32,
            );
            named.then_some(middle)
        })
    }

    /// Scrolls the arms' panel until this widget is in sight.
    pub fn reach(&mut self, name: &str) {
        let free = self.output.free_rect;
        let (over, rim) = if free.min.x > 0.0 {
            (pos2(40.0, 300.0), self.size.y - 72.0)
        } else {
            // A phone has it below the picture.
            (free.left_bottom() + vec2(40.0, 60.0), self.size.y - 64.0)
        };
        for _ in 0..100 {
            if self.find(name).y < rim {
                return;
            }
            let scroll = Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: vec2(0.0, -40.0),
                phase: egui::TouchPhase::Move,
                modifiers: egui::Modifiers::NONE,
            };
            self.frame(vec![Event::PointerMoved(over), scroll]);
            self.settle();
        }
        panic!("`{name}` can't be reached");
    }

    /// Where the widgets are that a screen reader has names for, and those names.
    pub fn widgets(&self) -> Vec<(Rect, String)> {
        let update = self
            .full
            .as_ref()
            .and_then(|full| full.platform_output.accesskit_update.as_ref());
        let nodes = update.into_iter().flat_map(|update| &update.nodes);
        nodes
            .filter_map(|(_, node)| {
                let bounds = node.bounds()?;
                let corner = |x: f64, y: f64| pos2(x as f32, y as f32);
                let rect =
                    Rect::from_min_max(corner(bounds.x0, bounds.y0), corner(bounds.x1, bounds.y1));
                Some((rect, node.label()?.to_owned()))
            })
            .collect()
    }

    /// The picture of the last frame.
    pub fn picture(&self) -> Canvas {
        let full = self.full.as_ref().expect("a frame was drawn");
        let mut canvas = Canvas::new(
            self.size.x as usize,
            self.size.y as usize,
            Color32::from_rgb(96, 104, 114),
        );
        let primitives = self.ctx.tessellate(full.shapes.clone(), 1.0);
        canvas.paint(&primitives, &self.textures);
        canvas
    }
}

pub fn button(pos: egui::Pos2, pressed: bool) -> Event {
    Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    }
}

fn test_image(tone: [f32; 3]) -> ColorImage {
    let (width, height) = (64, 48);
    let pixels = (0..width * height)
        .map(|index| {
            let (x, y) = (index % width, index / width);
            let light =
                0.35 + 0.5 * (y as f32 / height as f32) + 0.1 * ((x / 8 + y / 8) % 2) as f32;
            let [r, g, b] = tone.map(|part| (part * light * 255.0) as u8);
            Color32::from_rgb(r, g, b)
        })
        .collect();
    ColorImage::new([width, height], pixels)
}

/// A scene with these arms, all of them SO-101s.
pub fn scene(arms: &[&str]) -> SceneView {
    let model = Arc::new(so101());
    let arm = |name: &&str| ArmView {
        name: (*name).to_owned(),
        backend: "sim".to_owned(),
        model: Arc::clone(&model),
    };
    SceneView {
        generation: 1,
        name: "Pick and place".to_owned(),
        arms: arms.iter().map(arm).collect(),
    }
}

/// The state of these arms at a time: joints that wave, targets a little ahead.
pub fn update(inputs: &PanelInputs, time_secs: f64) -> StateUpdate {
    let arm = |view: &ArmView| ArmState {
        backend: "sim".to_owned(),
        connected: true,
        torque: true,
        mode: TeleopMode::Keyboard,
        joints: (0..view.model.dof())
            .map(|joint| {
                let limits = view.model.joints[joint].limits;
                let (middle, half) = (
                    (limits.lower + limits.upper) / 2.0,
                    (limits.upper - limits.lower) / 2.0,
                );
                let wave = |time: f64| {
                    middle + 0.4 * half * (time * (0.5 + 0.13 * joint as f64) + joint as f64).sin()
                };
                JointState {
                    position: wave(time_secs - 0.15),
                    target: wave(time_secs),
                    ..JointState::default()
                }
            })
            .collect(),
        ..ArmState::default()
    };
    StateUpdate {
        scene_generation: 1,
        tick: (time_secs * 120.0) as u64,
        time_secs,
        active: true,
        e_stopped: false,
        arms: inputs.arms().iter().map(arm).collect(),
        objects: Vec::new(),
        timing: LoopTiming {
            target_hz: 120.0,
            rate_hz: 119.98,
            jitter_mean_secs: 18.4e-6,
            jitter_p50_secs: 12.1e-6,
            jitter_p99_secs: 96.0e-6,
            jitter_max_secs: 412.0e-6,
            work_mean_secs: 87.0e-6,
            missed: 0,
        },
        physics_step_secs: 18.3e-6,
        simulated_secs: time_secs,
    }
}

/// Inputs as the app has them some seconds after start.
pub fn inputs(arms: &[&str]) -> PanelInputs {
    let feed = |name: &str, texture: u64| CameraFeed {
        name: name.to_owned(),
        texture: Some(TextureId::User(texture)),
        size: [640, 480],
        fps: 30.0,
        age_secs: 0.02,
    };
    let entry = |id: &str, name: &str| SceneEntry {
        id: id.to_owned(),
        name: name.to_owned(),
        description: "A scene".to_owned(),
    };
    let mut inputs = PanelInputs {
        scene: Some(scene(arms)),
        cameras: vec![feed("wrist", 0), feed("front", 1)],
        scenes: vec![
            entry("pick.ron", "Pick and place"),
            entry("two.ron", "Two arms"),
        ],
        scene_id: Some("pick.ron".to_owned()),
        scripts: vec![ScriptEntry {
            id: "pick".to_owned(),
            name: "pick_and_place".to_owned(),
        }],
        frame_rate: 60.0,
        control_host: "control: running on its own thread".to_owned(),
        ..PanelInputs::default()
    };
    for tick in 0..300 {
        let update = update(&inputs, f64::from(tick) / 20.0);
        assert_eq!(
            inputs.receive(&control::Event::State(Box::new(update))),
            None
        );
    }
    inputs
}
