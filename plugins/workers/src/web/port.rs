//! Channels between workers: what one service feeds reaches another past the main thread.

use std::cell::Cell;
use std::sync::{Arc, Weak};

use forearm_protocol::Packet;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{MessageEvent, MessagePort};

use crate::core::Inbound;
use crate::office::Office;
use crate::service::Service;
use crate::web::owner::Owner;
use crate::web::packet::{from_js, to_js};

/// A service that takes what comes out of a port.
pub(crate) trait PortTarget: Send + Sync {
    /// Which start of the service this is.
    fn seat_number(&self) -> u64;
    /// Opens a channel into the service; answers its other end.
    fn open_port(self: Arc<Self>) -> Option<MessagePort>;
}

/// A link's other end, opened again when either service was started again.
pub(crate) struct LinkPort {
    number: u64,
    target: Weak<dyn PortTarget>,
    connected_to: Option<u64>,
}

thread_local! {
    static NEXT: Cell<u64> = const { Cell::new(1) };
}

impl LinkPort {
    pub(crate) fn to<B: Service>(office: &Arc<Office<B>>) -> Self {
        let target: Weak<Office<B>> = Arc::downgrade(office);
        Self {
            number: NEXT.replace(NEXT.get() + 1),
            target,
            connected_to: None,
        }
    }

    /// Tells a new start of the feeding service.
    pub(crate) fn connect<A: Service>(&mut self, owner: &Owner<A>) {
        self.connected_to = None;
        self.reconnect(owner);
    }

    /// Tells the feeding service when the fed one was started again.
    pub(crate) fn reconnect<A: Service>(&mut self, owner: &Owner<A>) {
        let Some(target) = self.target.upgrade() else {
            return;
        };
        let seat = Some(target.seat_number());
        if self.connected_to != seat
            && let Some(port) = target.open_port()
        {
            self.connected_to = seat;
            owner.link_out(&port, self.number);
        }
    }
}

/// Feeds a service on this thread with what comes out of a port.
pub(crate) fn feed_from_port<B: Service>(port: &MessagePort, office: Weak<Office<B>>) {
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(office) = office.upgrade() else {
            return;
        };
        let fed = match from_js(&event.data()).map(Packet::open::<B::Input>) {
            Some(Ok(input)) => office.post(Inbound::Input(input)),
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        if let Err(error) = fed {
            tracing::warn!("{} can't be fed: {error}", B::NAME);
        }
    });
    port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // It lives as long as its port does.
    on_message.forget();
}

/// A way into a port, for the service that feeds.
pub(crate) fn into_port<O: forearm_protocol::Message>(port: MessagePort) -> crate::link::Feed<O> {
    let port = SendWrapper::new(port);
    Arc::new(move |output: O| {
        let (object, transfer) = to_js(Packet::new(output, None, 0)?);
        port.post_message_with_transferable(&object, &transfer)
            .map_err(|error| forearm_protocol::ServiceError::Refused {
                what: "feeding another service".to_owned(),
                why: crate::web::packet::text_of(&error),
                next: "a buffer can be sent only once".to_owned(),
            })
    })
}
