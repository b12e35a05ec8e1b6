//! Datasets from the command line: recorded, read by third parties, killed at any moment, mended.
//!
//! Third parties are LeRobot, where `FOREARM_LEROBOT_PYTHON` names a Python that has it, and else
//! `pyarrow` and `FFmpeg`, as `cargo xtask test` installs them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use forearm_dataset::Dataset;
use forearm_dataset::journal::{self, Record};
use forearm_record::store::{Access, Directory};
use serde_json::Value;

use crate::app::{App, Finished, did_not_run, in_ci, root, scratch};

/// How often the recorder is killed; `FOREARM_KILLS` asks for more.
const KILLS: u64 = 20;
/// It is killed within so many milliseconds after its start.
const KILL_WITHIN_MS: u64 = 4_000;
/// Episodes of a recording that is killed: more than there is time for.
const MANY: &str = "1000";

/// A folder that is not there yet.
fn fresh(name: &str) -> PathBuf {
    let folder = scratch("datasets").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("an old test's folder goes away");
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are plain")
}

/// A simulated arm that picks a cube up, as fast as the machine can.
fn record(folder: &Path, episodes: &str, more: &[&str]) -> Finished {
    let script = ["--script", "pick_and_place", "--episodes", episodes];
    let whole = [
        "record",
        "--headless",
        "--fast",
        "--json",
        "--root",
        text(folder),
    ];
    App::new(whole.iter().chain(&script).chain(more)).run()
}

/// Pictures that cost little.
const SMALL: [&str; 4] = [
    "--camera",
    "wrist=sim:wrist@128x96",
    "--camera",
    "pattern@128x96",
];

/// `forearm dataset …`
fn dataset(words: &[&str]) -> Finished {
    App::new(["dataset"].iter().chain(words)).run()
}

/// A third party that reads datasets.
struct Reader {
    python: OsString,
    packages: Option<OsString>,
}

impl Reader {
    /// LeRobot, if there is one.
    fn lerobot() -> Option<Self> {
        let python = std::env::var_os("FOREARM_LEROBOT_PYTHON")?;
        Some(Self {
            python,
            packages: None,
        })
    }

    /// The one without LeRobot, which is much faster.
    fn light() -> Option<Self> {
        let python = std::env::var_os("FOREARM_DATASET_PYTHON");
        let Some(python) = python else {
            let lerobot = Self::lerobot();
            assert!(
                lerobot.is_some() || !in_ci(),
                "no third party can read datasets; run the tests with `cargo xtask test`"
            );
            return lerobot;
        };
        Some(Self {
            python,
            packages: std::env::var_os("FOREARM_DATASET_PACKAGES"),
        })
    }

    fn run(&self, script: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.python);
        command
            .arg(root().join("tests/python").join(script))
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null());
        if let Some(packages) = &self.packages {
            command.env("PYTHONPATH", packages);
        }
        let output = command.output().expect("Python starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let more = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{script} {arguments:?}: {said}\n{more}"
        );
        said
    }

    /// The last line of what was said, as JSON.
    fn check(&self, folder: &Path, episodes: usize, more: &[&str]) -> Value {
        let episodes = episodes.to_string();
        let arguments = [&[text(folder), "--episodes", &episodes], more].concat();
        let said = self.run("dataset_check.py", &arguments);
        let line = said.lines().last().expect("it says something");
        serde_json::from_str(line).expect("JSON")
    }
}

/// Whatever third parties there are find this many episodes and nothing wrong.
fn assert_sound(folder: &Path, episodes: usize) {
    let ours = dataset(&["check", text(folder)]);
    ours.assert_success();
    let told = match (Reader::lerobot(), Reader::light()) {
        (Some(lerobot), _) => lerobot.check(folder, episodes, &[]),
        (None, Some(light)) => {
            did_not_run("LeRobot itself; FOREARM_LEROBOT_PYTHON names a Python that has it");
            light.check(folder, episodes, &["--light"])
        }
        (None, None) => return did_not_run("no third party can read datasets here"),
    };
    assert_eq!(told["problems"], 0, "{told}");
    assert_eq!(told["not_checked"], Value::Array(Vec::new()), "{told}");
}

/// Every file with its contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it");
                let bytes = std::fs::read(&path).expect("a file");
                found.insert(text(name).to_owned(), bytes);
            }
        }
    }
    found
}

#[test]
fn a_recording_is_a_dataset_that_others_load() {
    let folder = fresh("recorded");
    let cameras = [
        "--camera",
        "sim:wrist",
        "--camera",
        "sim:front",
        "--fps",
        "30",
    ];
    let told = record(&folder, "2", &cameras).assert_success().json();
    assert_eq!(told["made"], 2, "{told}");
    let rows = told["dataset"]["episodes"].as_array().map(|episodes| {
        let rows = episodes.iter().map(|episode| episode["frames"].as_u64());
        rows.map(Option::unwrap_or_default).min()
    });
    assert!(rows.flatten() > Some(100), "episodes are too short: {told}");
    let names = told["dataset"]["cameras"].to_string();
    assert_eq!(names, r#"["wrist","front"]"#);
    assert_sound(&folder, 2);
    let info = dataset(&["info", "--json", text(&folder)]);
    assert_eq!(
        info.assert_success().json()["episodes"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn equal_runs_make_equal_files() {
    let runs = ["equal_a", "equal_b"].map(|name| {
        let folder = fresh(name);
        record(
            &folder,
            "1",
            &[&SMALL[..], &["--jitter-objects", "0.02"]].concat(),
        )
        .assert_success();
        files(&folder)
    });
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&runs[0]), names(&runs[1]));
    for (name, bytes) in &runs[0] {
        assert!(runs[1][name] == *bytes, "{name} differs");
    }
}

#[test]
fn a_dataset_is_gone_on_with_only_as_it_is() {
    let folder = fresh("resumed");
    record(&folder, "1", &SMALL).assert_success();
    let before = files(&folder);
    for (more, about) in [
        (&[][..], "--resume"),
        (&["--resume", "--fps", "25"][..], "fps"),
        (
            &["--resume", "--camera", "extra=pattern@128x96"][..],
            "extra",
        ),
    ] {
        let refused = record(&folder, "1", &[&SMALL[..], more].concat());
        assert_eq!(refused.code, Some(2), "{refused}");
        assert!(refused.stderr.contains(about), "{about}: {refused}");
        assert!(files(&folder) == before, "{refused}");
    }
    record(&folder, "1", &[&SMALL[..], &["--resume"]].concat()).assert_success();
    assert_sound(&folder, 2);
}

#[test]
fn datasets_are_cut_and_joined_and_stay_sound() {
    let (folder, joined, parts) = (fresh("whole"), fresh("joined"), fresh("parts"));
    record(
        &folder,
        "3",
        &[&SMALL[..], &["--episode-time", "2"]].concat(),
    )
    .assert_success();
    let twice = [text(&folder), text(&folder)];
    dataset(&[&["merge", "--out", text(&joined)], &twice[..]].concat()).assert_success();
    assert_sound(&joined, 6);
    dataset(&["delete-episodes", text(&joined), "1", "4"]).assert_success();
    assert_sound(&joined, 4);
    for part in ["0", "1"] {
        drop(fresh(&format!("parts_{part}")));
    }
    let halves = ["split", "--fractions", "0.5,0.5", "--out", text(&parts)];
    dataset(&[&halves[..], &[text(&joined)]].concat()).assert_success();
    for part in ["parts_0", "parts_1"] {
        assert_sound(&scratch("datasets").join(part), 2);
    }
}

#[test]
fn what_lerobot_wrote_is_the_same_when_written_again() {
    let Some(lerobot) = Reader::lerobot() else {
        return did_not_run("LeRobot itself; FOREARM_LEROBOT_PYTHON names a Python that has it");
    };
    for golden in ["state", "image", "video"] {
        let from = root().join("plugins/dataset/tests/golden").join(golden);
        let (prefix, again) = (fresh(golden), fresh(&format!("{golden}_0")));
        let split = [
            "split",
            "--fractions",
            "1",
            "--out",
            text(&prefix),
            text(&from),
        ];
        dataset(&split).assert_success();
        lerobot.run("roundtrip_check.py", &[text(&from), text(&again)]);
    }
}

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Records until it is killed; answers the greatest number of an episode that it said was saved.
fn record_until_killed(folder: &Path, live: bool, after: Duration) -> Option<usize> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forearm"));
    command
        .args([
            "record",
            "--headless",
            "--script",
            "pick_and_place",
            "--episodes",
            MANY,
        ])
        .args(["--episode-time", "0.8", "--root"])
        .arg(folder)
        .args(SMALL)
        .current_dir(root())
        .env("FOREARM_SETTINGS", scratch("settings").join("none.ron"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if !live {
        command.arg("--fast");
    }
    if folder.join("meta/info.json").exists() {
        command.arg("--resume");
    }
    let mut child = command.spawn().expect("forearm starts");
    let said = BufReader::new(child.stdout.take().expect("a pipe"));
    let lines = std::thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || said.lines().map_while(Result::ok).collect::<Vec<_>>())
        .expect("a thread");
    // The moment is the point, not what has happened until then.
    std::thread::sleep(after);
    child.kill().expect("it still runs");
    child.wait().expect("it has ended");
    let lines = lines.join().expect("no panic");
    let saved = lines.iter().filter_map(|line| {
        let number = line.trim().strip_prefix("episode ")?.split(':').next()?;
        number.parse::<usize>().ok()
    });
    saved.max()
}

/// Rows that the journals hold pictures of all cameras for, those of saved episodes left out.
fn rows_in_journals(folder: &Path, saved: u32) -> Vec<u32> {
    let folder = folder.join(".forearm/journal");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for entry in entries {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("a journal");
        let mut frames: BTreeMap<u16, u32> = BTreeMap::new();
        let mut unsaved = false;
        for record in journal::scan(&bytes) {
            match record {
                Record::Head(head) => {
                    unsaved = head.episode >= saved;
                    frames = (0u16..)
                        .zip(&head.cameras)
                        .map(|(camera, _)| (camera, 0))
                        .collect();
                }
                Record::Packet(packet) => *frames.entry(packet.camera).or_default() += 1,
                _ => {}
            }
        }
        if unsaved {
            rows.extend(frames.values().min());
        }
    }
    rows
}

#[test]
fn whatever_kills_the_recorder_finished_episodes_load_and_the_open_one_comes_back() {
    let _alone = crate::app::alone();
    let kills = std::env::var("FOREARM_KILLS").ok();
    let kills = kills.and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let (lerobot, light) = (Reader::lerobot(), Reader::light());
    if light.is_none() {
        did_not_run("no third party can read datasets here; Forearm checks its own");
    }
    let check = |reader: Option<&Reader>, folder: &Path, episodes: u32, more: &[&str]| match reader
    {
        Some(reader) => {
            let told = reader.check(folder, episodes as usize, more);
            assert_eq!(told["problems"], 0, "{told}");
        }
        None => {
            dataset(&["check", text(folder)]).assert_success();
        }
    };
    // What a kill leaves is LeRobot's to load, where there is one, before anything is mended.
    let check_killed = |folder: &Path, episodes: u32| match &lerobot {
        Some(_) => check(lerobot.as_ref(), folder, episodes, &["--killed"]),
        None => check(light.as_ref(), folder, episodes, &["--light", "--killed"]),
    };
    let mut chance = Chance(0x5EED);
    let (mut brought_back, mut in_time) = (0, 0);
    let folder = fresh("killed");
    for kill in 0..kills {
        // Every fourth in real time; from time to time a new dataset: its beginning is a moment too.
        let live = kill % 4 == 3;
        if kill % 5 == 0 && folder.exists() {
            std::fs::remove_dir_all(&folder).expect("it goes away");
        }
        let after = Duration::from_millis(200 + chance.below(KILL_WITHIN_MS));
        let when = format!("kill {kill} after {after:?}, live: {live}");
        println!("{when}");
        let told = record_until_killed(&folder, live, after);
        if !folder.join("meta/info.json").exists() {
            assert_eq!(told, None, "{when}");
            continue;
        }
        in_time += 1;
        let open = |what: &str| {
            let store = Directory::open(&folder, Access::Read);
            let store = store.unwrap_or_else(|error| panic!("{when}, {what}: {error}"));
            let opened = Dataset::open(&store);
            opened.unwrap_or_else(|error| panic!("{when}, {what}: {error}"))
        };
        let before = open("before").info().clone();
        // What it said was saved is.
        assert!(
            told.is_none_or(|last| last < before.total_episodes as usize),
            "{when}: {told:?}"
        );
        if before.total_episodes > 0 {
            check_killed(&folder, before.total_episodes);
        }
        let lost = rows_in_journals(&folder, before.total_episodes);
        dataset(&["repair", text(&folder)]).assert_success();
        let after_it = open("after").info().clone();
        let rows = after_it.total_frames - before.total_frames;
        let accepted: u64 = lost.iter().map(|rows| u64::from(*rows)).sum();
        // The last row may lack the control tick that would follow it.
        let allowed = lost.len() as u64;
        assert!(
            rows + allowed >= accepted,
            "{when}: {rows} of {accepted} rows came back: {lost:?}"
        );
        brought_back += after_it.total_episodes - before.total_episodes;
        if after_it.total_episodes > 0 {
            check(
                light.as_ref(),
                &folder,
                after_it.total_episodes,
                &["--light"],
            );
        }
        assert_eq!(
            rows_in_journals(&folder, after_it.total_episodes),
            Vec::<u32>::new(),
            "{when}"
        );
    }
    assert!(
        in_time * 2 >= kills,
        "{in_time} of {kills} kills hit a recording"
    );
    assert!(
        kills < 10 || brought_back > 0,
        "no kill hit an open episode"
    );
    if folder.join("meta/info.json").exists() && Reader::lerobot().is_some() {
        let store = Directory::open(&folder, Access::Read).expect("a folder");
        let episodes = Dataset::open(&store).expect("sound").info().total_episodes;
        assert_sound(&folder, episodes as usize);
    }
}
