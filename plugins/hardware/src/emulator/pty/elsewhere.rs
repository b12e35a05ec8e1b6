//! The twin for systems without pseudo-terminals: opening fails.

use super::{PtyConfig, PtyError, PtyHandle};
use crate::emulator::ServoChain;

/// A chain that is served on a pseudo-terminal; here there can be none.
#[derive(Debug)]
pub enum VirtualPort {}

impl VirtualPort {
    /// Fails.
    ///
    /// # Errors
    /// [`PtyError::Unsupported`].
    pub fn open(_chain: ServoChain, _config: PtyConfig) -> Result<Self, PtyError> {
        Err(PtyError::Unsupported)
    }

    /// Changes the chain while it is in use.
    #[must_use]
    pub fn handle(&self) -> &PtyHandle {
        match *self {}
    }
}
