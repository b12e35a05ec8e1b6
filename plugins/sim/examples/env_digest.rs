//! One digest of very many episodes of all tasks: natively a program, in a browser or Node a module
//! with one function. Both must say the same, with any number of threads, optimised or not.
//!
//! Natively: `env_digest EPISODES [THREADS]`; without threads, one a core.

use forearm_sim::env::{EnvError, digest};

/// The digest in hexadecimal.
fn hex(episodes: usize, threads: usize) -> Result<String, EnvError> {
    let bytes = digest(episodes, threads)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stdout, reason = "a program that answers on stdout")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .map(|number| number.parse())
        .collect::<Result<_, _>>()?;
    let answer = match numbers[..] {
        [episodes] => hex(episodes, 0)?,
        [episodes, threads] => hex(episodes, threads)?,
        _ => return Err("expected EPISODES, or EPISODES and THREADS".into()),
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

    /// The digest of so many episodes, hexadecimal.
    ///
    /// # Errors
    /// None in practice: the configurations are fixed.
    #[wasm_bindgen]
    pub fn digest(episodes: u32) -> Result<String, JsError> {
        super::hex(episodes as usize, 1).map_err(|error| JsError::new(&error.to_string()))
    }
}
