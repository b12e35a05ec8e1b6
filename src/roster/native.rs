//! What the machine offers to services, natively.

use forearm_panel::WorkersView;
use forearm_workers::HostKind;

/// Where workers run, if they can.
pub(super) const WORKERS: HostKind = HostKind::Thread;

/// Fills in what does not change while the app runs.
pub(super) fn describe(view: &mut WorkersView) {
    view.cores = std::thread::available_parallelism().map_or(0, usize::from);
    // Threads share all of it.
    view.shared_memory = true;
}
