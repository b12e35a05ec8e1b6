//! The notes of an import: gathered, equal ones counted, their number bounded.

use std::collections::HashMap;

use super::ImportNote;

/// Most different notes that are kept; the rest are only counted.
const MAX_NOTES: usize = 200;

/// Notes under collection.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: Vec<ImportNote>,
    index: HashMap<String, usize>,
    left_out: Option<ImportNote>,
}

impl Notes {
    /// Adds a note, or counts it where the same text is there already.
    pub(super) fn add(&mut self, line: u32, text: String) {
        if let Some(index) = self.index.get(&text) {
            let note = &mut self.notes[*index];
            note.count = note.count.saturating_add(1);
            note.line = note.line.min(line);
        } else if self.notes.len() < MAX_NOTES {
            self.index.insert(text.clone(), self.notes.len());
            self.notes.push(ImportNote {
                line,
                text,
                count: 1,
            });
        } else {
            let rest = self.left_out.get_or_insert_with(|| ImportNote {
                line,
                text: "further notes are left out".into(),
                count: 0,
            });
            rest.count = rest.count.saturating_add(1);
        }
    }

    /// All notes, in the order of the file.
    pub(super) fn finish(self) -> Vec<ImportNote> {
        let mut notes = self.notes;
        notes.sort_by_key(|note| note.line);
        notes.extend(self.left_out);
        notes
    }
}
