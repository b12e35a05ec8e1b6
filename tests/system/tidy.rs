//! Rules for the sources that no compiler checks: module docs, size, dependency direction, the
//! code map, and what must not be written down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::app::root;

/// Where a crate stands. It may only depend on the layers that [`Layer::may_use`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// No IO, no clock, no Bevy.
    Plain,
    /// Works in its own thread of time; no rendering.
    Service,
    /// Draws.
    Drawing,
    /// Puts everything together.
    App,
    /// Stands beside it all.
    Tool,
}

impl Layer {
    /// The layer of a workspace member. A new crate is given its place here.
    fn of(member: &str) -> Option<Self> {
        Some(match member {
            "forearm_arm" | "forearm_protocol" | "forearm_dataset" => Self::Plain,
            "forearm_workers" | "forearm_hardware" | "forearm_sim" | "forearm_control"
            | "forearm_vision" | "forearm_record" | "forearm_worker" => Self::Service,
            "forearm_view" | "forearm_panel" => Self::Drawing,
            "forearm" | "forearm_python" => Self::App,
            "xtask" => Self::Tool,
            _ => return None,
        })
    }

    fn may_use(self, other: Self) -> bool {
        match self {
            Self::Plain => other == Self::Plain,
            Self::Service => matches!(other, Self::Plain | Self::Service),
            Self::Drawing => matches!(other, Self::Plain | Self::Drawing),
            Self::App => matches!(other, Self::Plain | Self::Service | Self::Drawing),
            Self::Tool => false,
        }
    }
}

/// Extensions of text files that are read for what must not be written down.
const TEXT: [&str; 13] = [
    "rs", "toml", "md", "ron", "py", "sh", "yml", "json", "urdf", "js", "mjs", "html", "css",
];

/// Files of these extensions below the repository's own folders, and beside them.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                // Not sources: build results, and what tools keep for themselves.
                if name != "target" && (!name.starts_with('.') || name == ".ci") {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|is| extensions.iter().any(|any| is == *any))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "nothing found in {}", root().display());
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}:\n  {}", problems.join("\n  "));
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes text")
}

/// The workspace's crates as cargo describes them, by name.
fn members() -> BTreeMap<String, Value> {
    let text = cargo(&[
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
        "--offline",
    ]);
    let metadata: Value = serde_json::from_str(&text).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            (
                package["name"].as_str().expect("a name").to_owned(),
                package.clone(),
            )
        })
        .collect()
}

/// What a crate declares to depend on, without what only its tests use.
fn declared(package: &Value) -> impl Iterator<Item = &Value> {
    let all = package["dependencies"]
        .as_array()
        .expect("a list of dependencies");
    all.iter().filter(|dependency| dependency["kind"] != "dev")
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent: Vec<_> = files(&["rs"])
        .iter()
        .filter(|path| !read(path).starts_with("//! "))
        .map(|path| shown(path))
        .collect();
    assert_none(
        &silent,
        "a source file starts with `//!` and says what it holds",
    );
}

#[test]
fn source_files_are_short() {
    let mut lengths: Vec<_> = files(&["rs"])
        .iter()
        .map(|path| (read(path).lines().count(), shown(path)))
        .collect();
    lengths.sort();
    let long: Vec<_> = lengths
        .iter()
        .filter(|(lines, _)| *lines > 800)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert_none(
        &long,
        "a source file has at most 800 lines: split it by concept",
    );
    let median = lengths[lengths.len() / 2].0;
    assert!(
        median <= 200,
        "half of the source files have over {median} lines; 200 is the mark"
    );
}

#[test]
fn dependencies_point_one_way() {
    let members = members();
    let mut wrong = Vec::new();
    for (name, package) in &members {
        let Some(layer) = Layer::of(name) else {
            wrong.push(format!("{name} has no layer: give it one in {}", file!()));
            continue;
        };
        for dependency in declared(package) {
            let other = dependency["name"].as_str().expect("a name");
            if members.contains_key(other)
                && Layer::of(other).is_some_and(|other| !layer.may_use(other))
            {
                wrong.push(format!("{name} ({layer:?}) must not depend on {other}"));
            }
        }
    }
    assert_none(&wrong, "plain ← services, plain ← drawing, all ← the app");
}

#[test]
fn services_run_without_bevy() {
    let (members, locked) = (members(), locked_dependencies());
    let mut wrong = Vec::new();
    for (name, package) in &members {
        if !matches!(Layer::of(name), Some(Layer::Plain | Layer::Service)) {
            continue;
        }
        let always = declared(package).filter(|dependency| dependency["optional"] != true);
        for dependency in always {
            let other = dependency["name"].as_str().expect("a name");
            if members.contains_key(other) {
                // Features of this workspace's crates are what could bring Bevy back.
                let features = dependency["features"]
                    .as_array()
                    .expect("a list of features");
                if dependency["uses_default_features"] == true && has_bevy(&members[other]) {
                    wrong.push(format!("{name} takes {other} with its default features"));
                }
                if features.iter().any(|feature| feature == "bevy") {
                    wrong.push(format!("{name} takes {other} with its feature `bevy`"));
                }
            } else {
                let tree = reachable(&locked, other);
                if let Some(bevy) = tree.iter().find(|name| name.starts_with("bevy")) {
                    wrong.push(format!("{name} needs {other}, which needs {bevy}"));
                }
            }
        }
    }
    assert_none(
        &wrong,
        "plain crates and services have no Bevy without their feature `bevy`",
    );
}

#[test]
fn the_module_of_web_workers_draws_nothing() {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--package",
        "forearm_worker",
        "--target",
        "wasm32-unknown-unknown",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    let names: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        names.contains("forearm_control") && names.contains("forearm_sim"),
        "the services are in it: {names:?}"
    );
    let drawing = [
        "bevy",
        "wgpu",
        "naga",
        "winit",
        "egui",
        "epaint",
        "accesskit",
    ];
    let found: Vec<_> = names
        .iter()
        .filter(|name| drawing.iter().any(|drawing| name.starts_with(drawing)))
        .map(|name| (*name).to_owned())
        .collect();
    assert_none(&found, "the worker's module has no rendering crate");
}

fn has_bevy(package: &Value) -> bool {
    package["features"].get("bevy").is_some()
}

/// Names of the packages that each package in `Cargo.lock` needs.
fn locked_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let mut locked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = read(&root().join("Cargo.lock"));
    for package in text.split("[[package]]").skip(1) {
        let mut strings = package.split('"').skip(1).step_by(2);
        let name = strings.next().expect("a package has a name").to_owned();
        let needs = package
            .split_once("dependencies = [")
            .map_or("", |(_, list)| list);
        // An entry is `name`, or `name version` where there are several versions.
        let needs = needs
            .split('"')
            .skip(1)
            .step_by(2)
            .filter_map(|need| need.split(' ').next());
        locked
            .entry(name)
            .or_default()
            .extend(needs.map(str::to_owned));
    }
    locked
}

/// All that `name` needs, directly or not, with itself.
fn reachable(locked: &BTreeMap<String, BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([name.to_owned()]);
    let mut open = vec![name.to_owned()];
    while let Some(next) = open.pop() {
        let needs = locked
            .get(&next)
            .unwrap_or_else(|| panic!("{next} is not in Cargo.lock"));
        for need in needs {
            if found.insert(need.clone()) {
                open.push(need.clone());
            }
        }
    }
    found
}

#[test]
fn tests_and_the_app_share_their_dependencies() {
    // Cargo compiles a crate once for each set of features. What only tests depend on may turn on
    // features deep down, and then all of Bevy is compiled a second time.
    let features_of = |arguments: &[&str]| {
        let fixed = [
            "tree", "--locked", "--prefix", "none", "--format", "{p}|{f}",
        ];
        let text = cargo(&[&fixed[..], arguments].concat());
        let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in text.lines() {
            let line = line.trim_end_matches(" (*)");
            let (package, set) = line.split_once('|').unwrap_or((line, ""));
            features
                .entry(package.to_owned())
                .or_default()
                .insert(set.to_owned());
        }
        features
    };
    let app = features_of(&["--package", "forearm", "--edges", "normal,build"]);
    let all = features_of(&["--workspace", "--edges", "normal,build,dev"]);
    let twice: Vec<_> = app
        .iter()
        .filter(|(package, features)| {
            !package.starts_with("forearm") && all.get(*package) != Some(features)
        })
        .map(|(package, features)| {
            format!("{package}: {features:?}, in tests {:?}", all.get(package))
        })
        .collect();
    assert_none(
        &twice,
        "tests need no other features of what the app depends on",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn building_on_linux_needs_no_system_library() {
    let tree = cargo(&["tree", "--locked", "--workspace", "--prefix", "none"]);
    let wanting = [
        "alsa-sys",
        "libudev-sys",
        "openssl-sys",
        "clang-sys",
        "libdbus-sys",
    ];
    let found: Vec<_> = tree
        .lines()
        .filter(|line| {
            wanting
                .iter()
                .any(|name| line.split(' ').next() == Some(name))
        })
        .map(str::to_owned)
        .collect();
    assert_none(
        &found,
        "these crates want a development package of the system",
    );
}

#[test]
fn the_code_map_is_true() {
    let path = root().join("ARCHITECTURE.md");
    let text = read(&path);
    let lines = text.lines().count();
    assert!(
        lines <= 150,
        "ARCHITECTURE.md has {lines} lines; at most 150 are read"
    );
    // A row of the map: | `plugins/arm` | `forearm_arm` | what is in it |
    let mapped: BTreeSet<_> = text
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let folder = cells.next()?.trim().trim_end_matches('`').to_owned();
            let name = cells.next()?.trim().trim_matches('`').to_owned();
            Some((folder, name))
        })
        .collect();
    let real: BTreeSet<_> = members()
        .into_iter()
        .map(|(name, package)| {
            let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
            let folder = manifest.parent().expect("a folder");
            let folder = if folder == root() {
                ".".to_owned()
            } else {
                shown(folder)
            };
            (folder, name)
        })
        .collect();
    assert_eq!(
        mapped, real,
        "ARCHITECTURE.md's code map (left) is not the workspace (right)"
    );
}

#[test]
fn every_field_of_a_scene_is_documented() {
    let schema = read(&root().join("plugins/protocol/src/scene/mod.rs"));
    let schema = schema
        .split("pub struct SceneBundle")
        .next()
        .unwrap_or_default();
    let documentation = read(&root().join("scenes/README.md"));
    let fields: BTreeSet<_> = schema
        .lines()
        .filter(|line| line.starts_with("    ") && line.ends_with(','))
        .filter_map(|line| line.trim().trim_start_matches("pub ").split_once(": "))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    assert!(fields.len() > 25, "the schema has moved: only {fields:?}");
    let missing: Vec<_> = fields
        .into_iter()
        .filter(|name| {
            let written = [format!("`{name}`"), format!("{name}: ")];
            !written
                .iter()
                .any(|written| documentation.contains(written))
        })
        .map(str::to_owned)
        .collect();
    assert_none(&missing, "scenes/README.md says nothing of these fields");
}

#[test]
fn what_a_newcomer_looks_for_is_there() {
    let expected = [
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
        "scenes/README.md",
    ];
    let missing: Vec<_> = expected
        .iter()
        .filter(|name| !root().join(name).is_file())
        .map(|name| (*name).to_owned())
        .collect();
    assert_none(&missing, "these files belong to the project");
}

#[test]
fn nothing_is_written_down_that_must_not_be() {
    // Put together here, so that this file does not hold them.
    let homes = ["home", "root", "Users"].map(|folder| format!("/{folder}/"));
    let places: Vec<_> = homes
        .into_iter()
        .chain([root().display().to_string()])
        .collect();
    let in_sources = [
        (
            concat!("#[", "allow("),
            "use `#[expect(lint, reason = \"…\")]`",
        ),
        (
            concat!("#![", "allow("),
            "use `#![expect(lint, reason = \"…\")]`",
        ),
        (
            concat!("TO", "DO"),
            "finish it, or say in words why it stays",
        ),
        (
            concat!("FIX", "ME"),
            "finish it, or say in words why it stays",
        ),
        (concat!("unimpl", "emented!"), "finish it"),
    ];
    let mut problems = Vec::new();
    for path in files(&TEXT) {
        let source = path.extension().is_some_and(|extension| extension == "rs");
        for (index, line) in read(&path).lines().enumerate() {
            let place = format!("{}:{}", shown(&path), index + 1);
            for machine in &places {
                // A path in the repository goes on from a name, one of a machine starts here.
                let starts = |(at, _): (usize, &str)| {
                    !line[..at].ends_with(|before: char| {
                        before.is_alphanumeric() || "._-~}*)".contains(before)
                    })
                };
                if line.match_indices(machine.as_str()).any(starts) {
                    problems.push(format!("{place}: a machine's path ({machine})"));
                }
            }
            for (text, instead) in in_sources {
                if source && line.contains(text) {
                    problems.push(format!("{place}: `{text}`: {instead}"));
                }
            }
        }
    }
    assert_none(&problems, "must not be written down");
}
