//! Environment steps a second: what `cargo xtask bench env` runs, natively as a program that prints
//! JSON, in a browser as a module of a page.
//!
//! Natively: `env_bench STEPS` measures each task: one environment on one core, a batch on one core,
//! and a batch on all. `env_bench mjcf TASK` writes the task's scene as MJCF, for the rival.

use forearm_sim::env::{EnvError, Task, bench};

/// Worlds of a batch.
const WORLDS: usize = 64;
/// Resets and restores that are timed.
const RESETS: u64 = 2000;

/// Measures all tasks, each with these numbers of threads for its batch (0: all cores); JSON.
fn tasks(steps: u64, threads: &[usize], now_secs: impl Fn() -> f64) -> Result<String, EnvError> {
    let mut rows = Vec::new();
    for task in Task::ALL {
        let single = bench::single(task, steps, &now_secs)?.per_sec();
        let [reset, snapshot, restore] = bench::reset_and_restore(task, RESETS, &now_secs)?;
        let mut row = format!(
            r#"{{"name":"{task}","single":{single},"reset_us":{},"snapshot_us":{},"restore_us":{}"#,
            reset * 1e6,
            snapshot * 1e6,
            restore * 1e6
        );
        for threads in threads {
            let rate = bench::batch(task, WORLDS, *threads, steps, &now_secs)?.per_sec();
            let name = match threads {
                1 => "batch",
                _ => "batch_all",
            };
            row += &format!(r#","{name}":{rate}"#);
        }
        rows.push(row + "}");
    }
    Ok(format!(
        r#"{{"worlds":{WORLDS},"tasks":[{}]}}"#,
        rows.join(",")
    ))
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stdout, reason = "a program that answers on stdout")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let steps = match &words[..] {
        [word, task] if word == "mjcf" => {
            println!("{}", bench::mjcf(task.parse()?)?);
            return Ok(());
        }
        [steps] => steps.parse()?,
        _ => return Err("expected STEPS, or mjcf TASK".into()),
    };
    let start = std::time::Instant::now();
    println!(
        "{}",
        tasks(steps, &[1, 0], || start.elapsed().as_secs_f64())?
    );
    Ok(())
}

#[cfg(target_family = "wasm")]
fn main() {}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
mod web {
    use wasm_bindgen::JsError;
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        /// The page's clock, milliseconds.
        #[wasm_bindgen(js_namespace = performance, js_name = now)]
        fn now_millis() -> f64;
    }

    /// Measures all tasks with so many steps each; JSON.
    ///
    /// # Errors
    /// None in practice: the configurations are fixed.
    #[wasm_bindgen]
    pub fn measure(steps: u32) -> Result<String, JsError> {
        super::tasks(u64::from(steps), &[1], || now_millis() / 1e3)
            .map_err(|error| JsError::new(&error.to_string()))
    }
}
