//! Rest: objects that lie still fall asleep, and steps leave them out.
//!
//! An object falls asleep when it and everything it touches, and all that those touch, have lain
//! still for a while, and no arm touches any of them. It wakes when something awake comes within a
//! contact's margin of it ([`Collisions::detect`]), and wakes those it touches. Nothing it
//! remembers of its contacts is lost meanwhile, so that whoever wakes goes on as if it had been
//! awake all the time.

use crate::collide::Collisions;
use crate::collider::Owner;
use crate::object::Object;
use crate::snapshot::state;

/// An object is still below these speeds, m/s and rad/s: far above what a resting object trembles
/// by, and too little to be seen.
const STILL_SPEED: f64 = 1e-4;
const STILL_SPIN: f64 = 1e-3;
/// How long it lies still before it falls asleep, seconds.
const WAIT: f64 = 0.1;

/// How long an object has rested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Steps in a row in which it was still.
    steps: u32,
    asleep: bool,
    /// All that it touches may sleep, as far as is known.
    may_sleep: bool,
}

state!(Rest { steps, asleep, may_sleep } but {});

impl Rest {
    /// Whether steps leave it out.
    pub(crate) fn is_asleep(self) -> bool {
        self.asleep
    }

    /// Steps in a row in which it was still; no longer counted once it sleeps.
    pub(crate) fn steps(self) -> u32 {
        self.steps
    }
}

/// Puts to sleep who has rested for long enough, at the end of a step of `dt` seconds. `velocity`
/// holds six numbers an object, from its entry of `object_start` on.
pub(crate) fn settle(
    objects: &mut [Object],
    velocity: &mut [f64],
    object_start: &[usize],
    collisions: &Collisions,
    dt: f64,
) {
    let mut tired = false;
    for (object, &start) in objects.iter_mut().zip(object_start) {
        if !object.moves() {
            continue;
        }
        let v = &velocity[start..start + 6];
        let speed = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
        let spin = v[3] * v[3] + v[4] * v[4] + v[5] * v[5];
        let still = speed < STILL_SPEED * STILL_SPEED && spin < STILL_SPIN * STILL_SPIN;
        let rest = &mut object.rest;
        rest.steps = if still {
            rest.steps.saturating_add(1)
        } else {
            0
        };
        rest.may_sleep = f64::from(rest.steps) * dt > WAIT;
        tired |= rest.may_sleep;
    }
    if !tired {
        return;
    }
    // Whoever touches someone who must stay awake must stay awake.
    let mut changed = true;
    while changed {
        changed = false;
        for contact in &collisions.contacts {
            let pair = &collisions.pairs[contact.pair];
            let [a, b] = [pair.first, pair.second].map(|c| collisions.colliders[c].owner);
            let awake = [a, b].map(|owner| match owner {
                Owner::World => false,
                Owner::Arm { body, .. } => body.is_some(),
                Owner::Object(object) => objects[object].moves() && !objects[object].rest.may_sleep,
            });
            if !awake[0] && !awake[1] {
                continue;
            }
            for owner in [a, b] {
                if let Owner::Object(object) = owner {
                    changed |= std::mem::take(&mut objects[object].rest.may_sleep);
                }
            }
        }
    }
    for (object, &start) in objects.iter_mut().zip(object_start) {
        if std::mem::take(&mut object.rest.may_sleep) && object.moves() {
            object.rest.asleep = true;
            velocity[start..start + 6].fill(0.0);
        }
    }
}
