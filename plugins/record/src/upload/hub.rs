//! A hub's addresses, and what may be sent to which.

use forearm_protocol::record::UploadConfig;

use super::error::UploadError;

/// The longest name of a dataset that the hub allows.
const MAX_REPO_ID: usize = 96;

/// One dataset on one hub, and the token for it.
#[derive(Clone)]
pub(super) struct Hub {
    endpoint: String,
    pub(super) repo_id: String,
    pub(super) private: bool,
    token: String,
}

impl Hub {
    /// Checks everything that can be checked without asking.
    ///
    /// # Errors
    /// [`UploadError::Endpoint`], [`UploadError::RepoId`], [`UploadError::NoToken`].
    pub(super) fn new(config: &UploadConfig) -> Result<Self, UploadError> {
        let endpoint = config.endpoint.trim().trim_end_matches('/');
        let wrong = || UploadError::Endpoint {
            endpoint: without_secrets(&config.endpoint),
        };
        let (scheme, rest) = endpoint.split_once("://").ok_or_else(wrong)?;
        let host = rest.split('/').next().unwrap_or_default();
        let plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
        let odd = |c| matches!(c, '?' | '#' | '@' | '\\' | '"' | '<' | '>');
        let safe = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => is_this_machine(host),
            _ => false,
        };
        if host.is_empty() || !plain || rest.contains(odd) || !safe {
            return Err(wrong());
        }
        let repo_id = config.repo_id.trim();
        if !is_repo_id(repo_id) {
            return Err(UploadError::RepoId {
                repo_id: config.repo_id.clone(),
            });
        }
        let token = config.token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UploadError::NoToken);
        }
        Ok(Self {
            endpoint: endpoint.to_owned(),
            repo_id: repo_id.to_owned(),
            private: config.private,
            token: token.to_owned(),
        })
    }

    /// An address of the hub's own interface.
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}/api/{path}", self.endpoint)
    }

    /// An address of the interface of this dataset.
    pub(super) fn dataset_api(&self, path: &str) -> String {
        self.api(&format!("datasets/{}/{path}", self.repo_id))
    }

    /// Where it is asked how to send large files.
    pub(super) fn lfs_batch(&self) -> String {
        format!(
            "{}/datasets/{}.git/info/lfs/objects/batch",
            self.endpoint, self.repo_id
        )
    }

    /// Where a person finds the dataset.
    pub(super) fn page(&self) -> String {
        format!("{}/datasets/{}", self.endpoint, self.repo_id)
    }

    /// What the hub, and nobody else, gets as `Authorization`.
    pub(super) fn authorization_for(&self, url: &str) -> Option<String> {
        let same = origin(url).is_some_and(|there| {
            origin(&self.endpoint).is_some_and(|here| there.eq_ignore_ascii_case(here))
        });
        same.then(|| format!("Bearer {}", self.token))
    }

    /// Whether files may be sent to this address, which the hub named: never in plain text where the
    /// hub itself is spoken to in secret.
    pub(super) fn may_send_to(&self, url: &str) -> bool {
        let Some(there) = origin(url) else {
            return false;
        };
        let graphic = url.bytes().all(|byte| byte.is_ascii_graphic());
        let secret = there.to_ascii_lowercase().starts_with("https://");
        graphic && (secret || !self.endpoint.to_ascii_lowercase().starts_with("https://"))
    }

    /// A text without the token, should somebody have put it there.
    pub(super) fn redact(&self, text: &str) -> String {
        text.replace(&self.token, "(token)")
    }

    /// Names this dataset on this hub, in the state that is kept.
    pub(super) fn target(&self) -> String {
        self.page()
    }
}

impl std::fmt::Debug for Hub {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Hub").field(&self.page()).finish()
    }
}

/// `scheme://host:port` of an address.
fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let known = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    (known && !host.is_empty() && !host.contains('@'))
        .then(|| &url[..scheme.len() + "://".len() + host.len()])
}

/// An address's host, for messages: what comes after it may be secret.
pub(super) fn host(url: &str) -> String {
    let place = origin(url).and_then(|origin| origin.split_once("://"));
    place.map_or("the hub", |(_, host)| host).to_owned()
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn is_repo_id(repo_id: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !part.starts_with(['-', '.'])
            && !part.ends_with(['-', '.'])
            && !part.contains("--")
            && !part.contains("..")
    };
    repo_id.len() <= MAX_REPO_ID
        && !repo_id.ends_with(".git")
        && repo_id
            .split_once('/')
            .is_some_and(|(owner, name)| part(owner) && part(name))
}

/// An address without what may be a password in it.
fn without_secrets(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}
