//! Follows recorded positions, and compares what the arm does with what it did then.

use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;
use forearm_protocol::control::TrackError;

/// A track that is being followed. Positions are radians (metres).
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    hz: f64,
    /// Which joints of the model.
    joints: Vec<usize>,
    /// Row after row, one position a joint.
    targets: Vec<f64>,
    /// The same for where the joints were; empty if that is not known.
    measured: Vec<f64>,
    comparison: Comparison,
}

/// What came of comparing, so far.
#[derive(Debug, Clone, Default)]
struct Comparison {
    moments: u64,
    squares: Vec<f64>,
    greatest: Vec<f64>,
}

impl Track {
    /// A track of a motion that was checked for this model.
    pub(super) fn new(
        model: &ArmModel,
        hz: f64,
        joints: &[String],
        degrees: &[Vec<f64>],
        measured: &[Vec<f64>],
    ) -> Self {
        let joints: Vec<usize> = joints
            .iter()
            .filter_map(|name| model.joint_index(name))
            .collect();
        let inside = |rows: &[Vec<f64>]| -> Vec<f64> {
            rows.iter()
                .flat_map(|row| joints.iter().zip(row))
                .map(|(joint, position)| JointUnit::Degrees.from_unit(model, *joint, *position))
                .collect()
        };
        let (targets, measured) = (inside(degrees), inside(measured));
        let width = joints.len();
        Self {
            hz,
            joints,
            targets,
            measured,
            comparison: Comparison {
                moments: 0,
                squares: vec![0.0; width],
                greatest: vec![0.0; width],
            },
        }
    }

    /// Writes the targets of this moment, seconds from the track's start, between the rows around it.
    pub(super) fn targets_at(&self, secs: f64, targets: &mut [f64]) {
        for (column, joint) in self.joints.iter().enumerate() {
            if let Some(target) = targets.get_mut(*joint)
                && let Some(position) = self.at(&self.targets, column, secs)
            {
                *target = position;
            }
        }
    }

    /// Takes note of where the joints are at this moment.
    pub(super) fn compare(&mut self, secs: f64, positions: &[f64]) {
        if self.measured.is_empty() {
            return;
        }
        for (column, joint) in self.joints.iter().enumerate() {
            let then = self.at(&self.measured, column, secs);
            if let (Some(now), Some(then)) = (positions.get(*joint), then) {
                let error = (now - then).abs();
                self.comparison.squares[column] += error * error;
                self.comparison.greatest[column] = self.comparison.greatest[column].max(error);
            }
        }
        self.comparison.moments += 1;
    }

    /// How far the arm was from where it was then, one a joint of the track.
    pub(super) fn errors(&self) -> Vec<TrackError> {
        let Comparison {
            moments,
            squares,
            greatest,
        } = &self.comparison;
        if *moments == 0 {
            return Vec::new();
        }
        let columns = self.joints.iter().zip(squares).zip(greatest);
        columns
            .map(|((joint, squares), greatest)| TrackError {
                joint: *joint,
                rms: libm::sqrt(squares / *moments as f64),
                max: *greatest,
            })
            .collect()
    }

    fn at(&self, rows: &[f64], column: usize, secs: f64) -> Option<f64> {
        let width = self.joints.len();
        let last = (rows.len() / width.max(1)).checked_sub(1)?;
        let moment = (secs * self.hz).clamp(0.0, last as f64);
        let row = (moment as usize).min(last);
        let next = (row + 1).min(last);
        let part = moment - row as f64;
        let [from, to] = [row, next].map(|row| rows[row * width + column]);
        Some(from + (to - from) * part)
    }
}

#[cfg(test)]
mod tests {
    use forearm_arm::so101::so101;

    use super::*;

    #[test]
    fn positions_lie_between_rows_and_errors_are_those_of_the_joints() {
        let model = so101();
        let names = ["elbow_flex".to_owned(), "shoulder_pan".to_owned()];
        let rows = [vec![0.0, 10.0], vec![10.0, 30.0], vec![20.0, 30.0]];
        let mut track = Track::new(&model, 10.0, &names, &rows, &rows);
        let [elbow, pan] = [0, 1].map(|column| track.joints[column]);
        let mut targets = vec![9.0; model.dof()];
        track.targets_at(0.05, &mut targets);
        assert!((targets[elbow].to_degrees() - 5.0).abs() < 1e-9);
        assert!((targets[pan].to_degrees() - 20.0).abs() < 1e-9);
        track.targets_at(99.0, &mut targets);
        assert!((targets[elbow].to_degrees() - 20.0).abs() < 1e-9);

        assert_eq!(track.errors(), Vec::new());
        let mut positions = targets.clone();
        track.compare(0.2, &positions);
        positions[pan] += 0.1;
        track.compare(0.2, &positions);
        let errors = track.errors();
        assert_eq!((errors[0].joint, errors[1].joint), (elbow, pan));
        assert!(errors[0].max < 1e-12);
        assert!((errors[1].max - 0.1).abs() < 1e-12);
        assert!((errors[1].rms - 0.1 / 2.0_f64.sqrt()).abs() < 1e-12);
    }
}
