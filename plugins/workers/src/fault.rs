//! Failures on purpose, so that tests and people can see that the rest survives them.

use forearm_protocol::lifecycle::Fault;

/// Fails inside a service's call.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn commit(fault: Fault) {
    match fault {
        #[expect(
            clippy::panic,
            reason = "only `Handle::inject` leads here, and the host that calls this catches it"
        )]
        Fault::Throw | Fault::Trap => panic!("it was told to fail"),
        Fault::Hang => loop {
            std::thread::park();
        },
        // The host ends its thread itself.
        Fault::Kill => {}
    }
}

/// Fails inside a service's call.
#[cfg(target_family = "wasm")]
pub(crate) fn commit(fault: Fault) {
    match fault {
        Fault::Throw => wasm_bindgen::throw_str("it was told to throw"),
        Fault::Trap => core::arch::wasm32::unreachable(),
        #[expect(
            clippy::empty_loop,
            reason = "a loop that never ends is what is asked for"
        )]
        Fault::Hang => loop {},
        // The owner ends the worker itself.
        Fault::Kill => {}
    }
}
