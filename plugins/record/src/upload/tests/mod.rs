//! Uploads to a hub on this machine, whole, again, cut off at every place, and refused.

mod server;

use std::collections::BTreeMap;

use forearm_dataset::store::{Memory, Store};
use forearm_protocol::record::UploadConfig;

use super::files::belongs;
use super::hub::Hub;
use super::{HttpUpload, Step, UploadError, Uploaded, start};
use server::{Fault, Server, TOKEN, git};

/// Objects of the tests that are larger go in parts of this size.
const PART_BYTES: usize = 100_000;

fn config(server: &Server) -> UploadConfig {
    UploadConfig {
        endpoint: server.endpoint.clone(),
        repo_id: "user/cubes".to_owned(),
        private: true,
        token: TOKEN.to_owned(),
    }
}

/// So many bytes that no compression and no mistake makes again.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A dataset: one video of six parts, one of eleven, two tables, and what stays here.
fn dataset() -> Memory {
    let mut store = Memory::new();
    let info = br#"{"codebase_version": "v3.0", "robot_type": "so_follower", "fps": 30}"#;
    for (path, bytes) in [
        ("meta/info.json", info.to_vec()),
        ("meta/stats.json", b"{}".to_vec()),
        ("meta/tasks.parquet", noise(1, 3_000)),
        (
            "meta/forearm/episode-000000.json",
            b"{\"hz\": 120}".to_vec(),
        ),
        ("data/chunk-000/file-000.parquet", noise(2, 20_000)),
        ("data/chunk-000/file-001.parquet", noise(3, 20_000)),
        (
            "videos/observation.images.wrist/chunk-000/file-000.mp4",
            noise(4, 543_210),
        ),
        (
            "videos/observation.images.wrist/chunk-000/file-001.mp4",
            noise(5, 1_100_000),
        ),
        (".forearm/journal/000.journal", noise(6, 500)),
        ("images/observation.images.wrist/000.png", noise(7, 500)),
        ("notes.txt", b"mine".to_vec()),
    ] {
        store.write(path, &bytes).expect("memory takes it");
    }
    store
}

/// The files of a dataset that belong on a hub.
fn contents(store: &Memory) -> BTreeMap<String, Vec<u8>> {
    let entries = store.list("").expect("memory lists").into_iter();
    let belonging = entries.filter(|entry| belongs(&entry.path));
    belonging
        .map(|entry| {
            let bytes = store.read(&entry.path).expect("it is there");
            (entry.path, bytes)
        })
        .collect()
}

/// Polls until it ends, or `stop` says so. Waiting for a better time takes none.
fn drive(
    upload: &mut HttpUpload,
    store: &mut Memory,
    mut stop: impl FnMut(&Server) -> bool,
    server: &Server,
) -> Result<Option<Uploaded>, UploadError> {
    let mut now_secs = 0.0;
    let mut last = 0.0;
    while !stop(server) {
        match upload.poll(store, now_secs)? {
            Step::Done(done) => return Ok(Some(done)),
            Step::Working { again_secs } if again_secs > 0.5 => now_secs += again_secs,
            Step::Working { .. } => std::thread::yield_now(),
        }
        let fraction = upload.progress().fraction;
        assert!((0.0..=1.0).contains(&fraction), "{fraction}");
        last = fraction;
    }
    assert!(last <= 1.0);
    Ok(None)
}

fn upload(server: &Server, store: &mut Memory) -> Result<Uploaded, UploadError> {
    let mut upload = start(&config(server), store)?;
    let done = drive(&mut upload, store, |_| false, server)?;
    Ok(done.expect("it was not stopped"))
}

/// How many files and parts were sent, and how many commits made.
fn counts(server: &Server) -> (usize, usize) {
    let state = server.state();
    (state.count("PUT"), state.commits.len())
}

/// The hub has what is here, all of it, once, and the tag is on it.
fn assert_arrived(server: &Server, store: &Memory) {
    let state = server.state();
    let mut there = state.contents();
    there.remove(".gitattributes");
    let card = there.remove("README.md").expect("a card");
    assert!(String::from_utf8_lossy(&card).contains("LeRobotDataset(\"user/cubes\")"));
    let here = contents(store);
    assert_eq!(
        there.keys().collect::<Vec<_>>(),
        here.keys().collect::<Vec<_>>()
    );
    assert!(there == here, "contents differ");
    assert_eq!(state.tags.get("v3.0"), Some(&state.head()));
    assert!(state.violations.is_empty(), "{:?}", state.violations);
    assert_eq!(store.size(".forearm/upload.json"), Ok(None));
}

fn assert_no_part_twice(server: &Server) {
    let twice = server.state().parts_kept.clone();
    assert_eq!(twice.len(), 6 + 11, "{twice:?}");
    assert!(twice.values().all(|times| *times == 1), "{twice:?}");
}

#[test]
fn a_dataset_arrives_whole_in_one_commit_with_its_tag() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    let done = upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    assert_no_part_twice(&server);
    assert_eq!(done.files, 8);
    assert_eq!(done.to, format!("{}/datasets/user/cubes", server.endpoint));
    let state = server.state();
    assert_eq!(state.commits.len(), 1);
    assert_eq!(state.created[0]["private"], true);
    assert_eq!(state.created[0]["type"], "dataset");
    assert_eq!(
        (&state.created[0]["organization"], &state.created[0]["name"]),
        (&"user".into(), &"cubes".into())
    );
    let large = |path: &str| state.files[path].large;
    assert!(large("meta/tasks.parquet") && !large("meta/info.json"));
}

#[test]
fn what_is_there_is_not_sent_again() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    upload(&server, &mut store).expect("it arrives");
    let (puts, commits) = counts(&server);
    upload(&server, &mut store).expect("nothing to do");
    assert_arrived(&server, &store);
    assert_eq!(counts(&server), (puts, commits));
    // One more episode, one less: what is gone here goes there, the rest stays.
    store
        .write("data/chunk-000/file-002.parquet", &noise(8, 7_000))
        .expect("written");
    store
        .remove("data/chunk-000/file-000.parquet")
        .expect("removed");
    store
        .write("meta/stats.json", b"{\"a\": 1}")
        .expect("written");
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    assert_eq!(counts(&server), (puts + 1, commits + 1));
}

#[test]
fn the_same_content_is_sent_once() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    let twin = noise(4, 543_210);
    store
        .write(
            "videos/observation.images.front/chunk-000/file-000.mp4",
            &twin,
        )
        .expect("written");
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    assert_no_part_twice(&server);
}

#[test]
fn every_call_may_fail_for_a_while() {
    for (method, path) in [
        ("POST", "/api/repos/create"),
        ("GET", "/revision/main"),
        ("GET", "/tree/main"),
        ("POST", "/preupload/main"),
        ("POST", "/objects/batch"),
        ("PUT", "/whole/"),
        ("PUT", "/part/"),
        ("POST", "/complete/"),
        ("POST", "/verify"),
        ("POST", "/commit/main"),
        ("POST", "/tag/"),
    ] {
        let (server, mut store) = (Server::start(PART_BYTES), dataset());
        for status in [500, 503, 429] {
            server.fail(method, path, 0, Fault::Status(status));
        }
        server.fail(method, path, 0, Fault::AnswerLost);
        upload(&server, &mut store).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert_arrived(&server, &store);
        assert_eq!(server.state().commits.len(), 1, "{method} {path}");
    }
}

#[test]
fn a_connection_cut_in_a_part_costs_this_part_only() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    for after in [0, 3, 7] {
        server.fail("PUT", "/part/", after, Fault::CutAfter(33_333));
    }
    server.fail("PUT", "/whole/", 1, Fault::CutAfter(1_000));
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    assert_no_part_twice(&server);
    assert_eq!(server.state().count("PUT /part/"), 6 + 11 + 3);
}

#[test]
fn an_upload_that_was_killed_goes_on_where_it_stopped() {
    // Wherever it stops: five calls are questions, up to four files are on their way at once.
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    let mut starts = 0;
    loop {
        starts += 1;
        let calls = server.state().calls.len() + 11;
        let mut upload = start(&config(&server), &store).expect("it starts");
        let stop = |server: &Server| server.state().calls.len() >= calls;
        let done = drive(&mut upload, &mut store, stop, &server).expect("nothing fails");
        if done.is_some() {
            break;
        }
        assert!(starts < 60, "it never ends");
    }
    assert!(starts > 3, "it was not stopped");
    assert_arrived(&server, &store);
    // A part whose answer was not taken yet when it stopped is sent again: one a lane.
    let kept = server.state().parts_kept.clone();
    let again: u32 = kept.values().map(|times| times - 1).sum();
    assert_eq!(kept.len(), 17);
    assert!(
        again <= 2 * (starts - 1),
        "{again} parts again in {starts} starts: {kept:?}"
    );
    assert_eq!(server.state().commits.len(), 1);
}

#[test]
fn parts_that_were_confirmed_are_not_sent_again_by_another_process() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    server.fail("PUT", "/part/", 9, Fault::Status(418));
    let failed = upload(&server, &mut store).expect_err("it is refused");
    assert!(
        matches!(failed, UploadError::Refused { status: 418, .. }),
        "{failed}"
    );
    let state = store
        .read(".forearm/upload.json")
        .expect("the state is kept");
    assert!(!String::from_utf8_lossy(&state).contains(TOKEN));
    let before = server.state().parts_kept.clone();
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    let after = server.state().parts_kept.clone();
    let again = before.keys().filter(|part| after[*part] > 1).count();
    // The other lane's part may have been kept without its answer having been taken.
    assert!(before.len() >= 8 && again <= 1, "{before:?} {after:?}");
}

#[test]
fn addresses_that_are_too_old_are_asked_for_again() {
    for (fault, again) in [(Fault::Expire, false), (Fault::Forget, true)] {
        let (server, mut store) = (Server::start(PART_BYTES), dataset());
        server.fail("PUT", "/part/", 5, fault);
        upload(&server, &mut store).expect("it arrives");
        assert_arrived(&server, &store);
        // Parts are sent again only where storage has lost them.
        match again {
            false => assert_no_part_twice(&server),
            true => assert!(server.state().parts_kept.values().any(|times| *times > 1)),
        }
    }
}

#[test]
fn a_commit_whose_answer_is_lost_is_not_made_twice() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    server.fail("POST", "/commit/main", 0, Fault::AnswerLost);
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    assert_eq!(server.state().commits.len(), 1);
}

#[test]
fn large_files_are_announced_before_they_are_sent() {
    let (server, mut store) = (Server::start(2_000_000), dataset());
    store
        .write("data/chunk-000/file-002.parquet", &noise(9, 1_900_000))
        .expect("written");
    server.fail("PUT", "/whole/", 2, Fault::Expire);
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
}

#[test]
fn a_refusal_says_what_to_do_and_nothing_is_committed() {
    let refused = |method, path, status| {
        let (server, mut store) = (Server::start(PART_BYTES), dataset());
        server.fail(method, path, 0, Fault::Status(status));
        let error = upload(&server, &mut store).expect_err("it is refused");
        assert!(server.state().commits.is_empty());
        error.to_string()
    };
    assert!(refused("POST", "/api/repos/create", 403).contains("right to write"));
    assert!(refused("POST", "/commit/main", 401).contains("does not accept the token"));
    assert!(refused("POST", "/objects/batch", 422).contains("422, as the test wants it"));
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    let mut wrong = config(&server);
    wrong.token = "hf_another".to_owned();
    let mut upload = start(&wrong, &store).expect("it starts");
    let error = drive(&mut upload, &mut store, |_| false, &server).expect_err("refused");
    assert!(matches!(&error, UploadError::Token { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hf_another"));
}

#[test]
fn a_hub_that_stays_away_is_given_up() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    for _ in 0..6 {
        server.fail("POST", "/api/repos/create", 0, Fault::CutAfter(0));
    }
    let error = upload(&server, &mut store).expect_err("it gives up");
    let UploadError::Connection { attempts, host, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*attempts, 6);
    assert!(server.endpoint.ends_with(host));
    assert_eq!(server.state().calls.len(), 6);
}

#[test]
fn what_the_hub_leaves_out_is_an_error() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    server.ignore("meta/info.json");
    let error = upload(&server, &mut store).expect_err("it would not be whole");
    assert!(error.to_string().contains(".gitignore"), "{error}");
    assert!(server.state().commits.is_empty());
}

#[test]
fn a_file_that_changes_meanwhile_is_noticed() {
    for (path, wanted) in [
        ("meta/stats.json", "changed while"),
        ("data/chunk-000/file-000.parquet", "the hash is another one"),
    ] {
        for longer in [false, true] {
            let (server, mut store) = (Server::start(PART_BYTES), dataset());
            let mut upload = start(&config(&server), &store).expect("it starts");
            let asked = |server: &Server| server.state().count("/tree/main") > 0;
            drive(&mut upload, &mut store, asked, &server).expect("so far so good");
            let mut bytes = store.read(path).expect("it is there");
            bytes[1] ^= 1;
            if !longer {
                bytes.truncate(1);
            }
            store.write(path, &bytes).expect("written");
            let error = drive(&mut upload, &mut store, |_| false, &server).expect_err("noticed");
            let text = error.to_string();
            assert!(
                text.contains(wanted) || text.contains("changed while"),
                "{path}: {text}"
            );
            assert!(server.state().commits.is_empty());
        }
    }
}

#[test]
fn somebody_else_may_commit_meanwhile() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    server.fail("POST", "/commit/main", 0, Fault::Status(412));
    upload(&server, &mut store).expect("it looks again");
    assert_arrived(&server, &store);
    assert_eq!(server.state().count("/revision/main"), 2);
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    for _ in 0..4 {
        server.fail("POST", "/commit/main", 0, Fault::Status(412));
    }
    let error = upload(&server, &mut store).expect_err("enough");
    assert!(matches!(error, UploadError::Contested { .. }), "{error}");
}

#[test]
fn a_tag_on_another_commit_is_moved() {
    let (server, mut store) = (Server::start(PART_BYTES), dataset());
    upload(&server, &mut store).expect("it arrives");
    store
        .write("meta/stats.json", b"{\"a\": 2}")
        .expect("written");
    upload(&server, &mut store).expect("it arrives");
    assert_arrived(&server, &store);
    assert_eq!(server.state().count("DELETE"), 1);
}

#[test]
fn without_a_dataset_there_is_nothing_to_upload() {
    let server = Server::start(PART_BYTES);
    let error = start(&config(&server), &Memory::new()).expect_err("nothing");
    assert!(matches!(error, UploadError::NoDataset { .. }), "{error}");
    let mut store = Memory::new();
    store.write("meta/info.json", b"{").expect("written");
    let error = start(&config(&server), &store).expect_err("nothing");
    assert!(error.to_string().contains("can't be read"), "{error}");
}

#[test]
fn addresses_names_and_tokens_are_checked_before_anything_is_sent() {
    let good = UploadConfig {
        endpoint: "https://huggingface.co/".to_owned(),
        repo_id: "user/so-101_cubes.v2".to_owned(),
        private: false,
        token: format!(" {TOKEN}\n"),
    };
    let hub = Hub::new(&good).expect("all is well");
    assert!(!format!("{hub:?}").contains(TOKEN));
    let token = hub.authorization_for("https://huggingface.co/api/x");
    assert_eq!(token, Some(format!("Bearer {TOKEN}")));
    for other in [
        "https://huggingface.co.evil.com/api/x",
        "https://huggingface.co@evil.com/",
        "http://huggingface.co/api/x",
        "https://storage.com/x",
    ] {
        assert_eq!(hub.authorization_for(other), None, "{other}");
    }
    assert!(hub.may_send_to("https://storage.com/x?y=z"));
    assert!(!hub.may_send_to("http://storage.com/x"));
    for endpoint in [
        "",
        "huggingface.co",
        "ftp://x.y",
        "http://hub.example",
        "https://",
        "https://a b",
        "https://u:p@x",
    ] {
        let wrong = UploadConfig {
            endpoint: endpoint.to_owned(),
            ..good.clone()
        };
        let error = Hub::new(&wrong).expect_err(endpoint);
        assert!(matches!(error, UploadError::Endpoint { .. }), "{endpoint}");
        assert!(!error.to_string().contains("u:p"), "{error}");
    }
    for repo_id in [
        "", "name", "a/b/c", "a/", "/b", "a/..", "a/b c", "a/b--c", "-a/b", "a/b.git", "a/ü",
    ] {
        let wrong = UploadConfig {
            repo_id: repo_id.to_owned(),
            ..good.clone()
        };
        let error = Hub::new(&wrong).expect_err(repo_id);
        assert!(matches!(error, UploadError::RepoId { .. }), "{repo_id}");
    }
    for token in ["", " ", "a b"] {
        let wrong = UploadConfig {
            token: token.to_owned(),
            ..good.clone()
        };
        assert_eq!(
            Hub::new(&wrong).expect_err("no token"),
            UploadError::NoToken
        );
    }
}

#[test]
fn files_are_named_as_git_names_them() {
    // Of `git hash-object`.
    let hello = super::files::LocalFile::of_bytes("x", b"hello\n");
    assert_eq!(hello.git, "ce013625030ba8dba906f756967f9e9ca394464a");
    assert_eq!(git(b"hello\n"), hello.git);
    let known = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    assert_eq!(hello.sha256, known);
}
