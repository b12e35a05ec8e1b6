//! What a worker logs goes to its owner, whose console people look at.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Takes a line and its level.
type Sink = Box<dyn Fn(&Level, &str) + Send + Sync>;

struct Lines {
    level: Level,
    sink: Sink,
    spans: AtomicU64,
}

/// Sends what is logged at the general level of a filter (the `warn` of `warn,wgpu=error`) or above
/// to `sink`. The first call counts.
pub(crate) fn log_to(filter: &str, sink: Sink) {
    let general = filter.split(',').find(|part| !part.contains('='));
    let level = general.and_then(|level| level.trim().parse().ok());
    let level = level.unwrap_or(Level::WARN);
    let lines = Lines {
        level,
        sink,
        spans: AtomicU64::new(0),
    };
    tracing::subscriber::set_global_default(lines).ok();
}

/// Sends what is logged to the browser's console: for pages without an app of their own.
pub fn log_to_console(filter: &str) {
    log_to(
        filter,
        Box::new(|level, line| {
            let line = wasm_bindgen::JsValue::from_str(line);
            match *level {
                Level::ERROR => web_sys::console::error_1(&line),
                Level::WARN => web_sys::console::warn_1(&line),
                _ => web_sys::console::log_1(&line),
            }
        }),
    );
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{}: ", event.metadata().target()));
        event.record(&mut line);
        (self.sink)(event.metadata().level(), &line.0);
    }

    // Spans are not shown.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string never fails.
        match field.name() {
            "message" => write!(self.0, "{value:?}").ok(),
            name => write!(self.0, " {name}={value:?}").ok(),
        };
    }
}
