//! The power goes out at every change, the disk is full at every byte: earlier episodes stay, and what
//! was being done can be done again.

use forearm_dataset::store::{Faults, Memory, Store};
use forearm_dataset::{Dataset, DatasetError, ops};

use crate::{add, golden, numbers, schema};

/// A dataset with two episodes of ours.
fn two() -> (Memory, Dataset) {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, schema(&["front", "wrist"])).expect("created");
    add(&mut dataset, &mut store, "pick", 9, b"first").expect("added");
    add(&mut dataset, &mut store, "pick", 5, b"second").expect("added");
    (store, dataset)
}

/// The dataset on `store` opens and has at least the episodes of `before`, with all their rows.
fn has_all(store: &Memory, before: &Dataset, context: &str) -> Dataset {
    let dataset = Dataset::open(store).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(
        dataset.episodes().len() >= before.episodes().len(),
        "{context}"
    );
    for episode in before.episodes() {
        assert!(
            dataset.episodes()[episode.index as usize] == *episode,
            "{context}"
        );
        let rows = dataset.rows(store, episode.index);
        let rows = rows.unwrap_or_else(|error| panic!("{context}: {error}"));
        let expected = numbers(episode.length, episode.index as f32);
        assert_eq!(rows.numbers("action"), Some(expected), "{context}");
        for video in &episode.videos {
            let span = dataset.video(store, episode.index, &video.key);
            let span = span.unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(
                store.size(&span.path).expect("looked").is_some(),
                "{context}"
            );
        }
    }
    dataset
}

#[test]
fn adding_survives_a_cut_at_every_change() {
    let (before, dataset) = two();
    let mut changes = 0;
    loop {
        let mut store = before.copy();
        store.set_faults(Faults {
            cut_after_changes: Some(changes),
            ..Faults::default()
        });
        let mut writing = dataset.clone();
        let added = add(&mut writing, &mut store, "place", 7, b"third");
        let mut left = store.copy();
        let context = format!("cut after {changes} changes");
        let mut opened = has_all(&left, &dataset, &context);
        if added.is_ok() {
            assert_eq!(opened.episodes().len(), 3);
            break;
        }
        // What failed changed nothing here either.
        assert!(writing == dataset, "{context}");
        assert_eq!(opened.episodes().len(), 2, "{context}");
        let again = add(&mut opened, &mut left, "place", 7, b"third").expect("added again");
        assert_eq!(again, 2);
        let opened = has_all(&left, &opened, &context);
        assert_eq!(opened.tasks(), ["pick", "place"]);
        assert_eq!(opened.info().total_frames, 21);
        changes += 1;
    }
    // An extra, tasks, two videos, two tables, statistics, info.
    assert_eq!(changes, 8);
}

#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    let (before, dataset) = two();
    let used: u64 = before
        .list("")
        .expect("listed")
        .iter()
        .map(|e| e.bytes)
        .sum();
    let mut failed = 0;
    for room in (0..60_000).step_by(1500) {
        let mut store = before.copy();
        store.set_faults(Faults {
            capacity: Some(used + room),
            ..Faults::default()
        });
        let mut writing = dataset.clone();
        match add(&mut writing, &mut store, "place", 7, b"third") {
            Ok(_) => break,
            Err(error) => {
                assert!(error.to_string().contains("no space left"), "{error}");
                has_all(&store.copy(), &dataset, &format!("{room} bytes left"));
                failed += 1;
            }
        }
    }
    assert!(failed > 10, "{failed}");
    let mut store = before.copy();
    store.set_faults(Faults {
        read_only: true,
        ..Faults::default()
    });
    let error = add(&mut dataset.clone(), &mut store, "place", 7, b"third").expect_err("refused");
    assert!(error.to_string().contains("read-only"), "{error}");
}

/// Deleting, and bringing back, happens completely or not at all, wherever it is cut off and however
/// often finishing it is.
#[test]
fn deleting_survives_cuts() {
    let (mut whole, mut dataset) = two();
    add(&mut dataset, &mut whole, "place", 7, b"third").expect("added");
    add(&mut dataset, &mut whole, "pick", 3, b"fourth").expect("added");
    let mut deleted = dataset.clone();
    let mut after = whole.copy();
    deleted.delete(&mut after, &[0, 2]).expect("deleted");

    survives(&whole, &dataset, &deleted, |dataset, store| {
        dataset.delete(store, &[0, 2])
    });
    survives(&after, &deleted, &dataset, |dataset, store| {
        dataset.undo(store).map(|_| ())
    });
    // The same of a dataset whose episodes share their files.
    let shared = golden("video");
    let dataset = Dataset::open(&shared).expect("it opens");
    let (mut deleted, mut after) = (dataset.clone(), shared.copy());
    deleted.delete(&mut after, &[0]).expect("deleted");
    survives(&shared, &dataset, &deleted, |dataset, store| {
        dataset.delete(store, &[0])
    });
}

fn survives(
    store: &Memory,
    before: &Dataset,
    after: &Dataset,
    change: impl Fn(&mut Dataset, &mut Memory) -> Result<(), DatasetError>,
) {
    for cut in 0.. {
        let mut first = store.copy();
        first.set_faults(Faults {
            cut_after_changes: Some(cut),
            ..Faults::default()
        });
        let done = change(&mut before.clone(), &mut first).is_ok();
        // Finishing is cut off too, later and later, until it is not.
        let mut left = first.copy();
        for cut in 0.. {
            left.set_faults(Faults {
                cut_after_changes: Some(cut),
                ..Faults::default()
            });
            if ops::finish(&mut left).is_ok() {
                break;
            }
            left = left.copy();
        }
        let opened = Dataset::open(&left.copy()).unwrap_or_else(|error| panic!("{cut}: {error}"));
        assert!(
            opened == *before || opened == *after,
            "cut after {cut} changes"
        );
        for episode in opened.episodes() {
            let rows = opened.rows(&left, episode.index);
            assert_eq!(rows.expect("rows").rows, episode.length);
            for video in &episode.videos {
                opened
                    .video(&left, episode.index, &video.key)
                    .expect("its video");
            }
        }
        if done {
            assert!(opened == *after);
            return;
        }
    }
}

#[test]
fn a_cut_change_is_said() {
    let (whole, dataset) = two();
    let mut seen = false;
    for cut in 0..30 {
        let mut store = whole.copy();
        store.set_faults(Faults {
            cut_after_changes: Some(cut),
            ..Faults::default()
        });
        if dataset.clone().delete(&mut store, &[0]).is_err()
            && matches!(Dataset::open(&store.copy()), Err(DatasetError::Unfinished))
        {
            seen = true;
        }
    }
    assert!(seen);
}
