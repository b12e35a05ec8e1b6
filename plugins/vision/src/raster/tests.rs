//! Pictures.

use std::sync::Arc;

use proptest::prelude::*;

use forearm_protocol::scene::{Scene, SceneBundle};

use super::*;

const PICK_AND_PLACE: &str = include_str!("../../../../scenes/pick_and_place.ron");

fn bundle(text: &str) -> Arc<SceneBundle> {
    let scene = Scene::from_ron("test.ron", text).expect("a good scene");
    Arc::new(SceneBundle::from(scene))
}

fn picture(renderer: &mut Renderer, tick: &[f64], layout: TickLayout) -> Vec<u8> {
    let mut out = vec![0; rgb_bytes(renderer.size()).expect("a size")];
    renderer.render(tick, layout, &mut out);
    out
}

/// A tick in which the arm reaches for the cube.
fn reach(share: f64) -> (Vec<f64>, TickLayout) {
    let layout = TickLayout {
        joints: 6,
        objects: 4,
    };
    let mut tick = vec![0.0; layout.width()];
    let joints = [0.3, -0.4, 0.6, 0.8, 0.2, 0.7].map(|joint| joint * share);
    tick[layout.positions()].copy_from_slice(&joints);
    let objects = [
        [0.22, 0.06, 0.015],
        [0.14, 0.19, 0.02],
        [0.31, 0.16, 0.016],
        [0.2, -0.14, 0.0],
    ];
    for (index, [x, y, z]) in objects.into_iter().enumerate() {
        tick[layout.object(index)].copy_from_slice(&[x, y, z, 0.0, 0.0, 0.0, 1.0]);
    }
    (tick, layout)
}

#[test]
#[ignore = "writes pictures to look at into the folder that PICTURES names, and tells times"]
fn look_at() {
    let folder = std::env::var("PICTURES").expect("a folder");
    let overview = "(name: \"overview\", mount: World(position: (0.55, -0.45, 0.42), \
                    look_at: (0.16, 0.0, 0.08)), fov_y_degrees: 40), (name: \"close\", mount: \
                    World(position: (0.30, -0.10, 0.16), look_at: (0.13, 0.02, 0.1)), \
                    fov_y_degrees: 45),";
    let bundle = bundle(&PICK_AND_PLACE.replace("cameras: [", &format!("cameras: [{overview}")));
    let mut times = Vec::new();
    for camera in ["front", "wrist", "overview", "close"] {
        let mut renderer = Renderer::new(&bundle, camera, None).expect("a renderer");
        let mut out = picture(&mut renderer, &[], TickLayout::default());
        write_png(&format!("{folder}/{camera}.png"), renderer.size(), &out);
        let mut best = f64::MAX;
        for step in 0..100 {
            let (tick, layout) = reach(f64::from(step) / 100.0);
            let start = std::time::Instant::now();
            renderer.render(&tick, layout, &mut out);
            best = best.min(start.elapsed().as_secs_f64());
        }
        write_png(
            &format!("{folder}/{camera}_moved.png"),
            renderer.size(),
            &out,
        );
        times.push(format!("{camera}: {:.2} ms", 1e3 * best));
    }
    std::fs::write(format!("{folder}/times.txt"), times.join("\n")).expect("written");
}

#[test]
fn the_picture_is_the_one_that_was_blessed() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/front.png");
    let bundle = bundle(PICK_AND_PLACE);
    let size = [160, 120];
    let mut renderer = Renderer::new(&bundle, "front", Some(size)).expect("a renderer");
    let (tick, layout) = reach(0.5);
    let got = picture(&mut renderer, &tick, layout);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        write_png(file, size, &got);
    }
    let blessed =
        std::fs::File::open(file).expect("a golden picture: make it with UPDATE_SNAPSHOTS=1");
    let mut reader = png::Decoder::new(std::io::BufReader::new(blessed))
        .read_info()
        .expect("a PNG");
    let mut expected = vec![0; got.len()];
    reader.next_frame(&mut expected).expect("pixels");
    let off: Vec<u8> = got
        .iter()
        .zip(&expected)
        .map(|(a, b)| a.abs_diff(*b))
        .collect();
    let mean = off.iter().map(|value| f64::from(*value)).sum::<f64>() / off.len() as f64;
    let far = off.iter().filter(|value| **value > 24).count();
    assert!(
        mean < 0.3 && far < 60,
        "{mean:.2} off in the mean, {far} values far off: look at it, then UPDATE_SNAPSHOTS=1"
    );
}

/// A table, one thing on it, and the arm far away.
fn small(things: &str, lights: &str, position: &str, look_at: &str) -> Arc<SceneBundle> {
    bundle(&format!(
        "Scene(name: \"small\", arms: [(name: \"arm\", position: (9, 9, 0))], objects: [{things}], \
         lights: [{lights}], cameras: [(name: \"eye\", mount: World(position: {position}, \
         look_at: {look_at}), fov_y_degrees: 40)])"
    ))
}

const BALL: &str = r#"(name: "ball", shape: Ball(radius: 0.03), position: (0.2, 0, 0.03), color: (0.1, 0.9, 0.1))"#;

fn at(rgb: &[u8], [width, _]: [u32; 2], x: u32, y: u32) -> [u8; 3] {
    rgb.as_chunks().0[(y * width + x) as usize]
}

#[test]
fn surfaces_have_no_gaps() {
    // Straight down on the middle of the table, where its triangles meet.
    let bundle = small(
        "",
        "Ambient(brightness: 800)",
        "(0.25, 0.0, 0.5)",
        "(0.25, 0.0, 0.0)",
    );
    for size in [[64, 48], [133, 101]] {
        let mut renderer = Renderer::new(&bundle, "eye", Some(size)).expect("a renderer");
        let out = picture(&mut renderer, &[], TickLayout::default());
        let first = at(&out, size, 0, 0);
        for pixel in out.as_chunks::<3>().0 {
            let near = pixel.iter().zip(first).all(|(a, b)| a.abs_diff(b) <= 2);
            assert!(near, "{pixel:?} in a surface of {first:?}");
        }
    }
}

#[test]
fn things_are_where_the_tick_says() {
    let size = [80, 60];
    let bundle = small(BALL, "", "(0.6, 0.1, 0.5)", "(0.2, 0.0, 0.03)");
    let mut renderer = Renderer::new(&bundle, "eye", Some(size)).expect("a renderer");
    let green = |rgb: &[u8], x, y| {
        let [red, green, blue] = at(rgb, size, x, y).map(i32::from);
        green > 60 + red.max(blue)
    };
    let start = picture(&mut renderer, &[], TickLayout::default());
    assert!(green(&start, 40, 30) && !green(&start, 10, 30));
    let layout = TickLayout {
        joints: 6,
        objects: 1,
    };
    let mut tick = vec![0.0; layout.width()];
    tick[layout.object(0)].copy_from_slice(&[0.2, 0.2, 0.03, 0.0, 0.0, 0.0, 1.0]);
    let moved = picture(&mut renderer, &tick, layout);
    assert!(!green(&moved, 40, 30));
    // To the right, seen from +X.
    let found = (0..60).flat_map(|y| (41..80).map(move |x| (x, y)));
    assert!(found.filter(|(x, y)| green(&moved, *x, *y)).count() > 10);
    // A pose that is none leaves it there, as does a tick of another scene.
    tick[layout.object(0)].fill(f64::NAN);
    assert_eq!(picture(&mut renderer, &tick, layout), moved);
    assert_eq!(picture(&mut renderer, &tick[1..], layout), moved);
    // What was drawn before leaves no trace.
    assert_ne!(start, moved);
    tick[layout.object(0)].copy_from_slice(&[0.2, 0.0, 0.03, 0.0, 0.0, 0.0, 2.0]);
    tick[layout.positions()].copy_from_slice(&renderer.scene.models[0].home.clone());
    assert_eq!(picture(&mut renderer, &tick, layout), start);
}

#[test]
fn shadows_fall_away_from_the_sun() {
    let size = [80, 60];
    let sun = "Sun(from: (0, 1, 1), lux: 2000)";
    let bundle = small(BALL, sun, "(0.2, 0.001, 0.7)", "(0.2, 0.0, 0.0)");
    let mut renderer = Renderer::new(&bundle, "eye", Some(size)).expect("a renderer");
    let out = picture(&mut renderer, &[], TickLayout::default());
    let brightness = |x, y| {
        at(&out, size, x, y)
            .iter()
            .map(|c| i32::from(*c))
            .sum::<i32>()
    };
    // Seen from above, turned so that +Y is above or below: one side is in shadow, the other not.
    let (above, below) = (brightness(40, 23), brightness(40, 37));
    let open = brightness(4, 4);
    assert!((above - below).abs() > 90, "{above} {below}");
    assert!(
        (open - above.max(below)).abs() < 12,
        "{open} {above} {below}"
    );
}

#[test]
fn edges_are_smooth() {
    let size = [80, 60];
    let bundle = small(BALL, "", "(0.6, 0.1, 0.5)", "(0.2, 0.0, 0.03)");
    let mut renderer = Renderer::new(&bundle, "eye", Some(size)).expect("a renderer");
    let out = picture(&mut renderer, &[], TickLayout::default());
    // From the ball to the table on the right there are colours in between.
    let reds: Vec<u8> = (40..60).map(|x| at(&out, size, x, 28)[0]).collect();
    let (ball, table) = (reds[0], reds[19]);
    assert!(table > ball + 60, "{reds:?}");
    let between = reds
        .iter()
        .filter(|red| (ball + 30..table - 15).contains(*red))
        .count();
    assert!((1..=3).contains(&between), "{reds:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn nothing_panics_wherever_things_and_camera_are(
        values in prop::collection::vec(
            prop_oneof![-1.0..1.0_f64, -0.05..0.05_f64, any::<f64>()], 41,
        ),
        size in prop::array::uniform2(16_u32..70),
        wrist: bool,
    ) {
        let bundle = bundle(PICK_AND_PLACE);
        let camera = if wrist { "wrist" } else { "front" };
        let mut renderer = Renderer::new(&bundle, camera, Some(size)).expect("a renderer");
        let layout = TickLayout { joints: 6, objects: 4 };
        let out = picture(&mut renderer, &values, layout);
        prop_assert_eq!(out.len() as u32, 3 * size[0] * size[1]);
        // A buffer that is too short is left alone.
        let mut short = vec![7; out.len() - 1];
        renderer.render(&values, layout, &mut short);
        prop_assert!(short.iter().all(|value| *value == 7));
    }

    #[test]
    fn a_camera_may_be_inside_of_things(
        eye in prop::array::uniform3(-0.05..0.05_f64),
        to in prop::array::uniform3(-1.0..1.0_f64),
    ) {
        let text = |[x, y, z]: [f64; 3]| format!("({:.4}, {y:.4}, {:.4})", x + 0.2, z + 0.03);
        let bundle = small(BALL, "", &text(eye), &text(to));
        let mut renderer = Renderer::new(&bundle, "eye", Some([48, 32])).expect("a renderer");
        picture(&mut renderer, &[], TickLayout::default());
    }
}

fn write_png(file: &str, [width, height]: [u32; 2], rgb: &[u8]) {
    let file = std::fs::File::create(file).expect("a file");
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(rgb).expect("pixels");
}
