//! Version 2.1: a file an episode, JSON lines.

use forearm_dataset::store::{Memory, Store};
use forearm_dataset::{Dataset, DatasetError, Version, ops};

use crate::{add, golden, numbers, schema};

const FRONT: &str = "observation.images.front";

/// A dataset of version 2.1 with two episodes.
pub(crate) fn store() -> Memory {
    let mp4 = golden("video")
        .read("videos/observation.images.front/chunk-000/file-000.mp4")
        .expect("there");
    let mut new = Memory::new();
    let mut dataset = Dataset::create(&mut new, schema(&["front"])).expect("created");
    add(&mut dataset, &mut new, "pick", 51, &mp4).expect("added");
    add(&mut dataset, &mut new, "place it", 8, &mp4).expect("added");
    let mut old = Memory::new();
    let info = String::from_utf8(new.read("meta/info.json").expect("there")).expect("text");
    let info = info
        .replace("v3.0", "v2.1")
        .replace(
            "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
            "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        )
        .replace(
            "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
            "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        );
    let mut put = |path: &str, bytes: &[u8]| old.write(path, bytes).expect("written");
    put("meta/info.json", info.as_bytes());
    put(
        "meta/tasks.jsonl",
        b"{\"task_index\": 0, \"task\": \"pick\"}\n{\"task_index\": 1, \"task\": \"place it\"}\n",
    );
    put(
        "meta/episodes.jsonl",
        b"{\"episode_index\": 0, \"tasks\": [\"pick\"], \"length\": 51}\n\
          {\"episode_index\": 1, \"tasks\": [\"place it\"], \"length\": 8}\n",
    );
    put(
        "meta/episodes_stats.jsonl",
        b"{\"episode_index\": 0, \"stats\": {\"timestamp\": {\"min\": [0.0], \"max\": [1.5], \"mean\": [0.75], \"std\": [0.5], \"count\": [51]}}}\n\
          {\"episode_index\": 1, \"stats\": {\"timestamp\": {\"min\": [0.0], \"max\": [0.25], \"mean\": [0.125], \"std\": [0.1], \"count\": [8]}}}\n",
    );
    for episode in 0..2 {
        let data = new.read(&format!("data/chunk-000/file-{episode:03}.parquet"));
        put(
            &format!("data/chunk-000/episode_{episode:06}.parquet"),
            &data.expect("there"),
        );
        put(
            &format!("videos/chunk-000/{FRONT}/episode_{episode:06}.mp4"),
            &mp4,
        );
    }
    old
}

#[test]
fn old_datasets_are_read() {
    let mut old = store();
    let mut dataset = Dataset::open(&old).expect("it opens");
    assert_eq!(dataset.info().version, Version::V21);
    assert_eq!(dataset.tasks(), ["pick", "place it"]);
    let rows = dataset.rows(&old, 1).expect("rows");
    assert_eq!(rows.numbers("action"), Some(numbers(8, 1.0)));
    let span = dataset.video(&old, 1, FRONT).expect("its video");
    assert_eq!(
        span.path,
        format!("videos/chunk-000/{FRONT}/episode_000001.mp4")
    );
    assert_eq!(span.from_secs, 0.0);
    let stats = dataset.stats().iter().find(|(key, _)| key == "timestamp");
    let (_, stats) = stats.expect("of the episodes");
    assert_eq!((stats.count, stats.max[0]), (59, 1.5));
    assert!((stats.mean[0] - (0.75 * 51.0 + 0.125 * 8.0) / 59.0).abs() < 1e-12);
    assert!(stats.q50.is_empty());
    // Only read.
    assert!(matches!(
        add(&mut dataset, &mut old, "x", 2, b"mp4"),
        Err(DatasetError::OldVersion { .. })
    ));
    assert!(matches!(
        dataset.delete(&mut old, &[0]),
        Err(DatasetError::OldVersion { .. })
    ));
    let report = forearm_dataset::check::check(&old);
    let text = format!("{:?}", report.findings);
    assert!(
        text.contains("v2.1") && text.contains("quantiles"),
        "{text}"
    );
}

/// By merging, an old dataset becomes one of version 3.0.
#[test]
fn old_datasets_become_new_ones() {
    let old = store();
    let dataset = Dataset::open(&old).expect("it opens");
    let mut store = Memory::new();
    let merged = ops::merge(&[(&dataset, &old)], &mut store).expect("merged");
    assert_eq!(merged.info().version, Version::V30);
    let read = Dataset::open(&store).expect("it opens");
    assert!(read == merged);
    assert_eq!(
        read.rows(&store, 1).expect("rows").numbers("action"),
        Some(numbers(8, 1.0))
    );
    assert_eq!(read.episodes()[1].tasks, ["place it"]);
    let report = forearm_dataset::check::check(&store);
    let only_stats = report
        .findings
        .iter()
        .all(|finding| finding.path == "meta/stats.json");
    assert!(only_stats, "{:#?}", report.findings);
}
