//! Datasets in folders; and in memory, by name.

mod appended;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use forearm_dataset::store::{Append, Entry, Memory, Store, StoreError, check_path};
use forearm_protocol::record::Place;

use self::appended::{Appended, Syncer};
use super::{Access, Opened, Shelf};

/// The folder of what is Forearm's own and of no use to others.
const OWN: &str = ".forearm";
/// Whoever writes holds it locked.
const LOCK: &str = ".forearm/lock";
/// Where files are written before they take their place.
const HALF_WRITTEN: &str = ".forearm/half";

/// Datasets in memory that outlive who records them, by name.
static KEPT: Mutex<BTreeMap<String, Memory>> = Mutex::new(BTreeMap::new());

/// From now on [`Place::Storage`] of this name is `memory`, for whoever opens it: for tests, and for
/// programs that want a dataset without a disk. Otherwise such a place is gone with its service.
pub fn keep_in_memory(name: &str, memory: Memory) {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.insert(name.to_owned(), memory);
}

/// A place that is being opened.
pub struct Opening(Option<Result<Opened, StoreError>>);

impl Opening {
    /// The place, once it is open, or why it can't be; `None` before, and after it was taken.
    pub fn poll(&mut self) -> Option<Result<Opened, StoreError>> {
        self.0.take()
    }
}

/// Opens a place.
#[must_use]
pub fn open(place: &Place, access: Access) -> Opening {
    let store = match place {
        Place::Folder(folder) => Directory::open(Path::new(folder), access).map(Shelf::from),
        Place::Storage(name) => {
            let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            let memory = kept.get(name).cloned().unwrap_or_default();
            Ok(Shelf::from(Box::new(memory) as Box<dyn Store>))
        }
    };
    let notice = None;
    Opening(Some(store.map(|store| Opened { store, notice })))
}

/// Names of the datasets in the browser's storage: natively none.
pub struct Listing(Option<Result<Vec<String>, StoreError>>);

impl Listing {
    /// The names, once they are known.
    pub fn poll(&mut self) -> Option<Result<Vec<String>, StoreError>> {
        self.0.take()
    }
}

/// Asks which datasets there are in the browser's storage.
#[must_use]
pub fn list_stored() -> Listing {
    Listing(Some(Ok(Vec::new())))
}

/// A dataset in the browser's storage that is being deleted: natively there is none.
pub struct Deleting(Option<StoreError>);

impl Deleting {
    /// Whether it is gone, once that is known.
    pub fn poll(&mut self) -> Option<Result<(), StoreError>> {
        self.0.take().map(Err)
    }
}

/// Deletes a dataset in the browser's storage.
#[must_use]
pub fn delete_stored(name: &str) -> Deleting {
    let path = name.to_owned();
    Deleting(Some(StoreError::NotFound { path }))
}

/// A folder as a store. Clones hold the same folder, and its lock, together.
///
/// A file is written beside its place, synced, and renamed: whole or not at all. Whoever opens a folder
/// to write holds a lock that the system takes back when the process ends, however it ends.
#[derive(Debug, Clone)]
pub struct Directory {
    root: Arc<PathBuf>,
    /// Held to write; nothing may be changed without it.
    held: Option<Arc<Held>>,
}

#[derive(Debug)]
struct Held {
    root: PathBuf,
    /// Open and locked; closing it lets go.
    lock: File,
    /// Numbers files that are being written.
    next: AtomicU64,
    /// Syncs files that are written on.
    syncer: Arc<Syncer>,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Whoever finds it locked but gone looks again. What can't be removed does no harm.
        fs::remove_dir_all(self.root.join(HALF_WRITTEN)).ok();
        fs::remove_file(self.root.join(LOCK)).ok();
        fs::remove_dir(self.root.join(OWN)).ok();
        self.lock.unlock().ok();
    }
}

impl Directory {
    /// Opens a folder. To write, it is made if it is not there, and locked.
    ///
    /// # Errors
    /// [`StoreError::Denied`] names the process that has it open to write; else what the system says.
    pub fn open(root: &Path, access: Access) -> Result<Self, StoreError> {
        let told = |error: io::Error| told(&root.display().to_string(), &error);
        let root = std::path::absolute(root).map_err(told)?;
        let held = match access {
            Access::Read => {
                if !fs::metadata(&root).map_err(told)?.is_dir() {
                    return Err(told(io::ErrorKind::NotADirectory.into()));
                }
                None
            }
            Access::Write => {
                fs::create_dir_all(root.join(OWN)).map_err(told)?;
                let lock = hold(&root)?;
                Some(Arc::new(Held {
                    root: root.clone(),
                    lock,
                    next: AtomicU64::new(0),
                    syncer: Arc::default(),
                }))
            }
        };
        Ok(Self {
            root: Arc::new(root),
            held,
        })
    }

    fn at(&self, path: &str) -> Result<PathBuf, StoreError> {
        check_path(path)?;
        Ok(self.root.join(path))
    }

    fn to_change(&self, path: &str) -> Result<(PathBuf, &Held), StoreError> {
        let file = self.at(path)?;
        let held = self.held.as_deref().ok_or_else(|| StoreError::Denied {
            path: path.to_owned(),
            why: "the dataset was opened to look at, because another program writes it".to_owned(),
        })?;
        Ok((file, held))
    }
}

/// Locks a folder, or says who has it.
fn hold(root: &Path) -> Result<File, StoreError> {
    let path = root.join(LOCK);
    let shown = root.display().to_string();
    let told = |error: io::Error| told(&shown, &error);
    loop {
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(told)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let known = (&mut lock).take(200).read_to_string(&mut holder).is_ok();
                let holder = match holder.trim() {
                    "" => "another program",
                    name if known => name,
                    _ => "another program",
                };
                return Err(StoreError::Denied {
                    path: shown,
                    why: format!("{holder} has it open to record"),
                });
            }
            Err(TryLockError::Error(error)) => return Err(told(error)),
        }
        // One who ended just now may have removed the file that was locked here.
        if is_same(&lock, &path) {
            lock.set_len(0).map_err(told)?;
            let text = format!("process {} of Forearm\n", std::process::id());
            lock.write_all(text.as_bytes()).map_err(told)?;
            return Ok(lock);
        }
    }
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(there)) => (file.dev(), file.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// An open file can't be removed here.
#[cfg(not(unix))]
fn is_same(_file: &File, _path: &Path) -> bool {
    true
}

impl Store for Directory {
    fn read(&self, path: &str) -> Result<Vec<u8>, StoreError> {
        fs::read(self.at(path)?).map_err(|error| told(path, &error))
    }

    fn read_at(&self, path: &str, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let told = |error: io::Error| told(path, &error);
        let mut file = File::open(self.at(path)?).map_err(told)?;
        file.seek(SeekFrom::Start(offset)).map_err(told)?;
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(told(error)),
            }
        }
        Ok(filled)
    }

    fn size(&self, path: &str) -> Result<Option<u64>, StoreError> {
        match fs::metadata(self.at(path)?) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(told(path, &error)),
        }
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let (file, held) = self.to_change(path)?;
        let number = held.next.fetch_add(1, Ordering::Relaxed);
        let half = self.root.join(HALF_WRITTEN).join(number.to_string());
        let written = (|| {
            make_folder_of(&half)?;
            make_folder_of(&file)?;
            let mut half_written = File::create(&half)?;
            half_written.write_all(bytes)?;
            half_written.sync_all()?;
            fs::rename(&half, &file)?;
            sync_folder_of(&file)
        })();
        written.map_err(|error| {
            // It may not even be there.
            fs::remove_file(&half).ok();
            told(path, &error)
        })
    }

    fn append(&mut self, path: &str) -> Result<Box<dyn Append>, StoreError> {
        let (file, held) = self.to_change(path)?;
        let syncer = Arc::clone(&held.syncer);
        let opened = (|| {
            make_folder_of(&file)?;
            let opened = OpenOptions::new().append(true).create(true).open(&file)?;
            let len = opened.metadata()?.len();
            Ok((opened, len))
        })();
        let (file, len) = opened.map_err(|error| told(path, &error))?;
        Ok(Box::new(Appended::new(path, file, len, syncer)))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StoreError> {
        let (old, _) = self.to_change(from)?;
        let new = self.at(to)?;
        make_folder_of(&new)
            .and_then(|()| fs::rename(&old, &new))
            .map_err(|error| told(from, &error))?;
        remove_empty_folders(&self.root, &old);
        Ok(())
    }

    fn remove(&mut self, path: &str) -> Result<(), StoreError> {
        let (file, _) = self.to_change(path)?;
        let removed = match fs::symlink_metadata(&file) {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&file),
            Ok(_) => fs::remove_file(&file),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(told(path, &error)),
            _ => {
                remove_empty_folders(&self.root, &file);
                Ok(())
            }
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, StoreError> {
        let start = match folder {
            "" => self.root.to_path_buf(),
            folder => self.at(folder)?,
        };
        let mut entries = Vec::new();
        let mut folders = vec![(start, folder.to_owned())];
        while let Some((folder, name)) = folders.pop() {
            let told = |error: io::Error| told(&name, &error);
            let inside = match fs::read_dir(&folder) {
                Ok(inside) => inside,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(told(error)),
            };
            for entry in inside {
                let entry = entry.map_err(told)?;
                // What has no name in a store is not the dataset's.
                let Ok(part) = entry.file_name().into_string() else {
                    continue;
                };
                let path = match name.as_str() {
                    "" => part,
                    name => format!("{name}/{part}"),
                };
                if check_path(&path).is_err() || path == LOCK || path == HALF_WRITTEN {
                    continue;
                }
                let kind = entry.file_type().map_err(told)?;
                if kind.is_dir() {
                    folders.push((entry.path(), path));
                } else if let Ok(metadata) = fs::metadata(entry.path())
                    && metadata.is_file()
                {
                    let bytes = metadata.len();
                    entries.push(Entry { path, bytes });
                }
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn free_bytes(&self) -> Option<u64> {
        free_bytes(&self.root)
    }
}

/// Makes sure that a file's name is on the disk, where systems keep names apart from files.
#[cfg(unix)]
fn sync_folder_of(file: &Path) -> io::Result<()> {
    file.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder_of(_file: &Path) -> io::Result<()> {
    Ok(())
}

fn make_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Folders exist by the files in them.
fn remove_empty_folders(root: &Path, file: &Path) {
    let folders = file.ancestors().skip(1);
    for folder in folders.take_while(|folder| *folder != root) {
        // One that is not empty stays, and all around it.
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// What a system's error is to a person.
pub(crate) fn told(path: &str, error: &io::Error) -> StoreError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NotFound { path },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path },
        io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path },
        io::ErrorKind::PermissionDenied => StoreError::Denied {
            path,
            why: error.to_string(),
        },
        _ => StoreError::Io {
            path,
            why: error.to_string(),
        },
    }
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    use std::ffi::CString;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
    let mut answer = MaybeUninit::<libc::statvfs>::zeroed();
    #[expect(
        unsafe_code,
        reason = "the standard library does not say how much is free"
    )]
    // SAFETY: `path` ends with a zero, and `answer` has room for what the call writes; all its fields
    // are numbers, for which zero is a value.
    let answer = unsafe {
        if libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) != 0 {
            return None;
        }
        answer.assume_init()
    };
    // These types differ between systems.
    (answer.f_bavail as u64).checked_mul(answer.f_frsize as u64)
}

#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> Option<u64> {
    None
}
