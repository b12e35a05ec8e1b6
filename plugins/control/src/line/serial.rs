//! Lines on serial ports.

use std::sync::Arc;

use forearm_hardware::bus::{BusConfig, BusError, Counters, Goals, Job, Motor, Sample};
use forearm_hardware::line::{CloseAction, Line, LineConfig, LineState};
use forearm_hardware::port::PortName;

use super::{BusLine, JobTicket, LineSpec, Link};
use crate::config::OnExit;

pub(super) fn open(spec: &LineSpec) -> Result<Arc<dyn BusLine>, String> {
    let motors = spec.motors.iter().map(|(id, name)| Motor {
        id: *id,
        name: name.clone(),
    });
    let config = LineConfig {
        bus: BusConfig {
            motors: motors.collect(),
            silence_secs: spec.silence_secs,
            ..BusConfig::default()
        },
        on_drop: spec.on_exit.into(),
    };
    let line = Line::open(PortName::from(spec.port.as_str()), config);
    Ok(Arc::new(line.map_err(|error| error.to_string())?))
}

impl BusLine for Line {
    fn link(&self) -> Link {
        match self.state() {
            LineState::Connecting => Link::Connecting,
            LineState::Connected => Link::Connected,
            LineState::Lost { why } => Link::Lost(why),
            LineState::Closed => Link::Lost("the bus was closed; connect again".to_owned()),
        }
    }

    fn latest(&self) -> Option<Sample> {
        Line::latest(self)
    }

    fn command(&self, goals: &Goals) {
        Line::command(self, goals);
    }

    fn submit(&self, job: Job) -> Result<JobTicket, BusError> {
        let ticket = Line::submit(self, job);
        Ok(JobTicket::new(move || ticket.try_take()))
    }

    fn counters(&self) -> Counters {
        Line::counters(self)
    }

    fn close(&self, action: OnExit) {
        Line::close(self, action.into());
    }
}

impl From<OnExit> for CloseAction {
    fn from(action: OnExit) -> Self {
        match action {
            OnExit::TorqueOff => Self::TorqueOff,
            OnExit::Hold => Self::Hold,
        }
    }
}
