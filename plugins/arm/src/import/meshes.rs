//! The meshes of a model under import: asked for once, bounded together.

use std::collections::HashMap;
use std::sync::Arc;

use super::mesh_file::{self, Format};
use super::xml::{Element, Reader, quote};
use super::{ImportError, MAX_TRIANGLES, MeshSource};
use crate::shape::{Shape, TriMesh};

/// Meshes by name and scale.
pub(super) struct Meshes<'s> {
    source: MeshSource<'s>,
    cache: HashMap<(String, [u64; 3]), Arc<TriMesh>>,
    budget: usize,
}

impl<'s> Meshes<'s> {
    pub(super) fn new(source: MeshSource<'s>) -> Self {
        Self {
            source,
            cache: HashMap::new(),
            budget: MAX_TRIANGLES,
        }
    }

    /// The mesh that `element` names, or `None` (and a note) if its format is not one we read.
    pub(super) fn load(
        &mut self,
        reader: &mut Reader,
        element: Element<'_>,
        name: &str,
        scale: [f64; 3],
    ) -> Result<Option<Shape>, ImportError> {
        if scale.contains(&0.0) {
            return Err(reader.error(
                element,
                format!("scale is {scale:?}; expected numbers other than 0"),
            ));
        }
        let Some(format) = Format::of(name) else {
            reader.note(
                element,
                format!(
                    "mesh `{}` is neither STL nor OBJ and is left out",
                    quote(name)
                ),
            );
            return Ok(None);
        };
        let key = (name.to_owned(), scale.map(f64::to_bits));
        if let Some(mesh) = self.cache.get(&key) {
            return Ok(Some(Shape::Mesh(Arc::clone(mesh))));
        }
        let complain =
            |problem: String| reader.error(element, format!("mesh `{}` {problem}", quote(name)));
        let bytes = (self.source)(name).map_err(|error| {
            complain(format!(
                "cannot be read: {error}; expected an STL or OBJ file"
            ))
        })?;
        let mesh = mesh_file::read(&bytes, format, scale, self.budget).map_err(complain)?;
        self.budget = self.budget.saturating_sub(mesh.triangles.len());
        let mesh = Arc::new(mesh);
        self.cache.insert(key, Arc::clone(&mesh));
        Ok(Some(Shape::Mesh(mesh)))
    }
}

/// A mesh's name without the scheme in front: `package://arm/meshes/a.stl` is `meshes/a.stl`.
pub(super) fn without_scheme(name: &str) -> &str {
    for scheme in ["package://", "model://"] {
        if let Some(rest) = name.strip_prefix(scheme) {
            return rest.split_once('/').map_or(rest, |(_, path)| path);
        }
    }
    name.strip_prefix("file://").unwrap_or(name)
}
