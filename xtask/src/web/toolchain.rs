//! Which Rust compiles for the browser.
//!
//! First choice is the Rust that runs this program, with the target `wasm32-unknown-unknown`. Where
//! that target is not installed, a distribution's Rust beside it will do: with the target, or with
//! the standard library's sources, from which cargo then builds it. Where there is neither, rustup is
//! asked for the target, then (on Debian, as root) packages are installed.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::prerequisites;
use crate::stages::{output_of, root};

use super::Profile;

/// What is compiled for.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";
/// The oldest Rust that compiles the workspace: its `rust-version`.
const OLDEST: (u32, u32) = (1, 95);
/// 128-bit vectors, which every browser of the last years has. Nothing relaxed: its results may differ
/// from machine to machine.
const RUSTFLAGS: &str = "-C target-feature=+simd128 --cfg web_sys_unstable_apis";

/// A Rust that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    cargo: PathBuf,
    rustc: PathBuf,
    /// Major and minor.
    version: (u32, u32),
    /// Whether the target's standard library is there.
    has_target: bool,
    /// Whether the standard library's sources are there, and a linker for what is made of them.
    has_sources: bool,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// What runs this program.
    Active,
    /// A distribution's packages.
    Distribution,
}

/// The Rust that is used, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toolchain {
    cargo: PathBuf,
    rustc: PathBuf,
    version: (u32, u32),
    origin: Origin,
    /// Whether cargo builds the standard library too.
    builds_std: bool,
}

impl Toolchain {
    /// Finds one, or installs what is missing.
    ///
    /// # Errors
    /// Says what to install.
    pub(crate) fn find_or_install() -> Result<Self> {
        if let Some(found) = choose(&candidates()) {
            return Ok(found);
        }
        let mut reasons = Vec::new();
        if prerequisites::on_path("rustup") {
            println!("the target {TARGET} is not installed; asking rustup for it");
            match output_of(Command::new("rustup").args(["target", "add", TARGET])) {
                Ok(_) => {
                    if let Some(found) = choose(&candidates()) {
                        return Ok(found);
                    }
                    reasons.push("rustup added the target to another toolchain".to_owned());
                }
                Err(error) => reasons.push(format!("{error:#}")),
            }
        }
        match prerequisites::install_browser_rust() {
            Ok(()) => {
                if let Some(found) = choose(&candidates()) {
                    return Ok(found);
                }
                reasons.push(format!(
                    "the distribution's Rust is older than {}.{} or has no sources",
                    OLDEST.0, OLDEST.1
                ));
            }
            Err(error) => reasons.push(format!("{error:#}")),
        }
        bail!(
            "no Rust here compiles for the browser; install the target with \
             `rustup target add {TARGET}` and try again ({})",
            reasons.join("; ")
        )
    }

    /// A `cargo build` for the browser, in the repository's root, into `target_dir`.
    pub(super) fn cargo_build(&self, target_dir: &Path, profile: Profile) -> Command {
        let mut flags = RUSTFLAGS.to_owned();
        if profile == Profile::Smallest {
            // To be published: it must not say where this machine keeps its sources.
            flags.extend(remapped_sources(crates_folder().as_deref()));
        }
        let mut command = Command::new(&self.cargo);
        command
            .current_dir(root())
            .stdin(Stdio::null())
            .args(["build", "--locked", "--target", TARGET])
            .args(["--profile", profile.name()])
            .env("CARGO_TARGET_DIR", target_dir)
            .env("RUSTC", &self.rustc)
            // Either would take the place of the flags below.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env(rustflags_variable(), flags);
        if self.origin == Origin::Distribution {
            // These lead to the Rust that runs this program.
            for name in ["CARGO", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"] {
                command.env_remove(name);
            }
        }
        if self.builds_std {
            command
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["-Z", "build-std=std,panic_abort"]);
        }
        command
    }
}

/// Where cargo keeps the sources of dependencies.
fn crates_folder() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    Some(home?.join("registry/src"))
}

/// A flag after which messages name files of dependencies by crate; none for a folder that can't be
/// written into the variable of flags, where spaces divide.
fn remapped_sources(crates: Option<&Path>) -> Option<String> {
    let crates = crates?.to_str()?;
    (!crates.contains(char::is_whitespace)).then(|| format!(" --remap-path-prefix={crates}=crates"))
}

/// `CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS`
fn rustflags_variable() -> String {
    let target = TARGET.to_uppercase().replace('-', "_");
    format!("CARGO_TARGET_{target}_RUSTFLAGS")
}

impl fmt::Display for Toolchain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Rust {}.{}", self.version.0, self.version.1)?;
        match self.origin {
            Origin::Active => {}
            Origin::Distribution => write!(out, " of the distribution ({})", self.cargo.display())?,
        }
        if self.builds_std {
            write!(out, ", its standard library built from source")
        } else {
            write!(out, ", target {TARGET} installed")
        }
    }
}

/// The best of what was found.
fn choose(candidates: &[Candidate]) -> Option<Toolchain> {
    let chosen = |candidate: &Candidate, builds_std| Toolchain {
        cargo: candidate.cargo.clone(),
        rustc: candidate.rustc.clone(),
        version: candidate.version,
        origin: candidate.origin,
        builds_std,
    };
    let fits = |candidate: &&Candidate| candidate.version >= OLDEST;
    let installed = |origin: Origin| {
        candidates
            .iter()
            .filter(fits)
            .find(|candidate| candidate.origin == origin && candidate.has_target)
            .map(|candidate| chosen(candidate, false))
    };
    installed(Origin::Active)
        .or_else(|| installed(Origin::Distribution))
        .or_else(|| {
            // Rustup's own sources need the network to be built; where rustup is, its target is better.
            candidates
                .iter()
                .filter(fits)
                .find(|candidate| candidate.origin == Origin::Distribution && candidate.has_sources)
                .map(|candidate| chosen(candidate, true))
        })
}

/// What is here.
fn candidates() -> Vec<Candidate> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let rustc =
        std::env::var_os("RUSTC").map_or_else(|| cargo.with_file_name("rustc"), PathBuf::from);
    let bin = Path::new("/usr/bin");
    [
        inspect(cargo, rustc, Origin::Active),
        inspect(bin.join("cargo"), bin.join("rustc"), Origin::Distribution),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Asks a Rust what it is and has; `None` where there is none.
fn inspect(cargo: PathBuf, rustc: PathBuf, origin: Origin) -> Option<Candidate> {
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&rustc);
        command.args(arguments);
        if origin == Origin::Distribution {
            command.env_remove("LD_LIBRARY_PATH");
        }
        output_of(&mut command).ok()
    };
    output_of(Command::new(&cargo).arg("--version")).ok()?;
    let version = version(&ask(&["--version"])?)?;
    let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
    if origin == Origin::Distribution && !sysroot.starts_with("/usr") {
        // Some distributions put rustup's own launchers there.
        return None;
    }
    let libraries = ask(&["--print", "target-libdir", "--target", TARGET])
        .map(|line| PathBuf::from(line.trim()));
    let rustlib = sysroot.join("lib/rustlib");
    let sources = rustlib.join("src/rust/library");
    // Sources are of no use without a linker, which distributions pack apart.
    let has_linker = prerequisites::on_path("rust-lld") || has_linker(&rustlib);
    Some(Candidate {
        has_target: libraries.is_some_and(|folder| has_std(&folder)),
        has_sources: has_linker
            && sources.join("Cargo.lock").is_file()
            && sources.join("std").is_dir(),
        cargo,
        rustc,
        version,
        origin,
    })
}

/// Whether a folder of libraries holds the standard one.
fn has_std(folder: &Path) -> bool {
    let is_std = |name: OsString| {
        let name = name.to_string_lossy().into_owned();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    };
    std::fs::read_dir(folder)
        .is_ok_and(|entries| entries.flatten().any(|entry| is_std(entry.file_name())))
}

/// Whether a folder of targets has the linker in one of them.
fn has_linker(rustlib: &Path) -> bool {
    std::fs::read_dir(rustlib).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.path().join("bin/rust-lld").is_file())
    })
}

/// `rustc 1.96.0 (ac68faa20 2026-05-25)` → `(1, 96)`
fn version(line: &str) -> Option<(u32, u32)> {
    let mut numbers = line.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(origin: Origin) -> Candidate {
        Candidate {
            cargo: "cargo".into(),
            rustc: "rustc".into(),
            version: (1, 96),
            has_target: false,
            has_sources: false,
            origin,
        }
    }

    fn choice(active: Candidate, distribution: Candidate) -> Option<(Origin, bool)> {
        let chosen = choose(&[active, distribution])?;
        Some((chosen.origin, chosen.builds_std))
    }

    #[test]
    fn the_installed_target_comes_first_then_a_distribution() {
        let active = || candidate(Origin::Active);
        let distribution = || candidate(Origin::Distribution);
        let with_target = |candidate: Candidate| Candidate {
            has_target: true,
            ..candidate
        };
        let with_sources = |candidate: Candidate| Candidate {
            has_sources: true,
            ..candidate
        };
        assert_eq!(
            choice(with_target(active()), with_target(distribution())),
            Some((Origin::Active, false))
        );
        assert_eq!(
            choice(with_sources(active()), with_target(distribution())),
            Some((Origin::Distribution, false))
        );
        assert_eq!(
            choice(with_sources(active()), with_sources(distribution())),
            Some((Origin::Distribution, true))
        );
        assert_eq!(choice(with_sources(active()), distribution()), None);
        let old = Candidate {
            version: (1, 85),
            ..with_sources(with_target(distribution()))
        };
        assert_eq!(choice(active(), old), None, "1.85 can't compile this");
    }

    #[test]
    fn a_version_is_read_or_refused() {
        for (line, expected) in [
            ("rustc 1.96.0 (ac68faa20 2026-05-25)", Some((1, 96))),
            ("rustc 1.97.0-nightly (0 2026-06-01)", Some((1, 97))),
            ("rustc", None),
            ("error: no such toolchain", None),
        ] {
            assert_eq!(version(line), expected, "{line}");
        }
    }

    #[test]
    fn the_oldest_rust_is_the_workspaces() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
        let line = format!("rust-version = \"{}.{}\"", OLDEST.0, OLDEST.1);
        assert!(manifest.contains(&line), "Cargo.toml has no {line}");
    }

    #[test]
    fn published_modules_hide_where_sources_lie() {
        assert_eq!(
            remapped_sources(Some(Path::new("/somewhere/registry/src"))).as_deref(),
            Some(" --remap-path-prefix=/somewhere/registry/src=crates")
        );
        assert_eq!(remapped_sources(Some(Path::new("/some where"))), None);
        assert_eq!(remapped_sources(None), None);
    }

    #[test]
    fn flags_go_to_the_target_only() {
        assert_eq!(
            rustflags_variable(),
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS"
        );
    }
}
