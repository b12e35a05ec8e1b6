//! The pool with real workers: what it promises on threads and inline. Who goes first when is tested
//! beside the schedule, without threads.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use forearm_protocol::lifecycle::Fault;
use forearm_protocol::telemetry::KindStats;
use forearm_protocol::{Buffer, Message, ServiceError};
use forearm_workers::pool::{
    CacheKey, JobContext, Jobs, Pool, PoolConfig, PoolEvent, PoolStatus, Priority, Task, Ticket,
};
use forearm_workers::{Host, HostKind, RestartPolicy};
use serde::{Deserialize, Serialize};

/// How long a test waits before it says that something never comes.
const NEVER: Duration = Duration::from_secs(30);

/// A worker's first crash is its last.
fn no_restart() -> RestartPolicy {
    RestartPolicy {
        most: 0,
        ..RestartPolicy::default()
    }
}

/// What the jobs of these tests do. Numbers name gates: see [`open`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Chore {
    /// Adds.
    Add(u64, u64),
    /// Adds, and may be remembered.
    AddOnce(u64, u64),
    /// Looks up at every turn until the gate is open.
    Until(u64),
    /// Waits for the gate without looking up, for as long as that takes.
    Stuck(u64),
    /// Panics; the second time at this number it does not if it may be tried again.
    Panic { number: u64, again: bool },
    /// Fails.
    Refuse,
    /// Takes longer than it may, until the gate is open.
    Slow(u64),
    /// Gives the bytes back, doubled.
    Double(Buffer),
    /// Leaves something behind that keeps its thread from ending until the gate is open.
    Linger(u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Product {
    Number(u64),
    Bytes(Buffer),
}

impl Message for Chore {
    fn name(&self) -> &'static str {
        match self {
            Self::Add(..) => "chore/add",
            Self::AddOnce(..) => "chore/add_once",
            Self::Until(_) => "chore/until",
            Self::Stuck(_) => "chore/stuck",
            Self::Panic { .. } => "chore/panic",
            Self::Refuse => "chore/refuse",
            Self::Slow(_) => "chore/slow",
            Self::Double(_) => "chore/double",
            Self::Linger(_) => "chore/linger",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Double(bytes) => vec![bytes],
            _ => Vec::new(),
        }
    }
}

impl Message for Product {
    fn name(&self) -> &'static str {
        match self {
            Self::Number(_) => "product/number",
            Self::Bytes(_) => "product/bytes",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Bytes(bytes) => vec![bytes],
        }
    }
}

struct Chores;

impl Jobs for Chores {
    type Task = Chore;
    type Output = Product;

    const NAME: &'static str = "chores";
    const PATIENCE: Duration = Duration::from_secs(1);

    async fn run(chore: Chore, cx: JobContext) -> Result<Product, ServiceError> {
        match chore {
            Chore::Add(a, b) | Chore::AddOnce(a, b) => {
                begin(a);
                Ok(Product::Number(a + b))
            }
            Chore::Until(gate) | Chore::Slow(gate) => {
                begin(gate);
                let _guard = Guard(gate);
                let mut turns = 0;
                while !is_open(gate) {
                    turns += 1;
                    cx.progress("turns", 0.5);
                    cx.checkpoint().await?;
                }
                Ok(Product::Number(turns))
            }
            Chore::Stuck(gate) => {
                begin(gate);
                wait_for(gate);
                Ok(Product::Number(0))
            }
            Chore::Panic { number, .. } => {
                let before = begin(number);
                assert!(before > 0, "the first time it fails");
                Ok(Product::Number(before))
            }
            Chore::Refuse => Err(ServiceError::Refused {
                what: "the chore".to_owned(),
                why: "it is no fun".to_owned(),
                next: "ask somebody else".to_owned(),
            }),
            Chore::Double(bytes) => {
                let twice = bytes.to_vec().repeat(2);
                Ok(Product::Bytes(twice.into()))
            }
            Chore::Linger(gate) => {
                LEFT_BEHIND.with(|left| left.replace(Some(Lingering(gate))));
                Ok(Product::Number(gate))
            }
        }
    }

    fn cache_key(chore: &Chore) -> Option<CacheKey> {
        let Chore::AddOnce(a, b) = chore else {
            return None;
        };
        let mut key = [0; 32];
        key[..8].copy_from_slice(&a.to_le_bytes());
        key[8..16].copy_from_slice(&b.to_le_bytes());
        Some(key)
    }

    fn may_retry(chore: &Chore) -> bool {
        matches!(chore, Chore::Panic { again: true, .. })
    }

    fn timeout(chore: &Chore) -> Duration {
        match chore {
            Chore::Slow(_) => Duration::from_millis(50),
            _ => Duration::from_secs(600),
        }
    }
}

/// Gates by number: whether they are open, how often a job came to them, in which order.
#[derive(Default)]
struct Gates {
    open: BTreeMap<u64, bool>,
    begun: Vec<u64>,
    dropped: Vec<u64>,
}

static GATES: Mutex<Gates> = Mutex::new(Gates {
    open: BTreeMap::new(),
    begun: Vec::new(),
    dropped: Vec::new(),
});
static CHANGED: Condvar = Condvar::new();

fn gates() -> MutexGuard<'static, Gates> {
    GATES.lock().expect("no test panics under this lock")
}

/// A number that no other test uses.
fn new_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn open(gate: u64) {
    gates().open.insert(gate, true);
    CHANGED.notify_all();
}

fn is_open(gate: u64) -> bool {
    gates().open.contains_key(&gate)
}

/// Notes that a job has begun; answers how often one had before.
fn begin(number: u64) -> u64 {
    let mut gates = gates();
    let before = gates.begun.iter().filter(|it| **it == number).count();
    gates.begun.push(number);
    CHANGED.notify_all();
    before as u64
}

fn begun(number: u64) -> usize {
    gates().begun.iter().filter(|it| **it == number).count()
}

fn wait_for(gate: u64) {
    let open = |gates: &mut Gates| !gates.open.contains_key(&gate);
    drop(CHANGED.wait_while(gates(), open).expect("as above"));
}

/// Tells that a job was let go of.
struct Guard(u64);

impl Drop for Guard {
    fn drop(&mut self) {
        gates().dropped.push(self.0);
        CHANGED.notify_all();
    }
}

thread_local! {
    static LEFT_BEHIND: RefCell<Option<Lingering>> = const { RefCell::new(None) };
}

/// Keeps the thread that owns it from ending until the gate is open.
struct Lingering(u64);

impl Drop for Lingering {
    fn drop(&mut self) {
        begin(self.0);
        wait_for(self.0);
    }
}

fn pool(host: Host, size: usize) -> Pool<Chores> {
    Pool::new(PoolConfig {
        host,
        size,
        restart: RestartPolicy {
            backoff: Duration::from_millis(1),
            most: 100,
            ..RestartPolicy::default()
        },
        ..PoolConfig::default()
    })
}

fn on_both_hosts(test: impl Fn(Pool<Chores>)) {
    test(pool(Host::Thread, 1));
    test(pool(Host::Inline, 1));
}

/// Pumps, as an app does, until `done`.
#[track_caller]
fn pump_until(pool: &Pool<Chores>, what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < NEVER, "{what}: {:?}", pool.status());
        pool.pump(Duration::from_millis(4));
        std::thread::yield_now();
    }
}

#[track_caller]
fn result(pool: &Pool<Chores>, ticket: &mut Ticket<Chores>) -> Result<Product, ServiceError> {
    let mut taken = None;
    pump_until(pool, "a result", || {
        taken = ticket.try_take();
        taken.is_some()
    });
    taken.expect("it was taken")
}

#[track_caller]
fn number(pool: &Pool<Chores>, ticket: &mut Ticket<Chores>) -> u64 {
    match result(pool, ticket) {
        Ok(Product::Number(number)) => number,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn error(pool: &Pool<Chores>, ticket: &mut Ticket<Chores>) -> ServiceError {
    result(pool, ticket).expect_err("it fails")
}

fn kind(status: &PoolStatus, name: &str) -> KindStats {
    let kind = status.kinds.iter().find(|kind| kind.kind == name);
    kind.cloned().unwrap_or_default()
}

/// Whether the job that waits at this gate has been let go of.
fn was_let_go(gate: u64) -> bool {
    gates().dropped.contains(&gate)
}

#[test]
fn tasks_are_done_and_bytes_come_back() {
    on_both_hosts(|pool| {
        let mut sum = pool.submit(Task::new(Chore::Add(1, 2)));
        let bytes = Buffer::from(vec![1, 2]);
        let mut twice = pool.submit(Task::new(Chore::Double(bytes)));
        assert_eq!(number(&pool, &mut sum), 3);
        let expected = Product::Bytes(vec![1, 2, 1, 2].into());
        assert_eq!(result(&pool, &mut twice), Ok(expected));
        assert_eq!(sum.try_take(), None, "a result is taken once");
    });
}

#[test]
fn a_ticket_can_be_awaited_and_nobody_needs_to_pump() {
    on_both_hosts(|pool| {
        let tickets: Vec<_> = (0..50)
            .map(|number| pool.submit(Task::new(Chore::Add(number, 1))))
            .collect();
        for (number, ticket) in (0..).zip(tickets) {
            let product = pollster::block_on(ticket);
            assert_eq!(product, Ok(Product::Number(number + 1)));
        }
    });
}

#[test]
fn workers_start_lazily_up_to_the_size_and_end_when_idle() {
    let pool = Pool::<Chores>::new(PoolConfig {
        size: 2,
        idle_after: Duration::from_millis(20),
        ..PoolConfig::default()
    });
    assert_eq!((pool.status().alive, pool.status().host), (0, None));
    let gate = new_number();
    let mut tickets: Vec<_> = (0..4)
        .map(|_| pool.submit(Task::new(Chore::Until(gate))))
        .collect();
    let status = pool.status();
    assert_eq!((status.alive, status.busy, status.queued), (2, 2, 2));
    assert_eq!(status.host, Some(HostKind::Thread));
    assert_eq!(kind(&status, "chore/until").queued, 2);
    assert_eq!(kind(&status, "chore/until").running, 2);
    open(gate);
    for ticket in &mut tickets {
        number(&pool, ticket);
    }
    // The timers see to it, without a pump.
    let start = Instant::now();
    while pool.status().alive > 0 {
        assert!(start.elapsed() < NEVER, "{:?}", pool.status());
        std::thread::yield_now();
    }
    let mut again = pool.submit(Task::new(Chore::Add(1, 1)));
    assert_eq!(number(&pool, &mut again), 2);
    assert_eq!(pool.status().started, 3);
}

#[test]
fn the_urgent_goes_first() {
    on_both_hosts(|pool| {
        let gate = new_number();
        let mut first = pool.submit(Task::new(Chore::Until(gate)));
        pump_until(&pool, "the first begins", || begun(gate) == 1);
        let [low, high] = [new_number(), new_number()];
        let add = |number| Task::new(Chore::Add(number, 0));
        let mut later = pool.submit(add(low).with_priority(Priority::BACKGROUND));
        let mut sooner = pool.submit(add(high).with_priority(Priority::INTERACTIVE));
        open(gate);
        for ticket in [&mut first, &mut later, &mut sooner] {
            number(&pool, ticket);
        }
        let order: Vec<_> = gates().begun.clone();
        let place = |number| order.iter().position(|it| *it == number);
        assert!(place(high) < place(low));
    });
}

#[test]
fn a_newer_task_for_a_control_takes_the_place_of_what_waits_and_of_what_is_at_work() {
    on_both_hosts(|pool| {
        let gates = [new_number(), new_number(), new_number()];
        let [mut running, mut waiting, mut newest] = gates.map(|gate| {
            let ticket = pool.submit(Task::new(Chore::Until(gate)).for_control("blur"));
            if gate == gates[0] {
                pump_until(&pool, "the first begins", || begun(gate) == 1);
            }
            ticket
        });
        for (ticket, gate) in [(&mut running, gates[0]), (&mut waiting, gates[1])] {
            let error = error(&pool, ticket);
            assert!(matches!(error, ServiceError::Cancelled { .. }), "{gate}");
            assert!(error.to_string().contains("a newer one"), "{error}");
        }
        open(gates[2]);
        number(&pool, &mut newest);
        assert!(was_let_go(gates[0]), "what was at work ended");
        // It took the first one's place, too: it may have begun before the newest came.
        let left = begun(gates[1]) == 0 || was_let_go(gates[1]);
        assert!(left, "what waited was not begun, or ended");
        let kind = kind(&pool.status(), "chore/until");
        assert_eq!((kind.done, kind.cancelled), (1, 2));
        assert_eq!((kind.queued, kind.running), (0, 0));
    });
}

#[test]
fn a_ticket_calls_its_task_off() {
    on_both_hosts(|pool| {
        let [gate, other] = [new_number(), new_number()];
        let mut running = pool.submit(Task::new(Chore::Until(gate)));
        let mut waiting = pool.submit(Task::new(Chore::Until(other)));
        pump_until(&pool, "it begins", || begun(gate) == 1);
        waiting.cancel();
        running.cancel();
        for ticket in [&mut running, &mut waiting] {
            let error = error(&pool, ticket);
            assert!(error.to_string().contains("gave it up"), "{error}");
        }
        pump_until(&pool, "it is let go of", || was_let_go(gate));
        let mut next = pool.submit(Task::new(Chore::Add(2, 2)));
        assert_eq!(number(&pool, &mut next), 4);
        assert_eq!(begun(other), 0);
        // Calling off what has ended does nothing.
        running.cancel();
    });
}

#[test]
fn progress_is_seen_while_it_is_at_work() {
    on_both_hosts(|pool| {
        let gate = new_number();
        let mut ticket = pool.submit(Task::new(Chore::Until(gate)));
        pump_until(&pool, "progress", || ticket.progress().is_some());
        let progress = ticket.progress().expect("it was told");
        assert_eq!((&*progress.stage, progress.fraction), ("turns", 0.5));
        open(gate);
        number(&pool, &mut ticket);
        assert_eq!(ticket.progress(), None);
    });
}

#[test]
fn results_are_remembered_by_their_key() {
    on_both_hosts(|pool| {
        let number_ = new_number();
        let mut first = pool.submit(Task::new(Chore::AddOnce(number_, 1)));
        assert_eq!(number(&pool, &mut first), number_ + 1);
        let mut again = pool.submit(Task::new(Chore::AddOnce(number_, 1)));
        // It is there at once, without a worker.
        assert_eq!(again.try_take(), Some(Ok(Product::Number(number_ + 1))));
        let mut other = pool.submit(Task::new(Chore::AddOnce(number_, 2)));
        assert_eq!(number(&pool, &mut other), number_ + 2);
        assert_eq!(begun(number_), 2);
        let kind = kind(&pool.status(), "chore/add_once");
        assert_eq!((kind.done, kind.cache_hits), (2, 1));
    });
}

#[test]
fn a_jobs_error_is_its_own() {
    on_both_hosts(|pool| {
        let mut refused = pool.submit(Task::new(Chore::Refuse));
        let told = error(&pool, &mut refused).to_string();
        assert!(told.contains("it is no fun; ask somebody else"), "{told}");
        assert_eq!(pool.events().next(), None);
        assert_eq!(kind(&pool.status(), "chore/refuse").failed, 1);
    });
}

#[test]
fn a_crash_fails_its_task_names_the_control_and_the_worker_comes_back() {
    on_both_hosts(|pool| {
        let number_ = new_number();
        let chore = Chore::Panic {
            number: number_,
            again: false,
        };
        let mut crashing = pool.submit(Task::new(chore).for_control("gripper"));
        let mut next = pool.submit(Task::new(Chore::Add(20, 1)));
        let told = error(&pool, &mut crashing);
        assert!(matches!(told, ServiceError::Crashed { .. }), "{told}");
        assert!(
            told.to_string().contains("the first time it fails"),
            "{told}"
        );
        assert_eq!(number(&pool, &mut next), 21);
        let mut events = Vec::new();
        pump_until(&pool, "the news", || {
            events.extend(pool.events());
            events.len() >= 2
        });
        let [
            PoolEvent::Crashed { affected, .. },
            PoolEvent::Recovered { .. },
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        let affected = affected.as_ref().expect("it was at work");
        assert_eq!(affected.control_id.as_deref(), Some("gripper"));
        assert_eq!((affected.kind, affected.retried), ("chore/panic", false));
        assert_eq!(pool.status().restarts, 1);
    });
}

#[test]
fn a_task_that_may_is_tried_once_more() {
    on_both_hosts(|pool| {
        let number_ = new_number();
        let chore = Chore::Panic {
            number: number_,
            again: true,
        };
        let mut ticket = pool.submit(Task::new(chore.clone()));
        assert_eq!(number(&pool, &mut ticket), 1);
        let kind = kind(&pool.status(), "chore/panic");
        assert_eq!(
            (kind.done, kind.failed, kind.running, kind.queued),
            (1, 0, 0, 0)
        );
    });
}

#[test]
fn a_worker_that_is_killed_or_hangs_is_replaced() {
    let pool = pool(Host::Thread, 2);
    let [gate, stuck] = [new_number(), new_number()];
    let mut killed = pool.submit(Task::new(Chore::Until(gate)));
    pump_until(&pool, "it begins", || begun(gate) == 1);
    pool.inject(Fault::Kill).expect("it has a worker");
    assert!(matches!(
        error(&pool, &mut killed),
        ServiceError::Crashed { .. }
    ));
    let mut hung = pool.submit(Task::new(Chore::Stuck(stuck)));
    let told = error(&pool, &mut hung);
    assert!(told.to_string().contains("no sign of life"), "{told}");
    open(stuck);
    let mut next = pool.submit(Task::new(Chore::Add(1, 1)));
    assert_eq!(number(&pool, &mut next), 2);
}

#[test]
fn a_task_that_takes_too_long_fails_and_its_worker_is_free_again() {
    on_both_hosts(|pool| {
        let gate = new_number();
        let mut slow = pool.submit(Task::new(Chore::Slow(gate)));
        let told = error(&pool, &mut slow);
        assert!(matches!(told, ServiceError::Timeout { .. }), "{told}");
        let mut next = pool.submit(Task::new(Chore::Add(1, 1)));
        assert_eq!(number(&pool, &mut next), 2);
        assert!(was_let_go(gate));
    });
}

#[test]
fn when_every_worker_was_given_up_tasks_fail_until_somebody_restarts_it() {
    for host in [Host::Thread, Host::Inline] {
        let pool = Pool::<Chores>::new(PoolConfig {
            host,
            size: 1,
            restart: no_restart(),
            ..PoolConfig::default()
        });
        let panics = Chore::Panic {
            number: new_number(),
            again: false,
        };
        let mut crashing = pool.submit(Task::new(panics));
        let mut waiting = pool.submit(Task::new(Chore::Add(1, 1)));
        for ticket in [&mut crashing, &mut waiting] {
            assert!(matches!(error(&pool, ticket), ServiceError::Crashed { .. }));
        }
        assert!(matches!(
            pool.events().next(),
            Some(PoolEvent::GivenUp { .. })
        ));
        let status = pool.status();
        assert!(status.failure.is_some() && status.alive == 0, "{status:?}");
        pool.restart();
        let mut next = pool.submit(Task::new(Chore::Add(1, 1)));
        assert_eq!(number(&pool, &mut next), 2);
        assert_eq!(pool.status().failure, None);
    }
}

#[test]
fn a_pool_that_lost_one_of_its_workers_has_not_failed() {
    let pool = Pool::<Chores>::new(PoolConfig {
        size: 2,
        idle_after: Duration::ZERO,
        restart: no_restart(),
        ..PoolConfig::default()
    });
    let panics = Chore::Panic {
        number: new_number(),
        again: false,
    };
    let mut crashing = pool.submit(Task::new(panics));
    let told = error(&pool, &mut crashing);
    assert!(matches!(told, ServiceError::Crashed { .. }), "{told}");
    let given_up = |event| matches!(event, PoolEvent::GivenUp { .. });
    pump_until(&pool, "the news", || pool.events().any(given_up));
    let mut next = pool.submit(Task::new(Chore::Add(1, 1)));
    assert_eq!(number(&pool, &mut next), 2);
    pump_until(&pool, "the idle end", || pool.status().alive == 0);
    assert_eq!(pool.status().failure, None);
}

#[test]
fn a_worker_that_takes_its_time_to_end_does_not_hold_the_pool_up() {
    let pool = Pool::<Chores>::new(PoolConfig {
        size: 1,
        idle_after: Duration::from_millis(20),
        ..PoolConfig::default()
    });
    let gate = new_number();
    let ticket = pool.submit(Task::new(Chore::Linger(gate)));
    assert_eq!(pollster::block_on(ticket), Ok(Product::Number(gate)));
    // Nobody pumps: the timers end it.
    let waits = |gates: &mut Gates| !gates.begun.contains(&gate);
    let waited = CHANGED.wait_timeout_while(gates(), NEVER, waits);
    let ended = !waited.expect("as above").1.timed_out();
    assert!(ended, "the worker never ends");
    let line = pool.line();
    let (tell, told) = std::sync::mpsc::channel();
    let asking = std::thread::spawn(move || {
        drop(line.submit(Task::new(Chore::Add(1, 1))));
        tell.send(()).ok();
    });
    let answered = told.recv_timeout(NEVER);
    open(gate);
    asking.join().expect("it does not panic");
    assert_eq!(answered, Ok(()), "whoever comes meanwhile has to wait");
}

#[test]
fn a_stopped_pool_fails_what_is_open_and_what_comes_later() {
    on_both_hosts(|mut pool| {
        let [gate, other] = [new_number(), new_number()];
        let mut running = pool.submit(Task::new(Chore::Until(gate)));
        let mut waiting = pool.submit(Task::new(Chore::Until(other)));
        pump_until(&pool, "it begins", || begun(gate) == 1);
        pool.stop();
        let mut late = pool.submit(Task::new(Chore::Add(1, 1)));
        for ticket in [&mut running, &mut waiting, &mut late] {
            let told = ticket.try_take().expect("it ended").expect_err("badly");
            assert!(matches!(told, ServiceError::Gone { .. }), "{told}");
        }
        assert!(was_let_go(gate), "nothing is left running");
        assert_eq!(pool.status().alive, 0);
        pool.stop();
    });
}

#[test]
fn many_tasks_from_many_threads_all_end() {
    let pool = pool(Host::Thread, 4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..100_u64 {
                    let control = format!("control {}", round % 3);
                    let task = Task::new(Chore::Add(round, thread)).for_control(control);
                    match pollster::block_on(pool.submit(task)) {
                        Ok(product) => assert_eq!(product, Product::Number(round + thread)),
                        Err(ServiceError::Cancelled { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let status = pool.status();
    let kind = kind(&status, "chore/add");
    assert_eq!(kind.done + kind.cancelled, 400, "{status:?}");
    assert_eq!((kind.queued, kind.running, status.queued), (0, 0, 0));
}
