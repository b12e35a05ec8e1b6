//! A model between file and [`ArmModel`]: links and joints in the file's order, not yet a tree.

use nalgebra::{Isometry3, Unit, Vector3};

use super::inertia::{self, Body, Flaw};
use super::select;
use super::xml::{Element, Reader, describe, quote};
use super::{ImportError, Imported, MAX_LINKS, MAX_SHAPES};
use crate::model::{
    ArmModel, Attachment, Inertial, Joint, JointKind, JointLimits, Link, LinkCollider, Material,
    Servo, ToolFrame, Visual,
};
use crate::so101::so101;

/// Speed of a sliding joint where the file gives none, m/s, and its force, N.
const SLIDE_VELOCITY: f64 = 0.5;
const SLIDE_EFFORT: f64 = 50.0;
/// A servo for sliding joints where the file gives none: stiff enough to hold a kilogram within a
/// millimetre, damped critically for about that mass.
const SLIDE_SERVO: Servo = Servo {
    kp: 10_000.0,
    kv: 200.0,
    damping: 10.0,
    friction_loss: 0.0,
    armature: 0.1,
    backlash: 0.0,
};

/// What joints get where the file is silent.
pub(super) struct Defaults {
    turning: (Servo, f64, f64),
}

impl Defaults {
    /// The built-in SO-101's shoulder.
    pub(super) fn new() -> Self {
        let fallback = (SLIDE_SERVO, 1.0, 1.0);
        let turning = so101().joints.first().map_or(fallback, |joint| {
            (joint.servo, joint.limits.velocity, joint.limits.effort)
        });
        Self { turning }
    }

    pub(super) fn servo(&self, kind: JointKind) -> Servo {
        match kind {
            JointKind::Revolute => self.turning.0,
            JointKind::Prismatic => SLIDE_SERVO,
        }
    }

    /// Highest speed, rad/s or m/s.
    pub(super) fn velocity(&self, kind: JointKind) -> f64 {
        match kind {
            JointKind::Revolute => self.turning.1,
            JointKind::Prismatic => SLIDE_VELOCITY,
        }
    }

    /// Highest torque or force, N·m or N.
    pub(super) fn effort(&self, kind: JointKind) -> f64 {
        match kind {
            JointKind::Revolute => self.turning.2,
            JointKind::Prismatic => SLIDE_EFFORT,
        }
    }
}

/// A model as a file describes it.
pub(super) struct Draft<'a> {
    pub(super) root: Element<'a>,
    pub(super) name: String,
    pub(super) links: Vec<DraftLink<'a>>,
    pub(super) joints: Vec<DraftJoint<'a>>,
    /// Frames that a tool may be at, besides links: name, link, frame in the link's.
    pub(super) sites: Vec<(String, usize, Isometry3<f64>)>,
    /// Home positions, one a moving joint in the file's order.
    pub(super) home: Option<Vec<f64>>,
}

/// A link as a file describes it.
pub(super) struct DraftLink<'a> {
    pub(super) element: Element<'a>,
    pub(super) name: String,
    pub(super) inertial: Option<Inertial>,
    pub(super) visuals: Vec<Visual>,
    pub(super) colliders: Vec<LinkCollider>,
}

/// A joint as a file describes it.
pub(super) struct DraftJoint<'a> {
    pub(super) element: Element<'a>,
    pub(super) name: String,
    pub(super) parent: usize,
    pub(super) child: usize,
    pub(super) parent_from_joint: Isometry3<f64>,
    /// `None` for a fixed joint.
    pub(super) motion: Option<Motion>,
}

/// How a joint moves.
pub(super) struct Motion {
    pub(super) kind: JointKind,
    pub(super) axis: Unit<Vector3<f64>>,
    pub(super) limits: JointLimits,
    pub(super) servo: Servo,
}

impl<'a> Draft<'a> {
    /// Makes a valid model of it.
    pub(super) fn finish(mut self, mut reader: Reader) -> Result<Imported, ImportError> {
        self.check_sizes(&reader)?;
        let order = self.order(&reader)?;
        self.mend_inertials(&mut reader);
        self.give_masses(&mut reader, &order);
        self.show_colliders(&mut reader);
        let model = self.into_model(&reader, &order)?;
        Ok(Imported {
            model,
            notes: reader.into_notes(),
        })
    }

    fn check_sizes(&self, reader: &Reader) -> Result<(), ImportError> {
        if let Some(link) = self.links.get(MAX_LINKS) {
            return Err(reader.error(
                link.element,
                format!("is link {}; expected at most {MAX_LINKS}", MAX_LINKS + 1),
            ));
        }
        if let Some(joint) = self.joints.get(MAX_LINKS) {
            return Err(reader.error(
                joint.element,
                format!("is joint {}; expected at most {MAX_LINKS}", MAX_LINKS + 1),
            ));
        }
        let mut shapes = 0;
        for link in &self.links {
            shapes += link.visuals.len() + link.colliders.len();
            if shapes > MAX_SHAPES {
                return Err(reader.error(
                    link.element,
                    format!("brings the model to {shapes} shapes; expected at most {MAX_SHAPES}"),
                ));
            }
        }
        for (index, link) in self.links.iter().enumerate() {
            if self.links[..index]
                .iter()
                .any(|other| other.name == link.name)
            {
                return Err(reader.error(
                    link.element,
                    format!(
                        "is a second link `{}`; expected unique names",
                        quote(&link.name)
                    ),
                ));
            }
        }
        for (index, joint) in self.joints.iter().enumerate() {
            if self.joints[..index]
                .iter()
                .any(|other| other.name == joint.name)
            {
                return Err(reader.error(
                    joint.element,
                    format!(
                        "is a second joint `{}`; expected unique names",
                        quote(&joint.name)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The links from the base to the tips, parents first: each with the joint it hangs from.
    fn order(&self, reader: &Reader) -> Result<Vec<(usize, Option<usize>)>, ImportError> {
        let name = |link: usize| quote(&self.links[link].name);
        let mut hangs_from: Vec<Option<usize>> = vec![None; self.links.len()];
        for (index, joint) in self.joints.iter().enumerate() {
            if let Some(other) = hangs_from[joint.child].replace(index) {
                return Err(reader.error(
                    joint.element,
                    format!(
                        "hangs link `{}` from `{}`, but {} hangs it from `{}` already; expected \
                         a tree without loops, where a link has one parent",
                        name(joint.child),
                        name(joint.parent),
                        describe(self.joints[other].element),
                        name(self.joints[other].parent),
                    ),
                ));
            }
        }
        let mut roots = (0..self.links.len()).filter(|link| hangs_from[*link].is_none());
        let Some(root) = roots.next() else {
            let element = self.joints.first().map_or(self.root, |joint| joint.element);
            let problem = if self.links.is_empty() {
                "the model has no links; expected at least two"
            } else {
                "is part of a loop: every link hangs from another; expected one base link"
            };
            return Err(reader.error(element, problem));
        };
        if let Some(other) = roots.next() {
            return Err(reader.error(
                self.links[other].element,
                format!(
                    "hangs from nothing, as `{}` does; expected one base link",
                    name(root)
                ),
            ));
        }
        let mut order = Vec::with_capacity(self.links.len());
        let mut pending = vec![(root, None)];
        let mut reached = vec![false; self.links.len()];
        while let Some((link, joint)) = pending.pop() {
            order.push((link, joint));
            reached[link] = true;
            let hanging = self.joints.iter().enumerate().rev();
            pending.extend(
                hanging
                    .filter(|(_, joint)| joint.parent == link)
                    .map(|(index, joint)| (joint.child, Some(index))),
            );
        }
        if let Some(lost) = reached.iter().position(|reached| !reached) {
            let element = hangs_from[lost].map_or(self.root, |joint| self.joints[joint].element);
            return Err(reader.error(
                element,
                format!(
                    "is part of a loop that link `{}` is in; expected a tree that hangs from `{}`",
                    name(lost),
                    name(root)
                ),
            ));
        }
        if self.joints.iter().all(|joint| joint.motion.is_none()) {
            return Err(reader.error(
                self.root,
                "the model has no joint that turns or slides; expected at least one",
            ));
        }
        Ok(order)
    }

    /// Makes bodies out of masses whose inertia no body can have.
    fn mend_inertials(&mut self, reader: &mut Reader) {
        for link in &mut self.links {
            let Some(inertial) = &mut link.inertial else {
                continue;
            };
            let Some(flaw) = inertia::flaw(inertial) else {
                continue;
            };
            let name = quote(&link.name);
            match flaw {
                Flaw::Missing => {
                    let body = solid(&link.visuals, &link.colliders).with_mass(inertial.mass);
                    inertial.inertia = body.to_inertial().inertia;
                    inertial.link_from_inertial.rotation = nalgebra::UnitQuaternion::identity();
                    reader.note(
                        link.element,
                        format!("link `{name}` has a mass without inertia; its shape's is used"),
                    );
                }
                Flaw::Negative | Flaw::Unbalanced => {
                    if matches!(flaw, Flaw::Negative) {
                        inertial.inertia = inertial.inertia.map(f64::abs);
                    }
                    inertia::balance(inertial);
                    reader.note(
                        link.element,
                        format!(
                            "link `{name}` has an inertia that no body can have; the mean of its \
                             moments is used about every axis"
                        ),
                    );
                }
            }
        }
    }

    /// Gives a mass to what a joint moves and the file left weightless.
    fn give_masses(&mut self, reader: &mut Reader, order: &[(usize, Option<usize>)]) {
        let mut body_of = vec![0; self.links.len()];
        let mut mass_of = vec![0.0; self.links.len()];
        let mut moved = Vec::new();
        for (link, joint) in order {
            let joint = joint.map(|joint| &self.joints[joint]);
            body_of[*link] = match joint {
                Some(joint) if joint.motion.is_none() => body_of[joint.parent],
                _ => *link,
            };
            if joint.is_some_and(|joint| joint.motion.is_some()) {
                moved.push(*link);
            }
            let mass = self.links[*link]
                .inertial
                .map_or(0.0, |inertial| inertial.mass);
            mass_of[body_of[*link]] += mass;
        }
        for index in moved {
            if mass_of[index] > 0.0 {
                continue;
            }
            let link = &mut self.links[index];
            let body = solid(&link.visuals, &link.colliders);
            link.inertial = Some(body.to_inertial());
            reader.note(
                link.element,
                format!(
                    "link `{}` moves and has no mass; {:.3} kg are taken for it, from its shape \
                     and the density of water",
                    quote(&link.name),
                    body.mass
                ),
            );
        }
    }

    /// A model with nothing to draw shows what it collides with.
    fn show_colliders(&mut self, reader: &mut Reader) {
        if self.links.iter().any(|link| !link.visuals.is_empty()) {
            return;
        }
        for link in &mut self.links {
            link.visuals
                .extend(link.colliders.iter().map(|collider| Visual {
                    link_from_shape: collider.link_from_shape,
                    shape: collider.shape.clone(),
                    material: Material::Printed,
                }));
        }
        if self.links.iter().any(|link| !link.visuals.is_empty()) {
            reader.note(
                self.root,
                "nothing is there to be drawn; what collides is drawn instead",
            );
        }
    }

    fn into_model(
        self,
        reader: &Reader,
        order: &[(usize, Option<usize>)],
    ) -> Result<ArmModel, ImportError> {
        let gripper = select::gripper(&self, order);
        let moving = |joint: &usize| self.joints[*joint].motion.is_some();
        let mut joint_order: Vec<usize> = order
            .iter()
            .filter_map(|(_, joint)| *joint)
            .filter(moving)
            .collect();
        if let Some(gripper) = gripper {
            joint_order.retain(|joint| *joint != gripper);
            joint_order.push(gripper);
        }
        let (tool_link, link_from_tool) = select::tool(&self, order, gripper);

        let mut link_index = vec![0; self.links.len()];
        for (index, (link, _)) in order.iter().enumerate() {
            link_index[*link] = index;
        }
        let mut joint_index = vec![None; self.joints.len()];
        let mut joints = Vec::with_capacity(joint_order.len());
        for joint in &joint_order {
            let draft = &self.joints[*joint];
            if let Some(motion) = &draft.motion {
                joint_index[*joint] = Some(joints.len());
                joints.push(Joint {
                    name: draft.name.clone(),
                    kind: motion.kind,
                    axis: motion.axis,
                    limits: motion.limits,
                    servo: motion.servo,
                });
            }
        }
        let in_file = |joint: &usize| {
            let before = self.joints[..*joint].iter();
            before.filter(|joint| joint.motion.is_some()).count()
        };
        let home = joint_order
            .iter()
            .zip(&joints)
            .map(|(joint, model)| {
                let home = self.home.as_ref().and_then(|home| home.get(in_file(joint)));
                let home = home.copied().unwrap_or(0.0);
                home.max(model.limits.lower).min(model.limits.upper)
            })
            .collect();

        let mut drafts: Vec<Option<DraftLink<'_>>> = self.links.into_iter().map(Some).collect();
        let mut links = Vec::with_capacity(order.len());
        for (link, joint) in order {
            let Some(draft) = drafts[*link].take() else {
                continue;
            };
            links.push(Link {
                name: draft.name,
                attachment: joint.map(|joint| Attachment {
                    parent: link_index[self.joints[joint].parent],
                    parent_from_joint: self.joints[joint].parent_from_joint,
                    joint: joint_index[joint],
                }),
                inertial: draft.inertial.unwrap_or_else(inertia::massless),
                visuals: draft.visuals,
                colliders: draft.colliders,
            });
        }
        let model = ArmModel {
            name: self.name,
            links,
            joints,
            tool: ToolFrame {
                link: link_index[tool_link],
                link_from_tool,
            },
            gripper: gripper.and_then(|gripper| joint_index[gripper]),
            home,
        };
        match model.validate() {
            Ok(()) => Ok(model),
            Err(error) => Err(reader.error(self.root, error.to_string())),
        }
    }
}

/// What a link's shapes weigh when solid; a small ball without any.
fn solid(visuals: &[Visual], colliders: &[LinkCollider]) -> Body {
    let part = |shape, pose| {
        let unit = Body::of(shape);
        unit.with_mass(unit.mass * inertia::DENSITY).placed(pose)
    };
    let mut parts: Vec<Body> = colliders
        .iter()
        .map(|collider| part(&collider.shape, &collider.link_from_shape))
        .collect();
    if parts.is_empty() {
        parts = visuals
            .iter()
            .map(|visual| part(&visual.shape, &visual.link_from_shape))
            .collect();
    }
    Body::together(&parts).unwrap_or_else(|| {
        let ball = Body::of(&crate::Shape::Sphere { radius: 0.01 });
        ball.with_mass(ball.mass * inertia::DENSITY)
    })
}
