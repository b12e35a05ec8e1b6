//! The ghost: a translucent arm at the commanded pose, drawn where it differs from the real one.

use bevy::prelude::*;
use forearm_protocol::control::ArmIndex;
use nalgebra::Isometry3;

use crate::arms::LinkPoses;
use crate::frames::transform;
use crate::interpolate::Picture;
use crate::settings::{Detail, GhostMode, ViewSettings};

/// A joint this far from its target brings the ghost up: a degree, or 2 mm for what slides.
const APART: f64 = 0.0175;
/// Links closer than this to where they should be are not drawn: they would only flicker.
const SAME_METRES: f64 = 4e-4;
const SAME_RADIANS: f64 = 4e-3;

/// A link of a ghost.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct Ghost {
    pub(crate) arm: ArmIndex,
    pub(crate) link: usize,
}

/// The material of an arm's ghost, kept at the arm's base.
#[derive(Component, Debug, Clone)]
pub(crate) struct GhostMaterial(pub(crate) Handle<StandardMaterial>);

/// A cool ghost with a touch of the arm's colour.
pub(crate) fn material([red, green, blue]: [f32; 3]) -> StandardMaterial {
    let touch = |own: f32, cool: f32| 0.2 * own + 0.8 * cool;
    StandardMaterial {
        base_color: Color::srgba(touch(red, 0.45), touch(green, 0.72), touch(blue, 1.0), 0.45),
        perceptual_roughness: 1.0,
        reflectance: 0.1,
        alpha_mode: AlphaMode::AlphaToCoverage,
        ..default()
    }
}

/// Without several samples a pixel, coverage can't be partial: blend instead.
pub(crate) fn follow_detail(
    detail: Res<Detail>,
    ghosts: Query<&GhostMaterial>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let (mode, alpha) = match detail.msaa {
        Msaa::Off => (AlphaMode::Blend, 0.25),
        _ => (AlphaMode::AlphaToCoverage, 0.45),
    };
    for ghost in &ghosts {
        if let Some(mut material) = materials.get_mut(&ghost.0) {
            material.alpha_mode = mode;
            material.base_color.set_alpha(alpha);
        }
    }
}

pub(crate) fn place(
    settings: Res<ViewSettings>,
    poses: Res<LinkPoses>,
    picture: Res<Picture>,
    mut ghosts: Query<(&Ghost, &mut Transform, &mut Visibility)>,
) {
    for (ghost, mut place, mut visibility) in &mut ghosts {
        let shown = match settings.ghost {
            GhostMode::Off => false,
            GhostMode::Always => true,
            GhostMode::WhenApart => picture.arms.get(ghost.arm).is_some_and(|arm| {
                let mut pairs = arm.positions.iter().zip(&arm.targets);
                pairs.any(|(position, target)| (position - target).abs() > APART)
            }),
        };
        let pose = |arms: &[Vec<Isometry3<f64>>]| {
            arms.get(ghost.arm)
                .and_then(|arm| arm.get(ghost.link))
                .copied()
        };
        let pair = pose(&poses.measured).zip(pose(&poses.commanded));
        let differs = pair.filter(|(measured, commanded)| shown && apart(measured, commanded));
        if let Some((_, commanded)) = differs {
            place.set_if_neq(transform(&commanded));
            visibility.set_if_neq(Visibility::Inherited);
        } else {
            visibility.set_if_neq(Visibility::Hidden);
        }
    }
}

fn apart(a: &Isometry3<f64>, b: &Isometry3<f64>) -> bool {
    (a.translation.vector - b.translation.vector).norm() > SAME_METRES
        || a.rotation.angle_to(&b.rotation) > SAME_RADIANS
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;

    #[test]
    fn links_that_are_where_they_should_be_have_no_ghost() {
        let here = Isometry3::new(Vector3::new(0.1, 0.2, 0.3), Vector3::new(0.0, 0.0, 1.0));
        assert!(!apart(&here, &here));
        assert!(apart(&here, &Isometry3::translation(0.0, 0.0, 0.001)));
        assert!(apart(
            &here,
            &(here * Isometry3::rotation(Vector3::new(0.01, 0.0, 0.0)))
        ));
    }
}
