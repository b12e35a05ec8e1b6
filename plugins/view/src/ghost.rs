//! Ghosts: a translucent arm at the commanded pose, and one where the simulated twin of a real arm
//! is; drawn where they differ from the arm itself.

use bevy::prelude::*;
use forearm_protocol::control::ArmIndex;
use nalgebra::Isometry3;

use crate::arms::LinkPoses;
use crate::frames::transform;
use crate::interpolate::{ArmPicture, Picture};
use crate::settings::{Detail, GhostMode, ViewSettings};

/// A joint this far from its target, or from its twin, brings the ghost up: a degree, or 2 mm for what slides.
const APART: f64 = 0.0175;
/// Links closer than this to where they should be are not drawn: they would only flicker.
const SAME_METRES: f64 = 4e-4;
const SAME_RADIANS: f64 = 4e-3;

/// What a ghost shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GhostKind {
    /// The commanded pose.
    Target,
    /// The simulated twin of a real arm.
    Twin,
}

impl GhostKind {
    pub(crate) const ALL: [Self; 2] = [Self::Target, Self::Twin];

    /// What its entities are called, after their link.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Target => "ghost",
            Self::Twin => "twin",
        }
    }

    /// A cool blue for what will be, a violet for what should be.
    fn tint(self) -> [f32; 3] {
        match self {
            Self::Target => [0.45, 0.72, 1.0],
            Self::Twin => [0.74, 0.5, 1.0],
        }
    }
}

/// A link of a ghost.
#[derive(Component, Debug, Clone, Copy)]
pub(crate) struct Ghost {
    pub(crate) arm: ArmIndex,
    pub(crate) link: usize,
    pub(crate) kind: GhostKind,
}

/// The materials of an arm's ghosts, kept at the arm's base.
#[derive(Component, Debug, Clone)]
pub(crate) struct GhostMaterials(pub(crate) [Handle<StandardMaterial>; 2]);

/// A ghost's tint with a touch of the arm's colour.
pub(crate) fn material(kind: GhostKind, own: [f32; 3]) -> StandardMaterial {
    let tint = kind.tint();
    let [red, green, blue] = [0, 1, 2].map(|part| 0.2 * own[part] + 0.8 * tint[part]);
    StandardMaterial {
        base_color: Color::srgba(red, green, blue, 0.45),
        perceptual_roughness: 1.0,
        reflectance: 0.1,
        alpha_mode: AlphaMode::AlphaToCoverage,
        ..default()
    }
}

/// Without several samples a pixel, coverage can't be partial: blend instead.
pub(crate) fn follow_detail(
    detail: Res<Detail>,
    ghosts: Query<&GhostMaterials>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let (mode, alpha) = match detail.msaa {
        Msaa::Off => (AlphaMode::Blend, 0.25),
        _ => (AlphaMode::AlphaToCoverage, 0.45),
    };
    for ghost in ghosts.iter().flat_map(|ghosts| &ghosts.0) {
        if let Some(mut material) = materials.get_mut(ghost) {
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
        let arm = picture.arms.get(ghost.arm);
        let shown = arm.is_some_and(|arm| shown(ghost.kind, &settings, arm));
        let pose = |arms: &[Vec<Isometry3<f64>>]| {
            arms.get(ghost.arm)
                .and_then(|arm| arm.get(ghost.link))
                .copied()
        };
        let there = pose(match ghost.kind {
            GhostKind::Target => &poses.commanded,
            GhostKind::Twin => &poses.twin,
        });
        let pair = pose(&poses.measured).zip(there);
        let differs = pair.filter(|(measured, there)| shown && apart(measured, there));
        if let Some((_, there)) = differs {
            place.set_if_neq(transform(&there));
            visibility.set_if_neq(Visibility::Inherited);
        } else {
            visibility.set_if_neq(Visibility::Hidden);
        }
    }
}

/// Whether an arm has this ghost now.
fn shown(kind: GhostKind, settings: &ViewSettings, arm: &ArmPicture) -> bool {
    let far = |there: &[f64]| {
        let mut pairs = arm.positions.iter().zip(there);
        pairs.any(|(position, there)| (position - there).abs() > APART)
    };
    let twin = settings.twin && !arm.twin.is_empty();
    match (kind, settings.ghost) {
        (GhostKind::Twin, _) => twin && far(&arm.twin),
        (GhostKind::Target, GhostMode::Off) => false,
        (GhostKind::Target, _) if twin => false,
        (GhostKind::Target, GhostMode::Always) => true,
        (GhostKind::Target, GhostMode::WhenApart) => far(&arm.targets),
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
    fn a_twin_on_show_takes_the_place_of_the_ghost_at_the_target() {
        let mut settings = ViewSettings::default();
        let mut arm = ArmPicture {
            positions: vec![0.0, 0.0],
            targets: vec![0.0, 0.5],
            twin: Vec::new(),
        };
        let both = |settings: &ViewSettings, arm: &ArmPicture| {
            GhostKind::ALL.map(|kind| shown(kind, settings, arm))
        };
        assert_eq!(both(&settings, &arm), [true, false]);
        arm.twin = vec![0.0, 0.4];
        assert_eq!(both(&settings, &arm), [false, true]);
        arm.twin = vec![0.0, 0.001];
        assert_eq!(
            both(&settings, &arm),
            [false, false],
            "it is where it should be"
        );
        settings.twin = false;
        assert_eq!(both(&settings, &arm), [true, false]);
        settings.ghost = GhostMode::Off;
        assert_eq!(both(&settings, &arm), [false, false]);
    }

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
