//! Datasets in the browser's private storage: each is one file, `forearm/<name>.dataset`, which holds
//! its whole tree ([`Container`]).
//!
//! Where the browser keeps no files for this page (some private windows, a page that is not secure, a
//! service without a worker), a dataset is kept in memory, and a person is told that it will be gone.
//!
//! A journal is flushed at its beginning and end only: a worker has one thread, and while a flush waits
//! for the disk frames and ticks would. What the browser was given its system writes by itself, within
//! half a minute; a closed tab or a crash of the browser loses none of it.

mod binding;
mod file;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use forearm_dataset::store::{Container, Memory, Store, StoreError};
use forearm_protocol::record::Place;
use forearm_workers::web::after;
use js_sys::Promise;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use self::binding::{
    AccessHandle, DirectoryHandle, FileHandle, decode, encode, get, said, storage, with,
};
use self::file::OpenFile;
use super::{Access, Opened, Shelf};

/// The folder of all datasets.
const FOLDER: &str = "forearm";
/// How datasets' files end.
const ENDING: &str = ".dataset";
/// The longest name of a dataset, bytes.
const MAX_NAME: usize = 80;
/// A page that was left lets go of its files a little later: so often it is tried again…
const ATTEMPTS: u32 = 30;
/// … after so many milliseconds.
const PAUSE_MILLIS: f64 = 100.0;

thread_local! {
    /// Datasets in memory, by name, for as long as this thread lives.
    static KEPT: RefCell<BTreeMap<String, Memory>> = const { RefCell::new(BTreeMap::new()) };
}

/// An answer that comes later.
struct Later<T>(SendWrapper<Rc<RefCell<Option<T>>>>);

impl<T: 'static> Later<T> {
    fn of(work: impl Future<Output = T> + 'static) -> Self {
        let answer = Rc::new(RefCell::new(None));
        let place = Rc::clone(&answer);
        spawn_local(async move {
            let done = work.await;
            place.replace(Some(done));
        });
        Self(SendWrapper::new(answer))
    }

    fn poll(&mut self) -> Option<T> {
        self.0.borrow_mut().take()
    }
}

/// A place that is being opened.
pub struct Opening(Later<Result<Opened, StoreError>>);

impl Opening {
    /// The place, once it is open, or why it can't be; `None` before, and after it was taken.
    pub fn poll(&mut self) -> Option<Result<Opened, StoreError>> {
        self.0.poll()
    }
}

/// Opens a place.
#[must_use]
pub fn open(place: &Place, access: Access) -> Opening {
    let place = place.clone();
    Opening(Later::of(async move {
        match place {
            Place::Folder(path) => Err(StoreError::Denied {
                path,
                why: "a browser keeps datasets by name, not in folders".to_owned(),
            }),
            Place::Storage(name) => open_named(&name, access).await,
        }
    }))
}

/// Names of the datasets in the browser's storage.
pub struct Listing(Later<Result<Vec<String>, StoreError>>);

impl Listing {
    /// The names, once they are known.
    pub fn poll(&mut self) -> Option<Result<Vec<String>, StoreError>> {
        self.0.poll()
    }
}

/// Asks which datasets there are in the browser's storage.
#[must_use]
pub fn list_stored() -> Listing {
    Listing(Later::of(async {
        let mut names: Vec<String> = KEPT.with_borrow(|kept| kept.keys().cloned().collect());
        match folder(false).await {
            Ok(Some(folder)) => names.extend(stored(&folder).await?),
            // Nothing was ever kept, or nothing can be.
            Ok(None) | Err(_) => {}
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }))
}

/// A dataset that is being deleted.
pub struct Deleting(Later<Result<(), StoreError>>);

impl Deleting {
    /// Whether it is gone, once that is known.
    pub fn poll(&mut self) -> Option<Result<(), StoreError>> {
        self.0.poll()
    }
}

/// Deletes a dataset that nobody has open. One that is not there is fine.
#[must_use]
pub fn delete_stored(name: &str) -> Deleting {
    let name = name.to_owned();
    Deleting(Later::of(async move {
        let file = file_name(&name)?;
        KEPT.with_borrow_mut(|kept| kept.remove(&name));
        let Ok(Some(folder)) = folder(false).await else {
            return Ok(());
        };
        match settle(folder.remove(&file)).await {
            Err(error) if said(&error).0 != "NotFoundError" => Err(told(&name, &error)),
            _ => Ok(()),
        }
    }))
}

async fn open_named(name: &str, access: Access) -> Result<Opened, StoreError> {
    let file = file_name(name)?;
    let kept = KEPT.with_borrow(|kept| kept.get(name).cloned());
    if kept.is_none() {
        match folder(access == Access::Write).await {
            Ok(None) => return Err(missing(name)),
            Ok(Some(folder)) => match open_file(&folder, &file, name, access).await {
                Ok(file) => return in_file(name, file).await,
                Err(Refusal::Real(error)) => return Err(error),
                Err(Refusal::NoStorage(why)) => tracing::warn!("{why}"),
            },
            Err(why) => tracing::warn!("{why}"),
        }
        if access == Access::Read {
            return Err(missing(name));
        }
    }
    let memory = kept.unwrap_or_default();
    KEPT.with_borrow_mut(|kept| kept.insert(name.to_owned(), memory.clone()));
    Ok(Opened {
        store: Shelf::from(Box::new(memory) as Box<dyn Store>),
        notice: Some(format!(
            "This browser keeps no files for this page (a private window, or a page without https): \
             the dataset {name} is only in memory and gone with this tab. Export it before you leave, \
             or open the page in an ordinary window."
        )),
    })
}

/// The store that a file holds.
async fn in_file(name: &str, file: AccessHandle) -> Result<Opened, StoreError> {
    let file = OpenFile::new(name, file, room().await)?;
    let (container, found) = Container::open(file, name)?;
    let notice = (!found.damaged_at.is_empty()).then(|| {
        format!(
            "The browser's file of the dataset {name} is damaged in {} places: files in it may be \
             missing. Check the dataset before you record on.",
            found.damaged_at.len()
        )
    });
    Ok(Opened {
        store: Shelf::from(Box::new(container) as Box<dyn Store>),
        notice,
    })
}

/// Why a file is not open.
enum Refusal {
    /// The dataset can't be opened.
    Real(StoreError),
    /// There are no files at all.
    NoStorage(String),
}

async fn open_file(
    folder: &DirectoryHandle,
    file: &str,
    name: &str,
    access: Access,
) -> Result<AccessHandle, Refusal> {
    let options = with("create", access == Access::Write);
    let handle = settle(folder.file(file, &options)).await;
    let handle: FileHandle = match handle {
        Ok(handle) => handle.unchecked_into(),
        Err(error) if said(&error).0 == "NotFoundError" => {
            return Err(Refusal::Real(missing(name)));
        }
        Err(error) => return Err(Refusal::Real(told(name, &error))),
    };
    if !get(&handle, "createSyncAccessHandle").is_function() {
        return Err(Refusal::NoStorage(
            "files can only be written in a Web Worker".to_owned(),
        ));
    }
    let mut attempts = ATTEMPTS;
    loop {
        match settle(handle.open()).await {
            Ok(open) => return Ok(open.unchecked_into()),
            Err(error) => {
                let held = matches!(
                    said(&error).0.as_str(),
                    "NoModificationAllowedError" | "InvalidStateError"
                );
                attempts -= 1;
                if !held || attempts == 0 {
                    return Err(Refusal::Real(told(name, &error)));
                }
            }
        }
        pause().await;
    }
}

/// The folder of all datasets; `None` where it is not there and need not be made.
///
/// # Errors
/// Why the browser keeps no files here.
async fn folder(make: bool) -> Result<Option<DirectoryHandle>, String> {
    let storage = storage().ok_or("the browser has no private storage here")?;
    let words = |error: JsValue| format!("the browser keeps no files here: {}", said(&error).1);
    let root: DirectoryHandle = settle(storage.get_directory())
        .await
        .map_err(words)?
        .unchecked_into();
    match settle(root.directory(FOLDER, &with("create", make))).await {
        Ok(folder) => Ok(Some(folder.unchecked_into())),
        Err(error) if said(&error).0 == "NotFoundError" => Ok(None),
        Err(error) => Err(words(error)),
    }
}

async fn stored(folder: &DirectoryHandle) -> Result<Vec<String>, StoreError> {
    let words = |error: JsValue| told(FOLDER, &error);
    let keys = folder.keys().map_err(words)?;
    let mut names = Vec::new();
    loop {
        let next = settle(keys.next()).await.map_err(words)?;
        if get(&next, "done").is_truthy() {
            return Ok(names);
        }
        let file = get(&next, "value").as_string().unwrap_or_default();
        if let Some(name) = file.strip_suffix(ENDING)
            && let Ok(name) = decode(name)
        {
            names.push(name);
        }
    }
}

/// How many bytes the browser lets this page keep beside what it keeps already, if it says.
async fn room() -> Option<u64> {
    let told = settle(storage()?.estimate()).await.ok()?;
    let bytes = |name| get(&told, name).as_f64().filter(|bytes| *bytes >= 0.0);
    Some((bytes("quota")? - bytes("usage")?).max(0.0) as u64)
}

async fn settle(promise: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

async fn pause() {
    let waited = Promise::new(&mut |resolve, _| {
        after(PAUSE_MILLIS, move || {
            resolve.call0(&JsValue::NULL).ok();
        });
    });
    JsFuture::from(waited).await.ok();
}

fn file_name(name: &str) -> Result<String, StoreError> {
    let sound =
        !name.trim().is_empty() && name.len() <= MAX_NAME && !name.contains(char::is_control);
    match sound {
        true => Ok(format!("{}{ENDING}", encode(name))),
        false => Err(StoreError::Path {
            path: name.chars().take(MAX_NAME).collect(),
        }),
    }
}

fn missing(name: &str) -> StoreError {
    StoreError::NotFound {
        path: name.to_owned(),
    }
}

/// What a browser's error is to a person.
fn told(path: &str, error: &JsValue) -> StoreError {
    let path = path.to_owned();
    let (name, why) = said(error);
    match name.as_str() {
        "QuotaExceededError" => StoreError::Full { path },
        "NotFoundError" => StoreError::NotFound { path },
        "NoModificationAllowedError" | "InvalidStateError" => StoreError::Denied {
            path,
            why: "another tab has it open".to_owned(),
        },
        "NotAllowedError" | "SecurityError" => StoreError::Denied { path, why },
        _ => StoreError::Io { path, why },
    }
}
