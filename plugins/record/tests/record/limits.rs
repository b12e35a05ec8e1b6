//! What an episode may and may not have in it, and what may happen to a dataset while it goes out.

use forearm_dataset::store::Store;
use forearm_dataset::{Dataset, repair, sidecar};
use forearm_protocol::record::{
    CameraSource, Command, DatasetFrame, Phase, RecordConfig, Reply, Request,
};
use forearm_record::RecordSetup;

use crate::rig::{HZ, Rig, camera, config, memory};

#[test]
fn an_episode_in_hand_outlives_a_power_cut() {
    let (disk, place) = memory("power cut");
    // In real time's pace, of which only the clerk has a thread here.
    let mut rig = Rig::from_setup(RecordSetup::default());
    rig.run(0.5);
    rig.open(&RecordConfig {
        cameras: Vec::new(),
        episode_secs: 60.0,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(4.5);
    let left = disk.after_power_cut();
    let dataset = Dataset::open(&left).expect("sound");
    let found = repair::leftover(&left, &dataset).expect("readable");
    assert_eq!(found.len(), 1);
    let lost_secs = 4.5 - f64::from(found[0].rows) / 30.0;
    assert!(lost_secs < 1.2, "{lost_secs} s are lost");
}

#[test]
fn an_episode_that_grows_too_large_is_ended_and_kept() {
    let (store, place) = memory("large");
    let mut rig = Rig::from_setup(RecordSetup {
        journal_bytes: Some(100_000),
        ..RecordSetup::stepped()
    });
    rig.run(0.5);
    rig.open(&RecordConfig {
        episode_secs: 60.0,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(0.5);
    assert_eq!(rig.phase(), Phase::Recording);
    rig.run(8.0);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Ready, 1));
    let notices = rig.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains("is kept") && notices[0].contains("shorter episodes"),
        "{notices:?}"
    );
    let dataset = Dataset::open(&store).expect("sound");
    let rows = dataset.episodes()[0].length;
    assert!((20..200).contains(&rows), "{rows} rows");
    // The next one can be recorded.
    rig.done(Request::Start);
    rig.run(0.5);
    rig.done(Request::Finish);
    assert_eq!(Dataset::open(&store).expect("sound").episodes().len(), 2);
}

/// Lets time pass while the world stands still, all joints at `angle`.
fn stand(rig: &mut Rig, ticks: u32, angle: f64) {
    for _ in 0..ticks {
        rig.now += 1.0 / HZ;
        let mut tick = Rig::tick_at(rig.now);
        tick[1..13].fill(angle);
        rig.feed(tick);
        rig.handle.advance_to(rig.now);
        rig.listen();
    }
}

fn picture(rig: &mut Rig, episode: u32, frame: u32) -> DatasetFrame {
    match rig.ask(Request::Frame { episode, frame }) {
        Ok(Reply::Frame(frame)) => *frame,
        other => panic!("{other:?}"),
    }
}

/// By how much two pictures differ, a number of a pixel.
fn difference(one: &DatasetFrame, other: &DatasetFrame) -> f64 {
    let (one, other) = (one.rgba.to_vec(), other.rgba.to_vec());
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().zip(&other);
    let sum: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / one.len() as f64
}

#[test]
fn an_episode_ends_with_the_last_picture_before_a_reset() {
    let (store, place) = memory("pictures before a reset");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes: 20,
        episode_secs: 60.0,
        cameras: vec![camera("front", CameraSource::Sim("front".to_owned()))],
        ..config(place)
    });
    // Wherever rows are between two frames, and a reset between two rows: a row is four ticks.
    let mut ends = Vec::new();
    for (begin, end) in (0..4).flat_map(|begin| (0..4).map(move |end| (begin, end))) {
        stand(&mut rig, 20 + begin, 0.0);
        rig.done(Request::Start);
        // Ticks are a little behind rows.
        rig.wait(0.002);
        stand(&mut rig, 40 + end, 0.0);
        ends.push(rig.now);
        // It is known a little later.
        rig.wait(0.004);
        rig.tick = 0;
        stand(&mut rig, 60, 0.7);
        assert_eq!(rig.phase(), Phase::Ready);
    }
    rig.done(Request::Finish);
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes().len(), ends.len());
    for (episode, end_secs) in (0..).zip(ends) {
        let rows = dataset.episodes()[episode as usize].length;
        let facts = sidecar::facts(&store, episode)
            .expect("read")
            .expect("ours");
        let last_secs = facts.start_secs + f64::from(rows - 1) / 30.0;
        assert!(
            (end_secs - 0.04..=end_secs).contains(&last_secs),
            "episode {episode} ends at {last_secs}, its world at {end_secs}"
        );
        let first = picture(&mut rig, episode, 5);
        let last = picture(&mut rig, episode, rows - 1);
        let difference = difference(&first, &last);
        assert!(difference < 1.0, "episode {episode}: {difference}");
    }
}

#[test]
fn a_dataset_that_goes_out_is_not_changed() {
    let (store, place) = memory("goes out");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(5.5);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Finished, 2));
    let export = Request::Export {
        file: None,
        window_bytes: 1,
    };
    let files = || store.list("").expect("listed");
    // Each of them could be done otherwise.
    for refused in [
        Request::Rerecord,
        Request::Start,
        Request::DeleteEpisodes(vec![0]),
        Request::UndoDelete,
        Request::Recover(true),
        export.clone(),
    ] {
        if refused == Request::UndoDelete {
            rig.done(Request::DeleteEpisodes(vec![0]));
        }
        let before = files();
        let pending = rig.handle.request(export.clone());
        rig.run(0.05);
        let state = rig.state();
        let text = rig.refusal(refused.clone());
        assert!(
            text.contains("exported or uploaded") && text.contains("wait for its end"),
            "{refused:?}: {text}"
        );
        rig.run(0.2);
        assert_eq!(files(), before, "{refused:?}");
        assert_eq!(rig.state().phase, state.phase, "{refused:?}");
        assert_eq!(rig.state().made, state.made, "{refused:?}");
        rig.handle.send(Command::Cancel).expect("it runs");
        rig.answer(pending).expect_err("stopped");
    }
    rig.done(Request::UndoDelete);
    assert_eq!(rig.dataset().episodes.len(), 2);
}

#[test]
fn what_is_wrong_with_a_dataset_is_told_when_it_is_opened() {
    let (store, place) = memory("wrong files");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place.clone()));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(5.5);
    rig.done(Request::Close);
    assert_eq!(rig.dataset().problems, Vec::<String>::new());
    let mut disk = store.clone();
    let video = store.list("videos").expect("listed").remove(0).path;
    disk.remove(&video).expect("removed");
    disk.remove("meta/stats.json").expect("removed");
    rig.done(Request::Browse(place));
    let problems = rig.dataset().problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    let told = problems.join("\n");
    assert!(told.contains(&video) && told.contains("missing"), "{told}");
    assert!(told.contains("meta/stats.json"), "{told}");
}
