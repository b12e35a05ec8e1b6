//! An independent second opinion: Rapier's own multibody joints on the same arm.

use forearm_arm::{ArmModel, so101};
use rapier3d::prelude::{
    GenericJointBuilder, JointAxesMask, MassProperties, PhysicsWorld, Pose, RigidBodyBuilder,
    RigidBodyHandle, Rotation, Vector,
};

use crate::support::{positions, scene, world_of};

/// The SO-101 without servos, dry friction, tight limits: a chain that swings.
fn swinging() -> ArmModel {
    let mut model = so101::so101();
    for joint in &mut model.joints {
        joint.limits.lower = -3.0;
        joint.limits.upper = 3.0;
        joint.servo.friction_loss = 0.0;
        joint.servo.damping = 0.01;
        joint.servo.armature = 0.002;
    }
    for link in &mut model.links {
        link.colliders.clear();
    }
    model.home = vec![0.3, -0.4, 0.5, -0.6, 0.7, 0.8];
    model
}

fn pose(isometry: &nalgebra::Isometry3<f64>) -> Pose {
    let (t, q) = (isometry.translation.vector, isometry.rotation.coords);
    Pose::from_parts(
        Vector::new(t.x as f32, t.y as f32, t.z as f32),
        Rotation::from_xyzw(q.x as f32, q.y as f32, q.z as f32, q.w as f32),
    )
}

/// The same chain in Rapier: bodies, and the handle of its last joint.
fn in_rapier(
    model: &ArmModel,
    dt: f64,
) -> (PhysicsWorld, Vec<rapier3d::prelude::MultibodyJointHandle>) {
    let mut world = PhysicsWorld::new();
    world.gravity = Vector::new(0.0, 0.0, -9.81);
    world.integration_parameters.dt = dt as f32;
    let mut bodies: Vec<RigidBodyHandle> = vec![world.bodies.insert(RigidBodyBuilder::fixed())];
    let mut joints = Vec::new();
    // Rapier's revolute joints turn about X.
    let x_to_z = Rotation::from_axis_angle(Vector::Y, -std::f32::consts::FRAC_PI_2);
    for link in &model.links[1..] {
        let com = link.inertial.link_from_inertial.translation.vector;
        let [xx, yy, zz, xy, xz, yz] = link.inertial.inertia.map(|moment| moment as f32);
        let inertia = rapier3d::glamx::Mat3::from_cols_array(&[xx, xy, xz, xy, yy, yz, xz, yz, zz]);
        let mass = MassProperties::with_inertia_matrix(
            Vector::new(com.x as f32, com.y as f32, com.z as f32),
            link.inertial.mass as f32,
            inertia,
        );
        let body = world.bodies.insert(
            RigidBodyBuilder::dynamic()
                .can_sleep(false)
                .additional_mass_properties(mass),
        );
        let attachment = link.attachment.as_ref().expect("it hangs from the base");
        let mut joint = GenericJointBuilder::new(JointAxesMask::LOCKED_REVOLUTE_AXES).build();
        joint.local_frame1 = pose(&attachment.parent_from_joint) * Pose::from_rotation(x_to_z);
        joint.local_frame2 = Pose::from_rotation(x_to_z);
        joints.push(
            world
                .multibody_joints
                .insert(bodies[attachment.parent], body, joint, true)
                .expect("a new body has no joint yet"),
        );
        bodies.push(body);
    }
    let (multibody, _) = world
        .multibody_joints
        .get_mut(joints[0])
        .expect("it was inserted");
    multibody.forward_kinematics(&world.bodies, true);
    let servo = model.joints[0].servo;
    multibody.damping_mut().fill(servo.damping as f32);
    multibody.armature_mut().fill(servo.armature as f32);
    let start: Vec<f32> = model.home.iter().map(|q| *q as f32).collect();
    multibody.apply_displacements(&start);
    multibody.forward_kinematics(&world.bodies, false);
    multibody.update_rigid_bodies(&mut world.bodies, true);
    (world, joints)
}

#[test]
fn a_swinging_arm_moves_as_rapiers_multibody_does() {
    let model = swinging();
    let mut scene = scene(vec![]);
    scene.physics.hz = 2000.0;
    let mut ours = world_of(&scene, model.clone());
    ours.set_torque(0, false);
    let (mut theirs, joints) = in_rapier(&model, ours.dt_secs());
    let mut moved: f64 = 0.0;
    for _ in 0..8 {
        for _ in 0..100 {
            ours.step();
            theirs.step();
        }
        let q = positions(&ours);
        let (multibody, _) = theirs.multibody_joints.get(joints[0]).unwrap();
        for (joint, q) in q.iter().enumerate() {
            let other = f64::from(multibody.link(joint + 1).unwrap().joint.coords()[3]);
            assert!(
                (q - other).abs() < 0.01,
                "joint {joint} at {}: {q}, {other}",
                ours.time_secs()
            );
            moved = moved.max((q - model.home[joint]).abs());
        }
    }
    assert!(moved > 0.5, "it hardly moved: {moved}");
}
