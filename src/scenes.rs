//! The scenes that are built into the program.

use forearm_protocol::scene::{FileError, Scene};

/// A scene that is built into the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinScene {
    /// What `--scene` calls it.
    pub key: &'static str,
    /// The RON file's text.
    text: &'static str,
}

/// All built-in scenes; the first is what opens when nothing else is asked for.
pub const BUILTIN_SCENES: &[BuiltinScene] = &[
    BuiltinScene {
        key: "pick_and_place",
        text: include_str!("../scenes/pick_and_place.ron"),
    },
    BuiltinScene {
        key: "empty",
        text: include_str!("../scenes/empty.ron"),
    },
    BuiltinScene {
        key: "sorting",
        text: include_str!("../scenes/sorting.ron"),
    },
    BuiltinScene {
        key: "two_arms",
        text: include_str!("../scenes/two_arms.ron"),
    },
];

/// Whether a text is that of a scene that comes with the program.
#[must_use]
pub fn is_bundled(text: &str) -> bool {
    BUILTIN_SCENES.iter().any(|scene| scene.text == text)
}

impl BuiltinScene {
    /// The built-in scene with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        BUILTIN_SCENES.iter().find(|scene| scene.key == key)
    }

    /// Reads the scene.
    ///
    /// # Errors
    /// None for a released program: a test reads them all.
    pub fn scene(&self) -> Result<Scene, FileError> {
        Scene::from_ron(&format!("{}.ron", self.key), self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_scene_is_good() {
        for builtin in BUILTIN_SCENES {
            let scene = builtin.scene().expect(builtin.key);
            assert!(
                !scene.description.is_empty(),
                "{} has no description",
                builtin.key
            );
        }
    }
}
