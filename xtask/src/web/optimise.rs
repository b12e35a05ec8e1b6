//! wasm-opt, for releases: from the npm package `binaryen`, where Node and npm are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::prerequisites::on_path;
use crate::stages::{output_of, run};

/// The version of the npm package. Older ones, such as Debian's 108, break wasm-bindgen's tables.
const BINARYEN: &str = "132.0.0";

/// What the browsers that Forearm runs in can do, and the compiler uses. Named one by one: "all" would
/// make modules that browsers refuse.
const FEATURES: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// An optimiser that is ready.
#[derive(Debug)]
pub(super) struct Optimiser {
    script: PathBuf,
}

impl Optimiser {
    /// Takes the one in `folder`, installing it there first if need be; `None` without Node and npm.
    ///
    /// # Errors
    /// If npm can't install it.
    pub(super) fn find_or_install(folder: &Path) -> Result<Option<Self>> {
        let folder = folder.join(format!("binaryen-{BINARYEN}"));
        let script = folder.join("node_modules/binaryen/bin/wasm-opt");
        if !on_path("node") {
            return Ok(None);
        }
        if !script.is_file() {
            if !on_path("npm") {
                return Ok(None);
            }
            fs::create_dir_all(&folder)
                .with_context(|| format!("can't make {}", folder.display()))?;
            output_of(
                Command::new("npm")
                    .arg("install")
                    .arg("--prefix")
                    .arg(&folder)
                    .args(["--ignore-scripts", "--no-audit", "--no-fund", "--no-save"])
                    .arg(format!("binaryen@{BINARYEN}")),
            )
            .context("can't install wasm-opt")?;
        }
        if !script.is_file() {
            bail!(
                "the npm package binaryen {BINARYEN} has no {}",
                script.display()
            );
        }
        Ok(Some(Self { script }))
    }

    /// Makes a module smaller, in place.
    ///
    /// # Errors
    /// If wasm-opt can't be run or refuses the module.
    pub(super) fn shrink(&self, module: &Path) -> Result<()> {
        let smaller = module.with_extension("smaller");
        run(Command::new("node")
            .arg(&self.script)
            .arg("-Os")
            .args(FEATURES)
            .arg(module)
            .arg("--output")
            .arg(&smaller))?;
        fs::rename(&smaller, module).with_context(|| format!("can't replace {}", module.display()))
    }
}
