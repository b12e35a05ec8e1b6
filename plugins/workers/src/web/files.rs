//! Where workers come from.

use std::cell::RefCell;

use js_sys::WebAssembly::Module;

/// What a worker is made of: addresses that the page knows, and the module that it compiled.
#[derive(Debug, Clone)]
pub struct WorkerFiles {
    /// The script that a worker begins with.
    pub entry: String,
    /// The script that loads the module.
    pub glue: String,
    /// The compiled module, shared by all workers.
    pub module: Module,
    /// What workers log: a filter, of which the general level (`error` … `trace`) counts.
    pub log: String,
}

thread_local! {
    static FILES: RefCell<Result<WorkerFiles, String>> =
        RefCell::new(Err("the page said nothing about workers".to_owned()));
}

/// Says where workers come from, or why there are none. Services that are spawned later go by it.
pub fn configure(files: Result<WorkerFiles, String>) {
    FILES.set(files);
}

/// Where workers come from, or why there are none.
pub(crate) fn files() -> Result<WorkerFiles, String> {
    FILES.with_borrow(Clone::clone)
}
