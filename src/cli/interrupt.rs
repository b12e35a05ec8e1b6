//! Being told to end: Ctrl-C, a closed terminal, `kill`. What drives arms ends safely then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Set when the program should end.
static TOLD: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Listens from now on; without it, whatever tells the program to end ends it at once.
pub(crate) fn listen() {
    let mut is_first = false;
    let told = TOLD.get_or_init(|| {
        is_first = true;
        Arc::default()
    });
    if !is_first {
        return;
    }
    let interrupted = Arc::clone(told);
    if let Err(error) = ctrlc::set_handler(move || interrupted.store(true, Ordering::Relaxed)) {
        tracing::debug!("Ctrl-C ends the program at once: {error}");
    }
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        if let Err(error) = signal_hook::flag::register(signal, Arc::clone(told)) {
            tracing::debug!("signal {signal} ends the program at once: {error}");
        }
    }
}

/// Whether the program should end.
pub(crate) fn is_told() -> bool {
    TOLD.get().is_some_and(|told| told.load(Ordering::Relaxed))
}
