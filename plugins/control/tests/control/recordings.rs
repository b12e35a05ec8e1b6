//! What recorders are handed, and what is played again.

use std::sync::{Arc, Mutex};

use forearm_control::resimulate::resimulate;
use forearm_protocol::control::Request;
use forearm_protocol::record::{TickBatch, TickLayout};
use forearm_protocol::{Message, ServiceError};
use forearm_workers::{Answer, Context, Host, Nothing, Service, Wake, spawn};
use serde::{Deserialize, Serialize};

use super::*;

/// The scene's numbers a tick.
const LAYOUT: TickLayout = TickLayout {
    joints: 6,
    objects: 4,
};
const PERIOD_SECS: f64 = 1.0 / 120.0;

/// A service that keeps what it is fed, to be asked for.
struct Collector(Vec<TickBatch>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Take;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Taken(Vec<TickBatch>);

impl Message for Take {
    fn name(&self) -> &'static str {
        "test/take"
    }
}

impl Message for Taken {
    fn name(&self) -> &'static str {
        "test/taken"
    }
}

impl Service for Collector {
    type Setup = ();
    type Request = Take;
    type Reply = Taken;
    type Command = Nothing;
    type Event = Nothing;
    type Input = TickBatch;
    type Output = Nothing;

    const NAME: &'static str = "collector";

    fn new((): ()) -> Self {
        Self(Vec::new())
    }

    fn ready(&mut self, _: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        Ok(())
    }

    fn request(&mut self, _: Take, answer: Answer<Taken>, _: &mut Context<'_, Self>) {
        answer.send(Ok(Taken(std::mem::take(&mut self.0))));
    }

    fn command(&mut self, command: Nothing, _: &mut Context<'_, Self>) {
        match command {}
    }

    fn input(&mut self, batch: TickBatch, _: &mut Context<'_, Self>) {
        self.0.push(batch);
    }

    fn tick(&mut self, _: &mut Context<'_, Self>) -> Wake {
        Wake::OnMessage
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {}
}

/// Plays a motion from a fresh start of the scene; answers every tick, and what came of it.
fn play(script: &str, secs: f64) -> (Vec<Vec<f64>>, Inspection) {
    let mut bench = Bench::driving();
    let collector = spawn::<Collector>((), Host::Stepped);
    bench.ask(Request::ResetScene).expect("resets");
    bench.handle.feed_into(&collector);
    let text = script.to_owned();
    bench
        .ask(Request::PlayScript { arm: 0, text })
        .expect("plays");
    let ticks = Arc::new(Mutex::new(Vec::new()));
    let mut rest_secs = secs;
    while rest_secs > 0.0 {
        bench.pass(rest_secs.min(1.0));
        rest_secs -= 1.0;
        collector.advance_to(bench.now_secs);
        let Taken(batches) = pollster::block_on(collector.request(Take)).expect("answers");
        ticks.lock().expect("whole").extend(batches);
    }
    let batches = std::mem::take(&mut *ticks.lock().expect("whole"));
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for batch in &batches {
        assert_eq!(batch.width as usize, LAYOUT.width());
        assert_eq!(batch.first_tick as usize, rows.len(), "none is missing");
        rows.extend(batch.ticks().map(<[f64]>::to_vec));
    }
    (rows, bench.inspect())
}

#[test]
fn every_tick_is_fed_with_its_time_and_what_was_measured() {
    let (rows, inspection) = play(WAVE, 2.0);
    assert!(rows.len().abs_diff(240) <= 2, "{} ticks", rows.len());
    for pair in rows.windows(2) {
        assert!((pair[1][0] - pair[0][0] - PERIOD_SECS).abs() < 1e-9);
    }
    let moved = |range: std::ops::Range<usize>| {
        let (first, last) = (&rows[0][range.clone()], &rows[rows.len() - 1][range]);
        first
            .iter()
            .zip(last)
            .any(|(first, last)| (first - last).abs() > 0.05)
    };
    assert!(moved(LAYOUT.positions()) && moved(LAYOUT.targets()));
    assert!(!moved(LAYOUT.object(0)), "waving moves no cube");
    let norm: f64 = rows[0][LAYOUT.object(0)][3..]
        .iter()
        .map(|it| it * it)
        .sum();
    assert!((norm - 1.0).abs() < 1e-9, "a rotation is there");
    assert!(inspection.ticks >= rows.len() as u64);
}

#[test]
fn a_recorded_simulation_plays_again_bit_for_bit() {
    let (rows, _) = play(PICK_AND_PLACE, 16.0);
    let bundle = bundle(scene());
    let again = |rows: &[Vec<f64>]| {
        let rows = rows.iter().map(Vec::as_slice);
        resimulate(&bundle, PERIOD_SECS, rows).expect("it is of this scene")
    };
    let first = again(&rows);
    assert_eq!(
        (first.ticks, first.difference.clone()),
        (rows.len() as u64, None)
    );
    assert_eq!(first, again(&rows));

    let mut other = rows.clone();
    let moment = other.len() / 2;
    other[moment][LAYOUT.targets().start] += 1e-9;
    let second = again(&other);
    assert!(
        second
            .difference
            .is_some_and(|(tick, _)| tick > moment as u64)
    );
    assert_ne!(second.state_hash, first.state_hash);

    let short = [vec![0.0; 3]];
    let refused = resimulate(&bundle, PERIOD_SECS, short.iter().map(Vec::as_slice));
    assert!(refused.is_err());
}

#[test]
fn recorded_positions_are_followed_and_compared() {
    let (rows, _) = play(WAVE, 4.0);
    let model = forearm_arm::so101::so101();
    let names: Vec<_> = model.joints.iter().map(|it| it.name.as_str()).collect();
    let degrees = |range: std::ops::Range<usize>| -> String {
        let rows = rows.iter().step_by(4).map(|row| {
            let row: Vec<_> = row[range.clone()]
                .iter()
                .map(|it| it.to_degrees().to_string())
                .collect();
            format!("[{}]", row.join(","))
        });
        rows.collect::<Vec<_>>().join(",")
    };
    let track = format!(
        "Motion(name: \"again\", steps: [Track(hz: 30, joints: {names:?}, degrees: [{}], measured: [{}])])",
        degrees(LAYOUT.targets()),
        degrees(LAYOUT.positions()),
    );
    let (_, inspection) = play(&track, 5.0);
    assert_eq!(inspection.scripts, [ScriptState::Done]);
    let errors = &inspection.tracks[0];
    assert_eq!(errors.len(), 6);
    for error in errors {
        assert!(error.rms < 0.01 && error.max < 0.03, "{error:?}");
    }
    assert!(
        errors.iter().any(|error| error.max > 0.0),
        "it was compared"
    );
}

#[test]
fn a_track_that_does_not_fit_is_refused_with_what_is_expected() {
    let bench = Bench::driving();
    for (track, expected) in [
        (
            "Track(hz: 30, joints: [\"nose\"], degrees: [[1]])",
            "no joint `nose`",
        ),
        (
            "Track(hz: 30, joints: [\"gripper\"], degrees: [[1, 2]])",
            "expected 1",
        ),
        (
            "Track(hz: 30, joints: [\"gripper\"], degrees: [[1], [2]], measured: [[1]])",
            "as many",
        ),
        (
            "Track(hz: 0, joints: [\"gripper\"], degrees: [[1]])",
            "a rate",
        ),
        (
            "Track(hz: 30, joints: [\"gripper\"], degrees: [])",
            "at least one",
        ),
    ] {
        let text = format!("Motion(name: \"wrong\", steps: [{track}])");
        let error = bench
            .ask(Request::PlayScript { arm: 0, text })
            .expect_err("refused")
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
