//! The plant: the simulated world, and what the loop needs to know to move it in step with ticks.

use std::fmt::Write;
use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::Pose;
use forearm_protocol::scene::{ObjectShape, Scene};
use forearm_sim::{SimError, World};
use forearm_workers::Clock;

use crate::config::Resume;
use crate::motion::Surroundings;
use crate::serve::Served;

/// The simulated world of a scene. It belongs to the loop and is lent to backends and
/// teleoperators: there is nothing to lock.
pub struct Plant {
    world: World,
    objects: Vec<Object>,
    /// Simulation steps a control tick, as often as not a fraction.
    steps_per_tick: f64,
    ticks: u64,
    /// Time and number of the steps since [`Plant::take_step_secs`], and since the scene's start.
    recent: StepTime,
    total: StepTime,
    /// Arms whose servos are served.
    served: Vec<Served>,
}

struct Object {
    name: String,
    is_tray: bool,
    has_flat_sides: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct StepTime {
    secs: f64,
    steps: u64,
}

impl Plant {
    /// The scene's world, with a model for each of its arms, under a loop with this period.
    ///
    /// # Errors
    /// What the simulation can't have.
    pub fn new(
        scene: &Scene,
        models: &[Arc<ArmModel>],
        period_secs: f64,
    ) -> Result<Self, SimError> {
        let world = World::new(scene, models)?;
        let objects = scene
            .objects
            .iter()
            .map(|object| Object {
                name: object.name.clone(),
                is_tray: matches!(object.shape, ObjectShape::Tray { .. }),
                has_flat_sides: matches!(
                    object.shape,
                    ObjectShape::Cube { .. } | ObjectShape::Box { .. }
                ),
            })
            .collect();
        Ok(Self {
            steps_per_tick: period_secs / world.dt_secs(),
            world,
            objects,
            ticks: 0,
            recent: StepTime::default(),
            total: StepTime::default(),
            served: Vec::new(),
        })
    }

    /// Serves these arms from now on.
    pub(crate) fn serve(&mut self, served: Vec<Served>) {
        self.served = served;
    }

    /// All arms that are served.
    pub(crate) fn all_served(&self) -> &[Served] {
        &self.served
    }

    /// How an arm is served, if it is.
    pub(crate) fn served(&self, arm: usize) -> Option<&Served> {
        self.served.iter().find(|served| served.arm() == arm)
    }

    /// The same, to change it.
    pub(crate) fn served_mut(&mut self, arm: usize) -> Option<&mut Served> {
        self.served.iter_mut().find(|served| served.arm() == arm)
    }

    /// Couples served arms' shafts and servos, once a tick, after all lines were attended to.
    pub(crate) fn exchange(&mut self, now_secs: f64) {
        for served in &mut self.served {
            served.exchange(&mut self.world, now_secs);
        }
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to command arms in it.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Everything back to where the scene has it.
    pub fn reset(&mut self) {
        self.world.reset();
        self.ticks = 0;
        self.recent = StepTime::default();
        self.total = StepTime::default();
    }

    /// Puts simulated arms and objects where they were left, at rest. What does not fit the scene
    /// is left out.
    pub fn place(&mut self, left: &Resume) {
        for (arm, left) in left.arms.iter().enumerate() {
            self.world.place_arm(arm, &left.positions);
        }
        for (object, pose) in left.objects.iter().enumerate() {
            self.world.set_object_pose(object, *pose);
        }
    }

    /// Moves the world on by one tick: as many fixed steps as fit into the ticks so far. How late
    /// the tick is on the wall does not matter, so the same commands give the same world.
    pub fn advance(&mut self, clock: &Clock) {
        self.ticks += 1;
        // The margin absorbs rounding where ticks and steps should coincide.
        let due = (self.ticks as f64 * self.steps_per_tick + 1e-6) as u64;
        let steps = due.saturating_sub(self.world.steps());
        let start = clock.now_secs();
        for _ in 0..steps {
            self.world.step();
        }
        let secs = clock.now_secs() - start;
        for time in [&mut self.recent, &mut self.total] {
            time.secs += secs;
            time.steps += steps;
        }
    }

    /// Ticks since the scene's start.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Mean time of a simulation step since the last call, seconds.
    pub fn take_step_secs(&mut self) -> f64 {
        std::mem::take(&mut self.recent).mean()
    }

    /// Mean time of a simulation step since the scene's start, seconds.
    #[must_use]
    pub fn step_secs(&self) -> f64 {
        self.total.mean()
    }

    /// The pose of the object with this name, in the world.
    #[must_use]
    pub fn object_pose(&self, name: &str) -> Option<Pose> {
        let index = self.objects.iter().position(|object| object.name == name)?;
        Some(self.world.object_pose(index))
    }

    /// Whether the object with this name has flat sides that jaws should be square to.
    #[must_use]
    pub fn has_flat_sides(&self, name: &str) -> bool {
        self.objects
            .iter()
            .any(|object| object.name == name && object.has_flat_sides)
    }

    /// Which object lies in which tray, by their names.
    #[must_use]
    pub fn in_tray(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (tray_index, tray) in self.objects.iter().enumerate().filter(|(_, it)| it.is_tray) {
            for (index, object) in self.objects.iter().enumerate() {
                if index != tray_index && self.world.object_in_tray(index, tray_index) {
                    pairs.push((object.name.clone(), tray.name.clone()));
                }
            }
        }
        pairs
    }

    /// The hash of the world's state, hexadecimal.
    #[must_use]
    pub fn state_hash(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.world.state_hash() {
            // Writing to a string never fails.
            if write!(text, "{byte:02x}").is_err() {
                break;
            }
        }
        text
    }
}

impl StepTime {
    fn mean(self) -> f64 {
        if self.steps == 0 {
            0.0
        } else {
            self.secs / self.steps as f64
        }
    }
}

impl Surroundings for Plant {
    fn object_names(&self) -> Vec<&str> {
        self.objects
            .iter()
            .map(|object| object.name.as_str())
            .collect()
    }
}
