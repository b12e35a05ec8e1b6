//! What the service tells by itself: its state ten times a second, and at every change of phase.

use forearm_dataset::store::Store;
use forearm_protocol::record::{CameraState, Event, Phase, RecordState};

use super::desk::Desk;
use super::{Cx, RecordService};
use crate::cameras::Eye;
use crate::clerk::{Book, Clerk};
use crate::lane::Lane;

/// How often the state is told, seconds.
const STATE_SECS: f64 = 0.1;
/// How often the disk is asked how much is free, seconds.
const SPACE_SECS: f64 = 2.0;

/// When the state is told.
#[derive(Default)]
pub(super) struct Publisher {
    next_secs: f64,
    told: Option<Phase>,
    space_secs: Option<f64>,
    free_bytes: Option<u64>,
}

impl Publisher {
    /// The state is to be told soon.
    pub(super) fn hurry(&mut self) {
        self.next_secs = 0.0;
    }
}

impl RecordService {
    /// Tells the state, if it is time.
    pub(super) fn publish(&mut self, cx: &mut Cx<'_>) {
        let now_secs = cx.now_secs();
        if now_secs < self.publisher.next_secs {
            return;
        }
        // Idle times count for nothing.
        self.publisher.next_secs = (self.publisher.next_secs + STATE_SECS).max(now_secs);
        self.watch_cameras(cx);
        self.tell(cx);
    }

    /// Tells the state if it has another phase than was told.
    pub(super) fn publish_phase(&mut self, cx: &mut Cx<'_>) {
        if self.publisher.told != Some(self.phase()) {
            self.tell(cx);
        }
    }

    fn phase(&self) -> Phase {
        self.recording()
            .map_or(Phase::Closed, |recording| recording.session.phase())
    }

    fn tell(&mut self, cx: &mut Cx<'_>) {
        let now_secs = self.shared_secs(cx);
        let publisher = &mut self.publisher;
        match &self.desk {
            Some(desk) => {
                let asked = publisher.space_secs;
                if asked.is_none_or(|secs| now_secs - secs >= SPACE_SECS) {
                    publisher.space_secs = Some(now_secs);
                    publisher.free_bytes = desk.store.free_bytes();
                }
            }
            None => {
                publisher.space_secs = None;
                publisher.free_bytes = None;
            }
        }
        let state = self.state(now_secs);
        self.publisher.told = Some(state.phase);
        cx.emit(Event::State(Box::new(state)));
    }

    fn state(&self, now_secs: f64) -> RecordState {
        let mut state = RecordState {
            cameras: self.camera_states(),
            tick_hz: self.ticks.rate_hz(now_secs),
            free_bytes: self.publisher.free_bytes,
            ..RecordState::default()
        };
        let Some(desk) = &self.desk else {
            return state;
        };
        let leftover = desk.leftovers.first();
        state.recoverable = leftover.map(|leftover| leftover.episode.clone());
        state.can_undo = can_undo(desk);
        let Some(recording) = &desk.recording else {
            return state;
        };
        let session = &recording.session;
        state.phase = session.phase();
        state.episode = recording.expected;
        state.made = session.made();
        state.wanted = session.wanted();
        state.phase_secs = session.phase_secs(now_secs);
        state.phase_limit_secs = session.limit_secs();
        state.task.clone_from(&recording.config.task);
        if let Some(episode) = &recording.episode {
            state.frames = episode.rows(now_secs);
            state.ticks_lost = episode.ticks_lost();
            state.task = episode.task().to_owned();
        }
        state
    }

    fn camera_states(&self) -> Vec<CameraState> {
        let episode = self.recording().and_then(|r| r.episode.as_ref());
        let states = self.eyes.iter().map(Eye::state).enumerate();
        let lane = |index| episode.and_then(|episode| episode.lanes().get(index));
        states
            .map(|(index, state)| with_lane(state, lane(index)))
            .collect()
    }
}

/// How a camera does in an episode, or without one: frames dropped then are missing nowhere.
fn with_lane(mut state: CameraState, lane: Option<&Lane>) -> CameraState {
    match lane {
        Some(lane) => {
            state.queued = lane.queued();
            state.dropped += lane.dropped();
        }
        None => state.dropped = 0,
    }
    state
}

fn can_undo(desk: &Desk) -> bool {
    let in_hand = desk
        .recording
        .as_ref()
        .is_some_and(|recording| recording.session.is_recording());
    !in_hand
        && desk
            .clerk
            .as_ref()
            .and_then(Clerk::book)
            .is_some_and(Book::can_undo)
}

#[cfg(test)]
mod tests {
    use forearm_protocol::record::{CameraHealth, CameraSource};

    use super::*;

    #[test]
    fn frames_dropped_without_an_episode_are_not_told() {
        let state = CameraState {
            name: "front".to_owned(),
            source: CameraSource::Pattern,
            health: CameraHealth::Live,
            resolution: [64, 48],
            rate_hz: 30.0,
            age_secs: 0.0,
            dropped: 7,
            queued: 0,
        };
        assert_eq!(with_lane(state, None).dropped, 0);
    }
}
