//! URDF: what is read, guessed and reported.

use forearm_arm::kinematics::tool_pose;
use forearm_arm::so101::so101;
use forearm_arm::{JointKind, Material, Shape};
use nalgebra::Vector3;

use crate::{fixture, notes, read};

/// An arm with a slide, a gripper of two fingers and every shape.
const LIFT: &str = r#"<robot name="lift" version="1.0">
  <gazebo reference="base"/>
  <link name="finger_left"/>
  <link name="base">
    <visual><geometry><sphere radius="0.1"/></geometry><material name="red"/></visual>
    <collision><geometry><cylinder radius="0.1" length="0.2"/></geometry></collision>
  </link>
  <link name="carriage">
    <inertial><mass value="2"/><inertia ixx="0.02" iyy="0.02" izz="0.02"/></inertial>
    <visual><geometry><box size="0.1 0.2 0.3"/></geometry>
      <material name="own"><color rgba="0 0 1 0.5"/></material></visual>
  </link>
  <link name="hand">
    <inertial><mass value="0.5"/></inertial>
    <collision><origin xyz="0 0 0.1"/><geometry><box size="0.1 0.1 0.1"/></geometry></collision>
  </link>
  <link name="finger_right"><inertial><mass value="0.1"/>
    <inertia ixx="1e-5" iyy="1e-5" izz="9e-5"/></inertial></link>
  <link name="knee_camera"/>
  <link name="my_tcp"/>
  <joint name="lift" type="prismatic" flavour="odd">
    <parent link="base"/><child link="carriage"/>
    <axis xyz="0 0 2"/><origin xyz="0 0 0.5"/>
    <limit lower="-0.2" upper="0.4" effort="100" velocity="0"/>
    <dynamics damping="7" friction="0.5"/>
  </joint>
  <joint name="finger_joint1" type="prismatic">
    <parent link="hand"/><child link="finger_left"/>
    <axis xyz="0 1 0"/><limit lower="0.01" upper="0.04" effort="5" velocity="0.1"/>
  </joint>
  <joint name="turn" type="continuous">
    <parent link="carriage"/><child link="hand"/><axis xyz="0 0 1"/>
  </joint>
  <joint name="finger_joint2" type="prismatic">
    <parent link="hand"/><child link="finger_right"/>
    <axis xyz="0 1 0"/><limit lower="0" upper="0.04" effort="5" velocity="0.1"/>
    <mimic joint="finger_joint1"/>
  </joint>
  <joint name="camera" type="fixed"><parent link="base"/><child link="knee_camera"/></joint>
  <joint name="tip" type="fixed"><parent link="hand"/><child link="my_tcp"/>
    <origin xyz="0 0 0.2"/></joint>
  <material name="red"><color rgba="1 0 0 1"/></material>
</robot>"#;

#[test]
fn the_so101_comes_out_as_built_in() {
    let imported = read(&fixture("so101.urdf")).unwrap();
    assert_eq!(notes(&imported), Vec::<String>::new());
    let (model, built_in) = (imported.model, so101());
    let names = |joints: &[forearm_arm::Joint]| {
        joints
            .iter()
            .map(|joint| joint.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&model.joints), names(&built_in.joints));
    assert_eq!(model.gripper, Some(5));
    assert_eq!(model.links[model.tool.link].name, "gripper_frame_link");
    for (link, expected) in model.links.iter().zip(&built_in.links) {
        assert_eq!(link.name, expected.name);
        assert_eq!(link.inertial, expected.inertial);
    }
    for (joint, expected) in model.joints.iter().zip(&built_in.joints) {
        assert_eq!(joint.servo, expected.servo);
        assert_eq!(joint.limits.lower, expected.limits.lower);
        assert_eq!((joint.limits.velocity, joint.limits.effort), (10.0, 10.0));
    }
    let visual = &model.links[1].visuals[0];
    assert_eq!(visual.material, Material::Color([1.0, 0.82, 0.12, 1.0]));
    assert_eq!(
        visual.shape,
        Shape::Box {
            half_extents: [0.015, 0.01, 0.023]
        }
    );
}

#[test]
fn a_lift_with_two_fingers() {
    let imported = read(LIFT).unwrap();
    let model = &imported.model;
    let names: Vec<_> = model
        .joints
        .iter()
        .map(|joint| joint.name.as_str())
        .collect();
    assert_eq!(names, ["lift", "turn", "finger_joint2", "finger_joint1"]);
    assert_eq!(model.gripper, Some(3));
    assert_eq!(model.home, [0.0, 0.0, 0.0, 0.01]);
    let lift = &model.joints[0];
    assert_eq!(lift.kind, JointKind::Prismatic);
    assert_eq!(lift.axis.into_inner(), Vector3::z());
    assert_eq!((lift.servo.damping, lift.servo.friction_loss), (7.0, 0.5));
    assert_eq!((lift.limits.velocity, lift.limits.effort), (0.5, 100.0));
    assert_eq!(model.links[model.tool.link].name, "my_tcp");
    let tool = tool_pose(model, &[0.3, 1.0, 0.0, 0.0], &mut Vec::new());
    assert!((tool.translation.vector - Vector3::new(0.0, 0.0, 1.0)).norm() < 1e-12);
    assert!((tool.rotation.angle() - 1.0).abs() < 1e-12);
    let link = |name| &model.links[model.link_index(name).unwrap()];
    assert_eq!(
        link("base").visuals[0].material,
        Material::Color([1.0, 0.0, 0.0, 1.0])
    );
    assert_eq!(
        link("carriage").visuals[0].material,
        Material::Color([0.0, 0.0, 1.0, 0.5])
    );
    // A box of 0.5 kg and 0.1 m: m·s²/6.
    assert!((link("hand").inertial.inertia[0] - 0.5 * 0.01 / 6.0).abs() < 1e-12);
    let balanced = link("finger_right").inertial.inertia;
    assert!((balanced[2] - 11e-5 / 3.0).abs() < 1e-12, "{balanced:?}");
    assert_eq!(
        notes(&imported),
        [
            "line 2: <gazebo> in <robot> is ignored",
            "line 3: link `finger_left` moves and has no mass; 0.004 kg are taken for it, from \
             its shape and the density of water",
            "line 13: link `hand` has a mass without inertia; its shape's is used",
            "line 17: link `finger_right` has an inertia that no body can have; the mean of its \
             moments is used about every axis",
            "line 21: attribute `flavour` of <joint> is ignored",
            "line 24: no velocity limit is given; 0.5 is used",
            "line 31: a continuous joint is limited to one turn each way",
            "line 37: <mimic> is ignored: <joint name=\"finger_joint2\"> moves by itself",
        ]
    );
}

#[test]
fn without_a_named_tool_the_last_link_is_it() {
    let text = LIFT.replace("my_tcp", "plate").replace("finger", "part");
    let model = read(&text).unwrap().model;
    assert_eq!(model.gripper, None);
    let tool = &model.links[model.tool.link].name;
    assert!(tool.starts_with("part_"), "{tool}");
    let model = read(&LIFT.replace("my_tcp", "plate")).unwrap().model;
    assert_ne!(model.links[model.tool.link].name, "finger_left");
}

#[test]
fn a_model_with_colliders_only_is_drawn_by_them() {
    let text = LIFT
        .replace("visual>", "collision>")
        .replace("material", "x-material");
    let imported = read(&text).unwrap();
    let drawn: usize = imported
        .model
        .links
        .iter()
        .map(|link| link.visuals.len())
        .sum();
    assert_eq!(drawn, 4);
    assert!(
        notes(&imported)
            .iter()
            .any(|note| note.contains("what collides is drawn"))
    );
}
