//! `forearm record --headless`: records episodes without a window.

mod cameras;
mod keys;
mod show;
mod take;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::anyhow;
use forearm::motions::{BUILTIN_MOTIONS, BuiltinMotion};
use forearm_control::ControlConfig;
use forearm_panel::{RecordSettings, RightTab};
use forearm_protocol::record::{CameraConfig, Place, RecordConfig};
use forearm_protocol::scene::SceneBundle;

use super::teleoperate::{parse_jitter, read_script};
use super::{Failure, OrFail, SetupArgs, live, parse_duration};
use take::{Recording, Take};

#[derive(Debug, clap::Args)]
pub(crate) struct RecordArgs {
    #[command(flatten)]
    setup: SetupArgs,
    /// Run without a window; otherwise it opens, with the record panel filled in.
    #[arg(long)]
    headless: bool,
    /// The dataset's folder: what LeRobot calls `root`.
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "repo_id",
        conflicts_with = "repo_id"
    )]
    root: Option<PathBuf>,
    /// The dataset's name, in LeRobot's folder of datasets (`$HF_LEROBOT_HOME`).
    #[arg(long, value_name = "USER/NAME", value_parser = parse_repo_id)]
    repo_id: Option<String>,
    /// Go on with a dataset that is there.
    #[arg(long)]
    resume: bool,
    /// What the arm is to do, in words; policies are told it.
    #[arg(long, value_name = "TEXT")]
    task: Option<String>,
    /// How many episodes to record.
    #[arg(long, default_value_t = 50, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    episodes: u32,
    /// Rows a second of the dataset.
    #[arg(long, default_value_t = 30, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..=240))]
    fps: u32,
    /// How long an episode lasts at most, seconds. A motion's episodes end with the motion.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS", value_parser = parse_duration)]
    episode_time: f64,
    /// Time between episodes to put things back, seconds. Simulated scenes are put back at once when a
    /// motion plays.
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS", value_parser = parse_duration)]
    reset_time: f64,
    /// A camera: `[NAME=]sim:CAMERA` of the scene, `[NAME=]/dev/video0`, `[NAME=]file:FOLDER`,
    /// `[NAME=]pattern`, with `@640x480` behind it for another resolution; may be given several times.
    /// Left out: all cameras of a simulated scene; `none`: no camera.
    #[arg(long = "camera", value_name = "CAMERA", value_parser = cameras::parse)]
    cameras: Vec<cameras::CameraArg>,
    /// A motion file, or a built-in motion (`pick_and_place`, `wave`), played in every episode.
    #[arg(long, value_name = "FILE|NAME")]
    script: Option<String>,
    /// Before each episode move every loose object by up to this far each way, metres.
    #[arg(long, requires = "script", default_value_t = 0.0, value_name = "METRES", value_parser = parse_jitter)]
    jitter_objects: f64,
    /// Seed for `--jitter-objects`; each episode counts on from it.
    #[arg(long, requires = "script", default_value_t = 0, value_name = "NUMBER")]
    seed: u64,
    /// The quantiser of the video, 0 (best) to 51 (smallest).
    #[arg(long, default_value_t = 23, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..=51))]
    quality: u8,
    /// Run a simulated scene as fast as the machine can (or as slowly as it has to) instead of in real
    /// time: no frame is missed, and equal runs make equal files.
    #[arg(long, requires_all = ["headless", "script"])]
    fast: bool,
    /// Print one JSON object at the end.
    #[arg(long, requires = "headless")]
    json: bool,
}

impl RecordArgs {
    /// What the window is opened with, where there should be one.
    pub(crate) fn window(&self) -> Option<&SetupArgs> {
        (!self.headless).then_some(&self.setup)
    }

    /// What to record in a scene.
    pub(crate) fn config(&self, bundle: &SceneBundle) -> Result<RecordConfig, Failure> {
        Ok(RecordConfig {
            resume: self.resume,
            task: self.task(),
            fps: self.fps,
            episodes: self.episodes,
            episode_secs: self.episode_time,
            reset_secs: self.reset_time,
            cameras: self.cameras(bundle).or_bad_input()?,
            video_quality: self.quality,
            ..RecordConfig::new(self.place().or_bad_input()?)
        })
    }

    /// What the window's record panel is filled in with.
    pub(crate) fn settings(
        &self,
        bundle: &SceneBundle,
        before: &RecordSettings,
    ) -> Result<RecordSettings, Failure> {
        if let Some(script) = &self.script
            && BuiltinMotion::find(script).is_none()
        {
            let keys: Vec<_> = BUILTIN_MOTIONS.iter().map(|motion| motion.key).collect();
            let error = anyhow!(
                "the window plays built-in motions in episodes ({}); with --headless it can be any file",
                keys.join(", ")
            );
            return Err(error).or_bad_input();
        }
        let config = self.config(bundle)?;
        let (Place::Folder(place) | Place::Storage(place)) = config.place;
        Ok(RecordSettings {
            tab: RightTab::Record,
            place,
            resume: config.resume,
            task: config.task,
            fps: config.fps,
            episodes: config.episodes,
            episode_secs: config.episode_secs,
            reset_secs: config.reset_secs,
            cameras: Some(config.cameras),
            motion: self.script.clone(),
            ..before.clone()
        })
    }

    fn place(&self) -> anyhow::Result<Place> {
        let folder = match (&self.root, &self.repo_id) {
            (Some(root), _) => root.clone(),
            (None, Some(repo_id)) => forearm::files::lerobot_home()?.join(repo_id),
            (None, None) => return Err(anyhow!("say where to: --root DIR")),
        };
        let folder = folder
            .to_str()
            .ok_or_else(|| anyhow!("the folder's name `{}` is not Unicode", folder.display()))?;
        Ok(Place::Folder(folder.to_owned()))
    }

    fn task(&self) -> String {
        self.task.clone().unwrap_or_else(|| match &self.script {
            Some(script) => cameras::file_stem(script).replace('_', " "),
            None => "Move the arm".to_owned(),
        })
    }

    fn cameras(&self, bundle: &SceneBundle) -> anyhow::Result<Vec<CameraConfig>> {
        let simulated = !live::is_real(&bundle.scene);
        cameras::choose(&self.cameras, &bundle.scene, simulated)
    }
}

pub(crate) fn run(args: &RecordArgs) -> Result<(), Failure> {
    let loaded = args.setup.load().or_bad_input()?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    let bundle: Arc<SceneBundle> = loaded.bundle;
    let real = live::is_real(&bundle.scene);
    let what_is_wrong = if real && args.fast {
        Some("--fast is for simulated arms; leave it out")
    } else if !real && args.script.is_none() {
        Some(
            "a simulated arm without a window needs something to do: --script with a motion, \
             or --leader with a leader's port; or leave --headless out and drive it in the window",
        )
    } else {
        None
    };
    if let Some(what) = what_is_wrong {
        return Err(anyhow!(what)).or_bad_input();
    }
    let script = args.script.as_deref().map(read_script).transpose();
    let mut control = ControlConfig::at_rate(args.setup.rate).or_bad_input()?;
    control.on_exit = args.setup.on_exit();
    let take = Take {
        config: args.config(&bundle)?,
        bundle,
        control,
        script: script.or_bad_input()?,
        jitter_metres: args.jitter_objects,
        seed: args.seed,
        stepped: args.fast,
    };
    let mut screen = show::Screen::new(args.json);
    let recording = Recording::open(take)?;
    let end = recording.run(&mut screen)?;
    screen.end(&end, args.json)?;
    match end.trouble {
        Some(trouble) => Err(anyhow!(trouble)).or_failed(),
        None => Ok(()),
    }
}

fn parse_repo_id(text: &str) -> Result<String, String> {
    let good = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it))
    };
    if text.split('/').count() == 2 && text.split('/').all(good) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is no dataset's name; expected USER/NAME of letters, digits, `-`, `_` and `.`"
        ))
    }
}
