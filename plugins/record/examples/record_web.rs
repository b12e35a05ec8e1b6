//! The record service and the control service in a page without a picture: what the tests in the browser
//! check, and `cargo xtask bench zip` measures. Only for the browser; natively it does nothing.
//!
//! The page calls `configure`, makes a `Studio`, and pumps it as it likes; `start` is for the workers.
//! Requests, replies and states travel as JSON, as in the app's `globalThis.forearm`.

fn main() {}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
mod web {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use forearm_control::{ControlConfig, ControlService, ControlSetup, Startup};
    use forearm_dataset::store::Store;
    use forearm_protocol::lifecycle::Fault;
    use forearm_protocol::record::{
        Command, DatasetSummary, Event, Place, RecordState, Reply, Request,
    };
    use forearm_protocol::scene::{Scene, SceneBundle};
    use forearm_protocol::{Message, ServiceError, control};
    use forearm_record::export::Pieces;
    use forearm_record::store::{Access, Opening, Shelf, open};
    use forearm_record::{RecordService, RecordSetup};
    use forearm_workers::web::{self, WorkerFiles, entry};
    use forearm_workers::{
        Answer, Context, Handle, Host, HostKind, Nothing, RestartPolicy, Service, Wake, supervise,
    };
    use js_sys::{Promise, Reflect, Uint8Array, WebAssembly};
    use serde::{Deserialize, Serialize};
    use wasm_bindgen::prelude::wasm_bindgen;
    use wasm_bindgen::{JsError, JsValue};
    use wasm_bindgen_futures::future_to_promise;

    /// Makes this worker the service that the message names.
    #[wasm_bindgen]
    pub fn start(first: JsValue) {
        web::start(
            &first,
            &[
                entry::<ControlService>(),
                entry::<RecordService>(),
                entry::<Filling>(),
            ],
        );
    }

    /// Says where workers come from, and whether cameras go by a `<video>`.
    #[wasm_bindgen]
    pub fn configure(entry: String, glue: String, module: WebAssembly::Module, by_video: bool) {
        forearm_vision::web::offer(by_video);
        let log = "warn".to_owned();
        web::configure(Ok(WorkerFiles {
            entry,
            glue,
            module,
            log,
        }));
    }

    /// A control service that feeds a record service.
    #[wasm_bindgen]
    pub struct Studio {
        control: Handle<ControlService>,
        record: Handle<RecordService>,
        state: RefCell<Option<Box<RecordState>>>,
        dataset: RefCell<Option<Box<DatasetSummary>>>,
        notices: RefCell<Vec<String>>,
        /// Pictures that came, by camera: how many, and the newest's size.
        previews: RefCell<BTreeMap<String, (u32, u32, u32)>>,
        /// The export that is on its way.
        pieces: RefCell<Option<Pieces>>,
        progress: Cell<f64>,
    }

    #[wasm_bindgen]
    impl Studio {
        /// Starts both with a scene (a scene file's text), and a motion (a motion file's text): `worker`
        /// or `inline`.
        ///
        /// # Errors
        /// The scene is none.
        #[wasm_bindgen(constructor)]
        pub fn new(host: &str, scene: &str, script: Option<String>) -> Result<Self, JsError> {
            let bundle = Arc::new(SceneBundle::from(Scene::from_ron("scene", scene)?));
            let setup = ControlSetup {
                config: ControlConfig::default(),
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
                _ => Host::Thread,
            };
            let control = supervise(setup, host, RestartPolicy::default());
            let record = supervise(RecordSetup::default(), host, RestartPolicy::default());
            control.feed_into(&record);
            Ok(Self {
                control,
                record,
                state: RefCell::default(),
                dataset: RefCell::default(),
                notices: RefCell::default(),
                previews: RefCell::default(),
                pieces: RefCell::default(),
                progress: Cell::new(0.0),
            })
        }

        /// What an app does each frame: takes what was told, says that it lives. Services on the main
        /// thread run for up to this long each, milliseconds.
        pub fn pump(&self, budget_millis: f64) {
            let budget = Duration::from_secs_f64(budget_millis.max(0.0) / 1e3);
            self.control.pump(budget);
            self.record.pump(budget);
            for event in self.control.events() {
                if let control::Event::SceneLoaded {
                    generation, bundle, ..
                } = event
                {
                    // A service that is not there says so by its status.
                    self.record.send(Command::Scene { generation, bundle }).ok();
                }
            }
            for event in self.record.events() {
                self.hear(event);
            }
            // When it can't be sent, the next frame says it again.
            self.control.send(control::Command::Alive).ok();
        }

        fn hear(&self, event: Event) {
            match event {
                Event::State(state) => {
                    self.state.replace(Some(state));
                }
                Event::Dataset(dataset) => {
                    self.dataset.replace(Some(dataset));
                }
                Event::Preview(picture) => {
                    let mut previews = self.previews.borrow_mut();
                    let known = previews.entry(picture.camera).or_default();
                    let whole = picture.rgba.len() == (picture.width * picture.height * 4) as usize;
                    *known = (known.0 + u32::from(whole), picture.width, picture.height);
                }
                Event::Chunk(chunk) => {
                    if let Some(pieces) = &*self.pieces.borrow() {
                        pieces.push(&chunk);
                    }
                }
                Event::Progress { fraction, .. } => self.progress.set(fraction),
                Event::Notice(notice) => self.notices.borrow_mut().push(notice.text),
                _ => {}
            }
        }

        /// Where the record service runs: `worker`, or `inline` on the main thread.
        #[must_use]
        pub fn host(&self) -> String {
            match self.record.status().host {
                HostKind::Worker => "worker",
                HostKind::Thread => "thread",
                HostKind::Inline => "inline",
                HostKind::Stepped => "stepped",
            }
            .to_owned()
        }

        /// How often the record service was started again.
        #[must_use]
        pub fn restarts(&self) -> u32 {
            self.record.status().restarts
        }

        /// Makes the record service fail.
        ///
        /// # Errors
        /// It can't.
        pub fn kill(&self) -> Result<(), JsError> {
            Ok(self.record.inject(Fault::Kill)?)
        }

        /// The latest state of the recording, in JSON.
        ///
        /// # Errors
        /// A number in it has no form in JSON.
        pub fn state(&self) -> Result<Option<String>, JsError> {
            self.state.borrow().as_ref().map(json).transpose()
        }

        /// The dataset as it was told last, in JSON.
        ///
        /// # Errors
        /// A number in it has no form in JSON.
        pub fn dataset(&self) -> Result<Option<String>, JsError> {
            self.dataset.borrow().as_ref().map(json).transpose()
        }

        /// Cameras, how many pictures came of each, and their size, in JSON.
        ///
        /// # Errors
        /// None.
        pub fn previews(&self) -> Result<String, JsError> {
            json(&*self.previews.borrow())
        }

        /// How far an export is.
        #[must_use]
        pub fn progress(&self) -> f64 {
            self.progress.get()
        }

        /// What a person was told, and how the services do.
        #[must_use]
        pub fn said(&self) -> String {
            let (control, record) = (self.control.status(), self.record.status());
            let notices = self.notices.borrow().join("; ");
            format!("{control}; {record}; {notices}")
        }

        /// Collects the pieces of the export that is asked for next.
        pub fn collect(&self) {
            let line = self.record.line();
            // A service that is gone needs to be told nothing.
            let taken = move |bytes| drop(line.send(Command::ChunkTaken(bytes)));
            self.pieces.replace(Some(Pieces::new(taken)));
        }

        /// How many bytes of it were collected.
        #[must_use]
        pub fn collected(&self) -> f64 {
            self.pieces.borrow().as_ref().map_or(0.0, Pieces::bytes)
        }

        /// What was collected, when all of it is there: a `Blob`.
        ///
        /// # Errors
        /// Nothing was asked for, or the browser has no room.
        pub fn archive(&self) -> Result<JsValue, JsValue> {
            let pieces = self.pieces.take().ok_or("nothing is collected")?;
            pieces.finish().map(JsValue::from)
        }

        /// Tells something: a command in JSON.
        ///
        /// # Errors
        /// It is no command, or can't be sent.
        pub fn command(&self, command: &str) -> Result<(), JsError> {
            Ok(self.record.send(serde_json::from_str(command)?)?)
        }

        /// Asks the control service for something, in JSON; a promise of its answer's name.
        ///
        /// # Errors
        /// It is no request.
        pub fn drive(&self, request: &str) -> Result<Promise, JsError> {
            let pending = self
                .control
                .request(serde_json::from_str::<control::Request>(request)?);
            Ok(future_to_promise(async move {
                pending.await.map_err(JsError::from)?;
                Ok(JsValue::UNDEFINED)
            }))
        }

        /// Asks the record service for something, in JSON; a promise of the answer, in JSON; pictures as
        /// they are.
        ///
        /// # Errors
        /// It is no request.
        pub fn request(&self, request: &str) -> Result<Promise, JsError> {
            let pending = self.record.request_within(
                serde_json::from_str::<Request>(request)?,
                Duration::from_mins(5),
            );
            Ok(future_to_promise(async move {
                let reply = pending.await.map_err(JsError::from)?;
                let told = js_sys::JSON::parse(&json(&reply)?)?;
                if let Reply::Frame(frame) = reply {
                    let rgba = Uint8Array::new(&frame.rgba.into_js());
                    Reflect::set(&told, &"rgba".into(), &rgba)?;
                }
                Ok(told)
            }))
        }
    }

    /// Writes files into a dataset, so that there is something to pack.
    #[wasm_bindgen]
    pub struct Filler(Handle<Filling>);

    #[wasm_bindgen]
    impl Filler {
        /// Begins, in a worker: files of 4 MB each, that many megabytes in all.
        #[wasm_bindgen(constructor)]
        #[must_use]
        pub fn new(name: String, megabytes: u32) -> Self {
            let setup = Fill { name, megabytes };
            Self(supervise(setup, Host::Thread, RestartPolicy::default()))
        }

        /// Watches over it.
        pub fn pump(&self) {
            self.0.pump(Duration::from_millis(1));
        }

        /// A promise of its end.
        #[must_use]
        pub fn done(&self) -> Promise {
            let pending = self.0.request_within(Ask, Duration::from_mins(5));
            future_to_promise(async move {
                pending.await.map_err(JsError::from)?;
                Ok(JsValue::UNDEFINED)
            })
        }
    }

    /// What is written where.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Fill {
        name: String,
        megabytes: u32,
    }

    /// Asked for the end, and its answer.
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Ask;

    impl Message for Ask {
        fn name(&self) -> &'static str {
            "bench/filled"
        }
    }

    struct Filling {
        opening: Opening,
        store: Option<Shelf>,
        left: u32,
        answer: Option<Answer<Ask>>,
        failed: Option<String>,
    }

    impl Service for Filling {
        type Setup = Fill;
        type Request = Ask;
        type Reply = Ask;
        type Command = Nothing;
        type Event = Nothing;
        type Input = Nothing;
        type Output = Nothing;

        const NAME: &'static str = "filling";
        const HANG_AFTER: Duration = Duration::from_secs(20);

        fn new(setup: Fill) -> Self {
            Self {
                opening: open(&Place::Storage(setup.name), Access::Write),
                store: None,
                left: setup.megabytes / 4,
                answer: None,
                failed: None,
            }
        }

        fn ready(&mut self, _cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
            Ok(())
        }

        fn request(&mut self, _ask: Ask, answer: Answer<Ask>, _cx: &mut Context<'_, Self>) {
            self.answer = Some(answer);
        }

        fn command(&mut self, command: Nothing, _cx: &mut Context<'_, Self>) {
            match command {}
        }

        fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
            match self.opening.poll() {
                Some(Ok(opened)) => self.store = Some(opened.store),
                Some(Err(error)) => self.failed = Some(error.to_string()),
                None => {}
            }
            let ended = self.write();
            if let Some(answer) = self.answer.take() {
                match (ended, &self.failed) {
                    (_, Some(why)) => answer.send(Err(refused(why))),
                    (true, None) => answer.send(Ok(Ask)),
                    (false, None) => self.answer = Some(answer),
                }
            }
            Wake::At(cx.now_secs() + 0.002)
        }

        fn stopping(&mut self, _cx: &mut Context<'_, Self>) {}
    }

    impl Filling {
        /// Writes a file; whether that was the last.
        fn write(&mut self) -> bool {
            if self.left == 0 {
                // The file is closed before anybody is told.
                self.store = None;
                return true;
            }
            let Some(store) = &mut self.store else {
                return false;
            };
            let mut word = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::from(self.left);
            let mut bytes = Vec::with_capacity(4 << 20);
            while bytes.len() < 4 << 20 {
                word ^= word << 13;
                word ^= word >> 7;
                word ^= word << 17;
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            let path = format!("videos/filler/file-{:03}.mp4", self.left);
            if let Err(error) = store.write(&path, &bytes) {
                self.failed = Some(error.to_string());
            }
            self.left -= 1;
            false
        }
    }

    fn refused(why: &str) -> ServiceError {
        ServiceError::Refused {
            what: "filling a dataset".to_owned(),
            why: why.to_owned(),
            next: "look at the browser's storage".to_owned(),
        }
    }

    fn json(value: &impl Serialize) -> Result<String, JsError> {
        Ok(serde_json::to_string(value)?)
    }
}
