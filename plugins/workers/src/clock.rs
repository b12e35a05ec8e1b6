//! Where a service's time comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(target_family = "wasm"))]
use web_time::Duration;
use web_time::Instant;

#[cfg(not(target_family = "wasm"))]
mod shared {
    //! The shared time: seconds since the process first asked for it.

    use std::sync::OnceLock;

    use web_time::Instant;

    pub(super) fn secs_at(moment: Instant) -> f64 {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        let epoch = *EPOCH.get_or_init(|| moment);
        match moment.checked_duration_since(epoch) {
            Some(after) => after.as_secs_f64(),
            None => -epoch.duration_since(moment).as_secs_f64(),
        }
    }
}

#[cfg(target_family = "wasm")]
mod shared {
    //! The shared time: seconds since 1970, on the clock that page and workers have in common.

    use web_time::Instant;

    pub(super) fn secs_at(moment: Instant) -> f64 {
        crate::web::epoch_secs() - moment.elapsed().as_secs_f64()
    }
}

/// A service's clock: seconds since it was spawned, never backwards.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    /// The machine's monotonic clock.
    Wall(Instant),
    /// Stands still until it is set; the bits of an `f64`.
    Stepped(Arc<AtomicU64>),
}

impl Clock {
    pub(crate) fn wall() -> Self {
        Self(Source::Wall(Instant::now()))
    }

    /// A clock that stands still at zero, for work that is not to be timed.
    #[must_use]
    pub fn still() -> Self {
        Self::stepped()
    }

    pub(crate) fn stepped() -> Self {
        Self(Source::Stepped(Arc::new(AtomicU64::new(0.0_f64.to_bits()))))
    }

    /// The time now. Under [`Host::Stepped`](crate::Host::Stepped) it stands still while the
    /// service works, so that what is measured with it is zero there.
    #[must_use]
    pub fn now_secs(&self) -> f64 {
        match &self.0 {
            Source::Wall(start) => start.elapsed().as_secs_f64(),
            Source::Stepped(bits) => f64::from_bits(bits.load(Ordering::Acquire)),
        }
    }

    /// The shared time at which this clock showed zero, seconds. `origin_secs() + now_secs()` means the
    /// same moment for all services of a process, in the browser of a page and its workers; under
    /// [`Host::Stepped`](crate::Host::Stepped) for all that are stepped together.
    #[must_use]
    pub fn origin_secs(&self) -> f64 {
        match &self.0 {
            Source::Wall(start) => shared::secs_at(*start),
            Source::Stepped(_) => 0.0,
        }
    }

    /// Sets a stepped clock, never backwards. A wall clock keeps going by itself.
    pub(crate) fn set_secs(&self, secs: f64) {
        if let Source::Stepped(bits) = &self.0
            && secs > self.now_secs()
        {
            bits.store(secs.to_bits(), Ordering::Release);
        }
    }

    pub(crate) fn is_stepped(&self) -> bool {
        matches!(self.0, Source::Stepped(_))
    }

    /// The instant of a wall clock's time; `None` for a stepped clock or a time too far away.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn instant_at(&self, secs: f64) -> Option<Instant> {
        let Source::Wall(start) = self.0 else {
            return None;
        };
        let offset = Duration::try_from_secs_f64(secs.max(0.0)).ok()?;
        start.checked_add(offset)
    }
}
