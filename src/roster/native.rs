//! What the machine offers to services, natively.

use forearm_panel::WorkersView;

/// Fills in what does not change while the app runs.
pub(super) fn describe(view: &mut WorkersView) {
    view.cores = std::thread::available_parallelism().map_or(0, usize::from);
    // Threads share all of it.
    view.shared_memory = true;
}
