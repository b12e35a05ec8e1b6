//! How much room there is for what is recorded, and how long it lasts.

use forearm_protocol::record::CameraConfig;

use crate::figures;
use crate::inputs::PanelInputs;
use crate::recording::{RecordSettings, RecordView};

/// Bits that a pixel of a video takes, as a guess from before the first episode: every second picture
/// is a whole one.
const BITS_A_PIXEL: f64 = 0.2;
/// Bytes that a row takes without its pictures: numbers, true times.
const ROW_BYTES: f64 = 700.0;
/// A camera that has not told its size counts as this one, pixels.
const USUAL: [u32; 2] = [640, 480];
/// Less room than this is a warning, seconds.
const LITTLE_SECS: f64 = 15.0 * 60.0;

/// How much room there is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Space {
    /// In words.
    pub(crate) text: String,
    /// Whether it lasts for little more than an episode.
    pub(crate) little: bool,
}

/// How much room there is; `None` where nobody knows.
pub(crate) fn left(
    settings: &RecordSettings,
    view: &RecordView,
    inputs: &PanelInputs,
) -> Option<Space> {
    let free = view.state.free_bytes? as f64;
    let secs = free / rate(settings, view, inputs);
    Some(Space {
        text: format!(
            "{} free, enough for about {}",
            figures::bytes(free),
            time(secs)
        ),
        little: secs < LITTLE_SECS,
    })
}

/// Bytes that a second of recording takes: as of the dataset that is open, or a guess.
fn rate(settings: &RecordSettings, view: &RecordView, inputs: &PanelInputs) -> f64 {
    if let Some(dataset) = &view.dataset {
        let frames: u64 = dataset.episodes.iter().map(|it| u64::from(it.frames)).sum();
        let secs = frames as f64 / f64::from(dataset.fps.max(1));
        if secs >= 1.0 && dataset.bytes > 0 {
            return dataset.bytes as f64 / secs;
        }
    }
    let size = |camera: &CameraConfig| {
        let state = view.state.cameras.iter().find(|it| it.name == camera.name);
        let told = state
            .map(|it| it.resolution)
            .filter(|[width, _]| *width > 0);
        let feed = inputs.cameras.iter().find(|it| it.name == camera.name);
        camera
            .resolution
            .or(told)
            .or(feed.map(|feed| feed.size))
            .unwrap_or(USUAL)
    };
    let pixels: f64 = settings
        .cameras(view)
        .iter()
        .map(|camera| size(camera).map(f64::from).iter().product::<f64>())
        .sum();
    f64::from(settings.fps) * (ROW_BYTES + pixels * BITS_A_PIXEL / 8.0)
}

fn time(secs: f64) -> String {
    match secs {
        secs if secs < 5400.0 => format!("{:.0} min", secs / 60.0),
        secs if secs < 48.0 * 3600.0 => format!("{:.0} h", secs / 3600.0),
        secs => format!("{:.0} days", (secs / 86_400.0).min(9999.0)),
    }
}

#[cfg(test)]
mod tests {
    use forearm_protocol::record::{CameraInfo, CameraSource, DatasetSummary, EpisodeInfo};

    use super::*;

    #[test]
    fn room_is_told_in_bytes_and_in_time() {
        let inputs = PanelInputs::default();
        let settings = RecordSettings::default();
        let mut view = RecordView::default();
        assert_eq!(left(&settings, &view, &inputs), None);
        view.sources = vec![CameraInfo {
            source: CameraSource::Sim("front".to_owned()),
            label: String::new(),
            modes: Vec::new(),
        }];
        view.state.free_bytes = Some(41_000_000_000);
        let space = left(&settings, &view, &inputs).unwrap();
        assert_eq!(space.text, "41.0 GB free, enough for about 45 h");
        assert!(!space.little);
        // What the episodes really take counts more than a guess.
        view.dataset = Some(DatasetSummary {
            fps: 30,
            bytes: 6_000_000,
            episodes: vec![EpisodeInfo {
                frames: 300,
                ..EpisodeInfo::default()
            }],
            ..DatasetSummary::default()
        });
        view.state.free_bytes = Some(360_000_000);
        let space = left(&settings, &view, &inputs).unwrap();
        assert_eq!(space.text, "360 MB free, enough for about 10 min");
        assert!(space.little);
    }
}
