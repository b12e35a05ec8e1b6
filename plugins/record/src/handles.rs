//! What a program holds while it records: the process of LeRobot.js, over a running record service.
//!
//! It asks the service by a line of its own; what the service tells comes through its owner, who passes
//! each event by [`RecordProcess::note`]. Dropping it ends nothing.

use std::collections::VecDeque;

use forearm_protocol::record::{
    Command, Event, Opened, Phase, RecordConfig, RecordState, Reply, Request,
};
use forearm_protocol::{Buffer, ServiceError};
use forearm_workers::{Line, Pending};

use crate::service::RecordService;

/// How many bytes of an export may be under way to its owner.
const WINDOW_BYTES: u32 = 8 << 20;

/// Opens a dataset and its cameras to record; nothing is recorded before [`RecordProcess::start`].
#[must_use]
pub fn record(line: Line<RecordService>, config: RecordConfig) -> RecordProcess {
    RecordProcess {
        opened: Some(line.request(Request::Open(Box::new(config)))),
        line,
        state: RecordState::default(),
        failed: None,
        chunks: VecDeque::new(),
    }
}

/// A recording under way.
pub struct RecordProcess {
    line: Line<RecordService>,
    /// The answer to the question whether it may be opened, until it has come.
    opened: Option<Pending<RecordService>>,
    state: RecordState,
    failed: Option<ServiceError>,
    /// Parts of an export that have come and were not taken.
    chunks: VecDeque<Buffer>,
}

impl RecordProcess {
    /// Takes note of what the service tells. To be called with each of its events, and often.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::State(state) => self.state = (**state).clone(),
            Event::Chunk(chunk) => self.chunks.push_back(chunk.clone()),
            Event::Opened(Opened::Nothing) => self.state = RecordState::default(),
            _ => {}
        }
    }

    /// Whether it is open: whether it can be started. An error says why it never will be.
    ///
    /// # Errors
    /// What was asked for can't be recorded there.
    pub fn is_open(&mut self) -> Result<bool, ServiceError> {
        if let Some(answer) = self.opened.as_mut().and_then(Pending::try_take) {
            self.opened = None;
            self.failed = answer.err();
        }
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => Ok(self.opened.is_none()),
        }
    }

    /// Begins the next episode.
    pub fn start(&self) -> Pending<RecordService> {
        self.line.request(Request::Start)
    }

    /// Ends the recording; the episode in hand is kept. Answered when everything is written.
    pub fn stop(&self) -> Pending<RecordService> {
        self.line.request(Request::Finish)
    }

    /// How it stands.
    #[must_use]
    pub fn state(&self) -> &RecordState {
        &self.state
    }

    /// Whether an episode is in hand.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        matches!(self.state.phase, Phase::Recording | Phase::Paused)
    }

    /// Ends the episode in hand and keeps it; in reset time, begins the next one.
    pub fn next_episode(&self) -> Pending<RecordService> {
        self.line.request(Request::NextEpisode)
    }

    /// Throws the episode in hand, or the one just recorded, away and records it again.
    pub fn rerecord_episode(&self) -> Pending<RecordService> {
        self.line.request(Request::Rerecord)
    }

    /// Changes the task of the next episodes.
    pub fn set_task(&self, task: &str) -> Pending<RecordService> {
        self.line.request(Request::SetTask(task.to_owned()))
    }

    /// Packs the dataset as LeRobot reads it, into a ZIP file; without one, what it has comes by
    /// [`RecordProcess::take_chunk`], and the answer after the last of it.
    pub fn export_for_lerobot(&self, file: Option<&str>) -> Pending<RecordService> {
        let file = file.map(str::to_owned);
        let window_bytes = WINDOW_BYTES;
        self.line.request(Request::Export { file, window_bytes })
    }

    /// The next part of an export, if one has come.
    ///
    /// # Errors
    /// The service can't be told that it was taken.
    pub fn take_chunk(&mut self) -> Result<Option<Buffer>, ServiceError> {
        let Some(chunk) = self.chunks.pop_front() else {
            return Ok(None);
        };
        let bytes = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let taken = Command::ChunkTaken(bytes);
        self.line.send(taken)?;
        Ok(Some(chunk))
    }

    /// Closes the dataset and the cameras.
    pub fn close(&self) -> Pending<RecordService> {
        self.line.request(Request::Close)
    }

    /// What the answer to an export says: how many bytes the ZIP has, and where it is.
    #[must_use]
    pub fn exported(reply: &Reply) -> Option<(u64, &str)> {
        match reply {
            Reply::Exported { bytes, to, .. } => Some((*bytes, to)),
            _ => None,
        }
    }
}
