//! One arm in reduced coordinates: kinematics and inertia of a tree of moving bodies.
//!
//! Links that hang on fixed joints are merged into the moving body that carries them. Motion is
//! described by spatial vectors about the world's origin; the inertia matrix comes from the
//! composite-body method and bias forces from the recursive Newton–Euler method, both in the
//! textbook form. What servos and viscous damping do is folded into the matrix (see [`Servo`]).

use std::sync::Arc;

use forearm_arm::{ArmModel, JointKind};
use forearm_protocol::scene::ServoModel;

use crate::math::{Frame, M3, Symmetric, V3, cross_matrix, times};
use crate::servo::Servo;
use crate::snapshot::state;
use crate::symmetric::{invert, multiply};

/// How far a body's surface is from its joint, about, metres: contacts are looked for a little
/// further ahead of fast bodies.
const BODY_REACH: f64 = 0.1;

/// A moving body and the joint that moves it. Bodies are in parent-first order.
#[derive(Debug, Clone)]
struct Body {
    parent: Option<usize>,
    /// The joint's index in the model.
    joint: usize,
    revolute: bool,
    /// The joint's axis in its own frame.
    axis: V3,
    /// Origin and rotation of the joint in the parent body, at position zero.
    parent_from_joint: Frame,
    /// `rotation · K` and `rotation · K²`, where K is the axis' cross matrix (Rodrigues' formula).
    turn_sine: M3,
    turn_cosine: M3,
    mass: f64,
    com: V3,
    inertia: Symmetric,
}

/// A body's motion and inertia, recomputed each step. World frame, about the world's origin.
#[derive(Debug, Clone, Copy)]
struct BodyState {
    frame: Frame,
    /// The joint's unit motion: angular, and linear at the origin.
    axis_angular: V3,
    axis_linear: V3,
    velocity_angular: V3,
    velocity_linear: V3,
    acceleration_angular: V3,
    acceleration_linear: V3,
    force_linear: V3,
    force_angular: V3,
    /// Composite mass, first moment and inertia.
    mass: f64,
    moment: V3,
    inertia: Symmetric,
}

// The velocities of the last step say how far ahead contacts are looked for in the next.
state!(BodyState { velocity_angular, velocity_linear } but {
    frame, axis_angular, axis_linear, acceleration_angular, acceleration_linear, force_linear,
    force_angular, mass, moment, inertia,
});

/// An arm being simulated.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    pub(crate) model: Arc<ArmModel>,
    world_from_base: Frame,
    bodies: Vec<Body>,
    states: Vec<BodyState>,
    /// Which body carries each link (`None`: the base), and where the link is on it.
    links: Vec<(Option<usize>, Frame)>,
    body_of_joint: Vec<usize>,
    home: Vec<f64>,
    pub(crate) torque_on: bool,
    /// One entry a body, below.
    position: Vec<f64>,
    servos: Vec<Servo>,
    /// What damping and stiffness add to the inertia's diagonal.
    implicit: Vec<f64>,
    /// Momentum at the start of the step, plus the impulses of gravity and motion.
    momentum: Vec<f64>,
    /// The same with the servos' constant part: what makes the velocity at the end of the step.
    impulse: Vec<f64>,
    /// Bodies × bodies, row by row: the inertia, the inverse of its implicit form, and room to find that.
    inertia: Vec<f64>,
    inverse: Vec<f64>,
    scratch: Vec<f64>,
}

state!(Arm { states, torque_on, position, servos } but {
    model, world_from_base, bodies, links, body_of_joint, home, implicit, momentum, impulse,
    inertia, inverse, scratch,
});

impl Arm {
    /// Builds the tree. `home` is in model order and already checked, as is the model.
    pub(crate) fn new(
        model: Arc<ArmModel>,
        world_from_base: Frame,
        home: Vec<f64>,
        servo: &ServoModel,
    ) -> Self {
        let mut bodies: Vec<Body> = Vec::with_capacity(model.joints.len());
        let mut links: Vec<(Option<usize>, Frame)> = Vec::with_capacity(model.links.len());
        let mut body_of_joint = vec![0; model.joints.len()];
        for link in &model.links {
            let (body, frame) = match &link.attachment {
                None => (None, Frame::identity()),
                Some(attachment) => {
                    let (carrier, carrier_from_parent) = links[attachment.parent];
                    let carrier_from_joint = carrier_from_parent
                        .then(&Frame::from_isometry(&attachment.parent_from_joint));
                    match attachment.joint {
                        None => (carrier, carrier_from_joint),
                        Some(joint) => {
                            body_of_joint[joint] = bodies.len();
                            bodies.push(new_body(&model, joint, carrier, carrier_from_joint));
                            (Some(bodies.len() - 1), Frame::identity())
                        }
                    }
                }
            };
            if let Some(body) = body {
                add_mass(&mut bodies[body], link, &frame);
            }
            links.push((body, frame));
        }
        let count = bodies.len();
        let state = BodyState {
            frame: Frame::identity(),
            axis_angular: V3::zeros(),
            axis_linear: V3::zeros(),
            velocity_angular: V3::zeros(),
            velocity_linear: V3::zeros(),
            acceleration_angular: V3::zeros(),
            acceleration_linear: V3::zeros(),
            force_linear: V3::zeros(),
            force_angular: V3::zeros(),
            mass: 0.0,
            moment: V3::zeros(),
            inertia: Symmetric::ZERO,
        };
        let servos = bodies
            .iter()
            .map(|body| Servo::new(&model.joints[body.joint], servo))
            .collect();
        let mut arm = Self {
            model,
            world_from_base,
            bodies,
            states: vec![state; count],
            links,
            body_of_joint,
            home,
            torque_on: true,
            position: vec![0.0; count],
            servos,
            inertia: vec![0.0; count * count],
            inverse: vec![0.0; count * count],
            scratch: vec![0.0; count * count],
            implicit: vec![0.0; count],
            momentum: vec![0.0; count],
            impulse: vec![0.0; count],
        };
        arm.reset();
        arm
    }

    /// Back to the home pose, at rest, motors on and holding it.
    pub(crate) fn reset(&mut self) {
        let home = std::mem::take(&mut self.home);
        self.place(&home);
        self.home = home;
    }

    /// Puts it at these positions (model order, within the limits), at rest, motors on and holding.
    pub(crate) fn place(&mut self, positions: &[f64]) {
        for (body, servo) in self.servos.iter_mut().enumerate() {
            let position = servo.within_limits(positions[self.bodies[body].joint]);
            self.position[body] = position;
            servo.place(position);
        }
        self.torque_on = true;
        for state in &mut self.states {
            state.velocity_angular = V3::zeros();
            state.velocity_linear = V3::zeros();
        }
        self.update_frames();
    }

    /// The positions to start from, in model order.
    pub(crate) fn home(&self) -> &[f64] {
        &self.home
    }

    /// Makes a servo's position gain so many times its model's.
    pub(crate) fn scale_gain(&mut self, joint: usize, factor: f64) {
        if let Some(&body) = self.body_of_joint.get(joint) {
            self.servos[body].scale_gain(factor);
        }
    }

    /// The number of moving bodies, equal to the number of joints.
    pub(crate) fn dof(&self) -> usize {
        self.bodies.len()
    }

    /// Which body each joint of the model moves.
    pub(crate) fn body_of_joint(&self, joint: usize) -> usize {
        self.body_of_joint[joint]
    }

    /// The body that carries a link (`None`: the base, which stands still) and where it is on it.
    pub(crate) fn carrier(&self, link: usize) -> (Option<usize>, Frame) {
        self.links[link]
    }

    /// Where a link is in the world.
    pub(crate) fn link_frame(&self, link: usize) -> Frame {
        let (body, frame) = self.links[link];
        self.body_frame(body).then(&frame)
    }

    /// Where a body (`None`: the base) is in the world.
    pub(crate) fn body_frame(&self, body: Option<usize>) -> Frame {
        body.map_or(self.world_from_base, |body| self.states[body].frame)
    }

    /// An upper bound of how fast the surface of a body moves, m/s.
    pub(crate) fn speed(&self, body: Option<usize>) -> f64 {
        body.map_or(0.0, |body| {
            let state = &self.states[body];
            let angular = &state.velocity_angular;
            let origin = state.velocity_linear + angular.cross(&state.frame.origin);
            origin.norm() + angular.norm() * BODY_REACH
        })
    }

    /// Joint positions in body order.
    pub(crate) fn positions(&self) -> &[f64] {
        &self.position
    }

    /// What a body's servo exerted in the last step, N·m (N).
    pub(crate) fn effort(&self, body: usize) -> f64 {
        self.servos[body].effort()
    }

    /// Sets targets, in model order. Targets are kept within the joint limits, as a servo's own
    /// limits do; one that is not a number leaves its joint's target alone.
    pub(crate) fn set_targets(&mut self, targets: &[f64]) {
        for (part, servo) in self.bodies.iter().zip(&mut self.servos) {
            if let Some(target) = targets.get(part.joint).filter(|target| !target.is_nan()) {
                servo.set_target(*target);
            }
        }
    }

    /// Switches the motors. Switched on, they hold where the arm is.
    pub(crate) fn set_torque(&mut self, on: bool) {
        if on && !self.torque_on {
            for (servo, &position) in self.servos.iter_mut().zip(&self.position) {
                servo.hold(position);
            }
        }
        self.torque_on = on;
        for servo in &mut self.servos {
            servo.set_share(1.0);
        }
    }

    /// Lets one joint's motor, whatever the others do, exert this part of its effort: 0 is limp, and
    /// from there on it holds where it is.
    pub(crate) fn set_joint_torque(&mut self, joint: usize, share: f64) {
        let Some(&body) = self.body_of_joint.get(joint) else {
            return;
        };
        if !self.torque_on {
            // The others stay limp.
            for servo in &mut self.servos {
                servo.set_share(0.0);
            }
            self.torque_on = true;
        }
        // Not a number is limp.
        let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
        let servo = &mut self.servos[body];
        if share > 0.0 && servo.share() == 0.0 {
            servo.hold(self.position[body]);
        }
        servo.set_share(share);
    }

    /// Recomputes every body's frame and joint axis from the positions.
    pub(crate) fn update_frames(&mut self) {
        for (index, body) in self.bodies.iter().enumerate() {
            let parent = match body.parent {
                None => &self.world_from_base,
                Some(parent) => &self.states[parent].frame,
            };
            let joint = &body.parent_from_joint;
            let q = self.position[index];
            let mut frame = Frame {
                rotation: joint.rotation,
                origin: parent.point(&joint.origin),
            };
            if body.revolute {
                let (sine, cosine) = libm::sincos(q);
                frame.rotation += body.turn_sine * sine + body.turn_cosine * (1.0 - cosine);
            }
            frame.rotation = parent.rotation * frame.rotation;
            let axis = times(&frame.rotation, &body.axis);
            if !body.revolute {
                frame.origin += axis * q;
            }
            let state = &mut self.states[index];
            state.frame = frame;
            if body.revolute {
                state.axis_angular = axis;
                state.axis_linear = frame.origin.cross(&axis);
            } else {
                state.axis_angular = V3::zeros();
                state.axis_linear = axis;
            }
        }
    }

    /// Prepares a step: inertia, bias forces and servos at the present state. `velocity` (body
    /// order) goes in as the present velocity and comes out as the velocity that the arm would
    /// have at the end of the step without contact, joint limits and dry friction.
    pub(crate) fn free_velocity(&mut self, velocity: &mut [f64], gravity: &V3, dt: f64) {
        let count = self.bodies.len();
        for ((servo, &position), &velocity) in
            self.servos.iter_mut().zip(&self.position).zip(&*velocity)
        {
            servo.drive(self.torque_on, position, velocity, dt);
        }
        self.bias_forces(velocity, gravity);
        self.composite_inertia();
        for (row, servo) in self.servos.iter().enumerate() {
            self.inertia[row * count + row] += servo.armature();
        }
        multiply(&self.inertia, velocity, &mut self.momentum);
        for (momentum, state) in self.momentum.iter_mut().zip(&self.states) {
            let bias = state.axis_angular.dot(&state.force_angular)
                + state.axis_linear.dot(&state.force_linear);
            *momentum -= dt * bias;
        }
        self.solve_free(velocity, dt);
        let mut saturated = false;
        for (servo, &velocity) in self.servos.iter_mut().zip(&*velocity) {
            saturated |= servo.saturate(velocity, dt);
        }
        if saturated {
            self.solve_free(velocity, dt);
        }
    }

    /// Solves for the velocity at the end of the step with the servos' present force laws.
    fn solve_free(&mut self, velocity: &mut [f64], dt: f64) {
        for (body, servo) in self.servos.iter().enumerate() {
            self.implicit[body] = servo.implicit_inertia(dt);
            self.impulse[body] = self.momentum[body] + servo.constant_impulse(dt);
        }
        invert(
            &self.inertia,
            &self.implicit,
            &mut self.inverse,
            &mut self.scratch,
        );
        multiply(&self.inverse, &self.impulse, velocity);
    }

    /// Ends a step: moves the joints by `velocity` (body order) and notes the servos' efforts.
    pub(crate) fn advance(&mut self, velocity: &[f64], dt: f64) {
        for (body, &v) in velocity.iter().enumerate() {
            self.position[body] += dt * v;
            self.servos[body].end_step(v, dt);
        }
        self.update_frames();
    }

    /// What every unit of generalised force does to the velocities, row by row in body order.
    pub(crate) fn inverse(&self) -> &[f64] {
        &self.inverse
    }

    /// Dry friction (N·m), lower and upper limit of a body's joint.
    pub(crate) fn friction_and_limits(&self, body: usize) -> (f64, f64, f64) {
        self.servos[body].friction_and_limits()
    }

    /// Writes how fast `point` of a body moves along `direction` for unit speed of each joint.
    pub(crate) fn jacobian(
        &self,
        body: Option<usize>,
        point: &V3,
        direction: &V3,
        out: &mut [f64],
    ) {
        out.fill(0.0);
        let moment = point.cross(direction);
        let mut next = body;
        while let Some(body) = next {
            let state = &self.states[body];
            out[body] = state.axis_linear.dot(direction) + state.axis_angular.dot(&moment);
            next = self.bodies[body].parent;
        }
    }

    /// Writes how fast a body turns about `axis` for unit speed of each joint.
    pub(crate) fn spin_jacobian(&self, body: Option<usize>, axis: &V3, out: &mut [f64]) {
        out.fill(0.0);
        let mut next = body;
        while let Some(body) = next {
            out[body] = self.states[body].axis_angular.dot(axis);
            next = self.bodies[body].parent;
        }
    }

    /// Recursive Newton–Euler at zero acceleration: what forces the present motion and gravity
    /// need. Leaves each body's composite mass as its own.
    fn bias_forces(&mut self, velocity: &[f64], gravity: &V3) {
        for (index, &speed) in velocity.iter().enumerate() {
            let (w0, v0, a0, l0) = match self.bodies[index].parent {
                None => (V3::zeros(), V3::zeros(), V3::zeros(), -gravity),
                Some(parent) => {
                    let parent = &self.states[parent];
                    (
                        parent.velocity_angular,
                        parent.velocity_linear,
                        parent.acceleration_angular,
                        parent.acceleration_linear,
                    )
                }
            };
            let body = &self.bodies[index];
            let state = &mut self.states[index];
            let own_angular = state.axis_angular * speed;
            let own_linear = state.axis_linear * speed;
            let (w, v) = (w0 + own_angular, v0 + own_linear);
            let angular = a0 + w.cross(&own_angular);
            let linear = l0 + w.cross(&own_linear) + v.cross(&own_angular);
            state.velocity_angular = w;
            state.velocity_linear = v;
            state.acceleration_angular = angular;
            state.acceleration_linear = linear;

            // The forces on the body, worked out at its centre of mass.
            let com = state.frame.point(&body.com);
            let own_inertia = body.inertia.turned(&state.frame.rotation);
            let com_velocity = v + w.cross(&com);
            let com_acceleration = linear + angular.cross(&com) + w.cross(&com_velocity);
            let force = com_acceleration * body.mass;
            let torque = own_inertia.times(&angular) + w.cross(&own_inertia.times(&w));
            state.force_linear = force;
            state.force_angular = torque + com.cross(&force);
            state.mass = body.mass;
            state.moment = com * body.mass;
            state.inertia = own_inertia;
            state.inertia += Symmetric::of_point(&com, body.mass);
        }
        for index in (0..self.bodies.len()).rev() {
            if let Some(parent) = self.bodies[index].parent {
                let (linear, angular) = (
                    self.states[index].force_linear,
                    self.states[index].force_angular,
                );
                self.states[parent].force_linear += linear;
                self.states[parent].force_angular += angular;
            }
        }
    }

    /// The composite-body method: the inertia matrix, without armature.
    fn composite_inertia(&mut self) {
        let count = self.bodies.len();
        self.inertia.fill(0.0);
        for index in (0..count).rev() {
            let state = &self.states[index];
            let (mass, moment, inertia) = (state.mass, state.moment, state.inertia);
            let linear = state.axis_linear * mass - moment.cross(&state.axis_angular);
            let angular = inertia.times(&state.axis_angular) + moment.cross(&state.axis_linear);
            let mut next = Some(index);
            while let Some(other) = next {
                let unit = &self.states[other];
                let value = unit.axis_linear.dot(&linear) + unit.axis_angular.dot(&angular);
                self.inertia[index * count + other] = value;
                self.inertia[other * count + index] = value;
                next = self.bodies[other].parent;
            }
            if let Some(parent) = self.bodies[index].parent {
                let parent = &mut self.states[parent];
                parent.mass += mass;
                parent.moment += moment;
                parent.inertia += inertia;
            }
        }
    }
}

fn new_body(model: &ArmModel, joint: usize, parent: Option<usize>, frame: Frame) -> Body {
    let spec = &model.joints[joint];
    let axis = spec.axis.into_inner();
    let cross = cross_matrix(&axis);
    Body {
        parent,
        joint,
        revolute: spec.kind == JointKind::Revolute,
        axis,
        parent_from_joint: frame,
        turn_sine: frame.rotation * cross,
        turn_cosine: frame.rotation * cross * cross,
        mass: 0.0,
        com: V3::zeros(),
        inertia: Symmetric::ZERO,
    }
}

/// Adds a link's mass to the body that carries it at `frame`.
fn add_mass(body: &mut Body, link: &forearm_arm::Link, frame: &Frame) {
    let mass = link.inertial.mass;
    if mass <= 0.0 {
        return;
    }
    let inertial = frame.then(&Frame::from_isometry(&link.inertial.link_from_inertial));
    let [xx, yy, zz, xy, xz, yz] = link.inertial.inertia;
    let own = Symmetric {
        xx,
        yy,
        zz,
        xy,
        xz,
        yz,
    };
    let own = own.turned(&inertial.rotation);
    let total = body.mass + mass;
    let com = (body.com * body.mass + inertial.origin * mass) / total;
    body.inertia += Symmetric::of_point(&(body.com - com), body.mass);
    body.inertia += own;
    body.inertia += Symmetric::of_point(&(inertial.origin - com), mass);
    body.com = com;
    body.mass = total;
}
