//! Cycles do not allocate, also when much goes wrong.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use forearm_hardware::bus::{BusConfig, Goals};
use forearm_hardware::emulator::{ChainConfig, Faults};

use crate::rig::{JOINTS, Rig};

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
    let before = COUNT.get();
    let mut cycles = 0;
    rig.run(2.0, |rig, sample| {
        cycles += 1;
        let goals = Goals::after(sample).with(0, 2000).with(5, 2100);
        rig.bus.command(rig.now, &goals);
        assert!(rig.bus.counters().cycles > cycles);
    });
    assert_eq!(COUNT.get() - before, 0);
    assert!(cycles > 100 && rig.bus.counters().retries > 50);
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(COUNT.get() - before, 1, "the counter counts");
}
