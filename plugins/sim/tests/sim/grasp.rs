//! Pick and place: the jaws close on a thing, lift it, carry it, put it down.

use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::so101;
use forearm_protocol::scene::ObjectShape;
use forearm_sim::World;
use nalgebra::{Isometry3, Matrix3, Quaternion, Rotation3, Translation3, UnitQuaternion, Vector3};

use crate::support::{CUBE, TRAY, object, scene, world};

/// Where the pan joint's axis meets the table, metres along X.
const SHOULDER: f64 = 0.0388;
/// How far the fixed jaw stays from the thing while the gripper goes down, metres.
const CLEARANCE: f64 = 0.007;
const OPEN: f64 = 0.8;
const CLOSED: f64 = -0.1;

/// The arm, moved from pose to pose as an operator's script would.
struct Operator {
    world: World,
    ik: IkSolver,
    joints: Vec<f64>,
}

impl Operator {
    fn new(world: World) -> Self {
        let model = so101::so101();
        let ik = IkSolver::new(&model, IkConfig::thorough());
        Self {
            world,
            ik,
            joints: model.home,
        }
    }

    /// Moves smoothly to joint targets, in steps of 120 a second.
    fn play(&mut self, goal: &[f64], secs: f64) {
        let steps = (secs / self.world.dt_secs()) as usize;
        let start = self.joints.clone();
        for step in 0..steps {
            if step % 4 == 0 {
                let u = (step + 4) as f64 / steps as f64;
                let u = u.min(1.0);
                let s = u * u * u * (10.0 - 15.0 * u + 6.0 * u * u);
                let targets: Vec<_> = start
                    .iter()
                    .zip(goal)
                    .map(|(from, to)| from + (to - from) * s)
                    .collect();
                self.world.set_targets(0, &targets);
            }
            self.world.step();
        }
        self.joints = goal.to_vec();
    }

    /// Moves the fixed jaw's tip to `tip`, pointing down, jaws opening along `opening`.
    fn go(&mut self, tip: Vector3<f64>, opening: Vector3<f64>, gripper: f64, secs: f64) {
        let (z, x) = (-Vector3::z(), -opening);
        let axes = Matrix3::from_columns(&[x, z.cross(&x), z]);
        let rotation = Rotation3::from_matrix_unchecked(axes);
        let target = Isometry3::from_parts(
            Translation3::from(tip),
            UnitQuaternion::from_rotation_matrix(&rotation),
        );
        let solution = self.ik.solve(&self.joints, &target);
        assert!(
            solution.position_error_m < 1e-3,
            "{tip}: off by {}",
            solution.position_error_m
        );
        let mut goal = solution.joints.to_vec();
        goal[5] = gripper;
        self.play(&goal, secs);
    }

    fn grip(&mut self, gripper: f64, secs: f64) {
        let mut goal = self.joints.clone();
        goal[5] = gripper;
        self.play(&goal, secs);
    }

    /// Grasps object 0, `half` thick, and lifts it by 8 cm. Jaws open along X.
    fn pick(&mut self, half: f64) {
        let center = Vector3::from(self.world.object_pose(0).position);
        let opening = Vector3::x();
        let tip = center - opening * (half + CLEARANCE);
        self.go(
            Vector3::new(tip.x, tip.y, center.z + 0.07),
            opening,
            OPEN,
            1.0,
        );
        self.go(Vector3::new(tip.x, tip.y, 0.008), opening, OPEN, 0.8);
        self.grip(CLOSED, 0.8);
        self.go(Vector3::new(tip.x, tip.y, 0.09), opening, CLOSED, 0.8);
    }

    /// Carries what it holds over `place` and lets go.
    fn place(&mut self, place: Vector3<f64>, half: f64) {
        let away = Vector3::new(place.x - SHOULDER, place.y, 0.0).normalize();
        let tip = place - away * half;
        self.go(tip + Vector3::z() * 0.09, away, CLOSED, 1.2);
        self.go(tip + Vector3::z() * 0.03, away, CLOSED, 0.6);
        self.grip(OPEN, 0.6);
        self.go(tip + Vector3::z() * 0.09, away, OPEN, 0.6);
        self.play(&so101::so101().home, 1.0);
    }

    /// Where object 0 is in the tool's frame.
    fn held(&self) -> Vector3<f64> {
        let tool = self.world.tool_pose(0);
        let [x, y, z, w] = tool.rotation;
        let rotation = UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
        let offset =
            Vector3::from(self.world.object_pose(0).position) - Vector3::from(tool.position);
        rotation.inverse() * offset
    }
}

fn thing_and_tray(shape: ObjectShape, position: [f64; 3]) -> Operator {
    let mut tray = object("tray", TRAY, [0.20, -0.12, 0.0]);
    tray.mass = 0.2;
    Operator::new(world(&scene(vec![object("thing", shape, position), tray])))
}

#[test]
fn a_cube_is_put_in_the_tray_from_wherever_it_stands() {
    let offsets = [
        (0, 0),
        (30, 30),
        (30, -30),
        (-30, 30),
        (-30, -30),
        (30, 0),
        (-30, 0),
        (0, 30),
        (0, -30),
        (17, -23),
    ];
    for (x, y) in offsets {
        let position = [
            0.22 + f64::from(x) * 1e-3,
            0.06 + f64::from(y) * 1e-3,
            0.015,
        ];
        let mut operator = thing_and_tray(CUBE, position);
        operator.pick(0.015);
        let lifted = operator.world.object_pose(0).position[2];
        assert!(
            lifted > 0.08,
            "cube at {position:?}: lifted to {lifted} only"
        );
        assert!(!operator.world.object_in_tray(0, 1));
        operator.place(Vector3::new(0.20, -0.12, 0.0), 0.015);
        let end = operator.world.object_pose(0).position;
        assert!(
            operator.world.object_in_tray(0, 1),
            "cube from {position:?} ended at {end:?}"
        );
    }
}

#[test]
fn round_and_other_things_are_put_in_the_tray_too() {
    for (shape, half, height) in [
        (
            ObjectShape::Cylinder {
                radius: 0.015,
                height: 0.05,
            },
            0.015,
            0.025,
        ),
        (ObjectShape::Ball { radius: 0.016 }, 0.016, 0.016),
        (ObjectShape::Cube { size: 0.02 }, 0.01, 0.01),
        (ObjectShape::Cube { size: 0.045 }, 0.0225, 0.0225),
        (
            ObjectShape::Box {
                size: [0.025, 0.06, 0.03],
            },
            0.0125,
            0.015,
        ),
    ] {
        let mut operator = thing_and_tray(shape, [0.23, 0.06, height]);
        operator.pick(half);
        operator.place(Vector3::new(0.20, -0.12, 0.0), half);
        let end = operator.world.object_pose(0).position;
        assert!(
            operator.world.object_in_tray(0, 1),
            "{shape:?} ended at {end:?}"
        );
    }
}

#[test]
fn what_is_held_neither_slips_nor_shakes() {
    for (shape, half, height) in [
        (CUBE, 0.015, 0.015),
        (
            ObjectShape::Cylinder {
                radius: 0.015,
                height: 0.05,
            },
            0.015,
            0.025,
        ),
        (ObjectShape::Ball { radius: 0.016 }, 0.016, 0.016),
    ] {
        let mut operator = Operator::new(world(&scene(vec![object(
            "thing",
            shape,
            [0.22, 0.0, height],
        )])));
        operator.pick(half);
        operator.grip(CLOSED, 0.5);
        let held = operator.held();
        let mut last = held;
        for _ in 0..1000 {
            operator.world.step();
            let now = operator.held();
            assert!(
                (now - last).norm() < 1e-6,
                "{shape:?} jumps by {} m",
                (now - last).norm()
            );
            last = now;
        }
        assert!(
            (last - held).norm() < 1e-4,
            "{shape:?} slips by {} m in 2 s",
            (last - held).norm()
        );

        let pose = operator.joints.clone();
        for swing in [0.5, -0.5, 0.5, -0.5] {
            let mut goal = pose.clone();
            goal[0] = swing;
            goal[3] -= 0.15 + 0.3 * swing;
            goal[4] += swing;
            operator.play(&goal, 0.4);
        }
        let slipped = (operator.held() - held).norm();
        assert!(
            slipped < 1.5e-3,
            "{shape:?} slips by {slipped} m when shaken"
        );
    }
}

#[test]
fn the_jaws_neither_crush_nor_pass_through_a_cube() {
    let mut operator = Operator::new(world(&scene(vec![object(
        "cube",
        CUBE,
        [0.22, 0.0, 0.015],
    )])));
    operator.pick(0.015);
    operator.grip(CLOSED, 1.0);
    let mut joints = [0.0; 6];
    operator.world.joint_positions(0, &mut joints);
    // 3 cm between the jaws: far from closed, and not forced open.
    assert!(
        joints[5] > 0.12 && joints[5] < 0.32,
        "gripper at {}",
        joints[5]
    );
    let mut efforts = [0.0; 6];
    operator.world.joint_efforts(0, &mut efforts);
    assert!((efforts[5] + 1.47).abs() < 0.01, "{efforts:?}");
}
