//! Archives as the browser keeps them: a `Blob` is cut into the files that are in it, without copying
//! them, or saved as a file.

use forearm_dataset::zip::index;
use forearm_record::export::Blob;
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::super::js;

/// The files in an archive: `[{ path, blob }, …]`.
///
/// # Errors
/// It is no archive.
pub(super) async fn files(archive: &Blob) -> Result<JsValue, JsValue> {
    let size = archive.size();
    let tail = read(archive, (size - index::TAIL as f64).max(0.0), size).await?;
    let directory = index::directory(&tail).map_err(|error| problem(&error.to_string()))?;
    let start = directory.offset as f64;
    let listed = read(archive, start, start + directory.bytes as f64).await?;
    let files = index::files(&listed).map_err(|error| problem(&error.to_string()))?;
    let cut = Array::new();
    for file in files {
        let at = file.header as f64;
        let header = read(archive, at, at + index::HEADER as f64).await?;
        let content = index::content(&header)
            .ok_or_else(|| problem(&format!("{} is not in the archive", file.path)))?;
        let start = at + content as f64;
        let blob = archive.slice(start, start + file.bytes as f64, kind(&file.path));
        let entry = Object::new();
        Reflect::set(&entry, &"path".into(), &file.path.into())?;
        Reflect::set(&entry, &"blob".into(), &blob)?;
        cut.push(&entry);
    }
    Ok(cut.into())
}

/// Has the browser save a blob as a file of this name.
///
/// # Errors
/// The page has no way to do so.
pub(crate) fn download(blob: &Blob, name: &str) -> Result<(), JsValue> {
    let global = js_sys::global();
    let urls = js::get(&global, "URL")?;
    let address = js::call(&urls, "createObjectURL", &[blob.into()])?;
    let document = js::get(&global, "document")?;
    let link = js::call(&document, "createElement", &["a".into()])?;
    Reflect::set(&link, &"href".into(), &address)?;
    Reflect::set(&link, &"download".into(), &name.into())?;
    js::call(&link, "click", &[])?;
    // The browser needs the address until it has begun to read.
    let revoke = js::get(&urls, "revokeObjectURL")?;
    let revoke = js::call(&revoke, "bind", &[urls, address])?;
    js::call(&global, "setTimeout", &[revoke, 60_000.into()]).map(drop)
}

async fn read(blob: &Blob, start: f64, end: f64) -> Result<Vec<u8>, JsValue> {
    let bytes = JsFuture::from(blob.slice(start, end, "").bytes()).await?;
    Ok(Uint8Array::new(bytes.unchecked_ref::<ArrayBuffer>()).to_vec())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("mp4") => "video/mp4",
        Some("json") => "application/json",
        Some("parquet") => "application/vnd.apache.parquet",
        Some("md") => "text/markdown",
        _ => "application/octet-stream",
    }
}

fn problem(text: &str) -> JsValue {
    js_sys::Error::new(text).unchecked_into()
}
