//! How the service refuses: what was asked, why it can't be done, what to do.

use forearm_protocol::ServiceError;

/// A refusal of a request.
pub(super) fn refused(
    request: &str,
    why: impl Into<String>,
    next: impl Into<String>,
) -> ServiceError {
    ServiceError::Refused {
        what: format!("`{request}`"),
        why: why.into(),
        next: next.into(),
    }
}

/// There is no environment.
pub(super) fn empty(request: &str, why: Option<&str>) -> ServiceError {
    let why = match why {
        None => "there is no environment".to_owned(),
        Some(why) => format!("there is no environment: {why}"),
    };
    refused(request, why, "send `env/init` first")
}

/// No episode runs in a world.
pub(super) fn no_episode(request: &str, world: usize, lost: Option<&str>) -> ServiceError {
    let why = match lost {
        None => format!("world {world} has no episode yet"),
        Some(lost) => lost.to_owned(),
    };
    refused(request, why, "send `env/reset` with a seed first")
}

/// A world that there is not.
pub(super) fn no_world(request: &str, world: u32, worlds: usize) -> ServiceError {
    let next = format!("name one of 0 to {}", worlds.saturating_sub(1));
    refused(request, format!("there is no world {world}"), next)
}

/// What was asked is not done any more.
pub(super) fn cancelled(request: &str, why: &str) -> ServiceError {
    ServiceError::Cancelled {
        request: request.to_owned(),
        why: why.to_owned(),
    }
}
