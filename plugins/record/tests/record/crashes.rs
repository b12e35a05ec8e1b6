//! A recorder that is killed loses nothing that it had accepted.

use forearm_dataset::Dataset;
use forearm_dataset::store::{Memory, Store};
use forearm_protocol::record::{Phase, Place, RecordConfig, Request};
use forearm_record::{RecordSetup, store};

use crate::rig::{Rig, config, memory};

/// What a crash now would leave, as a place of its own.
fn left_behind(now: &Memory, name: &str) -> (Memory, Place) {
    let copy = now.copy();
    store::keep_in_memory(name, copy.clone());
    (copy, Place::Storage(name.to_owned()))
}

#[test]
fn killed_at_any_moment_everything_is_there() {
    let (disk, place) = memory("killed");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    let started = rig.now;
    for moment in 0..20 {
        rig.run(0.21 + 0.003 * f64::from(moment));
        let name = format!("killed {moment}");
        let (disk, place) = left_behind(&disk, &name);
        // The last write may be torn.
        let journals = disk.list(".forearm/journal").expect("listed");
        if let (Some(journal), 1) = (journals.first(), moment % 3) {
            let mut bytes = disk.read(&journal.path).expect("there");
            bytes.truncate(bytes.len() - 1 - moment as usize);
            (&mut disk.clone() as &mut dyn Store)
                .write(&journal.path, &bytes)
                .expect("room");
        }
        let finished = Dataset::open(&disk)
            .expect("opens at once")
            .episodes()
            .len();
        let accepted = rig.state();
        let mut next = Rig::new();
        next.run(0.3);
        next.open(&RecordConfig {
            resume: true,
            ..config(place)
        });
        next.run(0.2);
        if let Some(left) = next.state().recoverable {
            assert_eq!(left.episode as usize, finished);
            // What can't be there yet: the row in the encoder's hands, and what a torn record has.
            if accepted.phase == Phase::Recording {
                assert!(
                    left.frames + 5 >= accepted.frames,
                    "{left:?} of {accepted:?}"
                );
            }
            next.done(Request::Recover(true));
            let dataset = Dataset::open(&disk).expect("sound");
            assert_eq!(dataset.episodes()[finished].length, left.frames);
        }
        // And it goes on.
        next.done(Request::Start);
        next.run(0.4);
        next.done(Request::Close);
        let dataset = Dataset::open(&disk).expect("sound");
        assert!(dataset.episodes().len() > finished);
        assert_eq!(disk.list(".forearm").expect("listed"), []);
    }
    assert!(rig.now - started > 4.0, "two episodes and more");
    rig.kill();
}

#[test]
fn what_was_left_behind_can_be_thrown_away() {
    let (disk, place) = memory("thrown away");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(1.0);
    let (disk, place) = left_behind(&disk, "thrown away later");
    rig.kill();
    let mut rig = Rig::new();
    rig.run(0.5);
    // Also without `resume`: nothing is lost by looking.
    rig.open(&RecordConfig {
        resume: true,
        ..config(place)
    });
    rig.run(0.2);
    assert!(rig.refusal(Request::Start).contains("not saved"));
    rig.done(Request::Recover(false));
    rig.run(0.2);
    assert_eq!(rig.state().recoverable, None);
    assert_eq!(disk.list(".forearm").expect("listed"), []);
    rig.done(Request::Start);
    rig.run(0.5);
    rig.done(Request::Finish);
    assert_eq!(Dataset::open(&disk).expect("sound").episodes().len(), 1);
}

/// What a restarted service is made from.
fn remembered(rig: &Rig) -> RecordSetup {
    let mut setup = RecordSetup::stepped();
    for event in &rig.events {
        setup.remember(event);
    }
    setup
}

#[test]
fn a_service_that_crashed_goes_on_by_itself() {
    let (disk, place) = memory("goes on");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&RecordConfig {
        episodes: 3,
        ..config(place)
    });
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(4.0);
    assert_eq!((rig.phase(), rig.state().made), (Phase::Recording, 1));
    let accepted = rig.state().frames;
    let setup = remembered(&rig);
    rig.kill();
    let mut rig = Rig::from_setup(setup);
    rig.run(0.3);
    assert_eq!(
        (rig.phase(), rig.state().made, rig.state().wanted),
        (Phase::Resetting, 2, 3)
    );
    let dataset = Dataset::open(&disk).expect("sound");
    assert_eq!(dataset.episodes().len(), 2);
    assert!(dataset.episodes()[1].length + 5 >= accepted);
    assert!(
        rig.notices().iter().any(|text| text.contains("are kept")),
        "{:?}",
        rig.notices()
    );
    rig.run(4.0);
    assert_eq!(rig.phase(), Phase::Finished);
    rig.done(Request::Close);
    assert_eq!(Dataset::open(&disk).expect("sound").episodes().len(), 3);
    assert_eq!(disk.list(".forearm").expect("listed"), []);
}

#[test]
fn a_service_that_is_stopped_keeps_the_episode_in_hand() {
    let (disk, place) = memory("stopped");
    let mut rig = Rig::new();
    rig.run(0.5);
    rig.open(&config(place));
    rig.run(0.2);
    rig.done(Request::Start);
    rig.run(1.0);
    rig.handle.stop();
    let dataset = Dataset::open(&disk).expect("sound");
    assert_eq!(dataset.episodes().len(), 1);
    assert!((28..=32).contains(&dataset.episodes()[0].length));
    assert_eq!(disk.list(".forearm").expect("listed"), []);
}
