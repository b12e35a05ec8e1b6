//! Lines on serial ports, with a thread each.

use forearm_hardware::port;
use forearm_protocol::servo::PortInfo;

/// Dropping a line waits until its motors have let go: on a thread that may wait.
pub(super) fn retire(old: impl Send + 'static) {
    let name = "line end".to_owned();
    // Without a thread it was dropped here and now, which only takes longer.
    if let Err(error) = std::thread::Builder::new()
        .name(name)
        .spawn(move || drop(old))
    {
        tracing::warn!("a bus was closed by the loop itself: {error}");
    }
}

pub(super) fn list_ports(
    tell: impl FnOnce(Result<Vec<PortInfo>, String>) + Send + 'static,
) -> Result<(), String> {
    let name = "port list".to_owned();
    let list = std::thread::Builder::new()
        .name(name)
        .spawn(move || tell(Ok(port::list())));
    list.map(drop).map_err(|error| error.to_string())
}
