//! A container after a crash anywhere, after a loss of power, on a failing disk, and put together anew.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::store::RandomMemory;

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Clone)]
enum Change {
    Write(u8, Vec<u8>),
    Append(u8, Vec<u8>),
    Rename(u8, u8),
    Remove(u8),
    Sync(u8),
    Compact,
}

fn path(number: u8) -> String {
    ["a", "a/b", "a/c/d", "e"][usize::from(number)].to_owned()
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = || {
        prop_oneof![
            4 => vec(any::<u8>(), 0..60),
            1 => (any::<u8>(), 200..3000usize).prop_map(|(byte, count)| vec![byte; count]),
        ]
    };
    prop_oneof![
        3 => (0..4u8, bytes()).prop_map(|(path, bytes)| Change::Write(path, bytes)),
        4 => (0..4u8, bytes()).prop_map(|(path, bytes)| Change::Append(path, bytes)),
        1 => (0..4u8, 0..4u8).prop_map(|(from, to)| Change::Rename(from, to)),
        1 => (0..4u8).prop_map(Change::Remove),
        1 => (0..4u8).prop_map(Change::Sync),
        1 => Just(Change::Compact),
    ]
}

/// Makes a change; the error when it could not be made for want of power.
fn make(container: &mut Container<RandomMemory>, change: &Change) -> Result<(), StoreError> {
    let result = match change {
        Change::Write(to, bytes) => container.write(&path(*to), bytes),
        Change::Append(to, bytes) => container
            .append(&path(*to))
            .and_then(|mut file| file.append(bytes)),
        Change::Rename(from, to) => container.rename(&path(*from), &path(*to)),
        Change::Remove(from) => container.remove(&path(*from)),
        Change::Sync(to) => container
            .append(&path(*to))
            .and_then(|mut file| file.sync()),
        Change::Compact => container.compact(),
    };
    match result {
        Err(StoreError::NotFound { .. }) => Ok(()),
        result => result,
    }
}

/// What a change makes of files: all states that a crash may leave, the last one when it is made.
fn states(files: &Files, change: &Change) -> Vec<Files> {
    let mut states = vec![files.clone()];
    let mut files = files.clone();
    match change {
        Change::Write(to, bytes) => {
            files.insert(path(*to), bytes.clone());
        }
        Change::Append(to, bytes) => {
            files.entry(path(*to)).or_default();
            states.push(files.clone());
            files.entry(path(*to)).or_default().extend(bytes);
        }
        Change::Rename(from, to) => {
            if let Some(bytes) = files.remove(&path(*from)) {
                files.insert(path(*to), bytes);
            }
        }
        Change::Remove(from) => {
            let gone = path(*from);
            let below = format!("{gone}/");
            files.retain(|file, _| *file != gone && !file.starts_with(&below));
        }
        Change::Sync(to) => {
            files.entry(path(*to)).or_default();
        }
        Change::Compact => {}
    }
    states.push(files);
    states
}

fn files(container: &Container<RandomMemory>) -> Files {
    let entries = container.list("").expect("a list");
    entries
        .into_iter()
        .map(|entry| {
            let bytes = container.read(&entry.path).expect("a sound file");
            assert_eq!(bytes.len() as u64, entry.bytes);
            (entry.path, bytes)
        })
        .collect()
}

/// Opens what is left and looks at the files; it can be written to and opened again.
fn reopened(bytes: Vec<u8>) -> Files {
    let file = RandomMemory::with_bytes(bytes);
    let (mut container, opening) = Container::open(file.clone(), "test").expect("opens");
    assert_eq!(opening.damaged_at, [0; 0]);
    let found = files(&container);
    container.write("new", b"new").expect("room");
    let (container, opening) = Container::open(file, "test").expect("opens");
    assert_eq!(opening, Opening::default());
    let mut again = files(&container);
    assert_eq!(again.remove("new"), Some(b"new".to_vec()));
    assert_eq!(again, found);
    found
}

/// Makes changes until the process ends after so many bytes. The file, and which states it may have.
fn until_the_end(changes: &[Change], bytes: u64) -> (RandomMemory, Vec<Files>) {
    let file = RandomMemory::new();
    file.cut_after(bytes);
    let mut now = Files::new();
    let Ok((mut container, _)) = Container::open(file.clone(), "test") else {
        return (file, vec![now]);
    };
    for change in changes {
        let may_be = states(&now, change);
        if make(&mut container, change).is_err() {
            return (file, may_be);
        }
        now = may_be.last().expect("a state").clone();
    }
    (file, vec![now])
}

/// How many bytes these changes write.
fn written(changes: &[Change]) -> u64 {
    let (file, _) = until_the_end(changes, u64::MAX);
    file.written()
}

#[test]
fn a_crash_after_each_single_byte_leaves_the_state_before_or_after() {
    let bytes = |count: usize| vec![7; count];
    let changes = [
        Change::Write(1, bytes(30)),
        Change::Append(2, bytes(5)),
        Change::Append(2, bytes(9)),
        Change::Write(1, bytes(3)),
        Change::Rename(2, 3),
        Change::Sync(3),
        Change::Append(3, bytes(4)),
        Change::Compact,
        Change::Append(3, bytes(2)),
        Change::Remove(0),
        Change::Write(0, bytes(1)),
    ];
    for cut in 0..=written(&changes) {
        let (file, may_be) = until_the_end(&changes, cut);
        let found = reopened(file.bytes());
        assert!(may_be.contains(&found), "after {cut} bytes: {found:?}");
    }
}

proptest! {
    #[test]
    fn a_crash_leaves_the_state_before_or_after(
        changes in vec(change(), 1..25),
        cut in 0.0..1.0f64,
    ) {
        // Making the container writes 8 kB, which would get nearly all of the cuts.
        let made = written(&[]) - 1;
        let cut = made + ((written(&changes) - made) as f64 * cut) as u64;
        let (file, may_be) = until_the_end(&changes, cut);
        let found = reopened(file.bytes());
        prop_assert!(may_be.contains(&found), "{found:?} is none of {may_be:?}");
    }

    #[test]
    fn a_loss_of_power_takes_whole_changes_from_the_end(
        changes in vec(change(), 1..25),
        survivors in vec(any::<bool>(), 64),
    ) {
        let file = RandomMemory::new();
        let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
        let mut now = Files::new();
        let mut may_be = vec![now.clone()];
        for change in &changes {
            may_be.extend(states(&now, change));
            make(&mut container, change).expect("power");
            now = may_be.last().expect("a state").clone();
            if matches!(change, Change::Write(..) | Change::Sync(_) | Change::Compact) {
                // From here on it is safe.
                may_be = vec![now.clone()];
            }
        }
        let bytes = file.after_power_loss(|number| survivors[number % survivors.len()]);
        let found = reopened(bytes);
        prop_assert!(may_be.contains(&found), "{found:?} is none of {may_be:?}");
    }

    #[test]
    fn a_loss_of_power_in_compaction_takes_nothing(
        changes in vec(change(), 1..25),
        cut in 0.0..1.0f64,
        survivors in vec(any::<bool>(), 64),
    ) {
        let file = RandomMemory::new();
        let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
        for change in &changes {
            make(&mut container, change).expect("power");
        }
        container.write("last", b"flushes").expect("power");
        let before = files(&container);
        let start = RandomMemory::with_bytes(file.bytes());
        let writes = {
            let (mut container, _) = Container::open(start, "test").expect("opens");
            let counted = RandomMemory::with_bytes(file.bytes());
            let (mut copy, _) = Container::open(counted.clone(), "test").expect("opens");
            let from = counted.written();
            copy.compact().expect("power");
            container.compact().expect("power");
            assert_eq!(files(&container), before);
            counted.written() - from
        };
        file.cut_after((writes as f64 * cut) as u64);
        let _ended = container.compact();
        prop_assert_eq!(&reopened(file.bytes()), &before);
        let bytes = file.after_power_loss(|number| survivors[number % survivors.len()]);
        prop_assert_eq!(&reopened(bytes), &before);
    }

    #[test]
    fn a_failing_disk_hurts_what_it_hits_and_is_seen(
        changes in vec(change(), 1..25),
        at in any::<prop::sample::Index>(),
        value in 1..=255u8,
    ) {
        let file = RandomMemory::new();
        let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
        for change in &changes {
            make(&mut container, change).expect("power");
        }
        container.write("last", b"flushes").expect("power");
        let expected = files(&container);
        let mut bytes = file.bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= value;
        let (container, opening) =
            Container::open(RandomMemory::with_bytes(bytes), "test").expect("one slot is left");
        if opening != Opening::default() {
            // One change is missing; nothing else can be said of the files.
            prop_assert!(opening.damaged_at.len() <= 1);
            return Ok(());
        }
        for (path, bytes) in &expected {
            match container.read(path) {
                Ok(found) => prop_assert_eq!(&found, bytes),
                Err(error) => prop_assert!(
                    matches!(error, StoreError::Damaged { .. }),
                    "{error}"
                ),
            }
        }
        prop_assert_eq!(container.list("").expect("a list").len(), expected.len());
    }

    #[test]
    fn anything_can_be_opened(
        bytes in vec(any::<u8>(), 0..300),
        start in 0..20_000u64,
        slot in any::<bool>(),
    ) {
        let mut all = vec![0; BEGIN as usize];
        if slot {
            let slot = Slot { number: 9, generation: 3, start, flushed: start / 2 };
            all[..slot.encode().len()].copy_from_slice(&slot.encode());
            all.extend_from_slice(&bytes);
        } else {
            all = bytes;
        }
        if let Ok((container, _)) = Container::open(RandomMemory::with_bytes(all), "test") {
            prop_assert_eq!(files(&container), Files::new());
        }
    }
}

#[test]
fn one_hurt_change_among_many_leaves_the_others() {
    let file = RandomMemory::new();
    let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
    let mut middle = 0;
    for number in 0..10 {
        if number == 5 {
            middle = file.bytes().len();
        }
        let path = format!("file-{number}");
        container.write(&path, &[number; 100]).expect("room");
    }
    let mut bytes = file.bytes();
    bytes[middle + 9] ^= 1;
    let (container, opening) =
        Container::open(RandomMemory::with_bytes(bytes), "test").expect("opens");
    assert_eq!(opening.damaged_at, [middle as u64]);
    let paths = files(&container);
    assert_eq!(paths.len(), 9);
    assert!(!paths.contains_key("file-5"));
}

#[test]
fn garbage_is_dropped_at_opening_and_on_demand() {
    let file = RandomMemory::new();
    let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
    let content = vec![3; 100_000];
    for _ in 0..30 {
        container.write("a", &content).expect("room");
    }
    assert!(container.is_worth_compacting());
    assert!(file.bytes().len() > 3_000_000);
    let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
    assert!(!container.is_worth_compacting());
    assert!(file.bytes().len() < 120_000);
    // An open file goes on over a compaction.
    let mut log = container.append("log").expect("a file");
    log.append(b"before").expect("room");
    container.compact().expect("room");
    log.append(b" and after").expect("room");
    assert_eq!(container.read("log").expect("a file"), b"before and after");
    assert_eq!(container.read("a").expect("a file"), content);
    container.remove("log").expect("removed");
    container.remove("a").expect("removed");
    container.compact().expect("room");
    assert_eq!(file.bytes().len() as u64, BEGIN);
    assert!(log.append(b"gone").is_err());
}

#[test]
fn a_full_container_keeps_what_it_has() {
    let file = RandomMemory::new();
    let (mut container, _) = Container::open(file.clone(), "test").expect("opens");
    container.write("a", b"kept").expect("room");
    file.set_capacity(Some(file.bytes().len() as u64 + 100));
    assert_eq!(container.free_bytes(), Some(100));
    let full = container.write("b", &[1; 200]).expect_err("no room");
    assert_eq!(
        full,
        StoreError::Full {
            path: "b".to_owned()
        }
    );
    container.write("c", b"small").expect("room for that");
    let found = reopened(file.bytes());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "c"]);
    assert!(container.compact().is_err(), "it needs room for all files");
    assert_eq!(files(&container), found);
}

#[test]
fn another_file_is_not_overwritten() {
    for bytes in [b"some text".to_vec(), vec![1; 10_000], vec![0; 10_000]] {
        let file = RandomMemory::with_bytes(bytes.clone());
        let error = Container::open(file.clone(), "files.bin").expect_err("not ours");
        assert!(
            error.to_string().starts_with("files.bin: damaged"),
            "{error}"
        );
        assert_eq!(file.bytes(), bytes);
    }
}
