//! What the hub is sent and what it answers, as JSON.
//!
//! Facts from the public clients of the hub (`huggingface_hub`, `hf-hub`) and Git LFS's batch interface.
//! Answers may have more fields than are named here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Makes a repository: `POST api/repos/create`.
#[derive(Debug, Serialize)]
pub(super) struct CreateRepo<'a> {
    pub(super) name: &'a str,
    pub(super) organization: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) private: bool,
}

/// Where a branch stands: `GET api/datasets/{repo}/revision/main`.
#[derive(Debug, Deserialize)]
pub(super) struct Revision {
    pub(super) sha: String,
}

/// A file or folder: `GET api/datasets/{repo}/tree/main`.
#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) oid: String,
    #[serde(default)]
    pub(super) lfs: Option<TreeLfs>,
}

/// Of a file that is kept by its hash.
#[derive(Debug, Deserialize)]
pub(super) struct TreeLfs {
    pub(super) oid: String,
}

/// How files are to be sent: `POST api/datasets/{repo}/preupload/main`.
#[derive(Debug, Serialize)]
pub(super) struct Preupload<'a> {
    pub(super) files: Vec<PreuploadFile<'a>>,
}

/// A file, and how it begins.
#[derive(Debug, Serialize)]
pub(super) struct PreuploadFile<'a> {
    pub(super) path: &'a str,
    /// Base64.
    pub(super) sample: String,
    pub(super) size: u64,
}

/// How each is to be sent.
#[derive(Debug, Deserialize)]
pub(super) struct PreuploadReply {
    pub(super) files: Vec<PreuploadMode>,
}

/// `regular`: within the commit; `lfs`: by its hash.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreuploadMode {
    pub(super) path: String,
    pub(super) upload_mode: String,
    #[serde(default)]
    pub(super) should_ignore: bool,
}

/// Where to send large files: `POST datasets/{repo}.git/info/lfs/objects/batch`.
#[derive(Debug, Serialize)]
pub(super) struct Batch<'a> {
    pub(super) operation: &'static str,
    pub(super) transfers: [&'static str; 2],
    pub(super) objects: Vec<Object<'a>>,
    pub(super) hash_algo: &'static str,
    #[serde(rename = "ref")]
    pub(super) branch: Branch,
}

/// A branch.
#[derive(Debug, Serialize)]
pub(super) struct Branch {
    pub(super) name: &'static str,
}

/// A content: also what is sent to have it verified.
#[derive(Debug, Serialize)]
pub(super) struct Object<'a> {
    pub(super) oid: &'a str,
    pub(super) size: u64,
}

/// What to do for each.
#[derive(Debug, Deserialize)]
pub(super) struct BatchReply {
    pub(super) objects: Vec<BatchObject>,
}

/// What to do for one; nothing if the hub has it.
#[derive(Debug, Deserialize)]
pub(super) struct BatchObject {
    pub(super) oid: String,
    #[serde(default)]
    pub(super) actions: Option<Actions>,
    #[serde(default)]
    pub(super) error: Option<BatchError>,
}

/// Why an object is not taken.
#[derive(Debug, Deserialize)]
pub(super) struct BatchError {
    #[serde(default)]
    pub(super) code: u16,
    #[serde(default)]
    pub(super) message: String,
}

/// Where an object goes, and where to have it verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Actions {
    #[serde(default)]
    pub(super) upload: Option<Action>,
    #[serde(default)]
    pub(super) verify: Option<Action>,
}

/// An address and the headers for it. With `chunk_size` among them the object goes in parts: numbers
/// among the headers are the addresses of the parts, `href` is told when they are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Action {
    pub(super) href: String,
    #[serde(default)]
    pub(super) header: BTreeMap<String, serde_json::Value>,
}

/// All parts are there.
#[derive(Debug, Serialize)]
pub(super) struct Completion<'a> {
    pub(super) oid: &'a str,
    pub(super) parts: Vec<CompletedPart<'a>>,
}

/// A part, as its place has confirmed it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CompletedPart<'a> {
    pub(super) part_number: usize,
    pub(super) etag: &'a str,
}

/// A line of a commit: `POST api/datasets/{repo}/commit/main`.
#[derive(Debug, Serialize)]
#[serde(tag = "key", content = "value", rename_all = "camelCase")]
pub(super) enum CommitLine<'a> {
    #[serde(rename_all = "camelCase")]
    Header {
        summary: &'a str,
        description: &'a str,
        parent_commit: &'a str,
    },
    File {
        content: String,
        path: &'a str,
        encoding: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    LfsFile {
        path: &'a str,
        algo: &'static str,
        oid: &'a str,
        size: u64,
    },
    DeletedFile {
        path: &'a str,
    },
}

/// The commit is made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommitReply {
    pub(super) commit_oid: String,
}

/// Names a commit: `POST api/datasets/{repo}/tag/{commit}`.
#[derive(Debug, Serialize)]
pub(super) struct Tag<'a> {
    pub(super) tag: &'a str,
}

/// An error, in the hub's words.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorReply {
    pub(super) error: String,
}
