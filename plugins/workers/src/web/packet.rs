//! Packets as the browser posts them: `{v, type, id, traceId, payload, buffers}`.

use forearm_protocol::{Packet, RequestId};
use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// A packet as an object, and what of it is to be transferred.
pub(crate) fn to_js(packet: Packet) -> (Object, Array) {
    let object = Object::new();
    let transfer = Array::new();
    let payload = Uint8Array::from(packet.payload.as_slice());
    transfer.push(&payload.buffer());
    let buffers = Array::new();
    for buffer in packet.buffers {
        let buffer = buffer.into_js();
        transfer.push(&buffer);
        buffers.push(&buffer);
    }
    set(&object, "v", packet.v.into());
    set(&object, "type", JsValue::from_str(&packet.kind));
    // Ids count from one: a number holds them exactly.
    let id = packet.id.map_or(JsValue::NULL, |id| (id.0 as f64).into());
    set(&object, "id", id);
    set(&object, "traceId", (packet.trace_id as f64).into());
    set(&object, "payload", payload.into());
    set(&object, "buffers", buffers.into());
    (object, transfer)
}

/// Sets a field of a plain object, which never fails.
pub(crate) fn set(object: &Object, field: &str, value: JsValue) {
    Reflect::set(object, &JsValue::from_str(field), &value).ok();
}

/// The packet that an object is; nothing for what is none.
pub(crate) fn from_js(object: &JsValue) -> Option<Packet> {
    let field = |name: &str| Reflect::get(object, &JsValue::from_str(name)).ok();
    let payload = field("payload")?.dyn_into::<Uint8Array>().ok()?.to_vec();
    let buffers = field("buffers")?.dyn_into::<Array>().ok()?;
    let buffers = buffers
        .iter()
        .map(|buffer| buffer.dyn_into::<ArrayBuffer>().map(Into::into));
    Some(Packet {
        v: field("v")?.as_f64()? as u16,
        kind: field("type")?.as_string()?.into(),
        id: field("id")?.as_f64().map(|id| RequestId(id as u64)),
        trace_id: field("traceId")?.as_f64()? as u64,
        payload,
        buffers: buffers.collect::<Result<_, _>>().ok()?,
    })
}

/// The port that travels beside a packet.
pub(crate) fn port_of(object: &JsValue) -> Option<web_sys::MessagePort> {
    let port = Reflect::get(object, &JsValue::from_str("port")).ok()?;
    port.dyn_into().ok()
}

/// What a JavaScript exception says.
pub(crate) fn text_of(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{error:?}"),
    }
}
