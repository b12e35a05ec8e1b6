//! Logging to the terminal for commands without a window. (With one, Bevy's log plugin does it.)

use tracing_subscriber::EnvFilter;

/// Checks a filter such as `warn` or `warn,forearm_control=debug`.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse_filter(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::builder().parse(filter).map_err(|error| {
        anyhow::anyhow!(
            "`--log {filter}`: {error}; expected error, warn, info, debug, trace, or a list such \
             as `warn,forearm_control=debug`"
        )
    })
}

/// Starts logging to standard error.
///
/// # Errors
/// Says what is wrong with the filter, or that logging was started before.
pub fn init(filter: &str) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(parse_filter(filter)?)
        .with_writer(std::io::stderr)
        // A closed terminal is no reason to panic.
        .log_internal_errors(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("logging could not start: {error}"))
}
