//! The state machine of a bus: one question at a time, cycles and jobs in turn.

use std::collections::VecDeque;

use super::counters::Counters;
use super::cycle::{Cycles, GoalState};
use super::echo::{Echo, MAX_SENT};
use super::errand::{self, Errand, Expect, JobId, Progress};
use super::error::BusError;
use super::exchange::{Exchange, Heard};
use super::job::{Job, JobReply, places};
use super::names::Names;
use super::patience::Patience;
use super::sample::{self, Goals, Sample};
use super::{BROADCAST_SECS, BusConfig, MAX_JOBS, MAX_SERVOS};
use crate::codec::registers::GOAL_POSITION;
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
                self.parser.clear();
                let skipped = self.skipped();
                self.exchange.progress(now, 0.0, skipped);
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

    // Cycles.

    fn begin_cycle(&mut self, now: f64) -> bool {
        let motors = self.present();
        let free = self.phase == Phase::Idle && self.cycles_run();
        if !free || motors == 0 || now < self.cycles.due_at() {
            return false;
        }
        let (retries, period) = (self.config.retries, self.config.period_secs());
        self.cycles.begin(now, motors, retries, period);
        self.sample.fresh = 0;
        self.has_sample = false;
        self.counters.reads += 1;
        let driven = motors & !self.sample.limp;
        if let Some(goals) = self.goals.due(now, driven, self.config.silence_secs) {
            let (packet, names) = (&mut self.packet, &self.names);
            // Goals that don't fit into the register are not taken in the first place.
            if errand::write_all(packet, names, &GOAL_POSITION, &goals.ticks, goals.mask).is_ok() {
                self.append_packet();
                self.out_writes = true;
                self.counters.writes += 1;
            }
        }
        self.ask_cycle()
    }

    /// Asks for what the cycle still wants.
    fn ask_cycle(&mut self) -> bool {
        let wanted = self.cycles.wanted;
        let len = if self.cycles.long {
            sample::LONG
        } else {
            sample::SHORT
        };
        if wanted.count_ones() == 1 {
            let id = self.names.id(wanted.trailing_zeros() as usize);
            self.packet.read(id, sample::READ_FROM, len);
        } else {
            let mut ids = [0; MAX_SERVOS];
            let mut count = 0;
            for place in places(wanted) {
                ids[count] = self.names.id(place);
                count += 1;
            }
            let asked = self.packet.sync_read(sample::READ_FROM, len, &ids[..count]);
            if asked.is_err() {
                return false;
            }
        }
        self.append_packet();
        self.await_places(wanted, len.into(), Purpose::Cycle);
        true
    }

    fn cycle_read(&mut self, now: f64, timed_out: bool) {
        for (id, data, status) in self.exchange.replies() {
            if let Some(place) = self.names.place(id) {
                self.sample.take(place, data, status);
                self.cycles.wanted &= !(1 << place);
            }
        }
        if !self.cycles.again || self.sample.fresh == 0 {
            self.sample.at_secs = self.exchange.middle();
        }
        if self.cycles.wanted != 0 && self.cycles.tries > 0 {
            // What went wrong twice may be replies to the first question.
            if self.cycles.again && !timed_out && self.phase == Phase::Idle {
                self.quiet(now);
            }
            self.cycles.tries -= 1;
            self.cycles.again = true;
            self.counters.retries += 1;
            return;
        }
        if self.cycles.wanted != 0 && !timed_out && self.phase == Phase::Idle {
            self.quiet(now);
        }
        let motors = self.present();
        self.counters.lost_samples += self.cycles.end(motors, &mut self.sample);
        self.counters.cycles += 1;
        self.cycles.was_read(now - self.cycle_sent_at);
        self.sample.cycle += 1;
        if self.cycles.long && self.sample.fresh != 0 {
            self.sample.slow.at_secs = self.sample.at_secs;
        }
        self.has_sample = true;
        self.job_turn = true;
    }

    fn probe(&mut self, now: f64) -> bool {
        if self.phase != Phase::Idle || !self.cycles_run() {
            return false;
        }
        let Some(place) = self.cycles.probe(now, self.sample.absent) else {
            return false;
        };
        self.packet
            .read(self.names.id(place), sample::READ_FROM, sample::SHORT);
        self.append_packet();
        let len = sample::SHORT.into();
        self.await_places(1 << place, len, Purpose::Probe(place));
        true
    }

    fn probed(&mut self, now: f64, place: usize) {
        if self.exchange.is_complete() {
            self.sample.absent &= !(1 << place);
            // It may have been without power: its torque is switched on deliberately or not at all.
            self.goals.drop_of(1 << place);
            self.sample.limp |= 1 << place;
            self.cycles.is_back(place, now);
        }
        if self.present() == 0 {
            self.sample.fresh = 0;
            self.has_sample = true;
        }
        self.job_turn = true;
    }

    // Jobs.

    fn ask_job(&mut self, now: f64) -> bool {
        if self.phase != Phase::Idle || !self.has_job() {
            return false;
        }
        self.job_turn = false;
        let unanswered = self.errand.as_ref().is_some_and(Errand::asks_nobody);
        // An answer to an earlier question could be taken for one to this.
        if now < self.uncertain_until && !unanswered {
            if !self.cycles_run() || self.present() == 0 {
                self.phase = Phase::Quieting {
                    until: self.uncertain_until,
                    secs: 0.0,
                    at_most: self.uncertain_until,
                };
            }
            return false;
        }
        let Some(mut errand) = self.errand.take().or_else(|| self.next_errand()) else {
            return false;
        };
        let expect = errand.ask(&mut self.packet, &self.names);
        let (id, sent) = (errand.id, expect.is_ok());
        if sent {
            self.append_packet();
        }
        match expect {
            Err(error) => self.answer(id, Err(error)),
            Ok(Expect::Nobody) => {
                let progress = errand.answered(&[], StatusBits::OK);
                self.errand = Some(errand);
                self.advance(Some(progress));
            }
            Ok(Expect::One { id, len }) => {
                self.errand = Some(errand);
                self.await_ids(&[id], len, Purpose::Job);
            }
            Ok(Expect::Several { mask, len }) => {
                self.errand = Some(errand);
                self.await_places(mask, len, Purpose::JobSeveral);
            }
            Ok(Expect::Everybody) => {
                self.errand = Some(errand);
                self.await_ids(&[], 0, Purpose::JobEverybody);
            }
        }
        sent
    }

    /// The next job that has something to ask; those that have not are answered.
    fn next_errand(&mut self) -> Option<Errand> {
        loop {
            let (id, job) = self.queue.pop_front()?;
            match Errand::new(Some(id), job, &self.names) {
                Ok(errand) if errand.is_empty() => {
                    let status = StatusBits::OK;
                    self.answer(Some(id), Ok(JobReply::Done { status }));
                }
                Ok(errand) => {
                    let effect = errand.effect(&self.names);
                    self.goals.drop_of(effect.ends_goals);
                    self.sample.limp |= effect.off;
                    return Some(errand);
                }
                Err(error) => self.answer(Some(id), Err(error)),
            }
        }
    }

    fn job_answered(&mut self, broken: bool) {
        let complete = self.exchange.is_complete();
        let (_, data, status) = self.exchange.reply(0);
        let progress = match &mut self.errand {
            Some(errand) if complete => Some(errand.answered(data, status)),
            _ => self.job_unanswered(broken),
        };
        self.advance(progress);
    }

    fn job_answered_by_several(&mut self, broken: bool) {
        let Some(errand) = &mut self.errand else {
            return;
        };
        for (id, data, _) in self.exchange.replies() {
            if let Some(place) = self.names.place(id) {
                errand.several(place, data);
            }
        }
        let progress = match errand.several_end() {
            Some(progress) => Some(progress),
            None => self.job_unanswered(broken),
        };
        self.advance(progress);
    }

    fn job_unanswered(&mut self, broken: bool) -> Option<Progress> {
        let errand = self.errand.as_mut()?;
        let retries = match self.closing_until {
            Some(_) => self.config.retries.max(CLOSING_RETRIES),
            None => self.config.retries,
        };
        let doubtful = self.echo.is_doubtful();
        let progress = errand.unanswered(broken, retries, doubtful, &self.names);
        self.counters.retries += u64::from(matches!(progress, Progress::Goes));
        Some(progress)
    }

    fn advance(&mut self, progress: Option<Progress>) {
        let Some(Progress::Ended(result)) = progress else {
            return;
        };
        let Some(errand) = self.errand.take() else {
            return;
        };
        let effect = errand.effect(&self.names);
        self.goals.drop_of(effect.ends_goals);
        if result.is_ok() {
            self.sample.limp &= !effect.on;
        }
        let result = result.map_err(|error| errand.named(error, &self.names));
        self.answer(errand.id, result);
    }

    fn answer(&mut self, id: Option<JobId>, result: Result<JobReply, BusError>) {
        match (id, result) {
            (Some(id), result) => {
                self.counters.jobs += 1;
                self.replies.push_back((id, result));
            }
            (None, result) => {
                if let Err(error) = result {
                    tracing::warn!("closing: {error}");
                }
                self.shut();
            }
        }
    }

    // What the owner asks.

    /// Goals for the next cycle; they replace those before. Goals of another generation and goals
    /// that fit into no register are dropped.
    pub fn command(&mut self, now: f64, goals: &Goals) {
        let (least, most) = GOAL_POSITION.range();
        let fit = places(goals.mask).all(|place| (least..=most).contains(&goals.ticks[place]));
        if goals.generation != self.sample.generation || !fit || self.closing_until.is_some() {
            self.counters.stale_goals += 1;
            return;
        }
        self.goals.set(now, goals);
    }

    /// Somebody still wants the goals that were commanded.
    pub fn alive(&mut self, now: f64) {
        self.goals.alive(now);
    }

    /// A job, to be done after those before it. Its answer comes from [`Bus::take_reply`].
    ///
    /// # Errors
    /// [`BusError::Busy`], [`BusError::Closed`].
    pub fn submit(&mut self, job: Job) -> Result<JobId, BusError> {
        if self.closing_until.is_some() {
            return Err(BusError::Closed {
                port: self.names.port().to_owned(),
            });
        }
        let waiting = self.queue.len() + self.replies.len();
        if waiting >= MAX_JOBS {
            return Err(BusError::Busy {
                port: self.names.port().to_owned(),
                waiting,
            });
        }
        self.last_job += 1;
        let id = JobId(self.last_job);
        self.queue.push_back((id, job));
        Ok(id)
    }

    /// A job that is done, and what it brought.
    pub fn take_reply(&mut self) -> Option<(JobId, Result<JobReply, BusError>)> {
        self.replies.pop_front()
    }

    /// What the last cycle brought, once.
    pub fn take_sample(&mut self) -> Option<&Sample> {
        std::mem::take(&mut self.has_sample).then_some(&self.sample)
    }

    /// The state after the last cycle.
    #[must_use]
    pub const fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Everything counted so far. Sorts some numbers: not for every cycle.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let errors = self.parser.errors();
        let [read_time, write_time, cycle_time] = self.cycles.timings();
        Counters {
            checksum_errors: errors.checksum,
            skipped_bytes: errors.skipped_bytes,
            echoes: self.echo.count(),
            read_time,
            write_time,
            cycle_time,
            ..self.counters
        }
    }

    /// The port is gone: jobs fail, goals are forgotten, everything is as before the first cycle.
    /// Samples have the next generation from here on.
    pub fn disconnected(&mut self, why: &str) {
        let error = BusError::Disconnected {
            port: self.names.port().to_owned(),
            why: why.to_owned(),
        };
        self.fail_jobs(&error);
        self.parser.clear();
        self.echo.restart();
        self.patience = Patience::new(self.config.reply_secs());
        self.cycles.restart();
        self.goals = GoalState::new();
        self.sample = Sample {
            generation: self.sample.generation.wrapping_add(1),
            cycle: self.sample.cycle,
            ..Sample::default()
        };
        self.has_sample = false;
        self.uncertain_until = 0.0;
        self.unsettled = false;
        match self.closing_until {
            Some(_) => self.phase = Phase::Closed,
            None => self.phase = Phase::Idle,
        }
    }

    /// The port is back after [`Bus::disconnected`].
    pub fn reconnected(&mut self) {
        self.counters.reconnects += 1;
    }

    /// Stops cycles and jobs; switches the torque of all motors off first, if so asked. Goes on
    /// until [`Bus::is_closed`], at most one and a half seconds.
    pub fn close(&mut self, now: f64, torque_off: bool) {
        if self.closing_until.is_some() {
            return;
        }
        let port = self.names.port().to_owned();
        self.fail_jobs(&BusError::Closed { port });
        self.closing_until = Some(now + CLOSING_SECS);
        self.cycles.wanted = 0;
        if matches!(self.phase, Phase::Awaiting(_)) {
            self.uncertain_until = self.exchange.limit();
            self.phase = Phase::Idle;
        }
        let job = Job::Torque {
            mask: u16::MAX,
            on: false,
        };
        match Errand::new(None, job, &self.names) {
            Ok(errand) if torque_off && !errand.is_empty() => self.errand = Some(errand),
            _ => self.shut(),
        }
    }

    /// Whether nothing is sent any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    fn shut(&mut self) {
        self.errand = None;
        self.phase = Phase::Closed;
    }

    fn fail_jobs(&mut self, error: &BusError) {
        if let Some(id) = self.errand.take().and_then(|errand| errand.id) {
            self.answer(Some(id), Err(error.clone()));
        }
        while let Some((id, _)) = self.queue.pop_front() {
            self.answer(Some(id), Err(error.clone()));
        }
    }
}
