//! Starts the `forearm` that belongs to these tests, with nothing of the person's own settings.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A program that runs longer than this hangs.
const PATIENCE: Duration = Duration::from_secs(240);

/// One start of `forearm`.
#[derive(Debug)]
pub(crate) struct App {
    command: Command,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it wrote to standard output.
    pub(crate) stdout: String,
    /// What it wrote to standard error.
    pub(crate) stderr: String,
    /// How it was started, for messages.
    pub(crate) started_as: String,
}

impl App {
    /// `forearm` with these arguments, in the repository's root, with no display.
    pub(crate) fn new<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forearm"));
        command
            .args(arguments)
            .current_dir(root())
            .env("FOREARM_SETTINGS", scratch("settings").join("none.ron"))
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET");
        Self { command }
    }

    /// With the display that the tests were given.
    pub(crate) fn on_display(mut self) -> Self {
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            if let Some(value) = std::env::var_os(name) {
                self.command.env(name, value);
            }
        }
        self
    }

    /// With one more argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// With an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end; ends it and fails if that never comes.
    pub(crate) fn run(mut self) -> Finished {
        let started_as = format!("{:?}", self.command);
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("forearm starts");
        let stdout = read_all(child.stdout.take().expect("a pipe"));
        let stderr = read_all(child.stderr.take().expect("a pipe"));
        // Its pipes close when it ends.
        let Ok(stdout) = stdout.recv_timeout(PATIENCE) else {
            child.kill().expect("it still runs");
            let stderr = stderr.recv_timeout(PATIENCE).unwrap_or_default();
            panic!("{started_as} did not end within {PATIENCE:?}; it said: {stderr}");
        };
        let stderr = stderr
            .recv_timeout(PATIENCE)
            .expect("standard error closes as well");
        let code = child.wait().expect("it ended").code();
        Finished {
            code,
            stdout,
            stderr,
            started_as,
        }
    }
}

impl Finished {
    /// Fails unless it ended well.
    pub(crate) fn assert_success(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Its standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is not JSON ({error}): {self}"))
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
            started_as,
        } = self;
        write!(
            out,
            "{started_as} ended with {code:?}\nstdout: {stdout}\nstderr: {stderr}"
        )
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("pipe".to_owned())
        .spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).expect("a pipe can be read");
            // The receiver is gone if the test gave up.
            drop(sender.send(String::from_utf8_lossy(&bytes).into_owned()));
        })
        .expect("a thread starts");
    receiver
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder of this name for a test's files, below the build folder.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

/// Whether this is an automatic run, where nothing may be left out.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Whether there is a display for windows. Says so where there is none; in an automatic run that
/// is a failure.
pub(crate) fn has_display() -> bool {
    let named = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !cfg!(target_os = "linux") || named("DISPLAY") || named("WAYLAND_DISPLAY") {
        return true;
    }
    assert!(
        !in_ci(),
        "there is no display; run the tests with `cargo xtask test`"
    );
    did_not_run("there is no display; `cargo xtask test` starts one");
    false
}

/// Says plainly that the present test did not run.
pub(crate) fn did_not_run(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test").to_owned();
    // Written straight to the terminal: what a passing test prints is not shown.
    use std::io::Write as _;
    writeln!(std::io::stderr(), "note: {test} did not run: {why}").expect("standard error is open");
}

/// Taken by tests of which one keeps every core busy for minutes and another holds a third party's program
/// to the clock: the one would make the other late, and nothing would be learnt.
pub(crate) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static WHOLE_MACHINE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    WHOLE_MACHINE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
