//! What a scene must satisfy beyond its types, and reading one from a file's text.

use std::collections::BTreeSet;

use super::{
    ArmSpec, Backend, CameraMount, CameraSpec, LightSpec, ObjectShape, ObjectSpec, Scene,
    ServoModel, TableSpec,
};
use crate::ron_file::{self, FileError};
use crate::servo::SerialArm;

/// The most pixels a simulated camera may have.
pub const MAX_CAMERA_PIXELS: u32 = 1920 * 1080;
/// The most arms, objects, cameras and lights in a scene: every pair of things that may touch has
/// its memory.
const MAX_ARMS: usize = 8;
const MAX_OBJECTS: usize = 64;
const MAX_CAMERAS: usize = 16;
const MAX_LIGHTS: usize = 16;
/// Scenes are table-sized: nothing may stand further from the origin than this, metres.
const MAX_DISTANCE: f64 = 100.0;

impl Scene {
    /// Reads and checks a scene from the text of the RON file called `file`.
    ///
    /// # Errors
    /// Says line (for syntax and types), field, what was found and what was expected.
    pub fn from_ron(file: &str, text: &str) -> Result<Self, FileError> {
        let scene: Self = ron_file::parse(file, text)?;
        scene.check().map_err(|problem| FileError {
            file: file.to_owned(),
            at: problem.locate(text),
            field: problem.field,
            problem: problem.problem,
        })?;
        Ok(scene)
    }

    /// Checks every number, name and reference.
    ///
    /// # Errors
    /// The first field at fault, what was found and what is allowed.
    pub fn check(&self) -> Result<(), SceneProblem> {
        check_count("arms", self.arms.len(), 1, MAX_ARMS)?;
        check_count("objects", self.objects.len(), 0, MAX_OBJECTS)?;
        check_count("cameras", self.cameras.len(), 0, MAX_CAMERAS)?;
        check_count("lights", self.lights.len(), 0, MAX_LIGHTS)?;
        check_names("arms", self.arms.iter().map(|arm| arm.name.as_str()))?;
        check_names(
            "objects",
            self.objects.iter().map(|object| object.name.as_str()),
        )?;
        check_names(
            "cameras",
            self.cameras.iter().map(|camera| camera.name.as_str()),
        )?;
        for (index, arm) in self.arms.iter().enumerate() {
            check_arm(&format!("arms[{index}]"), arm)?;
        }
        self.check_ports()?;
        for (index, object) in self.objects.iter().enumerate() {
            check_object(&format!("objects[{index}]"), object)?;
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            self.check_camera(&format!("cameras[{index}]"), camera)?;
        }
        for (index, light) in self.lights.iter().enumerate() {
            check_light(&format!("lights[{index}]"), light)?;
        }
        check_table(&self.table)?;
        check_range("physics.hz", self.physics.hz, 100.0, 10_000.0)?;
        check_vector("physics.gravity", &self.physics.gravity, MAX_DISTANCE)?;
        check_servo(&self.physics.servo)
    }

    /// Each port is one arm's alone.
    fn check_ports(&self) -> Result<(), SceneProblem> {
        let mut taken: Vec<(String, &str)> = Vec::new();
        for (index, arm) in self.arms.iter().enumerate() {
            let follower = match &arm.backend {
                Backend::Serial(serial) => Some(("backend", serial)),
                Backend::Sim | Backend::Replay(_) => None,
            };
            let leader = arm.leader.as_ref().map(|serial| ("leader", serial));
            for (what, SerialArm { port, .. }) in follower.into_iter().chain(leader) {
                let field = format!("arms[{index}].{what}.port");
                let problem = if port.trim().is_empty() {
                    "is empty; expected a serial port such as /dev/ttyACM0 or COM5".to_owned()
                } else if let Some((other, _)) = taken.iter().find(|(_, it)| it == port) {
                    format!("`{port}` is also {other}; expected a port of its own")
                } else {
                    taken.push((field, port));
                    continue;
                };
                return Err(SceneProblem::new(field, problem));
            }
        }
        Ok(())
    }

    fn check_camera(&self, at: &str, camera: &CameraSpec) -> Result<(), SceneProblem> {
        match &camera.mount {
            CameraMount::World { position, look_at } => {
                check_vector(&format!("{at}.mount.position"), position, MAX_DISTANCE)?;
                check_vector(&format!("{at}.mount.look_at"), look_at, MAX_DISTANCE)?;
                if position == look_at {
                    return Err(SceneProblem::new(
                        format!("{at}.mount.look_at"),
                        "is where the camera stands; expected another point",
                    ));
                }
            }
            CameraMount::Link {
                arm,
                position,
                rotation_degrees,
                ..
            } => {
                if !self.arms.iter().any(|known| known.name == *arm) {
                    let names: Vec<_> = self.arms.iter().map(|arm| arm.name.as_str()).collect();
                    return Err(SceneProblem::new(
                        format!("{at}.mount.arm"),
                        format!(
                            "no arm is called `{arm}`; expected one of: {}",
                            names.join(", ")
                        ),
                    ));
                }
                check_vector(&format!("{at}.mount.position"), position, MAX_DISTANCE)?;
                check_vector(
                    &format!("{at}.mount.rotation_degrees"),
                    rotation_degrees,
                    360.0,
                )?;
            }
        }
        check_range(
            &format!("{at}.fov_y_degrees"),
            camera.fov_y_degrees,
            5.0,
            150.0,
        )?;
        check_range(&format!("{at}.fps"), camera.fps, 0.1, 240.0)?;
        let [width, height] = camera.resolution;
        if width < 16 || height < 16 || width.saturating_mul(height) > MAX_CAMERA_PIXELS {
            return Err(SceneProblem::new(
                format!("{at}.resolution"),
                format!(
                    "is {width}×{height}; expected at least 16×16 and at most \
                     {MAX_CAMERA_PIXELS} pixels"
                ),
            ));
        }
        Ok(())
    }
}

/// A value of a scene that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field `{field}` {problem}")]
pub struct SceneProblem {
    /// The path of the field, for instance `objects[2].mass`.
    pub field: String,
    /// What was found and what is allowed.
    pub problem: String,
}

impl SceneProblem {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }

    /// The line and column where the field probably stands: after the types were read, positions
    /// are gone, so its name is searched for, entry by entry.
    fn locate(&self, text: &str) -> Option<(usize, usize)> {
        let mut from = 0;
        for segment in self.field.split('.') {
            let (name, index) = match segment.split_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse::<usize>().ok()),
                None => (segment, None),
            };
            from += find_key(text.get(from..)?, name)?;
            if let Some(index) = index {
                from += find_entry(text.get(from..)?, index)?;
            }
        }
        let before = text.get(..from)?;
        let line = before.matches('\n').count() + 1;
        let column = before
            .chars()
            .rev()
            .take_while(|character| *character != '\n')
            .count()
            + 1;
        Some((line, column))
    }
}

/// The offset of `name` followed by a colon, as a word of its own.
fn find_key(text: &str, name: &str) -> Option<usize> {
    text.match_indices(name)
        .map(|(offset, _)| offset)
        .find(|offset| {
            let after = text[offset + name.len()..].trim_start();
            let before = text[..*offset].chars().next_back();
            after.starts_with(':') && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
}

/// The offset of the bracketed entry number `index` of the list that begins next.
fn find_entry(text: &str, index: usize) -> Option<usize> {
    let start = text.find('[')? + 1;
    let (mut depth, mut seen) = (0_usize, 0_usize);
    for (offset, character) in text[start..].char_indices() {
        match character {
            '(' | '[' | '{' => {
                if depth == 0 {
                    if seen == index {
                        return Some(start + offset);
                    }
                    seen += 1;
                }
                depth += 1;
            }
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn check_count(field: &str, found: usize, least: usize, most: usize) -> Result<(), SceneProblem> {
    if found < least || found > most {
        let problem = format!("has {found} entries; expected {least} to {most}");
        return Err(SceneProblem::new(field, problem));
    }
    Ok(())
}

fn check_names<'a>(field: &str, names: impl Iterator<Item = &'a str>) -> Result<(), SceneProblem> {
    let mut seen = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let at = format!("{field}[{index}].name");
        let usable = name
            .chars()
            .all(|c| c.is_alphanumeric() || "_- ".contains(c));
        if name.trim().is_empty() || name.len() > 64 || !usable {
            let problem =
                format!("is `{name}`; expected 1 to 64 letters, digits, spaces, `_` or `-`");
            return Err(SceneProblem::new(at, problem));
        }
        if !seen.insert(name) {
            let problem = format!("`{name}` is used twice; expected a name of its own");
            return Err(SceneProblem::new(at, problem));
        }
    }
    Ok(())
}

fn check_arm(at: &str, arm: &ArmSpec) -> Result<(), SceneProblem> {
    check_vector(&format!("{at}.position"), &arm.position, MAX_DISTANCE)?;
    check_range(&format!("{at}.yaw_degrees"), arm.yaw_degrees, -360.0, 360.0)?;
    check_color(&format!("{at}.color"), &arm.color)?;
    for degrees in arm.home_degrees.values() {
        check_range(&format!("{at}.home_degrees"), *degrees, -3600.0, 3600.0)?;
    }
    Ok(())
}

fn check_object(at: &str, object: &ObjectSpec) -> Result<(), SceneProblem> {
    check_vector(&format!("{at}.position"), &object.position, MAX_DISTANCE)?;
    check_vector(
        &format!("{at}.rotation_degrees"),
        &object.rotation_degrees,
        360.0,
    )?;
    check_range(&format!("{at}.mass"), object.mass, 1e-4, 100.0)?;
    check_range(&format!("{at}.friction"), object.friction, 0.0, 10.0)?;
    check_color(&format!("{at}.color"), &object.color)?;
    let length = |name: &str, value| check_range(&format!("{at}.shape.{name}"), value, 1e-3, 2.0);
    match object.shape {
        ObjectShape::Cube { size } => length("size", size),
        ObjectShape::Box { size } => size.iter().try_for_each(|side| length("size", *side)),
        ObjectShape::Cylinder { radius, height } => {
            length("radius", radius)?;
            length("height", height)
        }
        ObjectShape::Ball { radius } => length("radius", radius),
        ObjectShape::Tray {
            inner,
            height,
            wall,
        } => {
            inner.iter().try_for_each(|side| length("inner", *side))?;
            length("height", height)?;
            length("wall", wall)?;
            if wall >= height {
                return Err(SceneProblem::new(
                    format!("{at}.shape.wall"),
                    format!("is {wall} m; expected less than the height, {height} m"),
                ));
            }
            Ok(())
        }
    }
}

fn check_light(at: &str, light: &LightSpec) -> Result<(), SceneProblem> {
    match light {
        LightSpec::Sun { from, lux } => {
            check_vector(&format!("{at}.from"), from, 1e6)?;
            if from.iter().all(|value| value.abs() < 1e-9) {
                return Err(SceneProblem::new(
                    format!("{at}.from"),
                    "is the origin; expected a point that light comes from",
                ));
            }
            check_range(&format!("{at}.lux"), *lux, 0.0, 200_000.0)
        }
        LightSpec::Point { position, lumens } => {
            check_vector(&format!("{at}.position"), position, MAX_DISTANCE)?;
            check_range(&format!("{at}.lumens"), *lumens, 0.0, 10_000_000.0)
        }
        LightSpec::Ambient { brightness } => {
            check_range(&format!("{at}.brightness"), *brightness, 0.0, 100_000.0)
        }
    }
}

fn check_servo(servo: &ServoModel) -> Result<(), SceneProblem> {
    let ServoModel::Sts3215(spec) = servo else {
        return Ok(());
    };
    check_range("physics.servo.voltage", spec.voltage, 4.0, 14.0)?;
    check_range(
        "physics.servo.backlash_degrees",
        spec.backlash_degrees,
        0.0,
        10.0,
    )
}

fn check_table(table: &TableSpec) -> Result<(), SceneProblem> {
    for side in table.size {
        check_range("table.size", side, 0.05, 20.0)?;
    }
    for value in table.center {
        check_range("table.center", value, -MAX_DISTANCE, MAX_DISTANCE)?;
    }
    check_range("table.friction", table.friction, 0.0, 10.0)?;
    check_color("table.color", &table.color)
}

fn check_range(field: &str, value: f64, least: f64, most: f64) -> Result<(), SceneProblem> {
    if value.is_finite() && (least..=most).contains(&value) {
        return Ok(());
    }
    Err(SceneProblem::new(
        field,
        format!("is {value}; expected a number from {least} to {most}"),
    ))
}

fn check_vector(field: &str, values: &[f64; 3], most: f64) -> Result<(), SceneProblem> {
    values
        .iter()
        .try_for_each(|value| check_range(field, *value, -most, most))
}

fn check_color(field: &str, color: &[f32; 3]) -> Result<(), SceneProblem> {
    color
        .iter()
        .try_for_each(|value| check_range(field, f64::from(*value), 0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCENE: &str = r#"Scene(
    name: "test",
    arms: [(name: "left"), (name: "right", yaw_degrees: 90)],
    objects: [
        (name: "cube", shape: Cube(size: 0.03), position: (0.2, 0, 0.015)),
        (
            name: "tray",
            shape: Tray(inner: (0.12, 0.1), height: 0.03, wall: 0.004),
            position: (0.2, -0.15, 0),
            fixed: true,
        ),
    ],
    cameras: [(
        name: "wrist",
        mount: Link(arm: "left", link: "gripper_link", position: (0, 0, 0), rotation_degrees: (0, 0, 0)),
    )],
)"#;

    fn error_of(text: &str) -> FileError {
        Scene::from_ron("test.ron", text).expect_err("this scene is wrong")
    }

    #[test]
    fn a_port_is_one_arms_alone() {
        let scene = |left: &str, right: &str| {
            let left = format!("(name: \"left\", {left})");
            let right = format!("(name: \"right\", {right})");
            let two = format!("arms: [{left}, {right}]");
            let one = r#"arms: [(name: "left"), (name: "right", yaw_degrees: 90)]"#;
            assert!(SCENE.contains(one));
            SCENE.replace(one, &two)
        };
        let real = r#"backend: Serial(port: "/dev/a"), leader: (port: "/dev/b", id: "mine")"#;
        let read = Scene::from_ron("test.ron", &scene(real, "")).expect("a good scene");
        assert_eq!(read.arms[0].backend.to_string(), "/dev/a");
        let error = error_of(&scene(real, r#"leader: (port: "/dev/a")"#));
        assert_eq!(error.field, "arms[1].leader.port");
        assert!(
            error.problem.contains("also arms[0].backend.port"),
            "{error}"
        );
        let error = error_of(&scene("", r#"backend: Serial(port: " ")"#));
        assert!(error.problem.contains("/dev/ttyACM0"), "{error}");
    }

    #[test]
    fn a_good_scene_is_read() {
        let scene = Scene::from_ron("test.ron", SCENE).expect("a good scene");
        assert_eq!(scene.arms.len(), 2);
        assert_eq!(scene.physics.hz, 500.0);
        assert!(scene.objects[0].graspable() && !scene.objects[1].graspable());
    }

    #[test]
    fn errors_name_line_field_and_expectation() {
        let wrong_type = error_of(&SCENE.replace("0.03)", "\"big\")"));
        assert_eq!(wrong_type.at.map(|at| at.0), Some(5), "{wrong_type}");
        assert!(
            wrong_type.field.starts_with("objects[0].shape"),
            "{wrong_type}"
        );

        let unknown = error_of(&SCENE.replace("fixed: true", "fixd: true"));
        assert_eq!(unknown.at.map(|at| at.0), Some(10), "{unknown}");
        assert!(unknown.to_string().contains("fixd"), "{unknown}");
        assert!(unknown.to_string().contains("fixed"), "{unknown}");

        let range =
            error_of(&SCENE.replace("height: 0.03, wall: 0.004", "height: 0.03, wall: 0.04"));
        assert_eq!(
            (range.field.as_str(), range.at.map(|at| at.0)),
            ("objects[1].shape.wall", Some(8))
        );

        let reference = error_of(&SCENE.replace("arm: \"left\"", "arm: \"middle\""));
        assert!(reference.to_string().contains("left, right"), "{reference}");

        let truncated = error_of(&SCENE[..SCENE.len() / 2]);
        assert!(truncated.at.is_some(), "{truncated}");

        let nan = error_of(&SCENE.replace("yaw_degrees: 90", "yaw_degrees: NaN"));
        assert_eq!(nan.field, "arms[1].yaw_degrees", "{nan}");
        assert_eq!(nan.at.map(|at| at.0), Some(3), "{nan}");
    }

    #[test]
    fn servos_are_chosen_and_checked() {
        let with = |servo: &str| {
            SCENE.replace(
                "cameras: [(",
                &format!("physics: (servo: {servo}),\n    cameras: [("),
            )
        };
        let read = |servo| {
            Scene::from_ron("test.ron", &with(servo))
                .expect("a good scene")
                .physics
        };
        assert_eq!(
            Scene::from_ron("test.ron", SCENE)
                .expect("good")
                .physics
                .servo,
            ServoModel::Ideal
        );
        assert_eq!(read("Ideal").servo, ServoModel::Ideal);
        let ServoModel::Sts3215(spec) = read("Sts3215(voltage: 7.4, dead_band: 3)").servo else {
            panic!("the servo is another");
        };
        assert_eq!((spec.voltage, spec.dead_band, spec.p), (7.4, 3, 16));
        for servo in [
            "Ideal",
            "Sts3215()",
            "Sts3215(p: 32, goal_velocity: 900, voltage: 11.1)",
        ] {
            let scene = Scene::from_ron("test.ron", &with(servo)).expect("a good scene");
            let text = scene.to_ron("again.ron").expect("it can be written");
            assert_eq!(Scene::from_ron("again.ron", &text).expect("good"), scene);
        }
        let error = error_of(&with("Sts3215(voltage: 40)"));
        assert_eq!(error.field, "physics.servo.voltage", "{error}");
        assert!(error.problem.contains("4 to 14"), "{error}");
        error_of(&with("Sts3215(backlash_degrees: -1)"));
        error_of(&with("Sts3215(p: 300)"));
    }

    #[test]
    fn deep_nesting_is_refused() {
        let error = error_of(&"[".repeat(100_000));
        assert!(error.to_string().contains("nested"), "{error}");
    }

    proptest! {
        #[test]
        fn garbage_never_panics(text in "\\PC{0,200}") {
            Scene::from_ron("garbage", &text).ok();
        }

        #[test]
        fn damaged_scenes_never_panic(at in 0..SCENE.len(), length in 0..40_usize, with in "\\PC{0,4}") {
            let end = (at + length).min(SCENE.len());
            let text = format!("{}{with}{}", &SCENE[..at], &SCENE[end..]);
            if let Ok(scene) = Scene::from_ron("damaged", &text) {
                prop_assert!(scene.check().is_ok());
            }
        }
    }
}
