//! Datasets and cameras are opened and closed; what does not fit is refused before anything is written.

use std::sync::Arc;

use forearm_dataset::store::{Store, StoreError};
use forearm_dataset::{Dataset, DatasetError, Schema, VideoFeature, ops, repair};
use forearm_protocol::ServiceError;
use forearm_protocol::control::NoticeLevel;
use forearm_protocol::record::{
    CameraConfig, Event, Opened, Place, RecordConfig, Recoverable, Reply,
};
use forearm_workers::Answer;

use super::checks::{check_cameras, check_config};
use super::desk::{Deleted, Desk, Leftover, Recording, name_of};
use super::{Cx, RecordService, notify, refused};
use crate::browse::Reader;
use crate::cameras::Eye;
use crate::clerk::{Book, Clerk, Task};
use crate::robot::Robot;
use crate::session::{Plan, Session};
use crate::store::{self, Access, Opening, Shelf};

/// Below this a person is warned that space runs out, bytes.
const LITTLE_SPACE: u64 = 500 << 20;
/// How often a place that the service's predecessor may still hold is tried again, and how long,
/// seconds.
const AGAIN_SECS: f64 = 0.1;
const PATIENCE_SECS: f64 = 5.0;
/// Where it is tried whether anything can be written.
const PROBE: &str = ".forearm/probe";

/// A place that is being opened.
pub(super) struct Arrival {
    place: Place,
    wanted: Wanted,
    opening: Opening,
    answer: Option<Answer<Reply>>,
    /// When it is tried again, if somebody else has it.
    again_at_secs: Option<f64>,
    /// Until when.
    until_secs: Option<f64>,
}

enum Wanted {
    Record {
        config: Box<RecordConfig>,
        /// Whether this service's predecessor was recording it.
        goes_on: bool,
    },
    /// To work on it; if that is not possible, to look at it.
    Browse { access: Access },
}

impl RecordService {
    /// Opens cameras to look at, and closes those that are not named.
    pub(super) fn open_cameras(&mut self, configs: &[CameraConfig]) {
        let mut open = std::mem::take(&mut self.eyes);
        for config in configs {
            // One that is open stays open: it may take seconds to start.
            let eye = match open.iter().position(|eye| eye.config() == config) {
                Some(index) => open.swap_remove(index),
                None => self.eye(config),
            };
            self.eyes.push(eye);
        }
    }

    fn eye(&self, config: &CameraConfig) -> Eye {
        let bundle = self.scene.as_ref().map(|scene| &scene.bundle);
        Eye::open(config, bundle, Arc::clone(&self.now), self.pace)
    }

    /// Opens simulated cameras anew: they show another scene from now on.
    pub(super) fn look_at_the_scene(&mut self) {
        for index in 0..self.eyes.len() {
            if self.eyes[index].is_simulated() {
                let config = self.eyes[index].config().clone();
                self.eyes[index] = self.eye(&config);
            }
        }
    }

    /// Opens cameras without a dataset.
    pub(super) fn preview(
        &mut self,
        cameras: &[CameraConfig],
        cx: &mut Cx<'_>,
    ) -> Result<Reply, ServiceError> {
        let what = "opening cameras to look at";
        if self.recording().is_some() || self.arrival.is_some() {
            let next = "close it first; its cameras are shown";
            return Err(refused(what, "a recording is open", next));
        }
        check_cameras(cameras).map_err(|why| refused(what, why, "name them otherwise"))?;
        self.open_cameras(cameras);
        if self.desk.is_none() {
            cx.emit(Event::Opened(match cameras {
                [] => Opened::Nothing,
                cameras => Opened::Preview(cameras.to_vec()),
            }));
        }
        Ok(Reply::Done)
    }

    /// Begins to open a dataset to record.
    pub(super) fn begin_opening(&mut self, config: RecordConfig, answer: Answer<Reply>) {
        let checked = check_config(&config)
            .and_then(|()| check_cameras(&config.cameras))
            .and_then(|()| self.robot().map(|_| ()));
        if let Err(why) = checked {
            let next = "set it up otherwise and open it again";
            return answer.send(Err(refused(&opening(&config.place), why, next)));
        }
        self.close_now();
        // They need their time to start: while the dataset is opened.
        self.open_cameras(&config.cameras);
        self.arrival = Some(Arrival {
            opening: store::open(&config.place, Access::Write),
            place: config.place.clone(),
            wanted: Wanted::Record {
                config: Box::new(config),
                goes_on: false,
            },
            answer: Some(answer),
            again_at_secs: None,
            until_secs: None,
        });
    }

    /// Opens again what this service's predecessor recorded when it crashed.
    pub(super) fn go_on_recording(&mut self, config: RecordConfig) {
        self.open_cameras(&config.cameras);
        self.arrival = Some(Arrival {
            opening: store::open(&config.place, Access::Write),
            place: config.place.clone(),
            wanted: Wanted::Record {
                config: Box::new(config),
                goes_on: true,
            },
            answer: None,
            again_at_secs: None,
            until_secs: None,
        });
    }

    /// Begins to open a dataset to look at and work on.
    pub(super) fn begin_browsing(&mut self, place: Place, answer: Option<Answer<Reply>>) {
        self.close_now();
        // Looking does not make a folder.
        let access = Access::Read;
        self.arrival = Some(Arrival {
            opening: store::open(&place, access),
            place,
            wanted: Wanted::Browse { access },
            answer,
            again_at_secs: None,
            until_secs: None,
        });
    }

    /// Goes on with what is being opened.
    pub(super) fn attend_opening(&mut self, cx: &mut Cx<'_>) {
        let now_secs = cx.now_secs();
        let Some(arrival) = &mut self.arrival else {
            return;
        };
        if let Some(again_at_secs) = arrival.again_at_secs {
            if now_secs < again_at_secs {
                return;
            }
            arrival.again_at_secs = None;
            arrival.opening = store::open(&arrival.place, Access::Write);
        }
        let Some(result) = arrival.opening.poll() else {
            return;
        };
        let goes_on = matches!(arrival.wanted, Wanted::Record { goes_on: true, .. });
        if goes_on && matches!(result, Err(StoreError::Denied { .. })) {
            // A thread of the predecessor may still be saving.
            let until_secs = *arrival.until_secs.get_or_insert(now_secs + PATIENCE_SECS);
            if now_secs < until_secs {
                arrival.again_at_secs = Some(now_secs + AGAIN_SECS);
                return;
            }
        }
        if let Wanted::Browse {
            access: access @ Access::Read,
        } = &mut arrival.wanted
            && matches!(&result, Ok(opened) if Dataset::open(&opened.store).is_ok()
                || matches!(Dataset::open(&opened.store), Err(DatasetError::Unfinished)))
        {
            // There is one: now to work on it.
            *access = Access::Write;
            arrival.opening = store::open(&arrival.place, Access::Write);
            return;
        }
        if let Some(arrival) = self.arrival.take() {
            self.arrive(arrival, result, cx);
        }
    }

    fn arrive(
        &mut self,
        arrival: Arrival,
        result: Result<store::Opened, StoreError>,
        cx: &mut Cx<'_>,
    ) {
        let Arrival {
            place,
            wanted,
            answer,
            ..
        } = arrival;
        let what = opening(&place);
        let next = "nothing was changed";
        let result = match wanted {
            Wanted::Record { config, goes_on } => result
                .map_err(|error| refused(&what, error, next))
                .and_then(|opened| self.sit_down(*config, goes_on, opened, cx)),
            Wanted::Browse { .. } => self
                .sit_down_to_browse(&place, result, cx)
                .map_err(|error| refused(&what, error, next)),
        };
        match (result, answer) {
            (Ok(()), answer) => {
                let summary = self.desk.as_ref().and_then(Desk::summary);
                let summary = Box::new(summary.unwrap_or_default());
                cx.emit(Event::Dataset(summary.clone()));
                if let Some(answer) = answer {
                    answer.send(Ok(Reply::Dataset(summary)));
                }
            }
            (Err(error), answer) => {
                self.eyes.clear();
                cx.emit(Event::Opened(Opened::Nothing));
                match answer {
                    Some(answer) => answer.send(Err(error)),
                    None => notify(cx, NoticeLevel::Error, error.to_string()),
                }
            }
        }
        self.publish_phase(cx);
    }

    /// Takes an opened place to record into.
    fn sit_down(
        &mut self,
        config: RecordConfig,
        goes_on: bool,
        opened: store::Opened,
        cx: &mut Cx<'_>,
    ) -> Result<(), ServiceError> {
        let what = opening(&config.place);
        let no = |why: String, next: &str| refused(&what, why, next);
        let store::Opened { mut store, notice } = opened;
        let unchanged = "nothing was changed";
        try_writing(&mut store).map_err(|error| no(error.to_string(), unchanged))?;
        let book = match open_book(&mut store) {
            Ok(book) => Some(book),
            Err(DatasetError::NoDataset) => None,
            Err(error) => return Err(no(error.to_string(), unchanged)),
        };
        let leftovers = book
            .as_ref()
            .map(|book| leftovers(&mut store, book, &[]))
            .unwrap_or_default();
        match &book {
            Some(book) => {
                let empty = book.dataset.episodes().is_empty() && leftovers.is_empty();
                if !config.resume && !goes_on && !empty {
                    let why = "a dataset is there already".to_owned();
                    return Err(no(
                        why,
                        "go on with it (`--resume`), or choose another place",
                    ));
                }
                let robot = self.robot().map_err(|why| no(why, unchanged))?;
                let schema = schema(&config, robot, &book.dataset, &self.eyes);
                book.dataset
                    .check_resume(&schema)
                    .map_err(|error| no(error.to_string(), unchanged))?;
            }
            None => {
                if config.resume && !goes_on {
                    let why = "there is no dataset to go on with".to_owned();
                    return Err(no(
                        why,
                        "check the path, or record a new one without `--resume`",
                    ));
                }
                let foreign = foreign_file(&store).map_err(|e| no(e.to_string(), unchanged))?;
                if let Some(path) = foreign {
                    let why = format!("the folder has other files in it (`{path}`)");
                    return Err(no(why, "choose an empty or a new one"));
                }
            }
        }
        if let Some(text) = notice {
            notify(cx, NoticeLevel::Warning, text);
        }
        if let Some(free) = store.free_bytes().filter(|free| *free < LITTLE_SPACE) {
            let text = format!("Only {} MB are free where the dataset is.", free >> 20);
            notify(cx, NoticeLevel::Warning, text);
        }
        let stood = std::mem::take(&mut self.setup.stood);
        let plan = Plan {
            episodes: if goes_on && stood.wanted > 0 {
                stood.wanted
            } else {
                config.episodes
            },
            episode_secs: config.episode_secs,
            reset_secs: config.reset_secs,
        };
        let found = book
            .as_ref()
            .map_or(0, |book| book.dataset.episodes().len()) as u32;
        let made = if goes_on { stood.made } else { 0 };
        let mut session = Session::new(plan, made, self.shared_secs(cx));
        let schema = book.as_ref().map(|book| book.dataset.schema().clone());
        let mut desk = Desk {
            name: name_of(&config.place),
            clerk: book.map(|book| Clerk::new(store.clone(), Box::new(book), self.pace)),
            store,
            asked: std::collections::VecDeque::new(),
            leftovers,
            look_again: false,
            writable: true,
            recording: None,
            reader: Reader::default(),
        };
        let mut expected = found;
        if goes_on && stood.is_under_way() {
            // What was being made is made: the predecessor had counted what it was saving.
            let unsaved = std::mem::take(&mut desk.leftovers);
            expected += unsaved.len() as u32;
            for leftover in unsaved {
                let text = format!(
                    "Episode {} was being recorded when the recorder crashed: its {} rows are kept.",
                    leftover.episode.episode, leftover.episode.frames
                );
                notify(cx, NoticeLevel::Warning, text);
                desk.submit(
                    Task::Recover {
                        path: leftover.path,
                    },
                    None,
                );
            }
            // It had not counted the one in hand.
            let in_hand = stood.is_in_hand() && expected > found;
            let now_secs = self.shared_secs(cx);
            session = Session::new(plan, made + u32::from(in_hand), now_secs);
            session.resume_between(now_secs);
        }
        cx.emit(Event::Opened(Opened::Recording(Box::new(config.clone()))));
        desk.recording = Some(Box::new(Recording {
            config,
            session,
            episode: None,
            tails: std::collections::VecDeque::new(),
            expected,
            found,
            schema,
            deleted: Deleted::default(),
        }));
        self.desk = Some(desk);
        Ok(())
    }

    fn sit_down_to_browse(
        &mut self,
        place: &Place,
        result: Result<store::Opened, StoreError>,
        cx: &mut Cx<'_>,
    ) -> Result<(), DatasetError> {
        let (opened, writable) = match result {
            Ok(opened) => (opened, true),
            Err(error @ (StoreError::Denied { .. } | StoreError::ReadOnly { .. })) => {
                let text = format!("The dataset can only be looked at: {error}.");
                notify(cx, NoticeLevel::Info, text);
                let opened = store::open(place, Access::Read).poll();
                (opened.unwrap_or(Err(error))?, false)
            }
            Err(error) => return Err(error.into()),
        };
        let mut store = opened.store;
        let book = if writable {
            open_book(&mut store)
        } else {
            Book::open(&store)
        }?;
        if let Some(text) = opened.notice {
            notify(cx, NoticeLevel::Warning, text);
        }
        let leftovers = match writable {
            true => leftovers(&mut store, &book, &[]),
            false => Vec::new(),
        };
        cx.emit(Event::Opened(Opened::Browsing(place.clone())));
        self.desk = Some(Desk {
            name: name_of(place),
            clerk: Some(Clerk::new(store.clone(), Box::new(book), self.pace)),
            store,
            asked: std::collections::VecDeque::new(),
            leftovers,
            look_again: false,
            writable,
            recording: None,
            reader: Reader::default(),
        });
        Ok(())
    }

    /// Closes what is open. Nothing of it is under way.
    pub(super) fn close_now(&mut self) {
        if let Some(mut desk) = self.desk.take()
            && let Some(clerk) = &mut desk.clerk
        {
            clerk.forget_undo();
        }
        self.eyes.clear();
    }

    /// The robot that the scene's arms are.
    pub(super) fn robot(&self) -> Result<&Robot, String> {
        match &self.scene {
            None => Err("no scene is known yet: load one first".to_owned()),
            Some(scene) => scene.robot.as_ref().map_err(Clone::clone),
        }
    }
}

/// What will be recorded. Sizes of cameras that have given no frame yet, and whose resolution was not
/// asked for, are taken from the dataset.
fn schema(config: &RecordConfig, robot: &Robot, dataset: &Dataset, eyes: &[Eye]) -> Schema {
    let sizes = config.cameras.iter().zip(eyes).map(|(camera, eye)| {
        let known = || {
            let key = format!("observation.images.{}", camera.name);
            let feature = dataset.schema().feature(&key)?;
            feature
                .picture_size()
                .map(|(width, height)| [width, height])
        };
        eye.size().or(camera.resolution).or_else(known)
    });
    let sizes: Vec<[u32; 2]> = sizes.map(Option::unwrap_or_default).collect();
    schema_of(config, robot, &sizes)
}

/// What is recorded, with cameras of these sizes.
pub(super) fn schema_of(config: &RecordConfig, robot: &Robot, sizes: &[[u32; 2]]) -> Schema {
    let names = robot.names();
    let cameras: Vec<VideoFeature<'_>> = config
        .cameras
        .iter()
        .zip(sizes)
        .map(|(camera, [width, height])| VideoFeature {
            name: &camera.name,
            width: *width,
            height: *height,
            codec: "h264",
        })
        .collect();
    Schema::recording(&robot.robot_type, config.fps, &names, &names, &cameras)
}

/// Opens the dataset of a store; a change that was cut off is ended first.
fn open_book(store: &mut Shelf) -> Result<Book, DatasetError> {
    match Book::open(store) {
        Err(DatasetError::Unfinished) => {
            ops::finish(store)?;
            Book::open(store)
        }
        other => other,
    }
}

/// Journals that a crash left behind and that have something to be had back. Those that have nothing
/// any more are removed.
pub(super) fn leftovers(store: &mut Shelf, book: &Book, in_use: &[String]) -> Vec<Leftover> {
    let found = match repair::leftover(store, &book.dataset) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!("journals can't be looked for: {error}");
            return Vec::new();
        }
    };
    let mut leftovers = Vec::new();
    for repair::Leftover {
        path,
        task,
        rows: frames,
        saved,
        unreadable,
    } in found
    {
        if in_use.contains(&path) {
            continue;
        }
        if let Some(why) = unreadable {
            // Nothing that was recorded is destroyed: a later version may read it.
            let aside = format!("{}/{path}", repair::BROKEN);
            tracing::warn!("the journal {path} can't be read ({why}); it is kept as {aside}");
            store.rename(&path, &aside).ok();
            continue;
        }
        if frames == 0 || saved.is_some() {
            // One that can't be removed is removed another time.
            store.remove(&path).ok();
            continue;
        }
        let episode = book.dataset.episodes().len() as u32;
        leftovers.push(Leftover {
            path,
            episode: Recoverable {
                episode,
                frames,
                task,
            },
        });
    }
    leftovers
}

/// A file that is not a dataset's and not Forearm's.
fn foreign_file(store: &Shelf) -> Result<Option<String>, StoreError> {
    let entries = store.list("")?;
    let foreign = entries
        .into_iter()
        .find(|entry| !entry.path.starts_with(".forearm/"));
    Ok(foreign.map(|entry| entry.path))
}

fn try_writing(store: &mut Shelf) -> Result<(), StoreError> {
    store.write(PROBE, b"can be written\n")?;
    store.remove(PROBE)
}

fn opening(place: &Place) -> String {
    format!("opening the dataset `{}`", name_of(place))
}
