//! What the cases need of their platform: a moment's wait, gates that hold a service back, marks
//! that a service leaves where its owner finds them.

#[cfg(target_family = "wasm")]
pub(crate) use host::WORKERS;
pub(crate) use host::{Gate, break_workers, mark, marks, moment};

/// Why there are no workers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Broken {
    /// The page forbids them.
    Forbidden,
    /// Their first script is not there.
    NoScript,
    /// Their glue is not there.
    NoGlue,
}

#[cfg(not(target_family = "wasm"))]
mod host {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::Duration;

    static OPEN: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
    static OPENED: Condvar = Condvar::new();
    static MARKS: Mutex<BTreeMap<u64, u32>> = Mutex::new(BTreeMap::new());

    /// Holds a service back in its start until the case opens it. A setup is packed on its way, so
    /// a gate is a number.
    pub(crate) struct Gate(pub(crate) u64);

    impl Gate {
        pub(crate) fn open(&self) {
            let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            open.insert(self.0);
            OPENED.notify_all();
        }

        pub(crate) fn pass(&self) {
            let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            drop(OPENED.wait_while(open, |open| !open.contains(&self.0)));
        }
    }

    /// Leaves a mark, from wherever the service runs.
    pub(crate) fn mark(number: u64) {
        let mut marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
        *marks.entry(number).or_default() += 1;
    }

    /// How many marks of this number were left.
    pub(crate) fn marks(number: u64) -> u32 {
        let marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
        marks.get(&number).copied().unwrap_or_default()
    }

    /// Native threads can't be taken away.
    pub(crate) fn break_workers(_: Option<super::Broken>) {}

    /// Lets others work.
    pub(crate) async fn moment() {
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[cfg(target_family = "wasm")]
mod host {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use forearm_workers::web::{self, WorkerFiles};
    use js_sys::{Function, Promise, Reflect};
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{BroadcastChannel, MessageEvent};

    use super::Broken;

    /// What is sent in one go is sent before a worker or a slice takes any of it: nothing has to be
    /// held back here.
    pub(crate) struct Gate(pub(crate) u64);

    impl Gate {
        pub(crate) fn open(&self) {}

        pub(crate) fn pass(&self) {}
    }

    thread_local! {
        /// Where workers come from, as the page said it.
        pub(crate) static WORKERS: RefCell<Option<WorkerFiles>> = const { RefCell::new(None) };
        static MARKS: RefCell<BTreeMap<u64, u32>> = const { RefCell::new(BTreeMap::new()) };
        /// One object only: a channel does not hear itself.
        static LEAVING: Option<BroadcastChannel> = BroadcastChannel::new("marks").ok();
        static HEARING: Option<BroadcastChannel> = hear();
    }

    fn hear() -> Option<BroadcastChannel> {
        let channel = BroadcastChannel::new("marks").ok()?;
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| {
            if let Some(number) = event.data().as_f64() {
                MARKS.with_borrow_mut(|marks| *marks.entry(number as u64).or_default() += 1);
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
        Some(channel)
    }

    /// Leaves a mark, from wherever the service runs.
    pub(crate) fn mark(number: u64) {
        LEAVING.with(|channel| {
            if let Some(channel) = channel {
                channel.post_message(&JsValue::from_f64(number as f64)).ok();
            }
        });
    }

    /// How many marks of this number were left. They are heard from the first call on, with a
    /// moment's delay.
    pub(crate) fn marks(number: u64) -> u32 {
        HEARING.with(|_| ());
        MARKS.with_borrow(|marks| marks.get(&number).copied().unwrap_or_default())
    }

    /// Takes workers away from services that are spawned later, or gives them back.
    pub(crate) fn break_workers(how: Option<Broken>) {
        let Some(mut files) = WORKERS.with_borrow(Clone::clone) else {
            return;
        };
        match how {
            Some(Broken::Forbidden) => {
                return web::configure(Err("the page forbids it".to_owned()));
            }
            Some(Broken::NoScript) => files.entry.push_str(".nowhere"),
            Some(Broken::NoGlue) => files.glue.push_str(".nowhere"),
            None => {}
        }
        web::configure(Ok(files));
    }

    /// Lets others work.
    pub(crate) async fn moment() {
        let global = js_sys::global();
        let timer = Promise::new(&mut |done, _| {
            let set = Reflect::get(&global, &"setTimeout".into());
            if let Ok(set) = set.and_then(|set| set.dyn_into::<Function>()) {
                set.call2(&JsValue::NULL, &done, &1.0.into()).ok();
            }
        });
        JsFuture::from(timer).await.ok();
    }
}
