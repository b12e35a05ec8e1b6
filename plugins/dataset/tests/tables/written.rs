//! What is written is read again, and how datasets are refused.

use forearm_dataset::store::{Memory, Store};
use forearm_dataset::{Dataset, DatasetError, NewEpisode, Values};

use crate::{add, golden, numbers, schema};

#[test]
fn episodes_are_read_as_written() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, schema(&["front", "wrist"])).expect("created");
    for (index, (task, rows)) in [("pick", 7), ("place", 1), ("pick", 40)]
        .into_iter()
        .enumerate()
    {
        let added = add(&mut dataset, &mut store, task, rows, b"mp4").expect("added");
        assert_eq!(added as usize, index);
    }
    let read = Dataset::open(&store).expect("it opens");
    assert!(read == dataset);
    assert_eq!(read.tasks(), ["pick", "place"]);
    assert_eq!(read.info().total_frames, 48);
    let mut first = 0;
    for (episode, (task, length)) in (0..).zip([(0, 7_u32), (1, 1), (0, 40)]) {
        let rows = read.rows(&store, episode).expect("rows");
        let seed = episode as f32;
        assert_eq!(rows.numbers("action"), Some(numbers(length, seed)));
        assert_eq!(
            rows.numbers("observation.state"),
            Some(numbers(length, seed + 0.5))
        );
        let index = rows.column("index").expect("there");
        let expected = (first..first + i64::from(length)).collect();
        assert_eq!(index.values, Values::I64(expected));
        let tasks = rows.column("task_index").expect("there");
        assert_eq!(tasks.values, Values::I64(vec![task; length as usize]));
        let span = read
            .video(&store, episode, "observation.images.wrist")
            .expect("there");
        assert_eq!(span.from_secs, 0.0);
        assert_eq!(span.to_secs, f64::from(length) / 30.0);
        assert_eq!(store.read(&span.path).expect("there"), b"mp4");
        first += i64::from(length);
    }
}

/// What LeRobot wrote goes on with an episode of ours in the next files.
#[test]
fn a_recording_of_lerobot_goes_on() {
    let mut store = golden("video");
    let mut dataset = Dataset::open(&store).expect("it opens");
    dataset.check_resume(&schema(&["front"])).expect("it fits");
    let stats = dataset.stats().to_vec();
    let index = add(&mut dataset, &mut store, "Pick the cube", 12, b"mp4").expect("added");
    assert_eq!(index, 2);
    let read = Dataset::open(&store).expect("it opens");
    assert!(read == dataset);
    assert_eq!(read.tasks().len(), 2);
    let entry = &read.episodes()[2];
    assert_eq!((entry.from_row, entry.to_row, entry.data.file), (51, 63, 1));
    assert_eq!(read.rows(&store, 1).expect("rows").rows, 31);
    assert_eq!(
        read.rows(&store, 2).expect("rows").numbers("action"),
        Some(numbers(12, 2.0))
    );
    // 12 rows more weigh 12 of 63.
    let mean = |all: &[(String, forearm_dataset::stats::FeatureStats)]| {
        let (_, stats) = all
            .iter()
            .find(|(key, _)| key == "frame_index")
            .expect("there");
        stats.mean[0]
    };
    let expected = (mean(&stats) * 51.0 + 5.5 * 12.0) / 63.0;
    assert!((mean(read.stats()) - expected).abs() < 1e-12);
}

#[test]
fn differences_are_all_named() {
    let store = golden("video");
    let dataset = Dataset::open(&store).expect("it opens");
    let mut other = schema(&["front", "wrist"]);
    other.robot_type = "koch_follower".to_owned();
    other.fps = 25;
    other.features[0].shape = vec![5];
    let error = dataset.check_resume(&other).expect_err("it does not fit");
    let text = error.to_string();
    for part in [
        "koch_follower",
        "so_follower",
        "25",
        "30",
        "wrist",
        "[5]",
        "[6]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, schema(&[])).expect("created");
    assert!(matches!(
        Dataset::create(&mut store, schema(&[])),
        Err(DatasetError::Exists)
    ));
    let mut refused = |columns: Vec<(&str, Vec<f32>)>, rows: u32, part: &str| {
        let episode = NewEpisode {
            task: "x",
            rows,
            columns,
            videos: Vec::new(),
            extras: Vec::new(),
        };
        let error = dataset.append(&mut store, episode).expect_err("refused");
        assert!(error.to_string().contains(part), "{error}");
    };
    let action = ("action", numbers(2, 0.0));
    let state = ("observation.state", numbers(2, 0.0));
    refused(vec![action.clone()], 2, "observation.state");
    refused(
        vec![action.clone(), ("observation.state", vec![0.0; 11])],
        2,
        "11",
    );
    refused(
        vec![("action", vec![]), ("observation.state", vec![])],
        0,
        "no rows",
    );
    let mut broken = state.1.clone();
    broken[7] = f32::NAN;
    refused(
        vec![action.clone(), ("observation.state", broken)],
        2,
        "row 1",
    );
    refused(vec![action, state, ("gripper", vec![0.0; 2])], 2, "gripper");
    assert!(dataset.episodes().is_empty());
    assert!(matches!(
        Dataset::open(&Memory::new()),
        Err(DatasetError::NoDataset)
    ));
    assert!(store.list("data").expect("listed").is_empty());
}
