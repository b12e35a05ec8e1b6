//! Real arms: what a person presses to connect, calibrate and leave them becomes the right action,
//! and everything stays readable in common sizes of the window.

mod common;

use common::devices::{bus, calibration, connect, lead, ports, real, troubled};
use common::{Stage, inputs, update};
use forearm_panel::egui::{self, Event, Key, Rect};
use forearm_panel::{Mover, Outbox, PanelAction, Ports, ThemeChoice, ViewToggle};
use forearm_protocol::control::{self, ArmState, Command, Request, TeleopMode};
use forearm_protocol::servo::{
    CalibrationStage, CalibrationStatus, CalibrationStep, Connection, Device, Role, SerialArm,
};

const FOLLOWER: Device = Device {
    arm: 0,
    role: Role::Follower,
};
const LEADER: Device = Device {
    arm: 0,
    role: Role::Leader,
};

fn simulated() -> Stage {
    let mut inputs = inputs(&["follower"]);
    inputs.devices.ports = ports();
    let mut stage = Stage::new(1280.0, 1000.0, inputs);
    stage.settle();
    stage
}

fn stage_of(change: impl Fn(&mut ArmState)) -> Stage {
    let inputs = real(&["follower"], |arms| change(&mut arms[0]));
    let mut stage = Stage::new(1280.0, 1100.0, inputs);
    stage.settle();
    stage
}

fn press(stage: &mut Stage, name: &str) -> Outbox {
    let at = stage.find(name);
    let out = stage.click(at);
    stage.settle();
    out
}

fn requests(out: &Outbox) -> Vec<&Request> {
    let actions = out.actions.iter();
    actions
        .filter_map(|action| match action {
            PanelAction::Request(request) => Some(request),
            _ => None,
        })
        .collect()
}

fn serial(port: &str, id: Option<&str>) -> SerialArm {
    SerialArm {
        port: port.to_owned(),
        id: id.map(str::to_owned),
    }
}

fn movers(out: &Outbox) -> Vec<&PanelAction> {
    let actions = out.actions.iter();
    actions
        .filter(|action| matches!(action, PanelAction::SetMover { .. }))
        .collect()
}

#[test]
fn a_port_is_chosen_before_an_arm_is_connected() {
    let mut stage = simulated();
    let out = press(&mut stage, "Real arm");
    assert!(movers(&out).is_empty(), "nothing moves yet: {out:?}");
    assert!(out.actions.contains(&PanelAction::ListPorts));
    assert!(stage.try_find("Port /dev/ttyS0").is_none(), "no arm");
    let out = press(&mut stage, "Connect");
    assert!(movers(&out).is_empty(), "two ports look alike: {out:?}");
    press(&mut stage, "Port /dev/ttyACM1");
    let out = press(&mut stage, "Connect");
    let mover = Mover::Serial(serial("/dev/ttyACM1", None));
    assert_eq!(movers(&out), [&PanelAction::SetMover { arm: 0, mover }]);
}

#[test]
fn the_only_likely_port_is_offered_and_others_on_demand() {
    let mut stage = simulated();
    let Ports::Known(all) = &mut stage.inputs.devices.ports else {
        panic!("ports are known");
    };
    all.remove(0);
    press(&mut stage, "Real arm");
    press(&mut stage, "Show 2 other ports");
    assert!(stage.try_find("Port /dev/ttyS1").is_some());
    let out = press(&mut stage, "Connect");
    let mover = Mover::Serial(serial("/dev/ttyACM1", None));
    assert_eq!(movers(&out), [&PanelAction::SetMover { arm: 0, mover }]);
}

#[test]
fn an_id_is_typed_and_remembered() {
    let mut stage = simulated();
    press(&mut stage, "Real arm");
    press(&mut stage, "Port /dev/ttyACM0");
    let field = stage.find("Calibration id") + egui::vec2(120.0, 0.0);
    stage.click(field);
    stage.frame(Vec::new());
    assert!(stage.output.keyboard_captured, "the field has the keyboard");
    stage.frame(vec![Event::Text(" blue ".to_owned())]);
    let out = press(&mut stage, "Connect");
    let mover = Mover::Serial(serial("/dev/ttyACM0", Some("blue")));
    assert_eq!(movers(&out), [&PanelAction::SetMover { arm: 0, mover }]);
    assert!(!stage.output.keyboard_captured);
    // Next time the port has another name; its serial number tells.
    let Ports::Known(all) = &mut stage.inputs.devices.ports else {
        panic!("ports are known");
    };
    all[0].name = "/dev/ttyACM7".to_owned();
    for _ in 0..200 {
        stage.frame(Vec::new());
    }
    press(&mut stage, "Real arm");
    let out = press(&mut stage, "Connect");
    let mover = Mover::Serial(serial("/dev/ttyACM7", Some("blue")));
    assert_eq!(movers(&out), [&PanelAction::SetMover { arm: 0, mover }]);
}

#[test]
fn a_port_has_one_user() {
    let mut stage = simulated();
    let mut state = update(&stage.inputs, 30.0);
    connect(&mut state.arms[0], bus("/dev/ttyACM0"));
    stage.inputs.state = Some(state);
    stage.settle();
    press(&mut stage, "Connect…");
    press(&mut stage, "Port /dev/ttyACM0");
    let out = press(&mut stage, "Connect");
    let leader = Some(serial("/dev/ttyACM1", None));
    assert!(
        out.actions
            .contains(&PanelAction::SetLeader { arm: 0, leader }),
        "the follower's port can't be chosen: {out:?}"
    );
}

#[test]
fn without_ports_it_says_what_to_do() {
    let mut stage = simulated();
    stage.inputs.devices.ports = Ports::Known(Vec::new());
    press(&mut stage, "Real arm");
    assert!(stage.try_find("No serial port was found.").is_some());
    let out = press(&mut stage, "Refresh");
    assert_eq!(out.actions, [PanelAction::ListPorts]);
    let out = press(&mut stage, "Connect");
    assert!(movers(&out).is_empty());
    stage.inputs.devices.ports = Ports::Failed("not allowed: join the group dialout".to_owned());
    stage.settle();
    assert!(
        stage
            .try_find("not allowed: join the group dialout")
            .is_some()
    );
}

#[test]
fn a_port_that_is_not_listed_is_typed() {
    let mut stage = simulated();
    press(&mut stage, "Real arm");
    press(&mut stage, "Show 2 other ports");
    let field = stage.find("Another port") + egui::vec2(120.0, 0.0);
    stage.click(field);
    stage.frame(vec![Event::Text("/tmp/arm".to_owned())]);
    let out = press(&mut stage, "Connect");
    let mover = Mover::Serial(serial("/tmp/arm", None));
    let wanted = PanelAction::SetMover { arm: 0, mover };
    assert_eq!(movers(&out), [&wanted]);
    // It is remembered, but a port that is clicked comes first.
    for _ in 0..200 {
        stage.frame(Vec::new());
    }
    press(&mut stage, "Real arm");
    let out = press(&mut stage, "Connect");
    assert_eq!(movers(&out), [&wanted]);
    for _ in 0..200 {
        stage.frame(Vec::new());
    }
    press(&mut stage, "Real arm");
    press(&mut stage, "Port /dev/ttyACM1");
    let out = press(&mut stage, "Connect");
    let mover = Mover::Serial(serial("/dev/ttyACM1", None));
    assert_eq!(movers(&out), [&PanelAction::SetMover { arm: 0, mover }]);
}

#[test]
fn a_port_that_is_plugged_in_comes_up_by_itself() {
    let asks = |stage: &mut Stage, frames: usize| {
        let mut count = 0;
        for _ in 0..frames {
            let actions = stage.frame(Vec::new()).actions;
            count += actions
                .iter()
                .filter(|action| **action == PanelAction::ListPorts)
                .count();
        }
        count
    };
    let mut stage = simulated();
    assert_eq!(asks(&mut stage, 600), 0, "nobody wants to know");
    press(&mut stage, "Real arm");
    let count = asks(&mut stage, 600);
    assert!((4..=6).contains(&count), "{count} in ten seconds");
    press(&mut stage, "Simulated");
    assert_eq!(asks(&mut stage, 600), 0);
}

#[test]
fn a_browser_is_asked_for_more_ports() {
    let asks = |can_add: bool| {
        let mut inputs = inputs(&["follower"]);
        inputs.devices.ports = ports();
        inputs.devices.can_add = can_add;
        let mut stage = Stage::new(1280.0, 1000.0, inputs);
        stage.settle();
        press(&mut stage, "Real arm");
        stage
    };
    let mut stage = asks(true);
    let out = press(&mut stage, "Add a port…");
    assert_eq!(out.actions, [PanelAction::AddPort]);
    assert!(
        asks(false).try_find("Add a port…").is_none(),
        "ports come by themselves"
    );
}

#[test]
fn a_real_arm_is_left_for_the_simulated_one() {
    for name in ["Disconnect", "Simulated"] {
        let mut stage = stage_of(|arm| connect(arm, bus("/dev/ttyACM0")));
        let out = press(&mut stage, name);
        let mover = Mover::Sim;
        assert_eq!(
            movers(&out),
            [&PanelAction::SetMover { arm: 0, mover }],
            "{name}"
        );
    }
    let mut stage = simulated();
    let out = press(&mut stage, "Simulated");
    assert!(movers(&out).is_empty(), "it is simulated already");
}

#[test]
fn a_motion_is_replayed() {
    let mut stage = simulated();
    let out = press(&mut stage, "Replay");
    assert!(movers(&out).is_empty(), "{out:?}");
    // The second of that name is the button below the choice.
    let buttons: Vec<_> = (stage.widgets().into_iter())
        .filter(|(_, name)| name == "Replay")
        .collect();
    let lowest = buttons.iter().map(|(rect, _)| rect.center());
    let lowest = lowest.max_by(|a, b| a.y.total_cmp(&b.y)).unwrap();
    let out = stage.click(lowest);
    let mover = Mover::Replay("pick".to_owned());
    assert_eq!(movers(&out), [&PanelAction::SetMover { arm: 0, mover }]);
}

#[test]
fn a_lost_arm_says_why_and_rests() {
    let mut stage = stage_of(|arm| {
        let mut lost = bus("/dev/ttyACM0");
        lost.connection = Connection::Lost("It was unplugged; plug it in again.".to_owned());
        connect(arm, lost);
    });
    for text in [
        "Connection lost",
        "It was unplugged; plug it in again.",
        "/dev/ttyACM0",
    ] {
        assert!(stage.try_find(text).is_some(), "{text}");
    }
    let out = press(&mut stage, "shoulder_pan");
    assert!(out.commands.is_empty(), "{out:?}");
    let out = press(&mut stage, "Calibrate anew…");
    assert!(requests(&out).is_empty(), "{out:?}");
    let out = press(&mut stage, "Give up");
    assert_eq!(movers(&out).len(), 1);
}

#[test]
fn a_calibration_is_begun_where_it_is_missing_and_settled_where_it_differs() {
    let mut stage = stage_of(|arm| {
        let mut bus = bus("/dev/ttyACM0");
        bus.calibration = CalibrationStatus::Missing;
        connect(arm, bus);
    });
    let out = press(&mut stage, "Calibrate…");
    assert_eq!(requests(&out), [&Request::Calibrate(FOLLOWER)]);

    let mut stage = stage_of(|arm| {
        connect(arm, bus("/dev/ttyACM0"));
        let mut bus = bus("/dev/ttyACM1");
        let difference = |index| format!("motor {index} differs");
        bus.calibration = CalibrationStatus::Differs((0..6).map(difference).collect());
        lead(arm, bus);
    });
    assert!(stage.try_find("•  motor 0 differs").is_some());
    assert!(stage.try_find("and 2 more").is_some());
    let out = press(&mut stage, "Use the file's");
    assert_eq!(out.actions, [PanelAction::WriteCalibration(LEADER)]);
    let out = press(&mut stage, "Follow it");
    assert!(requests(&out).is_empty(), "not before it is settled");
}

#[test]
fn a_leader_is_followed_where_there_is_one() {
    let mut stage = simulated();
    press(&mut stage, "Keyboard");
    assert!(stage.try_find("Script").is_some());
    assert!(stage.try_find("Leader").is_none(), "there is no leader");
    stage.press(Key::Escape);

    let mut stage = stage_of(|arm| {
        connect(arm, bus("/dev/ttyACM0"));
        lead(arm, bus("/dev/ttyACM1"));
    });
    let mode = TeleopMode::Leader;
    let wanted = Request::SetMode { arm: 0, mode };
    let out = press(&mut stage, "Follow it");
    assert_eq!(requests(&out), [&wanted]);
    press(&mut stage, "Keyboard");
    let out = press(&mut stage, "Leader");
    assert_eq!(requests(&out), [&wanted]);

    // A leader that is gone can't be chosen.
    let leader = stage.inputs.state.as_mut().unwrap().arms[0].leader.as_mut();
    leader.unwrap().bus.connection = Connection::Lost("unplugged".to_owned());
    stage.settle();
    press(&mut stage, "Keyboard");
    let out = press(&mut stage, "Leader");
    assert!(requests(&out).is_empty(), "{out:?}");
}

#[test]
fn motors_unfold_and_say_what_ails_them() {
    let mut stage = stage_of(|arm| connect(arm, troubled("/dev/ttyACM0")));
    let fault = "shoulder_lift: overload: take weight off it, then switch its torque on again";
    assert!(stage.try_find(fault).is_some(), "also while it is folded");
    // What a screen reader reads out.
    let called = |stage: &Stage, text: &str| {
        let output = &stage.full.as_ref().unwrap().platform_output;
        let update = output.accesskit_update.as_ref().unwrap();
        let mut nodes = update.nodes.iter();
        nodes.any(|(_, node)| node.value().is_some_and(|value| value.contains(text)))
    };
    assert!(!called(&stage, "wrist_roll, id 5"));
    press(&mut stage, "Bus and motors");
    assert!(called(&stage, "wrist_roll, id 5"));
    assert!(called(&stage, "brought no position"));
    assert!(called(&stage, "about to switch itself off"));
    press(&mut stage, "Bus and motors");
    assert!(!called(&stage, "wrist_roll, id 5"));
}

fn wizard(width: f32, height: f32, stage: CalibrationStage) -> Stage {
    let inputs = real(&["follower"], |arms| {
        connect(&mut arms[0], bus("/dev/ttyACM0"));
    });
    let mut it = Stage::new(width, height, inputs);
    it.inputs.devices.calibration = Some(calibration(stage, Role::Follower));
    it.settle();
    it
}

#[test]
fn a_calibration_goes_on_and_is_cancelled() {
    let mut stage = wizard(1280.0, 720.0, CalibrationStage::Middle);
    let step = |step| Request::CalibrationStep(step);
    let out = press(&mut stage, "Go on");
    assert_eq!(requests(&out), [&step(CalibrationStep::Next)]);
    let out = press(&mut stage, "Cancel");
    assert_eq!(requests(&out), [&step(CalibrationStep::Cancel)]);

    let mut ranges = calibration(CalibrationStage::Ranges, Role::Follower);
    stage
        .inputs
        .receive(&control::Event::Calibration(Box::new(ranges.clone())));
    stage.settle();
    let out = press(&mut stage, "Go on");
    assert!(requests(&out).is_empty(), "the gripper was not moved");
    assert!(
        stage
            .try_find("gripper: not moved enough, at 2031")
            .is_some()
    );
    for joint in &mut ranges.joints {
        (joint.min, joint.max) = (900, 3100);
    }
    stage
        .inputs
        .receive(&control::Event::Calibration(Box::new(ranges)));
    stage.settle();
    assert!(stage.try_find("All joints were moved").is_some());
    let out = press(&mut stage, "Go on");
    assert_eq!(requests(&out), [&step(CalibrationStep::Next)]);

    let done = control::Event::CalibrationDone {
        device: FOLLOWER,
        id: "follower".to_owned(),
        result: Err("it was left".to_owned()),
    };
    let notice = stage.inputs.receive(&done).expect("a person reads why");
    assert!(notice.text.contains("it was left"));
    stage.settle();
    assert!(stage.try_find("Cancel").is_none(), "it is gone");
}

#[test]
fn the_emergency_stop_works_during_a_calibration() {
    for (width, height) in [
        (1280.0, 720.0),
        (1024.0, 700.0),
        (853.0, 480.0),
        (800.0, 600.0),
        (700.0, 400.0),
        (360.0, 740.0),
    ] {
        for left_open in [true, false] {
            let mut stage = wizard(width, height, CalibrationStage::Ranges);
            stage.state.settings.left_open = left_open;
            stage.settle();
            let name = if left_open && width >= 800.0 {
                "Emergency stop"
            } else {
                "E-STOP"
            };
            let what = format!("{width}×{height}, {left_open}");
            let out = press(&mut stage, name);
            assert_eq!(out.commands, [Command::EStop], "{what}");
            let cancel = press(&mut stage, "Cancel");
            assert_eq!(requests(&cancel).len(), 1, "{what}: cancel is in reach");
        }
    }
}

#[test]
fn nobody_works_in_the_picture_during_a_calibration() {
    let mut stage = wizard(1280.0, 720.0, CalibrationStage::Ranges);
    let at = stage.output.free_rect.center_bottom() - egui::vec2(0.0, 20.0);
    stage.frame(vec![Event::PointerMoved(at)]);
    assert!(stage.output.pointer_captured);
    let out = press(&mut stage, "shoulder_pan");
    assert!(out.commands.is_empty(), "{out:?}");
}

#[test]
fn the_emergency_stop_works_while_something_else_is_open_or_has_the_keyboard() {
    // A menu.
    let mut stage = simulated();
    press(&mut stage, "Keyboard");
    assert_eq!(
        press(&mut stage, "Emergency stop").commands,
        [Command::EStop]
    );
    // A field.
    let mut stage = simulated();
    press(&mut stage, "Real arm");
    let field = stage.find("Calibration id") + egui::vec2(120.0, 0.0);
    stage.click(field);
    stage.frame(Vec::new());
    assert!(stage.output.keyboard_captured);
    assert_eq!(
        press(&mut stage, "Emergency stop").commands,
        [Command::EStop]
    );
    // The help, which covers everything.
    let mut stage = simulated();
    stage.state.help_open = true;
    stage.settle();
    assert_eq!(
        press(&mut stage, "Emergency stop").commands,
        [Command::EStop]
    );
    assert!(!stage.state.help_open);
    let out = stage.click(stage.find("Keyboard"));
    assert!(out.commands.is_empty(), "{out:?}");
}

#[test]
fn the_emergency_stop_stops_when_it_goes_down_and_stays_when_it_is_let_go() {
    for (width, left_open, name) in [
        (1280.0, true, "Emergency stop"),
        (1280.0, false, "E-STOP"),
        (360.0, true, "E-STOP"),
    ] {
        let mut stage = Stage::new(width, 740.0, inputs(&["follower"]));
        stage.state.settings.left_open = left_open;
        stage.settle();
        let at = stage.find(name);
        stage.frame(vec![Event::PointerMoved(at)]);
        let out = stage.frame(vec![common::button(at, true)]);
        assert_eq!(
            out.commands,
            [Command::EStop],
            "{width}, {left_open}: at once"
        );
        // Held for long, as people in a fright do; meanwhile the arms have stopped.
        stage.inputs.state.as_mut().unwrap().e_stopped = true;
        for _ in 0..90 {
            let out = stage.frame(Vec::new());
            assert!(out.commands.is_empty() && requests(&out).is_empty());
        }
        let out = stage.frame(vec![common::button(at, false)]);
        assert!(
            out.commands.is_empty() && requests(&out).is_empty(),
            "{width}, {left_open}: {out:?}"
        );
    }
    // A short press must not be taken for a click on what the button has become.
    let mut stage = Stage::new(360.0, 740.0, inputs(&["follower"]));
    stage.settle();
    let at = stage.find("E-STOP");
    stage.frame(vec![Event::PointerMoved(at)]);
    stage.frame(vec![common::button(at, true)]);
    stage.inputs.state.as_mut().unwrap().e_stopped = true;
    let out = stage.frame(vec![common::button(at, false)]);
    assert!(requests(&out).is_empty(), "{out:?}");
    stage.settle();
    let out = stage.click(at);
    assert_eq!(
        requests(&out),
        [&Request::ClearEStop],
        "the next click clears"
    );
}

#[test]
fn the_error_to_the_twin_is_plotted_where_there_is_one() {
    let none = simulated().try_find("Error");
    assert!(none.is_none(), "a simulated arm has none");
    let mut stage = stage_of(|arm| {
        connect(arm, bus("/dev/ttyACM0"));
        let joints = arm.joints.iter();
        arm.twin = Some(joints.map(|joint| joint.position + 0.1).collect());
    });
    let before = stage.picture();
    press(&mut stage, "Error");
    assert!(stage.state.settings.plot_error);
    assert!(before.pixels != stage.picture().pixels);
    let samples: Vec<_> = stage.inputs.history.samples(0, 1).collect();
    let twins = samples
        .iter()
        .filter_map(|sample| sample.twin.map(|twin| (sample, twin)));
    let errors: Vec<_> = twins.map(|(sample, twin)| sample.position - twin).collect();
    assert!(errors.len() >= 300);
    assert!(errors.iter().all(|error| (error + 0.1).abs() < 1e-9));
    press(&mut stage, "Positions");
    assert!(!stage.state.settings.plot_error);
}

#[test]
fn the_twin_is_shown_and_hidden() {
    let mut stage = simulated();
    press(&mut stage, "View");
    let out = press(&mut stage, "Twin of a real arm");
    assert!(
        out.actions
            .contains(&PanelAction::Toggle(ViewToggle::Twin, false)),
        "{out:?}"
    );
    assert!(!stage.state.settings.toggles.twin);
}

/// Whether a text of the last frame within `part` is shortened with an ellipsis of its own.
fn shortened(stage: &Stage, part: Rect) -> Option<String> {
    fn visit(shape: &egui::Shape, part: Rect, found: &mut Option<String>) {
        match shape {
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|it| visit(it, part, found)),
            egui::Shape::Text(text) if text.galley.elided && part.contains(text.pos) => {
                *found = Some(text.galley.text().to_owned());
            }
            _ => {}
        }
    }
    let mut found = None;
    for clipped in &stage.full.as_ref().expect("a frame was drawn").shapes {
        visit(&clipped.shape, part, &mut found);
    }
    found
}

/// The widgets of the last frame whose middle is in a part must lie in it; `behind` are those that
/// have nothing to do with it.
fn inside(stage: &Stage, part: Rect, behind: &[(Rect, String)], what: &str) {
    for widget in stage.widgets() {
        let (rect, name) = &widget;
        if part.contains(rect.center()) && !behind.contains(&widget) {
            let fits = rect.min.x >= part.min.x - 0.5 && rect.max.x <= part.max.x + 0.5;
            assert!(fits, "{what}: `{name}` at {rect} leaves {part}");
        }
    }
    if let Some(text) = shortened(stage, part) {
        panic!("{what}: `{text}` is shortened");
    }
}

#[test]
fn everything_about_real_arms_fits_its_card() {
    for (width, height) in [(1280.0, 1400.0), (1024.0, 1400.0), (360.0, 2600.0)] {
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            let card = |stage: &Stage| {
                let free = stage.output.free_rect;
                match width < 800.0 {
                    true => Rect::everything_below(free.max.y).with_max_x(width),
                    false => Rect::everything_left_of(free.min.x).with_min_y(44.0),
                }
            };
            let mut choosing = Stage::new(width, height, inputs(&["follower"]));
            choosing.state.settings.theme = theme;
            choosing.inputs.devices.ports = ports();
            choosing.settle();
            choosing.reach("Real arm");
            press(&mut choosing, "Real arm");
            choosing.reach("Connect…");
            press(&mut choosing, "Connect…");
            inside(
                &choosing,
                card(&choosing),
                &[],
                &format!("choosing, {width}"),
            );

            let inputs = real(&["follower"], |arms| {
                let mut bus = troubled("/dev/ttyACM0");
                bus.calibration = CalibrationStatus::Differs(vec!["a difference".to_owned()]);
                connect(&mut arms[0], bus);
                lead(&mut arms[0], common::devices::bus("/dev/ttyACM1"));
            });
            let mut stage = Stage::new(width, height, inputs);
            stage.state.settings.theme = theme;
            stage.settle();
            stage.reach("Bus and motors");
            press(&mut stage, "Bus and motors");
            inside(&stage, card(&stage), &[], &format!("troubled, {width}"));
        }
    }
}

#[test]
fn the_calibration_fits_its_window() {
    for (width, height) in [
        (1280.0, 720.0),
        (1024.0, 700.0),
        (360.0, 640.0),
        (700.0, 400.0),
    ] {
        for step in [CalibrationStage::Middle, CalibrationStage::Ranges] {
            let mut stage = wizard(width, height, step);
            let update = stage.inputs.devices.calibration.take();
            stage.settle();
            let behind = stage.widgets();
            stage.inputs.devices.calibration = update;
            stage.settle();
            let rect = stage
                .ctx
                .memory(|memory| memory.area_rect(egui::Id::new("calibration")));
            let rect = rect.expect("it is on show");
            let what = format!("{width}×{height}, {step:?}");
            let window = Rect::from_min_size(egui::Pos2::ZERO, stage.size);
            assert!(window.contains_rect(rect), "{what}: {rect}");
            inside(&stage, rect, &behind, &what);
        }
    }
}
