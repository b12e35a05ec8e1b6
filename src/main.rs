//! The `forearm` command; in a browser tab, the app. The command line is in [`cli`], everything else
//! in the library.

#[cfg(not(target_family = "wasm"))]
mod cli;

#[cfg(target_family = "wasm")]
fn main() {
    forearm::web::start();
}

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            #[expect(
                clippy::print_stderr,
                reason = "the one place where the command says why it failed"
            )]
            {
                eprintln!("forearm: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
