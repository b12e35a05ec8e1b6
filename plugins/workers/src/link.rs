//! Direct channels between services: what one feeds, another takes as its input, past the app.

use std::sync::Arc;

use forearm_protocol::ServiceError;

/// Hands an output to one service.
pub(crate) type Feed<O> = Arc<dyn Fn(O) -> Result<(), ServiceError> + Send + Sync>;

/// The services that a service feeds, by the number of their link.
pub(crate) struct Feeds<O>(Vec<(u64, Feed<O>)>);

impl<O> Default for Feeds<O> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<O: Clone> Feeds<O> {
    /// Adds a link, or puts a new end in place of the old one of this number.
    pub(crate) fn set(&mut self, number: u64, feed: Feed<O>) {
        match self.0.iter_mut().find(|(known, _)| *known == number) {
            Some((_, old)) => *old = feed,
            None => self.0.push((number, feed)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn feed(&self, output: &O) -> Result<(), ServiceError> {
        let mut first = Ok(());
        for (_, feed) in &self.0 {
            let fed = feed(output.clone());
            if first.is_ok() {
                first = fed;
            }
        }
        first
    }
}
