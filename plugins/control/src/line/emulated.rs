//! A line to an arm of the same scene that is served in memory. The loop moves its bytes, in its own
//! time: the same run brings the same bytes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use forearm_hardware::bus::{
    Bus, BusConfig, BusError, Counters, Goals, Job, JobId, JobReply, Motor, Sample,
};
use forearm_hardware::codec::registers::TORQUE_ENABLE;
use forearm_hardware::codec::{MAX_PACKET, PacketBuf};

use super::{BusLine, JobTicket, LineSpec, Link};
use crate::config::OnExit;
use crate::serve::MemoryWire;

/// Cycles a second at most: as many as a real bus manages.
const MAX_HZ: f64 = 1000.0;
/// Time that was slept through is not made up for beyond this, seconds.
const MAX_BEHIND_SECS: f64 = 0.2;
/// Why it is not connected.
const UNPLUGGED: &str = "its plug was pulled; plug it in again";

struct EmulatedLine(Mutex<State>);

struct State {
    port: String,
    bus: Bus,
    ids: Vec<u8>,
    wire: MemoryWire,
    /// Up to when bytes were moved; none before the first time.
    time_secs: Option<f64>,
    linked: bool,
    was_linked: bool,
    sample: Option<Sample>,
    waiting: Vec<(JobId, Slot)>,
}

type Slot = Arc<Mutex<Option<Result<JobReply, BusError>>>>;

pub(super) fn open(spec: &LineSpec, wire: MemoryWire) -> Result<Arc<dyn BusLine>, String> {
    let motors = spec.motors.iter().map(|(id, name)| Motor {
        id: *id,
        name: name.clone(),
    });
    let config = BusConfig {
        motors: motors.collect(),
        max_hz: Some(MAX_HZ),
        silence_secs: spec.silence_secs,
        ..BusConfig::default()
    };
    Ok(Arc::new(EmulatedLine(Mutex::new(State {
        port: spec.port.clone(),
        bus: Bus::new(&spec.port, config).map_err(|error| error.to_string())?,
        ids: spec.motors.iter().map(|(id, _)| *id).collect(),
        wire,
        time_secs: None,
        linked: false,
        was_linked: false,
        sample: None,
        waiting: Vec::new(),
    }))))
}

impl EmulatedLine {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn plug(&mut self, plugged: bool) {
        if plugged && !self.linked && self.was_linked {
            self.bus.reconnected();
        }
        if !plugged && self.linked {
            self.bus.disconnected(UNPLUGGED);
            self.answer();
        }
        self.linked = plugged;
        self.was_linked |= plugged;
    }

    /// Moves bytes until this time.
    fn run(&mut self, now_secs: f64) {
        let wire = self.wire.clone();
        let mut wire = wire.lock();
        self.plug(wire.plugged);
        let earliest = now_secs - MAX_BEHIND_SECS;
        let mut time = self.time_secs.unwrap_or(now_secs).max(earliest);
        self.time_secs = Some(now_secs);
        if !self.linked {
            return;
        }
        let mut packet = [0; 2 * MAX_PACKET];
        loop {
            while let Some(bytes) = self.bus.transmit(time) {
                let len = bytes.len().min(packet.len());
                packet[..len].copy_from_slice(&bytes[..len]);
                wire.chain.receive(time, None, &packet[..len]);
                self.bus.sent(time);
            }
            while let Some(bytes) = wire.chain.transmit(time) {
                self.bus.receive(time, bytes);
            }
            if let Some(sample) = self.bus.take_sample() {
                self.sample = Some(*sample);
            }
            let due = [self.bus.wait_until(), wire.chain.wait_until()];
            let next = due.into_iter().flatten().fold(f64::INFINITY, f64::min);
            if next > now_secs {
                break;
            }
            time = time.max(next);
            self.bus.on_time(time);
        }
        drop(wire);
        self.answer();
    }

    fn answer(&mut self) {
        while let Some((id, reply)) = self.bus.take_reply() {
            if let Some(place) = self.waiting.iter().position(|(job, _)| *job == id) {
                let (_, slot) = self.waiting.swap_remove(place);
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
            }
        }
    }
}

impl BusLine for EmulatedLine {
    fn link(&self) -> Link {
        let state = self.lock();
        match (state.linked, state.was_linked) {
            (true, _) => Link::Connected,
            (false, false) => Link::Connecting,
            (false, true) => Link::Lost(UNPLUGGED.to_owned()),
        }
    }

    fn latest(&self) -> Option<Sample> {
        self.lock().sample
    }

    fn command(&self, goals: &Goals) {
        let mut state = self.lock();
        if let Some(time_secs) = state.time_secs {
            state.bus.command(time_secs, goals);
        }
    }

    fn submit(&self, job: Job) -> Result<JobTicket, BusError> {
        let mut state = self.lock();
        if state.was_linked && !state.linked {
            return Err(BusError::Disconnected {
                port: state.port.clone(),
                why: UNPLUGGED.to_owned(),
            });
        }
        let id = state.bus.submit(job)?;
        let slot = Slot::default();
        state.waiting.push((id, Arc::clone(&slot)));
        Ok(JobTicket::new(move || {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take()
        }))
    }

    fn counters(&self) -> Counters {
        self.lock().bus.counters()
    }

    fn close(&self, action: OnExit) {
        let mut state = self.lock();
        let time_secs = state.time_secs.unwrap_or(0.0);
        state.bus.close(time_secs, false);
        state.answer();
        let mut packet = PacketBuf::new();
        let off = [0];
        let ids = state.ids.iter().map(|id| (*id, &off[..]));
        let written = packet.sync_write(TORQUE_ENABLE.address, TORQUE_ENABLE.size, ids);
        if action == OnExit::TorqueOff && written.is_ok() {
            let mut wire = state.wire.lock();
            if wire.plugged {
                wire.chain.receive(time_secs, None, packet.as_bytes());
            }
        }
    }

    fn pump(&self, now_secs: f64) {
        self.lock().run(now_secs);
    }
}
