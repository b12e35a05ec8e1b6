//! The record service as a whole: in stepped time with ticks fed by hand, and once in real time.

mod crashes;
mod datasets;
mod flow;
mod folder;
mod limits;
mod refusals;
mod rig;
