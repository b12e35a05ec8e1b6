//! The motions that are built into the program.

/// A motion file that is built into the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinMotion {
    /// What it is called on the command line and in the panels.
    pub key: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The RON file's text.
    pub text: &'static str,
}

/// All built-in motions.
pub const BUILTIN_MOTIONS: &[BuiltinMotion] = &[
    BuiltinMotion {
        key: "pick_and_place",
        name: "Pick and place",
        text: include_str!("../scenes/motions/pick_and_place.ron"),
    },
    BuiltinMotion {
        key: "wave",
        name: "Wave",
        text: include_str!("../scenes/motions/wave.ron"),
    },
    BuiltinMotion {
        key: "ranges",
        name: "Ranges",
        text: include_str!("../scenes/motions/ranges.ron"),
    },
];

impl BuiltinMotion {
    /// The built-in motion with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        BUILTIN_MOTIONS.iter().find(|motion| motion.key == key)
    }
}
