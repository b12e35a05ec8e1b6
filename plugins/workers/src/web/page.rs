//! What only the page has: a service asks for a channel to it, wherever it runs.
//!
//! The page [`offer`]s something under a name; a service [`ask_page`]s for that name and gets a port,
//! whose other end the page's code gets. What is said through it is between those two. Where the page
//! offers nothing of the name, the first message out of the port is `null`.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessagePort};

use crate::web::packet::{port_of, set, text_of};

/// Takes the page's end of a channel. What it answers is dropped when whoever asked is gone.
type Taker = Rc<dyn Fn(MessagePort) -> Box<dyn Any>>;

/// The field of a message to the page that is no packet but asks for a channel.
const ASKS: &str = "asksPage";

thread_local! {
    static OFFERS: RefCell<BTreeMap<String, Taker>> = RefCell::default();
    /// What services of this thread have asked for: they end with it.
    static OWN: RefCell<Vec<Box<dyn Any>>> = RefCell::default();
}

/// On the page: who asks for this name is connected with `taker`. What `taker` answers is dropped when
/// the worker of whoever asked has ended, so that nothing is held for the dead.
pub fn offer(name: &str, taker: impl Fn(MessagePort) -> Box<dyn Any> + 'static) {
    OFFERS.with_borrow_mut(|offers| offers.insert(name.to_owned(), Rc::new(taker)));
}

/// A channel to what the page offers under this name. To be called by a service, in a worker or on
/// the page's own thread.
///
/// # Errors
/// The browser's words, if it has no such channels.
pub fn ask_page(name: &str) -> Result<MessagePort, String> {
    let channel = MessageChannel::new().map_err(|error| text_of(&error))?;
    match js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() {
        Ok(scope) => {
            let message = Object::new();
            set(&message, ASKS, JsValue::from_str(name));
            set(&message, "port", channel.port2().into());
            scope
                .post_message_with_transfer(&message, &Array::of1(&channel.port2()))
                .map_err(|error| text_of(&error))?;
        }
        Err(_page) => {
            if let Some(kept) = connect(name, channel.port2()) {
                OWN.with_borrow_mut(|own| own.push(kept));
            }
        }
    }
    Ok(channel.port1())
}

/// Connects a worker that asks; answers what is to be kept for as long as it lives. Nothing if the
/// message asks for nothing.
pub(crate) fn connect_if_asked(message: &JsValue) -> Option<Box<dyn Any>> {
    let name = Reflect::get(message, &ASKS.into()).ok()?.as_string()?;
    connect(&name, port_of(message)?)
}

fn connect(name: &str, port: MessagePort) -> Option<Box<dyn Any>> {
    match OFFERS.with_borrow(|offers| offers.get(name).cloned()) {
        Some(taker) => Some(taker(port)),
        None => {
            port.post_message(&JsValue::NULL).ok();
            None
        }
    }
}
