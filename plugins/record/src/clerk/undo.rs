//! A store that remembers how to go back: what is replaced or removed through it is kept beside, until
//! it is put back or given up.

use forearm_dataset::store::{Append, Entry, Store, StoreError};

use crate::store::Shelf;

/// Where what was replaced or removed is kept.
pub(super) const KEPT: &str = ".forearm/undo";

/// One step back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The file was not there.
    Remove(String),
    /// Put the kept file to this path.
    PutBack { kept: String, path: String },
    /// Rename it back.
    Rename { from: String, to: String },
}

/// A store to change through; see the module's documentation.
pub(super) struct Undo {
    store: Shelf,
    steps: Vec<Step>,
}

impl Undo {
    /// To change `store`.
    pub(super) fn new(store: Shelf) -> Self {
        Self {
            store,
            steps: Vec::new(),
        }
    }

    /// The steps back, in the order in which they were made.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    fn keep_name(&self) -> String {
        format!("{KEPT}/{:06}", self.steps.len())
    }

    /// Keeps a copy of a file that is about to be replaced: it has to be there until then.
    fn keep_copy(&mut self, path: &str) -> Result<(), StoreError> {
        match self.store.size(path)? {
            None => self.steps.push(Step::Remove(path.to_owned())),
            Some(_) => {
                let kept = self.keep_name();
                let bytes = self.store.read(path)?;
                self.store.write(&kept, &bytes)?;
                let path = path.to_owned();
                self.steps.push(Step::PutBack { kept, path });
            }
        }
        Ok(())
    }

    /// Takes a file that is about to be removed away.
    fn take_away(&mut self, path: &str) -> Result<(), StoreError> {
        let kept = self.keep_name();
        self.store.rename(path, &kept)?;
        let path = path.to_owned();
        self.steps.push(Step::PutBack { kept, path });
        Ok(())
    }
}

/// Goes back, the last step first.
///
/// # Errors
/// What the store fails with; the rest is left.
pub(super) fn go_back(store: &mut Shelf, steps: Vec<Step>) -> Result<(), StoreError> {
    for step in steps.into_iter().rev() {
        match step {
            Step::Remove(path) => store.remove(&path)?,
            Step::PutBack { kept, path } => store.rename(&kept, &path)?,
            Step::Rename { from, to } => store.rename(&from, &to)?,
        }
    }
    Ok(())
}

impl Store for Undo {
    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        self.store.read(path)
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        self.store.read_at(path, offset, buffer)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        self.store.size(path)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.keep_copy(path)?;
        self.store.write(path, bytes)
    }

    fn append(&mut self, path: &str) -> Result<Box<dyn Append>, StoreError> {
        self.keep_copy(path)?;
        self.store.append(path)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        if self.store.size(to)?.is_some() {
            self.keep_copy(to)?;
        }
        self.store.rename(from, to)?;
        self.steps.push(Step::Rename {
            from: to.to_owned(),
            to: from.to_owned(),
        });
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        if self.store.size(path)?.is_some() {
            return self.take_away(path);
        }
        for entry in self.store.list(path)? {
            self.take_away(&entry.path)?;
        }
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        self.store.list(folder)
    }

    fn free_bytes(&self) -> Option<u64> {
        self.store.free_bytes()
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use forearm_dataset::store::{Memory, Store};
    use proptest::prelude::*;

    use super::{KEPT, Undo, go_back};
    use crate::store::Shelf;

    fn files(memory: &Memory) -> Vec<(String, Vec<u8>)> {
        let entries = memory.list("").expect("listed");
        let read = |path: &str| memory.read(path).expect("there");
        entries
            .into_iter()
            .map(|entry| (entry.path.clone(), read(&entry.path)))
            .collect()
    }

    proptest! {
        /// Whatever is changed, going back brings back every byte and leaves nothing else.
        #[test]
        fn going_back_brings_everything_back(
            before in prop::collection::btree_map("[ab]/[cd]", any::<u8>(), 0..4),
            changes in prop::collection::vec((0..4_u8, "[ab]/[cd]", "[ab]/[cd]", any::<u8>()), 0..12),
        ) {
            let memory = Memory::new();
            let mut store = Shelf::from(Box::new(memory.clone()) as Box<dyn Store>);
            for (path, byte) in &before {
                store.write(path, &[*byte]).expect("room");
            }
            let there = files(&memory);
            let mut undo = Undo::new(store.clone());
            for (kind, path, other, byte) in changes {
                // What is not there can't be renamed.
                match kind {
                    0 => undo.write(&path, &[byte]),
                    1 => undo.remove(&path),
                    2 => undo.remove("a"),
                    _ if path != other => undo.rename(&path, &other),
                    _ => Ok(()),
                }
                .ok();
            }
            let steps = undo.into_steps();
            go_back(&mut store, steps).expect("everything is there");
            store.remove(KEPT).expect("removed");
            prop_assert_eq!(files(&memory), there);
        }
    }
}
