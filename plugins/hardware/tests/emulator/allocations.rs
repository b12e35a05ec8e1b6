//! Talking to a chain and moving it does not allocate.

use forearm_hardware::codec::PacketBuf;
use forearm_hardware::emulator::{ChainConfig, Faults, PlantSample, ServoChain, Wire};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every call is handed to the system's allocator as it is; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps `GlobalAlloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `GlobalAlloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let before = COUNT.get();
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
    assert_eq!(COUNT.get() - before, 0);
    assert!(got > 500 * 6 * 15);
    // The counter counts.
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(COUNT.get() - before, 1);
}
