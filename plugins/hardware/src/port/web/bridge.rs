//! The worker's end of the bridge: ports that the page opens.
//!
//! Each port has a channel of its own to the page, all questions have one. What is said:
//!
//! | worker | page |
//! |---|---|
//! | `{ do: "hello", id }` | `{ is: "hello", id, bridge, here }`: whether the bridge is asked for, and whether the page has ports |
//! | `{ do: "look", id }` | `{ is: "ports", id, ports: [[name, vendor, product], …] }` or `{ is: "failed", id, why }` |
//! | `{ do: "open", port, baud }` | `{ is: "opened" }` or `{ is: "failed", soon, why }` |
//! | `{ do: "write", bytes }` | `{ is: "bytes", bytes }`, as they come; at the end `{ is: "lost", why }` |
//! | `{ do: "close" }` | `{ is: "closed" }` |

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use forearm_workers::web::ask_page;
use js_sys::{Array, Function, Object, Promise, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageEvent, MessagePort};

use super::binding::{get, serial, set};
use super::{PortEvent, Sink, WebSerialError};

/// What the page offers it under.
pub(super) const OFFER: &str = "serial";

/// How ports are reached from this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By its own `navigator.serial`.
    Here,
    /// By the page.
    Page,
}

thread_local! {
    static WAY: RefCell<Option<Way>> = const { RefCell::new(None) };
    static QUESTIONS: RefCell<Option<Questions>> = const { RefCell::new(None) };
}

/// How ports are reached from this thread: found out once.
pub(super) async fn way() -> Result<Way, WebSerialError> {
    if let Some(way) = WAY.with_borrow(|way| *way) {
        return Ok(way);
    }
    let hello = ask(&message("hello")).await?;
    let says = |field| get(&hello, field).is_truthy();
    let way = if says("bridge") && says("here") {
        Way::Page
    } else if serial().is_some() {
        Way::Here
    } else if says("here") {
        Way::Page
    } else {
        return Err(WebSerialError::missing());
    };
    WAY.set(Some(way));
    Ok(way)
}

/// The ports that the page sees.
pub(super) async fn look() -> Result<Vec<(String, Option<(u16, u16)>)>, WebSerialError> {
    let answer = ask(&message("look")).await?;
    if text(&answer, "is") != "ports" {
        let why = text(&answer, "why");
        return Err(WebSerialError::Refused { why });
    }
    let ports: Array = get(&answer, "ports").unchecked_into();
    let ports = ports.iter().map(|port| {
        let port: Array = port.unchecked_into();
        let id = |place| port.get(place).as_f64().map(|id| id as u16);
        let name = port.get(0).as_string().unwrap_or_default();
        (name, id(1).zip(id(2)))
    });
    Ok(ports.collect())
}

/// The channel of this thread's questions.
struct Questions {
    channel: MessagePort,
    waiting: Rc<RefCell<Waiting>>,
    last: u32,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

#[derive(Default)]
struct Waiting {
    /// The page has nobody who answers.
    nobody: bool,
    /// Who waits for which answer.
    open: BTreeMap<u32, Function>,
}

impl Questions {
    fn begin() -> Result<Self, WebSerialError> {
        let channel = ask_page(OFFER).map_err(|why| WebSerialError::Refused { why })?;
        let waiting: Rc<RefCell<Waiting>> = Rc::default();
        let answering = Rc::clone(&waiting);
        let on_message = Closure::new(move |event: MessageEvent| {
            let answer = event.data();
            let mut waiting = answering.borrow_mut();
            let answered = match get(&answer, "id").as_f64() {
                Some(id) => waiting.open.remove(&(id as u32)).into_iter().collect(),
                None => {
                    waiting.nobody = true;
                    let open = std::mem::take(&mut waiting.open);
                    open.into_values().collect::<Vec<_>>()
                }
            };
            for resolve in answered {
                resolve.call1(&JsValue::NULL, &answer).ok();
            }
        });
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Ok(Self {
            channel,
            waiting,
            last: 0,
            _on_message: on_message,
        })
    }

    /// A promise of the answer; undefined where nobody answers.
    fn ask(&mut self, question: &Object) -> Promise {
        self.last += 1;
        let id = self.last;
        set(question, "id", id);
        let answer = Promise::new(&mut |resolve, _| {
            let mut waiting = self.waiting.borrow_mut();
            if waiting.nobody {
                resolve.call0(&JsValue::NULL).ok();
            } else {
                waiting.open.insert(id, resolve);
            }
        });
        self.channel.post_message(question).ok();
        answer
    }
}

/// One question to the page, one answer.
async fn ask(question: &Object) -> Result<JsValue, WebSerialError> {
    let answer = QUESTIONS.with_borrow_mut(|questions| {
        if questions.is_none() {
            *questions = Some(Questions::begin()?);
        }
        Ok(questions.as_mut().map(|questions| questions.ask(question)))
    })?;
    match answer {
        Some(answer) => Ok(JsFuture::from(answer).await.unwrap_or_default()),
        None => Ok(JsValue::UNDEFINED),
    }
}

/// A port that the page opens.
pub(crate) struct BridgePort {
    name: String,
    channel: MessagePort,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl BridgePort {
    pub(super) fn new(name: String, sink: Sink) -> Result<Self, WebSerialError> {
        let channel = ask_page(OFFER).map_err(|why| WebSerialError::Refused { why })?;
        let on_message = Closure::new(move |event: MessageEvent| hear(&sink, &event.data()));
        channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Ok(Self {
            name,
            channel,
            _on_message: on_message,
        })
    }

    pub(super) fn open(&self, baud: u32) {
        let open = message("open");
        set(&open, "port", self.name.as_str());
        set(&open, "baud", baud);
        self.channel.post_message(&open).ok();
    }

    pub(super) fn write(&self, bytes: &[u8]) {
        post_bytes(&self.channel, &message("write"), bytes);
    }

    pub(super) fn close(&self) {
        self.channel.post_message(&message("close")).ok();
    }
}

impl Drop for BridgePort {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

fn hear(sink: &Sink, message: &JsValue) {
    match text(message, "is").as_str() {
        "bytes" => {
            let bytes: Uint8Array = get(message, "bytes").unchecked_into();
            sink(PortEvent::Bytes(&bytes.to_vec()));
        }
        "opened" => sink(PortEvent::Opened),
        "failed" => sink(PortEvent::Failed {
            soon: get(message, "soon").is_truthy(),
            why: text(message, "why"),
        }),
        "lost" => sink(PortEvent::Lost(text(message, "why"))),
        "closed" => sink(PortEvent::Closed),
        other => tracing::warn!("the page says `{other}` of a serial port, which means nothing"),
    }
}

/// Something to do.
fn message(what: &str) -> Object {
    let message = Object::new();
    set(&message, "do", what);
    message
}

/// Posts bytes beside a message, without a copy.
pub(super) fn post_bytes(channel: &MessagePort, message: &Object, bytes: &[u8]) {
    let bytes = Uint8Array::from(bytes);
    let transfer = Array::of1(&bytes.buffer());
    set(message, "bytes", bytes);
    channel
        .post_message_with_transferable(message, &transfer)
        .ok();
}

pub(super) fn text(message: &JsValue, field: &str) -> String {
    get(message, field).as_string().unwrap_or_default()
}
