//! `forearm dataset` and `forearm export`: looking at datasets and working on them.

mod job;
mod open;
mod show;
mod work;

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, OrFail, print_json};
pub(crate) use job::{ExportArgs, export};
pub(crate) use open::{Opened, open};

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// What a dataset has: robot, rate, episodes, cameras, size; how well each episode was recorded.
    Info {
        /// The dataset's folder.
        #[arg(value_name = "DIR")]
        root: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Statistics of each feature: smallest, greatest, mean, deviation, quantiles.
    Stats {
        /// The dataset's folder.
        #[arg(value_name = "DIR")]
        root: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Say whether LeRobot can load a dataset, and all that is wrong with it.
    ///
    /// Exit codes: 0 when it is sound, 1 when something is wrong, 2 when there is no such folder.
    Check {
        /// The dataset's folder.
        #[arg(value_name = "DIR")]
        root: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make one dataset of several, which stay as they are.
    Merge {
        /// The datasets' folders, in the order of their episodes.
        #[arg(value_name = "DIR", required = true, num_args = 2..)]
        roots: Vec<PathBuf>,
        /// The new dataset's folder.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Make several datasets of one, which stays as it is.
    Split {
        /// The dataset's folder.
        #[arg(value_name = "DIR")]
        root: PathBuf,
        /// Which part of the episodes each gets, for instance 0.8,0.2.
        #[arg(
            long,
            value_name = "NUMBERS",
            value_delimiter = ',',
            default_value = "0.8,0.2"
        )]
        fractions: Vec<f64>,
        /// How the new datasets' folders begin: `_0`, `_1` follow.
        #[arg(long, value_name = "PREFIX")]
        out: PathBuf,
    },
    /// Delete episodes; the others are counted anew.
    DeleteEpisodes {
        /// The dataset's folder.
        #[arg(value_name = "DIR")]
        root: PathBuf,
        /// The episodes' numbers.
        #[arg(
            value_name = "NUMBER",
            required_unless_present = "undo",
            conflicts_with = "undo"
        )]
        episodes: Vec<u32>,
        /// Bring back those that were deleted last, while nothing was recorded since.
        #[arg(long)]
        undo: bool,
    },
    /// Mend what a crash left: the episode in hand too.
    Repair {
        /// The dataset's folder.
        #[arg(value_name = "DIR")]
        root: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put a dataset on a hub, where LeRobot finds it by its name.
    ///
    /// The access token comes from the environment (`HF_TOKEN`) or is asked for. An upload that was
    /// interrupted goes on where it was.
    Upload(job::UploadArgs),
}

pub(crate) fn run(command: &DatasetCommand) -> Result<(), Failure> {
    match command {
        DatasetCommand::Info { root, json } => {
            let opened = open(root).or_bad_input()?;
            if *json {
                print_json(&show::info_json(&opened))
            } else {
                say(&show::info(&opened))
            }
        }
        DatasetCommand::Stats { root, json } => {
            let opened = open(root).or_bad_input()?;
            if *json {
                print_json(&show::stats_json(&opened))
            } else {
                say(&show::stats(&opened))
            }
        }
        DatasetCommand::Check { root, json } => work::check(root, *json),
        DatasetCommand::Merge { roots, out } => work::merge(roots, out),
        DatasetCommand::Split {
            root,
            fractions,
            out,
        } => work::split(root, fractions, out),
        DatasetCommand::DeleteEpisodes {
            root,
            episodes,
            undo,
        } => work::delete(root, episodes, *undo),
        DatasetCommand::Repair { root, json } => work::mend(root, *json),
        DatasetCommand::Upload(args) => job::upload(args),
    }
}

/// Prints a text and an end of line.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{text}").or_failed()
}
