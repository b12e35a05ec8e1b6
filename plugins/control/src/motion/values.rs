//! Numbers in motion files, checked where they are read, so that an error names line and field.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{MAX_STEPS, Step};

/// Longest step, seconds.
const MAX_SECS: f64 = 600.0;
/// Most rows of a track: ten minutes at 200 a second.
const MAX_ROWS: usize = 120_000;
/// Positions lie within this distance of the origin, metres.
const MAX_METRES: f64 = 10.0;

pub(super) fn secs<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(f64::deserialize(from)?, 0.0..=MAX_SECS, "a time", "s")
}

pub(super) fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(f64::deserialize(from)?, 0.0..=100.0, "an opening", "%")
}

pub(super) fn degrees<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(
        f64::deserialize(from)?,
        -360.0..=360.0,
        "an angle",
        "degrees",
    )
}

pub(super) fn length<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(
        f64::deserialize(from)?,
        -MAX_METRES..=MAX_METRES,
        "a length",
        "m",
    )
}

pub(super) fn point<'de, D: Deserializer<'de>>(from: D) -> Result<[f64; 3], D::Error> {
    let point = <[f64; 3]>::deserialize(from)?;
    for coordinate in point {
        within(coordinate, -MAX_METRES..=MAX_METRES, "a coordinate", "m")?;
    }
    Ok(point)
}

pub(super) fn joints<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    let joints = BTreeMap::<String, f64>::deserialize(from)?;
    if joints.is_empty() {
        return Err(Error::custom(
            "expected at least one joint, as in {\"elbow_flex\": 40}",
        ));
    }
    for position in joints.values() {
        within(*position, -3600.0..=3600.0, "a joint position", "degrees")?;
    }
    Ok(joints)
}

pub(super) fn hz<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    within(f64::deserialize(from)?, 0.1..=1000.0, "a rate", "Hz")
}

pub(super) fn rows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<f64>>, D::Error> {
    let rows = some_rows(from)?;
    if rows.is_empty() {
        return Err(Error::custom("no rows; expected at least one"));
    }
    Ok(rows)
}

pub(super) fn some_rows<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Vec<f64>>, D::Error> {
    let rows = Vec::<Vec<f64>>::deserialize(from)?;
    if rows.len() > MAX_ROWS {
        let found = rows.len();
        return Err(Error::custom(format!(
            "{found} rows; expected at most {MAX_ROWS}"
        )));
    }
    for position in rows.iter().flatten() {
        within(*position, -3600.0..=3600.0, "a joint position", "degrees")?;
    }
    Ok(rows)
}

pub(super) fn steps<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Step>, D::Error> {
    let steps = Vec::<Step>::deserialize(from)?;
    if steps.is_empty() || steps.len() > MAX_STEPS {
        let found = steps.len();
        return Err(Error::custom(format!(
            "{found} steps; expected 1 to {MAX_STEPS}"
        )));
    }
    Ok(steps)
}

fn within<E: Error>(
    value: f64,
    range: RangeInclusive<f64>,
    what: &str,
    unit: &str,
) -> Result<f64, E> {
    if range.contains(&value) {
        return Ok(value);
    }
    let (low, high) = range.into_inner();
    Err(E::custom(format!(
        "{value} {unit}; expected {what} from {low} to {high} {unit}"
    )))
}
