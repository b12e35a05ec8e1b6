//! `Batch`: many worlds, stepped together on all cores.

use forearm_sim::env::{self, Buffers};
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice};

use crate::arrays;
use crate::env::{Snapshot, View, config, mean};
use crate::problem::Problem;

/// Many worlds of one configuration.
#[pyclass(module = "forearm._native")]
pub(crate) struct Batch {
    batch: env::Batch,
    view: View,
    /// Whether each call returns new arrays.
    copy: bool,
    /// What was returned last.
    last: Option<Returned>,
    /// One an agent, a world.
    rewards: Vec<f32>,
}

/// Arrays of all worlds.
struct Returned {
    /// A row of numbers a world.
    numbers: Py<PyArray2<f32>>,
    /// A row of all cameras' pictures a world; rows of nothing where none is observed.
    pictures: Py<PyArray2<u8>>,
}

/// What a step writes beside observations.
struct Ends<'py> {
    terminateds: Bound<'py, PyArray1<bool>>,
    truncateds: Bound<'py, PyArray1<bool>>,
    successes: Bound<'py, PyArray1<bool>>,
}

type Stepped<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyArray1<bool>>,
    Bound<'py, PyDict>,
);
type Begun<'py> = (Bound<'py, PyAny>, Bound<'py, PyDict>);

/// What the batch is to do.
enum Order<'a> {
    Step(&'a [f32]),
    /// Begin episodes where there is a seed.
    Begin(&'a [Option<u64>]),
}

impl Batch {
    fn worlds(&self) -> usize {
        self.batch.worlds()
    }

    /// Bytes of a world's pictures, as they are observed.
    fn picture_bytes(&self) -> usize {
        if self.view.pictures.is_empty() {
            return 0;
        }
        self.view.spec.images_len()
    }

    /// Arrays to be written: new ones, or those of the last call.
    fn arrays(&self, py: Python<'_>) -> Returned {
        match &self.last {
            Some(last) if !self.copy => last.clone_ref(py),
            _ => {
                let rows = |columns| [self.worlds(), columns];
                let numbers = rows(self.view.spec.observation_len());
                Returned {
                    numbers: PyArray2::zeros(py, numbers, false).unbind(),
                    pictures: PyArray2::zeros(py, rows(self.picture_bytes()), false).unbind(),
                }
            }
        }
    }

    /// Carries an order out. `out` gets observations, with pictures unless `draw` forbids it.
    fn run<'py>(
        &mut self,
        py: Python<'py>,
        order: &Order<'_>,
        out: &Returned,
        draw: bool,
    ) -> PyResult<Ends<'py>> {
        let flags = || PyArray1::<bool>::zeros(py, self.worlds(), false);
        let ends = Ends {
            terminateds: flags(),
            truncateds: flags(),
            successes: flags(),
        };
        let mut numbers = out.numbers.bind(py).readwrite();
        let mut pictures = out.pictures.bind(py).readwrite();
        let mut terminateds = ends.terminateds.readwrite();
        let mut truncateds = ends.truncateds.readwrite();
        let mut successes = ends.successes.readwrite();
        let mut buffers = Buffers {
            observations: numbers.as_slice_mut()?,
            rewards: &mut self.rewards,
            terminateds: terminateds.as_slice_mut()?,
            truncateds: truncateds.as_slice_mut()?,
            successes: successes.as_slice_mut()?,
            images: match draw {
                true => pictures.as_slice_mut()?,
                false => &mut [],
            },
        };
        let batch = &mut self.batch;
        py.detach(|| match order {
            Order::Step(actions) => batch.step(actions, &mut buffers),
            Order::Begin(seeds) => batch.reset_worlds(seeds, &mut buffers),
        })
        .map_err(Problem::from)?;
        drop((terminateds, truncateds, successes));
        Ok(ends)
    }

    /// Observations as Gymnasium has them.
    fn observation<'py>(&self, py: Python<'py>, of: &Returned) -> PyResult<Bound<'py, PyAny>> {
        let numbers = of.numbers.bind(py);
        if self.view.pictures.is_empty() {
            return Ok(numbers.clone().into_any());
        }
        let parts = PyDict::new(py);
        if self.view.state {
            parts.set_item(intern!(py, "state"), numbers)?;
        }
        for (name, camera) in &self.view.pictures {
            let first: usize = (0..*camera)
                .map(|other| self.view.spec.image_len(other))
                .sum();
            let end = first + self.view.spec.image_len(*camera);
            let [height, width, channels] = self.view.shape(*camera)?;
            // A view: a world's pictures stand one behind the other.
            let columns = PySlice::new(py, first as isize, end as isize, 1);
            let rows = of
                .pictures
                .bind(py)
                .get_item((PySlice::full(py), columns))?;
            let shape = (self.worlds(), height, width, channels);
            parts.set_item(name, rows.call_method1(intern!(py, "reshape"), shape)?)?;
        }
        Ok(parts.into_any())
    }

    /// What Gymnasium calls infos: an array for each key, and which worlds have it.
    fn infos<'py>(
        &self,
        py: Python<'py>,
        successes: &Bound<'py, PyArray1<bool>>,
        has: impl Fn(usize) -> bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let worlds = self.worlds();
        let mut distances = Vec::with_capacity(worlds);
        let mut seeds = Vec::with_capacity(worlds);
        for world in 0..worlds {
            let info = self.batch.info(world).map_err(Problem::from)?;
            distances.push(info.distance_m);
            seeds.push(info.seed);
        }
        let mask = || PyArray1::from_iter(py, (0..worlds).map(&has));
        let infos = PyDict::new(py);
        infos.set_item(intern!(py, "is_success"), successes)?;
        infos.set_item(intern!(py, "_is_success"), mask())?;
        infos.set_item(intern!(py, "distance_m"), PyArray1::from_vec(py, distances))?;
        infos.set_item(intern!(py, "_distance_m"), mask())?;
        infos.set_item(intern!(py, "seed"), PyArray1::from_vec(py, seeds))?;
        infos.set_item(intern!(py, "_seed"), mask())?;
        Ok(infos)
    }
}

impl Returned {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            numbers: self.numbers.clone_ref(py),
            pictures: self.pictures.clone_ref(py),
        }
    }
}

#[pymethods]
impl Batch {
    /// Worlds of the configuration that `config` is, as JSON.
    #[new]
    fn new(
        py: Python<'_>,
        config: &str,
        worlds: usize,
        threads: usize,
        state: bool,
        pictures: Vec<(String, usize)>,
        copy: bool,
    ) -> PyResult<Self> {
        let config = self::config(config)?;
        let batch = py
            .detach(|| env::Batch::new(&config, worlds, threads))
            .map_err(Problem::from)?;
        let view = View::new(py, batch.spec(), state, pictures)?;
        let rewards = vec![0.0; view.spec.agents.len() * worlds];
        Ok(Self {
            batch,
            view,
            copy,
            last: None,
            rewards,
        })
    }

    /// What its worlds are like, as JSON.
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

    /// How many threads step the worlds.
    #[getter]
    fn threads(&self) -> usize {
        self.batch.threads()
    }

    /// Begins episodes in the worlds that have a seed.
    fn reset<'py>(&mut self, py: Python<'py>, seeds: Vec<Option<u64>>) -> PyResult<Begun<'py>> {
        let out = self.arrays(py);
        let draw = self.picture_bytes() > 0;
        let ends = self.run(py, &Order::Begin(&seeds), &out, draw)?;
        let observation = self.observation(py, &out)?;
        self.last = Some(out);
        let has = |world: usize| seeds[world].is_some();
        Ok((observation, self.infos(py, &ends.successes, has)?))
    }

    /// Takes an action in every world.
    fn step<'py>(
        &mut self,
        py: Python<'py>,
        actions: &Bound<'py, PyAny>,
    ) -> PyResult<Stepped<'py>> {
        let shape = [self.worlds(), self.view.spec.action_len()];
        let actions = arrays::actions(py, actions, &shape)?;
        let out = self.arrays(py);
        let draw = self.picture_bytes() > 0;
        let ends = self.run(py, &Order::Step(actions.as_slice()?), &out, draw)?;
        let observation = self.observation(py, &out)?;
        self.last = Some(out);
        let agents = self.view.spec.agents.len().max(1);
        let rewards = PyArray1::from_iter(py, self.rewards.chunks_exact(agents).map(mean));
        let infos = self.infos(py, &ends.successes, |_world| true)?;
        Ok((
            observation,
            rewards,
            ends.terminateds,
            ends.truncateds,
            infos,
        ))
    }

    /// Begins episodes in the worlds that have a seed, and writes their first observations where the
    /// last step's were.
    fn restart<'py>(
        &mut self,
        py: Python<'py>,
        seeds: Vec<Option<u64>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let out = match self.last.take() {
            Some(last) => last,
            None => self.arrays(py),
        };
        // Only the worlds that began are drawn again.
        let ends = self.run(py, &Order::Begin(&seeds), &out, false)?;
        let bytes = self.picture_bytes();
        if bytes > 0 {
            let mut pictures = out.pictures.bind(py).readwrite();
            let rows = pictures.as_slice_mut()?.chunks_exact_mut(bytes);
            let begun = rows
                .enumerate()
                .filter(|(world, _)| seeds[*world].is_some());
            let (spec, batch) = (&self.view.spec, &mut self.batch);
            py.detach(|| {
                for (world, mut row) in begun {
                    for camera in 0..spec.cameras.len() {
                        let (picture, rest) = row.split_at_mut(spec.image_len(camera));
                        batch.render(world, camera, picture)?;
                        row = rest;
                    }
                }
                Ok::<_, env::EnvError>(())
            })
            .map_err(Problem::from)?;
        }
        self.last = Some(out);
        self.infos(py, &ends.successes, |_world| true)
    }

    /// A picture of a world: height, width, RGB.
    fn render<'py>(
        &mut self,
        py: Python<'py>,
        world: usize,
        camera: usize,
    ) -> PyResult<Bound<'py, PyArray3<u8>>> {
        let array = PyArray3::<u8>::zeros(py, self.view.shape(camera)?, false);
        let mut pixels = array.readwrite();
        let (out, batch) = (pixels.as_slice_mut()?, &mut self.batch);
        py.detach(|| batch.render(world, camera, out))
            .map_err(Problem::from)?;
        drop(pixels);
        Ok(array)
    }

    /// A world as it is now.
    fn snapshot(&self, world: usize) -> PyResult<Snapshot> {
        let mut into = env::Snapshot::default();
        let kept = self.batch.snapshot(world, &mut into);
        kept.map_err(Problem::from)?;
        Ok(Snapshot(into))
    }

    /// Takes a world to a snapshot.
    fn restore(&mut self, world: usize, snapshot: &Snapshot) -> PyResult<()> {
        let done = self.batch.restore(world, &snapshot.0);
        Ok(done.map_err(Problem::from)?)
    }

    /// Equal where worlds are.
    fn state_hash(&self, world: usize) -> PyResult<[u8; 32]> {
        Ok(self.batch.state_hash(world).map_err(Problem::from)?)
    }
}
