//! The folder that is served: the page, the linked modules under names with a hash, what is compressed
//! beside each, and a manifest of it all.
//!
//! Names with a hash never change their bytes, so a host may let browsers keep them for ever. All URLs
//! are relative. A folder is made aside and takes its place when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// The manifest's name in a site; a folder that has it may be replaced by a new site.
const MANIFEST: &str = "manifest.json";
/// What stands in `index.html` where the manifest belongs.
const PLACE: &str = r#"<script type="application/json" id="forearm-manifest">null</script>"#;

/// What a site is made of. `manifest.json` is this; the page has the same list, without itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// Version of the app.
    pub(crate) version: String,
    /// The cargo profile that compiled it.
    pub(crate) profile: String,
    /// The Rust that compiled it.
    pub(crate) rust: String,
    /// The wasm-bindgen that linked it.
    pub(crate) wasm_bindgen: String,
    /// Whether wasm-opt went over it.
    pub(crate) optimised: bool,
    /// Every file but the manifest and what is compressed beside each.
    pub(crate) files: Vec<Asset>,
}

/// A file of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asset {
    /// What it is for.
    pub(crate) role: Role,
    /// Relative to the page, with `/`.
    pub(crate) path: String,
    /// Size, bytes.
    pub(crate) bytes: u64,
    /// Size with brotli, bytes.
    pub(crate) brotli: u64,
    /// Size with gzip, bytes.
    pub(crate) gzip: u64,
    /// Start of the BLAKE3 of its bytes, hexadecimal.
    pub(crate) hash: String,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// The page itself.
    Page,
    /// Another file of the page.
    PagePart,
    /// What a worker runs first.
    WorkerEntry,
    /// The app's JavaScript.
    AppGlue,
    /// The app.
    AppWasm,
    /// The worker's JavaScript.
    WorkerGlue,
    /// The worker.
    WorkerWasm,
    /// JavaScript that a crate brings along.
    Snippet,
}

impl Role {
    /// As in the manifest.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::PagePart => "page-part",
            Self::WorkerEntry => "worker-entry",
            Self::AppGlue => "app-glue",
            Self::AppWasm => "app-wasm",
            Self::WorkerGlue => "worker-glue",
            Self::WorkerWasm => "worker-wasm",
            Self::Snippet => "snippet",
        }
    }
}

/// A site that is being made, beside the folder that it will replace.
#[derive(Debug)]
pub(super) struct Draft {
    folder: PathBuf,
    target: PathBuf,
    files: Vec<Asset>,
}

impl Draft {
    /// Starts a site that will be `target`.
    ///
    /// # Errors
    /// If `target` is something else than a site, or can't be written.
    pub(super) fn new(target: &Path) -> Result<Self> {
        check_replaceable(target)?;
        let name = target
            .file_name()
            .with_context(|| format!("{} is no name for a folder", target.display()))?;
        let folder = target.with_file_name(format!(
            ".{}.{}.new",
            name.to_string_lossy(),
            std::process::id()
        ));
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("can't remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        Ok(Self {
            folder,
            target: target.to_path_buf(),
            files: Vec::new(),
        })
    }

    /// Adds what wasm-bindgen left in `linked` under the name `name`.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub(super) fn add_linked(
        &mut self,
        linked: &Path,
        name: &str,
        roles: LinkedRoles,
    ) -> Result<()> {
        let wasm = read(&linked.join(format!("{name}_bg.wasm")))?;
        self.add_hashed(roles.wasm, name, "wasm", &wasm)?;
        let glue = read(&linked.join(format!("{name}.js")))?;
        let mut glue = String::from_utf8(glue).context("the glue is no text")?;
        let snippets = linked.join("snippets");
        if snippets.is_dir() {
            let mut files = Vec::new();
            collect(&snippets, "", &mut files)?;
            let mut together = blake3::Hasher::new();
            for (path, bytes) in &files {
                together.update(path.as_bytes());
                together.update(bytes);
            }
            let folder = format!("snippets-{}", short(&together.finalize()));
            for (path, bytes) in &files {
                self.add(Role::Snippet, &format!("{folder}/{path}"), bytes)?;
            }
            glue = glue.replace("./snippets/", &format!("./{folder}/"));
        }
        self.add_hashed(roles.glue, name, "js", glue.as_bytes())
    }

    /// Adds every file of the page but `index.html`.
    ///
    /// # Errors
    /// If one can't be read or written.
    pub(super) fn add_page_parts(&mut self, page: &Path) -> Result<()> {
        let mut files = Vec::new();
        collect(page, "", &mut files)?;
        for (path, bytes) in files.iter().filter(|(path, _)| path != "index.html") {
            let role = match path.as_str() {
                "worker_entry.js" => Role::WorkerEntry,
                _ => Role::PagePart,
            };
            self.add(role, path, bytes)?;
        }
        Ok(())
    }

    /// Adds `index.html` and the manifest, and puts the site in its place. `compress` is called with
    /// files and leaves a `.br` and a `.gz` beside each.
    ///
    /// # Errors
    /// If a file can't be read, compressed or written.
    pub(super) fn finish(
        mut self,
        page: &Path,
        about: &About,
        compress: impl Fn(&[PathBuf]) -> Result<()>,
    ) -> Result<(PathBuf, Manifest)> {
        let paths: Vec<_> = self.files.iter().map(|file| self.place(file)).collect();
        compress(&paths)?;
        for index in 0..self.files.len() {
            self.weigh(index)?;
        }
        let index = page.join("index.html");
        let text = String::from_utf8(read(&index)?).context("index.html is no text")?;
        let text = filled(&text, &about.manifest(&self.files))
            .with_context(|| format!("can't use {}", index.display()))?;
        self.files.retain(|file| file.role != Role::Page);
        self.add(Role::Page, "index.html", text.as_bytes())?;
        let last = self.files.len() - 1;
        compress(&[self.place(&self.files[last])])?;
        self.weigh(last)?;
        self.files.rotate_right(1);

        let manifest = about.manifest(&self.files);
        let path = self.folder.join(MANIFEST);
        write(&path, &serde_json::to_vec_pretty(&manifest)?)?;
        compress(&[path])?;
        replace(&self.folder, &self.target)?;
        Ok((self.target.clone(), manifest))
    }

    fn add_hashed(&mut self, role: Role, name: &str, extension: &str, bytes: &[u8]) -> Result<()> {
        let hash = short(&blake3::hash(bytes));
        self.add(role, &format!("{name}-{hash}.{extension}"), bytes)
    }

    fn add(&mut self, role: Role, path: &str, bytes: &[u8]) -> Result<()> {
        let asset = Asset {
            role,
            path: path.to_owned(),
            bytes: bytes.len() as u64,
            brotli: 0,
            gzip: 0,
            hash: short(&blake3::hash(bytes)),
        };
        let place = self.place(&asset);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("can't make {}", parent.display()))?;
        }
        write(&place, bytes)?;
        self.files.push(asset);
        Ok(())
    }

    fn place(&self, file: &Asset) -> PathBuf {
        self.folder.join(&file.path)
    }

    fn weigh(&mut self, index: usize) -> Result<()> {
        let place = self.place(&self.files[index]);
        let size = |extension: &str| {
            let mut name = place.as_os_str().to_owned();
            name.push(extension);
            let path = PathBuf::from(name);
            let about = fs::metadata(&path)
                .with_context(|| format!("nothing was compressed to {}", path.display()))?;
            anyhow::Ok(about.len())
        };
        let (brotli, gzip) = (size(".br")?, size(".gz")?);
        let file = &mut self.files[index];
        (file.brotli, file.gzip) = (brotli, gzip);
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What is left of a site that was not finished.
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).ok();
        }
    }
}

/// The roles of the two files that linking leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkedRoles {
    pub(super) wasm: Role,
    pub(super) glue: Role,
}

/// What the manifest says of the build.
#[derive(Debug)]
pub(super) struct About {
    pub(super) profile: String,
    pub(super) rust: String,
    pub(super) wasm_bindgen: String,
    pub(super) optimised: bool,
}

impl About {
    fn manifest(&self, files: &[Asset]) -> Manifest {
        Manifest {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profile: self.profile.clone(),
            rust: self.rust.clone(),
            wasm_bindgen: self.wasm_bindgen.clone(),
            optimised: self.optimised,
            files: files.to_vec(),
        }
    }
}

/// The first digits of a hash: enough that two builds never share a name.
fn short(hash: &blake3::Hash) -> String {
    hash.to_hex().chars().take(12).collect()
}

/// `index.html` with the manifest in it, and with its parts asked for by version.
fn filled(text: &str, manifest: &Manifest) -> Result<String> {
    if text.matches(PLACE).count() != 1 {
        bail!("it has not exactly one {PLACE}");
    }
    // In JSON a `<` only stands inside strings; nothing in it may end the element.
    let json = serde_json::to_string(manifest)?.replace('<', "\\u003c");
    let mut text = text.replace(PLACE, &PLACE.replace("null", &json));
    for part in manifest
        .files
        .iter()
        .filter(|file| file.role == Role::PagePart)
    {
        for attribute in ["src", "href"] {
            text = text.replace(
                &format!("{attribute}=\"{}\"", part.path),
                &format!("{attribute}=\"{}?v={}\"", part.path, part.hash),
            );
        }
    }
    Ok(text)
}

/// Refuses to replace a folder that holds anything but a site.
///
/// # Errors
/// If `target` is a file, or a folder with something else in it.
pub(super) fn check_replaceable(target: &Path) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let refuse = |what: &str| {
        bail!(
            "{} {what} and would be replaced; choose a folder that is new or empty",
            target.display()
        )
    };
    let mut entries =
        fs::read_dir(target).with_context(|| format!("{} is no folder", target.display()))?;
    if entries.next().is_none() {
        return Ok(());
    }
    let manifest = fs::read(target.join(MANIFEST)).ok();
    let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    let Some(manifest) = manifest else {
        return refuse("is no site made by `cargo xtask web`");
    };
    let ours = |name: &str| {
        let endings = [".br", ".gz"];
        let plain = endings.iter().find_map(|ending| name.strip_suffix(ending));
        let plain = plain.unwrap_or(name);
        plain == MANIFEST || manifest.files.iter().any(|file| file.path == plain)
    };
    match foreign(target, "", &ours)? {
        Some(name) => refuse(&format!(
            "holds `{name}`, which is no part of the site there,"
        )),
        None => Ok(()),
    }
}

/// The path of a file in `folder` that is not `ours`, if there is one.
fn foreign(folder: &Path, prefix: &str, ours: &dyn Fn(&str) -> bool) -> Result<Option<String>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("can't read {}", folder.display()))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let found = if entry.path().is_dir() {
            foreign(&entry.path(), &format!("{name}/"), ours)?
        } else {
            (!ours(&name)).then_some(name)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Puts `new` where `target` is. When that fails, the old folder is back in its place.
fn replace(new: &Path, target: &Path) -> Result<()> {
    let old = new.with_extension("old");
    let replaced = target.exists();
    if replaced {
        fs::rename(target, &old)
            .with_context(|| format!("can't move {} away", target.display()))?;
    }
    if let Err(error) = fs::rename(new, target) {
        if replaced {
            fs::rename(&old, target)
                .with_context(|| format!("the old site is left in {}", old.display()))?;
        }
        return Err(error).with_context(|| format!("can't put {} in place", target.display()));
    }
    if replaced {
        fs::remove_dir_all(&old).with_context(|| format!("can't remove {}", old.display()))?;
    }
    Ok(())
}

/// All files below a folder with their paths in it, in order of their names.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("can't read {}", folder.display()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            files.push((format!("{prefix}{name}"), read(&path)?));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("can't read {}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("can't write {}", path.display()))
}

#[cfg(test)]
mod tests;
