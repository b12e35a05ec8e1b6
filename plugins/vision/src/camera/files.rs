//! A folder of PNG pictures as a camera, over and over, in the order of their names.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::drawn::{Artist, DrawnSource, Job};
use super::{CameraError, check_resolution, native};
use crate::Pace;
use crate::frame::rgb_bytes;

/// Pictures a second.
const FPS: f64 = 30.0;

/// Opens the folder at `path`.
pub(super) fn open(path: &str, pace: Pace) -> Result<DrawnSource, CameraError> {
    let folder = Path::new(path);
    if folder.is_file() {
        return Err(CameraError::File(format!(
            "`{path}` is a file; expected a folder with PNG pictures, which are shown in the order \
             of their names"
        )));
    }
    let entries = std::fs::read_dir(folder).map_err(|error| {
        CameraError::File(format!("the folder `{path}` can't be read: {error}"))
    })?;
    let mut pictures: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| {
            file.extension()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("png"))
        })
        .collect();
    pictures.sort();
    let first = pictures
        .first()
        .ok_or_else(|| CameraError::File(format!("the folder `{path}` has no PNG pictures")))?;
    let (size, _) = header(first).map_err(CameraError::File)?;
    check_resolution(size)?;
    let artist = Slides {
        size,
        pictures,
        raw: Vec::new(),
    };
    let studio = native::studio("picture folder", Box::new(artist), pace)?;
    Ok(DrawnSource::by_clock(studio, FPS))
}

struct Slides {
    size: [u32; 2],
    pictures: Vec<PathBuf>,
    /// A picture as the file has it.
    raw: Vec<u8>,
}

impl Artist for Slides {
    fn draw(&mut self, job: &Job, rgb: &mut Vec<u8>) -> Result<[u32; 2], String> {
        let index = (job.number % self.pictures.len().max(1) as u64) as usize;
        let path = self.pictures.get(index).ok_or("there are no pictures")?;
        let (size, mut reader) = header(path)?;
        if size != self.size {
            return Err(format!(
                "`{}` has {}×{} pixels; expected {}×{} like the folder's first picture",
                path.display(),
                size[0],
                size[1],
                self.size[0],
                self.size[1]
            ));
        }
        let failed = |why: String| format!("`{}` can't be read: {why}", path.display());
        let length = reader
            .output_buffer_size()
            .ok_or_else(|| failed("it is too large".to_owned()))?;
        self.raw.resize(length, 0);
        let info = reader
            .next_frame(&mut self.raw)
            .map_err(|error| failed(error.to_string()))?;
        let channels = info.color_type.samples();
        let pixels = rgb_bytes(size).unwrap_or_default() / 3;
        rgb.clear();
        rgb.extend(
            self.raw
                .chunks_exact(channels)
                .take(pixels)
                .flat_map(|pixel| match *pixel {
                    [r, g, b, ..] => [r, g, b],
                    [gray, ..] => [gray; 3],
                    [] => [0; 3],
                }),
        );
        if rgb.len() < 3 * pixels {
            return Err(failed("it is cut short".to_owned()));
        }
        Ok(size)
    }
}

/// A picture's width and height, and what reads the rest.
fn header(path: &Path) -> Result<([u32; 2], png::Reader<BufReader<File>>), String> {
    let failed = |error: &dyn std::fmt::Display| {
        format!(
            "`{}` can't be read: {error}; expected a PNG picture",
            path.display()
        )
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut decoder = png::Decoder::new(BufReader::new(file));
    // Palettes become colours, 16 bits 8.
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let reader = decoder.read_info().map_err(|error| failed(&error))?;
    let info = reader.info();
    Ok(([info.width, info.height], reader))
}
