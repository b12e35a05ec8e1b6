//! When a crashed service is started again, and when it is given up. Time is an input.

use std::collections::VecDeque;
use std::time::Duration;

/// How a service is started again after a crash.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestartPolicy {
    /// How long to wait before the first restart; each one that follows soon waits twice as long.
    pub backoff: Duration,
    /// The longest wait.
    pub longest_backoff: Duration,
    /// How many restarts within [`RestartPolicy::within`] are tried before the service is given up.
    pub most: usize,
    /// After this long without a crash it starts from the shortest wait again.
    pub within: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(5),
            most: 5,
            within: Duration::from_secs(60),
        }
    }
}

/// What to do about a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Start it again after this long.
    Again(Duration),
    /// It crashes too often.
    GiveUp,
}

/// Remembers crashes and decides.
#[derive(Debug)]
pub(crate) struct Supervisor {
    policy: Option<RestartPolicy>,
    /// When it crashed lately, since the supervisor began.
    crashes: VecDeque<Duration>,
}

impl Supervisor {
    /// Without a policy every crash is the last.
    pub(crate) fn new(policy: Option<RestartPolicy>) -> Self {
        Self {
            policy,
            crashes: VecDeque::new(),
        }
    }

    /// Whether a crash may be followed by a restart at all.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn restarts(&self) -> bool {
        self.policy.is_some()
    }

    /// Takes note of a crash at `now`, time since the supervisor began.
    pub(crate) fn crashed(&mut self, now: Duration) -> Decision {
        let Some(policy) = self.policy else {
            return Decision::GiveUp;
        };
        let recent = |at: &Duration| now.saturating_sub(*at) < policy.within;
        self.crashes.retain(recent);
        let before = self.crashes.len();
        self.crashes.push_back(now);
        if before >= policy.most {
            return Decision::GiveUp;
        }
        let doublings = u32::try_from(before).unwrap_or(u32::MAX).min(20);
        let wait = policy.backoff.saturating_mul(1 << doublings);
        Decision::Again(wait.min(policy.longest_backoff))
    }

    /// Forgets what was: a person asks for another try.
    pub(crate) fn forgive(&mut self) {
        self.crashes.clear();
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    const SEC: Duration = Duration::from_secs(1);

    #[test]
    fn waits_double_up_to_the_cap_and_then_it_is_given_up() {
        let policy = RestartPolicy {
            longest_backoff: Duration::from_millis(500),
            ..RestartPolicy::default()
        };
        let mut supervisor = Supervisor::new(Some(policy));
        for wait in [100, 200, 400, 500, 500] {
            let wait = Duration::from_millis(wait);
            assert_eq!(supervisor.crashed(SEC), Decision::Again(wait));
        }
        assert_eq!(supervisor.crashed(SEC), Decision::GiveUp);
        supervisor.forgive();
        assert_eq!(supervisor.crashed(SEC), Decision::Again(policy.backoff));
    }

    #[test]
    fn crashes_that_lie_far_apart_never_end_it() {
        let mut supervisor = Supervisor::new(Some(RestartPolicy::default()));
        for minute in 0..100 {
            let decision = supervisor.crashed(minute * 60 * SEC);
            assert_eq!(decision, Decision::Again(Duration::from_millis(100)));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            failure_persistence: None,
            ..Default::default()
        })]

        /// Whenever it crashes: never more restarts in any stretch of time than the policy says,
        /// and the shortest wait exactly when nothing has crashed lately.
        #[test]
        fn no_stretch_of_time_sees_more_restarts_than_it_should(
            gaps in proptest::collection::vec(0_u64..40_000, 0..60),
            most in 0_usize..6,
        ) {
            let policy = RestartPolicy {
                most,
                ..RestartPolicy::default()
            };
            let mut supervisor = Supervisor::new(Some(policy));
            let (mut now, mut restarts) = (Duration::ZERO, Vec::<(Duration, Duration)>::new());
            for gap in gaps {
                now += Duration::from_millis(gap);
                let lately = |(at, _): &&(Duration, Duration)| now - *at < policy.within;
                let before = restarts.iter().filter(lately).count();
                match supervisor.crashed(now) {
                    Decision::Again(wait) => {
                        assert!(before < most);
                        assert!((policy.backoff..=policy.longest_backoff).contains(&wait));
                        assert_eq!(wait == policy.backoff, before == 0);
                        restarts.push((now, wait));
                    }
                    Decision::GiveUp => {
                        assert!(before >= most);
                        return Ok(());
                    }
                }
            }
        }
    }

    #[test]
    fn without_a_policy_there_is_no_restart() {
        assert_eq!(Supervisor::new(None).crashed(SEC), Decision::GiveUp);
    }
}
