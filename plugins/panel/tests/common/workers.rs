//! Services as a browser has them some minutes after start: one that fell back, one that has
//! failed, a pool with work.

use forearm_panel::{HostLabel, ServiceRow, ServiceState, TrialsView, WorkersView};
use forearm_protocol::telemetry::KindStats;

/// Four services, good and bad.
pub fn workers() -> WorkersView {
    let service = |name: &str, state| ServiceRow {
        name: name.to_owned(),
        host: HostLabel::Worker,
        state,
        ..ServiceRow::default()
    };
    let kind = |kind: &'static str| KindStats {
        kind,
        ..KindStats::default()
    };
    let control = ServiceRow {
        beat_age_secs: Some(0.14),
        restarts: 1,
        messages_per_sec: 142.0,
        bytes_per_sec: 34_120.0,
        kinds: vec![
            KindStats {
                done: 14,
                failed: 1,
                mean_secs: 210e-6,
                p99_secs: 1.24e-3,
                ..kind("teleop/play_script")
            },
            KindStats {
                done: 3,
                mean_secs: 12.4e-3,
                p99_secs: 18.1e-3,
                ..kind("teleop/load_scene")
            },
        ],
        ..service("control", ServiceState::Running)
    };
    let pool = ServiceRow {
        beat_age_secs: Some(0.4),
        queue: 8,
        messages_per_sec: 12.4,
        bytes_per_sec: 1.34e6,
        kinds: vec![
            KindStats {
                queued: 8,
                running: 3,
                done: 12_040,
                cancelled: 4,
                cache_hits: 118,
                mean_secs: 0.812,
                p99_secs: 1.31,
                ..kind("trial/run")
            },
            KindStats {
                running: 1,
                ..kind("mesh/simplify")
            },
        ],
        ..service("pool", ServiceState::Running)
    };
    let vision = ServiceRow {
        host: HostLabel::Main,
        fallback: Some("The page's security policy forbids workers.".to_owned()),
        progress: Some(("Compiling".to_owned(), 0.4)),
        ..service("vision", ServiceState::Starting)
    };
    let recorder = ServiceRow {
        failure: Some(
            "It crashed 5 times in a minute: index out of bounds: the len is 6 but the index is 6 \
             (journal.rs:118). Restart it, or reload the page."
                .to_owned(),
        ),
        restarts: 5,
        ..service("recorder", ServiceState::Failed)
    };
    WorkersView {
        services: vec![control, pool, vision, recorder],
        cores: 8,
        ..WorkersView::default()
    }
}

/// Trials that have ended.
pub fn trials() -> TrialsView {
    TrialsView {
        done: 20,
        runs: 20,
        succeeded: 18,
        failed: 2,
        secs_per_run: 0.84,
        p50_p95_secs: Some((0.812, 1.204)),
        ..TrialsView::default()
    }
}
