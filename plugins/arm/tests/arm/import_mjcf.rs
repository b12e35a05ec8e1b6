//! MJCF: what is read, guessed and reported.

use forearm_arm::kinematics::{link_poses, tool_pose_from_links};
use forearm_arm::so101::so101;
use forearm_arm::{JointKind, Material, Shape};
use nalgebra::{Isometry3, Point3, Quaternion, Translation3, UnitQuaternion, Vector3};

use crate::{fixture, notes, read};

/// Everything that is easy to get wrong about frames, in one arm.
const TRICKY: &str = r#"<mujoco model="tricky">
  <compiler angle="degree" eulerseq="zyx"/>
  <default>
    <joint damping="0.5"/>
    <default class="arm">
      <joint axis="0 1 0" range="-90 90" armature="0.01"/>
      <geom type="capsule" size="0.02"/>
      <default class="stiff"><joint frictionloss="0.3"/></default>
    </default>
  </default>
  <worldbody>
    <body name="base" pos="0.1 0.2 0.3" euler="30 0 0" childclass="arm">
      <geom type="box" size="0.05 0.05 0.02"/>
      <body name="upper" pos="0 0 0.1" axisangle="1 0 0 20">
        <joint name="yaw" axis="0 0 1" pos="0.01 0.02 0"/>
        <joint name="pitch" class="stiff" pos="0 0 0.05"/>
        <geom fromto="0 0 0 0 0 0.3" mass="0.4"/>
        <frame pos="0 0 0.1" xyaxes="0 1 0 -1 0 0">
          <frame euler="10 20 30">
            <body name="fore" pos="0 0.05 0.2" zaxis="1 0 1">
              <joint name="slide" type="slide" axis="1 1 0" range="-0.1 0.2" damping="3"/>
              <geom type="cylinder" size="0.03 0.1" density="500"/>
              <site name="tcp" pos="0.01 0.02 0.3" quat="0.9 0.1 0.2 0.3"/>
              <body name="finger" pos="0 0 0.25">
                <joint name="finger_joint" type="slide" axis="0 1 0" range="0 0.04"/>
                <geom type="sphere" size="0.01" mass="0.02"/>
              </body>
            </body>
          </frame>
        </frame>
      </body>
    </body>
  </worldbody>
  <actuator>
    <position joint="yaw" kp="50" kv="2" forcerange="-5 5"/>
    <general joint="pitch" gainprm="80" biastype="affine" biasprm="0 -80 -4"/>
    <motor joint="slide"/>
  </actuator>
  <keyframe>
    <key name="home" qpos="0.3 -0.4 0.05 0.01"/>
  </keyframe>
</mujoco>
"#;

#[test]
fn the_so101_comes_out_as_built_in() {
    let imported = read(&fixture("so101.xml")).unwrap();
    assert_eq!(notes(&imported), Vec::<String>::new());
    let (model, built_in) = (imported.model, so101());
    assert_eq!(model.gripper, Some(5));
    assert_eq!(model.links[model.tool.link].name, "gripper_link");
    assert_eq!(model.links.len(), built_in.links.len());
    for (link, expected) in model.links.iter().zip(&built_in.links) {
        assert_eq!(link.name, expected.name);
        assert_eq!(link.inertial, expected.inertial);
        assert!(link.visuals.len() == link.colliders.len() && !link.visuals.is_empty());
    }
    for (joint, expected) in model.joints.iter().zip(&built_in.joints) {
        assert_eq!(joint.name, expected.name);
        assert_eq!(joint.servo, expected.servo);
        assert_eq!(joint.limits.upper, expected.limits.upper);
        assert_eq!(joint.limits.effort, 2.94);
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

/// MuJoCo's answers for the same file at its keyframe.
#[test]
fn frames_are_where_mujoco_has_them() {
    let imported = read(TRICKY).unwrap();
    let model = &imported.model;
    let names: Vec<_> = model
        .joints
        .iter()
        .map(|joint| joint.name.as_str())
        .collect();
    assert_eq!(names, ["yaw", "pitch", "slide", "finger_joint"]);
    assert_eq!(model.home, [0.3, -0.4, 0.05, 0.01]);
    let links: Vec<_> = model.links.iter().map(|link| link.name.as_str()).collect();
    assert_eq!(
        links,
        ["world", "base", "upper/yaw", "upper", "fore", "finger"]
    );

    let mut poses = Vec::new();
    link_poses(model, &model.home, &mut poses);
    let tool = tool_pose_from_links(model, &poses);
    let expected = Isometry3::from_parts(
        Translation3::new(-0.1585961, 0.2600577, 0.8524288),
        UnitQuaternion::from_quaternion(Quaternion::new(
            0.0597595, -0.4469113, 0.4076541, 0.7940511,
        )),
    );
    assert!(
        (tool.translation.vector - expected.translation.vector).norm() < 1e-6,
        "{tool}"
    );
    assert!(tool.rotation.angle_to(&expected.rotation) < 1e-6, "{tool}");

    // Mass, centre of mass in the world, greatest principal moment of inertia.
    let bodies = [
        ("base", 0.4, [0.1, 0.2, 0.3], 0.00066667),
        (
            "upper",
            0.4,
            [0.1039644, 0.13144242, 0.52889483],
            3.60522449e-3,
        ),
        (
            "fore",
            0.28274334,
            [0.02460631, 0.11897704, 0.65998885],
            0.0010061,
        ),
        ("finger", 0.02, [-0.1194956, 0.23756454, 0.82663711], 8e-7),
    ];
    for (name, mass, center, moment) in bodies {
        let index = model.link_index(name).unwrap();
        let inertial = &model.links[index].inertial;
        assert!(
            (inertial.mass - mass).abs() < 1e-7,
            "{name}: {}",
            inertial.mass
        );
        let found = poses[index] * inertial.link_from_inertial * Point3::origin();
        let distance = (found.coords - Vector3::from(center)).norm();
        assert!(distance < 1e-6, "{name}: {found}");
        let [xx, yy, zz, xy, xz, yz] = inertial.inertia;
        let greatest = nalgebra::Matrix3::new(xx, xy, xz, xy, yy, yz, xz, yz, zz)
            .symmetric_eigenvalues()
            .max();
        assert!((greatest / moment - 1.0).abs() < 1e-4, "{name}: {greatest}");
    }
}

#[test]
fn joints_get_classes_values_and_actuators_gains() {
    let imported = read(TRICKY).unwrap();
    let joints = &imported.model.joints;
    let quarter = std::f64::consts::FRAC_PI_2;
    assert_eq!(
        (joints[0].limits.lower, joints[0].limits.upper),
        (-quarter, quarter)
    );
    assert_eq!((joints[0].servo.kp, joints[0].servo.kv), (50.0, 2.0));
    assert_eq!(joints[0].limits.effort, 5.0);
    assert_eq!(
        (joints[0].servo.damping, joints[0].servo.friction_loss),
        (0.5, 0.0)
    );
    assert_eq!((joints[1].servo.kp, joints[1].servo.kv), (80.0, 4.0));
    assert_eq!(
        (joints[1].servo.armature, joints[1].servo.friction_loss),
        (0.01, 0.3)
    );
    assert_eq!(joints[2].kind, JointKind::Prismatic);
    assert_eq!(
        (joints[2].limits.lower, joints[2].limits.upper),
        (-0.1, 0.2)
    );
    assert_eq!(joints[2].servo.damping, 3.0);
    assert_eq!(
        notes(&imported),
        [
            "line 21: joint `slide` has no position actuator; a servo's default gains are used",
            "line 25: joint `finger_joint` has no position actuator; a servo's default gains are \
             used",
            "line 37: <motor> in <actuator> is ignored",
        ]
    );
}

#[test]
fn what_is_not_used_is_reported() {
    let text = r#"<mujoco>
      <include file="other.xml"/>
      <option timestep="0.002"/>
      <default><geom solimp="1 1 1" group="1"/><tendon width="1"/></default>
      <worldbody>
        <light pos="0 0 1"/>
        <geom type="plane" size="1 1 1"/>
        <body name="a">
          <freejoint/>
          <geom type="ellipsoid" size="1 1 1"/>
          <geom size="0.1" solref="0.1 1"/>
          <geom size="0.1" solref="0.1 1" group="3" contype="0" conaffinity="0"/>
          <body>
            <joint/>
            <geom size="0.1"/>
            <camera name="c"/>
          </body>
        </body>
      </worldbody>
      <equality/>
    </mujoco>"#;
    let imported = read(text).unwrap();
    assert_eq!(
        notes(&imported),
        [
            "line 2: <include file=\"other.xml\"> is not followed",
            "line 3: <option> in <mujoco> is ignored",
            "line 4: attribute `solimp` of <geom> is ignored",
            "line 4: <tendon> in <default> is ignored",
            "line 6: <light> in <worldbody> is ignored",
            "line 7: <geom> in <worldbody> is ignored",
            "line 9: <freejoint> is ignored: <body name=\"a\"> is fixed",
            "line 10: geoms of type `ellipsoid` are left out",
            "line 11: attribute `solref` of <geom> is ignored (2 times)",
            "line 14: a hinge without limits is limited to one turn each way",
            "line 14: joint `joint_1` has no position actuator; a servo's default gains are used",
            "line 16: <camera> in <body> is ignored",
            "line 20: <equality> in <mujoco> is ignored",
        ]
    );
    let base = &imported.model.links[0];
    assert_eq!((base.visuals.len(), base.colliders.len()), (1, 1));
    assert_eq!(imported.model.links[1].name, "body_2");
}
