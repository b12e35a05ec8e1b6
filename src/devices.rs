//! Real arms: carries out what the panels ask for about them, with the calibrations and motions
//! that only the app can read, and stores what a guided calibration came to.

use std::collections::HashMap;

use bevy::prelude::*;
use forearm_arm::calibration::{Calibration, CalibrationError};
use forearm_control::{Control, ControlRequest, ControlService};
use forearm_panel::plugin::PanelSystems;
use forearm_panel::{Mover, PanelAction, PanelInputs, PanelState, Ports};
use forearm_protocol::control::{
    ArmIndex, Event as ControlEvent, Notice, NoticeLevel, Reply, Request,
};
use forearm_protocol::scene::{Backend, Scene};
use forearm_protocol::servo::{Device, Role, SerialArm};
use forearm_workers::Pending;

use crate::calibrations;
use crate::motions::BuiltinMotion;

/// Connects real arms, lists ports, keeps calibrations.
#[derive(Debug, Default)]
pub struct DevicesPlugin;

impl Plugin for DevicesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<DevicesDesk>().add_systems(
            Update,
            (follow_events, carry_out, take_ports)
                .chain()
                .after(PanelSystems::Receive),
        );
    }
}

/// Which real arms there are, and what was asked.
#[derive(Default, Resource)]
struct DevicesDesk {
    /// The names of the scene's arms.
    arms: Vec<String>,
    /// LeRobot's ids of the arms that are connected, where they are not their names.
    ids: HashMap<Device, String>,
    /// What a person should read about calibrations.
    warnings: Vec<String>,
    /// The list of ports, on its way.
    ports: Option<Pending<ControlService>>,
}

impl DevicesDesk {
    /// The arms of another scene.
    fn load(&mut self, scene: &Scene) {
        self.ids.clear();
        self.arms = scene.arms.iter().map(|arm| arm.name.clone()).collect();
        for (index, spec) in scene.arms.iter().enumerate() {
            self.note(index, &spec.backend, spec.leader.as_ref());
        }
    }

    /// Notes what an arm is connected to.
    fn note(&mut self, arm: ArmIndex, backend: &Backend, leader: Option<&SerialArm>) {
        let follower = match backend {
            Backend::Serial(serial) => Some(serial),
            Backend::Sim | Backend::Replay(_) => None,
        };
        for (role, serial) in [(Role::Follower, follower), (Role::Leader, leader)] {
            let device = Device { arm, role };
            self.ids.remove(&device);
            if let Some(id) = serial.and_then(|serial| serial.id.clone()) {
                self.ids.insert(device, id);
            }
        }
    }

    /// LeRobot's id of an arm: its own, or the name of the scene's arm.
    fn id(&self, device: Device) -> anyhow::Result<String> {
        let own = self.ids.get(&device).or_else(|| self.arms.get(device.arm));
        own.cloned().ok_or_else(|| no_arm(device.arm))
    }

    /// The calibration of an arm that is about to be connected, if there is one. A file that is no
    /// calibration is warned of: the arm can be calibrated only when it is connected.
    fn calibration(
        &mut self,
        arm: ArmIndex,
        role: Role,
        serial: &SerialArm,
    ) -> anyhow::Result<Option<Calibration>> {
        let name = self.arms.get(arm);
        let id = serial.id.as_ref().or(name).ok_or_else(|| no_arm(arm))?;
        match calibrations::load(role, id) {
            Ok(stored) => Ok(stored.map(|stored| stored.calibration)),
            Err(error) if error.is::<CalibrationError>() => {
                self.warnings.push(format!("{error:#}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn set_mover(&mut self, arm: ArmIndex, mover: &Mover) -> anyhow::Result<Request> {
        let (backend, calibration, motion) = match mover {
            Mover::Sim => (Backend::Sim, None, None),
            Mover::Serial(serial) => {
                let calibration = self.calibration(arm, Role::Follower, serial)?;
                (Backend::Serial(serial.clone()), calibration, None)
            }
            Mover::Replay(id) => {
                let motion = BuiltinMotion::find(id)
                    .ok_or_else(|| anyhow::anyhow!("no motion is called `{id}`"))?;
                let text = motion.text.to_owned();
                (Backend::Replay(id.clone()), None, Some(text))
            }
        };
        Ok(Request::SetBackend {
            arm,
            backend,
            calibration,
            motion,
        })
    }

    fn set_leader(&mut self, arm: ArmIndex, leader: Option<&SerialArm>) -> anyhow::Result<Request> {
        let calibration = match leader {
            Some(serial) => self.calibration(arm, Role::Leader, serial)?,
            None => None,
        };
        Ok(Request::SetLeader {
            arm,
            leader: leader.cloned(),
            calibration,
        })
    }

    fn write_calibration(&self, device: Device) -> anyhow::Result<Request> {
        let id = self.id(device)?;
        let stored = calibrations::load(device.role, &id)?
            .ok_or_else(|| anyhow::anyhow!("no calibration of `{id}` is stored; calibrate it"))?;
        Ok(Request::SetCalibration {
            device,
            calibration: stored.calibration,
        })
    }
}

/// Follows which arms there are, and stores what a calibration came to.
fn follow_events(
    mut events: MessageReader<ControlEvent>,
    mut desk: ResMut<DevicesDesk>,
    mut panel: ResMut<PanelState>,
) {
    for event in events.read() {
        match event {
            ControlEvent::SceneLoaded { bundle, .. } => desk.load(&bundle.scene),
            ControlEvent::DevicesChanged { arm, devices } => {
                desk.note(*arm, &devices.backend, devices.leader.as_ref());
            }
            ControlEvent::CalibrationDone {
                device,
                id,
                result: Ok(calibration),
            } => panel.notify(match calibrations::store(device.role, id, calibration) {
                Ok(place) => Notice {
                    level: NoticeLevel::Info,
                    text: format!("{id} is calibrated; stored in {place}"),
                },
                Err(error) => trouble(format!(
                    "{id} is calibrated, but only until it is connected again: {error:#}"
                )),
            }),
            _ => {}
        }
    }
}

/// Does what the panels ask for.
fn carry_out(
    mut actions: MessageReader<PanelAction>,
    control: Res<Control>,
    mut desk: ResMut<DevicesDesk>,
    mut panel: ResMut<PanelState>,
    mut inputs: ResMut<PanelInputs>,
    mut requests: MessageWriter<ControlRequest>,
) {
    for action in actions.read() {
        let request = match action {
            PanelAction::SetMover { arm, mover } => desk.set_mover(*arm, mover),
            PanelAction::SetLeader { arm, leader } => desk.set_leader(*arm, leader.as_ref()),
            PanelAction::WriteCalibration(device) => desk.write_calibration(*device),
            PanelAction::ListPorts => {
                // What is known stays on show meanwhile.
                if inputs.devices.ports == Ports::Unknown {
                    inputs.devices.ports = Ports::Asked;
                }
                // One search at a time, or a slow one would never come to its end.
                if desk.ports.is_none() {
                    desk.ports = Some(control.ask(Request::ListPorts));
                }
                continue;
            }
            _ => continue,
        };
        for text in desk.warnings.drain(..) {
            panel.notify(Notice {
                level: NoticeLevel::Warning,
                text,
            });
        }
        match request {
            Ok(request) => {
                requests.write(ControlRequest(request));
            }
            Err(error) => panel.notify(trouble(format!("{error:#}"))),
        }
    }
}

/// Takes the list of ports when it has come.
fn take_ports(mut desk: ResMut<DevicesDesk>, mut inputs: ResMut<PanelInputs>) {
    let answer = desk.ports.as_mut().and_then(Pending::try_take);
    let Some(answer) = answer else { return };
    desk.ports = None;
    inputs.devices.ports = match answer {
        Ok(Reply::Ports(ports)) => Ports::Known(ports),
        Ok(_) => Ports::Failed("the control service answered something else".to_owned()),
        Err(error) => Ports::Failed(error.to_string()),
    };
}

fn no_arm(arm: ArmIndex) -> anyhow::Error {
    anyhow::anyhow!("the scene has no arm {arm}")
}

fn trouble(text: String) -> Notice {
    Notice {
        level: NoticeLevel::Error,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str = r#"(
        name: "test",
        arms: [(name: "left"), (name: "right", backend: Serial(port: "COM3", id: "blue"))],
    )"#;

    fn desk() -> DevicesDesk {
        let mut desk = DevicesDesk::default();
        desk.load(&Scene::from_ron("test", SCENE).unwrap());
        desk
    }

    #[test]
    fn an_arm_is_known_by_its_id_or_its_name() {
        let desk = desk();
        let id = |arm, role| desk.id(Device { arm, role });
        assert_eq!(id(0, Role::Follower).unwrap(), "left");
        assert_eq!(id(1, Role::Follower).unwrap(), "blue");
        assert_eq!(id(1, Role::Leader).unwrap(), "right");
        assert!(id(2, Role::Follower).is_err());
    }

    #[test]
    fn motions_travel_with_their_text_and_unknown_ones_are_refused() {
        let mut desk = desk();
        let request = desk
            .set_mover(0, &Mover::Replay("wave".to_owned()))
            .unwrap();
        let Request::SetBackend {
            arm: 0,
            backend: Backend::Replay(id),
            calibration: None,
            motion: Some(text),
        } = request
        else {
            panic!("{request:?}");
        };
        assert_eq!(id, "wave");
        assert_eq!(
            Some(text.as_str()),
            BuiltinMotion::find("wave").map(|it| it.text)
        );
        assert!(desk.set_mover(0, &Mover::Replay("no".to_owned())).is_err());
    }

    #[test]
    fn an_id_that_leads_elsewhere_is_refused() {
        let serial = SerialArm {
            port: "COM4".to_owned(),
            id: Some("../secret".to_owned()),
        };
        let error = desk().set_leader(0, Some(&serial)).unwrap_err();
        assert!(error.to_string().contains("../secret"), "{error}");
    }
}
