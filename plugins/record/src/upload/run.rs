//! The order of things: hash, make the repository, see what is there, send what is not, commit, tag.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use forearm_dataset::store::{Entry, Store};

use super::call::{Body, Call, Called, read_exact};
use super::card;
use super::error::UploadError;
use super::files::{CARD, Hasher, LocalFile, belongs};
use super::hub::Hub;
use super::link::{Answer, Link, Method};
use super::saved::{Parts, Saved};
use super::transfer::{LFS_JSON, Moved, Transfer};
use super::{Progress, Step, Uploaded, base64, parse, refusal, wire};

/// How many files the hub is asked about at once.
const ASKED_FILES: usize = 256;
/// How many objects are begun at once: their addresses are good for some time only.
const BATCH: usize = 32;
/// How much of a file the hub looks at to say how it is kept.
const SAMPLE_BYTES: u64 = 512;
/// How often one object may be refused: its addresses may be too old.
const MAX_REFUSED: u32 = 3;
/// How often somebody else may commit meanwhile.
const MAX_CONTESTED: u32 = 3;
/// Pages of a list of files: a thousand files each.
const MAX_PAGES: u32 = 1000;
/// Files above this size are kept by their hash, whatever the hub says.
const MAX_REGULAR_BYTES: u64 = 10 * 1024 * 1024;
/// Shares of the whole, for people: until here files are hashed, until there sent.
const HASHED: f64 = 0.1;
const SENT: f64 = 0.95;

/// An upload. See [`super`].
pub struct Upload<L> {
    hub: Hub,
    lanes: Vec<Lane<L>>,
    info: card::Info,
    phase: Phase,
    /// What is hashed, of how much.
    hashed: (u64, u64),
    /// All files of the dataset.
    files: Vec<LocalFile>,
    /// The card, if the dataset has none of its own.
    card: Option<Vec<u8>>,
    remote: Remote,
    /// What the commit holds.
    changed: Vec<Changed>,
    deleted: Vec<String>,
    /// Objects that are not asked about yet; with how far they were before.
    waiting: VecDeque<Waiting>,
    /// Objects whose addresses are known.
    ready: VecDeque<Transfer>,
    /// How often an object was refused.
    refused: BTreeMap<String, u32>,
    /// What of the objects is there, of how much, bytes.
    sent: (u64, u64),
    saved: Saved,
    contested: u32,
    commit: String,
}

struct Lane<L> {
    link: L,
    transfer: Option<Transfer>,
}

/// What the hub has.
#[derive(Default)]
struct Remote {
    head: String,
    /// Paths with the hash that the hub keeps each by.
    files: BTreeMap<String, String>,
    pages: u32,
}

struct Changed {
    file: LocalFile,
    /// Within the commit, not by its hash.
    regular: bool,
}

struct Waiting {
    file: LocalFile,
    before: Option<Parts>,
}

enum Phase {
    Hashing(VecDeque<Entry>, Option<Box<Hasher>>),
    Asking(Question, Box<Call>),
    Transferring,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Create,
    Head,
    Tree,
    /// About so many files, from this one on.
    Modes(usize),
    Batch,
    Commit,
    Tag,
    Untag,
    Retag,
}

impl<L: Link> Upload<L> {
    /// Prepares the upload of what is in the store now. Nothing is sent yet. Each of `links` carries
    /// one file at a time.
    ///
    /// # Errors
    /// What is wrong with the address, the name, the token, or the dataset.
    pub fn new(
        config: &forearm_protocol::record::UploadConfig,
        store: &dyn Store,
        links: Vec<L>,
    ) -> Result<Self, UploadError> {
        let hub = Hub::new(config)?;
        let info = read_info(store)?;
        let entries = store.list("")?;
        let entries: VecDeque<_> = entries
            .into_iter()
            .filter(|entry| belongs(&entry.path))
            .collect();
        let total = entries.iter().map(|entry| entry.bytes).sum();
        let saved = Saved::load(store, &hub.target());
        let lanes = links.into_iter().map(|link| Lane {
            link,
            transfer: None,
        });
        Ok(Self {
            lanes: lanes.collect(),
            info,
            phase: Phase::Hashing(entries, None),
            hashed: (0, total),
            files: Vec::new(),
            card: None,
            remote: Remote::default(),
            changed: Vec::new(),
            deleted: Vec::new(),
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            refused: BTreeMap::new(),
            sent: (0, 0),
            saved,
            contested: 0,
            commit: String::new(),
            hub,
        })
    }

    /// Does the next piece of the work: some milliseconds at most. The store has to be the one that it
    /// began with, and the dataset may not change meanwhile.
    ///
    /// # Errors
    /// The upload has failed; it can be begun anew and goes on where it stopped.
    pub fn poll(&mut self, store: &mut dyn Store, now_secs: f64) -> Result<Step, UploadError> {
        match &mut self.phase {
            Phase::Hashing(..) => self.hash(store),
            Phase::Asking(question, call) => {
                let question = *question;
                let Some(lane) = self.lanes.first_mut() else {
                    return Ok(Step::Working { again_secs: 1.0 });
                };
                match call.poll(&mut lane.link, store, &self.hub, now_secs)? {
                    Called::Pending(again_secs) => Ok(Step::Working { again_secs }),
                    Called::Answered(answer) => self.answered(question, &answer, store),
                }
            }
            Phase::Transferring => self.transfer(store, now_secs),
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let share = |(done, total): (u64, u64)| done as f64 / total.max(1) as f64;
        let on_the_way = self.lanes.iter().filter_map(|lane| lane.transfer.as_ref());
        let on_the_way: u64 = on_the_way.map(Transfer::sent).sum();
        let (stage, fraction) = match &self.phase {
            Phase::Hashing(..) => ("reading the files", share(self.hashed) * HASHED),
            Phase::Asking(Question::Commit, _) => ("committing", SENT),
            Phase::Asking(Question::Tag | Question::Untag | Question::Retag, _) => {
                ("tagging", (1.0 + SENT) / 2.0)
            }
            Phase::Asking(Question::Batch, _) | Phase::Transferring => {
                let sent = share((self.sent.0 + on_the_way, self.sent.1)).min(1.0);
                ("sending the files", HASHED + sent * (SENT - HASHED))
            }
            Phase::Asking(..) => ("asking the hub", HASHED),
        };
        Progress { stage, fraction }
    }

    fn ask(&mut self, question: Question, call: Call) -> Result<Step, UploadError> {
        self.phase = Phase::Asking(question, Box::new(call));
        Ok(Step::Working { again_secs: 0.0 })
    }

    fn hash(&mut self, store: &dyn Store) -> Result<Step, UploadError> {
        let Phase::Hashing(entries, hasher) = &mut self.phase else {
            return Ok(Step::Working { again_secs: 0.0 });
        };
        if hasher.is_none() {
            let Some(entry) = entries.pop_front() else {
                return self.ask_to_create();
            };
            *hasher = Some(Box::new(Hasher::new(entry.path, entry.bytes)));
        }
        if let Some(current) = hasher {
            let before = current.done();
            let whole = current.step(store)?;
            self.hashed.0 += current.done() - before;
            if whole && let Some(done) = hasher.take() {
                self.files.push(done.finish());
            }
        }
        Ok(Step::Working { again_secs: 0.0 })
    }

    fn ask_to_create(&mut self) -> Result<Step, UploadError> {
        let (organization, name) = self.hub.repo_id.split_once('/').unwrap_or_default();
        let message = wire::CreateRepo {
            name,
            organization,
            kind: "dataset",
            private: self.hub.private,
        };
        let url = self.hub.api("repos/create");
        let body = Body::json(&message);
        let call = Call::new("make the dataset", Method::Post, url, body);
        self.ask(Question::Create, call)
    }

    fn ask_for_head(&mut self) -> Result<Step, UploadError> {
        self.remote = Remote::default();
        let url = self.hub.dataset_api("revision/main");
        let call = Call::new("tell its commits", Method::Get, url, Body::None);
        self.ask(Question::Head, call)
    }

    fn ask_for_tree(&mut self, url: String) -> Result<Step, UploadError> {
        let call = Call::new("list its files", Method::Get, url, Body::None);
        self.ask(Question::Tree, call)
    }

    fn answered(
        &mut self,
        question: Question,
        answer: &Answer,
        store: &mut dyn Store,
    ) -> Result<Step, UploadError> {
        let good = (200..300).contains(&answer.status);
        match (question, answer.status) {
            // It is there already.
            (Question::Create, 409) => self.ask_for_head(),
            (Question::Create, _) if good => self.ask_for_head(),
            (Question::Head, _) if good => {
                let revision: wire::Revision = parse("tell its commits", answer)?;
                self.remote.head = revision.sha;
                let url = self.hub.dataset_api("tree/main?recursive=true");
                self.ask_for_tree(url)
            }
            (Question::Tree, _) if good => self.listed(answer, store),
            (Question::Modes(from), _) if good => self.modes(from, answer, store),
            (Question::Batch, _) if good => self.batched(answer),
            (Question::Commit, _) if good => {
                let reply: wire::CommitReply = parse("commit", answer)?;
                self.commit = reply.commit_oid;
                self.ask_to_tag(Question::Tag)
            }
            // Somebody else was faster: see what is there now.
            (Question::Commit, 409 | 412) if self.contested < MAX_CONTESTED => {
                self.contested += 1;
                self.ask_for_head()
            }
            (Question::Commit, 409 | 412) => Err(UploadError::Contested {
                repo_id: self.hub.repo_id.clone(),
            }),
            // It names another commit.
            (Question::Tag, 409) => {
                let tag = encoded(&self.info.codebase_version);
                let url = self.hub.dataset_api(&format!("tag/{tag}"));
                let call = Call::new("move the tag", Method::Delete, url, Body::None);
                self.ask(Question::Untag, call)
            }
            (Question::Untag, 404) => self.ask_to_tag(Question::Retag),
            (Question::Untag, _) if good => self.ask_to_tag(Question::Retag),
            (Question::Tag | Question::Retag, _) if good => Ok(self.done(store)),
            _ => {
                let what = match &self.phase {
                    Phase::Asking(_, call) => call.what(),
                    _ => "take the dataset",
                };
                Err(refusal(&self.hub, what, answer))
            }
        }
    }

    fn listed(&mut self, answer: &Answer, store: &mut dyn Store) -> Result<Step, UploadError> {
        let entries: Vec<wire::TreeEntry> = parse("list its files", answer)?;
        for entry in entries.into_iter().filter(|entry| entry.kind == "file") {
            let oid = entry.lfs.map_or(entry.oid, |lfs| lfs.oid);
            self.remote.files.insert(entry.path, oid);
        }
        self.remote.pages += 1;
        let next = answer.link.as_deref().and_then(next_page);
        let next = next.filter(|url| self.hub.authorization_for(url).is_some());
        match next {
            Some(url) if self.remote.pages < MAX_PAGES => self.ask_for_tree(url.to_owned()),
            _ => self.plan(store),
        }
    }

    /// Compares what is here with what is there.
    fn plan(&mut self, store: &mut dyn Store) -> Result<Step, UploadError> {
        let here: BTreeSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        let there = self.remote.files.keys();
        // What a deleted episode left there would make the dataset wrong. The card stays.
        let deleted = there
            .filter(|path| belongs(path) && path.as_str() != CARD && !here.contains(path.as_str()));
        self.deleted = deleted.cloned().collect();
        let needs_card = !here.contains(CARD) && !self.remote.files.contains_key(CARD);
        let changed = self.files.iter().filter(|file| {
            let oid = self.remote.files.get(&file.path);
            oid.is_none_or(|oid| *oid != file.sha256 && *oid != file.git)
        });
        let mut changed: Vec<_> = changed.cloned().collect();
        if needs_card {
            let text = card::write(&self.hub.repo_id, &self.info).into_bytes();
            changed.push(LocalFile::of_bytes(CARD, &text));
            self.card = Some(text);
        }
        self.changed = changed
            .into_iter()
            .map(|file| Changed {
                file,
                regular: true,
            })
            .collect();
        if self.changed.is_empty() && self.deleted.is_empty() {
            self.commit = self.remote.head.clone();
            return self.ask_to_tag(Question::Tag);
        }
        self.ask_for_modes(0, store)
    }

    fn ask_for_modes(&mut self, from: usize, store: &mut dyn Store) -> Result<Step, UploadError> {
        let asked = self.changed.iter().skip(from).take(ASKED_FILES);
        let mut files = Vec::new();
        for Changed { file, .. } in asked {
            let sample = match &self.card {
                Some(card) if file.path == CARD => card.iter().take(512).copied().collect(),
                _ => {
                    let mut sample = vec![0; file.bytes.min(SAMPLE_BYTES) as usize];
                    read_exact(store, &file.path, 0, &mut sample)?;
                    sample
                }
            };
            files.push(wire::PreuploadFile {
                path: &file.path,
                sample: base64(&sample),
                size: file.bytes,
            });
        }
        if files.is_empty() {
            return self.queue_objects(store);
        }
        let url = self.hub.dataset_api("preupload/main");
        let body = Body::json(&wire::Preupload { files });
        let call = Call::new("say how files are kept", Method::Post, url, body);
        self.ask(Question::Modes(from), call)
    }

    fn modes(
        &mut self,
        from: usize,
        answer: &Answer,
        store: &mut dyn Store,
    ) -> Result<Step, UploadError> {
        const WHAT: &str = "say how files are kept";
        let reply: wire::PreuploadReply = parse(WHAT, answer)?;
        let modes: BTreeMap<_, _> = reply
            .files
            .iter()
            .map(|mode| (mode.path.as_str(), mode))
            .collect();
        for Changed { file, regular } in self.changed.iter_mut().skip(from).take(ASKED_FILES) {
            let mode = modes.get(file.path.as_str());
            let mode = mode.ok_or_else(|| UploadError::Answer {
                what: WHAT,
                why: format!("nothing about {}", file.path),
            })?;
            if mode.should_ignore {
                return Err(UploadError::Answer {
                    what: WHAT,
                    why: format!("a .gitignore there leaves {} out", file.path),
                });
            }
            // Nothing can't be kept by its hash; large files can't be kept otherwise.
            let small = file.bytes <= MAX_REGULAR_BYTES;
            *regular = file.bytes == 0 || (mode.upload_mode == "regular" && small);
        }
        self.ask_for_modes(from + ASKED_FILES, store)
    }

    /// Each content once, in the order of the files.
    fn queue_objects(&mut self, store: &mut dyn Store) -> Result<Step, UploadError> {
        let mut seen = BTreeSet::new();
        let objects = self.changed.iter().filter(|changed| !changed.regular);
        let objects = objects.filter(|changed| seen.insert(changed.file.sha256.clone()));
        let mut waiting = VecDeque::new();
        for Changed { file, .. } in objects {
            let before = self.saved.take(&file.sha256);
            waiting.push_back(Waiting {
                file: file.clone(),
                before,
            });
        }
        self.sent = (0, waiting.iter().map(|object| object.file.bytes).sum());
        self.waiting = waiting;
        self.next_batch(store)
    }

    fn next_batch(&mut self, store: &mut dyn Store) -> Result<Step, UploadError> {
        let objects = self.waiting.iter().take(BATCH).map(|object| wire::Object {
            oid: &object.file.sha256,
            size: object.file.bytes,
        });
        let objects: Vec<_> = objects.collect();
        if objects.is_empty() {
            return self.ask_to_commit(store);
        }
        let message = wire::Batch {
            operation: "upload",
            transfers: ["basic", "multipart"],
            objects,
            hash_algo: "sha256",
            branch: wire::Branch { name: "main" },
        };
        let body = Body::json_as(LFS_JSON, &message);
        let accept = vec![("Accept".to_owned(), LFS_JSON.to_owned())];
        let url = self.hub.lfs_batch();
        let call = Call::new("say where files go", Method::Post, url, body);
        self.ask(Question::Batch, call.with_headers(accept))
    }

    fn batched(&mut self, answer: &Answer) -> Result<Step, UploadError> {
        const WHAT: &str = "say where files go";
        let reply: wire::BatchReply = parse(WHAT, answer)?;
        let mut told: BTreeMap<_, _> = reply
            .objects
            .into_iter()
            .map(|object| (object.oid.clone(), object))
            .collect();
        let count = self.waiting.len().min(BATCH);
        for Waiting { file, before } in self.waiting.drain(..count) {
            let object = told.remove(&file.sha256);
            let object = object.ok_or_else(|| UploadError::Answer {
                what: WHAT,
                why: format!("nothing about {}", file.path),
            })?;
            if let Some(error) = object.error {
                return Err(UploadError::Refused {
                    what: "take a file",
                    status: error.code,
                    said: format!("{}: {}", file.path, self.hub.redact(&error.message)),
                });
            }
            let Some(actions) = object.actions.filter(|actions| actions.upload.is_some()) else {
                // The hub has it.
                self.sent.0 += file.bytes;
                continue;
            };
            // Addresses of before, if parts were sent to them: the new ones would begin anew.
            let used = before.as_ref().filter(|before| !before.etags.is_empty());
            let first_time = !self.refused.contains_key(&file.sha256);
            let actions = match used {
                Some(before) if first_time => before.actions.clone(),
                _ => actions,
            };
            self.ready
                .push_back(Transfer::new(file, actions, before, &self.hub)?);
        }
        self.phase = Phase::Transferring;
        Ok(Step::Working { again_secs: 0.0 })
    }

    fn transfer(&mut self, store: &mut dyn Store, now_secs: f64) -> Result<Step, UploadError> {
        let mut again_secs = f64::INFINITY;
        for lane in &mut self.lanes {
            if lane.transfer.is_none() {
                lane.transfer = self.ready.pop_front();
            }
            let Some(transfer) = &mut lane.transfer else {
                continue;
            };
            match transfer.poll(&mut lane.link, store, &self.hub, now_secs)? {
                Moved::Pending(secs) => again_secs = again_secs.min(secs),
                Moved::Part(parts) => {
                    again_secs = 0.0;
                    self.saved.keep(&transfer.file.sha256, parts, store);
                }
                Moved::Done => {
                    again_secs = 0.0;
                    self.sent.0 += transfer.file.bytes;
                    self.saved.forget(&transfer.file.sha256, store);
                    lane.transfer = None;
                }
                Moved::Refused(parts, error) => {
                    again_secs = 0.0;
                    let file = transfer.file.clone();
                    lane.transfer = None;
                    let times = self.refused.entry(file.sha256.clone()).or_default();
                    *times += 1;
                    if *times > MAX_REFUSED {
                        return Err(error);
                    }
                    // Once more with what is there, then from the start.
                    let before = (*times == 1).then_some(parts);
                    self.waiting.push_back(Waiting { file, before });
                }
            }
        }
        let idle = self.lanes.iter().all(|lane| lane.transfer.is_none());
        if idle && self.ready.is_empty() {
            return self.next_batch(store);
        }
        Ok(Step::Working { again_secs })
    }

    fn ask_to_commit(&mut self, store: &mut dyn Store) -> Result<Step, UploadError> {
        let summary = match self
            .changed
            .iter()
            .any(|it| it.file.path == "meta/info.json")
        {
            true => "Upload dataset",
            false => "Update dataset",
        };
        let mut lines = Vec::new();
        line(
            &mut lines,
            &wire::CommitLine::Header {
                summary,
                description: "",
                parent_commit: &self.remote.head,
            },
        );
        for path in &self.deleted {
            line(&mut lines, &wire::CommitLine::DeletedFile { path });
        }
        for Changed { file, regular } in &self.changed {
            let path = &file.path;
            if !regular {
                let (oid, size) = (file.sha256.as_str(), file.bytes);
                let algo = "sha256";
                line(
                    &mut lines,
                    &wire::CommitLine::LfsFile {
                        path,
                        algo,
                        oid,
                        size,
                    },
                );
                continue;
            }
            let contents = match &self.card {
                Some(card) if path == CARD => card.clone(),
                _ => store.read(path)?,
            };
            if LocalFile::of_bytes(path, &contents) != *file {
                return Err(UploadError::Changed { path: path.clone() });
            }
            line(
                &mut lines,
                &wire::CommitLine::File {
                    content: base64(&contents),
                    path,
                    encoding: "base64",
                },
            );
        }
        let url = self.hub.dataset_api("commit/main");
        let body = Body::Bytes("application/x-ndjson", lines);
        let call = Call::new("commit", Method::Post, url, body);
        self.ask(Question::Commit, call)
    }

    /// Names the commit by the format's version: loaders look for that.
    fn ask_to_tag(&mut self, question: Question) -> Result<Step, UploadError> {
        let tag = &self.info.codebase_version;
        let url = self
            .hub
            .dataset_api(&format!("tag/{}", encoded(&self.commit)));
        let body = Body::json(&wire::Tag { tag });
        let call = Call::new("tag the commit", Method::Post, url, body);
        self.ask(question, call)
    }

    fn done(&mut self, store: &mut dyn Store) -> Step {
        std::mem::take(&mut self.saved).remove(store);
        Step::Done(Uploaded {
            files: self.files.len().try_into().unwrap_or(u32::MAX),
            bytes: self.files.iter().map(|file| file.bytes).sum(),
            to: self.hub.page(),
        })
    }
}

impl<L> std::fmt::Debug for Upload<L> {
    /// Where to; neither the token nor addresses in storage.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("hub", &self.hub)
            .finish_non_exhaustive()
    }
}

fn read_info(store: &dyn Store) -> Result<card::Info, UploadError> {
    const PATH: &str = "meta/info.json";
    let missing = |why: &str| UploadError::NoDataset {
        why: why.to_owned(),
    };
    if store.size(PATH)?.is_none() {
        return Err(missing("meta/info.json is not there"));
    }
    serde_json::from_slice(&store.read(PATH)?)
        .map_err(|error| missing(&format!("meta/info.json can't be read: {error}")))
}

fn line(lines: &mut Vec<u8>, message: &wire::CommitLine<'_>) {
    // Plain structs with string keys: this can't fail.
    lines.extend(serde_json::to_vec(message).unwrap_or_default());
    lines.push(b'\n');
}

/// The address of the next page, of a header `Link`.
fn next_page(link: &str) -> Option<&str> {
    let next = link
        .split(',')
        .find(|part| part.contains("rel=\"next\"") || part.contains("rel=next"))?;
    let (_, rest) = next.split_once('<')?;
    rest.split_once('>').map(|(url, _)| url)
}

/// A word as a part of an address.
fn encoded(word: &str) -> String {
    let mut out = String::new();
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
