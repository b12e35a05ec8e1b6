//! What a pool knows: its schedule, its tasks, its workers. Nothing in here waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use forearm_protocol::lifecycle::Fault;
use forearm_protocol::telemetry::KindStats;
use forearm_protocol::{Message, ServiceError};
use futures_channel::oneshot;
use web_time::Instant;

use crate::QUEUE_CAPACITY;
use crate::handle::{Handle, Host};
use crate::office::Lifecycle;
use crate::pool::cache::Cache;
use crate::pool::crew::{Affected, Outcome, PoolEvent, Worker};
use crate::pool::schedule::{Order, Schedule, TaskId, Was};
use crate::pool::{CacheKey, JobService, Jobs, PoolConfig, Task};
use crate::status::{HostKind, Progress, Status};
use crate::telemetry::Telemetry;

#[cfg(test)]
mod tests;

/// Events that may wait for the pool's owner; the oldest go first.
const EVENTS: usize = 256;

/// How a pool does.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolStatus {
    /// Its name.
    pub name: &'static str,
    /// How many workers there may be.
    pub size: usize,
    /// How many there are.
    pub alive: usize,
    /// How many of them are at work, or on their way back from a crash.
    pub busy: usize,
    /// Where they run; where they last ran, if there are none.
    pub host: Option<HostKind>,
    /// Why they have no thread or Web Worker.
    pub fallback: Option<String>,
    /// How many tasks wait.
    pub queued: usize,
    /// How many workers were started so far, those after a crash left out.
    pub started: u64,
    /// How often one was started again after a crash.
    pub restarts: u64,
    /// Why the pool fails its tasks, if it does: every worker was given up.
    pub failure: Option<ServiceError>,
    /// Messages that went either way, in total.
    pub messages: u64,
    /// Bytes that were copied or transferred, in total; none where values move.
    pub bytes: u64,
    /// The longest that a worker at work has been silent.
    pub silence: Duration,
    /// What it did, by kind of task.
    pub kinds: Vec<KindStats>,
}

/// A result on its way to its ticket; sent when the pool is not locked, for whoever is woken may
/// turn to the pool.
pub(super) type Letter<R> = (
    oneshot::Sender<Result<R, ServiceError>>,
    Result<R, ServiceError>,
);

pub(super) struct State<J: Jobs> {
    config: PoolConfig,
    born: Instant,
    schedule: Schedule,
    tasks: BTreeMap<TaskId, Entry<J>>,
    crew: Vec<Option<Worker<J>>>,
    cache: Cache<J::Output>,
    telemetry: Telemetry,
    events: VecDeque<PoolEvent>,
    pub(super) letters: Vec<Letter<J::Output>>,
    /// Workers that are to end; let go of when the pool is not locked, for natively that waits for
    /// their threads.
    pub(super) buried: Vec<Worker<J>>,
    last_id: TaskId,
    host: Option<HostKind>,
    fallback: Option<String>,
    /// The last fallback that was told of.
    told_fallback: Option<String>,
    /// How the last worker that was given up ended.
    failure: Option<ServiceError>,
    stopped: bool,
    started: u64,
    /// Of workers that have ended: restarts, messages, bytes.
    past: (u64, u64, u64),
}

/// A task that has not ended.
struct Entry<J: Jobs> {
    kind: &'static str,
    /// What is to be done; kept while at work if it may be tried again.
    payload: Option<J::Task>,
    control_id: Option<String>,
    trace_id: u64,
    key: Option<CacheKey>,
    begun: Option<Instant>,
    /// Whether it was ever begun.
    tried: bool,
    result: oneshot::Sender<Result<J::Output, ServiceError>>,
}

impl<J: Jobs> State<J> {
    pub(super) fn new(config: PoolConfig) -> Self {
        let schedule = Schedule::new(config.size, config.idle_after);
        Self {
            born: Instant::now(),
            crew: (0..schedule.size()).map(|_| None).collect(),
            schedule,
            tasks: BTreeMap::new(),
            cache: Cache::new(config.cache_entries, config.cache_bytes),
            telemetry: Telemetry::default(),
            events: VecDeque::new(),
            letters: Vec::new(),
            buried: Vec::new(),
            last_id: 0,
            host: None,
            fallback: None,
            told_fallback: None,
            failure: None,
            stopped: false,
            started: 0,
            past: (0, 0, 0),
            config,
        }
    }

    fn now(&self) -> Duration {
        self.born.elapsed()
    }

    /// Takes a task in; answers its number and where its result will come.
    pub(super) fn submit(
        &mut self,
        task: Task<J::Task>,
    ) -> (TaskId, oneshot::Receiver<Result<J::Output, ServiceError>>) {
        self.last_id += 1;
        let id = self.last_id;
        let (result, receiver) = oneshot::channel();
        let kind = task.payload.name();
        let older = task
            .control_id
            .as_ref()
            .and_then(|it| self.schedule.rival(it));
        if let Some(older) = older {
            self.call_off(older, "a newer one for the same control took its place");
        }
        let refusal = if self.stopped {
            Some(gone::<J>())
        } else if self.schedule.waiting() >= QUEUE_CAPACITY {
            Some(ServiceError::Busy {
                service: J::NAME.to_owned(),
                queued: self.schedule.waiting(),
            })
        } else {
            None
        };
        if let Some(error) = refusal {
            self.letters.push((result, Err(error)));
            return (id, receiver);
        }
        let key = J::cache_key(&task.payload);
        if let Some(known) = key.and_then(|key| self.cache.get(&key)) {
            self.telemetry.remembered(kind);
            self.letters.push((result, Ok(known)));
            return (id, receiver);
        }
        self.telemetry.queued(kind);
        let (now, control) = (self.now(), task.control_id.clone());
        self.schedule.submit(now, id, task.priority, control);
        self.tasks.insert(
            id,
            Entry {
                kind,
                payload: Some(task.payload),
                control_id: task.control_id,
                trace_id: task.trace_id,
                key,
                begun: None,
                tried: false,
                result,
            },
        );
        (id, receiver)
    }

    /// Ends a task that is no longer wanted.
    pub(super) fn call_off(&mut self, id: TaskId, why: &str) {
        let Some(was) = self.schedule.call_off(id) else {
            return;
        };
        if let Was::AtWork { seat } = was
            && let Some(worker) = &mut self.crew[seat]
        {
            worker.call_off();
        }
        if let Some(entry) = self.tasks.remove(&id) {
            match was {
                Was::Waiting => self.telemetry.cancelled_in_queue(entry.kind),
                Was::AtWork { .. } => self.telemetry.cancelled(entry.kind),
            }
            let error = ServiceError::Cancelled {
                request: entry.kind.to_owned(),
                why: why.to_owned(),
            };
            self.letters.push((entry.result, Err(error)));
        }
    }

    /// Sees to everything that has happened, and hands out work. `waker` is woken when a worker
    /// answers.
    pub(super) fn see_to(&mut self, waker: &Waker) {
        loop {
            for seat in 0..self.crew.len() {
                self.look(seat, waker);
            }
            if !self.carry_out_orders() {
                return;
            }
        }
    }

    /// Sees to one worker.
    fn look(&mut self, seat: usize, waker: &Waker) {
        let Some(worker) = &mut self.crew[seat] else {
            return;
        };
        // One that has work but no thread would do it here: that is for whoever gives it time.
        if !(worker.is_asked() && worker.is_inline()) {
            worker.watch();
        }
        // The answer before the news: so that it is known what a crash interrupted.
        if let Some(outcome) = worker.look(&mut Context::from_waker(waker)) {
            self.settle(seat, outcome);
        }
        let news: Vec<_> = match &self.crew[seat] {
            Some(worker) => worker.lifecycle().collect(),
            None => Vec::new(),
        };
        for change in news {
            self.hear(seat, change);
        }
        if let Some(worker) = &self.crew[seat] {
            self.host = Some(worker.status().host);
            // One from before the pool was mended makes room for a real one.
            let outdated = worker.is_inline() && self.fallback.is_none();
            if outdated && self.config.host == Host::Thread && self.schedule.dismiss(seat) {
                return self.bury(seat);
            }
            if self.schedule.is_down(seat) && worker.is_up() {
                self.schedule.up(self.born.elapsed(), seat);
            }
        }
    }

    /// Takes what a worker answered.
    fn settle(&mut self, seat: usize, outcome: Outcome<J::Output>) {
        let now = self.now();
        match outcome {
            Outcome::Ended(task, result) => {
                self.schedule.ended(now, seat);
                self.end(task, result);
            }
            Outcome::Overdue(task, error) => {
                self.schedule.call_off(task);
                if let Some(worker) = &mut self.crew[seat] {
                    worker.call_off();
                }
                self.end(task, Err(error));
            }
            Outcome::Left => self.schedule.left(now, seat),
            Outcome::Lost(task, error) => {
                let again = task
                    .and_then(|task| self.tasks.get(&task))
                    .is_some_and(|entry| entry.payload.is_some());
                self.schedule.down(seat, again);
                let Some(task) = task else { return };
                let affected = self.tasks.get(&task).map(|entry| Affected {
                    task_id: task,
                    kind: entry.kind,
                    control_id: entry.control_id.clone(),
                    retried: again,
                });
                if let Some(worker) = &mut self.crew[seat] {
                    worker.lost = affected;
                }
                match self.tasks.get_mut(&task) {
                    Some(entry) if again => {
                        entry.begun = None;
                        self.telemetry.queued_again(entry.kind);
                    }
                    _ => self.end(task, Err(error)),
                }
            }
        }
    }

    /// Takes news of a worker.
    fn hear(&mut self, seat: usize, change: Lifecycle) {
        let Some(worker) = &mut self.crew[seat] else {
            return;
        };
        let event = match change {
            Lifecycle::Fallback { why } => {
                self.schedule.set_limit(1);
                self.fallback = Some(why.clone());
                if self.told_fallback.replace(why.clone()).as_ref() == Some(&why) {
                    return;
                }
                PoolEvent::Fallback { why }
            }
            Lifecycle::Crashed { error, .. } => {
                let affected = worker.lost.take();
                if affected.is_none() && self.schedule.task_of(seat).is_none() {
                    self.schedule.down(seat, false);
                }
                PoolEvent::Crashed { error, affected }
            }
            Lifecycle::Recovered { after } => PoolEvent::Recovered { after },
            Lifecycle::GivenUp { error } => {
                if let Some(task) = self.schedule.task_of(seat) {
                    self.end(task, Err(error.clone()));
                }
                self.schedule.broken(seat);
                self.bury(seat);
                self.failure = Some(error.clone());
                PoolEvent::GivenUp { error }
            }
        };
        self.tell(event);
    }

    fn tell(&mut self, event: PoolEvent) {
        if self.events.len() >= EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Does what the schedule says; answers whether anything may have come of it at once.
    fn carry_out_orders(&mut self) -> bool {
        let mut given = false;
        let now = self.now();
        while let Some(order) = self.schedule.next(now) {
            match order {
                Order::Start { seat } => {
                    tracing::debug!("{}: starts worker {seat}", J::NAME);
                    self.started += 1;
                    let worker = Worker::start(self.config.host, self.config.restart);
                    self.crew[seat] = Some(worker);
                    // What it says of itself counts before it is given anything.
                    let news: Vec<_> = self.crew[seat].iter().flat_map(Worker::lifecycle).collect();
                    for change in news {
                        self.hear(seat, change);
                    }
                }
                Order::Give { seat, task } => {
                    given = true;
                    self.give(seat, task);
                }
                Order::Stop { seat } => {
                    tracing::debug!("{}: ends worker {seat}, which has no work", J::NAME);
                    self.bury(seat);
                    // The next one may get what this one could not have.
                    if self.crew.iter().all(Option::is_none) && self.fallback.take().is_some() {
                        self.schedule.set_limit(self.schedule.size());
                    }
                }
                Order::Refuse { task } => {
                    let error = self.failure.clone().unwrap_or_else(gone::<J>);
                    self.end(task, Err(error));
                }
            }
        }
        given
    }

    fn give(&mut self, seat: usize, task: TaskId) {
        let (Some(worker), Some(entry)) = (&mut self.crew[seat], self.tasks.get_mut(&task)) else {
            return;
        };
        let Some(payload) = entry.payload.take() else {
            return;
        };
        // Only once: a task that crashes every worker must end.
        if !entry.tried && J::may_retry(&payload) {
            entry.payload = Some(payload.clone());
        }
        worker.lost = None;
        entry.tried = true;
        entry.begun = Some(Instant::now());
        self.telemetry.begun(entry.kind);
        worker.give(task, entry.trace_id, payload);
    }

    /// Ends a task.
    fn end(&mut self, task: TaskId, result: Result<J::Output, ServiceError>) {
        let Some(entry) = self.tasks.remove(&task) else {
            return;
        };
        match (&result, entry.begun) {
            (Ok(output), begun) => {
                let took = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
                self.telemetry.done(entry.kind, took);
                if let Some(key) = entry.key {
                    self.cache.put(key, output, J::weight(output));
                }
            }
            (Err(_), Some(_)) => self.telemetry.failed(entry.kind),
            (Err(_), None) => self.telemetry.failed_in_queue(entry.kind),
        }
        self.letters.push((entry.result, result));
    }

    /// Has the worker on this seat end; what it counted is kept.
    fn bury(&mut self, seat: usize) {
        let Some(worker) = self.crew[seat].take() else {
            return;
        };
        let status = worker.status();
        self.past.0 += u64::from(status.restarts);
        self.past.1 += status.messages;
        self.past.2 += status.bytes;
        self.buried.push(worker);
    }

    /// Workers without a thread that have something to do.
    pub(super) fn busy_inline(&self) -> Vec<Arc<Handle<JobService<J>>>> {
        let workers = self.crew.iter().flatten();
        let busy = workers.filter(|worker| worker.is_asked() && worker.is_inline());
        busy.map(Worker::handle).collect()
    }

    /// When the pool has to be seen to although nobody answers, if ever.
    pub(super) fn next_change(&self, pace: Duration) -> Option<Instant> {
        if self.stopped {
            return None;
        }
        let idle = self.schedule.next_change().map(|at| self.born + at);
        let watch = (self.schedule.busy() > 0).then(|| Instant::now() + pace);
        idle.into_iter().chain(watch).min()
    }

    /// How far a task is, if it is at work and has told.
    pub(super) fn progress(&self, task: TaskId) -> Option<Progress> {
        let seat = (0..self.crew.len()).find(|seat| self.schedule.task_of(*seat) == Some(task))?;
        self.crew[seat].as_ref()?.progress()
    }

    pub(super) fn next_event(&mut self) -> Option<PoolEvent> {
        self.events.pop_front()
    }

    pub(super) fn status(&self) -> PoolStatus {
        let statuses: Vec<Status> = self.crew.iter().flatten().map(Worker::status).collect();
        let sum = |of: fn(&Status) -> u64| statuses.iter().map(of).sum::<u64>();
        let at_work = statuses.iter().filter(|status| status.in_flight > 0);
        PoolStatus {
            name: J::NAME,
            size: self.schedule.limit(),
            alive: statuses.len(),
            busy: self.schedule.busy(),
            host: self.host,
            fallback: self.fallback.clone(),
            queued: self.schedule.waiting(),
            started: self.started,
            restarts: self.past.0 + sum(|status| u64::from(status.restarts)),
            failure: self.failure.clone().filter(|_| self.schedule.is_hopeless()),
            messages: self.past.1 + sum(|status| status.messages),
            bytes: self.past.2 + sum(|status| status.bytes),
            silence: at_work
                .map(|status| status.silence)
                .max()
                .unwrap_or_default(),
            kinds: self.telemetry.stats(),
        }
    }

    /// Makes a worker fail: one at work, else any.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn inject(&self, fault: Fault) -> Result<(), ServiceError> {
        let at_work = self.crew.iter().flatten().find(|worker| worker.is_asked());
        match at_work.or_else(|| self.crew.iter().flatten().next()) {
            Some(worker) => worker.inject(fault),
            None => Err(ServiceError::Refused {
                what: format!("making a worker of `{}` fail", J::NAME),
                why: "it has none at present".to_owned(),
                next: "give it work first".to_owned(),
            }),
        }
    }

    /// Workers that were given up may be started again, and so may those that could not be had.
    pub(super) fn mend(&mut self) {
        self.failure = None;
        self.fallback = None;
        self.told_fallback = None;
        self.schedule.mend();
    }

    /// Ends everything: tasks that have not ended fail. Workers come back to be ended by the caller.
    pub(super) fn stop(&mut self) -> Vec<Worker<J>> {
        self.stopped = true;
        let open: Vec<_> = self.tasks.keys().copied().collect();
        for task in open {
            self.schedule.call_off(task);
            self.end(task, Err(gone::<J>()));
        }
        self.schedule = Schedule::new(self.config.size, self.config.idle_after);
        self.crew.iter_mut().filter_map(Option::take).collect()
    }
}

/// What is said of a pool that was stopped.
pub(super) fn gone<J: Jobs>() -> ServiceError {
    ServiceError::Gone {
        service: J::NAME.to_owned(),
        why: "it was stopped".to_owned(),
    }
}
