//! The app in a browser tab: how it starts there, and what ties it to its page.
//!
//! In: what the address asks for (`?scene=…`, `#scene=…`, `?log=…`, `?serial=bridge`), the settings in the browser's
//! storage; `?camera=video` reads cameras the way that browsers need which can't hand their streams to
//! workers. Out: [`page`] tells the page around the canvas how the start goes, [`api`] and [`record`] are
//! what scripts can ask, [`isolation`] tells a person what the page has lost, [`serial`] lets one allow
//! serial ports.

mod api;
mod hands;
pub(crate) mod isolation;
pub(crate) mod js;
mod page;
pub(crate) mod record;
mod serial;
pub(crate) mod storage;

use bevy::app::AppExit;
use forearm_control::ControlConfig;
use forearm_panel::PanelSettings;
use forearm_protocol::control::{Notice, NoticeLevel};
use wasm_bindgen_futures::spawn_local;

use crate::files::{self, LoadedScene};
use crate::{AppSetup, DEFAULT_LOG, settings};

/// Starts the app; it comes to life when its scene is there.
pub fn start() {
    page::tell_of_panics();
    spawn_local(async {
        if let Err(error) = run().await {
            page::failed(&format!("{error:#}"));
        }
    });
}

async fn run() -> anyhow::Result<()> {
    let mut notices = Vec::new();
    let settings = settings::load().unwrap_or_else(|error| {
        notices.push(warning(format!("{error:#}; starting with defaults")));
        PanelSettings::default()
    });
    notices.extend(isolation::lost());
    page::stage("Loading the scene", 0.0);
    let (scene_id, loaded) = open_scene(settings.last_scene.as_deref(), &mut notices).await?;
    notices.extend(loaded.notes.into_iter().map(warning));
    page::stage("Starting", 0.4);
    let log = page::asked("log").unwrap_or_else(|| DEFAULT_LOG.to_owned());
    forearm_workers::web::configure(page::workers(&log));
    serial::offer();
    forearm_vision::web::offer(page::asked("camera").as_deref() == Some("video"));
    let mut app = crate::app(AppSetup {
        bundle: loaded.bundle,
        scene_id,
        settings,
        control: ControlConfig::default(),
        log,
        // The canvas has the size of its place in the page.
        size: [1280, 720],
        complete_pictures: false,
        notices,
    });
    // Bevy has set its own, which only writes to the console.
    page::tell_of_panics();
    app.add_plugins((
        page::PagePlugin,
        api::ApiPlugin,
        record::RecordApiPlugin,
        hands::HandsPlugin,
        serial::SerialPlugin,
    ));
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => Err(anyhow::anyhow!("the app ended with code {code}")),
    }
}

/// The scene that the address asks for and what it is called; else the one that was open last. One
/// that can't be opened is told in `notices`, and the default opens.
///
/// # Errors
/// Not even the default scene can be opened.
async fn open_scene(
    last: Option<&str>,
    notices: &mut Vec<Notice>,
) -> anyhow::Result<(String, LoadedScene)> {
    let asked = page::asked("scene").or_else(page::carried_scene);
    let wanted = match (&asked, last) {
        (Some(asked), _) => Some((asked.as_str(), "The scene of this link")),
        (None, Some(last)) => Some((last, "The scene that was open last")),
        (None, None) => None,
    };
    if let Some((reference, what)) = wanted {
        match files::load_scene(Some(reference)).await {
            Ok(loaded) => return Ok((reference.to_owned(), loaded)),
            Err(error) => notices.push(Notice {
                level: NoticeLevel::Error,
                text: format!("{what} can't be opened: {error:#}"),
            }),
        }
    }
    let loaded = files::load_scene(None).await?;
    Ok((files::default_scene().to_owned(), loaded))
}

fn warning(text: String) -> Notice {
    Notice {
        level: NoticeLevel::Warning,
        text,
    }
}
