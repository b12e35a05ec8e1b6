//! What drives a browser: Node with playwright-core, and the scripts in `web/e2e`.
//!
//! Scripts learn where everything is from one JSON object in the environment (`FOREARM_E2E`,
//! `web/e2e/harness/settings.js`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::prerequisites;
use crate::stages::{output_of, root};
use crate::web::target_dir;

/// Node, a browser, and what lets the one drive the other.
#[derive(Debug)]
pub(crate) struct Driver {
    node: PathBuf,
    chromium: PathBuf,
    modules: PathBuf,
}

impl Driver {
    /// Finds everything; installs what is missing where that is allowed.
    ///
    /// # Errors
    /// Says what is missing and how to get it.
    pub(crate) fn find_or_install() -> Result<Self> {
        let chromium = prerequisites::browser()?;
        let node = prerequisites::node()?;
        Ok(Self {
            node,
            chromium,
            modules: install_modules()?,
        })
    }

    /// Which versions these are.
    ///
    /// # Errors
    /// If one can't be started.
    pub(crate) fn versions(&self) -> Result<String> {
        let node = output_of(Command::new(&self.node).arg("--version"))?;
        let chromium = output_of(Command::new(&self.chromium).arg("--version"))?;
        Ok(format!("{}, Node {}", chromium.trim(), node.trim()))
    }

    /// A script of `web/e2e`, told where things are: `more` adds to that.
    pub(crate) fn script(&self, script: &str, more: Value) -> Command {
        let mut settings = json!({
            "root": root(),
            "chromium": self.chromium,
            "modules": self.modules,
            "left": target_dir().join("e2e-failures"),
        });
        if let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) {
            settings.extend(more);
        }
        let mut command = Command::new(&self.node);
        command
            .arg("--test-reporter=spec")
            .arg(root().join("web/e2e").join(script))
            .current_dir(root())
            .env("FOREARM_E2E", settings.to_string())
            .stdin(std::process::Stdio::null());
        command
    }
}

/// Installs what `web/e2e/package.json` names into a folder beside the builds, unless it is there.
fn install_modules() -> Result<PathBuf> {
    let sources = root().join("web/e2e");
    let folder = target_dir().join("tools").join("e2e");
    let names = ["package.json", "package-lock.json"];
    let is_current = |name: &str| {
        let read = |folder: &Path| fs::read(folder.join(name)).ok();
        read(&folder).is_some_and(|there| Some(there) == read(&sources))
    };
    if names.into_iter().all(is_current) && folder.join("node_modules/playwright-core").is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    // The list comes last: an installation that was cut off is made again.
    let list = folder.join("package.json");
    if list.exists() {
        fs::remove_file(&list).with_context(|| format!("can't remove {}", list.display()))?;
    }
    let fresh = folder.join("fresh");
    fs::create_dir_all(&fresh).with_context(|| format!("can't make {}", fresh.display()))?;
    for name in names {
        fs::copy(sources.join(name), fresh.join(name))
            .with_context(|| format!("can't copy {name}"))?;
    }
    output_of(
        Command::new("npm")
            .arg("ci")
            .args(["--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&fresh),
    )
    .context("can't install playwright-core")?;
    let modules = folder.join("node_modules");
    if modules.exists() {
        fs::remove_dir_all(&modules)?;
    }
    for name in ["node_modules", "package-lock.json", "package.json"] {
        fs::rename(fresh.join(name), folder.join(name))
            .with_context(|| format!("can't move {name}"))?;
    }
    fs::remove_dir_all(&fresh).with_context(|| format!("can't remove {}", fresh.display()))?;
    Ok(folder)
}

/// A package from npm, installed beside the builds; answers its folder.
///
/// # Errors
/// If it can't be installed.
pub(crate) fn install_package(name: &str, version: &str) -> Result<PathBuf> {
    let plain = name.replace('/', "-").replace('@', "");
    let folder = target_dir()
        .join("tools")
        .join(format!("{plain}-{version}"));
    let package = folder.join("node_modules").join(name);
    if !package.is_dir() {
        fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        output_of(
            Command::new("npm")
                .arg("install")
                .arg("--prefix")
                .arg(&folder)
                .args(["--ignore-scripts", "--no-audit", "--no-fund", "--no-save"])
                .arg(format!("{name}@{version}")),
        )
        .with_context(|| format!("can't install {name}"))?;
    }
    Ok(package)
}
