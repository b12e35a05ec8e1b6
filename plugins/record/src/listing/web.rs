//! Cameras in a browser: the scene's and the pattern are known here, the others to the page only.

use forearm_protocol::record::{CameraInfo, CameraSource};
use forearm_protocol::scene::SceneBundle;
use forearm_vision::camera;
use forearm_vision::web::Listing;

/// Cameras that are being asked for.
pub(crate) struct CameraListing {
    known: Vec<CameraInfo>,
    asked: Listing,
}

/// Asks which cameras there are.
#[must_use]
pub(crate) fn list_cameras(bundle: Option<&SceneBundle>) -> CameraListing {
    CameraListing {
        known: camera::list(bundle),
        asked: Listing::begin(),
    }
}

impl CameraListing {
    /// The cameras, once they are known, and what a person should know about them.
    pub(crate) fn poll(&mut self) -> Option<(Vec<CameraInfo>, Option<String>)> {
        let answer = self.asked.poll()?;
        let mut cameras = std::mem::take(&mut self.known);
        let notice = match answer {
            Ok(found) => {
                // The pattern is the last that anybody wants.
                let last = cameras
                    .iter()
                    .position(|camera| camera.source == CameraSource::Pattern)
                    .unwrap_or(cameras.len());
                cameras.splice(last..last, found);
                None
            }
            Err(why) => Some(why),
        };
        Some((cameras, notice))
    }
}
