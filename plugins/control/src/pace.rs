//! The loop's deadlines: absolute, one period apart, and how well they are kept.

use forearm_protocol::control::LoopTiming;

use crate::timing::{RunTiming, TimingWindow};

/// A tick that is later than this many periods, and than [`MAX_LATE_SECS`], is not made up for: the
/// loop starts afresh, so that it never runs after lost time.
const MAX_LATE_PERIODS: f64 = 3.0;

/// Lateness that is made up for, however many periods it is, seconds: a loop that shares the thread of
/// a slow picture is that late at every frame, and would else run in slow motion.
const MAX_LATE_SECS: f64 = 0.25;

/// What a late tick means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lateness {
    /// Up to [`MAX_LATE_SECS`] are made up for: simulated time keeps up with the wall.
    #[default]
    MadeUp,
    /// Never more than [`MAX_LATE_PERIODS`] are: a burst of ticks would move a real arm by as many
    /// steps at once.
    Lost,
}

/// Deadlines, and how well they are kept. Times are seconds since the service started.
pub(crate) struct Pace {
    period_secs: f64,
    /// What a late tick means from now on.
    pub(crate) lateness: Lateness,
    /// The next tick's deadline; none before the first.
    deadline_secs: Option<f64>,
    ticks: u64,
    last_work_secs: f64,
    window: TimingWindow,
    run: RunTiming,
}

impl Pace {
    pub(crate) fn new(period_secs: f64) -> Self {
        Self {
            period_secs,
            lateness: Lateness::default(),
            deadline_secs: None,
            ticks: 0,
            last_work_secs: 0.0,
            window: TimingWindow::new(period_secs),
            run: RunTiming::new(period_secs),
        }
    }

    pub(crate) fn period_secs(&self) -> f64 {
        self.period_secs
    }

    /// Ticks so far.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The deadline, if it has not come yet.
    pub(crate) fn not_before(&self, now_secs: f64) -> Option<f64> {
        self.deadline_secs.filter(|deadline| now_secs < *deadline)
    }

    /// Notes that a tick begins; answers how late it is, seconds.
    pub(crate) fn begin(&mut self, now_secs: f64) -> f64 {
        if let Some(interval_secs) = self.window.record(now_secs, self.last_work_secs) {
            self.run.record(interval_secs, self.last_work_secs);
        }
        now_secs - self.deadline_secs.unwrap_or(now_secs)
    }

    /// Notes that a tick has ended now; answers the next deadline.
    pub(crate) fn end(&mut self, now_secs: f64, late_secs: f64, work_secs: f64) -> f64 {
        self.ticks += 1;
        self.last_work_secs = work_secs;
        let periods_late = late_secs / self.period_secs;
        if periods_late > 1.0 {
            self.window.count_missed(periods_late as u64);
            self.run.count_missed(periods_late as u64);
        }
        let from = match self.deadline_secs {
            Some(deadline)
                if periods_late <= MAX_LATE_PERIODS
                    || (self.lateness == Lateness::MadeUp && late_secs <= MAX_LATE_SECS) =>
            {
                deadline
            }
            // From the tick's end: a loop with more work than time leaves some to others.
            Some(_) => now_secs,
            None => now_secs - work_secs,
        };
        let next = from + self.period_secs;
        self.deadline_secs = Some(next);
        next
    }

    /// There is no next tick for now.
    pub(crate) fn rest(&mut self) {
        self.deadline_secs = None;
        self.window.rest();
    }

    /// Begins the statistics of a run anew.
    pub(crate) fn clear_run(&mut self) {
        self.run.clear();
    }

    /// How time was kept over the last seconds.
    pub(crate) fn summary(&mut self) -> LoopTiming {
        self.window.summary()
    }

    /// How time was kept since [`Pace::clear_run`].
    pub(crate) fn run_summary(&self) -> LoopTiming {
        self.run.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks at `begins`, without work; answers the deadlines.
    fn deadlines(pace: &mut Pace, begins: &[f64]) -> Vec<f64> {
        let tick = |now_secs: &f64| {
            let late_secs = pace.begin(*now_secs);
            pace.end(*now_secs, late_secs, 0.0)
        };
        begins.iter().map(tick).collect()
    }

    #[test]
    fn a_late_tick_does_not_move_the_deadlines_after_it() {
        let mut pace = Pace::new(1.0);
        assert_eq!(
            deadlines(&mut pace, &[5.0, 6.25, 7.0, 8.5]),
            [6.0, 7.0, 8.0, 9.0]
        );
        assert_eq!(pace.run_summary().missed, 0);
        assert_eq!(pace.not_before(8.75), Some(9.0));
        assert_eq!(pace.not_before(9.0), None);
    }

    #[test]
    fn short_delays_are_made_up_for_and_long_ones_are_not() {
        let mut pace = Pace::new(1.0);
        assert_eq!(
            deadlines(&mut pace, &[0.0, 3.5, 3.5, 3.5]),
            [1.0, 2.0, 3.0, 4.0]
        );
        assert_eq!(
            pace.run_summary().missed,
            3,
            "2.5, 1.5 and 0.5 periods late"
        );
        let mut pace = Pace::new(1.0);
        assert_eq!(deadlines(&mut pace, &[0.0, 9.0, 10.0]), [1.0, 10.0, 11.0]);
        assert_eq!(pace.run_summary().missed, 8);
    }

    #[test]
    fn a_fast_loop_beside_a_slow_picture_keeps_up() {
        let period_secs = 0.01;
        let mut pace = Pace::new(period_secs);
        let mut ticks = 0;
        for frame in 0..50 {
            let now_secs = f64::from(frame) * 0.2;
            while pace.not_before(now_secs).is_none() {
                let late_secs = pace.begin(now_secs);
                pace.end(now_secs, late_secs, 0.0);
                ticks += 1;
            }
        }
        // 49 frames' time in hundredths; a deadline that coincides may fall either way.
        assert!((980..=981).contains(&ticks), "{ticks}");
    }

    #[test]
    fn a_real_arm_makes_up_for_three_ticks_at_most() {
        let burst = |lateness| {
            let mut pace = Pace::new(0.01);
            pace.lateness = lateness;
            deadlines(&mut pace, &[0.0]);
            let mut ticks = 0;
            while pace.not_before(0.2).is_none() {
                let late_secs = pace.begin(0.2);
                pace.end(0.2, late_secs, 0.0);
                ticks += 1;
            }
            ticks
        };
        assert_eq!(burst(Lateness::Lost), 1);
        assert!((19..=20).contains(&burst(Lateness::MadeUp)));
    }

    #[test]
    fn after_a_rest_nothing_counts_as_late() {
        let mut pace = Pace::new(1.0);
        deadlines(&mut pace, &[0.0]);
        pace.rest();
        assert_eq!(deadlines(&mut pace, &[50.0, 51.0]), [51.0, 52.0]);
        assert_eq!(pace.run_summary().missed, 0);
        assert_eq!(pace.run_summary().jitter_max_secs, 0.0);
    }
}
