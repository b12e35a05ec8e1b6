//! Trials of a motion in the background: what the panels ask for goes to the worker pool, what comes
//! of it back to the panels.

use std::sync::Arc;
use std::time::Duration;

use bevy::prelude::*;
use forearm_control::motion::Motion;
use forearm_control::trials::{Trial, TrialOutcome, Trials};
use forearm_control::{ControlConfig, Expectation};
use forearm_panel::plugin::PanelSystems;
use forearm_panel::{PanelAction, PanelInputs, PanelState, TrialsView};
use forearm_protocol::ServiceError;
use forearm_protocol::control::{Event as ControlEvent, Notice, NoticeLevel};
use forearm_protocol::scene::SceneBundle;
use forearm_workers::pool::{
    Pool, PoolConfig, PoolEvent, PoolLine, PoolStatus, Priority, Task, Ticket,
};

use crate::motions::BuiltinMotion;

/// How long a frame may work for trials where there are no workers.
const INLINE_BUDGET: Duration = Duration::from_millis(6);

/// Tries motions in the worker pool.
#[derive(Debug, Default)]
pub struct TrialsPlugin;

impl Plugin for TrialsPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(TrialsDesk::new())
            .add_systems(
                Update,
                (follow_the_scene, carry_out, proceed)
                    .chain()
                    .after(PanelSystems::Receive),
            )
            .add_systems(Last, stop_with_the_app);
    }
}

/// The pool, and the trials that are being run.
#[derive(Resource)]
pub struct TrialsDesk {
    pool: Pool<Trials>,
    /// The scene that is loaded.
    bundle: Option<Arc<SceneBundle>>,
    /// The motion's name, for people.
    motion: String,
    open: Vec<Ticket<Trials>>,
    /// How long runs took, seconds.
    times: Vec<f64>,
    view: TrialsView,
    /// How often trials were started.
    batch: u64,
}

impl TrialsDesk {
    fn new() -> Self {
        Self {
            pool: Pool::new(PoolConfig::default()),
            bundle: None,
            motion: String::new(),
            open: Vec::new(),
            times: Vec::new(),
            view: TrialsView::default(),
            batch: 0,
        }
    }

    /// How the pool does.
    #[must_use]
    pub fn status(&self) -> PoolStatus {
        self.pool.status()
    }

    /// What is being done and how much of it is done, 0 to 1, while something is.
    #[must_use]
    pub fn progress(&self) -> Option<(String, f32)> {
        let TrialsView { done, runs, .. } = self.view;
        let text = || format!("{done} of {runs} runs");
        self.view
            .running
            .then(|| (text(), done as f32 / runs.max(1) as f32))
    }

    /// Another way to the pool, for what can't wait for the next frame.
    #[must_use]
    pub fn line(&self) -> PoolLine<Trials> {
        self.pool.line()
    }

    /// Workers that were given up may be started again.
    pub fn restart(&self) {
        self.pool.restart();
    }

    fn start(&mut self, motion: &str, runs: u32, jitter_m: f64) {
        self.cancel();
        self.times.clear();
        self.view = TrialsView {
            runs,
            ..TrialsView::default()
        };
        match plan(self.bundle.as_ref(), motion, jitter_m) {
            Ok((trial, name)) => {
                name.clone_into(&mut self.motion);
                self.batch += 1;
                self.view.running = true;
                let tasks = (1..=runs).map(|run| {
                    let trial = Trial {
                        seed: u64::from(run),
                        ..trial.clone()
                    };
                    Task::new(trial)
                        .with_priority(Priority::BACKGROUND)
                        .for_control(format!("Trial run {run}"))
                        .with_trace(self.batch)
                });
                self.open = tasks.map(|task| self.pool.submit(task)).collect();
            }
            Err(why) => self.view.error = Some(why),
        }
    }

    fn cancel(&mut self) {
        for mut ticket in self.open.drain(..) {
            ticket.cancel();
        }
        self.view.running = false;
    }

    /// Takes what has come; answers what to tell when all is done.
    fn take_results(&mut self) -> Option<Notice> {
        let mut results = Vec::new();
        self.open.retain_mut(|ticket| {
            let result = ticket.try_take();
            let open = result.is_none();
            results.extend(result);
            open
        });
        for result in results {
            self.count(result);
        }
        self.show_times();
        if !self.view.running || !self.open.is_empty() {
            return None;
        }
        self.view.running = false;
        let TrialsView {
            done, succeeded, ..
        } = self.view;
        Some(Notice {
            level: NoticeLevel::Info,
            text: format!(
                "Trials of “{}”: {succeeded} of {done} runs did what they should.",
                self.motion
            ),
        })
    }

    fn count(&mut self, result: Result<TrialOutcome, ServiceError>) {
        match result {
            Ok(outcome) => {
                self.view.done += 1;
                self.times.push(outcome.wall_secs);
                if outcome.success {
                    self.view.succeeded += 1;
                } else {
                    self.view.failed += 1;
                    let why = outcome
                        .given_up
                        .map(|why| format!("A run was given up: {why}."));
                    self.view.error = self.view.error.take().or(why);
                }
            }
            // The worker's fault, not the motion's: the others go on.
            Err(error @ ServiceError::Crashed { .. }) => {
                self.view.done += 1;
                self.view.failed += 1;
                self.view.error.get_or_insert(error.to_string());
            }
            // What is wrong with one is wrong with all.
            Err(error) => {
                if self.view.running {
                    self.view.error = Some(error.to_string());
                    self.cancel();
                }
            }
        }
    }

    fn show_times(&mut self) {
        if self.times.is_empty() {
            return;
        }
        self.times.sort_by(f64::total_cmp);
        let last = (self.times.len() - 1) as f64;
        let at = |quantile: f64| self.times[(last * quantile).round() as usize];
        self.view.secs_per_run = self.times.iter().sum::<f64>() / self.times.len() as f64;
        self.view.p50_p95_secs = Some((at(0.5), at(0.95)));
    }
}

/// A trial of a built-in motion in this scene, and the motion's name for people.
///
/// # Errors
/// There is no scene, or no such motion.
pub fn plan(
    bundle: Option<&Arc<SceneBundle>>,
    motion: &str,
    jitter_m: f64,
) -> Result<(Trial, &'static str), String> {
    let builtin = BuiltinMotion::find(motion)
        .ok_or_else(|| format!("no motion is called `{motion}`; choose another"))?;
    let bundle = bundle.ok_or("no scene is loaded yet; open one first")?;
    let parsed = Motion::from_ron(builtin.key, builtin.text).map_err(|it| it.to_string())?;
    let trial = Trial {
        bundle: Arc::clone(bundle),
        config: ControlConfig::default(),
        script: Some(builtin.text.to_owned()),
        duration_secs: None,
        expect: Expectation::of(&parsed, &bundle.scene),
        jitter_m,
        seed: 0,
    };
    Ok((trial, builtin.name))
}

fn follow_the_scene(mut events: MessageReader<ControlEvent>, mut desk: ResMut<TrialsDesk>) {
    for event in events.read() {
        if let ControlEvent::SceneLoaded { bundle, .. } = event {
            desk.bundle = Some(Arc::clone(bundle));
        }
    }
}

/// Does what the panels ask for.
fn carry_out(mut actions: MessageReader<PanelAction>, mut desk: ResMut<TrialsDesk>) {
    for action in actions.read() {
        match action {
            PanelAction::StartTrials {
                motion,
                runs,
                jitter_m,
            } => desk.start(motion, *runs, *jitter_m),
            PanelAction::CancelTrials => desk.cancel(),
            _ => {}
        }
    }
}

/// Keeps the trials going and tells the panels how they stand.
fn proceed(
    mut desk: ResMut<TrialsDesk>,
    mut panel: ResMut<PanelState>,
    mut inputs: ResMut<PanelInputs>,
) {
    let desk = &mut *desk;
    desk.pool.pump(INLINE_BUDGET);
    for event in desk.pool.events() {
        if let Some(notice) = told(&event) {
            panel.notify(notice);
        }
    }
    if let Some(notice) = desk.take_results() {
        panel.notify(notice);
    }
    if inputs.workers.trials.as_ref() != Some(&desk.view) {
        inputs.workers.trials = Some(desk.view.clone());
    }
}

/// What news of the workers means to a person.
fn told(event: &PoolEvent) -> Option<Notice> {
    let notice = |level, text| Some(Notice { level, text });
    match event {
        PoolEvent::Fallback { why } => notice(
            NoticeLevel::Warning,
            format!(
                "Trials run on the main thread ({why}): one at a time, and the picture may falter."
            ),
        ),
        PoolEvent::Crashed { error, affected } => {
            let why = match error {
                ServiceError::Crashed { why, .. } => why.clone(),
                error => error.to_string(),
            };
            let control = affected.as_ref().and_then(|it| it.control_id.as_deref());
            let lost = control.map_or_else(String::new, |control| format!("{control} failed. "));
            notice(
                NoticeLevel::Error,
                format!("A worker of the trials stopped: {why}. {lost}Another takes its place."),
            )
        }
        PoolEvent::Recovered { .. } => notice(
            NoticeLevel::Info,
            "The worker of the trials is back.".to_owned(),
        ),
        PoolEvent::GivenUp { error } => notice(
            NoticeLevel::Error,
            format!("Trials can't be run: {error}. Restart them in the list of workers (F2)."),
        ),
    }
}

fn stop_with_the_app(mut desk: ResMut<TrialsDesk>, mut exits: MessageReader<AppExit>) {
    if exits.read().next().is_some() {
        desk.pool.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::scenes::BUILTIN_SCENES;

    fn desk(scene: &str) -> TrialsDesk {
        let builtin = BUILTIN_SCENES.iter().find(|it| it.key == scene);
        let scene = builtin
            .expect("it is built in")
            .scene()
            .expect("it is good");
        let models = Default::default();
        TrialsDesk {
            bundle: Some(Arc::new(SceneBundle {
                models,
                ..SceneBundle::from(scene)
            })),
            ..TrialsDesk::new()
        }
    }

    /// Goes on until all is done; answers what a person is told then.
    fn to_the_end(desk: &mut TrialsDesk) -> Option<Notice> {
        let start = Instant::now();
        while desk.view.running {
            assert!(start.elapsed().as_secs() < 60, "{:?}", desk.status());
            desk.pool.pump(INLINE_BUDGET);
            if let Some(notice) = desk.take_results() {
                return Some(notice);
            }
            std::thread::yield_now();
        }
        None
    }

    #[test]
    fn trials_end_with_a_count_and_times() {
        let mut desk = desk("pick_and_place");
        desk.start("pick_and_place", 3, 0.01);
        assert_eq!(desk.progress(), Some(("0 of 3 runs".to_owned(), 0.0)));
        let notice = to_the_end(&mut desk).expect("they end");
        assert!(notice.text.contains("3 of 3 runs"), "{}", notice.text);
        let TrialsView {
            done,
            succeeded,
            failed,
            ..
        } = desk.view;
        assert_eq!((done, succeeded, failed), (3, 3, 0));
        assert!(desk.view.secs_per_run > 0.0 && desk.view.error.is_none());
        let (p50, p95) = desk.view.p50_p95_secs.expect("they took time");
        assert!(0.0 < p50 && p50 <= p95);
    }

    #[test]
    fn what_cannot_be_tried_says_why_and_is_not_tried_on() {
        let mut desk = desk("empty");
        desk.start("pick_and_place", 50, 0.0);
        assert_eq!(to_the_end(&mut desk), None);
        let error = desk.view.error.as_deref().expect("there is no cube");
        assert!(error.contains("cube"), "{error}");
        desk.start("no such motion", 1, 0.0);
        let error = desk.view.error.as_deref().expect("no such motion");
        assert!(error.contains("no such motion") && !desk.view.running);
        // What is not about objects can be tried anywhere.
        desk.start("wave", 1, 0.0);
        assert!(to_the_end(&mut desk).is_some() && desk.view.succeeded == 1);
    }

    #[test]
    fn cancelled_trials_leave_nothing_running() {
        let mut desk = desk("pick_and_place");
        desk.start("pick_and_place", 200, 0.01);
        desk.cancel();
        assert_eq!((desk.view.running, desk.progress()), (false, None));
        let start = Instant::now();
        while desk.status().busy > 0 {
            assert!(start.elapsed().as_secs() < 60, "{:?}", desk.status());
            desk.pool.pump(INLINE_BUDGET);
        }
        assert_eq!(desk.take_results(), None);
        assert_eq!(desk.status().queued, 0);
    }
}
