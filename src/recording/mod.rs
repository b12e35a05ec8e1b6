//! Recording: asks the record service what the panels ask for, shows them what it tells and answers,
//! and has control do its part: put the scene back, play a motion, replay an episode.
//!
//! Ticks go from control to the record service past this app.

mod answers;
#[cfg(not(target_family = "wasm"))]
mod native;
mod pictures;
mod replay;
mod steer;
#[cfg(target_family = "wasm")]
mod web;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;
use forearm_control::{Control, ControlRequest, ControlService};
use forearm_panel::plugin::PanelSystems;
use forearm_panel::{PanelAction, PanelInputs, PanelState, RecordView, RightTab};
use forearm_protocol::control::{
    Event as ControlEvent, Notice, NoticeLevel, Request as ControlAsk, StateUpdate,
};
use forearm_protocol::record::{
    CameraConfig, CameraSource, Command, Event, Phase, RecordConfig, RecordState, Request,
};
use forearm_record::{RecordPlugin, RecordService, Recorder};
use forearm_workers::Pending;

use crate::motions::BuiltinMotion;
#[cfg(not(target_family = "wasm"))]
use native as place;
use pictures::{Pictures, Subject, Textures};
use replay::Replay;
use steer::Wish;
#[cfg(target_family = "wasm")]
use web as place;

/// How long an export, or an upload, may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(24 * 3600);
/// So many states of control after it was asked to put the scene back, the recorder has the first
/// ticks of the new world for sure: what begins before is ended by them.
const STATES_AFTER_RESET: u8 = 8;
/// Requests for thumbnails that may wait.
const MOST_WANTED: usize = 32;

/// Records, and shows datasets.
#[derive(Debug, Default)]
pub struct RecordingPlugin;

impl Plugin for RecordingPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(RecordPlugin::default())
            .init_resource::<RecordingDesk>()
            .add_systems(Startup, (link, offer))
            .add_systems(
                Update,
                (
                    follow_control,
                    follow_recorder,
                    carry_out,
                    answers::take,
                    replay::go_on,
                    go_on,
                )
                    .chain()
                    .after(PanelSystems::Receive),
            );
    }
}

/// What was asked of the record service, and what for.
#[derive(Debug, Clone, PartialEq)]
enum Asked {
    /// Nothing comes of it but that it is done.
    Plain,
    /// The same, and the panels show that it is being done.
    Work,
    /// To open a dataset.
    Open,
    /// To go on with a dataset; with this, if there is none, to begin it.
    Resume(Box<RecordConfig>),
    /// To begin a dataset, after going on with it was refused for this reason.
    Begin(String),
    /// To close it.
    Close,
    /// Cameras, or the names of datasets.
    List,
    /// Cameras to look at.
    Preview,
    /// An episode's numbers, to be shown; or to be replayed on this arm.
    Episode(Option<usize>),
    /// The pictures of a row.
    Row,
    /// The first picture of this episode.
    Thumbnail(u32),
    /// A file of all of it.
    Export,
}

/// What is asked, and what is known only here.
#[derive(Default, Resource)]
struct RecordingDesk {
    pending: Vec<(Asked, Pending<RecordService>)>,
    /// What is asked as soon as control has put the scene back.
    after_reset: Option<AfterReset>,
    /// The state that was told last.
    before: RecordState,
    pictures: Pictures,
    /// The row that is to be shown.
    row_wanted: Option<(u32, u32)>,
    /// Episodes whose first pictures are to be shown, and those that have none.
    thumbnails_wanted: VecDeque<u32>,
    without_thumbnail: BTreeSet<u32>,
    /// The cameras that are open to be looked at.
    previewed: Vec<CameraConfig>,
    /// An export that comes in parts.
    download: Option<place::Download>,
    replay: Replay,
}

/// What waits for the scene to be put back.
struct AfterReset {
    request: Request,
    reset: Pending<ControlService>,
    /// How many more states control has to tell after it has done so.
    states: u8,
}

impl RecordingDesk {
    fn ask(&mut self, recorder: &Recorder, asked: Asked, request: Request) {
        let pending = match asked {
            // Takes as long as the dataset is large.
            Asked::Export => recorder.handle().request_within(request, EXPORT_TIMEOUT),
            _ => recorder.ask(request),
        };
        self.pending.push((asked, pending));
    }

    fn waits_for(&self, asked: impl Fn(&Asked) -> bool) -> bool {
        self.pending.iter().any(|(its, _)| asked(its))
    }
}

/// Links control to the record service.
fn link(control: Res<Control>, recorder: Res<Recorder>) {
    control.feed_into(recorder.handle());
}

/// Offers recording to the panels.
fn offer(
    recorder: Res<Recorder>,
    mut desk: ResMut<RecordingDesk>,
    mut inputs: ResMut<PanelInputs>,
) {
    inputs.record = Some(RecordView {
        in_browser: place::IN_BROWSER,
        token_known: place::token().is_some(),
        ..RecordView::default()
    });
    if place::IN_BROWSER {
        desk.ask(&recorder, Asked::List, Request::ListStored);
    }
}

/// Tells the recorder which scene ticks are of; notes what arms are.
fn follow_control(
    mut events: MessageReader<ControlEvent>,
    recorder: Res<Recorder>,
    mut desk: ResMut<RecordingDesk>,
    panel: Res<PanelState>,
    mut inputs: ResMut<PanelInputs>,
) {
    for event in events.read() {
        match event {
            ControlEvent::SceneLoaded { generation, bundle } => {
                let (generation, bundle) = (*generation, Arc::clone(bundle));
                let name = file_name(&bundle.scene.name);
                if let Some(view) = &mut inputs.record {
                    view.default_place = place::default_place(&name);
                }
                // At once, so that it is there before anything is asked about it.
                let scene = Command::Scene { generation, bundle };
                if let Err(error) = recorder.handle().send(scene) {
                    warn!("the recorder was not told of the scene: {error}");
                }
                desk.ask(&recorder, Asked::List, Request::ListCameras);
            }
            ControlEvent::State(state) => {
                if let Some(waiting) = &mut desk.after_reset {
                    waiting.states = waiting.states.saturating_sub(1);
                }
                if let Some(view) = &mut inputs.record {
                    view.simulated = all_simulated(state);
                }
            }
            ControlEvent::ScriptDone { arm } => {
                let recording = desk.before.phase == Phase::Recording;
                let plays = panel.settings.record.motion.is_some();
                if recording && plays && *arm == panel.settings.selected_arm {
                    desk.ask(&recorder, Asked::Plain, Request::NextEpisode);
                }
            }
            _ => {}
        }
    }
}

fn all_simulated(state: &StateUpdate) -> bool {
    let simulated = |arm: &forearm_protocol::control::ArmState| arm.bus.is_none();
    !state.arms.is_empty() && state.arms.iter().all(simulated)
}

/// A name that a folder can have.
fn file_name(name: &str) -> String {
    let letter = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '_',
    };
    let name: String = name.trim().chars().map(letter).take(64).collect();
    if name.is_empty() {
        "dataset".to_owned()
    } else {
        name
    }
}

/// Shows what the recorder tells, and has control do its part.
fn follow_recorder(
    mut events: MessageReader<Event>,
    mut desk: ResMut<RecordingDesk>,
    mut panel: ResMut<PanelState>,
    mut inputs: ResMut<PanelInputs>,
    mut textures: Textures<'_>,
    mut requests: MessageWriter<ControlRequest>,
) {
    let desk = &mut *desk;
    let Some(view) = &mut inputs.record else {
        return;
    };
    let mut wishes: Vec<Wish> = Vec::new();
    for event in events.read() {
        match event {
            Event::State(state) => {
                if !steer::is_between(state) {
                    // It came too late: this window slept.
                    wishes.retain(|wish| *wish != Wish::PutBack);
                }
                let settings = &panel.settings.record;
                let wish = steer::on_change(&desk.before, state, settings, view.simulated);
                wishes.extend(wish);
                desk.before = (**state).clone();
                view.state = (**state).clone();
                // The picture of a camera that was closed is none of it.
                let open = |name: &String| state.cameras.iter().any(|it| it.name == *name);
                view.previews.retain(|name, _| open(name));
            }
            Event::Dataset(summary) => {
                answers::show_dataset(desk, view, summary, &mut textures);
            }
            Event::Preview(picture) => {
                let size = [picture.width, picture.height];
                let subject = Subject::Camera(picture.camera.clone());
                let rgba = picture.rgba.to_vec();
                if let Some(shown) = desk.pictures.show(subject, size, rgba, &mut textures) {
                    view.previews.insert(picture.camera.clone(), shown);
                }
            }
            Event::Chunk(part) => {
                // Others may have asked for it.
                if let Some(download) = &mut desk.download {
                    download.push(part);
                }
            }
            Event::Progress { stage, fraction } => {
                view.progress = Some((stage.clone(), *fraction as f32));
            }
            Event::Notice(notice) => panel.notify(notice.clone()),
            Event::Opened(_) => {}
        }
    }
    let arm = panel.settings.selected_arm;
    for request in wishes.into_iter().flat_map(|wish| carried_out(wish, arm)) {
        requests.write(ControlRequest(request));
    }
}

/// What control is asked for a wish.
fn carried_out(wish: Wish, arm: usize) -> Vec<ControlAsk> {
    match wish {
        Wish::PutBack => vec![ControlAsk::ResetScene],
        Wish::Play(id) => match BuiltinMotion::find(&id) {
            Some(motion) => {
                let text = motion.text.to_owned();
                vec![ControlAsk::PlayScript { arm, text }, ControlAsk::Start]
            }
            None => Vec::new(),
        },
    }
}

/// Does what the panels ask for.
fn carry_out(
    mut actions: MessageReader<PanelAction>,
    recorder: Res<Recorder>,
    control: Res<Control>,
    mut desk: ResMut<RecordingDesk>,
    panel: Res<PanelState>,
    mut inputs: ResMut<PanelInputs>,
    mut commands: MessageWriter<Command>,
) {
    let desk = &mut *desk;
    let Some(view) = &mut inputs.record else {
        return;
    };
    for action in actions.read() {
        match action {
            PanelAction::Record(request) => {
                view.error = None;
                view.exported = None;
                if steer::puts_back_first(request, view, &panel.settings.record) {
                    let reset = control.ask(ControlAsk::ResetScene);
                    desk.after_reset = Some(AfterReset {
                        request: request.clone(),
                        reset,
                        states: STATES_AFTER_RESET,
                    });
                } else {
                    let settings = &panel.settings.record;
                    let request =
                        steer::with_time_to_put_back(request.clone(), view.simulated, settings);
                    answers::ask_for_panels(desk, view, &recorder, request);
                }
            }
            PanelAction::CancelRecordWork => {
                commands.write(Command::Cancel);
            }
            PanelAction::ShowEpisode(episode) => {
                view.series = None;
                let request = Request::Episode(*episode);
                desk.ask(&recorder, Asked::Episode(None), request);
            }
            PanelAction::ShowFrame { episode, frame } => {
                desk.row_wanted = Some((*episode, *frame));
            }
            PanelAction::ShowThumbnail(episode) => {
                let known = desk.thumbnails_wanted.contains(episode)
                    || desk.without_thumbnail.contains(episode)
                    || desk.waits_for(|asked| *asked == Asked::Thumbnail(*episode));
                if !known {
                    if desk.thumbnails_wanted.len() >= MOST_WANTED {
                        desk.thumbnails_wanted.pop_front();
                    }
                    desk.thumbnails_wanted.push_back(*episode);
                }
            }
            PanelAction::ReplayEpisode { arm, episode } => {
                let request = Request::Episode(*episode);
                desk.ask(&recorder, Asked::Episode(Some(*arm)), request);
            }
            _ => {}
        }
    }
}

/// Asks for what is wanted next, one at a time.
fn go_on(
    recorder: Res<Recorder>,
    mut desk: ResMut<RecordingDesk>,
    panel: Res<PanelState>,
    mut inputs: ResMut<PanelInputs>,
) {
    let desk = &mut *desk;
    let Some(view) = &mut inputs.record else {
        return;
    };
    if let Some(waiting) = &mut desk.after_reset
        && waiting.states == 0
        && let Some(answer) = waiting.reset.try_take()
        && let Some(waiting) = desk.after_reset.take()
    {
        match answer {
            Ok(_) => answers::ask_for_panels(desk, view, &recorder, waiting.request),
            Err(error) => {
                view.error = Some(format!("The scene could not be put back: {error}"));
            }
        }
    }
    // A row before thumbnails: somebody waits for it.
    if !desk.waits_for(|asked| matches!(asked, Asked::Row | Asked::Thumbnail(_))) {
        if let Some((episode, frame)) = desk.row_wanted.take() {
            desk.ask(&recorder, Asked::Row, Request::Frame { episode, frame });
        } else if let Some(episode) = desk.thumbnails_wanted.pop_front() {
            let request = Request::Frame { episode, frame: 0 };
            desk.ask(&recorder, Asked::Thumbnail(episode), request);
        }
    }
    preview(desk, view, &recorder, &panel);
}

/// Opens real cameras while a person chooses from them. The scene's are seen anyway.
fn preview(
    desk: &mut RecordingDesk,
    view: &mut RecordView,
    recorder: &Recorder,
    panel: &PanelState,
) {
    let settings = &panel.settings;
    let looks = settings.right_open && settings.record.tab == RightTab::Record;
    let free = view.state.phase == Phase::Closed && view.dataset.is_none() && view.busy.is_none();
    if view.dataset.is_some() || view.state.phase != Phase::Closed {
        // Opening a dataset has closed them.
        desk.previewed.clear();
    }
    if !free || desk.waits_for(|asked| *asked == Asked::Preview) {
        return;
    }
    let wanted: Vec<CameraConfig> = if looks {
        let chosen = settings.record.cameras(view);
        let seen = |camera: &CameraConfig| matches!(camera.source, CameraSource::Sim(_));
        chosen.into_iter().filter(|camera| !seen(camera)).collect()
    } else {
        Vec::new()
    };
    if wanted != desk.previewed {
        desk.previewed.clone_from(&wanted);
        desk.ask(recorder, Asked::Preview, Request::Preview(wanted));
    }
}

fn info(text: String) -> Notice {
    Notice {
        level: NoticeLevel::Info,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_give_datasets_names_that_folders_can_have() {
        assert_eq!(file_name("Pick and place"), "pick_and_place");
        assert_eq!(file_name("../../etc"), "______etc");
        assert_eq!(file_name("  "), "dataset");
    }
}
