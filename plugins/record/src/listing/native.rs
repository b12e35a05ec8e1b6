//! Which cameras there are, natively.

use forearm_protocol::record::CameraInfo;
use forearm_protocol::scene::SceneBundle;

/// The cameras, being listed.
pub(crate) struct CameraListing(Option<Vec<CameraInfo>>);

impl CameraListing {
    /// The cameras, once they are known, and what a person should know about them.
    pub(crate) fn poll(&mut self) -> Option<(Vec<CameraInfo>, Option<String>)> {
        self.0.take().map(|cameras| (cameras, None))
    }
}

/// Asks which cameras there are, in the scene and at the machine.
pub(crate) fn list_cameras(bundle: Option<&SceneBundle>) -> CameraListing {
    CameraListing(Some(forearm_vision::camera::list(bundle)))
}
