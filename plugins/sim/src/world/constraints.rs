//! The rows of a step: dry friction, joint limits and contacts go into the solver, impulses come back.

use super::World;
use crate::collider::Owner;
use crate::math::{V3, any_tangent};
use crate::solver::{ContactRows, JointRow, Row, Side, SpinRows};
use crate::symmetric::multiply;

/// Stiffness of one contact point, N/m: a finger of printed plastic.
const STIFFNESS: f64 = 6.0e4;
/// How long a contact takes to push out what overlaps, seconds.
const RECOVERY: f64 = 0.010;
/// Overlap is pushed out at most this fast, m/s.
const MAX_RECOVERY_SPEED: f64 = 0.3;
/// Sticking surfaces that have slipped further than this, metres, stick anew where they are.
const MOST_SLIP: f64 = 0.001;
/// How far from its middle a contact patch holds against spinning and rolling, metres: where a
/// jaw presses, and elsewhere.
pub(crate) const PAD_LEVERS: (f64, f64) = (5e-3, 1e-3);
pub(crate) const HARD_LEVERS: (f64, f64) = (5e-4, 2e-4);
/// How much of a joint's excess beyond its limit is undone in a step.
const LIMIT_RECOVERY: f64 = 0.2;

/// A motion that a row speaks of.
#[derive(Debug, Clone, Copy)]
enum Motion {
    /// Of a point along a direction.
    Along { point: V3, direction: V3 },
    /// A turn about an axis.
    About(V3),
}

impl World {
    /// Rows of dry friction and of joint limits that are near.
    pub(super) fn joint_rows(&mut self) {
        let Self {
            arms,
            arm_start,
            velocity,
            dry_impulse,
            solver,
            dt,
            ..
        } = self;
        for (arm, &start) in arms.iter().zip(arm_start.iter()) {
            let len = arm.dof();
            let inverse = solver.push_inverse(arm.inverse());
            for body in 0..len {
                let (friction, lower, upper) = arm.friction_and_limits(body);
                let q = arm.positions()[body];
                let next = q + *dt * velocity[start + body];
                let limit = if next < lower {
                    Some((lower - q, 0.0, f64::INFINITY))
                } else if next > upper {
                    Some((upper - q, f64::NEG_INFINITY, 0.0))
                } else {
                    None
                };
                let row = JointRow {
                    velocity: start + body,
                    arm: start,
                    len,
                    column: inverse + body * len,
                    ..JointRow::default()
                };
                if friction > 0.0 {
                    let bound = friction * *dt;
                    solver.push_joint(JointRow {
                        lower: -bound,
                        upper: bound,
                        impulse: dry_impulse[start + body],
                        dry: true,
                        ..row
                    });
                }
                if let Some((gap, lower, upper)) = limit {
                    // Approaching the limit may use up the gap; beyond it, go back gently.
                    let inside = (gap < 0.0) == (lower == 0.0);
                    let rate = if inside { 1.0 } else { LIMIT_RECOVERY };
                    solver.push_joint(JointRow {
                        lower,
                        upper,
                        wanted: gap * rate / *dt,
                        ..row
                    });
                }
            }
        }
    }

    /// Three rows for every contact, and three more for every pair that touches in one or two
    /// points only.
    pub(super) fn contact_rows(&mut self) {
        for index in 0..self.collisions.contacts.len() {
            let contact = self.collisions.contacts[index];
            let pair = &self.collisions.pairs[contact.pair];
            let (friction, count, spin) = (pair.friction, pair.count(), pair.warm_spin);
            let owners = [
                self.collisions.colliders[pair.first].owner,
                self.collisions.colliders[pair.second].owner,
            ];
            let first = self.solver.rows.len();
            let normal = contact.normal;
            let tangent = any_tangent(&normal);
            let tangents = [tangent, normal.cross(&tangent)];
            let wanted = if contact.distance < 0.0 {
                (-contact.distance / (self.dt + RECOVERY)).min(MAX_RECOVERY_SPEED)
            } else {
                -contact.distance / self.dt
            };
            let along = |direction| Motion::Along {
                point: contact.point,
                direction,
            };
            self.contact_row(
                owners,
                along(normal),
                Row {
                    wanted,
                    softness: 1.0 / (STIFFNESS * self.dt * (self.dt + RECOVERY)),
                    upper: f64::INFINITY,
                    impulse: contact.warm_normal,
                    ..Row::default()
                },
            );
            let unbounded = Row {
                lower: f64::NEG_INFINITY,
                upper: f64::INFINITY,
                ..Row::default()
            };
            for tangent in tangents {
                let impulse = contact.warm_tangent.dot(&tangent);
                let wanted = -contact.slip.dot(&tangent) / (self.dt + RECOVERY);
                self.contact_row(
                    owners,
                    along(tangent),
                    Row {
                        impulse,
                        wanted,
                        ..unbounded
                    },
                );
            }
            self.solver.contacts.push(ContactRows {
                first,
                friction,
                tangents,
            });

            let last_of_pair = contact.point_index + 1 == count;
            if last_of_pair && count <= 2 {
                let first = self.solver.rows.len();
                let axes = [normal, tangents[0], tangents[1]];
                for axis in axes {
                    let impulse = spin.dot(&axis);
                    self.contact_row(
                        owners,
                        Motion::About(axis),
                        Row {
                            impulse,
                            ..unbounded
                        },
                    );
                }
                let held = owners
                    .iter()
                    .any(|owner| matches!(owner, Owner::Arm { .. }));
                self.solver.spins.push(SpinRows {
                    first,
                    contacts: (index + 1 - count, count),
                    levers: if held { PAD_LEVERS } else { HARD_LEVERS },
                    pair: contact.pair,
                    axes,
                });
            }
        }
    }

    fn contact_row(&mut self, owners: [Owner; 2], motion: Motion, mut row: Row) {
        for (slot, (owner, sign)) in owners.into_iter().zip([-1.0, 1.0]).enumerate() {
            row.sides[slot] = self.side(owner, motion, sign);
        }
        self.solver.push(row);
    }

    /// The Jacobian of a motion of `owner`.
    fn side(&mut self, owner: Owner, motion: Motion, sign: f64) -> Side {
        match owner {
            Owner::Arm {
                arm: index,
                body: body @ Some(_),
            } => {
                let arm = &self.arms[index];
                let len = arm.dof();
                let jacobian = self.solver.reserve(len);
                let block = &mut self.solver.jacobians[jacobian..jacobian + 2 * len];
                let (j, w) = block.split_at_mut(len);
                match motion {
                    Motion::Along { point, direction } => {
                        arm.jacobian(body, &point, &(direction * sign), j);
                    }
                    Motion::About(axis) => arm.spin_jacobian(body, &(axis * sign), j),
                }
                multiply(arm.inverse(), j, w);
                Side {
                    velocity: self.arm_start[index],
                    jacobian,
                    len,
                }
            }
            Owner::Object(index) if !self.objects[index].fixed => {
                let object = &self.objects[index];
                let jacobian = self.solver.reserve(6);
                let (force, moment) = match motion {
                    Motion::Along { point, direction } => {
                        let force = direction * sign;
                        (force, (point - object.center()).cross(&force))
                    }
                    Motion::About(axis) => (V3::zeros(), axis * sign),
                };
                let (linear, angular) = object.yield_to(&force, &moment);
                let block = &mut self.solver.jacobians[jacobian..jacobian + 12];
                block[..3].copy_from_slice(force.as_slice());
                block[3..6].copy_from_slice(moment.as_slice());
                block[6..9].copy_from_slice(linear.as_slice());
                block[9..].copy_from_slice(angular.as_slice());
                Side {
                    velocity: self.object_start[index],
                    jacobian,
                    len: 6,
                }
            }
            _ => Side::default(),
        }
    }

    /// Remembers impulses for the next step, and who presses on which object.
    pub(super) fn keep_impulses(&mut self) {
        for object in &mut self.objects {
            object.let_go();
        }
        for (contact, rows) in self.collisions.contacts.iter().zip(&self.solver.contacts) {
            let [normal, u, v] =
                [0, 1, 2].map(|offset| self.solver.rows[rows.first + offset].impulse);
            let pair = &mut self.collisions.pairs[contact.pair];
            let across = rows.tangents[0] * u + rows.tangents[1] * v;
            let held = 0.999 * pair.friction * normal;
            let sticks = normal > 0.0
                && across.norm_squared() < held * held
                && contact.slip.norm_squared() < MOST_SLIP * MOST_SLIP;
            pair.remember(contact.point_index, normal, across, sticks);
            if normal > 0.0 {
                let owners = [pair.first, pair.second].map(|c| self.collisions.colliders[c].owner);
                if let [Owner::Arm { arm, body }, Owner::Object(object)]
                | [Owner::Object(object), Owner::Arm { arm, body }] = owners
                {
                    self.objects[object].touch(arm, body);
                }
            }
        }
        for spin in &self.solver.spins {
            let impulse = |offset: usize| self.solver.rows[spin.first + offset].impulse;
            self.collisions.pairs[spin.pair].warm_spin =
                spin.axes[0] * impulse(0) + spin.axes[1] * impulse(1) + spin.axes[2] * impulse(2);
        }
        for (index, impulse) in self.solver.dry_impulses() {
            self.dry_impulse[index] = impulse;
        }
    }
}
