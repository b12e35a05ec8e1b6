//! The page's end of the bridge: opens ports for workers that can't. What is said is in `bridge`.

use std::any::Any;
use std::cell::RefCell;
use std::rc::{Rc, Weak};

use forearm_workers::web::{Alarm, offer as offer_on_page};
use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageEvent, MessagePort};

use super::binding::{get, serial, set};
use super::bridge::{OFFER, post_bytes, text};
use super::local::{self, LocalPort};
use super::{PortEvent, Sink};
use crate::port::batch::Batch;

/// How long the rest of an answer is waited for before what there is goes on its way, milliseconds.
/// Adapters hand bytes over at least this often.
const REST_MILLIS: f64 = 2.0;

/// Opens ports for workers from now on. With `always` also for those that could do so themselves: for
/// tests. To be called on the page's own thread.
pub fn offer(always: bool) {
    offer_on_page(OFFER, move |channel| Session::begin(channel, always));
}

/// One channel to a worker.
struct Session {
    channel: MessagePort,
    always: bool,
    port: RefCell<Option<LocalPort>>,
    batch: RefCell<Batch>,
    alarm: RefCell<Option<Alarm>>,
}

/// Ends a session when its worker has ended.
struct Keeper {
    session: Rc<Session>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_rest: Closure<dyn FnMut()>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.session.alarm.take();
        self.session.channel.set_onmessage(None);
        self.session.channel.close();
        if let Some(port) = self.session.port.take() {
            port.close();
        }
    }
}

impl Session {
    fn begin(channel: MessagePort, always: bool) -> Box<dyn Any> {
        let session = Rc::new(Self {
            channel,
            always,
            port: RefCell::default(),
            batch: RefCell::new(Batch::new()),
            alarm: RefCell::default(),
        });
        let flushing = Rc::downgrade(&session);
        let on_rest = Closure::<dyn FnMut()>::new(move || {
            if let Some(session) = flushing.upgrade() {
                let rest = session.batch.borrow_mut().take();
                session.send(&rest);
            }
        });
        session.alarm.replace(Some(Alarm::new(on_rest.as_ref())));
        let hearing = Rc::downgrade(&session);
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(session) = hearing.upgrade() {
                session.hear(&event.data());
            }
        });
        let listener = on_message.as_ref().unchecked_ref();
        session.channel.set_onmessage(Some(listener));
        Box::new(Keeper {
            session,
            _on_message: on_message,
            _on_rest: on_rest,
        })
    }

    fn hear(self: &Rc<Self>, message: &JsValue) {
        match text(message, "do").as_str() {
            "hello" => {
                let hello = answer("hello");
                set(&hello, "id", get(message, "id"));
                set(&hello, "bridge", self.always);
                set(&hello, "here", serial().is_some());
                self.post(&hello);
            }
            "look" => {
                let (session, id) = (Rc::clone(self), get(message, "id"));
                spawn_local(async move { session.look(id).await });
            }
            "open" => {
                let baud = get(message, "baud").as_f64().unwrap_or_default() as u32;
                self.port(text(message, "port")).open(baud);
            }
            "write" => {
                let bytes: Uint8Array = get(message, "bytes").unchecked_into();
                let bytes = bytes.to_vec();
                self.batch.borrow_mut().wrote(&bytes);
                if let Some(port) = &*self.port.borrow() {
                    port.write(&bytes);
                }
            }
            "close" => match self.port.take() {
                Some(port) => port.close(),
                None => self.post(&answer("closed")),
            },
            _ => {}
        }
    }

    /// The port of this session. It is kept from one opening to the next: it knows which one it was.
    fn port(self: &Rc<Self>, name: String) -> LocalPort {
        let mut port = self.port.borrow_mut();
        let made = port.get_or_insert_with(|| {
            let session = Rc::downgrade(self);
            let sink: Sink = Rc::new(move |event| tell(&session, event));
            LocalPort::new(name, sink)
        });
        made.clone()
    }

    async fn look(&self, id: JsValue) {
        let told = match local::look().await {
            Ok(ports) => {
                let list = Array::new();
                for (name, usb) in ports {
                    let port = Array::of1(&name.into());
                    if let Some((vendor, product)) = usb {
                        port.push(&vendor.into());
                        port.push(&product.into());
                    }
                    list.push(&port);
                }
                let told = answer("ports");
                set(&told, "ports", list);
                told
            }
            Err(error) => failed(&error.to_string(), false),
        };
        set(&told, "id", id);
        self.post(&told);
    }

    fn read(&self, bytes: &[u8]) {
        let whole = self.batch.borrow_mut().read(bytes);
        let mut alarm = self.alarm.borrow_mut();
        match (whole, &mut *alarm) {
            (None, Some(alarm)) => alarm.set(REST_MILLIS),
            (None, None) => {}
            (Some(whole), alarm) => {
                if let Some(alarm) = alarm {
                    alarm.clear();
                }
                self.send(&whole);
            }
        }
    }

    fn send(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            post_bytes(&self.channel, &answer("bytes"), bytes);
        }
    }

    fn post(&self, message: &Object) {
        if let Err(error) = self.channel.post_message(message) {
            tracing::warn!("a worker does not hear of its port: {error:?}");
        }
    }
}

fn tell(session: &Weak<Session>, event: PortEvent<'_>) {
    let Some(session) = session.upgrade() else {
        return;
    };
    let message = match event {
        PortEvent::Bytes(bytes) => return session.read(bytes),
        PortEvent::Opened => {
            session.batch.replace(Batch::new());
            answer("opened")
        }
        PortEvent::Failed { soon, why } => failed(&why, soon),
        PortEvent::Lost(why) => {
            let lost = answer("lost");
            set(&lost, "why", why);
            lost
        }
        PortEvent::Closed => answer("closed"),
    };
    session.post(&message);
}

fn answer(what: &str) -> Object {
    let message = Object::new();
    set(&message, "is", what);
    message
}

fn failed(why: &str, soon: bool) -> Object {
    let message = answer("failed");
    set(&message, "why", why);
    set(&message, "soon", soon);
    message
}
