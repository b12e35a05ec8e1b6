//! The simulated world: arms, servos, objects and contact.
//!
//! [`World`] takes a scene and its arms' models and moves them in fixed steps. Arms are multibody
//! systems in reduced coordinates with position servos; objects are rigid bodies; shapes and
//! contact points are Rapier's geometry (Parry); one solver does joints and contact together.
//!
//! The same inputs give the same bits, on every run and every target: all mathematics is plain
//! arithmetic, square roots and `libm`. A step allocates nothing once buffers have grown. No
//! clock, no files, threads only for a [`env::Batch`]. Metres, radians, seconds, kilograms; world
//! frame, Z up.
//!
//! Objects at rest fall asleep: steps leave them out until something comes near. A world's state
//! can be kept and gone back to ([`World::save`], [`World::restore`]); each type says in a list
//! which of its fields are state (`snapshot`), so that none can be forgotten.
//!
//! [`env`] makes environments to learn in of all this: tasks, observations, rewards, pictures, many
//! worlds at once.
//!
//! Why the dynamics are not Rapier's: its multibody joints (0.36.1) allocate some sixteen times a
//! step, as they factorise matrices of dynamic size, and took 18 µs for this arm where MuJoCo took
//! 4.5 µs and this crate 1.5 µs. A test holds the two against each other: the arm swings the same.
//!
//! Limitations: an arm does not collide with itself, nor its base with anything that stands
//! still; meshes collide as convex hulls, and one that is pressed in by more than its margin makes
//! the search for its depth allocate; friction between two surfaces is the lower of theirs;
//! motors have no temperature.

mod arm;
pub mod bench;
mod build;
mod collide;
mod collider;
pub mod env;
mod error;
mod math;
pub mod mjcf;
mod object;
mod rest;
mod servo;
mod snapshot;
mod solver;
pub mod sts3215;
mod symmetric;
mod touch;
mod world;

pub use error::SimError;
pub use snapshot::WorldState;
pub use world::World;
