//! Meshes from STL (binary and text) and OBJ.

use std::collections::HashMap;
use std::io::{BufReader, Cursor};

use super::{MAX_MESH_BYTES, MAX_TRIANGLES};
use crate::mesh::with_normals;
use crate::shape::TriMesh;

/// Most triangles around one point: beyond, computing normals takes too long.
const MAX_AROUND: u32 = 4096;
/// Furthest point from the origin, metres: far beyond any arm, far below overflow.
const MAX_COORDINATE: f32 = 1e4;
/// Length of a binary STL's header, count included, and of one of its triangles.
const STL_HEADER: usize = 84;
const STL_TRIANGLE: usize = 50;

/// A format of mesh files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Stl,
    Obj,
}

impl Format {
    /// By a file's name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        if extension.eq_ignore_ascii_case("stl") {
            Some(Self::Stl)
        } else if extension.eq_ignore_ascii_case("obj") {
            Some(Self::Obj)
        } else {
            None
        }
    }
}

/// Reads a mesh and scales it; normals are computed where the file has none. At most `budget`
/// triangles are accepted. The error says what was found and what was expected.
pub(super) fn read(
    bytes: &[u8],
    format: Format,
    scale: [f64; 3],
    budget: usize,
) -> Result<TriMesh, String> {
    if bytes.len() > MAX_MESH_BYTES {
        return Err(format!(
            "has {} bytes; expected at most {} MiB",
            bytes.len(),
            MAX_MESH_BYTES >> 20
        ));
    }
    let mut raw = match format {
        Format::Stl => read_stl(bytes, budget)?,
        Format::Obj => read_obj(bytes)?,
    };
    check_budget(raw.triangles.len(), budget)?;
    raw.scale(scale);
    if let Some(point) = raw
        .positions
        .iter()
        .find(|point| !point.iter().all(|x| x.abs() <= MAX_COORDINATE))
    {
        return Err(format!(
            "has a point at {point:?}; expected metres within {MAX_COORDINATE}"
        ));
    }
    let mesh = raw.finish()?;
    if mesh.triangles.is_empty() {
        return Err("has no triangle with an area; expected at least one".into());
    }
    Ok(mesh)
}

/// Triangles as they are in the file.
#[derive(Default)]
struct Raw {
    positions: Vec<[f32; 3]>,
    /// One a position, or none at all.
    normals: Vec<[f32; 3]>,
    triangles: Vec<[u32; 3]>,
}

impl Raw {
    fn scale(&mut self, scale: [f64; 3]) {
        for position in &mut self.positions {
            for (x, scale) in position.iter_mut().zip(scale) {
                *x = (f64::from(*x) * scale) as f32;
            }
        }
        for normal in &mut self.normals {
            let mut scaled = nalgebra::Vector3::from(*normal).cast::<f64>();
            for (x, scale) in scaled.iter_mut().zip(scale) {
                *x /= scale;
            }
            let unit = scaled.try_normalize(1e-12).unwrap_or_default();
            *normal = unit.cast::<f32>().into();
        }
        // An odd number of mirrorings turns the surface inside out.
        if scale.iter().filter(|scale| **scale < 0.0).count() % 2 == 1 {
            for triangle in &mut self.triangles {
                triangle.swap(1, 2);
            }
        }
    }

    fn finish(self) -> Result<TriMesh, String> {
        let corners = self.triangles.as_flattened();
        if let Some(corner) = corners
            .iter()
            .find(|i| **i as usize >= self.positions.len())
        {
            return Err(format!("names point {corner} of {}", self.positions.len()));
        }
        let unit = |normal: &[f32; 3]| {
            (normal.iter().map(|x| f64::from(x * x)).sum::<f64>() - 1.0).abs() < 1e-2
        };
        if self.normals.len() == self.positions.len() && self.normals.iter().all(unit) {
            return Ok(TriMesh {
                positions: self.positions,
                normals: self.normals,
                triangles: self.triangles,
            });
        }
        let mut around: HashMap<[i64; 3], u32> = HashMap::new();
        for corner in corners {
            // As coarse as points are merged.
            let key = self.positions[*corner as usize].map(|x| (f64::from(x) * 1e7) as i64);
            let count = around.entry(key).or_default();
            *count += 1;
            if *count > MAX_AROUND {
                return Err(format!(
                    "has a point with more than {MAX_AROUND} triangles around it"
                ));
            }
        }
        Ok(with_normals(&self.positions, &self.triangles))
    }
}

fn check_budget(triangles: usize, budget: usize) -> Result<(), String> {
    if triangles <= budget {
        return Ok(());
    }
    Err(format!(
        "has {triangles} triangles; expected at most {MAX_TRIANGLES} in all meshes together"
    ))
}

fn read_stl(bytes: &[u8], budget: usize) -> Result<Raw, String> {
    let count = bytes
        .get(STL_HEADER - 4..STL_HEADER)
        .and_then(|count| count.try_into().ok())
        .map(u32::from_le_bytes);
    let is_text = bytes.trim_ascii_start().starts_with(b"solid");
    let mut prepared;
    match count.map(|count| count as usize) {
        // Some binary files begin with `solid` too; their length gives them away.
        Some(count)
            if count.checked_mul(STL_TRIANGLE).map(|n| n + STL_HEADER) == Some(bytes.len())
                || !is_text =>
        {
            check_budget(count, budget)?;
            let expected = count * STL_TRIANGLE + STL_HEADER;
            if bytes.len() < expected {
                return Err(format!(
                    "is cut short: {} bytes; expected {expected} for {count} triangles",
                    bytes.len()
                ));
            }
            prepared = bytes.to_vec();
            prepared[..STL_HEADER - 4].fill(0);
        }
        _ if is_text => {
            // The name behind `solid` may be missing, or in any encoding.
            let body = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(bytes.len());
            prepared = b"solid mesh".to_vec();
            prepared.extend_from_slice(&bytes[body..]);
        }
        _ => {
            return Err(format!(
                "has {} bytes; expected a binary STL's {STL_HEADER} or more, or a text that \
                 begins with `solid`",
                bytes.len()
            ));
        }
    }
    let mut cursor = Cursor::new(prepared);
    let mesh = stl_io::read_stl(&mut cursor)
        .map_err(|error| format!("is no STL: {}", super::xml::quote(&error.to_string())))?;
    let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    Ok(Raw {
        positions: mesh.vertices.iter().map(|vertex| vertex.0).collect(),
        // Facets' normals are of no use where edges are to be smooth.
        normals: Vec::new(),
        triangles: mesh
            .faces
            .iter()
            .map(|face| face.vertices.map(index))
            .collect(),
    })
}

fn read_obj(bytes: &[u8]) -> Result<Raw, String> {
    let options = tobj::LoadOptions {
        triangulate: true,
        single_index: true,
        ignore_points: true,
        ignore_lines: true,
    };
    // Materials are not read: colours come from the model.
    let no_materials = |_: &std::path::Path| Err(tobj::LoadError::OpenFileFailed);
    let mut reader = BufReader::new(bytes);
    let (models, _) = tobj::load_obj_buf(&mut reader, &options, no_materials)
        .map_err(|error| format!("is no OBJ: {error}"))?;
    let mut raw = Raw::default();
    let with_normals = models
        .iter()
        .all(|model| model.mesh.normals.len() == model.mesh.positions.len());
    for mesh in models.iter().map(|model| &model.mesh) {
        let first = u32::try_from(raw.positions.len()).unwrap_or(u32::MAX);
        raw.positions
            .extend_from_slice(mesh.positions.as_chunks().0);
        if with_normals {
            raw.normals.extend_from_slice(mesh.normals.as_chunks().0);
        }
        let (triangles, _) = mesh.indices.as_chunks::<3>();
        raw.triangles.extend(
            triangles
                .iter()
                .map(|corners| corners.map(|corner| corner.saturating_add(first))),
        );
    }
    Ok(raw)
}
