//! Forward kinematics and the geometric Jacobian.
//!
//! All poses are `base_from_…`: they map a point of the link's (or tool's) frame to the frame of
//! the base, `links[0]`. Joint vectors are in model order, radians (metres); a joint missing from
//! a vector that is too short counts as zero. Nothing allocates once the buffers that the caller
//! passes have grown to the model's size.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3, Vector6};

use crate::model::{ArmModel, Joint, JointKind};

/// The motion of a joint from position zero: the moved frame in the joint's frame.
///
/// `position` is radians for a revolute joint, metres for a prismatic one.
#[must_use]
pub fn joint_motion(joint: &Joint, position: f64) -> Isometry3<f64> {
    match joint.kind {
        JointKind::Revolute => Isometry3::from_parts(
            Translation3::identity(),
            UnitQuaternion::from_axis_angle(&joint.axis, position),
        ),
        JointKind::Prismatic => Isometry3::from_parts(
            Translation3::from(joint.axis.into_inner() * position),
            UnitQuaternion::identity(),
        ),
    }
}

/// Computes `base_from_link` for every link, in the order of [`ArmModel::links`].
///
/// `out` is cleared first; it allocates only while it is smaller than the model.
pub fn link_poses(model: &ArmModel, joints: &[f64], out: &mut Vec<Isometry3<f64>>) {
    out.clear();
    out.reserve(model.links.len());
    for link in &model.links {
        let pose = match &link.attachment {
            None => Isometry3::identity(),
            Some(attachment) => {
                let base_from_parent = out
                    .get(attachment.parent)
                    .copied()
                    .unwrap_or_else(Isometry3::identity);
                let base_from_joint = base_from_parent * attachment.parent_from_joint;
                match attachment
                    .joint
                    .and_then(|index| Some((index, model.joints.get(index)?)))
                {
                    None => base_from_joint,
                    Some((index, joint)) => {
                        let position = joints.get(index).copied().unwrap_or(0.0);
                        base_from_joint * joint_motion(joint, position)
                    }
                }
            }
        };
        out.push(pose);
    }
}

/// The tool's pose in the base's frame, given the poses that [`link_poses`] computed.
#[must_use]
pub fn tool_pose_from_links(model: &ArmModel, link_poses: &[Isometry3<f64>]) -> Isometry3<f64> {
    let base_from_link = link_poses
        .get(model.tool.link)
        .copied()
        .unwrap_or_else(Isometry3::identity);
    base_from_link * model.tool.link_from_tool
}

/// The tool's pose in the base's frame. `scratch` receives the links' poses, as in [`link_poses`].
#[must_use]
pub fn tool_pose(
    model: &ArmModel,
    joints: &[f64],
    scratch: &mut Vec<Isometry3<f64>>,
) -> Isometry3<f64> {
    link_poses(model, joints, scratch);
    tool_pose_from_links(model, scratch)
}

/// The geometric Jacobian of the tool: how fast it moves when each joint moves at unit speed.
///
/// One column a joint, in model order: linear velocity of the tool's origin (rows 0 to 2, metres a
/// second), then angular velocity (rows 3 to 5, radians a second), both in the base's frame. The
/// column of a joint that does not move the tool is zero.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Jacobian {
    columns: Vec<Vector6<f64>>,
    moves_tool: Vec<bool>,
}

impl Jacobian {
    /// A Jacobian with room for this model: computing it never allocates afterwards.
    #[must_use]
    pub fn new(model: &ArmModel) -> Self {
        Self {
            columns: vec![Vector6::zeros(); model.dof()],
            moves_tool: vec![false; model.links.len()],
        }
    }

    /// Computes the Jacobian from the poses that [`link_poses`] computed.
    pub fn compute(&mut self, model: &ArmModel, link_poses: &[Isometry3<f64>]) {
        self.columns.clear();
        self.columns.resize(model.dof(), Vector6::zeros());
        self.moves_tool.clear();
        self.moves_tool.resize(model.links.len(), false);
        let tool = tool_pose_from_links(model, link_poses).translation.vector;
        let mut next = Some(model.tool.link);
        while let Some(index) = next {
            // A model that was not validated may have a loop: each link is visited once.
            match self.moves_tool.get_mut(index) {
                Some(seen) if !*seen => *seen = true,
                _ => break,
            }
            let (Some(attachment), Some(pose)) = (
                model.links[index].attachment.as_ref(),
                link_poses.get(index),
            ) else {
                break;
            };
            if let Some((column, joint)) = attachment
                .joint
                .and_then(|joint| Some((self.columns.get_mut(joint)?, model.joints.get(joint)?)))
            {
                // A joint's motion leaves its own axis where it is, so the moved frame serves.
                let axis = pose.rotation * joint.axis.into_inner();
                *column = column_of(joint.kind, &axis, &(tool - pose.translation.vector));
            }
            next = Some(attachment.parent);
        }
    }

    /// The columns, one a joint in model order.
    #[must_use]
    pub fn columns(&self) -> &[Vector6<f64>] {
        &self.columns
    }

    /// The tool's velocity, linear then angular, for these joint velocities.
    #[must_use]
    pub fn velocity(&self, joint_velocities: &[f64]) -> Vector6<f64> {
        self.columns
            .iter()
            .zip(joint_velocities)
            .fold(Vector6::zeros(), |sum, (column, speed)| {
                sum + column * *speed
            })
    }
}

/// The Jacobian's column of a joint whose axis goes through the origin of `lever`.
pub(crate) fn column_of(
    kind: JointKind,
    axis: &Vector3<f64>,
    lever: &Vector3<f64>,
) -> Vector6<f64> {
    match kind {
        JointKind::Revolute => {
            let linear = axis.cross(lever);
            Vector6::new(linear.x, linear.y, linear.z, axis.x, axis.y, axis.z)
        }
        JointKind::Prismatic => Vector6::new(axis.x, axis.y, axis.z, 0.0, 0.0, 0.0),
    }
}
