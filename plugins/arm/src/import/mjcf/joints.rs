//! MJCF's joints and the actuators that drive them.

use std::collections::HashMap;

use nalgebra::{Unit, Vector3};

use super::Mjcf;
use super::classes::ClassId;
use crate::import::ImportError;
use crate::import::draft::{DraftJoint, Motion};
use crate::import::xml::{Element, children, describe, quote};
use crate::model::{JointKind, JointLimits};

/// Attributes of joints that are used.
pub(super) const KNOWN: [&str; 12] = [
    "name",
    "class",
    "type",
    "pos",
    "axis",
    "range",
    "limited",
    "damping",
    "armature",
    "frictionloss",
    "ref",
    "actuatorfrcrange",
];

/// Attributes of actuators that are used.
pub(super) const KNOWN_OF_ACTUATORS: [&str; 9] = [
    "name",
    "class",
    "joint",
    "kp",
    "kv",
    "gainprm",
    "biasprm",
    "biastype",
    "forcerange",
];

/// A joint of a body, before it is put between two links.
pub(super) struct BodyJoint<'a> {
    pub(super) element: Element<'a>,
    pub(super) name: String,
    /// In the body's frame.
    pub(super) anchor: Vector3<f64>,
    pub(super) motion: Motion,
}

impl<'a> Mjcf<'a, '_> {
    /// Reads a joint of a body.
    pub(super) fn joint(
        &mut self,
        element: Element<'a>,
        class: ClassId,
    ) -> Result<BodyJoint<'a>, ImportError> {
        let classes = self.classes.clone();
        let class = classes
            .named(&self.reader, element, "class")?
            .unwrap_or(class);
        let joint = classes.resolve(element, class);
        self.reader.note_attributes(element, &KNOWN);
        let kind = match joint.text("type").unwrap_or("hinge") {
            "hinge" => JointKind::Revolute,
            "slide" => JointKind::Prismatic,
            other => {
                let problem = format!("is of type `{}`; expected hinge or slide", quote(other));
                return Err(self.reader.error(element, problem));
            }
        };
        let reader = &self.reader;
        let axis = joint.numbers(reader, "axis")?.unwrap_or([0.0, 0.0, 1.0]);
        let Some(axis) = Unit::try_new(Vector3::from(axis), 1e-9) else {
            return Err(reader.error(element, "has an axis of length 0; expected a direction"));
        };
        let anchor = joint.numbers(reader, "pos")?.unwrap_or([0.0; 3]);
        let mut servo = self.defaults.servo(kind);
        // MuJoCo's own values where the file gives none.
        servo.damping = joint
            .list(reader, "damping", 3)?
            .map_or(0.0, |list| list.first().copied().unwrap_or(0.0));
        servo.friction_loss = joint.not_negative(reader, "frictionloss")?.unwrap_or(0.0);
        servo.armature = joint.not_negative(reader, "armature")?.unwrap_or(0.0);
        if servo.damping < 0.0 {
            let problem = format!("damping is {}; expected 0 or more", servo.damping);
            return Err(reader.error(element, problem));
        }
        let unit = match kind {
            JointKind::Revolute => self.angles.unit,
            JointKind::Prismatic => 1.0,
        };
        let zero = joint.number(reader, "ref")?.unwrap_or(0.0) * unit;
        let range = joint.numbers::<2>(reader, "range")?;
        let limited = match joint.text("limited").unwrap_or("auto") {
            "true" => true,
            "false" => false,
            _ => range.is_some() && self.auto_limits,
        };
        let [lower, upper] = match (range, kind) {
            (Some(range), _) if limited => {
                let range = range.map(|bound| bound * unit - zero);
                if range[0] >= range[1] {
                    let problem = format!(
                        "range is {} to {}; expected lower below upper",
                        range[0], range[1]
                    );
                    return Err(reader.error(element, problem));
                }
                range
            }
            (_, JointKind::Prismatic) => {
                return Err(reader.error(element, "slides without limits; expected a `range`"));
            }
            (_, JointKind::Revolute) => {
                let text = "a hinge without limits is limited to one turn each way";
                self.reader.note(element, text);
                [-std::f64::consts::TAU, std::f64::consts::TAU]
            }
        };
        if zero != 0.0 {
            let text = format!("`ref` of {}: positions count from it", describe(element));
            self.reader.note(element, text);
        }
        let mut effort = self.defaults.effort(kind);
        if let Some([low, high]) = joint.numbers(&self.reader, "actuatorfrcrange")? {
            effort = self.force(element, "actuatorfrcrange", low, high)?;
        }
        self.joint_count += 1;
        let name = element.attribute("name").filter(|name| !name.is_empty());
        Ok(BodyJoint {
            element,
            name: name.map_or_else(|| format!("joint_{}", self.joint_count), str::to_owned),
            anchor: Vector3::from(anchor),
            motion: Motion {
                kind,
                axis,
                limits: JointLimits {
                    lower,
                    upper,
                    velocity: self.defaults.velocity(kind),
                    effort,
                },
                servo,
            },
        })
    }

    /// Gives joints the servos that `<actuator>` describes.
    pub(super) fn actuators(
        &mut self,
        root: Element<'a>,
        joints: &mut [DraftJoint<'a>],
    ) -> Result<(), ImportError> {
        let index_of: HashMap<String, usize> = joints
            .iter()
            .enumerate()
            .filter(|(_, joint)| joint.motion.is_some())
            .map(|(index, joint)| (joint.name.clone(), index))
            .collect();
        let mut driven = vec![false; joints.len()];
        let sections = children(root).filter(|element| element.has_tag_name("actuator"));
        for element in sections.flat_map(children) {
            let tag = element.tag_name().name();
            if !matches!(tag, "position" | "general") {
                self.reader.note_element(element);
                continue;
            }
            let Some(name) = element.attribute("joint") else {
                let text = format!("a <{tag}> actuator that drives no joint is left out");
                self.reader.note(element, text);
                continue;
            };
            let Some(index) = index_of.get(name).copied() else {
                let problem = format!("drives joint `{}`, which does not exist", quote(name));
                return Err(self.reader.error(element, problem));
            };
            if let Some(motion) = &mut joints[index].motion {
                driven[index] |= self.actuator(element, motion)?;
            }
        }
        for (joint, driven) in joints.iter().zip(driven) {
            if joint.motion.is_some() && !driven {
                let text = format!(
                    "joint `{}` has no position actuator; a servo's default gains are used",
                    quote(&joint.name)
                );
                self.reader.note(joint.element, text);
            }
        }
        Ok(())
    }

    /// Reads a `position` or `general` actuator; false if it is no position servo.
    fn actuator(&mut self, element: Element<'a>, motion: &mut Motion) -> Result<bool, ImportError> {
        let classes = self.classes.clone();
        let class = classes.named(&self.reader, element, "class")?.unwrap_or(0);
        let actuator = classes.resolve(element, class);
        self.reader.note_attributes(element, &KNOWN_OF_ACTUATORS);
        let (kp, kv) = if element.has_tag_name("position") {
            let kp = actuator.not_negative(&self.reader, "kp")?.unwrap_or(1.0);
            let kv = actuator.not_negative(&self.reader, "kv")?.unwrap_or(0.0);
            (kp, kv)
        } else {
            let gain = actuator
                .list(&self.reader, "gainprm", 10)?
                .unwrap_or_default();
            let bias = actuator
                .list(&self.reader, "biasprm", 10)?
                .unwrap_or_default();
            let kp = gain.first().copied().unwrap_or(1.0);
            let is_servo = actuator.text("biastype") == Some("affine")
                && bias.get(1).is_some_and(|bias| *bias == -kp)
                && kp > 0.0;
            if !is_servo {
                let text = "a <general> actuator that is no position servo is left out";
                self.reader.note(element, text);
                return Ok(false);
            }
            (kp, (-bias.get(2).copied().unwrap_or(0.0)).max(0.0))
        };
        motion.servo.kp = kp;
        motion.servo.kv = kv;
        if let Some([low, high]) = actuator.numbers(&self.reader, "forcerange")? {
            motion.limits.effort = self.force(element, "forcerange", low, high)?;
        }
        Ok(true)
    }

    /// The greater side of a range of forces.
    fn force(
        &self,
        element: Element<'a>,
        name: &str,
        low: f64,
        high: f64,
    ) -> Result<f64, ImportError> {
        let force = low.abs().max(high.abs());
        if low <= high && force > 0.0 {
            return Ok(force);
        }
        let problem = format!("{name} is {low} to {high}; expected lower below upper");
        Err(self.reader.error(element, problem))
    }
}
