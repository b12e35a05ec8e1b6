//! Lines on serial ports in a browser.

use std::sync::Arc;

use forearm_protocol::servo::PortInfo;

use super::{BusLine, LineSpec};

pub(super) fn open(spec: &LineSpec) -> Result<Arc<dyn BusLine>, String> {
    Err(format!(
        "port {} can't be opened: serial ports are not reached from a browser yet",
        spec.port
    ))
}

pub(super) fn list_ports(_: impl FnOnce(Vec<PortInfo>) + Send + 'static) -> Result<(), String> {
    Err("serial ports are not reached from a browser yet".to_owned())
}

/// Dropping a line waits for nothing here.
pub(super) fn retire(old: impl Send + 'static) {
    drop(old);
}
