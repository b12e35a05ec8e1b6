//! What a person presses becomes the right command or action, and nothing else does.

mod common;

use common::{Stage, button, inputs, update};
use forearm_panel::egui::{Event, Key, pos2};
use forearm_panel::{Outbox, PanelAction, PanelInputs, ThemeChoice, Units, ViewPreset, ViewToggle};
use forearm_protocol::control::{self, Command, Notice, NoticeLevel, Request, TeleopMode};

fn stage() -> Stage {
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.settle();
    stage
}

fn requests(out: &Outbox) -> Vec<&Request> {
    out.actions
        .iter()
        .filter_map(|action| match action {
            PanelAction::Request(request) => Some(request),
            _ => None,
        })
        .collect()
}

#[test]
fn nothing_happens_by_itself() {
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    let first = stage.frame(Vec::new());
    assert_eq!(
        first.actions,
        [PanelAction::SelectArm(0)],
        "the app hears which arm is selected"
    );
    for _ in 0..60 {
        let out = stage.frame(Vec::new());
        assert!(out.commands.is_empty() && out.actions.is_empty(), "{out:?}");
    }
}

#[test]
fn the_emergency_stop_stops_and_clears() {
    let mut stage = stage();
    let out = stage.click(stage.find("Emergency stop"));
    assert_eq!(out.commands, [Command::EStop]);
    stage.inputs.state.as_mut().unwrap().e_stopped = true;
    stage.settle();
    let out = stage.click(stage.find("Clear emergency stop"));
    assert_eq!(requests(&out), [&Request::ClearEStop]);
    assert!(out.commands.is_empty());
}

#[test]
fn torque_is_switched() {
    let mut stage = stage();
    let out = stage.click(stage.find("Torque"));
    assert_eq!(requests(&out), [&Request::SetTorque { arm: 0, on: false }]);
}

#[test]
fn modes_are_chosen_for_the_selected_arm() {
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["left", "right"]));
    stage.state.settings.selected_arm = 1;
    stage.settle();
    stage.click(stage.find("Keyboard"));
    stage.settle();
    let out = stage.click(stage.find("Gamepad: tool"));
    let mode = TeleopMode::GamepadCartesian;
    assert_eq!(requests(&out), [&Request::SetMode { arm: 1, mode }]);
}

#[test]
fn a_dragged_slider_switches_to_sliders_and_sends_targets() {
    let mut stage = stage();
    let from = stage.find("shoulder_pan");
    let mut out = stage.frame(vec![Event::PointerMoved(from), button(from, true)]);
    let to = from + forearm_panel::egui::vec2(60.0, 0.0);
    let dragged = stage.frame(vec![Event::PointerMoved(to)]);
    out.commands.extend(dragged.commands);
    out.actions.extend(dragged.actions);
    assert!(stage.output.pointer_captured);
    stage.frame(vec![button(to, false)]);
    let mode = TeleopMode::Sliders;
    assert_eq!(requests(&out), [&Request::SetMode { arm: 0, mode }]);
    let Some(Command::JointTargets { arm: 0, positions }) = out.commands.last() else {
        panic!("no targets were sent: {out:?}");
    };
    let state = stage.inputs.state.as_ref().unwrap();
    let limits = stage.inputs.arm(0).unwrap().model.joints[0].limits;
    assert!(
        positions[0] > 0.3 * limits.upper && positions[0] < limits.upper,
        "{positions:?}"
    );
    for (joint, position) in positions.iter().enumerate().skip(1) {
        assert_eq!(
            *position, state.arms[0].joints[joint].target,
            "other joints stay"
        );
    }
}

#[test]
fn sliders_rest_while_the_arm_cant_move() {
    let mut stage = stage();
    type Change = fn(&mut control::StateUpdate);
    let changes: [Change; 4] = [
        |state| state.e_stopped = true,
        |state| state.active = false,
        |state| state.arms[0].torque = false,
        |state| state.arms[0].connected = false,
    ];
    for change in changes {
        let mut state = update(&stage.inputs, 20.0);
        change(&mut state);
        stage.inputs.state = Some(state);
        stage.settle();
        let out = stage.click(stage.find("shoulder_pan"));
        assert!(
            out.commands.is_empty() && requests(&out).is_empty(),
            "{out:?}"
        );
    }
}

#[test]
fn typing_a_target_keeps_the_keys_from_the_arm_and_sends_it_in_the_chosen_unit() {
    let mut stage = stage();
    assert!(!stage.output.keyboard_captured);
    // The number field stands above the right end of the slider.
    let field = pos2(238.0, stage.find("shoulder_pan").y - 20.0);
    stage.click(field);
    stage.frame(Vec::new());
    assert!(stage.output.keyboard_captured, "the field has the keyboard");
    let out = stage.press(Key::Num3);
    assert!(out.actions.is_empty(), "a digit in a field is no shortcut");
    stage.frame(vec![Event::Text("−30,0°".to_owned())]);
    let mut out = stage.press(Key::Enter);
    out.commands.extend(stage.frame(Vec::new()).commands);
    let Some(Command::JointTargets { positions, .. }) = out.commands.last() else {
        panic!("no targets were sent: {out:?}");
    };
    assert!(
        (positions[0] + 30.0_f64.to_radians()).abs() < 1e-9,
        "{positions:?}"
    );
    assert!(
        !stage.output.keyboard_captured,
        "the keyboard is free again"
    );
}

#[test]
fn buttons_and_sliders_leave_the_keyboard_to_the_arm() {
    let mut stage = stage();
    for name in [
        "Torque",
        "rad",
        "Reset",
        "shoulder_lift",
        "follower/gripper",
        "Side",
        "Pause",
    ] {
        stage.click(stage.find(name));
        stage.frame(Vec::new());
        assert!(!stage.output.keyboard_captured, "after a click on {name}");
    }
}

#[test]
fn the_emergency_stop_stays_in_sight_when_its_panel_is_closed() {
    let mut stage = stage();
    stage.state.settings.left_open = false;
    stage.settle();
    let out = stage.click(stage.find("E-STOP"));
    assert_eq!(out.commands, [Command::EStop]);
    stage.inputs.state.as_mut().unwrap().e_stopped = true;
    stage.settle();
    let out = stage.click(stage.find("Clear E-stop"));
    assert_eq!(requests(&out), [&Request::ClearEStop]);
}

#[test]
fn a_camera_image_is_shown_large_and_put_away() {
    let mut stage = stage();
    let small = pos2(1128.0, 160.0);
    let nothing = stage.picture();
    stage.click(small);
    stage.settle();
    let middle = stage.output.free_rect.center();
    let pixel =
        |stage: &Stage| stage.picture().pixels[middle.y as usize * 1280 + middle.x as usize];
    assert_ne!(
        pixel(&stage),
        nothing.pixels[middle.y as usize * 1280 + middle.x as usize]
    );
    stage.click(middle);
    stage.settle();
    assert_eq!(
        pixel(&stage),
        nothing.pixels[middle.y as usize * 1280 + middle.x as usize]
    );
}

#[test]
fn driving_starts_and_stops() {
    let mut stage = stage();
    let out = stage.press(Key::F5);
    assert_eq!(requests(&out), [&Request::Stop]);
    stage.inputs.state.as_mut().unwrap().active = false;
    stage.settle();
    let out = stage.press(Key::F5);
    assert_eq!(requests(&out), [&Request::Start]);
    let out = stage.click(stage.find("▶  Start"));
    assert_eq!(requests(&out), [&Request::Start]);
    stage.inputs.state.as_mut().unwrap().e_stopped = true;
    stage.settle();
    let out = stage.press(Key::F5);
    assert!(requests(&out).is_empty(), "not during an emergency stop");
    let out = stage.press(Key::F6);
    assert_eq!(requests(&out), [&Request::ResetScene]);
}

#[test]
fn views_have_keys_and_buttons() {
    let mut stage = stage();
    let out = stage.press(Key::Num4);
    assert_eq!(out.actions, [PanelAction::SetView(ViewPreset::Top)]);
    let out = stage.click(stage.find("Side"));
    assert_eq!(out.actions, [PanelAction::SetView(ViewPreset::Side)]);
    stage.click(stage.find("View"));
    stage.settle();
    let out = stage.click(stage.find("Joint frames"));
    assert!(
        out.actions
            .contains(&PanelAction::Toggle(ViewToggle::Frames, true)),
        "{out:?}"
    );
    assert!(stage.state.settings.toggles.frames);
}

#[test]
fn settings_are_announced_once() {
    let mut stage = stage();
    let out = stage.click(stage.find("rad"));
    assert_eq!(stage.state.settings.units, Units::Radians);
    assert_eq!(out.actions, [PanelAction::SettingsChanged]);
    assert!(stage.frame(Vec::new()).actions.is_empty());
    let out = stage.click(stage.find("Light theme"));
    assert_eq!(stage.state.settings.theme, ThemeChoice::Light);
    assert!(
        out.actions
            .contains(&PanelAction::SetTheme(ThemeChoice::Light))
    );
}

#[test]
fn scenes_are_chosen() {
    let mut stage = stage();
    stage.click(stage.find("Pick and place"));
    stage.settle();
    let out = stage.click(stage.find("Two arms"));
    assert!(
        out.actions
            .contains(&PanelAction::SelectScene("two.ron".to_owned())),
        "{out:?}"
    );
    assert_eq!(stage.state.settings.last_scene.as_deref(), Some("two.ron"));
}

#[test]
fn motions_are_played() {
    let mut stage = stage();
    stage.inputs.state.as_mut().unwrap().arms[0].mode = TeleopMode::Script;
    stage.settle();
    let out = stage.click(stage.find("▶  Play"));
    assert_eq!(
        out.actions,
        [PanelAction::PlayScript {
            arm: 0,
            id: "pick".to_owned()
        }]
    );
}

#[test]
fn the_pointer_belongs_to_the_picture_only_over_the_picture() {
    let mut stage = stage();
    let free = stage.output.free_rect;
    stage.frame(vec![Event::PointerMoved(free.center())]);
    assert!(!stage.output.pointer_captured);
    for panel in [
        pos2(free.min.x - 40.0, 300.0),
        pos2(free.max.x + 40.0, 300.0),
        pos2(600.0, 20.0),
    ] {
        stage.frame(vec![Event::PointerMoved(panel)]);
        stage.frame(Vec::new());
        assert!(stage.output.pointer_captured, "over a panel at {panel}");
    }
    let notice = Notice {
        level: NoticeLevel::Info,
        text: "hello".to_owned(),
    };
    stage.state.notify(notice);
    stage.settle();
    let toast = free.right_bottom() - forearm_panel::egui::vec2(60.0, 30.0);
    stage.frame(vec![Event::PointerMoved(toast)]);
    stage.frame(Vec::new());
    assert!(stage.output.pointer_captured, "over a notice");
}

#[test]
fn help_opens_and_closes() {
    let mut stage = stage();
    stage.press(Key::F1);
    stage.settle();
    assert!(stage.try_find("Emergency stop, always").is_some());
    let out = stage.click(pos2(20.0, 300.0));
    assert!(!stage.state.help_open, "a click beside it closes it");
    assert!(out.commands.is_empty());
}

#[test]
fn panels_close_and_give_their_place_to_the_picture() {
    let mut stage = stage();
    let before = stage.output.free_rect;
    stage.click(stage.find("Close the plot"));
    stage.settle();
    assert!(!stage.state.settings.plot_open);
    assert_eq!(stage.output.free_rect.max.y, 720.0);
    stage.state.settings.left_open = false;
    stage.state.settings.right_open = false;
    stage.settle();
    assert_eq!(stage.output.free_rect.width(), 1280.0);
    stage.state.settings.left_open = true;
    stage.settle();
    assert_eq!(
        stage.output.free_rect.min.x, before.min.x,
        "a panel comes back as wide as it was"
    );
}

#[test]
fn joints_are_chosen_for_the_plot_and_remembered() {
    let mut stage = stage();
    stage.click(stage.find("follower/gripper"));
    let chosen = stage.state.settings.plot_joints.clone().unwrap();
    assert!(
        chosen.contains("follower/gripper") && chosen.len() == 4,
        "{chosen:?}"
    );
    stage.click(stage.find("follower/shoulder_pan"));
    assert_eq!(stage.state.settings.plot_joints.as_ref().unwrap().len(), 3);
}

#[test]
fn a_paused_plot_stands_still() {
    let mut stage = stage();
    stage.click(stage.find("Pause"));
    stage.settle();
    let before = stage.picture();
    for tick in 300..320 {
        let state = update(&stage.inputs, f64::from(tick) / 20.0);
        stage
            .inputs
            .receive(&control::Event::State(Box::new(state)));
    }
    stage.settle();
    let after = stage.picture();
    let plot = stage.output.free_rect.max.y as usize..720;
    let x = 520..940;
    for row in plot.start + 40..plot.end - 20 {
        let part = |canvas: &common::raster::Canvas| {
            canvas.pixels[row * 1280 + x.start..row * 1280 + x.end].to_vec()
        };
        assert!(part(&before) == part(&after), "row {row} has changed");
    }
}

#[test]
fn states_of_another_scene_are_skipped() {
    let mut inputs = inputs(&["follower"]);
    let mut late = update(&inputs, 99.0);
    late.scene_generation = 0;
    inputs.receive(&control::Event::State(Box::new(late)));
    assert!(inputs.state.as_ref().unwrap().time_secs < 99.0);
}

#[test]
fn without_anything_there_is_still_a_window() {
    let mut stage = Stage::new(1280.0, 720.0, PanelInputs::default());
    stage.settle();
    assert!(stage.output.free_rect.width() > 300.0);
    let out = stage.click(stage.find("Emergency stop"));
    assert_eq!(out.commands, [Command::EStop], "it always works");
}
