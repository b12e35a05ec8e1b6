//! Cameras as their owner sees them.

use std::sync::Mutex;

use forearm_protocol::scene::Scene;

use super::*;
use crate::read_number;

/// A clock that is set.
fn clock() -> (Arc<Mutex<f64>>, Now) {
    let time = Arc::new(Mutex::new(10.0));
    let read = Arc::clone(&time);
    (time, Arc::new(move || *read.lock().expect("a clock")))
}

fn config(source: CameraSource) -> CameraConfig {
    CameraConfig {
        name: "camera".to_owned(),
        source,
        resolution: Some([64, 48]),
    }
}

fn scene() -> Arc<SceneBundle> {
    let text = r#"Scene(
        name: "test",
        arms: [(name: "arm")],
        objects: [(name: "cube", shape: Cube(size: 0.05), position: (0.3, 0, 0.025))],
        cameras: [
            (name: "front", mount: World(position: (0.8, 0, 0.4), look_at: (0.2, 0, 0)), fps: 30),
            (name: "side", mount: World(position: (0.2, 0.8, 0.4), look_at: (0.2, 0, 0)), fps: 10),
        ],
    )"#;
    let scene = Scene::from_ron("test.ron", text).expect("a good scene");
    Arc::new(SceneBundle::from(scene))
}

const LAYOUT: TickLayout = TickLayout {
    joints: 6,
    objects: 1,
};

fn tick(at_secs: f64, cube_x: f64) -> Vec<f64> {
    let mut tick = vec![0.0; LAYOUT.width()];
    tick[0] = at_secs;
    tick[LAYOUT.object(0)].copy_from_slice(&[cube_x, 0.0, 0.025, 0.0, 0.0, 0.0, 1.0]);
    tick
}

#[test]
fn a_pattern_counts_its_frames_by_the_clock() {
    let (time, now) = clock();
    let mut camera =
        Camera::open(&config(CameraSource::Pattern), None, now, Pace::Stepped).expect("a pattern");
    assert_eq!(camera.state().health, CameraHealth::Opening);
    let mut numbers = Vec::new();
    for at_secs in [10.0, 10.01, 10.034, 10.067, 10.2] {
        *time.lock().expect("a clock") = at_secs;
        while let Some(frame) = camera.try_frame() {
            assert_eq!(
                read_number(frame.size, frame.rgb().expect("RGB")),
                Some(frame.number)
            );
            assert!((frame.captured_secs - 10.0 - frame.number as f64 / 30.0).abs() < 1e-9);
            numbers.push(frame.number);
            camera.recycle(frame);
        }
    }
    assert_eq!(numbers, [0, 1, 2, 6]);
    let state = camera.state();
    assert_eq!((state.health, state.dropped), (CameraHealth::Live, 3));
    assert_eq!((state.resolution, state.rate_hz), ([64, 48], 4.0));
}

#[test]
fn a_simulated_camera_shows_the_ticks_that_are_due() {
    let (_, now) = clock();
    let source = config(CameraSource::Sim("front".to_owned()));
    let mut camera = Camera::open(&source, Some(&scene()), now, Pace::Stepped).expect("a camera");
    let mut frames = Vec::new();
    for step in 0..40 {
        let at_secs = 9.0 + f64::from(step) / 120.0;
        let tick = tick(at_secs, 0.3 + 0.001 * f64::from(step));
        // A tick of another scene is not shown.
        camera.show(&tick[1..], LAYOUT);
        camera.show(&tick, LAYOUT);
        frames.extend(std::iter::from_fn(|| camera.try_frame()));
    }
    assert_eq!(frames.len(), 10);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!((frame.number, frame.size), (index as u64, [64, 48]));
        let expected = 9.0 + index as f64 / 30.0;
        assert!((frame.captured_secs - expected).abs() < 1e-9);
    }
    assert_ne!(frames[0].rgb(), frames[9].rgb(), "the cube has moved");
    assert_eq!(camera.state().health, CameraHealth::Live);
}

#[test]
fn a_thread_draws_the_same_pictures_and_buffers_go_round() {
    let (_, now) = clock();
    let source = config(CameraSource::Sim("side".to_owned()));
    let scene = scene();
    let draw = |pace: Pace| {
        let mut camera = Camera::open(&source, Some(&scene), now.clone(), pace).expect("a camera");
        let mut pictures = Vec::new();
        let mut buffers = std::collections::BTreeSet::new();
        for step in 0..12 {
            camera.show(
                &tick(f64::from(step) / 10.0, 0.3 + 0.01 * f64::from(step)),
                LAYOUT,
            );
            let frame = loop {
                match camera.try_frame() {
                    Some(frame) => break frame,
                    None => std::thread::yield_now(),
                }
            };
            let rgb = frame.rgb().expect("RGB");
            buffers.insert(rgb.as_ptr() as usize);
            pictures.push(rgb.to_vec());
            camera.recycle(frame);
        }
        assert_eq!(buffers.len(), 1, "one buffer is enough");
        pictures
    };
    assert_eq!(draw(Pace::Stepped), draw(Pace::Live));
}

#[test]
fn a_camera_that_nobody_takes_from_drops_and_says_so() {
    let (_, now) = clock();
    let source = config(CameraSource::Sim("front".to_owned()));
    let mut camera = Camera::open(&source, Some(&scene()), now, Pace::Stepped).expect("a camera");
    for step in 0..20 {
        camera.show(&tick(f64::from(step) / 30.0, 0.3), LAYOUT);
    }
    let numbers: Vec<u64> = std::iter::from_fn(|| camera.try_frame())
        .map(|frame| frame.number)
        .collect();
    assert_eq!(numbers, (0..8).collect::<Vec<u64>>());
    assert_eq!(camera.state().dropped, 12);
}

#[test]
fn what_cant_be_opened_says_what_can() {
    let (_, now) = clock();
    let open = |source: CameraSource, bundle: Option<&Arc<SceneBundle>>| {
        Camera::open(&config(source), bundle, now.clone(), Pace::Stepped)
            .expect_err("refused")
            .to_string()
    };
    let sim = || CameraSource::Sim("top".to_owned());
    assert!(open(sim(), None).contains("no scene yet"));
    assert!(open(sim(), Some(&scene())).contains("`front`, `side`"));
    assert!(open(CameraSource::File("/nowhere".to_owned()), None).contains("/nowhere"));
    let mut big = config(CameraSource::Pattern);
    big.resolution = Some([4000, 4000]);
    let error = Camera::open(&big, None, now, Pace::Stepped).expect_err("too many pixels");
    assert!(error.to_string().contains("4000×4000"), "{error}");
}

#[test]
fn all_cameras_are_listed() {
    let all = list(Some(&scene()));
    let sim = |name: &str| CameraSource::Sim(name.to_owned());
    assert_eq!(all[0].source, sim("front"));
    assert_eq!(
        (all[1].source.clone(), all[1].modes[0].2),
        (sim("side"), 10.0)
    );
    assert_eq!(
        all.last().map(|camera| &camera.source),
        Some(&CameraSource::Pattern)
    );
}

#[test]
fn a_folder_of_pictures_is_shown_over_and_over() {
    let folder = std::env::temp_dir().join(format!("forearm_pictures_{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, size: u32, color: png::ColorType, bytes: &[u8]| {
        let file = std::fs::File::create(folder.join(name)).expect("a file");
        let mut encoder = png::Encoder::new(file, size, size);
        encoder.set_color(color);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(bytes).expect("pixels");
    };
    write("a.png", 16, png::ColorType::Rgb, &[1, 2, 3].repeat(256));
    write(
        "b.png",
        16,
        png::ColorType::Rgba,
        &[4, 5, 6, 255].repeat(256),
    );
    write("c.PNG", 16, png::ColorType::Grayscale, &[7; 256]);
    let (time, now) = clock();
    let source = CameraConfig {
        resolution: None,
        ..config(CameraSource::File(folder.display().to_string()))
    };
    let mut camera = Camera::open(&source, None, now.clone(), Pace::Stepped).expect("a folder");
    let mut look = |step: u32| {
        *time.lock().expect("a clock") = 10.0 + f64::from(step) / 30.0 + 1e-3;
        let frame = camera.try_frame()?;
        let rgb = frame.rgb().expect("RGB");
        assert_eq!((frame.size, rgb.len()), ([16, 16], 768));
        let first = [rgb[0], rgb[1], rgb[2]];
        camera.recycle(frame);
        Some(first)
    };
    let seen: Vec<_> = (0..4).map(&mut look).collect();
    assert_eq!(seen, [[1, 2, 3], [4, 5, 6], [7; 3], [1, 2, 3]].map(Some));
    write("b.png", 8, png::ColorType::Grayscale, &[0; 64]);
    assert_eq!(look(4), None);
    let CameraHealth::Lost(why) = camera.state().health else {
        panic!("a picture of another size");
    };
    assert!(why.contains("b.png") && why.contains("8×8"), "{why}");
    std::fs::remove_dir_all(&folder).expect("tidied up");
    let error = Camera::open(&source, None, now, Pace::Stepped).expect_err("it is gone");
    assert!(error.to_string().contains("can't be read"), "{error}");
}
