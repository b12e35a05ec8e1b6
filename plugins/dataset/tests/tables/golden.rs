//! Every value of what LeRobot 0.4.4 wrote.

use forearm_dataset::json::Json;
use forearm_dataset::store::Store;
use forearm_dataset::{Column, DataType, Dataset, Form, Values};

use crate::golden;

const LENGTHS: [u32; 2] = [20, 31];

fn column<'a>(rows: &'a forearm_dataset::EpisodeRows, key: &str) -> &'a Column {
    rows.column(key).unwrap_or_else(|| panic!("column {key}"))
}

#[test]
fn every_number_is_read() {
    for name in ["state", "image", "video"] {
        let store = golden(name);
        let dataset = Dataset::open(&store).expect("it opens");
        assert_eq!(dataset.tasks(), ["Pick the cube", "Place the cube"]);
        assert_eq!(dataset.info().total_frames, 51);
        assert_eq!(dataset.schema().robot_type, "so_follower");
        let mut index = 0;
        for (episode, length) in (0..).zip(LENGTHS) {
            let entry = &dataset.episodes()[episode as usize];
            assert_eq!(entry.length, length);
            assert_eq!(entry.tasks, [dataset.tasks()[episode as usize].clone()]);
            let rows = dataset.rows(&store, episode).expect("it has rows");
            assert_eq!(rows.rows, length);
            // The numbers that the script that made the files put into them.
            let expected = |step: f32| -> Vec<f32> {
                (0..length)
                    .flat_map(|row| (0..6).map(move |i| row as f32 + i as f32 * step))
                    .collect()
            };
            assert_eq!(rows.numbers("action"), Some(expected(1.0)));
            assert_eq!(rows.numbers("observation.state"), Some(expected(0.5)));
            assert_eq!(column(&rows, "action").form, Form::Fixed(6));
            let times = (0..length)
                .map(|row| (f64::from(row) / 30.0) as f32)
                .collect();
            assert_eq!(column(&rows, "timestamp").values, Values::F32(times));
            let count = i64::from(length);
            for (key, first) in [("frame_index", 0), ("index", index)] {
                let expected = (first..first + count).collect();
                assert_eq!(column(&rows, key).values, Values::I64(expected), "{key}");
            }
            for key in ["episode_index", "task_index"] {
                let expected = vec![i64::from(episode); length as usize];
                assert_eq!(column(&rows, key).values, Values::I64(expected), "{key}");
            }
            index += count;
        }
    }
}

#[test]
fn pictures_in_the_table_are_read() {
    let store = golden("image");
    let dataset = Dataset::open(&store).expect("it opens");
    let key = "observation.images.front";
    for (episode, length) in (0..).zip(LENGTHS) {
        let rows = dataset.rows(&store, episode).expect("it has rows");
        for row in 0..length {
            let png = rows.picture(key, row).expect("a picture");
            assert_eq!(&png[1..4], b"PNG");
            assert!(png.ends_with(b"IEND\xaeB`\x82"), "row {row}");
        }
        let expected = (0..length)
            .map(|row| format!("frame-{row:06}.png"))
            .collect();
        let paths = column(&rows, &format!("{key}/path"));
        assert_eq!(paths.values, Values::Text(expected));
    }
}

#[test]
fn videos_are_found() {
    let store = golden("video");
    let dataset = Dataset::open(&store).expect("it opens");
    let key = "observation.images.front";
    let first = dataset.video(&store, 0, key).expect("a video");
    let second = dataset.video(&store, 1, key).expect("a video");
    assert_eq!(first.path, format!("videos/{key}/chunk-000/file-000.mp4"));
    assert_eq!(first.path, second.path);
    assert_eq!(
        (first.from_secs, first.to_secs),
        (0.0, 0.666_666_666_666_666_6)
    );
    assert_eq!(
        (second.from_secs, second.to_secs),
        (0.666_666_666_666_666_6, 1.700_000_000_000_000_2)
    );
    let feature = dataset.schema().feature(key).expect("the camera");
    assert_eq!(feature.data_type, DataType::Video);
    assert_eq!(feature.picture_size(), Some((64, 48)));
    let error = dataset.video(&store, 0, "action").expect_err("no video");
    assert!(error.to_string().contains(key), "{error}");
}

/// Statistics, those of the file and those of the episodes, with every bit.
#[test]
fn statistics_are_read() {
    for name in ["state", "image", "video"] {
        let store = golden(name);
        let dataset = Dataset::open(&store).expect("it opens");
        let text = store.read("meta/stats.json").expect("there");
        let json = Json::parse(&text).expect("JSON");
        assert_eq!(json.entries().len(), dataset.stats().len());
        for (key, stats) in dataset.stats() {
            let entry = json.get(key).expect("the feature");
            assert_eq!(
                entry.get("count").expect("a count").values(),
                [Json::from(stats.count)]
            );
            for (name, values) in stats.named() {
                let mut flat = Vec::new();
                flatten(entry.get(name).expect("in the file"), &mut flat);
                assert_eq!(*values, flat, "{key} {name}");
            }
        }
        let first = &dataset.episodes()[0];
        let times = first.feature_stats("timestamp").expect("statistics");
        assert_eq!(times.mean, [0.316_666_666_666_666_6]);
        assert_eq!(times.q99, [0.633_308_000_099_992]);
        assert_eq!(times.count, 20);
        let index = dataset.episodes()[1].feature_stats("index");
        assert_eq!(index.map(|stats| stats.min.clone()), Some(vec![20.0]));
        if name != "state" {
            let front = first.feature_stats("observation.images.front");
            let front = front.expect("statistics of pictures");
            assert_eq!(front.max, [0.372_549_019_607_843_15, 1.0, 0.0]);
        }
    }
}

fn flatten(json: &Json, into: &mut Vec<f64>) {
    match json {
        Json::List(values) => values.iter().for_each(|value| flatten(value, into)),
        other => into.extend(other.number()),
    }
}

/// What is read from `info.json` is written again byte by byte, by Python's way of writing.
#[test]
fn info_is_kept() {
    for name in ["state", "image", "video"] {
        let store = golden(name);
        let dataset = Dataset::open(&store).expect("it opens");
        let text = store.read("meta/info.json").expect("there");
        assert_eq!(dataset.info().text().into_bytes(), text, "{name}");
    }
}
