//! What the record service answers, shown in the panels.

use bevy::prelude::*;
use forearm_control::ControlRequest;
use forearm_panel::{PanelInputs, PanelState, RecordView, ShownFrame};
use forearm_protocol::ServiceError;
use forearm_protocol::record::{
    CameraInfo, CameraSource, DatasetFrame, DatasetSummary, RecordConfig, Reply, Request,
};
use forearm_record::Recorder;

use super::pictures::{self, Subject, Textures};
use super::{Asked, RecordingDesk, info, place, replay};

/// Asks the record service for the panels, which show that it is being done.
pub(super) fn ask_for_panels(
    desk: &mut RecordingDesk,
    view: &mut RecordView,
    recorder: &Recorder,
    request: Request,
) {
    let request = with_token(request);
    let (asked, busy) = match &request {
        Request::Open(config) if config.resume => {
            let begin = RecordConfig {
                resume: false,
                ..(**config).clone()
            };
            (Asked::Resume(Box::new(begin)), Some("Opening"))
        }
        Request::Open(_) | Request::Browse(_) => (Asked::Open, Some("Opening")),
        Request::Close => (Asked::Close, Some("Closing")),
        Request::ListCameras | Request::ListStored => (Asked::List, None),
        Request::Export { .. } => {
            desk.download = place::IN_BROWSER.then(Default::default);
            view.progress = Some(("Packing".to_owned(), 0.0));
            (Asked::Export, None)
        }
        Request::Upload(_) => {
            view.progress = Some(("Uploading".to_owned(), 0.0));
            (Asked::Export, None)
        }
        Request::Recover(_) => (Asked::Work, Some("Working on the episode")),
        Request::DeleteEpisodes(_) => (Asked::Work, Some("Deleting")),
        Request::UndoDelete => (Asked::Work, Some("Bringing back")),
        _ => (Asked::Plain, None),
    };
    if let Some(busy) = busy {
        view.busy = Some(busy.to_owned());
    }
    desk.ask(recorder, asked, request);
}

/// An upload for which no token was given gets the one that the app knows.
fn with_token(request: Request) -> Request {
    match request {
        Request::Upload(mut config) if config.token.is_empty() => {
            config.token = place::token().unwrap_or_default();
            Request::Upload(config)
        }
        request => request,
    }
}

/// Takes the answers that have come.
pub(super) fn take(
    recorder: Res<Recorder>,
    mut desk: ResMut<RecordingDesk>,
    mut panel: ResMut<PanelState>,
    mut inputs: ResMut<PanelInputs>,
    mut textures: Textures<'_>,
    mut requests: MessageWriter<ControlRequest>,
) {
    let desk = &mut *desk;
    let inputs = &mut *inputs;
    let Some(view) = &mut inputs.record else {
        return;
    };
    let mut answered = Vec::new();
    desk.pending
        .retain_mut(|(asked, pending)| match pending.try_take() {
            None => true,
            Some(answer) => {
                answered.push((asked.clone(), answer));
                false
            }
        });
    for (asked, answer) in answered {
        settle(&asked, view);
        match answer {
            Err(error) if matches!(asked, Asked::Thumbnail(_)) => {
                if let Asked::Thumbnail(episode) = asked {
                    desk.without_thumbnail.insert(episode);
                }
                debug!("a thumbnail can't be shown: {error}");
            }
            // A dataset that is there is never begun anew: that is refused, too.
            Err(error @ ServiceError::Refused { .. }) if matches!(asked, Asked::Resume(_)) => {
                if let Asked::Resume(config) = asked {
                    view.busy = Some("Opening".to_owned());
                    let begin = Asked::Begin(error.to_string());
                    desk.ask(&recorder, begin, Request::Open(config));
                }
            }
            Err(_) if matches!(asked, Asked::Begin(_)) => {
                if let Asked::Begin(why) = asked {
                    view.error = Some(why);
                }
            }
            Err(error) => {
                desk.download = None;
                view.error = Some(error.to_string());
            }
            Ok(Reply::Dataset(summary)) => show_dataset(desk, view, &summary, &mut textures),
            Ok(Reply::Cameras(sources)) => view.sources = offered(sources),
            Ok(Reply::Names(names)) => view.stored = names,
            Ok(Reply::Episode(series)) => match asked {
                Asked::Episode(Some(arm)) => {
                    let Some(dataset) = &view.dataset else {
                        continue;
                    };
                    let scene = inputs.scene.as_ref();
                    let begun = replay::begin(&mut desk.replay, arm, scene, dataset, &series);
                    match begun {
                        Ok(asks) => {
                            let put_back = view.simulated && panel.settings.record.reset_scene;
                            for ask in replay::asks(asks, put_back) {
                                requests.write(ControlRequest(ask));
                            }
                        }
                        Err(error) => view.error = Some(format!("{error:#}")),
                    }
                }
                _ => view.series = Some(*series),
            },
            Ok(Reply::Frame(frame)) => match asked {
                Asked::Thumbnail(episode) => {
                    thumbnail(desk, view, episode, &frame, &mut textures);
                }
                _ => row(desk, view, &frame, &mut textures),
            },
            Ok(Reply::Exported { files, bytes, to }) => {
                exported(desk, view, &mut panel, files, bytes, &to);
            }
            Ok(Reply::Done) if asked == Asked::Close => {
                view.dataset = None;
                forget_dataset(desk, view, &mut textures);
                if view.in_browser {
                    desk.ask(&recorder, Asked::List, Request::ListStored);
                }
            }
            Ok(Reply::Done) => {}
        }
    }
}

/// Shows that something is not being done any more.
fn settle(asked: &Asked, view: &mut RecordView) {
    match asked {
        Asked::Open | Asked::Resume(_) | Asked::Begin(_) | Asked::Close | Asked::Work => {
            view.busy = None;
            view.progress = None;
        }
        Asked::Export => view.progress = None,
        _ => {}
    }
}

/// The cameras that a person is offered: the test pattern only where there is no other.
fn offered(mut sources: Vec<CameraInfo>) -> Vec<CameraInfo> {
    if sources.len() > 1 {
        sources.retain(|info| info.source != CameraSource::Pattern);
    }
    sources
}

/// Shows another dataset, or the same with other episodes.
pub(super) fn show_dataset(
    desk: &mut RecordingDesk,
    view: &mut RecordView,
    summary: &DatasetSummary,
    textures: &mut Textures<'_>,
) {
    let grown = view.dataset.as_ref().is_some_and(|before| {
        let known = before.episodes.len();
        let same = |(one, other): (&_, &_)| one == other;
        before.name == summary.name
            && known <= summary.episodes.len()
            && before.episodes.iter().zip(&summary.episodes).all(same)
    });
    if !grown {
        // An episode's number may mean another one now.
        forget_dataset(desk, view, textures);
    }
    view.dataset = Some(summary.clone());
}

fn forget_dataset(desk: &mut RecordingDesk, view: &mut RecordView, textures: &mut Textures<'_>) {
    desk.pictures.forget_dataset(textures);
    desk.thumbnails_wanted.clear();
    desk.without_thumbnail.clear();
    desk.row_wanted = None;
    // What is on its way is of episodes that may have other numbers now.
    desk.pending
        .retain(|(asked, _)| !matches!(asked, Asked::Row | Asked::Thumbnail(_)));
    view.thumbnails.clear();
    view.series = None;
    view.frame = None;
}

fn thumbnail(
    desk: &mut RecordingDesk,
    view: &mut RecordView,
    episode: u32,
    frame: &DatasetFrame,
    textures: &mut Textures<'_>,
) {
    if let Some(gone) = desk.pictures.make_room(textures) {
        view.thumbnails.remove(&gone);
    }
    let rgba = frame.rgba.to_vec();
    let first = pictures::split(&frame.sizes, &rgba).next();
    let shown = first.and_then(|(size, bytes)| {
        let (size, small) = pictures::thumbnail(size, bytes);
        let subject = Subject::Thumbnail(episode);
        desk.pictures.show(subject, size, small, textures)
    });
    match shown {
        Some(shown) => {
            view.thumbnails.insert(episode, shown);
        }
        None => {
            desk.without_thumbnail.insert(episode);
        }
    }
}

fn row(
    desk: &mut RecordingDesk,
    view: &mut RecordView,
    frame: &DatasetFrame,
    textures: &mut Textures<'_>,
) {
    let rgba = frame.rgba.to_vec();
    let parts = pictures::split(&frame.sizes, &rgba);
    let shown = parts.enumerate().filter_map(|(camera, (size, bytes))| {
        let subject = Subject::Row(camera);
        desk.pictures.show(subject, size, bytes.to_vec(), textures)
    });
    view.frame = Some(ShownFrame {
        episode: frame.episode,
        frame: frame.frame,
        pictures: shown.collect(),
    });
}

fn exported(
    desk: &mut RecordingDesk,
    view: &mut RecordView,
    panel: &mut PanelState,
    files: u32,
    bytes: u64,
    to: &str,
) {
    let size = bytes as f64 / 1e6;
    let text = match desk.download.take() {
        None => format!("{files} files, {size:.1} MB: {to}"),
        Some(download) => {
            let name = view
                .dataset
                .as_ref()
                .map_or("dataset", |it| it.name.as_str());
            match download.finish(&format!("{name}.zip")) {
                Ok(()) => format!("{files} files, {size:.1} MB were handed to the browser."),
                Err(why) => {
                    view.error = Some(format!("The download could not begin: {why}"));
                    return;
                }
            }
        }
    };
    panel.notify(info(format!("The dataset is packed: {text}")));
    view.exported = Some(text);
}
