//! Datasets as LeRobot writes and reads them: files written by LeRobot 0.4.4 (`tests/golden`) are read,
//! written and read again, crashes and damage at every place.

mod changed;
mod checked;
mod crash;
mod golden;
mod hostile;
mod old;
mod written;

use std::path::Path;

use forearm_dataset::stats::{FeatureStats, PixelStats};
use forearm_dataset::store::{Memory, Store};
use forearm_dataset::{Dataset, NewEpisode, NewVideo, Schema, VideoFeature};

/// The files of a folder below `tests/golden`.
fn golden(name: &str) -> Memory {
    fn add(store: &mut Memory, root: &Path, folder: &Path) {
        for entry in std::fs::read_dir(folder).expect("the golden folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                add(store, root, &path);
            } else {
                let relative = path.strip_prefix(root).expect("below").to_str();
                let relative = relative.expect("a readable name").replace('\\', "/");
                let bytes = std::fs::read(&path).expect("a golden file");
                store.write(&relative, &bytes).expect("memory takes it");
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let mut store = Memory::new();
    add(&mut store, &root, &root);
    store
}

/// The names of an SO-101's joints, in a dataset.
fn joints() -> Vec<String> {
    [
        "shoulder_pan",
        "shoulder_lift",
        "elbow_flex",
        "wrist_flex",
        "wrist_roll",
        "gripper",
    ]
    .map(|joint| format!("{joint}.pos"))
    .to_vec()
}

/// An SO-101's dataset with these cameras, 64 × 48 each.
fn schema(cameras: &[&str]) -> Schema {
    let cameras: Vec<_> = cameras
        .iter()
        .map(|name| VideoFeature {
            name,
            width: 64,
            height: 48,
            codec: "av1",
        })
        .collect();
    Schema::recording("so_follower", 30, &joints(), &joints(), &cameras)
}

/// Numbers for `rows` rows that differ from episode to episode.
fn numbers(rows: u32, seed: f32) -> Vec<f32> {
    (0..rows * 6)
        .map(|i| seed + (i as f32 * 0.37).sin() * 50.0)
        .collect()
}

/// Statistics of some grey picture.
fn grey() -> FeatureStats {
    let mut stats = PixelStats::new();
    assert!(stats.add([4, 4], &[90; 48]));
    stats.finish()
}

/// Adds an episode with numbers, and with `mp4` for each camera.
fn add(
    dataset: &mut Dataset,
    store: &mut dyn Store,
    task: &str,
    rows: u32,
    mp4: &[u8],
) -> Result<u32, forearm_dataset::DatasetError> {
    let seed = dataset.episodes().len() as f32;
    let keys: Vec<String> = dataset.schema().videos().map(|f| f.key.clone()).collect();
    let number = dataset.episodes().len();
    let episode = NewEpisode {
        task,
        rows,
        columns: vec![
            ("action", numbers(rows, seed)),
            ("observation.state", numbers(rows, seed + 0.5)),
        ],
        videos: keys
            .iter()
            .map(|key| NewVideo {
                key,
                mp4,
                stats: grey(),
            })
            .collect(),
        extras: vec![(format!("episode-{number:06}.json"), b"{}".to_vec())],
    };
    dataset.append(store, episode)
}
