//! The worker's end of a camera: frames as they come, and attempts to have it back when it is gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use forearm_workers::web::{Alarm, ask_page};
use send_wrapper::SendWrapper;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageEvent, MessagePort};

use super::binding::{Readable, Reader, VideoFrame, get, number, said, set, shared_secs, text};
use super::said::{OFFER, order};
use super::stamps::Stamps;
use super::video::{Reading, Video};

/// Frames that may wait to be taken. The camera has few of them: they are its own memory.
const QUEUE_FRAMES: usize = 3;
/// Time between two attempts to open a camera, milliseconds.
const RETRY_MILLIS: f64 = 1000.0;

/// What is told of a camera.
pub(crate) enum Told {
    /// A picture, and when it was taken, seconds on the shared clock.
    Frame(Video, f64),
    /// So many frames came and were not taken in time.
    Dropped(u64),
    /// No frames come; why, and what to do.
    Lost(String),
}

/// A camera of the page.
pub(crate) struct Device(SendWrapper<Rc<Desk>>);

struct Desk {
    channel: MessagePort,
    device: String,
    resolution: Option<[u32; 2]>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    frames: VecDeque<(Video, f64)>,
    dropped: u64,
    lost: Option<String>,
    /// Counts what was opened: what an earlier stream brings is dropped.
    opened: u64,
    reader: Option<Reader>,
    alarm: Option<Alarm>,
    closed: bool,
    on_message: Option<Closure<dyn FnMut(MessageEvent)>>,
    on_alarm: Option<Closure<dyn FnMut()>>,
}

impl Device {
    /// Begins to open a camera by its `deviceId`, the browser's default for an empty one.
    ///
    /// # Errors
    /// The browser's words, if the page can't be asked at all.
    pub(crate) fn open(device: &str, resolution: Option<[u32; 2]>) -> Result<Self, String> {
        let desk = Rc::new(Desk {
            channel: ask_page(OFFER)?,
            device: device.to_owned(),
            resolution,
            state: RefCell::default(),
        });
        let hearing = Rc::downgrade(&desk);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(desk) = hearing.upgrade() {
                desk.hear(&event.data());
            }
        });
        desk.channel
            .set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let ringing = Rc::downgrade(&desk);
        let on_alarm = Closure::<dyn FnMut()>::new(move || {
            if let Some(desk) = ringing.upgrade() {
                desk.ask();
            }
        });
        let mut state = desk.state.borrow_mut();
        state.alarm = Some(Alarm::new(on_alarm.as_ref()));
        state.on_message = Some(on_message);
        state.on_alarm = Some(on_alarm);
        drop(state);
        desk.ask();
        Ok(Self(SendWrapper::new(desk)))
    }

    /// What is new, oldest first.
    pub(crate) fn poll(&mut self) -> Option<Told> {
        let mut state = self.0.state.borrow_mut();
        if state.dropped > 0 {
            return Some(Told::Dropped(std::mem::take(&mut state.dropped)));
        }
        if let Some((video, secs)) = state.frames.pop_front() {
            return Some(Told::Frame(video, secs));
        }
        state.lost.take().map(Told::Lost)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let desk = &self.0;
        desk.channel.post_message(&order("close")).ok();
        desk.channel.set_onmessage(None);
        desk.channel.close();
        let mut state = desk.state.borrow_mut();
        state.closed = true;
        state.opened += 1;
        state.frames.clear();
        if let Some(alarm) = &mut state.alarm {
            alarm.clear();
        }
        leave(state.reader.take());
    }
}

/// Ends a stream that is read.
fn leave(reader: Option<Reader>) {
    if let Some(reader) = reader {
        let cancelled = reader.cancel();
        spawn_local(async move {
            JsFuture::from(cancelled).await.ok();
        });
    }
}

impl Desk {
    fn ask(&self) {
        let [width, height] = self.resolution.unwrap_or_default();
        let open = order("open");
        set(&open, "device", self.device.as_str());
        set(&open, "width", width);
        set(&open, "height", height);
        self.channel.post_message(&open).ok();
    }

    fn hear(self: &Rc<Self>, message: &JsValue) {
        match text(message, "is").as_str() {
            "opened" => self.opened(&get(message, "readable")),
            "frame" => {
                let frame: VideoFrame = get(message, "frame").unchecked_into();
                let (desk, secs) = (Rc::clone(self), number(message, "secs"));
                spawn_local(async move {
                    let video = Video::new(frame, &mut Reading::default()).await;
                    match video {
                        Ok(video) => desk.keep(video, secs),
                        Err(why) => desk.lose(unreadable(&why), false),
                    }
                    desk.channel.post_message(&order("taken")).ok();
                });
            }
            "failed" => self.lose(text(message, "why"), get(message, "again").is_truthy()),
            "lost" => self.lose(text(message, "why"), true),
            // The page offers no cameras.
            _ => self.lose(
                "this page has no cameras; open the app's own page".to_owned(),
                false,
            ),
        }
    }

    /// Frames come from now on, out of this stream if there is one.
    fn opened(self: &Rc<Self>, readable: &JsValue) {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return;
        }
        state.lost = None;
        state.opened += 1;
        leave(state.reader.take());
        if !readable.is_object() {
            return;
        }
        let readable: &Readable = readable.unchecked_ref();
        match readable.get_reader() {
            Ok(reader) => {
                state.reader = Some(reader.clone());
                let (desk, opened) = (Rc::clone(self), state.opened);
                spawn_local(async move { desk.read(reader, opened).await });
            }
            Err(error) => state.lost = Some(unreadable(&said(&error).1)),
        }
    }

    async fn read(self: Rc<Self>, reader: Reader, opened: u64) {
        let mut stamps = Stamps::default();
        let mut reading = Reading::default();
        loop {
            let read = JsFuture::from(reader.read()).await.unwrap_or_default();
            let now = shared_secs();
            let frame = get(&read, "value");
            let ours = self.state.borrow().opened == opened;
            if !frame.is_object() {
                // The page tells why it ended.
                return;
            }
            let frame: VideoFrame = frame.unchecked_into();
            let captured = stamps.captured(frame.timestamp() / 1e6, now);
            match Video::new(frame, &mut reading).await {
                _ if !ours => return,
                Ok(video) => self.keep(video, captured),
                Err(why) => self.lose(unreadable(&why), false),
            }
        }
    }

    fn keep(&self, video: Video, secs: f64) {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return;
        }
        if state.frames.len() >= QUEUE_FRAMES {
            state.frames.pop_front();
            state.dropped += 1;
        }
        state.frames.push_back((video, secs));
    }

    fn lose(&self, why: String, again: bool) {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return;
        }
        state.lost = Some(why);
        if again && let Some(alarm) = &mut state.alarm {
            alarm.set(RETRY_MILLIS);
        }
    }
}

fn unreadable(why: &str) -> String {
    format!("the camera's pictures can't be read ({why}); use a current Chrome, Edge or Firefox")
}
