//! The list of workers, the trials of a motion, and what a person can press there.

mod common;

use common::workers::{trials, workers};
use common::{Stage, inputs};
use forearm_panel::egui::{self, Event, Key, Shape, pos2, vec2};
use forearm_panel::{PanelAction, ServiceState, TrialsView};
use forearm_protocol::control::Command;

fn stage() -> Stage {
    stage_of(1280.0, 720.0)
}

fn stage_of(width: f32, height: f32) -> Stage {
    let mut stage = Stage::new(width, height, inputs(&["follower"]));
    stage.inputs.workers = workers();
    stage.state.settings.workers_open = true;
    stage.settle();
    stage
}

/// The texts of the last frame that can be seen.
fn texts(stage: &Stage) -> Vec<String> {
    fn collect(shape: &Shape, clip: egui::Rect, texts: &mut Vec<String>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, texts)),
            Shape::Text(text) => {
                let rect = text.galley.mesh_bounds.translate(text.pos.to_vec2());
                if clip.intersects(rect) {
                    texts.push(text.galley.text().to_owned());
                }
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    for clipped in &stage.full.as_ref().expect("a frame was drawn").shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut texts);
    }
    texts
}

fn shows(stage: &Stage, text: &str) -> bool {
    texts(stage).iter().any(|shown| shown == text)
}

#[test]
fn a_key_and_a_button_open_the_list_and_it_is_remembered() {
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.settle();
    assert!(!shows(&stage, "Workers"));
    let out = stage.press(Key::F2);
    stage.settle();
    assert!(shows(&stage, "Workers") && shows(&stage, "No service runs"));
    assert!(out.actions.contains(&PanelAction::SettingsChanged));
    stage.click(stage.find("Workers (F2)"));
    stage.settle();
    assert!(!shows(&stage, "Workers") && !stage.state.settings.workers_open);
    stage.press(Key::F2);
    stage.settle();
    stage.click(stage.find("Close the workers (F2)"));
    assert!(!stage.state.settings.workers_open);
}

#[test]
fn rows_say_who_runs_where_and_how() {
    for (width, height) in [(1280.0, 720.0), (360.0, 740.0)] {
        let stage = stage_of(width, height);
        for text in [
            "control",
            "web worker",
            "running",
            "0.1 s",
            "142",
            "34.1 kB",
            "main thread",
            "Compiling, 40 %",
        ] {
            assert!(shows(&stage, text), "{width}: `{text}` is missing");
        }
    }
    let stage = stage();
    let shown = texts(&stage);
    for text in [
        "failed",
        "5",
        "8 cores  ·  SharedArrayBuffer: not needed; not available here",
    ] {
        assert!(shows(&stage, text), "`{text}` is missing in {shown:?}");
    }
    assert!(
        shown.iter().any(|text| text.contains("journal.rs:118")),
        "why it failed is in sight without unfolding"
    );
}

#[test]
fn kinds_of_work_unfold_and_fold() {
    let mut stage = stage();
    assert!(!shows(&stage, "trial/run"));
    stage.click(stage.find("pool, web worker, running"));
    stage.settle();
    for text in [
        "trial/run",
        "12.0 k",
        "812 ms",
        "1.31 s",
        "118",
        "4 cancelled",
    ] {
        assert!(shows(&stage, text), "`{text}` is missing");
    }
    assert!(
        !shows(&stage, "teleop/play_script"),
        "the others stay folded"
    );
    stage.click(stage.find("pool, web worker, running"));
    stage.settle();
    assert!(!shows(&stage, "trial/run"));
}

#[test]
fn why_a_service_has_no_worker_is_told_under_the_pointer_and_unfolded() {
    let mut stage = stage();
    let why = "The page's security policy forbids workers.";
    assert!(!shows(&stage, why));
    let row = stage.find("vision, main thread, starting");
    let host = pos2(520.0, row.y);
    stage.frame(vec![Event::PointerMoved(host)]);
    stage.settle();
    stage.settle();
    assert!(shows(&stage, why), "under the pointer");
    stage.frame(vec![Event::PointerMoved(pos2(600.0, 700.0))]);
    stage.click(row);
    stage.frame(vec![Event::PointerMoved(pos2(600.0, 700.0))]);
    stage.settle();
    assert!(shows(&stage, why), "unfolded");
}

#[test]
fn services_are_restarted() {
    let mut stage = stage();
    assert!(
        stage.try_find("Restart control").is_none(),
        "nobody restarts by accident what runs"
    );
    let out = stage.click(stage.find("Restart recorder"));
    let restart = |name: &str| PanelAction::RestartService(name.to_owned());
    assert_eq!(out.actions, [restart("recorder")]);
    stage.click(stage.find("control, web worker, running"));
    stage.settle();
    let out = stage.click(stage.find("Restart control"));
    assert_eq!(out.actions, [restart("control")]);
    stage.inputs.workers.services[0].state = ServiceState::Restarting;
    stage.settle();
    let out = stage.click(stage.find("Restart control"));
    assert_eq!(out.actions, [], "it is being restarted");
}

#[test]
fn every_message_is_logged_on_demand() {
    let mut stage = stage();
    let out = stage.click(stage.find("Log every message"));
    assert_eq!(out.actions, [PanelAction::SetDiagnostics(true)]);
    stage.inputs.workers.diagnostics = true;
    stage.settle();
    let out = stage.click(stage.find("Log every message"));
    assert_eq!(out.actions, [PanelAction::SetDiagnostics(false)]);
}

#[test]
fn the_emergency_stop_is_never_covered() {
    for (width, height) in [(1280.0, 720.0), (800.0, 600.0), (360.0, 640.0)] {
        let mut stage = stage_of(width, height);
        stage.inputs.workers.trials = Some(trials());
        stage.state.settings.trials_open = true;
        stage.settle();
        let button = stage.try_find("Emergency stop");
        let button = button.unwrap_or_else(|| stage.find("E-STOP"));
        let out = stage.click(button);
        assert_eq!(out.commands, [Command::EStop], "{width}×{height}");
    }
}

#[test]
fn on_a_phone_the_help_leaves_the_emergency_stop_alone() {
    let mut stage = stage_of(360.0, 740.0);
    stage.state.help_open = true;
    stage.settle();
    assert!(shows(&stage, "Emergency stop, always"));
    let out = stage.click(stage.find("E-STOP"));
    assert_eq!(out.commands, [Command::EStop]);
    stage.click(stage.find("Close (F1)"));
    assert!(!stage.state.help_open);
}

#[test]
fn the_list_has_the_pointer_that_is_over_it() {
    let mut stage = stage();
    let picture = stage.output.free_rect;
    stage.frame(vec![Event::PointerMoved(
        picture.left_top() + vec2(60.0, 40.0),
    )]);
    stage.frame(Vec::new());
    assert!(stage.output.pointer_captured);
    stage.frame(vec![Event::PointerMoved(
        picture.left_bottom() + vec2(60.0, -8.0),
    )]);
    stage.frame(Vec::new());
    assert!(!stage.output.pointer_captured);
}

fn trials_stage(view: TrialsView) -> Stage {
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.inputs.workers.trials = Some(view);
    stage.state.settings.trials_open = true;
    stage.settle();
    stage
}

#[test]
fn trials_are_started_and_given_up() {
    let mut stage = trials_stage(TrialsView::default());
    let out = stage.click(stage.find("Try"));
    let start = PanelAction::StartTrials {
        motion: "pick".to_owned(),
        runs: 20,
        jitter_m: 0.02,
    };
    assert_eq!(out.actions, [start]);
    stage.inputs.workers.trials = Some(TrialsView {
        running: true,
        runs: 20,
        done: 5,
        succeeded: 4,
        failed: 1,
        ..TrialsView::default()
    });
    stage.settle();
    assert!(shows(&stage, "4 of 5 ended with every object in its tray"));
    assert!(shows(&stage, "15 to go"));
    let out = stage.click(stage.find("Cancel"));
    assert_eq!(out.actions, [PanelAction::CancelTrials]);
}

#[test]
fn the_numbers_of_trials_are_typed_and_kept_within_bounds() {
    let mut stage = trials_stage(TrialsView::default());
    let type_into = |stage: &mut Stage, field: &str, text: &str| {
        stage.click(stage.find(field));
        stage.settle();
        stage.press_with(Key::A, egui::Modifiers::COMMAND);
        stage.frame(vec![Event::Text(text.to_owned())]);
        stage.press(Key::Enter);
        stage.settle();
    };
    type_into(&mut stage, "20", "5000");
    type_into(&mut stage, "2.0 cm", "3.5");
    let out = stage.click(stage.find("Try"));
    let start = PanelAction::StartTrials {
        motion: "pick".to_owned(),
        runs: 200,
        jitter_m: 0.035,
    };
    assert_eq!(out.actions, [start]);
}

#[test]
fn what_trials_showed_is_told() {
    let stage = trials_stage(trials());
    assert!(shows(
        &stage,
        "18 of 20 ended with every object in its tray"
    ));
    assert!(shows(&stage, "A run took 812 ms (p50), 1.20 s (p95)"));
    let error = "The motion `pick` is not known.".to_owned();
    let stage = trials_stage(TrialsView {
        error: Some(error.clone()),
        ..TrialsView::default()
    });
    assert!(shows(&stage, &error));
}

#[test]
fn trials_are_not_offered_where_there_are_none() {
    let mut stage = stage();
    stage.state.settings.trials_open = true;
    stage.inputs.state.as_mut().expect("a state").arms[0].mode =
        forearm_protocol::control::TeleopMode::Script;
    stage.settle();
    assert!(!shows(&stage, "Trials") && !shows(&stage, "Close the trials"));
    stage.inputs.workers.trials = Some(TrialsView::default());
    stage.settle();
    assert!(shows(&stage, "Trials"));
    stage.click(stage.find("Close the trials"));
    stage.settle();
    assert!(!shows(&stage, "Trials") && shows(&stage, "Try it many times"));
}

#[test]
fn a_phone_switches_and_closes_its_panel() {
    let mut stage = Stage::new(360.0, 740.0, inputs(&["follower"]));
    stage.settle();
    assert!(shows(&stage, "shoulder_pan"), "the arms come first");
    let before = stage.output.free_rect.height();
    stage.click(stage.find("Timing"));
    stage.settle();
    assert!(shows(&stage, "Control rate") && !shows(&stage, "shoulder_pan"));
    stage.click(stage.find("Timing"));
    stage.settle();
    assert!(!shows(&stage, "Control rate"));
    assert!(stage.output.free_rect.height() > before + 200.0);
    let out = stage.click(stage.find("E-STOP"));
    assert_eq!(out.commands, [Command::EStop]);
}
