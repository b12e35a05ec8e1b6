//! What a script asks for: [`RecordConfig`] out of a plain object.

use forearm_protocol::record::{CameraConfig, CameraSource, Place, RecordConfig};
use serde::Deserialize;

/// What `record` is asked. All has defaults; those of lerobot.js may also stand in `options`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Options {
    name: Option<String>,
    resume: bool,
    #[serde(alias = "task")]
    task_description: Option<String>,
    fps: Option<u32>,
    episodes: Option<u32>,
    episode_secs: Option<f64>,
    reset_secs: Option<f64>,
    video_quality: Option<u8>,
    cameras: Vec<CameraOptions>,
    options: Option<Box<Options>>,
}

/// A camera, `{ name, source, width, height }`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CameraOptions {
    name: String,
    /// `sim:wrist`, `device:<deviceId>`, `device`, `pattern`.
    source: String,
    width: Option<u32>,
    height: Option<u32>,
}

/// Reads what a script asks for; `now` names a dataset that it gives no name.
///
/// # Errors
/// Says what is wrong.
pub(super) fn read(text: &str, now: &str) -> Result<RecordConfig, String> {
    let mut options: Options =
        serde_json::from_str(text).map_err(|error| format!("no such recording: {error}"))?;
    let inner = options
        .options
        .take()
        .map(|inner| *inner)
        .unwrap_or_default();
    let name = options.name.or(inner.name);
    let place = Place::Storage(name.unwrap_or_else(|| format!("lerobot_dataset_{now}")));
    let mut config = RecordConfig::new(place);
    config.resume = options.resume || inner.resume;
    let mut cameras = options.cameras;
    cameras.extend(inner.cameras);
    config.cameras = cameras.into_iter().map(camera).collect::<Result<_, _>>()?;
    config.task = options
        .task_description
        .or(inner.task_description)
        .unwrap_or_else(|| "Default task description".to_owned());
    config.fps = options.fps.or(inner.fps).unwrap_or(config.fps);
    config.episodes = options
        .episodes
        .or(inner.episodes)
        .unwrap_or(config.episodes);
    let secs = options.episode_secs.or(inner.episode_secs);
    config.episode_secs = secs.unwrap_or(config.episode_secs);
    let secs = options.reset_secs.or(inner.reset_secs);
    config.reset_secs = secs.unwrap_or(config.reset_secs);
    let quality = options.video_quality.or(inner.video_quality);
    config.video_quality = quality.unwrap_or(config.video_quality);
    Ok(config)
}

fn camera(options: CameraOptions) -> Result<CameraConfig, String> {
    let source = match options.source.split_once(':') {
        Some(("sim", name)) => CameraSource::Sim(name.to_owned()),
        Some(("device", id)) => CameraSource::Device(id.to_owned()),
        None if options.source == "device" => CameraSource::Device(String::new()),
        None if options.source == "pattern" => CameraSource::Pattern,
        _ => {
            return Err(format!(
                "camera `{}`: no such source `{}`; expected sim:<name in the scene>, device, \
                 device:<deviceId> or pattern",
                options.name, options.source
            ));
        }
    };
    Ok(CameraConfig {
        name: options.name,
        source,
        resolution: options.width.zip(options.height).map(Into::into),
    })
}
