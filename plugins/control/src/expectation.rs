//! What a run is expected to come to, as it is written on the command line: `cube-in-tray`, or
//! `cube-in-tray,ball-in-tray`.

use std::fmt;
use std::str::FromStr;

use forearm_protocol::scene::{ObjectShape, ObjectSpec, Scene};
use serde::{Deserialize, Serialize};

use crate::motion::{Motion, Step};

/// Something that should hold at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expectation {
    /// The object lies in the tray.
    InTray {
        /// The object's name.
        object: String,
        /// The tray's name.
        tray: String,
    },
    /// All of these hold.
    All(Vec<Expectation>),
}

/// What is wrong with an expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// It is not written as one.
    #[error(
        "`{0}` is no expectation; write OBJECT-in-TRAY, for instance `cube-in-tray`; \
         commas between several"
    )]
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
        // A name may have a comma in it: only where every part is an expectation are there several.
        let parts = text.split(',').map(|part| one(part.trim()));
        match parts.collect::<Option<Vec<_>>>() {
            Some(parts) if parts.len() > 1 => Ok(Self::All(parts)),
            _ => one(text).ok_or_else(|| ExpectationError::Syntax(text.to_owned())),
        }
    }
}

/// Reads `cube-in-tray`.
fn one(text: &str) -> Option<Expectation> {
    match text.split_once("-in-") {
        Some((object, tray)) if !object.is_empty() && !tray.is_empty() => {
            Some(Expectation::InTray {
                object: object.to_owned(),
                tray: tray.to_owned(),
            })
        }
        _ => None,
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InTray { object, tray } => write!(f, "{object}-in-{tray}"),
            Self::All(all) => {
                let parts: Vec<_> = all.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(","))
            }
        }
    }
}

impl Expectation {
    /// Checks that the scene has what it speaks of.
    ///
    /// # Errors
    /// Names what is missing and what there is instead.
    pub fn check(&self, scene: &Scene) -> Result<(), ExpectationError> {
        let (object, tray) = match self {
            Self::InTray { object, tray } => (object, tray),
            Self::All(all) => return all.iter().try_for_each(|it| it.check(scene)),
        };
        for (what, name, of_trays) in [("object", object, false), ("tray", tray, true)] {
            let mut names = scene
                .objects
                .iter()
                .filter(|object| is_tray(object) == of_trays)
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

    /// Whether it holds when these objects lie in these trays.
    #[must_use]
    pub fn holds(&self, in_tray: &[(String, String)]) -> bool {
        match self {
            Self::InTray { object, tray } => in_tray
                .iter()
                .any(|(lies, at)| lies == object && at == tray),
            Self::All(all) => all.iter().all(|it| it.holds(in_tray)),
        }
    }

    /// What a motion is for in this scene, as far as it shows: what it goes to and can pick up ends
    /// in the tray that it goes to next. `None` when it goes to no tray with anything.
    #[must_use]
    pub fn of(motion: &Motion, scene: &Scene) -> Option<Self> {
        let mut carried = None;
        let mut all = Vec::new();
        for step in &motion.steps {
            let (Step::At { object: name, .. } | Step::Above { object: name, .. }) = step else {
                continue;
            };
            let object = scene.objects.iter().find(|object| object.name == *name);
            match object {
                Some(object) if object.graspable() => carried = Some(name),
                Some(object) if is_tray(object) => {
                    all.extend(carried.take().map(|carried| Self::InTray {
                        object: carried.clone(),
                        tray: name.clone(),
                    }));
                }
                _ => {}
            }
        }
        match all.len() {
            0 | 1 => all.pop(),
            _ => Some(Self::All(all)),
        }
    }
}

fn is_tray(object: &ObjectSpec) -> bool {
    matches!(object.shape, ObjectShape::Tray { .. })
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
    fn several_can_be_expected_at_once() {
        let all: Expectation = "cube-in-tray, ball-in-tray".parse().expect("well written");
        assert_eq!(all.to_string(), "cube-in-tray,ball-in-tray");
        assert_eq!(all.check(&scene()), Ok(()));
        let lies = |object: &str| (object.to_owned(), "tray".to_owned());
        assert!(all.holds(&[lies("ball"), lies("cube")]));
        assert!(!all.holds(&[lies("cube")]));
        let wrong: Expectation = "cube-in-tray,brick-in-tray".parse().expect("well written");
        assert!(wrong.check(&scene()).is_err());
        let comma: Expectation = "red, large cube-in-tray".parse().expect("well written");
        assert!(matches!(comma, Expectation::InTray { object, .. } if object == "red, large cube"));
    }

    #[test]
    fn a_motion_shows_what_it_is_for() {
        let of = |text| {
            let motion = Motion::from_ron("test", text).expect("well written");
            Expectation::of(&motion, &scene()).map(|it| it.to_string())
        };
        let pick_and_place = include_str!("../../../scenes/motions/pick_and_place.ron");
        assert_eq!(of(pick_and_place).as_deref(), Some("cube-in-tray"));
        assert_eq!(of(include_str!("../../../scenes/motions/wave.ron")), None);
        let go = |name| format!("At(object: \"{name}\", secs: 1)");
        let two = ["cube", "tray", "ball", "tray", "tray", "cylinder"]
            .map(go)
            .join(", ");
        let motion = format!("Motion(name: \"two\", steps: [{two}])");
        assert_eq!(of(&motion).as_deref(), Some("cube-in-tray,ball-in-tray"));
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
