//! Pictures.

use std::sync::Arc;

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
        write_png(&format!("{folder}/{camera}_moved.png"), renderer.size(), &out);
        times.push(format!("{camera}: {:.2} ms", 1e3 * best));
    }
    std::fs::write(format!("{folder}/times.txt"), times.join("\n")).expect("written");
}

fn write_png(file: &str, [width, height]: [u32; 2], rgb: &[u8]) {
    let file = std::fs::File::create(file).expect("a file");
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(rgb).expect("pixels");
}
