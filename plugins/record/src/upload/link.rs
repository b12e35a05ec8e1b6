//! The seam to HTTP: one call at a time, its body fed in chunks, its answer polled for.

/// How many bytes a chunk of a body has at most.
pub(super) const CHUNK_BYTES: usize = 256 * 1024;

/// The longest answer that is read.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks.
    Get,
    /// Tells.
    Post,
    /// Puts a body to a place.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// As HTTP spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What a call begins with; its body of `length` bytes is fed afterwards.
#[derive(Clone)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The address. It may hold a signature: not for logs.
    pub url: String,
    /// The headers, the length of the body left out. They may hold the token: not for logs.
    pub headers: Vec<(String, String)>,
    /// How many bytes the body has.
    pub length: u64,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The header `ETag`: how the place names a part that it got.
    pub etag: Option<String>,
    /// The header `Link`: where the next page of a list is.
    pub link: Option<String>,
    /// The header `Retry-After`, seconds.
    pub retry_after_secs: Option<f64>,
    /// The body, at most 32 MiB.
    pub body: Vec<u8>,
}

/// No answer came: no connection, a cut one, or a timeout. In words, without address and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// Makes HTTP calls, one after another, and waits for nothing.
pub trait Link {
    /// Begins a call. One that is under way is given up.
    fn begin(&mut self, head: Head);

    /// Whether another chunk of the body is taken now.
    fn has_room(&self) -> bool;

    /// Takes the next chunk of the body, of at most 256 KiB.
    fn feed(&mut self, chunk: Vec<u8>);

    /// The answer, once. It may come before the body is whole: a refusal.
    fn poll(&mut self) -> Option<Result<Answer, Broken>>;
}
