//! What a recording drives in control: simulated scenes are put back between episodes, a chosen motion
//! plays in each.
//!
//! A scene is never put back while an episode is in hand: that would end it.

use forearm_panel::{RecordSettings, RecordView};
use forearm_protocol::record::{Phase, RecordState, Request};

/// A scene that is put back takes so much time between two episodes at least, seconds: until control has
/// done it and the recorder knows.
const SHORTEST_SECS: f64 = 1.0;
/// With less time left than this, putting the scene back could come into the next episode, seconds.
const LATEST_SECS: f64 = 0.4;

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
        // At once, not only when the episode is saved: that takes a part of the time.
        Phase::Saving | Phase::Resetting
            if is_between(after) && !is_between(before) && puts_back(settings, simulated) =>
        {
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

/// Whether the next episode begins by itself.
pub(super) fn is_between(state: &RecordState) -> bool {
    let phase = matches!(state.phase, Phase::Saving | Phase::Resetting);
    phase && state.phase_limit_secs.is_some()
}

/// A recording that is opened has the time that putting its scene back takes.
pub(super) fn with_time_to_put_back(
    request: Request,
    simulated: bool,
    settings: &RecordSettings,
) -> Request {
    match request {
        Request::Open(mut config) if puts_back(settings, simulated) => {
            config.reset_secs = config.reset_secs.max(SHORTEST_SECS);
            Request::Open(config)
        }
        request => request,
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
    use forearm_protocol::record::{Place, RecordConfig};

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
        let episode = state(Phase::Recording, 9.9, Some(10.0));
        let saving = state(Phase::Saving, 0.0, Some(5.0));
        let put_back = Some(Wish::PutBack);
        assert_eq!(on_change(&episode, &saving, &settings, true), put_back);
        let reset = state(Phase::Resetting, 0.3, Some(5.0));
        assert_eq!(on_change(&saving, &reset, &settings, true), None, "once");
        // One that is thrown away is not saved; one made just before can be.
        assert_eq!(on_change(&episode, &reset, &settings, true), put_back);
        let done = state(Phase::Finished, 3.0, None);
        assert_eq!(on_change(&done, &reset, &settings, true), put_back);
        assert_eq!(
            on_change(&episode, &saving, &settings, false),
            None,
            "a real arm"
        );
        let last = state(Phase::Saving, 0.0, None);
        assert_eq!(
            on_change(&episode, &last, &settings, true),
            None,
            "the last"
        );
        let late = state(Phase::Resetting, 4.9, Some(5.0));
        assert_eq!(
            on_change(&episode, &late, &settings, true),
            None,
            "too late"
        );
        let by_hand = RecordSettings {
            reset_scene: false,
            ..settings
        };
        assert_eq!(on_change(&episode, &saving, &by_hand, true), None);
    }

    #[test]
    fn there_is_time_to_put_the_scene_back() {
        let open = |reset_secs: f64| {
            let place = Place::Storage("a".to_owned());
            let config = RecordConfig {
                reset_secs,
                ..RecordConfig::new(place)
            };
            Request::Open(Box::new(config))
        };
        let settings = settings();
        for short in [0.0, 0.5] {
            let longer = with_time_to_put_back(open(short), true, &settings);
            assert_eq!(longer, open(SHORTEST_SECS));
            // So long it is put back as soon as the episode has ended.
            let episode = state(Phase::Recording, 9.9, Some(10.0));
            let saving = state(Phase::Saving, 0.1, Some(SHORTEST_SECS));
            let wish = on_change(&episode, &saving, &settings, true);
            assert_eq!(wish, Some(Wish::PutBack));
        }
        let long = with_time_to_put_back(open(7.0), true, &settings);
        assert_eq!(long, open(7.0));
        let real = with_time_to_put_back(open(0.0), false, &settings);
        assert_eq!(real, open(0.0));
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
