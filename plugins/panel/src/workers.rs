//! What the panels show of the services: who they are, where they run, how they do; and what
//! trials of a motion have come to.
//!
//! Plain data that the app fills in, from counters that the worker runtime keeps: building it a few
//! times a second is plenty. [`Meter`](crate::Meter) turns totals into rates.

use forearm_protocol::telemetry::KindStats;

/// Everything about services.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkersView {
    /// The services, in the order in which they are shown.
    pub services: Vec<ServiceRow>,
    /// Browser: whether `SharedArrayBuffer` can be used here. Nothing needs it.
    pub shared_memory: bool,
    /// Browser: whether the page is cross-origin isolated.
    pub isolated: bool,
    /// Processor cores that can be used; 0 if unknown.
    pub cores: usize,
    /// Whether every message is logged.
    pub diagnostics: bool,
    /// How trials of a motion stand; `None` where there are none, and the panel is not offered.
    /// Before the first trial: the default.
    pub trials: Option<TrialsView>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceRow {
    /// Its name, unique among services.
    pub name: String,
    /// Where it runs.
    pub host: HostLabel,
    /// Why it has no thread or worker of its own although it should; a sentence for people.
    pub fallback: Option<String>,
    /// Where it is in its life.
    pub state: ServiceState,
    /// Why it failed, or restarts; a sentence for people.
    pub failure: Option<String>,
    /// What it is doing and how much of that is done, 0 to 1.
    pub progress: Option<(String, f32)>,
    /// How long ago it was last heard of, seconds; `None` without a heartbeat.
    pub beat_age_secs: Option<f64>,
    /// How often it was started again after a failure.
    pub restarts: u32,
    /// Messages and jobs that wait for it.
    pub queue: usize,
    /// Messages to and from it, a second.
    pub messages_per_sec: f64,
    /// Bytes of those messages, a second; 0 where messages are handed over without being copied.
    pub bytes_per_sec: f64,
    /// What it does, one line a kind of work.
    pub kinds: Vec<KindStats>,
}

/// Where a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostLabel {
    /// On a thread of its own.
    #[default]
    Thread,
    /// In a Web Worker.
    Worker,
    /// In slices on the main thread, which also draws.
    Main,
}

impl HostLabel {
    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Thread => "own thread",
            Self::Worker => "web worker",
            Self::Main => "main thread",
        }
    }
}

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServiceState {
    /// It is not ready yet; messages wait.
    #[default]
    Starting,
    /// It works.
    Running,
    /// It failed and is being started again.
    Restarting,
    /// It has nothing to do and gave its thread or worker back; work brings it back.
    Idle,
    /// It failed and is not started again by itself.
    Failed,
    /// It was stopped.
    Stopped,
}

impl ServiceState {
    /// Its name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Idle => "idle",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// How trials of a motion stand: the same motion again and again, objects moved at random.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrialsView {
    /// Whether they are being run.
    pub running: bool,
    /// Runs that have ended.
    pub done: u32,
    /// Runs that were asked for; 0 before the first trial.
    pub runs: u32,
    /// Runs that ended with every object in its tray.
    pub succeeded: u32,
    /// Runs that ended otherwise.
    pub failed: u32,
    /// Why they could not be run; a sentence for people.
    pub error: Option<String>,
    /// How long the computer took for a run, mean, seconds; 0 before the first.
    pub secs_per_run: f64,
    /// The same, median and 95th percentile; `None` where it is not measured.
    pub p50_p95_secs: Option<(f64, f64)>,
}
