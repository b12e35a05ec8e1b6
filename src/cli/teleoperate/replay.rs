//! `forearm replay`: plays a motion, or a recorded episode, on an arm.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use forearm::motions;
use forearm_control::resimulate::{Resimulation, resimulate};
use forearm_protocol::scene::SceneBundle;
use serde_json::json;

use super::{TeleoperateArgs, load, play, read_script};
use crate::cli::dataset::{self, Opened};
use crate::cli::{Failure, OrFail, SetupArgs, print_json};

/// Options of `forearm replay`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// A motion file, or a built-in motion: `pick_and_place`, `wave`.
    #[arg(value_name = "FILE|NAME", required_unless_present = "root")]
    motion: Option<String>,
    /// A dataset's folder, of Forearm or LeRobot: one of its episodes is played.
    #[arg(long, value_name = "DIR", conflicts_with = "motion")]
    root: Option<PathBuf>,
    /// Which episode of the dataset.
    #[arg(long, default_value_t = 0, value_name = "NUMBER", requires = "root")]
    episode: u32,
    /// Simulate an episode again that was recorded of a simulation: the same targets in the same scene.
    /// Succeeds if every joint and object is where it was, bit for bit.
    #[arg(long, requires = "root")]
    resimulate: bool,
    #[command(flatten)]
    setup: SetupArgs,
    /// Play a simulated arm as fast as the machine can instead of in real time.
    #[arg(long)]
    fast: bool,
    /// Print one JSON object at the end instead of LeRobot's loop line and table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: ReplayArgs) -> Result<(), Failure> {
    let opened = args.root.as_deref().map(dataset::open).transpose();
    let opened = opened.or_bad_input()?;
    if args.resimulate {
        return match &opened {
            Some(opened) => simulate_again(opened, args.episode, args.json),
            None => Ok(()),
        };
    }
    let bundle = load(&args.setup)?;
    let (name, text) = match (&args.motion, &opened) {
        (_, Some(opened)) => {
            let text = episode_text(opened, args.episode, &bundle).or_bad_input()?;
            (format!("of episode {}", args.episode), text)
        }
        (Some(motion), None) => (format!("`{motion}`"), read_script(motion).or_bad_input()?),
        (None, None) => return Err(anyhow!("say what to play")).or_bad_input(),
    };
    let args = TeleoperateArgs {
        setup: args.setup,
        headless: true,
        script: None,
        duration: None,
        expect: None,
        jitter_objects: 0.0,
        seed: 0,
        fast: args.fast,
        json: args.json,
    };
    play(&args, bundle, Some(name), Some(text))
}

/// An episode as a motion of the scene's first arm.
fn episode_text(
    opened: &Opened,
    episode: u32,
    bundle: &Arc<SceneBundle>,
) -> anyhow::Result<String> {
    let models = bundle.arm_models()?;
    let model = models.first().context("the scene has no arm")?;
    let (names, series) = opened.series(episode)?;
    // A recording of several arms has their names before the joints'.
    let arm = &bundle.scene.arms[0].name;
    let prefixed = names
        .iter()
        .any(|name| name.starts_with(&format!("{arm}_")));
    let prefix = if prefixed {
        format!("{arm}_")
    } else {
        String::new()
    };
    motions::of_episode(model, &prefix, &names, &series, opened.fps())
}

fn simulate_again(opened: &Opened, episode: u32, as_json: bool) -> Result<(), Failure> {
    let simulation = opened.simulation(episode).or_bad_input()?;
    let ticks = simulation.ticks.chunks_exact(simulation.width);
    let result = resimulate(&simulation.bundle, simulation.period_secs, ticks).or_bad_input()?;
    let Resimulation {
        ticks,
        difference,
        state_hash,
    } = &result;
    if as_json {
        let difference = difference.as_ref();
        let difference = difference.map(|(tick, what)| json!({ "tick": tick, "what": what }));
        print_json(&json!({
            "ticks": ticks, "same": difference.is_none(), "difference": difference,
            "state_hash": state_hash,
        }))?;
    } else if difference.is_none() {
        dataset::say(&format!(
            "episode {episode}: {ticks} ticks simulated again, every joint and object bit for bit \
             where it was; state hash {state_hash}"
        ))?;
    }
    match difference {
        Some((tick, what)) => Err(anyhow!(
            "episode {episode}: at tick {tick} of {ticks}, {what} is not where it was; the recording is \
             of another version of the simulation, or its arm was touched otherwise than by targets \
             (torque, a dragged object)"
        ))
        .or_failed(),
        None => Ok(()),
    }
}
