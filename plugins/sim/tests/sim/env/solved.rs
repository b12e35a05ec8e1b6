//! Every task can be done, by a script that sees no more than the observations.

use forearm_sim::env::Task;

use super::operator::Operator;

/// How many of ten seeds a script does; each run says whether the environment called it success.
fn done(task: Task, script: impl Fn(&mut Operator)) -> usize {
    (0..10)
        .filter(|seed| {
            let mut operator = Operator::task(task, *seed);
            script(&mut operator);
            let info = operator.env.info();
            let done = operator.outcome.terminated && info.success;
            if !done {
                eprintln!("{task} of seed {seed}: {info:?}");
            }
            done
        })
        .count()
}

#[test]
fn reach_can_be_done() {
    let done = done(Task::Reach, |operator| {
        operator.reach(0, operator.vector(0, "goal_position"));
        operator.arrive(1.0);
    });
    assert_eq!(done, 10);
}
