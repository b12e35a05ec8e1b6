//! A bus and virtual servos in memory. Time goes from one event to the next.

use forearm_hardware::bus::{Bus, BusConfig, BusError, Job, JobId, JobReply, Sample};
use forearm_hardware::emulator::{ChainConfig, Knob, ServoChain, SimplePlant};

pub(crate) const JOINTS: [&str; 6] = [
    "shoulder_pan",
    "shoulder_lift",
    "elbow_flex",
    "wrist_flex",
    "wrist_roll",
    "gripper",
];

/// An SO-101's bus that only does jobs.
pub(crate) fn jobs_only() -> BusConfig {
    BusConfig {
        cycle: false,
        ..BusConfig::of(JOINTS)
    }
}

pub(crate) struct Rig {
    pub(crate) bus: Bus,
    pub(crate) chain: ServoChain,
    pub(crate) plant: SimplePlant,
    pub(crate) now: f64,
    baud: u32,
    plugged: bool,
    /// A motor about half of whose replies don't arrive, and the state of its dice.
    flaky: Option<(u8, u32)>,
    answers: Vec<(JobId, Result<JobReply, BusError>)>,
    pub(crate) sent: Vec<u8>,
}

impl Rig {
    pub(crate) fn new(bus: BusConfig, chain: &ChainConfig) -> Self {
        Self {
            baud: bus.baud,
            bus: Bus::new("a test", bus).expect("a bus"),
            chain: ServoChain::new(chain),
            plant: SimplePlant::default(),
            now: 0.0,
            plugged: true,
            flaky: None,
            answers: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Goes on to the next event. Whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let mut sent = false;
        while let Some(bytes) = self.bus.transmit(self.now) {
            sent = true;
            self.sent.extend_from_slice(bytes);
            if self.plugged {
                self.chain.receive(self.now, Some(self.baud), bytes);
            }
            self.bus.sent(self.now);
        }
        while let Some(answer) = self.bus.take_reply() {
            self.answers.push(answer);
        }
        let events = [self.bus.wait_until(), self.chain.wait_until()];
        let Some(next) = events.into_iter().flatten().min_by(f64::total_cmp) else {
            return sent;
        };
        let before = self.now;
        self.now = self.now.max(next);
        let command = self.chain.advance(self.now, self.plant.sample());
        self.plant.step(&command, self.now - before);
        let mut came = false;
        while let Some(bytes) = self.chain.transmit(self.now) {
            if self.flaky.as_mut().is_some_and(|flaky| loses(flaky, bytes)) {
                continue;
            }
            came = true;
            self.bus.receive(self.now, bytes);
        }
        if !came {
            self.bus.on_time(self.now);
        }
        true
    }

    /// Runs until the next sample.
    pub(crate) fn sample(&mut self) -> Sample {
        for _ in 0..10_000 {
            assert!(self.step(), "the bus goes on");
            if let Some(sample) = self.bus.take_sample() {
                return *sample;
            }
        }
        panic!("no sample came in {} s", self.now);
    }

    /// Runs for so many seconds and hands out each sample.
    pub(crate) fn run(&mut self, secs: f64, mut each: impl FnMut(&mut Self, &Sample)) {
        let until = self.now + secs;
        while self.now < until {
            let sample = self.sample();
            each(self, &sample);
        }
    }

    /// Does a job.
    pub(crate) fn job(&mut self, job: Job) -> Result<JobReply, BusError> {
        let id = self.bus.submit(job).expect("room for a job");
        for _ in 0..10_000 {
            self.step();
            let place = self.answers.iter().position(|(known, _)| *known == id);
            if let Some(place) = place {
                return self.answers.swap_remove(place).1;
            }
        }
        panic!("{job:?} is never answered");
    }

    /// The answers that came so far.
    pub(crate) fn answers(&mut self) -> Vec<(JobId, Result<JobReply, BusError>)> {
        std::mem::take(&mut self.answers)
    }

    pub(crate) fn plug(&mut self, plugged: bool) {
        self.plugged = plugged;
        if !plugged {
            self.chain.unplug();
        }
    }

    /// From now on about half of this motor's replies don't arrive.
    pub(crate) fn make_flaky(&mut self, id: u8, seed: u32) {
        self.flaky = Some((id, seed.max(1)));
    }

    pub(crate) fn turn(&mut self, knob: Knob) {
        self.chain.turn(knob);
    }
}

/// Whether a packet is of the flaky motor and lost this time.
fn loses((id, dice): &mut (u8, u32), packet: &[u8]) -> bool {
    if packet.get(2) != Some(&*id) {
        return false;
    }
    *dice ^= *dice << 13;
    *dice ^= *dice >> 17;
    *dice ^= *dice << 5;
    *dice & 0x100 != 0
}
