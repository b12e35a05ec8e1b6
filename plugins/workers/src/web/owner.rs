//! The app's end of a Web Worker: it carries packets, and notices when the worker dies.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Weak;

use crossbeam_channel::Receiver;
use forearm_protocol::lifecycle::ToWorker;
use forearm_protocol::{Packet, ServiceError};
use js_sys::{Array, Function, Object, Reflect};
use send_wrapper::SendWrapper;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent, MessagePort, Worker, WorkerOptions, WorkerType};

use crate::core::{Inbound, Parts};
use crate::office::Office;
use crate::remote::{Remote, RemoteParts};
use crate::service::Service;
use crate::web::files::files;
use crate::web::packet::{from_js, set, text_of, to_js};
use crate::web::page::connect_if_asked;
use crate::web::timers::{Interval, after};

/// How long a worker may take to end by itself before it is ended, milliseconds.
const FAREWELL_MILLIS: f64 = 1000.0;

thread_local! {
    /// Keeps an exception of a worker from the page.
    static QUIET: Function = Closure::<dyn Fn(Event)>::new(|event: Event| event.prevent_default())
        .into_js_value()
        .unchecked_into();
}

/// A Web Worker with one service. It stays on its thread, as all of JavaScript does.
pub(crate) struct Owner<S: Service>(SendWrapper<Inner<S>>);

struct Inner<S: Service> {
    worker: Worker,
    remote: Rc<RefCell<Option<Remote<S>>>>,
    /// Why nothing came up at the other end, if so.
    unborn: Rc<RefCell<Option<String>>>,
    /// What the page holds for the service.
    held: Rc<RefCell<Vec<Box<dyn Any>>>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
    on_leave: Closure<dyn FnMut(JsValue)>,
    _check: Interval,
}

impl<S: Service> Owner<S> {
    /// Makes a worker and has it become the service; what waits in `inbox` is sent.
    ///
    /// # Errors
    /// Why there is no worker, with the parts.
    pub(crate) fn start(
        setup: &S::Setup,
        parts: RemoteParts<S>,
        inbox: &Receiver<Inbound<S>>,
        office: Weak<Office<S>>,
    ) -> Result<Self, Box<(RemoteParts<S>, String)>> {
        let made = files().and_then(|files| {
            let options = WorkerOptions::new();
            options.set_type(WorkerType::Module);
            options.set_name(&format!("forearm {}", S::NAME));
            let worker = Worker::new_with_options(&files.entry, &options)
                .map_err(|error| text_of(&error))?;
            // The script loads itself before it looks at what follows.
            let boot = Object::new();
            set(&boot, "glue", JsValue::from_str(&files.glue));
            set(&boot, "module", files.module.clone().into());
            worker
                .post_message(&boot)
                .map_err(|error| text_of(&error))?;
            Ok((worker, files.log))
        });
        let (worker, log) = match made {
            Ok(made) => made,
            Err(why) => return Err(Box::new((parts, why))),
        };
        let posting = worker.clone();
        let post = Box::new(move |packet: Packet| post(&posting, packet, None));
        let mut remote = Remote::new(parts, post);
        if let Err(error) = remote.start(setup, &log) {
            remote.fail(error);
        }
        for message in inbox.try_iter() {
            // There is room: both queues are of one size.
            remote.send(message).ok();
        }
        Ok(Self::listen(worker, remote, office))
    }

    fn listen(worker: Worker, remote: Remote<S>, office: Weak<Office<S>>) -> Self {
        let remote = Rc::new(RefCell::new(Some(remote)));
        let unborn = Rc::new(RefCell::new(None));

        let held: Rc<RefCell<Vec<Box<dyn Any>>>> = Rc::default();

        let heard = Rc::clone(&remote);
        let failed = Rc::clone(&unborn);
        let holding = Rc::clone(&held);
        let watching = office.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let data = event.data();
            if let Some(packet) = from_js(&data) {
                if let Some(remote) = heard.borrow_mut().as_mut() {
                    remote.receive(packet);
                }
                return;
            }
            if let Some(kept) = connect_if_asked(&data) {
                holding.borrow_mut().push(kept);
                return;
            }
            // The script could not load the module, or the module threw while it started.
            let why = Reflect::get(&data, &"failed".into()).ok();
            if let Some(why) = why.and_then(|why| why.as_string()) {
                if let Some(remote) = heard.borrow_mut().as_mut() {
                    if let Some(why) = remote.broke(why, None) {
                        failed.replace(Some(why));
                    }
                }
                if let Some(office) = watching.upgrade() {
                    office.watch();
                }
            }
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));

        let broken = Rc::clone(&remote);
        let failed = Rc::clone(&unborn);
        let watching = office.clone();
        let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            if let Some(remote) = broken.borrow_mut().as_mut() {
                let (why, stack) = said(&event).unwrap_or_else(|| {
                    // A script that can't be loaded says nothing.
                    let why = match remote.has_spoken() {
                        true => "the browser ended it",
                        false => "its script could not be loaded",
                    };
                    (why.to_owned(), None)
                });
                if let Some(why) = remote.broke(why, stack) {
                    failed.replace(Some(why));
                }
            }
            if let Some(office) = watching.upgrade() {
                office.watch();
            }
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));

        // A page that goes for good leaves everything safe. One that may come back is frozen, and
        // its workers with it.
        let leaving = worker.clone();
        let on_leave = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
            let persisted = Reflect::get(&event, &"persisted".into());
            if !persisted.is_ok_and(|persisted| persisted.is_truthy())
                && let Ok(packet) = Packet::new(ToWorker::Teardown, None, 0)
            {
                post(&leaving, packet, None).ok();
            }
        });
        if let Some(window) = web_sys::window() {
            let listener = on_leave.as_ref().unchecked_ref();
            window
                .add_event_listener_with_callback("pagehide", listener)
                .ok();
        }

        let checked = Rc::clone(&remote);
        let pace = S::HANG_AFTER.as_secs_f64() * 1e3 / 4.0;
        let check = Interval::new(pace, move || {
            if let Some(remote) = checked.borrow_mut().as_mut() {
                remote.check();
            }
            if let Some(office) = office.upgrade() {
                office.watch();
            }
        });
        Self(SendWrapper::new(Inner {
            worker,
            remote,
            unborn,
            held,
            _on_message: on_message,
            _on_error: on_error,
            on_leave,
            _check: check,
        }))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// As [`Remote::send`].
    pub(crate) fn send(&self, message: Inbound<S>) -> Result<(), ServiceError> {
        match self.0.remote.borrow_mut().as_mut() {
            Some(remote) => remote.send(message),
            None => Err(crate::core::stopped_error::<S>()),
        }
    }

    /// Gives a request up.
    pub(crate) fn cancel(&self, id: u64) {
        if let Some(remote) = self.0.remote.borrow_mut().as_mut() {
            remote.cancel(id);
        }
    }

    /// Ends the worker at once; nobody is told.
    pub(crate) fn kill(&self) {
        self.0.worker.terminate();
    }

    /// Has the service end in order, and ends the worker when its time is over.
    pub(crate) fn stop(&self) {
        if let Ok(packet) = Packet::new(ToWorker::Teardown, None, 0) {
            post(&self.0.worker, packet, None).ok();
        }
        let (worker, held) = (self.0.worker.clone(), Rc::clone(&self.0.held));
        after(FAREWELL_MILLIS, move || {
            worker.terminate();
            // Its end may have needed the page, also when its owner was dropped.
            drop(held);
        });
    }

    /// What comes out of `port` is fed to the service.
    pub(crate) fn link_in(&self, port: &MessagePort) {
        self.link(ToWorker::LinkIn, port, 0);
    }

    /// What the service feeds goes into `port`; `number` tells its links apart.
    pub(crate) fn link_out(&self, port: &MessagePort, number: u64) {
        self.link(ToWorker::LinkOut, port, number);
    }

    fn link(&self, message: ToWorker, port: &MessagePort, number: u64) {
        if let Ok(packet) = Packet::new(message, None, number)
            && let Err(error) = post(&self.0.worker, packet, Some(port))
        {
            tracing::error!("{} can't be linked: {error}", S::NAME);
        }
    }

    /// Why nothing came up at the other end, if so, with everything that another host needs.
    pub(crate) fn take_back_unborn(
        &self,
        setup: &S::Setup,
    ) -> Option<(String, Parts<S>, VecDeque<Inbound<S>>)> {
        let why = self.0.unborn.borrow_mut().take()?;
        let remote = self.0.remote.borrow_mut().take()?;
        let (parts, queue) = remote.dissolve(setup.clone());
        self.kill();
        Some((why, parts, queue))
    }
}

impl<S: Service> Drop for Inner<S> {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        // An exception that is still on its way would count as the page's own.
        QUIET.with(|quiet| self.worker.set_onerror(Some(quiet)));
        if let Some(window) = web_sys::window() {
            let listener = self.on_leave.as_ref().unchecked_ref();
            window
                .remove_event_listener_with_callback("pagehide", listener)
                .ok();
        }
    }
}

/// What an uncaught exception said, and where; nothing for an event that says nothing.
fn said(event: &Event) -> Option<(String, Option<String>)> {
    let field = |name: &str| Reflect::get(event, &JsValue::from_str(name)).ok();
    let text = |name: &str| field(name)?.as_string().filter(|text| !text.is_empty());
    let number = |name: &str| field(name)?.as_f64();
    let place = text("filename").map(|file| {
        let (line, column) = (number("lineno"), number("colno"));
        format!("{file}:{}:{}", line.unwrap_or(0.0), column.unwrap_or(0.0))
    });
    text("message").map(|message| (message, place))
}

fn post(worker: &Worker, packet: Packet, port: Option<&MessagePort>) -> Result<(), ServiceError> {
    let (object, transfer): (Object, Array) = to_js(packet);
    if let Some(port) = port {
        set(&object, "port", port.into());
        transfer.push(port);
    }
    worker
        .post_message_with_transfer(&object, &transfer)
        .map_err(|error| ServiceError::Refused {
            what: "the message".to_owned(),
            why: text_of(&error),
            next: "a buffer can be sent only once".to_owned(),
        })
}
