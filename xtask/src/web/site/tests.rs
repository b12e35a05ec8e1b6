//! Sites from made-up modules: names, manifest, and what happens to the folder that was there.

use super::*;

/// A folder for one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("xtask-site-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

const APP: LinkedRoles = LinkedRoles {
    wasm: Role::AppWasm,
    glue: Role::AppGlue,
};

fn about() -> About {
    About {
        profile: "release".to_owned(),
        rust: "Rust 1.95 </script>".to_owned(),
        wasm_bindgen: "0.2.130".to_owned(),
        optimised: false,
    }
}

/// Stands in for the real thing: what it leaves has known sizes.
fn compress(files: &[PathBuf]) -> Result<()> {
    for file in files {
        fs::write(format!("{}.br", file.display()), "1")?;
        fs::write(format!("{}.gz", file.display()), "22")?;
    }
    Ok(())
}

fn sources(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write(
        "page/index.html",
        &format!("<link href=\"page.css\"><script src=\"page.js\"></script>{PLACE}"),
    );
    folder.write("page/page.js", "run()");
    folder.write("page/page.css", "p {}");
    folder.write("page/worker_entry.js", "work()");
    folder.write("linked/forearm_bg.wasm", "module");
    folder.write(
        "linked/forearm.js",
        "import './snippets/crate-1/inline0.js'",
    );
    folder.write("linked/snippets/crate-1/inline0.js", "snip()");
    folder
}

fn make(folder: &Folder) -> Result<(PathBuf, Manifest)> {
    let mut draft = Draft::new(&folder.at("site"))?;
    draft.add_linked(&folder.at("linked"), "forearm", APP)?;
    draft.add_page_parts(&folder.at("page"))?;
    draft.finish(&folder.at("page"), &about(), compress)
}

fn path_of(manifest: &Manifest, role: Role) -> String {
    let found = manifest.files.iter().find(|file| file.role == role);
    found
        .unwrap_or_else(|| panic!("no {}", role.name()))
        .path
        .clone()
}

#[test]
fn modules_are_named_after_their_bytes() {
    let folder = sources("names");
    let (_, first) = make(&folder).expect("a site");
    let hash = blake3::hash(b"module").to_hex();
    assert_eq!(
        path_of(&first, Role::AppWasm),
        format!("forearm-{}.wasm", &hash[..12])
    );
    folder.write("linked/forearm_bg.wasm", "another module");
    let (_, second) = make(&folder).expect("a site");
    assert_ne!(
        path_of(&first, Role::AppWasm),
        path_of(&second, Role::AppWasm)
    );
    assert_eq!(
        path_of(&first, Role::AppGlue),
        path_of(&second, Role::AppGlue)
    );
}

#[test]
fn glue_finds_its_snippets() {
    let folder = sources("snippets");
    let (_, manifest) = make(&folder).expect("a site");
    let snippet = path_of(&manifest, Role::Snippet);
    let glue = folder.read(&format!("site/{}", path_of(&manifest, Role::AppGlue)));
    assert_eq!(glue, format!("import './{snippet}'"));
    assert_eq!(folder.read(&format!("site/{snippet}")), "snip()");
}

#[test]
fn the_manifest_lists_every_file_with_its_sizes() {
    let folder = sources("manifest");
    let (_, manifest) = make(&folder).expect("a site");
    let read: Manifest =
        serde_json::from_str(&folder.read("site/manifest.json")).expect("a manifest");
    assert_eq!(read, manifest);
    let mut listed: Vec<_> = manifest.files.iter().map(|file| file.role.name()).collect();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            "app-glue",
            "app-wasm",
            "page",
            "page-part",
            "page-part",
            "snippet",
            "worker-entry"
        ]
    );
    for file in &manifest.files {
        let real = folder.read(&format!("site/{}", file.path));
        assert_eq!(file.bytes, real.len() as u64, "{}", file.path);
        assert_eq!((file.brotli, file.gzip), (1, 2), "{}", file.path);
    }
    let role = serde_json::to_value(Role::WorkerWasm).expect("JSON");
    assert_eq!(role, Role::WorkerWasm.name());
}

#[test]
fn the_page_has_the_manifest_and_asks_for_its_parts_by_version() {
    let folder = sources("page");
    let (_, manifest) = make(&folder).expect("a site");
    let page = folder.read("site/index.html");
    let script = manifest
        .files
        .iter()
        .find(|file| file.path == "page.js")
        .expect("the script");
    assert!(
        page.contains(&format!("src=\"page.js?v={}\"", script.hash)),
        "{page}"
    );
    assert!(page.contains("href=\"page.css?v="), "{page}");
    let (_, rest) = page
        .split_once("id=\"forearm-manifest\">")
        .expect("the manifest");
    let (json, _) = rest.split_once("</script>").expect("its end");
    let inside: Manifest = serde_json::from_str(json).expect("a manifest");
    assert_eq!(
        inside.rust, "Rust 1.95 </script>",
        "nothing ends it too early"
    );
    let without_page: Vec<_> = manifest.files[1..].to_vec();
    assert_eq!(inside.files, without_page);
}

#[test]
fn a_site_that_fails_leaves_the_old_one() {
    let folder = sources("failure");
    make(&folder).expect("a site");
    let before = folder.read("site/manifest.json");
    folder.write("page/index.html", "<p>no place for the manifest");
    let error = make(&folder).expect_err("an index without its place");
    assert!(
        format!("{error:#}").contains("forearm-manifest"),
        "{error:#}"
    );
    assert_eq!(folder.read("site/manifest.json"), before);
    let names: Vec<_> = fs::read_dir(&folder.0)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(names.is_empty(), "left behind: {names:?}");
}

#[test]
fn a_folder_that_is_no_site_is_not_replaced() {
    let folder = sources("foreign");
    folder.write("site/thesis.txt", "years of work");
    let error = make(&folder).expect_err("a folder of somebody");
    assert!(error.to_string().contains("new or empty"), "{error}");
    assert_eq!(folder.read("site/thesis.txt"), "years of work");
}

#[test]
fn a_site_with_something_else_in_it_is_not_replaced() {
    let folder = sources("foreign-in-site");
    let (site, _) = make(&folder).expect("a site");
    check_replaceable(&site).expect("nothing but the site is in it");
    fs::create_dir_all(site.join("notes")).expect("a folder");
    fs::write(site.join("notes/mine.txt"), "mine").expect("a file");
    let error = check_replaceable(&site).expect_err("mine").to_string();
    assert!(error.contains("holds `notes/mine.txt`"), "{error}");

    // A manifest of something else.
    let other = folder.at("extension");
    fs::create_dir_all(&other).expect("a folder");
    fs::write(other.join(MANIFEST), r#"{"manifest_version": 3}"#).expect("a file");
    let error = check_replaceable(&other).expect_err("other").to_string();
    assert!(error.contains("is no site made by"), "{error}");
}
