//! The form of what is selected.

use egui::{Button, RichText, Ui, vec2};
use forearm_arm::JointKind;
use forearm_protocol::scene::edit::{Edit, Item, on_table, resized};
use forearm_protocol::scene::{CameraMount, LightSpec, ModelRef, ObjectShape, Scene};

use super::fields::{DEGREES, Form, GRAMS, GRAVITY, HERTZ, LUMENS, LUX, MM, PLAIN, WHOLE, trouble};
use super::{EditorAction, EditorView};
use crate::actions::Outbox;
use crate::cameras;
use crate::inputs::PanelInputs;
use crate::state::PanelState;
use crate::theme;
use crate::widgets;

/// Sizes of pictures that are offered.
const RESOLUTIONS: [([u32; 2], &str); 5] = [
    ([320, 240], "320 × 240"),
    ([640, 480], "640 × 480"),
    ([800, 600], "800 × 600"),
    ([1280, 720], "1280 × 720"),
    ([1920, 1080], "1920 × 1080"),
];

pub(super) fn show(
    ui: &mut Ui,
    state: &mut PanelState,
    inputs: &PanelInputs,
    view: &EditorView,
    out: &mut Outbox,
) {
    let Some(item) = view.selected.filter(|item| view.scene.has(*item)) else {
        widgets::empty(
            ui,
            "Nothing is selected",
            "Click something in the picture or in the list.",
        );
        if let Some(problem) = &view.problem {
            trouble(ui, &format!("{} {}", problem.field, problem.problem));
        }
        return;
    };
    header(ui, view, item, out);
    ui.spacing_mut().item_spacing.y = 6.0;
    if let Item::Camera(index) | Item::LookAt(index) = item
        && let Some(feed) = inputs
            .cameras
            .iter()
            .find(|feed| feed.name == view.scene.cameras[index].name)
    {
        let most = vec2(ui.available_width(), 190.0);
        cameras::feed_ui(ui, inputs, feed, most);
        ui.add_space(4.0);
    }
    let mut form = Form {
        ui,
        view,
        panel: &mut state.editor,
        item,
        changed: false,
        told: false,
    };
    let edit = match item {
        Item::Scene => scene(&mut form),
        Item::Table => table(&mut form),
        Item::Arm(index) => arm(&mut form, index),
        Item::Object(index) => object(&mut form, index),
        Item::Camera(index) => camera(&mut form, index),
        Item::LookAt(index) => look_at(&mut form, index),
        Item::Light(index) => light(&mut form, index),
    };
    let told = form.told;
    if let Some(edit) = edit {
        // While a hand is down it is not done yet.
        if ui.input(|input| input.pointer.any_down()) {
            state.editor.held = true;
            out.edit(EditorAction::Hold(edit));
        } else {
            out.edit(EditorAction::Apply(edit));
        }
    }
    if let Some(problem) = view.problem.as_ref().filter(|_| !told) {
        ui.add_space(4.0);
        trouble(ui, &format!("{} {}", problem.field, problem.problem));
    }
    ui.add_space(12.0);
}

fn header(ui: &mut Ui, view: &EditorView, item: Item, out: &mut Outbox) {
    let (kind, once) = match item {
        Item::Scene => ("Scene", true),
        Item::Table => ("Table", true),
        Item::Arm(_) => ("Arm", false),
        Item::Object(_) => ("Object", false),
        Item::Camera(_) => ("Camera", false),
        Item::LookAt(_) => ("Where the camera looks", true),
        Item::Light(_) => ("Light", false),
    };
    widgets::sides(
        ui,
        |ui| {
            widgets::title(ui, kind);
        },
        |ui| {
            if once {
                return;
            }
            let danger = theme::palette(ui).danger;
            let delete = Button::new(RichText::new("Delete").color(danger));
            if ui
                .add(delete)
                .on_hover_text("Take it out of the scene (Del)")
                .clicked()
            {
                out.edit(EditorAction::Apply(Edit::Remove(item)));
            }
            if ui
                .button("Duplicate")
                .on_hover_text("The same once more (Ctrl+D)")
                .clicked()
            {
                out.edit(EditorAction::Apply(Edit::Duplicate(item)));
            }
        },
    );
    if let Item::Arm(index) = item
        && view.scene.arms[index].backend.serial().is_some()
    {
        let palette = theme::palette(ui);
        let text = "A real arm. It does not move while the scene is edited; its place here is where \
                    the picture and the simulation have it.";
        widgets::note(ui, text, palette.warning);
    }
    ui.add_space(4.0);
}

fn object(form: &mut Form<'_>, index: usize) -> Option<Edit> {
    let scene = form.view.scene.clone();
    let old = scene.objects.get(index)?;
    let mut new = old.clone();
    if let Some(name) = form.text(
        "Name",
        "name",
        &old.name,
        "Unique among the scene's objects",
    ) {
        new.name = name;
        return Some(Edit::Object(index, new));
    }
    let kinds = [
        (Shape::Cube, "Cube"),
        (Shape::Box, "Box"),
        (Shape::Cylinder, "Cylinder"),
        (Shape::Ball, "Ball"),
        (Shape::Tray, "Tray"),
    ];
    let mut shape = new.shape;
    if let Some(kind) = form.choice("Shape", Shape::of(&shape), &kinds) {
        shape = kind.fitting(&shape);
        form.changed = true;
    }
    match &mut shape {
        ObjectShape::Cube { size } => form.number("Edge", "shape.size", size, MM),
        ObjectShape::Box { size } => form.numbers("Sides, mm", "shape.size", size, MM),
        ObjectShape::Cylinder { radius, height } => {
            form.number("Radius", "shape.radius", radius, MM);
            form.number("Height", "shape.height", height, MM);
        }
        ObjectShape::Ball { radius } => form.number("Radius", "shape.radius", radius, MM),
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => {
            form.numbers("Inside", "shape.inner", inner, MM);
            form.number("Height", "shape.height", height, MM);
            form.number("Walls", "shape.wall", wall, MM);
        }
    }
    if shape != new.shape {
        new = resized(&new, shape);
    }
    form.numbers("Place, mm", "position", &mut new.position, MM);
    form.numbers(
        "Turned, °",
        "rotation_degrees",
        &mut new.rotation_degrees,
        DEGREES,
    );
    if widgets::wide_button(form.ui, "Put on the table")
        .on_hover_text("Move it up or down until it stands")
        .clicked()
    {
        new = on_table(&new);
        form.changed = true;
    }
    widgets::hairline(form.ui);
    form.color("color", &mut new.color);
    form.number("Mass", "mass", &mut new.mass, GRAMS);
    form.number("Friction", "friction", &mut new.friction, PLAIN);
    form.switch(&mut new.fixed, "Fastened to the table");
    (form.changed && new != *old).then_some(Edit::Object(index, new))
}

/// The kinds of shapes.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Cube,
    Box,
    Cylinder,
    Ball,
    Tray,
}

impl Shape {
    fn of(shape: &ObjectShape) -> Self {
        match shape {
            ObjectShape::Cube { .. } => Self::Cube,
            ObjectShape::Box { .. } => Self::Box,
            ObjectShape::Cylinder { .. } => Self::Cylinder,
            ObjectShape::Ball { .. } => Self::Ball,
            ObjectShape::Tray { .. } => Self::Tray,
        }
    }

    /// A shape of this kind about as large as another one.
    fn fitting(self, other: &ObjectShape) -> ObjectShape {
        let size = match *other {
            ObjectShape::Cube { size } => [size; 3],
            ObjectShape::Box { size } => size,
            ObjectShape::Cylinder { radius, height } => [2.0 * radius, 2.0 * radius, height],
            ObjectShape::Ball { radius } => [2.0 * radius; 3],
            ObjectShape::Tray { inner, height, .. } => [inner[0], inner[1], height],
        };
        let [x, y, z] = size;
        match self {
            Self::Cube => ObjectShape::Cube {
                size: x.min(y).min(z),
            },
            Self::Box => ObjectShape::Box { size },
            Self::Cylinder => ObjectShape::Cylinder {
                radius: 0.5 * x.min(y),
                height: z,
            },
            Self::Ball => ObjectShape::Ball {
                radius: 0.5 * x.min(y).min(z),
            },
            Self::Tray => {
                let height = z.max(0.01);
                ObjectShape::Tray {
                    inner: [x.max(0.02), y.max(0.02)],
                    height,
                    wall: (0.004_f64).min(0.4 * height),
                }
            }
        }
    }
}

fn arm(form: &mut Form<'_>, index: usize) -> Option<Edit> {
    let scene = form.view.scene.clone();
    let old = scene.arms.get(index)?;
    let mut new = old.clone();
    if let Some(name) = form.text(
        "Name",
        "name",
        &old.name,
        "Unique among the scene's arms; LeRobot's robot id",
    ) {
        new.name = name;
        return Some(Edit::Arm(index, new));
    }
    let model = match &old.model {
        ModelRef::So101 => "SO-101",
        ModelRef::File(file) => file.as_str(),
    };
    let strong = theme::palette(form.ui).strong;
    widgets::value_row(form.ui, "Model", model, theme::mono(), strong);
    let backend = old.backend.to_string();
    widgets::value_row(form.ui, "Moved by", &backend, theme::mono(), strong)
        .on_hover_text("The card of the arm chooses it, when the editor is left");
    form.numbers("Place, mm", "position", &mut new.position, MM);
    form.number("Turned", "yaw_degrees", &mut new.yaw_degrees, DEGREES);
    form.color("color", &mut new.color);
    let Some(model) = form.view.models.get(index).cloned() else {
        return (form.changed && new != *old).then_some(Edit::Arm(index, new));
    };
    widgets::hairline(form.ui);
    widgets::hint(form.ui, "Where its joints start");
    for (joint, home) in model.joints.iter().zip(&model.home) {
        let (usual, unit) = match joint.kind {
            JointKind::Revolute => (home.to_degrees(), DEGREES),
            JointKind::Prismatic => (*home, MM),
        };
        let usual = (usual * 100.0).round() / 100.0;
        let before = old.home_degrees.get(&joint.name).copied().unwrap_or(usual);
        let mut value = before;
        form.number(short(&joint.name), "", &mut value, unit);
        if value != before {
            new.home_degrees.insert(joint.name.clone(), value);
        }
    }
    form.tell("home_degrees");
    if !new.home_degrees.is_empty()
        && widgets::wide_button(form.ui, "Start as the model does").clicked()
    {
        new.home_degrees.clear();
        form.changed = true;
    }
    (form.changed && new != *old).then_some(Edit::Arm(index, new))
}

/// A joint's name as it fits beside its number.
fn short(name: &str) -> &str {
    match name {
        "shoulder_pan" => "pan",
        "shoulder_lift" => "lift",
        "elbow_flex" => "elbow",
        "wrist_flex" => "wrist",
        "wrist_roll" => "roll",
        other => other,
    }
}

fn camera(form: &mut Form<'_>, index: usize) -> Option<Edit> {
    let scene = form.view.scene.clone();
    let old = scene.cameras.get(index)?;
    let mut new = old.clone();
    if let Some(name) = form.text(
        "Name",
        "name",
        &old.name,
        "Unique among the scene's cameras; LeRobot's camera key",
    ) {
        new.name = name;
        return Some(Edit::Camera(index, new));
    }
    let on_link = matches!(new.mount, CameraMount::Link { .. });
    if let Some(on_link) = form.choice(
        "Mount",
        on_link,
        &[(false, "In the room"), (true, "On an arm")],
    ) {
        new.mount = other_mount(&scene, on_link)?;
        return Some(Edit::Camera(index, new));
    }
    match &mut new.mount {
        CameraMount::World { position, look_at } => {
            form.numbers("Place, mm", "mount.position", position, MM);
            form.numbers("Looks at, mm", "mount.look_at", look_at, MM);
        }
        CameraMount::Link {
            arm,
            link,
            position,
            rotation_degrees,
        } => {
            let at = scene
                .arms
                .iter()
                .position(|known| known.name == *arm)
                .unwrap_or(0);
            let arms: Vec<(usize, &str)> = scene
                .arms
                .iter()
                .map(|arm| arm.name.as_str())
                .enumerate()
                .collect();
            if let Some(picked) = form.choice("Arm", at, &arms) {
                scene.arms[picked].name.clone_into(arm);
                form.changed = true;
            }
            form.tell("mount.arm");
            if let Some(model) = form.view.models.get(at).cloned() {
                let links: Vec<(usize, &str)> = model
                    .links
                    .iter()
                    .map(|link| link.name.as_str())
                    .enumerate()
                    .collect();
                let on = model.link_index(link).unwrap_or(usize::MAX);
                if let Some(picked) = form.choice("Link", on, &links) {
                    model.links[picked].name.clone_into(link);
                    form.changed = true;
                }
            }
            form.numbers("Place, mm", "mount.position", position, MM);
            form.numbers(
                "Turned, °",
                "mount.rotation_degrees",
                rotation_degrees,
                DEGREES,
            );
        }
    }
    widgets::hairline(form.ui);
    form.number("View", "fov_y_degrees", &mut new.fov_y_degrees, DEGREES);
    let other = [(new.resolution, "as below")];
    let known = RESOLUTIONS.iter().any(|(size, _)| *size == new.resolution);
    let choices: Vec<_> = RESOLUTIONS
        .iter()
        .copied()
        .chain(other.into_iter().filter(|_| !known))
        .collect();
    if let Some(picked) = form.choice("Picture", new.resolution, &choices) {
        new.resolution = picked;
        form.changed = true;
    }
    let mut pixels = new.resolution.map(f64::from);
    form.numbers("Pixels", "resolution", &mut pixels, WHOLE);
    new.resolution = pixels.map(|side| side.clamp(0.0, 1e6) as u32);
    form.number("Rate", "fps", &mut new.fps, HERTZ);
    (form.changed && new != *old).then_some(Edit::Camera(index, new))
}

/// A mount of the other kind where such a camera usually is.
fn other_mount(scene: &Scene, on_link: bool) -> Option<CameraMount> {
    use forearm_protocol::scene::edit::Thing;
    use forearm_protocol::scene::edit::add::Kind;
    let kind = if on_link {
        Kind::WristCamera
    } else {
        Kind::Camera
    };
    match kind.make(scene) {
        Thing::Camera(camera) => Some(camera.mount),
        Thing::Arm(_) | Thing::Object(_) | Thing::Light(_) => None,
    }
}

fn look_at(form: &mut Form<'_>, index: usize) -> Option<Edit> {
    let scene = form.view.scene.clone();
    let old = scene.cameras.get(index)?;
    let mut new = old.clone();
    let CameraMount::World { look_at, .. } = &mut new.mount else {
        return None;
    };
    form.numbers("Place, mm", "mount.look_at", look_at, MM);
    widgets::hint(form.ui, "Move it with the arrows: the camera follows it.");
    (form.changed && new != *old).then_some(Edit::Camera(index, new))
}

fn light(form: &mut Form<'_>, index: usize) -> Option<Edit> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Sun,
        Lamp,
        Ambient,
    }
    let scene = form.view.scene.clone();
    let old = scene.lights.get(index)?;
    let mut new = *old;
    let kind = match old {
        LightSpec::Sun { .. } => Kind::Sun,
        LightSpec::Point { .. } => Kind::Lamp,
        LightSpec::Ambient { .. } => Kind::Ambient,
    };
    let kinds = [
        (Kind::Lamp, "Lamp"),
        (Kind::Sun, "Sun"),
        (Kind::Ambient, "Everywhere"),
    ];
    if let Some(kind) = form.choice("Kind", kind, &kinds) {
        let place = match old {
            LightSpec::Sun { from, .. } => *from,
            LightSpec::Point { position, .. } => *position,
            LightSpec::Ambient { .. } => [0.3, 0.3, 0.6],
        };
        let new = match kind {
            Kind::Sun => LightSpec::Sun {
                from: place,
                lux: 2500.0,
            },
            Kind::Lamp => LightSpec::Point {
                position: place,
                lumens: 40_000.0,
            },
            Kind::Ambient => LightSpec::Ambient { brightness: 400.0 },
        };
        return Some(Edit::Light(index, new));
    }
    match &mut new {
        LightSpec::Sun { from, lux } => {
            form.numbers("Comes from", "from", from, MM);
            form.number("Strength", "lux", lux, LUX);
            widgets::hint(form.ui, "Only the direction counts; it casts shadows.");
        }
        LightSpec::Point { position, lumens } => {
            form.numbers("Place, mm", "position", position, MM);
            form.number("Power", "lumens", lumens, LUMENS);
        }
        LightSpec::Ambient { brightness } => {
            form.number("Brightness", "brightness", brightness, WHOLE);
        }
    }
    (form.changed && new != *old).then_some(Edit::Light(index, new))
}

fn table(form: &mut Form<'_>) -> Option<Edit> {
    let old = form.view.scene.table;
    let mut new = old;
    form.numbers("Size", "size", &mut new.size, MM);
    form.numbers("Middle", "center", &mut new.center, MM);
    form.color("color", &mut new.color);
    form.number("Friction", "friction", &mut new.friction, PLAIN);
    (form.changed && new != old).then_some(Edit::Table(new))
}

fn scene(form: &mut Form<'_>) -> Option<Edit> {
    let scene = form.view.scene.clone();
    let name = form.text(
        "Name",
        "name",
        &scene.name,
        "What the list of scenes calls it",
    );
    let about = "One sentence for the list of scenes";
    let description = form.text("About", "description", &scene.description, about);
    if name.is_some() || description.is_some() {
        return Some(Edit::About {
            name: name.unwrap_or_else(|| scene.name.clone()),
            description: description.unwrap_or_else(|| scene.description.clone()),
        });
    }
    widgets::hairline(form.ui);
    let mut physics = scene.physics;
    form.number("Physics", "physics.hz", &mut physics.hz, HERTZ);
    form.numbers("Gravity", "physics.gravity", &mut physics.gravity, GRAVITY);
    widgets::hint(form.ui, "Steps a second; metres a second squared.");
    (form.changed && physics != scene.physics).then_some(Edit::Physics(physics))
}
