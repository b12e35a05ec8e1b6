//! Lines on serial ports in a browser, driven by its events.

use forearm_hardware::port::web;
use forearm_protocol::servo::PortInfo;
use wasm_bindgen_futures::spawn_local;

/// Nothing waits in a browser, not even the end of a line.
pub(super) fn retire(old: impl Send + 'static) {
    drop(old);
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "natively there may be no thread for it"
)]
pub(super) fn list_ports(
    tell: impl FnOnce(Result<Vec<PortInfo>, String>) + Send + 'static,
) -> Result<(), String> {
    spawn_local(async move { tell(web::list().await.map_err(|error| error.to_string())) });
    Ok(())
}
