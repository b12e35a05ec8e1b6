//! Files of any content: errors, never a panic.

use forearm_dataset::check::check;
use forearm_dataset::json::Json;
use forearm_dataset::store::{Memory, Store};
use forearm_dataset::{Dataset, ops};
use proptest::prelude::*;

use crate::{add, golden, numbers, schema};

/// Opens and reads all there is.
fn look(store: &Memory) {
    if let Ok(dataset) = Dataset::open(store) {
        for episode in dataset.episodes() {
            if let Ok(rows) = dataset.rows(store, episode.index) {
                for column in &rows.columns {
                    assert!(!column.values.is_empty() || rows.rows == 0);
                }
            }
            for video in &episode.videos {
                // Both are fine; that it returns is what is tested.
                drop(dataset.video(store, episode.index, &video.key));
            }
        }
        let mut copy = store.copy();
        let mut changed = dataset.clone();
        if changed.delete(&mut copy, &[0]).is_ok() {
            drop(changed.undo(&mut copy));
        }
        drop(ops::merge(&[(&dataset, store)], &mut Memory::new()));
        drop(add(&mut dataset.clone(), &mut store.copy(), "x", 2, b"mp4"));
    }
    for finding in check(store).findings {
        assert!(!finding.what.is_empty());
    }
}

/// A few changes of a file: bytes set, taken out, put in, the end cut off.
#[derive(Debug, Clone)]
enum Damage {
    Set(usize, u8),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let at = || any::<usize>();
    let one = prop_oneof![
        8 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        2 => (at(), 1..40_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..12))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => at().prop_map(Damage::Cut),
    ];
    prop::collection::vec(one, 1..6)
}

fn apply(bytes: &mut Vec<u8>, damage: &[Damage]) {
    for damage in damage {
        let length = bytes.len().max(1);
        match damage {
            Damage::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at % length) {
                    *place = *byte;
                }
            }
            Damage::Remove(at, count) => {
                let from = (at % length).min(bytes.len());
                let to = (from + count).min(bytes.len());
                bytes.drain(from..to);
            }
            Damage::Insert(at, new) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Cut(at) => bytes.truncate(at % length),
        }
    }
}

/// All files of a dataset but its videos.
fn tables(store: &Memory) -> Vec<String> {
    let all = store.list("").expect("listed");
    all.into_iter()
        .map(|entry| entry.path)
        .filter(|path| !path.ends_with(".mp4"))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_files_are_errors(
        name in prop::sample::select(vec!["state", "image", "video", "old"]),
        file in any::<prop::sample::Index>(),
        damage in damage(),
    ) {
        let mut store = if name == "old" { crate::old::store() } else { golden(name) };
        let files = tables(&store);
        let path = file.get(&files);
        let mut bytes = store.read(path).expect("there");
        apply(&mut bytes, &damage);
        store.write(path, &bytes).expect("written");
        look(&store);
    }

    /// Damage where it is believed most: at the end, where the footer is.
    #[test]
    fn damaged_footers_are_errors(
        name in prop::sample::select(vec!["state", "image"]),
        file in any::<prop::sample::Index>(),
        places in prop::collection::vec((0..600_usize, any::<u8>()), 1..4),
    ) {
        let mut store = golden(name);
        let files: Vec<_> = tables(&store).into_iter().filter(|p| p.ends_with(".parquet")).collect();
        let path = file.get(&files);
        let mut bytes = store.read(path).expect("there");
        let length = bytes.len();
        for (from_end, byte) in places {
            bytes[length.saturating_sub(1 + from_end)] = byte;
        }
        store.write(path, &bytes).expect("written");
        look(&store);
    }

    #[test]
    fn any_bytes_are_errors(
        file in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        framed in any::<bool>(),
    ) {
        let mut store = golden("state");
        let files = tables(&store);
        let path = file.get(&files);
        let mut whole = bytes;
        if framed {
            // As a Parquet file whose footer is all of it.
            let length = u32::try_from(whole.len()).expect("short");
            whole.splice(0..0, *b"PAR1");
            whole.extend_from_slice(&length.to_le_bytes());
            whole.extend_from_slice(b"PAR1");
        }
        store.write(path, &whole).expect("written");
        look(&store);
    }

    #[test]
    fn any_text_is_json_or_an_error(text in "[\\[\\]{}\",:0-9a-zA-Z\\\\. \\-+]{0,60}") {
        if let Ok(json) = Json::parse(text.as_bytes()) {
            let again = Json::parse(json.pretty().as_bytes()).expect("what was written");
            prop_assert_eq!(format!("{:?}", &json), format!("{:?}", again));
            prop_assert!(Json::parse(json.compact().as_bytes()).is_ok());
        }
    }

    /// Whatever is recorded is read again, bit by bit.
    #[test]
    fn rows_survive(
        values in prop::collection::vec(-1e30_f32..1e30, 6..120),
        task in "\\PC{0,20}",
    ) {
        let rows = values.len() / 6;
        let values = values[..rows * 6].to_vec();
        let mut store = Memory::new();
        let mut dataset = Dataset::create(&mut store, schema(&[])).expect("created");
        let episode = forearm_dataset::NewEpisode {
            task: &task,
            rows: u32::try_from(rows).expect("few"),
            columns: vec![("action", values.clone()), ("observation.state", numbers(rows as u32, 0.0))],
            videos: Vec::new(),
            extras: Vec::new(),
        };
        dataset.append(&mut store, episode).expect("added");
        let read = Dataset::open(&store).expect("it opens");
        prop_assert!(read == dataset);
        prop_assert_eq!(&read.tasks()[0], &task);
        prop_assert_eq!(read.rows(&store, 0).expect("rows").numbers("action"), Some(values));
        prop_assert!(check(&store).findings.is_empty());
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = "[".repeat(100_000);
    assert!(Json::parse(deep.as_bytes()).is_err());
    // A Parquet footer whose schema is a chain of a hundred thousand groups: field 2, a list of structs
    // that each have a name and one child.
    let count = 100_000_u32;
    let mut footer = vec![0x29, 0xfc];
    let mut left = count;
    while left >= 0x80 {
        footer.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    footer.push(left as u8);
    for _ in 0..count {
        // Field 4, the name: one letter; field 5, the number of children: one.
        footer.extend_from_slice(&[0x48, 1, b'x', 0x15, 2, 0]);
    }
    footer.push(0);
    let mut file = b"PAR1".to_vec();
    file.extend_from_slice(&footer);
    file.extend_from_slice(&u32::try_from(footer.len()).expect("short").to_le_bytes());
    file.extend_from_slice(b"PAR1");
    let mut store = golden("state");
    store.write("meta/tasks.parquet", &file).expect("written");
    let error = Dataset::open(&store).expect_err("refused");
    assert!(error.to_string().contains("nested deeper"), "{error}");
}
