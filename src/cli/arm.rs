//! `forearm arm info|fk|ik`.
#![expect(
    clippy::let_underscore_must_use,
    reason = "writing into a `String` never fails"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use forearm::files;
use forearm_arm::ik::{IkConfig, IkSolver};
use forearm_arm::{ArmModel, JointKind, kinematics};
use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Failure, OrFail, print_json};

#[derive(Debug, Subcommand)]
pub(crate) enum ArmCommand {
    /// Show links, joints, limits and servos.
    Info(ModelArgs),
    /// Forward kinematics: where the tool and every link are.
    Fk {
        #[command(flatten)]
        model: ModelArgs,
        /// Joint positions by name in radians (metres for sliding joints), for instance
        /// `{"shoulder_pan": 0.5}`; joints left out are at zero.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        joints: String,
    },
    /// Inverse kinematics: joints that bring the tool to a pose.
    Ik {
        #[command(flatten)]
        model: ModelArgs,
        /// The tool's pose in the base frame:
        /// `{"position_m": [x, y, z], "rotation": [[…], […], […]]}`; without a rotation only the
        /// position counts.
        #[arg(long, value_name = "JSON")]
        tool: String,
        /// Joint positions to start from, as for `fk`; the arm's home if left out.
        #[arg(long, value_name = "JSON")]
        joints: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelArgs {
    /// A URDF or MJCF file; the built-in SO-101 if left out.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolPose {
    position_m: [f64; 3],
    rotation: Option<[[f64; 3]; 3]>,
}

pub(crate) fn run(command: &ArmCommand) -> Result<(), Failure> {
    match command {
        ArmCommand::Info(args) => info(args),
        ArmCommand::Fk { model, joints } => fk(model, joints),
        ArmCommand::Ik {
            model,
            tool,
            joints,
        } => ik(model, tool, joints.as_deref()),
    }
}

fn info(args: &ModelArgs) -> Result<(), Failure> {
    let (model, notes) = load(args).or_bad_input()?;
    if args.json {
        return print_json(&info_json(&model, &notes));
    }
    let mut text = format!(
        "{}: {} links, {} joints\n\n",
        model.name,
        model.links.len(),
        model.dof()
    );
    let width = model
        .joints
        .iter()
        .map(|joint| joint.name.len())
        .max()
        .unwrap_or(0)
        .max(5);
    let _ = writeln!(
        text,
        "{:<width$}  {:>10}  {:>10}  {:>10}  {:>10}",
        "JOINT", "LOWER", "UPPER", "SPEED", "EFFORT"
    );
    for joint in &model.joints {
        let (scale, unit, effort) = match joint.kind {
            JointKind::Revolute => (180.0 / std::f64::consts::PI, "°", "N·m"),
            JointKind::Prismatic => (1000.0, " mm", "N"),
        };
        let limits = joint.limits;
        let _ = writeln!(
            text,
            "{:<width$}  {:>10}  {:>10}  {:>10}  {:>10}",
            joint.name,
            format!("{:.2}{unit}", limits.lower * scale),
            format!("{:.2}{unit}", limits.upper * scale),
            format!("{:.1}{unit}/s", limits.velocity * scale),
            format!("{:.2} {effort}", limits.effort),
        );
    }
    let mass: f64 = model.links.iter().map(|link| link.inertial.mass).sum();
    let _ = writeln!(
        text,
        "\ntool on {}, mass {mass:.3} kg",
        model.links[model.tool.link].name
    );
    for note in notes {
        let _ = writeln!(text, "note: {note}");
    }
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .or_failed()
}

fn info_json(model: &ArmModel, notes: &[String]) -> Value {
    let joints: Vec<_> = model
        .joints
        .iter()
        .map(|joint| {
            let (limits, servo) = (joint.limits, joint.servo);
            json!({
                "name": joint.name,
                "kind": match joint.kind {
                    JointKind::Revolute => "revolute",
                    JointKind::Prismatic => "prismatic",
                },
                "limits": {
                    "lower": limits.lower,
                    "upper": limits.upper,
                    "velocity": limits.velocity,
                    "effort": limits.effort,
                },
                "servo": {
                    "kp": servo.kp,
                    "kv": servo.kv,
                    "damping": servo.damping,
                    "friction_loss": servo.friction_loss,
                    "armature": servo.armature,
                    "backlash": servo.backlash,
                },
            })
        })
        .collect();
    let links: Vec<_> = model
        .links
        .iter()
        .map(|link| json!({"name": link.name, "mass_kg": link.inertial.mass}))
        .collect();
    json!({
        "name": model.name,
        "joints": joints,
        "links": links,
        "tool_link": model.links[model.tool.link].name,
        "gripper": model.gripper.map(|index| &model.joints[index].name),
        "notes": notes,
    })
}

fn fk(args: &ModelArgs, joints: &str) -> Result<(), Failure> {
    let (model, _notes) = load(args).or_bad_input()?;
    let positions = parse_joints(&model, joints, vec![0.0; model.dof()]).or_bad_input()?;
    let mut poses = Vec::new();
    kinematics::link_poses(&model, &positions, &mut poses);
    let tool = poses[model.tool.link] * model.tool.link_from_tool;
    if args.json {
        let links: serde_json::Map<_, _> = model
            .links
            .iter()
            .zip(&poses)
            .map(|(link, pose)| (link.name.clone(), pose_json(pose)))
            .collect();
        return print_json(&json!({"tool": pose_json(&tool), "links": links}));
    }
    let mut text = String::new();
    let width = model
        .links
        .iter()
        .map(|link| link.name.len())
        .max()
        .unwrap_or(0)
        .max(4);
    let rows = model
        .links
        .iter()
        .map(|link| link.name.as_str())
        .zip(&poses);
    for (name, pose) in rows.chain([("tool", &tool)]) {
        let position = pose.translation.vector;
        let (roll, pitch, yaw) = pose.rotation.euler_angles();
        let degrees = [roll, pitch, yaw].map(f64::to_degrees);
        let _ = writeln!(
            text,
            "{name:<width$}  {:>9.5} {:>9.5} {:>9.5} m  {:>8.2} {:>8.2} {:>8.2}° roll pitch yaw",
            position.x, position.y, position.z, degrees[0], degrees[1], degrees[2],
        );
    }
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .or_failed()
}

fn ik(args: &ModelArgs, tool: &str, joints: Option<&str>) -> Result<(), Failure> {
    let (model, _notes) = load(args).or_bad_input()?;
    let (target, oriented) = parse_tool(tool).or_bad_input()?;
    let start = parse_joints(&model, joints.unwrap_or("{}"), model.home.clone()).or_bad_input()?;
    let mut config = IkConfig::default();
    if !oriented {
        config.orientation_weight = 0.0;
    }
    let mut solver = IkSolver::new(&model, config);
    let solution = solver.solve(&start, &target);
    let by_name: BTreeMap<_, _> = model
        .joints
        .iter()
        .map(|joint| joint.name.as_str())
        .zip(solution.joints.iter().copied())
        .collect();
    if args.json {
        return print_json(&json!({
            "joints": by_name,
            "position_error_m": solution.position_error_m,
            "orientation_error_rad": solution.orientation_error_rad,
            "iterations": solution.iterations,
            "converged": solution.converged,
        }));
    }
    let mut text = String::new();
    for joint in &model.joints {
        let value = by_name[joint.name.as_str()];
        let _ = match joint.kind {
            JointKind::Revolute => {
                writeln!(
                    text,
                    "{:<16} {value:>9.5} rad {:>9.3}°",
                    joint.name,
                    value.to_degrees()
                )
            }
            JointKind::Prismatic => writeln!(text, "{:<16} {value:>9.5} m", joint.name),
        };
    }
    let _ = writeln!(
        text,
        "{} after {} iterations: {:.3} mm and {:.3}° off",
        if solution.converged {
            "reached"
        } else {
            "not reached: nearest"
        },
        solution.iterations,
        solution.position_error_m * 1e3,
        solution.orientation_error_rad.to_degrees(),
    );
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .or_failed()
}

fn load(args: &ModelArgs) -> anyhow::Result<(ArmModel, Vec<String>)> {
    match &args.model {
        None => Ok((forearm_arm::so101::so101(), Vec::new())),
        Some(path) => files::load_model(path).map(|loaded| (loaded.model, loaded.notes)),
    }
}

/// Reads joint positions by name over `start`.
fn parse_joints(model: &ArmModel, text: &str, mut start: Vec<f64>) -> anyhow::Result<Vec<f64>> {
    let wanted: BTreeMap<String, f64> = serde_json::from_str(text).with_context(|| {
        format!(
            "`--joints {text}`: expected JSON such as {{\"{}\": 0.5}}",
            model.joints[0].name
        )
    })?;
    for (name, position) in wanted {
        let index = model.joint_index(&name).ok_or_else(|| {
            let names: Vec<_> = model
                .joints
                .iter()
                .map(|joint| joint.name.as_str())
                .collect();
            anyhow!(
                "`--joints`: no joint is called `{name}`; expected {}",
                names.join(", ")
            )
        })?;
        if !position.is_finite() {
            bail!("`--joints`: `{name}` is {position}; expected a finite number");
        }
        start[index] = position;
    }
    Ok(start)
}

/// Reads a tool pose, and whether it has a rotation.
fn parse_tool(text: &str) -> anyhow::Result<(Isometry3<f64>, bool)> {
    let pose: ToolPose = serde_json::from_str(text).with_context(|| {
        format!("`--tool {text}`: expected JSON such as {{\"position_m\": [0.25, 0, 0.1]}}")
    })?;
    if !pose
        .position_m
        .iter()
        .all(|value| value.is_finite() && value.abs() < 1e3)
    {
        bail!(
            "`--tool`: position_m is {:?}; expected metres within 1000",
            pose.position_m
        );
    }
    let rotation = match pose.rotation {
        None => UnitQuaternion::identity(),
        Some(rows) => {
            let matrix = Matrix3::from_fn(|row, column| rows[row][column]);
            let off = (matrix * matrix.transpose() - Matrix3::identity())
                .abs()
                .max();
            if !(off < 1e-3 && matrix.determinant() > 0.0) {
                bail!("`--tool`: rotation is not a rotation matrix (three orthonormal rows)");
            }
            UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix(&matrix))
        }
    };
    let translation = Translation3::from(Vector3::from(pose.position_m));
    Ok((
        Isometry3::from_parts(translation, rotation),
        pose.rotation.is_some(),
    ))
}

fn pose_json(pose: &Isometry3<f64>) -> Value {
    let position = pose.translation.vector;
    let rotation = pose.rotation.to_rotation_matrix();
    let rows: Vec<[f64; 3]> = (0..3)
        .map(|row| [0, 1, 2].map(|column| rotation[(row, column)]))
        .collect();
    json!({"position_m": [position.x, position.y, position.z], "rotation": rows})
}
