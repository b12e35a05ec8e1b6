//! The motions that are built into the program, and those that recorded episodes are.

use forearm_arm::ArmModel;
use forearm_arm::units::JointUnit;
use forearm_protocol::record::EpisodeSeries;

/// A motion file that is built into the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltinMotion {
    /// What it is called on the command line and in the panels.
    pub key: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The RON file's text.
    pub text: &'static str,
}

/// All built-in motions.
pub const BUILTIN_MOTIONS: &[BuiltinMotion] = &[
    BuiltinMotion {
        key: "pick_and_place",
        name: "Pick and place",
        text: include_str!("../scenes/motions/pick_and_place.ron"),
    },
    BuiltinMotion {
        key: "wave",
        name: "Wave",
        text: include_str!("../scenes/motions/wave.ron"),
    },
    BuiltinMotion {
        key: "ranges",
        name: "Ranges",
        text: include_str!("../scenes/motions/ranges.ron"),
    },
];

impl BuiltinMotion {
    /// The built-in motion with this key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static Self> {
        BUILTIN_MOTIONS.iter().find(|motion| motion.key == key)
    }
}

/// How long an arm has to come to a recording's first row, seconds.
const APPROACH_SECS: f64 = 2.0;

/// A recorded episode as a motion of one arm: it comes to the first row, softly, then follows the
/// recorded actions and compares itself with the recorded states.
///
/// `names` are the numbers of an action, of LeRobot (`shoulder_pan.pos`), `prefix` what stands before
/// this arm's (`left_`, or nothing), `fps` the rows a second.
///
/// # Errors
/// The recording is not of such an arm: what it has, and what was expected.
pub fn of_episode(
    model: &ArmModel,
    prefix: &str,
    names: &[String],
    series: &EpisodeSeries,
    fps: u32,
) -> anyhow::Result<String> {
    let width = names.len();
    let mut columns = Vec::new();
    for (joint, what) in model.joints.iter().enumerate() {
        let name = format!("{prefix}{}.pos", what.name);
        let column = names.iter().position(|it| *it == name).ok_or_else(|| {
            anyhow::anyhow!(
                "the recording has no `{name}`, which this arm needs; it has {}",
                names.join(", ")
            )
        })?;
        columns.push((joint, column));
    }
    let whole = series.frames as usize * width;
    if series.frames == 0 || series.actions.len() != whole {
        anyhow::bail!(
            "episode {} has {} numbers of actions; expected {whole}, {width} for each of its {} rows",
            series.index,
            series.actions.len(),
            series.frames
        );
    }
    let rows = |values: &[f32]| -> String {
        let rows = values.chunks_exact(width).map(|row| {
            let row: Vec<String> = columns
                .iter()
                .map(|(joint, column)| {
                    let value = f64::from(row[*column]);
                    let position = JointUnit::Lerobot.from_unit(model, *joint, value);
                    format!("{:.4}", JointUnit::Degrees.to_unit(model, *joint, position))
                })
                .collect();
            format!("[{}]", row.join(", "))
        });
        rows.collect::<Vec<_>>().join(",\n")
    };
    let joints: Vec<&str> = model.joints.iter().map(|it| it.name.as_str()).collect();
    let first: Vec<String> = {
        let row = rows(&series.actions[..width]);
        let row = row.trim_matches(['[', ']']).split(", ").map(str::to_owned);
        let within = |(joint, position): (usize, String)| {
            // What was recorded may lie a hair outside of the joint's range.
            let limits = model.joints[joint].limits;
            let [low, high] = [limits.lower, limits.upper]
                .map(|limit| JointUnit::Degrees.to_unit(model, joint, limit));
            let position = position.parse::<f64>().unwrap_or(low).clamp(low, high);
            format!("{:?}: {position:.4}", model.joints[joint].name)
        };
        row.enumerate().map(within).collect()
    };
    let measured = if series.states.len() == whole {
        rows(&series.states)
    } else {
        String::new()
    };
    Ok(format!(
        "Motion(\n    name: \"Episode {}\",\n    steps: [\n        \
         Joints(degrees: {{{}}}, secs: {APPROACH_SECS:?}),\n        Track(hz: {fps}, joints: {joints:?}, \
         degrees: [\n{}\n], measured: [\n{measured}\n]),\n    ],\n)\n",
        series.index,
        first.join(", "),
        rows(&series.actions),
    ))
}

#[cfg(test)]
mod tests {
    use forearm_arm::so101::so101;
    use forearm_control::motion::{Motion, Step};

    use super::*;

    fn names() -> Vec<String> {
        let model = so101();
        let joints = model.joints.iter();
        joints.map(|joint| format!("{}.pos", joint.name)).collect()
    }

    #[test]
    fn an_episode_is_a_motion_in_degrees() {
        let series = EpisodeSeries {
            index: 3,
            frames: 2,
            tasks: Vec::new(),
            actions: vec![1.0, 2.0, 3.0, 4.0, 5.0, 50.0, 2.0, 2.0, 3.0, 4.0, 5.0, 50.0],
            states: vec![0.0; 12],
        };
        let model = so101();
        let text = of_episode(&model, "", &names(), &series, 30).expect("it fits");
        let motion = Motion::from_ron("episode", &text).expect("it is one");
        assert_eq!(motion.name, "Episode 3");
        let Step::Track {
            hz,
            degrees,
            measured,
            ..
        } = &motion.steps[1]
        else {
            panic!("{:?}", motion.steps);
        };
        assert_eq!((*hz, degrees.len(), measured.len()), (30.0, 2, 2));
        assert_eq!(degrees[1][0], 2.0);
        let limits = model.joints[5].limits;
        let half = ((limits.lower + limits.upper) / 2.0).to_degrees();
        assert!(
            (degrees[0][5] - half).abs() < 1e-3,
            "{} {half}",
            degrees[0][5]
        );
    }

    #[test]
    fn a_recording_of_something_else_is_refused() {
        let model = so101();
        let series = EpisodeSeries {
            frames: 1,
            actions: vec![0.0; 6],
            ..EpisodeSeries::default()
        };
        let error = of_episode(&model, "left_", &names(), &series, 30).expect_err("refused");
        assert!(error.to_string().contains("no `left_shoulder_pan.pos`"));
        let cut = EpisodeSeries {
            frames: 2,
            ..series
        };
        let error = of_episode(&model, "", &names(), &cut, 30).expect_err("refused");
        assert!(error.to_string().contains("expected 12"), "{error}");
    }
}
