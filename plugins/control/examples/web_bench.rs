//! The control service in a page without a picture: what `cargo xtask bench web` and the tests in
//! the browser measure. Only for the browser; natively it does nothing.
//!
//! The page calls `configure`, makes a `Loop`, and pumps it as it likes; `start` is for the worker.
//! Requests, replies and states travel as JSON, as in the app's `globalThis.forearm`.

fn main() {}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
mod web {
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::time::Duration;

    use forearm_control::{ControlConfig, ControlService, ControlSetup, Startup, Until};
    use forearm_protocol::control::{Command, Event, Reply, Request, StateUpdate};
    use forearm_protocol::scene::{Scene, SceneBundle};
    use forearm_workers::web::{self, WorkerFiles, entry};
    use forearm_workers::{Handle, Host, HostKind, RestartPolicy, supervise};
    use js_sys::{Promise, WebAssembly};
    use serde::Serialize;
    use wasm_bindgen::prelude::wasm_bindgen;
    use wasm_bindgen::{JsError, JsValue};
    use wasm_bindgen_futures::future_to_promise;

    /// Makes this worker the service that the message names.
    #[wasm_bindgen]
    pub fn start(first: JsValue) {
        web::start(&first, &[entry::<ControlService>()]);
    }

    /// Says where workers come from, and whether the page opens serial ports for them though they
    /// could do so themselves.
    #[wasm_bindgen]
    pub fn configure(entry: String, glue: String, module: WebAssembly::Module, bridge: bool) {
        forearm_hardware::port::web::offer(bridge);
        let log = "warn".to_owned();
        web::configure(Ok(WorkerFiles {
            entry,
            glue,
            module,
            log,
        }));
    }

    /// A running control service.
    #[wasm_bindgen]
    pub struct Loop {
        handle: Handle<ControlService>,
        state: RefCell<Option<Box<StateUpdate>>>,
        notices: RefCell<Vec<String>>,
        calibration: RefCell<Option<Event>>,
    }

    #[wasm_bindgen]
    impl Loop {
        /// Starts to drive a scene (a scene file's text): `worker`, `inline`, or `stepped` where the
        /// page moves time on. With a motion (a motion file's text) it plays; with a number of
        /// seconds the run ends after them.
        ///
        /// # Errors
        /// The scene is none.
        #[wasm_bindgen(constructor)]
        pub fn new(
            host: &str,
            scene: &str,
            script: Option<String>,
            secs: Option<f64>,
        ) -> Result<Self, JsError> {
            let bundle = Arc::new(SceneBundle::from(Scene::from_ron("scene", scene)?));
            let setup = ControlSetup {
                config: ControlConfig {
                    until: secs.map_or(Until::Stopped, Until::Elapsed),
                    ..ControlConfig::default()
                },
                startup: Startup {
                    bundle: Some(bundle),
                    script,
                    start: true,
                    resume: None,
                    e_stop: false,
                },
            };
            let host = match host {
                "inline" => Host::Inline,
                "stepped" => Host::Stepped,
                _ => Host::Thread,
            };
            Ok(Self {
                handle: supervise(setup, host, RestartPolicy::default()),
                state: RefCell::default(),
                notices: RefCell::default(),
                calibration: RefCell::default(),
            })
        }

        /// What an app does each frame: takes what was told, says that it lives. A service on the
        /// main thread runs for up to this long, milliseconds.
        pub fn pump(&self, budget_millis: f64) {
            self.handle
                .pump(Duration::from_secs_f64(budget_millis.max(0.0) / 1e3));
            for event in self.handle.events() {
                match event {
                    Event::State(state) => {
                        self.state.replace(Some(state));
                    }
                    Event::Notice(notice) => self.notices.borrow_mut().push(notice.text),
                    Event::SceneLoaded { .. }
                    | Event::ScriptDone { .. }
                    | Event::DevicesChanged { .. } => {}
                    Event::Calibration(_) | Event::CalibrationDone { .. } => {
                        self.calibration.replace(Some(event));
                    }
                }
            }
            // When it can't be sent, the next frame says it again.
            self.handle.send(Command::Alive).ok();
        }

        /// Moves stepped time on, seconds since the start.
        pub fn advance_to(&self, secs: f64) {
            self.handle.advance_to(secs);
        }

        /// Where it runs: `worker`, or `inline` on the main thread.
        #[must_use]
        pub fn host(&self) -> String {
            match self.handle.status().host {
                HostKind::Worker => "worker",
                HostKind::Thread => "thread",
                HostKind::Inline => "inline",
                HostKind::Stepped => "stepped",
            }
            .to_owned()
        }

        /// The latest state of everything, in JSON.
        ///
        /// # Errors
        /// A number in it has no form in JSON.
        pub fn state(&self) -> Result<Option<String>, JsError> {
            self.state.borrow().as_ref().map(json).transpose()
        }

        /// What was told last of a guided calibration, in JSON.
        ///
        /// # Errors
        /// A number in it has no form in JSON.
        pub fn calibration(&self) -> Result<Option<String>, JsError> {
            self.calibration.borrow().as_ref().map(json).transpose()
        }

        /// What a person was told, and how the service does.
        #[must_use]
        pub fn said(&self) -> String {
            let status = self.handle.status();
            format!("{status}; {}", self.notices.borrow().join("; "))
        }

        /// Tells something: a command in JSON.
        ///
        /// # Errors
        /// It is no command, or can't be sent.
        pub fn command(&self, command: &str) -> Result<(), JsError> {
            Ok(self.handle.send(serde_json::from_str(command)?)?)
        }

        /// Asks for something, in JSON; a promise of the answer, in JSON.
        ///
        /// # Errors
        /// It is no request.
        pub fn request(&self, request: &str) -> Result<Promise, JsError> {
            let pending = self
                .handle
                .request(serde_json::from_str::<Request>(request)?);
            Ok(future_to_promise(async move {
                match pending.await.map_err(JsError::from)? {
                    Reply::Done => Ok(JsValue::UNDEFINED),
                    Reply::Inspection(inspection) => Ok(json(&inspection)?.into()),
                    Reply::Register(value) => Ok(json(&value)?.into()),
                    Reply::Ports(ports) => Ok(json(&ports)?.into()),
                }
            }))
        }
    }

    fn json(value: &impl Serialize) -> Result<String, JsError> {
        Ok(serde_json::to_string(value)?)
    }
}
