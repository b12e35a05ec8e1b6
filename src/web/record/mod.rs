//! `globalThis.forearm.record`: recordings for scripts, as lerobot.js has them.
//!
//! - `record({ name, cameras: [{ name, source, width, height }], taskDescription, fps, episodes,
//!   episodeSecs, resetSecs, videoQuality, resume, onStateUpdate, onDataUpdate })`: opens a dataset in the
//!   browser's storage and its cameras; a promise of a process. A `source` is `sim:<name>`, `device`,
//!   `device:<deviceId>` or `pattern`. All may also stand in `options`.
//!
//! The process:
//! - `start()`: begins the next episode; `nextEpisode()` ends it and keeps it, or ends the reset time;
//!   `rerecord()` throws it away and begins it again; `pause(on)`, `setTask(text)`; promises;
//! - `stop()`: ends the recording; a promise of the dataset, a
//!   [`DatasetSummary`], when everything is written. `result` is the same promise, also when the
//!   recording ends by itself;
//! - `getState()`: `{ isActive, frameCount, episodeCount, duration, lastUpdate, … }` (milliseconds), with
//!   all of [`RecordState`]; `onStateUpdate` gets it as often as it changes;
//! - `exportForLeRobot(format, options)`: a promise. `"zip-download"` (unless told otherwise) has the
//!   browser save an archive, `options.name` names it; with `options.writable`, a stream (of
//!   `showSaveFilePicker`, for instance), it is written there piece by piece. `"zip"` gives a `Blob`,
//!   `"blobs"` an array of `{ path, blob }`. `"huggingface"` uploads: `{ repoId, token, private,
//!   endpoint }`. `options.onProgress(fraction)` hears how far it is;
//! - `recover(keep)`: what becomes of an episode that a closed tab left behind (`getState().recoverable`);
//! - `cancel()`: gives an export or upload up; `close()`: closes dataset and cameras.
//!
//! Beside it: `cameras()`, a promise of the cameras there are; `datasets()`, of the names of those in the
//! storage; `recorder(name, arguments)` asks the record service itself, as `request` does control.
//!
//! One recording is open at a time: it is the app's own, and its panels show it.

mod blob;
mod export;
mod options;

use std::cell::RefCell;
use std::time::Duration;

use bevy::prelude::*;
use forearm_protocol::record::{
    Command, DatasetSummary, Event as RecordEvent, Phase, Place, RecordState, Reply, Request,
    UploadConfig,
};
use forearm_record::{RecordService, Recorder};
use forearm_workers::{Line, Service as _};
use js_sys::{Function, JSON, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

pub(crate) use self::blob::download;
use self::export::Export;
pub(crate) use self::export::tell as tell_recorder;
use super::api::{message, problem, to_js};
use super::js;

const NO_SERVICE: &str = "the record service is not there yet";
/// How long packing and uploading may take.
const LONG: Duration = Duration::from_hours(24);

/// Serves `globalThis.forearm.record` and what stands beside it.
#[derive(Debug)]
pub(crate) struct RecordApiPlugin;

impl Plugin for RecordApiPlugin {
    fn build(&self, app: &mut App) {
        let line = app.world().get_resource::<Recorder>().map(Recorder::line);
        DESK.with_borrow_mut(|desk| desk.line = line);
        app.add_systems(First, hear);
        if let Err(error) = publish() {
            warn!("scripts can't record: {}", js::said(&error));
        }
    }
}

/// The way to the record service, and what it told last.
#[derive(Default)]
struct Desk {
    line: Option<Line<RecordService>>,
    state: Option<Box<RecordState>>,
    dataset: Option<Box<DatasetSummary>>,
    /// Milliseconds since 1970 of the state.
    told_at: f64,
    process: Option<Process>,
    export: Option<Export>,
}

/// A recording that a script began.
struct Process {
    on_state: Option<Function>,
    on_data: Option<Function>,
    /// Settles `result`, once.
    end: Option<Function>,
    /// Whether an episode was begun: a recording that was only opened has not ended.
    begun: bool,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Takes what the service told, and tells scripts.
fn hear(mut events: MessageReader<RecordEvent>) {
    for event in events.read() {
        match event {
            RecordEvent::State(state) => hear_state(state),
            RecordEvent::Dataset(dataset) => {
                let call = DESK.with_borrow_mut(|desk| {
                    desk.dataset = Some(dataset.clone());
                    desk.process.as_ref()?.on_data.clone()
                });
                tell(call.as_ref(), to_js(dataset));
            }
            RecordEvent::Chunk(bytes) => export::take(bytes),
            RecordEvent::Progress { fraction, .. } => {
                let call = DESK.with_borrow(|desk| desk.export.as_ref()?.on_progress.clone());
                tell(call.as_ref(), Ok((*fraction).into()));
            }
            _ => {}
        }
    }
}

fn hear_state(state: &RecordState) {
    let (call, end) = DESK.with_borrow_mut(|desk| {
        desk.state = Some(Box::new(state.clone()));
        desk.told_at = js_sys::Date::now();
        let Some(process) = desk.process.as_mut() else {
            return (None, None);
        };
        process.begun |= !matches!(state.phase, Phase::Closed | Phase::Ready);
        let ended = process.begun && matches!(state.phase, Phase::Finished | Phase::Closed);
        let end = ended.then(|| process.end.take()).flatten();
        (process.on_state.clone(), end)
    });
    tell(call.as_ref(), get_state());
    if end.is_some() {
        let dataset = DESK.with_borrow(|desk| to_js(&desk.dataset));
        tell(end.as_ref(), dataset);
    }
}

/// Calls a script. What it throws is its own.
fn tell(call: Option<&Function>, with: Result<JsValue, JsValue>) {
    let (Some(call), Ok(with)) = (call, with) else {
        return;
    };
    if let Err(error) = call.call1(&JsValue::NULL, &with) {
        warn!(
            "a script that follows a recording failed: {}",
            js::said(&error)
        );
    }
}

/// Adds to `globalThis.forearm`.
fn publish() -> Result<(), JsValue> {
    let api = js::get(&js_sys::global(), "forearm")?;
    let api: &Object = api.unchecked_ref();
    method1(api, "record", record)?;
    method0(api, "cameras", || ask(Request::ListCameras))?;
    method0(api, "datasets", || ask(Request::ListStored))?;
    let recorder =
        Closure::<dyn Fn(JsValue, JsValue) -> Promise>::new(|name: JsValue, arguments: JsValue| {
            match message("request", &name, &arguments) {
                Ok(request) => ask(request),
                Err(error) => Promise::reject(&error),
            }
        });
    set(api, "recorder", recorder.into_js_value())
}

fn set(object: &Object, name: &str, value: JsValue) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), &value).map(drop)
}

fn method0(
    object: &Object,
    name: &str,
    work: impl Fn() -> Promise + 'static,
) -> Result<(), JsValue> {
    set(
        object,
        name,
        Closure::<dyn Fn() -> Promise>::new(work).into_js_value(),
    )
}

fn method1(
    object: &Object,
    name: &str,
    work: impl Fn(JsValue) -> Promise + 'static,
) -> Result<(), JsValue> {
    let work = Closure::<dyn Fn(JsValue) -> Promise>::new(work);
    set(object, name, work.into_js_value())
}

/// A promise of the service's answer.
fn ask(request: Request) -> Promise {
    let patience = match request {
        Request::Export { .. } | Request::Upload(_) => LONG,
        _ => RecordService::REQUEST_TIMEOUT,
    };
    let asked = DESK.with_borrow(|desk| match &desk.line {
        Some(line) => Ok(line.request_within(request, patience)),
        None => Err(problem(NO_SERVICE)),
    });
    future_to_promise(async {
        match asked?.await {
            Ok(reply) => reply_to_js(reply),
            Err(error) => Err(problem(&error.to_string())),
        }
    })
}

/// A reply is told by what it holds, a plain "done" as undefined.
fn reply_to_js(reply: Reply) -> Result<JsValue, JsValue> {
    match reply {
        Reply::Done => Ok(JsValue::UNDEFINED),
        Reply::Cameras(cameras) => to_js(&cameras),
        Reply::Dataset(dataset) => to_js(&dataset),
        Reply::Names(names) => to_js(&names),
        Reply::Episode(series) => to_js(&series),
        Reply::Frame(frame) => {
            let told = to_js(&frame)?;
            let rgba = Uint8Array::new(&frame.rgba.into_js());
            Reflect::set(&told, &"rgba".into(), &rgba)?;
            Ok(told)
        }
        Reply::Exported { files, bytes, to } => {
            #[derive(Serialize)]
            struct Exported {
                files: u32,
                bytes: u64,
                to: String,
            }
            to_js(&Exported { files, bytes, to })
        }
    }
}

/// Opens a recording; a promise of its process.
fn record(wanted: JsValue) -> Promise {
    future_to_promise(async move {
        let text = match wanted.is_undefined() {
            true => "{}".to_owned(),
            false => String::from(JSON::stringify(&wanted)?),
        };
        let now = String::from(js_sys::Date::new_0().to_iso_string());
        let config = options::read(&text, &now).map_err(|why| problem(&why))?;
        let Place::Storage(name) = config.place.clone() else {
            return Err(problem("a browser keeps datasets by name"));
        };
        keep_storage();
        JsFuture::from(ask(Request::Open(Box::new(config)))).await?;
        process(&wanted, &name)
    })
}

/// Asks the browser not to clear this page's storage when it runs short of room. It answers by itself,
/// or asks its person; recording goes on either way.
fn keep_storage() {
    let asked = js::get(&js_sys::global(), "navigator")
        .and_then(|navigator| js::get(&navigator, "storage"))
        .and_then(|storage| js::call(&storage, "persist", &[]));
    if let Ok(promise) = asked
        && let Ok(promise) = promise.dyn_into::<Promise>()
    {
        wasm_bindgen_futures::spawn_local(async {
            // Not granted is no failure.
            JsFuture::from(promise).await.ok();
        });
    }
}

/// The process of a recording that is open.
fn process(wanted: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    let call = |name: &str| {
        let inner = js::get(wanted, "options").unwrap_or_default();
        let places = [wanted, &inner];
        let mut found = places
            .into_iter()
            .filter_map(|place| js::get(place, name).ok()?.dyn_into::<Function>().ok());
        found.next()
    };
    let mut end = None;
    let result = Promise::new(&mut |resolve, _| end = Some(resolve));
    let made = Process {
        on_state: call("onStateUpdate"),
        on_data: call("onDataUpdate"),
        end,
        begun: false,
    };
    DESK.with_borrow_mut(|desk| desk.process = Some(made));
    let object = Object::new();
    set(&object, "name", name.into())?;
    set(&object, "result", result.into())?;
    method0(&object, "start", || ask(Request::Start))?;
    method0(&object, "nextEpisode", || ask(Request::NextEpisode))?;
    method0(&object, "rerecord", || ask(Request::Rerecord))?;
    let cancel = Closure::<dyn Fn()>::new(|| export::tell(Command::Cancel));
    set(&object, "cancel", cancel.into_js_value())?;
    method0(&object, "close", || ask(Request::Close))?;
    method1(&object, "pause", |on| ask(Request::Pause(on.is_truthy())))?;
    method1(&object, "recover", |keep| {
        ask(Request::Recover(keep.is_truthy()))
    })?;
    method1(&object, "setTask", |task| {
        ask(Request::SetTask(task.as_string().unwrap_or_default()))
    })?;
    method0(&object, "stop", || future_to_promise(stop()))?;
    let state = Closure::<dyn Fn() -> Result<JsValue, JsValue>>::new(get_state);
    set(&object, "getState", state.into_js_value())?;
    let name = name.to_owned();
    let export = Closure::<dyn Fn(JsValue, JsValue) -> Promise>::new(
        move |format: JsValue, options: JsValue| {
            let format = format
                .as_string()
                .unwrap_or_else(|| "zip-download".to_owned());
            future_to_promise(export_for_lerobot(name.clone(), format, options))
        },
    );
    set(&object, "exportForLeRobot", export.into_js_value())?;
    Ok(object.into())
}

/// Ends the recording; the dataset.
async fn stop() -> Result<JsValue, JsValue> {
    JsFuture::from(ask(Request::Finish)).await?;
    // What it has is told in an event before the answer, and read with the next frame.
    export::frame().await?;
    let end = DESK.with_borrow_mut(|desk| desk.process.as_mut()?.end.take());
    let dataset = DESK.with_borrow(|desk| to_js(&desk.dataset))?;
    tell(end.as_ref(), Ok(dataset.clone()));
    Ok(dataset)
}

/// The state, as lerobot.js tells it, with all of ours.
fn get_state() -> Result<JsValue, JsValue> {
    DESK.with_borrow(|desk| {
        let Some(state) = &desk.state else {
            return Ok(JsValue::NULL);
        };
        let told: Object = to_js(state)?.unchecked_into();
        let active = matches!(state.phase, Phase::Recording | Phase::Paused);
        set(&told, "isActive", active.into())?;
        set(&told, "frameCount", state.frames.into())?;
        set(&told, "episodeCount", state.made.into())?;
        set(&told, "duration", (state.phase_secs * 1e3).into())?;
        set(&told, "lastUpdate", desk.told_at.into())?;
        Ok(told.into())
    })
}

async fn export_for_lerobot(
    name: String,
    format: String,
    options: JsValue,
) -> Result<JsValue, JsValue> {
    match format.as_str() {
        "blobs" | "zip" | "zip-download" => {}
        "huggingface" => return upload(&options).await,
        "s3" => {
            return Err(problem(
                "there is no upload to S3 storage: take the format `zip`, and upload that",
            ));
        }
        other => {
            return Err(problem(&format!(
                "no such format `{other}`; expected blobs, zip, zip-download or huggingface"
            )));
        }
    }
    let archive = export::archive(&options).await?;
    match (format.as_str(), archive) {
        (_, None) => Ok(JsValue::UNDEFINED),
        ("blobs", Some(archive)) => blob::files(&archive).await,
        ("zip", Some(archive)) => Ok(archive.into()),
        (_, Some(archive)) => {
            let asked = js::get(&options, "name")
                .ok()
                .and_then(|name| name.as_string());
            blob::download(&archive, &asked.unwrap_or_else(|| format!("{name}.zip")))?;
            Ok(JsValue::UNDEFINED)
        }
    }
}

/// Uploads to a hub.
async fn upload(options: &JsValue) -> Result<JsValue, JsValue> {
    let text = |names: &[&str]| {
        let mut found = names
            .iter()
            .filter_map(|name| js::get(options, name).ok()?.as_string());
        found.next()
    };
    let missing = |what: &str| problem(&format!("an upload needs {what}"));
    let config = UploadConfig {
        endpoint: text(&["endpoint"]).unwrap_or_else(|| "https://huggingface.co".to_owned()),
        repo_id: text(&["repoId", "repoName"])
            .ok_or_else(|| missing("`repoId`, the dataset's name on the hub: \"user/name\""))?,
        private: js::get(options, "private").is_ok_and(|private| private.is_truthy()),
        token: text(&["token", "accessToken"])
            .ok_or_else(|| missing("`token`, an access token of the hub that may write"))?,
    };
    JsFuture::from(ask(Request::Upload(Box::new(config)))).await
}
