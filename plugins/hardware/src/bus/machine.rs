//! The state machine of a bus: one question at a time, cycles and jobs in turn.

mod cycles;
mod jobs;
mod owner;

use std::collections::VecDeque;

use super::counters::Counters;
use super::cycle::{Cycles, GoalState};
use super::echo::{Echo, MAX_SENT};
use super::errand::{Errand, JobId};
use super::error::BusError;
use super::exchange::{Exchange, Heard};
use super::job::{Job, JobReply, places};
use super::names::Names;
use super::patience::Patience;
use super::sample::Sample;
use super::{BROADCAST_SECS, BusConfig, MAX_JOBS, MAX_SERVOS};
use crate::codec::{Direction, PacketBuf, Parser, StatusBits};

/// How long closing may take, seconds.
const CLOSING_SECS: f64 = 1.5;
/// How often torque is tried to be switched off before closing, more than other things.
const CLOSING_RETRIES: u8 = 4;
/// The longest packet's parameters.
const MAX_PARAMS: usize = 256;

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Positions that the cycle wants.
    Cycle,
    /// Whether a motor that was left out is back.
    Probe(usize),
    /// The present job, one motor.
    Job,
    /// The present job, several motors of the bus.
    JobSeveral,
    /// The present job, everybody.
    JobEverybody,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Ready for the next question.
    Idle,
    /// A question is out.
    Awaiting(Purpose),
    /// Waits until nothing has come for `secs`, at most until `at_most`.
    Quieting { until: f64, secs: f64, at_most: f64 },
    /// Nothing is sent any more.
    Closed,
}

/// The driver of one bus.
#[derive(Debug)]
pub struct Bus {
    config: BusConfig,
    names: Names,
    phase: Phase,
    parser: Parser,
    echo: Echo,
    exchange: Exchange,
    patience: Patience,
    /// Until then replies to earlier questions may come.
    uncertain_until: f64,
    /// After the next whole answer, wait for silence: the one before may come too.
    unsettled: bool,
    skipped_before: u64,
    packet: PacketBuf,
    out: [u8; MAX_SENT],
    out_len: usize,
    out_at: f64,
    out_writes: bool,
    cycles: Cycles,
    cycle_sent_at: f64,
    goals: GoalState,
    sample: Sample,
    has_sample: bool,
    /// Whether a job's question is next, not a cycle.
    job_turn: bool,
    /// Since when the present job was kept from asking, by questions that were not answered.
    deferred_since: Option<f64>,
    errand: Option<Errand>,
    queue: VecDeque<(JobId, Job)>,
    replies: VecDeque<(JobId, Result<JobReply, BusError>)>,
    last_job: u64,
    closing_until: Option<f64>,
    counters: Counters,
}

impl Bus {
    /// A bus on a port of this name, which only appears in messages.
    ///
    /// # Errors
    /// [`BusError::Motors`].
    pub fn new(port: &str, config: BusConfig) -> Result<Self, BusError> {
        Ok(Self {
            names: Names::new(port, &config.motors)?,
            phase: Phase::Idle,
            parser: Parser::new(Direction::Replies),
            echo: Echo::new(),
            exchange: Exchange::new(),
            patience: Patience::new(config.reply_secs()),
            uncertain_until: 0.0,
            unsettled: false,
            skipped_before: 0,
            packet: PacketBuf::new(),
            out: [0; MAX_SENT],
            out_len: 0,
            out_at: 0.0,
            out_writes: false,
            cycles: Cycles::new(),
            cycle_sent_at: 0.0,
            goals: GoalState::new(),
            sample: Sample {
                generation: 1,
                ..Sample::default()
            },
            has_sample: false,
            job_turn: true,
            deferred_since: None,
            errand: None,
            queue: VecDeque::with_capacity(MAX_JOBS),
            replies: VecDeque::with_capacity(2 * MAX_JOBS),
            last_job: 0,
            closing_until: None,
            counters: Counters::default(),
            config,
        })
    }

    /// Bytes to send now; `None` when it is time to wait. To be called again after [`Bus::sent`].
    pub fn transmit(&mut self, now: f64) -> Option<&[u8]> {
        if self.phase != Phase::Idle {
            return None;
        }
        self.out_len = 0;
        self.out_writes = false;
        self.out_at = now;
        if self.closing_until.is_some_and(|until| now >= until) {
            self.shut();
            return None;
        }
        // A cycle that has begun goes before everything else; jobs and cycles take turns.
        let asked = if self.cycles.is_under_way() {
            self.ask_cycle()
        } else {
            (self.job_turn && self.ask_job(now))
                || self.probe(now)
                || self.begin_cycle(now)
                || self.ask_job(now)
        };
        if !asked {
            return None;
        }
        self.wait_from(now);
        Some(&self.out[..self.out_len])
    }

    /// The bytes of [`Bus::transmit`] have been handed over.
    pub fn sent(&mut self, now: f64) {
        if std::mem::take(&mut self.out_writes) {
            self.cycles.was_written(now - self.out_at);
        }
        self.wait_from(now);
    }

    fn wait_from(&mut self, now: f64) {
        let Phase::Awaiting(purpose) = self.phase else {
            return;
        };
        let patience = match purpose {
            Purpose::Cycle | Purpose::Probe(_) => self.patience.first(),
            Purpose::Job | Purpose::JobSeveral | Purpose::JobEverybody => self.patience.limit(),
        };
        let (byte, limit) = (self.config.byte_secs(), self.patience.limit());
        let sent = self.out_len;
        self.exchange.sent(now, sent, byte, patience, limit);
        if purpose == Purpose::JobEverybody {
            self.exchange.set_deadline(BROADCAST_SECS);
        }
        if matches!(purpose, Purpose::Cycle) && !self.cycles.again {
            self.cycle_sent_at = now;
        }
    }

    /// When [`Bus::on_time`] has something to do, if nothing comes before. `None`: only a job or a
    /// closing can bring something.
    #[must_use]
    pub fn wait_until(&self) -> Option<f64> {
        match self.phase {
            Phase::Awaiting(_) => Some(self.exchange.deadline()),
            Phase::Quieting { until, .. } => Some(until),
            Phase::Closed => None,
            Phase::Idle => {
                let job = self.has_job().then_some(self.uncertain_until);
                let cycle = if !self.cycles_run() || self.names.count() == 0 {
                    None
                } else if self.cycles.is_under_way() {
                    Some(0.0)
                } else if self.present() == 0 {
                    Some(self.cycles.probe_at())
                } else {
                    Some(self.cycles.due_at())
                };
                match (job, cycle) {
                    (Some(job), Some(cycle)) => Some(cycle.min(job)),
                    (job, cycle) => job.or(cycle),
                }
            }
        }
    }

    /// Whether bytes are awaited: until [`Bus::wait_until`], on the port. Otherwise there is nothing
    /// to wait for but time and the owner.
    #[must_use]
    pub const fn listens(&self) -> bool {
        matches!(self.phase, Phase::Awaiting(_) | Phase::Quieting { .. })
    }

    fn has_job(&self) -> bool {
        self.errand.is_some() || !self.queue.is_empty()
    }

    const fn cycles_run(&self) -> bool {
        self.config.cycle && self.closing_until.is_none()
    }

    /// Time has passed.
    pub fn on_time(&mut self, now: f64) {
        match self.phase {
            Phase::Awaiting(_) if now >= self.exchange.deadline() => {
                let held = self.echo.end();
                self.hear_held(now, held);
                self.hear_parsed(now);
                self.finish(now, true);
            }
            Phase::Quieting { until, .. } if now >= until => {
                self.parser.clear();
                self.phase = Phase::Idle;
            }
            _ => {}
        }
    }

    /// Bytes have come.
    pub fn receive(&mut self, now: f64, bytes: &[u8]) {
        if bytes.is_empty() || self.phase == Phase::Closed {
            return;
        }
        let (held, mut bytes) = self.echo.strip(bytes);
        self.hear_held(now, held);
        while !bytes.is_empty() {
            let taken = self.parser.push(bytes);
            bytes = &bytes[taken..];
            self.hear_parsed(now);
        }
        match self.phase {
            Phase::Awaiting(_) => {
                let skipped = self.skipped();
                self.exchange.progress(now, self.patience.gap(), skipped);
                if self.exchange.is_over(now < self.uncertain_until) {
                    self.finish(now, false);
                }
            }
            Phase::Quieting {
                until,
                secs,
                at_most,
            } => {
                self.phase = Phase::Quieting {
                    until: until.max((now + secs).min(at_most)),
                    secs,
                    at_most,
                };
            }
            Phase::Idle | Phase::Closed => {}
        }
    }

    fn hear_held(&mut self, now: f64, held: usize) {
        let mut start = 0;
        while start < held {
            let taken = self.parser.push(&self.echo.held(held)[start..]);
            start += taken;
            self.hear_parsed(now);
        }
    }

    fn hear_parsed(&mut self, now: f64) {
        let mut params = [0; MAX_PARAMS];
        while let Some(frame) = self.parser.next_frame() {
            let (id, code) = (frame.id, frame.code);
            let len = frame.params.len().min(MAX_PARAMS);
            params[..len].copy_from_slice(&frame.params[..len]);
            if matches!(self.phase, Phase::Awaiting(_)) && !self.exchange.may_have(len) {
                self.parser.refuse();
                continue;
            }
            self.hear(now, id, code, &params[..len]);
        }
    }

    fn hear(&mut self, now: f64, id: u8, code: u8, params: &[u8]) {
        if self.echo.is_request(id, code, params) {
            return;
        }
        if !matches!(self.phase, Phase::Awaiting(_)) {
            self.counters.late_replies += 1;
            return;
        }
        let status = StatusBits(code);
        let skipped = self.skipped();
        match self.exchange.hear(now, id, status, params, skipped) {
            Heard::Reply => self.echo.replied(),
            Heard::Stranger => self.counters.wrong_id += 1,
        }
        if !status.is_ok() {
            self.counters.status_errors += 1;
        }
    }

    /// Bytes skipped since the question.
    fn skipped(&self) -> u64 {
        self.parser.errors().skipped_bytes - self.skipped_before
    }

    /// Nothing more is waited for.
    fn finish(&mut self, now: f64, timed_out: bool) {
        let Phase::Awaiting(purpose) = self.phase else {
            return;
        };
        self.phase = Phase::Idle;
        // What is left is the end of something broken.
        self.parser.clear();
        let skipped = self.skipped();
        self.exchange.progress(now, 0.0, skipped);
        let (lost, broken) = self.exchange.missing();
        if !matches!(purpose, Purpose::Probe(_)) {
            self.counters.timeouts += lost;
            self.counters.corrupt_replies += broken;
        }
        if timed_out && lost > 0 {
            self.uncertain_until = self.uncertain_until.max(self.exchange.limit());
            self.unsettled |= self.exchange.is_silent();
        }
        if let Some((first, gap)) = self.exchange.delays() {
            self.patience.observe(first, gap);
        }
        let complete = self.exchange.is_complete();
        if complete && self.unsettled {
            self.unsettled = false;
            self.quiet(now);
        } else if !timed_out && !complete && !self.exchange.is_clear() {
            self.quiet(now);
        }
        match purpose {
            Purpose::Cycle => self.cycle_read(now, timed_out),
            Purpose::Probe(place) => self.probed(now, place),
            Purpose::Job => self.job_answered(broken > 0),
            Purpose::JobSeveral => self.job_answered_by_several(broken > 0),
            Purpose::JobEverybody => {
                let found = self.exchange.found();
                let progress = self.errand.as_ref().map(|errand| errand.found(found));
                self.advance(progress);
            }
        }
    }

    /// Waits for silence before the next question.
    fn quiet(&mut self, now: f64) {
        let secs = self.patience.silence();
        self.phase = Phase::Quieting {
            until: now + secs,
            secs,
            at_most: now + 10.0 * self.patience.limit(),
        };
    }

    /// Motors that cycles wait for: bit a motor.
    fn present(&self) -> u16 {
        self.names.all() & !self.sample.absent
    }

    fn append_packet(&mut self) {
        let packet = self.packet.as_bytes();
        let end = self.out_len + packet.len();
        if let Some(room) = self.out.get_mut(self.out_len..end) {
            room.copy_from_slice(packet);
            self.out_len = end;
        }
    }

    /// Opens a question to motors of the bus; its packet is in `out`.
    fn await_places(&mut self, mask: u16, len: usize, purpose: Purpose) {
        let mut ids = [0; MAX_SERVOS];
        let mut count = 0;
        for place in places(mask) {
            ids[count] = self.names.id(place);
            count += 1;
        }
        self.await_ids(&ids[..count], len, purpose);
    }

    fn await_ids(&mut self, ids: &[u8], len: usize, purpose: Purpose) {
        self.skipped_before = self.parser.errors().skipped_bytes;
        let pings = !matches!(purpose, Purpose::Cycle | Purpose::Probe(_))
            && self.errand.as_ref().is_some_and(Errand::pings);
        self.echo.sent(&self.out[..self.out_len], pings);
        self.exchange.ask(ids, len);
        self.phase = Phase::Awaiting(purpose);
    }
}
