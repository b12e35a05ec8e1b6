//! How good an episode is, in words: the rate of its ticks and frames, and what was lost.

use forearm_protocol::record::{EpisodeInfo, EpisodeQuality};

use crate::figures;

/// Ticks this far from a row let a motion look smoother than it was, seconds.
const GAP_SECS: f64 = 0.05;
/// A jitter above this says that the machine was busy, seconds.
const JITTER_SECS: f64 = 0.005;
/// More than this share of rows without a frame of their own is worth a look.
const REPEATED: f64 = 0.02;

/// How serious something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// As it should be.
    Good,
    /// Worth a look.
    Fair,
    /// Data were lost: better record it again.
    Poor,
}

/// What is said of an episode in one line, and how serious that is.
pub(crate) fn line(episode: &EpisodeInfo) -> (String, Grade) {
    let Some(quality) = &episode.quality else {
        return ("recorded elsewhere".to_owned(), Grade::Good);
    };
    let faults = faults(quality, episode.frames);
    let grade = faults.iter().map(|(_, grade)| *grade).max();
    match grade {
        Some(grade) => {
            let worst = faults.into_iter().filter(|(_, its)| *its == grade);
            let texts: Vec<String> = worst.map(|(text, _)| text).collect();
            (texts.join(", "), grade)
        }
        None => (plain(quality), Grade::Good),
    }
}

/// All that is known of an episode's quality, one line each, for the pointer that rests on it.
pub(crate) fn about(quality: &EpisodeQuality) -> String {
    let mut lines = vec![
        format!("Control: {:.1} ticks a second", quality.tick_hz),
        format!("Jitter p99: {}", time(quality.tick_jitter_p99_secs)),
        format!("Ticks lost: {}", quality.ticks_lost),
        format!("Row to tick, most: {}", time(quality.tick_gap_max_secs)),
    ];
    for camera in &quality.cameras {
        lines.push(format!(
            "{}: {:.1} frames a second, {} repeated, {} unused, {} dropped, {} stale, row to frame \
             at most {}",
            camera.name,
            camera.rate_hz,
            camera.repeated,
            camera.unused,
            camera.dropped,
            camera.stale,
            time(camera.offset_max_secs)
        ));
    }
    lines.join("\n")
}

/// The figures of an episode that is as it should be.
fn plain(quality: &EpisodeQuality) -> String {
    let ticks = format!("{:.0} Hz", quality.tick_hz);
    let jitter = format!("jitter {}", time(quality.tick_jitter_p99_secs));
    let slowest = quality.cameras.iter().map(|it| it.rate_hz);
    match slowest.min_by(f64::total_cmp) {
        Some(rate) => format!("{ticks} · {rate:.1} fps · {jitter}"),
        None => format!("{ticks} · {jitter}"),
    }
}

/// What is not as it should be.
fn faults(quality: &EpisodeQuality, frames: u32) -> Vec<(String, Grade)> {
    let mut faults = Vec::new();
    let mut add = |there: bool, grade: Grade, text: String| {
        if there {
            faults.push((text, grade));
        }
    };
    let lost = quality.ticks_lost;
    add(lost > 0, Grade::Poor, format!("{lost} ticks lost"));
    let gap = quality.tick_gap_max_secs;
    add(gap > GAP_SECS, Grade::Fair, format!("gap of {}", time(gap)));
    let jitter = quality.tick_jitter_p99_secs;
    add(
        jitter > JITTER_SECS,
        Grade::Fair,
        format!("jitter {}", time(jitter)),
    );
    for camera in &quality.cameras {
        let name = &camera.name;
        add(
            camera.stale > 0,
            Grade::Poor,
            format!("{name}: {} rows without a picture", camera.stale),
        );
        add(
            camera.dropped > 0,
            Grade::Poor,
            format!("{name}: {} dropped", camera.dropped),
        );
        let many = f64::from(camera.repeated) > REPEATED * f64::from(frames.max(1));
        add(
            many && camera.stale == 0,
            Grade::Fair,
            format!("{name}: {} repeated", camera.repeated),
        );
    }
    faults
}

fn time(secs: f64) -> String {
    if secs > 0.0 {
        figures::duration(secs)
    } else {
        "0".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use forearm_protocol::record::CameraQuality;

    use super::*;

    fn episode() -> EpisodeInfo {
        EpisodeInfo {
            frames: 300,
            quality: Some(EpisodeQuality {
                tick_hz: 119.99,
                tick_jitter_p99_secs: 96e-6,
                cameras: vec![CameraQuality {
                    name: "wrist".to_owned(),
                    rate_hz: 29.97,
                    repeated: 2,
                    ..CameraQuality::default()
                }],
                ..EpisodeQuality::default()
            }),
            ..EpisodeInfo::default()
        }
    }

    #[test]
    fn a_good_episode_tells_its_figures() {
        let (text, grade) = line(&episode());
        assert_eq!(text, "120 Hz · 30.0 fps · jitter 96.0 µs");
        assert_eq!(grade, Grade::Good);
        let foreign = EpisodeInfo::default();
        assert_eq!(
            line(&foreign),
            ("recorded elsewhere".to_owned(), Grade::Good)
        );
    }

    #[test]
    fn the_worst_is_told_first() {
        let mut it = episode();
        let quality = it.quality.as_mut().unwrap();
        quality.cameras[0].repeated = 7;
        assert_eq!(line(&it), ("wrist: 7 repeated".to_owned(), Grade::Fair));
        let quality = it.quality.as_mut().unwrap();
        quality.ticks_lost = 3;
        quality.cameras[0].dropped = 2;
        let (text, grade) = line(&it);
        assert_eq!(text, "3 ticks lost, wrist: 2 dropped");
        assert_eq!(grade, Grade::Poor);
        let about = about(it.quality.as_ref().unwrap());
        assert!(
            about.contains("7 repeated") && about.contains("Jitter p99"),
            "{about}"
        );
    }
}
