//! What the lock file says of wasm-bindgen.
//!
//! The library that the app is compiled with and the linker that `cargo xtask web` uses have to be of
//! the same version, to the last digit: their format changes with each.

use anyhow::{Context as _, Result, bail};

use crate::stages::root;

/// The version that both have.
///
/// # Errors
/// If they differ, with what to change.
pub(super) fn wasm_bindgen_version() -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock =
        std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
    agreed(&lock)
}

fn agreed(lock: &str) -> Result<String> {
    let library = version_of(lock, "wasm-bindgen")?;
    let linker = version_of(lock, "wasm-bindgen-cli-support")?;
    if library != linker {
        bail!(
            "the app is compiled with wasm-bindgen {library} and would be linked with {linker}; give \
             `wasm-bindgen` and `wasm-bindgen-cli-support` the same version in Cargo.toml"
        );
    }
    Ok(library)
}

/// The version of a package in the text of a lock file.
fn version_of(lock: &str, package: &str) -> Result<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    match version {
        Some(version) => Ok(version.to_owned()),
        None => bail!("Cargo.lock has no {package}; run `cargo update --workspace`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(library: &str, linker: &str) -> String {
        format!(
            "[[package]]\nname = \"wasm-bindgen\"\nversion = \"{library}\"\nsource = \"s\"\n\n\
             [[package]]\nname = \"wasm-bindgen-cli-support\"\nversion = \"{linker}\"\n"
        )
    }

    #[test]
    fn library_and_linker_agree() {
        let version = agreed(&lock("0.2.130", "0.2.130")).expect("they agree");
        assert_eq!(version, "0.2.130");
        let error = agreed(&lock("0.2.130", "0.2.131")).expect_err("they differ");
        let text = error.to_string();
        assert!(
            text.contains("0.2.130") && text.contains("0.2.131"),
            "{text}"
        );
    }

    #[test]
    fn a_lock_file_without_them_is_no_lock_file_of_ours() {
        let error = agreed("version = 4\n").expect_err("nothing in it");
        assert!(error.to_string().contains("wasm-bindgen"), "{error}");
    }

    #[test]
    fn this_workspace_agrees() {
        wasm_bindgen_version().expect("the workspace's versions agree");
    }
}
