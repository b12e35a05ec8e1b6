//! The last seconds of all joints, for the plot.

use forearm_protocol::control::StateUpdate;

/// Samples kept. At 20 updates a second this is half a minute; faster services get less.
const CAPACITY: usize = 600;

/// A ring of samples of every joint's position, target and twin. Memory is taken once a scene.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Index of each arm's first joint among all joints, and the number of all joints at the end.
    offsets: Vec<usize>,
    times: Vec<f64>,
    /// Per sample, per joint: position, target, and the twin's position (NaN without a twin).
    values: Vec<[f64; 3]>,
    next: usize,
    len: usize,
    generation: u64,
}

/// One joint at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Seconds since the service started.
    pub time_secs: f64,
    /// Measured position, radians or metres.
    pub position: f64,
    /// Commanded position, radians or metres.
    pub target: f64,
    /// Position of a real arm's simulated twin, radians or metres.
    pub twin: Option<f64>,
}

impl History {
    /// Adds a sample. A sample of another scene, or of arms with other joints, starts anew; a
    /// sample not newer than the last one is skipped.
    pub fn push(&mut self, update: &StateUpdate) {
        if !self.fits(update) {
            self.restart(update);
        }
        if self
            .last_time()
            .is_some_and(|last| update.time_secs <= last)
        {
            return;
        }
        let joints = self.joints();
        self.times[self.next] = update.time_secs;
        let row = &mut self.values[self.next * joints..(self.next + 1) * joints];
        let states = update.arms.iter().flat_map(|arm| {
            let twin = |joint| arm.twin.as_ref().and_then(|twin| twin.get(joint).copied());
            let joints = arm.joints.iter().enumerate();
            joints.map(move |(joint, state)| (state, twin(joint).unwrap_or(f64::NAN)))
        });
        for (value, (state, twin)) in row.iter_mut().zip(states) {
            *value = [state.position, state.target, twin];
        }
        self.next = (self.next + 1) % CAPACITY;
        self.len = (self.len + 1).min(CAPACITY);
    }

    /// Time of the newest sample, seconds since the service started.
    #[must_use]
    pub fn last_time(&self) -> Option<f64> {
        (self.len > 0).then(|| self.times[(self.next + CAPACITY - 1) % CAPACITY])
    }

    /// The samples of a joint, oldest first; none if there is no such joint.
    pub fn samples(&self, arm: usize, joint: usize) -> impl Iterator<Item = Sample> + '_ {
        let joints = self.joints();
        let column = match (self.offsets.get(arm), self.offsets.get(arm + 1)) {
            (Some(first), Some(end)) if joint < end - first => Some(first + joint),
            _ => None,
        };
        let oldest = (self.next + CAPACITY - self.len) % CAPACITY;
        let count = if column.is_some() { self.len } else { 0 };
        (0..count).map(move |index| {
            let row = (oldest + index) % CAPACITY;
            let [position, target, twin] = self.values[row * joints + column.unwrap_or(0)];
            Sample {
                time_secs: self.times[row],
                position,
                target,
                twin: (!twin.is_nan()).then_some(twin),
            }
        })
    }

    fn joints(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    fn fits(&self, update: &StateUpdate) -> bool {
        self.generation == update.scene_generation
            && self.offsets.len() == update.arms.len() + 1
            && self
                .offsets
                .windows(2)
                .zip(&update.arms)
                .all(|(ends, arm)| ends[1] - ends[0] == arm.joints.len())
    }

    fn restart(&mut self, update: &StateUpdate) {
        self.offsets.clear();
        self.offsets.push(0);
        for arm in &update.arms {
            self.offsets.push(self.joints() + arm.joints.len());
        }
        self.times = vec![0.0; CAPACITY];
        self.values = vec![[0.0; 3]; CAPACITY * self.joints()];
        self.next = 0;
        self.len = 0;
        self.generation = update.scene_generation;
    }
}

#[cfg(test)]
mod tests {
    use forearm_protocol::control::{ArmState, JointState, LoopTiming, TeleopMode};

    use super::*;

    fn update(generation: u64, time_secs: f64, joints: &[usize]) -> StateUpdate {
        let arm = |count: usize| ArmState {
            backend: "sim".to_owned(),
            connected: true,
            torque: true,
            mode: TeleopMode::Keyboard,
            joints: (0..count)
                .map(|joint| JointState {
                    position: time_secs + joint as f64,
                    target: -time_secs,
                    ..JointState::default()
                })
                .collect(),
            ..ArmState::default()
        };
        StateUpdate {
            scene_generation: generation,
            tick: 0,
            time_secs,
            active: true,
            e_stopped: false,
            arms: joints.iter().copied().map(arm).collect(),
            objects: Vec::new(),
            timing: LoopTiming::default(),
            physics_step_secs: 0.0,
            simulated_secs: 0.0,
        }
    }

    #[test]
    fn keeps_the_newest_in_order() {
        let mut history = History::default();
        for index in 0..CAPACITY + 10 {
            history.push(&update(1, index as f64, &[2, 3]));
        }
        let samples: Vec<_> = history.samples(1, 2).collect();
        assert_eq!(samples.len(), CAPACITY);
        assert_eq!(
            samples[0],
            Sample {
                time_secs: 10.0,
                position: 12.0,
                target: -10.0,
                twin: None,
            }
        );
        assert!(
            samples
                .windows(2)
                .all(|pair| pair[0].time_secs < pair[1].time_secs)
        );
        assert_eq!(history.last_time(), Some((CAPACITY + 9) as f64));
    }

    #[test]
    fn a_twin_is_kept_while_there_is_one() {
        let mut history = History::default();
        history.push(&update(1, 1.0, &[1, 2]));
        let mut with = update(1, 2.0, &[1, 2]);
        // A twin of another model has no place for the second joint.
        with.arms[1].twin = Some(vec![0.5]);
        history.push(&with);
        let twins = |arm, joint| {
            let samples = history.samples(arm, joint);
            samples.map(|sample| sample.twin).collect::<Vec<_>>()
        };
        assert_eq!(twins(1, 0), [None, Some(0.5)]);
        assert_eq!(twins(1, 1), [None, None]);
        assert_eq!(twins(0, 0), [None, None]);
    }

    #[test]
    fn another_scene_starts_anew() {
        let mut history = History::default();
        history.push(&update(1, 1.0, &[2]));
        history.push(&update(2, 0.5, &[2]));
        assert_eq!(history.samples(0, 0).count(), 1);
        history.push(&update(2, 0.6, &[4]));
        assert_eq!(history.samples(0, 3).count(), 1);
    }

    #[test]
    fn absent_joints_have_no_samples() {
        let mut history = History::default();
        assert_eq!(history.samples(0, 0).count(), 0);
        history.push(&update(0, 1.0, &[2, 1]));
        assert_eq!(history.samples(0, 2).count(), 0);
        assert_eq!(history.samples(2, 0).count(), 0);
        history.push(&update(0, 1.0, &[2, 1]));
        assert_eq!(
            history.samples(0, 1).count(),
            1,
            "the same time twice is one sample"
        );
    }
}
