//! Pictures that the record service tells of, as textures that the panels show.

use std::collections::{BTreeMap, VecDeque};

use bevy::asset::RenderAssetUsages;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy_egui::{EguiTextureHandle, EguiUserTextures};
use forearm_panel::Shown;

/// So many thumbnails are kept, more than any list shows at once.
const MOST_THUMBNAILS: usize = 96;
/// No wider than this is a thumbnail, pixels.
const THUMBNAIL_WIDTH: u32 = 144;

/// What a picture is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// A camera, live.
    Camera(String),
    /// The row on show, of the camera with this place in the dataset.
    Row(usize),
    /// An episode's first row.
    Thumbnail(u32),
}

/// The pictures on show.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    all: BTreeMap<Subject, (Handle<Image>, Shown)>,
    /// Thumbnails in the order in which they came.
    thumbnails: VecDeque<u32>,
}

/// Where textures live.
#[derive(SystemParam)]
pub(super) struct Textures<'w> {
    images: ResMut<'w, Assets<Image>>,
    user: ResMut<'w, EguiUserTextures>,
}

impl Pictures {
    /// Shows a picture: RGBA, 8 bits each, sRGB, rows from the top. `None` if it has not as many
    /// bytes as it should.
    pub(super) fn show(
        &mut self,
        subject: Subject,
        size: [u32; 2],
        rgba: Vec<u8>,
        textures: &mut Textures<'_>,
    ) -> Option<Shown> {
        let [width, height] = size.map(u64::from);
        if width * height == 0 || rgba.len() as u64 != width * height * 4 {
            return None;
        }
        if let Some((handle, shown)) = self.all.get(&subject)
            && shown.size == size
            && let Some(mut image) = textures.images.get_mut(handle)
        {
            image.data = Some(rgba);
            return Some(*shown);
        }
        self.forget(&subject, textures);
        let extent = Extent3d {
            width: size[0],
            height: size[1],
            depth_or_array_layers: 1,
        };
        let image = Image::new(
            extent,
            TextureDimension::D2,
            rgba,
            TextureFormat::Rgba8UnormSrgb,
            RenderAssetUsages::all(),
        );
        let handle = textures.images.add(image);
        let texture = textures
            .user
            .add_image(EguiTextureHandle::Strong(handle.clone()));
        let shown = Shown { texture, size };
        if let Subject::Thumbnail(episode) = subject {
            self.thumbnails.push_back(episode);
        }
        self.all.insert(subject, (handle, shown));
        Some(shown)
    }

    /// Forgets a picture.
    pub(super) fn forget(&mut self, subject: &Subject, textures: &mut Textures<'_>) {
        if let Some((handle, _)) = self.all.remove(subject) {
            textures.user.remove_image(&handle);
            textures.images.remove(&handle);
        }
        if let Subject::Thumbnail(episode) = subject {
            self.thumbnails.retain(|other| other != episode);
        }
    }

    /// Makes room for one more thumbnail; answers which episode has none any more.
    pub(super) fn make_room(&mut self, textures: &mut Textures<'_>) -> Option<u32> {
        if self.thumbnails.len() < MOST_THUMBNAILS {
            return None;
        }
        let oldest = *self.thumbnails.front()?;
        self.forget(&Subject::Thumbnail(oldest), textures);
        Some(oldest)
    }

    /// Forgets all pictures of a dataset.
    pub(super) fn forget_dataset(&mut self, textures: &mut Textures<'_>) {
        let of_dataset: Vec<Subject> = self
            .all
            .keys()
            .filter(|subject| !matches!(subject, Subject::Camera(_)))
            .cloned()
            .collect();
        for subject in of_dataset {
            self.forget(&subject, textures);
        }
    }
}

/// A picture no wider than a thumbnail, by leaving pixels out.
pub(super) fn thumbnail(size: [u32; 2], rgba: &[u8]) -> ([u32; 2], Vec<u8>) {
    let [width, height] = size;
    let every = width.div_ceil(THUMBNAIL_WIDTH).max(1);
    let kept = [width.div_ceil(every), height.div_ceil(every)];
    let mut small = Vec::with_capacity(kept[0] as usize * kept[1] as usize * 4);
    let row_bytes = (width as usize * 4).max(4);
    for row in rgba.chunks_exact(row_bytes).step_by(every as usize) {
        for pixel in row.chunks_exact(4).step_by(every as usize) {
            small.extend_from_slice(pixel);
        }
    }
    (kept, small)
}

/// The pictures of a row, one after another in `rgba`, each with its size; those that are not whole
/// are left out.
pub(super) fn split<'a>(
    sizes: &'a [[u32; 2]],
    rgba: &'a [u8],
) -> impl Iterator<Item = ([u32; 2], &'a [u8])> {
    let mut rest = rgba;
    sizes.iter().map_while(move |size| {
        let [width, height] = size.map(|side| side as usize);
        let bytes = width.checked_mul(height)?.checked_mul(4)?;
        let (picture, others) = rest.split_at_checked(bytes)?;
        rest = others;
        Some((*size, picture))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_are_small_and_whole() {
        let (size, bytes) = thumbnail([640, 480], &[7; 640 * 480 * 4]);
        assert_eq!(size, [128, 96]);
        assert_eq!(bytes.len(), 128 * 96 * 4);
        let (size, bytes) = thumbnail([3, 2], &[1; 24]);
        assert_eq!((size, bytes.len()), ([3, 2], 24));
        assert!(thumbnail([0, 0], &[]).1.is_empty());
    }

    #[test]
    fn a_row_is_split_and_never_beyond_its_bytes() {
        let rgba: Vec<u8> = (0..24).collect();
        let parts: Vec<_> = split(&[[1, 2], [2, 2]], &rgba).collect();
        assert_eq!(parts[0], ([1, 2], &rgba[..8]));
        assert_eq!(parts[1], ([2, 2], &rgba[8..]));
        assert_eq!(split(&[[1, 2], [u32::MAX, u32::MAX]], &rgba).count(), 1);
    }
}
