//! A servo's motion profile: how its set point travels to its goal.
//!
//! Positions are encoder ticks beyond one turn, so that nothing wraps here.

/// Shortest time in which a set point may change its speed, in seconds: one step of the firmware.
const STEP_SECS: f64 = 1e-3;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Motion {
    /// Where the joint should be now, in ticks.
    pub(super) set_point: f64,
    /// How fast the set point moves, in ticks a second.
    pub(super) speed: f64,
}

/// The limits of a motion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// Ticks a second.
    pub(super) speed: f64,
    /// Ticks a second squared; infinite for none.
    pub(super) acceleration: f64,
}

impl Motion {
    pub(super) const fn holding(set_point: f64) -> Self {
        Self {
            set_point,
            speed: 0.0,
        }
    }

    /// Travels towards `goal` for `secs`: speeds up, goes at the pace's speed, slows down in time.
    pub(super) fn towards(&mut self, goal: f64, pace: Pace, secs: f64) {
        let mut left = secs;
        while left > 0.0 {
            let step = left.min(STEP_SECS);
            left -= STEP_SECS;
            let away = goal - self.set_point;
            let reaches = away.abs() <= pace.speed * step;
            let stopping = (2.0 * pace.acceleration * away.abs()).sqrt();
            if reaches && self.speed.abs() <= pace.acceleration * step * 2.0 {
                *self = Self::holding(goal);
                return;
            }
            let wanted = pace.speed.min(stopping).copysign(away);
            self.change_speed(wanted, pace.acceleration, step);
            let moved = self.speed * step;
            if moved.abs() >= away.abs() && moved * away > 0.0 && reaches {
                *self = Self::holding(goal);
                return;
            }
            self.set_point += moved;
        }
    }

    /// Turns at `wanted` ticks a second for `secs`, at most `leash` ticks ahead of the joint.
    pub(super) fn turning(&mut self, wanted: f64, pace: Pace, secs: f64, joint: f64, leash: f64) {
        self.change_speed(
            wanted.clamp(-pace.speed, pace.speed),
            pace.acceleration,
            secs,
        );
        self.set_point = (self.set_point + self.speed * secs).clamp(joint - leash, joint + leash);
    }

    fn change_speed(&mut self, wanted: f64, acceleration: f64, secs: f64) {
        let change = acceleration * secs;
        self.speed = if change.is_finite() {
            wanted.clamp(self.speed - change, self.speed + change)
        } else {
            wanted
        };
    }
}
