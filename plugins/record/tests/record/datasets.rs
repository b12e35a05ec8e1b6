//! What is done with a dataset that is there: looked at, exported, episodes deleted.

use forearm_dataset::store::{Memory, Store};
use forearm_dataset::zip::index;
use forearm_dataset::{Dataset, sidecar};
use forearm_protocol::record::{Command, Event, Place, RecordConfig, Reply, Request};
use forearm_vision::camera::read_number;

use crate::rig::{Rig, config, memory};

/// A service that browses a dataset with so many short episodes.
fn browsing(name: &str, episodes: u32) -> (Memory, Rig) {
    let (store, place) = memory(name);
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes,
        episode_secs: 0.5,
        reset_secs: 0.1,
        ..config(place.clone())
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(0.7 * f64::from(episodes) + 0.5);
    rig.done(Request::Close);
    rig.done(Request::Browse(place));
    (store, rig)
}

fn files(store: &Memory) -> Vec<(String, Vec<u8>)> {
    let files = store.list("").expect("listed").into_iter();
    let read = |path: &str| store.read(path).expect("there");
    files
        .map(|file| (file.path.clone(), read(&file.path)))
        .collect()
}

#[test]
fn pictures_are_those_of_their_rows() {
    let (store, mut rig) = browsing("pictures", 2);
    let facts = sidecar::facts(&store, 1).expect("read").expect("ours");
    let mut numbers = Vec::new();
    // Forward, backward, twice the same.
    for frame in [0, 1, 2, 3, 4, 9, 9, 3, 14, 0] {
        let frame_request = Request::Frame { episode: 1, frame };
        let Ok(Reply::Frame(shown)) = rig.ask(frame_request) else {
            panic!("no frame");
        };
        assert_eq!((shown.episode, shown.frame), (1, frame));
        assert_eq!(shown.sizes, [[64, 48], [64, 48]]);
        let rgba = shown.rgba.to_vec();
        assert_eq!(rgba.len(), 2 * 64 * 48 * 4);
        let rgb: Vec<u8> = rgba[..64 * 48 * 4]
            .chunks(4)
            .flat_map(|p| p[..3].to_vec())
            .collect();
        let number = read_number([64, 48], &rgb).expect("the pattern's number");
        numbers.push((frame, number));
        let captured = facts.cameras[0].captured_secs[frame as usize];
        let at = facts.start_secs + f64::from(frame) / 30.0;
        assert!((captured - at).abs() < 0.017, "{captured} {at}");
    }
    let first = numbers[0].1;
    for (frame, number) in numbers {
        assert_eq!(number, first + u64::from(frame), "row {frame}");
    }
    let text = rig.refusal(Request::Frame {
        episode: 1,
        frame: 15,
    });
    assert!(text.contains("it has 15"), "{text}");
    let text = rig.refusal(Request::Frame {
        episode: 7,
        frame: 0,
    });
    assert!(text.contains("no episode 7"), "{text}");
    let Ok(Reply::Episode(series)) = rig.ask(Request::Episode(1)) else {
        panic!("no series");
    };
    assert_eq!((series.frames, series.states.len()), (15, 90));
}

#[test]
fn what_was_deleted_comes_back() {
    let (store, mut rig) = browsing("deleted", 4);
    let before = files(&store);
    let third = sidecar::facts(&store, 2).expect("read").expect("ours");
    rig.done(Request::DeleteEpisodes(vec![1, 0, 1]));
    rig.run(0.2);
    assert!(rig.state().can_undo);
    let summary = rig.dataset();
    assert_eq!(summary.episodes.len(), 2);
    assert!(
        summary
            .episodes
            .iter()
            .all(|episode| episode.quality.is_some())
    );
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes().len(), 2);
    let first = sidecar::facts(&store, 0).expect("read").expect("ours");
    assert_eq!(first.id, third.id);
    assert!(
        rig.refusal(Request::DeleteEpisodes(vec![2]))
            .contains("there are 2")
    );
    rig.done(Request::UndoDelete);
    rig.run(0.2);
    assert!(!rig.state().can_undo);
    assert_eq!(rig.dataset().episodes.len(), 4);
    assert!(files(&store) == before, "every byte is back");
    assert!(
        rig.refusal(Request::UndoDelete)
            .contains("nothing was deleted")
    );
    // For good, once the dataset is closed.
    rig.done(Request::DeleteEpisodes(vec![3]));
    rig.done(Request::Close);
    assert_eq!(store.list(".forearm").expect("listed"), []);
    assert_eq!(Dataset::open(&store).expect("sound").episodes().len(), 3);
}

#[test]
fn episodes_of_a_recording_can_be_deleted_and_it_goes_on() {
    let (store, place) = memory("deleted while recording");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes: 3,
        episode_secs: 0.5,
        reset_secs: 0.2,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(2.6);
    rig.done(Request::Finish);
    assert_eq!(rig.state().made, 3);
    rig.done(Request::DeleteEpisodes(vec![1]));
    rig.run(0.2);
    assert_eq!((rig.state().made, rig.state().episode), (2, 2));
    rig.done(Request::UndoDelete);
    rig.run(0.2);
    assert_eq!((rig.state().made, rig.state().episode), (3, 3));
    rig.done(Request::DeleteEpisodes(vec![1]));
    rig.done(Request::Start);
    rig.run(0.7);
    assert_eq!(rig.state().made, 3);
    assert!(!rig.state().can_undo, "the dataset was changed since");
    rig.done(Request::Close);
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes().len(), 3);
    assert_eq!(store.list(".forearm").expect("listed"), []);
}

#[test]
fn an_export_is_the_dataset() {
    let (store, mut rig) = browsing("export", 2);
    let window_bytes = 300_000;
    let pending = rig.handle.request(Request::Export {
        file: None,
        window_bytes,
    });
    let mut pending = Some(pending);
    let mut archive = Vec::new();
    let reply = loop {
        rig.events.clear();
        rig.wait(0.01);
        let mut under_way = 0;
        for event in std::mem::take(&mut rig.events) {
            if let Event::Chunk(chunk) = event {
                let bytes = chunk.to_vec();
                under_way += bytes.len();
                archive.extend(bytes);
            }
        }
        assert!(
            under_way <= window_bytes as usize,
            "{under_way} bytes under way"
        );
        if under_way > 0 {
            rig.handle
                .send(Command::ChunkTaken(under_way as u32))
                .expect("it runs");
        }
        if let Some(reply) = pending.as_mut().and_then(|pending| pending.try_take()) {
            break reply;
        }
    };
    let Ok(Reply::Exported {
        files: count,
        bytes,
        ..
    }) = reply
    else {
        panic!("{reply:?}");
    };
    assert_eq!(bytes, archive.len() as u64);
    let expected = files(&store);
    assert_eq!(count as usize, expected.len());
    let end = index::directory(&archive).expect("an archive");
    let listed = &archive[end.offset as usize..(end.offset + end.bytes) as usize];
    let found = index::files(listed).expect("a directory");
    assert_eq!(found.len(), expected.len());
    for (path, content) in &expected {
        let file = found.iter().find(|file| file.path == *path).expect("in it");
        let header = &archive[file.header as usize..];
        let from = (file.header + index::content(header).expect("a header")) as usize;
        assert!(&archive[from..from + content.len()] == content, "{path}");
    }
}

#[test]
fn an_export_to_a_file_can_be_stopped() {
    let (_, mut rig) = browsing("export file", 1);
    let folder = std::env::temp_dir().join(format!("forearm-export-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("made");
    let file = folder.join("dataset.zip");
    let path = file.display().to_string();
    let reply = rig.ask(Request::Export {
        file: Some(path.clone()),
        window_bytes: 0,
    });
    let Ok(Reply::Exported { bytes, to, .. }) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!((bytes, &to), (file.metadata().expect("there").len(), &path));
    // One that waits for its taker is stopped.
    let mut pending = rig.handle.request(Request::Export {
        file: None,
        window_bytes: 1,
    });
    rig.wait(0.05);
    assert!(pending.try_take().is_none());
    rig.handle.send(Command::Cancel).expect("it runs");
    let error = rig.answer(pending).expect_err("stopped");
    assert!(error.to_string().contains("stopped"), "{error}");
    let text = rig.refusal(Request::Export {
        file: Some(folder.join("no/such/folder.zip").display().to_string()),
        window_bytes: 0,
    });
    assert!(text.contains("no such file"), "{text}");
    let inside: Vec<_> = std::fs::read_dir(&folder).expect("there").collect();
    assert_eq!(inside.len(), 1);
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn what_is_no_dataset_is_not_browsed() {
    let mut rig = Rig::new();
    let text = rig.refusal(Request::Browse(Place::Storage("nothing there".to_owned())));
    assert!(text.contains("no dataset"), "{text}");
    let folder = std::env::temp_dir().join(format!("forearm-nowhere-{}", std::process::id()));
    let text = rig.refusal(Request::Browse(Place::Folder(folder.display().to_string())));
    assert!(text.contains("no such file"), "{text}");
    assert!(!folder.exists(), "looking makes no folder");
}

/// A dataset that LeRobot wrote.
fn golden(name: &str) -> Place {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../dataset/tests/golden/");
    let memory = Memory::new();
    let mut folders = vec![std::path::PathBuf::from(folder).join(name)];
    let root = folders[0].clone();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("there") {
            let path = entry.expect("read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).expect("inside");
            let inside = inside.to_str().expect("a name").replace('\\', "/");
            let bytes = std::fs::read(&path).expect("read");
            (&mut memory.clone() as &mut dyn Store)
                .write(&inside, &bytes)
                .expect("room");
        }
    }
    forearm_record::store::keep_in_memory(name, memory);
    Place::Storage(name.to_owned())
}

#[test]
fn what_lerobot_wrote_is_shown() {
    for (name, cameras) in [("state", 0), ("image", 1), ("video", 2)] {
        let mut rig = Rig::new();
        rig.done(Request::Browse(golden(name)));
        let summary = rig.dataset();
        assert!(!summary.episodes.is_empty(), "{name}");
        assert_eq!(summary.action_names.len(), 6, "{summary:?}");
        assert!(summary.cameras.len() >= cameras.min(1), "{summary:?}");
        let last = summary.episodes.last().expect("one");
        let request = Request::Frame {
            episode: last.index,
            frame: last.frames - 1,
        };
        match rig.ask(request) {
            Ok(Reply::Frame(shown)) => {
                assert_eq!(shown.sizes.len(), summary.cameras.len());
                let bytes = shown.sizes.iter().map(|[w, h]| w * h * 4).sum::<u32>();
                assert_eq!(shown.rgba.len(), bytes as usize);
                if name == "video" {
                    // In AV1, LeRobot's default. PyAV's mean colour of the last picture.
                    let rgba = shown.rgba.to_vec();
                    let pixels = rgba.as_chunks::<4>().0;
                    for (channel, expected) in [149.0, 4.2, 97.1, 255.0].into_iter().enumerate() {
                        let sum: u32 = pixels.iter().map(|pixel| u32::from(pixel[channel])).sum();
                        let mean = f64::from(sum) / pixels.len() as f64;
                        assert!((mean - expected).abs() < 3.0, "{channel}: {mean}");
                    }
                }
            }
            other => panic!("{other:?}"),
        }
        let Ok(Reply::Episode(series)) = rig.ask(Request::Episode(last.index)) else {
            panic!("no series");
        };
        assert_eq!(series.actions.len(), 6 * last.frames as usize);
    }
}
