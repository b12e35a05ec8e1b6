//! Episodes from start to dataset.

use forearm_dataset::store::Store;
use forearm_dataset::{Dataset, sidecar};
use forearm_protocol::record::{CameraSource, Phase, Place, RecordConfig, Request};
use forearm_record::handles::{RecordProcess, record};

use crate::rig::{HZ, Rig, camera, config, memory};

#[test]
fn episodes_follow_each_other_by_time() {
    let (store, place) = memory("by time");
    let mut rig = Rig::new();
    rig.run(0.5);
    let summary = rig.open(&config(place));
    assert!(summary.episodes.is_empty());
    rig.run(0.2);
    assert_eq!(rig.phase(), Phase::Ready);
    let files = store.list("").expect("listed");
    assert!(files.is_empty(), "nothing is written before the start");
    rig.done(Request::Start);
    assert_eq!(rig.phase(), Phase::Recording);
    rig.run(1.05);
    assert!((28..=31).contains(&rig.state().frames), "{:?}", rig.state());
    rig.run(1.1);
    assert_eq!(rig.phase(), Phase::Resetting);
    let state = rig.state();
    assert_eq!((state.made, state.wanted, state.episode), (1, 2, 1));
    assert_eq!(state.phase_limit_secs, Some(1.0));
    assert_eq!(rig.dataset().episodes[0].frames, 60);
    rig.run(1.1);
    assert_eq!(rig.phase(), Phase::Recording);
    rig.run(1.0);
    rig.done(Request::NextEpisode);
    rig.run(0.2);
    assert_eq!(rig.phase(), Phase::Finished);
    rig.done(Request::Finish);
    let dataset = Dataset::open(&store).expect("sound");
    let lengths: Vec<u32> = dataset.episodes().iter().map(|e| e.length).collect();
    assert_eq!(lengths.len(), 2);
    assert_eq!(lengths[0], 60);
    assert!((36..=40).contains(&lengths[1]), "{lengths:?}");
    assert_eq!(dataset.tasks(), ["Put the cube into the tray"]);
    assert_eq!(dataset.schema().robot_type, "so_follower");
    rig.done(Request::Close);
    let files = store.list("").expect("listed");
    let own = files.iter().find(|file| file.path.starts_with(".forearm"));
    assert_eq!(own, None, "nothing is left behind");
    assert_eq!(rig.notices(), Vec::<String>::new());
}

#[test]
fn rows_are_what_the_ticks_were() {
    let (store, place) = memory("rows");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(3.0);
    let dataset = Dataset::open(&store).expect("sound");
    let rows = dataset.rows(&store, 0).expect("there");
    let states = rows.numbers("observation.state").expect("there");
    let actions = rows.numbers("action").expect("there");
    let facts = sidecar::facts(&store, 0).expect("read").expect("ours");
    assert_eq!((states.len(), actions.len()), (360, 360));
    assert!((facts.tick_secs - 1.0 / HZ).abs() < 1e-12);
    for row in 0..60 {
        let secs = facts.start_secs + row as f64 / 30.0;
        let tick = Rig::tick_at(secs);
        for joint in 0..5 {
            // Between two ticks the joints go on almost straight.
            let state = f64::from(states[row * 6 + joint]) - tick[1 + joint].to_degrees();
            let action = f64::from(actions[row * 6 + joint]) - tick[7 + joint].to_degrees();
            assert!(
                state.abs() < 0.02 && action.abs() < 0.02,
                "{row} {joint}: {state} {action}"
            );
        }
    }
    // Every tick since the scene was loaded, to the last bit.
    let ticks = sidecar::ticks(&store, 0).expect("there");
    let world = ticks.of_world(facts.start_secs).expect("complete");
    for tick in world.chunks(20) {
        assert_eq!(tick, Rig::tick_at(tick[0]));
    }
    let scene = sidecar::text(&store, 0, "scene.ron")
        .expect("read")
        .expect("there");
    assert!(scene.contains("cube"), "{scene}");
}

#[test]
fn a_pause_is_left_out() {
    let (store, place) = memory("pause");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(1.0);
    rig.done(Request::Pause(true));
    assert_eq!(rig.phase(), Phase::Paused);
    rig.run(5.0);
    assert_eq!(rig.phase(), Phase::Paused);
    rig.done(Request::Pause(false));
    rig.run(0.9);
    assert_eq!(rig.phase(), Phase::Recording);
    rig.run(0.4);
    assert_eq!(rig.phase(), Phase::Resetting);
    let episode = &rig.dataset().episodes[0];
    assert_eq!(episode.frames, 60);
    let quality = episode.quality.clone().expect("ours");
    for camera in &quality.cameras {
        assert_eq!((camera.stale, camera.dropped), (0, 0), "{camera:?}");
        assert!(camera.offset_max_secs < 0.06, "{camera:?}");
    }
    let facts = sidecar::facts(&store, 0).expect("read").expect("ours");
    assert_eq!(facts.pauses.len(), 1);
    assert!((facts.pauses[0][1] - facts.pauses[0][0] - 5.0).abs() < 0.1);
}

#[test]
fn an_episode_is_recorded_again() {
    let (store, place) = memory("again");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(0.5);
    rig.done(Request::Rerecord);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Resetting, 0));
    rig.run(1.1);
    assert_eq!(rig.phase(), Phase::Recording);
    rig.run(2.2);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Resetting, 1));
    let first = sidecar::facts(&store, 0).expect("read").expect("ours");
    // The one just made is not good enough either.
    rig.done(Request::Rerecord);
    rig.run(0.2);
    assert_eq!((rig.state().made, rig.state().episode), (0, 0));
    assert!(rig.dataset().episodes.is_empty());
    rig.done(Request::NextEpisode);
    rig.run(2.2);
    assert_eq!(rig.dataset().episodes.len(), 1);
    let second = sidecar::facts(&store, 0).expect("read").expect("ours");
    assert!(second.start_secs > first.start_secs + 2.0);
    rig.done(Request::Finish);
    let files = store.list(".forearm").expect("listed");
    assert_eq!(files, []);
}

#[test]
fn what_was_recorded_again_in_a_hurry_comes_back() {
    let (store, place) = memory("hurry");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(2.2);
    rig.done(Request::Rerecord);
    rig.run(0.1);
    assert!(rig.state().can_undo);
    assert_eq!(rig.state().made, 0);
    rig.done(Request::UndoDelete);
    rig.run(0.1);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Resetting, 1));
    assert_eq!(rig.dataset().episodes.len(), 1);
    rig.run(3.2);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Finished, 2));
    rig.done(Request::Close);
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes().len(), 2);
    assert_eq!(store.list(".forearm").expect("listed"), []);
}

#[test]
fn the_next_episode_may_begin_while_the_last_is_saved() {
    let (store, place) = memory("at once");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        reset_secs: 0.0,
        episodes: 3,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(6.5);
    assert_eq!(rig.phase(), Phase::Finished);
    let dataset = Dataset::open(&store).expect("sound");
    let lengths: Vec<u32> = dataset.episodes().iter().map(|e| e.length).collect();
    assert_eq!(lengths, [60, 60, 60]);
    for episode in &rig.dataset().episodes {
        let quality = episode.quality.as_ref().expect("ours");
        assert!(
            quality.cameras.iter().all(|camera| camera.stale == 0),
            "{quality:?}"
        );
    }
}

#[test]
fn one_more_episode_than_wanted_can_be_recorded_and_the_task_changed() {
    let (store, place) = memory("one more");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes: 1,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(2.2);
    assert_eq!(rig.phase(), Phase::Finished);
    rig.done(Request::SetTask("Take it out again".to_owned()));
    rig.done(Request::Start);
    rig.run(1.0);
    assert_eq!((rig.state().made, rig.state().wanted), (1, 2));
    rig.done(Request::Finish);
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes()[1].tasks, ["Take it out again"]);
}

#[test]
fn a_dataset_is_resumed() {
    let (store, place) = memory("resumed");
    for round in 0..2 {
        let mut rig = Rig::new();
        rig.run(0.5);
        rig.open(&RecordConfig {
            resume: round > 0,
            episodes: 1,
            ..config(place.clone())
        });
        rig.run(0.2);
        rig.done(Request::Start);
        rig.run(2.2);
        rig.done(Request::Close);
    }
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes().len(), 2);
}

#[test]
fn without_cameras_too() {
    let (store, place) = memory("no cameras");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        cameras: Vec::new(),
        ..config(place)
    });
    rig.done(Request::Start);
    rig.run(2.2);
    rig.done(Request::Finish);
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes()[0].length, 60);
    assert_eq!(dataset.schema().videos().count(), 0);
}

#[test]
fn a_camera_slower_and_one_faster_than_the_dataset() {
    let (_, place) = memory("rates");
    let mut rig = Rig::new();
    rig.run(0.5);
    // Both cameras give 30 frames a second.
    for (fps, repeated, unused) in [(60, 50..=70, 0..=2), (15, 0..=2, 25..=35)] {
        let name = format!("rates {fps}");
        let (_, place) = memory(&name);
        rig.open(&RecordConfig {
            fps,
            episodes: 1,
            cameras: vec![camera("pattern", CameraSource::Pattern)],
            ..config(place)
        });
        rig.run(0.2);
        rig.done(Request::Start);
        rig.run(2.2);
        let episode = rig.dataset().episodes[0].clone();
        assert_eq!(episode.frames, 2 * fps);
        let camera = &episode.quality.expect("ours").cameras[0];
        assert!(repeated.contains(&camera.repeated), "{camera:?}");
        assert!(unused.contains(&camera.unused), "{camera:?}");
        rig.done(Request::Close);
    }
    drop(place);
}

#[test]
fn the_same_inputs_make_the_same_files() {
    let run = |name: &str| {
        let (store, place) = memory(name);
        let mut rig = Rig::new();
        rig.run(0.5);
        rig.open(&config(place));
        rig.run(0.2);
        rig.done(Request::Start);
        rig.run(0.7);
        rig.done(Request::Pause(true));
        rig.run(0.1);
        rig.done(Request::Pause(false));
        rig.run(4.0);
        rig.done(Request::Finish);
        let files = store.list("").expect("listed");
        let read = |path: &str| store.read(path).expect("there");
        files
            .iter()
            .map(|file| (file.path.clone(), read(&file.path)))
            .collect::<Vec<_>>()
    };
    let (first, second) = (run("same one"), run("same two"));
    assert!(first.len() > 10);
    for ((path, bytes), (other_path, other_bytes)) in first.iter().zip(&second) {
        assert_eq!(path, other_path);
        assert!(bytes == other_bytes, "{path} differs");
    }
}

#[test]
fn a_program_records_by_its_handle() {
    let (store, place) = memory("handle");
    let mut rig = Rig::new();
    rig.run(0.5);
    let mut process = record(rig.handle.line(), config(place));
    assert_eq!(process.is_open(), Ok(false));
    let follow = |rig: &mut Rig, process: &mut RecordProcess, secs: f64| {
        rig.events.clear();
        rig.run(secs);
        for event in &rig.events {
            process.note(event);
        }
    };
    follow(&mut rig, &mut process, 0.3);
    assert_eq!(process.is_open(), Ok(true));
    let start = process.start();
    rig.answer(start).expect("started");
    follow(&mut rig, &mut process, 1.0);
    assert!(process.is_recording());
    let next = process.next_episode();
    rig.answer(next).expect("ended");
    follow(&mut rig, &mut process, 0.3);
    assert_eq!((process.is_recording(), process.state().made), (false, 1));
    let stop = process.stop();
    rig.answer(stop).expect("stopped");
    let export = process.export_for_lerobot(None);
    follow(&mut rig, &mut process, 0.1);
    let reply = rig.answer(export).expect("exported");
    let (bytes, _) = RecordProcess::exported(&reply).expect("it says how much");
    let mut taken = 0;
    while let Some(chunk) = process.take_chunk().expect("it runs") {
        taken += chunk.len() as u64;
    }
    assert_eq!(taken, bytes);
    let close = process.close();
    rig.answer(close).expect("closed");
    assert_eq!(Dataset::open(&store).expect("sound").episodes().len(), 1);
    // What is there already is not recorded over, and the process says so.
    let place = Place::Storage("handle".to_owned());
    let mut other = record(rig.handle.line(), config(place));
    follow(&mut rig, &mut other, 0.2);
    assert!(
        other
            .is_open()
            .expect_err("refused")
            .to_string()
            .contains("there already")
    );
}
