//! Watches a source's reports: health, rate, age, drops.

use std::collections::VecDeque;

use forearm_protocol::record::{CameraHealth, CameraState};

use crate::frame::Frame;

/// Equal pictures for longer than this mean that the camera hangs, seconds.
const FROZEN_SECS: f64 = 0.7;
/// A real camera that gives nothing for longer than this is lost, seconds.
const SILENT_SECS: f64 = 2.0;
/// The span over which the rate is counted, seconds.
const RATE_SECS: f64 = 1.0;
/// Frames that are remembered for the rate.
const MOST_STAMPS: usize = 256;

/// What is known of a camera.
#[derive(Debug)]
pub(crate) struct Monitor {
    opened_secs: f64,
    lost: Option<String>,
    size: [u32; 2],
    dropped: u64,
    /// When the last frames were taken.
    stamps: VecDeque<f64>,
    /// The last picture's fingerprint, and since when pictures have it.
    same_since: Option<(u64, f64)>,
    frozen: bool,
}

impl Monitor {
    pub(crate) fn new(now_secs: f64) -> Self {
        Self {
            opened_secs: now_secs,
            lost: None,
            size: [0; 2],
            dropped: 0,
            stamps: VecDeque::with_capacity(MOST_STAMPS),
            same_since: None,
            frozen: false,
        }
    }

    pub(crate) fn frame(&mut self, frame: &Frame, fingerprint: Option<u64>) {
        let at_secs = frame.captured_secs;
        self.lost = None;
        self.size = frame.size;
        if self.stamps.len() == MOST_STAMPS {
            self.stamps.pop_front();
        }
        self.stamps.push_back(at_secs);
        self.same_since = fingerprint.map(|print| match self.same_since {
            Some((last, since)) if last == print && since <= at_secs => (print, since),
            _ => (print, at_secs),
        });
        self.frozen = self
            .same_since
            .is_some_and(|(_, since)| at_secs - since > FROZEN_SECS);
    }

    pub(crate) fn dropped(&mut self, count: u64) {
        self.dropped = self.dropped.saturating_add(count);
    }

    pub(crate) fn lost(&mut self, why: String) {
        self.lost = Some(why);
        self.same_since = None;
        self.frozen = false;
    }

    /// Writes down how the camera does. One that is `patient` may give nothing for as long as it
    /// likes.
    pub(crate) fn fill(&self, state: &mut CameraState, now_secs: f64, patient: bool) {
        let last_secs = self.stamps.back().copied();
        let silent_secs = now_secs - last_secs.unwrap_or(self.opened_secs);
        state.resolution = self.size;
        state.dropped = self.dropped;
        state.age_secs = last_secs.map_or(0.0, |last| (now_secs - last).max(0.0));
        let recent = self
            .stamps
            .iter()
            .filter(|stamp| now_secs - **stamp < RATE_SECS)
            .count();
        state.rate_hz = recent as f64 / RATE_SECS;
        state.health = match &self.lost {
            Some(why) => CameraHealth::Lost(why.clone()),
            None if silent_secs > SILENT_SECS && !patient => CameraHealth::Lost(format!(
                "no picture for {silent_secs:.0} s; check the camera's cable, or whether another \
                 program uses it"
            )),
            None if last_secs.is_none() => CameraHealth::Opening,
            None if self.frozen => CameraHealth::Frozen,
            None => CameraHealth::Live,
        };
    }
}

/// A cheap hash of a picture's bytes: some thousand places all over it.
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    const PLACES: usize = 4096;
    /// FNV's factor, as good as any odd number.
    const FACTOR: u64 = 0x0000_0100_0000_01b3;
    let (words, rest) = bytes.as_chunks::<8>();
    // Odd, so that places walk through columns and channels.
    let step = (words.len() / PLACES) | 1;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_left(23);
    let hash = words
        .iter()
        .step_by(step)
        .fold(bytes.len() as u64, |hash, word| {
            mix(hash, u64::from_le_bytes(*word))
        });
    rest.iter()
        .fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use forearm_protocol::record::CameraSource;

    use super::*;
    use crate::frame::Pixels;

    fn frame(at_secs: f64, number: u64) -> Frame {
        Frame {
            size: [4, 2],
            pixels: Pixels::Rgb(vec![0; 24]),
            captured_secs: at_secs,
            number,
        }
    }

    fn state(monitor: &Monitor, now_secs: f64, patient: bool) -> CameraState {
        let mut state = CameraState {
            name: String::new(),
            source: CameraSource::Pattern,
            health: CameraHealth::Opening,
            resolution: [0; 2],
            rate_hz: 0.0,
            age_secs: 0.0,
            dropped: 0,
            queued: 0,
        };
        monitor.fill(&mut state, now_secs, patient);
        state
    }

    #[test]
    fn equal_pictures_freeze_and_other_ones_thaw() {
        let mut monitor = Monitor::new(10.0);
        assert_eq!(state(&monitor, 10.1, false).health, CameraHealth::Opening);
        let mut show = |from: f64, print: fn(u64) -> u64| {
            for number in 0..27 {
                let at_secs = from + number as f64 / 30.0;
                monitor.frame(&frame(at_secs, number), Some(print(number)));
            }
            state(&monitor, from + 0.9, false).health
        };
        assert_eq!(show(10.0, |number| number), CameraHealth::Live);
        assert_eq!(show(11.0, |_| 7), CameraHealth::Frozen);
        assert_eq!(show(12.0, |number| number), CameraHealth::Live);
        // Dark frames in between are no reason.
        assert_eq!(show(13.0, |number| number / 20), CameraHealth::Live);
    }

    #[test]
    fn rate_age_and_drops_are_counted() {
        let mut monitor = Monitor::new(0.0);
        for number in 0..60 {
            monitor.frame(&frame(number as f64 / 25.0, number), None);
        }
        monitor.dropped(2);
        monitor.dropped(1);
        let state = state(&monitor, 59.0 / 25.0 + 0.01, false);
        assert_eq!((state.rate_hz, state.dropped), (25.0, 3));
        assert!((state.age_secs - 0.01).abs() < 1e-9);
        assert_eq!(state.resolution, [4, 2]);
        assert_eq!(state.health, CameraHealth::Live);
    }

    #[test]
    fn silence_is_a_loss_unless_the_source_may_be_silent() {
        let mut monitor = Monitor::new(0.0);
        assert!(matches!(
            state(&monitor, 2.5, false).health,
            CameraHealth::Lost(_)
        ));
        monitor.frame(&frame(3.0, 0), None);
        assert_eq!(state(&monitor, 3.5, false).health, CameraHealth::Live);
        let CameraHealth::Lost(why) = state(&monitor, 6.0, false).health else {
            panic!("silent for three seconds");
        };
        assert!(why.contains("3 s") && why.contains("cable"), "{why}");
        assert_eq!(state(&monitor, 6.0, true).health, CameraHealth::Live);
        monitor.lost("unplugged".to_owned());
        let lost = CameraHealth::Lost("unplugged".to_owned());
        assert_eq!(state(&monitor, 6.0, true).health, lost);
        monitor.frame(&frame(7.0, 1), None);
        assert_eq!(state(&monitor, 7.0, false).health, CameraHealth::Live);
    }

    #[test]
    fn fingerprints_see_a_change_of_a_tenth_of_the_picture() {
        let size = 640 * 480 * 3;
        let blank = vec![90; size];
        for part in 0..10 {
            let mut other = blank.clone();
            other[part * size / 10..(part + 1) * size / 10].fill(91);
            assert_ne!(fingerprint(&blank), fingerprint(&other));
        }
        assert_eq!(fingerprint(&[]), fingerprint(&[]));
        assert_ne!(fingerprint(&[1, 2]), fingerprint(&[2, 1]));
    }
}
