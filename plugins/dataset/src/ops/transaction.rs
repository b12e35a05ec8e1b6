//! Changes of many files that happen completely or not at all, also on a crash.
//!
//! The new files are written below `.forearm/change/new`, then the list of what is to be done
//! (`.forearm/change/list.json`, whole or not at all: from here on the change happens), then the list
//! is carried out: what is replaced or removed is moved below `.forearm/undo`, the new files to their
//! places. Each step can be done twice. At last the list of the change becomes the list of how to undo
//! it, which is kept until the next change or [`forget`].

use crate::error::DatasetError;
use crate::json::{Json, object};
use crate::store::Store;

/// The list of a change that is under way.
const LIST: &str = ".forearm/change/list.json";
/// The folder of a change that is being prepared or carried out.
const CHANGE: &str = ".forearm/change";
/// There when all that a change replaces and removes is moved away.
const MOVED: &str = ".forearm/change/moved";
/// The folder of what a change replaced and removed.
const UNDO: &str = ".forearm/undo";
/// The list of what a change did.
const UNDO_LIST: &str = ".forearm/undo/list.json";

/// What is to become of files.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Files to be written.
    pub(crate) write: Vec<(String, Vec<u8>)>,
    /// Files to be moved; their places are free or become so.
    pub(crate) rename: Vec<(String, String)>,
    /// Files to be removed.
    pub(crate) remove: Vec<String>,
}

/// A change that is written down.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    /// Files to be moved away first: everything that is replaced, moved or removed. To be found again
    /// below [`UNDO`] under their own names.
    away: Vec<String>,
    /// Files to be moved to their places then.
    place: Vec<(String, String)>,
}

/// Whether a change was cut off in the middle.
///
/// # Errors
/// What reading fails with.
pub fn is_pending(store: &dyn Store) -> Result<bool, DatasetError> {
    Ok(store.size(LIST)?.is_some())
}

/// Finishes a change that was cut off; says whether there was one. A change that was still being
/// prepared is thrown away.
///
/// # Errors
/// What reading and writing fail with; [`DatasetError::Format`] for a damaged list.
pub fn finish(store: &mut dyn Store) -> Result<bool, DatasetError> {
    if !is_pending(store)? {
        store.remove(CHANGE)?;
        return Ok(false);
    }
    carry_out(store)?;
    Ok(true)
}

/// Carries out a change.
pub(crate) fn apply(store: &mut dyn Store, change: Change) -> Result<(), DatasetError> {
    finish(store)?;
    store.remove(UNDO)?;
    let mut list = List::default();
    for (number, (path, bytes)) in change.write.iter().enumerate() {
        let new = format!("{CHANGE}/new/{number}");
        store.write(&new, bytes)?;
        if store.size(path)?.is_some() {
            list.away.push(path.clone());
        }
        list.place.push((new, path.clone()));
    }
    for (from, to) in change.rename {
        // By way of the undo folder: a place may be free only after another file left it.
        list.place.push((format!("{UNDO}/{from}"), to));
        list.away.push(from);
    }
    for path in change.remove {
        if store.size(&path)?.is_some() && !list.away.contains(&path) {
            list.away.push(path);
        }
    }
    list.away.sort();
    list.away.dedup();
    store.write(LIST, list.text().as_bytes())?;
    carry_out(store)
}

/// Whether [`crate::Dataset::undo`] would bring something back.
///
/// # Errors
/// What reading fails with.
pub fn can_undo(store: &dyn Store) -> Result<bool, DatasetError> {
    Ok(store.size(UNDO_LIST)?.is_some() && !is_pending(store)?)
}

/// Undoes the last change.
pub(crate) fn undo(store: &mut dyn Store) -> Result<bool, DatasetError> {
    finish(store)?;
    if !can_undo(store)? {
        return Ok(false);
    }
    let done = List::parse(&store.read(UNDO_LIST)?, UNDO_LIST)?;
    let mut back = Change::default();
    for path in &done.away {
        let kept = format!("{UNDO}/{path}");
        // What was only moved went on from there, and comes back from its new place.
        let from = done.place.iter().find(|(from, _)| *from == kept);
        let from = from.map_or(&kept, |(_, to)| to);
        back.write.push((path.clone(), store.read(from)?));
    }
    for (_, to) in &done.place {
        if !done.away.contains(to) {
            back.remove.push(to.clone());
        }
    }
    apply(store, back)?;
    store.remove(UNDO)?;
    Ok(true)
}

/// Throws away what undoing needs: the files that were deleted last.
///
/// # Errors
/// What writing fails with.
pub fn forget(store: &mut dyn Store) -> Result<(), DatasetError> {
    store.remove(UNDO)?;
    Ok(())
}

fn carry_out(store: &mut dyn Store) -> Result<(), DatasetError> {
    let list = List::parse(&store.read(LIST)?, LIST)?;
    // Until all that goes away is away nothing is put into its place: what stands there is the old.
    if store.size(MOVED)?.is_none() {
        for path in &list.away {
            let kept = format!("{UNDO}/{path}");
            if store.size(&kept)?.is_none() && store.size(path)?.is_some() {
                store.rename(path, &kept)?;
            }
        }
        store.write(MOVED, b"")?;
    }
    for (from, to) in &list.place {
        if store.size(from)?.is_some() {
            store.rename(from, to)?;
        }
    }
    store.write(UNDO_LIST, list.text().as_bytes())?;
    store.remove(LIST)?;
    store.remove(CHANGE)?;
    Ok(())
}

impl List {
    fn text(&self) -> String {
        let pair = |(from, to): &(String, String)| Json::from(vec![from.as_str(), to.as_str()]);
        object([
            (
                "away",
                self.away
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .into(),
            ),
            ("place", Json::List(self.place.iter().map(pair).collect())),
        ])
        .pretty()
    }

    fn parse(bytes: &[u8], path: &str) -> Result<Self, DatasetError> {
        let wrong = || DatasetError::format(path, "the list of a change is damaged");
        let json = Json::parse(bytes).map_err(|error| DatasetError::json(path, &error))?;
        let text = |json: &Json| json.text().map(str::to_owned);
        let list = |key: &str| json.get(key).map(Json::values).ok_or_else(wrong);
        let away: Option<Vec<String>> = list("away")?.iter().map(text).collect();
        let place: Option<Vec<(String, String)>> = list("place")?
            .iter()
            .map(|pair| match pair.values() {
                [from, to] => Some((text(from)?, text(to)?)),
                _ => None,
            })
            .collect();
        Ok(Self {
            away: away.ok_or_else(wrong)?,
            place: place.ok_or_else(wrong)?,
        })
    }
}
