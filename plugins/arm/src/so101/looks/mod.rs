//! What the SO-101 looks like: each link's printed parts, servos and screws, made from shapes.
//!
//! The servos sit where the joints' frames say: a servo's horn is in the plane of the joint that it
//! drives, its axis on the joint's. Printed parts have the real ones' outlines, rounded edges and
//! windows; what nobody sees (inner walls, threads, cable clips) is left out.
//!
//! Lengths in this folder's tables are millimetres, as on a drawing; [`part::Parts`] makes metres
//! of them.

mod base;
mod gripper;
mod limbs;
mod part;
mod servo;

use std::sync::LazyLock;

use crate::Visual;

/// Each link's name and looks, drawn once: models share the meshes.
static LOOKS: LazyLock<[(&str, Vec<Visual>); 7]> = LazyLock::new(|| {
    [
        ("base_link", base::base()),
        ("shoulder_link", base::shoulder()),
        ("upper_arm_link", limbs::upper_arm()),
        ("lower_arm_link", limbs::lower_arm()),
        ("wrist_link", limbs::wrist()),
        ("gripper_link", gripper::gripper()),
        ("moving_jaw_so101_v1_link", gripper::moving_jaw()),
    ]
});

/// What is drawn on a link of the SO-101; nothing for a name that is not one of its links.
pub(super) fn visuals(link: &str) -> Vec<Visual> {
    LOOKS
        .iter()
        .find(|(name, _)| *name == link)
        .map(|(_, visuals)| visuals.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use nalgebra::Point3;

    use super::*;
    use crate::mesh::triangulate;

    /// Lowest and highest corner of all that is drawn on a link, metres.
    fn extent(link: &str) -> (Point3<f64>, Point3<f64>) {
        let mut low = Point3::from([f64::INFINITY; 3]);
        let mut high = Point3::from([f64::NEG_INFINITY; 3]);
        for visual in visuals(link) {
            let mesh = triangulate(&visual.shape);
            assert!(
                !mesh.triangles.is_empty(),
                "{link} has a part without triangles"
            );
            for position in mesh.positions {
                let point = visual.link_from_shape * Point3::from(position).cast::<f64>();
                low = low.inf(&point);
                high = high.sup(&point);
            }
        }
        (low, high)
    }

    #[test]
    fn the_base_stands_on_the_table() {
        let (low, high) = extent("base_link");
        assert!(low.z.abs() < 1e-6, "{low}");
        assert!(high.z < 0.072 && high.x < 0.066, "{high}");
    }

    #[test]
    fn the_jaws_end_where_the_tool_is() {
        // The tool's frame is 98.1 mm along the gripper's axis.
        assert!((extent("gripper_link").0.z + 0.104).abs() < 1e-4);
        assert!((extent("moving_jaw_so101_v1_link").0.y + 0.082).abs() < 1e-4);
    }

    #[test]
    fn an_arm_is_light_enough_to_draw_in_software() {
        let triangles: usize = LOOKS
            .iter()
            .flat_map(|(_, visuals)| visuals)
            .map(|visual| triangulate(&visual.shape).triangles.len())
            .sum();
        assert!(triangles < 25_000, "{triangles} triangles");
    }

    #[test]
    fn other_links_have_no_looks() {
        assert!(visuals("gripper_frame_link").is_empty());
    }
}
