//! Reads RON files that people write, and says exactly what is wrong with a bad one.

use std::fmt;

use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

/// Larger files are refused unread: no file that a person writes for Forearm comes near this.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Brackets nested deeper than this are refused: the parser is recursive, and no schema of ours
/// goes beyond a handful.
const MAX_DEPTH: usize = 64;

/// What is wrong with a file: where, in which field, what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The file's name, or what stands for it.
    pub file: String,
    /// Line and column, from 1, where they are known.
    pub at: Option<(usize, usize)>,
    /// The path of the field, for instance `objects[2].shape`; empty for the file itself.
    pub field: String,
    /// What was found and what was expected.
    pub problem: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": field `{}`", self.field)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Reads a value from the text of a RON file called `file`.
///
/// # Errors
/// Says line, column, field, and what was expected there.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, FileError> {
    let fail = |at, field: String, problem: String| FileError {
        file: file.to_owned(),
        at,
        field,
        problem,
    };
    if text.len() > MAX_FILE_BYTES {
        let problem = format!("{} bytes; at most {MAX_FILE_BYTES} are read", text.len());
        return Err(fail(None, String::new(), problem));
    }
    if let Some(at) = too_deep(text) {
        let problem = format!("brackets are nested deeper than {MAX_DEPTH}");
        return Err(fail(Some(at), String::new(), problem));
    }
    let spanned = |error: ron::error::SpannedError, field: String| {
        let at = (error.span.start.line, error.span.start.col);
        fail(Some(at), field, error.code.to_string())
    };
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let options = ron::Options::default().with_default_extension(extensions);
    let mut deserializer = ron::Deserializer::from_str_with_options(text, &options)
        .map_err(|error| spanned(error, String::new()))?;
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        spanned(deserializer.span_error(error.into_inner()), field)
    })?;
    deserializer
        .end()
        .map_err(|error| spanned(deserializer.span_error(error), String::new()))?;
    Ok(value)
}

/// The place of the first bracket beyond [`MAX_DEPTH`]. Brackets in strings and comments count
/// too: it is a bound, not a parser.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    for (line, content) in text.lines().enumerate() {
        for (column, character) in content.chars().enumerate() {
            match character {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Some((line + 1, column + 1));
            }
        }
    }
    None
}
