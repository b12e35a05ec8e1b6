//! Why an upload failed, and what to do about it. The token is in none of the messages.

use forearm_dataset::store::StoreError;

/// Why a dataset could not be uploaded.
///
/// What was uploaded so far stays there: the same upload goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The hub's address.
    #[error(
        "{endpoint:?} is no address of a hub: expected for instance https://huggingface.co \
         (http only on this machine, because the token would be readable on its way)"
    )]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
    /// The dataset's name on the hub.
    #[error(
        "{repo_id:?} is no name of a dataset: expected user/name, of letters, digits, '-', '_' and '.'"
    )]
    RepoId {
        /// What was given.
        repo_id: String,
    },
    /// No token.
    #[error(
        "uploading needs an access token with the right to write; make one in the hub's settings"
    )]
    NoToken,
    /// There is no dataset.
    #[error("there is no dataset to upload: {why}; record an episode, or check the dataset")]
    NoDataset {
        /// What is missing.
        why: String,
    },
    /// The hub does not take the token.
    #[error("the hub does not accept the token ({said}); check it, or make a new one")]
    Token {
        /// The hub's words.
        said: String,
    },
    /// The token does not allow it.
    #[error(
        "the hub does not allow to {what} ({said}); the token needs the right to write, and the name \
         before the '/' has to be yours or your organisation's"
    )]
    Forbidden {
        /// What was tried.
        what: &'static str,
        /// The hub's words.
        said: String,
    },
    /// Another answer than expected.
    #[error("the hub refused to {what}: {status}, {said}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// The status of HTTP.
        status: u16,
        /// The hub's words.
        said: String,
    },
    /// An answer that can't be understood.
    #[error("the hub's answer is not understood ({what}: {why}); is the address that of a hub?")]
    Answer {
        /// What was tried.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// No connection, again and again.
    #[error(
        "no connection to {host} to {what}, tried {attempts} times ({why}); start the upload again \
         later, it goes on where it stopped"
    )]
    Connection {
        /// Where to.
        host: String,
        /// What was tried.
        what: &'static str,
        /// How often.
        attempts: u32,
        /// What happened.
        why: String,
    },
    /// A file is not what it was.
    #[error(
        "{path} changed while it was uploaded; start the upload again when nothing is recorded"
    )]
    Changed {
        /// The file.
        path: String,
    },
    /// Somebody else keeps changing the dataset on the hub.
    #[error("somebody else changes {repo_id} at the same time; start the upload again")]
    Contested {
        /// The dataset there.
        repo_id: String,
    },
    /// A file can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}
