//! The flow, case by case and by chance.

use forearm_protocol::record::Phase;
use proptest::prelude::*;

use super::{Act, Plan, Session};

fn session(episodes: u32) -> Session {
    let plan = Plan {
        episodes,
        episode_secs: 10.0,
        reset_secs: 4.0,
    };
    Session::new(plan, 0, 100.0)
}

#[test]
fn episodes_and_resets_follow_each_other_by_time() {
    let mut session = session(2);
    assert_eq!(session.phase(), Phase::Ready);
    assert_eq!(session.advance(1000.0), None);
    assert_eq!(session.start(1000.0), Ok(Act::Begin));
    assert_eq!(session.phase(), Phase::Recording);
    assert_eq!(session.advance(1009.9), None);
    assert_eq!(session.advance(1010.0), Some(Act::Keep));
    assert_eq!((session.phase(), session.made()), (Phase::Saving, 1));
    session.saved();
    assert_eq!(session.phase(), Phase::Resetting);
    assert_eq!(session.phase_secs(1011.0), 1.0);
    assert_eq!(session.limit_secs(), Some(4.0));
    assert_eq!(session.advance(1014.0), Some(Act::Begin));
    assert_eq!(session.advance(1024.0), Some(Act::Keep));
    assert_eq!(session.phase(), Phase::Saving);
    session.saved();
    assert_eq!(session.phase(), Phase::Finished);
    assert_eq!(session.advance(2000.0), None);
    assert!(session.next(2000.0).is_err());
}

#[test]
fn the_next_episode_does_not_wait_for_the_saving_of_the_last() {
    let mut session = session(3);
    session.start(0.0).expect("ready");
    assert_eq!(session.next(1.0), Ok(Act::Keep));
    assert_eq!(session.next(1.5), Ok(Act::Begin));
    assert_eq!(session.phase(), Phase::Recording);
    assert_eq!(session.next(2.0), Ok(Act::Keep));
    assert_eq!(session.saving(), 2);
    session.saved();
    assert_eq!(session.phase(), Phase::Saving);
    session.saved();
    assert_eq!(session.phase(), Phase::Resetting);
}

#[test]
fn a_pause_stops_the_clock() {
    let mut session = session(1);
    assert!(session.pause(true, 0.0).is_err());
    session.start(0.0).expect("ready");
    assert_eq!(session.pause(true, 4.0), Ok(Some(Act::Pause)));
    assert_eq!(session.pause(true, 5.0), Ok(None));
    assert_eq!(session.phase(), Phase::Paused);
    assert_eq!(session.advance(500.0), None);
    assert_eq!(session.phase_secs(500.0), 4.0);
    assert_eq!(session.pause(false, 504.0), Ok(Some(Act::Resume)));
    assert_eq!(session.advance(509.0), None);
    assert_eq!(session.advance(510.0), Some(Act::Keep));
}

#[test]
fn an_episode_is_made_again_after_time_to_put_things_back() {
    let mut session = session(2);
    assert!(session.rerecord(0.0).is_err());
    session.start(0.0).expect("ready");
    assert_eq!(session.rerecord(3.0), Ok(Act::Discard));
    assert_eq!((session.phase(), session.made()), (Phase::Resetting, 0));
    assert!(session.rerecord(3.5).is_err(), "there is nothing any more");
    assert_eq!(session.advance(7.0), Some(Act::Begin));
    assert_eq!(session.next(8.0), Ok(Act::Keep));
    session.saved();
    assert_eq!(session.rerecord(9.0), Ok(Act::DeleteLast));
    assert_eq!(session.made(), 0);
    // Time between episodes goes on.
    assert_eq!(session.advance(12.0), Some(Act::Begin));
}

#[test]
fn the_last_episode_can_be_made_again_too() {
    let mut session = session(1);
    session.start(0.0).expect("ready");
    assert_eq!(session.next(5.0), Ok(Act::Keep));
    session.saved();
    assert_eq!(session.phase(), Phase::Finished);
    assert_eq!(session.rerecord(6.0), Ok(Act::DeleteLast));
    assert_eq!(session.phase(), Phase::Resetting);
    assert_eq!(session.advance(9.0), Some(Act::Begin));
}

#[test]
fn what_is_brought_back_counts_again() {
    let mut session = session(1);
    session.start(0.0).expect("ready");
    session.next(5.0).expect("in hand");
    session.saved();
    session.rerecord(6.0).expect("just made");
    assert_eq!((session.phase(), session.made()), (Phase::Resetting, 0));
    session.undeleted(1);
    assert_eq!((session.phase(), session.made()), (Phase::Finished, 1));
    session.deleted(1);
    assert_eq!(session.made(), 0);
    assert!(session.rerecord(7.0).is_err(), "it is gone");
}

#[test]
fn finishing_keeps_what_is_in_hand() {
    let mut recording = session(5);
    assert_eq!(recording.finish(0.0), None);
    assert_eq!(recording.phase(), Phase::Finished);
    // One more is one more than was made.
    let mut recording = session(5);
    recording.start(1.0).expect("ready");
    assert_eq!(recording.finish(2.0), Some(Act::Keep));
    assert_eq!(recording.phase(), Phase::Saving);
    recording.saved();
    assert_eq!(recording.phase(), Phase::Finished);
    assert_eq!(recording.start(3.0), Ok(Act::Begin));
}

#[test]
fn what_ends_an_episode_from_outside_waits_for_a_person() {
    let mut session = session(5);
    assert_eq!(session.cut(0.0), None);
    session.start(1.0).expect("ready");
    assert_eq!(session.cut(2.0), Some(Act::Keep));
    session.saved();
    assert_eq!((session.phase(), session.made()), (Phase::Ready, 1));
    session.start(3.0).expect("ready");
    session.broke(4.0);
    assert_eq!((session.phase(), session.made()), (Phase::Ready, 1));
}

#[test]
fn a_reset_time_of_zero_begins_at_once() {
    let plan = Plan {
        episodes: 2,
        episode_secs: 1.0,
        reset_secs: 0.0,
    };
    let mut session = Session::new(plan, 0, 0.0);
    session.start(0.0).expect("ready");
    assert_eq!(session.advance(1.0), Some(Act::Keep));
    assert_eq!(session.advance(1.0), Some(Act::Begin));
    assert_eq!(session.advance(1.0), None);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(f64),
    Start,
    Next,
    Rerecord,
    Pause(bool),
    Finish,
    Cut,
    Saved,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0.0..15.0_f64).prop_map(Step::Wait),
        Just(Step::Start),
        Just(Step::Next),
        Just(Step::Rerecord),
        any::<bool>().prop_map(Step::Pause),
        Just(Step::Finish),
        Just(Step::Cut),
        Just(Step::Saved),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// Episodes begin and end in turn; none lasts longer than it may; what is counted as made is
    /// what was kept and not deleted.
    #[test]
    fn any_order_of_calls_is_a_sound_flow(steps in steps()) {
        let mut session = session(3);
        let (mut now, mut in_hand, mut made, mut saving) = (100.0, false, 0_u32, 0_u32);
        for step in steps {
            let mut acts = Vec::new();
            match step {
                Step::Wait(secs) => {
                    now += secs;
                    while let Some(act) = session.advance(now) {
                        acts.push(act);
                    }
                    if let Some(limit) = session.limit_secs() {
                        prop_assert!(session.phase_secs(now) < limit);
                    }
                }
                Step::Start => acts.extend(session.start(now)),
                Step::Next => acts.extend(session.next(now)),
                Step::Rerecord => acts.extend(session.rerecord(now)),
                Step::Pause(on) => acts.extend(session.pause(on, now).ok().flatten()),
                Step::Finish => acts.extend(session.finish(now)),
                Step::Cut => acts.extend(session.cut(now)),
                Step::Saved => {
                    if saving > 0 {
                        session.saved();
                        saving -= 1;
                    }
                }
            }
            for act in acts {
                match act {
                    Act::Begin => {
                        prop_assert!(!in_hand);
                        in_hand = true;
                    }
                    Act::Keep => {
                        prop_assert!(in_hand);
                        in_hand = false;
                        made += 1;
                        saving += 1;
                    }
                    Act::Discard => {
                        prop_assert!(in_hand);
                        in_hand = false;
                    }
                    Act::DeleteLast => {
                        prop_assert!(!in_hand && made > 0);
                        made -= 1;
                    }
                    Act::Pause | Act::Resume => prop_assert!(in_hand),
                }
            }
            prop_assert_eq!(session.made(), made);
            prop_assert_eq!(session.saving(), saving);
            prop_assert_eq!(session.is_recording(), in_hand);
            prop_assert!(made <= session.wanted());
            let shown = matches!(session.phase(), Phase::Recording | Phase::Paused);
            prop_assert_eq!(shown, in_hand);
        }
    }
}
