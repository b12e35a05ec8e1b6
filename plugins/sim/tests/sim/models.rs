//! Arms other than the built-in one: fixed links, sliding joints, meshes; and agreement with the
//! kinematics of `forearm_arm`.

use std::sync::Arc;

use forearm_arm::{
    ArmModel, Attachment, Inertial, Joint, JointKind, JointLimits, Link, LinkCollider, Servo,
    Shape, ToolFrame, TriMesh, kinematics, so101,
};
use nalgebra::{Isometry3, Translation3, Vector3};

use crate::support::{distance, positions, run, scene, world, world_of};

fn at(x: f64, y: f64, z: f64) -> Isometry3<f64> {
    Isometry3::from_parts(
        Translation3::new(x, y, z),
        nalgebra::UnitQuaternion::identity(),
    )
}

fn ball(mass: f64) -> Inertial {
    let moment = mass * 1e-4;
    Inertial {
        mass,
        link_from_inertial: Isometry3::identity(),
        inertia: [moment, moment, moment, 0.0, 0.0, 0.0],
    }
}

/// A carriage of 0.5 kg that slides up and down, with a plate of 0.25 kg fixed on it.
fn lift(plate: Shape) -> ArmModel {
    let link = |name: &str, attachment, mass| Link {
        name: name.to_owned(),
        attachment,
        inertial: ball(mass),
        visuals: Vec::new(),
        colliders: Vec::new(),
    };
    let hang = |parent, pose, joint| {
        Some(Attachment {
            parent,
            parent_from_joint: pose,
            joint,
        })
    };
    let mut model = ArmModel {
        name: "lift".to_owned(),
        links: vec![
            link("base", None, 1.0),
            link("carriage", hang(0, at(0.0, 0.0, 0.3), Some(0)), 0.5),
            link("plate", hang(1, at(0.2, 0.0, 0.0), None), 0.25),
        ],
        joints: vec![Joint {
            name: "lift".to_owned(),
            kind: JointKind::Prismatic,
            axis: Vector3::z_axis(),
            limits: JointLimits {
                lower: -0.5,
                upper: 0.3,
                velocity: 1.0,
                effort: 50.0,
            },
            servo: Servo {
                kp: 5000.0,
                kv: 300.0,
                damping: 1.0,
                friction_loss: 0.0,
                armature: 0.1,
                backlash: 0.0,
            },
        }],
        tool: ToolFrame {
            link: 2,
            link_from_tool: Isometry3::identity(),
        },
        gripper: None,
        home: vec![0.0],
    };
    model.links[2].colliders.push(LinkCollider {
        link_from_shape: Isometry3::identity(),
        shape: plate,
        friction: 0.5,
    });
    model
}

/// A cube of 4 cm as triangles.
fn cube_mesh() -> Shape {
    let positions: Vec<[f32; 3]> = (0..8_u8)
        .map(|corner| [0, 1, 2].map(|axis| if corner >> axis & 1 == 1 { 0.02 } else { -0.02 }))
        .collect();
    let triangles = vec![[0, 1, 2], [3, 2, 1], [4, 6, 5], [7, 5, 6]];
    Shape::Mesh(Arc::new(TriMesh {
        normals: positions.clone(),
        positions,
        triangles,
    }))
}

#[test]
fn a_sliding_joint_carries_everything_fixed_to_it() {
    let mut world = world_of(&scene(vec![]), lift(Shape::Sphere { radius: 0.02 }));
    world.set_targets(0, &[0.1]);
    run(&mut world, 3.0);
    let mut effort = [0.0];
    world.joint_efforts(0, &mut effort);
    assert!((effort[0] - 0.75 * 9.81).abs() < 1e-3, "{effort:?}");
    let sag = 0.75 * 9.81 / 5000.0;
    let plate = world.link_pose(0, 2).position;
    assert!(distance(plate, [0.2, 0.0, 0.4 - sag]) < 1e-6, "{plate:?}");
}

#[test]
fn every_kind_of_shape_stops_at_the_table() {
    let square = vec![[-0.02, -0.02], [0.02, -0.02], [0.02, 0.02], [-0.02, 0.02]];
    for shape in [
        Shape::Box {
            half_extents: [0.02; 3],
        },
        Shape::RoundedBox {
            half_extents: [0.02; 3],
            radius: 0.002,
        },
        Shape::Sphere { radius: 0.02 },
        Shape::Cylinder {
            radius: 0.02,
            half_length: 0.02,
        },
        Shape::Tube {
            outer_radius: 0.02,
            inner_radius: 0.01,
            half_length: 0.02,
        },
        Shape::Capsule {
            radius: 0.01,
            half_length: 0.01,
        },
        Shape::Extrusion {
            outline: square,
            half_depth: 0.02,
            bevel: 0.0,
        },
        cube_mesh(),
    ] {
        let mut world = world_of(&scene(vec![]), lift(shape.clone()));
        world.set_targets(0, &[-0.5]);
        run(&mut world, 3.0);
        let height = world.link_pose(0, 2).position[2];
        assert!(
            (height - 0.02).abs() < 1.5e-3,
            "{shape:?} stops at {height}"
        );
    }
}

#[test]
fn links_and_tool_are_where_forward_kinematics_says() {
    let mut scene = scene(vec![]);
    scene.arms[0].position = [0.1, -0.2, 0.05];
    scene.arms[0].yaw_degrees = 40.0;
    let mut world = world(&scene);
    world.set_targets(0, &[0.5, -0.9, 0.7, 0.4, 1.0, 0.9]);
    run(&mut world, 1.0);
    let model = so101::so101();
    let mut poses = Vec::new();
    kinematics::link_poses(&model, &positions(&world), &mut poses);
    let yaw = nalgebra::UnitQuaternion::from_axis_angle(&Vector3::z_axis(), 40.0_f64.to_radians());
    let base = Isometry3::from_parts(Translation3::new(0.1, -0.2, 0.05), yaw);
    let same = |ours: forearm_protocol::Pose, theirs: Isometry3<f64>| {
        assert!(distance(ours.position, theirs.translation.vector.into()) < 1e-12);
        let [x, y, z, w] = ours.rotation;
        let dot = theirs
            .rotation
            .coords
            .dot(&nalgebra::Vector4::new(x, y, z, w));
        assert!(dot.abs() > 1.0 - 1e-12, "{ours:?} {theirs:?}");
    };
    for (link, pose) in poses.iter().enumerate() {
        same(world.link_pose(0, link), base * pose);
    }
    same(
        world.tool_pose(0),
        base * kinematics::tool_pose_from_links(&model, &poses),
    );
}
