//! Nothing overlaps and no text is cut, in common sizes of the window; and the picture of the
//! panels stays as it was blessed (`UPDATE_SNAPSHOTS=1` blesses anew).

mod common;

use std::sync::Arc;

use common::devices::{bus, calibration, connect, lead, real, troubled};
use common::sight::{Text, compare, order, texts};
use common::workers::{trials, workers};
use common::{Stage, inputs};
use forearm_arm::{Joint, JointKind};
use forearm_panel::egui::{self, Rect, Shape};
use forearm_panel::{PanelInputs, Sheet, ThemeChoice, Units};
use forearm_protocol::servo::{CalibrationStage, Role};

const SIZES: [(f32, f32); 3] = [(1280.0, 720.0), (1920.0, 1080.0), (1024.0, 700.0)];

/// Checks a window in which everything has its place. `scrolled` are parts that scroll, where
/// text may go on below the rim.
fn check(stage: &Stage, what: &str, scrolled: &[Rect]) {
    // In a small window names may be shortened, but nothing may overlap.
    let small = stage.size.x < 1000.0;
    let texts = texts(stage);
    assert!(texts.len() > 30, "{what}: only {} texts", texts.len());
    order(stage, what, scrolled);
    for text in &texts {
        assert!(
            !text.elided || small,
            "{what}: `{}` is shortened",
            text.text
        );
    }
}

/// The part of the arms' panel that scrolls, and what is below its rim.
fn cards(stage: &Stage) -> Rect {
    let right = stage.output.free_rect.min.x;
    Rect::from_min_max(egui::pos2(0.0, 44.0), egui::pos2(right, f32::INFINITY))
}

/// The list of joints beside the plot, and what is below its rim.
fn joints(stage: &Stage) -> Rect {
    let free = stage.output.free_rect;
    Rect::from_min_max(
        free.left_bottom(),
        egui::pos2(free.min.x + 180.0, f32::INFINITY),
    )
}

#[test]
fn one_arm_fits_everywhere() {
    for (width, height) in SIZES {
        for (units, _) in Units::ALL {
            for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
                let mut stage = Stage::new(width, height, inputs(&["follower"]));
                stage.state.settings.units = units;
                stage.state.settings.theme = theme;
                stage.settle();
                check(
                    &stage,
                    &format!("{width}×{height} {units:?} {theme:?}"),
                    &[],
                );
            }
        }
    }
}

#[test]
fn two_arms_scroll() {
    for (width, height) in SIZES {
        let mut stage = Stage::new(width, height, inputs(&["left", "right"]));
        stage.settle();
        let scrolled = [cards(&stage), joints(&stage)];
        check(&stage, &format!("two arms, {width}×{height}"), &scrolled);
    }
}

#[test]
fn a_small_window_still_has_order() {
    for arms in [&["follower"][..], &["left", "right"][..]] {
        for (width, height) in [(853.0, 480.0), (800.0, 600.0)] {
            let mut stage = Stage::new(width, height, inputs(arms));
            stage.settle();
            let free = stage.output.free_rect;
            let right = Rect::everything_right_of(free.max.x);
            let scrolled = [cards(&stage), joints(&stage), right];
            check(
                &stage,
                &format!("{width}×{height}, {} arms", arms.len()),
                &scrolled,
            );
            assert!(free.width() >= 300.0 && free.height() >= 180.0, "{free:?}");
        }
    }
}

#[test]
fn the_bar_has_room_for_an_emergency_stop() {
    for width in [
        1280.0, 1024.0, 1010.0, 1000.0, 853.0, 800.0, 799.0, 600.0, 360.0,
    ] {
        for stopped in [false, true] {
            let mut stage = Stage::new(width, 640.0, inputs(&["left", "right"]));
            stage.state.settings.left_open = false;
            stage.inputs.state.as_mut().expect("a state").e_stopped = stopped;
            stage.settle();
            let free = stage.output.free_rect;
            let below = Rect::everything_below(free.min.y);
            order(&stage, &format!("{width}, stopped: {stopped}"), &[below]);
            let mut bar = stage.widgets();
            bar.retain(|(rect, _)| rect.max.y <= free.min.y);
            assert!(bar.len() >= 7, "{width}: {bar:?}");
            for (index, (one, name)) in bar.iter().enumerate() {
                for (other, its) in &bar[..index] {
                    let apart = !one.shrink(0.5).intersects(other.shrink(0.5));
                    assert!(apart, "{width}, stopped: {stopped}: `{name}`, `{its}`");
                }
            }
        }
    }
}

#[test]
fn extremes_fit() {
    let mut inputs = inputs(&["follower"]);
    let state = inputs.state.as_mut().unwrap();
    state.timing.rate_hz = 98.7;
    state.timing.jitter_max_secs = 1.25;
    state.timing.jitter_p99_secs = 0.31;
    state.timing.missed = 123_456;
    state.simulated_secs = 86_400.0;
    state.physics_step_secs = 1.3e-3;
    for joint in &mut state.arms[0].joints {
        joint.position = -2.79;
        joint.target = -2.79;
    }
    let mut stage = Stage::new(1280.0, 720.0, inputs);
    stage.settle();
    check(&stage, "extremes", &[]);
    stage.state.settings.units = Units::Radians;
    stage.settle();
    check(&stage, "extremes in radians", &[]);
}

#[test]
fn an_imported_arm_has_its_joints() {
    let mut inputs = inputs(&["gantry"]);
    let scene = inputs.scene.as_mut().unwrap();
    let mut model = forearm_arm::ArmModel::clone(&scene.arms[0].model);
    let template = model.joints[0].clone();
    model.joints.push(Joint {
        name: "rail".to_owned(),
        kind: JointKind::Prismatic,
        ..template
    });
    model.gripper = None;
    scene.arms[0].model = Arc::new(model);
    let state = common::update(&inputs, 30.0);
    inputs.state = Some(state);
    let mut stage = Stage::new(1280.0, 720.0, inputs);
    stage.settle();
    assert!(stage.try_find("rail").is_some());
    check(&stage, "an imported arm", &[joints(&stage)]);
}

#[test]
fn menus_and_help_fit() {
    let mut stage = Stage::new(1280.0, 720.0, inputs(&["follower"]));
    stage.state.help_open = true;
    stage.settle();
    let screen = Rect::from_min_size(egui::Pos2::ZERO, stage.size);
    for text in texts(&stage) {
        assert!(!text.elided, "`{}` is shortened", text.text);
        let seen = text.rect.intersect(text.clip).intersect(screen);
        assert!(
            seen.area() > 0.98 * text.rect.area(),
            "`{}` is cut",
            text.text
        );
    }
}

/// A stage with services and trials, good and bad, on show.
fn workers_stage(width: f32, height: f32) -> Stage {
    let mut stage = Stage::new(width, height, inputs(&["follower"]));
    stage.inputs.workers = workers();
    stage.inputs.workers.trials = Some(trials());
    stage.state.settings.workers_open = true;
    stage.state.settings.trials_open = true;
    stage.settle();
    stage
}

#[test]
fn the_list_of_workers_fits_and_stays_within_the_picture() {
    let sizes = [
        (360.0, 740.0),
        (360.0, 640.0),
        (412.0, 915.0),
        (800.0, 600.0),
    ];
    for (width, height) in SIZES.into_iter().chain(sizes) {
        let mut stage = workers_stage(width, height);
        for open in [
            "",
            "control, web worker, running",
            "vision, main thread, starting",
        ] {
            if let Some(row) = stage.try_find(open) {
                stage.click(row);
                stage.settle();
            }
            let what = format!("workers, {width}×{height}, `{open}`");
            let picture = stage.output.free_rect;
            let scrolled = [
                picture,
                cards(&stage),
                joints(&stage),
                Rect::everything_below(picture.max.y),
                Rect::everything_right_of(picture.max.x),
            ];
            check(&stage, &what, &scrolled);
            let hud = stage
                .ctx
                .memory(|memory| memory.area_rect(egui::Id::new("hud")));
            let hud = hud.expect("the list is on show");
            assert!(
                picture.contains_rect(hud),
                "{what}: {hud} is not within {picture}"
            );
            for text in texts(&stage) {
                let inside = hud.contains(text.rect.center());
                assert!(!(inside && text.elided), "{what}: `{}`", text.text);
            }
        }
    }
}

#[test]
fn a_phone_has_one_panel_at_a_time() {
    for sheet in Sheet::ALL.map(Some).into_iter().chain([None]) {
        for (width, height) in [(360.0, 640.0), (390.0, 844.0), (700.0, 400.0)] {
            for arms in [&["follower"][..], &["left", "right"][..]] {
                let mut stage = Stage::new(width, height, inputs(arms));
                stage.state.settings.sheet = sheet;
                stage.state.toasts.push(forearm_protocol::control::Notice {
                    level: forearm_protocol::control::NoticeLevel::Info,
                    text: "control is back; arms hold where they are.".to_owned(),
                });
                stage.settle();
                let free = stage.output.free_rect;
                let what = format!("{sheet:?}, {width}×{height}, {} arms", arms.len());
                order(&stage, &what, &[Rect::everything_below(free.max.y)]);
                assert!(
                    free.width() == width && free.height() >= 100.0,
                    "{what}: {free}"
                );
                assert!(stage.try_find("E-STOP").is_some(), "{what}");
            }
        }
    }
}

#[test]
fn a_calibration_has_order() {
    for (width, height) in [(1280.0, 720.0), (853.0, 480.0), (360.0, 740.0)] {
        let mut stage = calibration_stage(width, height);
        let update = stage.inputs.devices.calibration.take();
        stage.settle();
        let behind: Vec<_> = (texts(&stage).into_iter())
            .map(|text| (text.text, text.rect))
            .collect();
        stage.inputs.devices.calibration = update;
        stage.settle();
        let mut its = texts(&stage);
        let area = stage
            .ctx
            .memory(|memory| memory.area_rect(egui::Id::new("calibration")));
        let area = area.expect("it is on show");
        let old = |text: &Text| behind.contains(&(text.text.clone(), text.rect));
        its.retain(|text| area.contains_rect(text.rect) && !old(text));
        its.retain(|text| text.text != "Being calibrated");
        assert!(its.len() > 25, "{width}: {}", its.len());
        for (index, one) in its.iter().enumerate() {
            for other in &its[..index] {
                let common = one.rect.intersect(other.rect);
                let overlap = common.width() > 1.0 && common.height() > 1.0;
                assert!(!overlap, "{width}: `{}`, `{}`", one.text, other.text);
            }
        }
    }
}

#[test]
fn every_character_has_a_glyph() {
    let mut pictures = Vec::new();
    for (arms, help) in [(&["follower"][..], false), (&["left", "right"][..], true)] {
        let mut stage = Stage::new(1280.0, 720.0, inputs(arms));
        stage.state.help_open = help;
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            stage.state.settings.theme = theme;
            stage.settle();
            pictures.extend(sections(&stage));
        }
        if let Some(state) = &mut stage.inputs.state {
            state.active = false;
            state.arms[0].limited = Some("limit".to_owned());
        }
        stage.settle();
        pictures.extend(sections(&stage));
    }
    pictures.extend(sections(&real_stage(1280.0, 1200.0)));
    pictures.extend(sections(&calibration_stage(360.0, 740.0)));
    pictures.extend(sections(&workers_stage(1280.0, 720.0)));
    pictures.extend(sections(&workers_stage(360.0, 740.0)));
    let ctx = egui::Context::default();
    forearm_panel::theme::install_fonts(&ctx);
    drop(ctx.run_ui(egui::RawInput::default(), |_| {}));
    // A character without a glyph is drawn as the same box as any other without one.
    let drawn = |font: &egui::FontId, character: char| {
        let text = character.to_string();
        let galley =
            ctx.fonts_mut(|fonts| fonts.layout_no_wrap(text, font.clone(), egui::Color32::WHITE));
        galley.rows[0].glyphs[0].uv_rect
    };
    for (text, font) in pictures {
        let missing = drawn(&font, '\u{10fffd}');
        for character in text.chars().filter(|character| !character.is_whitespace()) {
            let known = drawn(&font, character) != missing;
            assert!(known, "`{character}` of `{text}` has no glyph in {font:?}");
        }
    }
}

/// All texts of the last frame with their fonts.
fn sections(stage: &Stage) -> Vec<(String, egui::FontId)> {
    fn collect(shape: &Shape, found: &mut Vec<(String, egui::FontId)>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, found)),
            Shape::Text(text) => {
                for section in &text.galley.job.sections {
                    found.push((
                        text.galley.text().to_owned(),
                        section.format.font_id.clone(),
                    ));
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for clipped in &stage.full.as_ref().expect("a frame was drawn").shapes {
        collect(&clipped.shape, &mut found);
    }
    found
}

#[test]
fn the_panels_look_as_blessed() {
    for (name, theme, inputs) in [
        ("dark", ThemeChoice::Dark, inputs(&["follower"])),
        ("light", ThemeChoice::Light, inputs(&["left", "right"])),
        ("empty", ThemeChoice::Dark, PanelInputs::default()),
    ] {
        let mut stage = Stage::new(1280.0, 720.0, inputs);
        stage.state.settings.theme = theme;
        stage.settle();
        compare(name, &stage.picture());
    }
    for (name, theme, width, height) in [
        ("workers", ThemeChoice::Light, 1280.0, 720.0),
        ("phone", ThemeChoice::Dark, 360.0, 740.0),
    ] {
        let mut stage = workers_stage(width, height);
        stage.state.settings.theme = theme;
        stage.settle();
        compare(name, &stage.picture());
    }
    let mut stage = real_stage(1280.0, 1000.0);
    stage.settle();
    compare("real", &stage.picture());
    let mut stage = calibration_stage(360.0, 740.0);
    stage.state.settings.theme = ThemeChoice::Light;
    stage.settle();
    compare("calibration", &stage.picture());
}

/// A stage with a real arm in trouble, its numbers unfolded, and a leader that does well.
fn real_stage(width: f32, height: f32) -> Stage {
    let inputs = real(&["follower"], |arms| {
        connect(&mut arms[0], troubled("/dev/ttyACM0"));
        lead(&mut arms[0], bus("/dev/ttyACM1"));
    });
    let mut stage = Stage::new(width, height, inputs);
    stage.state.settings.plot_error = true;
    stage.settle();
    let at = stage.find("Bus and motors");
    stage.click(at);
    // The pointer leaves, so that nothing is lit by it.
    stage.frame(vec![egui::Event::PointerGone]);
    stage.settle();
    stage
}

/// A stage with a calibration in which two joints are still to be moved.
fn calibration_stage(width: f32, height: f32) -> Stage {
    let inputs = real(&["follower"], |arms| {
        connect(&mut arms[0], bus("/dev/ttyACM0"));
    });
    let mut stage = Stage::new(width, height, inputs);
    let update = calibration(CalibrationStage::Ranges, Role::Leader);
    stage.inputs.devices.calibration = Some(update);
    stage.settle();
    stage
}
