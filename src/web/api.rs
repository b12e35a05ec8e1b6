//! `globalThis.forearm`: what scripts and tests can ask of the running app.
//!
//! - `state()`: the latest state of everything, an object as
//!   [`StateUpdate`](forearm_protocol::control::StateUpdate) is written in JSON, or null;
//! - `inspect()`: a promise of an [`Inspection`](forearm_protocol::control::Inspection);
//! - `request(name, arguments)`: asks the control service, for instance `request("Start")` or
//!   `request("SetTorque", { arm: 0, on: false })`; a promise of the answer;
//! - `command(name, arguments)`: tells it, for instance `command("EStop")`;
//! - `ports()`: a promise of the serial ports that this page may use, as
//!   [`PortInfo`](forearm_protocol::servo::PortInfo)s; it fails where the browser has none;
//! - `requestPort()`: has the browser ask its person for one more, right after a click or a key; a
//!   promise of the ports then;
//! - `calibration()`: what was told last of a guided calibration, `{ Calibration }` or
//!   `{ CalibrationDone }`, or null;
//! - `trial(options)`: plays a built-in motion in a worker, as fast as it goes: `{ motion, seed,
//!   jitter_m, duration_secs }`, all but the first with defaults; a promise of a
//!   [`TrialOutcome`](forearm_control::trials::TrialOutcome), the same that `forearm trials` prints;
//! - `services()`: how each service does;
//! - `record(options)`, `cameras()`, `datasets()`, `recorder(name, arguments)`: see [`super::record`];
//! - `toasts()`: the texts of the notices on show, oldest first;
//! - `inject(service, fault)`: makes a service fail (`Throw`, `Trap`, `Hang`, `Kill`), to see that the
//!   rest survives it; throws where that would take the app along, and where nothing runs that could
//!   fail; only in a page whose address says `?faults=on`.
//!
//! Requests, commands and faults go to the service at once, also while the tab is hidden and the app
//! draws nothing. What fails or throws has an `Error` with the service's own words.

use std::cell::RefCell;
use std::sync::Arc;

use bevy::prelude::*;
use bevy::time::Real;
use forearm_control::trials::{Trial, Trials};
use forearm_control::{Control, ControlService};
use forearm_panel::PanelState;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Command, Event as ControlEvent, Reply, Request, StateUpdate};
use forearm_protocol::lifecycle::Fault;
use forearm_protocol::scene::SceneBundle;
use forearm_record::{RecordService, Recorder};
use forearm_workers::pool::{Jobs as _, PoolLine, PoolStatus, Task};
use forearm_workers::{HostKind, Line, Service as _, State, Status};
use js_sys::{JSON, Object, Promise, Reflect};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::{js, page};
use crate::trials::{self, TrialsDesk};

/// What a script hears that asks before the app has started.
const NO_SERVICE: &str = "the control service is not there yet";

/// How often it is noted how services do and which notices are on show, seconds.
const REPORT_SECS: f64 = 0.1;

/// Serves `globalThis.forearm`.
#[derive(Debug)]
pub(crate) struct ApiPlugin;

impl Plugin for ApiPlugin {
    fn build(&self, app: &mut App) {
        let line = app.world().get_resource::<Control>().map(Control::line);
        let record = app.world().get_resource::<Recorder>().map(Recorder::line);
        let trials = app.world().get_resource::<TrialsDesk>();
        let trials = trials.map(TrialsDesk::line);
        DESK.with_borrow_mut(|desk| {
            desk.line = line;
            desk.record = record;
            desk.trials = trials;
        });
        app.add_systems(First, remember);
        if let Err(error) = publish() {
            warn!("scripts can't ask the app: {}", js::said(&error));
        }
    }
}

/// The way to the control service, what waits for the next frame, and what is known since the last.
#[derive(Default)]
struct Desk {
    line: Option<Line<ControlService>>,
    record: Option<Line<RecordService>>,
    trials: Option<PoolLine<Trials>>,
    /// The scene that is loaded.
    bundle: Option<Arc<SceneBundle>>,
    state: Option<Box<StateUpdate>>,
    calibration: Option<ControlEvent>,
    services: Vec<ServiceReport>,
    toasts: Vec<String>,
}

/// How a service does, for `services()`.
#[derive(Serialize)]
struct ServiceReport {
    name: &'static str,
    /// `worker`, or `inline` on the main thread.
    host: &'static str,
    /// Why it has no worker.
    fallback: Option<String>,
    /// `starting`, `running`, `restarting`, `idle` (a pool without work), `failed` or `stopped`.
    state: &'static str,
    failure: Option<String>,
    restarts: u32,
    in_flight: usize,
    silence_secs: f64,
    ticks: u64,
    messages: u64,
    bytes: u64,
}

impl From<&Status> for ServiceReport {
    fn from(status: &Status) -> Self {
        Self {
            name: status.service,
            host: host_name(status.host),
            fallback: status.fallback.clone(),
            state: match status.state {
                State::Starting => "starting",
                State::Ready => "running",
                State::Restarting => "restarting",
                State::Failed => "failed",
                State::Stopped => "stopped",
            },
            failure: status.failure.as_ref().map(ToString::to_string),
            restarts: status.restarts,
            in_flight: status.in_flight,
            silence_secs: status.silence.as_secs_f64(),
            ticks: status.ticks,
            messages: status.messages,
            bytes: status.bytes,
        }
    }
}

impl From<&PoolStatus> for ServiceReport {
    fn from(status: &PoolStatus) -> Self {
        Self {
            name: status.name,
            host: host_name(status.host.unwrap_or(HostKind::Worker)),
            fallback: status.fallback.clone(),
            state: match (&status.failure, status.alive) {
                (Some(_), _) => "failed",
                (None, 0) => "idle",
                (None, _) => "running",
            },
            failure: status.failure.as_ref().map(ToString::to_string),
            restarts: u32::try_from(status.restarts).unwrap_or(u32::MAX),
            in_flight: status.busy + status.queued,
            silence_secs: status.silence.as_secs_f64(),
            ticks: 0,
            messages: status.messages,
            bytes: status.bytes,
        }
    }
}

fn host_name(host: HostKind) -> &'static str {
    match host {
        HostKind::Thread => "thread",
        HostKind::Worker => "worker",
        HostKind::Inline => "inline",
        HostKind::Stepped => "stepped",
    }
}

/// What `trial` is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrialOptions {
    motion: String,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    jitter_m: f64,
    #[serde(default)]
    duration_secs: Option<f64>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Tells the control service something.
///
/// # Errors
/// There is none, it has ended, or too much waits for it.
pub(super) fn command(command: Command) -> Result<(), String> {
    DESK.with_borrow(|desk| {
        let line = desk.line.as_ref().ok_or(NO_SERVICE)?;
        line.send(command).map_err(|error| error.to_string())
    })
}

fn remember(
    mut events: MessageReader<ControlEvent>,
    control: Res<Control>,
    recorder: Option<Res<Recorder>>,
    pool: Res<TrialsDesk>,
    panels: Res<PanelState>,
    time: Res<Time<Real>>,
    mut due_secs: Local<f64>,
) {
    let now_secs = time.elapsed_secs_f64();
    DESK.with_borrow_mut(|desk| {
        for event in events.read() {
            match event {
                ControlEvent::State(state) => desk.state = Some(state.clone()),
                ControlEvent::SceneLoaded { bundle, .. } => {
                    desk.state = None;
                    desk.bundle = Some(Arc::clone(bundle));
                }
                ControlEvent::Calibration(_) | ControlEvent::CalibrationDone { .. } => {
                    desk.calibration = Some(event.clone());
                }
                _ => {}
            }
        }
        if now_secs < *due_secs {
            return;
        }
        *due_secs = now_secs + REPORT_SECS;
        desk.services.clear();
        desk.services.push(ServiceReport::from(&control.status()));
        if let Some(recorder) = &recorder {
            desk.services.push(ServiceReport::from(&recorder.status()));
        }
        desk.services.push(ServiceReport::from(&pool.status()));
        desk.toasts.clear();
        desk.toasts.extend(panels.toasts.texts().map(str::to_owned));
    });
}

/// Makes `globalThis.forearm`.
fn publish() -> Result<(), JsValue> {
    let api = Object::new();
    let set = |name: &str, function: JsValue| Reflect::set(&api, &name.into(), &function);
    set(
        "state",
        Closure::<dyn Fn() -> Result<JsValue, JsValue>>::new(state).into_js_value(),
    )?;
    set(
        "services",
        Closure::<dyn Fn() -> Result<JsValue, JsValue>>::new(services).into_js_value(),
    )?;
    set(
        "inspect",
        Closure::<dyn Fn() -> Promise>::new(inspect).into_js_value(),
    )?;
    set(
        "request",
        Closure::<dyn Fn(JsValue, JsValue) -> Promise>::new(request).into_js_value(),
    )?;
    set(
        "command",
        Closure::<dyn Fn(JsValue, JsValue) -> Result<(), JsValue>>::new(tell).into_js_value(),
    )?;
    set(
        "ports",
        Closure::<dyn Fn() -> Promise>::new(ports).into_js_value(),
    )?;
    set(
        "requestPort",
        Closure::<dyn Fn() -> Promise>::new(request_port).into_js_value(),
    )?;
    set(
        "calibration",
        Closure::<dyn Fn() -> Result<JsValue, JsValue>>::new(calibration).into_js_value(),
    )?;
    set(
        "trial",
        Closure::<dyn Fn(JsValue) -> Promise>::new(trial).into_js_value(),
    )?;
    set(
        "toasts",
        Closure::<dyn Fn() -> Result<JsValue, JsValue>>::new(toasts).into_js_value(),
    )?;
    if page::asked("faults").as_deref() == Some("on") {
        set(
            "inject",
            Closure::<dyn Fn(String, String) -> Result<(), JsValue>>::new(inject).into_js_value(),
        )?;
    }
    Reflect::set(&js_sys::global(), &"forearm".into(), &api).map(|_set| ())
}

fn state() -> Result<JsValue, JsValue> {
    DESK.with_borrow(|desk| to_js(&desk.state))
}

fn services() -> Result<JsValue, JsValue> {
    DESK.with_borrow(|desk| to_js(&desk.services))
}

fn toasts() -> Result<JsValue, JsValue> {
    DESK.with_borrow(|desk| to_js(&desk.toasts))
}

fn inject(service: String, fault: String) -> Result<(), JsValue> {
    let fault = serde_json::from_value::<Fault>(fault.into())
        .map_err(|error| problem(&format!("no such fault: {error}")))?;
    DESK.with_borrow(|desk| match (&desk.line, &desk.record, &desk.trials) {
        (Some(control), _, _) if service == ControlService::NAME => control.inject(fault),
        (_, Some(record), _) if service == RecordService::NAME => record.inject(fault),
        (_, _, Some(trials)) if service == Trials::NAME => trials.inject(fault),
        _ => Err(ServiceError::Refused {
            what: format!("making `{service}` fail"),
            why: "there is no such service".to_owned(),
            next: format!(
                "name `{}`, `{}` or `{}`",
                ControlService::NAME,
                RecordService::NAME,
                Trials::NAME
            ),
        }),
    })
    .map_err(|error| problem(&error.to_string()))
}

fn inspect() -> Promise {
    ask(Ok(Request::Inspect))
}

fn calibration() -> Result<JsValue, JsValue> {
    DESK.with_borrow(|desk| to_js(&desk.calibration))
}

fn ports() -> Promise {
    ask(Ok(Request::ListPorts))
}

/// A promise of the ports there are when one more was allowed.
fn request_port() -> Promise {
    let allowed = forearm_hardware::port::web::request();
    future_to_promise(async {
        match allowed.await {
            Ok(()) => JsFuture::from(ports()).await,
            Err(error) => Err(problem(&error.to_string())),
        }
    })
}

fn request(name: JsValue, arguments: JsValue) -> Promise {
    ask(message("request", &name, &arguments))
}

/// A promise of a trial's outcome.
fn trial(options: JsValue) -> Promise {
    let handed_in = planned(&options).and_then(|trial| {
        DESK.with_borrow(|desk| match &desk.trials {
            Some(trials) => Ok(trials.submit(Task::new(trial))),
            None => Err(problem("the pool of trials is not there yet")),
        })
    });
    future_to_promise(async {
        match handed_in?.await {
            Ok(outcome) => to_js(&outcome),
            Err(error) => Err(problem(&error.to_string())),
        }
    })
}

fn planned(options: &JsValue) -> Result<Trial, JsValue> {
    let text = String::from(JSON::stringify(options)?);
    let options: TrialOptions =
        serde_json::from_str(&text).map_err(|error| problem(&format!("no such trial: {error}")))?;
    let bundle = DESK.with_borrow(|desk| desk.bundle.clone());
    let planned = trials::plan(bundle.as_ref(), &options.motion, options.jitter_m);
    let (trial, _) = planned.map_err(|why| problem(&why))?;
    Ok(Trial {
        seed: options.seed,
        duration_secs: options.duration_secs,
        ..trial
    })
}

fn tell(name: JsValue, arguments: JsValue) -> Result<(), JsValue> {
    command(message("command", &name, &arguments)?).map_err(|error| problem(&error))
}

/// A promise of the answer.
fn ask(request: Result<Request, JsValue>) -> Promise {
    let asked = request.and_then(|request| {
        DESK.with_borrow(|desk| match &desk.line {
            Some(line) => Ok(line.request(request)),
            None => Err(problem(NO_SERVICE)),
        })
    });
    future_to_promise(async {
        match asked?.await {
            Ok(reply) => reply_to_js(&reply),
            Err(error) => Err(problem(&error.to_string())),
        }
    })
}

/// Reads a message: its name and its fields, or all of it as one object `{ name: fields }`.
pub(super) fn message<T: DeserializeOwned>(
    kind: &str,
    name: &JsValue,
    arguments: &JsValue,
) -> Result<T, JsValue> {
    let whole = if arguments.is_undefined() {
        name.clone()
    } else {
        let whole = Object::new();
        Reflect::set(&whole, name, arguments)?;
        whole.into()
    };
    let text = String::from(JSON::stringify(&whole)?);
    serde_json::from_str(&text).map_err(|error| problem(&format!("no such {kind}: {error}")))
}

/// A reply is told by what it holds, a plain "done" as undefined.
fn reply_to_js(reply: &Reply) -> Result<JsValue, JsValue> {
    match reply {
        Reply::Done => Ok(JsValue::UNDEFINED),
        Reply::Inspection(inspection) => to_js(inspection),
        Reply::Register(value) => to_js(value),
        Reply::Ports(ports) => to_js(ports),
    }
}

pub(super) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|error| problem(&error.to_string()))?;
    JSON::parse(&text)
}

pub(super) fn problem(text: &str) -> JsValue {
    js_sys::Error::new(text).unchecked_into()
}
