//! Lines on pseudo-terminals with virtual servos behind them, in real time. Nothing here depends on
//! how fast the machine is: what has to happen is waited for.

#![cfg(unix)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use forearm_hardware::bus::{BusConfig, BusError, Goals, Job, JobReply, Sample};
use forearm_hardware::codec::registers;
use forearm_hardware::emulator::pty::{PtyConfig, VirtualPort};
use forearm_hardware::emulator::{ChainConfig, Faults, Knob, ServoChain};
use forearm_hardware::line::{CloseAction, Line, LineConfig, LineState, now_secs, scan_bauds};
use forearm_hardware::port::PortName;

/// Far longer than anything here takes; only what fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
const JOINTS: [&str; 6] = [
    "shoulder_pan",
    "shoulder_lift",
    "elbow_flex",
    "wrist_flex",
    "wrist_roll",
    "gripper",
];
const ALL: u16 = 0b11_1111;

/// A folder with a link to virtual servos.
struct Served {
    folder: PathBuf,
    port: VirtualPort,
    name: PortName,
}

impl Served {
    fn new(test: &str, chain: &ChainConfig) -> Self {
        let folder =
            std::env::temp_dir().join(format!("forearm-line-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let link = folder.join("arm");
        let config = PtyConfig {
            name: test.to_owned(),
            link: Some(link.clone()),
            ..PtyConfig::default()
        };
        Self {
            port: VirtualPort::open(ServoChain::new(chain), config).expect("a port"),
            name: PortName::from(link.to_string_lossy().as_ref()),
            folder,
        }
    }

    fn open(&self, bus: BusConfig) -> Line {
        let line = Line::open(self.name.clone(), bus.into()).expect("a line");
        line.wait_connected(PATIENCE).expect("a connection");
        line
    }

    fn torque(&self) -> u16 {
        self.port.handle().report().command.torque
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).expect("the folder is there");
    }
}

/// Waits for what a condition brings; yields the processor meanwhile.
fn until<T>(what: &str, mut is_it: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(it) = is_it() {
            return it;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

fn sample_where(line: &Line, what: &str, is_it: impl Fn(&Sample) -> bool) -> Sample {
    until(what, || line.latest().filter(&is_it))
}

fn engage(line: &Line) {
    line.torque(ALL, true).expect("torque goes on");
}

#[test]
fn cycles_jobs_and_the_end() {
    let served = Served::new("cycles", &ChainConfig::default());
    let line = served.open(BusConfig::of(JOINTS));
    let sample = sample_where(&line, "a whole sample", |sample| sample.fresh == ALL);
    assert_eq!(sample.positions[..6], [2048; 6]);
    assert!(sample.at_secs <= now_secs());
    assert_eq!(line.ping(3).unwrap().0, 777);
    line.write(3, &registers::HOMING_OFFSET, 100).unwrap();
    assert_eq!(line.read(3, &registers::HOMING_OFFSET).unwrap(), 100);
    let shifted = |sample: &Sample| sample.positions[2] == 1948;
    sample_where(&line, "the shifted position", shifted);
    let error = line.ping(99).unwrap_err();
    assert!(matches!(error, BusError::NoAnswer { .. }), "{error}");

    engage(&line);
    until("torque", || (served.torque() == ALL).then_some(()));
    sample_where(&line, "the goal", |sample| {
        line.command(&Goals::after(sample).with(0, 2148));
        (sample.positions[0] - 2148).abs() <= 3
    });
    line.close(CloseAction::TorqueOff);
    assert!(line.wait_closed(PATIENCE));
    assert_eq!(line.state(), LineState::Closed);
    until("torque to go", || (served.torque() == 0).then_some(()));
    let closed = line.ping(3).unwrap_err();
    assert!(matches!(closed, BusError::Closed { .. }), "{closed}");
}

#[test]
fn whoever_drops_a_line_or_panics_leaves_no_torque() {
    let served = Served::new("drop", &ChainConfig::default());
    let line = served.open(BusConfig::of(JOINTS));
    engage(&line);
    until("torque", || (served.torque() == ALL).then_some(()));
    let owner = std::thread::Builder::new().name("owner".to_owned());
    let panics = owner.spawn(move || {
        let _mine = line;
        std::panic::resume_unwind(Box::new("a bug"));
    });
    assert!(panics.unwrap().join().is_err());
    until("torque to go", || (served.torque() == 0).then_some(()));

    let hold = LineConfig {
        on_drop: CloseAction::Hold,
        ..BusConfig::of(JOINTS).into()
    };
    let line = Line::open(served.name.clone(), hold).unwrap();
    line.wait_connected(PATIENCE).unwrap();
    engage(&line);
    drop(line);
    let line = served.open(BusConfig::of(JOINTS));
    assert_eq!(line.read(6, &registers::TORQUE_ENABLE).unwrap(), 1, "held");
}

#[test]
fn unplugged_and_plugged_again() {
    let served = Served::new("unplug", &ChainConfig::default());
    let line = served.open(BusConfig::of(JOINTS));
    engage(&line);
    let before = sample_where(&line, "a whole sample", |sample| sample.fresh == ALL);
    served.port.handle().unplug().unwrap();
    let state = line.wait_state(PATIENCE, |state| *state != LineState::Connected);
    let LineState::Lost { why } = state else {
        panic!("{state:?}");
    };
    assert!(why.contains("plug"), "{why}");
    let error = line.ping(1).unwrap_err();
    assert!(error.to_string().contains("is not connected"), "{error}");
    // What is commanded meanwhile is for nobody.
    line.command(&Goals::after(&before).with(0, 3000));
    served.port.handle().replug().unwrap();
    line.wait_state(PATIENCE, |state| *state == LineState::Connected);
    let after = sample_where(&line, "a sample after it", |sample| {
        sample.generation != before.generation && sample.fresh == ALL
    });
    assert_eq!(after.positions, before.positions, "it held");
    // Old goals stay without effect, whenever they come.
    line.command(&Goals::after(&before).with(0, 3000));
    until("the old goals to be refused", || {
        (line.counters().stale_goals > 0).then_some(())
    });
    assert_eq!(line.counters().reconnects, 1);
    let sample = line.latest().unwrap();
    assert_eq!(sample.positions, before.positions);
}

#[test]
fn faults_are_counted_as_they_are_injected() {
    let faults = Faults {
        drop_replies: 0.01,
        corrupt_replies: 0.01,
        ..Faults::default()
    };
    let served = Served::new("faults", &ChainConfig::default());
    let line = served.open(BusConfig {
        // Whatever this machine does meanwhile, no reply is late.
        reply_timeout_secs: 0.3,
        ..BusConfig::of(JOINTS)
    });
    let turn = |knob| served.port.handle().turn(knob).unwrap();
    sample_where(&line, "cycles", |sample| sample.cycle > 50);
    turn(Knob::Faults(faults));
    sample_where(&line, "many cycles", |sample| sample.cycle > 500);
    turn(Knob::Faults(Faults::default()));
    let end = sample_where(&line, "quiet cycles", |sample| sample.cycle > 600).cycle;
    until("the counters", || {
        (line.counters().cycles > end).then_some(())
    });
    let (counters, injected) = (line.counters(), served.port.handle().report().injected);
    println!("{counters:?}, {injected:?}");
    assert!(injected.lost_replies() > 10);
    // A reply that this machine brings too late counts as a timeout, then as one that is late.
    let late = counters.late_replies + counters.wrong_id;
    assert!(counters.timeouts >= injected.dropped_replies);
    assert!(counters.timeouts <= injected.dropped_replies + late);
    assert_eq!(counters.corrupt_replies, injected.corrupted_replies);
}

#[test]
fn motors_are_found_at_any_rate() {
    let mut chain = ChainConfig::default();
    chain.servos.truncate(1);
    chain.servos[0].id = 17;
    let served = Served::new("scan", &chain);
    let found = scan_bauds(&served.name, [1_000_000]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].model), (17, Some(777)));
    let line = served.open(BusConfig {
        cycle: false,
        ..BusConfig::default()
    });
    let one_by_one = line.scan(15..=18, 1_000_000).unwrap();
    assert_eq!(one_by_one, found);
}

#[test]
fn a_port_that_is_not_there_is_lost_and_says_so() {
    let line = Line::open("/dev/ttyForearm".into(), BusConfig::of(JOINTS).into()).unwrap();
    let error = line.wait_connected(PATIENCE).unwrap_err().to_string();
    assert!(
        error.contains("there is no port /dev/ttyForearm"),
        "{error}"
    );
    assert!(line.latest().is_none());
    line.close(CloseAction::TorqueOff);
    assert!(line.wait_closed(PATIENCE), "nothing to be done");
}

/// Not a check: how fast it goes here.
#[test]
fn rate_as_a_share_of_the_limit() {
    let mut chain = ChainConfig::default();
    chain.wire.turnaround_secs = 0.0;
    let served = Served::new("rate", &chain);
    let line = served.open(BusConfig::of(JOINTS));
    let first = sample_where(&line, "a whole sample", |sample| sample.fresh == ALL);
    let goals = Goals::after(&first);
    let goals = (0..6).fold(goals, |goals, place| {
        goals.with(place, first.positions[place])
    });
    let mut last = first;
    while last.cycle < first.cycle + 1000 {
        last = sample_where(&line, "the next", |sample| sample.cycle > last.cycle);
        line.command(&goals);
    }
    let hz = (last.cycle - first.cycle) as f64 / (last.at_secs - first.at_secs);
    let limit = 1.0 / (88.0 * 10e-6 + 1e-3);
    let counters = line.counters();
    println!(
        "{hz:.0} Hz, {:.1} % of {limit:.0} Hz; {counters:?}",
        100.0 * hz / limit
    );
    assert!(counters.writes > 100);
}

#[test]
fn jobs_that_are_too_many_are_refused_one_by_one() {
    let served = Served::new("many", &ChainConfig::default());
    let line = served.open(BusConfig::of(JOINTS));
    let tickets: Vec<_> = (0..300).map(|_| line.submit(Job::Ping { id: 1 })).collect();
    let mut answered = 0;
    for ticket in &tickets {
        match ticket.wait(PATIENCE) {
            Ok(JobReply::Pong { model: 777, .. }) => answered += 1,
            Err(BusError::Busy { .. }) => {}
            other => panic!("{other:?}"),
        }
        assert!(
            ticket.try_take().is_some_and(|again| again.is_err()),
            "once"
        );
    }
    assert!(answered >= 1);
}
