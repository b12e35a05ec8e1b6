//! Reading XML with a place for every complaint: elements, their lines, numbers in attributes.

use roxmltree::{Document, Node, ParsingOptions};

use super::notes::Notes;
use super::{ImportError, ImportNote, MAX_TEXT_BYTES};

/// An element of the file.
pub(super) type Element<'a> = Node<'a, 'a>;

/// Most nodes (elements, texts, comments) of a file.
const MAX_NODES: u32 = 1_000_000;
/// Most quotes between two `<`, that is, twice the most attributes of an element: finding repeated
/// attributes takes the parser quadratic time.
const MAX_QUOTES: usize = 2000;
/// Longest piece of the file that a message quotes, characters.
const MAX_QUOTE: usize = 60;

/// Parses the text.
pub(super) fn parse(text: &str) -> Result<Document<'_>, ImportError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(ImportError {
            line: 1,
            element: "file".into(),
            problem: format!(
                "has {} bytes; expected at most {} MiB",
                text.len(),
                MAX_TEXT_BYTES >> 20
            ),
        });
    }
    let mut line = 1;
    for piece in text.split('<') {
        let quotes = piece
            .bytes()
            .filter(|byte| matches!(byte, b'"' | b'\''))
            .count();
        if quotes > MAX_QUOTES {
            return Err(ImportError {
                line,
                element: "file".into(),
                problem: format!(
                    "has an element with about {} attributes; expected at most {}",
                    quotes / 2,
                    MAX_QUOTES / 2
                ),
            });
        }
        let ends = piece.bytes().filter(|byte| *byte == b'\n').count();
        line = line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
    }
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| ImportError {
        line: error.pos().row.max(1),
        element: "file".into(),
        problem: format!(
            "is no XML: {}; expected a URDF or MJCF model",
            quote(&error.to_string())
        ),
    })
}

/// Knows lines and collects notes.
pub(super) struct Reader {
    line_starts: Vec<usize>,
    notes: Notes,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            line_starts: ends.map(|(index, _)| index + 1).collect(),
            notes: Notes::default(),
        }
    }

    /// All notes so far, in the order of the file.
    pub(super) fn into_notes(self) -> Vec<ImportNote> {
        self.notes.finish()
    }

    /// The line of an element, from 1.
    pub(super) fn line(&self, element: Element<'_>) -> u32 {
        let start = element.range().start;
        let line = self.line_starts.partition_point(|line| *line <= start) + 1;
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    pub(super) fn error(&self, element: Element<'_>, problem: impl Into<String>) -> ImportError {
        ImportError {
            line: self.line(element),
            element: describe(element),
            problem: problem.into(),
        }
    }

    pub(super) fn note(&mut self, element: Element<'_>, text: impl Into<String>) {
        self.notes.add(self.line(element), text.into());
    }

    /// Notes the attributes that are not in `known`.
    pub(super) fn note_attributes(&mut self, element: Element<'_>, known: &[&str]) {
        for attribute in element.attributes() {
            let name = attribute.name();
            if !known.contains(&name) {
                let tag = element.tag_name().name();
                self.note(
                    element,
                    format!("attribute `{}` of <{}> is ignored", quote(name), quote(tag)),
                );
            }
        }
    }

    /// Notes an element that is not used.
    pub(super) fn note_element(&mut self, element: Element<'_>) {
        let parent = element.parent_element();
        let parent = parent.map_or("file", |parent| parent.tag_name().name());
        let tag = element.tag_name().name();
        self.note(
            element,
            format!("<{}> in <{}> is ignored", quote(tag), quote(parent)),
        );
    }

    /// The element's only child of this name.
    pub(super) fn child<'a>(
        &self,
        element: Element<'a>,
        name: &str,
    ) -> Result<Option<Element<'a>>, ImportError> {
        let mut found = children(element).filter(|child| child.tag_name().name() == name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(self.error(
                second,
                format!(
                    "is a second <{name}> in {}; expected one",
                    describe(element)
                ),
            )),
            None => Ok(first),
        }
    }

    /// An attribute that must be there.
    pub(super) fn required<'a>(
        &self,
        element: Element<'a>,
        name: &str,
    ) -> Result<&'a str, ImportError> {
        element
            .attribute(name)
            .filter(|value| !value.trim().is_empty())
            .ok_or_else(|| self.error(element, format!("has no `{name}`; expected one")))
    }

    /// Reads `N` numbers from a value that stands in `element`.
    pub(super) fn parse_numbers<const N: usize>(
        &self,
        element: Element<'_>,
        name: &str,
        value: &str,
    ) -> Result<[f64; N], ImportError> {
        let list = self.parse_list(element, name, value, N)?;
        list.try_into().map_err(|list: Vec<f64>| {
            let expected = if N == 1 {
                "one number".into()
            } else {
                format!("{N} numbers")
            };
            self.error(
                element,
                format!(
                    "{name}=\"{}\" has {}; expected {expected}",
                    quote(value),
                    list.len()
                ),
            )
        })
    }

    /// Reads at most `most` numbers from a value that stands in `element`.
    pub(super) fn parse_list(
        &self,
        element: Element<'_>,
        name: &str,
        value: &str,
        most: usize,
    ) -> Result<Vec<f64>, ImportError> {
        let complain =
            |what: &str| self.error(element, format!("{name}=\"{}\" {what}", quote(value)));
        let mut list = Vec::with_capacity(most);
        for word in value.split_ascii_whitespace() {
            if list.len() == most {
                return Err(complain(&format!("has more than {most} numbers")));
            }
            match word.parse::<f64>() {
                Ok(number) if number.is_finite() => list.push(number),
                Ok(_) => return Err(complain("is not finite; expected ordinary numbers")),
                Err(_) => {
                    let problem = format!("has `{}`; expected numbers", quote(word));
                    return Err(complain(&problem));
                }
            }
        }
        Ok(list)
    }

    /// Reads `N` numbers from an attribute, if it is there.
    pub(super) fn numbers<const N: usize>(
        &self,
        element: Element<'_>,
        name: &str,
    ) -> Result<Option<[f64; N]>, ImportError> {
        element
            .attribute(name)
            .map(|value| self.parse_numbers(element, name, value))
            .transpose()
    }

    /// Reads a number from an attribute, if it is there.
    pub(super) fn number(
        &self,
        element: Element<'_>,
        name: &str,
    ) -> Result<Option<f64>, ImportError> {
        Ok(self.numbers::<1>(element, name)?.map(|[number]| number))
    }
}

/// The element children of an element.
pub(super) fn children(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    element.children().filter(Node::is_element)
}

/// An element as a message names it: `<joint name="elbow">`.
pub(super) fn describe(element: Element<'_>) -> String {
    let tag = quote(element.tag_name().name());
    let names = ["name", "joint", "link", "class", "file", "filename", "mesh"];
    let name = names
        .into_iter()
        .find_map(|name| Some((name, element.attribute(name)?)));
    match name {
        Some((attribute, value)) => format!("<{tag} {attribute}=\"{}\">", quote(value)),
        None => format!("<{tag}>"),
    }
}

/// A piece of the file, short enough for a message.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
