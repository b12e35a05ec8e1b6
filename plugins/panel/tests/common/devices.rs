//! Real arms as they are some minutes after they were connected: one that does well, one that has
//! its troubles, ports, a calibration under way.

use forearm_panel::{PanelInputs, Ports};
use forearm_protocol::control::{self, ArmState};
use forearm_protocol::servo::{
    BusErrors, BusState, CalibrationJoint, CalibrationStage, CalibrationStatus, CalibrationUpdate,
    Connection, Device, LeaderState, MotorState, PortInfo, Role, Spread,
};

use super::{inputs, update};

const JOINTS: [&str; 6] = [
    "shoulder_pan",
    "shoulder_lift",
    "elbow_flex",
    "wrist_flex",
    "wrist_roll",
    "gripper",
];

/// Ports of a machine with two arms and two things that are none.
pub fn ports() -> Ports {
    let arm = |name: &str, number: &str| PortInfo {
        name: name.to_owned(),
        product: Some("USB Single Serial".to_owned()),
        usb: Some((0x1a86, 0x55d3)),
        serial_number: Some(number.to_owned()),
        likely_arm: true,
    };
    let other = |name: &str| PortInfo {
        name: name.to_owned(),
        ..PortInfo::default()
    };
    Ports::Known(vec![
        arm("/dev/ttyACM0", "5A46083222"),
        arm("/dev/ttyACM1", "5A46085310"),
        other("/dev/ttyS0"),
        other("/dev/ttyS1"),
    ])
}

/// A bus that does well.
pub fn bus(port: &str) -> BusState {
    let spread = |mean: f64| Spread {
        mean_secs: mean,
        p99_secs: mean * 1.42,
        max_secs: mean * 2.31,
    };
    BusState {
        port: port.to_owned(),
        connection: Connection::Connected,
        calibration: CalibrationStatus::Matches,
        rate_hz: 528.6,
        read: spread(1.213e-3),
        write: spread(412e-6),
        cycle: spread(1.891e-3),
        errors: BusErrors {
            retries: 12,
            timeouts: 7,
            checksum: 5,
            ..BusErrors::default()
        },
        motors: JOINTS
            .iter()
            .enumerate()
            .map(|(index, name)| MotorState {
                name: (*name).to_owned(),
                id: index as u8 + 1,
                ticks: 2047 + 311 * index as i32 - 700,
                temperature: 31 + index as u8,
                voltage: 12.1,
                current: 0.07 + 0.05 * index as f64,
                load: -0.04 + 0.03 * index as f64,
                faults: Vec::new(),
                stale: false,
            })
            .collect(),
        ..BusState::default()
    }
}

/// A bus with everything that can be wrong with one that is connected.
pub fn troubled(port: &str) -> BusState {
    let mut bus = bus(port);
    bus.errors.lost_samples = 31;
    bus.errors.reconnects = 2;
    bus.motors[1].temperature = 67;
    bus.motors[1].load = -0.94;
    bus.motors[1].current = 1.52;
    bus.motors[1]
        .faults
        .push("overload: take weight off it, then switch its torque on again".to_owned());
    bus.motors[4].stale = true;
    bus
}

/// Has a real arm move an arm of the inputs, with a twin that is a little behind.
pub fn connect(arm: &mut ArmState, bus: BusState) {
    arm.backend.clone_from(&bus.port);
    arm.connected = bus.connection == Connection::Connected;
    arm.twin = Some(arm.joints.iter().map(|joint| joint.target).collect());
    arm.bus = Some(Box::new(bus));
}

/// Gives an arm a leader.
pub fn lead(arm: &mut ArmState, bus: BusState) {
    arm.leader = Some(Box::new(LeaderState {
        bus,
        positions: vec![0.0; 6],
    }));
}

/// Inputs with real arms, as the app has them some seconds after start.
pub fn real(arms: &[&str], change: impl Fn(&mut Vec<ArmState>)) -> PanelInputs {
    let mut inputs = inputs(arms);
    inputs.devices.ports = ports();
    for tick in 300..600 {
        let mut update = update(&inputs, f64::from(tick) / 20.0);
        change(&mut update.arms);
        inputs.receive(&control::Event::State(Box::new(update)));
    }
    inputs
}

/// A calibration at this stage; two joints were not moved yet.
pub fn calibration(stage: CalibrationStage, role: Role) -> CalibrationUpdate {
    let ranges = [
        (745, 3351),
        (893, 3190),
        (1012, 3071),
        (2010, 2220),
        (0, 4095),
        (2031, 2031),
    ];
    CalibrationUpdate {
        device: Device { arm: 0, role },
        stage,
        instruction: match stage {
            CalibrationStage::Ranges => {
                "Move all joints except `wrist_roll`, one after another, through their entire \
                 ranges of motion, then go on."
            }
            CalibrationStage::Storing => "The ranges are being stored.",
            _ => "Move the arm to the middle of its range of motion, then go on.",
        }
        .to_owned(),
        joints: JOINTS
            .iter()
            .zip(ranges)
            .map(|(name, (min, max))| CalibrationJoint {
                name: (*name).to_owned(),
                position: 2047.clamp(min, max) + (max - min) / 5,
                min,
                max,
                measured: *name != "wrist_roll",
            })
            .collect(),
    }
}
