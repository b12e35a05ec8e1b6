//! Cameras as their owner sees them.
