//! Gamepads on Linux, read from the kernel's event devices.
//!
//! Bevy's own gamepad plugin links libudev, which would have to be installed to build Forearm. The
//! kernel's devices need nothing: a thread looks for gamepads now and then and reads each on a
//! thread of its own; a system hands what they say to Bevy as raw gamepad events, so that the rest
//! of the app sees ordinary gamepads. Desktop sessions give the person at the seat access to them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bevy::input::InputSystems;
use bevy::input::gamepad::{
    GamepadAxis, GamepadButton, GamepadConnection, GamepadConnectionEvent,
    RawGamepadAxisChangedEvent, RawGamepadButtonChangedEvent, RawGamepadEvent,
};
use bevy::prelude::*;
use crossbeam_channel::{Receiver, Sender, bounded};
use evdev::{AbsoluteAxisCode, Device, EventSummary, KeyCode};

/// How often new gamepads are looked for.
const SCAN_EVERY: Duration = Duration::from_secs(2);
/// Events that may wait between two frames; a gamepad sends at most about a thousand a second.
const QUEUE: usize = 4096;

/// Feeds Linux gamepads to Bevy.
#[derive(Debug)]
pub(crate) struct LinuxGamepadPlugin;

impl Plugin for LinuxGamepadPlugin {
    fn build(&self, app: &mut App) {
        let (sender, receiver) = bounded(QUEUE);
        let scanner = std::thread::Builder::new().name("forearm-gamepads".to_owned());
        if let Err(error) = scanner.spawn(move || scan(&sender)) {
            warn!("gamepads can't be watched for: {error}");
        }
        app.insert_resource(PadEvents(receiver))
            .add_systems(PreUpdate, forward.before(InputSystems));
    }
}

#[derive(Resource)]
struct PadEvents(Receiver<PadEvent>);

/// What a reader thread says of the gamepad at a device path.
enum PadEvent {
    Connected {
        path: PathBuf,
        name: String,
        vendor: u16,
        product: u16,
    },
    Button {
        path: PathBuf,
        button: GamepadButton,
        value: f32,
    },
    Axis {
        path: PathBuf,
        axis: GamepadAxis,
        value: f32,
    },
    Disconnected {
        path: PathBuf,
    },
}

/// Hands what the threads read to Bevy.
fn forward(
    events: Res<PadEvents>,
    mut pads: Local<HashMap<PathBuf, Entity>>,
    mut commands: Commands,
    mut raw: MessageWriter<RawGamepadEvent>,
    mut connections: MessageWriter<GamepadConnectionEvent>,
) {
    for event in events.0.try_iter() {
        match event {
            PadEvent::Connected {
                path,
                name,
                vendor,
                product,
            } => {
                let gamepad = *pads
                    .entry(path)
                    .or_insert_with(|| commands.spawn_empty().id());
                let connection = GamepadConnection::Connected {
                    name,
                    vendor_id: Some(vendor),
                    product_id: Some(product),
                };
                connections.write(GamepadConnectionEvent::new(gamepad, connection));
            }
            PadEvent::Button {
                path,
                button,
                value,
            } => {
                if let Some(gamepad) = pads.get(&path) {
                    let event = RawGamepadButtonChangedEvent::new(*gamepad, button, value);
                    raw.write(RawGamepadEvent::Button(event));
                }
            }
            PadEvent::Axis { path, axis, value } => {
                if let Some(gamepad) = pads.get(&path) {
                    let event = RawGamepadAxisChangedEvent::new(*gamepad, axis, value);
                    raw.write(RawGamepadEvent::Axis(event));
                }
            }
            PadEvent::Disconnected { path } => {
                if let Some(gamepad) = pads.get(&path) {
                    let connection = GamepadConnection::Disconnected;
                    connections.write(GamepadConnectionEvent::new(*gamepad, connection));
                }
            }
        }
    }
}

/// Looks for gamepads for ever; ends when the app is gone.
fn scan(sender: &Sender<PadEvent>) {
    let (ended_sender, ended) = bounded::<PathBuf>(64);
    let mut open = HashSet::new();
    loop {
        for (path, device) in evdev::enumerate() {
            if open.contains(&path) || !is_gamepad(&device) {
                continue;
            }
            let (events, over, place) = (sender.clone(), ended_sender.clone(), path.clone());
            let reader = std::thread::Builder::new().name("forearm-gamepad".to_owned());
            let spawned = reader.spawn(move || {
                let lost = read(device, &place, &events).is_err();
                // Both fail only when the app is gone; then nobody is left to tell.
                if lost
                    && events
                        .send(PadEvent::Disconnected {
                            path: place.clone(),
                        })
                        .is_ok()
                {
                    over.send(place).ok();
                }
            });
            match spawned {
                Ok(_thread) => {
                    open.insert(path);
                }
                Err(error) => warn!("the gamepad at {} can't be read: {error}", path.display()),
            }
        }
        match ended.recv_timeout(SCAN_EVERY) {
            Ok(path) => {
                open.remove(&path);
            }
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn is_gamepad(device: &Device) -> bool {
    device
        .supported_keys()
        .is_some_and(|keys| keys.contains(KeyCode::BTN_SOUTH))
        && device
            .supported_absolute_axes()
            .is_some_and(|axes| axes.contains(AbsoluteAxisCode::ABS_X))
}

/// Reads a gamepad until it is unplugged (an error) or the app is gone.
fn read(mut device: Device, path: &Path, sender: &Sender<PadEvent>) -> std::io::Result<()> {
    let id = device.input_id();
    let connected = PadEvent::Connected {
        path: path.to_owned(),
        name: device.name().unwrap_or("Gamepad").to_owned(),
        vendor: id.vendor(),
        product: id.product(),
    };
    if sender.send(connected).is_err() {
        return Ok(());
    }
    let ranges: HashMap<AbsoluteAxisCode, (i32, i32)> = device
        .get_absinfo()?
        .map(|(code, info)| (code, (info.minimum(), info.maximum())))
        .collect();
    loop {
        for event in device.fetch_events()? {
            let controls = match event.destructure() {
                EventSummary::Key(_, key, value) => [
                    button_of(key).map(|button| Control::Button(button, pressed(value))),
                    None,
                ],
                EventSummary::AbsoluteAxis(_, code, value) => {
                    let range = ranges.get(&code).copied().unwrap_or((-1, 1));
                    controls_of(code, value, range)
                }
                _ => [None, None],
            };
            for control in controls.into_iter().flatten() {
                let path = path.to_owned();
                let event = match control {
                    Control::Button(button, value) => PadEvent::Button {
                        path,
                        button,
                        value,
                    },
                    Control::Axis(axis, value) => PadEvent::Axis { path, axis, value },
                };
                if sender.send(event).is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// A control of a gamepad and its value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Control {
    Button(GamepadButton, f32),
    Axis(GamepadAxis, f32),
}

fn pressed(value: i32) -> f32 {
    if value == 0 { 0.0 } else { 1.0 }
}

/// What a button's code means (Linux gamepad specification).
fn button_of(key: KeyCode) -> Option<GamepadButton> {
    Some(match key {
        KeyCode::BTN_SOUTH => GamepadButton::South,
        KeyCode::BTN_EAST => GamepadButton::East,
        KeyCode::BTN_NORTH => GamepadButton::North,
        KeyCode::BTN_WEST => GamepadButton::West,
        KeyCode::BTN_TL => GamepadButton::LeftTrigger,
        KeyCode::BTN_TR => GamepadButton::RightTrigger,
        KeyCode::BTN_TL2 => GamepadButton::LeftTrigger2,
        KeyCode::BTN_TR2 => GamepadButton::RightTrigger2,
        KeyCode::BTN_SELECT => GamepadButton::Select,
        KeyCode::BTN_START => GamepadButton::Start,
        KeyCode::BTN_MODE => GamepadButton::Mode,
        KeyCode::BTN_THUMBL => GamepadButton::LeftThumb,
        KeyCode::BTN_THUMBR => GamepadButton::RightThumb,
        KeyCode::BTN_DPAD_UP => GamepadButton::DPadUp,
        KeyCode::BTN_DPAD_DOWN => GamepadButton::DPadDown,
        KeyCode::BTN_DPAD_LEFT => GamepadButton::DPadLeft,
        KeyCode::BTN_DPAD_RIGHT => GamepadButton::DPadRight,
        _ => return None,
    })
}

/// What an axis means: sticks with up positive, analogue triggers as buttons, the hat as the pad.
fn controls_of(code: AbsoluteAxisCode, value: i32, range: (i32, i32)) -> [Option<Control>; 2] {
    let (low, high) = (f64::from(range.0), f64::from(range.1));
    let share = if high > low {
        ((f64::from(value) - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (stick, trigger) = ((share * 2.0 - 1.0) as f32, share as f32);
    let axis = |axis, value| [Some(Control::Axis(axis, value)), None];
    let hat = |positive, negative| {
        [
            Some(Control::Button(positive, pressed(value.max(0)))),
            Some(Control::Button(negative, pressed(value.min(0)))),
        ]
    };
    match code {
        AbsoluteAxisCode::ABS_X => axis(GamepadAxis::LeftStickX, stick),
        AbsoluteAxisCode::ABS_Y => axis(GamepadAxis::LeftStickY, -stick),
        AbsoluteAxisCode::ABS_RX => axis(GamepadAxis::RightStickX, stick),
        AbsoluteAxisCode::ABS_RY => axis(GamepadAxis::RightStickY, -stick),
        AbsoluteAxisCode::ABS_Z => [
            Some(Control::Button(GamepadButton::LeftTrigger2, trigger)),
            None,
        ],
        AbsoluteAxisCode::ABS_RZ => [
            Some(Control::Button(GamepadButton::RightTrigger2, trigger)),
            None,
        ],
        AbsoluteAxisCode::ABS_HAT0X => hat(GamepadButton::DPadRight, GamepadButton::DPadLeft),
        AbsoluteAxisCode::ABS_HAT0Y => hat(GamepadButton::DPadDown, GamepadButton::DPadUp),
        _ => [None, None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sticks_are_centred_with_up_positive() {
        let range = (-32768, 32767);
        let up = controls_of(AbsoluteAxisCode::ABS_Y, -32768, range);
        assert_eq!(up[0], Some(Control::Axis(GamepadAxis::LeftStickY, 1.0)));
        let [Some(Control::Axis(_, centre)), None] = controls_of(AbsoluteAxisCode::ABS_X, 0, range)
        else {
            panic!("a stick is one axis");
        };
        assert!(centre.abs() < 1e-4);
    }

    #[test]
    fn the_hat_presses_one_side_and_releases_the_other() {
        let left = controls_of(AbsoluteAxisCode::ABS_HAT0X, -1, (-1, 1));
        assert_eq!(
            left,
            [
                Some(Control::Button(GamepadButton::DPadRight, 0.0)),
                Some(Control::Button(GamepadButton::DPadLeft, 1.0)),
            ]
        );
    }

    #[test]
    fn a_broken_range_gives_no_nan() {
        let [Some(Control::Axis(_, value)), None] = controls_of(AbsoluteAxisCode::ABS_X, 7, (5, 5))
        else {
            panic!("a stick is one axis");
        };
        assert!(value.is_finite());
    }
}
