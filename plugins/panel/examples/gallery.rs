//! Writes pictures of the panels, without a window: `cargo run --release -p forearm_panel
//! --no-default-features --example gallery -- FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;

use common::workers::{trials, workers};
use common::{Stage, inputs};
use forearm_panel::{PanelInputs, Sheet, ThemeChoice, TrialsView};
use forearm_protocol::control::{Notice, NoticeLevel, TeleopMode};

fn main() {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "gallery".to_owned()),
    );
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for (width, height) in [(1280.0, 720.0), (1920.0, 1080.0)] {
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            let mut stage = Stage::new(width, height, inputs(&["follower"]));
            stage.state.settings.theme = theme;
            stage.settle();
            let name = format!("one-{width}-{theme:?}.png").to_lowercase();
            stage.picture().save(&folder.join(name));
        }
    }
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["left", "right"]));
    for (level, text) in [
        (NoticeLevel::Info, "Loaded the scene Two arms."),
        (
            NoticeLevel::Warning,
            "The arm left can't reach the target: it is 12 mm too far away.",
        ),
        (
            NoticeLevel::Error,
            "The camera wrist was lost; plug it in again.",
        ),
    ] {
        stage.state.notify(Notice {
            level,
            text: text.to_owned(),
        });
    }
    if let Some(update) = &mut stage.inputs.state {
        update.e_stopped = true;
        update.arms[0].limited = Some("elbow_flex: 1.71 rad is above the limit 1.69".to_owned());
    }
    stage.settle();
    stage.picture().save(&folder.join("two-stopped.png"));

    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.state.help_open = true;
    stage.settle();
    stage.picture().save(&folder.join("help.png"));

    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.settle();
    let at = stage.find("View");
    stage.click(at);
    stage.settle();
    stage.picture().save(&folder.join("view-menu.png"));

    let mut stage = Stage::new(853.0, 480.0, inputs(&["left", "right"]));
    stage.settle();
    stage.picture().save(&folder.join("small.png"));

    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.settle();
    stage.click(forearm_panel::egui::pos2(1128.0, 160.0));
    stage.settle();
    stage.picture().save(&folder.join("large-camera.png"));

    for (width, height) in [(1280.0, 720.0), (1024.0, 700.0), (360.0, 740.0)] {
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            let mut stage = Stage::new(width, height, inputs(&["follower"]));
            stage.inputs.workers = workers();
            stage.inputs.workers.trials = Some(trials());
            stage.state.settings.theme = theme;
            stage.state.settings.workers_open = true;
            stage.state.settings.trials_open = true;
            stage.settle();
            let name = format!("workers-{width}-{theme:?}.png").to_lowercase();
            stage.picture().save(&folder.join(name));
            let at = stage.find("pool, web worker, running");
            stage.click(at);
            stage.settle();
            let name = format!("workers-{width}-{theme:?}-open.png").to_lowercase();
            stage.picture().save(&folder.join(name));
        }
    }

    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.inputs.workers.trials = Some(TrialsView {
        running: true,
        done: 5,
        succeeded: 5,
        failed: 0,
        ..trials()
    });
    stage.state.settings.trials_open = true;
    stage.settle();
    stage.picture().save(&folder.join("trials.png"));

    for sheet in Sheet::ALL {
        let mut stage = Stage::new(360.0, 740.0, inputs(&["follower"]));
        stage.state.settings.sheet = Some(sheet);
        if let Some(update) = &mut stage.inputs.state {
            update.arms[0].mode = TeleopMode::Script;
        }
        stage.inputs.workers = workers();
        stage.inputs.workers.trials = Some(trials());
        stage.state.settings.trials_open = sheet == Sheet::Arms;
        stage.state.help_open = sheet == Sheet::Telemetry;
        if sheet == Sheet::Plot {
            stage.state.notify(Notice {
                level: NoticeLevel::Warning,
                text: "a frame of the stack; ".repeat(40),
            });
        }
        if sheet == Sheet::Plot {
            for (level, text) in [
                (
                    NoticeLevel::Error,
                    "control crashed: index out of bounds. It is started again.",
                ),
                (
                    NoticeLevel::Error,
                    "control crashed: index out of bounds. It is started again.",
                ),
                (
                    NoticeLevel::Info,
                    "control is back; arms hold where they are. Press Start to go on.",
                ),
            ] {
                stage.state.notify(Notice {
                    level,
                    text: text.to_owned(),
                });
            }
        }
        stage.settle();
        if sheet == Sheet::Cameras {
            if let Some(update) = &mut stage.inputs.state {
                update.e_stopped = true;
            }
            let menu = stage.find("View");
            stage.click(menu);
            stage.settle();
        }
        let name = format!("phone-{}.png", sheet.label()).to_lowercase();
        stage.picture().save(&folder.join(name));
    }

    let mut stage = Stage::new(1280.0, 720.0, PanelInputs::default());
    stage.settle();
    stage.picture().save(&folder.join("empty.png"));
}
