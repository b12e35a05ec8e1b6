//! What the check finds, each by one line.

use forearm_dataset::check::{Severity, check};
use forearm_dataset::store::{Memory, Store};
use forearm_dataset::{Dataset, ops};

use crate::{add, golden, schema};

const MP4: &str = "videos/observation.images.front/chunk-000/file-000.mp4";

/// A dataset with a real video of 51 frames, twice.
fn sound() -> Memory {
    let mp4 = golden("video").read(MP4).expect("there");
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, schema(&["front"])).expect("created");
    add(&mut dataset, &mut store, "pick", 51, &mp4).expect("added");
    add(&mut dataset, &mut store, "place", 51, &mp4).expect("added");
    store
}

#[test]
fn sound_datasets_have_no_findings() {
    for name in ["state", "image", "video"] {
        let report = check(&golden(name));
        assert!(report.findings.is_empty(), "{name}: {:?}", report.findings);
        assert_eq!(report.episodes, 2);
    }
    let mut store = sound();
    assert!(
        check(&store).findings.is_empty(),
        "{:?}",
        check(&store).findings
    );
    let mut dataset = Dataset::open(&store).expect("it opens");
    dataset.delete(&mut store, &[0]).expect("deleted");
    assert!(
        check(&store).findings.is_empty(),
        "{:?}",
        check(&store).findings
    );
    let theirs = golden("video");
    let second = Dataset::open(&theirs).expect("it opens");
    let mut merged = Memory::new();
    ops::merge(&[(&second, &theirs), (&dataset, &store)], &mut merged).expect("merged");
    assert!(
        check(&merged).findings.is_empty(),
        "{:?}",
        check(&merged).findings
    );
    let mut shared = golden("video");
    let mut dataset = Dataset::open(&shared).expect("it opens");
    dataset.delete(&mut shared, &[0]).expect("deleted");
    assert!(
        check(&shared).findings.is_empty(),
        "{:?}",
        check(&shared).findings
    );
}

/// Changes a file, and expects a finding of it that has these words.
fn finds(store: &Memory, path: &str, severity: Severity, words: &[&str]) {
    let report = check(store);
    let found = report.findings.iter().any(|finding| {
        let text = finding.to_string();
        finding.path == path
            && finding.severity == severity
            && !text.contains('\n')
            && words.iter().all(|word| text.contains(word))
    });
    assert!(found, "{path} {words:?}: {:#?}", report.findings);
    assert_eq!(
        report.is_sound(),
        severity == Severity::Warning && {
            report
                .findings
                .iter()
                .all(|finding| finding.severity == Severity::Warning)
        }
    );
}

fn replace(store: &mut Memory, path: &str, from: &str, to: &str) {
    let text = String::from_utf8(store.read(path).expect("there")).expect("text");
    assert!(text.contains(from), "{from}");
    store
        .write(path, text.replacen(from, to, 1).as_bytes())
        .expect("written");
}

#[test]
fn damage_is_found() {
    const INFO: &str = "meta/info.json";
    let cases: [(&str, &str, &str, &[&str]); 6] = [
        (INFO, "\"fps\": 30", "\"fps\": 25", &["row 1", "0.04"]),
        (
            INFO,
            "\"total_episodes\": 2",
            "\"total_episodes\": 3",
            &["2 episodes", "3"],
        ),
        (
            INFO,
            "\"total_frames\": 102",
            "\"total_frames\": 90",
            &["90", "102"],
        ),
        (INFO, "v3.0", "v4.0", &["v4.0", "v3.0"]),
        (INFO, "\"action\": {", "\"actions\": {", &["actions"]),
        (
            INFO,
            "                48,",
            "                24,",
            &["64 × 48", "24"],
        ),
    ];
    for (path, from, to, words) in cases {
        let mut store = sound();
        replace(&mut store, path, from, to);
        let report = check(&store);
        assert!(!report.is_sound(), "{from}");
        let found = report.findings.iter().any(|f| {
            let text = f.to_string();
            words.iter().all(|word| text.contains(word))
        });
        assert!(found, "{from} {words:?}: {:#?}", report.findings);
    }
    let mut store = sound();
    store.remove(MP4).expect("removed");
    finds(&store, MP4, Severity::Error, &["no such file"]);
    let mut store = sound();
    let half = store.read(MP4).expect("there");
    store.write(MP4, &half[..half.len() / 2]).expect("written");
    finds(&store, MP4, Severity::Error, &["MP4"]);
    let data = "data/chunk-000/file-001.parquet";
    let mut store = sound();
    let half = store.read(data).expect("there");
    store.write(data, &half[..half.len() / 2]).expect("written");
    finds(&store, data, Severity::Error, &["cut off"]);
    let mut store = sound();
    store
        .rename(data, "data/chunk-000/file-007.parquet")
        .expect("renamed");
    finds(&store, data, Severity::Error, &["no such file"]);
    finds(
        &store,
        "data/chunk-000/file-007.parquet",
        Severity::Warning,
        &["not finished"],
    );
    let mut store = sound();
    store.remove("meta/stats.json").expect("removed");
    finds(&store, "meta/stats.json", Severity::Error, &["trained"]);
    let mut store = sound();
    store.remove("meta/tasks.parquet").expect("removed");
    finds(
        &store,
        "meta/tasks.parquet",
        Severity::Error,
        &["no such file"],
    );
    finds(
        &Memory::new(),
        "meta/info.json",
        Severity::Error,
        &["no dataset here"],
    );
}

/// A video with too few frames, and rows that are swapped between files.
#[test]
fn what_does_not_belong_together_is_found() {
    let mp4 = golden("video").read(MP4).expect("there");
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, schema(&["front"])).expect("created");
    add(&mut dataset, &mut store, "pick", 53, &mp4).expect("added");
    finds(&store, MP4, Severity::Error, &["row 51 of 53", "51 frames"]);
    let mut store = sound();
    let (one, other) = (
        "data/chunk-000/file-000.parquet",
        "data/chunk-000/file-001.parquet",
    );
    let bytes = store.read(one).expect("there");
    store.write(other, &bytes).expect("written");
    finds(&store, other, Severity::Error, &["episode 0", "episode 1"]);
    // An episode that was not finished: everything but the description is there.
    let mut store = sound();
    let info = store.read("meta/info.json").expect("there");
    let mut dataset = Dataset::open(&store).expect("it opens");
    add(&mut dataset, &mut store, "pick", 51, &mp4).expect("added");
    store.write("meta/info.json", &info).expect("written");
    let report = check(&store);
    assert!(report.is_sound(), "{:#?}", report.findings);
    for path in [
        "meta/episodes",
        "data/chunk-000/file-002.parquet",
        "videos/observation.images.front/chunk-000/file-002.mp4",
    ] {
        finds(&store, path, Severity::Warning, &["repair"]);
    }
}
