//! Rows and frames against a plain computation of what they should be.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::journal::{Channel, Freshness, Layout};

/// Frame times of a camera: its rate, the share of jitter, and gaps.
fn frames() -> impl Strategy<Value = Vec<f64>> {
    (
        2.0..150.0f64,
        0.0..0.99f64,
        vec((0.0..1.0f64, 0..20u8), 1..150),
    )
        .prop_map(|(rate, jitter, steps)| {
            let mut at = 0.0;
            let mut times = Vec::new();
            for (noise, gap) in steps {
                let steps = if gap == 0 { 5.0 } else { 1.0 };
                at += steps / rate * (1.0 + jitter * (noise - 0.5));
                times.push(at);
            }
            times
        })
}

/// What a slotter made of frames.
#[derive(Debug, Default)]
struct Made {
    /// Each row's frame: its number.
    rows: Vec<usize>,
    fresh: Vec<Freshness>,
    spare: Vec<usize>,
    shown: usize,
}

impl Made {
    fn take(&mut self, slot: Slot<usize>, times: &[f64]) -> Result<(), TestCaseError> {
        let (row, frame, captured_secs, freshness) = match slot {
            Slot::Show {
                row,
                frame,
                captured_secs,
                freshness,
            } => {
                self.shown += 1;
                (row, frame, captured_secs, freshness)
            }
            Slot::Again {
                row,
                captured_secs,
                freshness,
            } => {
                let last = *self.rows.last().expect("a row before");
                (row, last, captured_secs, freshness)
            }
            Slot::Spare(frame) => {
                self.spare.push(frame);
                return Ok(());
            }
        };
        prop_assert_eq!(row as usize, self.rows.len(), "rows come in order");
        prop_assert_eq!(captured_secs, times[frame]);
        self.rows.push(frame);
        self.fresh.push(freshness);
        Ok(())
    }
}

/// Plays frames to a slotter as they come, `latency` after they were taken.
fn play(
    timeline: &mut Timeline,
    times: &[f64],
    latency: f64,
    end_secs: f64,
    patience: f64,
) -> Result<(Made, Slotter<usize>), TestCaseError> {
    let mut slotter = Slotter::new(patience, 1e9);
    let mut made = Made::default();
    for (number, secs) in times.iter().enumerate() {
        prop_assert_eq!(slotter.push(*secs, number), None);
        while let Some(slot) = slotter.next(timeline, secs + latency) {
            made.take(slot, times)?;
        }
    }
    timeline.end(end_secs);
    while let Some(slot) = slotter.next(timeline, f64::INFINITY) {
        made.take(slot, times)?;
    }
    Ok((made, slotter))
}

fn nearest(times: &[f64], at: f64) -> f64 {
    times
        .iter()
        .map(|secs| (secs - at).abs())
        .min_by(f64::total_cmp)
        .expect("a frame")
}

proptest! {
    #[test]
    fn every_row_gets_the_nearest_frame(
        times in frames(),
        fps in 1..90u32,
        start in 0.0..0.5f64,
        latency in 0.0..0.2f64,
    ) {
        let mut timeline = Timeline::new(fps, start);
        let end = times.last().expect("a frame") + 0.1;
        let (made, slotter) = play(&mut timeline, &times, latency, end, 1e9)?;
        let rows = timeline.rows().expect("an end") as usize;
        prop_assert_eq!(made.rows.len(), rows);
        for (row, frame) in made.rows.iter().enumerate() {
            let at = timeline.row_secs(row as u32).expect("a time");
            let offset = (times[*frame] - at).abs();
            prop_assert!(offset <= nearest(&times, at) + 1e-6, "row {} is {} off", row, offset);
        }
        // Each frame is given out once; rows never go back in time.
        prop_assert!(made.rows.is_sorted());
        prop_assert_eq!(made.shown + made.spare.len(), times.len());
        // The figures add up.
        let again = made.rows.windows(2).filter(|pair| pair[0] == pair[1]).count();
        prop_assert_eq!(slotter.repeated() as usize, again);
        prop_assert_eq!(made.shown + again, rows);
        let tally = slotter.tally();
        prop_assert_eq!(tally.offered - tally.unused, made.shown as u32);
        prop_assert!(tally.unused as usize <= made.spare.len());
        prop_assert_eq!(slotter.stale(), 0);
        prop_assert_eq!(slotter.row() as usize, rows);
    }

    #[test]
    fn a_camera_that_keeps_others_waiting_is_not_waited_for(
        times in frames(),
        fps in 5..60u32,
        patience in 0.0..0.5f64,
    ) {
        let mut timeline = Timeline::new(fps, times[0]);
        let mut slotter = Slotter::new(patience, 0.5);
        let mut made = Made::default();
        // The clock ticks finely; frames come when they are taken.
        let mut next = 0;
        let end = times.last().expect("a frame") + 2.0;
        let mut now = 0.0;
        while now < end {
            while next < times.len() && times[next] <= now {
                prop_assert_eq!(slotter.push(times[next], next), None);
                next += 1;
            }
            while let Some(slot) = slotter.next(&timeline, now) {
                made.take(slot, &times)?;
            }
            if next > 0 {
                let due = timeline.rows_by(now - patience - 0.003) as usize;
                prop_assert!(made.rows.len() >= due, "{} rows of {}", made.rows.len(), due);
            }
            prop_assert!(made.rows.len() <= timeline.rows_by(now) as usize);
            now += 0.003;
        }
        for (row, (frame, fresh)) in made.rows.iter().zip(&made.fresh).enumerate() {
            let at = timeline.row_secs(row as u32).expect("a time");
            prop_assert_eq!(*fresh == Freshness::Stale, (times[*frame] - at).abs() > 0.5);
        }
        timeline.end(end);
        prop_assert!(made.rows.is_sorted());
    }

    #[test]
    fn rows_and_their_times_agree(
        fps in 1..200u32,
        start in -1e4..1e4f64,
        pauses in vec((0.0..2.0f64, 0.0..2.0f64), 0..5),
        rows in 1..300u32,
    ) {
        let mut timeline = Timeline::new(fps, start);
        let mut at = start;
        for (runs, stands) in &pauses {
            timeline.pause(at + runs);
            at += runs + stands;
            timeline.resume(at);
        }
        let mut before = f64::NEG_INFINITY;
        for row in 0..rows {
            let secs = timeline.row_secs(row).expect("the clock goes");
            prop_assert!(secs > before);
            before = secs;
            prop_assert!(timeline.runs_at(secs), "no row in a pause");
            prop_assert_eq!(timeline.rows_by(secs), row + 1);
            let even = f64::from(row) / f64::from(fps);
            prop_assert!((timeline.elapsed_secs(secs) - even).abs() < 1e-6);
        }
        prop_assert_eq!(timeline.rows_by(start - 1.0), 0);
        prop_assert_eq!(timeline.clone().end(before), rows);
    }

    #[test]
    fn what_is_linear_stays_so(
        steps in vec(0.001..0.05f64, 2..200),
        slope in -3.0..3.0f64,
        fps in 1..100u32,
    ) {
        let layout = Layout { joints: 1, objects: 0 };
        let mut series = Series::new(layout);
        let mut at = 0.0;
        let mut widest: f64 = 0.0;
        for (number, step) in steps.iter().enumerate() {
            series.push(0, number as u64, &[at, slope * at, -slope * at]);
            if number + 1 < steps.len() {
                at += step;
                widest = widest.max(*step);
            }
        }
        let timeline = Timeline::new(fps, 0.0);
        let rows = timeline.rows_by(at);
        let mut quality = EpisodeQuality::default();
        let channels = [channel(0, 0.5, 10.0)];
        let made = series
            .rows(&timeline, rows, &channels, &channels, &mut quality)
            .expect("rows");
        prop_assert_eq!(made.action.len(), rows as usize);
        for row in 0..rows {
            let secs = f64::from(row) / f64::from(fps);
            let state = ((slope * secs - 0.5) * 10.0) as f32;
            prop_assert!((made.state[row as usize] - state).abs() < 1e-4);
            let action = ((-slope * secs - 0.5) * 10.0) as f32;
            prop_assert!((made.action[row as usize] - action).abs() < 1e-4);
        }
        prop_assert!(quality.tick_gap_max_secs <= widest);
        prop_assert_eq!(quality.ticks_lost, 0);
    }
}

fn channel(joint: usize, zero: f64, scale: f64) -> Channel {
    Channel {
        name: format!("joint_{joint}.pos"),
        joint,
        zero,
        scale,
    }
}

#[test]
fn a_camera_at_the_rate_of_the_dataset_shows_each_frame_once() {
    let mut timeline = Timeline::new(30, 10.0);
    // As real cameras do it: a phase of its own, and jitter of 5 ms.
    let times: Vec<f64> = (0..300)
        .map(|frame| {
            let jitter = if frame % 2 == 0 { 0.0025 } else { -0.0025 };
            10.0 + 0.011 + f64::from(frame) / 30.0 + jitter
        })
        .collect();
    let end = times[299];
    let (made, slotter) = play(&mut timeline, &times, 0.01, end, 0.3).expect("played");
    assert_eq!(made.rows, (0..300).collect::<Vec<_>>());
    assert_eq!((slotter.repeated(), slotter.tally().unused), (0, 0));
}

#[test]
fn a_frame_exactly_at_its_row_does_not_wait_for_the_next() {
    let timeline = Timeline::new(30, 1.0);
    let mut slotter = Slotter::default();
    assert_eq!(slotter.push(1.0, 'a'), None);
    assert!(matches!(
        slotter.next(&timeline, 1.0),
        Some(Slot::Show {
            row: 0,
            frame: 'a',
            ..
        })
    ));
    assert_eq!(slotter.next(&timeline, 1.0), None);
}

#[test]
fn what_comes_in_a_pause_is_left_out() {
    let mut timeline = Timeline::new(10, 0.0);
    let mut slotter = Slotter::default();
    let mut rows = Vec::new();
    let mut spare = 0;
    // A frame each 20 ms; the clock stands from 0.45 s to 1.45 s.
    for frame in 0..100u32 {
        let now = f64::from(frame) * 0.02;
        if frame == 23 {
            timeline.pause(0.45);
        }
        if frame == 73 {
            timeline.resume(1.45);
        }
        assert_eq!(slotter.push(now, frame), None);
        while let Some(slot) = slotter.next(&timeline, now) {
            match slot {
                Slot::Show { captured_secs, .. } => rows.push(captured_secs),
                Slot::Again { .. } => panic!("a fast camera repeats nothing"),
                Slot::Spare(_) => spare += 1,
            }
        }
    }
    assert_eq!(rows.len(), 10);
    for (row, secs) in rows.iter().enumerate() {
        let at = timeline.row_secs(row as u32).expect("a time");
        assert!(
            (secs - at).abs() <= 0.01 + 1e-9,
            "row {row}: {secs}, not {at}"
        );
        assert!(row < 5 || *secs > 1.4);
    }
    let tally = slotter.tally();
    assert!(tally.unused < 45, "{tally:?}: the pause does not count");
    assert!(spare > 80);
}

#[test]
fn a_camera_that_hangs_makes_stale_rows() {
    let timeline = Timeline::new(10, 0.0);
    let mut slotter = Slotter::default();
    slotter.set_hung(true);
    assert_eq!(slotter.push(0.0, ()), None);
    assert!(matches!(
        slotter.next(&timeline, 0.0),
        Some(Slot::Show {
            freshness: Freshness::Stale,
            ..
        })
    ));
    slotter.set_hung(false);
    assert!(matches!(
        slotter.next(&timeline, 0.5),
        Some(Slot::Again {
            freshness: Freshness::Repeated,
            ..
        })
    ));
    // And one that gave nothing has no rows at all.
    let mut silent = Slotter::<()>::default();
    assert_eq!(silent.next(&timeline, 100.0), None);
    assert_eq!(silent.row(), 0);
}

#[test]
fn frames_that_go_back_in_time_or_flood_come_back() {
    let mut slotter = Slotter::default();
    assert_eq!(slotter.push(1.0, 1), None);
    assert_eq!(slotter.push(1.0, 2), Some(2));
    assert_eq!(slotter.push(f64::NAN, 3), Some(3));
    let back = (0..1000).filter(|n| slotter.push(2.0 + f64::from(*n), *n).is_some());
    assert!(back.count() > 900);
    assert!(slotter.tally().dropped > 900);
}

#[test]
fn ticks_that_are_lost_late_or_reset_are_seen() {
    let mut series = Series::new(Layout {
        joints: 1,
        objects: 0,
    });
    // 100 ticks a second, five of which are lost; nonsense is left out.
    for tick in (0..200u64).filter(|tick| !(50..55).contains(tick)) {
        let secs = tick as f64 / 100.0;
        series.push(7, tick, &[secs, 1.0, 1.0]);
        series.push(7, tick, &[secs, 5.0, 5.0]);
        series.push(7, tick, &[secs + 0.001, f64::NAN, 5.0]);
    }
    assert_eq!(series.len(), 195);
    // Then the world is reset: from 1 to 3, with nothing between them.
    series.push(8, 0, &[2.0, 3.0, 3.0]);
    series.push(9, 0, &[2.5, 3.0, 3.0]);
    let timeline = Timeline::new(200, 0.0);
    let mut quality = EpisodeQuality::default();
    let channels = [channel(0, 0.0, 1.0)];
    let rows = timeline.rows_by(2.5);
    let made = series
        .rows(&timeline, rows, &channels, &channels, &mut quality)
        .expect("rows");
    assert!(
        made.state
            .iter()
            .all(|state| *state == 1.0 || *state == 3.0)
    );
    assert_eq!(quality.ticks_lost, 5);
    assert!(
        (quality.tick_gap_max_secs - 0.495).abs() < 1e-9,
        "{quality:?}"
    );
    assert!(quality.tick_jitter_p99_secs < 1e-9);
    let none = Series::new(Layout {
        joints: 1,
        objects: 0,
    });
    assert_eq!(
        none.rows(&timeline, 1, &channels, &channels, &mut quality),
        Err(ResampleError::NoTicks)
    );
    let far = [channel(1, 0.0, 1.0)];
    let error = series.rows(&timeline, 1, &far, &channels, &mut quality);
    assert!(matches!(
        error,
        Err(ResampleError::NoJoint { joint: 1, .. })
    ));
}
