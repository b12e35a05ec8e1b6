//! `cargo xtask web`: the app as a folder that any static host serves, under any path.
//!
//! Compiles the app and the worker, links them with wasm-bindgen, optimises them for releases,
//! compresses every file and writes a manifest. What needs big libraries for this is a program of its
//! own, `xtask-web` (`src/web_tool`), built when it is first needed.

mod examples;
mod lock;
mod optimise;
mod server;
mod site;
mod toolchain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::stages::{self, Outcome, Stages, root};

pub(crate) use examples::build_examples;
use optimise::Optimiser;
pub(crate) use server::Server;
use site::{About, Asset, Draft, LinkedRoles, Manifest, Role};
use toolchain::{TARGET, Toolchain};

/// Options of `cargo xtask web`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Serve the folder on this machine when it is made.
    #[arg(long)]
    serve: bool,
    /// The port to serve on; 0 takes any that is free.
    #[arg(long, requires = "serve", default_value_t = 8080)]
    port: u16,
    /// Make everything as small as it can be. Takes long.
    #[arg(long)]
    release: bool,
    /// The folder to make; without it, `web/site` in the target folder.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// How the modules are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As the native app is: quickly compiled.
    Release,
    /// As small as it can be.
    Smallest,
}

impl Profile {
    /// The name of the profile in `Cargo.toml`, and of cargo's folder for it.
    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Smallest => "web-dist",
        }
    }

    /// Brotli's quality.
    fn compression(self) -> &'static str {
        match self {
            Self::Release => "5",
            Self::Smallest => "11",
        }
    }
}

/// A module that is compiled for the browser.
#[derive(Debug)]
struct Part {
    /// Of the files; also of the stage.
    name: &'static str,
    /// What cargo is told to build.
    arguments: &'static [&'static str],
    /// The file that it leaves.
    module: &'static str,
    roles: LinkedRoles,
}

const APP: Part = Part {
    name: "forearm",
    arguments: &["--package", "forearm", "--bin", "forearm"],
    module: "forearm.wasm",
    roles: LinkedRoles {
        wasm: Role::AppWasm,
        glue: Role::AppGlue,
    },
};

const WORKER: Part = Part {
    name: "worker",
    arguments: &["--package", "forearm_worker", "--lib"],
    module: "forearm_worker.wasm",
    roles: LinkedRoles {
        wasm: Role::WorkerWasm,
        glue: Role::WorkerGlue,
    },
};

/// A folder that can be served.
#[derive(Debug)]
pub(crate) struct Site {
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// What is in it.
    pub(crate) manifest: Manifest,
    /// The program that serves it.
    tool: PathBuf,
}

impl Site {
    /// Serves it on a port of this machine, any free one for 0, until the server is dropped.
    ///
    /// # Errors
    /// If the port can't be had.
    pub(crate) fn serve(&self, port: u16) -> Result<Server> {
        Server::start(&self.tool, &self.folder, port)
    }
}

/// Makes the site, and serves it if that is asked for.
///
/// # Errors
/// Names the stage that failed.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.serve {
        // Better said now than after a long build.
        server::check_port(options.port)?;
    }
    let profile = if options.release {
        Profile::Smallest
    } else {
        Profile::Release
    };
    let site = build(profile, options.out.as_deref())?;
    println!("\n{}", table(&site.manifest.files));
    println!("The site is {}", site.folder.display());
    if !options.serve {
        return Ok(());
    }
    let server = site.serve(options.port)?;
    println!("\nForearm runs at {} (Ctrl-C ends it)", server.url());
    server.wait()
}

/// Makes a site in `out`, or in the target folder.
///
/// # Errors
/// Names the stage that failed.
pub(crate) fn build(profile: Profile, out: Option<&Path>) -> Result<Site> {
    let smallest = profile == Profile::Smallest;
    let mut stages = Stages::new(if smallest { 7 } else { 6 });
    let site = steps(&mut stages, profile, out);
    stages.finish()?;
    site.context("the site was not made")
}

/// The stages; `None` after one that failed.
fn steps(stages: &mut Stages, profile: Profile, out: Option<&Path>) -> Option<Site> {
    let target_dir = target_dir();
    let (toolchain, out) = step(stages, "toolchain", || {
        let out = match out {
            Some(out) => std::path::absolute(out)?,
            None => target_dir.join("site"),
        };
        // Better said now than after a long build.
        site::check_replaceable(&out)?;
        let toolchain = Toolchain::find_or_install()?;
        let said = toolchain.to_string();
        Ok(((toolchain, out), Outcome::Passed(said)))
    })?;
    let (tool, wasm_bindgen) = step(stages, "linker", || {
        let version = lock::wasm_bindgen_version()?;
        let said = format!("wasm-bindgen {version}");
        Ok(((build_tool()?, version), Outcome::Passed(said)))
    })?;
    let mut parts = vec![APP];
    step(stages, "app", || {
        compile(&toolchain, &target_dir, profile, &APP)
    })?;
    step(stages, "worker", || {
        if !root().join("web/worker/Cargo.toml").is_file() {
            let why = "there is no web/worker; services will run on the main thread";
            return Ok(((), Outcome::Skipped(why.to_owned())));
        }
        parts.push(WORKER);
        compile(&toolchain, &target_dir, profile, &WORKER)
    })?;
    let linked = target_dir.join("linked").join(profile.name());
    step(stages, "link", || {
        for part in &parts {
            let module = target_dir
                .join(TARGET)
                .join(profile.name())
                .join(part.module);
            link(&tool, &module, &linked.join(part.name), part.name)?;
        }
        Ok(((), Outcome::Passed(String::new())))
    })?;
    let optimised = profile == Profile::Smallest
        && step(stages, "optimise", || {
            optimise(&target_dir.join("tools"), &linked, &parts)
        })?;
    let about = About {
        profile: profile.name().to_owned(),
        rust: toolchain.to_string(),
        wasm_bindgen,
        optimised,
    };
    let (folder, manifest) = step(stages, "site", || {
        let made = assemble(&out, &linked, &parts, &about, &tool, profile)?;
        Ok((made, Outcome::Passed(String::new())))
    })?;
    Some(Site {
        folder,
        manifest,
        tool,
    })
}

/// Runs a stage that leaves a value for later ones.
fn step<T>(
    stages: &mut Stages,
    name: &str,
    work: impl FnOnce() -> Result<(T, Outcome)>,
) -> Option<T> {
    let mut left = None;
    stages.stage(name, || {
        let (value, outcome) = work()?;
        left = Some(value);
        Ok(outcome)
    });
    left
}

/// Where cargo compiles for the browser: not where it compiles natively, so that neither waits for the
/// other.
pub(crate) fn target_dir() -> PathBuf {
    stages::build_folder().join("web")
}

/// Builds `xtask-web` and tells where it is.
fn build_tool() -> Result<PathBuf> {
    stages::run(stages::cargo().args([
        "build",
        "--release",
        "--locked",
        "--package",
        "xtask",
        "--features",
        "web",
        "--bin",
        "xtask-web",
    ]))?;
    // Both programs are built by the same profile into the same folder.
    let this = std::env::current_exe().context("where is this program?")?;
    let tool = this.with_file_name(format!("xtask-web{}", std::env::consts::EXE_SUFFIX));
    if !tool.is_file() {
        bail!(
            "the build did not leave `xtask-web` beside {}",
            this.display()
        );
    }
    Ok(tool)
}

fn compile(
    toolchain: &Toolchain,
    target_dir: &Path,
    profile: Profile,
    part: &Part,
) -> Result<((), Outcome)> {
    stages::run(
        toolchain
            .cargo_build(target_dir, profile)
            .args(part.arguments),
    )?;
    Ok(((), Outcome::Passed(String::new())))
}

/// Links a module into a fresh folder.
fn link(tool: &Path, module: &Path, folder: &Path, name: &str) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("can't remove {}", folder.display()))?;
    }
    stages::run(
        Command::new(tool)
            .arg("link")
            .arg(module)
            .arg("--out")
            .arg(folder)
            .args(["--name", name]),
    )
}

/// Makes the linked modules smaller; answers whether that could be done.
fn optimise(tools: &Path, linked: &Path, parts: &[Part]) -> Result<(bool, Outcome)> {
    let Some(optimiser) = Optimiser::find_or_install(tools)? else {
        let why =
            "wasm-opt needs Node and npm; the modules are left as they are, some per cent bigger";
        return Ok((false, Outcome::Skipped(why.to_owned())));
    };
    let mut notes = Vec::new();
    for part in parts {
        let module = linked
            .join(part.name)
            .join(format!("{}_bg.wasm", part.name));
        let before = fs::metadata(&module)?.len();
        optimiser.shrink(&module)?;
        let after = fs::metadata(&module)?.len();
        notes.push(format!(
            "{} {} → {}",
            part.name,
            megabytes(before),
            megabytes(after)
        ));
    }
    Ok((true, Outcome::Passed(notes.join(", "))))
}

fn assemble(
    out: &Path,
    linked: &Path,
    parts: &[Part],
    about: &About,
    tool: &Path,
    profile: Profile,
) -> Result<(PathBuf, Manifest)> {
    let page = root().join("web/page");
    let mut draft = Draft::new(out)?;
    for part in parts {
        draft.add_linked(&linked.join(part.name), part.name, part.roles)?;
    }
    draft.add_page_parts(&page)?;
    draft.finish(&page, about, |files| {
        stages::run(
            Command::new(tool)
                .args(["compress", "--quality", profile.compression()])
                .args(files),
        )
    })
}

/// The files and their sizes.
fn table(files: &[Asset]) -> String {
    let name_width = files.iter().map(|file| file.path.len()).max().unwrap_or(0);
    let row = |role: &str, path: &str, sizes: [u64; 3]| {
        let [bytes, gzip, brotli] = sizes.map(megabytes);
        format!("{role:<13}{path:<name_width$}{bytes:>12}{gzip:>12}{brotli:>12}\n")
    };
    let mut text = format!(
        "{:<13}{:<name_width$}{:>12}{:>12}{:>12}\n",
        "file", "", "raw", "gzip", "brotli"
    );
    let mut sum = [0; 3];
    for file in files {
        let sizes = [file.bytes, file.gzip, file.brotli];
        text += &row(file.role.name(), &file.path, sizes);
        for (sum, size) in sum.iter_mut().zip(sizes) {
            *sum += size;
        }
    }
    text + &row("all", "", sum)
}

/// `1234567` → `1.23 MB`, and kilobytes below a hundred of them.
fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let bytes = bytes as f64;
    if bytes < 1e5 {
        format!("{:.1} kB", bytes / 1e3)
    } else {
        format!("{:.2} MB", bytes / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(megabytes(0), "0.0 kB");
        assert_eq!(megabytes(1_234), "1.2 kB");
        assert_eq!(megabytes(1_234_567), "1.23 MB");
    }

    #[test]
    fn the_table_adds_up() {
        let file = |role: Role, bytes: u64| Asset {
            role,
            path: "some-file.js".to_owned(),
            bytes,
            brotli: bytes / 4,
            gzip: bytes / 2,
            hash: String::new(),
        };
        let text = table(&[
            file(Role::AppGlue, 2_000_000),
            file(Role::WorkerEntry, 1_000_000),
        ]);
        let last: Vec<_> = text
            .lines()
            .last()
            .expect("a line")
            .split_whitespace()
            .collect();
        assert_eq!(last, ["all", "3.00", "MB", "1.50", "MB", "0.75", "MB"]);
    }

    #[test]
    fn small_builds_say_so_of_every_package_that_releases_name() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
        let named = |profile: &str| {
            let start = format!("[profile.{profile}.package.");
            let mut names: Vec<_> = manifest
                .lines()
                .filter_map(|line| line.strip_prefix(&start))
                .map(str::to_owned)
                .collect();
            names.sort_unstable();
            names
        };
        let (release, small) = (named("release"), named("web-dist"));
        assert!(release.len() > 5, "the profile has moved: {release:?}");
        let forgotten: Vec<_> = release
            .iter()
            .filter(|name| !small.contains(name))
            .collect();
        assert!(
            forgotten.is_empty(),
            "only `release` names {forgotten:?}: they keep its level in `web-dist`"
        );
    }
}
