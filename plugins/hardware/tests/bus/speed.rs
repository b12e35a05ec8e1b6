//! How close cycles come to what the wire allows.

use forearm_hardware::bus::{BusConfig, Goals};
use forearm_hardware::emulator::{ChainConfig, Wire};

use crate::rig::{JOINTS, Rig};

/// Seconds that write and read of six servos take at least: 26 + 14 + 6 · 8 bytes at 1 Mbaud and the
/// adapter's millisecond.
const LIMIT: f64 = 88.0 * 10e-6 + 1e-3;

#[test]
fn cycles_take_what_the_wire_takes() {
    let mut rig = Rig::new(BusConfig::of(JOINTS), &ChainConfig::default());
    let mut cycles = 0;
    rig.run(2.0, |rig, sample| {
        cycles += 1;
        assert_eq!(sample.fresh, 0b11_1111);
        let mut goals = Goals::after(sample);
        for place in 0..6 {
            goals = goals.with(place, sample.positions[place]);
        }
        rig.bus.command(rig.now, &goals);
    });
    let share = f64::from(cycles) / 2.0 * LIMIT;
    println!(
        "{:.0} Hz, {:.1} % of the limit",
        f64::from(cycles) / 2.0,
        100.0 * share
    );
    assert!(share > 0.9, "{share}");
    let counters = rig.bus.counters();
    assert_eq!(
        counters.timeouts + counters.corrupt_replies + counters.retries,
        0
    );
    assert_eq!(
        counters.writes + 1,
        counters.reads,
        "each cycle, after the first"
    );
    assert_eq!(rig.chain.injected().collisions, 0);
    assert!((counters.cycle_time.mean_secs / LIMIT) < 1.1);
}

#[test]
fn the_slow_part_comes_ten_times_a_second() {
    let mut rig = Rig::new(BusConfig::of(JOINTS), &ChainConfig::default());
    let mut times = Vec::new();
    rig.run(1.0, |_, sample| {
        if times.last() != Some(&sample.slow.at_secs) {
            times.push(sample.slow.at_secs);
        }
        assert!((60..=90).contains(&sample.slow.voltage_decivolts[5]));
    });
    assert!((9..=11).contains(&times.len()), "{times:?}");
}

#[test]
fn a_rate_that_is_asked_for_is_kept() {
    let config = BusConfig {
        max_hz: Some(120.0),
        ..BusConfig::of(JOINTS)
    };
    let mut rig = Rig::new(config, &ChainConfig::default());
    let mut cycles = 0;
    rig.run(2.0, |_, _| cycles += 1);
    assert!((239..=242).contains(&cycles), "{cycles}");
}

#[test]
fn a_bus_without_wire_time_works_too() {
    let chain = ChainConfig {
        wire: Wire {
            from_bus_secs: 1e-4,
            ..Wire::INSTANT
        },
        ..ChainConfig::default()
    };
    let mut rig = Rig::new(BusConfig::of(JOINTS), &chain);
    rig.run(0.2, |_, sample| assert_eq!(sample.fresh, 0b11_1111));
    assert_eq!(rig.bus.counters().retries, 0);
}
