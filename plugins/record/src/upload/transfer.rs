//! Sends one object: in one piece or in parts, then has it verified.

use std::collections::BTreeMap;

use forearm_dataset::store::Store;

use super::call::{Body, Call, Called};
use super::error::UploadError;
use super::files::LocalFile;
use super::hub::Hub;
use super::link::{Answer, Link, Method};
use super::saved::Parts;
use super::wire::{Action, Actions, CompletedPart, Completion, Object};

/// Git LFS's own type of JSON.
pub(super) const LFS_JSON: &str = "application/vnd.git-lfs+json";
/// From this size on the place is asked whether it will take a body before it is sent.
const ASK_FIRST_BYTES: u64 = 1024 * 1024;
/// More parts than any storage takes.
const MAX_PARTS: u64 = 10_000;

/// An object on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) file: LocalFile,
    actions: Actions,
    plan: Plan,
    etags: BTreeMap<usize, String>,
    sending: Sending,
    call: Call,
}

#[derive(Debug)]
enum Plan {
    Whole,
    /// The addresses of the parts, and how large they are, the last one apart.
    Parts {
        urls: Vec<String>,
        bytes: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Whole,
    Part(usize),
    Completion,
    Verification,
}

/// What came of looking after a transfer.
#[derive(Debug)]
pub(super) enum Moved {
    /// It goes on; look again after so many seconds.
    Pending(f64),
    /// A part is there: what is worth being kept.
    Part(Parts),
    /// The hub has the object.
    Done,
    /// It is refused; by storage, mostly because its addresses are no longer good: ask for new ones.
    /// The error is for when that does not help.
    Refused(Parts, UploadError),
}

impl Transfer {
    /// Sends a file as the hub said. `before` is how far it was, at another time.
    ///
    /// # Errors
    /// [`UploadError::Answer`] for addresses that can't be used.
    pub(super) fn new(
        file: LocalFile,
        actions: Actions,
        before: Option<Parts>,
        hub: &Hub,
    ) -> Result<Self, UploadError> {
        let plan = plan(&file, &actions, hub)?;
        // Parts belong to the address that is told when all are there.
        let same = before.filter(|before| {
            let href = |actions: &Actions| actions.upload.as_ref().map(|it| it.href.clone());
            href(&before.actions) == href(&actions)
        });
        let count = plan.parts();
        let mut etags = same.map(|before| before.etags).unwrap_or_default();
        etags.retain(|part, _| *part < count);
        let mut transfer = Self {
            file,
            actions,
            plan,
            etags,
            sending: Sending::Whole,
            call: Call::new("send a file", Method::Get, String::new(), Body::None),
        };
        transfer.sending = transfer.next_part();
        transfer.call = transfer.call_for(transfer.sending)?;
        Ok(transfer)
    }

    /// How many bytes of the file are handed over or there.
    pub(super) fn sent(&self) -> u64 {
        let whole = self.file.bytes;
        match self.sending {
            Sending::Completion | Sending::Verification => whole,
            Sending::Whole => self.call.sent(),
            Sending::Part(_) => {
                let there = self.etags.keys().map(|part| self.part(*part).1);
                (there.sum::<u64>() + self.call.sent()).min(whole)
            }
        }
    }

    /// Goes on.
    ///
    /// # Errors
    /// What the hub refuses, and connections that stay broken.
    pub(super) fn poll(
        &mut self,
        link: &mut impl Link,
        store: &dyn Store,
        hub: &Hub,
        now_secs: f64,
    ) -> Result<Moved, UploadError> {
        let answer = match self.call.poll(link, store, hub, now_secs)? {
            Called::Pending(secs) => return Ok(Moved::Pending(secs)),
            Called::Answered(answer) => answer,
        };
        if !(200..300).contains(&answer.status) {
            // A signature that is too old is refused in many ways.
            let moved = self.sending != Sending::Verification;
            let error = super::refused(hub, self.call.what(), &answer);
            return match moved && matches!(answer.status, 400 | 401 | 403 | 404 | 410) {
                true => Ok(Moved::Refused(self.parts(), error)),
                false => Err(error),
            };
        }
        let next = match self.sending {
            Sending::Whole | Sending::Completion => self.after_sending(),
            Sending::Part(part) => {
                self.etags.insert(part, etag(&answer)?);
                Some(self.next_part())
            }
            Sending::Verification => None,
        };
        let Some(next) = next else {
            return Ok(Moved::Done);
        };
        let was_part = matches!(self.sending, Sending::Part(_));
        self.sending = next;
        self.call = self.call_for(next)?;
        Ok(if was_part {
            Moved::Part(self.parts())
        } else {
            Moved::Pending(0.0)
        })
    }

    /// What is known of the object, to go on with it another time.
    fn parts(&self) -> Parts {
        Parts {
            actions: self.actions.clone(),
            etags: self.etags.clone(),
        }
    }

    fn next_part(&self) -> Sending {
        match &self.plan {
            Plan::Whole => Sending::Whole,
            Plan::Parts { urls, .. } => (0..urls.len())
                .find(|part| !self.etags.contains_key(part))
                .map_or(Sending::Completion, Sending::Part),
        }
    }

    fn after_sending(&self) -> Option<Sending> {
        self.actions.verify.as_ref().map(|_| Sending::Verification)
    }

    /// Where a part begins, and how many bytes it has.
    fn part(&self, part: usize) -> (u64, u64) {
        match &self.plan {
            Plan::Whole => (0, self.file.bytes),
            Plan::Parts { bytes, .. } => {
                let begin = part as u64 * bytes;
                (begin, (self.file.bytes - begin).min(*bytes))
            }
        }
    }

    fn call_for(&self, sending: Sending) -> Result<Call, UploadError> {
        let missing = || UploadError::Answer {
            what: "send a file",
            why: "it names no address".to_owned(),
        };
        let upload = self.actions.upload.as_ref().ok_or_else(missing)?;
        let (method, url, body, headers) = match sending {
            Sending::Whole => {
                let body = self.body(0);
                (Method::Put, upload.href.clone(), body, headers(upload))
            }
            Sending::Part(part) => {
                let Plan::Parts { urls, .. } = &self.plan else {
                    return Err(missing());
                };
                let url = urls.get(part).ok_or_else(missing)?;
                (Method::Put, url.clone(), self.body(part), Vec::new())
            }
            Sending::Completion => {
                let parts = self.etags.iter().map(|(part, etag)| CompletedPart {
                    part_number: part + 1,
                    etag,
                });
                let parts = parts.collect();
                let oid = &self.file.sha256;
                let body = Body::json_as(LFS_JSON, &Completion { oid, parts });
                (Method::Post, upload.href.clone(), body, accept())
            }
            Sending::Verification => {
                let verify = self.actions.verify.as_ref().ok_or_else(missing)?;
                let (oid, size) = (self.file.sha256.as_str(), self.file.bytes);
                let body = Body::json(&Object { oid, size });
                (Method::Post, verify.href.clone(), body, headers(verify))
            }
        };
        let mut headers = headers;
        if matches!(&body, Body::File { length, .. } if *length >= ASK_FIRST_BYTES) {
            headers.push(("Expect".to_owned(), "100-continue".to_owned()));
        }
        let what = match sending {
            Sending::Verification => "check a file",
            _ => "take a file",
        };
        Ok(Call::new(what, method, url, body).with_headers(headers))
    }

    fn body(&self, part: usize) -> Body {
        let (offset, length) = self.part(part);
        Body::File {
            path: self.file.path.clone(),
            offset,
            length,
        }
    }
}

impl Plan {
    fn parts(&self) -> usize {
        match self {
            Self::Whole => 0,
            Self::Parts { urls, .. } => urls.len(),
        }
    }
}

/// How the hub wants the object: parts if it names their size.
fn plan(file: &LocalFile, actions: &Actions, hub: &Hub) -> Result<Plan, UploadError> {
    let wrong = |why: &str| UploadError::Answer {
        what: "send a file",
        why: why.to_owned(),
    };
    let upload = actions.upload.as_ref();
    let upload = upload.ok_or_else(|| wrong("it names no address"))?;
    let all = [Some(upload), actions.verify.as_ref()];
    let unsafe_to = "it names an address that files must not be sent to";
    if !all
        .into_iter()
        .flatten()
        .all(|it| hub.may_send_to(&it.href))
    {
        return Err(wrong(unsafe_to));
    }
    let Some(bytes) = upload.header.get("chunk_size") else {
        return Ok(Plan::Whole);
    };
    let bytes = bytes
        .as_u64()
        .or_else(|| bytes.as_str().and_then(|text| text.parse().ok()));
    let bytes = bytes.filter(|bytes| *bytes > 0);
    let bytes = bytes.ok_or_else(|| wrong("the size of parts is no number"))?;
    let count = file.bytes.div_ceil(bytes);
    let mut urls = BTreeMap::new();
    for (name, url) in &upload.header {
        if let (Ok(number), Some(url)) = (name.parse::<u64>(), url.as_str()) {
            if !hub.may_send_to(url) {
                return Err(wrong(unsafe_to));
            }
            urls.insert(number, url.to_owned());
        }
    }
    // Parts count from 1.
    let whole = urls.keys().copied().eq(1..=count);
    if !whole || count > MAX_PARTS {
        return Err(wrong(&format!(
            "{} addresses for {count} parts",
            urls.len()
        )));
    }
    Ok(Plan::Parts {
        urls: urls.into_values().collect(),
        bytes,
    })
}

/// The headers that an address wants.
fn headers(action: &Action) -> Vec<(String, String)> {
    let named = action.header.iter();
    let texts = named.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let own = |name: &str| {
        ["content-length", "transfer-encoding", "host", "expect"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
    };
    texts.filter(|(name, _)| !own(name)).collect()
}

fn accept() -> Vec<(String, String)> {
    vec![("Accept".to_owned(), LFS_JSON.to_owned())]
}

fn etag(answer: &Answer) -> Result<String, UploadError> {
    let etag = answer.etag.clone().filter(|etag| !etag.is_empty());
    etag.ok_or_else(|| UploadError::Answer {
        what: "take a file",
        why: "it does not name the part".to_owned(),
    })
}
