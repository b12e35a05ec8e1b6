//! What can be seen of a frame: its texts, whether they have order, whether the picture is as blessed.

use std::path::Path;

use forearm_panel::egui::{self, Rect, Shape, epaint::TextShape};

use super::Stage;
use super::raster::Canvas;

/// A text of the last frame: where it is and what may be seen of it.
pub struct Text {
    pub text: String,
    pub rect: Rect,
    pub clip: Rect,
    pub elided: bool,
}

/// The texts of the last frame.
pub fn texts(stage: &Stage) -> Vec<Text> {
    fn collect(shape: &Shape, clip: Rect, texts: &mut Vec<Text>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, texts)),
            Shape::Text(text) => texts.push(text_of(text, clip)),
            _ => {}
        }
    }
    fn text_of(text: &TextShape, clip: Rect) -> Text {
        let rect = text.galley.mesh_bounds.translate(text.pos.to_vec2());
        Text {
            text: text.galley.text().to_owned(),
            rect,
            clip,
            elided: text.galley.elided,
        }
    }
    let mut texts = Vec::new();
    for clipped in &stage.full.as_ref().expect("a frame was drawn").shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut texts);
    }
    texts.retain(|text| text.rect.is_positive());
    texts
}

/// Checks that no text is cut and that none overlap.
pub fn order(stage: &Stage, what: &str, scrolled: &[Rect]) {
    let window = Rect::from_min_size(egui::Pos2::ZERO, stage.size);
    let texts = texts(stage);
    for text in &texts {
        let seen = text.rect.intersect(text.clip).intersect(window);
        let hidden = scrolled
            .iter()
            .any(|part| part.contains(text.rect.center()));
        let whole = seen.area() > 0.98 * text.rect.area();
        assert!(
            whole || hidden,
            "{what}: `{}` is cut: {:?} of {:?}",
            text.text,
            seen,
            text.rect
        );
    }
    for (index, one) in texts.iter().enumerate() {
        for other in &texts[..index] {
            let common = one
                .rect
                .intersect(one.clip)
                .intersect(other.rect.intersect(other.clip));
            let overlap = common.is_positive() && common.width() > 1.0 && common.height() > 1.0;
            assert!(
                !overlap,
                "{what}: `{}` and `{}` overlap",
                one.text, other.text
            );
        }
    }
}

/// Compares a picture with the blessed one of this name.
pub fn compare(name: &str, picture: &Canvas) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.png"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        picture.save(&path);
        return;
    }
    let file = std::fs::File::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_SNAPSHOTS=1 makes it", path.display()));
    let decoder = png::Decoder::new(std::io::BufReader::new(file));
    let mut reader = decoder.read_info().expect("the picture can be read");
    let mut blessed = vec![0; reader.output_buffer_size().expect("its size is known")];
    reader
        .next_frame(&mut blessed)
        .expect("its pixels can be read");
    let shown = picture.rgb();
    assert_eq!(blessed.len(), shown.len(), "{name}: another size");
    // Rounding may differ between processors; a moved text or another colour is far above this.
    let differ = blessed
        .iter()
        .zip(&shown)
        .filter(|(a, b)| a.abs_diff(**b) > 24)
        .count();
    let share = differ as f64 / shown.len() as f64;
    if share > 0.001 {
        let seen = std::env::temp_dir().join(format!("forearm-panel-{name}.png"));
        picture.save(&seen);
        panic!(
            "{name}: {:.2} % differ; see {}",
            share * 100.0,
            seen.display()
        );
    }
}
