//! The schedule on its own: first its rules one by one, then all of them under random events.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const SEC: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(60);

fn at(secs: u64) -> Duration {
    SEC * u32::try_from(secs).expect("small")
}

fn submit(schedule: &mut Schedule, secs: u64, task: TaskId, priority: u8) {
    schedule.submit(at(secs), task, Priority::new(priority), None);
}

/// Everything that is to be done at this time.
fn orders(schedule: &mut Schedule, secs: u64) -> Vec<Order> {
    std::iter::from_fn(|| schedule.next(at(secs))).collect()
}

/// The tasks in the order in which one worker gets them, each done at once.
fn order_of_work(schedule: &mut Schedule, secs: u64) -> Vec<TaskId> {
    let mut done = Vec::new();
    while let Some(order) = schedule.next(at(secs)) {
        if let Order::Give { seat, task } = order {
            done.push(task);
            schedule.ended(at(secs), seat);
        }
    }
    done
}

#[test]
fn workers_start_only_when_work_waits_and_none_is_free() {
    let mut schedule = Schedule::new(2, IDLE);
    assert_eq!(orders(&mut schedule, 0), []);
    submit(&mut schedule, 0, 1, 3);
    let first = [Order::Start { seat: 0 }, Order::Give { seat: 0, task: 1 }];
    assert_eq!(orders(&mut schedule, 0), first);
    schedule.ended(at(1), 0);
    submit(&mut schedule, 2, 2, 3);
    submit(&mut schedule, 2, 3, 3);
    submit(&mut schedule, 2, 4, 3);
    let second = [
        Order::Give { seat: 0, task: 2 },
        Order::Start { seat: 1 },
        Order::Give { seat: 1, task: 3 },
    ];
    assert_eq!(orders(&mut schedule, 2), second);
    assert_eq!(schedule.waiting(), 1);
}

#[test]
fn idle_workers_end_and_the_one_that_was_busy_last_gets_the_work() {
    let mut schedule = Schedule::new(2, IDLE);
    submit(&mut schedule, 0, 1, 3);
    submit(&mut schedule, 0, 2, 3);
    orders(&mut schedule, 0);
    schedule.ended(at(10), 0);
    schedule.ended(at(20), 1);
    submit(&mut schedule, 30, 3, 3);
    assert_eq!(
        orders(&mut schedule, 30),
        [Order::Give { seat: 1, task: 3 }]
    );
    assert_eq!(schedule.next_change(), Some(at(70)));
    assert_eq!(orders(&mut schedule, 69), []);
    assert_eq!(orders(&mut schedule, 70), [Order::Stop { seat: 0 }]);
    schedule.ended(at(80), 1);
    assert_eq!(orders(&mut schedule, 140), [Order::Stop { seat: 1 }]);
    assert_eq!(schedule.next_change(), None);
}

#[test]
fn the_most_urgent_goes_first_and_equals_in_the_order_in_which_they_came() {
    let mut schedule = Schedule::new(1, IDLE);
    for (task, priority) in [(1, 5), (2, 3), (3, 1), (4, 3), (5, 1)] {
        submit(&mut schedule, 0, task, priority);
    }
    assert_eq!(order_of_work(&mut schedule, 0), [3, 5, 2, 4, 1]);
}

#[test]
fn waiting_makes_up_for_urgency() {
    let mut schedule = Schedule::new(1, IDLE);
    submit(&mut schedule, 0, 1, 5);
    submit(&mut schedule, 39, 2, 1);
    submit(&mut schedule, 41, 3, 1);
    assert_eq!(order_of_work(&mut schedule, 41), [2, 1, 3]);
}

#[test]
fn background_work_is_not_starved_by_a_stream_of_urgent_work() {
    let mut schedule = Schedule::new(1, IDLE);
    submit(&mut schedule, 0, 1, 5);
    let mut came = BTreeMap::new();
    let mut next = 2;
    for second in 0..200 {
        // Two urgent tasks a second, of which the worker can do one.
        for _ in 0..2 {
            submit(&mut schedule, second, next, 1);
            came.insert(next, second);
            next += 1;
        }
        for order in orders(&mut schedule, second) {
            let Order::Give { seat, task } = order else {
                continue;
            };
            schedule.ended(at(second), seat);
            match came.get(&task) {
                Some(came) => assert!(*came <= 40, "4 steps of 10 s make up for 4 of urgency"),
                None => return,
            }
        }
    }
    panic!("it was never begun");
}

#[test]
fn a_task_that_is_called_off_frees_its_worker_when_it_lets_go() {
    let mut schedule = Schedule::new(1, IDLE);
    let priority = Priority::INTERACTIVE;
    schedule.submit(at(0), 1, priority, Some("blur".to_owned()));
    orders(&mut schedule, 0);
    assert_eq!(schedule.rival("blur"), Some(1));
    assert_eq!(schedule.call_off(1), Some(Was::AtWork { seat: 0 }));
    assert_eq!((schedule.rival("blur"), schedule.call_off(1)), (None, None));
    schedule.submit(at(1), 2, priority, Some("blur".to_owned()));
    assert_eq!(orders(&mut schedule, 1), []);
    schedule.left(at(2), 0);
    assert_eq!(orders(&mut schedule, 2), [Order::Give { seat: 0, task: 2 }]);
}

#[test]
fn a_crash_gives_the_task_back_in_its_old_place() {
    let mut schedule = Schedule::new(2, IDLE);
    submit(&mut schedule, 0, 1, 3);
    submit(&mut schedule, 0, 2, 3);
    submit(&mut schedule, 0, 3, 3);
    orders(&mut schedule, 0);
    schedule.down(0, true);
    assert_eq!(orders(&mut schedule, 1), []);
    schedule.ended(at(2), 1);
    assert_eq!(orders(&mut schedule, 2), [Order::Give { seat: 1, task: 1 }]);
    schedule.up(at(3), 0);
    assert_eq!(orders(&mut schedule, 3), [Order::Give { seat: 0, task: 3 }]);
}

#[test]
fn when_all_workers_were_given_up_tasks_are_refused_until_it_is_mended() {
    let mut schedule = Schedule::new(2, IDLE);
    for task in 1..=4 {
        submit(&mut schedule, 0, task, 3);
    }
    orders(&mut schedule, 0);
    schedule.broken(0);
    assert_eq!(orders(&mut schedule, 1), []);
    schedule.broken(1);
    let refused = [Order::Refuse { task: 3 }, Order::Refuse { task: 4 }];
    assert_eq!(orders(&mut schedule, 1), refused);
    schedule.mend();
    submit(&mut schedule, 2, 5, 3);
    assert_eq!(orders(&mut schedule, 2).len(), 2);
}

#[test]
fn a_lower_limit_ends_workers_as_they_become_free() {
    let mut schedule = Schedule::new(3, IDLE);
    for task in 1..=3 {
        submit(&mut schedule, 0, task, 3);
    }
    orders(&mut schedule, 0);
    schedule.set_limit(1);
    schedule.ended(at(1), 0);
    schedule.ended(at(1), 1);
    let stops = [Order::Stop { seat: 0 }, Order::Stop { seat: 1 }];
    assert_eq!(orders(&mut schedule, 1), stops);
    schedule.ended(at(2), 2);
    assert_eq!(orders(&mut schedule, 2), []);
}

#[test]
fn workers_beyond_a_lower_limit_get_no_more_work() {
    let mut schedule = Schedule::new(3, IDLE);
    for task in 1..=5 {
        submit(&mut schedule, 0, task, 3);
    }
    orders(&mut schedule, 0);
    schedule.set_limit(1);
    schedule.ended(at(1), 0);
    assert_eq!(orders(&mut schedule, 1), [Order::Stop { seat: 0 }]);
    schedule.ended(at(2), 1);
    assert_eq!(orders(&mut schedule, 2), [Order::Stop { seat: 1 }]);
    schedule.ended(at(3), 2);
    assert_eq!(orders(&mut schedule, 3), [Order::Give { seat: 2, task: 4 }]);
}

#[test]
fn a_seat_that_was_given_up_takes_nobodys_place_under_a_lower_limit() {
    let mut schedule = Schedule::new(2, IDLE);
    submit(&mut schedule, 0, 1, 3);
    orders(&mut schedule, 0);
    schedule.broken(0);
    schedule.set_limit(1);
    submit(&mut schedule, 1, 2, 3);
    let second = [Order::Start { seat: 1 }, Order::Give { seat: 1, task: 2 }];
    assert_eq!(orders(&mut schedule, 1), second);
}

/// Something that happens to a schedule.
#[derive(Debug, Clone)]
enum Happening {
    Submit { priority: u8, control: Option<u8> },
    CallOff { which: usize },
    Answer { seat: usize },
    Crash { seat: usize, again: bool },
    Return { seat: usize },
    GiveUp { seat: usize },
    Mend,
    Limit { limit: usize },
    Wait { secs: u64 },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0u8..8, prop::option::of(0u8..3))
            .prop_map(|(priority, control)| Happening::Submit { priority, control }),
        2 => any::<usize>().prop_map(|which| Happening::CallOff { which }),
        6 => (0usize..4).prop_map(|seat| Happening::Answer { seat }),
        1 => (0usize..4, any::<bool>()).prop_map(|(seat, again)| Happening::Crash { seat, again }),
        2 => (0usize..4).prop_map(|seat| Happening::Return { seat }),
        1 => (0usize..4).prop_map(|seat| Happening::GiveUp { seat }),
        1 => Just(Happening::Mend),
        1 => (0usize..5).prop_map(|limit| Happening::Limit { limit }),
        3 => (0u64..100).prop_map(|secs| Happening::Wait { secs }),
    ]
}

/// What a simple observer knows.
#[derive(Default)]
struct Observer {
    now_secs: u64,
    next: TaskId,
    limit: usize,
    /// Rank of what waits.
    waiting: BTreeMap<TaskId, Duration>,
    controls: BTreeMap<u8, TaskId>,
    /// What each worker does: a task, or letting go of one.
    workers: BTreeMap<usize, Option<TaskId>>,
    alive: BTreeSet<usize>,
    down: BTreeSet<usize>,
    ranks: BTreeMap<TaskId, Duration>,
    outcomes: BTreeMap<TaskId, u32>,
}

impl Observer {
    fn end(&mut self, task: TaskId) {
        *self.outcomes.entry(task).or_default() += 1;
    }

    fn obey(&mut self, order: Order) -> Result<(), TestCaseError> {
        match order {
            Order::Start { seat } => {
                prop_assert!(!self.waiting.is_empty(), "a worker starts without work");
                prop_assert!(self.alive.insert(seat), "there is one on seat {}", seat);
                prop_assert!(self.alive.len() <= self.limit, "more than the limit");
            }
            Order::Give { seat, task } => {
                prop_assert!(self.alive.contains(&seat) && !self.down.contains(&seat));
                prop_assert!(!self.workers.contains_key(&seat), "it is at work");
                prop_assert!(self.alive.len() <= self.limit, "it is to end");
                let rank = self.waiting.remove(&task);
                prop_assert!(rank.is_some(), "it does not wait");
                let best = self.waiting.iter().map(|(task, rank)| (*rank, *task)).min();
                prop_assert!(best.is_none_or(|best| (rank.unwrap_or_default(), task) < best));
                self.workers.insert(seat, Some(task));
            }
            Order::Stop { seat } => {
                prop_assert!(!self.workers.contains_key(&seat), "it is at work");
                prop_assert!(!self.down.contains(&seat), "it is on its way back");
                prop_assert!(self.alive.remove(&seat));
            }
            Order::Refuse { task } => {
                prop_assert!(self.waiting.remove(&task).is_some());
                prop_assert!(self.alive.is_empty(), "somebody could do it");
                self.end(task);
            }
        }
        Ok(())
    }

    fn happen(&mut self, schedule: &mut Schedule, happening: &Happening) {
        let now = at(self.now_secs);
        match *happening {
            Happening::Submit { priority, control } => {
                self.next += 1;
                let name = control.map(|control| control.to_string());
                let rival = name.as_ref().and_then(|name| schedule.rival(name));
                if let Some(rival) = rival {
                    self.call_off(schedule, rival);
                }
                let priority = Priority::new(priority);
                schedule.submit(now, self.next, priority, name);
                self.waiting.insert(self.next, priority.rank(now));
                self.ranks.insert(self.next, priority.rank(now));
                if let Some(control) = control {
                    self.controls.insert(control, self.next);
                }
            }
            Happening::CallOff { which } => {
                let task = which as u64 % (self.next + 1);
                self.call_off(schedule, task);
            }
            Happening::Answer { seat } => match self.workers.remove(&seat) {
                Some(Some(task)) => {
                    self.end(task);
                    schedule.ended(now, seat);
                }
                Some(None) => schedule.left(now, seat),
                None => {}
            },
            Happening::Crash { seat, again } if self.alive.contains(&seat) => {
                match self.workers.remove(&seat).flatten() {
                    Some(task) if again => {
                        self.waiting.insert(task, self.ranks[&task]);
                    }
                    Some(task) => self.end(task),
                    None => {}
                }
                schedule.down(seat, again);
                self.down.insert(seat);
            }
            Happening::Return { seat } if self.down.remove(&seat) => schedule.up(now, seat),
            Happening::GiveUp { seat } if self.alive.remove(&seat) => {
                self.down.remove(&seat);
                if let Some(Some(task)) = self.workers.remove(&seat) {
                    self.end(task);
                }
                schedule.broken(seat);
            }
            Happening::Mend => self.mend(schedule),
            Happening::Limit { limit } => {
                self.limit = limit.max(1);
                schedule.set_limit(limit);
            }
            Happening::Wait { secs } => self.now_secs += secs,
            Happening::Crash { .. } | Happening::Return { .. } | Happening::GiveUp { .. } => {}
        }
    }

    fn mend(&mut self, schedule: &mut Schedule) {
        schedule.mend();
        self.limit = schedule.size();
    }

    fn call_off(&mut self, schedule: &mut Schedule, task: TaskId) {
        let was = schedule.call_off(task);
        let seat = self.workers.iter().find(|(_, doing)| **doing == Some(task));
        let seat = seat.map(|(seat, _)| *seat);
        let expected = match (self.waiting.remove(&task), seat) {
            (Some(_), _) => Some(Was::Waiting),
            (None, Some(seat)) => {
                self.workers.insert(seat, None);
                Some(Was::AtWork { seat })
            }
            (None, None) => None,
        };
        assert_eq!(was, expected);
        if was.is_some() {
            self.end(task);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever happens in whatever order: a task has at most one outcome and, when everybody has
    /// worked on to the end, exactly one; a worker has one task at a time; nothing waits while a
    /// worker is free; the best goes first; there are never more workers than allowed; a control has
    /// at most one task.
    #[test]
    fn every_task_ends_once(happenings in prop::collection::vec(happening(), 1..80)) {
        let mut schedule = Schedule::new(4, IDLE);
        let mut observer = Observer { limit: 4, ..Observer::default() };
        for happening in &happenings {
            observer.happen(&mut schedule, happening);
            while let Some(order) = schedule.next(at(observer.now_secs)) {
                observer.obey(order)?;
            }
            let free = observer.alive.iter().any(|seat| {
                !observer.workers.contains_key(seat) && !observer.down.contains(seat)
            });
            prop_assert!(observer.waiting.is_empty() || !free, "work waits beside a free worker");
            prop_assert_eq!(schedule.waiting(), observer.waiting.len());
            let live = |task: &TaskId| !observer.outcomes.contains_key(task);
            for (control, task) in &observer.controls {
                let known = schedule.rival(&control.to_string());
                prop_assert_eq!(known, Some(*task).filter(live));
            }
            prop_assert!(observer.outcomes.values().all(|count| *count == 1));
        }
        // Everybody comes back and works on.
        observer.mend(&mut schedule);
        for _ in 0..400 {
            for seat in 0..4 {
                observer.happen(&mut schedule, &Happening::Return { seat });
                observer.happen(&mut schedule, &Happening::Answer { seat });
            }
            while let Some(order) = schedule.next(at(observer.now_secs)) {
                observer.obey(order)?;
            }
        }
        prop_assert_eq!(observer.outcomes.len() as u64, observer.next);
        prop_assert!(observer.outcomes.values().all(|count| *count == 1));
        observer.now_secs += 60;
        while let Some(order) = schedule.next(at(observer.now_secs)) {
            observer.obey(order)?;
        }
        prop_assert!(observer.alive.is_empty(), "idle workers end");
    }
}
