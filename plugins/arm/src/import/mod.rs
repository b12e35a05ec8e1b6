//! Import of arms from URDF and MJCF.
//!
//! [`model`] reads either (told apart by the root element), [`urdf`] and [`mjcf`] one of them. Any
//! tree of links with at least one joint that turns or slides is an arm. Meshes are STL or OBJ;
//! this crate opens no file, so the caller passes a function that answers a mesh's bytes by name
//! ([`mesh_names`] lists them beforehand).
//!
//! What a file has and Forearm does not use is reported in [`Imported::notes`], never dropped
//! silently. What cannot be an arm is refused with one [`ImportError`] that names line and
//! element. Sizes are bounded, so that no file can exhaust memory or stack.
//!
//! What a file does not say:
//! - The tool is the frame whose name says so (`gripper_frame`, `tool`, `tcp`, `ee`, …), else the
//!   last link.
//! - The gripper is the last joint named `gripper`, `jaw` or `finger` that carries no other.
//! - Servos are the built-in SO-101's (URDF knows no servos, MJCF does).
//! - Home is zero, or as near as limits allow; in MJCF the keyframe `home`.

mod draft;
mod inertia;
mod mesh_file;
mod meshes;
mod mjcf;
mod notes;
mod select;
mod urdf;
mod xml;

use crate::model::ArmModel;

/// Longest text that is read, bytes.
pub const MAX_TEXT_BYTES: usize = 16 << 20;
/// Longest mesh file that is read, bytes.
pub const MAX_MESH_BYTES: usize = 128 << 20;
/// Most triangles of a model, all meshes together.
pub const MAX_TRIANGLES: usize = 2_000_000;
/// Most links of a model.
pub const MAX_LINKS: usize = 256;
/// Most visuals and colliders of a model.
pub const MAX_SHAPES: usize = 4096;

/// A model that was read, and what was ignored or guessed on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The model; it is [valid](ArmModel::validate).
    pub model: ArmModel,
    /// What was ignored or guessed, in the order of the file.
    pub notes: Vec<ImportNote>,
}

/// Something in a file that was ignored or had to be guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNote {
    /// The line, from 1; where it happens more than once, the first.
    pub line: u32,
    /// What was ignored or guessed, for people.
    pub text: String,
    /// How often it happens in the file.
    pub count: u32,
}

impl std::fmt::Display for ImportNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)?;
        if self.count > 1 {
            write!(f, " ({} times)", self.count)?;
        }
        Ok(())
    }
}

/// Why a file is no arm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {element}: {problem}")]
pub struct ImportError {
    /// The line, from 1.
    pub line: u32,
    /// The element at fault, for instance `<joint name="elbow_flex">`.
    pub element: String,
    /// What was found and what was expected.
    pub problem: String,
}

/// Answers the bytes of a mesh file by its name, or says why they cannot be read.
///
/// The name is as in the file, with `package://…/` and `file://` taken off and MJCF's `meshdir`
/// put in front; it is to be looked for relative to the model's file.
pub type MeshSource<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// Reads a model, URDF or MJCF.
///
/// # Errors
/// Names line and element, what was found and what was expected: no XML, another root element, no
/// tree of links (two parents, a cycle, several roots), no joint, a number that is missing, not
/// finite or out of order, a mesh that cannot be read, a file too large.
pub fn model(text: &str, meshes: MeshSource<'_>) -> Result<Imported, ImportError> {
    let document = xml::parse(text)?;
    match document.root_element().tag_name().name() {
        "robot" => urdf::read(text, &document, meshes),
        "mujoco" => mjcf::read(text, &document, meshes),
        _ => Err(wrong_root(
            text,
            &document,
            "<robot> (URDF) or <mujoco> (MJCF)",
        )),
    }
}

/// Reads a model from URDF.
///
/// # Errors
/// As [`model`].
pub fn urdf(text: &str, meshes: MeshSource<'_>) -> Result<Imported, ImportError> {
    let document = xml::parse(text)?;
    if document.root_element().tag_name().name() == "robot" {
        urdf::read(text, &document, meshes)
    } else {
        Err(wrong_root(text, &document, "<robot> (URDF)"))
    }
}

/// Reads a model from MJCF.
///
/// # Errors
/// As [`model`].
pub fn mjcf(text: &str, meshes: MeshSource<'_>) -> Result<Imported, ImportError> {
    let document = xml::parse(text)?;
    if document.root_element().tag_name().name() == "mujoco" {
        mjcf::read(text, &document, meshes)
    } else {
        Err(wrong_root(text, &document, "<mujoco> (MJCF)"))
    }
}

/// The names of the mesh files that a model may ask for, each once, in the order of the file; none
/// if the text is no model (reading it says why).
#[must_use]
pub fn mesh_names(text: &str) -> Vec<String> {
    let Ok(document) = xml::parse(text) else {
        return Vec::new();
    };
    let root = document.root_element();
    let mut names = match root.tag_name().name() {
        "robot" => urdf::mesh_names(root),
        "mujoco" => mjcf::mesh_names(root),
        _ => Vec::new(),
    };
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| mesh_file::Format::of(name).is_some() && seen.insert(name.clone()));
    names
}

fn wrong_root(text: &str, document: &roxmltree::Document<'_>, expected: &str) -> ImportError {
    let root = document.root_element();
    xml::Reader::new(text).error(root, format!("is the root element; expected {expected}"))
}
