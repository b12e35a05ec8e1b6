//! Asks the system to wake a service's thread on time, as far as the user may.
//!
//! On Linux, from the best to what is always allowed: real-time scheduling at a low priority
//! (needs the right to it, as audio programs have: `rtprio` in limits.conf, or root), a higher
//! niceness, and short time slices, which need no right and make the scheduler run the thread
//! before others that compute. Timers are made exact. Elsewhere nothing is asked for.

/// Asks for the calling thread, which keeps time; `name` is for the log.
#[cfg(target_os = "linux")]
pub fn prefer_this_thread(name: &str) {
    linux::make_timers_exact();
    let asked = [
        ("real-time scheduling", linux::Scheduling::REAL_TIME),
        ("a higher priority", linux::Scheduling::NICE),
        ("short time slices", linux::Scheduling::SHORT_SLICES),
    ];
    match asked.iter().find(|(_, scheduling)| scheduling.apply()) {
        Some((got, _)) => tracing::debug!("the thread `{name}` has {got}"),
        None => tracing::debug!("the thread `{name}` is scheduled like any other"),
    }
}

/// Asks for the calling thread, which keeps time; here, for nothing.
#[cfg(not(target_os = "linux"))]
pub fn prefer_this_thread(_name: &str) {}

/// Asks the system to let others go first: for threads that only compute.
#[cfg(target_os = "linux")]
pub(crate) fn defer_this_thread(name: &str) {
    if !linux::Scheduling::LATER.apply() {
        tracing::debug!("the thread `{name}` is scheduled like any other");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn defer_this_thread(_name: &str) {}

#[cfg(target_os = "linux")]
mod linux {
    /// The kernel's `struct sched_attr`, version 1.
    #[repr(C)]
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Scheduling {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime_nanos: u64,
        deadline_nanos: u64,
        period_nanos: u64,
        util_min: u32,
        util_max: u32,
    }

    /// Children do not inherit it.
    const RESET_ON_FORK: u64 = 1;
    const POLICY_OTHER: u32 = 0;
    const POLICY_FIFO: u32 = 1;

    impl Scheduling {
        const PLAIN: Self = Self {
            size: size_of::<Self>() as u32,
            policy: POLICY_OTHER,
            flags: RESET_ON_FORK,
            nice: 0,
            priority: 0,
            runtime_nanos: 0,
            deadline_nanos: 0,
            period_nanos: 0,
            util_min: 0,
            util_max: 0,
        };
        /// Runs before everything that is not real-time, after the system's own such threads.
        pub(super) const REAL_TIME: Self = Self {
            policy: POLICY_FIFO,
            priority: 5,
            ..Self::PLAIN
        };
        /// The kernel takes 0.1 ms as the shortest slice; older ones ignore it.
        pub(super) const SHORT_SLICES: Self = Self {
            runtime_nanos: 100_000,
            ..Self::PLAIN
        };
        pub(super) const NICE: Self = Self {
            nice: -11,
            ..Self::SHORT_SLICES
        };

        pub(super) const LATER: Self = Self {
            nice: 10,
            ..Self::PLAIN
        };

        /// Applies it to the calling thread; answers whether the system allowed it.
        pub(super) fn apply(&self) -> bool {
            let (this_thread, flags) = (0, 0);
            // SAFETY: the kernel reads `size` bytes from the pointer, which points to as many,
            // and keeps no reference to them.
            #[expect(unsafe_code, reason = "no crate offers time slices")]
            let result = unsafe {
                libc::syscall(
                    libc::SYS_sched_setattr,
                    this_thread,
                    std::ptr::from_ref(self),
                    flags,
                )
            };
            result == 0
        }
    }

    /// Lets the calling thread's timers fire when they are due, not up to 50 µs later.
    pub(super) fn make_timers_exact() {
        let slack_nanos: libc::c_ulong = 1;
        // SAFETY: this operation reads one number and touches no memory of ours.
        #[expect(unsafe_code, reason = "the call has no safe form")]
        let result = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, slack_nanos) };
        if result != 0 {
            tracing::debug!("timers keep their slack");
        }
    }
}
