//! A symbolic link that keeps one name for terminals that come and go.

use super::PtyError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where systems keep pseudo-terminals: Linux, macOS and others.
const TERMINALS: [&str; 2] = ["/dev/pts/", "/dev/tty"];

/// A link to a terminal; removed when this is dropped, if it still is the same.
#[derive(Debug)]
pub(super) struct Link {
    path: PathBuf,
    target: PathBuf,
}

impl Link {
    /// Makes the link, in one step for whoever looks; replaces a link to a terminal only.
    pub(super) fn make(path: &Path, target: &Path) -> Result<Self, PtyError> {
        let failed = |source| PtyError::Link {
            path: path.to_owned(),
            source,
        };
        match path.symlink_metadata() {
            Ok(there) if !there.file_type().is_symlink() || !leads_to_a_terminal(path) => {
                return Err(PtyError::Occupied {
                    path: path.to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = path.with_file_name(name);
        match std::fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        std::os::unix::fs::symlink(target, &fresh).map_err(failed)?;
        std::fs::rename(&fresh, path).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            target: target.to_owned(),
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let still_ours = std::fs::read_link(&self.path).is_ok_and(|leads| leads == self.target);
        if still_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("can't remove the link {}: {error}", self.path.display());
        }
    }
}

fn leads_to_a_terminal(link: &Path) -> bool {
    std::fs::read_link(link).is_ok_and(|target| {
        TERMINALS
            .iter()
            .any(|start| target.to_string_lossy().starts_with(start))
    })
}
