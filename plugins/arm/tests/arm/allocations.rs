//! Nothing that runs in a control tick allocates once it is warm.

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::kinematics::{Jacobian, link_poses, tool_pose};
use forearm_arm::safety::{SafetyChain, SafetyConfig};
use forearm_arm::so101::so101;
use nalgebra::Vector3;

use crate::counting::count;

/// How often this thread allocated in `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = count();
    work();
    count() - before
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
