//! Recording, natively: datasets are folders, and the record service writes exports itself.

use forearm_protocol::Buffer;

/// Whether datasets are kept in the browser's storage.
pub(super) const IN_BROWSER: bool = false;

/// Where a dataset called so is offered to be kept: in the person's home.
pub(super) fn default_place(name: &str) -> String {
    let home = directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let place = home.unwrap_or_default().join("forearm").join(name);
    place.display().to_string()
}

/// The token for a dataset hub that the environment has, under the name that LeRobot reads it from.
pub(super) fn token() -> Option<String> {
    std::env::var("HF_TOKEN")
        .ok()
        .filter(|token| !token.is_empty())
}

/// Takes an export that comes in parts: natively none does.
#[derive(Debug, Default)]
pub(super) struct Download;

impl Download {
    /// Takes the next part.
    pub(super) fn push(&mut self, _part: &Buffer) {}

    /// Hands the whole to the person; `name` is what the file is called.
    ///
    /// # Errors
    /// None.
    pub(super) fn finish(self, _name: &str) -> Result<(), String> {
        Ok(())
    }
}
