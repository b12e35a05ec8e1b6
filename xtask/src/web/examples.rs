//! Examples for pages of their own, without the app: what tests and benches of services load.

use std::path::PathBuf;

use anyhow::Result;

use super::toolchain::{TARGET, Toolchain};
use super::{Profile, build_tool, link, target_dir};
use crate::stages;

/// What is compiled: crates without drawing, together, so that they share their dependencies.
const PACKAGES: [&str; 12] = [
    "--package",
    "forearm_control",
    "--package",
    "forearm_hardware",
    "--package",
    "forearm_record",
    "--package",
    "forearm_sim",
    "--package",
    "forearm_vision",
    "--package",
    "forearm_workers",
];

/// Compiles and links examples into a folder each, `<name>/<name>.js`; answers the folder of those.
///
/// # Errors
/// If one can't be built.
pub(crate) fn build_examples(names: &[&str]) -> Result<PathBuf> {
    let target_dir = target_dir();
    let toolchain = Toolchain::find_or_install()?;
    let mut build = toolchain.cargo_build(&target_dir, Profile::Release);
    build.args(PACKAGES).arg("--no-default-features");
    for name in names {
        build.args(["--example", name]);
    }
    stages::run(&mut build)?;
    let tool = build_tool()?;
    let folder = target_dir.join("examples");
    for name in names {
        let module = target_dir
            .join(TARGET)
            .join(Profile::Release.name())
            .join("examples")
            .join(format!("{name}.wasm"));
        link(&tool, &module, &folder.join(name), name)?;
    }
    Ok(folder)
}
