//! What is packed comes out again, in another reader; huge files and many of them too.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::process::Command;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::store::Memory;

/// The whole archive, and the lengths of its pieces.
fn pack(store: &dyn Store, folder: &str, chunk_bytes: usize) -> (Vec<u8>, Vec<usize>) {
    let mut export = ZipExport::new(store, folder, chunk_bytes).expect("begins");
    let (mut all, mut lengths) = (Vec::new(), Vec::new());
    while let Some(chunk) = export.next_chunk(store).expect("goes on") {
        lengths.push(chunk.len());
        all.extend(chunk);
    }
    assert_eq!(export.next_chunk(store), Ok(None));
    let progress = export.progress();
    assert_eq!(progress.files, progress.files_total);
    assert_eq!(progress.bytes, progress.bytes_total);
    assert_eq!(progress.written, all.len() as u64);
    assert_eq!(progress.fraction(), 1.0);
    (all, lengths)
}

proptest! {
    #[test]
    fn what_is_packed_comes_out(
        files in btree_map("[a-zä]{1,5}(/[a-z ]{1,5}){0,2}", vec(any::<u8>(), 0..3000), 0..20),
        chunk_bytes in 1..5000usize,
        folder in prop_oneof![Just(""), Just("my data")],
    ) {
        let mut store = Memory::new();
        for (path, bytes) in &files {
            store.write(path, bytes).expect("room");
        }
        store.write(".forearm/journal/x", b"private").expect("room");
        let (all, lengths) = pack(&store, folder, chunk_bytes);
        // All pieces but the last have the length that was asked for.
        if let Some((_, before)) = lengths.split_last() {
            prop_assert!(before.iter().all(|length| *length == chunk_bytes));
        }
        let mut archive = ::zip::ZipArchive::new(Cursor::new(&all)).expect("an archive");
        prop_assert_eq!(archive.len(), files.len());
        for (path, bytes) in &files {
            let name = if folder.is_empty() { path.clone() } else { format!("{folder}/{path}") };
            let mut file = archive.by_name(&name).expect("the file");
            prop_assert_eq!(file.unix_mode(), Some(0o100_644));
            let mut found = Vec::new();
            // This reader checks the checksum.
            file.read_to_end(&mut found).expect("sound");
            prop_assert_eq!(&found, bytes);
        }
        // The same files give the same bytes.
        prop_assert_eq!(pack(&store, folder, 1 << 20).0, all);
    }
}

#[test]
fn python_opens_it() {
    let mut store = Memory::new();
    store.write("meta/info.json", b"{}").expect("room");
    store
        .write("data/ä.parquet", &vec![7; 100_000])
        .expect("room");
    let (all, _) = pack(&store, "set", 4096);
    let path = std::env::temp_dir().join(format!("forearm-zip-{}.zip", std::process::id()));
    std::fs::write(&path, &all).expect("a file");
    let script = "import sys, zipfile\n\
        z = zipfile.ZipFile(sys.argv[1])\n\
        assert z.testzip() is None\n\
        assert z.namelist() == ['set/meta/info.json', 'set/data/ä.parquet'], z.namelist()\n\
        assert z.read('set/data/ä.parquet') == bytes([7]) * 100000\n";
    let run = Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(&path)
        .output();
    std::fs::remove_file(&path).expect("removed");
    match run {
        Err(error) => eprintln!("not run: there is no Python ({error})"),
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

/// An archive behind gigabytes of zeros, which are not in memory.
struct Behind {
    zeros: u64,
    bytes: Vec<u8>,
    at: u64,
}

impl Read for Behind {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = if self.at < self.zeros {
            let read = (buffer.len() as u64).min(self.zeros - self.at) as usize;
            buffer[..read].fill(0);
            read
        } else {
            let there = &self.bytes[(self.at - self.zeros) as usize..];
            let read = there.len().min(buffer.len());
            buffer[..read].copy_from_slice(&there[..read]);
            read
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Behind {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let length = self.zeros + self.bytes.len() as u64;
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            SeekFrom::End(by) => length.saturating_add_signed(by),
        }
        .min(length);
        Ok(self.at)
    }
}

#[test]
fn what_stands_behind_four_gigabytes_is_found() {
    let mut store = Memory::new();
    store.write("a", b"abc").expect("room");
    store.write("b", &vec![5; 40 << 20]).expect("room");
    let zeros = 5 << 30;
    let mut export = ZipExport::new(&store, "", 1 << 20).expect("begins");
    export.offset = zeros;
    let mut bytes = Vec::new();
    while let Some(chunk) = export.next_chunk(&store).expect("goes on") {
        bytes.extend(chunk);
    }
    let archive = Behind {
        zeros,
        bytes,
        at: 0,
    };
    let mut archive = ::zip::ZipArchive::new(archive).expect("an archive");
    for (name, content) in [("a", b"abc".to_vec()), ("b", vec![5; 40 << 20])] {
        let mut found = Vec::new();
        let mut file = archive.by_name(name).expect("the file");
        file.read_to_end(&mut found).expect("sound");
        assert!(found == content, "{name}");
    }
}

#[test]
fn a_file_of_more_than_four_gigabytes_is_listed_with_its_length() {
    for bytes in [u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 40] {
        let listed = Listed {
            name: "a/b",
            bytes,
            sum: 7,
            offset: 1 << 41,
        };
        let mut directory = Vec::new();
        listed.entry(&mut directory);
        let found = index::files(&directory).expect("the directory");
        assert_eq!(found.len(), 1);
        let found = (&found[0].path[..], found[0].bytes, found[0].header);
        assert_eq!(found, ("a/b", bytes, 1 << 41));
        let mut header = Vec::new();
        listed.header(&mut header);
        assert_eq!(index::content(&header), Some(header.len() as u64));
        let mut end = Vec::new();
        directory_end(3, directory.len() as u64, 1 << 42, &mut end);
        let found = index::directory(&end).expect("an end");
        assert_eq!(found.offset, 1 << 42);
        assert_eq!(found.bytes, directory.len() as u64);
    }
}

#[test]
fn more_files_than_sixteen_bits_count_are_listed() {
    let mut store = Memory::new();
    for number in 0..70_000 {
        store.write(&format!("f{number}"), b"").expect("room");
    }
    let (all, _) = pack(&store, "", 1 << 20);
    let archive = ::zip::ZipArchive::new(Cursor::new(&all)).expect("an archive");
    assert_eq!(archive.len(), 70_000);
}

#[test]
fn an_episode_that_is_added_meanwhile_is_left_out_as_a_whole() {
    let mut store = Memory::new();
    for path in [INFO, STATS, TASKS, "data/one", "README.md"] {
        store.write(path, b"before").expect("room");
    }
    let mut export = ZipExport::new(&store, "", 10).expect("begins");
    for path in [INFO, STATS, TASKS, "data/two"] {
        store.write(path, b"and behind").expect("room");
    }
    let mut all = Vec::new();
    while let Some(chunk) = export.next_chunk(&store).expect("goes on") {
        all.extend(chunk);
    }
    let mut archive = ::zip::ZipArchive::new(Cursor::new(&all)).expect("an archive");
    assert_eq!(archive.len(), 5);
    let mut info = String::new();
    let mut file = archive.by_name(INFO).expect("the file");
    file.read_to_string(&mut info).expect("sound");
    assert_eq!(info, "before");
}

#[test]
fn what_is_deleted_or_changed_meanwhile_is_an_error() {
    let mut store = Memory::new();
    store.write("a", &[1; 100]).expect("room");
    store.write("b", &[1; 100]).expect("room");
    let begin = |store: &Memory| {
        let mut export = ZipExport::new(store, "", 50).expect("begins");
        export.next_chunk(store).expect("goes on");
        export
    };
    let mut export = begin(&store);
    store.write("b", &[1; 99]).expect("room");
    let drain = |export: &mut ZipExport, store: &Memory| loop {
        match export.next_chunk(store) {
            Ok(Some(_)) => {}
            other => return other,
        }
    };
    let error = drain(&mut export, &store).expect_err("changed");
    assert!(error.to_string().contains("b changed"), "{error}");
    let mut export = begin(&store);
    store.remove("b").expect("removed");
    assert!(drain(&mut export, &store).is_err());
    assert!(ZipExport::new(&store, "../up", 50).is_err());
}

/// Not a test of correctness: how fast it is, for who runs it with `--ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn speed() {
    let mut store = Memory::new();
    for number in 0..40 {
        let bytes: Vec<u8> = (0..10_000_000u32).map(|n| (n * 7 + number) as u8).collect();
        store
            .write(&format!("v{number}.mp4"), &bytes)
            .expect("room");
    }
    let started = std::time::Instant::now();
    let mut export = ZipExport::new(&store, "", 1 << 20).expect("begins");
    let mut chunk = Vec::new();
    let mut longest: f64 = 0.0;
    loop {
        let before = std::time::Instant::now();
        export.next_into(&store, &mut chunk).expect("goes on");
        longest = longest.max(before.elapsed().as_secs_f64());
        if chunk.is_empty() {
            break;
        }
    }
    let secs = started.elapsed().as_secs_f64();
    let rate = export.progress().written as f64 / secs / 1e6;
    println!("{rate:.0} MB/s, longest call {:.2} ms", longest * 1e3);
}
