//! The scenarios, one after another.

use std::collections::BTreeMap;
use std::error::Error;
use std::f64::consts::TAU;

use forearm_arm::so101;
use forearm_protocol::scene::{
    ArmSpec, Backend, ModelRef, ObjectShape, ObjectSpec, PhysicsSpec, Scene, ServoModel,
    Sts3215Spec, TableSpec,
};
use nalgebra::Vector3;

use crate::operator::{CLOSED, Operator, SHOULDER, TICKS_PER_SEC};
use crate::random::Random;
use crate::{Scenario, Tick};

/// Where the arm reaches out freely, radians.
const CENTER: [f64; 6] = [0.0, -0.6, 0.4, 0.6, 0.0, 0.5];
/// The cube that is dropped, pushed and grasped: side (m).
const CUBE: f64 = 0.03;

/// Everything but the trials.
pub(crate) fn all() -> Result<Vec<Scenario>, Box<dyn Error>> {
    let mut all = Vec::new();
    let model = so101::so101();
    for joint in 0..6 {
        let name = &model.joints[joint].name;
        all.push(free(&format!("steps of {name}"), steps(joint)));
        all.push(free(&format!("sines of {name}"), sines(joint)));
    }
    all.push(free("60 s of random targets", random_targets()));
    all.push(free("into the limits", into_the_limits()));
    all.extend(real_servos());
    all.push(limp());
    all.push(energy());
    all.extend(drops());
    all.extend(pushes()?);
    all.extend(grasps()?);
    Ok(all)
}

/// A scene with one arm.
pub(crate) fn scene(objects: Vec<ObjectSpec>) -> Scene {
    Scene {
        name: "validation".to_owned(),
        description: String::new(),
        arms: vec![ArmSpec {
            name: "arm".to_owned(),
            model: ModelRef::So101,
            backend: Backend::Sim,
            leader: None,
            position: [0.0; 3],
            yaw_degrees: 0.0,
            home_degrees: BTreeMap::new(),
            color: [1.0; 3],
        }],
        objects,
        cameras: Vec::new(),
        lights: Vec::new(),
        table: TableSpec::default(),
        physics: PhysicsSpec::default(),
    }
}

/// A cube of 30 g.
pub(crate) fn cube(position: [f64; 3]) -> ObjectSpec {
    ObjectSpec {
        name: "cube".to_owned(),
        shape: ObjectShape::Cube { size: CUBE },
        position,
        rotation_degrees: [0.0; 3],
        mass: 0.03,
        friction: 1.0,
        color: [0.5; 3],
        fixed: false,
    }
}

/// A scene with nothing in reach but the arm itself.
fn nothing_in_reach() -> Scene {
    let mut scene = scene(Vec::new());
    scene.table.center = [20.0, 20.0];
    scene
}

fn free(name: &str, targets: Vec<[f64; 6]>) -> Scenario {
    let torque = true;
    Scenario {
        name: name.to_owned(),
        group: "free",
        scene: nothing_in_reach(),
        model: so101::so101(),
        ticks: targets
            .into_iter()
            .map(|targets| Tick { targets, torque })
            .collect(),
    }
}

fn ticks(secs: f64) -> usize {
    (secs * TICKS_PER_SEC).round() as usize
}

/// One joint jumps, by little and by much, the others hold.
fn steps(joint: usize) -> Vec<[f64; 6]> {
    let mut all = vec![CENTER; ticks(1.0)];
    for jump in [0.02, -0.02, 0.2, -0.2, 0.45, -0.45, 0.0] {
        let mut targets = CENTER;
        targets[joint] += jump;
        all.extend(std::iter::repeat_n(targets, ticks(0.8)));
    }
    all
}

/// One joint swings, slowly to fast, the others hold.
fn sines(joint: usize) -> Vec<[f64; 6]> {
    let mut all = vec![CENTER; ticks(1.0)];
    for (amplitude, hz, secs) in [(0.4, 0.5, 4.0), (0.2, 2.0, 2.0), (0.02, 8.0, 1.0)] {
        all.extend((0..ticks(secs)).map(|tick| {
            let mut targets = CENTER;
            let phase = TAU * hz * tick as f64 / TICKS_PER_SEC;
            targets[joint] += amplitude * libm::sin(phase);
            targets
        }));
    }
    all
}

/// All joints at once: now jumps, now smooth moves, over most of their ranges.
fn random_targets() -> Vec<[f64; 6]> {
    let model = so101::so101();
    let mut random = Random(6);
    let mut operator = Operator::new();
    while operator.ticks.len() < ticks(60.0) {
        let mut goal = [0.0; 6];
        for (goal, joint) in goal.iter_mut().zip(&model.joints) {
            let limits = &joint.limits;
            let middle = f64::midpoint(limits.lower, limits.upper);
            *goal = middle + 0.8 * (limits.upper - middle) * random.between(-1.0, 1.0);
        }
        let secs = random.between(0.4, 1.6);
        if random.unit() < 0.5 {
            operator.tick(goal);
            operator.wait(secs);
        } else {
            operator.play(goal, secs);
        }
    }
    operator.ticks.truncate(ticks(60.0));
    operator.ticks.iter().map(|tick| tick.targets).collect()
}

/// The same random targets, and small steps of each joint, with the real servo: without play of its
/// gears and with it.
fn real_servos() -> Vec<Scenario> {
    let mut little = Vec::new();
    for joint in 0..6 {
        little.extend(steps(joint));
    }
    let mut wide = random_targets();
    wide.truncate(ticks(20.0));
    let spec = Sts3215Spec::default();
    let tight = Sts3215Spec {
        backlash_degrees: 0.0,
        ..spec
    };
    [
        ("STS3215, steps", &little, tight),
        ("STS3215, random targets", &wide, tight),
        ("STS3215 with play, steps", &little, spec),
        ("STS3215 with play, random", &wide, spec),
    ]
    .into_iter()
    .map(|(name, targets, spec)| {
        let mut scenario = free(name, targets.clone());
        scenario.group = "servo";
        scenario.scene.physics.servo = ServoModel::Sts3215(spec);
        scenario
    })
    .collect()
}

/// Every joint is sent beyond its limits, to either side.
fn into_the_limits() -> Vec<[f64; 6]> {
    let mut all = Vec::new();
    for joint in 0..6 {
        for beyond in [4.0, -4.0] {
            let mut targets = CENTER;
            targets[joint] = beyond;
            all.extend(std::iter::repeat_n(targets, ticks(1.5)));
        }
    }
    all
}

/// Raised, then switched off: it sinks onto the table.
fn limp() -> Scenario {
    let mut operator = Operator::new();
    operator.play([0.3, -0.9, 0.3, 0.4, 0.0, 0.3], 1.0);
    operator.wait(0.5);
    let targets = operator.joints();
    let mut ticks_of = operator.ticks;
    ticks_of.extend(std::iter::repeat_n(
        Tick {
            targets,
            torque: false,
        },
        ticks(3.0),
    ));
    Scenario {
        name: "falling limp".to_owned(),
        group: "limp",
        scene: scene(Vec::new()),
        model: so101::so101(),
        ticks: ticks_of,
    }
}

/// Nothing that could take energy away or give it: the arm swings for ever.
fn energy() -> Scenario {
    let mut model = so101::so101();
    for joint in &mut model.joints {
        joint.servo.damping = 0.0;
        joint.servo.friction_loss = 0.0;
        joint.limits.lower = -100.0;
        joint.limits.upper = 100.0;
    }
    let tick = Tick {
        targets: [0.0; 6],
        torque: false,
    };
    Scenario {
        name: "swinging freely".to_owned(),
        group: "energy",
        scene: nothing_in_reach(),
        model,
        ticks: vec![tick; ticks(5.0)],
    }
}

/// The arm stays at home; things happen beside it.
fn drops() -> Vec<Scenario> {
    let drop = |name: &str, height: f64, turned: [f64; 3]| {
        let mut cube = cube([0.25, 0.1, height]);
        cube.rotation_degrees = turned;
        let mut operator = Operator::new();
        operator.wait(2.0);
        contact(name, scene(vec![cube]), operator)
    };
    vec![
        drop("cube dropped flat", 0.10, [0.0, 0.0, 25.0]),
        drop("cube dropped on an edge", 0.05, [20.0, 0.0, 0.0]),
    ]
}

fn contact(name: &str, scene: Scene, operator: Operator) -> Scenario {
    Scenario {
        name: name.to_owned(),
        group: "contact",
        scene,
        model: so101::so101(),
        ticks: operator.ticks,
    }
}

/// The flat outer side of the fixed jaw, held upright, draws the cube towards the base: gently, off
/// its middle, and so fast that it slides on. It touches over the cube's whole height: pushed at its
/// upper edge on a table this rough, a cube is about to tip, and the least difference decides.
fn pushes() -> Result<Vec<Scenario>, Box<dyn Error>> {
    // The finger leans inwards by this much, radians, and is this thick, metres.
    let (lean, thickness) = (libm::atan2(0.0055, 0.055), 0.006);
    let push = |name: &str, friction: f64, off_m: f64, way_m: f64, secs: f64| {
        let opening = Vector3::x();
        let start = 0.27;
        let mut operator = Operator::new();
        let at = |x: f64, z: f64| Vector3::new(x, 0.0, z);
        operator.go_leaning(at(start, 0.06), opening, lean, CLOSED, 1.0)?;
        operator.go_leaning(at(start, 0.01), opening, lean, CLOSED, 0.6)?;
        operator.wait(0.2);
        let pieces = 20;
        for piece in 1..=pieces {
            let way = way_m * f64::from(piece) / f64::from(pieces);
            let secs = secs / f64::from(pieces);
            operator.go_straight(at(start - way, 0.01), opening, lean, CLOSED, secs)?;
        }
        operator.wait(1.0);
        let place = [start - thickness - 0.01 - CUBE / 2.0, off_m, CUBE / 2.0];
        let mut scene = scene(vec![cube(place)]);
        scene.table.friction = friction;
        Ok(contact(name, scene, operator))
    };
    [
        push("cube pushed", 0.8, 0.0, 0.09, 1.6),
        push("cube pushed off its middle", 0.8, 0.005, 0.09, 1.6),
        push("cube slides to rest", 0.25, 0.0, 0.06, 0.16),
    ]
    .into_iter()
    .collect()
}

/// Grasped, lifted, held; and shaken.
fn grasps() -> Result<Vec<Scenario>, Box<dyn Error>> {
    let mut all = Vec::new();
    for shaken in [false, true] {
        let place = [0.22, 0.05, CUBE / 2.0];
        let mut operator = Operator::new();
        operator.pick(Vector3::from(place), CUBE / 2.0)?;
        if shaken {
            let pose = operator.joints();
            for swing in [0.5, -0.5, 0.5, -0.5] {
                let mut goal = pose;
                goal[0] += swing;
                goal[3] -= 0.15 + 0.3 * swing;
                goal[4] += swing;
                operator.play(goal, 0.4);
            }
            operator.play(pose, 0.4);
        }
        operator.wait(1.0);
        let name = if shaken {
            "cube grasped and shaken"
        } else {
            "cube grasped and lifted"
        };
        // Along the jaws, so that they come down beside it without a touch.
        let mut cube = cube(place);
        let along = libm::atan2(place[1], place[0] - SHOULDER);
        cube.rotation_degrees[2] = along.to_degrees();
        all.push(contact(name, scene(vec![cube]), operator));
    }
    Ok(all)
}
