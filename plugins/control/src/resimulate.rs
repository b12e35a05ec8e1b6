//! Plays a simulated recording again: the same targets, in the same world, from its start.
//!
//! A recording of a simulated scene has every control tick since the scene was reset: where joints and
//! objects were, and what the arms were told. The simulation gives the same bits for the same targets,
//! on every machine; [`resimulate`] shows whether a recording is one of this scene.

use forearm_protocol::Pose;
use forearm_protocol::record::TickLayout;
use forearm_protocol::scene::SceneBundle;
use forearm_workers::Clock;

use crate::backend::{ArmBackend, Observation, Plant, SimArm};

/// What came of playing a recording again.
#[derive(Debug, Clone, PartialEq)]
pub struct Resimulation {
    /// How many ticks were played.
    pub ticks: u64,
    /// The first tick at which something was not where it was, bit for bit, and what.
    pub difference: Option<(u64, String)>,
    /// The hash of the world's state after the last tick, 64 hexadecimal digits.
    pub state_hash: String,
}

/// Why a recording can't be played again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ResimulationError {
    /// The scene can't be simulated.
    #[error("the recording's scene can't be simulated: {0}")]
    Scene(String),
    /// The ticks are of something else.
    #[error(
        "a tick has {found} numbers; expected {expected} for the scene's {} joints and {} objects: \
         the recording is of another scene", layout.joints, layout.objects
    )]
    Layout {
        /// Numbers in a tick.
        found: usize,
        /// Numbers that there should be.
        expected: usize,
        /// The scene's.
        layout: TickLayout,
    },
}

/// Plays ticks ([`TickLayout`]) from the scene's start again, of a loop with this period.
///
/// # Errors
/// The scene can't be simulated, or the ticks are not of it.
pub fn resimulate<'a>(
    bundle: &SceneBundle,
    period_secs: f64,
    ticks: impl Iterator<Item = &'a [f64]>,
) -> Result<Resimulation, ResimulationError> {
    let scene_error = |why: String| ResimulationError::Scene(why);
    let bundle = bundle.simulated();
    let models = bundle
        .arm_models()
        .map_err(|error| scene_error(error.to_string()))?;
    let mut plant = Plant::new(&bundle.scene, &models, period_secs)
        .map_err(|error| scene_error(error.to_string()))?;
    let layout = TickLayout {
        joints: models.iter().map(|model| model.dof()).sum(),
        objects: bundle.scene.objects.len(),
    };
    let clock = Clock::still();
    let mut observations: Vec<_> = models
        .iter()
        .map(|model| Observation::zeros(model.dof()))
        .collect();
    let mut applied = vec![0.0; layout.joints];
    let mut difference = None;
    let mut played = 0;
    for tick in ticks {
        if tick.len() != layout.width() {
            return Err(ResimulationError::Layout {
                found: tick.len(),
                expected: layout.width(),
                layout,
            });
        }
        let mut first = 0;
        for (arm, observation) in observations.iter_mut().enumerate() {
            let joints = first..first + observation.positions.len();
            let mut backend = SimArm::new(arm);
            // A simulated arm always answers.
            if backend.observe(&mut plant, observation).is_err() {
                continue;
            }
            if difference.is_none() {
                let then = &tick[layout.positions()][joints.clone()];
                let joint = same(&observation.positions, then);
                difference = joint.map(|joint| (played, what_joint(&bundle, arm, joint)));
            }
            let targets = &tick[layout.targets()][joints.clone()];
            let taken = backend.command(&mut plant, targets, &mut applied[joints.clone()]);
            debug_assert!(taken.is_ok(), "a simulated arm takes any target");
            first = joints.end;
        }
        for (object, spec) in bundle.scene.objects.iter().enumerate() {
            if difference.is_none() {
                let Pose { position, rotation } = plant.world().object_pose(object);
                let now: Vec<f64> = position.into_iter().chain(rotation).collect();
                difference = same(&now, &tick[layout.object(object)])
                    .map(|_| (played, format!("the object `{}`", spec.name)));
            }
        }
        plant.advance(&clock);
        played += 1;
    }
    Ok(Resimulation {
        ticks: played,
        difference,
        state_hash: plant.state_hash(),
    })
}

/// The first number whose bits differ.
fn same(now: &[f64], then: &[f64]) -> Option<usize> {
    let mut pairs = now.iter().zip(then);
    pairs.position(|(now, then)| now.to_bits() != then.to_bits())
}

fn what_joint(bundle: &SceneBundle, arm: usize, joint: usize) -> String {
    let name = bundle.scene.arms.get(arm).map_or("", |arm| &arm.name);
    format!("joint {} of the arm `{name}`", joint + 1)
}
