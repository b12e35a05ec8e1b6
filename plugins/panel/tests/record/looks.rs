//! Nothing overlaps, no text is cut, and the pictures stay as they were blessed
//! (`UPDATE_SNAPSHOTS=1` blesses anew).

use forearm_panel::egui::{Event, Rect};
use forearm_panel::{RightTab, ThemeChoice};
use forearm_protocol::record::{CameraHealth, Phase, Recoverable};

use crate::common::Stage;
use crate::common::record::{browsing, closed, recording, stage};
use crate::common::sight::{compare, order, texts};

const SIZES: [(f32, f32); 4] = [
    (1280.0, 720.0),
    (1024.0, 700.0),
    (853.0, 480.0),
    (360.0, 740.0),
];
const PHASES: [Phase; 7] = [
    Phase::Closed,
    Phase::Ready,
    Phase::Recording,
    Phase::Paused,
    Phase::Saving,
    Phase::Resetting,
    Phase::Finished,
];

/// The parts that scroll: the arms, the list of joints, and the recorder itself.
fn scrolled(stage: &Stage) -> Vec<Rect> {
    let free = stage.output.free_rect;
    vec![
        Rect::everything_left_of(free.min.x),
        Rect::everything_below(free.max.y),
        Rect::everything_right_of(free.max.x),
    ]
}

fn check(stage: &Stage, what: &str) {
    order(stage, what, &scrolled(stage));
    let small = stage.size.x < 1000.0;
    for text in texts(stage) {
        // Names and tasks may be as long as they like.
        let may = small
            || ["LOST", "tray", "A task"]
                .iter()
                .any(|it| text.text.contains(it));
        assert!(!text.elided || may, "{what}: `{}` is shortened", text.text);
    }
}

#[test]
fn the_recorder_has_order_in_every_phase() {
    for (width, height) in SIZES {
        for phase in PHASES {
            let mut view = recording(phase);
            if phase == Phase::Closed {
                view.dataset = None;
            }
            let mut stage = stage(width, height, view);
            for tab in [RightTab::Record, RightTab::Episodes] {
                stage.state.settings.record.tab = tab;
                stage.settle();
                check(&stage, &format!("{phase:?}, {tab:?}, {width}×{height}"));
            }
        }
    }
}

#[test]
fn troubles_fit() {
    for (width, height) in SIZES {
        let mut view = recording(Phase::Recording);
        view.state.ticks_lost = 1234;
        view.state.cameras[0].health = CameraHealth::Frozen;
        view.state.cameras[1].health =
            CameraHealth::Lost("it was unplugged; plug it in again".to_owned());
        view.error = Some("The disk is full: make room, then go on with the recording.".to_owned());
        view.state.free_bytes = Some(80_000_000);
        view.state.task = "A task that is so long that nobody reads it to its end, ".repeat(4);
        let mut stage = stage(width, height, view);
        check(&stage, &format!("troubles, {width}×{height}"));
        let mut view = closed();
        view.state.recoverable = Some(Recoverable {
            episode: 12,
            frames: 212,
            task: "Put the red cube into the tray".to_owned(),
        });
        stage.inputs.record = Some(view);
        stage.settle();
        check(
            &stage,
            &format!("an episode that was cut off, {width}×{height}"),
        );
    }
}

/// A window with an episode in the browser.
fn browser(width: f32, height: f32) -> Stage {
    let mut stage = stage(width, height, browsing(10));
    stage.state.settings.record.tab = RightTab::Episodes;
    stage.settle();
    let at = stage.find("Open episode 10");
    stage.click(at);
    stage.frame(vec![Event::PointerGone]);
    stage.settle();
    stage
}

#[test]
fn the_browser_has_order() {
    for (width, height) in SIZES {
        let stage = browser(width, height);
        let what = format!("the browser, {width}×{height}");
        // What it covers is still drawn, on a phone.
        check(&stage, &what);
        let area = stage
            .ctx
            .memory(|memory| memory.area_rect(forearm_panel::egui::Id::new("browser")));
        let area = area.expect("it is open");
        let free = stage.output.free_rect;
        assert!(free.contains_rect(area), "{what}: {area} is not in {free}");
    }
}

#[test]
fn the_recorder_looks_as_blessed() {
    let picture = |name: &str, stage: &mut Stage, theme: ThemeChoice| {
        stage.state.settings.theme = theme;
        stage.settle();
        compare(name, &stage.picture());
    };
    let mut form = stage(1280.0, 720.0, closed());
    picture("record_form", &mut form, ThemeChoice::Light);
    let mut view = recording(Phase::Recording);
    view.state.cameras[1].health = CameraHealth::Frozen;
    let mut going = stage(1280.0, 720.0, view);
    picture("record", &mut going, ThemeChoice::Dark);
    let mut phone = stage(360.0, 740.0, recording(Phase::Resetting));
    phone.state.settings.record.tab = RightTab::Episodes;
    picture("record_phone", &mut phone, ThemeChoice::Dark);
    let mut episode = browser(1280.0, 720.0);
    picture("browser", &mut episode, ThemeChoice::Dark);
}
