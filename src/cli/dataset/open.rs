//! A dataset's folder as the command line reads it.

use std::path::Path;

use anyhow::{Context, anyhow};
use forearm_dataset::{Dataset, sidecar};
use forearm_protocol::record::EpisodeSeries;
use forearm_protocol::scene::{Scene, SceneBundle};
use forearm_record::store::{Access, Directory};

/// A dataset that is open to be read.
pub(crate) struct Opened {
    pub(super) store: Directory,
    pub(super) dataset: Dataset,
    pub(super) name: String,
}

/// All that is needed to simulate an episode again.
pub(crate) struct Simulation {
    /// The scene.
    pub(crate) bundle: SceneBundle,
    /// The control loop's period.
    pub(crate) period_secs: f64,
    /// Numbers a tick.
    pub(crate) width: usize,
    /// Tick after tick, from the scene's start.
    pub(crate) ticks: Vec<f64>,
}

/// Opens a dataset to read it.
pub(crate) fn open(root: &Path) -> anyhow::Result<Opened> {
    let store = Directory::open(root, Access::Read)?;
    let name = root.display().to_string();
    let dataset = Dataset::open(&store).with_context(|| format!("{name} is no dataset"))?;
    Ok(Opened {
        store,
        dataset,
        name,
    })
}

impl Opened {
    /// Rows a second.
    pub(crate) fn fps(&self) -> u32 {
        self.dataset.schema().fps
    }

    /// The names of an action's numbers, and an episode's numbers.
    pub(crate) fn series(&self, episode: u32) -> anyhow::Result<(Vec<String>, EpisodeSeries)> {
        let rows = self.dataset.rows(&self.store, episode)?;
        let of = |key: &str| {
            rows.numbers(key)
                .with_context(|| format!("{} has no `{key}`, which is what is played", self.name))
        };
        let feature = self.dataset.schema().feature("action");
        let names = feature.map_or_else(Vec::new, |it| it.value_names());
        let series = EpisodeSeries {
            index: episode,
            frames: rows.rows,
            tasks: self.dataset.episode(episode)?.tasks.clone(),
            actions: of("action")?,
            states: of("observation.state")?,
        };
        Ok((names.into_iter().map(str::to_owned).collect(), series))
    }

    /// What an episode needs to be simulated again.
    pub(crate) fn simulation(&self, episode: u32) -> anyhow::Result<Simulation> {
        self.dataset.episode(episode)?;
        let lacks = |what: &str| {
            anyhow!(
                "episode {episode} can't be simulated again: {what} it was recorded with is not there; \
                 only Forearm's own recordings have it"
            )
        };
        let facts = sidecar::facts(&self.store, episode)?.ok_or_else(|| lacks("what"))?;
        let text = sidecar::text(&self.store, episode, "scene.ron")?;
        let text = text.ok_or_else(|| lacks("the scene"))?;
        let bundle = SceneBundle::from(Scene::from_ron("the recorded scene", &text)?);
        let recorded = sidecar::ticks(&self.store, episode)?;
        Ok(Simulation {
            bundle,
            period_secs: facts.tick_secs,
            width: recorded.layout.width(),
            ticks: recorded.of_world(facts.start_secs)?.to_vec(),
        })
    }
}
