//! `Env`: one world; and what it shares with `Batch`.

use forearm_protocol::env::{EnvConfig, EnvSpec, Randomization, Task};
use forearm_sim::env::{self, Info};
use numpy::{PyArray1, PyArray3, PyArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arrays;
use crate::problem::Problem;

/// Names of the cameras that a task's scene has.
#[pyfunction]
pub(crate) fn cameras(task: &str) -> Result<Vec<&'static str>, Problem> {
    let task: Task = task.parse().map_err(Problem::argument)?;
    Ok(task.cameras().to_vec())
}

/// As much randomisation as is sensible for a real arm, as JSON.
#[pyfunction]
pub(crate) fn full_randomization() -> Result<String, Problem> {
    serde_json::to_string(&Randomization::full()).map_err(Problem::argument)
}

/// What an observation is made of.
pub(crate) struct View {
    /// What the environment is like.
    pub(crate) spec: EnvSpec,
    /// Whether numbers are observed.
    pub(crate) state: bool,
    /// Observed cameras: their key in the observation, and their number.
    pub(crate) pictures: Vec<(Py<PyString>, usize)>,
}

impl View {
    /// Of an environment's settings as Python has them.
    pub(crate) fn new(
        py: Python<'_>,
        spec: &EnvSpec,
        state: bool,
        pictures: Vec<(String, usize)>,
    ) -> Result<Self, Problem> {
        if let Some((name, index)) = pictures
            .iter()
            .find(|(_, index)| *index >= spec.cameras.len())
        {
            return Err(Problem::argument(format!(
                "camera {name:?} is number {index}; there are {}",
                spec.cameras.len()
            )));
        }
        let pictures = pictures
            .into_iter()
            .map(|(name, index)| (PyString::new(py, &name).unbind(), index))
            .collect();
        Ok(Self {
            spec: spec.clone(),
            state,
            pictures,
        })
    }

    /// Height, width, channels of a camera's pictures.
    pub(crate) fn shape(&self, camera: usize) -> Result<[usize; 3], Problem> {
        let found = self.spec.cameras.get(camera).ok_or_else(|| {
            let cameras = self.spec.cameras.len();
            Problem::argument(format!(
                "there is no camera {camera}; expected one below {cameras}"
            ))
        })?;
        let [width, height] = found.resolution.map(|side| side as usize);
        Ok([height, width, 3])
    }

    /// The description, as JSON.
    pub(crate) fn json(&self) -> Result<String, Problem> {
        serde_json::to_string(&self.spec).map_err(Problem::argument)
    }
}

/// A configuration from its JSON.
pub(crate) fn config(json: &str) -> Result<EnvConfig, Problem> {
    serde_json::from_str(json)
        .map_err(|error| Problem::argument(format!("the environment's settings: {error}")))
}

/// A world at one moment.
#[pyclass(module = "forearm._native", frozen)]
pub(crate) struct Snapshot(pub(crate) env::Snapshot);

#[pymethods]
impl Snapshot {
    /// It never changes: a copy is itself.
    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// It never changes: a copy is itself.
    fn __deepcopy__<'py>(slf: Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf
    }
}

/// One world.
#[pyclass(module = "forearm._native")]
pub(crate) struct Env {
    env: env::Env,
    view: View,
    /// One an agent.
    rewards: Vec<f32>,
}

type Stepped<'py> = (Bound<'py, PyAny>, f64, bool, bool, Bound<'py, PyDict>);

impl Env {
    /// A new observation.
    fn observation<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.view.pictures.is_empty() {
            return Ok(self.numbers(py)?.into_any());
        }
        let parts = PyDict::new(py);
        if self.view.state {
            parts.set_item(intern!(py, "state"), self.numbers(py)?)?;
        }
        for index in 0..self.view.pictures.len() {
            let camera = self.view.pictures[index].1;
            let picture = self.picture(py, camera)?;
            parts.set_item(&self.view.pictures[index].0, picture)?;
        }
        Ok(parts.into_any())
    }

    fn numbers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let array = PyArray1::<f32>::zeros(py, self.view.spec.observation_len(), false);
        self.env.observe(array.readwrite().as_slice_mut()?);
        Ok(array)
    }

    fn picture<'py>(
        &mut self,
        py: Python<'py>,
        camera: usize,
    ) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let array = PyArray3::<u8>::zeros(py, self.view.shape(camera)?, false);
        let mut pixels = array.readwrite();
        let (out, env) = (pixels.as_slice_mut()?, &mut self.env);
        py.detach(|| env.render(camera, out));
        drop(pixels);
        Ok(array)
    }

    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Info {
            success,
            distance_m,
            seed,
            ..
        } = self.env.info();
        let info = PyDict::new(py);
        info.set_item(intern!(py, "is_success"), success)?;
        info.set_item(intern!(py, "distance_m"), distance_m)?;
        info.set_item(intern!(py, "seed"), seed)?;
        Ok(info)
    }
}

#[pymethods]
impl Env {
    /// A world of the configuration that `config` is, as JSON.
    #[new]
    fn new(
        py: Python<'_>,
        config: &str,
        state: bool,
        pictures: Vec<(String, usize)>,
    ) -> PyResult<Self> {
        let config = self::config(config)?;
        let env = py
            .detach(|| env::Env::new(&config))
            .map_err(Problem::from)?;
        let view = View::new(py, env.spec(), state, pictures)?;
        let rewards = vec![0.0; view.spec.agents.len()];
        Ok(Self { env, view, rewards })
    }

    /// What it is like, as JSON.
    #[getter]
    fn spec(&self) -> PyResult<String> {
        Ok(self.view.json()?)
    }

    /// Numbers of an observation, of all agents together.
    #[getter]
    fn observation_len(&self) -> usize {
        self.view.spec.observation_len()
    }

    /// Numbers of an action, of all agents together.
    #[getter]
    fn action_len(&self) -> usize {
        self.view.spec.action_len()
    }

    /// Objects of the scene.
    #[getter]
    fn objects(&self) -> usize {
        self.env.layout().objects
    }

    /// Begins an episode.
    fn reset<'py>(
        &mut self,
        py: Python<'py>,
        seed: u64,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let env = &mut self.env;
        py.detach(|| env.reset(seed));
        Ok((self.observation(py)?, self.info(py)?))
    }

    /// Takes an action.
    fn step<'py>(&mut self, py: Python<'py>, action: &Bound<'py, PyAny>) -> PyResult<Stepped<'py>> {
        let shape = [self.view.spec.action_len()];
        let action = arrays::actions(py, action, &shape)?;
        let (given, env, rewards) = (action.as_slice()?, &mut self.env, &mut self.rewards);
        let outcome = py
            .detach(|| {
                let outcome = env.step(given);
                env.rewards(rewards);
                outcome
            })
            .map_err(Problem::from)?;
        Ok((
            self.observation(py)?,
            mean(&self.rewards),
            outcome.terminated,
            outcome.truncated,
            self.info(py)?,
        ))
    }

    /// The last step's rewards, one an agent.
    fn rewards(&self) -> Vec<f32> {
        self.rewards.clone()
    }

    /// A picture: height, width, RGB.
    fn render<'py>(
        &mut self,
        py: Python<'py>,
        camera: usize,
    ) -> PyResult<Bound<'py, PyArray3<u8>>> {
        self.picture(py, camera)
    }

    /// Time, joints' positions and targets, objects' poses.
    fn tick<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let array = PyArray1::<f64>::zeros(py, self.env.layout().width(), false);
        self.env.tick(array.readwrite().as_slice_mut()?);
        Ok(array)
    }

    /// The world as it is now.
    fn snapshot(&self) -> Snapshot {
        let mut into = env::Snapshot::default();
        self.env.snapshot(&mut into);
        Snapshot(into)
    }

    /// Goes back to a snapshot; the observation there.
    fn restore<'py>(
        &mut self,
        py: Python<'py>,
        snapshot: &Snapshot,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.env.restore(&snapshot.0).map_err(Problem::from)?;
        self.observation(py)
    }

    /// Equal where worlds are.
    fn state_hash(&self) -> [u8; 32] {
        self.env.state_hash()
    }
}

/// What one agent that is all of them gets.
pub(crate) fn mean(rewards: &[f32]) -> f64 {
    let sum: f64 = rewards.iter().map(|reward| f64::from(*reward)).sum();
    sum / rewards.len().max(1) as f64
}
