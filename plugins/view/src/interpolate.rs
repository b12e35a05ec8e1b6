//! The picture between samples: states arrive 20 times a second, frames are drawn more often.
//!
//! From the moment a sample arrives, the picture moves from what was shown to the sample, and is
//! there after the time that lies between the last two samples. So it never jumps, never lags by
//! more than one sample, and never guesses ahead.

use bevy::prelude::*;
use forearm_protocol::control::{Event, StateUpdate};

use crate::frames::pose_transform;
use crate::scene::LoadedScene;

/// Samples further apart than this are not joined by a movement, seconds.
const LONGEST_GAP_SECS: f64 = 0.25;

/// What is drawn in this frame.
#[derive(Resource, Debug, Clone, PartialEq, Default)]
pub struct Picture {
    /// One a scene's arm.
    pub arms: Vec<ArmPicture>,
    /// One a scene's object: where it is in the simulation's world.
    pub objects: Vec<Transform>,
}

/// Joint vectors of one arm; radians (metres), in model order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ArmPicture {
    /// Where the joints are.
    pub positions: Vec<f64>,
    /// Where they were told to be.
    pub targets: Vec<f64>,
    /// A real arm: where those of its simulated twin are; else empty.
    pub twin: Vec<f64>,
}

/// The last samples, and how far the picture is between them.
#[derive(Resource, Debug, Clone, Default)]
pub struct Interpolator {
    from: Picture,
    to: Picture,
    /// When `to` arrived, on the clock of the frames, seconds.
    arrived_secs: f64,
    /// How long the way from `from` to `to` takes, seconds.
    span_secs: f64,
    /// The service's time of `to`, seconds; `None` before the first sample.
    sampled_secs: Option<f64>,
}

impl Interpolator {
    /// Takes a sample that has just arrived; `now_secs` is the frames' clock. Samples must be of
    /// one scene: [`Interpolator::reset`] before the first of another.
    pub fn push(&mut self, update: &StateUpdate, now_secs: f64) {
        let gap = self.sampled_secs.map(|before| update.time_secs - before);
        let mut shown = std::mem::take(&mut self.from);
        match gap {
            // Sent twice, or out of order.
            Some(gap) if gap <= 0.0 => {
                self.from = shown;
                return;
            }
            Some(gap) if gap <= LONGEST_GAP_SECS => {
                let blend = self.blend(now_secs);
                if blend >= 1.0 {
                    shown.clone_from(&self.to);
                } else {
                    shown.move_towards(&self.to, blend);
                }
                self.span_secs = gap;
            }
            _ => self.span_secs = 0.0,
        }
        self.from = shown;
        self.to.read(update);
        self.arrived_secs = now_secs;
        self.sampled_secs = Some(update.time_secs);
        if !self.from.fits(&self.to) {
            self.span_secs = 0.0;
        }
    }

    /// What to draw at `now_secs`; does not allocate while the scene stays the same.
    pub fn write(&self, now_secs: f64, picture: &mut Picture) {
        let blend = self.blend(now_secs);
        if blend >= 1.0 {
            picture.clone_from(&self.to);
        } else {
            picture.clone_from(&self.from);
            picture.move_towards(&self.to, blend);
        }
    }

    /// Forgets all samples: another scene was loaded.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn blend(&self, now_secs: f64) -> f64 {
        if self.span_secs <= 0.0 {
            return 1.0;
        }
        ((now_secs - self.arrived_secs) / self.span_secs).clamp(0.0, 1.0)
    }
}

impl Picture {
    fn read(&mut self, update: &StateUpdate) {
        self.arms
            .resize_with(update.arms.len(), ArmPicture::default);
        for (arm, state) in self.arms.iter_mut().zip(&update.arms) {
            arm.positions.clear();
            arm.positions
                .extend(state.joints.iter().map(|joint| joint.position));
            arm.targets.clear();
            arm.targets
                .extend(state.joints.iter().map(|joint| joint.target));
            arm.twin.clear();
            arm.twin.extend(state.twin.iter().flatten());
        }
        self.objects.clear();
        self.objects
            .extend(update.objects.iter().map(pose_transform));
    }

    fn fits(&self, other: &Self) -> bool {
        self.objects.len() == other.objects.len()
            && self.arms.len() == other.arms.len()
            && self
                .arms
                .iter()
                .zip(&other.arms)
                .all(|(a, b)| a.positions.len() == b.positions.len())
    }

    fn move_towards(&mut self, other: &Self, blend: f64) {
        let mix = |from: &mut Vec<f64>, to: &Vec<f64>| {
            for (from, to) in from.iter_mut().zip(to) {
                *from += (to - *from) * blend;
            }
        };
        for (from, to) in self.arms.iter_mut().zip(&other.arms) {
            mix(&mut from.positions, &to.positions);
            mix(&mut from.targets, &to.targets);
            if from.twin.len() == to.twin.len() {
                mix(&mut from.twin, &to.twin);
            } else {
                // It has just come or gone: there is no way from where it was.
                from.twin.clone_from(&to.twin);
            }
        }
        let blend = blend as f32;
        for (from, to) in self.objects.iter_mut().zip(&other.objects) {
            from.translation = from.translation.lerp(to.translation, blend);
            from.rotation = from.rotation.slerp(to.rotation, blend);
        }
    }
}

/// Takes states from the control service's events and sets the frame's picture.
pub(crate) fn update(
    mut events: MessageReader<Event>,
    scene: Option<Res<LoadedScene>>,
    time: Res<Time<Real>>,
    mut interpolator: ResMut<Interpolator>,
    mut picture: ResMut<Picture>,
) {
    let Some(scene) = scene else { return };
    let now_secs = time.elapsed_secs_f64();
    if scene.is_changed() {
        interpolator.reset();
        *picture = at_home(&scene);
    }
    for event in events.read() {
        if let Event::State(update) = event
            && update.scene_generation == scene.generation
        {
            interpolator.push(update, now_secs);
        }
    }
    if interpolator.sampled_secs.is_some() {
        interpolator.write(now_secs, &mut picture);
    }
}

/// The picture of a scene before its first state.
pub(crate) fn at_home(scene: &LoadedScene) -> Picture {
    let spec = &scene.bundle.scene;
    let arms = spec.arms.iter().zip(&scene.models).map(|(arm, model)| {
        let mut positions = model.home.clone();
        for (name, degrees) in &arm.home_degrees {
            let Some(index) = model.joint_index(name) else {
                continue;
            };
            positions[index] = match model.joints[index].kind {
                forearm_arm::JointKind::Revolute => degrees.to_radians(),
                forearm_arm::JointKind::Prismatic => *degrees,
            };
        }
        ArmPicture {
            targets: positions.clone(),
            positions,
            twin: Vec::new(),
        }
    });
    let objects = spec.objects.iter().map(|object| {
        Transform::from_translation(crate::frames::vec3(object.position))
            .with_rotation(crate::frames::rotation_degrees(object.rotation_degrees))
    });
    Picture {
        arms: arms.collect(),
        objects: objects.collect(),
    }
}

#[cfg(test)]
mod tests {
    use forearm_protocol::Pose;
    use forearm_protocol::control::{ArmState, JointState, LoopTiming, TeleopMode};

    use super::*;

    fn sample(tick: u64, position: f64) -> StateUpdate {
        StateUpdate {
            scene_generation: 1,
            tick,
            time_secs: tick as f64 * 0.05,
            active: true,
            e_stopped: false,
            arms: vec![ArmState {
                backend: "sim".into(),
                connected: true,
                torque: true,
                mode: TeleopMode::Keyboard,
                joints: vec![JointState {
                    position,
                    target: position + 1.0,
                    ..default()
                }],
                ..default()
            }],
            objects: vec![Pose {
                position: [position, 0.0, 0.0],
                ..Pose::IDENTITY
            }],
            timing: LoopTiming::default(),
            physics_step_secs: 0.0,
            simulated_secs: 0.0,
        }
    }

    fn shown(interpolator: &Interpolator, now_secs: f64) -> f64 {
        let mut picture = Picture::default();
        interpolator.write(now_secs, &mut picture);
        let position = picture.arms[0].positions[0];
        assert!((f64::from(picture.objects[0].translation.x) - position).abs() < 1e-6);
        assert!((picture.arms[0].targets[0] - position - 1.0).abs() < 1e-9);
        position
    }

    #[test]
    fn the_first_sample_is_shown_at_once() {
        let mut interpolator = Interpolator::default();
        interpolator.push(&sample(1, 0.5), 10.0);
        assert_eq!(shown(&interpolator, 10.0), 0.5);
    }

    #[test]
    fn between_two_samples_the_picture_moves_evenly_and_then_stays() {
        let mut interpolator = Interpolator::default();
        interpolator.push(&sample(1, 0.0), 10.0);
        interpolator.push(&sample(2, 1.0), 10.05);
        assert!((shown(&interpolator, 10.05) - 0.0).abs() < 1e-9);
        assert!((shown(&interpolator, 10.075) - 0.5).abs() < 1e-9);
        assert!((shown(&interpolator, 10.1) - 1.0).abs() < 1e-9);
        assert_eq!(shown(&interpolator, 11.0), 1.0);
    }

    #[test]
    fn a_sample_that_comes_early_makes_no_jump() {
        let mut interpolator = Interpolator::default();
        interpolator.push(&sample(1, 0.0), 10.0);
        interpolator.push(&sample(2, 1.0), 10.05);
        let before = shown(&interpolator, 10.08);
        interpolator.push(&sample(3, 2.0), 10.08);
        assert!((shown(&interpolator, 10.08) - before).abs() < 1e-9);
        assert!(
            (shown(&interpolator, 10.13) - 2.0).abs() < 1e-9,
            "one sample later it is there"
        );
    }

    #[test]
    fn a_twin_moves_with_its_arm_and_comes_and_goes_at_once() {
        let mut interpolator = Interpolator::default();
        let with_twin = |tick: u64, twin: Option<f64>| {
            let mut sample = sample(tick, 0.0);
            sample.arms[0].twin = twin.map(|position| vec![position]);
            sample
        };
        let twin = |interpolator: &Interpolator, now_secs: f64| {
            let mut picture = Picture::default();
            interpolator.write(now_secs, &mut picture);
            picture.arms[0].twin.first().copied()
        };
        interpolator.push(&with_twin(1, None), 10.0);
        interpolator.push(&with_twin(2, Some(1.0)), 10.05);
        assert_eq!(twin(&interpolator, 10.05), Some(1.0));
        interpolator.push(&with_twin(3, Some(2.0)), 10.1);
        let between = twin(&interpolator, 10.125).unwrap();
        assert!((between - 1.5).abs() < 1e-9, "{between}");
        interpolator.push(&with_twin(4, None), 10.15);
        assert_eq!(twin(&interpolator, 10.15), None);
    }

    #[test]
    fn several_samples_in_one_frame_end_at_the_last() {
        let mut interpolator = Interpolator::default();
        for tick in 1..6 {
            interpolator.push(&sample(tick, tick as f64), 10.0);
        }
        assert_eq!(shown(&interpolator, 10.06), 5.0);
    }

    #[test]
    fn repeated_samples_change_nothing_and_gaps_are_jumped() {
        let mut interpolator = Interpolator::default();
        interpolator.push(&sample(1, 0.0), 10.0);
        interpolator.push(&sample(1, 7.0), 10.01);
        assert_eq!(shown(&interpolator, 10.02), 0.0);
        interpolator.push(&sample(100, 3.0), 15.0);
        assert_eq!(shown(&interpolator, 15.0), 3.0);
        interpolator.reset();
        interpolator.push(&sample(2, 4.0), 15.1);
        assert_eq!(shown(&interpolator, 15.1), 4.0);
    }
}
