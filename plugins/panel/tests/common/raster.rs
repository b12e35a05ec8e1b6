//! Draws egui's triangles into an image, without a GPU: for pictures of the panels in tests.

use std::collections::HashMap;

use forearm_panel::egui::{
    self, ClippedPrimitive, Color32, ImageData, Rect, TextureId, TexturesDelta,
    epaint::{Primitive, Vertex},
};

/// An image that is drawn into; one pixel a point.
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    /// sRGB. Blending is linear, as a GPU blends into the window.
    pub pixels: Vec<Color32>,
}

/// Textures as egui hands them out, or as a test makes them.
#[derive(Default)]
pub struct Textures {
    images: HashMap<TextureId, egui::ColorImage>,
}

impl Textures {
    pub fn insert(&mut self, id: TextureId, image: egui::ColorImage) {
        self.images.insert(id, image);
    }

    /// Takes over what egui changed in a frame.
    pub fn update(&mut self, delta: &TexturesDelta) {
        let changes = delta
            .set
            .iter()
            .flat_map(|(id, all)| all.iter().map(move |one| (id, one)));
        for (id, change) in changes {
            let ImageData::Color(patch) = &change.image;
            match change.pos {
                None => {
                    self.images.insert(*id, egui::ColorImage::clone(patch));
                }
                Some([left, top]) => {
                    let image = self.images.get_mut(id).expect("a patch follows its image");
                    for row in 0..patch.size[1] {
                        let from = row * patch.size[0];
                        let to = (top + row) * image.size[0] + left;
                        image.pixels[to..to + patch.size[0]]
                            .copy_from_slice(&patch.pixels[from..from + patch.size[0]]);
                    }
                }
            }
        }
    }

    fn sample(&self, id: TextureId, uv: [f32; 2]) -> [f32; 4] {
        let Some(image) = self.images.get(&id) else {
            return [255.0; 4];
        };
        let [width, height] = image.size;
        let x = (uv[0] * width as f32 - 0.5).clamp(0.0, (width - 1) as f32);
        let y = (uv[1] * height as f32 - 0.5).clamp(0.0, (height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
        let (part_x, part_y) = (x - left as f32, y - top as f32);
        let at = |x: usize, y: usize| image.pixels[y * width + x].to_array().map(f32::from);
        let mix = |a: [f32; 4], b: [f32; 4], part: f32| {
            std::array::from_fn(|channel| a[channel] + (b[channel] - a[channel]) * part)
        };
        let upper = mix(at(left, top), at(right, top), part_x);
        let lower = mix(at(left, bottom), at(right, bottom), part_x);
        mix(upper, lower, part_y)
    }
}

impl Canvas {
    pub fn new(width: usize, height: usize, fill: Color32) -> Self {
        Self {
            width,
            height,
            pixels: vec![fill; width * height],
        }
    }

    pub fn paint(&mut self, primitives: &[ClippedPrimitive], textures: &Textures) {
        for ClippedPrimitive {
            clip_rect,
            primitive,
        } in primitives
        {
            let Primitive::Mesh(mesh) = primitive else {
                continue;
            };
            for corners in mesh.indices.chunks_exact(3) {
                let corner = |index: usize| mesh.vertices[corners[index] as usize];
                let triangle = [corner(0), corner(1), corner(2)];
                self.triangle(*clip_rect, triangle, mesh.texture_id, textures);
            }
        }
    }

    fn triangle(&mut self, clip: Rect, mut v: [Vertex; 3], id: TextureId, textures: &Textures) {
        let edge = |a: egui::Pos2, b: egui::Pos2, x: f32, y: f32| {
            (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)
        };
        let mut area = edge(v[0].pos, v[1].pos, v[2].pos.x, v[2].pos.y);
        if area < 0.0 {
            v.swap(1, 2);
            area = -area;
        }
        if area == 0.0 {
            return;
        }
        let bounds = Rect::from_points(&[v[0].pos, v[1].pos, v[2].pos]);
        let pixels = |value: f32, most: usize| (value.max(0.0) as usize).min(most);
        let left = pixels(bounds.min.x.floor().max(clip.min.x.round()), self.width);
        let top = pixels(bounds.min.y.floor().max(clip.min.y.round()), self.height);
        let right = pixels(bounds.max.x.ceil().min(clip.max.x.round()), self.width);
        let bottom = pixels(bounds.max.y.ceil().min(clip.max.y.round()), self.height);
        for row in top..bottom {
            for column in left..right {
                let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
                let mut weights = [0.0; 3];
                let mut inside = true;
                for (index, weight) in weights.iter_mut().enumerate() {
                    let (a, b) = (v[(index + 1) % 3].pos, v[(index + 2) % 3].pos);
                    *weight = edge(a, b, x, y);
                    // Of two triangles that share an edge, one has its pixels.
                    let owner = (b.y - a.y) < 0.0 || (b.y == a.y && b.x > a.x);
                    inside &= *weight > 0.0 || (*weight == 0.0 && owner);
                }
                if inside {
                    self.blend(
                        row * self.width + column,
                        weights.map(|w| w / area),
                        &v,
                        id,
                        textures,
                    );
                }
            }
        }
    }

    fn blend(
        &mut self,
        pixel: usize,
        weights: [f32; 3],
        v: &[Vertex; 3],
        id: TextureId,
        textures: &Textures,
    ) {
        let mix = |value: fn(&Vertex) -> f32| {
            (0..3)
                .map(|corner| weights[corner] * value(&v[corner]))
                .sum::<f32>()
        };
        let texel = textures.sample(id, [mix(|v| v.uv.x), mix(|v| v.uv.y)]);
        let colors = v.map(|vertex| vertex.color.to_array());
        let source: [f32; 4] = std::array::from_fn(|channel| {
            let color: f32 = (0..3)
                .map(|corner| weights[corner] * f32::from(colors[corner][channel]))
                .sum();
            color * texel[channel] / 255.0
        });
        let below = self.pixels[pixel].to_array();
        let rest = 1.0 - source[3] / 255.0;
        let [r, g, b] = std::array::from_fn(|channel| {
            gamma(linear(source[channel]) + linear(f32::from(below[channel])) * rest)
        });
        let a = (source[3] + f32::from(below[3]) * rest)
            .round()
            .clamp(0.0, 255.0) as u8;
        self.pixels[pixel] = Color32::from_rgba_premultiplied(r, g, b, a);
    }

    /// The image as rows of red, green, blue.
    pub fn rgb(&self) -> Vec<u8> {
        self.pixels
            .iter()
            .flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()])
            .collect()
    }

    pub fn save(&self, path: &std::path::Path) {
        let file = std::fs::File::create(path).expect("the picture's file can be made");
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a header is written");
        writer
            .write_image_data(&self.rgb())
            .expect("pixels are written");
    }
}

/// Linear light, 0 to 1, of an sRGB value, 0 to 255.
fn linear(gamma: f32) -> f32 {
    let value = gamma / 255.0;
    if value < 0.04045 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

/// The sRGB value of linear light.
fn gamma(linear: f32) -> u8 {
    let value = linear.clamp(0.0, 1.0);
    let value = if value < 0.0031308 {
        value * 12.92
    } else {
        1.055 * value.powf(1.0 / 2.4) - 0.055
    };
    (value * 255.0).round() as u8
}
