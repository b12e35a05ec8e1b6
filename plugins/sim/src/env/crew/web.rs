//! In a browser worlds are stepped one after another, by the caller.

use super::super::EnvError;
use super::super::batch::Chunk;
use super::super::draw::Painter;
use super::super::plan::Plan;

/// Nobody but the caller.
pub(in crate::env) struct Crew;

impl Crew {
    /// A crew of one, however many are asked for.
    pub(in crate::env) fn new(
        _plan: &Plan,
        _threads: usize,
        _worlds: usize,
    ) -> Result<Self, EnvError> {
        Ok(Self)
    }

    pub(in crate::env) fn threads(&self) -> usize {
        1
    }

    /// Works on all chunks.
    pub(in crate::env) fn run(
        &mut self,
        chunks: &mut Vec<Chunk>,
        painter: &mut Painter,
    ) -> Result<(), EnvError> {
        chunks.iter_mut().for_each(|chunk| chunk.work(painter));
        Ok(())
    }
}
