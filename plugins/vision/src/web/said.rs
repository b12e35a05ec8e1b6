//! Messages between worker and page.

use js_sys::Object;

use super::binding::set;

/// What the page offers cameras under.
pub(super) const OFFER: &str = "camera";

/// Something to do.
pub(super) fn order(what: &str) -> Object {
    let message = Object::new();
    set(&message, "do", what);
    message
}

/// Something that is so.
pub(super) fn answer(what: &str) -> Object {
    let message = Object::new();
    set(&message, "is", what);
    message
}

/// Something that went wrong.
pub(super) fn failed(why: &str) -> Object {
    let message = answer("failed");
    set(&message, "why", why);
    message
}
