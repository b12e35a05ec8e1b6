//! What a person can press, and what that asks for; what can't be pressed says why.

use forearm_panel::egui::{Event, Key, vec2};
use forearm_panel::{Outbox, PanelAction, RightTab, ShownFrame};
use forearm_protocol::control::{Command, TeleopMode};
use forearm_protocol::record::{CameraSource, Phase, Place, RecordConfig, Recoverable, Request};

use crate::common::Stage;
use crate::common::record::{TASK, browsing, closed, recording, series, stage};
use crate::common::sight::texts;

fn window(phase: Phase) -> Stage {
    stage(1280.0, 720.0, recording(phase))
}

fn press(stage: &mut Stage, name: &str) -> Vec<PanelAction> {
    let at = stage.find(name);
    let out = stage.click(at);
    stage.settle();
    asked(out)
}

/// What was asked, without that settings are to be stored, and pictures shown.
fn asked(out: Outbox) -> Vec<PanelAction> {
    let mut actions = out.actions;
    actions.retain(|action| {
        !matches!(
            action,
            PanelAction::SettingsChanged | PanelAction::ShowThumbnail(_)
        )
    });
    actions
}

fn ask(request: Request) -> Vec<PanelAction> {
    vec![PanelAction::Record(request)]
}

fn shows(stage: &Stage, text: &str) -> bool {
    texts(stage).iter().any(|shown| shown.text.contains(text))
}

/// What is told under the pointer that rests on this.
fn hover(stage: &mut Stage, name: &str) {
    let at = stage.find(name);
    stage.frame(vec![Event::PointerMoved(at)]);
    stage.settle();
    stage.settle();
}

#[test]
fn nothing_is_offered_where_nothing_can_be_recorded() {
    let mut stage = window(Phase::Recording);
    stage.inputs.record = None;
    stage.settle();
    assert!(stage.try_find("Record").is_none());
    assert!(!shows(&stage, "REC"));
    assert_eq!(asked(stage.press(Key::N)), []);
}

#[test]
fn a_key_opens_the_recorder() {
    let mut stage = window(Phase::Closed);
    stage.state.settings.record.tab = RightTab::Cameras;
    stage.state.settings.right_open = false;
    stage.settle();
    assert!(!shows(&stage, "Look again"));
    stage.press(Key::F4);
    stage.settle();
    stage.settle();
    assert!(shows(&stage, "Look again"));
    stage.press(Key::F4);
    stage.settle();
    assert!(!shows(&stage, "Look again"));
}

#[test]
fn a_dataset_is_opened_with_what_was_chosen() {
    let mut stage = stage(1280.0, 720.0, closed());
    assert_eq!(press(&mut stage, "Record video0").len(), 0, "a choice");
    press(&mut stage, "Record wrist");
    press(&mut stage, "Go on with it if it is there");
    let settings = &mut stage.state.settings.record;
    settings.episodes = 5;
    settings.reset_secs = 3.0;
    let got = press(&mut stage, "Open");
    let [PanelAction::Record(Request::Open(config))] = &got[..] else {
        panic!("{got:?}");
    };
    let cameras: Vec<_> = config.cameras.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(cameras, ["front", "video0"]);
    let device = CameraSource::Device("/dev/video0".to_owned());
    assert_eq!(config.cameras[1].source, device);
    let place = Place::Folder("/data/forearm/dataset".to_owned());
    let expected = RecordConfig {
        task: TASK.to_owned(),
        episodes: 5,
        reset_secs: 3.0,
        cameras: config.cameras.clone(),
        ..RecordConfig::new(place)
    };
    assert_eq!(
        **config, expected,
        "it does not go on with one that is there"
    );
}

#[test]
fn without_a_task_nothing_opens_and_the_button_says_why() {
    let mut stage = stage(1280.0, 720.0, closed());
    stage.state.settings.record.task.clear();
    stage.settle();
    assert_eq!(press(&mut stage, "Open"), []);
    hover(&mut stage, "Open");
    assert!(shows(&stage, "Say first what the arm is to do"));
}

#[test]
fn a_typed_task_is_not_taken_for_keys_and_stored_when_the_field_is_left() {
    let mut stage = window(Phase::Resetting);
    stage.state.settings.record.task.clear();
    stage.settle();
    press(&mut stage, "Task");
    let mut out = Outbox::default();
    for letter in "Run n times".chars() {
        let key = Key::from_name(&letter.to_uppercase().to_string());
        let mut events = vec![Event::Text(letter.to_string())];
        events.extend(key.map(|key| Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Default::default(),
        }));
        let told = stage.frame(events);
        out.actions.extend(told.actions);
    }
    assert_eq!(
        out.actions,
        [],
        "N ends no reset, and no file is written yet"
    );
    let mut told = stage.press(Key::Enter);
    told.actions.extend(stage.frame(Vec::new()).actions);
    let task = Request::SetTask("Run n times".to_owned());
    assert_eq!(
        told.actions
            .iter()
            .filter(|it| **it == PanelAction::Record(task.clone()))
            .count(),
        1
    );
    assert!(told.actions.contains(&PanelAction::SettingsChanged));
}

#[test]
fn each_button_asks_for_what_it_says() {
    for (phase, name, request) in [
        (Phase::Closed, "Look again", Request::ListCameras),
        (Phase::Ready, "Start recording N", Request::Start),
        (Phase::Ready, "Close", Request::Close),
        (Phase::Recording, "End episode N", Request::NextEpisode),
        (Phase::Recording, "Re-record R", Request::Rerecord),
        (Phase::Recording, "Pause P", Request::Pause(true)),
        (Phase::Paused, "Go on P", Request::Pause(false)),
        (Phase::Recording, "Finish F", Request::Finish),
        (Phase::Resetting, "Start now N", Request::NextEpisode),
        (Phase::Resetting, "Re-record R", Request::Rerecord),
        (Phase::Finished, "Record one more N", Request::Start),
        (Phase::Finished, "Close", Request::Close),
    ] {
        let mut stage = window(phase);
        let got = press(&mut stage, name);
        assert_eq!(got, ask(request), "{phase:?}, {name}");
    }
}

#[test]
fn what_a_phase_forbids_says_why() {
    for (phase, name, why) in [
        (Phase::Ready, "Pause P", "No episode is being recorded"),
        (Phase::Recording, "Close", "Finish the recording first"),
        (
            Phase::Saving,
            "End episode N",
            "The episode is being written",
        ),
        (Phase::Resetting, "Pause P", "No episode is being recorded"),
        (Phase::Finished, "Finish F", "Nothing is being recorded"),
    ] {
        let mut stage = window(phase);
        assert_eq!(press(&mut stage, name), [], "{phase:?}, {name}");
        hover(&mut stage, name);
        assert!(shows(&stage, why), "{phase:?}, {name}: `{why}`");
    }
}

#[test]
fn letters_always_work_and_arrows_while_no_keys_drive_the_arm() {
    let mut stage = window(Phase::Recording);
    assert!(!stage.output.record_keys);
    for (key, request) in [
        (Key::N, Request::NextEpisode),
        (Key::R, Request::Rerecord),
        (Key::P, Request::Pause(true)),
        (Key::Space, Request::Pause(true)),
        (Key::F, Request::Finish),
    ] {
        assert_eq!(asked(stage.press(key)), ask(request), "{key:?}");
    }
    for key in [Key::ArrowRight, Key::ArrowLeft, Key::Q, Key::Escape] {
        assert_eq!(asked(stage.press(key)), [], "{key:?} drives, or stops");
    }
    let state = stage.inputs.state.as_mut().expect("there is a state");
    state.arms[0].mode = TeleopMode::Leader;
    stage.settle();
    assert!(stage.output.record_keys);
    assert!(shows(&stage, "Keys as in LeRobot"));
    for (key, request) in [
        (Key::ArrowRight, Request::NextEpisode),
        (Key::ArrowLeft, Request::Rerecord),
        (Key::Q, Request::Finish),
        (Key::N, Request::NextEpisode),
    ] {
        assert_eq!(asked(stage.press(key)), ask(request), "{key:?}");
    }
    assert_eq!(
        asked(stage.press(Key::Escape)),
        [],
        "the app's, for the emergency stop"
    );
    stage.inputs.record = Some(recording(Phase::Closed));
    stage.settle();
    assert!(!stage.output.record_keys);
    assert_eq!(asked(stage.press(Key::N)), []);
}

#[test]
fn a_key_that_is_held_counts_once() {
    let mut stage = window(Phase::Recording);
    let event = |repeat| Event::Key {
        key: Key::N,
        physical_key: None,
        pressed: true,
        repeat,
        modifiers: Default::default(),
    };
    assert_eq!(
        asked(stage.frame(vec![event(false)])),
        ask(Request::NextEpisode)
    );
    assert_eq!(asked(stage.frame(vec![event(true)])), []);
    assert_eq!(asked(stage.frame(vec![event(true)])), []);
}

#[test]
fn the_strip_has_buttons_where_the_recorder_is_out_of_sight() {
    let mut stage = window(Phase::Recording);
    stage.state.settings.right_open = false;
    stage.settle();
    stage.settle();
    assert!(shows(&stage, "REC") && shows(&stage, "00:12"));
    let got = press(&mut stage, "End episode N");
    assert_eq!(got, ask(Request::NextEpisode));
}

#[test]
fn an_episode_that_was_cut_off_is_kept_or_thrown_away() {
    for (name, keep) in [("Keep it", true), ("Throw it away", false)] {
        let mut stage = window(Phase::Ready);
        let view = stage.inputs.record.as_mut().unwrap();
        view.state.recoverable = Some(Recoverable {
            episode: 12,
            frames: 212,
            task: TASK.to_owned(),
        });
        stage.settle();
        assert!(shows(&stage, "212 rows, 7.07 s"));
        assert_eq!(press(&mut stage, "Start recording N"), [], "decide first");
        assert_eq!(press(&mut stage, name), ask(Request::Recover(keep)));
    }
}

/// The list of episodes.
fn list(phase: Phase) -> Stage {
    let mut stage = window(phase);
    stage.state.settings.record.tab = RightTab::Episodes;
    stage.settle();
    stage
}

#[test]
fn episodes_are_deleted_and_brought_back() {
    let mut stage = list(Phase::Resetting);
    let got = press(&mut stage, "Delete episode 9");
    assert_eq!(got, ask(Request::DeleteEpisodes(vec![9])));
    assert_eq!(press(&mut stage, "Undo delete"), [], "nothing was deleted");
    stage.inputs.record.as_mut().unwrap().state.can_undo = true;
    stage.settle();
    assert_eq!(press(&mut stage, "Undo delete"), ask(Request::UndoDelete));
    let got = press(&mut stage, "Record episode 11 again");
    assert_eq!(got, ask(Request::Rerecord));
    let mut stage = list(Phase::Recording);
    assert_eq!(
        press(&mut stage, "Delete episode 9"),
        [],
        "an episode is in hand"
    );
    assert!(stage.try_find("Record episode 11 again").is_none());
}

#[test]
fn pictures_are_asked_for_that_are_in_sight_and_missing() {
    let mut stage = list(Phase::Resetting);
    let view = stage.inputs.record.as_mut().unwrap();
    view.thumbnails.remove(&10);
    view.thumbnails.remove(&0);
    let out = stage.frame(Vec::new());
    assert_eq!(
        out.actions,
        [PanelAction::ShowThumbnail(10)],
        "0 is out of sight"
    );
    stage.inputs.record.as_mut().unwrap().state.phase = Phase::Recording;
    assert_eq!(stage.frame(Vec::new()).actions, [], "recording comes first");
}

#[test]
fn a_dataset_is_opened_to_look_at_and_closed() {
    let mut stage = stage(1280.0, 720.0, closed());
    stage.state.settings.record.tab = RightTab::Episodes;
    stage.state.settings.record.place = "/data/other".to_owned();
    stage.settle();
    let place = Place::Folder("/data/other".to_owned());
    assert_eq!(
        press(&mut stage, "Open to look at"),
        ask(Request::Browse(place))
    );
    let view = stage.inputs.record.as_mut().unwrap();
    view.in_browser = true;
    view.stored = vec!["first".to_owned(), "second".to_owned()];
    stage.settle();
    let place = Place::Storage("second".to_owned());
    assert_eq!(press(&mut stage, "second"), ask(Request::Browse(place)));
    stage.inputs.record = Some(browsing(3));
    stage.settle();
    assert_eq!(press(&mut stage, "Close the dataset"), ask(Request::Close));
}

#[test]
fn a_dataset_is_exported_to_a_file_or_to_the_browser_and_that_is_cancelled() {
    let mut stage = list(Phase::Closed);
    assert_eq!(press(&mut stage, "Export ZIP…"), [], "first: where to?");
    let got = press(&mut stage, "Write");
    let [PanelAction::Record(Request::Export { file, window_bytes })] = &got[..] else {
        panic!("{got:?}");
    };
    assert_eq!(file.as_deref(), Some("/data/datasets/red_cube.zip"));
    assert!(*window_bytes > 0);
    let view = stage.inputs.record.as_mut().unwrap();
    view.progress = Some(("Packing".to_owned(), 0.42));
    stage.settle();
    assert!(shows(&stage, "Packing, 42 %"));
    assert_eq!(press(&mut stage, "Export ZIP…"), [], "one at a time");
    assert_eq!(press(&mut stage, "Cancel"), [PanelAction::CancelRecordWork]);
    let view = stage.inputs.record.as_mut().unwrap();
    view.progress = None;
    view.in_browser = true;
    stage.settle();
    let got = press(&mut stage, "Export ZIP…");
    let none = matches!(
        &got[..],
        [PanelAction::Record(Request::Export { file: None, .. })]
    );
    assert!(none, "{got:?}");
}

#[test]
fn a_dataset_is_uploaded_with_a_token_that_is_not_kept() {
    let mut stage = list(Phase::Closed);
    press(&mut stage, "Upload…");
    assert_eq!(press(&mut stage, "Upload"), [], "where to?");
    hover(&mut stage, "Upload");
    assert!(shows(&stage, "user/dataset"));
    stage.state.settings.record.hub_name = "me/red_cube".to_owned();
    stage.settle();
    assert_eq!(press(&mut stage, "Upload"), [], "a token is needed");
    press(&mut stage, "Token");
    stage.frame(vec![Event::Text("hf_secret".to_owned())]);
    stage.settle();
    assert!(!shows(&stage, "hf_secret"), "nobody reads it");
    let got = press(&mut stage, "Upload");
    let [PanelAction::Record(Request::Upload(config))] = &got[..] else {
        panic!("{got:?}");
    };
    let told = (config.repo_id.as_str(), config.token.as_str());
    assert_eq!(told, ("me/red_cube", "hf_secret"));
    press(&mut stage, "Upload…");
    stage.inputs.record.as_mut().unwrap().token_known = true;
    stage.settle();
    let got = press(&mut stage, "Upload");
    let [PanelAction::Record(Request::Upload(config))] = &got[..] else {
        panic!("{got:?}");
    };
    assert_eq!(
        config.token, "",
        "the app knows it; what was typed is forgotten"
    );
}

/// An episode in the browser.
fn browser() -> Stage {
    let mut stage = stage(1280.0, 720.0, browsing(10));
    stage.state.settings.record.tab = RightTab::Episodes;
    stage.settle();
    let at = stage.find("Open episode 10");
    let out = stage.click(at);
    let opened: Vec<_> = asked(out);
    let (episode, frame) = (10, 0);
    let expected = [
        PanelAction::ShowEpisode(10),
        PanelAction::ShowFrame { episode, frame },
    ];
    assert!(opened.is_empty() || opened == expected, "{opened:?}");
    stage.settle();
    stage
}

/// The last row that was asked for.
fn row(actions: &[PanelAction]) -> Option<u32> {
    actions.iter().rev().find_map(|action| match action {
        PanelAction::ShowFrame { frame, .. } => Some(*frame),
        _ => None,
    })
}

#[test]
fn any_row_is_a_drag_or_a_key_away() {
    let mut stage = browser();
    let rail = stage.find("Row");
    let got = press(&mut stage, "Row");
    let middle = row(&got).expect("a row was asked for");
    assert!((180..=190).contains(&middle), "of 370 rows: {middle}");
    let got = press(&mut stage, "Next row");
    assert_eq!(row(&got), Some(middle + 1));
    let got = press(&mut stage, "Previous row");
    assert_eq!(row(&got), Some(middle));
    // The very last and the very first are reached.
    let ends = [(vec2(2000.0, 0.0), 369), (vec2(-2000.0, 0.0), 0)];
    for (way, expected) in ends {
        stage.frame(vec![Event::PointerMoved(rail)]);
        stage.frame(vec![crate::common::button(rail, true)]);
        let out = stage.frame(vec![Event::PointerMoved(rail + way)]);
        let mut actions = out.actions;
        let out = stage.frame(vec![crate::common::button(rail + way, false)]);
        actions.extend(out.actions);
        assert_eq!(row(&actions), Some(expected));
    }
}

#[test]
fn an_episode_plays_at_its_own_pace() {
    let mut stage = browser();
    press(&mut stage, "Play");
    let mut rows = Vec::new();
    for _ in 0..60 {
        rows.extend(row(&stage.frame(Vec::new()).actions));
    }
    // 60 pictures of the window are a second: 30 rows, one after the other.
    assert!((29..=31).contains(&rows.len()), "{rows:?}");
    assert!(
        rows.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "{rows:?}"
    );
    press(&mut stage, "Pause");
    assert_eq!(row(&stage.frame(Vec::new()).actions), None);
}

#[test]
fn the_browser_goes_to_other_episodes_and_away() {
    let mut stage = browser();
    let got = press(&mut stage, "Next episode");
    assert!(got.contains(&PanelAction::ShowEpisode(11)), "{got:?}");
    assert!(
        shows(&stage, "Reading the episode"),
        "not the other's numbers"
    );
    assert_eq!(press(&mut stage, "Next episode"), [], "it is the last");
    let view = stage.inputs.record.as_mut().unwrap();
    view.series = Some(series(11, 377));
    view.frame = Some(ShownFrame::default());
    stage.settle();
    assert!(!shows(&stage, "Reading the episode"));
    press(&mut stage, "Close the browser");
    assert!(stage.try_find("Close the browser").is_none());
    assert!(shows(&stage, "Joints"), "the plot is back");
}

#[test]
fn an_episode_is_replayed_on_the_selected_arm() {
    let mut stage = browser();
    let got = press(&mut stage, "Replay on the arm");
    let (arm, episode) = (0, 10);
    assert_eq!(got, [PanelAction::ReplayEpisode { arm, episode }]);
    assert!(shows(&stage, "Joints"), "the arm can be seen");
    press(&mut stage, "Open episode 10");
    stage.inputs.state.as_mut().unwrap().e_stopped = true;
    stage.settle();
    assert_eq!(press(&mut stage, "Replay on the arm"), []);
    hover(&mut stage, "Replay on the arm");
    assert!(shows(&stage, "Clear the emergency stop first"));
}

#[test]
fn a_deleted_episode_leaves_the_browser() {
    let mut stage = browser();
    let dataset = &mut stage.inputs.record.as_mut().unwrap().dataset;
    dataset.as_mut().unwrap().episodes.truncate(5);
    stage.settle();
    assert!(stage.try_find("Close the browser").is_none());
}

#[test]
fn the_emergency_stop_is_never_covered() {
    for (width, height) in [(1280.0, 720.0), (853.0, 480.0), (360.0, 640.0)] {
        let mut stage = stage(width, height, recording(Phase::Resetting));
        stage.state.settings.record.tab = RightTab::Episodes;
        stage.settle();
        let at = stage.find("Open episode 11");
        stage.click(at);
        stage.settle();
        let stop = stage.try_find("Emergency stop");
        let stop = stop.unwrap_or_else(|| stage.find("E-STOP"));
        let out = stage.click(stop);
        assert_eq!(out.commands, [Command::EStop], "{width}×{height}");
    }
}
