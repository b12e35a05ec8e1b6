//! What runs inside a Web Worker: one service, which the first message names.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use forearm_protocol::lifecycle::{FromWorker, ToWorker, Vitals};
use forearm_protocol::{Packet, ServiceError};
use js_sys::{Array, Object};
use send_wrapper::SendWrapper;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, MessagePort};

use crate::clock::Clock;
use crate::service::{Service, Wake};
use crate::station::{Post, Station, setup};
use crate::web::log::log_to;
use crate::web::packet::{from_js, port_of, to_js};
use crate::web::port::into_port;
use crate::web::stay::leave_by;
use crate::web::timers::{Alarm, Interval};

/// How often a worker gives a sign of life, milliseconds.
const BEAT_MILLIS: f64 = 200.0;
/// The browser may round waits of a timer down to whole milliseconds and stretches short ones: what
/// is left of a wait below this goes by messages to oneself, milliseconds.
const SHORT_MILLIS: f64 = 1.0;

/// A service that a worker can become.
#[derive(Clone, Copy)]
pub struct Entry {
    name: &'static str,
    become_it: fn(&[u8], Post) -> Result<(), ServiceError>,
}

/// The entry of a service, for [`start`].
#[must_use]
pub fn entry<S: Service>() -> Entry {
    Entry {
        name: S::NAME,
        become_it: become_it::<S>,
    }
}

/// Makes this worker the service that the message names, out of those that it can become. To be
/// called once, with the first message; from then on the worker listens by itself.
pub fn start(first: &JsValue, entries: &[Entry]) {
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        return;
    };
    let post = poster(scope);
    listen_for_panics(Arc::clone(&post));
    // From here on a failure is the service's: the worker itself has come up.
    tell(&post, FromWorker::Heartbeat(Vitals::default()));
    let started = from_js(first)
        .ok_or_else(|| ServiceError::Start {
            service: "worker".to_owned(),
            why: "its first message is no packet".to_owned(),
        })
        .and_then(Packet::open::<ToWorker>)
        .and_then(|message| become_named(message, entries, &post));
    if let Err(error) = started {
        tell(&post, FromWorker::Error(error));
    }
}

fn become_named(message: ToWorker, entries: &[Entry], post: &Post) -> Result<(), ServiceError> {
    let ToWorker::Init {
        service,
        setup,
        log,
    } = message
    else {
        return Err(ServiceError::Start {
            service: "worker".to_owned(),
            why: "its first message does not say which service it is".to_owned(),
        });
    };
    let logger = Arc::clone(post);
    log_to(
        &log,
        Box::new(move |level, text| {
            let level = level.as_str().to_ascii_lowercase();
            let text = text.to_owned();
            tell(&logger, FromWorker::Log { level, text });
        }),
    );
    match entries.iter().find(|entry| entry.name == service) {
        Some(entry) => (entry.become_it)(&setup, Arc::clone(post)),
        None => Err(ServiceError::Start {
            why: "this worker does not know it: reload, so that app and workers are of one build"
                .to_owned(),
            service,
        }),
    }
}

/// A service that runs in this worker, and its timers.
struct Runner<S: Service> {
    station: Station<S>,
    alarm: Alarm,
    /// Messages to oneself: the way to come back soon, and after what waits already.
    soon: MessagePort,
    soon_is_due: bool,
}

fn become_it<S: Service>(bytes: &[u8], post: Post) -> Result<(), ServiceError> {
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        return Ok(());
    };
    let channel = MessageChannel::new().map_err(|_error| ServiceError::Start {
        service: S::NAME.to_owned(),
        why: "the browser has no message channels".to_owned(),
    })?;
    let station = Station::<S>::start(setup(S::NAME, bytes)?, Clock::wall(), post);
    let runner: Rc<RefCell<Option<Runner<S>>>> = Rc::default();

    let ringing = Rc::clone(&runner);
    let on_alarm = Closure::<dyn FnMut()>::new(move || with(&ringing, |_| {})).into_js_value();
    let due = Rc::clone(&runner);
    let on_soon = Closure::<dyn FnMut()>::new(move || {
        with(&due, |runner| runner.soon_is_due = false);
    })
    .into_js_value();
    channel.port1().set_onmessage(Some(on_soon.unchecked_ref()));
    runner.replace(Some(Runner {
        station,
        alarm: Alarm::new(&on_alarm),
        soon: channel.port2(),
        soon_is_due: false,
    }));

    let listening = Rc::clone(&runner);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        receive(&listening, &event.data());
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();

    let beating = Rc::clone(&runner);
    let beat = Interval::new(BEAT_MILLIS, move || {
        if let Some(runner) = beating.borrow().as_ref() {
            runner.station.beat();
        }
    });
    // It beats until the worker ends.
    std::mem::forget(beat);
    with(&runner, |_| {});
    Ok(())
}

/// Lets the runner work, then ticks what is due and sets the next alarm. A worker whose service has
/// ended closes.
fn with<S: Service>(runner: &RefCell<Option<Runner<S>>>, work: impl FnOnce(&mut Runner<S>)) {
    let mut runner = runner.borrow_mut();
    let Some(runner) = runner.as_mut() else {
        return;
    };
    work(runner);
    runner.station.tick_if_due();
    if runner.station.has_ended() {
        runner.alarm.clear();
        leave_by(|| {
            if let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() {
                scope.close();
            }
        });
        return;
    }
    match runner.station.wake() {
        Wake::OnMessage => runner.alarm.clear(),
        Wake::At(secs) => {
            let left = (secs - runner.station.clock().now_secs()) * 1e3;
            if left >= SHORT_MILLIS {
                // Rounded down, so that it is never late by the rounding.
                runner.alarm.set(left.floor());
            } else if !runner.soon_is_due {
                runner.alarm.clear();
                runner.soon_is_due = true;
                runner.soon.post_message(&JsValue::NULL).ok();
            }
        }
    }
}

fn receive<S: Service>(runner: &Rc<RefCell<Option<Runner<S>>>>, data: &JsValue) {
    let Some(packet) = from_js(data) else {
        return;
    };
    match (&*packet.kind, port_of(data)) {
        ("worker/link_in", Some(port)) => {
            let fed = Rc::clone(runner);
            let on_input = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(packet) = from_js(&event.data()) {
                    with(&fed, |runner| runner.station.receive_input(packet));
                }
            });
            port.set_onmessage(Some(on_input.as_ref().unchecked_ref()));
            // It lives as long as its port does.
            on_input.forget();
        }
        ("worker/link_out", Some(port)) => {
            with(runner, |runner| {
                runner.station.link(packet.trace_id, into_port(port));
            });
        }
        _ => with(runner, |runner| runner.station.receive(packet)),
    }
}

/// The way out of this worker.
fn poster(scope: DedicatedWorkerGlobalScope) -> Post {
    let scope = SendWrapper::new(scope);
    Arc::new(move |packet| {
        let kind = packet.kind.clone();
        let (object, transfer): (Object, Array) = to_js(packet);
        if let Err(error) = scope.post_message_with_transfer(&object, &transfer) {
            web_sys::console::error_2(&format!("{kind} can't be posted").into(), &error);
        }
    })
}

/// A panic ends the worker; the owner is told what it said, and where.
fn listen_for_panics(post: Post) {
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload_as_str().unwrap_or("without a text");
        let at = info.location().map(ToString::to_string);
        let calls = js_sys::Reflect::get(&js_sys::Error::new(""), &"stack".into());
        let calls = calls.ok().and_then(|calls| calls.as_string());
        let stack = [at, calls].into_iter().flatten().collect::<Vec<_>>();
        tell(
            &post,
            FromWorker::Error(ServiceError::Crashed {
                service: "worker".to_owned(),
                why: format!("it panicked: {text}"),
                stack: Some(stack.join("\n")),
            }),
        );
    }));
}

fn tell(post: &Post, message: FromWorker) {
    if let Ok(packet) = Packet::new(message, None, 0) {
        post(packet);
    }
}
