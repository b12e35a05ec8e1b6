//! Figures as people read them: durations, sizes, counts, rates. Three digits say enough.

use crate::units::number;

/// What stands for a figure that is not known.
pub(crate) const UNKNOWN: &str = "–";

/// A duration in its unit, in three digits.
pub(crate) fn duration(secs: f64) -> String {
    if !(secs > 0.0 && secs.is_finite()) {
        return UNKNOWN.to_owned();
    }
    match secs {
        secs if secs < 999.5e-6 => digits(secs * 1e6, "µs"),
        secs if secs < 0.9995 => digits(secs * 1e3, "ms"),
        secs if secs < 600.0 => digits(secs, "s"),
        _ => format!("{:.0} min", secs / 60.0),
    }
}

/// How long ago something was: tenths of a second, then seconds, then minutes.
pub(crate) fn age(secs: f64) -> String {
    match secs.max(0.0) {
        secs if secs < 9.95 => format!("{secs:.1} s"),
        secs if secs < 119.5 => format!("{secs:.0} s"),
        secs if secs < 5940.0 => format!("{:.0} min", secs / 60.0),
        _ => "long".to_owned(),
    }
}

/// A number of bytes.
pub(crate) fn bytes(count: f64) -> String {
    match count.max(0.0) {
        count if count < 0.5 => "0".to_owned(),
        count if count < 999.5 => format!("{count:.0} B"),
        count if count < 999.5e3 => digits(count / 1e3, "kB"),
        count if count < 999.5e6 => digits(count / 1e6, "MB"),
        count => digits(count / 1e9, "GB"),
    }
}

/// How often something happens, a second.
pub(crate) fn rate(count: f64) -> String {
    match count.max(0.0) {
        count if count < 0.05 => "0".to_owned(),
        count if count < 9.95 => format!("{count:.1}"),
        count => large(count),
    }
}

/// A count: whole up to 9999, then in thousands, millions, milliards.
pub(crate) fn count(count: u64) -> String {
    large(count as f64)
}

fn large(count: f64) -> String {
    match count {
        count if count < 9999.5 => format!("{count:.0}"),
        count if count < 999.5e3 => digits(count / 1e3, "k"),
        count if count < 999.5e6 => digits(count / 1e6, "M"),
        count => digits(count / 1e9, "G"),
    }
}

/// A number below 1000 in three digits, and its unit.
fn digits(value: f64, unit: &str) -> String {
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{} {unit}", number(value, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_their_unit() {
        for (secs, text) in [
            (0.0, "–"),
            (f64::NAN, "–"),
            (4e-9, "0.00 µs"),
            (18.24e-6, "18.2 µs"),
            (431e-6, "431 µs"),
            (999.7e-6, "1.00 ms"),
            (8.333e-3, "8.33 ms"),
            (0.1244, "124 ms"),
            (0.9996, "1.00 s"),
            (12.34, "12.3 s"),
            (1234.0, "21 min"),
        ] {
            assert_eq!(duration(secs), text, "{secs}");
        }
    }

    #[test]
    fn sizes_count_in_thousands() {
        for (count, text) in [
            (0.0, "0"),
            (870.4, "870 B"),
            (999.7, "1.00 kB"),
            (34_120.0, "34.1 kB"),
            (5.6e6, "5.60 MB"),
            (2.5e9, "2.50 GB"),
        ] {
            assert_eq!(bytes(count), text, "{count}");
        }
    }

    #[test]
    fn rates_and_counts_stay_short() {
        for (value, text) in [(0.0, "0"), (0.25, "0.2"), (9.96, "10"), (120.4, "120")] {
            assert_eq!(rate(value), text, "{value}");
        }
        for (value, text) in [
            (0, "0"),
            (1204, "1204"),
            (12_040, "12.0 k"),
            (1_204_331, "1.20 M"),
        ] {
            assert_eq!(count(value), text, "{value}");
        }
    }

    #[test]
    fn ages_get_coarser() {
        for (secs, text) in [
            (-0.1, "0.0 s"),
            (0.14, "0.1 s"),
            (42.4, "42 s"),
            (300.0, "5 min"),
            (1e6, "long"),
        ] {
            assert_eq!(age(secs), text, "{secs}");
        }
    }
}
