//! A camera made up: it sends what the tests tell it to.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::driver::{JPEG, MJPG, Mode, Rates, Sizes, Taken, YUYV, choose, modes};
use super::*;

const SIZE: [u32; 2] = [64, 48];

/// What comes next of a made-up camera.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A picture of this luma, taken so long ago.
    Picture(u8, Option<f64>),
    /// The driver lost so many.
    Lost(u32),
    Damaged,
    Unplugged,
    /// Nothing comes.
    Silence,
}

struct MadeUp {
    steps: VecDeque<Step>,
    buffers: Vec<Vec<u8>>,
    queued: VecDeque<u32>,
    sequence: u32,
}

impl MadeUp {
    fn boxed(steps: &[Step]) -> Box<dyn Driver> {
        Box::new(Self {
            steps: steps.iter().copied().collect(),
            buffers: Vec::new(),
            queued: VecDeque::new(),
            sequence: 0,
        })
    }
}

impl Driver for MadeUp {
    fn camera(&self) -> io::Result<Option<String>> {
        Ok(Some("made up".to_owned()))
    }

    fn format(&self, index: u32) -> io::Result<Option<u32>> {
        let known = [u32::from_le_bytes(*b"H264"), YUYV, MJPG];
        Ok(known.get(index as usize).copied())
    }

    fn sizes(&self, pixel_format: u32, index: u32) -> io::Result<Option<Sizes>> {
        Ok(match (pixel_format, index) {
            (YUYV, 0) => Some(Sizes::One(SIZE)),
            (MJPG, 0) => Some(Sizes::Range([300, 200], [1280, 720])),
            _ => None,
        })
    }

    fn rates(&self, _: u32, _: [u32; 2], index: u32) -> io::Result<Option<Rates>> {
        let rates = [15.0, 30.0].map(|fps| Rates { fps, more: true });
        Ok(rates.get(index as usize).copied())
    }

    fn set_format(&mut self, pixel_format: u32, size: [u32; 2]) -> io::Result<Format> {
        assert_eq!((pixel_format, size), (YUYV, SIZE));
        Ok(Format {
            pixel_format,
            size,
            bytes_per_line: 2 * size[0],
        })
    }

    fn set_rate(&mut self, _fps: f64) -> io::Result<()> {
        Err(io::Error::other("it has one rate only"))
    }

    fn start(&mut self, buffers: u32) -> io::Result<()> {
        self.buffers = vec![vec![128; (2 * SIZE[0] * SIZE[1]) as usize]; buffers as usize];
        self.queued = (0..buffers).collect();
        Ok(())
    }

    fn wait(&mut self, _timeout_millis: u32) -> io::Result<bool> {
        while let Some(Step::Lost(count)) = self.steps.front() {
            self.sequence += count;
            self.steps.pop_front();
        }
        Ok(!matches!(self.steps.front(), None | Some(Step::Silence)))
    }

    fn take(&mut self) -> io::Result<Option<Taken>> {
        let index = self.queued.pop_front().expect("buffers are given back");
        let mut taken = Taken {
            index,
            bytes: self.buffers[0].len(),
            age_secs: None,
            sequence: self.sequence,
            damaged: false,
        };
        self.sequence += 1;
        match self.steps.pop_front().expect("there is a step") {
            Step::Picture(luma, age_secs) => {
                for byte in self.buffers[index as usize].iter_mut().step_by(2) {
                    *byte = luma;
                }
                taken.age_secs = age_secs;
            }
            Step::Damaged => taken.damaged = true,
            _ => return Err(io::Error::from_raw_os_error(libc::ENODEV)),
        }
        Ok(Some(taken))
    }

    fn data(&self, index: u32) -> &[u8] {
        &self.buffers[index as usize]
    }

    fn requeue(&mut self, index: u32) -> io::Result<()> {
        self.queued.push_back(index);
        Ok(())
    }
}

/// The reports of a camera that takes these steps after each opening; then it can't be opened.
fn reports(openings: &'static [&'static [Step]], count: usize) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let opener = move || {
        let steps = openings.get(next.fetch_add(1, Ordering::Relaxed));
        steps
            .map(|steps| MadeUp::boxed(steps))
            .ok_or_else(|| "it is gone".to_owned())
    };
    let now: Now = Arc::new(|| 100.0);
    let mut device = start(opener, Some(SIZE), now, Duration::ZERO).expect("a thread");
    let mut all = Vec::new();
    while all.len() < count {
        match device.poll(0.0) {
            Some(report) => all.push(report),
            None => std::thread::yield_now(),
        }
    }
    all
}

fn shown(report: &Report) -> String {
    match report {
        Report::Frame(frame, print) => {
            assert!(print.is_some() && frame.size == SIZE);
            let rgb = frame.rgb().expect("RGB");
            assert_eq!(rgb.len(), 64 * 48 * 3);
            format!(
                "{} at {:.2} is {}",
                frame.number, frame.captured_secs, rgb[0]
            )
        }
        Report::Dropped(count) => format!("{count} lost"),
        Report::Lost(why) => why.clone(),
    }
}

#[test]
fn pictures_come_with_their_time_and_what_was_lost_is_counted() {
    let got = reports(
        &[&[
            Step::Picture(16, Some(0.02)),
            Step::Picture(235, Some(-3.0)),
            Step::Lost(2),
            Step::Damaged,
            Step::Picture(126, Some(50.0)),
            Step::Silence,
        ]],
        5,
    );
    let got: Vec<String> = got.iter().map(shown).collect();
    assert_eq!(got[0], "0 at 99.98 is 0");
    // A stamp of another clock is not believed.
    assert_eq!(got[1], "1 at 100.00 is 255");
    assert_eq!(got[2], "3 lost");
    assert_eq!(got[3], "5 at 100.00 is 128");
    assert!(got[4].contains("sends no pictures"), "{}", got[4]);
}

#[test]
fn a_camera_that_was_unplugged_comes_back() {
    let got = reports(
        &[
            &[Step::Picture(16, None), Step::Unplugged],
            &[Step::Damaged; 30],
            &[Step::Picture(235, None), Step::Unplugged],
        ],
        6,
    );
    let got: Vec<String> = got.iter().map(shown).collect();
    assert_eq!(got[0], "0 at 100.00 is 0");
    assert!(got[1].contains("check its cable"), "{}", got[1]);
    assert!(got[2].contains("damaged"), "{}", got[2]);
    assert_eq!(got[3..5], ["30 lost", "31 at 100.00 is 255"]);
    assert!(got[5].contains("check its cable"), "{}", got[5]);
}

#[test]
fn modes_are_those_that_can_be_read_and_the_best_is_taken() {
    let driver = MadeUp::boxed(&[]);
    let all = modes(driver.as_ref()).expect("modes");
    let sizes: Vec<[u32; 2]> = all.iter().map(|mode| mode.size).collect();
    assert_eq!(
        sizes,
        [SIZE, [320, 240], [640, 480], [800, 600], [1280, 720]]
    );
    assert!(all.iter().all(|mode| mode.fps == 30.0));
    let mode = |pixel_format, size, fps| Mode {
        pixel_format,
        size,
        fps,
    };
    let webcam = [
        mode(MJPG, [1280, 720], 30.0),
        mode(YUYV, [1280, 720], 10.0),
        mode(MJPG, [640, 480], 30.0),
        mode(YUYV, [640, 480], 30.0),
        mode(JPEG, [640, 480], 60.0),
    ];
    assert_eq!(choose(&webcam, None), Some(webcam[3]));
    // Ten a second are too few, then rather compressed.
    assert_eq!(choose(&webcam, Some([1280, 720])), Some(webcam[0]));
    assert_eq!(choose(&webcam, Some([600, 500])), Some(webcam[3]));
    assert_eq!(choose(&[], None), None);
}

#[test]
fn what_is_no_camera_says_what_to_do() {
    let error = |device: &str| open_driver(device).map(|_| ()).expect_err("no camera");
    assert!(error("/dev/video9999").contains("plug the camera in"));
    assert!(error("/dev/null").contains("is no camera"));
    list();
}
