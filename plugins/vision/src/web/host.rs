//! The page's end of cameras: asks the browser, which asks its person.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use forearm_workers::web::offer as offer_on_page;
use js_sys::{Array, Function, Object};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageEvent, MessagePort};

use super::binding::{
    MediaStream, MediaStreamTrack, MediaStreamTrackProcessor, VideoElement, VideoFrame,
    create_element, get, has, media_devices, number, said, set, shared_secs_at, text,
};
use super::said::{OFFER, answer, failed};

/// What a camera is asked for, frames a second.
const RATE: f64 = 30.0;
/// Frames that the browser may keep for the worker; it drops older ones.
const BUFFER_FRAMES: u32 = 2;
/// Frames that may be on their way to the worker, where the page hands each over.
const UNDER_WAY: u32 = 2;

const NO_CAMERAS: &str = "this browser gives this page no cameras: open it with https or on localhost, \
                          in a current Chrome, Edge, Firefox or Safari";

/// Opens cameras for services from now on. With `by_video` each frame is taken out of a `<video>`,
/// also where streams could be handed over: for tests. To be called on the page's own thread.
pub fn offer(by_video: bool) {
    offer_on_page(OFFER, move |channel| Session::begin(channel, by_video));
}

/// One channel to a worker.
struct Session {
    channel: MessagePort,
    by_video: bool,
    /// Counts what was opened: what comes of an earlier attempt is dropped.
    attempt: Cell<u64>,
    open: RefCell<Option<Open>>,
    under_way: Cell<u32>,
}

/// A camera that is open. It is switched off when this is dropped.
struct Open {
    track: MediaStreamTrack,
    film: Option<Film>,
    _on_ended: Closure<dyn FnMut()>,
}

/// A `<video>` that frames are taken out of.
struct Film {
    video: VideoElement,
    /// The number of the call that is asked for.
    next: Rc<Cell<f64>>,
    _on_frame: Closure<dyn FnMut(f64, JsValue)>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.track.set_onended(None);
        self.track.stop();
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        self.video.cancel_frame(self.next.get());
        self.video.set_source(None);
    }
}

/// Ends a session when its worker has ended.
struct Keeper {
    session: Rc<Session>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.session.close();
        self.session.channel.set_onmessage(None);
        self.session.channel.close();
    }
}

impl Session {
    fn begin(channel: MessagePort, by_video: bool) -> Box<dyn Any> {
        let session = Rc::new(Self {
            channel,
            by_video,
            attempt: Cell::new(0),
            open: RefCell::default(),
            under_way: Cell::new(0),
        });
        let hearing = Rc::downgrade(&session);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(session) = hearing.upgrade() {
                session.hear(&event.data());
            }
        });
        let listener = on_message.as_ref().unchecked_ref();
        session.channel.set_onmessage(Some(listener));
        Box::new(Keeper {
            session,
            _on_message: on_message,
        })
    }

    fn hear(self: &Rc<Self>, message: &JsValue) {
        match text(message, "do").as_str() {
            "look" => {
                let session = Rc::clone(self);
                spawn_local(async move {
                    let told = look().await.unwrap_or_else(|why| failed(&why));
                    session.post(&told);
                });
            }
            "open" => {
                let wanted = constraints(
                    &text(message, "device"),
                    [number(message, "width"), number(message, "height")],
                );
                let session = Rc::clone(self);
                spawn_local(async move { session.open(wanted).await });
            }
            "taken" => {
                let left = self.under_way.get().saturating_sub(1);
                self.under_way.set(left);
            }
            "close" => self.close(),
            _ => {}
        }
    }

    fn close(&self) {
        self.attempt.set(self.attempt.get() + 1);
        self.open.take();
    }

    async fn open(self: &Rc<Self>, wanted: Object) {
        self.close();
        let attempt = self.attempt.get();
        let stream = ask(&wanted).await;
        if self.attempt.get() != attempt {
            // It was closed, or opened anew, meanwhile.
            if let Ok(stream) = stream {
                stop(&stream);
            }
            return;
        }
        let opened = match stream {
            Ok(stream) => self.take(&stream, attempt).map_err(|error| refusal(&error)),
            Err(refused) => Err(refused),
        };
        if let Err((why, again)) = opened {
            self.close();
            let told = failed(&why);
            set(&told, "again", again);
            self.post(&told);
        }
    }

    fn take(self: &Rc<Self>, stream: &MediaStream, attempt: u64) -> Result<(), JsValue> {
        let track: MediaStreamTrack = stream.video_tracks().get(0).unchecked_into();
        let session = Rc::downgrade(self);
        let on_ended = Closure::<dyn FnMut()>::new(move || {
            let Some(session) = session.upgrade() else {
                return;
            };
            if session.attempt.get() == attempt {
                let lost = answer("lost");
                set(
                    &lost,
                    "why",
                    "the camera went away; plug it in again, it is taken up by itself",
                );
                session.post(&lost);
            }
        });
        track.set_onended(Some(on_ended.as_ref().unchecked_ref()));
        let mut open = Open {
            track: track.clone(),
            film: None,
            _on_ended: on_ended,
        };
        if !self.by_video && has("MediaStreamTrackProcessor") {
            let init = Object::new();
            set(&init, "track", track);
            set(&init, "maxBufferSize", BUFFER_FRAMES);
            let readable = MediaStreamTrackProcessor::new(&init)?.readable();
            let opened = answer("opened");
            set(&opened, "readable", &readable);
            self.channel
                .post_message_with_transferable(&opened, &Array::of1(&readable))?;
        } else {
            open.film = Some(self.film(stream, attempt)?);
            self.post(&answer("opened"));
        }
        self.open.replace(Some(open));
        Ok(())
    }

    /// Takes frames out of a `<video>`, as many as the worker keeps up with.
    fn film(self: &Rc<Self>, stream: &MediaStream, attempt: u64) -> Result<Film, JsValue> {
        let video = create_element("video")?;
        video.set_muted(true);
        video.set_source(Some(stream));
        self.under_way.set(0);
        let session = Rc::downgrade(self);
        let next: Rc<Cell<f64>> = Rc::default();
        let again: Rc<RefCell<Option<Function>>> = Rc::default();
        let (film, number, work) = (video.clone(), Rc::clone(&next), Rc::clone(&again));
        let on_frame = Closure::<dyn FnMut(f64, JsValue)>::new(move |now, about: JsValue| {
            let session = session.upgrade();
            let Some(session) = session.filter(|session| session.attempt.get() == attempt) else {
                return;
            };
            let taken = get(&about, "captureTime").as_f64().unwrap_or(now);
            session.hand_over(&film, taken);
            if let Some(work) = &*work.borrow() {
                number.set(film.request_frame(work).unwrap_or_default());
            }
        });
        let function: &Function = on_frame.as_ref().unchecked_ref();
        next.set(video.request_frame(function)?);
        again.replace(Some(function.clone()));
        let playing = video.play()?;
        spawn_local(async move {
            if let Err(error) = JsFuture::from(playing).await {
                tracing::warn!("a camera's pictures don't play: {}", said(&error).1);
            }
        });
        Ok(Film {
            video,
            next,
            _on_frame: on_frame,
        })
    }

    fn hand_over(&self, video: &VideoElement, taken_millis: f64) {
        if self.under_way.get() >= UNDER_WAY {
            return;
        }
        let init = Object::new();
        set(&init, "timestamp", (taken_millis * 1e3).round());
        // Before the first picture is there, there is no frame.
        let Ok(frame) = VideoFrame::new(video, &init) else {
            return;
        };
        let told = answer("frame");
        set(&told, "frame", &frame);
        set(&told, "secs", shared_secs_at(taken_millis));
        let sent = self
            .channel
            .post_message_with_transferable(&told, &Array::of1(&frame));
        match sent {
            Ok(()) => self.under_way.set(self.under_way.get() + 1),
            Err(_not_transferable) => frame.close(),
        }
    }

    fn post(&self, message: &Object) {
        if let Err(error) = self.channel.post_message(message) {
            tracing::warn!("a worker does not hear of its camera: {error:?}");
        }
    }
}

fn stop(stream: &MediaStream) {
    for track in stream.video_tracks().iter() {
        track.unchecked_ref::<MediaStreamTrack>().stop();
    }
}

fn constraints(device: &str, size: [f64; 2]) -> Object {
    let ideal = |value: f64| {
        let ideal = Object::new();
        set(&ideal, "ideal", value);
        ideal
    };
    let video = Object::new();
    if !device.is_empty() {
        let exact = Object::new();
        set(&exact, "exact", device);
        set(&video, "deviceId", exact);
    }
    for (name, value) in ["width", "height"].into_iter().zip(size) {
        if value > 0.0 {
            set(&video, name, ideal(value));
        }
    }
    set(&video, "frameRate", ideal(RATE));
    let wanted = Object::new();
    set(&wanted, "video", video);
    set(&wanted, "audio", false);
    wanted
}

/// Has the browser open a camera; it may ask its person first. What failed, and whether it is worth
/// while to try again.
async fn ask(wanted: &Object) -> Result<MediaStream, (String, bool)> {
    let devices = media_devices().ok_or_else(|| (NO_CAMERAS.to_owned(), false))?;
    let stream = match devices.get_user_media(wanted) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    match stream {
        Ok(stream) => Ok(stream.unchecked_into()),
        Err(error) => Err(refusal(&error)),
    }
}

/// Why a camera is not there, for people; and whether to try again without being asked.
fn refusal(error: &JsValue) -> (String, bool) {
    let (name, why) = said(error);
    match name.as_str() {
        "NotAllowedError" | "SecurityError" => (
            "the browser may not use a camera for this page: allow it by the sign beside the address, \
             then open the camera again"
                .to_owned(),
            false,
        ),
        "NotFoundError" | "OverconstrainedError" => (
            "the camera is not there: plug it in, or choose another".to_owned(),
            true,
        ),
        "NotReadableError" | "AbortError" => (
            format!("the camera can't be read ({why}): close other programs that use it"),
            true,
        ),
        _ => (format!("the camera can't be opened: {why}"), true),
    }
}

/// The cameras that the browser tells of. Before a person has allowed one it tells no names.
async fn look() -> Result<Object, String> {
    let devices = media_devices().ok_or(NO_CAMERAS)?;
    let found = match devices.enumerate_devices() {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    let found: Array = found.map_err(|error| said(&error).1)?.unchecked_into();
    let cameras = Array::new();
    let only = |found: &JsValue| text(found, "kind") == "videoinput";
    for (place, device) in found.iter().filter(only).enumerate() {
        let label = match text(&device, "label") {
            label if label.is_empty() => format!("Camera {} (not allowed yet)", place + 1),
            label => label,
        };
        let most = most_of(&device);
        let camera = Array::of2(&text(&device, "deviceId").into(), &label.into());
        for name in ["width", "height", "frameRate"] {
            camera.push(&number(&get(&most, name), "max").into());
        }
        cameras.push(&camera);
    }
    let told = answer("cameras");
    set(&told, "cameras", cameras);
    Ok(told)
}

/// What a device can do, where the browser tells.
fn most_of(device: &JsValue) -> JsValue {
    let tell = get(device, "getCapabilities").dyn_into::<Function>();
    tell.and_then(|tell| tell.call0(device)).unwrap_or_default()
}
