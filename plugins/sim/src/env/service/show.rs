//! Render states: ticks of worlds, and pictures one after another.

use std::ops::Range;

use forearm_protocol::Buffer;
use forearm_protocol::env::messages::RenderState;

use super::gym::Gym;

/// Where render states are made; kept, so that the next one needs no new memory.
#[derive(Default)]
pub(super) struct Canvas {
    ticks: Vec<f64>,
    rgb: Vec<u8>,
    rgba: Vec<u8>,
}

/// A render state in the making.
pub(super) struct Showing {
    worlds: Range<usize>,
    pictures: bool,
    /// The next picture.
    next: usize,
}

impl Showing {
    pub(super) fn new(worlds: Range<usize>, pictures: bool) -> Self {
        Self {
            worlds,
            pictures,
            next: 0,
        }
    }

    /// Takes the next picture, if one is wanted; answers whether all is there.
    pub(super) fn advance<G: Gym>(&mut self, gym: &mut G, canvas: &mut Canvas) -> bool {
        if self.next == 0 {
            canvas.begin(gym, self.worlds.clone());
        }
        let cameras = match self.pictures {
            true => gym.spec().cameras.len(),
            false => 0,
        };
        if self.next < cameras * self.worlds.len() {
            let world = self.worlds.start + self.next / cameras;
            canvas.take_picture(gym, world, self.next % cameras);
            self.next += 1;
        }
        self.next == cameras * self.worlds.len()
    }

    /// What is shown.
    pub(super) fn finish<G: Gym>(self, gym: &G, canvas: &Canvas) -> RenderState {
        let numbers = self
            .worlds
            .map(|world| u32::try_from(world).unwrap_or(u32::MAX));
        let cameras = gym.spec().cameras.iter().filter(|_| self.pictures);
        RenderState {
            worlds: numbers.collect(),
            ticks: Buffer::from(canvas.ticks.as_slice()),
            sizes: cameras.map(|camera| camera.resolution).collect(),
            rgba: Buffer::from(canvas.rgba.as_slice()),
        }
    }
}

impl Canvas {
    fn begin<G: Gym>(&mut self, gym: &G, worlds: Range<usize>) {
        let width = gym.layout().width();
        self.rgba.clear();
        self.ticks.clear();
        self.ticks.resize(width * worlds.len(), 0.0);
        for (world, tick) in worlds.zip(self.ticks.chunks_exact_mut(width.max(1))) {
            gym.tick(world, tick);
        }
    }

    fn take_picture<G: Gym>(&mut self, gym: &mut G, world: usize, camera: usize) {
        self.rgb.clear();
        self.rgb.resize(gym.spec().image_len(camera), 0);
        gym.render(world, camera, &mut self.rgb);
        let (pixels, _) = self.rgb.as_chunks();
        self.rgba.reserve(4 * pixels.len());
        let opaque = pixels
            .iter()
            .map(|[red, green, blue]| [*red, *green, *blue, 255]);
        self.rgba.extend(opaque.flatten());
    }
}
