//! The port: opens the terminal, runs its thread, ends with it.

use super::served::Served;
use super::{Order, PtyConfig, PtyError, PtyHandle, Told};
use crate::emulator::ServoChain;
use crossbeam_channel::bounded;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Orders on their way to the port's thread.
const ORDERS: usize = 64;

/// A chain that a thread of its own serves on a pseudo-terminal, until this is dropped.
#[derive(Debug)]
pub struct VirtualPort {
    handle: PtyHandle,
    thread: Option<JoinHandle<()>>,
}

impl VirtualPort {
    /// Makes the terminal and its link and serves the chain. Programs can open it when this
    /// returns.
    ///
    /// # Errors
    /// [`PtyError::Terminal`], [`PtyError::Occupied`], [`PtyError::Link`], [`PtyError::Thread`].
    pub fn open(chain: ServoChain, config: PtyConfig) -> Result<Self, PtyError> {
        let (orders, incoming) = bounded(ORDERS);
        let told = Arc::new(Told::default());
        let handle = PtyHandle {
            orders,
            told: Arc::clone(&told),
            link: config.link.clone(),
        };
        let name = config.name.clone();
        let mut served = Served::new(chain, config, incoming, told);
        served.plug(true)?;
        let thread = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || served.run())
            .map_err(|source| PtyError::Thread { name, source })?;
        Ok(Self {
            handle,
            thread: Some(thread),
        })
    }

    /// Changes the chain while it is in use.
    #[must_use]
    pub fn handle(&self) -> &PtyHandle {
        &self.handle
    }
}

impl Drop for VirtualPort {
    fn drop(&mut self) {
        // It fails only where the thread has ended, or hangs; then there is nothing to wait for.
        if self.handle.order(Order::Stop).is_ok()
            && let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of a virtual port panicked");
        }
    }
}
