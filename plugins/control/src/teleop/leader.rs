//! The leader teleoperator: the arm goes where a person moves another one.

use super::{Outcome, Situation, Teleoperator};

/// Follows a leader arm, as long as that is there.
#[derive(Debug, Clone)]
pub struct Leader {
    positions: Vec<f64>,
    is_there: bool,
}

impl Leader {
    /// For an arm with this many joints; nothing is followed yet.
    #[must_use]
    pub fn new(joints: usize) -> Self {
        Self {
            positions: vec![0.0; joints],
            is_there: false,
        }
    }

    /// Where the leader is, as positions of the follower; `None` while it is not known.
    pub fn set(&mut self, positions: Option<&[f64]>) {
        self.is_there = positions.is_some();
        for (own, seen) in self.positions.iter_mut().zip(positions.unwrap_or(&[])) {
            *own = *seen;
        }
    }
}

impl Teleoperator for Leader {
    fn engage(&mut self, _: &Situation<'_>) {}

    fn intent(&mut self, situation: &Situation<'_>, targets: &mut [f64]) -> Outcome {
        // Without a leader it stays where it has come to, not where it was going.
        targets.copy_from_slice(if self.is_there {
            &self.positions
        } else {
            situation.command
        });
        Outcome::Driving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_that_is_gone_is_not_followed() {
        let mut leader = Leader::new(2);
        leader.set(Some(&[1.0, 2.0]));
        assert!(leader.is_there);
        assert_eq!(leader.positions, [1.0, 2.0]);
        leader.set(None);
        assert!(!leader.is_there);
    }
}
