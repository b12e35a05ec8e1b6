//! A scene as MJCF text, so that MuJoCo simulates the very same model.
//!
//! Everything that a [`World`](crate::World) is made of is written: links with their inertia,
//! joints with limits, damping, dry friction and armature, position actuators with their gains and
//! torque limits, collision shapes with friction, table, floor, objects. Bodies, joints and
//! actuators keep their names, with the arm's name and a slash before them where the scene has
//! several arms; objects are bodies `object/NAME`. The keyframe `home` is the scene's start.
//!
//! What MJCF can't say in the same way:
//! - Friction of a pair is the lower of the two here, the higher there. Priorities, higher for the
//!   more slippery, give the same pairs the same number.
//! - Play of gears is not written.
//! - Contact is soft there in a way of its own. [`Contacts::Grasping`] makes it about as stiff as
//!   plastic; a grasp still creeps a little.

use std::sync::Arc;

use forearm_arm::{ArmModel, Joint, JointKind, Shape};
use forearm_protocol::scene::{Scene, ServoModel};
use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use crate::SimError;
use crate::build::{self, FLOOR, FLOOR_FRICTION, Parts, TABLE_THICKNESS};
use crate::math::{Frame, quaternion_of};
use crate::object;
use crate::servo::passive_damping;
use crate::world::{HARD_LEVERS, PAD_LEVERS};

/// How MuJoCo is to treat contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contacts {
    /// Elliptic friction cones, friction ten times as stiff as the normal direction, resistance
    /// against spinning and rolling, contact as stiff as the step allows: what a grasp needs.
    Grasping,
    /// MuJoCo's own defaults, which are its fastest, and a plane in place of the table.
    Default,
    /// None: no shape collides, and none is written.
    Off,
}

/// What drives the joints in MuJoCo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actuators {
    /// Position actuators with the servos' gains; controls are target positions.
    Position,
    /// Controls are efforts, N·m (N): the servos are simulated by whoever steps MuJoCo.
    Effort,
}

/// Writes a scene. `models` has one model for each arm of the scene, in order.
///
/// # Errors
/// As [`World::new`](crate::World::new): which arm, joint or object is wrong and what is allowed.
pub fn write(
    scene: &Scene,
    models: &[Arc<ArmModel>],
    contacts: Contacts,
    actuators: Actuators,
) -> Result<String, SimError> {
    let parts = build::build(scene, models)?;
    let mut writer = Writer {
        text: String::new(),
        depth: 0,
        assets: Vec::new(),
        frictions: frictions(scene, models),
        contacts,
        servo: scene.physics.servo,
        home: Vec::new(),
    };
    let name = escaped(&scene.name);
    writer.open(&format!("mujoco model=\"{name}\""));
    writer.leaf("compiler angle=\"radian\" autolimits=\"true\"");
    writer.options(scene);
    writer.open("worldbody");
    writer.ground(scene);
    for (index, (spec, model)) in scene.arms.iter().zip(models).enumerate() {
        let prefix = prefix(scene, index);
        let base = base_frame(spec.position, spec.yaw_degrees);
        writer.link(&parts, index, model, &prefix, 0, &base);
    }
    for (spec, object) in scene.objects.iter().zip(&parts.objects) {
        writer.object(spec, object);
    }
    writer.close("worldbody");
    writer.open("actuator");
    for (index, model) in models.iter().enumerate() {
        writer.actuators(model, &prefix(scene, index), actuators);
    }
    writer.close("actuator");
    if !writer.assets.is_empty() {
        writer.open("asset");
        for asset in std::mem::take(&mut writer.assets) {
            writer.leaf(&asset);
        }
        writer.close("asset");
    }
    writer.open("keyframe");
    let home = numbers(&writer.home);
    let targets: Vec<f64> = parts
        .arms
        .iter()
        .flat_map(|arm| arm.home().iter().copied())
        .collect();
    let control = match actuators {
        Actuators::Position => format!(" ctrl=\"{}\"", numbers(&targets)),
        Actuators::Effort => String::new(),
    };
    writer.leaf(&format!("key name=\"home\" qpos=\"{home}\"{control}"));
    writer.close("keyframe");
    writer.close("mujoco");
    Ok(writer.text)
}

/// What stands before the names of an arm's parts.
fn prefix(scene: &Scene, arm: usize) -> String {
    match scene.arms.get(arm) {
        Some(spec) if scene.arms.len() > 1 => format!("{}/", escaped(&spec.name)),
        _ => String::new(),
    }
}

/// All friction coefficients of a scene, each once, the highest first: the place in this list is
/// the priority of a shape with that friction.
fn frictions(scene: &Scene, models: &[Arc<ArmModel>]) -> Vec<f64> {
    let mut all = vec![FLOOR_FRICTION, scene.table.friction];
    all.extend(scene.objects.iter().map(|object| object.friction));
    for model in models {
        let colliders = model.links.iter().flat_map(|link| &link.colliders);
        all.extend(colliders.map(|collider| collider.friction));
    }
    all.sort_by(|a, b| b.total_cmp(a));
    all.dedup();
    all
}

struct Writer {
    text: String,
    depth: usize,
    assets: Vec<String>,
    frictions: Vec<f64>,
    contacts: Contacts,
    servo: ServoModel,
    /// Positions of the start, in the order of the file.
    home: Vec<f64>,
}

impl Writer {
    fn leaf(&mut self, content: &str) {
        self.line(&format!("<{content}/>"));
    }

    fn open(&mut self, content: &str) {
        self.line(&format!("<{content}>"));
        self.depth += 1;
    }

    fn close(&mut self, tag: &str) {
        self.depth -= 1;
        self.line(&format!("</{tag}>"));
    }

    fn line(&mut self, line: &str) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn options(&mut self, scene: &Scene) {
        let dt = 1.0 / scene.physics.hz;
        let gravity = numbers(&scene.physics.gravity);
        let cone = match self.contacts {
            Contacts::Grasping => " cone=\"elliptic\" impratio=\"10\"",
            Contacts::Default | Contacts::Off => "",
        };
        self.leaf(&format!(
            "option timestep=\"{dt}\" gravity=\"{gravity}\" integrator=\"implicitfast\"{cone}"
        ));
        if self.contacts == Contacts::Grasping {
            self.open("default");
            // As stiff as three steps allow. Two are the least that MuJoCo takes, and its edge of
            // stability: what is only grazed gets a kick.
            let stiffness = format!("solref=\"{} 1\" solimp=\"0.95 0.99 0.001\"", 3.0 * dt);
            self.leaf(&format!("geom condim=\"6\" {stiffness}"));
            // Limits and dry friction are all but hard here.
            self.leaf(&format!(
                "joint solreflimit=\"{0} 1\" solimplimit=\"0.95 0.99 0.001\" \
                 solreffriction=\"{0} 1\" solimpfriction=\"0.99 0.999 0.001\"",
                2.0 * dt
            ));
            self.close("default");
        }
    }

    fn ground(&mut self, scene: &Scene) {
        if self.contacts == Contacts::Off {
            return;
        }
        let [length, width] = scene.table.size;
        let [x, y] = scene.table.center;
        let all = i32::MAX;
        let floor = format!("contype=\"1\" conaffinity=\"{all}\"");
        let friction = self.friction(scene.table.friction, HARD_LEVERS);
        let place = |top: f64| numbers(&[x, y, top]);
        let half = TABLE_THICKNESS / 2.0;
        let slab = match self.contacts {
            Contacts::Grasping => {
                let size = numbers(&[length / 2.0, width / 2.0, half]);
                format!("type=\"box\" size=\"{size}\" pos=\"{}\"", place(-half))
            }
            Contacts::Default | Contacts::Off => {
                let size = numbers(&[length / 2.0, width / 2.0, half]);
                format!("type=\"plane\" size=\"{size}\" pos=\"{}\"", place(0.0))
            }
        };
        self.leaf(&format!("geom name=\"table\" {slab} {friction} {floor}"));
        if self.contacts == Contacts::Grasping {
            let friction = self.friction(FLOOR_FRICTION, HARD_LEVERS);
            self.leaf(&format!(
                "geom name=\"floor\" type=\"plane\" size=\"50 50 1\" pos=\"{}\" {friction} {floor}",
                place(FLOOR)
            ));
        }
    }

    /// A link with everything that hangs on it.
    fn link(
        &mut self,
        parts: &Parts,
        arm: usize,
        model: &ArmModel,
        prefix: &str,
        index: usize,
        parent_from_link: &Isometry3<f64>,
    ) {
        let link = &model.links[index];
        let name = escaped(&link.name);
        self.open(&format!(
            "body name=\"{prefix}{name}\" {}",
            place(parent_from_link)
        ));
        if let Some(number) = link.attachment.as_ref().and_then(|at| at.joint) {
            self.joint(&model.joints[number], prefix);
            self.home.push(parts.arms[arm].home()[number]);
        }
        if link.inertial.mass > 0.0 {
            let frame = &link.inertial.link_from_inertial;
            let inertia = turned(link.inertial.inertia, &frame.rotation);
            self.leaf(&format!(
                "inertial pos=\"{}\" mass=\"{}\" fullinertia=\"{}\"",
                numbers(frame.translation.vector.as_slice()),
                link.inertial.mass,
                numbers(&inertia),
            ));
        }
        // An arm never collides with itself.
        let own = 1_i32 << (arm + 1).min(30);
        let bits = format!("contype=\"{own}\" conaffinity=\"{}\"", i32::MAX ^ own);
        for collider in &link.colliders {
            let friction = self.friction(collider.friction, PAD_LEVERS);
            self.geom(
                &collider.shape,
                &collider.link_from_shape,
                &format!("{friction} {bits}"),
            );
        }
        if model.tool.link == index {
            let at = place(&model.tool.link_from_tool);
            self.leaf(&format!("site name=\"{prefix}tool\" {at}"));
        }
        for (child, next) in model.links.iter().enumerate() {
            if let Some(at) = next.attachment.as_ref().filter(|at| at.parent == index) {
                self.link(parts, arm, model, prefix, child, &at.parent_from_joint);
            }
        }
        self.close("body");
    }

    fn joint(&mut self, joint: &Joint, prefix: &str) {
        let kind = match joint.kind {
            JointKind::Revolute => "hinge",
            JointKind::Prismatic => "slide",
        };
        let name = escaped(&joint.name);
        let axis = numbers(joint.axis.as_slice());
        let (limits, servo) = (&joint.limits, &joint.servo);
        let damping = passive_damping(joint, &self.servo);
        self.leaf(&format!(
            "joint name=\"{prefix}{name}\" type=\"{kind}\" axis=\"{axis}\" range=\"{} {}\" \
             damping=\"{}\" frictionloss=\"{}\" armature=\"{}\"",
            limits.lower, limits.upper, damping, servo.friction_loss, servo.armature,
        ));
    }

    fn actuators(&mut self, model: &ArmModel, prefix: &str, kind: Actuators) {
        for joint in &model.joints {
            let name = escaped(&joint.name);
            let effort = joint.limits.effort;
            let driven = format!(
                "name=\"{prefix}{name}\" joint=\"{prefix}{name}\" forcerange=\"-{effort} {effort}\""
            );
            self.leaf(&match kind {
                Actuators::Position => format!(
                    "position {driven} kp=\"{}\" kv=\"{}\" ctrlrange=\"{} {}\"",
                    joint.servo.kp, joint.servo.kv, joint.limits.lower, joint.limits.upper
                ),
                Actuators::Effort => format!("motor {driven}"),
            });
        }
    }

    fn object(&mut self, spec: &forearm_protocol::scene::ObjectSpec, object: &object::Object) {
        let frame = object.frame;
        let [x, y, z, w] = quaternion_of(&frame.rotation);
        let name = escaped(&spec.name);
        let position = numbers(frame.origin.as_slice());
        let quaternion = numbers(&[w, x, y, z]);
        self.open(&format!(
            "body name=\"object/{name}\" pos=\"{position}\" quat=\"{quaternion}\""
        ));
        if !spec.fixed {
            self.leaf(&format!("freejoint name=\"object/{name}\""));
            self.home.extend(frame.origin.iter());
            self.home.extend([w, x, y, z]);
        }
        let (mass, com, inertia) = object.mass_properties();
        self.leaf(&format!(
            "inertial pos=\"{}\" mass=\"{mass}\" diaginertia=\"{}\"",
            numbers(com.as_slice()),
            numbers(inertia.diagonal().as_slice()),
        ));
        let friction = self.friction(spec.friction, HARD_LEVERS);
        let surface = format!("{friction} contype=\"1\" conaffinity=\"{}\"", i32::MAX);
        for part in object::parts(&spec.shape) {
            self.geom(&part.shape, &isometry(&part.frame), &surface);
        }
        self.close("body");
    }

    /// Friction and priority of a shape, and how far from its middle a contact resists spinning and
    /// rolling.
    fn friction(&self, friction: f64, (spinning, rolling): (f64, f64)) -> String {
        let priority = self.frictions.iter().position(|known| *known == friction);
        let priority = priority.unwrap_or(0);
        match self.contacts {
            Contacts::Grasping => {
                format!("friction=\"{friction} {spinning} {rolling}\" priority=\"{priority}\"")
            }
            Contacts::Default | Contacts::Off => {
                format!("friction=\"{friction}\" priority=\"{priority}\"")
            }
        }
    }

    fn geom(&mut self, shape: &Shape, parent_from_shape: &Isometry3<f64>, surface: &str) {
        if self.contacts == Contacts::Off {
            return;
        }
        let at = place(parent_from_shape);
        let sized =
            |kind: &str, size: &[f64]| format!("type=\"{kind}\" size=\"{}\"", numbers(size));
        let solid = match shape {
            Shape::Box { half_extents } | Shape::RoundedBox { half_extents, .. } => {
                sized("box", half_extents)
            }
            Shape::Sphere { radius } => sized("sphere", &[*radius]),
            Shape::Cylinder {
                radius,
                half_length,
            }
            | Shape::Tube {
                outer_radius: radius,
                half_length,
                ..
            } => sized("cylinder", &[*radius, *half_length]),
            Shape::Capsule {
                radius,
                half_length,
            } => sized("capsule", &[*radius, *half_length]),
            Shape::Extrusion {
                outline,
                half_depth,
                ..
            } => {
                let corners = [-half_depth, *half_depth]
                    .into_iter()
                    .flat_map(|z| outline.iter().map(move |[x, y]| [*x, *y, z]));
                self.hull(corners.flatten().collect())
            }
            Shape::Mesh(mesh) => {
                let corners = mesh.positions.iter().flatten();
                self.hull(corners.map(|value| f64::from(*value)).collect())
            }
        };
        self.leaf(&format!("geom {solid} {at} {surface}"));
    }

    /// Corners (x, y, z one after the other) as an asset, which collides as its convex hull.
    fn hull(&mut self, corners: Vec<f64>) -> String {
        let name = format!("hull_{}", self.assets.len());
        self.assets.push(format!(
            "mesh name=\"{name}\" inertia=\"convex\" vertex=\"{}\"",
            numbers(&corners)
        ));
        format!("type=\"mesh\" mesh=\"{name}\"")
    }
}

/// An arm's base in the world.
fn base_frame(position: [f64; 3], yaw_degrees: f64) -> Isometry3<f64> {
    Isometry3::from_parts(
        Translation3::from(Vector3::from(position)),
        UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw_degrees.to_radians()),
    )
}

fn isometry(frame: &Frame) -> Isometry3<f64> {
    let [x, y, z, w] = quaternion_of(&frame.rotation);
    let rotation = UnitQuaternion::new_unchecked(nalgebra::Quaternion::new(w, x, y, z));
    Isometry3::from_parts(Translation3::from(frame.origin), rotation)
}

/// `pos` and `quat`.
fn place(pose: &Isometry3<f64>) -> String {
    let q = pose.rotation.quaternion();
    format!(
        "pos=\"{}\" quat=\"{}\"",
        numbers(pose.translation.vector.as_slice()),
        numbers(&[q.w, q.i, q.j, q.k]),
    )
}

/// Moments and products of inertia in the axes that `rotation` leads to.
fn turned(inertia: [f64; 6], rotation: &UnitQuaternion<f64>) -> [f64; 6] {
    if rotation.angle() == 0.0 {
        return inertia;
    }
    let [xx, yy, zz, xy, xz, yz] = inertia;
    let axes = rotation.to_rotation_matrix().into_inner();
    let own = crate::math::M3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz);
    let turned = axes * own * axes.transpose();
    let entry = |row: usize, column: usize| turned[(row, column)];
    [
        entry(0, 0),
        entry(1, 1),
        entry(2, 2),
        entry(0, 1),
        entry(0, 2),
        entry(1, 2),
    ]
}

/// Numbers as an attribute; each reads back as the same number.
fn numbers(values: &[f64]) -> String {
    let words: Vec<String> = values.iter().map(f64::to_string).collect();
    words.join(" ")
}

/// A name as an attribute's text.
fn escaped(name: &str) -> String {
    name.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
