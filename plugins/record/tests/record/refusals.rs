//! What can't be done is refused with what to do, and what goes wrong ends nothing but itself.

use std::sync::Arc;

use forearm_dataset::store::{Faults, Store};
use forearm_dataset::{Dataset, sidecar};
use forearm_protocol::record::{CameraSource, Command, Phase, Place, RecordConfig, Reply, Request};
use forearm_protocol::scene::{Scene, SceneBundle};

use crate::rig::{Rig, SCENE, bundle, camera, config, memory};

fn open(rig: &mut Rig, config: &RecordConfig) -> String {
    rig.refusal(Request::Open(Box::new(config.clone())))
}

/// A dataset with one episode.
fn recorded(place: &Place) {
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes: 1,
        ..config(place.clone())
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(2.2);
    rig.done(Request::Close);
}

#[test]
fn what_is_set_up_wrongly_is_refused_at_once() {
    let mut rig = Rig::new();
    rig.run(0.1);
    let (store, place) = memory("wrong");
    let good = config(place);
    let bad = |change: &dyn Fn(&mut RecordConfig)| {
        let mut config = good.clone();
        change(&mut config);
        config
    };
    let cases = [
        (bad(&|c| c.fps = 0), "0 rows a second"),
        (bad(&|c| c.fps = 1000), "1 to 240"),
        (bad(&|c| c.episodes = 0), "no episode is wanted"),
        (bad(&|c| c.episode_secs = 0.0), "more than 0 s"),
        (bad(&|c| c.episode_secs = f64::NAN), "more than 0 s"),
        (bad(&|c| c.reset_secs = -1.0), "0 to 86400 s"),
        (bad(&|c| c.video_quality = 60), "0 (best) to 51"),
        (
            bad(&|c| c.cameras[1].name = "pattern".to_owned()),
            "two cameras are named",
        ),
        (
            bad(&|c| c.cameras[1].name = "a/b".to_owned()),
            "can't be named",
        ),
        (bad(&|c| c.resume = true), "no dataset to go on with"),
    ];
    for (config, expected) in cases {
        let text = open(&mut rig, &config);
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(store.list("").expect("listed"), []);
}

#[test]
fn requests_out_of_turn_say_what_to_do() {
    let mut rig = Rig::new();
    for request in [
        Request::Start,
        Request::NextEpisode,
        Request::Rerecord,
        Request::Pause(true),
        Request::Finish,
        Request::SetTask("x".to_owned()),
        Request::DeleteEpisodes(vec![0]),
        Request::UndoDelete,
        Request::Recover(true),
        Request::Episode(0),
        Request::Frame {
            episode: 0,
            frame: 0,
        },
        Request::Export {
            file: None,
            window_bytes: 0,
        },
    ] {
        let text = rig.refusal(request);
        assert!(text.contains("open one first"), "{text}");
    }
    rig.done(Request::Close);
    let (_, place) = memory("turn");
    rig.run(0.1);
    rig.open(&RecordConfig {
        task: " ".to_owned(),
        ..config(place)
    });
    rig.run(0.1);
    assert!(rig.refusal(Request::Start).contains("the task is empty"));
    rig.done(Request::SetTask("Wave".to_owned()));
    assert!(rig.refusal(Request::NextEpisode).contains("start it"));
    assert!(
        rig.refusal(Request::Recover(false))
            .contains("there is none")
    );
    rig.done(Request::Start);
    assert!(rig.refusal(Request::Start).contains("end it first"));
    assert!(
        rig.refusal(Request::Browse(Place::Storage("x".to_owned())))
            .contains("under way")
    );
    assert!(
        rig.refusal(Request::Preview(Vec::new()))
            .contains("a recording is open")
    );
    let export = Request::Export {
        file: None,
        window_bytes: 0,
    };
    assert!(rig.refusal(export).contains("end the recording first"));
}

#[test]
fn a_dataset_that_is_there_is_not_written_over() {
    let (store, place) = memory("there");
    recorded(&place);
    let before = store.list("").expect("listed");
    let mut rig = Rig::new();
    rig.run(0.1);
    let text = open(&mut rig, &config(place.clone()));
    assert!(
        text.contains("there already") && text.contains("--resume"),
        "{text}"
    );
    let resumed = RecordConfig {
        resume: true,
        ..config(place.clone())
    };
    let text = open(
        &mut rig,
        &RecordConfig {
            fps: 15,
            ..resumed.clone()
        },
    );
    assert!(text.contains("15") && text.contains("30"), "{text}");
    let cameras = vec![camera("top", CameraSource::Pattern)];
    let text = open(
        &mut rig,
        &RecordConfig {
            cameras,
            ..resumed.clone()
        },
    );
    assert!(text.contains("observation.images.pattern"), "{text}");
    // Another robot.
    let scene = SCENE.replace(
        "arms: [(name: \"arm\")]",
        "arms: [(name: \"a\"), (name: \"b\", position: (0.0, 0.4, 0.0))]",
    );
    let scene: Scene = ron::from_str(&scene).expect("sound");
    let bundle = Arc::new(SceneBundle::from(scene));
    rig.handle
        .send(Command::Scene {
            generation: 2,
            bundle,
        })
        .expect("it runs");
    let text = open(&mut rig, &resumed);
    assert!(
        text.contains("so_follower") && text.contains("bi_so_follower"),
        "{text}"
    );
    assert_eq!(store.list("").expect("listed"), before);
    // A folder with something else in it.
    let (other, place) = memory("other things");
    (&mut other.clone() as &mut dyn Store)
        .write("holiday.jpg", b"x")
        .expect("room");
    let text = open(&mut rig, &config(place));
    assert!(text.contains("holiday.jpg"), "{text}");
}

#[test]
fn a_read_only_place_is_refused() {
    let (store, place) = memory("read-only");
    store.set_faults(Faults {
        read_only: true,
        ..Faults::default()
    });
    let mut rig = Rig::new();
    rig.run(0.1);
    let text = open(&mut rig, &config(place));
    assert!(text.contains("read-only"), "{text}");
    assert_eq!(rig.phase(), Phase::Closed);
}

#[test]
fn a_full_disk_ends_the_episode_and_loses_nothing() {
    let (store, place) = memory("full");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episode_secs: 5.0,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(5.2);
    assert_eq!(rig.state().made, 1);
    rig.done(Request::NextEpisode);
    rig.run(1.0);
    let used: u64 = store
        .list("")
        .expect("listed")
        .iter()
        .map(|file| file.bytes)
        .sum();
    store.set_faults(Faults {
        capacity: Some(used + 50_000),
        ..Faults::default()
    });
    rig.run(4.0);
    let notices = rig.notices();
    assert!(
        notices.iter().any(|text| text.contains("no space left")),
        "{notices:?}"
    );
    assert_eq!((rig.phase(), rig.state().made), (Phase::Ready, 1));
    let left = rig.state().recoverable.expect("it is there");
    assert!(left.frames > 30, "{left:?}");
    let text = rig.refusal(Request::Start);
    assert!(text.contains("keep it or throw it away"), "{text}");
    // There is no room to keep it either, and it stays.
    let text = rig.refusal(Request::Recover(true));
    assert!(text.contains("no space left"), "{text}");
    rig.run(0.2);
    assert_eq!(rig.state().recoverable.as_ref(), Some(&left));
    assert_eq!(Dataset::open(&store).expect("sound").episodes().len(), 1);
    // Room was made.
    store.set_faults(Faults::default());
    rig.done(Request::Recover(true));
    rig.run(0.2);
    assert_eq!(rig.state().recoverable, None);
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes()[1].length, left.frames);
    rig.done(Request::Start);
    rig.run(0.5);
    rig.done(Request::Finish);
    assert_eq!(Dataset::open(&store).expect("sound").episodes().len(), 3);
}

#[test]
fn a_disk_that_is_full_when_an_episode_is_saved() {
    let (store, place) = memory("full at the end");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(1.5);
    let used: u64 = store
        .list("")
        .expect("listed")
        .iter()
        .map(|file| file.bytes)
        .sum();
    store.set_faults(Faults {
        capacity: Some(used + 60_000),
        ..Faults::default()
    });
    rig.done(Request::NextEpisode);
    rig.run(0.3);
    let left = rig.state().recoverable.expect("it is there");
    assert_eq!((rig.phase(), rig.state().made), (Phase::Ready, 0));
    store.set_faults(Faults::default());
    rig.done(Request::Recover(true));
    assert_eq!(
        Dataset::open(&store).expect("sound").episodes()[0].length,
        left.frames
    );
}

#[test]
fn nothing_is_started_without_ticks_or_pictures() {
    let (_, place) = memory("without");
    let mut rig = Rig::new();
    rig.open(&config(place));
    assert!(
        rig.refusal(Request::Start)
            .contains("control gives no ticks")
    );
    rig.run(0.5);
    rig.wait(3.0);
    assert!(
        rig.refusal(Request::Start)
            .contains("control gives no ticks")
    );
    rig.done(Request::Close);
    let (store, place) = memory("without pictures");
    let cameras = vec![camera(
        "gone",
        CameraSource::Device("/dev/no-such-camera".to_owned()),
    )];
    rig.open(&RecordConfig {
        cameras,
        ..config(place)
    });
    rig.run(0.2);
    let text = rig.refusal(Request::Start);
    assert!(text.contains("camera `gone`"), "{text}");
    let (_, other) = memory("unknown camera");
    let cameras = vec![camera("side", CameraSource::Sim("side".to_owned()))];
    rig.open(&RecordConfig {
        cameras,
        ..config(other)
    });
    rig.run(0.2);
    let text = rig.refusal(Request::Start);
    assert!(
        text.contains("no camera `side`") && text.contains("front"),
        "{text}"
    );
    assert_eq!(store.list("").expect("listed"), []);
}

#[test]
fn ticks_whose_time_is_wrong_are_left_out() {
    let (store, place) = memory("clock");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(0.5);
    for wrong in [rig.now - 5.0, rig.now + 3600.0, f64::NAN] {
        let tick = Rig::tick_at(wrong);
        rig.feed(tick);
    }
    rig.run(1.7);
    let notices = rig.notices();
    assert!(
        notices.iter().any(|text| text.contains("left out")),
        "{notices:?}"
    );
    let dataset = Dataset::open(&store).expect("sound");
    assert_eq!(dataset.episodes()[0].length, 60);
    let rows = dataset.rows(&store, 0).expect("there");
    let states = rows.numbers("observation.state").expect("there");
    let facts = sidecar::facts(&store, 0).expect("read").expect("ours");
    for row in 0..60 {
        let tick = Rig::tick_at(facts.start_secs + row as f64 / 30.0);
        assert!((f64::from(states[row * 6]) - tick[1].to_degrees()).abs() < 0.02);
    }
}

#[test]
fn a_scene_that_changes_ends_the_episode_and_keeps_it() {
    let (store, place) = memory("changed scene");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes: 5,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(1.0);
    // It is reset.
    rig.tick = 0;
    rig.run(0.2);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Ready, 1));
    assert!(
        rig.notices()
            .iter()
            .any(|text| text.contains("the scene was reset"))
    );
    rig.done(Request::Start);
    rig.run(1.0);
    // Another one, of which ticks come first.
    rig.generation = 2;
    rig.tick = 0;
    rig.run(0.1);
    rig.scene();
    rig.run(0.2);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Ready, 2));
    assert!(
        rig.notices()
            .iter()
            .any(|text| text.contains("another scene"))
    );
    rig.done(Request::Start);
    rig.run(1.0);
    // Another one, which is told first.
    rig.generation = 3;
    rig.scene();
    rig.tick = 0;
    rig.run(0.3);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Ready, 3));
    rig.done(Request::Start);
    rig.run(1.0);
    rig.done(Request::Finish);
    let dataset = Dataset::open(&store).expect("sound");
    let lengths: Vec<u32> = dataset.episodes().iter().map(|e| e.length).collect();
    assert_eq!(lengths.len(), 4);
    assert!(
        lengths.iter().all(|rows| (28..=34).contains(rows)),
        "{lengths:?}"
    );
    assert_eq!(bundle().scene.name, "test");
}

#[test]
fn a_camera_that_goes_away_is_told_once() {
    let folder = std::env::temp_dir().join(format!("forearm-pictures-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("made");
    for number in 0..3_u8 {
        let file = std::fs::File::create(folder.join(format!("{number}.png"))).expect("made");
        let mut encoder = png::Encoder::new(file, 32, 32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("written");
        writer
            .write_image_data(&[number * 80; 32 * 32 * 3])
            .expect("written");
    }
    let (_, place) = memory("gone camera");
    let mut rig = Rig::new();
    rig.run(0.5);
    let source = CameraSource::File(folder.display().to_string());
    let cameras = vec![forearm_protocol::record::CameraConfig {
        name: "pictures".to_owned(),
        source,
        resolution: None,
    }];
    rig.open(&RecordConfig {
        cameras,
        episode_secs: 4.0,
        ..config(place)
    });
    rig.run(0.3);
    rig.done(Request::Start);
    rig.run(1.0);
    std::fs::remove_dir_all(&folder).expect("removed");
    rig.run(3.5);
    let told: Vec<String> = rig.notices();
    let about: Vec<&String> = told
        .iter()
        .filter(|text| text.contains("`pictures`"))
        .collect();
    assert_eq!(about.len(), 1, "{told:?}");
    let episode = rig.dataset().episodes[0].clone();
    assert_eq!(episode.frames, 120);
    let camera = &episode.quality.expect("ours").cameras[0];
    assert!(camera.stale > 60, "{camera:?}");
}

#[test]
fn cameras_can_be_looked_at_without_a_dataset() {
    let mut rig = Rig::new();
    rig.run(0.1);
    rig.done(Request::Preview(vec![camera(
        "front",
        CameraSource::Sim("front".to_owned()),
    )]));
    rig.events.clear();
    rig.run(2.0);
    let pictures = rig.events.iter().filter(|event| {
        matches!(event, forearm_protocol::record::Event::Preview(picture)
            if picture.rgba.len() == (picture.width * picture.height * 4) as usize)
    });
    let count = pictures.count();
    assert!((20..=31).contains(&count), "{count} pictures in 2 s");
    rig.done(Request::Preview(Vec::new()));
    match rig.ask(Request::ListCameras) {
        Ok(Reply::Cameras(cameras)) => {
            let sim = CameraSource::Sim("front".to_owned());
            assert!(cameras.iter().any(|camera| camera.source == sim));
        }
        other => panic!("{other:?}"),
    }
}
