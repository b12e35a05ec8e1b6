//! The control service beside a Bevy app: started with it, stopped with it, its messages passed
//! on as Bevy messages.
//!
//! In: [`ControlRequest`] and [`Command`]. Out: [`Event`]. A request's answer is not passed on;
//! its error becomes an [`Event::Notice`].

use std::collections::VecDeque;
use std::time::Duration;

use bevy_app::{App, AppExit, First, Last, Plugin, PostUpdate};
use bevy_ecs::message::{Message, MessageReader, MessageWriter};
use bevy_ecs::resource::Resource;
use bevy_ecs::system::ResMut;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Command, Event, Notice, NoticeLevel, Request};
use forearm_protocol::record::TickBatch;
use forearm_workers::{
    Handle, Host, Lifecycle, Line, Pending, RestartPolicy, Service, Status, supervise,
};

use crate::config::{ControlConfig, ControlSetup, Startup};
use crate::service::{ControlService, is_stop};

/// How long a frame may work for a control service that has no thread.
const INLINE_BUDGET: Duration = Duration::from_millis(8);

/// Commands that may wait for a busy service; more of them say nothing new.
const MAX_UNSENT: usize = 1024;

/// Starts the control service and passes messages between it and the app.
#[derive(Debug, Clone, Default)]
pub struct ControlPlugin {
    /// How the service runs.
    pub config: ControlConfig,
    /// What it starts with.
    pub startup: Startup,
}

/// Asks the control service.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct ControlRequest(pub Request);

/// The running control service.
#[derive(Resource)]
pub struct Control {
    handle: Handle<ControlService>,
    pending: Vec<Pending<ControlService>>,
    /// Commands that a busy service had no room for.
    unsent: VecDeque<Command>,
    /// Whether the service's end was reported.
    end_reported: bool,
}

impl Control {
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

    /// Asks for something whose answer is wanted: [`ControlRequest`] passes none on.
    pub fn ask(&self, request: Request) -> Pending<ControlService> {
        self.handle.request(request)
    }

    /// Another way to the service, for what can't wait for the next frame.
    #[must_use]
    pub fn line(&self) -> Line<ControlService> {
        self.handle.line()
    }

    /// Every tick goes to `other`, past the app.
    pub fn feed_into<S: Service<Input = TickBatch>>(&self, other: &Handle<S>) {
        self.handle.feed_into(other);
    }
}

impl Plugin for ControlPlugin {
    fn build(&self, app: &mut App) {
        let Self { config, startup } = self.clone();
        let setup = ControlSetup { config, startup };
        let handle = supervise(setup, Host::Thread, RestartPolicy::default());
        app.insert_resource(Control {
            handle,
            pending: Vec::new(),
            unsent: VecDeque::new(),
            end_reported: false,
        })
        .add_message::<ControlRequest>()
        .add_message::<Command>()
        .add_message::<Event>()
        .add_systems(First, receive)
        .add_systems(PostUpdate, send)
        .add_systems(Last, stop_with_the_app);
    }
}

/// Passes on what the service tells.
fn receive(mut control: ResMut<Control>, mut events: MessageWriter<Event>) {
    let control = &mut *control;
    control.handle.pump(INLINE_BUDGET);
    for event in control.handle.events() {
        events.write(event);
    }
    for change in control.handle.lifecycle() {
        control.end_reported |= matches!(change, Lifecycle::GivenUp { .. });
        events.write(Event::Notice(told(&change)));
    }
    control
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

/// Passes on what the app asks and tells. Requests first: a key that is pressed together with a
/// choice of mode is meant for that mode.
fn send(
    mut control: ResMut<Control>,
    mut requests: MessageReader<ControlRequest>,
    mut commands: MessageReader<Command>,
    mut events: MessageWriter<Event>,
) {
    let control = &mut *control;
    for ControlRequest(request) in requests.read() {
        control
            .pending
            .push(control.handle.request(request.clone()));
    }
    control.unsent.extend(commands.read().cloned());
    while let Some(command) = control.unsent.front() {
        if let Err(error) = control.handle.send(command.clone()) {
            if !control.end_reported {
                events.write(trouble(&error));
            }
            if !matches!(error, ServiceError::Busy { .. }) {
                // There is nobody to do it. Done later, it would come as a surprise.
                control.unsent.retain(is_stop);
            }
            break;
        }
        control.unsent.pop_front();
    }
    // What a person did waits for a busy service, but not without end; a stop is never dropped.
    if control.unsent.len() > MAX_UNSENT {
        control.unsent.retain(is_stop);
    }
    if control.unsent.is_empty() {
        // Only says that the app lives: when it can't be sent, the next frame says it again.
        control.handle.send(Command::Alive).ok();
    }
}

fn stop_with_the_app(mut control: ResMut<Control>, mut exits: MessageReader<AppExit>) {
    if exits.read().next().is_some() {
        control.handle.stop();
        control.end_reported = true;
    }
}

/// What a change in the service's life means to a person with an arm.
fn told(change: &Lifecycle) -> Notice {
    let notice = |level, text| Notice { level, text };
    match change {
        Lifecycle::Fallback { why } => notice(
            NoticeLevel::Warning,
            format!(
                "Control runs on the main thread ({why}): it keeps time only while this window does."
            ),
        ),
        Lifecycle::Crashed { error, in_flight } => {
            let lost = match in_flight {
                0 => String::new(),
                1 => " One request was lost.".to_owned(),
                count => format!(" {count} requests were lost."),
            };
            notice(
                NoticeLevel::Error,
                format!(
                    "Control stopped: {error}. It is being started again; the arms hold.{lost}"
                ),
            )
        }
        Lifecycle::Recovered { after } => notice(
            NoticeLevel::Info,
            format!(
                "Control is back after {:.1} s. The arms hold where they were.",
                after.as_secs_f64()
            ),
        ),
        Lifecycle::GivenUp { error } => notice(
            NoticeLevel::Error,
            format!("Control does not run: {error}. Restart it in the list of workers (F2)."),
        ),
    }
}

fn trouble(error: &ServiceError) -> Event {
    Event::Notice(Notice {
        level: NoticeLevel::Error,
        text: error.to_string(),
    })
}
