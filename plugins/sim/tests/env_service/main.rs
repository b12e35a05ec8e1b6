//! The environment service on every native host. In a browser `examples/env_web.rs` runs the same cases.

mod any_order;
mod batch;
#[path = "../../../../tests/shared/counting.rs"]
mod counting;
#[path = "../../examples/env_web/episode.rs"]
mod episode;
mod suite;

use forearm_workers::Host;

/// Runs all cases that this host can have; tells all that fail.
fn all_cases_on(host: Host) {
    let failed: Vec<String> = suite::CASES
        .iter()
        .filter(|case| case.excuse(host).is_none())
        .filter_map(|case| {
            let outcome = pollster::block_on(case.run(host));
            outcome.err().map(|why| format!("{}: {why}", case.name))
        })
        .collect();
    assert!(failed.is_empty(), "on {host:?}:\n{}", failed.join("\n"));
}

#[test]
fn a_thread_keeps_all_promises() {
    all_cases_on(Host::Thread);
}

#[test]
fn slices_keep_all_promises() {
    all_cases_on(Host::Inline);
}

#[test]
fn stepped_time_keeps_all_promises() {
    all_cases_on(Host::Stepped);
}

#[test]
fn each_case_has_a_host_and_each_excuse_a_reason() {
    for case in suite::CASES {
        let hosts = [Host::Thread, Host::Inline, Host::Stepped];
        let excuses: Vec<&str> = hosts.iter().filter_map(|host| case.excuse(*host)).collect();
        assert!(excuses.len() < hosts.len(), "{} runs nowhere", case.name);
        assert!(excuses.iter().all(|why| why.len() > 20), "{}", case.name);
    }
}
