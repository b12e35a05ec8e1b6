//! Panics of services: caught, with the place where they happened.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::core::panic_text;

thread_local! {
    /// The place of this thread's last panic; kept only while a service is called.
    static PLACE: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Calls `work`. A panic comes back as its text and, where known, its place: the line, and with
/// `RUST_BACKTRACE` set the calls that led there.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, (String, Option<String>)> {
    listen();
    let outer = PLACE.replace(Some(None));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    let place = PLACE.replace(outer).flatten();
    result.map_err(|panic| (panic_text(&*panic), place))
}

/// Notes the place of a panic before whatever else is done about it.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let noted = PLACE.with_borrow_mut(|place| match place {
                Some(place) => {
                    let at = info.location().map(ToString::to_string);
                    let calls = Backtrace::capture();
                    *place = match calls.status() {
                        BacktraceStatus::Captured => {
                            Some(format!("{}\n{calls}", at.unwrap_or_default()))
                        }
                        _ => at,
                    };
                    true
                }
                None => false,
            });
            // A service's panic is told by its error; whoever looks for more sets the level. In the
            // browser a panic can't be caught: the host's hook tells it.
            if noted && cfg!(not(target_family = "wasm")) {
                tracing::debug!("{info}");
            } else {
                next(info);
            }
        }));
    });
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_place() {
        let (why, place) = caught(|| panic!("no luck")).expect_err("it panics");
        assert_eq!(why, "no luck");
        assert!(place.expect("known").contains("panics.rs"));
        assert_eq!(caught(|| 7), Ok(7));
    }
}
