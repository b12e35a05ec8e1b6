//! Which joint is the gripper and which frame the tool: by name, as files do not say.

use nalgebra::Isometry3;

use super::draft::Draft;

/// Parts of a gripper joint's name.
const GRIPPER_NAMES: [&str; 3] = ["gripper", "jaw", "finger"];
/// Names of a tool's frame, best first: as a part of a name, or (short ones) as a whole word.
const TOOL_NAMES: [&str; 8] = [
    "gripper_frame",
    "gripperframe",
    "tcp",
    "tool",
    "end_effector",
    "attachment_site",
    "pinch",
    "grasp",
];
const TOOL_WORDS: [&str; 3] = ["ee", "eef", "hand"];

/// The joint (in the draft's order) that opens the gripper: the first of its name that carries no
/// other moving joint.
pub(super) fn gripper(draft: &Draft<'_>, order: &[(usize, Option<usize>)]) -> Option<usize> {
    let mut carries = vec![false; draft.links.len()];
    // From the tips to the base: whether a moving joint hangs below a link.
    for (link, joint) in order.iter().rev() {
        if let Some(joint) = joint.map(|joint| &draft.joints[joint])
            && (joint.motion.is_some() || carries[*link])
        {
            carries[joint.parent] = true;
        }
    }
    order.iter().filter_map(|(_, joint)| *joint).find(|index| {
        let joint = &draft.joints[*index];
        let name = joint.name.to_ascii_lowercase();
        joint.motion.is_some()
            && !carries[joint.child]
            && GRIPPER_NAMES.iter().any(|part| name.contains(part))
    })
}

/// The link (in the draft's order) that carries the tool, and the tool's frame in its frame: a
/// site or a link fastened at the end with a tool's name, else the last link but the gripper's.
pub(super) fn tool(
    draft: &Draft<'_>,
    order: &[(usize, Option<usize>)],
    gripper: Option<usize>,
) -> (usize, Isometry3<f64>) {
    let sites = draft
        .sites
        .iter()
        .map(|(name, link, frame)| (name.as_str(), *link, *frame));
    let is_leaf = |link: usize| draft.joints.iter().all(|joint| joint.parent != link);
    let frames = order.iter().filter_map(|(link, joint)| {
        let fixed = draft.joints[(*joint)?].motion.is_none();
        let name = draft.links[*link].name.as_str();
        (fixed && is_leaf(*link)).then_some((name, *link, Isometry3::identity()))
    });
    let named = sites
        .chain(frames)
        .filter_map(|(name, link, frame)| Some((rank(name)?, link, frame)))
        .min_by_key(|(rank, _, _)| *rank);
    if let Some((_, link, frame)) = named {
        return (link, frame);
    }
    // The last link of the longest way that does not go through the gripper's joint.
    let mut depth = vec![0_usize; draft.links.len()];
    let mut best = (0, order.first().map_or(0, |(link, _)| *link));
    for (link, joint) in order {
        let Some(index) = *joint else {
            continue;
        };
        if Some(index) == gripper {
            continue;
        }
        let parent = draft.joints[index].parent;
        let through_gripper = gripper.is_some_and(|gripper| draft.joints[gripper].child == parent);
        if through_gripper {
            continue;
        }
        depth[*link] = depth[parent] + usize::from(draft.joints[index].motion.is_some());
        if depth[*link] >= best.0 {
            best = (depth[*link], *link);
        }
    }
    (best.1, Isometry3::identity())
}

/// How well a name suits a tool's frame, 0 best; `None` if it does not.
fn rank(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    let part = TOOL_NAMES.iter().position(|part| name.contains(part));
    let word = || {
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        words
            .find_map(|word| TOOL_WORDS.iter().position(|tool| *tool == word))
            .map(|word| TOOL_NAMES.len() + word)
    };
    part.or_else(word)
}
