//! The same seeds, the same bits: digests of very many episodes, as they were blessed.
//!
//! `UPDATE_SNAPSHOTS=1` blesses anew: what changes the physics changes them. `web/e2e/tests/environment.js`
//! holds a browser to the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use forearm_sim::env::digest;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sim/env/digests.txt")
}

/// Digests by number of episodes.
fn blessed() -> BTreeMap<usize, String> {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(episodes, digest)| (episodes.parse().expect("a number"), digest.to_owned()))
        .collect()
}

fn check(episodes: usize, threads: &[usize]) {
    let of = |threads| {
        let bytes = digest(episodes, threads).expect("fixed configurations");
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let first = of(threads[0]);
    for other in &threads[1..] {
        assert_eq!(of(*other), first, "{other} threads against {}", threads[0]);
    }
    let mut blessed = blessed();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        blessed.insert(episodes, first);
        let text: String = blessed
            .iter()
            .map(|(episodes, digest)| format!("{episodes} {digest}\n"))
            .collect();
        std::fs::write(file(), text).expect("the folder can be written");
        return;
    }
    let expected = blessed.get(&episodes);
    assert_eq!(
        expected,
        Some(&first),
        "episodes differ from those blessed: if the physics were changed on purpose, \
         UPDATE_SNAPSHOTS=1 blesses what they are now"
    );
}

#[test]
fn a_thousand_episodes_are_as_blessed() {
    check(1000, &[1, 3]);
}
