//! What a recording drives in control: simulated scenes are put back between episodes, a chosen motion
//! plays in each.
//!
//! A scene is never put back while an episode is in hand: that would end it.

use forearm_panel::{RecordSettings, RecordView};
use forearm_protocol::record::{Phase, RecordState, Request};

/// With less reset time left than this, putting the scene back could come into the next episode,
/// seconds.
const LATEST_SECS: f64 = 1.0;

/// What control is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// Put the scene back.
    PutBack,
    /// Play this motion, from its beginning.
    Play(String),
}

/// What control is to do when a recording has gone on from one state to the next.
pub(super) fn on_change(
    before: &RecordState,
    after: &RecordState,
    settings: &RecordSettings,
    simulated: bool,
) -> Option<Wish> {
    let changed = before.phase != after.phase;
    match after.phase {
        Phase::Resetting if changed && puts_back(settings, simulated) => {
            let left = after.phase_limit_secs.map(|limit| limit - after.phase_secs);
            left.is_none_or(|left| left > LATEST_SECS)
                .then_some(Wish::PutBack)
        }
        // A new episode: not one that goes on after a pause.
        Phase::Recording
            if (changed && before.phase != Phase::Paused)
                || after.phase_secs + 0.05 < before.phase_secs =>
        {
            settings.motion.clone().map(Wish::Play)
        }
        _ => None,
    }
}

/// Whether the scene is put back before this is asked of the recorder: an episode that a person
/// begins.
pub(super) fn puts_back_first(
    request: &Request,
    view: &RecordView,
    settings: &RecordSettings,
) -> bool {
    let begins = match request {
        Request::Start => true,
        Request::NextEpisode => view.state.phase == Phase::Resetting,
        _ => false,
    };
    begins && puts_back(settings, view.simulated)
}

fn puts_back(settings: &RecordSettings, simulated: bool) -> bool {
    settings.reset_scene && simulated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(phase: Phase, secs: f64, limit: Option<f64>) -> RecordState {
        RecordState {
            phase,
            phase_secs: secs,
            phase_limit_secs: limit,
            ..RecordState::default()
        }
    }

    fn settings() -> RecordSettings {
        RecordSettings {
            motion: Some("wave".to_owned()),
            ..RecordSettings::default()
        }
    }

    #[test]
    fn the_scene_is_put_back_once_and_never_into_an_episode() {
        let settings = settings();
        let saving = state(Phase::Saving, 0.2, Some(5.0));
        let reset = state(Phase::Resetting, 0.3, Some(5.0));
        let wish = on_change(&saving, &reset, &settings, true);
        assert_eq!(wish, Some(Wish::PutBack));
        let later = state(Phase::Resetting, 0.4, Some(5.0));
        assert_eq!(on_change(&reset, &later, &settings, true), None, "once");
        assert_eq!(
            on_change(&saving, &reset, &settings, false),
            None,
            "a real arm"
        );
        let late = state(Phase::Resetting, 4.9, Some(5.0));
        assert_eq!(on_change(&saving, &late, &settings, true), None, "too late");
        let by_hand = RecordSettings {
            reset_scene: false,
            ..settings
        };
        assert_eq!(on_change(&saving, &reset, &by_hand, true), None);
    }

    #[test]
    fn the_motion_plays_from_its_beginning_in_each_episode() {
        let settings = settings();
        let ready = state(Phase::Ready, 9.0, None);
        let begun = state(Phase::Recording, 0.0, Some(60.0));
        let play = Some(Wish::Play("wave".to_owned()));
        assert_eq!(on_change(&ready, &begun, &settings, true), play);
        let on = state(Phase::Recording, 3.0, Some(60.0));
        assert_eq!(on_change(&begun, &on, &settings, true), None);
        let paused = state(Phase::Paused, 3.0, Some(60.0));
        assert_eq!(on_change(&paused, &on, &settings, true), None, "it goes on");
        // Without reset time one episode follows the other.
        assert_eq!(on_change(&on, &begun, &settings, true), play);
        let by_hand = RecordSettings::default();
        assert_eq!(on_change(&ready, &begun, &by_hand, true), None);
    }

    #[test]
    fn a_person_who_begins_an_episode_finds_the_scene_put_back() {
        let mut view = RecordView {
            simulated: true,
            ..RecordView::default()
        };
        let settings = settings();
        view.state.phase = Phase::Resetting;
        assert!(puts_back_first(&Request::NextEpisode, &view, &settings));
        view.state.phase = Phase::Recording;
        assert!(!puts_back_first(&Request::NextEpisode, &view, &settings));
        view.state.phase = Phase::Ready;
        assert!(puts_back_first(&Request::Start, &view, &settings));
        view.simulated = false;
        assert!(!puts_back_first(&Request::Start, &view, &settings));
    }
}
