//! The `forearm` command. The command line is in [`cli`], everything else in the library.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
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
