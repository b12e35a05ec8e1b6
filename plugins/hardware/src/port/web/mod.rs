//! Serial ports in a browser: Web Serial, on the thread that asks or by way of the page.
//!
//! A person allows a port on the page ([`request`]); after that every thread of the site sees it.
//! Chromium's workers open ports themselves. Where workers have no Web Serial the page opens them
//! (the **bridge**): it has to [`offer`] so. The bytes of a whole cycle then travel in one message
//! each way. Which way is gone is found out once a thread; the page may ask for the bridge, too.
//!
//! A port has no name in a browser: it is called `serial:` and a number, in the order in which ports
//! were first seen (`book`).

mod binding;
mod bridge;
mod host;
mod local;

use std::fmt;
use std::rc::Rc;

use forearm_protocol::servo::PortInfo;
use wasm_bindgen_futures::JsFuture;

use self::binding::{said, serial};
use self::bridge::BridgePort;
use self::local::LocalPort;
use super::adapter_maker;

pub use host::offer;

/// What a port's name begins with; its number follows.
const SERIAL: &str = "serial:";

fn port_name(number: usize) -> String {
    format!("{SERIAL}{number}")
}

fn number_of(name: &str) -> Option<usize> {
    name.strip_prefix(SERIAL)?.parse().ok()
}

/// Why there is no port, or no open one; and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebSerialError {
    /// The browser has none.
    #[error(
        "this browser has no Web Serial, so no page of it reaches a real arm: use Chrome, Edge or \
         another Chromium browser, or Firefox 151 or later, on a computer; or the native program"
    )]
    NoWebSerial,
    /// The page may not have any.
    #[error(
        "browsers hand serial ports only to pages that came over https or from this computer: open \
         this page by its https address, or by localhost"
    )]
    Insecure,
    /// The browser or a policy of the site forbids it.
    #[error(
        "the browser does not tell its serial ports ({why}): allow them in the site's settings"
    )]
    Refused {
        /// The browser's words.
        why: String,
    },
    /// A person was asked and chose none.
    #[error("no port was chosen: plug the arm's USB cable in, and choose it in the browser's list")]
    NotChosen,
    /// No port is called so in a browser.
    #[error(
        "`{port}` is no port of a browser; these are called `serial:` and a number; {}",
        there(.available)
    )]
    NoName {
        /// What was asked for.
        port: String,
        /// Names of the ports that are there.
        available: Vec<String>,
    },
    /// There is no such port.
    #[error(
        "there is no port {port}: plug the arm's USB cable in; if that was done, allow it with “Add a \
         port…”; {}",
        there(.available)
    )]
    NotFound {
        /// What was asked for.
        port: String,
        /// Names of the ports that are there.
        available: Vec<String>,
    },
    /// It was there and is unplugged.
    #[error(
        "{port} is unplugged: plug its USB cable in again, it is taken up by itself; an adapter \
         without a serial number has to be allowed anew, with “Add a port…”"
    )]
    Away {
        /// What was asked for.
        port: String,
    },
    /// It can't be told from another one.
    #[error(
        "{port} and others of its kind were unplugged, and a browser can't tell which of them is \
         back: plug all of them in"
    )]
    Doubtful {
        /// What was asked for.
        port: String,
    },
    /// Another arm has it.
    #[error("{port} is in use by another arm: disconnect that one first")]
    InUse {
        /// What was asked for.
        port: String,
    },
    /// It can't be opened now.
    #[error(
        "{port} is in use by another tab or program, or was pulled just now ({why}): close what has \
         it, or plug it in again"
    )]
    Busy {
        /// What was asked for.
        port: String,
        /// The browser's words.
        why: String,
    },
    /// It went away while it was open.
    #[error("{port} is gone ({why}); plug its USB cable in again, it is taken up by itself")]
    Lost {
        /// What was asked for.
        port: String,
        /// The browser's words.
        why: String,
    },
    /// Anything else.
    #[error("{port} can't be opened at {baud} baud: {why}; unplug it and plug it in again")]
    Other {
        /// What was asked for.
        port: String,
        /// Bits a second that were asked for.
        baud: u32,
        /// The browser's words.
        why: String,
    },
}

fn there(available: &[String]) -> String {
    match available.is_empty() {
        true => "no port is allowed yet".to_owned(),
        false => format!("there: {}", available.join(", ")),
    }
}

/// What becomes of a port.
pub(crate) enum PortEvent<'a> {
    /// It is open.
    Opened,
    /// It could not be opened: why, and what to do.
    Failed {
        /// Whether it is worth while to try again at once, without a word.
        soon: bool,
        /// For people.
        why: String,
    },
    /// Bytes have come.
    Bytes(&'a [u8]),
    /// It is gone: why, and what to do.
    Lost(String),
    /// It was closed, as asked.
    Closed,
}

/// Hears what becomes of a port. Never called from inside a call of [`WebPort`].
pub(crate) type Sink = Rc<dyn Fn(PortEvent<'_>)>;

/// A port by its name, wherever it is opened.
pub(crate) enum WebPort {
    Here(LocalPort),
    OnPage(BridgePort),
}

impl fmt::Debug for WebPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Here(_) => "Here",
            Self::OnPage(_) => "OnPage",
        })
    }
}

impl WebPort {
    /// Finds out how ports are reached.
    pub(crate) async fn reach(name: String, sink: Sink) -> Result<Self, WebSerialError> {
        match bridge::way().await? {
            bridge::Way::Here => Ok(Self::Here(LocalPort::new(name, sink))),
            bridge::Way::Page => BridgePort::new(name, sink).map(Self::OnPage),
        }
    }

    /// Begins to open it.
    pub(crate) fn open(&self, baud: u32) {
        match self {
            Self::Here(port) => port.open(baud),
            Self::OnPage(port) => port.open(baud),
        }
    }

    /// Sends bytes.
    pub(crate) fn write(&self, bytes: &[u8]) {
        match self {
            Self::Here(port) => port.write(bytes),
            Self::OnPage(port) => port.write(bytes),
        }
    }

    /// Begins to close it; what was written is sent first.
    pub(crate) fn close(&self) {
        match self {
            Self::Here(port) => port.close(),
            Self::OnPage(port) => port.close(),
        }
    }
}

/// The ports that a person has allowed, likely servo adapters first.
///
/// # Errors
/// The browser has no ports for this page.
pub async fn list() -> Result<Vec<PortInfo>, WebSerialError> {
    let found = match bridge::way().await? {
        bridge::Way::Here => local::look().await?,
        bridge::Way::Page => bridge::look().await?,
    };
    let mut ports: Vec<_> = found
        .into_iter()
        .map(|(name, usb)| PortInfo {
            name,
            product: None,
            usb,
            serial_number: None,
            likely_arm: usb.is_some_and(|(vendor, _)| adapter_maker(vendor).is_some()),
        })
        .collect();
    ports.sort_by_key(|port| !port.likely_arm);
    Ok(ports)
}

/// Why a page's person can't allow a port; `None` if they can. For the page's own thread.
#[must_use]
pub fn obstacle() -> Option<WebSerialError> {
    serial().is_none().then(WebSerialError::missing)
}

/// Has the browser ask its person for a port. To be called on the page's own thread, soon after a
/// click or a key.
///
/// # Errors
/// [`WebSerialError::NotChosen`], or the browser does not ask.
pub fn request() -> impl Future<Output = Result<(), WebSerialError>> {
    // Asked before anything is waited for: the browser counts the time since the click.
    let asked = serial()
        .ok_or_else(WebSerialError::missing)
        .and_then(|serial| serial.request_port().map_err(|error| refused(&error)));
    async move {
        let answer = JsFuture::from(asked?).await;
        answer.map(drop).map_err(|error| refused(&error))
    }
}

fn refused(error: &wasm_bindgen::JsValue) -> WebSerialError {
    match said(error) {
        (name, _) if name == "NotFoundError" => WebSerialError::NotChosen,
        (_, why) => WebSerialError::Refused { why },
    }
}
