//! Cycles do not allocate, also when much goes wrong.

use forearm_hardware::bus::{BusConfig, Goals};
use forearm_hardware::emulator::{ChainConfig, Faults};

use crate::counting::count;
use crate::rig::{JOINTS, Rig};

#[test]
fn cycles_do_not_allocate() {
    let faults = Faults {
        drop_replies: 0.05,
        corrupt_replies: 0.05,
        wrong_ids: 0.02,
        ..Faults::default()
    };
    let chain = ChainConfig {
        faults,
        ..ChainConfig::default()
    };
    let mut rig = Rig::new(BusConfig::of(JOINTS), &chain);
    rig.sent.reserve(1 << 20);
    rig.sample();
    let before = count();
    let mut cycles = 0;
    rig.run(2.0, |rig, sample| {
        cycles += 1;
        let goals = Goals::after(sample).with(0, 2000).with(5, 2100);
        rig.bus.command(rig.now, &goals);
        assert!(rig.bus.counters().cycles > cycles);
    });
    assert_eq!(count() - before, 0);
    assert!(cycles > 100 && rig.bus.counters().retries > 50);
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(count() - before, 1, "the counter counts");
}
