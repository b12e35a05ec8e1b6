//! `cargo xtask bench control`: how well the control loop keeps time while the window renders.
//!
//! The window draws on the software rasterizer, which takes all the processor it can get: the
//! worst neighbour that the control thread has in practice.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::display::Display;
use crate::stages::{self, build_app};

/// Options of `cargo xtask bench control`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each rate is measured, seconds.
    #[arg(long, default_value_t = 30.0)]
    seconds: f64,
    /// The rates, Hz.
    #[arg(long, value_delimiter = ',', default_values_t = [120.0, 500.0])]
    rates: Vec<f64>,
    /// Print the reports as JSON as well.
    #[arg(long)]
    json: bool,
}

/// Measures each rate in turn.
///
/// # Errors
/// If there is no display, or the app fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let app = build_app()?;
    let display = Display::open()?;
    println!("window on {display}; {} s each", options.seconds);
    println!(
        "{:>8} {:>12} {:>11} {:>10} {:>10} {:>10} {:>7} {:>6}",
        "rate Hz", "reached Hz", "mean error", "p50 µs", "p99 µs", "max µs", "missed", "fps"
    );
    for rate in &options.rates {
        let path = std::env::temp_dir().join(format!("forearm-bench-{}.json", std::process::id()));
        let mut command = Command::new(&app);
        command.args([
            "--rate",
            &rate.to_string(),
            "--duration",
            &options.seconds.to_string(),
        ]);
        command
            .arg("--report")
            .arg(&path)
            .args(["--log", "error"])
            .stdin(Stdio::null());
        display.apply(&mut command);
        stages::run(&mut command)?;
        let text = std::fs::read_to_string(&path).context("the app wrote no report")?;
        std::fs::remove_file(&path).context("can't remove the report")?;
        let report: Value = serde_json::from_str(&text).context("the report is not JSON")?;
        println!("{}", row(*rate, &report)?);
        if options.json {
            println!("{report}");
        }
    }
    Ok(())
}

/// One line of the table.
fn row(rate: f64, report: &Value) -> Result<String> {
    let number = |name: &str| match report.get(name).and_then(Value::as_f64) {
        Some(number) => Ok(number),
        None => bail!("the report has no number `{name}`: {report}"),
    };
    let reached = number("rate_hz")?;
    let micros = |name: &str| Ok::<_, anyhow::Error>(number(name)? * 1e6);
    Ok(format!(
        "{rate:>8.0} {reached:>12.3} {:>10.4}% {:>10.1} {:>10.1} {:>10.1} {:>7.0} {:>6.1}",
        (reached / rate - 1.0) * 100.0,
        micros("jitter_p50_secs")?,
        micros("jitter_p99_secs")?,
        micros("jitter_max_secs")?,
        number("missed")?,
        number("fps")?,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_report_becomes_a_row() {
        let mut report = json!({
            "rate_hz": 119.94, "jitter_p50_secs": 12e-6, "jitter_p99_secs": 80e-6,
            "jitter_max_secs": 1.5e-3, "missed": 2, "fps": 18.25,
        });
        let row = super::row(120.0, &report).expect("a whole report");
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "120", "119.940", "-0.0500%", "12.0", "80.0", "1500.0", "2", "18.2"
            ]
        );
        report["fps"] = json!("many");
        let error = super::row(120.0, &report)
            .expect_err("no number")
            .to_string();
        assert!(error.contains("fps"), "{error}");
    }
}
