//! One digest of very many episodes of all tasks, the same with any number of threads, optimised or not
//! (`cargo run --example env_digest 1000`, with and without `--release`), and in a browser, where the example
//! `env_web` has it.
//!
//! `env_digest EPISODES [THREADS]`; without threads, one a core.

use forearm_sim::env::{EnvError, digest};

/// The digest in hexadecimal.
fn hex(episodes: usize, threads: usize) -> Result<String, EnvError> {
    let bytes = digest(episodes, threads)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

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
