//! Recording in the browser: datasets are in its storage, and an export is a download.

use std::cell::RefCell;

use forearm_protocol::Buffer;
use forearm_protocol::record::Command;
use forearm_record::export::Pieces;

use crate::web::{js, record};

/// Whether datasets are kept in the browser's storage.
pub(super) const IN_BROWSER: bool = true;

/// Where a dataset called so is offered to be kept.
pub(super) fn default_place(name: &str) -> String {
    name.to_owned()
}

/// The token for a dataset hub: a page knows none.
pub(super) fn token() -> Option<String> {
    None
}

thread_local! {
    /// The export that is on its way. It belongs to the page's thread, as all of JavaScript does.
    static PIECES: RefCell<Option<Pieces>> = const { RefCell::new(None) };
}

/// Takes an export that comes in parts. The browser may keep them on the disk.
#[derive(Debug)]
pub(super) struct Download(());

impl Default for Download {
    /// An export of which nothing has come yet.
    fn default() -> Self {
        let taken = |bytes| record::tell_recorder(Command::ChunkTaken(bytes));
        PIECES.set(Some(Pieces::new(taken)));
        Self(())
    }
}

impl Download {
    /// Takes the next part.
    pub(super) fn push(&mut self, part: &Buffer) {
        PIECES.with_borrow(|pieces| {
            if let Some(pieces) = pieces {
                pieces.push(part);
            }
        });
    }

    /// Hands the whole to the person; `name` is what the file is called.
    ///
    /// # Errors
    /// What the browser said.
    pub(super) fn finish(self, name: &str) -> Result<(), String> {
        let Some(pieces) = PIECES.take() else {
            return Err("the export is empty; try again".to_owned());
        };
        let saved = pieces
            .finish()
            .and_then(|whole| record::download(&whole, name));
        saved.map_err(|error| js::said(&error))
    }
}
