//! What the page offers to services, in the browser.

use forearm_panel::WorkersView;
use forearm_workers::HostKind;

use crate::web::{isolation, js};

/// Where workers run, if they can.
pub(super) const WORKERS: HostKind = HostKind::Worker;

/// Fills in what does not change while the app runs.
pub(super) fn describe(view: &mut WorkersView) {
    let global = js_sys::global();
    let property = |name| js::get(&global, name).ok();
    view.shared_memory = property("SharedArrayBuffer").is_some_and(|it| it.is_function());
    view.isolated = isolation::is_isolated();
    let cores = property("navigator")
        .and_then(|navigator| js::get(&navigator, "hardwareConcurrency").ok())
        .and_then(|cores| cores.as_f64());
    view.cores = cores.map_or(0, |cores| cores as usize);
}
