//! What is needed from the system: installed where that is allowed, named where not.
//!
//! Building the app needs none of this. Tests of the window need something on Linux: a virtual X
//! display, the X libraries that a window loads at run time, and a Vulkan driver that draws in
//! software. Building for the browser may need a Rust that can do so; tests in the browser need one,
//! and Node to drive it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::display::software_driver;
use crate::stages::{output_of, run};

/// What is looked for, and the Debian package that has it.
const LIBRARIES: [(&str, &str); 8] = [
    ("libvulkan.so.1", "libvulkan1"),
    ("libX11.so.6", "libx11-6"),
    ("libX11-xcb.so.1", "libx11-xcb1"),
    ("libXcursor.so.1", "libxcursor1"),
    ("libXi.so.6", "libxi6"),
    ("libXrandr.so.2", "libxrandr2"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
];

/// Debian's newer Rust, kept for its browsers, with the sources of the standard library.
const BROWSER_RUST: [&str; 4] = ["cargo-web", "rustc-web", "rust-web-llvm", "rust-web-src"];

/// Names of the browser that tests drive.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Something that is missing.
#[derive(Debug)]
struct Missing {
    what: &'static str,
    package: &'static str,
}

/// Installs what is missing where it may (as root on Debian and its kin).
///
/// # Errors
/// Says what is missing and how to get it.
pub(crate) fn install_missing() -> Result<()> {
    let missing = missing()?;
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|missing| missing.what).collect();
    let mut packages: Vec<_> = missing.iter().map(|missing| missing.package).collect();
    packages.dedup();
    let names = names.join(", ");
    install(&names, &packages)?;
    let left = self::missing()?;
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|missing| missing.what).collect();
        bail!("still missing after installing: {}", names.join(", "));
    }
    Ok(())
}

/// Installs the distribution's Rust that can compile for the browser, with its sources.
///
/// # Errors
/// Says how to get it where it can't be installed from here.
pub(crate) fn install_browser_rust() -> Result<()> {
    install("a Rust that compiles for the browser", &BROWSER_RUST)?;
    // Its linker is a link into LLVM's, whose package is named after the version.
    let linker = Path::new("/usr/bin/rust-lld");
    match std::fs::read_link(linker) {
        Ok(llvm) if !linker.exists() => {
            let package = linker_package(&llvm)
                .with_context(|| format!("no package is known to have {}", llvm.display()))?;
            install("its linker", &[&package])
        }
        _ => Ok(()),
    }
}

/// The browser that tests drive: what the environment's `CHROMIUM` names, or the system's; installed
/// where that is allowed.
///
/// # Errors
/// Says how to get one where it can't be installed from here.
pub(crate) fn browser() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        if !named.is_file() {
            bail!(
                "CHROMIUM names {}, which is no program; name Chromium's, or unset it",
                named.display()
            );
        }
        return Ok(named);
    }
    let found = || BROWSERS.into_iter().find_map(program);
    if let Some(found) = found() {
        return Ok(found);
    }
    install("Chromium", &["chromium"])?;
    found().context("the package chromium brought no browser")
}

/// Node and npm, which run the tests in the browser; installed where that is allowed.
///
/// # Errors
/// Says how to get them where they can't be installed from here.
pub(crate) fn node() -> Result<PathBuf> {
    let missing: Vec<_> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(name, _)| !on_path(name))
        .collect();
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
        let packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
        install(&names.join(" and "), &packages)?;
    }
    program("node").context("the package nodejs brought no `node`")
}

/// A Python with pip; installed where that is allowed.
///
/// # Errors
/// Says how to get it where it can't be installed from here.
pub(crate) fn python() -> Result<PathBuf> {
    let found = || {
        let python = program("python3").or_else(|| program("python"))?;
        output_of(Command::new(&python).args(["-m", "pip", "--version"])).ok()?;
        Some(python)
    };
    if let Some(found) = found() {
        return Ok(found);
    }
    install("Python with pip", &["python3", "python3-pip"])?;
    found().context("the packages python3 and python3-pip brought no Python with pip")
}

/// The package of a versioned linker: `lld-22`, or `../lib/llvm-22/bin/lld`.
fn linker_package(path: &Path) -> Option<String> {
    path.iter().find_map(|part| {
        let part = part.to_string_lossy();
        let version = part
            .strip_prefix("lld-")
            .or_else(|| part.strip_prefix("llvm-"))?;
        Some(format!("lld-{version}"))
    })
}

/// Installs packages where that is allowed: on Debian and its kin, as root.
fn install(names: &str, packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if !Path::new("/etc/debian_version").exists() {
        bail!("missing: {names}; install it with this system's packages (on Debian: {by_hand})");
    }
    if output_of(Command::new("id").arg("-u"))?.trim() != "0" {
        bail!("missing: {names}; install it: sudo {by_hand}");
    }
    println!("missing: {names}; installing {}", packages.join(" "));
    run(apt_get().args(["-qq", "update"]))?;
    run(apt_get()
        .args(["-qq", "install", "--yes", "--no-install-recommends"])
        .args(packages))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(std::process::Stdio::null());
    command
}

fn missing() -> Result<Vec<Missing>> {
    let known = known_libraries()?;
    let mut missing: Vec<_> = LIBRARIES
        .into_iter()
        .filter(|(library, _)| !known.split_whitespace().any(|word| word == *library))
        .map(|(what, package)| Missing { what, package })
        .collect();
    if software_driver().is_none() {
        missing.push(Missing {
            what: "a Vulkan driver that draws in software",
            package: "mesa-vulkan-drivers",
        });
    }
    if !on_path("Xvfb") {
        missing.push(Missing {
            what: "Xvfb",
            package: "xvfb",
        });
    }
    Ok(missing)
}

/// The libraries that the dynamic linker knows, as it prints them.
fn known_libraries() -> Result<String> {
    // Outside root's shells it is often not on the PATH.
    let ldconfig = ["/sbin/ldconfig", "/usr/sbin/ldconfig"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .unwrap_or("ldconfig");
    output_of(Command::new(ldconfig).arg("-p")).context("can't list the system's libraries")
}

/// Whether a program can be started by its name.
pub(crate) fn on_path(name: &str) -> bool {
    program(name).is_some()
}

/// Where a program lies that can be started by its name.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::linker_package;

    #[test]
    fn the_linker_is_of_the_compilers_llvm() {
        for path in ["lld-22", "../lib/llvm-22/bin/lld"] {
            assert_eq!(
                linker_package(Path::new(path)).as_deref(),
                Some("lld-22"),
                "{path}"
            );
        }
        assert_eq!(linker_package(Path::new("/opt/lld")), None);
    }
}
