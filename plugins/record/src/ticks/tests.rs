//! What is kept, counted and refused.

use forearm_protocol::record::TickBatch;
use proptest::prelude::*;

use super::{AGREEING, Break, MAX_VALUES, Ticks};

fn batch(first_tick: u64, times: &[f64]) -> TickBatch {
    TickBatch {
        generation: 1,
        first_tick,
        width: 3,
        values: times.iter().flat_map(|time| [*time, 1.0, 2.0]).collect(),
    }
}

#[test]
fn what_comes_is_kept_in_order() {
    let mut ticks = Ticks::new();
    assert_eq!(ticks.generation(), None);
    assert!(ticks.newest().is_none());
    assert_eq!(ticks.rate_hz(1.0), 0.0);
    let intake = ticks.take(&batch(5, &[0.1, 0.2]));
    assert_eq!((intake.taken, intake.lost, intake.broken), (2, 0, None));
    ticks.take(&batch(7, &[0.3]));
    assert_eq!(ticks.count(), 3);
    assert_eq!(ticks.since(1), [0.2, 1.0, 2.0, 0.3, 1.0, 2.0]);
    assert_eq!(ticks.newest(), Some(&[0.3, 1.0, 2.0][..]));
    assert_eq!(ticks.first_at(0.2), 1);
    assert_eq!(ticks.first_at(0.25), 2);
    assert_eq!(ticks.first_at(9.0), 3);
    assert_eq!(ticks.rate_hz(1.25), 1.0);
}

#[test]
fn the_period_is_what_control_means() {
    let mut ticks = Ticks::new();
    assert_eq!(ticks.period_secs(), None);
    let times: Vec<f64> = (0..500)
        .map(|n| 3.0 + f64::from(n) / 120.0 + f64::from(n % 3) * 0.0007)
        .collect();
    ticks.take(&batch(0, &times[..1]));
    assert_eq!(ticks.period_secs(), None);
    ticks.take(&batch(1, &times[1..]));
    assert_eq!(ticks.period_secs(), Some(1.0 / 120.0));
}

#[test]
fn ticks_of_one_instant_are_kept_in_their_order() {
    let mut ticks = Ticks::new();
    let intake = ticks.take(&batch(0, &[0.1, 0.2, 0.2, 0.2, 0.3]));
    assert_eq!((intake.taken, intake.refused), (5, 0));
    let times: Vec<f64> = ticks.since(0).chunks(3).map(|tick| tick[0]).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert!(times[1..4].iter().all(|secs| (secs - 0.2).abs() < 1e-9));
    assert_eq!(ticks.take(&batch(5, &[0.25])).refused, 1, "backwards");
}

#[test]
fn lost_ticks_are_counted() {
    let mut ticks = Ticks::new();
    ticks.take(&batch(0, &[0.1]));
    assert_eq!(ticks.take(&batch(4, &[0.2, 0.3])).lost, 3);
    assert_eq!(ticks.take(&batch(6, &[0.4])).lost, 0);
    assert_eq!(ticks.lost(), 3);
    let runs: Vec<(u64, usize)> = ticks.runs(0).map(|(n, run)| (n, run.len() / 3)).collect();
    assert_eq!(runs, [(0, 1), (4, 3)]);
    let runs: Vec<(u64, f64)> = ticks.runs(2).map(|(n, run)| (n, run[0])).collect();
    assert_eq!(runs, [(5, 0.3)]);
    assert!(ticks.runs(4).next().is_none());
    assert!(!ticks.is_complete());
}

#[test]
fn a_reset_and_another_scene_begin_anew() {
    let mut ticks = Ticks::new();
    ticks.take(&batch(10, &[0.1, 0.2]));
    let intake = ticks.take(&batch(0, &[0.3]));
    assert_eq!((intake.broken, ticks.count()), (Some(Break::Reset), 1));
    let other = TickBatch {
        generation: 2,
        ..batch(1, &[0.4])
    };
    assert_eq!(ticks.take(&other).broken, Some(Break::Scene));
    assert_eq!(ticks.generation(), Some(2));
    let wider = TickBatch {
        width: 2,
        values: vec![0.5, 1.0],
        ..other
    };
    assert_eq!(ticks.take(&wider).broken, Some(Break::Scene));
    assert_eq!(ticks.width(), 2);
}

#[test]
fn times_that_cannot_be_true_are_refused() {
    let mut ticks = Ticks::new();
    ticks.take(&batch(0, &[1.0, 1.1]));
    let intake = ticks.take(&batch(2, &[1.05, 1.2, 50.0, f64::NAN, 1.3]));
    assert_eq!((intake.taken, intake.refused), (2, 3));
    assert_eq!(ticks.newest_secs(), Some(1.3));
    assert_eq!(ticks.take(&batch(7, &[1.4])).lost, 0);
}

#[test]
fn a_clock_that_was_set_is_believed_after_a_while() {
    let mut ticks = Ticks::new();
    ticks.take(&batch(0, &[1.0]));
    let times: Vec<f64> = (0..AGREEING + 5)
        .map(|n| 500.0 + f64::from(n) / 120.0)
        .collect();
    let intake = ticks.take(&batch(1, &times));
    assert_eq!(intake.broken, Some(Break::Clock));
    assert_eq!(intake.refused, u64::from(AGREEING) - 1);
    assert_eq!((intake.taken, ticks.count()), (6, 6));
}

#[test]
fn memory_is_bounded() {
    let mut ticks = Ticks::new();
    let width = 1024;
    for tick in 0..(MAX_VALUES / width) as u64 + 10 {
        let mut values = vec![0.0; width];
        values[0] = tick as f64 / 120.0;
        ticks.take(&TickBatch {
            generation: 1,
            first_tick: tick,
            width: width as u32,
            values,
        });
    }
    assert!(!ticks.is_complete());
    assert!(ticks.values.len() <= MAX_VALUES);
    assert_eq!(ticks.count(), MAX_VALUES / width + 10);
    let newest = ticks.newest_secs().expect("there");
    assert_eq!(ticks.first_at(newest), ticks.count() - 1);
    assert_eq!(ticks.since(ticks.count() - 1).len(), width);
}

proptest! {
    #[test]
    fn any_batches_keep_times_in_order(
        batches in prop::collection::vec(
            (0..3_u64, 0..200_u64, 0..5_u32, prop::collection::vec(-20.0..20.0_f64, 0..20)), 0..30),
    ) {
        let mut ticks = Ticks::new();
        for (generation, first_tick, width, values) in batches {
            let before = ticks.count();
            let intake = ticks.take(&TickBatch { generation, first_tick, width, values });
            if intake.broken.is_none() {
                prop_assert_eq!(ticks.count(), before + intake.taken);
            } else {
                prop_assert_eq!(ticks.count(), intake.taken);
            }
            let width = ticks.width().max(1);
            let times: Vec<f64> = ticks.since(0).chunks(width).map(|tick| tick[0]).collect();
            let runs: usize = ticks.runs(0).map(|(_, run)| run.len()).sum();
            prop_assert_eq!(runs, ticks.since(0).len());
            prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
