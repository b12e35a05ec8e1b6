//! What can be asked of a world, and what can be set in it between steps.

use forearm_protocol::Pose;

use super::{World, twist};
use crate::arm::Arm;
use crate::math::Frame;

/// An object counts as resting below this speed, m/s.
const RESTING_SPEED: f64 = 0.05;

impl World {
    /// Puts an arm somewhere, at rest, and lets its motors hold it there: radians (metres), model
    /// order. Positions beyond a joint's limits stop at the limit; with too few of them, or one that
    /// is not finite, nothing changes.
    pub fn place_arm(&mut self, arm: usize, positions: &[f64]) {
        let Some((arm, &start)) = self.arms.get_mut(arm).zip(self.arm_start.get(arm)) else {
            return;
        };
        if positions.len() == arm.dof() && positions.iter().all(|position| position.is_finite()) {
            arm.place(positions);
            self.velocity[start..start + arm.dof()].fill(0.0);
            self.dry_impulse[start..start + arm.dof()].fill(0.0);
            self.forget();
        }
    }

    /// Sets an arm's targets: radians (metres), model order. Targets beyond a joint's limits stop
    /// at the limit; one that is not a number leaves its joint's target as it was.
    pub fn set_targets(&mut self, arm: usize, positions: &[f64]) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.set_targets(positions);
        }
    }

    /// Switches an arm's motors. Switched off, only friction and damping hold it; switched on,
    /// it holds where it is until new targets come.
    pub fn set_torque(&mut self, arm: usize, on: bool) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.set_torque(on);
        }
    }

    /// Lets one joint's motor exert this part of its effort, 0 (limp) to 1; a motor that was limp
    /// holds where it is until a new target comes. [`World::set_torque`] switches all alike again.
    pub fn set_joint_torque(&mut self, arm: usize, joint: usize, share: f64) {
        if let Some(arm) = self.arms.get_mut(arm) {
            arm.set_joint_torque(joint, share);
        }
    }

    /// Whether an arm's motors hold.
    #[must_use]
    pub fn torque(&self, arm: usize) -> bool {
        self.arms.get(arm).is_some_and(|arm| arm.torque_on)
    }

    /// Writes an arm's joint positions: radians (metres), model order.
    pub fn joint_positions(&self, arm: usize, out: &mut [f64]) {
        self.per_joint(arm, out, |arm, _, body| arm.positions()[body]);
    }

    /// Writes an arm's joint velocities: radians (metres) a second, model order.
    pub fn joint_velocities(&self, arm: usize, out: &mut [f64]) {
        self.per_joint(arm, out, |_, start, body| self.velocity[start + body]);
    }

    /// Writes what an arm's servos exert: N·m (N), model order.
    pub fn joint_efforts(&self, arm: usize, out: &mut [f64]) {
        self.per_joint(arm, out, |arm, _, body| arm.effort(body));
    }

    fn per_joint(&self, arm: usize, out: &mut [f64], value: impl Fn(&Arm, usize, usize) -> f64) {
        let Some((arm, &start)) = self.arms.get(arm).zip(self.arm_start.get(arm)) else {
            return;
        };
        for (joint, out) in out.iter_mut().enumerate().take(arm.dof()) {
            *out = value(arm, start, arm.body_of_joint(joint));
        }
    }

    /// Gives each of an arm's joints' position and velocity, in model order.
    pub(crate) fn each_joint(&self, arm: usize, mut take: impl FnMut(f64, f64)) {
        let Some((arm, &start)) = self.arms.get(arm).zip(self.arm_start.get(arm)) else {
            return;
        };
        for joint in 0..arm.dof() {
            let body = arm.body_of_joint(joint);
            take(arm.positions()[body], self.velocity[start + body]);
        }
    }

    /// The number of objects: those of the scene, in order.
    #[must_use]
    pub fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// Where an object is in the world (its centre; for a tray, its floor's underside).
    #[must_use]
    pub fn object_pose(&self, object: usize) -> Pose {
        self.objects
            .get(object)
            .map_or(Pose::IDENTITY, |object| object.frame.to_pose())
    }

    /// How an object moves: the velocity of its centre of mass (m/s), and its spin (rad/s), both in
    /// the world's axes.
    #[must_use]
    pub fn object_velocity(&self, object: usize) -> ([f64; 3], [f64; 3]) {
        self.object_start.get(object).map_or_else(
            || ([0.0; 3], [0.0; 3]),
            |&start| {
                let (linear, angular) = twist(&self.velocity, start);
                (linear.into(), angular.into())
            },
        )
    }

    /// How many bodies of an arm pressed on an object in the last step: two or more hold it.
    #[must_use]
    pub fn bodies_touching(&self, object: usize, arm: usize) -> u32 {
        let object = self.objects.get(object);
        let bodies = object.and_then(|object| object.touched_by.get(arm));
        bodies.map_or(0, |bodies| bodies.count_ones())
    }

    /// Whether any arm pressed on an object in the last step.
    #[must_use]
    pub fn object_touched(&self, object: usize) -> bool {
        self.objects
            .get(object)
            .is_some_and(|object| object.touched)
    }

    /// Makes an object so many times as heavy as the scene has it. A parameter, not state: neither
    /// [`World::reset`] nor [`World::restore`] changes it back.
    pub fn scale_mass(&mut self, object: usize, factor: f64) {
        if let Some(object) = self.objects.get_mut(object)
            && factor > 0.0
            && factor.is_finite()
        {
            object.scale_mass(factor);
        }
    }

    /// Makes all surfaces so many times as rough as the scene has them; a parameter, as is
    /// [`World::scale_mass`]'s.
    pub fn scale_friction(&mut self, factor: f64) {
        if factor >= 0.0 && factor.is_finite() {
            self.collisions.scale_friction(factor);
        }
    }

    /// Makes the position gain of a joint's servo so many times its model's; a parameter, as is
    /// [`World::scale_mass`]'s.
    pub fn scale_gain(&mut self, arm: usize, joint: usize, factor: f64) {
        if let Some(arm) = self.arms.get_mut(arm)
            && factor > 0.0
            && factor.is_finite()
        {
            arm.scale_gain(joint, factor);
        }
    }

    /// Puts an object somewhere, at rest. A pose that is not finite changes nothing.
    pub fn set_object_pose(&mut self, object: usize, world_from_object: Pose) {
        let Some(frame) = Frame::from_pose(&world_from_object) else {
            return;
        };
        if let Some((object, &start)) = self
            .objects
            .get_mut(object)
            .zip(self.object_start.get(object))
        {
            object.frame = frame;
            self.velocity[start..start + 6].fill(0.0);
            self.forget();
        }
    }

    /// Where a link is in the world. Links are numbered as in the arm's model.
    #[must_use]
    pub fn link_pose(&self, arm: usize, link: usize) -> Pose {
        match self.arms.get(arm) {
            Some(arm) if link < arm.model.links.len() => arm.link_frame(link).to_pose(),
            _ => Pose::IDENTITY,
        }
    }

    /// Where an arm's tool is in the world.
    #[must_use]
    pub fn tool_pose(&self, arm: usize) -> Pose {
        self.tool_frame(arm).to_pose()
    }

    /// The same as a frame.
    pub(crate) fn tool_frame(&self, arm: usize) -> Frame {
        self.arms.get(arm).map_or_else(Frame::identity, |arm| {
            let tool = &arm.model.tool;
            let link_from_tool = Frame::from_isometry(&tool.link_from_tool);
            arm.link_frame(tool.link).then(&link_from_tool)
        })
    }

    /// Whether an object lies in a tray: its centre within the tray's walls and no higher above
    /// its floor than the object reaches, all but at rest, and touched by no arm.
    #[must_use]
    pub fn object_in_tray(&self, object: usize, tray: usize) -> bool {
        let (Some(thing), Some(place), Some(Some(walls))) = (
            self.objects.get(object),
            self.objects.get(tray),
            self.trays.get(tray),
        ) else {
            return false;
        };
        let center = place.frame.inverse_point(&thing.center());
        let (linear, _) = twist(&self.velocity, self.object_start[object]);
        object != tray
            && !thing.touched
            && linear.norm() < RESTING_SPEED
            && center.x.abs() <= walls.inner[0] / 2.0
            && center.y.abs() <= walls.inner[1] / 2.0
            && center.z > walls.floor
            && center.z < walls.floor + thing.reach + 0.002
    }

    /// A digest of all positions and velocities, and of who rests since when, bit by bit: equal runs
    /// have equal digests.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let mut add = |value: f64| {
            hasher.update(&value.to_bits().to_le_bytes());
        };
        for arm in &self.arms {
            arm.positions().iter().copied().for_each(&mut add);
        }
        for object in &self.objects {
            object.frame.origin.iter().copied().for_each(&mut add);
            object.frame.rotation.iter().copied().for_each(&mut add);
            add(f64::from(object.rest.steps()));
        }
        self.velocity.iter().copied().for_each(&mut add);
        *hasher.finalize().as_bytes()
    }
}
