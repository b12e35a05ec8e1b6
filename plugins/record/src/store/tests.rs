//! Folders as stores.

use std::path::PathBuf;

use forearm_dataset::store::{Memory, Store, StoreError};
use forearm_protocol::record::Place;

use super::{Access, Directory, Shelf, keep_in_memory, open};

/// A folder of a test's own, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("forearm-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn files_are_written_read_listed_and_removed() {
    let scratch = Scratch::new("store");
    let mut store = Directory::open(&scratch.0, Access::Write).expect("made");
    store.write("meta/info.json", b"{}").expect("room");
    store.write("meta/info.json", b"{1}").expect("replaced");
    store.write("a", b"0123456789").expect("room");
    assert_eq!(store.read("meta/info.json").expect("there"), b"{1}");
    assert_eq!(store.size("a"), Ok(Some(10)));
    assert_eq!(store.size("b"), Ok(None));
    assert_eq!(store.size("meta"), Ok(None), "folders are no files");
    let mut buffer = [0; 4];
    assert_eq!(store.read_at("a", 8, &mut buffer), Ok(2));
    assert_eq!(&buffer[..2], b"89");
    assert_eq!(store.read_at("a", 80, &mut buffer), Ok(0));

    let mut journal = store.append("j/x").expect("made");
    journal.append(b"one").expect("room");
    journal.append(b"two").expect("room");
    journal.sync().expect("synced");
    assert_eq!(journal.len(), 6);
    drop(journal);
    assert_eq!(store.append("j/x").expect("there").len(), 6);

    let paths = |store: &Directory| -> Vec<String> {
        let entries = store.list("").expect("listed");
        entries.into_iter().map(|entry| entry.path).collect()
    };
    assert_eq!(paths(&store), ["a", "j/x", "meta/info.json"]);
    assert_eq!(store.list("meta").expect("listed")[0].bytes, 3);
    assert_eq!(store.list("nothing"), Ok(Vec::new()));
    store.rename("a", "b/c").expect("there");
    store.remove("j").expect("removed");
    store.remove("j").expect("nothing there is fine");
    store.remove("meta/info.json").expect("removed");
    assert_eq!(paths(&store), ["b/c"]);
    assert!(!scratch.0.join("meta").exists(), "empty folders go");
    assert!(store.free_bytes().is_none_or(|bytes| bytes > 0));

    for bad in ["", "../a", "/a", "a/../b", "a//b"] {
        assert!(
            matches!(store.read(bad), Err(StoreError::Path { .. })),
            "{bad}"
        );
        assert!(
            matches!(store.write(bad, b""), Err(StoreError::Path { .. })),
            "{bad}"
        );
    }
    let missing = store.read("nothing").expect_err("not there");
    assert!(matches!(missing, StoreError::NotFound { .. }));
    // A file where a folder is needed.
    assert!(store.write("b/c/d", b"").is_err());
    assert_eq!(store.read("b/c").expect("as before"), b"0123456789");
}

#[test]
fn one_program_writes_a_folder() {
    let scratch = Scratch::new("lock");
    let first = Directory::open(&scratch.0, Access::Write).expect("free");
    let mut twin = first.clone();
    let error = Directory::open(&scratch.0, Access::Write).expect_err("held");
    let text = error.to_string();
    let process = format!("process {} of Forearm", std::process::id());
    assert!(text.contains(&process), "{text}");
    let mut reader = Directory::open(&scratch.0, Access::Read).expect("readers may");
    assert!(reader.write("a", b"").is_err());
    drop(first);
    twin.write("a", b"1").expect("its twin still holds it");
    assert!(Directory::open(&scratch.0, Access::Write).is_err());
    drop(twin);
    assert_eq!(reader.read("a").expect("there"), b"1");
    assert!(
        !scratch.0.join(".forearm").exists(),
        "nothing is left behind"
    );
    drop(Directory::open(&scratch.0, Access::Write).expect("free again"));
}

/// Lets other threads go on until something holds.
fn until(mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed().as_secs() < 60, "it never came to hold");
        std::thread::yield_now();
    }
}

#[test]
fn a_file_is_synced_behind_its_writer() {
    let scratch = Scratch::new("sync-soon");
    let mut store = Directory::open(&scratch.0, Access::Write).expect("made");
    let mut file = store.append("j/x").expect("made");
    for _ in 0..100 {
        file.append(b"one").expect("room");
        file.sync_soon();
    }
    file.sync().expect("the thread had nothing to tell");
    drop(file);
    store.remove("j").expect("nobody holds it");
    drop(store);
    assert!(!scratch.0.join(".forearm").exists(), "nothing is held");
}

/// `/dev/null` can't be synced: whoever wrote is told when it writes on, and ever after.
#[cfg(target_os = "linux")]
#[test]
fn a_sync_behind_that_fails_is_told() {
    let scratch = Scratch::new("sync-fails");
    let mut store = Directory::open(&scratch.0, Access::Write).expect("made");
    std::os::unix::fs::symlink("/dev/null", scratch.0.join("null")).expect("made");
    let mut file = store.append("null").expect("there");
    file.append(b"one").expect("taken");
    file.sync_soon();
    until(|| file.append(b"two").is_err());
    let told = file.sync().expect_err("told again").to_string();
    assert!(told.contains("null"), "{told}");
    assert!(file.append(b"three").is_err());
}

#[test]
fn a_place_to_look_at_has_to_be_there() {
    let scratch = Scratch::new("missing");
    assert!(matches!(
        Directory::open(&scratch.0, Access::Read),
        Err(StoreError::NotFound { .. })
    ));
    assert!(!scratch.0.exists());
}

#[test]
fn memory_is_kept_by_name() {
    let memory = Memory::new();
    keep_in_memory("kept", memory.clone());
    let at = |name: &str| -> Shelf {
        let place = Place::Storage(name.to_owned());
        let opened = open(&place, Access::Write).poll().expect("at once");
        opened.expect("memory").store
    };
    at("kept").write("a", b"1").expect("room");
    assert_eq!(memory.read("a").expect("there"), b"1");
    assert_eq!(at("kept").read("a").expect("there"), b"1");
    assert!(at("other").read("a").is_err());
}
