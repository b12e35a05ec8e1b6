//! Fetches scene and model files from where the page, or whoever linked to it, has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use forearm_arm::import;
use forearm_protocol::ron_file::MAX_FILE_BYTES;
use forearm_protocol::scene::{ModelFiles, Scene, SceneBundle};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Response, Url};

use super::{LoadedModel, LoadedScene, MAX_MODEL_BYTES};
use crate::motions::BuiltinMotion;
use crate::web::{js, storage};

/// What a reference begins with that is the scene itself: the text of a scene file in base64,
/// with `-` and `_` for `+` and `/`, as the fragment of a link.
const INLINE: &str = "#scene=";

/// What a reference begins with that the browser's storage has, by name.
pub(crate) const SAVED: &str = "saved:";

/// What the browser's storage calls a scene that is saved under this name.
pub(crate) fn saved_key(name: &str) -> String {
    format!("forearm.scene.{name}")
}

/// Loads the scene that `reference` names: a built-in scene's key, the address of a scene file, a
/// scene in the browser's storage as `saved:…`, or the file itself as `#scene=…`; the default scene if there is none.
///
/// # Errors
/// Says which file, where in it, what was found and what was expected.
pub async fn load_scene(reference: Option<&str>) -> anyhow::Result<LoadedScene> {
    let key = reference.unwrap_or(super::default_scene());
    let page = page_address()?;
    let (scene, base) = if let Some(scene) = super::builtin(key)? {
        (scene, page)
    } else if let Some(text) = key.strip_prefix(INLINE) {
        let text = decode(text).context("the scene in the link")?;
        (Scene::from_ron("the scene in the link", &text)?, page)
    } else if let Some(name) = key.strip_prefix(SAVED) {
        let text = storage::read(&saved_key(name))
            .map_err(|error| anyhow!("the browser's storage can't be read: {}", js::said(&error)))?
            .with_context(|| format!("this browser has saved no scene called `{name}`"))?;
        (Scene::from_ron(name, &text)?, page)
    } else if super::looks_like_a_file(key) {
        let address = resolve(key, &page)?;
        let bytes = fetch(&address, MAX_FILE_BYTES as u64).await?;
        let text = super::text(&address, bytes, "a scene file (.ron)")?;
        (Scene::from_ron(&address, &text)?, address)
    } else {
        return Err(super::unknown_scene(key));
    };
    complete(scene, &base).await
}

/// Loads a scene from the text of the file called `name`; what it names must have addresses of its own,
/// or be the page's.
///
/// # Errors
/// Says where in it, what was found and what was expected.
pub(crate) async fn load_text(name: &str, text: &str) -> anyhow::Result<LoadedScene> {
    complete(Scene::from_ron(name, text)?, &page_address()?).await
}

/// The address that the references of a scene are relative to, if it is not the page's.
pub(crate) fn base_of(reference: &str) -> Option<String> {
    let own = super::builtin(reference).ok()?.is_none() && !reference.starts_with(INLINE);
    own.then(|| resolve(reference, &page_address().ok()?).ok())
        .flatten()
}

/// Fetches the models and motions that a scene names.
async fn complete(scene: Scene, base: &str) -> anyhow::Result<LoadedScene> {
    let mut models = BTreeMap::new();
    for file in super::model_files(&scene) {
        models.insert(file.to_owned(), load_model(&resolve(file, base)?).await?);
    }
    let mut motions = BTreeMap::new();
    for file in super::motion_files(&scene) {
        let text = match BuiltinMotion::find(file) {
            Some(motion) => motion.text.to_owned(),
            None => {
                let address = resolve(file, base)?;
                let bytes = fetch(&address, MAX_FILE_BYTES as u64).await?;
                super::text(&address, bytes, "a motion file (.ron)")?
            }
        };
        motions.insert(file.to_owned(), text);
    }
    super::bundle(scene, models, motions, false)
}

/// Loads the scene that a person chose from the list of those that can be opened: built-in ones
/// and `opened`, the one that the app began with.
///
/// # Errors
/// It is none of them.
pub fn reload_scene(
    reference: &str,
    opened: Option<&(String, Arc<SceneBundle>)>,
) -> anyhow::Result<LoadedScene> {
    if let Some(scene) = super::builtin(reference)? {
        return super::bundle(scene, BTreeMap::new(), BTreeMap::new(), false);
    }
    if let Some(name) = reference.strip_prefix(SAVED) {
        let text = storage::read(&saved_key(name)).ok().flatten();
        let scene = text.and_then(|text| Scene::from_ron(name, &text).ok());
        // One with files of its own has to be fetched: only if it was opened before it is here.
        if let Some(scene) = scene
            && super::model_files(&scene).next().is_none()
            && super::motion_files(&scene).next().is_none()
        {
            return super::bundle(scene, BTreeMap::new(), BTreeMap::new(), false);
        }
    }
    match opened {
        Some((id, bundle)) if id == reference => Ok(LoadedScene {
            bundle: Arc::clone(bundle),
            notes: Vec::new(),
        }),
        _ => Err(super::unknown_scene(reference)),
    }
}

/// Loads a URDF or MJCF file and the meshes that it names.
async fn load_model(address: &str) -> anyhow::Result<LoadedModel> {
    let bytes = fetch(address, MAX_MODEL_BYTES).await?;
    let text = super::text(address, bytes, "a URDF or MJCF file")?;
    let mut meshes = BTreeMap::new();
    for name in import::mesh_names(&text) {
        let bytes = fetch_mesh(address, &name)
            .await
            .with_context(|| format!("{address}: mesh `{name}`"))?;
        meshes.insert(name, bytes);
    }
    super::understand_model(address, ModelFiles { text, meshes })
}

/// Finds a mesh in one of the places where it can be.
async fn fetch_mesh(model: &str, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut tried: Vec<String> = Vec::new();
    for (up, way) in super::mesh_places(name)? {
        let address = resolve(&format!("{}{}", "../".repeat(up), way.display()), model)?;
        // Above a site's topmost folder is that folder again.
        if tried.contains(&address) {
            continue;
        }
        match try_fetch(&address, MAX_MODEL_BYTES).await? {
            Fetched::Bytes(bytes) => return Ok(bytes),
            Fetched::Refused(_) => tried.push(address),
        }
    }
    bail!(
        "is missing; looked for {} and in {} other places around the model",
        tried.first().map_or("", String::as_str),
        tried.len().saturating_sub(1)
    )
}

/// What a server said.
enum Fetched {
    Bytes(Vec<u8>),
    /// It has no such file, or does not give it: why.
    Refused(String),
}

async fn fetch(address: &str, most: u64) -> anyhow::Result<Vec<u8>> {
    match try_fetch(address, most).await? {
        Fetched::Bytes(bytes) => Ok(bytes),
        Fetched::Refused(why) => bail!("{address} can't be fetched: the server says {why}"),
    }
}

/// Fetches a file of at most `most` bytes.
async fn try_fetch(address: &str, most: u64) -> anyhow::Result<Fetched> {
    let window = web_sys::window().context("there is no window to fetch with")?;
    let response: Response = JsFuture::from(window.fetch_with_str(address))
        .await
        .map_err(|error| unreachable_file(address, &error))?
        .unchecked_into();
    if !response.ok() {
        let why = format!("{} {}", response.status(), response.status_text());
        return Ok(Fetched::Refused(why.trim_end().to_owned()));
    }
    let failed = |error: JsValue| anyhow!("{address} can't be fetched: {}", js::said(&error));
    let body = js::get(&response, "body").map_err(failed)?;
    let mut bytes = Vec::new();
    if body.is_null() {
        return Ok(Fetched::Bytes(bytes));
    }
    let reader = js::call(&body, "getReader", &[]).map_err(failed)?;
    loop {
        let read: Promise = js::call(&reader, "read", &[])
            .map_err(failed)?
            .unchecked_into();
        let chunk = JsFuture::from(read).await.map_err(failed)?;
        let field = |name: &str| js::get(&chunk, name).map_err(failed);
        if field("done")?.is_truthy() {
            return Ok(Fetched::Bytes(bytes));
        }
        let chunk: Uint8Array = field("value")?.unchecked_into();
        if bytes.len() as u64 + u64::from(chunk.length()) > most {
            // Whatever it answers: nothing more is read.
            js::call(&reader, "cancel", &[]).ok();
            bail!("{address} has more than {most} bytes");
        }
        bytes.extend(chunk.to_vec());
    }
}

/// What to say of a file that no server answered for. Browsers don't tell a page why: it may be the
/// network, or a site that does not let others read its files.
fn unreachable_file(address: &str, error: &JsValue) -> anyhow::Error {
    let said = js::said(error);
    let origin = |address: &str| Url::new(address).map(|url| url.origin()).ok();
    let foreign = page_address().ok().and_then(|page| origin(&page)) != origin(address);
    if foreign {
        anyhow!(
            "{address} can't be fetched ({said}): its site can't be reached, or does not let other \
             sites read its files; it must answer with the header `Access-Control-Allow-Origin` \
             (CORS)"
        )
    } else {
        anyhow!("{address} can't be fetched ({said}); is the network there?")
    }
}

/// The address that others are relative to.
fn page_address() -> anyhow::Result<String> {
    web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.base_uri().ok().flatten())
        .context("the page has no address")
}

/// A reference as an address.
///
/// # Errors
/// It is none.
pub(crate) fn resolve(reference: &str, base: &str) -> anyhow::Result<String> {
    let url = Url::new_with_base(reference, base)
        .map_err(|_error| anyhow!("`{reference}` is no address that can be fetched"))?;
    Ok(url.href())
}

/// The text that a link carries in base64.
fn decode(base64: &str) -> anyhow::Result<String> {
    let plain = base64
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/");
    let window = web_sys::window().context("there is no window to decode with")?;
    let latin = window
        .atob(&plain)
        .map_err(|_error| anyhow!("is cut off or changed: it is no base64"))?;
    let bytes: Vec<u8> = latin.chars().map(|letter| letter as u8).collect();
    String::from_utf8(bytes).map_err(|_error| anyhow!("is cut off or changed: it is no text"))
}
