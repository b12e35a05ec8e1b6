//! The keys that drive an arm, with LeRobot.js's map.
//!
//! Source: `@lerobot/web` 0.4.0, `SO100_KEYBOARD_CONTROLS` and `KEYBOARD_TELEOPERATOR_DEFAULTS`.

use serde::{Deserialize, Serialize};

/// A key that drives an arm. Letters are keys, not characters: case and layout don't matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// Arrow up.
    ArrowUp,
    /// Arrow down.
    ArrowDown,
    /// Arrow left.
    ArrowLeft,
    /// Arrow right.
    ArrowRight,
    /// W.
    W,
    /// S.
    S,
    /// A.
    A,
    /// D.
    D,
    /// Q.
    Q,
    /// E.
    E,
    /// O.
    O,
    /// C.
    C,
    /// Escape: emergency stop.
    Escape,
}

/// What a key does while it is held: which joint it moves, which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBinding {
    /// The key.
    pub key: Key,
    /// How the key is written for people.
    pub label: &'static str,
    /// LeRobot's name of the joint.
    pub joint: &'static str,
    /// +1 or −1.
    pub direction: i8,
}

/// Servo ticks that a held key moves its joint each update (LeRobot.js `stepSize`); a turn is 4096.
pub const STEP_TICKS: f64 = 8.0;
/// Updates a second (LeRobot.js `updateRate`).
pub const UPDATE_HZ: f64 = 60.0;
/// A key counts as released this long after its last press, seconds (LeRobot.js `keyTimeout`).
pub const KEY_TIMEOUT_SECS: f64 = 10.0;

/// LeRobot.js's map. A joint that an arm lacks is left out by whoever applies it.
pub const KEY_BINDINGS: [KeyBinding; 12] = [
    bind(Key::ArrowUp, "↑", "shoulder_lift", 1),
    bind(Key::ArrowDown, "↓", "shoulder_lift", -1),
    bind(Key::ArrowLeft, "←", "shoulder_pan", -1),
    bind(Key::ArrowRight, "→", "shoulder_pan", 1),
    bind(Key::W, "W", "elbow_flex", 1),
    bind(Key::S, "S", "elbow_flex", -1),
    bind(Key::A, "A", "wrist_flex", -1),
    bind(Key::D, "D", "wrist_flex", 1),
    bind(Key::Q, "Q", "wrist_roll", -1),
    bind(Key::E, "E", "wrist_roll", 1),
    bind(Key::O, "O", "gripper", 1),
    bind(Key::C, "C", "gripper", -1),
];

const fn bind(key: Key, label: &'static str, joint: &'static str, direction: i8) -> KeyBinding {
    KeyBinding {
        key,
        label,
        joint,
        direction,
    }
}
