//! A chain on a pseudo-terminal, opened like any serial port.

use forearm_hardware::codec::registers::{self as reg, Register};
use forearm_hardware::codec::{Direction, PacketBuf, Parser, ServoFault, StatusBits};
use forearm_hardware::emulator::pty::{PlantLink, PtyConfig, PtyError, PtyPlant, VirtualPort};
use forearm_hardware::emulator::{ChainConfig, Faults, Knob, PlantSample, ServoChain, ServoConfig};
use serialport::SerialPort;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Far longer than anything here takes; only what fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of this test's own.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("forearm-pty-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the folder is there");
    }
}

fn open(path: &Path, baud: u32) -> Box<dyn SerialPort> {
    serialport::new(path.to_string_lossy(), baud)
        .timeout(PATIENCE)
        .open()
        .expect("a port")
}

/// Asks one question; answers status and data of the reply.
fn ask(port: &mut dyn SerialPort, build: impl FnOnce(&mut PacketBuf)) -> (u8, Vec<u8>) {
    let mut packet = PacketBuf::new();
    build(&mut packet);
    port.write_all(packet.as_bytes())
        .expect("a request is written");
    let mut parser = Parser::new(Direction::Replies);
    let mut bytes = [0; 256];
    loop {
        let read = port.read(&mut bytes).expect("a reply");
        let mut reply = None;
        parser.feed(&bytes[..read], |frame| {
            reply = Some((frame.code, frame.params.to_vec()));
        });
        if let Some(reply) = reply {
            return reply;
        }
    }
}

fn read(port: &mut dyn SerialPort, id: u8, register: &Register) -> (u8, i32) {
    let (status, data) = ask(port, |packet| {
        packet.read(id, register.address, register.size);
    });
    (status, register.decode(&data))
}

fn write(port: &mut dyn SerialPort, id: u8, register: &Register, value: i32) {
    let value = register.encode(value).expect("a value that fits");
    ask(port, |packet| {
        packet
            .write(id, register.address, &value)
            .expect("a short packet");
    });
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

fn serve(config: PtyConfig) -> VirtualPort {
    VirtualPort::open(ServoChain::new(&ChainConfig::default()), config).expect("a terminal")
}

#[test]
fn a_program_finds_six_servos() {
    let virtual_port = serve(PtyConfig::default());
    let mut port = open(&virtual_port.handle().path().unwrap(), 1_000_000);
    for id in 1..=6 {
        assert_eq!(read(&mut *port, id, &reg::MODEL_NUMBER), (0, 777));
    }
    write(&mut *port, 3, &reg::GOAL_POSITION, 2300);
    until("the goal is reached", || {
        read(&mut *port, 3, &reg::PRESENT_POSITION).1 == 2300
    });
    until("the report tells it", || {
        let report = virtual_port.handle().report();
        report.connected && report.command.drives(2) && report.injected.requests > 7
    });
    drop(port);
    until("the report tells that nobody is there", || {
        !virtual_port.handle().report().connected
    });
}

#[test]
fn every_byte_passes_unchanged() {
    let virtual_port = serve(PtyConfig::default());
    let mut port = open(&virtual_port.handle().path().unwrap(), 1_000_000);
    // Bytes that a terminal would make something of: ^C, ^D, ^Q, ^S, CR, LF, DEL and the like.
    for value in 0..=255 {
        write(&mut *port, 1, &reg::P_COEFFICIENT, value);
        assert_eq!(read(&mut *port, 1, &reg::P_COEFFICIENT), (0, value));
    }
}

#[test]
fn another_baud_rate_is_not_answered() {
    let config = ChainConfig {
        servos: vec![
            ServoConfig {
                id: 1,
                baud: 500_000,
                ..ServoConfig::default()
            },
            ServoConfig {
                id: 2,
                baud: 1_000_000,
                ..ServoConfig::default()
            },
        ],
        ..ChainConfig::default()
    };
    let virtual_port = VirtualPort::open(ServoChain::new(&config), PtyConfig::default()).unwrap();
    let path = virtual_port.handle().path().unwrap();
    for (baud, id) in [(500_000, 1), (1_000_000, 2)] {
        let mut port = open(&path, baud);
        // The one of another rate is asked first: were it to answer, its reply would come first.
        let mut packet = PacketBuf::new();
        port.write_all(packet.ping(3 - id)).unwrap();
        assert_eq!(read(&mut *port, id, &reg::ID).1, i32::from(id));
    }
}

#[test]
fn the_plug_can_be_pulled_and_put_back() {
    let folder = Folder::new("plug");
    let link = folder.0.join("arm");
    let virtual_port = serve(PtyConfig {
        link: Some(link.clone()),
        ..PtyConfig::default()
    });
    let handle = virtual_port.handle().clone();
    assert_eq!(handle.path().as_ref(), Some(&link));
    let mut port = open(&link, 1_000_000);
    assert_eq!(read(&mut *port, 1, &reg::ID).1, 1);
    write(&mut *port, 1, &reg::ACCELERATION, 77);

    handle.unplug().unwrap();
    handle.unplug().unwrap();
    assert_eq!(handle.path(), None);
    assert!(!handle.report().plugged);
    assert!(link.symlink_metadata().is_err());
    let failed = port
        .write_all(&[0xFF])
        .err()
        .or_else(|| port.read(&mut [0; 1]).err());
    let failed = failed.expect("a pulled plug is an error");
    assert_ne!(failed.kind(), std::io::ErrorKind::TimedOut);

    handle.replug().unwrap();
    handle.replug().unwrap();
    let mut port = open(&link, 1_000_000);
    // The servos had power all the time.
    assert_eq!(read(&mut *port, 1, &reg::ACCELERATION).1, 77);
    drop(virtual_port);
    assert!(link.symlink_metadata().is_err());
    assert!(matches!(
        handle.turn(Knob::Power(true)),
        Err(PtyError::Gone)
    ));
}

#[test]
fn a_link_replaces_only_an_old_link() {
    let folder = Folder::new("link");
    let file = folder.0.join("file");
    std::fs::write(&file, "mine").unwrap();
    let elsewhere = folder.0.join("elsewhere");
    std::os::unix::fs::symlink(&file, &elsewhere).unwrap();
    for taken in [&file, &elsewhere, &folder.0] {
        let config = PtyConfig {
            link: Some(taken.clone()),
            ..PtyConfig::default()
        };
        let chain = ServoChain::new(&ChainConfig::default());
        let error = VirtualPort::open(chain, config).unwrap_err();
        assert!(matches!(error, PtyError::Occupied { .. }), "{error}");
        assert!(error.to_string().contains(&*taken.to_string_lossy()));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");

    let old = folder.0.join("old");
    std::os::unix::fs::symlink("/dev/pts/987654", &old).unwrap();
    let virtual_port = serve(PtyConfig {
        link: Some(old.clone()),
        ..PtyConfig::default()
    });
    let device = virtual_port.handle().device().unwrap();
    assert_eq!(std::fs::read_link(&old).unwrap(), device);
    // A link that somebody else made since then is not removed.
    std::fs::remove_file(&old).unwrap();
    std::os::unix::fs::symlink("/dev/pts/987654", &old).unwrap();
    drop(virtual_port);
    assert!(old.symlink_metadata().is_ok());

    let nowhere = PtyConfig {
        link: Some(folder.0.join("no such folder").join("arm")),
        ..PtyConfig::default()
    };
    let chain = ServoChain::new(&ChainConfig::default());
    let error = VirtualPort::open(chain, nowhere).unwrap_err();
    assert!(matches!(error, PtyError::Link { .. }), "{error}");
}

#[test]
fn a_world_elsewhere_moves_the_joints() {
    let world = PlantLink::default();
    let virtual_port = serve(PtyConfig {
        plant: PtyPlant::World(world.clone()),
        ..PtyConfig::default()
    });
    let mut port = open(&virtual_port.handle().path().unwrap(), 1_000_000);
    let mut sample = PlantSample::default();
    sample.positions[1] = 0.5;
    world.observe(&sample);
    let ticks = 2048 + (0.5_f64 / std::f64::consts::TAU * 4096.0).round() as i32;
    until("the joint is where the world says", || {
        read(&mut *port, 2, &reg::PRESENT_POSITION).1 == ticks
    });
    write(&mut *port, 2, &reg::GOAL_POSITION, 2048);
    until("the world is told the goal", || {
        world
            .command()
            .is_some_and(|command| command.drives(1) && command.targets[1].abs() < 0.01)
    });
    // The world does not have to obey.
    assert_eq!(read(&mut *port, 2, &reg::PRESENT_POSITION).1, ticks);
}

#[test]
fn knobs_turn_while_it_runs() {
    let virtual_port = serve(PtyConfig::default());
    let handle = virtual_port.handle();
    let mut port = open(&handle.path().unwrap(), 1_000_000);
    handle.turn(Knob::Overload(4)).unwrap();
    let overload = StatusBits::OK.with(ServoFault::Overload);
    until("servo 5 complains", || {
        read(&mut *port, 5, &reg::STATUS) == (overload.0, i32::from(overload.0))
    });
    until("the report tells it", || {
        handle.report().status[4] == overload
    });
    handle.turn(Knob::Temperature(0, Some(66.0))).unwrap();
    until("servo 1 is hot", || {
        read(&mut *port, 1, &reg::PRESENT_TEMPERATURE).1 == 66
    });
    handle.place(5, 0.25).unwrap();
    let ticks = 2048 + (0.25_f64 / std::f64::consts::TAU * 4096.0).round() as i32;
    until("servo 6 was moved by hand", || {
        read(&mut *port, 6, &reg::PRESENT_POSITION).1 == ticks
    });
    handle
        .turn(Knob::Faults(Faults {
            drop_replies: 1.0,
            ..Faults::default()
        }))
        .unwrap();
    let mut packet = PacketBuf::new();
    until("replies are lost", || {
        port.write_all(packet.ping(1)).unwrap();
        handle.report().injected.dropped_replies > 0
    });
}
