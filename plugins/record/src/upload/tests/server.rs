//! A hub for tests, on this machine: it speaks the calls, keeps what it is sent, checks every hash, and
//! fails where it is told to. Storage has an address of its own, as real hubs' has, and signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

pub(super) const TOKEN: &str = "hf_notForLogs";
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What goes wrong at the next call that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// This status, and nothing is done.
    Status(u16),
    /// The connection is cut after so many bytes of the body.
    CutAfter(usize),
    /// It is done, and the answer is lost.
    AnswerLost,
    /// All addresses in storage are no longer good from now on; the call itself is refused.
    Expire,
    /// The same, and what was begun in storage is gone.
    Forget,
}

/// A file in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) bytes: Vec<u8>,
    pub(super) large: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) created: Vec<Value>,
    pub(super) files: BTreeMap<String, Stored>,
    pub(super) commits: Vec<Value>,
    head: u32,
    pub(super) tags: BTreeMap<String, String>,
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, Parts>,
    signature: u32,
    begun: u32,
    /// How often each part of each object was kept.
    pub(super) parts_kept: BTreeMap<(String, usize), u32>,
    /// Every call, method and path, in order.
    pub(super) calls: Vec<String>,
    /// What must never happen.
    pub(super) violations: Vec<String>,
    /// Method and a part of the path; how many fitting calls pass before it; what happens.
    faults: Vec<(&'static str, &'static str, u32, Fault)>,
    /// Objects from this size on go in parts of it.
    part_bytes: usize,
    /// Files a page of a list.
    page: usize,
    ignored: BTreeSet<String>,
}

#[derive(Debug)]
struct Parts {
    oid: String,
    size: usize,
    parts: BTreeMap<usize, Vec<u8>>,
}

/// A running hub. Its threads end with the test program.
#[derive(Clone)]
pub(super) struct Server {
    state: Arc<Mutex<State>>,
    pub(super) endpoint: String,
}

struct Call {
    method: String,
    path: String,
    query: String,
    authorized: Option<String>,
    body: Vec<u8>,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Server {
    pub(super) fn start(part_bytes: usize) -> Self {
        let state = State {
            part_bytes,
            page: 3,
            signature: 1,
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (hub, storage) = (listen(), listen());
        let at =
            |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
        let (endpoint, place) = (at(&hub), at(&storage));
        for (listener, is_hub) in [(hub, true), (storage, false)] {
            let (state, endpoint, place) = (Arc::clone(&state), endpoint.clone(), place.clone());
            spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let state = Arc::clone(&state);
                    let (endpoint, place) = (endpoint.clone(), place.clone());
                    spawn(move || talk(stream, &state, is_hub, &endpoint, &place));
                }
            });
        }
        Self { state, endpoint }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panicked in it")
    }

    /// After so many calls that fit, one goes wrong.
    pub(super) fn fail(&self, method: &'static str, path: &'static str, after: u32, fault: Fault) {
        self.state().faults.push((method, path, after, fault));
    }

    pub(super) fn ignore(&self, path: &str) {
        self.state().ignored.insert(path.to_owned());
    }
}

impl State {
    /// The files of the repository.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let files = self.files.iter();
        files
            .map(|(path, file)| (path.clone(), file.bytes.clone()))
            .collect()
    }

    pub(super) fn head(&self) -> String {
        format!("{:040x}", self.head)
    }

    pub(super) fn count(&self, what: &str) -> usize {
        self.calls.iter().filter(|call| call.contains(what)).count()
    }

    fn fault(&mut self, method: &str, path: &str) -> Option<Fault> {
        let mut faults = self.faults.iter();
        let fitting = faults.position(|fault| fault.0 == method && path.contains(fault.1))?;
        let (.., left, fault) = &mut self.faults[fitting];
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let fault = *fault;
        self.faults.remove(fitting);
        Some(fault)
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("hub".to_owned());
    thread.spawn(work).expect("a thread");
}

/// Calls of one connection, until it is cut.
fn talk(stream: TcpStream, state: &Mutex<State>, is_hub: bool, endpoint: &str, place: &str) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut writer = stream;
    while let Some((call, length, waits)) = read_head(&mut reader) {
        let mut call = call;
        let fault = {
            let mut state = state.lock().expect("no test panicked in it");
            state.calls.push(format!("{} {}", call.method, call.path));
            state.fault(&call.method, &call.path)
        };
        let refused = match fault {
            Some(Fault::Status(status)) => Some(status),
            Some(Fault::Expire | Fault::Forget) => {
                let mut state = state.lock().expect("no test panicked in it");
                state.signature += 1;
                if fault == Some(Fault::Forget) {
                    state.uploads.clear();
                }
                Some(403)
            }
            _ => None,
        };
        // As storage does: a body that was announced is not taken by one who refuses.
        if waits && refused.is_none() {
            drop(writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n"));
        }
        if !(waits && refused.is_some()) {
            let wanted = match fault {
                Some(Fault::CutAfter(bytes)) => bytes.min(length),
                _ => length,
            };
            call.body = vec![0; wanted];
            if reader.read_exact(&mut call.body).is_err() || wanted < length {
                return;
            }
        }
        let reply = match refused {
            Some(status) => Reply::error(status, "as the test wants it"),
            None => {
                let mut state = state.lock().expect("no test panicked in it");
                match is_hub {
                    true => hub(&call, &mut state, endpoint, place),
                    false => storage(&call, &mut state),
                }
            }
        };
        if fault == Some(Fault::AnswerLost) {
            return;
        }
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Length: {}\r\n",
            reply.status,
            reply.body.len()
        );
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if waits && refused.is_some() {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        let reply = [head.as_bytes(), &reply.body].concat();
        let written = writer.write_all(&reply);
        if written.is_err() || (waits && refused.is_some()) {
            return;
        }
    }
}

/// A call without its body; how long that is, and whether it waits to be asked for.
fn read_head(reader: &mut impl BufRead) -> Option<(Call, usize, bool)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let method = words.next()?.to_owned();
    let target = words.next()?.to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let (mut length, mut waits, mut authorized) = (0, false, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok().filter(|bytes| *bytes <= MAX_BODY)?,
            "expect" => waits = value.eq_ignore_ascii_case("100-continue"),
            "authorization" => authorized = Some(value.to_owned()),
            "transfer-encoding" => return None,
            _ => {}
        }
    }
    let body = Vec::new();
    let call = Call {
        method,
        path,
        query,
        authorized,
        body,
    };
    Some((call, length, waits))
}

impl Reply {
    fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    fn error(status: u16, why: &str) -> Self {
        Self::json(status, &json!({"error": why}))
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

const DATASET: &str = "/api/datasets/user/cubes";

fn hub(call: &Call, state: &mut State, endpoint: &str, place: &str) -> Reply {
    if call.authorized.as_deref() != Some(&format!("Bearer {TOKEN}")) {
        return Reply::error(401, "Invalid username or password.");
    }
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let rest = call.path.strip_prefix(DATASET).unwrap_or(&call.path);
    if state.created.is_empty() && rest != "/api/repos/create" {
        return Reply::error(404, "Repository not found");
    }
    match (call.method.as_str(), rest) {
        ("POST", "/api/repos/create") if state.created.is_empty() => {
            state.created.push(body);
            state.head = 1;
            let attributes = b"*.parquet filter=lfs\n*.mp4 filter=lfs\n".to_vec();
            let attributes = Stored {
                bytes: attributes,
                large: false,
            };
            state.files.insert(".gitattributes".to_owned(), attributes);
            let url = format!("{endpoint}/datasets/user/cubes");
            Reply::json(200, &json!({ "url": url }))
        }
        ("POST", "/api/repos/create") => Reply::error(409, "You already created this dataset repo"),
        ("GET", "/revision/main") => Reply::json(
            200,
            &json!({"id": "user/cubes", "sha": state.head(), "private": true, "tags": []}),
        ),
        ("GET", "/tree/main") => tree(call, state, endpoint),
        ("POST", "/preupload/main") => modes(&body, state),
        ("POST", "/commit/main") => commit(&call.body, state),
        ("DELETE", "/tag/v3.0") => match state.tags.remove("v3.0") {
            Some(_) => Reply::json(200, &Value::Null),
            None => Reply::error(404, "no such tag"),
        },
        ("POST", tag) if tag.starts_with("/tag/") => {
            let name = body["tag"].as_str().unwrap_or_default().to_owned();
            if state.tags.contains_key(&name) {
                return Reply::error(409, "Tag reference exists already");
            }
            state.tags.insert(name, tag["/tag/".len()..].to_owned());
            Reply::json(200, &Value::Null)
        }
        ("POST", "/datasets/user/cubes.git/info/lfs/objects/batch") => {
            batch(&body, state, endpoint, place)
        }
        ("POST", "/verify") => {
            let there = state.objects.get(body["oid"].as_str().unwrap_or_default());
            match there.is_some_and(|bytes| Some(bytes.len() as u64) == body["size"].as_u64()) {
                true => Reply::json(200, &Value::Null),
                false => Reply::error(404, "the object is not there"),
            }
        }
        _ => Reply::error(404, "no such call"),
    }
}

fn tree(call: &Call, state: &State, endpoint: &str) -> Reply {
    let parameter = |name: &str| {
        let found = call
            .query
            .split('&')
            .find_map(|part| part.strip_prefix(name));
        found.map(str::to_owned)
    };
    if parameter("recursive=").as_deref() != Some("true") {
        return Reply::error(400, "only the first level");
    }
    let from: usize = parameter("cursor=")
        .and_then(|cursor| cursor.parse().ok())
        .unwrap_or(0);
    let mut entries = vec![json!({"type": "directory", "path": "data", "oid": "1", "size": 0})];
    for (path, file) in &state.files {
        let mut entry = json!({
            "type": "file", "path": path, "size": file.bytes.len(), "oid": git(&file.bytes),
        });
        if file.large {
            entry["oid"] = json!("the pointer's");
            entry["lfs"] =
                json!({"oid": sha256(&file.bytes), "size": file.bytes.len(), "pointerSize": 130});
        }
        entries.push(entry);
    }
    let last = (from + state.page).min(entries.len());
    let page = Value::from(entries[from.min(last)..last].to_vec());
    let reply = Reply::json(200, &page);
    match last < entries.len() {
        true => reply.with(
            "Link",
            format!("<{endpoint}{DATASET}/tree/main?recursive=true&cursor={last}>; rel=\"next\""),
        ),
        false => reply,
    }
}

fn modes(body: &Value, state: &State) -> Reply {
    let files = body["files"].as_array().cloned().unwrap_or_default();
    let modes = files.iter().map(|file| {
        let path = file["path"].as_str().unwrap_or_default();
        let large = path.ends_with(".parquet") || path.ends_with(".mp4");
        let mode = if large { "lfs" } else { "regular" };
        json!({
            "path": path, "uploadMode": mode, "shouldIgnore": state.ignored.contains(path),
            "oid": Value::Null,
        })
    });
    let modes: Vec<_> = modes.collect();
    Reply::json(200, &json!({ "files": modes }))
}

fn batch(body: &Value, state: &mut State, endpoint: &str, place: &str) -> Reply {
    let wanted = body["objects"].as_array().cloned().unwrap_or_default();
    let mut objects = Vec::new();
    for object in &wanted {
        let (oid, size) = (
            object["oid"].as_str().unwrap_or_default(),
            object["size"].as_u64(),
        );
        let size = size.unwrap_or(0) as usize;
        if state.objects.contains_key(oid) {
            objects.push(json!({"oid": oid, "size": size}));
            continue;
        }
        let signature = state.signature;
        let verify = json!({"href": format!("{endpoint}/verify")});
        if size <= state.part_bytes {
            let href = format!("{place}/whole/{oid}?signature={signature}");
            let upload = json!({"href": href, "header": {"x-wanted": "yes"}});
            objects.push(
                json!({"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}}),
            );
            continue;
        }
        let known = state.uploads.iter().find(|(_, parts)| parts.oid == oid);
        let upload = known.map(|(upload, _)| upload.clone()).unwrap_or_else(|| {
            state.begun += 1;
            format!("{oid}-{}", state.begun)
        });
        let new = || Parts {
            oid: oid.to_owned(),
            size,
            parts: BTreeMap::new(),
        };
        state.uploads.entry(upload.clone()).or_insert_with(new);
        let mut header = json!({"chunk_size": state.part_bytes.to_string()});
        for part in 1..=size.div_ceil(state.part_bytes) {
            // As real hubs do, with leading zeros.
            header[format!("{part:05}")] = json!(format!(
                "{place}/part/{upload}/{part}?signature={signature}"
            ));
        }
        let upload = json!({"href": format!("{place}/complete/{upload}"), "header": header});
        objects.push(
            json!({"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}}),
        );
    }
    Reply::json(200, &json!({"transfer": "multipart", "objects": objects}))
}

fn commit(body: &[u8], state: &mut State) -> Reply {
    let lines = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let lines: Option<Vec<Value>> = lines
        .map(|line| serde_json::from_slice(line).ok())
        .collect();
    let Some([header, lines @ ..]) = lines.as_deref() else {
        return Reply::error(400, "not lines of JSON");
    };
    let parent = &header["value"]["parentCommit"];
    if header["key"] != "header" || !(parent.is_null() || *parent == state.head()) {
        return Reply::error(412, "A commit has happened since");
    }
    let mut files = state.files.clone();
    for line in lines {
        let (key, value) = (line["key"].as_str().unwrap_or_default(), &line["value"]);
        let path = value["path"].as_str().unwrap_or_default().to_owned();
        let large = key == "lfsFile";
        let bytes = match key {
            "file" => {
                use base64::Engine as _;
                let content = value["content"].as_str().unwrap_or_default();
                base64::engine::general_purpose::STANDARD
                    .decode(content)
                    .ok()
            }
            "lfsFile" => state
                .objects
                .get(value["oid"].as_str().unwrap_or_default())
                .cloned(),
            "deletedFile" => {
                if files.remove(&path).is_none() {
                    return Reply::error(400, "nothing to delete");
                }
                continue;
            }
            _ => None,
        };
        let Some(bytes) = bytes else {
            return Reply::error(
                400,
                "a line that is not understood, or an object that is not there",
            );
        };
        files.insert(path, Stored { bytes, large });
    }
    state.files = files;
    state.head += 1;
    state.commits.push(header.clone());
    Reply::json(
        200,
        &json!({"success": true, "commitOid": state.head(), "commitUrl": "x"}),
    )
}

fn storage(call: &Call, state: &mut State) -> Reply {
    if call.authorized.is_some() {
        state
            .violations
            .push(format!("{} was sent the token", call.path));
        return Reply::error(400, "only one way to authorize");
    }
    let signed = call.query == format!("signature={}", state.signature);
    let words: Vec<&str> = call.path.split('/').skip(1).collect();
    match (call.method.as_str(), words.as_slice()) {
        ("PUT", _) if !signed => Reply::error(403, "Request has expired"),
        ("PUT", ["whole", oid]) => keep(oid, call.body.clone(), state),
        ("PUT", ["part", upload, part]) => {
            let Some(parts) = state.uploads.get_mut(*upload) else {
                return Reply::error(404, "no such upload");
            };
            let part: usize = part.parse().unwrap_or(0);
            let oid = parts.oid.clone();
            let etag = format!("\"{}\"", &sha256(&call.body)[..32]);
            parts.parts.insert(part, call.body.clone());
            *state.parts_kept.entry((oid, part)).or_default() += 1;
            Reply::json(200, &Value::Null).with("ETag", etag)
        }
        ("POST", ["complete", upload]) => complete(upload, &call.body, state),
        _ => Reply::error(404, "no such place"),
    }
}

fn complete(upload: &str, body: &[u8], state: &mut State) -> Reply {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(parts) = state.uploads.get(upload) else {
        return Reply::error(404, "no such upload");
    };
    let named = told["parts"].as_array().cloned().unwrap_or_default();
    let mut whole = Vec::new();
    for (number, part) in (1..).zip(&named) {
        let bytes = parts.parts.get(&number).cloned().unwrap_or_default();
        let etag = format!("\"{}\"", &sha256(&bytes)[..32]);
        if part["partNumber"] != number || part["etag"] != etag {
            return Reply::error(400, "parts are not as they were sent");
        }
        whole.extend(bytes);
    }
    let (oid, size) = (parts.oid.clone(), parts.size);
    if whole.len() != size || told["oid"] != oid.as_str() {
        return Reply::error(400, "parts are missing");
    }
    let reply = keep(&oid, whole, state);
    if reply.status == 200 {
        state.uploads.remove(upload);
    }
    reply
}

fn keep(oid: &str, bytes: Vec<u8>, state: &mut State) -> Reply {
    if sha256(&bytes) != oid {
        return Reply::error(400, "the hash is another one");
    }
    state.objects.insert(oid.to_owned(), bytes);
    Reply::json(200, &Value::Null)
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

/// What git calls a file.
pub(super) fn git(bytes: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hex(hash.finalize())
}
