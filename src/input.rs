//! Keys and gamepads: collected here, interpreted by the control service.
//!
//! Letters are matched by what is printed on the key (as LeRobot.js does), whatever the case.
//! Touching a key or a stick takes the selected arm over from any other way of driving it: the
//! service sees to that.

use std::collections::{HashMap, HashSet};

use bevy::input::gamepad::{Gamepad, GamepadAxis, GamepadButton};
use bevy::input::keyboard::{Key as BevyKey, KeyCode, KeyboardInput};
use bevy::prelude::*;
use bevy::window::WindowFocused;
use forearm_control::ControlRequest;
use forearm_panel::PanelOutput;
use forearm_protocol::control::{ArmIndex, Command, GamepadState, Request, TeleopMode};
use forearm_protocol::keys::Key;

use crate::desk::Desk;

/// Stick deflections below this count as none.
const DEADZONE: f32 = 0.12;

/// Turns keys and gamepads into messages for the control service.
#[derive(Debug)]
pub struct InputPlugin;

impl Plugin for InputPlugin {
    fn build(&self, app: &mut App) {
        #[cfg(target_os = "linux")]
        app.add_plugins(crate::gamepad_linux::LinuxGamepadPlugin);
        app.add_systems(
            Update,
            (
                // In this order: a key that went down before the focus went is let go of too.
                (drive_by_keys, release_keys_without_focus).chain(),
                drive_by_gamepad,
            ),
        );
    }
}

/// Sends presses and releases of the driving keys. Escape always stops; the others only while no
/// text field has the keyboard, and not as part of a shortcut such as Ctrl+C.
fn drive_by_keys(
    mut inputs: MessageReader<KeyboardInput>,
    mut held: Local<HashMap<KeyCode, (Key, ArmIndex)>>,
    mut modifiers: Local<HashSet<KeyCode>>,
    panel: Res<PanelOutput>,
    desk: Res<Desk>,
    mut commands: MessageWriter<Command>,
) {
    let arm = desk.selected_arm;
    for input in inputs.read().filter(|input| !input.repeat) {
        if is_modifier(&input.logical_key) {
            if input.state.is_pressed() {
                modifiers.insert(input.key_code);
                // Some systems tell no releases while it is down.
                held.clear();
                commands.write(Command::ReleaseKeys);
            } else {
                modifiers.remove(&input.key_code);
            }
            continue;
        }
        if !input.state.is_pressed() {
            // The arm that it was pressed for, whichever is selected by now.
            if let Some((key, arm)) = held.remove(&input.key_code) {
                commands.write(Command::Key {
                    arm,
                    key,
                    pressed: false,
                });
            }
            continue;
        }
        match driving_key(&input.logical_key) {
            Some(Key::Escape) => {
                commands.write(Command::EStop);
            }
            // The recorder's, while no keys drive the arm.
            Some(Key::ArrowLeft | Key::ArrowRight | Key::Q) if panel.record_keys => {}
            Some(key) if !panel.keyboard_captured && modifiers.is_empty() => {
                held.insert(input.key_code, (key, arm));
                commands.write(Command::Key {
                    arm,
                    key,
                    pressed: true,
                });
            }
            _ => {}
        }
    }
}

/// A window without focus hears no releases: let go of everything.
fn release_keys_without_focus(
    mut focus: MessageReader<WindowFocused>,
    mut commands: MessageWriter<Command>,
) {
    if focus.read().any(|event| !event.focused) {
        commands.write(Command::ReleaseKeys);
    }
}

/// Sends the first gamepad's state while it is used, and once when it comes to rest.
fn drive_by_gamepad(
    gamepads: Query<&Gamepad>,
    desk: Res<Desk>,
    mut driven: Local<Option<ArmIndex>>,
    mut commands: MessageWriter<Command>,
    mut requests: MessageWriter<ControlRequest>,
) {
    let pad = gamepads.iter().next();
    let state = pad.map(gamepad_state).unwrap_or_default();
    let drives = (state != GamepadState::default()).then_some(desk.selected_arm);
    // Let go of the arm that was driven: the sticks are back, the gamepad was unplugged, or
    // another arm is selected.
    if let Some(arm) = driven.filter(|_| *driven != drives) {
        commands.write(Command::Gamepad {
            arm,
            state: GamepadState::default(),
        });
    }
    *driven = drives;
    if let Some(arm) = drives {
        commands.write(Command::Gamepad { arm, state });
    }
    let Some(pad) = pad else {
        return;
    };
    if pad.just_pressed(GamepadButton::East) {
        commands.write(Command::EStop);
    }
    if pad.just_pressed(GamepadButton::Select) {
        let mode = match desk.mode() {
            Some(TeleopMode::GamepadCartesian) => TeleopMode::GamepadJoint,
            _ => TeleopMode::GamepadCartesian,
        };
        requests.write(ControlRequest(Request::SetMode {
            arm: desk.selected_arm,
            mode,
        }));
    }
}

/// Whether a key makes others mean something else. Shift does not: letters drive in either case.
fn is_modifier(key: &BevyKey) -> bool {
    matches!(
        key,
        BevyKey::Control | BevyKey::Alt | BevyKey::Meta | BevyKey::Super
    )
}

fn driving_key(key: &BevyKey) -> Option<Key> {
    let letter = match key {
        BevyKey::ArrowUp => return Some(Key::ArrowUp),
        BevyKey::ArrowDown => return Some(Key::ArrowDown),
        BevyKey::ArrowLeft => return Some(Key::ArrowLeft),
        BevyKey::ArrowRight => return Some(Key::ArrowRight),
        BevyKey::Escape => return Some(Key::Escape),
        BevyKey::Character(text) => text.to_lowercase(),
        _ => return None,
    };
    match letter.as_str() {
        "w" => Some(Key::W),
        "s" => Some(Key::S),
        "a" => Some(Key::A),
        "d" => Some(Key::D),
        "q" => Some(Key::Q),
        "e" => Some(Key::E),
        "o" => Some(Key::O),
        "c" => Some(Key::C),
        _ => None,
    }
}

fn gamepad_state(pad: &Gamepad) -> GamepadState {
    let axis = |axis| {
        let value = pad.get(axis).unwrap_or(0.0);
        if value.abs() < DEADZONE { 0.0 } else { value }
    };
    let button = |button| pad.get(button).unwrap_or(0.0);
    GamepadState {
        left: [axis(GamepadAxis::LeftStickX), axis(GamepadAxis::LeftStickY)],
        right: [
            axis(GamepadAxis::RightStickX),
            axis(GamepadAxis::RightStickY),
        ],
        triggers: [
            button(GamepadButton::LeftTrigger2),
            button(GamepadButton::RightTrigger2),
        ],
        dpad: [
            button(GamepadButton::DPadRight) - button(GamepadButton::DPadLeft),
            button(GamepadButton::DPadUp) - button(GamepadButton::DPadDown),
        ],
        shoulders: [
            pad.pressed(GamepadButton::LeftTrigger),
            pad.pressed(GamepadButton::RightTrigger),
        ],
    }
}

#[cfg(test)]
mod tests {
    use bevy::input::ButtonState;

    use super::*;

    /// The input systems alone.
    fn app() -> App {
        let mut app = App::new();
        app.init_resource::<Desk>()
            .init_resource::<PanelOutput>()
            .add_message::<KeyboardInput>()
            .add_message::<Command>()
            .add_message::<ControlRequest>()
            .add_systems(Update, (drive_by_keys, drive_by_gamepad));
        app
    }

    /// One frame; answers what was told in it.
    fn told(app: &mut App) -> Vec<Command> {
        app.update();
        app.world_mut()
            .resource_mut::<Messages<Command>>()
            .drain()
            .collect()
    }

    fn key(state: ButtonState) -> KeyboardInput {
        named(KeyCode::KeyW, BevyKey::Character("w".into()), state)
    }

    fn named(key_code: KeyCode, logical_key: BevyKey, state: ButtonState) -> KeyboardInput {
        KeyboardInput {
            key_code,
            logical_key,
            state,
            text: None,
            repeat: false,
            window: Entity::PLACEHOLDER,
        }
    }

    #[test]
    fn a_key_is_released_for_the_arm_that_it_was_pressed_for() {
        let mut app = app();
        app.world_mut().write_message(key(ButtonState::Pressed));
        let pressed = Command::Key {
            arm: 0,
            key: Key::W,
            pressed: true,
        };
        assert_eq!(told(&mut app), [pressed]);
        app.world_mut().resource_mut::<Desk>().selected_arm = 1;
        app.world_mut().write_message(key(ButtonState::Released));
        let released = Command::Key {
            arm: 0,
            key: Key::W,
            pressed: false,
        };
        assert_eq!(told(&mut app), [released]);
    }

    #[test]
    fn shortcuts_do_not_drive() {
        let mut app = app();
        let control = |state| named(KeyCode::ControlLeft, BevyKey::Control, state);
        app.world_mut().write_message(control(ButtonState::Pressed));
        app.world_mut().write_message(key(ButtonState::Pressed));
        app.world_mut().write_message(key(ButtonState::Released));
        assert_eq!(told(&mut app), [Command::ReleaseKeys]);
        app.world_mut()
            .write_message(control(ButtonState::Released));
        app.world_mut().write_message(key(ButtonState::Pressed));
        assert_eq!(told(&mut app).len(), 1);
    }

    #[test]
    fn keys_of_a_recording_do_not_drive() {
        let mut app = app();
        let arrow = |state| named(KeyCode::ArrowLeft, BevyKey::ArrowLeft, state);
        app.world_mut().resource_mut::<PanelOutput>().record_keys = true;
        app.world_mut().write_message(arrow(ButtonState::Pressed));
        app.world_mut().write_message(key(ButtonState::Pressed));
        let pressed = Command::Key {
            arm: 0,
            key: Key::W,
            pressed: true,
        };
        assert_eq!(told(&mut app), [pressed], "the others drive");
        // One that went down as the arm's is let go of as the arm's.
        app.world_mut().resource_mut::<PanelOutput>().record_keys = false;
        app.world_mut().write_message(arrow(ButtonState::Pressed));
        assert_eq!(told(&mut app).len(), 1);
        app.world_mut().resource_mut::<PanelOutput>().record_keys = true;
        app.world_mut().write_message(arrow(ButtonState::Released));
        assert_eq!(told(&mut app).len(), 1);
    }

    #[test]
    fn a_gamepad_that_goes_or_turns_to_another_arm_lets_go() {
        let mut app = app();
        let mut pad = Gamepad::default();
        pad.analog_mut().set(GamepadAxis::LeftStickY, 1.0);
        let pad = app.world_mut().spawn(pad).id();
        let state = GamepadState {
            left: [0.0, 1.0],
            ..GamepadState::default()
        };
        let rest = GamepadState::default();
        assert_eq!(told(&mut app), [Command::Gamepad { arm: 0, state }]);
        app.world_mut().resource_mut::<Desk>().selected_arm = 1;
        let turned = [
            Command::Gamepad {
                arm: 0,
                state: rest,
            },
            Command::Gamepad { arm: 1, state },
        ];
        assert_eq!(told(&mut app), turned);
        app.world_mut().despawn(pad);
        assert_eq!(
            told(&mut app),
            [Command::Gamepad {
                arm: 1,
                state: rest
            }]
        );
        assert_eq!(told(&mut app), []);
    }

    #[test]
    fn letters_drive_whatever_their_case() {
        for (text, key) in [("w", Key::W), ("W", Key::W), ("o", Key::O), ("C", Key::C)] {
            assert_eq!(driving_key(&BevyKey::Character(text.into())), Some(key));
        }
        assert_eq!(driving_key(&BevyKey::Character("x".into())), None);
        assert_eq!(driving_key(&BevyKey::ArrowLeft), Some(Key::ArrowLeft));
        assert_eq!(driving_key(&BevyKey::Enter), None);
    }
}
