//! A worker that still has something to do after its service has ended.

use std::cell::{Cell, RefCell};

thread_local! {
    static STAYING: Cell<usize> = const { Cell::new(0) };
    static LEAVE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Keeps this worker from ending for as long as it is there: for what a service began when it was
/// stopped and can't wait for. Its owner ends it after a second all the same.
#[derive(Debug)]
#[must_use = "the worker stays only as long as this is kept"]
pub struct Stay(());

impl Stay {
    /// Keeps this worker. On the page's own thread it does nothing.
    #[expect(clippy::new_without_default, reason = "it is not a value but an act")]
    pub fn new() -> Self {
        STAYING.set(STAYING.get() + 1);
        Self(())
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        STAYING.set(STAYING.get().saturating_sub(1));
        if STAYING.get() == 0
            && let Some(leave) = LEAVE.take()
        {
            leave();
        }
    }
}

/// Ends the worker by `leave`, at once or when nothing keeps it any more.
pub(crate) fn leave_by(leave: impl FnOnce() + 'static) {
    if STAYING.get() == 0 {
        leave();
    } else {
        LEAVE.set(Some(Box::new(leave)));
    }
}
