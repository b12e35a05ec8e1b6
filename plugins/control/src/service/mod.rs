//! The control service: the loop, and what it answers.

mod devices;

use std::sync::Arc;
use std::time::Duration;

use forearm_arm::ArmModel;
use forearm_protocol::Pose;
use forearm_protocol::ServiceError;
use forearm_protocol::control::{
    Command, Event, Inspection, LoopTiming, Notice, NoticeLevel, Reply, Request, StateUpdate,
};
use forearm_protocol::keys::Key;
use forearm_protocol::record::TickBatch;
use forearm_protocol::scene::SceneBundle;
use forearm_workers::{Answer, Context, Nothing, Service, Wake};

use crate::backend::Plant;
use crate::config::{ControlConfig, ControlSetup, Resume, Startup, Until};
use crate::line;
use crate::motion::Motion;
use crate::motors::News;
use crate::pace::{Lateness, Pace};
use crate::publish::Publisher;
use crate::rig::Rig;
use crate::serve::Served;
use crate::tap::Tap;
use crate::teleop::{Input, Outcome};
use devices::Errands;

/// Drives the arms of a scene; see the crate's documentation.
pub struct ControlService {
    config: ControlConfig,
    startup: Startup,
    session: Option<Session>,
    generation: u64,
    active: bool,
    e_stopped: bool,
    /// Whether the run has ended by itself ([`Until`]): no more ticks.
    ended: bool,
    pace: Pace,
    publisher: Publisher,
    /// When the app last said that it is alive, once it has.
    alive_at_secs: Option<f64>,
    /// Whether it has been silent for too long: real arms hold.
    silent: bool,
    /// How long no motion has played, seconds.
    quiet_secs: f64,
    /// Answers that wait for motors, and a calibration under way.
    errands: Errands,
    /// Ticks on their way to whoever records, and whether the last ones were not taken.
    tap: Tap,
    untaken: bool,
}

/// A loaded scene.
struct Session {
    plant: Plant,
    rigs: Vec<Rig>,
}

impl ControlService {
    fn answer(
        &mut self,
        request: Request,
        cx: &mut Context<'_, Self>,
    ) -> Result<Reply, ServiceError> {
        match request {
            Request::LoadScene(bundle) => self.load_scene(&bundle, cx)?,
            Request::ResetScene => self.reset_scene(cx)?,
            Request::Start => self.start(cx)?,
            Request::Stop => {
                self.active = false;
                self.hold_all(cx);
            }
            Request::SetTorque { arm, on } => self.set_torque(arm, on, cx)?,
            Request::SetMode { arm, mode } => {
                let what = "choosing how an arm is driven";
                let session = self.session.as_mut().ok_or_else(|| no_scene(what))?;
                find(&mut session.rigs, arm, what)?.set_mode(mode, &session.plant, cx.now_secs());
            }
            Request::PlayScript { arm, text } => self.play(arm, &text, cx)?,
            Request::ClearEStop => {
                if self.e_stopped {
                    self.e_stopped = false;
                    self.hold_all(cx);
                    self.engage_all(cx.now_secs());
                }
            }
            Request::SetBackend {
                arm,
                backend,
                calibration,
                motion,
            } => self.set_backend(arm, &backend, calibration, motion.as_deref(), cx)?,
            Request::SetLeader {
                arm,
                leader,
                calibration,
            } => self.set_leader(arm, leader.as_ref(), calibration, cx)?,
            Request::Calibrate(device) => self.calibrate(device, cx)?,
            Request::CalibrationStep(step) => self.calibration_step(step)?,
            Request::SetCalibration { .. } | Request::Motor { .. } | Request::ListPorts => {
                // They are answered later.
                return Err(refused(
                    "asking motors",
                    "it came twice".to_owned(),
                    "ask again",
                ));
            }
            Request::Incident { arm, incident } => {
                let what = "making something happen to a served arm";
                let session = self.session.as_mut().ok_or_else(|| no_scene(what))?;
                let served = session.plant.served_mut(arm).ok_or_else(|| {
                    let why = format!("arm number {arm} is not served");
                    refused(what, why, "start with `forearm emulate`")
                })?;
                served.befall(incident);
            }
            Request::Inspect => return Ok(Reply::Inspection(Box::new(self.inspect()?))),
        }
        Ok(Reply::Done)
    }

    /// Puts the scene as an earlier start of the service left it, and holds.
    fn resume(&mut self, resume: &Resume, cx: &mut Context<'_, Self>) {
        self.e_stopped = resume.e_stopped;
        if let Some(Session { plant, rigs }) = &mut self.session {
            plant.place(resume);
            for (rig, arm) in rigs.iter_mut().zip(&resume.arms) {
                if let Some(complaint) = rig.resume(arm, plant) {
                    notify(cx, NoticeLevel::Error, complaint);
                }
                rig.engage(plant, cx.now_secs());
            }
        }
    }

    fn load_scene(
        &mut self,
        bundle: &Arc<SceneBundle>,
        cx: &mut Context<'_, Self>,
    ) -> Result<(), ServiceError> {
        let what = format!("loading the scene `{}`", bundle.scene.name);
        if self.errands.is_calibrating() {
            let why = "an arm is being calibrated".to_owned();
            return Err(refused(&what, why, "end or cancel the calibration first"));
        }
        let next = "correct the scene and load it again; the present one stays";
        let models = bundle
            .arm_models()
            .map_err(|error| refused(&what, error.to_string(), next))?;
        let mut plant = Plant::new(&bundle.scene, &models, self.config.period_secs())
            .map_err(|error| refused(&what, error.to_string(), next))?;
        let served = self.serve(bundle, &models);
        plant.serve(served.map_err(|why| refused(&what, why, next))?);
        let arms = bundle.scene.arms.iter().zip(models).enumerate();
        let rigs: Result<Vec<_>, _> = arms
            .map(|(arm, (spec, model))| Rig::new(bundle, spec, model, arm, &self.config, &plant))
            .collect();
        let mut rigs = rigs.map_err(|why| refused(&what, why, next))?;
        let mut complaints = Vec::new();
        for rig in &mut rigs {
            complaints.extend(rig.begin(&mut plant));
            rig.engage(&plant, cx.now_secs());
        }
        self.drop_errands("another scene was loaded", cx);
        if let Some(mut left) = self.session.replace(Session { plant, rigs }) {
            left.rigs.iter_mut().for_each(Rig::close);
            line::retire(left);
        }
        // Loading took its time: that is not lateness of the next run.
        self.pace.rest();
        self.generation += 1;
        self.ended = false;
        self.quiet_secs = 0.0;
        self.publisher = Publisher::new(self.config.period_secs());
        cx.emit(Event::SceneLoaded {
            generation: self.generation,
            bundle: Arc::clone(bundle),
        });
        for complaint in complaints {
            notify(cx, NoticeLevel::Error, complaint);
        }
        Ok(())
    }

    fn reset_scene(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        let session = self
            .session
            .as_mut()
            .ok_or_else(|| no_scene("resetting the scene"))?;
        let Session { plant, rigs } = session;
        plant.reset();
        for rig in rigs {
            rig.teleoperators.script.give_up("the scene was reset");
            if let Some(complaint) = rig.begin(plant) {
                notify(cx, NoticeLevel::Error, complaint);
            }
            rig.replace_twin(plant);
            rig.engage(plant, cx.now_secs());
        }
        self.ended = false;
        self.quiet_secs = 0.0;
        Ok(())
    }

    /// Opens the virtual servos of the arms that are served.
    fn serve(&self, bundle: &SceneBundle, models: &[Arc<ArmModel>]) -> Result<Vec<Served>, String> {
        let arms = self.config.served.iter();
        arms.map(|spec| {
            let found = bundle.scene.arms.get(spec.arm).zip(models.get(spec.arm));
            let (arm, model) = found.ok_or_else(|| {
                let count = models.len();
                format!(
                    "there is no arm number {} to be served; it has {count}, counted from 0",
                    spec.arm
                )
            })?;
            Served::open(spec, &arm.name, model)
        })
        .collect()
    }

    fn start(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        if self.e_stopped {
            let why = "the emergency stop holds".to_owned();
            return Err(refused("starting", why, "clear the emergency stop first"));
        }
        if self.session.is_none() {
            return Err(no_scene("starting"));
        }
        self.active = true;
        self.pace.clear_run();
        self.hold_all(cx);
        self.engage_all(cx.now_secs());
        Ok(())
    }

    fn set_torque(
        &mut self,
        arm: usize,
        on: bool,
        cx: &mut Context<'_, Self>,
    ) -> Result<(), ServiceError> {
        let what = "switching torque";
        let Session { plant, rigs } = self.session.as_mut().ok_or_else(|| no_scene(what))?;
        let rig = find(rigs, arm, what)?;
        rig.set_torque(plant, on).map_err(|error| {
            refused(
                what,
                error.to_string(),
                "check power and cable, then try again",
            )
        })?;
        rig.engage(plant, cx.now_secs());
        Ok(())
    }

    fn play(
        &mut self,
        arm: usize,
        text: &str,
        cx: &mut Context<'_, Self>,
    ) -> Result<(), ServiceError> {
        let what = "playing the motion";
        if self.e_stopped {
            let why = "the emergency stop holds".to_owned();
            return Err(refused(what, why, "clear the emergency stop first"));
        }
        let Session { plant, rigs } = self.session.as_mut().ok_or_else(|| no_scene(what))?;
        let rig = find(rigs, arm, what)?;
        let next = "correct the motion file (scenes/motions/README.md describes it)";
        let motion = Motion::from_ron("motion", text)
            .map_err(|error| refused(what, error.to_string(), next))?;
        motion
            .check_for(&rig.model, plant)
            .map_err(|error| refused(what, error.to_string(), next))?;
        rig.play(Arc::new(motion), plant, cx.now_secs());
        self.quiet_secs = 0.0;
        Ok(())
    }

    fn inspect(&mut self) -> Result<Inspection, ServiceError> {
        let session = self
            .session
            .as_ref()
            .ok_or_else(|| no_scene("inspecting"))?;
        let Session { plant, rigs } = session;
        Ok(Inspection {
            scene_generation: self.generation,
            ticks: plant.ticks(),
            steps: plant.world().steps(),
            simulated_secs: plant.world().time_secs(),
            state_hash: plant.state_hash(),
            timing: self.pace.run_summary(),
            physics_step_secs: plant.step_secs(),
            in_tray: plant.in_tray(),
            scripts: rigs
                .iter()
                .map(|rig| rig.teleoperators.script.state())
                .collect(),
            tracks: rigs
                .iter()
                .map(|rig| rig.teleoperators.script.track_errors())
                .collect(),
            served: plant.all_served().iter().map(Served::counts).collect(),
        })
    }

    /// Emergency stop: every arm holds where it is, now, not at the next tick.
    fn e_stop(&mut self, cx: &mut Context<'_, Self>) {
        if self.e_stopped {
            return;
        }
        self.e_stopped = true;
        self.hold_all(cx);
        for rig in self.rigs() {
            rig.teleoperators.script.give_up("emergency stop");
            rig.release();
        }
        let text = "Emergency stop: the arms hold where they are. Clear it to move again.";
        notify(cx, NoticeLevel::Warning, text.to_owned());
    }

    fn hold_all(&mut self, cx: &mut Context<'_, Self>) {
        if let Some(Session { plant, rigs }) = &mut self.session {
            for rig in rigs {
                if let Some(complaint) = rig.hold(plant) {
                    notify(cx, NoticeLevel::Error, complaint);
                }
            }
        }
    }

    fn engage_all(&mut self, now_secs: f64) {
        if let Some(Session { plant, rigs }) = &mut self.session {
            for rig in rigs {
                rig.engage(plant, now_secs);
            }
        }
    }

    fn rigs(&mut self) -> &mut [Rig] {
        self.session
            .as_mut()
            .map_or(&mut [], |session| &mut session.rigs)
    }

    fn input(&mut self, arm: usize, input: &Input<'_>, cx: &mut Context<'_, Self>) {
        if !self.active || self.e_stopped {
            return;
        }
        if let Some(Session { plant, rigs }) = &mut self.session
            && let Some(rig) = rigs.get_mut(arm)
            && rig.input(input, plant, cx.now_secs())
        {
            let text = format!(
                "The motion of arm `{}` ended: a person took over.",
                rig.name
            );
            notify(cx, NoticeLevel::Info, text);
        }
    }

    /// Releases keys and sticks when the app has been silent for too long; a real arm holds.
    fn watch_the_app(&mut self, cx: &mut Context<'_, Self>) {
        let now_secs = cx.now_secs();
        let silent = self
            .alive_at_secs
            .is_some_and(|at| now_secs - at > self.config.watchdog_secs);
        if !silent {
            return;
        }
        self.alive_at_secs = None;
        self.silent = true;
        let Some(Session { plant, rigs }) = &mut self.session else {
            return;
        };
        for rig in rigs {
            rig.release();
            if rig.is_real() {
                rig.teleoperators.script.give_up("the app fell silent");
                if let Some(complaint) = rig.hold(plant) {
                    notify(cx, NoticeLevel::Error, complaint);
                }
                rig.engage(plant, now_secs);
                let text = format!(
                    "Arm `{}` holds: the app was silent for {} s.",
                    rig.name, self.config.watchdog_secs
                );
                notify(cx, NoticeLevel::Warning, text);
            }
        }
    }

    /// The app spoke: after a silence, real arms go on softly from where they hold.
    fn hear_the_app(&mut self, cx: &mut Context<'_, Self>) {
        self.alive_at_secs = Some(cx.now_secs());
        if !std::mem::take(&mut self.silent) {
            return;
        }
        if let Some(Session { plant, rigs }) = &mut self.session {
            for rig in rigs.iter_mut().filter(|rig| rig.is_real()) {
                if let Some(complaint) = rig.hold(plant) {
                    notify(cx, NoticeLevel::Error, complaint);
                }
                rig.engage(plant, cx.now_secs());
            }
        }
    }

    /// Everything that a tick does, but the timing.
    fn work(&mut self, cx: &mut Context<'_, Self>) {
        let (now_secs, dt_secs) = (cx.now_secs(), self.config.period_secs());
        self.watch_the_app(cx);
        let (active, driving) = (self.active, self.active && !self.e_stopped);
        let Some(Session { plant, rigs }) = &mut self.session else {
            return;
        };
        let mut news = News::new();
        let mut real = false;
        for (arm, rig) in rigs.iter_mut().enumerate() {
            rig.attend(plant, active, now_secs, dt_secs, &mut news);
            real |= rig.is_real();
            if let Some(complaint) = rig.observe(plant) {
                notify(cx, NoticeLevel::Error, complaint);
            }
            let driving = driving && !(self.silent && rig.is_real());
            let (outcome, complaint) = rig.drive(plant, driving, now_secs, dt_secs);
            if let Some(complaint) = complaint {
                notify(cx, NoticeLevel::Error, complaint);
            }
            match outcome {
                Outcome::Driving => {}
                Outcome::Done => cx.emit(Event::ScriptDone { arm }),
                Outcome::Failed(why) => {
                    notify(
                        cx,
                        NoticeLevel::Error,
                        format!("The motion ended early: {why}."),
                    );
                }
            }
        }
        for (level, text) in news {
            notify(cx, level, text);
        }
        // A burst of ticks would move a real arm by as many steps at once.
        self.pace.lateness = if real {
            Lateness::Lost
        } else {
            Lateness::MadeUp
        };
        self.run_errands(cx);
        self.tap(cx);
        if self.publisher.is_due() {
            self.publish(cx);
            self.publish_calibration(cx);
        }
        if let Some(session) = &mut self.session {
            session.plant.exchange(now_secs);
            session.plant.advance(cx.clock());
        }
        self.end_when_due(cx);
    }

    /// Hands this tick to whoever records: what was measured, and what the arms are told.
    fn tap(&mut self, cx: &mut Context<'_, Self>) {
        let Some(Session { plant, rigs }) = &self.session else {
            return;
        };
        if !cx.feeds_any() {
            return;
        }
        let time_secs = cx.clock().origin_secs() + cx.now_secs();
        let row = self.tap.begin(self.generation, plant.ticks(), time_secs);
        for rig in rigs {
            row.extend_from_slice(rig.positions());
        }
        for rig in rigs {
            row.extend_from_slice(rig.targets());
        }
        let world = plant.world();
        for object in 0..world.object_count() {
            let Pose { position, rotation } = world.object_pose(object);
            row.extend_from_slice(&position);
            row.extend_from_slice(&rotation);
        }
        let Some(batch) = self.tap.end(self.config.period_secs()) else {
            return;
        };
        // Told once for as long as it goes on: it would come with every tick.
        let fed = cx.feed(batch);
        self.tap.sent();
        match fed {
            Ok(()) => self.untaken = false,
            Err(error) if !std::mem::replace(&mut self.untaken, true) => {
                let text = format!("What the arms do can't be handed to the recorder: {error}");
                notify(cx, NoticeLevel::Warning, text);
            }
            Err(_) => {}
        }
    }

    fn end_when_due(&mut self, cx: &mut Context<'_, Self>) {
        let Some(Session { plant, rigs }) = &mut self.session else {
            return;
        };
        let playing = rigs.iter().any(|rig| rig.teleoperators.script.is_playing());
        self.quiet_secs = if playing {
            0.0
        } else {
            self.quiet_secs + self.pace.period_secs()
        };
        // Half a period absorbs rounding.
        let half = self.pace.period_secs() / 2.0;
        self.ended = match self.config.until {
            Until::Stopped => false,
            Until::Elapsed(secs) => plant.ticks() as f64 * self.pace.period_secs() >= secs - half,
            Until::ScriptsDone(secs) => self.quiet_secs >= secs.max(half) - half,
        };
        if self.ended {
            for rig in rigs {
                if let Some(complaint) = rig.observe(plant) {
                    notify(cx, NoticeLevel::Error, complaint);
                }
            }
            self.active = false;
            self.publish(cx);
        }
    }

    fn publish(&mut self, cx: &mut Context<'_, Self>) {
        let timing = self.pace.summary();
        let Some(Session { plant, rigs }) = &mut self.session else {
            return;
        };
        let world = plant.world();
        let objects = (0..world.object_count())
            .map(|object| world.object_pose(object))
            .collect();
        let simulated_secs = world.time_secs();
        let physics_step_secs = plant.take_step_secs();
        cx.emit(Event::State(Box::new(StateUpdate {
            scene_generation: self.generation,
            tick: self.pace.ticks(),
            time_secs: cx.now_secs(),
            active: self.active,
            e_stopped: self.e_stopped,
            arms: rigs.iter_mut().map(|rig| rig.take_state(plant)).collect(),
            objects,
            timing: LoopTiming {
                target_hz: self.config.rate_hz,
                ..timing
            },
            physics_step_secs,
            simulated_secs,
        })));
    }
}

impl Service for ControlService {
    type Setup = ControlSetup;
    type Request = Request;
    type Reply = Reply;
    type Command = Command;
    type Event = Event;
    type Input = Nothing;
    type Output = TickBatch;

    const NAME: &'static str = "control";

    fn new(ControlSetup { config, startup }: ControlSetup) -> Self {
        let period_secs = config.period_secs();
        Self {
            startup,
            session: None,
            generation: 0,
            active: false,
            e_stopped: false,
            ended: false,
            pace: Pace::new(period_secs),
            publisher: Publisher::new(period_secs),
            alive_at_secs: None,
            silent: false,
            quiet_secs: 0.0,
            errands: Errands::default(),
            tap: Tap::default(),
            untaken: false,
            config,
        }
    }

    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        let start_error = |why: String| ServiceError::Start {
            service: Self::NAME.to_owned(),
            why,
        };
        self.config
            .check()
            .map_err(|error| start_error(error.to_string()))?;
        let Startup {
            bundle,
            script,
            start,
            resume,
            e_stop,
        } = std::mem::take(&mut self.startup);
        if let Some(resume) = &resume {
            // The scene that follows is the one that was there.
            self.generation = resume.scene_generation.saturating_sub(1);
        }
        if let Some(bundle) = bundle {
            self.load_scene(&bundle, cx)
                .map_err(|error| start_error(error.to_string()))?;
        }
        if let Some(resume) = resume {
            self.resume(&resume, cx);
        }
        if let Some(script) = script {
            self.play(0, &script, cx)
                .map_err(|error| start_error(error.to_string()))?;
        }
        if e_stop {
            self.e_stop(cx);
        }
        if start && !self.e_stopped {
            self.start(cx)
                .map_err(|error| start_error(error.to_string()))?;
        }
        Ok(())
    }

    fn request(&mut self, request: Request, answer: Answer<Reply>, cx: &mut Context<'_, Self>) {
        match request {
            Request::SetCalibration {
                device,
                calibration,
            } => self.set_calibration(device, calibration, answer, cx),
            Request::Motor { device, request } => self.ask_motor(device, &request, answer),
            Request::ListPorts => devices::list_ports(answer),
            request => answer.send(self.answer(request, cx)),
        }
    }

    fn command(&mut self, command: Command, cx: &mut Context<'_, Self>) {
        // Whatever the app sends shows that it is alive, once it has said so.
        if self.alive_at_secs.is_some() || self.silent || command == Command::Alive {
            self.hear_the_app(cx);
        }
        match command {
            command if is_stop(&command) => self.e_stop(cx),
            Command::Key { arm, key, pressed } => self.input(arm, &Input::Key(key, pressed), cx),
            Command::ReleaseKeys => self.rigs().iter_mut().for_each(Rig::release),
            Command::JointTargets { arm, positions } => {
                self.input(arm, &Input::JointTargets(&positions), cx);
            }
            Command::ToolTarget {
                arm,
                base_from_tool,
                orientation,
            } => {
                self.input(
                    arm,
                    &Input::ToolTarget {
                        base_from_tool,
                        orientation,
                    },
                    cx,
                );
            }
            Command::Gamepad { arm, state } => self.input(arm, &Input::Gamepad(state), cx),
            // A stop was seen to above.
            Command::EStop | Command::Alive => {}
        }
    }

    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
        if self.session.is_none() || self.ended {
            self.pace.rest();
            return Wake::OnMessage;
        }
        let now_secs = cx.now_secs();
        // A message can wake the loop early; time has not come then.
        if let Some(deadline_secs) = self.pace.not_before(now_secs) {
            return Wake::At(deadline_secs);
        }
        let late_secs = self.pace.begin(now_secs);
        self.work(cx);
        let end_secs = cx.clock().now_secs();
        let next_secs = self.pace.end(end_secs, late_secs, end_secs - now_secs);
        if self.ended {
            Wake::OnMessage
        } else {
            Wake::At(next_secs)
        }
    }

    fn stopping(&mut self, cx: &mut Context<'_, Self>) {
        self.hold_all(cx);
        // Whoever takes its place goes on from here.
        self.publish(cx);
        self.active = false;
        self.drop_errands("control ends", cx);
        // Real arms are left as the configuration says.
        if let Some(Session { rigs, .. }) = &mut self.session {
            // All at once, before the first is waited for.
            rigs.iter_mut().for_each(Rig::close);
        }
        self.session = None;
    }

    fn may_drop(event: &Event) -> bool {
        matches!(event, Event::State(_) | Event::Calibration(_))
    }

    fn remember(setup: &mut ControlSetup, event: &Event) {
        setup.startup.remember(event);
    }

    fn remember_command(setup: &mut ControlSetup, command: &Command) {
        // A service that hangs takes no stop: the one after it has to.
        setup.startup.e_stop |= is_stop(command);
    }

    /// Models of a CAD program take their time to read.
    fn patience(request: &Request) -> Duration {
        match request {
            Request::LoadScene(_) => Self::REQUEST_TIMEOUT,
            _ => Self::HANG_AFTER,
        }
    }
}

/// Whether a command is an emergency stop.
pub(crate) fn is_stop(command: &Command) -> bool {
    let escape = |key: &Key, pressed: &bool| *key == Key::Escape && *pressed;
    match command {
        Command::EStop => true,
        Command::Key { key, pressed, .. } => escape(key, pressed),
        _ => false,
    }
}

fn find<'a>(rigs: &'a mut [Rig], arm: usize, what: &str) -> Result<&'a mut Rig, ServiceError> {
    let count = rigs.len();
    rigs.get_mut(arm).ok_or_else(|| {
        let why = format!("there is no arm number {arm}");
        refused(what, why, &format!("the scene has {count}, counted from 0"))
    })
}

fn no_scene(what: &str) -> ServiceError {
    refused(what, "no scene is loaded".to_owned(), "load one first")
}

fn refused(what: &str, why: String, next: &str) -> ServiceError {
    ServiceError::Refused {
        what: what.to_owned(),
        why,
        next: next.to_owned(),
    }
}

fn notify(cx: &mut Context<'_, ControlService>, level: NoticeLevel, text: String) {
    cx.emit(Event::Notice(Notice { level, text }));
}
