//! Writes a scene as people write scene files: a line a thing, without what is left at its default.

use std::fmt::Write as _;

use super::{
    ArmSpec, Backend, CameraMount, CameraSpec, LightSpec, ModelRef, ObjectShape, ObjectSpec,
    PhysicsSpec, Scene, ServoModel, Sts3215Spec, TableSpec,
};
use crate::ron_file::FileError;
use crate::servo::SerialArm;

/// A line of a file may be so long before its fields get lines of their own, characters.
const LINE: usize = 110;

impl Scene {
    /// The text of a scene file that [`Scene::from_ron`] reads as a scene equal to this one.
    ///
    /// # Errors
    /// The scene is not good, or its text would be too long to be read: nothing that can't be opened
    /// again is written.
    pub fn to_ron(&self, file: &str) -> Result<String, FileError> {
        let text = self.written();
        let again = Self::from_ron(file, &text)?;
        if again == *self {
            return Ok(text);
        }
        Err(FileError {
            file: file.to_owned(),
            at: None,
            field: String::new(),
            problem: "would be read as another scene than it is; please report this with the scene"
                .to_owned(),
        })
    }

    fn written(&self) -> String {
        let Self {
            name,
            description,
            arms,
            objects,
            cameras,
            lights,
            table,
            physics,
        } = self;
        let mut text = format!("Scene(\n    name: {},\n", quoted(name));
        if !description.is_empty() {
            push(
                &mut text,
                format_args!("    description: {},\n", quoted(description)),
            );
        }
        let lists = [
            ("arms", arms.iter().map(arm_fields).collect::<Vec<_>>()),
            ("objects", objects.iter().map(object_fields).collect()),
            ("cameras", cameras.iter().map(camera_fields).collect()),
        ];
        for (list, things) in lists {
            if things.is_empty() {
                continue;
            }
            push(&mut text, format_args!("    {list}: [\n"));
            for fields in &things {
                entry(&mut text, fields);
            }
            text.push_str("    ],\n");
        }
        if !lights.is_empty() {
            text.push_str("    lights: [\n");
            for light in lights {
                push(
                    &mut text,
                    format_args!("        {},\n", written_light(light)),
                );
            }
            text.push_str("    ],\n");
        }
        for (key, fields) in [
            ("table", table_fields(table)),
            ("physics", physics_fields(physics)),
        ] {
            if !fields.is_empty() {
                push(
                    &mut text,
                    format_args!("    {key}: ({}),\n", fields.join(", ")),
                );
            }
        }
        text.push_str(")\n");
        text
    }
}

/// Writing into a text never fails.
fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).ok();
}

fn entry(text: &mut String, fields: &[String]) {
    let line = format!("        ({}),\n", fields.join(", "));
    if line.chars().count() <= LINE {
        text.push_str(&line);
        return;
    }
    text.push_str("        (\n");
    for field in fields {
        push(text, format_args!("            {field},\n"));
    }
    text.push_str("        ),\n");
}

fn arm_fields(arm: &ArmSpec) -> Vec<String> {
    let ArmSpec {
        name,
        model,
        backend,
        leader,
        position,
        yaw_degrees,
        home_degrees,
        color,
    } = arm;
    let mut fields = vec![format!("name: {}", quoted(name))];
    match model {
        ModelRef::So101 => {}
        ModelRef::File(file) => fields.push(format!("model: File({})", quoted(file))),
    }
    match backend {
        Backend::Sim => {}
        Backend::Serial(serial) => {
            fields.push(format!("backend: Serial{}", written_serial(serial)));
        }
        Backend::Replay(file) => fields.push(format!("backend: Replay({})", quoted(file))),
    }
    if let Some(leader) = leader {
        fields.push(format!("leader: {}", written_serial(leader)));
    }
    if *position != [0.0; 3] {
        fields.push(format!("position: {}", vector(position)));
    }
    if *yaw_degrees != 0.0 {
        fields.push(format!("yaw_degrees: {}", number(*yaw_degrees)));
    }
    if !home_degrees.is_empty() {
        let joints: Vec<_> = home_degrees
            .iter()
            .map(|(joint, angle)| format!("{}: {}", quoted(joint), number(*angle)))
            .collect();
        fields.push(format!("home_degrees: {{{}}}", joints.join(", ")));
    }
    if *color != super::default_arm_color() {
        fields.push(format!("color: {}", colour(color)));
    }
    fields
}

fn written_serial(serial: &SerialArm) -> String {
    let SerialArm { port, id } = serial;
    match id {
        Some(id) => format!("(port: {}, id: {})", quoted(port), quoted(id)),
        None => format!("(port: {})", quoted(port)),
    }
}

fn object_fields(object: &ObjectSpec) -> Vec<String> {
    let ObjectSpec {
        name,
        shape,
        position,
        rotation_degrees,
        mass,
        friction,
        color,
        fixed,
    } = object;
    let shape = match shape {
        ObjectShape::Cube { size } => format!("Cube(size: {})", number(*size)),
        ObjectShape::Box { size } => format!("Box(size: {})", vector(size)),
        ObjectShape::Cylinder { radius, height } => {
            format!(
                "Cylinder(radius: {}, height: {})",
                number(*radius),
                number(*height)
            )
        }
        ObjectShape::Ball { radius } => format!("Ball(radius: {})", number(*radius)),
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => format!(
            "Tray(inner: {}, height: {}, wall: {})",
            vector(inner),
            number(*height),
            number(*wall)
        ),
    };
    let mut fields = vec![
        format!("name: {}", quoted(name)),
        format!("shape: {shape}"),
        format!("position: {}", vector(position)),
    ];
    if *rotation_degrees != [0.0; 3] {
        fields.push(format!("rotation_degrees: {}", vector(rotation_degrees)));
    }
    if *mass != super::default_mass() {
        fields.push(format!("mass: {}", number(*mass)));
    }
    if *friction != super::default_friction() {
        fields.push(format!("friction: {}", number(*friction)));
    }
    if *color != super::default_object_color() {
        fields.push(format!("color: {}", colour(color)));
    }
    if *fixed {
        fields.push("fixed: true".to_owned());
    }
    fields
}

fn camera_fields(camera: &CameraSpec) -> Vec<String> {
    let CameraSpec {
        name,
        mount,
        fov_y_degrees,
        resolution,
        fps,
    } = camera;
    let mount = match mount {
        CameraMount::World { position, look_at } => {
            format!(
                "World(position: {}, look_at: {})",
                vector(position),
                vector(look_at)
            )
        }
        CameraMount::Link {
            arm,
            link,
            position,
            rotation_degrees,
        } => format!(
            "Link(arm: {}, link: {}, position: {}, rotation_degrees: {})",
            quoted(arm),
            quoted(link),
            vector(position),
            vector(rotation_degrees)
        ),
    };
    let mut fields = vec![format!("name: {}", quoted(name)), format!("mount: {mount}")];
    if *fov_y_degrees != super::default_fov() {
        fields.push(format!("fov_y_degrees: {}", number(*fov_y_degrees)));
    }
    if *resolution != super::default_resolution() {
        let [width, height] = resolution;
        fields.push(format!("resolution: ({width}, {height})"));
    }
    if *fps != super::default_camera_fps() {
        fields.push(format!("fps: {}", number(*fps)));
    }
    fields
}

fn written_light(light: &LightSpec) -> String {
    match light {
        LightSpec::Sun { from, lux } => {
            format!("Sun(from: {}, lux: {})", vector(from), number(*lux))
        }
        LightSpec::Point { position, lumens } => {
            format!(
                "Point(position: {}, lumens: {})",
                vector(position),
                number(*lumens)
            )
        }
        LightSpec::Ambient { brightness } => {
            format!("Ambient(brightness: {})", number(*brightness))
        }
    }
}

fn table_fields(table: &TableSpec) -> Vec<String> {
    let TableSpec {
        size,
        center,
        friction,
        color,
    } = table;
    let usual = TableSpec::default();
    let mut fields = Vec::new();
    if *size != usual.size {
        fields.push(format!("size: {}", vector(size)));
    }
    if *center != usual.center {
        fields.push(format!("center: {}", vector(center)));
    }
    if *friction != usual.friction {
        fields.push(format!("friction: {}", number(*friction)));
    }
    if *color != usual.color {
        fields.push(format!("color: {}", colour(color)));
    }
    fields
}

fn physics_fields(physics: &PhysicsSpec) -> Vec<String> {
    let PhysicsSpec { hz, gravity, servo } = physics;
    let usual = PhysicsSpec::default();
    let mut fields = Vec::new();
    if *hz != usual.hz {
        fields.push(format!("hz: {}", number(*hz)));
    }
    if *gravity != usual.gravity {
        fields.push(format!("gravity: {}", vector(gravity)));
    }
    if let ServoModel::Sts3215(spec) = servo {
        fields.push(format!(
            "servo: Sts3215({})",
            sts3215_fields(spec).join(", ")
        ));
    }
    fields
}

fn sts3215_fields(spec: &Sts3215Spec) -> Vec<String> {
    let Sts3215Spec {
        voltage,
        p,
        d,
        dead_band,
        acceleration,
        goal_velocity,
        backlash_degrees,
    } = spec;
    let usual = Sts3215Spec::default();
    [
        ("voltage", *voltage, usual.voltage),
        ("p", f64::from(*p), f64::from(usual.p)),
        ("d", f64::from(*d), f64::from(usual.d)),
        (
            "dead_band",
            f64::from(*dead_band),
            f64::from(usual.dead_band),
        ),
        (
            "acceleration",
            f64::from(*acceleration),
            f64::from(usual.acceleration),
        ),
        (
            "goal_velocity",
            f64::from(*goal_velocity),
            f64::from(usual.goal_velocity),
        ),
        (
            "backlash_degrees",
            *backlash_degrees,
            usual.backlash_degrees,
        ),
    ]
    .into_iter()
    .filter(|(_, value, usual)| value != usual)
    .map(|(name, value, _)| format!("{name}: {}", number(value)))
    .collect()
}

fn vector(values: &[f64]) -> String {
    let values: Vec<_> = values.iter().map(|value| number(*value)).collect();
    format!("({})", values.join(", "))
}

fn colour(values: &[f32; 3]) -> String {
    format!("({:?}, {:?}, {:?})", values[0], values[1], values[2])
}

/// The shortest text that is read as this number again.
fn number(value: f64) -> String {
    let whole =
        value.fract() == 0.0 && value.abs() < 1e9 && !(value == 0.0 && value.is_sign_negative());
    if whole {
        format!("{value:.0}")
    } else {
        format!("{value:?}")
    }
}

/// A text between quotation marks, with what would end it or can't be seen written as escapes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            control if control.is_control() => {
                push(&mut quoted, format_args!("\\u{{{:x}}}", u32::from(control)));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}
