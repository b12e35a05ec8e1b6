//! The contact and friction solver: projected Gauss–Seidel with warm starting.
//!
//! Every constraint is one row `J v = b` on the world's velocity vector with bounds on its impulse
//! and a softness that makes contact a stiff spring and damper, integrated implicitly. Arms enter
//! through the inverse of their implicit inertia, objects through theirs; the solver sees no
//! difference. Impulses of the step before are the first guess, so that resting contact and a
//! closed gripper need few iterations.

use crate::math::{V3, between};

/// Where one side's velocities are in the world's vector, and its Jacobian in the solver's.
///
/// `jacobian` holds `len` entries of J, then `len` entries of M⁻¹Jᵀ.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Side {
    pub(crate) velocity: usize,
    pub(crate) jacobian: usize,
    pub(crate) len: usize,
}

/// One scalar constraint.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) sides: [Side; 2],
    /// Velocity that the row wants, m/s or rad/s.
    pub(crate) wanted: f64,
    /// Softness: velocity given way for each unit of impulse.
    pub(crate) softness: f64,
    /// Bounds of the impulse.
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    /// The impulse: goes in as the first guess, comes out as the solution.
    pub(crate) impulse: f64,
    /// JM⁻¹Jᵀ + softness, and one over it; filled in by [`Solver::push`].
    pub(crate) mass: f64,
    pub(crate) inverse: f64,
}

/// A constraint on the velocity of a single joint.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JointRow {
    /// The joint's entry of the world's velocities; where its arm's begin, and how many they are.
    pub(crate) velocity: usize,
    pub(crate) arm: usize,
    pub(crate) len: usize,
    /// Where the joint's row of M⁻¹ begins in the solver's Jacobians.
    pub(crate) column: usize,
    /// As in [`Row`].
    pub(crate) wanted: f64,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) impulse: f64,
    /// Whether it is the joint's dry friction.
    pub(crate) dry: bool,
    /// The joint's entry of M⁻¹'s diagonal, and one over it; filled in by [`Solver::push_joint`].
    pub(crate) mass: f64,
    pub(crate) inverse: f64,
}

/// Three rows of a contact: along the normal and two across it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContactRows {
    /// Index of the normal's row; the two tangents' rows follow it.
    pub(crate) first: usize,
    pub(crate) friction: f64,
    pub(crate) tangents: [V3; 2],
}

/// Three rows that resist the spin of a contact of one or two points: about its normal, and two
/// that resist rolling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpinRows {
    /// Index of the row about the normal; the rolling rows follow it.
    pub(crate) first: usize,
    /// Which of [`Solver::contacts`] carry it: from, and how many.
    pub(crate) contacts: (usize, usize),
    /// Most angular impulse for each unit of normal impulse, metres: spinning, rolling.
    pub(crate) levers: (f64, f64),
    pub(crate) pair: usize,
    pub(crate) axes: [V3; 3],
}

/// Rows and Jacobians of one step. Buffers are kept from step to step.
#[derive(Debug, Default)]
pub(crate) struct Solver {
    pub(crate) rows: Vec<Row>,
    pub(crate) contacts: Vec<ContactRows>,
    pub(crate) spins: Vec<SpinRows>,
    pub(crate) jacobians: Vec<f64>,
    joints: Vec<JointRow>,
}

impl Solver {
    /// Forgets the rows of the step before.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.contacts.clear();
        self.spins.clear();
        self.jacobians.clear();
        self.joints.clear();
    }

    /// Adds an arm's M⁻¹, row by row; returns where it starts.
    pub(crate) fn push_inverse(&mut self, inverse: &[f64]) -> usize {
        let start = self.jacobians.len();
        self.jacobians.extend_from_slice(inverse);
        start
    }

    /// Finishes a row of a joint and adds it.
    pub(crate) fn push_joint(&mut self, mut row: JointRow) {
        row.mass = self.jacobians[row.column + row.velocity - row.arm];
        row.inverse = if row.mass > 0.0 { 1.0 / row.mass } else { 0.0 };
        row.impulse = between(row.impulse, row.lower, row.upper);
        self.joints.push(row);
    }

    /// Dry friction's rows: which velocity, and what impulse.
    pub(crate) fn dry_impulses(&self) -> impl Iterator<Item = (usize, f64)> {
        let dry = self.joints.iter().filter(|row| row.dry);
        dry.map(|row| (row.velocity, row.impulse))
    }

    /// Room for one side's Jacobian; returns where it starts.
    pub(crate) fn reserve(&mut self, len: usize) -> usize {
        let start = self.jacobians.len();
        self.jacobians.resize(start + 2 * len, 0.0);
        start
    }

    /// Finishes a row whose Jacobians are in place and adds it.
    pub(crate) fn push(&mut self, mut row: Row) {
        let mut mass = row.softness;
        for side in &row.sides {
            let block = &self.jacobians[side.jacobian..side.jacobian + 2 * side.len];
            let (j, w) = block.split_at(side.len);
            mass += dot(j, w);
        }
        row.mass = mass;
        row.inverse = if mass > 0.0 { 1.0 / mass } else { 0.0 };
        row.impulse = bounded(&row, row.impulse);
        self.rows.push(row);
    }

    /// Solves all rows on the velocities, at most `iterations` times over; stops early once no
    /// row changes the velocity it acts on by more than `tolerance`.
    pub(crate) fn solve(&mut self, velocity: &mut [f64], iterations: usize, tolerance: f64) {
        let Self {
            rows,
            contacts,
            spins,
            jacobians,
            joints,
        } = self;
        for row in joints.iter() {
            if row.impulse != 0.0 {
                push(row, row.impulse, jacobians, velocity);
            }
        }
        for row in rows.iter() {
            if row.impulse != 0.0 {
                apply(row, row.impulse, jacobians, velocity);
            }
        }
        for _ in 0..iterations {
            let mut change: f64 = 0.0;
            for row in joints.iter_mut() {
                change = change.max(relax_joint(row, jacobians, velocity));
            }
            for contact in contacts.iter() {
                let [normal, across @ ..] = &mut rows[contact.first..contact.first + 3] else {
                    continue;
                };
                change = change.max(relax(normal, jacobians, velocity));
                let limit = contact.friction * normal.impulse;
                change = change.max(slide(across, limit, jacobians, velocity));
            }
            for spin in spins.iter() {
                let (from, count) = spin.contacts;
                let pressed: f64 = contacts[from..from + count]
                    .iter()
                    .map(|rows_of| rows[rows_of.first].impulse)
                    .sum();
                let (spinning, rolling) = spin.levers;
                for (offset, lever) in [spinning, rolling, rolling].into_iter().enumerate() {
                    let row = &mut rows[spin.first + offset];
                    (row.lower, row.upper) = (-lever * pressed, lever * pressed);
                    change = change.max(relax(row, jacobians, velocity) * lever);
                }
            }
            if change < tolerance {
                break;
            }
        }
    }
}

/// An impulse within a row's bounds. Unlike `clamp`, no number makes this panic.
fn bounded(row: &Row, impulse: f64) -> f64 {
    between(impulse, row.lower, row.upper)
}

/// How much impulse would satisfy the row, all others being as they are.
fn missing(row: &Row, jacobians: &[f64], velocity: &[f64]) -> f64 {
    let mut speed = row.softness * row.impulse - row.wanted;
    for side in &row.sides {
        let j = &jacobians[side.jacobian..side.jacobian + side.len];
        speed += dot(j, &velocity[side.velocity..side.velocity + side.len]);
    }
    -speed * row.inverse
}

/// Solves a joint's row within its bounds; returns by how much its velocity changed.
fn relax_joint(row: &mut JointRow, jacobians: &[f64], velocity: &mut [f64]) -> f64 {
    let wanted = row.impulse - (velocity[row.velocity] - row.wanted) * row.inverse;
    let impulse = between(wanted, row.lower, row.upper);
    let change = impulse - row.impulse;
    if change == 0.0 {
        return 0.0;
    }
    row.impulse = impulse;
    push(row, change, jacobians, velocity);
    change.abs() * row.mass
}

/// Adds an impulse on a joint to the velocities of its arm.
fn push(row: &JointRow, impulse: f64, jacobians: &[f64], velocity: &mut [f64]) {
    let column = &jacobians[row.column..row.column + row.len];
    add(&mut velocity[row.arm..row.arm + row.len], column, impulse);
}

/// Solves one row within its bounds; returns by how much its velocity changed.
fn relax(row: &mut Row, jacobians: &[f64], velocity: &mut [f64]) -> f64 {
    let impulse = bounded(row, row.impulse + missing(row, jacobians, velocity));
    let change = impulse - row.impulse;
    if change == 0.0 {
        return 0.0;
    }
    row.impulse = impulse;
    apply(row, change, jacobians, velocity);
    change.abs() * row.mass
}

/// Solves the two rows across a contact, their impulse together within the friction cone.
fn slide(rows: &mut [Row], limit: f64, jacobians: &[f64], velocity: &mut [f64]) -> f64 {
    let [first, second] = rows else { return 0.0 };
    if limit <= 0.0 && first.impulse == 0.0 && second.impulse == 0.0 {
        return 0.0;
    }
    let mut next = [
        first.impulse + missing(first, jacobians, velocity),
        second.impulse + missing(second, jacobians, velocity),
    ];
    let length = (next[0] * next[0] + next[1] * next[1]).sqrt();
    if length > limit {
        let scale = limit / length;
        next = [next[0] * scale, next[1] * scale];
    }
    let mut change: f64 = 0.0;
    for (row, next) in [first, second].into_iter().zip(next) {
        let impulse = next - row.impulse;
        row.impulse = next;
        apply(row, impulse, jacobians, velocity);
        change = change.max(impulse.abs() * row.mass);
    }
    change
}

/// Adds an impulse of a row to the velocities.
fn apply(row: &Row, impulse: f64, jacobians: &[f64], velocity: &mut [f64]) {
    for side in &row.sides {
        let w = &jacobians[side.jacobian + side.len..side.jacobian + 2 * side.len];
        let v = &mut velocity[side.velocity..side.velocity + side.len];
        add(v, w, impulse);
    }
}

/// The sum of products. Six is what an object and most arms have: that is unrolled.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    if let ([a0, a1, a2, a3, a4, a5], [b0, b1, b2, b3, b4, b5]) = (a, b) {
        return ((a0 * b0 + a1 * b1) + (a2 * b2 + a3 * b3)) + (a4 * b4 + a5 * b5);
    }
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Adds `by` times one to the other.
fn add(to: &mut [f64], what: &[f64], by: f64) {
    if let (Ok(to), Ok(what)) = (
        <&mut [f64; 6]>::try_from(&mut *to),
        <&[f64; 6]>::try_from(what),
    ) {
        for (to, what) in to.iter_mut().zip(what) {
            *to += what * by;
        }
        return;
    }
    for (to, what) in to.iter_mut().zip(what) {
        *to += what * by;
    }
}
