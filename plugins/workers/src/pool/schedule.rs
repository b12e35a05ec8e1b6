//! Who does what when: the pool's state machine. It knows neither threads nor clocks; time is an
//! input, and what is to be done comes out as [`Order`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::pool::Priority;

#[cfg(test)]
mod tests;

/// A task's number: tasks that came later have higher ones.
pub(super) type TaskId = u64;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Start a worker on this seat.
    Start { seat: usize },
    /// Give this task to the worker on this seat.
    Give { seat: usize, task: TaskId },
    /// End the worker on this seat: it has nothing to do.
    Stop { seat: usize },
    /// Fail this task: every worker was given up.
    Refuse { task: TaskId },
}

/// Where a task was when it was called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    /// Not begun.
    Waiting,
    /// At work on this seat, which now [leaves](Schedule::left) it.
    AtWork { seat: usize },
}

/// A place for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    /// Without a worker.
    Empty,
    /// Its worker has had nothing to do since then.
    Free { since: Duration },
    /// At work.
    Busy { task: TaskId },
    /// At work on something that was called off.
    Leaving,
    /// Crashed, and on its way back.
    Down,
    /// Given up.
    Broken,
}

struct Known {
    rank: Duration,
    control: Option<String>,
    seat: Option<usize>,
}

/// Tasks that wait or are at work, and the seats of the workers.
pub(super) struct Schedule {
    /// By rank, then in the order in which they came.
    waiting: BTreeSet<(Duration, TaskId)>,
    known: BTreeMap<TaskId, Known>,
    controls: BTreeMap<String, TaskId>,
    seats: Vec<Seat>,
    /// How many workers there may be.
    limit: usize,
    idle_after: Duration,
}

impl Schedule {
    /// A schedule for at most `size` workers, at least one.
    pub(super) fn new(size: usize, idle_after: Duration) -> Self {
        let size = size.max(1);
        Self {
            waiting: BTreeSet::new(),
            known: BTreeMap::new(),
            controls: BTreeMap::new(),
            seats: vec![Seat::Empty; size],
            limit: size,
            idle_after,
        }
    }

    /// How many seats there are.
    pub(super) fn size(&self) -> usize {
        self.seats.len()
    }

    /// How many workers there may be.
    pub(super) fn limit(&self) -> usize {
        self.limit.min(self.seats.len())
    }

    /// How many tasks wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The task that the worker on this seat is at.
    pub(super) fn task_of(&self, seat: usize) -> Option<TaskId> {
        match self.seats[seat] {
            Seat::Busy { task } => Some(task),
            _ => None,
        }
    }

    /// How many workers do something, or come back from a crash.
    pub(super) fn busy(&self) -> usize {
        let busy = |seat: &&Seat| matches!(seat, Seat::Busy { .. } | Seat::Leaving | Seat::Down);
        self.seats.iter().filter(busy).count()
    }

    /// The older task of this control, whose place a newer one takes.
    pub(super) fn rival(&self, control: &str) -> Option<TaskId> {
        self.controls.get(control).copied()
    }

    /// Takes a task in. One for the same control must have been [called off](Self::call_off).
    pub(super) fn submit(
        &mut self,
        now: Duration,
        task: TaskId,
        priority: Priority,
        control: Option<String>,
    ) {
        if let Some(control) = &control {
            self.controls.insert(control.clone(), task);
        }
        let rank = priority.rank(now);
        self.waiting.insert((rank, task));
        let seat = None;
        self.known.insert(
            task,
            Known {
                rank,
                control,
                seat,
            },
        );
    }

    /// Nobody wants this task any more. Nothing when it has ended.
    pub(super) fn call_off(&mut self, task: TaskId) -> Option<Was> {
        let known = self.forget(task)?;
        match known.seat {
            Some(seat) => {
                self.seats[seat] = Seat::Leaving;
                Some(Was::AtWork { seat })
            }
            None => {
                self.waiting.remove(&(known.rank, task));
                Some(Was::Waiting)
            }
        }
    }

    /// The worker on this seat has ended its task.
    pub(super) fn ended(&mut self, now: Duration, seat: usize) {
        if let Seat::Busy { task } = self.seats[seat] {
            self.forget(task);
            self.seats[seat] = Seat::Free { since: now };
        }
    }

    /// The worker on this seat has let go of what was called off.
    pub(super) fn left(&mut self, now: Duration, seat: usize) {
        if self.seats[seat] == Seat::Leaving {
            self.seats[seat] = Seat::Free { since: now };
        }
    }

    /// The worker on this seat crashed and comes back. Its task waits again, in its old place, if
    /// `again`, else it has ended.
    pub(super) fn down(&mut self, seat: usize, again: bool) {
        if let Seat::Busy { task } = self.seats[seat] {
            match self.known.get_mut(&task) {
                Some(known) if again => {
                    known.seat = None;
                    self.waiting.insert((known.rank, task));
                }
                _ => {
                    self.forget(task);
                }
            }
        }
        self.seats[seat] = Seat::Down;
    }

    /// Whether the worker on this seat crashed and is on its way back.
    pub(super) fn is_down(&self, seat: usize) -> bool {
        self.seats[seat] == Seat::Down
    }

    /// The worker on this seat is back.
    pub(super) fn up(&mut self, now: Duration, seat: usize) {
        if self.seats[seat] == Seat::Down {
            self.seats[seat] = Seat::Free { since: now };
        }
    }

    /// The worker on this seat was given up.
    pub(super) fn broken(&mut self, seat: usize) {
        self.down(seat, false);
        self.seats[seat] = Seat::Broken;
    }

    /// Whether every seat was given up: no task will ever be taken.
    pub(super) fn is_hopeless(&self) -> bool {
        self.seats.iter().all(|seat| *seat == Seat::Broken)
    }

    /// Empties this seat if its worker has nothing to do; answers whether it is to be ended.
    pub(super) fn dismiss(&mut self, seat: usize) -> bool {
        let free = matches!(self.seats[seat], Seat::Free { .. });
        if free {
            self.seats[seat] = Seat::Empty;
        }
        free
    }

    /// Seats that were given up may be tried again, all at once.
    pub(super) fn mend(&mut self) {
        self.limit = self.seats.len();
        for seat in &mut self.seats {
            if *seat == Seat::Broken {
                *seat = Seat::Empty;
            }
        }
    }

    /// From now on there may be this many workers, at least one.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(1);
    }

    /// What is to be done next, until there is nothing left to do at `now`.
    pub(super) fn next(&mut self, now: Duration) -> Option<Order> {
        let alive = self.alive();
        // Before any work is handed out: after a fallback one job at a time is done.
        if alive > self.limit
            && let Some(stop) = self.stop(|_| true)
        {
            return Some(stop);
        }
        if let Some(&(rank, task)) = self.waiting.first() {
            if let Some(seat) = self.freest() {
                self.waiting.remove(&(rank, task));
                self.seats[seat] = Seat::Busy { task };
                if let Some(known) = self.known.get_mut(&task) {
                    known.seat = Some(seat);
                }
                return Some(Order::Give { seat, task });
            }
            if alive < self.limit
                && let Some(seat) = self.seats.iter().position(|seat| *seat == Seat::Empty)
            {
                self.seats[seat] = Seat::Free { since: now };
                return Some(Order::Start { seat });
            }
            if self.is_hopeless() {
                self.waiting.remove(&(rank, task));
                self.forget(task);
                return Some(Order::Refuse { task });
            }
        }
        let idle_after = self.idle_after;
        self.stop(|since| now.saturating_sub(since) >= idle_after)
    }

    /// Empties the first seat whose worker has had nothing to do since a time that `ends`.
    fn stop(&mut self, ends: impl Fn(Duration) -> bool) -> Option<Order> {
        let unused = |seat: &Seat| matches!(seat, Seat::Free { since } if ends(*since));
        let seat = self.seats.iter().position(unused)?;
        self.seats[seat] = Seat::Empty;
        Some(Order::Stop { seat })
    }

    /// When there may be something to do although nothing happens.
    pub(super) fn next_change(&self) -> Option<Duration> {
        let ends = self.seats.iter().filter_map(|seat| match seat {
            Seat::Free { since } => Some(*since + self.idle_after),
            _ => None,
        });
        ends.min()
    }

    /// The free seat that was busy last, so that the others may end.
    fn freest(&self) -> Option<usize> {
        let free = self.seats.iter().enumerate().filter_map(|(index, seat)| {
            let Seat::Free { since } = seat else {
                return None;
            };
            Some((*since, std::cmp::Reverse(index)))
        });
        free.max().map(|(_, std::cmp::Reverse(index))| index)
    }

    /// How many seats have a worker.
    fn alive(&self) -> usize {
        let without = |seat: &&Seat| matches!(seat, Seat::Empty | Seat::Broken);
        self.seats.len() - self.seats.iter().filter(without).count()
    }

    fn forget(&mut self, task: TaskId) -> Option<Known> {
        let known = self.known.remove(&task)?;
        if let Some(control) = &known.control
            && self.controls.get(control) == Some(&task)
        {
            self.controls.remove(control);
        }
        Some(known)
    }
}
