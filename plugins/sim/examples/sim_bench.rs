//! How long a step of the simulation takes, without the app: what `cargo xtask bench sim` runs,
//! natively as a program, in a browser as a module of a worker.
//!
//! - `sim_bench STEPS` measures every case and prints JSON.
//! - `sim_bench STEPS THREADS` runs a world a thread and prints how many steps a second they do
//!   together, JSON.
//! - `sim_bench mjcf CASE` prints a case's scene for MuJoCo.

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::sync::Barrier;
    use std::time::Instant;

    use forearm_sim::SimError;
    use forearm_sim::bench::{Case, Course, measure};
    use serde_json::{Map, Value, json};

    /// Rounds of which the fastest counts.
    const ROUNDS: usize = 5;

    /// Measures all cases.
    pub(crate) fn cases(steps: u64) -> Result<Value, SimError> {
        let start = Instant::now();
        let mut cases = Vec::new();
        for case in Case::ALL {
            let result = measure(case, steps, || start.elapsed().as_secs_f64())?;
            let parts: Map<_, _> = result
                .breakdown
                .iter()
                .map(|(name, micros)| ((*name).to_owned(), json!(micros)))
                .collect();
            cases.push(json!({
                "name": case.name(),
                "us_per_step": result.us_per_step,
                "breakdown_us": parts,
            }));
        }
        Ok(json!({ "cases": cases }))
    }

    /// Steps a second of so many worlds at once, a thread each, in the case with floor and cube.
    pub(crate) fn together(steps: u64, threads: usize) -> Result<Value, SimError> {
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
                // Before the start, not after: this thread may be the last to go on.
                let start = Instant::now();
                ready.wait();
                start
            });
            fastest = fastest.min(start.elapsed().as_secs_f64());
        }
        let rate = (courses.len() as u64 * steps) as f64 / fastest;
        Ok(json!({"threads": courses.len(), "steps_per_sec": rate}))
    }
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stdout, reason = "a program that answers on stdout")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use forearm_sim::bench::{Case, mjcf};

    let words: Vec<_> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mjcf", name] => {
            let case = Case::ALL.into_iter().find(|case| case.name() == name);
            print!("{}", mjcf(case.ok_or("there is no such case")?)?);
        }
        [steps] => println!("{}", native::cases(steps.parse()?)?),
        [steps, threads] => println!("{}", native::together(steps.parse()?, threads.parse()?)?),
        _ => return Err("expected STEPS, STEPS THREADS or mjcf CASE".into()),
    }
    Ok(())
}

#[cfg(target_family = "wasm")]
fn main() {}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
mod web {
    use forearm_sim::bench;
    use wasm_bindgen::JsError;
    use wasm_bindgen::prelude::wasm_bindgen;

    fn case(name: &str) -> Result<bench::Case, JsError> {
        let found = bench::Case::ALL
            .into_iter()
            .find(|case| case.name() == name);
        found.ok_or_else(|| JsError::new("there is no such case"))
    }

    /// The names of the cases that MuJoCo can run, too.
    #[wasm_bindgen]
    #[must_use]
    pub fn cases() -> Vec<String> {
        let cases = bench::Case::ALL
            .into_iter()
            .filter(|case| case.is_comparable());
        cases.map(|case| case.name().to_owned()).collect()
    }

    /// A case's scene for MuJoCo.
    ///
    /// # Errors
    /// If there is no such case.
    #[wasm_bindgen]
    pub fn mjcf(name: &str) -> Result<String, JsError> {
        bench::mjcf(case(name)?).map_err(|error| JsError::new(&error.to_string()))
    }

    /// The targets of so many steps, six numbers a step.
    #[wasm_bindgen]
    #[must_use]
    pub fn controls(steps: u32) -> Vec<f64> {
        bench::controls(u64::from(steps))
    }

    /// A world that is measured.
    #[wasm_bindgen]
    pub struct Course(bench::Course);

    #[wasm_bindgen]
    impl Course {
        /// A case's world, warmed up.
        ///
        /// # Errors
        /// If there is no such case.
        #[wasm_bindgen(constructor)]
        pub fn new(name: &str) -> Result<Self, JsError> {
            let course = bench::Course::new(case(name)?);
            course
                .map(Self)
                .map_err(|error| JsError::new(&error.to_string()))
        }

        /// Computes the targets of the next steps.
        pub fn prepare(&mut self, steps: u32) {
            self.0.prepare(u64::from(steps));
        }

        /// Goes one prepared step on.
        pub fn step(&mut self) {
            self.0.run(1);
        }
    }
}
