//! Feetech's own SDK in Python, a third party that tests let loose on virtual servos.
//!
//! It is kept beside the build's results and used from there: nothing of the person's Python is
//! changed. LeRobot itself, which is gigabytes, is used where `FOREARM_LEROBOT_PYTHON` names a Python
//! that has it.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::prerequisites;
use crate::stages::{build_folder, output_of, run};

/// What is installed: the SDK as LeRobot requires it, and what it talks to ports with.
const PACKAGES: [&str; 2] = ["feetech-servo-sdk==1.0.0", "pyserial==3.5"];

/// Names a Python that has LeRobot.
const LEROBOT: &str = "FOREARM_LEROBOT_PYTHON";

/// A Python that can import the SDK.
#[derive(Debug)]
pub(crate) struct Python {
    program: PathBuf,
    packages: PathBuf,
}

impl Python {
    /// Finds Python, installs the SDK if it is not there yet.
    ///
    /// # Errors
    /// Says what is missing and how to get it.
    pub(crate) fn find_or_install() -> Result<Self> {
        let program = prerequisites::python()?;
        let packages = build_folder().join("python");
        let python = Self { program, packages };
        if python.has_sdk().is_err() {
            run(Command::new(&python.program)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                ])
                .arg("--target")
                .arg(&python.packages)
                .args(PACKAGES))
            .context("the package index can't be reached, or pip is broken")?;
            python
                .has_sdk()
                .context("the SDK was installed but can't be imported")?;
        }
        Ok(python)
    }

    /// Lets a command's tests use it.
    pub(crate) fn apply(&self, command: &mut Command) {
        command
            .env("FOREARM_SDK_PYTHON", &self.program)
            .env("FOREARM_SDK_PACKAGES", &self.packages);
    }

    /// The Python that has LeRobot, if one is named; else the one with the SDK.
    pub(crate) fn lerobot_or_sdk(&self) -> Command {
        match std::env::var_os(LEROBOT) {
            Some(lerobot) => Command::new(lerobot),
            None => {
                let mut command = Command::new(&self.program);
                command.env("PYTHONPATH", &self.packages);
                command
            }
        }
    }

    fn has_sdk(&self) -> Result<()> {
        let mut import = Command::new(&self.program);
        import
            .args(["-c", "import scservo_sdk, serial"])
            .env("PYTHONPATH", &self.packages);
        output_of(&mut import).map(|_said| ())
    }
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [sdk, _] = PACKAGES;
        write!(f, "{sdk}")?;
        match std::env::var_os(LEROBOT) {
            Some(_) => write!(f, " and LeRobot"),
            None => write!(
                f,
                "; LeRobot itself where FOREARM_LEROBOT_PYTHON names a Python with it"
            ),
        }
    }
}
