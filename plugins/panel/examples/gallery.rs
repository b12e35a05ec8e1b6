//! Writes pictures of the panels, without a window: `cargo run --release -p forearm_panel
//! --no-default-features --example gallery -- FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};

use common::devices::{bus, calibration, connect, lead, ports, real, troubled};
use common::workers::{trials, workers};
use common::{Stage, inputs};
use forearm_panel::{PanelInputs, Ports, Sheet, ThemeChoice, TrialsView};
use forearm_protocol::control::{Notice, NoticeLevel, TeleopMode};
use forearm_protocol::servo::{CalibrationStage, CalibrationStatus, Connection, Role};

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

    devices(&folder);
    wizard(&folder);
}

/// Real arms: being chosen, doing well, in trouble.
fn devices(folder: &Path) {
    for (width, height) in [(1280.0, 900.0), (360.0, 740.0), (1024.0, 700.0)] {
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            let save = |stage: &Stage, what: &str| {
                let name = format!("device-{what}-{width}-{theme:?}.png").to_lowercase();
                stage.picture().save(&folder.join(name));
            };
            let stage = |inputs| {
                let mut stage = Stage::new(width, height, inputs);
                stage.state.settings.theme = theme;
                stage.settle();
                stage
            };
            let mut it = stage(inputs(&["follower"]));
            it.inputs.devices.ports = ports();
            tall(&mut it);
            it.reach("Connect…");
            let at = it.find("Real arm");
            it.click(at);
            it.settle();
            it.reach("Connect…");
            save(&it, "choose");
            it.inputs.devices.ports = Ports::Known(Vec::new());
            it.settle();
            save(&it, "none");

            let mut it = stage(real(&["follower"], |arms| {
                connect(&mut arms[0], bus("/dev/ttyACM0"));
                lead(&mut arms[0], bus("/dev/ttyACM1"));
            }));
            it.state.settings.plot_error = true;
            tall(&mut it);
            it.reach("Bus and motors of the leader");
            save(&it, "good");
            let at = it.find("Bus and motors");
            it.click(at);
            it.settle();
            save(&it, "good-open");

            let mut it = stage(real(&["follower"], |arms| {
                let mut bus = troubled("/dev/ttyACM0");
                bus.calibration = CalibrationStatus::Differs(vec![
                    "elbow_flex: homing offset is 112, the file says 14".to_owned(),
                    "gripper: range is 2031 to 3470, the file says 1998 to 3412".to_owned(),
                ]);
                connect(&mut arms[0], bus);
            }));
            tall(&mut it);
            it.reach("Bus and motors");
            let at = it.find("Bus and motors");
            it.click(at);
            it.settle();
            it.reach("Connect…");
            save(&it, "trouble");

            let mut it = stage(real(&["follower"], |arms| {
                let mut lost = bus("/dev/ttyACM0");
                lost.connection = Connection::Lost(
                    "/dev/ttyACM0 went away: plug its USB cable in again.".to_owned(),
                );
                connect(&mut arms[0], lost);
                let mut leader = bus("/dev/serial/by-id/usb-1a86_USB_Single_Serial_5A46085310");
                leader.calibration = CalibrationStatus::Missing;
                lead(&mut arms[0], leader);
            }));
            tall(&mut it);
            it.reach("Bus and motors of the leader");
            save(&it, "lost");
        }
    }
}

/// Makes the window so high that a phone shows all of the card.
fn tall(stage: &mut Stage) {
    if stage.size.x < 800.0 {
        stage.size.y = 1100.0;
    }
    stage.settle();
}

/// The guided calibration at its stages.
fn wizard(folder: &Path) {
    for (width, height) in [
        (1280.0, 720.0),
        (360.0, 740.0),
        (1024.0, 700.0),
        (853.0, 480.0),
    ] {
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            for stage in [CalibrationStage::Middle, CalibrationStage::Ranges] {
                let inputs = real(&["follower"], |arms| {
                    connect(&mut arms[0], bus("/dev/ttyACM0"));
                });
                let mut it = Stage::new(width, height, inputs);
                it.inputs.devices.calibration = Some(calibration(stage, Role::Follower));
                it.state.settings.theme = theme;
                it.settle();
                let name = format!("wizard-{stage:?}-{width}-{theme:?}.png").to_lowercase();
                it.picture().save(&folder.join(name));
            }
        }
    }
}
