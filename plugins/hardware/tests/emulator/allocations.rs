//! Talking to a chain and moving it does not allocate.

use forearm_hardware::codec::PacketBuf;
use forearm_hardware::emulator::{ChainConfig, Faults, PlantSample, ServoChain, Wire};

use crate::counting::count;

#[test]
fn a_cycle_does_not_allocate() {
    let mut chain = ServoChain::new(&ChainConfig {
        faults: Faults {
            drop_replies: 0.1,
            corrupt_replies: 0.1,
            echo: true,
            ..Faults::default()
        },
        wire: Wire::default(),
        ..ChainConfig::default()
    });
    let mut packet = PacketBuf::new();
    let mut sample = PlantSample::default();
    let mut got = 0;
    let before = count();
    for cycle in 0..500 {
        let now = f64::from(cycle) * 5e-3;
        let goal = [(cycle % 200) as u8, 8];
        let goals = (1..=6).map(|id| (id, &goal[..]));
        packet.sync_write(42, 2, goals).unwrap();
        chain.receive(now, None, packet.as_bytes());
        packet.sync_read(56, 15, &[1, 2, 3, 4, 5, 6]).unwrap();
        chain.receive(now, None, packet.as_bytes());
        sample.positions[0] = chain.advance(now, &sample).targets[0];
        while let Some(due) = chain.wait_until() {
            got += chain.transmit(due).map_or(0, <[u8]>::len);
        }
    }
    assert_eq!(count() - before, 0);
    assert!(got > 500 * 6 * 15);
    // The counter counts.
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(count() - before, 1);
}
