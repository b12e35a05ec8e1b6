//! `Recorder`: a LeRobot dataset, recorded from Python.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use forearm_arm::so101::so101;
use forearm_arm::units::JointUnit;
use forearm_dataset::journal::Channel;
use forearm_dataset::repair::Saved;
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;

use crate::arrays;
use crate::problem::Problem;
use crate::recording::{Plan, Recording, Row};

/// A number of a row, as Python says it: its name, and the line from radians or metres to what is
/// written, `(value − zero) · scale`.
type Line = (String, f64, f64);

/// The numbers of an SO-101 in LeRobot's units (degrees; the gripper from 0 to 100): name, zero, scale.
/// `prefix` comes before each name, as `left_` where there are two arms.
#[pyfunction]
#[pyo3(signature = (prefix = ""))]
pub(crate) fn lerobot_channels(prefix: &str) -> Vec<Line> {
    let model = so101();
    let joints = model.joints.iter().enumerate();
    joints
        .map(|(index, joint)| {
            let (scale, zero) = JointUnit::Lerobot.scale_and_zero(&model, index);
            (format!("{prefix}{}.pos", joint.name), zero, scale)
        })
        .collect()
}

/// A LeRobot dataset that is recorded into, row by row.
#[pyclass(module = "forearm._native")]
pub(crate) struct Recorder {
    /// Nothing once it is closed. Never waited for: calls that change it have it alone.
    recording: Mutex<Option<Recording>>,
}

fn channels(lines: Vec<Line>) -> Vec<Channel> {
    let numbered = lines.into_iter().enumerate();
    numbered
        .map(|(joint, (name, zero, scale))| Channel {
            name,
            joint,
            zero,
            scale,
        })
        .collect()
}

fn told(saved: Saved) -> (u32, u32, Vec<String>) {
    (saved.episode, saved.rows, saved.problems)
}

impl Recorder {
    fn slot(&mut self) -> &mut Option<Recording> {
        // A panic leaves no half recording: what a call takes out is gone.
        let slot = self.recording.get_mut();
        slot.unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&mut self) -> Result<&mut Recording, Problem> {
        self.slot()
            .as_mut()
            .ok_or_else(|| Problem::State("the recorder is closed".to_owned()))
    }
}

#[pymethods]
impl Recorder {
    /// Opens `root` to record into.
    #[new]
    #[pyo3(signature = (root, *, fps, robot_type, state, action, objects, cameras, quality, resume))]
    fn new(
        py: Python<'_>,
        root: PathBuf,
        fps: u32,
        robot_type: String,
        state: Vec<Line>,
        action: Vec<Line>,
        objects: usize,
        cameras: Vec<(String, u32, u32)>,
        quality: u8,
        resume: bool,
    ) -> PyResult<Self> {
        let plan = Plan {
            robot_type,
            fps,
            state: channels(state),
            action: channels(action),
            objects,
            cameras: cameras
                .into_iter()
                .map(|(name, width, height)| (name, [width, height]))
                .collect(),
            quality,
        };
        let recording = py.detach(|| Recording::open(&root, plan, resume))?;
        Ok(Self {
            recording: Mutex::new(Some(recording)),
        })
    }

    /// Begins an episode.
    fn begin(&mut self, py: Python<'_>, task: &str) -> PyResult<()> {
        let recording = self.open()?;
        Ok(py.detach(|| recording.begin(task))?)
    }

    /// Adds a row.
    fn add(
        &mut self,
        py: Python<'_>,
        state: &Bound<'_, PyAny>,
        action: &Bound<'_, PyAny>,
        objects: &Bound<'_, PyAny>,
        images: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let recording = self.open()?;
        let plan = recording.plan();
        let state = arrays::read::<f64>("observation.state", state, &[plan.state.len()])?;
        let action = arrays::read::<f64>("action", action, &[plan.action.len()])?;
        let objects = arrays::read::<f64>("objects", objects, &[7 * plan.objects])?;
        if images.len() != plan.cameras.len() {
            let (got, wanted) = (images.len(), plan.cameras.len());
            let problem = Problem::argument(format!("{got} pictures; expected {wanted}"));
            return Err(problem.into());
        }
        let pictures = plan.cameras.iter().zip(&images);
        let pictures = pictures
            .map(|((name, [width, height]), image)| {
                let shape = [*height as usize, *width as usize, 3];
                arrays::read::<u8>(&format!("observation.images.{name}"), image, &shape)
            })
            .collect::<Result<Vec<PyReadonlyArrayDyn<'_, u8>>, Problem>>()?;
        let row = Row {
            state: state.as_slice()?,
            action: action.as_slice()?,
            objects: objects.as_slice()?,
            images: pictures
                .iter()
                .map(|picture| picture.as_slice())
                .collect::<Result<_, _>>()?,
        };
        Ok(py.detach(|| recording.add(&row))?)
    }

    /// Makes an episode of the rows: its index, how many rows, what a person should know.
    fn save(&mut self, py: Python<'_>) -> PyResult<(u32, u32, Vec<String>)> {
        let recording = self.open()?;
        Ok(told(py.detach(|| recording.save())?))
    }

    /// Throws the episode in hand away.
    fn discard(&mut self, py: Python<'_>) -> PyResult<()> {
        let recording = self.open()?;
        Ok(py.detach(|| recording.discard())?)
    }

    /// Lets go of the folder. An episode in hand stays as a journal, as after a crash.
    fn close(&mut self, py: Python<'_>) {
        let recording = self.slot().take();
        py.detach(|| drop(recording));
    }

    /// How many episodes are saved.
    #[getter]
    fn episodes(&mut self) -> PyResult<usize> {
        Ok(self.open()?.episodes())
    }

    /// How many rows all saved episodes have.
    #[getter]
    fn frames(&mut self) -> PyResult<u64> {
        Ok(self.open()?.frames())
    }

    /// How many rows the episode in hand has.
    #[getter]
    fn rows(&mut self) -> PyResult<u32> {
        Ok(self.open()?.rows())
    }

    /// What a crash had left, and was saved when the dataset was opened.
    #[getter]
    fn recovered(&mut self) -> PyResult<Vec<(u32, u32, Vec<String>)>> {
        let recording = self.open()?;
        Ok(recording.recovered.iter().cloned().map(told).collect())
    }
}
