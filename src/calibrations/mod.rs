//! Calibrations of real arms: in LeRobot's folder, so that both programs use the same, or in the
//! browser's storage.
//!
//! LeRobot keeps a follower's as `robots/so_follower/<id>.json` and a leader's as
//! `teleoperators/so_leader/<id>.json` (0.4.3 and later; before, the folder had the arm's type).

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod web;

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use forearm_arm::calibration::Calibration;
use forearm_protocol::scene::{ArmSpec, Backend, Scene};
use forearm_protocol::servo::{ArmCalibrations, Role, SerialArm};

#[cfg(not(target_family = "wasm"))]
use native as place;
#[cfg(target_family = "wasm")]
use web as place;

/// A calibration that is there, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What it says.
    pub calibration: Calibration,
    /// Its file's name, for people.
    pub place: String,
}

/// Folders of a role: LeRobot's own, then those of its older versions.
fn folders(role: Role) -> [&'static str; 3] {
    match role {
        Role::Follower => [
            "robots/so_follower",
            "robots/so101_follower",
            "robots/so100_follower",
        ],
        Role::Leader => [
            "teleoperators/so_leader",
            "teleoperators/so101_leader",
            "teleoperators/so100_leader",
        ],
    }
}

/// The calibration of the arm that LeRobot knows by this id; `None` if it was never calibrated.
///
/// # Errors
/// Says which file can't be read or understood, or why the id can't be one.
pub fn load(role: Role, id: &str) -> anyhow::Result<Option<Stored>> {
    check(id)?;
    for folder in folders(role) {
        if let Some((place, text)) = place::read(&format!("{folder}/{id}.json"))? {
            let calibration = Calibration::from_json(&place, &text)?;
            return Ok(Some(Stored { calibration, place }));
        }
    }
    Ok(None)
}

/// Stores a calibration where LeRobot looks for it; answers where. One that is there already and
/// says something else is kept beside it, as `….json.old`.
///
/// # Errors
/// Says where it can't be written, or why the id can't be one.
pub fn store(role: Role, id: &str, calibration: &Calibration) -> anyhow::Result<String> {
    check(id)?;
    let [folder, ..] = folders(role);
    let name = format!("{folder}/{id}.json");
    let text = calibration.to_json();
    if let Some((place, before)) = place::read(&name)? {
        if before == text {
            return Ok(place);
        }
        place::write(&format!("{name}.old"), &before)?;
    }
    place::write(&name, &text)
}

/// The id by which LeRobot knows a real arm of this scene's arm.
#[must_use]
pub fn id_of<'a>(spec: &'a ArmSpec, serial: &'a SerialArm) -> &'a str {
    serial.id.as_deref().unwrap_or(&spec.name)
}

/// The calibrations of all real arms of a scene, by the arms' names. One that is not there is left
/// out: the arm has to be calibrated.
///
/// # Errors
/// One is there and can't be used.
pub fn of_scene(scene: &Scene) -> anyhow::Result<BTreeMap<String, ArmCalibrations>> {
    let mut all = BTreeMap::new();
    for spec in &scene.arms {
        let find = |role, serial: Option<&SerialArm>| {
            let Some(serial) = serial else {
                return Ok(None);
            };
            let found = load(role, id_of(spec, serial))
                .with_context(|| format!("scene `{}`: arm `{}`", scene.name, spec.name))?;
            anyhow::Ok(found.map(|stored| stored.calibration))
        };
        let follower = match &spec.backend {
            Backend::Serial(serial) => Some(serial),
            Backend::Sim | Backend::Replay(_) => None,
        };
        let calibrations = ArmCalibrations {
            follower: find(Role::Follower, follower)?,
            leader: find(Role::Leader, spec.leader.as_ref())?,
        };
        if calibrations != ArmCalibrations::default() {
            all.insert(spec.name.clone(), calibrations);
        }
    }
    Ok(all)
}

/// An id is a file's name: it must not lead elsewhere.
fn check(id: &str) -> anyhow::Result<()> {
    let plain = |letter: char| !letter.is_control() && !matches!(letter, '/' | '\\' | ':');
    if id.is_empty() || id.len() > 100 || id.starts_with('.') || !id.chars().all(plain) {
        bail!(
            "`{id}` can't be an arm's id: it names its calibration file; \
             expected letters, digits, `_` and `-`"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_nowhere_else() {
        for id in ["my_arm", "Arm-2", "None", "left arm"] {
            assert!(check(id).is_ok(), "{id}");
        }
        for id in [
            "",
            "..",
            ".hidden",
            "a/b",
            "a\\b",
            "C:x",
            "a\nb",
            &"a".repeat(101),
        ] {
            let error = load(Role::Follower, id).expect_err("no id").to_string();
            assert!(error.contains("can't be an arm's id"), "{error}");
        }
    }
}
