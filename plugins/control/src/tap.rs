//! The tap: control ticks on their way to whoever records, a few at a time.

use forearm_protocol::record::TickBatch;

/// Batches a second: often enough for simulated cameras to draw what was just there.
const BATCH_HZ: f64 = 60.0;

/// Collects ticks into batches. Its memory is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    batch: TickBatch,
    count: u64,
    row_start: usize,
}

impl Tap {
    /// Begins a tick; the rest of its numbers go behind what this returns. `tick` counts from the
    /// scene's start. Ticks that do not follow on those before push them out.
    pub(crate) fn begin(&mut self, generation: u64, tick: u64, time_secs: f64) -> &mut Vec<f64> {
        let follows =
            self.batch.generation == generation && self.batch.first_tick + self.count == tick;
        if self.count == 0 || !follows {
            self.sent();
            self.batch.generation = generation;
            self.batch.first_tick = tick;
        }
        self.row_start = self.batch.values.len();
        self.batch.values.push(time_secs);
        &mut self.batch.values
    }

    /// Ends the tick, of a loop with this period. Answers the batch when it is time to hand it on.
    pub(crate) fn end(&mut self, period_secs: f64) -> Option<&TickBatch> {
        let width = self.batch.values.len() - self.row_start;
        self.batch.width = u32::try_from(width).unwrap_or(u32::MAX);
        self.count += 1;
        // The margin absorbs rounding.
        let due = self.count as f64 * period_secs + 1e-9 >= 1.0 / BATCH_HZ;
        due.then_some(&self.batch)
    }

    /// The batch was handed on: the next tick begins another.
    pub(crate) fn sent(&mut self) {
        self.batch.values.clear();
        self.count = 0;
    }
}
