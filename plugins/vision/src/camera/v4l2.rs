//! Video4Linux.

use forearm_protocol::record::CameraInfo;

use super::{CameraError, Now, Source};

/// Opens a device.
pub(super) fn open(
    device: &str,
    _resolution: Option<[u32; 2]>,
    _now: &Now,
) -> Result<Box<dyn Source>, CameraError> {
    Err(CameraError::Unsupported {
        what: format!("the camera `{device}` can't be opened yet"),
        instead: "use a simulated camera".to_owned(),
    })
}

/// The devices.
pub(super) fn list() -> Vec<CameraInfo> {
    Vec::new()
}
