//! HTTP natively: a thread for each call that is under way.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use ureq::http;
use ureq::{Agent, SendBody};

use super::link::{Answer, Broken, Head, Link, MAX_ANSWER_BYTES};

/// How many chunks of a body wait to be sent.
const WAITING_CHUNKS: usize = 4;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(20);
/// How long nothing may move while a body is sent or an answer read.
const STALL: Duration = Duration::from_secs(60);
/// How long the hub may think about an answer: a commit of many files takes it a while.
const THINK: Duration = Duration::from_secs(180);

/// Makes calls by HTTP, with TLS. Clones share their connections.
#[derive(Debug)]
pub struct HttpLink {
    agent: Arc<Agent>,
    job: Option<Job>,
}

/// A call on its thread. The thread ends when its call does; it is told to by the end of these.
#[derive(Debug)]
struct Job {
    chunks: Sender<Vec<u8>>,
    answer: Receiver<Result<Answer, Broken>>,
}

impl HttpLink {
    /// A link without connections. Proxies are taken from the environment, as is usual.
    #[must_use]
    pub fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(THINK))
            .timeout_per_write(Some(STALL))
            .timeout_recv_response(Some(THINK))
            .user_agent(concat!("forearm/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: Arc::new(Agent::new_with_config(config)),
            job: None,
        }
    }
}

impl Default for HttpLink {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for HttpLink {
    /// One that shares connections, and makes its own calls.
    fn clone(&self) -> Self {
        Self {
            agent: Arc::clone(&self.agent),
            job: None,
        }
    }
}

impl Link for HttpLink {
    fn begin(&mut self, head: Head) {
        let (chunks, body) = bounded(WAITING_CHUNKS);
        let (answered, answer) = bounded(1);
        let agent = Arc::clone(&self.agent);
        let failed = answered.clone();
        let thread = std::thread::Builder::new().name("upload".to_owned());
        let spawned = thread.spawn(move || {
            let chunks = Chunks {
                chunks: body,
                current: io::Cursor::default(),
                left: head.length,
            };
            // Nobody waits any more if the call was given up.
            drop(answered.send(exchange(&agent, &head, chunks)));
        });
        if let Err(error) = spawned {
            drop(failed.send(Err(Broken(format!("no thread can be started: {error}")))));
        }
        self.job = Some(Job { chunks, answer });
    }

    fn has_room(&self) -> bool {
        self.job.as_ref().is_some_and(|job| !job.chunks.is_full())
    }

    fn feed(&mut self, chunk: Vec<u8>) {
        if let Some(job) = &self.job {
            // The call has ended early if nobody takes it; its answer says why.
            drop(job.chunks.try_send(chunk));
        }
    }

    fn poll(&mut self) -> Option<Result<Answer, Broken>> {
        let result = match self.job.as_ref()?.answer.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(Broken("the call came to no end".to_owned())),
        };
        self.job = None;
        Some(result)
    }
}

/// One call, on its thread.
fn exchange(agent: &Agent, head: &Head, mut body: Chunks) -> Result<Answer, Broken> {
    let mut request = http::Request::builder()
        .method(head.method.name())
        .uri(&head.url);
    for (name, value) in &head.headers {
        request = request.header(name, value);
    }
    let broken = |error: ureq::Error| Broken(error.to_string());
    let malformed = |error: http::Error| Broken(error.to_string());
    let response = if head.length == 0 {
        agent.run(request.body(SendBody::none()).map_err(malformed)?)
    } else {
        let request = request.header("Content-Length", head.length);
        let request = request.body(SendBody::from_reader(&mut body));
        agent.run(request.map_err(malformed)?)
    };
    let mut response = response.map_err(broken)?;
    let text = |name: &str| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        etag: text("etag"),
        link: text("link"),
        retry_after_secs: text("retry-after").and_then(|value| value.trim().parse().ok()),
        body: Vec::new(),
    };
    let reader = response.body_mut().with_config();
    let reader = reader.limit(MAX_ANSWER_BYTES as u64);
    answer.body = reader.read_to_vec().map_err(broken)?;
    Ok(answer)
}

/// A body, as its chunks come.
struct Chunks {
    chunks: Receiver<Vec<u8>>,
    current: io::Cursor<Vec<u8>>,
    left: u64,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            self.left = self.left.saturating_sub(read as u64);
            if read > 0 || buffer.is_empty() || self.left == 0 {
                return Ok(read);
            }
            match self.chunks.recv() {
                Ok(chunk) => self.current = io::Cursor::new(chunk),
                Err(_) => return Err(io::Error::other("the upload was cancelled")),
            }
        }
    }
}
