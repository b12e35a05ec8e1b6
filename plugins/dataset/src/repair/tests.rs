//! Journals as a recorder writes them become episodes, whatever breaks off in between.

use proptest::prelude::*;

use super::*;
use crate::journal::{Freshness, Head, HeadCamera, Packet, Writer};
use crate::resample::Tally;
use crate::stats::PixelStats;
use crate::store::{Faults, Memory};

pub(super) const FPS: u32 = 30;
const TICK_SECS: f64 = 1.0 / 120.0;

pub(super) fn head(episode: u32) -> Head {
    let mut head = crate::journal::tests::head();
    head.id = format!("take-{episode}");
    head.episode = episode;
    head.start_secs = 10.0 * f64::from(episode);
    head.cameras.push(HeadCamera {
        name: "wrist".to_owned(),
        ..head.cameras[0].clone()
    });
    head
}

/// A joint's value at a time.
fn joint(secs: f64) -> f64 {
    (secs * 2.0).sin()
}

fn ticks(head: &Head, from: u64, count: u64) -> Vec<f64> {
    (from..from + count)
        .flat_map(|tick| {
            let secs = head.start_secs + tick as f64 * TICK_SECS;
            let mut values = vec![secs, joint(secs), 0.5, joint(secs + 0.1), 0.75];
            values.extend([0.1, 0.2, 0.3, 0.0, 0.0, 0.0, 1.0]);
            values
        })
        .collect()
}

fn packet(camera: u16, row: u32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 3];
    bytes.extend([camera as u8, row as u8, (row >> 8) as u8]);
    bytes
}

/// Records so many rows, as far as the store lets it; how many rows were accepted whole.
pub(super) fn record(store: &mut Memory, head: &Head, rows: u32) -> (u32, Result<(), StoreError>) {
    let mut accepted = 0;
    let mut all = || -> Result<(), StoreError> {
        let file = store.append(&journal::path(&head.id))?;
        let mut writer = Writer::create(file, head)?;
        let mut pixels = PixelStats::new();
        for row in 0..rows {
            // Ticks come a little ahead of the rows between them.
            writer.ticks(1, u64::from(row) * 4, &ticks(head, u64::from(row) * 4, 4))?;
            for camera in 0..2 {
                if row == 0 {
                    writer.description(camera, &crate::mp4::tests::avcc())?;
                }
                writer.packet(&Packet {
                    camera,
                    row,
                    key: row % 2 == 0,
                    captured_secs: head.start_secs + f64::from(row) / f64::from(FPS) + 0.004,
                    freshness: Freshness::New,
                    bytes: &packet(camera, row),
                })?;
                if row == 0 {
                    pixels.add([2, 1], &[0, 0, 0, 255, 255, 255]);
                    writer.tally(camera, &tally(row), &pixels.to_bytes())?;
                }
            }
            accepted = row + 1;
        }
        for camera in 0..2 {
            writer.tally(camera, &tally(rows - 1), &pixels.to_bytes())?;
        }
        writer.finish(rows)
    };
    let result = all();
    (accepted, result)
}

fn tally(row: u32) -> Tally {
    Tally {
        offered: row + 1,
        unused: 0,
        dropped: 0,
        first_secs: 0.0,
        last_secs: f64::from(row) / f64::from(FPS),
    }
}

pub(super) fn assert_episode(store: &Memory, dataset: &Dataset, episode: u32, rows: u32) {
    assert_recording(store, dataset, episode, episode, rows);
}

/// Whether an episode is what was recorded as number `recorded`.
pub(super) fn assert_recording(
    store: &Memory,
    dataset: &Dataset,
    episode: u32,
    recorded: u32,
    rows: u32,
) {
    let found = dataset.rows(store, episode).expect("rows");
    assert_eq!(found.rows, rows, "episode {episode}");
    let states = found.numbers("observation.state").expect("states");
    let start = 10.0 * f64::from(recorded);
    for row in 0..rows {
        let secs = start + f64::from(row) / f64::from(FPS);
        let expected = (joint(secs) - 0.25).to_degrees();
        let state = f64::from(states[row as usize * 2]);
        assert!((state - expected).abs() < 0.01, "{state} for {expected}");
    }
    for (camera, name) in ["front", "wrist"].iter().enumerate() {
        let span = dataset
            .video(store, episode, &format!("observation.images.{name}"))
            .expect("a video");
        let bytes = store.read(&span.path).expect("the video");
        let track = crate::mp4::demux(&bytes).expect("the video");
        assert_eq!(track.samples.len(), rows as usize);
        for (row, sample) in track.samples.iter().enumerate() {
            let from = sample.offset as usize;
            assert_eq!(
                &bytes[from..from + sample.size as usize],
                packet(camera as u16, row as u32)
            );
        }
    }
}

#[test]
fn an_episode_is_saved_with_all_that_is_known_of_it() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, head(0).schema()).expect("a dataset");
    for episode in 0..3 {
        let head = head(episode);
        let (accepted, result) = record(&mut store, &head, 40 + episode);
        result.expect("room");
        let path = journal::path(&head.id);
        let found = leftover(&store, &dataset).expect("a look");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].rows, found[0].saved), (accepted, None));
        let saved = save(&mut store, &mut dataset, &path).expect("saved");
        assert_eq!((saved.episode, saved.rows), (episode, accepted));
        assert_eq!(saved.problems, [""; 0]);
        assert!((saved.quality.tick_hz - 120.0).abs() < 1e-6);
        assert_eq!(saved.quality.ticks_lost, 0);
        let camera = &saved.quality.cameras[1];
        assert_eq!((camera.name.as_str(), camera.repeated), ("wrist", 0));
        assert!((camera.rate_hz - 30.0).abs() < 1e-6, "{camera:?}");
        assert!((camera.offset_max_secs - 0.004).abs() < 1e-9);
        assert_eq!(store.list(journal::FOLDER).expect("a look"), []);
    }
    let dataset = Dataset::open(&store).expect("the dataset");
    for episode in 0..3 {
        let head = head(episode);
        assert_episode(&store, &dataset, episode, 40 + episode);
        let facts = sidecar::facts(&store, episode)
            .expect("facts")
            .expect("facts");
        assert_eq!(
            (facts.id.clone(), facts.rows),
            (head.id.clone(), 40 + episode)
        );
        assert_eq!(
            facts.cameras[0].freshness,
            "n".repeat(40 + episode as usize)
        );
        let scene = sidecar::text(&store, episode, "scene.ron").expect("a text");
        assert_eq!(scene.as_deref(), Some("(arms: [])"));
        let found = sidecar::ticks(&store, episode).expect("ticks");
        assert_eq!(found.layout, head.layout);
        // Bit for bit.
        let expected = ticks(&head, 0, u64::from(facts.rows) * 4);
        assert_eq!(found.values, expected);
        assert_eq!(found.of_world(facts.start_secs).expect("all"), expected);
    }
    assert_eq!(sidecar::facts(&store, 7), Ok(None));
    assert!(sidecar::ticks(&store, 7).is_err());
}

#[test]
fn a_world_without_its_first_ticks_or_with_a_gap_is_not_played_again() {
    let width = 3;
    let ticks = |numbers: &[(u64, u64)]| sidecar::RecordedTicks {
        layout: journal::Layout {
            joints: 1,
            objects: 0,
        },
        numbers: numbers.to_vec(),
        values: (0..numbers.len() * width)
            .map(|value| (value / width) as f64)
            .collect(),
    };
    let whole = ticks(&[(1, 7), (2, 0), (2, 1), (2, 2), (3, 0)]);
    assert_eq!(whole.of_world(1.5).expect("whole"), &whole.values[3..12]);
    let late = ticks(&[(2, 5), (2, 6)]).of_world(0.5).expect_err("late");
    assert!(
        late.to_string().contains("begins at control tick 5"),
        "{late}"
    );
    let gap = ticks(&[(2, 0), (2, 2)]).of_world(0.5).expect_err("a gap");
    assert!(gap.to_string().contains("lost control tick 1"), "{gap}");
    assert!(ticks(&[]).of_world(0.0).is_err());
}

#[test]
fn a_journal_that_was_saved_is_not_saved_again() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, head(0).schema()).expect("a dataset");
    record(&mut store, &head(0), 5).1.expect("room");
    let path = journal::path(&head(0).id);
    let journal = store.read(&path).expect("the journal");
    save(&mut store, &mut dataset, &path).expect("saved");
    // The crash came before the journal was gone.
    store.write(&path, &journal).expect("room");
    let found = leftover(&store, &dataset).expect("a look");
    assert_eq!(found[0].saved, Some(0));
    let saved = save(&mut store, &mut dataset, &path).expect("saved");
    assert_eq!(saved.episode, 0);
    assert_eq!(dataset.info().total_episodes, 1);
    assert_eq!(store.size(&path), Ok(None));
}

#[test]
fn what_has_nothing_says_so() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, head(0).schema()).expect("a dataset");
    let path = journal::path("x");
    store.write(&path, b"nonsense").expect("room");
    let error = save(&mut store, &mut dataset, &path).expect_err("nonsense");
    assert!(matches!(error, RepairError::NoHead { .. }), "{error}");
    let file = store.append(&journal::path("y")).expect("a file");
    let mut writer = Writer::create(file, &head(0)).expect("a head");
    writer.ticks(0, 0, &ticks(&head(0), 0, 4)).expect("room");
    let error = save(&mut store, &mut dataset, &journal::path("y")).expect_err("no picture");
    assert!(
        error.to_string().contains("no picture of camera \"front\""),
        "{error}"
    );
    let found = leftover(&store, &dataset).expect("a look");
    assert_eq!(found.iter().map(|one| one.rows).collect::<Vec<_>>(), [0, 0]);
    // Another rate than the dataset's: nothing is lost.
    let mut other = head(1);
    other.fps = 25;
    record(&mut store, &other, 3).1.expect("room");
    let path = journal::path(&other.id);
    let error = save(&mut store, &mut dataset, &path).expect_err("another rate");
    assert!(error.to_string().contains("25"), "{error}");
    assert!(store.size(&path).expect("a look").is_some());
}

#[test]
fn a_head_that_asks_for_too_much_is_refused() {
    let read = |change: &dyn Fn(&mut Head), end: u32| {
        let mut store = Memory::new();
        let mut head = head(0);
        head.cameras.clear();
        change(&mut head);
        let mut writer = Writer::create(store.append("j").expect("a file"), &head).expect("a head");
        writer.ticks(1, 0, &ticks(&head, 0, 8)).expect("room");
        writer.finish(end).expect("room");
        Recording::read(&store.read("j").expect("a file"))
    };
    assert_eq!(read(&|_| {}, 2).expect("two rows").rows, 2);
    // Far more than was recorded; but what is there can be had.
    assert_eq!(read(&|_| {}, u32::MAX).expect("rows").rows, 8000);
    for change in [
        &(|head: &mut Head| head.fps = 0) as &dyn Fn(&mut Head),
        &|head| head.fps = u32::MAX,
        &|head| head.start_secs = 1e300,
    ] {
        assert!(matches!(read(change, 2), Err(RepairError::NoHead { .. })));
    }
    let wide = read(&|head| head.layout.joints = usize::MAX, 2);
    assert!(wide.is_err());
}

#[test]
fn a_camera_that_breaks_off_ends_the_episode_there() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, head(0).schema()).expect("a dataset");
    let head = head(0);
    let path = journal::path(&head.id);
    let file = store.append(&path).expect("a file");
    let mut writer = Writer::create(file, &head).expect("a head");
    writer.ticks(1, 0, &ticks(&head, 0, 100)).expect("room");
    for camera in 0..2 {
        writer
            .description(camera, &crate::mp4::tests::avcc())
            .expect("room");
        for row in (0..10).filter(|row| camera == 0 || *row != 6) {
            writer
                .packet(&Packet {
                    camera,
                    row,
                    key: row % 2 == 0,
                    captured_secs: head.start_secs,
                    freshness: Freshness::Repeated,
                    bytes: &packet(camera, row),
                })
                .expect("room");
        }
    }
    writer.finish(10).expect("room");
    let saved = save(&mut store, &mut dataset, &path).expect("saved");
    assert_eq!(saved.rows, 6);
    let text = saved.problems.join("\n");
    assert!(text.contains("row 6 is missing"), "{text}");
    assert!(text.contains("4 of 10 rows are left out"), "{text}");
    assert!(text.contains("statistics"), "no tally was written: {text}");
    assert_eq!(saved.quality.cameras[0].repeated, 5);
    assert_episode(&store, &dataset, 0, 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_crash_anywhere_loses_no_accepted_row(
        rows in prop::collection::vec(1..12u32, 1..4),
        cut in 0.0..1.0f64,
        changes in any::<bool>(),
    ) {
        // Once without a fault, to know how much is written in all.
        let mut whole = Memory::new();
        let run = |store: &mut Memory| -> Vec<u32> {
            let mut accepted = Vec::new();
            let Ok(mut dataset) = Dataset::create(store, head(0).schema()) else {
                return accepted;
            };
            for (episode, rows) in (0..).zip(&rows) {
                let (whole, result) = record(store, &head(episode), *rows);
                accepted.push(whole);
                if result.is_err()
                    || save(store, &mut dataset, &journal::path(&head(episode).id)).is_err()
                {
                    break;
                }
            }
            accepted
        };
        run(&mut whole);
        let mut store = Memory::new();
        store.set_faults(if changes {
            Faults {
                cut_after_changes: Some((whole.changes() as f64 * cut) as u64),
                ..Faults::default()
            }
        } else {
            Faults {
                cut_after_bytes: Some((whole.written() as f64 * cut) as u64),
                ..Faults::default()
            }
        });
        let accepted = run(&mut store);
        // The crash; everything begins anew.
        let mut store = store.copy();
        let Ok(mut dataset) = Dataset::open(&store) else {
            prop_assert!(accepted.is_empty());
            return Ok(());
        };
        let total = dataset.info().total_episodes;
        prop_assert!(total as usize + 1 >= accepted.len());
        for episode in 0..total {
            assert_episode(&store, &dataset, episode, accepted[episode as usize]);
        }
        let found = leftover(&store, &dataset).expect("a look");
        for journal in found {
            if journal.rows > 0 {
                let had = save(&mut store, &mut dataset, &journal.path).expect("kept");
                // A row that was whole when the crash came may not have been counted yet.
                let counted = accepted.get(had.episode as usize).copied().unwrap_or(0);
                prop_assert!(had.rows == counted || had.rows == counted + 1);
                prop_assert!(had.rows >= counted);
                prop_assert_eq!(had.episode, journal.saved.unwrap_or(total));
                assert_episode(&store, &dataset, had.episode, had.rows);
            }
        }
        let kept = dataset.info().total_episodes as usize;
        prop_assert!(kept == accepted.len() || accepted.last() == Some(&0));
    }

    #[test]
    fn anything_that_scans_is_kept_or_refused(
        order in prop::collection::vec((0..7u8, any::<u16>(), any::<u32>()), 0..40),
    ) {
        let mut store = Memory::new();
        let head = head(0);
        let mut dataset = Dataset::create(&mut store, head.schema()).expect("a dataset");
        let file = store.append("j").expect("a file");
        let mut writer = Writer::create(file, &head).expect("a head");
        for (kind, small, number) in order {
            let camera = small % 3;
            let row = number % 4;
            let secs = 0.01 * f64::from(number % 300) + if small == 7 { f64::NAN } else { 0.0 };
            match kind {
                0 => writer.ticks(u64::from(camera), u64::from(number), &ticks(&head, u64::from(row), 3)),
                1 => writer.description(camera, if small % 5 == 0 { b"x" } else { b"y" }),
                2 => writer.packet(&Packet {
                    camera,
                    row,
                    key: number % 3 == 0,
                    captured_secs: secs,
                    freshness: Freshness::Stale,
                    bytes: &packet(camera, row),
                }),
                3 => writer.pause(secs),
                4 => writer.resume(secs),
                5 => writer.tally(camera, &tally(row), &[small as u8; 20]),
                _ => writer.finish(number % 9),
            }
            .expect("room");
        }
        if let Err(error) = save(&mut store, &mut dataset, "j") {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(store.size("j").expect("a look").is_some());
        }
    }
}

/// Not a test of correctness: how long saving takes, for who runs it with `--ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn speed() {
    let mut store = Memory::new();
    let mut dataset = Dataset::create(&mut store, head(0).schema()).expect("a dataset");
    let head = head(0);
    let path = journal::path(&head.id);
    let file = store.append(&path).expect("a file");
    let mut writer = Writer::create(file, &head).expect("a head");
    let bytes = vec![7; 8_000];
    let mut slowest: f64 = 0.0;
    // A minute of two cameras.
    for row in 0..1800 {
        let before = std::time::Instant::now();
        let ticks = ticks(&head, u64::from(row) * 4, 4);
        writer.ticks(1, u64::from(row) * 4, &ticks).expect("room");
        for camera in 0..2 {
            if row == 0 {
                writer
                    .description(camera, &crate::mp4::tests::avcc())
                    .expect("room");
            }
            let packet = Packet {
                camera,
                row,
                key: row % 2 == 0,
                captured_secs: head.start_secs + f64::from(row) / f64::from(FPS),
                freshness: Freshness::New,
                bytes: &bytes,
            };
            writer.packet(&packet).expect("room");
        }
        slowest = slowest.max(before.elapsed().as_secs_f64());
    }
    writer.finish(1800).expect("room");
    let bytes = store.read(&path).expect("the journal");
    let started = std::time::Instant::now();
    let records = journal::scan(&bytes).count();
    println!(
        "{records} records scanned in {:.0} ms",
        started.elapsed().as_secs_f64() * 1e3
    );
    let mut series = crate::resample::Series::new(head.layout);
    series.push(1, 0, &ticks(&head, 0, 7200));
    let started = std::time::Instant::now();
    let file = sidecar::write_ticks(&series).expect("a file");
    println!(
        "{} kB of ticks in {:.0} ms",
        file.len() / 1000,
        started.elapsed().as_secs_f64() * 1e3
    );
    let started = std::time::Instant::now();
    let recording = Recording::read(&store.read(&path).expect("the journal")).expect("an episode");
    let read = started.elapsed().as_secs_f64();
    drop(recording);
    let started = std::time::Instant::now();
    let saved = save(&mut store, &mut dataset, &path).expect("saved");
    println!(
        "{} rows, {} MB: journal at most {:.3} ms a row, made in {:.0} ms, saved in {:.0} ms",
        saved.rows,
        writer.bytes() / 1_000_000,
        slowest * 1e3,
        read * 1e3,
        started.elapsed().as_secs_f64() * 1e3
    );
}
