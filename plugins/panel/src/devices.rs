//! What the panels show of real arms beside the control service's state: which serial ports there
//! are, and how a guided calibration stands; and what a person can have move an arm.
//!
//! The app fills in [`DevicesView::ports`] after [`PanelAction::ListPorts`](crate::PanelAction);
//! the rest comes with the control service's events.

use forearm_protocol::control::{ArmState, Event, Notice, NoticeLevel, StateUpdate};
use forearm_protocol::servo::{CalibrationUpdate, Connection, Device, PortInfo, Role, SerialArm};

/// So many states without a word of the calibration end it: three seconds of them.
const SILENT_STATES: u32 = 60;

/// Real arms, beside what [`ArmState`] says of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DevicesView {
    /// The serial ports of this machine.
    pub ports: Ports,
    /// Whether a person has to allow ports, one by one, and can: in a browser.
    pub can_add: bool,
    /// The guided calibration that is under way.
    pub calibration: Option<CalibrationUpdate>,
    /// States since its last word.
    silent_states: u32,
}

/// The serial ports of this machine, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ports {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    /// They are being looked for.
    Asked,
    /// These.
    Known(Vec<PortInfo>),
    /// They can't be listed: why, and what to do.
    Failed(String),
}

/// What a person wants to have move an arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mover {
    /// The simulation.
    Sim,
    /// Servos on a serial port.
    Serial(SerialArm),
    /// The motion with this [`ScriptEntry::id`](crate::ScriptEntry::id): only the picture moves.
    Replay(String),
}

impl DevicesView {
    /// Takes an event of the control service; answers with what a person should read about it. Of
    /// a calibration that has succeeded, the app tells where it was stored.
    pub(crate) fn receive(&mut self, event: &Event) -> Option<Notice> {
        match event {
            Event::Calibration(update) => {
                self.calibration = Some(CalibrationUpdate::clone(update));
                self.silent_states = 0;
                None
            }
            Event::CalibrationDone { result, .. } => {
                self.calibration = None;
                result.as_ref().err().map(|why| Notice {
                    level: NoticeLevel::Warning,
                    text: format!("Not calibrated: {why}"),
                })
            }
            Event::State(_) => {
                self.calibration.as_ref()?;
                self.silent_states += 1;
                (self.silent_states > SILENT_STATES).then(|| {
                    self.calibration = None;
                    Notice {
                        level: NoticeLevel::Error,
                        text: "The calibration was broken off: nothing more was heard of it. \
                               Check that the arm is connected, and begin again."
                            .to_owned(),
                    }
                })
            }
            Event::SceneLoaded { .. } => {
                self.calibration = None;
                None
            }
            _ => None,
        }
    }

    /// Whether this arm's follower or leader is being calibrated.
    pub(crate) fn calibrating(&self, arm: usize) -> bool {
        let device = self.calibration.as_ref().map(|update| update.device);
        device.is_some_and(|device| device.arm == arm)
    }
}

/// What kind of thing moves an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MoverKind {
    Sim,
    Serial,
    Replay,
}

impl MoverKind {
    /// What moves an arm now. One that is served to other programs is simulated, whatever its port.
    pub(crate) fn of(arm: &ArmState) -> Self {
        if arm.bus.is_some() {
            Self::Serial
        } else if arm.backend.starts_with("replay:") {
            Self::Replay
        } else {
            Self::Sim
        }
    }
}

/// A port's name without its folder, for where there is little room.
pub(crate) fn short_port(port: &str) -> &str {
    port.strip_prefix("/dev/")
        .map_or(port, |rest| rest.rsplit('/').next().unwrap_or(rest))
}

/// Why a mode that follows a leader can't be chosen; `None` if it can.
pub(crate) fn leader_obstacle(arm: &ArmState) -> Option<String> {
    use forearm_protocol::servo::CalibrationStatus;
    let Some(leader) = &arm.leader else {
        return Some("Connect a leader arm first".to_owned());
    };
    match (&leader.bus.connection, &leader.bus.calibration) {
        (Connection::Connecting, _) => Some("The leader is being connected to".to_owned()),
        (Connection::Lost(why), _) => Some(format!("The leader is lost: {why}")),
        (_, CalibrationStatus::Missing) => Some("Calibrate the leader first".to_owned()),
        (_, CalibrationStatus::Differs(_)) => {
            Some("Settle the leader's calibration first".to_owned())
        }
        _ => None,
    }
}

/// Who has this port, other than `except`, as a person would call it; `names` are the arms'.
pub(crate) fn user_of(
    state: Option<&StateUpdate>,
    names: impl Fn(usize) -> Option<String>,
    port: &PortInfo,
    except: Device,
) -> Option<String> {
    let arms = state.into_iter().flat_map(|state| &state.arms).enumerate();
    for (index, arm) in arms {
        let name = || names(index).unwrap_or_else(|| format!("arm {index}"));
        let has = |role, bus_port: &str| {
            let device = Device { arm: index, role };
            is_port(bus_port, port) && device != except
        };
        if let Some(bus) = &arm.bus
            && has(Role::Follower, &bus.port)
        {
            return Some(name());
        }
        if let Some(leader) = &arm.leader
            && has(Role::Leader, &leader.bus.port)
        {
            return Some(format!("{}'s leader", name()));
        }
    }
    None
}

/// Whether what a person called a port (its name, or `usb:` and a serial number) is this one.
fn is_port(called: &str, port: &PortInfo) -> bool {
    called == port.name
        || (called.strip_prefix("usb:"))
            .is_some_and(|number| port.serial_number.as_deref() == Some(number))
}

#[cfg(test)]
mod tests {
    use forearm_protocol::control::LoopTiming;
    use forearm_protocol::servo::{BusState, CalibrationStage, LeaderState};

    use super::*;

    fn calibration() -> Event {
        Event::Calibration(Box::new(CalibrationUpdate {
            device: Device {
                arm: 1,
                role: Role::Leader,
            },
            stage: CalibrationStage::Middle,
            instruction: "Move it.".to_owned(),
            joints: Vec::new(),
        }))
    }

    fn state(arms: Vec<ArmState>) -> StateUpdate {
        StateUpdate {
            scene_generation: 1,
            tick: 0,
            time_secs: 0.0,
            active: true,
            e_stopped: false,
            arms,
            objects: Vec::new(),
            timing: LoopTiming::default(),
            physics_step_secs: 0.0,
            simulated_secs: 0.0,
        }
    }

    #[test]
    fn a_calibration_that_falls_silent_ends() {
        let mut view = DevicesView::default();
        assert_eq!(view.receive(&calibration()), None);
        assert!(view.calibrating(1) && !view.calibrating(0));
        let update = Event::State(Box::new(state(Vec::new())));
        for _ in 0..SILENT_STATES {
            assert_eq!(view.receive(&update), None);
        }
        view.receive(&calibration());
        for _ in 0..SILENT_STATES {
            assert_eq!(view.receive(&update), None);
        }
        let notice = view.receive(&update).unwrap();
        assert!(notice.text.contains("broken off"), "{notice:?}");
        assert_eq!(view.calibration, None);
        assert_eq!(view.receive(&update), None, "it is told once");
    }

    #[test]
    fn a_calibration_that_fails_says_why() {
        let mut view = DevicesView::default();
        view.receive(&calibration());
        let notice = view.receive(&Event::CalibrationDone {
            device: Device {
                arm: 1,
                role: Role::Leader,
            },
            id: "left".to_owned(),
            result: Err("elbow_flex was not moved; move every joint.".to_owned()),
        });
        assert_eq!(
            notice.unwrap().text,
            "Not calibrated: elbow_flex was not moved; move every joint."
        );
        assert!(!view.calibrating(1));
    }

    #[test]
    fn ports_have_one_user() {
        let bus = |port: &str| {
            Some(Box::new(BusState {
                port: port.to_owned(),
                ..BusState::default()
            }))
        };
        let update = state(vec![
            ArmState::default(),
            ArmState {
                bus: bus("/dev/ttyACM0"),
                leader: Some(Box::new(LeaderState {
                    bus: *bus("/dev/ttyACM1").unwrap(),
                    positions: Vec::new(),
                })),
                ..ArmState::default()
            },
        ]);
        let user = |port: &str, arm: usize, role: Role| {
            let names = |index: usize| Some(["left", "right"][index].to_owned());
            let port = PortInfo {
                name: port.to_owned(),
                serial_number: Some("7".to_owned()),
                ..PortInfo::default()
            };
            user_of(Some(&update), names, &port, Device { arm, role })
        };
        assert_eq!(
            user("/dev/ttyACM0", 0, Role::Follower).as_deref(),
            Some("right")
        );
        assert_eq!(
            user("/dev/ttyACM1", 1, Role::Follower).as_deref(),
            Some("right's leader")
        );
        assert_eq!(user("/dev/ttyACM0", 1, Role::Follower), None);
        assert_eq!(user("/dev/ttyACM2", 0, Role::Follower), None);
        let by_number = PortInfo {
            name: "/dev/ttyACM9".to_owned(),
            serial_number: Some("5A46".to_owned()),
            ..PortInfo::default()
        };
        assert!(is_port("usb:5A46", &by_number) && !is_port("usb:5A4", &by_number));
    }

    #[test]
    fn ports_are_short_where_there_is_little_room() {
        assert_eq!(short_port("/dev/ttyACM0"), "ttyACM0");
        assert_eq!(short_port("/dev/serial/by-id/usb-1a86"), "usb-1a86");
        assert_eq!(short_port("COM5"), "COM5");
        assert_eq!(short_port("/tmp/arm/port"), "/tmp/arm/port");
    }
}
