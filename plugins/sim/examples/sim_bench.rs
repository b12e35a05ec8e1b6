//! How long a step of the simulation takes, without the app: what `cargo xtask bench sim` runs,
//! natively as a program that prints JSON, in a browser as a module of a page.
//!
//! Natively: `sim_bench STEPS` measures every case; `sim_bench STEPS THREADS` runs a world a thread
//! instead and prints how many steps a second all of them do together.

use forearm_sim::SimError;
use forearm_sim::bench::{Case, measure};

/// Measures all cases; JSON.
fn cases(steps: u64, now_secs: impl Fn() -> f64) -> Result<String, SimError> {
    let mut cases = Vec::new();
    for case in Case::ALL {
        let result = measure(case, steps, &now_secs)?;
        let parts: Vec<_> = result
            .breakdown
            .iter()
            .map(|(name, micros)| format!(r#""{name}":{micros}"#))
            .collect();
        cases.push(format!(
            r#"{{"name":"{}","us_per_step":{},"breakdown_us":{{{}}}}}"#,
            case.name(),
            result.us_per_step,
            parts.join(",")
        ));
    }
    Ok(format!(r#"{{"cases":[{}]}}"#, cases.join(",")))
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::sync::Barrier;
    use std::time::Instant;

    use forearm_sim::SimError;
    use forearm_sim::bench::{Case, Course};

    /// Rounds of which the fastest counts.
    const ROUNDS: usize = 5;

    /// Steps a second of so many worlds at once, a thread each, in the case with floor and cube; JSON.
    pub(crate) fn together(steps: u64, threads: usize) -> Result<String, SimError> {
        let mut courses = Vec::new();
        for _ in 0..threads.max(1) {
            courses.push(Course::new(Case::ArmFloorCube)?);
        }
        let mut fastest = f64::INFINITY;
        for _ in 0..ROUNDS {
            let ready = Barrier::new(courses.len() + 1);
            let start = std::thread::scope(|scope| {
                for course in &mut courses {
                    course.prepare(steps);
                    scope.spawn(|| {
                        ready.wait();
                        course.run(steps);
                    });
                }
                ready.wait();
                Instant::now()
            });
            fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        let rate = (courses.len() as u64 * steps) as f64 / fastest;
        Ok(format!(
            r#"{{"threads":{},"steps_per_sec":{rate}}}"#,
            courses.len()
        ))
    }
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stdout, reason = "a program that answers on stdout")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .map(|number| number.parse())
        .collect::<Result<_, _>>()?;
    let start = std::time::Instant::now();
    let answer = match numbers[..] {
        [steps] => cases(steps, || start.elapsed().as_secs_f64())?,
        [steps, threads] => native::together(steps, usize::try_from(threads)?)?,
        _ => return Err("expected STEPS, or STEPS and THREADS".into()),
    };
    println!("{answer}");
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

    /// Measures all cases with so many steps a round; JSON.
    ///
    /// # Errors
    /// None in practice: the scenes are fixed.
    #[wasm_bindgen]
    pub fn measure(steps: u32) -> Result<String, JsError> {
        super::cases(u64::from(steps), || now_millis() / 1e3)
            .map_err(|error| JsError::new(&error.to_string()))
    }
}
