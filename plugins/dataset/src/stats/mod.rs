//! Statistics of features, as LeRobot keeps them for every episode and for a whole dataset: minimum,
//! maximum, mean, standard deviation (of the population), and five quantiles from histograms.
//!
//! Everything is computed in `f64`. LeRobot computes numbers as `f32`, which differs in the seventh
//! digit, and squares pictures' bytes as bytes (0.4.4), so that its deviation of pictures is wrong; ours
//! is right.

mod pixels;
mod quantiles;
#[cfg(test)]
mod tests;

pub use pixels::PixelStats;
pub(crate) use quantiles::Histogram;

use crate::json::Json;
use crate::schema::DataType;

/// The names of the quantiles, and which share of the values is below them.
pub const QUANTILES: [(&str, f64); 5] = [
    ("q01", 0.01),
    ("q10", 0.10),
    ("q50", 0.50),
    ("q90", 0.90),
    ("q99", 0.99),
];

/// Statistics of a feature: a number for each value of a row (for pictures: for each channel, 0 to 1).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureStats {
    /// The smallest.
    pub min: Vec<f64>,
    /// The greatest.
    pub max: Vec<f64>,
    /// The mean.
    pub mean: Vec<f64>,
    /// The standard deviation of the population.
    pub std: Vec<f64>,
    /// How many rows (for pictures: how many pictures were looked at).
    pub count: u64,
    /// A hundredth of the values is below. Quantiles are empty in datasets that have none.
    pub q01: Vec<f64>,
    /// A tenth of the values is below.
    pub q10: Vec<f64>,
    /// Half of the values is below.
    pub q50: Vec<f64>,
    /// Nine tenths of the values are below.
    pub q90: Vec<f64>,
    /// All but a hundredth of the values is below.
    pub q99: Vec<f64>,
}

impl FeatureStats {
    /// All its vectors with LeRobot's names; quantiles last.
    #[must_use]
    pub fn named(&self) -> [(&'static str, &Vec<f64>); 9] {
        [
            ("min", &self.min),
            ("max", &self.max),
            ("mean", &self.mean),
            ("std", &self.std),
            ("q01", &self.q01),
            ("q10", &self.q10),
            ("q50", &self.q50),
            ("q90", &self.q90),
            ("q99", &self.q99),
        ]
    }

    /// A vector by LeRobot's name.
    pub(crate) fn by_name(&mut self, name: &str) -> Option<&mut Vec<f64>> {
        Some(match name {
            "min" => &mut self.min,
            "max" => &mut self.max,
            "mean" => &mut self.mean,
            "std" => &mut self.std,
            "q01" => &mut self.q01,
            "q10" => &mut self.q10,
            "q50" => &mut self.q50,
            "q90" => &mut self.q90,
            "q99" => &mut self.q99,
            _ => return None,
        })
    }

    /// How many values a row has; `None` when the vectors differ (quantiles may be missing).
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        let width = self.min.len();
        let same = self
            .named()
            .iter()
            .enumerate()
            .all(|(i, (_, values))| values.len() == width || (i >= 4 && values.is_empty()));
        (same && width > 0).then_some(width)
    }

    /// From an entry of `stats.json` or of v2.1's `episodes_stats.jsonl`. What is not there stays empty.
    pub(crate) fn from_json(json: &Json) -> Self {
        let mut stats = Self::default();
        for (key, value) in json.entries() {
            if key == "count" {
                stats.count = flatten(value).first().map_or(0, |count| to_count(*count));
            } else if let Some(values) = stats.by_name(key) {
                *values = flatten(value);
            }
        }
        stats
    }

    /// As an entry of `stats.json`.
    pub(crate) fn to_json(&self, data_type: &DataType) -> Json {
        let mut entries = Vec::new();
        for (name, values) in self.named() {
            if name == "q01" {
                entries.push(("count".to_owned(), Json::List(vec![self.count.into()])));
            }
            if !values.is_empty() {
                let whole = data_type.is_integer() && matches!(name, "min" | "max");
                let values = values
                    .iter()
                    .map(|value| {
                        let number = if whole {
                            whole_number(*value)
                        } else {
                            Json::Float(*value)
                        };
                        if data_type.is_picture() {
                            Json::List(vec![Json::List(vec![number])])
                        } else {
                            number
                        }
                    })
                    .collect();
                entries.push((name.to_owned(), Json::List(values)));
            }
        }
        Json::Map(entries)
    }
}

/// Numbers of lists in lists, in their order.
fn flatten(json: &Json) -> Vec<f64> {
    match json {
        Json::List(values) => values.iter().flat_map(flatten).collect(),
        Json::Bool(value) => vec![f64::from(u8::from(*value))],
        other => other.number().into_iter().collect(),
    }
}

/// A count that was a float.
pub(crate) fn to_count(value: f64) -> u64 {
    // Saturates, which is what is wanted.
    value as u64
}

fn whole_number(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        Json::Int(value as i64)
    } else {
        Json::Float(value)
    }
}

/// Statistics of rows of `width` numbers each.
#[must_use]
pub fn of_rows(values: &[f32], width: usize) -> FeatureStats {
    of(width, values.len() / width.max(1), &|row, i| {
        f64::from(values[row * width + i])
    })
}

/// Statistics of rows of `width` numbers each.
#[must_use]
pub fn of_rows_f64(values: &[f64], width: usize) -> FeatureStats {
    of(width, values.len() / width.max(1), &|row, i| {
        values[row * width + i]
    })
}

fn of(width: usize, rows: usize, at: &dyn Fn(usize, usize) -> f64) -> FeatureStats {
    let mut stats = FeatureStats {
        count: rows as u64,
        ..FeatureStats::default()
    };
    let count = rows as f64;
    for i in 0..width {
        let column = (0..rows).map(|row| at(row, i));
        let min = column.clone().fold(f64::INFINITY, f64::min);
        let max = column.clone().fold(f64::NEG_INFINITY, f64::max);
        let mean = column.clone().sum::<f64>() / count;
        let variance = column.clone().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
        stats.min.push(min);
        stats.max.push(max);
        stats.mean.push(mean);
        stats.std.push(variance.sqrt());
        let mut histogram = Histogram::new(min, max);
        column.for_each(|value| histogram.add(value, 1));
        for (name, share) in QUANTILES {
            // A single row has no spread: LeRobot takes the mean.
            let value = if rows < 2 {
                mean
            } else {
                histogram.quantile(share)
            };
            if let Some(values) = stats.by_name(name) {
                values.push(value);
            }
        }
    }
    stats
}

/// Statistics of the rows of several episodes together, weighted by their counts. Quantiles are the
/// weighted means of theirs, as LeRobot's up to 0.6.1; where one has none, there are none.
///
/// Episodes with another number of values than the first are left out.
#[must_use]
pub fn aggregate(all: &[FeatureStats]) -> FeatureStats {
    aggregate_of(all.iter())
}

/// As [`aggregate`], without copying.
pub(crate) fn aggregate_of<'a>(
    all: impl Iterator<Item = &'a FeatureStats> + Clone,
) -> FeatureStats {
    let Some(width) = all.clone().find_map(FeatureStats::width) else {
        return FeatureStats::default();
    };
    let all = all.filter(|stats| stats.width() == Some(width));
    let total: u64 = all
        .clone()
        .fold(0, |total, stats| total.saturating_add(stats.count));
    let mean_of = |values: &dyn Fn(&FeatureStats) -> f64| {
        let sum: f64 = all
            .clone()
            .map(|stats| values(stats) * stats.count as f64)
            .sum();
        sum / total.max(1) as f64
    };
    let mut together = FeatureStats {
        count: total,
        ..FeatureStats::default()
    };
    for i in 0..width {
        let mean = mean_of(&|stats| stats.mean[i]);
        let variance = mean_of(&|stats| {
            let delta = stats.mean[i] - mean;
            stats.std[i] * stats.std[i] + delta * delta
        });
        let min = all.clone().map(|stats| stats.min[i]);
        let max = all.clone().map(|stats| stats.max[i]);
        together.min.push(min.fold(f64::INFINITY, f64::min));
        together.max.push(max.fold(f64::NEG_INFINITY, f64::max));
        together.mean.push(mean);
        together.std.push(variance.sqrt());
    }
    for (place, (name, _)) in together.clone().named().into_iter().enumerate().skip(4) {
        if all
            .clone()
            .all(|stats| stats.named()[place].1.len() == width)
            && let Some(values) = together.by_name(name)
        {
            *values = (0..width)
                .map(|i| mean_of(&|stats| stats.named()[place].1[i]))
                .collect();
        }
    }
    together
}
