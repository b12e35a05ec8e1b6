//! What is asked for has to be possible: each refusal names what was got and what is allowed.

use std::collections::BTreeSet;

use forearm_protocol::record::{CameraConfig, CameraSource, RecordConfig};

/// The most rows a second.
const MOST_FPS: u32 = 240;
/// The longest episode, seconds: a day.
const LONGEST_SECS: f64 = 86_400.0;

/// Checks every number of a configuration.
pub(super) fn check_config(config: &RecordConfig) -> Result<(), String> {
    let RecordConfig {
        fps,
        episodes,
        episode_secs,
        reset_secs,
        video_quality,
        ..
    } = config;
    if !(1..=MOST_FPS).contains(fps) {
        return Err(format!(
            "{fps} rows a second are not possible; 1 to {MOST_FPS} are"
        ));
    }
    if *episodes == 0 {
        return Err("no episode is wanted; want one at least".to_owned());
    }
    if !(*episode_secs > 0.0 && *episode_secs <= LONGEST_SECS) {
        return Err(format!(
            "an episode of {episode_secs} s is not possible; more than 0 s and at most \
             {LONGEST_SECS} s are"
        ));
    }
    if !(*reset_secs >= 0.0 && *reset_secs <= LONGEST_SECS) {
        return Err(format!(
            "{reset_secs} s between episodes are not possible; 0 to {LONGEST_SECS} s are"
        ));
    }
    if *video_quality > 51 {
        return Err(format!(
            "a video quality of {video_quality} is not possible; 0 (best) to 51 are"
        ));
    }
    Ok(())
}

/// Checks the cameras' names, and that none is there twice.
pub(super) fn check_cameras(cameras: &[CameraConfig]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    let mut devices = BTreeSet::new();
    for CameraConfig { name, source, .. } in cameras {
        let sound = !name.is_empty()
            && name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !sound {
            return Err(format!(
                "a camera can't be named {name:?}; letters, digits, `_` and `-` are possible"
            ));
        }
        if !names.insert(name) {
            return Err(format!("two cameras are named `{name}`"));
        }
        if let CameraSource::Device(device) = source
            && !devices.insert(device)
        {
            return Err(format!("two cameras are the device `{device}`"));
        }
    }
    Ok(())
}
