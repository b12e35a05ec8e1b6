//! The twin for systems without pseudo-terminals: opening fails.

use super::{ORDERS, PtyConfig, PtyError, PtyHandle, Told};
use crate::emulator::ServoChain;
use crossbeam_channel::bounded;
use std::sync::Arc;

/// A chain that is served on a pseudo-terminal; here there are none.
#[derive(Debug)]
pub struct VirtualPort {
    handle: PtyHandle,
}

impl VirtualPort {
    /// Fails.
    ///
    /// # Errors
    /// [`PtyError::Unsupported`].
    pub fn open(_chain: ServoChain, config: PtyConfig) -> Result<Self, PtyError> {
        let (orders, _nobody) = bounded(ORDERS);
        let told = Arc::new(Told::default());
        let _never = Self {
            handle: PtyHandle {
                orders,
                told,
                link: config.link,
            },
        };
        Err(PtyError::Unsupported)
    }

    /// Changes the chain while it is in use.
    #[must_use]
    pub fn handle(&self) -> &PtyHandle {
        &self.handle
    }
}
