//! What the page is given.
#![expect(unreachable_pub, reason = "JavaScript reaches it")]

use std::cell::RefCell;
use std::time::Duration;

use forearm_protocol::Message;
use forearm_protocol::ServiceError;
use forearm_protocol::env::messages::{Event, Reply, Request};
use forearm_protocol::lifecycle::Fault;
use forearm_sim::env::service::{EnvService, EnvSetup, Gym, Worlds};
use forearm_workers::web::{self, WorkerFiles, entry};
use forearm_workers::{Handle, Host, HostKind, Pending, RestartPolicy, supervise};
use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, WebAssembly};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};
use wasm_bindgen_futures::future_to_promise;
use web_time::Instant;

use crate::suite;
use crate::suite::toy::{ToyService, Toys};

/// Makes this worker the service that the message names.
#[wasm_bindgen]
pub fn start(first: JsValue) {
    web::start(
        &first,
        &[entry::<EnvService<Worlds>>(), entry::<ToyService>()],
    );
}

/// Says where workers come from, or why there are none.
#[wasm_bindgen]
pub fn configure(entry: String, glue: String, module: WebAssembly::Module, forbidden: bool) {
    let log = "error".to_owned();
    web::configure(match forbidden {
        true => Err("the page forbids it".to_owned()),
        false => Ok(WorkerFiles {
            entry,
            glue,
            module,
            log,
        }),
    });
    web::log_to_console("error");
}

/// Runs the cases of the native tests on a host, `thread` or `inline`. Answers
/// `[{name, ok, error, skipped}]`.
#[wasm_bindgen]
pub async fn run_suite(host: String) -> Array {
    let host = match host.as_str() {
        "inline" => Host::Inline,
        _ => Host::Thread,
    };
    let results = Array::new();
    for case in suite::CASES {
        let skipped = case.excuse(host);
        let outcome = match skipped {
            None => case.run(host).await,
            Some(_) => Ok(()),
        };
        let error = outcome.err();
        results.push(&object(&[
            ("name", case.name.into()),
            ("ok", error.is_none().into()),
            ("error", error.map_or(JsValue::NULL, Into::into)),
            ("skipped", skipped.map_or(JsValue::NULL, Into::into)),
        ]));
    }
    results
}

/// The digest of short episodes behind the service, on a host.
///
/// # Errors
/// The service refused something.
#[wasm_bindgen]
pub async fn digest(host: String) -> Result<String, JsError> {
    let host = match host.as_str() {
        "inline" => Host::Inline,
        _ => Host::Thread,
    };
    let mut rig = suite::real::real(host);
    let digest = suite::real::digest(&mut rig, true).await;
    digest.map_err(|why| JsError::new(&why))
}

/// The digest of so many episodes of all tasks, hexadecimal: what `forearm_sim`'s own tests have blessed.
///
/// # Errors
/// None in practice: the configurations are fixed.
#[wasm_bindgen]
pub fn episodes_digest(episodes: u32) -> Result<String, JsError> {
    let bytes = forearm_sim::env::digest(episodes as usize, 1);
    let bytes = bytes.map_err(|error| JsError::new(&error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// An environment service and what it told.
#[wasm_bindgen]
pub struct Owner(Kind);

enum Kind {
    Worlds(Told<Worlds>),
    Toys(Told<Toys>),
}

struct Told<G: Gym> {
    handle: Handle<EnvService<G>>,
    events: RefCell<Vec<Event>>,
    life: RefCell<Vec<String>>,
}

#[wasm_bindgen]
impl Owner {
    /// A service of Forearm's own worlds, or of `toys`, on a host.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(host: &str, toys: bool) -> Self {
        let host = match host {
            "inline" => Host::Inline,
            _ => Host::Thread,
        };
        Self(match toys {
            true => Kind::Toys(Told::new(host)),
            false => Kind::Worlds(Told::new(host)),
        })
    }

    /// Works for a service without a worker, for up to this long, milliseconds; watches over others.
    pub fn pump(&self, budget_millis: f64) {
        let budget = Duration::from_secs_f64(budget_millis.max(0.0) / 1e3);
        match &self.0 {
            Kind::Worlds(told) => told.pump(budget),
            Kind::Toys(told) => told.pump(budget),
        }
    }

    /// What it told so far, in JSON.
    ///
    /// # Errors
    /// None.
    pub fn told(&self) -> Result<String, JsError> {
        json(&match &self.0 {
            Kind::Worlds(told) => told.events.borrow().clone(),
            Kind::Toys(told) => told.events.borrow().clone(),
        })
    }

    /// What became of the service itself, in JSON.
    ///
    /// # Errors
    /// None.
    pub fn life(&self) -> Result<String, JsError> {
        json(&match &self.0 {
            Kind::Worlds(told) => told.life.borrow().clone(),
            Kind::Toys(told) => told.life.borrow().clone(),
        })
    }

    /// Where it runs: `worker`, or `inline` on the main thread.
    #[must_use]
    pub fn host(&self) -> String {
        let status = match &self.0 {
            Kind::Worlds(told) => told.handle.status(),
            Kind::Toys(told) => told.handle.status(),
        };
        match status.host {
            HostKind::Worker => "worker",
            _ => "inline",
        }
        .to_owned()
    }

    /// Makes it fail: `kill`, `trap`, `throw` or `hang`.
    ///
    /// # Errors
    /// It can't.
    pub fn inject(&self, fault: &str) -> Result<(), JsError> {
        let fault = match fault {
            "kill" => Fault::Kill,
            "trap" => Fault::Trap,
            "throw" => Fault::Throw,
            _ => Fault::Hang,
        };
        match &self.0 {
            Kind::Worlds(told) => told.handle.inject(fault)?,
            Kind::Toys(told) => told.handle.inject(fault)?,
        }
        Ok(())
    }

    /// Asks: a request in JSON, and the actions if it has some, which are transferred. A promise of the
    /// answer: JSON's object, its buffers in `buffers` by their names.
    ///
    /// # Errors
    /// It is no request.
    pub fn request(&self, request: &str, actions: Option<ArrayBuffer>) -> Result<Promise, JsError> {
        let mut request: Request = serde_json::from_str(request)?;
        if let (Some(slot), Some(actions)) = (request.buffers().pop(), actions) {
            *slot = actions.into();
        }
        Ok(match &self.0 {
            Kind::Worlds(told) => answer(told.handle.request(request)),
            Kind::Toys(told) => answer(told.handle.request(request)),
        })
    }

    /// Steps one world `count` times with a request each, as fast as answers come; a promise of how long
    /// that took, seconds.
    #[must_use]
    pub fn step_singly(&self, count: u32, actions: Vec<f32>) -> Promise {
        let Kind::Worlds(told) = &self.0 else {
            return Promise::resolve(&JsValue::NULL);
        };
        let line = told.handle.line();
        future_to_promise(async move {
            let start = Instant::now();
            for _ in 0..count {
                let step = suite::step(&actions);
                line.request(step).await.map_err(JsError::from)?;
            }
            Ok(start.elapsed().as_secs_f64().into())
        })
    }

    /// Steps all worlds `steps` times with one request; a promise of how long that took, seconds.
    #[must_use]
    pub fn roll_out(&self, steps: u32, actions: Vec<f32>) -> Promise {
        let Kind::Worlds(told) = &self.0 else {
            return Promise::resolve(&JsValue::NULL);
        };
        let request = Request::Rollout {
            steps,
            agents: Vec::new(),
            actions: forearm_protocol::Buffer::from(actions.repeat(steps as usize).as_slice()),
            show: None,
        };
        let line = told.handle.line();
        future_to_promise(async move {
            let start = Instant::now();
            line.request(request).await.map_err(JsError::from)?;
            Ok(start.elapsed().as_secs_f64().into())
        })
    }
}

impl<G: Gym> Told<G> {
    fn new(host: Host) -> Self {
        Self {
            handle: supervise(EnvSetup::default(), host, RestartPolicy::default()),
            events: RefCell::default(),
            life: RefCell::default(),
        }
    }

    fn pump(&self, budget: Duration) {
        self.handle.pump(budget);
        self.events.borrow_mut().extend(self.handle.events());
        let life = self.handle.lifecycle().map(|word| format!("{word:?}"));
        self.life.borrow_mut().extend(life);
    }
}

/// A promise of the answer.
fn answer<G: Gym>(pending: Pending<EnvService<G>>) -> Promise {
    future_to_promise(async move {
        let reply = pending.await.map_err(|error| told_error(&error))?;
        let told = js_sys::JSON::parse(&json(&reply)?)?;
        let buffers = match reply {
            Reply::Reset(came)
            | Reply::Step(came)
            | Reply::Rollout(came)
            | Reply::Restore(came) => object(&[
                ("observations", came.observations.into_js().into()),
                ("rewards", came.rewards.into_js().into()),
                ("terminateds", came.terminateds.into_js().into()),
                ("truncateds", came.truncateds.into_js().into()),
                ("successes", came.successes.into_js().into()),
                ("ticks", came.render_state.ticks.into_js().into()),
                ("rgba", came.render_state.rgba.into_js().into()),
            ]),
            Reply::Render(state) => object(&[
                ("ticks", state.ticks.into_js().into()),
                ("rgba", state.rgba.into_js().into()),
            ]),
            Reply::Init(_) | Reply::Snapshot | Reply::Ping(_) | Reply::Destroy => JsValue::NULL,
        };
        match told.dyn_ref::<Object>() {
            Some(_) => {
                Reflect::set(&told, &"buffers".into(), &buffers)?;
                Ok(told)
            }
            None => Ok(object(&[("name", told)])),
        }
    })
}

/// The error, and where it happened: its `stack` is the service's where that is known.
fn told_error(error: &ServiceError) -> JsValue {
    let told = js_sys::Error::new(&error.to_string());
    if let Some(stack) = error.stack() {
        // Setting a field of an error never fails.
        Reflect::set(&told, &"stack".into(), &stack.into()).ok();
    }
    told.into()
}

fn json(value: &impl Serialize) -> Result<String, JsError> {
    Ok(serde_json::to_string(value)?)
}

/// A plain object with these fields.
fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a plain object never fails.
        Reflect::set(&object, &JsValue::from_str(name), value).ok();
    }
    object.into()
}
