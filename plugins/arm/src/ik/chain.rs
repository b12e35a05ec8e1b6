//! The joints between base and tool, as the solver walks them.

use nalgebra::{Isometry3, Unit, Vector3};

use crate::model::{ArmModel, JointKind};

/// A joint on the way from the base to the tool.
#[derive(Debug, Clone)]
pub(super) struct ChainJoint {
    /// Its index in the model.
    pub(super) index: usize,
    /// Its frame in the moved frame of the joint before it (the base's, for the first).
    pub(super) previous_from_joint: Isometry3<f64>,
    pub(super) axis: Unit<Vector3<f64>>,
    pub(super) kind: JointKind,
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// False for a gripper that carries the tool: it stays where it is.
    pub(super) movable: bool,
}

/// The joints from the base to the tool, and the tool in the last one's moved frame.
pub(super) fn chain_of(model: &ArmModel) -> (Vec<ChainJoint>, Isometry3<f64>) {
    let mut chain = Vec::new();
    // Walked from the tool to the base: `after_from_tool` gathers what is fixed on the way.
    let mut after = model.tool.link_from_tool;
    let mut last_from_tool = None;
    let mut next = Some(model.tool.link);
    // A parent comes before its child, so a valid model ends sooner; an invalid one ends too.
    for _ in 0..model.links.len() {
        let Some(attachment) = next
            .and_then(|index| model.links.get(index))
            .and_then(|link| link.attachment.as_ref())
        else {
            break;
        };
        let joint = attachment
            .joint
            .and_then(|index| Some((index, model.joints.get(index)?)));
        match joint {
            None => after = attachment.parent_from_joint * after,
            Some((index, joint)) => {
                match chain.last_mut() {
                    None => last_from_tool = Some(after),
                    Some(ChainJoint {
                        previous_from_joint,
                        ..
                    }) => *previous_from_joint = after * *previous_from_joint,
                }
                chain.push(ChainJoint {
                    index,
                    previous_from_joint: Isometry3::identity(),
                    axis: joint.axis,
                    kind: joint.kind,
                    lower: joint.limits.lower,
                    upper: joint.limits.upper,
                    movable: model.gripper != Some(index),
                });
                after = attachment.parent_from_joint;
            }
        }
        next = Some(attachment.parent);
    }
    if let Some(first) = chain.last_mut() {
        first.previous_from_joint = after * first.previous_from_joint;
    }
    chain.reverse();
    (chain, last_from_tool.unwrap_or(after))
}
