//! Which cameras the browser has: asked of the page.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use forearm_protocol::record::{CameraInfo, CameraSource};
use forearm_workers::web::ask_page;
use js_sys::Array;
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{MessageEvent, MessagePort};

use super::binding::{get, text};
use super::said::{OFFER, order};

/// Resolutions that cameras have.
const COMMON: [(u32, u32); 4] = [(320, 240), (640, 480), (1280, 720), (1920, 1080)];
/// What a camera is asked for at most, frames a second.
const RATE: f64 = 30.0;

type Answer = Result<Vec<CameraInfo>, String>;

/// A question that was asked and may be answered.
pub struct Listing(SendWrapper<Asked>);

struct Asked {
    answer: Rc<RefCell<Option<Answer>>>,
    channel: Option<MessagePort>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Listing {
    /// Asks the page which cameras there are.
    #[must_use]
    pub fn begin() -> Self {
        let answer: Rc<RefCell<Option<Answer>>> = Rc::default();
        let hearing = Rc::clone(&answer);
        let on_message = Closure::new(move |event: MessageEvent| {
            hearing.replace(Some(read(&event)));
        });
        let channel = ask_page(OFFER);
        match &channel {
            Ok(channel) => {
                channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
                channel.post_message(&order("look")).ok();
            }
            Err(why) => {
                answer.replace(Some(Err(why.clone())));
            }
        }
        Self(SendWrapper::new(Asked {
            answer,
            channel: channel.ok(),
            _on_message: on_message,
        }))
    }

    /// The answer, once: why there are none, or what there is.
    pub fn poll(&mut self) -> Option<Result<Vec<CameraInfo>, String>> {
        self.0.answer.borrow_mut().take()
    }
}

fn read(event: &MessageEvent) -> Answer {
    let told = event.data();
    match text(&told, "is").as_str() {
        "cameras" => {
            let cameras: Array = get(&told, "cameras").unchecked_into();
            Ok(cameras.iter().map(|camera| info(&camera.into())).collect())
        }
        "failed" => Err(text(&told, "why")),
        // A page that offers none: a test's, for instance.
        _ => Ok(Vec::new()),
    }
}

fn info(camera: &Array) -> CameraInfo {
    let most = |place| camera.get(place).as_f64().unwrap_or_default();
    let (width, height, rate) = (most(2), most(3), most(4));
    let rate = if rate > 0.0 { rate.min(RATE) } else { RATE };
    let fits = |(wide, high): &(u32, u32)| f64::from(*wide) <= width && f64::from(*high) <= height;
    CameraInfo {
        source: CameraSource::Device(camera.get(0).as_string().unwrap_or_default()),
        label: camera.get(1).as_string().unwrap_or_default(),
        modes: COMMON
            .iter()
            .filter(|size| fits(size))
            .map(|(width, height)| (*width, *height, rate))
            .collect(),
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Listing")
    }
}
