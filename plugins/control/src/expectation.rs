//! What a run is expected to come to, as it is written on the command line: `cube-in-tray`.

use std::fmt;
use std::str::FromStr;

use forearm_protocol::control::Inspection;
use forearm_protocol::scene::{ObjectShape, Scene};

/// Something that should hold at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// The object lies in the tray.
    InTray {
        /// The object's name.
        object: String,
        /// The tray's name.
        tray: String,
    },
}

/// What is wrong with an expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// It is not written as one.
    #[error("`{0}` is no expectation; write OBJECT-in-TRAY, for instance `cube-in-tray`")]
    Syntax(String),
    /// The scene lacks what it speaks of.
    #[error("the scene `{scene}` has no {what} `{name}`; it has: {available}")]
    Unknown {
        /// The scene's name.
        scene: String,
        /// `object` or `tray`.
        what: &'static str,
        /// The name that was looked for.
        name: String,
        /// The names that there are.
        available: String,
    },
}

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("-in-") {
            Some((object, tray)) if !object.is_empty() && !tray.is_empty() => Ok(Self::InTray {
                object: object.to_owned(),
                tray: tray.to_owned(),
            }),
            _ => Err(ExpectationError::Syntax(text.to_owned())),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::InTray { object, tray } = self;
        write!(f, "{object}-in-{tray}")
    }
}

impl Expectation {
    /// Checks that the scene has what it speaks of.
    ///
    /// # Errors
    /// Names what is missing and what there is instead.
    pub fn check(&self, scene: &Scene) -> Result<(), ExpectationError> {
        let Self::InTray { object, tray } = self;
        for (what, name, is_tray) in [("object", object, false), ("tray", tray, true)] {
            let mut names = scene
                .objects
                .iter()
                .filter(|object| matches!(object.shape, ObjectShape::Tray { .. }) == is_tray)
                .map(|object| object.name.as_str());
            if !names.clone().any(|known| known == name) {
                let available = match names.next() {
                    None => "none".to_owned(),
                    Some(first) => {
                        names.fold(format!("`{first}`"), |all, name| format!("{all}, `{name}`"))
                    }
                };
                let (scene, name) = (scene.name.clone(), name.clone());
                return Err(ExpectationError::Unknown {
                    scene,
                    what,
                    name,
                    available,
                });
            }
        }
        Ok(())
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, inspection: &Inspection) -> bool {
        let Self::InTray { object, tray } = self;
        inspection
            .in_tray
            .iter()
            .any(|(in_object, in_tray)| in_object == object && in_tray == tray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        Scene::from_ron("test", include_str!("../../../scenes/pick_and_place.ron"))
            .expect("the scene is valid")
    }

    #[test]
    fn it_is_read_and_written_the_same() {
        let expectation: Expectation = "red cube-in-left tray".parse().expect("well written");
        let (object, tray) = ("red cube".to_owned(), "left tray".to_owned());
        assert_eq!(expectation, Expectation::InTray { object, tray });
        assert_eq!(expectation.to_string(), "red cube-in-left tray");
        for bad in ["", "cube", "cube-in-", "-in-tray", "cube in tray"] {
            assert!(bad.parse::<Expectation>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_scene_lacks_is_named() {
        let check = |text: &str| {
            text.parse::<Expectation>()
                .expect("well written")
                .check(&scene())
        };
        assert_eq!(check("cube-in-tray"), Ok(()));
        let error = check("brick-in-tray").expect_err("no brick").to_string();
        assert!(
            error.contains("no object `brick`; it has: `cube`"),
            "{error}"
        );
        let error = check("cube-in-cube").expect_err("no such tray").to_string();
        assert!(error.contains("no tray `cube`; it has: `tray`"), "{error}");
    }
}
