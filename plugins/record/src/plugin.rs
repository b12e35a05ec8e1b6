//! The record service beside a Bevy app: started with it, stopped with it, its messages passed on as
//! Bevy messages.
//!
//! In: [`RecordRequest`] and [`Command`]. Out: [`Event`]. A request's answer is not passed on; its error
//! becomes an [`Event::Notice`]. Whoever feeds it ticks links the two services by
//! [`Recorder::handle`].

use std::time::Duration;

use bevy_app::{App, AppExit, First, Last, Plugin, PostUpdate};
use bevy_ecs::message::{Message, MessageReader, MessageWriter};
use bevy_ecs::resource::Resource;
use bevy_ecs::system::ResMut;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Notice, NoticeLevel};
use forearm_protocol::record::{Command, Event, Request};
use forearm_workers::{Handle, Host, Lifecycle, Line, Pending, RestartPolicy, Status, supervise};

use crate::config::RecordSetup;
use crate::service::RecordService;

/// How long a frame may work for a record service that has no thread.
const INLINE_BUDGET: Duration = Duration::from_millis(4);

/// Starts the record service and passes messages between it and the app.
#[derive(Debug, Clone, Default)]
pub struct RecordPlugin {
    /// What it is made from.
    pub setup: RecordSetup,
}

/// Asks the record service.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct RecordRequest(pub Request);

/// The running record service.
#[derive(Resource)]
pub struct Recorder {
    handle: Handle<RecordService>,
    pending: Vec<Pending<RecordService>>,
    /// Whether the service's end was reported.
    end_reported: bool,
}

impl Recorder {
    /// Which path runs the service, and its counters.
    #[must_use]
    pub fn status(&self) -> Status {
        self.handle.status()
    }

    /// Ends the service's present start and starts it again; it goes on where it was.
    pub fn restart(&mut self) {
        self.end_reported = false;
        self.handle.restart();
    }

    /// Asks for something whose answer is wanted: [`RecordRequest`] passes none on.
    pub fn ask(&self, request: Request) -> Pending<RecordService> {
        self.handle.request(request)
    }

    /// Another way to the service, for what can't wait for the next frame.
    #[must_use]
    pub fn line(&self) -> Line<RecordService> {
        self.handle.line()
    }

    /// The service's owner's side, for whoever feeds it.
    #[must_use]
    pub fn handle(&self) -> &Handle<RecordService> {
        &self.handle
    }
}

impl Plugin for RecordPlugin {
    fn build(&self, app: &mut App) {
        let handle = supervise(self.setup.clone(), Host::Thread, RestartPolicy::default());
        app.insert_resource(Recorder {
            handle,
            pending: Vec::new(),
            end_reported: false,
        })
        .add_message::<RecordRequest>()
        .add_message::<Command>()
        .add_message::<Event>()
        .add_systems(First, receive)
        .add_systems(PostUpdate, send)
        .add_systems(Last, stop_with_the_app);
    }
}

/// Passes on what the service tells.
fn receive(mut recorder: ResMut<Recorder>, mut events: MessageWriter<Event>) {
    let recorder = &mut *recorder;
    recorder.handle.pump(INLINE_BUDGET);
    for event in recorder.handle.events() {
        events.write(event);
    }
    for change in recorder.handle.lifecycle() {
        recorder.end_reported |= matches!(change, Lifecycle::GivenUp { .. });
        events.write(Event::Notice(told(&change)));
    }
    recorder
        .pending
        .retain_mut(|pending| match pending.try_take() {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => {
                events.write(trouble(&error));
                false
            }
        });
}

/// Passes on what the app asks and tells.
fn send(
    mut recorder: ResMut<Recorder>,
    mut requests: MessageReader<RecordRequest>,
    mut commands: MessageReader<Command>,
    mut events: MessageWriter<Event>,
) {
    let recorder = &mut *recorder;
    // The scene first: what is opened is opened for it.
    for command in commands.read() {
        if let Err(error) = recorder.handle.send(command.clone())
            && !recorder.end_reported
        {
            events.write(trouble(&error));
        }
    }
    for RecordRequest(request) in requests.read() {
        let pending = recorder.handle.request(request.clone());
        recorder.pending.push(pending);
    }
}

fn stop_with_the_app(mut recorder: ResMut<Recorder>, mut exits: MessageReader<AppExit>) {
    if exits.read().next().is_some() {
        recorder.handle.stop();
        recorder.end_reported = true;
    }
}

/// What a change in the service's life means to a person who records.
fn told(change: &Lifecycle) -> Notice {
    let notice = |level, text| Notice { level, text };
    match change {
        Lifecycle::Fallback { why } => notice(
            NoticeLevel::Warning,
            format!(
                "Recording runs on the main thread ({why}): it keeps up only while this window \
                 does."
            ),
        ),
        Lifecycle::Crashed { error, .. } => notice(
            NoticeLevel::Error,
            format!(
                "The recorder stopped: {error}. It is being started again; what it had accepted \
                 is kept."
            ),
        ),
        Lifecycle::Recovered { after } => notice(
            NoticeLevel::Info,
            format!("The recorder is back after {:.1} s.", after.as_secs_f64()),
        ),
        Lifecycle::GivenUp { error } => notice(
            NoticeLevel::Error,
            format!("The recorder does not run: {error}. Restart it in the list of workers (F2)."),
        ),
    }
}

fn trouble(error: &ServiceError) -> Event {
    Event::Notice(Notice {
        level: NoticeLevel::Error,
        text: error.to_string(),
    })
}
