//! A port of this thread: found by its number, opened, read until it is gone.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::binding::{Reader, SerialPort, Writer, get, is_secure, said, serial, set, usb_of};
use super::{PortEvent, Sink, WebSerialError, number_of, port_name};
use crate::port::book::{Book, Found};

/// How much may wait to be read, bytes: far more than a cycle brings.
const BUFFER: u32 = 4096;

thread_local! {
    static BOOK: RefCell<Book<SerialPort>> = const { RefCell::new(Book::new()) };
    /// Ports that are being closed: they can soon be opened again.
    static CLOSING: Cell<usize> = const { Cell::new(0) };
}

/// Looks which ports there are; answers their names and makes.
pub(super) async fn look() -> Result<Vec<(String, Option<(u16, u16)>)>, WebSerialError> {
    let serial = serial().ok_or_else(WebSerialError::missing)?;
    let ports = match serial.get_ports() {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    let ports: Array = ports
        .map_err(|error| WebSerialError::Refused {
            why: said(&error).1,
        })?
        .unchecked_into();
    let ports: Vec<_> = ports
        .iter()
        .filter(|port| get(port, "connected") != JsValue::FALSE)
        .map(|port| {
            let port: SerialPort = port.unchecked_into();
            let usb = usb_of(&port);
            (port, usb)
        })
        .collect();
    Ok(BOOK.with_borrow_mut(|book| {
        book.see(&ports);
        let there = book.there();
        there
            .map(|(number, usb)| (port_name(number), usb))
            .collect()
    }))
}

/// A port by its name: opened, and again after it was away.
#[derive(Clone)]
pub(crate) struct LocalPort(Rc<Inner>);

struct Inner {
    name: String,
    sink: Sink,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Counts what was begun: what an earlier attempt brings is dropped.
    attempt: u64,
    /// The number that is held.
    held: Option<usize>,
    open: Option<Open>,
}

struct Open {
    port: SerialPort,
    reader: Reader,
    writer: Writer,
    on_write_error: Closure<dyn FnMut(JsValue)>,
}

impl LocalPort {
    pub(super) fn new(name: String, sink: Sink) -> Self {
        Self(Rc::new(Inner {
            name,
            sink,
            state: RefCell::default(),
        }))
    }

    /// Begins to open it: [`PortEvent::Opened`] or [`PortEvent::Failed`] tells.
    pub(super) fn open(&self, baud: u32) {
        let inner = Rc::clone(&self.0);
        let attempt = inner.begin();
        spawn_local(async move {
            let opened = inner.find_and_open(baud).await;
            if !inner.is(attempt) {
                // It was closed meanwhile.
                if let Ok(port) = opened {
                    settle(port.close()).await;
                }
                return;
            }
            match opened.and_then(|port| inner.take(port, attempt)) {
                Ok(reader) => {
                    (inner.sink)(PortEvent::Opened);
                    inner.read(attempt, reader).await;
                }
                Err(error) => (inner.sink)(PortEvent::Failed {
                    soon: CLOSING.get() > 0,
                    why: error.to_string(),
                }),
            }
        });
    }

    /// Sends bytes. What fails is told by [`PortEvent::Lost`].
    pub(super) fn write(&self, bytes: &[u8]) {
        if let Some(open) = &self.0.state.borrow().open {
            let written = open.writer.write(&Uint8Array::from(bytes));
            drop(written.catch(&open.on_write_error));
        }
    }

    /// Closes it when what was written is on its way: [`PortEvent::Closed`] tells.
    pub(super) fn close(&self) {
        let inner = Rc::clone(&self.0);
        inner.begin();
        let open = inner.state.borrow_mut().open.take();
        CLOSING.set(CLOSING.get() + 1);
        spawn_local(async move {
            if let Some(open) = open {
                settle(Ok(open.writer.close())).await;
                give_back(open).await;
            }
            inner.let_go();
            CLOSING.set(CLOSING.get().saturating_sub(1));
            (inner.sink)(PortEvent::Closed);
        });
    }
}

impl Inner {
    fn begin(&self) -> u64 {
        let mut state = self.state.borrow_mut();
        state.attempt += 1;
        state.attempt
    }

    fn is(&self, attempt: u64) -> bool {
        self.state.borrow().attempt == attempt
    }

    fn let_go(&self) {
        if let Some(number) = self.state.borrow_mut().held.take() {
            BOOK.with_borrow_mut(|book| book.hold(number, false));
        }
    }

    async fn find_and_open(&self, baud: u32) -> Result<SerialPort, WebSerialError> {
        let available = look().await?.into_iter().map(|(name, _)| name);
        let port = || self.name.clone();
        let number = number_of(&self.name).ok_or_else(|| WebSerialError::NoName {
            port: port(),
            available: available.clone().collect(),
        })?;
        let mut state = self.state.borrow_mut();
        let found = BOOK.with_borrow_mut(|book| match book.find(number) {
            Found::Unknown => Err(WebSerialError::NotFound {
                port: port(),
                available: available.collect(),
            }),
            // Held also while it is away: so it is known who waits for it.
            _ if state.held.is_none() && !book.hold(number, true) => {
                Err(WebSerialError::InUse { port: port() })
            }
            found => Ok(found),
        })?;
        state.held = Some(number);
        drop(state);
        let found = match found {
            Found::There(port) => port,
            Found::Doubtful => return Err(WebSerialError::Doubtful { port: port() }),
            Found::Missing | Found::Unknown => return Err(WebSerialError::Away { port: port() }),
        };
        let options = Object::new();
        set(&options, "baudRate", baud);
        set(&options, "dataBits", 8);
        set(&options, "stopBits", 1);
        set(&options, "parity", "none");
        set(&options, "flowControl", "none");
        set(&options, "bufferSize", BUFFER);
        let opened = match found.open(&options) {
            Ok(promise) => JsFuture::from(promise).await,
            Err(error) => Err(error),
        };
        match opened {
            Ok(_) => Ok(found),
            Err(error) => {
                let (name, why) = said(&error);
                let port = port();
                Err(match name.as_str() {
                    "InvalidStateError" | "NetworkError" => WebSerialError::Busy { port, why },
                    _ => WebSerialError::Other { port, baud, why },
                })
            }
        }
    }

    /// Takes the port's streams.
    fn take(self: &Rc<Self>, port: SerialPort, attempt: u64) -> Result<Reader, WebSerialError> {
        let lost = |why: String| WebSerialError::Lost {
            port: self.name.clone(),
            why,
        };
        let gone = || lost("it went away while it was opened".to_owned());
        let readable = port.readable().ok_or_else(gone)?;
        let writable = port.writable().ok_or_else(gone)?;
        let reader = readable
            .get_reader()
            .map_err(|error| lost(said(&error).1))?;
        let writer = writable
            .get_writer()
            .map_err(|error| lost(said(&error).1))?;
        let told = Rc::downgrade(self);
        let on_write_error = Closure::new(move |error: JsValue| {
            if let Some(inner) = told.upgrade() {
                inner.lose(attempt, said(&error).1);
            }
        });
        self.state.borrow_mut().open = Some(Open {
            port,
            reader: reader.clone(),
            writer,
            on_write_error,
        });
        Ok(reader)
    }

    /// Reads until the port is closed or gone.
    async fn read(self: &Rc<Self>, attempt: u64, mut reader: Reader) {
        loop {
            let read = JsFuture::from(reader.read()).await;
            if !self.is(attempt) {
                return;
            }
            match read {
                Ok(chunk) if !get(&chunk, "done").is_truthy() => {
                    let bytes: Uint8Array = get(&chunk, "value").unchecked_into();
                    (self.sink)(PortEvent::Bytes(&bytes.to_vec()));
                }
                Ok(_) => return self.lose(attempt, "its stream has ended".to_owned()),
                // A disturbance on the line ends the stream; another one takes its place.
                Err(error) => match self.read_on(&reader) {
                    Some(next) => reader = next,
                    None => return self.lose(attempt, said(&error).1),
                },
            }
        }
    }

    /// A reader of the stream that has taken the place of a broken one.
    fn read_on(&self, broken: &Reader) -> Option<Reader> {
        let mut state = self.state.borrow_mut();
        let open = state.open.as_mut()?;
        broken.release_lock().ok()?;
        let reader = open.port.readable()?.get_reader().ok()?;
        open.reader = reader.clone();
        Some(reader)
    }

    fn lose(self: &Rc<Self>, attempt: u64, why: String) {
        if !self.is(attempt) {
            return;
        }
        self.begin();
        let open = self.state.borrow_mut().open.take();
        let inner = Rc::clone(self);
        spawn_local(async move {
            if let Some(open) = open {
                give_back(open).await;
            }
            let port = inner.name.clone();
            (inner.sink)(PortEvent::Lost(
                WebSerialError::Lost { port, why }.to_string(),
            ));
        });
    }
}

/// Closes a port; one that is gone already has nothing against it.
async fn give_back(open: Open) {
    settle(Ok(open.reader.cancel())).await;
    open.reader.release_lock().ok();
    open.writer.release_lock().ok();
    settle(open.port.close()).await;
}

/// Waits for a promise whose failure changes nothing.
async fn settle(promise: Result<js_sys::Promise, JsValue>) {
    if let Ok(promise) = promise
        && let Err(error) = JsFuture::from(promise).await
    {
        tracing::debug!("closing a port: {}", said(&error).1);
    }
}

impl WebSerialError {
    /// This thread has no Web Serial: why, and what to do.
    pub(super) fn missing() -> Self {
        match is_secure() {
            true => Self::NoWebSerial,
            false => Self::Insecure,
        }
    }
}
