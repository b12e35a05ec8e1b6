//! `forearm scene list|check`.

use std::io::Write;
use std::path::PathBuf;

use clap::Subcommand;
use forearm::files;
use forearm::scenes::BUILTIN_SCENES;

use super::{Failure, OrFail};

#[derive(Debug, Subcommand)]
pub(crate) enum SceneCommand {
    /// List the built-in scenes.
    List,
    /// Read a scene file and the models it names, and say what is wrong with them.
    Check {
        /// The scene file (RON).
        file: PathBuf,
    },
}

pub(crate) fn run(command: &SceneCommand) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match command {
        SceneCommand::List => {
            let width = BUILTIN_SCENES
                .iter()
                .map(|scene| scene.key.len())
                .max()
                .unwrap_or(0);
            for builtin in BUILTIN_SCENES {
                let scene = builtin.scene().or_failed()?;
                writeln!(out, "{:<width$}  {}", builtin.key, scene.description).or_failed()?;
            }
            Ok(())
        }
        SceneCommand::Check { file } => {
            let loaded = files::load_scene_file(file).or_bad_input()?;
            for note in &loaded.notes {
                writeln!(out, "note: {note}").or_failed()?;
            }
            let scene = &loaded.bundle.scene;
            writeln!(
                out,
                "{}: good: scene `{}` with {}, {}, {}",
                file.display(),
                scene.name,
                count(scene.arms.len(), "arm"),
                count(scene.objects.len(), "object"),
                count(scene.cameras.len(), "camera"),
            )
            .or_failed()
        }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
