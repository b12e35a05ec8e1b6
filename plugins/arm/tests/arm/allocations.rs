//! Nothing that runs in a control tick allocates once it is warm.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::kinematics::{Jacobian, link_poses, tool_pose};
use forearm_arm::safety::{SafetyChain, SafetyConfig};
use forearm_arm::so101::so101;
use nalgebra::Vector3;

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

/// How often this thread allocated in `work`.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn counting_works() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1_u8]))), 1);
}

#[test]
fn a_tick_does_not_allocate() {
    let model = so101();
    let mut links = Vec::new();
    let mut jacobian = Jacobian::new(&model);
    let mut solver = IkSolver::new(&model, IkConfig::default());
    let mut chain = SafetyChain::new(&model, SafetyConfig::default());
    let mut out = [0.0; 6];
    link_poses(&model, &model.home, &mut links);
    chain.reset(&model.home);
    let count = allocations(|| {
        for step in 0..50 {
            let mut target = tool_pose(&model, &model.home, &mut links);
            jacobian.compute(&model, &links);
            // Reachable, then out of reach, so that other starts are tried too.
            target.translation.vector += Vector3::repeat(0.02 * f64::from(step));
            let solution = solver.solve(&model.home, &target);
            let limited = chain.apply(solution.joints, &model.home, 0.01, &mut out);
            std::hint::black_box(limited);
        }
        chain.reset(&model.home);
    });
    assert_eq!(count, 0);
    assert!(chain.apply(&[9.0; 6], &[], 0.01, &mut out).is_some());
}
