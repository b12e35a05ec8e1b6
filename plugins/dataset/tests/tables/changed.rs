//! Deleting, merging, splitting.

use forearm_dataset::store::{Memory, Store};
use forearm_dataset::{Dataset, DatasetError, Values, ops};

use crate::{add, golden, numbers, schema};

const FRONT: &str = "observation.images.front";

fn four() -> (Memory, Dataset) {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, schema(&["front"])).expect("created");
    for (rows, task, mp4) in [
        (9, "a", b"0"),
        (5, "b", b"1"),
        (7, "a", b"2"),
        (3, "c", b"3"),
    ] {
        add(&mut dataset, &mut store, task, rows, mp4).expect("added");
    }
    (store, dataset)
}

fn ints(dataset: &Dataset, store: &Memory, episode: u32, key: &str) -> Vec<i64> {
    let rows = dataset.rows(store, episode).expect("rows");
    match &rows.column(key).expect("the column").values {
        Values::I64(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn deleting_renumbers_everything() {
    let (mut store, mut dataset) = four();
    let before = dataset.clone();
    dataset.delete(&mut store, &[1, 3]).expect("deleted");
    assert!(Dataset::open(&store).expect("it opens") == dataset);
    assert_eq!(dataset.info().total_episodes, 2);
    assert_eq!(dataset.info().total_frames, 16);
    assert_eq!(
        ints(&dataset, &store, 1, "index"),
        (9..16).collect::<Vec<_>>()
    );
    assert_eq!(ints(&dataset, &store, 1, "episode_index"), [1; 7]);
    let rows = dataset.rows(&store, 1).expect("rows");
    assert_eq!(rows.numbers("action"), Some(numbers(7, 2.0)));
    let span = dataset.video(&store, 1, FRONT).expect("its video");
    assert_eq!(store.read(&span.path).expect("there"), b"2");
    let stats = dataset.episodes()[1].feature_stats("index").expect("there");
    assert_eq!((stats.min[0], stats.max[0]), (9.0, 15.0));
    // Of the files beside, those of the deleted are gone and the others follow.
    let names = |store: &Memory, folder: &str| -> Vec<String> {
        let all = store.list(folder).expect("listed");
        all.into_iter().map(|entry| entry.path).collect()
    };
    assert_eq!(
        names(&store, "meta/forearm"),
        [
            "meta/forearm/episode-000000.json",
            "meta/forearm/episode-000001.json"
        ]
    );
    assert_eq!(names(&store, "videos").len(), 2);
    assert_eq!(names(&store, "data").len(), 2);
    // And back.
    assert!(dataset.undo(&mut store).expect("undone"));
    assert!(dataset == before);
    assert_eq!(names(&store, "videos").len(), 4);
    assert_eq!(names(&store, "meta/forearm").len(), 4);
    assert_eq!(dataset.rows(&store, 3).expect("rows").rows, 3);
    assert!(!dataset.undo(&mut store).expect("nothing to undo"));
    // An episode that is added after a deletion keeps away from files that are there.
    dataset.delete(&mut store, &[0]).expect("deleted");
    assert!(ops::can_undo(&store).expect("looked"));
    add(&mut dataset, &mut store, "d", 4, b"4").expect("added");
    assert!(!ops::can_undo(&store).expect("looked"));
    assert_eq!(
        dataset.rows(&store, 0).expect("rows").numbers("action"),
        Some(numbers(5, 1.0))
    );
    let span = dataset.video(&store, 3, FRONT).expect("its video");
    assert_eq!(store.read(&span.path).expect("there"), b"4");
    assert!(names(&store, ".forearm").is_empty());
}

#[test]
fn all_can_be_deleted() {
    let (mut store, mut dataset) = four();
    dataset
        .delete(&mut store, &[3, 2, 1, 0, 0])
        .expect("deleted");
    assert!(Dataset::open(&store).expect("it opens") == dataset);
    add(&mut dataset, &mut store, "a", 4, b"0").expect("added");
    assert_eq!(Dataset::open(&store).expect("it opens").episodes().len(), 1);
    assert!(matches!(
        dataset.delete(&mut store, &[1]),
        Err(DatasetError::NoEpisode {
            episode: 1,
            total: 1
        })
    ));
}

/// Files that episodes share: rows are taken out, the video stays with its places.
#[test]
fn deleting_from_shared_files() {
    for name in ["state", "image", "video"] {
        let mut store = golden(name);
        let mut dataset = Dataset::open(&store).expect("it opens");
        let before = dataset.rows(&store, 1).expect("rows");
        let span = dataset.episodes()[1].video(FRONT).cloned();
        dataset.delete(&mut store, &[0]).expect("deleted");
        let read = Dataset::open(&store).expect("it opens");
        assert!(read == dataset);
        let after = read.rows(&store, 0).expect("rows");
        assert_eq!(after.rows, 31);
        for column in &after.columns {
            let old = before.column(&column.name).expect("as before");
            if !["index", "episode_index"].contains(&column.name.as_str()) {
                assert!(old == column, "{}", column.name);
            }
        }
        assert_eq!(ints(&read, &store, 0, "index"), (0..31).collect::<Vec<_>>());
        assert_eq!(ints(&read, &store, 0, "task_index"), [1; 31]);
        assert_eq!(read.episodes()[0].video(FRONT).cloned(), span);
        if name == "video" {
            read.video(&store, 0, FRONT).expect("its video");
        }
    }
}

#[test]
fn merging_keeps_rows_tasks_and_videos() {
    let (ours, first) = four();
    let theirs = golden("video");
    let second = Dataset::open(&theirs).expect("it opens");
    let mut store = Memory::new();
    let merged = ops::merge(&[(&second, &theirs), (&first, &ours)], &mut store).expect("merged");
    let read = Dataset::open(&store).expect("it opens");
    assert!(read == merged);
    assert_eq!(
        read.tasks(),
        ["Pick the cube", "Place the cube", "a", "b", "c"]
    );
    assert_eq!(read.info().total_frames, 51 + 24);
    for (episode, (source, from, old)) in (0..).zip([
        (&second, &theirs, 0),
        (&second, &theirs, 1),
        (&first, &ours, 0),
        (&first, &ours, 1),
        (&first, &ours, 2),
        (&first, &ours, 3),
    ]) {
        let rows = read.rows(&store, episode).expect("rows");
        let expected = source.rows(from, old).expect("rows");
        for key in ["action", "observation.state", "timestamp", "frame_index"] {
            assert!(rows.column(key) == expected.column(key), "{key}");
        }
        assert_eq!(
            read.episodes()[episode as usize].tasks,
            source.episodes()[old as usize].tasks
        );
        let (video, was) = (
            read.video(&store, episode, FRONT).expect("a video"),
            source.video(from, old, FRONT).expect("a video"),
        );
        assert!((video.from_secs - was.from_secs).abs() < 1e-12);
        assert!((video.to_secs - was.to_secs).abs() < 1e-9);
        let bytes = |store: &Memory, path: &str| store.read(path).expect("there");
        assert!(bytes(&store, &video.path) == bytes(from, &was.path));
    }
    assert_eq!(ints(&read, &store, 5, "task_index"), [4; 3]);
    // The two that share a video share it still.
    assert_eq!(store.list("videos").expect("listed").len(), 5);
    assert_eq!(store.list("meta/forearm").expect("listed").len(), 4);
    let state = golden("state");
    let other = Dataset::open(&state).expect("it opens");
    let error = ops::merge(&[(&first, &ours), (&other, &state)], &mut Memory::new());
    assert!(error.expect_err("refused").to_string().contains(FRONT));
    assert!(ops::merge(&[], &mut Memory::new()).is_err());
}

#[test]
fn splitting_by_fractions() {
    let (store, dataset) = four();
    let parts = ops::fractions(4, &[0.75, 0.25]).expect("enough");
    assert_eq!(parts, [vec![0, 1, 2], vec![3]]);
    assert!(ops::fractions(4, &[0.9, 0.2]).is_err());
    assert!(ops::fractions(4, &[0.9, f64::NAN]).is_err());
    assert!(ops::fractions(1, &[0.5, 0.5]).is_err());
    let mut first = Memory::new();
    let part = ops::split(&dataset, &store, &[3, 1], &mut first).expect("split");
    assert_eq!(part.tasks(), ["c", "b"]);
    assert_eq!(
        part.rows(&first, 0).expect("rows").numbers("action"),
        Some(numbers(3, 3.0))
    );
    assert_eq!(ints(&part, &first, 1, "index"), (3..8).collect::<Vec<_>>());
    assert!(ops::split(&dataset, &store, &[4], &mut Memory::new()).is_err());
    assert!(ops::split(&dataset, &store, &[], &mut Memory::new()).is_err());
    // Pictures in tables go along.
    let images = golden("image");
    let dataset = Dataset::open(&images).expect("it opens");
    let mut store = Memory::new();
    let part = ops::split(&dataset, &images, &[1], &mut store).expect("split");
    let (new, old) = (part.rows(&store, 0), dataset.rows(&images, 1));
    let (new, old) = (new.expect("rows"), old.expect("rows"));
    assert_eq!(new.picture(FRONT, 30), old.picture(FRONT, 30));
    assert_eq!(
        part.episodes()[0].feature_stats(FRONT),
        dataset.episodes()[1].feature_stats(FRONT)
    );
}
