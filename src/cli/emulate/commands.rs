//! What can be ordered while arms are served: a line a time.

use std::sync::Arc;

use forearm_arm::ArmModel;
use forearm_protocol::servo::{Incident, ServedFaults};

use crate::cli::teleoperate::read_script;

/// What can be ordered.
pub(super) const HELP: &str = "\
[ARM] hand MOTION        a hand repeats a motion while the torque is off: a file, `ranges`, …
[ARM] hand middle        a hand brings every joint to the middle of its range
[ARM] unplug | replug    the USB cable
[ARM] power off | on     the motors' supply
[ARM] attach JOINT|all   only this motor is on the bus, or all are
[ARM] overload JOINT     a joint was blocked for too long
[ARM] hot JOINT CELSIUS  a motor gets hot; without a number as it is by itself
[ARM] drop SHARE | corrupt SHARE | wrong-id SHARE | delay SHARE MS
                         this fault from now on, instead of any before
[ARM] no faults
quit
ARM is the arm's name; the first if left out.";

/// Something that was ordered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Help,
    Quit,
    Happens { arm: usize, incident: Incident },
    Hand { arm: usize, hand: Hand },
}

/// What a hand does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hand {
    /// A motion again and again: its text.
    Repeat(String),
    /// Joints to these positions, radians (metres).
    To(Vec<f64>),
}

/// Understands a line; nothing for an empty one.
///
/// # Errors
/// What was not understood, and what was expected.
pub(super) fn parse(
    line: &str,
    names: &[String],
    models: &[Arc<ArmModel>],
) -> Result<Option<Order>, String> {
    let mut words: Vec<_> = line.split_whitespace().collect();
    let named = words
        .first()
        .and_then(|word| names.iter().position(|name| name == word));
    if named.is_some() {
        words.remove(0);
    }
    let arm = named.unwrap_or(0);
    let Some(model) = models.get(arm) else {
        return Err("there is no arm".to_owned());
    };
    let happens = |incident| Some(Order::Happens { arm, incident });
    let joint = |name: &str| {
        model.joint_index(name).ok_or_else(|| {
            let known: Vec<_> = model.joints.iter().map(|it| it.name.as_str()).collect();
            format!("`{name}` is no joint; expected one of {}", known.join(", "))
        })
    };
    let faults = |change: &dyn Fn(&mut ServedFaults, f64), share: &str| {
        let mut faults = ServedFaults::default();
        change(&mut faults, number(share, 1.0)?);
        Ok::<_, String>(happens(Incident::Faults(faults)))
    };
    Ok(match words.as_slice() {
        [] => None,
        ["help"] => Some(Order::Help),
        ["quit" | "exit"] => Some(Order::Quit),
        ["hand", "middle"] => {
            let middle = |limits: &forearm_arm::JointLimits| (limits.lower + limits.upper) / 2.0;
            let middles = model.joints.iter().map(|it| middle(&it.limits));
            let hand = Hand::To(middles.collect());
            Some(Order::Hand { arm, hand })
        }
        ["hand", motion] => {
            let text = read_script(motion).map_err(|error| format!("{error:#}"))?;
            let hand = Hand::Repeat(text);
            Some(Order::Hand { arm, hand })
        }
        ["unplug"] => happens(Incident::Unplug),
        ["replug"] => happens(Incident::Replug),
        ["power", "off"] => happens(Incident::Power(false)),
        ["power", "on"] => happens(Incident::Power(true)),
        ["attach", "all"] => happens(Incident::Attach(None)),
        ["attach", name] => happens(Incident::Attach(Some(joint(name)?))),
        ["overload", name] => happens(Incident::Overload(joint(name)?)),
        ["hot", name] => happens(Incident::Temperature(joint(name)?, None)),
        ["hot", name, celsius] => {
            let celsius = number(celsius, 200.0)?;
            happens(Incident::Temperature(joint(name)?, Some(celsius)))
        }
        ["drop", share] => faults(&|faults, share| faults.drop = share, share)?,
        ["corrupt", share] => faults(&|faults, share| faults.corrupt = share, share)?,
        ["wrong-id", share] => faults(&|faults, share| faults.wrong_id = share, share)?,
        ["delay", share, ms] => {
            let delay_secs = number(ms, 1000.0)? / 1e3;
            faults(
                &|faults, share| {
                    faults.delay = share;
                    faults.delay_secs = delay_secs;
                },
                share,
            )?
        }
        ["no", "faults"] => happens(Incident::Faults(ServedFaults::default())),
        _ => {
            return Err(format!(
                "`{}` is not understood; `help` lists orders",
                line.trim()
            ));
        }
    })
}

fn number(text: &str, most: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "`{text}` can't be; expected a number from 0 to {most}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(line: &str) -> Result<Option<Order>, String> {
        let names = ["left", "right"].map(str::to_owned);
        let model = Arc::new(forearm_arm::so101::so101());
        parse(line, &names, &[Arc::clone(&model), model])
    }

    #[test]
    fn orders_are_for_the_named_arm_or_the_first() {
        let happens = |arm, incident| Ok(Some(Order::Happens { arm, incident }));
        assert_eq!(understood(" unplug "), happens(0, Incident::Unplug));
        assert_eq!(understood("right replug"), happens(1, Incident::Replug));
        assert_eq!(
            understood("right overload gripper"),
            happens(1, Incident::Overload(5))
        );
        let slow = ServedFaults {
            delay: 0.5,
            delay_secs: 0.02,
            ..ServedFaults::default()
        };
        assert_eq!(
            understood("delay 0.5 20"),
            happens(0, Incident::Faults(slow))
        );
        assert_eq!(understood(""), Ok(None));
        assert!(matches!(
            understood("left hand wave"),
            Ok(Some(Order::Hand {
                arm: 0,
                hand: Hand::Repeat(_)
            }))
        ));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (line, said) in [
            ("middle unplug", "help"),
            ("overload elbow", "elbow_flex"),
            ("drop 2", "0 to 1"),
            ("hot gripper NaN", "number"),
            ("hand nowhere", "nowhere"),
        ] {
            let error = understood(line).expect_err(line);
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
