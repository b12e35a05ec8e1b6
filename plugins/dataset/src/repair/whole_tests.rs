//! Datasets of which every file in turn is missing, cut off or changed.

use super::tests::{assert_recording, head, record};
use super::*;
use crate::check::check;
use crate::layout::{EPISODES, INFO, STATS, TASKS};
use crate::store::{Entry, Faults, Memory};

const EPISODES_MADE: u32 = 4;

fn rows(episode: u32) -> u32 {
    6 + episode
}

/// A dataset of some episodes, each with a task of its own but the last.
fn dataset() -> Memory {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, head(0).schema()).expect("a dataset");
    for episode in 0..EPISODES_MADE {
        let mut head = head(episode);
        head.task = format!("Task {}.", episode.min(2));
        record(&mut store, &head, rows(episode)).1.expect("room");
        save(&mut store, &mut dataset, &journal::path(&head.id)).expect("saved");
    }
    assert!(check(&store).is_sound(), "{:?}", check(&store));
    store
}

/// Whether the dataset is sound and has these episodes, as they were recorded.
fn assert_has(store: &Memory, recorded: &[u32], case: &str) {
    let report = check(store);
    assert!(report.is_sound(), "{case}: {:?}", report.findings);
    let dataset = Dataset::open(store).expect(case);
    assert_eq!(
        dataset.info().total_episodes as usize,
        recorded.len(),
        "{case}"
    );
    for (episode, recorded) in (0..).zip(recorded) {
        assert_recording(store, &dataset, episode, *recorded, rows(*recorded));
        let task = &dataset.episodes()[episode as usize].tasks;
        assert_eq!(*task, [format!("Task {}.", (*recorded).min(2))], "{case}");
        if let Ok(Some(facts)) = sidecar::facts(store, episode) {
            assert_eq!(facts.id, head(*recorded).id, "{case}");
        }
    }
}

fn assert_nothing_to_do(store: &Memory, case: &str) {
    let mut copy = store.copy();
    let again = repair(&mut copy).expect(case);
    assert_eq!(again.done, [""; 0], "{case}");
    assert_eq!(
        copy.list("").expect("a list"),
        store.list("").expect("a list")
    );
}

/// Ways to spoil a file.
fn spoilt(store: &Memory, entry: &Entry) -> Vec<(String, Memory)> {
    let path = &entry.path;
    let bytes = store.read(path).expect("a file");
    let with = |how: &str, bytes: Option<&[u8]>| {
        let mut copy = store.copy();
        match bytes {
            Some(bytes) => copy.write(path, bytes).expect("room"),
            None => copy.remove(path).expect("removed"),
        }
        (format!("{path} {how}"), copy)
    };
    vec![
        with("missing", None),
        with("empty", Some(&[])),
        with("cut off", Some(&bytes[..bytes.len() / 2])),
        with("without its end", Some(&bytes[..bytes.len() - 1])),
    ]
}

#[test]
fn a_sound_dataset_is_left_alone() {
    let store = dataset();
    assert_nothing_to_do(&store, "a sound dataset");
    let mut empty = Memory::new();
    assert_eq!(
        repair(&mut empty),
        Err(RepairError::Dataset(DatasetError::NoDataset))
    );
    Dataset::create(&mut empty, head(0).schema()).expect("a dataset");
    assert_nothing_to_do(&empty, "a dataset without episodes");
}

#[test]
fn whatever_file_is_lost_the_rest_stays() {
    let store = dataset();
    for entry in store.list("").expect("a list") {
        for (case, mut store) in spoilt(&store, &entry) {
            // The end of the pictures may be missing for real only in the last file of videos.
            let report = repair(&mut store).expect(&case);
            let lost: Option<u32> = ["data/", "videos/"]
                .iter()
                .any(|folder| entry.path.starts_with(folder))
                .then(|| entry.path.split("file-").nth(1))
                .flatten()
                .and_then(|rest| rest[..3].parse().ok());
            let stay: Vec<u32> = (0..EPISODES_MADE)
                .filter(|episode| Some(*episode) != lost)
                .collect();
            assert_eq!(report.episodes as usize, stay.len(), "{case}: {report:?}");
            assert_has(&store, &stay, &case);
            assert_nothing_to_do(&store, &case);
        }
    }
}

#[test]
fn a_repair_that_is_cut_off_is_made_by_the_next() {
    let store = dataset();
    let spoil = |path: &str, bytes: &[u8]| {
        let mut store = store.copy();
        store.write(path, bytes).expect("room");
        store
    };
    for spoilt in [
        spoil("data/chunk-000/file-001.parquet", b"PAR1"),
        spoil(INFO, b""),
        spoil(TASKS, b"nonsense"),
        spoil(&format!("{EPISODES}/chunk-000/file-002.parquet"), b""),
    ] {
        let mut whole = spoilt.copy();
        repair(&mut whole).expect("repaired");
        let total = whole.changes();
        for cut in 0..total {
            let mut store = spoilt.copy();
            store.set_faults(Faults {
                cut_after_changes: Some(cut),
                ..Faults::default()
            });
            let _cut_off = repair(&mut store);
            let mut store = store.copy();
            repair(&mut store).expect("repaired");
            let dataset = Dataset::open(&store).expect("a dataset");
            let expected = Dataset::open(&whole).expect("a dataset");
            assert_eq!(dataset.episodes(), expected.episodes(), "cut after {cut}");
            assert_eq!(dataset.tasks(), expected.tasks());
            assert_eq!(store.read(STATS), whole.read(STATS), "cut after {cut}");
        }
    }
}

#[test]
fn without_any_description_it_is_found_out() {
    let lose = |store: &mut Memory, paths: &[&str]| {
        for path in paths {
            store.remove(path).expect("removed");
        }
    };
    // From what stands beside the episodes: names, rate and robot.
    let mut store = dataset();
    let before = Dataset::open(&store).expect("a dataset");
    lose(&mut store, &[INFO, STATS, EPISODES]);
    repair(&mut store).expect("repaired");
    assert_has(&store, &[0, 1, 2, 3], "beside the episodes");
    let after = Dataset::open(&store).expect("a dataset");
    assert_eq!(after.schema().differences(before.schema()), [""; 0]);
    // From the rows and the videos alone, as others record them.
    let mut store = dataset();
    lose(&mut store, &[INFO, STATS, TASKS, crate::layout::FOREARM]);
    repair(&mut store).expect("repaired");
    let after = Dataset::open(&store).expect("a dataset");
    assert_eq!(after.info().total_episodes, EPISODES_MADE);
    assert_eq!(after.schema().fps, 30);
    let names = after.schema().features.iter().map(|f| f.key.clone());
    let expected = before.schema().features.iter().map(|f| f.key.clone());
    assert!(names.eq(expected));
    assert_has(&store, &[0, 1, 2, 3], "rows and videos alone");
    // And where nothing was saved yet, from the journal.
    let mut store = Memory::new();
    record(&mut store, &head(0), 5).1.expect("room");
    let report = repair(&mut store).expect("repaired");
    assert_eq!(report.episodes, 1);
}

#[test]
fn journals_become_episodes_and_nonsense_is_set_aside() {
    let mut store = dataset();
    let recorded = head(EPISODES_MADE);
    record(&mut store, &recorded, 9).1.expect("room");
    store
        .write(&journal::path("nonsense"), b"nonsense")
        .expect("room");
    let report = repair(&mut store).expect("repaired");
    assert_eq!(report.episodes, EPISODES_MADE + 1);
    let text = report.done.join("\n");
    assert!(text.contains("9 rows became episode 4"), "{text}");
    assert!(text.contains("nonsense.journal: moved to"), "{text}");
    assert_eq!(store.list(journal::FOLDER), Ok(Vec::new()));
    let kept = format!("{BROKEN}/journal/nonsense.journal");
    assert_eq!(store.read(&kept).expect("kept"), b"nonsense");
    assert_nothing_to_do(&store, "after all");
}

#[test]
fn the_golden_datasets_need_no_repair() {
    for name in ["state", "video", "image"] {
        let mut store = Memory::new();
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(name);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let parts = path.strip_prefix(&root).expect("below").components();
                let parts: Vec<_> = parts
                    .map(|part| part.as_os_str().to_string_lossy().into_owned())
                    .collect();
                let bytes = std::fs::read(&path).expect("a file");
                store.write(&parts.join("/"), &bytes).expect("room");
            }
        }
        assert_nothing_to_do(&store, name);
    }
}
