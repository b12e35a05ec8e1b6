//! What every store promises, and how memory fails on demand.

use super::*;

/// What any store does. Others run it on theirs through [`Store`] alone.
fn behaves(store: &mut dyn Store) {
    assert_eq!(store.list("").expect("a list"), []);
    assert_eq!(store.size("a").expect("a look"), None);
    assert!(matches!(store.read("a"), Err(StoreError::NotFound { .. })));
    store.write("a/b/c.txt", b"abc").expect("room");
    store.write("a/b.txt", b"").expect("room");
    store.write("ab/c.txt", b"x").expect("room");
    assert_eq!(store.read("a/b/c.txt").expect("the file"), b"abc");
    assert_eq!(store.size("a/b.txt").expect("a look"), Some(0));
    let paths = |store: &dyn Store, folder: &str| -> Vec<String> {
        let entries = store.list(folder).expect("a list");
        entries.into_iter().map(|entry| entry.path).collect()
    };
    assert_eq!(paths(store, ""), ["a/b.txt", "a/b/c.txt", "ab/c.txt"]);
    assert_eq!(paths(store, "a"), ["a/b.txt", "a/b/c.txt"]);
    assert_eq!(paths(store, "a/b"), ["a/b/c.txt"]);
    assert_eq!(paths(store, "c"), [""; 0]);
    let mut buffer = [0; 2];
    assert_eq!(store.read_at("a/b/c.txt", 2, &mut buffer).expect("read"), 1);
    assert_eq!(buffer[0], b'c');
    assert_eq!(store.read_at("a/b/c.txt", 9, &mut buffer).expect("read"), 0);
    store.write("a/b/c.txt", b"defg").expect("room");
    assert_eq!(store.read_at("a/b/c.txt", 1, &mut buffer).expect("read"), 2);
    assert_eq!(&buffer, b"ef");
    let mut file = store.append("a/log").expect("a file");
    assert!(file.is_empty());
    file.append(b"one ").expect("room");
    file.append(b"two").expect("room");
    file.sync().expect("synced");
    assert_eq!(file.len(), 7);
    drop(file);
    let mut file = store.append("a/log").expect("a file");
    assert_eq!(file.len(), 7);
    file.append(b" three").expect("room");
    drop(file);
    assert_eq!(store.read("a/log").expect("the file"), b"one two three");
    let mut buffer = [0; 6];
    assert_eq!(store.read_at("a/log", 2, &mut buffer).expect("read"), 6);
    assert_eq!(&buffer, b"e two ");
    store.rename("a/log", "ab/c.txt").expect("renamed");
    assert_eq!(store.read("ab/c.txt").expect("the file"), b"one two three");
    assert!(store.rename("a/log", "z").is_err());
    store.remove("a/b").expect("removed");
    store.remove("a/b").expect("nothing there is fine");
    assert_eq!(paths(store, ""), ["a/b.txt", "ab/c.txt"]);
    store.remove("ab/c.txt").expect("removed");
    assert_eq!(paths(store, ""), ["a/b.txt"]);
    for path in [
        "", "/a", "a/", "a//b", "../a", "a/..", "./a", "a\\b", "c:", "a\n",
    ] {
        let refused = store.write(path, b"x").expect_err(path);
        assert!(matches!(refused, StoreError::Path { .. }), "{path:?}");
        assert!(store.append(path).is_err(), "{path:?}");
        assert!(store.rename("a/b.txt", path).is_err(), "{path:?}");
        assert!(store.remove(path).is_err(), "{path:?}");
    }
    assert!(store.write(&"a".repeat(MAX_PATH), b"x").is_ok());
    assert!(store.write(&"a".repeat(MAX_PATH + 1), b"x").is_err());
}

#[test]
fn memory_behaves() {
    behaves(&mut Memory::new());
}

#[test]
fn a_container_behaves() {
    let file = RandomMemory::new();
    let (mut container, _) = Container::open(file, "test").expect("a container");
    behaves(&mut container);
}

#[test]
fn a_full_memory_writes_whole_files_not_at_all() {
    let mut store = Memory::new();
    store.write("a", b"12345").expect("room");
    store.set_faults(Faults {
        capacity: Some(8),
        ..Faults::default()
    });
    assert_eq!(store.free_bytes(), Some(3));
    assert!(matches!(
        store.write("b", b"1234"),
        Err(StoreError::Full { .. })
    ));
    assert_eq!(store.size("b").expect("a look"), None);
    // In the place of the old one there is room.
    store.write("a", b"12345678").expect("room");
    let full = store.write("a", b"123456789").expect_err("no room");
    assert!(full.to_string().contains("make room"), "{full}");
    assert_eq!(store.read("a").expect("the old one"), b"12345678");
}

#[test]
fn a_read_only_memory_can_be_read() {
    let mut store = Memory::new();
    store.write("a", b"1").expect("room");
    store.set_faults(Faults {
        read_only: true,
        ..Faults::default()
    });
    assert_eq!(store.read("a").expect("the file"), b"1");
    let read_only = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::ReadOnly { .. })));
    };
    read_only(store.write("a", b"2"));
    read_only(store.rename("a", "b"));
    read_only(store.remove("a"));
    read_only(store.append("a").map(drop));
}

#[test]
fn a_memory_without_power_does_nothing_until_it_is_back() {
    let mut store = Memory::new();
    let mut file = store.append("a").expect("a file");
    store.set_faults(Faults {
        cut_after_bytes: Some(3),
        ..Faults::default()
    });
    assert!(file.append(b"12345").is_err());
    assert!(file.sync().is_err());
    assert!(store.read("a").is_err());
    assert!(store.write("b", b"").is_err());
    assert_eq!(store.copy().read("a").expect("a part"), b"123");
    let before = store.changes();
    store.set_faults(Faults {
        cut_after_changes: Some(1),
        ..Faults::default()
    });
    store.write("b", b"1").expect("power");
    assert!(store.write("c", b"1").is_err());
    assert!(store.list("").is_err());
    assert_eq!(store.changes(), before + 1);
    assert_eq!(store.copy().list("").expect("a list").len(), 2);
}

#[test]
fn a_power_cut_takes_what_was_not_synced() {
    let mut memory = Memory::new();
    memory.write("whole", b"whole").expect("room");
    let mut file = memory.append("log").expect("a file");
    file.append(b"sure").expect("room");
    file.sync().expect("synced");
    file.append(b" and").expect("room");
    let left = |memory: &Memory, path: &str| memory.after_power_cut().read(path);
    assert_eq!(left(&memory, "log").expect("there"), b"sure");
    file.sync_soon();
    assert_eq!(left(&memory, "log").expect("there"), b"sure and");
    file.append(b" not").expect("room");
    drop(file);
    memory.rename("log", "other").expect("renamed");
    assert_eq!(left(&memory, "other").expect("there"), b"sure and");
    assert_eq!(left(&memory, "whole").expect("there"), b"whole");
    assert_eq!(memory.read("other").expect("there"), b"sure and not");
}
